/*
 * tree_check.h
 *		A Merkle tree grown again from the events, against its tiles and its
 *		checkpoints.
 *
 * A leaf is told twice: by its event and by its tile.  Where the two differ,
 * the node above the tile says which of them is right, or, for the last tile
 * of a tree, its root.
 */
#ifndef SCIM_CLI_TREE_CHECK_H
#define SCIM_CLI_TREE_CHECK_H

#include "cli/findings.h"
#include "cli/signed.h"
#include "core/tile.h"

#define CLI_TREE_LEVELS (SCIM_TREE_DEPTH / SCIM_TILE_HEIGHT + 1)

/* The next checkpoint of the log, in the order of their sizes; false at the end. */
typedef bool (*CliTreeNext) (void *arg, uint64_t *size, uint8_t root[SCIM_HASH_SIZE]);

/* Where a tile stands, to say so; NULL: in a database. */
typedef char *(*CliTreeName) (void *arg, const ScimTile *tile);

typedef struct CliTree
{
	CliFindings *findings;
	ScimStr		origin;
	uint64_t	size;
	bool		has_root;
	uint8_t		root[SCIM_HASH_SIZE];	/* of all of it, as its checkpoint says */
	ScimMerkle	merkle;
	ScimTileRead read;
	CliTreeName name;
	void	   *arg;

	/* checkpoints */
	CliTreeNext next;
	void	   *next_arg;
	bool		has_next;
	uint64_t	next_size;
	uint8_t		next_root[SCIM_HASH_SIZE];
	bool		was_bad;		/* the one before did not hold */
	uint64_t   *bad;			/* sizes of those that did not; malloc'd */
	size_t		n_bad;
	const CliCheckpoint *outside;	/* kept elsewhere, by size */
	int			n_outside;
	int			next_outside;

	/* the tile of each level that was read last */
	struct CliTreeTile
	{
		bool		known;
		bool		found;
		bool		told;
		uint64_t	index;
		uint8_t		hashes[SCIM_TILE_WIDTH * SCIM_HASH_SIZE];
	}			tiles[CLI_TREE_LEVELS];
} CliTree;

/* All that is above the checkpoints was filled in. */
extern void cli_tree_begin(CliTree *tree);

/* The leaves of the next tile, which becomes known. */
typedef struct CliLeaves
{
	uint64_t	index;			/* of the tile */
	int			width;
	bool		has_tile;		/* its hashes could be read */
	bool		has_event[SCIM_TILE_WIDTH];	/* else event says nothing */
	uint8_t		event[SCIM_TILE_WIDTH][SCIM_HASH_SIZE];
	uint8_t		leaf[SCIM_TILE_WIDTH][SCIM_HASH_SIZE];	/* what is right */
} CliLeaves;

/* Decide what the leaves are and add them; the roots of checkpoints on the way are compared. */
extern void cli_tree_add(CliTree *tree, CliLeaves *leaves);

/* Did the checkpoint of that size not hold? */
extern bool cli_tree_is_bad(const CliTree *tree, uint64_t size);

/* No more leaves come. */
extern void cli_tree_end(CliTree *tree);

#endif							/* SCIM_CLI_TREE_CHECK_H */
