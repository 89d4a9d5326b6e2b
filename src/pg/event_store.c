/*
 * event_store.c
 *		Rows into the tables of the log, and the heads of the chains out of
 *		them, without SQL (see event_store.h).
 */
#include "pg/compat.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/skey.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "pg/event_store.h"
#include "pg/guc.h"
#include "pg/log_row.h"

/* Columns of scim_audit.events; the names stand in the same order below. */
enum
{
	E_TX_ID, E_AT, E_N, E_STATUS, E_REQUEST_ID, E_TENANT, E_CATEGORY, E_ACTION, E_EVENT_TYPE,
	E_OUTCOME, E_SCIM_TYPE, E_ACTOR, E_ACTOR_TYPE, E_CREDENTIAL, E_SESSION_ROLE,
	E_EFFECTIVE_ROLE, E_ORIGIN, E_RESOURCE_TYPE, E_RESOURCE_ID, E_CHANGED, E_METHOD,
	E_DETAIL_HASH, E_PREV_HASH, E_LEAF_HASH, E_DETAIL_SALT, E_DETAIL, E_COLUMNS
};

static const char *const event_columns[E_COLUMNS] = {
	"tx_id", "at", "n", "status", "request_id", "tenant", "category", "action", "event_type",
	"outcome", "scim_type", "actor", "actor_type", "credential", "session_role",
	"effective_role", "origin", "resource_type", "resource_id", "changed", "method",
	"detail_hash", "prev_hash", "leaf_hash", "detail_salt", "detail"
};

/* Columns of scim_audit.seals. */
enum
{
	S_CHAIN, S_EVENTS, S_SEQ, S_AT, S_TX_ID, S_LAST_LEAF, S_CONFIG_HASH, S_PREV_HASH, S_HASH,
	S_COLUMNS
};

static const char *const seal_columns[S_COLUMNS] = {
	"chain", "events", "seq", "at", "tx_id", "last_leaf", "config_hash", "prev_hash", "hash"
};

static ScimAuditLogTable event_table;
static ScimAuditLogTable seal_table;
static ScimAuditLogTable tile_table;

/* Oids of the two tables; InvalidOid: to be looked up. */
static Oid	events_oid;
static Oid	seals_oid;

static uint64 seals_version = 1;

int64_t
scim_audit_unix_micros(int64 timestamp)
{
	return timestamp + (int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;
}

int64
scim_audit_timestamp(int64_t micros)
{
	return micros - (int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;
}

/* A table of the log was altered, dropped or made: forget what is known of it. */
static void
forget_relation(Datum arg, Oid relid)
{
	if (relid == InvalidOid || relid == seals_oid)
		seals_version++;
	scim_audit_log_table_forget(&event_table, relid);
	scim_audit_log_table_forget(&seal_table, relid);
	scim_audit_log_table_forget(&tile_table, relid);
	if (relid == InvalidOid || relid == events_oid)
		events_oid = InvalidOid;
	if (relid == InvalidOid || relid == seals_oid)
		seals_oid = InvalidOid;
}

static void
forget_schemas(Datum arg, int cacheid, uint32 hashvalue)
{
	events_oid = seals_oid = InvalidOid;
	seals_version++;
}

void
scim_audit_event_store_init(void)
{
	CacheRegisterRelcacheCallback(forget_relation, (Datum) 0);
	CacheRegisterSyscacheCallback(NAMESPACEOID, forget_schemas, (Datum) 0);
}

Oid
scim_audit_log_table(const char *name)
{
	Oid			schema = get_namespace_oid("scim_audit", true);

	return OidIsValid(schema) ? get_relname_relid(name, schema) : InvalidOid;
}

static Oid
log_table(Oid *cached, const char *name)
{
	if (!OidIsValid(*cached))
		*cached = scim_audit_log_table(name);
	if (!OidIsValid(*cached))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table \"scim_audit.%s\" does not exist", name),
				 errhint("Create the extension scim_audit in this database.")));
	return *cached;
}

Oid
scim_audit_events_oid(void)
{
	return log_table(&events_oid, "events");
}

Oid
scim_audit_seals_oid(void)
{
	return log_table(&seals_oid, "seals");
}

