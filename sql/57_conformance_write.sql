-- What RFC 7644 sections 3.3, 3.5 to 3.6, 3.12 and 3.14 ask of a service provider: writes
-- The ids are those of docs/conformance.md.
\set VERBOSITY terse
\set QUIET on
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS scim_audit CASCADE;
SELECT scim.create_tenant('regress-57c', 'https://scim.example/v2');
CREATE ROLE regress_57c;
SELECT scim.grant_duty('regress_57c', 'provisioning_admin', 'regress-57c');
-- A request: status, what the paths find in the body, scimType, detail; ids masked.
CREATE FUNCTION pg_temp.ask(method text, uri text, body text DEFAULT NULL, headers jsonb DEFAULT '{}', paths text[] DEFAULT '{}') RETURNS text LANGUAGE sql AS $$
	SELECT regexp_replace(concat_ws(' | ', a.status, (SELECT string_agg(coalesce((a.body #> string_to_array(p, '/'))::text, 'absent'), ' | ' ORDER BY n) FROM unnest(paths) WITH ORDINALITY AS e(p, n)),
		a.body ->> 'scimType', a.body ->> 'detail'), '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}', '<id>', 'g') FROM scim.scim_apply(method, uri, body, headers) a $$;
CREATE FUNCTION pg_temp.user(more text) RETURNS text LANGUAGE sql AS $$ SELECT '{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], ' || more || '}' $$;
CREATE FUNCTION pg_temp.operations(text) RETURNS text LANGUAGE sql AS $$ SELECT '{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": ' || $1 || '}' $$;
-- A PATCH of the user: status, version, what the paths find, scimType, detail.
CREATE FUNCTION pg_temp.patch(id text, operations text, VARIADIC paths text[] DEFAULT '{}') RETURNS text LANGUAGE sql AS $$ SELECT pg_temp.ask('PATCH', '/Users/' || id, pg_temp.operations(operations), paths => '{meta/version}' || paths) $$;
SET ROLE regress_57c;
-- the profile that forgives nothing
SET scim_audit.profile = 'rfc';

-- 7644-3.3-01: created: 201, 7644-3.3-02: with the resource, 7644-3.3-03: and its Location in header and body
SELECT status, headers ->> 'Location' = body #>> '{meta,location}', headers ->> 'Location' ~ '^https://scim.example/v2/Users/[0-9a-f-]{36}$', headers ->> 'ETag', headers ->> 'Content-Type', body - 'id' - 'meta'
	FROM scim.scim_apply('POST', '/Users', pg_temp.user('"userName": "eva", "title": "T", "emails": [{"value": "e@w", "type": "work", "primary": true}, {"value": "e@h", "type": "home"}], "name": {"familyName": "F", "givenName": "G"}'));
SELECT body #>> '{Resources,0,id}' AS id FROM scim.scim_apply('GET', '/Users?filter=userName%20eq%20%22eva%22') \gset
-- 7644-3.3-04: what is readOnly is ignored; 7644-3.3-05: a duplicate is 409 uniqueness; 7644-3.3.1-01: resourceType is the endpoint's
SELECT pg_temp.ask('POST', '/Users', pg_temp.user('"userName": "ro", "id": "x", "groups": [{"value": "x"}], "meta": {"resourceType": "Group", "version": "W/\"7\""}'), paths => '{groups,meta/resourceType,meta/version}');
SELECT pg_temp.ask('POST', '/Users', pg_temp.user('"userName": "EVA"')), pg_temp.ask('POST', '/Groups', '{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "eva"}', paths => '{meta/resourceType}');

-- 7644-3.5.1-01: PUT creates nothing; 7644-3.5.1-02: replaces readWrite values, and clears what is not there; 7644-3.5.1-03: ignores readOnly; 7644-3.5.1-04: needs what is required
SELECT pg_temp.ask('PUT', '/Users/00000000-0000-7000-8000-000000000000', pg_temp.user('"userName": "new"')), pg_temp.ask('PUT', '/Users', pg_temp.user('"userName": "new"')), pg_temp.ask('GET', '/Users?filter=userName%20eq%20%22new%22', paths => '{totalResults}');
SELECT pg_temp.ask('PUT', '/Users/' || :'id', pg_temp.user('"userName": "eva", "id": "x", "groups": [{"value": "x"}], "meta": {"created": "2000-01-01T00:00:00Z", "version": "W/\"70\""}, "emails": [{"value": "e@w", "type": "work", "primary": true}, {"value": "e@h", "type": "home"}], "name": {"familyName": "F2"}'), paths => '{title,name,emails,groups,meta/version}');
SELECT pg_temp.ask('PUT', '/Users/' || :'id', pg_temp.user('"title": "T"')), pg_temp.ask('PUT', '/Users/' || :'id', pg_temp.user('"userName": "Ro"'));

-- 7644-3.5.2-01: a PATCH names its message; 7644-3.5.2-02: has operations, 7644-3.5.2-03: each with one op
SELECT pg_temp.ask('PATCH', '/Users/' || :'id', b) FROM unnest(ARRAY['{}', '{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "Operations": [{"op": "remove", "path": "title"}]}', '{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"]}', pg_temp.operations('[]'), pg_temp.operations('{"op": "remove", "path": "title"}'), pg_temp.operations('["remove"]'),
	pg_temp.operations('[{"path": "title"}]'), pg_temp.operations('[{"op": "move", "path": "title"}]'), pg_temp.operations('[{"op": ["add"], "path": "title", "value": "x"}]'), pg_temp.operations('[{"op": "add", "op": "remove", "path": "title"}]')]) b;
-- 7644-3.5.2-04: remove needs a path; 7644-3.5.2-05: a path is one
SELECT o, pg_temp.patch(:'id', o) FROM unnest(ARRAY['[{"op": "remove"}]', '[{"op": "remove", "value": {"title": "x"}}]', '[{"op": "add", "path": 7, "value": "x"}]', '[{"op": "add", "path": "", "value": "x"}]', '[{"op": "add", "path": "nosuch", "value": "x"}]', '[{"op": "add", "path": "name.nosuch", "value": "x"}]', '[{"op": "add", "path": "name.givenName.x", "value": "x"}]',
	'[{"op": "add", "path": "emails[type eq", "value": "x"}]', '[{"op": "add", "path": "emails[nosuch eq \"x\"].value", "value": "x"}]', '[{"op": "add", "path": "emails[type eq \"work\"]x", "value": "x"}]', '[{"op": "add", "path": "title[value eq \"x\"]", "value": "x"}]', '[{"op": "add", "path": "urn:example:none:x", "value": "x"}]']) o;
-- 7644-3.5.2-06: an operation fits the attribute's mutability, 7644-3.5.2-07: and its type
SELECT o, pg_temp.patch(:'id', o) FROM unnest(ARRAY['[{"op": "replace", "path": "id", "value": "x"}]', '[{"op": "add", "path": "groups", "value": [{"value": "x"}]}]', '[{"op": "remove", "path": "meta.created"}]', '[{"op": "replace", "path": "schemas", "value": ["urn:example:none"]}]',
	'[{"op": "add", "path": "title", "value": 7}]', '[{"op": "add", "path": "active", "value": "true"}]', '[{"op": "add", "path": "name", "value": "F"}]', '[{"op": "add", "path": "name.givenName", "value": {"x": 1}}]', '[{"op": "add", "path": "emails", "value": "e@x"}]', '[{"op": "add", "path": "profileUrl", "value": "no URI"}]', '[{"op": "add", "path": "title", "value": ["a"]}]']) o;
-- 7644-3.5.2-08: a new primary value demotes the old one
SELECT pg_temp.patch(:'id', '[{"op": "add", "path": "emails", "value": [{"value": "e@n", "primary": true}]}]', 'emails');
SELECT pg_temp.patch(:'id', '[{"op": "replace", "path": "emails[type eq \"home\"].primary", "value": true}]', 'emails');
-- 7644-3.5.2-09: all operations or none
SELECT pg_temp.patch(:'id', '[{"op": "add", "path": "title", "value": "lost"}, {"op": "remove", "path": "emails"}, {"op": "add", "path": "nosuch", "value": 1}]'), pg_temp.ask('GET', '/Users/' || :'id', paths => '{meta/version,title}'), (SELECT jsonb_array_length(body -> 'emails') FROM scim.scim_apply('GET', '/Users/' || :'id'));
SELECT pg_temp.patch(:'id', '[{"op": "add", "path": "title", "value": "lost"}, {"op": "replace", "path": "userName", "value": "RO"}]'), pg_temp.ask('GET', '/Users/' || :'id', paths => '{meta/version,title,userName}');
-- 7644-3.5.2-10: 200 with the resource when attributes are asked for, of a group too, which else is 204; 7644-3.5.2-11: each operation sees what those before it did
SELECT status, headers ->> 'ETag', (SELECT string_agg(k, ' ' ORDER BY k) FROM jsonb_object_keys(body) k) FROM scim.scim_apply('PATCH', '/Users/' || :'id' || '?attributes=nickName', pg_temp.operations('[{"op": "add", "path": "nickName", "value": "n"}]'));
SELECT body #>> '{Resources,0,id}' AS gid FROM scim.scim_apply('GET', '/Groups?filter=displayName%20eq%20%22eva%22') \gset
SELECT status, headers ->> 'ETag', headers ->> 'Location' ~ '/Groups/', body - 'id' FROM unnest(ARRAY['', '?attributes=displayName']) q, scim.scim_apply('PATCH', '/Groups/' || :'gid' || q, pg_temp.operations('[{"op": "replace", "path": "displayName", "value": "g' || q || '"}]'));
SELECT pg_temp.patch(:'id', '[{"op": "add", "path": "nickName", "value": "1"}, {"op": "replace", "path": "nickName", "value": "2"}, {"op": "add", "path": "title", "value": "3"}, {"op": "remove", "path": "title"}]', 'nickName', 'title');

-- 7644-3.5.2.1-01: add needs a value; 7644-3.5.2.1-02: without path it adds attributes; 7644-3.5.2.1-03: to what is there, to a complex value, to an array
SELECT o, pg_temp.patch(:'id', o, 'title', 'name', 'roles') FROM unnest(ARRAY['[{"op": "add", "path": "title"}]', '[{"op": "add"}]', '[{"op": "add", "value": "x"}]', '[{"op": "add", "value": {"title": "A", "roles": [{"value": "r1"}]}}]', '[{"op": "add", "path": "title", "value": "B"}]', '[{"op": "add", "path": "name", "value": {"givenName": "G"}}]', '[{"op": "add", "path": "name.middleName", "value": "M"}]', '[{"op": "add", "path": "roles", "value": [{"value": "r2"}, {"value": "r3"}]}]', '[{"op": "add", "path": "roles[value eq \"r2\"]", "value": {"display": "R2"}}]', '[{"op": "add", "path": "roles.type", "value": "t"}]']) o;
-- 7644-3.5.2.1-04: what is there already changes nothing, not even lastModified
SELECT body #>> '{meta,lastModified}' AS modified FROM scim.scim_apply('GET', '/Users/' || :'id') \gset
SELECT o, pg_temp.patch(:'id', o), (SELECT body #>> '{meta,lastModified}' = :'modified' FROM scim.scim_apply('GET', '/Users/' || :'id')) FROM unnest(ARRAY['[{"op": "add", "path": "title", "value": "B"}]', '[{"op": "add", "path": "roles", "value": [{"value": "r2"}]}]', '[{"op": "add", "path": "name", "value": {"familyName": "F2"}}]', '[{"op": "add", "value": {"title": "B"}}]', '[{"op": "replace", "path": "title", "value": "B"}]', '[{"op": "remove", "path": "timezone"}]']) o;
-- 7644-3.5.2.2-01: remove of a single value, 7644-3.5.2.2-02: of all values, 7644-3.5.2.2-03: of those selected, 7644-3.5.2.2-04: of their sub-attributes; the last one takes the attribute with it
SELECT o, pg_temp.patch(:'id', o, 'title', 'name', 'roles', 'emails') FROM unnest(ARRAY['[{"op": "remove", "path": "title"}]', '[{"op": "remove", "path": "name.middleName"}]', '[{"op": "remove", "path": "roles[value eq \"r1\"]"}]', '[{"op": "remove", "path": "roles.type"}]', '[{"op": "remove", "path": "roles[value eq \"r2\"].display"}]', '[{"op": "remove", "path": "roles[value sw \"r\"]"}]', '[{"op": "remove", "path": "emails"}]', '[{"op": "remove", "path": "name"}]']) o;
-- 7644-3.5.2.2-05: what is required or readOnly cannot be removed
SELECT o, pg_temp.patch(:'id', o) FROM unnest(ARRAY['[{"op": "remove", "path": "userName"}]', '[{"op": "remove", "path": "id"}]', '[{"op": "remove", "path": "groups"}]', '[{"op": "remove", "path": "meta"}]']) o;
-- 7644-3.5.2.3-01: replace without path; 7644-3.5.2.3-02: of what is not there is add; 7644-3.5.2.3-03: of a complex value; 7644-3.5.2.3-04: of all values; 7644-3.5.2.3-05: of all that are selected, or their sub-attribute
SELECT o, pg_temp.patch(:'id', o, 'title', 'name', 'roles') FROM unnest(ARRAY['[{"op": "replace"}]', '[{"op": "replace", "value": {"title": "R", "name": {"familyName": "F"}}}]', '[{"op": "replace", "path": "roles", "value": [{"value": "a", "type": "x"}, {"value": "b", "type": "x"}, {"value": "c"}]}]', '[{"op": "replace", "path": "name", "value": {"givenName": "G"}}]', '[{"op": "replace", "path": "name.familyName", "value": "H"}]', '[{"op": "replace", "path": "roles[type eq \"x\"].display", "value": "X"}]', '[{"op": "replace", "path": "roles[value eq \"c\"]", "value": {"value": "d", "type": "y"}}]', '[{"op": "replace", "path": "roles", "value": [{"value": "only"}]}]']) o;
-- 7644-3.5.2.3-06: a filter that selects nothing: noTarget
SELECT o, pg_temp.patch(:'id', o) FROM unnest(ARRAY['[{"op": "replace", "path": "emails[type eq \"work\"].value", "value": "x"}]', '[{"op": "replace", "path": "roles[value eq \"nosuch\"]", "value": {"value": "x"}}]', '[{"op": "replace", "path": "name[familyName eq \"nosuch\"].givenName", "value": "x"}]']) o;
-- the default profile makes what Entra expects to be made: the value that the filter describes in canonical values
SET scim_audit.profile = 'default';
SELECT pg_temp.patch(:'id', '[{"op": "replace", "path": "emails[type eq \"work\"].value", "value": "x@w"}]', 'emails'), pg_temp.patch(:'id', '[{"op": "replace", "path": "emails[type eq \"nosuch\"].value", "value": "x"}]');
SET scim_audit.profile = 'rfc';

-- 7644-3.14-01: a weak ETag in header and meta; 7644-3.14-02: If-Match; 7644-3.14-03: If-None-Match
SELECT headers ->> 'ETag' AS etag, headers ->> 'ETag' = body #>> '{meta,version}' AND headers ->> 'ETag' ~ '^W/"[0-9]+"$' AS same FROM scim.scim_apply('GET', '/Users/' || :'id') \gset
SELECT :'same', m, pg_temp.ask(m, '/Users/' || :'id', pg_temp.user('"userName": "eva"'), '{"If-Match": "W/\"1\""}'), pg_temp.ask(m, '/Users/' || :'id', pg_temp.user('"userName": "eva"'), '{"If-Match": "nonsense"}') FROM unnest(ARRAY['PUT', 'PATCH', 'DELETE']) m;
SELECT pg_temp.ask('GET', '/Users/' || :'id', headers => jsonb_build_object('If-None-Match', :'etag')), (SELECT body IS NULL AND headers ->> 'ETag' = :'etag' FROM scim.scim_apply('GET', '/Users/' || :'id', headers => jsonb_build_object('if-none-match', '"x", ' || :'etag'))), pg_temp.ask('GET', '/Users/' || :'id', headers => '{"If-None-Match": "W/\"1\""}'), pg_temp.ask('PUT', '/Users/' || :'id', pg_temp.user('"userName": "eva"'), jsonb_build_object('If-Match', 'W/"1", ' || :'etag'));

-- 7644-3.6-01: deleted: 204 without body, 7644-3.6-02: then 404 whatever is asked, 7644-3.6-03: in no list, 7644-3.6-04: and in nobody's way
SELECT status, body IS NULL FROM scim.scim_apply('DELETE', '/Users/' || :'id');
SELECT m, pg_temp.ask(m, '/Users/' || :'id', CASE m WHEN 'PUT' THEN pg_temp.user('"userName": "eva"') WHEN 'PATCH' THEN pg_temp.operations('[{"op": "remove", "path": "title"}]') END) FROM unnest(ARRAY['GET', 'PUT', 'PATCH', 'DELETE', 'HEAD']) m;
SELECT pg_temp.ask('GET', '/Users?filter=userName%20eq%20%22eva%22', paths => '{totalResults}'), pg_temp.ask('POST', '/Users', pg_temp.user('"userName": "eva"'), paths => '{userName}');
RESET ROLE;
SELECT scim.alter_tenant('regress-57c', '{"soft_delete": true}');
SET ROLE regress_57c;
SELECT body #>> '{Resources,0,id}' AS id FROM scim.scim_apply('GET', '/Users?filter=userName%20eq%20%22eva%22') \gset
SELECT pg_temp.ask('DELETE', '/Users/' || :'id'), pg_temp.ask('GET', '/Users/' || :'id'), pg_temp.ask('PATCH', '/Users/' || :'id', pg_temp.operations('[{"op": "remove", "path": "title"}]')), pg_temp.ask('GET', '/Users?filter=userName%20eq%20%22eva%22', paths => '{totalResults}'), pg_temp.ask('POST', '/Users', pg_temp.user('"userName": "Eva"'), paths => '{userName}');

-- 7644-3.12-01: an error is a SCIM Error whose status is a string, that of the answer; 7644-3.12-02: with the scimType that the RFC names
SELECT m || ' ' || u, status, headers, body - 'detail', length(body ->> 'detail') > 10, status::text = body ->> 'status' FROM (VALUES ('GET', '/Users/nobody', NULL), ('GET', '/Nothing', NULL), ('POST', '/Users', '{'), ('POST', '/Users', '[]'), ('POST', '/Users', NULL), ('POST', '/Users', '{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ro"}'), ('DELETE', '/Users', NULL), ('BREW', '/Users', NULL), ('GET', '/Users?filter=x', NULL),
	('GET', '/Users?filter=password%20pr', NULL), ('GET', '/Users?filter=%ZZ', NULL), ('GET', '/v1/Users', NULL), ('GET', '/Users?cursor=x', NULL), ('GET', '/Schemas?filter=x', NULL)) AS r(m, u, b), scim.scim_apply(m, u, b);

RESET ROLE;
SELECT scim.drop_tenant('regress-57c', 'regress-57c');
DROP ROLE regress_57c;
