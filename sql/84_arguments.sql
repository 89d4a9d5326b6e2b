-- Every function of ours with nulls for arguments, and with what it does not
-- expect: an answer or an error, and the server goes on.
SET client_min_messages = error;
CREATE FUNCTION pg_temp.state_of(call text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE call;
	RAISE EXCEPTION 'undo' USING ERRCODE = 'RGRSS';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END
$$;
CREATE TEMP TABLE callable AS
	SELECT p.oid::regproc AS function, ARRAY(SELECT format_type(t, NULL) FROM unnest(p.proargtypes) WITH ORDINALITY u (t, place) ORDER BY place) AS types,
		p.prokind, p.proname
	FROM pg_proc p WHERE p.pronamespace IN ('scim'::regnamespace, 'scim_audit'::regnamespace, 'scim_api'::regnamespace)
		AND p.pronargs > 0 AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype);
SELECT count(*) > 100 AS many, count(*) FILTER (WHERE prokind = 'p') AS procedures FROM callable;
-- XX000 is what should not happen.
SELECT c.function, s.state FROM callable c, LATERAL pg_temp.state_of(format('SELECT %s(%s)', c.function,
	(SELECT string_agg('NULL::' || t, ', ') FROM unnest(c.types) t))) AS s (state) WHERE s.state = 'XX000';
-- One null among others.
SELECT c.function, s.state FROM callable c, generate_subscripts(c.types, 1) missing, LATERAL pg_temp.state_of(format('SELECT %s(%s)', c.function,
	(SELECT string_agg(CASE WHEN place = missing THEN 'NULL::' || t ELSE format('%L::%s', CASE
		WHEN t LIKE '%[]' THEN '{}' WHEN t LIKE 'json%' THEN '{}' WHEN t IN ('integer', 'bigint', 'numeric', 'oid') THEN '1'
		WHEN t = 'uuid' THEN '00000000-0000-7000-8000-000000000000' WHEN t = 'boolean' THEN 'true' WHEN t = 'regclass' THEN 'scim.users'
		WHEN t = 'regrole' THEN current_user WHEN t LIKE 'timestamp%' THEN '2026-01-01' WHEN t = 'interval' THEN '1 day' ELSE 'default' END, t) END, ', ' ORDER BY place)
	FROM unnest(c.types) WITH ORDINALITY u (t, place)))) AS s (state)
	WHERE NOT 'record' = ANY (c.types) AND s.state = 'XX000';
\set VERBOSITY terse
SELECT scim.probe_client(NULL, 'x', 'GET', '/Users', NULL);
SELECT scim.probe_client('default', NULL, 'GET', '/Users', NULL);
SELECT scim.log_duty('grant', NULL, 'auditor', NULL, false);
SELECT scim_audit.log_event(NULL, 'x', 'x.y', NULL, NULL, NULL, NULL);
SELECT scim_audit.log_event('admin', 'x', 'x.y', NULL, NULL, NULL, '[]');
SELECT scim_audit.log_event('admin', 'x', 'x.y', NULL, NULL, NULL, ' {}');
