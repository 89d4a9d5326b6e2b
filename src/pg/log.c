/*
 * log.c
 *		Writing the audit log (see log.h).
 *
 * State of the transaction: its tx_id, how many events it has written, the
 * leaf of the last one.  Count and leaf are kept per subtransaction that
 * wrote: one that rolls back drops its own, one that commits hands them to
 * its parent.  The tx_id stays, so the numbers of dropped events are used
 * again; their rows are dead.
 */
#include "pg/compat.h"

#include "access/table.h"
#include "access/xact.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "pg/event_store.h"
#include "pg/guc.h"
#include "pg/hash.h"
#include "pg/json_text.h"
#include "pg/log.h"
#include "pg/partition.h"
#include "pg/seal.h"

/* What a (sub)transaction and those it contains have written so far. */
typedef struct Level
{
	struct Level *outer;
	int			nesting;		/* GetCurrentTransactionNestLevel() */
	int			events;
	uint8_t		last_leaf[SCIM_HASH_SIZE];
} Level;

static struct
{
	bool		has_id;
	bool		sealed;
	uint8_t		tx_id[16];
	Level	   *level;			/* innermost that wrote, in TopTransactionContext */
}			tx;

static const ScimAuditContext *current_context;

const ScimAuditContext *
scim_audit_context_set(const ScimAuditContext *context)
{
	const ScimAuditContext *before = current_context;

	current_context = context;
	return before;
}

const uint8_t *
scim_audit_log_transaction(void)
{
	return tx.has_id ? tx.tx_id : NULL;
}

const ScimAuditContext *
scim_audit_context(void)
{
	return current_context;
}

/*
 * RFC 9562 section 5.7: 48 bits of milliseconds, version, 12 bits of the
 * fraction of the millisecond (method 3 of section 6.2), variant, 62 random
 * bits.  Times before 1970, of a clock that was never set, count as 1970.
 */
void
scim_audit_uuid7(int64_t micros, uint8_t out[16])
{
	int64		ms = Max(micros, 0) / 1000;
	int			fraction = (int) (Max(micros, 0) % 1000 * 4096 / 1000);

	for (int i = 5; i >= 0; i--, ms >>= 8)
		out[i] = (uint8) ms;
	scim_audit_random(out + 8, 8);
	out[6] = 0x70 | fraction >> 8;
	out[7] = (uint8) fraction;
	out[8] = 0x80 | (out[8] & 0x3F);
}

static void
check_writable(void)
{
	if (RecoveryInProgress())
		ereport(ERROR,
				(errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
				 errmsg("cannot write the audit log during recovery")));
	if (XactReadOnly)
		ereport(ERROR,
				(errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
				 errmsg("cannot write the audit log in a read-only transaction")));
	if (IsInParallelMode())
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TRANSACTION_STATE),
				 errmsg("cannot write the audit log during a parallel operation")));
	if (tx.sealed)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TRANSACTION_STATE),
				 errmsg("cannot write the audit log after the transaction was sealed")));
}

/* The level of the current (sub)transaction, made when it has none yet. */
static Level *
current_level(void)
{
	int			nesting = GetCurrentTransactionNestLevel();
	Level	   *level;

	if (tx.level != NULL && tx.level->nesting == nesting)
		return tx.level;
	level = MemoryContextAllocZero(TopTransactionContext, sizeof(Level));
	if (tx.level != NULL)
		*level = *tx.level;
	level->outer = tx.level;
	level->nesting = nesting;
	tx.level = level;
	return level;
}

/* Cut a text to a number of bytes, at a character's end. */
static void
cap(ScimStr *text, size_t max)
{
	if (text->ptr != NULL && text->len > max)
		text->len = pg_mbcliplen(text->ptr, (int) text->len, (int) max);
}

/* An identifier that is too long is replaced by its digest: cut, two could become one. */
void
scim_audit_cap_resource_id(ScimStr *id)
{
	uint8_t		hash[SCIM_HASH_SIZE];
	StringInfoData text;

	if (id->ptr == NULL || id->len <= SCIM_AUDIT_RESOURCE_ID_MAX)
		return;
	scim_audit_sha256(id, 1, hash);
	initStringInfo(&text);
	appendStringInfoString(&text, "sha256:");
	for (int i = 0; i < SCIM_HASH_SIZE; i++)
		appendStringInfo(&text, "%02x", hash[i]);
	*id = (ScimStr) {text.data, text.len};
}

/* Leave out what is too much; "*" as the last path says that there was more. */
static void
cap_changed(ScimEntry *entry)
{
	size_t		len = 0;
	ScimStr    *kept;

	for (int i = 0; i < entry->n_changed; i++)
	{
		len += entry->changed[i].len;
		if (len <= SCIM_AUDIT_CHANGED_MAX)
			continue;
		kept = palloc((i + 1) * sizeof(ScimStr));
		memcpy(kept, entry->changed, i * sizeof(ScimStr));
		kept[i] = SCIM_STR("*");
		entry->changed = kept;
		entry->n_changed = i + 1;
		return;
	}
}

