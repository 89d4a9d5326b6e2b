\echo
\echo '== 10. It shows =='
\echo 'The same question as in part 8. verify() finds exactly that row.'
\echo
\connect - olga
\set ECHO queries
SELECT rule, tx_id, n, message FROM scim_audit.verify();
\set ECHO none
