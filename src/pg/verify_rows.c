/*
 * verify_rows.c
 *		Audited tables against the log (see verify.h).
 *
 * verify_fold.c explains the sums that are compared.
 *
 * What counts of a table's history begins with the last TRUNCATE, or the last
 * track(), whichever is later.  Not compared: tables tracked without a
 * baseline (until a TRUNCATE), rows of which an event's detail was erased,
 * and the tenant "default", which CREATE EXTENSION makes.  Of a membership,
 * the resource's members are compared as a whole.
 * When an UPDATE changed a row's key, its history is filed under two keys; the
 * rows of a table that ever had or got such a key are compared together.
 *
 * An event that the walk put in doubt (altered, or added) is one finding
 * already and shall not make more of the rows it touches.  It is left out of
 * the history; the row it claims to be about is not compared, and a row
 * that lacks exactly what such an event says is taken to be what it was
 * about.  A row whose event is gone does differ, and names it.
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
#include "executor/spi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "parser/parse_func.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "core/text.h"
#include "pg/hash.h"
#include "pg/tracked.h"
#include "pg/verify.h"
#include "pg/verify_schema.h"

#define FETCH_ROWS 256


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

/* A column that the trigger names and the table has no more; NULL when there is none. */
static const char *
missing_column(Relation relation, const Trigger *trigger)
{
	static const char *const arguments[] = {"tenant=", "key=", "exclude=", "redact="};
	int			i;
	int			j;

	for (i = 0; i < trigger->tgnargs; i++)
		for (j = 0; j < lengthof(arguments); j++)
		{
			size_t		len = strlen(arguments[j]);

			if (strncmp(trigger->tgargs[i], arguments[j], len) == 0 &&
				get_attnum(RelationGetRelid(relation), trigger->tgargs[i] + len) == InvalidAttrNumber)
				return trigger->tgargs[i] + len;
		}
	return NULL;
}

/* A trigger that names a column that is gone takes no change any more; that is a finding, not the end of the check. */
static void
report_missing(ScimAuditCheck *check, Relation relation, const char *missing)
{
	ScimFinding finding = {.rule = "config_changed"};

	snprintf(finding.message, sizeof finding.message, "%s cannot be audited: its trigger names the column %s, which does not exist.",
			 RelationGetRelationName(relation), missing);
	scim_audit_verify_report(check, &finding);
}

/* A copy of how the table is audited, as far as it is good while SQL is run: without columns. */
static ScimAuditTable *
copy_table(const ScimAuditTable *table)
{
	ScimAuditTable *copy = palloc(sizeof(ScimAuditTable));

	*copy = *table;
	copy->resource_type.ptr = pnstrdup(table->resource_type.ptr, table->resource_type.len);
	copy->event_prefix.ptr = pnstrdup(table->event_prefix.ptr, table->event_prefix.len);
	copy->columns = NULL;
	return copy;
}

/* Each audited table as a ScimAuditTable, or its missing column told. */
static List *
comparable_tables(ScimAuditCheck *check, bool tell)
{
	List	   *own = NIL;
	List	   *applications = NIL;
	Oid			scim = get_namespace_oid("scim", false);
	ListCell   *cell;

	foreach(cell, audited_tables())
	{
		Relation	relation = relation_open(lfirst_oid(cell), AccessShareLock);
		const Trigger *trigger = scim_audit_row_trigger(relation);
		const char *missing = missing_column(relation, trigger);
		List	  **tables = RelationGetNamespace(relation) == scim ? &own : &applications;

		if (missing == NULL)
			*tables = lappend(*tables, copy_table(scim_audit_tracked(relation, trigger)));
		else if (tell)
			report_missing(check, relation, missing);
		relation_close(relation, AccessShareLock);
	}
	return list_concat(applications, own);
}

List *
scim_audit_verify_tables(ScimAuditCheck *check)
{
	return comparable_tables(check, false);
}

