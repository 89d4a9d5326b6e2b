/*
 * verify_balance.c
 *		The quick way through a log that is whole (see verify.h).
 *
 * The walk of core/verify.h names what is wrong, and wants events in order.
 * That nothing is wrong can be told in any order, by one parallel scan, for
 * each event is checked by itself and all others by sums (verify_sum.h):
 * event n offers its hash under (tx_id, n + 1) and takes prev_hash under
 * (tx_id, n), a seal takes last_leaf under (tx_id, events).  When everything
 * offered is taken, and no two seals are of one transaction, each transaction
 * is one run of events from 0 to the one that its seal names, and no event is
 * outside: an extra event would offer what nobody takes.
 *
 * The walk still sees the seals by chain, and those transactions whose events
 * say something of other rows (witnesses).  A change of configuration that no
 * event explains is then told by itself; at anything else that is not as it
 * should be, all of this is forgotten and the log is walked.
 *
 * Rows of audited tables come along: each table's values that came and went
 * against the values that are there.  Tables that do not come out even, or
 * whose history is not told by one sum, are left to verify_rows.c.
 */
#include "pg/compat.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#include "core/text.h"
#include "pg/hash.h"
#include "pg/log.h"
#include "pg/row_sums.h"
#include "pg/tree.h"
#include "pg/verify.h"
#include "pg/verify_schema.h"
#include "pg/verify_tally.h"

/* By kind: events of one resource type, those of its memberships apart. */
#define TALLY_QUERY \
	"SELECT e.resource_type, %s, scim_audit.tally($3, " SCIM_AUDIT_EVENT_COLUMNS ") FROM scim_audit.events e%s GROUP BY 1, 2"
#define IN_RANGE " WHERE tx_id >= $1 AND tx_id <= $2"

#define WITNESSES_QUERY \
	"SELECT DISTINCT w.tx_id FROM scim_audit.events w WHERE w.tx_id >= $1 AND w.tx_id <= $2" \
	" AND (w.event_type IN (%s)" \
	" OR (w.detail IS NULL AND w.detail_hash IS NOT NULL))"
#define WITNESS_EVENTS_QUERY \
	"SELECT " SCIM_AUDIT_EVENT_COLUMNS " FROM scim_audit.events WHERE tx_id = ANY ($1) ORDER BY tx_id, n"
#define WITNESS_SEALS_QUERY \
	"SELECT " SCIM_AUDIT_SEAL_COLUMNS ", false FROM scim_audit.seals s WHERE s.tx_id = ANY ($1) ORDER BY s.tx_id, s.chain, s.seq, s.hash"

#define FIRST_SEAL_QUERY \
	"SELECT " SCIM_AUDIT_SEAL_COLUMNS ", false FROM scim_audit.seals s WHERE s.seq = 1 ORDER BY s.at, s.chain LIMIT 1"
#define FIRST_SEAL_IN_RANGE_QUERY \
	"SELECT " SCIM_AUDIT_SEAL_COLUMNS ", false FROM scim_audit.seals s WHERE s.tx_id >= $1 AND s.tx_id <= $2" \
	" ORDER BY s.at, s.chain, s.seq LIMIT 1"

#define SEALED_TWICE_QUERY \
	"SELECT FROM scim_audit.seals s%s GROUP BY s.tx_id HAVING pg_catalog.count(*) > 1 LIMIT 1"

/* The transactions that leaves come from, in their order; the events of those that came later. */
#define COVERED_QUERY \
	"SELECT p.first, s.tx_id, s.events FROM scim_audit.checkpoint_spans p" \
	" CROSS JOIN LATERAL (SELECT t.seq, t.tx_id, t.events FROM scim_audit.seals t" \
	" WHERE t.chain = p.chain AND t.seq >= p.from_seq AND t.seq <= p.to_seq OFFSET 0) s" \
	" WHERE p.origin = $1 ORDER BY p.first, s.seq"
#define LATER_QUERY \
	"SELECT e.tx_id, e.n, e.leaf_hash FROM (SELECT c.chain, coalesce((SELECT pg_catalog.max(p.to_seq) FROM scim_audit.checkpoint_spans p" \
	" WHERE p.origin = $1 AND p.chain = c.chain), 0) AS covered FROM (SELECT DISTINCT t.chain FROM scim_audit.seals t) c OFFSET 0) c" \
	" CROSS JOIN LATERAL (SELECT t.tx_id FROM scim_audit.seals t WHERE t.chain = c.chain AND t.seq > c.covered OFFSET 0) s" \
	" JOIN scim_audit.events e ON e.tx_id = s.tx_id"

#define WITNESSES_MAX 1000000	/* with more, all is walked */

/* What is counted of one resource type. */
typedef struct Kind
{
	ScimStr		resource_type;	/* absent: of events that have none */
	bool		is_link;
	ScimAuditTally tally;
} Kind;


