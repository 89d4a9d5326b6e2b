/*
 * status.h
 *		The closed list of ways a request can end, and what each is on the
 *		wire: HTTP status and scimType (RFC 7644 table 9, RFC 9865 section 2.1).
 */
#ifndef SCIM_CORE_STATUS_H
#define SCIM_CORE_STATUS_H

#include <stdarg.h>
#include <stddef.h>

typedef enum ScimStatus
{
	SCIM_OK = 0,
	SCIM_INVALID_FILTER,		/* 400 invalidFilter */
	SCIM_TOO_MANY,				/* 400 tooMany */
	SCIM_UNIQUENESS,			/* 409 uniqueness */
	SCIM_MUTABILITY,			/* 400 mutability */
	SCIM_INVALID_SYNTAX,		/* 400 invalidSyntax */
	SCIM_INVALID_PATH,			/* 400 invalidPath */
	SCIM_NO_TARGET,				/* 400 noTarget */
	SCIM_INVALID_VALUE,			/* 400 invalidValue */
	SCIM_INVALID_VERS,			/* 400 invalidVers */
	SCIM_INVALID_CURSOR,		/* 400 invalidCursor (RFC 9865) */
	SCIM_EXPIRED_CURSOR,		/* 400 expiredCursor (RFC 9865) */
	SCIM_INVALID_COUNT,			/* 400 invalidCount (RFC 9865) */
	SCIM_SENSITIVE,				/* 403 sensitive */
	SCIM_BAD_REQUEST,			/* 400, no scimType */
	SCIM_UNAUTHORIZED,			/* 401 */
	SCIM_FORBIDDEN,				/* 403 */
	SCIM_NOT_FOUND,				/* 404 */
	SCIM_METHOD_NOT_ALLOWED,	/* 405, with Allow */
	SCIM_CONFLICT,				/* 409, no scimType */
	SCIM_PRECONDITION_FAILED,	/* 412 */
	SCIM_PAYLOAD_TOO_LARGE,		/* 413 */
	SCIM_UNSUPPORTED_MEDIA_TYPE,	/* 415 */
	SCIM_PRECONDITION_REQUIRED, /* 428 */
	SCIM_TOO_MANY_REQUESTS,		/* 429 */
	SCIM_NOT_IMPLEMENTED,		/* 501 */
	SCIM_UNAVAILABLE,			/* 503, with Retry-After */
	SCIM_INTERNAL,				/* 500: over HTTP, a fault of the database that the client did not cause */
	SCIM_NO_MEMORY				/* not an answer: src/pg raises out of memory */
} ScimStatus;

/* Why a request was refused.  `detail` is for the client: it names the
 * attribute or the offset, never a value that could be secret, never a
 * SQLSTATE.  UTF-8, cut on a character boundary. */
#define SCIM_DETAIL_MAX 512
typedef struct ScimError
{
	ScimStatus	status;
	char		detail[SCIM_DETAIL_MAX];
} ScimError;

/* HTTP status code of a status; 200 for SCIM_OK, 500 for SCIM_NO_MEMORY. */
extern int	scim_status_http(ScimStatus status);

/* The scimType, or NULL where the status has none. */
extern const char *scim_status_type(ScimStatus status);

/* Fill *err (may be NULL) with status and a printf-formatted detail; returns status. */
extern ScimStatus scim_error(ScimError *err, ScimStatus status, const char *fmt, ...)
			__attribute__((format(printf, 3, 4)));

#endif							/* SCIM_CORE_STATUS_H */
