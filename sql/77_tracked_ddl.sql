-- DDL on audited tables: writing goes on, changes stay audited, verify() finds
-- nothing but what was tampered with.  In a database of its own, because
-- verify() looks at all of the log.
\set VERBOSITY terse
\pset footer off
SET client_min_messages = warning;
\set home :DBNAME
CREATE ROLE regress_ddl_owner;
CREATE DATABASE regress_ddl;
\connect regress_ddl
SET client_min_messages = warning;
CREATE EXTENSION scim_audit CASCADE;
GRANT USAGE ON SCHEMA scim_audit TO regress_ddl_owner;
GRANT EXECUTE ON FUNCTION scim_audit.track(regclass, name, name[], name[], name[], boolean, boolean), scim_audit.untrack(regclass) TO regress_ddl_owner;
CREATE SCHEMA app AUTHORIZATION regress_ddl_owner;
CREATE TABLE mark (at timestamptz);
INSERT INTO mark VALUES (clock_timestamp());
\set since 'SELECT category, action, event_type, resource_type AS table, resource_id AS id, changed, detail::jsonb - ''{application_name,config_before,config_after,config_added,config_removed}''::text[] AS detail FROM scim_audit.events, mark WHERE event_type <> ''log.verify'' AND events.at > mark.at ORDER BY tx_id, n \\; UPDATE mark SET at = clock_timestamp();'
\set whole 'SELECT rule, message FROM scim_audit.verify();'
-- That a row changed past the triggers is still found: one finding; then it is put right.
\set tamper 'SET scim_audit.restore = on \\; UPDATE :tbl SET :set WHERE :key \\; RESET scim_audit.restore \\; SELECT message FROM scim_audit.verify();'
\set mend 'SET scim_audit.restore = on \\; UPDATE :tbl SET :unset WHERE :key \\; RESET scim_audit.restore;'

SET ROLE regress_ddl_owner;
CREATE TABLE app.item (id integer PRIMARY KEY, tenant text, name text, cache text, secret text, amount numeric(10,2));
INSERT INTO app.item VALUES (1, 'a', 'one', 'c', 's', 1.50), (2, 'b', 'two', 'c', 's', NULL);
SELECT scim_audit.track('app.item', tenant_column => 'tenant', exclude => '{cache}', redact => '{secret}');
INSERT INTO app.item VALUES (3, 'a', 'three', 'c', NULL, 3);
RESET ROLE;
UPDATE mark SET at = clock_timestamp();

\echo -- a column added: nullable, with a constant default, with one that is computed for each row, generated
SET ROLE regress_ddl_owner;
ALTER TABLE app.item ADD COLUMN note text;
ALTER TABLE app.item ADD COLUMN state text NOT NULL DEFAULT E'new "\u00e9\t', ADD COLUMN flag boolean DEFAULT true, ADD COLUMN "Wei""rd =" date DEFAULT '2026-01-02';
RESET ROLE;
:since
:whole
INSERT INTO app.item (id, tenant, name) VALUES (4, 'a', 'four');
UPDATE app.item SET state = 'old' WHERE id = 1;
UPDATE app.item SET flag = NULL, id = 20 WHERE id = 2;
DELETE FROM app.item WHERE id = 3;
:since
:whole
\set tbl app.item
\set key 'id = 1'
\set set 'flag = false'
\set unset 'flag = true'
:tamper
:mend
ALTER TABLE app.item ADD COLUMN stamp integer GENERATED ALWAYS AS IDENTITY;
SELECT category, action, event_type, resource_id AS id, detail->'new'->'stamp' AS stamp FROM scim_audit.events, mark WHERE events.at > mark.at ORDER BY tx_id, n;
UPDATE mark SET at = clock_timestamp();
ALTER TABLE app.item ADD COLUMN twice numeric GENERATED ALWAYS AS (amount * 2) STORED;
SELECT count(*) FROM scim_audit.events, mark WHERE events.at > mark.at AND event_type = 'table.baseline';
UPDATE app.item SET amount = 5 WHERE id = 4;
:whole

