/*
 * profile_patch.c
 *		PATCH operations of the wrong shape (see profile.h).
 */
#include <json-c/json.h>
#include <string.h>

#include "core/json.h"
#include "core/profile_pass.h"
#include "core/text.h"

/* An operation being normalised, and those it becomes. */
typedef struct Operation
{
	ScimJson   *json;
	ScimStr		op;				/* in lower case; absent when there is none */
	ScimJson   *operations;		/* the new list of operations */
} Operation;

/* Set a member of an operation that may be there in another case. */
static void
set_member(ScimNormal *normal, ScimJson *operation, const char *name, ScimJson *value)
{
	struct json_object_iter member;
	const char *key = name;

	json_object_object_foreachC(operation, member)
	{
		if (scim_name_is((ScimStr) {member.key, strlen(member.key)}, name))
			key = member.key;
	}
	if (value != NULL)
		scim_normal_set(normal, operation, key, value);
	else
		json_object_object_del(operation, key);
}

static void
normalise_op(ScimNormal *normal, Operation *operation)
{
	static const char *const verbs[] = {"add", "remove", "replace"};
	ScimStr		text = scim_json_str(scim_json_get(operation->json, "op", NULL));

	operation->op = text;
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
	{
		if (!scim_name_is(text, verbs[i]))
			continue;
		operation->op = (ScimStr) {verbs[i], strlen(verbs[i])};
		if (memcmp(text.ptr, verbs[i], text.len) != 0 && scim_normal_use(normal, SCIM_PASS_OP))
			set_member(normal, operation->json, "op", scim_normal_string(normal, verbs[i], strlen(verbs[i])));
	}
}

/* ---- paths ---- */

/* The URN of one of the type's schemas that text begins with, followed by a dot; 0 when none does. */
static size_t
dotted_urn(const ScimResourceType *type, ScimStr text)
{
	size_t		longest = 0;

	for (size_t i = 0; i <= type->n_extensions; i++)
	{
		const char *urn = i < type->n_extensions ? type->extensions[i]->id : type->schema->id;
		size_t		len = strlen(urn);

		if (len > longest && text.len > len && text.ptr[len] == '.' && scim_name_is((ScimStr) {text.ptr, len}, urn))
			longest = len;
	}
	return longest;
}

/* A path with its URN and its filter's literals made right; the same text when nothing was wrong. */
static ScimStr
normal_path(ScimNormal *normal, ScimStr text)
{
	size_t		len;
	const char *urn = scim_normal_urn(normal, text, &len);
	char	   *copy;

	if (urn != NULL)
	{
		copy = scim_sprintf(normal->arena, "%s%.*s", urn, (int) (text.len - len), text.ptr + len);
		if (copy != NULL)
			text = (ScimStr) {copy, strlen(copy)};
		normal->failed = normal->failed || copy == NULL;
	}
	len = dotted_urn(normal->type, text);
	if (len > 0 && scim_normal_use(normal, SCIM_PASS_DOTTED_URN))
	{
		copy = scim_strdup(normal->arena, text);
		if (copy != NULL)
		{
			copy[len] = ':';
			text.ptr = copy;
		}
		normal->failed = normal->failed || copy == NULL;
	}
	scim_normal_filter(normal, &text);
	return text;
}

/* ---- remove with a value ---- */

/* Append "sub eq literal" for a member of an element; false when it has no such simple value. */
static bool
put_equality(ScimBuf *filter, const ScimAttribute *sub, ScimJson *element, const char *separator)
{
	ScimJson   *value = json_object_is_type(element, json_type_object) ? scim_json_get(element, sub->name, NULL) : NULL;
	ScimStr		text = scim_json_str(value);

	if (text.len > 0 && sub->type != SCIM_TYPE_BOOLEAN)
	{
		scim_buf_printf(filter, "%s%s eq ", separator, sub->name);
		scim_buf_json_string(filter, text.ptr, text.len);
		return true;
	}
	if (!json_object_is_type(value, json_type_boolean))
		return false;
	scim_buf_printf(filter, "%s%s eq %s", separator, sub->name, json_object_get_boolean(value) ? "true" : "false");
	return true;
}

/*
 * Append what selects the element: its value, with its type unless the
 * attribute is a link; without a value, all that it has.  false when that is
 * nothing.
 */
