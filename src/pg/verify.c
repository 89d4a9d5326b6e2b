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

#define FETCH_ROWS 256

#define EVENTS_QUERY \
	"SELECT tx_id, n, at, tenant, category, action, event_type, outcome, status, scim_type," \
	" actor, actor_type, credential, session_role, effective_role, origin, resource_type," \
	" resource_id, changed, request_id, method, detail_hash, prev_hash, leaf_hash, detail_salt, detail" \
	" FROM scim_audit.events WHERE tx_id >= $1 AND tx_id <= $2 ORDER BY tx_id, n"

enum
{
	EVENT_TX_ID, EVENT_N, EVENT_AT, EVENT_TENANT, EVENT_CATEGORY, EVENT_ACTION, EVENT_EVENT_TYPE,
	EVENT_OUTCOME, EVENT_STATUS, EVENT_SCIM_TYPE, EVENT_ACTOR, EVENT_ACTOR_TYPE, EVENT_CREDENTIAL,
	EVENT_SESSION_ROLE, EVENT_EFFECTIVE_ROLE, EVENT_ORIGIN, EVENT_RESOURCE_TYPE, EVENT_RESOURCE_ID,
	EVENT_CHANGED, EVENT_REQUEST_ID, EVENT_METHOD, EVENT_DETAIL_HASH, EVENT_PREV_HASH,
	EVENT_LEAF_HASH, EVENT_DETAIL_SALT, EVENT_DETAIL, EVENT_COLUMNS
};

#define SEAL_COLUMN_LIST "s.chain, s.seq, s.tx_id, s.at, s.events, s.last_leaf, s.config_hash, s.prev_hash, s.hash"

#define SEALS_BY_TRANSACTION_QUERY \
	"SELECT " SEAL_COLUMN_LIST ", false FROM scim_audit.seals s" \
	" WHERE s.tx_id >= $1 AND s.tx_id <= $2 ORDER BY s.tx_id, s.chain, s.seq"

#define SEALS_BY_CHAIN_QUERY \
	"SELECT " SEAL_COLUMN_LIST ", false FROM scim_audit.seals s ORDER BY s.chain, s.seq"

/* Of each chain, from the seal before the first that belongs to the transactions checked. */
#define SEALS_BY_CHAIN_BOUNDED_QUERY \
	"SELECT " SEAL_COLUMN_LIST ", s.seq = c.first - 1 FROM scim_audit.seals s" \
	" JOIN (SELECT chain, pg_catalog.min(seq) AS first, pg_catalog.max(seq) AS last" \
	" FROM scim_audit.seals WHERE tx_id >= $1 AND tx_id <= $2 GROUP BY chain) c" \
	" ON c.chain = s.chain AND s.seq >= c.first - 1 AND s.seq <= c.last ORDER BY s.chain, s.seq"

enum
{
	SEAL_CHAIN, SEAL_SEQ, SEAL_TX_ID, SEAL_AT, SEAL_EVENTS, SEAL_LAST_LEAF, SEAL_CONFIG_HASH,
	SEAL_PREV_HASH, SEAL_HASH, SEAL_ANCHOR, SEAL_COLUMNS
};

/* A cursor read row by row, with one column array. */
typedef struct Rows
{
	Portal		portal;
	SPITupleTable *table;
	uint64		count;
	uint64		next;
	Datum		values[EVENT_COLUMNS];
	bool		nulls[EVENT_COLUMNS];
} Rows;

PG_FUNCTION_INFO_V1(scim_audit_verify);


static void
open_rows(Rows *rows, ScimAuditCheck *check, const char *query, bool bounded)
{
	Oid			types[2] = {UUIDOID, UUIDOID};
	Datum		values[2] = {UUIDPGetDatum(&check->from), UUIDPGetDatum(&check->to)};

	memset(rows, 0, sizeof *rows);
	rows->portal = SPI_cursor_open_with_args(NULL, query, bounded ? 2 : 0, types, values, NULL, true, 0);
}

