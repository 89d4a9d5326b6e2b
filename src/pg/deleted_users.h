/*
 * deleted_users.h
 *		Users that were deleted and are kept, where the tenant has it so.
 */
#ifndef SCIM_AUDIT_PG_DELETED_USERS_H
#define SCIM_AUDIT_PG_DELETED_USERS_H

#include "core/scim.h"

/*
 * Bring back the user of the tenant that last had this userName and was deleted,
 * with its id.  Needs an SPI connection.  Its id as text in the current memory
 * context; absent when none is kept.
 */
extern ScimStr scim_audit_bring_back_named(ScimStr tenant, ScimStr user_name);

/* Is a row being put back?  It then keeps the version and the time of creation that it comes with. */
extern bool scim_audit_bringing_back(void);

#endif							/* SCIM_AUDIT_PG_DELETED_USERS_H */