static bool
put_element(ScimNormal *normal, ScimBuf *filter, const ScimAttribute *attr, ScimJson *element)
{
	const ScimAttribute *value = scim_sub_attribute(attr, SCIM_STR("value"));
	const ScimAttribute *type = scim_sub_attribute(attr, SCIM_STR("type"));
	ScimStr		text = scim_json_str(element);
	bool		found = false;

	if (attr->type != SCIM_TYPE_COMPLEX && text.ptr != NULL)
	{
		scim_buf_str(filter, "value eq ");
		scim_buf_json_string(filter, text.ptr, text.len);
		return true;
	}
	if (value != NULL && scim_type_link(normal->type, attr) != NULL)
		return put_equality(filter, value, element, "");
	scim_buf_char(filter, '(');
	if (value != NULL && put_equality(filter, value, element, ""))
	{
		found = true;
		if (type != NULL)
			(void) put_equality(filter, type, element, " and ");
	}
	for (size_t i = 0; i < attr->n_sub && !scim_json_get(element, "value", NULL); i++)
		found = put_equality(filter, &attr->sub[i], element, found ? " and " : "") || found;
	scim_buf_char(filter, ')');
	return found;
}

static void
remove_with_value(ScimNormal *normal, Operation *operation, const ScimPath *path, ScimJson *value)
{
	bool		is_array = json_object_is_type(value, json_type_array);
	size_t		n = is_array ? json_object_array_length(value) : 1;
	char	   *name = scim_path_text(normal->arena, path);
	bool		found = n > 0;
	ScimBuf		filter;

	scim_buf_init(&filter, normal->arena, (size_t) 64 << 20);
	scim_buf_printf(&filter, "%s[", name != NULL ? name : "");
	for (size_t i = 0; i < n && found; i++)
	{
		if (i > 0)
			scim_buf_str(&filter, " or ");
		found = put_element(normal, &filter, path->attr, is_array ? json_object_array_get_idx(value, i) : value);
	}
	scim_buf_char(&filter, ']');
	normal->failed = normal->failed || name == NULL || filter.failed;
	if (normal->failed || !found || !scim_normal_use(normal, SCIM_PASS_REMOVE_VALUE))
		return;
	set_member(normal, operation->json, "path", scim_normal_string(normal, filter.data, filter.len));
	set_member(normal, operation->json, "value", NULL);
}

/* ---- add at members[value eq "x"] ---- */

static void
take_literal(void *context, ScimStr literal)
{
	*(ScimStr *) context = literal;
}

static void
add_with_filter(ScimNormal *normal, Operation *operation, const ScimPath *path, ScimJson *value)
{
	const ScimAttribute *sub = scim_sub_attribute(path->attr, SCIM_STR("value"));
	const ScimFilter *filter = path->value_filter;
	char	   *name;
	ScimStr		literal = SCIM_STR_NONE;

	if (scim_type_link(normal->type, path->attr) == NULL || path->sub != NULL ||
		filter->kind != SCIM_FILTER_COMPARE || !scim_filter_is_choice(filter, sub, take_literal, &literal) ||
		!scim_normal_use(normal, SCIM_PASS_ADD_FILTER))
		return;
	if (!json_object_is_type(value, json_type_object))
		value = scim_json_object(normal->arena);
	name = scim_path_text(normal->arena, &(ScimPath) {.extension = path->extension, .attr = path->attr});
	if (value == NULL || name == NULL)
	{
		normal->failed = true;
		return;
	}
	if (scim_json_get(value, "value", NULL) == NULL)
		scim_normal_set(normal, value, "value", scim_normal_string(normal, literal.ptr, literal.len));
	set_member(normal, operation->json, "path", scim_normal_string(normal, name, strlen(name)));
	set_member(normal, operation->json, "value", value);
}

/* ---- operations ---- */

/* The value of an operation at a path. */
static ScimJson *
value_at(ScimNormal *normal, const Operation *operation, const ScimPath *path, ScimJson *value)
{
	if (path->attr == NULL)
	{
		if (json_object_is_type(value, json_type_object))
			scim_normal_attributes(normal, path->extension, value);
		return value;
	}
	if (path->sub != NULL)
		return scim_normal_value(normal, path->sub, value, false);
	if (path->value_filter != NULL && json_object_is_type(value, json_type_array) &&
		json_object_array_length(value) == 1 && scim_normal_use(normal, SCIM_PASS_OBJECT))
		value = json_object_array_get_idx(value, 0);

	/* add takes one element as well as an array (RFC 7644 section 3.5.2.1). */
	if (path->value_filter != NULL || (path->attr->multi_valued && !scim_name_is(operation->op, "replace") &&
									   !json_object_is_type(value, json_type_array)))
		return scim_normal_value(normal, path->attr, value, true);
	return scim_normal_value(normal, path->attr, value, false);
}

