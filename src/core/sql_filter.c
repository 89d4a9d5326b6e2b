/*
 * sql_filter.c
 *		A filter as a condition on a row (see sql.h), with the meaning that
 *		filter.h gives it.
 *
 * A comparison with an absent value is null in SQL and false in a filter.
 * Under AND and OR that is no difference, because only a row for which the
 * whole is true is selected; so comparisons stand bare, where an index can
 * serve them.  Under NOT it is one: NOT becomes "(…) IS NOT TRUE".
 *
 * A multi-valued attribute is an EXISTS over its elements (alias e) or over
 * the rows of its link (alias l).  "value eq" of a jsonb array is preceded
 * by a condition on scim.folded_values, which an index can serve.
 */
#include <string.h>

#include "core/json.h"
#include "core/sql_merge.h"
#include "core/sql_shared.h"

/* Where the attributes of a filter stand. */
typedef struct Scope
{
	const ScimResourceType *type;	/* of the row t */
	const ScimRegistry *registry;
	const ScimLink *link;		/* inside its value path: of the row l */
	bool		indirect;		/* which stands for an indirect link */
	bool		element;		/* inside a value path: of the element e.v */
	const ScimShared *shared;	/* the values that several comparisons look at */
	ScimError  *err;
} Scope;

static ScimStatus put_filter(ScimSqlBuild *build, const Scope *scope, const ScimFilter *filter);
static ScimStatus put_condition(ScimSqlBuild *build, const Scope *scope, const ScimFilter *filter);

static ScimStatus
unsupported(const Scope *scope, const ScimPath *path)
{
	return scim_error(scope->err, SCIM_INVALID_FILTER, "\"%s%s%s\" cannot be used in a filter", path->attr->name,
					  path->sub != NULL ? "." : "", path->sub != NULL ? path->sub->name : "");
}

/* A comparison or a presence test of one value. */
static void
put_test(ScimSqlBuild *build, const ScimFilter *filter, const ScimOperand *operand)
{
	if (filter->kind == SCIM_FILTER_PRESENT)
		scim_operand_present(build, operand);
	else
		scim_operand_compare(build, operand, filter->op, &filter->value);
}

/* ---- jsonb arrays ---- */

/* Append that array has the value of a comparison, as an index finds it. */
static void
put_has_value(ScimSqlBuild *build, const Scope *scope, const char *array, const ScimFilter *value)
{
	const char *only = scope->type != NULL ? scim_operand_only_value(build, scope->type, &value->path) : NULL;

	if (only != NULL)
		scim_sql_put(build, "scim.fold(%s)" SCIM_SQL_EQUALS, only);
	else
		scim_sql_put(build, "scim.folded_values(%s) OPERATOR(pg_catalog.@>) ARRAY[", array);
	scim_sql_put_param(build, SCIM_SQL_TEXT, value->value.text);
	scim_sql_put(build, only != NULL ? "" : "]");
}

/* Append that an element of array satisfies the filter. */
static ScimStatus
put_any_element(ScimSqlBuild *build, const Scope *scope, const char *array, const ScimFilter *filter)
{
	const ScimFilter *value = scim_sql_implied_value(filter);
	Scope		inside = *scope;
	ScimStatus	status;

	inside.element = true;
	inside.shared = NULL;
	if (value != NULL)
	{
		scim_sql_put(build, "(");
		put_has_value(build, scope, array, value);
		scim_sql_put(build, " AND ");
	}
	build->subqueries++;
	scim_sql_put(build, "EXISTS (SELECT 1 FROM pg_catalog.jsonb_array_elements(%s) e(v) WHERE ", array);
	status = put_condition(build, &inside, filter);
	scim_sql_put(build, value != NULL ? "))" : ")");
	return status;
}

/* A test of a multi-valued attribute outside brackets. */
static ScimStatus
put_array_test(ScimSqlBuild *build, const Scope *scope, const char *array, const ScimFilter *filter)
{
	ScimStatus	status;

	if (filter->kind == SCIM_FILTER_PRESENT && filter->path.sub == NULL)
	{
		scim_sql_put(build, "%s OPERATOR(pg_catalog.<>) '[]'", array);
		return SCIM_OK;
	}
	if (filter->kind == SCIM_FILTER_PRESENT || filter->op != SCIM_OP_NE)
		return put_any_element(build, scope, array, filter);

	/* ne: also when there is no element, for then the attribute is absent. */
	scim_sql_put(build, "((%s OPERATOR(pg_catalog.<>) '[]') IS NOT TRUE OR ", array);
	status = put_any_element(build, scope, array, filter);
	scim_sql_put(build, ")");
	return status;
}

