-- A resource type in a table of an application: the rows stay where they are.
\set VERBOSITY terse
\pset null '-'
SET client_min_messages = warning;
CREATE SCHEMA regress_52;
CREATE TABLE regress_52."App User" (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	login varchar(40) NOT NULL,
	email text,
	enabled boolean NOT NULL DEFAULT true,
	"order" text,
	first text, last text,
	full_name text GENERATED ALWAYS AS (coalesce(first, '') || ' ' || coalesce(last, '')) STORED,
	settings jsonb NOT NULL DEFAULT '{"theme": "dark"}',
	pin text DEFAULT 'secret-pin',
	logins integer NOT NULL DEFAULT 0
);
INSERT INTO regress_52."App User" (login, email, first, last) VALUES ('ann', 'ann@example.com', 'Ann', 'Lee'), ('bob', NULL, 'Bob', NULL);

CREATE FUNCTION pg_temp.call(method text, uri text, body jsonb DEFAULT NULL, headers jsonb DEFAULT '{}') RETURNS jsonb
LANGUAGE sql AS $$
	SELECT jsonb_strip_nulls(jsonb_build_object('status', r.status, 'scimType', r.body -> 'scimType', 'detail', r.body -> 'detail',
		'ETag', CASE WHEN r.status < 400 THEN r.headers -> 'ETag' END,
		'body', CASE WHEN r.status < 400 THEN r.body - 'schemas' - 'meta' - 'id' END))
	FROM scim.scim_apply(method, uri, body, headers) r
$$;
CREATE FUNCTION pg_temp.found(uri text) RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(string_agg(x ->> 'userName', ' ' ORDER BY n), r.body ->> 'detail', '')
	FROM scim.scim_apply('GET', uri) r LEFT JOIN LATERAL jsonb_array_elements(r.body -> 'Resources') WITH ORDINALITY e (x, n) ON true GROUP BY r.body
$$;
\set mapping '{"id": "scim_id", "tenant": "org", "version": "scim_version", "created": "made", "lastModified": "changed", "deleted": "gone", "extensions": "scim_extra", "attributes": {"externalId": "external_id", "userName": "login", "active": "enabled", "title": "order", "name.givenName": "first", "name.familyName": "last", "name.formatted": "full_name", "name.middleName": "middle", "name.honorificPrefix": "prefix", "name.honorificSuffix": "suffix", "emails": {"column": "email", "element": {"type": "work", "primary": true}}}}'

-- What the table lacks is said one by one.
CREATE TABLE regress_52.steps (n serial, step text);
INSERT INTO regress_52.steps (step) VALUES
	('SELECT'), ('ALTER TABLE regress_52."App User" ADD COLUMN scim_id uuid DEFAULT gen_random_uuid()'), ('ALTER TABLE regress_52."App User" ALTER scim_id SET NOT NULL'),
	('ALTER TABLE regress_52."App User" ADD COLUMN org text NOT NULL DEFAULT ''default'', ADD COLUMN scim_version integer NOT NULL DEFAULT 1'),
	('ALTER TABLE regress_52."App User" ALTER scim_version TYPE bigint'),
	('ALTER TABLE regress_52."App User" ADD COLUMN made timestamptz NOT NULL DEFAULT now(), ADD COLUMN changed timestamptz NOT NULL DEFAULT now()'),
	('ALTER TABLE regress_52."App User" ADD COLUMN gone timestamptz, ADD COLUMN scim_extra jsonb, ADD COLUMN external_id text, ADD COLUMN middle text, ADD COLUMN prefix text'),
	('ALTER TABLE regress_52."App User" ADD COLUMN suffix integer'), ('ALTER TABLE regress_52."App User" ALTER suffix TYPE text'),
	('ALTER TABLE regress_52."App User" ADD UNIQUE (org, scim_id)'), ('CREATE UNIQUE INDEX ON regress_52."App User" (org, scim.fold(login))'),
	('ALTER TABLE regress_52."App User" ADD COLUMN badge text NOT NULL DEFAULT '''''), ('ALTER TABLE regress_52."App User" ALTER badge DROP DEFAULT'), ('ALTER TABLE regress_52."App User" ALTER badge SET DEFAULT ''''');
