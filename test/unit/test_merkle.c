/*
 * test_merkle.c
 *		The Merkle tree: roots against RFC 6962's definition and known vectors,
 *		proofs from stored tiles against the checks of RFC 9162, and that no
 *		altered proof passes.
 */
#include "core/merkle.h"

#include <stdlib.h>

#include "core/text.h"
#include "core/tile.h"
#include "sha256.h"
#include "tap.h"

#define LEAVES 600

static uint8_t leaves[LEAVES][SCIM_HASH_SIZE];

static const char *
hex(const uint8_t hash[SCIM_HASH_SIZE])
{
	static char text[2 * SCIM_HASH_SIZE + 1];

	for (int i = 0; i < SCIM_HASH_SIZE; i++)
		snprintf(text + 2 * i, 3, "%02x", hash[i]);
	return text;
}

static void
make_leaves(void)
{
	for (int i = 0; i < LEAVES; i++)
	{
		char		data[4] = {(char) (i >> 8), (char) i, 'x', 0};

		scim_leaf_hash(sha256, (ScimStr) {data, 3}, leaves[i]);
	}
}

/* MTH of RFC 6962 section 2.1, as it is written there. */
static void
definition(size_t from, size_t n, uint8_t out[SCIM_HASH_SIZE])
{
	size_t		k = 1;
	uint8_t		left[SCIM_HASH_SIZE];
	uint8_t		right[SCIM_HASH_SIZE];

	if (n == 0)
	{
		sha256(NULL, 0, out);
		return;
	}
	if (n == 1)
	{
		memcpy(out, leaves[from], SCIM_HASH_SIZE);
		return;
	}
	while (k * 2 < n)
		k *= 2;
	definition(from, k, left);
	definition(from + k, n - k, right);
	scim_merkle_node(sha256, left, right, out);
}

/* The inputs that Certificate Transparency's reference tests use. */
static void
test_vectors(void)
{
	static const struct
	{
		const char *data;
		size_t		len;
	}			inputs[] = {
		{"", 0}, {"\x00", 1}, {"\x10", 1}, {"\x20\x21", 2}, {"\x30\x31", 2}, {"\x40\x41\x42\x43", 4},
		{"\x50\x51\x52\x53\x54\x55\x56\x57", 8},
		{"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f", 16},
	};
	static const char *const roots[] = {
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
		"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
		"aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
		NULL, NULL, NULL, NULL,
		"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
	};
	ScimMerkle	tree = {0};
	uint8_t		hash[SCIM_HASH_SIZE];

	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++)
	{
		scim_merkle_root(&tree, sha256, hash);
		if (roots[i] != NULL)
			is_str(hex(hash), roots[i], "root of %zu leaves", i);
		if (i == sizeof(inputs) / sizeof(inputs[0]))
			break;
		scim_leaf_hash(sha256, (ScimStr) {inputs[i].data, inputs[i].len}, hash);
		scim_merkle_append(&tree, sha256, hash, NULL, NULL);
	}
}

/* Tiles in memory, written as the tree grows. */
typedef struct Store
{
	uint8_t		tile[2][4][SCIM_TILE_WIDTH * SCIM_HASH_SIZE];
	uint64_t	next[2];		/* index of the node of a level that comes next */
	bool		in_order;
	int			reads;
} Store;

static bool
store_node(void *arg, int level, uint64_t index, const uint8_t hash[SCIM_HASH_SIZE])
{
	Store	   *store = arg;

	store->in_order = store->in_order && level < 2 && index == store->next[level];
	if (!store->in_order)
		return false;
	store->next[level]++;
	memcpy(store->tile[level][index / SCIM_TILE_WIDTH] + index % SCIM_TILE_WIDTH * SCIM_HASH_SIZE, hash, SCIM_HASH_SIZE);
	return true;
}

static bool
read_tile(void *arg, const ScimTile *tile, uint8_t *hashes)
{
	Store	   *store = arg;

	store->reads++;
	if (tile->level > 1 || tile->index * SCIM_TILE_WIDTH + (uint64_t) tile->width > store->next[tile->level])
		return false;
	memcpy(hashes, store->tile[tile->level][tile->index], (size_t) tile->width * SCIM_HASH_SIZE);
	return true;
}

static void
test_growth(Store *store)
{
	ScimMerkle	tree = {0};
	ScimMerkle	loaded;
	uint8_t		got[SCIM_HASH_SIZE];
	uint8_t		want[SCIM_HASH_SIZE];
	int			wrong = 0;
	int			not_loaded = 0;

	store->in_order = true;
	for (size_t n = 0; n <= LEAVES; n++)
	{
		ScimStr		kept = {(const char *) tree.hash, (size_t) scim_merkle_count(n) * SCIM_HASH_SIZE};

		definition(0, n, want);
		scim_merkle_root(&tree, sha256, got);
		wrong += memcmp(got, want, SCIM_HASH_SIZE) != 0;
		not_loaded += !scim_merkle_load(&loaded, n, kept) ||
			memcmp(loaded.hash, tree.hash, kept.len) != 0 || loaded.size != n;
		if (n < LEAVES)
			scim_merkle_append(&tree, sha256, leaves[n], store_node, store);
	}
	is_int(wrong, 0, "each root is what RFC 6962 defines");
	is_int(not_loaded, 0, "each tree goes on from what was kept of it");
	ok(store->in_order && store->next[0] == LEAVES && store->next[1] == LEAVES / 256,
	   "nodes for tiles come in order: %d and %d", (int) store->next[0], (int) store->next[1]);
	ok(!scim_merkle_load(&loaded, 3, (ScimStr) {(const char *) tree.hash, SCIM_HASH_SIZE}), "one hash is no tree of 3");
	tree.size = SCIM_TREE_MAX;
	ok(!scim_merkle_append(&tree, sha256, leaves[0], NULL, NULL), "a tree has an end");
}

