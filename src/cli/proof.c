/*
 * proof.c
 *		scim-audit prove and check: that an event is in the log, as a file that
 *		needs nothing else (C2SP tlog-proof).
 *
 * The file carries the entry as its extra data, which no one vouches for;
 * check hashes it, and that leads to the signed root or does not.
 */
#include "cli/proof.h"

#include <errno.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/crypto.h"
#include "cli/db.h"
#include "cli/export_read.h"
#include "cli/file.h"
#include "cli/signed.h"
#include "core/cursor.h"
#include "core/text.h"

#define PROOF_MAX (1024 * 1024)


void
cli_consistency_proof(PGconn *conn, uint64_t from, uint64_t to, ScimProof *proof)
{
	char	   *old_size = cli_printf("%" PRIu64, from);
	char	   *new_size = cli_printf("%" PRIu64, to);
	const char *values[] = {old_size, new_size};
	PGresult   *result = PQexecParams(conn, "SELECT h.hash FROM pg_catalog.unnest("
									  "scim_audit.prove_consistency($1::bigint, $2::bigint)) WITH ORDINALITY h (hash, i) ORDER BY h.i",
									  2, NULL, values, NULL, NULL, 0);
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);

	/* A tree that is damaged proves nothing, and so no hash is a proof. */
	if (PQresultStatus(result) != PGRES_TUPLES_OK && (state == NULL || strcmp(state, "XX001") != 0))
		cli_server_error(conn, result);
	proof->n = PQntuples(result);
	if (proof->n > SCIM_PROOF_MAX)
		cli_fail(NULL, "the database's proof of consistency has %d hashes", proof->n);
	for (int i = 0; i < proof->n; i++)
		if (!cli_bytea(PQgetvalue(result, i, 0), proof->hash[i], SCIM_HASH_SIZE))
			cli_fail(NULL, "the database's proof of consistency holds what is no hash");
	PQclear(result);
	free(old_size);
	free(new_size);
}

/* The proof, with the entry between its first and its second line. */
static void
put_extra(ScimBuf *buf, ScimStr proof, ScimStr entry)
{
	const char *second = memchr(proof.ptr, '\n', proof.len);
	size_t		first = second != NULL ? (size_t) (second - proof.ptr) + 1 : proof.len;

	scim_buf_bytes(buf, proof.ptr, first);
	scim_buf_str(buf, "extra ");
	scim_buf_base64(buf, (const uint8_t *) entry.ptr, entry.len);
	scim_buf_char(buf, '\n');
	scim_buf_bytes(buf, proof.ptr + first, proof.len - first);
	cli_check_buffer(buf);
}

static void
prove_from_database(const char *conninfo, const char *tx_id, int32_t n, ScimBuf *buf)
{
	PGconn	   *conn = cli_connect(conninfo);
	char	   *number = cli_printf("%" PRId32, n);
	char	   *proof = cli_value(conn, "SELECT scim_audit.prove($1::uuid, $2::int)", 2, tx_id, number);
	CliRows		rows;
	CliTexts	texts = {0};
	ScimVerifyEvent event;
	ScimBuf		entry;

	if (proof == NULL)
		cli_fail(NULL, "the database gave no proof");
	cli_rows_open(&rows, conn, "SELECT " CLI_EVENT_COLUMNS " FROM scim_audit.events e WHERE e.tx_id = $1::uuid AND e.n = $2::int", 2, tx_id, number);
	scim_buf_init(&entry, NULL, SCIM_ENTRY_MAX);
	if (!cli_rows_next(&rows))
		cli_fail(NULL, "there is no such event, or it is not of your tenants");
	cli_event(rows.result, 0, 0, &texts, &event);
	if (event.damaged || !scim_entry_render(&entry, &event.entry))
		cli_fail("SELECT * FROM scim_audit.verify() says where", "the log was altered: the event has no entry");
	put_extra(buf, cli_str(proof), cli_buf_str(&entry));
	while (cli_rows_next(&rows))
		;
	scim_buf_free(&entry);
	PQfinish(conn);
	free(proof);
	free(number);
	free(texts.text);
}

