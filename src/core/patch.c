/*
 * patch.c
 *		The PatchOp message: its operations, their paths, and single-valued
 *		attributes (see patch.h).
 */
#include "core/patch.h"

#include <json-c/json.h>
#include <string.h>

#include "core/json.h"
#include "core/patch_edit.h"
#include "core/text.h"

/* ---- single-valued attributes ---- */

static ScimStatus
patch_simple(ScimPatch *patch, const ScimPatchTarget *target, ScimJson *container)
{
	const ScimAttribute *attr = target->path->attr;
	ScimJson   *canonical = NULL;
	ScimStatus	status = SCIM_OK;

	if (target->verb == SCIM_PATCH_REMOVE)
		status = scim_edit_removable(patch, attr);
	else if (target->value != NULL)
		status = scim_edit_canonical(patch, attr, target->value, &canonical);
	return status == SCIM_OK ? scim_edit_set(container, attr->name, canonical) : status;
}

/* The whole of a complex attribute. */
static ScimStatus
patch_complex_value(ScimPatch *patch, const ScimPatchTarget *target, ScimJson *container, ScimJson *object)
{
	const ScimAttribute *attr = target->path->attr;
	ScimJson   *canonical = NULL;
	ScimStatus	status = SCIM_OK;

	if (target->verb == SCIM_PATCH_REMOVE)
		status = scim_edit_removable(patch, attr);
	else if (json_object_is_type(target->value, json_type_object) &&
			 (target->verb == SCIM_PATCH_ADD || !patch->options->replace_whole))
		return scim_edit_merge(patch, object, attr, target->value);
	else if (target->value != NULL)
		status = scim_edit_canonical(patch, attr, target->value, &canonical);
	return status == SCIM_OK ? scim_edit_set(container, attr->name, canonical) : status;
}

static ScimStatus
patch_complex(ScimPatch *patch, const ScimPatchTarget *target, ScimJson *container)
{
	const ScimPath *path = target->path;
	const ScimAttribute *attr = path->attr;
	ScimJson   *object = scim_edit_get(container, attr->name);
	ScimStatus	status = SCIM_OK;

	if (path->value_filter != NULL &&
		(object == NULL || !scim_filter_matches_element(path->value_filter, object, &status)))
	{
		if (status != SCIM_OK || target->verb == SCIM_PATCH_REMOVE)
			return status;
		return scim_error(patch->err, SCIM_NO_TARGET, "the filter does not match \"%s\"", attr->name);
	}
	if (object == NULL)
	{
		object = scim_json_object(patch->arena);
		if (object == NULL)
			return SCIM_NO_MEMORY;
		status = scim_edit_set(container, attr->name, object);
	}
	if (status == SCIM_OK && path->sub == NULL)
		status = patch_complex_value(patch, target, container, object);
	else if (status == SCIM_OK && target->verb == SCIM_PATCH_REMOVE)
		status = scim_edit_removable(patch, path->sub);
	if (status == SCIM_OK && path->sub != NULL)
		status = scim_edit_sub(patch, object, path->sub, target->verb != SCIM_PATCH_REMOVE ? target->value : NULL);

	/* RFC 7643 section 2.5: an empty complex value is no value. */
	object = scim_edit_get(container, attr->name);
	if (status == SCIM_OK && object != NULL && json_object_object_length(object) == 0)
		status = scim_edit_set(container, attr->name, NULL);
	return status;
}

static ScimStatus
patch_secret(ScimPatch *patch, const ScimPatchTarget *target)
{
	ScimSecrets *secrets = &patch->resource->secrets;
	ScimJson   *canonical = NULL;
	ScimStatus	status = SCIM_OK;

	if (target->verb != SCIM_PATCH_REMOVE && target->value != NULL)
		status = scim_edit_canonical(patch, target->path->attr, target->value, &canonical);
	if (status != SCIM_OK)
		return status;
	*secrets = (ScimSecrets) {.password_removed = canonical == NULL};
	if (canonical != NULL)
		secrets->password = scim_json_str(canonical);
	return SCIM_OK;
}

/* ---- targets ---- */

/* The object that holds the target's attribute: the resource, or an extension's, which is made. */
static ScimStatus
find_container(ScimPatch *patch, const ScimSchema *extension, ScimJson **out)
{
	*out = patch->resource->json;
	if (extension == NULL)
		return SCIM_OK;
	*out = scim_edit_get(patch->resource->json, extension->id);
	if (*out != NULL)
		return SCIM_OK;
	*out = scim_json_object(patch->arena);
	return *out != NULL ? scim_edit_set(patch->resource->json, extension->id, *out) : SCIM_NO_MEMORY;
}

