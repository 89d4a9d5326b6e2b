/*
 * scim.h
 *		Types that every part of src/core shares, and all that src/pg needs to
 *		hold of them.
 *
 * src/core is plain C11 and json-c: SCIM semantics and the hash formats of
 * the audit log.  It names no PostgreSQL header, never raises, never jumps,
 * never exits and never prints.  A function that can fail returns a
 * ScimStatus and leaves a sentence for the client in a ScimError.
 *
 * Ownership: everything made while serving one request belongs to a
 * ScimArena and is freed with it, json-c trees included.  So no core
 * function has a matching free, and src/pg has one handle to release
 * whatever happens.
 */
#ifndef SCIM_CORE_SCIM_H
#define SCIM_CORE_SCIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A run of bytes that somebody else owns; ptr NULL means absent. */
typedef struct ScimStr
{
	const char *ptr;
	size_t		len;
} ScimStr;

#define SCIM_STR(literal) ((ScimStr) {(literal), sizeof(literal) - 1})
#define SCIM_STR_NONE ((ScimStr) {NULL, 0})

/*
 * A json-c value.  Only src/core includes json-c; to everyone else this is
 * an opaque handle owned by an arena.  JSON null is a NULL pointer, as in
 * json-c.
 */
typedef struct json_object ScimJson;

typedef struct ScimArena ScimArena;
typedef struct ScimAttribute ScimAttribute;
typedef struct ScimSchema ScimSchema;
typedef struct ScimResourceType ScimResourceType;
typedef struct ScimRegistry ScimRegistry;
typedef struct ScimFilter ScimFilter;
typedef struct ScimRequest ScimRequest;

#include "core/status.h"

#endif							/* SCIM_CORE_SCIM_H */