static bool
refuse_node(void *arg, int level, uint64_t index, const uint8_t hash[SCIM_HASH_SIZE])
{
	(void) arg;
	(void) index;
	(void) hash;
	return level == 0;
}

static bool
failing_sha256(const ScimStr *pieces, int n, uint8_t out[SCIM_HASH_SIZE])
{
	(void) pieces;
	(void) n;
	(void) out;
	return false;
}

static void
test_refused_append(void)
{
	ScimMerkle	tree = {0};
	ScimMerkle	before;

	for (int i = 0; i < 255; i++)
		scim_merkle_append(&tree, sha256, leaves[i], NULL, NULL);
	before = tree;
	ok(!scim_merkle_append(&tree, sha256, leaves[255], refuse_node, NULL), "a node that is not stored refuses the leaf");
	ok(memcmp(&tree, &before, sizeof(tree)) == 0, "and the tree is as it was");
	ok(!scim_merkle_append(&tree, failing_sha256, leaves[255], NULL, NULL), "so does a hash that fails");
	ok(memcmp(&tree, &before, sizeof(tree)) == 0, "and the tree is as it was");
}

static void
test_inclusion(Store *store)
{
	static const uint64_t sizes[] = {1, 2, 3, 7, 8, 9, 255, 256, 257, 511, 512, 513, LEAVES};
	ScimTree	tree;
	ScimProof	proof;
	int			wrong = 0;
	int			passed = 0;
	int			proofs = 0;
	uint8_t		root[SCIM_HASH_SIZE];

	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++)
	{
		uint64_t	size = sizes[s];

		definition(0, size, root);
		scim_tree_init(&tree, LEAVES, sha256, read_tile, store);
		for (uint64_t i = 0; i < size; i += size > 64 ? 13 : 1)
		{
			proofs++;
			if (!scim_tree_inclusion(&tree, i, size, &proof) ||
				!scim_merkle_included(sha256, leaves[i], i, size, &proof, root))
				wrong++;
			passed += scim_merkle_included(sha256, leaves[i], i + 1, size, &proof, root);
			passed += scim_merkle_included(sha256, leaves[i + 1 == LEAVES ? 0 : i + 1], i, size, &proof, root);
			if (proof.n > 0)
			{
				proof.n--;
				passed += scim_merkle_included(sha256, leaves[i], i, size, &proof, root);
				proof.n++;
				proof.hash[proof.n / 2][5] ^= 1;
				passed += scim_merkle_included(sha256, leaves[i], i, size, &proof, root);
				proof.hash[proof.n / 2][5] ^= 1;
			}
			proof.n++;
			passed += scim_merkle_included(sha256, leaves[i], i, size, &proof, root);
		}
		ok(!scim_tree_inclusion(&tree, size, size, &proof), "no leaf %d in a tree of %d", (int) size, (int) size);
	}
	is_int(wrong, 0, "%d proofs of inclusion hold", proofs);
	is_int(passed, 0, "none does for another leaf or index, shortened, lengthened or altered");
	ok(!scim_merkle_included(sha256, leaves[0], 0, 0, &proof, scim_merkle_empty), "nothing is in the empty tree");
	proof.n = SCIM_PROOF_MAX + 1;
	ok(!scim_merkle_included(sha256, leaves[0], 0, 1, &proof, root), "a proof has at most %d hashes", SCIM_PROOF_MAX);
}

