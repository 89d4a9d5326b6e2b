/*
 * test_tile.c
 *		Which tiles a tree has, what they are called, and bundles of entries
 *		(C2SP tlog-tiles).
 */
#include "core/tile.h"

#include <stdlib.h>

#include "core/text.h"
#include "tap.h"

static void
test_paths(void)
{
	static const struct
	{
		ScimTile	tile;
		const char *path;
	}			cases[] = {
		{{0, 1234067, 256}, "tile/0/x001/x234/067"},
		{{0, 0, 256}, "tile/0/000"},
		{{0, 1000, 256}, "tile/0/x001/000"},
		{{0, 999, 1}, "tile/0/999.p/1"},
		{{1, 273, 112}, "tile/1/273.p/112"},
		{{63, 0, 255}, "tile/63/000.p/255"},
		{{SCIM_TILE_ENTRIES, 1234067, 8}, "tile/entries/x001/x234/067.p/8"},
		{{SCIM_TILE_ENTRIES, 5, 256}, "tile/entries/005"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		ScimBuf		buf;
		ScimTile	tile = {0};
		ScimStr		path = {cases[i].path, strlen(cases[i].path)};

		scim_buf_init(&buf, NULL, 100);
		scim_tile_path(&buf, &cases[i].tile);
		is_str(buf.data, cases[i].path, "path");
		ok(scim_tile_parse(path, &tile) && tile.level == cases[i].tile.level && tile.index == cases[i].tile.index &&
		   tile.width == cases[i].tile.width, "%s is read as it is written", cases[i].path);
		scim_buf_free(&buf);
	}
}

static void
test_bad_paths(void)
{
	static const char *const cases[] = {
		"", "tile", "tile/", "tile/0", "tile/0/", "tile/0/0", "tile/0/00", "tile/0/0000", "tile/0/1234", "tile/0/x001",
		"tile/0/x000/001", "tile/0/001/002", "tile/0/x001/x002", "tile/00/001", "tile/01/001", "tile/64/001", "tile/-1/001",
		"tile/0/001.p", "tile/0/001.p/", "tile/0/001.p/0", "tile/0/001.p/256", "tile/0/001.p/01", "tile/0/001.p/-1",
		"tile/0/001.p/5/", "tile/0/001/", "/tile/0/001", "tile/0/x01/001", "tile/0/X001/001", "tile/entry/001", "tile/0/001.q/5",
		"tile/0/ 01", "tile/0/x999/x999/x999/x999/x999/x999/999", "checkpoint", "tile/0/001 ",
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		size_t		len = strlen(cases[i]);
		char	   *copy = malloc(len + 1);	/* no byte behind it is read */
		ScimTile	tile = {7, 7, 7};

		memcpy(copy, cases[i], len);
		ok(!scim_tile_parse((ScimStr) {copy, len}, &tile) && tile.width == 7, "\"%s\" names no tile", cases[i]);
		free(copy);
	}
}

static void
test_widths(void)
{
	is_int(scim_tile_width(70000, 0, 272), 256, "70,000 leaves: 273 full tiles");
	is_int(scim_tile_width(70000, 0, 273), 112, "and one of 112");
	is_int(scim_tile_width(70000, 0, 274), 0, "and no other");
	is_int(scim_tile_width(70000, 1, 0), 256, "above them one full one");
	is_int(scim_tile_width(70000, 1, 1), 17, "and one of 17");
	is_int(scim_tile_width(70000, 2, 0), 1, "and above that one of 1");
	is_int(scim_tile_width(70000, 3, 0), 0, "and nothing above");
	is_int(scim_tile_width(70000, SCIM_TILE_ENTRIES, 273), 112, "entries as level 0");
	is_int(scim_tile_width(256, 0, 0), 256, "256 leaves: a full tile");
	is_int(scim_tile_width(256, 1, 0), 1, "and one above");
	is_int(scim_tile_width(256, 0, 1), 0, "and no empty one");
	is_int(scim_tile_width(0, 0, 0), 0, "the empty tree has none");
	is_int(scim_tile_width(SCIM_TREE_MAX, 63, 0), 0, "no tree is so high");
	is_int(scim_tile_width(SCIM_TREE_MAX, 0, UINT64_MAX), 0, "nor so wide");
}

/* The tiles that came with the leaves from `from` to `to`, as text. */
static void
is_new(uint64_t from, uint64_t to, const char *want)
{
	ScimTile	tile = {0};
	ScimBuf		buf;

	scim_buf_init(&buf, NULL, 10000);
	scim_buf_str(&buf, "");
	while (scim_tile_next(&tile, from, to))
	{
		scim_buf_char(&buf, ' ');
		scim_tile_path(&buf, &tile);
	}
	is_str(buf.len > 0 ? buf.data + 1 : "", want, "new tiles from %d to %d", (int) from, (int) to);
	scim_buf_free(&buf);
}

static void
test_new(void)
{
	is_new(0, 0, "");
	is_new(5, 5, "");
	is_new(0, 5, "tile/0/000.p/5");
	is_new(5, 256, "tile/0/000 tile/1/000.p/1");
	is_new(256, 257, "tile/0/001.p/1");
	is_new(255, 513, "tile/0/000 tile/0/001 tile/0/002.p/1 tile/1/000.p/2");
	is_new(69888, 70000, "tile/0/273.p/112");
	is_new(65535, 65536, "tile/0/255 tile/1/000 tile/2/000.p/1");
}

static void
test_bundles(void)
{
	ScimBuf		buf;
	ScimCursor	cursor;
	ScimStr		entry;
	char	   *large = malloc(SCIM_ENTRY_MAX + 1);

	memset(large, 'x', SCIM_ENTRY_MAX + 1);
	scim_buf_init(&buf, NULL, 200000);
	ok(scim_tile_put_entry(&buf, SCIM_STR("{}")) && scim_tile_put_entry(&buf, (ScimStr) {large, SCIM_ENTRY_MAX}) &&
	   scim_tile_put_entry(&buf, SCIM_STR("")), "three entries");
	ok(!scim_tile_put_entry(&buf, (ScimStr) {large, SCIM_ENTRY_MAX + 1}), "none that is longer than two bytes can say");
	is_int((long long) buf.len, 2 + 2 + 2 + SCIM_ENTRY_MAX + 2, "a length before each");
	ok(memcmp(buf.data, "\0\2{}\xff\xff", 6) == 0, "the higher byte first");
	cursor = scim_cursor((ScimStr) {buf.data, buf.len});
	entry = scim_tile_next_entry(&cursor);
	ok(scim_str_equal(entry, SCIM_STR("{}")), "the first is read");
	entry = scim_tile_next_entry(&cursor);
	is_int((long long) entry.len, SCIM_ENTRY_MAX, "the second");
	entry = scim_tile_next_entry(&cursor);
	ok(entry.ptr != NULL && entry.len == 0, "and an empty one");
	ok(scim_tile_next_entry(&cursor).ptr == NULL && scim_cursor_at_end(&cursor), "and then no more");
	cursor = scim_cursor((ScimStr) {buf.data, 3});
	ok(scim_tile_next_entry(&cursor).ptr == NULL && !scim_cursor_at_end(&cursor), "one that is cut short is none");
	scim_buf_free(&buf);
	free(large);
}

int
main(void)
{
	test_paths();
	test_bad_paths();
	test_widths();
	test_new();
	test_bundles();
	return done_testing();
}
