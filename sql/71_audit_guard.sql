-- Nobody changes the log by SQL, and nobody drops it by accident.
\set VERBOSITY terse
SET client_min_messages = warning;

CREATE SCHEMA regress_guard;
CREATE TABLE regress_guard.item (id integer PRIMARY KEY);
CREATE TRIGGER scim_audit_row AFTER INSERT OR UPDATE OR DELETE ON regress_guard.item FOR EACH ROW
	EXECUTE FUNCTION scim_audit.record_change();
INSERT INTO regress_guard.item VALUES (1);
SELECT tableoid::regclass::text AS events_partition FROM scim_audit.events
	WHERE resource_type = 'regress_guard.item' \gset

-- The owner, a superuser here.
UPDATE scim_audit.events SET tenant = 'x' WHERE resource_type = 'regress_guard.item';
DELETE FROM scim_audit.events WHERE resource_type = 'regress_guard.item';
INSERT INTO scim_audit.events SELECT * FROM scim_audit.events WHERE resource_type = 'regress_guard.item';
TRUNCATE scim_audit.events;
UPDATE scim_audit.seals SET events = 0;
DELETE FROM scim_audit.seals;
INSERT INTO scim_audit.seals SELECT chain, events, seq + 1000, at, tx_id, last_leaf, config_hash, prev_hash, hash FROM scim_audit.seals LIMIT 1;
TRUNCATE scim_audit.seals;
COPY scim_audit.seals FROM stdin;
0	1	1	2026-01-01	00000000-0000-7000-8000-000000000000	\\x00	\\x00	\\x00	\\x00
\.
-- Partitions have the same guards.
CREATE FUNCTION regress_guard.try(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
	RETURN 'done';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || regexp_replace(SQLERRM, 'events_\d{4}_\d\d', 'PARTITION');
END $$;
SELECT regress_guard.try(format(statement, :'events_partition')) FROM unnest(ARRAY[
	'UPDATE %s SET n = n', 'DELETE FROM %s', 'INSERT INTO %1$s SELECT * FROM %1$s LIMIT 1', 'TRUNCATE %s',
	'DROP TABLE %s', 'ALTER TABLE scim_audit.events DETACH PARTITION %s']) statement;
ALTER TABLE scim_audit.events DETACH PARTITION :events_partition CONCURRENTLY;
SELECT count(*) FILTER (WHERE inhdetachpending) AS pending FROM pg_inherits WHERE inhparent = 'scim_audit.events'::regclass;
SET session_replication_role = replica;
SELECT regress_guard.try(format(statement, :'events_partition')) FROM unnest(ARRAY[
	'UPDATE %s SET n = n', 'DELETE FROM %s', 'INSERT INTO %1$s SELECT * FROM %1$s LIMIT 1', 'TRUNCATE %s',
	'DROP TABLE %s', 'ALTER TABLE scim_audit.events DETACH PARTITION %s']) statement;
RESET session_replication_role;

-- Loading a dump: a superuser's INSERT only, and the change triggers are silent.
SET scim_audit.restore = on;
SELECT count(*) AS events FROM scim_audit.events WHERE resource_type = 'regress_guard.item' \gset
BEGIN;
INSERT INTO regress_guard.item VALUES (2);
SELECT count(*) - :events AS new_events FROM scim_audit.events WHERE resource_type = 'regress_guard.item';
INSERT INTO scim_audit.seals SELECT chain, events, seq + 1000, at, tx_id, last_leaf, config_hash, prev_hash, hash FROM scim_audit.seals LIMIT 1;
INSERT INTO scim_audit.events (tx_id, n, at, category, action, event_type, outcome, session_role, effective_role, origin, prev_hash, leaf_hash)
	SELECT tx_id, 1000000, at, category, action, event_type, outcome, session_role, effective_role, origin, prev_hash, leaf_hash
	FROM scim_audit.events WHERE resource_type = 'regress_guard.item';
SELECT count(*) AS copied FROM scim_audit.events WHERE n = 1000000;
ROLLBACK;
UPDATE scim_audit.seals SET events = 0;
DELETE FROM scim_audit.events WHERE resource_type = 'regress_guard.item';
TRUNCATE scim_audit.events;
RESET scim_audit.restore;

-- A role with every privilege on our tables that can be granted.
CREATE ROLE regress_guard_user;
GRANT USAGE ON SCHEMA scim_audit, regress_guard TO regress_guard_user;
GRANT ALL ON ALL TABLES IN SCHEMA regress_guard TO regress_guard_user;
SET ROLE regress_guard_user;
SELECT regress_guard.try(statement) FROM unnest(ARRAY[
	'SELECT 1 FROM scim_audit.events', 'SELECT 1 FROM scim_audit.seals',
	'INSERT INTO scim_audit.seals DEFAULT VALUES', 'UPDATE scim_audit.seals SET events = 0', 'DELETE FROM scim_audit.seals',
	'TRUNCATE scim_audit.seals', 'INSERT INTO scim_audit.events DEFAULT VALUES', 'UPDATE scim_audit.events SET n = 0',
	'DELETE FROM scim_audit.events', 'TRUNCATE scim_audit.events',
	format('SELECT 1 FROM %s', :'events_partition'), format('DELETE FROM %s', :'events_partition'),
	'SELECT scim_audit.ensure_partitions()', 'SELECT scim_audit.row_values(''regress_guard.item'', ROW(1))',
	'CREATE TABLE pg_temp.own (); CREATE TRIGGER r AFTER INSERT ON own FOR EACH ROW EXECUTE FUNCTION scim_audit.record_change()',
	'SET scim_audit.restore = on', 'SET scim_audit.allow_drop = on', 'SET scim_audit.allow_prepare = on',
	'SET scim_audit.log_reads = none', 'SET scim_audit.trusted_authenticators = regress_guard_user',
	'SET scim_audit.chains = 1', 'SET scim_audit.surprise = on']) statement;
-- It writes tracked tables, and the events come about all the same.
INSERT INTO regress_guard.item VALUES (3);
RESET ROLE;
SELECT effective_role FROM scim_audit.events WHERE resource_type = 'regress_guard.item' AND resource_id = '3';

-- Even with privileges granted by mistake, no row is written (UPDATE sees none).
GRANT ALL ON ALL TABLES IN SCHEMA scim_audit TO regress_guard_user;
SET ROLE regress_guard_user;
SELECT regress_guard.try(statement) FROM unnest(ARRAY[
	'INSERT INTO scim_audit.seals SELECT 0, 1, 1, now(), gen_random_uuid(), '''', '''', '''', ''''',
	'UPDATE scim_audit.seals SET events = 0', 'TRUNCATE scim_audit.seals', 'TRUNCATE scim_audit.events',
	format('TRUNCATE %s', :'events_partition')]) statement;
RESET ROLE;
REVOKE ALL ON ALL TABLES IN SCHEMA scim_audit FROM regress_guard_user;

-- Nobody but the owner has a privilege on what writes the log, but for record_change(), of which nobody
-- else can make triggers (87_owner_code); the owner can read.
SELECT c.relname, coalesce(a.grantee::regrole::text, 'PUBLIC') = c.relowner::regrole::text AS owner, a.privilege_type
FROM pg_class c, aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) a
WHERE (c.oid IN ('scim_audit.seals'::regclass, 'scim_audit.events'::regclass) OR c.oid = :'events_partition'::regclass
	AND NOT (a.privilege_type = 'SELECT' AND a.grantee = c.relowner))
	-- Until 16, to VACUUM and the like was no privilege but the owner's right.
	AND NOT (a.privilege_type = 'MAINTAIN' AND a.grantee = c.relowner)
