-- Pages by cursor: RFC 9865.
\set VERBOSITY terse
\set QUIET on
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS scim_audit CASCADE;
SELECT scim.create_tenant('regress-48'), scim.create_tenant('regress-48b');
CREATE ROLE regress_48;
CREATE ROLE regress_48_other;
SELECT scim.grant_duty('regress_48', 'provisioning_admin', 'regress-48'), scim.grant_duty('regress_48', 'provisioning_admin', 'regress-48b'), scim.grant_duty('regress_48_other', 'reader', 'regress-48');
INSERT INTO scim.users (tenant, user_name, title, active) SELECT t, 'u' || to_char(i, 'FM00'), 'T' || i % 3, i % 2 = 0 FROM generate_series(1, 25) i, unnest(ARRAY['regress-48', 'regress-48b']) t ORDER BY i;
INSERT INTO scim.groups (tenant, display_name) SELECT 'regress-48', 'g' || i FROM generate_series(1, 3) i;
-- one page: totals, names; the next cursor
CREATE FUNCTION pg_temp.page(uri text, OUT text text, OUT next text) LANGUAGE sql AS $$
	SELECT concat_ws(' | ', status, body ->> 'totalResults', body ->> 'startIndex', body ->> 'itemsPerPage',
		(SELECT string_agg(coalesce(r ->> 'userName', r ->> 'displayName'), ' ' ORDER BY n) FROM jsonb_array_elements(body -> 'Resources') WITH ORDINALITY AS e(r, n)),
		CASE WHEN body ? 'nextCursor' THEN 'more' END, body ->> 'scimType', body ->> 'detail'), body ->> 'nextCursor' FROM scim.scim_apply('GET', $1) $$;
-- all pages
CREATE FUNCTION pg_temp.walk(uri text, inout text text DEFAULT '') LANGUAGE plpgsql AS $$
DECLARE
	cursor text := '';
	page record;
BEGIN
	LOOP
		page := pg_temp.page(uri || '&cursor=' || cursor);
		text := text || E'\n' || page.text;
		EXIT WHEN page.next IS NULL;
		ASSERT page.next ~ '^[A-Za-z0-9._~-]+$', 'not unreserved characters: ' || page.next;
		cursor := page.next;
	END LOOP;
