-- Names that a caller puts in the way are not found
\set VERBOSITY terse
\set QUIET on
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS scim_audit CASCADE;
SELECT scim.create_tenant('regress-85');
CREATE ROLE regress_idp_85;
SELECT scim.grant_duty('regress_idp_85', 'provisioning_admin', 'regress-85');
-- A request and its answer: status, headers, body; ids and times masked.
CREATE FUNCTION pg_temp.scim(method text, uri text, body text DEFAULT NULL, headers jsonb DEFAULT '{}')
RETURNS text LANGUAGE sql AS $$
	SELECT regexp_replace(regexp_replace(concat_ws(E'\n', a.status, a.headers, jsonb_pretty(a.body)),
		'[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}', '<id>', 'g'),
		'[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z', '<time>', 'g')
	FROM scim.scim_apply($1, $2, $3, $4) a $$;
-- The same in one line: status, scimType, detail.
CREATE FUNCTION pg_temp.refusal(method text, uri text, body text DEFAULT NULL, headers jsonb DEFAULT '{}')
RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' | ', a.status, a.body ->> 'scimType', regexp_replace(a.body ->> 'detail',
		'[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}', '<id>', 'g'))
	FROM scim.scim_apply($1, $2, $3, $4) a $$;
SET ROLE regress_idp_85;

RESET ROLE;
CREATE ROLE regress_85_attacker;
SELECT scim.grant_duty('regress_85_attacker', 'provisioning_admin', 'regress-85');
CREATE SCHEMA regress_85_trap AUTHORIZATION regress_85_attacker;
CREATE TABLE public.regress_85_caught (what text, who name);
GRANT ALL ON public.regress_85_caught TO PUBLIC;
SET ROLE regress_85_attacker;
-- A trap for each function and operator of pg_catalog that our SQL could
-- mean, for the types it uses.
DO $$
DECLARE
	f record;
BEGIN
	FOR f IN SELECT p.proname, string_agg(t::regtype::text, ', ' ORDER BY o) AS types
		FROM pg_proc p, unnest(p.proargtypes) WITH ORDINALITY a(t, o)
		WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind = 'f' AND p.provolatile <> 'x' AND p.provariadic = 0
			AND p.proname IN ('lower', 'upper', 'count', 'now', 'clock_timestamp', 'jsonb_typeof', 'jsonb_array_elements', 'jsonb_object_keys',
				'rtrim', 'btrim', 'unnest', 'format', 'crypt', 'gen_salt', 'coalesce', 'cardinality', 'pg_has_role', 'current_setting', 'to_jsonb', 'array_length')
			AND NOT EXISTS (SELECT FROM unnest(p.proargtypes) x WHERE x::regtype::text LIKE 'any%' OR x = 'internal'::regtype)
		GROUP BY p.oid, p.proname
	LOOP
		EXECUTE format($f$CREATE FUNCTION regress_85_trap.%I(%s) RETURNS text LANGUAGE plpgsql AS $b$ BEGIN INSERT INTO public.regress_85_caught VALUES (%L, current_user); RETURN NULL; END $b$ $f$, f.proname, f.types, f.proname);
	END LOOP;
	FOR f IN SELECT DISTINCT o.oprname, o.oprleft::regtype AS l, o.oprright::regtype AS r FROM pg_operator o
		WHERE o.oprnamespace = 'pg_catalog'::regnamespace AND o.oprname IN ('=', '<>', '<', '<=', '>', '>=', '~', '~~', '@>', '->', '->>', '#>', '#>>', '?', '||', '+')
			AND o.oprleft::regtype::text IN ('text', 'uuid', 'jsonb', 'bigint', 'integer', 'boolean', 'timestamp with time zone', 'oid', 'name', 'text[]')
			AND o.oprright::regtype::text IN ('text', 'uuid', 'jsonb', 'bigint', 'integer', 'boolean', 'timestamp with time zone', 'oid', 'name', 'text[]')
	LOOP
		EXECUTE format($f$CREATE FUNCTION regress_85_trap.%I(%s, %s) RETURNS boolean LANGUAGE plpgsql AS $b$ BEGIN INSERT INTO public.regress_85_caught VALUES (%L, current_user); RETURN true; END $b$ $f$,
			'op_' || md5(f.oprname || f.l || f.r), f.l, f.r, f.oprname);
		EXECUTE format('CREATE OPERATOR regress_85_trap.%s (FUNCTION = regress_85_trap.%I, LEFTARG = %s, RIGHTARG = %s)', f.oprname, 'op_' || md5(f.oprname || f.l || f.r), f.l, f.r);
	END LOOP;
