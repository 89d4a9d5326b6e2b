-- Clients of identity providers and their tokens.  A token is shown once, by
-- the function that makes it; what is kept is its SHA-256.  The guards of a
-- call are in C (src/pg/client.c), which knows the columns of the first two
-- tables by their place.

CREATE TABLE scim.clients (
	tenant text COLLATE "C" NOT NULL REFERENCES scim.tenants ON DELETE CASCADE,
	client text COLLATE "C" NOT NULL CHECK (client OPERATOR(pg_catalog.~) '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$'),
	role_name name NOT NULL,
	role_oid oid NOT NULL,
	profile text NOT NULL DEFAULT 'default' CHECK (profile OPERATOR(pg_catalog.=) ANY (
		ARRAY['default', 'rfc', 'entra', 'okta', 'onelogin', 'interop-strict'])),
	enabled boolean NOT NULL DEFAULT true,
	created timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	created_by name NOT NULL,
	PRIMARY KEY (tenant, client)
);
COMMENT ON TABLE scim.clients IS 'Clients that may call by HTTP; written by scim.create_client() and its like';
COMMENT ON COLUMN scim.clients.tenant IS 'The only tenant the client works for';
COMMENT ON COLUMN scim.clients.client IS 'Name, which is the actor in the log';
COMMENT ON COLUMN scim.clients.role_name IS 'Role whose duties the client has';
COMMENT ON COLUMN scim.clients.role_oid IS 'Oid of that role; the client is refused unless name and oid both match a role still';
COMMENT ON COLUMN scim.clients.profile IS 'What the client is forgiven (scim_audit.profile)';
COMMENT ON COLUMN scim.clients.enabled IS 'False: its tokens are refused';
COMMENT ON COLUMN scim.clients.created IS 'When it was created';
COMMENT ON COLUMN scim.clients.created_by IS 'Role that created it';

CREATE TABLE scim.client_tokens (
	tenant text COLLATE "C" NOT NULL,
	client text COLLATE "C" NOT NULL,
	last_four text COLLATE "C" NOT NULL,
	digest bytea NOT NULL UNIQUE,
	expires_at timestamptz,
	revoked_at timestamptz,
	issuer_name name NOT NULL,
	issuer_oid oid NOT NULL,
	created timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	PRIMARY KEY (tenant, client, last_four),
	FOREIGN KEY (tenant, client) REFERENCES scim.clients (tenant, client) ON DELETE CASCADE
);
COMMENT ON TABLE scim.client_tokens IS 'Tokens of clients, of which nobody can read more than the last four characters';
COMMENT ON COLUMN scim.client_tokens.tenant IS 'The client''s tenant';
COMMENT ON COLUMN scim.client_tokens.client IS 'The client';
COMMENT ON COLUMN scim.client_tokens.last_four IS 'Last four characters of the token, by which people and the log name it';
COMMENT ON COLUMN scim.client_tokens.digest IS 'SHA-256 of the token; granted to nobody';
COMMENT ON COLUMN scim.client_tokens.expires_at IS 'The token is refused from then on; null: never';
COMMENT ON COLUMN scim.client_tokens.revoked_at IS 'When it was revoked';
COMMENT ON COLUMN scim.client_tokens.issuer_name IS 'Role that issued it, and must still be a member of the client''s role';
COMMENT ON COLUMN scim.client_tokens.issuer_oid IS 'Oid of that role';
COMMENT ON COLUMN scim.client_tokens.created IS 'When it was issued';

-- Apart from the tokens, so that a use is no change of what is audited.
CREATE TABLE scim.client_uses (
	tenant text COLLATE "C" NOT NULL,
	client text COLLATE "C" NOT NULL,
	last_four text COLLATE "C" NOT NULL,
	last_used timestamptz,
	address text,
	status integer,
	PRIMARY KEY (tenant, client, last_four),
	FOREIGN KEY (tenant, client, last_four) REFERENCES scim.client_tokens ON DELETE CASCADE
);
COMMENT ON TABLE scim.client_uses IS 'When a token was used last, to the minute; the log has every write and failure';
COMMENT ON COLUMN scim.client_uses.tenant IS 'The client''s tenant';
COMMENT ON COLUMN scim.client_uses.client IS 'The client';
COMMENT ON COLUMN scim.client_uses.last_four IS 'The token';
COMMENT ON COLUMN scim.client_uses.last_used IS 'Last use that was noted; at most one a minute is';
COMMENT ON COLUMN scim.client_uses.address IS 'Network address it came from';
COMMENT ON COLUMN scim.client_uses.status IS 'HTTP status of the answer';

