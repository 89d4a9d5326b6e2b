-- Hostile and over-long input: a SCIM error each time, and the server goes on
\set VERBOSITY terse
\set QUIET on
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS scim_audit CASCADE;
SELECT scim.create_tenant('regress-80');
CREATE ROLE regress_idp_80;
SELECT scim.grant_duty('regress_idp_80', 'provisioning_admin', 'regress-80');
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
SET ROLE regress_idp_80;

SELECT body ->> 'id' AS id FROM scim.scim_apply('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "hal"}'::text) \gset
-- null arguments
SELECT pg_temp.refusal(NULL, '/Users'), pg_temp.refusal('GET', NULL), pg_temp.refusal(NULL, NULL);
SELECT pg_temp.refusal('POST', '/Users', NULL), pg_temp.refusal('POST', '/Users', ''), pg_temp.refusal('GET', '/Users/' || :'id', NULL, NULL);
-- malformed JSON
SELECT b, pg_temp.refusal('POST', '/Users', b) FROM (VALUES ('{'), ('[]'), ('"x"'), ('null'), ('7'), ('{"userName": "a",}'), ('{"userName": ''a''}'), ('{userName: "a"}'), ('{"userName": NaN}'),
	('{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "a"} x'), ('{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "a", "USERNAME": "b"}'), ('{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "\u0000"}'), ('{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "\ud800"}'), ('{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "a' || chr(10) || 'b"}')) v(b);
SELECT pg_temp.refusal('POST', '/Users', repeat('[', 100000));
SELECT pg_temp.refusal('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "deep", "name": ' || repeat('{"a":', 50) || '1' || repeat('}', 51));
-- jsonb cannot hold \u0000 at all
SELECT status, body ->> 'scimType' FROM scim.scim_apply('POST', '/Users', '["not", "an", "object"]'::jsonb);
SELECT status FROM scim.scim_apply('POST', '/Users', NULL::jsonb);
-- sizes
SELECT pg_temp.refusal('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "big", "title": "' || repeat('x', 1100000) || '"}');
SELECT left(pg_temp.refusal('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "' || string_agg(md5(i::text), '') || '"}'), 100) FROM generate_series(1, 500) i;
SELECT status, length(body ->> 'title') FROM scim.scim_apply('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "big", "title": "' || repeat('x', 900000) || '"}');
SELECT pg_temp.refusal('GET', '/Users/' || repeat('x', 100000));
SELECT left(pg_temp.refusal('GET', '/Users?filter=' || repeat('x', 100000)), 60);
-- methods, paths, media types
SELECT status, headers ->> 'Allow' FROM scim.scim_apply('PATCH', '/Users', '{}'::text);
SELECT status, headers ->> 'Allow' FROM scim.scim_apply('POST', '/Users/' || :'id', '{}'::text);
SELECT status, headers ->> 'Allow' FROM scim.scim_apply('', '/Users');
SELECT m, u, pg_temp.refusal(m, u, '{}') FROM (VALUES ('POST', '/Bulk'), ('POST', '/.search'), ('POST', '/Users/.search'), ('GET', '/Me'), ('GET', ''), ('GET', 'Users'), ('GET', '//Users'), ('GET', '/Users/%'),
	('GET', '/Users/%00'), ('GET', '/Users/%ff'), ('GET', '/../Users'), ('GET', '/users'), ('get', '/Users/nobody'), ('GET', '/Users?filter=%'), ('GET', '/Users?filter=%c3%28'), ('GET', '/Users/a/b/c')) v(m, u);
