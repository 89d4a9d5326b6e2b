/*
 * sql.c
 *		Statements on the table of a resource type (see sql.h).
 *
 * The row is called t in every statement: the registry's expressions rely
 * on it.
 */
#include "core/sql.h"

#include <string.h>

#include "core/sql_build.h"
#include "core/text.h"

/* Append the SCIM_SQL_FIXED_COLUMNS. */
static void
put_fixed(ScimSqlBuild *build, const ScimResourceType *type)
{
	scim_sql_put(build, "t.%s, t.%s, t.%s, t.%s", type->id_column, type->version_column,
				 type->created_column, type->last_modified_column);
}

/* Append the columns that every row is returned with. */
static void
put_row(ScimSqlBuild *build, const ScimResourceType *type)
{
	put_fixed(build, type);
	for (size_t i = 0; i < type->n_columns; i++)
		scim_sql_put(build, type->columns[i].store == SCIM_STORE_EXPRESSION ? ", %s" : ", t.%s",
					 type->columns[i].name);
}

static void
put_tenant(ScimSqlBuild *build, const ScimResourceType *type)
{
	scim_sql_put_scope(build, "t", type);
}

/* tenant and id: one row. */
static void
put_key(ScimSqlBuild *build, const ScimResourceType *type, ScimStr id)
{
	scim_sql_put(build, " WHERE ");
	put_tenant(build, type);
	scim_sql_put(build, " AND t.%s" SCIM_SQL_EQUALS, type->id_column);
	scim_sql_put_uuid(build, id);
}

ScimStatus
scim_sql_select(ScimArena *arena, const ScimResourceType *type, ScimStr tenant, ScimStr id,
				bool for_update, ScimSql *out)
{
	ScimSqlBuild build;

	scim_sql_begin(&build, arena, tenant);
	scim_sql_put(&build, "SELECT ");
	put_row(&build, type);
	scim_sql_put(&build, " FROM %s t", type->table);
	put_key(&build, type, id);
	if (for_update)
		scim_sql_put(&build, " FOR NO KEY UPDATE OF t");
	return scim_sql_finish(&build, out);
}

/* Is the column written?  In a table of an application, what has no value is left to the column's default. */
static bool
is_inserted(const ScimResourceType *type, size_t i, const ScimStr *values)
{
	return type->columns[i].store != SCIM_STORE_EXPRESSION && (!type->bound || values[i].ptr != NULL);
}

/* All columns are listed whatever is null, so that every insert has one text. */
ScimStatus
scim_sql_insert(ScimArena *arena, const ScimResourceType *type, ScimStr tenant, ScimStr id,
				const ScimStr *values, ScimSql *out)
{
	ScimSqlBuild build;

	scim_sql_begin(&build, arena, tenant);
	scim_sql_put(&build, "INSERT INTO %s AS t (%s, %s", type->table, type->tenant_column, type->id_column);
	for (size_t i = 0; i < type->n_columns; i++)
	{
		if (is_inserted(type, i, values))
			scim_sql_put(&build, ", %s", type->columns[i].name);
	}
	scim_sql_put(&build, ") VALUES ($1, ");
	scim_sql_put_uuid(&build, id);
	for (size_t i = 0; i < type->n_columns; i++)
	{
		if (!is_inserted(type, i, values))
			continue;
		scim_sql_put(&build, ", ");
		scim_sql_put_param(&build, type->columns[i].type, values[i]);
	}
	scim_sql_put(&build, ") RETURNING ");
	put_row(&build, type);
	return scim_sql_finish(&build, out);
}

ScimStatus
scim_sql_update(ScimArena *arena, const ScimResourceType *type, ScimStr tenant, ScimStr id,
				const ScimStr *values, const bool *changed, ScimSql *out)
{
	ScimSqlBuild build;
	const char *separator = "";

	scim_sql_begin(&build, arena, tenant);
	scim_sql_put(&build, "UPDATE %s AS t SET ", type->table);
	for (size_t i = 0; i < type->n_columns; i++)
	{
		if (!changed[i] || type->columns[i].store == SCIM_STORE_EXPRESSION)
			continue;
		scim_sql_put(&build, "%s%s = ", separator, type->columns[i].name);
		if (type->bound && values[i].ptr == NULL)
			scim_sql_put(&build, "DEFAULT");
		else
			scim_sql_put_param(&build, type->columns[i].type, values[i]);
		separator = ", ";
	}
	put_key(&build, type, id);
	scim_sql_put(&build, " RETURNING ");
	put_row(&build, type);
	return scim_sql_finish(&build, out);
}