CREATE TRIGGER admit_restored BEFORE INSERT ON scim.clients
	FOR EACH STATEMENT EXECUTE FUNCTION scim.admit_restored();
CREATE TRIGGER admit_restored BEFORE INSERT ON scim.client_tokens
	FOR EACH STATEMENT EXECUTE FUNCTION scim.admit_restored();
CREATE TRIGGER admit_restored BEFORE INSERT ON scim.client_uses
	FOR EACH STATEMENT EXECUTE FUNCTION scim.admit_restored();

CREATE TRIGGER scim_audit_row AFTER INSERT OR UPDATE OR DELETE ON scim.clients
	FOR EACH ROW EXECUTE FUNCTION scim_audit.record_change('tenant=tenant', 'key=client');
CREATE TRIGGER scim_audit_truncate BEFORE TRUNCATE ON scim.clients
	FOR EACH STATEMENT EXECUTE FUNCTION scim_audit.record_truncate('tenant=tenant', 'key=client');
ALTER TABLE scim.clients ENABLE ALWAYS TRIGGER scim_audit_row;
ALTER TABLE scim.clients ENABLE ALWAYS TRIGGER scim_audit_truncate;

CREATE TRIGGER scim_audit_row AFTER INSERT OR UPDATE OR DELETE ON scim.client_tokens
	FOR EACH ROW EXECUTE FUNCTION scim_audit.record_change('tenant=tenant', 'key=client', 'key=last_four', 'redact=digest');
CREATE TRIGGER scim_audit_truncate BEFORE TRUNCATE ON scim.client_tokens
	FOR EACH STATEMENT EXECUTE FUNCTION scim_audit.record_truncate('tenant=tenant', 'key=client', 'key=last_four', 'redact=digest');
ALTER TABLE scim.client_tokens ENABLE ALWAYS TRIGGER scim_audit_row;
ALTER TABLE scim.client_tokens ENABLE ALWAYS TRIGGER scim_audit_truncate;

-- Who looks: provisioning administrators and auditors, each at their tenants.
ALTER TABLE scim.clients ENABLE ROW LEVEL SECURITY;
ALTER TABLE scim.client_tokens ENABLE ROW LEVEL SECURITY;
ALTER TABLE scim.client_uses ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_tenants ON scim.clients FOR SELECT USING (
	(SELECT scim.all_tenants('{provisioning_admin,auditor}'))
	OR tenant = ANY ((SELECT scim.tenants_of('{provisioning_admin,auditor}'))::text[]));
CREATE POLICY own_tenants ON scim.client_tokens FOR SELECT USING (
	(SELECT scim.all_tenants('{provisioning_admin,auditor}'))
	OR tenant = ANY ((SELECT scim.tenants_of('{provisioning_admin,auditor}'))::text[]));
CREATE POLICY own_tenants ON scim.client_uses FOR SELECT USING (
	(SELECT scim.all_tenants('{provisioning_admin,auditor}'))
	OR tenant = ANY ((SELECT scim.tenants_of('{provisioning_admin,auditor}'))::text[]));
REVOKE ALL ON TABLE scim.clients, scim.client_tokens, scim.client_uses FROM PUBLIC;

CREATE FUNCTION scim.draw_token(OUT token text, OUT digest bytea, OUT last_four text)
	LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'scim_audit_draw_token';
COMMENT ON FUNCTION scim.draw_token() IS 'A new token: 256 random bits';

CREATE FUNCTION scim.client_role_problem(role regrole, issuer regrole, tenant text) RETURNS text
	LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'scim_audit_client_role_problem';
