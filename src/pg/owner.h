/*
 * owner.h
 *		Doing something as the owner of a table, as foreign keys do.
 *
 * A trigger on the table then never gets more rights than the table's owner,
 * whoever called, and the owner's row-level security does not apply.
 */
#ifndef SCIM_AUDIT_PG_OWNER_H
#define SCIM_AUDIT_PG_OWNER_H

#include "miscadmin.h"

/* A table, named as in SQL with its schema; InvalidOid when there is none. */
extern Oid	scim_audit_table_oid(const char *table);

/* The owner of a table, named as in SQL with its schema; raises an ERROR when there is none. */
extern Oid	scim_audit_table_owner(const char *table);

typedef struct ScimAuditUser
{
	Oid			id;
	int			security;
} ScimAuditUser;

/*
 * Become owner; returns who we were, for scim_audit_become_again.  An error
 * that ends the (sub)transaction restores the user it began with.
 */
static inline ScimAuditUser
scim_audit_become(Oid owner)
{
	ScimAuditUser was;

	GetUserIdAndSecContext(&was.id, &was.security);
	SetUserIdAndSecContext(owner, was.security | SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS);
	return was;
}

static inline void
scim_audit_become_again(ScimAuditUser user)
{
	SetUserIdAndSecContext(user.id, user.security);
}

#endif							/* SCIM_AUDIT_PG_OWNER_H */
