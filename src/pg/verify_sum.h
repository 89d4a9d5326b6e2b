/*
 * verify_sum.h
 *		Sums of keyed hashes, by which verify() compares what should come to the
 *		same without sorting it.
 *
 * Give each thing (a column's name with its value, a link from one event to
 * the next) a random-looking number, a keyed hash of it; add the numbers of
 * all that come and subtract those of all that go.  What is left depends on
 * what came and went and how often, not on the order; it is zero when
 * everything that came went.  The key is new for each run, so that nothing can
 * be chosen that cancels out; sums have 128 bits.
 */
#ifndef SCIM_AUDIT_PG_VERIFY_SUM_H
#define SCIM_AUDIT_PG_VERIFY_SUM_H

#include "common/hashfn.h"
#include "utils/uuid.h"

#include "core/scim.h"

/* Two numbers modulo 2^64; in SQL, the bytes of a uuid. */
typedef struct ScimAuditSum
{
	uint64		part[2];
} ScimAuditSum;

static inline ScimAuditSum
scim_audit_sum_get(const pg_uuid_t *uuid)
{
	ScimAuditSum sum;

	StaticAssertStmt(sizeof(sum) == UUID_LEN, "a sum fills a uuid");
	memcpy(&sum, uuid->data, UUID_LEN);
	return sum;
}

/* Add the number of what stands in these bytes, or subtract it. */
static inline void
scim_audit_sum_count(ScimAuditSum *sum, ScimStr bytes, const ScimAuditSum *key, bool add)
{
	for (int i = 0; i < lengthof(sum->part); i++)
	{
		uint64		number = hash_bytes_extended((const unsigned char *) bytes.ptr, (int) bytes.len, key->part[i]);

		sum->part[i] += add ? number : -number;
	}
}

static inline void
scim_audit_sum_add(ScimAuditSum *sum, const ScimAuditSum *other)
{
	for (int i = 0; i < lengthof(sum->part); i++)
		sum->part[i] += other->part[i];
}

static inline bool
scim_audit_sum_same(const ScimAuditSum *a, const ScimAuditSum *b)
{
	return a->part[0] == b->part[0] && a->part[1] == b->part[1];
}

/* The key for what belongs to one row: equal values of two rows have different numbers then. */
static inline ScimAuditSum
scim_audit_sum_key_of(ScimStr id, const ScimAuditSum *key)
{
	ScimAuditSum own = *key;

	scim_audit_sum_count(&own, id, key, true);
	return own;
}

/* verify_fold.c */

/* Add the values in detail.new and subtract those in detail.old, of a text that is JSON. */
extern void scim_audit_sum_detail(ScimAuditSum *sum, ScimStr detail, const ScimAuditSum *key);

#endif							/* SCIM_AUDIT_PG_VERIFY_SUM_H */
