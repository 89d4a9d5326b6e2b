-- What a superuser can do to the log and to its checkpoints with the guards
-- off, and what verify() says of each.  In a database of its own.
\set VERBOSITY terse
\pset footer off
SET client_min_messages = warning;
\set home :DBNAME
CREATE DATABASE regress_checkpoint_tamper;
\connect regress_checkpoint_tamper
SET client_min_messages = warning;
CREATE EXTENSION scim_audit CASCADE;
SELECT scim_audit.set_log_origin('example.com/foo', '{example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k}');
SELECT E'\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n' AS signature \gset

-- Four checkpoints, the third of them signed; the log, by seals: origin, A, checkpoint, B, checkpoint, C, checkpoint, publish, D, checkpoint.
CREATE TABLE item (id integer PRIMARY KEY, name text);
BEGIN;
SELECT scim_audit.log_event('admin', 'test', 'test.a', NULL, NULL, NULL, NULL) FROM generate_series(1, 3);
COMMIT;
SELECT size FROM scim_audit.checkpoint();
SELECT count(scim_audit.log_event('admin', 'test', 'test.b', NULL, NULL, NULL, NULL)::text) FROM generate_series(1, 300);
SELECT size FROM scim_audit.checkpoint();
SELECT scim_audit.log_event('admin', 'test', 'test.c', NULL, NULL, NULL, NULL);
SELECT size FROM scim_audit.checkpoint();
SELECT scim_audit.checkpoint_note() || :'signature' AS note \gset
SELECT scim_audit.publish_checkpoint(:'note');
SELECT scim_audit.log_event('admin', 'test', 'test.d', NULL, NULL, NULL, NULL);
SELECT size FROM scim_audit.checkpoint();
SELECT * FROM scim_audit.verify();

CREATE TABLE tx AS SELECT upper(right(min(e.event_type), 1)) AS name, e.tx_id FROM scim_audit.events e WHERE e.event_type LIKE 'test.%' GROUP BY 2
	UNION ALL SELECT 'K' || c.size, e.tx_id FROM scim_audit.events e JOIN scim_audit.checkpoints c ON c.size::text = e.detail ->> 'size' WHERE e.action = 'checkpoint';
CREATE FUNCTION tx(text) RETURNS uuid STABLE LANGUAGE sql AS 'SELECT tx_id FROM tx WHERE name = $1';
ALTER EVENT TRIGGER scim_audit_schema_end DISABLE;
DO $$
DECLARE
	tbl text;
BEGIN
	FOREACH tbl IN ARRAY ARRAY['events', 'seals', 'log_origins', 'log_keys', 'checkpoints', 'checkpoint_spans', 'tiles', 'checkpoint_notes'] LOOP
		EXECUTE format('ALTER TABLE scim_audit.%I DISABLE TRIGGER guard_row', tbl);
	END LOOP;
END $$;

