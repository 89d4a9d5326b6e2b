-- Any table of an application under the same audit.

CREATE FUNCTION scim_audit.track(tbl regclass, tenant_column name DEFAULT NULL, key_columns name[] DEFAULT NULL,
		exclude name[] DEFAULT '{}', redact name[] DEFAULT '{}', personal_key boolean DEFAULT false,
		baseline boolean DEFAULT true) RETURNS void
	LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'scim_audit_track';
COMMENT ON FUNCTION scim_audit.track(regclass, name, name[], name[], name[], boolean, boolean) IS
	'Puts a table under audit: every change of a row is an event; called again, it starts anew. For the table''s owner';

CREATE FUNCTION scim_audit.untrack(tbl regclass) RETURNS void
	LANGUAGE c VOLATILE STRICT SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'scim_audit_untrack';
COMMENT ON FUNCTION scim_audit.untrack(regclass) IS 'Takes a table out of the audit; what the log holds of it stays. For the table''s owner';

CREATE FUNCTION scim_audit.track_resource(tbl regclass, resource text, tenant_column name, key_column name, exclude name[],
		redact name[], baseline boolean) RETURNS void
	LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'scim_audit_track_resource';
COMMENT ON FUNCTION scim_audit.track_resource(regclass, text, name, name, name[], name[], boolean) IS
	'Puts a table of SCIM resources under audit; for the functions that register them';

CREATE FUNCTION scim_audit.untrack_resource(tbl regclass) RETURNS void
	LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'scim_audit_untrack_resource';
COMMENT ON FUNCTION scim_audit.untrack_resource(regclass) IS 'Takes a table of SCIM resources out of the audit; for the functions that register them';

CREATE FUNCTION scim_audit.log_event(category text, action text, event_type text, tenant text,
		resource_type text, resource_id text, detail json) RETURNS void
	LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'scim_audit_log_event';
COMMENT ON FUNCTION scim_audit.log_event(text, text, text, text, text, text, json) IS 'Writes an event; for the functions of this extension';

-- Around a change of what is audited, so that its event says from what to
-- what (src/pg/config_change.c).  An upgrade script begins with the one and
-- ends with the other, event_type log.upgrade (CONTRIBUTING.md).
CREATE FUNCTION scim_audit.change_config() RETURNS void
	LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'scim_audit_change_config';
COMMENT ON FUNCTION scim_audit.change_config() IS 'Begins a change of what is audited, one transaction at a time';

CREATE FUNCTION scim_audit.config_changed(action text, event_type text, resource_type text, detail json) RETURNS void
	LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'scim_audit_config_changed';
COMMENT ON FUNCTION scim_audit.config_changed(text, text, text, json) IS 'Writes the event that explains a change of what is audited';

CREATE FUNCTION scim_audit.trigger_arguments(trigger oid) RETURNS text[]
	LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'scim_audit_trigger_arguments';
COMMENT ON FUNCTION scim_audit.trigger_arguments(oid) IS 'Arguments of a trigger, as CREATE TRIGGER gave them';

-- What may not run as the owner of the log is what the table's owner wrote (src/pg/track.c).
CREATE FUNCTION scim_audit.create_trigger(tbl regclass, command text) RETURNS void
	LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'scim_audit_create_trigger';
COMMENT ON FUNCTION scim_audit.create_trigger(regclass, text) IS 'Runs CREATE TRIGGER on a table, its partition keys read as their owner';

CREATE FUNCTION scim_audit.fire_always(trigger oid) RETURNS void
	LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'scim_audit_fire_always';
COMMENT ON FUNCTION scim_audit.fire_always(oid) IS 'Has a trigger, and its clones on partitions, fire whatever session_replication_role says';

