/*
 * checkpoint.c
 *		scim_audit.checkpoint(): the events of new seals become leaves of the
 *		tree (see tree.h).
 *
 * A chain's sequence numbers are without gaps and in the order of commits, so
 * what is new in a chain is what comes after its last seal in the tree: no
 * seal can turn up before that.  Nothing is judged here: a leaf is what
 * stands in leaf_hash, and where a sealed event is gone, the hash of the empty
 * entry stands for it.  verify() judges; a log that somebody has damaged must
 * not stop being anchored.
 *
 * Sessions take turns, by a lock on an object of our own.  The checkpoint's
 * commit is forced to disk, and to the synchronous standbys, and with it
 * everything that was committed before: who reads a checkpoint in another
 * transaction can sign it.
 */
#include "pg/compat.h"

#include "access/table.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "pg/duty.h"
#include "pg/event_store.h"
#include "pg/hash.h"
#include "pg/json_text.h"
#include "pg/log.h"
#include "pg/owner.h"
#include "pg/tree.h"

#define FETCH_ROWS 1000
#define LEVELS (SCIM_TREE_DEPTH / SCIM_TILE_HEIGHT + 1)

/* Which transactions are new, and is there more among them than records of checkpoints themselves? */
#define NEW_QUERY \
	"WITH s AS MATERIALIZED (SELECT * FROM scim_audit.new_seals($1))" \
	" SELECT pg_catalog.min(s.tx_id::text)::uuid, pg_catalog.max(s.tx_id::text)::uuid, EXISTS (SELECT FROM s WHERE" \
	/* Not EXISTS, which might be answered by a hash of the whole log. */ \
	" (SELECT 1 FROM scim_audit.events e WHERE e.tx_id = s.tx_id AND e.event_type NOT IN ('log.checkpoint', 'log.origin') LIMIT 1) IS NOT NULL" \
	" OR (SELECT 1 FROM scim_audit.events e WHERE e.tx_id = s.tx_id LIMIT 1) IS NULL) FROM s"

/* The bounds let the planner see how much of the log is looked at. */
#define LEAVES_QUERY \
	"SELECT s.chain, s.seq, s.events, s.hash, e.n, e.leaf_hash FROM scim_audit.new_seals($1) s" \
	" LEFT JOIN scim_audit.events e ON e.tx_id = s.tx_id AND e.n >= 0 AND e.n < s.events" \
	" AND e.tx_id >= $2 AND e.tx_id <= $3 ORDER BY s.chain, s.seq, e.n"

#define LAST_QUERY \
	"SELECT size, root, at, edge FROM scim_audit.checkpoints WHERE origin = $1 ORDER BY size DESC LIMIT 1"

PG_FUNCTION_INFO_V1(scim_audit_checkpoint);
PG_FUNCTION_INFO_V1(scim_audit_lock_tree);
PG_FUNCTION_INFO_V1(scim_audit_incarnation);

/* A checkpoint as it is stored. */
typedef struct Checkpoint
{
	bool		found;
	int64		size;
	uint8_t		root[SCIM_HASH_SIZE];
	TimestampTz at;
} Checkpoint;

/* The last tile of a level while the tree grows. */
typedef struct Level
{
	uint8_t		hashes[SCIM_TILE_WIDTH * SCIM_HASH_SIZE];
	int64		index;
	int			n;
	bool		changed;
} Level;

typedef struct Growth
{
	const char *origin;
	ScimMerkle	tree;
	Relation	tiles;
	Relation	spans;
	MemoryContext row_context;
	Level		levels[LEVELS];

	/* the seal at hand */
	bool		in_seal;
	int32		chain;
	int64		seq;
	int32		events;			/* leaves that it has */
	int32		next;			/* n of the next one */

	/* the span at hand */
	int64		first;
	int64		from_seq;
	uint8_t		head[SCIM_HASH_SIZE];	/* hash of its last seal */
} Growth;


