-- Who may do what is under audit too: tenants, their settings and duties, by
-- whatever way they are written; and what is audited changes only with an
-- event that says what.  In a database of its own, because verify() looks at
-- all of the log.
\set VERBOSITY terse
\pset footer off
SET client_min_messages = warning;
\set home :DBNAME
CREATE ROLE regress_adm;
CREATE DATABASE regress_administration;
\connect regress_administration
SET client_min_messages = warning;
CREATE EXTENSION scim_audit CASCADE;

\echo -- CREATE EXTENSION is no event, and the tenant it makes no finding
SELECT count(*) FROM scim_audit.events;
SELECT tenant FROM scim.tenants;
SELECT * FROM scim_audit.verify();

\echo -- by the functions, each with its own event beside
SELECT scim.create_tenant('a', settings => '{"password": "hash"}');
SELECT scim.alter_tenant('a', '{"password": "discard"}');
SELECT scim.alter_tenant('default', '{"password": "hash"}');
SELECT scim.grant_duty('regress_adm', 'auditor', 'a');
SELECT scim.grant_duty('regress_adm', 'reader');
SELECT scim.revoke_duty('regress_adm', 'reader');

\echo -- and by hand
INSERT INTO scim.tenants (tenant) VALUES ('b');
INSERT INTO scim.tenant_settings (tenant, base_url) VALUES ('b', 'https://b.example/scim/v2');
UPDATE scim.duties SET allow_both = true;
INSERT INTO scim.duties (role_name, role_oid, duty) VALUES ('regress_adm', 'regress_adm'::regrole::oid, 'provisioning_admin');
DELETE FROM scim.duties WHERE duty = 'auditor';
DELETE FROM scim.tenants WHERE tenant = 'b';
TRUNCATE scim.duties;
SELECT category, event_type, tenant, resource_type, replace(resource_id, 'regress_adm'::regrole::oid::text, 'OID') AS resource_id, changed
	FROM scim_audit.events WHERE event_type <> 'log.verify' ORDER BY tx_id, n;
SELECT * FROM scim_audit.verify();

\echo -- past the triggers, verify() says so; not of the tenant "default"
SELECT scim.grant_duty('regress_adm', 'auditor', 'a');
ALTER TABLE scim.duties DISABLE TRIGGER scim_audit_row;
ALTER TABLE scim.tenants DISABLE TRIGGER scim_audit_row;
ALTER TABLE scim.tenant_settings DISABLE TRIGGER scim_audit_row;
UPDATE scim.duties SET tenant = NULL;
INSERT INTO scim.tenants (tenant) VALUES ('c');
UPDATE scim.tenants SET created = '2001-01-01' WHERE tenant = 'default';
UPDATE scim.tenant_settings SET password = 'discard' WHERE tenant = 'default';
SELECT rule, replace(message, 'regress_adm'::regrole::oid::text, 'OID') AS message FROM scim_audit.verify() ORDER BY message;
ALTER TABLE scim.duties ENABLE ALWAYS TRIGGER scim_audit_row;
ALTER TABLE scim.tenants ENABLE ALWAYS TRIGGER scim_audit_row;
ALTER TABLE scim.tenant_settings ENABLE ALWAYS TRIGGER scim_audit_row;

\connect :home
DROP DATABASE regress_administration;
CREATE DATABASE regress_administration;
\connect regress_administration
SET client_min_messages = warning;
CREATE EXTENSION scim_audit CASCADE;
CREATE TABLE item (id integer PRIMARY KEY);
CREATE TABLE other (id integer PRIMARY KEY);
\set found 'SELECT v.rule, (SELECT string_agg(e.event_type, \',\' ORDER BY e.n) FROM scim_audit.events e WHERE e.tx_id = v.tx_id) AS first_sealed_with FROM scim_audit.verify() v WHERE v.rule = \'config_changed\' ORDER BY v.seq;'

\echo -- what an explained change says
SELECT scim_audit.track('item');
SELECT scim_audit.track('item', exclude => '{}', baseline => false);
SELECT scim_audit.untrack('item');
SELECT event_type, action, resource_type, detail->'arguments' AS arguments, detail->'config_removed' AS removed, detail->'config_added' AS added,
	detail->>'config_before' = lag(detail->>'config_after') OVER w AS follows,
	detail->>'config_after' = (SELECT encode(s.config_hash, 'hex') FROM scim_audit.seals s WHERE s.tx_id = e.tx_id) AS sealed
	FROM scim_audit.events e WHERE category = 'admin' WINDOW w AS (ORDER BY tx_id, n) ORDER BY tx_id, n;
