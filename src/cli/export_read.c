/*
 * export_read.c
 *		An exported log, read (see export_read.h).
 */
#include "cli/export_read.h"

#include <errno.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/file.h"
#include "core/text.h"

bool
cli_export_open(CliExport *export, const char *dir, CliFindings *findings)
{
	bool		good;
	char	   *path = cli_path(dir, "export.json");
	ScimBuf		buf;
	ScimError	err;

	memset(export, 0, sizeof *export);
	export->dir = dir;
	scim_buf_init(&export->file, NULL, CLI_FILE_MAX);
	scim_buf_init(&buf, NULL, CLI_FILE_MAX);
	if (!cli_file_read(path, &buf))
		cli_fail("scim-audit export makes one", "%s is no export: could not read %s: %s", dir, path, strerror(errno));
	good = cli_manifest_read(&export->manifest, cli_buf_str(&buf), &err);
	if (!good && findings == NULL)
		cli_fail(NULL, "%s: %s", path, err.detail);
	if (!good)
		cli_findings_add(findings, "export.json", "file_damaged", "It is not what was written: %s.", err.detail);
	scim_buf_free(&buf);
	free(path);
	return good;
}

bool
cli_export_tile(void *arg, const ScimTile *tile, uint8_t *hashes)
{
	CliExport  *export = arg;
	ScimTile	stored = *tile;
	char	   *path;
	bool		found;

	/* The file is as wide as the tree of the export has it. */
	stored.width = scim_tile_width(export->manifest.size, tile->level, tile->index);
	if (stored.width < tile->width)
		return false;
	path = cli_tile_path(export->dir, &stored);
	found = cli_file_read(path, &export->file) && export->file.len == (size_t) stored.width * SCIM_HASH_SIZE;
	free(path);
	if (found)
		memcpy(hashes, export->file.data, (size_t) tile->width * SCIM_HASH_SIZE);
	return found;
}

/* The entry at a place of its bundle. */
static bool
read_entry(CliExport *export, const ScimTile *tile, int place, ScimBuf *entry)
{
	char	   *path = cli_tile_path(export->dir, tile);
	ScimCursor	cursor;
	ScimStr		text = SCIM_STR_NONE;

	if (!cli_file_read(path, &export->file))
		cli_fail(NULL, "could not read %s: %s", path, strerror(errno));
	cursor = scim_cursor(cli_buf_str(&export->file));
	for (int i = 0; i <= place; i++)
		text = scim_tile_next_entry(&cursor);
	free(path);
	scim_buf_reset(entry);
	scim_buf_bytes(entry, text.ptr, text.len);
	return text.len > 0 && !entry->failed;
}

bool
cli_export_find(CliExport *export, const uint8_t tx_id[16], int32_t n, uint64_t *index, ScimBuf *entry)
{
	char		id[CLI_EVENT_ID_SIZE];
	char	   *begin;
	size_t		len;
	uint64_t	all = export->manifest.size;

	cli_event_id(tx_id, n, id);
	begin = cli_printf("{\"event\":\"%s\",", id);
	len = strlen(begin);
	for (uint64_t bundle = 0; bundle * SCIM_TILE_WIDTH < all; bundle++)
	{
		ScimTile	tile = {SCIM_TILE_ENTRIES, bundle, scim_tile_width(all, 0, bundle)};
		char	   *path = cli_details_path(export->dir, &tile);
		ScimCursor	cursor;
		ScimStr		line;

		if (!cli_file_read(path, &export->file))
			cli_fail(NULL, "could not read %s: %s", path, strerror(errno));
		free(path);
		cursor = scim_cursor(cli_buf_str(&export->file));
		for (int place = 0; (line = scim_cursor_line(&cursor)).ptr != NULL; place++)
			if (line.len >= len && memcmp(line.ptr, begin, len) == 0)
			{
				*index = bundle * SCIM_TILE_WIDTH + (uint64_t) place;
				free(begin);
				return place < tile.width && read_entry(export, &tile, place, entry);
			}
		cli_progress("looking for the event", bundle * SCIM_TILE_WIDTH, all);
	}
	free(begin);
	return false;
}
