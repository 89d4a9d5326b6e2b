/*
 * sql_operand.h
 *		Where the value of an attribute stands in a row, as SQL, and
 *		comparisons of it with a literal.
 *
 * Internal to sql_filter.c and sql_operand.c.  A comparison here may be null
 * where the value is absent; sql_filter.c makes that false where it matters.
 */
#ifndef SCIM_CORE_SQL_OPERAND_H
#define SCIM_CORE_SQL_OPERAND_H

#include "core/sql_build.h"

typedef struct ScimOperand
{
	const ScimAttribute *leaf;	/* whose values it has */
	const char *sql;			/* a typed expression, or a jsonb one when json */
	bool		json;
	bool		of_row;			/* a json one of the row itself, not of an element */
	const char *key;			/* the member of sql it is; NULL: sql itself */
	ScimSqlType type;			/* of sql when not json */
	const char *shared;			/* its text where that is computed once a row (sql_shared.h), or NULL */
} ScimOperand;

/* Is it the attribute schemas, which no column keeps? */
extern bool scim_operand_is_schemas(const ScimAttribute *attr);

/* A single value of the row t; false when it is not kept in one place. */
extern bool scim_operand_row(ScimSqlBuild *build, const ScimResourceType *type, const ScimPath *path,
							 ScimOperand *out);

/* The jsonb array that keeps a multi-valued attribute of the row t; NULL when none does. */
extern const char *scim_operand_array(ScimSqlBuild *build, const ScimResourceType *type,
									  const ScimPath *path);

/* The text column that keeps the value of its one element, where one does; else NULL. */
extern const char *scim_operand_only_value(ScimSqlBuild *build, const ScimResourceType *type,
										   const ScimPath *path);

/* Does scim.folded_values have what the path names: texts in any case, the elements or their "value"? */
extern bool scim_operand_in_folded(const ScimPath *path);

/* A value of the element e.v: its member sub, or itself when sub is NULL. */
extern ScimOperand scim_operand_element(const ScimPath *path);

/* A sub-attribute of a link, of the row l, which may stand for an indirect one; false when none is kept. */
extern bool scim_operand_link(ScimSqlBuild *build, const ScimRegistry *registry, const ScimLink *link, bool indirect,
							  const ScimPath *path, ScimOperand *out);

/* The text of the operand as it is compared: folded where caseExact is false. */
extern const char *scim_operand_text(ScimSqlBuild *build, const ScimOperand *operand);

/* Append "operand op literal". */
extern void scim_operand_compare(ScimSqlBuild *build, const ScimOperand *operand, ScimOperator op,
								 const ScimLiteral *literal);

/* Append a condition that is true when the value is there and not empty. */
extern void scim_operand_present(ScimSqlBuild *build, const ScimOperand *operand);

/* Append that a complex value has a part that is not empty. */
extern void scim_operand_put_any_member(ScimSqlBuild *build, const char *json);

/* Append that a value kept in the column is there, and not empty. */
extern void scim_operand_put_column(ScimSqlBuild *build, const ScimColumn *column);

/* Append an expression whose order is the order of the values; its type. */
extern ScimSqlType scim_operand_sort_key(ScimSqlBuild *build, const ScimOperand *operand);

#endif							/* SCIM_CORE_SQL_OPERAND_H */