COMMENT ON FUNCTION scim.client_role_problem(regrole, regrole, text) IS 'Why the role cannot be that of a client whose token issuer issues; null: it can';

CREATE FUNCTION scim.acting_role() RETURNS regrole
	LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'scim_audit_acting_role';
COMMENT ON FUNCTION scim.acting_role() IS 'The role that calls, outside any SECURITY DEFINER function';

CREATE FUNCTION scim.log_client(event_type text, action text, tenant text, client text, detail jsonb) RETURNS void
	LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'scim_audit_log_client';
COMMENT ON FUNCTION scim.log_client(text, text, text, text, jsonb) IS 'Writes the audit event of a client or token that changed';

CREATE FUNCTION scim.manages_clients(tenant text) RETURNS boolean
	LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'scim_audit_manages_clients';
COMMENT ON FUNCTION scim.manages_clients(text) IS 'May the caller manage the clients of the tenant: its provisioning administrator, or the owner of the extension?';

CREATE FUNCTION scim.check_client_manager(tenant text) RETURNS void
	LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF scim.manages_clients(tenant) IS NOT TRUE THEN
		RAISE EXCEPTION 'permission denied for the clients of tenant "%"', tenant USING ERRCODE = 'insufficient_privilege',
			DETAIL = 'The role needs the duty "provisioning_admin" for the tenant.';
	END IF;
	IF NOT EXISTS (SELECT FROM scim.tenants t WHERE t.tenant = check_client_manager.tenant) THEN
		RAISE EXCEPTION 'there is no tenant "%"', tenant USING ERRCODE = 'undefined_object';
	END IF;
END
$$;
COMMENT ON FUNCTION scim.check_client_manager(text) IS 'Raises an error unless the caller may manage the clients of the tenant';

-- The client, locked against another change; an error where there is none.
CREATE FUNCTION scim.lock_client(tenant text, name text) RETURNS scim.clients
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	found_client scim.clients;
BEGIN
	PERFORM scim.check_client_manager(tenant);
	SELECT * INTO found_client FROM scim.clients c
		WHERE c.tenant = lock_client.tenant AND c.client = lock_client.name FOR UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'tenant "%" has no client "%"', tenant, name USING ERRCODE = 'undefined_object';
	END IF;
	RETURN found_client;
END
$$;
COMMENT ON FUNCTION scim.lock_client(text, text) IS 'The client, locked; for who may manage it';

CREATE FUNCTION scim.check_client_role(role regrole, tenant text) RETURNS void
	LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	problem text;
BEGIN
	IF role IS NULL THEN
		RAISE EXCEPTION 'a client needs a role' USING ERRCODE = 'null_value_not_allowed',
			HINT = 'scim.create_standard_roles() makes scim_provisioning_admin, which is the default.';
	END IF;
	problem := scim.client_role_problem(role, scim.acting_role(), tenant);
	IF problem IS NOT NULL THEN
		RAISE EXCEPTION 'role % cannot be that of a client of tenant "%"', role, tenant USING ERRCODE = 'insufficient_privilege',
			DETAIL = format('The reason: %s.', problem),
			HINT = 'Take a role that has a duty for the tenant (scim.grant_duty), that you are a member of, and that is neither a superuser nor the owner of the extension.';
	END IF;
END
$$;
COMMENT ON FUNCTION scim.check_client_role(regrole, text) IS 'Raises an error unless the caller may give a client of the tenant this role';

CREATE FUNCTION scim.issue_token(tenant text, name text, expires_at timestamptz, OUT token text, OUT last_four text)
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	drawn record;
BEGIN
	IF expires_at <= clock_timestamp() THEN
		RAISE EXCEPTION 'expires_at is in the past' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	-- The last four characters name a token, so those of a client differ.
	LOOP
		SELECT * INTO drawn FROM scim.draw_token();
		EXIT WHEN NOT EXISTS (SELECT FROM scim.client_tokens t WHERE t.tenant = issue_token.tenant
			AND t.client = issue_token.name AND t.last_four = drawn.last_four);
	END LOOP;
	INSERT INTO scim.client_tokens (tenant, client, last_four, digest, expires_at, issuer_name, issuer_oid)
		SELECT issue_token.tenant, issue_token.name, drawn.last_four, drawn.digest, issue_token.expires_at, r.rolname, r.oid
		FROM pg_roles r WHERE r.oid = scim.acting_role();
	INSERT INTO scim.client_uses (tenant, client, last_four) VALUES (issue_token.tenant, issue_token.name, drawn.last_four);
	token := drawn.token;
	last_four := drawn.last_four;
