/*
 * verify_read.c
 *		Rows of the log as verify() walks them (see verify.h).
 *
 * Both tables are read as they are: what stands in a row that somebody has
 * written past the extension need not be what a row of the log can hold.  A
 * value that has no place in an entry makes its row damaged, for it must not
 * look like one that has.
 */
#include "pg/compat.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "pg/event_store.h"
#include "pg/verify.h"

#define FETCH_ROWS 256

/* Times that an entry can hold: the years 0001 to 9999, in microseconds since 1970. */
#define TIME_MIN INT64CONST(-62135596800000000)
#define TIME_MAX INT64CONST(253402300799999999)

/* SCIM_AUDIT_EVENT_COLUMNS */
enum
{
	EVENT_TX_ID, EVENT_N, EVENT_AT, EVENT_TENANT, EVENT_CATEGORY, EVENT_ACTION, EVENT_EVENT_TYPE,
	EVENT_OUTCOME, EVENT_STATUS, EVENT_SCIM_TYPE, EVENT_ACTOR, EVENT_ACTOR_TYPE, EVENT_CREDENTIAL,
	EVENT_SESSION_ROLE, EVENT_EFFECTIVE_ROLE, EVENT_ORIGIN, EVENT_RESOURCE_TYPE, EVENT_RESOURCE_ID,
	EVENT_CHANGED, EVENT_REQUEST_ID, EVENT_METHOD, EVENT_DETAIL_HASH, EVENT_PREV_HASH,
	EVENT_LEAF_HASH, EVENT_DETAIL_SALT, EVENT_DETAIL, EVENT_COLUMNS
};

/* The columns of a seal, and whether it is only there to be linked to. */
enum
{
	SEAL_CHAIN, SEAL_SEQ, SEAL_TX_ID, SEAL_AT, SEAL_EVENTS, SEAL_LAST_LEAF, SEAL_CONFIG_HASH,
	SEAL_PREV_HASH, SEAL_HASH, SEAL_ANCHOR, SEAL_COLUMNS
};


ScimAuditArgs
scim_audit_range_args(const ScimAuditRange *range)
{
	return (ScimAuditArgs) {2, {UUIDOID, UUIDOID}, {UUIDPGetDatum(&range->from), UUIDPGetDatum(&range->to)}};
}

void
scim_audit_rows_open(ScimAuditRows *rows, const char *query, ScimAuditArgs args)
{
	memset(rows, 0, sizeof *rows);
	rows->portal = SPI_cursor_open_with_args(NULL, query, args.n, args.types, args.values, NULL, true, 0);
}

bool
scim_audit_rows_next(ScimAuditRows *rows)
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
	heap_deform_tuple(rows->table->vals[rows->next++], rows->table->tupdesc, rows->fields.values, rows->fields.nulls);
	return true;
}

static ScimStr
get_text(const ScimAuditFields *fields, int column)
{
	struct varlena *value;

	if (fields->nulls[column])
		return SCIM_STR_NONE;
	value = pg_detoast_datum_packed((struct varlena *) DatumGetPointer(fields->values[column]));
	return (ScimStr) {VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value)};
}

/* A hash; false, and zeros, when it is null or of another length. */
static bool
get_hash(const ScimAuditFields *fields, int column, uint8_t out[SCIM_HASH_SIZE])
{
	ScimStr		bytes = get_text(fields, column);

	memset(out, 0, SCIM_HASH_SIZE);
	if (bytes.ptr == NULL || bytes.len != SCIM_HASH_SIZE)
		return false;
	memcpy(out, bytes.ptr, SCIM_HASH_SIZE);
	return true;
}

static int32_t
get_int(const ScimAuditFields *fields, int column)
{
	return fields->nulls[column] ? 0 : DatumGetInt32(fields->values[column]);
}

/* A time in microseconds since 1970; false, and 0, when an entry cannot hold it. */
static bool
get_time(const ScimAuditFields *fields, int column, int64_t *out)
{
	TimestampTz time = fields->nulls[column] ? DT_NOBEGIN : DatumGetTimestampTz(fields->values[column]);

	*out = 0;
	if (TIMESTAMP_NOT_FINITE(time))
		return false;
	*out = scim_audit_unix_micros(time);
	return *out >= TIME_MIN && *out <= TIME_MAX;
}

static void
get_uuid(const ScimAuditFields *fields, int column, uint8_t out[16])
{
	if (fields->nulls[column])
		memset(out, 0, UUID_LEN);
	else
		memcpy(out, DatumGetUUIDP(fields->values[column])->data, UUID_LEN);
}

