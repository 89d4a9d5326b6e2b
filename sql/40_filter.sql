-- Filters (RFC 7644 section 3.4.2.2)
\set VERBOSITY terse
\set QUIET on
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS scim_audit CASCADE;
SELECT scim.create_tenant('regress-40');
CREATE ROLE regress_idp_40;
SELECT scim.grant_duty('regress_idp_40', 'provisioning_admin', 'regress-40');
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
-- The userNames that a filter finds, or why it is refused.
CREATE FUNCTION pg_temp.find(filter text, endpoint text DEFAULT '/Users') RETURNS text LANGUAGE sql AS $$
	SELECT CASE WHEN status = 200 THEN (body ->> 'totalResults') || ': ' || coalesce((SELECT string_agg(r ->> 'userName', ', ' ORDER BY r ->> 'userName' COLLATE "C") FROM jsonb_array_elements(body -> 'Resources') r), '')
		ELSE concat_ws(' | ', status, body ->> 'scimType', body ->> 'detail') END
	FROM scim.scim_apply('GET', endpoint || '?filter=' || (SELECT coalesce(string_agg('%' || lpad(to_hex(get_byte(b, i)), 2, '0'), '' ORDER BY i), '') FROM convert_to(filter, 'UTF8') b, generate_series(0, length(b) - 1) i)) $$;
SET ROLE regress_idp_40;

