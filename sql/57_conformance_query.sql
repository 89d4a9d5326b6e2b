-- What RFC 7644 sections 3.4, 3.9 and 3.10 ask of a service provider: queries
-- The ids are those of docs/conformance.md.
\set VERBOSITY terse
\set QUIET on
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS scim_audit CASCADE;
SELECT scim.create_tenant('regress-57b', 'https://scim.example/v2');
CREATE ROLE regress_57b;
SELECT scim.grant_duty('regress_57b', 'provisioning_admin', 'regress-57b');
-- A request: status, what the paths find in the body, scimType, detail; ids masked.
CREATE FUNCTION pg_temp.ask(method text, uri text, body text DEFAULT NULL, headers jsonb DEFAULT '{}', paths text[] DEFAULT '{}') RETURNS text LANGUAGE sql AS $$
	SELECT regexp_replace(concat_ws(' | ', a.status, (SELECT string_agg(coalesce((a.body #> string_to_array(p, '/'))::text, 'absent'), ' | ' ORDER BY n) FROM unnest(paths) WITH ORDINALITY AS e(p, n)),
		a.body ->> 'scimType', a.body ->> 'detail'), '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}', '<id>', 'g') FROM scim.scim_apply(method, uri, body, headers) a $$;
CREATE FUNCTION pg_temp.user(more text) RETURNS text LANGUAGE sql AS $$ SELECT '{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], ' || more || '}' $$;
CREATE FUNCTION pg_temp.operations(text) RETURNS text LANGUAGE sql AS $$ SELECT '{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": ' || $1 || '}' $$;
-- The names that a filter finds, or why it is refused.
CREATE FUNCTION pg_temp.encoded(text) RETURNS text LANGUAGE sql AS $$ SELECT coalesce(string_agg('%' || lpad(to_hex(get_byte(b, i)), 2, '0'), '' ORDER BY i), '') FROM convert_to($1, 'UTF8') b, generate_series(0, length(b) - 1) i $$;
CREATE FUNCTION pg_temp.list(query text, endpoint text DEFAULT '/Users') RETURNS text LANGUAGE sql AS $$
	SELECT CASE WHEN status = 200 THEN coalesce((SELECT string_agg(coalesce(r ->> 'userName', r ->> 'displayName'), ' ' ORDER BY n) FROM jsonb_array_elements(body -> 'Resources') WITH ORDINALITY AS e(r, n)), 'none')
		ELSE concat_ws(' | ', status, body ->> 'scimType', body ->> 'detail') END FROM scim.scim_apply('GET', endpoint || query) $$;
CREATE FUNCTION pg_temp.find(filter text, endpoint text DEFAULT '/Users') RETURNS text LANGUAGE sql AS $$ SELECT pg_temp.list('?sortBy=id&filter=' || pg_temp.encoded(filter), endpoint) $$;
INSERT INTO scim.users (tenant, id, user_name, external_id, display_name, title, active, name_family_name, name_given_name, emails, x509_certificates, profile_url, department, extensions)
	SELECT 'regress-57b', ('00000000-0000-7000-8000-' || lpad(i::text, 12, '0'))::uuid, (ARRAY['ann', 'Bob', 'cyd', 'DON'])[i], (ARRAY['A', 'b', NULL, 'a'])[i], (ARRAY['Ann', 'bob', NULL, 'ann'])[i], (ARRAY['x', '', NULL, 'X'])[i], (ARRAY[true, false, NULL, true])[i],
		(ARRAY['Fa', NULL, NULL, ''])[i], (ARRAY[NULL, 'Gi', NULL, ''])[i], (ARRAY['[{"value": "a@w", "type": "work", "primary": true}, {"value": "a@h", "type": "home"}]', '[{"value": "b@h", "type": "home"}]', '[]', '[{"value": "d@w", "type": "work", "primary": false}, {"value": "b@h", "type": "other"}]']::jsonb[])[i],
		CASE WHEN i = 1 THEN '[{"value": "AAEC"}]'::jsonb END, CASE WHEN i = 1 THEN 'https://example.com/A' END, (ARRAY['Dep', NULL, NULL, 'dep'])[i], '{}' FROM generate_series(1, 4) i;
INSERT INTO scim.groups (tenant, id, display_name) VALUES ('regress-57b', '00000000-0000-7000-8000-000000000009', 'ann');
INSERT INTO scim.group_members (tenant, group_id, member_id, member_type) VALUES ('regress-57b', '00000000-0000-7000-8000-000000000009', '00000000-0000-7000-8000-000000000001', 'User');
SET ROLE regress_57b;

-- 7644-3.4.2-01: parameters that are not known are ignored; 7644-3.4.2-02: a list is a ListResponse; 7644-3.4.2-03: nothing found is a success
SELECT pg_temp.list('?nosuch=1&x&_=2');
SELECT jsonb_pretty(body) FROM scim.scim_apply('GET', '/Users?filter=userName%20eq%20%22nobody%22');
SELECT (SELECT string_agg(k, ' ' ORDER BY k COLLATE "C") FROM jsonb_object_keys(body) k), body -> 'totalResults', body -> 'itemsPerPage', body -> 'startIndex', jsonb_array_length(body -> 'Resources') FROM scim.scim_apply('GET', '/Users?startIndex=2&count=2');
-- 7644-3.4.2.1-01: the root has all resources; 7644-3.4.2.1-02: an attribute that a type lacks has no value
SELECT pg_temp.list('', '/'), pg_temp.find('displayName eq "ann"', '/'), pg_temp.find('userName pr', '/'), pg_temp.find('not (userName pr)', '/'), pg_temp.find('members pr', '/'), pg_temp.find('meta.resourceType eq "Group"', '/'), pg_temp.find('nosuch pr', '/');

-- 7644-3.4.2.2-01: every operator on every type of attribute
SELECT t.attribute, o, pg_temp.find(concat_ws(' ', t.attribute, o, t.literal)) FROM (VALUES ('displayName', '"ann"'), ('externalId', '"A"'), ('active', 'true'), ('meta.created', '"2020-01-01T00:00:00Z"'), ('x509Certificates.value', '"AAEC"'), ('profileUrl', '"https://example.com/A"'), ('emails.value', '"b@h"'), ('emails.primary', 'true'),
		('urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department', '"DEP"'), ('groups.display', '"ann"'), ('id', '"00000000-0000-7000-8000-000000000002"')) AS t(attribute, literal), unnest(ARRAY['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le']) WITH ORDINALITY AS e(o, n) ORDER BY 1, n;
-- 7644-3.4.2.2-02: "pr" is false of what is empty
SELECT f, pg_temp.find(f) FROM unnest(ARRAY['userName pr', 'title pr', 'active pr', 'name pr', 'name.familyName pr', 'name.givenName pr', 'emails pr', 'emails.value pr', 'groups pr', 'externalId pr', 'id pr', 'schemas pr', 'meta pr', 'meta.location pr', 'meta.version pr', 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department pr', 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager pr']) f;
-- 7644-3.4.2.2-03: the common attributes, each
SELECT f, pg_temp.find(f) FROM unnest(ARRAY['meta.location eq "https://scim.example/v2/Users/00000000-0000-7000-8000-000000000003"', 'meta.location ew "/Users/00000000-0000-7000-8000-000000000002"', 'meta.location sw "https://scim.example/v2/Groups"', 'meta.location ne "https://scim.example/v2/Users/00000000-0000-7000-8000-000000000003"', 'meta.version eq "W/\"1\""',
	'meta.resourceType eq "user"', 'meta.lastModified gt "2020-01-01T00:00:00Z"', 'meta.created lt "2020-01-01T00:00:00Z"', 'schemas eq "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"', 'schemas co "enterprise"', 'id co "0003"', 'id eq "nobody"', 'externalId eq "a"']) f;
SELECT pg_temp.find('meta.location ew "000000000009"', '/Groups'), pg_temp.find('meta.location co "/Users/"', '/'), pg_temp.list('?sortBy=meta.location&sortOrder=descending');
-- 7644-3.4.2.2-11: references, too
RESET ROLE;
UPDATE scim.users SET manager_id = '00000000-0000-7000-8000-000000000002' WHERE tenant = 'regress-57b' AND user_name = 'ann';
SET ROLE regress_57b;
SELECT f, pg_temp.find(f) FROM unnest(ARRAY['groups.$ref pr', 'groups.$ref eq "https://scim.example/v2/Groups/00000000-0000-7000-8000-000000000009"', 'groups[$ref ew "0009" and type eq "direct"]', 'groups.$ref co "/Users/"', 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.$ref pr', 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.$ref eq "https://scim.example/v2/Users/00000000-0000-7000-8000-000000000002"', 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.$ref ne "x"']) f;
SELECT f, pg_temp.find(f, '/Groups') FROM unnest(ARRAY['members.$ref sw "https://scim.example/v2/Users/"', 'members[$ref eq "https://scim.example/v2/Users/00000000-0000-7000-8000-000000000001" and type eq "User"]', 'members.$ref sw "https://scim.example/v2/Groups/"', 'members[not ($ref pr)]']) f;
-- 7644-3.4.2.2-04: grouping before not before and before or
SELECT f, pg_temp.find(f) FROM unnest(ARRAY['userName eq "ann" or userName eq "bob" and active eq true', '(userName eq "ann" or userName eq "bob") and active eq true', 'not (active pr) or userName eq "ann" and title eq "y"', 'not (active pr or userName eq "ann") and userName pr', 'userName eq "cyd" or (not (title pr) and not (userName eq "bob"))', 'NOT (active PR) OR userName EQ "ann"']) f;
-- 7644-3.4.2.2-05: inside brackets one value satisfies all
SELECT f, pg_temp.find(f) FROM unnest(ARRAY['emails[type eq "work" and value co "@h"]', 'emails.type eq "work" and emails.value co "@h"', 'emails[type eq "work" or value eq "b@h"]', 'emails[not (type eq "work")]', 'emails[type eq "home"] and active eq false', 'emails[primary eq true]', 'emails[type eq "home"].value eq "a@h"', 'groups[display eq "ann" and type eq "direct"]', 'addresses[country pr]']) f;
-- 7644-3.4.2.2-06: what is not in the grammar, or not an attribute, or not for the type, is refused and never answered with a list
SELECT f, pg_temp.find(f) FROM unnest(ARRAY['', 'userName', 'userName eq', 'userName zz "a"', 'userName eq "a', '(userName pr', 'userName pr)', 'userName pr and', 'not userName pr', 'nosuch pr', 'name.nosuch pr', 'emails[nosuch pr]', 'emails[emails.type pr]', 'emails[type eq "work"', 'urn:example:none:x pr', 'userName gt null', 'name eq "x"', 'active gt false', 'active lt true', 'x509Certificates ge "AAEC"', 'active eq "on"', 'meta.created gt "x"', 'userName[type pr]']) f;
-- 7644-3.4.2.2-07: a complex attribute is compared by a sub-attribute, a multi-valued one by its value
SELECT pg_temp.find('name eq "Fa"'), pg_temp.find('name.familyName eq "fa"'), pg_temp.find('emails eq "b@h"'), pg_temp.find('emails co "@w"');
-- 7644-3.4.2.2-08: strings are compared as caseExact says
SELECT pg_temp.find('userName eq "DON"'), pg_temp.find('userName eq "don"'), pg_temp.find('userName sw "D"'), pg_temp.find('externalId eq "B"'), pg_temp.find('externalId eq "b"'), pg_temp.find('externalId lt "a"'), pg_temp.find('displayName lt "B"');
-- 7644-7.5.2-01: what is secret is refused, in a filter, in an order, in a list of attributes
SELECT pg_temp.find('password eq "x"'), pg_temp.find('password pr'), pg_temp.find('userName pr or not (password sw "a")'), pg_temp.list('?sortBy=password'), pg_temp.list('?attributes=password');

-- 7644-3.4.2.3-01: ascending unless said otherwise, no value last, or first when descending; 7644-3.4.2.3-02: in the order of the attribute's type
SELECT s, o, pg_temp.list('?sortBy=' || s || o) FROM unnest(ARRAY['userName', 'displayName', 'externalId', 'active', 'meta.created', 'id', 'emails', 'emails.value', 'name.familyName', 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department', 'urn:ietf:params:scim:schemas:core:2.0:User:userName']) s, unnest(ARRAY['', '&sortOrder=ascending', '&sortOrder=descending']) o WHERE s NOT LIKE 'meta%' OR o <> '&sortOrder=ascending' ORDER BY s COLLATE "C", o;
SELECT pg_temp.list('?sortBy=name'), pg_temp.list('?sortBy=nosuch'), pg_temp.list('?sortBy=userName&sortOrder=up'), pg_temp.list('?sortOrder=descending');
-- 7644-3.4.2.4-01: startIndex below 1 is 1; 7644-3.4.2.4-02: never more than count, and a negative count is 0
SELECT q, body -> 'totalResults', body -> 'startIndex', body -> 'itemsPerPage', jsonb_array_length(body -> 'Resources') FROM unnest(ARRAY['startIndex=0', 'startIndex=-3&count=1', 'startIndex=1', 'startIndex=4', 'startIndex=5', 'count=0', 'count=-1', 'count=3', 'count=99999999999999999999', 'startIndex=99999999999999999999', 'startIndex=2&count=0']) q, scim.scim_apply('GET', '/Users?' || q);
SELECT pg_temp.list('?startIndex=x'), pg_temp.list('?count=1.5'), pg_temp.list('?count=');

-- 7644-3.4.2.5-01: attributes; 7644-3.4.2.5-02: excludedAttributes; 7644-3.4.2.5-03: what is returned always is no matter of choice
SELECT q, string_agg(k, ' ' ORDER BY k COLLATE "C") FROM unnest(ARRAY['attributes=userName', 'attributes=name.familyName,emails.value', 'attributes=USERNAME', 'attributes=urn:ietf:params:scim:schemas:core:2.0:User:userName', 'attributes=urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department', 'attributes=urn:ietf:params:scim:schemas:extension:enterprise:2.0:User', 'attributes=meta.location',
		'attributes=nosuch', 'attributes=', 'excludedAttributes=emails,name,meta', 'excludedAttributes=id,schemas,userName', 'excludedAttributes=nosuch', 'excludedAttributes=urn:ietf:params:scim:schemas:extension:enterprise:2.0:User']) q, scim.scim_apply('GET', '/Users/00000000-0000-7000-8000-000000000001?' || q), jsonb_object_keys(body) k GROUP BY q ORDER BY q COLLATE "C";
SELECT body -> 'emails', body -> 'meta' FROM scim.scim_apply('GET', '/Users/00000000-0000-7000-8000-000000000001?attributes=emails.type,meta.resourceType');
SELECT body -> 'emails' FROM scim.scim_apply('GET', '/Users/00000000-0000-7000-8000-000000000001?excludedAttributes=emails.type');
SELECT pg_temp.ask('GET', '/Users?attributes=userName&excludedAttributes=name');
SELECT method, uri, status, (SELECT string_agg(k, ' ' ORDER BY k COLLATE "C") FROM jsonb_object_keys(body) k) FROM (VALUES ('POST', '/Users?attributes=userName', pg_temp.user('"userName": "p1", "title": "T"')), ('PUT', '/Users/00000000-0000-7000-8000-000000000003?excludedAttributes=meta', pg_temp.user('"userName": "cyd", "title": "T"')),
	('PATCH', '/Users/00000000-0000-7000-8000-000000000003?attributes=title', pg_temp.operations('[{"op": "remove", "path": "title"}]')), ('PATCH', '/Groups/00000000-0000-7000-8000-000000000009?excludedAttributes=members', pg_temp.operations('[{"op": "replace", "path": "displayName", "value": "ann"}]'))) AS r(method, uri, request), scim.scim_apply(method, uri, request);

-- 7644-3.4.3-01: .search is the same query by POST; 7644-3.4.3-02: its message names itself
SELECT u, status, body -> 'totalResults', body -> 'itemsPerPage', body -> 'Resources' -> 0 -> 'userName', body ->> 'scimType' FROM unnest(ARRAY['/.search', '/Users/.search', '/Groups/.search']) u,
	scim.scim_apply('POST', u, '{"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "attributes": ["userName", "displayName"], "filter": "displayName eq \"ann\"", "startIndex": 1, "count": 1}'::text);
SELECT jsonb_array_length(body -> 'Resources'), (body #> '{Resources,0}') - 'id' FROM scim.scim_apply('POST', '/Users/.search', '{"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "attributes": ["userName"], "sortBy": "userName", "sortOrder": "descending", "count": 1}'::text);
SELECT pg_temp.ask('POST', '/Users/.search', b) FROM unnest(ARRAY['{}', '{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"]}', '{"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": "nosuch pr"}', '{"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "sortBy": "name"}', '{"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "count": "1"}', '{"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": "password pr"}']) b;
SELECT pg_temp.ask('GET', '/Users/.search'), pg_temp.ask('POST', '/ServiceProviderConfig/.search', '{}');

-- 7644-3.10-01: attributes with and without the URN of their schema
SELECT f, pg_temp.find(f) FROM unnest(ARRAY['urn:ietf:params:scim:schemas:core:2.0:User:userName eq "ann"', 'URN:ietf:params:scim:schemas:core:2.0:user:EMAILS.type eq "work"', 'urn:ietf:params:scim:schemas:core:2.0:User:emails[type eq "home"]', 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq "dep"', 'department eq "dep"']) f;

RESET ROLE;
SELECT scim.drop_tenant('regress-57b', 'regress-57b');
DROP ROLE regress_57b;
