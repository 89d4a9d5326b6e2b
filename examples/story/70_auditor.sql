\echo
\echo '== 7. The auditor asks: who did what, from where, and why? =='
\echo 'olga reads the log of her tenant, and can change nothing in it.'
\echo
\connect - olga
\set ECHO queries
SELECT method, endpoint, status, outcome, who, user_agent, reason
FROM scim_audit.requests ORDER BY tx_id, n;

SELECT resource_name, attribute, old, new, who, origin, reason
FROM scim_audit.changes WHERE action = 'update' ORDER BY tx_id, n, attribute;

SELECT group_name, member_name, added_by, removed_by
FROM scim_audit.memberships ORDER BY added_at, member_name;
\set ECHO none
