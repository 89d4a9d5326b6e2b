-- Duties: what a role may do here, and for which tenant.  Roles are
-- cluster-wide and outlive an extension, so none is shipped: duties are given
-- to roles that exist.

CREATE TABLE scim.duties (
	role_name name NOT NULL,
	role_oid oid NOT NULL,
	duty text NOT NULL CHECK (duty IN ('provisioning_admin', 'auditor', 'reader', 'audit_admin')),
	tenant text,
	allow_both boolean NOT NULL DEFAULT false,
	granted_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
	granted_by name NOT NULL DEFAULT SESSION_USER,
	UNIQUE NULLS NOT DISTINCT (role_oid, role_name, duty, tenant)
);
COMMENT ON TABLE scim.duties IS 'Duties of roles; written by scim.grant_duty() and scim.revoke_duty() only';
COMMENT ON COLUMN scim.duties.role_name IS 'Name of the role when the duty was granted';
COMMENT ON COLUMN scim.duties.role_oid IS 'Oid of the role when the duty was granted; the row grants nothing unless name and oid both match a role still';
COMMENT ON COLUMN scim.duties.duty IS 'provisioning_admin, auditor, reader or audit_admin';
COMMENT ON COLUMN scim.duties.tenant IS 'Tenant the duty is for; null is every tenant';
COMMENT ON COLUMN scim.duties.allow_both IS 'Granted knowing that provisioning_admin and auditor meet in one role';
COMMENT ON COLUMN scim.duties.granted_at IS 'Start of the transaction that granted the duty';
COMMENT ON COLUMN scim.duties.granted_by IS 'Session user who granted the duty';

CREATE FUNCTION scim.duties_changed() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME', 'scim_audit_duties_changed';
COMMENT ON FUNCTION scim.duties_changed() IS 'Tells every backend that scim.duties has changed';

CREATE TRIGGER duties_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON scim.duties
	FOR EACH STATEMENT EXECUTE FUNCTION scim.duties_changed();
ALTER TABLE scim.duties ENABLE ALWAYS TRIGGER duties_changed;

-- For policies: tenant = ANY ((SELECT scim.tenants_of('{reader}'))::text[])
-- OR (SELECT scim.all_tenants('{reader}')).  As sub-selects they run once per
-- query.
CREATE FUNCTION scim.tenants_of(duties text[]) RETURNS text[]
	LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'scim_audit_tenants_of';
COMMENT ON FUNCTION scim.tenants_of(text[]) IS 'Tenants for which current_user holds one of these duties; those held for every tenant do not count';

CREATE FUNCTION scim.all_tenants(duties text[]) RETURNS boolean
	LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'scim_audit_all_tenants';
COMMENT ON FUNCTION scim.all_tenants(text[]) IS 'Does current_user hold one of these duties for every tenant?';

CREATE FUNCTION scim.current_tenant() RETURNS text
	LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'scim_audit_current_tenant';
COMMENT ON FUNCTION scim.current_tenant() IS 'The tenant current_user works in: its only one, or the one scim_audit.tenant chooses among its own; an error where there is none';

