/*
 * registry_storage.c
 *		Where a resource type's attributes are kept: its "storage" member
 *		(format in registry.h).
 */
#include "core/registry_load.h"
#include "core/text.h"

#include <json-c/json.h>
#include <string.h>

/*
 * A plain or quoted SQL identifier, or `parts` of them joined by dots: these
 * names go into SQL as they are.
 */
static bool
is_sql_name(const char *name, int parts)
{
	const char *p = name;

	for (int part = 0; part < parts; part++)
	{
		const char *first;

		if (part > 0 && *p++ != '.')
			return false;
		first = p;
		if (*p == '"')
		{
			p = strchr(p + 1, '"');
			if (p == NULL || p == first + 1)
				return false;
			p++;
			continue;
		}
		while ((*p >= 'a' && *p <= 'z') || *p == '_' || (p > first && *p >= '0' && *p <= '9'))
			p++;
		if (p == first)
			return false;
	}
	return *p == '\0';
}

/* A member that names a column; NULL when absent and not required. */
static const char *
column_name(ScimLoad *load, ScimJson *json, const char *member, bool required)
{
	const char *name = scim_load_text(load, json, member, required);

	if (name != NULL && !is_sql_name(name, 1))
		scim_load_error(load, "\"%s\" is no SQL identifier in lower case or quotes", member);
	return name;
}

/* The canonical path of what a binding keeps. */
static const char *
binding_path(ScimLoad *load, const ScimSchema *extension, const ScimAttribute *attr, const ScimAttribute *sub)
{
	return scim_sprintf(load->registry->arena, "%s%s%s%s%s", extension != NULL ? extension->id : "",
						extension != NULL ? ":" : "", attr->name, sub != NULL ? "." : "", sub != NULL ? sub->name : "");
}

static ScimSqlType
sql_type(const ScimAttribute *attr)
{
	static const ScimSqlType types[] = {
		[SCIM_TYPE_STRING] = SCIM_SQL_TEXT,
		[SCIM_TYPE_BOOLEAN] = SCIM_SQL_BOOL,
		[SCIM_TYPE_DECIMAL] = SCIM_SQL_NUMERIC,
		[SCIM_TYPE_INTEGER] = SCIM_SQL_INT8,
		[SCIM_TYPE_DATETIME] = SCIM_SQL_TIMESTAMPTZ,
		[SCIM_TYPE_BINARY] = SCIM_SQL_TEXT,
		[SCIM_TYPE_REFERENCE] = SCIM_SQL_TEXT,
		[SCIM_TYPE_COMPLEX] = SCIM_SQL_JSONB,
	};

	return attr->multi_valued ? SCIM_SQL_JSONB : types[attr->type];
}

/* "members": {"link": …} */
static void
read_link(ScimLoad *load, ScimResourceType *type, ScimLink *links, const ScimAttribute *attr, ScimJson *json)
{
	static const char *const members[] = {"link", "owner", "value", "type", "target", "nested", NULL};
	ScimLink   *link = &links[type->n_links];

	if (!scim_load_known_members(load, json, members))
		return;
	*link = (ScimLink) {.attr = attr,.tenant = type->tenant_column,.writable = attr->mutability != SCIM_READ_ONLY};
	link->table = scim_load_text(load, json, "link", true);
	if (link->table != NULL && !is_sql_name(link->table, 2))
		scim_load_error(load, "\"link\" must be schema.table");
	link->owner = column_name(load, json, "owner", true);
	link->value = column_name(load, json, "value", true);
	link->type = column_name(load, json, "type", false);
	link->target = scim_load_text(load, json, "target", false);
	link->nested = column_name(load, json, "nested", false);
	if ((link->type == NULL) == (link->target == NULL))
		scim_load_error(load, "a link has either \"type\" or \"target\"");
	if (link->nested != NULL && (link->target == NULL || link->writable))
		scim_load_error(load, "only a readOnly link with a \"target\" can be \"nested\"");
	if (!attr->multi_valued || attr->parent != NULL || scim_sub_attribute(attr, SCIM_STR("value")) == NULL)
		scim_load_error(load, "only a multi-valued attribute with a sub-attribute \"value\" can be a link");
	type->n_links++;
}

