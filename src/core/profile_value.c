/*
 * profile_value.c
 *		Values of the wrong shape (see profile.h: string-boolean,
 *		object-for-array, bare-string-value).
 */
#include <json-c/json.h>
#include <string.h>

#include "core/json.h"
#include "core/profile_pass.h"
#include "core/text.h"

static ScimJson *
boolean_value(ScimNormal *normal, ScimJson *value)
{
	ScimStr		text = scim_json_str(value);
	bool		yes = scim_name_is(text, "true");
	ScimJson   *result;

	if ((!yes && !scim_name_is(text, "false")) || !scim_normal_use(normal, SCIM_PASS_BOOLEAN))
		return value;
	result = scim_own(normal->arena, json_object_new_boolean(yes));
	normal->failed = normal->failed || result == NULL;
	return result;
}

/* {"value": value}. */
static ScimJson *
wrapped_string(ScimNormal *normal, const ScimAttribute *attr, ScimJson *value)
{
	ScimJson   *object;

	/* An empty string unassigns a reference: it stays. */
	if (json_object_get_string_len(value) == 0 || scim_sub_attribute(attr, SCIM_STR("value")) == NULL ||
		!scim_normal_use(normal, SCIM_PASS_BARE_STRING))
		return value;
	object = scim_json_object(normal->arena);
	if (object == NULL)
	{
		normal->failed = true;
		return value;
	}
	scim_normal_set(normal, object, "value", value);
	return object;
}

static ScimJson *
complex_value(ScimNormal *normal, const ScimAttribute *attr, ScimJson *value)
{
	struct json_object_iter member;

	if (json_object_is_type(value, json_type_string))
		return wrapped_string(normal, attr, value);
	if (!json_object_is_type(value, json_type_object))
		return value;

	/* Setting a member that is there changes no position, so that the walk goes on. */
	json_object_object_foreachC(value, member)
	{
		const ScimAttribute *sub = scim_sub_attribute(attr, (ScimStr) {member.key, strlen(member.key)});
		ScimJson   *better = sub != NULL ? scim_normal_value(normal, sub, member.val, false) : member.val;

		if (better != member.val)
			scim_normal_set(normal, value, member.key, better);
	}
	return value;
}

static ScimJson *
array_value(ScimNormal *normal, const ScimAttribute *attr, ScimJson *value)
{
	ScimJson   *array;

	if (json_object_is_type(value, json_type_array))
	{
		for (size_t i = 0; i < json_object_array_length(value); i++)
		{
			ScimJson   *element = json_object_array_get_idx(value, i);
			ScimJson   *better = scim_normal_value(normal, attr, element, true);

			if (better != element && json_object_array_put_idx(value, i, json_object_get(better)) != 0)
			{
				json_object_put(better);
				normal->failed = true;
			}
		}
		return value;
	}
	value = scim_normal_value(normal, attr, value, true);
	if (!json_object_is_type(value, json_type_object) || !scim_normal_use(normal, SCIM_PASS_OBJECT))
		return value;
	array = scim_json_array(normal->arena);
	if (array != NULL && scim_json_append(array, value))
		return array;
	normal->failed = true;
	return value;
}

ScimJson *
scim_normal_value(ScimNormal *normal, const ScimAttribute *attr, ScimJson *value, bool element)
{
	if (value == NULL || normal->failed)
		return value;
	if (attr->multi_valued && !element)
		return array_value(normal, attr, value);
	if (attr->type == SCIM_TYPE_COMPLEX)
		return complex_value(normal, attr, value);
	if (attr->type == SCIM_TYPE_BOOLEAN)
		return boolean_value(normal, value);
	return value;
}

/* One attribute of an object of attributes. */
static void
normalise_member(ScimNormal *normal, ScimJson *object, const char *key, const ScimAttribute *attr, ScimJson *value)
{
	ScimJson   *better = scim_normal_value(normal, attr, value, false);

	if (better != value)
		scim_normal_set(normal, object, key, better);
}

void
scim_normal_attributes(ScimNormal *normal, const ScimSchema *extension, ScimJson *object)
{
	struct json_object_iter member;

	json_object_object_foreachC(object, member)
	{
		ScimStr		name = {member.key, strlen(member.key)};
		const ScimSchema *inner = extension == NULL ? scim_type_extension(normal->type, name) : NULL;
		const ScimAttribute *attr = extension != NULL ? scim_schema_attribute(extension, name)
			: scim_type_attribute(normal->type, name);

		if (json_object_is_type(member.val, json_type_object) &&
			(inner != NULL || (extension == NULL && scim_name_is(name, normal->type->schema->id))))
			scim_normal_attributes(normal, inner, member.val);
		else if (attr != NULL)
			normalise_member(normal, object, member.key, attr, member.val);
	}
}
