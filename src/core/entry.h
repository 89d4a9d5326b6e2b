/*
 * entry.h
 *		The bytes of the audit log: entries, leaves, seals (version 1).
 *
 * docs/audit-log.md describes the format for those who re-implement it; this
 * is the one place in the code that renders it.  An entry is one line of
 * JSON without its newline: fixed key order, no insignificant space, absent
 * values left out, times in UTC with six fraction digits and Z, UUIDs and
 * hashes in lowercase hexadecimal, "v":1 first.  Strings are escaped as
 * scim_buf_json_string says.  Nothing of a session or a locale can reach it.
 */
#ifndef SCIM_CORE_ENTRY_H
#define SCIM_CORE_ENTRY_H

#include "core/strbuf.h"

#define SCIM_HASH_SIZE 32
#define SCIM_SALT_SIZE 16
#define SCIM_ENTRY_MAX 65535	/* C2SP tlog-tiles: an entry has a 16-bit length */

/*
 * SHA-256 over the concatenation of n pieces.  The server side passes its
 * cryptohash, the command-line tool OpenSSL.  Returns false on failure.
 */
typedef bool (*ScimSha256) (const ScimStr *pieces, int n, uint8_t out[SCIM_HASH_SIZE]);

/* The covered columns of scim_audit.events, in the order they are rendered. */
typedef struct ScimEntry
{
	uint8_t		tx_id[16];
	int32_t		n;
	int64_t		at;				/* microseconds since 1970-01-01 UTC */
	ScimStr		tenant;
	ScimStr		category;
	ScimStr		action;
	ScimStr		event_type;
	ScimStr		outcome;
	int32_t		status;			/* 0: absent, unless status_zero */
	bool		status_zero;	/* a status 0 that is there: never written, but it can be read */
	ScimStr		scim_type;
	ScimStr		actor;
	ScimStr		actor_type;
	ScimStr		credential;
	ScimStr		session_role;
	ScimStr		effective_role;
	ScimStr		origin;
	ScimStr		resource_type;
	ScimStr		resource_id;
	const ScimStr *changed;		/* n_changed attribute paths; NULL: absent */
	int32_t		n_changed;
	bool		has_request_id;
	uint8_t		request_id[16];
	ScimStr		method;
	bool		has_detail;		/* detail_hash is present; stays so after an erasure */
	uint8_t		detail_hash[SCIM_HASH_SIZE];
	uint8_t		prev_hash[SCIM_HASH_SIZE];
} ScimEntry;

typedef struct ScimSeal
{
	int32_t		chain;
	int64_t		seq;
	uint8_t		tx_id[16];
	int64_t		at;
	int32_t		events;
	uint8_t		last_leaf[SCIM_HASH_SIZE];
	uint8_t		config_hash[SCIM_HASH_SIZE];
	uint8_t		prev_hash[SCIM_HASH_SIZE];
} ScimSeal;

/* Append the entry; false when it would pass SCIM_ENTRY_MAX or out of memory. */
extern bool scim_entry_render(ScimBuf *buf, const ScimEntry *entry);
extern bool scim_seal_render(ScimBuf *buf, const ScimSeal *seal);

/*
 * The entry that these bytes are, or might be: whether they are the very bytes
 * that an entry is rendered to, their hash tells, or rendering them again.
 * Texts point into the bytes, or into the arena where something was escaped.
 * SCIM_INVALID_SYNTAX for anything else; SCIM_NO_MEMORY.
 */
extern ScimStatus scim_entry_read(ScimEntry *entry, ScimStr text, ScimArena *arena);
extern bool scim_seal_read(ScimSeal *seal, ScimStr text);

/* SHA-256(0x00 || entry): the RFC 6962 leaf hash. */
extern bool scim_leaf_hash(ScimSha256 sha256, ScimStr entry, uint8_t out[SCIM_HASH_SIZE]);

/* SHA-256(0x02 || seal entry). */
extern bool scim_seal_hash(ScimSha256 sha256, ScimStr seal, uint8_t out[SCIM_HASH_SIZE]);

/* SHA-256(salt || detail), the stored bytes of detail. */
extern bool scim_detail_hash(ScimSha256 sha256, const uint8_t salt[16], ScimStr detail,
							 uint8_t out[SCIM_HASH_SIZE]);

#endif							/* SCIM_CORE_ENTRY_H */