/* "userName": "user_name", {"column": …} or {"expression": …} */
static void
read_column(ScimLoad *load, ScimResourceType *type, ScimColumn *columns, const ScimSchema *extension,
			const ScimAttribute *attr, const ScimAttribute *sub, ScimJson *json)
{
	static const char *const members[] = {"column", "references", "expression", "indexed", NULL};
	const ScimAttribute *kept = sub != NULL ? sub : attr;
	ScimColumn *column = &columns[type->n_columns];
	const char *expression = NULL;

	*column = (ScimColumn) {.attr = attr,.sub = sub,.type = sql_type(kept)};
	column->store = column->type == SCIM_SQL_JSONB ? SCIM_STORE_JSON : SCIM_STORE_COLUMN;
	column->path = binding_path(load, extension, attr, sub);
	if (json_object_is_type(json, json_type_string))
	{
		const char *name = json_object_get_string(json);

		column->name = scim_strdup(load->registry->arena, (ScimStr) {name, strlen(name)});
		if (!is_sql_name(name, 1))
			scim_load_error(load, "the column is no SQL identifier in lower case or quotes");
	}
	else if (scim_load_known_members(load, json, members))
	{
		expression = scim_load_text(load, json, "expression", false);
		column->references = scim_load_text(load, json, "references", false);
		column->indexed = scim_load_boolean(load, json, "indexed", false);
		column->name = expression != NULL ? expression : column_name(load, json, "column", true);
	}
	if (expression != NULL)
	{
		column->store = SCIM_STORE_EXPRESSION;
		if (kept->mutability != SCIM_READ_ONLY)
			scim_load_error(load, "only a readOnly attribute can be an expression");
	}
	if (column->references != NULL)
	{
		column->type = SCIM_SQL_UUID;
		if (kept->multi_valued || (kept->type != SCIM_TYPE_STRING && kept->type != SCIM_TYPE_REFERENCE))
			scim_load_error(load, "only a single string or reference can reference a resource type");
	}
	if ((column->name == NULL || column->path == NULL) && load->status == SCIM_OK)
		load->status = scim_error(load->err, SCIM_NO_MEMORY, "out of memory");
	type->n_columns++;
}

/* Does the new binding say again, or differently, where something is kept? */
static bool
bound_already(const ScimResourceType *type, const ScimColumn *columns, const ScimLink *links,
			  const ScimAttribute *attr, const ScimAttribute *sub)
{
	for (size_t i = 0; i < type->n_links; i++)
	{
		if (links[i].attr == attr)
			return true;
	}
	for (size_t i = 0; i < type->n_columns; i++)
	{
		if (columns[i].attr == attr && (columns[i].sub == sub || columns[i].sub == NULL || sub == NULL))
			return true;
	}
	return false;
}

static void
read_binding(ScimLoad *load, ScimResourceType *type, ScimColumn *columns, ScimLink *links, const char *path,
			 ScimJson *json)
{
	const ScimSchema *extension;
	const ScimAttribute *attr;
	const ScimAttribute *sub;

	load->where = path;
	if (!scim_type_resolve(type, (ScimStr) {path, strlen(path)}, &extension, &attr, &sub) || attr == NULL)
		scim_load_error(load, "names no attribute of %s", type->name);
	else if (attr->schema == NULL && attr->mutability == SCIM_READ_ONLY)
		scim_load_error(load, "is not stored as an attribute");
	else if (scim_attribute_secret(attr) || (sub != NULL && scim_attribute_secret(sub)))
		scim_load_error(load, "is a secret and has no column");
	else if (sub != NULL && attr->multi_valued)
		scim_load_error(load, "a multi-valued attribute is kept as a whole");
	else if (bound_already(type, columns, links, attr, sub))
		scim_load_error(load, "is kept in two places");
	else if (json_object_is_type(json, json_type_object) && scim_json_get(json, "link", NULL) != NULL)
		read_link(load, type, links, attr, json);
	else
		read_column(load, type, columns, extension, attr, sub, json);
}

