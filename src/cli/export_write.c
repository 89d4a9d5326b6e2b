/*
 * export_write.c
 *		The files of an export, from the database (see export_write.h).
 *
 * Nothing is judged here: an event that is gone leaves an empty entry, a row
 * that somebody altered is written as it is.  scim-audit verify judges.
 */
#include "cli/export_write.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/file.h"

/* Spans of a batch: some thousand leaves. */
#define SPANS 16
#define SPANS_TEXT "17"

/* After so many leaves what was written is made safe. */
#define SAFE_LEAVES 65536

#define SPANS_QUERY \
	"SELECT p.first FROM scim_audit.checkpoint_spans p WHERE p.origin = $1 AND p.first < $3::bigint AND p.first >= coalesce((" \
	"SELECT f.first FROM scim_audit.checkpoint_spans f WHERE f.origin = $1 AND f.first <= $2::bigint ORDER BY f.first DESC LIMIT 1), 0)" \
	" ORDER BY p.first LIMIT " SPANS_TEXT

#define LEAVES_QUERY \
	"SELECT p.first, s.chain, s.seq, s.tx_id, s.events, " CLI_EVENT_COLUMNS " FROM " CLI_LEAVES \
	" WHERE p.origin = $1 AND p.first >= $2::bigint AND p.first < $3::bigint ORDER BY p.first, s.seq, e.n"

#define TAIL_QUERY \
	"SELECT 0::bigint, s.chain, s.seq, s.tx_id, s.events, " CLI_EVENT_COLUMNS " FROM pg_catalog.unnest($3::int[]) c (chain) CROSS JOIN LATERAL (" \
	"SELECT * FROM scim_audit.seals t WHERE t.chain = c.chain AND t.seq > coalesce((SELECT p.to_seq FROM scim_audit.checkpoint_spans p" \
	" WHERE p.origin = $1 AND p.chain = c.chain AND p.first < $2::bigint ORDER BY p.from_seq DESC LIMIT 1), 0) OFFSET 0) s" \
	" CROSS JOIN LATERAL " CLI_EVENTS_OF_SEAL " ORDER BY s.chain, s.seq, e.n"

#define TILES_QUERY \
	"SELECT t.index, t.hashes FROM scim_audit.tiles t WHERE t.origin = $1 AND t.level = $2::int AND t.index >= $3::bigint ORDER BY t.index"

#define SEALS_QUERY \
	"SELECT " CLI_SEAL_COLUMNS " FROM scim_audit.seals s WHERE s.chain = $1::int AND s.seq > $2::bigint ORDER BY s.seq, s.tx_id, s.hash"

#define CHECKPOINTS_QUERY \
	"SELECT c.size::text, pg_catalog.encode(c.root, 'hex'), pg_catalog.to_char(c.at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')," \
	" n.note FROM scim_audit.checkpoints c LEFT JOIN scim_audit.checkpoint_notes n ON n.origin = c.origin AND n.size = c.size" \
	" WHERE c.origin = $1 AND c.size <= $2::bigint ORDER BY c.size, n.number"

/* Columns of LEAVES_QUERY and TAIL_QUERY, before those of the event. */
enum
{
	LEAF_FIRST, LEAF_CHAIN, LEAF_SEQ, LEAF_TX_ID, LEAF_EVENTS, LEAF_EVENT
};

typedef struct Bundles
{
	CliExporter *exporter;
	uint64_t	next;			/* index of the next leaf */
	uint64_t	size;
	uint64_t	safe;			/* written up to here, and on the disk */
	ScimBuf		entries;
	ScimBuf		details;
	ScimBuf		entry;
	CliTexts	texts;

	/* the seal at hand */
	bool		in_seal;
	CliLine		seal;
	uint64_t	base;			/* index of its first leaf */
	uint64_t	events;			/* how many it has */
} Bundles;


static void
write_file(char *path, ScimStr bytes)
{
	cli_make_parents(path);
	cli_file_write(path, bytes, false);
	free(path);
}

/* What was written is safe: an export that is interrupted goes on from here. */
static void
make_safe(Bundles *bundles)
{
	CliExporter *exporter = bundles->exporter;
	CliManifest manifest = exporter->old;
	char	   *path = cli_path(exporter->dir, "export.json");
	ScimBuf		buf;

	cli_sync_directory(exporter->dir);
	scim_buf_init(&buf, NULL, CLI_FILE_MAX);
	manifest.written = bundles->safe = bundles->next;
	cli_manifest_put(&buf, &manifest);
	cli_file_write(path, cli_buf_str(&buf), true);
	scim_buf_free(&buf);
	free(path);
}

