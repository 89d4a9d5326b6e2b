\echo
\echo '== 4. An application uses the same rows =='
\echo 'scim.users is a table like any other, to join and to refer to. "facilities" creates a'
\echo 'contractor by SCIM and gives her a desk in its own table, in one transaction: both'
\echo 'happen or neither.'
\echo
\connect - dba
-- The application's own table; a foreign key names the tenant too.
CREATE TABLE desks (
	tenant text NOT NULL DEFAULT 'default', user_id uuid, desk text NOT NULL,
	PRIMARY KEY (tenant, user_id), FOREIGN KEY (tenant, user_id) REFERENCES scim.users (tenant, id));
GRANT SELECT, INSERT ON desks TO facilities;
INSERT INTO desks (user_id, desk) VALUES (:'mira', '3-114');
\connect - facilities
SET application_name = 'facilities';
\set body `cat examples/requests/onboard-user.json`
\set ECHO queries
BEGIN;
SELECT status, headers->>'Location' AS location
FROM scim.scim_apply('POST', '/Users', :'body');
INSERT INTO desks (user_id, desk)
SELECT id, '3-115' FROM scim.users WHERE user_name = 'ada.okafor@north.example';
COMMIT;
\echo
SELECT u.user_name, u.title, u.department, m.display_name AS manager, u.active, d.desk
FROM scim.users u
LEFT JOIN scim.users m ON (m.tenant, m.id) = (u.tenant, u.manager_id)
LEFT JOIN desks d ON (d.tenant, d.user_id) = (u.tenant, u.id)
ORDER BY u.user_name;
\set ECHO none
