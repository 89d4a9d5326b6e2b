-- Checkpoints: the log as a Merkle tree, signed outside, and proofs from it.
-- In a database of its own, because a tree is over all of the log.
\set VERBOSITY terse
\pset footer off
SET client_min_messages = warning;
\set home :DBNAME
CREATE DATABASE regress_checkpoint;
\connect regress_checkpoint
SET client_min_messages = warning;
CREATE EXTENSION scim_audit CASCADE;

-- RFC 6962 section 2.1, as it is written there.
CREATE FUNCTION mth(leaves bytea[]) RETURNS bytea LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
	n integer := cardinality(leaves);
	k integer := 1;
BEGIN
	IF n = 0 THEN
		RETURN sha256('');
	ELSIF n = 1 THEN
		RETURN leaves[1];
	END IF;
	WHILE k * 2 < n LOOP
		k := k * 2;
	END LOOP;
	RETURN sha256('\x01'::bytea || mth(leaves[1:k]) || mth(leaves[k + 1:n]));
END $$;
-- The leaves in the order of the tree: by checkpoint, chain, seq and n.
CREATE FUNCTION leaves() RETURNS bytea[] LANGUAGE sql AS $$
	SELECT coalesce(array_agg(e.leaf_hash ORDER BY p.first, s.seq, e.n), '{}') FROM scim_audit.checkpoint_spans p
	JOIN scim_audit.seals s ON s.chain = p.chain AND s.seq BETWEEN p.from_seq AND p.to_seq JOIN scim_audit.events e USING (tx_id)
	WHERE p.origin = scim_audit.log_origin()
$$;
-- A proof of inclusion (C2SP tlog-proof) checked by RFC 9162, section 2.1.3.2.
CREATE FUNCTION proves(proof text, leaf bytea) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
	lines text[] := string_to_array(proof, E'\n');
	blank integer := array_position(lines, '');
	fn bigint := split_part(lines[2], ' ', 2)::bigint;
	sn bigint := lines[blank + 2]::bigint - 1;
	r bytea := leaf;
	p bytea;
BEGIN
	IF lines[1] <> 'c2sp.org/tlog-proof@v1' OR fn > sn THEN
		RETURN false;
	END IF;
	FOR i IN 3 .. blank - 1 LOOP
		p := decode(lines[i], 'base64');
		IF sn = 0 THEN
			RETURN false;
		ELSIF fn & 1 = 1 OR fn = sn THEN
			r := sha256('\x01'::bytea || p || r);
			WHILE fn & 1 = 0 AND fn <> 0 LOOP
				fn := fn >> 1;
				sn := sn >> 1;
			END LOOP;
		ELSE
			r := sha256('\x01'::bytea || r || p);
		END IF;
		fn := fn >> 1;
		sn := sn >> 1;
	END LOOP;
	RETURN sn = 0 AND r = decode(lines[blank + 3], 'base64');
END $$;

\echo -- before the first
SELECT scim_audit.checkpoint_note();
SELECT scim_audit.published_checkpoint() IS NULL AS nothing_published, scim_audit.log_origin() IS NULL AS no_origin;
SELECT scim_audit.prove('00000000-0000-7000-8000-000000000000', 0);

\echo -- of an empty log, then of what was written
SELECT origin ~ '^log\.invalid/[0-9a-f-]{36}$' AS placeholder, size, root = mth('{}') AS root FROM scim_audit.checkpoint();
INSERT INTO scim.users (tenant, user_name) VALUES ('default', 'ann');
SELECT size, root = mth(leaves()) AS root FROM scim_audit.checkpoint();
\echo -- nothing new: the same, and nothing is written
CREATE TABLE before AS SELECT (SELECT count(*) FROM scim_audit.events) AS events, c.* FROM scim_audit.checkpoint() c;
SELECT c.* IS NOT DISTINCT FROM (b.origin, b.size, b.root, b.at) AS same, (SELECT count(*) FROM scim_audit.events) = b.events AS silent
	FROM before b, scim_audit.checkpoint() c;
