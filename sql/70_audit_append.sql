-- Every way of writing to an audited table leaves its events, linked and sealed.
\set VERBOSITY terse
SET client_min_messages = warning;

CREATE SCHEMA regress_append;
SET search_path = regress_append;

-- What this test wrote, transactions numbered in order.
CREATE VIEW log AS
	SELECT pg_catalog.dense_rank() OVER (ORDER BY tx_id) AS tx, n, event_type, resource_id AS id, changed,
		detail::jsonb - '{application_name,client_addr}'::text[] AS detail
	FROM scim_audit.events WHERE resource_type LIKE 'regress\_append.%' AND category = 'change';

-- The links of the whole log; no row is right.  (verify() does much more.)
CREATE VIEW broken AS
	SELECT 'prev_hash' AS what, tx_id, n::bigint FROM (
		SELECT tx_id, n, prev_hash, pg_catalog.lag(leaf_hash) OVER w AS before, pg_catalog.row_number() OVER w AS i
		FROM scim_audit.events WINDOW w AS (PARTITION BY tx_id ORDER BY n)) e
	WHERE n <> i - 1 OR prev_hash <> coalesce(before, pg_catalog.decode(repeat('00', 32), 'hex'))
	UNION ALL
	SELECT 'seal of events', coalesce(s.tx_id, e.tx_id), s.seq FROM scim_audit.seals s
	FULL JOIN (SELECT DISTINCT ON (tx_id) tx_id, n + 1 AS events, leaf_hash FROM scim_audit.events
		ORDER BY tx_id, n DESC) e USING (tx_id)
	WHERE (s.events, s.last_leaf) IS DISTINCT FROM (e.events, e.leaf_hash)
	UNION ALL
	SELECT 'chain', tx_id, seq FROM (
		SELECT tx_id, seq, prev_hash, at, pg_catalog.lag(hash) OVER w AS before, pg_catalog.lag(at) OVER w AS earlier,
			pg_catalog.row_number() OVER w AS i
		FROM scim_audit.seals WINDOW w AS (PARTITION BY chain ORDER BY seq)) s
	WHERE seq <> i OR at < earlier OR prev_hash <> coalesce(before, pg_catalog.decode(repeat('00', 32), 'hex'));

CREATE TABLE item (
	id integer PRIMARY KEY,
	tenant text,
	name text,
	price numeric,
	note text,
	secret text
);
CREATE TRIGGER scim_audit_row AFTER INSERT OR UPDATE OR DELETE ON item FOR EACH ROW
	EXECUTE FUNCTION scim_audit.record_change('tenant=tenant', 'exclude=note', 'redact=secret');
CREATE TRIGGER scim_audit_truncate AFTER TRUNCATE ON item FOR EACH STATEMENT
	EXECUTE FUNCTION scim_audit.record_truncate('tenant=tenant', 'exclude=note', 'redact=secret');
ALTER TABLE item ENABLE ALWAYS TRIGGER scim_audit_row;

-- Insert, update, delete: what is in detail, and what is not.
INSERT INTO item VALUES (1, 'acme', 'say "hi"' || chr(10), 12.50, 'not in the log', 'hush');
UPDATE item SET name = 'bye', price = NULL WHERE id = 1;
UPDATE item SET secret = 'changed' WHERE id = 1;
DELETE FROM item WHERE id = 1;
SELECT * FROM log ORDER BY tx, n;
SELECT DISTINCT tenant, category, action, outcome, actor_type, origin, status, request_id, method, resource_type,
	actor = session_user AS actor, session_role = session_user AS session_role,
	effective_role = current_user AS effective_role, length(detail_salt) AS salt,
	abs(extract(epoch FROM clock_timestamp() - at)) < 600 AS recent,
	substr(tx_id::text, 15, 1) AS version
FROM scim_audit.events WHERE resource_type = 'regress_append.item' ORDER BY action;
SELECT count(*) AS holds_the_secret FROM log WHERE detail::text ~ 'hush|not in the log';

-- An update that changes nothing, or only what is excluded, is no event.
CREATE FUNCTION events() RETURNS bigint LANGUAGE sql AS
	'SELECT count(*) FROM scim_audit.events WHERE resource_type LIKE ''regress\_append.%''';