static void
end_bundle(Bundles *bundles)
{
	uint64_t	index = (bundles->next - 1) / SCIM_TILE_WIDTH;
	ScimTile	tile = {SCIM_TILE_ENTRIES, index, (int) (bundles->next - index * SCIM_TILE_WIDTH)};

	cli_check_buffer(&bundles->entries);
	cli_check_buffer(&bundles->details);
	write_file(cli_tile_path(bundles->exporter->dir, &tile), cli_buf_str(&bundles->entries));
	write_file(cli_details_path(bundles->exporter->dir, &tile), cli_buf_str(&bundles->details));
	scim_buf_reset(&bundles->entries);
	scim_buf_reset(&bundles->details);
	cli_progress("events", bundles->next, bundles->size);
	if (bundles->next - bundles->safe >= SAFE_LEAVES)
		make_safe(bundles);
}

/* The next leaf. */
static void
put_leaf(Bundles *bundles, ScimStr entry, const CliLine *line)
{
	scim_tile_put_entry(&bundles->entries, entry);
	cli_line_put(&bundles->details, line);
	bundles->next++;
	if (bundles->next % SCIM_TILE_WIDTH == 0 || bundles->next == bundles->size)
		end_bundle(bundles);
}

/* Leaves up to index whose events are gone. */
static void
put_holes(Bundles *bundles, uint64_t index)
{
	while (bundles->next < index && bundles->next < bundles->size)
	{
		CliLine		line = bundles->seal;

		line.known = bundles->in_seal && bundles->next >= bundles->base;
		line.n = (int32_t) (bundles->next - bundles->base);
		put_leaf(bundles, SCIM_STR(""), &line);
	}
}

static void
end_seal(Bundles *bundles)
{
	if (bundles->in_seal)
		put_holes(bundles, bundles->base + bundles->events);
	bundles->in_seal = false;
}

static void
get_seal(const PGresult *row, CliLine *line)
{
	ScimStr		tx_id = cli_text(row, 0, LEAF_TX_ID);

	memset(line, 0, sizeof *line);
	line->known = true;
	line->chain = cli_int(row, 0, LEAF_CHAIN);
	line->seq = cli_bigint(row, 0, LEAF_SEQ);
	memcpy(line->tx_id, tx_id.ptr, sizeof line->tx_id);
}

/* Complete the line of an event. */
static void
get_event(Bundles *bundles, const PGresult *row, CliLine *line)
{
	ScimVerifyEvent event;

	cli_event(row, 0, LEAF_EVENT, &bundles->texts, &event);
	scim_buf_reset(&bundles->entry);
	/* What has no entry is no leaf that anybody could check. */
	if (event.damaged || !scim_entry_render(&bundles->entry, &event.entry))
		scim_buf_reset(&bundles->entry);
	line->n = event.entry.n;
	line->entry = cli_buf_str(&bundles->entry);
	line->salt = event.salt;
	line->detail = event.detail;
	memcpy(line->leaf_hash, event.leaf_hash, SCIM_HASH_SIZE);
}

static void
put_row(Bundles *bundles, const PGresult *row, uint64_t *span)
{
	CliLine		line;
	uint64_t	first = (uint64_t) cli_bigint(row, 0, LEAF_FIRST);

	get_seal(row, &line);
	if (!bundles->in_seal || first != *span || line.seq != bundles->seal.seq)
	{
		uint64_t	base = bundles->base + bundles->events;

		end_seal(bundles);
		bundles->base = first != *span ? first : base;
		/* Before the first leaf that is wanted, nothing is missing. */
		put_holes(bundles, bundles->base);
		bundles->events = (uint64_t) (cli_int(row, 0, LEAF_EVENTS) > 0 ? cli_int(row, 0, LEAF_EVENTS) : 0);
		bundles->seal = line;
		bundles->in_seal = true;
		*span = first;
	}
	if (PQgetisnull(row, 0, LEAF_EVENT))
		return;
	get_event(bundles, row, &line);
	if (bundles->base + (uint64_t) line.n < bundles->next || bundles->base + (uint64_t) line.n >= bundles->size)
		return;
	put_holes(bundles, bundles->base + (uint64_t) line.n);
	put_leaf(bundles, line.entry, &line);
}

