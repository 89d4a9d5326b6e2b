/*
 * sql_table.c
 *		DDL from the registry (see sql_table.h).
 */
#include "core/sql_table.h"

#include <string.h>

#include "core/path.h"
#include "core/sql_build.h"
#include "core/strbuf.h"
#include "core/text.h"

#define DDL_MAX ((size_t) 4 << 20)
#define NAME_MAX_BYTES 55		/* of PostgreSQL's 63, for a number behind */

/* Names that an attribute cannot have as its column: the fixed ones, and those of PostgreSQL itself. */
static const char *const taken_names[] = {
	"tenant", "id", "version", "created", "last_modified", "external_id", "extensions", "secrets",
	"tableoid", "xmin", "cmin", "xmax", "cmax", "ctid", "oid", NULL
};

typedef struct Names
{
	ScimArena  *arena;
	const char **names;
	size_t		n;
} Names;

static bool
is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool
is_lower_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* deviceMacAddress: device_mac_address; mudURL: mud_url; owner.value: owner_value. */
static char *
snake_case(ScimArena *arena, const char *prefix, const char *text)
{
	ScimBuf		buf;

	scim_buf_init(&buf, arena, DDL_MAX);
	scim_buf_str(&buf, prefix);
	for (const char *p = text; *p != '\0' && buf.len < NAME_MAX_BYTES; p++)
	{
		bool		begins = is_upper(*p) && p > text &&
			(is_lower_or_digit(p[-1]) || (is_upper(p[-1]) && p[1] >= 'a' && p[1] <= 'z'));

		if (*p == '$')
			continue;
		if (begins)
			scim_buf_char(&buf, '_');
		scim_buf_char(&buf, is_upper(*p) || is_lower_or_digit(*p) ? (char) scim_ascii_lower(*p) : '_');
	}
	return buf.failed ? NULL : buf.data;
}

static bool
is_taken(const Names *names, const char *name)
{
	for (size_t i = 0; taken_names[i] != NULL; i++)
	{
		if (strcmp(taken_names[i], name) == 0)
			return true;
	}
	for (size_t i = 0; i < names->n; i++)
	{
		if (strcmp(names->names[i], name) == 0)
			return true;
	}
	return false;
}

/* A column's name for a path, and no other's; NULL when out of memory. */
static const char *
column_for(Names *names, const char *path)
{
	const char *base = snake_case(names->arena, "", path);
	const char *name = base;

	for (int i = 2; name != NULL && is_taken(names, name); i++)
		name = scim_sprintf(names->arena, "%s_%d", base, i);
	if (name != NULL)
		names->names[names->n++] = name;
	return name;
}

static ScimStatus
finished(const ScimBuf *buf, ScimStr *out)
{
	if (buf->failed)
		return SCIM_NO_MEMORY;
	*out = (ScimStr) {buf->data, buf->len};
	return SCIM_OK;
}

ScimStatus
scim_table_name(ScimArena *arena, const ScimResourceType *type, ScimStr *out)
{
	char	   *name = snake_case(arena, "scim.resource_", type->endpoint + 1);

	if (name == NULL)
		return SCIM_NO_MEMORY;
	*out = (ScimStr) {name, strlen(name)};
	return SCIM_OK;
}

/* ,"path":"\"column\"" */
static void
put_binding(ScimBuf *buf, Names *names, const char *path)
{
	const char *column = path != NULL ? column_for(names, path) : NULL;

	if (column == NULL)
	{
		buf->failed = true;
		return;
	}
	scim_buf_printf(buf, ",\"%s\":\"\\\"%s\\\"\"", path, column);
}

/* A simple or multi-valued attribute has one column, a single complex one a column for each part. */
static void
put_attribute(ScimBuf *buf, Names *names, const ScimAttribute *attr)
{
	if (scim_attribute_secret(attr))
		return;
	if (attr->type != SCIM_TYPE_COMPLEX || attr->multi_valued)
	{
		put_binding(buf, names, attr->name);
		return;
	}
	for (size_t i = 0; i < attr->n_sub; i++)
	{
		if (!scim_attribute_secret(&attr->sub[i]))
			put_binding(buf, names, scim_sprintf(names->arena, "%s.%s", attr->name, attr->sub[i].name));
	}
}

ScimStatus
scim_table_storage(ScimArena *arena, const ScimResourceType *type, ScimStr *out)
{
	const ScimSchema *schema = type->schema;
	Names		names = {.arena = arena};
	size_t		n = 0;
	ScimStr		table;
	ScimBuf		buf;

	for (size_t i = 0; i < schema->n_attributes; i++)
		n += 1 + schema->attributes[i].n_sub;
	names.names = scim_alloc(arena, n * sizeof(char *));
	if (names.names == NULL || scim_table_name(arena, type, &table) != SCIM_OK)
		return SCIM_NO_MEMORY;
	scim_buf_init(&buf, arena, DDL_MAX);
	scim_buf_printf(&buf, "{\"table\":\"%s\",\"id\":\"id\",\"tenant\":\"tenant\",\"version\":\"version\",\"created\":\"created\","
					"\"lastModified\":\"last_modified\",\"extensions\":\"extensions\",\"secrets\":\"secrets\","
					"\"attributes\":{\"externalId\":\"external_id\"", table.ptr);
	for (size_t i = 0; i < schema->n_attributes; i++)
		put_attribute(&buf, &names, &schema->attributes[i]);
	scim_buf_str(&buf, "}}");
	return finished(&buf, out);
}

