-- Who sees what, who may do what: every rule tried by the wrong role.
\set VERBOSITY terse
\pset footer off
SET client_min_messages = warning;

INSERT INTO scim.tenants (tenant) VALUES ('regress-rs-a'), ('regress-rs-b');
CREATE ROLE regress_rs_prov;
CREATE ROLE regress_rs_audit;
CREATE ROLE regress_rs_audit_all;
CREATE ROLE regress_rs_read;
CREATE ROLE regress_rs_nobody;
CREATE ROLE regress_rs_direct;
SELECT count(*) FROM (SELECT
	scim.grant_duty('regress_rs_prov', 'provisioning_admin', 'regress-rs-a'),
	scim.grant_duty('regress_rs_audit', 'auditor', 'regress-rs-a'),
	scim.grant_duty('regress_rs_audit_all', 'auditor'),
	scim.grant_duty('regress_rs_read', 'reader', 'regress-rs-a'),
	scim.grant_duty('regress_rs_direct', 'provisioning_admin', 'regress-rs-b')) AS granted;
GRANT SELECT, INSERT, UPDATE, DELETE ON scim.users, scim.groups, scim.group_members TO regress_rs_direct;

-- The same in both tenants, each in its own transaction.
INSERT INTO scim.users (tenant, user_name) VALUES ('regress-rs-a', 'ann'), ('regress-rs-a', 'bob');
INSERT INTO scim.users (tenant, user_name) VALUES ('regress-rs-b', 'ann'), ('regress-rs-b', 'eve');
INSERT INTO scim.groups (tenant, display_name) VALUES ('regress-rs-a', 'staff');
INSERT INTO scim.groups (tenant, display_name) VALUES ('regress-rs-b', 'staff');
INSERT INTO scim.group_members (tenant, group_id, member_type, member_id)
	SELECT g.tenant, g.id, 'User', u.id FROM scim.groups g JOIN scim.users u USING (tenant) WHERE tenant LIKE 'regress-rs-%';
SELECT id AS user_a FROM scim.users WHERE tenant = 'regress-rs-a' AND user_name = 'ann' \gset
SELECT tableoid::regclass AS partition FROM scim_audit.events ORDER BY tx_id DESC LIMIT 1 \gset