/* ---- links ---- */

/* Append EXISTS over the rows of the link, up to its condition. */
static void
begin_any_link(ScimSqlBuild *build, const Scope *scope, const ScimLink *link)
{
	build->subqueries++;
	scim_sql_put(build, "EXISTS (SELECT 1 FROM %s l WHERE ", link->table);
	scim_sql_put_tenant(build, "l", link->tenant);
	scim_sql_put(build, " AND l.%s" SCIM_SQL_EQUALS "t.%s", link->owner, scope->type->id_column);
}

/* Does the filter of a link ask whether it is indirect? */
static bool
asks_kind(const ScimFilter *filter)
{
	if (filter->kind == SCIM_FILTER_COMPARE || filter->kind == SCIM_FILTER_PRESENT)
		return filter->path.sub != NULL && strcmp(filter->path.sub->name, "type") == 0;
	return asks_kind(filter->left) || (filter->right != NULL && asks_kind(filter->right));
}

/*
 * Append WITH b(top, below): the targets of a nested link that satisfy the filter,
 * each with itself and all that leads to it.  UNION ends a circle.
 */
static ScimStatus
put_leading_to(ScimSqlBuild *build, const Scope *scope, const ScimLink *link, const ScimFilter *filter)
{
	const ScimResourceType *target;
	ScimStatus	status;

	if (scim_sql_link_targets(scope->registry, link, &target, 1) == 0)
		return scim_error(scope->err, SCIM_INVALID_FILTER, "\"%s\" cannot be used in a filter", link->attr->name);
	scim_sql_put(build, "WITH RECURSIVE b(top, below) AS (SELECT l.%s, l.%s FROM (SELECT r.%s AS %s FROM %s r WHERE ",
				 link->value, link->value, target->id_column, link->value, target->table);
	scim_sql_put_scope(build, "r", target);
	scim_sql_put(build, ") l WHERE ");
	status = put_filter(build, scope, filter);
	scim_sql_put(build, " UNION SELECT b.top, n.%s FROM %s n JOIN b ON b.below" SCIM_SQL_EQUALS "n.%s WHERE ", link->nested,
				 link->table, link->value);
	scim_sql_put_tenant(build, "n", link->tenant);
	scim_sql_put(build, " AND n.%s IS NOT NULL) ", link->nested);
	return status;
}

/* Append that the row t is linked, only through others, to what satisfies the filter. */
static ScimStatus
put_any_indirect(ScimSqlBuild *build, const Scope *inside, const ScimLink *link, const ScimFilter *filter)
{
	const char *id = inside->type->id_column;
	ScimStatus	status;

	build->subqueries++;
	scim_sql_put(build, "EXISTS (");
	status = put_leading_to(build, inside, link, filter);
	scim_sql_put(build, "SELECT 1 FROM %s l JOIN b ON b.below" SCIM_SQL_EQUALS "l.%s WHERE ", link->table, link->value);
	scim_sql_put_tenant(build, "l", link->tenant);
	scim_sql_put(build, " AND l.%s" SCIM_SQL_EQUALS "t.%s AND NOT EXISTS (SELECT 1 FROM %s d WHERE ", link->owner, id, link->table);
	scim_sql_put_tenant(build, "d", link->tenant);
	scim_sql_put(build, " AND d.%s" SCIM_SQL_EQUALS "t.%s AND d.%s" SCIM_SQL_EQUALS "b.top))", link->owner, id, link->value);
	return status;
}

/*
 * Append that the row t is linked to what satisfies the filter.  Where it does not
 * matter whether through others, t is linked itself to something that leads there.
 */
static ScimStatus
put_any_link(ScimSqlBuild *build, const Scope *scope, const ScimLink *link, const ScimFilter *filter)
{
	bool		by_kind = link->nested != NULL && asks_kind(filter);
	bool		leading = link->nested != NULL && !by_kind;
	Scope		inside = *scope;
	ScimStatus	status;

	inside.link = link;
	inside.shared = NULL;
	scim_sql_put(build, by_kind ? "(" : "");
	begin_any_link(build, scope, link);
	scim_sql_put(build, " AND ");
	if (leading)
		scim_sql_put(build, "l.%s" SCIM_SQL_EQUALS "ANY (", link->value);
	status = leading ? put_leading_to(build, &inside, link, filter) : put_filter(build, &inside, filter);
	scim_sql_put(build, leading ? "SELECT b.below FROM b))" : ")");
	if (!by_kind || status != SCIM_OK)
		return status;
	scim_sql_put(build, " OR ");
	inside.indirect = true;
	status = put_any_indirect(build, &inside, link, filter);
	scim_sql_put(build, ")");
	return status;
}

