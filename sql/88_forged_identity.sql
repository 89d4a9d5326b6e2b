-- Who acted is what PostgreSQL knows of the session, whatever it claims, and
-- however it got to its role
\set VERBOSITY terse
\set QUIET on
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
SELECT clock_timestamp() AS began \gset
SELECT scim.create_tenant('regress-88a'), scim.create_tenant('regress-88b');
CREATE ROLE regress_88_login;
CREATE ROLE regress_88_prov;
CREATE ROLE regress_88_other;
CREATE ROLE regress_88_audit;
CREATE ROLE regress_88_read;
CREATE ROLE regress_88_super SUPERUSER;
GRANT regress_88_prov, regress_88_other TO regress_88_login;
SELECT scim.grant_duty('regress_88_prov', 'provisioning_admin', 'regress-88a'), scim.grant_duty('regress_88_audit', 'auditor', 'regress-88a'), scim.grant_duty('regress_88_read', 'reader', 'regress-88a');
GRANT USAGE ON SCHEMA scim TO regress_88_other;
GRANT EXECUTE ON FUNCTION scim.scim_apply(text, text, jsonb, jsonb) TO regress_88_other;
-- A SCIM call that creates a user, and what it answers.
CREATE FUNCTION pg_temp.create(name text) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', a.status, a.body ->> 'detail') FROM scim.scim_apply('POST', '/Users', jsonb_build_object('schemas', '["urn:ietf:params:scim:schemas:core:2.0:User"]'::jsonb, 'userName', name)) a $$;
-- What the log says since it was asked last.
CREATE TEMP TABLE seen (tx_id uuid, n int);
INSERT INTO seen SELECT tx_id, n FROM scim_audit.events;
CREATE FUNCTION pg_temp.log() RETURNS SETOF text LANGUAGE sql SECURITY DEFINER AS $$
	WITH news AS (INSERT INTO pg_temp.seen SELECT tx_id, n FROM scim_audit.events EXCEPT SELECT tx_id, n FROM pg_temp.seen RETURNING *)
	SELECT concat_ws(' ', e.event_type, e.outcome, 'actor=' || e.actor, 'session=' || replace(e.session_role, current_user, 'OWNER'), 'effective=' || replace(e.effective_role, current_user, 'OWNER'), e.tenant, 'claimed=' || (e.detail ->> 'actor_claimed'))
	FROM scim_audit.events e JOIN news USING (tx_id, n) WHERE e.actor LIKE 'regress\_88%' OR e.session_role LIKE 'regress\_88%' ORDER BY e.tx_id, e.n $$;

\echo -- settings forged: recorded as claimed, or not at all
SET SESSION AUTHORIZATION regress_88_login;
SET scim_audit.actor = 'root';
SET scim_audit.on_behalf_of = 'the board';
SET scim_audit.tenant = 'regress-88a';
SET request.jwt.claims = '{"role": "postgres", "sub": "admin", "tenant": "regress-88b"}';
SET request.headers = '{"x-scim-tenant": "regress-88b", "x-scim-actor": "admin", "authorization": "Bearer x"}';
SET application_name = 'postgres';
SELECT pg_temp.create('forged settings');
SET scim_audit.tenant = 'regress-88b';
SELECT pg_temp.create('forged tenant');
SET scim_audit.tenant = 'regress-88a'' OR true --';
SELECT pg_temp.create('forged tenant');
RESET scim_audit.tenant;
SET scim_audit.effective_role = 'x';
SET scim_audit.trusted_authenticators = 'regress_88_login';
SET scim_audit.log_reads = 'none';
SET ROLE regress_88_super;
SELECT set_config('role', 'regress_88_super', false);
RESET scim_audit.actor;
RESET scim_audit.on_behalf_of;
RESET application_name;
SELECT pg_temp.log();

\echo -- SET ROLE, SET LOCAL ROLE, set_config: the role in force, and who had logged in
SET ROLE regress_88_prov;
SELECT pg_temp.create('set role');
BEGIN;
SET LOCAL ROLE regress_88_other;
SELECT pg_temp.create('set local role to one without duty');
SAVEPOINT s;
SET LOCAL ROLE regress_88_prov;
SELECT pg_temp.create('in a savepoint');
ROLLBACK TO s;
SELECT pg_temp.create('after the savepoint');
COMMIT;
SELECT current_user, pg_temp.create('after the transaction');
RESET ROLE;
SELECT set_config('role', 'regress_88_prov', false), pg_temp.create('in the same statement');
RESET ROLE;
SELECT pg_temp.log();

