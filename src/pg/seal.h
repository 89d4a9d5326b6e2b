/*
 * seal.h
 *		One seal per transaction, in one of many hash chains.
 *
 * A chain is locked from PRE_COMMIT until the transaction is over, so that
 * the next to seal in it sees this seal or knows that it never was.  With as
 * many chains as sessions that commit at a time, none waits.  The lock is
 * on an object of our own (the seals table and the chain's number), not in
 * the advisory space, where any role could take it.
 */
#ifndef SCIM_AUDIT_PG_SEAL_H
#define SCIM_AUDIT_PG_SEAL_H

#include "core/entry.h"

/* Seal a transaction: tx_id, events and last_leaf are given, the rest is found here. */
extern void scim_audit_seal(const uint8_t tx_id[16], int events,
							const uint8_t last_leaf[SCIM_HASH_SIZE]);

/* The transaction of the seal last made is over; did it commit?  Called for each transaction. */
extern void scim_audit_seal_ended(bool committed);

#endif							/* SCIM_AUDIT_PG_SEAL_H */
