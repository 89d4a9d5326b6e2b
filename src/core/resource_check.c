/*
 * resource_check.c
 *		The last check of every write, on a canonical resource (see
 *		scim_resource_check in resource.h).
 */
#include "core/json.h"
#include "core/resource.h"
#include "core/resource_part.h"
#include "core/text.h"

#include <json-c/json.h>
#include <string.h>

typedef struct Checking
{
	ScimArena  *arena;
	const ScimResourceType *type;
	ScimJson   *json;
	ScimJson   *stored;
	ScimError  *err;
} Checking;

static ScimStatus
no_memory(const Checking *c)
{
	return scim_error(c->err, SCIM_NO_MEMORY, "out of memory");
}

/* SCIM_INVALID_VALUE or another: "emails.value is required". */
static ScimStatus
wrong(const Checking *c, ScimStatus status, const ScimAttribute *attr, const char *what)
{
	return scim_error(c->err, status, "%s%s%s %s", attr->parent != NULL ? attr->parent->name : "",
					  attr->parent != NULL ? "." : "", attr->name, what);
}

/* RFC 7643 section 2.5: null, an empty array and an empty complex value are unassigned. */
static bool
unassigned(ScimJson *value)
{
	return value == NULL ||
		(json_object_is_type(value, json_type_array) && json_object_array_length(value) == 0) ||
		(json_object_is_type(value, json_type_object) && json_object_object_length(value) == 0);
}

/* Take members without value out of a complex value. */
static void
prune_object(const ScimAttribute *attr, ScimJson *object)
{
	for (size_t i = 0; i < attr->n_sub; i++)
	{
		json_object *value;

		if (json_object_object_get_ex(object, attr->sub[i].name, &value) && unassigned(value))
			json_object_object_del(object, attr->sub[i].name);
	}
}

/* Take elements without value out of an array: the array, or a new one that replaces it in part. */
static ScimStatus
prune_array(const Checking *c, const ScimAttribute *attr, ScimJson *part, ScimJson **array)
{
	size_t		n = json_object_array_length(*array);
	size_t		empty = 0;
	ScimJson   *kept;

	for (size_t i = 0; i < n; i++)
	{
		ScimJson   *element = json_object_array_get_idx(*array, i);

		if (json_object_is_type(element, json_type_object))
			prune_object(attr, element);
		empty += unassigned(element);
	}
	if (empty == 0)
		return SCIM_OK;
	kept = scim_json_array(c->arena);
	if (kept == NULL)
		return no_memory(c);
	for (size_t i = 0; i < n; i++)
	{
		ScimJson   *element = json_object_array_get_idx(*array, i);

		if (!unassigned(element) && !scim_json_append(kept, element))
			return no_memory(c);
	}
	if (!scim_json_set(part, attr->name, kept))
		return no_memory(c);
	*array = kept;
	return SCIM_OK;
}

/* Take what is unassigned out of one attribute; *value is what is left, or NULL. */
static ScimStatus
prune(const Checking *c, const ScimAttribute *attr, ScimJson *part, ScimJson **value)
{
	ScimStatus	status = SCIM_OK;

	if (json_object_is_type(*value, json_type_object))
		prune_object(attr, *value);
	else if (json_object_is_type(*value, json_type_array))
		status = prune_array(c, attr, part, value);
	if (status == SCIM_OK && unassigned(*value))
	{
		json_object_object_del(part, attr->name);
		*value = NULL;
	}
	return status;
}

/* RFC 7643 section 7, "required"; the RFC's required strings (userName, displayName) are not empty. */
static bool
missing(const Checking *c, const ScimAttribute *attr, ScimJson *value)
{
	const ScimAttribute *whole = attr->parent != NULL ? attr->parent : attr;

	return attr->required && attr->mutability != SCIM_READ_ONLY &&
		(!scim_attribute_secret(whole) || scim_type_column(c->type, whole, NULL) != NULL) &&
		(value == NULL || (json_object_is_type(value, json_type_string) && json_object_get_string_len(value) == 0));
}

static ScimStatus
check_required_parts(const Checking *c, const ScimAttribute *attr, ScimJson *object)
{
	for (size_t i = 0; i < attr->n_sub; i++)
	{
		if (missing(c, &attr->sub[i], scim_json_get(object, attr->sub[i].name, NULL)))
			return wrong(c, SCIM_INVALID_VALUE, &attr->sub[i], "is required");
	}
	return SCIM_OK;
}

/* RFC 7643 section 2.4: primary is true for at most one. */
static ScimStatus
check_elements(const Checking *c, const ScimAttribute *attr, ScimJson *array)
{
	const ScimAttribute *primary = scim_sub_attribute(attr, SCIM_STR("primary"));
	const ScimColumn *column = scim_type_column(c->type, attr, NULL);
	ScimStatus	status = SCIM_OK;
	size_t		primaries = 0;

	if (column != NULL && column->store == SCIM_STORE_ELEMENT && json_object_array_length(array) > 1)
		return wrong(c, SCIM_INVALID_VALUE, attr, "has more than one value, and only one is kept");

	for (size_t i = 0; i < json_object_array_length(array) && status == SCIM_OK; i++)
	{
		ScimJson   *element = json_object_array_get_idx(array, i);

		if (primary != NULL && json_object_get_boolean(scim_json_get(element, primary->name, NULL)))
			primaries++;
		status = check_required_parts(c, attr, element);
	}
	if (status == SCIM_OK && primaries > 1)
		status = wrong(c, SCIM_INVALID_VALUE, attr, "has more than one primary value");
	return status;
}

