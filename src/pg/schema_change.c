/*
 * schema_change.c
 *		The audit follows DDL on audited tables (see schema_change.h).
 *
 * scim_audit.schema_change() is three event triggers.  Before a command that
 * may concern a table, tables of which nothing is known yet are taken down;
 * while it runs, the tables that it rewrites are noted; after it, the work is
 * done by scim_audit.follow_schema() (extension/46_schema_changes.sql), which
 * compares all audited tables that it may have reached with what is known of
 * them.  So it does not matter by which path - inheritance, a type, a schema, a
 * cascade - a command reached a table.
 *
 * A command inside another one, in an expression that the outer evaluates,
 * is left to the outer: in between, tables are half changed.
 *
 * Nothing is done while the extension itself is made or updated, a dump
 * restored or a cluster upgraded: a dump has what was recorded before.
 */
#include "pg/compat.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tupdesc_details.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/event_trigger.h"
#include "commands/extension.h"
#include "commands/trigger.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "storage/lock.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "pg/event_store.h"
#include "pg/guc.h"
#include "pg/schema_change.h"
#include "pg/track.h"
#include "pg/tracked.h"

PG_FUNCTION_INFO_V1(scim_audit_schema_change);
PG_FUNCTION_INFO_V1(scim_audit_set_trigger_arguments);
PG_FUNCTION_INFO_V1(scim_audit_fire_always);
PG_FUNCTION_INFO_V1(scim_audit_missing_values);
PG_FUNCTION_INFO_V1(scim_audit_has_locked);

#define TRIGGER_VALUES 2		/* columns that update_trigger() can change at once */

/* A command that has begun and not ended. */
typedef struct Command
{
	struct Command *outer;
	int			nesting;		/* GetCurrentTransactionNestLevel() */
} Command;

/* A table that a command has rewritten. */
typedef struct Rewrite
{
	struct Rewrite *next;
	Oid			table;
	int			reason;			/* AT_REWRITE_… */
} Rewrite;

/* Both in TopTransactionContext. */
static Command *commands;
static Rewrite *rewrites;

static void
at_transaction_event(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE)
	{
		commands = NULL;
		rewrites = NULL;
	}
}

/* Commands that failed inside the subtransaction do not end. */
static void
at_subtransaction_event(SubXactEvent event, SubTransactionId id, SubTransactionId parent, void *arg)
{
	if (event != SUBXACT_EVENT_ABORT_SUB)
		return;
	while (commands != NULL && commands->nesting >= GetCurrentTransactionNestLevel())
		commands = commands->outer;
	if (commands == NULL)
		rewrites = NULL;
}

void
scim_audit_schema_change_init(void)
{
	RegisterXactCallback(at_transaction_event, NULL);
	RegisterSubXactCallback(at_subtransaction_event, NULL);
}

/* Can the command change what an audited table is? */
static bool
concerns_tables(const EventTriggerData *data)
{
	const char *tag = GetCommandTagName(data->tag);

	switch (data->tag)
	{
		case CMDTAG_ALTER_TABLE:
		case CMDTAG_ALTER_INDEX:	/* ALTER INDEX … RENAME takes a table, too */
		case CMDTAG_ALTER_SCHEMA:
		case CMDTAG_ALTER_TYPE:
		case CMDTAG_ALTER_DOMAIN:
		case CMDTAG_ALTER_TRIGGER:
		case CMDTAG_CREATE_TRIGGER:
			return true;
		case CMDTAG_CREATE_TABLE:
			return IsA(data->parsetree, CreateStmt) && ((CreateStmt *) data->parsetree)->partbound != NULL;
		case CMDTAG_ALTER_EXTENSION:
			/* SET SCHEMA moves its tables; what else it does is commands of their own. */
			return IsA(data->parsetree, AlterObjectSchemaStmt);
		case CMDTAG_CREATE_VIEW:
			/* A column may have its row type. */
			return castNode(ViewStmt, data->parsetree)->replace;
		case CMDTAG_CREATE_FOREIGN_TABLE:
			return castNode(CreateForeignTableStmt, data->parsetree)->base.partbound != NULL;
		case CMDTAG_DROP_INDEX:
			/* May run concurrently, and then must be the first in its transaction. */
			return false;
		default:
			/* Columns go with what they depend on: types, functions, collations, … */
			return strncmp(tag, "DROP ", 5) == 0;
	}
}

static bool
is_silent(void)
{
	return scim_audit_tracking || IsBinaryUpgrade || scim_audit_restoring() ||
		(creating_extension && CurrentExtensionObject == get_extension_oid("scim_audit", true)) ||
		!OidIsValid(scim_audit_log_table("table_shapes"));
}

static void
begin_command(void)
{
	Command    *command = MemoryContextAlloc(TopTransactionContext, sizeof(Command));

	if (commands == NULL)
		scim_audit_run_as_log_owner("SELECT scim_audit.remember_shapes()", 0, NULL, NULL, NULL);
	command->outer = commands;
	command->nesting = GetCurrentTransactionNestLevel();
	commands = command;
}