/* The next row's columns; false at the end. */
static bool
next_row(Rows *rows)
{
	CHECK_FOR_INTERRUPTS();
	if (rows->next == rows->count)
	{
		if (rows->table != NULL)
			SPI_freetuptable(rows->table);
		SPI_cursor_fetch(rows->portal, true, FETCH_ROWS);
		rows->table = SPI_tuptable;
		rows->count = SPI_processed;
		rows->next = 0;
		if (rows->count == 0)
		{
			SPI_freetuptable(rows->table);
			rows->table = NULL;
			SPI_cursor_close(rows->portal);
			return false;
		}
	}
	heap_deform_tuple(rows->table->vals[rows->next++], rows->table->tupdesc, rows->values, rows->nulls);
	return true;
}

static ScimStr
get_text(const Rows *rows, int column)
{
	struct varlena *value;

	if (rows->nulls[column])
		return SCIM_STR_NONE;
	value = pg_detoast_datum_packed((struct varlena *) DatumGetPointer(rows->values[column]));
	return (ScimStr) {VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value)};
}

/* size bytes of a bytea; false when it is null or of another length. */
static bool
get_bytes(const Rows *rows, int column, uint8_t *out, size_t size)
{
	ScimStr		bytes = get_text(rows, column);

	memset(out, 0, size);
	if (bytes.ptr == NULL || bytes.len != size)
		return false;
	memcpy(out, bytes.ptr, size);
	return true;
}

static int32_t
get_int(const Rows *rows, int column)
{
	return rows->nulls[column] ? 0 : DatumGetInt32(rows->values[column]);
}

/* A stored 0 is no status: an absent one is null, and they must not look alike. */
static int32_t
get_status(const Rows *rows)
{
	int32_t		status = get_int(rows, EVENT_STATUS);

	return status == 0 && !rows->nulls[EVENT_STATUS] ? -1 : status;
}

static int64_t
get_time(const Rows *rows, int column)
{
	return rows->nulls[column] ? 0 : scim_audit_unix_micros(DatumGetTimestampTz(rows->values[column]));
}

static void
get_uuid(const Rows *rows, int column, uint8_t out[16])
{
	if (rows->nulls[column])
		memset(out, 0, UUID_LEN);
	else
		memcpy(out, DatumGetUUIDP(rows->values[column])->data, UUID_LEN);
}

/* A text array's elements; a null one is empty, and so is an array of more dimensions. */
static void
get_changed(const Rows *rows, ScimEntry *entry)
{
	ArrayType  *array;
	Datum	   *elements;
	bool	   *nulls;
	ScimStr    *changed;
	int			i;

	if (rows->nulls[EVENT_CHANGED])
		return;
	array = DatumGetArrayTypeP(rows->values[EVENT_CHANGED]);
	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &entry->n_changed);
	if (ARR_NDIM(array) > 1)
		entry->n_changed = 0;
	changed = palloc(Max(entry->n_changed, 1) * sizeof(ScimStr));
	for (i = 0; i < entry->n_changed; i++)
		changed[i] = nulls[i] ? SCIM_STR("") :
			(ScimStr) {VARDATA_ANY(DatumGetPointer(elements[i])), VARSIZE_ANY_EXHDR(DatumGetPointer(elements[i]))};
	entry->changed = changed;
}

