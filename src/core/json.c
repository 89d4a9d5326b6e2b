/*
 * json.c
 *		Strict JSON in, our own serialisation out (see json.h).
 *
 * Nothing here depends on json-c's process-wide options: another library in
 * the same process may have set them.
 */
#include "core/json.h"

#include "core/json_scan.h"
#include "core/text.h"

#include <json-c/json.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FEW_MEMBERS 16

/*
 * json-c's tree of a text that the scan accepted, NULL also for null.  What
 * json-c refuses after the scan can only be for want of memory: old versions
 * then report success and stop before the end.  Its own strictness stays off:
 * the scan is stricter, and json-c 0.18 in strict mode refuses every byte
 * above 0x7f (json-c issue 875).
 */
static ScimStatus
build_tree(ScimStr value, json_object **json, ScimError *err)
{
	json_tokener *tokener = json_tokener_new_ex(SCIM_JSON_MAX_DEPTH + 2);
	bool		whole;

	if (tokener == NULL)
		return scim_error(err, SCIM_NO_MEMORY, "out of memory");
	*json = json_tokener_parse_ex(tokener, value.ptr, (int) value.len);
	whole = json_tokener_get_parse_end(tokener) == value.len;

	/* A number at the top ends only where the text does. */
	if (whole && json_tokener_get_error(tokener) == json_tokener_continue)
		*json = json_tokener_parse_ex(tokener, "", 1);
	whole = whole && json_tokener_get_error(tokener) == json_tokener_success;
	json_tokener_free(tokener);
	if (whole)
		return SCIM_OK;
	json_object_put(*json);
	*json = NULL;
	return scim_error(err, SCIM_NO_MEMORY, "out of memory");
}

ScimStatus
scim_json_parse(ScimArena *arena, ScimStr text, ScimJson **out, ScimError *err)
{
	json_object *json = NULL;
	ScimStr		value;
	ScimStatus	status;

	*out = NULL;
	if (text.len > INT_MAX)
		return scim_error(err, SCIM_PAYLOAD_TOO_LARGE, "the JSON text has %zu bytes", text.len);
	status = scim_json_scan(arena, text, &value, err);
	if (status == SCIM_OK)
		status = build_tree(value, &json, err);
	if (status != SCIM_OK || json == NULL)
		return status;
	*out = scim_own(arena, json);
	return *out != NULL ? SCIM_OK : scim_error(err, SCIM_NO_MEMORY, "out of memory");
}

/* The shortest of 15 to 17 digits that reads back as the same double; JSON has no infinity. */
static void
write_double(ScimBuf *buf, double value)
{
	char		text[40];

	if (!isfinite(value))
	{
		scim_buf_str(buf, "null");
		return;
	}
	for (int precision = 15; precision <= 17; precision++)
	{
		snprintf(text, sizeof(text), "%.*g", precision, value);
		if (strtod(text, NULL) == value)
			break;
	}

	/* A locale may have written another decimal point. */
	for (char *p = text; *p != '\0'; p++)
	{
		if (strchr("0123456789eE+-", *p) == NULL)
			*p = '.';
	}
	scim_buf_str(buf, text);
	if (strpbrk(text, ".e") == NULL)
		scim_buf_str(buf, ".0");
}

static void
write_number(ScimBuf *buf, json_object *json)
{
	/* json-c keeps the spelling of a double it read as the object's user data. */
	const char *spelling = json_object_is_type(json, json_type_double) ? json_object_get_userdata(json) : NULL;

	if (json_object_is_type(json, json_type_int))
		scim_buf_integer(buf, json_object_get_int64(json));
	else if (spelling != NULL && scim_json_is_number((ScimStr) {spelling, strlen(spelling)}))
		scim_buf_str(buf, spelling);
	else
		write_double(buf, json_object_get_double(json));
}

static void
write_object(ScimBuf *buf, json_object *json)
{
	struct json_object_iter member;
	bool		first = true;

	scim_buf_char(buf, '{');
	json_object_object_foreachC(json, member)
	{
		if (!first)
			scim_buf_char(buf, ',');
		first = false;
		scim_buf_json_string(buf, member.key, strlen(member.key));
		scim_buf_char(buf, ':');
		scim_json_write(buf, member.val);
	}
	scim_buf_char(buf, '}');
}

void
scim_json_write(ScimBuf *buf, ScimJson *json)
{
	switch (json_object_get_type(json))
	{
		case json_type_null:
			scim_buf_str(buf, "null");
			break;
		case json_type_boolean:
			scim_buf_str(buf, json_object_get_boolean(json) ? "true" : "false");
			break;
		case json_type_int:
		case json_type_double:
			write_number(buf, json);
			break;
		case json_type_string:
			scim_buf_json_string(buf, json_object_get_string(json), (size_t) json_object_get_string_len(json));
			break;
		case json_type_array:
			scim_buf_char(buf, '[');
			for (size_t i = 0; i < json_object_array_length(json); i++)
			{
				if (i > 0)
					scim_buf_char(buf, ',');
				scim_json_write(buf, json_object_array_get_idx(json, i));
			}
			scim_buf_char(buf, ']');
			break;
		case json_type_object:
			write_object(buf, json);
			break;
	}
}

ScimStr
scim_json_text(ScimArena *arena, ScimJson *json)
{
	ScimBuf		buf;

	scim_buf_init(&buf, arena, SIZE_MAX / 4);
	scim_json_write(&buf, json);
	return buf.failed ? SCIM_STR_NONE : (ScimStr) {buf.data, buf.len};
}

