/*
 * scarce.h
 *		Runs one scenario with too little memory, then a little more, until it
 *		succeeds.
 *
 * The scenario gets an arena and returns the status it ended with.  Each run
 * but the last must end with SCIM_NO_MEMORY: neither a crash nor another
 * error nor a wrong success may come of scarce memory.
 */
#ifndef SCIM_TEST_SCARCE_H
#define SCIM_TEST_SCARCE_H

#include "core/arena.h"
#include "tap.h"

typedef ScimStatus (*ScimScenario) (ScimArena *arena, void *argument);

static inline void __attribute__((unused))
scarce(const char *name, ScimScenario scenario, void *argument)
{
	ScimStatus	status = SCIM_NO_MEMORY;
	size_t		refused = 0;

	for (size_t max = 0; status == SCIM_NO_MEMORY && max < (size_t) 64 << 20; max += 24 + max / 64)
	{
		ScimArena  *arena = scim_arena_create(max);

		if (arena == NULL)
			break;
		status = scenario(arena, argument);
		refused += status == SCIM_NO_MEMORY;
		scim_arena_free(arena);
	}
	ok(status == SCIM_OK && refused > 0, "%s: no memory %zu times, then success (status %d)", name,
	   refused, (int) status);
}

#endif							/* SCIM_TEST_SCARCE_H */
