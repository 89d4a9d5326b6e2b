/*
 * json_tree.c
 *		json-c's tree of a JSON text (see json_tree.h).
 *
 * The text was scanned before, so this reads it without looking for
 * mistakes.  json-c's own tokener makes a locale for each text, takes strings
 * byte by byte and looks each new member up before it adds it.  Only a number
 * with a fraction or an exponent is left to it, for it reads and spells them
 * whatever the locale.
 */
#include "core/json_tree.h"

#include "core/json_scan.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#define SHORT_STRING 256

static bool read_value(const char **p, const char *end, json_object **json);

static void
skip_space(const char **p)
{
	while (**p == ' ' || **p == '\t' || **p == '\n' || **p == '\r')
		(*p)++;
}

/* At an opening quote: step over the string; what is inside, and whether there are escapes in it. */
static ScimStr
read_string(const char **p, const char *end, bool *escaped)
{
	const char *first = ++*p;
	const char *quote = memchr(first, '"', (size_t) (end - first));
	const char *backslash = memchr(first, '\\', (size_t) (quote - first));

	*escaped = backslash != NULL;
	if (*escaped)
	{
		for (quote = backslash; *quote != '"'; quote++)
			quote += *quote == '\\';
	}
	*p = quote + 1;
	return (ScimStr) {first, (size_t) (quote - first)};
}

static bool
string_value(const char **p, const char *end, json_object **json)
{
	char		short_copy[SHORT_STRING];
	bool		escaped;
	ScimStr		inside = read_string(p, end, &escaped);
	char	   *copy = inside.len <= sizeof(short_copy) ? short_copy : NULL;

	if (!escaped)
	{
		*json = json_object_new_string_len(inside.ptr, (int) inside.len);
		return *json != NULL;
	}
	if (copy == NULL && (copy = malloc(inside.len)) == NULL)
		return false;
	*json = json_object_new_string_len(copy, (int) scim_json_unescape(inside, copy));
	if (copy != short_copy)
		free(copy);
	return *json != NULL;
}

/* By json-c: a double that keeps its spelling. */
static bool
double_value(ScimStr text, json_object **json)
{
	json_tokener *tokener = json_tokener_new();

	if (tokener == NULL)
		return false;
	*json = json_tokener_parse_ex(tokener, text.ptr, (int) text.len);

	/* A number ends only where the text does. */
	if (*json == NULL && json_tokener_get_error(tokener) == json_tokener_continue)
		*json = json_tokener_parse_ex(tokener, "", 1);
	json_tokener_free(tokener);
	return *json != NULL;
}

static bool
number_value(const char **p, const char *end, json_object **json)
{
	const char *first = *p;
	bool		negative = *first == '-';
	uint64_t	magnitude = 0;

	for (*p += negative; *p < end && **p >= '0' && **p <= '9'; (*p)++)
		magnitude = magnitude * 10 + (uint64_t) (**p - '0');
	if (*p == end || (**p != '.' && **p != 'e' && **p != 'E'))
	{
		*json = json_object_new_int64(negative ? (int64_t) (0 - magnitude) : (int64_t) magnitude);
		return *json != NULL;
	}
	while (*p < end && **p != '\0' && strchr("0123456789+-.eE", **p) != NULL)
		(*p)++;
	return double_value((ScimStr) {first, (size_t) (*p - first)}, json);
}

/* "name" : value; names in an object are known to differ. */
static bool
read_member(const char **p, const char *end, json_object *object)
{
	char		short_name[SHORT_STRING];
	bool		escaped;
	ScimStr		inside = read_string(p, end, &escaped);
	char	   *name = inside.len < sizeof(short_name) ? short_name : malloc(inside.len + 1);
	json_object *value = NULL;
	bool		done;

	if (name == NULL)
		return false;
	if (escaped)
		inside.len = scim_json_unescape(inside, name);
	else
		memcpy(name, inside.ptr, inside.len);
	name[inside.len] = '\0';

	skip_space(p);
	(*p)++;						/* : */
	skip_space(p);
	done = read_value(p, end, &value);
	if (done && json_object_object_add_ex(object, name, value, JSON_C_OBJECT_ADD_KEY_IS_NEW) != 0)
	{
		json_object_put(value);
		done = false;
	}
	if (name != short_name)
		free(name);
	return done;
}

static bool
read_element(const char **p, const char *end, json_object *array)
{
	json_object *value = NULL;

	if (!read_value(p, end, &value))
		return false;
	if (json_object_array_add(array, value) == 0)
		return true;
	json_object_put(value);
	return false;
}

/* At an opening brace or bracket; on false, *json is what was made so far. */
static bool
container_value(const char **p, const char *end, json_object **json)
{
	bool		object = **p == '{';
	char		close = object ? '}' : ']';

	*json = object ? json_object_new_object() : json_object_new_array();
	if (*json == NULL)
		return false;
	for ((*p)++, skip_space(p); **p != close; skip_space(p))
	{
		if (**p == ',')
		{
			(*p)++;
			skip_space(p);
		}
		if (!(object ? read_member(p, end, *json) : read_element(p, end, *json)))
			return false;
	}
	(*p)++;
	if (!object)
		json_object_array_shrink(*json, 0);
	return true;
}

/* One value; *json is NULL for null, and when out of memory (false). */
static bool
read_value(const char **p, const char *end, json_object **json)
{
	bool		truth;
	bool		done = true;

	*json = NULL;
	switch (**p)
	{
		case '{':
		case '[':
			done = container_value(p, end, json);
			break;
		case '"':
			done = string_value(p, end, json);
			break;
		case 't':
		case 'f':
			truth = **p == 't';
			*p += truth ? 4 : 5;
			*json = json_object_new_boolean(truth);
			done = *json != NULL;
			break;
		case 'n':
			*p += 4;
			break;
		default:
			done = number_value(p, end, json);
			break;
	}
	if (done)
		return true;
	json_object_put(*json);
	*json = NULL;
	return false;
}

ScimStatus
scim_json_tree(ScimStr value, ScimJson **json, ScimError *err)
{
	const char *p = value.ptr;

	return read_value(&p, value.ptr + value.len, json) ? SCIM_OK
		: scim_error(err, SCIM_NO_MEMORY, "out of memory");
}
