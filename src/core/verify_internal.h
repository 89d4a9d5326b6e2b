/*
 * verify_internal.h
 *		What the two walks of verify.h share: verify.c walks events,
 *		verify_seals.c seals.
 */
#ifndef SCIM_CORE_VERIFY_INTERNAL_H
#define SCIM_CORE_VERIFY_INTERNAL_H

#include <string.h>

#include "core/verify.h"

/*
 * How long a session may go on sealing under the configuration that another
 * has just replaced: commits that were under way, and clocks that step.
 */
#define CONFIG_GRACE ((int64_t) 10 * 1000000)

/* Configurations without explanation that are told apart; those past it are one. */
#define CONFIG_SPELLS_MAX 1024

/* From here on, this configuration is what events say it is. */
typedef struct Explained
{
	int64_t		at;
	uint8_t		config_hash[SCIM_HASH_SIZE];
} Explained;

/* Seals of one configuration after explanation number `after` and before the next. */
typedef struct Spell
{
	size_t		after;
	uint8_t		config_hash[SCIM_HASH_SIZE];
	ScimSeal	first;			/* the earliest of them */
	int64_t		seals;
} Spell;

/* What is kept of the transaction at hand. */
typedef struct Transaction
{
	bool		open;
	uint8_t		tx_id[16];
	bool		has_seal;
	ScimVerifySeal seal;
	bool		seal_hashed;	/* true_seal is known */
	uint8_t		true_seal[SCIM_HASH_SIZE];	/* what the seal should hash to */
	bool		explains;		/* an event says that the configuration changed */
	int32_t		first;			/* n of its first event that is there */
	int32_t		events;			/* how many are there */
	int32_t		next;			/* n after the last one seen */
	bool		linked;			/* event next - 1 is there, with this leaf */
	uint8_t		leaf[SCIM_HASH_SIZE];
	bool		last_wrong;		/* the last event the seal counts has another leaf than the sealed one */
} Transaction;

struct ScimVerify
{
	ScimSha256	sha256;
	void		(*report) (void *arg, const ScimFinding *finding);
	void	   *arg;
	ScimBuf		entry;
	bool		failed;			/* out of memory, or sha256 failed */
	Transaction tx;
	bool		saw_erased;

	/* second walk */
	bool		has_previous;
	ScimVerifySeal previous;
	bool		previous_intact;
	uint8_t		previous_hash[SCIM_HASH_SIZE];	/* the true one */

	/* configurations */
	Explained  *explained;
	size_t		n_explained;
	size_t		explained_size;
	Spell	   *spells;
	size_t		n_spells;
	bool		has_earliest;
	ScimSeal	earliest;
};

static inline bool
scim_same_hash(const uint8_t *a, const uint8_t *b)
{
	return memcmp(a, b, SCIM_HASH_SIZE) == 0;
}

static inline bool
scim_zero_hash(const uint8_t *hash)
{
	static const uint8_t zeros[SCIM_HASH_SIZE];

	return scim_same_hash(hash, zeros);
}

/* Set the message of a finding and report it. */
extern void scim_verify_report(ScimVerify *verify, ScimFinding *finding, const char *fmt,...)
			__attribute__((format(printf, 3, 4)));

/* A finding about a seal. */
extern ScimFinding scim_verify_of_seal(const ScimSeal *seal, const char *rule);

/* The hash a seal should have. */
extern void scim_verify_seal_hash(ScimVerify *verify, const ScimVerifySeal *seal,
								  uint8_t out[SCIM_HASH_SIZE]);

#endif							/* SCIM_CORE_VERIFY_INTERNAL_H */