/* Is there a table that keeps the same resources, or memberships, among those of the list? */
static bool
is_listed(List *resources, const ScimAuditTable *table)
{
	ListCell   *cell;

	foreach(cell, resources)
	{
		const ScimAuditTable *other = lfirst(cell);

		if (other->is_resource && other->is_link == table->is_link && scim_str_equal(other->resource_type, table->resource_type))
			return true;
	}
	return false;
}

/* One audited table's part of the two lists that the query is made of; of the first, where it is new. */
static void
append_table(StringInfo kinds, StringInfo rows, const ScimAuditTable *known, List **resources)
{
	Relation	relation = relation_open(known->relation, AccessShareLock);
	ScimAuditTable *table = copy_table(known);

	/* Its columns are those of now, read before SQL is run. */
	table->columns = scim_audit_tracked(relation, scim_audit_row_trigger(relation))->columns;
	if (!table->is_resource || !is_listed(*resources, table))
		scim_audit_append_epochs(kinds, relation, table);
	*resources = lappend(*resources, table);
	appendStringInfoString(rows, rows->len > 0 ? " UNION ALL SELECT " : "SELECT ");
	append_literal(rows, table->resource_type);
	appendStringInfo(rows, "::text, %s, scim_audit.row_states(%u::regclass, %u::regclass)",
					 table->is_link ? "true" : "false", table->relation, table->relation);
	relation_close(relation, AccessShareLock);
}

/*
 * kind: the audited tables, once for each time in which they had the same
 * names (verify_schema.h).  suspect: the events in doubt.  start: where the
 * history that counts begins.  rekeyed: keys that rows gave up or took; '' is
 * that of a row whose key is null.
 * history and present: the two sums of each row.  Each event and each row is
 * made into its number before they are sorted by row (OFFSET 0), so that no
 * detail is sorted.
 */
