/*
 * key_digest.h
 *		Keys that identify a person, as a keyed digest.
 *
 * HMAC-SHA-256 (RFC 2104) of the key's text under a random secret of the
 * database, so that the digest can neither be turned back nor, without the
 * secret, be guessed.  The same key has the same digest in every table: the
 * log stays searchable by it, and a table can be renamed.
 */
#ifndef SCIM_AUDIT_PG_KEY_DIGEST_H
#define SCIM_AUDIT_PG_KEY_DIGEST_H

#include "core/scim.h"

/*
 * HMAC-SHA-256 of data under the secret of that name (scim_audit.secrets); false when
 * there is no such secret.
 */
extern bool scim_audit_hmac(const char *name, ScimStr data, uint8_t hash[32]);

/* "hmac:" and 64 hexadecimal digits, palloc'd; absent when there is no secret. */
extern ScimStr scim_audit_key_digest(ScimStr key);

#endif							/* SCIM_AUDIT_PG_KEY_DIGEST_H */
