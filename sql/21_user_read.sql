-- GET /Users/<id> and projections (RFC 7644 sections 3.4.1, 3.9)
\set VERBOSITY terse
\set QUIET on
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS scim_audit CASCADE;
SELECT scim.create_tenant('regress-21');
CREATE ROLE regress_idp_21;
SELECT scim.grant_duty('regress_idp_21', 'provisioning_admin', 'regress-21');
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
SET ROLE regress_idp_21;

SELECT body ->> 'id' AS id FROM scim.scim_apply('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "mira", "externalId": "X1", "active": false,
	"name": {"familyName": "Vance", "givenName": "Mira"}, "emails": [{"value": "mira@x", "type": "work"}, {"value": "m@home", "type": "home"}],
	"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": "Tours"}}'::text) \gset
SELECT pg_temp.scim('GET', '/Users/' || :'id');
SELECT pg_temp.scim('GET', '/Users/' || upper(:'id') || '?attributes=userName,name.givenName,emails.value');
SELECT pg_temp.scim('GET', '/Users/' || :'id' || '?excludedAttributes=emails,name,meta');
SELECT pg_temp.scim('GET', '/Users/' || :'id' || '?attributes=urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department');
-- What is returned always or never is no matter of choice.
SELECT body ? 'id', body ? 'password' FROM scim.scim_apply('GET', '/Users/' || :'id' || '?excludedAttributes=id');
SELECT pg_temp.refusal('GET', '/Users/' || :'id' || '?attributes=password');
SELECT pg_temp.refusal('GET', '/Users/' || :'id' || '?attributes=a&excludedAttributes=b');

-- What is not there: an unknown id, no id at all, a group's, another tenant's.
SELECT pg_temp.scim('GET', '/Users/00000000-0000-7000-8000-000000000000');
SELECT pg_temp.refusal('GET', '/Users/00919288221112222');
SELECT pg_temp.refusal('GET', '/Users/%27%20OR%201=1%20--');
SELECT pg_temp.refusal('GET', '/Groups/' || :'id');
SELECT pg_temp.refusal('GET', '/Nothing/' || :'id');
SELECT pg_temp.refusal('GET', '/Users/' || :'id' || '/more');
SELECT pg_temp.refusal('GET', '/');
SELECT pg_temp.refusal('GET', '/Me');

-- groups is computed.
SELECT pg_temp.scim('POST', '/Groups?attributes=displayName', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Tour Guides", "members": [{"value": "' || :'id' || '"}]}');
SELECT jsonb_array_length(body -> 'groups'), body #>> '{groups,0,display}', body #>> '{groups,0,type}', body #>> '{groups,0,$ref}' LIKE '%/Groups/%', body #>> '{meta,version}'
	FROM scim.scim_apply('GET', '/Users/' || :'id');
SELECT body ? 'groups' FROM scim.scim_apply('GET', '/Users/' || :'id' || '?attributes=userName');

-- A read is an event only when it fails (log_reads = failures).
RESET ROLE;
SELECT action, event_type, outcome, status, count(*) FROM scim_audit.events WHERE tenant = 'regress-21' AND method = 'GET' GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4;
SET scim_audit.log_reads = 'all';
SET ROLE regress_idp_21;
SELECT status FROM scim.scim_apply('GET', '/Users/' || :'id');
RESET ROLE;
SET scim_audit.log_reads = 'none';
SET ROLE regress_idp_21;
SELECT status FROM scim.scim_apply('GET', '/Users/nobody');
RESET ROLE;
RESET scim_audit.log_reads;
SELECT outcome, count(*) FROM scim_audit.events WHERE tenant = 'regress-21' AND method = 'GET' GROUP BY 1 ORDER BY 1;

-- A successful read takes no transaction id.
SET ROLE regress_idp_21;
BEGIN;
SELECT status FROM scim.scim_apply('GET', '/Users/' || :'id');
SELECT status FROM scim.scim_apply('GET', '/Users?filter=userName%20eq%20%22mira%22');
SELECT pg_current_xact_id_if_assigned() IS NULL;
COMMIT;
-- In a read-only transaction reads work and writes are PostgreSQL's own error.
BEGIN READ ONLY;
SELECT status FROM scim.scim_apply('GET', '/Users/' || :'id');
SELECT status FROM scim.scim_apply('DELETE', '/Users/' || :'id');
ROLLBACK;

RESET ROLE;
DELETE FROM scim.users WHERE tenant = 'regress-21';
DELETE FROM scim.groups WHERE tenant = 'regress-21';
SELECT scim.revoke_duty('regress_idp_21', 'provisioning_admin', 'regress-21');
DROP ROLE regress_idp_21;
DELETE FROM scim.tenants WHERE tenant = 'regress-21';