END $$;
SELECT count(*) > 80 FROM pg_operator WHERE oprnamespace = 'regress_85_trap'::regnamespace;
-- Tables, too: in the trap's schema and among temporary ones.
CREATE TABLE regress_85_trap.users (LIKE pg_catalog.pg_class);
CREATE TEMP TABLE users (tenant text, id uuid);
CREATE TEMP TABLE groups (tenant text, id uuid);
CREATE TEMP TABLE changed_members (tenant text, group_id uuid);
CREATE TEMP TABLE pg_extension (extname name, extnamespace oid);
SET search_path = regress_85_trap, pg_temp, public, pg_catalog;
-- The traps work:
SELECT 'a'::text = 'a'::text;
SELECT pg_catalog.count(*) > 0 FROM public.regress_85_caught;
RESET ROLE;
TRUNCATE public.regress_85_caught;
SELECT scim.alter_tenant('regress-85', '{"password": "hash"}');
SELECT scim.create_tenant('regress-85b', 'https://x.example', '{"password": "discard"}');
SET ROLE regress_85_attacker;
SELECT status, body OPERATOR(pg_catalog.->>) 'id' AS id FROM scim.scim_apply('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "eve", "password": "pw1", "emails": [{"value": "e@x"}]}'::pg_catalog.text) \gset
SELECT :status;
SELECT status FROM scim.scim_apply('PATCH', '/Users/' OPERATOR(pg_catalog.||) :'id', '{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "replace", "path": "title", "value": "x"}]}'::pg_catalog.text);
SELECT status, body OPERATOR(pg_catalog.->>) 'id' AS gid FROM scim.scim_apply('POST', '/Groups', pg_catalog.concat('{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "g", "members": [{"value": "', :'id', '"}]}')) \gset
SELECT :status;
SELECT status FROM scim.scim_apply('PATCH', pg_catalog.concat('/Groups/', :'gid'), '{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "replace", "path": "members", "value": []}]}'::pg_catalog.text);
SELECT status FROM scim.scim_apply('PATCH', pg_catalog.concat('/Groups/', :'gid'), pg_catalog.concat('{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "add", "path": "members", "value": [{"value": "', :'id', '"}]}]}'));
SELECT status FROM scim.scim_apply('GET', '/Users?filter=userName%20co%20%22e%22%20and%20emails%5Bvalue%20eq%20%22e@x%22%5D%20and%20meta.created%20gt%20%222020-01-01T00:00:00Z%22&sortBy=userName');
SELECT status FROM scim.scim_apply('GET', '/Groups');
SELECT status FROM scim.scim_apply('PUT', pg_catalog.concat('/Users/', :'id'), '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "eve2"}'::pg_catalog.text);
SELECT scim.current_tenant(), scim.fold('A'), scim.folded_values('[{"value": "A"}]');
SELECT pg_catalog.count(*) OPERATOR(pg_catalog.>) 0 FROM scim.recent_requests();
RESET ROLE;
SELECT scim.grant_duty('regress_idp_85', 'reader', 'regress-85');
INSERT INTO scim.users (tenant, user_name) VALUES ('regress-85', 'direct');
INSERT INTO scim.group_members (tenant, group_id, member_id) SELECT 'regress-85', :'gid', id FROM scim.users WHERE user_name OPERATOR(pg_catalog.=) 'direct' AND tenant OPERATOR(pg_catalog.=) 'regress-85';
UPDATE scim.users SET title = 'y' WHERE tenant OPERATOR(pg_catalog.=) 'regress-85';
SET ROLE regress_idp_85;
SELECT scim.check_password(:'id', 'pw1');
SELECT pg_catalog.count(*) FROM scim.users;
SELECT pg_catalog.count(*) FROM scim.group_memberships;
RESET ROLE;
SET ROLE regress_85_attacker;
SELECT status FROM scim.scim_apply('DELETE', pg_catalog.concat('/Users/', :'id'));
RESET ROLE;
SELECT scim.revoke_duty('regress_idp_85', 'reader', 'regress-85');
DELETE FROM scim.tenants WHERE tenant OPERATOR(pg_catalog.=) 'regress-85b';
-- Nothing was caught.
SELECT what, who FROM public.regress_85_caught;
RESET search_path;
SELECT scim.revoke_duty('regress_85_attacker', 'provisioning_admin', 'regress-85');
DROP SCHEMA regress_85_trap CASCADE;
DROP TABLE public.regress_85_caught, pg_temp.users, pg_temp.groups, pg_temp.changed_members, pg_temp.pg_extension;
DROP ROLE regress_85_attacker;

RESET ROLE;
DELETE FROM scim.users WHERE tenant = 'regress-85';
DELETE FROM scim.groups WHERE tenant = 'regress-85';
SELECT scim.revoke_duty('regress_idp_85', 'provisioning_admin', 'regress-85');
DROP ROLE regress_idp_85;
DELETE FROM scim.tenants WHERE tenant = 'regress-85';