\echo -- a column renamed: one that is logged, one excluded, one redacted, the tenant, the key
UPDATE mark SET at = clock_timestamp();
SET ROLE regress_ddl_owner;
ALTER TABLE app.item RENAME COLUMN name TO title;
ALTER TABLE app.item RENAME COLUMN cache TO buffer;
ALTER TABLE app.item RENAME COLUMN secret TO "the ""key""";
ALTER TABLE app.item RENAME COLUMN tenant TO customer;
ALTER TABLE app.item RENAME COLUMN id TO number;
RESET ROLE;
:since
SELECT tenant_column, key_columns, exclude, redact, always FROM scim_audit.tracked_tables WHERE table_name = 'app.item'::regclass;
UPDATE app.item SET title = 'uno', buffer = 'x', "the ""key""" = 't' WHERE number = 1;
UPDATE app.item SET buffer = 'y';
UPDATE app.item SET number = 5 WHERE number = 4;
INSERT INTO app.item (number, customer, title) VALUES (6, 'a', 'six');
SELECT tenant, resource_id, changed, detail->'old' AS old, detail->'new' AS new FROM scim_audit.events, mark WHERE events.at > mark.at ORDER BY tx_id, n;
:whole
\set key 'number = 1'
\set set 'title = ''x'''
\set unset 'title = ''uno'''
:tamper
:mend

\echo -- names that trade places
ALTER TABLE app.item RENAME COLUMN title TO tmp;
ALTER TABLE app.item RENAME COLUMN note TO title;
ALTER TABLE app.item RENAME COLUMN tmp TO note;
UPDATE app.item SET title = 'a title' WHERE number = 1;
:whole
\echo -- rolled back, or undone by a handler: neither change nor event
UPDATE mark SET at = clock_timestamp();
BEGIN;
ALTER TABLE app.item RENAME COLUMN note TO gone;
ALTER TABLE app.item ADD COLUMN more integer DEFAULT 3;
ROLLBACK;
DO $$ BEGIN
	BEGIN
		ALTER TABLE app.item RENAME COLUMN note TO gone;
		RAISE division_by_zero;
	EXCEPTION WHEN division_by_zero THEN NULL;
	END;
	ALTER TABLE app.item RENAME COLUMN note TO remark;
	UPDATE app.item SET remark = 'in the same transaction' WHERE number = 5;
END $$;
:since
:whole

\echo -- a column dropped: one that is logged, with another added in its name; one excluded; never key or tenant
ALTER TABLE app.item DROP COLUMN remark;
ALTER TABLE app.item ADD COLUMN remark integer DEFAULT 7;
UPDATE app.item SET remark = 8 WHERE number = 1;
ALTER TABLE app.item DROP COLUMN buffer, ADD COLUMN buffer text DEFAULT 'logged now';
ALTER TABLE app.item DROP COLUMN "the ""key""";
ALTER TABLE app.item DROP COLUMN customer;
ALTER TABLE app.item DROP COLUMN number;
SELECT tenant_column, key_columns, exclude, redact FROM scim_audit.tracked_tables WHERE table_name = 'app.item'::regclass;
INSERT INTO app.item (number, customer) VALUES (7, 'b');
:whole

