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

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/uuid.h"

#include "core/members.h"
#include "pg/json_text.h"
#include "pg/key_digest.h"
#include "pg/log.h"
#include "pg/tracked.h"
#include "pg/verify.h"
#include "pg/verify_sum.h"

PG_FUNCTION_INFO_V1(scim_audit_fold_step);
PG_FUNCTION_INFO_V1(scim_audit_fold_combine);
PG_FUNCTION_INFO_V1(scim_audit_row_state);
PG_FUNCTION_INFO_V1(scim_audit_row_sum);
PG_FUNCTION_INFO_V1(scim_audit_key_before);


/* Into the aggregate's own state where there is one, else into a copy. */
static Datum
return_sum(FunctionCallInfo fcinfo, ScimAuditSum sum)
{
	pg_uuid_t  *state = AggCheckCallContext(fcinfo, NULL) ? PG_GETARG_UUID_P(0) : palloc(sizeof(pg_uuid_t));

	memcpy(state->data, &sum, UUID_LEN);
	PG_RETURN_UUID_P(state);
}

/* Count what is left of an object; null is no value, the row has nothing there. */
static void
sum_members(ScimAuditSum *sum, ScimMembers *members, const ScimAuditSum *key, bool add)
{
	ScimMember	member;

	while (scim_members_next(members, &member))
	{
		if (member.value.len != 4 || memcmp(member.value.ptr, "null", 4) != 0)
			scim_audit_sum_count(sum, member.whole, key, add);
	}
}

void
scim_audit_sum_detail(ScimAuditSum *sum, ScimStr detail, const ScimAuditSum *key)
{
	ScimMembers members;
	ScimMembers inner;
	ScimStr		name;

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
		sum_members(sum, &inner, key, new);
		scim_members_leave(&members, &inner);
	}
}

/* Add the values of a row. */
static void
sum_row(ScimAuditSum *sum, const ScimAuditTable *table, const Datum *values, const bool *nulls, const ScimAuditSum *key)
{
	StringInfoData member;

	initStringInfo(&member);
	for (int i = 0; i < table->n_columns; i++)
	{
		const ScimAuditColumn *column = &table->columns[i];
		int			value = (int) column->member.len;

		if (column->excluded || nulls[i])
			continue;
		resetStringInfo(&member);
		scim_audit_column_json(&member, column, values[i]);
		if (member.len - value != 4 || memcmp(member.data + value, "null", 4) != 0)
			scim_audit_sum_count(sum, (ScimStr) {member.data, member.len}, key, true);
	}
}

/*
 * scim_audit.fold_step(state uuid, detail json or text, key uuid) RETURNS uuid: add
 * the values of detail.new, subtract those of detail.old.
 */
Datum
scim_audit_fold_step(PG_FUNCTION_ARGS)
{
	ScimAuditSum sum = scim_audit_sum_get(PG_GETARG_UUID_P(0));
	struct varlena *detail = PG_GETARG_VARLENA_PP(1);
	ScimAuditSum key = scim_audit_sum_get(PG_GETARG_UUID_P(2));

	scim_audit_sum_detail(&sum, (ScimStr) {VARDATA_ANY(detail), VARSIZE_ANY_EXHDR(detail)}, &key);
	return return_sum(fcinfo, sum);
}

/* scim_audit.fold_combine(a uuid, b uuid) RETURNS uuid: the sum of two sums */
Datum
scim_audit_fold_combine(PG_FUNCTION_ARGS)
{
	ScimAuditSum sum = scim_audit_sum_get(PG_GETARG_UUID_P(0));
	ScimAuditSum other = scim_audit_sum_get(PG_GETARG_UUID_P(1));

	scim_audit_sum_add(&sum, &other);
	return return_sum(fcinfo, sum);
}

static Datum
text_datum(ScimStr text)
{
	return PointerGetDatum(cstring_to_text_with_len(text.ptr, (int) text.len));
}

/* The row's resource_id and tenant as an event would have them, and {"new": its values}. */
static void
fill_state(const ScimAuditTable *table, const Datum *values, const bool *nulls,
		   Datum state[3], bool absent[3])
{
	ScimStr		key = scim_audit_row_key(table, values, nulls);
	StringInfoData detail;

	absent[0] = key.ptr == NULL;
	scim_audit_cap_resource_id(&key);
	if (!absent[0])
		state[0] = text_datum(key);
	absent[1] = table->tenant < 0 || nulls[table->tenant];
	if (!absent[1])
		state[1] = text_datum(scim_audit_value_text(table->columns[table->tenant].type, values[table->tenant]));
	absent[2] = false;
	initStringInfo(&detail);
	appendStringInfoChar(&detail, '{');
	scim_audit_append_plain_key(&detail, "key", table, values, nulls);
	appendStringInfoString(&detail, "\"new\":");
	scim_audit_row_json(&detail, table, values, nulls, NULL);
	appendStringInfoChar(&detail, '}');
	state[2] = PointerGetDatum(cstring_to_text_with_len(detail.data, detail.len));
}

