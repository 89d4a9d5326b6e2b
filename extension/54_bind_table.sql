-- Resource types kept in tables of an application (docs/own-table.md).  The
-- mapping names columns; what is computed is a generated column.  So nothing
-- of it becomes SQL but quoted names of columns that exist.

CREATE FUNCTION scim.check_table_owner(tbl regclass) RETURNS void
	LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'scim_audit_check_table_owner';
COMMENT ON FUNCTION scim.check_table_owner(regclass) IS 'Refuses who called and does not own the table';

CREATE FUNCTION scim.check_bindable(tbl regclass) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	class record;
	problem text;
BEGIN
	SELECT c.relkind, c.relpersistence, n.nspname, c.relname INTO class
		FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = tbl;
	problem := CASE
		WHEN class.relkind IS NULL THEN 'It does not exist.'
		WHEN class.relkind NOT IN ('r', 'p') THEN 'It is not a table: bind the table, and make what a view computes a generated column.'
		WHEN class.nspname IN ('pg_catalog', 'information_schema', 'pg_toast') THEN 'It is a system table.'
		WHEN class.nspname IN ('scim', 'scim_audit', 'scim_api') THEN 'It belongs to scim_audit.'
		WHEN class.relpersistence = 't' THEN 'It is temporary.'
		WHEN class.relpersistence = 'u' THEN 'It is unlogged: a crash empties it without a trace.'
		WHEN class.nspname LIKE '%"%' OR class.relname LIKE '%"%' THEN 'There is a quote in its name.'
		WHEN EXISTS (SELECT FROM scim.resource_types r WHERE to_regclass(r.storage ->> 'table') = tbl) THEN 'It is bound already.'
	END;
	IF problem IS NOT NULL THEN
		RAISE EXCEPTION 'cannot bind "%"', tbl USING ERRCODE = 'wrong_object_type', DETAIL = problem;
	END IF;
	PERFORM scim.check_table_owner(tbl);
END
$$;
COMMENT ON FUNCTION scim.check_bindable(regclass) IS 'Refuses what cannot keep a resource type, and who does not own it';

-- A column of the table by its name in the mapping, quoted.  kinds: the types it may have; null: any.
CREATE FUNCTION scim.bound_column(tbl regclass, mapping json, member text, kinds text[], nullable boolean) RETURNS text
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	name text := mapping ->> member;
	found_one record;
BEGIN
	IF name IS NULL THEN
		RETURN NULL;
	END IF;
	IF json_typeof(mapping -> member) <> 'string' OR name LIKE '%"%' THEN
		RAISE EXCEPTION '%: must be the name of a column', member USING ERRCODE = 'invalid_parameter_value';
	END IF;
	SELECT a.attnotnull, a.attgenerated, format_type(CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END, NULL) AS type
		INTO found_one FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
		WHERE a.attrelid = tbl AND a.attname = name AND a.attnum > 0 AND NOT a.attisdropped;
	IF NOT FOUND THEN
		RAISE EXCEPTION '%: column "%" of relation "%" does not exist', member, name, tbl USING ERRCODE = 'undefined_column';
	END IF;
	IF kinds IS NOT NULL AND found_one.type <> ALL (kinds) THEN
		RAISE EXCEPTION '%: column "%" must be of type %', member, name, array_to_string(kinds, ' or ') USING ERRCODE = 'datatype_mismatch';
	END IF;
	IF NOT nullable AND NOT found_one.attnotnull THEN
		RAISE EXCEPTION '%: column "%" must be NOT NULL', member, name USING ERRCODE = 'invalid_table_definition';
	END IF;
	RETURN '"' || name || '"';
END
$$;
COMMENT ON FUNCTION scim.bound_column(regclass, json, text, text[], boolean) IS 'The column that a mapping names, in quotes; an error where it does not exist or cannot keep what it is to keep';

-- The bindings of attributes: a generated column is read only.
CREATE FUNCTION scim.bound_attributes(tbl regclass, attributes json) RETURNS jsonb
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	result jsonb := '{}';
	item record;
	target json;
	quoted text;
	generated boolean;
