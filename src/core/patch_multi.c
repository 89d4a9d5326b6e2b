/*
 * patch_multi.c
 *		PATCH of a multi-valued attribute: as a whole, of the elements that a
 *		filter selects, or of a sub-attribute of them (RFC 7644 sections
 *		3.5.2.1 to 3.5.2.3).
 */
#include <json-c/json.h>
#include <string.h>

#include "core/json.h"
#include "core/patch_edit.h"

/* What changing an element costs, in comparisons. */
#define CHANGE_WORK 4

/* Elements chosen by a path: all of them, or those that satisfy its filter. */
typedef struct Selection
{
	ScimJson   *array;			/* empty when the attribute has no value */
	size_t		n;				/* its length */
	bool	   *selected;		/* one for each element, and one more */
	size_t		count;
} Selection;

static ScimStatus
select_elements(ScimPatch *patch, const ScimPath *path, ScimJson *array, Selection *out)
{
	ScimStatus	status = SCIM_OK;

	*out = (Selection) {.array = array, .n = json_object_array_length(array)};
	out->selected = scim_alloc(patch->arena, (out->n + 1) * sizeof(bool));
	if (out->selected == NULL)
		return SCIM_NO_MEMORY;
	status = scim_patch_work(patch, out->n * (1 + (path->value_filter != NULL ? scim_filter_terms(path->value_filter) : 0)));
	for (size_t i = 0; i < out->n && status == SCIM_OK; i++)
	{
		out->selected[i] = path->value_filter == NULL ||
			scim_filter_matches_element(path->value_filter, json_object_array_get_idx(array, i), &status);
		out->count += out->selected[i];
	}
	return status;
}

/* Has the element become empty? */
static bool
is_empty(ScimJson *element)
{
	return json_object_is_type(element, json_type_object) && json_object_object_length(element) == 0;
}

/* Make the attribute those elements that are not dropped and not empty. */
static ScimStatus
keep_elements(ScimPatch *patch, const ScimAttribute *attr, ScimJson *container, const Selection *selection,
			  bool drop_selected)
{
	size_t		n = json_object_array_length(selection->array);
	ScimJson   *kept = selection->array;
	bool		all = true;

	for (size_t i = 0; i < n && all; i++)
		all = !(drop_selected && selection->selected[i]) && !is_empty(json_object_array_get_idx(selection->array, i));
	if (!all && (kept = scim_json_array(patch->arena)) == NULL)
		return SCIM_NO_MEMORY;
	for (size_t i = 0; i < n && !all; i++)
	{
		ScimJson   *element = json_object_array_get_idx(selection->array, i);

		if (!(drop_selected && selection->selected[i]) && !is_empty(element) && !scim_json_append(kept, element))
			return SCIM_NO_MEMORY;
	}
	return scim_edit_set(container, attr->name, json_object_array_length(kept) > 0 ? kept : NULL);
}

/* ---- the whole attribute ---- */

static ScimStatus
add_elements(ScimPatch *patch, const ScimPatchTarget *target, ScimJson *container, ScimJson *array)
{
	const ScimAttribute *attr = target->path->attr;
	ScimJson   *added = target->value;
	bool	   *touched;
	ScimStatus	status;

	if (added == NULL)
		return SCIM_OK;
	if (!json_object_is_type(added, json_type_array))
	{
		added = scim_json_array(patch->arena);
		if (added == NULL || !scim_json_append(added, target->value))
			return SCIM_NO_MEMORY;
	}
	status = scim_edit_canonical(patch, attr, added, &added);
	if (status != SCIM_OK || added == NULL)
		return status;
	touched = scim_alloc(patch->arena, (json_object_array_length(array) + json_object_array_length(added)) * sizeof(bool));
	if (touched == NULL)
		return SCIM_NO_MEMORY;
	status = scim_patch_add_elements(patch, attr, array, added, touched);
	if (status == SCIM_OK)
		status = scim_patch_demote(array, touched);
	return status == SCIM_OK ? scim_edit_set(container, attr->name, array) : status;
}

static ScimStatus
patch_whole(ScimPatch *patch, const ScimPatchTarget *target, ScimJson *container, ScimJson *array)
{
	ScimJson   *canonical = NULL;
	ScimStatus	status;

	if (target->verb == SCIM_PATCH_ADD)
		return add_elements(patch, target, container, array);
	if (target->verb == SCIM_PATCH_REMOVE)
		status = scim_edit_remove_all(patch, target);
	else
		status = scim_edit_canonical(patch, target->path->attr, target->value, &canonical);
	return status == SCIM_OK ? scim_edit_set(container, target->path->attr->name, canonical) : status;
}

/* ---- selected elements ---- */

/* Remove the selected elements, or a sub-attribute of them. */
static ScimStatus
remove_selected(ScimPatch *patch, const ScimPatchTarget *target, ScimJson *container, const Selection *selection)
{
	const ScimPath *path = target->path;
	ScimStatus	status = SCIM_OK;

	if (path->sub != NULL && target->verb == SCIM_PATCH_REMOVE)
		status = scim_edit_removable(patch, path->sub);
	for (size_t i = 0; i < selection->n && status == SCIM_OK && path->sub != NULL; i++)
	{
		if (selection->selected[i])
			status = scim_edit_sub(patch, json_object_array_get_idx(selection->array, i), path->sub, NULL);
	}
	if (status == SCIM_OK && selection->count > 0)
		status = keep_elements(patch, path->attr, container, selection, path->sub == NULL);

	/* A required attribute keeps an element; set to null, the last check refuses it. */
	if (status == SCIM_OK && target->verb == SCIM_PATCH_REMOVE && selection->count > 0 &&
		scim_edit_get(container, path->attr->name) == NULL)
		status = scim_edit_removable(patch, path->attr);
	return status;
}

