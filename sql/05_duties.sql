-- Duties: what a role may do, for which tenant, and how the two that must not
-- meet are kept apart.
\set VERBOSITY terse
SET client_min_messages = warning;
\pset footer off
INSERT INTO scim.tenants (tenant) VALUES ('regress-duty-a'), ('regress-duty-b');

CREATE ROLE regress_duty_prov;
CREATE ROLE regress_duty_audit;
CREATE ROLE regress_duty_read;
CREATE ROLE regress_duty_member IN ROLE regress_duty_read;
CREATE ROLE regress_duty_noinherit NOINHERIT IN ROLE regress_duty_read;
CREATE ROLE regress_duty_nobody;

-- What the current user holds, as policies see it.
CREATE FUNCTION pg_temp.held(duties text[]) RETURNS text LANGUAGE sql AS
	$$ SELECT CASE WHEN scim.all_tenants($1) THEN 'all' ELSE scim.tenants_of($1)::text END $$;
GRANT USAGE ON SCHEMA scim TO PUBLIC;

\echo -- nobody but the owner may grant
SET ROLE regress_duty_nobody;
SELECT scim.grant_duty('regress_duty_nobody', 'auditor');
SELECT scim.revoke_duty('regress_duty_nobody', 'auditor');
SELECT scim.create_standard_roles();
SELECT scim.apply_duty_privileges('regress_duty_nobody');
INSERT INTO scim.duties (role_name, role_oid, duty) VALUES ('regress_duty_nobody', 'regress_duty_nobody'::regrole, 'auditor');
SELECT count(*) FROM scim.duties;
SELECT pg_temp.held('{provisioning_admin,auditor,reader,audit_admin}');
SELECT scim.current_tenant();
RESET ROLE;

\echo -- what cannot be granted
SELECT scim.grant_duty('regress_duty_nobody', 'king');
SELECT scim.grant_duty('regress_duty_nobody', NULL);
SELECT scim.grant_duty('regress_duty_nobody', 'auditor', 'regress-duty-none');
SELECT scim.grant_duty('regress_duty_absent', 'auditor');
SELECT scim.grant_duty('-', 'auditor');
SELECT scim.revoke_duty('regress_duty_nobody', 'auditor');
SELECT scim.tenants_of('{king}');
SELECT scim.tenants_of('{NULL}');

\echo -- a duty for one tenant, then for two, then for all
SELECT scim.grant_duty('regress_duty_read', 'reader', 'regress-duty-a');
SET ROLE regress_duty_read;
SELECT pg_temp.held('{reader}') AS reader, pg_temp.held('{auditor}') AS auditor, pg_temp.held('{auditor,reader}') AS either, scim.current_tenant();
RESET ROLE;
SELECT scim.grant_duty('regress_duty_read', 'reader', 'regress-duty-b');
SELECT scim.grant_duty('regress_duty_read', 'reader', 'regress-duty-b');
SET ROLE regress_duty_read;
SELECT pg_temp.held('{reader}');
SELECT scim.current_tenant();
SET scim_audit.tenant = 'regress-duty-b';
SELECT scim.current_tenant();
SET scim_audit.tenant = 'default';
SELECT scim.current_tenant();
SET scim_audit.tenant = 'regress-duty-none';
SELECT scim.current_tenant();
RESET scim_audit.tenant;

\echo -- members use it, NOINHERIT members only after SET ROLE
SET ROLE regress_duty_member;
SELECT pg_temp.held('{reader}');
SET ROLE regress_duty_noinherit;
SELECT pg_temp.held('{reader}');
RESET ROLE;
SELECT scim.revoke_duty('regress_duty_read', 'reader', 'regress-duty-a');
SELECT scim.revoke_duty('regress_duty_read', 'reader', 'regress-duty-a');
SELECT scim.grant_duty('regress_duty_read', 'reader');
SET ROLE regress_duty_read;
SELECT pg_temp.held('{reader}');
SELECT scim.current_tenant();
SET scim_audit.tenant = 'regress-duty-a';
SELECT scim.current_tenant();
SET scim_audit.tenant = 'regress-duty-none';
SELECT scim.current_tenant();
RESET scim_audit.tenant;
RESET ROLE;

\echo -- a superuser holds everything; with one tenant only it is the default
SELECT pg_temp.held('{audit_admin}');
\set VERBOSITY sqlstate
SELECT scim.current_tenant();
\set VERBOSITY terse
BEGIN;
DELETE FROM scim.tenants WHERE tenant <> 'default';
SELECT scim.current_tenant();
ROLLBACK;

