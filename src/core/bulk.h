/*
 * bulk.h
 *		The body of POST /Bulk: RFC 7644 section 3.7.
 *
 * An operation refers to a resource that another one creates by "bulkId:" and
 * that operation's bulkId: as a whole string anywhere in its data, in quotes
 * in a path of a PATCH (members[value eq "bulkId:x"]), or as the last segment
 * of its own path.  Any such string is a reference.
 *
 * Operations are done in the order of the request, but what one refers to is
 * done before it; those that refer to each other in a circle are done as one
 * (section 3.7.1).  All of a circle are POSTs, for no other is referred to.
 */
#ifndef SCIM_CORE_BULK_H
#define SCIM_CORE_BULK_H

#include "core/json.h"
#include "core/request.h"
#include "core/response.h"

#define SCIM_URN_BULK_REQUEST "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
#define SCIM_URN_BULK_RESPONSE "urn:ietf:params:scim:api:messages:2.0:BulkResponse"

typedef struct ScimBulkOperation
{
	ScimJson   *json;			/* the operation as it came */
	ScimMethod	method;			/* one of POST, PUT, PATCH, DELETE, else error says so */
	const char *method_name;	/* in capitals; NULL for any other */
	ScimStr		bulk_id;		/* absent when not given, as below */
	ScimStr		version;
	ScimStr		path;
	ScimJson   *data;
	ScimError	error;			/* what is wrong with the operation by itself, or with what it refers to */

	size_t	   *needs;			/* operations that create what this one refers to, for each reference */
	size_t		n_needs;
	ScimStr		id;				/* for the caller: of the resource that it created, or will */
	bool		failed;			/* for the caller */
	ScimStr		result;			/* for the caller: its part of the response; absent: not done */
} ScimBulkOperation;

typedef struct ScimBulk
{
	int64_t		fail_on_errors; /* INT64_MAX when not given */
	ScimBulkOperation *operations;
	size_t		n;
	size_t	   *by_id;			/* operations with a bulkId, in its order */
	size_t		n_by_id;

	/* the order to do them in: groups one after the other, each from order[ends[i - 1]] to before order[ends[i]] */
	size_t	   *order;
	size_t	   *ends;
	size_t		n_groups;
} ScimBulk;

/*
 * Read a BulkRequest.  Names of members and methods in any case; a member that
 * is null is absent, one that SCIM does not know is ignored.
 * SCIM_INVALID_SYNTAX when the body is no BulkRequest or an operation no object,
 * SCIM_INVALID_VALUE for a failOnErrors that is no positive integer and for a
 * bulkId that is given twice, SCIM_PAYLOAD_TOO_LARGE for more than
 * max_operations.  What else is wrong with one operation is in its error, and
 * the others are good.  body must outlive the result.
 */
extern ScimStatus scim_bulk_parse(ScimArena *arena, ScimJson *body, int max_operations, ScimBulk *out,
								  ScimError *err);

/* Are the operations of a group a circle, or the one in it refers to itself? */
extern bool scim_bulk_circular(const ScimBulk *bulk, size_t group);

/*
 * May the operation be done, as far as what it refers to goes?  Else its error says which
 * of its needs failed: SCIM_CONFLICT (RFC 7644 section 3.7.1).
 */
extern bool scim_bulk_ready(const ScimBulk *bulk, ScimBulkOperation *operation);

/*
 * Take the data out of the request, so that it can go when the arena does; what is left of
 * the request is without it.  *data is NULL when there is none.  A PATCH whose data is an array of
 * operations, as in the example of RFC 7644 section 3.7.3, gets the message around them that
 * section 3.5.2 wants.  Only SCIM_NO_MEMORY.
 */
extern ScimStatus scim_bulk_take_data(ScimArena *arena, ScimBulkOperation *operation, ScimJson **data);

/*
 * Put the ids (of bulk->operations) in the place of references in the data, which is changed;
 * *path is the operation's path with the id.  Only SCIM_NO_MEMORY.
 */
extern ScimStatus scim_bulk_resolve(ScimArena *arena, const ScimBulk *bulk, const ScimBulkOperation *operation,
									ScimJson *data, ScimStr *path);

/*
 * Append an operation's part of the response (RFC 7644 section 3.7.3): location NULL
 * and version 0 are left out; response is an error document, or absent.
 */
extern void scim_bulk_write_result(ScimBuf *buf, const ScimBulkOperation *operation, const char *location,
								   int64_t version, int http_status, ScimStr response);

/* Append the whole response, from the results that are there, in the order of the request. */
extern void scim_bulk_write_response(ScimBuf *buf, const ScimBulk *bulk);

/* For scim_bulk_parse: find order and groups from the needs.  Only SCIM_NO_MEMORY.  (bulk_order.c) */
extern ScimStatus scim_bulk_find_order(ScimArena *arena, ScimBulk *bulk);

#endif							/* SCIM_CORE_BULK_H */