\echo -- the type changed: the same text, another text, other values, a type that grows or changes
UPDATE mark SET at = clock_timestamp();
ALTER TABLE app.item ALTER COLUMN number TYPE bigint;
ALTER TABLE app.item ALTER COLUMN state TYPE varchar(100);
ALTER TABLE app.item ALTER COLUMN state SET DEFAULT 'newer', ALTER COLUMN state DROP NOT NULL;
SELECT event_type, detail->'retyped' AS retyped, detail->'added' AS added FROM scim_audit.events, mark WHERE events.at > mark.at ORDER BY tx_id, n;
:whole
UPDATE mark SET at = clock_timestamp();
ALTER TABLE app.item DROP COLUMN twice;
ALTER TABLE app.item ALTER COLUMN amount TYPE numeric(10,1);
ALTER TABLE app.item ALTER COLUMN amount TYPE text;
ALTER TABLE app.item ALTER COLUMN remark TYPE integer USING remark + 1;
SELECT action, event_type, count(*) FROM scim_audit.events, mark WHERE events.at > mark.at GROUP BY 1, 2 ORDER BY min(tx_id::text || n);
UPDATE app.item SET remark = 9 WHERE number = 1;
:whole
CREATE TYPE app.mood AS ENUM ('good', 'bad');
CREATE TYPE app.pair AS (a integer, b app.mood);
CREATE DOMAIN app.short AS text;
CREATE TABLE app.typed (id integer PRIMARY KEY, m app.mood, ms app.mood[], p app.pair, d app.short);
SELECT scim_audit.track('app.typed');
INSERT INTO app.typed VALUES (1, 'good', '{bad}', '(1,good)', 'x');
UPDATE mark SET at = clock_timestamp();
ALTER TYPE app.mood ADD VALUE 'fair';
ALTER DOMAIN app.short ADD CHECK (length(value) < 10);
SELECT count(*) FROM scim_audit.events, mark WHERE events.at > mark.at AND event_type = 'table.baseline';
ALTER TYPE app.mood RENAME VALUE 'good' TO 'fine';
SELECT resource_id, detail->'new' AS new FROM scim_audit.events, mark WHERE events.at > mark.at AND event_type = 'table.baseline';
:whole
DROP TYPE app.mood CASCADE;
UPDATE app.typed SET d = 'y';
:whole
DROP DOMAIN app.short CASCADE;
:whole
BEGIN ISOLATION LEVEL REPEATABLE READ;
ALTER TABLE app.typed ADD COLUMN s integer GENERATED ALWAYS AS IDENTITY;
ROLLBACK;
ALTER TABLE app.typed SET UNLOGGED;

\echo -- table renamed, moved to another schema, schema renamed, and another one takes its name
UPDATE mark SET at = clock_timestamp();
ALTER TABLE app.item RENAME TO thing;
CREATE SCHEMA elsewhere AUTHORIZATION regress_ddl_owner;
ALTER TABLE app.thing SET SCHEMA elsewhere;
ALTER SCHEMA elsewhere RENAME TO "else where";
:since
UPDATE "else where".thing SET remark = 10 WHERE number = 1;
:whole
CREATE TABLE app.item (number integer CONSTRAINT other_pkey PRIMARY KEY, remark integer);
SELECT scim_audit.track('app.item');
INSERT INTO app.item VALUES (1, 1), (2, 2);
UPDATE mark SET at = clock_timestamp();
ALTER TABLE app.item RENAME TO item_tmp;
ALTER TABLE "else where".thing SET SCHEMA app;
ALTER TABLE app.thing RENAME TO item;
ALTER TABLE app.item_tmp RENAME TO thing;
UPDATE app.thing SET remark = 3 WHERE number = 2;
UPDATE app.item SET remark = 11 WHERE number = 1;
SELECT resource_type, resource_id, detail->'new' AS new FROM scim_audit.events, mark WHERE category = 'change' AND events.at > mark.at ORDER BY tx_id, n;
:whole
\set tbl app.thing
\set set 'remark = 99'
\set unset 'remark = 1'
:tamper
:mend

