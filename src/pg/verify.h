/*
 * verify.h
 *		scim_audit.verify(): what its parts share.
 *
 * verify.c reads the log and drives the walk of core/verify.h, verify_rows.c
 * compares audited tables with the log, and looks for details that are gone.
 * Everything is read as the owner of the log, under one snapshot: the
 * caller's.  A finding goes to the caller's result only when it concerns one
 * of its tenants; all others together make one row without content.
 */
#ifndef SCIM_AUDIT_PG_VERIFY_H
#define SCIM_AUDIT_PG_VERIFY_H

#include "nodes/execnodes.h"
#include "nodes/pg_list.h"
#include "utils/uuid.h"

#include "core/verify.h"
#include "pg/duty.h"

/* Events in doubt that are kept; with more, rows are not compared with them. */
#define SCIM_AUDIT_SUSPECTS_MAX 10000

/* An event that may not be what was written. */
typedef struct ScimAuditSuspect
{
	pg_uuid_t	tx_id;
	int32		n;				/* -1: all of the transaction */
} ScimAuditSuspect;

typedef struct ScimAuditCheck
{
	ReturnSetInfo *result;		/* findings go to its tuple store */
	ScimAuditTenants tenants;	/* the caller's */
	ScimVerify *walk;
	MemoryContext context;		/* lives as long as the check */
	MemoryContext row_context;	/* reset for each row read */
	List	   *suspects;		/* of ScimAuditSuspect */
	int64		n_suspects;		/* how many there were, kept or not */
	pg_uuid_t	from;			/* transactions checked, both included */
	pg_uuid_t	to;
	bool		whole;			/* no bound was given */
	int64		findings;		/* rows of the result */
	bool		hidden;			/* some were not the caller's */
} ScimAuditCheck;

extern void scim_audit_verify_report(ScimAuditCheck *check, const ScimFinding *finding);

/* Rows of audited tables that are not what the log says they became. */
extern void scim_audit_verify_rows(ScimAuditCheck *check);

/* Details that are gone and that no erasure event names. */
extern void scim_audit_verify_erased(ScimAuditCheck *check);

#endif							/* SCIM_AUDIT_PG_VERIFY_H */
