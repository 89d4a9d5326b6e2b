/*
 * verify_tally.h
 *		What verify() counts of events, in any order.
 */
#ifndef SCIM_AUDIT_PG_VERIFY_TALLY_H
#define SCIM_AUDIT_PG_VERIFY_TALLY_H

#include "nodes/pg_list.h"
#include "utils/uuid.h"

#include "core/entry.h"
#include "pg/verify_sum.h"

/* An event from which on the history of a table counts: track() or TRUNCATE. */
typedef struct ScimAuditStart
{
	bool		found;
	bool		complete;		/* the rows that were there then are in the log */
	int32		n;
	int64		at;				/* microseconds since 1970 */
	pg_uuid_t	tx_id;
} ScimAuditStart;

typedef struct ScimAuditTally
{
	int64		faults;			/* events that are not what was written, or have no place */
	uint64		offered;		/* hashes that events offer to what comes next */
	uint64		taken;			/* those that events, and seals, take for what was before */
	uint64		rows;			/* values that came, less those that went */
	int64		witnesses;		/* events that a walk must see, and details that are gone */
	pg_uuid_t	first_witness;	/* the earliest of their transactions, and the latest */
	pg_uuid_t	last_witness;
	int64		trees;			/* events about checkpoints and origins */
	int64		changes;		/* events that are in rows */
	int64		first_change;	/* the least of their times */
	ScimAuditStart truncated;	/* the latest of each */
	ScimAuditStart tracked;
} ScimAuditTally;

/* What verify() has counted of the log (verify_balance.c). */
struct ScimAuditBalance
{
	uint64		key;
	List	   *kinds;			/* the tallies by resource type */
	ScimAuditTally total;
	List	   *findings;		/* of ScimFinding: changes of configuration, which say nothing of events */
	bool		faults;			/* the walk found something else */
	struct ScimAuditRowSums *sums;	/* of the tables whose history is told by a sum */
};

/* The result of the aggregate scim_audit.tally. */
extern void scim_audit_tally_get(Datum datum, ScimAuditTally *tally);

extern void scim_audit_tally_add(ScimAuditTally *tally, const ScimAuditTally *other);

/* Does a stand after b, or alone? */
extern bool scim_audit_start_is_later(const ScimAuditStart *a, const ScimAuditStart *b);

/* The number of a hash as that of what is before event n of a transaction. */
extern uint64 scim_audit_link_number(const uint8_t tx_id[UUID_LEN], int64 n, const uint8_t hash[SCIM_HASH_SIZE], uint64 key);

#endif							/* SCIM_AUDIT_PG_VERIFY_TALLY_H */
