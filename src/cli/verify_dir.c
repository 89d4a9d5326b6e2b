/*
 * verify_dir.c
 *		scim-audit verify DIR: an exported log (see layout.h), without a
 *		database.
 *
 * Leaves are read in the order of the tree, which is one of transactions, for
 * the first walk of core/verify.h; then chain by chain for the second.  What a
 * damaged file does not tell is not held against the log as well: the file is
 * the finding.
 */
#include "cli/verify_dir.h"

#include <errno.h>

#include "cli/verify_twice.h"
#include "core/text.h"

#define TAIL "tail.ndjson"


void
cli_went(bool went_on)
{
	if (!went_on)
		cli_out_of_memory();
}

/* Callbacks of the walk. */

static void
report(void *arg, const ScimFinding *finding)
{
	CliDir	   *dir = arg;

	if (dir->silent && (strcmp(finding->rule, "entry_mismatch") == 0 || strcmp(finding->rule, "seal_mismatch") == 0))
		return;
	/* The entry of an event stands in another file than its line, but in the tail. */
	if (strcmp(finding->rule, "detail_mismatch") == 0 || (dir->file != NULL && strcmp(dir->file, TAIL) == 0 && finding->of_event))
		dir->verify->findings.file = dir->file;
	cli_findings_report(&dir->verify->findings, finding);
	dir->verify->findings.file = NULL;
}

static void
gone(void *arg, const ScimFinding *finding)
{
	CliDir	   *dir = arg;

	if (!dir->no_detail)
		cli_findings_gone(&dir->verify->findings, finding);
}

static void
erased(void *arg, ScimStr event_id)
{
	cli_findings_erased(&((CliDir *) arg)->verify->findings, event_id);
}

/* A CliTreeName: below the directory. */
static char *
tile_name(void *arg, const ScimTile *tile)
{
	const CliExport *export = arg;
	char	   *path = cli_tile_path(export->dir, tile);
	char	   *name = cli_printf("%s", path + strlen(export->dir) + 1);

	free(path);
	return name;
}

/* Transactions and their seals. */

static CliChain *
find_chain(CliDir *dir, int32_t number)
{
	for (int i = 0; i < dir->n_chains; i++)
		if (dir->chains[i].chain == number)
			return &dir->chains[i];
	return NULL;
}

static bool
is_next(CliChain *chain, const uint8_t tx_id[16])
{
	CliSealRow *row = cli_chain_peek(chain);

	return row != NULL && !row->unreadable && memcmp(row->seal.seal.tx_id, tx_id, 16) == 0;
}

/* A seal whose transaction has no event left. */
static void
pass_over(CliDir *dir, CliChain *chain)
{
	CliSealRow *row = cli_chain_peek(chain);

	if (!row->unreadable && !dir->tail_gone)
		cli_went(scim_verify_transaction(dir->walk, row->seal.seal.tx_id, &row->seal, 1));
	cli_chain_take(chain);
}

/* The seal of a transaction, which the line (may be NULL) says the place of; NULL: none is there. */
static CliSealRow *
find_seal(CliDir *dir, const uint8_t tx_id[16], const CliLine *line, CliChain **found)
{
	CliChain   *hint = line != NULL ? find_chain(dir, line->chain) : NULL;
	int			before;

	*found = hint;
	if (hint != NULL && is_next(hint, tx_id))
		return cli_chain_peek(hint);
	for (int i = 0; i < dir->n_chains; i++)
		if (is_next(&dir->chains[i], tx_id))
		{
			*found = &dir->chains[i];
			return cli_chain_peek(*found);
		}
	if (hint == NULL || cli_chain_peek(hint) == NULL)
		return NULL;
	before = cli_chain_look(hint, tx_id);
	for (int i = 0; i < before; i++)
		pass_over(dir, hint);
	/* What stands there is damaged: this transaction's, for all that can be known. */
	return before >= 0 || !cli_chain_peek(hint)->sound ? cli_chain_peek(hint) : NULL;
}

