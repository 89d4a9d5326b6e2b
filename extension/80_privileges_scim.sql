-- Nothing in scim is for everyone: duties bring the privileges
-- (scim.duty_privileges), a direct grant the rest.

REVOKE ALL ON TABLE scim.tenants, scim.tenant_settings, scim.users, scim.groups,
	scim.group_members, scim.user_passwords, scim.deleted_users FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION scim.scim_apply(text, text, text, jsonb), scim.scim_apply(text, text, jsonb, jsonb),
	scim.create_tenant(text, text, jsonb), scim.alter_tenant(text, jsonb),
	scim.disable_tenant(text), scim.enable_tenant(text), scim.log_tenant_drop(text),
	scim.check_password(uuid, text), scim.restore_user(uuid), scim.purge_deleted_users(text, interval), scim.recent_requests(integer), scim.provisioned_tenants(),
	scim.tenants_changed(), scim.keep_deleted(), scim.admit_restored(), scim.members_changed(),
	scim.contains(text, text), scim.contains_each(text, text[]), scim.ends_with(text, text), scim.parse_time(text), scim.base_url(text) FROM PUBLIC;

-- Row-level security is for direct SQL: who reads sees the tenants it is a
-- reader of, who writes (by a grant of its own) those it provisions.
-- scim_apply restricts every statement to its tenant itself.
ALTER TABLE scim.tenants ENABLE ROW LEVEL SECURITY;
ALTER TABLE scim.tenant_settings ENABLE ROW LEVEL SECURITY;
ALTER TABLE scim.users ENABLE ROW LEVEL SECURITY;
ALTER TABLE scim.groups ENABLE ROW LEVEL SECURITY;
ALTER TABLE scim.group_members ENABLE ROW LEVEL SECURITY;
ALTER TABLE scim.user_passwords ENABLE ROW LEVEL SECURITY;
ALTER TABLE scim.deleted_users ENABLE ROW LEVEL SECURITY;

CREATE POLICY own_tenants ON scim.tenants FOR SELECT USING (
	(SELECT scim.all_tenants('{provisioning_admin,auditor,reader,audit_admin}'))
	OR tenant = ANY ((SELECT scim.tenants_of('{provisioning_admin,auditor,reader,audit_admin}'))::text[]));
CREATE POLICY own_tenants ON scim.tenant_settings FOR SELECT USING (
	(SELECT scim.all_tenants('{provisioning_admin,auditor,reader,audit_admin}'))
	OR tenant = ANY ((SELECT scim.tenants_of('{provisioning_admin,auditor,reader,audit_admin}'))::text[]));

CREATE POLICY readers ON scim.users FOR SELECT USING (
	(SELECT scim.all_tenants('{reader}')) OR tenant = ANY ((SELECT scim.tenants_of('{reader}'))::text[]));
CREATE POLICY provisioners ON scim.users USING (
	(SELECT scim.all_tenants('{provisioning_admin}'))
	OR tenant = ANY ((SELECT scim.tenants_of('{provisioning_admin}'))::text[]));

CREATE POLICY provisioners ON scim.deleted_users FOR SELECT USING (
	(SELECT scim.all_tenants('{provisioning_admin}'))
	OR tenant = ANY ((SELECT scim.tenants_of('{provisioning_admin}'))::text[]));

CREATE POLICY readers ON scim.groups FOR SELECT USING (
	(SELECT scim.all_tenants('{reader}')) OR tenant = ANY ((SELECT scim.tenants_of('{reader}'))::text[]));
CREATE POLICY provisioners ON scim.groups USING (
	(SELECT scim.all_tenants('{provisioning_admin}'))
	OR tenant = ANY ((SELECT scim.tenants_of('{provisioning_admin}'))::text[]));

CREATE POLICY readers ON scim.group_members FOR SELECT USING (
	(SELECT scim.all_tenants('{reader}')) OR tenant = ANY ((SELECT scim.tenants_of('{reader}'))::text[]));
CREATE POLICY provisioners ON scim.group_members USING (
	(SELECT scim.all_tenants('{provisioning_admin}'))
	OR tenant = ANY ((SELECT scim.tenants_of('{provisioning_admin}'))::text[]));
