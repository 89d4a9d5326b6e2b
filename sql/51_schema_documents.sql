-- Documents: the Device model of RFC 9944, and what is refused, with the
-- attribute and the reason.
\set VERBOSITY terse
\pset null '-'
SET client_min_messages = warning;

-- Core schema and BLE extension of RFC 9944, in the form of RFC 7643 section 7.
SELECT scim.register_schema('{
	"id": "urn:ietf:params:scim:schemas:core:2.0:Device", "name": "Device", "description": "Device account",
	"attributes": [
		{"name": "displayName", "type": "string", "description": "Name for people", "multiValued": false, "required": false, "caseExact": false,
			"mutability": "readWrite", "returned": "default", "uniqueness": "none"},
		{"name": "active", "type": "boolean", "multiValued": false, "required": true, "mutability": "readWrite", "returned": "default"},
		{"name": "mudUrl", "type": "reference", "multiValued": false, "required": false, "caseExact": true, "mutability": "readWrite", "returned": "default"},
		{"name": "groups", "type": "complex", "multiValued": true, "mutability": "readOnly", "subAttributes": [
			{"name": "value", "type": "string", "mutability": "readOnly"},
			{"name": "$ref", "type": "reference", "referenceTypes": ["Group"], "mutability": "readOnly"},
			{"name": "display", "type": "string", "mutability": "readOnly"}]}
	], "meta": {"resourceType": "Schema", "location": "/v2/Schemas/urn:ietf:params:scim:schemas:core:2.0:Device"}}');
SELECT scim.register_schema('{
	"id": "urn:ietf:params:scim:schemas:extension:ble:2.0:Device", "name": "bleExtension", "description": "BLE extension for device account",
	"attributes": [
		{"name": "versionSupport", "type": "string", "multiValued": true, "required": true},
		{"name": "deviceMacAddress", "type": "string", "required": true, "uniqueness": "global"},
		{"name": "isRandom", "type": "boolean"},
		{"name": "separateBroadcastAddress", "type": "string", "multiValued": true},
		{"name": "irk", "type": "string", "mutability": "writeOnly", "returned": "never"},
		{"name": "mobility", "type": "boolean"},
		{"name": "pairingMethods", "type": "string", "multiValued": true, "required": true, "caseExact": true}]}');
SELECT scim.register_schema('{"id": "urn:ietf:params:scim:schemas:extension:pairingPassKey:2.0:Device", "name": "pairingPassKey",
	"attributes": [{"name": "key", "type": "integer", "required": true, "mutability": "writeOnly", "returned": "never"}]}');
SELECT scim.register_resource_type('{
	"schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"], "id": "Device", "name": "Device", "endpoint": "/Devices",
	"description": "Device Account", "schema": "urn:ietf:params:scim:schemas:core:2.0:Device",
	"schemaExtensions": [
		{"schema": "urn:ietf:params:scim:schemas:extension:ble:2.0:Device", "required": true},
		{"schema": "urn:ietf:params:scim:schemas:extension:pairingPassKey:2.0:Device", "required": false}]}',
	indexed => '{displayName,urn:ietf:params:scim:schemas:extension:ble:2.0:Device:versionSupport}');
SELECT r.status, r.body - 'id' - 'meta' FROM scim.scim_apply('POST', '/Devices', '{
	"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Device", "urn:ietf:params:scim:schemas:extension:ble:2.0:Device",
		"urn:ietf:params:scim:schemas:extension:pairingPassKey:2.0:Device"],
	"displayName": "BLE Heart Monitor", "active": true, "mudUrl": "https://example.com/mud.json",
	"urn:ietf:params:scim:schemas:extension:ble:2.0:Device": {"versionSupport": ["5.3"], "deviceMacAddress": "2C:54:91:88:C9:E2", "isRandom": false,
		"irk": "hidden-irk", "mobility": true, "pairingMethods": ["urn:ietf:params:scim:schemas:extension:pairingPassKey:2.0:Device"]},
	"urn:ietf:params:scim:schemas:extension:pairingPassKey:2.0:Device": {"key": 123456}}') r;
SELECT r.status, r.body ->> 'detail' FROM (VALUES
	('{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Device"], "active": true}'),
	('{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Device"], "urn:ietf:params:scim:schemas:extension:ble:2.0:Device": {"versionSupport": ["5"], "deviceMacAddress": "x", "pairingMethods": ["y"]}}'),
	('{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Device"], "active": true, "urn:ietf:params:scim:schemas:extension:ble:2.0:Device": {"versionSupport": ["5"], "deviceMacAddress": "2c:54:91:88:c9:e2", "pairingMethods": ["y"]}}'),
	('{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Device"], "active": true, "urn:ietf:params:scim:schemas:extension:ble:2.0:Device": {"versionSupport": ["5"], "deviceMacAddress": "x", "pairingMethods": ["y"]}, "urn:ietf:params:scim:schemas:extension:pairingPassKey:2.0:Device": {}}')) v (b),
	scim.scim_apply('POST', '/Devices', b) r;
