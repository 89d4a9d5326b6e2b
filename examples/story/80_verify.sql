\echo
\echo '== 8. Is the log whole? =='
\echo 'verify() recomputes every hash and compares every row with its last change. It finds nothing.'
\echo
\set ECHO queries
SELECT rule, tx_id, n, message FROM scim_audit.verify();
\set ECHO none
