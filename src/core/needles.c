/*
 * needles.c
 *		Looking for many texts at once (see needles.h).
 *
 * The needles are a tree of states, one for each beginning of a needle; state
 * 0 is the empty one.  `shorter` leads from a state to the longest proper end
 * of its text that is a state too: where the search goes on when the next
 * byte fits nothing.  Edges stand in one hash table, so that to follow one
 * costs the same however many leave a state.
 */
#include "core/needles.h"

#include <string.h>

/* A state and a byte are packed into 32 bits. */
#define MAX_STATES ((size_t) 1 << 24)
#define NONE UINT32_MAX

typedef struct State
{
	uint32_t	shorter;
	uint32_t	ending;			/* this state or the next `shorter` one at which a needle ends; 0: none */
	uint32_t	needle;			/* the last needle that ends here, or NONE */
	uint32_t	seen;			/* the search that found it last */
} State;

typedef struct Edge
{
	uint32_t	from;			/* state and byte */
	uint32_t	to;				/* 0: the place is free, for no edge leads to the root */
} Edge;

struct ScimNeedles
{
	size_t		n;
	size_t		n_states;
	size_t		mask;			/* of places in edges, a power of two */
	uint32_t	search;			/* number of the present search */
	Edge	   *edges;
	State	   *states;
	uint32_t   *same;			/* for each needle an earlier one of the same text, or NONE */
	uint32_t   *at;				/* for each needle a state, while they are made */
};

static size_t
places(size_t states)
{
	size_t		n = 16;

	while (n < states * 2)
		n *= 2;
	return n;
}

size_t
scim_needles_size(size_t n, size_t total)
{
	if (total >= MAX_STATES || n >= MAX_STATES)
		return 0;
	return sizeof(ScimNeedles) + places(total + 1) * sizeof(Edge) + (total + 1) * sizeof(State) +
		2 * n * sizeof(uint32_t);
}

/* Where the edge stands, or would. */
static Edge *
edge_place(const ScimNeedles *needles, uint32_t state, unsigned char byte)
{
	uint32_t	from = state << 8 | byte;
	size_t		i = (from * UINT32_C(2654435769)) >> 7;

	while (needles->edges[i & needles->mask].to != 0 && needles->edges[i & needles->mask].from != from)
		i++;
	return &needles->edges[i & needles->mask];
}

/* The state that the byte leads to, by way of shorter ones where it must. */
static uint32_t
follow(const ScimNeedles *needles, uint32_t state, unsigned char byte)
{
	uint32_t	to = edge_place(needles, state, byte)->to;

	while (to == 0 && state != 0)
	{
		state = needles->states[state].shorter;
		to = edge_place(needles, state, byte)->to;
	}
	return to;
}

static void
add(ScimNeedles *needles, ScimStr text, uint32_t number)
{
	uint32_t	state = 0;

	for (size_t i = 0; i < text.len; i++)
	{
		Edge	   *edge = edge_place(needles, state, (unsigned char) text.ptr[i]);

		if (edge->to == 0)
		{
			edge->from = state << 8 | (unsigned char) text.ptr[i];
			edge->to = (uint32_t) needles->n_states++;
			needles->states[edge->to].needle = NONE;
		}
		state = edge->to;
	}
	needles->same[number] = needles->states[state].needle;
	needles->states[state].needle = number;
}

/* Set `shorter` and `ending`, of shorter texts first: they are led to. */
static void
link_states(ScimNeedles *needles, const ScimStr *texts)
{
	bool		more = true;

	for (size_t depth = 0; more; depth++)
	{
		more = false;
		for (size_t i = 0; i < needles->n; i++)
		{
			uint32_t	before = needles->at[i];
			unsigned char byte;
			State	   *state;

			if (texts[i].len <= depth)
				continue;
			more = true;
			byte = (unsigned char) texts[i].ptr[depth];
			needles->at[i] = edge_place(needles, before, byte)->to;
			state = &needles->states[needles->at[i]];
			if (depth > 0)
				state->shorter = follow(needles, needles->states[before].shorter, byte);
			state->ending = state->needle != NONE ? needles->at[i] : needles->states[state->shorter].ending;
		}
	}
}

ScimNeedles *
scim_needles_init(void *memory, const ScimStr *texts, size_t n)
{
	ScimNeedles *needles = memory;
	size_t		total = 0;

	for (size_t i = 0; i < n; i++)
		total += texts[i].len;
	needles->n = n;
	needles->n_states = 1;
	needles->mask = places(total + 1) - 1;
	needles->edges = (Edge *) (needles + 1);
	needles->states = (State *) (needles->edges + needles->mask + 1);
	needles->same = (uint32_t *) (needles->states + total + 1);
	needles->at = needles->same + n;
	needles->states[0].needle = NONE;
	for (size_t i = 0; i < n; i++)
		add(needles, texts[i], (uint32_t) i);
	link_states(needles, texts);
	return needles;
}

/* Report the needles that end in the state; how many were not reported before. */
static size_t
report(ScimNeedles *needles, uint32_t state, bool *found)
{
	size_t		reported = 0;

	for (state = needles->states[state].ending; state != 0 && needles->states[state].seen != needles->search;
		 state = needles->states[needles->states[state].shorter].ending)
	{
		needles->states[state].seen = needles->search;
		for (uint32_t i = needles->states[state].needle; i != NONE; i = needles->same[i], reported++)
			found[i] = true;
	}
	return reported;
}

void
scim_needles_find(ScimNeedles *needles, ScimStr text, bool *found)
{
	uint32_t	state = 0;
	size_t		left = needles->n;

	memset(found, 0, needles->n * sizeof(bool));
	if (++needles->search == 0)
	{
		for (size_t i = 0; i < needles->n_states; i++)
			needles->states[i].seen = 0;
		needles->search = 1;
	}
	for (uint32_t i = needles->states[0].needle; i != NONE; i = needles->same[i], left--)
		found[i] = true;
	for (size_t i = 0; i < text.len && left > 0; i++)
	{
		state = follow(needles, state, (unsigned char) text.ptr[i]);
		left -= report(needles, state, found);
	}
}
