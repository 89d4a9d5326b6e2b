/*
 * verify_db.c
 *		scim-audit verify: the log in a database.
 *
 * The rows are read and everything else is done here, in one snapshot; none of
 * the server's functions decides anything.  Events and seals come by
 * transaction, side by side, then seals by chain, as core/verify.h wants them;
 * then the leaves of each tree that the log has, against its tiles.
 */
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/crypto.h"
#include "cli/db.h"
#include "cli/tree_check.h"
#include "cli/verify.h"

#define EVENTS_QUERY "SELECT " CLI_EVENT_COLUMNS " FROM scim_audit.events e ORDER BY e.tx_id, e.n"
#define SEALS_QUERY "SELECT " CLI_SEAL_COLUMNS " FROM scim_audit.seals s ORDER BY s.tx_id, s.chain, s.seq, s.hash"
#define CHAINS_QUERY "SELECT " CLI_SEAL_COLUMNS " FROM scim_audit.seals s ORDER BY s.chain, s.seq, s.tx_id, s.hash"

#define LEAVES_QUERY \
	"SELECT p.first, s.chain, s.seq, s.tx_id, s.events, e.n, e.leaf_hash FROM " CLI_LEAVES \
	" WHERE p.origin = (SELECT o.origin FROM scim_audit.log_origins o WHERE o.number = %d) ORDER BY p.first, s.seq, s.tx_id, e.n"

#define CHECKPOINTS_QUERY \
	"SELECT c.size, c.root FROM scim_audit.checkpoints c" \
	" WHERE c.origin = (SELECT o.origin FROM scim_audit.log_origins o WHERE o.number = %d) ORDER BY c.size"

#define TILE_QUERY "SELECT t.hashes FROM scim_audit.tiles t WHERE t.origin = $1 AND t.level = $2::int AND t.index = $3::bigint"

#define NOTES_QUERY \
	"SELECT n.note, n.size, coalesce(scim_audit.checkpoint_text(c.origin, c.size, c.root), '') FROM scim_audit.checkpoint_notes n" \
	" LEFT JOIN scim_audit.checkpoints c ON c.origin = n.origin AND c.size = n.size WHERE n.origin = $1 ORDER BY n.size, n.number"

/* Chains that end before the tree does. */
#define CUT_QUERY \
	"SELECT c.chain, c.last + 1, c.covered FROM (SELECT p.chain, pg_catalog.max(p.to_seq) AS covered," \
	" coalesce((SELECT s.seq FROM scim_audit.seals s WHERE s.chain = p.chain ORDER BY s.seq DESC LIMIT 1), 0) AS last" \
	" FROM scim_audit.checkpoint_spans p WHERE p.origin = $1 GROUP BY p.chain) c WHERE c.last < c.covered ORDER BY 1"

/* The first place in each chain where another seal stands than a checkpoint was made over. */
#define HEADS_QUERY \
	"SELECT DISTINCT ON (s.chain) s.chain, s.seq FROM scim_audit.checkpoint_spans p" \
	" JOIN scim_audit.seals s ON s.chain = p.chain AND s.seq = p.to_seq WHERE p.origin = $1 AND s.hash <> p.head ORDER BY s.chain, s.seq"

/* Spans that overlap, or whose seals have not as many events as there are leaves up to the next. */
#define SPANS_QUERY \
	"SELECT p.chain, p.from_seq, p.first FROM (SELECT p.*, t.seals, t.leaves," \
	" coalesce(pg_catalog.lag(p.to_seq) OVER (PARTITION BY p.chain ORDER BY p.from_seq), 0) AS before," \
	" coalesce(pg_catalog.lead(p.first) OVER (ORDER BY p.first), $2::bigint) AS next" \
	" FROM scim_audit.checkpoint_spans p, LATERAL (SELECT pg_catalog.count(*) AS seals, pg_catalog.sum(GREATEST(s.events, 0)) AS leaves" \
	" FROM scim_audit.seals s WHERE s.chain = p.chain AND s.seq >= p.from_seq AND s.seq <= p.to_seq) t WHERE p.origin = $1) p" \
	" WHERE p.from_seq <= p.before OR p.to_seq < p.from_seq" \
	" OR (p.seals = p.to_seq - p.from_seq + 1 AND p.next > p.first AND p.next - p.first <> p.leaves)" \
	" ORDER BY p.first"

