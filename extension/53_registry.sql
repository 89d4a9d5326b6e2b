-- Registering schemas and resource types.  Documents are read in C, by what
-- reads the built-in ones; DDL comes from the registry (src/core/sql_table.c).

CREATE FUNCTION scim.check_document(document json, kind text) RETURNS text
	LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'scim_audit_check_document';
COMMENT ON FUNCTION scim.check_document(json, text) IS 'The id of a schema or the name of a resource type that could be registered; an error says why it could not';

CREATE FUNCTION scim.check_registry() RETURNS void
	LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'scim_audit_check_registry';
COMMENT ON FUNCTION scim.check_registry() IS 'An error where what is registered makes no sense together';

CREATE FUNCTION scim.table_storage(resource_type text) RETURNS text
	LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'scim_audit_table_storage';
COMMENT ON FUNCTION scim.table_storage(text) IS 'Where the attributes of a resource type are in the table that is made for it';

CREATE FUNCTION scim.table_definition(resource_type text) RETURNS text
	LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'scim_audit_table_definition';
COMMENT ON FUNCTION scim.table_definition(text) IS 'CREATE TABLE for a resource type';

CREATE FUNCTION scim.index_definition(resource_type text, path text, is_unique boolean, name text) RETURNS text
	LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'scim_audit_index_definition';
COMMENT ON FUNCTION scim.index_definition(text, text, boolean, text) IS 'CREATE INDEX for an attribute of a resource type';

CREATE FUNCTION scim.unique_paths(resource_type text, schema text) RETURNS text[]
	LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'scim_audit_unique_paths';
COMMENT ON FUNCTION scim.unique_paths(text, text) IS 'The attributes of a schema, as an extension or core of a resource type, whose values are to be unique';

CREATE FUNCTION scim.column_paths(resource_type text) RETURNS text[]
	LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'scim_audit_column_paths';
COMMENT ON FUNCTION scim.column_paths(text) IS 'The columns of a resource type''s table: of each its name, the attribute that it keeps, and its type';

CREATE FUNCTION scim.core_schema(resource_type text) RETURNS text
	LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'scim_audit_core_schema';
COMMENT ON FUNCTION scim.core_schema(text) IS 'The URN of a resource type''s own schema';

CREATE FUNCTION scim.required_paths(resource_type text) RETURNS text[]
	LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'scim_audit_required_paths';
COMMENT ON FUNCTION scim.required_paths(text) IS 'The attributes of a resource type''s own schema that a client must give';

CREATE FUNCTION scim.type_table(resource_type text) RETURNS regclass
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce((SELECT r.storage ->> 'table' FROM scim.resource_types r WHERE r.name = $1),
		CASE $1 WHEN 'User' THEN 'scim.users' WHEN 'Group' THEN 'scim.groups' END)::regclass
$$;
COMMENT ON FUNCTION scim.type_table(text) IS 'The table that keeps a resource type; null when there is none';

-- The same name for the same attribute, whatever else is registered.
CREATE FUNCTION scim.index_name(resource_type text, path text) RETURNS text
	LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT 'scim_' || md5($1 || '|' || $2)
$$;
COMMENT ON FUNCTION scim.index_name(text, text) IS 'Name of the index of an attribute';

-- The comment names the attribute: the answer to who writes a value twice does, too.
CREATE FUNCTION scim.make_index(resource_type text, path text, is_unique boolean) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	name text := scim.index_name(resource_type, path);
BEGIN
	BEGIN
		EXECUTE scim.index_definition(resource_type, path, is_unique, name);
	EXCEPTION WHEN unique_violation THEN
		RAISE EXCEPTION '"%" cannot be unique: a tenant has resources of the type % with the same value', path, resource_type
			USING ERRCODE = 'unique_violation';
	END;
	EXECUTE format('COMMENT ON INDEX %I.%I IS %L',
		(SELECT c.relnamespace::regnamespace::text FROM pg_class c WHERE c.oid = scim.type_table(resource_type)), name, path);
END
$$;
COMMENT ON FUNCTION scim.make_index(text, text, boolean) IS 'Makes the index of an attribute';