static void
prove_from_export(const char *dir, const uint8_t tx_id[16], int32_t n, ScimBuf *buf)
{
	CliExport	export;
	ScimTree   *tree = cli_alloc(sizeof(ScimTree));
	ScimInclusion *inclusion = cli_alloc(sizeof(ScimInclusion));
	CliCheckpoint checkpoint;
	ScimBuf		entry;
	ScimBuf		proof;
	char	   *path = cli_path(dir, "checkpoint");

	cli_export_open(&export, dir, NULL);
	scim_buf_init(&entry, NULL, SCIM_ENTRY_MAX);
	scim_buf_init(&proof, NULL, PROOF_MAX);
	if (!cli_export_find(&export, tx_id, n, &inclusion->index, &entry))
		cli_fail(NULL, "the event is not among those that the checkpoint in %s covers", dir);
	cli_checkpoint_need(&checkpoint, path);
	if (checkpoint.note.n == 0)
		cli_fail("scim-audit sign --publish, then scim-audit export", "%s is not signed", path);
	inclusion->note = checkpoint.bytes;
	if (!scim_tree_init(tree, checkpoint.checkpoint.size, cli_sha256, cli_export_tile, &export) ||
		!scim_tree_inclusion(tree, inclusion->index, checkpoint.checkpoint.size, &inclusion->proof) ||
		!scim_inclusion_format(&proof, inclusion))
		cli_fail("scim-audit verify says where", "the tiles in %s are not whole", dir);
	put_extra(buf, cli_buf_str(&proof), cli_buf_str(&entry));
	scim_buf_free(&entry);
	scim_buf_free(&proof);
	free(path);
	free(tree);
	free(inclusion);
}

/* Never give away what does not hold. */
static bool
holds(const ScimInclusion *inclusion, const ScimCheckpoint *checkpoint, ScimStr entry)
{
	uint8_t		leaf[SCIM_HASH_SIZE];

	return scim_leaf_hash(cli_sha256, entry, leaf) &&
		scim_merkle_included(cli_sha256, leaf, inclusion->index, checkpoint->size, &inclusion->proof, checkpoint->root);
}

/* The entry that the proof carries; absent: none. */
static ScimStr
extra_entry(ScimStr proof, ScimBuf *buf)
{
	ScimCursor	cursor = scim_cursor(proof);
	ScimStr		line;

	scim_cursor_line(&cursor);
	line = scim_cursor_line(&cursor);
	scim_buf_reset(buf);
	if (line.len < 6 || memcmp(line.ptr, "extra ", 6) != 0 || !scim_base64_decode(buf, (ScimStr) {line.ptr + 6, line.len - 6}))
		return SCIM_STR_NONE;
	return cli_buf_str(buf);
}

/* The proof and its checkpoint; fails when it is none. */
static void
parse_proof(ScimStr bytes, const char *name, ScimInclusion *inclusion, CliCheckpoint *checkpoint)
{
	ScimError	err;

	if (scim_inclusion_parse(bytes, inclusion, &err) != SCIM_OK)
		cli_fail(NULL, "%s: %s", name, err.detail);
	if (!cli_checkpoint_read(checkpoint, inclusion->note, &err))
		cli_fail(NULL, "%s: its checkpoint is none: %s", name, err.detail);
}

static int
run_prove(int argc, char **argv)
{
	static const struct option options[] = {
		{"dbname", required_argument, NULL, 'd'}, {"output", required_argument, NULL, 'o'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}
	};
	const char *conninfo = NULL;
	const char *output = NULL;
	ScimInclusion *inclusion = cli_alloc(sizeof(ScimInclusion));
	CliCheckpoint checkpoint;
	uint8_t		tx_id[16];
	char		text[37];
	int32_t		n;
	ScimBuf		proof;
	ScimBuf		entry;
	int			option;

	while ((option = cli_option(argc, argv, ":hd:o:", options)) != -1)
	{
		conninfo = option == 'd' ? optarg : conninfo;
		output = option == 'o' ? optarg : output;
	}
	cli_words(argc, 1, 2);
	if (!cli_event_id_parse(cli_str(argv[optind]), tx_id, &n))
		cli_fail("an event_id is TX_ID:N, as the views of the log have it", "\"%s\" is no event_id", argv[optind]);
	scim_buf_init(&proof, NULL, PROOF_MAX);
	scim_buf_init(&entry, NULL, PROOF_MAX);
	cli_uuid_format(tx_id, text);
	if (argc - optind == 2)
		prove_from_export(argv[optind + 1], tx_id, n, &proof);
	else
		prove_from_database(conninfo, text, n, &proof);
	parse_proof(cli_buf_str(&proof), "the proof", inclusion, &checkpoint);
	if (!holds(inclusion, &checkpoint.checkpoint, extra_entry(cli_buf_str(&proof), &entry)))
	{
		cli_warn("there is no proof: the log was altered (scim-audit verify says where)");
		return CLI_FOUND;
	}
	if (output != NULL && strcmp(output, "-") != 0)
		cli_file_write(output, cli_buf_str(&proof), true);
	else
		fwrite(proof.data, 1, proof.len, stdout);
	scim_buf_free(&proof);
	scim_buf_free(&entry);
	cli_checkpoint_free(&checkpoint);
	free(inclusion);
	return CLI_FINE;
}

