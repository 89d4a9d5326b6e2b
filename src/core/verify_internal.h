/*
 * verify_internal.h
 *		What the files of the walk share: verify.c walks events,
 *		verify_seals.c seals, verify_config.c judges configurations,
 *		verify_detail.c reads the details that say something of other rows.
 */
#ifndef SCIM_CORE_VERIFY_INTERNAL_H
#define SCIM_CORE_VERIFY_INTERNAL_H

#include <string.h>

#include "core/verify.h"

/* Configurations without explanation that are told apart; those past it are one. */
#define CONFIG_SPELLS_MAX 1024

/* The hashes of the sound rows in one place; one, unless a key was dropped. */
typedef struct Links
{
	uint8_t	  (*hash)[SCIM_HASH_SIZE];
	size_t		n;
	size_t		size;
	bool		unknown;		/* a row of the place is not sound: anything may follow it */
} Links;

/* What the events of a transaction say of the configuration. */
typedef struct Changes
{
	bool		any;
	bool		broken;			/* one does not begin where the one before it ended */
	bool		anew;			/* begun by a restore: whatever was before */
	uint8_t		before[SCIM_HASH_SIZE];
	uint8_t		after[SCIM_HASH_SIZE];
} Changes;

/* A seal whose transaction explains its configuration. */
typedef struct Explained
{
	ScimSeal	seal;
	bool		anew;
	uint8_t		before[SCIM_HASH_SIZE];
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
	bool		has_place;		/* it has a seal, sound or not: where to report */
	int32_t		chain;
	int64_t		seq;
	bool		sealed;			/* seal is its first sound one */
	ScimSeal	seal;
	int64_t		last;			/* n of the last event seen, -1 before the first */
	Links		links;			/* what the next may point to */
	bool		has_sound;
	int32_t		first_sound;	/* n of its first sound event */
	int64_t		sound;			/* how many there are */
	Changes		changes;
} Transaction;

struct ScimVerify
{
	ScimSha256	sha256;
	ScimVerifyCalls calls;
	bool		whole;
	ScimBuf		entry;
	bool		failed;			/* out of memory, or sha256 failed */
	Transaction tx;

	/* second walk */
	bool		in_seals;		/* it has begun */
	bool		in_chain;
	int32_t		chain;
	int64_t		last_seq;		/* of the last place seen; 0 before the first */
	Links		links;
	bool		has_time;
	int64_t		time;			/* of the last sound seal */

	/* configurations */
	Explained  *explained;
	size_t		n_explained;
	size_t		explained_size;
	bool		has_base;
	ScimSeal	earliest;		/* the log's earliest sound seal, of those that begin a chain */
	uint8_t		base[SCIM_HASH_SIZE];	/* in force before the first explanation */
	Spell	   *spells;
	size_t		n_spells;
};

static inline bool
scim_same_hash(const uint8_t *a, const uint8_t *b)
{
	return memcmp(a, b, SCIM_HASH_SIZE) == 0;
}

/* verify.c */

/* Set the message of a finding and report it. */
extern void scim_verify_report(ScimVerify *verify, ScimFinding *finding, const char *fmt,...)
			__attribute__((format(printf, 3, 4)));

/* A finding about a seal. */
extern ScimFinding scim_verify_of_seal(const ScimSeal *seal, const char *rule);

/* Does the seal hash to its hash? */
extern bool scim_verify_seal_sound(ScimVerify *verify, const ScimVerifySeal *seal);

/* Begin a place whose rows come next, or the first one, which follows zeros. */
extern void scim_links_clear(Links *links);
extern void scim_links_zero(ScimVerify *verify, Links *links);

/* Add a row of the place. */
extern void scim_links_add(ScimVerify *verify, Links *links, const uint8_t hash[SCIM_HASH_SIZE], bool sound);

/* Is this hash certainly none of the place's? */
extern bool scim_links_exclude(const Links *links, const uint8_t hash[SCIM_HASH_SIZE]);

/* verify_config.c */

/* The types of events that say from which configuration to which it changed. */
#define SCIM_CONFIG_CHANGES "table.track", "table.untrack", "log.upgrade", "log.restore"

/* First walk: a sound event that may say that the configuration changed. */
extern void scim_verify_note_change(Changes *changes, const ScimVerifyEvent *event);

/* First walk: a sound seal; the seal of a transaction that is over. */
extern void scim_verify_note_seal(ScimVerify *verify, const ScimSeal *seal);
extern void scim_verify_explain(ScimVerify *verify, const ScimSeal *seal, const Changes *changes);

/* Second walk: before it, for each of its sound seals, after it. */
extern void scim_verify_config_begin(ScimVerify *verify);
extern void scim_verify_config(ScimVerify *verify, const ScimSeal *seal);
extern void scim_verify_config_end(ScimVerify *verify);

/* verify_detail.c */

/* Tell which events a sound log.erase names; any other event names none. */
extern void scim_verify_note_erasure(ScimVerify *verify, const ScimVerifyEvent *event);

/* A member of detail that is a hash, 64 lower-case hexadecimal digits; false when it is not there. */
extern bool scim_verify_hash_member(ScimStr detail, const char *name, uint8_t out[SCIM_HASH_SIZE]);

static inline bool
scim_verify_is_type(const ScimVerifyEvent *event, const char *type)
{
	ScimStr		text = event->entry.event_type;

	return text.ptr != NULL && text.len == strlen(type) && memcmp(text.ptr, type, text.len) == 0;
}

#endif							/* SCIM_CORE_VERIFY_INTERNAL_H */