static ScimStatus
put_link_test(ScimSqlBuild *build, const Scope *scope, const ScimLink *link, const ScimFilter *filter)
{
	ScimStatus	status;

	if (filter->kind == SCIM_FILTER_PRESENT && filter->path.sub == NULL)
	{
		begin_any_link(build, scope, link);
		scim_sql_put(build, ")");
		return SCIM_OK;
	}
	if (filter->kind == SCIM_FILTER_PRESENT || filter->op != SCIM_OP_NE)
		return put_any_link(build, scope, link, filter);
	scim_sql_put(build, "(NOT ");
	begin_any_link(build, scope, link);
	scim_sql_put(build, ") OR ");
	status = put_any_link(build, scope, link, filter);
	scim_sql_put(build, ")");
	return status;
}

/* ---- complex attributes ---- */

/* Append that a single complex attribute is there: a part of it that is kept. */
static ScimStatus
put_complex_present(ScimSqlBuild *build, const Scope *scope, const ScimPath *path)
{
	const ScimResourceType *type = scope->type;
	const char *separator = "(";

	if (path->attr->schema == NULL)
		scim_sql_put(build, "%s", separator = "(true"); /* every resource has "meta" */
	for (size_t i = 0; i < type->n_columns; i++)
	{
		if (type->columns[i].attr != path->attr || type->columns[i].store == SCIM_STORE_EXPRESSION)
			continue;
		scim_sql_put(build, "%s", separator);
		scim_operand_put_column(build, &type->columns[i]);
		separator = " OR ";
	}
	if (strcmp(separator, "(") == 0)
	{
		if (path->attr->schema == NULL || type->extensions_column == NULL)
			return unsupported(scope, path);
		scim_sql_put(build, "(");
		scim_operand_put_any_member(build, scim_sql_text(build, "(t.%s OPERATOR(pg_catalog.->) %s OPERATOR(pg_catalog.->) %s)",
			type->extensions_column, scim_sql_quote(build, path->attr->schema->id), scim_sql_quote(build, path->attr->name)));
	}
	scim_sql_put(build, ")");
	return SCIM_OK;
}

/* ---- the tree ---- */

/* A comparison or presence test on the row t. */
static ScimStatus
put_row_test(ScimSqlBuild *build, const Scope *scope, const ScimFilter *filter)
{
	const ScimPath *path = &filter->path;
	const ScimLink *link = scim_type_link(scope->type, path->attr);
	const char *array;
	ScimOperand operand;

	if (scim_operand_is_schemas(path->attr))
		return scim_sql_put_schemas(build, scope->type, filter);
	if (link != NULL)
		return put_link_test(build, scope, link, filter);
	if (path->attr->multi_valued)
	{
		array = scim_operand_array(build, scope->type, path);
		return array != NULL ? put_array_test(build, scope, array, filter) : unsupported(scope, path);
	}
	if (scim_filter_leaf(filter)->type == SCIM_TYPE_COMPLEX)
		return put_complex_present(build, scope, path);
	if (!scim_operand_row(build, scope->type, path, &operand))
		return unsupported(scope, path);
	put_test(build, filter, &operand);
	return SCIM_OK;
}

/* A comparison or presence test, wherever it stands. */
static ScimStatus
put_leaf(ScimSqlBuild *build, const Scope *scope, const ScimFilter *filter)
{
	ScimOperand operand;

	if (scim_shared_value(scope->shared, filter) != NULL)
	{
		scim_shared_put(build, scope->shared, filter);
		return SCIM_OK;
	}
	if (scope->element)
		operand = scim_operand_element(&filter->path);
	else if (scope->link == NULL)
		return put_row_test(build, scope, filter);
	else if (!scim_operand_link(build, scope->registry, scope->link, scope->indirect, &filter->path, &operand))
		return unsupported(scope, &filter->path);
	put_test(build, filter, &operand);
	return SCIM_OK;
}

