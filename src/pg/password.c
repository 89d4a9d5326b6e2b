/*
 * password.c
 *		Passwords of users: bcrypt by pgcrypto, in a table that no role can
 *		read.
 *
 * pgcrypto is found through the catalog, never through search_path: whoever
 * can create functions in a schema of the path must not get to see a
 * password.  bcrypt looks at the first 72 bytes.  What is hashed and compared
 * is the password as RFC 7644 section 5 wants it prepared.
 */
#include "pg/compat.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/uuid.h"

#include "core/normalize.h"
#include "pg/duty.h"
#include "pg/owner.h"
#include "pg/password.h"
#include "pg/plan_cache.h"

#define BCRYPT_ROUNDS 10		/* two to the power of: some 60 ms */

PG_FUNCTION_INFO_V1(scim_audit_check_password);

/* The schema of pgcrypto, quoted. */
static const char *
pgcrypto_schema(void)
{
	if (SPI_execute_plan(scim_audit_plan("SELECT n.nspname FROM pg_catalog.pg_extension e"
										 " JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) e.extnamespace"
										 " WHERE e.extname OPERATOR(pg_catalog.=) 'pgcrypto'", 0, NULL, true),
						 NULL, NULL, true, 1) != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "the extension pgcrypto is not there");
	return quote_identifier(SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1));
}

/* The password as it is hashed and compared. */
static Datum
prepared(const char *ptr, size_t len)
{
	ScimBuf		buf;
	text	   *password;

	scim_buf_init(&buf, NULL, 4 * len + 1);
	scim_buf_str(&buf, "");
	scim_opaque_string(&buf, ptr, len);
	password = buf.failed ? NULL : (text *) palloc_extended(VARHDRSZ + buf.len, MCXT_ALLOC_NO_OOM);
	if (password != NULL)
	{
		SET_VARSIZE(password, VARHDRSZ + buf.len);
		memcpy(VARDATA(password), buf.data, buf.len);
	}
	scim_buf_free(&buf);
	if (password == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory")));
	return PointerGetDatum(password);
}

bool
scim_audit_password_store(ScimStr tenant, ScimStr user_id, ScimStr password)
{
	static const Oid types[3] = {TEXTOID, UUIDOID, TEXTOID};
	const char *schema = pgcrypto_schema();
	const char *store = psprintf("INSERT INTO scim.user_passwords (tenant, user_id, hash)"
								 " VALUES ($1, $2, %s.crypt($3, %s.gen_salt('bf', %d)))"
								 " ON CONFLICT (tenant, user_id) DO UPDATE"
								 " SET hash = excluded.hash, changed = excluded.changed",
								 schema, schema, BCRYPT_ROUNDS);
	const char *forget = "DELETE FROM scim.user_passwords"
		" WHERE tenant OPERATOR(pg_catalog.=) $1 AND user_id OPERATOR(pg_catalog.=) $2 AND $3 IS NULL";
	bool		given = password.ptr != NULL;
	char		nulls[3] = {' ', ' ', given ? ' ' : 'n'};
	Datum		values[3];
	ScimAuditUser user;

	values[0] = PointerGetDatum(cstring_to_text_with_len(tenant.ptr, tenant.len));
	values[1] = DirectFunctionCall1(uuid_in, CStringGetDatum(pnstrdup(user_id.ptr, user_id.len)));
	values[2] = given ? prepared(password.ptr, password.len) : (Datum) 0;

	user = scim_audit_become(scim_audit_table_owner("scim.user_passwords"));
	if (SPI_execute_plan(scim_audit_plan(given ? store : forget, 3, types, true), values, nulls, false, 0) < 0)
		elog(ERROR, "could not keep a password");
	scim_audit_become_again(user);
	return SPI_processed > 0;
}

/*
 * scim.check_password(user_id uuid, password text) RETURNS boolean: is it the
 * password of this user of the caller's tenant?  Never for a user who is not
 * active.
 */
Datum
scim_audit_check_password(PG_FUNCTION_ARGS)
{
	static const Oid types[3] = {TEXTOID, UUIDOID, TEXTOID};
	const char *tenant = NULL;
	Datum		values[3];
	ScimAuditUser user;
	bool		right;

	if (scim_audit_session_tenant(GetOuterUserId(), SCIM_DUTY_READER, NULL, &tenant) != SCIM_TENANT_OK)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to check passwords"),
				 errdetail("The role needs the duty \"reader\" for the tenant the session works in.")));
	values[0] = CStringGetTextDatum(tenant);
	values[1] = PG_GETARG_DATUM(0);
	values[2] = prepared(VARDATA_ANY(PG_GETARG_TEXT_PP(1)), VARSIZE_ANY_EXHDR(PG_GETARG_TEXT_PP(1)));

	SPI_connect();
	user = scim_audit_become(scim_audit_table_owner("scim.user_passwords"));
	if (SPI_execute_plan(scim_audit_plan(psprintf("SELECT FROM scim.user_passwords p"
												  " JOIN scim.users u ON u.tenant OPERATOR(pg_catalog.=) p.tenant"
												  " AND u.id OPERATOR(pg_catalog.=) p.user_id"
												  " WHERE p.tenant OPERATOR(pg_catalog.=) $1 AND p.user_id OPERATOR(pg_catalog.=) $2"
												  " AND u.active IS NOT FALSE"
												  " AND %s.crypt($3, p.hash) OPERATOR(pg_catalog.=) p.hash",
												  pgcrypto_schema()), 3, types, true),
						 values, NULL, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not read a password");
	right = SPI_processed > 0;
	scim_audit_become_again(user);
	SPI_finish();
	PG_RETURN_BOOL(right);
}
