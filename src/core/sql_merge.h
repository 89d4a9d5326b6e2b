/*
 * sql_merge.h
 *		A filter that looks at one multi-valued attribute several times, so
 *		written that it looks once.
 *
 * Internal to sql_filter.c.  "emails.value co x or emails.value co y" asks for
 * an element that has x or for one that has y: an element that has either, so
 * it is emails[value co x or value co y].  Each test by itself takes the
 * elements of each row apart, 30 of them as often.
 */
#ifndef SCIM_CORE_SQL_MERGE_H
#define SCIM_CORE_SQL_MERGE_H

#include "core/sql_build.h"

/*
 * The same filter on a row of the resource type with tests joined where an
 * element satisfies one or another of them: under or, and where each is negated
 * under and.  What an index of the attribute's values can serve stays by
 * itself.  Out of memory: build fails.
 */
extern const ScimFilter *scim_sql_merge(ScimSqlBuild *build, const ScimResourceType *type, const ScimFilter *filter);

/* A "value eq literal" that every element satisfying the filter satisfies; NULL when there is none. */
extern const ScimFilter *scim_sql_implied_value(const ScimFilter *filter);

#endif							/* SCIM_CORE_SQL_MERGE_H */
