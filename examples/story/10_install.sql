\echo
\echo '== 1. Install, and say who may do what =='
\echo 'Roles are yours; the extension gives them duties. "directory" is what the identity'
\echo 'provider connects as, "facilities" is an application, "olga" is the auditor.'
\echo
SET client_min_messages = warning;
\set ECHO queries
CREATE EXTENSION scim_audit CASCADE;
\echo
CREATE ROLE directory LOGIN;
CREATE ROLE facilities LOGIN;
CREATE ROLE olga LOGIN;
CREATE ROLE dba LOGIN SUPERUSER;
\echo
\o /dev/null
SELECT scim.grant_duty('directory', 'provisioning_admin', 'default'),
       scim.grant_duty('facilities', 'provisioning_admin', 'default'),
       scim.grant_duty('facilities', 'reader', 'default'),
       scim.grant_duty('olga', 'auditor', 'default');
\o
\echo
SELECT role_name, duty, tenant FROM scim.duties ORDER BY 1, 2;
\set ECHO none
