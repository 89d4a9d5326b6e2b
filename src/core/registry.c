/*
 * registry.c
 *		The registry's life and its lookups (see registry.h).
 *
 * registry_load.c reads schemas and resource types, registry_storage.c the
 * storage descriptions.  Lookups are linear over a few dozen names: that is
 * as fast as a hash at this size, and nothing to get wrong.
 */
#include "core/registry_load.h"
#include "core/text.h"

#include <stdlib.h>
#include <string.h>

#define REGISTRY_MAX_BYTES ((size_t) 64 << 20)

static const char *const uri_reference[] = {"uri", NULL};

/* Indexes are positions, parts of meta after all attributes. */

#define META_SUB(n, sub_name, sub_type, exact, text) \
	[n] = {.name = sub_name, .description = text, .parent = &scim_common_attributes[SCIM_COMMON_META], \
		.type = sub_type, .case_exact = exact, .mutability = SCIM_READ_ONLY, .index = SCIM_COMMON_ATTRIBUTES + (n)}

static const ScimAttribute meta_attributes[SCIM_META_PARTS] = {
	META_SUB(SCIM_META_RESOURCE_TYPE, "resourceType", SCIM_TYPE_STRING, true, "The name of the resource type."),
	META_SUB(SCIM_META_CREATED, "created", SCIM_TYPE_DATETIME, false, "When the resource was created."),
	META_SUB(SCIM_META_LAST_MODIFIED, "lastModified", SCIM_TYPE_DATETIME, false, "When the resource was last changed."),
	META_SUB(SCIM_META_LOCATION, "location", SCIM_TYPE_REFERENCE, true, "The URI of the resource."),
	META_SUB(SCIM_META_VERSION, "version", SCIM_TYPE_STRING, true, "The version of the resource, as in its ETag."),
};

const ScimAttribute scim_common_attributes[] = {
	[SCIM_COMMON_SCHEMAS] = {.name = "schemas", .description = "The URIs of the resource's schemas.",
		.type = SCIM_TYPE_REFERENCE, .multi_valued = true, .mutability = SCIM_READ_ONLY,
		.returned = SCIM_RETURNED_ALWAYS, .reference_types = uri_reference, .index = SCIM_COMMON_SCHEMAS},
	[SCIM_COMMON_ID] = {.name = "id", .description = "The identifier the service provider gave the resource.",
		.type = SCIM_TYPE_STRING, .case_exact = true, .mutability = SCIM_READ_ONLY,
		.returned = SCIM_RETURNED_ALWAYS, .uniqueness = SCIM_UNIQUE_SERVER, .index = SCIM_COMMON_ID},
	[SCIM_COMMON_EXTERNAL_ID] = {.name = "externalId", .description = "The identifier the client gave the resource.",
		.type = SCIM_TYPE_STRING, .case_exact = true, .index = SCIM_COMMON_EXTERNAL_ID},
	[SCIM_COMMON_META] = {.name = "meta", .description = "What the service provider knows about the resource.",
		.type = SCIM_TYPE_COMPLEX, .mutability = SCIM_READ_ONLY, .sub = meta_attributes, .n_sub = SCIM_META_PARTS,
		.index = SCIM_COMMON_META},
};
const size_t scim_common_attribute_count = SCIM_COMMON_ATTRIBUTES;

ScimRegistry *
scim_registry_create(void)
{
	ScimRegistry *registry = calloc(1, sizeof(ScimRegistry));

	if (registry == NULL)
		return NULL;
	registry->arena = scim_arena_create(REGISTRY_MAX_BYTES);
	registry->next_index = SCIM_COMMON_ATTRIBUTES + SCIM_META_PARTS;
	if (registry->arena == NULL)
	{
		free(registry);
		return NULL;
	}
	return registry;
}

void
scim_registry_free(ScimRegistry *registry)
{
	if (registry == NULL)
		return;
	scim_arena_free(registry->arena);
	free(registry);
}

/* A NULL-terminated list one longer, with item at its end; NULL when out of memory. */
static void *
appended(ScimArena *arena, const void *list, size_t n, const void *item)
{
	const void **longer = scim_alloc(arena, (n + 2) * sizeof(void *));

	if (longer == NULL)
		return NULL;
	if (n > 0)
		memcpy(longer, list, n * sizeof(void *));
	longer[n] = item;
	return longer;
}

