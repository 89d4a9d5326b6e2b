/*
 * hash.h
 *		SHA-256 and random bytes of the server, in the shape src/core asks for.
 */
#ifndef SCIM_AUDIT_PG_HASH_H
#define SCIM_AUDIT_PG_HASH_H

#include "core/entry.h"

/*
 * SHA-256 over the concatenation of n pieces; a ScimSha256.  Raises an ERROR
 * when the server cannot hash, so it never returns false.
 */
extern bool scim_audit_sha256(const ScimStr *pieces, int n, uint8_t out[SCIM_HASH_SIZE]);

/* len cryptographically strong random bytes; raises an ERROR when there are none. */
extern void scim_audit_random(uint8_t *out, size_t len);

#endif							/* SCIM_AUDIT_PG_HASH_H */
