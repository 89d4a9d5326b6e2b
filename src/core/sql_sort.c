/*
 * sql_sort.c
 *		What rows are sorted by, and what indexes have, as SQL (see sql.h and
 *		sql_table.h).
 */
#include <string.h>

#include "core/sql_operand.h"

bool
scim_sql_sortable(ScimSqlBuild *build, const ScimResourceType *type, const ScimPath *path)
{
	ScimOperand operand;

	if (scim_operand_is_schemas(path->attr) || scim_path_leaf(path)->type == SCIM_TYPE_COMPLEX ||
		scim_type_link(type, path->attr) != NULL)
		return false;
	if (path->attr->multi_valued)
		return scim_operand_array(build, type, path) != NULL;
	return scim_operand_row(build, type, path, &operand);
}

/* RFC 7644 section 3.4.2.3: of a multi-valued attribute the primary value, or else the first. */
ScimSqlType
scim_sql_put_sort_key(ScimSqlBuild *build, const ScimResourceType *type, const ScimPath *path)
{
	const char *only = path->sub != NULL && strcmp(path->sub->name, "value") == 0 ? scim_operand_only_value(build, type, path) : NULL;
	const char *array = only == NULL ? scim_operand_array(build, type, path) : NULL;
	ScimOperand operand;
	ScimSqlType key_type;

	if (only != NULL)
	{
		operand = (ScimOperand) {.leaf = path->sub, .sql = only, .type = SCIM_SQL_TEXT};
		return scim_operand_sort_key(build, &operand);
	}
	if (array == NULL)
		return scim_operand_row(build, type, path, &operand) ? scim_operand_sort_key(build, &operand) : SCIM_SQL_TEXT;
	operand = scim_operand_element(path);
	scim_sql_put(build, "COALESCE((SELECT ");
	scim_operand_sort_key(build, &operand);
	scim_sql_put(build, " FROM pg_catalog.jsonb_array_elements(%s) e(v) WHERE (e.v OPERATOR(pg_catalog.->) 'primary')"
				 SCIM_SQL_EQUALS "'true' LIMIT 1), ", array);
	operand.sql = scim_sql_text(build, "(%s OPERATOR(pg_catalog.->) 0)", array);
	key_type = scim_operand_sort_key(build, &operand);
	scim_sql_put(build, ")");
	return key_type;
}

/* ---- indexes ---- */

/* Behind the tenant, what filters compare and sorting orders by; of an array, what is looked for in it. */
bool
scim_sql_put_index_key(ScimSqlBuild *build, const ScimResourceType *type, const ScimPath *path)
{
	const char *array = scim_operand_array(build, type, path);
	ScimPath	whole = *path;

	if (scim_attribute_secret(path->attr) || !scim_sql_sortable(build, type, path))
	{
		/* A multi-valued complex attribute stands for its values. */
		whole.sub = array != NULL && path->sub == NULL ? scim_sub_attribute(path->attr, SCIM_STR("value")) : NULL;
		if (whole.sub == NULL || scim_attribute_secret(path->attr))
			return false;
	}
	if (array != NULL)
	{
		if (!scim_operand_in_folded(&whole))
			return false;
		scim_sql_put(build, "USING gin (scim.folded_values(%s))", array);
		return true;
	}
	scim_sql_put(build, "(%s, (", type->tenant_column);
	scim_sql_put_sort_key(build, type, path);
	scim_sql_put(build, "))");
	return true;
}
