/*
 * tile.c
 *		Tiles of the Merkle tree, and proofs from them (see tile.h).
 */
#include "core/tile.h"

#include <string.h>

#include "core/text.h"

/* How many hashes a level of tiles holds. */
static uint64_t
level_size(uint64_t size, int level)
{
	if (level == SCIM_TILE_ENTRIES)
		return size;
	return level * SCIM_TILE_HEIGHT < 64 ? size >> (level * SCIM_TILE_HEIGHT) : 0;
}

int
scim_tile_width(uint64_t size, int level, uint64_t index)
{
	uint64_t	hashes = level_size(size, level);
	uint64_t	before = index * SCIM_TILE_WIDTH;

	if (index > UINT64_MAX / SCIM_TILE_WIDTH || hashes <= before)
		return 0;
	return hashes - before < SCIM_TILE_WIDTH ? (int) (hashes - before) : SCIM_TILE_WIDTH;
}

bool
scim_tile_next(ScimTile *tile, uint64_t from, uint64_t to)
{
	ScimTile	next = {tile->level, tile->index + 1, 0};

	if (tile->width == 0)
		next = (ScimTile) {0, from / SCIM_TILE_WIDTH, 0};
	else if (scim_tile_width(to, next.level, next.index) == 0)
	{
		next.level++;
		next.index = level_size(from, next.level) / SCIM_TILE_WIDTH;
	}
	/* A level that has nothing new has nothing new above it. */
	if (level_size(from, next.level) >= level_size(to, next.level))
		return false;
	next.width = scim_tile_width(to, next.level, next.index);
	*tile = next;
	return true;
}

/* Names. */

void
scim_tile_path(ScimBuf *buf, const ScimTile *tile)
{
	uint64_t	scale = 1;

	if (tile->level == SCIM_TILE_ENTRIES)
		scim_buf_str(buf, "tile/entries");
	else
		scim_buf_printf(buf, "tile/%d", tile->level);
	while (tile->index / scale >= 1000)
		scale *= 1000;
	for (; scale >= 1000; scale /= 1000)
		scim_buf_printf(buf, "/x%03d", (int) (tile->index / scale % 1000));
	scim_buf_printf(buf, "/%03d", (int) (tile->index % 1000));
	if (tile->width < SCIM_TILE_WIDTH)
		scim_buf_printf(buf, ".p/%d", tile->width);
}

/* The bytes up to a slash or a full stop. */
static ScimStr
step(ScimCursor *cursor)
{
	const char *from = cursor->ptr;
	int			c;

	while ((c = scim_cursor_peek(cursor)) != -1 && c != '/' && c != '.')
		cursor->ptr++;
	return (ScimStr) {from, (size_t) (cursor->ptr - from)};
}

/* Three digits; -1 for anything else. */
static int
three_digits(ScimStr s)
{
	int			number = 0;

	if (s.len != 3)
		return -1;
	for (size_t i = 0; i < 3; i++)
	{
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return -1;
		number = number * 10 + s.ptr[i] - '0';
	}
	return number;
}

/* "x001/x234/067"; no more than the index of any tile of any tree. */
static bool
parse_index(ScimCursor *cursor, uint64_t *index)
{
	*index = 0;
	for (bool first = true;; first = false)
	{
		bool		more = scim_cursor_byte(cursor, 'x');
		int			number = three_digits(step(cursor));

		/* x000 at the beginning says nothing. */
		if (number < 0 || (first && more && number == 0))
			return false;
		*index = *index * 1000 + (uint64_t) number;
		if (*index > SCIM_TREE_MAX / SCIM_TILE_WIDTH)
			return false;
		if (!more)
			return true;
		if (!scim_cursor_byte(cursor, '/'))
			return false;
	}
}

/* ".p/5", or nothing: a full tile. */
static bool
parse_width(ScimCursor *cursor, int *width)
{
	uint64_t	number = SCIM_TILE_WIDTH;

	if (!scim_cursor_at_end(cursor))
	{
		if (!scim_cursor_byte(cursor, '.') || !scim_cursor_byte(cursor, 'p') || !scim_cursor_byte(cursor, '/') ||
			!scim_decimal_parse(step(cursor), SCIM_TILE_WIDTH - 1, &number) || number == 0)
			return false;
	}
	*width = (int) number;
	return scim_cursor_at_end(cursor);
}

