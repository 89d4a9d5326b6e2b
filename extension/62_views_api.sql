-- The log over HTTP: what PostgREST shows to roles with the duty auditor, who
-- come with a JWT.  security_invoker: row-level security is the reader's.

CREATE VIEW scim_api.log WITH (security_invoker) AS SELECT * FROM scim_audit.log;
COMMENT ON VIEW scim_api.log IS 'scim_audit.log over HTTP: every event, without its detail, newest first';
CREATE VIEW scim_api.requests WITH (security_invoker) AS SELECT * FROM scim_audit.requests;
COMMENT ON VIEW scim_api.requests IS 'scim_audit.requests over HTTP: SCIM calls, newest first';
CREATE VIEW scim_api.changes WITH (security_invoker) AS SELECT * FROM scim_audit.changes;
COMMENT ON VIEW scim_api.changes IS 'scim_audit.changes over HTTP: what became of each attribute, newest first';
CREATE VIEW scim_api.memberships WITH (security_invoker) AS SELECT * FROM scim_audit.memberships;
COMMENT ON VIEW scim_api.memberships IS 'scim_audit.memberships over HTTP: who was in which group, newest first';
CREATE VIEW scim_api.chain_status WITH (security_invoker) AS SELECT * FROM scim_audit.chain_status;
COMMENT ON VIEW scim_api.chain_status IS 'scim_audit.chain_status over HTTP: the head of each chain';