RESET ROLE;
INSERT INTO scim.users (tenant, user_name, external_id, display_name, title, user_type, active, name_family_name, name_given_name, emails, phone_numbers, department, employee_number, created)
VALUES ('regress-40', 'Alba', 'e1', 'Alba A', 'Guide', 'Employee', true, 'Ardent', 'Alba', '[{"value": "alba@work.example", "type": "work", "primary": true}, {"value": "alba@home.example", "type": "home"}]', NULL, 'Tours', '7', now()),
	('regress-40', 'bruno', 'E1', 'Bruno B', NULL, 'Intern', false, 'Berg', 'Bruno', '[{"value": "bruno@home.example", "type": "home", "primary": true}]', '[{"value": "+1", "type": "work"}]', 'Tours', NULL, now()),
	('regress-40', 'Çelik', NULL, '100%_sure\', 'guide', 'Employee', NULL, NULL, 'Can', NULL, NULL, NULL, NULL, now()),
	('regress-40', 'dora "d" o''neil', 'e4', NULL, 'Guide; DROP TABLE scim.users; --', NULL, true, 'O''Neil', NULL, '[{"value": "dora@work.example", "type": "work"}]', NULL, 'Sales', '12', now());
SET ROLE regress_idp_40;

-- every operator
SELECT f, pg_temp.find(f) FROM (VALUES
	('userName eq "ALBA"'), ('USERNAME EQ "alba"'), ('userName eq "çELIK"'), ('userName ne "alba"'),
	('userName co "U"'), ('userName sw "b"'), ('userName ew "a"'), ('userName gt "bruno"'), ('userName ge "bruno"'), ('userName lt "bruno"'), ('userName le "bruno"'),
	('externalId eq "e1"'), ('externalId eq "E1"'),
	('title pr'), ('not (title pr)'), ('active eq true'), ('active eq false'), ('active ne true'), ('active eq null'),
	('displayName co "%_"'), ('displayName co "\\"'), ('displayName ew "\\"'), ('displayName sw "100"'),
	('name.familyName eq "o''neil"'), ('name.givenName pr'), ('name pr'),
	('userName eq "dora \"d\" o''neil"'), ('title eq "Guide; DROP TABLE scim.users; --"')) v(f);

-- and, or, not, parentheses: not before and before or
SELECT f, pg_temp.find(f) FROM (VALUES
	('userName eq "alba" or userName eq "bruno" and active eq true'),
	('(userName eq "alba" or userName eq "bruno") and active eq true'),
	('not (userName eq "alba") and title pr'), ('not (userName eq "alba" or title pr)'),
	('userType eq "Employee" and (emails co "home.example" or emails.value co "work.example")')) v(f);

-- multi-valued attributes: any element; inside brackets one element
SELECT f, pg_temp.find(f) FROM (VALUES
	('emails.value eq "ALBA@work.example"'), ('emails eq "alba@home.example"'), ('emails.type eq "home"'), ('emails pr'), ('emails[type eq "work"]'),
	('emails[type eq "work" and value co "home"]'), ('emails.type eq "work" and emails.value co "home"'),
	('emails[type eq "work" and value eq "dora@work.example"]'), ('emails[primary eq true and type eq "home"]'),
	('emails[type eq "work"].value eq "alba@home.example"'), ('emails[type eq "work"].value eq "alba@work.example"'),
	('emails[not (type eq "work")]'), ('phoneNumbers[type eq "work"].value pr')) v(f);

-- extensions, common attributes, times
SELECT f, pg_temp.find(f) FROM (VALUES
	('urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq "tours"'), ('URN:IETF:PARAMS:SCIM:SCHEMAS:EXTENSION:ENTERPRISE:2.0:USER:DEPARTMENT pr'), ('urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber gt "12"'),
	('meta.lastModified ge "0001-01-03T00:00:00.0000000Z"'), ('meta.lastModified gt "9999-01-01T00:00:00Z"'), ('meta.resourceType eq "User"'), ('meta.created lt "2020-01-01T00:00:00+02:00"'),
	('id eq "nobody"'), ('id pr'), ('schemas eq "urn:ietf:params:scim:schemas:core:2.0:User"')) v(f);

-- what cannot be served is refused, never an unfiltered list (the profile
-- "rfc" forgives nothing)
SET scim_audit.profile = 'rfc';
SELECT f, pg_temp.find(f) FROM (VALUES
	(''), ('userName'), ('userName eq'), ('userName eq "a'), ('userName eq a'), ('userName xx "a"'), ('userName eq "a" and'), ('(userName eq "a"'), ('userName eq "a")'),
	('nosuch eq "a"'), ('name.nosuch eq "a"'), ('urn:example:none:x eq "a"'), ('active gt true'), ('active co "t"'), ('userName eq 7'), ('active eq "yes"'),
	('meta.created eq "yesterday"'), ('emails[type eq "work"'), ('emails[nosuch eq "x"]'), ('userName eq "\u0000"'), ('password eq "x"'), ('password pr'), ('not userName eq "a"')) v(f);
RESET scim_audit.profile;
SELECT pg_temp.find('emails[password eq "x"]'), pg_temp.find('displayName eq "x"', '/Groups'), pg_temp.find('userName eq "x"', '/Groups');
SELECT pg_temp.find(repeat('(', 40) || 'userName pr' || repeat(')', 40));
SELECT left(pg_temp.find(string_agg('userName eq "u' || i || '"', ' or ')), 60) FROM generate_series(1, 201) i;
SELECT pg_temp.find(string_agg('userName eq "u' || i || '"', ' or ')) FROM generate_series(1, 200) i;

-- Another tenant's users are found by no filter.
RESET ROLE;
INSERT INTO scim.users (tenant, user_name) VALUES ('default', 'regress_40_foreign');
SET ROLE regress_idp_40;
SELECT pg_temp.find('userName eq "regress_40_foreign"'), pg_temp.find('userName co "foreign" or not (userName pr)');
RESET ROLE;
DELETE FROM scim.users WHERE tenant = 'default' AND user_name = 'regress_40_foreign';

-- Many comparisons with one value: it is looked at once a row, however many
-- there are.  The answers are those of single comparisons.
RESET ROLE;
UPDATE scim.users SET title = 'The ' || repeat('Ä', 5000) || ' end' WHERE tenant = 'regress-40' AND user_name = 'bruno';
SET ROLE regress_idp_40;
SELECT f, pg_temp.find(f) FROM (VALUES
	('title co "ää" or title co "nosuch"'), ('title co "ÄE" or title co "ä e"'), ('title co "guide" and title co "drop" and title co ""'),
	('not (title co "guide") and not (title co "x")'), ('title ew "END" or title co "guide;" or title ne "guide"'), ('title ew "uide" or title ew "--" or title sw "the"'),
	('userName sw "b" and (title co "the" or title co "x")'), ('name[familyName co "berg" or familyName co "neil"]'), ('title co "a" or title co "a" or title co "a"'),
	('emails[value co "home" and value co "bruno"]'), ('emails[value sw "alba" and (value ew "home.example" or value eq "x")]'), ('emails[not (value co "work") and not (value co "home")]'),
	('profileUrl ew "a" or profileUrl ew "b" or userName co "lik" or userName co "çe"'),
	('emails.value co "home" or emails.value co "bruno"'), ('not (emails.value co "home") and not (emails co "bruno")'),
	('emails[type eq "home" and value co "alba"] or title co "x" or emails.value ew "nosuch" or emails.value sw "bruno"'),
	('emails.type ne "work" or emails.value co "nosuch" or emails.value ew "nosuch"'),
	('not (emails.value co "nosuch" or emails.value co "alba") and userName sw "a"')) v(f);
RESET ROLE;
SET track_functions = 'all';
CREATE FUNCTION pg_temp.counted() RETURNS jsonb LANGUAGE sql AS $$
	SELECT coalesce(jsonb_object_agg(funcname, calls), '{}') FROM pg_stat_xact_user_functions
	WHERE schemaname = 'scim' AND funcname IN ('fold', 'contains', 'contains_each', 'ends_with') $$;
CREATE FUNCTION pg_temp.calls(filter text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	before jsonb := pg_temp.counted();
BEGIN
	PERFORM pg_temp.find(filter);
	RETURN (SELECT string_agg(key || ' ' || value::int - coalesce(before ->> key, '0')::int, ', ' ORDER BY key) FROM jsonb_each_text(pg_temp.counted()));
END $$;
SET scim_audit.tenant = 'regress-40';
SELECT pg_temp.calls(string_agg('title co "aa' || i || '"', ' or ')) FROM generate_series(1, 5) i;
SELECT pg_temp.calls(string_agg('title co "aa' || i || '"', ' or ')) FROM generate_series(1, 200) i;
SELECT pg_temp.calls(string_agg('not (title co "aa' || i || '")', ' and ')) FROM generate_series(1, 200) i;
SELECT pg_temp.calls(string_agg('title ne "aa' || i || '"', ' and ')) FROM generate_series(1, 200) i;
SELECT pg_temp.calls('emails[' || string_agg('value co "aa' || i || '" or value sw "aa' || i || '"', ' or ') || ']') FROM generate_series(1, 100) i;
RESET scim_audit.tenant;
RESET track_functions;

-- Indexes serve what clients ask for (tables are tiny here, so sequential
-- scans are switched off).
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT FROM scim.users t WHERE t.tenant = 'regress-40' AND scim.fold(t.user_name) = 'alba';
EXPLAIN (COSTS OFF) SELECT FROM scim.users t WHERE scim.folded_values(t.emails) @> ARRAY['alba@work.example'];
EXPLAIN (COSTS OFF) SELECT FROM scim.groups t WHERE t.tenant = 'regress-40' AND scim.fold(t.display_name) = 'x';
RESET enable_seqscan;
-- "Starts with" is a range of an index.
BEGIN;
INSERT INTO scim.users (tenant, user_name) SELECT 'regress-40', 'regress_40_' || i FROM generate_series(1, 500) i;
ANALYZE scim.users;
EXPLAIN (COSTS OFF) SELECT FROM scim.users t WHERE t.tenant = 'regress-40' AND scim.fold(t.user_name) COLLATE "C" ^@ 'al';
EXPLAIN (COSTS OFF) SELECT FROM scim.users t WHERE t.tenant = 'regress-40' AND (scim.fold(t.user_name) COLLATE "C" ^@ 'al' OR scim.fold(t.user_name) = 'bruno');
ROLLBACK;

RESET ROLE;
DELETE FROM scim.users WHERE tenant = 'regress-40';
DELETE FROM scim.groups WHERE tenant = 'regress-40';
SELECT scim.revoke_duty('regress_idp_40', 'provisioning_admin', 'regress-40');
DROP ROLE regress_idp_40;
DELETE FROM scim.tenants WHERE tenant = 'regress-40';
