-- Duties are data: pg_dump must carry them.  In another cluster the oids of
-- the roles differ, so that restored duties grant nothing until they are
-- granted again.
SELECT pg_catalog.pg_extension_config_dump('scim.duties', '');
