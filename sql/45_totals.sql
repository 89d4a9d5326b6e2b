-- The total of a list without a filter: counted once, and again when something was written.
\set VERBOSITY terse
\set QUIET on
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS scim_audit CASCADE;
SELECT scim.create_tenant('regress-45t'), scim.create_tenant('regress-45u');
SET scim_audit.tenant = 'regress-45t';
INSERT INTO scim.users (user_name) SELECT 'u' || i FROM generate_series(1, 1500) i;
-- Rows of scim.users that a statement had from its indexes and scans, counted from the last call on.
CREATE FUNCTION pg_temp.rows_read() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	now bigint := pg_stat_get_xact_tuples_returned('scim.users'::regclass) + (SELECT sum(pg_stat_get_xact_tuples_returned(indexrelid)) FROM pg_index WHERE indrelid = 'scim.users'::regclass);
	before bigint := coalesce(nullif(current_setting('regress.read', true), ''), '0');
BEGIN
	PERFORM set_config('regress.read', now::text, true);
	RETURN now - before;
END $$;
CREATE FUNCTION pg_temp.total(query text DEFAULT '?count=0') RETURNS text LANGUAGE sql AS $$ SELECT body ->> 'totalResults' FROM scim.scim_apply('GET', '/Users' || query) $$;

BEGIN;
SELECT pg_temp.rows_read() >= 0, pg_temp.total();
SELECT pg_temp.rows_read() >= 1500 AS counted, pg_temp.total(), pg_temp.total('?startIndex=501&count=0');
SELECT pg_temp.rows_read() AS not_again;
-- a filter is another question
SELECT pg_temp.total('?count=0&filter=userName%20sw%20%22u1%22');
-- what this transaction writes counts at once, and is gone with it
SAVEPOINT s;
DELETE FROM scim.users WHERE user_name = 'u1500' AND tenant = 'regress-45t';
SELECT pg_temp.total();
ROLLBACK TO s;
SELECT pg_temp.total();
COMMIT;
SELECT pg_temp.total();
INSERT INTO scim.users (user_name) VALUES ('one more');
SELECT pg_temp.total();
SELECT status FROM scim.scim_apply('POST', '/Users', '{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "and another"}');
SELECT pg_temp.total();
DELETE FROM scim.users WHERE tenant = 'regress-45t' AND user_name IN ('one more', 'and another', 'u1');
SELECT pg_temp.total();
-- of each tenant its own
SET scim_audit.tenant = 'regress-45u';
SELECT pg_temp.total();
SET scim_audit.tenant = 'regress-45t';
SELECT pg_temp.total();
RESET scim_audit.tenant;
SELECT scim.drop_tenant(t, t) FROM unnest('{regress-45t,regress-45u}'::text[]) t;