-- An attribute named twice has one index, the unique one.
CREATE FUNCTION scim.add_indexes(resource_type text, unique_paths text[], indexed text[]) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	item record;
BEGIN
	FOR item IN
		SELECT p.path, bool_or(p.is_unique) AS is_unique FROM (
			SELECT u.path, true AS is_unique FROM unnest(add_indexes.unique_paths) u (path)
			UNION ALL SELECT i.path, false FROM unnest(add_indexes.indexed) i (path)) p
		GROUP BY p.path ORDER BY p.path COLLATE "C"
	LOOP
		INSERT INTO scim.attribute_indexes (resource_type, path, is_unique)
			VALUES (add_indexes.resource_type, item.path, item.is_unique);
		PERFORM scim.make_index(add_indexes.resource_type, item.path, item.is_unique);
	END LOOP;
END
$$;
COMMENT ON FUNCTION scim.add_indexes(text, text[], text[]) IS 'Makes and remembers the indexes of attributes of a resource type';

-- A dump has no index of a table that is the extension's own.
CREATE FUNCTION scim.restore_indexes() RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM scim.make_index(i.resource_type, i.path, i.is_unique) FROM scim.attribute_indexes i
		WHERE NOT EXISTS (
			SELECT FROM pg_class c JOIN pg_class t ON t.relnamespace = c.relnamespace
			WHERE t.oid = scim.type_table(i.resource_type) AND c.relkind = 'i'
				AND c.relname = scim.index_name(i.resource_type, i.path));
END
$$;
COMMENT ON FUNCTION scim.restore_indexes() IS 'Makes the indexes of attributes that are missing; for scim_audit.restored()';

CREATE FUNCTION scim.drop_index(resource_type text, path text) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	EXECUTE format('DROP INDEX IF EXISTS %I.%I',
		(SELECT c.relnamespace::regnamespace::text FROM pg_class c WHERE c.oid = scim.type_table(resource_type)),
		scim.index_name(resource_type, path));
	DELETE FROM scim.attribute_indexes i WHERE i.resource_type = drop_index.resource_type AND i.path = drop_index.path;
END
$$;
COMMENT ON FUNCTION scim.drop_index(text, text) IS 'Drops the index of an attribute';

CREATE FUNCTION scim.register_schema(document json, extends text DEFAULT NULL, required boolean DEFAULT false,
		indexed text[] DEFAULT '{}') RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	urn text;
BEGIN
	IF document IS NULL THEN
		RAISE EXCEPTION 'the document must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	-- One at a time: two could take the same name.
	LOCK TABLE scim.schemas IN SHARE ROW EXCLUSIVE MODE;
	urn := scim.check_document(document, 'schema');
	INSERT INTO scim.schemas (id, document) VALUES (urn, document);
	IF extends IS NOT NULL THEN
		INSERT INTO scim.schema_extensions (resource_type, schema, required) VALUES (extends, urn, coalesce(required, false));
		PERFORM scim.check_registry();
		PERFORM scim.add_indexes(extends, scim.unique_paths(extends, urn),
			ARRAY(SELECT CASE WHEN starts_with(lower(p), lower(urn) || ':') THEN p ELSE urn || ':' || p END FROM unnest(indexed) p));
	ELSIF cardinality(indexed) > 0 THEN
		RAISE EXCEPTION 'only an extension of a resource type can have indexes' USING ERRCODE = 'invalid_parameter_value',
			HINT = 'Say which type the schema extends, or name the attributes to scim.register_resource_type().';
	END IF;
	PERFORM scim_audit.log_event('admin', 'register', 'schema.register', NULL, 'Schema', urn,
		json_build_object('extends', extends, 'required', coalesce(required, false), 'indexed', coalesce(indexed, '{}'), 'document', document));
END
$$;
COMMENT ON FUNCTION scim.register_schema(json, text, boolean, text[]) IS 'Registers a schema (RFC 7643 section 7); extends: the resource type whose extension it becomes, required: does every resource need it, indexed: attributes that filters find by an index, beside the unique ones';

