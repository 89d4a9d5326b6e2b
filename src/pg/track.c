/*
 * track.c
 *		scim_audit.track() and untrack(): who may call them, and what the SQL
 *		that does the work (extension/45_track.sql) cannot do itself.
 *
 * A table's owner may put it under audit and take it out; either is an event.
 * The triggers are made as the extension's owner, because nobody else may
 * attach the functions that write the log.
 */
#include "pg/compat.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/partcache.h"
#include "utils/rel.h"

#include "pg/event_store.h"
#include "pg/log.h"
#include "pg/owner.h"
#include "pg/track.h"

#define TRACK_ARGUMENTS 7

PG_FUNCTION_INFO_V1(scim_audit_track);
PG_FUNCTION_INFO_V1(scim_audit_untrack);
PG_FUNCTION_INFO_V1(scim_audit_track_resource);
PG_FUNCTION_INFO_V1(scim_audit_untrack_resource);
PG_FUNCTION_INFO_V1(scim_audit_log_event);
PG_FUNCTION_INFO_V1(scim_audit_trigger_arguments);
PG_FUNCTION_INFO_V1(scim_audit_create_trigger);

bool		scim_audit_tracking = false;

static void
check_owner(Oid table)
{
	if (!scim_audit_owns_table(table))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE, get_rel_name(table));
}

void
scim_audit_run_as_log_owner(const char *query, int nargs, Oid *types, Datum *values, const char *nulls)
{
	Relation	events = table_open(scim_audit_events_oid(), AccessShareLock);
	Oid			user;
	int			security;

	GetUserIdAndSecContext(&user, &security);
	SetUserIdAndSecContext(events->rd_rel->relowner, security | SECURITY_LOCAL_USERID_CHANGE);
	table_close(events, NoLock);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (SPI_execute_with_args(query, nargs, types, values, nulls, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not run %s", query);
	SPI_finish();
	SetUserIdAndSecContext(user, security);
}

/* Changes of triggers in between are not DDL to follow: these functions record what they do. */
static void
run_tracking(const char *query, int nargs, Oid *types, Datum *values, const char *nulls)
{
	scim_audit_tracking = true;
	PG_TRY();
	{
		scim_audit_run_as_log_owner(query, nargs, types, values, nulls);
	}
	PG_FINALLY();
	{
		scim_audit_tracking = false;
	}
	PG_END_TRY();
}

/*
 * scim_audit.track(tbl regclass, tenant_column name, key_columns name[], exclude name[],
 *		redact name[], personal_key boolean, baseline boolean) RETURNS void
 */
Datum
scim_audit_track(PG_FUNCTION_ARGS)
{
	Oid			types[TRACK_ARGUMENTS] = {REGCLASSOID, NAMEOID, NAMEARRAYOID, NAMEARRAYOID, NAMEARRAYOID, BOOLOID, BOOLOID};
	Datum		values[TRACK_ARGUMENTS];
	char		nulls[TRACK_ARGUMENTS];
	int			i;

	for (i = 0; i < TRACK_ARGUMENTS; i++)
	{
		values[i] = PG_ARGISNULL(i) ? (Datum) 0 : PG_GETARG_DATUM(i);
		nulls[i] = PG_ARGISNULL(i) ? 'n' : ' ';
	}
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the table to audit must not be null")));
	check_owner(PG_GETARG_OID(0));
	run_tracking("SELECT scim_audit.install_tracking($1, $2, $3, $4, $5, $6, $7)",
					 TRACK_ARGUMENTS, types, values, nulls);
	PG_RETURN_VOID();
}

/* scim_audit.untrack(tbl regclass) RETURNS void */
Datum
scim_audit_untrack(PG_FUNCTION_ARGS)
{
	Oid			types[1] = {REGCLASSOID};
	Datum		values[1] = {PG_GETARG_DATUM(0)};

	check_owner(PG_GETARG_OID(0));
	run_tracking("SELECT scim_audit.remove_tracking($1)", 1, types, values, NULL);
	PG_RETURN_VOID();
}

/*
 * scim_audit.track_resource(tbl regclass, resource text, tenant_column name, key_column name,
 *		exclude name[], redact name[], baseline boolean) RETURNS void
 */
Datum
scim_audit_track_resource(PG_FUNCTION_ARGS)
{
	Oid			types[TRACK_ARGUMENTS] = {REGCLASSOID, TEXTOID, NAMEOID, NAMEOID, NAMEARRAYOID, NAMEARRAYOID, BOOLOID};
	Datum		values[TRACK_ARGUMENTS];
	int			i;

	for (i = 0; i < TRACK_ARGUMENTS; i++)
		values[i] = PG_GETARG_DATUM(i);
	run_tracking("SELECT scim_audit.install_tracking($1, $3, ARRAY[$4], $5, $6, false, $7, $2)",
				 TRACK_ARGUMENTS, types, values, NULL);
	PG_RETURN_VOID();
}

/* scim_audit.untrack_resource(tbl regclass) RETURNS void */
Datum
scim_audit_untrack_resource(PG_FUNCTION_ARGS)
{
	Oid			types[1] = {REGCLASSOID};
	Datum		values[1] = {PG_GETARG_DATUM(0)};

	run_tracking("SELECT scim_audit.remove_tracking($1, true)", 1, types, values, NULL);
	PG_RETURN_VOID();
}

static const char *
text_argument(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(n));
}

/*
 * scim_audit.log_event(category text, action text, event_type text, tenant text,
 *		resource_type text, resource_id text, detail json) RETURNS void
 */
Datum
scim_audit_log_event(PG_FUNCTION_ARGS)
{
	ScimStr		detail = SCIM_STR_NONE;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("category, action and event_type must not be null")));
	if (!PG_ARGISNULL(6))
	{
		struct varlena *json = PG_GETARG_VARLENA_PP(6);

		detail = (ScimStr) {VARDATA_ANY(json), VARSIZE_ANY_EXHDR(json)};
		if (detail.len < 2 || detail.ptr[0] != '{' || detail.ptr[detail.len - 1] != '}')
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("detail must be an object without spaces around it")));
	}
	scim_audit_log_simple(text_argument(fcinfo, 0), text_argument(fcinfo, 1), text_argument(fcinfo, 2),
						  text_argument(fcinfo, 3), text_argument(fcinfo, 4), text_argument(fcinfo, 5), detail);
	PG_RETURN_VOID();
}

