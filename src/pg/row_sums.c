/*
 * row_sums.c
 *		The sums of audited tables' rows, made beside other work (see row_sums.h).
 *
 * A parallel query would do it, but no query may read these tables
 * (row_states.c), so the workers are our own, by PostgreSQL's interface for
 * parallel operations: they have the snapshot, the user and the settings of who
 * began.  Each takes the next table that nobody has taken yet; so does the one
 * who waits.
 */
#include "pg/compat.h"

#include "access/parallel.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "miscadmin.h"
#include "optimizer/cost.h"
#include "optimizer/paths.h"
#include "port/atomics.h"
#include "storage/bufmgr.h"
#include "storage/shm_toc.h"
#include "utils/rel.h"

#include "pg/row_sums.h"
#include "pg/verify_sum.h"

#define KEY_SHARED 1			/* in the table of contents */

typedef struct TableSum
{
	Oid			table;
	bool		done;			/* sum is what it is */
	uint64		sum;
} TableSum;

/* What workers are given, and where they leave what they find. */
typedef struct Shared
{
	uint64		key;
	pg_atomic_uint32 next;		/* the first table that nobody has taken */
	int			n;
	TableSum	sums[FLEXIBLE_ARRAY_MEMBER];
} Shared;

struct ScimAuditRowSums
{
	uint64		key;
	ParallelContext *parallel;	/* NULL: all is summed by who asks */
	Shared	   *shared;
	bool		waited;
};

extern PGDLLEXPORT void scim_audit_row_sums_main(dsm_segment *segment, shm_toc *toc);


static void
take_tables(Shared *shared)
{
	for (;;)
	{
		uint32		i = pg_atomic_fetch_add_u32(&shared->next, 1);

		if (i >= (uint32) shared->n)
			break;
		shared->sums[i].sum = scim_audit_sum_rows(shared->sums[i].table, shared->key);
		shared->sums[i].done = true;
	}
}

/* A worker, in a transaction like that of the one who began. */
void
scim_audit_row_sums_main(dsm_segment *segment, shm_toc *toc)
{
	take_tables(shm_toc_lookup(toc, KEY_SHARED, false));
}

/* Those that are worth a worker, and that one can see. */
static List *
large_tables(List *tables)
{
	List	   *large = NIL;
	ListCell   *cell;

	foreach(cell, tables)
	{
		Relation	relation = table_open(lfirst_oid(cell), AccessShareLock);

		if (relation->rd_rel->relkind == RELKIND_PARTITIONED_TABLE ||
			(relation->rd_rel->relpersistence != RELPERSISTENCE_TEMP &&
			 RelationGetNumberOfBlocks(relation) >= (BlockNumber) min_parallel_table_scan_size))
			large = lappend_oid(large, lfirst_oid(cell));
		table_close(relation, NoLock);
	}
	return large;
}

static void
start_workers(ScimAuditRowSums *sums, List *tables)
{
	int			workers = Min(max_parallel_workers_per_gather, list_length(tables));
	Size		size = offsetof(Shared, sums) + list_length(tables) * sizeof(TableSum);
	ListCell   *cell;

	EnterParallelMode();
	sums->parallel = CreateParallelContext("scim_audit", "scim_audit_row_sums_main", workers);
	shm_toc_estimate_chunk(&sums->parallel->estimator, size);
	shm_toc_estimate_keys(&sums->parallel->estimator, 1);
	InitializeParallelDSM(sums->parallel);
	sums->shared = shm_toc_allocate(sums->parallel->toc, size);
	sums->shared->key = sums->key;
	sums->shared->n = 0;
	pg_atomic_init_u32(&sums->shared->next, 0);
	foreach(cell, tables)
		sums->shared->sums[sums->shared->n++] = (TableSum) {.table = lfirst_oid(cell)};
	shm_toc_insert(sums->parallel->toc, KEY_SHARED, sums->shared);
	LaunchParallelWorkers(sums->parallel);
}

ScimAuditRowSums *
scim_audit_row_sums_begin(List *tables, uint64 key)
{
	ScimAuditRowSums *sums = palloc0(sizeof(ScimAuditRowSums));
	List	   *large = NIL;

	sums->key = key;
	if (max_parallel_workers_per_gather > 0 && !IsInParallelMode())
		large = large_tables(tables);
	if (large != NIL)
		start_workers(sums, large);
	return sums;
}

uint64
scim_audit_row_sums_get(ScimAuditRowSums *sums, Oid table)
{
	if (sums->parallel != NULL && !sums->waited)
	{
		take_tables(sums->shared);
		WaitForParallelWorkersToFinish(sums->parallel);
		sums->waited = true;
	}
	for (int i = 0; sums->parallel != NULL && i < sums->shared->n; i++)
	{
		if (sums->shared->sums[i].table == table && sums->shared->sums[i].done)
			return sums->shared->sums[i].sum;
	}
	return scim_audit_sum_rows(table, sums->key);
}

void
scim_audit_row_sums_end(ScimAuditRowSums *sums)
{
	if (sums->parallel == NULL)
		return;
	if (!sums->waited)
		WaitForParallelWorkersToFinish(sums->parallel);
	DestroyParallelContext(sums->parallel);
	ExitParallelMode();
	sums->parallel = NULL;
}
