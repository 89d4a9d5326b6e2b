-- Groups and their members
\set VERBOSITY terse
\set QUIET on
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS scim_audit CASCADE;
SELECT scim.create_tenant('regress-30');
CREATE ROLE regress_idp_30;
SELECT scim.grant_duty('regress_idp_30', 'provisioning_admin', 'regress-30');
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
CREATE FUNCTION pg_temp.u(i integer) RETURNS text LANGUAGE sql AS $$ SELECT '{"value": "00000000-0000-7000-8000-' || lpad(i::text, 12, '0') || '"}' $$;
CREATE FUNCTION pg_temp.members(id text) RETURNS text LANGUAGE sql AS $$
	SELECT (headers ->> 'ETag') || ' ' || coalesce((SELECT string_agg((m ->> 'type') || ' ' || (m ->> 'display'), ', ' ORDER BY m ->> 'display')
		FROM jsonb_array_elements(body -> 'members') m), 'none') FROM scim.scim_apply('GET', '/Groups/' || id) $$;
CREATE FUNCTION pg_temp.patch(id text, operations text, query text DEFAULT '') RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' | ', status, headers ->> 'ETag', body ->> 'scimType', body ->> 'detail', body ->> 'displayName')
	FROM scim.scim_apply('PATCH', '/Groups/' || id || query, '{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": ' || operations || '}') $$;
SET ROLE regress_idp_30;

RESET ROLE;
SET scim_audit.tenant = 'regress-30';
INSERT INTO scim.users (user_name, display_name, id) SELECT 'u' || i, 'User ' || i, ('00000000-0000-7000-8000-' || lpad(i::text, 12, '0'))::uuid FROM generate_series(1, 9) i;
RESET scim_audit.tenant;
SET ROLE regress_idp_30;