static void
get_event(const Rows *rows, ScimVerifyEvent *event)
{
	ScimEntry  *entry = &event->entry;
	ScimStr		salt = get_text(rows, EVENT_DETAIL_SALT);

	memset(event, 0, sizeof *event);
	get_uuid(rows, EVENT_TX_ID, entry->tx_id);
	entry->n = get_int(rows, EVENT_N);
	entry->at = get_time(rows, EVENT_AT);
	entry->tenant = get_text(rows, EVENT_TENANT);
	entry->category = get_text(rows, EVENT_CATEGORY);
	entry->action = get_text(rows, EVENT_ACTION);
	entry->event_type = get_text(rows, EVENT_EVENT_TYPE);
	entry->outcome = get_text(rows, EVENT_OUTCOME);
	entry->status = get_status(rows);
	entry->scim_type = get_text(rows, EVENT_SCIM_TYPE);
	entry->actor = get_text(rows, EVENT_ACTOR);
	entry->actor_type = get_text(rows, EVENT_ACTOR_TYPE);
	entry->credential = get_text(rows, EVENT_CREDENTIAL);
	entry->session_role = get_text(rows, EVENT_SESSION_ROLE);
	entry->effective_role = get_text(rows, EVENT_EFFECTIVE_ROLE);
	entry->origin = get_text(rows, EVENT_ORIGIN);
	entry->resource_type = get_text(rows, EVENT_RESOURCE_TYPE);
	entry->resource_id = get_text(rows, EVENT_RESOURCE_ID);
	get_changed(rows, entry);
	entry->has_request_id = !rows->nulls[EVENT_REQUEST_ID];
	get_uuid(rows, EVENT_REQUEST_ID, entry->request_id);
	entry->method = get_text(rows, EVENT_METHOD);
	entry->has_detail = !rows->nulls[EVENT_DETAIL_HASH];
	get_bytes(rows, EVENT_DETAIL_HASH, entry->detail_hash, SCIM_HASH_SIZE);
	get_bytes(rows, EVENT_PREV_HASH, entry->prev_hash, SCIM_HASH_SIZE);
	get_bytes(rows, EVENT_LEAF_HASH, event->leaf_hash, SCIM_HASH_SIZE);
	event->detail = get_text(rows, EVENT_DETAIL);
	if (salt.len == 16)
		event->salt = (const uint8_t *) salt.ptr;
}

static void
get_seal(const Rows *rows, ScimVerifySeal *seal)
{
	memset(seal, 0, sizeof *seal);
	seal->seal.chain = get_int(rows, SEAL_CHAIN);
	seal->seal.seq = rows->nulls[SEAL_SEQ] ? 0 : DatumGetInt64(rows->values[SEAL_SEQ]);
	get_uuid(rows, SEAL_TX_ID, seal->seal.tx_id);
	seal->seal.at = get_time(rows, SEAL_AT);
	seal->seal.events = get_int(rows, SEAL_EVENTS);
	get_bytes(rows, SEAL_LAST_LEAF, seal->seal.last_leaf, SCIM_HASH_SIZE);
	get_bytes(rows, SEAL_CONFIG_HASH, seal->seal.config_hash, SCIM_HASH_SIZE);
	get_bytes(rows, SEAL_PREV_HASH, seal->seal.prev_hash, SCIM_HASH_SIZE);
	get_bytes(rows, SEAL_HASH, seal->hash, SCIM_HASH_SIZE);
}

static void
walk_failed(bool went_on)
{
	if (!went_on)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
}

/* Is the event one of the transaction that is asking?  It is sealed only when that commits. */
static bool
is_own(const ScimVerifyEvent *event)
{
	const uint8_t *own = scim_audit_log_transaction();

	return own != NULL && memcmp(own, event->entry.tx_id, UUID_LEN) == 0;
}

/*
 * First walk: events merged with the seals of their transactions.  A seal
 * with events comes with each of them; one without, alone.
 */