/* List the names of a new schema's secrets; false when out of memory. */
static bool
list_secrets(ScimRegistry *registry, const ScimAttribute *attributes, size_t n)
{
	for (size_t i = 0; i < n; i++)
	{
		const char **longer;

		if (!list_secrets(registry, attributes[i].sub, attributes[i].n_sub))
			return false;
		if (!scim_attribute_secret(&attributes[i]))
			continue;
		longer = appended(registry->arena, registry->secrets, registry->n_secrets, attributes[i].name);
		if (longer == NULL)
			return false;
		registry->secrets = longer;
		registry->n_secrets++;
	}
	return true;
}

/* Read a parsed document and list it. */
static ScimStatus
add_document(ScimLoad *load, ScimJson *document)
{
	ScimRegistry *registry = load->registry;
	const ScimSchema *schema = NULL;
	const ScimResourceType *type = NULL;
	void	   *list;

	load->where = "the document";
	if (scim_json_get(document, "attributes", NULL) != NULL)
		schema = scim_load_schema(load, document);
	else if (scim_json_get(document, "endpoint", NULL) != NULL)
		type = scim_load_resource_type(load, document);
	else
		scim_load_error(load, "has neither \"attributes\" (a schema) nor \"endpoint\" (a resource type)");
	if (load->status != SCIM_OK)
		return load->status;
	list = schema != NULL ? appended(registry->arena, registry->schemas, registry->n_schemas, schema)
		: appended(registry->arena, registry->types, registry->n_types, type);
	if (list == NULL || (schema != NULL && !list_secrets(registry, schema->attributes, schema->n_attributes)))
		return scim_error(load->err, SCIM_NO_MEMORY, "out of memory");
	if (schema != NULL)
	{
		registry->schemas = list;
		registry->n_schemas++;
	}
	else
	{
		registry->types = list;
		registry->n_types++;
	}
	return SCIM_OK;
}

ScimStatus
scim_registry_add(ScimRegistry *registry, ScimStr document, ScimError *err)
{
	ScimLoad	load = {.registry = registry, .err = err};
	ScimArena  *scratch = scim_arena_create(REGISTRY_MAX_BYTES);
	ScimJson   *json;
	ScimStatus	status;

	if (scratch == NULL)
		return scim_error(err, SCIM_NO_MEMORY, "out of memory");
	status = scim_json_parse(scratch, document, &json, err);
	if (status == SCIM_OK)
		status = add_document(&load, json);
	scim_arena_free(scratch);
	return status;
}

ScimRegistry *
scim_registry_begin(void)
{
	ScimRegistry *registry = scim_registry_create();

	for (size_t i = 0; registry != NULL && i < scim_builtin_count; i++)
	{
		ScimStr		document = {scim_builtins[i].text, strlen(scim_builtins[i].text)};

		if (scim_registry_add(registry, document, NULL) != SCIM_OK)
		{
			scim_registry_free(registry);
			registry = NULL;
		}
	}
	return registry;
}

const ScimRegistry *
scim_registry_builtin(void)
{
	static const ScimRegistry *builtin = NULL;

	if (builtin == NULL)
		builtin = scim_registry_begin();
	return builtin;
}

/* Where a resource type stands in the list; the list's end when it is not there. */
static size_t
type_position(const ScimRegistry *registry, const char *name)
{
	size_t		i = 0;

	while (i < registry->n_types && strcmp(registry->types[i]->name, name) != 0)
		i++;
	return i;
}

/* A copy of a listed type, to be changed and listed in its place; NULL with load->status set when there is none. */
static ScimResourceType *
copied_type(ScimLoad *load, size_t position, const char *name)
{
	ScimResourceType *copy;

	load->where = name;
	if (position == load->registry->n_types)
	{
		scim_load_error(load, "there is no such resource type");
		return NULL;
	}
	copy = scim_load_alloc(load, sizeof(ScimResourceType));
	if (copy != NULL)
		*copy = *load->registry->types[position];
	return copy;
}

/* Add an extension to a copy of a type. */
static void
add_extension(ScimLoad *load, ScimResourceType *type, const ScimSchema *schema, bool required)
{
	const ScimSchema **schemas = scim_load_alloc(load, (type->n_extensions + 1) * sizeof(ScimSchema *));
	bool	   *needed = scim_load_alloc(load, type->n_extensions + 1);

	if (schemas == NULL || needed == NULL)
		return;
	for (size_t i = 0; i < type->n_extensions; i++)
	{
		schemas[i] = type->extensions[i];
		needed[i] = type->extension_required[i];
	}
	schemas[type->n_extensions] = schema;
	needed[type->n_extensions] = required;
	type->extensions = schemas;
	type->extension_required = needed;
	type->n_extensions++;
	if (type->index_limit < load->registry->next_index)
		type->index_limit = load->registry->next_index;
}

