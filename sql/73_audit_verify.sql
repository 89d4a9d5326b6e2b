-- verify(): what it finds, for whom, and what it leaves in the log.  In a
-- database of its own, because it looks at all of the log.
\set VERBOSITY terse
\pset footer off
SET client_min_messages = warning;
\set home :DBNAME
CREATE DATABASE regress_verify;
\connect regress_verify
SET client_min_messages = warning;
CREATE EXTENSION scim_audit CASCADE;
CREATE ROLE regress_vf_audit;
CREATE ROLE regress_vf_audit_all;
CREATE ROLE regress_vf_admin;
CREATE ROLE regress_vf_prov;
INSERT INTO scim.tenants (tenant) VALUES ('a'), ('b');

\echo -- an empty log is whole; the verification is an event
SELECT * FROM scim_audit.verify();
SELECT category, action, event_type, outcome, tenant, detail->'findings' AS findings, detail->'whole' AS whole FROM scim_audit.events;

\echo -- events of savepoints, exceptions, several rows, several statements, the own transaction
BEGIN;
INSERT INTO scim.users (tenant, user_name) VALUES ('a', 'ann'), ('a', 'bob');
SAVEPOINT s;
INSERT INTO scim.users (tenant, user_name) VALUES ('a', 'lost');
ROLLBACK TO s;
UPDATE scim.users SET title = 'x';
SAVEPOINT s;
UPDATE scim.users SET title = 'y';
RELEASE s;
SELECT * FROM scim_audit.verify();
COMMIT;
DO $$
BEGIN
	INSERT INTO scim.users (tenant, user_name) VALUES ('b', 'eve');
	BEGIN
		INSERT INTO scim.users (tenant, user_name) VALUES ('b', 'lost');
		INSERT INTO scim.users (tenant, user_name) VALUES ('b', 'EVE');
	EXCEPTION WHEN unique_violation THEN
		UPDATE scim.users SET active = true WHERE tenant = 'b';
	END;
END $$;
INSERT INTO scim.groups (tenant, display_name) VALUES ('a', 'staff'), ('b', 'staff');
INSERT INTO scim.group_members (tenant, group_id, member_type, member_id)
	SELECT g.tenant, g.id, 'User', u.id FROM scim.groups g JOIN scim.users u USING (tenant);
DELETE FROM scim.users WHERE user_name = 'bob';
SELECT * FROM scim_audit.verify();
SELECT * FROM scim_audit.verify();

\echo -- bounds in time
SELECT clock_timestamp() AS middle \gset
INSERT INTO scim.users (tenant, user_name) VALUES ('a', 'cleo');
SELECT * FROM scim_audit.verify(from_time => :'middle');
SELECT * FROM scim_audit.verify(to_time => :'middle');
SELECT * FROM scim_audit.verify('-infinity', 'infinity');
SELECT * FROM scim_audit.verify('infinity', '-infinity');
SELECT * FROM scim_audit.verify('2000-01-01', '2000-01-02');
SELECT event_type, detail->'whole' AS whole FROM scim_audit.events WHERE event_type = 'log.verify' ORDER BY tx_id;
-- An event altered in the first half is found by a check of that half only.
ALTER TABLE scim_audit.events DISABLE TRIGGER guard_row;
BEGIN;
UPDATE scim_audit.events SET credential = 'x' WHERE event_type = 'user.delete';
SELECT count(*) AS all_time FROM scim_audit.verify();
SELECT count(*) AS after FROM scim_audit.verify(from_time => :'middle');
SELECT count(*) AS before FROM scim_audit.verify(to_time => :'middle');
ROLLBACK;
-- So is a seal, and one that is gone.
ALTER TABLE scim_audit.seals DISABLE TRIGGER guard_row;
BEGIN;
UPDATE scim_audit.seals SET events = 9 WHERE (chain, seq) = (SELECT chain, min(seq) + 1 FROM scim_audit.seals GROUP BY chain LIMIT 1);
SELECT rule FROM scim_audit.verify(to_time => :'middle');
SELECT rule FROM scim_audit.verify(from_time => :'middle');
ROLLBACK;