-- What a duty needs of PostgreSQL's own privileges.  One line per privilege;
-- grant_duty and revoke_duty follow it.  An object that does not exist is
-- passed over.
CREATE VIEW scim.duty_privileges (duty, privilege, kind, object) WITH (security_invoker) AS
	SELECT d.duty, p.privilege, p.kind, p.object
	FROM (VALUES
		('{provisioning_admin,auditor,reader,audit_admin}'::text[], 'USAGE', 'SCHEMA', 'scim'),
		('{provisioning_admin,auditor,reader,audit_admin}', 'EXECUTE', 'FUNCTION', 'scim.scim_apply(text, text, text, jsonb)'),
		('{provisioning_admin,auditor,reader,audit_admin}', 'EXECUTE', 'FUNCTION', 'scim.scim_apply(text, text, jsonb, jsonb)'),
		('{provisioning_admin}', 'EXECUTE', 'FUNCTION', 'scim.recent_requests(integer)'),
		('{provisioning_admin}', 'SELECT', 'TABLE', 'scim.deleted_users'),
		('{provisioning_admin}', 'EXECUTE', 'FUNCTION', 'scim.restore_user(uuid)'),
		('{provisioning_admin}', 'EXECUTE', 'FUNCTION', 'scim.create_client(text, text, regrole, timestamp with time zone, text)'),
		('{provisioning_admin}', 'EXECUTE', 'FUNCTION', 'scim.rotate_token(text, text, timestamp with time zone, timestamp with time zone)'),
		('{provisioning_admin}', 'EXECUTE', 'FUNCTION', 'scim.revoke_token(text, text, text)'),
		('{provisioning_admin}', 'EXECUTE', 'FUNCTION', 'scim.alter_client(text, text, regrole, text)'),
		('{provisioning_admin}', 'EXECUTE', 'FUNCTION', 'scim.enable_client(text, text, boolean)'),
		('{provisioning_admin}', 'EXECUTE', 'FUNCTION', 'scim.disable_client(text, text)'),
		('{provisioning_admin}', 'EXECUTE', 'FUNCTION', 'scim.drop_client(text, text)'),
		('{provisioning_admin}', 'EXECUTE', 'FUNCTION', 'scim.doctor(text)'),
		('{provisioning_admin}', 'EXECUTE', 'FUNCTION', 'scim.doctor_facts(text)'),
		('{provisioning_admin}', 'EXECUTE', 'FUNCTION', 'scim.doctor_log(text)'),
		('{provisioning_admin}', 'EXECUTE', 'FUNCTION', 'scim.doctor_probes(text, text)'),
		('{provisioning_admin}', 'EXECUTE', 'FUNCTION', 'scim.probe_client(text, text, text, text, text)'),
		('{provisioning_admin}', 'EXECUTE', 'FUNCTION', 'scim.log_doctor(text, integer, integer)'),
		('{provisioning_admin,auditor}', 'EXECUTE', 'FUNCTION', 'scim.list_clients(text)'),
		('{provisioning_admin,auditor}', 'SELECT', 'TABLE', 'scim.clients'),
		('{provisioning_admin,auditor}', 'SELECT (tenant, client, last_four, expires_at, revoked_at, issuer_name, issuer_oid, created)', 'TABLE', 'scim.client_tokens'),
		('{provisioning_admin,auditor}', 'SELECT', 'TABLE', 'scim.client_uses'),
		('{reader}', 'SELECT', 'TABLE', 'scim.users'),
		('{reader}', 'SELECT', 'TABLE', 'scim.groups'),
		('{reader}', 'SELECT', 'TABLE', 'scim.group_members'),
		('{reader}', 'SELECT', 'TABLE', 'scim.user_emails'),
		('{reader}', 'SELECT', 'TABLE', 'scim.user_phone_numbers'),
		('{reader}', 'SELECT', 'TABLE', 'scim.user_ims'),
		('{reader}', 'SELECT', 'TABLE', 'scim.user_photos'),
		('{reader}', 'SELECT', 'TABLE', 'scim.user_addresses'),
		('{reader}', 'SELECT', 'TABLE', 'scim.user_entitlements'),
		('{reader}', 'SELECT', 'TABLE', 'scim.user_roles'),
		('{reader}', 'SELECT', 'TABLE', 'scim.user_x509_certificates'),
		('{reader}', 'SELECT', 'TABLE', 'scim.group_memberships'),
		('{reader}', 'EXECUTE', 'FUNCTION', 'scim.check_password(uuid, text)'),
		('{auditor,audit_admin}', 'SELECT', 'TABLE', 'scim.duties'),
		('{auditor,audit_admin}', 'USAGE', 'SCHEMA', 'scim_audit'),
		('{auditor,audit_admin}', 'EXECUTE', 'FUNCTION', 'scim_audit.verify(timestamp with time zone, timestamp with time zone)'),
		('{auditor}', 'SELECT', 'TABLE', 'scim_audit.events'),
		('{auditor}', 'SELECT', 'TABLE', 'scim_audit.seals'),
		('{auditor}', 'SELECT', 'TABLE', 'scim_audit.log'),
		('{auditor}', 'SELECT', 'TABLE', 'scim_audit.requests'),
		('{auditor}', 'SELECT', 'TABLE', 'scim_audit.changes'),
		('{auditor}', 'SELECT', 'TABLE', 'scim_audit.memberships'),
		('{auditor}', 'SELECT', 'TABLE', 'scim_audit.chain_status'),
		('{auditor,audit_admin}', 'SELECT', 'TABLE', 'scim_audit.log_origins'),
		('{auditor,audit_admin}', 'SELECT', 'TABLE', 'scim_audit.log_keys'),
		('{auditor,audit_admin}', 'SELECT', 'TABLE', 'scim_audit.checkpoints'),
		('{auditor,audit_admin}', 'SELECT', 'TABLE', 'scim_audit.checkpoint_spans'),
		('{auditor,audit_admin}', 'SELECT', 'TABLE', 'scim_audit.tiles'),
		('{auditor,audit_admin}', 'SELECT', 'TABLE', 'scim_audit.checkpoint_notes'),
		('{auditor,audit_admin}', 'EXECUTE', 'FUNCTION', 'scim_audit.log_origin()'),
		('{auditor,audit_admin}', 'EXECUTE', 'FUNCTION', 'scim_audit.checkpoint_text(text, bigint, bytea)'),
		('{auditor,audit_admin}', 'EXECUTE', 'FUNCTION', 'scim_audit.checkpoint_note()'),
		('{auditor,audit_admin}', 'EXECUTE', 'FUNCTION', 'scim_audit.published_checkpoint()'),
		('{auditor,audit_admin}', 'EXECUTE', 'FUNCTION', 'scim_audit.tree_root(text, bigint)'),
		('{auditor,audit_admin}', 'EXECUTE', 'FUNCTION', 'scim_audit.read_note(text)'),
		('{auditor,audit_admin}', 'EXECUTE', 'FUNCTION', 'scim_audit.log_verify(json)'),
		('{auditor,audit_admin}', 'EXECUTE', 'FUNCTION', 'scim_audit.verify_checkpoint(text)'),
		('{auditor}', 'EXECUTE', 'FUNCTION', 'scim_audit.prove(uuid, integer)'),
		('{auditor}', 'EXECUTE', 'FUNCTION', 'scim_audit.prove_consistency(bigint, bigint)'),
		('{auditor}', 'EXECUTE', 'FUNCTION', 'scim_audit.tile(text)'),
		('{audit_admin}', 'EXECUTE', 'FUNCTION', 'scim_audit.set_log_origin(text, text[])'),
		('{audit_admin}', 'EXECUTE', 'FUNCTION', 'scim_audit.checkpoint()'),
		('{audit_admin}', 'EXECUTE', 'FUNCTION', 'scim_audit.publish_checkpoint(text)'),
		('{audit_admin}', 'EXECUTE', 'FUNCTION', 'scim_audit.maintain()'),
		('{auditor}', 'USAGE', 'SCHEMA', 'scim_api'),
		('{auditor}', 'SELECT', 'TABLE', 'scim_api.log'),
		('{auditor}', 'SELECT', 'TABLE', 'scim_api.requests'),
		('{auditor}', 'SELECT', 'TABLE', 'scim_api.changes'),
		('{auditor}', 'SELECT', 'TABLE', 'scim_api.memberships'),
		('{auditor}', 'SELECT', 'TABLE', 'scim_api.chain_status'),
		('{auditor}', 'EXECUTE', 'FUNCTION', 'scim_api.answer_tlog(boolean, text, text)'),
		('{auditor}', 'EXECUTE', 'FUNCTION', 'scim_api.checkpoint()'),
		('{auditor}', 'EXECUTE', 'FUNCTION', 'scim_api.tile(text)'),
		('{auditor}', 'EXECUTE', 'FUNCTION', 'scim_api.log_page(text)'),
		('{auditor}', 'EXECUTE', 'FUNCTION', 'scim_api.requests_page(text)'),
		('{auditor}', 'EXECUTE', 'FUNCTION', 'scim_api.changes_page(text, integer)'),
		('{auditor}', 'EXECUTE', 'FUNCTION', 'scim_api.csv_cell(text)'),
		('{auditor}', 'EXECUTE', 'FUNCTION', 'scim_api.csv_line(json)'),
		('{auditor}', 'EXECUTE', 'FUNCTION', 'scim_api.csv_head(json)'),
		('{auditor}', 'EXECUTE', 'FUNCTION', 'scim_api.add_ndjson(text, anyelement)'),
		('{auditor}', 'EXECUTE', 'FUNCTION', 'scim_api.add_csv(text, anyelement)'),
		('{auditor}', 'EXECUTE', 'FUNCTION', 'scim_api.to_ndjson(anyelement)'),
		('{auditor}', 'EXECUTE', 'FUNCTION', 'scim_api.to_csv(anyelement)'),
		('{auditor}', 'EXECUTE', 'FUNCTION', 'scim_audit.log_export(text, text, text, bigint)'),
		('{auditor}', 'EXECUTE', 'FUNCTION', 'scim_api.export_rows(text, text, integer)'),
		('{auditor}', 'EXECUTE', 'FUNCTION', 'scim_api.finish_export(text, text, text, bigint, text)'),
		('{auditor}', 'EXECUTE', 'FUNCTION', 'scim_api.export_ndjson(text, text, integer)'),
		('{auditor}', 'EXECUTE', 'FUNCTION', 'scim_api.export_csv(text, text, integer)'),
		('{auditor,audit_admin}', 'SELECT', 'TABLE', 'scim_audit.duty_conflicts'),
		('{auditor,audit_admin}', 'SELECT', 'TABLE', 'scim_audit.tracked_tables'),
		('{auditor,audit_admin}', 'EXECUTE', 'FUNCTION', 'scim_audit.trigger_arguments(oid)'),
		('{auditor,audit_admin}', 'EXECUTE', 'FUNCTION', 'scim_audit.unguarded_partitions(regclass)')
	) AS p (duties, privilege, kind, object), LATERAL pg_catalog.unnest(p.duties) AS d (duty)
	UNION ALL
	SELECT 'reader', 'SELECT (' || c.columns || ')', 'TABLE', c.table_name FROM scim.registered_columns c;