const CliCommand cli_prove_command = {
	"prove", "[OPTION]... TX_ID:N [DIR]", "writes a proof that an event is in the log",
	"Writes a C2SP tlog-proof: the entry of the event, the hashes that lead from it to the root of\n"
	"the newest signed checkpoint, and that checkpoint. Whoever has the log's public key can check\n"
	"it, for ever and without the database (scim-audit check). TX_ID:N is the event_id of the\n"
	"event; DIR, an export, is where the event is looked for, else the database.\n\n"
	"  -d, --dbname=CONNINFO  the database (else PGHOST, PGDATABASE, ...)\n"
	"  -o, --output=FILE      write to FILE instead of standard output\n"
	"  -h, --help             this\n\n"
	"Example:\n"
	"  scim-audit prove -o event.tlog-proof 019b76da-a800-7000-8000-000000000001:0\n"
	"  scim-audit check event.tlog-proof --key log.vkey\n",
	run_prove
};

/* The entry in a file: its bytes, or those before the newline that an editor puts behind a line. */
static void
read_entry(const char *path, ScimBuf *entry)
{
	cli_file_need(path, entry);
	if (entry->len > 0 && entry->data[entry->len - 1] == '\n')
		scim_buf_truncate(entry, entry->len - 1);
}

static int
run_check(int argc, char **argv)
{
	static const struct option options[] = {{"key", required_argument, NULL, 'k'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	ScimInclusion *inclusion = cli_alloc(sizeof(ScimInclusion));
	CliKeys		keys = {0};
	CliCheckpoint checkpoint;
	ScimBuf		proof;
	ScimBuf		entry;
	ScimError	err;
	int			option;

	while ((option = cli_option(argc, argv, ":hk:", options)) != -1)
		if (option == 'k')
			cli_keys_add(&keys, optarg);
	cli_words(argc, 1, 2);
	if (keys.n == 0)
		cli_fail("the public key of the log, got from those who run it", "a proof is worth nothing without --key VKEY");
	scim_buf_init(&proof, NULL, PROOF_MAX);
	scim_buf_init(&entry, NULL, PROOF_MAX);
	cli_file_need(argv[optind], &proof);
	parse_proof(cli_buf_str(&proof), argv[optind], inclusion, &checkpoint);
	if (argc - optind == 2)
		read_entry(argv[optind + 1], &entry);
	else if (extra_entry(cli_buf_str(&proof), &entry).ptr == NULL)
		cli_fail("scim-audit check PROOF ENTRY", "the proof does not carry the entry that it is about");
	if (!cli_checkpoint_signed(&checkpoint, &keys, &err))
	{
		cli_warn("not proved: %s", err.detail);
		return CLI_FOUND;
	}
	if (!holds(inclusion, &checkpoint.checkpoint, cli_buf_str(&entry)))
	{
		cli_warn("not proved: this entry is not number %" PRIu64 " of the %" PRIu64 " of \"%.*s\"", inclusion->index,
				 checkpoint.checkpoint.size, (int) checkpoint.checkpoint.origin.len, checkpoint.checkpoint.origin.ptr);
		return CLI_FOUND;
	}
	printf("%.*s\n", (int) entry.len, entry.data != NULL ? entry.data : "");
	scim_buf_free(&proof);
	scim_buf_free(&entry);
	cli_checkpoint_free(&checkpoint);
	free(inclusion);
	return CLI_FINE;
}

const CliCommand cli_check_command = {
	"check", "[OPTION]... PROOF [ENTRY]", "checks such a proof, without a database",
	"Checks that the entry which a proof carries, or the one in the file ENTRY, is in the log whose\n"
	"key is given, and prints it. The status is 1 when it is not. Any other checker of C2SP\n"
	"tlog-proof files does as well; the entry is the extra data of the proof.\n\n"
	"  -k, --key=VKEY  a public key of the log, or a file that holds it; may be given again\n"
	"  -h, --help      this\n\n"
	"Example:\n"
	"  scim-audit check event.tlog-proof --key audit.example.com/scim+530d903a+AekyeRrm56hApGFkyQR4...\n",
	run_check
};
