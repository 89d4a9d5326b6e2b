/*
 * tenant.c
 *		Tenants and their settings.
 *
 * Every SCIM call and every new resource asks for its tenant, so each backend
 * keeps a copy of scim.tenants and scim.tenant_settings.  A statement trigger
 * on both tables sends a relation-cache invalidation with the commit, which
 * drops the copy.  It is read with a fresh snapshot, never the query's: a
 * copy taken under an old REPEATABLE READ snapshot would outlive it.
 */
#include "pg/compat.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "pg/log.h"
#include "pg/owner.h"
#include "pg/tenant.h"

#define TENANT_NAME_MAX 63		/* bytes; the check on scim.tenants */

typedef struct TenantEntry
{
	char		name[TENANT_NAME_MAX + 1];	/* hash key */
	ScimAuditTenant settings;
} TenantEntry;

/* The copy.  It is whole when `loaded` is the number of changes seen. */
static MemoryContext tenant_context = NULL;
static HTAB *tenant_table = NULL;
static Oid	tenants_relid = InvalidOid;
static Oid	settings_relid = InvalidOid;
static bool registered = false;
static uint64 changes = 1;
static uint64 loaded = 0;

PG_FUNCTION_INFO_V1(scim_audit_base_url);
PG_FUNCTION_INFO_V1(scim_audit_tenants_changed);
PG_FUNCTION_INFO_V1(scim_audit_create_tenant);
PG_FUNCTION_INFO_V1(scim_audit_alter_tenant);
PG_FUNCTION_INFO_V1(scim_audit_disable_tenant);
PG_FUNCTION_INFO_V1(scim_audit_enable_tenant);
PG_FUNCTION_INFO_V1(scim_audit_log_tenant_drop);

static void
relation_changed(Datum arg, Oid relid)
{
	if (relid == InvalidOid || relid == tenants_relid || relid == settings_relid)
		changes++;
}