static void
cap_lengths(ScimEntry *entry)
{
	ScimStr    *texts[] = {
		&entry->tenant, &entry->category, &entry->action, &entry->event_type, &entry->outcome,
		&entry->scim_type, &entry->actor, &entry->actor_type, &entry->credential,
		&entry->session_role, &entry->effective_role, &entry->origin, &entry->resource_type,
		&entry->method
	};

	for (int i = 0; i < lengthof(texts); i++)
		cap(texts[i], SCIM_AUDIT_TEXT_MAX);
	scim_audit_cap_resource_id(&entry->resource_id);
	cap_changed(entry);
}

static ScimStr
str(const char *text)
{
	return text != NULL ? (ScimStr) {text, strlen(text)} : SCIM_STR_NONE;
}

const char *
scim_audit_role_name(Oid role)
{
	const char *name = GetUserNameFromId(role, false);
	int			left = strlen(name);
	StringInfoData text;

	if (pg_verifymbstr(name, left, true))
		return name;
	initStringInfo(&text);
	while (left > 0)
	{
		int			len = pg_encoding_verifymbchar(GetDatabaseEncoding(), name, left);

		if (len > 0)
			appendBinaryStringInfo(&text, name, len);
		else
			appendStringInfo(&text, "\\x%02x", (unsigned char) *name);
		name += Max(len, 1);
		left -= Max(len, 1);
	}
	return text.data;
}

/* Who acts, and in which call. */
static void
fill_context(ScimEntry *entry)
{
	const ScimAuditContext *context = current_context;

	entry->session_role = str(scim_audit_role_name(GetSessionUserId()));
	entry->effective_role = str(scim_audit_role_name(GetOuterUserId()));
	entry->actor = entry->effective_role;
	entry->actor_type = SCIM_STR("role");
	entry->origin = SCIM_STR("direct");
	if (context == NULL)
		return;
	if (context->actor != NULL)
		entry->actor = str(context->actor);
	if (context->actor_type != NULL)
		entry->actor_type = str(context->actor_type);
	if (context->origin != NULL)
		entry->origin = str(context->origin);
	entry->credential = str(context->credential);
	entry->method = str(context->method);
	entry->has_request_id = context->has_request_id;
	memcpy(entry->request_id, context->request_id, sizeof(entry->request_id));
}

/*
 * inet_client_addr(): NULL on a unix socket and in a background process.
 * Asked once; a backend has one client.
 */
static const char *
client_address(void)
{
	static char *address;
	LOCAL_FCINFO(call, 0);
	Datum		value;

	if (address != NULL)
		return address;
	InitFunctionCallInfoData(*call, NULL, 0, InvalidOid, NULL, NULL);
	value = inet_client_addr(call);
	address = MemoryContextStrdup(TopMemoryContext, call->isnull ? "" :
								  DatumGetCString(DirectFunctionCall1(inet_out, value)));
	return address;
}

/*
 * Add a member that is not empty and that the call does not already claim.
 * In compact JSON, "name": with its quotes cannot stand inside a string.
 */
static void
add_claim(StringInfo detail, const char *member, const char *value)
{
	ScimStr		claims = current_context != NULL ? current_context->claims : SCIM_STR_NONE;

	if (value == NULL || value[0] == '\0')
		return;
	if (claims.len > 0 && strstr(pnstrdup(claims.ptr, claims.len), member) != NULL)
		return;
	if (detail->len > 1)
		appendStringInfoChar(detail, ',');
	appendStringInfoString(detail, member);
	scim_audit_json_string(detail, value, strlen(value));
}

/* The object given, and what every event says of its session; NONE when both are empty. */
static ScimStr
complete_detail(ScimStr given)
{
	ScimStr		claims = current_context != NULL ? current_context->claims : SCIM_STR_NONE;
	StringInfoData detail;

	initStringInfo(&detail);
	if (given.len > 0)
	{
		/* Without its closing brace. */
		Assert(given.ptr[0] == '{' && given.ptr[given.len - 1] == '}');
		appendBinaryStringInfo(&detail, given.ptr, given.len - 1);
	}
	else
		appendStringInfoChar(&detail, '{');
	if (claims.len > 0)
	{
		if (detail.len > 1)
			appendStringInfoChar(&detail, ',');
		appendBinaryStringInfo(&detail, claims.ptr, claims.len);
	}
	add_claim(&detail, "\"actor_claimed\":", scim_audit_actor);
	add_claim(&detail, "\"on_behalf_of\":", scim_audit_on_behalf_of);
	add_claim(&detail, "\"reason\":", scim_audit_reason);
	add_claim(&detail, "\"ticket\":", scim_audit_ticket);
	add_claim(&detail, "\"application_name\":", application_name);
	add_claim(&detail, "\"client_addr\":", client_address());
	if (detail.len == 1)
		return SCIM_STR_NONE;
	appendStringInfoChar(&detail, '}');
	return (ScimStr) {detail.data, detail.len};
}