const char *
scim_sql_type_name(ScimSqlType type)
{
	switch (type)
	{
		case SCIM_SQL_BOOL:
			return "boolean";
		case SCIM_SQL_INT8:
			return "bigint";
		case SCIM_SQL_NUMERIC:
			return "numeric";
		case SCIM_SQL_TIMESTAMPTZ:
			return "timestamptz";
		case SCIM_SQL_UUID:
			return "uuid";
		case SCIM_SQL_JSONB:
			return "jsonb";
		default:
			return "text";
	}
}

/* What the schema requires the row has, too. */
static bool
is_required(const ScimColumn *column)
{
	return column->attr != NULL && column->sub == NULL && column->attr->required && column->attr->mutability != SCIM_READ_ONLY;
}

ScimStatus
scim_table_create(ScimArena *arena, const ScimResourceType *type, ScimStr *out)
{
	ScimBuf		buf;

	scim_buf_init(&buf, arena, DDL_MAX);
	scim_buf_printf(&buf, "CREATE TABLE %s (tenant text COLLATE pg_catalog.\"C\" NOT NULL DEFAULT scim.current_tenant(), "
					"id uuid NOT NULL DEFAULT scim.uuid7(), version bigint NOT NULL DEFAULT 1, "
					"created timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(), "
					"last_modified timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()", type->table);
	for (size_t i = 0; i < type->n_columns; i++)
		scim_buf_printf(&buf, ", %s %s%s%s", type->columns[i].name, scim_sql_type_name(type->columns[i].type),
						type->columns[i].type == SCIM_SQL_TEXT ? " COLLATE pg_catalog.\"C\"" : "",
						is_required(&type->columns[i]) ? " NOT NULL" : "");
	scim_buf_str(&buf, ", PRIMARY KEY (tenant, id))");
	return finished(&buf, out);
}

ScimStatus
scim_table_index(ScimArena *arena, const ScimResourceType *type, ScimStr path_text, bool unique, const char *name,
				 ScimStr *out, ScimError *err)
{
	ScimSqlBuild build;
	ScimPath	path;
	ScimStatus	status = scim_path_parse(arena, type, path_text, &path, err);

	if (status != SCIM_OK)
		return status;
	scim_sql_begin(&build, arena, SCIM_STR_NONE);
	build.row = "";
	scim_sql_put(&build, "CREATE %sINDEX %s ON %s ", unique ? "UNIQUE " : "", name, type->table);
	if (path.value_filter != NULL || path.attr == NULL || (unique && path.attr->multi_valued) ||
		!scim_sql_put_index_key(&build, type, &path))
		return scim_error(err, SCIM_INVALID_PATH, "\"%.*s\" of %s cannot have an index", (int) path_text.len, path_text.ptr,
						  type->name);
	return build.failed ? SCIM_NO_MEMORY : finished(&build.text, out);
}

/* Adds the paths of what is unique among attributes; false when out of memory. */
static bool
add_unique(ScimArena *arena, const char *prefix, const ScimAttribute *attributes, size_t n_attributes, const char **paths,
		   size_t *n)
{
	for (size_t i = 0; i < n_attributes; i++)
	{
		char	   *path = scim_sprintf(arena, "%s%s", prefix, attributes[i].name);
		char	   *below = path != NULL ? scim_sprintf(arena, "%s.", path) : NULL;

		if (below == NULL || !add_unique(arena, below, attributes[i].sub, attributes[i].n_sub, paths, n))
			return false;
		if (attributes[i].uniqueness != SCIM_UNIQUE_NONE)
			paths[(*n)++] = path;
	}
	return true;
}

ScimStatus
scim_table_unique(ScimArena *arena, const ScimResourceType *type, const ScimSchema *schema, const char ***paths, size_t *n)
{
	const char *prefix = schema == type->schema ? "" : scim_sprintf(arena, "%s:", schema->id);
	size_t		max = 0;

	*n = 0;
	for (size_t i = 0; i < schema->n_attributes; i++)
		max += 1 + schema->attributes[i].n_sub;
	*paths = scim_alloc(arena, max * sizeof(char *));
	if (prefix == NULL || *paths == NULL || !add_unique(arena, prefix, schema->attributes, schema->n_attributes, *paths, n))
		return SCIM_NO_MEMORY;
	return SCIM_OK;
}
