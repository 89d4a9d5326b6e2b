\echo
\echo '== 1. Install, and say who may do what =='
\echo 'The roles are ours; the extension gives them duties. "directory" is what the'
\echo 'identity provider connects as, "olga" audits, "facilities" is an application.'
\echo
SET client_min_messages = warning;
\set ECHO queries
CREATE EXTENSION scim_audit CASCADE;

CREATE ROLE directory LOGIN;
CREATE ROLE facilities LOGIN;
CREATE ROLE olga LOGIN;
CREATE ROLE dba LOGIN SUPERUSER;
\set ECHO none
SELECT scim.grant_duty('directory', 'provisioning_admin', 'default'),
       scim.grant_duty('facilities', 'provisioning_admin', 'default'),
       scim.grant_duty('facilities', 'reader', 'default'),
       scim.grant_duty('olga', 'auditor', 'default') \g /dev/null
\echo
\echo 'SELECT scim.grant_duty(''directory'', ''provisioning_admin'', ''default''), …;'
\echo
\set ECHO queries
SELECT role_name, duty, tenant FROM scim.duties ORDER BY 1, 2;
\set ECHO none
