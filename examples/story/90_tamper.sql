\echo
\echo '== 9. A superuser rewrites history =='
\echo 'First the easy way, which the guard triggers refuse. Then with the triggers off:'
\echo 'the refused attempt of olga becomes one of the directory.'
\echo
\connect - dba
\set VERBOSITY terse
\set ON_ERROR_STOP off
\set ECHO queries
DELETE FROM scim_audit.events WHERE outcome = 'denied';
\set ECHO none
\set ON_ERROR_STOP on
\echo
SELECT format('%I.%I', n.nspname, c.relname) AS part
FROM scim_audit.events e
JOIN pg_class c ON c.oid = e.tableoid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE e.outcome = 'denied' \gset
\set ECHO queries
BEGIN;
ALTER TABLE :part DISABLE TRIGGER ALL;
UPDATE scim_audit.events SET actor = 'directory'
WHERE outcome = 'denied'
RETURNING tx_id, n, event_type, actor;
ALTER TABLE :part ENABLE ALWAYS TRIGGER ALL;
COMMIT;
\set ECHO none
