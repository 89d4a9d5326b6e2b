-- Partitions of the log that somebody takes away, and an owner's own triggers
-- on audited tables that write audited tables.  In a database of its own,
-- because verify() looks at all of the log.
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
\set home :DBNAME
CREATE DATABASE regress_partitions;
\connect regress_partitions
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE EXTENSION scim_audit CASCADE;
CREATE TABLE item (id integer PRIMARY KEY, name text);
CREATE TABLE note (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, what text);
SELECT scim_audit.track('item'), scim_audit.track('note');
CREATE TABLE tx (name text, tx_id uuid, chain int, seq bigint);
-- Name the newest transaction of the log.
CREATE PROCEDURE name_it(name text) LANGUAGE sql AS
	$$ INSERT INTO tx SELECT $1, tx_id, chain, seq FROM scim_audit.seals ORDER BY at DESC, tx_id DESC LIMIT 1 $$;
-- What verify() finds: rule, seal, event.
CREATE VIEW finding AS SELECT v.rule, coalesce(s.name, '-') AS seal, coalesce(e.name, '-') || coalesce(':' || v.n, '') AS event
	FROM scim_audit.verify() v LEFT JOIN tx s ON s.chain = v.chain AND s.seq = v.seq LEFT JOIN tx e ON e.tx_id = v.tx_id
	ORDER BY v.rule COLLATE "C", s.name, v.tx_id, v.n;
CREATE FUNCTION partition_of(tx text) RETURNS text STABLE LANGUAGE sql AS
	$$ SELECT tableoid::regclass::text FROM scim_audit.events WHERE tx_id = (SELECT tx_id FROM tx WHERE name = $1) $$;
CREATE PROCEDURE run(statement text, part text) LANGUAGE plpgsql AS $$ BEGIN EXECUTE format(statement, part); END $$;
INSERT INTO item VALUES (1, 'one');
CALL name_it('A');
INSERT INTO item VALUES (2, 'two');
CALL name_it('B');
SELECT partition_of('A') AS part \gset
SELECT * FROM finding;

\echo -- while the log may not be dropped: refused, whoever asks, and the log goes on
CREATE ROLE regress_partition_owner SUPERUSER;
SET ROLE regress_partition_owner;
CALL run('DROP TABLE %s', :'part');
CALL run('ALTER TABLE scim_audit.events DETACH PARTITION %s', :'part');
ALTER TABLE scim_audit.events DETACH PARTITION :part CONCURRENTLY;
CALL run('ALTER TABLE %s NO INHERIT scim_audit.events', :'part');
CALL run('TRUNCATE %s', :'part');
CALL run('ALTER TABLE %s RENAME TO hidden', :'part');
SELECT partition_of('A') AS part \gset
RESET ROLE;
INSERT INTO item VALUES (3, 'three');
CALL name_it('C');
SELECT count(*) FROM scim_audit.events WHERE resource_type = 'public.item';
SELECT * FROM finding;

\echo -- detached by somebody who said so: the next write makes its own partition, verify() names each event that is gone
SET scim_audit.allow_drop = on;
ALTER TABLE scim_audit.events DETACH PARTITION :part;
RESET scim_audit.allow_drop;
INSERT INTO item VALUES (4, 'four');
CALL name_it('D');
UPDATE item SET name = 'vier' WHERE id = 4;
SELECT count(*) FROM scim_audit.events WHERE resource_type = 'public.item';
SELECT * FROM finding;
\echo -- it cannot come back beside the new one; a superuser puts the two together, with both settings
CALL run('ALTER TABLE scim_audit.events ATTACH PARTITION %s FOR VALUES FROM (MINVALUE) TO (MAXVALUE)', :'part');
BEGIN;
SET LOCAL scim_audit.allow_drop = on;
SET LOCAL scim_audit.restore = on;
CREATE TEMP TABLE later AS SELECT * FROM scim_audit.events WHERE tableoid = partition_of('D')::regclass;
CREATE TEMP TABLE bounds AS SELECT pg_get_expr(relpartbound, oid) AS bound FROM pg_class WHERE oid = partition_of('D')::regclass;
CALL run('DROP TABLE %s', partition_of('D'));
DO $$ BEGIN EXECUTE 'ALTER TABLE scim_audit.events ATTACH PARTITION scim_audit.hidden ' || (SELECT bound FROM bounds); END $$;
INSERT INTO scim_audit.events SELECT * FROM later;
COMMIT;
SELECT count(*) FROM scim_audit.events WHERE resource_type = 'public.item';
SELECT * FROM finding;

