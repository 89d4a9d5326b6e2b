-- What RFC 7643 asks of a service provider
-- The ids are those of docs/conformance.md.
\set VERBOSITY terse
\set QUIET on
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS scim_audit CASCADE;
SELECT scim.create_tenant('regress-57a', 'https://scim.example/v2');
CREATE ROLE regress_57a;
SELECT scim.grant_duty('regress_57a', 'provisioning_admin', 'regress-57a');
-- A request: status, what the paths find in the body, scimType, detail; ids masked.
CREATE FUNCTION pg_temp.ask(method text, uri text, body text DEFAULT NULL, headers jsonb DEFAULT '{}', paths text[] DEFAULT '{}') RETURNS text LANGUAGE sql AS $$
	SELECT regexp_replace(concat_ws(' | ', a.status, (SELECT string_agg(coalesce((a.body #> string_to_array(p, '/'))::text, 'absent'), ' | ' ORDER BY n) FROM unnest(paths) WITH ORDINALITY AS e(p, n)),
		a.body ->> 'scimType', a.body ->> 'detail'), '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}', '<id>', 'g') FROM scim.scim_apply(method, uri, body, headers) a $$;
CREATE FUNCTION pg_temp.user(more text) RETURNS text LANGUAGE sql AS $$ SELECT '{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], ' || more || '}' $$;
CREATE FUNCTION pg_temp.operations(text) RETURNS text LANGUAGE sql AS $$ SELECT '{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": ' || $1 || '}' $$;
CREATE FUNCTION pg_temp.document(method text, uri text, body text DEFAULT NULL, headers jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$ SELECT a.body FROM scim.scim_apply(method, uri, body, headers) a $$;
CREATE FUNCTION pg_temp.find(filter text, endpoint text DEFAULT '/Users') RETURNS text LANGUAGE sql AS $$
	SELECT CASE WHEN status = 200 THEN coalesce((SELECT string_agg(coalesce(r ->> 'userName', r ->> 'displayName'), ' ' ORDER BY r ->> 'userName' COLLATE "C") FROM jsonb_array_elements(body -> 'Resources') r), 'none')
		ELSE concat_ws(' | ', status, body ->> 'scimType', body ->> 'detail') END
	FROM scim.scim_apply('GET', endpoint || '?filter=' || (SELECT coalesce(string_agg('%' || lpad(to_hex(get_byte(b, i)), 2, '0'), '' ORDER BY i), '') FROM convert_to(filter, 'UTF8') b, generate_series(0, length(b) - 1) i)) $$;
SET ROLE regress_57a;

-- 7643-2.1-02: names and schema URIs in any case; the answer has the schema's spelling
SELECT pg_temp.ask('POST', '/Users', '{"SCHEMAS": ["URN:ietf:params:scim:schemas:CORE:2.0:user"], "USERNAME": "case", "Name": {"GIVENNAME": "G"}, "URN:IETF:params:scim:schemas:extension:ENTERPRISE:2.0:User": {"Department": "D"}}',
	paths => '{schemas,userName,name,urn:ietf:params:scim:schemas:extension:enterprise:2.0:User}');
-- 7643-2.1-03: one name twice, in any case, is no document
SELECT pg_temp.ask('POST', '/Users', pg_temp.user('"userName": "twice", "USERNAME": "other"'));

-- 7643-2.2-01: every attribute that is enforced says each of its characteristics
SELECT count(*), count(*) FILTER (WHERE a ?& '{name,type,multiValued,description,required,mutability,returned,uniqueness}'),
		count(*) FILTER (WHERE (a ->> 'type') IN ('string', 'reference', 'binary')) = count(*) FILTER (WHERE a ? 'caseExact'),
		count(*) FILTER (WHERE a ->> 'type' = 'complex') = count(*) FILTER (WHERE a ? 'subAttributes'), count(*) FILTER (WHERE a ->> 'type' = 'reference') = count(*) FILTER (WHERE a ? 'referenceTypes')
	FROM jsonb_array_elements(pg_temp.document('GET', '/Schemas') -> 'Resources') s, LATERAL (SELECT jsonb_path_query(s, '$.attributes[*]') UNION ALL SELECT jsonb_path_query(s, '$.attributes[*].subAttributes[*]')) AS d(a);

-- 7643-2.3.5-01: a dateTime has date and time; 7643-2.3.6-01: base64
SELECT pg_temp.find('meta.created gt "2020-01-01"'), pg_temp.find('meta.created gt "2020-01-01T00:00:00"'), pg_temp.find('meta.created gt "2020-01-01T00:00:00+01:00"');
SELECT v, pg_temp.ask('POST', '/Users', pg_temp.user('"userName": "x509' || v || '", "x509Certificates": [{"value": "' || v || '"}]'), paths => '{x509Certificates}') FROM unnest(ARRAY['MIID+/==', 'M*', '=']) v;
-- 7643-2.3.7-01: a reference is a URI, absolute or relative
SELECT v, pg_temp.ask('POST', '/Users', pg_temp.user('"userName": "uri ' || n || '", "profileUrl": ' || to_json(v)), paths => '{profileUrl}')
	FROM unnest(ARRAY['https://example.com/a?b=c#d', 'Users/2819c223', '/relative', 'https://exämple.com/ü', 'not a URI', 'https://example.com/<x>', 'a"b', E'new\nline', '']) WITH ORDINALITY AS e(v, n);
SELECT pg_temp.ask('POST', '/Users', pg_temp.user('"userName": "photo", "photos": [{"value": "no photo"}]')), pg_temp.ask('POST', '/Users', pg_temp.user('"userName": "photo", "profileUrl": 7'));
-- 7643-2.3.7-02: what the service refers to is there
SELECT pg_temp.document('POST', '/Users', pg_temp.user('"userName": "ref"')) ->> 'id' AS id \gset
SELECT pg_temp.document('POST', '/Groups', '{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "refs", "members": [{"value": "' || :'id' || '"}]}') ->> 'id' AS gid \gset
SELECT pg_temp.ask('PATCH', '/Users/' || :'id', pg_temp.operations('[{"op": "add", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value", "value": "' || :'id' || '"}]'));
SELECT regexp_replace(ref, '[-0-9a-f]{36}', '<id>'), pg_temp.ask('GET', replace(ref, 'https://scim.example/v2', ''), paths => '{meta/resourceType}') FROM (SELECT r #>> '{}' AS ref FROM unnest(ARRAY['/Users/' || :'id', '/Groups/' || :'gid']) u, jsonb_path_query(pg_temp.document('GET', u), 'strict $.**."$ref"') r) refs ORDER BY ref;

-- 7643-2.3.8-01: the order of members does not matter
SELECT pg_temp.ask('POST', '/Users', '{"title": "T", "userName": "order", "schemas": ["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User", "urn:ietf:params:scim:schemas:core:2.0:User"]}', paths => '{schemas,userName,title}');

-- 7643-2.4-01: primary at most once; 7643-2.4-02: not specified, it is false; 7643-2.4-03: one value of a type once
SELECT pg_temp.ask('POST', '/Users', pg_temp.user('"userName": "two", "emails": [{"value": "a@x", "primary": true}, {"value": "b@x", "primary": true}]'));
SELECT pg_temp.ask('POST', '/Users', pg_temp.user('"userName": "one", "emails": [{"value": "a@x", "type": "WORK"}, {"value": "b@x", "primary": true}, {"value": "A@X", "type": "work"}, {"value": "a@x", "type": "home"}, {"value": "c@x", "type": "own"}]'), paths => '{emails}');
SELECT pg_temp.find('emails[value eq "a@x" and primary eq false]'), pg_temp.find('emails[value eq "b@x" and primary eq false]'), pg_temp.find('emails[value eq "a@x" and primary eq true]');

-- 7643-2.5-01: null, an empty array and absence are one state
SELECT DISTINCT pg_temp.document('PUT', '/Users/' || :'id', pg_temp.user('"userName": "ref"' || m)) - 'meta' - 'groups' - 'id' FROM unnest(ARRAY['', ', "title": null', ', "emails": []', ', "emails": null, "name": null, "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": null', ', "name": {"givenName": null}, "emails": [{"value": null}]']) m;
SELECT pg_temp.ask('PATCH', '/Users/' || :'id', pg_temp.operations('[{"op": "replace", "path": "' || p || '", "value": ' || v || '}]'), paths => '{meta/version,title,emails,name}') FROM (VALUES ('title', 'null'), ('emails', '[]'), ('emails', 'null'), ('name', '{"givenName": null}')) AS e(p, v);

-- 7643-3-01: schemas is required, 7643-3-02: names the type's own, 7643-3-03: each once, in any order
SELECT pg_temp.ask('POST', '/Users', b, paths => '{schemas}') FROM unnest(ARRAY['{"userName": "s"}', '{"schemas": [], "userName": "s"}', '{"schemas": "urn:ietf:params:scim:schemas:core:2.0:User", "userName": "s"}', '{"schemas": [7], "userName": "s"}',
	'{"schemas": ["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"], "userName": "s"}', '{"schemas": ["urn:example:none", "urn:ietf:params:scim:schemas:core:2.0:User", "urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "s"}']) b;
SELECT count(*), count(*) FILTER (WHERE jsonb_array_length(d -> 'schemas') > 0 AND (SELECT count(DISTINCT s) = count(*) FROM jsonb_array_elements(d -> 'schemas') s))
	FROM unnest(ARRAY['/Users', '/Groups', '/', '/Schemas', '/ResourceTypes', '/ServiceProviderConfig', '/Users/nobody', '/Users/' || :'id', '/Groups/' || :'gid', '/Users?filter=x', '/Users/' || :'id' || '?excludedAttributes=schemas', '/Users/' || :'id' || '?attributes=title']) u,
		LATERAL (SELECT pg_temp.document('GET', u) UNION ALL SELECT jsonb_path_query(pg_temp.document('GET', u), '$.Resources[*]')) AS a(d);
-- 7643-3-04: an extension is named while it has values
SELECT pg_temp.ask('PATCH', '/Users/' || :'id', pg_temp.operations('[{"op": "' || op || '", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:division", "value": "V"}]'), paths => '{schemas}') FROM unnest(ARRAY['add', 'remove']) op;

-- 7643-3.1-01: id is the server's, whatever the client says, and stays; 7643-3.1-02: it is unique over all types and tenants; 7643-3.1-03: it holds no "bulkId"
SELECT pg_temp.document('POST', '/Users', pg_temp.user('"userName": "own", "id": "bulkId:mine"')) ->> 'id' AS own \gset
SELECT :'own' ~ '^[0-9a-f-]{36}$', pg_temp.document('PUT', '/Users/' || :'own', pg_temp.user('"userName": "own2", "id": "other"')) ->> 'id' = :'own', pg_temp.document('PATCH', '/Users/' || :'own', pg_temp.operations('[{"op": "replace", "value": {"id": "other", "title": "T"}}]')) ->> 'id' = :'own';
RESET ROLE;
SELECT count(*) > 5, count(DISTINCT id) = count(*) FROM (SELECT id FROM scim.users UNION ALL SELECT id FROM scim.groups) i;
SET ROLE regress_57a;
-- 7643-3.1-04: externalId is the client's alone, to the letter, within its tenant
SELECT pg_temp.ask('POST', '/Users', pg_temp.user('"userName": "ext1", "externalId": "aB-1"'), paths => '{externalId}'), pg_temp.ask('POST', '/Users', pg_temp.user('"userName": "ext2"'), paths => '{externalId}'), pg_temp.find('externalId eq "aB-1"'), pg_temp.find('externalId eq "ab-1"');
-- 7643-3.1-05: meta is the server's; 7643-3.1-06: its times, 7643-3.1-07: location, 7643-3.1-08: version
SELECT body #>> '{meta,resourceType}', body #>> '{meta,created}' ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z$', body #>> '{meta,created}' > '2026', body #> '{meta,created}' = body #> '{meta,lastModified}', body #>> '{meta,location}' = headers ->> 'Location',
		body #>> '{meta,location}' = 'https://scim.example/v2/Users/' || (body ->> 'id'), body #>> '{meta,version}', headers ->> 'ETag', (SELECT string_agg(k, ' ' ORDER BY k) FROM jsonb_object_keys(body -> 'meta') k)
	FROM scim.scim_apply('POST', '/Users', pg_temp.user('"userName": "meta", "meta": {"resourceType": "Group", "created": "2000-01-01T00:00:00Z", "lastModified": "2001-01-01T00:00:00Z", "location": "x", "version": "W/\"9\""}'));

-- 7643-3.3-01: an extension's attributes stand under its URN, and nowhere else
SELECT pg_temp.ask('POST', '/Users', pg_temp.user('"userName": "outside", "department": "D", "urn:example:none": {"x": 1}'), paths => '{schemas,department,urn:example:none,urn:ietf:params:scim:schemas:extension:enterprise:2.0:User}');

-- 7643-4.1.1-01: userName is required, not empty, and unique in any case
SELECT pg_temp.ask('POST', '/Users', b) FROM unnest(ARRAY[pg_temp.user('"title": "T"'), pg_temp.user('"userName": ""'), pg_temp.user('"userName": null'), pg_temp.user('"userName": "OWN2"')]) b;
SELECT pg_temp.ask('PUT', '/Users/' || :'id', pg_temp.user('"userName": "Own2"')), pg_temp.ask('PATCH', '/Users/' || :'id', pg_temp.operations('[{"op": "replace", "path": "userName", "value": "oWN2"}]'));
-- 7644-5-01: one name in all its forms: composed or not, in any case, wide or narrow
SELECT n, pg_temp.ask('POST', '/Users', pg_temp.user('"userName": ' || to_json(u)), paths => '{userName}') FROM unnest(ARRAY[U&'e\0301va', U&'\00C9VA', U&'\00E9v\FF21', 'eva', U&'\FF2F\FF37\FF2E2', U&'\D55C', U&'\1112\1161\11AB']) WITH ORDINALITY AS e(u, n);
SELECT pg_temp.find(U&'userName eq "\00C9VA"') = U&'e\0301va', pg_temp.find(U&'userName sw "\00E9"') = U&'e\0301va', pg_temp.find('userName sw "e"'), pg_temp.find(U&'userName co "\FF36\FF21"') = U&'eva e\0301va';
-- 7644-5-02: one password in all its forms
RESET ROLE;
SELECT scim.alter_tenant('regress-57a', '{"password": "hash"}'), scim.grant_duty('regress_57a', 'reader', 'regress-57a');
SET ROLE regress_57a;
SELECT pg_temp.document('POST', '/Users', pg_temp.user('"userName": "forms", "password": "p\u0301\u00a0W"')) ->> 'id' AS forms \gset
SELECT scim.check_password(:'forms', U&'p\0301\00A0W'), scim.check_password(:'forms', U&'\1E55 W'), scim.check_password(:'forms', U&'\1E55 w'), scim.check_password(:'forms', U&'\1E55 \FF37'), scim.check_password(:'forms', 'p W');
-- 7643-9.2-01: hashed, where it is kept at all
RESET ROLE;
SELECT hash ~ '^\$2a\$10\$' FROM scim.user_passwords WHERE tenant = 'regress-57a';
SET ROLE regress_57a;
-- 7643-4.1.1-02: no password, clear or hashed, in any answer
SELECT body::text ~* 'passw|s3cret|\$2' FROM scim.scim_apply('POST', '/Users', pg_temp.user('"userName": "secret", "password": "s3cret"'));
SELECT body::text ~* 'passw|s3cret|\$2' FROM scim.scim_apply('GET', '/Users?filter=userName%20eq%20%22secret%22'), scim.scim_apply('PATCH', '/Users/' || (body #>> '{Resources,0,id}'), pg_temp.operations('[{"op": "replace", "path": "password", "value": "s3cret2"}]')) AS p(p_status, p_headers, p_body);
-- 7643-4.1.2-01: a user's groups: value and $ref of the Group; 7643-4.1.2-02: changed through the Group only
SELECT jsonb_path_query_array(pg_temp.document('GET', '/Users/' || :'id'), '$.groups[*].keyvalue().key'), pg_temp.document('GET', '/Users/' || :'id') #>> '{groups,0,value}' = :'gid', pg_temp.document('GET', '/Users/' || :'id') #>> '{groups,0,$ref}' = 'https://scim.example/v2/Groups/' || :'gid';
SELECT pg_temp.ask('PATCH', '/Users/' || :'id', pg_temp.operations('[{"op": "' || op || '", "path": "groups", "value": []}]')) FROM unnest(ARRAY['add', 'replace', 'remove']) op;
SELECT jsonb_array_length(pg_temp.document('PUT', '/Users/' || :'id', pg_temp.user('"userName": "ref", "groups": []')) -> 'groups');
-- 7643-4.2-01: displayName of a Group is required; 7643-4.2-02: what a member is can be chosen, not changed
SELECT pg_temp.ask('POST', '/Groups', '{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"]}'), pg_temp.ask('PUT', '/Groups/' || :'gid', '{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"]}'), pg_temp.ask('PATCH', '/Groups/' || :'gid', pg_temp.operations('[{"op": "remove", "path": "displayName"}]'));
SELECT s, pg_temp.ask('PATCH', '/Groups/' || :'gid', pg_temp.operations('[{"op": "replace", "path": "members[value eq \"' || :'id' || '\"].' || s || '", "value": "' || :'own' || '"}]')) FROM unnest(ARRAY['value', '$ref', 'type', 'display']) s;
-- 7643-4.3-01: the manager: value is an id, $ref its URI, displayName read-only
SELECT pg_temp.ask('PATCH', '/Users/' || :'own', pg_temp.operations('[{"op": "add", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager", "value": {"value": "' || :'id' || '", "$ref": "x", "displayName": "a lie"}}]'), paths => '{urn:ietf:params:scim:schemas:extension:enterprise:2.0:User}');
SELECT pg_temp.ask('PATCH', '/Users/' || :'own', pg_temp.operations('[{"op": "replace", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.displayName", "value": "a lie"}]'));

-- 7643-5-01: ServiceProviderConfig has all that is required, of the type that it has to be
SELECT k, (SELECT string_agg(s || ' ' || jsonb_typeof(v -> s), ', ' ORDER BY s COLLATE "C") FROM jsonb_object_keys(v) s) FROM jsonb_each(pg_temp.document('GET', '/ServiceProviderConfig')) AS e(k, v) WHERE jsonb_typeof(v) = 'object' ORDER BY k COLLATE "C";
SELECT (SELECT string_agg(k, ' ' ORDER BY k COLLATE "C") FROM jsonb_object_keys(s) k), s ->> 'type', pg_temp.document('GET', '/ServiceProviderConfig') ? 'id' FROM jsonb_array_elements(pg_temp.document('GET', '/ServiceProviderConfig') -> 'authenticationSchemes') s;
-- 7643-6-01: each ResourceType has all that is required; 7643-6-02: its schemas are there
SELECT (SELECT string_agg(k, ' ' ORDER BY k COLLATE "C") FROM jsonb_object_keys(t) k), t ->> 'name', t ->> 'endpoint', bool_and(pg_temp.ask('GET', '/Schemas/' || (s #>> '{}')) = '200'), count(*)
	FROM jsonb_array_elements(pg_temp.document('GET', '/ResourceTypes') -> 'Resources') t, LATERAL (SELECT t -> 'schema' UNION ALL SELECT jsonb_path_query(t, '$.schemaExtensions[*].schema')) AS e(s) GROUP BY t ORDER BY 2;
-- 7643-7-01: each Schema has all that is required, under its own URI
SELECT (SELECT string_agg(k, ' ' ORDER BY k COLLATE "C") FROM jsonb_object_keys(s) k), s ->> 'id', s = pg_temp.document('GET', '/Schemas/' || (s ->> 'id')) FROM jsonb_array_elements(pg_temp.document('GET', '/Schemas') -> 'Resources') s ORDER BY 2;
-- 7643-7-02: caseExact decides how values are compared, 7643-7-03: and their case is kept
SELECT pg_temp.ask('POST', '/Users', pg_temp.user('"userName": "CaSe2", "externalId": "CaSe2", "title": "CaSe2"'), paths => '{userName,externalId,title}'), pg_temp.find('userName eq "case2"'), pg_temp.find('title eq "case2"'), pg_temp.find('externalId eq "case2"'), pg_temp.find('externalId co "aSe"'), pg_temp.find('externalId co "ase"');
-- 7643-7-04: readOnly is ignored in POST and PUT, refused in PATCH; 7643-7-05: returned "never"
SELECT p, pg_temp.ask('PATCH', '/Users/' || :'id', pg_temp.operations('[{"op": "replace", "path": "' || p || '", "value": "x"}]')) FROM unnest(ARRAY['id', 'meta', 'meta.created', 'meta.version', 'schemas', 'groups', 'groups.display']) p;
SELECT pg_temp.ask('GET', '/Users/' || :'id' || '?attributes=password'), pg_temp.document('GET', '/Users/' || :'id' || '?attributes=userName') ? 'password';

RESET ROLE;
SELECT scim.drop_tenant('regress-57a', 'regress-57a');
DROP ROLE regress_57a;