static void
row_changed(ScimAuditLogRow *row, const ScimStr *changed, int n)
{
	Datum	   *elements;

	if (changed == NULL)
		return;
	elements = palloc(Max(n, 1) * sizeof(Datum));
	for (int i = 0; i < n; i++)
		elements[i] = PointerGetDatum(cstring_to_text_with_len(changed[i].ptr, changed[i].len));
	scim_audit_log_row_datum(row, E_CHANGED,
			  PointerGetDatum(construct_array(elements, n, TEXTOID, -1, false, TYPALIGN_INT)));
}

void
scim_audit_store_event(Relation partition, const ScimEntry *entry,
					   const uint8_t leaf_hash[SCIM_HASH_SIZE],
					   ScimStr detail, const uint8_t salt[16])
{
	ScimAuditLogRow row;

	scim_audit_log_table_know(&event_table, partition, event_columns, E_COLUMNS);
	scim_audit_log_row_begin(&row, partition, &event_table);
	scim_audit_log_row_uuid(&row, E_TX_ID, entry->tx_id);
	scim_audit_log_row_datum(&row, E_N, Int32GetDatum(entry->n));
	if (entry->status != 0)
		scim_audit_log_row_datum(&row, E_STATUS, Int32GetDatum(entry->status));
	scim_audit_log_row_datum(&row, E_AT, TimestampTzGetDatum(scim_audit_timestamp(entry->at)));
	if (entry->has_request_id)
		scim_audit_log_row_uuid(&row, E_REQUEST_ID, entry->request_id);
	scim_audit_log_row_text(&row, E_TENANT, entry->tenant);
	scim_audit_log_row_text(&row, E_CATEGORY, entry->category);
	scim_audit_log_row_text(&row, E_ACTION, entry->action);
	scim_audit_log_row_text(&row, E_EVENT_TYPE, entry->event_type);
	scim_audit_log_row_text(&row, E_OUTCOME, entry->outcome);
	scim_audit_log_row_text(&row, E_SCIM_TYPE, entry->scim_type);
	scim_audit_log_row_text(&row, E_ACTOR, entry->actor);
	scim_audit_log_row_text(&row, E_ACTOR_TYPE, entry->actor_type);
	scim_audit_log_row_text(&row, E_CREDENTIAL, entry->credential);
	scim_audit_log_row_text(&row, E_SESSION_ROLE, entry->session_role);
	scim_audit_log_row_text(&row, E_EFFECTIVE_ROLE, entry->effective_role);
	scim_audit_log_row_text(&row, E_ORIGIN, entry->origin);
	scim_audit_log_row_text(&row, E_RESOURCE_TYPE, entry->resource_type);
	scim_audit_log_row_text(&row, E_RESOURCE_ID, entry->resource_id);
	row_changed(&row, entry->changed, entry->n_changed);
	scim_audit_log_row_text(&row, E_METHOD, entry->method);
	scim_audit_log_row_bytes(&row, E_PREV_HASH, entry->prev_hash, SCIM_HASH_SIZE);
	scim_audit_log_row_bytes(&row, E_LEAF_HASH, leaf_hash, SCIM_HASH_SIZE);
	if (entry->has_detail)
	{
		scim_audit_log_row_bytes(&row, E_DETAIL_HASH, entry->detail_hash, SCIM_HASH_SIZE);
		scim_audit_log_row_bytes(&row, E_DETAIL_SALT, salt, 16);
		scim_audit_log_row_text(&row, E_DETAIL, detail);
	}
	scim_audit_log_row_insert(&row);
}

bool
scim_audit_store_seal(Relation seals, const ScimSeal *seal, const uint8_t hash[SCIM_HASH_SIZE], bool may_be_taken)
{
	ScimAuditLogRow row;

	scim_audit_log_table_know(&seal_table, seals, seal_columns, S_COLUMNS);
	scim_audit_log_row_begin(&row, seals, &seal_table);
	scim_audit_log_row_datum(&row, S_CHAIN, Int32GetDatum(seal->chain));
	scim_audit_log_row_datum(&row, S_EVENTS, Int32GetDatum(seal->events));
	scim_audit_log_row_datum(&row, S_SEQ, Int64GetDatum(seal->seq));
	scim_audit_log_row_datum(&row, S_AT, TimestampTzGetDatum(scim_audit_timestamp(seal->at)));
	scim_audit_log_row_uuid(&row, S_TX_ID, seal->tx_id);
	scim_audit_log_row_bytes(&row, S_LAST_LEAF, seal->last_leaf, SCIM_HASH_SIZE);
	scim_audit_log_row_bytes(&row, S_CONFIG_HASH, seal->config_hash, SCIM_HASH_SIZE);
	scim_audit_log_row_bytes(&row, S_PREV_HASH, seal->prev_hash, SCIM_HASH_SIZE);
	scim_audit_log_row_bytes(&row, S_HASH, hash, SCIM_HASH_SIZE);
	if (may_be_taken)
		return scim_audit_log_row_insert_new(&row);
	scim_audit_log_row_insert(&row);
	return true;
}

