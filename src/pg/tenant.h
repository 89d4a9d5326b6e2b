/*
 * tenant.h
 *		Tenants and their settings.
 */
#ifndef SCIM_AUDIT_PG_TENANT_H
#define SCIM_AUDIT_PG_TENANT_H

/* What becomes of a password that a client sends. */
typedef enum ScimAuditPassword
{
	SCIM_PASSWORD_DISCARD,
	SCIM_PASSWORD_HASH
} ScimAuditPassword;

typedef struct ScimAuditTenant
{
	const char *base_url;		/* without a slash at its end; "" when not set */
	ScimAuditPassword password;
	bool		reactivate;		/* a POST of the userName of a user that is inactive, or deleted and kept, brings that user back */
	bool		soft_delete;	/* deleted users are kept in scim.deleted_users */
	bool		enabled;		/* SCIM calls are served */
} ScimAuditTenant;

/*
 * The settings of a tenant, from the backend's copy of the tables; NULL when
 * there is no such tenant.  Valid until the next call.
 */
extern const ScimAuditTenant *scim_audit_tenant_settings(const char *tenant);

/* The tenant that is the only one; NULL when there are several.  Valid until the next call. */
extern const char *scim_audit_only_tenant(void);

#endif							/* SCIM_AUDIT_PG_TENANT_H */