:found

\echo -- nothing else hides behind it: before it, with it or after it
\set put_back 'SELECT count(*) FROM scim_audit.restored();'
ALTER TABLE scim.users DISABLE TRIGGER scim_audit_row;
SELECT scim_audit.track('item');
:found
ALTER TABLE scim.users ENABLE ALWAYS TRIGGER scim_audit_row;
:put_back
BEGIN;
ALTER TABLE scim.groups DISABLE TRIGGER scim_audit_row;
SELECT scim_audit.untrack('item');
COMMIT;
:found
ALTER TABLE scim.groups ENABLE ALWAYS TRIGGER scim_audit_row;
:put_back
BEGIN;
SELECT scim_audit.track('item');
ALTER TABLE scim.duties DISABLE TRIGGER scim_audit_row;
COMMIT;
:found
ALTER TABLE scim.duties ENABLE ALWAYS TRIGGER scim_audit_row;
:put_back
-- Two events do not vouch for each other: the one disabled is one finding.
ALTER TABLE scim.tenants DISABLE TRIGGER scim_audit_row;
SELECT scim_audit.track('item');
SELECT scim_audit.track('item');
:found
ALTER TABLE scim.tenants ENABLE ALWAYS TRIGGER scim_audit_row;
:put_back
:found

\echo -- conditions: a trigger that fires sometimes, or for some columns; a function with settings of its own
BEGIN;
ALTER EVENT TRIGGER scim_audit_schema_end DISABLE;
CREATE OR REPLACE TRIGGER scim_audit_row AFTER INSERT OR UPDATE OR DELETE ON other FOR EACH ROW WHEN (current_user <> 'eve') EXECUTE FUNCTION scim_audit.record_change();
ALTER TABLE other ENABLE ALWAYS TRIGGER scim_audit_row;
ALTER EVENT TRIGGER scim_audit_schema_end ENABLE ALWAYS;
COMMIT;
:put_back
BEGIN;
ALTER EVENT TRIGGER scim_audit_schema_end DISABLE;
CREATE OR REPLACE TRIGGER scim_audit_row AFTER INSERT OR UPDATE OR DELETE ON other FOR EACH ROW WHEN (false) EXECUTE FUNCTION scim_audit.record_change();
ALTER TABLE other ENABLE ALWAYS TRIGGER scim_audit_row;
ALTER EVENT TRIGGER scim_audit_schema_end ENABLE ALWAYS;
COMMIT;
INSERT INTO other VALUES (1);
DELETE FROM other;
SELECT scim_audit.track('item');
:found
:put_back
BEGIN;
ALTER EVENT TRIGGER scim_audit_schema_end DISABLE;
CREATE OR REPLACE TRIGGER scim_audit_row AFTER INSERT OR UPDATE OF id OR DELETE ON other FOR EACH ROW EXECUTE FUNCTION scim_audit.record_change();
ALTER TABLE other ENABLE ALWAYS TRIGGER scim_audit_row;
ALTER EVENT TRIGGER scim_audit_schema_end ENABLE ALWAYS;
COMMIT;
SELECT scim_audit.track('item');
:found
DROP TRIGGER scim_audit_row ON other;
:put_back
ALTER FUNCTION scim_audit.record_change() SET scim_audit.restore = on;
SELECT scim_audit.track('item');
:found
ALTER FUNCTION scim_audit.record_change() RESET scim_audit.restore;
:put_back
:found
SELECT scim_audit.untrack('item');

\echo -- several in one transaction, some rolled back; an upgrade that changes triggers
BEGIN;
SELECT scim_audit.track('item');
SELECT scim_audit.track('other');
SAVEPOINT s;
SELECT scim_audit.untrack('other');
ROLLBACK TO s;
SELECT scim_audit.untrack('item');
COMMIT;
BEGIN;
SELECT scim_audit.change_config();
ALTER TABLE other DISABLE TRIGGER scim_audit_row;
SELECT scim_audit.config_changed('upgrade', 'log.upgrade', NULL, '{"from":"1.0","to":"1.1"}');
COMMIT;
SELECT detail->'from' AS from, detail->'to' AS to, detail->'config_added' AS added FROM scim_audit.events WHERE event_type = 'log.upgrade';
SELECT scim_audit.config_changed('upgrade', 'log.upgrade', NULL, NULL);
:found
\connect :home
DROP DATABASE regress_administration;
DROP ROLE regress_adm;
