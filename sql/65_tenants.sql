-- Tenants see nothing of each other: tables, functions, error texts.
\set VERBOSITY terse
\set QUIET on
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS scim_audit CASCADE;
SELECT scim.create_tenant('regress-65a', 'https://scim.example/a/scim/v2/', '{"password": "hash"}');
SELECT scim.create_tenant('regress-65b');
CREATE ROLE regress_65_a;
CREATE ROLE regress_65_b;
CREATE ROLE regress_65_both;
CREATE ROLE regress_65_all;
CREATE ROLE regress_65_reader;
CREATE ROLE regress_65_auditor;
CREATE ROLE regress_65_nobody;
SELECT scim.grant_duty('regress_65_a', 'provisioning_admin', 'regress-65a');
SELECT scim.grant_duty('regress_65_b', 'provisioning_admin', 'regress-65b');
SELECT scim.grant_duty('regress_65_both', 'provisioning_admin', 'regress-65a'), scim.grant_duty('regress_65_both', 'provisioning_admin', 'regress-65b');
SELECT scim.grant_duty('regress_65_all', 'provisioning_admin');
SELECT scim.grant_duty('regress_65_reader', 'reader', 'regress-65a');
SELECT scim.grant_duty('regress_65_auditor', 'auditor', 'regress-65a');
CREATE FUNCTION pg_temp.call(method text, uri text, body text DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' | ', status, coalesce(body ->> 'userName', body ->> 'displayName'), body ->> 'scimType', body ->> 'totalResults',
		regexp_replace(body ->> 'detail', '[0-9a-f]{8}-[0-9a-f-]{27}', '<id>', 'g')) FROM scim.scim_apply($1, $2, $3) $$;

-- settings
SELECT * FROM scim.tenant_settings WHERE tenant LIKE 'regress-65_' ORDER BY 1;
SELECT scim.create_tenant('regress-65a');
SELECT scim.create_tenant('Regress'), scim.create_tenant('x y');
SELECT scim.create_tenant('-x');
SELECT scim.create_tenant('');
SELECT scim.create_tenant(NULL);
SELECT scim.create_tenant(repeat('a', 64));
SELECT scim.create_tenant('regress-65c', 'ftp://x');
SELECT scim.create_tenant('regress-65c', settings => '{"passwd": "hash"}');
SELECT scim.create_tenant('regress-65c', settings => '{"password": "plain"}');
SELECT count(*) FROM scim.tenants WHERE tenant = 'regress-65c';
SELECT scim.alter_tenant('regress-65c', '{}');

-- the same name in both, each with its own
SET ROLE regress_65_a;
SELECT pg_temp.call('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ana", "password": "Tops3cret"}');
SELECT body ->> 'id' AS a, body #>> '{meta,location}' = 'https://scim.example/a/scim/v2/Users/' || (body ->> 'id') AS located FROM scim.scim_apply('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "a-only"}'::text) \gset
SELECT :'located';
SET ROLE regress_65_b;
SELECT pg_temp.call('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ANA"}');
SELECT body ->> 'id' AS b FROM scim.scim_apply('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "b-only"}'::text) \gset
SELECT body ->> 'id' AS gb FROM scim.scim_apply('POST', '/Groups', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "gb"}'::text) \gset

-- b asks for what is a's: the answers are those for what does not exist
SELECT pg_temp.call('GET', '/Users/' || :'a'), pg_temp.call('GET', '/Users/00000000-0000-7000-8000-000000000000');
SELECT pg_temp.call('PUT', '/Users/' || :'a', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "x"}');
SELECT pg_temp.call('PATCH', '/Users/' || :'a', '{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "replace", "path": "title", "value": "x"}]}');
SELECT pg_temp.call('DELETE', '/Users/' || :'a');
SELECT pg_temp.call('GET', '/Users'), pg_temp.call('GET', '/Users?filter=id%20eq%20%22' || :'a' || '%22');
SELECT pg_temp.call('PATCH', '/Groups/' || :'gb', '{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "add", "path": "members", "value": [{"value": "' || :'a' || '"}]}]}') AS foreign_member,
	pg_temp.call('PATCH', '/Groups/' || :'gb', '{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "add", "path": "members", "value": [{"value": "00000000-0000-7000-8000-000000000000"}]}]}') AS no_member;