/* An operation with a path. */
static void
normalise_at_path(ScimNormal *normal, Operation *operation, ScimStr text)
{
	ScimStr		better = normal_path(normal, text);
	ScimJson   *value = scim_json_get(operation->json, "value", NULL);
	ScimJson   *normal_value;
	ScimPath	path;
	ScimStatus	status;

	if (normal->failed)
		return;
	if (better.ptr != text.ptr)
		set_member(normal, operation->json, "path", scim_normal_string(normal, better.ptr, better.len));
	status = scim_path_parse(normal->arena, normal->type, better, &path, NULL);
	normal->failed = normal->failed || status == SCIM_NO_MEMORY;
	if (status != SCIM_OK)
		return;
	normal_value = value != NULL ? value_at(normal, operation, &path, value) : NULL;
	if (normal_value != value)
		set_member(normal, operation->json, "value", normal_value);
	if (path.attr == NULL || normal->failed)
		return;
	if (scim_name_is(operation->op, "add") && path.value_filter != NULL)
		add_with_filter(normal, operation, &path, normal_value);
	else if (scim_name_is(operation->op, "remove") && path.value_filter == NULL && path.sub == NULL &&
			 path.attr->multi_valued && normal_value != NULL)
		remove_with_value(normal, operation, &path, normal_value);
}

/* Append an operation to the new list. */
static void
emit(ScimNormal *normal, Operation *operation)
{
	if (!scim_json_append(operation->operations, operation->json))
		normal->failed = true;
}

/* ---- paths as keys ---- */

/* A member of a value without path whose name is a path. */
typedef struct PathMember
{
	struct PathMember *next;
	const char *path;
	ScimJson   *value;
} PathMember;

/* Is the key a path that is more than an attribute's or a schema's name? */
static bool
is_path_key(ScimNormal *normal, const ScimSchema *extension, const char *path, ScimStr key)
{
	unsigned	changed = normal->changed;
	ScimStr		text = {path, strlen(path)};
	ScimPath	parsed;
	ScimStatus	status;

	if (extension != NULL ? scim_schema_attribute(extension, key) != NULL
		: scim_type_attribute(normal->type, key) != NULL || scim_type_extension(normal->type, key) != NULL)
		return false;
	text = normal_path(normal, text);
	normal->changed = changed;
	status = scim_path_parse(normal->arena, normal->type, text, &parsed, NULL);
	normal->failed = normal->failed || status == SCIM_NO_MEMORY;
	return status == SCIM_OK && parsed.attr != NULL;
}

/* Hang in a member whose name is a path; false when it is none, or not to be forgiven. */
static bool
take_path_key(ScimNormal *normal, const ScimSchema *extension, const char *key, ScimJson *value, PathMember ***end)
{
	const char *path = key;
	PathMember *member;

	if ((normal->passes & SCIM_PASS_PATH_KEY) == 0)
		return false;
	if (extension != NULL)
		path = scim_sprintf(normal->arena, "%s:%s", extension->id, key);
	if (path == NULL)
		normal->failed = true;
	if (path == NULL || !is_path_key(normal, extension, path, (ScimStr) {key, strlen(key)}))
		return false;
	member = scim_alloc(normal->arena, sizeof(PathMember));
	if (member == NULL)
	{
		normal->failed = true;
		return false;
	}
	*member = (PathMember) {.path = path, .value = value};
	**end = member;
	*end = &member->next;
	return scim_normal_use(normal, SCIM_PASS_PATH_KEY);
}

/* The members of a value without path, or of an extension in it, whose names are no paths. */
static ScimJson *
plain_members(ScimNormal *normal, const ScimSchema *extension, ScimJson *from, PathMember ***end)
{
	ScimJson   *plain = scim_json_object(normal->arena);
	struct json_object_iter member;

	if (plain == NULL)
	{
		normal->failed = true;
		return NULL;
	}
	json_object_object_foreachC(from, member)
	{
		ScimStr		key = {member.key, strlen(member.key)};
		size_t		len;
		const char *urn = extension == NULL ? scim_normal_urn(normal, key, &len) : NULL;
		const char *name = urn != NULL && len == key.len ? urn : member.key;
		const ScimSchema *inner = extension == NULL ? scim_type_extension(normal->type, (ScimStr) {name, strlen(name)}) : NULL;
		ScimJson   *value = member.val;

		if (take_path_key(normal, extension, name, value, end))
			continue;
		if (inner != NULL && json_object_is_type(value, json_type_object))
			value = plain_members(normal, inner, value, end);
		scim_normal_set(normal, plain, name, value);
	}
	return plain;
}