/* Put a new element in the place of the i-th: the value, and what the filter says where it is silent. */
static ScimStatus
replace_element(ScimPatch *patch, const ScimPatchTarget *target, const Selection *selection, size_t i)
{
	const ScimAttribute *attr = target->path->attr;
	const ScimFilter *filter = target->path->value_filter;
	ScimJson   *element;
	ScimJson   *canonical;
	bool		seed = false;
	ScimStatus	status = scim_edit_element(patch, attr, target->value, &canonical);

	if (status == SCIM_OK && canonical == NULL && attr->type != SCIM_TYPE_COMPLEX)
		return scim_error(patch->err, SCIM_INVALID_VALUE, "an element of \"%s\" cannot be empty", attr->name);
	if (status == SCIM_OK && patch->options->create_on_unmatched && attr->type == SCIM_TYPE_COMPLEX)
		status = scim_patch_seed(patch, filter, NULL, &seed);
	if (status != SCIM_OK)
		return status;
	element = canonical;
	if (seed || canonical == NULL)
	{
		element = scim_json_object(patch->arena);
		if (element == NULL)
			return SCIM_NO_MEMORY;
		if (seed)
			status = scim_patch_seed(patch, filter, element, &seed);
		if (status == SCIM_OK && canonical != NULL)
			status = scim_edit_merge(patch, element, attr, canonical);
	}
	if (status != SCIM_OK)
		return status;
	if (json_object_array_put_idx(selection->array, i, json_object_get(element)) == 0)
		return SCIM_OK;
	json_object_put(element);
	return SCIM_NO_MEMORY;
}

/* Change the i-th element as the operation says. */
static ScimStatus
change_element(ScimPatch *patch, const ScimPatchTarget *target, const Selection *selection, size_t i)
{
	const ScimPath *path = target->path;
	ScimJson   *element = json_object_array_get_idx(selection->array, i);

	if (path->sub != NULL)
		return scim_edit_sub(patch, element, path->sub, target->value);
	if (target->verb == SCIM_PATCH_ADD && path->attr->type == SCIM_TYPE_COMPLEX)
		return scim_edit_merge(patch, element, path->attr, target->value);
	return replace_element(patch, target, selection, i);
}

/*
 * No element is selected: append one that the filter describes, where that is
 * allowed (patch.h), to be changed like a selected one.
 */
static ScimStatus
create_element(ScimPatch *patch, const ScimPatchTarget *target, Selection *selection)
{
	const ScimPath *path = target->path;
	bool		possible = true;
	ScimJson   *element;
	ScimStatus	status = SCIM_OK;

	if (path->value_filter != NULL)
		status = scim_patch_seed(patch, path->value_filter, NULL, &possible);
	if (status != SCIM_OK)
		return status;
	if (!possible || (path->value_filter != NULL && target->verb == SCIM_PATCH_REPLACE && !patch->options->create_on_unmatched))
		return scim_error(patch->err, SCIM_NO_TARGET, "no element of \"%s\" satisfies the filter", path->attr->name);
	element = scim_json_object(patch->arena);
	if (element == NULL)
		return SCIM_NO_MEMORY;
	if (path->value_filter != NULL)
		status = scim_patch_seed(patch, path->value_filter, element, &possible);
	if (status == SCIM_OK && !scim_json_append(selection->array, element))
		status = SCIM_NO_MEMORY;
	selection->selected[selection->n++] = true;
	selection->count = 1;
	return status;
}

static ScimStatus
patch_selected(ScimPatch *patch, const ScimPatchTarget *target, ScimJson *container, ScimJson *array)
{
	const ScimPath *path = target->path;
	Selection	selection;
	ScimStatus	status = select_elements(patch, path, array, &selection);

	if (status != SCIM_OK)
		return status;
	if (target->verb == SCIM_PATCH_REMOVE || target->value == NULL)
		return remove_selected(patch, target, container, &selection);
	if (patch->options->single_match && path->value_filter != NULL && selection.count > 1)
		return scim_error(patch->err, SCIM_INVALID_FILTER, "%zu elements of \"%s\" satisfy the filter",
						  selection.count, path->attr->name);
	if (selection.count == 0)
		status = create_element(patch, target, &selection);
	else
		status = scim_patch_work(patch, selection.count * CHANGE_WORK);
	for (size_t i = 0; i < selection.n && status == SCIM_OK; i++)
	{
		if (selection.selected[i])
			status = change_element(patch, target, &selection, i);
	}
	if (status == SCIM_OK)
		status = scim_patch_demote(array, selection.selected);
	return status == SCIM_OK ? keep_elements(patch, path->attr, container, &selection, false) : status;
}

ScimStatus
scim_patch_multi(ScimPatch *patch, const ScimPatchTarget *target, ScimJson *container)
{
	const ScimPath *path = target->path;
	ScimJson   *array = scim_edit_get(container, path->attr->name);

	if (array == NULL && (array = scim_json_array(patch->arena)) == NULL)
		return SCIM_NO_MEMORY;
	if (path->value_filter == NULL && path->sub == NULL)
		return patch_whole(patch, target, container, array);
	return patch_selected(patch, target, container, array);
}
