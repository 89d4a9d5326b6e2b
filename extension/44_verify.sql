-- Verification: src/pg/verify.h and src/core/verify.h say what is checked.

-- As the owner of the log, for whom its functions must not be looked up along
-- a caller's search_path.
CREATE FUNCTION scim_audit.verify(from_time timestamptz DEFAULT NULL, to_time timestamptz DEFAULT NULL,
	OUT rule text, OUT chain integer, OUT seq bigint, OUT tx_id uuid, OUT n integer, OUT message text)
	RETURNS SETOF record
	LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp SET jit = off AS 'MODULE_PATHNAME', 'scim_audit_verify';
COMMENT ON FUNCTION scim_audit.verify(timestamptz, timestamptz) IS
	'Checks the log, all of it or the transactions begun from from_time to before to_time; with neither, also the audited tables against it. No row: whole';
REVOKE ALL ON FUNCTION scim_audit.verify(timestamptz, timestamptz) FROM PUBLIC;

-- Sums of keyed hashes over the values that came and went (src/pg/verify_fold.c).
CREATE FUNCTION scim_audit.fold_step(state bigint, detail json, key bigint) RETURNS bigint
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'scim_audit_fold_step';
COMMENT ON FUNCTION scim_audit.fold_step(bigint, json, bigint) IS 'Adds the keyed hashes of the values in detail.new to a sum and subtracts those in detail.old';

-- Of a row's own rendering, which need not be checked to be JSON.
CREATE FUNCTION scim_audit.fold_step(state bigint, detail text, key bigint) RETURNS bigint
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'scim_audit_fold_step';
COMMENT ON FUNCTION scim_audit.fold_step(bigint, text, bigint) IS 'fold_step of a text that is JSON';

CREATE FUNCTION scim_audit.fold_combine(a bigint, b bigint) RETURNS bigint
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'scim_audit_fold_combine';
COMMENT ON FUNCTION scim_audit.fold_combine(bigint, bigint) IS 'The sum of two sums';

CREATE AGGREGATE scim_audit.fold(detail json, key bigint) (
	sfunc = scim_audit.fold_step, stype = bigint, initcond = '0',
	combinefunc = scim_audit.fold_combine, parallel = safe);
COMMENT ON AGGREGATE scim_audit.fold(json, bigint) IS 'What is left of the values in detail.old and detail.new when each that came and went cancels out';

CREATE AGGREGATE scim_audit.fold_sum(part bigint) (
	sfunc = scim_audit.fold_combine, stype = bigint, initcond = '0',
	combinefunc = scim_audit.fold_combine, parallel = safe);
COMMENT ON AGGREGATE scim_audit.fold_sum(bigint) IS 'The sum of sums';

CREATE FUNCTION scim_audit.row_states(tbl regclass, part regclass) RETURNS SETOF text[]
	LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'scim_audit_row_states';
COMMENT ON FUNCTION scim_audit.row_states(regclass, regclass) IS 'resource_id, tenant and detail, as the event of its insertion into tbl would have them, of each row of part: tbl itself, or a partition';

CREATE FUNCTION scim_audit.key_before(resource_id text, detail json, keys text[]) RETURNS text
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'scim_audit_key_before';
COMMENT ON FUNCTION scim_audit.key_before(text, json, text[]) IS 'resource_id that a row had before an update of its key; null when it had none';

-- Events checked in any order (src/pg/verify_balance.c).
CREATE FUNCTION scim_audit.tally_step(state bytea, key bigint, tx_id uuid, n integer, at timestamptz, tenant text, category text, action text,
	event_type text, outcome text, status integer, scim_type text, actor text, actor_type text, credential text,
	session_role text, effective_role text, origin text, resource_type text, resource_id text, changed text[],
	request_id uuid, method text, detail_hash bytea, prev_hash bytea, leaf_hash bytea, detail_salt bytea, detail
	json) RETURNS bytea
	LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'scim_audit_tally_step';
COMMENT ON FUNCTION scim_audit.tally_step(bytea, bigint, uuid, integer, timestamptz, text, text, text, text, text, integer, text, text, text, text, text,
	text, text, text, text, text[], uuid, text, bytea, bytea, bytea, bytea, json) IS
	'Counts one event more: state of scim_audit.tally';

CREATE FUNCTION scim_audit.tally_combine(a bytea, b bytea) RETURNS bytea
	LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'scim_audit_tally_combine';
COMMENT ON FUNCTION scim_audit.tally_combine(bytea, bytea) IS 'Two states of scim_audit.tally as one';

CREATE AGGREGATE scim_audit.tally(key bigint, tx_id uuid, n integer, at timestamptz, tenant text, category text, action text, event_type text,
	outcome text, status integer, scim_type text, actor text, actor_type text, credential text, session_role text,
	effective_role text, origin text, resource_type text, resource_id text, changed text[], request_id uuid, method
	text, detail_hash bytea, prev_hash bytea, leaf_hash bytea, detail_salt bytea, detail json) (
	sfunc = scim_audit.tally_step, stype = bytea, combinefunc = scim_audit.tally_combine, parallel = safe);
COMMENT ON AGGREGATE scim_audit.tally(bigint, uuid, integer, timestamptz, text, text, text, text, text, integer, text, text, text, text, text, text,
	text, text, text, text[], uuid, text, bytea, bytea, bytea, bytea, json) IS
	'What verify() counts of events: faults, links from one to the next that do not meet, values that came and went';

REVOKE ALL ON FUNCTION scim_audit.tally_combine(bytea, bytea),
	scim_audit.tally_step(bytea, bigint, uuid, integer, timestamptz, text, text, text, text, text, integer, text, text, text, text, text,
	text, text, text, text, text[], uuid, text, bytea, bytea, bytea, bytea, json),
	scim_audit.tally(bigint, uuid, integer, timestamptz, text, text, text, text, text, integer, text, text, text, text, text, text,
	text, text, text, text[], uuid, text, bytea, bytea, bytea, bytea, json) FROM PUBLIC;
REVOKE ALL ON FUNCTION scim_audit.fold_step(bigint, json, bigint), scim_audit.fold_step(bigint, text, bigint), scim_audit.fold_combine(bigint, bigint),
	scim_audit.fold(json, bigint), scim_audit.fold_sum(bigint), scim_audit.row_states(regclass, regclass), scim_audit.key_before(text, json, text[]) FROM PUBLIC;
