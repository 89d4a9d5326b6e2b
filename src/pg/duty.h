/*
 * duty.h
 *		Who may do what: duties of roles, and the tenant of a session.
 */
#ifndef SCIM_AUDIT_PG_DUTY_H
#define SCIM_AUDIT_PG_DUTY_H

typedef enum ScimAuditDuty
{
	SCIM_DUTY_PROVISIONING_ADMIN = 1 << 0,
	SCIM_DUTY_AUDITOR = 1 << 1,
	SCIM_DUTY_READER = 1 << 2,
	SCIM_DUTY_AUDIT_ADMIN = 1 << 3
} ScimAuditDuty;

/* Tenants a role has a duty for. */
typedef struct ScimAuditTenants
{
	bool		all;			/* every tenant (a grant without tenant, or a superuser) */
	int			n;
	const char **tenant;		/* n names, sorted; valid until the end of the transaction */
} ScimAuditTenants;

/*
 * Tenants for which role holds one of `duties`, directly or by a membership
 * it may use (pg_has_role USAGE), through rows of scim.duties whose name and
 * oid still match a role.  A superuser holds every duty for all tenants.  A
 * role that holds provisioning_admin and auditor together for a tenant,
 * without an explicit grant of both, holds neither there.
 */
extern ScimAuditTenants scim_audit_duty_tenants(Oid role, int duties);

#endif							/* SCIM_AUDIT_PG_DUTY_H */