END
$$;
COMMENT ON FUNCTION scim.issue_token(text, text, timestamptz) IS 'Keeps a new token of a client and returns it';

CREATE FUNCTION scim.create_client(tenant text, name text,
		role regrole DEFAULT pg_catalog.to_regrole('scim_provisioning_admin'),
		expires_at timestamptz DEFAULT NULL, profile text DEFAULT 'default') RETURNS text
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	issued record;
BEGIN
	PERFORM scim.check_client_manager(tenant);
	PERFORM scim.check_client_role(role, tenant);
	INSERT INTO scim.clients (tenant, client, role_name, role_oid, profile, created_by)
		SELECT create_client.tenant, create_client.name, r.rolname, r.oid, create_client.profile, scim.acting_role()::text
		FROM pg_roles r WHERE r.oid = role;
	SELECT * INTO issued FROM scim.issue_token(tenant, name, expires_at);
	PERFORM scim.log_client('token.issue', 'issue', tenant, name, jsonb_strip_nulls(jsonb_build_object(
		'last_four', issued.last_four, 'role', role::text, 'profile', profile, 'expires_at', expires_at)));
	RETURN issued.token;
END
$$;
COMMENT ON FUNCTION scim.create_client(text, text, regrole, timestamptz, text) IS 'Makes a client of a tenant, with the duties of a role, and returns its token: it is shown this once';

CREATE FUNCTION scim.rotate_token(tenant text, name text, expires_at timestamptz DEFAULT NULL,
		old_expires_at timestamptz DEFAULT NULL) RETURNS text
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	client scim.clients := scim.lock_client(tenant, name);
	issued record;
BEGIN
	PERFORM scim.check_client_role(client.role_oid::regrole, tenant);
	IF (SELECT count(*) FROM scim.client_tokens t
			WHERE t.tenant = rotate_token.tenant AND t.client = rotate_token.name
				AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > clock_timestamp())) > 1 THEN
		RAISE EXCEPTION 'client "%" has two live tokens already', name USING ERRCODE = 'object_not_in_prerequisite_state',
			HINT = 'scim.list_clients() shows them; scim.revoke_token() ends one.';
	END IF;
	IF old_expires_at IS NOT NULL THEN
		UPDATE scim.client_tokens t SET expires_at = least(t.expires_at, rotate_token.old_expires_at)
			WHERE t.tenant = rotate_token.tenant AND t.client = rotate_token.name AND t.revoked_at IS NULL;
	END IF;
	SELECT * INTO issued FROM scim.issue_token(tenant, name, expires_at);
	PERFORM scim.log_client('token.rotate', 'rotate', tenant, name, jsonb_strip_nulls(jsonb_build_object(
		'last_four', issued.last_four, 'expires_at', expires_at, 'old_expires_at', old_expires_at)));
	RETURN issued.token;
END
$$;
COMMENT ON FUNCTION scim.rotate_token(text, text, timestamptz, timestamptz) IS 'Returns a second token of a client, shown this once; the first works on until it is revoked, or until old_expires_at';

CREATE FUNCTION scim.revoke_token(tenant text, name text, last_four text) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
	PERFORM scim.lock_client(tenant, name);
	UPDATE scim.client_tokens t SET revoked_at = clock_timestamp()
		WHERE t.tenant = revoke_token.tenant AND t.client = revoke_token.name
			AND t.last_four = right(revoke_token.last_four, 4) AND t.revoked_at IS NULL;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'client "%" has no such token, or it is revoked already', name USING ERRCODE = 'undefined_object',
			HINT = 'scim.list_clients() shows the last four characters of its tokens.';
	END IF;
	PERFORM scim.log_client('token.revoke', 'revoke', tenant, name, jsonb_build_object('last_four', right(last_four, 4)));
