-- Whatever stands in the way is not called: operators, functions, aggregates,
-- types and tables of an attacker, when the extension is made, by every
-- function, trigger, view, policy and default of it, and by maintenance
\set VERBOSITY terse
\set QUIET on
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
SELECT current_database() AS home \gset
CREATE ROLE regress_87_attacker;
CREATE DATABASE regress_87 TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C';
\c regress_87
SET client_min_messages = warning;
CREATE SCHEMA trap AUTHORIZATION regress_87_attacker;
SET ROLE regress_87_attacker;
-- Traps for all that our SQL could mean, for every two of the types it uses:
-- also where pg_catalog has none of these types, for what fits exactly wins.
DO $$
DECLARE
	types text[] := '{text,name,uuid,json,jsonb,bigint,integer,boolean,oid,regclass,regprocedure,"char",timestamptz,text[],name[],bytea}';
	op text;
	l text;
	r text;
	f record;
BEGIN
	FOREACH op IN ARRAY '{=,<>,<,<=,>,>=,~,~~,!~~,@>,->,->>,#>,#>>,?,||,+,-}'::text[] LOOP
		FOREACH l IN ARRAY types LOOP
			FOREACH r IN ARRAY types LOOP
				EXECUTE format($f$CREATE FUNCTION trap.%I(%s, %s) RETURNS %s LANGUAGE plpgsql AS $b$ BEGIN RAISE WARNING 'caught %% %% %%', %L, %L, %L; RETURN NULL; END $b$ $f$,
					'op' || md5(op || l || r), l, r, CASE WHEN op IN ('->', '#>') THEN l WHEN op IN ('->>', '#>>', '||', '-', '+') THEN 'text' ELSE 'boolean' END, l, op, r);
				EXECUTE format('CREATE OPERATOR trap.%s (FUNCTION = trap.%I, LEFTARG = %s, RIGHTARG = %s)', op, 'op' || md5(op || l || r), l, r);
			END LOOP;
		END LOOP;
	END LOOP;
	-- Functions of pg_catalog under their names, and what only polymorphism reaches there.
	FOR f IN SELECT p.proname, a.args FROM
			(SELECT DISTINCT proname FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace AND proname IN ('lower', 'btrim', 'rtrim', 'substr', 'coalesce', 'now', 'format', 'unnest',
				'cardinality', 'current_setting', 'set_config', 'quote_literal', 'quote_ident', 'pg_has_role', 'to_regclass', 'to_regprocedure', 'to_json', 'to_jsonb', 'jsonb_array_elements', 'json_each',
				'jsonb_each_text', 'jsonb_object_keys', 'jsonb_typeof', 'regexp_matches', 'regexp_split_to_array', 'clock_timestamp', 'array_length', 'aclexplode', 'acldefault', 'pg_get_userbyid')) p,
			(VALUES ('text'), ('name'), ('json'), ('jsonb'), ('text[]'), ('name[]'), ('oid'), ('text, text'), ('text, boolean'), ('text, integer'), ('oid, oid, text'), ('name, oid, text')) a(args)
	LOOP
		EXECUTE format($f$CREATE FUNCTION trap.%I(%s) RETURNS text LANGUAGE plpgsql AS $b$ BEGIN RAISE WARNING 'caught %%', %L; RETURN NULL; END $b$ $f$, f.proname, f.args, f.proname);
	END LOOP;
	CREATE FUNCTION trap.step(text, anyelement) RETURNS text LANGUAGE plpgsql AS $b$ BEGIN RAISE WARNING 'caught an aggregate'; RETURN NULL; END $b$;
	FOR f IN SELECT a.name, t FROM unnest('{lag,lead,max,min,bool_or,string_agg}'::text[]) a(name), unnest(types) t LOOP
		EXECUTE format('CREATE AGGREGATE trap.%I(%s) (sfunc = trap.step, stype = text)', f.name, f.t);
	END LOOP;
END $$;
SELECT count(*) > 4000 FROM pg_operator WHERE oprnamespace = 'trap'::regnamespace;
CREATE DOMAIN trap.text AS pg_catalog.text;
CREATE DOMAIN trap.uuid AS pg_catalog.uuid;
CREATE DOMAIN trap.regclass AS pg_catalog.regclass;
CREATE TABLE trap.pg_trigger (oid oid, tgrelid oid, tgfoid oid, tgname name, tgenabled "char", tgparentid oid);
CREATE TABLE trap.events (tx_id pg_catalog.uuid);
CREATE TABLE trap.users (tenant pg_catalog.text, id pg_catalog.uuid);
RESET ROLE;
ALTER DATABASE regress_87 SET search_path = trap, public;
\c regress_87
SET client_min_messages = warning;
\echo -- the traps work:
SELECT '{"a": 1}'::json -> '1', 'x'::pg_catalog.text || 1;
\echo -- CREATE EXTENSION, and nothing of it leads to the traps
CREATE EXTENSION scim_audit CASCADE;
SELECT pg_describe_object(d.classid, d.objid, d.objsubid), pg_describe_object(d.refclassid, d.refobjid, d.refobjsubid)
	FROM pg_depend d, pg_identify_object(d.classid, d.objid, d.objsubid) o, pg_identify_object(d.refclassid, d.refobjid, d.refobjsubid) r
	WHERE o.schema OPERATOR(pg_catalog.=) ANY ('{scim,scim_audit,scim_api}'::pg_catalog.text[]) AND r.schema OPERATOR(pg_catalog.=) ANY ('{trap,public}'::pg_catalog.text[])
		AND d.deptype OPERATOR(pg_catalog.<>) 'e';