BEGIN
	FOR item IN SELECT a.key, a.value FROM json_each(attributes) a LOOP
		target := CASE json_typeof(item.value) WHEN 'object' THEN item.value ELSE json_build_object('column', item.value) END;
		IF EXISTS (SELECT FROM json_object_keys(target) k WHERE k <> ALL (ARRAY['column', 'element'])) OR target ->> 'column' IS NULL THEN
			RAISE EXCEPTION '%: must be the name of a column, or {"column": …, "element": {…}}', item.key USING ERRCODE = 'invalid_parameter_value';
		END IF;
		quoted := scim.bound_column(tbl, json_build_object(item.key, target -> 'column'), item.key, NULL, true);
		generated := (SELECT a.attgenerated <> '' OR a.attidentity = 'a' FROM pg_attribute a WHERE a.attrelid = tbl AND a.attname = target ->> 'column');
		result := result || jsonb_build_object(item.key, CASE
			WHEN generated AND target -> 'element' IS NULL THEN jsonb_build_object('column', quoted, 'computed', true)
			WHEN target -> 'element' IS NOT NULL THEN jsonb_build_object('column', quoted, 'element', target -> 'element')
			ELSE to_jsonb(quoted) END);
	END LOOP;
	RETURN result;
END
$$;
COMMENT ON FUNCTION scim.bound_attributes(regclass, json) IS 'Which column of a table keeps which attribute, from a mapping';

CREATE FUNCTION scim.bound_storage(resource_type text, tbl regclass, mapping json) RETURNS jsonb
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	unknown text;
	deleted text;
	by_time boolean := (SELECT a.atttypid = 'timestamptz'::regtype FROM pg_attribute a WHERE a.attrelid = tbl AND a.attname = mapping ->> 'deleted');
	missing text;
	result jsonb;
BEGIN
	SELECT k INTO unknown FROM json_object_keys(mapping) k
		WHERE k <> ALL (ARRAY['id', 'tenant', 'version', 'created', 'lastModified', 'extensions', 'secrets', 'deleted', 'attributes']);
	IF unknown IS NOT NULL THEN
		RAISE EXCEPTION 'the mapping: unknown member "%"', unknown USING ERRCODE = 'invalid_parameter_value',
			HINT = 'Members are id, tenant, version, created, lastModified, extensions, secrets, deleted and attributes.';
	END IF;
	SELECT m INTO missing FROM unnest(ARRAY['id', 'tenant', 'version', 'created', 'lastModified', 'attributes']) m WHERE mapping ->> m IS NULL LIMIT 1;
	IF missing IS NOT NULL THEN
		RAISE EXCEPTION 'the mapping: "%" is missing', missing USING ERRCODE = 'invalid_parameter_value',
			HINT = format('ALTER TABLE %s ADD COLUMN %s', tbl, CASE missing
				WHEN 'id' THEN 'scim_id uuid NOT NULL DEFAULT gen_random_uuid() UNIQUE' WHEN 'tenant' THEN 'tenant text NOT NULL DEFAULT ''default'''
				WHEN 'version' THEN 'version bigint NOT NULL DEFAULT 1' ELSE '… timestamptz NOT NULL DEFAULT now()' END);
	END IF;
	result := jsonb_build_object(
		'table', (SELECT format('"%s"."%s"', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = tbl),
		'bound', true,
		'id', scim.bound_column(tbl, mapping, 'id', '{uuid}', false),
		'tenant', scim.bound_column(tbl, mapping, 'tenant', '{text,"character varying"}', false),
		'version', scim.bound_column(tbl, mapping, 'version', '{bigint}', false),
		'created', scim.bound_column(tbl, mapping, 'created', '{"timestamp with time zone"}', false),
		'lastModified', scim.bound_column(tbl, mapping, 'lastModified', '{"timestamp with time zone"}', false),
		'extensions', scim.bound_column(tbl, mapping, 'extensions', '{jsonb}', true),
		'secrets', scim.bound_column(tbl, mapping, 'secrets', '{jsonb}', true),
		'attributes', scim.bound_attributes(tbl, mapping -> 'attributes'));
	deleted := scim.bound_column(tbl, mapping, 'deleted', '{boolean,"timestamp with time zone"}', true);
	IF deleted IS NOT NULL THEN
		result := result || jsonb_build_object(CASE WHEN by_time THEN 'deletedAt' ELSE 'deleted' END, deleted);
	END IF;
	IF resource_type = 'User' AND EXISTS (SELECT FROM json_object_keys(mapping -> 'attributes') k WHERE lower(k) = 'groups') THEN
		RAISE EXCEPTION 'groups: memberships are kept in scim.group_members' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	IF resource_type = 'User' THEN
		result := jsonb_set(result, '{attributes,groups}', '{"link": "scim.group_members", "tenant": "tenant", "owner": "member_id",
			"value": "group_id", "target": "Group", "nested": "nested_group_id"}');
	END IF;
	RETURN jsonb_strip_nulls(result);
END
$$;
COMMENT ON FUNCTION scim.bound_storage(text, regclass, json) IS 'Where a resource type is kept in a table of an application, from a mapping (src/core/registry.h)';

-- Do the columns fit what they keep?
CREATE FUNCTION scim.check_bound_types(resource_type text, tbl regclass) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	wrong record;
BEGIN
	SELECT p.col, p.path, p.kind, format_type(t.oid, NULL) AS type INTO wrong
	FROM (SELECT btrim(c[3 * i - 2], '"') AS col, c[3 * i - 1] AS path, c[3 * i] AS kind
			FROM scim.column_paths(resource_type) c, LATERAL generate_series(1, cardinality(c) / 3) i) p
		JOIN pg_attribute a ON a.attrelid = tbl AND a.attname = p.col
		JOIN pg_type d ON d.oid = a.atttypid JOIN pg_type t ON t.oid = CASE d.typtype WHEN 'd' THEN d.typbasetype ELSE d.oid END
	WHERE NOT CASE p.kind
		WHEN 'text' THEN t.typcategory = 'S' AND t.oid <> 'bpchar'::regtype
		WHEN 'bigint' THEN t.oid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype)
		WHEN 'numeric' THEN t.oid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'numeric'::regtype)
		ELSE t.oid = p.kind::regtype END
	ORDER BY p.path LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION '%: column "%" is of type %, which cannot keep %', wrong.path, wrong.col, wrong.type, wrong.kind
			USING ERRCODE = 'datatype_mismatch';
	END IF;
