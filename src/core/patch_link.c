/*
 * patch_link.c
 *		PATCH of a link attribute: recorded as ScimLinkOps, never carried out
 *		in memory, so that the other members need not be read.
 */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "core/patch_edit.h"
#include "core/text.h"

/* Terms of a filter that is compiled to SQL instead of being read as a list of ids. */
#define MATCHING_MAX_TERMS 200

/* Operations that each go through all values: one is enough for most clients. */
#define SWEEPS_MAX 10

/* Hang in an operation; returns it to be filled in, or NULL when out of memory. */
static ScimLinkOp *
record(ScimPatch *patch, const ScimLink *link, ScimLinkVerb verb)
{
	ScimLinkOp *op = scim_alloc(patch->arena, sizeof(ScimLinkOp));

	if (op == NULL)
		return NULL;
	*op = (ScimLinkOp) {.link = link, .verb = verb};
	*patch->next_link = op;
	patch->next_link = &op->next;
	return op;
}

/* The ids that a filter names, as they are found. */
typedef struct IdList
{
	ScimStr    *ids;
	size_t		n;
	char	   *texts;			/* room for 37 bytes each */
} IdList;

/* An id that is no UUID names nothing, and there is nothing to remove. */
static void
add_choice(void *context, ScimStr literal)
{
	IdList	   *list = context;
	char	   *text = list->texts + list->n * 37;

	if (scim_uuid_parse(literal, text))
		list->ids[list->n++] = (ScimStr) {text, 36};
}

static int
compare_ids(const void *a, const void *b)
{
	return memcmp(((const ScimStr *) a)->ptr, ((const ScimStr *) b)->ptr, 36);
}

static ScimStatus
remove_choice(ScimPatch *patch, const ScimLink *link, const ScimFilter *filter, const ScimAttribute *value)
{
	size_t		terms = scim_filter_terms(filter);
	IdList		list = {.ids = scim_alloc(patch->arena, terms * sizeof(ScimStr)),
	.texts = scim_alloc(patch->arena, terms * 37)};
	ScimLinkOp *op = record(patch, link, SCIM_LINK_REMOVE);

	if (list.ids == NULL || list.texts == NULL || op == NULL)
		return SCIM_NO_MEMORY;
	(void) scim_filter_is_choice(filter, value, add_choice, &list);
	qsort(list.ids, list.n, sizeof(ScimStr), compare_ids);
	op->ids = list.ids;
	for (size_t i = 0; i < list.n; i++)
	{
		if (op->n == 0 || compare_ids(&op->ids[op->n - 1], &list.ids[i]) != 0)
			op->ids[op->n++] = list.ids[i];
	}
	return SCIM_OK;
}

/* Count an operation that goes through all values. */
static ScimStatus
sweep(ScimPatch *patch, const ScimLink *link)
{
	if (++patch->sweeps <= SWEEPS_MAX)
		return SCIM_OK;
	return scim_error(patch->err, SCIM_PAYLOAD_TOO_LARGE, "more than %d operations go through all of \"%s\"",
					  SWEEPS_MAX, link->attr->name);
}

static ScimStatus
remove_filtered(ScimPatch *patch, const ScimLink *link, ScimFilter *filter)
{
	const ScimAttribute *value = scim_sub_attribute(link->attr, SCIM_STR("value"));
	ScimLinkOp *op;
	ScimStatus	status;

	if (scim_filter_is_choice(filter, value, NULL, NULL))
		return remove_choice(patch, link, filter, value);
	if (scim_filter_terms(filter) > MATCHING_MAX_TERMS)
		return scim_error(patch->err, SCIM_INVALID_FILTER, "the filter has more than %d terms", MATCHING_MAX_TERMS);
	status = sweep(patch, link);
	if (status != SCIM_OK)
		return status;
	op = record(patch, link, SCIM_LINK_REMOVE_MATCHING);
	if (op == NULL)
		return SCIM_NO_MEMORY;
	op->filter = filter;
	return SCIM_OK;
}

/* The ids that a value names: an element, or an array of elements; null names none. */
static ScimStatus
value_ids(ScimPatch *patch, const ScimPatchTarget *target, const ScimLink *link, ScimStr **ids, size_t *n)
{
	ScimJson   *elements = target->value;

	if (target->verb == SCIM_PATCH_ADD && json_object_is_type(elements, json_type_object))
	{
		elements = scim_json_array(patch->arena);
		if (elements == NULL || !scim_json_append(elements, target->value))
			return SCIM_NO_MEMORY;
	}
	return scim_link_ids(patch->arena, link, elements, ids, n, patch->err);
}

ScimStatus
scim_patch_link(ScimPatch *patch, const ScimPatchTarget *target, const ScimLink *link)
{
	const ScimPath *path = target->path;
	ScimLinkOp *op;
	ScimStr    *ids = NULL;
	size_t		n = 0;
	ScimStatus	status;

	if (path->sub != NULL || (path->value_filter != NULL && target->verb != SCIM_PATCH_REMOVE))
		return scim_error(patch->err, SCIM_MUTABILITY, "the elements of \"%s\" can be added and removed, not changed",
						  link->attr->name);
	if (path->value_filter != NULL)
		return remove_filtered(patch, link, path->value_filter);
	if (target->verb != SCIM_PATCH_REMOVE)
		status = value_ids(patch, target, link, &ids, &n);
	else
		status = scim_edit_remove_all(patch, target);
	if (status == SCIM_OK && target->verb != SCIM_PATCH_ADD)
		status = sweep(patch, link);
	if (status != SCIM_OK || (target->verb == SCIM_PATCH_ADD && n == 0))
		return status;
	op = record(patch, link, target->verb == SCIM_PATCH_ADD ? SCIM_LINK_ADD : SCIM_LINK_REPLACE);
	if (op == NULL)
		return SCIM_NO_MEMORY;
	op->ids = ids;
	op->n = n;
	return SCIM_OK;
}