-- Pages by key, each as fast as the first.  PostgREST cannot compare rows, so
-- these do: GET /rpc/log_page?before=<event_id>&limit=100&outcome=eq.denied.
-- The bodies are parsed now, so no search path matters, and they are inlined.
CREATE FUNCTION scim_api.log_page(before text DEFAULT NULL) RETURNS SETOF scim_api.log
	LANGUAGE sql STABLE PARALLEL SAFE
	BEGIN ATOMIC
		SELECT v.* FROM scim_api.log v
		WHERE (v.tx_id, v.n) < (coalesce(pg_catalog.split_part(before, ':', 1)::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'),
			coalesce(pg_catalog.split_part(before, ':', 2)::integer, 0))
		ORDER BY v.tx_id DESC, v.n DESC;
	END;
COMMENT ON FUNCTION scim_api.log_page(text) IS 'The events before one, named by its event_id, newest first; to be limited by the caller';

CREATE FUNCTION scim_api.requests_page(before text DEFAULT NULL) RETURNS SETOF scim_api.requests
	LANGUAGE sql STABLE PARALLEL SAFE
	BEGIN ATOMIC
		SELECT v.* FROM scim_api.requests v
		WHERE (v.tx_id, v.n) < (coalesce(pg_catalog.split_part(before, ':', 1)::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'),
			coalesce(pg_catalog.split_part(before, ':', 2)::integer, 0))
		ORDER BY v.tx_id DESC, v.n DESC;
	END;
COMMENT ON FUNCTION scim_api.requests_page(text) IS 'The SCIM calls before an event, named by its event_id, newest first; to be limited by the caller';

-- An event has a row for each attribute, so pages are counted in events.
CREATE FUNCTION scim_api.changes_page(before text DEFAULT NULL, events integer DEFAULT 100) RETURNS SETOF scim_api.changes
	LANGUAGE sql STABLE PARALLEL SAFE
	BEGIN ATOMIC
		SELECT v.* FROM scim_api.changes v
		WHERE (v.tx_id, v.n) < (coalesce(pg_catalog.split_part(before, ':', 1)::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'),
				coalesce(pg_catalog.split_part(before, ':', 2)::integer, 0))
			AND (v.tx_id, v.n) >= (SELECT p.tx_id, p.n FROM (
				SELECT e.tx_id, e.n FROM scim_audit.events e
				WHERE e.category = 'change'
					AND (e.tx_id, e.n) < (coalesce(pg_catalog.split_part(before, ':', 1)::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'),
						coalesce(pg_catalog.split_part(before, ':', 2)::integer, 0))
				ORDER BY e.tx_id DESC, e.n DESC LIMIT events) p ORDER BY p.tx_id, p.n LIMIT 1)
		ORDER BY v.tx_id DESC, v.n DESC, v.attribute;
	END;
COMMENT ON FUNCTION scim_api.changes_page(text, integer) IS 'The changes of so many events before one, named by its event_id, newest first';

-- Media types.  PostgREST takes a domain's name for one, and an aggregate over
-- any row that returns it for the way to make it of a view's rows.
CREATE DOMAIN scim_api."application/x-ndjson" AS text;
COMMENT ON DOMAIN scim_api."application/x-ndjson" IS 'To PostgREST: a JSON object a line';
CREATE DOMAIN scim_api."text/csv" AS text;
COMMENT ON DOMAIN scim_api."text/csv" IS 'To PostgREST: RFC 4180, without formulas';

-- A spreadsheet takes a cell that begins like this for a formula, and what
-- stands in the log was chosen by identity providers and their users.
CREATE FUNCTION scim_api.csv_cell(value text) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN CASE WHEN value OPERATOR(pg_catalog.~) '^[-=+@\t\r\n]|[",\r\n]' THEN
		'"' || CASE WHEN value OPERATOR(pg_catalog.~) '^[-=+@\t\r\n]' THEN '''' ELSE '' END
			|| pg_catalog.replace(value, '"', '""') || '"'
		ELSE coalesce(value, '') END;
COMMENT ON FUNCTION scim_api.csv_cell(text) IS 'A value as a cell of CSV; what would begin a formula gets an apostrophe before it';

CREATE FUNCTION scim_api.csv_line(r json) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	BEGIN ATOMIC
		SELECT pg_catalog.string_agg(scim_api.csv_cell(m.value), ',' ORDER BY m.ordinality) || E'\r\n'
		FROM pg_catalog.json_each_text(r) WITH ORDINALITY AS m;
	END;
COMMENT ON FUNCTION scim_api.csv_line(json) IS 'A row as a line of CSV';

CREATE FUNCTION scim_api.csv_head(r json) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	BEGIN ATOMIC
		SELECT pg_catalog.string_agg(scim_api.csv_cell(m.key), ',' ORDER BY m.ordinality) || E'\r\n'
		FROM pg_catalog.json_each_text(r) WITH ORDINALITY AS m;
	END;
COMMENT ON FUNCTION scim_api.csv_head(json) IS 'The names of a row''s columns as a line of CSV';

CREATE FUNCTION scim_api.add_ndjson(state text, r anyelement) RETURNS scim_api."application/x-ndjson"
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN state || row_to_json(r) || E'\n';
END
$$;
COMMENT ON FUNCTION scim_api.add_ndjson(text, anyelement) IS 'Appends a row to NDJSON';

CREATE FUNCTION scim_api.add_csv(state text, r anyelement) RETURNS scim_api."text/csv"
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	line json := row_to_json(r);
BEGIN
	RETURN CASE WHEN state = '' THEN scim_api.csv_head(line) ELSE state END || scim_api.csv_line(line);
END
$$;
COMMENT ON FUNCTION scim_api.add_csv(text, anyelement) IS 'Appends a row to CSV, after a head where it is the first';

CREATE AGGREGATE scim_api.to_ndjson(anyelement) (
	sfunc = scim_api.add_ndjson, stype = scim_api."application/x-ndjson", initcond = '');
COMMENT ON AGGREGATE scim_api.to_ndjson(anyelement) IS 'To PostgREST: rows of any view as NDJSON';
CREATE AGGREGATE scim_api.to_csv(anyelement) (
	sfunc = scim_api.add_csv, stype = scim_api."text/csv", initcond = '');
COMMENT ON AGGREGATE scim_api.to_csv(anyelement) IS 'To PostgREST: rows of any view as CSV without formulas';

-- Exports: whole files that leave an event behind, which the GET of a view
-- cannot, for it runs in a read-only transaction.
CREATE FUNCTION scim_audit.log_export(resource text, format text, before text, rows bigint) RETURNS void
	LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'scim_audit_log_export';
COMMENT ON FUNCTION scim_audit.log_export(text, text, text, bigint) IS 'Writes the event log.export; for auditors';

-- The newest `events` events before one, or the rows of memberships, as JSON.
CREATE FUNCTION scim_api.export_rows(resource text, before text, events integer, OUT line json, OUT event_id text)
	RETURNS SETOF record LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	command text := CASE resource
		WHEN 'log' THEN 'SELECT row_to_json(v), v.tx_id || '':'' || v.n FROM scim_api.log_page($1) v LIMIT $2'
		WHEN 'requests' THEN 'SELECT row_to_json(v), v.tx_id || '':'' || v.n FROM scim_api.requests_page($1) v LIMIT $2'
		WHEN 'changes' THEN 'SELECT row_to_json(v), v.tx_id || '':'' || v.n FROM scim_api.changes_page($1, $2) v'
		WHEN 'memberships' THEN 'SELECT row_to_json(v), v.tx_id || '':'' || v.n FROM scim_api.memberships v
			WHERE $1 IS NULL OR (v.tx_id, v.n) < (split_part($1, '':'', 1)::uuid, split_part($1, '':'', 2)::integer) LIMIT $2'
		END;
BEGIN
	IF command IS NULL THEN
		RAISE EXCEPTION 'there is no export of "%"', resource USING ERRCODE = 'invalid_parameter_value',
			HINT = 'It is one of log, requests, changes and memberships.';
	END IF;
	IF events IS NULL OR events < 1 OR events > 100000 THEN
		RAISE EXCEPTION 'events must be a number from 1 to 100000' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	RETURN QUERY EXECUTE command USING before, events;
END
$$;
COMMENT ON FUNCTION scim_api.export_rows(text, text, integer) IS 'The rows of an export, each with the event_id that the next page goes on from';

CREATE FUNCTION scim_api.finish_export(resource text, format text, before text, rows bigint, next text) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM scim_audit.log_export(resource, format, before, rows);
	PERFORM set_config('response.headers', (
		SELECT jsonb_agg(jsonb_build_object(h.name, h.value)) FROM (VALUES
			('Content-Disposition', format('attachment; filename="%s.%s"', resource, format)),
			('Cache-Control', 'no-store'), ('Scim-Audit-Next', next)) h (name, value) WHERE h.value IS NOT NULL)::text, true);
END
$$;
COMMENT ON FUNCTION scim_api.finish_export(text, text, text, bigint, text) IS 'Records an export and tells the client where the next page begins';

CREATE FUNCTION scim_api.export_ndjson(resource text DEFAULT 'log', before text DEFAULT NULL, events integer DEFAULT 1000)
	RETURNS scim_api."application/x-ndjson" LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	page record;
BEGIN
	SELECT count(*) AS rows, coalesce(string_agg(r.line || E'\n', ''), '') AS text, (array_agg(r.event_id))[count(*)] AS last INTO page
		FROM scim_api.export_rows(resource, before, events) r;
	PERFORM scim_api.finish_export(resource, 'ndjson', before, page.rows, page.last);
	RETURN page.text;
END
$$;
COMMENT ON FUNCTION scim_api.export_ndjson(text, text, integer) IS 'A page of log, requests, changes or memberships as NDJSON; the header Scim-Audit-Next is what to give as before for the next one; the export is in the log';

CREATE FUNCTION scim_api.export_csv(resource text DEFAULT 'log', before text DEFAULT NULL, events integer DEFAULT 1000)
	RETURNS scim_api."text/csv" LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	page record;
BEGIN
	SELECT count(*) AS rows, coalesce(scim_api.csv_head((array_agg(r.line))[1]), '') || coalesce(string_agg(scim_api.csv_line(r.line), ''), '') AS text,
			(array_agg(r.event_id))[count(*)] AS last INTO page
		FROM scim_api.export_rows(resource, before, events) r;
	PERFORM scim_api.finish_export(resource, 'csv', before, page.rows, page.last);
	RETURN page.text;
END
$$;
COMMENT ON FUNCTION scim_api.export_csv(text, text, integer) IS 'A page of log, requests, changes or memberships as CSV without formulas; the header Scim-Audit-Next is what to give as before for the next one; the export is in the log';

REVOKE EXECUTE ON FUNCTION scim_api.log_page(text), scim_api.requests_page(text), scim_api.changes_page(text, integer),
	scim_api.csv_cell(text), scim_api.csv_line(json), scim_api.csv_head(json), scim_api.add_ndjson(text, anyelement),
	scim_api.add_csv(text, anyelement), scim_api.to_ndjson(anyelement), scim_api.to_csv(anyelement),
	scim_audit.log_export(text, text, text, bigint), scim_api.export_rows(text, text, integer),
	scim_api.finish_export(text, text, text, bigint, text), scim_api.export_ndjson(text, text, integer),
	scim_api.export_csv(text, text, integer) FROM PUBLIC;
