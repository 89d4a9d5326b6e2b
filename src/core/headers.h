/*
 * headers.h
 *		The headers of a request, from a JSON object of strings.
 *
 * Names are case-insensitive, and each is there once: the scan of the text
 * refuses an object that has one twice.
 */
#ifndef SCIM_CORE_HEADERS_H
#define SCIM_CORE_HEADERS_H

#include "core/arena.h"

typedef struct ScimHeader
{
	ScimStr		name;
	ScimStr		value;			/* absent: null, or no string */
	bool		is_string;		/* or null */
} ScimHeader;

typedef struct ScimHeaders
{
	ScimHeader *list;
	size_t		n;
	bool		is_object;		/* what was read was one, or null */
} ScimHeaders;

/*
 * Read the text, which must outlive the result.  What scim_json_parse refuses
 * is refused; what is no object of strings is left for scim_request_parse.
 */
extern ScimStatus scim_headers_parse(ScimArena *arena, ScimStr text, ScimHeaders *out, ScimError *err);

/* The header of that name, or NULL. */
extern ScimHeader *scim_header_named(const ScimHeaders *headers, const char *name);

/* Its value; absent when there is none. */
extern ScimStr scim_header_value(const ScimHeaders *headers, const char *name);

/* Take the header `by`, or its absence, for the one that is called name. */
extern void scim_header_replace(ScimHeaders *headers, const char *name, const char *by);

#endif							/* SCIM_CORE_HEADERS_H */
