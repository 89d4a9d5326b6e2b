-- scim_api.scim_http: requests as PostgREST brings them, one transaction each,
-- logged in as the authenticator, with all there is to say in request.headers.
\set VERBOSITY terse
\set QUIET on
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
SELECT clock_timestamp() AS start \gset
SELECT scim.create_tenant('regress-91a', 'https://scim.example/regress-91a/scim/v2'), scim.create_tenant('regress-91b');
CREATE ROLE regress_91_login;
CREATE ROLE regress_91_web;
CREATE ROLE regress_91_serve;
CREATE ROLE regress_91_read;
CREATE ROLE regress_91_sql;
GRANT regress_91_web TO regress_91_login;
GRANT USAGE ON SCHEMA scim_api TO regress_91_web, regress_91_sql;
GRANT EXECUTE ON FUNCTION scim_api.scim_http(bytea) TO regress_91_web, regress_91_sql;
SELECT scim.grant_duty('regress_91_serve', 'provisioning_admin'), scim.grant_duty('regress_91_read', 'reader', 'regress-91a');
SET scim_audit.trusted_authenticators = 'somebody, regress_91_login';
SELECT scim.create_client('regress-91a', 'entra', 'regress_91_serve', profile => 'entra') AS token \gset
SELECT scim.create_client('regress-91a', 'strict', 'regress_91_serve', profile => 'rfc') AS strict \gset
SELECT scim.create_client('regress-91a', 'viewer', 'regress_91_read') AS viewer \gset
SELECT scim.create_client('regress-91b', 'other', 'regress_91_serve') AS other \gset

-- status, headers but Location, and the body, without what differs from run to run
CREATE FUNCTION pg_temp.call(method text, uri text, body bytea DEFAULT NULL, token text DEFAULT NULL, more jsonb DEFAULT '{}',
		tenant text DEFAULT 'regress-91a') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text;
BEGIN
	PERFORM set_config('request.headers', (jsonb_build_object('x-scim-method', method, 'x-scim-tenant', tenant, 'x-scim-uri', uri,
		'x-scim-client-addr', '203.0.113.7', 'x-scim-content-type', 'application/scim+json', 'content-type', 'application/octet-stream',
		'host', 'scim.example', 'user-agent', 'regress/1', 'x-scim-authorization', 'Bearer ' || token) || more)::text, true);
	answer := convert_from(scim_api.scim_http(body), 'UTF8');
	RETURN concat_ws(' | ', current_setting('response.status'),
		(SELECT string_agg(h.key || ': ' || h.value, ', ' ORDER BY h.key) FROM jsonb_array_elements(current_setting('response.headers')::jsonb) e,
			jsonb_each_text(e) h WHERE h.key NOT IN ('Location', 'X-Scim-Error')),
		CASE WHEN answer <> '' THEN coalesce(answer::jsonb ->> 'detail', answer::jsonb ->> 'userName', answer::jsonb ->> 'totalResults', answer::jsonb ->> 'documentationUri', '?') END);
END $$;
GRANT USAGE ON SCHEMA scim TO regress_91_web;
SET SESSION AUTHORIZATION regress_91_login;
SET ROLE regress_91_web;

\echo -- the life of a user
SELECT pg_temp.call('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ana","active":"True"}', :'token');
BEGIN;
SELECT pg_temp.call('GET', '/Users?count=0', NULL, :'token'), current_setting('response.headers');
SELECT current_user;
COMMIT;
RESET SESSION AUTHORIZATION;
SELECT id FROM scim.users WHERE tenant = 'regress-91a' AND user_name = 'ana' \gset
SET SESSION AUTHORIZATION regress_91_login;
SET ROLE regress_91_web;
SELECT pg_temp.call('GET', '/Users/' || :'id', NULL, :'token');
SELECT pg_temp.call('HEAD', '/Users/' || :'id', NULL, :'token');
SELECT pg_temp.call('GET', '/Users?filter=userName%20eq%20%22ANA%22', '', :'token'), pg_temp.call('GET', '/Users/?filter=userName+eq+"nobody"&aadOptscim062020', NULL, :'token');
SELECT pg_temp.call('PATCH', '/Users/' || :'id', '{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"Replace","path":"active","value":"False"}]}', :'token', '{"if-match": "W/\"1\""}');
SELECT pg_temp.call('PATCH', '/Users/' || :'id', '{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"Replace","path":"active","value":"True"}]}', :'token', '{"if-match": "W/\"1\""}');
SELECT pg_temp.call('GET', '/Users/' || :'id', NULL, :'token', '{"if-none-match": "W/\"2\""}');
SELECT pg_temp.call('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ANA"}', :'token');
SELECT pg_temp.call('DELETE', '/Users/' || :'id', NULL, :'token');
SELECT pg_temp.call('GET', '/Users/' || :'id', NULL, :'token');
SELECT current_user, session_user;