-- PostgreSQL gives a partition the row triggers of its table, not those of
-- TRUNCATE.
CREATE FUNCTION scim_audit.unguarded_partitions(tbl regclass) RETURNS SETOF regclass
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT p.relid FROM pg_partition_tree(tbl) p
	WHERE p.level > 0 AND NOT EXISTS (
		SELECT FROM pg_trigger u
		WHERE u.tgrelid = p.relid AND u.tgenabled = 'A' AND u.tgfoid = 'scim_audit.record_truncate()'::regprocedure)
	ORDER BY 1
$$;
COMMENT ON FUNCTION scim_audit.unguarded_partitions(regclass) IS 'Partitions of a table without a TRUNCATE trigger of their own that fires always';

-- How each audited table is audited; a partition counts with its parent.
CREATE VIEW scim_audit.tracked_tables WITH (security_invoker) AS
	SELECT t.tgrelid::regclass AS table_name,
		(SELECT pg_catalog.substr(v, 10) FROM pg_catalog.unnest(a.args) v WHERE v LIKE 'resource=%') AS resource,
		(SELECT pg_catalog.substr(v, 6) FROM pg_catalog.unnest(a.args) v WHERE v LIKE 'link=%') AS link,
		(SELECT pg_catalog.substr(v, 8) FROM pg_catalog.unnest(a.args) v WHERE v LIKE 'tenant=%') AS tenant_column,
		ARRAY(SELECT pg_catalog.substr(v, 5) FROM pg_catalog.unnest(a.args) v WHERE v LIKE 'key=%') AS key_columns,
		ARRAY(SELECT pg_catalog.substr(v, 9) FROM pg_catalog.unnest(a.args) v WHERE v LIKE 'exclude=%') AS exclude,
		ARRAY(SELECT pg_catalog.substr(v, 8) FROM pg_catalog.unnest(a.args) v WHERE v LIKE 'redact=%') AS redact,
		'personal=key' = ANY (a.args) AS personal_key,
		t.tgenabled = 'A' AND EXISTS (
			SELECT FROM pg_catalog.pg_trigger u
			WHERE u.tgrelid = t.tgrelid AND u.tgenabled = 'A'
				AND u.tgfoid = 'scim_audit.record_truncate()'::regprocedure)
		AND NOT EXISTS (SELECT FROM scim_audit.unguarded_partitions(t.tgrelid)) AS always
	FROM pg_catalog.pg_trigger t, LATERAL (SELECT scim_audit.trigger_arguments(t.oid) AS args) a
	WHERE t.tgfoid = 'scim_audit.record_change()'::regprocedure AND t.tgparentid = 0;
COMMENT ON VIEW scim_audit.tracked_tables IS 'Tables under audit, and how';
COMMENT ON COLUMN scim_audit.tracked_tables.table_name IS 'The table';
COMMENT ON COLUMN scim_audit.tracked_tables.resource IS 'SCIM resource type that it keeps';
COMMENT ON COLUMN scim_audit.tracked_tables.link IS 'Attribute of that type that it keeps';
COMMENT ON COLUMN scim_audit.tracked_tables.tenant_column IS 'Column with the row''s tenant; null: its events have none';
COMMENT ON COLUMN scim_audit.tracked_tables.key_columns IS 'Columns of the key';
COMMENT ON COLUMN scim_audit.tracked_tables.exclude IS 'Columns that are not in the log';
COMMENT ON COLUMN scim_audit.tracked_tables.redact IS 'Columns whose values are not in the log';
COMMENT ON COLUMN scim_audit.tracked_tables.personal_key IS 'The key stands in the log as a keyed digest';
COMMENT ON COLUMN scim_audit.tracked_tables.always IS 'Both triggers are there and fire always, and so does that of each partition; false: changes can pass unseen';

-- Tables of SCIM resources are ours, or an application's that scim.bind_table() made one of them.
CREATE FUNCTION scim_audit.check_trackable(tbl regclass, is_resource boolean DEFAULT false) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	class record;
	problem text;
