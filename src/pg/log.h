/*
 * log.h
 *		Writing the audit log: what the rest of src/pg knows of it.
 *
 * An event is written at once, inside the transaction that caused it, and
 * linked to the transaction's previous one; at PRE_COMMIT the transaction
 * is sealed into one of the chains (seal.c).  Everything here raises an
 * ERROR when it cannot write: the log fails closed.
 */
#ifndef SCIM_AUDIT_PG_LOG_H
#define SCIM_AUDIT_PG_LOG_H

#include "core/entry.h"

/*
 * The SCIM call (or administrative function) the backend is serving.  While
 * one is set, every event written - the trigger's too - carries its
 * request_id, origin, actor, credential and method.  Set and restored by
 * service.c around the work, also on error.  All pointers outlive the call.
 */
typedef struct ScimAuditContext
{
	const char *origin;			/* scim | direct | break_glass | system */
	const char *actor;			/* client or role name we issued; NULL: the effective role */
	const char *actor_type;		/* client | role | system */
	const char *credential;		/* last four of the token, or NULL */
	const char *method;			/* HTTP method, or NULL */
	uint8_t		request_id[16];
	bool		has_request_id;
	ScimStr		claims;			/* members of detail to repeat in each event: a JSON object's inside
								 * ("actor_claimed":"x","reason":"y"), or empty */
} ScimAuditContext;

/* Make context current; returns the one before it, to be put back. NULL: none. */
extern const ScimAuditContext *scim_audit_context_set(const ScimAuditContext *context);
extern const ScimAuditContext *scim_audit_context(void);

/*
 * Write one event.  The caller fills tenant, category, action, event_type,
 * outcome, status, scim_type, resource_type, resource_id, changed; the rest
 * of entry (ids, time, roles, context, hashes) is filled here.  Zero fields
 * are absent.  detail is a JSON object's text, or SCIM_STR_NONE.
 */
extern void scim_audit_log_write(ScimEntry *entry, ScimStr detail);

/* An event of ours about the log, duties, tokens or tenants: outcome success. */
extern void scim_audit_log_simple(const char *category, const char *action, const char *event_type,
								  const char *tenant, const char *resource_type,
								  const char *resource_id, ScimStr detail);

/* A new version 7 UUID: milliseconds of micros (Unix epoch), sub-millisecond bits, then random. */
extern void scim_audit_uuid7(int64_t micros, uint8_t out[16]);

/* Called from _PG_init. */
extern void scim_audit_log_init(void);

#endif							/* SCIM_AUDIT_PG_LOG_H */
