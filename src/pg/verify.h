/*
 * verify.h
 *		scim_audit.verify(): what its parts share.
 *
 * verify_balance.c tells quickly that nothing is wrong; otherwise verify.c
 * drives the walk of core/verify.h over the log as verify_read.c reads it.
 * verify_erased.c looks for details that are gone, verify_tree.c
 * compares the log with its checkpoints, verify_rows.c audited tables with it.
 * Everything is read as the owner of the log, under one snapshot: the
 * caller's.  A finding goes to the caller's result only when it concerns one
 * of its tenants; all others together make one row without content.
 */
#ifndef SCIM_AUDIT_PG_VERIFY_H
#define SCIM_AUDIT_PG_VERIFY_H

#include "executor/spi.h"
#include "nodes/execnodes.h"
#include "nodes/pg_list.h"
#include "utils/tuplestore.h"
#include "utils/uuid.h"

#include "core/verify.h"
#include "pg/duty.h"

/* Events in doubt that are kept; with more, rows are not compared with them. */
#define SCIM_AUDIT_SUSPECTS_MAX 10000

/* An event that may not be what was written. */
typedef struct ScimAuditSuspect
{
	pg_uuid_t	tx_id;
	int32		n;				/* -1: all of the transaction */
} ScimAuditSuspect;

/* Transactions, both bounds included. */
typedef struct ScimAuditRange
{
	pg_uuid_t	from;
	pg_uuid_t	to;
} ScimAuditRange;

typedef struct ScimAuditBalance ScimAuditBalance;

typedef struct ScimAuditCheck
{
	ReturnSetInfo *result;		/* findings go to its tuple store */
	ScimAuditTenants tenants;	/* the caller's */
	ScimVerify *walk;
	MemoryContext context;		/* lives as long as the check */
	MemoryContext row_context;	/* reset for each row read */
	List	   *suspects;		/* of ScimAuditSuspect */
	int64		n_suspects;		/* how many there were, kept or not */
	ScimAuditRange range;		/* transactions checked */
	bool		whole;			/* no bound was given */
	int64		findings;		/* rows of the result */
	bool		hidden;			/* some were not the caller's */
	ScimAuditBalance *balance;	/* NULL when the log was walked */
	Tuplestorestate *gone;		/* events without their detail */
	TupleDesc	gone_desc;
	Tuplestorestate *erased;	/* event_ids that erasures name */
	TupleDesc	erased_desc;
} ScimAuditCheck;

#define SCIM_AUDIT_EVENT_COLUMNS \
	"tx_id, n, at, tenant, category, action, event_type, outcome, status, scim_type," \
	" actor, actor_type, credential, session_role, effective_role, origin, resource_type," \
	" resource_id, changed, request_id, method, detail_hash, prev_hash, leaf_hash, detail_salt, detail"
#define SCIM_AUDIT_EVENT_N_COLUMNS 26

/* Of scim_audit.seals s; scim_audit_rows_is_anchor wants a boolean behind. */
#define SCIM_AUDIT_SEAL_COLUMNS "s.chain, s.seq, s.tx_id, s.at, s.events, s.last_leaf, s.config_hash, s.prev_hash, s.hash"

/* The columns of a row: those of an event, and one more that a query may have. */
typedef struct ScimAuditFields
{
	Datum		values[SCIM_AUDIT_EVENT_N_COLUMNS + 1];
	bool		nulls[SCIM_AUDIT_EVENT_N_COLUMNS + 1];
} ScimAuditFields;

/* A cursor read row by row. */
typedef struct ScimAuditRows
{
	Portal		portal;
	SPITupleTable *table;
	uint64		count;
	uint64		next;
	ScimAuditFields fields;
} ScimAuditRows;

/* What a query of the log is about: its parameters. */
typedef struct ScimAuditArgs
{
	int			n;
	Oid			types[2];
	Datum		values[2];
} ScimAuditArgs;