BEGIN
	SELECT c.relkind, c.relpersistence, n.nspname INTO class
		FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = tbl;
	problem := CASE
		WHEN class IS NULL THEN 'It does not exist.'
		WHEN class.relkind NOT IN ('r', 'p') THEN 'It is not a table of this database.'
		WHEN class.nspname IN ('pg_catalog', 'information_schema', 'pg_toast') THEN 'It is a system table.'
		WHEN class.nspname IN ('scim', 'scim_audit', 'scim_api') AND NOT is_resource THEN 'It belongs to scim_audit.'
		WHEN class.relpersistence = 't' THEN 'It is temporary.'
		WHEN class.relpersistence = 'u' THEN 'It is unlogged: a crash empties it without a trace.'
	END;
	IF problem IS NOT NULL THEN
		RAISE EXCEPTION 'cannot track "%"', tbl USING ERRCODE = 'wrong_object_type', DETAIL = problem;
	END IF;
END
$$;
COMMENT ON FUNCTION scim_audit.check_trackable(regclass, boolean) IS 'Refuses what cannot be put under audit';

-- The triggers' arguments (src/pg/tracked.h), once they are known to make sense.
CREATE FUNCTION scim_audit.tracking_arguments(tbl regclass, tenant_column name, key_columns name[],
		exclude name[], redact name[], personal_key boolean) RETURNS text[]
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	key name[] := coalesce(key_columns, ARRAY(
		SELECT a.attname FROM pg_index i, unnest(i.indkey) WITH ORDINALITY k (attnum, place), pg_attribute a
		WHERE i.indrelid = tbl AND i.indisprimary AND k.place <= i.indnkeyatts
			AND a.attrelid = tbl AND a.attnum = k.attnum
		ORDER BY k.place));
	missing name;
BEGIN
	IF cardinality(key) = 0 THEN
		RAISE EXCEPTION 'cannot track "%": it has no primary key', tbl USING ERRCODE = 'invalid_table_definition',
			HINT = 'Name the columns that identify a row: key_columns => ''{…}''.';
	END IF;
	SELECT c INTO missing FROM unnest(key || exclude || redact || tenant_column) c
		WHERE c IS NOT NULL AND NOT EXISTS (
			SELECT FROM pg_attribute a WHERE a.attrelid = tbl AND a.attnum > 0 AND NOT a.attisdropped AND a.attname = c)
		LIMIT 1;
	IF missing IS NOT NULL THEN
		RAISE EXCEPTION 'column "%" of relation "%" does not exist', missing, tbl USING ERRCODE = 'undefined_column';
	END IF;
	IF key && exclude OR key && redact THEN
		RAISE EXCEPTION 'a column of the key can be neither excluded nor redacted' USING ERRCODE = 'invalid_parameter_value',
			DETAIL = 'The key names the row in the log.';
	END IF;
	RETURN CASE WHEN tenant_column IS NULL THEN '{}' ELSE ARRAY['tenant=' || tenant_column] END
		|| ARRAY(SELECT 'key=' || c FROM unnest(key) c)
		|| ARRAY(SELECT 'exclude=' || c FROM unnest(exclude) c)
		|| ARRAY(SELECT 'redact=' || c FROM unnest(redact) c)
		|| CASE WHEN personal_key THEN ARRAY['personal=key'] ELSE '{}' END;
END
$$;
COMMENT ON FUNCTION scim_audit.tracking_arguments(regclass, name, name[], name[], name[], boolean) IS 'Arguments of the triggers that put a table under audit';

CREATE FUNCTION scim_audit.drop_triggers(tbl regclass) RETURNS boolean
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	item record;
	found_one boolean := false;
BEGIN
	FOR item IN
		SELECT t.tgname, t.tgrelid::regclass AS holder FROM pg_trigger t
		WHERE (t.tgrelid = tbl OR (t.tgname = 'scim_audit_partition_truncate'
				AND t.tgrelid IN (SELECT p.relid FROM pg_partition_tree(tbl) p)))
			AND t.tgparentid = 0
			AND t.tgfoid IN ('scim_audit.record_change()'::regprocedure, 'scim_audit.record_truncate()'::regprocedure)
	LOOP
		EXECUTE format('DROP TRIGGER %I ON %s', item.tgname, item.holder);
		found_one := true;
	END LOOP;
	RETURN found_one;
