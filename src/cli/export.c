/*
 * export.c
 *		scim-audit export: the log as a directory (see layout.h).
 *
 * All is read in one transaction, under one snapshot, and in pieces: memory
 * does not grow with the log.  Files are made under another name and renamed.
 * They are brought to the disk together, and only then does export.json, which
 * says what the directory holds, become the new one.  Until then the directory
 * is the export that it was, and what was written already is not written again.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/export_write.h"
#include "cli/file.h"

/* Chains of the log, and how far each goes. */
#define CHAINS_QUERY \
	"WITH RECURSIVE c (chain) AS (SELECT pg_catalog.min(s.chain) FROM scim_audit.seals s UNION ALL" \
	" SELECT (SELECT pg_catalog.min(s.chain) FROM scim_audit.seals s WHERE s.chain > c.chain) FROM c WHERE c.chain IS NOT NULL)" \
	" SELECT c.chain, (SELECT s.seq FROM scim_audit.seals s WHERE s.chain = c.chain ORDER BY s.seq DESC LIMIT 1)" \
	" FROM c WHERE c.chain IS NOT NULL ORDER BY 1"

/* Nested loops over the keys of events: what a few seals have is wanted, again and again, not all of the table. */
#define PLANNER \
	"SELECT pg_catalog.set_config('enable_seqscan', 'off', true), pg_catalog.set_config('enable_hashjoin', 'off', true)," \
	" pg_catalog.set_config('enable_mergejoin', 'off', true), pg_catalog.set_config('jit', 'off', true)," \
	" pg_catalog.set_config('work_mem', '32MB', true)"


static void
write_empty(CliExporter *exporter, const char *name)
{
	char	   *path = cli_path(exporter->dir, name);

	cli_file_write(path, SCIM_STR(""), true);
	free(path);
}

