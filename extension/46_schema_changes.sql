-- DDL on audited tables.  Event triggers compare each audited table after a
-- command with what the log knows of it (scim_audit.table_shapes), record what
-- changed as an event table.alter, from which verify() knows how to read what
-- is older, and have the audit follow: names in the triggers' arguments are
-- changed with the columns.  The work is done here, as the owner of the log;
-- src/pg/schema_change.c decides when.

CREATE FUNCTION scim_audit.set_trigger_arguments(trigger oid, arguments text[]) RETURNS void
	LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'scim_audit_set_trigger_arguments';
COMMENT ON FUNCTION scim_audit.set_trigger_arguments(oid, text[]) IS 'Gives an audit trigger, and its clones on partitions, other arguments';

CREATE FUNCTION scim_audit.missing_values(tbl regclass, columns text[]) RETURNS text
	LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'scim_audit_missing_values';
COMMENT ON FUNCTION scim_audit.missing_values(regclass, text[]) IS 'What rows older than these columns have in them, as a JSON object; null when nothing';

CREATE FUNCTION scim_audit.has_locked(tbl oid) RETURNS boolean
	LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'scim_audit_has_locked';
COMMENT ON FUNCTION scim_audit.has_locked(oid) IS 'Does this transaction hold a lock on the table such as every ALTER TABLE takes?';

CREATE FUNCTION scim_audit.as_now(detail json, action text, alterations json[]) RETURNS json
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'scim_audit_as_now';
COMMENT ON FUNCTION scim_audit.as_now(json, text, json[]) IS 'old and new of a change, with the columns as later events table.alter have made them';

-- What rendering a type depends on.  A type that has grown contains what it was.
CREATE FUNCTION scim_audit.type_shape(type oid) RETURNS jsonb
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE
		WHEN t.typtype = 'd' THEN scim_audit.type_shape(t.typbasetype)
		WHEN t.typtype = 'e' THEN jsonb_build_object('enum', t.oid, 'labels',
			(SELECT jsonb_object_agg(e.oid, e.enumlabel) FROM pg_enum e WHERE e.enumtypid = t.oid))
		WHEN t.typtype = 'c' THEN (SELECT jsonb_build_object('row', t.oid, 'n', count(*), 'columns', jsonb_object_agg(a.place, scim_audit.type_shape(a.atttypid)))
			FROM (SELECT row_number() OVER (ORDER BY attnum) AS place, atttypid FROM pg_attribute
				WHERE attrelid = t.typrelid AND attnum > 0 AND NOT attisdropped) a)
		WHEN t.typtype IN ('r', 'm') THEN jsonb_build_object('range', t.oid, 'of', (SELECT scim_audit.type_shape(r.rngsubtype)
			FROM pg_range r WHERE t.oid IN (r.rngtypid, r.rngmultitypid)))
		WHEN t.typelem <> 0 AND t.typlen = -1 AND t.typinput = 'array_in'::regproc THEN jsonb_build_object('array', scim_audit.type_shape(t.typelem))
		ELSE to_jsonb(CASE WHEN t.oid = 'varchar'::regtype THEN 'text'::regtype::oid ELSE t.oid END)
	END
	FROM pg_type t WHERE t.oid = type
$$;
COMMENT ON FUNCTION scim_audit.type_shape(oid) IS 'What rendering a type depends on: itself, the labels of an enum, the columns of a row';

