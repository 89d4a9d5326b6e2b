/*
 * cursor.c
 *		Bounded parsing primitives (see cursor.h).
 */
#include "core/cursor.h"

#include <string.h>

static bool
is_alpha(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_digit(int c)
{
	return c >= '0' && c <= '9';
}

ScimCursor
scim_cursor(ScimStr text)
{
	const char *start = text.ptr != NULL ? text.ptr : "";

	return (ScimCursor) {.start = start, .ptr = start, .end = start + (text.ptr != NULL ? text.len : 0)};
}

bool
scim_cursor_at_end(const ScimCursor *cursor)
{
	return cursor->ptr == cursor->end;
}

size_t
scim_cursor_offset(const ScimCursor *cursor)
{
	return (size_t) (cursor->ptr - cursor->start);
}

int
scim_cursor_peek(const ScimCursor *cursor)
{
	return cursor->ptr < cursor->end ? (unsigned char) *cursor->ptr : -1;
}

bool
scim_cursor_byte(ScimCursor *cursor, char expected)
{
	if (scim_cursor_peek(cursor) != (unsigned char) expected)
		return false;
	cursor->ptr++;
	return true;
}

/* The text from `from` to the cursor. */
static ScimStr
since(const ScimCursor *cursor, const char *from)
{
	return (ScimStr) {from, (size_t) (cursor->ptr - from)};
}

bool
scim_cursor_literal(ScimCursor *cursor, const char *expected)
{
	size_t		len = strlen(expected);

	if ((size_t) (cursor->end - cursor->ptr) < len || memcmp(cursor->ptr, expected, len) != 0)
		return false;
	cursor->ptr += len;
	return true;
}

size_t
scim_cursor_spaces(ScimCursor *cursor)
{
	const char *from = cursor->ptr;

	while (scim_cursor_byte(cursor, ' '))
		;
	return (size_t) (cursor->ptr - from);
}

ScimStr
scim_cursor_line(ScimCursor *cursor)
{
	size_t		left = (size_t) (cursor->end - cursor->ptr);
	const char *newline = left > 0 ? memchr(cursor->ptr, '\n', left) : NULL;
	ScimStr		line;

	if (newline == NULL)
		return SCIM_STR_NONE;
	line = (ScimStr) {cursor->ptr, (size_t) (newline - cursor->ptr)};
	cursor->ptr = newline + 1;
	return line;
}

ScimStr
scim_cursor_word(ScimCursor *cursor)
{
	const char *from = cursor->ptr;

	while (is_alpha(scim_cursor_peek(cursor)))
		cursor->ptr++;
	return since(cursor, from);
}

ScimStr
scim_cursor_name(ScimCursor *cursor)
{
	const char *from = cursor->ptr;
	int			c;

	(void) scim_cursor_byte(cursor, '$');
	if (!is_alpha(scim_cursor_peek(cursor)))
	{
		cursor->ptr = from;
		return SCIM_STR_NONE;
	}
	while (is_alpha(c = scim_cursor_peek(cursor)) || is_digit(c) || c == '-' || c == '_')
		cursor->ptr++;
	return since(cursor, from);
}

static size_t
digits(ScimCursor *cursor)
{
	const char *from = cursor->ptr;

	while (is_digit(scim_cursor_peek(cursor)))
		cursor->ptr++;
	return (size_t) (cursor->ptr - from);
}

ScimStr
scim_cursor_number(ScimCursor *cursor)
{
	const char *from = cursor->ptr;

	(void) scim_cursor_byte(cursor, '-');
	if (!scim_cursor_byte(cursor, '0') && digits(cursor) == 0)
		goto none;
	if (scim_cursor_byte(cursor, '.') && digits(cursor) == 0)
		goto none;
	if (scim_cursor_byte(cursor, 'e') || scim_cursor_byte(cursor, 'E'))
	{
		if (!scim_cursor_byte(cursor, '+'))
			(void) scim_cursor_byte(cursor, '-');
		if (digits(cursor) == 0)
			goto none;
	}
	return since(cursor, from);

none:
	cursor->ptr = from;
	return SCIM_STR_NONE;
}

/* Four hexadecimal digits, or -1. */
static int32_t
hex4(ScimCursor *cursor)
{
	int32_t		value = 0;

	for (int i = 0; i < 4; i++)
	{
		int			c = scim_cursor_peek(cursor);

		if (is_digit(c))
			value = value * 16 + (c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value * 16 + (c - 'a' + 10);
		else if (c >= 'A' && c <= 'F')
			value = value * 16 + (c - 'A' + 10);
		else
			return -1;
		cursor->ptr++;
	}
	return value;
}

/* What stands behind \u, with a second escape where surrogates need it; -1 if malformed. */
static int32_t
unicode_escape(ScimCursor *cursor)
{
	int32_t		high = hex4(cursor);
	int32_t		low;

	if (high < 0xD800 || high > 0xDFFF)
		return high == 0 ? -1 : high;
	if (high > 0xDBFF || !scim_cursor_byte(cursor, '\\') || !scim_cursor_byte(cursor, 'u'))
		return -1;
	low = hex4(cursor);
	if (low < 0xDC00 || low > 0xDFFF)
		return -1;
	return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
}

static char *
put_utf8(char *out, int32_t c)
{
	if (c < 0x80)
		*out++ = (char) c;
	else if (c < 0x800)
	{
		*out++ = (char) (0xC0 | c >> 6);
		*out++ = (char) (0x80 | (c & 0x3F));
	}
	else if (c < 0x10000)
	{
		*out++ = (char) (0xE0 | c >> 12);
		*out++ = (char) (0x80 | (c >> 6 & 0x3F));
		*out++ = (char) (0x80 | (c & 0x3F));
	}
	else
	{
		*out++ = (char) (0xF0 | c >> 18);
		*out++ = (char) (0x80 | (c >> 12 & 0x3F));
		*out++ = (char) (0x80 | (c >> 6 & 0x3F));
		*out++ = (char) (0x80 | (c & 0x3F));
	}
	return out;
}

/* Decode one escape, the cursor behind its backslash; NULL if malformed. */
static char *
put_escape(ScimCursor *cursor, char *out)
{
	static const char escapes[] = "\"\\/bfnrt";
	static const char meanings[] = "\"\\/\b\f\n\r\t";
	int			c = scim_cursor_peek(cursor);
	const char *found = c > 0 ? strchr(escapes, c) : NULL;

	if (c == -1)
		return NULL;
	cursor->ptr++;
	if (found != NULL)
	{
		*out = meanings[found - escapes];
		return out + 1;
	}
	if (c != 'u' || (c = unicode_escape(cursor)) < 0)
		return NULL;
	return put_utf8(out, c);
}

/* Find the closing quote; false when there is none, or a raw control character. */
static bool
string_extent(ScimCursor *cursor, bool *escaped)
{
	int			c;

	*escaped = false;
	while ((c = scim_cursor_peek(cursor)) != '"')
	{
		if (c < 0x20)
			return false;
		cursor->ptr++;
		if (c == '\\')
		{
			*escaped = true;
			if (scim_cursor_at_end(cursor))
				return false;
			cursor->ptr++;
		}
	}
	return true;
}

ScimStatus
scim_cursor_string(ScimCursor *cursor, ScimArena *arena, ScimStr *out)
{
	const char *from = cursor->ptr;
	ScimCursor	inside;
	bool		escaped;
	char	   *decoded;
	char	   *next;

	if (!scim_cursor_byte(cursor, '"') || !string_extent(cursor, &escaped))
	{
		cursor->ptr = from;
		return SCIM_INVALID_SYNTAX;
	}
	*out = since(cursor, from + 1);
	cursor->ptr++;
	if (!escaped)
		return SCIM_OK;

	/* No escape is shorter than what it stands for. */
	inside = scim_cursor(*out);
	if ((decoded = next = scim_alloc(arena, out->len + 1)) == NULL)
		return SCIM_NO_MEMORY;
	while (!scim_cursor_at_end(&inside))
	{
		if (scim_cursor_byte(&inside, '\\'))
			next = put_escape(&inside, next);
		else
			*next++ = *inside.ptr++;
		if (next == NULL)
		{
			cursor->ptr = from;
			return SCIM_INVALID_SYNTAX;
		}
	}
	*out = (ScimStr) {decoded, (size_t) (next - decoded)};
	return SCIM_OK;
}
