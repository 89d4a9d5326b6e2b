/*
 * sql_build.h
 *		What the makers of SQL statements share: text and parameters growing
 *		together, and the tenant condition.
 *
 * Internal to sql.c, sql_filter.c, sql_shared.c and sql_link.c.  A statement fails as a
 * whole: running out of memory sets `failed`, and scim_sql_finish tells.
 *
 * Everything in the text is qualified, operators included, so that no
 * search_path can change its meaning.  Constructs that look up an operator
 * by name behind the scenes (IN, BETWEEN, IS DISTINCT FROM, CASE x WHEN,
 * NULLIF) are therefore not used.
 */
#ifndef SCIM_CORE_SQL_BUILD_H
#define SCIM_CORE_SQL_BUILD_H

#include "core/sql.h"
#include "core/strbuf.h"

#define SCIM_SQL_EQUALS " OPERATOR(pg_catalog.=) "

typedef struct ScimSqlBuild
{
	ScimArena  *arena;
	ScimBuf		text;
	ScimParam  *params;
	int			n_params;
	int			max_params;
	const char *row;			/* before the columns of the row: "t." */
	int			subqueries;		/* in the filter so far */
	bool		failed;
} ScimSqlBuild;

/* Most subqueries in a filter: to plan each costs about a megabyte for the time. */
#define SCIM_SQL_SUBQUERIES_MAX 30

/* Begin a statement whose $1 is the tenant. */
extern void scim_sql_begin(ScimSqlBuild *build, ScimArena *arena, ScimStr tenant);

/* Append text; of printf's formats it knows %s, and no other. */
extern void scim_sql_put(ScimSqlBuild *build, const char *fmt, ...)
			__attribute__((format(printf, 2, 3)));

/* Append $n and add its value. */
extern void scim_sql_put_param(ScimSqlBuild *build, ScimSqlType type, ScimStr value);

/* The same for an id; what is no UUID becomes null, and so equals nothing. */
extern void scim_sql_put_uuid(ScimSqlBuild *build, ScimStr id);

/* The same for an array of ids; what is no UUID is left out. */
extern void scim_sql_put_uuids(ScimSqlBuild *build, const ScimStr *ids, size_t n);

extern void scim_sql_put_int8(ScimSqlBuild *build, int64_t value);

/* A string constant of the registry as an SQL literal; "" when out of memory. */
extern const char *scim_sql_quote(ScimSqlBuild *build, const char *text);

/* The same into the statement's arena; "" when out of memory. */
extern const char *scim_sql_text(ScimSqlBuild *build, const char *fmt, ...)
			__attribute__((format(printf, 2, 3)));

/* The condition that every table named in a statement has: alias.column = $1. */
extern void scim_sql_put_tenant(ScimSqlBuild *build, const char *alias, const char *column);

/* The same for the table of a resource type, whose rows may be no resources any more. */
extern void scim_sql_put_scope(ScimSqlBuild *build, const char *alias, const ScimResourceType *type);

/* SCIM_OK and the statement, or SCIM_NO_MEMORY. */
extern ScimStatus scim_sql_finish(ScimSqlBuild *build, ScimSql *out);

/* ---- sql_filter.c ---- */

/*
 * Append the rows, alias t, that a filter (or NULL) selects from: the table, or those that an
 * index finds by one value of a multi-valued attribute.  OFFSET 0 lets the planner see nothing
 * but that condition.  It takes it to hold for one row in 200, and so would go through the rows
 * of the whole tenant in the order of the page, or use another index besides.
 */
extern void scim_sql_put_source(ScimSqlBuild *build, const ScimResourceType *type, const ScimFilter *filter);

/* Append the filter as a condition on the resource type's row, alias t. */
extern ScimStatus scim_sql_put_filter(ScimSqlBuild *build, const ScimResourceType *type,
									  const ScimFilter *filter, ScimError *err);

/* Append a value path's inner filter as a condition on a row of a link's table, alias l. */
extern ScimStatus scim_sql_put_link_filter(ScimSqlBuild *build, const ScimLink *link,
										   const ScimRegistry *registry, const ScimFilter *filter,
										   ScimError *err);

/* ---- sql_schemas.c ---- */

/* Append a filter on schemas, or on its elements, as a condition on the row t. */
extern ScimStatus scim_sql_put_schemas(ScimSqlBuild *build, const ScimResourceType *type,
									   const ScimFilter *filter);

/* ---- sql_sort.c ---- */

/* Can rows be sorted by the path? */
extern bool scim_sql_sortable(ScimSqlBuild *build, const ScimResourceType *type, const ScimPath *path);

/* Append the sort key of a path that rows can be sorted by; its type. */
extern ScimSqlType scim_sql_put_sort_key(ScimSqlBuild *build, const ScimResourceType *type,
										 const ScimPath *path);

/* Append the expression that an index on the path has; false when there can be none. */
extern bool scim_sql_put_index_key(ScimSqlBuild *build, const ScimResourceType *type, const ScimPath *path);

/* ---- sql_link.c ---- */

/* The resource types that a link leads to; at most max of them are put into types. */
extern size_t scim_sql_link_targets(const ScimRegistry *registry, const ScimLink *link,
									const ScimResourceType **types, size_t max);

/* Append the displayName of the resource that a link's row (alias l) leads to. */
extern void scim_sql_put_link_display(ScimSqlBuild *build, const ScimRegistry *registry,
									  const ScimLink *link);

#endif							/* SCIM_CORE_SQL_BUILD_H */