static void
walk_events(ScimAuditCheck *check)
{
	Rows		events;
	Rows		seals;
	ScimVerifySeal seal;
	ScimVerifySeal *held = palloc(sizeof(ScimVerifySeal));	/* seals of the event's transaction */
	int			n_held = 0;
	bool		has_seal;
	MemoryContext caller = MemoryContextSwitchTo(check->row_context);

	open_rows(&events, check, EVENTS_QUERY, true);
	open_rows(&seals, check, SEALS_BY_TRANSACTION_QUERY, true);
	if ((has_seal = next_row(&seals)))
		get_seal(&seals, &seal);
	while (next_row(&events))
	{
		ScimVerifyEvent event;
		int			i;

		MemoryContextReset(check->row_context);
		get_event(&events, &event);
		if (n_held > 0 && memcmp(held[0].seal.tx_id, event.entry.tx_id, UUID_LEN) != 0)
			n_held = 0;
		while (has_seal && memcmp(seal.seal.tx_id, event.entry.tx_id, UUID_LEN) <= 0)
		{
			if (memcmp(seal.seal.tx_id, event.entry.tx_id, UUID_LEN) < 0)
				walk_failed(scim_verify_event(check->walk, NULL, &seal));
			else
			{
				held = repalloc(held, (n_held + 1) * sizeof(ScimVerifySeal));
				held[n_held++] = seal;
			}
			if ((has_seal = next_row(&seals)))
				get_seal(&seals, &seal);
		}
		for (i = 0; i < n_held; i++)
			walk_failed(scim_verify_event(check->walk, &event, &held[i]));
		if (n_held == 0 && !is_own(&event))
			walk_failed(scim_verify_event(check->walk, &event, NULL));
	}
	while (has_seal)
	{
		MemoryContextReset(check->row_context);
		walk_failed(scim_verify_event(check->walk, NULL, &seal));
		if ((has_seal = next_row(&seals)))
			get_seal(&seals, &seal);
	}
	walk_failed(scim_verify_events_end(check->walk));
	MemoryContextSwitchTo(caller);
}

/* Second walk: seals by chain. */
static void
walk_seals(ScimAuditCheck *check)
{
	Rows		rows;
	ScimVerifySeal seal;
	MemoryContext caller = MemoryContextSwitchTo(check->row_context);

	open_rows(&rows, check, check->whole ? SEALS_BY_CHAIN_QUERY : SEALS_BY_CHAIN_BOUNDED_QUERY, !check->whole);
	while (next_row(&rows))
	{
		MemoryContextReset(check->row_context);
		get_seal(&rows, &seal);
		walk_failed(scim_verify_seal(check->walk, &seal, DatumGetBool(rows.values[SEAL_ANCHOR])));
	}
	scim_verify_seals_end(check->walk);
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
	check->walk = NULL;
	check->context = CurrentMemoryContext;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);
	check->walk = scim_verify_create(scim_audit_sha256, report_walk, check);
	walk_failed(check->walk != NULL);
	check->row_context = AllocSetContextCreate(CurrentMemoryContext, "scim_audit verify row", ALLOCSET_DEFAULT_SIZES);

	GetUserIdAndSecContext(&user, &security);
	SetUserIdAndSecContext(events->rd_rel->relowner, security | SECURITY_LOCAL_USERID_CHANGE);
	table_close(events, NoLock);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	walk_events(check);
	walk_seals(check);
	if (scim_verify_saw_erased(check->walk))
		scim_audit_verify_erased(check);
	if (check->whole)
		scim_audit_verify_rows(check);
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

/*
 * scim_audit.verify(from_time timestamptz, to_time timestamptz)
 *		RETURNS SETOF (rule text, chain int, seq bigint, tx_id uuid, n int, message text)
 */
Datum
scim_audit_verify(PG_FUNCTION_ARGS)
{
	ScimAuditCheck *check = palloc0(sizeof(ScimAuditCheck));

	check->tenants = scim_audit_duty_tenants(GetUserId(), SCIM_DUTY_AUDITOR | SCIM_DUTY_AUDIT_ADMIN);
	if (!check->tenants.all && check->tenants.n == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("role \"%s\" is no auditor", GetUserNameFromId(GetUserId(), false))));
	InitMaterializedSRF(fcinfo, 0);
	check->result = (ReturnSetInfo *) fcinfo->resultinfo;
	check->whole = PG_ARGISNULL(0) && PG_ARGISNULL(1);
	memset(&check->to, 0xFF, sizeof check->to);
	if (!PG_ARGISNULL(0))
		check->from = time_bound(PG_GETARG_TIMESTAMPTZ(0));
	if (!PG_ARGISNULL(1))
		check->to = time_bound(PG_GETARG_TIMESTAMPTZ(1));
	run_checks(check);
	if (check->hidden)
		report_hidden(check);
	record(check);
	return (Datum) 0;
}
