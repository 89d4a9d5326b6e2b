/*
 * verify_sum.h
 *		Sums of keyed hashes, by which verify() compares what should come to the
 *		same without sorting it.
 *
 * Give each thing (a column's name with its value, a link from one event to
 * the next) a random-looking number, a keyed hash of it; add the numbers of
 * all that come and subtract those of all that go, modulo 2^64.  What is left
 * depends on what came and went and how often, not on the order; it is zero
 * when everything that came went, and else with a chance of 2^-64.  The key is
 * new for each run, so that nothing can be chosen that cancels out.
 */
#ifndef SCIM_AUDIT_PG_VERIFY_SUM_H
#define SCIM_AUDIT_PG_VERIFY_SUM_H

#include "common/hashfn.h"

#include "core/scim.h"

/* The number of what stands in these bytes. */
static inline uint64
scim_audit_number(ScimStr bytes, uint64 key)
{
	return hash_bytes_extended((const unsigned char *) bytes.ptr, (int) bytes.len, key);
}

/* The key for the values of one row: equal values of two rows have different numbers then. */
static inline uint64
scim_audit_row_number_key(ScimStr id, uint64 key)
{
	return key + scim_audit_number(id, key);
}

/* verify_fold.c */

/* The values in detail.new less those in detail.old, of a text that is JSON. */
extern uint64 scim_audit_sum_detail(ScimStr detail, uint64 key);

/* row_states.c */

/* The values of all rows of an audited table, each row's under a key of its own. */
extern uint64 scim_audit_sum_rows(Oid table, uint64 key);

#endif							/* SCIM_AUDIT_PG_VERIFY_SUM_H */
