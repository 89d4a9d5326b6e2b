/*
 * link.c
 *		Attributes kept as rows of another table (Group.members, User.groups):
 *		from rows to JSON.
 *
 * An element has value, $ref, display and type (RFC 7643 sections 2.4, 4.1.2
 * and 4.2), as far as the schema gives the attribute these sub-attributes.
 * Where the other's resource type is always the same, type says how the two
 * belong together instead: all rows are direct.
 */
#include <json-c/json.h>
#include <string.h>

#include "core/resource.h"
#include "core/response.h"

/* Add a string member; false when out of memory. */
static bool
add_string(json_object *object, const char *name, ScimStr text)
{
	json_object *string = json_object_new_string_len(text.ptr, (int) text.len);

	if (string == NULL)
		return false;
	if (json_object_object_add(object, name, string) != 0)
	{
		json_object_put(string);
		return false;
	}
	return true;
}

/* Add a sub-attribute if the attribute has it and there is a value. */
static bool
add_sub(json_object *element, const ScimAttribute *attr, ScimStr name, ScimStr text)
{
	const ScimAttribute *sub = text.ptr == NULL ? NULL : scim_sub_attribute(attr, name);

	return sub == NULL || add_string(element, sub->name, text);
}

/* The array that keeps the elements, made when it is not there; NULL when out of memory. */
static json_object *
array_of(json_object *resource, const char *name)
{
	json_object *array;

	if (json_object_object_get_ex(resource, name, &array) && array != NULL)
		return array;
	array = json_object_new_array();
	if (array != NULL && json_object_object_add(resource, name, array) != 0)
	{
		json_object_put(array);
		return NULL;
	}
	return array;
}

ScimStr
scim_link_kind(bool indirect)
{
	return indirect ? SCIM_STR("indirect") : SCIM_STR("direct");
}

ScimStatus
scim_resource_add_link(ScimArena *arena, const ScimRegistry *registry, ScimJson *resource,
					   const ScimLink *link, bool indirect, ScimStr value, ScimStr type, ScimStr display,
					   const char *base_url)
{
	char	   *type_name = scim_strdup(arena, type);
	const ScimResourceType *other = type_name == NULL ? NULL : scim_registry_type_by_name(registry, type_name);
	char	   *location = other == NULL ? NULL : scim_location(arena, other, value, base_url);
	json_object *array = array_of(resource, link->attr->name);
	json_object *element;
	ScimStr		ref = SCIM_STR_NONE;

	if (type_name == NULL || (other != NULL && location == NULL) || array == NULL)
		return SCIM_NO_MEMORY;
	element = json_object_new_object();
	if (element == NULL)
		return SCIM_NO_MEMORY;
	if (json_object_array_add(array, element) != 0)
	{
		json_object_put(element);
		return SCIM_NO_MEMORY;
	}
	if (location != NULL)
		ref = (ScimStr) {location, strlen(location)};
	if (!add_sub(element, link->attr, SCIM_STR("value"), value) ||
		!add_sub(element, link->attr, SCIM_STR("$ref"), ref) ||
		!add_sub(element, link->attr, SCIM_STR("display"), display) ||
		!add_sub(element, link->attr, SCIM_STR("type"), link->type != NULL ? type : scim_link_kind(indirect)))
		return SCIM_NO_MEMORY;
	return SCIM_OK;
}