\echo -- dropped by somebody who said so
SET scim_audit.allow_drop = on;
CALL run('DROP TABLE %s', partition_of('A'));
RESET scim_audit.allow_drop;
INSERT INTO item VALUES (5, 'five');
CALL name_it('E');
SELECT array_agg(resource_id) FROM scim_audit.events WHERE resource_type = 'public.item';
SELECT * FROM finding;
SELECT scim_audit.ensure_partitions() AS made;

\echo -- BEFORE triggers of the owner that write audited tables, this one and others: each change one event, no event twice
CREATE TABLE mark (at timestamptz);
INSERT INTO mark VALUES (clock_timestamp());
CREATE VIEW since AS SELECT resource_type, action, resource_id, n, detail->'new' AS new FROM scim_audit.events, mark
	WHERE category = 'change' AND events.at > mark.at ORDER BY tx_id, n;
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO note (what) VALUES (tg_op || ' ' || tg_when || ' ' || tg_level);
	IF tg_level = 'STATEMENT' THEN
		RETURN NULL;
	END IF;
	IF tg_op = 'INSERT' AND new.id < 100 THEN
		INSERT INTO item VALUES (new.id + 100, 'of ' || new.id);
	END IF;
	RETURN new;
END $$;
CREATE TRIGGER a_row BEFORE INSERT OR UPDATE ON item FOR EACH ROW EXECUTE FUNCTION note();
CREATE TRIGGER a_truncate BEFORE TRUNCATE ON item FOR EACH STATEMENT EXECUTE FUNCTION note();
CREATE TRIGGER z_truncate AFTER TRUNCATE ON item FOR EACH STATEMENT EXECUTE FUNCTION note();
INSERT INTO item VALUES (10, 'ten');
UPDATE item SET name = 'zehn' WHERE id = 10;
SELECT * FROM since;
SELECT rule, count(*) FROM scim_audit.verify() WHERE rule NOT IN ('event_missing', 'row_mismatch') GROUP BY 1;
UPDATE mark SET at = clock_timestamp();
TRUNCATE item;
SELECT * FROM since;
\echo -- a BEFORE TRUNCATE trigger that writes the table that is being emptied: the row goes, its event comes first
CREATE FUNCTION last_words() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO item VALUES (1000, 'last'); RETURN NULL; END $$;
CREATE TRIGGER a_words BEFORE TRUNCATE ON item FOR EACH STATEMENT EXECUTE FUNCTION last_words();
UPDATE mark SET at = clock_timestamp();
TRUNCATE item;
SELECT * FROM since;
SELECT count(*) FROM item;
\echo -- one that empties another audited table
DROP TRIGGER a_words ON item;
CREATE OR REPLACE FUNCTION last_words() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN TRUNCATE note; RETURN NULL; END $$;
CREATE TRIGGER b_words BEFORE TRUNCATE ON item FOR EACH STATEMENT EXECUTE FUNCTION last_words();
UPDATE mark SET at = clock_timestamp();
TRUNCATE item;
SELECT * FROM since;
\echo -- one that fails takes all with it
CREATE OR REPLACE FUNCTION last_words() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
UPDATE mark SET at = clock_timestamp();
TRUNCATE item;
SELECT * FROM since;
SELECT count(*) AS lost FROM scim_audit.seals s WHERE s.at > (SELECT at FROM scim_audit.seals JOIN tx USING (tx_id) WHERE name = 'E') AND s.events <> (SELECT count(*) FROM scim_audit.events e WHERE e.tx_id = s.tx_id);
SELECT rule, count(*) FROM scim_audit.verify() WHERE rule NOT IN ('event_missing', 'row_mismatch') GROUP BY 1;

\connect :home
DROP DATABASE regress_partitions;
DROP ROLE regress_partition_owner;
