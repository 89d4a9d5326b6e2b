\echo
\echo '== 3. A promotion, a manager, a leaver =='
\echo 'Entra writes "Replace" with a capital, Okta deactivates without a path: both are'
\echo 'understood. The directory says why the leaver leaves; the log will repeat it.'
\echo
TRUNCATE answers;

\set file entra-change-title.json
\set body `cat examples/requests/entra-change-title.json`
SELECT '/Users/' || :'mira' AS uri \gset
INSERT INTO answers (request, file, status, headers, body)
SELECT 'PATCH /Users/…', :'file', a.* FROM scim.scim_apply('PATCH', :'uri', :'body', :'headers') AS a;

\set file entra-set-manager.json
\set body `cat examples/requests/entra-set-manager.json`
SELECT replace(:'body', '{{barbara}}', :'barbara') AS body \gset
INSERT INTO answers (request, file, status, headers, body)
SELECT 'PATCH /Users/…', :'file', a.* FROM scim.scim_apply('PATCH', :'uri', :'body', :'headers') AS a;

SET scim_audit.reason = 'leaves on 30 June';
SET scim_audit.ticket = 'HR-2291';
\set file okta-deactivate-user.json
\set body `cat examples/requests/okta-deactivate-user.json`
SELECT '/Users/' || :'jon' AS uri \gset
INSERT INTO answers (request, file, status, headers, body)
SELECT 'PATCH /Users/…', :'file', a.* FROM scim.scim_apply('PATCH', :'uri', :'body', :'headers') AS a;

\set file remove-member.json
\set body `cat examples/requests/remove-member.json`
SELECT replace(:'body', '{{jon}}', :'jon') AS body, '/Groups/' || :'staff' AS uri \gset
INSERT INTO answers (request, file, status, headers, body)
SELECT 'PATCH /Groups/…', :'file', a.* FROM scim.scim_apply('PATCH', :'uri', :'body', :'headers') AS a;
RESET scim_audit.reason;
RESET scim_audit.ticket;

\set ECHO queries
SELECT request, file, status, headers->>'ETag' AS etag,
       coalesce(body->>'userName', body->>'displayName') AS answered
FROM answers ORDER BY n;
\set ECHO none
