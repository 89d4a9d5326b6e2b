-- What a superuser can do to the log with the guards off, and what verify()
-- says of each.  In a database of its own, because it looks at all of the log.
\set VERBOSITY terse
\pset footer off
SET client_min_messages = warning;
\set home :DBNAME
CREATE DATABASE regress_tamper;
\connect regress_tamper
SET client_min_messages = warning;
CREATE EXTENSION scim_audit CASCADE;
CREATE TABLE item (id integer PRIMARY KEY, name text, price numeric);

-- The log: five transactions, A to E, in the order of their seals.
BEGIN;
SELECT scim_audit.track('item', baseline => false);						-- A:0
TRUNCATE item;															-- A:1
INSERT INTO scim.tenants (tenant) VALUES ('t');							-- A:2
COMMIT;
BEGIN;
INSERT INTO scim.users (tenant, user_name) VALUES ('t', 'ann');			-- B:0
INSERT INTO scim.users (tenant, user_name) VALUES ('t', 'bob');			-- B:1
INSERT INTO scim.groups (tenant, display_name) VALUES ('t', 'staff');	-- B:2
INSERT INTO scim.group_members (tenant, group_id, member_type, member_id)
	SELECT g.tenant, g.id, 'User', u.id FROM scim.groups g JOIN scim.users u ON u.user_name = 'ann';	-- B:3
COMMIT;
UPDATE scim.users SET title = 'Head' WHERE user_name = 'ann';			-- C:0
BEGIN;
INSERT INTO item VALUES (1, 'one', 1.50), (2, 'two', 2);				-- D:0, D:1
UPDATE item SET price = 3 WHERE id = 1;									-- D:2
UPDATE item SET id = 20 WHERE id = 2;									-- D:3
COMMIT;
DELETE FROM scim.users WHERE user_name = 'bob';							-- E:0
SELECT * FROM scim_audit.verify();

CREATE TABLE tx AS SELECT chr(64 + row_number() OVER (ORDER BY seq)::integer) AS name, tx_id, chain, seq FROM scim_audit.seals ORDER BY seq LIMIT 5;
CREATE FUNCTION tx(text) RETURNS uuid STABLE LANGUAGE sql AS 'SELECT tx_id FROM tx WHERE name = $1';
-- From here on the log does not grow: verify() in the function below is
-- rolled back with what was tampered with.
-- Without the event triggers, or the log would tell of this.
ALTER EVENT TRIGGER scim_audit_schema_end DISABLE;
ALTER TABLE scim_audit.events DISABLE TRIGGER guard_row;
ALTER TABLE scim_audit.seals DISABLE TRIGGER guard_row;
ALTER TABLE scim.users DISABLE TRIGGER scim_audit_row;
ALTER TABLE scim.users DISABLE TRIGGER scim_audit_truncate;
ALTER TABLE scim.group_members DISABLE TRIGGER scim_audit_row;
ALTER TABLE item DISABLE TRIGGER scim_audit_row;

