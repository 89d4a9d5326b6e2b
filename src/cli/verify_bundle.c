/*
 * verify_bundle.c
 *		A bundle of entries in an export, with the lines that belong to it (see
 *		verify_dir.h).
 *
 * The tree says which of an entry and its leaf is right; so a bundle is read
 * as a whole before its events are looked at.
 */
#include "cli/verify_dir.h"

/* The entries of a bundle, and their hashes; false when the file is not what it should be. */
static bool
read_entries(CliDir *dir, const ScimTile *tile, ScimArena *arena)
{
	char	   *path = cli_tile_path(dir->export.dir, tile);
	const char *name = path + strlen(dir->export.dir) + 1;
	bool		there = cli_dir_file(dir, path, &dir->entries);
	ScimCursor	cursor = scim_cursor(cli_buf_str(&dir->entries));
	bool		cut = false;

	for (int i = 0; i < tile->width; i++)
	{
		dir->entry[i] = scim_tile_next_entry(&cursor);
		cut |= dir->entry[i].ptr == NULL;
		dir->leaves.has_event[i] = dir->entry[i].len > 0;
		dir->readable[i] = dir->entry[i].len > 0 && scim_entry_read(&dir->parsed[i], dir->entry[i], arena) == SCIM_OK;
		if (dir->leaves.has_event[i])
			cli_went(scim_leaf_hash(cli_sha256, dir->entry[i], dir->leaves.event[i]));
	}
	/* Where lengths are wrong, what is read from there on is nothing. */
	if (there && (cut || !scim_cursor_at_end(&cursor)))
		cli_findings_add(&dir->verify->findings, name, "file_damaged", "It does not hold %d entries, one after another.", tile->width);
	dir->leaves.index = tile->index;
	dir->leaves.width = tile->width;
	free(path);
	return there && !cut && scim_cursor_at_end(&cursor);
}

static void
read_lines(CliDir *dir, char *path, ScimArena *arena, int width)
{
	const char *name = path + strlen(dir->export.dir) + 1;
	bool		there = cli_dir_file(dir, path, &dir->details);
	ScimCursor	cursor = scim_cursor(cli_buf_str(&dir->details));
	ScimStr		line;
	int			bad = 0;

	dir->n_lines = 0;
	while (dir->n_lines <= SCIM_TILE_WIDTH && (line = scim_cursor_line(&cursor)).ptr != NULL)
	{
		int			i = dir->n_lines++;

		dir->line_good[i] = cli_line_read(&dir->lines[i], line, arena) && !dir->lines[i].has_leaf;
		if (!dir->line_good[i] && bad == 0)
			bad = i + 1;
	}
	if (there && bad > 0)
		cli_findings_add(&dir->verify->findings, name, "file_damaged", "Line %d is not one that was written.", bad);
	else if (there && (dir->n_lines != width || !scim_cursor_at_end(&cursor)))
		cli_findings_add(&dir->verify->findings, name, "file_damaged", "It does not have %d lines.", width);
	dir->lines_damaged = !there || bad > 0 || dir->n_lines != width || !scim_cursor_at_end(&cursor);
}

/* Is the entry the one of its leaf? */
static bool
is_sure(const CliDir *dir, int i)
{
	return dir->readable[i] && memcmp(dir->leaves.event[i], dir->leaves.leaf[i], SCIM_HASH_SIZE) == 0;
}

/* The line of an event: near the one that comes next, and then the one behind comes next. */
static const CliLine *
find_line(CliDir *dir, int i, int *next, const char *name)
{
	bool		sure = is_sure(dir, i);

	for (int k = *next; k < dir->n_lines && k < *next + 3; k++)
	{
		const CliLine *line = &dir->lines[k];

		if (!dir->line_good[k] || (sure && (!line->known || line->n != dir->parsed[i].n || memcmp(line->tx_id, dir->parsed[i].tx_id, 16) != 0)))
			continue;
		*next = k + 1;
		return line;
	}
	if (!dir->lines_damaged)
		cli_findings_add(&dir->verify->findings, name, "file_damaged", "Line %d is of another event.", *next + 1);
	/* Where lines are missing, this one may be of a later event. */
	if (*next < dir->n_lines && (!dir->lines_damaged || !dir->line_good[*next]))
		(*next)++;
	dir->lines_damaged = true;
	return NULL;
}

/* Say that an entry is not its leaf; the walk is silent about it. */
static void
report_entry(CliDir *dir, const ScimEntry *entry, const CliLine *line, const char *file)
{
	ScimFinding finding = {.rule = "entry_mismatch", .has_tx = true, .has_n = true, .n = entry->n,
		.message = "The entry of this event is not the one that was written."};

	memcpy(finding.tx_id, entry->tx_id, 16);
	finding.has_seal = line != NULL;
	finding.chain = line != NULL ? line->chain : 0;
	finding.seq = line != NULL ? line->seq : 0;
	dir->verify->findings.file = file;
	cli_findings_report(&dir->verify->findings, &finding);
	dir->verify->findings.file = NULL;
}

/* One event of the bundle. */
static void
check_leaf(CliDir *dir, int i, int *next, const char *entries, const char *details)
{
	ScimVerifyEvent event = {0};
	const CliLine *line = find_line(dir, i, next, details);
	int			number = line != NULL ? (int) (line - dir->lines) + 1 : 0;
	bool		sound = is_sure(dir, i);

	/* An event that is gone. */
	if (dir->entry[i].ptr != NULL && dir->entry[i].len == 0)
		return;
	if (line != NULL && !line->known)
		line = NULL;
	if (sound)
		event.entry = dir->parsed[i];
	else if (line != NULL)
	{
		memcpy(event.entry.tx_id, line->tx_id, 16);
		event.entry.n = line->n;
	}
	else
	{
		memcpy(event.entry.tx_id, dir->tx_id, 16);
		event.entry.n = dir->last_n + 1;
	}
	event.damaged = !sound;
	event.bytes = dir->entry[i];
	memcpy(event.leaf_hash, dir->leaves.leaf[i], SCIM_HASH_SIZE);
	if (line != NULL)
	{
		event.salt = line->salt;
		event.detail = line->detail;
	}
	if (!sound && dir->entry[i].ptr != NULL)
		report_entry(dir, &event.entry, line, entries);
	/* Without its entry and its line, nothing is known of an event at the beginning of a log. */
	if (sound || line != NULL || dir->in_transaction)
		cli_dir_feed(dir, &event, !sound, line, details, number);
}

void
cli_dir_bundle(CliDir *dir, CliTree *tree, uint64_t index)
{
	ScimTile	tile = {SCIM_TILE_ENTRIES, index, scim_tile_width(dir->export.manifest.size, 0, index)};
	ScimArena  *arena = scim_arena_create(CLI_ARENA_MAX);
	char	   *entries = cli_tile_path(dir->export.dir, &tile);
	char	   *details = cli_details_path(dir->export.dir, &tile);
	size_t		skip = strlen(dir->export.dir) + 1;
	int			next = 0;
	bool		whole;

	if (arena == NULL)
		cli_out_of_memory();
	whole = read_entries(dir, &tile, arena);
	read_lines(dir, details, arena, tile.width);
	cli_tree_add(tree, &dir->leaves);
	/* Where lengths are wrong, what was read is not the entry of anything. */
	for (int i = 0; i < tile.width && !whole; i++)
		if (!is_sure(dir, i))
			dir->entry[i] = SCIM_STR_NONE;
	for (int i = 0; i < tile.width; i++)
		check_leaf(dir, i, &next, entries + skip, details + skip);
	free(entries);
	free(details);
	scim_arena_free(arena);
}

