/*
 * resource_triggers.c
 *		Triggers of the SCIM tables: versions and times, whoever writes.
 *
 * If-Match compares versions, so a row must not change without a new one,
 * also by plain SQL.  The rules:
 *	- INSERT: version 1, created and last_modified now; of a deleted user who
 *	  comes back, the next version, created when it was.
 *	- UPDATE that changes another column: version + 1, last_modified now.
 *	- UPDATE that sets version to version + 1 and changes nothing else is a
 *	  touch, for what is kept in another table: last_modified now.
 *	- Any other UPDATE leaves version and times as they were.
 *	- id and tenant never change.
 *	- A jsonb column holds an array, but "extensions" and "secrets" an object:
 *	  else a read would stumble over it.
 * A table of an application (scim.bind_table) has names of its own for these
 * columns, in the trigger's arguments.  There a new row may bring its version and
 * times, its tenant is the application's affair, and so are its jsonb columns.
 * While a superuser restores a dump, rows pass as they are, references unchecked.  Under
 * session_replication_role = replica the rows come from another server, with
 * versions and times that its clients know: these are kept where they go
 * forward, and a change still never leaves the version as it was.  The tenant
 * need not be there yet, for tables are copied in any order.
 *
 * Locks: who changes the members of a group holds the group's row (FOR NO KEY
 * UPDATE) and then takes the members' rows (FOR KEY SHARE, by the foreign
 * keys).  A delete goes the other way, from the member to its groups by the
 * cascade, so it locks the groups beforehand, by id.
 */
#include "pg/compat.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "replication/logicalworker.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/guc.h"
#include "utils/jsonb.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "pg/guc.h"
#include "pg/deleted_users.h"
#include "pg/owner.h"
#include "pg/plan_cache.h"
#include "pg/resource_triggers.h"
#include "pg/tenant.h"

PG_FUNCTION_INFO_V1(scim_audit_admit_restored);
PG_FUNCTION_INFO_V1(scim_audit_keep_version);
PG_FUNCTION_INFO_V1(scim_audit_members_changed);

bool		scim_audit_members_quiet = false;

/* Where the columns stand that the rules are about. */
typedef struct Columns
{
	bool		bound;			/* of a table of an application */
	bool		members;		/* whose resources can be members of groups */
	int			id,
				tenant,
				version,
				created,
				last_modified,
				deleted;		/* 0: none */
} Columns;

/*
 * The column that the trigger's arguments name, or else the one of that name.  Those of
 * an application's table are "type=User" or another, then name=column each.
 */
static int
find_column(const Trigger *trigger, TupleDesc desc, const char *name)
{
	size_t		len = strlen(name);
	int			i;

	for (i = 0; i < trigger->tgnargs; i++)
		if (strncmp(trigger->tgargs[i], name, len) == 0 && trigger->tgargs[i][len] == '=')
			return SPI_fnumber(desc, trigger->tgargs[i] + len + 1);
	return trigger->tgnargs == 0 ? SPI_fnumber(desc, name) : 0;
}

static Columns
find_columns(const Trigger *trigger, TupleDesc desc)
{
	Columns		c;

	c.bound = trigger->tgnargs > 0;
	c.members = c.bound && strcmp(trigger->tgargs[0], "type=User") == 0;
	c.id = find_column(trigger, desc, "id");
	c.tenant = find_column(trigger, desc, "tenant");
	c.version = find_column(trigger, desc, "version");
	c.created = find_column(trigger, desc, "created");
	c.last_modified = find_column(trigger, desc, "last_modified");
	c.deleted = c.bound ? find_column(trigger, desc, "deleted") : 0;
	if (c.id <= 0 || c.tenant <= 0 || c.version <= 0 || c.created <= 0 || c.last_modified <= 0 || c.deleted < 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("a table of SCIM resources lacks one of id, tenant, version, created, last_modified"),
				 errhint("scim.bind_table() says which columns of a table of an application they are.")));
	return c;
}

static Datum
column(HeapTuple tuple, int number, TupleDesc desc)
{
	bool		isnull;
	Datum		value = heap_getattr(tuple, number, desc, &isnull);

	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_NOT_NULL_VIOLATION),
				 errmsg("column \"%s\" of a SCIM resource must not be null",
						NameStr(TupleDescAttr(desc, number - 1)->attname))));
	return value;
}

/* The tuple with another version and other times. */
static HeapTuple
with_version(HeapTuple tuple, TupleDesc desc, const Columns *c, int64 version,
			 TimestampTz created, TimestampTz last_modified)
{
	int			numbers[3] = {c->version, c->created, c->last_modified};
	Datum		values[3];
	bool		nulls[3] = {false, false, false};

	values[0] = Int64GetDatum(version);
	values[1] = TimestampTzGetDatum(created);
	values[2] = TimestampTzGetDatum(last_modified);
	return heap_modify_tuple_by_cols(tuple, desc, 3, numbers, values, nulls);
}

