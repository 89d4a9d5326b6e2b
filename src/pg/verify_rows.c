/*
 * verify_rows.c
 *		Audited tables against the log, and details that are gone (see
 *		verify.h).
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
 * What counts of a table's history begins with the last TRUNCATE, or the last
 * track(), whichever is later.  Not compared: tables tracked without a
 * baseline (until a TRUNCATE), and rows of which an event's detail was
 * erased.  Of a membership, the resource's members are compared as a whole.
 * When an UPDATE changed a row's key, its history is filed under two keys;
 * so where a table has such events, differences that cancel out together
 * are none.
 */
#include "pg/compat.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "parser/parse_func.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "core/members.h"
#include "pg/hash.h"
#include "pg/log.h"
#include "pg/tracked.h"
#include "pg/verify.h"

#define FETCH_ROWS 256

PG_FUNCTION_INFO_V1(scim_audit_fold_step);
PG_FUNCTION_INFO_V1(scim_audit_fold_combine);
PG_FUNCTION_INFO_V1(scim_audit_row_state);


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
 * scim_audit.fold_step(state uuid, detail json, seed uuid) RETURNS uuid: add
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
	appendStringInfoString(&detail, "{\"new\":");
	scim_audit_row_json(&detail, table, values, nulls, NULL);
	appendStringInfoChar(&detail, '}');
	state[2] = PointerGetDatum(cstring_to_text_with_len(detail.data, detail.len));
}

/* scim_audit.row_state(tbl regclass, r record) RETURNS text[]: resource_id, tenant, detail */
Datum
scim_audit_row_state(PG_FUNCTION_ARGS)
{
	Relation	relation = table_open(PG_GETARG_OID(0), AccessShareLock);
	HeapTupleHeader header = PG_GETARG_HEAPTUPLEHEADER(1);
	HeapTupleData tuple = {.t_len = HeapTupleHeaderGetDatumLength(header), .t_data = header};
	int			natts = RelationGetDescr(relation)->natts;
	Datum	   *values = palloc(natts * sizeof(Datum));
	bool	   *nulls = palloc(natts * sizeof(bool));
	const Trigger *trigger = scim_audit_row_trigger(relation);
	const ScimAuditTable *table;
	int			nest_level = 0;
	Datum		state[3];
	bool		absent[3];
	int			dims[1] = {3};
	int			lower[1] = {1};

	if (trigger == NULL || HeapTupleHeaderGetTypeId(header) != RelationGetForm(relation)->reltype)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("the record is not a row of an audited table \"%s\"", RelationGetRelationName(relation))));
	table = scim_audit_tracked(relation, trigger);
	heap_deform_tuple(&tuple, RelationGetDescr(relation), values, nulls);
	if (table->pinned)
		nest_level = scim_audit_pin_settings();
	fill_state(table, values, nulls, state, absent);
	if (table->pinned)
		scim_audit_unpin_settings(nest_level);
	table_close(relation, AccessShareLock);
	PG_RETURN_ARRAYTYPE_P(construct_md_array(state, absent, 1, dims, lower, TEXTOID, -1, false, TYPALIGN_INT));
}

/* Oids of the tables that have a row trigger of ours; a partition counts with its parent. */
static List *
audited_tables(void)
{
	Oid			function = LookupFuncName(list_make2(makeString("scim_audit"), makeString("record_change")), 0, NULL, false);
	Relation	triggers = table_open(TriggerRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(triggers, InvalidOid, false, NULL, 0, NULL);
	HeapTuple	tuple;
	List	   *tables = NIL;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_trigger trigger = (Form_pg_trigger) GETSTRUCT(tuple);

		if (trigger->tgfoid == function && !OidIsValid(trigger->tgparentid))
			tables = list_append_unique_oid(tables, trigger->tgrelid);
	}
	systable_endscan(scan);
	table_close(triggers, AccessShareLock);
	return tables;
}

/* 'text' as an SQL literal that no setting can change the meaning of. */
static void
append_literal(StringInfo sql, ScimStr text)
{
	appendStringInfoString(sql, quote_literal_cstr(pnstrdup(text.ptr, text.len)));
}

