\echo
\echo '== 7. The auditor asks: who did what, from where, and why? =='
\echo 'olga reads the log of her tenant, and can change nothing in it. Three questions: which'
\echo 'requests came, what was changed, who is and was in which group.'
\echo
\connect - olga
\set ECHO queries
SELECT method, resource_name, status, outcome, who,
       coalesce(user_agent, application_name) AS "from where", reason, ticket
FROM scim_audit.requests ORDER BY tx_id, n;

SELECT resource_name, regexp_replace(attribute, '^urn:.*:', '') AS attribute,
       left(old #>> '{}', 18) AS old, left(new #>> '{}', 18) AS new, who, origin, reason
FROM scim_audit.changes WHERE event_type IN ('user.update', 'user.deactivate')
ORDER BY tx_id, n, attribute;

SELECT group_name, member_name, added_by, removed_by
FROM scim_audit.memberships ORDER BY added_at, member_name;
\set ECHO none