/*
 * The tenant must exist.  Who sees only some tenants gets the answer that
 * row-level security would give, lest the error betray which others exist.
 */
static void
check_tenant(Relation rel, HeapTuple tuple, const Columns *c)
{
	char	   *tenant = TextDatumGetCString(column(tuple, c->tenant, RelationGetDescr(rel)));

	if (scim_audit_tenant_settings(tenant) != NULL)
		return;
	if (check_enable_rls(RelationGetRelid(rel), InvalidOid, true) == RLS_ENABLED)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("new row violates row-level security policy for table \"%s\"",
						RelationGetRelationName(rel))));
	ereport(ERROR,
			(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
			 errmsg("there is no tenant \"%s\"", tenant),
			 errhint("scim.create_tenant() makes one.")));
}

/* Does one column differ?  What is stored apart (TOAST) is compared by value. */
static bool
column_differs(HeapTuple old_tuple, HeapTuple new_tuple, TupleDesc desc, int number)
{
	Form_pg_attribute attribute = TupleDescAttr(desc, number - 1);
	bool		old_null;
	bool		new_null;
	Datum		old_value = heap_getattr(old_tuple, number, desc, &old_null);
	Datum		new_value = heap_getattr(new_tuple, number, desc, &new_null);

	if (old_null || new_null)
		return old_null != new_null;
	return !datum_image_eq(old_value, new_value, attribute->attbyval, attribute->attlen);
}

/* Does a column differ but for version and times? */
static bool
row_differs(HeapTuple old_tuple, HeapTuple new_tuple, TupleDesc desc, const Columns *c)
{
	int			i;

	for (i = 1; i <= desc->natts; i++)
	{
		if (i == c->version || i == c->created || i == c->last_modified ||
			TupleDescAttr(desc, i - 1)->attisdropped)
			continue;
		if (column_differs(old_tuple, new_tuple, desc, i))
			return true;
	}
	return false;
}

/* Each jsonb column an array, extensions and secrets an object. */
static void
check_json(HeapTuple tuple, TupleDesc desc)
{
	int			i;

	for (i = 1; i <= desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i - 1);
		bool		is_object = strcmp(NameStr(attribute->attname), "extensions") == 0 ||
			strcmp(NameStr(attribute->attname), "secrets") == 0;
		bool		isnull;
		Datum		value;
		Jsonb	   *json;

		if (attribute->attisdropped || attribute->atttypid != JSONBOID)
			continue;
		value = heap_getattr(tuple, i, desc, &isnull);
		if (isnull)
			continue;
		json = DatumGetJsonbP(value);
		if (is_object ? !JB_ROOT_IS_OBJECT(json) : !JB_ROOT_IS_ARRAY(json) || JB_ROOT_IS_SCALAR(json))
			ereport(ERROR,
					(errcode(ERRCODE_CHECK_VIOLATION),
					 errmsg("column \"%s\" of a SCIM resource must be a JSON %s",
							NameStr(attribute->attname), is_object ? "object" : "array")));
	}
}

static bool
is_replica(void)
{
	return SessionReplicationRole == SESSION_REPLICATION_ROLE_REPLICA;
}

/* The row's own time, or now when it has none. */
static TimestampTz
time_or_now(HeapTuple tuple, int number, TupleDesc desc, TimestampTz now)
{
	bool		isnull;
	TimestampTz time = DatumGetTimestampTz(heap_getattr(tuple, number, desc, &isnull));

	return isnull || TIMESTAMP_NOT_FINITE(time) ? now : time;
}

/* The row's own version, or 0 when it has none. */
static int64
version_or_zero(HeapTuple tuple, TupleDesc desc, const Columns *c)
{
	bool		isnull;
	int64		version = DatumGetInt64(heap_getattr(tuple, c->version, desc, &isnull));

	return isnull ? 0 : version;
}

/* Run a statement of ours about a resource, $1 its tenant and $2 its id, as the owner of scim.groups. */
static void
run_for_resource(HeapTuple tuple, TupleDesc desc, const Columns *c, const char *text, int expected)
{
	static const Oid types[2] = {TEXTOID, UUIDOID};
	Datum		values[2];
	ScimAuditUser user;

	values[0] = column(tuple, c->tenant, desc);
	values[1] = column(tuple, c->id, desc);
	SPI_connect();
	user = scim_audit_become(scim_audit_table_owner("scim.groups"));
	if (SPI_execute_plan(scim_audit_plan(text, 2, types, true), values, NULL, false, 0) != expected)
		elog(ERROR, "could not find the groups of a resource");
	scim_audit_become_again(user);
	SPI_finish();
}

