\echo
\echo '== 2. The directory creates three users and a group =='
\echo 'Three dialects: the RFC''s own, Entra ID''s and Okta''s. Each request is a file in'
\echo 'examples/requests, sent with scim.scim_apply(method, uri, body, headers) in a'
\echo 'transaction of its own; the answers are kept in a temporary table. The password that'
\echo 'Okta sends along is stored nowhere.'
\echo
\connect - directory
CREATE TEMP TABLE answers (
	n int GENERATED ALWAYS AS IDENTITY, request text, file text, status int, headers jsonb, body jsonb);
\set headers '{"User-Agent": "north-directory/2.4"}'

\set file rfc-create-user.json
\set body `cat examples/requests/rfc-create-user.json`
INSERT INTO answers (request, file, status, headers, body)
SELECT 'POST /Users', :'file', a.* FROM scim.scim_apply('POST', '/Users', :'body', :'headers') AS a;

\set file entra-create-user.json
\set body `cat examples/requests/entra-create-user.json`
INSERT INTO answers (request, file, status, headers, body)
SELECT 'POST /Users', :'file', a.* FROM scim.scim_apply('POST', '/Users', :'body', :'headers') AS a;

\set file okta-create-user.json
\set body `cat examples/requests/okta-create-user.json`
INSERT INTO answers (request, file, status, headers, body)
SELECT 'POST /Users', :'file', a.* FROM scim.scim_apply('POST', '/Users', :'body', :'headers') AS a;

SELECT body->>'id' AS barbara FROM answers WHERE body->>'userName' LIKE 'barbara%' \gset
SELECT body->>'id' AS mira FROM answers WHERE body->>'userName' LIKE 'mira%' \gset
SELECT body->>'id' AS jon FROM answers WHERE body->>'userName' LIKE 'jon%' \gset

\set file create-group.json
\set body `cat examples/requests/create-group.json`
SELECT replace(:'body', '{{barbara}}', :'barbara') AS body \gset
INSERT INTO answers (request, file, status, headers, body)
SELECT 'POST /Groups', :'file', a.* FROM scim.scim_apply('POST', '/Groups', :'body', :'headers') AS a;
SELECT body->>'id' AS staff FROM answers WHERE request = 'POST /Groups' \gset

\set file entra-add-members.json
\set body `cat examples/requests/entra-add-members.json`
SELECT replace(replace(:'body', '{{mira}}', :'mira'), '{{jon}}', :'jon') AS body, '/Groups/' || :'staff' AS uri \gset
INSERT INTO answers (request, file, status, headers, body)
SELECT 'PATCH /Groups/…', :'file', a.* FROM scim.scim_apply('PATCH', :'uri', :'body', :'headers') AS a;

\set ECHO queries
SELECT request, file, status, headers->>'ETag' AS etag,
       coalesce(body->>'userName', body->>'displayName') AS answered
FROM answers ORDER BY n;
\set ECHO none