/* An operation of its own for a member whose name is a path. */
static void
emit_path_member(ScimNormal *normal, const Operation *original, const PathMember *member)
{
	Operation	extracted = {.json = scim_json_object(normal->arena), .op = original->op, .operations = original->operations};
	size_t		len = strlen(member->path);

	if (extracted.json == NULL)
	{
		normal->failed = true;
		return;
	}
	scim_normal_set(normal, extracted.json, "op", scim_normal_string(normal, original->op.ptr, original->op.len));
	scim_normal_set(normal, extracted.json, "path", scim_normal_string(normal, member->path, len));
	scim_normal_set(normal, extracted.json, "value", member->value);
	normalise_at_path(normal, &extracted, (ScimStr) {member->path, len});
	emit(normal, &extracted);
}

/* An operation without path, whose value is an object: its plain members, and then its paths. */
static void
normalise_members(ScimNormal *normal, Operation *operation, ScimJson *value)
{
	PathMember *paths = NULL;
	PathMember **end = &paths;
	ScimJson   *plain;

	/* Its members are read again after the operation has let go of it. */
	if (scim_own(normal->arena, json_object_get(value)) == NULL)
		normal->failed = true;
	plain = !normal->failed ? plain_members(normal, NULL, value, &end) : NULL;
	if (plain == NULL || normal->failed)
		return;
	scim_normal_attributes(normal, NULL, plain);
	set_member(normal, operation->json, "value", plain);
	if (paths == NULL || json_object_object_length(plain) > 0)
		emit(normal, operation);
	for (; paths != NULL && !normal->failed; paths = paths->next)
		emit_path_member(normal, operation, paths);
}

/* A value that is JSON in a string; NULL when it is none. */
static ScimJson *
parsed_value(ScimNormal *normal, ScimJson *value)
{
	ScimJson   *parsed = NULL;
	ScimStatus	status;

	if (!json_object_is_type(value, json_type_string))
		return NULL;
	status = scim_json_parse(normal->arena, scim_json_str(value), &parsed, NULL);
	normal->failed = normal->failed || status == SCIM_NO_MEMORY;
	if (status != SCIM_OK || !json_object_is_type(parsed, json_type_object))
		return NULL;
	return scim_normal_use(normal, SCIM_PASS_JSON_STRING) ? parsed : NULL;
}

static void
normalise_operation(ScimNormal *normal, Operation *operation)
{
	ScimJson   *path;
	ScimJson   *value;
	ScimJson   *parsed;

	if (!json_object_is_type(operation->json, json_type_object))
	{
		emit(normal, operation);
		return;
	}
	normalise_op(normal, operation);
	path = scim_json_get(operation->json, "path", NULL);
	if (path != NULL)
	{
		if (json_object_is_type(path, json_type_string))
			normalise_at_path(normal, operation, scim_json_str(path));
		emit(normal, operation);
		return;
	}
	value = scim_json_get(operation->json, "value", NULL);
	parsed = parsed_value(normal, value);
	if (parsed != NULL)
		value = parsed;
	if (json_object_is_type(value, json_type_object) &&
		(scim_name_is(operation->op, "add") || scim_name_is(operation->op, "replace")))
		normalise_members(normal, operation, value);
	else
		emit(normal, operation);
}

void
scim_normal_patch(ScimNormal *normal, ScimJson *body)
{
	ScimJson   *operations = scim_json_get(body, "Operations", NULL);
	ScimJson   *result = scim_json_array(normal->arena);

	if (!json_object_is_type(operations, json_type_array))
		return;
	if (result == NULL)
		normal->failed = true;
	for (size_t i = 0; i < json_object_array_length(operations) && !normal->failed; i++)
		normalise_operation(normal, &(Operation) {.json = json_object_array_get_idx(operations, i), .operations = result});
	if (!normal->failed && normal->changed != 0)
		set_member(normal, body, "Operations", result);
}
