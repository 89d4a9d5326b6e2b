/*
 * fuzz_patch.c
 *		Any text as the body of a PATCH, under two profiles, on a fixed user
 *		and a fixed group.
 *
 * What is accepted leaves a canonical resource: read as a body of PUT it is
 * accepted and stays as it is (so that types, required attributes and the one
 * primary are right), and a row made of it makes it again.
 */
#include <stdlib.h>

#include "core/json.h"
#include "core/profile.h"

static const char user[] =
"{\"userName\":\"bjensen\",\"active\":true,\"title\":\"t\",\"name\":{\"familyName\":\"Jensen\",\"givenName\":\"Barbara\"},"
"\"emails\":[{\"value\":\"a@x\",\"type\":\"work\",\"primary\":true},{\"value\":\"b@x\",\"type\":\"home\"}],\"roles\":[{\"value\":\"r\"}],"
"\"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User\":{\"department\":\"d\",\"manager\":{\"value\":\"3819c223-7f76-453a-919d-413861904646\"}}}";
static const char group[] = "{\"displayName\":\"Tour Guides\",\"externalId\":\"g1\"}";

static void
check(bool holds)
{
	if (!holds)
		abort();
}

/* Is the result canonical? */
static void
check_canonical(ScimArena *arena, const ScimResource *result)
{
	ScimJson   *body = scim_json_copy(arena, result->json);
	ScimJson   *schemas = scim_json_array(arena);
	ScimStr		urn = {result->type->schema->id, 0};
	ScimResource again;
	ScimStatus	status;

	while (urn.ptr[urn.len] != '\0')
		urn.len++;
	if (body == NULL || schemas == NULL || !scim_json_append(schemas, scim_json_string(arena, urn)) ||
		!scim_json_set(body, "schemas", schemas))
		return;
	status = scim_resource_from_body(arena, result->type, body, NULL, false, &again, NULL);
	if (status == SCIM_NO_MEMORY)
		return;
	check(status == SCIM_OK);
	check(scim_json_equal(again.json, result->json));
}

/* Is it the same after it has been a row? */
static void
check_row(ScimArena *arena, const ScimResource *result)
{
	ScimStr    *values = scim_alloc(arena, result->type->n_columns * sizeof(ScimStr));
	ScimJson   *again;
	ScimStatus	status;

	if (values == NULL)
		return;
	status = scim_resource_to_row(arena, result->type, result->json, values, NULL);
	if (status == SCIM_OK)
		status = scim_resource_from_row(arena, result->type, values, &again, NULL);
	if (status == SCIM_NO_MEMORY)
		return;
	check(status == SCIM_OK);
	check(scim_json_equal(again, result->json));
}

static void
run(const char *profile_name, const char *type, ScimStr stored, ScimStr text)
{
	const ScimProfile *profile = scim_profile(profile_name);
	ScimPatchOptions options = {.strict = profile->strict_attributes, .create_on_unmatched = profile->create_on_unmatched,
	.replace_whole = profile->replace_whole, .allow_no_path = profile->allow_no_path, .single_match = profile->single_match,
	.max_operations = 100};
	ScimArena  *arena = scim_arena_create((size_t) 32 << 20);
	ScimResource resource = {.type = scim_registry_type_by_name(scim_registry_builtin(), type)};
	ScimError	err = {SCIM_OK, ""};
	ScimStatus	status;
	ScimBuf		tolerances;
	ScimJson   *body;

	if (arena != NULL && scim_json_parse(arena, text, &body, NULL) == SCIM_OK &&
		scim_json_parse(arena, stored, &resource.json, NULL) == SCIM_OK)
	{
		scim_buf_init(&tolerances, arena, 4096);
		status = scim_profile_apply(arena, profile, resource.type, true, &body, &tolerances, &err);
		if (status == SCIM_OK)
			status = scim_patch_apply(arena, &resource, body, &options, &err);
		check(status == err.status || status == SCIM_NO_MEMORY);
		if (status == SCIM_OK)
		{
			check_canonical(arena, &resource);
			check_row(arena, &resource);
		}
	}
	scim_arena_free(arena);
}

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ScimStr		text = {(const char *) data, size};

	run("default", "User", SCIM_STR(user), text);
	run("interop-strict", "User", SCIM_STR(user), text);
	run("onelogin", "Group", SCIM_STR(group), text);
	return 0;
}
