/*
 * sql.h
 *		SQL statements for a resource type, from the registry's storage
 *		description.
 *
 * A statement is text with $1…$n and a list of typed parameters.  Names of
 * tables and columns come from the registry only, every value is a
 * parameter; $1 is the tenant in every statement, and every statement
 * restricts every table it names to it: one function here adds the
 * condition, and a unit test proves that no statement lacks it.  Equal
 * shapes give equal text, so that the text is the key of a plan cache.
 */
#ifndef SCIM_CORE_SQL_H
#define SCIM_CORE_SQL_H

#include "core/filter.h"
#include "core/resource.h"

typedef struct ScimParam
{
	ScimSqlType type;
	ScimStr		value;			/* text form; absent: null */
	const ScimStr *values;		/* of an array */
	size_t		n_values;
} ScimParam;

typedef struct ScimSql
{
	const char *text;
	ScimParam  *params;
	int			n_params;
	int64_t		max_rows;		/* to be read; 0: all it finds */
	bool		one_plan;		/* of a list: is one plan good for all values? */
} ScimSql;

/*
 * Rows of select, insert, update and list: id, version, created,
 * last_modified, then type->columns in order.
 */
#define SCIM_SQL_FIXED_COLUMNS 4

/* One row by id; for_update locks it (FOR NO KEY UPDATE). */
extern ScimStatus scim_sql_select(ScimArena *arena, const ScimResourceType *type, ScimStr tenant,
								  ScimStr id, bool for_update, ScimSql *out);

/* values as scim_resource_to_row; returns the new row. */
extern ScimStatus scim_sql_insert(ScimArena *arena, const ScimResourceType *type, ScimStr tenant,
								  ScimStr id, const ScimStr *values, ScimSql *out);

/* Only the columns whose changed[i] is set (at least one); returns the new row. */
extern ScimStatus scim_sql_update(ScimArena *arena, const ScimResourceType *type, ScimStr tenant,
								  ScimStr id, const ScimStr *values, const bool *changed,
								  ScimSql *out);

extern ScimStatus scim_sql_delete(ScimArena *arena, const ScimResourceType *type, ScimStr tenant,
								  ScimStr id, ScimSql *out);

/*
 * A new version for a resource of which only what is kept in other tables
 * changed (members, a password): returns the fixed columns.
 */
extern ScimStatus scim_sql_touch(ScimArena *arena, const ScimResourceType *type, ScimStr tenant,
								 ScimStr id, ScimSql *out);

/* Which rows of a list, by their sort key: without a sort, always all. */
typedef enum ScimSortKeys
{
	SCIM_KEYS_ALL, SCIM_KEYS_PRESENT, SCIM_KEYS_MISSING
} ScimSortKeys;

/*
 * Sorting: an attribute (NULL attr: by id), RFC 7644 section 3.4.2.3.  The rest is for a
 * page behind a resource.  Rows with a sort key and rows without are asked for one after
 * the other, for a range of both is none of an index.
 */
typedef struct ScimSort
{
	ScimPath	path;
	bool		descending;
	bool		return_key;		/* behind the columns of each row, its sort key */
	ScimSortKeys keys;
	ScimStr		after;			/* only what is behind the resource of this id */
	ScimStr		after_key;		/* its sort key, where keys are present */
} ScimSort;

extern ScimStatus scim_sort_parse(ScimArena *arena, const ScimResourceType *type, ScimStr sort_by,
								  ScimStr sort_order, ScimSort *out, ScimError *err);

/* One page: filter may be NULL; total order by (sort key, id). */
extern ScimStatus scim_sql_list(ScimArena *arena, const ScimResourceType *type, ScimStr tenant,
								const ScimFilter *filter, const ScimSort *sort, int64_t offset,
								int64_t limit, ScimSql *out, ScimError *err);

/* The sort key of one resource: a row of one value, or none. */
extern ScimStatus scim_sql_sort_key(ScimArena *arena, const ScimResourceType *type, ScimStr tenant,
									const ScimSort *sort, ScimStr id, ScimSql *out);

/* How many there are: one bigint. */
extern ScimStatus scim_sql_count(ScimArena *arena, const ScimResourceType *type, ScimStr tenant,
								 const ScimFilter *filter, ScimSql *out, ScimError *err);

#define SCIM_SQL_LINK_COLUMNS 5

/*
 * Linked resources of n owners: rows (owner id, other's id, resource type
 * name, display or null, whether the other has such links itself), by owner and
 * other's id.
 */
extern ScimStatus scim_sql_link_read(ScimArena *arena, const ScimRegistry *registry,
									 const ScimLink *link, ScimStr tenant, const ScimStr *owners,
									 size_t n_owners, ScimSql *out);

/* For a nested link: those that n owners are linked to only through others, in such rows. */
extern ScimStatus scim_sql_link_read_indirect(ScimArena *arena, const ScimRegistry *registry,
											  const ScimLink *link, ScimStr tenant,
											  const ScimStr *owners, size_t n_owners, ScimSql *out);

/*
 * Carry out one link operation on one owner.  ADD and REPLACE first need
 * scim_sql_link_missing: which of the ids name no resource (rows of one
 * uuid).  REPLACE is two statements: delete what is not named (first), then
 * ADD.  All affect only rows that change.
 */
extern ScimStatus scim_sql_link_missing(ScimArena *arena, const ScimRegistry *registry,
										const ScimLink *link, ScimStr tenant, const ScimStr *ids,
										size_t n, ScimSql *out);
extern ScimStatus scim_sql_link_add(ScimArena *arena, const ScimRegistry *registry,
									const ScimLink *link, ScimStr tenant, ScimStr owner,
									const ScimStr *ids, size_t n, ScimSql *out);
extern ScimStatus scim_sql_link_remove(ScimArena *arena, const ScimLink *link, ScimStr tenant,
									   ScimStr owner, const ScimStr *ids, size_t n, ScimSql *out);
extern ScimStatus scim_sql_link_keep(ScimArena *arena, const ScimLink *link, ScimStr tenant,
									 ScimStr owner, const ScimStr *ids, size_t n, ScimSql *out);
extern ScimStatus scim_sql_link_remove_matching(ScimArena *arena, const ScimRegistry *registry,
												const ScimLink *link, ScimStr tenant, ScimStr owner,
												const ScimFilter *filter, ScimSql *out,
												ScimError *err);

#endif							/* SCIM_CORE_SQL_H */
