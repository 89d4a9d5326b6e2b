/*
 * registry_storage.c
 *		Where a resource type's attributes are kept: its "storage" member
 *		(format in registry.h).
 */
#include "core/registry_load.h"
#include "core/text.h"

#include <json-c/json.h>
#include <limits.h>
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

bool
scim_sql_name_is(const char *identifier, const char *name)
{
	size_t		len = strlen(name);

	if (identifier[0] != '"')
		return strcmp(identifier, name) == 0;
	return strlen(identifier) == len + 2 && memcmp(identifier + 1, name, len) == 0;
}

bool
scim_sql_table_is(const char *table, const char *schema, const char *name)
{
	const char *dot = table[0] == '"' ? strchr(table + 1, '"') + 1 : strchr(table, '.');
	size_t		quotes = table[0] == '"' ? 1 : 0;

	return (size_t) (dot - table) == strlen(schema) + 2 * quotes &&
		memcmp(table + quotes, schema, strlen(schema)) == 0 && scim_sql_name_is(dot + 1, name);
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
	static const char *const members[] = {"link", "tenant", "owner", "value", "type", "bound", "target", "nested", NULL};
	ScimLink   *link = &links[type->n_links];

	if (!scim_load_known_members(load, json, members))
		return;
	*link = (ScimLink) {.attr = attr,.tenant = type->tenant_column,.writable = attr->mutability != SCIM_READ_ONLY};
	if (scim_json_get(json, "tenant", NULL) != NULL)
		link->tenant = column_name(load, json, "tenant", true);
	link->bound = column_name(load, json, "bound", false);
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

/* What is always true of the one element that a column keeps; false when the attribute has no such element. */
static void
read_element(ScimLoad *load, ScimColumn *column, ScimJson *json)
{
	const ScimAttribute *value = scim_sub_attribute(column->attr, SCIM_STR("value"));
	struct json_object_iter member;
	ScimStr		text;

	if (!column->attr->multi_valued || value == NULL || value->type != SCIM_TYPE_STRING)
		scim_load_error(load, "only of a multi-valued attribute with a sub-attribute \"value\", a string, can a column keep one element");
	if (!json_object_is_type(json, json_type_object))
		scim_load_error(load, "\"element\" must be an object");
	if (load->status != SCIM_OK)
		return;
	json_object_object_foreachC(json, member)
	{
		const ScimAttribute *sub = scim_sub_attribute(column->attr, (ScimStr) {member.key, strlen(member.key)});

		if (sub == NULL || sub == value ||
			!json_object_is_type(member.val, sub->type == SCIM_TYPE_BOOLEAN ? json_type_boolean : json_type_string))
			scim_load_error(load, "\"element\" cannot say \"%.100s\"", member.key);
	}
	text = scim_json_text(load->registry->arena, json);
	column->element = text.ptr;
	column->store = SCIM_STORE_ELEMENT;
	column->type = SCIM_SQL_TEXT;
}

/* "userName": "user_name", {"column": …} or {"expression": …} */
static void
read_column(ScimLoad *load, ScimResourceType *type, ScimColumn *columns, const ScimSchema *extension,
			const ScimAttribute *attr, const ScimAttribute *sub, ScimJson *json)
{
	static const char *const members[] = {"column", "references", "expression", "computed", "element", "indexed", NULL};
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
	if (scim_load_boolean(load, json, "computed", false) && column->name != NULL)
	{
		column->store = SCIM_STORE_EXPRESSION;
		column->name = scim_sprintf(load->registry->arena, "t.%s", column->name);
	}
	if (scim_json_get(json, "element", NULL) != NULL)
		read_element(load, column, scim_json_get(json, "element", NULL));
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
		type->last_modified_column, type->deleted_column};

	load->where = type->name;
	for (size_t i = 0; i < type->n_columns; i++)
	{
		const ScimColumn *column = &type->columns[i];

		for (size_t j = 0; j < sizeof(fixed) / sizeof(fixed[0]); j++)
		{
			if (fixed[j] != NULL && strcmp(column->name, fixed[j]) == 0)
				scim_load_error(load, column->name[0] == '"' ? "column %s keeps two things" : "column \"%s\" keeps two things", column->name);
		}
		for (size_t j = 0; j < i; j++)
		{
			if (column->store != SCIM_STORE_EXPRESSION && strcmp(column->name, type->columns[j].name) == 0)
				scim_load_error(load, column->name[0] == '"' ? "column %s keeps two things" : "column \"%s\" keeps two things", column->name);
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

/* Does a part of an attribute that is none itself seem to be a secret? */
static const ScimAttribute *
secret_part(const ScimAttribute *attr)
{
	for (size_t i = 0; i < attr->n_sub; i++)
	{
		if (scim_attribute_secret(&attr->sub[i]))
			return &attr->sub[i];
	}
	return NULL;
}

/* A schema's secrets, for which a type may have no place: a column of secrets keeps whole attributes. */
static void
check_schema_secrets(ScimLoad *load, const ScimResourceType *type, const ScimSchema *schema)
{
	for (size_t i = 0; i < schema->n_attributes; i++)
	{
		const ScimAttribute *attr = &schema->attributes[i];
		bool		password = scim_name_is((ScimStr) {schema->id, strlen(schema->id)}, SCIM_URN_USER);

		if (!scim_attribute_secret(attr) && secret_part(attr) != NULL)
		{
			load->where = binding_path(load, schema, attr, secret_part(attr));
			scim_load_error(load, "can be returned \"never\" only where the whole attribute is");
			return;
		}
		if (!scim_attribute_secret(attr) || password || type->secrets_column != NULL)
			continue;
		load->where = binding_path(load, schema, attr, NULL);
		scim_load_error(load, "is returned \"never\", and %s has no column for secrets", type->name);
		return;
	}
}

void
scim_load_check_secrets(ScimLoad *load, const ScimResourceType *type)
{
	if (type->table == NULL)
		return;
	check_schema_secrets(load, type, type->schema);
	for (size_t i = 0; i < type->n_extensions && load->status == SCIM_OK; i++)
		check_schema_secrets(load, type, type->extensions[i]);
}

/* Which columns are shown as they are, and where they are. */
static void
list_shown_columns(ScimLoad *load, ScimResourceType *type, ScimColumn *columns)
{
	short	   *numbers = scim_load_alloc(load, (size_t) load->registry->next_index * sizeof(short));

	if (numbers == NULL)
		return;
	for (size_t i = 0; i < type->n_columns; i++)
	{
		ScimColumn *column = &columns[i];

		column->shown = column->store == SCIM_STORE_JSON ||
			((column->store == SCIM_STORE_COLUMN || column->store == SCIM_STORE_EXPRESSION) &&
			 (column->type == SCIM_SQL_TEXT || column->type == SCIM_SQL_UUID || column->type == SCIM_SQL_BOOL));
		if (column->shown)
			numbers[(column->sub != NULL ? column->sub : column->attr)->index] = (short) (i + 1);
	}
	type->shown = numbers;
	type->n_shown = load->registry->next_index;
}

void
scim_load_storage(ScimLoad *load, ScimResourceType *type, ScimJson *storage)
{
	static const char *const members[] = {"table", "id", "tenant", "version", "created", "lastModified",
		"extensions", "secrets", "deleted", "deletedAt", "bound", "attributes", NULL};
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
	type->secrets_column = column_name(load, storage, "secrets", false);
	type->deleted_column = column_name(load, storage, "deletedAt", false);
	type->deleted_by_time = type->deleted_column != NULL;
	if (type->deleted_column == NULL)
		type->deleted_column = column_name(load, storage, "deleted", false);
	type->bound = scim_load_boolean(load, storage, "bound", false);
	if (!json_object_is_type(bindings, json_type_object))
		scim_load_error(load, "\"attributes\" must be an object");
	if (load->status != SCIM_OK)
		return;
	n = (size_t) json_object_object_length(bindings);
	columns = scim_load_alloc(load, (n + 2) * sizeof(ScimColumn));
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
	if (type->secrets_column != NULL)
		columns[type->n_columns++] = (ScimColumn) {.name = type->secrets_column,.store = SCIM_STORE_SECRETS,
		.type = SCIM_SQL_JSONB,.path = "secrets"};
	type->columns = columns;
	type->links = links;
	if (type->n_columns > SHRT_MAX)
		scim_load_error(load, "too many columns");
	if (load->status == SCIM_OK)
		list_shown_columns(load, type, columns);
	if (load->status == SCIM_OK)
		check_columns_distinct(load, type);
	if (load->status == SCIM_OK)
		check_parts_complete(load, type);
}
