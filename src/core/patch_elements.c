/*
 * patch_elements.c
 *		Elements of a multi-valued attribute: which are the same, which is
 *		primary, and which a filter describes (see patch.h).
 */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "core/patch_edit.h"
#include "core/text.h"

/* What sorting an element in costs, in comparisons. */
#define SORT_WORK 8

/* Keys live for one operation only; more than those of any resource. */
#define SCRATCH_MAX ((size_t) 256 << 20)

/* ---- the same element ---- */

/* What an element is known by: its value and type, or all of it where it has no value. */
typedef struct ElementKey
{
	ScimStr		value;
	ScimStr		type;			/* absent: any, when it is an element to be added */
	size_t		index;
} ElementKey;

static int
compare_text(ScimStr a, ScimStr b)
{
	size_t		shorter = a.len < b.len ? a.len : b.len;
	int			order = shorter > 0 ? memcmp(a.ptr, b.ptr, shorter) : 0;

	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static int
compare_keys(const void *a, const void *b)
{
	const ElementKey *x = a;
	const ElementKey *y = b;
	int			order = compare_text(x->value, y->value);

	if (order == 0)
		order = compare_text(x->type, y->type);
	return order != 0 ? order : (x->index > y->index) - (x->index < y->index);
}

/* A value's JSON text, folded where case does not count; absent for no value. */
static bool
key_text(ScimArena *arena, const ScimAttribute *attr, ScimJson *value, ScimStr *out)
{
	ScimBuf		folded;
	ScimStr		text;

	*out = SCIM_STR_NONE;
	if (value == NULL)
		return true;
	text = scim_json_text(arena, value);
	if (text.ptr == NULL || attr->case_exact || attr->type == SCIM_TYPE_COMPLEX)
	{
		*out = text;
		return text.ptr != NULL;
	}
	scim_buf_init(&folded, arena, text.len * 4);
	scim_fold(&folded, text.ptr, text.len);
	*out = (ScimStr) {folded.data, folded.len};
	return !folded.failed;
}

static bool
make_key(ScimArena *arena, const ScimAttribute *attr, ScimJson *element, size_t index, ElementKey *out)
{
	const ScimAttribute *value = scim_sub_attribute(attr, SCIM_STR("value"));
	const ScimAttribute *type = scim_sub_attribute(attr, SCIM_STR("type"));
	ScimJson   *member = value != NULL ? scim_edit_get(element, value->name) : NULL;

	*out = (ElementKey) {.index = index};
	if (member == NULL)
		return key_text(arena, attr, element, &out->value);
	return key_text(arena, value, member, &out->value) &&
		(type == NULL || key_text(arena, type, scim_edit_get(element, type->name), &out->type));
}

/* The keys of all elements, sorted; NULL when out of memory. */
static ElementKey *
sorted_keys(ScimArena *arena, const ScimAttribute *attr, ScimJson *array)
{
	size_t		n = json_object_array_length(array);
	ElementKey *keys = scim_alloc(arena, n * sizeof(ElementKey));

	for (size_t i = 0; i < n && keys != NULL; i++)
	{
		if (!make_key(arena, attr, json_object_array_get_idx(array, i), i, &keys[i]))
			return NULL;
	}
	if (keys != NULL && n > 0)
		qsort(keys, n, sizeof(ElementKey), compare_keys);
	return keys;
}

/* The first of n sorted keys that is the one wanted; NULL when there is none. */
static const ElementKey *
find_key(const ElementKey *keys, size_t n, ElementKey wanted)
{
	size_t		low = 0;
	size_t		high = n;

	wanted.index = 0;
	while (low < high)
	{
		size_t		middle = low + (high - low) / 2;

		if (compare_keys(&keys[middle], &wanted) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == n || compare_text(keys[low].value, wanted.value) != 0)
		return NULL;
	return wanted.type.ptr == NULL || compare_text(keys[low].type, wanted.type) == 0 ? &keys[low] : NULL;
}

/* Put one element into array, whose first n elements have the sorted keys. */
static ScimStatus
add_element(ScimPatch *patch, ScimArena *scratch, const ScimAttribute *attr, ScimJson *array,
			const ElementKey *keys, size_t n, ScimJson *element, bool *touched)
{
	const ElementKey *found;
	ElementKey	key;

	if (!make_key(scratch, attr, element, 0, &key))
		return SCIM_NO_MEMORY;
	found = find_key(keys, n, key);
	if (found == NULL)
	{
		touched[json_object_array_length(array)] = true;
		return scim_json_append(array, element) ? SCIM_OK : SCIM_NO_MEMORY;
	}
	touched[found->index] = true;
	if (attr->type != SCIM_TYPE_COMPLEX)
		return SCIM_OK;
	return scim_edit_merge(patch, json_object_array_get_idx(array, found->index), attr, element);
}

ScimStatus
scim_patch_add_elements(ScimPatch *patch, const ScimAttribute *attr, ScimJson *array, ScimJson *added,
						bool *touched)
{
	size_t		n = json_object_array_length(array);
	ScimStatus	status = scim_patch_work(patch, (n + json_object_array_length(added)) * SORT_WORK);
	ScimArena  *scratch;
	ElementKey *keys;

	if (status != SCIM_OK)
		return status;
	scratch = scim_arena_create(SCRATCH_MAX);
	keys = scratch != NULL ? sorted_keys(scratch, attr, array) : NULL;
	if (keys == NULL)
		status = SCIM_NO_MEMORY;
	for (size_t i = 0; i < json_object_array_length(added) && status == SCIM_OK; i++)
		status = add_element(patch, scratch, attr, array, keys, n, json_object_array_get_idx(added, i), touched);
	scim_arena_free(scratch);
	return status;
}

/* ---- primary ---- */

static bool
is_primary(ScimJson *element)
{
	return json_object_is_type(element, json_type_object) && json_object_get_boolean(scim_edit_get(element, "primary"));
}

ScimStatus
scim_patch_demote(ScimJson *array, const bool *touched)
{
	size_t		n = json_object_array_length(array);
	bool		promoted = false;

	for (size_t i = 0; i < n; i++)
		promoted = promoted || (touched[i] && is_primary(json_object_array_get_idx(array, i)));
	for (size_t i = 0; promoted && i < n; i++)
	{
		ScimJson   *element = json_object_array_get_idx(array, i);
		ScimJson   *no;

		if (touched[i] || !is_primary(element))
			continue;
		no = json_object_new_boolean(false);
		if (no == NULL)
			return SCIM_NO_MEMORY;
		if (json_object_object_add(element, "primary", no) != 0)
		{
			json_object_put(no);
			return SCIM_NO_MEMORY;
		}
	}
	return SCIM_OK;
}

/* ---- what a filter says of an element ---- */

/* The canonical value that a folded literal is; NULL when it is none. */
static const char *
canonical_value(const ScimAttribute *sub, ScimStr literal)
{
	for (size_t i = 0; sub->canonical_values != NULL && sub->canonical_values[i] != NULL; i++)
	{
		const char *canonical = sub->canonical_values[i];

		if (sub->case_exact ? scim_str_equal(literal, (ScimStr) {canonical, strlen(canonical)})
			: scim_name_is(literal, canonical))
			return canonical;
	}
	return NULL;
}

ScimStatus
scim_patch_seed(ScimPatch *patch, const ScimFilter *filter, ScimJson *element, bool *possible)
{
	const ScimAttribute *sub = filter->path.sub;
	const char *canonical = NULL;
	ScimJson   *value;
	ScimStatus	status;

	if (filter->kind == SCIM_FILTER_AND)
	{
		status = scim_patch_seed(patch, filter->left, element, possible);
		if (status != SCIM_OK || !*possible)
			return status;
		return scim_patch_seed(patch, filter->right, element, possible);
	}
	*possible = filter->kind == SCIM_FILTER_COMPARE && filter->op == SCIM_OP_EQ && sub != NULL &&
		sub->mutability != SCIM_READ_ONLY;
	if (*possible && filter->value.kind == SCIM_LITERAL_STRING)
	{
		canonical = canonical_value(sub, filter->value.text);
		*possible = canonical != NULL;
	}
	else if (*possible)
		*possible = filter->value.kind == SCIM_LITERAL_BOOLEAN;
	if (!*possible || element == NULL)
		return SCIM_OK;
	value = canonical != NULL ? json_object_new_string(canonical) : json_object_new_boolean(filter->value.boolean);
	value = scim_own(patch->arena, value);
	return value != NULL ? scim_edit_set(element, sub->name, value) : SCIM_NO_MEMORY;
}
