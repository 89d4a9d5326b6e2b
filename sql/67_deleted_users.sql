-- Deleted users that a tenant keeps, and those who come back.
\set VERBOSITY terse
\set QUIET on
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS scim_audit CASCADE;
SELECT scim.create_tenant('regress-67', NULL, '{"soft_delete": true, "password": "hash"}'), scim.create_tenant('regress-67b');
CREATE ROLE regress_67;
CREATE ROLE regress_67_b;
CREATE ROLE regress_67_reader;
SELECT scim.grant_duty('regress_67', 'provisioning_admin', 'regress-67'), scim.grant_duty('regress_67_b', 'provisioning_admin', 'regress-67b'),
	scim.grant_duty('regress_67_reader', 'reader', 'regress-67');
CREATE FUNCTION pg_temp.call(method text, uri text, body text DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' | ', status, body ->> 'totalResults', body ->> 'userName', body ->> 'title', headers ->> 'ETag', body ->> 'scimType', body ->> 'detail') FROM scim.scim_apply($1, $2, $3) $$;
CREATE FUNCTION pg_temp.user(name text, more text DEFAULT '') RETURNS text LANGUAGE sql AS $$
	SELECT format('{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": %s%s}', to_json($1), $2) $$;
CREATE FUNCTION pg_temp.groups(id text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(g ->> 'display', ',' ORDER BY g ->> 'display') FROM scim.scim_apply('GET', '/Users/' || $1), jsonb_array_elements(body -> 'groups') g $$;
SELECT scim.alter_tenant('regress-67', '{"soft_delete": "sometimes"}');

SET ROLE regress_67;
SELECT body ->> 'id' AS boss FROM scim.scim_apply('POST', '/Users', pg_temp.user('boss')) \gset
SELECT body ->> 'id' AS ada, body #>> '{meta,created}' AS created FROM scim.scim_apply('POST', '/Users', pg_temp.user('Ada@x', format(', "title": "Engineer", "password": "a secret", "emails": [{"value": "ada@x", "type": "work"}],
	"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"manager": {"value": "%s"}, "department": "Bridges"}', :'boss'))) \gset
SELECT body ->> 'id' AS bo FROM scim.scim_apply('POST', '/Users', pg_temp.user('bo', format(', "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"manager": {"value": "%s"}}', :'ada'))) \gset
SELECT body ->> 'id' AS crew FROM scim.scim_apply('POST', '/Groups', format('{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "crew", "members": [{"value": "%s"}, {"value": "%s"}]}', :'ada', :'bo')) \gset
SELECT body ->> 'id' AS guests FROM scim.scim_apply('POST', '/Groups', format('{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "guests", "members": [{"value": "%s"}]}', :'ada')) \gset
SELECT pg_temp.call('PUT', '/Users/' || :'ada', pg_temp.user('Ada@x', format(', "title": "Architect", "emails": [{"value": "ada@x", "type": "work"}],
	"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"manager": {"value": "%s"}, "department": "Bridges"}', :'boss')));

-- to SCIM, to applications and to references the user is gone
SELECT pg_temp.call('DELETE', '/Users/' || :'ada');
SELECT pg_temp.call('GET', '/Users/' || :'ada'), pg_temp.call('PUT', '/Users/' || :'ada', pg_temp.user('Ada@x')), pg_temp.call('DELETE', '/Users/' || :'ada');
SELECT pg_temp.call('GET', '/Users?filter=userName%20eq%20%22ada@x%22'), pg_temp.call('GET', '/Users?count=0');
SELECT body -> 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User' FROM scim.scim_apply('GET', '/Users/' || :'bo');
SELECT pg_temp.call('PATCH', '/Groups/' || :'crew', format('{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "add", "path": "members", "value": [{"value": "%s"}]}]}', :'ada')) ~ '^400';
-- but kept, for the tenant's provisioning administrators; without the password
SELECT user_name, id::text = :'ada', resource ->> 'title', groups = ARRAY[:'crew', :'guests']::uuid[], resource::text ~ 'secret|\$2a' FROM scim.deleted_users;
SET ROLE regress_67_b;
SELECT count(*) FROM scim.deleted_users;
SELECT scim.restore_user(:'ada');
SET ROLE regress_67_reader;
SELECT count(*) FROM scim.deleted_users;
SELECT scim.restore_user(:'ada');
SET ROLE regress_67;
DELETE FROM scim.deleted_users;
SELECT scim.purge_deleted_users('regress-67');

-- the name is free; whoever has it then keeps it
SELECT body ->> 'id' AS ada2 FROM scim.scim_apply('POST', '/Users', pg_temp.user('ADA@x')) \gset
SELECT :'ada' <> :'ada2';
SELECT scim.restore_user(:'ada');
SELECT pg_temp.call('DELETE', '/Users/' || :'ada2');
SELECT count(*) FROM scim.deleted_users;

-- back: with id, attributes, time of creation, the groups that are there, and a version that it never had; without the password
SELECT pg_temp.call('DELETE', '/Groups/' || :'guests');
SELECT scim.restore_user(:'ada');
SELECT pg_temp.call('GET', '/Users/' || :'ada'), pg_temp.groups(:'ada');
SELECT body #>> '{meta,created}' = :'created', body #> '{urn:ietf:params:scim:schemas:extension:enterprise:2.0:User}' - 'manager'::text, body #>> '{urn:ietf:params:scim:schemas:extension:enterprise:2.0:User,manager,value}' = :'boss', body -> 'emails'
	FROM scim.scim_apply('GET', '/Users/' || :'ada');
SELECT scim.restore_user(:'ada');
RESET ROLE;
SELECT count(*) FROM scim.user_passwords WHERE user_id = :'ada';
-- a manager who is gone by then is no more the manager
SET ROLE regress_67;
SELECT pg_temp.call('DELETE', '/Users/' || :'ada'), pg_temp.call('DELETE', '/Users/' || :'boss');
SELECT scim.restore_user(:'ada');
SELECT body -> 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User' FROM scim.scim_apply('GET', '/Users/' || :'ada');

-- with reactivate, a POST of the name brings the user back
RESET ROLE;
SELECT scim.alter_tenant('regress-67', '{"reactivate": true}');
SET ROLE regress_67;
SELECT pg_temp.call('DELETE', '/Users/' || :'ada');
SELECT status, body ->> 'id' = :'ada', body ->> 'userName', body ->> 'title', headers ->> 'ETag', jsonb_array_length(body -> 'groups') FROM scim.scim_apply('POST', '/Users', pg_temp.user('aDa@x', ', "title": "Guest"'));
SELECT pg_temp.call('POST', '/Users', pg_temp.user('ada@x'));
SELECT pg_temp.call('POST', '/Users', pg_temp.user('new'));
-- in a bulk request, too
SELECT pg_temp.call('DELETE', '/Users/' || :'ada');
SELECT o ->> 'status', o ->> 'location' LIKE '%' || :'ada', o ->> 'version' FROM scim.scim_apply('POST', '/Bulk',
	format('{"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [{"method": "POST", "path": "/Users", "bulkId": "a", "data": %s}]}', pg_temp.user('ada@X'))), jsonb_array_elements(body -> 'Operations') o;
RESET ROLE;
SELECT scim.alter_tenant('regress-67', '{"reactivate": false}');

-- a direct DELETE is no other; another tenant keeps nothing; a tenant that stops keeping does so at once
SET scim_audit.tenant = 'regress-67b';
INSERT INTO scim.users (user_name) VALUES ('cy');
SET scim_audit.tenant = '';
DELETE FROM scim.users WHERE tenant IN ('regress-67', 'regress-67b') AND user_name <> 'bo';
SELECT scim.alter_tenant('regress-67', '{"soft_delete": false}');
DELETE FROM scim.users WHERE tenant = 'regress-67';
SELECT tenant, user_name FROM scim.deleted_users WHERE tenant ~ '^regress-67' ORDER BY 1, 2;
SELECT event_type, count(*) FROM scim_audit.events WHERE resource_id = :'ada' AND category = 'change' AND tenant = 'regress-67' AND event_type LIKE 'user.%' GROUP BY 1 ORDER BY 1;

-- purged by age
SELECT scim.purge_deleted_users('regress-67', '1 day'), scim.purge_deleted_users('no such tenant');
SELECT scim.purge_deleted_users('regress-67');
SELECT count(*) FROM scim.deleted_users WHERE tenant ~ '^regress-67';
SELECT category, action, event_type, detail -> 'users' FROM scim_audit.events WHERE event_type = 'user.purge' AND tenant = 'regress-67';
SELECT * FROM scim_audit.verify();
-- a tenant that is dropped leaves nothing
SELECT scim.alter_tenant('regress-67', '{"soft_delete": true}');
SET scim_audit.tenant = 'regress-67';
INSERT INTO scim.users (user_name) VALUES ('dan');
SET scim_audit.tenant = '';
SELECT scim.drop_tenant(t, t) FROM unnest('{regress-67,regress-67b}'::text[]) t;
SELECT count(*) FROM scim.deleted_users WHERE tenant ~ '^regress-67';
DROP ROLE regress_67, regress_67_b, regress_67_reader;