ScimStatus
scim_sql_delete(ScimArena *arena, const ScimResourceType *type, ScimStr tenant, ScimStr id, ScimSql *out)
{
	ScimSqlBuild build;

	scim_sql_begin(&build, arena, tenant);
	if (type->deleted_column == NULL)
		scim_sql_put(&build, "DELETE FROM %s AS t", type->table);
	else
		scim_sql_put(&build, "UPDATE %s AS t SET %s = %s", type->table, type->deleted_column,
					 type->deleted_by_time ? "pg_catalog.clock_timestamp()" : "true");
	put_key(&build, type, id);
	return scim_sql_finish(&build, out);
}

ScimStatus
scim_sql_touch(ScimArena *arena, const ScimResourceType *type, ScimStr tenant, ScimStr id, ScimSql *out)
{
	ScimSqlBuild build;

	scim_sql_begin(&build, arena, tenant);
	scim_sql_put(&build, "UPDATE %s AS t SET %s = t.%s OPERATOR(pg_catalog.+) 1, %s = pg_catalog.clock_timestamp()",
				 type->table, type->version_column, type->version_column, type->last_modified_column);
	put_key(&build, type, id);
	scim_sql_put(&build, " RETURNING ");
	put_fixed(&build, type);
	return scim_sql_finish(&build, out);
}

/* ---- lists ---- */

/* RFC 7644 section 3.4.2.3: the default order is ascending. */
static bool
parse_order(ScimStr text, bool *descending)
{
	*descending = text.ptr != NULL && scim_name_is(text, "descending");
	return text.ptr == NULL || *descending || scim_name_is(text, "ascending");
}

ScimStatus
scim_sort_parse(ScimArena *arena, const ScimResourceType *type, ScimStr sort_by, ScimStr sort_order,
				ScimSort *out, ScimError *err)
{
	const ScimAttribute *leaf;
	ScimSqlBuild build;
	ScimStatus	status;

	*out = (ScimSort) {0};
	if (!parse_order(sort_order, &out->descending))
		return scim_error(err, SCIM_INVALID_VALUE, "sortOrder must be ascending or descending");
	if (sort_by.ptr == NULL)
	{
		out->descending = false;
		return SCIM_OK;
	}
	status = scim_path_parse(arena, type, sort_by, &out->path, err);
	if (status == SCIM_NO_MEMORY)
		return status;
	if (status != SCIM_OK || out->path.value_filter != NULL || (leaf = scim_path_leaf(&out->path)) == NULL)
		return scim_error(err, SCIM_INVALID_PATH, "sortBy does not name an attribute of %s", type->name);
	if (scim_attribute_secret(out->path.attr) || scim_attribute_secret(leaf))
		return scim_error(err, SCIM_SENSITIVE, "sortBy cannot be \"%s\"", leaf->name);
	if (leaf->type == SCIM_TYPE_COMPLEX && out->path.sub == NULL)
		out->path.sub = scim_sub_attribute(leaf, SCIM_STR("value"));
	scim_sql_begin(&build, arena, SCIM_STR_NONE);
	if (!scim_sql_sortable(&build, type, &out->path))
		return scim_error(err, SCIM_INVALID_PATH, "%s cannot be sorted by \"%s\"", type->name, leaf->name);
	return SCIM_OK;
}

/* FROM, tenant and filter of a list or a count. */
static ScimStatus
put_selection(ScimSqlBuild *build, const ScimResourceType *type, const ScimFilter *filter, ScimError *err)
{
	scim_sql_put(build, " FROM ");
	scim_sql_put_source(build, type, filter);
	scim_sql_put(build, " WHERE ");
	put_tenant(build, type);
	if (filter == NULL)
		return SCIM_OK;
	scim_sql_put(build, " AND ");
	return scim_sql_put_filter(build, type, filter, err);
}

/*
 * A total order, so that pages neither repeat nor miss a row.  Missing values
 * are last when ascending and first when descending (RFC 7644 section
 * 3.4.2.3), which is what PostgreSQL does with nulls by default.
 */
static void
put_order(ScimSqlBuild *build, const ScimResourceType *type, const ScimSort *sort)
{
	const char *direction = sort != NULL && sort->descending ? " DESC" : "";

	scim_sql_put(build, " ORDER BY ");
	if (sort != NULL && sort->path.attr != NULL)
	{
		scim_sql_put_sort_key(build, type, &sort->path);
		scim_sql_put(build, "%s, ", direction);
	}
	scim_sql_put(build, "t.%s%s", type->id_column, direction);
}

/* "The sort key op value", of the value's type. */
static void
put_key_compared(ScimSqlBuild *build, const ScimResourceType *type, const ScimSort *sort, const char *op)
{
	ScimSqlType key_type = scim_sql_put_sort_key(build, type, &sort->path);

	scim_sql_put(build, " OPERATOR(pg_catalog.%s) ", op);
	scim_sql_put_param(build, key_type, sort->after_key);
}

