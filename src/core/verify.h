/*
 * verify.h
 *		The walk that checks an audit log: events against their entries,
 *		transactions against their seals, seals against their chain.
 *
 * docs/audit-log.md, section 6, is what is checked and how it is told; this
 * is its first implementation, test/verifier/audit_verifier.py the second.
 *
 * The caller reads the log and feeds it in order; nothing is kept but a few
 * hashes of the transaction and the chain at hand, and the changes of
 * configuration that events explain.  Two walks, in this order:
 *
 *	1. each transaction: all its seals by (chain, seq, hash), then its events
 *	   by n;
 *	2. every seal, by (chain, seq, tx_id, hash).
 *
 * A row that does not hash to its own hash is reported as that; it fills its
 * place, but no other finding rests on what it says, nor is anything that
 * follows it held against it.  Nothing is said of a link across a gap.
 */
#ifndef SCIM_CORE_VERIFY_H
#define SCIM_CORE_VERIFY_H

#include "core/entry.h"

#define SCIM_FINDING_MAX 256

typedef struct ScimFinding
{
	const char *rule;
	bool		has_seal;		/* chain and seq are given */
	int32_t		chain;
	int64_t		seq;
	bool		has_tx;			/* tx_id is given */
	uint8_t		tx_id[16];
	bool		has_n;
	int32_t		n;
	bool		of_event;		/* about one event: tenant is its tenant, absent or not */
	ScimStr		tenant;
	char		message[SCIM_FINDING_MAX];	/* one sentence */
} ScimFinding;

/*
 * A row of scim_audit.events.  damaged: a column has no place in an entry, or
 * leaf_hash is no hash (absent, another length), so that the row matches none.
 */
typedef struct ScimVerifyEvent
{
	ScimEntry	entry;
	bool		damaged;
	ScimStr		bytes;			/* the entry as it was read; absent: it is rendered from the row */
	uint8_t		leaf_hash[SCIM_HASH_SIZE];
	ScimStr		detail;			/* absent: NULL */
	ScimStr		salt;			/* absent: NULL */
} ScimVerifyEvent;

/* A row of scim_audit.seals; damaged as above. */
typedef struct ScimVerifySeal
{
	ScimSeal	seal;
	bool		damaged;
	uint8_t		hash[SCIM_HASH_SIZE];
} ScimVerifySeal;

/*
 * What the walk tells, with arg.  Any of them may jump out past the walk, and
 * so may sha256; it then is only good for scim_verify_free.
 */
typedef struct ScimVerifyCalls
{
	/* Something was found. */
	void		(*report) (void *arg, const ScimFinding *finding);

	/* The detail of an event is gone; a finding unless an erasure names the event. */
	void		(*gone) (void *arg, const ScimFinding *finding);

	/* An erasure names this event: an event_id of at most SCIM_EVENT_ID_MAX bytes. */
	void		(*erased) (void *arg, ScimStr event_id);
	void	   *arg;
} ScimVerifyCalls;

/* A UUID, a colon, ten digits and a sign. */
#define SCIM_EVENT_ID_MAX 48

typedef struct ScimVerify ScimVerify;

/* A new check; whole: of all of the log, from its first seal on.  NULL when out of memory. */
extern ScimVerify *scim_verify_create(ScimSha256 sha256, const ScimVerifyCalls *calls, bool whole);
extern void scim_verify_free(ScimVerify *verify);

/*
 * First walk: a transaction begins, with its n seals (none: it is not sealed),
 * then come its events.  Nothing is kept past the call that the caller owns.
 * False when out of memory or when hashing fails.
 */
extern bool scim_verify_transaction(ScimVerify *verify, const uint8_t tx_id[16],
									const ScimVerifySeal *seals, int n);
extern bool scim_verify_event(ScimVerify *verify, const ScimVerifyEvent *event);
extern bool scim_verify_events_end(ScimVerify *verify);

/* What can be told of an event by itself. */
typedef enum ScimVerifyState
{
	SCIM_VERIFY_SOUND,			/* it and its detail are what was written */
	SCIM_VERIFY_ERASED,			/* it is, and its detail is gone as an erasure leaves it */
	SCIM_VERIFY_ALTERED			/* it is not, or that cannot be told */
} ScimVerifyState;

/* Outside of any walk: nothing is reported. */
extern ScimVerifyState scim_verify_alone(ScimVerify *verify, const ScimVerifyEvent *event);

/* The types of events by which other rows are judged, up to NULL; is it one, so that a walk must see it? */
extern const char *const scim_verify_witnesses[];
extern bool scim_verify_is_witness(const ScimVerifyEvent *event);

/*
 * Before the second walk, when the first was not over all of the log: its
 * earliest seal, of those that begin a chain where all of the log is checked.
 */
extern void scim_verify_begins_with(ScimVerify *verify, const ScimVerifySeal *seal);

/*
 * An event outside of what is walked: only whether it is an erasure, and what
 * it names.  Not while a transaction is open.
 */
extern bool scim_verify_erasure(ScimVerify *verify, const ScimVerifyEvent *event);

/*
 * Second walk.  anchor: the seal before the first one to check, there only
 * to be linked to.
 */
extern bool scim_verify_seal(ScimVerify *verify, const ScimVerifySeal *seal, bool anchor);
extern bool scim_verify_seals_end(ScimVerify *verify);

#endif							/* SCIM_CORE_VERIFY_H */
