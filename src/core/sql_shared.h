/*
 * sql_shared.h
 *		Comparisons of a filter that look at the same value, which is then
 *		computed once a row.
 *
 * Internal to sql_filter.c.  A filter of 200 terms may compare 200 texts with
 * a value of many kilobytes, row after row.  To fetch, fold and search it for
 * each by itself takes seconds.  So the value is computed in a subquery that
 * is evaluated once a row, f, and all that co looks for in it is given to
 * scim.contains_each together: each co becomes one element of its answer.
 *
 * A column may have a trigram index, which can serve a co that stands alone;
 * so a few comparisons with a column do.
 */
#ifndef SCIM_CORE_SQL_SHARED_H
#define SCIM_CORE_SQL_SHARED_H

#include "core/sql_operand.h"

/* One value, and the comparisons with it. */
typedef struct ScimShared
{
	ScimOperand operand;
	const char *text;			/* its SQL, as it is compared */
	char		number[8];		/* names the columns of f: t1 the text, c1 the answer of contains_each */
	const ScimFilter **terms;
	size_t		n;
	size_t		n_alone;		/* so many would stand each by itself */
	size_t		n_contains;		/* how many of them are co */
	struct ScimShared *next;
} ScimShared;

/* Note that the filter, a comparison with a text, looks at the operand. */
extern void scim_shared_add(ScimSqlBuild *build, ScimShared **list, const ScimOperand *operand,
							const ScimFilter *filter);

/* The value that the filter and others look at; NULL when it is alone. */
extern const ScimShared *scim_shared_value(const ScimShared *list, const ScimFilter *filter);

/* Is there one for the filter or for anything in it? */
extern bool scim_shared_any(const ScimShared *list, const ScimFilter *filter);

/* Append a filter for which there is one, as a comparison with what f has. */
extern void scim_shared_put(ScimSqlBuild *build, const ScimShared *list, const ScimFilter *filter);

/* Append " FROM (…) f" with columns for each shared value. */
extern void scim_shared_put_from(ScimSqlBuild *build, const ScimShared *list);

#endif							/* SCIM_CORE_SQL_SHARED_H */