\echo -- every function that is not C says what its path is, or was parsed when it was made
SELECT p.oid::pg_catalog.regprocedure FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_language l ON l.oid OPERATOR(pg_catalog.=) p.prolang
	WHERE p.pronamespace OPERATOR(pg_catalog.=) ANY (ARRAY['scim'::regnamespace, 'scim_audit'::regnamespace, 'scim_api'::regnamespace]::pg_catalog.oid[]) AND l.lanname OPERATOR(pg_catalog.<>) 'c' AND l.lanname OPERATOR(pg_catalog.<>) 'internal' AND p.prosqlbody IS NULL
		AND (p.proconfig[1] OPERATOR(pg_catalog.=) 'search_path=pg_catalog, pg_temp') IS NOT TRUE;

\echo -- all of it, with the traps first in the path, and temporary tables of the names it uses
CREATE TEMP TABLE users (LIKE pg_catalog.pg_class);
CREATE TEMP TABLE events (x pg_catalog.int4);
CREATE TEMP TABLE duties (x pg_catalog.int4);
CREATE TEMP TABLE pg_roles (oid pg_catalog.oid, rolname pg_catalog.name, rolsuper pg_catalog.bool);
CREATE TEMP TABLE pg_class (oid pg_catalog.oid, relname pg_catalog.name);
CREATE FUNCTION pg_temp.format(pg_catalog.text, VARIADIC pg_catalog.text[]) RETURNS pg_catalog.text LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING 'caught pg_temp.format'; RETURN 'SELECT 1'; END $$;
CREATE FUNCTION pg_temp.pg_has_role(pg_catalog.oid, pg_catalog.oid, pg_catalog.text) RETURNS pg_catalog.bool LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING 'caught pg_temp.pg_has_role'; RETURN true; END $$;
SET search_path = pg_temp, trap, public, pg_catalog;
SELECT scim.create_tenant('t87', 'https://t87.example', '{"password": "hash"}'), scim.alter_tenant('t87', '{"base_url": null}');
SELECT scim.grant_duty('regress_87_attacker', 'reader', 't87'), scim.grant_duty('regress_87_attacker', 'provisioning_admin', 't87'), scim.revoke_duty('regress_87_attacker', 'provisioning_admin', 't87');
BEGIN;
SELECT scim.create_standard_roles();
ROLLBACK;
CREATE TABLE public.app (id pg_catalog.int4 PRIMARY KEY, note pg_catalog.json, tenant pg_catalog.text);
INSERT INTO public.app VALUES (1, '{"a": 1}', 't87');
SELECT scim_audit.track('public.app', 'tenant', redact => '{note}');
INSERT INTO public.app VALUES (2, '{}', 't87');
UPDATE public.app SET note = '[]', id = 3 WHERE id OPERATOR(pg_catalog.=) 2;
TRUNCATE public.app;
SET scim_audit.tenant = 't87';
SELECT a.status, a.body OPERATOR(pg_catalog.->>) 'id' AS u FROM scim.scim_apply('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "u", "password": "p", "emails": [{"value": "e", "primary": true}], "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": "d"}}'::pg_catalog.text) a \gset
SELECT a.status, a.body OPERATOR(pg_catalog.->>) 'id' AS g FROM scim.scim_apply('POST', '/Groups', pg_catalog.concat('{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "g", "members": [{"value": "', :'u', '"}]}')) a \gset
SELECT a.status FROM (VALUES ('userName co "u" and displayName ew "x" or title sw "a" or not (nickName pr)'), ('emails[value eq "e" and primary eq true] or groups.display co "g" or groups.value eq "x"'), ('meta.created gt "2020-01-01T00:00:00Z" and meta.version eq "W/\"1\""'),
	('schemas eq "urn:x" or urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.displayName co "x" or name pr')) f(f), scim.scim_apply('GET', pg_catalog.concat('/Users?sortBy=emails.value&filter=', pg_catalog.replace(pg_catalog.replace(f.f, '"', '%22'), ' ', '%20'))) a;
