/*
 * sql_link.c
 *		Statements on the table of a link: a multi-valued attribute that is
 *		kept as rows (see sql.h).
 *
 * The row is called l.  Ids that are no UUIDs name nothing and are left out
 * of every statement.
 */
#include <string.h>

#include "core/sql_build.h"

/* More resource types than one attribute refers to. */
#define MAX_TARGETS 16

/* What the link's attribute refers to: the reference types of one of its sub-attributes. */
static const char *const *
reference_types(const ScimAttribute *attr)
{
	for (size_t i = 0; i < attr->n_sub; i++)
	{
		if (attr->sub[i].reference_types != NULL)
			return attr->sub[i].reference_types;
	}
	return attr->reference_types;
}

size_t
scim_sql_link_targets(const ScimRegistry *registry, const ScimLink *link,
					  const ScimResourceType **types, size_t max)
{
	const char *const only[] = {link->target, NULL};
	const char *const *names = link->target != NULL ? only : reference_types(link->attr);
	size_t		n = 0;

	for (; names != NULL && *names != NULL && n < max; names++)
	{
		const ScimResourceType *type = scim_registry_type_by_name(registry, *names);

		if (type != NULL)
			types[n++] = type;
	}
	return n;
}

/* The column that keeps displayName, or NULL. */
static const char *
display_column(const ScimResourceType *type)
{
	const ScimAttribute *attr = scim_type_attribute(type, SCIM_STR("displayName"));
	const ScimColumn *column = attr != NULL ? scim_type_column(type, attr, NULL) : NULL;

	return column != NULL && column->store == SCIM_STORE_COLUMN ? column->name : NULL;
}

void
scim_sql_put_link_display(ScimSqlBuild *build, const ScimRegistry *registry, const ScimLink *link)
{
	const ScimResourceType *types[MAX_TARGETS];
	size_t		n = scim_sql_link_targets(registry, link, types, MAX_TARGETS);

	scim_sql_put(build, "COALESCE(");
	for (size_t i = 0; i < n; i++)
	{
		const char *column = display_column(types[i]);

		if (column == NULL)
			continue;
		scim_sql_put(build, "(SELECT d.%s FROM %s d WHERE ", column, types[i]->table);
		scim_sql_put_scope(build, "d", types[i]);
		scim_sql_put(build, " AND d.%s" SCIM_SQL_EQUALS "l.%s), ", types[i]->id_column, link->value);
	}
	scim_sql_put(build, "CAST(NULL AS pg_catalog.text))");
}

/* The rows of one owner: the WHERE that every change to them begins with. */
static void
put_owner(ScimSqlBuild *build, const ScimLink *link, ScimStr owner)
{
	scim_sql_put(build, " WHERE ");
	scim_sql_put_tenant(build, "l", link->tenant);
	scim_sql_put(build, " AND l.%s" SCIM_SQL_EQUALS, link->owner);
	scim_sql_put_uuid(build, owner);
}

/* What is told of a row l of a link: owner, other, the other's type. */
static void
put_others(ScimSqlBuild *build, const ScimLink *link)
{
	scim_sql_put(build, "SELECT l.%s, l.%s, ", link->owner, link->value);
	if (link->type != NULL)
		scim_sql_put(build, "l.%s", link->type);
	else
		scim_sql_put(build, "CAST(%s AS pg_catalog.text)",
					 scim_sql_quote(build, link->target != NULL ? link->target : ""));
}

static void
put_owners(ScimSqlBuild *build, const ScimLink *link, const ScimStr *owners, size_t n_owners)
{
	scim_sql_put_tenant(build, "l", link->tenant);
	scim_sql_put(build, " AND l.%s" SCIM_SQL_EQUALS "ANY (", link->owner);
	scim_sql_put_uuids(build, owners, n_owners);
	scim_sql_put(build, ")");
}

ScimStatus
scim_sql_link_read(ScimArena *arena, const ScimLink *link, ScimStr tenant, const ScimStr *owners,
				   size_t n_owners, ScimSql *out)
{
	ScimSqlBuild build;

	scim_sql_begin(&build, arena, tenant);
	put_others(&build, link);
	scim_sql_put(&build, " FROM %s l WHERE ", link->table);
	put_owners(&build, link, owners, n_owners);
	scim_sql_put(&build, " ORDER BY l.%s, l.%s", link->owner, link->value);
	return scim_sql_finish(&build, out);
}

