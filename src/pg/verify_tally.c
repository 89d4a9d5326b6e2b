/*
 * verify_tally.c
 *		The aggregate by which verify() checks events in any order (see
 *		verify_balance.c).
 *
 * Its state is a bytea that holds a ScimAuditTally, so that workers of a
 * parallel query can hand it over.
 */
#include "pg/compat.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "core/text.h"
#include "pg/hash.h"
#include "pg/verify.h"
#include "pg/verify_tally.h"

PG_FUNCTION_INFO_V1(scim_audit_tally_step);
PG_FUNCTION_INFO_V1(scim_audit_tally_combine);

/* Arguments of tally_step before the columns of an event: the state and the key. */
#define ARGS_BEFORE 2


void
scim_audit_tally_get(Datum datum, ScimAuditTally *tally)
{
	struct varlena *state = PG_DETOAST_DATUM_PACKED(datum);

	if (VARSIZE_ANY_EXHDR(state) != sizeof(ScimAuditTally))
		elog(ERROR, "a tally has %zu bytes", (size_t) VARSIZE_ANY_EXHDR(state));
	memcpy(tally, VARDATA_ANY(state), sizeof(ScimAuditTally));
}

/* The aggregate's own state, which is made at the first call. */
static struct varlena *
own_state(FunctionCallInfo fcinfo)
{
	static const ScimAuditTally nothing;
	MemoryContext context;
	struct varlena *state;

	if (!AggCheckCallContext(fcinfo, &context))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("function of the aggregate scim_audit.tally called outside of it")));
	if (!PG_ARGISNULL(0))
		return (struct varlena *) PG_GETARG_POINTER(0);
	state = MemoryContextAlloc(context, VARHDRSZ + sizeof(ScimAuditTally));
	SET_VARSIZE(state, VARHDRSZ + sizeof(ScimAuditTally));
	memcpy(VARDATA(state), &nothing, sizeof(ScimAuditTally));
	return state;
}

static void
free_checker(void *arg)
{
	scim_verify_free(arg);
}

/* What checks an event by itself; nothing is reported. */
static ScimVerify *
checker(FmgrInfo *flinfo)
{
	static const ScimVerifyCalls none;
	MemoryContextCallback *callback;

	if (flinfo->fn_extra != NULL)
		return flinfo->fn_extra;
	callback = MemoryContextAlloc(flinfo->fn_mcxt, sizeof(MemoryContextCallback));
	callback->func = free_checker;
	callback->arg = scim_verify_create(scim_audit_sha256, &none, true);
	scim_audit_walk_went(callback->arg != NULL);
	MemoryContextRegisterResetCallback(flinfo->fn_mcxt, callback);
	flinfo->fn_extra = callback->arg;
	return flinfo->fn_extra;
}

uint64
scim_audit_link_number(const uint8_t tx_id[UUID_LEN], int64 n, const uint8_t hash[SCIM_HASH_SIZE], uint64 key)
{
	char		link[UUID_LEN + sizeof(n) + SCIM_HASH_SIZE];

	memcpy(link, tx_id, UUID_LEN);
	memcpy(link + UUID_LEN, &n, sizeof(n));
	memcpy(link + UUID_LEN + sizeof(n), hash, SCIM_HASH_SIZE);
	return scim_audit_number((ScimStr) {link, sizeof(link)}, key);
}

/* The event's place: it offers its hash to the next one, and takes that of the one before. */
static void
count_links(ScimAuditTally *tally, const ScimVerifyEvent *event, uint64 key)
{
	static const uint8_t zeros[SCIM_HASH_SIZE];
	const ScimEntry *entry = &event->entry;

	tally->offered += scim_audit_link_number(entry->tx_id, (int64) entry->n + 1, event->leaf_hash, key);
	if (entry->n > 0)
		tally->taken += scim_audit_link_number(entry->tx_id, entry->n, entry->prev_hash, key);
	else if (entry->n < 0 || memcmp(entry->prev_hash, zeros, SCIM_HASH_SIZE) != 0)
		tally->faults++;
}

static void
count_witness(ScimAuditTally *tally, const uint8_t tx_id[UUID_LEN])
{
	if (tally->witnesses == 0 || memcmp(tx_id, tally->first_witness.data, UUID_LEN) < 0)
		memcpy(tally->first_witness.data, tx_id, UUID_LEN);
	if (tally->witnesses == 0 || memcmp(tx_id, tally->last_witness.data, UUID_LEN) > 0)
		memcpy(tally->last_witness.data, tx_id, UUID_LEN);
	tally->witnesses++;
}

bool
scim_audit_start_is_later(const ScimAuditStart *a, const ScimAuditStart *b)
{
	int			by_tx;

	if (!a->found || !b->found)
		return a->found;
	if (a->at != b->at)
		return a->at > b->at;
	by_tx = memcmp(a->tx_id.data, b->tx_id.data, UUID_LEN);
	return by_tx != 0 ? by_tx > 0 : a->n > b->n;
}

