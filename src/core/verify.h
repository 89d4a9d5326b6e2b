/*
 * verify.h
 *		The walk that checks an audit log: events against their entries,
 *		transactions against their seals, seals against their chain.
 *
 * The caller reads the log and feeds it in order; nothing is kept but a few
 * hashes of the transaction and the chain at hand, so a log of any size is
 * checked in constant memory.  Two walks, in this order:
 *
 *	1. every event with the seal of its transaction, by (tx_id, n); a seal
 *	   without events comes alone;
 *	2. every seal, by (chain, seq).
 *
 * What is reported (the coordinates given, and when).  Of each event at most
 * one finding is made, the first of the list that applies:
 *
 *	event_extra		chain, seq, tx_id, n	n is past what the seal counts
 *	entry_mismatch	chain, seq, tx_id, n	the rendered entry does not hash to leaf_hash: a
 *											covered column, detail_hash, prev_hash or leaf_hash
 *											itself was altered
 *	detail_mismatch	chain, seq, tx_id, n	detail does not hash to detail_hash, is there without
 *											one, or only one of detail and salt is gone
 *	prev_mismatch	chain, seq, tx_id, n	prev_hash is not the leaf before: that event was altered
 *											and its leaf_hash computed anew
 *
 * Of each transaction:
 *
 *	event_missing	chain, seq, tx_id, n	n is the first of a run that is gone
 *	event_unsealed	tx_id, n				there is no seal; n is the first event that is there, and
 *											nothing more is said of the others
 *	seal_mismatch	chain, seq, tx_id, n	the last event is not the one that was sealed: it was
 *											altered and its leaf_hash computed anew
 *	seal_fork		chain, seq, tx_id		it is sealed a second time, here
 *
 * Of each seal:
 *
 *	seal_mismatch	chain, seq, tx_id		it does not hash to its hash; or it does, but its
 *											prev_hash is not the hash before: that seal was altered
 *											and its hash computed anew
 *	seal_gap		chain, seq				seq is the first of a run that is gone
 *	seal_fork		chain, seq, tx_id		its place in the chain is taken twice
 *	seal_time		chain, seq, tx_id		its time is before that of the seal before it
 *	config_changed	chain, seq, tx_id		the first seal of a configuration that no event explains
 *
 * What hangs on something already reported is not reported again: the event
 * after one that is gone or does not hash to its leaf_hash is not held against
 * it, nor the last such event against the seal; a seal is linked when its
 * prev_hash is the stored or the true hash of the one before; a seal that does
 * not hash to its hash is not held against its events.
 *
 * A configuration is explained from the seal of a transaction that holds an
 * event which says that it changed (table.track, table.untrack, log.restore,
 * log.upgrade) until the next such seal, and some seconds around, in which
 * sessions that began before still commit under the old one.  The first
 * configuration of what is walked needs no explanation.
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

/* A row of scim_audit.events. */
typedef struct ScimVerifyEvent
{
	ScimEntry	entry;
	uint8_t		leaf_hash[SCIM_HASH_SIZE];
	ScimStr		detail;			/* absent: NULL */
	const uint8_t *salt;		/* 16 bytes; absent: NULL */
} ScimVerifyEvent;

/* A row of scim_audit.seals. */
typedef struct ScimVerifySeal
{
	ScimSeal	seal;
	uint8_t		hash[SCIM_HASH_SIZE];
} ScimVerifySeal;

typedef struct ScimVerify ScimVerify;

/*
 * A new check that calls report(arg, finding) for each finding; report and
 * sha256 may jump out past the walk, which then is only good for
 * scim_verify_free.  NULL when out of memory.
 */
extern ScimVerify *scim_verify_create(ScimSha256 sha256,
									  void (*report) (void *arg, const ScimFinding *finding), void *arg);
extern void scim_verify_free(ScimVerify *verify);

/*
 * First walk: an event with its transaction's seal (NULL: there is none), or
 * a seal alone (event NULL).  An event comes once for each of its seals.
 * Strings are not kept past the call.  False when out of memory or when
 * hashing fails.
 */
extern bool scim_verify_event(ScimVerify *verify, const ScimVerifyEvent *event,
							  const ScimVerifySeal *seal);
extern bool scim_verify_events_end(ScimVerify *verify);

/* Did the first walk meet an event whose detail is gone? */
extern bool scim_verify_saw_erased(const ScimVerify *verify);

/*
 * Second walk.  anchor: the seal before the first one to check, there only
 * to be linked to.
 */
extern bool scim_verify_seal(ScimVerify *verify, const ScimVerifySeal *seal, bool anchor);
extern void scim_verify_seals_end(ScimVerify *verify);

#endif							/* SCIM_CORE_VERIFY_H */
