/*
 * profile.c
 *		The profiles, and what they do to bodies of POST and PUT and to
 *		filters (see profile.h).
 */
#include "core/profile.h"

#include <json-c/json.h>
#include <string.h>

#include "core/json.h"
#include "core/profile_pass.h"
#include "core/text.h"

/* All but the URNs of SCIM 1.1, which a client that speaks 2.0 does not send. */
#define COMMON_PASSES (SCIM_PASS_OP | SCIM_PASS_BOOLEAN | SCIM_PASS_PATH_KEY | SCIM_PASS_JSON_STRING | \
					   SCIM_PASS_OBJECT | SCIM_PASS_BARE_STRING | SCIM_PASS_REMOVE_VALUE | \
					   SCIM_PASS_ADD_FILTER | SCIM_PASS_LITERAL | SCIM_PASS_DOTTED_URN | SCIM_PASS_FOREIGN_SCHEMA)

static const ScimProfile profiles[] = {
	{.name = "default", .passes = COMMON_PASSES, .create_on_unmatched = true, .allow_no_path = true},
	{.name = "rfc", .allow_no_path = true},
	{.name = "entra", .passes = COMMON_PASSES, .create_on_unmatched = true, .allow_no_path = true},
	{.name = "okta", .passes = COMMON_PASSES, .create_on_unmatched = true, .allow_no_path = true},
	{.name = "onelogin", .passes = COMMON_PASSES | SCIM_PASS_SCIM_1, .create_on_unmatched = true, .allow_no_path = true},
	{.name = "interop-strict", .strict_attributes = true, .replace_whole = true, .single_match = true},
};

/* In the order of the bits. */
static const char *const pass_names[] = {
	"capitalised-op", "string-boolean", "path-as-key", "json-string-value", "object-for-array",
	"bare-string-value", "remove-with-value", "add-with-filter", "unquoted-literal", "dotted-urn",
	"foreign-schema", "scim-1-urn"
};

const ScimProfile *
scim_profile(const char *name)
{
	for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++)
	{
		if (strcmp(profiles[i].name, name) == 0)
			return &profiles[i];
	}
	return NULL;
}

/* ---- what the passes share ---- */

bool
scim_normal_use(ScimNormal *normal, ScimPass pass)
{
	if ((normal->passes & pass) == 0)
		return false;
	normal->changed |= pass;
	return true;
}

ScimJson *
scim_normal_string(ScimNormal *normal, const char *text, size_t len)
{
	ScimJson   *string = scim_json_string(normal->arena, (ScimStr) {text, len});

	normal->failed = normal->failed || string == NULL;
	return string;
}

void
scim_normal_set(ScimNormal *normal, ScimJson *object, const char *name, ScimJson *value)
{
	if (!scim_json_set(object, name, value))
		normal->failed = true;
}

/* Record the names of the passes that changed something. */
static ScimStatus
finish(const ScimNormal *normal, ScimBuf *tolerances)
{
	for (size_t i = 0; i < sizeof(pass_names) / sizeof(pass_names[0]); i++)
	{
		if ((normal->changed & 1u << i) != 0)
			scim_buf_printf(tolerances, "%s\"%s\"", tolerances->len > 0 ? "," : "", pass_names[i]);
	}
	return normal->failed ? SCIM_NO_MEMORY : SCIM_OK;
}

/* ---- schemas ---- */

const char *
scim_normal_urn(ScimNormal *normal, ScimStr text, size_t *len)
{
	static const struct
	{
		const char *old;
		bool		enterprise;
	}			urns[] = {
		{"urn:scim:schemas:extension:enterprise:2.0:User", true},
		{"urn:scim:schemas:extension:enterprise:2.0", true},
		{"urn:scim:schemas:extension:enterprise:1.0", true},
		{"urn:scim:schemas:core:2.0:User", false},
		{"urn:scim:schemas:core:2.0:Group", false},
		{"urn:scim:schemas:core:2.0", false},
		{"urn:scim:schemas:core:1.0", false},
	};

	for (size_t i = 0; i < sizeof(urns) / sizeof(urns[0]); i++)
	{
		const ScimSchema *schema;

		*len = strlen(urns[i].old);
		if (text.len < *len || !scim_name_is((ScimStr) {text.ptr, *len}, urns[i].old))
			continue;
		schema = urns[i].enterprise ? scim_type_extension(normal->type, SCIM_STR(SCIM_URN_ENTERPRISE)) : normal->type->schema;
		if (schema != NULL && scim_normal_use(normal, SCIM_PASS_SCIM_1))
			return schema->id;
	}
	return NULL;
}

