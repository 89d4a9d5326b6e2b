/*
 * crypto.c
 *		SHA-256 and Ed25519 (see crypto.h).
 */
#include "cli/crypto.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>

#include "cli/cli.h"

struct CliDigest
{
	EVP_MD_CTX *context;
};


/* OpenSSL 3 looks an algorithm up each time that it is not given one it has found. */
static const EVP_MD *
sha256(void)
{
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
	static EVP_MD *found;

	if (found == NULL)
		found = EVP_MD_fetch(NULL, "SHA256", NULL);
	return found;
#else
	return EVP_sha256();
#endif
}

bool
cli_sha256(const ScimStr *pieces, int n, uint8_t out[SCIM_HASH_SIZE])
{
	static EVP_MD_CTX *context;

	if (context == NULL && (context = EVP_MD_CTX_new()) == NULL)
		return false;
	if (EVP_DigestInit_ex(context, sha256(), NULL) != 1)
		return false;
	for (int i = 0; i < n; i++)
		if (EVP_DigestUpdate(context, pieces[i].ptr, pieces[i].len) != 1)
			return false;
	return EVP_DigestFinal_ex(context, out, NULL) == 1;
}

void
cli_hash(ScimStr bytes, uint8_t out[SCIM_HASH_SIZE])
{
	if (!cli_sha256(&bytes, 1, out))
		cli_fail(NULL, "SHA-256 failed in libcrypto");
}

CliDigest *
cli_digest_begin(void)
{
	CliDigest  *digest = cli_alloc(sizeof(CliDigest));

	digest->context = EVP_MD_CTX_new();
	if (digest->context == NULL || EVP_DigestInit_ex(digest->context, sha256(), NULL) != 1)
		cli_fail(NULL, "SHA-256 failed in libcrypto");
	return digest;
}

void
cli_digest_add(CliDigest *digest, ScimStr bytes)
{
	if (EVP_DigestUpdate(digest->context, bytes.ptr, bytes.len) != 1)
		cli_fail(NULL, "SHA-256 failed in libcrypto");
}

void
cli_digest_end(CliDigest *digest, uint8_t out[SCIM_HASH_SIZE])
{
	if (EVP_DigestFinal_ex(digest->context, out, NULL) != 1)
		cli_fail(NULL, "SHA-256 failed in libcrypto");
	EVP_MD_CTX_free(digest->context);
	free(digest);
}

void
cli_random_seed(uint8_t seed[SCIM_NOTE_KEY_SIZE])
{
	if (RAND_priv_bytes(seed, SCIM_NOTE_KEY_SIZE) != 1)
		cli_fail(NULL, "libcrypto has no random bytes");
}

bool
cli_public_key(const uint8_t seed[SCIM_NOTE_KEY_SIZE], uint8_t public[SCIM_NOTE_KEY_SIZE])
{
	EVP_PKEY   *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, SCIM_NOTE_KEY_SIZE);
	size_t		len = SCIM_NOTE_KEY_SIZE;
	bool		done = key != NULL && EVP_PKEY_get_raw_public_key(key, public, &len) == 1 && len == SCIM_NOTE_KEY_SIZE;

	EVP_PKEY_free(key);
	return done;
}

bool
cli_ed25519_sign(void *arg, ScimStr text, uint8_t signature[SCIM_NOTE_SIGNATURE_SIZE])
{
	EVP_PKEY   *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, arg, SCIM_NOTE_KEY_SIZE);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	size_t		len = SCIM_NOTE_SIGNATURE_SIZE;
	bool		done = key != NULL && context != NULL && EVP_DigestSignInit(context, NULL, NULL, NULL, key) == 1 &&
		EVP_DigestSign(context, signature, &len, (const unsigned char *) text.ptr, text.len) == 1 &&
		len == SCIM_NOTE_SIGNATURE_SIZE;

	EVP_MD_CTX_free(context);
	EVP_PKEY_free(key);
	return done;
}

bool
cli_ed25519_verify(void *arg, const uint8_t public[SCIM_NOTE_KEY_SIZE], ScimStr text,
				   const uint8_t signature[SCIM_NOTE_SIGNATURE_SIZE])
{
	EVP_PKEY   *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public, SCIM_NOTE_KEY_SIZE);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool		holds = key != NULL && context != NULL && EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1 &&
		EVP_DigestVerify(context, signature, SCIM_NOTE_SIGNATURE_SIZE, (const unsigned char *) text.ptr, text.len) == 1;

	(void) arg;
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(key);
	return holds;
}

void
cli_forget(void *secret, size_t size)
{
	OPENSSL_cleanse(secret, size);
}
