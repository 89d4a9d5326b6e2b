/*
 * hash.c
 *		SHA-256 and random bytes of the server (see hash.h).
 */
#include "pg/compat.h"

#include "common/cryptohash.h"
#include "common/sha2.h"

#include "pg/hash.h"

/* Only where the server has it, too: its own functions are then OpenSSL's, and loaded. */
#if defined(USE_OPENSSL) && __has_include(<openssl/evp.h>)
#include <openssl/err.h>
#include <openssl/evp.h>
#endif

/*
 * OpenSSL 3 looks an algorithm up by name each time the server's functions use
 * it, which takes longer than hashing an event.  Here it is looked up once a
 * backend.  False: not to be had, nothing was done.  No input stays in the
 * state that is kept, OpenSSL wipes what it has buffered at the end.
 */
static bool
openssl_sha256(const ScimStr *pieces, int n, uint8_t out[SCIM_HASH_SIZE])
{
#if defined(OPENSSL_VERSION_MAJOR) && OPENSSL_VERSION_MAJOR >= 3
	static EVP_MD *algorithm;
	static EVP_MD_CTX *state;
	bool		done;

	if (algorithm == NULL)
		algorithm = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (state == NULL)
		state = EVP_MD_CTX_new();
	done = algorithm != NULL && state != NULL && EVP_DigestInit_ex2(state, algorithm, NULL) == 1;
	for (int i = 0; done && i < n; i++)
		done = EVP_DigestUpdate(state, pieces[i].ptr, pieces[i].len) == 1;
	done = done && EVP_DigestFinal_ex(state, out, NULL) == 1;
	if (!done)
		ERR_clear_error();
	return done;
#else
	return false;
#endif
}

static void
server_sha256(const ScimStr *pieces, int n, uint8_t out[SCIM_HASH_SIZE])
{
	pg_cryptohash_ctx *ctx = pg_cryptohash_create(PG_SHA256);
	bool		done = ctx != NULL && pg_cryptohash_init(ctx) >= 0;

	StaticAssertStmt(PG_SHA256_DIGEST_LENGTH == SCIM_HASH_SIZE, "one size of hash");
	for (int i = 0; done && i < n; i++)
		done = pg_cryptohash_update(ctx, (const uint8 *) pieces[i].ptr, pieces[i].len) >= 0;
	done = done && pg_cryptohash_final(ctx, out, SCIM_HASH_SIZE) >= 0;
	if (!done)
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not compute SHA-256: %s",
						ctx != NULL ? pg_cryptohash_error(ctx) : "out of memory")));
	pg_cryptohash_free(ctx);
}

bool
scim_audit_sha256(const ScimStr *pieces, int n, uint8_t out[SCIM_HASH_SIZE])
{
	if (!openssl_sha256(pieces, n, out))
		server_sha256(pieces, n, out);
	return true;
}

static void
strong_random(uint8_t *out, size_t len)
{
	if (!pg_strong_random(out, len))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate random bytes")));
}

/*
 * Drawn ahead, for a draw costs a microsecond whatever its length; wiped as
 * they are given out, so that a salt that was erased is nowhere.
 */
void
scim_audit_random(uint8_t *out, size_t len)
{
	static uint8_t ahead[512];
	static size_t left = 0;

	if (len > sizeof(ahead))
	{
		strong_random(out, len);
		return;
	}
	if (len > left)
	{
		left = 0;
		strong_random(ahead, sizeof(ahead));
		left = sizeof(ahead);
	}
	left -= len;
	memcpy(out, ahead + left, len);
	explicit_bzero(ahead + left, len);
}
