-- What this database registers beside the schemas and resource types of RFC
-- 7643, which are built in.  For all tenants: what a SCIM service offers is
-- one thing, whoever calls.

CREATE TABLE scim.schemas (
	id text COLLATE "C" PRIMARY KEY,
	document json NOT NULL,
	registered timestamptz NOT NULL DEFAULT pg_catalog.now(),
	registered_by name NOT NULL DEFAULT SESSION_USER
);
COMMENT ON TABLE scim.schemas IS 'Schemas that scim.register_schema() registered (RFC 7643 section 7)';
COMMENT ON COLUMN scim.schemas.id IS 'The schema''s URN';
COMMENT ON COLUMN scim.schemas.document IS 'The schema as it was registered';
COMMENT ON COLUMN scim.schemas.registered IS 'Start of the transaction that registered it';
COMMENT ON COLUMN scim.schemas.registered_by IS 'Session user who registered it';

CREATE TABLE scim.resource_types (
	name text COLLATE "C" PRIMARY KEY,
	document json,
	storage json,
	registered timestamptz NOT NULL DEFAULT pg_catalog.now(),
	registered_by name NOT NULL DEFAULT SESSION_USER
);
COMMENT ON TABLE scim.resource_types IS 'Resource types that scim.register_resource_type() registered (RFC 7643 section 6), and where each is kept';
COMMENT ON COLUMN scim.resource_types.name IS 'The resource type''s name';
COMMENT ON COLUMN scim.resource_types.document IS 'The resource type as it was registered; null: it is built in';
COMMENT ON COLUMN scim.resource_types.storage IS 'Its table, and which column keeps which attribute (src/core/registry.h)';
COMMENT ON COLUMN scim.resource_types.registered IS 'Start of the transaction that registered it';
COMMENT ON COLUMN scim.resource_types.registered_by IS 'Session user who registered it';

CREATE TABLE scim.schema_extensions (
	resource_type text COLLATE "C" NOT NULL,
	schema text COLLATE "C" NOT NULL REFERENCES scim.schemas,
	required boolean NOT NULL DEFAULT false,
	PRIMARY KEY (resource_type, schema)
);
COMMENT ON TABLE scim.schema_extensions IS 'Which registered schemas extend which resource types, beside those that the type''s own document names';
COMMENT ON COLUMN scim.schema_extensions.resource_type IS 'The resource type, registered or built in';
COMMENT ON COLUMN scim.schema_extensions.schema IS 'The schema that extends it';
COMMENT ON COLUMN scim.schema_extensions.required IS 'Must a resource have attributes of it?';

CREATE TABLE scim.attribute_indexes (
	resource_type text COLLATE "C" NOT NULL,
	path text COLLATE "C" NOT NULL,
	is_unique boolean NOT NULL,
	PRIMARY KEY (resource_type, path)
);
COMMENT ON TABLE scim.attribute_indexes IS 'Indexes that registering made, by attribute: a dump leaves out those of scim.users and scim.groups, and scim_audit.restored() makes them again';
COMMENT ON COLUMN scim.attribute_indexes.resource_type IS 'The resource type';
COMMENT ON COLUMN scim.attribute_indexes.path IS 'The attribute, as in a filter';
COMMENT ON COLUMN scim.attribute_indexes.is_unique IS 'Is its value unique in its tenant?';

CREATE FUNCTION scim.registry_changed() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME', 'scim_audit_registry_changed';
COMMENT ON FUNCTION scim.registry_changed() IS 'Tells every backend that schemas or resource types have changed';

CREATE TRIGGER registry_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON scim.schemas
	FOR EACH STATEMENT EXECUTE FUNCTION scim.registry_changed();
CREATE TRIGGER registry_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON scim.resource_types
	FOR EACH STATEMENT EXECUTE FUNCTION scim.registry_changed();
CREATE TRIGGER registry_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON scim.schema_extensions
	FOR EACH STATEMENT EXECUTE FUNCTION scim.registry_changed();
ALTER TABLE scim.schemas ENABLE ALWAYS TRIGGER registry_changed;
ALTER TABLE scim.resource_types ENABLE ALWAYS TRIGGER registry_changed;
ALTER TABLE scim.schema_extensions ENABLE ALWAYS TRIGGER registry_changed;

-- What a reader may read of the tables made for resource types: all but secrets.
CREATE VIEW scim.registered_columns (table_name, columns) WITH (security_invoker) AS
	SELECT r.storage ->> 'table',
		'tenant, id, version, created, last_modified, extensions, ' || pg_catalog.string_agg(a.value, ', ' ORDER BY a.value)
	FROM scim.resource_types r, LATERAL pg_catalog.json_each_text(r.storage -> 'attributes') a
	WHERE r.document IS NOT NULL AND pg_catalog.starts_with(r.storage ->> 'table', 'scim.resource_')
	GROUP BY r.name, r.storage ->> 'table';
COMMENT ON VIEW scim.registered_columns IS 'Tables that registering made for resource types, and their columns but for secrets';
COMMENT ON COLUMN scim.registered_columns.table_name IS 'The table';
COMMENT ON COLUMN scim.registered_columns.columns IS 'Its columns that readers may read';
