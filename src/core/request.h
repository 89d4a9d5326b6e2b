/*
 * request.h
 *		A SCIM request: method, URI and headers taken apart.
 *
 * The URI is raw and relative to the SCIM base (/Users?filter=…), still
 * percent-encoded; a trailing slash, an empty query, a dangling & and
 * unknown parameters are allowed, parameter names are case-insensitive, + is
 * a space in the query.  A known parameter that is given twice is refused:
 * whoever reads the log must see which one counted.
 */
#ifndef SCIM_CORE_REQUEST_H
#define SCIM_CORE_REQUEST_H

#include "core/headers.h"
#include "core/registry.h"
#include "core/strbuf.h"

typedef enum ScimMethod
{
	SCIM_GET, SCIM_POST, SCIM_PUT, SCIM_PATCH, SCIM_DELETE, SCIM_METHOD_OTHER
} ScimMethod;

typedef enum ScimEndpoint
{
	SCIM_ENDPOINT_COLLECTION,	/* /Users */
	SCIM_ENDPOINT_RESOURCE,		/* /Users/<id> */
	SCIM_ENDPOINT_SERVICE_PROVIDER_CONFIG,
	SCIM_ENDPOINT_RESOURCE_TYPES,	/* /ResourceTypes[/<name>] */
	SCIM_ENDPOINT_SCHEMAS,		/* /Schemas[/<urn>] */
	SCIM_ENDPOINT_BULK,
	SCIM_ENDPOINT_SEARCH,		/* /.search, /Users/.search */
	SCIM_ENDPOINT_ME,
	SCIM_ENDPOINT_ROOT,
	SCIM_ENDPOINT_UNKNOWN
} ScimEndpoint;

/*
 * What a list is asked for, be it by a query string or by the body of a
 * SearchRequest (RFC 7644 section 3.4.3): the same parameters.  Absent when
 * not given.
 */
typedef struct ScimQuery
{
	ScimStr		filter;
	ScimStr		sort_by;
	ScimStr		sort_order;
	ScimStr		attributes;		/* comma-separated, as in a query string */
	ScimStr		excluded_attributes;
	ScimStr		cursor;			/* RFC 9865; empty: the first page */
	bool		has_start_index, has_count;
	int64_t		start_index;	/* at least 1; 1 when not given */
	int64_t		count;			/* at least 0; 0 when not given */
} ScimQuery;

struct ScimRequest
{
	ScimMethod	method;			/* HEAD is SCIM_GET */
	ScimStr		method_text;
	ScimEndpoint endpoint;
	const ScimResourceType *type;	/* of a collection, resource or its .search */
	ScimStr		id;				/* last path segment of a resource or a discovery document, decoded;
								 * any text: what is no UUID is not found later */
	ScimStr		path;			/* raw, without the query: for the audit event */
	ScimStr		query;			/* raw */

	ScimQuery	list;			/* query parameters, decoded */

	/* headers; absent when not given */
	ScimStr		if_match;
	ScimStr		if_none_match;
	ScimStr		content_type;
	ScimStr		accept;
	ScimStr		user_agent;
	ScimStr		idp_ref;		/* client-request-id, x-ms-client-request-id, x-okta-request-id, x-request-id: first found */
};

/*
 * Take a request apart.  headers may be NULL: none.
 * SCIM_BAD_REQUEST (a malformed URI, a parameter given twice, headers that are no
 * object, a header that is no string), SCIM_INVALID_COUNT and
 * SCIM_INVALID_VALUE (a count or startIndex that is no integer, and as
 * scim_query_check), SCIM_NOT_FOUND for a
 * path that names nothing, SCIM_INVALID_VERS for a version of the protocol
 * before the endpoint that is not v2 (RFC 7644 section 3.13), SCIM_FORBIDDEN for a filter on a discovery
 * endpoint (RFC 7644 section 4); the request is filled as far as possible
 * also then, for the audit event.  method, uri and headers must outlive the result.
 */
extern ScimStatus scim_request_parse(ScimArena *arena, const ScimRegistry *registry, ScimStr method,
									 ScimStr uri, const ScimHeaders *headers,
									 ScimRequest *out, ScimError *err);

/*
 * Bring the numbers of a query into range once all parameters are there, and
 * refuse what cannot be together.  RFC 7644 section 3.4.2.4: a startIndex
 * below 1 is 1, a negative count 0.  RFC 9865 section 2: with a cursor the
 * count is positive (SCIM_INVALID_COUNT) and there is no startIndex
 * (SCIM_INVALID_VALUE).
 */
extern ScimStatus scim_query_check(ScimQuery *query, ScimError *err);

/*
 * Does the request only read?  GET, and POST of a SearchRequest (RFC 7644
 * section 3.4.3), which is a list that keeps its parameters out of the URI.
 */
extern bool scim_request_reads(const ScimRequest *request);

/*
 * Can a body of this Content-Type be read?  RFC 7644 sections 3.1 and 3.8:
 * application/scim+json and application/json, in UTF-8.
 */
extern bool scim_media_type_known(ScimStr content_type);

/*
 * The Content-Type of the answer: application/scim+json, unless the Accept
 * header names application/json and nothing that application/scim+json is.
 * Preferences (q) are not weighed.
 */
extern const char *scim_request_answer_type(const ScimRequest *request);

/* The value of the Allow header for the request's endpoint: "GET, POST". */
extern const char *scim_request_allow(const ScimRequest *request);

/*
 * Does an If-Match or If-None-Match header name the version?  Weak
 * comparison, lists and * as RFC 9110 section 8.8.3 and 13.1.
 */
extern bool scim_etag_matches(ScimStr header, int64_t version);

#endif							/* SCIM_CORE_REQUEST_H */