END
$$;
COMMENT ON FUNCTION scim.check_bound_types(text, regclass) IS 'Refuses a column whose type is not that of the attribute it keeps';

-- Is there a unique index that uses the column, alone or in an expression?
CREATE FUNCTION scim.has_unique_index(tbl regclass, col text) RETURNS boolean
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT EXISTS (
		SELECT FROM pg_index i, pg_attribute a
		WHERE i.indrelid = $1 AND i.indisunique AND i.indisvalid AND a.attrelid = $1 AND a.attname = $2
			AND (a.attnum = ANY (i.indkey::int2[]) OR EXISTS (SELECT FROM pg_depend d
				WHERE d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid AND d.refclassid = 'pg_class'::regclass
					AND d.refobjid = $1 AND d.refobjsubid = a.attnum)))
$$;
COMMENT ON FUNCTION scim.has_unique_index(regclass, text) IS 'Has a table a unique index that uses a column?';

-- What SCIM needs of the table: ids and unique attributes are unique, rows can be inserted.
CREATE FUNCTION scim.check_bound_table(resource_type text, tbl regclass, storage jsonb) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	item record;
	attribute text;
BEGIN
	IF NOT scim.has_unique_index(tbl, btrim(storage ->> 'id', '"')) THEN
		RAISE EXCEPTION 'id: column % has no unique index', storage ->> 'id' USING ERRCODE = 'invalid_table_definition';
	END IF;
	FOR item IN SELECT a.path, CASE jsonb_typeof(b.value) WHEN 'object' THEN b.value ->> 'column' ELSE b.value #>> '{}' END AS col
		FROM unnest(scim.unique_paths(resource_type, scim.core_schema(resource_type))) a (path)
			LEFT JOIN jsonb_each(storage -> 'attributes') b ON lower(b.key) = lower(a.path)
	LOOP
		IF item.col IS NULL THEN
			RAISE EXCEPTION '%: is unique, and no column keeps it', item.path USING ERRCODE = 'invalid_parameter_value';
		ELSIF NOT scim.has_unique_index(tbl, btrim(item.col, '"'))
				AND NOT EXISTS (SELECT FROM scim.attribute_indexes i WHERE i.resource_type = check_bound_table.resource_type AND i.path = item.path) THEN
			RAISE EXCEPTION '%: column % has no unique index', item.path, item.col USING ERRCODE = 'invalid_table_definition',
				HINT = format('CREATE UNIQUE INDEX ON %s (%s, scim.fold(%s))', tbl, storage ->> 'tenant', item.col);
		END IF;
	END LOOP;
	FOREACH attribute IN ARRAY scim.required_paths(resource_type) LOOP
		IF NOT EXISTS (SELECT FROM jsonb_object_keys(storage -> 'attributes') k WHERE lower(k) = lower(attribute) OR starts_with(lower(k), lower(attribute) || '.'))
				AND storage -> 'extensions' IS NULL THEN
			RAISE EXCEPTION '%: is required, and no column keeps it', attribute USING ERRCODE = 'invalid_parameter_value';
		END IF;
	END LOOP;
	SELECT a.attname INTO item FROM pg_attribute a
		WHERE a.attrelid = tbl AND a.attnum > 0 AND NOT a.attisdropped AND a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' AND a.attgenerated = ''
			AND NOT EXISTS (
				SELECT FROM jsonb_each(storage) s WHERE s.value = to_jsonb('"' || a.attname || '"')
				UNION ALL SELECT FROM jsonb_each(storage -> 'attributes') b WHERE b.value = to_jsonb('"' || a.attname || '"') OR b.value ->> 'column' = '"' || a.attname || '"')
		ORDER BY a.attnum LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'column "%" of relation "%" is NOT NULL, has no default, and no attribute', item.attname, tbl
			USING ERRCODE = 'invalid_table_definition', HINT = 'Give it a default, or map an attribute to it.';
	END IF;