/* Checkpoints that the log says were made, and has not, or has another root for. */
#define RECORDED_QUERY \
	"SELECT e.tx_id || ':' || e.n, c.size FROM scim_audit.events e" \
	" LEFT JOIN scim_audit.checkpoints c ON c.origin = e.detail ->> 'origin' AND c.size::text = e.detail ->> 'size'" \
	" WHERE e.event_type = 'log.checkpoint' AND e.action = 'checkpoint' AND e.detail ->> 'origin' = $1" \
	" AND pg_catalog.sha256(e.detail_salt || pg_catalog.convert_to(e.detail::text, 'UTF8')) = e.detail_hash" \
	" AND pg_catalog.encode(c.root, 'hex') IS DISTINCT FROM e.detail ->> 'root' ORDER BY e.tx_id, e.n"

typedef struct Database
{
	CliVerify  *verify;
	PGconn	   *conn;
	ScimVerify *walk;
	CliTexts	texts;

	/* a tree */
	const char *origin;
	CliCursor	checkpoints;
	CliTree		tree;
	CliLeaves	leaves;
	ScimFinding events[SCIM_TILE_WIDTH];	/* whose leaves these are */
	uint64_t	next;			/* index of the next leaf */
	PGresult   *misplaced;		/* rows of SPANS_QUERY */
} Database;


static void
went(bool went_on)
{
	if (!went_on)
		cli_out_of_memory();
}

static void
report(void *arg, const ScimFinding *finding)
{
	cli_findings_report(arg, finding);
}

/* The walks. */

static bool
same_transaction(const uint8_t *a, const uint8_t *b)
{
	return memcmp(a, b, 16) == 0;
}

/* The seals of one transaction: one, as a rule. */
static int
hold_seals(CliCursor *cursor, bool *more, ScimVerifySeal *next, const uint8_t tx_id[16], ScimVerifySeal **held, int *size)
{
	int			n = 0;

	while (*more && same_transaction(next->seal.tx_id, tx_id))
	{
		if (n == *size)
		{
			*size = *size == 0 ? 4 : 2 * *size;
			*held = realloc(*held, (size_t) *size * sizeof **held);
			if (*held == NULL)
				cli_out_of_memory();
		}
		(*held)[n++] = *next;
		*more = cli_cursor_next(cursor);
		if (*more)
			cli_seal(cursor->result, cursor->row, 0, next);
	}
	return n;
}

static void
walk_events(Database *db)
{
	CliCursor	events;
	CliCursor	seals;
	ScimVerifyEvent event;
	ScimVerifySeal seal;
	ScimVerifySeal *held = NULL;
	int			size = 0;
	bool		has_event;
	bool		has_seal;

	cli_cursor_open(&events, db->conn, "events", EVENTS_QUERY);
	cli_cursor_open(&seals, db->conn, "seals", SEALS_QUERY);
	has_event = cli_cursor_next(&events);
	if (has_event)
		cli_event(events.result, events.row, 0, &db->texts, &event);
	has_seal = cli_cursor_next(&seals);
	if (has_seal)
		cli_seal(seals.result, seals.row, 0, &seal);
	while (has_event || has_seal)
	{
		uint8_t		tx_id[16];
		int			n;

		memcpy(tx_id, !has_seal || (has_event && memcmp(event.entry.tx_id, seal.seal.tx_id, 16) < 0) ?
			   event.entry.tx_id : seal.seal.tx_id, 16);
		n = hold_seals(&seals, &has_seal, &seal, tx_id, &held, &size);
		went(scim_verify_transaction(db->walk, tx_id, held, n));
		while (has_event && same_transaction(event.entry.tx_id, tx_id))
		{
			went(scim_verify_event(db->walk, &event));
			cli_progress("events", ++db->verify->events, 0);
			has_event = cli_cursor_next(&events);
			if (has_event)
				cli_event(events.result, events.row, 0, &db->texts, &event);
		}
	}
	went(scim_verify_events_end(db->walk));
	PQclear(events.result);
	PQclear(seals.result);
	free(held);
}