\echo -- each client has its own profile, and the duties of its role
SELECT pg_temp.call('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"bob","active":"True"}', :'strict');
SELECT pg_temp.call('GET', '/Users', NULL, :'viewer'), pg_temp.call('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"bob"}', :'viewer');
SELECT pg_temp.call('GET', '/ServiceProviderConfig', NULL, :'viewer') LIKE '200 %';

\echo -- methods, bodies, types
SELECT pg_temp.call('get', '/Users', NULL, :'token'), pg_temp.call('OPTIONS', '/Users', NULL, :'token'), pg_temp.call('POST', '/Users/' || :'id', '{}', :'token');
SELECT pg_temp.call('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"override"}', :'token', '{"x-http-method-override": "DELETE"}');
SELECT pg_temp.call('POST', '/Users', '\x7b2275736572ff', :'token'), pg_temp.call('POST', '/Users', '\x7b0022617d', :'token'), pg_temp.call('POST', '/Users', '', :'token'), pg_temp.call('POST', '/Users', NULL, :'token');
SELECT pg_temp.call('POST', '/Users', '{}', :'token', '{"x-scim-content-type": "text/plain"}'), pg_temp.call('POST', '/Users', '{}', :'token', '{"x-scim-content-type": null}');
SELECT pg_temp.call('POST', '/Users', convert_to(repeat(' ', 1024 * 1024 + 1), 'UTF8'), :'token');
SELECT pg_temp.call('GET', '/Users?filter=%ff', NULL, :'token'), pg_temp.call('GET', '', NULL, :'token'), pg_temp.call('GET', '/nothing', NULL, :'token'), pg_temp.call(NULL, '/Users', NULL, :'token'), pg_temp.call('GET', NULL, NULL, :'token');

\echo -- tokens that are not good: one answer
SELECT pg_temp.call('GET', '/Users') AS none, pg_temp.call('GET', '/Users', NULL, 'x', '{"x-scim-authorization": "Basic dTpw"}') AS basic,
	pg_temp.call('GET', '/Users', NULL, 'x', '{"x-scim-authorization": "Bearer"}') AS empty \gx
SELECT DISTINCT pg_temp.call('GET', '/Users', NULL, t) FROM unnest(ARRAY['hunter2', 'scim_' || repeat('x', 43), left(:'token', 47), :'token' || 'x', upper(:'token'), :'other']) t;
SELECT DISTINCT pg_temp.call('GET', '/Users', NULL, :'token', '{}', t) FROM unnest(ARRAY['regress-91b', 'no-such-tenant', '', NULL]) t;
SELECT pg_temp.call('GET', '/Users', NULL, 'x', jsonb_build_object('x-scim-authorization', 'bEARER   ' || :'token' || ' ')) LIKE '200 %';

\echo -- what is refused changes nothing: not even the tenant of a setting
SET scim_audit.tenant = 'regress-91b';
SELECT pg_temp.call('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"set"}', :'token') LIKE '201 %';
RESET scim_audit.tenant;
RESET SESSION AUTHORIZATION;
SELECT tenant FROM scim.users WHERE user_name = 'set';
SELECT scim.disable_client('regress-91a', 'strict');
SELECT scim.rotate_token('regress-91a', 'viewer') AS rotated \gset
SELECT scim.revoke_token('regress-91a', 'viewer', :'viewer');
UPDATE scim.client_tokens SET expires_at = now() - interval '1 s' WHERE tenant = 'regress-91b';
SET SESSION AUTHORIZATION regress_91_login;
SELECT DISTINCT pg_temp.call('GET', '/Users', NULL, t, '{}', n) FROM (VALUES (:'strict', 'regress-91a'), (:'viewer', 'regress-91a'), (:'other', 'regress-91b')) v (t, n);
SELECT pg_temp.call('GET', '/Users', NULL, :'rotated') LIKE '200 %';