SELECT t, pg_temp.refusal('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ct' || length(t) || '"}', jsonb_build_object('content-type', t)) FROM (VALUES ('application/scim+json'), ('Application/JSON; charset=utf-8'), ('text/plain'), ('application/xml'), ('application/jsonx'), ('')) v(t);
SELECT pg_temp.refusal('GET', '/Users', NULL, '[]'), pg_temp.refusal('GET', '/Users', NULL, '"x"'), pg_temp.refusal('GET', '/Users', NULL, '{"If-None-Match": 7}');
-- a savepoint and an exception block around a refusal change nothing about it
BEGIN;
SAVEPOINT s;
SELECT pg_temp.refusal('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "HAL"}');
ROLLBACK TO s;
SELECT status FROM scim.scim_apply('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "hal2"}'::text);
COMMIT;
SELECT body ->> 'totalResults' FROM scim.scim_apply('GET', '/Users?filter=userName%20sw%20%22hal%22');
RESET ROLE;
-- limits that are settings
SET scim_audit.max_patch_operations = 2;
SET scim_audit.max_filter_depth = 2;
SET ROLE regress_idp_80;
SELECT pg_temp.refusal('PATCH', '/Users/' || (SELECT body #>> '{Resources,0,id}' FROM scim.scim_apply('GET', '/Users?filter=userName%20sw%20%22hal%22')), '{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [' || repeat('{"op": "remove", "path": "title"},', 2) || '{"op": "remove", "path": "title"}]}');
SELECT pg_temp.refusal('GET', '/Users?filter=(emails%5Bvalue%20eq%20%22x%22%5D)');
SELECT pg_temp.refusal('GET', '/Users?filter=((emails%5Bvalue%20eq%20%22x%22%5D))');
SELECT pg_temp.refusal('GET', '/Users?filter=not%20(not%20(not%20(title%20pr)))');
RESET ROLE;
RESET scim_audit.max_patch_operations;
RESET scim_audit.max_filter_depth;
-- an application's own trigger may refuse, or call scim_apply itself
RESET ROLE;
CREATE FUNCTION public.regress_80_check() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.title = 'forbidden' THEN RAISE EXCEPTION 'no such title here' USING ERRCODE = 'check_violation', COLUMN = 'title', TABLE = 'users', SCHEMA = 'scim'; END IF;
	IF NEW.title = 'broken' THEN RAISE EXCEPTION 'the application is broken' USING ERRCODE = 'internal_error'; END IF;
	IF NEW.title = 'nested' THEN PERFORM scim.scim_apply('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "from-trigger"}'::text); END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER regress_80_check BEFORE INSERT ON scim.users FOR EACH ROW EXECUTE FUNCTION public.regress_80_check();
SET ROLE regress_idp_80;
SELECT pg_temp.refusal('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "t1", "title": "forbidden"}');
SELECT pg_temp.refusal('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "t1", "title": "broken"}');
SELECT pg_temp.refusal('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "t1", "title": "nested"}');
SELECT body ->> 'totalResults' FROM scim.scim_apply('GET', '/Users?filter=userName%20eq%20%22from-trigger%22');
RESET ROLE;
DROP TRIGGER regress_80_check ON scim.users;
DROP FUNCTION public.regress_80_check();
-- what the log has of bodies that do not parse
SELECT status, scim_type, convert_from(decode(detail ->> 'request_base64', 'base64'), 'UTF8'), detail -> 'response' ->> 'status' FROM scim_audit.events
	WHERE tenant = 'regress-80' AND category = 'request' AND length(detail ->> 'request_base64') < 40 ORDER BY tx_id, n;
-- Neither a body that is too long, nor one that may hold a secret nobody can
-- cut out of it.
SELECT count(*) FROM scim_audit.events WHERE tenant = 'regress-80' AND length(detail::text) > 1300000;
SET ROLE regress_idp_80;
SELECT pg_temp.refusal('POST', '/Users', '{"userName": "x", "password": "Sup3rSecret", oops}');
SELECT pg_temp.refusal('POST', '/Bulk', '{"Operations": [{"method": "POST", "path": "/Users", "data": {"userName": "x", "password": "Sup3rSecret"}}]}');
SELECT pg_temp.refusal('GET', '/Users?filter=password%20eq%20%22Sup3rSecret%22');
RESET ROLE;
SELECT count(*) FROM scim_audit.events WHERE tenant = 'regress-80'
	AND (detail::text LIKE '%Sup3r%' OR convert_from(decode(detail ->> 'request_base64', 'base64'), 'UTF8') LIKE '%Sup3r%');
SELECT detail ->> 'endpoint', detail ->> 'query', detail ->> 'request' FROM scim_audit.events
	WHERE tenant = 'regress-80' AND category = 'request' ORDER BY tx_id DESC, n DESC LIMIT 3;

RESET ROLE;
DELETE FROM scim.users WHERE tenant = 'regress-80';
DELETE FROM scim.groups WHERE tenant = 'regress-80';
SELECT scim.revoke_duty('regress_idp_80', 'provisioning_admin', 'regress-80');
DROP ROLE regress_idp_80;
DELETE FROM scim.tenants WHERE tenant = 'regress-80';
