\echo
\echo '== 10. It shows =='
\echo 'verify() finds exactly that row.'
\echo
\connect - olga
\set ECHO queries
SELECT rule, tx_id, n, message FROM scim_audit.verify();
\set ECHO none