-- Row-level security and privileges as scim.users has them.
CREATE FUNCTION scim.protect_table(tbl regclass) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	EXECUTE format('REVOKE ALL ON TABLE %s FROM PUBLIC', tbl);
	EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', tbl);
	EXECUTE format('CREATE POLICY readers ON %s FOR SELECT USING ('
		'(SELECT scim.all_tenants(''{reader}'')) OR tenant = ANY ((SELECT scim.tenants_of(''{reader}''))::text[]))', tbl);
	EXECUTE format('CREATE POLICY provisioners ON %s USING ('
		'(SELECT scim.all_tenants(''{provisioning_admin}'')) OR tenant = ANY ((SELECT scim.tenants_of(''{provisioning_admin}''))::text[]))', tbl);
END
$$;
COMMENT ON FUNCTION scim.protect_table(regclass) IS 'Row-level security and privileges of a table made for a resource type';

CREATE FUNCTION scim.make_table(resource_type text) RETURNS regclass
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	tbl regclass;
	name text;
	paths text[];
BEGIN
	UPDATE scim.resource_types r SET storage = scim.table_storage(r.name)::json WHERE r.name = resource_type;
	name := (SELECT r.storage ->> 'table' FROM scim.resource_types r WHERE r.name = resource_type);
	IF to_regclass(name) IS NOT NULL THEN
		RAISE EXCEPTION 'there is a table "%" already', name USING ERRCODE = 'duplicate_table',
			HINT = 'Its name is made of the endpoint: choose another one.';
	END IF;
	EXECUTE scim.table_definition(resource_type);
	tbl := name::regclass;
	EXECUTE format('COMMENT ON TABLE %s IS %L', tbl, 'SCIM resources of the registered type ' || resource_type);
	paths := ARRAY['tenant', 'The tenant the resource belongs to', '', 'id', 'id: a version 7 UUID, never changed and never used again', '',
		'version', 'meta.version: the number in the ETag; one more with each change, kept by a trigger', '',
		'created', 'meta.created; kept by a trigger', '', 'last_modified', 'meta.lastModified; kept by a trigger', '']
		|| scim.column_paths(resource_type);
	FOR i IN 1 .. cardinality(paths) / 3 LOOP
		EXECUTE format('COMMENT ON COLUMN %s.%s IS %L', tbl, paths[3 * i - 2], paths[3 * i - 1]);
	END LOOP;
	EXECUTE format('CREATE INDEX ON %s (tenant, external_id) WHERE external_id IS NOT NULL', tbl);
	EXECUTE format('CREATE INDEX ON %s (tenant, last_modified)', tbl);
	EXECUTE format('CREATE TRIGGER keep_version BEFORE INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION scim.keep_version()', tbl);
	EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER keep_version', tbl);
	PERFORM scim.protect_table(tbl);
	PERFORM scim_audit.track_resource(tbl, resource_type, 'tenant', 'id', '{version,last_modified}', '{}', false);
	PERFORM scim.apply_duty_privileges(d.role_oid::regrole)
		FROM (SELECT DISTINCT d.role_oid FROM scim.duties d JOIN pg_roles r ON r.oid = d.role_oid AND r.rolname = d.role_name
			WHERE d.duty = 'reader') d;
	RETURN tbl;
END
$$;
COMMENT ON FUNCTION scim.make_table(text) IS 'Makes the table of a registered resource type, as well kept, protected and audited as scim.users';

CREATE FUNCTION scim.register_resource_type(document json, indexed text[] DEFAULT '{}') RETURNS regclass
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	type_name text;
	tbl regclass;
	schemas text[];
BEGIN
	IF document IS NULL THEN
		RAISE EXCEPTION 'the document must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	LOCK TABLE scim.schemas IN SHARE ROW EXCLUSIVE MODE;
	type_name := scim.check_document(document, 'resource type');
	INSERT INTO scim.resource_types (name, document) VALUES (type_name, document);
	tbl := scim.make_table(type_name);
	schemas := ARRAY[document ->> 'schema']
		|| ARRAY(SELECT e ->> 'schema' FROM json_array_elements(coalesce(document -> 'schemaExtensions', '[]')) e);
	PERFORM scim.add_indexes(type_name,
		ARRAY(SELECT p FROM unnest(schemas) s, LATERAL unnest(scim.unique_paths(type_name, s)) p), indexed);
	PERFORM scim_audit.log_event('admin', 'register', 'resource_type.register', NULL, 'ResourceType', type_name,
		json_build_object('table', tbl, 'indexed', coalesce(indexed, '{}'), 'document', document));
	RETURN tbl;