static void
begin_transaction(CliDir *dir, const uint8_t tx_id[16], const CliLine *line)
{
	CliChain   *chain;
	CliSealRow *row = find_seal(dir, tx_id, line, &chain);
	ScimVerifySeal seal = {0};

	dir->in_transaction = true;
	memcpy(dir->tx_id, tx_id, 16);
	dir->has_seal = row != NULL;
	dir->last_n = -1;
	if (row != NULL)
	{
		seal = row->seal;
		memcpy(seal.seal.tx_id, tx_id, 16);
		seal.damaged |= !row->sound;
		dir->chain = seal.seal.chain;
		dir->seq = seal.seal.seq;
		dir->events = seal.damaged ? 0 : seal.seal.events;
		cli_chain_take(chain);
	}
	cli_went(scim_verify_transaction(dir->walk, tx_id, &seal, row != NULL ? 1 : 0));
}

void
cli_dir_feed(CliDir *dir, const ScimVerifyEvent *event, bool silent, const CliLine *line, const char *file, int number)
{
	dir->file = NULL;
	if (!dir->in_transaction || memcmp(dir->tx_id, event->entry.tx_id, 16) != 0)
		begin_transaction(dir, event->entry.tx_id, line);
	if (line != NULL && dir->has_seal && (line->chain != dir->chain || line->seq != dir->seq))
		cli_findings_add(&dir->verify->findings, file, "file_damaged", "Line %d: the event was sealed in chain %" PRId32 " at %" PRId64 ".",
						 number, dir->chain, dir->seq);
	dir->last_n = event->entry.n;
	dir->file = file;
	dir->silent = silent;
	dir->no_detail = line == NULL;
	cli_went(scim_verify_event(dir->walk, event));
	dir->silent = dir->no_detail = false;
	dir->file = NULL;
	dir->verify->events++;
}

bool
cli_dir_file(CliDir *dir, char *path, ScimBuf *buf)
{
	const char *name = path + strlen(dir->export.dir) + 1;

	if (cli_file_read(path, buf))
		return true;
	cli_findings_add(&dir->verify->findings, name, "file_missing", "%s.", strerror(errno));
	scim_buf_reset(buf);
	return false;
}

/* The tail. */

/* A line that cannot be read: it stands for the next event, for all that can be known. */
static void
guess_event(CliDir *dir, ScimVerifyEvent *event)
{
	memcpy(event->entry.tx_id, dir->tx_id, 16);
	event->entry.n = dir->last_n + 1;
	if (dir->in_tail && (dir->events == 0 || event->entry.n < dir->events))
		return;
	/* The first one of the next transaction, in the same chain or behind it. */
	for (int i = 0; i < dir->n_chains; i++)
	{
		CliSealRow *row = cli_chain_peek(&dir->chains[i]);

		if (row == NULL || (dir->in_tail && dir->chains[i].chain < dir->chain))
			continue;
		memcpy(event->entry.tx_id, row->seal.seal.tx_id, 16);
		event->entry.n = 0;
		return;
	}
}

