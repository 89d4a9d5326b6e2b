/*
 * page_cursor.h
 *		Cursors of lists: RFC 9865.
 *
 * A cursor is hexadecimal digits: the resource behind which the next page begins,
 * until when that is good, and an HMAC-SHA-256 over both and all that the cursor is
 * bound to: the tenant, the client, the resource type, the filter and the order.  So
 * nobody can make one, and one that is used for anything else is invalid.
 * Nothing is kept on the server: there is no cursor to run out of.
 */
#ifndef SCIM_AUDIT_PG_PAGE_CURSOR_H
#define SCIM_AUDIT_PG_PAGE_CURSOR_H

#include "pg/exchange.h"

/* Where a page begins: behind a resource, which need not be there any more. */
typedef struct ScimAuditPosition
{
	ScimStr		type;			/* its resource type's name; absent: at the beginning */
	ScimStr		id;
	ScimStr		key;			/* its sort key, where it has one that is not too long */
	bool		has_key;		/* it has one */
} ScimAuditPosition;

/* The cursor of a position in the request's list, in the request's arena.  A key that is too long is left out. */
extern const char *scim_audit_cursor_make(ScimAuditExchange *x, const ScimAuditPosition *position);

/*
 * The position of the request's cursor; of an empty one the beginning.
 * SCIM_INVALID_CURSOR for what is not a cursor of this list, whatever the reason;
 * SCIM_EXPIRED_CURSOR.
 */
extern ScimStatus scim_audit_cursor_read(ScimAuditExchange *x, ScimAuditPosition *position);

/* SCIM_INVALID_CURSOR, in the same words for all reasons. */
extern ScimStatus scim_audit_cursor_invalid(ScimAuditExchange *x);

#endif							/* SCIM_AUDIT_PG_PAGE_CURSOR_H */
