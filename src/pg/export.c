/*
 * export.c
 *		The event of an export of the log.
 *
 * The export itself is SQL with the rights of whoever asks
 * (extension/62_views_api.sql); only what it leaves behind needs more.
 */
#include "pg/compat.h"

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "pg/duty.h"
#include "pg/json_text.h"
#include "pg/log.h"

PG_FUNCTION_INFO_V1(scim_audit_log_export);

static void
append_text(StringInfo detail, const char *name, FunctionCallInfo fcinfo, int number)
{
	char	   *value;

	if (PG_ARGISNULL(number))
		return;
	value = text_to_cstring(PG_GETARG_TEXT_PP(number));
	appendStringInfo(detail, "%s\"%s\":", detail->len > 1 ? "," : "", name);
	scim_audit_json_string(detail, value, strlen(value));
}

/*
 * scim_audit.log_export(resource text, format text, before text, rows bigint)
 *		RETURNS void: an auditor has exported rows of a view.  Like log.verify,
 *		the event is for the auditor's tenant where it has just one.
 */
Datum
scim_audit_log_export(PG_FUNCTION_ARGS)
{
	ScimAuditTenants tenants = scim_audit_duty_tenants(GetUserId(), SCIM_DUTY_AUDITOR);
	StringInfoData detail;

	if (!tenants.all && tenants.n == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("role \"%s\" is no auditor", GetUserNameFromId(GetUserId(), false))));
	initStringInfo(&detail);
	appendStringInfoChar(&detail, '{');
	append_text(&detail, "resource", fcinfo, 0);
	append_text(&detail, "format", fcinfo, 1);
	append_text(&detail, "before", fcinfo, 2);
	if (!PG_ARGISNULL(3))
		appendStringInfo(&detail, "%s\"rows\":" INT64_FORMAT, detail.len > 1 ? "," : "", PG_GETARG_INT64(3));
	appendStringInfoChar(&detail, '}');
	scim_audit_log_simple("admin", "export", "log.export", !tenants.all && tenants.n == 1 ? tenants.tenant[0] : NULL,
						  NULL, NULL, (ScimStr) {detail.data, detail.len});
	PG_RETURN_VOID();
}
