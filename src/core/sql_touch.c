/*
 * sql_touch.c
 *		The statement that gives a resource a new version when only what is
 *		kept in other tables changed.
 */
#include "core/arena.h"
#include "core/sql.h"

ScimStatus
scim_sql_touch(ScimArena *arena, const ScimResourceType *type, ScimStr tenant, ScimStr id, ScimSql *out)
{
	out->text = scim_sprintf(arena,
							 "UPDATE %s AS t SET %s = t.%s OPERATOR(pg_catalog.+) 1, %s = pg_catalog.clock_timestamp()"
							 " WHERE t.%s OPERATOR(pg_catalog.=) $1 AND t.%s OPERATOR(pg_catalog.=) $2"
							 " RETURNING t.%s, t.%s, t.%s, t.%s",
							 type->table, type->version_column, type->version_column,
							 type->last_modified_column, type->tenant_column, type->id_column,
							 type->id_column, type->version_column, type->created_column,
							 type->last_modified_column);
	out->n_params = 2;
	out->params = scim_alloc(arena, 2 * sizeof(ScimParam));
	if (out->text == NULL || out->params == NULL)
		return SCIM_NO_MEMORY;
	out->params[0] = (ScimParam) {.type = SCIM_SQL_TEXT, .value = tenant};
	out->params[1] = (ScimParam) {.type = SCIM_SQL_UUID, .value = id};
	return SCIM_OK;
}
