-- Groups in groups: what a user is in through others
\set VERBOSITY terse
\set QUIET on
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS scim_audit CASCADE;
SELECT scim.create_tenant('regress-31');
SELECT scim.create_tenant('regress-31-other');
CREATE ROLE regress_idp_31;
SELECT scim.grant_duty('regress_idp_31', 'provisioning_admin', 'regress-31');
SET scim_audit.tenant = 'regress-31';
CREATE FUNCTION pg_temp.id(name text) RETURNS text LANGUAGE sql AS $$ SELECT '00000000-0000-7000-8000-' || lpad(ascii(name)::text, 12, '0') $$;
CREATE FUNCTION pg_temp.groups(body jsonb) RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(string_agg((g ->> 'display') || ' ' || (g ->> 'type'), ', ' ORDER BY n), 'none')
	FROM jsonb_array_elements(body -> 'groups') WITH ORDINALITY x(g, n) $$;
CREATE FUNCTION pg_temp.find(filter text) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' | ', status, body ->> 'scimType', body ->> 'detail',
		(SELECT string_agg(r ->> 'userName', '' ORDER BY r ->> 'userName') FROM jsonb_array_elements(body -> 'Resources') r))
	FROM scim.scim_apply('POST', '/Users/.search', jsonb_build_object('schemas', '["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]'::jsonb,
		'filter', filter, 'attributes', '["userName"]'::jsonb)) $$;
-- Users by one lower-case letter, groups by one upper-case letter.
INSERT INTO scim.users (user_name, id) SELECT name, pg_temp.id(name)::uuid FROM regexp_split_to_table('abcde', '') name;
INSERT INTO scim.groups (display_name, id) SELECT name, pg_temp.id(name)::uuid FROM regexp_split_to_table('ABCDEF', '') name;
-- a in A, A in B, B in C, C in A again; a in C by itself, too; b in B; c in D alone; d in F through E; e in none.
INSERT INTO scim.group_members (group_id, member_id, member_type)
	SELECT pg_temp.id(substr(m, 1, 1))::uuid, pg_temp.id(substr(m, 2, 1))::uuid, CASE WHEN substr(m, 2, 1) < 'a' COLLATE "C" THEN 'Group' ELSE 'User' END
	FROM unnest('{Aa,BA,CB,AC,Ca,Bb,Dc,Ed,FE}'::text[]) m;
-- The same ids in another tenant, with other memberships: nothing of it is to be seen.
SET scim_audit.tenant = 'regress-31-other';
INSERT INTO scim.groups (display_name, id) SELECT 'other ' || name, pg_temp.id(name)::uuid FROM regexp_split_to_table('ABCDEF', '') name;
INSERT INTO scim.group_members (group_id, member_id, member_type)
	SELECT pg_temp.id(substr(m, 1, 1))::uuid, pg_temp.id(substr(m, 2, 1))::uuid, 'Group' FROM unnest('{FD,FA,DB}'::text[]) m;
SET ROLE regress_idp_31;
SET scim_audit.tenant = '';

-- What a user is in: first by itself, then through others; nothing twice.
SELECT name, pg_temp.groups(body) FROM regexp_split_to_table('abcde', '') name, scim.scim_apply('GET', '/Users/' || pg_temp.id(name));
SELECT r ->> 'userName', pg_temp.groups(r) FROM scim.scim_apply('GET', '/Users?sortBy=userName&attributes=groups,userName'), jsonb_array_elements(body -> 'Resources') r;
SELECT jsonb_pretty(body -> 'groups' -> -1) FROM scim.scim_apply('GET', '/Users/' || pg_temp.id('d'));
SELECT status, body ? 'groups' FROM scim.scim_apply('GET', '/Users/' || pg_temp.id('d') || '?excludedAttributes=groups');
-- The answer of a write says it, too.
SELECT status, pg_temp.groups(body) FROM scim.scim_apply('PATCH', '/Users/' || pg_temp.id('d'),
	'{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "replace", "path": "title", "value": "x"}]}');