/* RFC 7643 section 7, "immutable": once stored it stays. */
static ScimStatus
check_immutable(const Checking *c, const ScimAttribute *attr, ScimJson *value, ScimJson *stored)
{
	if (stored == NULL)
		return SCIM_OK;
	if (attr->mutability == SCIM_IMMUTABLE && !scim_json_equal(value, stored))
		return wrong(c, SCIM_MUTABILITY, attr, "cannot be changed");
	for (size_t i = 0; i < attr->n_sub && !attr->multi_valued; i++)
	{
		ScimStatus	status = check_immutable(c, &attr->sub[i], scim_json_get(value, attr->sub[i].name, NULL),
											 scim_json_get(stored, attr->sub[i].name, NULL));

		if (status != SCIM_OK)
			return status;
	}
	return SCIM_OK;
}

static ScimStatus
check_attribute(const Checking *c, const ScimAttribute *attr)
{
	ScimJson   *part = scim_resource_part(c->type, c->json, attr);
	ScimJson   *stored = c->stored == NULL ? NULL :
	scim_json_get(scim_resource_part(c->type, c->stored, attr), attr->name, NULL);
	ScimJson   *value = scim_json_get(part, attr->name, NULL);
	ScimStatus	status = SCIM_OK;

	if (scim_type_link(c->type, attr) != NULL)
		return SCIM_OK;
	if (part != NULL)
		status = prune(c, attr, part, &value);
	if (status == SCIM_OK && missing(c, attr, value))
		status = wrong(c, SCIM_INVALID_VALUE, attr, "is required");
	if (status == SCIM_OK && json_object_is_type(value, json_type_array))
		status = check_elements(c, attr, value);
	else if (status == SCIM_OK && json_object_is_type(value, json_type_object))
		status = check_required_parts(c, attr, value);
	if (status == SCIM_OK)
		status = check_immutable(c, attr, value, stored);
	return status;
}

/* An extension's required attributes are required where the extension is used. */
static ScimStatus
check_extension(const Checking *c, const ScimSchema *extension, bool required)
{
	json_object *part = NULL;
	ScimStatus	status = SCIM_OK;

	if (json_object_object_get_ex(c->json, extension->id, &part) && unassigned(part))
		part = NULL;
	for (size_t i = 0; i < extension->n_attributes && status == SCIM_OK && (part != NULL || required || c->stored != NULL); i++)
	{
		const ScimAttribute *attr = &extension->attributes[i];

		if (part != NULL || required)
			status = check_attribute(c, attr);
		else
			status = check_immutable(c, attr, NULL,
									 scim_json_get(scim_resource_part(c->type, c->stored, attr), attr->name, NULL));
	}
	if (status == SCIM_OK && json_object_object_get_ex(c->json, extension->id, &part) && unassigned(part))
		json_object_object_del(c->json, extension->id);
	return status;
}

/* What references a resource is that resource's id: a UUID, in lower case. */
static ScimStatus
check_references(const Checking *c)
{
	for (size_t i = 0; i < c->type->n_columns; i++)
	{
		const ScimColumn *column = &c->type->columns[i];
		const ScimAttribute *kept = column->sub != NULL ? column->sub : column->attr;
		ScimJson   *holder;
		ScimJson   *value;
		char		id[37];

		if (column->references == NULL)
			continue;
		holder = scim_resource_part(c->type, c->json, column->attr);
		if (column->sub != NULL)
			holder = scim_json_get(holder, column->attr->name, NULL);
		value = scim_json_get(holder, kept->name, NULL);
		if (value == NULL)
			continue;
		if (!scim_uuid_parse(scim_json_str(value), id))
			return wrong(c, SCIM_INVALID_VALUE, kept, "must be the id of a resource that exists");
		if (memcmp(id, json_object_get_string(value), 36) == 0)
			continue;
		value = scim_json_string(c->arena, (ScimStr) {id, 36});
		if (value == NULL || !scim_json_set(holder, kept->name, value))
			return no_memory(c);
	}
	return SCIM_OK;
}

ScimStatus
scim_resource_check(ScimArena *arena, const ScimResourceType *type, ScimJson *json, ScimJson *stored, ScimError *err)
{
	Checking	c = {arena, type, json, stored, err};
	ScimStatus	status = SCIM_OK;

	for (size_t i = 0; i < scim_common_attribute_count && status == SCIM_OK; i++)
	{
		if (scim_common_attributes[i].mutability != SCIM_READ_ONLY)
			status = check_attribute(&c, &scim_common_attributes[i]);
	}
	for (size_t i = 0; i < type->schema->n_attributes && status == SCIM_OK; i++)
		status = check_attribute(&c, &type->schema->attributes[i]);
	for (size_t i = 0; i < type->n_extensions && status == SCIM_OK; i++)
		status = check_extension(&c, type->extensions[i], type->extension_required[i]);
	if (status == SCIM_OK)
		status = check_references(&c);
	return status;
}