\echo -- rolling back a grant or a revocation rolls its effect back, in this session too
BEGIN;
SAVEPOINT s;
SELECT scim.grant_duty('regress_duty_nobody', 'reader', 'regress-duty-a');
SET ROLE regress_duty_nobody;
SELECT pg_temp.held('{reader}');
ROLLBACK TO s;
SET ROLE regress_duty_nobody;
SELECT pg_temp.held('{reader}');
ROLLBACK;
BEGIN;
SELECT scim.revoke_duty('regress_duty_read', 'reader');
SET ROLE regress_duty_read;
SELECT pg_temp.held('{reader}');
ROLLBACK;
SET ROLE regress_duty_read;
SELECT pg_temp.held('{reader}');
RESET ROLE;

\echo -- privileges come with a duty, and go when no other duty needs them
SELECT scim.grant_duty('regress_duty_audit', 'auditor', 'regress-duty-a');
SELECT scim.grant_duty('regress_duty_audit', 'audit_admin', 'regress-duty-a');
SELECT has_schema_privilege('regress_duty_audit', 'scim_audit', 'USAGE') AS usage, has_table_privilege('regress_duty_audit', 'scim_audit.duty_conflicts', 'SELECT') AS conflicts;
SELECT scim.revoke_duty('regress_duty_audit', 'auditor', 'regress-duty-a');
SELECT has_schema_privilege('regress_duty_audit', 'scim_audit', 'USAGE') AS usage, has_table_privilege('regress_duty_audit', 'scim_audit.duty_conflicts', 'SELECT') AS conflicts;
SELECT scim.revoke_duty('regress_duty_audit', 'audit_admin', 'regress-duty-a');
SELECT has_schema_privilege('regress_duty_audit', 'scim_audit', 'USAGE') AS usage, has_table_privilege('regress_duty_audit', 'scim_audit.duty_conflicts', 'SELECT') AS conflicts;

\echo -- every object that a duty needs exists
SELECT DISTINCT kind, object FROM scim.duty_privileges WHERE CASE kind
	WHEN 'SCHEMA' THEN to_regnamespace(object) IS NULL
	WHEN 'TABLE' THEN to_regclass(object) IS NULL
	ELSE to_regprocedure(object) IS NULL END;

\echo -- provisioning_admin and auditor do not meet: in one role, ...
SELECT scim.grant_duty('regress_duty_prov', 'provisioning_admin', 'regress-duty-a');
SELECT scim.grant_duty('regress_duty_prov', 'auditor', 'regress-duty-b');
SELECT scim.grant_duty('regress_duty_prov', 'auditor', 'regress-duty-a');
SELECT scim.grant_duty('regress_duty_prov', 'auditor');
SELECT scim.revoke_duty('regress_duty_prov', 'auditor', 'regress-duty-b');
\echo -- ... through a membership of the grantee, ...
GRANT regress_duty_prov TO regress_duty_audit;
SELECT scim.grant_duty('regress_duty_audit', 'auditor', 'regress-duty-a');
SELECT scim.grant_duty('regress_duty_audit', 'auditor', 'regress-duty-b');
REVOKE regress_duty_prov FROM regress_duty_audit;
SELECT scim.grant_duty('regress_duty_audit', 'auditor', 'regress-duty-a');
SELECT scim.revoke_duty('regress_duty_audit', 'auditor', 'regress-duty-a');
\echo -- ... or in a member of both, inheriting or not
CREATE ROLE regress_duty_twice NOINHERIT IN ROLE regress_duty_prov, regress_duty_audit;
SELECT scim.grant_duty('regress_duty_audit', 'auditor', 'regress-duty-a');
\echo -- (an authenticator that only switches roles does not count)
SET scim_audit.trusted_authenticators = 'regress_duty_other, regress_duty_twice';
SELECT scim.grant_duty('regress_duty_audit', 'auditor', 'regress-duty-a');
RESET scim_audit.trusted_authenticators;
\set conflicts 'SELECT role_name, tenant, provisioning_admin_through, auditor_through, state FROM scim_audit.duty_conflicts WHERE role_name LIKE ''regress_duty%'' ORDER BY 1, 2, 3, 4;'
:conflicts