static void
check_tail_line(CliDir *dir, ScimStr text, int number)
{
	ScimArena  *arena = scim_arena_create(CLI_ARENA_MAX);
	ScimVerifyEvent event = {0};
	CliLine		line;
	uint8_t		leaf[SCIM_HASH_SIZE];
	bool		readable;
	bool		sound;

	if (arena == NULL)
		cli_out_of_memory();
	readable = cli_line_read(&line, text, arena) && line.known && line.has_leaf;
	sound = readable && scim_entry_read(&event.entry, line.entry, arena) == SCIM_OK &&
		scim_leaf_hash(cli_sha256, line.entry, leaf) && memcmp(leaf, line.leaf_hash, SCIM_HASH_SIZE) == 0;
	if (!readable || (sound && (memcmp(event.entry.tx_id, line.tx_id, 16) != 0 || event.entry.n != line.n)))
	{
		cli_findings_add(&dir->verify->findings, TAIL, "file_damaged", "Line %d is not one that was written.", number);
		dir->tail_damaged = true;
	}
	if (!sound)
	{
		memset(&event, 0, sizeof event);
		event.damaged = true;
		guess_event(dir, &event);
	}
	if (readable)
	{
		if (!sound)
			memcpy(event.entry.tx_id, line.tx_id, 16);
		if (!sound)
			event.entry.n = line.n;
		event.bytes = line.entry;
		event.salt = line.salt;
		event.detail = line.detail;
		memcpy(event.leaf_hash, line.leaf_hash, SCIM_HASH_SIZE);
	}
	cli_dir_feed(dir, &event, !readable, readable ? &line : NULL, TAIL, number);
	dir->in_tail = true;
	scim_arena_free(arena);
}

static void
check_tail(CliDir *dir)
{
	char	   *path = cli_path(dir->export.dir, TAIL);
	int			fd = cli_file_open(path);
	FILE	   *file = fd < 0 ? NULL : fdopen(fd, "r");
	uint64_t	lines = 0;
	ssize_t		len;
	bool		cut = false;

	if (file == NULL)
	{
		cli_findings_add(&dir->verify->findings, TAIL, "file_missing", "%s.", strerror(errno));
		dir->tail_gone = true;
		free(path);
		return;
	}
	while ((len = getline(&dir->line, &dir->line_size, file)) > 0)
	{
		lines++;
		cut = dir->line[len - 1] != '\n';
		check_tail_line(dir, (ScimStr) {dir->line, (size_t) len - !cut}, (int) lines);
		cli_progress("events behind the checkpoint", lines, dir->export.manifest.tail);
	}
	dir->tail_gone = lines == 0;
	if (!dir->tail_damaged && (cut || lines != dir->export.manifest.tail))
		cli_findings_add(&dir->verify->findings, TAIL, "file_damaged", "It does not have %" PRIu64 " lines.", dir->export.manifest.tail);
	fclose(file);
	free(path);
}

/* Checkpoints. */

/* The next record; false at the end. */
static bool
next_record(CliDir *dir, CliRecord *record)
{
	ssize_t		len = dir->records != NULL ? getline(&dir->line, &dir->line_size, dir->records) : -1;

	scim_arena_free(dir->record_arena);
	dir->record_arena = scim_arena_create(CLI_ARENA_MAX);
	return len > 1 && cli_record_read(record, (ScimStr) {dir->line, (size_t) len - 1}, dir->record_arena);
}

/* A CliTreeNext. */
static bool
next_checkpoint(void *arg, uint64_t *size, uint8_t root[SCIM_HASH_SIZE])
{
	CliRecord	record;

	if (!next_record(arg, &record))
		return false;
	*size = record.size;
	memcpy(root, record.root, SCIM_HASH_SIZE);
	return true;
}

/* checkpoints.ndjson as it was written, from its beginning; NULL when it is not. */
static void
open_records(CliDir *dir)
{
	char	   *path = cli_path(dir->export.dir, "checkpoints.ndjson");
	CliDigest  *digest = cli_digest_begin();
	uint8_t		hash[SCIM_HASH_SIZE];
	ssize_t		len;
	int			fd;

	fd = cli_file_open(path);
	dir->records = fd < 0 ? NULL : fdopen(fd, "r");
	if (dir->records == NULL)
		cli_findings_add(&dir->verify->findings, "checkpoints.ndjson", "file_missing", "%s.", strerror(errno));
	while (dir->records != NULL && (len = getline(&dir->line, &dir->line_size, dir->records)) > 0)
		cli_digest_add(digest, (ScimStr) {dir->line, (size_t) len});
	cli_digest_end(digest, hash);
	if (dir->records != NULL && memcmp(hash, dir->export.manifest.checkpoints, SCIM_HASH_SIZE) != 0)
	{
		cli_findings_add(&dir->verify->findings, "checkpoints.ndjson", "file_damaged", "Its SHA-256 is not the one in export.json.");
		fclose(dir->records);
		dir->records = NULL;
	}
	if (dir->records != NULL)
		rewind(dir->records);
	free(path);
}