static void
walk_seals(Database *db)
{
	CliCursor	cursor;
	ScimVerifySeal seal;
	uint64_t	n = 0;

	cli_cursor_open(&cursor, db->conn, "chains", CHAINS_QUERY);
	while (cli_cursor_next(&cursor))
	{
		cli_seal(cursor.result, cursor.row, 0, &seal);
		went(scim_verify_seal(db->walk, &seal, false));
		cli_progress("seals", ++n, 0);
	}
	went(scim_verify_seals_end(db->walk));
	PQclear(cursor.result);
}

/* Trees. */

/* A ScimTileRead. */
static bool
read_tile(void *arg, const ScimTile *tile, uint8_t *hashes)
{
	Database   *db = arg;
	char		level[24];
	char		index[24];
	const char *values[] = {db->origin, level, index};
	PGresult   *result;
	ScimStr		stored;
	bool		found;

	snprintf(level, sizeof level, "%d", tile->level);
	snprintf(index, sizeof index, "%" PRIu64, tile->index);
	result = PQexecParams(db->conn, TILE_QUERY, 3, NULL, values, NULL, NULL, 1);
	if (PQresultStatus(result) != PGRES_TUPLES_OK)
		cli_server_error(db->conn, result);
	stored = PQntuples(result) > 0 ? cli_text(result, 0, 0) : SCIM_STR_NONE;
	found = stored.len >= (size_t) tile->width * SCIM_HASH_SIZE;
	if (found)
		memcpy(hashes, stored.ptr, (size_t) tile->width * SCIM_HASH_SIZE);
	PQclear(result);
	return found;
}

/* A CliTreeNext. */
static bool
next_checkpoint(void *arg, uint64_t *size, uint8_t root[SCIM_HASH_SIZE])
{
	Database   *db = arg;
	ScimStr		bytes;

	if (!cli_cursor_next(&db->checkpoints))
		return false;
	bytes = cli_text(db->checkpoints.result, db->checkpoints.row, 1);
	*size = (uint64_t) cli_bigint(db->checkpoints.result, db->checkpoints.row, 0);
	memset(root, 0, SCIM_HASH_SIZE);
	if (bytes.len == SCIM_HASH_SIZE)
		memcpy(root, bytes.ptr, SCIM_HASH_SIZE);
	return true;
}

static void
end_tile(Database *db)
{
	CliLeaves  *leaves = &db->leaves;

	leaves->index = (db->next - 1) / SCIM_TILE_WIDTH;
	leaves->width = (int) (db->next - leaves->index * SCIM_TILE_WIDTH);
	cli_tree_add(&db->tree, leaves);
	for (int i = 0; i < leaves->width; i++)
	{
		ScimFinding *finding = &db->events[i];

		if (!leaves->has_event[i] || memcmp(leaves->leaf[i], leaves->event[i], SCIM_HASH_SIZE) == 0)
			continue;
		finding->rule = "checkpoint_mismatch";
		snprintf(finding->message, sizeof finding->message, "This event is not the one that a checkpoint covers at its place: it was replaced.");
		cli_findings_report(&db->verify->findings, finding);
	}
}

