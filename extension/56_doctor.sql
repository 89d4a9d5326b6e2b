-- What stands between a tenant and its identity provider, in words.

CREATE FUNCTION scim.probe_client(tenant text, client text, method text, uri text, body text, OUT status integer, OUT answer jsonb)
	LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'scim_audit_probe_client';
COMMENT ON FUNCTION scim.probe_client(text, text, text, text, text) IS 'The answer to a request that the client would send by HTTP; for who manages clients';

-- Roles that scim_audit.trusted_authenticators lists for this database: in
-- this session, or in what PostgreSQL sets when they log in.
CREATE FUNCTION scim.trusted_authenticators() RETURNS TABLE (role name)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT DISTINCT r.rolname
	FROM (SELECT current_setting('scim_audit.trusted_authenticators', true) AS list, NULL::oid AS only
		UNION ALL
		SELECT split_part(c, '=', 2), nullif(s.setrole, 0)
		FROM pg_db_role_setting s, unnest(s.setconfig) c
		WHERE c LIKE 'scim\_audit.trusted\_authenticators=%'
			AND s.setdatabase IN (0, (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()))) l
	CROSS JOIN LATERAL regexp_split_to_table(replace(l.list, '"', ''), '\s*,\s*') n
	JOIN pg_roles r ON r.rolname = btrim(n) AND (l.only IS NULL OR l.only = r.oid)
$$;
COMMENT ON FUNCTION scim.trusted_authenticators() IS 'Roles whose request headers are believed in this database';

-- A setting that a role has from ALTER ROLE or ALTER DATABASE.
CREATE FUNCTION scim.role_setting(role name, setting text) RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT substr(c, length(setting) + 2)
	FROM pg_db_role_setting s
	JOIN pg_roles r ON s.setrole IN (0, r.oid), unnest(s.setconfig) c
	WHERE r.rolname = role AND starts_with(c, setting || '=')
		AND s.setdatabase IN (0, (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()))
	ORDER BY s.setrole <> 0 DESC, s.setdatabase <> 0 DESC LIMIT 1
$$;
COMMENT ON FUNCTION scim.role_setting(name, text) IS 'What ALTER ROLE or ALTER DATABASE sets for a role; null: nothing';

-- What the catalogs and the tables say.
CREATE FUNCTION scim.doctor_facts(tenant text) RETURNS TABLE (check_name text, ok boolean, message text)
	LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	here text := doctor_facts.tenant;
	path text := CASE here WHEN 'default' THEN '/scim/v2' ELSE '/' || here || '/scim/v2' END;
	url text := (SELECT s.base_url FROM scim.tenant_settings s WHERE s.tenant = here);
	c record;
	a name;
	n bigint;