/* Lock the groups that hold a resource about to be deleted. */
static void
lock_groups(HeapTuple tuple, TupleDesc desc, const Columns *c)
{
	run_for_resource(tuple, desc, c, "SELECT FROM scim.groups g"
					 " WHERE g.tenant OPERATOR(pg_catalog.=) $1"
					 " AND g.id OPERATOR(pg_catalog.=) ANY (ARRAY(SELECT m.group_id FROM scim.group_members m"
					 " WHERE m.tenant OPERATOR(pg_catalog.=) $1 AND m.member_id OPERATOR(pg_catalog.=) $2))"
					 " ORDER BY g.id FOR NO KEY UPDATE", SPI_OK_SELECT);
}

/* A user in a table of an application is no member any more: what a foreign key does for those of scim.users. */
static void
leave_groups(HeapTuple tuple, TupleDesc desc, const Columns *c)
{
	lock_groups(tuple, desc, c);
	run_for_resource(tuple, desc, c, "DELETE FROM scim.group_members m WHERE m.tenant OPERATOR(pg_catalog.=) $1"
					 " AND m.member_id OPERATOR(pg_catalog.=) $2 AND m.bound", SPI_OK_DELETE);
}

/* Is the row marked as one that is no resource any more? */
static bool
is_deleted(HeapTuple tuple, TupleDesc desc, const Columns *c)
{
	bool		isnull;
	Datum		value;

	if (c->deleted == 0)
		return false;
	value = heap_getattr(tuple, c->deleted, desc, &isnull);
	return !isnull && (TupleDescAttr(desc, c->deleted - 1)->atttypid != BOOLOID || DatumGetBool(value));
}

static HeapTuple
keep_on_insert(const Trigger *trigger, Relation rel, HeapTuple tuple)
{
	TupleDesc	desc = RelationGetDescr(rel);
	Columns		c = find_columns(trigger, desc);
	TimestampTz now = GetCurrentTimestamp();

	if (!c.bound)
		check_json(tuple, desc);
	if (is_replica() || c.bound)
		return with_version(tuple, desc, &c, Max(version_or_zero(tuple, desc, &c), 1),
							time_or_now(tuple, c.created, desc, now),
							time_or_now(tuple, c.last_modified, desc, now));
	check_tenant(rel, tuple, &c);
	if (scim_audit_bringing_back())
		return with_version(tuple, desc, &c, Max(version_or_zero(tuple, desc, &c), 1),
							time_or_now(tuple, c.created, desc, now), now);
	return with_version(tuple, desc, &c, 1, now, now);
}

static HeapTuple
keep_on_update(const Trigger *trigger, Relation rel, HeapTuple old_tuple, HeapTuple new_tuple)
{
	TupleDesc	desc = RelationGetDescr(rel);
	Columns		c = find_columns(trigger, desc);
	int64		version = DatumGetInt64(column(old_tuple, c.version, desc));
	TimestampTz created = DatumGetTimestampTz(column(old_tuple, c.created, desc));
	TimestampTz last_modified = DatumGetTimestampTz(column(old_tuple, c.last_modified, desc));
	int64		given = DatumGetInt64(column(new_tuple, c.version, desc));
	bool		touched = given == version + 1;

	/* Its version there may be one that was used here for another state: its time tells. */
	if (is_replica())
		touched = given != version ||
			time_or_now(new_tuple, c.last_modified, desc, last_modified) != last_modified;

	if (column_differs(old_tuple, new_tuple, desc, c.id) ||
		column_differs(old_tuple, new_tuple, desc, c.tenant))
		ereport(ERROR,
				(errcode(ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION),
				 errmsg("id and tenant of a SCIM resource cannot be changed")));
	if (!c.bound)
		check_json(new_tuple, desc);
	if (c.members && is_deleted(new_tuple, desc, &c) && !is_deleted(old_tuple, desc, &c))
		leave_groups(old_tuple, desc, &c);
	if (touched || row_differs(old_tuple, new_tuple, desc, &c))
	{
		TimestampTz now = GetCurrentTimestamp();

		TimestampTz time = is_replica() ? time_or_now(new_tuple, c.last_modified, desc, now) : now;

		version = is_replica() ? Max(version + 1, given) : version + 1;
		last_modified = time > last_modified ? time : Max(now, last_modified);
	}
	return with_version(new_tuple, desc, &c, version, created, last_modified);
}

static void
keep_on_delete(const Trigger *trigger, HeapTuple tuple, TupleDesc desc)
{
	Columns		c = find_columns(trigger, desc);

	if (c.members)
		leave_groups(tuple, desc, &c);
	else if (!c.bound)
		lock_groups(tuple, desc, &c);
}

