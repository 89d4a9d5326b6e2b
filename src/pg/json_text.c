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
	/* Room for both quotes and what lies between, in most cases. */
	enlargeStringInfo(out, (int) len + 2);
	appendStringInfoCharMacro(out, '"');
	for (;;)
	{
		size_t		n = 0;

		while (n < len && (unsigned char) text[n] >= 0x20 && text[n] != 0x7F && text[n] != '"' && text[n] != '\\')
			n++;
		appendBinaryStringInfo(out, text, (int) n);
		if (n == len)
			break;
		append_escape(out, (unsigned char) text[n]);
		text += n + 1;
		len -= n + 1;
	}
	appendStringInfoCharMacro(out, '"');
}