END $$;
CREATE FUNCTION pg_temp.until_expired(uri text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text;
	began timestamptz := clock_timestamp();
BEGIN
	LOOP
		answer := (pg_temp.page(uri)).text;
		EXIT WHEN answer LIKE '%expired%' OR clock_timestamp() > began + interval '1 min';
		PERFORM pg_sleep(0.05);
	END LOOP;
	RETURN answer;
END $$;
SET ROLE regress_48;
SET scim_audit.tenant = 'regress-48';

SELECT pg_temp.walk('/Users?count=10');
SELECT pg_temp.walk('/Users?count=25');
SELECT pg_temp.walk('/Users?count=5&filter=title%20eq%20%22t1%22');
SELECT pg_temp.walk('/Users?count=9&sortBy=userName&sortOrder=descending');
SELECT pg_temp.walk('/?count=12');
SELECT pg_temp.walk('/?count=2&filter=displayName%20pr');
SELECT pg_temp.walk('/Users?filter=userName%20eq%20%22nobody%22');
-- without a cursor, pages are by index as ever
SELECT (pg_temp.page('/Users?count=2')).*;
-- by POST
SELECT body - 'Resources' - 'nextCursor', jsonb_array_length(body -> 'Resources'), body ? 'nextCursor' FROM scim.scim_apply('POST', '/Users/.search', '{"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "cursor": "", "count": 7}'::text);
SELECT body -> 'pagination' FROM scim.scim_apply('GET', '/ServiceProviderConfig');

-- a page neither repeats nor misses anyone who is there all the time
SELECT next AS c1 FROM pg_temp.page('/Users?count=5&cursor=') \gset
RESET ROLE;
DELETE FROM scim.users WHERE tenant = 'regress-48' AND user_name IN ('u03', 'u05', 'u07');
INSERT INTO scim.users (tenant, user_name) VALUES ('regress-48', 'u26');
SET ROLE regress_48;
SELECT (pg_temp.page('/Users?count=100&cursor=' || :'c1')).text;

-- in any order: the walk is the list, whatever is missing or equal, and whatever the size of its pages
RESET ROLE;
UPDATE scim.users u SET title = CASE WHEN i % 4 > 0 THEN repeat('é', CASE WHEN i % 4 = 1 THEN 700 ELSE 1 END) || i % 3 END, active = CASE WHEN i % 3 > 0 THEN i % 3 = 1 END,
		emails = CASE WHEN i % 5 > 1 THEN jsonb_build_array(jsonb_build_object('value', 'b' || i), jsonb_build_object('value', 'A' || i % 2, 'primary', i % 2 = 0)) END,
		manager_id = CASE WHEN i % 6 = 0 THEN (SELECT id FROM scim.users m WHERE m.tenant = u.tenant AND m.user_name = 'u0' || i % 4 / 2 * 3 + 1) END,
		extensions = CASE WHEN i % 2 = 0 THEN jsonb_build_object('urn:ietf:params:scim:schemas:extension:enterprise:2.0:User', jsonb_build_object('x', i)) END
	FROM (SELECT tenant, id, row_number() OVER (ORDER BY user_name) AS i FROM scim.users WHERE tenant = 'regress-48') n WHERE u.tenant = n.tenant AND u.id = n.id;
CREATE FUNCTION pg_temp.names(uri text, OUT names text, OUT next text) LANGUAGE sql AS $$
	SELECT coalesce((SELECT string_agg(coalesce(r ->> 'userName', r ->> 'displayName'), ' ' ORDER BY n) FROM jsonb_array_elements(body -> 'Resources') WITH ORDINALITY AS e(r, n)), body::text), body ->> 'nextCursor' FROM scim.scim_apply('GET', $1) $$;
CREATE FUNCTION pg_temp.same(uri text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	list text := (pg_temp.names(uri || '&count=1000')).names;
	walk text;
	cursor text;
	page record;
BEGIN
	FOR count IN 1 .. 7 LOOP
		walk := '';
		cursor := '';
		LOOP
			page := pg_temp.names(uri || '&count=' || count || '&cursor=' || cursor);
			walk := concat_ws(' ', nullif(walk, ''), page.names);
			EXIT WHEN page.next IS NULL OR length(walk) > length(list) + 200;
			cursor := page.next;
		END LOOP;
		IF walk <> list THEN
			RETURN format('pages of %s: %s, where the list is %s', count, walk, list);
		END IF;
	END LOOP;
	RETURN 'same, ' || cardinality(string_to_array(list, ' '));
END $$;
SET ROLE regress_48;
SELECT sort_by, sort_order, pg_temp.same('/Users?sortBy=' || sort_by || '&sortOrder=' || sort_order), pg_temp.same('/Users?filter=active%20pr&sortBy=' || sort_by || '&sortOrder=' || sort_order)
	FROM unnest(ARRAY['userName', 'title', 'active', 'emails', 'emails.type', 'id', 'meta.created', 'meta.version', 'meta.resourceType', 'externalId', 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager',
		'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.displayName']) sort_by, unnest(ARRAY['ascending', 'descending']) sort_order ORDER BY sort_order, sort_by COLLATE "C";
SELECT pg_temp.same('/?'), pg_temp.same('/?sortBy=id&sortOrder=descending'), pg_temp.same('/?sortBy=meta.lastModified'), pg_temp.same('/?filter=displayName%20pr&sortBy=displayName'), pg_temp.same('/?filter=userName%20pr');
-- the resource behind which a page begins need not be there, unless its key was too long to be carried
SELECT next AS by_name FROM pg_temp.names('/Users?sortBy=userName&count=4&cursor=') \gset
SELECT next AS by_title FROM pg_temp.names('/Users?sortBy=title&sortOrder=descending&count=16&cursor=') \gset
SELECT next AS at_root FROM pg_temp.names('/?count=24&cursor=') \gset
SELECT next AS by_none FROM pg_temp.names('/Users?sortBy=title&sortOrder=descending&count=5&cursor=') \gset
SELECT next AS by_long FROM pg_temp.names('/Users?sortBy=title&sortOrder=descending&count=7&cursor=') \gset
SELECT length(:'by_name') < 200 AND length(:'by_title') < 200 AND length(:'by_long') < 200 AS short;
SELECT (pg_temp.names('/Users?sortBy=userName&count=3&cursor=' || :'by_name')).names, (pg_temp.names('/Users?sortBy=title&sortOrder=descending&count=3&cursor=' || :'by_title')).names, (pg_temp.names('/?count=3&cursor=' || :'at_root')).names,
	(pg_temp.names('/Users?sortBy=title&sortOrder=descending&count=3&cursor=' || :'by_none')).names, (pg_temp.page('/Users?sortBy=title&sortOrder=descending&count=3&cursor=' || :'by_long')).text;
RESET ROLE;
SELECT names AS last FROM pg_temp.names('/Users?sortBy=title&sortOrder=descending&count=16') \gset
SELECT names AS last_long FROM pg_temp.names('/Users?sortBy=title&sortOrder=descending&count=7') \gset
BEGIN;
DELETE FROM scim.users WHERE tenant = 'regress-48' AND (user_name IN ('u06', 'u26') OR user_name IN (right(:'last', 3), right(:'last_long', 3)) OR title IS NULL);
SET ROLE regress_48;
SELECT (pg_temp.names('/Users?sortBy=userName&count=3&cursor=' || :'by_name')).names, (pg_temp.page('/Users?sortBy=title&sortOrder=descending&count=3&cursor=' || :'by_title')).text, (pg_temp.names('/?count=3&cursor=' || :'at_root')).names,
	(pg_temp.names('/Users?sortBy=title&sortOrder=descending&count=3&cursor=' || :'by_none')).names, (pg_temp.page('/Users?sortBy=title&sortOrder=descending&count=3&cursor=' || :'by_long')).text;
ROLLBACK;
SET ROLE regress_48;
SELECT (pg_temp.page('/Users?sortBy=userName&cursor=' || :'by_title')).text, (pg_temp.page('/Users?sortBy=userName&sortOrder=descending&cursor=' || :'by_name')).text, (pg_temp.page('/Users?sortBy=password&cursor=')).text, (pg_temp.page('/Users?sortBy=nothing&cursor=')).text, (pg_temp.page('/?sortBy=userName&cursor=')).text;

-- what is not a cursor of this list, one answer for all reasons
SELECT (pg_temp.page('/Users?count=5&cursor=' || c)).text FROM unnest(ARRAY['x', repeat('0', length(:'c1')), repeat('z', length(:'c1')), repeat('0', 3000), '00', upper(:'c1'), :'c1' || '0', left(:'c1', -1),
	overlay(:'c1' placing CASE WHEN left(:'c1', 1) = '0' THEN '1' ELSE '0' END from 1 for 1), overlay(:'c1' placing translate(substr(:'c1', 30, 1), '0123456789abcdef', '123456789abcdef0') from 30 for 1),
	overlay(:'c1' placing translate(right(:'c1', 1), '0123456789abcdef', '123456789abcdef0') from length(:'c1') for 1), '%00', '%27%20OR%201=1']) c;
SELECT (pg_temp.page('/Users?filter=title%20pr&cursor=' || :'c1')).text, (pg_temp.page('/Users?sortBy=userName&cursor=' || :'c1')).text, (pg_temp.page('/Groups?cursor=' || :'c1')).text, (pg_temp.page('/?cursor=' || :'c1')).text;
SET scim_audit.tenant = 'regress-48b';
SELECT (pg_temp.page('/Users?cursor=' || :'c1')).text;
SET scim_audit.tenant = 'regress-48';
SET ROLE regress_48_other;
SELECT (pg_temp.page('/Users?cursor=' || :'c1')).text, (pg_temp.page('/Users?count=1&cursor=')).text;
SET ROLE regress_48;
SELECT (pg_temp.page('/Users?cursor=&count=0')).text, (pg_temp.page('/Users?cursor=&count=-1')).text, (pg_temp.page('/Users?cursor=&startIndex=1')).text, (pg_temp.page('/Users?cursor=&count=x')).text;
-- the duty is looked at for each page
RESET ROLE;
SELECT scim.revoke_duty('regress_48', 'provisioning_admin', 'regress-48');
SET ROLE regress_48;
SELECT (pg_temp.page('/Users?cursor=' || :'c1')).text;
RESET ROLE;
SELECT scim.grant_duty('regress_48', 'provisioning_admin', 'regress-48');

-- a cursor expires
\set VERBOSITY sqlstate
SET scim_audit.cursor_timeout = -1;
\set VERBOSITY terse
SET scim_audit.cursor_timeout = '1s';
SET ROLE regress_48;
SELECT next AS c0 FROM pg_temp.page('/Users?count=5&cursor=') \gset
SELECT (pg_temp.page('/Users?count=1&cursor=' || :'c0')).text;
SELECT pg_temp.until_expired('/Users?count=1&cursor=' || :'c0'), (pg_temp.page('/Users?count=1&cursor=' || :'c1')).text;
SET scim_audit.cursor_timeout = 5;
RESET ROLE;
RESET scim_audit.cursor_timeout;

-- nobody reads the secret
SELECT has_table_privilege('regress_48', 'scim_audit.secrets', 'SELECT');

RESET scim_audit.tenant;
SELECT scim.drop_tenant('regress-48', 'regress-48'), scim.drop_tenant('regress-48b', 'regress-48b');
DROP ROLE regress_48, regress_48_other;
