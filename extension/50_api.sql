-- SCIM requests, tenants, passwords.

CREATE FUNCTION scim.scim_apply(method text, uri text, body text DEFAULT NULL, headers jsonb DEFAULT '{}',
		OUT status integer, OUT headers jsonb, OUT body jsonb)
	LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'scim_audit_apply_text';
COMMENT ON FUNCTION scim.scim_apply(text, text, text, jsonb) IS 'Serves a SCIM 2.0 request in this transaction; uri is raw and relative to the SCIM base (/Users?filter=…)';

-- body has no default here, else a call without one would be ambiguous.
CREATE FUNCTION scim.scim_apply(method text, uri text, body jsonb, headers jsonb DEFAULT '{}',
		OUT status integer, OUT headers jsonb, OUT body jsonb)
	LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'scim_audit_apply_jsonb';
COMMENT ON FUNCTION scim.scim_apply(text, text, jsonb, jsonb) IS 'Serves a SCIM 2.0 request in this transaction; uri is raw and relative to the SCIM base (/Users?filter=…)';

CREATE FUNCTION scim.create_tenant(tenant text, base_url text DEFAULT NULL, settings jsonb DEFAULT '{}') RETURNS void
	LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'scim_audit_create_tenant';
COMMENT ON FUNCTION scim.create_tenant(text, text, jsonb) IS 'Makes a tenant; settings: password (discard or hash), reactivate, soft_delete (true or false). The name of a dropped tenant is not given again';

CREATE FUNCTION scim.alter_tenant(tenant text, settings jsonb) RETURNS void
	LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'scim_audit_alter_tenant';
COMMENT ON FUNCTION scim.alter_tenant(text, jsonb) IS 'Changes settings of a tenant: base_url, password, reactivate, soft_delete; null stands for the default';

CREATE FUNCTION scim.disable_tenant(tenant text) RETURNS void
	LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'scim_audit_disable_tenant';
COMMENT ON FUNCTION scim.disable_tenant(text) IS 'Refuses every SCIM call for a tenant with 403, from the next one on; its users, its clients and its log stay as they are';

CREATE FUNCTION scim.enable_tenant(tenant text) RETURNS void
	LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'scim_audit_enable_tenant';
COMMENT ON FUNCTION scim.enable_tenant(text) IS 'Serves SCIM calls for a tenant again';

CREATE FUNCTION scim.log_tenant_drop(tenant text) RETURNS void
	LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'scim_audit_log_tenant_drop';
COMMENT ON FUNCTION scim.log_tenant_drop(text) IS 'Writes the audit event of a tenant that was dropped; for scim.drop_tenant()';

CREATE FUNCTION scim.restore_user(user_id uuid) RETURNS void
	LANGUAGE c VOLATILE STRICT SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'scim_audit_restore_user';
COMMENT ON FUNCTION scim.restore_user(uuid) IS 'Brings a deleted user back from scim.deleted_users, with the memberships of which the groups are still there; for provisioning administrators';

CREATE FUNCTION scim.purge_deleted_users(tenant text, older_than interval DEFAULT '0') RETURNS bigint
	LANGUAGE plpgsql VOLATILE STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	purged bigint;
BEGIN
	DELETE FROM scim.deleted_users d WHERE d.tenant = $1 AND d.deleted <= clock_timestamp() - older_than;
	GET DIAGNOSTICS purged = ROW_COUNT;
	IF purged > 0 THEN
		PERFORM scim_audit.log_event('admin', 'purge', 'user.purge', $1, 'Tenant', $1, json_build_object('users', purged, 'older_than', older_than));
	END IF;
	RETURN purged;
END
$$;
COMMENT ON FUNCTION scim.purge_deleted_users(text, interval) IS 'Removes for good what a tenant keeps of users deleted that long ago; how many. For the owner of the extension';

CREATE FUNCTION scim.check_password(user_id uuid, password text) RETURNS boolean
	LANGUAGE c VOLATILE STRICT SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'scim_audit_check_password';
COMMENT ON FUNCTION scim.check_password(uuid, text) IS 'Is this the password of the user (of the caller''s tenant, and not inactive)? Needs the duty reader';

CREATE FUNCTION scim.provisioned_tenants() RETURNS text[]
	LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'scim_audit_provisioned_tenants';
COMMENT ON FUNCTION scim.provisioned_tenants() IS 'Tenants whose provisioning administrator the caller is; null is every tenant';

-- The log is closed to provisioning administrators; this shows them their
-- own requests, and why they failed.
CREATE FUNCTION scim.recent_requests("limit" integer DEFAULT 50)
	RETURNS TABLE (at timestamptz, tenant text, actor text, method text, endpoint text, query text,
		status integer, scim_type text, error text, resource_type text, resource_id text,
		request jsonb, tolerances jsonb, idp_ref text, request_id uuid)
	LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
	SELECT e.at, e.tenant, e.actor, e.method, e.detail ->> 'endpoint', e.detail ->> 'query',
		e.status, e.scim_type, coalesce(e.detail -> 'response' ->> 'detail', 'token refused: ' || (e.detail ->> 'refused')), e.resource_type, e.resource_id,
		(e.detail -> 'request')::jsonb, (e.detail -> 'tolerances')::jsonb, e.detail ->> 'idp_ref', e.request_id
	FROM scim_audit.events e
	WHERE (e.category = 'request' OR e.event_type = 'token.refuse')
		AND ((SELECT scim.provisioned_tenants()) IS NULL OR e.tenant = ANY ((SELECT scim.provisioned_tenants())::text[]))
	ORDER BY e.tx_id DESC, e.n DESC
	LIMIT $1
$$;
COMMENT ON FUNCTION scim.recent_requests(integer) IS 'The latest SCIM requests of the caller''s tenants and why they failed, secrets replaced; for provisioning administrators';
