/*
 * row_sums.h
 *		The sums of audited tables' rows, made beside other work.
 */
#ifndef SCIM_AUDIT_PG_ROW_SUMS_H
#define SCIM_AUDIT_PG_ROW_SUMS_H

#include "nodes/pg_list.h"

typedef struct ScimAuditRowSums ScimAuditRowSums;

/*
 * Begin to sum the rows of some tables (Oids) under a key, as the active
 * snapshot sees them.  Large ones are summed by workers of parallel query, as
 * many as max_parallel_workers_per_gather allows, while the caller goes on, in
 * parallel mode: it may read, and not write, until it ends this.
 */
extern ScimAuditRowSums *scim_audit_row_sums_begin(List *tables, uint64 key);

/* The sum of one of them, waited for or made here (scim_audit_sum_rows). */
extern uint64 scim_audit_row_sums_get(ScimAuditRowSums *sums, Oid table);

extern void scim_audit_row_sums_end(ScimAuditRowSums *sums);

#endif							/* SCIM_AUDIT_PG_ROW_SUMS_H */
