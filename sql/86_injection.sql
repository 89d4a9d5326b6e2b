-- Hostile texts in every place that takes one end as data: in rows, answers,
-- events and views, and nowhere as SQL, JSON or a path
\set VERBOSITY terse
\set QUIET on
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
SELECT clock_timestamp() AS began \gset
SELECT scim.create_tenant('regress-86');
CREATE TEMP TABLE nasty (n int, t text);
INSERT INTO nasty VALUES (1, $$'; DROP TABLE scim.users; --$$), (2, $$"; DROP TABLE scim.users; --$$), (3, $$\'; SELECT 1; --$$), (4, $$\$$),
	(5, $$","active":false,"x":"$$), (6, $$%_\%\_%$$), (7, $$$1$$), (8, $$:1 $2 ? {} [] () && ||$$), (9, $$\u0000 \u0022 \x00 %00$$), (10, $$${jndi:x} <script>alert(1)</script>$$),
	(11, E'tab\tnewline\nreturn\rescape\x1b delete\x7f'), (12, U&'\202E right-to-left \200B zero width \FEFF bom'), (13, U&'\+01F600 \+10FFFF'), (14, $$a' OR '1'='1$$),
	(15, $$") or (userName pr$$), (16, $$1e999999$$), (17, $$null$$), (18, repeat('''', 100)), (19, E'line\u2028separator \u0085 next line'), (20, $$*)(uid=*))(|(uid=*$$);
-- What a question leaves, besides the answer it is asked for: nothing.
CREATE FUNCTION pg_temp.percent(t text) RETURNS text LANGUAGE sql AS
	$$ SELECT string_agg('%' || upper(encode(substr(b, i, 1), 'hex')), '' ORDER BY i) FROM (SELECT convert_to(t, 'UTF8') AS b) c, generate_series(1, octet_length(b)) i $$;

\echo -- every attribute of User and its extension, and of Group: sent, read again, found by a filter, in the log, in the views
CREATE FUNCTION pg_temp.user_of(t text) RETURNS jsonb LANGUAGE sql AS $$
	SELECT (SELECT jsonb_object_agg(a, t) FROM unnest('{userName,displayName,nickName,title,userType,preferredLanguage,locale,timezone,externalId}'::text[]) a)
		|| jsonb_build_object('name', (SELECT jsonb_object_agg(a, t) FROM unnest('{formatted,familyName,givenName,middleName,honorificPrefix,honorificSuffix}'::text[]) a))
		|| (SELECT jsonb_object_agg(m, jsonb_build_array(jsonb_build_object('value', t, 'display', t, 'type', t))) FROM unnest('{emails,phoneNumbers,ims,entitlements,roles}'::text[]) m)
		|| jsonb_build_object('addresses', jsonb_build_array((SELECT jsonb_object_agg(a, t) FROM unnest('{formatted,streetAddress,locality,region,postalCode,country,type}'::text[]) a)))
		|| jsonb_build_object('urn:ietf:params:scim:schemas:extension:enterprise:2.0:User', (SELECT jsonb_object_agg(a, t) FROM unnest('{employeeNumber,costCenter,organization,division,department}'::text[]) a)) $$;
-- Paths of a document's texts, as filters write them.
CREATE FUNCTION pg_temp.paths(document jsonb) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT CASE WHEN jsonb_typeof(v) = 'string' THEN k WHEN k LIKE 'urn:%' THEN k || ':' || s ELSE k || '.' || s END
	FROM jsonb_each(document) d(k, v), LATERAL jsonb_object_keys(CASE jsonb_typeof(v) WHEN 'object' THEN v WHEN 'array' THEN v -> 0 ELSE '{"": 1}' END) s $$;
SELECT count(*) FROM pg_temp.paths(pg_temp.user_of('x'));
CREATE FUNCTION pg_temp.try(t text, type text, document jsonb) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	collection text := '/' || type || 's';
	id text;
	a record;
	path text;
BEGIN
	a := scim.scim_apply('POST', collection, document || jsonb_build_object('schemas', jsonb_build_array('urn:ietf:params:scim:schemas:core:2.0:' || type, 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User')));
	id := a.body ->> 'id';
	IF a.status <> 201 OR NOT a.body @> document THEN
		RETURN NEXT format('created: %s', a);
	END IF;
	a := scim.scim_apply('PUT', collection || '/' || id, jsonb_build_object('schemas', jsonb_build_array('urn:ietf:params:scim:schemas:core:2.0:' || type), 'userName', 'x', 'displayName', 'x'));
	a := scim.scim_apply('PATCH', collection || '/' || id, jsonb_build_object('schemas', '["urn:ietf:params:scim:api:messages:2.0:PatchOp"]'::jsonb, 'Operations', jsonb_build_array(jsonb_build_object('op', 'add', 'value', document))));
	IF a.status NOT IN (200, 204) THEN
		RETURN NEXT format('changed: %s', a);
	END IF;
	a := scim.scim_apply('GET', collection || '/' || id);
	IF NOT a.body @> document THEN
		RETURN NEXT format('read: %s', a);
	END IF;
	FOR path IN SELECT * FROM pg_temp.paths(document) LOOP
		a := scim.scim_apply('GET', collection || '?attributes=id&filter=' || pg_temp.percent(path || ' eq ' || to_json(t) || ' and ' || path || ' co ' || to_json(t)));
		IF a.status <> 200 OR a.body #>> '{Resources,0,id}' IS DISTINCT FROM id OR a.body ->> 'totalResults' <> '1' THEN
			RETURN NEXT format('found by %s: %s', path, a);
		END IF;
	END LOOP;
	IF (SELECT count(*) FROM scim_audit.events e WHERE e.resource_id = id AND e.category = 'change' AND e.action IN ('insert', 'update')
			AND (SELECT count(*) FROM pg_temp.paths(document)) - 1 <= (SELECT count(*) FROM jsonb_path_query(e.detail::jsonb -> 'new', 'strict $.** ? (@ == $t)', jsonb_build_object('t', t)))) <> 2 THEN
		RETURN NEXT 'events';
	END IF;
	a := scim.scim_apply('DELETE', collection || '/' || id);
END $$;
SET scim_audit.tenant = 'regress-86';
SELECT n, problem FROM nasty, pg_temp.try(t, 'User', pg_temp.user_of(t)) problem;
SELECT n, problem FROM nasty, pg_temp.try(t, 'Group', jsonb_build_object('displayName', t, 'externalId', t)) problem;
-- references, certificates and passwords, where not every text is one
SELECT path, min(status), max(status), count(*) FROM (SELECT p.path, a.status FROM (VALUES ('profileUrl', '{"profileUrl": %s}'), ('photos', '{"photos": [{"value": %s}]}'), ('x509Certificates', '{"x509Certificates": [{"value": %s}]}'), ('password', '{"password": %s}')) p(path, template), nasty n,
	LATERAL scim.scim_apply('POST', '/Users', (format(p.template, to_json(n.t))::jsonb || jsonb_build_object('schemas', '["urn:ietf:params:scim:schemas:core:2.0:User"]'::jsonb, 'userName', p.path || n.n))) a) s GROUP BY 1 ORDER BY 1;
SELECT count(*) FROM nasty n, scim_audit.events e WHERE e.tenant = 'regress-86' AND e.category = 'request' AND e.detail -> 'request' ->> 'password' = n.t;

\echo -- names of attributes: in a body, a path, sortBy, attributes, filters
SELECT count(*), min(a.status), max(a.status) FROM nasty n, scim.scim_apply('POST', '/Users', jsonb_build_object('schemas', '["urn:ietf:params:scim:schemas:core:2.0:User"]'::jsonb, 'userName', 'names' || n.n, n.t, 1, 'urn:x:' || n.t, jsonb_build_object(n.t, n.t))) a;
SELECT what, a.status, a.body ->> 'scimType' AS scim_type, count(*) FROM nasty n, LATERAL (VALUES
	('sortBy', '/Users?sortBy=' || pg_temp.percent(n.t)), ('attributes', '/Users?count=1&attributes=' || pg_temp.percent(n.t)), ('excludedAttributes', '/Users?count=1&excludedAttributes=' || pg_temp.percent(n.t)),
	('filter', '/Users?filter=' || pg_temp.percent(n.t)), ('attribute in a filter', '/Users?filter=' || pg_temp.percent(n.t || ' eq "a"')), ('bare literal', '/Users?filter=' || pg_temp.percent('title eq ' || n.t)),
	('count', '/Users?count=' || pg_temp.percent(n.t)), ('sortOrder', '/Users?sortBy=title&sortOrder=' || pg_temp.percent(n.t)), ('id', '/Users/' || pg_temp.percent(n.t)), ('endpoint', '/' || pg_temp.percent(n.t)),
	('parameter', '/Users?count=1&' || pg_temp.percent(n.t) || '=' || pg_temp.percent(n.t))) q(what, uri), scim.scim_apply('GET', uri) a GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
INSERT INTO scim.users (tenant, user_name) VALUES ('regress-86', 'target') RETURNING id AS target \gset
SELECT what, a.status, a.body ->> 'scimType' AS scim_type, count(*) FROM nasty n, LATERAL (VALUES
	('path', jsonb_build_object('op', 'replace', 'path', n.t, 'value', n.t)), ('value path', jsonb_build_object('op', 'remove', 'path', 'emails[value eq ' || to_json(n.t) || ']')),
	('op', jsonb_build_object('op', n.t, 'path', 'title', 'value', 'x')), ('extension', jsonb_build_object('op', 'add', 'path', 'urn:' || n.t || ':x', 'value', 'x')), ('member', jsonb_build_object('op', 'add', 'value', jsonb_build_object(n.t, n.t)))) q(what, op),
	scim.scim_apply('PATCH', '/Users/' || :'target', jsonb_build_object('schemas', '["urn:ietf:params:scim:api:messages:2.0:PatchOp"]'::jsonb, 'Operations', jsonb_build_array(op))) a GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
SELECT version FROM scim.users WHERE id = :'target';

\echo -- method, headers, settings: kept as they are, in the log too
SELECT h, min(a.status), max(a.status), count(*) FROM nasty n, unnest('{User-Agent,If-Match,If-None-Match,X-Request-Id,client-request-id,x-ms-client-request-id,Content-Type}'::text[]) h,
	scim.scim_apply('PUT', '/Users/x', '{}'::text, jsonb_build_object(h, n.t)) a GROUP BY 1 ORDER BY 1;
SELECT count(DISTINCT r.user_agent), count(DISTINCT r.idp_ref) FROM scim_audit.requests r JOIN nasty n ON n.t IN (r.user_agent, r.idp_ref) WHERE r.tenant = 'regress-86';
SELECT min(a.status), max(a.status), count(*) FROM nasty n, scim.scim_apply(n.t, '/Users') a;
DO $$
DECLARE
	one record;
BEGIN
	FOR one IN SELECT * FROM nasty WHERE n NOT IN (12, 13) LOOP
		PERFORM set_config('application_name', one.t, true), set_config('scim_audit.reason', one.t, true), set_config('scim_audit.ticket', one.t, true),
			set_config('scim_audit.actor', one.t, true), set_config('scim_audit.on_behalf_of', one.t, true);
		UPDATE scim.users SET title = one.t WHERE user_name = 'target' AND tenant = 'regress-86';
	END LOOP;
END $$;
SELECT count(*) FROM scim_audit.changes c JOIN nasty n ON c.new = to_jsonb(n.t) AND c.reason = n.t AND c.ticket = n.t AND c.actor_claimed = n.t AND c.on_behalf_of = n.t WHERE c.tenant = 'regress-86' AND c.attribute = 'title';

\echo -- names of tenants, roles, tables and columns
SELECT count(*) AS tenants FROM nasty n, LATERAL (SELECT n.t ~ '^[a-z0-9][a-z0-9-]{0,62}$' AS fits) f WHERE fits;
DO $$
DECLARE
	one record;
	caught int := 0;
BEGIN
	FOR one IN SELECT * FROM nasty WHERE t !~ '^[a-z0-9][a-z0-9-]{0,62}$' LOOP
		BEGIN
			PERFORM scim.create_tenant(one.t);
		EXCEPTION WHEN invalid_parameter_value THEN caught := caught + 1;
		END;
		BEGIN
			PERFORM scim.alter_tenant('regress-86', jsonb_build_object('base_url', 'https://x/' || one.t || '" '));
		EXCEPTION WHEN check_violation THEN caught := caught + 1;
		END;
		BEGIN
			PERFORM scim.alter_tenant('regress-86', jsonb_build_object(one.t, one.t));
		EXCEPTION WHEN invalid_parameter_value THEN caught := caught + 1;
		END;
	END LOOP;
	RAISE WARNING 'refused: %', caught;
END $$;
CREATE FUNCTION pg_temp.name_of(t text) RETURNS name LANGUAGE sql AS $$ SELECT ('regress_86 ' || t)::name $$;
-- 19 refuses line ends in the names of roles.
CREATE FUNCTION pg_temp.by_name(t text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	called name := pg_temp.name_of(t);
	who name := CASE WHEN current_setting('server_version_num')::integer >= 190000 THEN translate(called, E'\r\n', '') ELSE called END;
	answer record;
	problem text := '';
BEGIN
	EXECUTE format('CREATE ROLE %I', who);
	PERFORM scim.grant_duty(to_regrole(quote_ident(who)), 'provisioning_admin', 'regress-86');
	EXECUTE format('SET LOCAL ROLE %I', who);
	answer := scim.scim_apply('POST', '/Users', jsonb_build_object('schemas', '["urn:ietf:params:scim:schemas:core:2.0:User"]'::jsonb, 'userName', 'by ' || t));
	RESET ROLE;
	IF answer.status <> 201 THEN
		problem := problem || format(' %s', answer);
	END IF;
	IF (SELECT count(*) FROM scim_audit.events WHERE actor = who AND effective_role = who) <> 2 THEN
		problem := problem || ' actor';
	END IF;
	PERFORM scim.revoke_duty(to_regrole(quote_ident(who)), 'provisioning_admin', 'regress-86');
	EXECUTE format('CREATE TABLE public.%I (%1$I int PRIMARY KEY, a text, tenant text)', called);
	PERFORM scim_audit.track(quote_ident(called)::regclass, 'tenant', key_columns => ARRAY[called], redact => '{a}');
	EXECUTE format('INSERT INTO public.%I VALUES (1, %L, %L)', called, t, 'regress-86');
	EXECUTE format('UPDATE public.%I SET %1$I = 2', called);
	IF (SELECT count(*) FROM scim_audit.changes WHERE resource_type = 'public.' || called) <> 4 OR
		NOT EXISTS (SELECT FROM scim_audit.changes WHERE resource_type = 'public.' || called AND attribute = called AND old = '1' AND new = '2') THEN
		problem := problem || ' tracked';
	END IF;
	PERFORM scim_audit.untrack(quote_ident(called)::regclass);
	EXECUTE format('DROP TABLE public.%I', called);
	EXECUTE format('DROP ROLE %I', who);
	RETURN nullif(problem, '');
END $$;
SELECT * FROM (SELECT n, pg_temp.by_name(t) AS problem FROM nasty OFFSET 0) tried WHERE problem IS NOT NULL;

\echo -- bodies whose numbers jsonb cannot hold are refused, or kept as text
SELECT b, a.status FROM (VALUES ('1e999999'), ('-1E+400000'), ('1e-99999'), ('0.1e5'), ('9223372036854775808'), ('1.50')) v(b), scim.scim_apply('POST', '/Users', format('{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "number %s", "x": %s}', b, b)) a;
CREATE TABLE public.regress_86 (id int PRIMARY KEY, j json, n numeric, f float8);
SELECT scim_audit.track('public.regress_86');
INSERT INTO public.regress_86 VALUES (1, '{"a": 1e999999, "b": "\u0000\ud800"}', 1e131071, 'NaN'), (2, '[1, [2, {"c": "d"}]]', 'Infinity', '-Infinity');
SELECT attribute, left(new::text, 60) FROM scim_audit.changes WHERE resource_type = 'public.regress_86' AND attribute IN ('j', 'f') ORDER BY tx_id, n, attribute;
SELECT scim_audit.untrack('public.regress_86');
DROP TABLE public.regress_86;

\echo -- and after all that
SELECT count(*) = count(detail) FROM (SELECT detail::jsonb FROM scim_audit.events OFFSET 0) e WHERE detail IS NOT NULL;
SELECT count(*) > 300 FROM (SELECT r::text FROM scim_audit.requests r OFFSET 0) v;
SELECT count(*) > 300 FROM (SELECT c::text FROM scim_audit.changes c OFFSET 0) v;
SELECT count(*) >= 0 FROM (SELECT m::text FROM scim_audit.memberships m OFFSET 0) v;
SELECT count(*) > 300 FROM (SELECT r::text FROM scim.recent_requests(1000) r OFFSET 0) v;
SELECT count(*) FROM (SELECT e::text FROM scim.user_emails e WHERE tenant = 'regress-86' OFFSET 0) v;
SELECT rule, message FROM scim_audit.verify(:'began');
RESET scim_audit.tenant;
DELETE FROM scim.users WHERE tenant = 'regress-86';
DELETE FROM scim.groups WHERE tenant = 'regress-86';
DELETE FROM scim.tenants WHERE tenant = 'regress-86';
