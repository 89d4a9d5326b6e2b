/*
 * members.c
 *		The members of a JSON object, as they stand in its text (see
 *		members.h).
 */
#include "core/members.h"

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

/* Past a string that begins at pos. */
static const char *
skip_string(const char *pos, const char *end)
{
	for (pos++; pos < end && *pos != '"'; pos++)
		if (*pos == '\\')
			pos++;
	return pos < end ? pos + 1 : end;
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

void
scim_members_begin(ScimMembers *members, ScimStr object)
{
	members->end = object.ptr + object.len;
	members->pos = skip_space(object.ptr, members->end);
	if (members->pos < members->end && *members->pos == '{')
		members->pos++;
	else
		members->pos = members->end;
}

bool
scim_members_next(ScimMembers *members, ScimMember *member)
{
	const char *end = members->end;
	const char *pos = skip_space(members->pos, end);

	if (pos < end && *pos == ',')
		pos = skip_space(pos + 1, end);
	if (pos >= end || *pos != '"')
		return false;
	member->name.ptr = pos;
	pos = skip_string(pos, end);
	member->name.len = (size_t) (pos - member->name.ptr);
	pos = skip_space(pos, end);
	if (pos >= end || *pos != ':')
		return false;
	pos = skip_space(pos + 1, end);
	member->value.ptr = pos;
	pos = skip_value(pos, end);
	member->value.len = (size_t) (pos - member->value.ptr);
	member->whole = (ScimStr) {member->name.ptr, (size_t) (pos - member->name.ptr)};
	members->pos = pos;
	return true;
}