ORDER BY c.relname, a.privilege_type;
SELECT p.proname FROM pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
WHERE p.pronamespace = 'scim_audit'::regnamespace AND a.grantee = 0
	AND p.proname IN ('guard', 'drop_guard', 'record_change', 'record_truncate', 'row_values', 'ensure_partitions');

-- Partitions: made once, months ahead, nothing from default privileges, the same for all.
ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC, regress_guard_user;
BEGIN;
SELECT scim_audit.ensure_partitions(40) > 30 AS many, scim_audit.ensure_partitions(40) AS none;
SELECT relrowsecurity, count(*) > 30 AS partitions,
	bool_and((SELECT array_agg(t.tgname::text || t.tgenabled::text ORDER BY tgname) FROM pg_trigger t WHERE t.tgrelid = c.oid)
		= '{guard_rowA,guard_truncateA}') AS guarded,
	bool_and((SELECT array_agg(pg_get_indexdef(i.indexrelid) LIKE '%(tx_id, n)' ORDER BY i.indisprimary) FROM pg_index i WHERE i.indrelid = c.oid)
		= '{f,t}') AS indexed,
	-- SELECT to the owner alone, and since 17 MAINTAIN
	bool_and((SELECT array_agg(replace(a::text, '=rm/', '=r/')) FROM unnest(c.relacl) a) = ARRAY[format('%s=r/%1$s', c.relowner::regrole)]) AS private
FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhrelid WHERE h.inhparent = 'scim_audit.events'::regclass GROUP BY 1;
ROLLBACK;
ALTER DEFAULT PRIVILEGES REVOKE ALL ON TABLES FROM PUBLIC, regress_guard_user;
SELECT scim_audit.ensure_partitions(-1);
SELECT scim_audit.ensure_partitions(121);

-- A partition made in a subtransaction that is undone is made again.
BEGIN;
SET LOCAL scim_audit.allow_drop = on;
SET LOCAL client_min_messages = error;
SELECT regress_guard.try(format('ALTER TABLE scim_audit.events DETACH PARTITION %s', :'events_partition'));
SAVEPOINT a;
INSERT INTO regress_guard.item VALUES (10);
SELECT tableoid::regclass::text ~ '_2$' AS another FROM scim_audit.events WHERE resource_id = '10' AND resource_type = 'regress_guard.item';
ROLLBACK TO a;
INSERT INTO regress_guard.item VALUES (11);
SELECT n, tableoid::regclass::text ~ '_2$' AS another FROM scim_audit.events WHERE resource_type = 'regress_guard.item';
ROLLBACK;
INSERT INTO regress_guard.item VALUES (12);
SELECT tableoid::regclass::text = :'events_partition' AS the_old FROM scim_audit.events WHERE resource_type = 'regress_guard.item' AND resource_id = '12';

-- Whatever index a DBA adds is kept right.
SELECT regress_guard.try(format(statement, :'events_partition')) FROM unnest(ARRAY[
	'CREATE INDEX regress_guard_expression ON %s ((detail->>''application_name''), lower(resource_id))',
	'CREATE INDEX regress_guard_partial ON %s (at) WHERE resource_id = ''13''',
	'CREATE INDEX regress_guard_brin ON %s USING brin (at)']) statement;
INSERT INTO regress_guard.item VALUES (13), (14);
BEGIN;
SET LOCAL enable_seqscan = off;
SELECT count(*) FROM scim_audit.events WHERE resource_id = '13' AND at > '2020-01-01' AND resource_type = 'regress_guard.item';
SELECT count(*) FROM scim_audit.events WHERE lower(resource_id) = '14' AND detail->>'application_name' = current_setting('application_name')
	AND resource_type = 'regress_guard.item';
ROLLBACK;
SELECT indexrelid::regclass, pg_relation_size(indexrelid) > 8192 AS filled FROM pg_index
WHERE indexrelid::regclass::text LIKE 'scim\_audit.regress\_guard\_%' ORDER BY 1;
DROP INDEX scim_audit.regress_guard_expression, scim_audit.regress_guard_partial, scim_audit.regress_guard_brin;

