/*
 * redact.h
 *		What of a request may stand in the log: all but secrets.
 *
 * A secret is an attribute that is returned never.  Better one value too many
 * replaced than one too few: whatever names a secret, in any case and as part
 * of a longer name too (newPassword, urn:…:User:password), hides the value
 * that goes with it.
 */
#ifndef SCIM_CORE_REDACT_H
#define SCIM_CORE_REDACT_H

#include "core/registry.h"

/*
 * The body as it may stand in the log, with "[redacted]" for the value of
 * each member that names a secret at any depth (Bulk's data too), for all of
 * a PATCH operation but op and path when its path names one, for a filter or
 * path that compares one, and for a string that seems to hold one (JSON in a
 * string).  body is the parsed request body, which is not changed.  Only
 * SCIM_NO_MEMORY.
 */
extern ScimStatus scim_redact_body(ScimArena *arena, const ScimRegistry *registry, ScimJson *body,
								   ScimStr *text);

/*
 * May a body that does not parse be stored as it is?  Not if it could hold a
 * secret: it names one, or could hide a name by \u escapes or as UTF-16.
 */
extern bool scim_raw_body_storable(const ScimRegistry *registry, ScimStr body);

/*
 * The query as it may stand in the log: raw, but "[redacted]" for the value of
 * each parameter that names a secret, however often percent-encoded.
 * attributes and excludedAttributes may name one, for they compare nothing.
 * SCIM_STR_NONE for an absent query and when out of memory.
 */
extern ScimStr scim_redact_query(ScimArena *arena, const ScimRegistry *registry, ScimStr query);

#endif							/* SCIM_CORE_REDACT_H */