/* scim_name_is for two strings that differ early as a rule. */
static bool
same_name(const char *a, const char *b)
{
	for (; *a != '\0' && scim_ascii_lower(*a) == scim_ascii_lower(*b); a++)
		b++;
	return *a == '\0' && *b == '\0';
}

/* Look through the members; the name as it is written goes before one in another case. */
static bool
look_through(json_object *object, const char *name, json_object **value)
{
	struct json_object_iter member;
	bool		there = false;

	json_object_object_foreachC(object, member)
	{
		bool		exact;

		if (!same_name(member.key, name))
			continue;
		exact = strcmp(member.key, name) == 0;
		if (exact || !there)
			*value = member.val;
		there = true;
		if (exact)
			break;
	}
	return there;
}

ScimJson *
scim_json_get(ScimJson *object, const char *name, bool *found)
{
	json_object *value = NULL;
	bool		there = false;

	if (json_object_is_type(object, json_type_object))
	{
		/* To look through a few members costs less than a hash. */
		if (json_object_object_length(object) > FEW_MEMBERS)
			there = json_object_object_get_ex(object, name, &value);
		there = there || look_through(object, name, &value);
	}
	if (found != NULL)
		*found = there;
	return value;
}

bool
scim_json_has_schema(ScimJson *object, const char *urn)
{
	ScimJson   *schemas = scim_json_get(object, "schemas", NULL);
	size_t		n = json_object_is_type(schemas, json_type_array) ? json_object_array_length(schemas) : 0;

	for (size_t i = 0; i < n; i++)
	{
		if (scim_name_is(scim_json_str(json_object_array_get_idx(schemas, i)), urn))
			return true;
	}
	return false;
}

ScimJson *
scim_json_object(ScimArena *arena)
{
	return scim_own(arena, json_object_new_object());
}

ScimJson *
scim_json_array(ScimArena *arena)
{
	return scim_own(arena, json_object_new_array());
}

ScimJson *
scim_json_string(ScimArena *arena, ScimStr text)
{
	if (text.len > INT_MAX)
		return NULL;
	return scim_own(arena, json_object_new_string_len(text.len > 0 ? text.ptr : "", (int) text.len));
}

bool
scim_json_set(ScimJson *object, const char *name, ScimJson *value)
{
	if (json_object_object_add(object, name, json_object_get(value)) == 0)
		return true;
	json_object_put(value);
	return false;
}

bool
scim_json_append(ScimJson *array, ScimJson *value)
{
	if (json_object_array_add(array, json_object_get(value)) == 0)
		return true;
	json_object_put(value);
	return false;
}

ScimStr
scim_json_str(ScimJson *json)
{
	if (!json_object_is_type(json, json_type_string))
		return SCIM_STR_NONE;
	return (ScimStr) {json_object_get_string(json), (size_t) json_object_get_string_len(json)};
}

ScimJson *
scim_json_copy(ScimArena *arena, ScimJson *json)
{
	json_object *copy = NULL;

	if (json == NULL || json_object_deep_copy(json, &copy, NULL) != 0)
		return NULL;
	return scim_own(arena, copy);
}

/* An integer and a double are equal when the double is that integer exactly. */
static bool
equal_numbers(json_object *a, json_object *b)
{
	json_object *integer = json_object_is_type(a, json_type_int) ? a : b;
	json_object *other = integer == a ? b : a;
	double		value;

	if (!json_object_is_type(integer, json_type_int))
		return json_object_get_double(a) == json_object_get_double(b);
	if (json_object_is_type(other, json_type_int))
		return json_object_get_int64(integer) == json_object_get_int64(other);
	value = json_object_get_double(other);
	return value >= -9223372036854775808.0 && value < 9223372036854775808.0 &&
		value == trunc(value) && (int64_t) value == json_object_get_int64(integer);
}

static bool
equal_arrays(json_object *a, json_object *b)
{
	size_t		n = json_object_array_length(a);

	if (n != json_object_array_length(b))
		return false;
	for (size_t i = 0; i < n; i++)
	{
		if (!scim_json_equal(json_object_array_get_idx(a, i), json_object_array_get_idx(b, i)))
			return false;
	}
	return true;
}

static bool
equal_objects(json_object *a, json_object *b)
{
	struct json_object_iter member;
	json_object *other;

	if (json_object_object_length(a) != json_object_object_length(b))
		return false;
	json_object_object_foreachC(a, member)
	{
		if (!json_object_object_get_ex(b, member.key, &other) || !scim_json_equal(member.val, other))
			return false;
	}
	return true;
}

bool
scim_json_equal(ScimJson *a, ScimJson *b)
{
	json_type	type = json_object_get_type(a);
	json_type	other = json_object_get_type(b);
	bool		numbers = (type == json_type_int || type == json_type_double) &&
	(other == json_type_int || other == json_type_double);

	if (numbers)
		return equal_numbers(a, b);
	if (type != other)
		return false;
	switch (type)
	{
		case json_type_boolean:
			return json_object_get_boolean(a) == json_object_get_boolean(b);
		case json_type_string:
			return json_object_get_string_len(a) == json_object_get_string_len(b) &&
				memcmp(json_object_get_string(a), json_object_get_string(b), (size_t) json_object_get_string_len(a)) == 0;
		case json_type_array:
			return equal_arrays(a, b);
		case json_type_object:
			return equal_objects(a, b);
		default:
			return true;		/* null */
	}
}
