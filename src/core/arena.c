/*
 * arena.c
 *		Memory of one request (see arena.h).
 *
 * Allocations come from blocks in a list; json-c trees hang in a second
 * list whose cells live in the blocks.
 */
#include "core/arena.h"

#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE 8192
#define ALIGN(n) (((n) + 15) & ~(size_t) 15)

typedef struct Block
{
	struct Block *next;
	size_t		used;
	size_t		size;
	max_align_t data[];
} Block;

typedef struct Owned
{
	struct Owned *next;
	json_object *json;
} Owned;

struct ScimArena
{
	Block	   *blocks;
	Owned	   *owned;
	size_t		left;			/* bytes that may still be handed out */
};

ScimArena *
scim_arena_create(size_t max_bytes)
{
	ScimArena  *arena = calloc(1, sizeof(ScimArena));

	if (arena != NULL)
		arena->left = max_bytes;
	return arena;
}

void
scim_arena_free(ScimArena *arena)
{
	Block	   *block;

	if (arena == NULL)
		return;
	for (Owned *owned = arena->owned; owned != NULL; owned = owned->next)
		json_object_put(owned->json);
	while ((block = arena->blocks) != NULL)
	{
		arena->blocks = block->next;
		free(block);
	}
	free(arena);
}

void *
scim_alloc(ScimArena *arena, size_t size)
{
	Block	   *block = arena->blocks;
	size_t		need;
	void	   *result;

	if (size > arena->left)
		return NULL;
	need = ALIGN(size > 0 ? size : 1);
	if (block == NULL || block->size - block->used < need)
	{
		size_t		block_size = need > BLOCK_SIZE / 4 ? need : BLOCK_SIZE;

		block = calloc(1, sizeof(Block) + block_size);
		if (block == NULL)
			return NULL;
		block->size = block_size;

		/* A block made for one large piece goes behind the one being filled. */
		if (need == block_size && arena->blocks != NULL)
		{
			block->next = arena->blocks->next;
			arena->blocks->next = block;
		}
		else
		{
			block->next = arena->blocks;
			arena->blocks = block;
		}
	}
	result = (char *) block->data + block->used;
	block->used += need;
	arena->left -= size;
	return result;
}

char *
scim_strdup(ScimArena *arena, ScimStr s)
{
	char	   *copy = scim_alloc(arena, s.len + 1);

	if (copy != NULL && s.len > 0)
		memcpy(copy, s.ptr, s.len);
	return copy;
}

char *
scim_sprintf(ScimArena *arena, const char *fmt, ...)
{
	va_list		args;
	int			len;
	char	   *text;

	va_start(args, fmt);
	len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (len < 0 || (text = scim_alloc(arena, (size_t) len + 1)) == NULL)
		return NULL;
	va_start(args, fmt);
	vsnprintf(text, (size_t) len + 1, fmt, args);
	va_end(args);
	return text;
}

ScimJson *
scim_own(ScimArena *arena, ScimJson *json)
{
	Owned	   *owned;

	if (json == NULL)
		return NULL;
	owned = scim_alloc(arena, sizeof(Owned));
	if (owned == NULL)
	{
		json_object_put(json);
		return NULL;
	}
	owned->json = json;
	owned->next = arena->owned;
	arena->owned = owned;
	return json;
}
