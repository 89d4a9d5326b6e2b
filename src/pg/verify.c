/*
 * verify.c
 *		scim_audit.verify(): the log read in order and checked (see verify.h).
 *
 * Events are read by (tx_id, n) and seals by tx_id through two cursors and
 * merged, then the seals by chain.  Both sorts are the executor's: an index
 * or temporary files, never memory by the size of the log.
 */
#include "pg/compat.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "pg/event_store.h"
#include "pg/hash.h"
#include "pg/log.h"
#include "pg/verify.h"

#define SEALS_BY_TRANSACTION_QUERY \
	"SELECT " SCIM_AUDIT_SEAL_COLUMNS ", false FROM scim_audit.seals s" \
	" WHERE s.tx_id >= $1 AND s.tx_id <= $2 ORDER BY s.tx_id, s.chain, s.seq, s.hash"

#define SEALS_BY_CHAIN_QUERY \
	"SELECT " SCIM_AUDIT_SEAL_COLUMNS ", false FROM scim_audit.seals s ORDER BY s.chain, s.seq, s.tx_id, s.hash"

/* Of each chain, from the seal before the first that belongs to the transactions checked. */
#define SEALS_BY_CHAIN_BOUNDED_QUERY \
	"SELECT " SCIM_AUDIT_SEAL_COLUMNS ", s.seq = c.first - 1 FROM scim_audit.seals s" \
	" JOIN (SELECT chain, pg_catalog.min(seq) AS first, pg_catalog.max(seq) AS last" \
	" FROM scim_audit.seals WHERE tx_id >= $1 AND tx_id <= $2 GROUP BY chain) c" \
	" ON c.chain = s.chain AND s.seq >= c.first - 1 AND s.seq <= c.last ORDER BY s.chain, s.seq, s.tx_id, s.hash"

#define EVENTS_QUERY \
	"SELECT " SCIM_AUDIT_EVENT_COLUMNS " FROM scim_audit.events" \
	" WHERE tx_id >= $1 AND tx_id <= $2 ORDER BY tx_id, n"

PG_FUNCTION_INFO_V1(scim_audit_verify);
PG_FUNCTION_INFO_V1(scim_audit_log_verify);


void
scim_audit_walk_went(bool went_on)
{
	if (!went_on)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
}

/* Is it the transaction that is asking?  It is sealed only when it commits. */
static bool
is_own(const uint8_t tx_id[UUID_LEN])
{
	const uint8_t *own = scim_audit_log_transaction();

	return own != NULL && memcmp(own, tx_id, UUID_LEN) == 0;
}

/* The events and the seals of the log, each by transaction, side by side. */
typedef struct Merge
{
	ScimAuditRows events;
	ScimAuditRows seals;
	bool		has_event;
	bool		has_seal;
	ScimVerifyEvent event;		/* the next ones, where there are some */
	ScimVerifySeal seal;
	ScimVerifySeal *held;		/* the seals of one transaction */
	int			n_held;
	int			held_size;
} Merge;

static void
next_event(ScimAuditCheck *check, Merge *merge)
{
	MemoryContextReset(check->row_context);
	merge->has_event = scim_audit_rows_next(&merge->events);
	if (merge->has_event)
		scim_audit_rows_event(&merge->events, &merge->event);
}

static void
next_seal(Merge *merge)
{
	merge->has_seal = scim_audit_rows_next(&merge->seals);
	if (merge->has_seal)
		scim_audit_rows_seal(&merge->seals, &merge->seal);
}

/* The transaction that comes next. */
static void
next_transaction(const Merge *merge, uint8_t tx_id[UUID_LEN])
{
	const uint8_t *event = merge->event.entry.tx_id;
	const uint8_t *seal = merge->seal.seal.tx_id;

	memcpy(tx_id, !merge->has_seal || (merge->has_event && memcmp(event, seal, UUID_LEN) < 0) ? event : seal, UUID_LEN);
}

