\echo
\echo '== 9. A superuser rewrites history =='
\echo 'First the easy way, which a guard trigger refuses. Then with the trigger off for a'
\echo 'moment: what the auditor tried in part 6 is now what the directory tried.'
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
