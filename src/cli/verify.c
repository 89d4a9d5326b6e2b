/*
 * verify.c
 *		scim-audit verify: the command, and what is checked of checkpoints
 *		wherever they come from (see verify.h).
 */
#include "cli/verify.h"

#include <stdlib.h>
#include <time.h>

#include "cli/cli.h"
#include "core/text.h"

void
cli_verify_signature(CliVerify *verify, const char *file, const CliCheckpoint *checkpoint)
{
	ScimError	err;

	if (verify->keys.n == 0)
		return;
	if (checkpoint == NULL)
		cli_findings_add(&verify->findings, file, "checkpoint_signature", "There is no signed checkpoint.");
	else if (!cli_checkpoint_signed(checkpoint, &verify->keys, &err))
		cli_findings_add(&verify->findings, file, "checkpoint_signature", "The checkpoint of size %" PRIu64 " is not signed by the log: %s.",
						 checkpoint->checkpoint.size, err.detail);
}

void
cli_verify_note(CliVerify *verify, const char *file, ScimStr bytes, uint64_t size, ScimStr text)
{
	CliCheckpoint note;
	ScimError	err;

	if (!cli_checkpoint_read(&note, bytes, &err))
	{
		cli_findings_add(&verify->findings, file, "checkpoint_missing", "A note of the checkpoint of size %" PRIu64 " is none: %s.", size, err.detail);
		return;
	}
	if (!scim_str_equal(note.note.text, text))
		cli_findings_add(&verify->findings, file, "checkpoint_missing", "There is a signed checkpoint of size %" PRIu64 " of \"%.*s\", but no such checkpoint.",
						 note.checkpoint.size, (int) note.checkpoint.origin.len, note.checkpoint.origin.ptr);
	else if (cli_note_forged(&note.note, &verify->keys))
		cli_findings_add(&verify->findings, file, "checkpoint_signature", "A signature of the checkpoint of size %" PRIu64 " does not verify.", size);
	cli_checkpoint_free(&note);
}

void
cli_verify_strangers(CliVerify *verify, const ScimStr *origins, int n)
{
	for (int i = 0; i < verify->n_outside; i++)
	{
		ScimStr		origin = verify->outside[i].checkpoint.origin;
		bool		known = false;

		for (int k = 0; k < n; k++)
			known |= scim_str_equal(origins[k], origin);
		if (!known)
			cli_findings_add(&verify->findings, NULL, "checkpoint_missing", "This log has no checkpoint of \"%.*s\": it is another log, or its"
							 " checkpoints were removed.", (int) origin.len, origin.ptr);
	}
}

static int
by_size(const void *a, const void *b)
{
	const CliCheckpoint *left = a;
	const CliCheckpoint *right = b;

	return (left->checkpoint.size > right->checkpoint.size) - (left->checkpoint.size < right->checkpoint.size);
}

static void
add_outside(CliVerify *verify, const char *path)
{
	verify->outside = realloc(verify->outside, (size_t) (verify->n_outside + 1) * sizeof(CliCheckpoint));
	if (verify->outside == NULL)
		cli_out_of_memory();
	cli_checkpoint_need(&verify->outside[verify->n_outside++], path);
}

static void
say_result(const CliVerify *verify)
{
	if (verify->findings.n > 0)
		printf("%" PRIu64 " finding%s", verify->findings.n, verify->findings.n == 1 ? "" : "s");
	else
		printf("whole");
	printf(": %" PRIu64 " events", verify->events);
	if (verify->origin != NULL)
		printf(", %" PRIu64 " of them under a checkpoint of %s", verify->size, verify->origin);
	puts("");
}

static int
run_verify(int argc, char **argv)
{
	static const struct option options[] = {
		{"dbname", required_argument, NULL, 'd'}, {"key", required_argument, NULL, 'k'}, {"checkpoint", required_argument, NULL, 'c'},
		{"json", no_argument, NULL, 'j'}, {"rows", no_argument, NULL, 'r'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}
	};
	const char *conninfo = NULL;
	CliVerify	verify = {0};
	int			option;

	while ((option = cli_option(argc, argv, ":hd:k:c:jr", options)) != -1)
	{
		if (option == 'k')
			cli_keys_add(&verify.keys, optarg);
		if (option == 'c')
			add_outside(&verify, optarg);
		conninfo = option == 'd' ? optarg : conninfo;
		verify.findings.json |= option == 'j';
		verify.rows |= option == 'r';
	}
	cli_words(argc, 0, 1);
	if (optind < argc && (conninfo != NULL || verify.rows))
		cli_fail(NULL, "either a directory is verified, or a database");
	if (verify.n_outside > 0)
		qsort(verify.outside, (size_t) verify.n_outside, sizeof(CliCheckpoint), by_size);
	if (optind < argc)
		cli_verify_directory(&verify, argv[optind]);
	else
		cli_verify_database(&verify, conninfo);
	cli_progress_end();
	if (!verify.findings.json)
		say_result(&verify);
	if (verify.keys.n == 0)
		cli_warn("signatures were not checked: no --key was given");
	return verify.findings.n > 0 ? CLI_FOUND : CLI_FINE;
}

const CliCommand cli_verify_command = {
	"verify", "[OPTION]... [DIR]", "checks the log, in an export or in the database",
	"Checks all of the log: entries and details against their hashes, events against their seals,\n"
	"seals against their chains, and the Merkle tree, grown again from the entries, against its\n"
	"tiles and all its checkpoints. Of an export (DIR) every byte is checked, without a database.\n"
	"Else the log is read from the database and checked here; the database decides nothing.\n"
	"Each finding is a line; the status is 1 when there is one. docs/audit-log.md has their rules;\n"
	"file_damaged and file_missing are about files of the export.\n\n"
	"Only a checkpoint that was kept elsewhere (--checkpoint) shows that all of the log was\n"
	"rewritten, checkpoints included, or its end cut off.\n\n"
	"  -d, --dbname=CONNINFO  the database (else PGHOST, PGDATABASE, ...)\n"
	"  -k, --key=VKEY         a public key of the log, or a file that holds it: its signatures are\n"
	"                         checked, and the newest checkpoint must have one; may be given again\n"
	"  -c, --checkpoint=FILE  a checkpoint that was kept elsewhere; may be given again\n"
	"  -j, --json             findings as JSON, an object a line\n"
	"  -r, --rows             also ask scim_audit.verify() of the database for audited rows that are\n"
	"                         not what the log says (row_mismatch), which only the server can tell\n"
	"  -h, --help             this\n\n"
	"Example:\n"
	"  scim-audit verify --key log.vkey --checkpoint last-month.checkpoint audit-log\n",
	run_verify
};