/* The next leaf, of an event or, where row is NULL, of one that is gone. */
static void
put_leaf(Database *db, const PGresult *result, int row)
{
	int			i = (int) (db->next % SCIM_TILE_WIDTH);
	ScimStr		leaf = result != NULL ? cli_text(result, row, 6) : SCIM_STR_NONE;

	db->leaves.has_event[i] = leaf.len == SCIM_HASH_SIZE;
	if (db->leaves.has_event[i])
	{
		db->events[i] = (ScimFinding) {.has_seal = true, .chain = cli_int(result, row, 1), .seq = cli_bigint(result, row, 2),
			.has_tx = true, .has_n = true, .n = cli_int(result, row, 5)};
		memcpy(db->events[i].tx_id, cli_text(result, row, 3).ptr, 16);
		memcpy(db->leaves.event[i], leaf.ptr, SCIM_HASH_SIZE);
	}
	db->next++;
	if (db->next % SCIM_TILE_WIDTH == 0 || db->next == db->tree.size)
		end_tile(db);
	cli_progress("leaves", db->next, db->tree.size);
}

static void
put_holes(Database *db, uint64_t index)
{
	while (db->next < index && db->next < db->tree.size)
		put_leaf(db, NULL, 0);
}

/* Where leaves come from, as far as that is known. */
static void
check_spans(Database *db)
{
	char	   *size = cli_printf("%" PRIu64, db->tree.size);

	db->misplaced = cli_query(db->conn, SPANS_QUERY, 2, db->origin, size);
	for (int i = 0; i < PQntuples(db->misplaced); i++)
	{
		ScimFinding finding = {.rule = "checkpoint_place", .has_seal = true,
		.message = "Of the leaves from this seal on it is not known any more where they come from: scim_audit.checkpoint_spans was altered."};

		finding.chain = (int32_t) strtol(PQgetvalue(db->misplaced, i, 0), NULL, 10);
		finding.seq = strtoll(PQgetvalue(db->misplaced, i, 1), NULL, 10);
		cli_findings_report(&db->verify->findings, &finding);
	}
	free(size);
}

static bool
is_misplaced(const Database *db, uint64_t span)
{
	for (int i = 0; i < PQntuples(db->misplaced); i++)
		if (strtoull(PQgetvalue(db->misplaced, i, 2), NULL, 10) == span)
			return true;
	return false;
}

static void
walk_leaves(Database *db, int number)
{
	char	   *query = cli_printf(LEAVES_QUERY, number);
	CliCursor	cursor;
	uint64_t	first = UINT64_MAX;
	uint64_t	base = 0;
	uint64_t	events = 0;
	int64_t		seq = 0;
	bool		misplaced = false;

	cli_cursor_open(&cursor, db->conn, "leaves", query);
	while (cli_cursor_next(&cursor))
	{
		uint64_t	span = (uint64_t) cli_bigint(cursor.result, cursor.row, 0);
		uint64_t	index;

		if (span != first || cli_bigint(cursor.result, cursor.row, 2) != seq)
		{
			int32_t		n = cli_int(cursor.result, cursor.row, 4);

			if (span != first)
				misplaced = is_misplaced(db, span);
			base = span != first ? span : base + events;
			events = n > 0 ? (uint64_t) n : 0;
			first = span;
			seq = cli_bigint(cursor.result, cursor.row, 2);
		}
		if (PQgetisnull(cursor.result, cursor.row, 5) || misplaced)
			continue;
		index = base + (uint64_t) cli_int(cursor.result, cursor.row, 5);
		if (index < db->next || index >= db->tree.size)
			continue;
		put_holes(db, index);
		put_leaf(db, cursor.result, cursor.row);
	}
	put_holes(db, db->tree.size);
	PQclear(cursor.result);
	PQclear(cli_query(db->conn, "CLOSE leaves", 0));
	free(query);
}