/* The arguments of a trigger: tgnargs strings, each with a NUL behind, in a bytea. */
static ArrayType *
arguments_array(HeapTuple tuple, TupleDesc desc)
{
	int			count = ((Form_pg_trigger) GETSTRUCT(tuple))->tgnargs;
	Datum	   *values = palloc(Max(count, 1) * sizeof(Datum));
	bool		isnull;
	bytea	   *bytes = DatumGetByteaPP(heap_getattr(tuple, Anum_pg_trigger_tgargs, desc, &isnull));
	const char *next = VARDATA_ANY(bytes);
	int			i;

	for (i = 0; i < count; i++)
	{
		values[i] = CStringGetTextDatum(next);
		next += strlen(next) + 1;
	}
	return construct_array(values, count, TEXTOID, -1, false, TYPALIGN_INT);
}

/* scim_audit.trigger_arguments(trigger oid) RETURNS text[] */
Datum
scim_audit_trigger_arguments(PG_FUNCTION_ARGS)
{
	Relation	triggers = table_open(TriggerRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	ArrayType  *arguments = NULL;

	ScanKeyInit(&key, Anum_pg_trigger_oid, BTEqualStrategyNumber, F_OIDEQ, PG_GETARG_DATUM(0));
	scan = systable_beginscan(triggers, TriggerOidIndexId, true, NULL, 1, &key);
	if (HeapTupleIsValid(tuple = systable_getnext(scan)))
		arguments = arguments_array(tuple, RelationGetDescr(triggers));
	systable_endscan(scan);
	table_close(triggers, AccessShareLock);
	if (arguments == NULL)
		PG_RETURN_NULL();
	PG_RETURN_ARRAYTYPE_P(arguments);
}

/*
 * Open the partitioned tables of a tree, and have each one's key in the
 * relation cache.  Whoever first reads a key evaluates what is constant in its
 * expressions, so each is read as the table's owner; while the table is open,
 * it stays.  find_all_inheritors() leaves the top to its caller: it gets the
 * lock that CREATE TRIGGER takes.
 */
static List *
open_partitioned(Oid top)
{
	List	   *relations = NIL;
	ListCell   *cell;

	LockRelationOid(top, ShareRowExclusiveLock);
	foreach(cell, find_all_inheritors(top, AccessShareLock, NULL))
	{
		Relation	relation;
		ScimAuditUser user;

		if (get_rel_relkind(lfirst_oid(cell)) != RELKIND_PARTITIONED_TABLE)
			continue;
		relation = table_open(lfirst_oid(cell), NoLock);
		user = scim_audit_become(RelationGetForm(relation)->relowner);
		(void) RelationGetPartitionKey(relation);
		scim_audit_become_again(user);
		relations = lappend(relations, relation);
	}
	return relations;
}

/*
 * scim_audit.create_trigger(tbl regclass, command text) RETURNS void: run CREATE
 * TRIGGER on a table that is not ours, without running anything of its owner's
 */
Datum
scim_audit_create_trigger(PG_FUNCTION_ARGS)
{
	List	   *relations = open_partitioned(PG_GETARG_OID(0));
	ListCell   *cell;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (SPI_execute(text_to_cstring(PG_GETARG_TEXT_PP(1)), false, 0) != SPI_OK_UTILITY)
		elog(ERROR, "could not make a trigger");
	SPI_finish();
	foreach(cell, relations)
		table_close(lfirst(cell), NoLock);
	PG_RETURN_VOID();
}
