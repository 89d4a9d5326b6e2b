-- The database that test/idp/run replays into: a provisioning administrator
-- of the tenant "default", as an identity provider has one.
CREATE EXTENSION scim_audit CASCADE;
CREATE ROLE idp_test_provider LOGIN;
SELECT scim.grant_duty('idp_test_provider', 'provisioning_admin', 'default');