/* Hold the seals of a transaction: one, as a rule. */
static void
hold_seals(Merge *merge, const uint8_t tx_id[UUID_LEN])
{
	merge->n_held = 0;
	while (merge->has_seal && memcmp(merge->seal.seal.tx_id, tx_id, UUID_LEN) == 0)
	{
		if (merge->n_held == merge->held_size)
		{
			merge->held_size *= 2;
			merge->held = repalloc_huge(merge->held, merge->held_size * sizeof(ScimVerifySeal));
		}
		merge->held[merge->n_held++] = merge->seal;
		next_seal(merge);
	}
}

/* Each transaction with its seals, then its events. */
void
scim_audit_walk_events(ScimAuditCheck *check, const char *events, const char *seals, ScimAuditArgs args)
{
	Merge		merge = {.held_size = 4, .held = palloc(4 * sizeof(ScimVerifySeal))};
	MemoryContext caller = MemoryContextSwitchTo(check->row_context);
	uint8_t		tx_id[UUID_LEN];

	scim_audit_rows_open(&merge.events, events, args);
	scim_audit_rows_open(&merge.seals, seals, args);
	next_seal(&merge);
	next_event(check, &merge);
	while (merge.has_event || merge.has_seal)
	{
		bool		passed_over;

		next_transaction(&merge, tx_id);
		hold_seals(&merge, tx_id);
		passed_over = merge.n_held == 0 && is_own(tx_id);
		if (!passed_over)
			scim_audit_walk_went(scim_verify_transaction(check->walk, tx_id, merge.held, merge.n_held));
		while (merge.has_event && memcmp(merge.event.entry.tx_id, tx_id, UUID_LEN) == 0)
		{
			/* What the own transaction has erased, it says itself. */
			scim_audit_walk_went(passed_over ? scim_verify_erasure(check->walk, &merge.event) :
								 scim_verify_event(check->walk, &merge.event));
			next_event(check, &merge);
		}
	}
	scim_audit_walk_went(scim_verify_events_end(check->walk));
	MemoryContextSwitchTo(caller);
}

void
scim_audit_walk_seals(ScimAuditCheck *check)
{
	ScimAuditRows rows;
	ScimVerifySeal seal;
	MemoryContext caller = MemoryContextSwitchTo(check->row_context);

	scim_audit_rows_open(&rows, check->whole ? SEALS_BY_CHAIN_QUERY : SEALS_BY_CHAIN_BOUNDED_QUERY, check->whole ? SCIM_AUDIT_NO_ARGS : scim_audit_range_args(&check->range));
	while (scim_audit_rows_next(&rows))
	{
		MemoryContextReset(check->row_context);
		scim_audit_rows_seal(&rows, &seal);
		scim_audit_walk_went(scim_verify_seal(check->walk, &seal, scim_audit_rows_is_anchor(&rows)));
		if (check->balance != NULL && !scim_audit_rows_is_anchor(&rows))
			scim_audit_balance_seal(check->balance, &check->range, &seal.seal);
	}
	scim_audit_walk_went(scim_verify_seals_end(check->walk));
	MemoryContextSwitchTo(caller);
}

