-- Schemas as data: an extension of User and resource types of one's own work
-- everywhere, from the documents of RFC 7643 sections 6 and 7 alone.
\set VERBOSITY terse
\pset null '-'
SET client_min_messages = warning;
SELECT scim.create_tenant('regress-50');
SELECT scim.create_tenant('regress-50b');
SET scim_audit.tenant = 'regress-50';

CREATE FUNCTION pg_temp.call(method text, uri text, body jsonb DEFAULT NULL, headers jsonb DEFAULT '{}') RETURNS jsonb
LANGUAGE sql AS $$
	SELECT jsonb_strip_nulls(jsonb_build_object('status', r.status, 'scimType', r.body -> 'scimType', 'detail', r.body -> 'detail',
		'ETag', CASE WHEN r.status < 400 THEN r.headers -> 'ETag' END,
		'body', CASE WHEN r.status < 400 THEN r.body - 'schemas' - 'meta' - 'id' END))
	FROM scim.scim_apply(method, uri, body, headers) r
$$;
-- What a list finds, by one attribute, in order.
CREATE FUNCTION pg_temp.found(uri text, attribute text) RETURNS text
LANGUAGE sql AS $$
	SELECT coalesce(string_agg(x ->> attribute, ' ' ORDER BY n), r.body ->> 'detail', '')
	FROM scim.scim_apply('GET', uri) r LEFT JOIN LATERAL jsonb_array_elements(r.body -> 'Resources') WITH ORDINALITY e (x, n) ON true
	GROUP BY r.body
$$;

-- 1. An extension of User.
SELECT scim.register_schema('{
	"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"],
	"id": "urn:example:scim:Badge", "name": "Badge", "description": "The badge of a person",
	"attributes": [
		{"name": "number", "type": "string", "required": true, "caseExact": false, "uniqueness": "server"},
		{"name": "color", "canonicalValues": ["Red", "Blue"]},
		{"name": "valid", "type": "dateTime"},
		{"name": "doors", "multiValued": true},
		{"name": "floor", "type": "integer"},
		{"name": "issuer", "type": "complex", "subAttributes": [{"name": "desk"}, {"name": "by", "mutability": "immutable"}]},
		{"name": "printed", "type": "boolean", "mutability": "readOnly"}
	]}', extends => 'User', indexed => '{doors,valid}');
SELECT scim.register_schema('{"id": "urn:example:scim:Badge", "name": "B", "attributes": [{"name": "a"}]}');
\set badge urn:example:scim:Badge

SELECT pg_temp.call('POST', '/Users', '{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", "urn:example:scim:Badge"], "userName": "ann",
	"urn:example:scim:Badge": {"number": "A-1", "color": "red", "valid": "2030-01-01T01:00:00+01:00", "doors": ["North", "South"], "floor": 3,
		"issuer": {"desk": "d1", "by": "bob"}, "printed": true}}');
SELECT pg_temp.call('POST', '/Users', '{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "cy",
	"urn:example:scim:Badge": {"number": "B-2", "valid": "2031-01-01T00:00:00Z", "doors": ["West"], "floor": 10}}');
SELECT pg_temp.call('POST', '/Users', '{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "dee"}');
-- Uniqueness, in any case; a value of the wrong type; what is required.
SELECT pg_temp.call('POST', '/Users', '{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "eve", "urn:example:scim:Badge": {"number": "a-1"}}');
SELECT pg_temp.call('POST', '/Users', '{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "eve", "urn:example:scim:Badge": {"number": "x", "floor": "3"}}');
SELECT pg_temp.call('POST', '/Users', '{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "eve", "urn:example:scim:Badge": {"color": "red"}}');
-- In another tenant the number is free.
SET scim_audit.tenant = 'regress-50b';
SELECT pg_temp.call('POST', '/Users', '{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ann", "urn:example:scim:Badge": {"number": "A-1"}}') -> 'status';
SET scim_audit.tenant = 'regress-50';