/* A row given as a record, and how its table is audited. */
typedef struct Row
{
	Relation	relation;
	const ScimAuditTable *table;
	Datum	   *values;
	bool	   *nulls;
} Row;

/* Of arguments (tbl regclass, r record). */
static Row
open_row(FunctionCallInfo fcinfo)
{
	Row			row = {.relation = table_open(PG_GETARG_OID(0), AccessShareLock)};
	HeapTupleHeader header = PG_GETARG_HEAPTUPLEHEADER(1);
	HeapTupleData tuple = {.t_len = HeapTupleHeaderGetDatumLength(header), .t_data = header};
	int			natts = RelationGetDescr(row.relation)->natts;
	const Trigger *trigger = scim_audit_row_trigger(row.relation);

	if (trigger == NULL || HeapTupleHeaderGetTypeId(header) != RelationGetForm(row.relation)->reltype)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("the record is not a row of an audited table \"%s\"", RelationGetRelationName(row.relation))));
	row.table = scim_audit_tracked(row.relation, trigger);
	row.values = palloc(natts * sizeof(Datum));
	row.nulls = palloc(natts * sizeof(bool));
	heap_deform_tuple(&tuple, RelationGetDescr(row.relation), row.values, row.nulls);
	return row;
}

/* scim_audit.row_state(tbl regclass, r record) RETURNS text[]: resource_id, tenant, detail */
Datum
scim_audit_row_state(PG_FUNCTION_ARGS)
{
	Row			row = open_row(fcinfo);
	int			nest_level = 0;
	Datum		state[3];
	bool		absent[3];
	int			dims[1] = {3};
	int			lower[1] = {1};

	if (row.table->pinned)
		nest_level = scim_audit_pin_settings();
	fill_state(row.table, row.values, row.nulls, state, absent);
	if (row.table->pinned)
		scim_audit_unpin_settings(nest_level);
	table_close(row.relation, AccessShareLock);
	PG_RETURN_ARRAYTYPE_P(construct_md_array(state, absent, 1, dims, lower, TEXTOID, -1, false, TYPALIGN_INT));
}

/*
 * scim_audit.row_sum(tbl regclass, r record, key uuid) RETURNS uuid: the sum of the
 * row's values, by a key of its own.  Called where settings are pinned, if the table wants that.
 */
Datum
scim_audit_row_sum(PG_FUNCTION_ARGS)
{
	Row			row = open_row(fcinfo);
	ScimAuditSum key = scim_audit_sum_get(PG_GETARG_UUID_P(2));
	ScimStr		id = scim_audit_row_key(row.table, row.values, row.nulls);
	pg_uuid_t  *sum = palloc0(sizeof(pg_uuid_t));
	ScimAuditSum total = {{0}};

	scim_audit_cap_resource_id(&id);
	if (!scim_audit_is_seeded(row.table->resource_type, id))
	{
		key = scim_audit_sum_key_of(id, &key);
		sum_row(&total, row.table, row.values, row.nulls, &key);
		memcpy(sum->data, &total, UUID_LEN);
	}
	table_close(row.relation, AccessShareLock);
	PG_RETURN_UUID_P(sum);
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

/* The key of several columns: the one after, with the old values where there are some. */
static ScimStr
joined_key_before(ScimStr after, ScimStr old, const Datum *names, int n_names)
{
	StringInfoData out;
	ScimMembers elements;
	ScimStr		value;
	int			i;

	initStringInfo(&out);
	scim_elements_begin(&elements, after);
	for (i = 0; i < n_names && scim_elements_next(&elements, &value); i++)
	{
		ScimStr		before = scim_member_value(old, quoted_name(names[i]));

		appendStringInfoChar(&out, i == 0 ? '[' : ',');
		if (before.ptr != NULL)
			value = before;
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
		return text_datum(before);
	if (n_names == 1)
		before = single_key_before(old, names[0]);
	else
		before = joined_key_before((ScimStr) {VARDATA_ANY(after), VARSIZE_ANY_EXHDR(after)}, old, names, n_names);
	scim_audit_cap_resource_id(&before);
	return text_datum(before);
}
