-- Every way of writing a tracked table: each change an event, each transaction
-- one seal, and verify() finds nothing.  In a database of its own, because
-- verify() looks at all of the log.
\set VERBOSITY terse
\pset footer off
SET client_min_messages = warning;
\set home :DBNAME
CREATE ROLE regress_ways_caller;
CREATE DATABASE regress_ways;
\connect regress_ways
SET client_min_messages = warning;
CREATE EXTENSION scim_audit CASCADE;

CREATE SCHEMA app;
CREATE TABLE app.city (id integer PRIMARY KEY, name text, tenant text);
CREATE TABLE app.street (id integer PRIMARY KEY, city integer REFERENCES app.city ON DELETE CASCADE ON UPDATE CASCADE, name text);
CREATE TABLE app.house (id integer PRIMARY KEY, street integer REFERENCES app.street ON DELETE SET NULL ON UPDATE SET DEFAULT, next integer REFERENCES app.house DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE app.visit (day date, id integer, what text, PRIMARY KEY (day, id)) PARTITION BY RANGE (day);
CREATE TABLE app.visit_1 PARTITION OF app.visit FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE app.visit_2 PARTITION OF app.visit FOR VALUES FROM ('2026-02-01') TO ('2026-03-01') PARTITION BY HASH (id);
CREATE TABLE app.visit_2a PARTITION OF app.visit_2 FOR VALUES WITH (MODULUS 1, REMAINDER 0);
SELECT scim_audit.track('app.city', tenant_column => 'tenant'), scim_audit.track('app.street'), scim_audit.track('app.house'), scim_audit.track('app.visit');

-- Where the log was; what came since; that it is whole: a seal for each
-- transaction, with the number of its events.
CREATE TABLE mark (at timestamptz);
INSERT INTO mark VALUES (clock_timestamp());
\set since 'SELECT resource_type AS table, action, resource_id AS id, changed, detail->''old'' AS old, detail->''new'' AS new FROM scim_audit.events, mark WHERE category = ''change'' AND events.at > mark.at ORDER BY tx_id, n \\; UPDATE mark SET at = clock_timestamp();'
\set whole 'SELECT (SELECT count(*) FROM scim_audit.seals s WHERE s.events <> (SELECT count(*) FROM scim_audit.events e WHERE e.tx_id = s.tx_id)) + (SELECT count(DISTINCT tx_id) FROM scim_audit.events) - (SELECT count(*) FROM scim_audit.seals) AS unsealed, (SELECT count(*) FROM scim_audit.verify()) AS findings;'

\echo -- COPY
COPY app.city FROM stdin;
1	Aachen	a
2	Berlin	b
\.
COPY app.visit FROM stdin WITH (FORMAT csv);
2026-01-05,1,coffee
2026-02-05,2,"tea, please"
\.
:since
\echo -- COPY that fails leaves neither row nor event
COPY app.city FROM stdin;
3	Celle	a
3	Celle	a
\.
:since
:whole

\echo -- foreign keys: cascade, set null, set default, on delete and on update
INSERT INTO app.street VALUES (10, 1, 'Markt'), (20, 2, 'Allee');
INSERT INTO app.house VALUES (100, 10, NULL), (200, 20, 100), (300, 20, 200);
UPDATE mark SET at = clock_timestamp();
UPDATE app.city SET id = 3 WHERE id = 2;
:since
DELETE FROM app.city WHERE id = 1;
:since
UPDATE app.street SET id = 21 WHERE id = 20;
:since
:whole

\echo -- TRUNCATE: several tables, CASCADE, a partitioned table
TRUNCATE app.visit, app.house;
:since
TRUNCATE app.city CASCADE;
:since
:whole

\echo -- INSERT … ON CONFLICT, MERGE, UPDATE … FROM, DELETE … USING
INSERT INTO app.city VALUES (1, 'Aachen', 'a') ON CONFLICT DO NOTHING;
INSERT INTO app.city VALUES (1, 'Ulm', 'a'), (2, 'Bonn', 'b') ON CONFLICT DO NOTHING;
INSERT INTO app.city VALUES (1, 'Aix', 'a'), (3, 'Kiel', 'b') ON CONFLICT (id) DO UPDATE SET name = excluded.name;
INSERT INTO app.city VALUES (1, 'Nowhere', 'a') ON CONFLICT (id) DO UPDATE SET name = excluded.name WHERE city.id = 2;
:since
MERGE INTO app.city c USING (VALUES (1, 'Aachen'), (2, NULL), (4, 'Trier')) v (id, name) ON c.id = v.id
	WHEN MATCHED AND v.name IS NULL THEN DELETE
	WHEN MATCHED THEN UPDATE SET name = v.name
	WHEN NOT MATCHED THEN INSERT VALUES (v.id, v.name, 'c');
:since
UPDATE app.city c SET name = c.name || v.suffix FROM (VALUES (1, '!'), (3, '')) v (id, suffix) WHERE c.id = v.id;
DELETE FROM app.city c USING (VALUES (3)) v (id) WHERE c.id = v.id;
:since
:whole

\echo -- data-modifying WITH: one after the other, one into the other
WITH gone AS (DELETE FROM app.city WHERE id = 4 RETURNING *),
	back AS (INSERT INTO app.city SELECT id + 1, name, tenant FROM gone RETURNING *)
	INSERT INTO app.street SELECT 50, 1, name FROM back;
:since
:whole

\echo -- a row moves to another partition: gone here, there again; a key changes; a row refers to itself
INSERT INTO app.visit VALUES ('2026-01-06', 1, 'cake'), ('2026-01-07', 2, NULL);
UPDATE app.visit SET day = '2026-02-06' WHERE id = 1;
UPDATE app.visit SET id = 3, what = 'water' WHERE id = 2;
:since
INSERT INTO app.house VALUES (1, NULL, 1), (2, NULL, 2), (3, NULL, 2);
UPDATE app.house SET id = id + 10, next = next + 10;
:since
:whole

\echo -- keys that trade places in one statement
CREATE TABLE app.swap (id integer, name text, CONSTRAINT swap_pkey PRIMARY KEY (id) DEFERRABLE);
SELECT scim_audit.track('app.swap');
INSERT INTO app.swap VALUES (1, 'a'), (2, 'b');
UPDATE mark SET at = clock_timestamp();
UPDATE app.swap SET id = 3 - id;
:since
:whole

\echo -- triggers: BEFORE changes the row or keeps it out, AFTER writes more, a deferred one writes at commit
CREATE FUNCTION app.before() RETURNS trigger LANGUAGE plpgsql AS
	$$ BEGIN IF new.name = 'skip' THEN RETURN NULL; END IF; new.name := upper(new.name); RETURN new; END $$;
CREATE FUNCTION app.after() RETURNS trigger LANGUAGE plpgsql AS
	$$ BEGIN INSERT INTO app.street VALUES (new.id * 100, new.id, tg_name); RETURN NULL; END $$;
CREATE TRIGGER a_before BEFORE INSERT OR UPDATE ON app.city FOR EACH ROW EXECUTE FUNCTION app.before();
CREATE TRIGGER a_after AFTER INSERT ON app.city FOR EACH ROW WHEN (new.id = 7) EXECUTE FUNCTION app.after();
CREATE CONSTRAINT TRIGGER a_deferred AFTER INSERT ON app.city DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (new.id = 8) EXECUTE FUNCTION app.after();
INSERT INTO app.city VALUES (6, 'skip'), (7, 'gera');
UPDATE app.city SET name = 'skip' WHERE id = 7;
:since
BEGIN;
INSERT INTO app.city VALUES (8, 'jena');
UPDATE app.city SET name = 'weimar' WHERE id = 8;
COMMIT;
:since
\echo -- a deferred constraint that fails: no event either
BEGIN;
INSERT INTO app.house VALUES (99, NULL, 98);
COMMIT;
:since
:whole
DROP TRIGGER a_before ON app.city;
DROP TRIGGER a_after ON app.city;
DROP TRIGGER a_deferred ON app.city;

\echo -- views: updatable, with INSTEAD OF, with a rule; a rule on the table
CREATE VIEW app.simple AS SELECT id, name FROM app.city WHERE id < 100 WITH CHECK OPTION;
INSERT INTO app.simple VALUES (11, 'Hof');
UPDATE app.simple SET name = 'Fulda' WHERE id = 11;
DELETE FROM app.simple WHERE id = 11;
:since
CREATE VIEW app.joined AS SELECT s.id, s.name, c.name AS city FROM app.street s JOIN app.city c ON c.id = s.city;
CREATE FUNCTION app.instead() RETURNS trigger LANGUAGE plpgsql AS
	$$ BEGIN UPDATE app.street SET name = new.name WHERE id = old.id; UPDATE app.city SET name = new.city WHERE name = old.city; RETURN new; END $$;
CREATE TRIGGER instead INSTEAD OF UPDATE ON app.joined FOR EACH ROW EXECUTE FUNCTION app.instead();
UPDATE app.joined SET name = 'Ring', city = 'Aken' WHERE id = 50;
:since
CREATE VIEW app.ruled AS SELECT * FROM app.city;
CREATE RULE r AS ON DELETE TO app.ruled DO INSTEAD UPDATE app.city SET name = NULL WHERE id = old.id;
DELETE FROM app.ruled WHERE id = 8;
CREATE RULE also AS ON UPDATE TO app.swap DO ALSO INSERT INTO app.street VALUES (new.id + 1000, NULL, old.name);
UPDATE app.swap SET name = 'c' WHERE id = 1;
:since
:whole
DROP RULE also ON app.swap;

\echo -- procedures that commit: a seal for each transaction
CREATE PROCEDURE app.batch() LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1..4 LOOP
		INSERT INTO app.swap VALUES (10 + i, 'p');
		IF i % 2 = 0 THEN COMMIT; ELSIF i = 3 THEN ROLLBACK; END IF;
	END LOOP;
END $$;
CALL app.batch();
SELECT tx_id = lag(tx_id) OVER (ORDER BY tx_id, n) AS same_transaction, n, resource_id FROM scim_audit.events, mark WHERE category = 'change' AND events.at > mark.at ORDER BY tx_id, n;
UPDATE mark SET at = clock_timestamp();
DO $$
BEGIN
	INSERT INTO app.swap VALUES (21, 'outer');
	BEGIN
		INSERT INTO app.swap VALUES (22, 'inner');
		INSERT INTO app.swap VALUES (21, 'twice');
	EXCEPTION WHEN unique_violation THEN
		INSERT INTO app.swap VALUES (23, 'handler');
	END;
	BEGIN
		INSERT INTO app.swap VALUES (24, 'kept');
	EXCEPTION WHEN unique_violation THEN
		NULL;
	END;
END $$;
:since
:whole

\echo -- SECURITY DEFINER: the log names the caller, not the owner of the function
CREATE FUNCTION app.definer() RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS $$ INSERT INTO app.swap VALUES (31, 'd') $$;
GRANT USAGE ON SCHEMA app TO regress_ways_caller;
SET ROLE regress_ways_caller;
SELECT app.definer();
RESET ROLE;
SELECT effective_role, session_role = session_user AS session, resource_id FROM scim_audit.events, mark WHERE category = 'change' AND events.at > mark.at;
UPDATE mark SET at = clock_timestamp();
\echo -- the row that an UPDATE of a table reads from the table itself; a function in the statement that writes
CREATE FUNCTION app.more(id integer) RETURNS text LANGUAGE sql AS $$ INSERT INTO app.swap VALUES (id + 100, 'more') RETURNING name $$;
UPDATE app.swap s SET name = (SELECT max(t.name) FROM app.swap t) WHERE id = 11;
UPDATE app.swap SET name = app.more(id) WHERE id = 12;
:since
:whole

\echo -- replica, prepared statements, cursors
SET session_replication_role = replica;
INSERT INTO app.swap VALUES (41, 'replica');
RESET session_replication_role;
SET session_replication_role = local;
UPDATE app.swap SET name = 'local' WHERE id = 41;
RESET session_replication_role;
PREPARE change (integer, text) AS UPDATE app.swap SET name = $2 WHERE id = $1;
EXECUTE change (41, 'once');
EXECUTE change (41, 'once');
SET plan_cache_mode = force_generic_plan;
EXECUTE change (41, 'generic');
RESET plan_cache_mode;
BEGIN;
DECLARE c CURSOR FOR SELECT * FROM app.swap WHERE id IN (41, 31) ORDER BY id FOR UPDATE;
FETCH NEXT FROM c;
UPDATE app.swap SET name = 'cursor' WHERE CURRENT OF c;
FETCH NEXT FROM c;
DELETE FROM app.swap WHERE CURRENT OF c;
COMMIT;
:since
:whole

\echo -- as many as one transaction may hold: one seal
INSERT INTO app.swap SELECT i, 'bulk' FROM generate_series(100001, 200000) i;
SELECT s.events, (SELECT count(*) FROM scim_audit.events e WHERE e.tx_id = s.tx_id) AS stored FROM scim_audit.seals s ORDER BY at DESC LIMIT 1;
DELETE FROM app.swap WHERE id > 100000;
:whole

\echo -- scim.users, scim.groups, scim.group_members by plain SQL: version and times kept right
\set person 'SELECT user_name, version, created < last_modified AS later, last_modified <= clock_timestamp() AS past FROM scim.users ORDER BY user_name;'
UPDATE mark SET at = clock_timestamp();
INSERT INTO scim.users (tenant, user_name, version, created, last_modified) VALUES ('default', 'anna', 77, '2001-01-01', '2999-01-01'), ('default', 'bert', 0, NULL, 'infinity');
:person
UPDATE scim.users SET title = 'x', version = 5, last_modified = 'infinity', created = '1999-01-01' WHERE user_name = 'anna';
UPDATE scim.users SET title = 'x' WHERE user_name = 'anna';
UPDATE scim.users SET version = 1 WHERE user_name = 'anna';
:person
UPDATE scim.users SET active = false, version = version + 1 WHERE user_name = 'bert';
MERGE INTO scim.users u USING (VALUES ('anna', 'y'), ('carl', 'z')) v (name, title) ON u.user_name = v.name
	WHEN MATCHED THEN UPDATE SET title = v.title WHEN NOT MATCHED THEN INSERT (tenant, user_name, title) VALUES ('default', v.name, v.title);
INSERT INTO scim.users (tenant, user_name) VALUES ('default', 'carl') ON CONFLICT DO NOTHING;
:person
SET session_replication_role = replica;
UPDATE scim.users SET nick_name = 'n' WHERE user_name = 'carl';
RESET session_replication_role;
:person
UPDATE scim.users SET id = scim.uuid7() WHERE user_name = 'anna';
UPDATE scim.users SET tenant = 'other' WHERE user_name = 'anna';
COPY scim.groups (tenant, display_name, version) FROM stdin;
default	g	9
\.
INSERT INTO scim.group_members (tenant, group_id, member_id, member_type) SELECT 'default', g.id, u.id, 'User' FROM scim.groups g, scim.users u;
SELECT display_name, version FROM scim.groups;
DELETE FROM scim.users WHERE user_name = 'bert';
SELECT display_name, version FROM scim.groups;
BEGIN;
DELETE FROM scim.group_members;
ROLLBACK;
TRUNCATE scim.group_members;
SELECT display_name, version FROM scim.groups;
SELECT event_type, origin, changed, detail->>'resource_name' AS name FROM scim_audit.events, mark WHERE category = 'change' AND events.at > mark.at ORDER BY tx_id, n;
TRUNCATE scim.users, scim.groups, scim.group_members, scim.user_passwords;
:whole

\connect :home
DROP DATABASE regress_ways;
DROP ROLE regress_ways_caller;