/* Places in chains that a tree speaks of, and checkpoints that the log does. */
static void
check_places(Database *db)
{
	PGresult   *cut = cli_query(db->conn, CUT_QUERY, 1, db->origin);
	PGresult   *heads = cli_query(db->conn, HEADS_QUERY, 1, db->origin);
	PGresult   *recorded = cli_query(db->conn, RECORDED_QUERY, 1, db->origin);

	for (int i = 0; i < PQntuples(cut); i++)
	{
		ScimFinding finding = {.rule = "checkpoint_rewound", .has_seal = true};

		finding.chain = (int32_t) strtol(PQgetvalue(cut, i, 0), NULL, 10);
		finding.seq = strtoll(PQgetvalue(cut, i, 1), NULL, 10);
		snprintf(finding.message, sizeof finding.message, "The chain ends before this seal; a checkpoint covers it up to seal %s: the newest were cut off.",
				 PQgetvalue(cut, i, 2));
		cli_findings_report(&db->verify->findings, &finding);
	}
	for (int i = 0; i < PQntuples(heads); i++)
	{
		ScimFinding finding = {.rule = "checkpoint_seal", .has_seal = true,
		.message = "A checkpoint was made over another seal at this place: the chain was rewritten."};

		finding.chain = (int32_t) strtol(PQgetvalue(heads, i, 0), NULL, 10);
		finding.seq = strtoll(PQgetvalue(heads, i, 1), NULL, 10);
		cli_findings_report(&db->verify->findings, &finding);
	}
	for (int i = 0; i < PQntuples(recorded); i++)
	{
		ScimFinding finding = {.rule = "checkpoint_missing", .has_tx = true, .has_n = true,
		.message = "The checkpoint that this event records is not there, or not with this root."};

		if (!PQgetisnull(recorded, i, 1) && cli_tree_is_bad(&db->tree, strtoull(PQgetvalue(recorded, i, 1), NULL, 10)))
			continue;
		cli_event_id_parse(cli_str(PQgetvalue(recorded, i, 0)), finding.tx_id, &finding.n);
		cli_findings_report(&db->verify->findings, &finding);
	}
	PQclear(cut);
	PQclear(heads);
	PQclear(recorded);
	PQclear(db->misplaced);
}

static void
check_notes(Database *db, bool newest)
{
	PGresult   *notes = cli_query(db->conn, NOTES_QUERY, 1, db->origin);
	int			n = PQntuples(notes);
	CliCheckpoint checkpoint;
	ScimError	err;

	for (int i = 0; i < n; i++)
	{
		uint64_t	size = strtoull(PQgetvalue(notes, i, 1), NULL, 10);

		if (!cli_tree_is_bad(&db->tree, size))
			cli_verify_note(db->verify, NULL, cli_str(PQgetvalue(notes, i, 0)), size, cli_str(PQgetvalue(notes, i, 2)));
	}
	if (newest && n == 0)
		cli_verify_signature(db->verify, NULL, NULL);
	else if (newest && cli_checkpoint_read(&checkpoint, cli_str(PQgetvalue(notes, n - 1, 0)), &err))
	{
		cli_verify_signature(db->verify, NULL, &checkpoint);
		cli_checkpoint_free(&checkpoint);
	}
	PQclear(notes);
}

/* The tree of an origin; newest: the one in use. */
static void
check_tree(Database *db, int number, const char *origin, bool newest)
{
	CliTree    *tree = &db->tree;
	char	   *query = cli_printf(CHECKPOINTS_QUERY, number);
	PGresult   *last = cli_query(db->conn, "SELECT c.size, c.root FROM scim_audit.checkpoints c WHERE c.origin = $1 ORDER BY c.size DESC LIMIT 1", 1, origin);

	memset(tree, 0, sizeof *tree);
	db->origin = origin;
	db->next = 0;
	tree->findings = &db->verify->findings;
	tree->origin = cli_str(origin);
	tree->read = read_tile;
	tree->arg = tree->next_arg = db;
	tree->next = next_checkpoint;
	tree->outside = db->verify->outside;
	tree->n_outside = db->verify->n_outside;
	if (PQntuples(last) > 0)
	{
		tree->size = strtoull(PQgetvalue(last, 0, 0), NULL, 10);
		tree->has_root = cli_bytea(PQgetvalue(last, 0, 1), tree->root, SCIM_HASH_SIZE);
	}
	PQclear(last);
	cli_cursor_open(&db->checkpoints, db->conn, "checkpoints", query);
	cli_tree_begin(tree);
	check_spans(db);
	walk_leaves(db, number);
	cli_tree_end(tree);
	PQclear(db->checkpoints.result);
	PQclear(cli_query(db->conn, "CLOSE checkpoints", 0));
	check_places(db);
	check_notes(db, newest);
	free(tree->bad);
	if (newest)
	{
		db->verify->size = tree->size;
		db->verify->origin = cli_printf("%s", origin);
	}
	free(query);
}