-- Filters, sorting, projection.
SELECT f, pg_temp.found('/Users?attributes=userName&filter=' || replace(replace(f, ' ', '%20'), '"', '%22'), 'userName') FROM (VALUES
	('urn:example:scim:Badge:number eq "a-1"'), ('urn:example:scim:Badge:number sw "b"'), ('urn:example:scim:Badge:color eq "Red"'),
	('urn:example:scim:Badge:floor gt 9'), ('urn:example:scim:Badge:floor ge 3'), ('urn:example:scim:Badge:valid lt "2030-06-01T00:00:00Z"'),
	('urn:example:scim:Badge:doors eq "north"'), ('urn:example:scim:Badge:doors co "est"'), ('urn:example:scim:Badge:issuer.desk eq "d1"'),
	('urn:example:scim:Badge:issuer pr'), ('not (urn:example:scim:Badge:number pr)'), ('schemas eq "urn:example:scim:Badge"'),
	('urn:example:scim:Badge:nothing pr')) v (f);
SELECT pg_temp.found('/Users?sortBy=urn:example:scim:Badge:valid&sortOrder=descending', 'userName'),
	pg_temp.found('/Users?sortBy=urn:example:scim:Badge:floor', 'userName');
SELECT (pg_temp.call('GET', '/Users?filter=userName%20eq%20%22ann%22&attributes=urn:example:scim:Badge:floor') #> '{body,Resources,0}') - 'id' - 'schemas';

-- The index of the attribute serves the filter.
CREATE FUNCTION pg_temp.plan(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || statement LOOP
		IF line ~ 'Index' AND line ~ 'scim_' THEN RETURN NEXT regexp_replace(line, '.*(scim_[0-9a-f]{32}).*', '\1'); END IF;
	END LOOP;
END $$;
SET enable_seqscan = off;
SELECT i.path, i.is_unique, pg_temp.plan('SELECT FROM scim.users t WHERE ' || p.condition) = scim.index_name('User', i.path) AS used
	FROM scim.attribute_indexes i JOIN (VALUES
		('number', $$t.tenant = 'x' AND scim.fold((t.extensions -> 'urn:example:scim:Badge' -> 'number') #>> '{}') COLLATE "C" = 'a-1'$$),
		('valid', $$t.tenant = 'x' AND scim.parse_time((t.extensions -> 'urn:example:scim:Badge' -> 'valid') #>> '{}') < '2030-06-01Z'$$),
		('doors', $$scim.folded_values((t.extensions -> 'urn:example:scim:Badge' -> 'doors')) @> '{north}'$$)) p (name, condition)
		ON i.path = 'urn:example:scim:Badge:' || p.name WHERE i.resource_type = 'User' ORDER BY 1;
RESET enable_seqscan;

-- PATCH and PUT, with what cannot be changed.
SELECT id AS ann FROM scim.users WHERE tenant = 'regress-50' AND user_name = 'ann' \gset
SELECT pg_temp.call('PATCH', '/Users/' || :'ann', '{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [
	{"op": "replace", "path": "urn:example:scim:Badge:floor", "value": 4},
	{"op": "add", "path": "urn:example:scim:Badge:doors", "value": ["East"]},
	{"op": "remove", "path": "urn:example:scim:Badge:color"}]}');
SELECT pg_temp.call('PATCH', '/Users/' || :'ann', '{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [
	{"op": "replace", "path": "urn:example:scim:Badge:issuer.by", "value": "eve"}]}');
SELECT pg_temp.call('PATCH', '/Users/' || :'ann', '{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [
	{"op": "replace", "path": "urn:example:scim:Badge:number", "value": "B-2"}]}');
SELECT pg_temp.call('PATCH', '/Users/' || :'ann', '{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [
	{"op": "replace", "path": "urn:example:scim:Badge:printed", "value": true}]}');

-- What is discovered is what was registered.
SELECT pg_temp.call('GET', '/Schemas/urn:example:scim:Badge') -> 'body' -> 'attributes' -> 0;
SELECT pg_temp.call('GET', '/ResourceTypes/User') -> 'body' -> 'schemaExtensions';

-- 2. A resource type of one's own that has every kind of attribute.
SELECT scim.register_schema(format('{"id": "urn:example:scim:Thing", "name": "Thing", "attributes": [
	{"name": "label", "required": true, "uniqueness": "global"},
	{"name": "code", "caseExact": true, "uniqueness": "server", "mutability": "immutable"},
	{"name": "order", "type": "integer"}, {"name": "weight", "type": "decimal"}, {"name": "made", "type": "dateTime"},
	{"name": "ready", "type": "boolean"}, {"name": "page", "type": "reference", "referenceTypes": ["external"]},
	{"name": "image", "type": "binary"},
	{"name": "pin", "mutability": "writeOnly", "returned": "never"},
	{"name": "note", "returned": "request"}, {"name": "kind", "returned": "always"}, {"name": "state", "mutability": "readOnly"},
	{"name": "tags", "multiValued": true}, {"name": "ranks", "type": "integer", "multiValued": true},
	{"name": "sizes", "type": "decimal", "multiValued": true}, {"name": "dates", "type": "dateTime", "multiValued": true},
	{"name": "flags", "type": "boolean", "multiValued": true}, {"name": "links", "type": "reference", "multiValued": true, "referenceTypes": ["uri"]},
	{"name": "blobs", "type": "binary", "multiValued": true},
	{"name": "maker", "type": "complex", "subAttributes": [{"name": "name", "caseExact": true}, {"name": "since", "type": "integer"}, {"name": "version"}]},
	{"name": "parts", "type": "complex", "multiValued": true, "subAttributes": [
		{"name": "value"}, {"name": "type", "canonicalValues": ["big", "small"]}, {"name": "primary", "type": "boolean"}, {"name": "count", "type": "integer"}]},
	{"name": "maker-name"}, {"name": "makerName"}, {"name": "version"}, {"name": "ctid"}, {"name": "%s"}
	]}', repeat('veryLong', 12))::json);
SELECT scim.register_resource_type('{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"], "id": "Thing", "name": "Thing",
	"endpoint": "/Things", "description": "Things", "schema": "urn:example:scim:Thing"}', indexed => '{maker.name,tags,parts,order}');
\d scim.resource_things
SELECT tgname, tgenabled FROM pg_trigger WHERE tgrelid = 'scim.resource_things'::regclass ORDER BY 1;
SELECT table_name, resource, tenant_column, key_columns, exclude, always FROM scim_audit.tracked_tables WHERE resource = 'Thing';
-- An extension of it, with a secret.
SELECT scim.register_schema('{"id": "urn:example:scim:Lock", "name": "Lock", "attributes": [
	{"name": "serial", "type": "integer", "uniqueness": "server"}, {"name": "keys", "multiValued": true, "returned": "never"}]}', extends => 'Thing');

SELECT pg_temp.call('POST', '/Things', '{"schemas": ["urn:example:scim:Thing", "urn:example:scim:Lock"], "externalId": "e1",
	"label": "One", "code": "c1", "order": 1, "weight": 1.50, "made": "2026-01-01T00:00:00Z", "ready": true, "page": "https://example.com", "image": "aGk=",
	"pin": "hidden-pin", "note": "n", "kind": "k", "state": "s", "tags": ["Red", "red", "blue"], "ranks": [3, 1], "sizes": [1.5, 2], "dates": ["2026-01-01T00:00:00Z"],
	"flags": [true], "links": ["https://a"], "blobs": ["aGk="], "maker": {"name": "Bob", "since": 1999, "version": "v"},
	"parts": [{"value": "p", "type": "BIG", "primary": true, "count": 2}], "maker-name": "m1", "makerName": "m2", "version": "7", "ctid": "c",
	"urn:example:scim:Lock": {"serial": 5, "keys": ["hidden-key"]}}');
SELECT pg_temp.call('POST', '/Things', '{"schemas": ["urn:example:scim:Thing"], "label": "Two", "order": 2, "weight": 3, "ready": false, "tags": ["green"], "parts": [{"value": "q"}]}') -> 'status';
SELECT id AS one FROM scim.resource_things WHERE label = 'One' \gset
SELECT maker_name, maker_name_2, "maker_name_3", version, version_2, ctid_2, "order", maker_since, state, extensions, secrets FROM scim.resource_things WHERE id = :'one';
-- Each constraint names the attribute.
SELECT pg_temp.call('POST', '/Things', b) FROM (VALUES
	('{"schemas": ["urn:example:scim:Thing"], "label": "ONE"}'::jsonb), ('{"schemas": ["urn:example:scim:Thing"], "label": "x1", "code": "c1"}'),
	('{"schemas": ["urn:example:scim:Thing"], "label": "x", "urn:example:scim:Lock": {"serial": 5}}'),
	('{"schemas": ["urn:example:scim:Thing"]}'), ('{"schemas": ["urn:example:scim:Thing"], "label": "x", "order": 1.5}'),
	('{"schemas": ["urn:example:scim:Thing"], "label": "x", "weight": "1"}'), ('{"schemas": ["urn:example:scim:Thing"], "label": "x", "made": "today"}'),
	('{"schemas": ["urn:example:scim:Thing"], "label": "x2", "ready": "maybe"}'), ('{"schemas": ["urn:example:scim:Thing"], "label": "x", "image": "?"}'),
	('{"schemas": ["urn:example:scim:Thing"], "label": "x", "tags": "a"}'), ('{"schemas": ["urn:example:scim:Thing"], "label": "x", "flags": [1]}'),
	('{"schemas": ["urn:example:scim:Thing"], "label": "x", "maker": {"since": "1"}}'), ('{"schemas": ["urn:example:scim:User"], "label": "x"}'),
	('{"schemas": ["urn:example:scim:Thing"], "label": "x", "parts": [{"value": "a", "primary": true}, {"value": "b", "primary": true}]}')) v (b);
-- Returned: always, request, never.
SELECT pg_temp.call('GET', '/Things/' || :'one' || '?attributes=note') -> 'body', pg_temp.call('GET', '/Things/' || :'one' || '?excludedAttributes=kind,label') -> 'body' ? 'kind' AS always;
SELECT pg_temp.call('GET', '/Things/' || :'one' || '?attributes=pin');
SELECT f, pg_temp.found('/Things?filter=' || replace(replace(f, ' ', '%20'), '"', '%22'), 'label') FROM (VALUES
	('label eq "one"'), ('code eq "C1"'), ('code eq "c1"'), ('order gt 1'), ('weight le 1.5'), ('made ge "2026-01-01T00:00:00Z"'), ('ready eq false'),
	('page sw "https"'), ('tags eq "BLUE"'), ('ranks gt 2'), ('sizes eq 2'), ('dates pr'), ('flags eq true'), ('links co "a"'), ('maker.since lt 2000'),
	('maker.name eq "bob"'), ('maker[name eq "Bob" and since eq 1999]'), ('parts[type eq "big" and count gt 1]'), ('parts.value eq "Q"'), ('externalId eq "e1"'),
	('urn:example:scim:Lock:serial eq 5'), ('meta.resourceType eq "Thing"'), ('urn:example:scim:Thing:version eq "7"'), ('pin eq "hidden-pin"'), ('image eq "aGk="')) v (f);
SELECT pg_temp.found('/Things?sortBy=weight', 'label'), pg_temp.found('/Things?sortBy=label&sortOrder=descending', 'label'), pg_temp.found('/Things?sortBy=parts', 'label');
-- A PATCH, If-Match, an immutable attribute, a PUT that cannot say what is secret.
SELECT pg_temp.call('PATCH', '/Things/' || :'one', '{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [
	{"op": "add", "path": "parts", "value": [{"value": "r", "type": "small"}]}, {"op": "replace", "path": "maker.since", "value": 2000},
	{"op": "remove", "path": "tags[value eq \"red\"]"}, {"op": "replace", "path": "pin", "value": "hidden-2"}]}', '{"If-Match": "W/\"1\""}') - 'body';