INSERT INTO item VALUES (2, 'acme', 'two', 2.0, 'a', 'x');
SELECT events() AS before \gset
UPDATE item SET name = name, note = 'b';
SELECT events() - :before AS new_events;
-- Values that are equal to an operator and differ are a change.
UPDATE item SET price = 2.00;
SELECT changed, detail FROM log WHERE tx = (SELECT max(tx) FROM log);

-- Savepoints: what is rolled back leaves nothing, what stays is linked.
BEGIN;
INSERT INTO item(id) VALUES (10);
SAVEPOINT a;
INSERT INTO item(id) VALUES (11);
SAVEPOINT b;
INSERT INTO item(id) VALUES (12);
ROLLBACK TO b;
INSERT INTO item(id) VALUES (13);
RELEASE a;
SAVEPOINT c;
INSERT INTO item(id) VALUES (14);
ROLLBACK TO c;
INSERT INTO item(id) VALUES (15);
RELEASE c;
SAVEPOINT d;
SAVEPOINT e;
INSERT INTO item(id) VALUES (16);
RELEASE d;
INSERT INTO item(id) VALUES (17);
COMMIT;
SELECT n, id FROM log WHERE tx = (SELECT max(tx) FROM log) ORDER BY n;

-- Everything in one rolled-back subtransaction: no event, no seal.
SELECT count(*) AS seals FROM scim_audit.seals \gset
BEGIN;
SAVEPOINT a;
INSERT INTO item(id) VALUES (20);
ROLLBACK TO a;
COMMIT;
BEGIN;
INSERT INTO item(id) VALUES (21);
ROLLBACK;
SELECT count(*) - :seals AS new_seals FROM scim_audit.seals;

-- Exception blocks, one inside the other, in a loop.
DO $$
BEGIN
	FOR i IN 30..34 LOOP
		BEGIN
			INSERT INTO item(id) VALUES (i);
			BEGIN
				INSERT INTO item(id) VALUES (i + 100);
				IF i % 2 = 0 THEN RAISE unique_violation; END IF;
			EXCEPTION WHEN unique_violation THEN NULL;
			END;
			IF i = 33 THEN RAISE division_by_zero; END IF;
		EXCEPTION WHEN division_by_zero THEN NULL;
		END;
	END LOOP;
END $$;
SELECT n, id FROM log WHERE tx = (SELECT max(tx) FROM log) ORDER BY n;

-- An error at the end of the transaction takes event and seal with it.
CREATE FUNCTION fail_late() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'late'; END$$;
CREATE CONSTRAINT TRIGGER late AFTER INSERT ON item DEFERRABLE INITIALLY DEFERRED
	FOR EACH ROW WHEN (NEW.id = 40) EXECUTE FUNCTION fail_late();
SELECT count(*) AS seals FROM scim_audit.seals \gset
INSERT INTO item(id) VALUES (40);
SELECT count(*) - :seals AS new_seals FROM scim_audit.seals;

-- A deferred trigger that writes at commit is in the transaction's events.
CREATE FUNCTION write_late() RETURNS trigger LANGUAGE plpgsql AS
	$$BEGIN INSERT INTO regress_append.item(id) VALUES (NEW.id + 1); RETURN NULL; END$$;
CREATE CONSTRAINT TRIGGER more AFTER INSERT ON item DEFERRABLE INITIALLY DEFERRED
	FOR EACH ROW WHEN (NEW.id IN (41, 42)) EXECUTE FUNCTION write_late();
INSERT INTO item(id) VALUES (41);
SELECT n, id FROM log WHERE tx = (SELECT max(tx) FROM log) ORDER BY n;

-- A procedure that commits: a transaction, and a seal, each time.
CREATE PROCEDURE commits() LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 50..52 LOOP
		INSERT INTO regress_append.item(id) VALUES (i);
		IF i = 51 THEN ROLLBACK; ELSE COMMIT; END IF;
	END LOOP;
END $$;
CALL commits();
SELECT n, id FROM log WHERE id IN ('50', '51', '52') ORDER BY id;

