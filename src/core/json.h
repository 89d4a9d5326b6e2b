/*
 * json.h
 *		Strict JSON in, our own serialisation out.
 *
 * json-c's strict mode still takes single quotes, NaN, raw control
 * characters, \u0000, lone surrogates, duplicate members and integers out
 * of range; scim_json_parse refuses all of these itself before json-c sees
 * the text (json_scan.c).  Two members whose names differ only in case are a
 * duplicate: attribute names are case-insensitive (RFC 7643 section 2.1).
 * Written back, a number with a fraction or an exponent keeps its spelling.
 */
#ifndef SCIM_CORE_JSON_H
#define SCIM_CORE_JSON_H

#include "core/strbuf.h"

#define SCIM_JSON_MAX_DEPTH 32

/*
 * Parse one JSON text (UTF-8, no byte-order mark needed or refused: one is
 * skipped).  SCIM_INVALID_SYNTAX names the byte offset and what is wrong.
 * SCIM_PAYLOAD_TOO_LARGE: so many empty objects or arrays that the tree would
 * be far larger than the text (10,000 and one for each 32 bytes are allowed).
 * SCIM_NO_MEMORY.  The tree belongs to the arena.
 */
extern ScimStatus scim_json_parse(ScimArena *arena, ScimStr text, ScimJson **out, ScimError *err);

/* Append json as compact JSON; NULL writes null. */
extern void scim_json_write(ScimBuf *buf, ScimJson *json);

/* The same into the arena; SCIM_STR_NONE when out of memory. */
extern ScimStr scim_json_text(ScimArena *arena, ScimJson *json);

/* Member of an object by name in any case; NULL when absent or null.
 * *found (may be NULL) tells absent from null. */
extern ScimJson *scim_json_get(ScimJson *object, const char *name, bool *found);

/* Is it an object whose "schemas" name a URN (in any case), perhaps among others? */
extern bool scim_json_has_schema(ScimJson *object, const char *urn);

/* New values, owned by the arena; NULL when out of memory. */
extern ScimJson *scim_json_object(ScimArena *arena);
extern ScimJson *scim_json_array(ScimArena *arena);
extern ScimJson *scim_json_string(ScimArena *arena, ScimStr text);

/*
 * Set a member, or add an element at the end.  The container gets a reference
 * of its own, so that value stays its owner's too; false when out of memory.
 */
extern bool scim_json_set(ScimJson *object, const char *name, ScimJson *value);
extern bool scim_json_append(ScimJson *array, ScimJson *value);

/* The bytes of a string; absent for any other value.  Good as long as the value is. */
extern ScimStr scim_json_str(ScimJson *json);

/* Deep copy owned by the arena. */
extern ScimJson *scim_json_copy(ScimArena *arena, ScimJson *json);

/* Are two values the same JSON value (numbers by value, objects in any order)? */
extern bool scim_json_equal(ScimJson *a, ScimJson *b);

#endif							/* SCIM_CORE_JSON_H */