END
$$;
COMMENT ON FUNCTION scim_audit.drop_triggers(regclass) IS 'Removes the audit triggers of a table and of its partitions; false when it had none';

CREATE FUNCTION scim_audit.guard_table_partitions(tbl regclass) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	part regclass;
BEGIN
	FOR part IN SELECT p FROM scim_audit.unguarded_partitions(tbl) p
			JOIN pg_class c ON c.oid = p WHERE c.relkind IN ('r', 'p') LOOP
		EXECUTE format('CREATE OR REPLACE TRIGGER scim_audit_partition_truncate BEFORE TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION scim_audit.record_truncate()', part);
		-- No ALTER TABLE: that would come here again, for each partition one level deeper.
		PERFORM scim_audit.fire_always(t.oid) FROM pg_trigger t WHERE t.tgrelid = part AND t.tgname = 'scim_audit_partition_truncate';
	END LOOP;
END
$$;
COMMENT ON FUNCTION scim_audit.guard_table_partitions(regclass) IS 'Gives each partition of an audited table its TRUNCATE trigger';

-- Partitions that come later get theirs, and what is no partition any more
-- loses it.  A dump brings its own.
CREATE FUNCTION scim_audit.partition_guard() RETURNS event_trigger
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	top regclass;
	part regclass;
BEGIN
	IF current_setting('scim_audit.restore', true) = 'on' THEN
		RETURN;
	END IF;
	FOR top IN
		SELECT DISTINCT pg_partition_root(d.objid) FROM pg_event_trigger_ddl_commands() d JOIN pg_class c ON c.oid = d.objid
		WHERE d.classid = 'pg_class'::regclass AND (c.relkind = 'p' OR c.relispartition)
	LOOP
		IF EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = top AND t.tgfoid = 'scim_audit.record_truncate()'::regprocedure) THEN
			PERFORM scim_audit.guard_table_partitions(top);
		END IF;
		FOR part IN
			SELECT t.tgrelid FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
			WHERE t.tgname = 'scim_audit_partition_truncate' AND t.tgfoid = 'scim_audit.record_truncate()'::regprocedure
				AND NOT EXISTS (SELECT FROM pg_trigger u
					WHERE u.tgrelid = pg_partition_root(t.tgrelid) AND u.tgrelid <> t.tgrelid
						AND u.tgfoid = 'scim_audit.record_truncate()'::regprocedure)
		LOOP
			EXECUTE format('DROP TRIGGER scim_audit_partition_truncate ON %s', part);
		END LOOP;
	END LOOP;
END
$$;
COMMENT ON FUNCTION scim_audit.partition_guard() IS 'Keeps the TRUNCATE triggers of partitions of audited tables in line with what is a partition';

CREATE EVENT TRIGGER scim_audit_partition_guard ON ddl_command_end
	WHEN TAG IN ('CREATE TABLE', 'ALTER TABLE')
	EXECUTE FUNCTION scim_audit.partition_guard();
ALTER EVENT TRIGGER scim_audit_partition_guard ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER scim_audit_partition_guard IS 'A partition of an audited table is audited when it is truncated, too';

-- What the log calls a table.
CREATE FUNCTION scim_audit.table_type(tbl regclass) RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = tbl
$$;
COMMENT ON FUNCTION scim_audit.table_type(regclass) IS 'resource_type of the events of a table';

