/*
 * config_hash.c
 *		A digest of what is audited, for the seals (see config_hash.h).
 *
 * Triggers are found through their dependency on our functions, so the cost
 * is by the number of tracked tables, not of tables.  Any change of a
 * relation, function or event trigger throws the digest away: such changes
 * are rare next to commits, and finding out which of them matter would need
 * catalog reads where none are allowed.
 */
#include "pg/compat.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_event_trigger.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/proclang.h"
#include "commands/trigger.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "pg/config_hash.h"
#include "pg/event_store.h"
#include "pg/hash.h"
#include "pg/json_text.h"

static const char *const functions[] = {"guard", "record_change", "record_truncate"};

/* The digest, and the count of invalidations when its making began. */
static uint8_t digest[SCIM_HASH_SIZE];
static uint64 digest_made_at;
static uint64 invalidations = 1;

static void
forget_relation(Datum arg, Oid relid)
{
	invalidations++;
}

static void
forget_object(Datum arg, int cacheid, uint32 hashvalue)
{
	invalidations++;
}

void
scim_audit_config_hash_init(void)
{
	CacheRegisterRelcacheCallback(forget_relation, (Datum) 0);
	CacheRegisterSyscacheCallback(PROCOID, forget_object, (Datum) 0);
	CacheRegisterSyscacheCallback(EVENTTRIGGEROID, forget_object, (Datum) 0);
}

static void
append_string(StringInfo out, const char *text)
{
	scim_audit_json_string(out, text, strlen(text));
}

/* Column of a catalog row as text; empty when null. */
static char *
text_column(int cache, HeapTuple tuple, AttrNumber attno)
{
	bool		isnull;
	Datum		value = SysCacheGetAttr(cache, tuple, attno, &isnull);

	return isnull ? pstrdup("") : TextDatumGetCString(value);
}

/* Our trigger function of that name, InvalidOid when it is not there. */
static Oid
function_oid(const char *name)
{
	oidvector  *no_arguments = buildoidvector(NULL, 0);
	Oid			schema = get_namespace_oid("scim_audit", true);

	return GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid, CStringGetDatum(name),
						   PointerGetDatum(no_arguments), ObjectIdGetDatum(schema));
}

/* Each setting of the function's own as a string. */
static void
append_settings(StringInfo line, HeapTuple tuple)
{
	bool		isnull;
	Datum		settings = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_proconfig, &isnull);
	Datum	   *values;
	int			n;

	deconstruct_array(DatumGetArrayTypeP(settings), TEXTOID, -1, false, TYPALIGN_INT, &values, NULL, &n);
	for (int i = 0; i < n; i++)
	{
		appendStringInfoChar(line, ',');
		append_string(line, TextDatumGetCString(values[i]));
	}
}

static List *
function_line(List *lines, const char *name, Oid oid)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(oid));
	StringInfoData line;

	if (!HeapTupleIsValid(tuple))
		return lines;
	initStringInfo(&line);
	appendStringInfo(&line, "function %s [", name);
	append_string(&line, get_language_name(((Form_pg_proc) GETSTRUCT(tuple))->prolang, false));
	appendStringInfoChar(&line, ',');
	append_string(&line, text_column(PROCOID, tuple, Anum_pg_proc_probin));
	appendStringInfoChar(&line, ',');
	append_string(&line, text_column(PROCOID, tuple, Anum_pg_proc_prosrc));
	/* ALTER FUNCTION … SET could silence it. */
	if (!heap_attisnull(tuple, Anum_pg_proc_proconfig, NULL))
		append_settings(&line, tuple);
	appendStringInfoChar(&line, ']');
	ReleaseSysCache(tuple);
	return lappend(lines, line.data);
}

