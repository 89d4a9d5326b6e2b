/*
 * merkle.h
 *		The Merkle tree over the log's leaves (RFC 6962 section 2.1, RFC 9162
 *		section 2.1): its root as it grows, and the checks of proofs.
 *
 * The leaves are the leaf hashes that the log has already (scim_leaf_hash).
 * A node is SHA-256(0x01 || left || right), the root of the empty tree is
 * SHA-256 of nothing.  A node that is the root of 2^level leaves, none of
 * them missing, never changes again; it is called by its level and its index
 * in that level, the leaves being level 0.  tile.h stores such nodes and
 * computes proofs from them.
 *
 * A function that takes a ScimSha256 is false when that is, too: then nothing
 * is proved, and a tree that was to grow is as it was.
 */
#ifndef SCIM_CORE_MERKLE_H
#define SCIM_CORE_MERKLE_H

#include "core/entry.h"

/* A size is a PostgreSQL bigint; so a tree has no more than 63 levels above its leaves. */
#define SCIM_TREE_MAX ((uint64_t) INT64_MAX)
#define SCIM_TREE_DEPTH 63

/* The root of the tree that has no leaf. */
extern const uint8_t scim_merkle_empty[SCIM_HASH_SIZE];

/* The node above two others; out may be one of them. */
extern bool scim_merkle_node(ScimSha256 sha256, const uint8_t left[SCIM_HASH_SIZE],
							 const uint8_t right[SCIM_HASH_SIZE], uint8_t out[SCIM_HASH_SIZE]);

/* The largest power of two below size, for size > 1: where RFC 6962 splits a tree. */
extern uint64_t scim_merkle_split(uint64_t size);

/*
 * A tree that grows at its end: its size, and the roots of the full subtrees
 * that it is made of, the largest first, one for each bit that is set in
 * size.  These scim_merkle_count(size) hashes, one after the other, are all
 * that has to be kept to go on.  {0} is the empty tree.
 */
typedef struct ScimMerkle
{
	uint64_t	size;
	uint8_t		hash[SCIM_TREE_DEPTH][SCIM_HASH_SIZE];
} ScimMerkle;

extern int	scim_merkle_count(uint64_t size);

/* The tree that was kept so; false when these are not the hashes of that size. */
extern bool scim_merkle_load(ScimMerkle *tree, uint64_t size, ScimStr hashes);

/*
 * Told of each node that a new leaf completes and that a tile holds: tile's
 * level (the node's own level divided by eight) and the index in it.  The
 * nodes of one level come in order.  False refuses the leaf.
 */
typedef bool (*ScimMerkleStore) (void *arg, int level, uint64_t index,
								 const uint8_t hash[SCIM_HASH_SIZE]);

/* One more leaf.  store may be NULL, and may jump out: then the leaf is not in the tree. */
extern bool scim_merkle_append(ScimMerkle *tree, ScimSha256 sha256, const uint8_t leaf[SCIM_HASH_SIZE],
							   ScimMerkleStore store, void *arg);

extern bool scim_merkle_root(const ScimMerkle *tree, ScimSha256 sha256, uint8_t out[SCIM_HASH_SIZE]);

/* The hashes of a proof, in the order in which a proof is written down. */
#define SCIM_PROOF_MAX 64
typedef struct ScimProof
{
	int			n;
	uint8_t		hash[SCIM_PROOF_MAX][SCIM_HASH_SIZE];
} ScimProof;

/*
 * Is this leaf the one at index (from 0) in the tree of that size and root
 * (RFC 9162 section 2.1.3.2)?  The root alone does not say how large its
 * tree is: size must come from where root does, a signed checkpoint.
 */
extern bool scim_merkle_included(ScimSha256 sha256, const uint8_t leaf[SCIM_HASH_SIZE], uint64_t index,
								 uint64_t size, const ScimProof *proof, const uint8_t root[SCIM_HASH_SIZE]);

/*
 * Does the tree of size `to` begin with all of the tree of size `from` (RFC
 * 9162 section 2.1.4.2)?  Between equal sizes the proof is empty and the
 * roots must be equal; from size 0 it is empty, and from_root must be that of
 * the empty tree.  As above, a size must come from where its root does.
 */
extern bool scim_merkle_consistent(ScimSha256 sha256, uint64_t from, const uint8_t from_root[SCIM_HASH_SIZE],
								   uint64_t to, const uint8_t to_root[SCIM_HASH_SIZE],
								   const ScimProof *proof);

#endif							/* SCIM_CORE_MERKLE_H */
