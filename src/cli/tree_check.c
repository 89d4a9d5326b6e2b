/*
 * tree_check.c
 *		A Merkle tree grown again from the events (see tree_check.h).
 */
#include "cli/tree_check.h"

#include <stdlib.h>

#include "cli/cli.h"
#include "cli/crypto.h"
#include "core/text.h"

static void
went(bool went_on)
{
	if (!went_on)
		cli_fail(NULL, "SHA-256 failed in libcrypto");
}

/* A tile, however many of its hashes are wrong, once. */
static void
report_tile(CliTree *tree, int level, uint64_t index)
{
	ScimTile	tile = {level, index, scim_tile_width(tree->size, level, index)};
	struct CliTreeTile *stored = &tree->tiles[level];
	char	   *name;

	if (stored->told)
		return;
	stored->told = true;
	name = tree->name != NULL ? tree->name(tree->arg, &tile) : NULL;
	cli_findings_add(tree->findings, name, "checkpoint_tile", "Tile %d/%" PRIu64 " of \"%.*s\" is %s: the log has another one.",
					 level, index, (int) tree->origin.len, tree->origin.ptr, stored->found ? "altered" : "gone or cut short");
	free(name);
}

static struct CliTreeTile *
read_tile(CliTree *tree, int level, uint64_t index)
{
	struct CliTreeTile *stored = &tree->tiles[level];
	ScimTile	tile = {level, index, scim_tile_width(tree->size, level, index)};

	if (!stored->known || stored->index != index)
	{
		stored->known = true;
		stored->told = false;
		stored->index = index;
		stored->found = tile.width > 0 && tree->read(tree->arg, &tile, stored->hashes);
	}
	return stored;
}

/* A ScimMerkleStore: a node above the leaves against its tile. */
static bool
check_node(void *arg, int level, uint64_t index, const uint8_t hash[SCIM_HASH_SIZE])
{
	CliTree    *tree = arg;
	struct CliTreeTile *stored;

	if (level == 0)
		return true;
	stored = read_tile(tree, level, index / SCIM_TILE_WIDTH);
	if (!stored->found || memcmp(stored->hashes + index % SCIM_TILE_WIDTH * SCIM_HASH_SIZE, hash, SCIM_HASH_SIZE) != 0)
		report_tile(tree, level, index / SCIM_TILE_WIDTH);
	return true;
}

static void
fetch_next(CliTree *tree)
{
	tree->has_next = tree->next(tree->next_arg, &tree->next_size, tree->next_root);
}

bool
cli_tree_is_bad(const CliTree *tree, uint64_t size)
{
	for (size_t i = 0; i < tree->n_bad; i++)
		if (tree->bad[i] == size)
			return true;
	return false;
}

static void
note_bad(CliTree *tree)
{
	tree->bad = realloc(tree->bad, (tree->n_bad + 1) * sizeof *tree->bad);
	if (tree->bad == NULL)
		cli_out_of_memory();
	tree->bad[tree->n_bad++] = tree->next_size;
}

/* The tree has a size that checkpoints may be of. */
static void
check_roots(CliTree *tree)
{
	uint8_t		root[SCIM_HASH_SIZE];

	if (!(tree->has_next && tree->next_size <= tree->merkle.size) &&
		!(tree->next_outside < tree->n_outside && tree->outside[tree->next_outside].checkpoint.size <= tree->merkle.size))
		return;
	went(scim_merkle_root(&tree->merkle, cli_sha256, root));
	for (; tree->has_next && tree->next_size <= tree->merkle.size; fetch_next(tree))
	{
		bool		holds = tree->next_size == tree->merkle.size && memcmp(root, tree->next_root, SCIM_HASH_SIZE) == 0;

		if (!holds && !tree->was_bad)
			cli_findings_add(tree->findings, NULL, "checkpoint_mismatch", "The events of the log have not the root of the checkpoint of size %"
							 PRIu64 " of \"%.*s\".", tree->next_size, (int) tree->origin.len, tree->origin.ptr);
		tree->was_bad = !holds;
		if (!holds)
			note_bad(tree);
	}
	for (; tree->next_outside < tree->n_outside && tree->outside[tree->next_outside].checkpoint.size <= tree->merkle.size; tree->next_outside++)
	{
		const ScimCheckpoint *given = &tree->outside[tree->next_outside].checkpoint;

		if (scim_str_equal(given->origin, tree->origin) && memcmp(root, given->root, SCIM_HASH_SIZE) != 0)
			cli_findings_add(tree->findings, NULL, "checkpoint_mismatch", "The first %" PRIu64 " events of \"%.*s\" have not the root of the"
							 " checkpoint that was kept outside: the log was rewritten.", given->size, (int) tree->origin.len, tree->origin.ptr);
	}
}