bool
scim_tile_parse(ScimStr path, ScimTile *tile)
{
	ScimCursor	cursor = scim_cursor(path);
	ScimStr		level;
	uint64_t	number = 0;
	ScimTile	result = {SCIM_TILE_ENTRIES, 0, 0};

	if (!scim_str_equal(step(&cursor), SCIM_STR("tile")) || !scim_cursor_byte(&cursor, '/'))
		return false;
	level = step(&cursor);
	if (scim_decimal_parse(level, SCIM_TILE_LEVELS - 1, &number))
		result.level = (int) number;
	else if (!scim_str_equal(level, SCIM_STR("entries")))
		return false;
	if (!scim_cursor_byte(&cursor, '/') || !parse_index(&cursor, &result.index) ||
		!parse_width(&cursor, &result.width))
		return false;
	*tile = result;
	return true;
}

/* Bundles of entries. */

bool
scim_tile_put_entry(ScimBuf *buf, ScimStr entry)
{
	if (entry.len > SCIM_ENTRY_MAX)
		return false;
	scim_buf_char(buf, (char) (entry.len >> 8));
	scim_buf_char(buf, (char) (entry.len & 0xFF));
	scim_buf_bytes(buf, entry.ptr, entry.len);
	return !buf->failed;
}

ScimStr
scim_tile_next_entry(ScimCursor *bundle)
{
	size_t		left = (size_t) (bundle->end - bundle->ptr);
	const uint8_t *bytes = (const uint8_t *) bundle->ptr;
	size_t		len;
	ScimStr		entry;

	if (left < 2 || left - 2 < (len = (size_t) bytes[0] << 8 | bytes[1]))
		return SCIM_STR_NONE;
	entry = (ScimStr) {bundle->ptr + 2, len};
	bundle->ptr += 2 + len;
	return entry;
}

/* A stored tree. */

bool
scim_tree_init(ScimTree *tree, uint64_t size, ScimSha256 sha256, ScimTileRead read, void *arg)
{
	tree->size = size;
	tree->sha256 = sha256;
	tree->read = read;
	tree->arg = arg;
	tree->tile = (ScimTile) {0};
	return size <= SCIM_TREE_MAX;
}

/* The tile that holds this hash of a level of tiles; the one read last is kept. */
static bool
read_tile(ScimTree *tree, int level, uint64_t hash)
{
	ScimTile	tile = {level, hash / SCIM_TILE_WIDTH, 0};

	if (tree->tile.width > 0 && tree->tile.level == tile.level && tree->tile.index == tile.index)
		return true;
	tile.width = scim_tile_width(tree->size, tile.level, tile.index);
	tree->tile.width = 0;
	if (tile.width == 0 || !tree->read(tree->arg, &tile, tree->hashes))
		return false;
	tree->tile = tile;
	return true;
}

bool
scim_tree_node(ScimTree *tree, int level, uint64_t index, uint8_t out[SCIM_HASH_SIZE])
{
	int			tile_level = level / SCIM_TILE_HEIGHT;
	int			above = level % SCIM_TILE_HEIGHT;	/* the hashes of the tile */
	uint64_t	first = index << above;
	uint8_t		row[SCIM_TILE_WIDTH / 2][SCIM_HASH_SIZE];
	int			n = 1 << above;

	if (level < 0 || level >= SCIM_TREE_DEPTH || index >= tree->size >> level)
		return false;
	if (!read_tile(tree, tile_level, first))
		return false;
	memcpy(row, tree->hashes + first % SCIM_TILE_WIDTH * SCIM_HASH_SIZE, (size_t) n * SCIM_HASH_SIZE);
	for (; n > 1; n /= 2)
	{
		for (int i = 0; i < n / 2; i++)
		{
			if (!scim_merkle_node(tree->sha256, row[2 * i], row[2 * i + 1], row[i]))
				return false;
		}
	}
	memcpy(out, row[0], SCIM_HASH_SIZE);
	return true;
}

