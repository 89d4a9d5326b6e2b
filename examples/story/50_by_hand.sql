\echo
\echo '== 5. A DBA changes a row by hand =='
\echo 'Plain SQL, no SCIM. The version (the ETag) goes up, and the log sees it all the same.'
\echo
\connect - dba
SET application_name = 'psql';
\set ECHO queries
SET scim_audit.reason = 'cost centres renumbered';
UPDATE scim.users SET cost_center = 'C-21'
WHERE user_name = 'mira.vance@north.example'
RETURNING user_name, cost_center, version;
\set ECHO none