void
cli_tree_begin(CliTree *tree)
{
	memset(&tree->merkle, 0, sizeof tree->merkle);
	fetch_next(tree);
	check_roots(tree);
}

/* The root of a subtree of leaves, or of the tree up to and with them. */
static void
root_with(const ScimMerkle *before, const CliLeaves *leaves, const uint8_t (*leaf)[SCIM_HASH_SIZE], uint8_t root[SCIM_HASH_SIZE])
{
	ScimMerkle	tree = {0};

	if (before != NULL)
		tree = *before;
	for (int i = 0; i < leaves->width; i++)
		went(scim_merkle_append(&tree, cli_sha256, leaf[i], NULL, NULL));
	went(scim_merkle_root(&tree, cli_sha256, root));
}

/* Are the events right, where the tile has other leaves? */
static bool
events_are_right(CliTree *tree, const CliLeaves *leaves, const uint8_t (*events)[SCIM_HASH_SIZE])
{
	uint8_t		by_events[SCIM_HASH_SIZE];

	if (leaves->width == SCIM_TILE_WIDTH && scim_tile_width(tree->size, 1, leaves->index / SCIM_TILE_WIDTH) > 0)
	{
		struct CliTreeTile *above = read_tile(tree, 1, leaves->index / SCIM_TILE_WIDTH);

		root_with(NULL, leaves, events, by_events);
		return above->found &&
			memcmp(above->hashes + leaves->index % SCIM_TILE_WIDTH * SCIM_HASH_SIZE, by_events, SCIM_HASH_SIZE) == 0;
	}
	root_with(&tree->merkle, leaves, events, by_events);
	return tree->has_root && memcmp(by_events, tree->root, SCIM_HASH_SIZE) == 0;
}

void
cli_tree_add(CliTree *tree, CliLeaves *leaves)
{
	struct CliTreeTile *tile = read_tile(tree, 0, leaves->index);
	bool		differ = false;
	uint8_t		hole[SCIM_HASH_SIZE];

	leaves->has_tile = tile->found;
	went(scim_leaf_hash(cli_sha256, SCIM_STR(""), hole));
	for (int i = 0; i < leaves->width; i++)
	{
		const uint8_t *stored = tile->found ? tile->hashes + i * SCIM_HASH_SIZE : hole;

		differ |= tile->found && leaves->has_event[i] && memcmp(leaves->event[i], stored, SCIM_HASH_SIZE) != 0;
		memcpy(leaves->leaf[i], leaves->has_event[i] ? leaves->event[i] : stored, SCIM_HASH_SIZE);
	}
	if (!tile->found || (differ && events_are_right(tree, leaves, (const uint8_t (*)[SCIM_HASH_SIZE]) leaves->leaf)))
		report_tile(tree, 0, leaves->index);
	else if (differ)
		memcpy(leaves->leaf, tile->hashes, (size_t) leaves->width * SCIM_HASH_SIZE);
	for (int i = 0; i < leaves->width; i++)
	{
		went(scim_merkle_append(&tree->merkle, cli_sha256, leaves->leaf[i], check_node, tree));
		check_roots(tree);
	}
}

void
cli_tree_end(CliTree *tree)
{
	for (; tree->has_next; fetch_next(tree))
		if (!tree->was_bad)
			cli_findings_add(tree->findings, NULL, "checkpoint_mismatch", "There is a checkpoint of size %" PRIu64 " of \"%.*s\", which has only %"
							 PRIu64 " events.", tree->next_size, (int) tree->origin.len, tree->origin.ptr, tree->size);
	for (; tree->next_outside < tree->n_outside; tree->next_outside++)
	{
		const ScimCheckpoint *given = &tree->outside[tree->next_outside].checkpoint;

		if (scim_str_equal(given->origin, tree->origin))
			cli_findings_add(tree->findings, NULL, "checkpoint_rewound", "The tree of \"%.*s\" has %" PRIu64 " events, that of the checkpoint"
							 " kept outside has %" PRIu64 ": %s.", (int) tree->origin.len, tree->origin.ptr, tree->size, given->size,
							 tree->name != NULL ? "the export is older, or the log was rewound" : "the log was rewound");
	}
}