SELECT r.body -> 'totalResults' FROM scim.scim_apply('GET', '/Devices?filter=urn:ietf:params:scim:schemas:extension:ble:2.0:Device:versionSupport%20eq%20%225.3%22') r;
SELECT secrets FROM scim.resource_devices;
SELECT count(*) FROM scim_audit.events WHERE detail::text LIKE '%hidden-irk%' OR detail::text LIKE '%123456%';
DELETE FROM scim.resource_devices;

-- Refused: who, what, why.
CREATE TABLE regress_51 (n serial, kind text, document text);
INSERT INTO regress_51 (kind, document) SELECT 'schema', d FROM (VALUES
	('[]'), ('{}'), ('"x"'), ('{"id": "urn:x", "name": "X", "attributes": [{"name": "a"}], "attributes": [{"name": "b"}]}'),
	('{"id": "urn:ietf:params:scim:schemas:core:2.0:User", "name": "User", "attributes": [{"name": "a"}]}'),
	('{"id": "URN:ietf:params:scim:schemas:extension:enterprise:2.0:User", "name": "E", "attributes": [{"name": "a"}]}'),
	('{"id": "urn:ietf:params:scim:schemas:core:2.0:ResourceType", "name": "R", "attributes": [{"name": "a"}]}'),
	('{"id": "urn:ietf:params:scim:api:messages:2.0:PatchOp", "name": "P", "attributes": [{"name": "a"}]}'),
	('{"id": "urn:x y", "name": "X", "attributes": [{"name": "a"}]}'), ('{"id": "x", "name": "X", "attributes": [{"name": "a"}]}'),
	('{"id": "urn:x\"; DROP", "name": "X", "attributes": [{"name": "a"}]}'), ('{"id": "urn:' || repeat('x', 300) || '", "name": "X", "attributes": [{"name": "a"}]}'),
	('{"id": "urn:x", "name": "X", "attributes": [{"name": "id"}]}'), ('{"id": "urn:x", "name": "X", "attributes": [{"name": "Meta"}]}'),
	('{"id": "urn:x", "name": "X", "attributes": [{"name": "schemas"}]}'), ('{"id": "urn:x", "name": "X", "attributes": [{"name": "a\"b"}]}'),
	('{"id": "urn:x", "name": "X", "attributes": [{"name": "a); DROP TABLE scim.users; --"}]}'), ('{"id": "urn:x", "name": "X", "attributes": [{"name": "' || repeat('a', 101) || '"}]}'),
	('{"id": "urn:x", "name": "X", "attributes": [{"name": "a"}, {"name": "A"}]}'),
	('{"id": "urn:x", "name": "X", "attributes": [{"name": "a", "type": "bool"}]}'), ('{"id": "urn:x", "name": "X", "attributes": [{"name": "a", "type": ["string"]}]}'),
	('{"id": "urn:x", "name": "X", "attributes": [{"name": "a", "multivalues": true}]}'), ('{"id": "urn:x", "name": "X", "attributes": [{"name": "a", "pattern": "x"}]}'),
	('{"id": "urn:x", "name": "X", "attributes": [{"name": "a", "required": "true"}]}'), ('{"id": "urn:x", "name": "X", "attributes": [{"name": "a", "uniqueness": "Manufacturer"}]}'),
	('{"id": "urn:x", "name": "X", "attributes": [{"name": "a", "mutability": "readonly!"}]}'), ('{"id": "urn:x", "name": "X", "attributes": [{"name": "a", "returned": null, "type": "complex"}]}'),
	('{"id": "urn:x", "name": "X", "attributes": [{"name": "a", "subAttributes": [{"name": "b"}]}]}'),
	('{"id": "urn:x", "name": "X", "attributes": [{"name": "a", "type": "complex", "subAttributes": [{"name": "b"}, {"name": "B"}]}]}'),
	('{"id": "urn:x", "name": "X", "attributes": [{"name": "a", "type": "complex", "subAttributes": [{"name": "b", "type": "complex", "subAttributes": [{"name": "c"}]}]}]}'),
	('{"id": "urn:x", "name": "X", "attributes": [{"name": "a", "type": "complex", "subAttributes": [{"name": "b", "multiValued": true}]}]}'),
	('{"id": "urn:x", "name": "X", "attributes": [{"name": "a", "canonicalValues": ["x", 1]}]}'), ('{"id": "urn:x", "name": "X", "attributes": [{"name": "a", "type": "boolean", "canonicalValues": ["x"]}]}'),
	('{"id": "urn:x", "name": "X", "attributes": [{"name": "a", "referenceTypes": ["User"]}]}'),
	('{"id": "urn:x", "name": "X", "attributes": [{"name": "a", "multiValued": true, "uniqueness": "server"}]}'),
	('{"id": "urn:x", "name": "X", "attributes": [{"name": "a", "mutability": "writeOnly", "returned": "default"}]}'),
	('{"id": "urn:x", "name": "X", "attributes": [' || repeat('[', 200) || repeat(']', 200) || ']}'),
	('{"id": "urn:x", "name": "X", "attributes": [{"name": "a\u0000"}]}')) v (d);