/* The first leaf of the batch of spans that holds index, and of the batch behind it; false when there is none. */
static bool
find_batch(CliExporter *exporter, uint64_t index, uint64_t size, char **from, char **to)
{
	char	   *low = cli_printf("%" PRIu64, index);
	char	   *high = cli_printf("%" PRIu64, size);
	PGresult   *result = cli_query(exporter->conn, SPANS_QUERY, 3, exporter->origin, low, high);
	int			n = PQntuples(result);

	*from = cli_printf("%s", n > 0 ? PQgetvalue(result, 0, 0) : low);
	*to = cli_printf("%s", n > SPANS ? PQgetvalue(result, SPANS, 0) : high);
	PQclear(result);
	free(low);
	free(high);
	return n > 0;
}

void
cli_write_entries(CliExporter *exporter)
{
	Bundles    *bundles = cli_alloc(sizeof(Bundles));
	uint64_t	from = exporter->old.written > exporter->old.size ? exporter->old.written : exporter->old.size;
	uint64_t	at;
	uint64_t	span = UINT64_MAX;
	char	   *low;
	char	   *high;

	bundles->exporter = exporter;
	bundles->size = exporter->new.size;
	from = from < bundles->size ? from : bundles->size;
	if (exporter->old.size == bundles->size)
	{
		free(bundles);
		return;
	}
	/* The last bundle is written anew as a whole. */
	at = bundles->next = bundles->safe = from - from % SCIM_TILE_WIDTH;
	scim_buf_init(&bundles->entries, NULL, CLI_FILE_MAX);
	scim_buf_init(&bundles->details, NULL, CLI_FILE_MAX);
	scim_buf_init(&bundles->entry, NULL, SCIM_ENTRY_MAX);
	while (at < bundles->size && find_batch(exporter, at, bundles->size, &low, &high))
	{
		CliRows		rows;

		cli_rows_open(&rows, exporter->conn, LEAVES_QUERY, 3, exporter->origin, low, high);
		while (cli_rows_next(&rows))
			put_row(bundles, rows.result, &span);
		end_seal(bundles);
		at = strtoull(high, NULL, 10);
		free(low);
		free(high);
	}
	put_holes(bundles, bundles->size);
	scim_buf_free(&bundles->entries);
	scim_buf_free(&bundles->details);
	scim_buf_free(&bundles->entry);
	free(bundles->texts.text);
	free(bundles);
}

/* The tiles of a level from one on. */
static void
write_level(CliExporter *exporter, int level, uint64_t index)
{
	char	   *level_text = cli_printf("%d", level);
	char	   *from = cli_printf("%" PRIu64, index);
	CliRows		rows;

	cli_rows_open(&rows, exporter->conn, TILES_QUERY, 3, exporter->origin, level_text, from);
	while (cli_rows_next(&rows))
	{
		ScimTile	tile = {level, (uint64_t) cli_bigint(rows.result, 0, 0), 0};
		ScimStr		hashes = cli_text(rows.result, 0, 1);

		tile.width = scim_tile_width(exporter->new.size, level, tile.index);
		if (tile.width == 0)
			continue;
		/* The database's tile may have grown on. */
		if (hashes.len > (size_t) tile.width * SCIM_HASH_SIZE)
			hashes.len = (size_t) tile.width * SCIM_HASH_SIZE;
		write_file(cli_tile_path(exporter->dir, &tile), hashes);
		cli_progress(level == 0 ? "tiles" : "upper tiles", tile.index, exporter->new.size / SCIM_TILE_WIDTH);
	}
	free(level_text);
	free(from);
}

void
cli_write_tiles(CliExporter *exporter)
{
	ScimTile	tile = {0};
	int			level = -1;

	while (scim_tile_next(&tile, exporter->old.size, exporter->new.size))
		if (tile.level != level)
		{
			level = tile.level;
			write_level(exporter, level, tile.index);
		}
}

