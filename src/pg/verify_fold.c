/*
 * verify_fold.c
 *		SQL functions by which verify() compares rows with their history.
 *
 * A row's history need not be replayed to know what it led to.  Add the
 * numbers (verify_sum.h) of all values that ever came (detail.new) and subtract
 * those of all that went (detail.old): each value but the last both came and
 * went, so what is left is the sum over the row as it should be now, nothing
 * for a deleted row.  The order of events does not matter, nor how many there
 * are, and both sides are one GROUP BY that the executor can spill.
 *
 * Nothing here raises an ERROR over a detail that somebody has altered.
 */
#include "pg/compat.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "core/members.h"
#include "pg/json_text.h"
#include "pg/key_digest.h"
#include "pg/log.h"
#include "pg/verify_sum.h"

PG_FUNCTION_INFO_V1(scim_audit_fold_step);
PG_FUNCTION_INFO_V1(scim_audit_fold_combine);
PG_FUNCTION_INFO_V1(scim_audit_key_before);


/* What is left of an object; null is no value, the row has nothing there. */
static uint64
sum_members(ScimMembers *members, uint64 key)
{
	ScimMember	member;
	uint64		sum = 0;

	while (scim_members_next(members, &member))
	{
		if (member.value.len != 4 || memcmp(member.value.ptr, "null", 4) != 0)
			sum += scim_audit_number(member.whole, key);
	}
	return sum;
}

uint64
scim_audit_sum_detail(ScimStr detail, uint64 key)
{
	ScimMembers members;
	ScimMembers inner;
	ScimStr		name;
	uint64		sum = 0;

	scim_members_begin(&members, detail);
	while (scim_members_name(&members, &name))
	{
		bool		old = name.len == 5 && memcmp(name.ptr, "\"old\"", 5) == 0;
		bool		new = name.len == 5 && memcmp(name.ptr, "\"new\"", 5) == 0;

		if (!old && !new)
		{
			scim_members_value(&members);
			continue;
		}
		scim_members_enter(&members, &inner);
		sum += new ? sum_members(&inner, key) : -sum_members(&inner, key);
		scim_members_leave(&members, &inner);
	}
	return sum;
}

/*
 * scim_audit.fold_step(state bigint, detail json or text, key bigint) RETURNS bigint:
 * add the values of detail.new, subtract those of detail.old.
 */
Datum
scim_audit_fold_step(PG_FUNCTION_ARGS)
{
	struct varlena *detail = PG_GETARG_VARLENA_PP(1);

	PG_RETURN_INT64((uint64) PG_GETARG_INT64(0) +
					scim_audit_sum_detail((ScimStr) {VARDATA_ANY(detail), VARSIZE_ANY_EXHDR(detail)}, PG_GETARG_INT64(2)));
}

/* scim_audit.fold_combine(a bigint, b bigint) RETURNS bigint: the sum, modulo 2^64 */
Datum
scim_audit_fold_combine(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64((uint64) PG_GETARG_INT64(0) + (uint64) PG_GETARG_INT64(1));
}

/* The name of a column as it stands before the colon. */
static ScimStr
quoted_name(Datum name)
{
	StringInfoData out;

	initStringInfo(&out);
	scim_audit_json_string(&out, VARDATA_ANY(DatumGetPointer(name)), VARSIZE_ANY_EXHDR(DatumGetPointer(name)));
	return (ScimStr) {out.data, out.len};
}

/* The key of one column that an update changed, as text. */
static ScimStr
single_key_before(ScimStr old, Datum name)
{
	ScimStr		value = scim_member_value(old, quoted_name(name));
	char	   *text;

	if (value.len == 0 || value.ptr[0] != '"')
		return value;
	text = palloc(value.len);
	return (ScimStr) {text, scim_member_unescape(value, text)};
}

/* The key of several columns: the one after, with the old values of those that changed; a null is not told. */
static ScimStr
joined_key_before(ScimStr after, ScimStr old, ScimStr new, const Datum *names, int n_names)
{
	StringInfoData out;
	ScimMembers elements;
	ScimStr		value;
	int			i;

	initStringInfo(&out);
	scim_elements_begin(&elements, after);
	for (i = 0; i < n_names && scim_elements_next(&elements, &value); i++)
	{
		ScimStr		name = quoted_name(names[i]);
		ScimStr		before = scim_member_value(old, name);

		appendStringInfoChar(&out, i == 0 ? '[' : ',');
		if (before.ptr != NULL)
			value = before;
		else if (scim_member_value(new, name).ptr != NULL)
			value = SCIM_STR("null");
		appendBinaryStringInfo(&out, value.ptr, (int) value.len);
	}
	appendStringInfoChar(&out, ']');
	return (ScimStr) {out.data, out.len};
}

/* The digest of the personal key that an update changed; absent when it was no personal key. */
static ScimStr
personal_key_before(ScimStr detail)
{
	ScimStr		value = scim_member_value(detail, SCIM_STR("\"key_before\""));
	char	   *text;

	if (value.len == 0 || value.ptr[0] != '"')
		return SCIM_STR_NONE;
	text = palloc(value.len);
	return scim_audit_key_digest((ScimStr) {text, scim_member_unescape(value, text)});
}

/*
 * scim_audit.key_before(resource_id text, detail json, keys text[]) RETURNS text: the
 * resource_id that a row had before the update that changed its key.
 */
Datum
scim_audit_key_before(PG_FUNCTION_ARGS)
{
	text	   *after = PG_GETARG_TEXT_PP(0);
	struct varlena *json = PG_GETARG_VARLENA_PP(1);
	ScimStr		detail = {VARDATA_ANY(json), VARSIZE_ANY_EXHDR(json)};
	ScimStr		old = scim_member_value(detail, SCIM_STR("\"old\""));
	Datum	   *names;
	bool	   *nulls;
	int			n_names;
	ScimStr		before;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(2), TEXTOID, -1, false, TYPALIGN_INT, &names, &nulls, &n_names);
	before = personal_key_before(detail);
	if (before.ptr != NULL)
		PG_RETURN_TEXT_P(cstring_to_text_with_len(before.ptr, (int) before.len));
	if (n_names == 1)
		before = single_key_before(old, names[0]);
	else
		before = joined_key_before((ScimStr) {VARDATA_ANY(after), VARSIZE_ANY_EXHDR(after)}, old,
								   scim_member_value(detail, SCIM_STR("\"new\"")), names, n_names);
	if (before.ptr == NULL)
		PG_RETURN_NULL();
	scim_audit_cap_resource_id(&before);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(before.ptr, (int) before.len));
}