/* Does the transaction have an event of one of the caller's tenants? */
static bool
concerns_caller(ScimAuditCheck *check, const ScimFinding *finding)
{
	Oid			types[2] = {UUIDOID, TEXTARRAYOID};
	Datum		values[2];
	Datum	   *names = palloc(Max(check->tenants.n, 1) * sizeof(Datum));
	pg_uuid_t	tx_id;
	int			i;
	bool		found;

	if (!finding->has_tx)
		return false;
	memcpy(tx_id.data, finding->tx_id, UUID_LEN);
	for (i = 0; i < check->tenants.n; i++)
		names[i] = CStringGetTextDatum(check->tenants.tenant[i]);
	values[0] = UUIDPGetDatum(&tx_id);
	values[1] = PointerGetDatum(construct_array(names, check->tenants.n, TEXTOID, -1, false, TYPALIGN_INT));
	if (SPI_execute_with_args("SELECT 1 FROM scim_audit.events WHERE tx_id = $1 AND tenant = ANY ($2) LIMIT 1",
							  2, types, values, NULL, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not read scim_audit.events");
	found = SPI_processed > 0;
	SPI_freetuptable(SPI_tuptable);
	return found;
}

static bool
is_visible(ScimAuditCheck *check, const ScimFinding *finding)
{
	if (check->tenants.all)
		return true;
	if (!finding->of_event)
		return concerns_caller(check, finding);
	return finding->tenant.ptr != NULL &&
		scim_audit_tenants_have(&check->tenants, pnstrdup(finding->tenant.ptr, finding->tenant.len));
}

/*
 * Note the event that a finding of the first walk puts in doubt; -1 stands
 * for a whole transaction.
 */
static void
note_suspect(ScimAuditCheck *check, const ScimFinding *finding)
{
	MemoryContext caller;
	ScimAuditSuspect *suspect;
	int32		n = finding->n;

	if (!finding->has_n || strcmp(finding->rule, "event_missing") == 0)
		return;
	if (strcmp(finding->rule, "event_unsealed") == 0)
		n = -1;
	else if (strcmp(finding->rule, "prev_mismatch") == 0 && n > 0)
		n--;
	check->n_suspects++;
	if (check->n_suspects > SCIM_AUDIT_SUSPECTS_MAX)
		return;
	caller = MemoryContextSwitchTo(check->context);
	suspect = palloc(sizeof(ScimAuditSuspect));
	memcpy(suspect->tx_id.data, finding->tx_id, UUID_LEN);
	suspect->n = n;
	check->suspects = lappend(check->suspects, suspect);
	MemoryContextSwitchTo(caller);
}

static void
report_walk(void *arg, const ScimFinding *finding)
{
	note_suspect(arg, finding);
	scim_audit_verify_report(arg, finding);
}

void
scim_audit_verify_report(ScimAuditCheck *check, const ScimFinding *finding)
{
	Datum		values[6];
	bool		nulls[6];
	pg_uuid_t	tx_id;

	if (!is_visible(check, finding))
	{
		check->hidden = true;
		return;
	}
	check->findings++;
	memcpy(tx_id.data, finding->tx_id, UUID_LEN);
	values[0] = CStringGetTextDatum(finding->rule);
	values[1] = Int32GetDatum(finding->chain);
	values[2] = Int64GetDatum(finding->seq);
	values[3] = UUIDPGetDatum(&tx_id);
	values[4] = Int32GetDatum(finding->n);
	values[5] = CStringGetTextDatum(finding->message);
	nulls[0] = nulls[5] = false;
	nulls[1] = nulls[2] = !finding->has_seal;
	nulls[3] = !finding->has_tx;
	nulls[4] = !finding->has_n;
	tuplestore_putvalues(check->result->setResult, check->result->setDesc, values, nulls);
}

static void
report_hidden(ScimAuditCheck *check)
{
	Datum		values[6] = {0};
	bool		nulls[6] = {false, true, true, true, true, false};

	values[0] = CStringGetTextDatum("other_tenants");
	values[5] = CStringGetTextDatum("There are findings that do not concern your tenants.");
	check->findings++;
	tuplestore_putvalues(check->result->setResult, check->result->setDesc, values, nulls);
}

static void
free_walk(void *arg)
{
	scim_verify_free(((ScimAuditCheck *) arg)->walk);
}

void
scim_audit_walk_begin(ScimAuditCheck *check, void (*report) (void *check, const ScimFinding *finding))
{
	ScimVerifyCalls calls = {.report = report, .gone = scim_audit_note_gone, .erased = scim_audit_note_erased, .arg = check};

	scim_verify_free(check->walk);
	check->walk = scim_verify_create(scim_audit_sha256, &calls, check->whole);
	scim_audit_walk_went(check->walk != NULL);
}

/* Run every check as the owner of the log. */
static void
run_checks(ScimAuditCheck *check)
{
	MemoryContextCallback *callback = palloc(sizeof(MemoryContextCallback));
	Relation	events = table_open(scim_audit_events_oid(), AccessShareLock);
	Oid			user;
	int			security;

	callback->func = free_walk;
	callback->arg = check;
	check->context = CurrentMemoryContext;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);
	scim_audit_erased_begin(check);
	check->row_context = AllocSetContextCreate(CurrentMemoryContext, "scim_audit verify row", ALLOCSET_DEFAULT_SIZES);

	GetUserIdAndSecContext(&user, &security);
	SetUserIdAndSecContext(events->rd_rel->relowner, security | SECURITY_LOCAL_USERID_CHANGE);
	table_close(events, NoLock);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (!scim_audit_balance(check))
	{
		scim_audit_walk_begin(check, report_walk);
		scim_audit_walk_events(check, EVENTS_QUERY, SEALS_BY_TRANSACTION_QUERY, scim_audit_range_args(&check->range));
		scim_audit_walk_seals(check);
	}
	scim_audit_verify_erased(check);
	if (check->whole)
	{
		scim_audit_verify_trees(check);
		scim_audit_verify_rows(check);
	}
	SPI_finish();
	SetUserIdAndSecContext(user, security);
}

/*
 * A bound on transaction ids for a bound in time: ids carry the milliseconds
 * since 1970 in their first six bytes (RFC 9562 section 5.7).
 */
static pg_uuid_t
time_bound(TimestampTz time)
{
	pg_uuid_t	bound;
	int64		milliseconds;
	int			i;

	memset(&bound, 0, sizeof bound);
	if (TIMESTAMP_IS_NOBEGIN(time))
		return bound;
	milliseconds = TIMESTAMP_IS_NOEND(time) ? PG_INT64_MAX : scim_audit_unix_micros(time) / 1000;
	milliseconds = Min(Max(milliseconds, 0), (INT64CONST(1) << 48) - 1);
	for (i = 0; i < 6; i++)
		bound.data[i] = (milliseconds >> (40 - 8 * i)) & 0xFF;
	return bound;
}

/* The verification is itself an event, except on a standby, which cannot write. */
static void
record(const ScimAuditCheck *check)
{
	char	   *detail;
	const char *tenant = !check->tenants.all && check->tenants.n == 1 ? check->tenants.tenant[0] : NULL;

	if (RecoveryInProgress())
		return;
	detail = psprintf("{\"findings\":" INT64_FORMAT ",\"whole\":%s}", check->findings, check->whole ? "true" : "false");
	scim_audit_log_simple("admin", "verify", "log.verify", tenant, NULL, NULL, (ScimStr) {detail, strlen(detail)});
}

static ScimAuditTenants
verifier_tenants(void)
{
	ScimAuditTenants tenants = scim_audit_duty_tenants(GetUserId(), SCIM_DUTY_AUDITOR | SCIM_DUTY_AUDIT_ADMIN);

	if (!tenants.all && tenants.n == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("role \"%s\" is no auditor", GetUserNameFromId(GetUserId(), false))));
	return tenants;
}

