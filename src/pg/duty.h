/*
 * duty.h
 *		Who may do what: duties of roles, and the tenant of a session.
 *
 * A duty is a row of scim.duties: a role, what it may do, and for which
 * tenant.  Nothing here raises because of who asks; callers get the answer
 * as a value and choose what to make of it.
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

#define SCIM_DUTY_ANY \
	(SCIM_DUTY_PROVISIONING_ADMIN | SCIM_DUTY_AUDITOR | SCIM_DUTY_READER | SCIM_DUTY_AUDIT_ADMIN)

/* Tenants a role has a duty for. */
typedef struct ScimAuditTenants
{
	bool		all;			/* every tenant (a grant without tenant, or a superuser) */
	int			n;
	const char **tenant;		/* n different names, sorted by strcmp; in the current memory context */
} ScimAuditTenants;

/*
 * Tenants for which role holds one of `duties`, directly or by a membership
 * it may use (pg_has_role USAGE), through rows of scim.duties whose name and
 * oid still match a role.  A superuser holds every duty for all tenants.
 *
 * Separation: where memberships of any kind (pg_has_role MEMBER) bring
 * provisioning_admin and auditor together for one tenant, and none of the
 * grants that meet there was made with `allow_both`, those grants count for
 * nothing.  A grant for all tenants that meets the other duty for a single
 * tenant is void as a whole.
 */
extern ScimAuditTenants scim_audit_duty_tenants(Oid role, int duties);

/* Is tenant among them? */
extern bool scim_audit_tenants_have(const ScimAuditTenants *tenants, const char *tenant);

/* How the question "which tenant does this session work in?" ends. */
typedef enum ScimAuditTenantAnswer
{
	SCIM_TENANT_OK,
	SCIM_TENANT_NO_DUTY,		/* the role holds none of the duties for any tenant */
	SCIM_TENANT_NOT_GRANTED,	/* the wanted tenant is not among its tenants, or does not exist */
	SCIM_TENANT_CHOOSE			/* several tenants, and none was chosen */
} ScimAuditTenantAnswer;

/*
 * The tenant role works in: the only one it holds one of `duties` for; where
 * it has several, `wanted`; for a role of all tenants `wanted`, else the
 * tenant "default" when there is no other.  wanted NULL stands for the
 * setting scim_audit.tenant; empty means that none was chosen.  *tenant is
 * set (in the current memory context) only with SCIM_TENANT_OK.
 */
extern ScimAuditTenantAnswer scim_audit_session_tenant(Oid role, int duties, const char *wanted,
													   const char **tenant);

#endif							/* SCIM_AUDIT_PG_DUTY_H */
