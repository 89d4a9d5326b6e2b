-- Verification: src/pg/verify.h and src/core/verify.h say what is checked.

-- As the owner of the log, for whom its functions must not be looked up along
-- a caller's search_path.
CREATE FUNCTION scim_audit.verify(from_time timestamptz DEFAULT NULL, to_time timestamptz DEFAULT NULL,
	OUT rule text, OUT chain integer, OUT seq bigint, OUT tx_id uuid, OUT n integer, OUT message text)
	RETURNS SETOF record
	LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'scim_audit_verify';
COMMENT ON FUNCTION scim_audit.verify(timestamptz, timestamptz) IS
	'Checks the log, all of it or the transactions begun from from_time to before to_time; with neither, also the audited tables against it. No row: whole';
REVOKE ALL ON FUNCTION scim_audit.verify(timestamptz, timestamptz) FROM PUBLIC;

-- Sums of keyed hashes over the values that came and went (src/pg/verify_fold.c).
CREATE FUNCTION scim_audit.fold_step(state uuid, detail json, seed uuid) RETURNS uuid
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'scim_audit_fold_step';
COMMENT ON FUNCTION scim_audit.fold_step(uuid, json, uuid) IS 'Adds the keyed hashes of the values in detail.new to a sum and subtracts those in detail.old';

-- Of a row's own rendering, which need not be checked to be JSON.
CREATE FUNCTION scim_audit.fold_step(state uuid, detail text, seed uuid) RETURNS uuid
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'scim_audit_fold_step';
COMMENT ON FUNCTION scim_audit.fold_step(uuid, text, uuid) IS 'fold_step of a text that is JSON';

CREATE FUNCTION scim_audit.fold_combine(a uuid, b uuid) RETURNS uuid
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'scim_audit_fold_combine';
COMMENT ON FUNCTION scim_audit.fold_combine(uuid, uuid) IS 'The sum of two sums';

CREATE AGGREGATE scim_audit.fold(detail json, seed uuid) (
	sfunc = scim_audit.fold_step, stype = uuid, initcond = '00000000-0000-0000-0000-000000000000',
	combinefunc = scim_audit.fold_combine, parallel = safe);
COMMENT ON AGGREGATE scim_audit.fold(json, uuid) IS 'What is left of the values in detail.old and detail.new when each that came and went cancels out';

CREATE AGGREGATE scim_audit.fold_sum(part uuid) (
	sfunc = scim_audit.fold_combine, stype = uuid, initcond = '00000000-0000-0000-0000-000000000000',
	combinefunc = scim_audit.fold_combine, parallel = safe);
COMMENT ON AGGREGATE scim_audit.fold_sum(uuid) IS 'The sum of sums';

CREATE FUNCTION scim_audit.row_states(tbl regclass, part regclass) RETURNS SETOF text[]
	LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'scim_audit_row_states';
COMMENT ON FUNCTION scim_audit.row_states(regclass, regclass) IS 'resource_id, tenant and detail, as the event of its insertion into tbl would have them, of each row of part: tbl itself, or a partition';

CREATE FUNCTION scim_audit.key_before(resource_id text, detail json, keys text[]) RETURNS text
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'scim_audit_key_before';
COMMENT ON FUNCTION scim_audit.key_before(text, json, text[]) IS 'resource_id that a row had before an update of its key; null when it had none';

REVOKE ALL ON FUNCTION scim_audit.fold_step(uuid, json, uuid), scim_audit.fold_step(uuid, text, uuid), scim_audit.fold_combine(uuid, uuid),
	scim_audit.fold(json, uuid), scim_audit.fold_sum(uuid), scim_audit.row_states(regclass, regclass), scim_audit.key_before(text, json, text[]) FROM PUBLIC;