/* One audited table's part of the two lists that the query is made of. */
static void
append_table(StringInfo kinds, StringInfo rows, Oid oid)
{
	Relation	relation = relation_open(oid, AccessShareLock);
	const ScimAuditTable *table = scim_audit_tracked(relation, scim_audit_row_trigger(relation));
	bool		partitioned = relation->rd_rel->relkind == RELKIND_PARTITIONED_TABLE;
	const char *name = quote_qualified_identifier(get_namespace_name(RelationGetNamespace(relation)),
												  RelationGetRelationName(relation));
	int			i;

	appendStringInfoString(kinds, kinds->len > 0 ? ", (" : "(");
	append_literal(kinds, table->resource_type);
	appendStringInfo(kinds, ", %s, ", table->is_link ? "true" : "false");
	append_literal(kinds, table->event_prefix);
	appendStringInfoString(kinds, ", ARRAY[");
	for (i = 0; i < table->n_keys; i++)
	{
		appendStringInfoString(kinds, i > 0 ? ", " : "");
		append_literal(kinds, table->columns[table->keys[i]].name);
	}
	appendStringInfoString(kinds, "]::text[])");

	appendStringInfoString(rows, rows->len > 0 ? " UNION ALL SELECT " : "SELECT ");
	append_literal(rows, table->resource_type);
	appendStringInfo(rows, "::text, %s, s.state FROM (SELECT scim_audit.row_state(%u::regclass, t) AS state FROM %s%s t OFFSET 0) s",
					 table->is_link ? "true" : "false", oid, partitioned ? "" : "ONLY ", name);
	relation_close(relation, AccessShareLock);
}

/*
 * kind: the audited tables.  change: their events.  start: where the history
 * that counts begins.  history and present: the two sums of each row.
 */
static char *
rows_query(List *tables)
{
	StringInfoData kinds;
	StringInfoData rows;
	ListCell   *cell;

	initStringInfo(&kinds);
	initStringInfo(&rows);
	foreach(cell, tables)
		append_table(&kinds, &rows, lfirst_oid(cell));
	return psprintf(
		"WITH kind (resource_type, is_link, prefix, keys) AS MATERIALIZED (VALUES %s),"
		" start AS MATERIALIZED (SELECT DISTINCT ON (resource_type, is_link) * FROM ("
		"  SELECT k.resource_type, k.is_link, e.at, e.tx_id, e.n,"
		"   e.action = 'truncate' OR (e.detail->>'baseline') IS DISTINCT FROM 'false' AS complete"
		"  FROM scim_audit.events e JOIN kind k ON k.resource_type = e.resource_type"
		"  WHERE (e.category = 'change' AND e.action = 'truncate' AND e.event_type = k.prefix || 'truncate')"
		"   OR (e.category = 'admin' AND e.event_type = 'table.track')) s"
		"  ORDER BY resource_type, is_link, at DESC, tx_id DESC, n DESC),"
		" history AS (SELECT k.resource_type, k.is_link, e.resource_id, scim_audit.fold(e.detail, $1) AS print,"
		"   bool_or(e.detail IS NULL) AS erased, bool_or(e.changed && k.keys) AS rekeyed,"
		"   max(e.tx_id::text || lpad(e.n::text, 10, '0') COLLATE \"C\") AS last, max(e.tenant COLLATE \"C\") AS tenant"
		"  FROM scim_audit.events e"
		"  JOIN kind k ON k.resource_type = e.resource_type AND k.is_link = (EXISTS ("
		"   SELECT FROM kind l WHERE l.is_link AND l.resource_type = e.resource_type AND starts_with(e.event_type, l.prefix)))"
		"  LEFT JOIN start s ON s.resource_type = k.resource_type AND s.is_link = k.is_link"
		"  WHERE e.category = 'change' AND e.action IN ('insert', 'update', 'delete')"
		"   AND (s.tx_id IS NULL OR (e.tx_id = s.tx_id AND e.n > s.n) OR (e.tx_id <> s.tx_id AND e.at >= s.at))"
		"  GROUP BY k.resource_type, k.is_link, e.resource_id),"
		" present AS (SELECT r.resource_type, r.is_link, r.state[1] AS resource_id, scim_audit.fold(r.state[3]::json, $1) AS print,"
		"   max(r.state[2] COLLATE \"C\") AS tenant"
		"  FROM (%s) r (resource_type, is_link, state) GROUP BY r.resource_type, r.is_link, r.state[1]),"
		" different AS (SELECT resource_type, is_link, resource_id, coalesce(p.tenant, h.tenant) AS tenant, h.last,"
		"   p.print IS NOT NULL AS present, bool_or(h.rekeyed) OVER w AS rekeyed,"
		"   scim_audit.fold_sum(h.print) OVER w = scim_audit.fold_sum(p.print) OVER w AS together"
		"  FROM history h FULL JOIN present p USING (resource_type, is_link, resource_id)"
		"  LEFT JOIN start s USING (resource_type, is_link)"
		"  WHERE coalesce(h.print, $2) <> coalesce(p.print, $2) AND h.erased IS NOT TRUE AND s.complete IS NOT FALSE"
		"  WINDOW w AS (PARTITION BY resource_type, is_link))"
		" SELECT resource_type, is_link, resource_id, tenant, left(last, 36)::uuid, substr(last, 37)::integer, present"
		" FROM different WHERE rekeyed IS NOT TRUE OR NOT together ORDER BY resource_type, is_link, resource_id COLLATE \"C\"",
		kinds.data, rows.data);
}

