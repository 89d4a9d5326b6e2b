-- Nothing of another tenant is learnt: from answers, errors, counts, plans,
-- statistics, or functions smuggled into a query
\set VERBOSITY terse
\set QUIET on
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
SELECT scim.create_tenant('regress-89a', settings => '{"password": "hash"}'), scim.create_tenant('regress-89b', settings => '{"password": "hash"}');
CREATE ROLE regress_89_a;
CREATE ROLE regress_89_reader;
CREATE ROLE regress_89_auditor;
CREATE ROLE regress_89_direct;
SELECT scim.grant_duty('regress_89_a', 'provisioning_admin', 'regress-89a'), scim.grant_duty('regress_89_reader', 'reader', 'regress-89a'),
	scim.grant_duty('regress_89_auditor', 'auditor', 'regress-89a'), scim.grant_duty('regress_89_direct', 'provisioning_admin', 'regress-89a');
GRANT SELECT, INSERT, UPDATE, DELETE ON scim.users, scim.groups, scim.group_members TO regress_89_direct;
-- In b: a user with manager, password, group; and by hand.
SET scim_audit.tenant = 'regress-89b';
SELECT body ->> 'id' AS b FROM scim.scim_apply('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "secret-name", "externalId": "secret-ext", "password": "pw", "emails": [{"value": "secret@b"}]}'::text) \gset
SELECT body ->> 'id' AS gb FROM scim.scim_apply('POST', '/Groups', jsonb_build_object('schemas', '["urn:ietf:params:scim:schemas:core:2.0:Group"]'::jsonb, 'displayName', 'secret-group', 'members', jsonb_build_array(jsonb_build_object('value', :'b')))) \gset
RESET scim_audit.tenant;
INSERT INTO scim.users (tenant, user_name, title) SELECT 'regress-89b', 'bulk' || i, 'secret-title' FROM generate_series(1, 300) i;
\set nobody 00000000-0000-7000-8000-000000000000

\echo -- what another tenant has answers like what does not exist, to the byte
SET ROLE regress_89_a;
SELECT body ->> 'id' AS ga FROM scim.scim_apply('POST', '/Groups', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "own"}'::text) \gset
SELECT body ->> 'id' AS ua FROM scim.scim_apply('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "own"}'::text) \gset
CREATE FUNCTION pg_temp.masked(method text, uri text, body text, id text, headers jsonb DEFAULT '{}') RETURNS text LANGUAGE sql AS $$
	SELECT replace(regexp_replace(a::text, '(created|lastModified|version)[^,]*', '', 'g'), id, '<id>') FROM scim.scim_apply(method, replace(uri, '<id>', id), replace(body, '<id>', id), headers) a $$;
SELECT q.what, pg_temp.masked(q.method, q.uri, q.body, i.b) = pg_temp.masked(q.method, q.uri, q.body, i.nobody) AS same, left(pg_temp.masked(q.method, q.uri, q.body, i.b), 4) AS answer
FROM (VALUES (:'b', :'nobody'), (:'gb', :'nobody')) i(b, nobody), (VALUES
	('read', 'GET', '/Users/<id>', NULL), ('read a group', 'GET', '/Groups/<id>', NULL), ('replace', 'PUT', '/Users/<id>', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "x"}'),
	('patch', 'PATCH', '/Users/<id>', '{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "add", "path": "title", "value": "x"}]}'), ('delete', 'DELETE', '/Users/<id>', NULL), ('delete a group', 'DELETE', '/Groups/<id>', NULL),
	('add as member', 'PATCH', '/Groups/' || :'ga', '{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "add", "path": "members", "value": [{"value": "<id>"}]}]}'),
	('remove as member', 'PATCH', '/Groups/' || :'ga', '{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "remove", "path": "members[value eq \"<id>\"]"}]}'),
	('set as manager', 'PATCH', '/Users/' || :'ua', '{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "add", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value", "value": "<id>"}]}'),
	('create with manager', 'POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "with", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"manager": {"value": "<id>"}}}'),
	('create with member', 'POST', '/Groups', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "with", "members": [{"value": "<id>"}]}'),
	('filter by id', 'GET', '/Users?filter=id%20eq%20%22<id>%22', NULL), ('filter by member', 'GET', '/Groups?filter=members.value%20eq%20%22<id>%22', NULL), ('filter by manager', 'GET', '/Users?filter=urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value%20eq%20%22<id>%22', NULL),
	('filter by group', 'GET', '/Users?filter=groups.value%20eq%20%22<id>%22', NULL)) q(what, method, uri, body) ORDER BY 1, 2;