static ScimStatus
put_value_path(ScimSqlBuild *build, const Scope *scope, const ScimFilter *filter)
{
	const ScimPath *path = &filter->path;
	const ScimLink *link = scim_type_link(scope->type, path->attr);
	const char *array;
	ScimStatus	status;

	if (scim_operand_is_schemas(path->attr))
		return scim_sql_put_schemas(build, scope->type, filter->left);
	if (link != NULL)
		return put_any_link(build, scope, link, filter->left);
	if (path->attr->multi_valued)
	{
		array = scim_operand_array(build, scope->type, path);
		return array != NULL ? put_any_element(build, scope, array, filter->left) : unsupported(scope, path);
	}

	/* A single complex value is its own only element. */
	scim_sql_put(build, "(");
	status = put_complex_present(build, scope, path);
	if (status != SCIM_OK)
		return status;
	scim_sql_put(build, " AND ");
	status = put_filter(build, scope, filter->left);
	scim_sql_put(build, ")");
	return status;
}

/* An operand of and, or: in parentheses unless it is of the same kind. */
static ScimStatus
put_operand(ScimSqlBuild *build, const Scope *scope, const ScimFilter *operand, ScimFilterKind parent)
{
	bool		joined = operand->kind == SCIM_FILTER_AND || operand->kind == SCIM_FILTER_OR;
	ScimStatus	status;

	if (!joined || operand->kind != parent)
		return put_filter(build, scope, operand);
	status = put_operand(build, scope, operand->left, parent);
	scim_sql_put(build, parent == SCIM_FILTER_AND ? " AND " : " OR ");
	return status == SCIM_OK ? put_operand(build, scope, operand->right, parent) : status;
}

static ScimStatus
put_filter(ScimSqlBuild *build, const Scope *scope, const ScimFilter *filter)
{
	ScimStatus	status = SCIM_OK;

	switch (filter->kind)
	{
		case SCIM_FILTER_AND:
		case SCIM_FILTER_OR:
			scim_sql_put(build, "(");
			status = put_operand(build, scope, filter, filter->kind);
			scim_sql_put(build, ")");
			break;
		case SCIM_FILTER_NOT:
			scim_sql_put(build, "((");
			status = put_filter(build, scope, filter->left);
			scim_sql_put(build, ") IS NOT TRUE)");
			break;
		case SCIM_FILTER_VALUE_PATH:
			status = put_value_path(build, scope, filter);
			break;
		case SCIM_FILTER_COMPARE:
		case SCIM_FILTER_PRESENT:
			status = put_leaf(build, scope, filter);
			break;
	}
	if (status == SCIM_OK && build->subqueries > SCIM_SQL_SUBQUERIES_MAX)
		status = scim_error(scope->err, SCIM_INVALID_FILTER,
							"the filter has more than %d comparisons with values that are kept apart", SCIM_SQL_SUBQUERIES_MAX);
	return build->failed ? SCIM_NO_MEMORY : status;
}

/* ---- several comparisons with one value ---- */

/* Is it one value of the row t, or an object of which there is one? */
static bool
is_single(const Scope *scope, const ScimPath *path)
{
	return scope->link == NULL && !scim_operand_is_schemas(path->attr) && !path->attr->multi_valued &&
		scim_type_link(scope->type, path->attr) == NULL;
}

/* A comparison of text that no index could serve? */
static bool
is_plain_search(const Scope *scope, const ScimFilter *filter)
{
	return filter->value.kind == SCIM_LITERAL_STRING &&
		(scope->element || filter->op == SCIM_OP_CO || filter->op == SCIM_OP_EW || filter->op == SCIM_OP_NE);
}

/* Note such comparisons with values that stand in the scope itself. */
static void
gather_texts(ScimSqlBuild *build, const Scope *scope, const ScimFilter *filter, ScimShared **list)
{
	ScimOperand operand;

	switch (filter->kind)
	{
		case SCIM_FILTER_AND:
		case SCIM_FILTER_OR:
			gather_texts(build, scope, filter->left, list);
			gather_texts(build, scope, filter->right, list);
			break;
		case SCIM_FILTER_NOT:
			gather_texts(build, scope, filter->left, list);
			break;
		case SCIM_FILTER_VALUE_PATH:
			if (is_single(scope, &filter->path))
				gather_texts(build, scope, filter->left, list);
			break;
		case SCIM_FILTER_COMPARE:
			if (!is_plain_search(scope, filter))
				break;
			if (scope->element)
				operand = scim_operand_element(&filter->path);
			else if (!is_single(scope, &filter->path) || !scim_operand_row(build, scope->type, &filter->path, &operand))
				break;
			scim_shared_add(build, list, &operand, filter);
			break;
		case SCIM_FILTER_PRESENT:
			break;
	}
}