COMMENT ON VIEW scim.duty_privileges IS 'The privileges that come with each duty';
COMMENT ON COLUMN scim.duty_privileges.duty IS 'The duty';
COMMENT ON COLUMN scim.duty_privileges.privilege IS 'The privilege, as in GRANT';
COMMENT ON COLUMN scim.duty_privileges.kind IS 'SCHEMA, TABLE or FUNCTION';
COMMENT ON COLUMN scim.duty_privileges.object IS 'The object, qualified, as in GRANT';

-- Bring a role's privileges on the objects of duty_privileges in line with
-- the duties it holds itself; `lost` names a duty it has just been deprived of.
CREATE FUNCTION scim.apply_duty_privileges(grantee regrole, lost text DEFAULT NULL) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	rolename name := (SELECT r.rolname FROM pg_roles r WHERE r.oid = grantee);
	command text;
BEGIN
	FOR command IN
		SELECT CASE WHEN n.needed THEN format('GRANT %s ON %s %s TO %I', n.privilege, n.kind, n.object, rolename)
			ELSE format('REVOKE %s ON %s %s FROM %I', n.privilege, n.kind, n.object, rolename) END
		FROM (
			SELECT p.privilege, p.kind, p.object, bool_or(d.duty IS NOT NULL) AS needed
			FROM scim.duty_privileges p
			LEFT JOIN scim.duties d ON d.duty = p.duty AND d.role_oid = grantee AND d.role_name = rolename
			WHERE d.duty IS NOT NULL OR p.duty = lost
			GROUP BY p.privilege, p.kind, p.object) AS n
		WHERE CASE n.kind
			WHEN 'SCHEMA' THEN to_regnamespace(n.object) IS NOT NULL
			WHEN 'TABLE' THEN to_regclass(n.object) IS NOT NULL
			ELSE to_regprocedure(n.object) IS NOT NULL END
		ORDER BY 1
	LOOP
		EXECUTE command;
	END LOOP;