/* The seals of a chain from the segment on that was not full. */
static void
write_chain(CliExporter *exporter, const struct CliHead *head)
{
	int64_t		old = cli_last_seq(&exporter->old, head->chain);
	int64_t		segment = old < 0 ? 0 : old / CLI_SEALS_WIDTH;
	char	   *chain = cli_printf("%" PRId32, head->chain);
	char	   *behind = old < CLI_SEALS_WIDTH ? cli_printf("%" PRId64, INT64_MIN) : cli_printf("%" PRId64, segment * CLI_SEALS_WIDTH);
	ScimVerifySeal seal;
	CliRows		rows;
	ScimBuf		lines;

	scim_buf_init(&lines, NULL, CLI_FILE_MAX);
	cli_rows_open(&rows, exporter->conn, SEALS_QUERY, 2, chain, behind);
	while (cli_rows_next(&rows))
	{
		cli_seal(rows.result, 0, 0, &seal);
		if (cli_seals_segment(seal.seal.seq) != segment)
		{
			if (lines.len > 0)
				write_file(cli_seals_path(exporter->dir, head->chain, segment, head->last_seq), cli_buf_str(&lines));
			segment = cli_seals_segment(seal.seal.seq);
			scim_buf_reset(&lines);
		}
		cli_seal_put(&lines, &seal);
		cli_check_buffer(&lines);
		if (seal.seal.seq % CLI_SEALS_WIDTH == 0)
			cli_progress("seals", (uint64_t) seal.seal.seq, (uint64_t) head->last_seq);
	}
	if (lines.len > 0)
		write_file(cli_seals_path(exporter->dir, head->chain, segment, head->last_seq), cli_buf_str(&lines));
	scim_buf_free(&lines);
	free(chain);
	free(behind);
}

void
cli_write_seals(CliExporter *exporter)
{
	for (int i = 0; i < exporter->new.n_chains; i++)
		if (exporter->new.chains[i].last_seq > cli_last_seq(&exporter->old, exporter->new.chains[i].chain))
			write_chain(exporter, &exporter->new.chains[i]);
}

int64_t
cli_last_seq(const CliManifest *manifest, int32_t chain)
{
	for (int i = 0; i < manifest->n_chains; i++)
		if (manifest->chains[i].chain == chain)
			return manifest->chains[i].last_seq;
	return 0;
}

/* A file that is written line by line. */

static FILE *
open_temporary(CliExporter *exporter, const char *name)
{
	char	   *path = cli_printf("%s/%s.tmp", exporter->dir, name);
	FILE	   *file = fopen(path, "w");

	if (file == NULL)
		cli_fail(NULL, "could not create %s: %s", path, strerror(errno));
	free(path);
	return file;
}

static void
write_line(FILE *file, ScimBuf *line, const char *name)
{
	cli_check_buffer(line);
	if (fwrite(line->data, 1, line->len, file) != line->len)
		cli_fail(NULL, "could not write %s: %s", name, strerror(errno));
	scim_buf_reset(line);
}

static void
close_temporary(FILE *file, const char *name)
{
	if (fflush(file) != 0 || fsync(fileno(file)) != 0 || fclose(file) != 0)
		cli_fail(NULL, "could not write %s: %s", name, strerror(errno));
}

void
cli_put_in_place(CliExporter *exporter, const char *name)
{
	char	   *path = cli_path(exporter->dir, name);
	char	   *temporary = cli_printf("%s.tmp", path);

	if (rename(temporary, path) != 0)
		cli_fail(NULL, "could not rename %s: %s", temporary, strerror(errno));
	free(path);
	free(temporary);
}

void
cli_write_tail(CliExporter *exporter)
{
	FILE	   *file = open_temporary(exporter, "tail.ndjson");
	char	   *size = cli_printf("%" PRIu64, exporter->new.size);
	Bundles    *bundles = cli_alloc(sizeof(Bundles));
	CliRows		rows;
	ScimBuf		chains;

	scim_buf_init(&chains, NULL, CLI_FILE_MAX);
	for (int i = 0; i < exporter->new.n_chains; i++)
		scim_buf_printf(&chains, "%c%" PRId32, i == 0 ? '{' : ',', exporter->new.chains[i].chain);
	scim_buf_str(&chains, exporter->new.n_chains > 0 ? "}" : "{}");
	cli_check_buffer(&chains);
	scim_buf_init(&bundles->entry, NULL, SCIM_ENTRY_MAX);
	scim_buf_init(&bundles->details, NULL, CLI_FILE_MAX);
	cli_rows_open(&rows, exporter->conn, TAIL_QUERY, 3, exporter->origin, size, chains.data);
	while (cli_rows_next(&rows))
	{
		CliLine		line;

		get_seal(rows.result, &line);
		get_event(bundles, rows.result, &line);
		/* An event that has no entry is written with an empty one, which hashes to nothing. */
		if (line.entry.len == 0)
			line.entry = SCIM_STR("{}");
		line.has_leaf = true;
		cli_line_put(&bundles->details, &line);
		write_line(file, &bundles->details, "tail.ndjson");
		exporter->new.tail++;
		cli_progress("events behind the checkpoint", exporter->new.tail, 0);
	}
	close_temporary(file, "tail.ndjson");
	scim_buf_free(&chains);
	scim_buf_free(&bundles->entry);
	scim_buf_free(&bundles->details);
	free(bundles->texts.text);
	free(bundles);
	free(size);
}