\echo -- SECURITY DEFINER lends no duty and hides no caller; nor do a function with SET role, or a view
RESET SESSION AUTHORIZATION;
CREATE SCHEMA regress_88;
GRANT USAGE ON SCHEMA regress_88 TO PUBLIC;
GRANT CREATE ON SCHEMA regress_88 TO regress_88_prov, regress_88_login;
GRANT SELECT, INSERT, UPDATE ON scim.users TO regress_88_prov;
SET ROLE regress_88_prov;
CREATE FUNCTION regress_88.lend(name text) RETURNS text LANGUAGE sql SECURITY DEFINER AS $$
	SELECT concat_ws(' ', current_user, a.status, a.body ->> 'detail') FROM scim.scim_apply('POST', '/Users', jsonb_build_object('schemas', '["urn:ietf:params:scim:schemas:core:2.0:User"]'::jsonb, 'userName', name)) a $$;
CREATE FUNCTION regress_88.lend_table(name text) RETURNS text LANGUAGE sql SECURITY DEFINER AS $$ INSERT INTO scim.users (tenant, user_name) VALUES ('regress-88a', name) RETURNING current_user $$;
CREATE FUNCTION regress_88.lend_log() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS $$ SELECT count(*) FROM scim.recent_requests(1000) $$;
CREATE VIEW regress_88.people AS SELECT user_name FROM scim.users;
GRANT SELECT ON regress_88.people TO PUBLIC;
SET SESSION AUTHORIZATION regress_88_other;
SELECT regress_88.lend('definer');
SELECT regress_88.lend_table('definer writes the table');
SELECT regress_88.lend_log();
SELECT count(*) FROM regress_88.people;
SET SESSION AUTHORIZATION regress_88_login;
CREATE FUNCTION regress_88.switch(name text) RETURNS text LANGUAGE sql SET role = 'regress_88_prov' AS $$ SELECT regress_88.lend(name) $$;
SELECT current_user, regress_88.switch('function with SET role');
CREATE FUNCTION regress_88.escape() RETURNS text LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN PERFORM set_config('role', 'regress_88_other', true); RETURN current_user; END $$;
SELECT regress_88.escape();
RESET SESSION AUTHORIZATION;
SELECT pg_temp.log();

\echo -- a trigger on our table runs as the owner of the table: it cannot switch, and what it does is done by the caller
CREATE FUNCTION regress_88.trigger() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.user_name = 'trigger switches' THEN
		PERFORM set_config('role', 'regress_88_other', true);
	ELSIF NEW.user_name = 'trigger calls' THEN
		PERFORM scim.scim_apply('POST', '/Groups', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "made by a trigger"}'::text);
	ELSIF NEW.user_name = 'trigger nests' THEN
		BEGIN
			PERFORM scim.scim_apply('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "trigger switches"}'::text);
		EXCEPTION WHEN OTHERS THEN
			RAISE WARNING 'caught: %', SQLERRM;
		END;
	END IF;
	RETURN NULL;
END $$;
CREATE TRIGGER regress_88 AFTER INSERT ON scim.users FOR EACH ROW EXECUTE FUNCTION regress_88.trigger();
SET SESSION AUTHORIZATION regress_88_login;
SET ROLE regress_88_prov;
SELECT pg_temp.create('trigger switches');
SELECT pg_temp.create('trigger calls');
SELECT pg_temp.create('trigger nests');
SELECT current_user;
RESET SESSION AUTHORIZATION;
DROP TRIGGER regress_88 ON scim.users;
SELECT pg_temp.log();

\echo -- NOINHERIT: nothing until SET ROLE; a membership granted or taken in the session counts at once
CREATE ROLE regress_88_noinherit NOINHERIT IN ROLE regress_88_prov;
GRANT USAGE ON SCHEMA scim TO regress_88_noinherit;
GRANT EXECUTE ON FUNCTION scim.scim_apply(text, text, jsonb, jsonb) TO regress_88_noinherit;
SET SESSION AUTHORIZATION regress_88_noinherit;
SELECT pg_temp.create('not inherited');
SET ROLE regress_88_prov;
SELECT pg_temp.create('after set role');
RESET SESSION AUTHORIZATION;
BEGIN;
SET LOCAL ROLE regress_88_other;
SELECT pg_temp.create('before the membership');
RESET ROLE;
GRANT regress_88_prov TO regress_88_other;
SET LOCAL ROLE regress_88_other;
SELECT pg_temp.create('with the membership');
RESET ROLE;
REVOKE regress_88_prov FROM regress_88_other;
SET LOCAL ROLE regress_88_other;
SELECT pg_temp.create('without it');
COMMIT;
SELECT pg_temp.log();