SELECT a.status FROM scim.scim_apply('PATCH', pg_catalog.concat('/Groups/', :'g'), '{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "remove", "path": "members[type eq \"User\" and not (display eq \"x\")]"}, {"op": "replace", "path": "displayName", "value": "h"}]}'::pg_catalog.text) a;
INSERT INTO scim.group_members (tenant, group_id, member_id) VALUES ('t87', :'g', :'u');
UPDATE scim.group_members SET created = now() WHERE tenant OPERATOR(pg_catalog.=) 't87';
UPDATE scim.users SET active = true, extensions = '{}' WHERE tenant OPERATOR(pg_catalog.=) 't87';
INSERT INTO scim.users (user_name) VALUES ('by default');
SELECT scim.check_password(:'u', 'p');
SELECT pg_catalog.count(*) OPERATOR(pg_catalog.>) 0 FROM scim_audit.log;
SELECT pg_catalog.count(*) OPERATOR(pg_catalog.>) 0 FROM scim_audit.requests;
SELECT pg_catalog.count(*) OPERATOR(pg_catalog.>) 0 FROM (SELECT * FROM scim_audit.changes OFFSET 0) x;
SELECT pg_catalog.count(*) OPERATOR(pg_catalog.>) 0 FROM (SELECT * FROM scim_audit.memberships OFFSET 0) x;
SELECT pg_catalog.count(*) OPERATOR(pg_catalog.>) 0 FROM (SELECT * FROM scim_audit.tracked_tables OFFSET 0) x;
SELECT pg_catalog.count(*) OPERATOR(pg_catalog.>) 0 FROM (SELECT * FROM scim_audit.duty_conflicts OFFSET 0) x;
SELECT pg_catalog.count(*) OPERATOR(pg_catalog.>) 0 FROM (SELECT * FROM scim_audit.chain_status OFFSET 0) x;
SELECT pg_catalog.count(*) OPERATOR(pg_catalog.>) 0 FROM (SELECT * FROM scim.user_emails OFFSET 0) x;
SELECT pg_catalog.count(*) OPERATOR(pg_catalog.>) 0 FROM (SELECT * FROM scim.group_memberships OFFSET 0) x;
SELECT pg_catalog.count(*) OPERATOR(pg_catalog.>) 0 FROM scim.recent_requests();
SELECT pg_catalog.count(*) OPERATOR(pg_catalog.>) 0 FROM scim_api.log_page();
SELECT pg_catalog.count(*) OPERATOR(pg_catalog.>) 0 FROM scim_api.changes_page();
SELECT pg_catalog.length(scim_api.export_csv('changes')) OPERATOR(pg_catalog.>) 0, pg_catalog.length(scim_api.export_ndjson('requests')) OPERATOR(pg_catalog.>) 0;
SELECT scim_audit.ensure_partitions(5);
SELECT pg_catalog.count(*) FROM scim_audit.verify();
SELECT pg_catalog.count(*) FROM scim_audit.verify('2020-01-01', '2120-01-01');
SELECT pg_catalog.count(*) FROM scim_audit.restored();
SELECT scim_audit.untrack('public.app');
SET ROLE regress_87_attacker;
SELECT pg_catalog.count(*) FROM scim.users;
SELECT pg_catalog.count(*) FROM scim.group_memberships;
SELECT pg_catalog.count(*) FROM scim.user_emails;
RESET ROLE;
REINDEX SCHEMA scim;
REINDEX SCHEMA scim_audit;
ANALYZE;
VACUUM (FULL) scim.users;
SELECT a.status FROM scim.scim_apply('DELETE', pg_catalog.concat('/Users/', :'u')) a;
DELETE FROM scim.users;
DELETE FROM scim.groups;
DELETE FROM scim.tenants WHERE tenant OPERATOR(pg_catalog.=) 't87';
RESET search_path;

\echo -- what would be needed to stand in the way for good
\set VERBOSITY sqlstate
SET ROLE regress_87_attacker;
CREATE FUNCTION trap.watch() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$;
CREATE EVENT TRIGGER trap ON ddl_command_end EXECUTE FUNCTION trap.watch();
CREATE FUNCTION scim.fold(pg_catalog.text, pg_catalog.int4) RETURNS pg_catalog.text LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION trap.nothing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER trap BEFORE INSERT ON scim.users FOR EACH ROW EXECUTE FUNCTION trap.nothing();
CREATE RULE trap AS ON INSERT TO scim.users DO INSTEAD NOTHING;
CREATE POLICY trap ON scim.users USING (true);
CREATE TABLE trap.child () INHERITS (scim.users);
CREATE TABLE trap.copy (id pg_catalog.uuid, t pg_catalog.text, FOREIGN KEY (t, id) REFERENCES scim.users (tenant, id));
CREATE CAST (pg_catalog.text AS pg_catalog.uuid) WITH INOUT AS IMPLICIT;
CREATE OPERATOR CLASS trap.uuid_ops DEFAULT FOR TYPE pg_catalog.uuid USING btree AS OPERATOR 1 pg_catalog.<;
CREATE TRIGGER scim_audit_row AFTER INSERT ON trap.users FOR EACH ROW EXECUTE FUNCTION scim_audit.record_change();
ALTER DATABASE regress_87 SET scim_audit.restore = on;
SET scim_audit.restore = on;
SET scim_audit.allow_drop = on;
SET session_replication_role = replica;
RESET ROLE;
\set VERBOSITY terse

\c :home
SET client_min_messages = warning;
DROP DATABASE regress_87;
DROP ROLE regress_87_attacker;