\echo -- the role and whoever issued the token are judged at every use
RESET SESSION AUTHORIZATION;
SELECT scim.enable_client('regress-91a', 'strict');
ALTER ROLE regress_91_serve BYPASSRLS;
SET SESSION AUTHORIZATION regress_91_login;
SELECT pg_temp.call('GET', '/Users', NULL, :'token');
RESET SESSION AUTHORIZATION;
ALTER ROLE regress_91_serve NOBYPASSRLS SUPERUSER;
SET SESSION AUTHORIZATION regress_91_login;
SELECT pg_temp.call('GET', '/Users', NULL, :'token');
RESET SESSION AUTHORIZATION;
ALTER ROLE regress_91_serve NOSUPERUSER;
SELECT scim.grant_duty('regress_91_sql', 'provisioning_admin', 'regress-91a');
GRANT regress_91_serve TO regress_91_sql;
SET ROLE regress_91_sql;
SELECT scim.create_client('regress-91a', 'lent', 'regress_91_serve') AS lent \gset
RESET ROLE;
SET SESSION AUTHORIZATION regress_91_login;
SELECT pg_temp.call('GET', '/Users', NULL, :'lent') LIKE '200 %';
RESET SESSION AUTHORIZATION;
REVOKE regress_91_serve FROM regress_91_sql;
SET SESSION AUTHORIZATION regress_91_login;
SELECT pg_temp.call('GET', '/Users', NULL, :'lent');
RESET SESSION AUTHORIZATION;
SELECT scim.revoke_duty('regress_91_serve', 'provisioning_admin');
SET SESSION AUTHORIZATION regress_91_login;
SELECT pg_temp.call('GET', '/Users', NULL, :'token');
RESET SESSION AUTHORIZATION;
SELECT scim.grant_duty('regress_91_serve', 'provisioning_admin');

\echo -- headers count for a trusted authenticator only, at READ COMMITTED only
SELECT count(*) AS before FROM scim_audit.events WHERE tenant LIKE 'regress-91%' \gset
SET client_min_messages = error;
SELECT pg_temp.call('DELETE', '/Users/' || id, NULL, :'token') FROM scim.users WHERE user_name = 'set';
SET SESSION AUTHORIZATION regress_91_sql;
SELECT pg_temp.call('GET', '/Users', NULL, :'token');
RESET SESSION AUTHORIZATION;
SELECT count(*) - :before AS events FROM scim_audit.events WHERE tenant LIKE 'regress-91%';
SELECT count(*) FROM scim.users WHERE user_name = 'set';
SET SESSION AUTHORIZATION regress_91_login;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT pg_temp.call('GET', '/Users', NULL, :'token');
COMMIT;
BEGIN READ ONLY;
SELECT pg_temp.call('GET', '/Users', NULL, :'token') LIKE '200 %', pg_temp.call('DELETE', '/Users/' || :'id', NULL, :'token'), pg_temp.call('GET', '/Users', NULL, 'x');
COMMIT;
SELECT set_config('request.headers', '{', false) IS NULL, convert_from(scim_api.scim_http(NULL), 'UTF8'), set_config('request.headers', '', false);
\echo -- headers of another kind are refused, too
SELECT h.headers, set_config('request.headers', h.headers, false) IS NULL, length(scim_api.scim_http(NULL)) > 0, left(current_setting('response.status'), 1), set_config('request.headers', '', false)
	FROM (VALUES ('"x"'), ('[]'), ('null'), ('1'), (' "x"'), ('["x-scim-method"]'), (' {}')) h (headers);
SELECT convert_from(scim_api.scim_http(NULL), 'UTF8')::json ->> 'status';
RESET SESSION AUTHORIZATION;

\echo -- triggers of an application: their refusals are answers, deferred ones too, and undone
CREATE FUNCTION public.regress_91_veto() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.user_name = 'lost' THEN RAISE serialization_failure; END IF;
	IF NEW.user_name = 'dead' THEN RAISE deadlock_detected; END IF;
	IF NEW.user_name = 'locked' THEN RAISE lock_not_available; END IF;
	IF NEW.user_name = 'veto' THEN RAISE EXCEPTION 'no such name, please'; END IF;
	IF NEW.user_name = 'broken' THEN PERFORM * FROM no_such_table; END IF;
	IF NEW.user_name = 'cancel' THEN RAISE query_canceled; END IF;
	IF NEW.user_name = 'full' THEN RAISE disk_full; END IF;
	RETURN NULL;
