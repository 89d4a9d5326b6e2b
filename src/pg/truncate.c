/*
 * truncate.c
 *		The TRUNCATE trigger: what becomes of a table's rows all at once.
 *
 * One event for each tenant that has rows, so that each tenant's auditor
 * learns of it; the rows themselves are not in the log again.  For this the
 * trigger has to fire BEFORE the rows are gone.  After them, or where the
 * table has no rows, it is one event without a tenant.
 *
 * TRUNCATE fires the triggers of the table it names and of all its
 * partitions, the table first.  A partition that is truncated by itself does
 * not end the history of the whole table, so each of its rows becomes the
 * event of a deletion; one that goes with its table is passed over.
 */
#include "pg/compat.h"

#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "pg/guc.h"
#include "pg/log.h"
#include "pg/owner.h"
#include "pg/tracked.h"
#include "pg/trigger.h"

PG_FUNCTION_INFO_V1(scim_audit_record_truncate);

/* Partitioned tables that the command at hand truncates. */
static struct
{
	TransactionId transaction;
	CommandId	command;
	List	   *tables;
}			truncated;

static void
check_call(FunctionCallInfo fcinfo)
{
	TriggerEvent event = CALLED_AS_TRIGGER(fcinfo) ? ((TriggerData *) fcinfo->context)->tg_event : 0;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BY_TRUNCATE(event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("scim_audit.record_truncate() must be called as a trigger of TRUNCATE")));
}

/* Forget the tables of another command. */
static void
expire_truncated(void)
{
	TransactionId transaction = GetTopTransactionId();
	CommandId	command = GetCurrentCommandId(false);

	if (truncated.transaction == transaction && truncated.command == command)
		return;
	list_free(truncated.tables);
	truncated.tables = NIL;
	truncated.transaction = transaction;
	truncated.command = command;
}

static void
note_truncated(Oid table)
{
	MemoryContext caller = MemoryContextSwitchTo(TopMemoryContext);

	expire_truncated();
	truncated.tables = list_append_unique_oid(truncated.tables, table);
	MemoryContextSwitchTo(caller);
}

/* Does the table go with one that it is a partition of? */
static bool
goes_with_parent(Oid table)
{
	ListCell   *cell;

	expire_truncated();
	foreach(cell, get_partition_ancestors(table))
	{
		if (list_member_oid(truncated.tables, lfirst_oid(cell)))
			return true;
	}
	return false;
}

/* The tenants of all rows, as a list of text, NULL for none; read as the table's owner. */
static List *
distinct_tenants(Relation relation, const char *column)
{
	MemoryContext caller = CurrentMemoryContext;
	ScimAuditUser user = scim_audit_become(RelationGetForm(relation)->relowner);
	int			nest_level = scim_audit_pin_settings();
	List	   *tenants = NIL;

	PushActiveSnapshot(GetLatestSnapshot());
	SPI_connect();
	if (SPI_execute(psprintf("SELECT DISTINCT r.%s::text FROM %s%s r", quote_identifier(column),
							 RelationGetForm(relation)->relkind == RELKIND_PARTITIONED_TABLE ? "" : "ONLY ",
							 quote_qualified_identifier(get_namespace_name(RelationGetNamespace(relation)),
														RelationGetRelationName(relation))),
					true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read the tenants of a table");
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		char	   *tenant = SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1);
		MemoryContext spi = MemoryContextSwitchTo(caller);

		tenants = lappend(tenants, tenant != NULL ? pstrdup(tenant) : NULL);
		MemoryContextSwitchTo(spi);
	}
	SPI_finish();
	PopActiveSnapshot();
	scim_audit_unpin_settings(nest_level);
	scim_audit_become_again(user);
	return tenants;
}

static int
compare_tenants(const ListCell *a, const ListCell *b)
{
	const char *x = lfirst(a);
	const char *y = lfirst(b);

	if (x == NULL || y == NULL)
		return (x != NULL) - (y != NULL);
	return strcmp(x, y);
}

static void
record_table(Relation relation, const Trigger *trigger)
{
	const ScimAuditTable *table = scim_audit_tracked(relation, trigger);
	char	   *event_type = psprintf("%.*struncate", (int) table->event_prefix.len, table->event_prefix.ptr);
	char	   *resource_type = pnstrdup(table->resource_type.ptr, table->resource_type.len);
	List	   *tenants = NIL;
	ListCell   *cell;

	/* Reading rows may free the table's configuration. */
	if (table->tenant >= 0)
		tenants = distinct_tenants(relation, NameStr(TupleDescAttr(RelationGetDescr(relation), table->tenant)->attname));
	if (tenants == NIL)
		tenants = list_make1(NULL);
	list_sort(tenants, compare_tenants);
	foreach(cell, tenants)
		scim_audit_log_simple("change", "truncate", event_type, lfirst(cell), resource_type, NULL, SCIM_STR_NONE);
}

/* An event for each row of one partition that has rows of its own. */
static void
record_rows(Relation relation)
{
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	TableScanDesc scan = scim_audit_table_beginscan(relation, snapshot);
	TupleTableSlot *slot = table_slot_create(relation, NULL);
	const Trigger *trigger;

	while (table_scan_getnextslot(scan, ForwardScanDirection, slot) &&
		   (trigger = scim_audit_row_trigger(relation)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		scim_audit_write_delete(scim_audit_tracked(relation, trigger), slot);
	}
	ExecDropSingleTupleTableSlot(slot);
	table_endscan(scan);
	UnregisterSnapshot(snapshot);
}

static void
record_partition(Oid partition)
{
	ListCell   *cell;

	if (goes_with_parent(partition))
		return;
	foreach(cell, find_all_inheritors(partition, AccessShareLock, NULL))
	{
		Relation	relation = table_open(lfirst_oid(cell), NoLock);

		if (RelationGetForm(relation)->relkind == RELKIND_RELATION)
			record_rows(relation);
		table_close(relation, NoLock);
	}
}

/* scim_audit.record_truncate() returns trigger */
Datum
scim_audit_record_truncate(PG_FUNCTION_ARGS)
{
	TriggerData *data = (TriggerData *) fcinfo->context;
	const Trigger *row_trigger;

	check_call(fcinfo);
	if (scim_audit_restoring())
		return PointerGetDatum(NULL);
	row_trigger = scim_audit_row_trigger(data->tg_relation);
	if (row_trigger != NULL && row_trigger->tgisclone)
		record_partition(RelationGetRelid(data->tg_relation));
	else
		record_table(data->tg_relation, data->tg_trigger);
	if (RelationGetForm(data->tg_relation)->relkind == RELKIND_PARTITIONED_TABLE)
		note_truncated(RelationGetRelid(data->tg_relation));
	return PointerGetDatum(NULL);
}
