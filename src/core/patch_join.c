/*
 * patch_join.c
 *		The link operations of one PATCH, as few as will do.
 *
 * Identity providers name each member in an operation of its own, and each
 * operation that is carried out costs statements.  What counts of a run of
 * additions and removals is what each id ends as.  It is done in three steps:
 * what is only removed goes, what is ever added is added (so that an id that
 * does not exist is still found out), what is removed after that goes.
 */
#include <stdlib.h>
#include <string.h>

#include "core/patch_edit.h"

/* An id in an operation; place is the operation's in the run. */
typedef struct Mention
{
	ScimStr		id;
	size_t		place;
	bool		add;
} Mention;

enum
{
	STEP_REMOVE, STEP_ADD, STEP_REMOVE_AGAIN, STEPS
};

static bool
names_ids(const ScimLinkOp *op)
{
	return op->verb == SCIM_LINK_ADD || op->verb == SCIM_LINK_REMOVE;
}

static int
compare_mentions(const void *a, const void *b)
{
	const Mention *x = a;
	const Mention *y = b;
	int			order = memcmp(x->id.ptr, y->id.ptr, 36);

	return order != 0 ? order : x->place < y->place ? -1 : x->place > y->place;
}

/* The operations from first to before end, which name n ids, by id and place; NULL: out of memory. */
static Mention *
collect(ScimPatch *patch, const ScimLinkOp *first, const ScimLinkOp *end, size_t n)
{
	Mention    *mentions = scim_alloc(patch->arena, (n + 1) * sizeof(Mention));
	size_t		place = 0;
	size_t		used = 0;

	if (mentions == NULL)
		return NULL;
	for (const ScimLinkOp *op = first; op != end; op = op->next, place++)
		for (size_t i = 0; i < op->n; i++)
			mentions[used++] = (Mention) {op->ids[i], place, op->verb == SCIM_LINK_ADD};
	qsort(mentions, n, sizeof(Mention), compare_mentions);
	return mentions;
}

/* Put each id into the steps that it needs. */
static void
fill_steps(ScimLinkOp steps[STEPS], const Mention *mentions, size_t n)
{
	for (size_t i = 0; i < n;)
	{
		ScimStr		id = mentions[i].id;
		bool		added = false;
		bool		stays = false;

		for (; i < n && memcmp(mentions[i].id.ptr, id.ptr, 36) == 0; i++)
		{
			stays = mentions[i].add;
			added = added || stays;
		}
		if (added)
			steps[STEP_ADD].ids[steps[STEP_ADD].n++] = id;
		if (!stays)
		{
			ScimLinkOp *step = &steps[added ? STEP_REMOVE_AGAIN : STEP_REMOVE];

			step->ids[step->n++] = id;
		}
	}
}

/* Replace the run by its steps; *at is where it hangs, and then where the next operation hangs. */
static ScimStatus
join_run(ScimPatch *patch, ScimLinkOp ***at, ScimLinkOp *end, size_t n)
{
	ScimLinkOp *first = **at;
	ScimLinkOp *steps = scim_alloc(patch->arena, STEPS * sizeof(ScimLinkOp));
	Mention    *mentions = collect(patch, first, end, n);

	if (steps == NULL || mentions == NULL)
		return SCIM_NO_MEMORY;
	for (int i = 0; i < STEPS; i++)
	{
		steps[i] = (ScimLinkOp) {.link = first->link,
			.verb = i == STEP_ADD ? SCIM_LINK_ADD : SCIM_LINK_REMOVE,
			.ids = scim_alloc(patch->arena, (n + 1) * sizeof(ScimStr))};
		if (steps[i].ids == NULL)
			return SCIM_NO_MEMORY;
	}
	fill_steps(steps, mentions, n);
	for (int i = 0; i < STEPS; i++)
	{
		if (steps[i].n == 0)
			continue;
		**at = &steps[i];
		*at = &steps[i].next;
	}
	**at = end;
	return SCIM_OK;
}

ScimStatus
scim_patch_join_links(ScimPatch *patch)
{
	ScimLinkOp **at = &patch->resource->links;

	while (*at != NULL)
	{
		ScimLinkOp *op = *at;
		size_t		length = 0;
		size_t		n = 0;
		ScimStatus	status;

		for (; op != NULL && op->link == (*at)->link && names_ids(op); op = op->next, length++)
			n += op->n;
		if (length < 2)
		{
			at = &(*at)->next;
			continue;
		}
		status = join_run(patch, &at, op, n);
		if (status != SCIM_OK)
			return status;
	}
	return SCIM_OK;
}