/* One at a time, until the transaction is over. */
static void
lock_tree(void)
{
	LOCKTAG		tag;

	SET_LOCKTAG_OBJECT(tag, MyDatabaseId, RelationRelationId, scim_audit_log_table("checkpoints"), 0);
	(void) LockAcquire(&tag, ExclusiveLock, false, false);
}

/* scim_audit.lock_tree() RETURNS void */
Datum
scim_audit_lock_tree(PG_FUNCTION_ARGS)
{
	lock_tree();
	PG_RETURN_VOID();
}

/*
 * scim_audit.incarnation() RETURNS text: the database that this is.  A restored one has
 * another system identifier or another oid, a promoted standby another timeline.
 */
Datum
scim_audit_incarnation(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(psprintf(UINT64_FORMAT "/%u/%u", GetSystemIdentifier(),
											  GetWALInsertionTimeLine(), MyDatabaseId)));
}

ScimAuditUser
scim_audit_tree_administration(const char *function)
{
	ScimAuditTenants tenants = scim_audit_duty_tenants(GetUserId(), SCIM_DUTY_AUDIT_ADMIN);

	if (!tenants.all)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("role \"%s\" is no audit_admin of all tenants", GetUserNameFromId(GetUserId(), false)),
				 errhint("A superuser can grant the duty: SELECT scim.grant_duty(…, 'audit_admin').")));
	PreventCommandDuringRecovery(function);
	PreventCommandIfReadOnly(function);
	if (IsolationUsesXactSnapshot())
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("%s needs the isolation level READ COMMITTED", function),
				 errhint("Where another one is the default, call it after BEGIN ISOLATION LEVEL READ COMMITTED.")));
	lock_tree();
	return scim_audit_become(scim_audit_table_owner("scim_audit.checkpoints"));
}

/* The commit reaches the disk, and the standbys that commits wait for, whatever the session has set. */
static void
force_durable(void)
{
	ForceSyncCommit();
	if (synchronous_commit < SYNCHRONOUS_COMMIT_REMOTE_FLUSH)
		(void) set_config_option("synchronous_commit", "on", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false);
}

/* Under the active snapshot, which is one for all that a checkpoint reads. */
static void
run_query(const char *query, int n, Oid *types, Datum *values)
{
	if (SPI_execute_with_args(query, n, types, values, NULL, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not run %s", query);
}

static Datum
get_value(int column, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column, isnull);
}

/* The origin to go on with: another one when this is not the database that the last was for. */
static char *
get_origin(void)
{
	bool		isnull;

	if (SPI_execute("SELECT scim_audit.ensure_origin()", false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not run scim_audit.ensure_origin()");
	return TextDatumGetCString(get_value(1, &isnull));
}

static void
get_hash(Datum datum, uint8_t out[SCIM_HASH_SIZE])
{
	bytea	   *bytes = DatumGetByteaPP(datum);

	if (VARSIZE_ANY_EXHDR(bytes) != SCIM_HASH_SIZE)
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED), errmsg("the root of the last checkpoint is no hash")));
	memcpy(out, VARDATA_ANY(bytes), SCIM_HASH_SIZE);
}

/* The last checkpoint, and the tree as it was then. */
static void
read_last(const char *origin, Checkpoint *last, ScimMerkle *tree)
{
	Oid			types[1] = {TEXTOID};
	Datum		values[1] = {CStringGetTextDatum(origin)};
	bool		isnull;
	bytea	   *edge;

	memset(last, 0, sizeof *last);
	memset(tree, 0, sizeof *tree);
	run_query(LAST_QUERY, 1, types, values);
	if (SPI_processed == 0)
		return;
	last->found = true;
	last->size = DatumGetInt64(get_value(1, &isnull));
	get_hash(get_value(2, &isnull), last->root);
	last->at = DatumGetTimestampTz(get_value(3, &isnull));
	edge = DatumGetByteaPP(get_value(4, &isnull));
	if (!scim_merkle_load(tree, last->size, (ScimStr) {VARDATA_ANY(edge), VARSIZE_ANY_EXHDR(edge)}))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("the last checkpoint of \"%s\" has been damaged", origin),
				 errhint("SELECT * FROM scim_audit.verify(); then scim_audit.restored() begins a new origin.")));
}