-- One event for each row that is there, so that its history is whole.
CREATE FUNCTION scim_audit.write_baseline(tbl regclass) RETURNS bigint
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	resource_type text := coalesce((SELECT t.resource FROM scim_audit.tracked_tables t WHERE t.table_name = tbl), scim_audit.table_type(tbl));
BEGIN
	RETURN (SELECT count(*) FROM (SELECT scim_audit.log_event('change', 'insert', 'table.baseline', s.state[2], resource_type, s.state[1], s.state[3]::json)
		FROM (SELECT scim_audit.row_states(tbl, tbl) AS state OFFSET 0) s OFFSET 0) e);
END
$$;
COMMENT ON FUNCTION scim_audit.write_baseline(regclass) IS 'Writes an event for each row of an audited table';

-- The lock that CREATE TRIGGER takes keeps writers out until this commits,
-- and under READ COMMITTED the baseline then sees all that was committed.
CREATE FUNCTION scim_audit.install_tracking(tbl regclass, tenant_column name, key_columns name[],
		exclude name[], redact name[], personal_key boolean, baseline boolean, resource text DEFAULT NULL) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	arguments text[];
	list text;
	foreign_partition regclass;
BEGIN
	PERFORM scim_audit.check_trackable(tbl, resource IS NOT NULL);
	IF baseline AND current_setting('transaction_isolation') <> 'read committed' THEN
		RAISE EXCEPTION 'track() needs the isolation level READ COMMITTED' USING ERRCODE = 'active_sql_transaction',
			HINT = 'Call it after BEGIN ISOLATION LEVEL READ COMMITTED, or with baseline => false.';
	END IF;
	IF EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = tbl AND t.tgparentid <> 0
			AND t.tgfoid = 'scim_audit.record_change()'::regprocedure) THEN
		RAISE EXCEPTION '"%" is tracked with the table that it is a partition of', tbl USING ERRCODE = 'wrong_object_type';
	END IF;
	foreign_partition := (SELECT p.relid FROM pg_partition_tree(tbl) p JOIN pg_class c ON c.oid = p.relid WHERE c.relkind = 'f' ORDER BY 1 LIMIT 1);
	IF foreign_partition IS NOT NULL THEN
		RAISE EXCEPTION 'cannot track "%"', tbl USING ERRCODE = 'wrong_object_type',
			DETAIL = format('Its partition "%s" is a foreign table: what changes elsewhere fires no trigger.', foreign_partition);
	END IF;
	arguments := CASE WHEN resource IS NULL THEN '{}' ELSE ARRAY['resource=' || resource] END || scim_audit.tracking_arguments(tbl, tenant_column, key_columns, coalesce(exclude, '{}'), coalesce(redact, '{}'),
		coalesce(personal_key, false));
	list := (SELECT string_agg(quote_literal(a), ', ' ORDER BY place) FROM unnest(arguments) WITH ORDINALITY u (a, place));

	IF personal_key THEN
		-- The generator of random uuids is a cryptographic one; two give 244 random bits.
		INSERT INTO scim_audit.secrets VALUES ('personal_key', sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())))
			ON CONFLICT DO NOTHING;
	END IF;
	PERFORM scim_audit.change_config();
	PERFORM scim_audit.drop_triggers(tbl);
	PERFORM scim_audit.create_trigger(tbl, format('CREATE TRIGGER scim_audit_row AFTER INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION scim_audit.record_change(%s)', tbl, list));
	PERFORM scim_audit.create_trigger(tbl, format('CREATE TRIGGER scim_audit_truncate BEFORE TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION scim_audit.record_truncate(%s)', tbl, list));
	PERFORM scim_audit.fire_always(t.oid) FROM pg_trigger t WHERE t.tgrelid = tbl AND t.tgname IN ('scim_audit_row', 'scim_audit_truncate');
	PERFORM scim_audit.guard_table_partitions(tbl);
	PERFORM scim_audit.remember_shape(tbl, baseline);
	-- The action tells verify() whether rows from before have events.
	PERFORM scim_audit.config_changed(CASE WHEN baseline THEN 'track' ELSE 'track_changes' END, 'table.track', scim_audit.table_type(tbl),
		format('{"arguments":%s,"baseline":%s}', to_json(arguments), to_json(baseline))::json);
	IF baseline THEN
		PERFORM scim_audit.write_baseline(tbl);
	END IF;
