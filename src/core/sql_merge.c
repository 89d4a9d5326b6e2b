/*
 * sql_merge.c
 *		Tests of one multi-valued attribute joined (see sql_merge.h).
 */
#include "core/sql_merge.h"

#include "core/sql_operand.h"

/* Operands of and, or of or, and of those of the same kind among them. */
typedef struct Operands
{
	const ScimFilter **filter;
	size_t		n;
} Operands;

static bool
is_folded_value(const ScimFilter *filter)
{
	return filter->kind == SCIM_FILTER_COMPARE && filter->op == SCIM_OP_EQ &&
		filter->value.kind == SCIM_LITERAL_STRING && scim_operand_in_folded(&filter->path);
}

const ScimFilter *
scim_sql_implied_value(const ScimFilter *filter)
{
	const ScimFilter *found;

	if (filter->kind != SCIM_FILTER_AND)
		return is_folded_value(filter) ? filter : NULL;
	found = scim_sql_implied_value(filter->left);
	return found != NULL ? found : scim_sql_implied_value(filter->right);
}

/* What an element must satisfy, where the filter is true if one of attr's does and no index finds it; or NULL. */
static const ScimFilter *
of_element(const ScimResourceType *type, const ScimFilter *filter)
{
	const ScimFilter *inner = filter->kind == SCIM_FILTER_VALUE_PATH ? filter->left : filter;
	bool		any = filter->kind == SCIM_FILTER_VALUE_PATH || (filter->kind == SCIM_FILTER_COMPARE && filter->op != SCIM_OP_NE);

	if (!any || !filter->path.attr->multi_valued || scim_operand_is_schemas(filter->path.attr) ||
		scim_type_link(type, filter->path.attr) != NULL)
		return NULL;
	return scim_sql_implied_value(inner) == NULL ? inner : NULL;
}

/* The same of an operand of or, or of what an operand of and negates; *attr is whose elements they are. */
static const ScimFilter *
joinable(const ScimResourceType *type, ScimFilterKind kind, const ScimFilter *operand, const ScimAttribute **attr)
{
	const ScimFilter *test = kind == SCIM_FILTER_OR ? operand : operand->kind == SCIM_FILTER_NOT ? operand->left : NULL;

	if (test == NULL || (test->kind != SCIM_FILTER_COMPARE && test->kind != SCIM_FILTER_VALUE_PATH))
		return NULL;
	*attr = test->path.attr;
	return of_element(type, test);
}

static ScimFilter *
new_filter(ScimSqlBuild *build, ScimFilterKind kind, const ScimFilter *left, const ScimFilter *right)
{
	ScimFilter *filter = scim_alloc(build->arena, sizeof(ScimFilter));

	if (filter == NULL)
		build->failed = true;
	else
		/* What is pointed to is only read from here on. */
		*filter = (ScimFilter) {.kind = kind,.left = (ScimFilter *) left,.right = (ScimFilter *) right};
	return filter;
}

/* Several filters as one, a balanced tree. */
static const ScimFilter *
tree_of(ScimSqlBuild *build, ScimFilterKind kind, const ScimFilter *const *filter, size_t n)
{
	return n == 1 ? filter[0] :
		new_filter(build, kind, tree_of(build, kind, filter, n / 2), tree_of(build, kind, filter + n / 2, n - n / 2));
}

static void
gather_operands(ScimSqlBuild *build, const ScimResourceType *type, const ScimFilter *filter, ScimFilterKind kind, Operands *list)
{
	if (filter->kind == kind)
	{
		gather_operands(build, type, filter->left, kind, list);
		gather_operands(build, type, filter->right, kind, list);
	}
	else
		list->filter[list->n++] = scim_sql_merge(build, type, filter);
}

/* Join the operands after i that look at the elements that it looks at; i becomes all of them, and they NULL. */
static void
join_to(ScimSqlBuild *build, const ScimResourceType *type, ScimFilterKind kind, Operands *list, const ScimFilter **inner, size_t i)
{
	const ScimAttribute *attr;
	const ScimAttribute *other;
	size_t		n = 0;
	ScimFilter *joined;

	if (list->filter[i] == NULL || (inner[n] = joinable(type, kind, list->filter[i], &attr)) == NULL)
		return;
	n++;
	for (size_t k = i + 1; k < list->n; k++)
	{
		if (list->filter[k] == NULL || (inner[n] = joinable(type, kind, list->filter[k], &other)) == NULL || other != attr)
			continue;
		n++;
		list->filter[k] = NULL;
	}
	if (n == 1)
		return;
	joined = new_filter(build, SCIM_FILTER_VALUE_PATH, tree_of(build, SCIM_FILTER_OR, inner, n), NULL);
	if (joined != NULL)
		joined->path.attr = attr;
	list->filter[i] = kind == SCIM_FILTER_OR ? joined : new_filter(build, SCIM_FILTER_NOT, joined, NULL);
}

static const ScimFilter *
merge_operands(ScimSqlBuild *build, const ScimResourceType *type, const ScimFilter *filter)
{
	size_t		room = scim_filter_terms(filter) * sizeof(ScimFilter *);
	Operands	list = {scim_alloc(build->arena, room), 0};
	const ScimFilter **inner = scim_alloc(build->arena, room);
	size_t		n = 0;

	if (list.filter == NULL || inner == NULL)
	{
		build->failed = true;
		return filter;
	}
	gather_operands(build, type, filter, filter->kind, &list);
	for (size_t i = 0; i < list.n; i++)
	{
		join_to(build, type, filter->kind, &list, inner, i);
		if (list.filter[i] != NULL)
			list.filter[n++] = list.filter[i];
	}
	return build->failed ? filter : tree_of(build, filter->kind, list.filter, n);
}

const ScimFilter *
scim_sql_merge(ScimSqlBuild *build, const ScimResourceType *type, const ScimFilter *filter)
{
	if (filter->kind == SCIM_FILTER_AND || filter->kind == SCIM_FILTER_OR)
		return merge_operands(build, type, filter);
	return filter->kind == SCIM_FILTER_NOT ? new_filter(build, SCIM_FILTER_NOT, scim_sql_merge(build, type, filter->left), NULL) : filter;
}
