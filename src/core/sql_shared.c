/*
 * sql_shared.c
 *		Values that several comparisons look at (see sql_shared.h).
 */
#include "core/sql_shared.h"

#include <stdio.h>
#include <string.h>

#define FEW 4

static ScimShared *
value_of(ScimSqlBuild *build, ScimShared **list, const ScimOperand *operand)
{
	const char *text = scim_operand_text(build, operand);
	unsigned	number = 1;

	for (; *list != NULL && strcmp((*list)->text, text) != 0; list = &(*list)->next)
		number++;
	if (*list == NULL)
	{
		*list = scim_alloc(build->arena, sizeof(ScimShared));
		if (*list == NULL)
			return NULL;
		**list = (ScimShared) {.operand = *operand,.text = text,.n_alone = operand->json ? 1 : FEW};
		snprintf((*list)->number, sizeof((*list)->number), "%u", number % 1000000);
	}
	return *list;
}

void
scim_shared_add(ScimSqlBuild *build, ScimShared **list, const ScimOperand *operand,
				  const ScimFilter *filter)
{
	ScimShared *value = value_of(build, list, operand);
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
	value->n_contains += filter->op == SCIM_OP_CO;
}

static bool
looks_at(const ScimShared *value, const ScimFilter *filter)
{
	for (size_t i = 0; i < value->n; i++)
	{
		if (value->terms[i] == filter)
			return true;
	}
	return false;
}

const ScimShared *
scim_shared_value(const ScimShared *list, const ScimFilter *filter)
{
	for (; list != NULL; list = list->next)
	{
		if (list->n > list->n_alone && looks_at(list, filter))
			return list;
	}
	return NULL;
}

bool
scim_shared_any(const ScimShared *list, const ScimFilter *filter)
{
	return filter != NULL && (scim_shared_value(list, filter) != NULL || scim_shared_any(list, filter->left) ||
							  scim_shared_any(list, filter->right));
}

void
scim_shared_put(ScimSqlBuild *build, const ScimShared *list, const ScimFilter *filter)
{
	const ScimShared *value = scim_shared_value(list, filter);
	ScimOperand operand = value->operand;
	int64_t		place = 1;

	if (filter->op != SCIM_OP_CO)
	{
		operand.shared = scim_sql_text(build, "f.t%s", value->number);
		scim_operand_compare(build, &operand, filter->op, &filter->value);
		return;
	}
	for (size_t i = 0; value->terms[i] != filter; i++)
		place += value->terms[i]->op == SCIM_OP_CO;
	scim_sql_put(build, "f.c%s[", value->number);
	scim_buf_integer(&build->text, place);
	scim_sql_put(build, "]");
}

/* Append the call that answers all co of a value. */
static void
put_contains(ScimSqlBuild *build, const ScimShared *value)
{
	const char *separator = "";

	scim_sql_put(build, "scim.contains_each(%s, ARRAY[", value->text);
	for (size_t i = 0; i < value->n; i++)
	{
		if (value->terms[i]->op != SCIM_OP_CO)
			continue;
		scim_sql_put(build, "%s", separator);
		scim_sql_put_param(build, SCIM_SQL_TEXT, value->terms[i]->value.text);
		separator = ", ";
	}
	scim_sql_put(build, "]) AS c%s", value->number);
}

/* Append the text; that of a bare column so that it is fetched here, not by each comparison. */
static void
put_text(ScimSqlBuild *build, const ScimShared *value)
{
	bool		bare = value->text == value->operand.sql;

	scim_sql_put(build, bare ? "(%s OPERATOR(pg_catalog.||) '')" : "%s", value->text);
	scim_sql_put(build, " AS t%s", value->number);
}

/* OFFSET 0: or the planner would put what f computes in each place that uses it. */
void
scim_shared_put_from(ScimSqlBuild *build, const ScimShared *list)
{
	const char *separator = " FROM (SELECT ";

	for (; list != NULL; list = list->next)
	{
		if (list->n <= list->n_alone)
			continue;
		scim_sql_put(build, "%s", separator);
		if (list->n_contains < list->n)
			put_text(build, list);
		if (list->n_contains > 0 && list->n_contains < list->n)
			scim_sql_put(build, ", ");
		if (list->n_contains > 0)
			put_contains(build, list);
		separator = ", ";
	}
	scim_sql_put(build, " OFFSET 0) f");
}
