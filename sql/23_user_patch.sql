-- PATCH /Users/<id> (RFC 7644 section 3.5.2)
\set VERBOSITY terse
\set QUIET on
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS scim_audit CASCADE;
SELECT scim.create_tenant('regress-23');
CREATE ROLE regress_idp_23;
SELECT scim.grant_duty('regress_idp_23', 'provisioning_admin', 'regress-23');
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
CREATE FUNCTION pg_temp.patch(id text, operations text, VARIADIC paths text[] DEFAULT '{}') RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' | ', status, headers ->> 'ETag', body ->> 'scimType', body ->> 'detail',
		(SELECT string_agg(coalesce((scim_apply.body #> string_to_array(p, '/'))::text, 'absent'), ' | ') FROM unnest(paths) p))
	FROM scim.scim_apply('PATCH', '/Users/' || id, '{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": ' || operations || '}') $$;
SET ROLE regress_idp_23;

SELECT body ->> 'id' AS id FROM scim.scim_apply('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "pia", "active": true, "title": "Clerk",
	"name": {"familyName": "Lund", "givenName": "Pia"}, "emails": [{"value": "pia@work", "type": "work", "primary": true}, {"value": "pia@home", "type": "home"}]}'::text) \gset

-- add, replace, remove
SELECT pg_temp.patch(:'id', '[{"op": "replace", "path": "title", "value": "Guide"}]', 'title');
SELECT pg_temp.patch(:'id', '[{"op": "add", "path": "nickName", "value": "P"}, {"op": "remove", "path": "title"}]', 'nickName', 'title');
SELECT pg_temp.patch(:'id', '[{"op": "replace", "path": "name.givenName", "value": "Pía"}]', 'name');
SELECT pg_temp.patch(:'id', '[{"op": "replace", "path": "name", "value": {"familyName": "Berg"}}]', 'name');
SELECT pg_temp.patch(:'id', '[{"op": "replace", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", "value": "Tours"}]', 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User', 'schemas');
-- value paths; a new primary demotes the old one
SELECT pg_temp.patch(:'id', '[{"op": "replace", "path": "emails[type eq \"work\"].value", "value": "pia@new"}]', 'emails');
SELECT pg_temp.patch(:'id', '[{"op": "replace", "path": "emails[type eq \"home\"].primary", "value": true}]', 'emails');
SELECT pg_temp.patch(:'id', '[{"op": "add", "path": "emails", "value": [{"value": "third@x", "type": "other"}]}]', 'emails/2');
SELECT pg_temp.patch(:'id', '[{"op": "remove", "path": "emails[type eq \"other\"]"}]', 'emails/2');
-- without path
SELECT pg_temp.patch(:'id', '[{"op": "replace", "value": {"active": false, "displayName": "Pia B"}}]', 'active', 'displayName');
-- what the default profile forgives
SELECT pg_temp.patch(:'id', '[{"op": "Replace", "path": "active", "value": "True"}]', 'active');
SELECT pg_temp.patch(:'id', '[{"op": "Add", "path": "phoneNumbers[type eq \"work\"].value", "value": "+1"}]', 'phoneNumbers');

-- What is there already changes nothing: version and lastModified stay.
SELECT body #>> '{meta,lastModified}' AS before FROM scim.scim_apply('GET', '/Users/' || :'id') \gset
SELECT pg_temp.patch(:'id', '[{"op": "add", "path": "active", "value": true}, {"op": "add", "path": "emails", "value": [{"value": "pia@new", "type": "work"}]}]');
SELECT body #>> '{meta,lastModified}' = :'before' FROM scim.scim_apply('GET', '/Users/' || :'id');

-- All operations or none.
SELECT pg_temp.patch(:'id', '[{"op": "replace", "path": "title", "value": "lost"}, {"op": "replace", "path": "userName", "value": null}]');
SELECT pg_temp.patch(:'id', '[{"op": "replace", "path": "title", "value": "lost"}, {"op": "replace", "path": "nosuch", "value": 1}]');
SELECT pg_temp.patch(:'id', '[{"op": "replace", "path": "emails[type eq \"nonexistent\"].value", "value": "x"}]');
SELECT pg_temp.patch(:'id', '[{"op": "replace", "path": "id", "value": "x"}]');
SELECT pg_temp.patch(:'id', '[{"op": "replace", "path": "emails[type eq", "value": "x"}]');
SELECT pg_temp.patch(:'id', '[{"op": "remove"}]');
SELECT pg_temp.patch(:'id', '[{"op": "jump", "path": "title", "value": "x"}]');
SELECT pg_temp.patch(:'id', '[]');
SELECT pg_temp.patch(:'id', '{}');
SELECT pg_temp.refusal('PATCH', '/Users/' || :'id', '{"Operations": [{"op": "replace", "path": "title", "value": "x"}]}');
SELECT pg_temp.refusal('PATCH', '/Users/00000000-0000-7000-8000-000000000000', '{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "replace", "path": "title", "value": "x"}]}');
SELECT body ? 'title', headers ->> 'ETag' FROM scim.scim_apply('GET', '/Users/' || :'id');

-- The manager: set, unknown, removed; gone with the manager.
SELECT body ->> 'id' AS boss FROM scim.scim_apply('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "boss", "displayName": "The Boss"}'::text) \gset
SELECT replace(pg_temp.patch(:'id', '[{"op": "add", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager", "value": {"value": "' || :'boss' || '"}}]', 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User/manager'), :'boss', '<boss>');
SELECT pg_temp.patch(:'id', '[{"op": "replace", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value", "value": "00000000-0000-7000-8000-000000000000"}]');
SELECT status FROM scim.scim_apply('DELETE', '/Users/' || :'boss');
SELECT headers ->> 'ETag', body -> 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User' FROM scim.scim_apply('GET', '/Users/' || :'id');

RESET ROLE;
SELECT status, scim_type, count(*), count(*) FILTER (WHERE detail -> 'tolerances' IS NOT NULL) AS tolerated FROM scim_audit.events
	WHERE tenant = 'regress-23' AND method = 'PATCH' AND category = 'request' GROUP BY 1, 2 ORDER BY 1, 2;
SELECT event_type, changed, detail -> 'old' AS old, detail -> 'new' AS new FROM scim_audit.events
	WHERE tenant = 'regress-23' AND method = 'PATCH' AND category = 'change' AND NOT (detail -> 'new')::jsonb ? 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value' ORDER BY tx_id, n;

RESET ROLE;
DELETE FROM scim.users WHERE tenant = 'regress-23';
DELETE FROM scim.groups WHERE tenant = 'regress-23';
SELECT scim.revoke_duty('regress_idp_23', 'provisioning_admin', 'regress-23');
DROP ROLE regress_idp_23;
DELETE FROM scim.tenants WHERE tenant = 'regress-23';
