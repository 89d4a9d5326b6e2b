-- DELETE (RFC 7644 section 3.6)
\set VERBOSITY terse
\set QUIET on
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS scim_audit CASCADE;
SELECT scim.create_tenant('regress-24');
CREATE ROLE regress_idp_24;
SELECT scim.grant_duty('regress_idp_24', 'provisioning_admin', 'regress-24');
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
SET ROLE regress_idp_24;

SELECT body ->> 'id' AS id FROM scim.scim_apply('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "leaver"}'::text) \gset
SELECT body ->> 'id' AS gid FROM scim.scim_apply('POST', '/Groups', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "G", "members": [{"value": "' || :'id' || '"}]}') \gset
SELECT pg_temp.scim('DELETE', '/Users/' || :'id');
SELECT pg_temp.refusal('DELETE', '/Users/' || :'id');
SELECT pg_temp.refusal('GET', '/Users/' || :'id');
SELECT pg_temp.refusal('DELETE', '/Users/nobody');
SELECT pg_temp.refusal('DELETE', '/Users');
-- The membership went with the user: the group is another version of itself.
SELECT headers ->> 'ETag', body ? 'members' FROM scim.scim_apply('GET', '/Groups/' || :'gid');
-- The name is free again.
SELECT status FROM scim.scim_apply('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "LEAVER"}'::text);
SELECT status FROM scim.scim_apply('DELETE', '/Groups/' || :'gid');
RESET ROLE;
SELECT category, event_type, outcome, status FROM scim_audit.events WHERE tenant = 'regress-24' AND method = 'DELETE' ORDER BY tx_id, n;

RESET ROLE;
DELETE FROM scim.users WHERE tenant = 'regress-24';
DELETE FROM scim.groups WHERE tenant = 'regress-24';
SELECT scim.revoke_duty('regress_idp_24', 'provisioning_admin', 'regress-24');
DROP ROLE regress_idp_24;
DELETE FROM scim.tenants WHERE tenant = 'regress-24';