SELECT pg_temp.call('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "x", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"manager": {"value": "' || :'a' || '"}}}') AS foreign_manager,
	pg_temp.call('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "x", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"manager": {"value": "00000000-0000-7000-8000-000000000000"}}}') AS no_manager;
SELECT pg_temp.call('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "a-only"}');

-- which tenant: the only one, or the one chosen among one's own
SET scim_audit.tenant = 'regress-65a';
SELECT pg_temp.call('GET', '/Users');
SET scim_audit.tenant = 'no-such-tenant';
SELECT pg_temp.call('GET', '/Users');
RESET scim_audit.tenant;
SET ROLE regress_65_both;
SELECT pg_temp.call('GET', '/Users'), pg_temp.call('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "x"}');
SET scim_audit.tenant = 'regress-65b';
SELECT pg_temp.call('GET', '/Users?filter=userName%20eq%20%22b-only%22');
RESET scim_audit.tenant;
SET ROLE regress_65_all;
SELECT pg_temp.call('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "x"}');
SET scim_audit.tenant = 'regress-65b';
SELECT pg_temp.call('GET', '/Users');
SET scim_audit.tenant = 'no-such-tenant';
SELECT pg_temp.call('GET', '/Users');
RESET scim_audit.tenant;

-- duties of another kind: a reader reads, an auditor does neither, nobody gets PostgreSQL's own error
SET ROLE regress_65_reader;
SELECT pg_temp.call('GET', '/Users?filter=userName%20eq%20%22ana%22'), pg_temp.call('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "x"}'), pg_temp.call('DELETE', '/Users/' || :'a');
SET ROLE regress_65_auditor;
SELECT pg_temp.call('GET', '/Users'), pg_temp.call('GET', '/ServiceProviderConfig'), pg_temp.call('DELETE', '/Users/' || :'a');
SET ROLE regress_65_nobody;
SELECT pg_temp.call('GET', '/Users');

-- direct SQL is under row-level security
SET ROLE regress_65_reader;
SELECT user_name FROM scim.users ORDER BY 1;
SELECT count(*) FROM scim.users WHERE tenant = 'regress-65b' OR scim.fold(user_name) = 'b-only';
INSERT INTO scim.users (tenant, user_name) VALUES ('regress-65a', 'x');
SELECT count(*) FROM scim.user_passwords;
SET ROLE regress_65_a;
SELECT count(*) FROM scim.users;
RESET ROLE;
GRANT SELECT, INSERT, UPDATE, DELETE ON scim.users TO regress_65_a;
SET ROLE regress_65_a;
SELECT count(*) FROM scim.users;
INSERT INTO scim.users (user_name) VALUES ('by-hand') RETURNING tenant;
INSERT INTO scim.users (tenant, user_name) VALUES ('regress-65b', 'by-hand');
INSERT INTO scim.users (tenant, user_name) VALUES ('no-such-tenant', 'by-hand');
UPDATE scim.users SET title = 'x' WHERE user_name = 'b-only' RETURNING 1;
DELETE FROM scim.users WHERE tenant = 'regress-65b' RETURNING 1;
UPDATE scim.users SET manager_id = :'b' WHERE user_name = 'by-hand';
RESET ROLE;