/* "= ANY (the ids)", which are $2 after the first time. */
static void
put_any(ScimSqlBuild *build, const ScimStr *ids, size_t n_ids, bool *any)
{
	scim_sql_put(build, SCIM_SQL_EQUALS "ANY (%s", *any ? "$2" : "");
	if (!*any)
		scim_sql_put_uuids(build, ids, n_ids);
	scim_sql_put(build, ")");
	*any = true;
}

/* By themselves, for the ids are fewer than the rows that lead to them. */
ScimStatus
scim_sql_link_names(ScimArena *arena, const ScimRegistry *registry, const ScimLink *link, ScimStr tenant,
					const ScimStr *ids, size_t n_ids, bool *any, ScimSql *out)
{
	static const char *const numbers[MAX_TARGETS] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12",
	"13", "14", "15"};
	const ScimResourceType *types[MAX_TARGETS];
	size_t		n = scim_sql_link_targets(registry, link, types, MAX_TARGETS);
	ScimSqlBuild build;

	*any = false;
	scim_sql_begin(&build, arena, tenant);
	for (size_t i = 0; i < n; i++)
	{
		const char *column = display_column(types[i]);

		if (column == NULL)
			continue;
		scim_sql_put(&build, "%sSELECT d.%s, CAST(d.%s AS pg_catalog.text), %s FROM %s d WHERE ", *any ? " UNION ALL " : "",
					 types[i]->id_column, column, numbers[i], types[i]->table);
		scim_sql_put_scope(&build, "d", types[i]);
		scim_sql_put(&build, " AND d.%s", types[i]->id_column);
		put_any(&build, ids, n_ids, any);
	}
	if (link->nested != NULL)
	{
		scim_sql_put(&build, "%s(SELECT CAST(NULL AS pg_catalog.uuid), CAST(NULL AS pg_catalog.text), 0 FROM %s n WHERE ",
					 *any ? " UNION ALL " : "", link->table);
		scim_sql_put_tenant(&build, "n", link->tenant);
		scim_sql_put(&build, " AND n.%s", link->nested);
		put_any(&build, ids, n_ids, any);
		scim_sql_put(&build, " LIMIT 1)");
	}
	return scim_sql_finish(&build, out);
}

/*
 * above: all that each target of the owners leads to.  UNION leaves out what is there
 * already, so that a circle ends.
 */
ScimStatus
scim_sql_link_read_indirect(ScimArena *arena, const ScimLink *link, ScimStr tenant, const ScimStr *owners,
							size_t n_owners, ScimSql *out)
{
	ScimSqlBuild build;

	scim_sql_begin(&build, arena, tenant);
	scim_sql_put(&build, "WITH RECURSIVE direct(owner, target) AS MATERIALIZED (SELECT l.%s, l.%s FROM %s l WHERE ", link->owner,
				 link->value, link->table);
	put_owners(&build, link, owners, n_owners);
	scim_sql_put(&build, "), above(below, target) AS (SELECT n.%s, n.%s FROM %s n WHERE ", link->nested, link->value, link->table);
	scim_sql_put_tenant(&build, "n", link->tenant);
	scim_sql_put(&build, " AND n.%s" SCIM_SQL_EQUALS "ANY (ARRAY(SELECT DISTINCT d.target FROM direct d))"
				 " UNION SELECT a.below, n.%s FROM %s n JOIN above a ON a.target" SCIM_SQL_EQUALS "n.%s WHERE ", link->nested,
				 link->value, link->table, link->nested);
	scim_sql_put_tenant(&build, "n", link->tenant);
	scim_sql_put(&build, ") ");
	put_others(&build, link);
	scim_sql_put(&build, " FROM (SELECT d.owner AS %s, a.target AS %s FROM direct d JOIN above a ON a.below" SCIM_SQL_EQUALS
				 "d.target EXCEPT SELECT d.owner, d.target FROM direct d) l ORDER BY l.%s, l.%s", link->owner, link->value,
				 link->owner, link->value);
	return scim_sql_finish(&build, out);
}

ScimStatus
scim_sql_link_missing(ScimArena *arena, const ScimRegistry *registry, const ScimLink *link,
					  ScimStr tenant, const ScimStr *ids, size_t n, ScimSql *out)
{
	const ScimResourceType *types[MAX_TARGETS];
	size_t		n_types = scim_sql_link_targets(registry, link, types, MAX_TARGETS);
	ScimSqlBuild build;

	scim_sql_begin(&build, arena, tenant);
	scim_sql_put(&build, "SELECT i.id FROM pg_catalog.unnest(");
	scim_sql_put_uuids(&build, ids, n);
	scim_sql_put(&build, ") i(id) WHERE true");
	for (size_t i = 0; i < n_types; i++)
	{
		scim_sql_put(&build, " AND NOT EXISTS (SELECT 1 FROM %s r WHERE ", types[i]->table);
		scim_sql_put_scope(&build, "r", types[i]);
		scim_sql_put(&build, " AND r.%s" SCIM_SQL_EQUALS "i.id)", types[i]->id_column);
	}
	return scim_sql_finish(&build, out);
}

