/*
 * resource_count.c
 *		How many resources a tenant has (see resource_count.h).
 *
 * A list by index says how many resources there are, on each of its pages: for a
 * million of them that is most of the work of a page.  A counter kept by triggers
 * would be a row that all writers of a tenant wait for.  But whatever changes a
 * resource leaves a seal in one of the chains, whose numbers grow by one: while
 * the heads of the chains are what they were, a count is still right.  So each
 * backend keeps its last large counts with the sum of the heads that it saw before.
 *
 * The heads are read first.  A transaction that is in the count and not in
 * them makes the next sum another one, and the rows are counted again.
 *
 * Nor are the heads read again while no transaction has ended that could have
 * written: PostgreSQL counts those, to know whether a snapshot is still good.
 */
#include "pg/compat.h"

#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "utils/inval.h"
#include "utils/snapmgr.h"

#include "pg/log.h"
#include "pg/owner.h"
#include "pg/plan_cache.h"
#include "pg/resource_count.h"
#include "pg/tenant.h"
#include "pg/tracked.h"

#define COUNTS 16				/* that are kept */
#define WORTH_KEEPING 1000		/* fewer are counted as fast as the heads are read */

typedef struct Count
{
	char		table[2 * NAMEDATALEN + 8];
	char		tenant[NAMEDATALEN];
	int64		heads;			/* 0: nothing is kept here */
	uint64		completions;	/* as many transactions had ended; 0: not known */
	int64		total;
} Count;

static Count counts[COUNTS];
static int	next_place;
static int64 heads_before;
static uint64 completions_before;

/* A trigger may have been disabled: then what is written leaves no seal. */
static void
forget_counts(Datum arg, Oid relid)
{
	memset(counts, 0, sizeof(counts));
}

void
scim_audit_count_init(void)
{
	CacheRegisterRelcacheCallback(forget_counts, (Datum) 0);
}

/* Does every change of the table leave a seal? */
static bool
always_audited(const char *table)
{
	Relation	relation = table_open(scim_audit_table_oid(table), AccessShareLock);
	const Trigger *trigger = scim_audit_row_trigger(relation);
	bool		always = trigger != NULL && trigger->tgenabled == TRIGGER_FIRES_ALWAYS;

	table_close(relation, AccessShareLock);
	return always;
}

/*
 * How many transactions that could have written have ended, as the next statement sees it.
 * Equal numbers are equal rows (GetSnapshotDataReuse), but for what this transaction has
 * written itself; 0 where that may be something.
 */
static uint64
completions(void)
{
	if (TransactionIdIsValid(GetTopTransactionIdIfAny()))
		return 0;
	return GetTransactionSnapshot()->snapXactCompletionCount;
}

/* The sum of the last numbers of all chains, each found by the index; 0 when there is none. */
static int64
sum_of_heads(void)
{
	static const char *const query =
		"WITH RECURSIVE h(chain, seq) AS ("
		" (SELECT s.chain, s.seq FROM scim_audit.seals s ORDER BY s.chain DESC, s.seq DESC LIMIT 1)"
		" UNION ALL SELECT n.chain, n.seq FROM h, LATERAL (SELECT s.chain, s.seq FROM scim_audit.seals s"
		" WHERE s.chain OPERATOR(pg_catalog.<) h.chain ORDER BY s.chain DESC, s.seq DESC LIMIT 1) n)"
		" SELECT CAST(coalesce(pg_catalog.sum(h.seq), 0) AS bigint) FROM h";
	ScimAuditUser user = scim_audit_become(scim_audit_table_owner("scim_audit.seals"));
	bool		isnull;

	if (SPI_execute_plan(scim_audit_plan(query, 0, NULL, true), NULL, NULL, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not read the heads of the chains");
	scim_audit_become_again(user);
	return DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
}

static Count *
find_count(const char *table, const char *tenant)
{
	for (int i = 0; i < COUNTS; i++)
	{
		if (counts[i].heads != 0 && strcmp(counts[i].table, table) == 0 && strcmp(counts[i].tenant, tenant) == 0)
			return &counts[i];
	}
	return NULL;
}

bool
scim_audit_count_begin(const char *table, const char *tenant, int64 *total)
{
	Count	   *count;

	heads_before = 0;
	/* What this transaction has written is not sealed yet. */
	if (scim_audit_log_transaction() != NULL || !always_audited(table))
		return false;
	completions_before = completions();
	count = find_count(table, tenant);
	if (count == NULL || completions_before == 0 || count->completions != completions_before)
	{
		heads_before = sum_of_heads();
		if (count == NULL || count->heads != heads_before)
			return false;
		count->completions = completions_before;
	}
	*total = count->total;
	return true;
}

void
scim_audit_count_end(const char *table, const char *tenant, int64 total)
{
	Count	   *count = find_count(table, tenant);

	if (count == NULL)
	{
		count = &counts[next_place];
		next_place = (next_place + 1) % COUNTS;
	}
	count->heads = 0;
	if (heads_before == 0 || total < WORTH_KEEPING ||
		strlcpy(count->table, table, sizeof(count->table)) >= sizeof(count->table) ||
		strlcpy(count->tenant, tenant, sizeof(count->tenant)) >= sizeof(count->tenant))
		return;
	count->total = total;
	count->heads = heads_before;
	count->completions = completions_before;
}