\echo -- memberships that come later void both duties where they meet, and nowhere else
-- (since 16 whether a membership inherits is settled when it is granted)
ALTER ROLE regress_duty_twice INHERIT;
REVOKE regress_duty_prov, regress_duty_audit FROM regress_duty_twice;
GRANT regress_duty_prov, regress_duty_audit TO regress_duty_twice;
SET ROLE regress_duty_twice;
SELECT pg_temp.held('{provisioning_admin}') AS provisioning_admin, pg_temp.held('{auditor}') AS auditor, pg_temp.held('{provisioning_admin,auditor,reader,audit_admin}') AS any;
RESET ROLE;
SELECT scim.revoke_duty('regress_duty_audit', 'auditor', 'regress-duty-b');
SELECT scim.grant_duty('regress_duty_audit', 'auditor', 'regress-duty-b');
SELECT scim.revoke_duty('regress_duty_prov', 'provisioning_admin', 'regress-duty-a');
SET ROLE regress_duty_twice;
SELECT pg_temp.held('{provisioning_admin}') AS provisioning_admin, pg_temp.held('{auditor}') AS auditor;
RESET ROLE;
SELECT scim.grant_duty('regress_duty_prov', 'provisioning_admin', allow_both => true);
:conflicts
SET ROLE regress_duty_twice;
SELECT pg_temp.held('{provisioning_admin}') AS provisioning_admin, pg_temp.held('{auditor}') AS auditor;
RESET ROLE;
\echo -- a grant for all tenants is void as a whole where it meets the other duty for one
REVOKE regress_duty_audit FROM regress_duty_twice;
SELECT scim.revoke_duty('regress_duty_prov', 'provisioning_admin');
SELECT scim.grant_duty('regress_duty_prov', 'provisioning_admin');
GRANT regress_duty_audit TO regress_duty_twice;
SET ROLE regress_duty_twice;
SELECT pg_temp.held('{provisioning_admin}') AS provisioning_admin, pg_temp.held('{auditor}') AS auditor;
SET ROLE regress_duty_prov;
SELECT pg_temp.held('{provisioning_admin}') AS provisioning_admin;
RESET ROLE;
SELECT count(*) > 0 AS superusers_reported FROM scim_audit.duty_conflicts WHERE state = 'superuser';

\echo -- an auditor sees the duties of its tenants and those for all, a reader none
SET ROLE regress_duty_audit;
SELECT role_name, duty, tenant FROM scim.duties ORDER BY 1, 2, 3;
:conflicts
UPDATE scim.duties SET tenant = NULL;
SET ROLE regress_duty_read;
SELECT count(*) FROM scim.duties;
RESET ROLE;
SELECT scim.revoke_duty('regress_duty_audit', 'auditor', 'regress-duty-a');
SELECT scim.revoke_duty('regress_duty_audit', 'auditor', 'regress-duty-b');

\echo -- a renamed role holds nothing, nor does a role that takes a dropped one''s name
ALTER ROLE regress_duty_read RENAME TO regress_duty_read_new;
SET ROLE regress_duty_read_new;
SELECT pg_temp.held('{reader}');
RESET ROLE;
ALTER ROLE regress_duty_read_new RENAME TO regress_duty_read;
SET ROLE regress_duty_read;
SELECT pg_temp.held('{reader}');
RESET ROLE;
DROP OWNED BY regress_duty_read;
DROP ROLE regress_duty_read;
CREATE ROLE regress_duty_read;
SET ROLE regress_duty_read;
SELECT pg_temp.held('{reader}');
RESET ROLE;
SELECT scim.grant_duty('regress_duty_read', 'reader', 'regress-duty-b');
SELECT role_name, duty, tenant FROM scim.duties WHERE role_name = 'regress_duty_read';

\echo -- the standard roles, twice
BEGIN;
SELECT scim.create_standard_roles();
SELECT scim.create_standard_roles();
SELECT role_name, duty, tenant, allow_both, rolcanlogin FROM scim.duties JOIN pg_roles ON rolname = role_name WHERE role_name LIKE 'scim%' ORDER BY 1;
ROLLBACK;

\echo -- grants and revocations are in the log
SELECT event_type, resource_id, tenant, count(*) FROM scim_audit.events WHERE category = 'admin' AND resource_id LIKE 'regress_duty%' AND event_type LIKE 'duty.%' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;

SELECT scim.revoke_duty('regress_duty_read', 'reader', 'regress-duty-b');
SELECT scim.revoke_duty('regress_duty_prov', 'provisioning_admin');
SELECT count(*) FROM scim.duties WHERE role_name LIKE 'regress_duty%';
REVOKE USAGE ON SCHEMA scim FROM PUBLIC;
DROP ROLE regress_duty_twice, regress_duty_member, regress_duty_noinherit, regress_duty_prov, regress_duty_audit, regress_duty_read, regress_duty_nobody;
DELETE FROM scim.tenants WHERE tenant LIKE 'regress-duty%';
