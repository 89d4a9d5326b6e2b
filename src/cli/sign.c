/*
 * sign.c
 *		scim-audit sign: a checkpoint gets its signature outside of the database.
 *
 * What was signed last stands in a file beside the key.  A signature is given
 * away only after that was written, and only when the tree of the new
 * checkpoint begins with that of the last one: so no two notes by this key
 * can contradict each other, whatever the database says.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/crypto.h"
#include "cli/db.h"
#include "cli/file.h"
#include "cli/key.h"
#include "cli/proof.h"
#include "cli/signed.h"
#include "core/cursor.h"
#include "core/text.h"

#define REQUEST_MAX (1024 * 1024)

typedef struct Signing
{
	PGconn	   *conn;			/* NULL: the checkpoint came by standard input */
	CliCheckpoint given;
	CliCheckpoint last;			/* what was signed last; bytes absent: nothing */
	char	   *state;
	bool		has_old;		/* standard input had a proof, from this size */
	uint64_t	old;
	ScimProof	proof;
} Signing;


/* "old 7" and the hashes of a proof, a line each, before the checkpoint (C2SP tlog-witness). */
static ScimStr
parse_request(Signing *signing, ScimStr bytes)
{
	ScimCursor	cursor = scim_cursor(bytes);
	ScimStr		line;

	if (bytes.len < 4 || memcmp(bytes.ptr, "old ", 4) != 0)
		return bytes;
	line = scim_cursor_line(&cursor);
	if (line.ptr == NULL || !scim_decimal_parse((ScimStr) {line.ptr + 4, line.len - 4}, SCIM_TREE_MAX, &signing->old))
		cli_fail(NULL, "the first line of standard input is no \"old SIZE\"");
	signing->has_old = true;
	while ((line = scim_cursor_line(&cursor)).ptr != NULL && line.len > 0)
	{
		if (signing->proof.n == SCIM_PROOF_MAX || !scim_base64_exactly(line, signing->proof.hash[signing->proof.n], SCIM_HASH_SIZE))
			cli_fail(NULL, "line %d of standard input is no hash in base64", signing->proof.n + 2);
		signing->proof.n++;
	}
	return (ScimStr) {cursor.ptr, (size_t) (cursor.end - cursor.ptr)};
}

/* The checkpoint to sign, and nothing but that: a signature of another one would be signed as well. */
static void
take_checkpoint(Signing *signing, ScimStr bytes)
{
	ScimError	err;
	ScimBuf		buf;

	if (!cli_checkpoint_read(&signing->given, bytes, &err))
		cli_fail(NULL, "this is no checkpoint: %s", err.detail);
	scim_buf_init(&buf, NULL, REQUEST_MAX);
	if (!scim_checkpoint_format(&buf, &signing->given.checkpoint))
		cli_out_of_memory();
	if (!scim_str_equal(cli_buf_str(&buf), signing->given.note.text))
		cli_fail(NULL, "the checkpoint has more than an origin, a size and a root; that is not signed");
	scim_buf_free(&buf);
}

/* The last one that was signed of this origin: a file for each that the key signs. */
static void
read_state(Signing *signing, const CliPrivateKey *key, const char *path)
{
	ScimStr		origin = signing->given.checkpoint.origin;
	ScimStr		name = key->key.name;
	ScimBuf		buf;
	ScimError	err;
	uint64_t	generation;

	if (scim_str_equal(origin, name))
		signing->state = cli_printf("%s.state", path);
	else if (origin.len > name.len + 1 && memcmp(origin.ptr, name.ptr, name.len) == 0 && origin.ptr[name.len] == '/' &&
			 scim_decimal_parse((ScimStr) {origin.ptr + name.len + 1, origin.len - name.len - 1}, INT32_MAX, &generation))
		signing->state = cli_printf("%s.state.%" PRIu64, path, generation);
	else
		cli_fail("scim_audit.set_log_origin() names the log", "the checkpoint is of the log \"%.*s\", the key is for \"%.*s\"",
				 (int) origin.len, origin.ptr, (int) name.len, name.ptr);
	scim_buf_init(&buf, NULL, REQUEST_MAX);
	if (cli_file_read(signing->state, &buf))
	{
		if (!cli_checkpoint_read(&signing->last, cli_buf_str(&buf), &err))
			cli_fail("restore the file; without it, this key must sign no more", "%s holds no checkpoint: %s", signing->state, err.detail);
	}
	else if (errno != ENOENT)
		cli_fail(NULL, "could not read %s: %s", signing->state, strerror(errno));
	scim_buf_free(&buf);
}