static const char rows_query[] =
"WITH kind (resource_type, is_link, prefix, keys, alias, since_at, since_tx, since_n, until_at, until_tx, until_n, alterations)"
"  AS MATERIALIZED (VALUES %s),"
" suspect AS MATERIALIZED (SELECT e.tx_id, e.n, e.resource_type, e.resource_id, scim_audit.fold(e.detail, $1) AS print"
"  FROM unnest($3, $4) u (tx_id, n) JOIN scim_audit.events e ON e.tx_id = u.tx_id AND (u.n = -1 OR e.n = u.n)"
"  GROUP BY e.tx_id, e.n, e.resource_type, e.resource_id),"
" start AS MATERIALIZED (SELECT DISTINCT ON (resource_type, is_link) * FROM ("
"  SELECT k.resource_type, k.is_link, e.at, e.tx_id, e.n, e.action <> 'track_changes' AS complete"
"  FROM scim_audit.events e JOIN kind k ON k.alias = e.resource_type AND" SCIM_AUDIT_IN_EPOCH
"  WHERE (e.category = 'change' AND e.action = 'truncate' AND e.event_type = k.prefix || 'truncate')"
"   OR (e.category = 'admin' AND e.event_type = 'table.track' AND e.action <> 'follow')) s"
"  ORDER BY resource_type, is_link, at DESC, tx_id DESC, n DESC),"
" rekeyed AS MATERIALIZED (SELECT DISTINCT k.resource_type, k.is_link, r.key"
"  FROM scim_audit.events e JOIN kind k ON k.alias = e.resource_type AND" SCIM_AUDIT_IN_EPOCH ","
"  LATERAL (VALUES (coalesce(e.resource_id, '')),"
"   (coalesce(scim_audit.key_before(coalesce(e.resource_id, ''), e.detail, k.keys), ''))) r (key)"
"  WHERE e.category = 'change' AND e.action = 'update' AND e.changed && k.keys"
"   AND (e.tx_id, e.n) NOT IN (SELECT d.tx_id, d.n FROM suspect d)),"
" history AS (SELECT resource_type, is_link, joint, id, scim_audit.fold_sum(print) AS print, bool_or(erased) AS erased,"
"   max(last COLLATE \"C\") AS last, min(of COLLATE \"C\") AS first_tenant, max(of COLLATE \"C\") AS tenant"
"  FROM (SELECT k.resource_type, k.is_link, r.key IS NOT NULL AS joint,"
"   CASE WHEN r.key IS NULL THEN coalesce(e.resource_id, '') ELSE '' END AS id,"
"   scim_audit.fold_step($2, CASE WHEN k.alterations IS NULL THEN e.detail ELSE scim_audit.as_now(e.detail, e.action, k.alterations) END, $1) AS print,"
"   e.detail IS NULL AS erased, e.tx_id::text || lpad(e.n::text, 10, '0') AS last, e.tenant AS of"
"  FROM scim_audit.events e"
"  JOIN kind k ON k.alias = e.resource_type AND" SCIM_AUDIT_IN_EPOCH " AND k.is_link = (EXISTS ("
"   SELECT FROM kind l WHERE l.is_link AND l.alias = e.resource_type AND starts_with(e.event_type, l.prefix)))"
"  LEFT JOIN start s ON s.resource_type = k.resource_type AND s.is_link = k.is_link"
"  LEFT JOIN rekeyed r ON r.resource_type = k.resource_type AND r.is_link = k.is_link AND r.key = coalesce(e.resource_id, '')"
"  WHERE e.category = 'change' AND e.action IN ('insert', 'update', 'delete')"
"   AND (s.tx_id IS NULL OR (e.tx_id = s.tx_id AND e.n > s.n) OR (e.tx_id <> s.tx_id AND e.at >= s.at))"
"   AND (e.tx_id, e.n) NOT IN (SELECT d.tx_id, d.n FROM suspect d) OFFSET 0) e"
"  GROUP BY id, 1, 2, 3),"
" present AS (SELECT resource_type, is_link, joint, id, scim_audit.fold_sum(print) AS print,"
"   min(of COLLATE \"C\") AS first_tenant, max(of COLLATE \"C\") AS tenant"
"  FROM (SELECT p.resource_type, p.is_link, r.key IS NOT NULL AS joint,"
"   CASE WHEN r.key IS NULL THEN coalesce(p.state[1], '') ELSE '' END AS id,"
"   scim_audit.fold_step($2, p.state[3], $1) AS print, p.state[2] AS of"
"  FROM (%s) p (resource_type, is_link, state)"
"  LEFT JOIN rekeyed r ON r.resource_type = p.resource_type AND r.is_link = p.is_link AND r.key = coalesce(p.state[1], '') OFFSET 0) p"
"  GROUP BY id, 1, 2, 3)"
" SELECT resource_type, is_link, joint, id,"
"   CASE WHEN joint AND (p.first_tenant <> p.tenant OR h.first_tenant <> h.tenant) THEN NULL ELSE coalesce(p.tenant, h.tenant) END,"
"   left(h.last, 36)::uuid, substr(h.last, 37)::integer, p.print IS NOT NULL"
"  FROM history h FULL JOIN present p USING (resource_type, is_link, joint, id)"
"  LEFT JOIN start s USING (resource_type, is_link)"
"  WHERE coalesce(h.print, $2) <> coalesce(p.print, $2) AND h.erased IS NOT TRUE AND s.complete IS NOT FALSE"
"   AND NOT (resource_type = 'scim.tenants' AND (id = 'default' OR (joint AND EXISTS ("
"    SELECT FROM rekeyed r WHERE r.resource_type = 'scim.tenants' AND r.key = 'default'))))"
"   AND NOT EXISTS (SELECT FROM suspect d LEFT JOIN rekeyed r ON r.resource_type = d.resource_type AND r.key = d.resource_id"
"    WHERE d.resource_type = coalesce(h.resource_type, p.resource_type)"
"     AND (d.resource_id IS NULL OR d.resource_id = id OR (joint AND r.key IS NOT NULL)))"
"   AND NOT EXISTS (SELECT FROM suspect d"
"    WHERE scim_audit.fold_combine(coalesce(h.print, $2), d.print) = coalesce(p.print, $2))"
" ORDER BY resource_type, is_link, joint, id COLLATE \"C\"";