/* Make the directory, or take it as the last export left it; one export at a time. */
static void
open_directory(CliExporter *exporter)
{
	char	   *path = cli_path(exporter->dir, "export.json");
	ScimBuf		buf;
	ScimError	err;
	int			fd;

	if (mkdir(exporter->dir, 0777) != 0 && errno != EEXIST)
		cli_fail(NULL, "could not create %s: %s", exporter->dir, strerror(errno));
	fd = open(exporter->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		cli_fail(NULL, "could not open %s: %s", exporter->dir, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		cli_fail(NULL, "another export writes to %s", exporter->dir);
	scim_buf_init(&buf, NULL, CLI_FILE_MAX);
	if (cli_file_read(path, &buf))
	{
		if (!cli_manifest_read(&exporter->old, cli_buf_str(&buf), &err))
			cli_fail("export to a new directory", "%s: %s", path, err.detail);
	}
	else if (errno != ENOENT)
		cli_fail(NULL, "could not read %s: %s", path, strerror(errno));
	else if (!cli_directory_is_empty(exporter->dir))
		cli_fail("give a new directory, or one of an earlier export", "%s is not empty, and is no export", exporter->dir);
	else
	{
		/* An export of nothing, but whole. */
		write_empty(exporter, "tail.ndjson");
		write_empty(exporter, "checkpoints.ndjson");
		cli_hash(SCIM_STR(""), exporter->old.checkpoints);
		cli_manifest_put(&buf, &exporter->old);
		cli_file_write(path, cli_buf_str(&buf), true);
	}
	scim_buf_free(&buf);
	free(path);
}

/* The export is an event of its own, before it is made; a standby cannot write it. */
static void
begin(CliExporter *exporter)
{
	char	   *all = cli_value(exporter->conn, "SELECT scim.all_tenants('{auditor}')", 0);

	if (strcmp(all, "t") != 0)
		cli_fail("SELECT scim.grant_duty(ROLE, 'auditor')", "an export is for auditors of all tenants");
	free(all);
	PQclear(cli_query(exporter->conn, "SELECT scim_audit.log_export('log', 'tlog-tiles', NULL, NULL)"
					  " WHERE NOT pg_catalog.pg_is_in_recovery()", 0));
	cli_begin_snapshot(exporter->conn);
	PQclear(cli_query(exporter->conn, PLANNER, 0));
}

/* A checkpoint from the first row of a query: its size, its bytes. */
static bool
get_checkpoint(CliExporter *exporter, const char *query, const char *size)
{
	PGresult   *result = cli_query(exporter->conn, query, size != NULL ? 2 : 1, exporter->origin, size);
	bool		found = PQntuples(result) > 0;
	ScimError	err;

	if (found && !cli_checkpoint_read(&exporter->checkpoint, cli_str(PQgetvalue(result, 0, 0)), &err))
		cli_fail(NULL, "a checkpoint in the database is none: %s", err.detail);
	PQclear(result);
	return found;
}

/* The checkpoint of the directory must be one of the log; true when it is, or when there is none yet. */
static bool
goes_on(CliExporter *exporter)
{
	CliCheckpoint before;
	char	   *path = cli_path(exporter->dir, "checkpoint");
	char	   *size;
	bool		same;

	if (!exporter->old.has_origin)
		return true;
	if (exporter->origin == NULL || strcmp(exporter->origin, exporter->old.origin.ptr) != 0)
		cli_fail("export to a new directory", "%s is an export of the log \"%s\", the database's is \"%s\"", exporter->dir,
				 exporter->old.origin.ptr, exporter->origin != NULL ? exporter->origin : "");
	cli_checkpoint_need(&before, path);
	size = cli_printf("%" PRIu64, before.checkpoint.size);
	same = get_checkpoint(exporter, "SELECT scim_audit.checkpoint_text(c.origin, c.size, c.root) FROM scim_audit.checkpoints c"
						  " WHERE c.origin = $1 AND c.size = $2::bigint", size) &&
		memcmp(before.checkpoint.root, exporter->checkpoint.checkpoint.root, SCIM_HASH_SIZE) == 0 &&
		before.checkpoint.size == exporter->old.size;
	if (!same)
	{
		cli_warn("the log in the database does not go on from what was exported; it was rewound or rewritten");
		fwrite(before.bytes.ptr, 1, before.bytes.len, stdout);
	}
	/* It stays unless there is a newer one. */
	cli_checkpoint_free(&exporter->checkpoint);
	exporter->checkpoint = before;
	free(size);
	free(path);
	return same;
}

/* The newest signed checkpoint; where none was ever signed, the newest. */
static void
choose_checkpoint(CliExporter *exporter)
{
	CliCheckpoint before = exporter->checkpoint;

	if (exporter->origin == NULL ||
		!(get_checkpoint(exporter, "SELECT n.note FROM scim_audit.checkpoint_notes n WHERE n.origin = $1"
						 " ORDER BY n.size DESC, n.number DESC LIMIT 1", NULL) ||
		  get_checkpoint(exporter, "SELECT scim_audit.checkpoint_text(c.origin, c.size, c.root) FROM scim_audit.checkpoints c"
						 " WHERE c.origin = $1 ORDER BY c.size DESC LIMIT 1", NULL)))
		return;
	if (before.bytes.ptr != NULL && exporter->checkpoint.checkpoint.size < before.checkpoint.size)
		exporter->checkpoint = before;
	exporter->new.has_origin = true;
	exporter->new.origin = cli_str(exporter->origin);
	exporter->new.size = exporter->checkpoint.checkpoint.size;
}

/* Chains and their ends; false when one ends before what was exported of it. */
static bool
get_chains(CliExporter *exporter)
{
	PGresult   *result = cli_query(exporter->conn, CHAINS_QUERY, 0);
	int			n = PQntuples(result);

	exporter->new.n_chains = n;
	exporter->new.chains = cli_alloc((size_t) n * sizeof *exporter->new.chains);
	for (int i = 0; i < n; i++)
	{
		exporter->new.chains[i].chain = (int32_t) strtol(PQgetvalue(result, i, 0), NULL, 10);
		exporter->new.chains[i].last_seq = strtoll(PQgetvalue(result, i, 1), NULL, 10);
	}
	PQclear(result);
	for (int i = 0; i < exporter->old.n_chains; i++)
	{
		struct CliHead *old = &exporter->old.chains[i];

		if (cli_last_seq(&exporter->new, old->chain) < old->last_seq)
		{
			cli_warn("chain %" PRId32 " ends at %" PRId64 ", and was exported up to %" PRId64 ": the newest seals were cut off",
					 old->chain, cli_last_seq(&exporter->new, old->chain), old->last_seq);
			return false;
		}
	}
	return true;
}

/* What was written becomes the export. */
static void
finish(CliExporter *exporter)
{
	char	   *checkpoint = cli_path(exporter->dir, "checkpoint");
	char	   *manifest = cli_path(exporter->dir, "export.json");
	ScimBuf		buf;

	cli_sync_directory(exporter->dir);
	scim_buf_init(&buf, NULL, CLI_FILE_MAX);
	cli_put_in_place(exporter, "tail.ndjson");
	cli_put_in_place(exporter, "checkpoints.ndjson");
	if (exporter->new.has_origin)
		cli_file_write(checkpoint, exporter->checkpoint.bytes, true);
	exporter->new.written = exporter->new.size;
	cli_manifest_put(&buf, &exporter->new);
	cli_file_write(manifest, cli_buf_str(&buf), true);
	scim_buf_free(&buf);
	free(checkpoint);
	free(manifest);
}

static int
run_export(int argc, char **argv)
{
	static const struct option options[] = {{"dbname", required_argument, NULL, 'd'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	const char *conninfo = NULL;
	CliExporter exporter = {0};
	int			option;

	while ((option = cli_option(argc, argv, ":hd:", options)) != -1)
		conninfo = option == 'd' ? optarg : conninfo;
	cli_words(argc, 1, 1);
	exporter.dir = argv[optind];
	exporter.conn = cli_connect(conninfo);
	open_directory(&exporter);
	begin(&exporter);
	exporter.origin = cli_value(exporter.conn, "SELECT scim_audit.log_origin()", 0);
	if (!goes_on(&exporter))
		return CLI_FOUND;
	choose_checkpoint(&exporter);
	if (!get_chains(&exporter))
		return CLI_FOUND;
	cli_write_entries(&exporter);
	cli_write_tiles(&exporter);
	cli_write_seals(&exporter);
	cli_write_tail(&exporter);
	cli_write_checkpoints(&exporter);
	PQclear(cli_query(exporter.conn, "COMMIT", 0));
	finish(&exporter);
	cli_remove_old(&exporter);
	cli_progress_end();
	printf("%s: %" PRIu64 " events, %" PRIu64 " of them new, under %s checkpoint%s; %" PRIu64 " behind it\n", exporter.dir, exporter.new.size,
		   exporter.new.size - exporter.old.size, !exporter.new.has_origin ? "no" : exporter.checkpoint.note.n > 0 ? "a signed" : "an unsigned",
		   exporter.new.has_origin ? cli_printf(" of %s", exporter.origin) : "", exporter.new.tail);
	PQfinish(exporter.conn);
	return CLI_FINE;
}

const CliCommand cli_export_command = {
	"export", "[OPTION]... DIR", "writes the log to a directory, or what is new of it",
	"Writes the log to DIR: checkpoint, tile/ and tile/entries/ as C2SP tlog-tiles has them, so that\n"
	"any web server can serve DIR to the readers of transparency logs; details/, seals/,\n"
	"tail.ndjson and checkpoints.ndjson with what has no place there; export.json, which says what\n"
	"belongs together. details/ and tail.ndjson hold what may identify people: do not serve them.\n\n"
	"Run again, it adds what is new. An export that was interrupted goes on where it was. When the\n"
	"database does not go on from what was exported, nothing is written and the status is 1.\n"
	"Only auditors of all tenants can export; each export is itself an event of the log.\n\n"
	"  -d, --dbname=CONNINFO  the database (else PGHOST, PGDATABASE, ...)\n"
	"  -h, --help             this\n\n"
	"Example:\n"
	"  scim-audit export -d 'service=app' audit-log\n"
	"  scim-audit verify --key log.vkey audit-log\n",
	run_export
};