SELECT pg_temp.call('PATCH', '/Things/' || :'one', '{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "replace", "path": "code", "value": "c2"}]}');
SELECT pg_temp.call('PUT', '/Things/' || :'one', '{"schemas": ["urn:example:scim:Thing"], "label": "Uno", "kind": "k2"}', '{"If-Match": "W/\"1\""}');
SELECT pg_temp.call('PUT', '/Things/' || :'one', '{"schemas": ["urn:example:scim:Thing"], "label": "Uno", "kind": "k2"}');
SELECT secrets FROM scim.resource_things WHERE id = :'one';
SELECT pg_temp.call('PATCH', '/Things/' || :'one', '{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "remove", "path": "pin"}]}') -> 'status';
SELECT secrets FROM scim.resource_things WHERE id = :'one';
-- .search, the root, cursors, other tenants.
SELECT (pg_temp.call('POST', '/Things/.search', '{"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": "label eq \"two\"", "attributes": ["order"]}')
	#> '{body,Resources,0}') - 'id' - 'schemas';
SELECT string_agg(DISTINCT x -> 'meta' ->> 'resourceType', ' ') FROM scim.scim_apply('GET', '/?filter=' || replace('meta.lastModified pr', ' ', '%20')) r, jsonb_array_elements(r.body -> 'Resources') x;
SELECT r.body ->> 'itemsPerPage', x ->> 'label', r.body ? 'nextCursor' FROM scim.scim_apply('GET', '/Things?cursor&count=1&sortBy=label') r, jsonb_array_elements(r.body -> 'Resources') x;
SET scim_audit.tenant = 'regress-50b';
SELECT pg_temp.call('GET', '/Things/' || :'one') -> 'status', pg_temp.call('GET', '/Things') -> 'body';
SET scim_audit.tenant = 'regress-50';
-- An application writes by SQL: the ETag changes, the audit sees it, rules hold.
UPDATE scim.resource_things SET state = 'made' WHERE id = :'one';
SELECT pg_temp.call('GET', '/Things/' || :'one') -> 'body' -> 'state', version FROM scim.resource_things WHERE id = :'one';
UPDATE scim.resource_things SET tags = '{}' WHERE id = :'one';
-- A profile forgives what it forgives for users.
SET scim_audit.profile = 'entra';
SELECT pg_temp.call('PATCH', '/Things/' || :'one', '{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "Replace", "path": "ready", "value": "True"}]}') -> 'body' -> 'ready';
SET scim_audit.profile = 'interop-strict';
SELECT pg_temp.call('POST', '/Things', '{"schemas": ["urn:example:scim:Thing"], "label": "x", "unknown": 1}');
RESET scim_audit.profile;

-- The audit: requests, changes by attribute, no secret anywhere.
SELECT category, event_type, outcome, status, scim_type, changed FROM scim_audit.events
	WHERE tenant = 'regress-50' AND resource_type = 'Thing' AND category IN ('change', 'request') ORDER BY tx_id, n;
SELECT count(*) FROM scim_audit.events WHERE detail::text LIKE '%hidden-%';
SELECT DISTINCT attribute, new FROM scim_audit.changes WHERE resource_type = 'Thing' AND attribute IN ('secrets', 'maker.since', 'urn:example:scim:Lock:serial', 'extensions') ORDER BY 1, 2;
SELECT category, action, event_type, resource_type, resource_id FROM scim_audit.events WHERE event_type LIKE '%register' AND resource_id LIKE '%scim:%' OR resource_id = 'Thing' AND category = 'admin' ORDER BY tx_id, n;
SELECT DISTINCT rule FROM scim_audit.verify() WHERE rule <> 'row_mismatch';

-- Who may: the owner, and a role that is granted it. Readers read what is no secret.
CREATE ROLE regress_50_registrar;
CREATE ROLE regress_50_reader;
SELECT scim.grant_duty('regress_50_reader', 'reader', 'regress-50');
SET ROLE regress_50_reader;
SELECT label, "order" FROM scim.resource_things ORDER BY 1;
SELECT secrets FROM scim.resource_things;
SELECT scim.register_schema('{"id": "urn:example:scim:X", "name": "X", "attributes": [{"name": "a"}]}');
RESET ROLE;
GRANT USAGE ON SCHEMA scim TO regress_50_registrar;
GRANT EXECUTE ON FUNCTION scim.register_schema(json, text, boolean, text[]), scim.unregister_schema(text) TO regress_50_registrar;
SET ROLE regress_50_registrar;
SELECT scim.register_schema('{"id": "urn:example:scim:X", "name": "X", "attributes": [{"name": "a"}]}');
SELECT scim.unregister_schema('urn:example:scim:X');
RESET ROLE;

-- 3. What is used stays; what is not goes.
SELECT scim.unregister_schema('urn:example:scim:Badge');
SELECT scim.unregister_schema('urn:example:scim:Thing');
SELECT scim.unregister_schema('urn:ietf:params:scim:schemas:core:2.0:User');
SELECT scim.unregister_resource_type('Thing');
SELECT scim.unregister_resource_type('User');
DELETE FROM scim.tenants WHERE tenant = 'regress-50';
SELECT scim.drop_tenant('regress-50b', 'regress-50b');
SELECT scim.drop_tenant('regress-50', 'regress-50');
SELECT scim.unregister_resource_type('Thing');
SELECT scim.unregister_schema(id) FROM scim.schemas ORDER BY id;
SELECT * FROM scim.attribute_indexes;
SELECT to_regclass('scim.resource_things'), (SELECT count(*) FROM pg_class WHERE relname LIKE 'scim\_________________________________');
RESET scim_audit.tenant;
SELECT status FROM scim.scim_apply('GET', '/Things');
SELECT body -> 'totalResults' FROM scim.scim_apply('GET', '/Schemas');
DROP OWNED BY regress_50_reader, regress_50_registrar;
DROP ROLE regress_50_reader, regress_50_registrar;