-- passwords: kept as a hash nobody reads, checked for the tenant's reader only
SELECT count(*), bool_and(hash LIKE '$2a$%') FROM scim.user_passwords WHERE tenant = 'regress-65a';
SELECT count(*) FROM scim_audit.events WHERE tenant LIKE 'regress-65_' AND (detail::text LIKE '%Tops3cret%' OR detail::text LIKE '%$2a$%');
SELECT id AS ana FROM scim.users WHERE tenant = 'regress-65a' AND user_name = 'ana' \gset
SET ROLE regress_65_reader;
SELECT scim.check_password(:'ana', 'Tops3cret'), scim.check_password(:'ana', 'tops3cret'), scim.check_password(:'b', 'x'), scim.check_password(:'ana', NULL);
SET ROLE regress_65_a;
SELECT scim.check_password(:'ana', 'Tops3cret');
SELECT status, headers ->> 'ETag', body ? 'password' FROM scim.scim_apply('PATCH', '/Users/' || :'ana', '{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "replace", "path": "password", "value": "An0therOne"}]}'::text);
SELECT pg_temp.call('PATCH', '/Users/' || :'ana', '{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "replace", "path": "active", "value": false}]}');
SET ROLE regress_65_reader;
SELECT scim.check_password(:'ana', 'An0therOne') AS inactive;
RESET ROLE;
UPDATE scim.users SET active = true WHERE id = :'ana';
SET ROLE regress_65_reader;
SELECT scim.check_password(:'ana', 'An0therOne'), scim.check_password(:'ana', 'Tops3cret');
RESET ROLE;
SELECT count(*) FROM scim_audit.events WHERE tenant LIKE 'regress-65_' AND detail::text LIKE '%An0therOne%';

-- recent_requests: one's own tenants, and why they failed
SET ROLE regress_65_b;
SELECT DISTINCT tenant FROM scim.recent_requests(1000);
SELECT method, regexp_replace(endpoint, '[0-9a-f]{8}-[0-9a-f-]{27}', '<id>'), status, scim_type, regexp_replace(error, '[0-9a-f]{8}-[0-9a-f-]{27}', '<id>', 'g') FROM scim.recent_requests(1000) WHERE status IN (400, 403) ORDER BY request_id;
SELECT count(*) FROM scim_audit.events;
SET ROLE regress_65_reader;
SELECT count(*) FROM scim.recent_requests();
RESET ROLE;

-- refusals because of who called are denied events, in the caller's own tenant
SELECT tenant, actor, action, event_type, outcome, status FROM scim_audit.events
	WHERE actor LIKE 'regress_65_%' AND outcome = 'denied' ORDER BY tx_id, n;
SELECT tenant, category, action, event_type, detail -> 'settings' FROM scim_audit.events
	WHERE tenant LIKE 'regress-65_' AND category = 'admin' AND event_type LIKE 'tenant.%' ORDER BY tx_id, n;

DELETE FROM scim.tenants WHERE tenant = 'regress-65a';
UPDATE scim.tenants SET tenant = 'regress-65x' WHERE tenant = 'regress-65a';
DELETE FROM scim.users WHERE tenant LIKE 'regress-65_';
DELETE FROM scim.groups WHERE tenant LIKE 'regress-65_';
REVOKE ALL ON scim.users FROM regress_65_a;
SELECT scim.revoke_duty('regress_65_a', 'provisioning_admin', 'regress-65a'), scim.revoke_duty('regress_65_b', 'provisioning_admin', 'regress-65b'),
	scim.revoke_duty('regress_65_both', 'provisioning_admin', 'regress-65a'), scim.revoke_duty('regress_65_both', 'provisioning_admin', 'regress-65b'),
	scim.revoke_duty('regress_65_all', 'provisioning_admin'), scim.revoke_duty('regress_65_reader', 'reader', 'regress-65a'),
	scim.revoke_duty('regress_65_auditor', 'auditor', 'regress-65a');
DROP ROLE regress_65_a, regress_65_b, regress_65_both, regress_65_all, regress_65_reader, regress_65_auditor, regress_65_nobody;
DELETE FROM scim.tenants WHERE tenant LIKE 'regress-65_';
