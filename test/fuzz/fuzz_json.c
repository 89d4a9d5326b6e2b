/*
 * fuzz_json.c
 *		Any bytes to scim_json_parse.  What it accepts must survive being
 *		written and read again, byte for byte the second time.
 */
#include "core/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "fuzz_json: %s\n", what);
	abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ScimArena  *arena = scim_arena_create((size_t) 64 << 20);
	ScimError	err = {0};
	ScimJson   *json;
	ScimJson   *again;
	ScimStr		text;
	ScimStr		second;
	ScimStatus	status;

	if (arena == NULL)
		return 0;
	status = scim_json_parse(arena, (ScimStr) {(const char *) data, size}, &json, &err);
	if (status == SCIM_OK)
	{
		text = scim_json_text(arena, json);
		check(text.ptr != NULL, "written");
		check(scim_json_parse(arena, text, &again, &err) == SCIM_OK, "what was written is refused");
		check(scim_json_equal(json, again), "what was written says something else");
		second = scim_json_text(arena, again);
		check(second.len == text.len && memcmp(second.ptr, text.ptr, text.len) == 0, "written twice, it differs");
		again = scim_json_copy(arena, json);
		check(json == NULL || scim_json_equal(json, again), "a copy differs");
	}
	else
		check(status == err.status && err.detail[0] != '\0' && json == NULL, "refused without saying why");
	scim_arena_free(arena);
	return 0;
}