static ScimStatus
apply_target(ScimPatch *patch, const ScimPatchTarget *target)
{
	const ScimPath *path = target->path;
	const ScimLink *link = scim_type_link(patch->resource->type, path->attr);
	ScimJson   *container;
	ScimStatus	status;

	if (link != NULL)
		return scim_patch_link(patch, target, link);
	if (scim_attribute_secret(path->attr) && scim_type_column(patch->resource->type, path->attr, NULL) == NULL)
		return patch_secret(patch, target);
	status = find_container(patch, path->extension, &container);
	if (status != SCIM_OK)
		return status;
	if (path->attr->multi_valued)
		status = scim_patch_multi(patch, target, container);
	else if (path->attr->type == SCIM_TYPE_COMPLEX)
		status = patch_complex(patch, target, container);
	else
		status = patch_simple(patch, target, container);
	if (status == SCIM_OK && path->extension != NULL && json_object_object_length(container) == 0)
		status = scim_edit_set(patch->resource->json, path->extension->id, NULL);
	return status;
}

/* All attributes of an extension. */
static ScimStatus
remove_extension(ScimPatch *patch, const ScimSchema *extension)
{
	for (size_t i = 0; i < extension->n_attributes; i++)
	{
		ScimPath	path = {.extension = extension, .attr = &extension->attributes[i]};
		ScimStatus	status;

		if (path.attr->mutability == SCIM_READ_ONLY)
			continue;
		status = apply_target(patch, &(ScimPatchTarget) {SCIM_PATCH_REMOVE, &path, NULL});
		if (status != SCIM_OK)
			return status;
	}
	return SCIM_OK;
}

static ScimStatus apply_members(ScimPatch *patch, ScimPatchVerb verb, const ScimSchema *extension,
								ScimJson *value);

/* One member of a value without path: an attribute, or a schema with its attributes. */
static ScimStatus
apply_member(ScimPatch *patch, ScimPatchVerb verb, const ScimSchema *extension, ScimStr name,
			 ScimJson *value)
{
	const ScimResourceType *type = patch->resource->type;
	const ScimSchema *schema = extension == NULL ? scim_type_extension(type, name) : NULL;
	ScimPath	path = {.extension = extension};

	if (schema != NULL && value == NULL)
		return remove_extension(patch, schema);
	if (schema != NULL || (extension == NULL && scim_name_is(name, type->schema->id)))
		return apply_members(patch, verb, schema, value);
	path.attr = extension != NULL ? scim_schema_attribute(extension, name) : scim_type_attribute(type, name);
	if (path.attr == NULL && patch->options->strict)
		return scim_error(patch->err, SCIM_INVALID_SYNTAX, "%s has no attribute \"%.64s\"", type->name, name.ptr);
	if (path.attr == NULL || path.attr->mutability == SCIM_READ_ONLY)
		return SCIM_OK;
	return apply_target(patch, &(ScimPatchTarget) {verb, &path, value});
}

static ScimStatus
apply_members(ScimPatch *patch, ScimPatchVerb verb, const ScimSchema *extension, ScimJson *value)
{
	struct json_object_iter member;
	ScimStatus	status = SCIM_OK;

	if (!json_object_is_type(value, json_type_object))
		return scim_error(patch->err, SCIM_INVALID_VALUE, "the value must be an object of attributes");
	json_object_object_foreachC(value, member)
	{
		status = apply_member(patch, verb, extension, (ScimStr) {member.key, strlen(member.key)}, member.val);
		if (status != SCIM_OK)
			break;
	}
	return status;
}

/* ---- operations ---- */

static ScimStatus
parse_verb(ScimPatch *patch, ScimJson *operation, ScimPatchVerb *verb)
{
	static const char *const names[] = {"add", "remove", "replace"};
	ScimJson   *op = scim_json_get(operation, "op", NULL);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
	{
		if (scim_name_is(scim_json_str(op), names[i]))
		{
			*verb = (ScimPatchVerb) i;
			return SCIM_OK;
		}
	}
	return scim_error(patch->err, SCIM_INVALID_SYNTAX, "\"op\" must be add, remove or replace");
}