-- The log goes with nothing while it holds events.
DROP EXTENSION scim_audit CASCADE;
DROP SCHEMA scim_audit CASCADE;
DROP TABLE scim_audit.events CASCADE;
DROP TABLE scim_audit.seals CASCADE;
DROP EXTENSION pgcrypto CASCADE;
CREATE ROLE regress_guard_owner SUPERUSER;
BEGIN;
ALTER EXTENSION scim_audit DROP TABLE scim_audit.seals;
ALTER TABLE scim_audit.seals OWNER TO regress_guard_owner;
DROP OWNED BY regress_guard_owner CASCADE;
ROLLBACK;
DROP ROLE regress_guard_owner;
-- What is empty may go, and all of it when a superuser says so.
BEGIN;
SELECT scim_audit.ensure_partitions(40) > 0 AS made;
SELECT regress_guard.try(format('ALTER TABLE scim_audit.events DETACH PARTITION %s', max(inhrelid::regclass::text))) FROM pg_inherits WHERE inhparent = 'scim_audit.events'::regclass;
SELECT regress_guard.try(format('DROP TABLE %s', max(inhrelid::regclass::text))) FROM pg_inherits WHERE inhparent = 'scim_audit.events'::regclass;
SET LOCAL scim_audit.allow_drop = on;
DROP EXTENSION scim_audit CASCADE;
ROLLBACK;

-- config_hash: the same whatever partitions there are; other as soon as a trigger is.
CREATE FUNCTION regress_guard.config() RETURNS bytea LANGUAGE sql AS
	'SELECT config_hash FROM scim_audit.seals ORDER BY at DESC, tx_id DESC LIMIT 1';
CREATE PROCEDURE regress_guard.config_after(statement text, INOUT changed boolean DEFAULT NULL) LANGUAGE plpgsql AS $$
DECLARE
	before bytea;
BEGIN
	INSERT INTO regress_guard.item SELECT max(id) + 1 FROM regress_guard.item;
	COMMIT;
	before := regress_guard.config();
	EXECUTE statement;
	INSERT INTO regress_guard.item SELECT max(id) + 1 FROM regress_guard.item;
	COMMIT;
	changed := before <> regress_guard.config();
END $$;
CALL regress_guard.config_after('SELECT 1');
CALL regress_guard.config_after('SELECT scim_audit.ensure_partitions(5)');
CALL regress_guard.config_after('CREATE TABLE regress_guard.other (id integer)');
CALL regress_guard.config_after('CREATE TRIGGER r AFTER INSERT ON regress_guard.other FOR EACH ROW EXECUTE FUNCTION scim_audit.record_change()');
CALL regress_guard.config_after('ALTER TABLE regress_guard.other DISABLE TRIGGER r');
CALL regress_guard.config_after('ALTER TABLE regress_guard.other ADD COLUMN more text');
CALL regress_guard.config_after('CREATE OR REPLACE TRIGGER r AFTER INSERT ON regress_guard.other FOR EACH ROW EXECUTE FUNCTION scim_audit.record_change(''redact=more'')');
CALL regress_guard.config_after('ALTER TABLE regress_guard.other RENAME TO another');
CALL regress_guard.config_after('DROP TABLE regress_guard.another');
CALL regress_guard.config_after('ALTER TABLE scim_audit.seals DISABLE TRIGGER guard_row');
CALL regress_guard.config_after('ALTER TABLE scim_audit.seals ENABLE ALWAYS TRIGGER guard_row');
CALL regress_guard.config_after(format('DROP TRIGGER guard_truncate ON %s', :'events_partition'));
CALL regress_guard.config_after(format('CREATE TRIGGER guard_truncate BEFORE TRUNCATE ON %s EXECUTE FUNCTION scim_audit.guard()', :'events_partition'));
CALL regress_guard.config_after(format('ALTER TABLE %s ENABLE ALWAYS TRIGGER guard_truncate', :'events_partition'));
CALL regress_guard.config_after(format('ALTER TABLE %s DISABLE TRIGGER guard_row', :'events_partition'));
CALL regress_guard.config_after(format('ALTER TABLE %s ENABLE ALWAYS TRIGGER guard_row', :'events_partition'));
CALL regress_guard.config_after('ALTER EVENT TRIGGER scim_audit_drop_guard DISABLE');
CALL regress_guard.config_after('ALTER EVENT TRIGGER scim_audit_drop_guard ENABLE ALWAYS');
SELECT count(DISTINCT config_hash) > 5 AS told_apart FROM scim_audit.seals;

DROP SCHEMA regress_guard CASCADE;
REVOKE ALL ON SCHEMA scim_audit FROM regress_guard_user;
DROP ROLE regress_guard_user;