SELECT pg_temp.masked('DELETE', '/Users/<id>', NULL, :'b', '{"If-Match": "W/\"1\""}') = pg_temp.masked('DELETE', '/Users/<id>', NULL, :'b', '{"If-Match": "W/\"9\""}') AS no_version;
-- Names and keys of another tenant are free; its rows are in no count.
SELECT a.status FROM scim.scim_apply('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "SECRET-name", "externalId": "secret-ext", "emails": [{"value": "secret@b"}]}'::text) a;
SELECT a.body ->> 'totalResults' FROM unnest('{/Users,/Groups,"/Users?filter=title%20pr","/Users?filter=not%20(title%20eq%20%22x%22)","/Users?count=0"}'::text[]) u, scim.scim_apply('GET', u) a;
RESET ROLE;

\echo -- by SQL with a grant of its own: keys, errors and commands tell nothing
CREATE FUNCTION pg_temp.try(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	n bigint;
BEGIN
	EXECUTE statement;
	GET DIAGNOSTICS n = ROW_COUNT;
	RETURN n || ' rows';
EXCEPTION WHEN OTHERS THEN
	RETURN regexp_replace(SQLSTATE || ' ' || SQLERRM, '[0-9a-f]{8}-[0-9a-f-]{27}', '<id>', 'g');
END $$;
SET ROLE regress_89_direct;
SELECT pg_temp.try(replace(replace(t, '<id>', :'b'), '<gid>', :'gb')) AS other, pg_temp.try(replace(replace(t, '<id>', :'nobody'), '<gid>', :'nobody')) AS nobody FROM unnest(ARRAY[
	$$INSERT INTO scim.users (tenant, id, user_name) VALUES ('regress-89b', '<id>', 'x')$$,
	$$INSERT INTO scim.users (tenant, id, user_name) VALUES ('regress-89b', '<id>', 'x') ON CONFLICT DO NOTHING$$,
	$$INSERT INTO scim.users (tenant, user_name) VALUES ('regress-89b', 'secret-name') ON CONFLICT (tenant, scim.fold(user_name)) DO UPDATE SET title = 'x'$$,
	$$INSERT INTO scim.users (tenant, user_name, manager_id) VALUES ('regress-89a', 'm', '<id>')$$,
	$$UPDATE scim.users SET manager_id = '<id>' WHERE user_name = 'own'$$,
	$$UPDATE scim.users SET title = 'x' WHERE id = '<id>'$$,
	$$DELETE FROM scim.users WHERE id = '<id>'$$,
	$$INSERT INTO scim.group_members (tenant, group_id, member_id) VALUES ('regress-89a', '<gid>', '<id>')$$,
	$$INSERT INTO scim.group_members (tenant, group_id, member_id) SELECT 'regress-89a', id, '<id>' FROM scim.groups WHERE display_name = 'own'$$,
	$$MERGE INTO scim.users u USING (SELECT '<id>'::uuid AS id) s ON u.id = s.id WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN DO NOTHING$$,
	$$SELECT FROM scim.users WHERE id = '<id>' FOR UPDATE$$,
	$$SELECT FROM scim.user_passwords WHERE user_id = '<id>'$$]) t;
RESET ROLE;

\echo -- a function in a query sees no row that its caller does not; scim.fold, which may be asked before, tells nothing
ANALYZE scim.users;
CREATE TEMP TABLE peeked (value text);
GRANT INSERT ON peeked TO PUBLIC;
CREATE FUNCTION pg_temp.peek(value text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$ BEGIN INSERT INTO pg_temp.peeked VALUES (value); RETURN true; END $$;
CREATE FUNCTION pg_temp.peek_equal(text, text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$ BEGIN INSERT INTO pg_temp.peeked VALUES ($1); RETURN true; END $$;
SET ROLE regress_89_reader;
CREATE OPERATOR pg_temp.=== (FUNCTION = pg_temp.peek_equal, LEFTARG = text, RIGHTARG = text, RESTRICT = eqsel);
SELECT count(*) FROM scim.users WHERE pg_temp.peek(user_name);
SELECT count(*) FROM scim.users WHERE user_name OPERATOR(pg_temp.===) 'x';
SELECT count(*) FROM scim.users WHERE pg_temp.peek(scim.fold(user_name)) AND scim.fold(user_name) = 'secret-name';
SELECT count(*) FROM scim.users u JOIN (VALUES ('secret-name'), ('bulk1')) v(n) ON pg_temp.peek_equal(u.user_name, v.n);
SELECT count(*) FROM scim.group_memberships WHERE pg_temp.peek(member_name);
SELECT count(*) FROM scim.user_emails WHERE pg_temp.peek(value);
SELECT count(*) FROM scim.users WHERE 1 / (CASE WHEN tenant = 'regress-89b' THEN 0 ELSE 1 END) = 1;
SELECT count(*) FROM scim.users WHERE user_name LIKE 'bulk%' AND title::integer > 0;
SET ROLE regress_89_auditor;
SELECT count(*) > 0 FROM scim_audit.events WHERE pg_temp.peek(tenant);
SELECT count(*) > 0 FROM scim_audit.events WHERE pg_temp.peek(detail::text) AND detail::text LIKE '%secret-title%';
SELECT count(*) > 0 FROM scim_audit.requests WHERE pg_temp.peek(tenant);
SELECT count(*) > 0 FROM scim_audit.changes WHERE pg_temp.peek(new::text);
SELECT count(*) FROM scim_audit.memberships WHERE pg_temp.peek(group_name);
RESET ROLE;
SELECT count(*) > 0, count(*) FILTER (WHERE value ~ 'regress-89b|bulk|secret-title|secret-group') FROM peeked;
SELECT proname, proleakproof FROM pg_proc WHERE pronamespace = 'scim'::regnamespace AND proleakproof ORDER BY 1;
-- Leakproof is true only if no text makes it raise an error: every character, and what is not quite one.
SELECT count(scim.fold(chr(i)) || scim.fold('a' || chr(i) || 'B')) FROM generate_series(1, 1114111) i WHERE i NOT BETWEEN 55296 AND 57343;
SELECT length(scim.fold(repeat(U&'\023A', 1000000))), octet_length(scim.fold(repeat(U&'\023A', 1000000))), scim.fold(''), scim.contains('', ''), scim.ends_with('a', 'ba');

\echo -- statistics are not shown where row-level security is in force
SET ROLE regress_89_reader;
SELECT count(*) FROM pg_stats WHERE schemaname = 'scim';
SELECT count(*) FROM pg_stats_ext WHERE schemaname = 'scim';
SELECT count(*) FROM pg_statistic;
\echo -- the log of an auditor of one tenant: seals of its transactions only
SET ROLE regress_89_auditor;
SELECT count(*) > 0, count(*) FILTER (WHERE NOT EXISTS (SELECT FROM scim_audit.events e WHERE e.tx_id = s.tx_id)) FROM scim_audit.seals s;
SELECT DISTINCT tenant FROM scim_audit.log;
SELECT count(*) FROM scim_audit.events WHERE tenant IS NULL OR tenant = 'regress-89b' OR detail::text LIKE '%secret-title%';
RESET ROLE;

\echo -- verify() counts what it does not show; recent_requests and passwords of the own tenant only
BEGIN;
ALTER TABLE scim.users DISABLE TRIGGER scim_audit_row;
UPDATE scim.users SET title = 'behind the log' WHERE tenant = 'regress-89b' AND user_name IN ('bulk1', 'bulk2');
ALTER TABLE scim.users ENABLE ALWAYS TRIGGER scim_audit_row;
SET LOCAL ROLE regress_89_auditor;
SELECT rule, chain, seq, tx_id, n, message FROM scim_audit.verify();
ROLLBACK;
SET ROLE regress_89_a;
SELECT DISTINCT tenant FROM scim.recent_requests(1000);
SET ROLE regress_89_reader;
SELECT scim.check_password(:'b', 'pw'), scim.check_password(:'nobody', 'pw');
SELECT pg_temp.try('SELECT * FROM scim.recent_requests()'), pg_temp.try('SELECT scim.provisioned_tenants()'), pg_temp.try('SELECT * FROM scim.tenants'), pg_temp.try('SELECT * FROM scim.duties'), pg_temp.try('SELECT scim_audit.verify()');
RESET ROLE;
-- There is no sequence to count by, and no id that tells of another.
SELECT count(*) FROM pg_class WHERE relkind = 'S' AND relnamespace IN ('scim'::regnamespace, 'scim_audit'::regnamespace);

DELETE FROM scim.groups WHERE tenant LIKE 'regress-89_';
DELETE FROM scim.users WHERE tenant LIKE 'regress-89_';
SELECT count(*) FROM (SELECT scim.revoke_duty(d.role_oid, d.duty, d.tenant) FROM scim.duties d WHERE d.role_name LIKE 'regress\_89%') revoked;
DROP OPERATOR pg_temp.=== (text, text);
DROP OWNED BY regress_89_a, regress_89_reader, regress_89_auditor, regress_89_direct;
DROP ROLE regress_89_a, regress_89_reader, regress_89_auditor, regress_89_direct;
DELETE FROM scim.tenants WHERE tenant LIKE 'regress-89_';