-- A statement's answer: done, or why not; what depends on the month is left out.
CREATE FUNCTION pg_temp.try(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
	RETURN 'done';
EXCEPTION WHEN OTHERS THEN
	RETURN regexp_replace(SQLSTATE || ' ' || SQLERRM, 'events_\d{4}_\d\d', 'PARTITION');
END $$;
CREATE TEMP TABLE log_statement (place integer, statement text);
INSERT INTO log_statement SELECT row_number() OVER (), replace(s, 'PARTITION', :'partition') FROM unnest(ARRAY[
	'SELECT count(*) FROM scim_audit.events', 'SELECT count(*) FROM PARTITION', 'SELECT count(*) FROM scim_audit.seals',
	'SELECT count(*) FROM scim_audit.log', 'SELECT count(*) FROM scim_audit.requests', 'SELECT count(*) FROM scim_audit.changes',
	'SELECT count(*) FROM scim_audit.memberships', 'SELECT count(*) FROM scim_audit.chain_status',
	'SELECT count(*) FROM scim_audit.tracked_tables', 'SELECT count(*) FROM scim_audit.duty_conflicts',
	'SELECT count(*) FROM scim_audit.verify()',
	'INSERT INTO scim_audit.events SELECT * FROM scim_audit.events LIMIT 0', 'UPDATE scim_audit.events SET tenant = NULL',
	'DELETE FROM scim_audit.events', 'TRUNCATE scim_audit.events',
	'INSERT INTO PARTITION SELECT * FROM PARTITION LIMIT 0', 'UPDATE PARTITION SET tenant = NULL', 'DELETE FROM PARTITION', 'TRUNCATE PARTITION',
	'INSERT INTO scim_audit.seals SELECT * FROM scim_audit.seals LIMIT 0', 'UPDATE scim_audit.seals SET events = 0',
	'DELETE FROM scim_audit.seals', 'TRUNCATE scim_audit.seals',
	'INSERT INTO scim_audit.log (tenant) VALUES (NULL)', 'UPDATE scim_audit.log SET tenant = NULL', 'DELETE FROM scim_audit.log',
	'DELETE FROM scim_audit.changes', 'DELETE FROM scim_audit.requests',
	'ALTER TABLE scim_audit.events DISABLE TRIGGER ALL', 'ALTER TABLE scim_audit.events DISABLE ROW LEVEL SECURITY',
	'DROP POLICY auditors ON scim_audit.events', 'CREATE POLICY mine ON scim_audit.events USING (true)',
	'CREATE TRIGGER mine BEFORE INSERT ON scim_audit.events FOR EACH ROW EXECUTE FUNCTION scim_audit.guard()',
	'SELECT scim_audit.log_event(''admin'', ''x'', ''x.y'', NULL, NULL, NULL, NULL)',
	'SELECT scim_audit.install_tracking(''scim.users'', NULL, NULL, ''{}'', ''{}'', false, false)',
	'SELECT scim_audit.remove_tracking(''scim.users'')', 'SELECT scim_audit.track(''scim.users'')', 'SELECT scim_audit.untrack(''scim.users'')',
	'SELECT scim_audit.drop_triggers(''scim.users'')', 'SELECT scim_audit.write_baseline(''scim.users'')', 'SELECT scim_audit.restored()',
	'SELECT scim_audit.row_values(''scim.users'', ROW(1))', 'SELECT scim_audit.row_states(''scim.users'', ''scim.users'')',
	'SELECT scim_audit.ensure_partitions()']) s;
CREATE TEMP TABLE identity_statement (place integer, statement text);
INSERT INTO identity_statement SELECT row_number() OVER (), s FROM unnest(ARRAY[
	'SELECT count(*) FROM scim.users', 'SELECT count(*) FROM scim.groups', 'SELECT count(*) FROM scim.group_members',
	'SELECT count(*) FROM scim.user_emails', 'SELECT count(*) FROM scim.user_passwords', 'SELECT count(*) FROM scim.duties',
	'INSERT INTO scim.users (user_name) VALUES (''x'')', 'UPDATE scim.users SET title = ''x''', 'DELETE FROM scim.users', 'TRUNCATE scim.users CASCADE',
	'INSERT INTO scim.groups (display_name) VALUES (''x'')', 'UPDATE scim.groups SET display_name = ''x''', 'DELETE FROM scim.groups',
	'DELETE FROM scim.group_members', 'UPDATE scim.user_passwords SET hash = NULL',
	'INSERT INTO scim.tenants (tenant) VALUES (''x'')', 'DELETE FROM scim.tenants',
	'SELECT scim.create_tenant(''x'')', 'SELECT scim.alter_tenant(''regress-rs-a'', ''{}'')',
	'SELECT scim.recent_requests()', 'SELECT scim.grant_duty(current_role::regrole, ''auditor'', allow_both => true)',
	'SELECT scim.revoke_duty(''regress_rs_audit'', ''auditor'', ''regress-rs-a'')',
	'SELECT scim.log_duty(''grant'', current_role::regrole, ''auditor'', NULL, false)',
	'INSERT INTO scim.duties (role_name, role_oid, duty) VALUES (current_role, current_role::regrole, ''auditor'')']) s;
GRANT SELECT ON log_statement, identity_statement TO PUBLIC;

\echo -- a provisioning administrator and the log
SET ROLE regress_rs_prov;
SELECT statement, pg_temp.try(statement) FROM log_statement WHERE statement NOT LIKE '%events_2%' ORDER BY place;
SELECT pg_temp.try(statement), count(*) FROM log_statement WHERE statement LIKE '%events_2%' GROUP BY 1 ORDER BY 1;

\echo -- an auditor and the log: reads, and nothing else
SET ROLE regress_rs_audit;
SELECT statement, pg_temp.try(statement) FROM log_statement WHERE statement NOT LIKE '%events_2%' ORDER BY place;
SELECT pg_temp.try(statement), count(*) FROM log_statement WHERE statement LIKE '%events_2%' GROUP BY 1 ORDER BY 1;

\echo -- an auditor and identities
SELECT statement, pg_temp.try(statement) FROM identity_statement ORDER BY place;

\echo -- a reader, a provisioning administrator without a grant of its own, and a role without duty
SET ROLE regress_rs_read;
SELECT pg_temp.try(statement), count(*) FROM log_statement GROUP BY 1 ORDER BY 1;
SELECT statement, pg_temp.try(statement) FROM identity_statement ORDER BY place;
SET ROLE regress_rs_prov;
SELECT pg_temp.try(statement), count(*) FROM identity_statement GROUP BY 1 ORDER BY 1;
SET ROLE regress_rs_nobody;
SELECT pg_temp.try(statement), count(*) FROM (SELECT * FROM log_statement UNION ALL SELECT * FROM identity_statement) s GROUP BY 1 ORDER BY 1;
RESET ROLE;

\echo -- each auditor sees its tenants, in the table and in every view
\set tenants 'SELECT ''events'' AS what, tenant, count(*) FROM scim_audit.events WHERE tenant LIKE ''regress-rs-%'' GROUP BY 2 UNION ALL SELECT ''log'', tenant, count(*) FROM scim_audit.log WHERE tenant LIKE ''regress-rs-%'' GROUP BY 2 UNION ALL SELECT ''changes'', tenant, count(DISTINCT event_id) FROM scim_audit.changes WHERE tenant LIKE ''regress-rs-%'' GROUP BY 2 UNION ALL SELECT ''memberships'', tenant, count(*) FROM scim_audit.memberships WHERE tenant LIKE ''regress-rs-%'' GROUP BY 2 UNION ALL SELECT ''duties'', tenant, count(*) FROM scim.duties WHERE role_name LIKE ''regress_rs_%'' GROUP BY 2 ORDER BY 1, 2;'
SET ROLE regress_rs_audit;
:tenants
SELECT DISTINCT tenant FROM scim_audit.events;
SELECT count(*) > 0 AS own_seals, bool_and(EXISTS (SELECT FROM scim_audit.events e WHERE e.tx_id = s.tx_id AND e.tenant = 'regress-rs-a')) AS only_own FROM scim_audit.seals s;
SET ROLE regress_rs_audit_all;
:tenants
SELECT count(*) > 0 AS of_no_tenant FROM scim_audit.events WHERE tenant IS NULL;
RESET ROLE;
SELECT count(*) AS seals FROM scim_audit.seals \gset
SET ROLE regress_rs_audit_all;
SELECT count(*) = :seals AS all_seals FROM scim_audit.seals;
SELECT sum(seals) = :seals AS in_chain_status FROM scim_audit.chain_status;
RESET ROLE;

\echo -- a function in a filter sees no row that its caller does not
CREATE FUNCTION pg_temp.peek(value text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS
	$$ BEGIN INSERT INTO peeked VALUES (value); RETURN true; END $$;
CREATE TEMP TABLE peeked (value text);
GRANT INSERT, SELECT ON peeked TO PUBLIC;
SET ROLE regress_rs_audit;
SELECT count(*) > 0 AS seen FROM scim_audit.events WHERE pg_temp.peek(tenant);
SELECT count(*) > 0 AS seen FROM scim_audit.log WHERE pg_temp.peek(tenant);
SELECT count(*) > 0 AS seen FROM scim_audit.changes WHERE pg_temp.peek(tenant);
SET ROLE regress_rs_read;
SELECT count(*) AS seen FROM scim.users WHERE pg_temp.peek(tenant);
SELECT count(*) AS seen FROM scim.group_members WHERE pg_temp.peek(tenant);
RESET ROLE;
SELECT DISTINCT value FROM peeked;

\echo -- a reader sees its tenant
SET ROLE regress_rs_read;
SELECT tenant, user_name FROM scim.users ORDER BY 1, 2;
SELECT tenant, display_name FROM scim.groups;
SELECT tenant, count(*) FROM scim.group_members GROUP BY 1;
SELECT tenant, count(*) FROM scim.group_memberships GROUP BY 1;
RESET ROLE;

\echo -- a direct grant writes its tenant; keys and errors betray no other
SET ROLE regress_rs_direct;
SELECT tenant, user_name FROM scim.users ORDER BY 1, 2;
INSERT INTO scim.users (user_name) VALUES ('bob');
INSERT INTO scim.users (tenant, user_name) VALUES ('regress-rs-a', 'new');
INSERT INTO scim.users (tenant, user_name) VALUES ('regress-rs-a', 'ann');
UPDATE scim.users SET tenant = 'regress-rs-a' WHERE user_name = 'eve';
UPDATE scim.users SET title = 'x' WHERE tenant = 'regress-rs-a';
DELETE FROM scim.users WHERE id = :'user_a';
INSERT INTO scim.group_members (tenant, group_id, member_type, member_id)
	SELECT 'regress-rs-b', id, 'User', :'user_a' FROM scim.groups;
UPDATE scim.users SET manager_id = :'user_a' WHERE user_name = 'eve';
RESET ROLE;
SELECT tenant, user_name, title FROM scim.users WHERE tenant LIKE 'regress-rs-%' ORDER BY 1, 2;

\echo -- by SCIM: an auditor is refused, a provisioning administrator stays in its tenant; refusals are events
SET ROLE regress_rs_audit;
SELECT a.status, a.body->>'detail' AS detail FROM scim.scim_apply('POST', '/Users', '{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "mole"}') a;
SELECT a.status FROM scim.scim_apply('DELETE', '/Users/' || :'user_a') a;
SELECT a.status FROM scim.scim_apply('GET', '/Users') a;
SET ROLE regress_rs_prov;
SELECT a.status, a.body->>'totalResults' AS total FROM scim.scim_apply('GET', '/Users') a;
SET scim_audit.tenant = 'regress-rs-b';
SELECT a.status FROM scim.scim_apply('GET', '/Users') a;
RESET scim_audit.tenant;
SET ROLE regress_rs_direct;
SELECT a.status FROM scim.scim_apply('GET', '/Users/' || :'user_a') a;
SELECT a.status FROM scim.scim_apply('PATCH', '/Users/' || :'user_a', '{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "replace", "path": "title", "value": "x"}]}') a;
SET ROLE regress_rs_nobody;
SELECT a.status FROM scim.scim_apply('GET', '/Users') a;
RESET ROLE;
SELECT effective_role, action, outcome, status FROM scim_audit.log WHERE category = 'request' AND effective_role LIKE 'regress_rs_%' ORDER BY tx_id, n;

\echo -- the owner cannot be tricked by the search_path of who calls
SET ROLE regress_rs_audit;
CREATE TEMP TABLE events (tx_id uuid);
SET search_path = pg_temp, public;
SELECT count(*) >= 0 AS answers FROM scim_audit.verify();
RESET search_path;
DROP TABLE events;
RESET ROLE;

DELETE FROM scim.group_members WHERE tenant LIKE 'regress-rs-%';
DELETE FROM scim.groups WHERE tenant LIKE 'regress-rs-%';
DELETE FROM scim.users WHERE tenant LIKE 'regress-rs-%';
REVOKE ALL ON scim.users, scim.groups, scim.group_members FROM regress_rs_direct;
SELECT count(*) FROM (SELECT scim.revoke_duty(d.role_oid, d.duty, d.tenant) FROM scim.duties d WHERE d.role_name LIKE 'regress_rs_%') AS revoked;
DROP TABLE log_statement, identity_statement, peeked;
DROP ROLE regress_rs_prov, regress_rs_audit, regress_rs_audit_all, regress_rs_read, regress_rs_nobody, regress_rs_direct;
DELETE FROM scim.tenants WHERE tenant LIKE 'regress-rs-%';