CREATE FUNCTION scim_audit.table_shape(tbl oid) RETURNS jsonb
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT jsonb_build_object('name', n.nspname || '.' || c.relname, 'logged', c.relpersistence = 'p',
		'columns', (SELECT coalesce(jsonb_object_agg(a.attnum, jsonb_build_object('name', a.attname, 'typmod', a.atttypmod,
				'type', CASE WHEN a.atttypid < 16384 AND a.atttypid NOT IN (1043, 1015) THEN to_jsonb(a.atttypid) ELSE scim_audit.type_shape(a.atttypid) END)), '{}')
			FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
		'row', (SELECT min(t.tgenabled) FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgparentid = 0
			AND t.tgfoid = 'scim_audit.record_change()'::regprocedure),
		'truncate', (SELECT min(t.tgenabled) FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgparentid = 0
			AND t.tgfoid = 'scim_audit.record_truncate()'::regprocedure),
		'partitions', CASE WHEN c.relkind = 'p' THEN (SELECT coalesce(jsonb_object_agg(p.relid::oid, p.relid::regclass), '{}')
			FROM pg_partition_tree(c.oid) p WHERE p.isleaf) ELSE '{}' END)
	FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = tbl
$$;
COMMENT ON FUNCTION scim_audit.table_shape(oid) IS 'A table as the audit sees it: name, columns, types, partitions, states of its triggers';

CREATE FUNCTION scim_audit.config_lines(tbl oid) RETURNS text[]
	LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'scim_audit_config_lines';
COMMENT ON FUNCTION scim_audit.config_lines(oid) IS 'The lines about a table in the configuration whose digest the seals carry';

CREATE FUNCTION scim_audit.change_config_from(before text[], after text[]) RETURNS void
	LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'scim_audit_change_config_from';
COMMENT ON FUNCTION scim_audit.change_config_from(text[], text[]) IS 'Begins a change of what is audited that has been made: lines of the configuration before and after it';

-- The log knows the table as it is now.
CREATE FUNCTION scim_audit.remember_shape(tbl oid, baseline boolean) RETURNS void
	LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
	INSERT INTO scim_audit.table_shapes VALUES (tbl, scim_audit.table_shape(tbl) || jsonb_build_object('baseline', baseline), scim_audit.config_lines(tbl))
		ON CONFLICT (relation) DO UPDATE SET shape = excluded.shape, config = excluded.config
$$;
COMMENT ON FUNCTION scim_audit.remember_shape(oid, boolean) IS 'Takes down an audited table as it is now';

-- Tables of which nothing is known yet: all, in a restored database.
CREATE FUNCTION scim_audit.remember_shapes() RETURNS void
	LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
	INSERT INTO scim_audit.table_shapes
		SELECT t.tgrelid, scim_audit.table_shape(t.tgrelid) || '{"baseline": true}', scim_audit.config_lines(t.tgrelid)
		FROM pg_depend d JOIN pg_trigger t ON t.oid = d.objid
		WHERE d.refclassid = 'pg_proc'::regclass AND d.refobjid = 'scim_audit.record_change()'::regprocedure
			AND d.classid = 'pg_trigger'::regclass AND t.tgparentid = 0
			AND NOT EXISTS (SELECT FROM scim_audit.table_shapes s WHERE s.relation = t.tgrelid)
		ON CONFLICT DO NOTHING
$$;
COMMENT ON FUNCTION scim_audit.remember_shapes() IS 'Takes down the audited tables of which nothing is known yet';

-- Names in the arguments go with the columns.  Without its key or tenant the
-- table could not be audited: that ends the command that drops the column.
CREATE FUNCTION scim_audit.follow_arguments(tbl regclass, renamed jsonb, dropped text[]) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	trigger oid;
	before text[];
	argument text;
	kind text;
	col text;
	after text[];
BEGIN
	FOR trigger, before IN
		SELECT t.oid, scim_audit.trigger_arguments(t.oid) FROM pg_trigger t WHERE t.tgrelid = tbl AND t.tgparentid = 0
			AND t.tgfoid IN ('scim_audit.record_change()'::regprocedure, 'scim_audit.record_truncate()'::regprocedure)
	LOOP
		after := '{}';
		FOREACH argument IN ARRAY before LOOP
			kind := split_part(argument, '=', 1);
			col := substr(argument, length(kind) + 2);
			IF kind NOT IN ('tenant', 'key', 'exclude', 'redact') THEN
				after := after || argument;
			ELSIF renamed ? col THEN
				after := after || (kind || '=' || (renamed ->> col));
			ELSIF col <> ALL (dropped) THEN
				after := after || argument;
			ELSIF kind IN ('tenant', 'key') THEN
				RAISE EXCEPTION 'cannot drop column "%" of audited table "%"', col, tbl USING ERRCODE = 'dependent_objects_still_exist',
					DETAIL = CASE kind WHEN 'key' THEN 'It is part of the key by which the log knows a row.' ELSE 'It holds the tenant of a row.' END,
					HINT = 'Call scim_audit.track() with other columns first, or scim_audit.untrack().';
			END IF;
		END LOOP;
		IF after <> before THEN
			PERFORM scim_audit.set_trigger_arguments(trigger, after);
		END IF;
	END LOOP;
END
$$;
COMMENT ON FUNCTION scim_audit.follow_arguments(regclass, jsonb, text[]) IS 'Has the arguments of a table''s audit triggers follow its columns';

-- The rows of a partition that came or went are rows that came or went.
CREATE FUNCTION scim_audit.follow_partition(tbl regclass, partition regclass, joined boolean) RETURNS bigint
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	action text := CASE WHEN joined THEN 'insert' ELSE 'delete' END;
	resource_type text := scim_audit.table_type(tbl);
BEGIN
	RETURN (SELECT count(*) FROM (SELECT scim_audit.log_event('change', action, 'table.' || action, s.state[2], resource_type, s.state[1],
			CASE WHEN joined THEN s.state[3] ELSE '{' || coalesce('"key":' || (s.state[3]::json -> 'key')::text || ',', '') || '"old":' || (s.state[3]::json -> 'new')::text || '}' END::json)
		FROM (SELECT scim_audit.row_states(tbl, partition) AS state OFFSET 0) s OFFSET 0) e);
END
$$;
COMMENT ON FUNCTION scim_audit.follow_partition(regclass, regclass, boolean) IS 'Writes an event for each row of a partition that was attached to an audited table, or detached from it';

CREATE FUNCTION scim_audit.follow_partitions(tbl regclass, was jsonb, now jsonb, command text) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	partition oid;
	name text;
	replaced boolean := false;
BEGIN
	FOR partition, name IN SELECT key, value FROM jsonb_each_text(was) WHERE NOT now ? key LOOP
		IF EXISTS (SELECT FROM pg_class c WHERE c.oid = partition) THEN
			PERFORM scim_audit.follow_partition(tbl, partition, false);
		ELSIF command = 'ALTER TABLE' THEN
			-- Split or merged: the same rows elsewhere.
			replaced := true;
		ELSE
			RAISE EXCEPTION 'cannot drop partition "%" of audited table "%"', name, tbl USING ERRCODE = 'dependent_objects_still_exist',
				DETAIL = 'Its rows would be gone without a trace.',
				HINT = 'ALTER TABLE … DETACH PARTITION records them; then drop it.';
		END IF;
	END LOOP;
	IF command <> 'ALTER TABLE' OR replaced THEN
		RETURN;
	END IF;
	FOR partition IN SELECT key FROM jsonb_object_keys(now) key WHERE NOT was ? key LOOP
		PERFORM scim_audit.follow_partition(tbl, partition, true);
	END LOOP;
END
$$;
COMMENT ON FUNCTION scim_audit.follow_partitions(regclass, jsonb, jsonb, text) IS 'Records the rows of partitions that came and went';

-- The columns' changes, as in the detail of table.alter; null when there is
-- none.  anew: what rows have cannot be told from their events any more.
CREATE FUNCTION scim_audit.column_changes(tbl regclass, was jsonb, now jsonb, rewritten integer, converted boolean,
		OUT detail text, OUT anew boolean)
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	numbers oid[] := '{int2,int4,int8}'::regtype[];
	renamed jsonb;
	dropped text[];
	added text;
	new_columns text[];
	retyped text[];
	leaves oid[] := CASE WHEN now -> 'partitions' = '{}' THEN ARRAY[tbl::oid] ELSE ARRAY(SELECT jsonb_object_keys(now -> 'partitions')::oid) END;
	values_missing integer;
BEGIN
	SELECT coalesce(jsonb_object_agg(w.value ->> 'name', n.value ->> 'name') FILTER (WHERE w.value ->> 'name' <> n.value ->> 'name'), '{}'),
			coalesce(array_agg(w.value ->> 'name' ORDER BY w.key::integer) FILTER (WHERE n.key IS NULL), '{}'),
			coalesce(array_agg(n.value ->> 'name' ORDER BY n.key::integer) FILTER (WHERE w.key IS NULL), '{}'),
			coalesce(array_agg(n.value ->> 'name' ORDER BY n.key::integer) FILTER (WHERE n.value - 'name' <> w.value - 'name'), '{}'),
			-- The same text before and after: an integer is an integer; a type that has only grown.
			coalesce(bool_or(NOT (n.value ->> 'type' = ANY (numbers::text[]) AND w.value ->> 'type' = ANY (numbers::text[])
				OR n.value -> 'type' @> (w.value -> 'type') AND (n.value -> 'typmod' = w.value -> 'typmod' OR rewritten & 4 = 0)))
				FILTER (WHERE n.key IS NOT NULL AND w.key IS NOT NULL), false)
		INTO renamed, dropped, new_columns, retyped, anew
		FROM jsonb_each(was -> 'columns') w FULL JOIN jsonb_each(now -> 'columns') n ON n.key = w.key;
	anew := anew OR rewritten & 2 <> 0 OR (rewritten & 4 <> 0 AND converted);
	PERFORM scim_audit.follow_arguments(tbl, renamed, dropped);
	SELECT min(m.v), count(DISTINCT coalesce(m.v, '')) INTO added, values_missing
		FROM (SELECT scim_audit.missing_values(l, new_columns) AS v FROM unnest(leaves) l) m;
	anew := anew OR values_missing > 1;
	IF renamed <> '{}' OR dropped <> '{}' OR new_columns <> '{}' OR retyped <> '{}' THEN
		detail := concat_ws(',',
			'"renamed":' || nullif(renamed, '{}')::text,
			'"dropped":' || to_json(nullif(dropped, '{}'))::text,
			'"columns_added":' || to_json(nullif(new_columns, '{}'))::text,
			'"added":' || added,
			'"retyped":' || to_json(nullif(retyped, '{}'))::text);
	END IF;
END
$$;
COMMENT ON FUNCTION scim_audit.column_changes(regclass, jsonb, jsonb, integer, boolean) IS 'How the columns of a table have changed, once the triggers'' arguments have followed';

-- As track() does, for what the log held of the table does not tell any more
-- what its rows are.
CREATE FUNCTION scim_audit.begin_anew(tbl regclass, baseline boolean) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF EXISTS (SELECT FROM pg_class c WHERE c.oid = tbl AND c.relnamespace = 'scim'::regnamespace) THEN
		RAISE EXCEPTION 'cannot give rows of "%" other values by ALTER TABLE', tbl USING ERRCODE = 'feature_not_supported',
			HINT = 'Add a column without a default, or with a constant one, and UPDATE.';
	END IF;
	IF baseline AND current_setting('transaction_isolation') <> 'read committed' THEN
		RAISE EXCEPTION 'cannot rewrite audited table "%" at this isolation level', tbl USING ERRCODE = 'active_sql_transaction',
			HINT = 'Use READ COMMITTED.';
	END IF;
	PERFORM scim_audit.log_event('admin', CASE WHEN baseline THEN 'rewrite' ELSE 'track_changes' END, 'table.track', NULL,
		scim_audit.table_type(tbl), NULL, json_build_object('baseline', baseline));
	IF baseline THEN
		PERFORM scim_audit.write_baseline(tbl);
	END IF;
END
$$;
COMMENT ON FUNCTION scim_audit.begin_anew(regclass, boolean) IS 'Writes an event for each row of a table that was rewritten';

CREATE FUNCTION scim_audit.follow_table(tbl regclass, was jsonb, now jsonb, command text, rewritten integer, converted boolean) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	change record;
	foreign_partition regclass := (SELECT c.oid FROM jsonb_object_keys(now -> 'partitions') k JOIN pg_class c ON c.oid = k::oid
		WHERE c.relkind = 'f' AND NOT was -> 'partitions' ? k ORDER BY 1 LIMIT 1);
	moved boolean := was -> 'name' <> now -> 'name';
	partitions_changed boolean := was -> 'partitions' <> now -> 'partitions' AND command <> 'CREATE TABLE';
BEGIN
	IF NOT (now ->> 'logged')::boolean THEN
		RAISE EXCEPTION 'cannot make audited table "%" unlogged', tbl USING ERRCODE = 'wrong_object_type',
			DETAIL = 'A crash would empty it without a trace.', HINT = 'Call scim_audit.untrack() first.';
	END IF;
	IF foreign_partition IS NOT NULL THEN
		RAISE EXCEPTION 'cannot make foreign table "%" a partition of audited table "%"', foreign_partition, tbl USING ERRCODE = 'wrong_object_type',
			DETAIL = 'What changes elsewhere fires no trigger.', HINT = 'Call scim_audit.untrack() first.';
	END IF;
	SELECT * INTO change FROM scim_audit.column_changes(tbl, was, now, rewritten, converted);
	IF moved THEN
		-- ALTER SCHEMA locks no table; who has written under the old name shall be done.
		EXECUTE format('LOCK TABLE %s IN SHARE MODE', tbl);
	END IF;
	IF moved OR partitions_changed OR change.detail IS NOT NULL OR change.anew THEN
		PERFORM scim_audit.log_event('schema', 'alter', 'table.alter', NULL, now ->> 'name', now ->> 'name',
			('{' || concat_ws(',', '"command":' || to_json(command)::text, CASE WHEN moved THEN '"was":' || (was -> 'name')::text END, change.detail,
				'"attached":' || (SELECT json_agg(value) FROM jsonb_each(now -> 'partitions') WHERE partitions_changed AND NOT was -> 'partitions' ? key)::text,
				'"detached":' || (SELECT json_agg(value) FROM jsonb_each(was -> 'partitions') WHERE partitions_changed AND NOT now -> 'partitions' ? key)::text)
			|| '}')::json);
	END IF;
	IF partitions_changed THEN
		PERFORM scim_audit.follow_partitions(tbl, was -> 'partitions', now -> 'partitions', command);
	END IF;
	IF change.anew AND now ->> 'row' IS NOT NULL THEN
		PERFORM scim_audit.begin_anew(tbl, (was ->> 'baseline')::boolean);
	END IF;
	-- How a trigger came to fire always is told by table.track; from then on, what it was made.
	IF (was ->> 'row' = 'A' AND now ->> 'row' IS DISTINCT FROM 'A') OR (was ->> 'truncate' = 'A' AND now ->> 'truncate' IS DISTINCT FROM 'A') THEN
		PERFORM scim_audit.log_event('security', 'disable', 'table.trigger', NULL, now ->> 'name', NULL,
			json_build_object('row', now -> 'row', 'truncate', now -> 'truncate'));
	END IF;
	PERFORM scim_audit.remember_shape(tbl, (was ->> 'baseline')::boolean);
END
$$;
COMMENT ON FUNCTION scim_audit.follow_table(regclass, jsonb, jsonb, text, integer, boolean) IS 'Records what DDL made of an audited table, and has the audit follow';

-- rewritten, reasons: the tables that the command rewrote, and why
-- (pg_event_trigger_table_rewrite_reason); converted: by an expression of its own.
-- What became of the triggers is explained to verify() in one event, but for
-- those that do not fire always any more.
CREATE FUNCTION scim_audit.follow_schema(command text, rewritten oid[], reasons integer[], converted boolean) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	tbl record;
	lines text[];
	before text[] := '{}';
	after text[] := '{}';
	followed text[] := '{}';
BEGIN
	FOR tbl IN
		SELECT s.relation, s.shape AS was, s.config, scim_audit.table_shape(s.relation) AS now,
			coalesce((SELECT bit_or(r.reason) FROM unnest(rewritten, reasons) r (oid, reason)
				WHERE r.oid = s.relation OR s.relation IN (SELECT a.relid FROM pg_partition_ancestors(r.oid) a)), 0) AS rewritten
		FROM scim_audit.table_shapes s LEFT JOIN pg_class c ON c.oid = s.relation
		-- A type, also the row type of another table, or a schema changes without a lock on the tables.
		WHERE c.oid IS NULL OR command IN ('ALTER DOMAIN', 'ALTER SCHEMA', 'ALTER TYPE') OR scim_audit.has_locked(s.relation)
			OR s.shape @? '$.columns.*.type.**.row'
		ORDER BY s.relation
	LOOP
		lines := '{}';
		IF tbl.now IS NULL THEN
			PERFORM scim_audit.log_event('admin', 'drop', 'table.untrack', NULL, tbl.was ->> 'name', NULL, json_build_object('command', command));
			DELETE FROM scim_audit.table_shapes s WHERE s.relation = tbl.relation;
		ELSIF tbl.rewritten & 6 <> 0 OR tbl.was - 'baseline' <> tbl.now THEN
			PERFORM scim_audit.follow_table(tbl.relation, tbl.was, tbl.now, command, tbl.rewritten, converted);
			lines := scim_audit.config_lines(tbl.relation);
			CONTINUE WHEN tbl.was -> 'row' <> tbl.now -> 'row' OR tbl.was -> 'truncate' <> tbl.now -> 'truncate';
		ELSE
			CONTINUE;
		END IF;
		IF lines <> tbl.config THEN
			before := before || tbl.config;
			after := after || lines;
			followed := followed || coalesce(tbl.now ->> 'name', tbl.was ->> 'name');
		END IF;
	END LOOP;
	IF followed <> '{}' THEN
		PERFORM scim_audit.change_config_from(before, after);
		PERFORM scim_audit.config_changed('follow', 'table.track', CASE WHEN cardinality(followed) = 1 THEN followed[1] END,
			json_build_object('command', command));
	END IF;
END
$$;
COMMENT ON FUNCTION scim_audit.follow_schema(text, oid[], integer[], boolean) IS 'Records what a command made of the audited tables';

CREATE FUNCTION scim_audit.schema_change() RETURNS event_trigger
	LANGUAGE c AS 'MODULE_PATHNAME', 'scim_audit_schema_change';
COMMENT ON FUNCTION scim_audit.schema_change() IS 'Event trigger: the audit follows DDL on audited tables';

REVOKE ALL ON FUNCTION scim_audit.set_trigger_arguments(oid, text[]), scim_audit.missing_values(regclass, text[]),
	scim_audit.has_locked(oid), scim_audit.config_lines(oid), scim_audit.change_config_from(text[], text[]), scim_audit.as_now(json, text, json[]), scim_audit.type_shape(oid), scim_audit.table_shape(oid),
	scim_audit.remember_shape(oid, boolean), scim_audit.remember_shapes(), scim_audit.follow_arguments(regclass, jsonb, text[]),
	scim_audit.follow_partition(regclass, regclass, boolean), scim_audit.follow_partitions(regclass, jsonb, jsonb, text),
	scim_audit.column_changes(regclass, jsonb, jsonb, integer, boolean), scim_audit.begin_anew(regclass, boolean),
	scim_audit.follow_table(regclass, jsonb, jsonb, text, integer, boolean),
	scim_audit.follow_schema(text, oid[], integer[], boolean), scim_audit.schema_change() FROM PUBLIC;

CREATE EVENT TRIGGER scim_audit_schema_start ON ddl_command_start EXECUTE FUNCTION scim_audit.schema_change();
CREATE EVENT TRIGGER scim_audit_schema_rewrite ON table_rewrite EXECUTE FUNCTION scim_audit.schema_change();
CREATE EVENT TRIGGER scim_audit_schema_end ON ddl_command_end EXECUTE FUNCTION scim_audit.schema_change();
ALTER EVENT TRIGGER scim_audit_schema_start ENABLE ALWAYS;
ALTER EVENT TRIGGER scim_audit_schema_rewrite ENABLE ALWAYS;
ALTER EVENT TRIGGER scim_audit_schema_end ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER scim_audit_schema_start IS 'Before DDL: takes down audited tables of which nothing is known yet';
COMMENT ON EVENT TRIGGER scim_audit_schema_rewrite IS 'Notes which tables DDL rewrites';
COMMENT ON EVENT TRIGGER scim_audit_schema_end IS 'After DDL: records what became of the audited tables';