/* Is the checkpoint one of the notes of its record, or its text, where there is none?  All notes are checked on the way. */
static bool
check_record(CliDir *dir, CliRecord *record, const CliCheckpoint *checkpoint)
{
	ScimCheckpoint made = {.origin = record->origin, .size = record->size};
	bool		found = false;
	bool		any = false;
	ScimBuf		text;
	ScimStr		note;

	memcpy(made.root, record->root, SCIM_HASH_SIZE);
	scim_buf_init(&text, NULL, 65536);
	scim_checkpoint_format(&text, &made);
	cli_check_buffer(&text);
	while (cli_record_next(record, dir->record_arena, &note))
	{
		any = true;
		cli_verify_note(dir->verify, "checkpoints.ndjson", note, record->size, cli_buf_str(&text));
		found |= checkpoint != NULL && scim_str_equal(note, checkpoint->bytes);
	}
	if (!any)
		found = checkpoint != NULL && scim_str_equal(cli_buf_str(&text), checkpoint->bytes);
	scim_buf_free(&text);
	return found;
}

/* The checkpoint of the export, for the tree. */
static void
check_checkpoint(CliDir *dir, CliTree *tree)
{
	const CliManifest *manifest = &dir->export.manifest;
	char	   *path = cli_path(dir->export.dir, "checkpoint");
	CliCheckpoint checkpoint = {0};
	bool		there;
	bool		readable;
	bool		known = dir->records == NULL;
	CliRecord	record;
	ScimError	err;
	ScimBuf		buf;

	scim_buf_init(&buf, NULL, CLI_FILE_MAX);
	there = cli_dir_file(dir, path, &buf);
	readable = there && cli_checkpoint_read(&checkpoint, cli_buf_str(&buf), &err);
	while (next_record(dir, &record))
	{
		bool		same = check_record(dir, &record, readable ? &checkpoint : NULL);

		if (record.size != manifest->size)
			continue;
		known = same;
		tree->has_root = true;
		memcpy(tree->root, record.root, SCIM_HASH_SIZE);
	}
	if (dir->records != NULL)
		rewind(dir->records);
	if (there && (!readable || !known || checkpoint.checkpoint.size != manifest->size ||
						!scim_str_equal(checkpoint.checkpoint.origin, manifest->origin)))
		cli_findings_add(&dir->verify->findings, "checkpoint", "file_damaged", "It is not the checkpoint of size %" PRIu64 " of \"%s\".",
						 manifest->size, manifest->origin.ptr);
	else if (readable)
	{
		cli_verify_signature(dir->verify, "checkpoint", &checkpoint);
		tree->has_root = true;
		memcpy(tree->root, checkpoint.checkpoint.root, SCIM_HASH_SIZE);
	}
	cli_checkpoint_free(&checkpoint);
	scim_buf_free(&buf);
	free(path);
}

/* Second walk. */