void
cli_write_checkpoints(CliExporter *exporter)
{
	FILE	   *file = open_temporary(exporter, "checkpoints.ndjson");
	CliDigest  *digest = cli_digest_begin();
	char	   *bound = cli_printf("%" PRIu64, exporter->new.size);
	char		last[24] = "";
	CliRows		rows;
	ScimBuf		line;
	bool		more;

	scim_buf_init(&line, NULL, CLI_FILE_MAX);
	cli_rows_open(&rows, exporter->conn, CHECKPOINTS_QUERY, 2, exporter->origin, bound);
	do
	{
		ScimStr		size = SCIM_STR_NONE;
		ScimStr		note = SCIM_STR_NONE;

		more = cli_rows_next(&rows);
		if (more)
		{
			size = cli_text(rows.result, 0, 0);
			note = cli_text(rows.result, 0, 3);
		}
		if (line.len > 0 && (!more || strcmp(last, size.ptr) != 0))
		{
			scim_buf_str(&line, "]}\n");
			cli_digest_add(digest, cli_buf_str(&line));
			write_line(file, &line, "checkpoints.ndjson");
		}
		if (!more)
			break;
		if (line.len == 0)
		{
			snprintf(last, sizeof last, "%s", size.ptr);
			scim_buf_str(&line, "{\"origin\":");
			scim_buf_json_string(&line, exporter->origin, strlen(exporter->origin));
			scim_buf_printf(&line, ",\"size\":%s,\"root\":\"%s\",\"at\":\"%s\",\"notes\":[", last,
							PQgetvalue(rows.result, 0, 1), PQgetvalue(rows.result, 0, 2));
		}
		else
			scim_buf_char(&line, ',');
		if (note.ptr != NULL)
			scim_buf_json_string(&line, note.ptr, note.len);
	} while (more);
	close_temporary(file, "checkpoints.ndjson");
	cli_digest_end(digest, exporter->new.checkpoints);
	scim_buf_free(&line);
	free(bound);
}

/* What is not needed any more. */

/* A partial file, and the directory that it stands in, when that is empty now. */
static void
remove_file(char *path)
{
	unlink(path);
	*strrchr(path, '/') = '\0';
	rmdir(path);
	free(path);
}

void
cli_remove_old(CliExporter *exporter)
{
	const CliManifest *old = &exporter->old;

	for (int level = SCIM_TILE_ENTRIES; level < SCIM_TILE_LEVELS && old->size < exporter->new.size; level++)
	{
		uint64_t	hashes = level <= 0 ? old->size : level < 8 ? old->size >> (8 * level) : 0;
		ScimTile	tile = {level, hashes / SCIM_TILE_WIDTH, (int) (hashes % SCIM_TILE_WIDTH)};

		if (tile.width == 0 || tile.width == scim_tile_width(exporter->new.size, level < 0 ? 0 : level, tile.index))
			continue;
		remove_file(cli_tile_path(exporter->dir, &tile));
		if (level == SCIM_TILE_ENTRIES)
			remove_file(cli_details_path(exporter->dir, &tile));
	}
	for (int i = 0; i < old->n_chains; i++)
		if (old->chains[i].last_seq % CLI_SEALS_WIDTH != 0 &&
			old->chains[i].last_seq != cli_last_seq(&exporter->new, old->chains[i].chain))
			remove_file(cli_seals_path(exporter->dir, old->chains[i].chain, cli_seals_segment(old->chains[i].last_seq), old->chains[i].last_seq));
}

bool
cli_directory_is_empty(const char *dir)
{
	DIR		   *handle = opendir(dir);
	struct dirent *entry;
	bool		empty = true;

	if (handle == NULL)
		cli_fail(NULL, "could not open %s: %s", dir, strerror(errno));
	while ((entry = readdir(handle)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			empty = false;
	closedir(handle);
	return empty;
}