/* tgenabled of a trigger, or '\0' when it is gone. */
static char
trigger_state(Oid oid)
{
	Relation	catalog = table_open(TriggerRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	char		state;

	ScanKeyInit(&key, Anum_pg_trigger_oid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(oid));
	scan = systable_beginscan(catalog, TriggerOidIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	state = HeapTupleIsValid(tuple) ? ((Form_pg_trigger) GETSTRUCT(tuple))->tgenabled : '\0';
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return state;
}

/* Has the table a trigger of TRUNCATE that calls the function?  Found without opening the table. */
static bool
has_truncate_trigger(Oid table, Oid function)
{
	Relation	catalog = table_open(TriggerRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		found = false;

	ScanKeyInit(&key, Anum_pg_trigger_tgrelid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(table));
	scan = systable_beginscan(catalog, TriggerRelidNameIndexId, true, NULL, 1, &key);
	while (!found && HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_trigger trigger = (Form_pg_trigger) GETSTRUCT(tuple);

		found = trigger->tgfoid == function && TRIGGER_FOR_TRUNCATE(trigger->tgtype);
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return found;
}

/* Is it as its partition's parent has it, or as every partition of such a table has it? */
static bool
unremarkable(Form_pg_trigger trigger)
{
	if (OidIsValid(trigger->tgparentid))
		return trigger_state(trigger->tgparentid) == trigger->tgenabled;
	return TRIGGER_FOR_TRUNCATE(trigger->tgtype) && trigger->tgenabled == TRIGGER_FIRES_ALWAYS &&
		get_rel_relispartition(trigger->tgrelid) &&
		has_truncate_trigger(llast_oid(get_partition_ancestors(trigger->tgrelid)), trigger->tgfoid);
}

/* tgargs holds the arguments one after the other, each ended by a zero byte. */
static void
append_arguments(StringInfo line, Relation catalog, HeapTuple tuple)
{
	bool		isnull;
	Datum		value = heap_getattr(tuple, Anum_pg_trigger_tgargs, RelationGetDescr(catalog), &isnull);
	int			n = ((Form_pg_trigger) GETSTRUCT(tuple))->tgnargs;
	const char *arg;

	if (isnull)
		return;
	arg = VARDATA_ANY(DatumGetByteaPP(value));
	for (int i = 0; i < n; i++)
	{
		appendStringInfoChar(line, ',');
		append_string(line, arg);
		arg += strlen(arg) + 1;
	}
}

/* What keeps the trigger from firing each time: a condition, columns of UPDATE OF. */
static void
append_conditions(StringInfo line, Relation catalog, HeapTuple tuple)
{
	Form_pg_trigger trigger = (Form_pg_trigger) GETSTRUCT(tuple);
	bool		isnull;
	Datum		condition = heap_getattr(tuple, Anum_pg_trigger_tgqual, RelationGetDescr(catalog), &isnull);

	for (int i = 0; i < trigger->tgattr.dim1; i++)
		appendStringInfo(line, ",%d", trigger->tgattr.values[i]);
	if (isnull)
		return;
	appendStringInfoString(line, ",WHEN ");
	append_string(line, TextDatumGetCString(condition));
}

static List *
unguarded_line(List *lines, Oid table)
{
	const char *name = get_rel_name(table);
	StringInfoData line;

	if (name == NULL)
		return lines;
	initStringInfo(&line);
	appendStringInfoString(&line, "unguarded [");
	append_string(&line, get_namespace_name(get_rel_namespace(table)));
	appendStringInfoChar(&line, ',');
	append_string(&line, name);
	appendStringInfoChar(&line, ']');
	return lappend(lines, line.data);
}

/* Lines for the partitions without what the table at the top has. */
static List *
unguarded_lines(List *lines, Oid table, Oid function)
{
	ListCell   *cell;

	foreach(cell, find_all_inheritors(table, NoLock, NULL))
	{
		if (lfirst_oid(cell) != table && !has_truncate_trigger(lfirst_oid(cell), function))
			lines = unguarded_line(lines, lfirst_oid(cell));
	}
	return lines;
}

static List *
trigger_line(List *lines, const char *function, Oid oid)
{
	Relation	catalog = table_open(TriggerRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_trigger_oid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(oid));
	scan = systable_beginscan(catalog, TriggerOidIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple) && !unremarkable((Form_pg_trigger) GETSTRUCT(tuple)))
	{
		Form_pg_trigger trigger = (Form_pg_trigger) GETSTRUCT(tuple);
		StringInfoData line;

		initStringInfo(&line);
		appendStringInfoString(&line, "trigger [");
		append_string(&line, get_namespace_name(get_rel_namespace(trigger->tgrelid)));
		appendStringInfoChar(&line, ',');
		append_string(&line, get_rel_name(trigger->tgrelid));
		appendStringInfoChar(&line, ',');
		append_string(&line, NameStr(trigger->tgname));
		appendStringInfoChar(&line, ',');
		append_string(&line, function);
		appendStringInfo(&line, ",\"%c\",%d", trigger->tgenabled, trigger->tgtype);
		append_arguments(&line, catalog, tuple);
		append_conditions(&line, catalog, tuple);
		appendStringInfoChar(&line, ']');
		lines = lappend(lines, line.data);
		if (TRIGGER_FOR_TRUNCATE(trigger->tgtype) && get_rel_relkind(trigger->tgrelid) == RELKIND_PARTITIONED_TABLE &&
			!get_rel_relispartition(trigger->tgrelid))
			lines = unguarded_lines(lines, trigger->tgrelid, trigger->tgfoid);
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return lines;
}

/* A line for every trigger that depends on the function. */
static List *
trigger_lines(List *lines, const char *name, Oid function)
{
	Relation	catalog = table_open(DependRelationId, AccessShareLock);
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&keys[0], Anum_pg_depend_refclassid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(ProcedureRelationId));
	ScanKeyInit(&keys[1], Anum_pg_depend_refobjid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(function));
	scan = systable_beginscan(catalog, DependReferenceIndexId, true, NULL, 2, keys);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_depend depend = (Form_pg_depend) GETSTRUCT(tuple);

		if (depend->classid == TriggerRelationId)
			lines = trigger_line(lines, name, depend->objid);
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return lines;
}

static List *
event_trigger_line(List *lines, const char *name)
{
	HeapTuple	tuple = SearchSysCache1(EVENTTRIGGERNAME, CStringGetDatum(name));

	if (!HeapTupleIsValid(tuple))
		return lines;
	lines = lappend(lines, psprintf("event_trigger %s \"%c\"", name,
									((Form_pg_event_trigger) GETSTRUCT(tuple))->evtenabled));
	ReleaseSysCache(tuple);
	return lines;
}

static int
compare_lines(const ListCell *a, const ListCell *b)
{
	return strcmp(lfirst(a), lfirst(b));
}

List *
scim_audit_config_table_lines(Oid table)
{
	Relation	catalog = table_open(TriggerRelationId, AccessShareLock);
	List	   *lines = NIL;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_trigger_tgrelid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(table));
	scan = systable_beginscan(catalog, TriggerRelidNameIndexId, true, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_trigger trigger = (Form_pg_trigger) GETSTRUCT(tuple);

		for (int i = 0; i < lengthof(functions); i++)
		{
			if (trigger->tgfoid == function_oid(functions[i]))
				lines = trigger_line(lines, functions[i], trigger->oid);
		}
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return lines;
}

char *
scim_audit_config_text(void)
{
	List	   *lines = NIL;
	StringInfoData text;
	ListCell   *cell;

	for (int i = 0; i < lengthof(functions); i++)
	{
		Oid			oid = function_oid(functions[i]);

		lines = function_line(lines, functions[i], oid);
		lines = trigger_lines(lines, functions[i], oid);
	}
	lines = event_trigger_line(lines, "scim_audit_drop_guard");
	lines = event_trigger_line(lines, "scim_audit_partition_guard");
	lines = event_trigger_line(lines, "scim_audit_schema_start");
	lines = event_trigger_line(lines, "scim_audit_schema_rewrite");
	lines = event_trigger_line(lines, "scim_audit_schema_end");
	list_sort(lines, compare_lines);

	initStringInfo(&text);
	foreach(cell, lines)
		appendStringInfo(&text, "%s\n", (char *) lfirst(cell));
	return text.data;
}

uint64
scim_audit_config_hash(uint8_t out[SCIM_HASH_SIZE])
{
	AcceptInvalidationMessages();
	if (digest_made_at != invalidations)
	{
		MemoryContext caller = CurrentMemoryContext;
		MemoryContext work = AllocSetContextCreate(caller, "audit configuration",
												   ALLOCSET_DEFAULT_SIZES);
		uint64		began_at = invalidations;
		ScimStr		text;

		MemoryContextSwitchTo(work);
		text.ptr = scim_audit_config_text();
		text.len = strlen(text.ptr);
		scim_audit_sha256(&text, 1, digest);
		MemoryContextSwitchTo(caller);
		MemoryContextDelete(work);

		/* What came in meanwhile makes the next transaction look again. */
		digest_made_at = began_at;
	}
	memcpy(out, digest, SCIM_HASH_SIZE);
	return digest_made_at;
}
