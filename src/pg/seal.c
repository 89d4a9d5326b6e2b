/*
 * seal.c
 *		One seal per transaction, in one of many hash chains (see seal.h).
 *
 * Order matters: the configuration digest before the lock (it may read
 * catalogs), the head after it, the time after the head.  No head is
 * remembered between transactions: one that was read before the lock may have
 * moved on, one that was written may be rolled back by an error later in the
 * commit.
 *
 * A seal's time is never before that of the seal it follows, even when the
 * clock was set back.  By the times of seals one also tells which
 * configuration was in force when, so a seal is later than all seals that
 * were committed when its configuration was read: neither the seal that
 * changes what is audited nor one made after it can stand on the wrong side.
 */
#include "pg/compat.h"

#include "access/table.h"
#include "catalog/pg_class.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "pg/config_hash.h"
#include "pg/event_store.h"
#include "pg/guc.h"
#include "pg/hash.h"
#include "pg/seal.h"

/* Lock the first free chain, or the backend's own when all are taken. */
static int
lock_chain(Oid seals)
{
	int			own = SCIM_AUDIT_BACKEND_NUMBER % scim_audit_chains;
	LOCKTAG		tag;

	for (int i = 0; i < scim_audit_chains; i++)
	{
		int			chain = (own + i) % scim_audit_chains;

		SET_LOCKTAG_OBJECT(tag, MyDatabaseId, RelationRelationId, seals, chain + 1);
		if (LockAcquire(&tag, ExclusiveLock, false, true) != LOCKACQUIRE_NOT_AVAIL)
			return chain;
	}
	SET_LOCKTAG_OBJECT(tag, MyDatabaseId, RelationRelationId, seals, own + 1);
	(void) LockAcquire(&tag, ExclusiveLock, false, false);
	return own;
}

/* The latest seal when the configuration was read, and which reading that was. */
static int64_t
latest_before(Relation seals, uint64 reading)
{
	static int64_t latest;
	static uint64 latest_reading;

	if (reading != latest_reading)
	{
		latest = scim_audit_store_latest(seals);
		latest_reading = reading;
	}
	return latest;
}

static void
hash_seal(const ScimSeal *seal, uint8_t hash[SCIM_HASH_SIZE])
{
	ScimBuf		buf;
	bool		rendered;

	scim_buf_init(&buf, NULL, SCIM_ENTRY_MAX);
	rendered = scim_seal_render(&buf, seal);
	if (rendered)
		scim_seal_hash(scim_audit_sha256, (ScimStr) {buf.data, buf.len}, hash);
	scim_buf_free(&buf);
	if (!rendered)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory")));
}

void
scim_audit_seal(const uint8_t tx_id[16], int events, const uint8_t last_leaf[SCIM_HASH_SIZE])
{
	Relation	seals = table_open(scim_audit_seals_oid(), RowExclusiveLock);
	ScimSeal	seal = {.events = events};
	ScimSeal	head = {0};
	uint8_t		hash[SCIM_HASH_SIZE];
	int64_t		earliest;

	PushActiveSnapshot(GetTransactionSnapshot());
	memcpy(seal.tx_id, tx_id, sizeof(seal.tx_id));
	memcpy(seal.last_leaf, last_leaf, SCIM_HASH_SIZE);
	earliest = latest_before(seals, scim_audit_config_hash(seal.config_hash)) + 1;

	seal.chain = lock_chain(RelationGetRelid(seals));
	if (scim_audit_store_head(seals, seal.chain, &head, hash))
		memcpy(seal.prev_hash, hash, SCIM_HASH_SIZE);
	seal.seq = head.seq + 1;
	seal.at = Max(scim_audit_unix_micros(GetCurrentTimestamp()), Max(head.at, earliest));
	hash_seal(&seal, hash);
	scim_audit_store_seal(seals, &seal, hash);
	PopActiveSnapshot();

	/* The lock on the table stays until the transaction is over, as for any write. */
	table_close(seals, NoLock);
}