/* A text column as a string in the current context; NULL for SQL null. */
static char *
text_column(HeapTuple tuple, TupleDesc desc, const char *name)
{
	bool		isnull;
	Datum		value = heap_getattr(tuple, SPI_fnumber(desc, name), desc, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

/* A boolean column that has no null. */
static bool
boolean_column(HeapTuple tuple, TupleDesc desc, const char *name)
{
	bool		isnull;

	return DatumGetBool(heap_getattr(tuple, SPI_fnumber(desc, name), desc, &isnull));
}

/* Put the rows of scim.tenants, or of scim.tenant_settings, into table. */
static void
load_relation(HTAB *table, Oid relid, bool is_settings)
{
	Relation	rel = table_open(relid, AccessShareLock);
	TupleDesc	desc = RelationGetDescr(rel);
	SysScanDesc scan = systable_beginscan(rel, InvalidOid, false, NULL, 0, NULL);
	HeapTuple	tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		char	   *name = text_column(tuple, desc, "tenant");
		char		key[TENANT_NAME_MAX + 1] = {0};
		bool		found;
		TenantEntry *entry;

		strlcpy(key, name, sizeof(key));
		entry = hash_search(table, key, HASH_ENTER, &found);
		if (!found)
			entry->settings = (ScimAuditTenant) {"", SCIM_PASSWORD_DISCARD, false, false, true};
		if (is_settings)
		{
			char	   *base_url = text_column(tuple, desc, "base_url");

			entry->settings.base_url = base_url != NULL ? base_url : "";
			if (strcmp(text_column(tuple, desc, "password"), "hash") == 0)
				entry->settings.password = SCIM_PASSWORD_HASH;
			entry->settings.reactivate = boolean_column(tuple, desc, "reactivate");
			entry->settings.soft_delete = boolean_column(tuple, desc, "soft_delete");
			entry->settings.enabled = boolean_column(tuple, desc, "enabled");
		}
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
}

/*
 * Make the copy current.  An invalidation that arrives while we read counts
 * as not seen, so that the next question reads again.
 */
static void
refresh(void)
{
	Oid			schema;
	MemoryContext context;
	MemoryContext old;
	HASHCTL		control = {0};
	HTAB	   *table;
	uint64		seen;

	if (loaded == changes)
		return;
	if (!registered)
	{
		CacheRegisterRelcacheCallback(relation_changed, (Datum) 0);
		registered = true;
	}
	schema = get_namespace_oid("scim", false);
	tenants_relid = get_relname_relid("tenants", schema);
	settings_relid = get_relname_relid("tenant_settings", schema);
	seen = changes;

	context = AllocSetContextCreate(CurrentMemoryContext, "scim_audit tenants", ALLOCSET_SMALL_SIZES);
	old = MemoryContextSwitchTo(context);
	control.keysize = sizeof(((TenantEntry *) NULL)->name);
	control.entrysize = sizeof(TenantEntry);
	control.hcxt = context;
	table = hash_create("scim_audit tenants", 64, &control, HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
	load_relation(table, tenants_relid, false);
	load_relation(table, settings_relid, true);
	MemoryContextSwitchTo(old);

	if (tenant_context != NULL)
		MemoryContextDelete(tenant_context);
	MemoryContextSetParent(context, CacheMemoryContext);
	tenant_context = context;
	tenant_table = table;
	loaded = seen;
}

const ScimAuditTenant *
scim_audit_tenant_settings(const char *tenant)
{
	TenantEntry *entry;

	if (strlen(tenant) > TENANT_NAME_MAX)
		return NULL;
	refresh();
	entry = hash_search(tenant_table, tenant, HASH_FIND, NULL);
	return entry == NULL ? NULL : &entry->settings;
}

const char *
scim_audit_only_tenant(void)
{
	HASH_SEQ_STATUS scan;
	TenantEntry *entry;

	refresh();
	if (hash_get_num_entries(tenant_table) != 1)
		return NULL;
	hash_seq_init(&scan, tenant_table);
	entry = hash_seq_search(&scan);
	hash_seq_term(&scan);
	return entry->name;
}

/*
 * Refuse to remove or rename a tenant that still has resources.  The lock
 * waits for writers, and those that wait for it see the tenant gone.
 */
static void
check_tenant_unused(Relation rel, HeapTuple tuple)
{
	Oid			types[1] = {TEXTOID};
	Datum		values[1];
	char	   *name = text_column(tuple, RelationGetDescr(rel), "tenant");
	ScimAuditUser user = scim_audit_become(RelationGetForm(rel)->relowner);

	values[0] = CStringGetTextDatum(name);
	SPI_connect();
	if (SPI_execute("LOCK TABLE scim.users, scim.groups IN SHARE MODE", false, 0) != SPI_OK_UTILITY ||
		SPI_execute_with_args("SELECT FROM scim.users u WHERE u.tenant OPERATOR(pg_catalog.=) $1"
							  " UNION ALL SELECT FROM scim.groups g WHERE g.tenant OPERATOR(pg_catalog.=) $1"
							  " UNION ALL SELECT WHERE scim.has_registered($1)",
							  1, types, values, NULL, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not look for resources of a tenant");
	if (SPI_processed > 0)
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("tenant \"%s\" still has resources", name)));
	SPI_finish();
	scim_audit_become_again(user);
}

/* Trigger of scim.tenants and scim.tenant_settings. */
Datum
scim_audit_tenants_changed(PG_FUNCTION_ARGS)
{
	TriggerData *data = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("scim.tenants_changed() is a trigger function")));
	if (TRIGGER_FIRED_FOR_STATEMENT(data->tg_event))
	{
		CacheInvalidateRelcache(data->tg_relation);
		PG_RETURN_POINTER(NULL);
	}
	check_tenant_unused(data->tg_relation, data->tg_trigtuple);
	PG_RETURN_POINTER(TRIGGER_FIRED_BY_UPDATE(data->tg_event) ? data->tg_newtuple : data->tg_trigtuple);
}

/*
 * Write the settings of a tenant: base_url, and what the JSON object names
 * (base_url, password, reactivate, soft_delete; null stands for the default).  The checks
 * of the table judge the values.
 */
static void
write_settings(const char *tenant, Datum settings)
{
	Oid			types[2] = {TEXTOID, JSONBOID};
	Datum		values[2];

	values[0] = CStringGetTextDatum(tenant);
	values[1] = settings;
	if (SPI_execute_with_args("SELECT k FROM pg_catalog.jsonb_object_keys($2) AS k"
							  " WHERE k OPERATOR(pg_catalog.<>) ALL (ARRAY['base_url', 'password', 'reactivate', 'soft_delete'])",
							  2, types, values, NULL, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not read settings");
	if (SPI_processed > 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there is no tenant setting \"%s\"",
						SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1)),
				 errhint("Tenant settings are base_url, password, reactivate and soft_delete.")));
	if (SPI_execute_with_args("INSERT INTO scim.tenant_settings AS s (tenant, base_url, password, reactivate, soft_delete)"
							  " VALUES ($1, pg_catalog.rtrim($2 OPERATOR(pg_catalog.->>) 'base_url', '/'),"
							  " coalesce($2 OPERATOR(pg_catalog.->>) 'password', 'discard'),"
							  " coalesce(($2 OPERATOR(pg_catalog.->>) 'reactivate')::boolean, false),"
							  " coalesce(($2 OPERATOR(pg_catalog.->>) 'soft_delete')::boolean, false))"
							  " ON CONFLICT (tenant) DO UPDATE SET"
							  " base_url = CASE WHEN $2 OPERATOR(pg_catalog.?) 'base_url' THEN excluded.base_url ELSE s.base_url END,"
							  " password = CASE WHEN $2 OPERATOR(pg_catalog.?) 'password' THEN excluded.password ELSE s.password END,"
							  " reactivate = CASE WHEN $2 OPERATOR(pg_catalog.?) 'reactivate' THEN excluded.reactivate ELSE s.reactivate END,"
							  " soft_delete = CASE WHEN $2 OPERATOR(pg_catalog.?) 'soft_delete' THEN excluded.soft_delete ELSE s.soft_delete END",
							  2, types, values, NULL, false, 0) != SPI_OK_INSERT)
		elog(ERROR, "could not write settings");
}