-- Many rows at once: COPY, INSERT … SELECT, ON CONFLICT, MERGE, TRUNCATE.
TRUNCATE item;
COPY item(id, name) FROM stdin;
60	copied
61	too
\.
INSERT INTO item(id, name) VALUES (61, 'again'), (62, 'new') ON CONFLICT (id) DO UPDATE SET name = excluded.name;
MERGE INTO item i USING (VALUES (62, 'merged'), (63, 'inserted')) v(id, name) ON i.id = v.id
	WHEN MATCHED THEN UPDATE SET name = v.name WHEN NOT MATCHED THEN INSERT (id, name) VALUES (v.id, v.name);
SELECT event_type, id, detail FROM log WHERE tx > (SELECT max(tx) FROM log) - 4 ORDER BY tx, n;

-- Cascades, and replication's setting.
CREATE TABLE part (id integer PRIMARY KEY, item integer REFERENCES item ON DELETE CASCADE ON UPDATE CASCADE);
CREATE TRIGGER scim_audit_row AFTER INSERT OR UPDATE OR DELETE ON part FOR EACH ROW
	EXECUTE FUNCTION scim_audit.record_change();
INSERT INTO part VALUES (1, 60), (2, 60);
UPDATE item SET id = 65 WHERE id = 60;
DELETE FROM item WHERE id = 65;
SET session_replication_role = replica;
INSERT INTO item(id) VALUES (66);
RESET session_replication_role;
SELECT event_type, id, detail FROM log WHERE tx > (SELECT max(tx) FROM log) - 3 ORDER BY tx, n;

-- What a session claims stands beside what the server knows.
CREATE ROLE regress_append_writer;
GRANT USAGE ON SCHEMA regress_append TO regress_append_writer;
GRANT SELECT, INSERT ON item TO regress_append_writer;
CREATE FUNCTION definer(integer) RETURNS void LANGUAGE sql SECURITY DEFINER AS
	'INSERT INTO regress_append.item(id) VALUES ($1)';
SET ROLE regress_append_writer;
SET scim_audit.actor = 'mallory';
SET scim_audit.on_behalf_of = 'bob';
SET scim_audit.reason = 'a "reason"';
SET scim_audit.ticket = 'T-1';
INSERT INTO item(id) VALUES (70);
SELECT definer(71);
RESET ROLE;
SELECT resource_id, actor, session_role = session_user AS session_role, effective_role,
	detail::jsonb - '{application_name,client_addr,new}'::text[] AS claims
FROM scim_audit.events WHERE resource_type = 'regress_append.item' AND resource_id IN ('70', '71') ORDER BY resource_id;
RESET scim_audit.actor; RESET scim_audit.on_behalf_of; RESET scim_audit.reason; RESET scim_audit.ticket;
DO $$
BEGIN
	PERFORM set_config('scim_audit.reason', repeat('x', 1025), false);
EXCEPTION WHEN invalid_parameter_value THEN
	RAISE WARNING 'a claim of 1025 bytes is refused';
END $$;

-- Keys: none, composite, chosen, too long.
CREATE TABLE keyless (a integer);
CREATE TABLE composite (a integer, b text, PRIMARY KEY (b, a));
CREATE TABLE chosen (a integer PRIMARY KEY, b timestamptz, c text);
CREATE TRIGGER r AFTER INSERT ON keyless FOR EACH ROW EXECUTE FUNCTION scim_audit.record_change();
CREATE TRIGGER r AFTER INSERT ON composite FOR EACH ROW EXECUTE FUNCTION scim_audit.record_change();
CREATE TRIGGER r AFTER INSERT ON chosen FOR EACH ROW EXECUTE FUNCTION scim_audit.record_change('key=b');
INSERT INTO keyless VALUES (1);
INSERT INTO composite VALUES (1, 'x "y"');
INSERT INTO chosen VALUES (1, '2026-01-02 03:04:05.67+09', 'c');
CREATE TABLE long_key (id text PRIMARY KEY);
CREATE TRIGGER r AFTER INSERT ON long_key FOR EACH ROW EXECUTE FUNCTION scim_audit.record_change();
INSERT INTO long_key VALUES (repeat('x', 1024)), (repeat('x', 1025));
SELECT replace(id, repeat('x', 1024), '1024 x') AS id FROM log WHERE tx > (SELECT max(tx) FROM log) - 4 ORDER BY tx, n;