static void
count_start(ScimAuditStart *start, const ScimEntry *entry, bool complete)
{
	ScimAuditStart other = {.found = true, .complete = complete, .n = entry->n, .at = entry->at};

	memcpy(other.tx_id.data, entry->tx_id, UUID_LEN);
	if (scim_audit_start_is_later(&other, start))
		*start = other;
}

/* What the event says of rows: their values, or where the history begins that counts. */
static void
count_row(ScimAuditTally *tally, const ScimVerifyEvent *event, uint64 key)
{
	const ScimEntry *entry = &event->entry;

	if (scim_str_equal(entry->category, SCIM_STR("change")))
	{
		if (scim_str_equal(entry->action, SCIM_STR("truncate")))
			count_start(&tally->truncated, entry, true);
		else if ((scim_str_equal(entry->action, SCIM_STR("insert")) || scim_str_equal(entry->action, SCIM_STR("update")) || scim_str_equal(entry->action, SCIM_STR("delete"))) &&
				 !scim_audit_is_seeded(entry->resource_type, entry->resource_id))
		{
			tally->rows += scim_audit_sum_detail(event->detail, scim_audit_row_number_key(entry->resource_id, key));
			if (tally->changes == 0 || entry->at < tally->first_change)
				tally->first_change = entry->at;
			tally->changes++;
		}
	}
	else if (scim_str_equal(entry->category, SCIM_STR("admin")) && scim_str_equal(entry->event_type, SCIM_STR("table.track")) && !scim_str_equal(entry->action, SCIM_STR("follow")))
		count_start(&tally->tracked, entry, !scim_str_equal(entry->action, SCIM_STR("track_changes")));
}

/*
 * scim_audit.tally_step(state bytea, key bigint, the columns of an event) RETURNS bytea:
 * one more event.  Nothing here raises an ERROR over an event that somebody has altered.
 */
Datum
scim_audit_tally_step(PG_FUNCTION_ARGS)
{
	struct varlena *state = own_state(fcinfo);
	uint64		key = PG_GETARG_INT64(1);
	ScimAuditTally tally;
	ScimAuditFields fields;
	ScimVerifyEvent event;
	ScimVerifyState found;

	memcpy(&tally, VARDATA(state), sizeof(tally));
	for (int i = 0; i < SCIM_AUDIT_EVENT_N_COLUMNS; i++)
	{
		fields.values[i] = PG_GETARG_DATUM(ARGS_BEFORE + i);
		fields.nulls[i] = PG_ARGISNULL(ARGS_BEFORE + i);
	}
	scim_audit_fields_event(&fields, &event);
	found = scim_verify_alone(checker(fcinfo->flinfo), &event);
	if (found == SCIM_VERIFY_ALTERED)
		tally.faults++;
	else
	{
		if (found == SCIM_VERIFY_ERASED || scim_verify_is_witness(&event))
			count_witness(&tally, event.entry.tx_id);
		if (scim_str_equal(event.entry.event_type, SCIM_STR("log.checkpoint")) || scim_str_equal(event.entry.event_type, SCIM_STR("log.origin")))
			tally.trees++;
		count_links(&tally, &event, key);
		count_row(&tally, &event, key);
	}
	memcpy(VARDATA(state), &tally, sizeof(tally));
	PG_RETURN_POINTER(state);
}

/* scim_audit.tally_combine(a bytea, b bytea) RETURNS bytea: both together */
Datum
scim_audit_tally_combine(PG_FUNCTION_ARGS)
{
	struct varlena *state = own_state(fcinfo);
	ScimAuditTally tally;
	ScimAuditTally other;

	if (!PG_ARGISNULL(1))
	{
		memcpy(&tally, VARDATA(state), sizeof(tally));
		scim_audit_tally_get(PG_GETARG_DATUM(1), &other);
		scim_audit_tally_add(&tally, &other);
		memcpy(VARDATA(state), &tally, sizeof(tally));
	}
	PG_RETURN_POINTER(state);
}

void
scim_audit_tally_add(ScimAuditTally *tally, const ScimAuditTally *other)
{
	int64		witnesses = tally->witnesses + other->witnesses;

	tally->faults += other->faults;
	tally->offered += other->offered;
	tally->taken += other->taken;
	tally->rows += other->rows;
	if (other->witnesses > 0)
	{
		count_witness(tally, other->first_witness.data);
		count_witness(tally, other->last_witness.data);
	}
	tally->witnesses = witnesses;
	tally->trees += other->trees;
	if (other->changes > 0 && (tally->changes == 0 || other->first_change < tally->first_change))
		tally->first_change = other->first_change;
	tally->changes += other->changes;
	if (scim_audit_start_is_later(&other->truncated, &tally->truncated))
		tally->truncated = other->truncated;
	if (scim_audit_start_is_later(&other->tracked, &tally->tracked))
		tally->tracked = other->tracked;
}