\echo -- the guards that were off meanwhile: one finding, at the first seal made then
INSERT INTO scim.users (tenant, user_name) VALUES ('a', 'dora');
INSERT INTO scim.users (tenant, user_name) VALUES ('a', 'emil');
ALTER TABLE scim_audit.events ENABLE ALWAYS TRIGGER guard_row;
ALTER TABLE scim_audit.seals ENABLE ALWAYS TRIGGER guard_row;
INSERT INTO scim.users (tenant, user_name) VALUES ('a', 'fred');
SELECT v.rule, e.resource_type, e.detail->'new'->>'userName' AS sealed_with, v.message, v.n
	FROM scim_audit.verify() v JOIN scim_audit.events e ON e.tx_id = v.tx_id JOIN scim_audit.seals s ON (s.chain, s.seq) = (v.chain, v.seq) AND s.tx_id = v.tx_id;
\connect :home
DROP DATABASE regress_verify;
CREATE DATABASE regress_verify;
\connect regress_verify
SET client_min_messages = warning;
CREATE EXTENSION scim_audit CASCADE;
INSERT INTO scim.tenants (tenant) VALUES ('a'), ('b');

\echo -- track() and untrack() say what they change
INSERT INTO scim.users (tenant, user_name) VALUES ('a', 'ann');
CREATE TABLE item (id integer PRIMARY KEY);
SELECT scim_audit.track('item');
INSERT INTO item VALUES (1);
SELECT * FROM scim_audit.verify();
SELECT scim_audit.untrack('item');
INSERT INTO scim.users (tenant, user_name) VALUES ('a', 'bob');
SELECT * FROM scim_audit.verify();

\echo -- who may ask, and what they are told
SELECT count(*) FROM (SELECT scim.grant_duty('regress_vf_audit', 'auditor', 'a'), scim.grant_duty('regress_vf_audit_all', 'auditor'),
	scim.grant_duty('regress_vf_admin', 'audit_admin', 'b'), scim.grant_duty('regress_vf_prov', 'provisioning_admin')) g;
GRANT USAGE ON SCHEMA scim_audit TO regress_vf_prov;
GRANT EXECUTE ON FUNCTION scim_audit.verify(timestamptz, timestamptz) TO regress_vf_prov;
SET ROLE regress_vf_prov;
SELECT * FROM scim_audit.verify();
RESET ROLE;
INSERT INTO scim.users (tenant, user_name) VALUES ('b', 'eve');
ALTER TABLE scim_audit.events DISABLE TRIGGER guard_row;
UPDATE scim_audit.events SET actor = 'x' WHERE detail->'new'->>'userName' = 'eve';
ALTER TABLE scim_audit.events ENABLE ALWAYS TRIGGER guard_row;
ALTER EVENT TRIGGER scim_audit_schema_end DISABLE;
ALTER TABLE scim.users DISABLE TRIGGER scim_audit_row;
UPDATE scim.users SET title = 'forged' WHERE user_name = 'ann';
ALTER TABLE scim.users ENABLE ALWAYS TRIGGER scim_audit_row;
ALTER EVENT TRIGGER scim_audit_schema_end ENABLE ALWAYS;
SELECT id AS ann FROM scim.users WHERE user_name = 'ann' \gset
\set ask 'SELECT v.rule, v.chain IS NOT NULL AS seal, e.tenant, v.n, replace(v.message, :''ann'', ''ANN'') AS message FROM scim_audit.verify() v LEFT JOIN scim_audit.events e ON e.tx_id = v.tx_id AND e.n = v.n ORDER BY 1;'
SET ROLE regress_vf_audit_all;
:ask
SET ROLE regress_vf_audit;
:ask
SET ROLE regress_vf_admin;
SELECT rule, chain IS NOT NULL AS seal, tx_id IS NOT NULL AS tx, n, message FROM scim_audit.verify() ORDER BY 1;
RESET ROLE;
-- Each of these verifications is an event of the tenant it was for.
SELECT tenant, effective_role, detail->>'findings' AS findings FROM scim_audit.events WHERE event_type = 'log.verify' AND effective_role LIKE 'regress%' ORDER BY tx_id;

\echo -- a read-only transaction cannot write that event, so it cannot verify
BEGIN READ ONLY;
SELECT * FROM scim_audit.verify();
ROLLBACK;

