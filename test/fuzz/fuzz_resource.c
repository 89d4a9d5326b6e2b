/*
 * fuzz_resource.c
 *		Any bytes as the body of a POST, and of a PUT on what the POST made.
 *
 * What is accepted must survive its row, be accepted unchanged by the last
 * check, and be rendered as JSON without the password; the redacted body must
 * be JSON.
 */
#include "core/json.h"
#include "core/redact.h"
#include "core/resource.h"
#include "core/response.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "fuzz_resource: %s\n", what);
	abort();
}

static bool
is_json(ScimArena *arena, ScimStr text)
{
	ScimJson   *json;

	return scim_json_parse(arena, text, &json, NULL) == SCIM_OK;
}

static void
check_resource(ScimArena *arena, const ScimResourceType *type, ScimResource *resource)
{
	static const ScimMeta meta = {{"2819c223-7f76-453a-919d-413861904646", 36}, 1, 0, 0};
	ScimStr		values[64];
	ScimStr		again[64];
	ScimJson   *json;
	ScimBuf		buf;
	ScimBuf		shown;

	check(scim_resource_to_row(arena, type, resource->json, values, NULL) == SCIM_OK, "no row");
	check(scim_resource_from_row(arena, type, values, &json, NULL) == SCIM_OK, "the row cannot be read");
	check(scim_json_equal(json, resource->json), "the row says something else");
	check(scim_resource_check(arena, type, json, resource->json, NULL) == SCIM_OK, "what was accepted fails the last check");
	check(scim_json_equal(json, resource->json), "the last check changes what was accepted");
	check(scim_resource_to_row(arena, type, json, again, NULL) == SCIM_OK, "no second row");
	for (size_t i = 0; i < type->n_columns; i++)
		check(values[i].len == again[i].len && (values[i].len == 0 || memcmp(values[i].ptr, again[i].ptr, values[i].len) == 0),
			  "the second row differs");
	check(scim_json_get(resource->json, "password", NULL) == NULL, "the password is in the resource");
	scim_buf_init(&buf, arena, (size_t) 16 << 20);
	scim_response_resource(&buf, type, NULL, json, &meta, NULL, "https://example.com/v2");
	check(!buf.failed && is_json(arena, (ScimStr) {buf.data, buf.len}), "the response is no JSON");
	check(scim_resource_rest_from_row(arena, type, values, &json, NULL) == SCIM_OK, "the rest of the row cannot be read");
	scim_buf_init(&shown, arena, (size_t) 16 << 20);
	scim_response_resource(&shown, type, values, json, &meta, NULL, "https://example.com/v2");
	check(!shown.failed && strcmp(shown.data, buf.data) == 0, "the row is shown otherwise");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const ScimRegistry *registry = scim_registry_builtin();
	ScimArena  *arena = scim_arena_create((size_t) 64 << 20);
	ScimJson   *body;
	ScimStr		text;

	if (arena == NULL || registry == NULL)
		abort();
	if (scim_json_parse(arena, (ScimStr) {(const char *) data, size}, &body, NULL) == SCIM_OK)
	{
		check(scim_redact_body(arena, registry, body, &text) == SCIM_OK && is_json(arena, text), "the redacted body is no JSON");
		for (size_t i = 0; i < scim_registry_type_count(registry); i++)
		{
			const ScimResourceType *type = scim_registry_type(registry, i);
			ScimResource resource;
			ScimResource replaced;
			ScimError	err = {0};
			ScimStatus	status = scim_resource_from_body(arena, type, body, NULL, size % 2 == 0, &resource, &err);

			if (status != SCIM_OK)
			{
				check(err.status == status && err.detail[0] != '\0', "refused without saying why");
				continue;
			}
			check_resource(arena, type, &resource);
			check(scim_resource_from_body(arena, type, body, resource.json, false, &replaced, &err) == SCIM_OK,
				  "what was created cannot replace itself");
			check(scim_json_equal(resource.json, replaced.json), "replaced by itself, it changes");
		}
	}
	scim_arena_free(arena);
	return 0;
}
