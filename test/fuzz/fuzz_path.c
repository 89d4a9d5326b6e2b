/*
 * fuzz_path.c
 *		Any text as an attribute path.  What parses is parsed again from its
 *		canonical spelling, to the same attribute.
 */
#include <stdlib.h>
#include <string.h>

#include "core/path.h"
#include "core/sql.h"

static void
check(bool holds)
{
	if (!holds)
		abort();
}

static void
run(ScimArena *arena, const ScimResourceType *type, ScimStr text)
{
	ScimPath	path;
	ScimPath	again;
	ScimError	err = {SCIM_OK, ""};
	ScimSort	sort;
	ScimStatus	status = scim_path_parse(arena, type, text, &path, &err);
	char	   *spelling;

	check(status == err.status || status == SCIM_NO_MEMORY);
	(void) scim_sort_parse(arena, type, text, SCIM_STR_NONE, &sort, NULL);
	if (status != SCIM_OK)
		return;
	spelling = scim_path_text(arena, &path);
	if (spelling == NULL)
		return;
	status = scim_path_parse(arena, type, (ScimStr) {spelling, strlen(spelling)}, &again, NULL);
	check(status == SCIM_OK);
	check(again.extension == path.extension && again.attr == path.attr && again.sub == path.sub);
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
