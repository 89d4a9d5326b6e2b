/* test_arena.c: allocations and json-c trees that are freed together. */
#include "core/arena.h"
#include "tap.h"

#include <json-c/json.h>

static void
test_alloc(void)
{
	ScimArena  *arena = scim_arena_create(1 << 20);
	bool		zeroed = true;
	bool		aligned = true;
	unsigned char *first = scim_alloc(arena, 100);

	memset(first, 0xAA, 100);
	for (size_t size = 0; size < 5000; size += 37)
	{
		unsigned char *p = scim_alloc(arena, size);

		aligned = aligned && (uintptr_t) p % _Alignof(max_align_t) == 0;
		for (size_t i = 0; i < size; i++)
			zeroed = zeroed && p[i] == 0;
		memset(p, 0xBB, size);
	}
	ok(zeroed, "memory is zeroed");
	ok(aligned, "memory is aligned");
	ok(first[0] == 0xAA && first[99] == 0xAA, "pieces do not overlap");
	scim_arena_free(arena);
}

static void
test_limit(void)
{
	ScimArena  *arena = scim_arena_create(1000);

	ok(scim_alloc(arena, 1001) == NULL, "more than the maximum is refused");
	ok(scim_alloc(arena, 600) != NULL, "less is not");
	ok(scim_alloc(arena, 600) == NULL, "the maximum holds for the sum");
	ok(scim_alloc(arena, 400) != NULL, "what is left can still be had");
	ok(scim_alloc(arena, SIZE_MAX) == NULL, "a size past all memory is refused");
	ok(scim_strdup(arena, SCIM_STR("x")) == NULL, "no copy without memory");
	ok(scim_sprintf(arena, "%d", 7) == NULL, "no text without memory");
	ok(scim_own(arena, json_object_new_object()) == NULL, "a tree that cannot be owned is freed");
	scim_arena_free(arena);
	scim_arena_free(NULL);
}

static void
test_text(void)
{
	ScimArena  *arena = scim_arena_create(1 << 20);

	is_str(scim_strdup(arena, (ScimStr) {"abcdef", 3}), "abc", "a copy ends where the run ends");
	is_str(scim_strdup(arena, SCIM_STR_NONE), "", "a copy of nothing is empty");
	is_str(scim_sprintf(arena, "%s-%03d", "x", 7), "x-007", "printf");
	scim_arena_free(arena);
}

static void
test_own(void)
{
	ScimArena  *arena = scim_arena_create(1 << 20);
	json_object *json = json_object_new_string("mine");

	ok(scim_own(arena, NULL) == NULL, "nothing is not owned");
	ok(scim_own(arena, json) == json, "a tree is owned");
	is_str(json_object_get_string(json), "mine", "and usable until the arena goes");
	scim_arena_free(arena);
}

int
main(void)
{
	test_alloc();
	test_limit();
	test_text();
	test_own();
	return done_testing();
}