SELECT pg_temp.scim('POST', '/Groups', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Tour Guides", "externalId": "tg", "members": [' || pg_temp.u(1) || ',' || pg_temp.u(2) || ']}');
SELECT id FROM scim.scim_apply('GET', '/Groups?filter=displayName%20eq%20%22tour%20guides%22'), LATERAL (SELECT body #>> '{Resources,0,id}') x(id) \gset
SELECT pg_temp.members(:'id');

-- add: one version more, those already there stay as they are
SELECT pg_temp.patch(:'id', '[{"op": "add", "path": "members", "value": [' || pg_temp.u(3) || ',' || pg_temp.u(1) || ']}]');
SELECT pg_temp.patch(:'id', '[{"op": "add", "path": "members", "value": [' || pg_temp.u(3) || ']}]');
SELECT pg_temp.members(:'id');
-- remove by filter; who is no member is no error
SELECT pg_temp.patch(:'id', '[{"op": "remove", "path": "members[value eq \"00000000-0000-7000-8000-000000000003\"]"}]');
SELECT pg_temp.patch(:'id', '[{"op": "remove", "path": "members[value eq \"00000000-0000-7000-8000-000000000009\"]"}]');
-- remove with a list means the list (Entra, JumpCloud), not everybody
SELECT pg_temp.patch(:'id', '[{"op": "Remove", "path": "members", "value": [{"$ref": null, "value": "00000000-0000-7000-8000-000000000002"}]}]');
SELECT pg_temp.members(:'id');
-- several operations and an attribute: one version
SELECT pg_temp.patch(:'id', '[{"op": "add", "path": "members", "value": [' || pg_temp.u(4) || ',' || pg_temp.u(5) || ']}, {"op": "remove", "path": "members[value eq \"00000000-0000-7000-8000-000000000001\"]"}, {"op": "replace", "path": "displayName", "value": "Guides"}]');
-- replace: only what differs is written
SELECT pg_temp.patch(:'id', '[{"op": "replace", "path": "members", "value": [' || pg_temp.u(5) || ',' || pg_temp.u(6) || ']}]');
SELECT pg_temp.members(:'id');
SELECT pg_temp.patch(:'id', '[{"op": "replace", "value": {"members": [' || pg_temp.u(5) || ',' || pg_temp.u(6) || ']}}]');
-- an answer with body, when attributes are asked for
SELECT pg_temp.patch(:'id', '[{"op": "replace", "path": "displayName", "value": "Tour Guides"}]', '?attributes=displayName');

-- Ids that are nobody's: unknown, of another tenant, no ids at all.  Nothing is written.
RESET ROLE;
INSERT INTO scim.users (tenant, user_name, id) VALUES ('default', 'regress_30_foreign', '00000000-0000-7000-8000-00000000f030');
SET ROLE regress_idp_30;
SELECT pg_temp.patch(:'id', '[{"op": "add", "path": "members", "value": [' || pg_temp.u(7) || ', {"value": "00000000-0000-7000-8000-00000000dead"}]}]');
SELECT pg_temp.patch(:'id', '[{"op": "add", "path": "members", "value": [{"value": "00000000-0000-7000-8000-00000000f030"}]}]');
SELECT pg_temp.patch(:'id', '[{"op": "add", "path": "members", "value": [{"value": "nobody"}]}]');
SELECT pg_temp.patch(:'id', '[{"op": "add", "path": "members", "value": [{"display": "nobody"}]}]');
SELECT pg_temp.refusal('POST', '/Groups', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "X", "members": [{"value": "00000000-0000-7000-8000-00000000dead"}]}');
SELECT pg_temp.refusal('POST', '/Groups', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"]}');
SELECT pg_temp.members(:'id');

-- Groups in groups, also in a circle.
SELECT body ->> 'id' AS inner FROM scim.scim_apply('POST', '/Groups', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Inner", "members": [{"value": "' || :'id' || '", "type": "Group"}]}') \gset
SELECT pg_temp.patch(:'id', '[{"op": "add", "path": "members", "value": [{"value": "' || :'inner' || '"}]}]');
SELECT pg_temp.members(:'id'), pg_temp.members(:'inner');
SELECT status FROM scim.scim_apply('DELETE', '/Groups/' || :'inner');
SELECT pg_temp.members(:'id');

-- PUT sets all members; without members there are none.
SELECT status, headers ->> 'ETag', jsonb_array_length(body -> 'members') FROM scim.scim_apply('PUT', '/Groups/' || :'id', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Tour Guides", "members": [' || pg_temp.u(8) || ']}');
SELECT status, headers ->> 'ETag', body ? 'members' FROM scim.scim_apply('PUT', '/Groups/' || :'id', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Tour Guides"}');
SELECT status, headers ->> 'ETag' FROM scim.scim_apply('PUT', '/Groups/' || :'id', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Tour Guides"}');
-- Empty it: value [], value null, remove.
SELECT pg_temp.patch(:'id', '[{"op": "add", "path": "members", "value": [' || pg_temp.u(1) || ']}]'), pg_temp.patch(:'id', '[{"op": "replace", "path": "members", "value": []}]'), pg_temp.members(:'id');
SELECT pg_temp.patch(:'id', '[{"op": "add", "path": "members", "value": [' || pg_temp.u(1) || ']}]'), pg_temp.patch(:'id', '[{"op": "replace", "path": "members", "value": null}]'), pg_temp.members(:'id');
SELECT pg_temp.patch(:'id', '[{"op": "add", "path": "members", "value": [' || pg_temp.u(1) || ']}]'), pg_temp.patch(:'id', '[{"op": "remove", "path": "members"}]'), pg_temp.members(:'id');

-- Members are found by filter, and left out where not wanted.
SELECT pg_temp.patch(:'id', '[{"op": "add", "path": "members", "value": [' || pg_temp.u(1) || ',' || pg_temp.u(2) || ']}]');
SELECT body ->> 'totalResults' FROM scim.scim_apply('GET', '/Groups?filter=members%5Bvalue%20eq%20%2200000000-0000-7000-8000-000000000001%22%5D');
SELECT body ->> 'totalResults', body #> '{Resources,0}' ? 'members' FROM scim.scim_apply('GET', '/Groups?excludedAttributes=members&filter=members%20eq%20%2200000000-0000-7000-8000-000000000001%22');

-- Direct SQL: a statement is one version of each group it touches.
RESET ROLE;
SELECT version AS v FROM scim.groups WHERE id = :'id' \gset
INSERT INTO scim.group_members (tenant, group_id, member_id) SELECT 'regress-30', :'id', id FROM scim.users WHERE user_name IN ('u7', 'u8', 'u9') AND tenant = 'regress-30';
SELECT version - :v FROM scim.groups WHERE id = :'id';
DELETE FROM scim.users WHERE user_name IN ('u7', 'u8') AND tenant = 'regress-30';
SELECT version - :v, (SELECT string_agg(member_name, ',' ORDER BY member_name) FROM scim.group_memberships m WHERE m.group_id = g.id) FROM scim.groups g WHERE id = :'id';
UPDATE scim.group_members SET created = now() WHERE group_id = :'id';
DELETE FROM scim.group_members WHERE false;
SELECT version - :v FROM scim.groups WHERE id = :'id';
-- A membership never crosses tenants.
INSERT INTO scim.group_members (tenant, group_id, member_id) VALUES ('regress-30', :'id', '00000000-0000-7000-8000-00000000f030');
INSERT INTO scim.group_members (tenant, group_id, member_id) VALUES ('default', :'id', '00000000-0000-7000-8000-00000000f030');
DELETE FROM scim.users WHERE id = '00000000-0000-7000-8000-00000000f030';

-- One change event for each member, and none for the group's new version.
SELECT event_type, method, origin, count(*) FROM scim_audit.events WHERE tenant = 'regress-30' AND category = 'change' AND resource_type = 'Group' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;

RESET ROLE;
DELETE FROM scim.users WHERE tenant = 'regress-30';
DELETE FROM scim.groups WHERE tenant = 'regress-30';
SELECT scim.revoke_duty('regress_idp_30', 'provisioning_admin', 'regress-30');
DROP ROLE regress_idp_30;
DELETE FROM scim.tenants WHERE tenant = 'regress-30';