END
$$;
COMMENT ON FUNCTION scim.check_bound_table(text, regclass, jsonb) IS 'Refuses a table into which SCIM could not write';

CREATE FUNCTION scim.make_bound_triggers(tbl regclass, resource_type text, storage jsonb, exclude name[], redact name[]) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM scim_audit.create_trigger(tbl, format('CREATE TRIGGER scim_keep_version BEFORE INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION scim.keep_version(%s)', tbl,
		(SELECT string_agg(quote_literal(a.name || '=' || btrim(a.col, '"')), ', ' ORDER BY a.name <> 'type', a.name) FROM (VALUES
			('type', resource_type), ('id', storage ->> 'id'), ('tenant', storage ->> 'tenant'), ('version', storage ->> 'version'), ('created', storage ->> 'created'),
			('last_modified', storage ->> 'lastModified'), ('deleted', coalesce(storage ->> 'deleted', storage ->> 'deletedAt'))) a (name, col)
			WHERE a.col IS NOT NULL)));
	PERFORM scim_audit.fire_always(t.oid) FROM pg_trigger t WHERE t.tgrelid = tbl AND t.tgname = 'scim_keep_version';
	PERFORM scim_audit.track_resource(tbl, resource_type, btrim(storage ->> 'tenant', '"')::name, btrim(storage ->> 'id', '"')::name,
		ARRAY[btrim(storage ->> 'version', '"'), btrim(storage ->> 'lastModified', '"')]::name[] || coalesce(exclude, '{}'), coalesce(redact, '{}'), true);
END
$$;
COMMENT ON FUNCTION scim.make_bound_triggers(regclass, text, jsonb, name[], name[]) IS 'Versions and audit of a table of an application that keeps a resource type';

CREATE FUNCTION scim.bind_table(resource_type text, tbl regclass, mapping json, exclude name[] DEFAULT '{}', redact name[] DEFAULT '{}') RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	old regclass;
	used boolean;
	where_kept jsonb;
BEGIN
	IF resource_type IS NULL OR tbl IS NULL OR mapping IS NULL OR json_typeof(mapping) <> 'object' THEN
		RAISE EXCEPTION 'resource_type, tbl and mapping must be given, mapping as an object' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	LOCK TABLE scim.schemas IN SHARE ROW EXCLUSIVE MODE;
	PERFORM scim.check_bindable(tbl);
	IF resource_type = 'Group' THEN
		RAISE EXCEPTION 'groups stay in scim.groups' USING ERRCODE = 'feature_not_supported',
			DETAIL = 'Their members are kept as rows that refer to it. Users in a table of an application can be members.';
	END IF;
	IF resource_type = 'User' AND NOT pg_has_role((SELECT c.relowner FROM pg_class c WHERE c.oid = tbl),
			(SELECT c.relowner FROM pg_class c WHERE c.oid = 'scim.group_members'::regclass), 'USAGE') THEN
		RAISE EXCEPTION 'cannot bind "%"', tbl USING ERRCODE = 'insufficient_privilege',
			DETAIL = 'Members are looked up in it as the owner of scim.group_members, who would run what its owner wrote: expressions of indexes, for one.',
			HINT = format('ALTER TABLE %s OWNER TO %s, and grant the application what it needs.', tbl, (SELECT c.relowner::regrole FROM pg_class c WHERE c.oid = 'scim.group_members'::regclass));
	END IF;
	old := scim.type_table(resource_type);
	IF old IS NULL THEN
		RAISE EXCEPTION 'there is no resource type "%"', resource_type USING ERRCODE = 'undefined_object';
	END IF;
	IF (SELECT r.storage ->> 'bound' FROM scim.resource_types r WHERE r.name = resource_type)::boolean THEN
		RAISE EXCEPTION 'the resource type % is bound to a table already', resource_type USING ERRCODE = 'object_not_in_prerequisite_state',
			HINT = 'scim.unbind_table() ends that.';
	END IF;
	EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', old);
	EXECUTE format('SELECT EXISTS (SELECT FROM %s)', old) INTO used;
	IF used THEN
		RAISE EXCEPTION 'there are resources of the type % in %', resource_type, old
			USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Move them first.';
	END IF;

	where_kept := scim.bound_storage(resource_type, tbl, mapping);
	INSERT INTO scim.resource_types AS r (name, storage) VALUES (resource_type, where_kept::json)
		ON CONFLICT (name) DO UPDATE SET storage = excluded.storage;
	PERFORM scim.check_registry();
	PERFORM scim.check_bound_types(resource_type, tbl);
	PERFORM scim.check_bound_table(resource_type, tbl, where_kept);
	IF old <> 'scim.users'::regclass THEN
		PERFORM scim_audit.untrack_resource(old);
		EXECUTE format('DROP TABLE %s', old);
	END IF;
	PERFORM scim.make_bound_triggers(tbl, resource_type, where_kept, exclude, redact);
	PERFORM scim.restore_indexes();
	PERFORM scim_audit.log_event('admin', 'bind', 'resource_type.bind', NULL, 'ResourceType', resource_type,
		json_build_object('table', scim_audit.table_type(tbl), 'storage', where_kept, 'exclude', exclude, 'redact', redact));
