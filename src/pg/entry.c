/*
 * entry.c
 *		SCIM calls as SQL functions: values in, values out.
 *
 * jsonb comes and goes through its text form, so that no version of its C
 * interface matters.
 */
#include "pg/compat.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

#include "pg/duty.h"
#include "pg/guc.h"
#include "pg/service.h"

PG_FUNCTION_INFO_V1(scim_audit_apply_text);
PG_FUNCTION_INFO_V1(scim_audit_apply_jsonb);
PG_FUNCTION_INFO_V1(scim_audit_provisioned_tenants);

static ScimStr
text_argument(FunctionCallInfo fcinfo, int number)
{
	text	   *value;

	if (PG_ARGISNULL(number))
		return (ScimStr) {NULL, 0};
	value = PG_GETARG_TEXT_PP(number);
	return (ScimStr) {VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value)};
}

/*
 * Is the text of jsonb surely longer than max?  It can be far longer than
 * jsonb itself: 1e131071 has 131,072 digits.
 */
static bool
is_longer_than(Jsonb *jsonb, size_t max)
{
	JsonbIterator *iterator = JsonbIteratorInit(&jsonb->root);
	JsonbIteratorToken token;
	JsonbValue	value;
	size_t		length = 0;

	while (length <= max && (token = JsonbIteratorNext(&iterator, &value, false)) != WJB_DONE)
	{
		if (token != WJB_KEY && token != WJB_VALUE && token != WJB_ELEM)
			continue;
		length++;
		if (value.type == jbvString)
			length += value.val.string.len;
		else if (value.type == jbvNumeric)
		{
			char	   *digits = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value.val.numeric)));

			length += strlen(digits);
			pfree(digits);
		}
	}
	return length > max;
}

/* A jsonb argument as text; where that is longer than max, nothing of max + 1 bytes. */
static ScimStr
jsonb_argument(FunctionCallInfo fcinfo, int number, size_t max)
{
	Jsonb	   *jsonb;
	char	   *value;

	if (PG_ARGISNULL(number))
		return (ScimStr) {NULL, 0};
	jsonb = PG_GETARG_JSONB_P(number);
	if (is_longer_than(jsonb, max))
		return (ScimStr) {"", max + 1};
	value = JsonbToCString(NULL, &jsonb->root, VARSIZE(jsonb));
	return (ScimStr) {value, strlen(value)};
}

/* Serve the call and return the row (status, headers, body). */
static Datum
apply(FunctionCallInfo fcinfo, ScimStr body)
{
	ScimAuditCall call = {{0}};
	ScimAuditReply reply;
	TupleDesc	desc;
	Datum		values[3];
	bool		nulls[3] = {false, false, false};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "scim_apply must return a row");
	call.method = text_argument(fcinfo, 0);
	call.uri = text_argument(fcinfo, 1);
	call.body = body;
	call.headers = jsonb_argument(fcinfo, 3, SCIM_AUDIT_HEADERS_MAX);
	reply = scim_audit_serve(&call);

	values[0] = Int32GetDatum(reply.status);
	values[1] = DirectFunctionCall1(jsonb_in, CStringGetDatum(reply.headers));
	nulls[2] = reply.body == NULL;
	values[2] = nulls[2] ? (Datum) 0 : DirectFunctionCall1(jsonb_in, CStringGetDatum(reply.body));
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls));
}

/* scim.scim_apply(method text, uri text, body text, headers jsonb) */
Datum
scim_audit_apply_text(PG_FUNCTION_ARGS)
{
	return apply(fcinfo, text_argument(fcinfo, 2));
}

/* scim.scim_apply(method text, uri text, body jsonb, headers jsonb) */
Datum
scim_audit_apply_jsonb(PG_FUNCTION_ARGS)
{
	return apply(fcinfo, jsonb_argument(fcinfo, 2, scim_audit_max_body));
}

/*
 * scim.provisioned_tenants() RETURNS text[]: tenants whose provisioning
 * administrator the outer user is; null is every tenant.  The outer user,
 * because scim.recent_requests is SECURITY DEFINER.
 */
Datum
scim_audit_provisioned_tenants(PG_FUNCTION_ARGS)
{
	ScimAuditTenants tenants = scim_audit_duty_tenants(GetOuterUserId(), SCIM_DUTY_PROVISIONING_ADMIN);
	Datum	   *names = palloc(Max(tenants.n, 1) * sizeof(Datum));
	int			i;

	if (tenants.all)
		PG_RETURN_NULL();
	for (i = 0; i < tenants.n; i++)
		names[i] = CStringGetTextDatum(tenants.tenant[i]);
	PG_RETURN_ARRAYTYPE_P(construct_array(names, tenants.n, TEXTOID, -1, false, TYPALIGN_INT));
}