static void
test_consistency(Store *store)
{
	static const uint64_t sizes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 64, 65, 200, 255, 256, 257, 511, 512, 513, LEAVES};
	const size_t n_sizes = sizeof(sizes) / sizeof(sizes[0]);
	ScimTree	tree;
	ScimProof	proof;
	int			wrong = 0;
	int			passed = 0;
	uint8_t		from_root[SCIM_HASH_SIZE];
	uint8_t		to_root[SCIM_HASH_SIZE];

	scim_tree_init(&tree, LEAVES, sha256, read_tile, store);
	for (size_t f = 0; f < n_sizes; f++)
	{
		for (size_t t = f; t < n_sizes; t++)
		{
			uint64_t	from = sizes[f];
			uint64_t	to = sizes[t];

			definition(0, from, from_root);
			definition(0, to, to_root);
			wrong += !scim_tree_consistency(&tree, from, to, &proof) ||
				!scim_merkle_consistent(sha256, from, from_root, to, to_root, &proof);
			for (int i = 0; i < proof.n; i++)
			{
				proof.hash[i][31] ^= 0x80;
				passed += scim_merkle_consistent(sha256, from, from_root, to, to_root, &proof);
				proof.hash[i][31] ^= 0x80;
			}
			passed += scim_merkle_consistent(sha256, to, to_root, from, from_root, &proof) && from != to;
			from_root[0] ^= 1;
			passed += scim_merkle_consistent(sha256, from, from_root, to, to_root, &proof);
			from_root[0] ^= 1;
			to_root[0] ^= 1;
			passed += scim_merkle_consistent(sha256, from, from_root, to, to_root, &proof);
			to_root[0] ^= 1;
			proof.n++;
			passed += scim_merkle_consistent(sha256, from, from_root, to, to_root, &proof);
		}
	}
	is_int(wrong, 0, "proofs of consistency hold");
	is_int(passed, 0, "none does altered, lengthened, backwards or for other roots");
	definition(0, 5, to_root);
	ok(scim_tree_consistency(&tree, 0, 5, &proof) && proof.n == 0 &&
	   scim_merkle_consistent(sha256, 0, scim_merkle_empty, 5, to_root, &proof), "every tree begins with the empty one");
	ok(!scim_merkle_consistent(sha256, 0, to_root, 5, to_root, &proof), "which has one root only");
	ok(!scim_tree_consistency(&tree, 6, 5, &proof), "no proof backwards");
	ok(!scim_tree_consistency(&tree, 5, LEAVES + 1, &proof), "nor past the end");
}

/* What RFC 6962 section 2.1.3 shows for seven leaves d0 to d6. */
static void
test_example(Store *store)
{
	ScimTree	tree;
	ScimProof	proof;
	uint8_t		want[SCIM_HASH_SIZE];

	scim_tree_init(&tree, 7, sha256, read_tile, store);
	scim_tree_inclusion(&tree, 0, 7, &proof);
	definition(4, 3, want);
	ok(proof.n == 3 && memcmp(proof.hash[0], leaves[1], SCIM_HASH_SIZE) == 0 &&
	   memcmp(proof.hash[2], want, SCIM_HASH_SIZE) == 0, "d0 in seven: b, h, l");
	scim_tree_inclusion(&tree, 6, 7, &proof);
	definition(0, 4, want);
	ok(proof.n == 2 && memcmp(proof.hash[1], want, SCIM_HASH_SIZE) == 0, "d6 in seven: i, k");
	scim_tree_consistency(&tree, 3, 7, &proof);
	is_int(proof.n, 4, "three in seven: c, d, g, l");
	ok(memcmp(proof.hash[0], leaves[2], SCIM_HASH_SIZE) == 0 && memcmp(proof.hash[1], leaves[3], SCIM_HASH_SIZE) == 0,
	   "c and d first");
	scim_tree_consistency(&tree, 4, 7, &proof);
	is_int(proof.n, 1, "four in seven: l");
	scim_tree_consistency(&tree, 6, 7, &proof);
	is_int(proof.n, 3, "six in seven: i, j, k");
}

static void
test_stored(Store *store)
{
	ScimTree	tree;
	ScimMerkle	grown = {0};
	ScimMerkle	loaded;
	ScimProof	proof;
	uint8_t		root[SCIM_HASH_SIZE];
	uint8_t		want[SCIM_HASH_SIZE];

	scim_tree_init(&tree, LEAVES, sha256, read_tile, store);
	for (int i = 0; i < 513; i++)
		scim_merkle_append(&grown, sha256, leaves[i], NULL, NULL);
	ok(scim_tree_load(&tree, 513, &loaded) && loaded.size == 513 &&
	   memcmp(loaded.hash, grown.hash, (size_t) scim_merkle_count(513) * SCIM_HASH_SIZE) == 0, "a tree is had from its tiles");
	definition(0, LEAVES, want);
	ok(scim_tree_root(&tree, LEAVES, root) && memcmp(root, want, SCIM_HASH_SIZE) == 0, "and its root");
	ok(scim_tree_root(&tree, 0, root) && memcmp(root, scim_merkle_empty, SCIM_HASH_SIZE) == 0, "and that of nothing");
	ok(!scim_tree_root(&tree, LEAVES + 1, root), "not more than there is");
	store->reads = 0;
	ok(scim_tree_inclusion(&tree, 300, LEAVES, &proof) && store->reads <= 6, "a proof reads few tiles: %d", store->reads);
	store->next[0] = 300;
	scim_tree_init(&tree, LEAVES, sha256, read_tile, store);
	ok(!scim_tree_inclusion(&tree, 400, LEAVES, &proof), "no proof without the tile");
	store->next[0] = LEAVES;
	ok(!scim_tree_init(&tree, SCIM_TREE_MAX + 1, sha256, read_tile, store), "no tree of 2^63 leaves");
}

int
main(void)
{
	Store	   *store = calloc(1, sizeof(Store));

	make_leaves();
	test_vectors();
	test_growth(store);
	test_refused_append();
	test_inclusion(store);
	test_consistency(store);
	test_example(store);
	test_stored(store);
	free(store);
	return done_testing();
}
