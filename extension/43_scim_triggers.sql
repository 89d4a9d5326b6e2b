-- The SCIM tables under audit.  version and last_modified are left out: a new
-- version for a group whose members changed is no event of its own, the
-- members' are.  ALWAYS: session_replication_role changes nothing.

CREATE TRIGGER scim_audit_row AFTER INSERT OR UPDATE OR DELETE ON scim.users
	FOR EACH ROW EXECUTE FUNCTION scim_audit.record_change(
		'resource=User', 'tenant=tenant', 'key=id', 'exclude=version', 'exclude=last_modified');
CREATE TRIGGER scim_audit_truncate BEFORE TRUNCATE ON scim.users
	FOR EACH STATEMENT EXECUTE FUNCTION scim_audit.record_truncate(
		'resource=User', 'tenant=tenant', 'key=id', 'exclude=version', 'exclude=last_modified');
ALTER TABLE scim.users ENABLE ALWAYS TRIGGER scim_audit_row;
ALTER TABLE scim.users ENABLE ALWAYS TRIGGER scim_audit_truncate;

CREATE TRIGGER scim_audit_row AFTER INSERT OR UPDATE OR DELETE ON scim.groups
	FOR EACH ROW EXECUTE FUNCTION scim_audit.record_change(
		'resource=Group', 'tenant=tenant', 'key=id', 'exclude=version', 'exclude=last_modified');
CREATE TRIGGER scim_audit_truncate BEFORE TRUNCATE ON scim.groups
	FOR EACH STATEMENT EXECUTE FUNCTION scim_audit.record_truncate(
		'resource=Group', 'tenant=tenant', 'key=id', 'exclude=version', 'exclude=last_modified');
ALTER TABLE scim.groups ENABLE ALWAYS TRIGGER scim_audit_row;
ALTER TABLE scim.groups ENABLE ALWAYS TRIGGER scim_audit_truncate;

CREATE TRIGGER scim_audit_row AFTER INSERT OR UPDATE OR DELETE ON scim.group_members
	FOR EACH ROW EXECUTE FUNCTION scim_audit.record_change(
		'resource=Group', 'link=members', 'tenant=tenant', 'key=group_id', 'key=member_id',
		'exclude=created', 'exclude=bound', 'exclude=user_id', 'exclude=nested_group_id');
CREATE TRIGGER scim_audit_truncate BEFORE TRUNCATE ON scim.group_members
	FOR EACH STATEMENT EXECUTE FUNCTION scim_audit.record_truncate(
		'resource=Group', 'link=members', 'tenant=tenant', 'key=group_id', 'key=member_id',
		'exclude=created', 'exclude=bound', 'exclude=user_id', 'exclude=nested_group_id');
ALTER TABLE scim.group_members ENABLE ALWAYS TRIGGER scim_audit_row;
ALTER TABLE scim.group_members ENABLE ALWAYS TRIGGER scim_audit_truncate;

CREATE TRIGGER scim_audit_row AFTER INSERT OR UPDATE OR DELETE ON scim.user_passwords
	FOR EACH ROW EXECUTE FUNCTION scim_audit.record_change(
		'tenant=tenant', 'key=user_id', 'redact=hash');
CREATE TRIGGER scim_audit_truncate BEFORE TRUNCATE ON scim.user_passwords
	FOR EACH STATEMENT EXECUTE FUNCTION scim_audit.record_truncate(
		'tenant=tenant', 'key=user_id', 'redact=hash');
ALTER TABLE scim.user_passwords ENABLE ALWAYS TRIGGER scim_audit_row;
ALTER TABLE scim.user_passwords ENABLE ALWAYS TRIGGER scim_audit_truncate;

-- Who may do what, and for whom.  The tenant "default" is there already, and
-- has no event.
CREATE TRIGGER scim_audit_row AFTER INSERT OR UPDATE OR DELETE ON scim.tenants
	FOR EACH ROW EXECUTE FUNCTION scim_audit.record_change('tenant=tenant', 'key=tenant');
CREATE TRIGGER scim_audit_truncate BEFORE TRUNCATE ON scim.tenants
	FOR EACH STATEMENT EXECUTE FUNCTION scim_audit.record_truncate('tenant=tenant', 'key=tenant');
ALTER TABLE scim.tenants ENABLE ALWAYS TRIGGER scim_audit_row;
ALTER TABLE scim.tenants ENABLE ALWAYS TRIGGER scim_audit_truncate;

CREATE TRIGGER scim_audit_row AFTER INSERT OR UPDATE OR DELETE ON scim.tenant_settings
	FOR EACH ROW EXECUTE FUNCTION scim_audit.record_change('tenant=tenant', 'key=tenant');
CREATE TRIGGER scim_audit_truncate BEFORE TRUNCATE ON scim.tenant_settings
	FOR EACH STATEMENT EXECUTE FUNCTION scim_audit.record_truncate('tenant=tenant', 'key=tenant');
ALTER TABLE scim.tenant_settings ENABLE ALWAYS TRIGGER scim_audit_row;
ALTER TABLE scim.tenant_settings ENABLE ALWAYS TRIGGER scim_audit_truncate;

CREATE TRIGGER scim_audit_row AFTER INSERT OR UPDATE OR DELETE ON scim.duties
	FOR EACH ROW EXECUTE FUNCTION scim_audit.record_change('tenant=tenant', 'key=role_oid', 'key=duty', 'key=tenant');
CREATE TRIGGER scim_audit_truncate BEFORE TRUNCATE ON scim.duties
	FOR EACH STATEMENT EXECUTE FUNCTION scim_audit.record_truncate('tenant=tenant', 'key=role_oid', 'key=duty', 'key=tenant');
ALTER TABLE scim.duties ENABLE ALWAYS TRIGGER scim_audit_row;
ALTER TABLE scim.duties ENABLE ALWAYS TRIGGER scim_audit_truncate;