END
$$;
COMMENT ON FUNCTION scim.apply_duty_privileges(regrole, text) IS 'Grants and revokes what scim.duty_privileges says of a role''s duties';

CREATE FUNCTION scim.log_duty(action text, grantee regrole, duty text, tenant text, allow_both boolean) RETURNS void
	LANGUAGE c AS 'MODULE_PATHNAME', 'scim_audit_log_duty';
COMMENT ON FUNCTION scim.log_duty(text, regrole, text, text, boolean) IS 'Writes the audit event of a duty granted or revoked';

-- Who would hold provisioning_admin and auditor together if grantee were
-- given duty for tenant: grantee itself and every role that is a member of
-- it.  Superusers are outside; so are the roles that scim_audit.trusted_authenticators
-- lists, for they only ever switch to another role.
CREATE FUNCTION scim.duty_meets(grantee regrole, duty text, tenant text,
	OUT holder name, OUT through name, OUT other_tenant text) RETURNS SETOF record
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT h.rolname, d.role_name, d.tenant
	FROM scim.duties d
	JOIN pg_roles o ON o.oid = d.role_oid AND o.rolname = d.role_name
	JOIN pg_roles h ON h.oid = d.role_oid OR (NOT h.rolsuper AND pg_has_role(h.oid, d.role_oid, 'MEMBER'))
	WHERE (h.oid = grantee OR (NOT h.rolsuper AND pg_has_role(h.oid, grantee, 'MEMBER')))
		AND (($2 = 'auditor' AND d.duty = 'provisioning_admin') OR ($2 = 'provisioning_admin' AND d.duty = 'auditor'))
		AND ($3 IS NULL OR d.tenant IS NULL OR d.tenant = $3)
		AND (h.oid = grantee OR h.rolname <> ALL (
			regexp_split_to_array(btrim(coalesce(current_setting('scim_audit.trusted_authenticators', true), '')), '\s*,\s*')))
	ORDER BY h.oid <> grantee, h.rolname, d.role_name