static void
check_chains(CliDir *dir)
{
	const CliManifest *manifest = &dir->export.manifest;
	CliTwice   *twice;
	CliSealRow *row;
	uint64_t	seals = 0;

	for (int i = 0; i < manifest->n_chains; i++)
		seals += manifest->chains[i].last_seq > 0 ? (uint64_t) manifest->chains[i].last_seq : 0;
	twice = cli_twice_begin(&dir->verify->findings, seals);
	do
	{
		for (int i = 0; i < manifest->n_chains; i++)
		{
			CliChain	chain;

			cli_chain_open(&chain, dir->export.dir, &manifest->chains[i], cli_twice_is_first(twice) ? &dir->verify->findings : NULL);
			for (; (row = cli_chain_peek(&chain)) != NULL; cli_chain_take(&chain))
			{
				if (row->sound)
					cli_twice_add(twice, &row->seal.seal);
				dir->silent = row->unreadable;
				if (cli_twice_is_first(twice))
					cli_went(scim_verify_seal(dir->walk, &row->seal, false));
				if (row->seal.seal.seq % CLI_SEALS_WIDTH == 0)
					cli_progress("seals", (uint64_t) row->seal.seal.seq, (uint64_t) manifest->chains[i].last_seq);
			}
			cli_chain_close(&chain);
		}
	} while (cli_twice_again(twice));
	dir->silent = false;
	cli_went(scim_verify_seals_end(dir->walk));
}

static void
check_all(CliDir *dir)
{
	const CliManifest *manifest = &dir->export.manifest;
	CliTree    *tree = cli_alloc(sizeof(CliTree));

	tree->findings = &dir->verify->findings;
	tree->origin = manifest->origin;
	tree->size = manifest->size;
	tree->read = cli_export_tile;
	tree->name = tile_name;
	tree->arg = &dir->export;
	tree->next = next_checkpoint;
	tree->next_arg = dir;
	tree->outside = dir->verify->outside;
	tree->n_outside = dir->verify->n_outside;
	open_records(dir);
	if (manifest->has_origin)
		check_checkpoint(dir, tree);
	else
		cli_verify_signature(dir->verify, NULL, NULL);
	cli_verify_strangers(dir->verify, &manifest->origin, manifest->has_origin ? 1 : 0);
	cli_tree_begin(tree);
	for (uint64_t index = 0; index * SCIM_TILE_WIDTH < manifest->size; index++)
	{
		cli_dir_bundle(dir, tree, index);
		cli_progress("events", index * SCIM_TILE_WIDTH, manifest->size);
	}
	cli_tree_end(tree);
	check_tail(dir);
	for (int i = 0; i < dir->n_chains; i++)
		while (cli_chain_peek(&dir->chains[i]) != NULL)
			pass_over(dir, &dir->chains[i]);
	cli_went(scim_verify_events_end(dir->walk));
	check_chains(dir);
	cli_findings_end(&dir->verify->findings);
	if (dir->records != NULL)
		fclose(dir->records);
	free(tree->bad);
	free(tree);
}

void
cli_verify_directory(CliVerify *verify, const char *path)
{
	CliDir	   *dir = cli_alloc(sizeof(CliDir));
	ScimVerifyCalls calls = {.report = report, .gone = gone, .erased = erased, .arg = dir};

	dir->verify = verify;
	if (!cli_export_open(&dir->export, path, &verify->findings))
	{
		free(dir);
		return;
	}
	dir->n_chains = dir->export.manifest.n_chains;
	dir->chains = cli_alloc((size_t) dir->n_chains * sizeof(CliChain));
	for (int i = 0; i < dir->n_chains; i++)
		cli_chain_open(&dir->chains[i], path, &dir->export.manifest.chains[i], NULL);
	scim_buf_init(&dir->entries, NULL, CLI_FILE_MAX);
	scim_buf_init(&dir->details, NULL, CLI_FILE_MAX);
	dir->walk = scim_verify_create(cli_sha256, &calls, true);
	cli_went(dir->walk != NULL);
	verify->size = dir->export.manifest.size;
	verify->origin = dir->export.manifest.has_origin ? (char *) dir->export.manifest.origin.ptr : NULL;
	check_all(dir);
	scim_verify_free(dir->walk);
	for (int i = 0; i < dir->n_chains; i++)
		cli_chain_close(&dir->chains[i]);
	scim_buf_free(&dir->entries);
	scim_buf_free(&dir->details);
	scim_arena_free(dir->record_arena);
	free(dir->line);
	free(dir->chains);
	free(dir);
}
