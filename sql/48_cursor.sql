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

-- what is not a cursor of this list, one answer for all reasons
SELECT (pg_temp.page('/Users?count=5&cursor=' || c)).text FROM unnest(ARRAY['x', repeat('0', 82), repeat('z', 82), upper(:'c1'), :'c1' || '0', left(:'c1', 81),
	overlay(:'c1' placing CASE WHEN left(:'c1', 1) = '0' THEN '1' ELSE '0' END from 1 for 1), overlay(:'c1' placing translate(substr(:'c1', 30, 1), '0123456789abcdef', '123456789abcdef0') from 30 for 1),
	overlay(:'c1' placing translate(substr(:'c1', 82, 1), '0123456789abcdef', '123456789abcdef0') from 82 for 1), '%00', '%27%20OR%201=1']) c;
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
SET scim_audit.cursor_timeout = -1;
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
