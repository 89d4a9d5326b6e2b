/*
 * seal.c
 *		One seal per transaction, in one of many hash chains (see seal.h).
 *
 * Order matters: the configuration digest before the lock (it may read
 * catalogs), the head after it, the time after the head.
 *
 * A backend mostly seals in its own chain, and its own last seal is then the
 * head.  Reading it back costs as much as hashing an event and writing it, so
 * it is remembered, once its transaction has committed; but only believed
 * where the primary key takes the seal that follows it: if somebody else has
 * added to the chain since, that place is taken, the seal is taken back, and
 * the head is read.  As that costs more than reading at once, nothing is
 * believed until what was remembered has been found right several times.
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

#define RIGHT_ENOUGH 8			/* times that what is remembered was found right */

/* The last seal of a chain; seq 0: none. */
typedef struct Head
{
	int64_t		seq;
	int64_t		at;
	uint8_t		hash[SCIM_HASH_SIZE];
} Head;

/* Last seals that this backend has committed in each chain. */
static struct
{
	uint64		version;		/* of the table: of another nothing is believed */
	Head		head[SCIM_AUDIT_CHAINS_MAX];
	int			right[SCIM_AUDIT_CHAINS_MAX];	/* how often in a row it was still the head */
}			remembered;

/* The seal of the current transaction; seq 0: none yet. */
static struct
{
	int			chain;
	Head		head;
}			made;

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
	static ScimBuf buf = {.max = SCIM_ENTRY_MAX};

	scim_buf_reset(&buf);
	if (!scim_seal_render(&buf, seal))
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory")));
	scim_seal_hash(scim_audit_sha256, (ScimStr) {buf.data, buf.len}, hash);
}

static void
read_head(Relation seals, int chain, Head *head)
{
	ScimSeal	last = {0};

	memset(head, 0, sizeof(Head));
	if (!scim_audit_store_head(seals, chain, &last, head->hash))
		return;
	head->seq = last.seq;
	head->at = last.at;
}

/* Write the seal that follows the head; false: its place, which may_be_taken, is. */
static bool
follow(Relation seals, ScimSeal *seal, const Head *head, int64_t earliest, bool may_be_taken)
{
	seal->seq = head->seq + 1;
	memcpy(seal->prev_hash, head->hash, SCIM_HASH_SIZE);
	seal->at = Max(scim_audit_unix_micros(GetCurrentTimestamp()), Max(head->at, earliest));
	made.chain = seal->chain;
	made.head.seq = seal->seq;
	made.head.at = seal->at;
	hash_seal(seal, made.head.hash);
	return scim_audit_store_seal(seals, seal, made.head.hash, may_be_taken);
}

/* Write the seal as the next of its chain, which is locked. */
static void
append(Relation seals, ScimSeal *seal, int64_t earliest)
{
	Head		head;
	Head	   *known = &remembered.head[seal->chain];
	int		   *right = &remembered.right[seal->chain];

	if (*right >= RIGHT_ENOUGH)
	{
		if (follow(seals, seal, known, earliest, true))
			return;
		*right = 0;
	}
	read_head(seals, seal->chain, &head);
	*right = known->seq > 0 && memcmp(known, &head, sizeof(Head)) == 0 ? *right + 1 : 0;
	(void) follow(seals, seal, &head, earliest, false);
}

void
scim_audit_seal(const uint8_t tx_id[16], int events, const uint8_t last_leaf[SCIM_HASH_SIZE])
{
	Relation	seals = table_open(scim_audit_seals_oid(), RowExclusiveLock);
	ScimSeal	seal = {.events = events};
	int64_t		earliest;

	if (remembered.version != scim_audit_store_seals_version())
	{
		memset(remembered.right, 0, sizeof(remembered.right));
		remembered.version = scim_audit_store_seals_version();
	}
	PushActiveSnapshot(GetTransactionSnapshot());
	memcpy(seal.tx_id, tx_id, sizeof(seal.tx_id));
	memcpy(seal.last_leaf, last_leaf, SCIM_HASH_SIZE);
	earliest = latest_before(seals, scim_audit_config_hash(seal.config_hash)) + 1;
	seal.chain = lock_chain(RelationGetRelid(seals));
	append(seals, &seal, earliest);
	PopActiveSnapshot();

	/* The lock on the table stays until the transaction is over, as for any write. */
	table_close(seals, NoLock);
}

void
scim_audit_seal_ended(bool committed)
{
	if (committed && made.head.seq > 0)
		remembered.head[made.chain] = made.head;
	made.head.seq = 0;
}
