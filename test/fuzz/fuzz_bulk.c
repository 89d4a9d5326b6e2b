/*
 * fuzz_bulk.c
 *		Any JSON as a bulk request: each operation once in the order, after all
 *		that it refers to unless they are a circle, and no reference is left
 *		where ids were put in.
 */
#include <stdlib.h>
#include <string.h>

#include "core/bulk.h"

static void
check(bool holds)
{
	if (!holds)
		abort();
}

/* Each operation is in one group, and needs none of a later one. */
static void
check_order(ScimArena *arena, const ScimBulk *bulk)
{
	size_t	   *group = scim_alloc(arena, (bulk->n + 1) * sizeof(size_t));
	size_t		from = 0;

	if (group == NULL)
		return;
	for (size_t i = 0; i < bulk->n_groups; from = bulk->ends[i++])
	{
		check(bulk->ends[i] > from && bulk->ends[i] <= bulk->n);
		for (size_t k = from; k < bulk->ends[i]; k++)
		{
			check(bulk->order[k] < bulk->n && group[bulk->order[k]] == 0);
			check(k == from || bulk->order[k - 1] < bulk->order[k]);
			group[bulk->order[k]] = i + 1;
		}
	}
	check(from == bulk->n);
	for (size_t i = 0; i < bulk->n; i++)
	{
		const ScimBulkOperation *operation = &bulk->operations[i];

		for (size_t k = 0; k < operation->n_needs; k++)
		{
			check(bulk->operations[operation->needs[k]].method == SCIM_POST);
			check(group[operation->needs[k]] <= group[i]);
			check(group[operation->needs[k]] < group[i] || scim_bulk_circular(bulk, group[i] - 1));
		}
	}
}

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ScimArena  *arena = scim_arena_create((size_t) 64 << 20);
	ScimError	err = {SCIM_OK, ""};
	ScimJson   *body;
	ScimJson   *taken;
	ScimBulk	bulk;
	ScimBuf		buf;
	ScimStr		path;

	if (arena == NULL)
		return 0;
	if (scim_json_parse(arena, (ScimStr) {(const char *) data, size}, &body, NULL) == SCIM_OK &&
		scim_bulk_parse(arena, body, 1000, &bulk, &err) == SCIM_OK)
	{
		check_order(arena, &bulk);
		for (size_t i = 0; i < bulk.n; i++)
			bulk.operations[i].id = SCIM_STR("019b76da-a800-7000-8000-000000000001");
		for (size_t i = 0; i < bulk.n; i++)
		{
			ScimBulkOperation *operation = &bulk.operations[i];

			if (scim_bulk_take_data(arena, operation, &taken) != SCIM_OK ||
				!scim_bulk_ready(&bulk, operation) ||
				scim_bulk_resolve(arena, &bulk, operation, taken, &path) != SCIM_OK)
				continue;
			scim_buf_init(&buf, arena, (size_t) 1 << 20);
			scim_bulk_write_result(&buf, operation, "/x", 1, 200, SCIM_STR_NONE);
			operation->result = (ScimStr) {buf.data, buf.len};
		}
		scim_buf_init(&buf, arena, (size_t) 16 << 20);
		scim_bulk_write_response(&buf, &bulk);
		check(buf.failed || scim_json_parse(arena, (ScimStr) {buf.data, buf.len}, &body, NULL) != SCIM_INVALID_SYNTAX);
	}
	scim_arena_free(arena);
	return 0;
}