\echo -- moved with its extension (one that any server has: it is given the table)
CREATE SCHEMA elsewhere;
CREATE EXTENSION citext SCHEMA app;
CREATE TABLE app.member (id integer PRIMARY KEY, v text);
ALTER EXTENSION citext ADD TABLE app.member;
SELECT scim_audit.track('app.member');
INSERT INTO app.member VALUES (1, 'a');
UPDATE mark SET at = clock_timestamp();
ALTER EXTENSION citext SET SCHEMA elsewhere;
:since
UPDATE elsewhere.member SET v = 'b';
:whole
ALTER EXTENSION citext DROP TABLE elsewhere.member;
DROP EXTENSION citext;
DROP TABLE elsewhere.member;

\echo -- a column with the row type of another table, of a view
CREATE TABLE app.line (a integer, b integer);
CREATE VIEW app.line_view AS SELECT 1 AS one;
CREATE TABLE app.holder (id integer PRIMARY KEY, l app.line, ls app.line[], v app.line_view);
SELECT scim_audit.track('app.holder');
INSERT INTO app.holder VALUES (1, ROW(1, 2), ARRAY[ROW(1, 2)::app.line], ROW(1));
UPDATE mark SET at = clock_timestamp();
ALTER TABLE app.line ADD COLUMN c integer;
:since
:whole
UPDATE app.holder SET l = ROW(1, 2, 3);
ALTER TABLE app.line RENAME COLUMN a TO aa;
ALTER TABLE app.line DROP COLUMN b;
CREATE OR REPLACE VIEW app.line_view AS SELECT 1 AS one, 2 AS two;
SELECT event_type, detail->'old'->>'l' AS old, detail->'new'->>'l' AS new, detail->'new'->>'v' AS v FROM scim_audit.events, mark WHERE resource_type = 'app.holder' AND events.at > mark.at ORDER BY tx_id, n;
:whole
DROP TABLE app.holder;

\echo -- primary key dropped; table and triggers with changes waiting for a deferred trigger
ALTER TABLE app.item DROP CONSTRAINT item_pkey;
UPDATE app.item SET remark = 12 WHERE number = 1;
CREATE TABLE app.late (id integer PRIMARY KEY, other integer REFERENCES app.late DEFERRABLE INITIALLY DEFERRED);
SELECT scim_audit.track('app.late');
BEGIN;
INSERT INTO app.late VALUES (1, 2), (2, 1);
ALTER TABLE app.late RENAME COLUMN id TO number;
INSERT INTO app.late VALUES (3, 1);
COMMIT;
:whole

