/*
 * fuzz_filter.c
 *		Any text as a filter: parsed, compiled to SQL, evaluated.
 *
 * Besides not crashing: what parses must also parse, and mean the same, after
 * a profile has looked at it; and what the parser accepts is answered by SQL
 * or refused, never ignored.
 */
#include <stdlib.h>

#include "core/filter.h"
#include "core/json.h"
#include "core/profile.h"
#include "core/sql.h"

static const char user[] =
"{\"id\":\"2819c223-7f76-453a-919d-413861904646\",\"userName\":\"bjensen\",\"active\":true,\"title\":\"\",\"name\":{\"familyName\":\"Jensen\"},"
"\"emails\":[{\"value\":\"a@x\",\"type\":\"work\",\"primary\":true},{\"value\":\"b@x\"}],\"meta\":{\"created\":\"2026-01-02T03:04:05Z\"},"
"\"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User\":{\"department\":\"d\",\"manager\":{\"value\":\"3819c223-7f76-453a-919d-413861904646\"}}}";

static void
check(bool holds)
{
	if (!holds)
		abort();
}

static void
run(ScimArena *arena, const ScimResourceType *type, ScimStr text)
{
	ScimFilterLimits limits = {.max_terms = 200};
	ScimFilter *filter;
	ScimFilter *again;
	ScimJson   *resource;
	ScimBuf		tolerances;
	ScimStatus	status;
	ScimSql		sql;
	ScimStr		normal = text;
	bool		before;

	if (scim_filter_parse(arena, type, text, &limits, &filter, NULL) != SCIM_OK ||
		scim_json_parse(arena, SCIM_STR(user), &resource, NULL) != SCIM_OK)
		return;
	status = scim_sql_list(arena, type, SCIM_STR("t"), filter, NULL, 0, 1, &sql, NULL);
	check(status == SCIM_OK || status == SCIM_INVALID_FILTER || status == SCIM_NO_MEMORY);
	before = scim_filter_matches(filter, resource, &status);
	check(status == SCIM_OK);

	scim_buf_init(&tolerances, arena, 4096);
	if (scim_profile_apply_filter(arena, scim_profile("default"), type, &normal, &tolerances, NULL) != SCIM_OK)
		return;
	status = scim_filter_parse(arena, type, normal, &limits, &again, NULL);
	check(status == SCIM_OK || status == SCIM_NO_MEMORY);
	if (status == SCIM_OK)
		check(scim_filter_matches(again, resource, &status) == before);
}

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const ScimRegistry *registry = scim_registry_builtin();

	for (size_t i = 0; i < scim_registry_type_count(registry); i++)
	{
		ScimArena  *arena = scim_arena_create((size_t) 16 << 20);

		if (arena == NULL)
			return 0;
		run(arena, scim_registry_type(registry, i), (ScimStr) {(const char *) data, size});
		scim_arena_free(arena);
	}
	return 0;
}
