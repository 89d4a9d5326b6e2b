/*
 * status.c
 *		Status to HTTP code and scimType (RFC 7644 section 3.12, table 9;
 *		RFC 9865 section 2.1).
 */
#include "core/scim.h"

#include <stdio.h>
#include <string.h>

static const struct
{
	int			http;
	const char *type;
}			statuses[] = {
	[SCIM_OK] = {200, NULL},
	[SCIM_INVALID_FILTER] = {400, "invalidFilter"},
	[SCIM_TOO_MANY] = {400, "tooMany"},
	[SCIM_UNIQUENESS] = {409, "uniqueness"},
	[SCIM_MUTABILITY] = {400, "mutability"},
	[SCIM_INVALID_SYNTAX] = {400, "invalidSyntax"},
	[SCIM_INVALID_PATH] = {400, "invalidPath"},
	[SCIM_NO_TARGET] = {400, "noTarget"},
	[SCIM_INVALID_VALUE] = {400, "invalidValue"},
	[SCIM_INVALID_VERS] = {400, "invalidVers"},
	[SCIM_INVALID_CURSOR] = {400, "invalidCursor"},
	[SCIM_EXPIRED_CURSOR] = {400, "expiredCursor"},
	[SCIM_INVALID_COUNT] = {400, "invalidCount"},
	[SCIM_SENSITIVE] = {403, "sensitive"},
	[SCIM_BAD_REQUEST] = {400, NULL},
	[SCIM_UNAUTHORIZED] = {401, NULL},
	[SCIM_FORBIDDEN] = {403, NULL},
	[SCIM_NOT_FOUND] = {404, NULL},
	[SCIM_METHOD_NOT_ALLOWED] = {405, NULL},
	[SCIM_CONFLICT] = {409, NULL},
	[SCIM_PRECONDITION_FAILED] = {412, NULL},
	[SCIM_PAYLOAD_TOO_LARGE] = {413, NULL},
	[SCIM_UNSUPPORTED_MEDIA_TYPE] = {415, NULL},
	[SCIM_PRECONDITION_REQUIRED] = {428, NULL},
	[SCIM_TOO_MANY_REQUESTS] = {429, NULL},
	[SCIM_NOT_IMPLEMENTED] = {501, NULL},
	[SCIM_UNAVAILABLE] = {503, NULL},
	[SCIM_INTERNAL] = {500, NULL},
	[SCIM_NO_MEMORY] = {500, NULL},
};

int
scim_status_http(ScimStatus status)
{
	return statuses[status].http;
}

const char *
scim_status_type(ScimStatus status)
{
	return statuses[status].type;
}

/* Drop a UTF-8 character that a cut at the buffer's end left unfinished. */
static void
trim_partial_character(char *text)
{
	size_t		len = strlen(text);
	size_t		start = len;
	unsigned char lead;
	size_t		need;

	while (start > 0 && ((unsigned char) text[start - 1] & 0xC0) == 0x80)
		start--;
	if (start == 0)
		return;
	lead = (unsigned char) text[start - 1];
	need = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
	if (len - (start - 1) < need)
		text[start - 1] = '\0';
}

ScimStatus
scim_error(ScimError *err, ScimStatus status, const char *fmt, ...)
{
	va_list		args;

	if (err == NULL)
		return status;
	err->status = status;
	va_start(args, fmt);
	if (vsnprintf(err->detail, sizeof(err->detail), fmt, args) >= (int) sizeof(err->detail))
		trim_partial_character(err->detail);
	va_end(args);
	return status;
}
