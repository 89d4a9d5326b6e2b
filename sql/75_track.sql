-- track() and untrack(): any table under the same audit.  In a database of its
-- own, because verify() looks at all of the log.
\set VERBOSITY terse
\pset footer off
SET client_min_messages = warning;
\set home :DBNAME
CREATE ROLE regress_track_owner;
CREATE ROLE regress_track_other;
CREATE DATABASE regress_track;
\connect regress_track
SET client_min_messages = warning;
CREATE EXTENSION scim_audit CASCADE;
GRANT USAGE ON SCHEMA scim_audit TO PUBLIC;
GRANT EXECUTE ON FUNCTION scim_audit.track(regclass, name, name[], name[], name[], boolean, boolean), scim_audit.untrack(regclass) TO PUBLIC;
CREATE SCHEMA app AUTHORIZATION regress_track_owner;
GRANT USAGE ON SCHEMA app TO PUBLIC;

\echo -- what cannot be tracked
SET ROLE regress_track_owner;
CREATE TABLE app.no_key (a integer);
CREATE TABLE app.item (id integer PRIMARY KEY, tenant text, name text, cache text, secret text);
CREATE VIEW app.item_view AS SELECT * FROM app.item;
CREATE MATERIALIZED VIEW app.item_copy AS SELECT * FROM app.item;
CREATE SEQUENCE app.item_seq;
CREATE UNLOGGED TABLE app.fleeting (id integer PRIMARY KEY);
CREATE TEMP TABLE mine (id integer PRIMARY KEY);
SELECT scim_audit.track('app.no_key');
SELECT scim_audit.track('app.item_view');
SELECT scim_audit.track('app.item_copy');
SELECT scim_audit.track('app.item_seq');
SELECT scim_audit.track('app.fleeting');
SELECT scim_audit.track('mine');
SELECT scim_audit.track(NULL);
SELECT scim_audit.track('app.item', tenant_column => 'absent');
SELECT scim_audit.track('app.item', key_columns => '{absent}');
SELECT scim_audit.track('app.item', exclude => '{id}');
SELECT scim_audit.track('app.item', redact => '{id}');
SELECT scim_audit.untrack('app.item');
SELECT scim_audit.track('scim_audit.events');
SELECT scim_audit.track('pg_class');
RESET ROLE;
CREATE FOREIGN DATA WRAPPER nothing;
CREATE SERVER nothing FOREIGN DATA WRAPPER nothing;
CREATE FOREIGN TABLE app.far (id integer) SERVER nothing;
SELECT scim_audit.track('app.far', key_columns => '{id}');
SELECT scim_audit.track('pg_class');
SELECT scim_audit.track('scim_audit.seals');
SELECT scim_audit.track('scim.users');
SELECT scim_audit.untrack('scim.users');
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT scim_audit.track('app.item');
ROLLBACK;
SELECT count(*) FROM scim_audit.events;

\echo -- it is the right of the owner
SET ROLE regress_track_other;
SELECT scim_audit.track('app.item');
SELECT scim_audit.untrack('app.item');
SET ROLE regress_track_owner;
INSERT INTO app.item VALUES (1, 'a', 'one', 'c', 's'), (2, 'b', 'two', 'c', 's');
SELECT scim_audit.track('app.item', tenant_column => 'tenant', exclude => '{cache}', redact => '{secret}');
RESET ROLE;
\set events 'SELECT category, action, event_type, tenant, resource_type, resource_id, changed, detail::jsonb - ''{application_name,config_before,config_after}''::text[] AS detail, effective_role FROM scim_audit.events WHERE event_type <> ''log.verify'' ORDER BY tx_id, n;'
:events
SELECT * FROM scim_audit.tracked_tables WHERE table_name = 'app.item'::regclass;

