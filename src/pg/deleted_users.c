/*
 * deleted_users.c
 *		Users that were deleted and are kept (see deleted_users.h).
 *
 * A tenant with the setting soft_delete keeps what it deletes in a table of its
 * own, scim.deleted_users, and not as marked rows among the others: so every
 * query that an application has, every key and every reference is right without
 * knowing of it.  To SCIM such a user is gone, as RFC 7644 section 3.6 wants.
 *
 * One that comes back has its id, its attributes, the memberships of which the
 * groups are still there, and a version that none of its ETags had.
 */
#include "pg/compat.h"

#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/uuid.h"

#include "pg/deleted_users.h"
#include "pg/duty.h"
#include "pg/owner.h"
#include "pg/plan_cache.h"
#include "pg/tenant.h"

PG_FUNCTION_INFO_V1(scim_audit_keep_deleted);
PG_FUNCTION_INFO_V1(scim_audit_restore_user);

static bool bringing_back;

bool
scim_audit_bringing_back(void)
{
	return bringing_back;
}

/* Run a statement on (tenant, id) as the owner of our tables; how many rows it touched. */
static uint64
run(const char *sql, Datum tenant, Datum id)
{
	static const Oid types[2] = {TEXTOID, UUIDOID};
	Datum		values[2];
	ScimAuditUser user = scim_audit_become(scim_audit_table_owner("scim.deleted_users"));

	values[0] = tenant;
	values[1] = id;
	if (SPI_execute_plan(scim_audit_plan(sql, 2, types, true), values, NULL, false, 0) < 0)
		elog(ERROR, "could not keep or bring back a user");
	scim_audit_become_again(user);
	return SPI_processed;
}

/* scim.keep_deleted(): before a user is deleted, while its memberships are there */
Datum
scim_audit_keep_deleted(PG_FUNCTION_ARGS)
{
	TriggerData *data = (TriggerData *) fcinfo->context;
	TupleDesc	desc;
	const ScimAuditTenant *settings;
	Datum		tenant;
	Datum		id;
	bool		isnull;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(data->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(data->tg_event) || !TRIGGER_FIRED_BY_DELETE(data->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("scim.keep_deleted() is a trigger function for BEFORE DELETE on scim.users")));
	desc = RelationGetDescr(data->tg_relation);
	tenant = heap_getattr(data->tg_trigtuple, SPI_fnumber(desc, "tenant"), desc, &isnull);
	id = heap_getattr(data->tg_trigtuple, SPI_fnumber(desc, "id"), desc, &isnull);
	settings = scim_audit_tenant_settings(TextDatumGetCString(tenant));
	if (settings == NULL || !settings->soft_delete)
		return PointerGetDatum(data->tg_trigtuple);

	SPI_connect();
	run("INSERT INTO scim.deleted_users AS d (tenant, id, user_name, resource, groups)"
		" SELECT u.tenant, u.id, u.user_name, pg_catalog.to_jsonb(u),"
		" ARRAY(SELECT m.group_id FROM scim.group_members m WHERE m.tenant OPERATOR(pg_catalog.=) $1"
		" AND m.member_id OPERATOR(pg_catalog.=) $2 ORDER BY m.group_id)"
		" FROM scim.users u WHERE u.tenant OPERATOR(pg_catalog.=) $1 AND u.id OPERATOR(pg_catalog.=) $2"
		" ON CONFLICT (tenant, id) DO UPDATE SET user_name = excluded.user_name, deleted = excluded.deleted,"
		" resource = excluded.resource, groups = excluded.groups", tenant, id);
	SPI_finish();
	return PointerGetDatum(data->tg_trigtuple);
}

/* Bring a user back; false when none of that id is kept. */
static bool
bring_back(Datum tenant, Datum id)
{
	bool		found;

	bringing_back = true;
	PG_TRY();
	{
		found = run("INSERT INTO scim.users SELECT r.* FROM scim.deleted_users d,"
					" pg_catalog.jsonb_populate_record(CAST(NULL AS scim.users), d.resource OPERATOR(pg_catalog.||)"
					" pg_catalog.jsonb_build_object('version',"
					" CAST(d.resource OPERATOR(pg_catalog.->>) 'version' AS bigint) OPERATOR(pg_catalog.+) 1, 'manager_id',"
					" (SELECT m.id FROM scim.users m WHERE m.tenant OPERATOR(pg_catalog.=) $1"
					" AND m.id OPERATOR(pg_catalog.=) CAST(d.resource OPERATOR(pg_catalog.->>) 'manager_id' AS uuid)))) r"
					" WHERE d.tenant OPERATOR(pg_catalog.=) $1 AND d.id OPERATOR(pg_catalog.=) $2", tenant, id) > 0;
	}
	PG_FINALLY();
	{
		bringing_back = false;
	}
	PG_END_TRY();
	if (!found)
		return false;
	run("INSERT INTO scim.group_members (tenant, group_id, member_id) SELECT $1, g.id, $2"
		" FROM scim.deleted_users d JOIN scim.groups g ON g.tenant OPERATOR(pg_catalog.=) $1"
		" AND g.id OPERATOR(pg_catalog.=) ANY (d.groups)"
		" WHERE d.tenant OPERATOR(pg_catalog.=) $1 AND d.id OPERATOR(pg_catalog.=) $2 ORDER BY g.id", tenant, id);
	run("DELETE FROM scim.deleted_users d WHERE d.tenant OPERATOR(pg_catalog.=) $1"
		" AND d.id OPERATOR(pg_catalog.=) $2", tenant, id);
	return true;
}

ScimStr
scim_audit_bring_back_named(ScimStr tenant, ScimStr user_name)
{
	static const Oid types[2] = {TEXTOID, TEXTOID};
	Datum		values[2];
	ScimAuditUser user;
	char	   *id;

	values[0] = PointerGetDatum(cstring_to_text_with_len(tenant.ptr, tenant.len));
	values[1] = PointerGetDatum(cstring_to_text_with_len(user_name.ptr, user_name.len));
	user = scim_audit_become(scim_audit_table_owner("scim.deleted_users"));
	if (SPI_execute_plan(scim_audit_plan("SELECT d.id FROM scim.deleted_users d"
										 " WHERE d.tenant OPERATOR(pg_catalog.=) $1"
										 " AND scim.fold(d.user_name) OPERATOR(pg_catalog.=) scim.fold($2)"
										 " ORDER BY d.deleted DESC LIMIT 1 FOR UPDATE", 2, types, true),
						 values, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not look for a deleted user");
	scim_audit_become_again(user);
	if (SPI_processed == 0)
		return SCIM_STR_NONE;
	id = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
	if (!bring_back(values[0], DirectFunctionCall1(uuid_in, CStringGetDatum(id))))
		return SCIM_STR_NONE;
	return (ScimStr) {id, strlen(id)};
}

/* scim.restore_user(user_id uuid) RETURNS void: of the tenant the session works in */
Datum
scim_audit_restore_user(PG_FUNCTION_ARGS)
{
	const char *tenant = NULL;

	if (scim_audit_session_tenant(GetOuterUserId(), SCIM_DUTY_PROVISIONING_ADMIN, NULL, &tenant) != SCIM_TENANT_OK)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to restore a user"),
				 errdetail("The role needs the duty \"provisioning_admin\" for the tenant the session works in."),
				 errhint("The setting scim_audit.tenant chooses among several tenants.")));
	SPI_connect();
	if (!bring_back(CStringGetTextDatum(tenant), PG_GETARG_DATUM(0)))
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("the tenant \"%s\" keeps no deleted user with this id", tenant)));
	SPI_finish();
	PG_RETURN_VOID();
}