/* The last tiles of the tree, which are not full. */
static void
read_levels(Growth *growth)
{
	for (int i = 0; i < LEVELS; i++)
	{
		Level	   *level = &growth->levels[i];
		uint64		nodes = growth->tree.size >> (i * SCIM_TILE_HEIGHT);
		ScimTile	tile = {i, nodes / SCIM_TILE_WIDTH, nodes % SCIM_TILE_WIDTH};

		level->index = tile.index;
		if (tile.width > 0 && !scim_audit_tile_read(growth->origin, &tile, level->hashes))
			ereport(ERROR,
					(errcode(ERRCODE_DATA_CORRUPTED),
					 errmsg("tile %d/" INT64_FORMAT " of \"%s\" is gone", i, level->index, growth->origin),
					 errhint("SELECT * FROM scim_audit.verify(); then scim_audit.restored() begins a new origin.")));
		level->n = tile.width;
	}
}

static void
write_tile(Growth *growth, int i)
{
	Level	   *level = &growth->levels[i];
	MemoryContext caller = MemoryContextSwitchTo(growth->row_context);

	scim_audit_store_tile(growth->tiles, growth->origin, i, level->index, level->hashes, level->n);
	MemoryContextSwitchTo(caller);
	MemoryContextReset(growth->row_context);
	level->changed = false;
}

/* A ScimMerkleStore: collect nodes until a tile is full. */
static bool
store_node(void *arg, int i, uint64_t index, const uint8_t hash[SCIM_HASH_SIZE])
{
	Growth	   *growth = arg;
	Level	   *level = &growth->levels[i];

	level->index = index / SCIM_TILE_WIDTH;
	level->n = index % SCIM_TILE_WIDTH + 1;
	memcpy(level->hashes + (level->n - 1) * SCIM_HASH_SIZE, hash, SCIM_HASH_SIZE);
	level->changed = true;
	if (level->n == SCIM_TILE_WIDTH)
		write_tile(growth, i);
	return true;
}

static void
append_leaf(Growth *growth, const uint8_t leaf[SCIM_HASH_SIZE])
{
	CHECK_FOR_INTERRUPTS();
	if (!scim_merkle_append(&growth->tree, scim_audit_sha256, leaf, store_node, growth))
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("the tree of the audit log is full")));
	growth->next++;
}

/* Leaves for events up to n that are gone. */
static void
append_holes(Growth *growth, int32 n)
{
	uint8_t		hole[SCIM_HASH_SIZE];

	if (growth->next >= n)
		return;
	scim_leaf_hash(scim_audit_sha256, SCIM_STR(""), hole);
	while (growth->next < n)
		append_leaf(growth, hole);
}

/* Columns of scim_audit.checkpoint_spans. */
static void
write_span(Growth *growth)
{
	Datum		values[6] = {
		Int64GetDatum(growth->first), Int64GetDatum(growth->from_seq), Int64GetDatum(growth->seq),
		Int32GetDatum(growth->chain), CStringGetTextDatum(growth->origin),
		PointerGetDatum(cstring_to_text_with_len((const char *) growth->head, SCIM_HASH_SIZE))
	};
	bool		nulls[6] = {false};

	/* Seals that count no event, which somebody must have made, have no leaf. */
	if (growth->tree.size > growth->first)
		scim_audit_store_row(growth->spans, values, nulls);
}

static void
end_seal(Growth *growth, bool end_span)
{
	if (!growth->in_seal)
		return;
	append_holes(growth, growth->events);
	if (end_span)
		write_span(growth);
	growth->in_seal = !end_span;
}

