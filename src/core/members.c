/*
 * members.c
 *		The members of a JSON object, as they stand in its text (see
 *		members.h).
 */
#include "core/members.h"

#include <string.h>

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static const char *
skip_space(const char *pos, const char *end)
{
	while (pos < end && is_space(*pos))
		pos++;
	return pos;
}

/* Is one of these eight bytes a quote or a backslash?  (Each byte that is zero after the XOR borrows.) */
static bool
has_special(const char *pos)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	uint64_t	word;
	uint64_t	quotes;
	uint64_t	backslashes;

	memcpy(&word, pos, sizeof word);
	quotes = word ^ (ones * '"');
	backslashes = word ^ (ones * '\\');
	return ((((quotes - ones) & ~quotes) | ((backslashes - ones) & ~backslashes)) & (ones << 7)) != 0;
}

/* Past a string that begins at pos. */
static const char *
skip_string(const char *pos, const char *end)
{
	pos++;
	for (;;)
	{
		while (end - pos >= 8 && !has_special(pos))
			pos += 8;
		while (pos < end && *pos != '"' && *pos != '\\')
			pos++;
		if (end - pos < 2 || *pos == '"')
			return pos < end ? pos + 1 : end;
		pos += 2;
	}
}

/* Past an object or array that begins at pos. */
static const char *
skip_nested(const char *pos, const char *end)
{
	int			depth = 0;

	while (pos < end)
	{
		char		c = *pos;

		if (c == '"')
		{
			pos = skip_string(pos, end);
			continue;
		}
		pos++;
		if (c == '{' || c == '[')
			depth++;
		else if ((c == '}' || c == ']') && --depth == 0)
			break;
	}
	return pos;
}

/* Past the value that begins at pos. */
static const char *
skip_value(const char *pos, const char *end)
{
	if (pos < end && *pos == '"')
		return skip_string(pos, end);
	if (pos < end && (*pos == '{' || *pos == '['))
		return skip_nested(pos, end);
	while (pos < end && *pos != ',' && *pos != '}' && *pos != ']' && !is_space(*pos))
		pos++;
	return pos;
}

/* Start behind the bracket that a text begins with; at its end when it begins otherwise. */
static void
begin(ScimMembers *members, ScimStr text, char bracket)
{
	members->end = text.ptr + text.len;
	members->pos = text.ptr != NULL ? skip_space(text.ptr, members->end) : members->end;
	if (members->pos < members->end && *members->pos == bracket)
		members->pos++;
	else
		members->pos = members->end;
}

void
scim_members_begin(ScimMembers *members, ScimStr object)
{
	begin(members, object, '{');
}

void
scim_elements_begin(ScimMembers *elements, ScimStr array)
{
	begin(elements, array, '[');
}

bool
scim_elements_next(ScimMembers *elements, ScimStr *value)
{
	const char *end = elements->end;
	const char *pos = skip_space(elements->pos, end);

	if (pos < end && *pos == ',')
		pos = skip_space(pos + 1, end);
	if (pos >= end || *pos == ']')
		return false;
	value->ptr = pos;
	elements->pos = skip_value(pos, end);
	value->len = (size_t) (elements->pos - pos);
	return value->len > 0;
}

bool
scim_members_name(ScimMembers *members, ScimStr *name)
{
	const char *end = members->end;
	const char *pos = skip_space(members->pos, end);

	if (pos < end && *pos == ',')
		pos = skip_space(pos + 1, end);
	if (pos >= end || *pos != '"')
		return false;
	name->ptr = pos;
	pos = skip_string(pos, end);
	name->len = (size_t) (pos - name->ptr);
	pos = skip_space(pos, end);
	if (pos >= end || *pos != ':')
		return false;
	members->pos = skip_space(pos + 1, end);
	return true;
}

ScimStr
scim_members_value(ScimMembers *members)
{
	const char *value = members->pos;

	members->pos = skip_value(value, members->end);
	return (ScimStr) {value, (size_t) (members->pos - value)};
}

void
scim_members_enter(const ScimMembers *members, ScimMembers *inner)
{
	scim_members_begin(inner, (ScimStr) {members->pos, (size_t) (members->end - members->pos)});
}

void
scim_members_leave(ScimMembers *members, const ScimMembers *inner)
{
	const char *pos = skip_space(inner->pos, inner->end);

	members->pos = pos < inner->end && *pos == '}' ? pos + 1 : inner->end;
}

bool
scim_members_next(ScimMembers *members, ScimMember *member)
{
	if (!scim_members_name(members, &member->name))
		return false;
	member->value = scim_members_value(members);
	member->whole = (ScimStr) {member->name.ptr, (size_t) (members->pos - member->name.ptr)};
	return true;
}

ScimStr
scim_member_value(ScimStr object, ScimStr name)
{
	ScimMembers members;
	ScimMember	member;

	scim_members_begin(&members, object);
	while (scim_members_next(&members, &member))
		if (member.name.len == name.len && memcmp(member.name.ptr, name.ptr, name.len) == 0)
			return member.value;
	return SCIM_STR_NONE;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 0;
}

size_t
scim_member_unescape(ScimStr string, char *out)
{
	static const char letters[] = "btnfr";
	static const char meaning[] = "\b\t\n\f\r";
	size_t		len = 0;

	for (size_t i = 1; i + 1 < string.len; i++)
	{
		char		c = string.ptr[i];
		const char *known;

		if (c == '\\' && i + 2 < string.len)
		{
			c = string.ptr[++i];
			known = c != '\0' ? strchr(letters, c) : NULL;
			if (c == 'u' && i + 5 < string.len)
			{
				c = (char) (hex_digit(string.ptr[i + 3]) * 16 + hex_digit(string.ptr[i + 4]));
				i += 4;
			}
			else if (known != NULL)
				c = meaning[known - letters];
		}
		out[len++] = c;
	}
	return len;
}