$$;
COMMENT ON FUNCTION scim.duty_meets(regrole, text, text) IS 'Roles that would hold provisioning_admin and auditor together';

CREATE FUNCTION scim.grant_duty(grantee regrole, duty text, tenant text DEFAULT NULL, allow_both boolean DEFAULT false)
	RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	rolename name := (SELECT r.rolname FROM pg_roles r WHERE r.oid = grantee);
	meets record;
BEGIN
	IF rolename IS NULL THEN
		RAISE EXCEPTION 'there is no role with oid %', grantee::oid USING ERRCODE = 'undefined_object';
	END IF;
	IF duty IS NULL OR duty <> ALL (ARRAY['provisioning_admin', 'auditor', 'reader', 'audit_admin']) THEN
		RAISE EXCEPTION 'there is no duty "%"', duty USING ERRCODE = 'invalid_parameter_value',
			HINT = 'Duties are provisioning_admin, auditor, reader and audit_admin.';
	END IF;
	IF tenant IS NOT NULL AND NOT EXISTS (SELECT FROM scim.tenants t WHERE t.tenant = grant_duty.tenant) THEN
		RAISE EXCEPTION 'there is no tenant "%"', tenant USING ERRCODE = 'undefined_object';
	END IF;

	-- One grant at a time, or two could meet unseen.
	LOCK TABLE scim.duties IN SHARE ROW EXCLUSIVE MODE;
	IF NOT allow_both THEN
		SELECT * INTO meets FROM scim.duty_meets(grantee, duty, tenant) LIMIT 1;
		IF FOUND THEN
			RAISE EXCEPTION 'role "%" would be provisioning_admin and auditor together', meets.holder
				USING ERRCODE = 'insufficient_privilege',
				DETAIL = format('It holds the other duty through role "%s".', meets.through),
				HINT = 'Whoever changes identities should not be the one who audits it. To allow it all the same, call grant_duty with allow_both => true.';
		END IF;
	END IF;

	-- What is left of roles that were dropped or renamed.
	DELETE FROM scim.duties d WHERE (d.role_name = rolename) <> (d.role_oid = grantee);
	INSERT INTO scim.duties (role_name, role_oid, duty, tenant, allow_both)
		VALUES (rolename, grantee, grant_duty.duty, grant_duty.tenant, grant_duty.allow_both)
		ON CONFLICT (role_oid, role_name, duty, tenant)
		DO UPDATE SET allow_both = excluded.allow_both, granted_at = excluded.granted_at, granted_by = excluded.granted_by;
	PERFORM scim.apply_duty_privileges(grantee);
	PERFORM scim.log_duty('grant', grantee, grant_duty.duty, grant_duty.tenant, grant_duty.allow_both);
END
$$;
COMMENT ON FUNCTION scim.grant_duty(regrole, text, text, boolean) IS 'Gives a role a duty (provisioning_admin, auditor, reader, audit_admin) for one tenant, or for all, with the privileges it needs';

CREATE FUNCTION scim.revoke_duty(grantee regrole, duty text, tenant text DEFAULT NULL) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	rolename name := (SELECT r.rolname FROM pg_roles r WHERE r.oid = grantee);
BEGIN
	LOCK TABLE scim.duties IN SHARE ROW EXCLUSIVE MODE;
	DELETE FROM scim.duties d
		WHERE d.role_oid = grantee AND d.role_name = rolename
			AND d.duty = revoke_duty.duty AND d.tenant IS NOT DISTINCT FROM revoke_duty.tenant;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'role "%" was not granted the duty "%" for %', coalesce(rolename::text, grantee::text), duty,
				CASE WHEN tenant IS NULL THEN 'all tenants' ELSE format('tenant "%s"', tenant) END
			USING ERRCODE = 'undefined_object',
			HINT = 'A duty is revoked as it was granted: scim.duties lists them.';
	END IF;
	PERFORM scim.apply_duty_privileges(grantee, duty);
	PERFORM scim.log_duty('revoke', grantee, duty, tenant, NULL);
