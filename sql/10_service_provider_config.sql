-- Discovery (RFC 7644 section 4)
\set VERBOSITY terse
\set QUIET on
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS scim_audit CASCADE;
SELECT scim.create_tenant('regress-10');
CREATE ROLE regress_idp_10;
SELECT scim.grant_duty('regress_idp_10', 'provisioning_admin', 'regress-10');
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
SET ROLE regress_idp_10;

SELECT pg_temp.scim('GET', '/ServiceProviderConfig');
SELECT status, headers FROM scim.scim_apply('GET', '/ServiceProviderConfig/');

-- /ResourceTypes is a ListResponse, each with its schema and extensions.
SELECT body ->> 'totalResults', body -> 'schemas' FROM scim.scim_apply('GET', '/ResourceTypes');
SELECT r ->> 'id', r ->> 'name', r ->> 'endpoint', r ->> 'schema', r -> 'schemaExtensions', r #>> '{meta,resourceType}', r #>> '{meta,location}'
	FROM scim.scim_apply('GET', '/ResourceTypes'), jsonb_array_elements(body -> 'Resources') r ORDER BY 1;
SELECT body ->> 'name', body ? 'storage' FROM scim.scim_apply('GET', '/ResourceTypes/Group');
SELECT pg_temp.refusal('GET', '/ResourceTypes/Device');

-- /Schemas shows what is enforced.
SELECT r ->> 'id', jsonb_array_length(r -> 'attributes') FROM scim.scim_apply('GET', '/Schemas'), jsonb_array_elements(body -> 'Resources') r ORDER BY 1;
SELECT a - 'description' - 'subAttributes' FROM scim.scim_apply('GET', '/Schemas/urn:ietf:params:scim:schemas:core:2.0:User'), jsonb_array_elements(body -> 'attributes') a
	WHERE a ->> 'name' IN ('userName', 'password', 'emails', 'groups') ORDER BY a ->> 'name';
SELECT pg_temp.refusal('GET', '/Schemas/urn:example:none');

-- No null anywhere: some clients stumble over it.
SELECT count(*) FROM scim.scim_apply('GET', '/Schemas') WHERE body::text LIKE '%: null%';

-- A filter is refused (RFC 7644 section 4), other parameters are ignored.
SELECT pg_temp.refusal('GET', '/Schemas?filter=id%20pr');
SELECT pg_temp.refusal('GET', '/ResourceTypes?filter=id%20pr');
SELECT pg_temp.refusal('GET', '/ServiceProviderConfig?filter=id%20pr');
SELECT status FROM scim.scim_apply('GET', '/Schemas?startIndex=3&count=1&sortBy=x&foo=bar');

-- Nothing can be written here.
SELECT status, headers ->> 'Allow' FROM scim.scim_apply('POST', '/Schemas', '{}'::text);
SELECT status, headers ->> 'Allow' FROM scim.scim_apply('DELETE', '/ServiceProviderConfig');
SELECT status, headers ->> 'Allow' FROM scim.scim_apply('TRACE', '/ResourceTypes');

RESET ROLE;
DELETE FROM scim.users WHERE tenant = 'regress-10';
DELETE FROM scim.groups WHERE tenant = 'regress-10';
SELECT scim.revoke_duty('regress_idp_10', 'provisioning_admin', 'regress-10');
DROP ROLE regress_idp_10;
DELETE FROM scim.tenants WHERE tenant = 'regress-10';