-- It is read only.
SELECT status, body ->> 'scimType' FROM scim.scim_apply('PATCH', '/Users/' || pg_temp.id('d'),
	'{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "remove", "path": "groups[type eq \"indirect\"]"}]}');
-- A group's members are those it has itself.
SELECT (SELECT string_agg(m ->> 'display', ',' ORDER BY m ->> 'display') FROM jsonb_array_elements(body -> 'members') m)
	FROM scim.scim_apply('GET', '/Groups/' || pg_temp.id('F'));

-- Filters mean the same
SELECT f, pg_temp.find(f) FROM unnest(ARRAY[
	'groups.value eq "' || pg_temp.id('A') || '"', 'groups.value eq "' || pg_temp.id('F') || '"', 'groups eq "' || pg_temp.id('D') || '"',
	'groups.display eq "f"', 'groups[display eq "B"]', 'groups.display co ""', 'groups pr', 'not (groups pr)', 'not (groups.display eq "F")',
	'groups.display ne "F"', 'groups.type eq "direct"', 'groups.type eq "INDIRECT"', 'groups.type pr', 'groups.type eq "nested"', 'groups.type ne "direct"',
	'groups[type eq "indirect" and display eq "C"]', 'groups[type eq "direct" and display eq "C"]', 'groups[type eq "indirect" and display eq "B"]',
	'groups[type eq "direct" or display eq "F"]', 'groups[not (type eq "direct") and value eq "' || pg_temp.id('F') || '"]',
	'groups.display eq "F" or userName eq "e"', 'groups.value eq "no id"', 'groups.display eq "other F"']) f;
-- as deep as it goes: a chain of 300, and back to its beginning
RESET ROLE;
SET scim_audit.tenant = 'regress-31';
INSERT INTO scim.groups (display_name, id) SELECT 'chain ' || i, ('00000000-0000-7000-8001-' || lpad(i::text, 12, '0'))::uuid FROM generate_series(0, 299) i;
INSERT INTO scim.group_members (group_id, member_id, member_type)
	SELECT ('00000000-0000-7000-8001-' || lpad(((i + 1) % 300)::text, 12, '0'))::uuid, ('00000000-0000-7000-8001-' || lpad(i::text, 12, '0'))::uuid, 'Group' FROM generate_series(0, 299) i;
INSERT INTO scim.group_members (group_id, member_id) VALUES ('00000000-0000-7000-8001-000000000000', pg_temp.id('e')::uuid);
SET ROLE regress_idp_31;
SET scim_audit.tenant = '';
SELECT g ->> 'type', count(*) FROM scim.scim_apply('GET', '/Users/' || pg_temp.id('e')), jsonb_array_elements(body -> 'groups') g GROUP BY 1 ORDER BY 1;
SELECT pg_temp.find('groups.display eq "chain 299"');
RESET ROLE;
SET scim_audit.tenant = 'regress-31';
-- A user's groups are found by index, however large the table of members is.
INSERT INTO scim.groups (display_name) SELECT 'many ' || i FROM generate_series(1, 20) i;
INSERT INTO scim.users (user_name) SELECT 'many ' || i FROM generate_series(1, 100) i;
INSERT INTO scim.group_members (group_id, member_id)
	SELECT g.id, u.id FROM scim.groups g, scim.users u WHERE g.display_name LIKE 'many %' AND u.user_name LIKE 'many %';
ANALYZE scim.group_members;
BEGIN;
SELECT r.status, jsonb_array_length(r.body->'groups') AS groups
	FROM scim.users u, scim.scim_apply('GET', '/Users/' || u.id) r WHERE u.user_name = 'many 7';
SELECT seq_scan, idx_scan > 0 AS by_index FROM pg_stat_xact_user_tables WHERE relid = 'scim.group_members'::regclass;
COMMIT;
SELECT * FROM scim_audit.verify();
SELECT scim.drop_tenant(t, t) FROM unnest('{regress-31,regress-31-other}'::text[]) t;
DROP ROLE regress_idp_31;
