/*
 * row_states.c
 *		scim_audit.row_states(): the rows of an audited table, for baselines,
 *		for partitions that come and go, and for verify(); their sum, for the
 *		latter's quick way.
 *
 * Those run as the owner of the log, mostly a superuser, and the table is
 * somebody else's: PostgreSQL's planner evaluates what it finds constant in
 * the expressions of a table's indexes, statistics and partition keys, as
 * whoever runs the query.  So no query ever reads the table; it is scanned
 * here, leaf by leaf, and nothing that its owner wrote is called.
 */
#include "pg/compat.h"

#include "access/table.h"
#include "access/tableam.h"
#include "access/tupconvert.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "executor/tuptable.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "pg/log.h"
#include "pg/tracked.h"
#include "pg/verify.h"
#include "pg/verify_sum.h"

PG_FUNCTION_INFO_V1(scim_audit_row_states);

/* A scan over the leaves of a table; leaf is NULL between two of them. */
typedef struct Reading
{
	ExprContext *context;		/* ends it; NULL: the caller does */
	MemoryContext memory;		/* lives as long as this */
	Relation	table;
	Snapshot	snapshot;
	List	   *leaves;
	int			next;			/* index into leaves */
	Relation	leaf;
	TableScanDesc scan;
	TupleTableSlot *slot;		/* a row as the leaf has it */
	TupleConversionMap *map;	/* to the columns of table; NULL: they are the same */
	TupleTableSlot *row;		/* a row as table would have it, with map */
} Reading;

/* What has rows of its own. */
static List *
leaves_of(Oid table)
{
	List	   *leaves = NIL;
	ListCell   *cell;

	if (get_rel_relkind(table) != RELKIND_PARTITIONED_TABLE)
		return list_make1_oid(table);
	foreach(cell, find_all_inheritors(table, AccessShareLock, NULL))
		if (get_rel_relkind(lfirst_oid(cell)) == RELKIND_RELATION)
			leaves = lappend_oid(leaves, lfirst_oid(cell));
	return leaves;
}

static void
end_leaf(Reading *reading)
{
	table_endscan(reading->scan);
	ExecDropSingleTupleTableSlot(reading->slot);
	if (reading->map != NULL)
		free_conversion_map(reading->map);
	table_close(reading->leaf, NoLock);
	reading->leaf = NULL;
}

static void
begin_leaf(Reading *reading, Oid oid)
{
	MemoryContext caller = MemoryContextSwitchTo(reading->memory);

	reading->leaf = table_open(oid, AccessShareLock);
	if (RelationGetForm(reading->leaf)->relkind != RELKIND_RELATION)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a table of this database", RelationGetRelationName(reading->leaf))));
	reading->scan = scim_audit_table_beginscan(reading->leaf, reading->snapshot);
	reading->slot = table_slot_create(reading->leaf, NULL);
	reading->map = convert_tuples_by_name(RelationGetDescr(reading->leaf), RelationGetDescr(reading->table));
	MemoryContextSwitchTo(caller);
}

/* Also when the query wants no more rows; an error releases all of this by itself. */
static void
end_reading(Datum argument)
{
	Reading    *reading = (Reading *) DatumGetPointer(argument);

	if (reading->leaf != NULL)
		end_leaf(reading);
	ExecDropSingleTupleTableSlot(reading->row);
	UnregisterSnapshot(reading->snapshot);
	table_close(reading->table, NoLock);
}

static Reading *
begin_reading(ExprContext *context, MemoryContext memory, Oid table, Oid part)
{
	MemoryContext caller = MemoryContextSwitchTo(memory);
	Reading    *reading = palloc0(sizeof(Reading));

	reading->context = context;
	reading->memory = memory;
	reading->table = table_open(table, AccessShareLock);
	reading->leaves = leaves_of(part);
	reading->snapshot = RegisterSnapshot(GetActiveSnapshot());
	reading->row = MakeSingleTupleTableSlot(RelationGetDescr(reading->table), &TTSOpsVirtual);
	if (context != NULL)
		RegisterExprContextCallback(context, end_reading, PointerGetDatum(reading));
	MemoryContextSwitchTo(caller);
	return reading;
}

/* The next row as the table would have it; NULL when there is none. */
static TupleTableSlot *
next_row(Reading *reading)
{
	for (;;)
	{
		if (reading->leaf == NULL)
		{
			if (reading->next == list_length(reading->leaves))
				return NULL;
			begin_leaf(reading, list_nth_oid(reading->leaves, reading->next++));
		}
		if (table_scan_getnextslot(reading->scan, ForwardScanDirection, reading->slot))
			return reading->map == NULL ? reading->slot :
				execute_attr_map_slot(reading->map->attrMap, reading->slot, reading->row);
		end_leaf(reading);
	}
}

static Datum
text_datum(ScimStr text)
{
	return PointerGetDatum(cstring_to_text_with_len(text.ptr, (int) text.len));
}

