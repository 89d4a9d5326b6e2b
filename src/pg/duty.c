/*
 * duty.c
 *		Duties of roles (scim.duties), and the tenant of a session.
 *
 * Every query under row-level security and every SCIM call asks for the
 * caller's tenants, so each backend keeps the rows of scim.duties in memory.
 * The copy is dropped by a relation-cache invalidation, which a statement
 * trigger on the table sends with the writing transaction's commit (and to
 * the writer itself at once), and by any change of pg_authid, because a row
 * counts only while its role's name and oid both match.  Such messages are
 * asked for at every question, so that a revocation is in force for the next
 * one, even inside a running transaction.  The copy is read with a
 * fresh snapshot, never the query's: a copy taken under an old REPEATABLE
 * READ snapshot would outlive the revocation it did not see.
 *
 * Memberships are PostgreSQL's own business (acl.c caches them).  A right is
 * used by has_privs_of_role, which honours NOINHERIT; separation of duties is
 * judged by membership of any kind, since SET ROLE reaches what inheritance
 * does not.  Superusers are members of everything and stand outside.
 */
#include "pg/compat.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "pg/duty.h"
#include "pg/tenant.h"
#include "pg/json_text.h"
#include "pg/log.h"

/* Columns of scim.duties, in the order of 20_duties.sql. */
enum
{
	COLUMN_ROLE_NAME = 1, COLUMN_ROLE_OID, COLUMN_DUTY, COLUMN_TENANT, COLUMN_BOTH
};

typedef struct DutyRow
{
	Oid			role;
	int			duty;
	const char *tenant;			/* NULL: all tenants */
	bool		both;
} DutyRow;

static const struct
{
	const char *name;
	int			duty;
}			duty_names[] =
{
	{"provisioning_admin", SCIM_DUTY_PROVISIONING_ADMIN},
	{"auditor", SCIM_DUTY_AUDITOR},
	{"reader", SCIM_DUTY_READER},
	{"audit_admin", SCIM_DUTY_AUDIT_ADMIN}
};

/* The backend's copy of scim.duties; rows of dead roles are left out. */
static MemoryContext duty_context = NULL;
static DutyRow *duty_rows = NULL;
static int	duty_count = 0;
static Oid	duty_relid = InvalidOid;
static bool duty_registered = false;

/* Invalidations seen, and how many had been seen when the copy was read. */
static uint64 duty_changes = 1;
static uint64 duty_loaded = 0;

PG_FUNCTION_INFO_V1(scim_audit_duties_changed);
PG_FUNCTION_INFO_V1(scim_audit_tenants_of);
PG_FUNCTION_INFO_V1(scim_audit_all_tenants);
PG_FUNCTION_INFO_V1(scim_audit_current_tenant);
PG_FUNCTION_INFO_V1(scim_audit_log_duty);


static void
duty_relation_changed(Datum arg, Oid relid)
{
	if (relid == InvalidOid || relid == duty_relid)
		duty_changes++;
}

static void
duty_role_changed(Datum arg, int cacheid, uint32 hashvalue)
{
	duty_changes++;
}

/* The bit of a duty's name; 0 when there is no such duty. */
static int
duty_by_name(const char *name)
{
	int			i;

	for (i = 0; i < lengthof(duty_names); i++)
		if (strcmp(duty_names[i].name, name) == 0)
			return duty_names[i].duty;
	return 0;
}

/* Does the role with this oid still have this name? */
static bool
role_is_named(Oid role, const char *name)
{
	HeapTuple	tuple = SearchSysCache1(AUTHOID, ObjectIdGetDatum(role));
	bool		same;

	if (!HeapTupleIsValid(tuple))
		return false;
	same = strcmp(NameStr(((Form_pg_authid) GETSTRUCT(tuple))->rolname), name) == 0;
	ReleaseSysCache(tuple);
	return same;
}

