/*
 * merkle.c
 *		The Merkle tree over the log's leaves: growth, root, checks of proofs
 *		(see merkle.h).
 */
#include "core/merkle.h"

#include <string.h>

#include "core/tile.h"

const uint8_t scim_merkle_empty[SCIM_HASH_SIZE] = {
	0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
	0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55
};

bool
scim_merkle_node(ScimSha256 sha256, const uint8_t left[SCIM_HASH_SIZE],
				 const uint8_t right[SCIM_HASH_SIZE], uint8_t out[SCIM_HASH_SIZE])
{
	char		node[1 + 2 * SCIM_HASH_SIZE] = {0x01};
	ScimStr		piece = {node, sizeof(node)};

	memcpy(node + 1, left, SCIM_HASH_SIZE);
	memcpy(node + 1 + SCIM_HASH_SIZE, right, SCIM_HASH_SIZE);
	return sha256(&piece, 1, out);
}

uint64_t
scim_merkle_split(uint64_t size)
{
	uint64_t	split = 1;

	while (split < size - split)
		split *= 2;
	return split;
}

int
scim_merkle_count(uint64_t size)
{
	int			count = 0;

	for (; size > 0; size &= size - 1)
		count++;
	return count;
}

bool
scim_merkle_load(ScimMerkle *tree, uint64_t size, ScimStr hashes)
{
	if (size > SCIM_TREE_MAX || hashes.len != (size_t) scim_merkle_count(size) * SCIM_HASH_SIZE)
		return false;
	*tree = (ScimMerkle) {.size = size};
	if (hashes.len > 0)
		memcpy(tree->hash, hashes.ptr, hashes.len);
	return true;
}

bool
scim_merkle_append(ScimMerkle *tree, ScimSha256 sha256, const uint8_t leaf[SCIM_HASH_SIZE],
				   ScimMerkleStore store, void *arg)
{
	uint8_t		node[SCIM_HASH_SIZE];
	int			n = scim_merkle_count(tree->size);

	if (tree->size >= SCIM_TREE_MAX)
		return false;
	memcpy(node, leaf, SCIM_HASH_SIZE);
	for (int level = 0;; level++)
	{
		if (store != NULL && level % SCIM_TILE_HEIGHT == 0 &&
			!store(arg, level / SCIM_TILE_HEIGHT, tree->size >> level, node))
			return false;
		if ((tree->size >> level & 1) == 0)
			break;
		if (!scim_merkle_node(sha256, tree->hash[--n], node, node))
			return false;
	}
	memcpy(tree->hash[n], node, SCIM_HASH_SIZE);
	tree->size++;
	return true;
}

bool
scim_merkle_root(const ScimMerkle *tree, ScimSha256 sha256, uint8_t out[SCIM_HASH_SIZE])
{
	int			n = scim_merkle_count(tree->size);

	memcpy(out, n > 0 ? tree->hash[--n] : scim_merkle_empty, SCIM_HASH_SIZE);
	while (n > 0)
	{
		if (!scim_merkle_node(sha256, tree->hash[--n], out, out))
			return false;
	}
	return true;
}

static bool
same(const uint8_t a[SCIM_HASH_SIZE], const uint8_t b[SCIM_HASH_SIZE])
{
	return memcmp(a, b, SCIM_HASH_SIZE) == 0;
}

/* A proof that was filled by hand or read from somewhere. */
static bool
sound(const ScimProof *proof)
{
	return proof->n >= 0 && proof->n <= SCIM_PROOF_MAX;
}

/* The variables are those of RFC 9162: fn the index at a level, sn the last index there, r the hash. */
bool
scim_merkle_included(ScimSha256 sha256, const uint8_t leaf[SCIM_HASH_SIZE], uint64_t index,
					 uint64_t size, const ScimProof *proof, const uint8_t root[SCIM_HASH_SIZE])
{
	uint64_t	fn = index;
	uint64_t	sn = size - 1;
	uint8_t		r[SCIM_HASH_SIZE];

	if (!sound(proof) || size > SCIM_TREE_MAX || index >= size)
		return false;
	memcpy(r, leaf, SCIM_HASH_SIZE);
	for (int i = 0; i < proof->n; i++)
	{
		bool		right = (fn & 1) != 0 || fn == sn;

		if (sn == 0 || !scim_merkle_node(sha256, right ? proof->hash[i] : r, right ? r : proof->hash[i], r))
			return false;
		/* A last node without a sibling moves up as it is. */
		while (right && (fn & 1) == 0)
		{
			fn >>= 1;
			sn >>= 1;
		}
		fn >>= 1;
		sn >>= 1;
	}
	return sn == 0 && same(r, root);
}

/*
 * The walk of RFC 9162 section 2.1.4.2 from a node that both trees have, at
 * index fn of its level, sn being the last index there: fr and sr become the
 * roots of the first and the second tree.
 */
static bool
walk_consistency(ScimSha256 sha256, uint64_t fn, uint64_t sn, const ScimProof *proof, int from,
				 uint8_t fr[SCIM_HASH_SIZE], uint8_t sr[SCIM_HASH_SIZE])
{
	for (int i = from; i < proof->n; i++)
	{
		if (sn == 0)
			return false;
		if ((fn & 1) != 0 || fn == sn)
		{
			if (!scim_merkle_node(sha256, proof->hash[i], fr, fr) ||
				!scim_merkle_node(sha256, proof->hash[i], sr, sr))
				return false;
			while ((fn & 1) == 0 && fn != 0)
			{
				fn >>= 1;
				sn >>= 1;
			}
		}
		else if (!scim_merkle_node(sha256, sr, proof->hash[i], sr))
			return false;
		fn >>= 1;
		sn >>= 1;
	}
	return sn == 0;
}

bool
scim_merkle_consistent(ScimSha256 sha256, uint64_t from, const uint8_t from_root[SCIM_HASH_SIZE],
					   uint64_t to, const uint8_t to_root[SCIM_HASH_SIZE], const ScimProof *proof)
{
	bool		whole = from > 0 && (from & (from - 1)) == 0;	/* the first tree is one such node */
	uint64_t	fn = from - 1;
	uint64_t	sn = to - 1;
	uint8_t		fr[SCIM_HASH_SIZE];
	uint8_t		sr[SCIM_HASH_SIZE];

	if (!sound(proof) || from > to || to > SCIM_TREE_MAX)
		return false;
	if (to == 0 && !same(to_root, scim_merkle_empty))
		return false;
	if (from == to)
		return proof->n == 0 && same(from_root, to_root);
	if (from == 0)
		return proof->n == 0 && same(from_root, scim_merkle_empty);
	if (proof->n == 0)
		return false;
	while ((fn & 1) != 0)
	{
		fn >>= 1;
		sn >>= 1;
	}
	memcpy(fr, whole ? from_root : proof->hash[0], SCIM_HASH_SIZE);
	memcpy(sr, fr, SCIM_HASH_SIZE);
	return walk_consistency(sha256, fn, sn, proof, whole ? 0 : 1, fr, sr) &&
		same(fr, from_root) && same(sr, to_root);
}
