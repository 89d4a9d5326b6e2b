/*
 * bulk_order.c
 *		In which order the operations of a bulk request are done (see bulk.h).
 *
 * Tarjan's search for strongly connected components ends each after all that
 * it leads to, which is just the order wanted: begun with the operations as
 * they stand in the request, it leaves that order where nothing speaks against
 * it.  It does without recursion, for a chain may be as long as the request.
 */
#include <stdlib.h>

#include "core/arena.h"
#include "core/bulk.h"

typedef struct Search
{
	ScimBulk   *bulk;
	size_t	   *number;			/* when a node was met, from 1; 0: not yet */
	size_t	   *low;			/* the earliest node that it leads back to */
	bool	   *open;			/* is it on the stack? */
	size_t	   *stack;			/* nodes whose group is not known yet */
	size_t		n_stack;
	size_t	   *path;			/* from the root to where the search is */
	size_t	   *next;			/* of a node's needs, the one to look at */
	size_t		n_path;
	size_t		met;
	size_t		n_order;
} Search;

static int
compare_sizes(const void *a, const void *b)
{
	size_t		x = *(const size_t *) a;
	size_t		y = *(const size_t *) b;

	return (x > y) - (x < y);
}

static bool
begin_search(ScimArena *arena, ScimBulk *bulk, Search *search)
{
	size_t		size = bulk->n * sizeof(size_t);

	*search = (Search) {.bulk = bulk, .number = scim_alloc(arena, size), .low = scim_alloc(arena, size),
	.open = scim_alloc(arena, bulk->n * sizeof(bool)), .stack = scim_alloc(arena, size),
	.path = scim_alloc(arena, size), .next = scim_alloc(arena, size)};
	bulk->order = scim_alloc(arena, size);
	bulk->ends = scim_alloc(arena, size);
	return search->number != NULL && search->low != NULL && search->open != NULL && search->stack != NULL &&
		search->path != NULL && search->next != NULL && bulk->order != NULL && bulk->ends != NULL;
}

static void
enter(Search *search, size_t node)
{
	search->number[node] = search->low[node] = ++search->met;
	search->open[node] = true;
	search->stack[search->n_stack++] = node;
	search->path[search->n_path++] = node;
}

/* All that a node leads to has been seen: it ends a group, or belongs to an earlier node's. */
static void
leave(Search *search, size_t node)
{
	ScimBulk   *bulk = search->bulk;
	size_t		from = search->n_order;
	size_t		top;

	search->n_path--;
	if (search->n_path > 0)
	{
		size_t		outer = search->path[search->n_path - 1];

		if (search->low[node] < search->low[outer])
			search->low[outer] = search->low[node];
	}
	if (search->low[node] != search->number[node])
		return;
	do
	{
		top = search->stack[--search->n_stack];
		search->open[top] = false;
		bulk->order[search->n_order++] = top;
	} while (top != node);
	qsort(bulk->order + from, search->n_order - from, sizeof(size_t), compare_sizes);
	bulk->ends[bulk->n_groups++] = search->n_order;
}

ScimStatus
scim_bulk_find_order(ScimArena *arena, ScimBulk *bulk)
{
	Search		search;

	if (!begin_search(arena, bulk, &search))
		return SCIM_NO_MEMORY;
	for (size_t root = 0; root < bulk->n; root++)
	{
		if (search.number[root] == 0)
			enter(&search, root);
		while (search.n_path > 0)
		{
			size_t		node = search.path[search.n_path - 1];
			const ScimBulkOperation *operation = &bulk->operations[node];
			size_t		need;

			if (search.next[node] == operation->n_needs)
			{
				leave(&search, node);
				continue;
			}
			need = operation->needs[search.next[node]++];
			if (search.number[need] == 0)
				enter(&search, need);
			else if (search.open[need] && search.number[need] < search.low[node])
				search.low[node] = search.number[need];
		}
	}
	return SCIM_OK;
}

bool
scim_bulk_circular(const ScimBulk *bulk, size_t group)
{
	size_t		from = group > 0 ? bulk->ends[group - 1] : 0;
	const ScimBulkOperation *operation = &bulk->operations[bulk->order[from]];

	if (bulk->ends[group] - from > 1)
		return true;
	for (size_t i = 0; i < operation->n_needs; i++)
	{
		if (operation->needs[i] == bulk->order[from])
			return true;
	}
	return false;
}