END
$$;
COMMENT ON FUNCTION scim.revoke_token(text, text, text) IS 'Ends a token at once; it is named by its last four characters';

CREATE FUNCTION scim.alter_client(tenant text, name text, role regrole DEFAULT NULL, profile text DEFAULT NULL) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	client scim.clients := scim.lock_client(tenant, name);
BEGIN
	-- Whoever sets the role answers for the tokens from now on.
	IF role IS NOT NULL THEN
		PERFORM scim.check_client_role(role, tenant);
		UPDATE scim.clients c SET role_name = r.rolname, role_oid = r.oid FROM pg_roles r
			WHERE c.tenant = alter_client.tenant AND c.client = alter_client.name AND r.oid = alter_client.role;
		UPDATE scim.client_tokens t SET issuer_name = r.rolname, issuer_oid = r.oid FROM pg_roles r
			WHERE t.tenant = alter_client.tenant AND t.client = alter_client.name AND t.revoked_at IS NULL
				AND r.oid = scim.acting_role();
	END IF;
	UPDATE scim.clients c SET profile = coalesce(alter_client.profile, c.profile)
		WHERE c.tenant = alter_client.tenant AND c.client = alter_client.name;
	PERFORM scim.log_client('client.update', 'update', tenant, name, jsonb_strip_nulls(jsonb_build_object(
		'role', role::text, 'profile', profile)));
END
$$;
COMMENT ON FUNCTION scim.alter_client(text, text, regrole, text) IS 'Gives a client another role or profile; what is null stays';

CREATE FUNCTION scim.enable_client(tenant text, name text, enabled boolean DEFAULT true) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	word text := CASE WHEN enabled THEN 'enable' ELSE 'disable' END;
BEGIN
	PERFORM scim.lock_client(tenant, name);
	UPDATE scim.clients c SET enabled = coalesce(enable_client.enabled, false)
		WHERE c.tenant = enable_client.tenant AND c.client = enable_client.name;
	PERFORM scim.log_client('client.' || word, word, tenant, name, '{}');
END
$$;
COMMENT ON FUNCTION scim.enable_client(text, text, boolean) IS 'Lets a client that was disabled in again';

CREATE FUNCTION scim.disable_client(tenant text, name text) RETURNS void
	LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
	SELECT scim.enable_client(tenant, name, false)
$$;
COMMENT ON FUNCTION scim.disable_client(text, text) IS 'Refuses all tokens of a client from now on, until scim.enable_client()';

CREATE FUNCTION scim.drop_client(tenant text, name text) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
	PERFORM scim.lock_client(tenant, name);
	DELETE FROM scim.clients c WHERE c.tenant = drop_client.tenant AND c.client = drop_client.name;
	PERFORM scim.log_client('client.drop', 'drop', tenant, name, '{}');
END
$$;
COMMENT ON FUNCTION scim.drop_client(text, text) IS 'Removes a client and its tokens; its name stays in the log';