/* Fill *row from a tuple of scim.duties; false for a row that grants nothing. */
static bool
duty_from_tuple(HeapTuple tuple, TupleDesc desc, DutyRow *row)
{
	bool		isnull;
	Datum		tenant;
	Name		name = DatumGetName(heap_getattr(tuple, COLUMN_ROLE_NAME, desc, &isnull));

	row->role = DatumGetObjectId(heap_getattr(tuple, COLUMN_ROLE_OID, desc, &isnull));
	if (!role_is_named(row->role, NameStr(*name)))
		return false;
	row->duty = duty_by_name(TextDatumGetCString(heap_getattr(tuple, COLUMN_DUTY, desc, &isnull)));
	row->both = DatumGetBool(heap_getattr(tuple, COLUMN_BOTH, desc, &isnull));
	tenant = heap_getattr(tuple, COLUMN_TENANT, desc, &isnull);
	row->tenant = isnull ? NULL : TextDatumGetCString(tenant);
	return row->duty != 0;
}

/*
 * Make the copy current.  An invalidation that arrives while we read counts
 * as not seen, so that the next question reads again.
 */
static void
duty_refresh(void)
{
	Relation	rel;
	SysScanDesc scan;
	HeapTuple	tuple;
	MemoryContext context;
	MemoryContext old;
	DutyRow    *rows;
	int			count = 0;
	int			size = 16;
	uint64		changes;

	AcceptInvalidationMessages();
	if (duty_loaded == duty_changes)
		return;
	if (!duty_registered)
	{
		CacheRegisterRelcacheCallback(duty_relation_changed, (Datum) 0);
		CacheRegisterSyscacheCallback(AUTHOID, duty_role_changed, (Datum) 0);
		duty_registered = true;
	}
	duty_relid = get_relname_relid("duties", get_namespace_oid("scim", false));
	rel = table_open(duty_relid, AccessShareLock);
	changes = duty_changes;

	context = AllocSetContextCreate(CurrentMemoryContext, "scim_audit duties", ALLOCSET_SMALL_SIZES);
	old = MemoryContextSwitchTo(context);
	rows = palloc(size * sizeof(DutyRow));
	scan = systable_beginscan(rel, InvalidOid, false, NULL, 0, NULL);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		if (count == size)
			rows = repalloc(rows, (size *= 2) * sizeof(DutyRow));
		if (duty_from_tuple(tuple, RelationGetDescr(rel), &rows[count]))
			count++;
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	MemoryContextSwitchTo(old);

	if (duty_context != NULL)
		MemoryContextDelete(duty_context);
	MemoryContextSetParent(context, CacheMemoryContext);
	duty_context = context;
	duty_rows = rows;
	duty_count = count;
	duty_loaded = changes;
}

/* Do the grants a and b meet for some tenant?  *tenant is it; NULL: all. */
static bool
tenants_overlap(const char *a, const char *b, const char **tenant)
{
	*tenant = a != NULL ? a : b;
	return a == NULL || b == NULL || strcmp(a, b) == 0;
}

/* Was one of the grants that role can reach, of either duty, made with `allow_both` for this tenant? */
static bool
both_was_granted(Oid role, const char *tenant)
{
	int			i;

	for (i = 0; i < duty_count; i++)
	{
		const DutyRow *row = &duty_rows[i];

		if (row->both &&
			(row->duty & (SCIM_DUTY_PROVISIONING_ADMIN | SCIM_DUTY_AUDITOR)) != 0 &&
			(row->tenant == NULL || (tenant != NULL && strcmp(row->tenant, tenant) == 0)) &&
			is_member_of_role_nosuper(role, row->role))
			return true;
	}
	return false;
}

