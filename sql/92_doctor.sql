-- scim.doctor: what is wrong with a tenant's connection, in words, and nothing left behind.
\set VERBOSITY terse
\set QUIET on
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE ROLE regress_92_login NOINHERIT LOGIN;
CREATE ROLE regress_92_web;
CREATE ROLE regress_92_serve;
CREATE ROLE regress_92_read;
CREATE ROLE regress_92_admin;
CREATE ROLE regress_92_outsider;
CREATE FUNCTION pg_temp.doctor(tenant text, failed_only boolean DEFAULT true) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT CASE WHEN ok THEN 'ok ' ELSE 'NO ' END || regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(concat_ws(' | ', check_name, message),
		'[0-9a-f]{8}-[0-9a-f-]{27}', '<uuid>', 'g'), 'token …\S{4}', 'token …<four>', 'g'), '\d{4}-\d\d-\d\d[^;,:]*:\d\d:\d\d(\.\d+)?([+-]\d\d)?', '<time>', 'g'), 'DATABASE \S+', 'DATABASE <name>'),
		'[A-Z][a-z][a-z] [A-Z][a-z][a-z] \d\d [0-9:.]+ \d{4} [A-Z]{3}', '<time>', 'g')
	FROM scim.doctor(tenant) WHERE NOT ok OR NOT failed_only $$;
\echo -- nothing is there yet
SELECT pg_temp.doctor('regress-92');
SELECT scim.create_tenant('regress-92');
SELECT * FROM pg_temp.doctor('regress-92') d WHERE d !~ '^NO verify' ORDER BY 1;

\echo -- half of it
SELECT scim.grant_duty('regress_92_serve', 'provisioning_admin', 'regress-92'), scim.grant_duty('regress_92_read', 'reader', 'regress-92');
SELECT scim.grant_duty('regress_92_admin', 'provisioning_admin', 'regress-92');
GRANT regress_92_serve TO regress_92_admin;
SELECT scim.alter_tenant('regress-92', '{"base_url": "http://scim.example/regress-92/scim/v2"}');
SELECT length(scim.create_client('regress-92', 'soon', 'regress_92_serve', now() + interval '3 days')), length(scim.create_client('regress-92', 'viewer', 'regress_92_read'));
SET scim_audit.trusted_authenticators = 'regress_92_login, nobody';
SELECT * FROM pg_temp.doctor('regress-92') d WHERE d !~ '^NO verify' ORDER BY 1;
SELECT scim.alter_tenant('regress-92', '{"base_url": "https://scim.example/scim/v2"}');
SELECT * FROM pg_temp.doctor('regress-92') d WHERE d ~ 'base_url';
SELECT scim.alter_tenant('regress-92', '{"base_url": "https://scim_1.example/regress-92/scim/v2"}');
SELECT * FROM pg_temp.doctor('regress-92') d WHERE d ~ 'base_url';

\echo -- all of it, asked by a provisioning administrator: every profile passes
SELECT scim.alter_tenant('regress-92', '{"base_url": "https://scim.example/regress-92/scim/v2"}');
SELECT scim.drop_client('regress-92', 'soon'), scim.drop_client('regress-92', 'viewer');
SELECT count(scim.create_client('regress-92', p, 'regress_92_serve', profile => p)) FROM unnest(ARRAY['default', 'rfc', 'entra', 'okta', 'onelogin', 'interop-strict']) p;
GRANT regress_92_web TO regress_92_login;
GRANT USAGE ON SCHEMA scim_api TO regress_92_web;
GRANT EXECUTE ON FUNCTION scim_api.scim_http(bytea) TO regress_92_web;
ALTER ROLE regress_92_login SET log_parameter_max_length = 0;
SELECT count(*) > 0 AS verified FROM (SELECT count(*) FROM scim_audit.verify()) v;
SELECT count(*) AS users FROM scim.users \gset
SELECT count(*) AS events FROM scim_audit.events \gset
SET ROLE regress_92_admin;
SELECT * FROM pg_temp.doctor('regress-92') d WHERE d !~ '^NO verify' ORDER BY 1;
SELECT * FROM pg_temp.doctor('regress-92', false) d WHERE d ~ '^ok (entra|base|client|auth|trusted|tenant|partit|role of entra)' ORDER BY 1;
RESET ROLE;
SELECT count(*) - :users AS users FROM scim.users;
SELECT event_type, tenant, actor, detail ->> 'failed' IS NOT NULL FROM scim_audit.events ORDER BY tx_id DESC, n DESC LIMIT 2;
SELECT count(*) - :events AS events FROM scim_audit.events;