void
scim_audit_store_row(Relation table, const Datum *values, const bool *nulls)
{
	ScimAuditLogRow row;
	int			natts = RelationGetDescr(table)->natts;

	scim_audit_log_row_begin(&row, table, NULL);
	memcpy(row.values, values, natts * sizeof(Datum));
	memcpy(row.nulls, nulls, natts * sizeof(bool));
	scim_audit_log_row_insert(&row);
}

/* The primary key's index, by which a chain, or a tile, is found. */
static Oid
primary_key(Relation table)
{
	list_free(RelationGetIndexList(table));
	if (!OidIsValid(table->rd_pkindex))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("table \"%s\" has no primary key", RelationGetRelationName(table))));
	return table->rd_pkindex;
}

/* Columns of scim_audit.tiles. */
static const char *const tile_columns[] = {"index", "level", "origin", "hashes"};
enum
{
	T_INDEX, T_LEVEL, T_ORIGIN, T_HASHES, T_COLUMNS
};

void
scim_audit_store_tile(Relation tiles, const char *origin, int32 level, int64 tile_index,
					  const uint8_t *hashes, int n)
{
	Relation	index = index_open(primary_key(tiles), AccessShareLock);
	const AttrNumber *attno = tile_table.attno;
	ScimAuditLogRow row;
	ScanKeyData keys[3];
	SysScanDesc scan;
	HeapTuple	old;

	scim_audit_log_table_know(&tile_table, tiles, tile_columns, T_COLUMNS);
	scim_audit_log_row_begin(&row, tiles, &tile_table);
	scim_audit_log_row_datum(&row, T_INDEX, Int64GetDatum(tile_index));
	scim_audit_log_row_datum(&row, T_LEVEL, Int32GetDatum(level));
	scim_audit_log_row_datum(&row, T_ORIGIN, CStringGetTextDatum(origin));
	scim_audit_log_row_bytes(&row, T_HASHES, hashes, n * SCIM_HASH_SIZE);
	ScanKeyEntryInitialize(&keys[0], 0, attno[T_ORIGIN], BTEqualStrategyNumber, InvalidOid, C_COLLATION_OID,
						   F_TEXTEQ, row.values[attno[T_ORIGIN] - 1]);
	ScanKeyInit(&keys[1], attno[T_LEVEL], BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(level));
	ScanKeyInit(&keys[2], attno[T_INDEX], BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(tile_index));
	scan = systable_beginscan_ordered(tiles, index, SnapshotSelf, 3, keys);
	old = systable_getnext_ordered(scan, ForwardScanDirection);
	if (old != NULL)
	{
		HeapTuple	tuple = heap_form_tuple(RelationGetDescr(tiles), row.values, row.nulls);

		CatalogTupleUpdate(tiles, &old->t_self, tuple);
	}
	else
		scim_audit_log_row_insert(&row);
	systable_endscan_ordered(scan);
	index_close(index, AccessShareLock);
}

static void
read_head(Relation seals, HeapTuple tuple, ScimSeal *head, uint8_t hash[SCIM_HASH_SIZE])
{
	TupleDesc	desc = RelationGetDescr(seals);
	bool		isnull;
	bytea	   *stored;

	head->seq = DatumGetInt64(heap_getattr(tuple, seal_table.attno[S_SEQ], desc, &isnull));
	head->at = scim_audit_unix_micros(DatumGetTimestampTz(heap_getattr(tuple, seal_table.attno[S_AT],
																	   desc, &isnull)));
	stored = DatumGetByteaPP(heap_getattr(tuple, seal_table.attno[S_HASH], desc, &isnull));
	if (VARSIZE_ANY_EXHDR(stored) != SCIM_HASH_SIZE)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("hash of seal %lld in chain %d is not %d bytes long",
						(long long) head->seq, head->chain, SCIM_HASH_SIZE)));
	memcpy(hash, VARDATA_ANY(stored), SCIM_HASH_SIZE);
}

