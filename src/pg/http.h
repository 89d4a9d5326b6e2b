/*
 * http.h
 *		SCIM requests that came by HTTP: scim_api.scim_http, which PostgREST
 *		calls.
 *
 * nginx puts what PostgREST has no room for into headers, and PostgREST all
 * headers into the setting request.headers, a JSON object with names in lower
 * case:
 *
 *	x-scim-method			the client's method
 *	x-scim-tenant			the tenant that the URL names
 *	x-scim-uri				the raw URI, relative to the SCIM base, with its query
 *	x-scim-authorization	the client's Authorization header
 *	x-scim-client-addr		the client's address
 *	x-scim-content-type		the client's Content-Type
 *	x-scim-request-id		32 hexadecimal digits that name the request in nginx's log
 *
 * The answer's status goes to response.status, its headers to
 * response.headers.
 */
#ifndef SCIM_AUDIT_PG_HTTP_H
#define SCIM_AUDIT_PG_HTTP_H

/* Is the role that logged in one that scim_audit.trusted_authenticators lists? */
extern bool scim_audit_session_is_trusted(void);

#endif							/* SCIM_AUDIT_PG_HTTP_H */