-- Arguments that make no sense.
CREATE TABLE wrong (a integer);
CREATE TRIGGER r AFTER INSERT ON wrong FOR EACH ROW EXECUTE FUNCTION scim_audit.record_change('tenant=nowhere');
INSERT INTO wrong VALUES (1);
CREATE OR REPLACE TRIGGER r AFTER INSERT ON wrong FOR EACH ROW EXECUTE FUNCTION scim_audit.record_change('exlude=a');
INSERT INTO wrong VALUES (1);
CREATE OR REPLACE TRIGGER r AFTER INSERT ON wrong FOR EACH ROW EXECUTE FUNCTION scim_audit.record_change('resource=Robot');
INSERT INTO wrong VALUES (1);
CREATE OR REPLACE TRIGGER r AFTER INSERT ON wrong FOR EACH ROW EXECUTE FUNCTION scim_audit.record_change('link=members');
INSERT INTO wrong VALUES (1);
CREATE OR REPLACE TRIGGER r BEFORE INSERT ON wrong FOR EACH ROW EXECUTE FUNCTION scim_audit.record_change();
INSERT INTO wrong VALUES (1);
CREATE OR REPLACE TRIGGER r AFTER INSERT ON wrong FOR EACH STATEMENT EXECUTE FUNCTION scim_audit.record_truncate();
INSERT INTO wrong VALUES (1);
SELECT count(*) FROM wrong;

-- One rendering, whatever the session's settings.
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE TYPE pair AS (a integer, b timestamptz);
CREATE DOMAIN code AS text;
CREATE TABLE types (
	id integer PRIMARY KEY, i2 smallint, i8 bigint, f4 real, f8 double precision, n numeric, b boolean, c char(3),
	t text, d code, m mood, u uuid, bin bytea, ts timestamp, tz timestamptz, da date, ti time, tt timetz,
	iv interval, mo money, ip inet, x xml, j json, jb jsonb, a integer[], at timestamptz[], a2 text[], p pair, r tstzrange,
	o regclass, bi bit(3), pt point
);
-- A server may be built without XML.
DO $$ BEGIN
	PERFORM '<a/>'::text::xml;
EXCEPTION WHEN feature_not_supported THEN
	ALTER TABLE types ALTER COLUMN x TYPE text;
END $$;
CREATE TRIGGER r AFTER INSERT ON types FOR EACH ROW EXECUTE FUNCTION scim_audit.record_change();
PREPARE fill(integer) AS INSERT INTO types VALUES ($1, -1, 9223372036854775807, 0.1::real, 1e-300, 1.10, true, 'x',
	E'tab\t é \x7f', 'd', 'happy', '00000000-0000-7000-8000-00000000000a', '\x00ff', '2026-01-02 03:04:05.6',
	'2026-01-02 03:04:05.6+00', '2026-01-02', '03:04:05', '03:04:05+02', '1 year 2 days 03:04:05', 12::numeric::money,
	'192.0.2.1', '<a b="c"/>', '{"a" : 1.0}', '{"a" : 1.0}', '{1,NULL,3}', ARRAY['2026-01-02 03:04:05.6+00'::timestamptz],
	'{{a,b},{c,d}}', ROW(1, '2026-01-02 03:04:05.6+00'), tstzrange('2026-01-02 00:00+00', NULL), 'regress_append.item',
	'101', '(0.1,2)');