/* Each column keeps one thing. */
static void
check_columns_distinct(ScimLoad *load, const ScimResourceType *type)
{
	const char *const fixed[] = {type->id_column, type->tenant_column, type->version_column, type->created_column,
	type->last_modified_column};

	load->where = type->name;
	for (size_t i = 0; i < type->n_columns; i++)
	{
		const ScimColumn *column = &type->columns[i];

		for (size_t j = 0; j < sizeof(fixed) / sizeof(fixed[0]); j++)
		{
			if (strcmp(column->name, fixed[j]) == 0)
				scim_load_error(load, "column \"%s\" keeps two things", column->name);
		}
		for (size_t j = 0; j < i; j++)
		{
			if (column->store != SCIM_STORE_EXPRESSION && strcmp(column->name, type->columns[j].name) == 0)
				scim_load_error(load, "column \"%s\" keeps two things", column->name);
		}
	}
}

/* Where one sub-attribute has a column, each that a client can write needs one. */
static void
check_parts_complete(ScimLoad *load, const ScimResourceType *type)
{
	for (size_t i = 0; i < type->n_columns; i++)
	{
		const ScimColumn *column = &type->columns[i];

		for (size_t j = 0; column->sub != NULL && j < column->attr->n_sub; j++)
		{
			const ScimAttribute *sub = &column->attr->sub[j];

			if (sub->mutability != SCIM_READ_ONLY && scim_type_column(type, column->attr, sub) == NULL)
				scim_load_error(load, "%s has a column, %s.%s has none", column->path, column->attr->name, sub->name);
		}
	}
}

void
scim_load_storage(ScimLoad *load, ScimResourceType *type, ScimJson *storage)
{
	static const char *const members[] = {"table", "id", "tenant", "version", "created", "lastModified",
		"extensions", "attributes", NULL};
	ScimJson   *bindings = scim_json_get(storage, "attributes", NULL);
	struct json_object_iter binding;
	ScimColumn *columns;
	ScimLink   *links;
	size_t		n;

	load->where = "storage";
	if (!scim_load_known_members(load, storage, members))
		return;
	type->table = scim_load_text(load, storage, "table", true);
	if (type->table != NULL && !is_sql_name(type->table, 2))
		scim_load_error(load, "\"table\" must be schema.table");
	type->id_column = column_name(load, storage, "id", true);
	type->tenant_column = column_name(load, storage, "tenant", true);
	type->version_column = column_name(load, storage, "version", true);
	type->created_column = column_name(load, storage, "created", true);
	type->last_modified_column = column_name(load, storage, "lastModified", true);
	type->extensions_column = column_name(load, storage, "extensions", false);
	if (!json_object_is_type(bindings, json_type_object))
		scim_load_error(load, "\"attributes\" must be an object");
	if (load->status != SCIM_OK)
		return;
	n = (size_t) json_object_object_length(bindings);
	columns = scim_load_alloc(load, (n + 1) * sizeof(ScimColumn));
	links = scim_load_alloc(load, (n + 1) * sizeof(ScimLink));
	if (columns == NULL || links == NULL)
		return;
	json_object_object_foreachC(bindings, binding)
	{
		if (load->status == SCIM_OK)
			read_binding(load, type, columns, links, binding.key, binding.val);
	}
	if (type->extensions_column != NULL)
		columns[type->n_columns++] = (ScimColumn) {.name = type->extensions_column,.store = SCIM_STORE_EXTENSIONS,
		.type = SCIM_SQL_JSONB,.path = "extensions"};
	type->columns = columns;
	type->links = links;
	if (load->status == SCIM_OK)
		check_columns_distinct(load, type);
	if (load->status == SCIM_OK)
		check_parts_complete(load, type);
}
