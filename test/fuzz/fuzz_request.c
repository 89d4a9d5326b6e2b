/*
 * fuzz_request.c
 *		Any text as a request: a line with the method, a line with the URI,
 *		and the headers as JSON; its attribute lists as a projection.
 */
#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "core/request.h"
#include "core/response.h"

static void
check(bool holds)
{
	if (!holds)
		abort();
}

/* The next line of the rest. */
static ScimStr
line(ScimStr *rest)
{
	const char *end = rest->len > 0 ? memchr(rest->ptr, '\n', rest->len) : NULL;
	ScimStr		result = *rest;

	if (end == NULL)
	{
		*rest = SCIM_STR_NONE;
		return result;
	}
	result.len = (size_t) (end - rest->ptr);
	rest->ptr = end + 1;
	rest->len -= result.len + 1;
	return result;
}

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ScimArena  *arena = scim_arena_create((size_t) 16 << 20);
	ScimStr		rest = {(const char *) data, size};
	ScimStr		method = line(&rest);
	ScimStr		uri = line(&rest);
	ScimError	err = {SCIM_OK, ""};
	ScimHeaders headers;
	bool		readable;
	ScimProjection *projection;
	ScimRequest request;
	ScimStatus	status;

	if (arena == NULL)
		return 0;
	readable = rest.ptr != NULL && scim_headers_parse(arena, rest, &headers, NULL) == SCIM_OK;
	status = scim_request_parse(arena, scim_registry_builtin(), method, uri, readable ? &headers : NULL, &request, &err);
	check(status == err.status || status == SCIM_NO_MEMORY);
	check(status != SCIM_OK || request.endpoint != SCIM_ENDPOINT_UNKNOWN);
	check(request.list.start_index >= 1 && request.list.count >= 0);
	check((request.endpoint == SCIM_ENDPOINT_RESOURCE) <= (request.type != NULL && request.id.ptr != NULL));
	(void) scim_request_allow(&request);
	(void) scim_etag_matches(request.if_match, 7);
	(void) scim_etag_matches(uri, 7);
	if (request.type != NULL)
		(void) scim_projection_parse(arena, request.type, request.list.attributes, request.list.excluded_attributes, &projection, &err);
	scim_arena_free(arena);
	return 0;
}
