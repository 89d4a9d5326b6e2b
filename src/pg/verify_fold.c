/*
 * verify_fold.c
 *		SQL functions by which verify() compares rows with their history.
 *
 * A row's history need not be replayed to know what it led to.  Give each
 * pair of a column's name and value a random-looking number, a keyed hash; add
 * the numbers of all that ever came (detail.new) and subtract those of all
 * that went (detail.old): each value but the last both came and went, so what
 * is left is the sum over the row as it should be now, nothing for a deleted
 * row.  The order of events does not matter, nor how many there are, and both
 * sides are one GROUP BY that the executor can spill.  The key is new for each
 * run, so no values can be chosen that cancel out; sums have 128 bits.
 *
 * Nothing here raises an ERROR over a detail that somebody has altered.
 */
#include "pg/compat.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/uuid.h"

#include "core/members.h"
#include "pg/json_text.h"
#include "pg/key_digest.h"
#include "pg/log.h"

PG_FUNCTION_INFO_V1(scim_audit_fold_step);
PG_FUNCTION_INFO_V1(scim_audit_fold_combine);
PG_FUNCTION_INFO_V1(scim_audit_key_before);


/* A sum: two 64-bit numbers in the bytes of a uuid, each modulo 2^64. */
typedef struct Sum
{
	uint64		part[2];
} Sum;

static Sum
get_sum(pg_uuid_t *uuid)
{
	Sum			sum;

	memcpy(&sum, uuid->data, UUID_LEN);
	return sum;
}

/* Into the aggregate's own state where there is one, else into a copy. */
static Datum
return_sum(FunctionCallInfo fcinfo, Sum sum)
{
	pg_uuid_t  *state = AggCheckCallContext(fcinfo, NULL) ? PG_GETARG_UUID_P(0) : palloc(sizeof(pg_uuid_t));

	memcpy(state->data, &sum, UUID_LEN);
	PG_RETURN_UUID_P(state);
}

/* Add the numbers of an object's members that are not null, or subtract them. */
static void
fold_values(Sum *sum, ScimStr object, const Sum *seed, bool add)
{
	ScimMembers members;
	ScimMember	member;
	int			i;

	scim_members_begin(&members, object);
	while (scim_members_next(&members, &member))
	{
		if (member.value.len == 4 && memcmp(member.value.ptr, "null", 4) == 0)
			continue;
		for (i = 0; i < lengthof(sum->part); i++)
		{
			uint64		number = hash_bytes_extended((const unsigned char *) member.whole.ptr,
													 (int) member.whole.len, seed->part[i]);

			sum->part[i] += add ? number : -number;
		}
	}
}

/*
 * scim_audit.fold_step(state uuid, detail json or text, seed uuid) RETURNS uuid: add
 * the values of detail.new, subtract those of detail.old.
 */
Datum
scim_audit_fold_step(PG_FUNCTION_ARGS)
{
	Sum			sum = get_sum(PG_GETARG_UUID_P(0));
	struct varlena *detail = PG_GETARG_VARLENA_PP(1);
	Sum			seed = get_sum(PG_GETARG_UUID_P(2));
	ScimMembers members;
	ScimMember	member;

	scim_members_begin(&members, (ScimStr) {VARDATA_ANY(detail), VARSIZE_ANY_EXHDR(detail)});
	while (scim_members_next(&members, &member))
	{
		if (member.name.len == 5 && memcmp(member.name.ptr, "\"old\"", 5) == 0)
			fold_values(&sum, member.value, &seed, false);
		else if (member.name.len == 5 && memcmp(member.name.ptr, "\"new\"", 5) == 0)
			fold_values(&sum, member.value, &seed, true);
	}
	return return_sum(fcinfo, sum);
}

/* scim_audit.fold_combine(a uuid, b uuid) RETURNS uuid: the sum of two sums */
Datum
scim_audit_fold_combine(PG_FUNCTION_ARGS)
{
	Sum			sum = get_sum(PG_GETARG_UUID_P(0));
	Sum			other = get_sum(PG_GETARG_UUID_P(1));

	sum.part[0] += other.part[0];
	sum.part[1] += other.part[1];
	return return_sum(fcinfo, sum);
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
