-- Lists: pages and order (RFC 7644 sections 3.4.2.3, 3.4.2.4)
\set VERBOSITY terse
\set QUIET on
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS scim_audit CASCADE;
SELECT scim.create_tenant('regress-45');
CREATE ROLE regress_idp_45;
SELECT scim.grant_duty('regress_idp_45', 'provisioning_admin', 'regress-45');
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
CREATE FUNCTION pg_temp.list(query text) RETURNS text LANGUAGE sql AS $$
	SELECT CASE WHEN status = 200 THEN format('total %s start %s items %s: ', body -> 'totalResults', body -> 'startIndex', body -> 'itemsPerPage')
			|| coalesce((SELECT string_agg(r ->> 'userName', ' ' ORDER BY o) FROM jsonb_array_elements(body -> 'Resources') WITH ORDINALITY x(r, o)), '')
		ELSE concat_ws(' | ', status, body ->> 'scimType', body ->> 'detail') END
	FROM scim.scim_apply('GET', '/Users' || query) $$;
SET ROLE regress_idp_45;

RESET ROLE;
INSERT INTO scim.users (tenant, id, user_name, title, active, emails)
	SELECT 'regress-45', ('00000000-0000-7000-8000-' || lpad(i::text, 12, '0'))::uuid, (ARRAY['Eve', 'adam', 'Çem', 'bob', 'Dan', 'äda', 'Zoe'])[i],
		(ARRAY['b', NULL, 'A', 'a', NULL, 'B', 'c'])[i], i % 2 = 0,
		CASE WHEN i < 4 THEN jsonb_build_array(jsonb_build_object('value', 'z' || i), jsonb_build_object('value', chr(100 - i), 'primary', true)) END
	FROM generate_series(1, 7) i;
SET ROLE regress_idp_45;
SELECT pg_temp.scim('GET', '/Users?count=1&attributes=userName');
SELECT pg_temp.list(q) FROM (VALUES (''), ('?'), ('/?'), ('?startIndex=1&count=3'), ('?startIndex=4&count=3'), ('?startIndex=7&count=3'), ('?startIndex=8'), ('?startIndex=100&count=2'),
	('?startIndex=0&count=2'), ('?startIndex=-5&count=2'), ('?STARTINDEX=2&Count=1'), ('?count=0'), ('?count=-1'), ('?startIndex=3&count=0'), ('?count=9999999999'),
	('?count=abc'), ('?startIndex=1.5'), ('?count=2&'), ('?foo=bar&count=1&&')) v(q);
-- Order: values of caseExact false are compared folded, by code point; missing ones last when ascending.
SELECT pg_temp.list(q) FROM (VALUES ('?sortBy=userName'), ('?sortBy=userName&sortOrder=descending'), ('?sortBy=title'), ('?sortBy=title&sortOrder=Descending'),
	('?sortBy=emails'), ('?sortBy=emails.value&sortOrder=descending'), ('?sortBy=id&sortOrder=descending'), ('?sortBy=active&count=2'), ('?sortBy=meta.created'),
	('?sortBy=nosuch'), ('?sortBy=password'), ('?sortBy=userName&sortOrder=sideways'), ('?filter=title%20pr&sortBy=userName&startIndex=2&count=2')) v(q);
-- Pages of the default order are walkable and miss nobody.
SELECT string_agg(pg_temp.list('?startIndex=' || i || '&count=2'), E'\n' ORDER BY i) FROM generate_series(1, 7, 2) i;
-- The server's own limits.
RESET ROLE;
SET scim_audit.default_page_size = 2;
SET scim_audit.max_results = 3;
SET ROLE regress_idp_45;
SELECT pg_temp.list(''), pg_temp.list('?count=100');
RESET ROLE;
RESET scim_audit.default_page_size;
RESET scim_audit.max_results;
SET ROLE regress_idp_45;
SELECT body FROM scim.scim_apply('GET', '/Groups');

RESET ROLE;
DELETE FROM scim.users WHERE tenant = 'regress-45';
DELETE FROM scim.groups WHERE tenant = 'regress-45';
SELECT scim.revoke_duty('regress_idp_45', 'provisioning_admin', 'regress-45');
DROP ROLE regress_idp_45;
DELETE FROM scim.tenants WHERE tenant = 'regress-45';