/* The bounds of a range; nothing. */
extern ScimAuditArgs scim_audit_range_args(const ScimAuditRange *range);
#define SCIM_AUDIT_NO_ARGS ((ScimAuditArgs) {0})

extern void scim_audit_rows_open(ScimAuditRows *rows, const char *query, ScimAuditArgs args);

/* Make the next row the current one; false, and closed, at the end. */
extern bool scim_audit_rows_next(ScimAuditRows *rows);

/* The current row; texts live as long as the current memory context, or the row. */
extern void scim_audit_rows_event(const ScimAuditRows *rows, ScimVerifyEvent *event);
extern void scim_audit_rows_seal(const ScimAuditRows *rows, ScimVerifySeal *seal);
extern void scim_audit_fields_event(const ScimAuditFields *fields, ScimVerifyEvent *event);
extern bool scim_audit_rows_is_anchor(const ScimAuditRows *rows);

/* Raise what a walk stopped for. */
extern void scim_audit_walk_went(bool went_on);

/* Begin a walk in place of check->walk, which tells its findings to report, with check. */
extern void scim_audit_walk_begin(ScimAuditCheck *check, void (*report) (void *check, const ScimFinding *finding));

/* First walk: events by (tx_id, n) and seals by tx_id, as two queries have them. */
extern void scim_audit_walk_events(ScimAuditCheck *check, const char *events, const char *seals, ScimAuditArgs args);

/* Second walk: seals by chain. */
extern void scim_audit_walk_seals(ScimAuditCheck *check);

/*
 * The quick way: true when all that the walks over the range checked would
 * find is now reported; check->balance is then there.  False: nothing is.
 */
extern bool scim_audit_balance(ScimAuditCheck *check);

/* A seal of the second walk. */
extern void scim_audit_balance_seal(ScimAuditBalance *balance, const ScimAuditRange *range, const ScimSeal *seal);

/* Of ScimAuditTable, those whose rows must be compared one by one. */
extern List *scim_audit_uneven_tables(ScimAuditCheck *check, List *tables);

/*
 * Are the leaves of a tree of that size, as tiles have them, those of the log's
 * events?  False says nothing.
 */
extern bool scim_audit_leaves_even(ScimAuditCheck *check, const char *origin, uint64 size);

/* The audited tables that can be compared, as ScimAuditTable; those of an application first. */
extern List *scim_audit_verify_tables(ScimAuditCheck *check);

/* The tenant that CREATE EXTENSION makes, of which no event tells. */
static inline bool
scim_audit_is_seeded(ScimStr resource_type, ScimStr id)
{
	return id.len == 7 && memcmp(id.ptr, "default", 7) == 0 &&
		resource_type.len == 12 && memcmp(resource_type.ptr, "scim.tenants", 12) == 0;
}

extern void scim_audit_verify_report(ScimAuditCheck *check, const ScimFinding *finding);

/* The log against its Merkle trees and their checkpoints. */
extern void scim_audit_verify_trees(ScimAuditCheck *check);

/* Rows of audited tables that are not what the log says they became. */
extern void scim_audit_verify_rows(ScimAuditCheck *check);

/* Details that are gone and that no erasure event names: before the walk, what it tells, and after it. */
extern void scim_audit_erased_begin(ScimAuditCheck *check);
extern void scim_audit_note_gone(void *arg, const ScimFinding *finding);
extern void scim_audit_note_erased(void *arg, ScimStr event_id);
extern void scim_audit_verify_erased(ScimAuditCheck *check);

/* Read a cursor to its end, calling each for every row. */
extern void scim_audit_for_each_row(ScimAuditCheck *check, Portal portal,
									void (*each) (ScimAuditCheck *check, HeapTuple row, TupleDesc desc));

/* Event coordinates and tenant from columns of a row; null ones are left out. */
extern void scim_audit_finding_event(ScimFinding *finding, HeapTuple row, TupleDesc desc, int tenant, int tx_id, int n);

#endif							/* SCIM_AUDIT_PG_VERIFY_H */