/* Does the separation of duties void this grant for role? */
static bool
grant_is_void(Oid role, const DutyRow *grant)
{
	int			other;
	int			i;

	if (grant->duty == SCIM_DUTY_PROVISIONING_ADMIN)
		other = SCIM_DUTY_AUDITOR;
	else if (grant->duty == SCIM_DUTY_AUDITOR)
		other = SCIM_DUTY_PROVISIONING_ADMIN;
	else
		return false;

	for (i = 0; i < duty_count; i++)
	{
		const DutyRow *row = &duty_rows[i];
		const char *tenant;

		if (row->duty == other && tenants_overlap(grant->tenant, row->tenant, &tenant) &&
			is_member_of_role_nosuper(role, row->role) && !both_was_granted(role, tenant))
			return true;
	}
	return false;
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

ScimAuditTenants
scim_audit_duty_tenants(Oid role, int duties)
{
	ScimAuditTenants result = {false, 0, NULL};
	int			i;
	int			kept = 0;

	if (superuser_arg(role))
	{
		result.all = true;
		return result;
	}
	duty_refresh();
	result.tenant = palloc(Max(duty_count, 1) * sizeof(char *));
	for (i = 0; i < duty_count; i++)
	{
		const DutyRow *row = &duty_rows[i];

		if ((row->duty & duties) == 0 || !has_privs_of_role(role, row->role) ||
			grant_is_void(role, row))
			continue;
		if (row->tenant == NULL)
			result.all = true;
		else
			result.tenant[result.n++] = pstrdup(row->tenant);
	}
	qsort(result.tenant, result.n, sizeof(char *), compare_names);
	for (i = 0; i < result.n; i++)
		if (i == 0 || strcmp(result.tenant[i], result.tenant[kept - 1]) != 0)
			result.tenant[kept++] = result.tenant[i];
	result.n = kept;
	return result;
}

bool
scim_audit_tenants_have(const ScimAuditTenants *tenants, const char *tenant)
{
	return tenants->all ||
		(tenants->n > 0 &&
		 bsearch(&tenant, tenants->tenant, tenants->n, sizeof(char *), compare_names) != NULL);
}

ScimAuditTenantAnswer
scim_audit_session_tenant(Oid role, int duties, const char *wanted, const char **tenant)
{
	ScimAuditTenants tenants = scim_audit_duty_tenants(role, duties);
	const char *only;

	if (!tenants.all && tenants.n == 0)
		return SCIM_TENANT_NO_DUTY;
	if (wanted == NULL)
		wanted = GetConfigOption("scim_audit.tenant", true, false);
	if (wanted != NULL && wanted[0] != '\0')
	{
		if (!scim_audit_tenants_have(&tenants, wanted) || scim_audit_tenant_settings(wanted) == NULL)
			return SCIM_TENANT_NOT_GRANTED;
		*tenant = pstrdup(wanted);
		return SCIM_TENANT_OK;
	}
	if (!tenants.all && tenants.n == 1)
	{
		*tenant = tenants.tenant[0];
		return SCIM_TENANT_OK;
	}
	only = tenants.all ? scim_audit_only_tenant() : NULL;
	if (only != NULL && strcmp(only, "default") == 0)
	{
		*tenant = pstrdup(only);
		return SCIM_TENANT_OK;
	}
	return SCIM_TENANT_CHOOSE;
}

/* The duties an SQL array names. */
static int
duties_argument(ArrayType *array)
{
	Datum	   *names;
	bool	   *nulls;
	int			count;
	int			duties = 0;
	int			i;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &names, &nulls, &count);
	for (i = 0; i < count; i++)
	{
		char	   *name = nulls[i] ? NULL : TextDatumGetCString(names[i]);
		int			duty = name == NULL ? 0 : duty_by_name(name);

		if (duty == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("there is no duty \"%s\"", name == NULL ? "NULL" : name),
					 errhint("Duties are provisioning_admin, auditor, reader and audit_admin.")));
		duties |= duty;
	}
	return duties;
}

