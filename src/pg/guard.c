/*
 * guard.c
 *		What keeps the log from being changed or dropped by accident (see
 *		guard.h).
 *
 * scim_audit.guard() is a BEFORE trigger, for rows and for TRUNCATE, on the
 * log's tables; its one exception is a superuser who loads a dump.
 *
 * Dropping is refused by the object-access hook, which sees every object
 * that goes, whatever statement and cascade takes it.  The hook needs this
 * library in the session: the event trigger scim_audit_drop_guard is there to
 * load it before the first DROP.  Detaching a partition is refused by that
 * trigger itself: no hook sees DETACH … CONCURRENTLY before its first half is
 * committed.
 *
 * The same hook refuses to make triggers of our functions to all but their
 * owner: with arguments of one's own, one could write events about anybody.
 * The privilege to execute them cannot say that, for PostgreSQL wants it also of
 * the owner of an audited table who gives it a partition, where it clones
 * the triggers that track() made.
 */
#include "pg/compat.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/objectaccess.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_trigger.h"
#include "commands/event_trigger.h"
#include "commands/extension.h"
#include "commands/trigger.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "utils/acl.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "pg/event_store.h"
#include "pg/guard.h"
#include "pg/guc.h"

PG_FUNCTION_INFO_V1(scim_audit_guard);
PG_FUNCTION_INFO_V1(scim_audit_drop_guard);

static object_access_hook_type next_hook;

static const char *
operation(TriggerEvent event)
{
	if (TRIGGER_FIRED_BY_INSERT(event))
		return "INSERT";
	if (TRIGGER_FIRED_BY_UPDATE(event))
		return "UPDATE";
	if (TRIGGER_FIRED_BY_DELETE(event))
		return "DELETE";
	return "TRUNCATE";
}

/* scim_audit.guard() returns trigger */
Datum
scim_audit_guard(PG_FUNCTION_ARGS)
{
	TriggerData *data = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(data->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("scim_audit.guard() must be called as a BEFORE trigger")));
	if (TRIGGER_FIRED_BY_INSERT(data->tg_event) && scim_audit_restoring())
		return PointerGetDatum(data->tg_trigtuple);
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("cannot %s rows of the audit log", operation(data->tg_event)),
			 errdetail("Table \"%s\" is written by the extension only.",
					   RelationGetRelationName(data->tg_relation)),
			 TRIGGER_FIRED_BY_INSERT(data->tg_event) ?
			 errhint("To load a dump, run the restore as a superuser with PGOPTIONS='-c scim_audit.restore=on'.") : 0));
	PG_RETURN_NULL();
}

static bool
has_rows(Oid table)
{
	return OidIsValid(table) && scim_audit_store_has_rows(table);
}

/* Does the statement detach a partition of the log that holds events? */
static bool
detaches_events(const AlterTableStmt *statement)
{
	Oid			events = scim_audit_log_table("events");
	ListCell   *cell;

	if (!OidIsValid(events) || RangeVarGetRelid(statement->relation, NoLock, true) != events)
		return false;
	foreach(cell, statement->cmds)
	{
		const AlterTableCmd *command = lfirst(cell);

		if (command->subtype == AT_DetachPartition &&
			has_rows(RangeVarGetRelid(castNode(PartitionCmd, command->def)->name, NoLock, true)))
			return true;
	}
	return false;
}

/*
 * scim_audit.drop_guard() returns event_trigger: before a DROP, calling it has
 * loaded the library; before an ALTER TABLE it looks for a DETACH.
 */
Datum
scim_audit_drop_guard(PG_FUNCTION_ARGS)
{
	EventTriggerData *data = (EventTriggerData *) fcinfo->context;

	if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("scim_audit.drop_guard() must be called as an event trigger")));
	if (!scim_audit_allow_drop && IsA(data->parsetree, AlterTableStmt) &&
		detaches_events((AlterTableStmt *) data->parsetree))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("cannot detach a partition of the audit log while it holds events"),
				 errdetail("verify() would find its events missing."),
				 errhint("Export it first; a superuser can then set scim_audit.allow_drop.")));
	PG_RETURN_VOID();
}

/* Does the log hold anything?  Each table is asked before it goes, so one of the two tells. */
static bool
log_has_rows(void)
{
	return has_rows(scim_audit_log_table("events")) || has_rows(scim_audit_log_table("seals"));
}

/* Would the log go with this object? */
static bool
takes_the_log(Oid class, Oid object)
{
	Oid			events;

	if (class == ExtensionRelationId)
		return object == get_extension_oid("scim_audit", true) && log_has_rows();
	if (class == NamespaceRelationId)
		return object == get_namespace_oid("scim_audit", true) && log_has_rows();
	if (class != RelationRelationId)
		return false;
	events = scim_audit_log_table("events");
	if (!OidIsValid(events))
		return false;
	if (object == events || object == scim_audit_log_table("seals"))
		return log_has_rows();
	return get_rel_relispartition(object) &&
		get_partition_parent(object, true) == events && has_rows(object);
}

static void
guard_drop(Oid class, Oid object)
{
	if (!scim_audit_allow_drop && takes_the_log(class, object))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("cannot drop the audit log while it holds events"),
				 errhint("Export it first; a superuser can then set scim_audit.allow_drop.")));
}

static bool
is_ours(Oid function)
{
	Oid			schema = get_func_namespace(function);

	return OidIsValid(schema) &&
		(schema == get_namespace_oid("scim_audit", true) || schema == get_namespace_oid("scim", true));
}

/* The trigger has just been made, or replaced: not yet visible to other snapshots. */
static void
guard_trigger(Oid trigger)
{
	Relation	catalog = table_open(TriggerRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_trigger_oid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(trigger));
	scan = systable_beginscan(catalog, TriggerOidIndexId, true, SnapshotSelf, 1, &key);
	if (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_trigger form = (Form_pg_trigger) GETSTRUCT(tuple);

		if (!OidIsValid(form->tgparentid) && is_ours(form->tgfoid) && !scim_audit_owns_function(form->tgfoid))
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("permission denied for function %s", get_func_name(form->tgfoid)),
					 errhint("scim_audit.track() puts a table under audit.")));
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
}

static void
guard_access(ObjectAccessType access, Oid class, Oid object, int sub_id, void *arg)
{
	if (next_hook)
		next_hook(access, class, object, sub_id, arg);
	if (access == OAT_DROP && sub_id == 0)
		guard_drop(class, object);
	else if (access == OAT_POST_CREATE && class == TriggerRelationId)
		guard_trigger(object);
}

void
scim_audit_guard_init(void)
{
	next_hook = object_access_hook;
	object_access_hook = guard_access;
}
