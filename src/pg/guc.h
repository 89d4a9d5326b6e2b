/*
 * guc.h
 *		The settings of the extension, all named scim_audit.*.
 *
 * What weakens the log or believes a caller can be set by a superuser only.
 * What a session says about itself (actor, on_behalf_of, reason, ticket) is
 * recorded as claimed, beside the roles the server knows.
 */
#ifndef SCIM_AUDIT_PG_GUC_H
#define SCIM_AUDIT_PG_GUC_H

typedef enum ScimAuditLogReads
{
	SCIM_LOG_READS_NONE,
	SCIM_LOG_READS_FAILURES,
	SCIM_LOG_READS_ALL
} ScimAuditLogReads;

/* Which profile of core/profile.h; the names stand in guc.c. */
extern int	scim_audit_profile;
extern const char *scim_audit_profile_name(void);

/* Strings are never NULL; empty is not set.  Valid UTF-8 of at most 1024 bytes. */
extern char *scim_audit_tenant;
extern char *scim_audit_actor;
extern char *scim_audit_on_behalf_of;
extern char *scim_audit_reason;
extern char *scim_audit_ticket;
extern char *scim_audit_trusted_authenticators; /* role names, comma-separated */

extern int	scim_audit_log_reads;	/* ScimAuditLogReads */
extern int	scim_audit_chains;		/* at most: */
#define SCIM_AUDIT_CHAINS_MAX 1024
extern bool scim_audit_allow_prepare;
extern bool scim_audit_allow_drop;
extern bool scim_audit_restore;

extern int	scim_audit_max_body;	/* bytes */
extern int	scim_audit_max_bulk_operations;
extern int	scim_audit_max_results;
extern int	scim_audit_default_page_size;
extern int	scim_audit_cursor_timeout;	/* seconds */
extern int	scim_audit_max_filter_terms;
extern int	scim_audit_max_filter_depth;
extern int	scim_audit_max_patch_operations;
extern int	scim_audit_heartbeat;	/* seconds; 0: none */

/* Called from _PG_init. */
extern void scim_audit_guc_init(void);

/* Is a superuser restoring a dump (scim_audit.restore)?  Guards then admit
 * rows and change triggers stay silent. */
extern bool scim_audit_restoring(void);

#endif							/* SCIM_AUDIT_PG_GUC_H */