SELECT partitions, heartbeat, size FROM scim_audit.maintain();
SELECT (SELECT count(*) FROM scim_audit.events) = events AS silent FROM before;

\echo -- it grows: many events in one transaction, many transactions, several tiles
INSERT INTO scim.users (tenant, user_name) SELECT 'default', 'u' || i FROM generate_series(1, 600) i;
SELECT size, root = mth(leaves()) AS root FROM scim_audit.checkpoint();
DO $$ BEGIN FOR i IN 1 .. 300 LOOP INSERT INTO scim.users (tenant, user_name) VALUES ('default', 'v' || i); COMMIT; END LOOP; END $$;
SELECT size, root = mth(leaves()) AS root FROM scim_audit.checkpoint();
SELECT level, index, length(hashes) / 32 AS width FROM scim_audit.tiles ORDER BY 1, 2;
SELECT t.level, t.index, bool_and(substr(t.hashes, i * 32 + 1, 32) = mth((leaves())[((t.index * 256 + i) * (256 ^ t.level) + 1)::integer : ((t.index * 256 + i + 1) * (256 ^ t.level))::integer])) AS as_leaves
	FROM scim_audit.tiles t, generate_series(0, length(t.hashes) / 32 - 1) i WHERE t.level > 0 GROUP BY 1, 2;
SELECT string_agg(hashes, '' ORDER BY index) = (SELECT string_agg(l, '' ORDER BY o) FROM unnest(leaves()) WITH ORDINALITY u (l, o)) AS leaves_in_tiles FROM scim_audit.tiles WHERE level = 0;
SELECT count(*) > 2 AS several, max(s.events) AS longest FROM (SELECT p.first, sum(s.events) AS events FROM scim_audit.checkpoint_spans p
	JOIN scim_audit.seals s ON s.chain = p.chain AND s.seq BETWEEN p.from_seq AND p.to_seq GROUP BY 1) s;

\echo -- a name and a key; what is signed is published
SELECT scim_audit.set_log_origin('two words');
SELECT scim_audit.set_log_origin('example.com/foo', '{example.com/foo+530d903a}');
SELECT scim_audit.set_log_origin('example.com/foo', '{example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k}');
SELECT scim_audit.set_log_origin('example.com/foo', '{example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k}');
SELECT scim_audit.set_log_origin('example.com/foo', '{example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k}');
SELECT size, root = mth(leaves()) AS root FROM scim_audit.checkpoint();
SELECT E'\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n' AS signature \gset
SELECT scim_audit.checkpoint_note() AS body \gset
SELECT string_to_array(:'body', E'\n') = ARRAY['example.com/foo', size::text, encode(root, 'base64'), ''] AS body FROM scim_audit.checkpoint();
SELECT scim_audit.prove(tx_id, n) FROM scim_audit.events WHERE event_type = 'user.create' ORDER BY tx_id, n LIMIT 1;
SELECT scim_audit.publish_checkpoint('nonsense');
SELECT scim_audit.publish_checkpoint(:'body');
SELECT scim_audit.publish_checkpoint(:'body' || replace(:'signature', 'foo Uw', 'foo Vw'));
SELECT scim_audit.publish_checkpoint(replace(:'body', 'foo', 'bar') || :'signature');
SELECT scim_audit.publish_checkpoint(regexp_replace(:'body', E'\n\\d+\n', E'\n7\n') || :'signature');
SELECT scim_audit.publish_checkpoint(regexp_replace(:'body', E'\n\\d+\n', E'\n999999\n') || :'signature');
SELECT scim_audit.publish_checkpoint(:'body' || E'an extension\n' || :'signature');
SELECT scim_audit.publish_checkpoint(:'body' || :'signature');
SELECT scim_audit.publish_checkpoint(:'body' || :'signature') AS news;
SELECT scim_audit.published_checkpoint() = :'body' || :'signature' AS published;