/* A text array's elements; false when it has nulls or more dimensions. */
static bool
get_changed(const ScimAuditFields *fields, ScimEntry *entry)
{
	ArrayType  *array;
	Datum	   *elements;
	bool	   *nulls;
	ScimStr    *changed;
	int			i;

	if (fields->nulls[EVENT_CHANGED])
		return true;
	array = DatumGetArrayTypeP(fields->values[EVENT_CHANGED]);
	if (ARR_NDIM(array) > 1 || array_contains_nulls(array))
		return false;
	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &entry->n_changed);
	changed = palloc(Max(entry->n_changed, 1) * sizeof(ScimStr));
	for (i = 0; i < entry->n_changed; i++)
		changed[i] = (ScimStr) {VARDATA_ANY(DatumGetPointer(elements[i])), VARSIZE_ANY_EXHDR(DatumGetPointer(elements[i]))};
	entry->changed = changed;
	return true;
}

void
scim_audit_fields_event(const ScimAuditFields *fields, ScimVerifyEvent *event)
{
	ScimEntry  *entry = &event->entry;
	bool		whole = !fields->nulls[EVENT_TX_ID] && !fields->nulls[EVENT_N];

	memset(event, 0, sizeof *event);
	get_uuid(fields, EVENT_TX_ID, entry->tx_id);
	entry->n = get_int(fields, EVENT_N);
	whole &= get_time(fields, EVENT_AT, &entry->at);
	entry->tenant = get_text(fields, EVENT_TENANT);
	entry->category = get_text(fields, EVENT_CATEGORY);
	entry->action = get_text(fields, EVENT_ACTION);
	entry->event_type = get_text(fields, EVENT_EVENT_TYPE);
	entry->outcome = get_text(fields, EVENT_OUTCOME);
	entry->status = get_int(fields, EVENT_STATUS);
	entry->status_zero = entry->status == 0 && !fields->nulls[EVENT_STATUS];
	entry->scim_type = get_text(fields, EVENT_SCIM_TYPE);
	entry->actor = get_text(fields, EVENT_ACTOR);
	entry->actor_type = get_text(fields, EVENT_ACTOR_TYPE);
	entry->credential = get_text(fields, EVENT_CREDENTIAL);
	entry->session_role = get_text(fields, EVENT_SESSION_ROLE);
	entry->effective_role = get_text(fields, EVENT_EFFECTIVE_ROLE);
	entry->origin = get_text(fields, EVENT_ORIGIN);
	entry->resource_type = get_text(fields, EVENT_RESOURCE_TYPE);
	entry->resource_id = get_text(fields, EVENT_RESOURCE_ID);
	whole &= get_changed(fields, entry);
	entry->has_request_id = !fields->nulls[EVENT_REQUEST_ID];
	get_uuid(fields, EVENT_REQUEST_ID, entry->request_id);
	entry->method = get_text(fields, EVENT_METHOD);
	entry->has_detail = !fields->nulls[EVENT_DETAIL_HASH];
	whole &= get_hash(fields, EVENT_DETAIL_HASH, entry->detail_hash) || !entry->has_detail;
	whole &= get_hash(fields, EVENT_PREV_HASH, entry->prev_hash);
	whole &= get_hash(fields, EVENT_LEAF_HASH, event->leaf_hash);
	event->damaged = !whole;
	event->detail = get_text(fields, EVENT_DETAIL);
	event->salt = get_text(fields, EVENT_DETAIL_SALT);
}

void
scim_audit_rows_event(const ScimAuditRows *rows, ScimVerifyEvent *event)
{
	scim_audit_fields_event(&rows->fields, event);
}

void
scim_audit_rows_seal(const ScimAuditRows *rows, ScimVerifySeal *seal)
{
	const ScimAuditFields *fields = &rows->fields;
	bool		whole = !fields->nulls[SEAL_CHAIN] && !fields->nulls[SEAL_SEQ] && !fields->nulls[SEAL_TX_ID] &&
		!fields->nulls[SEAL_EVENTS];

	memset(seal, 0, sizeof *seal);
	seal->seal.chain = get_int(fields, SEAL_CHAIN);
	seal->seal.seq = fields->nulls[SEAL_SEQ] ? 0 : DatumGetInt64(fields->values[SEAL_SEQ]);
	get_uuid(fields, SEAL_TX_ID, seal->seal.tx_id);
	whole &= get_time(fields, SEAL_AT, &seal->seal.at);
	seal->seal.events = get_int(fields, SEAL_EVENTS);
	whole &= get_hash(fields, SEAL_LAST_LEAF, seal->seal.last_leaf);
	whole &= get_hash(fields, SEAL_CONFIG_HASH, seal->seal.config_hash);
	whole &= get_hash(fields, SEAL_PREV_HASH, seal->seal.prev_hash);
	whole &= get_hash(fields, SEAL_HASH, seal->hash);
	seal->damaged = !whole;
}

bool
scim_audit_rows_is_anchor(const ScimAuditRows *rows)
{
	return DatumGetBool(rows->fields.values[SEAL_ANCHOR]);
}
