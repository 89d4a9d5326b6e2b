/*
 * log_row.c
 *		Rows into the tables of the log, without SQL (see log_row.h).
 *
 * Rows are inserted as the system catalogs' are, so a write costs no parser,
 * no plan and no partition routing, and runs in the middle of a commit.  What
 * an insertion needs to know of the indexes is kept between transactions.
 * That holds for plain B-trees, which is all that the log has of its own; a
 * table on which a DBA has put a partial index, one on an expression, or one
 * of another kind, is written by the executor's index insertion.
 */
#include "pg/compat.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/index.h"
#include "catalog/indexing.h"
#include "catalog/pg_am.h"
#include "executor/executor.h"
#include "nodes/execnodes.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "pg/log_row.h"

typedef struct TableIndex
{
	Oid			oid;
	bool		unique;
	IndexInfo  *info;
} TableIndex;

struct ScimAuditIndexes
{
	MemoryContext context;
	bool		valid;			/* else: made anew before it is used again */
	bool		plain;			/* heap and B-trees: what follows is all it takes */
	bool		settled;		/* none is being built */
	int			n;
	TableIndex	index[FLEXIBLE_ARRAY_MEMBER];
};

void
scim_audit_log_table_know(ScimAuditLogTable *known, Relation table, const char *const *names, int n)
{
	if (known->oid == RelationGetRelid(table))
		return;
	Assert(n <= SCIM_AUDIT_LOG_COLUMNS_MAX);
	for (int i = 0; i < n; i++)
	{
		known->attno[i] = get_attnum(RelationGetRelid(table), names[i]);
		if (known->attno[i] == InvalidAttrNumber)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("column \"%s\" of table \"%s\" does not exist",
							names[i], RelationGetRelationName(table))));
	}
	if (known->indexes != NULL)
		known->indexes->valid = false;
	known->oid = RelationGetRelid(table);
}

void
scim_audit_log_table_forget(ScimAuditLogTable *known, Oid relid)
{
	if (relid != InvalidOid && relid != known->oid)
		return;
	known->oid = InvalidOid;
	if (known->indexes != NULL)
		known->indexes->valid = false;
}

static bool
is_plain(Relation index, const IndexInfo *info)
{
	return index->rd_rel->relam == BTREE_AM_OID && info->ii_Expressions == NIL &&
		info->ii_Predicate == NIL && info->ii_ExclusionOps == NULL && index->rd_index->indimmediate;
}

/* All of it in the current memory context. */
static ScimAuditIndexes *
look_at_indexes(Relation table)
{
	List	   *oids = RelationGetIndexList(table);
	ScimAuditIndexes *indexes = palloc0(offsetof(ScimAuditIndexes, index) + list_length(oids) * sizeof(TableIndex));
	ListCell   *cell;

	indexes->context = CurrentMemoryContext;
	indexes->plain = table->rd_rel->relam == HEAP_TABLE_AM_OID;
	indexes->settled = true;
	foreach(cell, oids)
	{
		Relation	relation = index_open(lfirst_oid(cell), RowExclusiveLock);
		TableIndex *index = &indexes->index[indexes->n];

		index->oid = lfirst_oid(cell);
		index->unique = relation->rd_index->indisunique;
		index->info = BuildIndexInfo(relation);
		indexes->plain &= is_plain(relation, index->info);

		if (index->info->ii_ReadyForInserts)
			indexes->n++;
		else
			indexes->settled = false;
		index_close(relation, NoLock);
	}
	return indexes;
}

/*
 * The indexes of a table, looked at once.  What was known and is not valid any
 * more may have been in use when it became so; it is freed here.  An index
 * that is being built will want rows from some moment on: until then each row
 * looks anew, rather than trust that moment to invalidate the table.
 */
static const ScimAuditIndexes *
indexes_of(ScimAuditLogTable *known, Relation table)
{
	MemoryContext context;
	MemoryContext caller;
	ScimAuditIndexes *indexes;

	if (known->indexes != NULL && known->indexes->valid)
		return known->indexes;
	if (known->indexes != NULL)
		MemoryContextDelete(known->indexes->context);
	known->indexes = NULL;

	/* Under the caller's context, so that an error frees it, until it is complete. */
	context = AllocSetContextCreate(CurrentMemoryContext, "indexes of the audit log", ALLOCSET_SMALL_SIZES);
	caller = MemoryContextSwitchTo(context);
	indexes = look_at_indexes(table);
	MemoryContextSwitchTo(caller);
	MemoryContextSetParent(context, CacheMemoryContext);
	indexes->valid = indexes->settled;
	known->indexes = indexes;
	return indexes;
}

void
scim_audit_log_row_begin(ScimAuditLogRow *row, Relation table, ScimAuditLogTable *known)
{
	int			natts = RelationGetDescr(table)->natts;

	row->table = table;
	row->known = known;
	row->values = palloc(natts * sizeof(Datum));
	row->nulls = palloc(natts * sizeof(bool));
	row->used = 0;
	memset(row->nulls, true, natts * sizeof(bool));
}

