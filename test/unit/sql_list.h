/*
 * sql_list.h
 *		A list's statement from the texts of a filter and an order.
 */
#include "core/sql.h"
#include "core/strbuf.h"
#include "sql_rules.h"
#include "tap.h"

#define E "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
#define CC " COLLATE pg_catalog.\"C\" "

static ScimArena *arena;
static const ScimFilterLimits limits = {.max_terms = 200};

static ScimStr
str(const char *text)
{
	return (ScimStr) {text, strlen(text)};
}

static const ScimResourceType *
type_named(const char *name)
{
	return scim_registry_type_by_name(scim_registry_builtin(), name);
}

/* Ten from the twenty-first on. */
static ScimStatus
list(const char *type, const char *filter, const char *sort_by, const char *order, ScimSql *sql, ScimError *err)
{
	ScimFilter *parsed = NULL;
	ScimSort	sort;
	ScimStatus	status = SCIM_OK;

	*err = (ScimError) {SCIM_OK, ""};
	if (filter != NULL)
		status = scim_filter_parse(arena, type_named(type), str(filter), &limits, &parsed, err);
	if (status == SCIM_OK)
		status = scim_sort_parse(arena, type_named(type), sort_by != NULL ? str(sort_by) : SCIM_STR_NONE,
								 order != NULL ? str(order) : SCIM_STR_NONE, &sort, err);
	if (status == SCIM_OK)
		status = scim_sql_list(arena, type_named(type), TENANT, parsed, &sort, 20, 10, sql, err);
	return status;
}
