/*
 * tile.h
 *		The Merkle tree in tiles (C2SP tlog-tiles): which hashes stand where,
 *		what a tile is called, and proofs computed from stored tiles.
 *
 * A tile of level L holds up to 256 nodes of the tree's level 8 * L that
 * stand side by side: tile N those with the indexes 256 * N and on, 32 bytes
 * each.  (Level 0 holds leaves.)  A tile of 256 is full and never changes; the
 * last one of a level is partial while it has less, and its width is part of
 * its name.  The levels between are hashed anew when they are needed.
 *
 * A bundle of entries belongs to each tile of level 0: each entry after its
 * length, two bytes, the higher one first.
 */
#ifndef SCIM_CORE_TILE_H
#define SCIM_CORE_TILE_H

#include "core/cursor.h"
#include "core/merkle.h"

#define SCIM_TILE_HEIGHT 8
#define SCIM_TILE_WIDTH 256
#define SCIM_TILE_LEVELS 64
#define SCIM_TILE_ENTRIES (-1)	/* the level of a bundle of entries */

typedef struct ScimTile
{
	int			level;			/* 0 to 63, or SCIM_TILE_ENTRIES */
	uint64_t	index;
	int			width;			/* 1 to 256 hashes or entries */
} ScimTile;

/* How wide this tile is in a tree of that size; 0 when that has no such tile. */
extern int	scim_tile_width(uint64_t size, int level, uint64_t index);

/*
 * The tiles that a tree has at size `to` and had not, or less wide, at size
 * `from`, by level and index: called first with *tile of width 0, then with
 * the last one; false after the last.
 */
extern bool scim_tile_next(ScimTile *tile, uint64_t from, uint64_t to);

/* "tile/0/x001/x234/067.p/5", "tile/entries/000": appended, or read; nothing else is read. */
extern void scim_tile_path(ScimBuf *buf, const ScimTile *tile);
extern bool scim_tile_parse(ScimStr path, ScimTile *tile);

/* An entry appended to a bundle, false when it is too long or does not fit; the next entry of a
 * bundle, absent at its end and where it is cut short (the cursor stays). */
extern bool scim_tile_put_entry(ScimBuf *buf, ScimStr entry);
extern ScimStr scim_tile_next_entry(ScimCursor *bundle);

/*
 * Reads tile->width hashes of 32 bytes from where tiles are stored.  A tile
 * may be stored wider than it was asked for.  False when it cannot be had;
 * may jump out.
 */
typedef bool (*ScimTileRead) (void *arg, const ScimTile *tile, uint8_t *hashes);

/*
 * A stored tree.  Nothing is checked of what is read: a proof from tiles that
 * somebody altered does not hold, so whoever has it checks it against a
 * checkpoint.  All functions are false when a tile cannot be read, or when
 * hashing fails.
 */
typedef struct ScimTree
{
	uint64_t	size;			/* tiles are read as a tree of this size has them */
	ScimSha256	sha256;
	ScimTileRead read;
	void	   *arg;
	ScimTile	tile;			/* what hashes hold: width 0, nothing yet */
	uint8_t		hashes[SCIM_TILE_WIDTH * SCIM_HASH_SIZE];
} ScimTree;

/* False when there can be no tree of that size. */
extern bool scim_tree_init(ScimTree *tree, uint64_t size, ScimSha256 sha256, ScimTileRead read, void *arg);

/* A node that the tree has in full; false for any other. */
extern bool scim_tree_node(ScimTree *tree, int level, uint64_t index, uint8_t out[SCIM_HASH_SIZE]);

/* The first size leaves: what is needed to go on, their root. */
extern bool scim_tree_load(ScimTree *tree, uint64_t size, ScimMerkle *out);
extern bool scim_tree_root(ScimTree *tree, uint64_t size, uint8_t out[SCIM_HASH_SIZE]);

/*
 * Proofs that the leaf at index is in the first size leaves (RFC 9162 section
 * 2.1.3.1), and that the first `to` begin with the first `from` (2.1.4.1).
 * False, too, unless index < size <= tree->size, and from <= to <=
 * tree->size.  From size 0 the proof is empty.
 */
extern bool scim_tree_inclusion(ScimTree *tree, uint64_t index, uint64_t size, ScimProof *proof);
extern bool scim_tree_consistency(ScimTree *tree, uint64_t from, uint64_t to, ScimProof *proof);

#endif							/* SCIM_CORE_TILE_H */