/* pg_event_trigger_table_rewrite_oid() or _reason(): of the rewrite that is about to happen. */
static int32
rewrite_property(Oid function)
{
	return DatumGetInt32(OidFunctionCall0(function));
}

static void
note_rewrite(void)
{
	Rewrite    *rewrite = MemoryContextAlloc(TopTransactionContext, sizeof(Rewrite));

	rewrite->table = (Oid) rewrite_property(F_PG_EVENT_TRIGGER_TABLE_REWRITE_OID);
	rewrite->reason = rewrite_property(F_PG_EVENT_TRIGGER_TABLE_REWRITE_REASON);
	rewrite->next = rewrites;
	rewrites = rewrite;
}

/* ALTER TABLE … ALTER COLUMN … TYPE … USING: values are what the expression makes of them. */
static bool
converts(const Node *statement)
{
	ListCell   *cell;

	if (!IsA(statement, AlterTableStmt))
		return false;
	foreach(cell, ((const AlterTableStmt *) statement)->cmds)
	{
		const AlterTableCmd *command = lfirst(cell);

		if (command->subtype == AT_AlterColumnType && castNode(ColumnDef, command->def)->raw_default != NULL)
			return true;
	}
	return false;
}

static void
end_command(const EventTriggerData *data)
{
	Oid			types[4] = {TEXTOID, OIDARRAYOID, INT4ARRAYOID, BOOLOID};
	Datum		values[4];
	Datum	   *tables;
	Datum	   *reasons;
	int			n = 0;

	if (commands != NULL && commands->outer != NULL)
	{
		commands = commands->outer;
		return;
	}
	for (Rewrite *rewrite = rewrites; rewrite != NULL; rewrite = rewrite->next)
		n++;
	tables = palloc((n + 1) * sizeof(Datum));
	reasons = palloc((n + 1) * sizeof(Datum));
	n = 0;
	for (Rewrite *rewrite = rewrites; rewrite != NULL; rewrite = rewrite->next)
	{
		tables[n] = ObjectIdGetDatum(rewrite->table);
		reasons[n++] = Int32GetDatum(rewrite->reason);
	}
	rewrites = NULL;
	values[0] = CStringGetTextDatum(GetCommandTagName(data->tag));
	values[1] = PointerGetDatum(construct_array(tables, n, OIDOID, sizeof(Oid), true, TYPALIGN_INT));
	values[2] = PointerGetDatum(construct_array(reasons, n, INT4OID, sizeof(int32), true, TYPALIGN_INT));
	values[3] = BoolGetDatum(converts(data->parsetree));
	/* Still inside the command: its events may need a partition, and that is made by DDL. */
	scim_audit_run_as_log_owner("SELECT scim_audit.follow_schema($1, $2, $3, $4)", 4, types, values, NULL);
	commands = NULL;
}

/* scim_audit.schema_change() RETURNS event_trigger */
Datum
scim_audit_schema_change(PG_FUNCTION_ARGS)
{
	EventTriggerData *data = (EventTriggerData *) fcinfo->context;

	if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_EVENT_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("scim_audit.schema_change() must be called as an event trigger")));
	if (is_silent() || !concerns_tables(data))
		PG_RETURN_VOID();
	if (strcmp(data->event, "ddl_command_start") == 0)
		begin_command();
	else if (strcmp(data->event, "table_rewrite") == 0)
		note_rewrite();
	else
		end_command(data);
	PG_RETURN_VOID();
}

/*
 * scim_audit.has_locked(tbl oid) RETURNS boolean: does this transaction hold a
 * lock on the table such as every ALTER TABLE takes?
 */
Datum
scim_audit_has_locked(PG_FUNCTION_ARGS)
{
	LOCKTAG		tag;

	SET_LOCKTAG_RELATION(tag, MyDatabaseId, PG_GETARG_OID(0));
	for (LOCKMODE mode = ShareUpdateExclusiveLock; mode <= AccessExclusiveLock; mode++)
	{
		if (scim_audit_lock_held(&tag, mode))
			PG_RETURN_BOOL(true);
	}
	PG_RETURN_BOOL(false);
}

/* Arguments as pg_trigger keeps them: one behind the other, each with a NUL. */
static bytea *
packed_arguments(ArrayType *arguments, int *count)
{
	Datum	   *values;
	StringInfoData packed;

	deconstruct_array(arguments, TEXTOID, -1, false, TYPALIGN_INT, &values, NULL, count);
	initStringInfo(&packed);
	for (int i = 0; i < *count; i++)
	{
		char	   *value = TextDatumGetCString(values[i]);

		appendBinaryStringInfo(&packed, value, (int) strlen(value) + 1);
	}
	return (bytea *) cstring_to_text_with_len(packed.data, packed.len);
}

/* InvalidOid when there is no such trigger. */
static Oid
table_of_trigger(Relation triggers, Oid trigger)
{
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	Oid			table = InvalidOid;

	ScanKeyInit(&key, Anum_pg_trigger_oid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(trigger));
	scan = systable_beginscan(triggers, TriggerOidIndexId, true, NULL, 1, &key);
	if (HeapTupleIsValid(tuple = systable_getnext(scan)))
		table = ((Form_pg_trigger) GETSTRUCT(tuple))->tgrelid;
	systable_endscan(scan);
	return table;
}

