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
\set ECHO queries
BEGIN;
ALTER TABLE scim_audit.events DISABLE TRIGGER guard_row;
UPDATE scim_audit.events SET actor = 'directory'
WHERE outcome = 'denied'
RETURNING tx_id, n, event_type, actor;
ALTER TABLE scim_audit.events ENABLE ALWAYS TRIGGER guard_row;
COMMIT;
\set ECHO none
