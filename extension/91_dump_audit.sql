-- The rows of the log belong in a dump.  The partitions of events are ordinary
-- tables to pg_dump, which dumps them whole; their parent has no rows of its own.
SELECT pg_catalog.pg_extension_config_dump('scim_audit.events', '');
SELECT pg_catalog.pg_extension_config_dump('scim_audit.seals', '');
-- Without its row, personal keys would get other digests than they had.
-- CREATE EXTENSION makes the secret of cursors anew.
SELECT pg_catalog.pg_extension_config_dump('scim_audit.secrets', 'WHERE name <> ''cursor''');
-- Oids mean nothing elsewhere: the next DDL, or restored(), fills this again.
SELECT pg_catalog.pg_extension_config_dump('scim_audit.table_shapes', 'WHERE false');
-- What was published must not be forgotten; restored() opens a new origin.
SELECT pg_catalog.pg_extension_config_dump('scim_audit.log_origins', '');
SELECT pg_catalog.pg_extension_config_dump('scim_audit.log_keys', '');
SELECT pg_catalog.pg_extension_config_dump('scim_audit.checkpoints', '');
SELECT pg_catalog.pg_extension_config_dump('scim_audit.checkpoint_spans', '');
SELECT pg_catalog.pg_extension_config_dump('scim_audit.tiles', '');
SELECT pg_catalog.pg_extension_config_dump('scim_audit.checkpoint_notes', '');
