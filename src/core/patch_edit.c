/*
 * patch_edit.c
 *		Changes to a canonical JSON tree (see patch_edit.h).
 */
#include "core/patch_edit.h"

#include <json-c/json.h>
#include <string.h>

#include "core/json.h"

/* Half a second of comparisons. */
#define WORK_MAX 3000000

ScimJson *
scim_edit_get(ScimJson *object, const char *name)
{
	ScimJson   *value = NULL;

	(void) json_object_object_get_ex(object, name, &value);
	return value;
}

ScimStatus
scim_edit_set(ScimJson *object, const char *name, ScimJson *value)
{
	if (value != NULL)
		return scim_json_set(object, name, value) ? SCIM_OK : SCIM_NO_MEMORY;
	json_object_object_del(object, name);
	return SCIM_OK;
}

ScimStatus
scim_edit_canonical(ScimPatch *patch, const ScimAttribute *attr, ScimJson *value, ScimJson **out)
{
	return scim_value_canonical(patch->arena, attr, value, patch->options->strict, out, patch->err);
}

ScimStatus
scim_edit_element(ScimPatch *patch, const ScimAttribute *attr, ScimJson *value, ScimJson **out)
{
	return scim_element_canonical(patch->arena, attr, value, patch->options->strict, out, patch->err);
}

/* The id in a value that references a resource: there "" is no value (resource.h). */
static bool
is_reference_id(const ScimAttribute *sub)
{
	return strcmp(sub->name, "value") == 0 && scim_sub_attribute(sub->parent, SCIM_STR("$ref")) != NULL;
}

ScimStatus
scim_edit_sub(ScimPatch *patch, ScimJson *object, const ScimAttribute *sub, ScimJson *value)
{
	ScimJson   *current = scim_edit_get(object, sub->name);
	ScimJson   *canonical = NULL;
	ScimStatus	status = SCIM_OK;

	if (value != NULL && !(is_reference_id(sub) && json_object_is_type(value, json_type_string) &&
						   json_object_get_string_len(value) == 0))
		status = scim_edit_canonical(patch, sub, value, &canonical);
	if (status != SCIM_OK)
		return status;
	if (sub->mutability == SCIM_IMMUTABLE && current != NULL && !scim_json_equal(current, canonical))
		return scim_error(patch->err, SCIM_MUTABILITY, "\"%s.%s\" cannot be changed", sub->parent->name, sub->name);
	return scim_edit_set(object, sub->name, canonical);
}

ScimStatus
scim_edit_merge(ScimPatch *patch, ScimJson *object, const ScimAttribute *attr, ScimJson *value)
{
	struct json_object_iter member;
	ScimStatus	status = SCIM_OK;

	if (!json_object_is_type(value, json_type_object))
		return scim_error(patch->err, SCIM_INVALID_VALUE, "the value of \"%s\" must be an object", attr->name);
	json_object_object_foreachC(value, member)
	{
		const ScimAttribute *sub = scim_sub_attribute(attr, (ScimStr) {member.key, strlen(member.key)});

		if (sub == NULL && patch->options->strict)
			return scim_error(patch->err, SCIM_INVALID_SYNTAX, "\"%s\" has an unknown sub-attribute", attr->name);
		if (sub == NULL || sub->mutability == SCIM_READ_ONLY)
			continue;
		status = scim_edit_sub(patch, object, sub, member.val);
		if (status != SCIM_OK)
			break;
	}
	return status;
}

ScimStatus
scim_edit_removable(ScimPatch *patch, const ScimAttribute *attr)
{
	if (!attr->required)
		return SCIM_OK;
	return scim_error(patch->err, SCIM_MUTABILITY, "\"%s\" is required and cannot be removed", attr->name);
}

ScimStatus
scim_edit_remove_all(ScimPatch *patch, const ScimPatchTarget *target)
{
	const ScimAttribute *attr = target->path->attr;
	ScimJson   *value = target->value;

	if (value != NULL && !(json_object_is_type(value, json_type_array) && json_object_array_length(value) == 0))
		return scim_error(patch->err, SCIM_INVALID_SYNTAX,
						  "remove has no value; to remove elements of \"%s\" use a filter in the path", attr->name);
	return scim_edit_removable(patch, attr);
}

ScimStatus
scim_patch_work(ScimPatch *patch, size_t visits)
{
	if (visits <= WORK_MAX - patch->work)
	{
		patch->work += visits;
		return SCIM_OK;
	}
	return scim_error(patch->err, SCIM_PAYLOAD_TOO_LARGE, "the operations go through more than %d elements", WORK_MAX);
}