/* Is the URN one of Microsoft's own, which no schema of ours is? */
static bool
is_foreign(const ScimNormal *normal, ScimStr urn)
{
	static const char prefix[] = "http://schemas.microsoft.com/";

	return urn.len > sizeof(prefix) - 1 && scim_name_is((ScimStr) {urn.ptr, sizeof(prefix) - 1}, prefix) &&
		scim_type_extension(normal->type, urn) == NULL;
}

/* The schemas of a body, without foreign ones, and with those of 2.0. */
static void
normalise_schemas(ScimNormal *normal, ScimJson *body)
{
	ScimJson   *schemas = scim_json_get(body, "schemas", NULL);
	unsigned	before = normal->changed;
	ScimJson   *result = scim_json_array(normal->arena);

	if (!json_object_is_type(schemas, json_type_array))
		return;
	for (size_t i = 0; result != NULL && i < json_object_array_length(schemas); i++)
	{
		ScimJson   *element = json_object_array_get_idx(schemas, i);
		ScimStr		urn = scim_json_str(element);
		size_t		len;
		const char *current;

		if (urn.ptr != NULL && is_foreign(normal, urn) && scim_normal_use(normal, SCIM_PASS_FOREIGN_SCHEMA))
			continue;
		current = urn.ptr != NULL ? scim_normal_urn(normal, urn, &len) : NULL;
		if (current != NULL && len == urn.len)
			element = scim_normal_string(normal, current, strlen(current));
		if (!scim_json_append(result, element))
			result = NULL;
	}
	if (result == NULL)
		normal->failed = true;
	else if (normal->changed != before)
	{
		json_object_object_del(body, "schemas");
		scim_normal_set(normal, body, "schemas", result);
	}
}

/* Extensions under a URN of SCIM 1.1. */
static void
normalise_extension_keys(ScimNormal *normal, ScimJson *body)
{
	static const char *const old[] = {"urn:scim:schemas:extension:enterprise:2.0:User",
	"urn:scim:schemas:extension:enterprise:2.0", "urn:scim:schemas:extension:enterprise:1.0"};

	for (size_t i = 0; i < sizeof(old) / sizeof(old[0]) && (normal->passes & SCIM_PASS_SCIM_1) != 0; i++)
	{
		ScimJson   *value = NULL;
		size_t		len;
		const char *urn;

		if (!json_object_object_get_ex(body, old[i], &value))
			continue;
		urn = scim_normal_urn(normal, (ScimStr) {old[i], strlen(old[i])}, &len);
		if (urn == NULL)
			continue;
		scim_normal_set(normal, body, urn, value);
		json_object_object_del(body, old[i]);
	}
}

/* ---- entry points ---- */

ScimStatus
scim_profile_apply(ScimArena *arena, const ScimProfile *profile, const ScimResourceType *type,
				   bool is_patch, ScimJson **body, ScimBuf *tolerances, ScimError *err)
{
	ScimNormal	normal = {.arena = arena, .type = type, .passes = profile->passes};
	ScimStatus	status;

	if (profile->passes == 0 || !json_object_is_type(*body, json_type_object))
		return SCIM_OK;
	if (is_patch)
		scim_normal_patch(&normal, *body);
	else
	{
		normalise_schemas(&normal, *body);
		normalise_extension_keys(&normal, *body);
		scim_normal_attributes(&normal, NULL, *body);
	}
	status = finish(&normal, tolerances);
	return status == SCIM_OK ? SCIM_OK : scim_error(err, status, "out of memory");
}

ScimStatus
scim_profile_apply_filter(ScimArena *arena, const ScimProfile *profile, const ScimResourceType *type,
						  ScimStr *filter, ScimBuf *tolerances, ScimError *err)
{
	ScimNormal	normal = {.arena = arena, .type = type, .passes = profile->passes};
	ScimStatus	status;

	if ((profile->passes & (SCIM_PASS_LITERAL | SCIM_PASS_BOOLEAN)) == 0)
		return SCIM_OK;
	scim_normal_filter(&normal, filter);
	status = finish(&normal, tolerances);
	return status == SCIM_OK ? SCIM_OK : scim_error(err, status, "out of memory");
}