static ScimStatus
apply_path(ScimPatch *patch, ScimPatchVerb verb, ScimStr text, ScimJson *value)
{
	ScimPath	path;
	const ScimAttribute *leaf;
	ScimStatus	status = scim_path_parse(patch->arena, patch->resource->type, text, &path, patch->err);

	if (status != SCIM_OK)
		return status;
	if (path.attr == NULL)
	{
		if (verb == SCIM_PATCH_REMOVE || value == NULL)
			return remove_extension(patch, path.extension);
		return apply_members(patch, verb, path.extension, value);
	}
	leaf = scim_path_leaf(&path);
	if (path.attr->mutability == SCIM_READ_ONLY || leaf->mutability == SCIM_READ_ONLY)
		return scim_error(patch->err, SCIM_MUTABILITY, "\"%s\" is read-only", leaf->name);
	return apply_target(patch, &(ScimPatchTarget) {verb, &path, value});
}

static ScimStatus
apply_operation(ScimPatch *patch, ScimJson *operation)
{
	ScimJson   *path;
	ScimJson   *value;
	bool		has_value;
	ScimPatchVerb verb = SCIM_PATCH_ADD;
	ScimStatus	status;

	if (!json_object_is_type(operation, json_type_object))
		return scim_error(patch->err, SCIM_INVALID_SYNTAX, "an operation must be an object");
	status = parse_verb(patch, operation, &verb);
	if (status != SCIM_OK)
		return status;
	path = scim_json_get(operation, "path", NULL);
	value = scim_json_get(operation, "value", &has_value);
	if (verb != SCIM_PATCH_REMOVE && !has_value)
		return scim_error(patch->err, SCIM_INVALID_VALUE, "\"value\" is missing");
	if (path != NULL && !json_object_is_type(path, json_type_string))
		return scim_error(patch->err, SCIM_INVALID_PATH, "\"path\" must be a string");
	if (path != NULL)
		return apply_path(patch, verb, scim_json_str(path), value);
	if (verb == SCIM_PATCH_REMOVE)
		return scim_error(patch->err, SCIM_NO_TARGET, "remove needs a path");
	if (!patch->options->allow_no_path)
		return scim_error(patch->err, SCIM_INVALID_SYNTAX, "an operation needs a path");
	return apply_members(patch, verb, NULL, value);
}

/* ---- the message ---- */

/* The operations of a message that is well-formed as a whole. */
static ScimStatus
parse_message(ScimJson *body, const ScimPatchOptions *options, ScimJson **operations, ScimError *err)
{
	if (!json_object_is_type(body, json_type_object))
		return scim_error(err, SCIM_INVALID_SYNTAX, "the body must be an object");
	if (!scim_json_has_schema(body, SCIM_URN_PATCH_OP))
		return scim_error(err, SCIM_INVALID_SYNTAX, "schemas must contain " SCIM_URN_PATCH_OP);
	*operations = scim_json_get(body, "Operations", NULL);
	if (!json_object_is_type(*operations, json_type_array) || json_object_array_length(*operations) == 0)
		return scim_error(err, SCIM_INVALID_SYNTAX, "Operations must be an array of at least one operation");
	if (json_object_array_length(*operations) > (size_t) options->max_operations)
		return scim_error(err, SCIM_PAYLOAD_TOO_LARGE, "there are more than %d operations", options->max_operations);
	return SCIM_OK;
}

ScimStatus
scim_patch_apply(ScimArena *arena, ScimResource *resource, ScimJson *body,
				 const ScimPatchOptions *options, ScimError *err)
{
	ScimError	why = {SCIM_OK, ""};
	ScimPatch	patch = {.arena = arena, .resource = resource, .options = options,
	.next_link = &resource->links, .err = &why};
	ScimJson   *operations = NULL;
	ScimJson   *stored;
	ScimStatus	status = parse_message(body, options, &operations, err);

	if (status != SCIM_OK)
		return status;
	stored = scim_json_copy(arena, resource->json);
	if (stored == NULL)
		return SCIM_NO_MEMORY;
	resource->links = NULL;
	for (size_t i = 0; i < json_object_array_length(operations); i++)
	{
		status = apply_operation(&patch, json_object_array_get_idx(operations, i));
		if (status == SCIM_NO_MEMORY)
			return status;
		if (status != SCIM_OK)
			return scim_error(err, status, "operation %zu: %s", i + 1, why.detail);
	}
	if (scim_patch_join_links(&patch) != SCIM_OK)
		return SCIM_NO_MEMORY;
	return scim_resource_check(arena, resource->type, resource->json, stored, err);
}
