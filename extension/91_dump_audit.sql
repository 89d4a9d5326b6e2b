-- The rows of the log belong in a dump.  The partitions of events are ordinary
-- tables to pg_dump, which dumps them whole; their parent has no rows of its own.
SELECT pg_catalog.pg_extension_config_dump('scim_audit.events', '');
SELECT pg_catalog.pg_extension_config_dump('scim_audit.seals', '');