BEGIN
	check_name := 'tenant';
	IF scim.manages_clients(here) AND NOT EXISTS (SELECT FROM scim.tenants t WHERE t.tenant = here) THEN
		ok := false;
		message := format('there is no tenant "%s"; make it: SELECT scim.create_tenant(%L, %L)', here, here, 'https://HOST' || path);
		RETURN NEXT;
		RETURN;
	END IF;
	PERFORM scim.check_client_manager(here);
	ok := true;
	message := here;
	RETURN NEXT;

	check_name := 'base_url';
	ok := coalesce(url ~ '^https://[^_]+$' AND right(url, length(path)) = path, false);
	message := CASE
		WHEN url IS NULL THEN format('not set, so that Location is relative; set it: SELECT scim.alter_tenant(%L, %L)', here,
			format('{"base_url": "https://HOST%s"}', path))
		WHEN url LIKE 'http:%' THEN format('%s is not https: identity providers send no token there', url)
		WHEN right(url, length(path)) <> path THEN format('%s does not end in %s, the tenant URL that nginx serves', url, path)
		WHEN url LIKE '%\_%' THEN format('%s has an underscore, which Okta does not take', url)
		ELSE format('the tenant URL to paste is %s', url) END;
	RETURN NEXT;

	check_name := 'client';
	SELECT count(*) INTO n FROM scim.clients cl WHERE cl.tenant = here AND cl.enabled AND EXISTS (
		SELECT FROM scim.client_tokens t WHERE t.tenant = here AND t.client = cl.client AND t.revoked_at IS NULL
			AND (t.expires_at IS NULL OR t.expires_at > clock_timestamp()));
	ok := n > 0;
	message := CASE WHEN ok THEN format('%s enabled, with a live token', n)
		ELSE format('no client is enabled and has a live token; make one: SELECT scim.create_client(%L, ''entra'')', here) END;
	RETURN NEXT;

	FOR c IN SELECT cl.client, cl.role_name, cl.role_oid, cl.profile, cl.enabled, t.last_four, t.expires_at, t.issuer_name, t.issuer_oid,
				u.last_used, u.status
			FROM scim.clients cl JOIN scim.client_tokens t ON t.tenant = cl.tenant AND t.client = cl.client
			LEFT JOIN scim.client_uses u ON u.tenant = t.tenant AND u.client = t.client AND u.last_four = t.last_four
			WHERE cl.tenant = here AND cl.enabled AND t.revoked_at IS NULL ORDER BY cl.client, t.created LOOP
		check_name := format('token …%s of %s', c.last_four, c.client);
		ok := c.expires_at IS NULL OR c.expires_at > clock_timestamp() + interval '30 days';
		message := CASE WHEN c.expires_at <= clock_timestamp() THEN format('expired at %s', c.expires_at)
			WHEN NOT ok THEN format('expires at %s; scim.rotate_token(%L, %L) makes the next one, and both work until then', c.expires_at, here, c.client)
			WHEN c.last_used IS NULL THEN 'live, never used: the provider has another token, or another URL, or has not called yet'
			ELSE format('live, last used at %s, answered %s', c.last_used, c.status) END;
		RETURN NEXT;

		check_name := format('role of %s, token …%s', c.client, c.last_four);
		message := CASE
			WHEN NOT EXISTS (SELECT FROM pg_roles r WHERE r.oid = c.role_oid AND r.rolname = c.role_name)
				THEN format('role %I is not the one that was given to the client; scim.alter_client(%L, %L, role => …) gives it one', c.role_name, here, c.client)
			WHEN NOT EXISTS (SELECT FROM pg_roles r WHERE r.oid = c.issuer_oid AND r.rolname = c.issuer_name)
				THEN format('role %I, which issued the token, is gone; scim.alter_client(%L, %L, role => %L) answers for it', c.issuer_name, here, c.client, c.role_name)
			ELSE format('role %I cannot serve', c.role_name) || ': ' || scim.client_role_problem(c.role_oid::regrole, c.issuer_oid::regrole, here) END;
		ok := message IS NULL;
		message := coalesce(message, format('%I, profile %s', c.role_name, c.profile));
		RETURN NEXT;
	END LOOP;

	check_name := 'trusted_authenticators';
	SELECT count(*) INTO n FROM scim.trusted_authenticators();
	ok := n > 0;
	message := CASE WHEN ok THEN (SELECT string_agg(quote_ident(r.role), ', ' ORDER BY r.role) FROM scim.trusted_authenticators() r)
		ELSE format('not set, so that no request by HTTP is believed; as superuser: ALTER DATABASE %I SET scim_audit.trusted_authenticators = ''authenticator''', current_database()) END;
	RETURN NEXT;

	FOR a IN SELECT r.role FROM scim.trusted_authenticators() r ORDER BY 1 LOOP
		check_name := format('authenticator %I', a);
		message := CASE
			WHEN NOT EXISTS (SELECT FROM pg_roles m WHERE pg_has_role(a, m.oid, 'MEMBER')
					AND has_schema_privilege(m.oid, 'scim_api', 'USAGE') AND has_function_privilege(m.oid, 'scim_api.scim_http(bytea)', 'EXECUTE'))
				THEN 'neither it nor a role it can become has USAGE on schema scim_api and EXECUTE on scim_api.scim_http(bytea)'
			WHEN (SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = a)
				THEN 'it is a superuser: whoever gets hold of PostgREST has the whole cluster'
			WHEN coalesce(scim.role_setting(a, 'default_transaction_isolation'), 'read committed') <> 'read committed'
				THEN 'its default_transaction_isolation is not read committed, and scim_http refuses any other'
			WHEN scim.role_setting(a, 'log_parameter_max_length') IS DISTINCT FROM '0'
				THEN format('tokens could get into the server''s log; as superuser: ALTER ROLE %I SET log_parameter_max_length = 0', a) END;
		ok := message IS NULL;
		message := coalesce(message, 'may call scim_http; its parameters stay out of the server''s log');
		RETURN NEXT;
	END LOOP;

	check_name := 'partitions';
	ok := to_regclass(to_char(now() AT TIME ZONE 'UTC' + interval '1 month', '"scim_audit.events_"YYYY_MM')) IS NOT NULL;
	message := CASE WHEN ok THEN 'the log has its partition for next month' ELSE 'next month''s partition of the log is missing: SELECT scim_audit.ensure_partitions()' END;
	RETURN NEXT;
END
$$;
COMMENT ON FUNCTION scim.doctor_facts(text) IS 'What the catalogs and the tables say about a tenant''s connection';