/* scim.tenants_of(duties text[]) RETURNS text[] */
Datum
scim_audit_tenants_of(PG_FUNCTION_ARGS)
{
	ScimAuditTenants tenants = scim_audit_duty_tenants(GetUserId(), duties_argument(PG_GETARG_ARRAYTYPE_P(0)));
	Datum	   *names = palloc(Max(tenants.n, 1) * sizeof(Datum));
	int			i;

	for (i = 0; i < tenants.n; i++)
		names[i] = CStringGetTextDatum(tenants.tenant[i]);
	PG_RETURN_ARRAYTYPE_P(construct_array(names, tenants.n, TEXTOID, -1, false, TYPALIGN_INT));
}

/* scim.all_tenants(duties text[]) RETURNS boolean */
Datum
scim_audit_all_tenants(PG_FUNCTION_ARGS)
{
	ScimAuditTenants tenants = scim_audit_duty_tenants(GetUserId(), duties_argument(PG_GETARG_ARRAYTYPE_P(0)));

	PG_RETURN_BOOL(tenants.all);
}

/* scim.current_tenant() RETURNS text: the answer, or an error that says why there is none. */
Datum
scim_audit_current_tenant(PG_FUNCTION_ARGS)
{
	const char *tenant = NULL;

	switch (scim_audit_session_tenant(GetUserId(), SCIM_DUTY_ANY, NULL, &tenant))
	{
		case SCIM_TENANT_OK:
			break;
		case SCIM_TENANT_NO_DUTY:
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("role \"%s\" has no duty for any tenant", GetUserNameFromId(GetUserId(), false)),
					 errhint("scim.grant_duty() gives a role a duty.")));
			break;
		case SCIM_TENANT_NOT_GRANTED:
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("role \"%s\" has no duty for the tenant that scim_audit.tenant names",
							GetUserNameFromId(GetUserId(), false))));
			break;
		case SCIM_TENANT_CHOOSE:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("role \"%s\" has a duty for several tenants", GetUserNameFromId(GetUserId(), false)),
					 errhint("Choose one: SET scim_audit.tenant = '...'.")));
			break;
	}
	PG_RETURN_TEXT_P(cstring_to_text(tenant));
}

/* Statement trigger on scim.duties: drop every backend's copy when this transaction commits. */
Datum
scim_audit_duties_changed(PG_FUNCTION_ARGS)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("scim.duties_changed() is a trigger function")));
	CacheInvalidateRelcache(((TriggerData *) fcinfo->context)->tg_relation);
	PG_RETURN_POINTER(NULL);
}

/*
 * scim.log_duty(action text, grantee regrole, duty text, tenant text, allow_both boolean)
 *		RETURNS void
 */
Datum
scim_audit_log_duty(PG_FUNCTION_ARGS)
{
	char	   *action;
	char	   *role;
	char	   *duty;
	char	   *tenant = PG_ARGISNULL(3) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(3));
	StringInfoData detail;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("action, role and duty must not be null")));
	action = text_to_cstring(PG_GETARG_TEXT_PP(0));
	role = GetUserNameFromId(PG_GETARG_OID(1), false);
	duty = text_to_cstring(PG_GETARG_TEXT_PP(2));
	if (!pg_verifymbstr(role, strlen(role), true))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("the name of role %u is not valid in this database's encoding", PG_GETARG_OID(1)),
				 errdetail("A dump of scim.duties with such a name could not be restored.")));
	initStringInfo(&detail);
	appendStringInfoString(&detail, "{\"duty\":");
	scim_audit_json_string(&detail, duty, strlen(duty));
	if (!PG_ARGISNULL(4))
		appendStringInfo(&detail, ",\"allow_both\":%s", PG_GETARG_BOOL(4) ? "true" : "false");
	appendStringInfoChar(&detail, '}');
	scim_audit_log_simple("admin", action, psprintf("duty.%s", action), tenant, "role", role,
						  (ScimStr) {detail.data, detail.len});
	PG_RETURN_VOID();
}