/* Read a cursor of (…) rows, calling each for every one. */
static void
for_each_row(ScimAuditCheck *check, Portal portal, void (*each) (ScimAuditCheck *check, HeapTuple row, TupleDesc desc))
{
	for (;;)
	{
		SPITupleTable *table;
		uint64		count;
		uint64		i;

		SPI_cursor_fetch(portal, true, FETCH_ROWS);
		table = SPI_tuptable;
		count = SPI_processed;
		for (i = 0; i < count; i++)
		{
			CHECK_FOR_INTERRUPTS();
			each(check, table->vals[i], table->tupdesc);
		}
		SPI_freetuptable(table);
		if (count == 0)
			break;
	}
	SPI_cursor_close(portal);
}

/* Event coordinates and tenant from columns of a row; null ones are left out. */
static void
fill_event(ScimFinding *finding, HeapTuple row, TupleDesc desc, int tenant, int tx_id, int n)
{
	bool		isnull;
	Datum		value = SPI_getbinval(row, desc, tx_id, &isnull);
	char	   *name = SPI_getvalue(row, desc, tenant);

	finding->of_event = true;
	if (name != NULL)
		finding->tenant = (ScimStr) {name, strlen(name)};
	if (isnull)
		return;
	finding->has_tx = finding->has_n = true;
	memcpy(finding->tx_id, DatumGetUUIDP(value)->data, UUID_LEN);
	finding->n = DatumGetInt32(SPI_getbinval(row, desc, n, &isnull));
}

static void
report_row(ScimAuditCheck *check, HeapTuple row, TupleDesc desc)
{
	ScimFinding finding = {.rule = "row_mismatch"};
	char	   *type = SPI_getvalue(row, desc, 1);
	char	   *id = SPI_getvalue(row, desc, 3);
	bool		isnull;
	bool		is_link = DatumGetBool(SPI_getbinval(row, desc, 2, &isnull));
	bool		present = DatumGetBool(SPI_getbinval(row, desc, 7, &isnull));

	fill_event(&finding, row, desc, 4, 5, 6);
	snprintf(finding.message, sizeof finding.message, "%s%s %s %s", is_link ? "The members of " : "", type,
			 id == NULL ? "without a key" : id,
			 is_link ? "are not those that the log tells of." :
			 !present ? "is gone, and no event says so." :
			 !finding.has_tx ? "is there, and no event says so." : "is not what its last event left.");
	scim_audit_verify_report(check, &finding);
}

void
scim_audit_verify_rows(ScimAuditCheck *check)
{
	List	   *tables = audited_tables();
	Oid			types[2] = {UUIDOID, UUIDOID};
	pg_uuid_t	seed;
	pg_uuid_t	zero = {{0}};
	Datum		values[2] = {UUIDPGetDatum(&seed), UUIDPGetDatum(&zero)};

	if (tables == NIL)
		return;
	scim_audit_random(seed.data, UUID_LEN);
	for_each_row(check, SPI_cursor_open_with_args(NULL, rows_query(tables), 2, types, values, NULL, true, 0), report_row);
}

static void
report_erased(ScimAuditCheck *check, HeapTuple row, TupleDesc desc)
{
	ScimFinding finding = {.rule = "erased_unrecorded"};
	bool		isnull;

	fill_event(&finding, row, desc, 1, 2, 3);
	finding.chain = DatumGetInt32(SPI_getbinval(row, desc, 4, &isnull));
	finding.seq = DatumGetInt64(SPI_getbinval(row, desc, 5, &isnull));
	finding.has_seal = !isnull;
	snprintf(finding.message, sizeof finding.message, "The detail of this event is gone, and no erasure says so.");
	scim_audit_verify_report(check, &finding);
}

/*
 * An event log.erase names what it erased as detail.events, an array of
 * event ids ("tx_id:n").
 */
void
scim_audit_verify_erased(ScimAuditCheck *check)
{
	Oid			types[2] = {UUIDOID, UUIDOID};
	Datum		values[2] = {UUIDPGetDatum(&check->from), UUIDPGetDatum(&check->to)};

	for_each_row(check, SPI_cursor_open_with_args(NULL,
		"SELECT e.tenant, e.tx_id, e.n, s.chain, s.seq FROM scim_audit.events e"
		" LEFT JOIN scim_audit.seals s ON s.tx_id = e.tx_id"
		" WHERE e.tx_id >= $1 AND e.tx_id <= $2"
		" AND e.detail IS NULL AND e.detail_salt IS NULL AND e.detail_hash IS NOT NULL"
		" AND NOT EXISTS (SELECT FROM scim_audit.events x, json_array_elements_text("
		"  CASE WHEN json_typeof(x.detail->'events') = 'array' THEN x.detail->'events' END) i (event_id)"
		"  WHERE x.event_type = 'log.erase' AND i.event_id = e.tx_id::text || ':' || e.n::text)"
		" ORDER BY e.tx_id, e.n", 2, types, values, NULL, true, 0), report_erased);
}