\echo -- every event of the tree has a proof; none proves another
SELECT count(*), bool_and(proves(p.proof, e.leaf_hash)) AS all_hold, bool_or(proves(p.proof, sha256(e.leaf_hash))) AS any_forged, count(DISTINCT split_part(p.proof, E'\n', 2)) AS places
	FROM scim_audit.events e, LATERAL (SELECT scim_audit.prove(e.tx_id, e.n) AS proof OFFSET 0) p
	WHERE e.event_type = 'user.create';
SELECT scim_audit.prove(tx_id, n) FROM scim_audit.events WHERE event_type = 'log.prove' ORDER BY tx_id DESC, n DESC LIMIT 1;
SELECT scim_audit.prove('00000000-0000-7000-8000-000000000000', 0);
SELECT cardinality(scim_audit.prove_consistency(0, 5)) AS none, cardinality(scim_audit.prove_consistency(5, 5)) AS same;
SELECT scim_audit.prove_consistency(6, 8) = ARRAY[mth(l[5:6]), mth(l[7:8]), mth(l[1:4])] AS rfc_9162 FROM leaves() l;
SELECT scim_audit.prove_consistency(8, 6);
SELECT scim_audit.prove_consistency(1, 999999);
SELECT event_type, action, count(*), max(detail ->> 'from') AS "from" FROM scim_audit.events WHERE event_type LIKE 'log.%' AND event_type <> 'log.verify' GROUP BY 1, 2 ORDER BY 1, 2;
BEGIN READ ONLY;
SELECT count(*) AS proved_without_a_trace FROM (SELECT scim_audit.prove(tx_id, n) FROM scim_audit.events WHERE event_type = 'user.create' ORDER BY tx_id, n LIMIT 1) p;
SELECT scim_audit.checkpoint();
ROLLBACK;

\echo -- tiles and entries by their paths
SELECT p, length(scim_audit.tile(p)) FROM unnest(ARRAY['tile/0/000', 'tile/0/001.p/7', 'tile/0/003.p/1', 'tile/0/003', 'tile/1/000.p/3', 'tile/1/000.p/4', 'tile/2/000', 'tile/0/0', 'checkpoint', '']) p;
CREATE FUNCTION bundle(b bytea) RETURNS SETOF bytea LANGUAGE plpgsql AS $$
DECLARE
	at integer := 0;
	len integer;
BEGIN
	WHILE at < length(b) LOOP
		len := get_byte(b, at) * 256 + get_byte(b, at + 1);
		RETURN NEXT substr(b, at + 3, len);
		at := at + 2 + len;
	END LOOP;
END $$;
SELECT n, count(*), bool_and(sha256('\x00'::bytea || b) = (leaves())[n * 256 + o]) AS leaves
	FROM generate_series(0, 2) n, LATERAL bundle(scim_audit.tile('tile/entries/00' || n)) WITH ORDINALITY u (b, o) GROUP BY 1 ORDER BY 1;
SELECT count(*) FROM bundle(scim_audit.tile('tile/entries/003.p/100'));

\echo -- kept elsewhere, compared with this log
SELECT * FROM scim_audit.verify_checkpoint(:'body' || :'signature');
SELECT * FROM scim_audit.verify_checkpoint(:'body');
SELECT rule, message FROM scim_audit.verify_checkpoint(regexp_replace(:'body', E'\n\\d+\n', E'\n7\n'));
SELECT rule, regexp_replace(message, '\d+ events', 'N events') AS message FROM scim_audit.verify_checkpoint(regexp_replace(:'body', E'\n\\d+\n', E'\n999999\n'));
SELECT rule, message FROM scim_audit.verify_checkpoint(replace(:'body', 'foo', 'bar'));
SELECT scim_audit.verify_checkpoint('nonsense');
SELECT scim_audit.verify_checkpoint(NULL);
SELECT * FROM scim_audit.verify();

