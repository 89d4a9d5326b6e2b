/*
 * search.h
 *		The body of POST .search: RFC 7644 section 3.4.3.
 */
#ifndef SCIM_CORE_SEARCH_H
#define SCIM_CORE_SEARCH_H

#include "core/json.h"
#include "core/request.h"

#define SCIM_URN_SEARCH_REQUEST "urn:ietf:params:scim:api:messages:2.0:SearchRequest"

/*
 * Read a SearchRequest into the parameters that a query string gives a list.
 * Names of members in any case; one that is null is absent, one that SCIM does not
 * know is ignored, as in a query string.  attributes and excludedAttributes are
 * arrays of strings, or a string as in a query string.  SCIM_INVALID_SYNTAX when
 * the body is no SearchRequest, SCIM_INVALID_VALUE and SCIM_INVALID_COUNT when a
 * member has a wrong type, and what scim_query_check refuses.  body must outlive
 * the result.
 */
extern ScimStatus scim_search_parse(ScimArena *arena, ScimJson *body, ScimQuery *out, ScimError *err);

#endif							/* SCIM_CORE_SEARCH_H */
