/*
 * verify_erased.c
 *		Details that are gone, against the erasures that name them (see
 *		verify.h).
 *
 * Both sides come from the walk, each into a tuple store, which spills to
 * disk; the executor then joins the two.  An erasure counts wherever in the
 * log it stands, so those outside of what is walked are read for their own
 * sake.
 */
#include "pg/compat.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/queryenvironment.h"
#include "utils/tuplestore.h"

#include "pg/verify.h"

#define OTHER_ERASURES_QUERY \
	"SELECT " SCIM_AUDIT_EVENT_COLUMNS " FROM scim_audit.events" \
	" WHERE event_type = 'log.erase' AND (tx_id < $1 OR tx_id > $2) ORDER BY tx_id, n"

#define UNRECORDED_QUERY \
	"SELECT DISTINCT ON (g.tx_id, g.n) g.tenant, g.tx_id, g.n, g.chain, g.seq FROM gone g" \
	" WHERE NOT EXISTS (SELECT FROM erased e WHERE e.event_id = g.tx_id::text || ':' || g.n)" \
	" ORDER BY g.tx_id, g.n"

/* Columns of gone, and of the query. */
enum
{
	GONE_TENANT = 1, GONE_TX_ID, GONE_N, GONE_CHAIN, GONE_SEQ, GONE_COLUMNS = GONE_SEQ
};


void
scim_audit_erased_begin(ScimAuditCheck *check)
{
	check->gone_desc = CreateTemplateTupleDesc(GONE_COLUMNS);
	TupleDescInitEntry(check->gone_desc, GONE_TENANT, "tenant", TEXTOID, -1, 0);
	TupleDescInitEntry(check->gone_desc, GONE_TX_ID, "tx_id", UUIDOID, -1, 0);
	TupleDescInitEntry(check->gone_desc, GONE_N, "n", INT4OID, -1, 0);
	TupleDescInitEntry(check->gone_desc, GONE_CHAIN, "chain", INT4OID, -1, 0);
	TupleDescInitEntry(check->gone_desc, GONE_SEQ, "seq", INT8OID, -1, 0);
	TupleDescFinalize(check->gone_desc);
	check->gone = tuplestore_begin_heap(false, false, work_mem);
	check->erased_desc = CreateTemplateTupleDesc(1);
	TupleDescInitEntry(check->erased_desc, 1, "event_id", TEXTOID, -1, 0);
	TupleDescFinalize(check->erased_desc);
	check->erased = tuplestore_begin_heap(false, false, work_mem);
}

void
scim_audit_note_gone(void *arg, const ScimFinding *finding)
{
	ScimAuditCheck *check = arg;
	Datum		values[GONE_COLUMNS] = {0};
	bool		nulls[GONE_COLUMNS];
	pg_uuid_t	tx_id;

	memcpy(tx_id.data, finding->tx_id, UUID_LEN);
	nulls[GONE_TENANT - 1] = finding->tenant.ptr == NULL;
	if (finding->tenant.ptr != NULL)
		values[GONE_TENANT - 1] = PointerGetDatum(cstring_to_text_with_len(finding->tenant.ptr, (int) finding->tenant.len));
	values[GONE_TX_ID - 1] = UUIDPGetDatum(&tx_id);
	values[GONE_N - 1] = Int32GetDatum(finding->n);
	values[GONE_CHAIN - 1] = Int32GetDatum(finding->chain);
	values[GONE_SEQ - 1] = Int64GetDatum(finding->seq);
	nulls[GONE_TX_ID - 1] = nulls[GONE_N - 1] = false;
	nulls[GONE_CHAIN - 1] = nulls[GONE_SEQ - 1] = !finding->has_seal;
	tuplestore_putvalues(check->gone, check->gone_desc, values, nulls);
}

void
scim_audit_note_erased(void *arg, ScimStr event_id)
{
	ScimAuditCheck *check = arg;
	Datum		value = PointerGetDatum(cstring_to_text_with_len(event_id.ptr, (int) event_id.len));
	bool		isnull = false;

	tuplestore_putvalues(check->erased, check->erased_desc, &value, &isnull);
}

/* Make a tuple store a table of the queries to come. */
static void
register_rows(const char *name, Tuplestorestate *rows, TupleDesc desc)
{
	EphemeralNamedRelation relation = palloc0(sizeof(EphemeralNamedRelationData));

	relation->md.name = pstrdup(name);
	relation->md.reliddesc = InvalidOid;
	relation->md.tupdesc = desc;
	relation->md.enrtype = ENR_NAMED_TUPLESTORE;
	relation->md.enrtuples = tuplestore_tuple_count(rows);
	relation->reldata = rows;
	if (SPI_register_relation(relation) != SPI_OK_REL_REGISTER)
		elog(ERROR, "could not register %s", name);
}

/* The erasures outside of what was walked. */
static void
read_other_erasures(ScimAuditCheck *check)
{
	ScimAuditRows rows;
	ScimVerifyEvent event;
	MemoryContext caller = MemoryContextSwitchTo(check->row_context);

	scim_audit_rows_open(&rows, OTHER_ERASURES_QUERY, scim_audit_range_args(&check->range));
	while (scim_audit_rows_next(&rows))
	{
		MemoryContextReset(check->row_context);
		scim_audit_rows_event(&rows, &event);
		scim_audit_walk_went(scim_verify_erasure(check->walk, &event));
	}
	MemoryContextSwitchTo(caller);
}

static void
report_unrecorded(ScimAuditCheck *check, HeapTuple row, TupleDesc desc)
{
	ScimFinding finding = {.rule = "erased_unrecorded"};
	bool		isnull;

	scim_audit_finding_event(&finding, row, desc, GONE_TENANT, GONE_TX_ID, GONE_N);
	finding.chain = DatumGetInt32(SPI_getbinval(row, desc, GONE_CHAIN, &isnull));
	finding.seq = DatumGetInt64(SPI_getbinval(row, desc, GONE_SEQ, &isnull));
	finding.has_seal = !isnull;
	snprintf(finding.message, sizeof finding.message, "The detail of this event is gone, and no erasure says so.");
	scim_audit_verify_report(check, &finding);
}

void
scim_audit_verify_erased(ScimAuditCheck *check)
{
	if (tuplestore_tuple_count(check->gone) == 0)
		return;
	if (!check->whole)
		read_other_erasures(check);
	register_rows("gone", check->gone, check->gone_desc);
	register_rows("erased", check->erased, check->erased_desc);
	scim_audit_for_each_row(check, SPI_cursor_open_with_args(NULL, UNRECORDED_QUERY, 0, NULL, NULL, NULL, true, 0),
							report_unrecorded);
	tuplestore_end(check->gone);
	tuplestore_end(check->erased);
}
