-- The owner of the extension, once no superuser any more: all goes on.  In a
-- database of its own, because verify() looks at all of the log.
\set VERBOSITY terse
\pset footer off
SET client_min_messages = warning;
\set home :DBNAME
CREATE ROLE regress_83_owner SUPERUSER;
CREATE ROLE regress_83_other;
CREATE ROLE regress_83_auditor;
CREATE DATABASE regress_83;
\connect regress_83
SET client_min_messages = warning;
GRANT CREATE ON DATABASE regress_83 TO regress_83_owner;
SET ROLE regress_83_owner;
CREATE EXTENSION scim_audit CASCADE;
RESET ROLE;
ALTER ROLE regress_83_owner NOSUPERUSER;
CREATE TABLE public.theirs (id integer PRIMARY KEY, v text);
ALTER TABLE public.theirs OWNER TO regress_83_other;
SET ROLE regress_83_owner;
CREATE SCHEMA app;
CREATE TABLE app.item (id integer PRIMARY KEY, v text);
INSERT INTO app.item VALUES (1, 'before');

\echo -- the first event makes partitions; tables of its own are tracked and change
SELECT scim_audit.track('app.item');
INSERT INTO app.item VALUES (2, 'after');
ALTER TABLE app.item ADD COLUMN w integer DEFAULT 7;
ALTER TABLE app.item RENAME TO thing;
UPDATE app.thing SET w = 8 WHERE id = 1;
CREATE TABLE app.login (name text PRIMARY KEY);
SELECT scim_audit.track('app.login', personal_key => true);
INSERT INTO app.login VALUES ('ann');
SELECT scim_audit.untrack('app.login');
SELECT scim_audit.ensure_partitions(12) > 0 AS made;
SELECT count(DISTINCT c.relacl::text) AS privileges, bool_and(c.relrowsecurity) AS row_security FROM pg_class c WHERE c.relname LIKE 'events\_2%' AND c.relkind = 'r';

\echo -- duties, tenants, requests, registered schemas
SELECT scim.grant_duty('regress_83_owner', 'provisioning_admin'), scim.grant_duty('regress_83_auditor', 'auditor'), scim.create_tenant('t1');
SET scim_audit.tenant = 't1';
SELECT status FROM scim.scim_apply('POST', '/Users', '{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ann"}'::jsonb);
SELECT status, body -> 'totalResults' AS total FROM scim.scim_apply('GET', '/Users?filter=userName%20eq%20%22ann%22');
SELECT scim.register_schema('{"id": "urn:example:y", "name": "y", "attributes": [{"name": "a", "type": "string"}]}'::json, 'User');

\echo -- checkpoints, verify(), a tenant that goes
SELECT scim.grant_duty('regress_83_owner', 'audit_admin');
SELECT size > 0 AS checkpoint FROM scim_audit.checkpoint();
SELECT heartbeat, size > 0 AS maintained FROM scim_audit.maintain();
SELECT scim.drop_tenant('t1', 't1');
SET ROLE regress_83_auditor;
SELECT rule, message FROM scim_audit.verify();
RESET ROLE;
SET ROLE regress_83_owner;

\echo -- what is not its own it cannot put under audit
SELECT scim_audit.track('public.theirs');
RESET ROLE;
SELECT scim_audit.track('public.theirs');
SELECT event_type, resource_type, regexp_replace(resource_id, '^hmac:.*', 'hmac') AS id, effective_role FROM scim_audit.events WHERE resource_type LIKE 'app.%' AND category <> 'admin' ORDER BY tx_id, n;

\connect :home
DROP DATABASE regress_83;
DROP ROLE regress_83_owner, regress_83_other, regress_83_auditor;
