-- POST .search (RFC 7644 section 3.4.3) and queries of all resource types (section 3.4.2.1).
\set VERBOSITY terse
\set QUIET on
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS scim_audit CASCADE;
SELECT scim.create_tenant('regress-47');
CREATE ROLE regress_47;
CREATE ROLE regress_47_reader;
SELECT scim.grant_duty('regress_47', 'provisioning_admin', 'regress-47'), scim.grant_duty('regress_47_reader', 'reader', 'regress-47');
INSERT INTO scim.users (tenant, user_name, display_name, title, external_id) SELECT 'regress-47', 'u' || i, 'Person ' || i, CASE WHEN i > 2 THEN 'Pilot' END, 'x' || i FROM generate_series(1, 5) i;
INSERT INTO scim.groups (tenant, display_name, external_id) SELECT 'regress-47', 'Crew ' || i, 'x' || i FROM generate_series(1, 3) i;
INSERT INTO scim.group_members (tenant, group_id, member_id) SELECT 'regress-47', g.id, u.id FROM scim.groups g, scim.users u WHERE g.tenant = 'regress-47' AND u.tenant = 'regress-47' AND g.display_name = 'Crew 1';
CREATE FUNCTION pg_temp.answer(status int, body jsonb) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' | ', status, body ->> 'totalResults', body ->> 'startIndex', body ->> 'itemsPerPage',
		(SELECT string_agg(coalesce(r ->> 'userName', r ->> 'displayName', '?'), ' ' ORDER BY n) FROM jsonb_array_elements(body -> 'Resources') WITH ORDINALITY AS e(r, n)),
		body ->> 'scimType', body ->> 'detail') $$;
CREATE FUNCTION pg_temp.search(uri text, body text) RETURNS text LANGUAGE sql AS $$
	SELECT pg_temp.answer(status, body) FROM scim.scim_apply('POST', $1, CASE WHEN $2 LIKE '{%' THEN '{"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]' || CASE WHEN $2 = '{}' THEN '' ELSE ', ' END || substr($2, 2) ELSE $2 END) $$;
CREATE FUNCTION pg_temp.get(uri text) RETURNS text LANGUAGE sql AS $$ SELECT pg_temp.answer(status, body) FROM scim.scim_apply('GET', $1) $$;
SET ROLE regress_47;

-- what a query string says, a body says, too
SELECT pg_temp.search('/Users/.search', '{"filter": "title eq \"pilot\"", "sortBy": "userName", "sortOrder": "descending"}');
SELECT pg_temp.search('/Users/.search', '{"FILTER": "userName sw \"u\"", "startIndex": 2, "count": 2}');
SELECT pg_temp.search('/Users/.search', '{"count": 0}'), pg_temp.search('/Users/.search', '{"startIndex": -3, "count": -1, "unknown": {}}');
SELECT pg_temp.search('/Groups/.search', '{}');
SELECT r - 'id' - 'meta' FROM scim.scim_apply('POST', '/Users/.search', '{"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "attributes": ["userName", "title"], "filter": "userName eq \"u3\""}'::text), jsonb_array_elements(body -> 'Resources') r;
SELECT jsonb_object_keys(r) FROM scim.scim_apply('POST', '/Groups/.search', '{"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "excludedAttributes": ["members"], "filter": "displayName eq \"Crew 1\""}'::text), jsonb_array_elements(body -> 'Resources') r ORDER BY 1;
SELECT pg_temp.search('/Groups/.search', '{"filter": null, "attributes": [], "count": 1}');

-- bodies that are none
SELECT pg_temp.search('/Users/.search', '[]'), pg_temp.search('/Users/.search', '"x"');
SELECT (SELECT pg_temp.answer(status, body) FROM scim.scim_apply('POST', '/Users/.search', '{}'::text)),
	(SELECT pg_temp.answer(status, body) FROM scim.scim_apply('POST', '/Users/.search', '{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"]}'::text)),
	(SELECT pg_temp.answer(status, body) FROM scim.scim_apply('POST', '/Users/.search'));
