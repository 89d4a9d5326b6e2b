-- The rows are data: pg_dump must carry them.  CREATE EXTENSION makes the
-- tenant "default" itself.
SELECT pg_catalog.pg_extension_config_dump('scim.tenants', 'WHERE tenant <> ''default''');
SELECT pg_catalog.pg_extension_config_dump('scim.tenant_settings', '');
SELECT pg_catalog.pg_extension_config_dump('scim.users', '');
SELECT pg_catalog.pg_extension_config_dump('scim.groups', '');
SELECT pg_catalog.pg_extension_config_dump('scim.group_members', '');
SELECT pg_catalog.pg_extension_config_dump('scim.user_passwords', '');
SELECT pg_catalog.pg_extension_config_dump('scim.deleted_users', '');
