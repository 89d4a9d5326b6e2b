-- What the audit of tables remembers about itself.

-- Not part of the log, and nobody's to read: with the secret, digests of keys
-- can be guessed.  Without it, the digests in the log could not be made again:
-- a dump carries it.  That row is made by the first track() that needs it.  Cursors live
-- for an hour: theirs is new in each database.
CREATE TABLE scim_audit.secrets (
	name   text PRIMARY KEY CHECK (name = 'personal_key' OR name = 'cursor'),
	secret bytea NOT NULL CHECK (pg_catalog.length(secret) = 32)
);
COMMENT ON TABLE scim_audit.secrets IS 'Keys of keyed digests: those that stand for personal keys (scim_audit.track), and those of cursors (RFC 9865); never granted to anyone';
COMMENT ON COLUMN scim_audit.secrets.name IS 'What it is for';
COMMENT ON COLUMN scim_audit.secrets.secret IS '32 random bytes';
INSERT INTO scim_audit.secrets VALUES ('cursor', pg_catalog.sha256(pg_catalog.uuid_send(pg_catalog.gen_random_uuid()) OPERATOR(pg_catalog.||) pg_catalog.uuid_send(pg_catalog.gen_random_uuid())));
REVOKE ALL ON TABLE scim_audit.secrets FROM PUBLIC;
-- track() makes the row, as the owner, who need be no superuser; guards refuse to change it.
REVOKE SELECT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER ON TABLE scim_audit.secrets FROM CURRENT_USER;

-- Each audited table as the log knows it; what DDL makes of it is compared
-- with this (46_schema_changes.sql).  By oid, so of this database only.
CREATE TABLE scim_audit.table_shapes (
	relation oid PRIMARY KEY,
	shape    jsonb NOT NULL,
	config   text[] NOT NULL
);
COMMENT ON TABLE scim_audit.table_shapes IS 'Audited tables as they were when the log last said so: names, columns, types, partitions, states of triggers';
COMMENT ON COLUMN scim_audit.table_shapes.relation IS 'The table';
COMMENT ON COLUMN scim_audit.table_shapes.shape IS 'What scim_audit.table_shape() says of it';
COMMENT ON COLUMN scim_audit.table_shapes.config IS 'Its lines in the configuration whose digest the seals carry';
REVOKE ALL ON TABLE scim_audit.table_shapes FROM PUBLIC;
REVOKE TRUNCATE, REFERENCES, TRIGGER ON TABLE scim_audit.table_shapes FROM CURRENT_USER;
