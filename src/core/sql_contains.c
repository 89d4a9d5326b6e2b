/*
 * sql_contains.c
 *		Several texts looked for in one value at once (see sql_contains.h).
 */
#include "core/sql_contains.h"

#include <string.h>

static ScimContains *
value_of(ScimSqlBuild *build, ScimContains **list, const char *text)
{
	while (*list != NULL && strcmp((*list)->text, text) != 0)
		list = &(*list)->next;
	if (*list == NULL)
	{
		*list = scim_alloc(build->arena, sizeof(ScimContains));
		if (*list == NULL)
			return NULL;
		**list = (ScimContains) {.text = text};
	}
	return *list;
}

void
scim_contains_add(ScimSqlBuild *build, ScimContains **list, const ScimOperand *operand,
				  const ScimFilter *filter)
{
	ScimContains *value = value_of(build, list, scim_operand_text(build, operand));
	size_t		n = value != NULL ? value->n : 0;

	/* Room for 1, 2, 4, 8, …: it is full when n is such a number. */
	if (value != NULL && (n & (n - 1)) == 0)
	{
		const ScimFilter **terms = scim_alloc(build->arena, (n == 0 ? 1 : 2 * n) * sizeof(*terms));

		if (terms != NULL && n > 0)
			memcpy(terms, value->terms, n * sizeof(*terms));
		value->terms = terms;
	}
	if (value == NULL || value->terms == NULL)
	{
		build->failed = true;
		return;
	}
	value->terms[value->n++] = filter;
}

/* The place of the filter among the terms of a value, from 1; 0: it is none of them. */
static size_t
place(const ScimContains *value, const ScimFilter *filter)
{
	for (size_t i = 0; i < value->n; i++)
	{
		if (value->terms[i] == filter)
			return i + 1;
	}
	return 0;
}

const ScimContains *
scim_contains_shared(const ScimContains *list, const ScimFilter *filter)
{
	for (; list != NULL; list = list->next)
	{
		if (list->n > 1 && place(list, filter) > 0)
			return list;
	}
	return NULL;
}

void
scim_contains_put(ScimSqlBuild *build, const ScimContains *list, const ScimFilter *filter)
{
	const ScimContains *value = scim_contains_shared(list, filter);
	int64_t		column = 1;

	for (; list != value; list = list->next)
		column += list->n > 1;
	scim_sql_put(build, "f.c");
	scim_buf_integer(&build->text, column);
	scim_sql_put(build, "[");
	scim_buf_integer(&build->text, (int64_t) place(value, filter));
	scim_sql_put(build, "]");
}

/* OFFSET 0: or the planner would put the call in the place of each element. */
void
scim_contains_put_from(ScimSqlBuild *build, const ScimContains *list)
{
	const char *separator = " FROM (SELECT ";
	int64_t		column = 0;

	for (; list != NULL; list = list->next)
	{
		if (list->n < 2)
			continue;
		scim_sql_put(build, "%sscim.contains_each(%s, ARRAY[", separator, list->text);
		for (size_t i = 0; i < list->n; i++)
		{
			scim_sql_put(build, i > 0 ? ", " : "");
			scim_sql_put_param(build, SCIM_SQL_TEXT, list->terms[i]->value.text);
		}
		scim_sql_put(build, "]) AS c");
		scim_buf_integer(&build->text, ++column);
		separator = ", ";
	}
	scim_sql_put(build, " OFFSET 0) f");
}