/*
 * The resources named, from each table they can be in, with the name of
 * their type.  The owner is $2 and the ids are $3 in each part.
 */
ScimStatus
scim_sql_link_add(ScimArena *arena, const ScimRegistry *registry, const ScimLink *link, ScimStr tenant,
				  ScimStr owner, const ScimStr *ids, size_t n, ScimSql *out)
{
	const ScimResourceType *types[MAX_TARGETS];
	size_t		n_types = scim_sql_link_targets(registry, link, types, MAX_TARGETS);
	ScimSqlBuild build;

	scim_sql_begin(&build, arena, tenant);
	scim_sql_put(&build, "INSERT INTO %s (%s, %s, %s%s%s%s%s)", link->table, link->tenant, link->owner,
				 link->value, link->type != NULL ? ", " : "", link->type != NULL ? link->type : "",
				 link->bound != NULL ? ", " : "", link->bound != NULL ? link->bound : "");
	for (size_t i = 0; i < n_types; i++)
	{
		scim_sql_put(&build, i > 0 ? " UNION ALL SELECT $1, $2" : " SELECT $1, ");
		if (i == 0)
			scim_sql_put_uuid(&build, owner);
		scim_sql_put(&build, ", r.%s", types[i]->id_column);
		if (link->type != NULL)
			scim_sql_put(&build, ", %s", scim_sql_quote(&build, types[i]->name));
		if (link->bound != NULL)
			scim_sql_put(&build, types[i]->bound ? ", true" : ", false");
		scim_sql_put(&build, " FROM %s r WHERE ", types[i]->table);
		scim_sql_put_scope(&build, "r", types[i]);
		scim_sql_put(&build, " AND r.%s" SCIM_SQL_EQUALS "ANY (%s", types[i]->id_column, i > 0 ? "$3" : "");
		if (i == 0)
			scim_sql_put_uuids(&build, ids, n);
		scim_sql_put(&build, ")");
	}
	scim_sql_put(&build, " ON CONFLICT DO NOTHING");
	return scim_sql_finish(&build, out);
}

ScimStatus
scim_sql_link_remove(ScimArena *arena, const ScimLink *link, ScimStr tenant, ScimStr owner,
					 const ScimStr *ids, size_t n, ScimSql *out)
{
	ScimSqlBuild build;

	scim_sql_begin(&build, arena, tenant);
	scim_sql_put(&build, "DELETE FROM %s AS l", link->table);
	put_owner(&build, link, owner);
	scim_sql_put(&build, " AND l.%s" SCIM_SQL_EQUALS "ANY (", link->value);
	scim_sql_put_uuids(&build, ids, n);
	scim_sql_put(&build, ")");
	return scim_sql_finish(&build, out);
}

/* NOT EXISTS rather than <> ALL: an anti-join is linear in the members, also
 * in a generic plan. */
ScimStatus
scim_sql_link_keep(ScimArena *arena, const ScimLink *link, ScimStr tenant, ScimStr owner,
				   const ScimStr *ids, size_t n, ScimSql *out)
{
	ScimSqlBuild build;

	scim_sql_begin(&build, arena, tenant);
	scim_sql_put(&build, "DELETE FROM %s AS l", link->table);
	put_owner(&build, link, owner);
	scim_sql_put(&build, " AND NOT EXISTS (SELECT 1 FROM pg_catalog.unnest(");
	scim_sql_put_uuids(&build, ids, n);
	scim_sql_put(&build, ") k(id) WHERE k.id" SCIM_SQL_EQUALS "l.%s)", link->value);
	return scim_sql_finish(&build, out);
}

ScimStatus
scim_sql_link_remove_matching(ScimArena *arena, const ScimRegistry *registry, const ScimLink *link,
							  ScimStr tenant, ScimStr owner, const ScimFilter *filter, ScimSql *out,
							  ScimError *err)
{
	ScimSqlBuild build;
	ScimStatus	status;

	scim_sql_begin(&build, arena, tenant);
	scim_sql_put(&build, "DELETE FROM %s AS l", link->table);
	put_owner(&build, link, owner);
	scim_sql_put(&build, " AND ");
	status = scim_sql_put_link_filter(&build, link, registry, filter, err);
	return status == SCIM_OK ? scim_sql_finish(&build, out) : status;
}