/* Does the checkpoint go on from the last one? */
static bool
is_consistent(Signing *signing)
{
	const ScimCheckpoint *last = &signing->last.checkpoint;
	const ScimCheckpoint *given = &signing->given.checkpoint;

	if (signing->last.bytes.ptr == NULL)
		return true;
	if (given->size < last->size)
		return false;
	if (given->size > last->size && last->size > 0)
	{
		if (signing->conn != NULL)
			cli_consistency_proof(signing->conn, last->size, given->size, &signing->proof);
		else if (!signing->has_old || signing->old != last->size)
			cli_fail(cli_printf("\"old %" PRIu64 "\", the hashes of scim_audit.prove_consistency(%" PRIu64 ", %" PRIu64 ") in base64,"
								" an empty line, the checkpoint", last->size, last->size, given->size),
					 "standard input has no proof that the log goes on from what was signed last");
	}
	else
		signing->proof.n = 0;
	return scim_merkle_consistent(cli_sha256, last->size, last->root, given->size, given->root, &signing->proof);
}

static void
get_checkpoint(Signing *signing, bool make)
{
	ScimBuf		buf;
	char	   *text;

	if (signing->conn == NULL)
	{
		scim_buf_init(&buf, NULL, REQUEST_MAX);
		cli_file_need("-", &buf);
		take_checkpoint(signing, parse_request(signing, cli_buf_str(&buf)));
		scim_buf_free(&buf);
		return;
	}
	if (make)
		PQclear(cli_query(signing->conn, "SELECT scim_audit.checkpoint()", 0));
	text = cli_value(signing->conn, "SELECT scim_audit.checkpoint_note()", 0);
	if (text == NULL)
		cli_fail("SELECT scim_audit.maintain() makes one", "the database has no checkpoint");
	take_checkpoint(signing, cli_str(text));
	free(text);
}

static int
run_sign(int argc, char **argv)
{
	static const struct option options[] = {
		{"dbname", required_argument, NULL, 'd'}, {"make", no_argument, NULL, 'm'}, {"publish", no_argument, NULL, 'p'},
		{"stdin", no_argument, NULL, 's'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}
	};
	const char *conninfo = NULL;
	bool		make = false;
	bool		publish = false;
	bool		from_stdin = false;
	CliPrivateKey key;
	Signing		signing = {0};
	ScimError	err;
	ScimBuf		note;
	int			option;

	while ((option = cli_option(argc, argv, ":hd:mps", options)) != -1)
	{
		conninfo = option == 'd' ? optarg : conninfo;
		make |= option == 'm';
		publish |= option == 'p';
		from_stdin |= option == 's';
	}
	cli_words(argc, 1, 1);
	if (from_stdin && (make || publish || conninfo != NULL))
		cli_fail(NULL, "--stdin does without a database: no --make, no --publish, no --dbname");
	cli_key_need(&key, argv[optind]);
	signing.conn = from_stdin ? NULL : cli_connect(conninfo);
	get_checkpoint(&signing, make);
	read_state(&signing, &key, argv[optind]);
	if (!is_consistent(&signing))
	{
		cli_warn("not signed: the log does not go on from the checkpoint that was signed last; it was rewound or rewritten");
		cli_show_both("signed last", &signing.last, "not signed", &signing.given);
		return CLI_FOUND;
	}
	scim_buf_init(&note, NULL, REQUEST_MAX);
	if (scim_note_sign(&note, signing.given.note.text, &key.key, cli_ed25519_sign, key.seed, &err) != SCIM_OK)
		cli_fail(NULL, "%s", err.detail);
	cli_file_write(signing.state, cli_buf_str(&note), true);
	cli_key_forget(&key);
	if (publish)
		PQclear(cli_query(signing.conn, "SELECT scim_audit.publish_checkpoint($1)", 1, note.data));
	fputs(note.data, stdout);
	scim_buf_free(&note);
	return CLI_FINE;
}

const CliCommand cli_sign_command = {
	"sign", "[OPTION]... KEYFILE", "signs the newest checkpoint, outside of the database",
	"Signs the newest checkpoint of the log (C2SP signed-note) and prints the note. The key stays\n"
	"where it is; the database sees the signature only. What was signed last is kept beside the\n"
	"key, in KEYFILE.state, and a checkpoint whose log does not begin with all of that is not\n"
	"signed: the status is then 1, and both are printed. Keep KEYFILE.state as you keep the key.\n\n"
	"  -d, --dbname=CONNINFO  the database (else PGHOST, PGDATABASE, ...)\n"
	"  -m, --make             make a checkpoint first: SELECT scim_audit.checkpoint()\n"
	"  -p, --publish          store the note in the database, for proofs, exports and readers\n"
	"  -s, --stdin            sign the checkpoint on standard input, without a database; behind an\n"
	"                         earlier one it stands after \"old SIZE\", a proof of consistency and an\n"
	"                         empty line, as a C2SP witness is sent it\n"
	"  -h, --help             this\n\n"
	"Example, from a timer, as a role that is an auditor and audit_admin:\n"
	"  scim-audit sign -d 'host=db.example.com dbname=app' --make --publish log.key\n",
	run_sign
};
