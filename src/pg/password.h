/*
 * password.h
 *		Passwords of users, kept as bcrypt hashes that no role can read.
 */
#ifndef SCIM_AUDIT_PG_PASSWORD_H
#define SCIM_AUDIT_PG_PASSWORD_H

#include "core/scim.h"

/*
 * Keep the hash of a user's password, or forget it (password absent).  Needs
 * an SPI connection.  Returns whether anything changed.
 */
extern bool scim_audit_password_store(ScimStr tenant, ScimStr user_id, ScimStr password);

#endif							/* SCIM_AUDIT_PG_PASSWORD_H */