\echo -- both duties void each other, by memberships too; a superuser stands outside and is reported
GRANT regress_88_audit TO regress_88_login;
SET SESSION AUTHORIZATION regress_88_login;
SELECT pg_temp.create('with both duties');
SELECT count(*) FROM scim_audit.events;
SET ROLE regress_88_prov;
SELECT pg_temp.create('as the one'), (SELECT state FROM scim_audit.duty_conflicts LIMIT 1);
SELECT pg_temp.create('as the one');
RESET SESSION AUTHORIZATION;
SELECT role_name, tenant, state FROM scim_audit.duty_conflicts WHERE role_name IN ('regress_88_login', 'regress_88_super');
REVOKE regress_88_audit FROM regress_88_login;
SELECT scim.grant_duty('regress_88_super', 'auditor', 'regress-88a');
SET SESSION AUTHORIZATION regress_88_super;
SET scim_audit.tenant = 'regress-88b';
SELECT pg_temp.create('by a superuser');
RESET scim_audit.tenant;
RESET SESSION AUTHORIZATION;
SELECT pg_temp.log();

\echo -- a role renamed, dropped and made again, or with another oid, holds nothing
SET ROLE regress_88_read;
SELECT count(*) > 0 FROM scim.users;
RESET ROLE;
ALTER ROLE regress_88_read RENAME TO regress_88_was;
CREATE ROLE regress_88_read;
GRANT USAGE ON SCHEMA scim TO regress_88_read;
GRANT SELECT ON scim.users TO regress_88_read;
SET ROLE regress_88_read;
SELECT count(*) FROM scim.users;
SET ROLE regress_88_was;
SELECT count(*) FROM scim.users;
RESET ROLE;
UPDATE scim.duties SET role_oid = 'regress_88_other'::regrole WHERE role_name = 'regress_88_read';
GRANT SELECT ON scim.users TO regress_88_other;
SET ROLE regress_88_other;
SELECT count(*) FROM scim.users;
RESET ROLE;
SELECT scim.grant_duty('regress_88_read', 'reader', 'regress-88a');
SET ROLE regress_88_read;
SELECT count(*) > 0 FROM scim.users;
RESET ROLE;
SELECT role_name, duty FROM scim.duties WHERE role_name LIKE 'regress\_88%' ORDER BY 1, 2;

\echo -- what silences triggers works for a superuser's session only, though a SCIM call works as the owner of the tables
SELECT format('ALTER DATABASE %I SET scim_audit.restore = on', current_database()) \gexec
\connect
SET client_min_messages = warning;
SET SESSION AUTHORIZATION regress_88_prov;
SHOW scim_audit.restore;
SELECT status FROM scim.scim_apply('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "in silence"}'::text);
UPDATE scim.users SET title = 'in silence', version = 77 WHERE user_name = 'in silence';
RESET SESSION AUTHORIZATION;
SELECT format('ALTER DATABASE %I RESET scim_audit.restore', current_database()) \gexec
\connect
SET client_min_messages = warning;
SELECT event_type, effective_role FROM scim_audit.events WHERE category = 'change' AND detail ->> 'resource_name' = 'in silence' ORDER BY tx_id, n;
SELECT version FROM scim.users WHERE user_name = 'in silence';

\echo -- a duty revoked in the same transaction
CREATE ROLE regress_88_gone;
SELECT scim.grant_duty('regress_88_gone', 'provisioning_admin', 'regress-88a');
BEGIN;
SET LOCAL ROLE regress_88_gone;
SELECT status FROM scim.scim_apply('GET', '/Users?count=0');
RESET ROLE;
SELECT scim.revoke_duty('regress_88_gone', 'provisioning_admin', 'regress-88a');
SET LOCAL ROLE regress_88_gone;
SELECT status FROM scim.scim_apply('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "revoked"}'::text);
ROLLBACK;
SELECT scim.revoke_duty('regress_88_gone', 'provisioning_admin', 'regress-88a');
DROP ROLE regress_88_gone;

SELECT rule, message FROM scim_audit.verify(:'began');
DELETE FROM scim.groups WHERE tenant LIKE 'regress-88_';
DELETE FROM scim.users WHERE tenant LIKE 'regress-88_';
SELECT count(*) FROM (SELECT scim.revoke_duty(d.role_oid, d.duty, d.tenant) FROM scim.duties d WHERE d.role_name LIKE 'regress\_88%') revoked;
DROP SCHEMA regress_88 CASCADE;
DROP OWNED BY regress_88_prov, regress_88_other, regress_88_read, regress_88_was, regress_88_noinherit;
DROP ROLE regress_88_login, regress_88_noinherit, regress_88_prov, regress_88_other, regress_88_audit, regress_88_read, regress_88_was, regress_88_super;
DELETE FROM scim.tenants WHERE tenant LIKE 'regress-88_';
