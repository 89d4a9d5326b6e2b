/*
 * redact.c
 *		What of a request may stand in the log (see redact.h).
 */
#include "core/redact.h"

#include "core/json.h"
#include "core/strbuf.h"
#include "core/text.h"

#include <json-c/json.h>
#include <string.h>

/* A text that is percent-encoded this many times over hides something. */
#define MAX_ENCODINGS 5

static const char redacted[] = "[redacted]";

/* Does text hold name, in any case? */
static bool
holds(ScimStr text, const char *name)
{
	size_t		len = strlen(name);

	for (size_t i = 0; i + len <= text.len; i++)
	{
		if (scim_ascii_lower(text.ptr[i]) == scim_ascii_lower(name[0]) &&
			scim_name_is((ScimStr) {text.ptr + i, len}, name))
			return true;
	}
	return false;
}

/* Does text name a secret of any schema? */
static bool
names_secret(const ScimRegistry *registry, ScimStr text)
{
	for (const char *const *name = scim_registry_secrets(registry); *name != NULL; name++)
	{
		if (holds(text, *name))
			return true;
	}
	return false;
}

static bool
holds_any_of(ScimStr text, const char *characters)
{
	for (size_t i = 0; i < text.len; i++)
	{
		if (text.ptr[i] != '\0' && strchr(characters, text.ptr[i]) != NULL)
			return true;
	}
	return false;
}

/* Does a string value seem to hold a secret: JSON, a filter, "password=…"? */
static bool
seems_secret(const ScimRegistry *registry, ScimStr text)
{
	if (holds_any_of(text, "{[=:\"") && names_secret(registry, text))
		return true;
	return holds_any_of(text, "{[") && holds(text, "\\u");
}

static void write_value(ScimBuf *buf, const ScimRegistry *registry, ScimJson *value);

/*
 * Is the object a PATCH operation on a secret?  Its path says so; some
 * clients name the attribute in another member, so with an op any string but
 * the value counts.
 */
static bool
concerns_secret(const ScimRegistry *registry, ScimJson *object)
{
	struct json_object_iter member;
	bool		operation;

	if (names_secret(registry, scim_json_str(scim_json_get(object, "path", NULL))))
		return true;
	(void) scim_json_get(object, "op", &operation);
	if (!operation)
		return false;
	json_object_object_foreachC(object, member)
	{
		if (!scim_name_is((ScimStr) {member.key, strlen(member.key)}, "value") &&
			names_secret(registry, scim_json_str(member.val)))
			return true;
	}
	return false;
}

/* May this member's value be written as it is, in an object that concerns a secret or not? */
static bool
member_harmless(const ScimRegistry *registry, ScimStr name, ScimJson *value, bool secret)
{
	ScimStr		text = scim_json_str(value);
	bool		named = names_secret(registry, text);

	if (value == NULL)
		return true;
	if (names_secret(registry, name))
		return false;

	/* A path may name a secret, but not with a literal it is compared with. */
	if (scim_name_is(name, "path"))
		return !named || !holds_any_of(text, "[{\"( =");
	if (scim_name_is(name, "filter") || scim_name_is(name, "sortBy"))
		return !named;
	return !secret || scim_name_is(name, "op");
}

static void
write_object(ScimBuf *buf, const ScimRegistry *registry, ScimJson *object)
{
	bool		secret = concerns_secret(registry, object);
	struct json_object_iter member;
	bool		first = true;

	scim_buf_char(buf, '{');
	json_object_object_foreachC(object, member)
	{
		ScimStr		name = {member.key, strlen(member.key)};

		if (!first)
			scim_buf_char(buf, ',');
		first = false;
		scim_buf_json_string(buf, name.ptr, name.len);
		scim_buf_char(buf, ':');
		if (!member_harmless(registry, name, member.val, secret))
			scim_buf_json_string(buf, redacted, strlen(redacted));
		else if (scim_name_is(name, "path") && json_object_is_type(member.val, json_type_string))
			scim_json_write(buf, member.val);
		else
			write_value(buf, registry, member.val);
	}
	scim_buf_char(buf, '}');
}

static void
write_value(ScimBuf *buf, const ScimRegistry *registry, ScimJson *value)
{
	if (json_object_is_type(value, json_type_object))
		write_object(buf, registry, value);
	else if (json_object_is_type(value, json_type_array))
	{
		scim_buf_char(buf, '[');
		for (size_t i = 0; i < json_object_array_length(value); i++)
		{
			if (i > 0)
				scim_buf_char(buf, ',');
			write_value(buf, registry, json_object_array_get_idx(value, i));
		}
		scim_buf_char(buf, ']');
	}
	else if (seems_secret(registry, scim_json_str(value)))
		scim_buf_json_string(buf, redacted, strlen(redacted));
	else
		scim_json_write(buf, value);
}