\echo -- a role that cannot serve, a database that refuses
ALTER ROLE regress_92_serve BYPASSRLS;
SELECT * FROM pg_temp.doctor('regress-92') d WHERE d ~ 'entra' ORDER BY 1;
ALTER ROLE regress_92_serve NOBYPASSRLS;
SELECT scim.revoke_duty('regress_92_serve', 'provisioning_admin', 'regress-92');
SELECT * FROM pg_temp.doctor('regress-92') d WHERE d ~ 'entra' ORDER BY 1;
SELECT scim.grant_duty('regress_92_serve', 'provisioning_admin', 'regress-92');
CREATE FUNCTION public.regress_92_veto() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
CREATE TRIGGER regress_92_veto BEFORE INSERT ON scim.users FOR EACH ROW EXECUTE FUNCTION public.regress_92_veto();
SELECT * FROM pg_temp.doctor('regress-92') d WHERE d ~ 'entra' ORDER BY 1;
DROP TRIGGER regress_92_veto ON scim.users;
DROP FUNCTION public.regress_92_veto();

\echo -- failures of the last day are summed up
SET scim_audit.tenant = 'regress-92';
SELECT count(*) FROM generate_series(1, 3) i, LATERAL scim.scim_apply('POST', '/Users', format('{"n": %s}', i)) a WHERE a.status = 400;
RESET scim_audit.tenant;
SELECT * FROM pg_temp.doctor('regress-92', false) d WHERE d ~ 'recent requests';

\echo -- for who manages the clients of the tenant
SELECT scim.create_tenant('regress-92b'), scim.grant_duty('regress_92_outsider', 'provisioning_admin', 'regress-92b');
SET ROLE regress_92_outsider;
SELECT count(*) FROM scim.doctor('regress-92');
SELECT count(*) FROM scim.doctor('no-such-tenant');
SELECT scim.probe_client('regress-92', 'entra', 'GET', '/Users', NULL);
SELECT count(*) > 0 FROM scim.doctor('regress-92b');
SET ROLE regress_92_web;
SELECT scim.doctor('regress-92');
RESET ROLE;
CREATE FUNCTION public.regress_92_definer() RETURNS integer LANGUAGE sql SECURITY DEFINER AS $$ SELECT (scim.probe_client('regress-92', 'entra', 'GET', '/Users', NULL)).status $$;
SELECT public.regress_92_definer();
DROP FUNCTION public.regress_92_definer();
SELECT (scim.probe_client('regress-92', 'entra', 'GET', '/Users', NULL)).status;
SELECT scim.probe_client('regress-92', 'nobody', 'GET', '/Users', NULL);

SELECT scim.revoke_duty('regress_92_serve', 'provisioning_admin', 'regress-92'), scim.revoke_duty('regress_92_read', 'reader', 'regress-92'),
	scim.revoke_duty('regress_92_admin', 'provisioning_admin', 'regress-92'), scim.revoke_duty('regress_92_outsider', 'provisioning_admin', 'regress-92b');
DELETE FROM scim.tenants WHERE tenant LIKE 'regress-92%';
REVOKE ALL ON SCHEMA scim_api FROM regress_92_web;
REVOKE ALL ON FUNCTION scim_api.scim_http(bytea) FROM regress_92_web;
DROP ROLE regress_92_login, regress_92_web, regress_92_serve, regress_92_read, regress_92_admin, regress_92_outsider;