/*
 * Rows of a dump come in any order where pg_restore works in parallel, and foreign
 * keys of tables that an extension made are there before the rows.  So their
 * triggers rest until the end of the transaction; ours fire always.
 */
static void
check_no_references(void)
{
	if (SessionReplicationRole != SESSION_REPLICATION_ROLE_REPLICA)
		(void) set_config_option("session_replication_role", "replica", PGC_SUSET, PGC_S_SESSION,
								 GUC_ACTION_LOCAL, true, 0, false);
}

/* scim.admit_restored(): for tables with foreign keys whose rows nothing else looks at */
Datum
scim_audit_admit_restored(PG_FUNCTION_ARGS)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("scim.admit_restored() is a trigger function")));
	if (scim_audit_restoring())
		check_no_references();
	PG_RETURN_POINTER(NULL);
}

/* scim.keep_version() */
Datum
scim_audit_keep_version(PG_FUNCTION_ARGS)
{
	TriggerData *data = (TriggerData *) fcinfo->context;
	HeapTuple	tuple;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(data->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(data->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("scim.keep_version() is a BEFORE ROW trigger function")));
	tuple = TRIGGER_FIRED_BY_UPDATE(data->tg_event) ? data->tg_newtuple : data->tg_trigtuple;
	if (scim_audit_restoring())
	{
		check_no_references();
		return PointerGetDatum(tuple);
	}

	if (TRIGGER_FIRED_BY_INSERT(data->tg_event))
		tuple = keep_on_insert(data->tg_trigger, data->tg_relation, tuple);
	else if (TRIGGER_FIRED_BY_UPDATE(data->tg_event))
		tuple = keep_on_update(data->tg_trigger, data->tg_relation, data->tg_trigtuple, tuple);
	else
		keep_on_delete(data->tg_trigger, tuple, RelationGetDescr(data->tg_relation));
	return PointerGetDatum(tuple);
}

/* Touch the groups that a transition table, or two, name; all of them after a TRUNCATE. */
static void
touch_groups(TriggerData *data)
{
	const char *which = "";

	if (TRIGGER_FIRED_BY_UPDATE(data->tg_event))
		which = " WHERE (g.tenant, g.id) OPERATOR(pg_catalog.=) ANY"
			" (SELECT m.tenant, m.group_id FROM changed_members m"
			" UNION ALL SELECT m.tenant, m.group_id FROM old_members m)";
	else if (!TRIGGER_FIRED_BY_TRUNCATE(data->tg_event))
		which = " WHERE (g.tenant, g.id) OPERATOR(pg_catalog.=) ANY"
			" (SELECT m.tenant, m.group_id FROM changed_members m)";

	if (SPI_execute(psprintf("WITH locked AS MATERIALIZED (SELECT g.tenant, g.id FROM scim.groups g%s"
							 " ORDER BY g.tenant, g.id FOR NO KEY UPDATE)"
							 " UPDATE scim.groups g SET version = g.version OPERATOR(pg_catalog.+) 1 FROM locked l"
							 " WHERE g.tenant OPERATOR(pg_catalog.=) l.tenant AND g.id OPERATOR(pg_catalog.=) l.id", which),
					false, 0) != SPI_OK_UPDATE)
		elog(ERROR, "could not touch groups");
}

static bool
nothing_changed(TriggerData *data)
{
	return (data->tg_oldtable != NULL || data->tg_newtable != NULL) &&
		(data->tg_oldtable == NULL || tuplestore_tuple_count(data->tg_oldtable) == 0) &&
		(data->tg_newtable == NULL || tuplestore_tuple_count(data->tg_newtable) == 0);
}

/* scim.members_changed() */
Datum
scim_audit_members_changed(PG_FUNCTION_ARGS)
{
	TriggerData *data = (TriggerData *) fcinfo->context;
	ScimAuditUser user;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(data->tg_event) ||
		!TRIGGER_FIRED_FOR_STATEMENT(data->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("scim.members_changed() is an AFTER STATEMENT trigger function")));
	/* What comes from a publisher, the initial copy too, brings the version that the group has there. */
	if (scim_audit_members_quiet || scim_audit_restoring() || IsLogicalWorker() || nothing_changed(data))
		PG_RETURN_POINTER(NULL);

	SPI_connect();
	if (SPI_register_trigger_data(data) != SPI_OK_TD_REGISTER)
		elog(ERROR, "could not see the changed members");
	user = scim_audit_become(RelationGetForm(data->tg_relation)->relowner);
	touch_groups(data);
	scim_audit_become_again(user);
	SPI_finish();
	PG_RETURN_POINTER(NULL);
}
