/*
 * fuzz_entry.c
 *		Any bytes as an entry or a seal of the log: what is read as one and
 *		rendered again is read as the same.
 */
#include <stdlib.h>
#include <string.h>

#include "core/entry.h"

static void
check(bool holds)
{
	if (!holds)
		abort();
}

static bool
same(const ScimBuf *a, const ScimBuf *b)
{
	return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ScimArena  *arena = scim_arena_create((size_t) 64 << 20);
	ScimStr		bytes = {(const char *) data, size};
	ScimEntry	entry;
	ScimSeal	seal;
	ScimBuf		once;
	ScimBuf		twice;

	if (arena == NULL)
		return 0;
	scim_buf_init(&once, arena, SCIM_ENTRY_MAX);
	scim_buf_init(&twice, arena, SCIM_ENTRY_MAX);
	if (scim_entry_read(&entry, bytes, arena) == SCIM_OK && scim_entry_render(&once, &entry))
	{
		check(scim_entry_read(&entry, (ScimStr) {once.data, once.len}, arena) == SCIM_OK);
		check(scim_entry_render(&twice, &entry) && same(&once, &twice));
	}
	else if (scim_seal_read(&seal, bytes) && scim_seal_render(&once, &seal))
	{
		check(scim_seal_read(&seal, (ScimStr) {once.data, once.len}));
		check(scim_seal_render(&twice, &seal) && same(&once, &twice));
	}
	scim_arena_free(arena);
	return 0;
}