-- What the log says of the last day.  Only its newest events are looked at,
-- so that the answer does not take as long as the log.
CREATE FUNCTION scim.doctor_log(tenant text) RETURNS TABLE (check_name text, ok boolean, message text)
	LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	here text := doctor_log.tenant;
	verified record;
	failed record;
BEGIN
	PERFORM scim.check_client_manager(here);
	SELECT max(e.at) AS at, (array_agg(e.detail ->> 'findings' ORDER BY e.at DESC))[1] AS findings INTO verified
		FROM (SELECT l.at, l.event_type, l.detail FROM scim_audit.events l ORDER BY l.tx_id DESC, l.n DESC LIMIT 100000) e
		WHERE e.event_type = 'log.verify';
	check_name := 'verify';
	ok := coalesce(verified.findings = '0', false);
	message := CASE WHEN verified.at IS NULL THEN 'scim_audit.verify() has not run lately; run it from a schedule'
		ELSE format('last run at %s: %s', verified.at, CASE WHEN ok THEN 'whole' ELSE verified.findings || ' findings' END) END;
	RETURN NEXT;

	SELECT count(*) FILTER (WHERE f.outcome <> 'success') AS failures, count(*) AS requests,
			bool_or(f.status IN (401, 403) OR f.status >= 500) AS serious,
			(SELECT string_agg(g.line, '; ' ORDER BY g.n DESC, g.line) FROM (
				SELECT count(*) AS n, format('%s × %s %s', count(*), x.status, coalesce('token ' || (x.detail ->> 'refused'),
					x.detail -> 'response' ->> 'detail')) AS line
				FROM (SELECT l.* FROM scim_audit.events l ORDER BY l.tx_id DESC, l.n DESC LIMIT 100000) x
				WHERE x.tenant = here AND x.at > now() - interval '1 day' AND x.outcome <> 'success'
					AND (x.category = 'request' OR x.event_type = 'token.refuse')
				GROUP BY x.status, coalesce('token ' || (x.detail ->> 'refused'), x.detail -> 'response' ->> 'detail')
				ORDER BY 1 DESC LIMIT 5) g) AS lines INTO failed
		FROM (SELECT l.* FROM scim_audit.events l ORDER BY l.tx_id DESC, l.n DESC LIMIT 100000) f
		WHERE f.tenant = here AND f.at > now() - interval '1 day' AND (f.category = 'request' OR f.event_type = 'token.refuse');
	check_name := 'recent requests';
	ok := NOT coalesce(failed.serious, false);
	message := CASE WHEN failed.failures = 0 THEN format('%s in a day, no failure', failed.requests)
		ELSE format('%s of %s failed in a day: %s; scim.recent_requests() shows them', failed.failures, failed.requests, failed.lines) END;
	RETURN NEXT;
END
$$;
COMMENT ON FUNCTION scim.doctor_log(text) IS 'What the log says about a tenant''s requests of the last day';

-- The requests of Entra's and Okta's set-up pages, and the life of a user.
-- Answers a row for each; the caller undoes it all.
CREATE FUNCTION scim.doctor_probes(tenant text, client text) RETURNS TABLE (check_name text, ok boolean, message text)
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	p record;
	r record;
	body text;
	guid text := gen_random_uuid()::text;
	id text;