-- Findings as "rule SEAL EVENT": the seal by the transaction it is the seal of
-- (or its distance from the last one), the event by transaction and n.
CREATE FUNCTION findings(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	found text;
BEGIN
	EXECUTE statement;
	found := (
		SELECT string_agg(concat_ws(' ', v.rule,
			coalesce((SELECT s.name FROM tx s WHERE s.chain = v.chain AND s.seq = v.seq), (SELECT '+' || v.seq - max(s.seq) FROM tx s WHERE s.chain = v.chain HAVING count(*) > 0), 'chain ' || v.chain, '-'),
			coalesce((SELECT e.name FROM tx e WHERE e.tx_id = v.tx_id), CASE WHEN v.tx_id IS NULL THEN '-' ELSE '?' END) || coalesce(':' || v.n, '')), ', ' ORDER BY v.rule, v.seq, v.tx_id, v.n)
		FROM scim_audit.verify() v);
	RAISE EXCEPTION USING ERRCODE = 'RGRSS';
EXCEPTION WHEN SQLSTATE 'RGRSS' THEN
	RETURN found;
END $$;

-- An event with hashes as a forger would compute them: the entry is the log's
-- own (docs/audit-log.md), here of the columns that the forged events have.
CREATE FUNCTION entry(e scim_audit.events) RETURNS text LANGUAGE sql STABLE AS $$
	SELECT '{"v":1,"tx_id":"' || e.tx_id || '","n":' || e.n
		|| ',"at":"' || to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || '"'
		|| coalesce(',"tenant":' || to_json(e.tenant), '') || ',"category":' || to_json(e.category) || ',"action":' || to_json(e.action)
		|| ',"event_type":' || to_json(e.event_type) || ',"outcome":' || to_json(e.outcome)
		|| coalesce(',"status":' || e.status, '') || coalesce(',"scim_type":' || to_json(e.scim_type), '')
		|| coalesce(',"actor":' || to_json(e.actor), '') || coalesce(',"actor_type":' || to_json(e.actor_type), '')
		|| coalesce(',"credential":' || to_json(e.credential), '')
		|| ',"session_role":' || to_json(e.session_role) || ',"effective_role":' || to_json(e.effective_role) || ',"origin":' || to_json(e.origin)
		|| coalesce(',"resource_type":' || to_json(e.resource_type), '') || coalesce(',"resource_id":' || to_json(e.resource_id), '')
		|| coalesce(',"changed":' || to_json(e.changed), '') || coalesce(',"request_id":"' || e.request_id || '"', '')
		|| coalesce(',"method":' || to_json(e.method), '')
		|| coalesce(',"detail_hash":"' || encode(e.detail_hash, 'hex') || '"', '') || ',"prev_hash":"' || encode(e.prev_hash, 'hex') || '"}'
$$;
CREATE FUNCTION leaf(e scim_audit.events) RETURNS bytea LANGUAGE sql STABLE AS $$ SELECT sha256('\x00'::bytea || convert_to(entry(e), 'UTF8')) $$;
CREATE FUNCTION seal_hash(s scim_audit.seals) RETURNS bytea LANGUAGE sql STABLE AS $$
	SELECT sha256('\x02'::bytea || convert_to('{"v":1,"chain":' || s.chain || ',"seq":' || s.seq || ',"tx_id":"' || s.tx_id
		|| '","at":"' || to_char(s.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || '","events":' || s.events
		|| ',"last_leaf":"' || encode(s.last_leaf, 'hex') || '","config_hash":"' || encode(s.config_hash, 'hex')
		|| '","prev_hash":"' || encode(s.prev_hash, 'hex') || '"}', 'UTF8')) $$;
SELECT bool_and(leaf(e) = leaf_hash) AS entries_agree FROM scim_audit.events e;
SELECT bool_and(seal_hash(s) = hash) AS seals_agree FROM scim_audit.seals s;

\echo -- untouched, but for the trigger states, under which nothing was sealed
SELECT findings('SELECT');

\echo -- each column of an event: one finding, at that event
SELECT v.name AS column_altered, f.findings, f.findings = 'entry_mismatch B B:1' AS as_expected
FROM (VALUES ('at', 'at + interval ''1 microsecond'''), ('tenant', '''x'''), ('tenant', 'NULL'), ('category', '''admin'''),
	('action', '''update'''), ('event_type', '''user.update'''), ('outcome', '''failure'''), ('status', '0'), ('status', '200'),
	('scim_type', '''uniqueness'''), ('actor', '''x'''), ('actor', 'NULL'), ('actor_type', '''client'''), ('credential', '''1234'''),
	('session_role', '''x'''), ('effective_role', '''x'''), ('origin', '''scim'''), ('resource_type', '''Group'''), ('resource_type', '''x'''),
	('resource_id', '''x'''), ('resource_id', '(SELECT id FROM scim.users WHERE user_name = ''ann'')'), ('changed', '''{}'''), ('changed', '''{userName}'''), ('changed', '''{{a},{b}}'''),
	('request_id', 'tx_id'), ('method', '''POST'''), ('method', ''''''), ('detail_hash', 'sha256('''')'), ('detail_hash', 'NULL'),
	('detail_hash', 'NULL, detail = NULL, detail_salt = NULL'), ('prev_hash', 'sha256('''')'), ('prev_hash', '''\x00'''), ('leaf_hash', 'sha256('''')'), ('leaf_hash', '''\x00''')) v (name, value),
	LATERAL findings(format('UPDATE scim_audit.events SET %s = %s WHERE tx_id = tx(''B'') AND n = 1', v.name, v.value)) AS f (findings);

\echo -- what else: each with what it must find
CREATE TABLE tamper (place serial, name text, statement text, expected text);
INSERT INTO tamper (name, statement, expected) VALUES
	('first event of several', 'UPDATE scim_audit.events SET actor = ''x'' WHERE tx_id = tx(''B'') AND n = 0', 'entry_mismatch B B:0'),
	('last event of several', 'UPDATE scim_audit.events SET actor = ''x'' WHERE tx_id = tx(''B'') AND n = 3', 'entry_mismatch B B:3'),
	('only event', 'UPDATE scim_audit.events SET actor = ''x'' WHERE tx_id = tx(''C'')', 'entry_mismatch C C:0'),
	('a membership put to another group', 'UPDATE scim_audit.events SET resource_id = ''x'' WHERE tx_id = tx(''B'') AND n = 3', 'entry_mismatch B B:3'),
	('a TRUNCATE made another action', 'UPDATE scim_audit.events SET action = ''insert'' WHERE tx_id = tx(''A'') AND n = 1', 'entry_mismatch A A:1'),
	('detail', 'UPDATE scim_audit.events SET detail = ''{"new":{"userName":"eve"}}'' WHERE tx_id = tx(''B'') AND n = 1', 'detail_mismatch B B:1'),
	('detail, one space more', 'UPDATE scim_audit.events SET detail = (detail::text || '' '')::json WHERE tx_id = tx(''C'')', 'detail_mismatch C C:0'),
	('detail_salt', 'UPDATE scim_audit.events SET detail_salt = ''\x00112233445566778899aabbccddeeff'' WHERE tx_id = tx(''C'')', 'detail_mismatch C C:0'),
	('detail_salt, short', 'UPDATE scim_audit.events SET detail_salt = ''\x00'' WHERE tx_id = tx(''C'')', 'detail_mismatch C C:0'),
	('detail_salt gone', 'UPDATE scim_audit.events SET detail_salt = NULL WHERE tx_id = tx(''C'')', 'detail_mismatch C C:0'),
	('detail gone', 'UPDATE scim_audit.events SET detail = NULL WHERE tx_id = tx(''C'')', 'detail_mismatch C C:0'),
	('detail and salt gone', 'UPDATE scim_audit.events SET detail = NULL, detail_salt = NULL WHERE tx_id = tx(''C'')', 'erased_unrecorded C C:0'),
	('event altered, leaf made anew', 'UPDATE scim_audit.events SET actor = ''x'' WHERE tx_id = tx(''B'') AND n = 1; UPDATE scim_audit.events e SET leaf_hash = leaf(e) WHERE tx_id = tx(''B'') AND n = 1', 'prev_mismatch B B:2'),
	('the same, of another resource', 'UPDATE scim_audit.events SET resource_id = ''x'' WHERE tx_id = tx(''B'') AND n = 1; UPDATE scim_audit.events e SET leaf_hash = leaf(e) WHERE tx_id = tx(''B'') AND n = 1', 'prev_mismatch B B:2'),
	('last event altered, leaf made anew', 'UPDATE scim_audit.events SET actor = ''x'' WHERE tx_id = tx(''C''); UPDATE scim_audit.events e SET leaf_hash = leaf(e) WHERE tx_id = tx(''C'')', 'seal_mismatch C C:0'),
	('event altered, all leaves after it made anew', 'UPDATE scim_audit.events SET actor = ''x'' WHERE tx_id = tx(''B'') AND n = 2; UPDATE scim_audit.events e SET leaf_hash = leaf(e) WHERE tx_id = tx(''B'') AND n = 2; UPDATE scim_audit.events SET prev_hash = (SELECT leaf_hash FROM scim_audit.events WHERE tx_id = tx(''B'') AND n = 2) WHERE tx_id = tx(''B'') AND n = 3; UPDATE scim_audit.events e SET leaf_hash = leaf(e) WHERE tx_id = tx(''B'') AND n = 3', 'seal_mismatch B B:3'),
	('two events altered', 'UPDATE scim_audit.events SET actor = ''x'' WHERE tx_id = tx(''B'') AND n IN (0, 2)', 'entry_mismatch B B:0, entry_mismatch B B:2'),
	('the number of an event gone', 'DO $$DECLARE c record; BEGIN FOR c IN SELECT conrelid::regclass AS t, conname FROM pg_constraint WHERE contype = ''p'' AND conrelid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = ''scim_audit.events''::regclass) LOOP EXECUTE format(''ALTER TABLE %s DROP CONSTRAINT %I'', c.t, c.conname); END LOOP; END$$; ALTER TABLE scim_audit.events ALTER n DROP NOT NULL; UPDATE scim_audit.events SET n = NULL WHERE tx_id = tx(''C'')', 'entry_mismatch C C:0'),
	('event removed', 'DELETE FROM scim_audit.events WHERE tx_id = tx(''B'') AND n = 2', 'event_missing B B:2, row_mismatch - -'),
	('first event removed', 'DELETE FROM scim_audit.events WHERE tx_id = tx(''B'') AND n = 0', 'event_missing B B:0, row_mismatch - C:0'),
	('last event removed', 'DELETE FROM scim_audit.events WHERE tx_id = tx(''B'') AND n = 3', 'event_missing B B:3, row_mismatch - -'),
	('a login''s title removed', 'DELETE FROM scim_audit.events WHERE tx_id = tx(''C'')', 'event_missing C C:0, row_mismatch - B:0'),
	('all events of a transaction removed', 'DELETE FROM scim_audit.events WHERE tx_id = tx(''E'')', 'event_missing E E:0, row_mismatch - B:1'),
	('event removed, those after it moved up', 'DELETE FROM scim_audit.events WHERE tx_id = tx(''B'') AND n = 2; UPDATE scim_audit.events SET n = 2 WHERE tx_id = tx(''B'') AND n = 3', 'entry_mismatch B B:2, event_missing B B:3'),
	('two events change places', 'UPDATE scim_audit.events SET n = -n - 1 WHERE tx_id = tx(''B'') AND n IN (0, 1); UPDATE scim_audit.events SET n = 2 + n WHERE tx_id = tx(''B'') AND n < 0', 'entry_mismatch B B:0, entry_mismatch B B:1'),
	('event moved to another transaction', 'UPDATE scim_audit.events SET tx_id = tx(''C''), n = 1 WHERE tx_id = tx(''B'') AND n = 3', 'event_extra C C:1, event_missing B B:3'),
	('event moved to a transaction of its own', 'UPDATE scim_audit.events SET tx_id = (SELECT max(tx_id::text) FROM tx)::uuid, n = 7 WHERE tx_id = tx(''B'') AND n = 3', 'event_extra E E:7, event_missing B B:3'),
	('event moved to another tenant', 'UPDATE scim_audit.events SET tenant = ''default'' WHERE tx_id = tx(''B'') AND n = 0', 'entry_mismatch B B:0'),
	('event added, leaf and all', 'INSERT INTO scim_audit.events SELECT (e).* FROM (SELECT jsonb_populate_record(e, jsonb_build_object(''n'', 1, ''prev_hash'', e.leaf_hash)) AS e FROM scim_audit.events e WHERE tx_id = tx(''C'')) x; UPDATE scim_audit.events e SET leaf_hash = leaf(e) WHERE tx_id = tx(''C'') AND n = 1', 'event_extra C C:1'),
	('transaction added', 'INSERT INTO scim_audit.events SELECT (jsonb_populate_record(e, jsonb_build_object(''tx_id'', overlay(tx_id::text placing ''eeee'' from 33)))).* FROM scim_audit.events e WHERE tx_id = tx(''C''); UPDATE scim_audit.events e SET leaf_hash = leaf(e) WHERE tx_id::text LIKE ''%eeee''', 'event_unsealed - ?:0'),
	('seal: chain', 'UPDATE scim_audit.seals SET chain = 99 WHERE tx_id = tx(''E'')', 'seal_gap chain 99 -, seal_gap E -, seal_mismatch chain 99 E'),
	('seal: seq', 'UPDATE scim_audit.seals SET seq = seq + 1000 WHERE tx_id = tx(''E'')', 'seal_gap E -, seal_gap +2 -, seal_mismatch +1000 E'),
	('seal: tx_id', 'UPDATE scim_audit.seals SET tx_id = ''00000000-0000-7000-8000-000000000000'' WHERE tx_id = tx(''C'')', 'event_unsealed - C:0, seal_mismatch C ?'),
	('seal: at', 'UPDATE scim_audit.seals SET at = at + interval ''1 microsecond'' WHERE tx_id = tx(''C'')', 'seal_mismatch C C'),
	('seal: events', 'UPDATE scim_audit.seals SET events = 3 WHERE tx_id = tx(''B'')', 'seal_mismatch B B'),
	('seal: last_leaf', 'UPDATE scim_audit.seals SET last_leaf = sha256('''') WHERE tx_id = tx(''C'')', 'seal_mismatch C C'),
	('seal: config_hash', 'UPDATE scim_audit.seals SET config_hash = sha256('''') WHERE tx_id = tx(''C'')', 'seal_mismatch C C'),
	('seal: prev_hash', 'UPDATE scim_audit.seals SET prev_hash = sha256('''') WHERE tx_id = tx(''C'')', 'seal_mismatch C C'),
	('seal: hash', 'UPDATE scim_audit.seals SET hash = sha256('''') WHERE tx_id = tx(''C'')', 'seal_mismatch C C'),
	('seal: hash of the last one', 'UPDATE scim_audit.seals SET hash = sha256('''') WHERE tx_id = tx(''E'')', 'seal_mismatch E E'),
	('seal altered, hash made anew', 'UPDATE scim_audit.seals SET at = at + interval ''1 microsecond'' WHERE tx_id = tx(''C''); UPDATE scim_audit.seals s SET hash = seal_hash(s) WHERE tx_id = tx(''C'')', 'seal_mismatch D D'),
	('seal set back in time, hash made anew', 'UPDATE scim_audit.seals SET at = ''2001-01-01'' WHERE tx_id = tx(''C''); UPDATE scim_audit.seals s SET hash = seal_hash(s) WHERE tx_id = tx(''C'')', 'seal_mismatch D D, seal_time C C'),
	('configuration altered, hash made anew', 'UPDATE scim_audit.seals SET config_hash = sha256('''') WHERE tx_id = tx(''C''); UPDATE scim_audit.seals s SET hash = seal_hash(s) WHERE tx_id = tx(''C'')', 'config_changed C C, seal_mismatch D D'),
	('event and seal altered, all hashes made anew', 'UPDATE scim_audit.events SET actor = ''x'' WHERE tx_id = tx(''C''); UPDATE scim_audit.events e SET leaf_hash = leaf(e) WHERE tx_id = tx(''C''); UPDATE scim_audit.seals SET last_leaf = (SELECT leaf_hash FROM scim_audit.events WHERE tx_id = tx(''C'')) WHERE tx_id = tx(''C''); UPDATE scim_audit.seals s SET hash = seal_hash(s) WHERE tx_id = tx(''C'')', 'seal_mismatch D D'),
	('first seal removed', 'DELETE FROM scim_audit.seals WHERE tx_id = tx(''A'')', 'event_unsealed - A:0, seal_gap A -'),
	('seal removed', 'DELETE FROM scim_audit.seals WHERE tx_id = tx(''C'')', 'event_unsealed - C:0, seal_gap C -'),
	('transaction and seal removed', 'DELETE FROM scim_audit.seals WHERE tx_id = tx(''C''); DELETE FROM scim_audit.events WHERE tx_id = tx(''C'')', 'row_mismatch - B:0, seal_gap C -'),
	('transaction sealed twice', 'INSERT INTO scim_audit.seals SELECT (jsonb_populate_record(s, jsonb_build_object(''chain'', 99, ''seq'', 1, ''prev_hash'', ''\x'' || repeat(''00'', 32)))).* FROM scim_audit.seals s WHERE tx_id = tx(''C''); UPDATE scim_audit.seals s SET hash = seal_hash(s) WHERE chain = 99', 'seal_fork chain 99 C'),
	('user edited', 'UPDATE scim.users SET title = ''King'' WHERE user_name = ''ann''', 'row_mismatch - C:0'),
	('user added', 'INSERT INTO scim.users (tenant, user_name) VALUES (''t'', ''eve'')', 'row_mismatch - -'),
	('user moved to another''s name', 'UPDATE scim.users SET user_name = ''bob'' WHERE user_name = ''ann''', 'row_mismatch - C:0'),
	('membership added', 'INSERT INTO scim.users (tenant, user_name) VALUES (''t'', ''eve''); INSERT INTO scim.group_members (tenant, group_id, member_type, member_id) SELECT g.tenant, g.id, ''User'', u.id FROM scim.groups g JOIN scim.users u ON u.user_name = ''eve''', 'row_mismatch - B:3, row_mismatch - -'),
	('memberships removed', 'DELETE FROM scim.group_members', 'row_mismatch - B:3'),
	('row of an application edited', 'UPDATE item SET price = 0 WHERE id = 1', 'row_mismatch - D:2'),
	('the same value in other digits', 'UPDATE item SET price = 3.00 WHERE id = 1', 'row_mismatch - D:2'),
	('row of an application removed', 'DELETE FROM item WHERE id = 1', 'row_mismatch - D:2'),
	('row of an application added', 'INSERT INTO item VALUES (3, ''three'', 3)', 'row_mismatch - -'),
	('row edited and put back', 'UPDATE item SET price = 0 WHERE id = 1; UPDATE item SET price = 3 WHERE id = 1', NULL),
	('row edited, its event altered', 'UPDATE item SET price = 0 WHERE id = 1; UPDATE scim_audit.events SET actor = ''x'' WHERE tx_id = tx(''B'') AND n = 0', 'entry_mismatch B B:0, row_mismatch - D:2'),
	('row whose key has changed edited', 'UPDATE item SET name = ''x'' WHERE id = 20', 'row_mismatch - D:3'),
	('row added under a key given up', 'INSERT INTO item VALUES (2, ''x'', 0)', 'row_mismatch - D:3'),
	('the newest transaction and its seal removed: only the row tells', 'DELETE FROM scim_audit.seals WHERE tx_id = tx(''E''); DELETE FROM scim_audit.events WHERE tx_id = tx(''E''); DELETE FROM scim_audit.seals WHERE tx_id NOT IN (SELECT tx_id FROM tx); DELETE FROM scim_audit.events WHERE tx_id NOT IN (SELECT tx_id FROM tx)', 'row_mismatch - B:1');
SELECT t.name, f.findings, f.findings IS NOT DISTINCT FROM t.expected AS as_expected FROM tamper t, LATERAL findings(t.statement) AS f (findings) ORDER BY t.place;

\echo -- and nothing of all this is left
SELECT findings('SELECT');
\connect :home
DROP DATABASE regress_tamper;