\echo -- partitions made, attached, detached; what is gone must not be gone without a trace
CREATE TABLE app.part (day date, id integer, what text, old integer, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
ALTER TABLE app.part DROP COLUMN old;
SELECT scim_audit.track('app.part');
CREATE TABLE app.part_1 PARTITION OF app.part FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE app.part_2 (gone integer, what text, id integer NOT NULL, day date NOT NULL);
ALTER TABLE app.part_2 DROP COLUMN gone;
INSERT INTO app.part_2 VALUES ('b', 2, '2026-02-02');
INSERT INTO app.part VALUES ('2026-01-01', 1, 'a');
UPDATE mark SET at = clock_timestamp();
ALTER TABLE app.part ATTACH PARTITION app.part_2 FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
UPDATE app.part SET what = 'c' WHERE id = 2;
ALTER TABLE app.part RENAME COLUMN what TO words;
ALTER TABLE app.part ADD COLUMN more integer DEFAULT 5;
UPDATE app.part SET more = 6, words = 'd' WHERE id = 1;
ALTER TABLE app.part RENAME COLUMN id TO number;
UPDATE app.part SET more = 7 WHERE number = 1;
:since
:whole
DROP TABLE app.part_2;
TRUNCATE app.part;
INSERT INTO app.part VALUES ('2026-01-01', 1, 'a'), ('2026-02-01', 2, 'b');
UPDATE mark SET at = clock_timestamp();
ALTER TABLE app.part DETACH PARTITION app.part_2;
:since
DROP TABLE app.part_2;
ALTER TABLE app.part ADD COLUMN random uuid DEFAULT gen_random_uuid();
:whole

\echo -- inherited: a change of the parent reaches the child
CREATE TABLE app.parent (id integer, name text);
CREATE TABLE app.child (PRIMARY KEY (id)) INHERITS (app.parent);
SELECT scim_audit.track('app.child');
INSERT INTO app.child VALUES (1, 'x');
ALTER TABLE app.parent RENAME COLUMN name TO label;
ALTER TABLE app.parent ADD COLUMN size integer DEFAULT 4;
UPDATE app.parent SET label = 'y', size = 5;
:whole

\echo -- without a baseline, none is written
CREATE TABLE app.plain (id integer PRIMARY KEY);
INSERT INTO app.plain VALUES (1);
SELECT scim_audit.track('app.plain', baseline => false);
ALTER TABLE app.plain ADD COLUMN s integer GENERATED ALWAYS AS IDENTITY;
SELECT count(*) FROM scim_audit.events WHERE resource_type = 'app.plain' AND category = 'change';
:whole

\echo -- more columns in the SCIM tables
ALTER TABLE scim.users ADD COLUMN badge text, ADD COLUMN floor integer DEFAULT 1;
INSERT INTO scim.users (tenant, user_name, badge) VALUES ('default', 'anna', 'b');
ALTER TABLE scim.users RENAME COLUMN badge TO pass;
UPDATE scim.users SET pass = 'p', floor = 2;
ALTER TABLE scim.users DROP COLUMN pass;
ALTER TABLE scim.users ADD COLUMN stamp integer GENERATED ALWAYS AS IDENTITY;
:whole

\echo -- tables dropped: what the log holds of them stays, and it is whole
UPDATE mark SET at = clock_timestamp();
DROP TABLE app.late;
DROP TABLE app.part;
CREATE TABLE app.late (id integer PRIMARY KEY);
INSERT INTO app.late VALUES (1);
SELECT scim_audit.track('app.late');
DROP SCHEMA app, "else where" CASCADE;
SELECT action, event_type, resource_type, count(*) FROM scim_audit.events, mark WHERE events.at > mark.at AND category <> 'change' GROUP BY 1, 2, 3 ORDER BY min(tx_id::text), 3;
SELECT relation::regclass FROM scim_audit.table_shapes WHERE relation NOT IN (SELECT oid FROM pg_class WHERE relnamespace = 'scim'::regnamespace);
:whole

CREATE SCHEMA app;
CREATE TABLE app.late (id integer PRIMARY KEY);
GRANT USAGE ON SCHEMA app TO regress_ddl_owner;
SELECT scim_audit.track('app.late');
\echo -- a trigger disabled, enabled or dropped: the log says by whom, and verify() that changes may have passed
ALTER TABLE app.late OWNER TO regress_ddl_owner;
UPDATE mark SET at = clock_timestamp();
SET ROLE regress_ddl_owner;
ALTER TABLE app.late DISABLE TRIGGER scim_audit_row;
ALTER TABLE app.late ENABLE TRIGGER scim_audit_row;
ALTER TABLE app.late ENABLE ALWAYS TRIGGER scim_audit_row;
DROP TRIGGER scim_audit_truncate ON app.late;
RESET ROLE;
SELECT effective_role, category, action, event_type, resource_type, detail::jsonb - 'application_name' AS detail FROM scim_audit.events, mark WHERE events.at > mark.at ORDER BY tx_id, n;
SELECT always FROM scim_audit.tracked_tables WHERE table_name = 'app.late'::regclass;
SELECT count(*) > 0 AS found FROM scim_audit.verify() WHERE rule = 'config_changed';
SET ROLE regress_ddl_owner;
SELECT scim_audit.track('app.late', key_columns => '{id}');
RESET ROLE;
SELECT always FROM scim_audit.tracked_tables WHERE table_name = 'app.late'::regclass;

\connect :home
DROP DATABASE regress_ddl;
DROP ROLE regress_ddl_owner;