ScimStatus
scim_registry_extend(ScimRegistry *registry, const char *type_name, ScimStr urn, bool required, ScimError *err)
{
	ScimLoad	load = {.registry = registry, .err = err};
	size_t		position = type_position(registry, type_name);
	ScimResourceType *type = copied_type(&load, position, type_name);
	const ScimSchema *schema = scim_registry_schema_by_id(registry, urn);

	if (type == NULL)
		return load.status;
	if (schema == NULL)
		scim_load_error(&load, "there is no schema \"%.*s\"", (int) urn.len, urn.ptr);
	else if (schema == type->schema)
		scim_load_error(&load, "\"%s\" is the type's own schema", schema->id);
	else if (scim_type_extension(type, urn) != NULL)
		scim_load_error(&load, "\"%s\" is an extension of it already", schema->id);
	else
		add_extension(&load, type, schema, required);
	if (load.status == SCIM_OK)
		scim_load_check_secrets(&load, type);
	if (load.status == SCIM_OK)
		registry->types[position] = type;
	return load.status;
}

ScimStatus
scim_registry_store(ScimRegistry *registry, const char *type_name, ScimStr storage, ScimError *err)
{
	ScimLoad	load = {.registry = registry, .err = err};
	size_t		position = type_position(registry, type_name);
	ScimResourceType *type = copied_type(&load, position, type_name);
	ScimArena  *scratch;
	ScimJson   *json;

	if (type == NULL)
		return load.status;
	scratch = scim_arena_create(REGISTRY_MAX_BYTES);
	if (scratch == NULL)
		return scim_error(err, SCIM_NO_MEMORY, "out of memory");
	type->n_columns = 0;
	type->n_links = 0;
	load.status = scim_json_parse(scratch, storage, &json, err);
	if (load.status == SCIM_OK)
		scim_load_storage(&load, type, json);
	if (load.status == SCIM_OK)
		scim_load_check_secrets(&load, type);
	if (load.status == SCIM_OK)
		registry->types[position] = type;
	scim_arena_free(scratch);
	return load.status;
}

size_t
scim_registry_type_count(const ScimRegistry *registry)
{
	return registry->n_types;
}

const ScimResourceType *
scim_registry_type(const ScimRegistry *registry, size_t i)
{
	return registry->types[i];
}

const ScimResourceType *
scim_registry_type_by_name(const ScimRegistry *registry, const char *name)
{
	for (size_t i = 0; i < registry->n_types; i++)
	{
		if (strcmp(registry->types[i]->name, name) == 0)
			return registry->types[i];
	}
	return NULL;
}

const ScimResourceType *
scim_registry_type_by_endpoint(const ScimRegistry *registry, ScimStr segment)
{
	for (size_t i = 0; i < registry->n_types; i++)
	{
		const char *name = registry->types[i]->endpoint + 1;

		if (scim_str_equal(segment, (ScimStr) {name, strlen(name)}))
			return registry->types[i];
	}
	return NULL;
}

size_t
scim_registry_schema_count(const ScimRegistry *registry)
{
	return registry->n_schemas;
}

const ScimSchema *
scim_registry_schema(const ScimRegistry *registry, size_t i)
{
	return registry->schemas[i];
}

const ScimSchema *
scim_registry_schema_by_id(const ScimRegistry *registry, ScimStr urn)
{
	for (size_t i = 0; i < registry->n_schemas; i++)
	{
		if (scim_name_is(urn, registry->schemas[i]->id))
			return registry->schemas[i];
	}
	return NULL;
}

static const ScimAttribute *
find_attribute(const ScimAttribute *list, size_t n, ScimStr name)
{
	if (name.len == 0)
		return NULL;
	for (size_t i = 0; i < n; i++)
	{
		if (scim_ascii_lower(list[i].name[0]) == scim_ascii_lower(name.ptr[0]) && scim_name_is(name, list[i].name))
			return &list[i];
	}
	return NULL;
}

const ScimAttribute *
scim_schema_attribute(const ScimSchema *schema, ScimStr name)
{
	return find_attribute(schema->attributes, schema->n_attributes, name);
}

const ScimAttribute *
scim_sub_attribute(const ScimAttribute *attr, ScimStr name)
{
	return find_attribute(attr->sub, attr->n_sub, name);
}