/*
 * The root of the leaves from lo to before hi: lo is a multiple of the
 * smallest power of two that is not below their number, which is so of all
 * parts that RFC 6962 splits a tree into.
 */
static bool
part_root(ScimTree *tree, uint64_t lo, uint64_t hi, uint8_t out[SCIM_HASH_SIZE])
{
	uint8_t		node[SCIM_HASH_SIZE];
	bool		first = true;

	/* From the last and smallest of the full subtrees that it is made of. */
	for (int level = 0; lo < hi; level++)
	{
		if (((hi - lo) >> level & 1) == 0)
			continue;
		hi -= UINT64_C(1) << level;
		if (!scim_tree_node(tree, level, hi >> level, first ? out : node) ||
			(!first && !scim_merkle_node(tree->sha256, node, out, out)))
			return false;
		first = false;
	}
	return true;
}

bool
scim_tree_load(ScimTree *tree, uint64_t size, ScimMerkle *out)
{
	uint64_t	left = size;
	int			n = scim_merkle_count(size);

	if (size > tree->size)
		return false;
	*out = (ScimMerkle) {.size = size};
	for (int level = 0; left > 0; level++)
	{
		if ((left >> level & 1) == 0)
			continue;
		left -= UINT64_C(1) << level;
		if (!scim_tree_node(tree, level, left >> level, out->hash[--n]))
			return false;
	}
	return true;
}

bool
scim_tree_root(ScimTree *tree, uint64_t size, uint8_t out[SCIM_HASH_SIZE])
{
	memcpy(out, scim_merkle_empty, SCIM_HASH_SIZE);
	return size <= tree->size && part_root(tree, 0, size, out);
}

/* Proofs are gathered from the root down and written from the leaf up. */
static void
reverse(ScimProof *proof)
{
	uint8_t		hash[SCIM_HASH_SIZE];

	for (int i = 0, j = proof->n - 1; i < j; i++, j--)
	{
		memcpy(hash, proof->hash[i], SCIM_HASH_SIZE);
		memcpy(proof->hash[i], proof->hash[j], SCIM_HASH_SIZE);
		memcpy(proof->hash[j], hash, SCIM_HASH_SIZE);
	}
}

static bool
gather(ScimTree *tree, ScimProof *proof, uint64_t lo, uint64_t hi)
{
	return part_root(tree, lo, hi, proof->hash[proof->n++]);
}

/*
 * The part from *lo to *hi is split; the half that is not wanted goes into
 * the proof, the other one is the new part.
 */
static bool
descend(ScimTree *tree, ScimProof *proof, uint64_t *lo, uint64_t *hi, bool left)
{
	uint64_t	middle = *lo + scim_merkle_split(*hi - *lo);
	uint64_t	end = *hi;

	if (left)
	{
		*hi = middle;
		return gather(tree, proof, middle, end);
	}
	if (!gather(tree, proof, *lo, middle))
		return false;
	*lo = middle;
	return true;
}

bool
scim_tree_inclusion(ScimTree *tree, uint64_t index, uint64_t size, ScimProof *proof)
{
	uint64_t	lo = 0;
	uint64_t	hi = size;

	proof->n = 0;
	if (index >= size || size > tree->size)
		return false;
	while (hi - lo > 1)
	{
		if (!descend(tree, proof, &lo, &hi, index - lo < scim_merkle_split(hi - lo)))
			return false;
	}
	reverse(proof);
	return true;
}

bool
scim_tree_consistency(ScimTree *tree, uint64_t from, uint64_t to, ScimProof *proof)
{
	uint64_t	lo = 0;
	uint64_t	hi = to;

	proof->n = 0;
	if (from > to || to > tree->size)
		return false;
	if (from == 0)
		return true;
	/* Down to the part that ends where the first tree does. */
	while (from < hi)
	{
		if (!descend(tree, proof, &lo, &hi, from - lo <= scim_merkle_split(hi - lo)))
			return false;
	}
	/* The whole first tree is known already. */
	if (lo > 0 && !gather(tree, proof, lo, hi))
		return false;
	reverse(proof);
	return true;
}
