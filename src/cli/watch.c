/*
 * watch.c
 *		scim-audit watch: the newest checkpoint, against the last one that was
 *		seen.
 *
 * The last one stands in a file of the one who watches.  Whoever rewrites all
 * of the log cannot reach that, so a fork or a rewind is seen with the next
 * checkpoint.
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/crypto.h"
#include "cli/db.h"
#include "cli/file.h"
#include "cli/proof.h"
#include "cli/signed.h"
#include "core/text.h"

typedef struct Watch
{
	const char *conninfo;
	const char *state;
	CliKeys		keys;
	CliCheckpoint last;			/* bytes absent: none yet */
} Watch;


static void
read_state(Watch *watch)
{
	ScimBuf		buf;
	ScimError	err;

	scim_buf_init(&buf, NULL, CLI_FILE_MAX);
	if (cli_file_read(watch->state, &buf))
	{
		if (!cli_checkpoint_read(&watch->last, cli_buf_str(&buf), &err))
			cli_fail("restore it, or begin anew with another file", "%s holds no checkpoint: %s", watch->state, err.detail);
	}
	else if (errno != ENOENT)
		cli_fail(NULL, "could not read %s: %s", watch->state, strerror(errno));
	scim_buf_free(&buf);
}

/* The newest checkpoint: with keys the newest that was published with a signature. */
static bool
get_newest(const Watch *watch, PGconn *conn, CliCheckpoint *newest)
{
	char	   *text = cli_value(conn, watch->keys.n > 0 ? "SELECT scim_audit.published_checkpoint()" :
								 "SELECT scim_audit.checkpoint_note() WHERE EXISTS (SELECT FROM scim_audit.checkpoints c"
								 " WHERE c.origin = scim_audit.log_origin())", 0);
	ScimError	err;

	if (text == NULL)
		return false;
	if (!cli_checkpoint_read(newest, cli_str(text), &err))
		cli_fail(NULL, "the checkpoint in the database is none: %s", err.detail);
	free(text);
	return true;
}

/* NULL, or what is wrong with the newest checkpoint. */
static const char *
find_fault(const Watch *watch, PGconn *conn, const CliCheckpoint *newest)
{
	static ScimError err;
	const ScimCheckpoint *last = &watch->last.checkpoint;
	const ScimCheckpoint *now = &newest->checkpoint;
	ScimProof	proof = {0};

	if (watch->keys.n > 0 && !cli_checkpoint_signed(newest, &watch->keys, &err))
		return err.detail;
	if (watch->last.bytes.ptr == NULL)
		return NULL;
	if (!scim_str_equal(last->origin, now->origin))
		return "the log goes on under another name: it was restored, or moved, or it is another one";
	if (now->size < last->size)
		return "the log was rewound: it has less events than it had";
	if (now->size > last->size && last->size > 0)
		cli_consistency_proof(conn, last->size, now->size, &proof);
	if (!scim_merkle_consistent(cli_sha256, last->size, last->root, now->size, now->root, &proof))
		return "the log was forked: it does not begin with what it had";
	return NULL;
}

/* Look once. */
static int
look(Watch *watch)
{
	PGconn	   *conn = cli_connect(watch->conninfo);
	CliCheckpoint newest = {0};
	const char *fault;

	if (!get_newest(watch, conn, &newest))
	{
		PQfinish(conn);
		if (watch->last.bytes.ptr == NULL)
			cli_fail(watch->keys.n > 0 ? "scim-audit sign --publish" : "SELECT scim_audit.maintain()", "the log has no %scheckpoint",
					 watch->keys.n > 0 ? "signed " : "");
		cli_warn("the log was rewound: its checkpoints are gone");
		printf("last seen:\n%.*s", (int) watch->last.bytes.len, watch->last.bytes.ptr);
		return CLI_FOUND;
	}
	fault = find_fault(watch, conn, &newest);
	PQfinish(conn);
	if (fault != NULL)
	{
		cli_warn("%s", fault);
		cli_show_both("last seen", &watch->last, "now", &newest);
		return CLI_FOUND;
	}
	if (watch->last.bytes.ptr == NULL || !scim_str_equal(watch->last.bytes, newest.bytes))
	{
		cli_file_write(watch->state, newest.bytes, true);
		printf("%.*s: %" PRIu64 " events\n", (int) newest.checkpoint.origin.len, newest.checkpoint.origin.ptr, newest.checkpoint.size);
		fflush(stdout);
	}
	cli_checkpoint_free(&watch->last);
	watch->last = newest;
	return CLI_FINE;
}

static int
run_watch(int argc, char **argv)
{
	static const struct option options[] = {
		{"dbname", required_argument, NULL, 'd'}, {"key", required_argument, NULL, 'k'}, {"state", required_argument, NULL, 's'},
		{"once", no_argument, NULL, 'o'}, {"interval", required_argument, NULL, 'i'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}
	};
	Watch		watch = {0};
	uint64_t	interval = 60;
	bool		once = false;
	int			status;
	int			option;

	while ((option = cli_option(argc, argv, ":hd:k:s:oi:", options)) != -1)
	{
		if (option == 'k')
			cli_keys_add(&watch.keys, optarg);
		if (option == 'i')
			interval = cli_number(optarg, 86400, "the interval");
		watch.conninfo = option == 'd' ? optarg : watch.conninfo;
		watch.state = option == 's' ? optarg : watch.state;
		once |= option == 'o';
	}
	cli_words(argc, 0, 0);
	if (watch.state == NULL)
		cli_fail("--state FILE, on a machine that is not the database's", "where is the last checkpoint to be kept?");
	read_state(&watch);
	while ((status = look(&watch)) == CLI_FINE && !once)
	{
		struct timespec pause = {(time_t) interval, 0};

		nanosleep(&pause, NULL);
	}
	return status;
}

const CliCommand cli_watch_command = {
	"watch", "[OPTION]... --state FILE", "notices when the log is rewound or rewritten",
	"Keeps the newest checkpoint in FILE and asks, again and again, whether the log goes on from it:\n"
	"the database must prove that its tree begins with the one that was seen. When the log was\n"
	"forked or rewound, when it goes on under another name, or when a signature is wrong, that is\n"
	"said, both checkpoints are printed, and the status is 1; FILE stays as it was. Run it on a\n"
	"machine which those who run the database cannot change. The checkpoint in FILE is one for\n"
	"scim-audit verify --checkpoint.\n\n"
	"  -s, --state=FILE        where the last checkpoint is kept\n"
	"  -k, --key=VKEY          a public key of the log, or a file that holds it: only published\n"
	"                          checkpoints with its signature count; may be given again\n"
	"  -o, --once              look once, for a timer\n"
	"  -i, --interval=SECONDS  how long to wait before looking again (60)\n"
	"  -d, --dbname=CONNINFO   the database (else PGHOST, PGDATABASE, ...)\n"
	"  -h, --help              this\n\n"
	"It asks by SQL. A log that is served over HTTP (checkpoint, tile/...) is followed by any\n"
	"C2SP tlog-tiles client or witness.\n\n"
	"Example:\n"
	"  scim-audit watch --state app.checkpoint --key log.vkey -d 'service=app'\n",
	run_watch
};