/* Of tables in order: users in a table of an application are compared as that table has changed; scim.users is empty then. */
static char *
build_query(List *tables)
{
	StringInfoData kinds;
	StringInfoData rows;
	List	   *resources = NIL;
	ListCell   *cell;

	initStringInfo(&kinds);
	initStringInfo(&rows);
	foreach(cell, tables)
		append_table(&kinds, &rows, lfirst(cell), &resources);
	return psprintf(rows_query, kinds.data, rows.data);
}

void
scim_audit_for_each_row(ScimAuditCheck *check, Portal portal, void (*each) (ScimAuditCheck *check, HeapTuple row, TupleDesc desc))
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

void
scim_audit_finding_event(ScimFinding *finding, HeapTuple row, TupleDesc desc, int tenant, int tx_id, int n)
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

/* Columns of rows_query. */
enum
{
	ROW_TYPE = 1, ROW_IS_LINK, ROW_JOINT, ROW_ID, ROW_TENANT, ROW_TX_ID, ROW_N, ROW_PRESENT
};

static bool
get_bool(HeapTuple row, TupleDesc desc, int column)
{
	bool		isnull;

	return DatumGetBool(SPI_getbinval(row, desc, column, &isnull));
}

static void
report_row(ScimAuditCheck *check, HeapTuple row, TupleDesc desc)
{
	ScimFinding finding = {.rule = "row_mismatch"};
	const char *type = SPI_getvalue(row, desc, ROW_TYPE);
	const char *id = SPI_getvalue(row, desc, ROW_ID);
	const char *what;

	scim_audit_finding_event(&finding, row, desc, ROW_TENANT, ROW_TX_ID, ROW_N);
	if (get_bool(row, desc, ROW_IS_LINK))
		what = psprintf("The members of %s %s are not those that the log tells of.", type, id);
	else if (get_bool(row, desc, ROW_JOINT))
		what = psprintf("The rows of %s whose keys have changed are together not what their events left.", type);
	else
		what = psprintf("%s %s %s", type, id[0] == '\0' ? "without a key" : id,
						!get_bool(row, desc, ROW_PRESENT) ? "is gone, and no event says so." :
						!finding.has_tx ? "is there, and no event says so." : "is not what its last event left.");
	/* Not in the middle of a character. */
	strlcpy(finding.message, what, pg_mbcliplen(what, strlen(what), sizeof finding.message - 1) + 1);
	scim_audit_verify_report(check, &finding);
}

/* The events in doubt as two arrays, of their tx_id and n. */
static void
suspect_arrays(const List *suspects, Datum *tx_ids, Datum *ns)
{
	int			count = list_length(suspects);
	Datum	   *tx_id = palloc(Max(count, 1) * sizeof(Datum));
	Datum	   *n = palloc(Max(count, 1) * sizeof(Datum));
	int			i;

	for (i = 0; i < count; i++)
	{
		ScimAuditSuspect *suspect = list_nth(suspects, i);

		tx_id[i] = UUIDPGetDatum(&suspect->tx_id);
		n[i] = Int32GetDatum(suspect->n);
	}
	*tx_ids = PointerGetDatum(construct_array(tx_id, count, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR));
	*ns = PointerGetDatum(construct_array(n, count, INT4OID, sizeof(int32), true, TYPALIGN_INT));
}

void
scim_audit_verify_rows(ScimAuditCheck *check)
{
	List	   *tables = comparable_tables(check, true);
	Oid			types[4] = {INT8OID, INT8OID, UUIDARRAYOID, INT4ARRAYOID};
	int64		key;
	Datum		values[4] = {0, Int64GetDatum(0)};

	if (check->balance != NULL)
		tables = scim_audit_uneven_tables(check, tables);
	if (tables == NIL || check->n_suspects > SCIM_AUDIT_SUSPECTS_MAX)
		return;
	scim_audit_random((uint8_t *) &key, sizeof(key));
	values[0] = Int64GetDatum(key);
	suspect_arrays(check->suspects, &values[2], &values[3]);
	scim_audit_for_each_row(check, SPI_cursor_open_with_args(NULL, build_query(tables), 4, types, values, NULL, true, 0), report_row);
}
