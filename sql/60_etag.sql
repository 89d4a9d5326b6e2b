-- Versions and preconditions (RFC 7644 section 3.14)
\set VERBOSITY terse
\set QUIET on
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS scim_audit CASCADE;
SELECT scim.create_tenant('regress-60');
CREATE ROLE regress_idp_60;
SELECT scim.grant_duty('regress_idp_60', 'provisioning_admin', 'regress-60');
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
SET ROLE regress_idp_60;

SELECT body ->> 'id' AS id, headers ->> 'ETag' AS etag FROM scim.scim_apply('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "eta"}'::text) \gset
SELECT :'etag';
-- GET: 304 without body when the version is known.
SELECT pg_temp.scim('GET', '/Users/' || :'id', headers => '{"If-None-Match": "W/\"1\""}');
SELECT pg_temp.scim('GET', '/Users/' || :'id', headers => '{"if-none-match": "W/\"7\", \"1\""}');
SELECT status FROM scim.scim_apply('GET', '/Users/' || :'id', headers => '{"If-None-Match": "*"}');
SELECT status FROM scim.scim_apply('GET', '/Users/' || :'id', headers => '{"If-None-Match": "W/\"7\""}');
-- Writes: 412 when the version is another.
SELECT pg_temp.refusal('PUT', '/Users/' || :'id', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "eta", "title": "lost"}', '{"If-Match": "W/\"9\""}');
SELECT pg_temp.refusal('PATCH', '/Users/' || :'id', '{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "replace", "path": "title", "value": "lost"}]}', '{"if-match": "W/\"9\""}');
SELECT pg_temp.refusal('DELETE', '/Users/' || :'id', headers => '{"If-Match": "W/\"9\""}');
SELECT pg_temp.refusal('PUT', '/Users/' || :'id', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "eta", "title": "lost"}', '{"If-None-Match": "*"}');
SELECT status, headers ->> 'ETag', body ->> 'title' FROM scim.scim_apply('PUT', '/Users/' || :'id', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "eta", "title": "kept"}', '{"If-Match": "W/\"1\""}');
SELECT status, headers ->> 'ETag' FROM scim.scim_apply('PATCH', '/Users/' || :'id', '{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "replace", "path": "title", "value": "x"}]}', '{"IF-MATCH": "W/\"2\""}');
SELECT status, headers ->> 'ETag' FROM scim.scim_apply('PATCH', '/Users/' || :'id', '{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "replace", "path": "title", "value": "y"}]}', '{"If-Match": "*"}');
SELECT pg_temp.refusal('DELETE', '/Users/00000000-0000-7000-8000-000000000000', headers => '{"If-Match": "*"}');

-- Plain SQL makes a new version too, so that a stale tag is refused.
RESET ROLE;
UPDATE scim.users SET title = 'by hand' WHERE id = :'id' RETURNING version;
UPDATE scim.users SET title = 'by hand' WHERE id = :'id' RETURNING version;
UPDATE scim.users SET version = 1000, created = 'epoch', last_modified = 'epoch' WHERE id = :'id'
	RETURNING version, created > '2020-01-01', last_modified > '2020-01-01';
UPDATE scim.users SET id = scim.uuid7() WHERE id = :'id';
UPDATE scim.users SET tenant = 'default' WHERE id = :'id';
INSERT INTO scim.users (tenant, user_name, version, created, last_modified) VALUES ('regress-60', 'forged', 9, 'epoch', 'epoch')
	RETURNING version, created > '2020-01-01', last_modified > '2020-01-01';
SET ROLE regress_idp_60;
SELECT pg_temp.refusal('PATCH', '/Users/' || :'id', '{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "replace", "path": "title", "value": "z"}]}', '{"If-Match": "W/\"4\""}');
SELECT status FROM scim.scim_apply('DELETE', '/Users/' || :'id', headers => '{"If-Match": "W/\"5\""}');

RESET ROLE;
-- what another server sends: its version where that goes forward; a change there whose version was used here
-- for another state, which its time tells, gets the next one; what changed nothing there changes nothing here
SET session_replication_role = replica;
INSERT INTO scim.groups (tenant, display_name, version, last_modified) VALUES ('regress-60', 'replicated', 3, '2026-01-01 00:00Z') RETURNING version, last_modified AT TIME ZONE 'UTC';
UPDATE scim.groups SET version = 3 WHERE display_name = 'replicated' RETURNING version, last_modified AT TIME ZONE 'UTC';
UPDATE scim.groups SET version = 3, last_modified = '2026-01-02 00:00Z' WHERE display_name = 'replicated' RETURNING version, last_modified AT TIME ZONE 'UTC';
UPDATE scim.groups SET version = 7, last_modified = '2026-01-03 00:00Z' WHERE display_name = 'replicated' RETURNING version, last_modified AT TIME ZONE 'UTC';
UPDATE scim.groups SET version = 7, last_modified = '2026-01-03 00:00Z' WHERE display_name = 'replicated' RETURNING version, last_modified AT TIME ZONE 'UTC';
RESET session_replication_role;
DELETE FROM scim.users WHERE tenant = 'regress-60';
DELETE FROM scim.groups WHERE tenant = 'regress-60';
SELECT scim.revoke_duty('regress_idp_60', 'provisioning_admin', 'regress-60');
DROP ROLE regress_idp_60;
DELETE FROM scim.tenants WHERE tenant = 'regress-60';