static void
check_trees(Database *db)
{
	PGresult   *origins = cli_query(db->conn, "SELECT o.number, o.origin FROM scim_audit.log_origins o ORDER BY o.number", 0);
	int			n = PQntuples(origins);
	ScimStr    *names = cli_alloc((size_t) n * sizeof(ScimStr));

	for (int i = 0; i < n; i++)
		names[i] = cli_str(PQgetvalue(origins, i, 1));
	cli_verify_strangers(db->verify, names, n);
	for (int i = 0; i < n; i++)
		check_tree(db, (int) strtol(PQgetvalue(origins, i, 0), NULL, 10), names[i].ptr, i == n - 1);
	if (n == 0)
		cli_verify_signature(db->verify, NULL, NULL);
	free(names);
	PQclear(origins);
}

/* What only the server can tell: what audited tables hold. */
static void
check_rows(Database *db)
{
	PGresult   *rows = cli_query(db->conn, "SELECT v.chain, v.seq, v.tx_id, v.n, v.message FROM scim_audit.verify() v WHERE v.rule = 'row_mismatch'", 0);

	for (int i = 0; i < PQntuples(rows); i++)
	{
		ScimFinding finding = {.rule = "row_mismatch", .has_seal = !PQgetisnull(rows, i, 0), .has_tx = !PQgetisnull(rows, i, 2), .has_n = !PQgetisnull(rows, i, 3)};
		char	   *id = cli_printf("%s:%s", PQgetvalue(rows, i, 2), PQgetvalue(rows, i, 3));

		finding.chain = (int32_t) strtol(PQgetvalue(rows, i, 0), NULL, 10);
		finding.seq = strtoll(PQgetvalue(rows, i, 1), NULL, 10);
		cli_event_id_parse(cli_str(id), finding.tx_id, &finding.n);
		snprintf(finding.message, sizeof finding.message, "%s", PQgetvalue(rows, i, 4));
		cli_findings_report(&db->verify->findings, &finding);
		free(id);
	}
	PQclear(rows);
}

void
cli_verify_database(CliVerify *verify, const char *conninfo)
{
	Database   *db = cli_alloc(sizeof(Database));
	ScimVerifyCalls calls = {.report = report, .gone = cli_findings_gone, .erased = cli_findings_erased, .arg = &verify->findings};
	char	   *all;

	db->verify = verify;
	db->conn = cli_connect(conninfo);
	db->walk = scim_verify_create(cli_sha256, &calls, true);
	went(db->walk != NULL);
	cli_begin_snapshot(db->conn);
	/* All rows of a cursor are wanted, not the first ones soon. */
	PQclear(cli_query(db->conn, "SELECT pg_catalog.set_config('cursor_tuple_fraction', '1', true), pg_catalog.set_config('jit', 'off', true),"
					  " pg_catalog.set_config('work_mem', '64MB', true)", 0));
	all = cli_value(db->conn, "SELECT scim.all_tenants('{auditor,audit_admin}')", 0);
	if (strcmp(all, "t") != 0)
		cli_fail("SELECT * FROM scim_audit.verify() checks what is of your tenants", "the whole log can be read by auditors of all tenants only");
	walk_events(db);
	walk_seals(db);
	cli_findings_end(&verify->findings);
	check_trees(db);
	PQclear(cli_query(db->conn, "COMMIT", 0));
	if (verify->rows)
		check_rows(db);
	scim_verify_free(db->walk);
	PQfinish(db->conn);
	free(db->texts.text);
	free(db);
	free(all);
}
