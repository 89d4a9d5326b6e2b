/*
 * service.h
 *		SCIM requests served: from a method, a URI and a body to an answer,
 *		with the work done and the request in the log.
 *
 * The pipeline: who calls and for which tenant, what is asked (core/request.h),
 * the body parsed and normalised by the profile, the work of one method
 * (serve_read.c, serve_write.c), the answer, the request event.
 */
#ifndef SCIM_AUDIT_PG_SERVICE_H
#define SCIM_AUDIT_PG_SERVICE_H

#include "core/headers.h"

/* Longest URI and headers that are looked at, in bytes; body has scim_audit.max_body. */
#define SCIM_AUDIT_URI_MAX (128 * 1024)
#define SCIM_AUDIT_HEADERS_MAX (64 * 1024)

/* An HTTP client whose token was found good (http.c), for whom the call is served. */
typedef struct ScimAuditCaller
{
	const char *tenant;			/* of the client: the only one it may reach */
	const char *client;			/* its name, the actor in the log */
	const char *credential;		/* last four characters of the token */
	const char *profile;
	ScimStr		claims;			/* as in ScimAuditContext */
	const ScimHeaders *headers; /* in place of the call's, parsed; NULL: none */
	bool		has_request_id;
	uint8_t		request_id[16];	/* which the front end has given the request */
} ScimAuditCaller;

/* A request.  All absent parts have ptr NULL; of headers and body, what is
 * longer than its limit is never read. */
typedef struct ScimAuditCall
{
	ScimStr		method;
	ScimStr		uri;			/* raw, relative to the SCIM base */
	ScimStr		body;
	ScimStr		headers;		/* JSON object of strings */
	const ScimAuditCaller *caller;	/* NULL: the outer user itself, by SQL */
} ScimAuditCall;

/* The answer, in the memory context that was current at the call. */
typedef struct ScimAuditReply
{
	int			status;			/* HTTP */
	char	   *headers;		/* JSON object of strings; for a caller an array of objects of one
								 * member each, as PostgREST takes them */
	char	   *body;			/* JSON, or NULL */
} ScimAuditReply;

/*
 * Serve a request for the outer user, in the transaction that is open.  A
 * refusal is a reply; an ERROR is raised only when the server is at fault,
 * when the transaction cannot go on (serialization, deadlock, lock timeout)
 * or when it was cancelled.
 *
 * With a caller, the work is the last of its transaction: constraints that
 * are deferred are checked too, and what the database raises becomes an
 * answer, if scim_audit_final_error (database_error.h) has one for it.
 */
extern ScimAuditReply scim_audit_serve(const ScimAuditCall *call);

#endif							/* SCIM_AUDIT_PG_SERVICE_H */