/* A seal begins; values are those of LEAVES_QUERY. */
static void
begin_seal(Growth *growth, int32 chain, int64 seq, int32 events, Datum hash)
{
	bytea	   *head = DatumGetByteaPP(hash);

	end_seal(growth, false);
	if (growth->in_seal && (chain != growth->chain || growth->tree.size - growth->first >= SCIM_TILE_WIDTH))
		end_seal(growth, true);
	if (!growth->in_seal)
	{
		growth->first = growth->tree.size;
		growth->from_seq = seq;
		growth->chain = chain;
		growth->in_seal = true;
	}
	growth->seq = seq;
	growth->events = events;
	growth->next = 0;
	memset(growth->head, 0, SCIM_HASH_SIZE);
	memcpy(growth->head, VARDATA_ANY(head), Min(VARSIZE_ANY_EXHDR(head), SCIM_HASH_SIZE));
}

static void
append_row(Growth *growth, HeapTuple row, TupleDesc desc)
{
	bool		isnull;
	int32		chain = DatumGetInt32(SPI_getbinval(row, desc, 1, &isnull));
	int64		seq = DatumGetInt64(SPI_getbinval(row, desc, 2, &isnull));
	int32		events = DatumGetInt32(SPI_getbinval(row, desc, 3, &isnull));
	int32		n;
	bytea	   *leaf;

	if (!growth->in_seal || chain != growth->chain || seq != growth->seq)
		begin_seal(growth, chain, seq, events, SPI_getbinval(row, desc, 4, &isnull));
	n = DatumGetInt32(SPI_getbinval(row, desc, 5, &isnull));
	if (isnull || n < growth->next)
		return;
	append_holes(growth, n);
	leaf = DatumGetByteaPP(SPI_getbinval(row, desc, 6, &isnull));
	if (VARSIZE_ANY_EXHDR(leaf) == SCIM_HASH_SIZE)
		append_leaf(growth, (const uint8_t *) VARDATA_ANY(leaf));
}

/* Append the events of new seals, whose transactions are from first to last. */
static void
append_events(Growth *growth, Datum first, Datum last)
{
	Oid			types[3] = {TEXTOID, UUIDOID, UUIDOID};
	Datum		values[3] = {CStringGetTextDatum(growth->origin), first, last};
	Portal		portal = SPI_cursor_open_with_args(NULL, LEAVES_QUERY, 3, types, values, NULL, true, 0);

	read_levels(growth);
	for (;;)
	{
		SPI_cursor_fetch(portal, true, FETCH_ROWS);
		if (SPI_processed == 0)
			break;
		for (uint64 i = 0; i < SPI_processed; i++)
			append_row(growth, SPI_tuptable->vals[i], SPI_tuptable->tupdesc);
		SPI_freetuptable(SPI_tuptable);
	}
	SPI_cursor_close(portal);
	end_seal(growth, true);
	for (int i = 0; i < LEVELS; i++)
	{
		if (growth->levels[i].changed)
			write_tile(growth, i);
	}
}

/* The tree as it is now is a checkpoint. */
static void
write_checkpoint(Growth *growth, Checkpoint *made)
{
	Relation	checkpoints = table_open(scim_audit_log_table("checkpoints"), RowExclusiveLock);
	bool		nulls[5] = {false};
	Datum		values[5];

	made->found = true;
	made->size = growth->tree.size;
	made->at = GetCurrentTimestamp();
	scim_merkle_root(&growth->tree, scim_audit_sha256, made->root);
	values[0] = Int64GetDatum(made->size);
	values[1] = TimestampTzGetDatum(made->at);
	values[2] = CStringGetTextDatum(growth->origin);
	values[3] = PointerGetDatum(cstring_to_text_with_len((const char *) made->root, SCIM_HASH_SIZE));
	values[4] = PointerGetDatum(cstring_to_text_with_len((const char *) growth->tree.hash,
														 scim_merkle_count(growth->tree.size) * SCIM_HASH_SIZE));
	scim_audit_store_row(checkpoints, values, nulls);
	table_close(checkpoints, NoLock);
}

