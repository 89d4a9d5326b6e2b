\echo
\echo '== 8. Is the log whole? =='
\echo 'verify() recomputes every hash and compares every row with the last change that the'
\echo 'log has of it. No row means: nothing was altered.'
\echo
\set ECHO queries
SELECT rule, tx_id, n, message FROM scim_audit.verify();
\set ECHO none
