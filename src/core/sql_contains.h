/*
 * sql_contains.h
 *		The comparisons co of a filter that look for several texts in the same
 *		value, answered by one pass over it.
 *
 * Internal to sql_filter.c.  A filter of 200 terms may look for 200 texts in
 * a value of many kilobytes, row after row; each by itself, that takes
 * seconds.  So they are given to scim.contains_each together, in a subquery
 * that is evaluated once a row, f, and each comparison becomes one element of
 * its answer.
 */
#ifndef SCIM_CORE_SQL_CONTAINS_H
#define SCIM_CORE_SQL_CONTAINS_H

#include "core/sql_operand.h"

/* One value and what is looked for in it. */
typedef struct ScimContains
{
	const char *text;			/* the SQL of the value */
	const ScimFilter **terms;
	size_t		n;
	struct ScimContains *next;
} ScimContains;

/* Note that the filter, a co, looks into the operand. */
extern void scim_contains_add(ScimSqlBuild *build, ScimContains **list, const ScimOperand *operand,
							  const ScimFilter *filter);

/* The value in which the filter and others look; NULL when it is alone. */
extern const ScimContains *scim_contains_shared(const ScimContains *list, const ScimFilter *filter);

/* Append a filter for which there is one, as an element of f. */
extern void scim_contains_put(ScimSqlBuild *build, const ScimContains *list, const ScimFilter *filter);

/* Append " FROM (…) f" with a column for each shared value. */
extern void scim_contains_put_from(ScimSqlBuild *build, const ScimContains *list);

#endif							/* SCIM_CORE_SQL_CONTAINS_H */