-- Here, for it ends the tenant's clients, too.
CREATE FUNCTION scim.drop_tenant(tenant text, confirm text) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	held record;
BEGIN
	IF drop_tenant.tenant = 'default' THEN
		RAISE EXCEPTION 'tenant "default" cannot be dropped' USING ERRCODE = 'object_not_in_prerequisite_state',
			HINT = 'scim.disable_tenant() ends SCIM calls for it.';
	END IF;
	PERFORM FROM scim.tenants t WHERE t.tenant = drop_tenant.tenant FOR UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no tenant "%"', tenant USING ERRCODE = 'undefined_object';
	END IF;
	IF confirm IS DISTINCT FROM drop_tenant.tenant THEN
		RAISE EXCEPTION 'dropping a tenant must be confirmed' USING ERRCODE = 'invalid_parameter_value',
			DETAIL = 'It deletes all users, groups, clients and tokens of the tenant. Its log is kept.',
			HINT = 'Give the name of the tenant as the second argument, too.';
	END IF;

	FOR held IN SELECT c.client FROM scim.clients c WHERE c.tenant = drop_tenant.tenant ORDER BY 1 LOOP
		PERFORM scim.drop_client(drop_tenant.tenant, held.client);
	END LOOP;
	-- A duty of a role that is gone, or is another one now, cannot be revoked from anybody.
	FOR held IN SELECT d.role_oid, d.duty FROM scim.duties d JOIN pg_roles r ON r.oid = d.role_oid AND r.rolname = d.role_name
			WHERE d.tenant = drop_tenant.tenant ORDER BY 1, 2 LOOP
		PERFORM scim.revoke_duty(held.role_oid::regrole, held.duty, drop_tenant.tenant);
	END LOOP;
	DELETE FROM scim.duties d WHERE d.tenant = drop_tenant.tenant;
	DELETE FROM scim.group_members m WHERE m.tenant = drop_tenant.tenant;
	DELETE FROM scim.groups g WHERE g.tenant = drop_tenant.tenant;
	DELETE FROM scim.users u WHERE u.tenant = drop_tenant.tenant;
	DELETE FROM scim.deleted_users u WHERE u.tenant = drop_tenant.tenant;
	PERFORM scim.delete_registered(drop_tenant.tenant);
	DELETE FROM scim.tenants t WHERE t.tenant = drop_tenant.tenant;
	PERFORM scim.log_tenant_drop(drop_tenant.tenant);
END
$$;
COMMENT ON FUNCTION scim.drop_tenant(text, text) IS 'Deletes a tenant with its users, groups, clients, tokens and duties; confirm is its name once more. Its log is kept, for auditors of all tenants, and its name is not given again';

CREATE FUNCTION scim.list_clients(tenant text)
	RETURNS TABLE (client text, role name, profile text, enabled boolean, last_four text, state text,
		created timestamptz, expires_at timestamptz, issued_by name,
		last_used timestamptz, last_address text, last_status integer)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT c.client, c.role_name, c.profile, c.enabled, t.last_four,
		CASE WHEN t.revoked_at IS NOT NULL THEN 'revoked' WHEN t.expires_at <= clock_timestamp() THEN 'expired'
			WHEN NOT c.enabled THEN 'disabled' WHEN t.last_four IS NOT NULL THEN 'live' END,
		t.created, t.expires_at, t.issuer_name, u.last_used, u.address, u.status
	FROM scim.clients c
	LEFT JOIN scim.client_tokens t ON t.tenant = c.tenant AND t.client = c.client
	LEFT JOIN scim.client_uses u ON u.tenant = t.tenant AND u.client = t.client AND u.last_four = t.last_four
	WHERE c.tenant = $1
	ORDER BY c.client, t.created DESC
$$;
COMMENT ON FUNCTION scim.list_clients(text) IS 'Clients of a tenant with their tokens: last four characters, state, expiry, last use (to the minute); for the tenant''s provisioning administrators and auditors';

REVOKE EXECUTE ON FUNCTION scim.draw_token(), scim.manages_clients(text), scim.client_role_problem(regrole, regrole, text), scim.acting_role(),
	scim.log_client(text, text, text, text, jsonb), scim.check_client_manager(text), scim.lock_client(text, text),
	scim.check_client_role(regrole, text), scim.issue_token(text, text, timestamptz),
	scim.create_client(text, text, regrole, timestamptz, text), scim.rotate_token(text, text, timestamptz, timestamptz),
	scim.revoke_token(text, text, text), scim.alter_client(text, text, regrole, text),
	scim.enable_client(text, text, boolean), scim.disable_client(text, text), scim.drop_client(text, text),
	scim.drop_tenant(text, text), scim.list_clients(text) FROM PUBLIC;

-- The rows are data: pg_dump must carry them.
SELECT pg_catalog.pg_extension_config_dump('scim.clients', '');
SELECT pg_catalog.pg_extension_config_dump('scim.client_tokens', '');
SELECT pg_catalog.pg_extension_config_dump('scim.client_uses', '');