/*
 * Only the rows that a page behind a resource may have.  The first comparison of the
 * keys is a range of an index.  Those of the same key that were shown are taken out by
 * a condition that PostgreSQL knows to be true of nearly all rows: it would take
 * "key > … OR id > …" for rarely true near the end, and read all that is left.
 */
static void
put_behind(ScimSqlBuild *build, const ScimResourceType *type, const ScimSort *sort)
{
	bool		by_key = sort->keys == SCIM_KEYS_PRESENT && sort->after.ptr != NULL;

	if (by_key)
	{
		scim_sql_put(build, " AND ");
		put_key_compared(build, type, sort, sort->descending ? "<=" : ">=");
		scim_sql_put(build, " AND NOT (");
		put_key_compared(build, type, sort, "=");
	}
	else if (sort->keys != SCIM_KEYS_ALL)
	{
		scim_sql_put(build, " AND (");
		scim_sql_put_sort_key(build, type, &sort->path);
		scim_sql_put(build, ") IS %sNULL", sort->keys == SCIM_KEYS_PRESENT ? "NOT " : "");
	}
	if (sort->after.ptr == NULL)
		return;
	scim_sql_put(build, " AND t.%s OPERATOR(pg_catalog.%s) ", type->id_column,
				 by_key ? sort->descending ? ">=" : "<=" : sort->descending ? "<" : ">");
	scim_sql_put_uuid(build, sort->after);
	if (by_key)
		scim_sql_put(build, ")");
}

/*
 * How large a page of all resources in the order of their ids is, for a planner that is
 * to plan it once: it takes a limit that it cannot see for a tenth of the table, which it
 * might then sort.  NULL where it had better see the limit itself.
 */
static const char *
page_size(const ScimResourceType *type, const ScimFilter *filter, const ScimSort *sort, int64_t offset, int64_t limit)
{
	if (type->bound || filter != NULL || (sort != NULL && sort->path.attr != NULL) || offset > 0 || limit < 1 || limit > 10000)
		return NULL;
	return limit <= 10 ? "10" : limit <= 100 ? "100" : limit <= 1000 ? "1000" : "10000";
}

ScimStatus
scim_sql_list(ScimArena *arena, const ScimResourceType *type, ScimStr tenant, const ScimFilter *filter,
			  const ScimSort *sort, int64_t offset, int64_t limit, ScimSql *out, ScimError *err)
{
	const char *size = page_size(type, filter, sort, offset, limit);
	ScimSqlBuild build;
	ScimStatus	status;

	scim_sql_begin(&build, arena, tenant);
	scim_sql_put(&build, "SELECT ");
	put_row(&build, type);
	if (sort != NULL && sort->return_key)
	{
		scim_sql_put(&build, ", ");
		scim_sql_put_sort_key(&build, type, &sort->path);
	}
	/* Of the rows that an offset skips, nothing is to be computed. */
	if (offset > 0)
		scim_sql_put(&build, " FROM (SELECT t.*");
	status = put_selection(&build, type, filter, err);
	if (status != SCIM_OK)
		return status;
	if (sort != NULL)
		put_behind(&build, type, sort);
	put_order(&build, type, sort);
	/* Without an offset that it cannot see, PostgreSQL finds one plan good for all values. */
	if (offset > 0)
	{
		scim_sql_put(&build, " OFFSET ");
		scim_sql_put_int8(&build, offset);
	}
	scim_sql_put(&build, " LIMIT ");
	if (size != NULL)
		scim_sql_put(&build, "%s", size);
	else
		scim_sql_put_int8(&build, limit);
	if (offset > 0)
	{
		scim_sql_put(&build, ") t");
		put_order(&build, type, sort);
	}
	status = scim_sql_finish(&build, out);
	out->max_rows = size != NULL ? limit : 0;
	out->one_plan = size != NULL;
	return status;
}

ScimStatus
scim_sql_sort_key(ScimArena *arena, const ScimResourceType *type, ScimStr tenant, const ScimSort *sort,
				  ScimStr id, ScimSql *out)
{
	ScimSqlBuild build;

	scim_sql_begin(&build, arena, tenant);
	scim_sql_put(&build, "SELECT ");
	scim_sql_put_sort_key(&build, type, &sort->path);
	scim_sql_put(&build, " FROM %s t", type->table);
	put_key(&build, type, id);
	return scim_sql_finish(&build, out);
}

ScimStatus
scim_sql_count(ScimArena *arena, const ScimResourceType *type, ScimStr tenant, const ScimFilter *filter,
			   ScimSql *out, ScimError *err)
{
	ScimSqlBuild build;
	ScimStatus	status;

	scim_sql_begin(&build, arena, tenant);
	scim_sql_put(&build, "SELECT pg_catalog.count(*)");
	status = put_selection(&build, type, filter, err);
	return status == SCIM_OK ? scim_sql_finish(&build, out) : status;
}