void
scim_audit_log_row_datum(ScimAuditLogRow *row, int column, Datum value)
{
	int			i = row->known->attno[column] - 1;

	row->values[i] = value;
	row->nulls[i] = false;
}

/* With the short header that it will have in the table where it is short, and so in no need of alignment. */
void
scim_audit_log_row_text(ScimAuditLogRow *row, int column, ScimStr value)
{
	size_t		size = value.len + VARHDRSZ_SHORT;
	char	   *text;

	if (value.ptr == NULL)
		return;
	if (size > VARATT_SHORT_MAX || size > sizeof(row->space) - row->used)
	{
		size = value.len + VARHDRSZ;
		text = palloc(size);
		SET_VARSIZE(text, size);
	}
	else
	{
		text = row->space + row->used;
		row->used += size;
		SET_VARSIZE_SHORT(text, size);
	}
	memcpy(VARDATA_ANY(text), value.ptr, value.len);
	scim_audit_log_row_datum(row, column, PointerGetDatum(text));
}

void
scim_audit_log_row_bytes(ScimAuditLogRow *row, int column, const uint8_t *bytes, size_t len)
{
	scim_audit_log_row_text(row, column, (ScimStr) {(const char *) bytes, len});
}

void
scim_audit_log_row_uuid(ScimAuditLogRow *row, int column, const uint8_t uuid[16])
{
	scim_audit_log_row_datum(row, column, PointerGetDatum(uuid));
}

/* A row into one index; false: a unique one that is checked only in part may have it already. */
static bool
insert_into(const TableIndex *index, ScimAuditLogRow *row, ItemPointer place, bool in_part)
{
	Relation	relation = index_open(index->oid, RowExclusiveLock);
	IndexUniqueCheck check = !index->unique ? UNIQUE_CHECK_NO : in_part ? UNIQUE_CHECK_PARTIAL : UNIQUE_CHECK_YES;
	Datum		values[INDEX_MAX_KEYS];
	bool		nulls[INDEX_MAX_KEYS];
	bool		is_new;

	for (int i = 0; i < index->info->ii_NumIndexAttrs; i++)
	{
		int			column = index->info->ii_IndexAttrNumbers[i] - 1;

		values[i] = row->nulls[column] ? (Datum) 0 : row->values[column];
		nulls[i] = row->nulls[column];
	}
	is_new = index_insert(relation, values, nulls, place, row->table, check, false, index->info);

	/* The lock stays, so that the next row of the transaction finds it held. */
	index_close(relation, NoLock);
	return is_new || check != UNIQUE_CHECK_PARTIAL;
}

static bool
insert_plain(ScimAuditLogRow *row, const ScimAuditIndexes *indexes, bool in_part)
{
	HeapTuple	tuple = heap_form_tuple(RelationGetDescr(row->table), row->values, row->nulls);
	bool		is_new = true;

	heap_insert(row->table, tuple, GetCurrentCommandId(true), 0, NULL);
	for (int i = 0; i < indexes->n; i++)
		is_new &= insert_into(&indexes->index[i], row, &tuple->t_self, in_part);
	if (!is_new)
	{
		/* What this command has inserted, only the next one sees. */
		CommandCounterIncrement();
		simple_heap_delete(row->table, &tuple->t_self);
	}
	heap_freetuple(tuple);
	return is_new;
}

static void
insert_by_executor(ScimAuditLogRow *row)
{
	EState	   *estate = CreateExecutorState();
	CatalogIndexState indexes = CatalogOpenIndexes(row->table);
	TupleTableSlot *slot = table_slot_create(row->table, NULL);
	int			natts = RelationGetDescr(row->table)->natts;

	ExecClearTuple(slot);
	memcpy(slot->tts_values, row->values, natts * sizeof(Datum));
	memcpy(slot->tts_isnull, row->nulls, natts * sizeof(bool));
	ExecStoreVirtualTuple(slot);
	table_tuple_insert(row->table, slot, GetCurrentCommandId(true), 0, NULL);
	scim_audit_insert_index_tuples(indexes, slot, estate);
	CatalogCloseIndexes(indexes);
	FreeExecutorState(estate);
	ExecDropSingleTupleTableSlot(slot);
}

void
scim_audit_log_row_insert(ScimAuditLogRow *row)
{
	const ScimAuditIndexes *indexes = row->known != NULL ? indexes_of(row->known, row->table) : NULL;

	if (indexes != NULL && indexes->plain)
		(void) insert_plain(row, indexes, false);
	else
		insert_by_executor(row);
}

bool
scim_audit_log_row_insert_new(ScimAuditLogRow *row)
{
	const ScimAuditIndexes *indexes = indexes_of(row->known, row->table);

	return indexes->plain && insert_plain(row, indexes, true);
}
