/*
 * filter.c
 *		What a parsed filter is (see filter.h).
 */
#include "core/filter.h"

#include <string.h>

bool
scim_filter_never(const ScimFilter *filter)
{
	switch (filter->kind)
	{
		case SCIM_FILTER_AND:
			return scim_filter_never(filter->left) || scim_filter_never(filter->right);
		case SCIM_FILTER_OR:
			return scim_filter_never(filter->left) && scim_filter_never(filter->right);
		case SCIM_FILTER_NOT:
			return filter->left->kind == SCIM_FILTER_PRESENT && filter->left->path.attr->schema == NULL &&
				strcmp(filter->left->path.attr->name, "id") == 0;
		default:
			return false;
	}
}

const ScimAttribute *
scim_filter_leaf(const ScimFilter *filter)
{
	return scim_path_leaf(&filter->path);
}

bool
scim_absent_is_false(const ScimAttribute *attr)
{
	return attr->type == SCIM_TYPE_BOOLEAN && attr->parent != NULL && attr->parent->multi_valued &&
		strcmp(attr->name, "primary") == 0;
}

bool
scim_filter_is_choice(const ScimFilter *filter, const ScimAttribute *sub,
					  void (*visit) (void *context, ScimStr literal), void *context)
{
	if (filter->kind == SCIM_FILTER_OR)
		return scim_filter_is_choice(filter->left, sub, visit, context) &&
			scim_filter_is_choice(filter->right, sub, visit, context);
	if (filter->kind != SCIM_FILTER_COMPARE || filter->op != SCIM_OP_EQ || filter->path.sub != sub ||
		filter->value.kind != SCIM_LITERAL_STRING)
		return false;
	if (visit != NULL)
		visit(context, filter->value.text);
	return true;
}

size_t
scim_filter_terms(const ScimFilter *filter)
{
	size_t		terms = 0;

	if (filter->kind == SCIM_FILTER_COMPARE || filter->kind == SCIM_FILTER_PRESENT)
		return 1;
	if (filter->left != NULL)
		terms += scim_filter_terms(filter->left);
	if (filter->right != NULL)
		terms += scim_filter_terms(filter->right);
	return terms;
}