/* settings with the member base_url, when one is given apart. */
static Datum
with_base_url(Datum settings, bool has_base_url, Datum base_url)
{
	Oid			types[2] = {JSONBOID, TEXTOID};
	Datum		values[2];
	bool		isnull;

	if (!has_base_url)
		return settings;
	values[0] = settings;
	values[1] = base_url;
	if (SPI_execute_with_args("SELECT $1 OPERATOR(pg_catalog.||) pg_catalog.jsonb_build_object('base_url', $2)",
							  2, types, values, NULL, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not read settings");
	return SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
}

static void
write_event(const char *event_type, const char *action, const char *tenant, Datum settings)
{
	char	   *detail = psprintf("{\"settings\":%s}", OidOutputFunctionCall(F_JSONB_OUT, settings));

	scim_audit_log_simple("admin", action, event_type, tenant, "Tenant", tenant,
						  (ScimStr) {detail, strlen(detail)});
}

/* An empty settings object. */
static Datum
jsonb_empty(void)
{
	return DirectFunctionCall1(jsonb_in, CStringGetDatum("{}"));
}

/* [a-z0-9][a-z0-9-]{0,62}, as the check on scim.tenants has it. */
static bool
name_is_valid(const char *tenant)
{
	size_t		len = strlen(tenant);

	return len > 0 && len <= TENANT_NAME_MAX && tenant[0] != '-' &&
		strspn(tenant, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

/*
 * The log of a dropped tenant is kept under its name: whoever got the name next
 * could be shown it.
 */
static void
check_never_dropped(const char *tenant)
{
	Oid			types[1] = {TEXTOID};
	Datum		values[1];

	values[0] = CStringGetTextDatum(tenant);
	if (SPI_execute_with_args("SELECT FROM scim_audit.events e WHERE e.resource_id OPERATOR(pg_catalog.=) $1"
							  " AND e.event_type OPERATOR(pg_catalog.=) 'tenant.drop' AND e.tenant OPERATOR(pg_catalog.=) $1",
							  1, types, values, NULL, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not look for a dropped tenant");
	if (SPI_processed > 0)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("\"%s\" was the name of a tenant that was dropped", tenant),
				 errdetail("Its log is kept, and must not become another tenant's."),
				 errhint("Choose another name.")));
}

static void
insert_tenant(const char *tenant)
{
	Oid			types[1] = {TEXTOID};
	Datum		values[1];

	if (!name_is_valid(tenant))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" cannot be the name of a tenant", tenant),
				 errdetail("A name has 1 to %d lower-case letters, digits and hyphens, and no hyphen at its start.",
						   TENANT_NAME_MAX)));
	if (scim_audit_tenant_settings(tenant) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("there is a tenant \"%s\" already", tenant)));
	check_never_dropped(tenant);
	values[0] = CStringGetTextDatum(tenant);
	if (SPI_execute_with_args("INSERT INTO scim.tenants (tenant) VALUES ($1)",
							  1, types, values, NULL, false, 0) != SPI_OK_INSERT)
		elog(ERROR, "could not insert a tenant");
}