/* The row's resource_id and tenant as an event would have them, and {"new": its values}. */
static void
fill_state(const ScimAuditTable *table, const Datum *values, const bool *nulls,
		   Datum state[3], bool absent[3])
{
	ScimStr		key = scim_audit_row_key(table, values, nulls);
	StringInfoData detail;

	absent[0] = key.ptr == NULL;
	scim_audit_cap_resource_id(&key);
	if (!absent[0])
		state[0] = text_datum(key);
	absent[1] = table->tenant < 0 || nulls[table->tenant];
	if (!absent[1])
		state[1] = text_datum(scim_audit_value_text(table->columns[table->tenant].type, values[table->tenant]));
	absent[2] = false;
	initStringInfo(&detail);
	appendStringInfoChar(&detail, '{');
	scim_audit_append_plain_key(&detail, "key", table, values, nulls);
	appendStringInfoString(&detail, "\"new\":");
	scim_audit_row_json(&detail, table, values, nulls, NULL);
	appendStringInfoChar(&detail, '}');
	state[2] = PointerGetDatum(cstring_to_text_with_len(detail.data, detail.len));
}

/* How a table is audited whose rows are read. */
static const ScimAuditTable *
audited(Relation relation)
{
	const Trigger *trigger = scim_audit_row_trigger(relation);

	if (trigger == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("\"%s\" is not an audited table", RelationGetRelationName(relation))));
	return scim_audit_tracked(relation, trigger);
}

static Datum
row_state(Relation relation, TupleTableSlot *row)
{
	const ScimAuditTable *table = audited(relation);
	int			nest_level = 0;
	Datum		state[3];
	bool		absent[3];
	int			dims[1] = {3};
	int			lower[1] = {1};

	slot_getallattrs(row);
	if (table->pinned)
		nest_level = scim_audit_pin_settings();
	fill_state(table, row->tts_values, row->tts_isnull, state, absent);
	if (table->pinned)
		scim_audit_unpin_settings(nest_level);
	return PointerGetDatum(construct_md_array(state, absent, 1, dims, lower, TEXTOID, -1, false, TYPALIGN_INT));
}

/*
 * scim_audit.row_states(tbl regclass, part regclass) RETURNS SETOF text[]:
 * resource_id, tenant and detail, as the event of its insertion into tbl would
 * have them, of each row of part, which is tbl or has its columns.  Under the
 * snapshot of the query.
 */
Datum
scim_audit_row_states(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	FuncCallContext *call;
	Reading    *reading;
	TupleTableSlot *row;

	if (SRF_IS_FIRSTCALL())
	{
		call = SRF_FIRSTCALL_INIT();
		call->user_fctx = begin_reading(result->econtext, call->multi_call_memory_ctx,
										PG_GETARG_OID(0), PG_GETARG_OID(1));
	}
	call = SRF_PERCALL_SETUP();
	reading = call->user_fctx;
	row = next_row(reading);
	if (row != NULL)
		SRF_RETURN_NEXT(call, row_state(reading->table, row));
	UnregisterExprContextCallback(reading->context, end_reading, PointerGetDatum(reading));
	end_reading(PointerGetDatum(reading));
	SRF_RETURN_DONE(call);
}

/* The values of a row, under a key of its own. */
static uint64
sum_row(const ScimAuditTable *table, const Datum *values, const bool *nulls, uint64 key)
{
	ScimStr		id = scim_audit_row_key(table, values, nulls);
	StringInfoData member;
	uint64		sum = 0;

	scim_audit_cap_resource_id(&id);
	if (scim_audit_is_seeded(table->resource_type, id))
		return 0;
	key = scim_audit_row_number_key(id, key);
	initStringInfo(&member);
	for (int i = 0; i < table->n_columns; i++)
	{
		const ScimAuditColumn *column = &table->columns[i];
		int			name = (int) column->member.len;

		if (column->excluded || nulls[i])
			continue;
		resetStringInfo(&member);
		scim_audit_column_json(&member, column, values[i]);
		if (member.len - name != 4 || memcmp(member.data + name, "null", 4) != 0)
			sum += scim_audit_number((ScimStr) {member.data, member.len}, key);
	}
	return sum;
}

uint64
scim_audit_sum_rows(Oid table, uint64 key)
{
	MemoryContext row_context = AllocSetContextCreate(CurrentMemoryContext, "scim_audit row", ALLOCSET_DEFAULT_SIZES);
	Reading    *reading = begin_reading(NULL, CurrentMemoryContext, table, table);
	MemoryContext caller = MemoryContextSwitchTo(row_context);
	const ScimAuditTable *audit = audited(reading->table);
	int			nest_level = audit->pinned ? scim_audit_pin_settings() : 0;
	TupleTableSlot *row;
	uint64		sum = 0;

	while ((row = next_row(reading)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		slot_getallattrs(row);
		sum += sum_row(audit, row->tts_values, row->tts_isnull, key);
		MemoryContextReset(row_context);

		/* To digest a personal key may have read a table; what else is done here runs no SQL. */
		if (audit->personal)
			audit = audited(reading->table);
	}
	if (nest_level > 0)
		scim_audit_unpin_settings(nest_level);
	MemoryContextSwitchTo(caller);
	end_reading(PointerGetDatum(reading));
	MemoryContextDelete(row_context);
	return sum;
}