/* scim_audit.log_verify(detail json) RETURNS void: a checkpoint was compared with the log */
Datum
scim_audit_log_verify(PG_FUNCTION_ARGS)
{
	ScimAuditTenants tenants = verifier_tenants();
	struct varlena *detail = PG_GETARG_VARLENA_PP(0);

	if (!XactReadOnly)
		scim_audit_log_simple("admin", "verify", "log.verify", !tenants.all && tenants.n == 1 ? tenants.tenant[0] : NULL, NULL, NULL,
							  (ScimStr) {VARDATA_ANY(detail), VARSIZE_ANY_EXHDR(detail)});
	PG_RETURN_VOID();
}

/*
 * scim_audit.verify(from_time timestamptz, to_time timestamptz)
 *		RETURNS SETOF (rule text, chain int, seq bigint, tx_id uuid, n int, message text)
 */
Datum
scim_audit_verify(PG_FUNCTION_ARGS)
{
	ScimAuditCheck *check = palloc0(sizeof(ScimAuditCheck));

	check->tenants = verifier_tenants();
	InitMaterializedSRF(fcinfo, 0);
	check->result = (ReturnSetInfo *) fcinfo->resultinfo;
	check->whole = PG_ARGISNULL(0) && PG_ARGISNULL(1);
	memset(&check->range.to, 0xFF, UUID_LEN);
	if (!PG_ARGISNULL(0))
		check->range.from = time_bound(PG_GETARG_TIMESTAMPTZ(0));
	if (!PG_ARGISNULL(1))
		check->range.to = time_bound(PG_GETARG_TIMESTAMPTZ(1));
	run_checks(check);
	if (check->hidden)
		report_hidden(check);
	record(check);
	return (Datum) 0;
}
