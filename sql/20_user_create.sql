-- POST /Users (RFC 7644 section 3.3)
\set VERBOSITY terse
\set QUIET on
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS scim_audit CASCADE;
SELECT scim.create_tenant('regress-20');
CREATE ROLE regress_idp_20;
SELECT scim.grant_duty('regress_idp_20', 'provisioning_admin', 'regress-20');
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
SET ROLE regress_idp_20;

-- The full user of RFC 7643 section 8.2, with the enterprise extension of 8.3.
SELECT pg_temp.scim('POST', '/Users', '{
  "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
  "id": "2819c223-7f76-453a-919d-413861904646",
  "externalId": "701984",
  "userName": "bjensen@example.com",
  "name": {"formatted": "Ms. Barbara J Jensen, III", "familyName": "Jensen", "givenName": "Barbara",
    "middleName": "Jane", "honorificPrefix": "Ms.", "honorificSuffix": "III"},
  "displayName": "Babs Jensen",
  "nickName": "Babs",
  "profileUrl": "https://login.example.com/bjensen",
  "emails": [{"value": "bjensen@example.com", "type": "work", "primary": true},
    {"value": "babs@jensen.org", "type": "home"}],
  "addresses": [{"streetAddress": "100 Universal City Plaza", "locality": "Hollywood", "region": "CA",
    "postalCode": "91608", "country": "US", "formatted": "100 Universal City Plaza\nHollywood, CA 91608 USA",
    "type": "work", "primary": true}],
  "phoneNumbers": [{"value": "555-555-5555", "type": "work"}, {"value": "555-555-4444", "type": "mobile"}],
  "ims": [{"value": "someaimhandle", "type": "aim"}],
  "photos": [{"value": "https://photos.example.com/profilephoto/72930000000Ccne/F", "type": "photo"}],
  "userType": "Employee", "title": "Tour Guide", "preferredLanguage": "en-US", "locale": "en-US",
  "timezone": "America/Los_Angeles", "active": true, "password": "t1meMa$heen",
  "groups": [{"value": "e9e30dba-f08f-4109-8486-d5c6a331660a"}],
  "entitlements": [{"value": "parking"}], "roles": [{"value": "guide", "primary": true}],
  "x509Certificates": [{"value": "MIIDQzCCAqygAwIBAgICEAAwDQYJKoZIhvcNAQEFBQAwTjELMAkGA1UEBhMCVVM="}],
  "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"employeeNumber": "701984", "costCenter": "4130", "organization": "Universal Studios",
    "division": "Theme Park", "department": "Tour Operations"},
  "meta": {"resourceType": "User", "created": "2010-01-23T04:56:22Z", "version": "W/\"99\""}
}');

-- It is a row like any other.
RESET ROLE;
SELECT external_id, user_name, active, name_family_name, department, version, jsonb_array_length(emails) FROM scim.users WHERE tenant = 'regress-20';
SELECT value, type, is_primary, position FROM scim.user_emails WHERE tenant = 'regress-20' ORDER BY position;
SET ROLE regress_idp_20;

-- The least there can be; null, [] and absent are one state (RFC 7643 section 2.5).
SELECT pg_temp.scim('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "min", "title": null, "emails": [], "name": {"givenName": null}}');
SELECT pg_temp.scim('POST', '/Users?attributes=userName', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "narrow", "title": "x"}');

-- userName is unique whatever its case, by our own folding.
SELECT pg_temp.refusal('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "BJENSEN@EXAMPLE.COM"}');
SELECT pg_temp.refusal('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "Ärger"}');
SELECT pg_temp.refusal('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "äRGER"}');
-- externalId is not unique (RFC 7643 section 3.1 leaves it to the client).
SELECT pg_temp.refusal('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "same-external", "externalId": "701984"}');

-- What is required, and of which type.
SELECT pg_temp.refusal('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"]}');
SELECT pg_temp.refusal('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": null}');
SELECT pg_temp.refusal('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": ""}');
SELECT pg_temp.refusal('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": 7}');
SELECT pg_temp.refusal('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": ["a"]}');
SELECT pg_temp.refusal('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "t1", "active": "perhaps"}');
SELECT pg_temp.refusal('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "t1", "name": "Babs"}');
SELECT pg_temp.refusal('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "t1", "emails": [7]}');
SELECT pg_temp.refusal('POST', '/Users', '{"userName": "t1"}');
SELECT pg_temp.refusal('POST', '/Users', '{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "userName": "t1"}');

-- At most one value is primary (RFC 7643 section 2.4).
SELECT pg_temp.refusal('POST', '/Users',
	'{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "t1", "emails": [{"value": "a@x", "primary": true}, {"value": "b@x", "primary": true}]}');

-- A manager is a user of this tenant.
SELECT body #>> '{Resources,0,id}' AS boss FROM scim.scim_apply('GET', '/Users?filter=userName%20eq%20%22bjensen@example.com%22') \gset
SELECT jsonb_path_query(replace(body::text, :'boss', '<boss>')::jsonb, '$."urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"')
	FROM scim.scim_apply('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "report", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"manager": {"value": "' || :'boss' || '", "displayName": "a lie"}}}');
SELECT pg_temp.refusal('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "t2", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"manager": {"value": "00000000-0000-7000-8000-000000000000"}}}');
SELECT pg_temp.refusal('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "t2", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"manager": {"value": "nobody"}}}');
SELECT count(*) FROM scim.scim_apply('GET', '/Users?filter=userName%20eq%20%22t2%22') WHERE body ->> 'totalResults' = '0';

-- The password is accepted and thrown away: it is in no table, event or answer.
RESET ROLE;
SELECT count(*) FROM scim.user_passwords WHERE tenant = 'regress-20';
SELECT count(*) FROM scim_audit.events WHERE tenant = 'regress-20' AND detail::text LIKE '%t1meMa%';
SET ROLE regress_idp_20;
SELECT count(*) FILTER (WHERE r::text LIKE '%t1meMa%'), count(*) > 10, bool_or(r.error LIKE '%another resource%') FROM scim.recent_requests(1000) r;
RESET ROLE;

-- Each call, refused or not, is one request event; each row one change event.
SELECT category, event_type, outcome, status, scim_type, count(*) FROM scim_audit.events
	WHERE tenant = 'regress-20' AND method = 'POST' GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5;
SELECT r.request_id = c.request_id AND r.tx_id = c.tx_id, c.n < r.n, r.actor, r.origin, c.origin, r.resource_id = c.resource_id,
		r.detail -> 'request' ->> 'password', r.detail ->> 'endpoint', r.detail -> 'response' ->> 'version'
	FROM scim_audit.events r JOIN scim_audit.events c ON c.request_id = r.request_id AND c.category = 'change'
	WHERE r.category = 'request' AND r.detail ->> 'resource_name' = 'bjensen@example.com' AND r.tenant = 'regress-20';

RESET ROLE;
DELETE FROM scim.users WHERE tenant = 'regress-20';
DELETE FROM scim.groups WHERE tenant = 'regress-20';
SELECT scim.revoke_duty('regress_idp_20', 'provisioning_admin', 'regress-20');
DROP ROLE regress_idp_20;
DELETE FROM scim.tenants WHERE tenant = 'regress-20';