const ScimAttribute *
scim_type_attribute(const ScimResourceType *type, ScimStr name)
{
	const ScimAttribute *attr = scim_schema_attribute(type->schema, name);

	return attr != NULL ? attr : find_attribute(scim_common_attributes, SCIM_COMMON_ATTRIBUTES, name);
}

const ScimSchema *
scim_type_extension(const ScimResourceType *type, ScimStr urn)
{
	for (size_t i = 0; i < type->n_extensions; i++)
	{
		if (scim_name_is(urn, type->extensions[i]->id))
			return type->extensions[i];
	}
	return NULL;
}

/* Length of urn when path is it, or it and a colon and more; else 0. */
static size_t
urn_prefix(ScimStr path, const char *urn)
{
	size_t		len = strlen(urn);

	if (path.len < len || !scim_name_is((ScimStr) {path.ptr, len}, urn))
		return 0;
	return path.len == len || path.ptr[len] == ':' ? len : 0;
}

/* attr or attr.sub of a schema; type is given for the core schema and common attributes. */
static bool
resolve_names(const ScimResourceType *type, const ScimSchema *schema, ScimStr path, const ScimAttribute **attr,
			  const ScimAttribute **sub)
{
	const char *dot = path.len > 0 ? memchr(path.ptr, '.', path.len) : NULL;
	ScimStr		name = {path.ptr, dot != NULL ? (size_t) (dot - path.ptr) : path.len};

	*sub = NULL;
	*attr = type != NULL ? scim_type_attribute(type, name) : scim_schema_attribute(schema, name);
	if (*attr == NULL)
		return false;
	if (dot == NULL)
		return true;
	*sub = scim_sub_attribute(*attr, (ScimStr) {dot + 1, path.len - name.len - 1});
	return *sub != NULL;
}

bool
scim_type_resolve(const ScimResourceType *type, ScimStr path, const ScimSchema **extension,
				  const ScimAttribute **attr, const ScimAttribute **sub)
{
	const ScimSchema *schema = NULL;
	size_t		prefix = urn_prefix(path, type->schema->id);

	*extension = NULL;
	*attr = NULL;
	*sub = NULL;

	/* The longest URN wins: one may be the beginning of another. */
	if (prefix > 0)
		schema = type->schema;
	for (size_t i = 0; i < type->n_extensions; i++)
	{
		size_t		len = urn_prefix(path, type->extensions[i]->id);

		if (len > prefix)
		{
			prefix = len;
			schema = type->extensions[i];
		}
	}
	if (prefix == 0)
		return resolve_names(type, NULL, path, attr, sub);
	if (schema != type->schema)
		*extension = schema;
	if (prefix == path.len)
		return *extension != NULL;
	path = (ScimStr) {path.ptr + prefix + 1, path.len - prefix - 1};
	return resolve_names(schema == type->schema ? type : NULL, schema, path, attr, sub);
}

const ScimColumn *
scim_type_column(const ScimResourceType *type, const ScimAttribute *attr, const ScimAttribute *sub)
{
	ScimStore	rest = scim_attribute_secret(attr) ? SCIM_STORE_SECRETS : SCIM_STORE_EXTENSIONS;
	const ScimColumn *unbound = NULL;
	bool		parts_bound = false;

	for (size_t i = 0; i < type->n_columns; i++)
	{
		const ScimColumn *column = &type->columns[i];

		if (column->store == rest)
			unbound = column;
		else if (column->attr == attr)
		{
			if (column->sub == sub || column->sub == NULL)
				return column;
			parts_bound = true;
		}
	}
	if (parts_bound || scim_type_link(type, attr) != NULL ||
		attr == &scim_common_attributes[SCIM_COMMON_SCHEMAS] || attr == &scim_common_attributes[SCIM_COMMON_ID] ||
		attr == &scim_common_attributes[SCIM_COMMON_META])
		return NULL;
	return unbound;
}

const ScimLink *
scim_type_link(const ScimResourceType *type, const ScimAttribute *attr)
{
	for (size_t i = 0; i < type->n_links; i++)
	{
		if (type->links[i].attr == attr)
			return &type->links[i];
	}
	return NULL;
}

const char *const *
scim_registry_secrets(const ScimRegistry *registry)
{
	static const char *const none[] = {NULL};

	return registry->secrets != NULL ? registry->secrets : none;
}

bool
scim_attribute_secret(const ScimAttribute *attr)
{
	return attr->returned == SCIM_RETURNED_NEVER;
}