/*
 * Give the trigger, and those cloned from it, other values.  In place, as
 * ALTER TRIGGER … RENAME does: DROP TRIGGER refuses while changes of
 * the table are waiting for deferred triggers, and ALTER TABLE reads the
 * partition keys (track.c).
 */
static void
update_trigger(Relation triggers, Oid trigger, int n, int *columns, Datum *values)
{
	Oid			table = table_of_trigger(triggers, trigger);
	List	   *tables = OidIsValid(table) ? find_all_inheritors(table, NoLock, NULL) : NIL;
	List	   *known = list_make1_oid(trigger);
	bool		nulls[TRIGGER_VALUES] = {false};
	ListCell   *cell;

	/* A table comes before its partitions, so what a trigger was cloned from is known. */
	foreach(cell, tables)
	{
		ScanKeyData key;
		SysScanDesc scan;
		HeapTuple	tuple;

		ScanKeyInit(&key, Anum_pg_trigger_tgrelid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(lfirst_oid(cell)));
		scan = systable_beginscan(triggers, TriggerRelidNameIndexId, true, NULL, 1, &key);
		while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		{
			Form_pg_trigger form = (Form_pg_trigger) GETSTRUCT(tuple);

			if (form->oid != trigger && !list_member_oid(known, form->tgparentid))
				continue;
			known = lappend_oid(known, form->oid);
			CatalogTupleUpdate(triggers, &tuple->t_self,
							   heap_modify_tuple_by_cols(tuple, RelationGetDescr(triggers), n, columns, values, nulls));
			CacheInvalidateRelcacheByRelid(form->tgrelid);
		}
		systable_endscan(scan);
	}
}

/* scim_audit.set_trigger_arguments(trigger oid, arguments text[]) RETURNS void */
Datum
scim_audit_set_trigger_arguments(PG_FUNCTION_ARGS)
{
	Relation	triggers = table_open(TriggerRelationId, RowExclusiveLock);
	int			count;
	bytea	   *packed = packed_arguments(PG_GETARG_ARRAYTYPE_P(1), &count);
	int			columns[TRIGGER_VALUES] = {Anum_pg_trigger_tgnargs, Anum_pg_trigger_tgargs};
	Datum		values[TRIGGER_VALUES] = {Int16GetDatum((int16) count), PointerGetDatum(packed)};

	update_trigger(triggers, PG_GETARG_OID(0), TRIGGER_VALUES, columns, values);
	table_close(triggers, RowExclusiveLock);
	CommandCounterIncrement();
	PG_RETURN_VOID();
}

/* scim_audit.fire_always(trigger oid) RETURNS void: as ALTER TABLE … ENABLE ALWAYS TRIGGER */
Datum
scim_audit_fire_always(PG_FUNCTION_ARGS)
{
	Relation	triggers = table_open(TriggerRelationId, RowExclusiveLock);
	int			columns[] = {Anum_pg_trigger_tgenabled};
	Datum		values[] = {CharGetDatum(TRIGGER_FIRES_ALWAYS)};

	update_trigger(triggers, PG_GETARG_OID(0), 1, columns, values);
	table_close(triggers, RowExclusiveLock);
	CommandCounterIncrement();
	PG_RETURN_VOID();
}

/* Is the name one of these texts? */
static bool
is_among(const char *name, Datum *names, int n)
{
	for (int i = 0; i < n; i++)
	{
		if (strcmp(name, TextDatumGetCString(names[i])) == 0)
			return true;
	}
	return false;
}

/*
 * scim_audit.missing_values(tbl regclass, columns text[]) RETURNS text: a row
 * that was stored before a column was added with a constant default does not
 * have it; the catalog says what it is taken to have.
 */
Datum
scim_audit_missing_values(PG_FUNCTION_ARGS)
{
	Relation	relation = table_open(PG_GETARG_OID(0), AccessShareLock);
	TupleDesc	desc = RelationGetDescr(relation);
	const Trigger *trigger = scim_audit_row_trigger(relation);
	Datum	   *values = palloc0(desc->natts * sizeof(Datum));
	bool	   *nulls = palloc(desc->natts * sizeof(bool));
	bool		any = false;
	Datum	   *names;
	int			n_names;
	StringInfoData out;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), TEXTOID, -1, false, TYPALIGN_INT, &names, NULL, &n_names);
	for (int i = 0; i < desc->natts; i++)
	{
		nulls[i] = true;
		if (!TupleDescAttr(desc, i)->attisdropped &&
			is_among(NameStr(TupleDescAttr(desc, i)->attname), names, n_names))
			values[i] = getmissingattr(desc, i + 1, &nulls[i]);
		any |= !nulls[i];
	}
	initStringInfo(&out);
	if (any && trigger != NULL)
	{
		const ScimAuditTable *table = scim_audit_tracked(relation, trigger);
		int			nest_level = scim_audit_pin_settings();

		scim_audit_row_json(&out, table, values, nulls, NULL);
		scim_audit_unpin_settings(nest_level);
	}
	table_close(relation, AccessShareLock);
	if (out.len == 0)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}