END
$$;
COMMENT ON FUNCTION scim.revoke_duty(regrole, text, text) IS 'Takes a duty back, with the privileges that no other duty of the role needs';

CREATE FUNCTION scim.create_standard_roles() RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	standard text;
BEGIN
	FOREACH standard IN ARRAY ARRAY['provisioning_admin', 'auditor', 'reader'] LOOP
		IF to_regrole('scim_' || standard) IS NULL THEN
			EXECUTE format('CREATE ROLE %I NOLOGIN', 'scim_' || standard);
		END IF;
		PERFORM scim.grant_duty(to_regrole('scim_' || standard), standard);
	END LOOP;
END
$$;
COMMENT ON FUNCTION scim.create_standard_roles() IS 'Makes the roles scim_provisioning_admin, scim_auditor and scim_reader where they do not exist, and gives each its duty for all tenants';

REVOKE EXECUTE ON FUNCTION scim.duties_changed(), scim.apply_duty_privileges(regrole, text), scim.log_duty(text, regrole, text, text, boolean),
	scim.duty_meets(regrole, text, text), scim.grant_duty(regrole, text, text, boolean),
	scim.revoke_duty(regrole, text, text), scim.create_standard_roles() FROM PUBLIC;

-- An auditor sees who holds which duty for its tenants; a duty for all
-- tenants concerns every auditor.
ALTER TABLE scim.duties ENABLE ROW LEVEL SECURITY;
CREATE POLICY auditors ON scim.duties FOR SELECT USING (
	(SELECT scim.all_tenants('{auditor,audit_admin}'))
	OR tenant = ANY ((SELECT scim.tenants_of('{auditor,audit_admin}'))::text[])
	OR (tenant IS NULL AND (SELECT pg_catalog.cardinality(scim.tenants_of('{auditor,audit_admin}')) > 0)));

CREATE VIEW scim_audit.duty_conflicts WITH (security_invoker) AS
	SELECT h.rolname AS role_name,
		coalesce(p.tenant, a.tenant) AS tenant,
		p.role_name AS provisioning_admin_through,
		a.role_name AS auditor_through,
		CASE WHEN EXISTS (
			SELECT FROM scim.duties f
			JOIN pg_catalog.pg_roles fr ON fr.oid = f.role_oid AND fr.rolname = f.role_name
			WHERE f.allow_both AND f.duty IN ('provisioning_admin', 'auditor')
				AND (f.tenant IS NULL OR f.tenant = coalesce(p.tenant, a.tenant))
				AND pg_catalog.pg_has_role(h.oid, f.role_oid, 'MEMBER'))
			THEN 'allowed' ELSE 'void' END AS state
	FROM scim.duties p
	JOIN scim.duties a ON a.duty = 'auditor' AND (a.tenant IS NULL OR p.tenant IS NULL OR a.tenant = p.tenant)
	JOIN pg_catalog.pg_roles pr ON pr.oid = p.role_oid AND pr.rolname = p.role_name
	JOIN pg_catalog.pg_roles ar ON ar.oid = a.role_oid AND ar.rolname = a.role_name
	JOIN pg_catalog.pg_roles h ON NOT h.rolsuper
		AND pg_catalog.pg_has_role(h.oid, p.role_oid, 'MEMBER') AND pg_catalog.pg_has_role(h.oid, a.role_oid, 'MEMBER')
	WHERE p.duty = 'provisioning_admin'
	UNION ALL
	SELECT r.rolname, NULL, r.rolname, r.rolname, 'superuser'
	FROM pg_catalog.pg_roles r WHERE r.rolsuper;
COMMENT ON VIEW scim_audit.duty_conflicts IS 'Roles that hold provisioning_admin and auditor together, directly or by membership';
COMMENT ON COLUMN scim_audit.duty_conflicts.role_name IS 'The role that holds both';
COMMENT ON COLUMN scim_audit.duty_conflicts.tenant IS 'The tenant where they meet; null is every tenant';
COMMENT ON COLUMN scim_audit.duty_conflicts.provisioning_admin_through IS 'The role that was granted provisioning_admin: itself, or one it is a member of';
COMMENT ON COLUMN scim_audit.duty_conflicts.auditor_through IS 'The role that was granted auditor: itself, or one it is a member of';
COMMENT ON COLUMN scim_audit.duty_conflicts.state IS 'allowed: granted with allow_both; void: neither duty counts for this role there; superuser: outside every duty';
