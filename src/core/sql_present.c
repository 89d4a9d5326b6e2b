/*
 * sql_present.c
 *		Conditions on a row that ask whether something is there: a complex
 *		attribute, an extension (see sql_build.h).
 */
#include <json-c/json.h>
#include <string.h>

#include "core/filter.h"
#include "core/json.h"
#include "core/sql_build.h"

/* Append that a complex value has a part that is not empty. */
static void
put_any_member(ScimSqlBuild *build, const char *json)
{
	build->subqueries++;
	scim_sql_put(build, "EXISTS (SELECT 1 FROM pg_catalog.jsonb_each_text(%s) m(k, v) "
				 "WHERE m.v OPERATOR(pg_catalog.<>) '')", json);
}

/* Append that a value kept in the column is there, and not empty. */
static void
put_column_present(ScimSqlBuild *build, const ScimColumn *column)
{
	if (column->type == SCIM_SQL_TEXT)
		scim_sql_put(build, "t.%s OPERATOR(pg_catalog.<>) ''", column->name);
	else if (column->type != SCIM_SQL_JSONB)
		scim_sql_put(build, "t.%s IS NOT NULL", column->name);
	else if (column->attr->multi_valued)
		scim_sql_put(build, "t.%s OPERATOR(pg_catalog.<>) '[]'", column->name);
	else
		put_any_member(build, scim_sql_text(build, "t.%s", column->name));
}

bool
scim_sql_put_complex_present(ScimSqlBuild *build, const ScimResourceType *type, const ScimPath *path)
{
	const char *separator = "(";

	for (size_t i = 0; i < type->n_columns; i++)
	{
		if (type->columns[i].attr != path->attr || type->columns[i].store == SCIM_STORE_EXPRESSION)
			continue;
		scim_sql_put(build, "%s", separator);
		put_column_present(build, &type->columns[i]);
		separator = " OR ";
	}
	if (strcmp(separator, "(") == 0)
	{
		if (path->extension == NULL || type->extensions_column == NULL)
			return false;
		scim_sql_put(build, "(");
		put_any_member(build, scim_sql_text(build, "(t.%s OPERATOR(pg_catalog.->) %s OPERATOR(pg_catalog.->) %s)",
											type->extensions_column, scim_sql_quote(build, path->extension->id),
											scim_sql_quote(build, path->attr->name)));
	}
	scim_sql_put(build, ")");
	return true;
}

/* Append that the resource has a value of the extension, be it empty. */
static void
put_extension_present(ScimSqlBuild *build, const ScimResourceType *type, const ScimSchema *extension)
{
	for (size_t i = 0; i < type->n_columns; i++)
	{
		const ScimColumn *column = &type->columns[i];

		if (column->attr == NULL || column->attr->schema != extension || column->store == SCIM_STORE_EXPRESSION)
			continue;
		scim_sql_put(build, column->type == SCIM_SQL_JSONB ? " OR t.%s OPERATOR(pg_catalog.<>) '%s'" : " OR t.%s IS NOT NULL",
					 column->name, column->attr->multi_valued ? "[]" : "{}");
	}
	if (type->extensions_column != NULL)
		scim_sql_put(build, " OR (t.%s OPERATOR(pg_catalog.->) %s) OPERATOR(pg_catalog.<>) '{}'", type->extensions_column,
					 scim_sql_quote(build, extension->id));
}

/* Is the filter true of the URN, as an element of schemas? */
static ScimStatus
urn_satisfies(ScimSqlBuild *build, const ScimFilter *filter, const char *urn, bool *result)
{
	ScimJson   *element = scim_own(build->arena, json_object_new_string(urn));
	ScimStatus	status = SCIM_OK;

	if (element == NULL)
		return SCIM_NO_MEMORY;
	*result = scim_filter_matches_element(filter, element, &status);
	return status;
}

/* Which URNs satisfy the filter is known without a row. */
ScimStatus
scim_sql_put_schemas(ScimSqlBuild *build, const ScimResourceType *type, const ScimFilter *filter)
{
	bool		satisfied;
	ScimStatus	status = urn_satisfies(build, filter, type->schema->id, &satisfied);

	if (status != SCIM_OK)
		return status;
	scim_sql_put(build, "(%s", satisfied ? "true" : "false");
	for (size_t i = 0; i < type->n_extensions && status == SCIM_OK; i++)
	{
		status = urn_satisfies(build, filter, type->extensions[i]->id, &satisfied);
		if (status == SCIM_OK && satisfied)
			put_extension_present(build, type, type->extensions[i]);
	}
	scim_sql_put(build, ")");
	return status;
}
