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

#endif							/* SCIM_AUDIT_PG_DATABASE_ERROR_H */