\echo -- a silence
SET scim_audit.heartbeat = 1;
DO $$ BEGIN WHILE clock_timestamp() < scim_audit.latest_seal() + interval '1 second' LOOP PERFORM pg_sleep(0.05); END LOOP; END $$;
SELECT heartbeat FROM scim_audit.maintain();
SELECT heartbeat FROM scim_audit.maintain();
SELECT category, detail ->> 'every' AS every FROM scim_audit.events WHERE event_type = 'log.heartbeat';
SET scim_audit.heartbeat = 0;
SELECT heartbeat FROM scim_audit.maintain();
RESET scim_audit.heartbeat;

\echo -- a new origin after a restore, and where the database is another one
SELECT count(*) FROM scim_audit.restored();
SELECT origin, size > 900 AS whole, root = mth(leaves()) AS root FROM scim_audit.checkpoint();
SELECT scim_audit.publish_checkpoint(:'body' || :'signature');
SELECT scim_audit.set_log_origin('example.com/other');
SELECT scim_audit.set_log_origin('example.com/foo');
SELECT number, generation, regexp_replace(origin, '[0-9a-f-]{36}', 'UUID') AS origin, reason FROM scim_audit.log_origins ORDER BY 1;
SELECT scim_audit.checkpoint() IS NOT NULL AS made;
SELECT * FROM scim_audit.verify();

\echo -- who may
CREATE ROLE regress_94_auditor;
CREATE ROLE regress_94_admin;
CREATE ROLE regress_94_tenant;
SELECT scim.create_tenant('regress-94');
SELECT scim.grant_duty('regress_94_auditor', 'auditor', 'regress-94'), scim.grant_duty('regress_94_admin', 'audit_admin'), scim.grant_duty('regress_94_tenant', 'audit_admin', 'regress-94');
SET ROLE regress_94_admin;
SELECT heartbeat FROM scim_audit.maintain();
SELECT scim_audit.checkpoint_note() IS NOT NULL AS note;
SELECT scim_audit.prove('00000000-0000-7000-8000-000000000000', 0);
SET ROLE regress_94_tenant;
SELECT scim_audit.maintain();
SELECT scim_audit.set_log_origin('example.com/mine');
SET ROLE regress_94_auditor;
SELECT count(*) > 0 AS tiles FROM scim_audit.tiles;
SELECT length(scim_audit.tile('tile/0/000')), scim_audit.tile('tile/entries/000');
SELECT length(scim_audit.tile('tile/0/000'));
SELECT scim_audit.checkpoint();
RESET ROLE;
SELECT tx_id AS "of", n AS other FROM scim_audit.events WHERE event_type = 'user.create' ORDER BY 1, 2 LIMIT 1 \gset
SET ROLE regress_94_auditor;
SELECT scim_audit.prove(:'of', :other);
RESET ROLE;

\echo -- only by the extension
INSERT INTO scim_audit.checkpoints SELECT * FROM scim_audit.checkpoints;
UPDATE scim_audit.tiles SET hashes = '';
DELETE FROM scim_audit.checkpoint_notes;
TRUNCATE scim_audit.log_origins;
SELECT scim_audit.store(s) FROM scim_audit.seals s LIMIT 1;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT scim_audit.checkpoint();
ROLLBACK;
INSERT INTO scim.users (tenant, user_name) VALUES ('default', 'zoe');
BEGIN;
SELECT size > 0 AS made FROM scim_audit.checkpoint();
SELECT scim_audit.checkpoint_note();
ROLLBACK;

\connect :home
SET client_min_messages = warning;
ALTER DATABASE regress_checkpoint SET scim_audit.allow_drop = on;
DROP DATABASE regress_checkpoint;
DROP ROLE regress_94_auditor;
DROP ROLE regress_94_admin;
DROP ROLE regress_94_tenant;