SELECT pg_temp.search('/Users/.search', '{"count": "2"}'), pg_temp.search('/Users/.search', '{"startIndex": 1.5}'), pg_temp.search('/Users/.search', '{"filter": 1}'), pg_temp.search('/Users/.search', '{"attributes": [1]}'), pg_temp.search('/Users/.search', '{"sortBy": ["x"]}');
SELECT pg_temp.search('/Users/.search', '{"filter": "userName eq"}');
SELECT pg_temp.search('/Users/.search', '{"filter": "nothing eq \"x\""}');
SELECT pg_temp.search('/Users/.search', '{"attributes": ["password"]}');
SELECT pg_temp.search('/Users/.search', '{"filter": "password eq \"x\""}');
SELECT status, headers ->> 'Allow' FROM scim.scim_apply('GET', '/Users/.search');
SELECT status, headers ->> 'Allow' FROM scim.scim_apply('DELETE', '/.search');
SELECT status FROM scim.scim_apply('POST', '/Nothing/.search', '{}'::text);

-- all types: one after the other, through which startIndex and count go as through one list
SELECT pg_temp.get('/');
SELECT pg_temp.get('/?count=0'), pg_temp.get('/?startIndex=5&count=2'), pg_temp.get('/?startIndex=6&count=1'), pg_temp.get('/?startIndex=8'), pg_temp.get('/?startIndex=9'), pg_temp.get('/?startIndex=100');
SELECT pg_temp.get('?filter=externalId%20eq%20%22x2%22');
SELECT pg_temp.search('/.search', '{"filter": "displayName sw \"c\" or userName eq \"U1\""}');
SELECT pg_temp.search('/.search', '{"filter": "displayName co \"1\""}'), pg_temp.search('/.search', '{"filter": "meta.resourceType eq \"Group\"", "count": 2}'), pg_temp.search('/.search', '{"filter": "userName pr"}'), pg_temp.search('/.search', '{"filter": "members pr"}');
SELECT pg_temp.search('/.search', '{"filter": "displayName pr", "sortBy": "displayName", "sortOrder": "descending"}');
SELECT pg_temp.search('/.search', '{"filter": "nothing eq \"x\""}'), pg_temp.search('/.search', '{"filter": "id eq"}'), pg_temp.search('/.search', '{"filter": "password pr"}');
SELECT status, headers ->> 'Allow' FROM scim.scim_apply('POST', '/', '{}'::text);

-- an attribute that a type lacks is absent in it: ne holds, eq null holds, nothing else does
SELECT pg_temp.search('/.search', '{"filter": "userName ne \"u1\"", "count": 0}'), pg_temp.search('/.search', '{"filter": "userName eq null", "count": 0}'), pg_temp.search('/.search', '{"filter": "not (userName pr) and displayName ne \"Crew 2\""}'), pg_temp.search('/.search', '{"filter": "emails[type eq \"work\"] or members[type eq \"User\"]"}');
SELECT pg_temp.search('/.search', '{"filter": "userName eq 5"}'), pg_temp.search('/.search', '{"filter": "title pr and nothing pr"}');

-- a reader searches; the search is no write, and is in the log where reads are
SET ROLE regress_47_reader;
SELECT pg_temp.search('/.search', '{"filter": "title eq \"Pilot\"", "count": 1}');
SELECT pg_temp.search('/Users', '{}');
BEGIN READ ONLY;
SELECT pg_temp.search('/Users/.search', '{"filter": "userName eq \"u1\""}');
ROLLBACK;
RESET ROLE;
SET scim_audit.log_reads = 'all';
SET ROLE regress_47_reader;
SELECT pg_temp.search('/.search', '{"filter": "userName eq \"u5\""}');
RESET ROLE;
RESET scim_audit.log_reads;
SELECT action, event_type, outcome, status, detail -> 'request' ->> 'filter' FROM scim_audit.events WHERE tenant = 'regress-47' AND category = 'request' AND method = 'POST' AND status = 200;
SELECT count(*) > 0 FROM scim_audit.events WHERE tenant = 'regress-47' AND category = 'request' AND action = 'list' AND outcome = 'failure';

SELECT scim.drop_tenant('regress-47', 'regress-47');
DROP ROLE regress_47, regress_47_reader;