/* The one argument that must be there. */
static char *
tenant_argument(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the tenant's name must not be null")));
	return text_to_cstring(PG_GETARG_TEXT_PP(0));
}

/* scim.base_url(tenant text) RETURNS text: for filters on meta.location */
Datum
scim_audit_base_url(PG_FUNCTION_ARGS)
{
	const ScimAuditTenant *settings = scim_audit_tenant_settings(text_to_cstring(PG_GETARG_TEXT_PP(0)));

	PG_RETURN_TEXT_P(cstring_to_text(settings != NULL ? settings->base_url : ""));
}

/* scim.create_tenant(tenant text, base_url text, settings jsonb) */
Datum
scim_audit_create_tenant(PG_FUNCTION_ARGS)
{
	char	   *tenant = tenant_argument(fcinfo);
	Datum		settings = PG_ARGISNULL(2) ? jsonb_empty() : PG_GETARG_DATUM(2);
	ScimAuditUser user = scim_audit_become(scim_audit_table_owner("scim.tenants"));

	SPI_connect();
	settings = with_base_url(settings, !PG_ARGISNULL(1), PG_ARGISNULL(1) ? (Datum) 0 : PG_GETARG_DATUM(1));
	insert_tenant(tenant);
	write_settings(tenant, settings);
	write_event("tenant.create", "insert", tenant, settings);
	SPI_finish();
	scim_audit_become_again(user);
	PG_RETURN_VOID();
}

static void
check_tenant_exists(const char *tenant)
{
	if (scim_audit_tenant_settings(tenant) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("there is no tenant \"%s\"", tenant)));
}

/* scim.alter_tenant(tenant text, settings jsonb) */
Datum
scim_audit_alter_tenant(PG_FUNCTION_ARGS)
{
	char	   *tenant = tenant_argument(fcinfo);
	Datum		settings = PG_ARGISNULL(1) ? jsonb_empty() : PG_GETARG_DATUM(1);
	ScimAuditUser user = scim_audit_become(scim_audit_table_owner("scim.tenants"));

	check_tenant_exists(tenant);
	SPI_connect();
	write_settings(tenant, settings);
	write_event("tenant.update", "update", tenant, settings);
	SPI_finish();
	scim_audit_become_again(user);
	PG_RETURN_VOID();
}

/* scim.disable_tenant(tenant text), scim.enable_tenant(tenant text) */
static Datum
set_enabled(FunctionCallInfo fcinfo, bool enabled)
{
	char	   *tenant = tenant_argument(fcinfo);
	ScimAuditUser user = scim_audit_become(scim_audit_table_owner("scim.tenants"));
	Oid			types[2] = {TEXTOID, BOOLOID};
	Datum		values[2];

	check_tenant_exists(tenant);
	SPI_connect();
	values[0] = CStringGetTextDatum(tenant);
	values[1] = BoolGetDatum(enabled);
	if (SPI_execute_with_args("INSERT INTO scim.tenant_settings (tenant, enabled) VALUES ($1, $2)"
							  " ON CONFLICT (tenant) DO UPDATE SET enabled = excluded.enabled",
							  2, types, values, NULL, false, 0) != SPI_OK_INSERT)
		elog(ERROR, "could not write settings");
	write_event(enabled ? "tenant.enable" : "tenant.disable", enabled ? "enable" : "disable", tenant, jsonb_empty());
	SPI_finish();
	scim_audit_become_again(user);
	PG_RETURN_VOID();
}

Datum
scim_audit_disable_tenant(PG_FUNCTION_ARGS)
{
	return set_enabled(fcinfo, false);
}

Datum
scim_audit_enable_tenant(PG_FUNCTION_ARGS)
{
	return set_enabled(fcinfo, true);
}

/* scim.log_tenant_drop(tenant text) */
Datum
scim_audit_log_tenant_drop(PG_FUNCTION_ARGS)
{
	write_event("tenant.drop", "drop", text_to_cstring(PG_GETARG_TEXT_PP(0)), jsonb_empty());
	PG_RETURN_VOID();
}
