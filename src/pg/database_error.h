/*
 * database_error.h
 *		What a client is told of an error that the database raised.
 */
#ifndef SCIM_AUDIT_PG_DATABASE_ERROR_H
#define SCIM_AUDIT_PG_DATABASE_ERROR_H

#include "core/registry.h"

/*
 * The SCIM status of an error that the request's own data caused, with a
 * sentence in *err that names the attribute; SCIM_OK for any other error,
 * which is to be raised again.  Needs a transaction that works.
 */
extern ScimStatus scim_audit_database_error(const ErrorData *error, const ScimRegistry *registry,
											ScimError *err);

/*
 * The same for an error that is left, where nobody is there to see it raised
 * but a client of HTTP.  SCIM_UNAVAILABLE: trying again may help (a conflict
 * with another transaction, a server that takes no writes).
 * SCIM_INVALID_VALUE: a trigger of an application refuses.  SCIM_INTERNAL:
 * anything else; it goes to the server's log.  SCIM_OK: cancellation, a lack
 * of resources, a broken server, to be raised again.
 */
extern ScimStatus scim_audit_final_error(const ErrorData *error, ScimError *err);

#endif							/* SCIM_AUDIT_PG_DATABASE_ERROR_H */
