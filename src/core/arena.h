/*
 * arena.h
 *		Memory of one request: allocations and json-c trees that are freed
 *		together.
 *
 * Allocation is bounded by a maximum given at creation; past it, or when
 * malloc fails, scim_alloc returns NULL and the caller returns
 * SCIM_NO_MEMORY.
 */
#ifndef SCIM_CORE_ARENA_H
#define SCIM_CORE_ARENA_H

#include "core/scim.h"

/* A new arena that will hand out at most max_bytes; NULL when out of memory. */
extern ScimArena *scim_arena_create(size_t max_bytes);

/* Free the arena and all it owns; NULL is allowed. */
extern void scim_arena_free(ScimArena *arena);

/* size bytes, zeroed, aligned for any type; NULL when out of memory. */
extern void *scim_alloc(ScimArena *arena, size_t size);

/* A NUL-terminated copy of s (which may hold no NUL); NULL when out of memory. */
extern char *scim_strdup(ScimArena *arena, ScimStr s);

/* printf into the arena; NULL when out of memory. */
extern char *scim_sprintf(ScimArena *arena, const char *fmt, ...)
			__attribute__((format(printf, 2, 3)));

/*
 * Hand a json-c reference over to the arena, which will put it.  Returns
 * json, or NULL (having put it) when out of memory.  A NULL json stands for
 * a failed constructor and returns NULL.
 */
extern ScimJson *scim_own(ScimArena *arena, ScimJson *json);

#endif							/* SCIM_CORE_ARENA_H */