\echo -- it can be cancelled, and does not run under the search_path of who calls
SET statement_timeout = 1;
DO $$
BEGIN
	FOR i IN 1..10000 LOOP
		PERFORM * FROM scim_audit.verify();
	END LOOP;
END $$;
RESET statement_timeout;
CREATE SCHEMA trap;
CREATE FUNCTION trap.starts_with(text, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'trapped'; END $$;
CREATE FUNCTION trap.same(uuid, uuid) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'trapped'; END $$;
CREATE OPERATOR trap.<= (LEFTARG = uuid, RIGHTARG = uuid, FUNCTION = trap.same);
CREATE OPERATOR trap.<> (LEFTARG = uuid, RIGHTARG = uuid, FUNCTION = trap.same);
SET search_path = trap, pg_catalog;
SELECT count(*) FROM scim_audit.verify();
RESET search_path;

\echo -- erased details need an event that names them
BEGIN;
ALTER TABLE scim_audit.events DISABLE TRIGGER guard_row;
UPDATE scim_audit.events SET detail = NULL, detail_salt = NULL WHERE detail->'new'->>'userName' IN ('ann', 'bob');
SELECT v.rule, v.chain = s.chain AND v.seq = s.seq AS at_its_seal, v.n, v.message FROM scim_audit.verify() v JOIN scim_audit.seals s USING (tx_id) WHERE v.rule = 'erased_unrecorded';
SELECT scim_audit.log_event('admin', 'erase', 'log.erase', NULL, NULL, NULL,
	(SELECT json_build_object('events', json_agg(tx_id || ':' || n)) FROM scim_audit.events WHERE detail IS NULL AND detail_hash IS NOT NULL));
SELECT count(*) FROM scim_audit.verify() WHERE rule = 'erased_unrecorded';
ROLLBACK;

\echo -- workers find what one process finds
CREATE TABLE worked (mail text PRIMARY KEY, price numeric, span daterange, parts text[]);
CREATE TABLE parted (id integer PRIMARY KEY, name text) PARTITION BY HASH (id);
CREATE TABLE parted_0 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 1);
SELECT scim_audit.track('worked', personal_key => true), scim_audit.track('parted');
INSERT INTO worked SELECT 'u' || i || '@example.com', i / 7.0, daterange('2026-01-01', '2026-01-01'::date + i), ARRAY['a', NULL, i::text]
	FROM generate_series(1, 2000) i;
INSERT INTO parted SELECT i, 'part ' || i FROM generate_series(1, 2000) i;
UPDATE worked SET price = price + 1 WHERE price < 50;
UPDATE parted SET name = NULL WHERE id % 3 = 0;
DELETE FROM parted WHERE id % 5 = 0;
SET min_parallel_table_scan_size = 0;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET DateStyle = 'SQL, DMY';
SET max_parallel_workers_per_gather = 2;
SELECT count(*) FROM scim_audit.verify() WHERE message LIKE 'public%';
ALTER TABLE worked DISABLE TRIGGER scim_audit_row;
ALTER TABLE parted DISABLE TRIGGER scim_audit_row;
UPDATE worked SET price = 0 WHERE mail = 'u77@example.com';
-- Two rows that swap what they have: no value is new, and none is gone.
UPDATE parted SET name = 'part ' || CASE id WHEN 1 THEN 2 ELSE 1 END WHERE id IN (1, 2);
CREATE TABLE by_workers AS SELECT message FROM scim_audit.verify() WHERE rule = 'row_mismatch';
SET max_parallel_workers_per_gather = 0;
CREATE TABLE alone AS SELECT message FROM scim_audit.verify() WHERE rule = 'row_mismatch';
SELECT regexp_replace(message, 'hmac:\w+', 'hmac:…') FROM by_workers WHERE message LIKE 'public%' ORDER BY 1;
(TABLE by_workers EXCEPT ALL TABLE alone) UNION ALL (TABLE alone EXCEPT ALL TABLE by_workers);
RESET DateStyle;
DROP TABLE by_workers, alone;

\echo -- after a restore
SELECT count(*) FROM scim_audit.restored();
SELECT event_type, detail->'findings' AS findings FROM scim_audit.events WHERE event_type = 'log.restore';

\connect :home
DROP DATABASE regress_verify;
DROP ROLE regress_vf_audit, regress_vf_audit_all, regress_vf_admin, regress_vf_prov;