END
$$;
COMMENT ON FUNCTION scim_audit.install_tracking(regclass, name, name[], name[], name[], boolean, boolean, text) IS 'Does the work of track()';

CREATE FUNCTION scim_audit.remove_tracking(tbl regclass, is_resource boolean DEFAULT false) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM scim_audit.check_trackable(tbl, is_resource);
	PERFORM scim_audit.change_config();
	IF NOT scim_audit.drop_triggers(tbl) THEN
		RAISE EXCEPTION '"%" is not tracked', tbl USING ERRCODE = 'undefined_object';
	END IF;
	DELETE FROM scim_audit.table_shapes s WHERE s.relation = tbl;
	PERFORM scim_audit.config_changed('untrack', 'table.untrack', scim_audit.table_type(tbl), NULL);
END
$$;
COMMENT ON FUNCTION scim_audit.remove_tracking(regclass, boolean) IS 'Does the work of untrack()';

CREATE FUNCTION scim_audit.restored(OUT rule text, OUT chain integer, OUT seq bigint, OUT tx_id uuid, OUT n integer, OUT message text)
	RETURNS SETOF record LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	findings bigint := 0;
BEGIN
	FOR rule, chain, seq, tx_id, n, message IN SELECT * FROM scim_audit.verify() LOOP
		findings := findings + 1;
		RETURN NEXT;
	END LOOP;
	PERFORM scim_audit.change_config();
	-- pg_restore --disable-triggers enables them again, but not to fire always.
	PERFORM scim_audit.fire_always(t.oid) FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
		WHERE t.tgenabled = 'O' AND p.pronamespace IN ('scim'::regnamespace, 'scim_audit'::regnamespace)
			AND t.tgname NOT IN ('admit_restored', 'keep_deleted', 'tenant_kept');
	DELETE FROM scim_audit.table_shapes;
	PERFORM scim_audit.remember_shapes();
	PERFORM scim.restore_indexes();
	PERFORM scim_audit.config_changed('restore', 'log.restore', NULL, format('{"findings":%s}', findings)::json);
	-- What was published may be more than what is here.
	PERFORM scim_audit.lock_tree();
	PERFORM scim_audit.open_origin(o.base, 'restored') FROM scim_audit.log_origins o
		WHERE o.number = (SELECT max(l.number) FROM scim_audit.log_origins l);
END
$$;
COMMENT ON FUNCTION scim_audit.restored() IS 'To be called once after a restore: verifies the log, returns what verify() finds, has the audit''s triggers fire always, makes the indexes of registered attributes, writes the event log.restore, and begins a new origin for checkpoints';

REVOKE ALL ON FUNCTION scim_audit.track(regclass, name, name[], name[], name[], boolean, boolean), scim_audit.untrack(regclass),
	scim_audit.log_event(text, text, text, text, text, text, json), scim_audit.trigger_arguments(oid),
	scim_audit.create_trigger(regclass, text), scim_audit.fire_always(oid),
	scim_audit.change_config(), scim_audit.config_changed(text, text, text, json), scim_audit.unguarded_partitions(regclass),
	scim_audit.guard_table_partitions(regclass), scim_audit.partition_guard(),
	scim_audit.check_trackable(regclass, boolean), scim_audit.tracking_arguments(regclass, name, name[], name[], name[], boolean),
	scim_audit.drop_triggers(regclass), scim_audit.table_type(regclass), scim_audit.write_baseline(regclass),
	scim_audit.install_tracking(regclass, name, name[], name[], name[], boolean, boolean, text),
	scim_audit.remove_tracking(regclass, boolean), scim_audit.restored(),
	scim_audit.track_resource(regclass, text, name, name, name[], name[], boolean), scim_audit.untrack_resource(regclass) FROM PUBLIC;
