/*
 * crypto.h
 *		SHA-256 and Ed25519, by OpenSSL's libcrypto.
 */
#ifndef SCIM_CLI_CRYPTO_H
#define SCIM_CLI_CRYPTO_H

#include "core/note.h"

/* A ScimSha256. */
extern bool cli_sha256(const ScimStr *pieces, int n, uint8_t out[SCIM_HASH_SIZE]);

/* SHA-256 of one run of bytes; fails where libcrypto does. */
extern void cli_hash(ScimStr bytes, uint8_t out[SCIM_HASH_SIZE]);

/* SHA-256 bit by bit: begin, add to it, end it. */
typedef struct CliDigest CliDigest;
extern CliDigest *cli_digest_begin(void);
extern void cli_digest_add(CliDigest *digest, ScimStr bytes);
extern void cli_digest_end(CliDigest *digest, uint8_t out[SCIM_HASH_SIZE]);

/* A seed of 32 random bytes, and the public key that belongs to a seed. */
extern void cli_random_seed(uint8_t seed[SCIM_NOTE_KEY_SIZE]);
extern bool cli_public_key(const uint8_t seed[SCIM_NOTE_KEY_SIZE], uint8_t public[SCIM_NOTE_KEY_SIZE]);

/* A ScimNoteSign, arg being the seed, and a ScimNoteVerify. */
extern bool cli_ed25519_sign(void *arg, ScimStr text, uint8_t signature[SCIM_NOTE_SIGNATURE_SIZE]);
extern bool cli_ed25519_verify(void *arg, const uint8_t public[SCIM_NOTE_KEY_SIZE], ScimStr text,
							   const uint8_t signature[SCIM_NOTE_SIGNATURE_SIZE]);

/* Overwrite a secret. */
extern void cli_forget(void *secret, size_t size);

#endif							/* SCIM_CLI_CRYPTO_H */
