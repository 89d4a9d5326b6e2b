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
 * Longest texts of an entry, in bytes; longer ones are cut at a character's
 * end, a resource_id is replaced by "sha256:" and the digest, and of `changed`
 * the first paths are kept with "*" behind.  With every byte escaped to six
 * an entry stays below SCIM_ENTRY_MAX.
 */
#define SCIM_AUDIT_TEXT_MAX 255
#define SCIM_AUDIT_RESOURCE_ID_MAX 1024
#define SCIM_AUDIT_CHANGED_MAX 4096

/* Replace a resource_id that is too long, as said above. */
extern void scim_audit_cap_resource_id(ScimStr *id);

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
 * are absent.
 *
 * detail is a JSON object's text from its first brace to its last, castable
 * to jsonb, or SCIM_STR_NONE.  Added to it here, where not empty: the
 * context's claims; actor_claimed, on_behalf_of, reason and ticket from the
 * settings; application_name; client_addr.  So it must hold none of these;
 * what the context claims replaces the setting of the same name.
 */
extern void scim_audit_log_write(ScimEntry *entry, ScimStr detail);

/* An event of ours about the log, duties, tokens or tenants: outcome success. */
extern void scim_audit_log_simple(const char *category, const char *action, const char *event_type,
								  const char *tenant, const char *resource_type,
								  const char *resource_id, ScimStr detail);

/*
 * A role's name as it may stand in the log, in the current memory context;
 * raises an ERROR when there is no such role.  Roles belong to the whole
 * cluster: one made in a database of another encoding has a name that is no
 * UTF-8 here, and a log with such bytes in it could not be restored.  They
 * are written as \xHH.
 */
extern const char *scim_audit_role_name(Oid role);

/* tx_id of the events this transaction has written; NULL when it has written none. */
extern const uint8_t *scim_audit_log_transaction(void);

/* A new version 7 UUID: milliseconds of micros (Unix epoch), sub-millisecond bits, then random. */
extern void scim_audit_uuid7(int64_t micros, uint8_t out[16]);

/* Called from _PG_init. */
extern void scim_audit_log_init(void);

#endif							/* SCIM_AUDIT_PG_LOG_H */
