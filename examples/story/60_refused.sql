\echo
\echo '== 6. Two requests are refused =='
\echo 'The directory sends a user name that exists, in another case; the auditor tries to'
\echo 'change a title herself. A refusal is an answer, not an error, and an event in the log.'
\echo
\connect - directory
\set body `cat examples/requests/duplicate-user.json`
\echo 'POST /Users, as directory: examples/requests/duplicate-user.json'
SELECT status, body->>'scimType' AS "scimType", body->>'detail' AS detail
FROM scim.scim_apply('POST', '/Users', :'body', :'headers');
\connect - olga
SELECT '/Users/' || :'mira' AS uri \gset
\set body `cat examples/requests/entra-change-title.json`
\echo 'PATCH /Users/…, as olga: examples/requests/entra-change-title.json'
SELECT status, body->>'scimType' AS "scimType", body->>'detail' AS detail
FROM scim.scim_apply('PATCH', :'uri', :'body');