ScimStatus
scim_redact_body(ScimArena *arena, const ScimRegistry *registry, ScimJson *body, ScimStr *text)
{
	ScimBuf		buf;

	scim_buf_init(&buf, arena, SIZE_MAX / 4);
	write_value(&buf, registry, body);
	*text = buf.failed ? SCIM_STR_NONE : (ScimStr) {buf.data, buf.len};
	return buf.failed ? SCIM_NO_MEMORY : SCIM_OK;
}

bool
scim_raw_body_storable(const ScimRegistry *registry, ScimStr body)
{
	return !names_secret(registry, body) && !holds(body, "\\u") &&
		(body.len == 0 || memchr(body.ptr, '\0', body.len) == NULL);
}

static int
hex_value(char c)
{
	unsigned char lower = scim_ascii_lower(c);

	if (lower >= '0' && lower <= '9')
		return lower - '0';
	return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Percent-decode in place, as far as it goes; true when anything changed. */
static bool
decode_once(char *text, size_t *len)
{
	size_t		out = 0;

	for (size_t i = 0; i < *len; i++, out++)
	{
		int			high = text[i] == '%' && i + 2 < *len ? hex_value(text[i + 1]) : -1;
		int			low = high >= 0 ? hex_value(text[i + 2]) : -1;

		text[out] = text[i] == '+' ? ' ' : text[i];
		if (low >= 0)
		{
			text[out] = (char) (high * 16 + low);
			i += 2;
		}
	}
	if (out == *len)
		return false;
	*len = out;
	return true;
}

/* What a part of the query says when decoded until nothing changes; *clear is false when that takes too long. */
static ScimStr
decoded(ScimArena *arena, ScimStr part, bool *clear)
{
	char	   *copy = scim_strdup(arena, part);
	size_t		len = part.len;
	int			rounds = 0;

	if (copy == NULL)
		return SCIM_STR_NONE;
	while (decode_once(copy, &len) && rounds < MAX_ENCODINGS)
		rounds++;
	*clear = rounds < MAX_ENCODINGS;
	return (ScimStr) {copy, len};
}

/* One parameter, name=value; false when out of memory. */
static bool
write_parameter(ScimArena *arena, ScimBuf *buf, const ScimRegistry *registry, ScimStr parameter)
{
	const char *equals = parameter.len > 0 ? memchr(parameter.ptr, '=', parameter.len) : NULL;
	size_t		name_len = equals != NULL ? (size_t) (equals - parameter.ptr) : 0;
	bool		clear = false;
	ScimStr		name = decoded(arena, (ScimStr) {parameter.ptr, name_len}, &clear);
	ScimStr		whole = decoded(arena, parameter, &clear);
	bool		list;

	if (name.ptr == NULL || whole.ptr == NULL)
		return false;
	list = scim_name_is(name, "attributes") || scim_name_is(name, "excludedAttributes");
	if (clear && (!names_secret(registry, whole) || (list && !holds_any_of(whole, "[\""))))
		scim_buf_bytes(buf, parameter.ptr, parameter.len);
	else
	{
		if (equals != NULL)
			scim_buf_bytes(buf, parameter.ptr, name_len + 1);
		scim_buf_str(buf, redacted);
	}
	return true;
}

ScimStr
scim_redact_query(ScimArena *arena, const ScimRegistry *registry, ScimStr query)
{
	ScimBuf		buf;

	if (query.ptr == NULL)
		return SCIM_STR_NONE;
	scim_buf_init(&buf, arena, SIZE_MAX / 4);
	scim_buf_str(&buf, "");
	for (size_t start = 0; start <= query.len;)
	{
		const char *end = start < query.len ? memchr(query.ptr + start, '&', query.len - start) : NULL;
		size_t		len = end != NULL ? (size_t) (end - query.ptr) - start : query.len - start;

		if (start > 0)
			scim_buf_char(&buf, '&');
		if (!write_parameter(arena, &buf, registry, (ScimStr) {query.ptr + start, len}))
			return SCIM_STR_NONE;
		start += len + 1;
	}
	return buf.failed ? SCIM_STR_NONE : (ScimStr) {buf.data, buf.len};
}