END
$$;
COMMENT ON FUNCTION scim.bind_table(text, regclass, json, name[], name[]) IS 'Keeps a resource type in a table of an application: mapping says which column keeps what; exclude and redact as for scim_audit.track(). For the table''s owner';

CREATE FUNCTION scim.unbind_table(resource_type text) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	bound record;
	tbl regclass;
	index_name text;
BEGIN
	LOCK TABLE scim.schemas IN SHARE ROW EXCLUSIVE MODE;
	SELECT r.storage ->> 'table' AS name, r.document IS NOT NULL AS registered INTO bound
		FROM scim.resource_types r WHERE r.name = resource_type AND (r.storage ->> 'bound')::boolean;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'the resource type "%" is bound to no table', resource_type USING ERRCODE = 'object_not_in_prerequisite_state';
	END IF;
	tbl := to_regclass(bound.name);
	IF tbl IS NOT NULL THEN
		PERFORM scim.check_table_owner(tbl);
		EXECUTE format('DROP TRIGGER IF EXISTS scim_keep_version ON %s', tbl);
		PERFORM scim_audit.untrack_resource(tbl);
		FOR index_name IN SELECT i.indexrelid::regclass::text FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
				JOIN scim.attribute_indexes a ON a.resource_type = unbind_table.resource_type AND c.relname = scim.index_name(a.resource_type, a.path)
				WHERE i.indrelid = tbl LOOP
			EXECUTE format('DROP INDEX %s', index_name);
		END LOOP;
	END IF;
	DELETE FROM scim.group_members m WHERE m.bound AND resource_type = 'User';
	-- None of the rows is a resource any more: for the log as after a TRUNCATE.
	PERFORM scim_audit.log_event('change', 'truncate', lower(resource_type) || '.truncate', NULL, resource_type, NULL,
		json_build_object('unbound', bound.name));
	IF bound.registered THEN
		PERFORM scim.make_table(resource_type);
	ELSE
		DELETE FROM scim.resource_types r WHERE r.name = resource_type;
	END IF;
	PERFORM scim.check_registry();
	PERFORM scim.restore_indexes();
	PERFORM scim_audit.log_event('admin', 'unbind', 'resource_type.unbind', NULL, 'ResourceType', resource_type, json_build_object('table', bound.name));
END
$$;
COMMENT ON FUNCTION scim.unbind_table(text) IS 'Ends the binding of a resource type to a table of an application, which keeps its rows; SCIM then has none. For the table''s owner';

REVOKE ALL ON FUNCTION scim.check_table_owner(regclass), scim.check_bindable(regclass), scim.bound_column(regclass, json, text, text[], boolean),
	scim.bound_attributes(regclass, json), scim.bound_storage(text, regclass, json), scim.check_bound_types(text, regclass),
	scim.has_unique_index(regclass, text), scim.check_bound_table(text, regclass, jsonb),
	scim.make_bound_triggers(regclass, text, jsonb, name[], name[]), scim.bind_table(text, regclass, json, name[], name[]),
	scim.unbind_table(text), scim.core_schema(text), scim.required_paths(text) FROM PUBLIC;
