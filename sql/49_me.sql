-- /Me: RFC 7644 section 3.11.
\set VERBOSITY terse
\set QUIET on
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS scim_audit CASCADE;
SELECT scim.create_tenant('regress-49', 'https://scim.example/regress-49/scim/v2'), scim.create_tenant('regress-49b');
CREATE ROLE "regress_49_Ana";
CREATE ROLE regress_49_ben;
CREATE ROLE regress_49_none;
CREATE ROLE regress_49_web;
CREATE ROLE regress_49_login;
GRANT regress_49_web, "regress_49_Ana" TO regress_49_login;
SELECT scim.grant_duty(r, 'provisioning_admin', 'regress-49') FROM unnest(ARRAY['"regress_49_Ana"', 'regress_49_none', 'regress_49_web']::regrole[]) r;
SELECT scim.grant_duty('regress_49_ben', 'reader', 'regress-49');
SELECT scim.create_client('regress-49', 'entra', 'regress_49_none') IS NOT NULL;
INSERT INTO scim.users (tenant, user_name, title) VALUES ('regress-49', 'REGRESS_49_ana', 'A'), ('regress-49', 'regress_49_ben', 'B'), ('regress-49', 'cy@example.com', 'C'), ('regress-49', 'entra', 'D'),
	('regress-49', 'regress_49_login', 'E'), ('regress-49', 'regress_49_web', 'F'), ('regress-49b', 'regress_49_none', 'G'), ('regress-49', E'quote" or userName pr', 'H');
-- status, headers, what matters of the body; ids by the name of whose they are
CREATE FUNCTION pg_temp.me(method text, body text DEFAULT NULL, headers jsonb DEFAULT '{}', uri text DEFAULT '/Me') RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' | ', status, a.headers - 'Content-Type' - 'Location', regexp_replace(a.headers ->> 'Location', '[-0-9a-f]{36}$', '<id>'), a.body ->> 'userName', a.body ->> 'title', a.body ->> 'scimType', a.body ->> 'detail')
	FROM scim.scim_apply(method, uri, body, headers) a $$;

-- the user that has the role's name
SET ROLE "regress_49_Ana";
SELECT pg_temp.me('GET');
SELECT pg_temp.me('GET', uri => '/Me/?attributes=title'), pg_temp.me('GET', uri => '/Me?attributes=nothing'), pg_temp.me('HEAD');
SELECT pg_temp.me('GET', headers => '{"If-None-Match": "W/\"1\""}');
SELECT a.body ->> 'id' = b.body ->> 'id', a.headers ->> 'Location' = b.body #>> '{meta,location}', a.body = b.body FROM scim.scim_apply('GET', '/Me') a, scim.scim_apply('GET', '/Users?filter=userName%20eq%20%22regress_49_ana%22') l, scim.scim_apply('GET', '/Users/' || (l.body #>> '{Resources,0,id}')) b;
SELECT pg_temp.me('PATCH', '{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","path":"title","value":"A2"}]}');
SELECT pg_temp.me('PUT', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"regress_49_ANA","title":"A3"}', '{"If-Match": "W/\"2\""}');
-- where it is, whatever becomes of the request
SELECT pg_temp.me('PUT', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"regress_49_ben"}');
SELECT pg_temp.me('PATCH', '{}'), pg_temp.me('PATCH', '{'), pg_temp.me('PUT');
SELECT pg_temp.me('DELETE', headers => '{"If-Match": "W/\"1\""}');
SELECT pg_temp.me('POST', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"x"}'), pg_temp.me('GET', uri => '/Me/x'), pg_temp.me('GET', uri => '/me'), pg_temp.me('POST', '{}', uri => '/Me/.search');
SELECT pg_temp.me('DELETE'), pg_temp.me('GET'), pg_temp.me('DELETE');

-- a reader reads
SET ROLE regress_49_ben;
SELECT pg_temp.me('GET'), pg_temp.me('DELETE');
BEGIN READ ONLY;
SELECT pg_temp.me('GET', uri => '/Me?attributes=userName');
ROLLBACK;

-- a role that is no user of the tenant, and a client, which is none
SET ROLE regress_49_none;
SELECT pg_temp.me('GET'), pg_temp.me('PATCH', '{'), pg_temp.me('DELETE');
SELECT status, answer ->> 'detail' FROM scim.probe_client('regress-49', 'entra', 'GET', '/Me', NULL);

-- claims count only behind a trusted authenticator
SET ROLE regress_49_ben;
SET request.jwt.claims = '{"role": "regress_49_web", "sub": "cy@example.com"}';
SELECT pg_temp.me('GET');
RESET ROLE;
SET scim_audit.trusted_authenticators = 'regress_49_login';
SET ROLE regress_49_ben;
SELECT pg_temp.me('GET');
RESET ROLE;
CREATE FUNCTION pg_temp.as_token(claims text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN PERFORM set_config('request.jwt.claims', claims, false); RETURN pg_temp.me('GET'); END $$;
SET SESSION AUTHORIZATION regress_49_login;
SET ROLE regress_49_web;
SELECT coalesce(left(c, 60), 'none'), pg_temp.as_token(c) FROM unnest(ARRAY['{"role": "regress_49_web", "sub": "cy@example.com"}', '{"sub": "CY@example.com"}', '{"role": "regress_49_web"}', '{"sub": null}', '{"sub": 7}', '{"sub": ""}', '{"sub": "entra"}',
	'{"sub": "x\" or userName pr"}', '{"sub": "quote\" or userName pr"}', '{"sub": "a\u0000"}', '{"sub": "cy@example.com", "sub": "entra"}', '{', '[]', '"cy@example.com"', '', NULL, '{"sub": "' || repeat('x', 70000) || '"}']) c;
RESET SESSION AUTHORIZATION;
RESET scim_audit.trusted_authenticators;
RESET request.jwt.claims;

-- in the log, the request is one of the resource
SELECT event_type, action, outcome, status, method, detail ->> 'endpoint', resource_type, resource_id IS NOT NULL, detail ->> 'resource_name', count(*)
	FROM scim_audit.events WHERE tenant = 'regress-49' AND category = 'request' AND detail ->> 'endpoint' = '/Me' GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9 ORDER BY 1, 2, 3, 4, 9;

SELECT scim.drop_tenant('regress-49', 'regress-49'), scim.drop_tenant('regress-49b', 'regress-49b');
DROP ROLE "regress_49_Ana", regress_49_ben, regress_49_none, regress_49_web, regress_49_login;