\echo -- changes by anybody are events; of excluded columns alone, none
GRANT ALL ON app.item TO regress_track_other;
SET ROLE regress_track_other;
INSERT INTO app.item VALUES (3, 'a', 'three', 'c', NULL);
UPDATE app.item SET cache = 'd';
UPDATE app.item SET secret = 't', name = 'drei' WHERE id = 3;
UPDATE app.item SET id = 30 WHERE id = 3;
DELETE FROM app.item WHERE id = 1;
SET ROLE regress_track_owner;
TRUNCATE app.item;
INSERT INTO app.item VALUES (4, 'a', 'four', 'c', 's');
RESET ROLE;
SELECT action, event_type, tenant, resource_id, changed, detail->'old' AS old, detail->'new' AS new, effective_role FROM scim_audit.events WHERE category = 'change' ORDER BY tx_id, n OFFSET 2;
SELECT * FROM scim_audit.verify();

\echo -- replication and disabled triggers do not pass it by
SET session_replication_role = replica;
UPDATE app.item SET name = 'vier' WHERE id = 4;
RESET session_replication_role;
SELECT * FROM scim_audit.verify();

\echo -- tracked again, it starts anew
ALTER TABLE app.item DISABLE TRIGGER scim_audit_row;
UPDATE app.item SET name = 'unseen' WHERE id = 4;
SELECT always FROM scim_audit.tracked_tables WHERE table_name = 'app.item'::regclass;
SELECT rule, n, message FROM scim_audit.verify();
SELECT scim_audit.track('app.item', tenant_column => 'tenant', key_columns => '{tenant,name}');
SELECT key_columns, exclude, redact, always FROM scim_audit.tracked_tables WHERE table_name = 'app.item'::regclass;
SELECT count(*) FROM scim_audit.verify() WHERE rule = 'row_mismatch';
UPDATE app.item SET name = 'seen' WHERE id = 4;
SELECT event_type, resource_id FROM scim_audit.events WHERE event_type LIKE 'table.%' ORDER BY tx_id DESC, n DESC LIMIT 2;
SELECT count(*) FROM scim_audit.verify() WHERE rule = 'row_mismatch';
ALTER TABLE app.item DISABLE TRIGGER scim_audit_row;
UPDATE app.item SET cache = 'unseen' WHERE id = 4;
SELECT message FROM scim_audit.verify() WHERE rule = 'row_mismatch';

\echo -- without a baseline rows are not compared, until a TRUNCATE
SELECT scim_audit.track('app.item', baseline => false);
UPDATE app.item SET name = 'five' WHERE id = 4;
SELECT count(*) FROM scim_audit.verify() WHERE rule = 'row_mismatch';
TRUNCATE app.item;
INSERT INTO app.item VALUES (6, 'a', 'six', 'c', 's');
ALTER TABLE app.item DISABLE TRIGGER scim_audit_row;
DELETE FROM app.item;
SELECT message FROM scim_audit.verify() WHERE rule = 'row_mismatch';
SET ROLE regress_track_owner;
SELECT scim_audit.untrack('app.item');
SELECT scim_audit.untrack('app.item');
RESET ROLE;
SELECT count(*) FROM scim_audit.verify() WHERE rule = 'row_mismatch';
SELECT count(*) FROM scim_audit.tracked_tables WHERE table_name = 'app.item'::regclass;

