/*
 * json_text.c
 *		JSON strings into a StringInfo (see json_text.h).
 */
#include "pg/compat.h"

#include "pg/json_text.h"

static void
append_escape(StringInfo out, unsigned char c)
{
	switch (c)
	{
		case '"':
		case '\\':
			appendStringInfoChar(out, '\\');
			appendStringInfoChar(out, (char) c);
			break;
		case '\b':
			appendStringInfoString(out, "\\b");
			break;
		case '\t':
			appendStringInfoString(out, "\\t");
			break;
		case '\n':
			appendStringInfoString(out, "\\n");
			break;
		case '\f':
			appendStringInfoString(out, "\\f");
			break;
		case '\r':
			appendStringInfoString(out, "\\r");
			break;
		default:
			appendStringInfo(out, "\\u%04x", c);
	}
}

void
scim_audit_json_string(StringInfo out, const char *text, size_t len)
{
	size_t		done = 0;

	appendStringInfoChar(out, '"');
	for (size_t i = 0; i < len; i++)
	{
		unsigned char c = (unsigned char) text[i];

		if (c >= 0x20 && c != 0x7F && c != '"' && c != '\\')
			continue;
		appendBinaryStringInfo(out, text + done, (int) (i - done));
		append_escape(out, c);
		done = i + 1;
	}
	appendBinaryStringInfo(out, text + done, (int) (len - done));
	appendStringInfoChar(out, '"');
}