/* Append those operands of and that have shared values, or those that have none; *n is how many. */
static ScimStatus
put_conjuncts(ScimSqlBuild *build, const Scope *scope, const ScimFilter *filter, bool shared, size_t *n)
{
	ScimStatus	status;

	if (filter->kind == SCIM_FILTER_AND)
	{
		status = put_conjuncts(build, scope, filter->left, shared, n);
		return status == SCIM_OK ? put_conjuncts(build, scope, filter->right, shared, n) : status;
	}
	if (scim_shared_any(scope->shared, filter) != shared)
		return SCIM_OK;
	scim_sql_put(build, (*n)++ > 0 ? " AND " : "");
	return put_filter(build, scope, filter);
}

/*
 * Append a whole filter of the scope.  What compares one value with several
 * texts goes into a subquery (sql_shared.h); no index could serve it.  What
 * and joins to it stays outside, where one may.
 */
static ScimStatus
put_condition(ScimSqlBuild *build, const Scope *scope, const ScimFilter *filter)
{
	ScimShared *list = NULL;
	Scope		with = *scope;
	int			subqueries = build->subqueries;
	ScimStatus	status;
	size_t		n = 0;

	gather_texts(build, scope, filter, &list);
	build->subqueries = subqueries;
	if (build->failed)
		return SCIM_NO_MEMORY;
	with.shared = list;
	if (!scim_shared_any(list, filter))
		return put_filter(build, scope, filter);
	status = put_conjuncts(build, &with, filter, false, &n);
	scim_sql_put(build, n > 0 ? " AND (SELECT " : "(SELECT ");
	n = 0;
	if (status == SCIM_OK)
		status = put_conjuncts(build, &with, filter, true, &n);
	scim_shared_put_from(build, list);
	scim_sql_put(build, ")");
	return status;
}

/* The attribute with an index of its values, one of which every row has that satisfies the filter; or NULL. */
static const ScimColumn *
wanted_value(const ScimResourceType *type, const ScimFilter *filter, const ScimFilter **value)
{
	const ScimColumn *column;

	if (filter == NULL || filter->kind == SCIM_FILTER_OR || filter->kind == SCIM_FILTER_NOT)
		return NULL;
	if (filter->kind == SCIM_FILTER_AND)
	{
		column = wanted_value(type, filter->left, value);
		return column != NULL ? column : wanted_value(type, filter->right, value);
	}
	*value = scim_sql_implied_value(filter->kind == SCIM_FILTER_VALUE_PATH ? filter->left : filter);
	column = *value != NULL ? scim_type_column(type, filter->path.attr, NULL) : NULL;
	return column != NULL && column->indexed ? column : NULL;
}

void
scim_sql_put_source(ScimSqlBuild *build, const ScimResourceType *type, const ScimFilter *filter)
{
	const ScimFilter *value;
	const ScimColumn *column = wanted_value(type, filter, &value);

	if (column == NULL)
	{
		scim_sql_put(build, "%s t", type->table);
		return;
	}
	scim_sql_put(build, "(SELECT t.* FROM %s t WHERE ", type->table);
	put_has_value(build, &(Scope) {.type = type}, scim_sql_text(build, "t.%s", column->name), value);
	scim_sql_put(build, " OFFSET 0) t");
}

ScimStatus
scim_sql_put_filter(ScimSqlBuild *build, const ScimResourceType *type, const ScimFilter *filter,
					ScimError *err)
{
	const ScimFilter *merged = scim_sql_merge(build, type, filter);

	if (build->failed)
		return SCIM_NO_MEMORY;
	return put_condition(build, &(Scope) {.type = type, .registry = type->registry, .err = err}, merged);
}

ScimStatus
scim_sql_put_link_filter(ScimSqlBuild *build, const ScimLink *link, const ScimRegistry *registry,
						 const ScimFilter *filter, ScimError *err)
{
	return put_filter(build, &(Scope) {.link = link, .registry = registry, .err = err}, filter);
}
