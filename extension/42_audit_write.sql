-- Writing the log: the triggers that write events, the guards that let nobody
-- else, the partitions.

-- Arguments, name=value each (src/pg/tracked.h):
--   resource=TYPE   the table keeps resources of this SCIM type
--   link=ATTRIBUTE  with resource: it keeps this attribute, a row per value
--   tenant=COLUMN   the row's tenant
--   key=COLUMN      part of the row's key, repeatable; default the primary key
--   exclude=COLUMN  not in the log, repeatable
--   redact=COLUMN   in the log without its value, repeatable
-- Both triggers of a table take the same.
CREATE FUNCTION scim_audit.record_change() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME', 'scim_audit_record_change';
COMMENT ON FUNCTION scim_audit.record_change() IS 'AFTER ROW trigger: writes an audit event for the changed row';

CREATE FUNCTION scim_audit.record_truncate() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME', 'scim_audit_record_truncate';
COMMENT ON FUNCTION scim_audit.record_truncate() IS 'BEFORE TRUNCATE trigger: writes an audit event for each tenant that has rows';

CREATE FUNCTION scim_audit.row_values(tbl regclass, r record) RETURNS json
	LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'scim_audit_row_values';
COMMENT ON FUNCTION scim_audit.row_values(regclass, record) IS 'The row as the audit event of its insertion would have it in detail.new';

CREATE FUNCTION scim_audit.ensure_partitions(months_ahead integer DEFAULT 3) RETURNS integer
	LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'scim_audit_ensure_partitions';
COMMENT ON FUNCTION scim_audit.ensure_partitions(integer) IS 'Makes the partitions of this month and the months ahead that are missing; returns how many it made';

CREATE FUNCTION scim_audit.guard() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME', 'scim_audit_guard';
COMMENT ON FUNCTION scim_audit.guard() IS 'BEFORE trigger on the tables of the log: refuses every change by SQL';

CREATE FUNCTION scim_audit.drop_guard() RETURNS event_trigger
	LANGUAGE c AS 'MODULE_PATHNAME', 'scim_audit_drop_guard';
COMMENT ON FUNCTION scim_audit.drop_guard() IS 'Loads the library, which refuses to drop the log while it holds events, and refuses to detach a partition of it';

-- record_change() is PUBLIC's, for the owner of an audited table who gives it a
-- partition; triggers of it are made by track() only (src/pg/guard.c).
REVOKE ALL ON FUNCTION scim_audit.record_truncate(),
	scim_audit.row_values(regclass, record), scim_audit.ensure_partitions(integer),
	scim_audit.guard(), scim_audit.drop_guard() FROM PUBLIC;

-- Row guards of events are cloned to its partitions; each gets its own guard
-- against TRUNCATE when it is made.  ALWAYS: session_replication_role changes
-- nothing.
CREATE TRIGGER guard_row BEFORE INSERT OR UPDATE OR DELETE ON scim_audit.events
	FOR EACH ROW EXECUTE FUNCTION scim_audit.guard();
CREATE TRIGGER guard_truncate BEFORE TRUNCATE ON scim_audit.events
	FOR EACH STATEMENT EXECUTE FUNCTION scim_audit.guard();
CREATE TRIGGER guard_row BEFORE INSERT OR UPDATE OR DELETE ON scim_audit.seals
	FOR EACH ROW EXECUTE FUNCTION scim_audit.guard();
CREATE TRIGGER guard_truncate BEFORE TRUNCATE ON scim_audit.seals
	FOR EACH STATEMENT EXECUTE FUNCTION scim_audit.guard();
ALTER TABLE scim_audit.events ENABLE ALWAYS TRIGGER guard_row;
ALTER TABLE scim_audit.events ENABLE ALWAYS TRIGGER guard_truncate;
ALTER TABLE scim_audit.seals ENABLE ALWAYS TRIGGER guard_row;
ALTER TABLE scim_audit.seals ENABLE ALWAYS TRIGGER guard_truncate;

CREATE EVENT TRIGGER scim_audit_drop_guard ON ddl_command_start
	WHEN TAG IN ('ALTER TABLE', 'DROP EXTENSION', 'DROP OWNED', 'DROP SCHEMA', 'DROP TABLE')
	EXECUTE FUNCTION scim_audit.drop_guard();
ALTER EVENT TRIGGER scim_audit_drop_guard ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER scim_audit_drop_guard IS 'Refuses to drop the audit log, or to detach a partition of it, while it holds events (scim_audit.allow_drop)';

CREATE TRIGGER guard_row BEFORE UPDATE OR DELETE ON scim_audit.secrets
	FOR EACH ROW EXECUTE FUNCTION scim_audit.guard();
CREATE TRIGGER guard_truncate BEFORE TRUNCATE ON scim_audit.secrets
	FOR EACH STATEMENT EXECUTE FUNCTION scim_audit.guard();
ALTER TABLE scim_audit.secrets ENABLE ALWAYS TRIGGER guard_row;
ALTER TABLE scim_audit.secrets ENABLE ALWAYS TRIGGER guard_truncate;

-- For who may look for the events of a person by the plain key.
CREATE FUNCTION scim_audit.key_digest(key text) RETURNS text
	LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'scim_audit_key_digest_sql';
COMMENT ON FUNCTION scim_audit.key_digest(text) IS 'resource_id of the events of a row with this personal key; null when no table has personal keys';
REVOKE ALL ON FUNCTION scim_audit.key_digest(text) FROM PUBLIC;
