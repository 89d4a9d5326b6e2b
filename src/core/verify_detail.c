/*
 * verify_detail.c
 *		The members of a detail that a check rests on (see verify.h): what an
 *		erasure names, and from which configuration to which a change went.
 *
 * Of several members of one name the last counts, and names and strings
 * count by what they stand for, however they are escaped: as every JSON
 * parser has it.  All that is looked for is ASCII.
 */
#include "core/members.h"
#include "core/verify_internal.h"

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The character of \uXXXX, from its first digit; -1 when it is not ASCII. */
static int
unicode_escape(const char *digits)
{
	int			code = 0;

	for (size_t i = 0; i < 4; i++)
	{
		if (hex_value(digits[i]) < 0)
			return -1;
		code = code * 16 + hex_value(digits[i]);
	}
	return code < 0x80 ? code : -1;
}

/*
 * What a string literal stands for, when it is ASCII without control
 * characters and not longer than size; -1 otherwise.
 */
static int
ascii_string(ScimStr literal, char *out, int size)
{
	int			len = 0;

	if (literal.len < 2 || literal.ptr[0] != '"')
		return -1;
	for (size_t i = 1; i + 1 < literal.len; i++)
	{
		int			c = (unsigned char) literal.ptr[i];

		if (c == '\\')
		{
			c = (unsigned char) literal.ptr[++i];
			if (c == 'u')
			{
				c = i + 5 < literal.len ? unicode_escape(literal.ptr + i + 1) : -1;
				i += 4;
			}
			else if (c != '"' && c != '\\' && c != '/')
				return -1;
		}
		if (c < 0x20 || c >= 0x7F || len == size)
			return -1;
		out[len++] = (char) c;
	}
	return len;
}

static ScimStr
last_member(ScimStr object, const char *name)
{
	ScimStr		value = SCIM_STR_NONE;
	ScimMembers members;
	ScimMember	member;
	char		text[32];

	scim_members_begin(&members, object);
	while (scim_members_next(&members, &member))
	{
		int			len = ascii_string(member.name, text, sizeof text);

		if (len == (int) strlen(name) && memcmp(text, name, (size_t) len) == 0)
			value = member.value;
	}
	return value;
}

bool
scim_verify_hash_member(ScimStr detail, const char *name, uint8_t out[SCIM_HASH_SIZE])
{
	char		text[2 * SCIM_HASH_SIZE];
	ScimStr		value = last_member(detail, name);

	if (value.ptr == NULL || ascii_string(value, text, sizeof text) != sizeof text)
		return false;
	for (int i = 0; i < SCIM_HASH_SIZE; i++)
	{
		char		high = text[2 * i];
		char		low = text[2 * i + 1];

		if (hex_value(high) < 0 || hex_value(low) < 0 || (high >= 'A' && high <= 'F') || (low >= 'A' && low <= 'F'))
			return false;
		out[i] = (uint8_t) (hex_value(high) * 16 + hex_value(low));
	}
	return true;
}

void
scim_verify_note_erasure(ScimVerify *verify, const ScimVerifyEvent *event)
{
	ScimMembers elements;
	ScimStr		value;
	char		text[SCIM_EVENT_ID_MAX];

	if (!scim_verify_is_type(event, "log.erase") || event->detail.ptr == NULL)
		return;
	scim_elements_begin(&elements, last_member(event->detail, "events"));
	while (scim_elements_next(&elements, &value))
	{
		int			len = ascii_string(value, text, sizeof text);

		if (len > 0)
			verify->calls.erased(verify->calls.arg, (ScimStr) {text, (size_t) len});
	}
}