static void
record(const char *origin, const Checkpoint *made)
{
	StringInfoData detail;

	initStringInfo(&detail);
	appendStringInfoString(&detail, "{\"origin\":");
	scim_audit_json_string(&detail, origin, strlen(origin));
	appendStringInfo(&detail, ",\"size\":" INT64_FORMAT ",\"root\":\"", made->size);
	for (int i = 0; i < SCIM_HASH_SIZE; i++)
		appendStringInfo(&detail, "%02x", made->root[i]);
	appendStringInfoString(&detail, "\"}");
	scim_audit_log_simple("admin", "checkpoint", "log.checkpoint", NULL, NULL, NULL, (ScimStr) {detail.data, detail.len});
}

/* A checkpoint over what is new; the last one when nothing is, but records of checkpoints. */
static void
make_checkpoint(const char *origin, Checkpoint *checkpoint)
{
	Growth	   *growth = palloc0(sizeof(Growth));
	Oid			types[1] = {TEXTOID};
	Datum		values[1] = {CStringGetTextDatum(origin)};
	bool		isnull;
	bool		is_new;
	Datum		first;
	Datum		last;

	growth->origin = origin;
	read_last(origin, checkpoint, &growth->tree);
	run_query(NEW_QUERY, 1, types, values);
	first = SPI_getbinval(SPI_copytuple(SPI_tuptable->vals[0]), SPI_tuptable->tupdesc, 1, &isnull);
	last = SPI_getbinval(SPI_copytuple(SPI_tuptable->vals[0]), SPI_tuptable->tupdesc, 2, &isnull);
	is_new = DatumGetBool(get_value(3, &isnull)) && !isnull;
	if (!is_new && checkpoint->found)
		return;
	growth->tiles = table_open(scim_audit_log_table("tiles"), RowExclusiveLock);
	growth->spans = table_open(scim_audit_log_table("checkpoint_spans"), RowExclusiveLock);
	growth->row_context = AllocSetContextCreate(CurrentMemoryContext, "scim_audit tile", ALLOCSET_DEFAULT_SIZES);
	if (is_new)
		append_events(growth, first, last);
	table_close(growth->spans, NoLock);
	table_close(growth->tiles, NoLock);
	if (checkpoint->found && growth->tree.size == (uint64) checkpoint->size)
		return;
	write_checkpoint(growth, checkpoint);
	record(origin, checkpoint);
	force_durable();
}

/* scim_audit.checkpoint() RETURNS record (origin text, size bigint, root bytea, at timestamptz) */
Datum
scim_audit_checkpoint(PG_FUNCTION_ARGS)
{
	ScimAuditUser user = scim_audit_tree_administration("scim_audit.checkpoint()");
	Checkpoint	checkpoint;
	TupleDesc	desc;
	Datum		values[4];
	bool		nulls[4] = {false};
	MemoryContext context = CurrentMemoryContext;
	MemoryContext spi_context;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "scim_audit.checkpoint() must return a row");
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	spi_context = CurrentMemoryContext;
	{
		char	   *origin = get_origin();

		/* The caller's was taken before the wait for our turn. */
		PushActiveSnapshot(GetTransactionSnapshot());
		make_checkpoint(origin, &checkpoint);
		PopActiveSnapshot();
		MemoryContextSwitchTo(context);
		values[0] = CStringGetTextDatum(origin);
		MemoryContextSwitchTo(spi_context);
	}
	SPI_finish();
	scim_audit_become_again(user);
	values[1] = Int64GetDatum(checkpoint.size);
	values[2] = PointerGetDatum(cstring_to_text_with_len((const char *) checkpoint.root, SCIM_HASH_SIZE));
	values[3] = TimestampTzGetDatum(checkpoint.at);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}
