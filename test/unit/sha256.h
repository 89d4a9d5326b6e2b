/*
 * sha256.h
 *		SHA-256 (FIPS 180-4) for unit tests: src/core is given a hash function,
 *		and the tests have no server and no OpenSSL to take one from.
 */
#ifndef SCIM_TEST_SHA256_H
#define SCIM_TEST_SHA256_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "core/scim.h"

typedef struct Sha256
{
	uint32_t	state[8];
	uint8_t		block[64];
	size_t		used;
	uint64_t	bits;
} Sha256;

static uint32_t
sha256_rotate(uint32_t x, int n)
{
	return x >> n | x << (32 - n);
}

static void
sha256_block(Sha256 *ctx)
{
	static const uint32_t k[64] = {
		0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
		0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
		0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
		0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
		0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
		0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
		0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
		0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2
	};
	uint32_t	w[64];
	uint32_t	s[8];

	for (int i = 0; i < 16; i++)
		w[i] = (uint32_t) ctx->block[4 * i] << 24 | (uint32_t) ctx->block[4 * i + 1] << 16 |
			(uint32_t) ctx->block[4 * i + 2] << 8 | ctx->block[4 * i + 3];
	for (int i = 16; i < 64; i++)
		w[i] = w[i - 16] + w[i - 7] +
			(sha256_rotate(w[i - 15], 7) ^ sha256_rotate(w[i - 15], 18) ^ w[i - 15] >> 3) +
			(sha256_rotate(w[i - 2], 17) ^ sha256_rotate(w[i - 2], 19) ^ w[i - 2] >> 10);
	memcpy(s, ctx->state, sizeof(s));
	for (int i = 0; i < 64; i++)
	{
		uint32_t	t1 = s[7] + (sha256_rotate(s[4], 6) ^ sha256_rotate(s[4], 11) ^ sha256_rotate(s[4], 25)) +
			((s[4] & s[5]) ^ (~s[4] & s[6])) + k[i] + w[i];
		uint32_t	t2 = (sha256_rotate(s[0], 2) ^ sha256_rotate(s[0], 13) ^ sha256_rotate(s[0], 22)) +
			((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));

		memmove(s + 1, s, 7 * sizeof(uint32_t));
		s[4] += t1;
		s[0] = t1 + t2;
	}
	for (int i = 0; i < 8; i++)
		ctx->state[i] += s[i];
	ctx->used = 0;
}

static void
sha256_add(Sha256 *ctx, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
	{
		ctx->block[ctx->used++] = bytes[i];
		if (ctx->used == sizeof(ctx->block))
			sha256_block(ctx);
	}
	ctx->bits += (uint64_t) len * 8;
}

/* A ScimSha256. */
static bool
sha256(const ScimStr *pieces, int n, uint8_t out[32])
{
	Sha256		ctx = {.state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
			0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19
		}
	};
	uint64_t	bits;

	for (int i = 0; i < n; i++)
		sha256_add(&ctx, (const uint8_t *) pieces[i].ptr, pieces[i].len);
	bits = ctx.bits;
	sha256_add(&ctx, (const uint8_t *) "\x80", 1);
	while (ctx.used != 56)
		sha256_add(&ctx, (const uint8_t *) "", 1);
	for (int i = 7; i >= 0; i--)
	{
		uint8_t		byte = (uint8_t) (bits >> (8 * i));

		sha256_add(&ctx, &byte, 1);
	}
	for (int i = 0; i < 32; i++)
		out[i] = (uint8_t) (ctx.state[i / 4] >> (24 - 8 * (i % 4)));
	return true;
}

#endif							/* SCIM_TEST_SHA256_H */