CREATE FUNCTION pg_temp.try(step text, mapping json) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE step;
	PERFORM scim.bind_table('User', 'regress_52."App User"', mapping);
	RAISE EXCEPTION 'bound';
EXCEPTION WHEN OTHERS THEN RETURN SQLERRM;
END $$;
SELECT n, pg_temp.try(step, :'mapping') AS before FROM regress_52.steps WHERE n = 1;
SET regress.mapping = :'mapping';
SELECT format('%s; SELECT pg_temp.try(''SELECT'', current_setting(''regress.mapping'')::json)', step) FROM regress_52.steps WHERE n > 1 AND n < 14 ORDER BY n \gexec
-- Mappings that are none.
SELECT m, pg_temp.try('ALTER TABLE regress_52."App User" ALTER badge SET DEFAULT ''''', (:'mapping'::jsonb || m::jsonb)::json) FROM (VALUES
	('{"attributes": {"userName": "nothing"}}'), ('{"attributes": {"userName": 7}}'), ('{"attributes": {"userNmae": "login"}}'), ('{"attributes": {"userName": "login; DROP TABLE x"}}'),
	('{"attributes": {"userName": "a\"b"}}'), ('{"attributes": {"userName": {"expression": "pg_sleep(9)"}}}'), ('{"attributes": {"userName": "login", "password": "pin"}}'),
	('{"attributes": {"userName": "login", "active": "logins"}}'), ('{"attributes": {"displayName": "login"}}'), ('{"attributes": {"userName": "login", "nickName": "login"}}'),
	('{"attributes": {"userName": "login", "emails": {"column": "email", "element": {"kind": "x"}}}}'), ('{"attributes": {"userName": "login", "title": {"column": "email", "element": {}}}}'),
	('{"id": "id"}'), ('{"tenant": null}'), ('{"table": "pg_authid"}'), ('{"deleted": "login"}'), ('{"extensions": "login"}'), ('{"attributes": {"userName": "login", "groups": "email"}}')) v (m);
-- Not every table, not every type, not everybody.
SELECT scim.bind_table('User', 'scim.groups', :'mapping');
SELECT scim.bind_table('User', 'pg_authid', :'mapping');
SELECT scim.bind_table('Group', 'regress_52."App User"', :'mapping');
SELECT scim.bind_table('Nothing', 'regress_52."App User"', :'mapping');
CREATE ROLE regress_52_other;
GRANT USAGE ON SCHEMA scim, regress_52 TO regress_52_other;
GRANT EXECUTE ON FUNCTION scim.bind_table(text, regclass, json, name[], name[]), scim.unbind_table(text) TO regress_52_other;
SET ROLE regress_52_other;
SELECT scim.bind_table('User', 'regress_52."App User"', :'mapping');
RESET ROLE;
INSERT INTO scim.users (tenant, user_name) VALUES ('default', 'regress-52');
ALTER TABLE regress_52."App User" ALTER badge SET DEFAULT '';
SELECT scim.bind_table('User', 'regress_52."App User"', :'mapping');
DELETE FROM scim.users WHERE user_name = 'regress-52';
SELECT scim.bind_table('User', 'regress_52."App User"', :'mapping', redact => '{pin}', exclude => '{logins}');
SELECT scim.bind_table('User', 'regress_52."App User"', :'mapping');
SELECT table_name, resource, tenant_column, key_columns, exclude, redact, always FROM scim_audit.tracked_tables WHERE table_name = 'regress_52."App User"'::regclass;

-- The application's users are SCIM's.
SELECT jsonb_pretty(x - 'id' - 'meta') FROM scim.scim_apply('GET', '/Users?sortBy=userName') r, jsonb_array_elements(r.body -> 'Resources') x;
SELECT f, pg_temp.found('/Users?sortBy=userName&filter=' || replace(replace(f, ' ', '%20'), '"', '%22')) FROM (VALUES
	('userName eq "ANN"'), ('userName sw "b"'), ('active eq true'), ('emails eq "Ann@Example.com"'), ('emails.value co "example"'), ('emails[type eq "work" and value sw "ann"]'),
	('emails[type eq "home"]'), ('emails[primary eq true]'), ('not (emails pr)'), ('emails ne "x"'), ('name.formatted co "lee"'), ('name pr'), ('meta.created pr'), ('nickName pr'), ('groups pr')) v (f);
SELECT pg_temp.found('/Users?sortBy=emails&sortOrder=descending'), pg_temp.found('/Users?sortBy=name.formatted');
SET enable_seqscan = off;
CREATE INDEX mail ON regress_52."App User" (scim.fold(email));
CREATE FUNCTION pg_temp.uses(statement text, index text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || statement LOOP IF line LIKE '%' || index || '%' THEN RETURN true; END IF; END LOOP;
	RETURN false;
END $$;
SELECT pg_temp.uses($$SELECT FROM regress_52."App User" t WHERE scim.fold(t."email") = 'x' AND EXISTS (SELECT 1 FROM jsonb_array_elements(CASE WHEN t."email" <> '' THEN jsonb_build_array(jsonb_build_object('value', t."email")) END) e(v))$$, 'mail');
RESET enable_seqscan;

-- POST, with what the application's own rules say.
SELECT pg_temp.call('POST', '/Users', '{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "cy", "externalId": "e1", "title": "Chief", "nickName": "C",
	"name": {"givenName": "Cy", "familyName": "Xu", "formatted": "ignored"}, "emails": [{"value": "cy@example.com", "type": "home"}], "password": "hidden-password",
	"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": "D1"}}');
SELECT login, email, enabled, "order", full_name, settings, org, scim_version, scim_extra FROM regress_52."App User" WHERE login = 'cy';
SELECT pg_temp.call('POST', '/Users', b) FROM (VALUES
	('{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "CY"}'::jsonb), ('{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"]}'),
	('{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "d", "active": null}'),
	(jsonb_build_object('schemas', '["urn:ietf:params:scim:schemas:core:2.0:User"]'::jsonb, 'userName', repeat('x', 41))),
	('{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "d", "emails": [{"value": "a@x"}, {"value": "b@x"}]}')) v (b);
SELECT scim_id AS cy FROM regress_52."App User" WHERE login = 'cy' \gset
SELECT pg_temp.call('PATCH', '/Users/' || :'cy', '{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [
	{"op": "replace", "path": "active", "value": false}, {"op": "replace", "path": "emails[type eq \"work\"].value", "value": "new@example.com"},
	{"op": "replace", "path": "name.familyName", "value": "Xi"}, {"op": "replace", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", "value": "D2"}]}', '{"If-Match": "W/\"1\""}');
SELECT pg_temp.call('PATCH', '/Users/' || :'cy', '{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "add", "path": "emails", "value": [{"value": "second@example.com", "type": "home"}]}]}');
SELECT pg_temp.call('PATCH', '/Users/' || :'cy', '{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "remove", "path": "emails"}]}', '{"If-Match": "W/\"1\""}');
SELECT pg_temp.found('/Users?filter=urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department%20eq%20%22d2%22');
-- The application writes: a new version, and the audit sees it.
UPDATE regress_52."App User" SET enabled = true, first = 'Cyrus' WHERE login = 'cy';
SELECT pg_temp.call('GET', '/Users/' || :'cy') #> '{body,name}', scim_version FROM regress_52."App User" WHERE login = 'cy';
UPDATE regress_52."App User" SET logins = logins + 1 WHERE login = 'cy';
UPDATE regress_52."App User" SET scim_id = gen_random_uuid() WHERE login = 'cy';
-- Another tenant has none of it.
SELECT scim.create_tenant('regress-52');
SET scim_audit.tenant = 'regress-52';
SELECT pg_temp.found('/Users'), pg_temp.call('GET', '/Users/' || :'cy') -> 'status', pg_temp.call('DELETE', '/Users/' || :'cy') -> 'status';
SELECT pg_temp.call('POST', '/Users', '{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "cy"}') -> 'status';
RESET scim_audit.tenant;
SELECT org, login FROM regress_52."App User" ORDER BY id;

-- Groups have such users as members, until these are deleted.
SET scim_audit.tenant = 'default';
SELECT pg_temp.call('POST', '/Groups', jsonb_build_object('schemas', '["urn:ietf:params:scim:schemas:core:2.0:Group"]'::jsonb, 'displayName', 'regress-52',
	'members', jsonb_build_array(jsonb_build_object('value', :'cy')))) #> '{body,members,0}' ->> 'type';
SELECT pg_temp.call('GET', '/Users/' || :'cy') #> '{body,groups,0}' ->> 'display', pg_temp.found('/Users?filter=groups.display%20eq%20%22regress-52%22');
SELECT version AS before FROM scim.groups WHERE display_name = 'regress-52' \gset
SELECT pg_temp.call('DELETE', '/Users/' || :'cy');
SELECT pg_temp.call('GET', '/Users/' || :'cy') -> 'status', pg_temp.call('DELETE', '/Users/' || :'cy') -> 'status', pg_temp.found('/Users?filter=userName%20eq%20%22cy%22');
SELECT login, enabled, gone IS NOT NULL AS gone FROM regress_52."App User" WHERE scim_id = :'cy';
SELECT count(m.*), g.version > :before AS changed FROM scim.groups g LEFT JOIN scim.group_members m ON m.group_id = g.id WHERE g.display_name = 'regress-52' GROUP BY g.version;
SELECT scim_id AS bob FROM regress_52."App User" WHERE login = 'bob' \gset
SELECT regexp_replace(pg_temp.call('PATCH', '/Groups/' || id, jsonb_build_object('schemas', '["urn:ietf:params:scim:api:messages:2.0:PatchOp"]'::jsonb, 'Operations', jsonb_build_array(
	jsonb_build_object('op', 'add', 'path', 'members', 'value', jsonb_build_array(jsonb_build_object('value', v))))))::text, '[0-9a-f-]{36}', 'cy') FROM scim.groups, (VALUES (:'bob'), (:'cy')) u (v) WHERE display_name = 'regress-52';
DELETE FROM regress_52."App User" WHERE login = 'bob';
SELECT count(*) FROM scim.group_members m JOIN scim.groups g ON g.id = m.group_id WHERE g.display_name = 'regress-52';
DELETE FROM scim.groups WHERE display_name = 'regress-52';

-- The log: by attribute, without what is a secret of the application.
SELECT category, event_type, outcome, status, changed FROM scim_audit.events
	WHERE resource_type IN ('User', 'Group') AND tenant = 'default' AND category IN ('change', 'request') AND tx_id >= (SELECT tx_id FROM scim_audit.events WHERE event_type = 'resource_type.bind' ORDER BY tx_id DESC LIMIT 1) AND outcome = 'success' ORDER BY tx_id, n;
SELECT count(*) FROM scim_audit.events WHERE detail::text LIKE '%secret-pin%' OR detail::text LIKE '%hidden-password%';
SELECT category, action, event_type, resource_id FROM scim_audit.events WHERE event_type LIKE 'resource_type.%bind' ORDER BY tx_id, n;
SELECT rule, message FROM scim_audit.verify() WHERE message LIKE 'User %' OR message LIKE '%52%';

-- A registered type, and one whose DELETE deletes the row; an extension with its index on the application's table.
SELECT scim.register_schema('{"id": "urn:example:scim:Car", "name": "Car", "attributes": [{"name": "plate", "required": true, "caseExact": true, "uniqueness": "server"},
	{"name": "seats", "type": "integer"}, {"name": "price", "type": "decimal"}, {"name": "sold", "type": "dateTime"}, {"name": "owners", "multiValued": true}, {"name": "key", "returned": "never"}]}');
SELECT scim.register_resource_type('{"name": "Car", "endpoint": "/Cars", "schema": "urn:example:scim:Car"}', indexed => '{seats}');
CREATE TABLE regress_52.car (id uuid PRIMARY KEY, tenant varchar(63) NOT NULL, plate text NOT NULL UNIQUE, seats smallint, price numeric(9,2), sold timestamptz, owners jsonb, more jsonb, keys jsonb,
	version bigint NOT NULL DEFAULT 1, created timestamptz NOT NULL DEFAULT now(), updated timestamptz NOT NULL DEFAULT now());
SELECT scim.bind_table('Car', 'regress_52.car', '{"id": "id", "tenant": "tenant", "version": "version", "created": "created", "lastModified": "updated", "extensions": "more",
	"attributes": {"plate": "plate", "seats": "seats", "price": "price", "sold": "sold", "owners": "owners"}}');
SELECT scim.bind_table('Car', 'regress_52.car', '{"id": "id", "tenant": "tenant", "version": "version", "created": "created", "lastModified": "updated", "extensions": "more", "secrets": "keys",
	"attributes": {"plate": "plate", "seats": "seats", "price": "price", "sold": "sold", "owners": "owners"}}');
SELECT scim.register_schema('{"id": "urn:example:scim:Radio", "name": "Radio", "attributes": [{"name": "serial", "uniqueness": "server"}]}', extends => 'Car');
SELECT pg_temp.call('POST', '/Cars', b) FROM (VALUES
	('{"schemas": ["urn:example:scim:Car"], "plate": "P1", "seats": 4, "price": 10.5, "sold": "2026-01-01T00:00:00Z", "owners": ["a"], "key": "hidden-key", "urn:example:scim:Radio": {"serial": "S"}}'::jsonb),
	('{"schemas": ["urn:example:scim:Car"], "plate": "P1"}'), ('{"schemas": ["urn:example:scim:Car"], "plate": "P2", "seats": 40000}'),
	('{"schemas": ["urn:example:scim:Car"], "plate": "P2", "urn:example:scim:Radio": {"serial": "s"}}')) v (b);
SELECT plate, seats, price, sold, owners, more, keys FROM regress_52.car;
SELECT indexdef FROM pg_indexes WHERE schemaname = 'regress_52' AND indexname LIKE 'scim\_%' ORDER BY 1;
SELECT count(*) FROM scim_audit.events WHERE detail::text LIKE '%hidden-key%';
-- Whoever owns that table has no say in memberships: not by an id that is a user's.
SELECT scim_id AS ann FROM regress_52."App User" WHERE login = 'ann' \gset
SELECT pg_temp.call('POST', '/Groups', jsonb_build_object('schemas', '["urn:ietf:params:scim:schemas:core:2.0:Group"]'::jsonb, 'displayName', 'regress-52',
	'members', jsonb_build_array(jsonb_build_object('value', :'ann')))) -> 'status';
INSERT INTO regress_52.car (id, tenant, plate) VALUES (:'ann', 'default', 'X');
DELETE FROM regress_52.car WHERE plate = 'X';
SELECT count(*) FROM scim.group_members WHERE member_id = :'ann';
DELETE FROM scim.groups WHERE display_name = 'regress-52';
SELECT pg_temp.call('DELETE', '/Cars/' || id) FROM regress_52.car;
SELECT scim.unregister_resource_type('Car');
SELECT scim.unbind_table('Car');
SELECT count(*) FROM regress_52.car;
SELECT tgname FROM pg_trigger WHERE tgrelid = 'regress_52.car'::regclass;
SELECT pg_temp.call('POST', '/Cars', '{"schemas": ["urn:example:scim:Car"], "plate": "P3"}') -> 'status', to_regclass('scim.resource_cars');
DELETE FROM scim.resource_cars;
SELECT scim.unregister_resource_type('Car');
SELECT scim.unregister_schema(id) FROM scim.schemas ORDER BY id;

SELECT scim.unbind_table('User');
SELECT scim.unbind_table('User');
SELECT count(*) FROM regress_52."App User";
SELECT pg_temp.found('/Users?filter=userName%20eq%20%22ann%22');
SELECT * FROM scim.resource_types;
SELECT rule, message FROM scim_audit.verify() WHERE message LIKE 'User %' OR message LIKE 'Car %';
RESET scim_audit.tenant;
SELECT scim.drop_tenant('regress-52', 'regress-52');
DROP OWNED BY regress_52_other;
DROP ROLE regress_52_other;
DROP SCHEMA regress_52 CASCADE;
