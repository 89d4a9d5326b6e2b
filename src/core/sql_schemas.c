/*
 * sql_schemas.c
 *		A filter on the common attribute schemas, which no column keeps (see
 *		sql.h).
 */
#include <json-c/json.h>

#include "core/json.h"
#include "core/sql_build.h"

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

/*
 * schemas: the type's own URN, and those of the extensions that have a value.
 * Which of them satisfy the filter is known without a row.
 */
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