INSERT INTO regress_51 (kind, document) SELECT 'resource type', d FROM (VALUES
	('{"name": "User", "endpoint": "/People", "schema": "urn:ietf:params:scim:schemas:core:2.0:Device"}'),
	('{"name": "X", "endpoint": "/Users", "schema": "urn:ietf:params:scim:schemas:core:2.0:Device"}'), ('{"name": "X", "endpoint": "/bulk", "schema": "urn:ietf:params:scim:schemas:core:2.0:Device"}'),
	('{"name": "X", "endpoint": "/X/../Users", "schema": "urn:ietf:params:scim:schemas:core:2.0:Device"}'), ('{"name": "X y", "endpoint": "/Xs", "schema": "urn:ietf:params:scim:schemas:core:2.0:Device"}'),
	('{"name": "X", "endpoint": "/Xs", "schema": "urn:none"}'), ('{"name": "X", "endpoint": "/Xs"}'),
	('{"name": "X", "endpoint": "/Xs", "schema": "urn:ietf:params:scim:schemas:core:2.0:Device", "schemaExtensions": [{"schema": "urn:none", "required": true}]}'),
	('{"name": "X", "endpoint": "/Xs", "schema": "urn:ietf:params:scim:schemas:core:2.0:Device", "storage": {"table": "pg_catalog.pg_authid"}}'),
	('{"name": "X", "endpoint": "/Xs", "schema": "urn:ietf:params:scim:schemas:core:2.0:Device", "attributes": [{"name": "a"}]}')) v (d);
CREATE FUNCTION pg_temp.refusal(kind text, document text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	IF kind = 'schema' THEN PERFORM scim.register_schema(document::json, extends => 'User');
	ELSE PERFORM scim.register_resource_type(document::json); END IF;
	RETURN 'registered';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
SELECT n, left(pg_temp.refusal(kind, document), 160) AS refusal FROM regress_51 ORDER BY n;
SELECT scim.register_schema(NULL);
SELECT scim.register_schema('{"id": "urn:x", "name": "X", "attributes": [{"name": "a"}]}', extends => 'Nobody');
SELECT scim.register_schema('{"id": "urn:x", "name": "X", "attributes": [{"name": "a", "returned": "never"}]}', extends => 'User');
SELECT scim.register_schema('{"id": "urn:x", "name": "X", "attributes": [{"name": "a", "type": "complex", "subAttributes": [{"name": "s", "returned": "never"}]}]}', extends => 'Device');
SELECT scim.register_schema('{"id": "urn:x", "name": "X", "attributes": [{"name": "a"}]}', extends => 'User', indexed => '{b}');
SELECT scim.register_schema('{"id": "urn:x", "name": "X", "attributes": [{"name": "a", "type": "complex", "subAttributes": [{"name": "s"}]}]}', extends => 'User', indexed => '{a}');
SELECT scim.register_schema('{"id": "urn:x", "name": "X", "attributes": [{"name": "a"}]}', indexed => '{a}');
SELECT scim.register_resource_type('{"name": "Device", "endpoint": "/Others", "schema": "urn:ietf:params:scim:schemas:core:2.0:Device"}');
-- A value that is there twice already.
INSERT INTO scim.users (tenant, user_name, extensions) SELECT 'default', 'regress-51-' || i, '{"urn:x": {"a": "same"}}' FROM generate_series(1, 2) i;
SELECT scim.register_schema('{"id": "urn:x", "name": "X", "attributes": [{"name": "a", "uniqueness": "server"}]}', extends => 'User');
DELETE FROM scim.users WHERE user_name LIKE 'regress-51-%';
-- None of it left anything behind.
SELECT id FROM scim.schemas ORDER BY 1;
SELECT resource_type, path FROM scim.attribute_indexes ORDER BY 1, 2;
SELECT DISTINCT rule FROM scim_audit.verify() WHERE rule <> 'row_mismatch';

DROP TABLE regress_51;
SELECT scim.unregister_resource_type('Device');
SELECT scim.unregister_schema(id) FROM scim.schemas ORDER BY id;