static void
hash_entry(const ScimEntry *entry, uint8_t leaf_hash[SCIM_HASH_SIZE])
{
	static ScimBuf buf = {.max = SCIM_ENTRY_MAX};

	scim_buf_reset(&buf);
	if (!scim_entry_render(&buf, entry))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("audit entry is too long or out of memory")));
	scim_leaf_hash(scim_audit_sha256, (ScimStr) {buf.data, buf.len}, leaf_hash);
}

/*
 * Number, link and insert.  The partition comes first: making one runs DDL,
 * and an event trigger on that may itself write events.
 */
static void
write_event(ScimEntry *entry, ScimStr detail)
{
	Relation	partition = scim_audit_partition_open(tx.tx_id);
	Level	   *level = current_level();
	uint8_t		salt[16];
	uint8_t		leaf_hash[SCIM_HASH_SIZE];

	memcpy(entry->tx_id, tx.tx_id, sizeof(entry->tx_id));
	entry->n = level->events;
	memcpy(entry->prev_hash, level->last_leaf, SCIM_HASH_SIZE);
	fill_context(entry);
	cap_lengths(entry);
	detail = complete_detail(detail);
	entry->has_detail = detail.ptr != NULL;
	if (entry->has_detail)
	{
		scim_audit_random(salt, sizeof(salt));
		scim_detail_hash(scim_audit_sha256, salt, detail, entry->detail_hash);
	}
	hash_entry(entry, leaf_hash);
	scim_audit_store_event(partition, entry, leaf_hash, detail, salt);
	table_close(partition, NoLock);
	level->events++;
	memcpy(level->last_leaf, leaf_hash, SCIM_HASH_SIZE);
}

void
scim_audit_log_write(ScimEntry *entry, ScimStr detail)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext work;

	check_writable();
	entry->at = scim_audit_unix_micros(GetCurrentTimestamp());
	if (!tx.has_id)
	{
		scim_audit_uuid7(entry->at, tx.tx_id);
		tx.has_id = true;
	}
	work = AllocSetContextCreate(caller, "audit event", ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(work);
	write_event(entry, detail);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(work);
}

void
scim_audit_log_simple(const char *category, const char *action, const char *event_type,
					  const char *tenant, const char *resource_type,
					  const char *resource_id, ScimStr detail)
{
	ScimEntry	entry = {
		.tenant = str(tenant),
		.category = str(category),
		.action = str(action),
		.event_type = str(event_type),
		.outcome = SCIM_STR("success"),
		.resource_type = str(resource_type),
		.resource_id = str(resource_id)
	};

	scim_audit_log_write(&entry, detail);
}

static void
seal_transaction(void)
{
	if (tx.level == NULL || tx.level->events == 0)
		return;
	scim_audit_seal(tx.tx_id, tx.level->events, tx.level->last_leaf);
	tx.sealed = true;
}

static void
at_transaction_event(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
			seal_transaction();
			break;
		case XACT_EVENT_PRE_PREPARE:
			if (tx.level != NULL && tx.level->events > 0 && !scim_audit_allow_prepare)
				ereport(ERROR,
						(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						 errmsg("cannot PREPARE a transaction that has written audit events"),
						 errdetail("A prepared transaction would keep a chain of the audit log locked."),
						 errhint("A superuser can allow it with scim_audit.allow_prepare.")));
			seal_transaction();
			break;
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PREPARE:
			scim_audit_seal_ended(event == XACT_EVENT_COMMIT);
			memset(&tx, 0, sizeof(tx));
			current_context = NULL;
			break;
		default:
			/* A parallel worker writes no events. */
			break;
	}
}

static void
at_subtransaction_event(SubXactEvent event, SubTransactionId id, SubTransactionId parent, void *arg)
{
	int			nesting = GetCurrentTransactionNestLevel();
	Level	   *level = tx.level;

	if (level == NULL || level->nesting < nesting)
		return;
	if (event == SUBXACT_EVENT_ABORT_SUB)
	{
		tx.level = level->outer;
		pfree(level);
	}
	else if (event == SUBXACT_EVENT_COMMIT_SUB)
	{
		level->nesting = nesting - 1;
		if (level->outer != NULL && level->outer->nesting == level->nesting)
		{
			Level	   *outer = level->outer;

			level->outer = outer->outer;
			pfree(outer);
		}
	}
}

void
scim_audit_log_init(void)
{
	RegisterXactCallback(at_transaction_event, NULL);
	RegisterSubXactCallback(at_subtransaction_event, NULL);
}