/* The condition that an event e is one of a membership. */
static char *
link_condition(List *tables)
{
	StringInfoData out;
	ListCell   *cell;

	initStringInfo(&out);
	foreach(cell, tables)
	{
		const ScimAuditTable *table = lfirst(cell);

		if (!table->is_link)
			continue;
		appendStringInfo(&out, "%s(e.resource_type = %s AND pg_catalog.starts_with(e.event_type, %s))", out.len > 0 ? " OR " : "",
						 quote_literal_cstr(pnstrdup(table->resource_type.ptr, table->resource_type.len)),
						 quote_literal_cstr(pnstrdup(table->event_prefix.ptr, table->event_prefix.len)));
	}
	return out.len > 0 ? psprintf("coalesce(%s, false)", out.data) : "false";
}

/* All rows at once, by workers where the planner has some, into SPI_tuptable. */
static void
execute(const char *query, const ScimAuditRange *range, uint64 key)
{
	Oid			types[3] = {UUIDOID, UUIDOID, INT8OID};
	Datum		values[3] = {UUIDPGetDatum(&range->from), UUIDPGetDatum(&range->to), Int64GetDatum((int64) key)};

	if (SPI_execute_with_args(query, 3, types, values, NULL, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read the log");
}

/* One scan over the events. */
static void
count_events(ScimAuditCheck *check, ScimAuditBalance *balance, List *tables)
{
	SPITupleTable *result;

	execute(psprintf(TALLY_QUERY, link_condition(tables), check->whole ? "" : IN_RANGE), &check->range, balance->key);
	result = SPI_tuptable;
	for (uint64 i = 0; i < result->numvals; i++)
	{
		MemoryContext caller = MemoryContextSwitchTo(check->context);
		Kind	   *kind = palloc0(sizeof(Kind));
		char	   *type = SPI_getvalue(result->vals[i], result->tupdesc, 1);
		bool		isnull;

		if (type != NULL)
			kind->resource_type = (ScimStr) {type, strlen(type)};
		kind->is_link = DatumGetBool(SPI_getbinval(result->vals[i], result->tupdesc, 2, &isnull));
		scim_audit_tally_get(SPI_getbinval(result->vals[i], result->tupdesc, 3, &isnull), &kind->tally);
		scim_audit_tally_add(&balance->total, &kind->tally);
		balance->kinds = lappend(balance->kinds, kind);
		MemoryContextSwitchTo(caller);
	}
	SPI_freetuptable(result);
}

static void
note_finding(void *arg, const ScimFinding *finding)
{
	ScimAuditCheck *check = arg;
	MemoryContext caller;
	ScimFinding *copy;

	if (strcmp(finding->rule, "config_changed") != 0)
	{
		check->balance->faults = true;
		return;
	}
	caller = MemoryContextSwitchTo(check->context);
	copy = palloc(sizeof(ScimFinding));
	*copy = *finding;
	check->balance->findings = lappend(check->balance->findings, copy);
	MemoryContextSwitchTo(caller);
}

static bool
is_sealed_twice(ScimAuditCheck *check)
{
	bool		found;

	execute(psprintf(SEALED_TWICE_QUERY, check->whole ? "" : IN_RANGE), &check->range, check->balance->key);
	found = SPI_processed > 0;
	SPI_freetuptable(SPI_tuptable);
	return found;
}

/* The types of witnesses, as a list of literals. */
static char *
witness_types(void)
{
	StringInfoData out;

	initStringInfo(&out);
	for (int i = 0; scim_verify_witnesses[i] != NULL; i++)
		appendStringInfo(&out, "%s%s", i > 0 ? ", " : "", quote_literal_cstr(scim_verify_witnesses[i]));
	return out.data;
}

/* The transactions of witnesses, as an array. */
static ScimAuditArgs
find_witnesses(ScimAuditCheck *check)
{
	const ScimAuditTally *total = &check->balance->total;
	ScimAuditRange range = {total->first_witness, total->last_witness};
	ScimAuditArgs args = {1, {UUIDARRAYOID}};
	MemoryContext caller;
	Datum	   *tx_ids;
	bool		isnull;

	execute(psprintf(WITNESSES_QUERY, witness_types()), &range, check->balance->key);
	caller = MemoryContextSwitchTo(check->context);
	tx_ids = palloc(Max(SPI_processed, 1) * sizeof(Datum));
	for (uint64 i = 0; i < SPI_processed; i++)
		tx_ids[i] = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull);
	args.values[0] = PointerGetDatum(construct_array(tx_ids, (int) SPI_processed, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR));
	pfree(tx_ids);
	MemoryContextSwitchTo(caller);
	SPI_freetuptable(SPI_tuptable);
	return args;
}

/* The walk, over what it must see; a seal that it sees takes what its transaction offers. */
static void
walk(ScimAuditCheck *check)
{
	ScimAuditTally *total = &check->balance->total;
	ScimAuditArgs first = check->whole ? SCIM_AUDIT_NO_ARGS : scim_audit_range_args(&check->range);
	ScimAuditRows rows;
	ScimVerifySeal seal;

	scim_audit_walk_begin(check, note_finding);
	if (total->witnesses > 0)
		scim_audit_walk_events(check, WITNESS_EVENTS_QUERY, WITNESS_SEALS_QUERY, find_witnesses(check));
	scim_audit_rows_open(&rows, check->whole ? FIRST_SEAL_QUERY : FIRST_SEAL_IN_RANGE_QUERY, first);
	while (scim_audit_rows_next(&rows))
	{
		scim_audit_rows_seal(&rows, &seal);
		scim_verify_begins_with(check->walk, &seal);
	}
	scim_audit_walk_seals(check);
}

void
scim_audit_balance_seal(ScimAuditBalance *balance, const ScimAuditRange *range, const ScimSeal *seal)
{
	if (memcmp(seal->tx_id, range->from.data, UUID_LEN) >= 0 && memcmp(seal->tx_id, range->to.data, UUID_LEN) <= 0)
		balance->total.taken += scim_audit_link_number(seal->tx_id, seal->events, seal->last_leaf, balance->key);
}

/* Rows of audited tables. */

static const Kind *
find_kind(const ScimAuditBalance *balance, ScimStr resource_type, bool is_link)
{
	static const Kind none;
	ListCell   *cell;

	foreach(cell, balance->kinds)
	{
		const Kind *kind = lfirst(cell);

		if (kind->is_link == is_link && scim_str_equal(kind->resource_type, resource_type))
			return kind;
	}
	return &none;
}

/* Where the history of a resource type begins that counts. */
static ScimAuditStart
start_of(const ScimAuditBalance *balance, const ScimAuditTable *table)
{
	const ScimAuditTally *own = &find_kind(balance, table->resource_type, table->is_link)->tally;
	const ScimAuditTally *tracked = &find_kind(balance, table->resource_type, false)->tally;

	return scim_audit_start_is_later(&own->truncated, &tracked->tracked) ? own->truncated : tracked->tracked;
}

static bool
is_kind(const ScimAuditTable *a, const ScimAuditTable *b)
{
	return a->is_link == b->is_link && scim_str_equal(a->resource_type, b->resource_type);
}

/* Is the history of a resource type told by one sum?  False: by none, or it is not to be compared. */
static bool
is_told_by_sum(const ScimAuditBalance *balance, List *tables, const ScimAuditTable *table)
{
	const ScimAuditTally *tally = &find_kind(balance, table->resource_type, table->is_link)->tally;
	ScimAuditStart start = start_of(balance, table);
	ListCell   *cell;

	/* Some of it does not count. */
	if (start.found && (!start.complete || (tally->changes > 0 && start.at >= tally->first_change)))
		return false;
	foreach(cell, tables)
	{
		const ScimAuditTable *other = lfirst(cell);

		if (is_kind(table, other) && scim_audit_was_altered(other->relation))
			return false;
	}
	return true;
}

/* Do the rows of a resource type, all its tables together, come out even with what the log tells of them? */
static bool
is_even(const ScimAuditBalance *balance, List *tables, const ScimAuditTable *table)
{
	ScimAuditStart start = start_of(balance, table);
	uint64		present = 0;
	ListCell   *cell;

	if (start.found && !start.complete)
		return true;			/* not to be compared */
	if (!is_told_by_sum(balance, tables, table))
		return false;
	foreach(cell, tables)
	{
		const ScimAuditTable *other = lfirst(cell);

		if (is_kind(table, other))
			present += scim_audit_row_sums_get(balance->sums, other->relation);
	}
	return present == find_kind(balance, table->resource_type, table->is_link)->tally.rows;
}

/* Begin with the sums that will be asked for. */
static ScimAuditRowSums *
begin_sums(const ScimAuditBalance *balance, List *tables)
{
	List	   *oids = NIL;
	ListCell   *cell;

	foreach(cell, tables)
	{
		const ScimAuditTable *table = lfirst(cell);

		if (is_told_by_sum(balance, tables, table))
			oids = lappend_oid(oids, table->relation);
	}
	return scim_audit_row_sums_begin(oids, balance->key);
}

List *
scim_audit_uneven_tables(ScimAuditCheck *check, List *tables)
{
	List	   *uneven = NIL;
	List	   *known = NIL;	/* one table of each kind that was looked at, uneven or not */
	ListCell   *cell;

	foreach(cell, tables)
	{
		const ScimAuditTable *table = lfirst(cell);
		ListCell   *before;
		const ScimAuditTable *same = NULL;

		foreach(before, known)
		{
			if (is_kind(table, lfirst(before)))
				same = lfirst(before);
		}
		if (same == NULL)
			known = lappend(known, lfirst(cell));
		if (same != NULL ? list_member_ptr(uneven, same) : !is_even(check->balance, tables, table))
			uneven = lappend(uneven, lfirst(cell));
	}
	scim_audit_row_sums_end(check->balance->sums);
	return uneven;
}

/* All of it. */

bool
scim_audit_balance(ScimAuditCheck *check)
{
	List	   *tables;
	ListCell   *cell;

	/* Its own events are not sealed yet. */
	if (scim_audit_log_transaction() != NULL)
		return false;
	tables = scim_audit_verify_tables(check);
	check->balance = MemoryContextAllocZero(check->context, sizeof(ScimAuditBalance));
	scim_audit_random((uint8_t *) &check->balance->key, sizeof(check->balance->key));
	count_events(check, check->balance, tables);
	if (check->balance->total.faults == 0 && check->balance->total.witnesses <= WITNESSES_MAX)
	{
		check->balance->sums = check->whole ? begin_sums(check->balance, tables) : NULL;
		walk(check);
		if (!check->balance->faults && check->balance->total.offered == check->balance->total.taken && !is_sealed_twice(check))
		{
			foreach(cell, check->balance->findings)
				scim_audit_verify_report(check, lfirst(cell));
			return true;
		}
		if (check->balance->sums != NULL)
			scim_audit_row_sums_end(check->balance->sums);
	}
	check->balance = NULL;
	tuplestore_clear(check->gone);
	tuplestore_clear(check->erased);
	return false;
}

/* The leaves of trees. */

/* The tile of leaves that was read last. */
typedef struct Leaves
{
	const char *origin;
	uint64		size;
	bool		known;
	uint64		index;
	uint8_t		hashes[SCIM_TILE_WIDTH * SCIM_HASH_SIZE];
} Leaves;

/* A leaf as its tile has it; NULL when that is gone. */
static const uint8_t *
find_leaf(Leaves *leaves, uint64 index)
{
	ScimTile	tile = {0, index / SCIM_TILE_WIDTH, scim_tile_width(leaves->size, 0, index / SCIM_TILE_WIDTH)};

	if (!leaves->known || leaves->index != tile.index)
	{
		leaves->index = tile.index;
		leaves->known = tile.width > 0 && scim_audit_tile_read(leaves->origin, &tile, leaves->hashes);
	}
	return leaves->known && index < leaves->size ? leaves->hashes + index % SCIM_TILE_WIDTH * SCIM_HASH_SIZE : NULL;
}

/* Count the leaves of a transaction as its tiles have them. */
static bool
count_leaves(Leaves *leaves, uint64 first, const ScimAuditRows *rows, uint64 key, uint64 *sum)
{
	const uint8_t *tx_id = DatumGetUUIDP(rows->fields.values[1])->data;
	int32		events = DatumGetInt32(rows->fields.values[2]);

	for (int32 n = 0; n < events; n++)
	{
		const uint8_t *leaf = find_leaf(leaves, first + n);

		if (leaf == NULL)
			return false;
		*sum += scim_audit_link_number(tx_id, (int64) n + 1, leaf, key);
	}
	return true;
}

bool
scim_audit_leaves_even(ScimAuditCheck *check, const char *origin, uint64 size)
{
	const ScimAuditBalance *balance = check->balance;
	Leaves		leaves = {.origin = origin, .size = size};
	ScimAuditArgs args = {1, {TEXTOID}, {CStringGetTextDatum(origin)}};
	uint64		sum = 0;
	ScimAuditRows rows;
	uint64		index = 0;
	int64		span = -1;
	bool		even = balance != NULL;

	if (!even)
		return false;
	scim_audit_rows_open(&rows, COVERED_QUERY, args);
	while (scim_audit_rows_next(&rows))
	{
		int64		first = DatumGetInt64(rows.fields.values[0]);

		even = even && (first == span || (uint64) first == index) && count_leaves(&leaves, index, &rows, balance->key, &sum);
		span = first;
		index += Max(DatumGetInt32(rows.fields.values[2]), 0);
	}
	if (!even || index != size)
		return false;
	scim_audit_rows_open(&rows, LATER_QUERY, args);
	while (scim_audit_rows_next(&rows))
		sum += scim_audit_link_number(DatumGetUUIDP(rows.fields.values[0])->data, (int64) DatumGetInt32(rows.fields.values[1]) + 1,
							  (uint8_t *) VARDATA_ANY(DatumGetByteaPP(rows.fields.values[2])), balance->key);
	return sum == balance->total.offered;
}