END
$$;
COMMENT ON FUNCTION scim.register_resource_type(json, text[]) IS 'Registers a resource type (RFC 7643 section 6), whose schemas must be registered before, and makes its table, which is returned; indexed: attributes that filters find by an index, beside the unique ones';

CREATE FUNCTION scim.unregister_schema(id text) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	user_type text;
	column_name text;
	used boolean;
BEGIN
	LOCK TABLE scim.schemas IN SHARE ROW EXCLUSIVE MODE;
	IF NOT EXISTS (SELECT FROM scim.schemas s WHERE s.id = unregister_schema.id) THEN
		RAISE EXCEPTION 'there is no registered schema "%"', unregister_schema.id USING ERRCODE = 'undefined_object';
	END IF;
	user_type := (SELECT r.name FROM scim.resource_types r
		WHERE lower(r.document ->> 'schema') = lower(unregister_schema.id) OR EXISTS (
			SELECT FROM json_array_elements(coalesce(r.document -> 'schemaExtensions', '[]')) e
			WHERE lower(e ->> 'schema') = lower(unregister_schema.id))
		ORDER BY 1 LIMIT 1);
	IF user_type IS NOT NULL THEN
		RAISE EXCEPTION 'schema "%" is used by the resource type %', unregister_schema.id, user_type
			USING ERRCODE = 'dependent_objects_still_exist', HINT = 'Unregister the resource type first.';
	END IF;
	FOR user_type IN SELECT e.resource_type FROM scim.schema_extensions e WHERE e.schema = unregister_schema.id ORDER BY 1 LOOP
		EXECUTE format('LOCK TABLE %s IN SHARE MODE', scim.type_table(user_type));
		FOR column_name IN SELECT p FROM unnest(scim.column_paths(user_type)) WITH ORDINALITY u (p, place)
				WHERE place % 3 = 1 AND (scim.column_paths(user_type))[place + 1] IN ('extensions', 'secrets') LOOP
			EXECUTE format('SELECT EXISTS (SELECT FROM %s r WHERE r.%s OPERATOR(pg_catalog.?) $1)', scim.type_table(user_type), column_name)
				INTO used USING unregister_schema.id;
			IF used THEN
				RAISE EXCEPTION 'resources of the type % have attributes of schema "%"', user_type, unregister_schema.id
					USING ERRCODE = 'dependent_objects_still_exist', HINT = 'Remove these attributes first.';
			END IF;
		END LOOP;
		PERFORM scim.drop_index(i.resource_type, i.path) FROM scim.attribute_indexes i
			WHERE i.resource_type = user_type AND starts_with(lower(i.path), lower(unregister_schema.id) || ':');
	END LOOP;
	DELETE FROM scim.schema_extensions e WHERE e.schema = unregister_schema.id;
	DELETE FROM scim.schemas s WHERE s.id = unregister_schema.id;
	PERFORM scim.check_registry();
	PERFORM scim_audit.log_event('admin', 'unregister', 'schema.unregister', NULL, 'Schema', unregister_schema.id, NULL);
END
$$;
COMMENT ON FUNCTION scim.unregister_schema(text) IS 'Takes back the registration of a schema that no resource and no resource type uses';

CREATE FUNCTION scim.unregister_resource_type(name text) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	tbl regclass;
	used boolean;