\echo -- partitioned tables, names and keys that need care
CREATE TABLE app."Od""d, name" ("Ke'y" text, "täg" text, at timestamptz, PRIMARY KEY ("täg", "Ke'y")) PARTITION BY LIST ("täg");
CREATE TABLE app.odd_a PARTITION OF app."Od""d, name" FOR VALUES IN ('a');
SELECT scim_audit.track('app."Od""d, name"', redact => '{at}');
CREATE TABLE app.odd_b PARTITION OF app."Od""d, name" FOR VALUES IN ('b');
INSERT INTO app."Od""d, name" VALUES ('x"\', 'a', '2026-01-02 03:04:05+00'), (E'tab\t', 'b', NULL);
UPDATE app."Od""d, name" SET "täg" = 'b' WHERE "Ke'y" LIKE 'x%';
UPDATE app."Od""d, name" SET "Ke'y" = 'z' WHERE "Ke'y" LIKE 'tab%';
SELECT scim_audit.track('app.odd_a');
SELECT table_name, key_columns, redact, always FROM scim_audit.tracked_tables WHERE table_name::text LIKE 'app%' ORDER BY 1;
SELECT event_type, resource_type, resource_id, changed, detail->'old' AS old, detail->'new' AS new FROM scim_audit.events
	WHERE resource_type LIKE 'app.Od%' ORDER BY tx_id, n;
SELECT count(*) FROM scim_audit.verify() WHERE rule = 'row_mismatch';
INSERT INTO app.odd_a VALUES ('direct', 'a');
ALTER TABLE app.odd_b DISABLE TRIGGER ALL;
INSERT INTO app.odd_b VALUES ('direct', 'b');
SELECT message FROM scim_audit.verify() WHERE rule = 'row_mismatch';

\echo -- sessions of other settings write and read the same bytes
CREATE TABLE app.typed (id date PRIMARY KEY, a timestamptz, b interval, c float8, d bytea, e money, f numeric, g text[], h jsonb, i uuid, j inet);
SELECT scim_audit.track('app.typed');
SET datestyle = 'German';
SET timezone = 'Asia/Tokyo';
SET intervalstyle = 'sql_standard';
SET extra_float_digits = -5;
SET bytea_output = 'escape';
INSERT INTO app.typed VALUES ('2026-02-01', '2026-02-01 00:00+09', '1 day 2 hours', 0.1::float8 + 0.2, '\x00ff', 12.50, 1.10, '{a,NULL,"b,c"}', '{"b": 1, "a": [1.0]}', '00000000-0000-7000-8000-000000000000', '10.0.0.1/8');
RESET datestyle;
RESET timezone;
RESET intervalstyle;
RESET extra_float_digits;
RESET bytea_output;
SELECT count(*) FROM scim_audit.verify() WHERE message LIKE 'app.typed%';
SET datestyle = 'SQL';
SET timezone = 'America/New_York';
SELECT count(*) FROM scim_audit.verify() WHERE message LIKE 'app.typed%';
UPDATE app.typed SET g = NULL, c = c + 1;
DELETE FROM app.typed;
SELECT count(*) FROM scim_audit.verify() WHERE message LIKE 'app.typed%';

\echo -- a column that the trigger names is dropped unseen: nothing passes, and verify() says so and goes on
CREATE TABLE app.cut (id integer PRIMARY KEY, cache text);
SELECT scim_audit.track('app.cut', exclude => '{cache}');
ALTER EVENT TRIGGER scim_audit_schema_end DISABLE;
ALTER TABLE app.cut DROP COLUMN cache;
ALTER EVENT TRIGGER scim_audit_schema_end ENABLE ALWAYS;
INSERT INTO app.cut VALUES (1);
SELECT rule, message FROM scim_audit.verify() WHERE message LIKE 'cut %';
SELECT scim_audit.track('app.cut');
INSERT INTO app.cut VALUES (1);
SELECT count(*) FROM scim_audit.verify() WHERE message LIKE '%cut %';

\echo -- keys that are no keys: not unique, null, becoming null and becoming something
CREATE TABLE app.loose (a integer, b integer, c text);
SELECT scim_audit.track('app.loose', key_columns => '{a}');
INSERT INTO app.loose VALUES (1, 1, 'x'), (1, 1, 'x'), (1, 2, 'y'), (NULL, 3, 'n'), (NULL, NULL, NULL), (4, 4, 'z');
DELETE FROM app.loose WHERE ctid = (SELECT min(ctid) FROM app.loose WHERE c = 'x');
UPDATE app.loose SET a = NULL WHERE c = 'x';
UPDATE app.loose SET a = 7 WHERE c = 'n';
SELECT message FROM scim_audit.verify() WHERE message LIKE '%app.loose%';
SELECT scim_audit.track('app.loose', key_columns => '{a,b}');
UPDATE app.loose SET a = NULL WHERE c = 'y';
UPDATE app.loose SET a = 8 WHERE c = 'x';
UPDATE app.loose SET b = NULL, a = 9 WHERE c = 'n';
UPDATE app.loose SET b = 5, a = 5 WHERE c IS NULL;
SELECT message FROM scim_audit.verify() WHERE message LIKE '%app.loose%';
SELECT scim_audit.track('app.loose', key_columns => '{c}', personal_key => true);
UPDATE app.loose SET c = NULL WHERE c = 'x';
UPDATE app.loose SET c = 'new' WHERE a = 5;
SELECT message FROM scim_audit.verify() WHERE message LIKE '%app.loose%';
ALTER TABLE app.loose DISABLE TRIGGER ALL;
UPDATE app.loose SET b = 0 WHERE a = 9;
SELECT left(message, 15) AS message FROM scim_audit.verify() WHERE message LIKE '%app.loose%';
ALTER TABLE app.loose ENABLE ALWAYS TRIGGER scim_audit_row;
UPDATE app.loose SET a = 0 WHERE c IS NULL;
SELECT scim_audit.track('app.loose', key_columns => '{a}');
UPDATE app.loose SET a = NULL WHERE b = 0;
ALTER TABLE app.loose DISABLE TRIGGER ALL;
UPDATE app.loose SET c = 'unseen' WHERE a IS NULL;
SELECT message FROM scim_audit.verify() WHERE message LIKE '%app.loose%';
DROP TABLE app.loose;

\echo -- a key longer than a message
CREATE TABLE app.long (id text PRIMARY KEY);
SELECT scim_audit.track('app.long');
ALTER TABLE app.long DISABLE TRIGGER ALL;
INSERT INTO app.long SELECT repeat('x', n) || repeat('é', 200) FROM generate_series(0, 1) n;
SELECT length(message) BETWEEN 100 AND 256 AS cut FROM scim_audit.verify() WHERE message LIKE 'app.long%';
ALTER TABLE app.long ENABLE ALWAYS TRIGGER scim_audit_row;
INSERT INTO app.long SELECT repeat('x', 600 * n) || repeat('é', 1000) FROM generate_series(2, 3) n;
SELECT count(*), count(*) FILTER (WHERE resource_id LIKE 'sha256:%') AS by_digest FROM scim_audit.events WHERE event_type = 'table.insert' AND resource_type = 'app.long';
SELECT count(*) FROM scim_audit.verify() WHERE message LIKE 'app.long%';

\echo -- columns called like anything that our own queries use
CREATE TABLE app.names (id integer PRIMARY KEY, r text, s text, t text, x text, e integer, state text[], "r.*" text, regclass text, fold text, "only" text, tbl text, name text);
INSERT INTO app.names (id, r, t, state) VALUES (1, 'r', 't', '{a}');
SELECT scim_audit.track('app.names', tenant_column => 't', key_columns => '{id,r}');
INSERT INTO app.names (id, r, s, t, x) VALUES (2, 'r', 's', 't', 'x');
SELECT count(*) FROM scim_audit.verify() WHERE message LIKE 'app.names%';
TRUNCATE app.names;
SELECT event_type, tenant FROM scim_audit.events WHERE resource_type = 'app.names' ORDER BY tx_id, n;
CREATE SCHEMA "S ""'\x%s";
SELECT current_setting('server_version_num')::int < 190000 AS nonstandard \gset
\if :nonstandard
SET standard_conforming_strings = off;
\endif
CREATE TABLE "S ""'\x%s"."T ""'\x%s" ("c ""'\x%s" integer PRIMARY KEY, "t ""'\x%s" text);
INSERT INTO "S ""'\x%s"."T ""'\x%s" VALUES (1, 'a');
SELECT scim_audit.track(E'"S ""\'\\x%s"."T ""\'\\x%s"', tenant_column => E't "\'\\x%s');
UPDATE "S ""'\x%s"."T ""'\x%s" SET "t ""'\x%s" = 'b';
SELECT message FROM scim_audit.verify() WHERE message LIKE 'S %';
TRUNCATE "S ""'\x%s"."T ""'\x%s";
SELECT event_type, tenant, resource_type FROM scim_audit.events WHERE resource_type LIKE 'S %' ORDER BY tx_id, n;
SELECT message FROM scim_audit.verify() WHERE message LIKE 'S %';
RESET standard_conforming_strings;

\echo -- TRUNCATE of partitions, those there and those to come
\set parts 'SELECT event_type, tenant, resource_id, detail->\'old\' AS old FROM scim_audit.events WHERE resource_type = \'app.part\' AND category = \'change\' AND tx_id::text > :\'before\' ORDER BY tx_id, n;'
\set mark 'SELECT max(tx_id::text) AS before FROM scim_audit.events \\gset'
\set part_findings 'SELECT rule, message FROM scim_audit.verify() WHERE message LIKE \'app.part%\' OR rule = \'config_changed\' AND seq > :last;'
SELECT max(seq) AS last FROM scim_audit.seals \gset
CREATE TABLE app.part (id integer, tenant text, PRIMARY KEY (id)) PARTITION BY RANGE (id);
CREATE TABLE app.part_1 PARTITION OF app.part FOR VALUES FROM (0) TO (10);
SELECT scim_audit.track('app.part', tenant_column => 'tenant');
CREATE TABLE app.part_2 PARTITION OF app.part FOR VALUES FROM (10) TO (100) PARTITION BY RANGE (id);
CREATE TABLE app.part_2a (tenant text, gone text, id integer NOT NULL);
ALTER TABLE app.part_2a DROP COLUMN gone;
ALTER TABLE app.part_2 ATTACH PARTITION app.part_2a FOR VALUES FROM (10) TO (20);
SELECT tgrelid::regclass, tgenabled FROM pg_trigger WHERE tgname = 'scim_audit_partition_truncate' ORDER BY 1;
INSERT INTO app.part VALUES (1, 'a'), (11, 'a'), (12, 'b');
:part_findings
:mark
TRUNCATE app.part_1;
:parts
:mark
TRUNCATE app.part_2;
:parts
:part_findings
INSERT INTO app.part VALUES (1, 'a'), (11, 'a'), (12, 'b');
:mark
TRUNCATE app.part;
:parts
INSERT INTO app.part VALUES (2, 'a'), (13, 'a');
:mark
BEGIN;
TRUNCATE app.part_2a, app.part;
INSERT INTO app.part VALUES (3, 'a'), (14, 'c');
TRUNCATE app.part_2a;
INSERT INTO app.part VALUES (15, NULL);
TRUNCATE app.part;
TRUNCATE app.part;
INSERT INTO app.part VALUES (4, 'a');
COMMIT;
:parts
:part_findings
ALTER TABLE app.part_2 DETACH PARTITION app.part_2a;
SELECT tgrelid::regclass, tgenabled FROM pg_trigger WHERE tgname = 'scim_audit_partition_truncate' ORDER BY 1;
:part_findings
SELECT always FROM scim_audit.tracked_tables WHERE table_name = 'app.part'::regclass;
DROP TRIGGER scim_audit_partition_truncate ON app.part_1;
SELECT always FROM scim_audit.tracked_tables WHERE table_name = 'app.part'::regclass;
INSERT INTO app.part VALUES (5, 'a');
:part_findings
SELECT scim_audit.untrack('app.part');
SELECT tgrelid::regclass, tgenabled FROM pg_trigger WHERE tgname = 'scim_audit_partition_truncate' ORDER BY 1;

\echo -- as many partitions as there are
CREATE TABLE app.many (id integer PRIMARY KEY) PARTITION BY RANGE (id);
DO $$ BEGIN FOR i IN 1..400 LOOP EXECUTE format('CREATE TABLE app.many_%s PARTITION OF app.many FOR VALUES FROM (%s) TO (%s)', i, i, i + 1); END LOOP; END $$;
SELECT scim_audit.track('app.many');
SELECT always FROM scim_audit.tracked_tables WHERE table_name = 'app.many'::regclass;
INSERT INTO app.many SELECT generate_series(1, 400);
SELECT count(*) FROM scim_audit.events WHERE resource_type = 'app.many' AND event_type = 'table.insert';
SELECT count(*) FROM scim_audit.verify() WHERE message LIKE '%app.many%';
SELECT scim_audit.untrack('app.many');
DROP TABLE app.many;

\connect :home
DROP DATABASE regress_track;
DROP ROLE regress_track_owner, regress_track_other;