-- Findings as "rule SEAL EVENT": the seal by its transaction, the event by transaction and n.
CREATE FUNCTION findings(statement text, note text DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	found text;
BEGIN
	EXECUTE statement;
	found := (
		SELECT string_agg(concat_ws(' ', v.rule,
			coalesce((SELECT t.name FROM scim_audit.seals s JOIN tx t USING (tx_id) WHERE s.chain = v.chain AND s.seq = v.seq), CASE WHEN v.seq IS NOT NULL THEN '?' ELSE '-' END),
			coalesce((SELECT t.name FROM tx t WHERE t.tx_id = v.tx_id), CASE WHEN v.tx_id IS NULL THEN '-' ELSE '?' END) || coalesce(':' || v.n, '')), ', ' ORDER BY v.rule, v.seq, v.tx_id, v.n)
		FROM (SELECT * FROM scim_audit.verify() WHERE note IS NULL UNION ALL SELECT c.* FROM (SELECT note WHERE note IS NOT NULL) n, scim_audit.verify_checkpoint(n.note) c) v);
	RAISE EXCEPTION USING ERRCODE = 'RGRSS';
EXCEPTION WHEN SQLSTATE 'RGRSS' THEN
	RETURN found;
END $$;

-- What a forger would do: an event altered, and all hashes that follow from it made anew.
CREATE FUNCTION entry(e scim_audit.events) RETURNS text LANGUAGE sql STABLE AS $$
	SELECT '{"v":1,"tx_id":"' || e.tx_id || '","n":' || e.n
		|| ',"at":"' || to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || '"'
		|| ',"category":' || to_json(e.category) || ',"action":' || to_json(e.action)
		|| ',"event_type":' || to_json(e.event_type) || ',"outcome":' || to_json(e.outcome)
		|| coalesce(',"actor":' || to_json(e.actor), '') || coalesce(',"actor_type":' || to_json(e.actor_type), '')
		|| ',"session_role":' || to_json(e.session_role) || ',"effective_role":' || to_json(e.effective_role) || ',"origin":' || to_json(e.origin)
		|| coalesce(',"detail_hash":"' || encode(e.detail_hash, 'hex') || '"', '') || ',"prev_hash":"' || encode(e.prev_hash, 'hex') || '"}'
$$;
CREATE FUNCTION rehash() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	e scim_audit.events;
	s scim_audit.seals;
	leaf bytea;
BEGIN
	FOR e IN SELECT * FROM scim_audit.events ORDER BY tx_id, n LOOP
		e.prev_hash := CASE WHEN e.n = 0 THEN decode(repeat('00', 32), 'hex') ELSE leaf END;
		leaf := sha256('\x00'::bytea || convert_to(entry(e), 'UTF8'));
		UPDATE scim_audit.events SET prev_hash = e.prev_hash, leaf_hash = leaf WHERE tx_id = e.tx_id AND n = e.n AND leaf_hash <> leaf;
		UPDATE scim_audit.seals SET last_leaf = leaf WHERE tx_id = e.tx_id AND e.n = events - 1;
	END LOOP;
	FOR s IN SELECT * FROM scim_audit.seals ORDER BY chain, seq LOOP
		UPDATE scim_audit.seals u SET prev_hash = coalesce((SELECT p.hash FROM scim_audit.seals p WHERE p.chain = u.chain AND p.seq = u.seq - 1), decode(repeat('00', 32), 'hex'))
			WHERE u.chain = s.chain AND u.seq = s.seq;
		UPDATE scim_audit.seals u SET hash = sha256('\x02'::bytea || convert_to('{"v":1,"chain":' || u.chain || ',"seq":' || u.seq || ',"tx_id":"' || u.tx_id
			|| '","at":"' || to_char(u.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || '","events":' || u.events
			|| ',"last_leaf":"' || encode(u.last_leaf, 'hex') || '","config_hash":"' || encode(u.config_hash, 'hex')
			|| '","prev_hash":"' || encode(u.prev_hash, 'hex') || '"}', 'UTF8')) WHERE u.chain = s.chain AND u.seq = s.seq;
	END LOOP;
END $$;
CREATE FUNCTION retree() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM scim_audit.checkpoints;
	DELETE FROM scim_audit.checkpoint_spans;
	DELETE FROM scim_audit.tiles;
	PERFORM scim_audit.checkpoint();
END $$;

\echo -- untouched, and made anew as it was
SELECT findings('SELECT');
SELECT findings('SELECT rehash()');

\echo -- each with what it must find
CREATE TABLE tamper (place serial, name text, statement text, expected text);
INSERT INTO tamper (name, statement, expected) VALUES
	('root of a checkpoint', 'UPDATE scim_audit.checkpoints SET root = sha256('''') WHERE size = (SELECT min(size) FROM scim_audit.checkpoints)', 'checkpoint_mismatch - -'),
	('root of the newest', 'UPDATE scim_audit.checkpoints SET root = sha256('''') WHERE size = (SELECT max(size) FROM scim_audit.checkpoints)', 'checkpoint_mismatch - -'),
	('root of the signed one', 'UPDATE scim_audit.checkpoints SET root = sha256('''') WHERE size = (SELECT size FROM scim_audit.checkpoint_notes)', 'checkpoint_mismatch - -'),
	('root, too short', 'UPDATE scim_audit.checkpoints SET root = ''\x00'' WHERE size = (SELECT min(size) FROM scim_audit.checkpoints)', 'checkpoint_mismatch - -'),
	('a leaf in a tile', 'UPDATE scim_audit.tiles SET hashes = overlay(hashes PLACING sha256('''') FROM 1) WHERE level = 0 AND index = 0', 'checkpoint_tile - -'),
	('the last leaf in a tile', 'UPDATE scim_audit.tiles SET hashes = overlay(hashes PLACING sha256('''') FROM length(hashes) - 31) WHERE level = 0 AND index = 1', 'checkpoint_tile - -'),
	('two leaves in one tile', 'UPDATE scim_audit.tiles SET hashes = overlay(hashes PLACING sha256('''') || sha256(''x'') FROM 65) WHERE level = 0 AND index = 0', 'checkpoint_tile - -'),
	('a hash in a tile above', 'UPDATE scim_audit.tiles SET hashes = sha256('''') WHERE level = 1', 'checkpoint_tile - -'),
	('a tile cut short', 'UPDATE scim_audit.tiles SET hashes = substr(hashes, 1, 64) WHERE level = 0 AND index = 0', 'checkpoint_tile - -'),
	('a tile removed', 'DELETE FROM scim_audit.tiles WHERE level = 0 AND index = 1', 'checkpoint_tile - -'),
	('a tile above removed', 'DELETE FROM scim_audit.tiles WHERE level = 1', 'checkpoint_tile - -'),
	('a checkpoint removed', 'DELETE FROM scim_audit.checkpoints WHERE size = (SELECT min(size) FROM scim_audit.checkpoints)', 'checkpoint_missing - K5:0'),
	('the signed checkpoint removed', 'DELETE FROM scim_audit.checkpoints WHERE size = (SELECT size FROM scim_audit.checkpoint_notes)', 'checkpoint_missing - K308:0, checkpoint_missing - -'),
	('a note of another root', 'UPDATE scim_audit.checkpoint_notes SET note = replace(note, E''\n308\n'', E''\n308\nA'')', 'checkpoint_missing - -'),
	('where leaves come from', 'UPDATE scim_audit.checkpoint_spans SET to_seq = to_seq - 1 WHERE first = 5', 'checkpoint_place K5 -'),
	('the newest seals and their events cut off', 'DELETE FROM scim_audit.events e USING scim_audit.seals s WHERE s.tx_id = e.tx_id AND s.seq >= (SELECT seq FROM scim_audit.seals WHERE tx_id = tx(''D'')); DELETE FROM scim_audit.seals WHERE seq >= (SELECT seq FROM scim_audit.seals WHERE tx_id = tx(''D''))', 'checkpoint_rewound ? -'),
	('events of a transaction removed', 'DELETE FROM scim_audit.events WHERE tx_id = tx(''A'')', 'event_missing A A:0'),
	('an event altered', 'UPDATE scim_audit.events SET actor = ''x'' WHERE tx_id = tx(''C'')', 'entry_mismatch C C:0'),
	('a leaf_hash altered', 'UPDATE scim_audit.events SET leaf_hash = sha256('''') WHERE tx_id = tx(''C'')', 'checkpoint_mismatch C C:0, entry_mismatch C C:0'),
	('an event replaced, all that follows made anew', 'UPDATE scim_audit.events SET actor = ''x'' WHERE tx_id = tx(''C''); SELECT rehash()', 'checkpoint_mismatch C C:0, checkpoint_seal C C'),
	('one of several', 'UPDATE scim_audit.events SET actor = ''x'' WHERE tx_id = tx(''A'') AND n = 1; SELECT rehash()', 'checkpoint_mismatch A A:1, checkpoint_mismatch A A:2, checkpoint_seal A A'),
	('with its tile', 'UPDATE scim_audit.events SET actor = ''x'' WHERE tx_id = tx(''C''); SELECT rehash(); UPDATE scim_audit.tiles SET hashes = overlay(hashes PLACING (SELECT leaf_hash FROM scim_audit.events WHERE tx_id = tx(''C'')) FROM (306 - 256) * 32 + 1) WHERE level = 0 AND index = 1', 'checkpoint_mismatch - -, checkpoint_seal C C'),
	('and a tree made anew', 'UPDATE scim_audit.events SET actor = ''x'' WHERE tx_id = tx(''C''); SELECT rehash(); SELECT retree()', 'checkpoint_missing - K5:0, checkpoint_missing - K306:0, checkpoint_missing - K308:0, checkpoint_missing - K311:0, checkpoint_missing - -'),
	('nothing left of checkpoints', 'DELETE FROM scim_audit.checkpoints; DELETE FROM scim_audit.checkpoint_spans; DELETE FROM scim_audit.tiles; DELETE FROM scim_audit.checkpoint_notes; DELETE FROM scim_audit.log_origins', 'checkpoint_missing - K5:0, checkpoint_missing - K306:0, checkpoint_missing - K308:0, checkpoint_missing - K311:0');
SELECT t.name, f.findings, f.findings IS NOT DISTINCT FROM t.expected AS as_expected FROM tamper t, LATERAL findings(t.statement) AS f (findings) ORDER BY t.place;

\echo -- the whole log rewritten, with every trace of a checkpoint: only what was kept elsewhere tells
CREATE FUNCTION forge() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	UPDATE scim_audit.events SET actor = 'x' WHERE tx_id = tx('C');
	UPDATE scim_audit.events SET event_type = 'test.x', action = 'x' WHERE event_type = 'log.checkpoint';
	DELETE FROM scim_audit.checkpoint_notes;
	PERFORM rehash();
	PERFORM retree();
END $$;
SELECT findings('SELECT forge()');
SELECT findings('SELECT', :'note');
SELECT findings('SELECT forge()', :'note');
SELECT findings('DELETE FROM scim_audit.checkpoints WHERE size > 300', :'note');
SELECT findings('DELETE FROM scim_audit.checkpoints; DELETE FROM scim_audit.log_origins', :'note');

\echo -- a proof from what was altered is refused
BEGIN;
UPDATE scim_audit.events SET leaf_hash = sha256('') WHERE tx_id = tx('C');
SELECT scim_audit.prove(tx('C'), 0);
ROLLBACK;
BEGIN;
UPDATE scim_audit.tiles SET hashes = overlay(hashes PLACING sha256('') FROM 1) WHERE level = 0 AND index = 0;
SELECT scim_audit.prove(tx('A'), 1);
ROLLBACK;

\echo -- and nothing of all this is left
SELECT findings('SELECT');
\connect :home
SET client_min_messages = warning;
ALTER DATABASE regress_checkpoint_tamper SET scim_audit.allow_drop = on;
DROP DATABASE regress_checkpoint_tamper;