BEGIN
	FOR p IN SELECT * FROM (VALUES
			('Entra: Test Connection', 'GET', format('/Users?filter=userName%%20eq%%20%%22%s%%22', guid), NULL, 200),
			('Okta: users', 'GET', '/Users?startIndex=1&count=2', NULL, 200),
			('Okta: groups', 'GET', '/Groups?startIndex=1&count=2', NULL, 200),
			('Okta: import by name', 'GET', format('/Users?filter=userName+eq+"%s@example.com"&startIndex=1&count=100', guid), NULL, 200),
			('capabilities', 'GET', '/ServiceProviderConfig', NULL, 200),
			('schemas', 'GET', '/Schemas', NULL, 200),
			('create a user', 'POST', '/Users', format('{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User",'
				' "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"], "externalId": "%1$s", "userName": "doctor-%1$s@example.com",'
				' "active": true, "displayName": "doctor", "name": {"givenName": "Doctor", "familyName": "Probe"},'
				' "emails": [{"primary": true, "type": "work", "value": "doctor-%1$s@example.com"}]}', guid), 201),
			('find it', 'GET', format('/Users?filter=externalId%%20eq%%20%%22%s%%22', guid), NULL, 200),
			('deactivate it', 'PATCH', '/Users/ID', '{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],'
				' "Operations": [{"op": "replace", "path": "active", "value": false}]}', 200),
			('see it inactive', 'GET', '/Users/ID', NULL, 200),
			('delete it', 'DELETE', '/Users/ID', NULL, 204),
			('see it gone', 'GET', '/Users/ID', NULL, 404)) AS v (name, method, uri, body, status)
	LOOP
		CONTINUE WHEN id IS NULL AND (p.uri LIKE '%/ID' OR p.name = 'find it');
		SELECT * INTO r FROM scim.probe_client(tenant, client, p.method, replace(p.uri, '/ID', '/' || coalesce(id, '')), p.body);
		check_name := format('%s: %s', client, p.name);
		ok := r.status = p.status AND CASE
			WHEN p.name IN ('Entra: Test Connection', 'Okta: import by name') THEN r.answer ->> 'totalResults' = '0' AND jsonb_typeof(r.answer -> 'Resources') = 'array'
			WHEN p.name LIKE 'Okta: %' THEN jsonb_typeof(r.answer -> 'Resources') = 'array' AND jsonb_typeof(r.answer -> 'startIndex') = 'number'
			WHEN p.name = 'find it' THEN r.answer -> 'totalResults' = '1'
			WHEN p.name = 'see it inactive' THEN r.answer -> 'active' = 'false'
			ELSE true END;
		message := format('%s %s: %s', p.method, p.uri, r.status)
			|| CASE WHEN ok THEN '' WHEN r.status >= 400 THEN format(', not %s: %s', p.status, r.answer ->> 'detail')
				WHEN r.status <> p.status THEN format(', not %s', p.status) ELSE ', with an answer that is not as expected' END;
		IF p.name = 'create a user' AND r.status = 201 THEN
			id := r.answer ->> 'id';
		END IF;
		RETURN NEXT;
	END LOOP;
END
$$;
COMMENT ON FUNCTION scim.doctor_probes(text, text) IS 'Plays what Entra and Okta send, as a client; to be undone by the caller';

CREATE FUNCTION scim.doctor(tenant text) RETURNS TABLE (check_name text, ok boolean, message text)
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	c record;
	n_checks integer := 0;
	n_failed integer := 0;
	fit text[] := '{}';			-- clients that a token would let in
BEGIN
	FOR check_name, ok, message IN SELECT f.check_name, f.ok, f.message FROM scim.doctor_facts(tenant) f LOOP
		n_checks := n_checks + 1;
		n_failed := n_failed + (NOT ok)::integer;
		RETURN NEXT;
		IF check_name = 'tenant' AND NOT ok THEN
			RETURN;
		END IF;
		fit := fit || CASE WHEN ok THEN substring(check_name FROM '^role of (.*), token ') END;
	END LOOP;
	FOR c IN SELECT DISTINCT l.client FROM scim.list_clients(tenant) l
			WHERE l.state = 'live' AND l.client = ANY (fit) ORDER BY 1 LOOP
		BEGIN
			FOR check_name, ok, message IN SELECT p.check_name, p.ok, p.message FROM scim.doctor_probes(tenant, c.client) p LOOP
				n_checks := n_checks + 1;
				n_failed := n_failed + (NOT ok)::integer;
				RETURN NEXT;
			END LOOP;
			RAISE EXCEPTION 'undo' USING ERRCODE = 'SCIM0';
		EXCEPTION WHEN SQLSTATE 'SCIM0' THEN
			NULL;
		END;
	END LOOP;
	FOR check_name, ok, message IN SELECT l.check_name, l.ok, l.message FROM scim.doctor_log(tenant) l LOOP
		n_checks := n_checks + 1;
		n_failed := n_failed + (NOT ok)::integer;
		RETURN NEXT;
	END LOOP;
	IF NOT pg_is_in_recovery() THEN
		PERFORM scim.log_doctor(tenant, n_checks, n_failed);
	END IF;
END
$$;
COMMENT ON FUNCTION scim.doctor(text) IS 'Checks a tenant''s connection: settings, clients, tokens, and the requests of Entra''s and Okta''s set-up pages; says what is wrong and leaves nothing behind but its own event';

CREATE FUNCTION scim.log_doctor(tenant text, checks integer, failed integer) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM scim.check_client_manager(tenant);
	PERFORM scim_audit.log_event('admin', 'check', 'tenant.check', tenant, 'Tenant', tenant, json_build_object('checks', checks, 'failed', failed));
END
$$;
COMMENT ON FUNCTION scim.log_doctor(text, integer, integer) IS 'Writes the event of scim.doctor()';

REVOKE EXECUTE ON FUNCTION scim.probe_client(text, text, text, text, text), scim.trusted_authenticators(), scim.role_setting(name, text),
	scim.doctor_facts(text), scim.doctor_log(text), scim.doctor_probes(text, text), scim.doctor(text),
	scim.log_doctor(text, integer, integer) FROM PUBLIC;