BEGIN
	LOCK TABLE scim.schemas IN SHARE ROW EXCLUSIVE MODE;
	IF NOT EXISTS (SELECT FROM scim.resource_types r WHERE r.name = unregister_resource_type.name AND r.document IS NOT NULL) THEN
		RAISE EXCEPTION 'there is no registered resource type "%"', unregister_resource_type.name USING ERRCODE = 'undefined_object';
	END IF;
	IF (SELECT r.storage ->> 'bound' FROM scim.resource_types r WHERE r.name = unregister_resource_type.name)::boolean THEN
		RAISE EXCEPTION 'the resource type % is bound to a table of an application', unregister_resource_type.name
			USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'scim.unbind_table() ends that.';
	END IF;
	tbl := scim.type_table(unregister_resource_type.name);
	EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', tbl);
	EXECUTE format('SELECT EXISTS (SELECT FROM %s)', tbl) INTO used;
	IF used THEN
		RAISE EXCEPTION 'there are resources of the type %', unregister_resource_type.name
			USING ERRCODE = 'dependent_objects_still_exist', HINT = 'Delete them first.';
	END IF;
	PERFORM scim_audit.untrack_resource(tbl);
	EXECUTE format('DROP TABLE %s', tbl);
	DELETE FROM scim.attribute_indexes i WHERE i.resource_type = unregister_resource_type.name;
	DELETE FROM scim.schema_extensions e WHERE e.resource_type = unregister_resource_type.name;
	DELETE FROM scim.resource_types r WHERE r.name = unregister_resource_type.name;
	PERFORM scim.check_registry();
	PERFORM scim_audit.log_event('admin', 'unregister', 'resource_type.unregister', NULL, 'ResourceType', unregister_resource_type.name, NULL);
END
$$;
COMMENT ON FUNCTION scim.unregister_resource_type(text) IS 'Takes back the registration of a resource type that has no resource, and drops its table';

-- A tenant's resources of registered types, for scim.drop_tenant() and the check that a tenant has none.
CREATE FUNCTION scim.delete_registered(tenant text) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	tbl text;
BEGIN
	FOR tbl IN SELECT c.table_name FROM scim.registered_columns c ORDER BY 1 LOOP
		EXECUTE format('DELETE FROM %s r WHERE r.tenant = $1', tbl::regclass) USING tenant;
	END LOOP;
END
$$;
COMMENT ON FUNCTION scim.delete_registered(text) IS 'Deletes a tenant''s resources of registered types; for scim.drop_tenant()';

CREATE FUNCTION scim.has_registered(tenant text) RETURNS boolean
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	tbl text;
	found_one boolean;
BEGIN
	FOR tbl IN SELECT c.table_name FROM scim.registered_columns c ORDER BY 1 LOOP
		EXECUTE format('LOCK TABLE %s IN SHARE MODE', tbl::regclass);
		EXECUTE format('SELECT EXISTS (SELECT FROM %s r WHERE r.tenant = $1)', tbl::regclass) INTO found_one USING tenant;
		IF found_one THEN
			RETURN true;
		END IF;
	END LOOP;
	RETURN false;
END
$$;
COMMENT ON FUNCTION scim.has_registered(text) IS 'Has a tenant resources of registered types? Waits for writers of them';

CREATE TRIGGER admit_restored BEFORE INSERT ON scim.schema_extensions
	FOR EACH STATEMENT EXECUTE FUNCTION scim.admit_restored();

REVOKE ALL ON FUNCTION scim.check_document(json, text), scim.check_registry(), scim.table_storage(text), scim.table_definition(text),
	scim.index_definition(text, text, boolean, text), scim.unique_paths(text, text), scim.column_paths(text),
	scim.type_table(text), scim.index_name(text, text), scim.make_index(text, text, boolean),
	scim.add_indexes(text, text[], text[]), scim.restore_indexes(), scim.drop_index(text, text),
	scim.register_schema(json, text, boolean, text[]), scim.protect_table(regclass), scim.make_table(text),
	scim.register_resource_type(json, text[]), scim.unregister_schema(text), scim.unregister_resource_type(text),
	scim.delete_registered(text), scim.has_registered(text), scim.registry_changed() FROM PUBLIC;
REVOKE ALL ON TABLE scim.schemas, scim.resource_types, scim.schema_extensions, scim.attribute_indexes FROM PUBLIC;

SELECT pg_catalog.pg_extension_config_dump('scim.schemas', '');
SELECT pg_catalog.pg_extension_config_dump('scim.resource_types', '');
SELECT pg_catalog.pg_extension_config_dump('scim.schema_extensions', '');
SELECT pg_catalog.pg_extension_config_dump('scim.attribute_indexes', '');