END $$;
CREATE TRIGGER regress_91_veto AFTER INSERT ON scim.users FOR EACH ROW EXECUTE FUNCTION public.regress_91_veto();
SET SESSION AUTHORIZATION regress_91_login;
SELECT u, pg_temp.call('POST', '/Users', convert_to(format('{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"%s"}', u), 'UTF8'), :'token')
	FROM unnest(ARRAY['lost', 'dead', 'locked', 'veto', 'broken']) u;
SELECT pg_temp.call('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"cancel"}', :'token');
SELECT pg_temp.call('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"full"}', :'token');
SELECT current_user, session_user;
RESET SESSION AUTHORIZATION;
DROP TRIGGER regress_91_veto ON scim.users;
CREATE CONSTRAINT TRIGGER regress_91_veto AFTER INSERT ON scim.users DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.regress_91_veto();
SET SESSION AUTHORIZATION regress_91_login;
SELECT u, pg_temp.call('POST', '/Users', convert_to(format('{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"%s"}', u), 'UTF8'), :'token')
	FROM unnest(ARRAY['lost', 'veto', 'fine']) u;
RESET SESSION AUTHORIZATION;
DROP TRIGGER regress_91_veto ON scim.users;
DROP FUNCTION public.regress_91_veto();
SELECT user_name FROM scim.users WHERE tenant LIKE 'regress-91%' ORDER BY 1;

\echo -- the log: who, from where, with which token; refused tokens with the reason
SELECT method, event_type, outcome, status, actor, actor_type, credential = right(:'token', 4) AS four, session_role, effective_role, origin,
	detail ->> 'client_addr' AS addr, detail ->> 'user_agent' AS agent
	FROM scim_audit.events WHERE tenant = 'regress-91a' AND actor = 'entra' AND detail ->> 'endpoint' = '/Users' AND method = 'POST' ORDER BY tx_id, n LIMIT 2;
SELECT DISTINCT tenant, category, action, event_type, outcome, status, actor, actor_type, resource_id, length(credential) AS four, detail ->> 'refused' AS refused, detail ->> 'client_addr' AS addr
	FROM scim_audit.events WHERE event_type = 'token.refuse' AND session_role = 'regress_91_login' ORDER BY tenant, refused, actor, four;
SELECT DISTINCT detail ->> 'request_base64' IS NOT NULL AS raw, status FROM scim_audit.events WHERE tenant = 'regress-91a' AND category = 'request' AND method = 'POST' AND status = 400 ORDER BY 1;
SELECT count(*) FROM scim_audit.events WHERE session_role = 'regress_91_login' AND detail::text ~ (:'token' || '|' || :'other' || '|' || :'viewer' || '|hunter2|dTpw');
SELECT client, last_used IS NOT NULL AS used, last_address, last_status, state FROM scim.list_clients('regress-91a') ORDER BY 1, 5;
SET ROLE regress_91_serve;
SELECT DISTINCT status, error FROM scim.recent_requests(1000) WHERE tenant = 'regress-91b' ORDER BY 1, 2;
RESET ROLE;
SELECT count(*) FROM scim_audit.verify(:'start');

SELECT scim.revoke_duty('regress_91_serve', 'provisioning_admin'), scim.revoke_duty('regress_91_read', 'reader', 'regress-91a'), scim.revoke_duty('regress_91_sql', 'provisioning_admin', 'regress-91a');
DELETE FROM scim.users WHERE tenant LIKE 'regress-91%';
DELETE FROM scim.tenants WHERE tenant LIKE 'regress-91%';
REVOKE ALL ON SCHEMA scim, scim_api FROM regress_91_web, regress_91_sql;
REVOKE ALL ON FUNCTION scim_api.scim_http(bytea) FROM regress_91_web, regress_91_sql;
DROP ROLE regress_91_login, regress_91_web, regress_91_serve, regress_91_read, regress_91_sql;
