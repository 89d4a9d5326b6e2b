-- PUT /Users/<id> (RFC 7644 section 3.5.1)
\set VERBOSITY terse
\set QUIET on
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS scim_audit CASCADE;
SELECT scim.create_tenant('regress-22');
CREATE ROLE regress_idp_22;
SELECT scim.grant_duty('regress_idp_22', 'provisioning_admin', 'regress-22');
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
SET ROLE regress_idp_22;

SELECT body ->> 'id' AS id FROM scim.scim_apply('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "otto", "externalId": "X1", "title": "Clerk",
	"emails": [{"value": "otto@x", "type": "work"}], "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": "Tours", "costCenter": "1"}}'::text) \gset
SELECT body ->> 'id' AS other FROM scim.scim_apply('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "other"}'::text) \gset

-- What is left out is gone; id, meta and groups are the server's.
SELECT pg_temp.scim('PUT', '/Users/' || :'id', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "id": "' || :'other' || '", "userName": "otto2", "title": "Guide",
	"groups": [{"value": "' || :'other' || '"}], "meta": {"version": "W/\"77\""}}');
-- The same again changes nothing: neither version nor lastModified.
SELECT body #>> '{meta,lastModified}' AS before FROM scim.scim_apply('GET', '/Users/' || :'id') \gset
SELECT status, headers ->> 'ETag', body #>> '{meta,lastModified}' = :'before' FROM scim.scim_apply('PUT', '/Users/' || :'id', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "otto2", "title": "Guide"}');
-- An echo of what was read is the same too.
SELECT r.status, r.headers ->> 'ETag' FROM scim.scim_apply('GET', '/Users/' || :'id') g, scim.scim_apply('PUT', '/Users/' || :'id', g.body) r;

SELECT pg_temp.refusal('PUT', '/Users/' || :'id', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "OTHER"}');
SELECT pg_temp.refusal('PUT', '/Users/' || :'id', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "title": "x"}');
SELECT pg_temp.refusal('PUT', '/Users/00000000-0000-7000-8000-000000000000', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "x"}');
SELECT pg_temp.refusal('PUT', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "x"}');
-- A refused call leaves nothing behind.
SELECT body ->> 'userName', headers ->> 'ETag' FROM scim.scim_apply('GET', '/Users/' || :'id');

RESET ROLE;
SELECT category, event_type, outcome, status, scim_type, changed, detail ->> 'old' AS old, detail ->> 'new' AS new FROM scim_audit.events
	WHERE tenant = 'regress-22' AND method = 'PUT' ORDER BY tx_id, n;

RESET ROLE;
DELETE FROM scim.users WHERE tenant = 'regress-22';
DELETE FROM scim.groups WHERE tenant = 'regress-22';
SELECT scim.revoke_duty('regress_idp_22', 'provisioning_admin', 'regress-22');
DROP ROLE regress_idp_22;
DELETE FROM scim.tenants WHERE tenant = 'regress-22';
