/*
 * partition.h
 *		Monthly partitions of scim_audit.events.
 *
 * A partition holds the version 7 UUIDs of one month in UTC: the first 48
 * bits of a tx_id are milliseconds since 1970, so the bounds are those of the
 * month with zeros behind.  The tx_id decides, not the clock of an event: a
 * transaction that runs over a month's end stays in one partition.
 */
#ifndef SCIM_AUDIT_PG_PARTITION_H
#define SCIM_AUDIT_PG_PARTITION_H

#include "utils/relcache.h"

/*
 * The partition for tx_id, open with RowExclusiveLock.  When there is none it
 * is made, with those of the three following months: as the owner of
 * scim_audit.events, in the current (sub)transaction, under a lock that lets
 * one session at a time do it.  When there is one, but none yet three months
 * ahead of it, that is made too, unless another session is at it.
 */
extern Relation scim_audit_partition_open(const uint8_t tx_id[16]);

/* Called from _PG_init. */
extern void scim_audit_partition_init(void);

#endif							/* SCIM_AUDIT_PG_PARTITION_H */