EXECUTE fill(1);
SET datestyle = 'German, DMY'; SET timezone = 'Asia/Kathmandu'; SET intervalstyle = 'sql_standard';
SET extra_float_digits = -10; SET bytea_output = 'escape'; SET xmlbinary = hex; SET xmloption = content;
SET search_path = pg_temp, regress_append;
EXECUTE fill(2);
SELECT count(DISTINCT detail::jsonb #- '{new,id}') AS renderings,
	bool_and((detail->'new')::jsonb = scim_audit.row_values('regress_append.types', stored)::jsonb) AS row_values
FROM scim_audit.events e JOIN regress_append.types stored ON e.resource_id = stored.id::text
WHERE resource_type = 'regress_append.types';
RESET datestyle; RESET timezone; RESET intervalstyle; RESET extra_float_digits; RESET bytea_output; RESET xmlbinary;
SET search_path = regress_append;
SELECT key, value FROM scim_audit.events, json_each(detail->'new')
WHERE resource_type = 'regress_append.types' AND resource_id = '1';

-- Values that JSON or jsonb has no place for.
CREATE TABLE odd (id integer PRIMARY KEY, f8 double precision, n numeric, tz timestamptz, ts timestamp, da date, j json, a integer[]);
CREATE TRIGGER r AFTER INSERT ON odd FOR EACH ROW EXECUTE FUNCTION scim_audit.record_change();
INSERT INTO odd VALUES
	(1, 'NaN', 'NaN', 'infinity', '-infinity', 'infinity', '"\u0000"', '{}'),
	(2, '-Infinity', '-Infinity', '0044-03-15 12:00:00+00 BC', '0044-03-15 12:00:00 BC', '0044-03-15 BC', '"\ud800"', '[0:1]={1,2}'),
	(3, '-0', 1e100, '294276-12-31 23:59:59.999999+00', '294276-12-31 23:59:59', '5874897-12-31', '1e400000', NULL),
	(4, 1e22, 0.000, '2026-01-01 00:00:60+00', NULL, NULL, '[1e5, -1.5E+10, true, "x\"y"]', NULL);
SELECT resource_id, detail->'new' FROM scim_audit.events WHERE resource_type = 'regress_append.odd' ORDER BY n;
SELECT count(detail::jsonb) AS cast_to_jsonb FROM scim_audit.events WHERE resource_type = 'regress_append.odd';

-- A value too long for the log is there as its digest; TOASTed columns compare.
INSERT INTO item(id, name, note) VALUES (80, repeat('y', 1048577), repeat('z', 100000));
UPDATE item SET price = 1 WHERE id = 80;
UPDATE item SET name = repeat('y', 1048576) WHERE id = 80;
SELECT event_type, changed, detail->'old'->>'name' AS old, length(detail->'new'->>'name') AS new
FROM log WHERE id = '80' ORDER BY tx;
SELECT detail->'new'->>'name' = format('[sha256 %s, 1048577 bytes]', encode(sha256(convert_to(repeat('y', 1048577), 'UTF8')), 'hex')) AS digest
FROM log WHERE id = '80' AND event_type = 'table.insert';

-- Columns come and go.
ALTER TABLE composite ADD COLUMN c integer DEFAULT 5;
INSERT INTO composite VALUES (2, 'added');
ALTER TABLE composite DROP COLUMN c;
ALTER TABLE composite RENAME COLUMN a TO a2;
INSERT INTO composite VALUES (3, 'renamed');
SELECT id, detail FROM log WHERE tx > (SELECT max(tx) FROM log) - 2 ORDER BY tx;

-- A partitioned table is one table to the log; a row that moves is deleted and inserted.
CREATE TABLE parted (id integer PRIMARY KEY, v text) PARTITION BY RANGE (id);
CREATE TRIGGER r AFTER INSERT OR UPDATE OR DELETE ON parted FOR EACH ROW EXECUTE FUNCTION scim_audit.record_change();
CREATE TABLE parted_low PARTITION OF parted FOR VALUES FROM (0) TO (10);
CREATE TABLE parted_high PARTITION OF parted FOR VALUES FROM (10) TO (20);
INSERT INTO parted VALUES (1, 'a');
UPDATE parted SET id = 11;
SELECT DISTINCT resource_type FROM scim_audit.events WHERE resource_type LIKE 'regress\_append.parted%';
SELECT event_type, id, detail FROM log WHERE tx > (SELECT max(tx) FROM log) - 2 ORDER BY tx, n;

-- A read-only transaction writes no event, so it cannot write at all.
BEGIN READ ONLY;
INSERT INTO item(id) VALUES (90);
ROLLBACK;
-- A prepared transaction would keep its chain locked.
BEGIN;
INSERT INTO item(id) VALUES (91);
PREPARE TRANSACTION 'regress_append';
SELECT count(*) FROM item WHERE id = 91;

-- Serializable and repeatable read see the head that is, not the one that was.
BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) > 0 FROM scim_audit.seals; INSERT INTO item(id) VALUES (92); COMMIT;
BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT count(*) > 0 FROM scim_audit.seals; INSERT INTO item(id) VALUES (93); COMMIT;

SELECT * FROM broken;

DROP SCHEMA regress_append CASCADE;
DROP ROLE regress_append_writer;