/*
 * The last seal of a chain from seq on; false when there is none.
 *
 * SnapshotSelf sees what is committed now and what this transaction wrote.
 * An MVCC snapshot would be stale (READ COMMITTED: taken before the wait for
 * the lock; REPEATABLE READ: taken at the start), and SERIALIZABLE would
 * remember the read and fail other writers.
 */
static bool
read_last(Relation seals, Relation index, int64 seq, ScimSeal *head, uint8_t hash[SCIM_HASH_SIZE])
{
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&keys[0], seal_table.attno[S_CHAIN], BTEqualStrategyNumber, F_INT4EQ,
				Int32GetDatum(head->chain));
	ScanKeyInit(&keys[1], seal_table.attno[S_SEQ], BTGreaterEqualStrategyNumber, F_INT8GE,
				Int64GetDatum(seq));
	scan = systable_beginscan_ordered(seals, index, SnapshotSelf, 2, keys);
	tuple = systable_getnext_ordered(scan, BackwardScanDirection);
	if (tuple != NULL)
		read_head(seals, tuple, head, hash);
	systable_endscan_ordered(scan);
	return tuple != NULL;
}

/*
 * A scan of the index collects all that matches on a page, some 200 seals, so
 * it begins at the last one seen in this chain.  That is only where to look:
 * what it finds is the last seal, whatever was added, and when what was seen
 * has been rolled back since, the whole chain is looked at.
 */
bool
scim_audit_store_head(Relation seals, int chain, ScimSeal *head, uint8_t hash[SCIM_HASH_SIZE])
{
	static int64 seen[SCIM_AUDIT_CHAINS_MAX];
		Relation	index = index_open(primary_key(seals), AccessShareLock);
	bool		found;

	scim_audit_log_table_know(&seal_table, seals, seal_columns, S_COLUMNS);
	head->chain = chain;
	found = read_last(seals, index, seen[chain], head, hash) ||
		(seen[chain] > 0 && read_last(seals, index, 0, head, hash));
	seen[chain] = found ? head->seq : 0;
	index_close(index, AccessShareLock);
	return found;
}

uint64
scim_audit_store_seals_version(void)
{
	return seals_version;
}

/* From the highest chain down: the last seal of those below the one before. */
int64_t
scim_audit_store_latest(Relation seals)
{
		Relation	index = index_open(primary_key(seals), AccessShareLock);
	int32		below = PG_INT32_MAX;
	int64_t		latest = 0;
	bool		found;

	scim_audit_log_table_know(&seal_table, seals, seal_columns, S_COLUMNS);
	do
	{
		ScanKeyData key;
		SysScanDesc scan;
		HeapTuple	tuple;
		bool		isnull;

		ScanKeyInit(&key, seal_table.attno[S_CHAIN], BTLessStrategyNumber, F_INT4LT, Int32GetDatum(below));
		scan = systable_beginscan_ordered(seals, index, SnapshotSelf, 1, &key);
		tuple = systable_getnext_ordered(scan, BackwardScanDirection);
		found = tuple != NULL;
		if (found)
		{
			TupleDesc	desc = RelationGetDescr(seals);
			Datum		at = heap_getattr(tuple, seal_table.attno[S_AT], desc, &isnull);

			below = DatumGetInt32(heap_getattr(tuple, seal_table.attno[S_CHAIN], desc, &isnull));
			latest = Max(latest, scim_audit_unix_micros(DatumGetTimestampTz(at)));
		}
		systable_endscan_ordered(scan);
	} while (found);
	index_close(index, AccessShareLock);
	return latest;
}

static bool
heap_has_rows(Oid oid)
{
	Relation	table = table_open(oid, AccessShareLock);
	TupleTableSlot *slot = table_slot_create(table, NULL);
	TableScanDesc scan = scim_audit_table_beginscan(table, SnapshotSelf);
	bool		found = table_scan_getnextslot(scan, ForwardScanDirection, slot);

	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	table_close(table, AccessShareLock);
	return found;
}

bool
scim_audit_store_has_rows(Oid table)
{
	List	   *tables = find_all_inheritors(table, AccessShareLock, NULL);
	ListCell   *cell;

	foreach(cell, tables)
	{
		Oid			oid = lfirst_oid(cell);

		if (get_rel_relkind(oid) != RELKIND_PARTITIONED_TABLE && heap_has_rows(oid))
			return true;
	}
	return false;
}
