/*
 * exchange.h
 *		One request and its answer while it is being served: what the parts of
 *		the service hand to each other.
 *
 * Everything hangs on the arena, which goes with the request's memory
 * context, also on error.
 */
#ifndef SCIM_AUDIT_PG_EXCHANGE_H
#define SCIM_AUDIT_PG_EXCHANGE_H

#include "core/arena.h"
#include "core/profile.h"
#include "core/request.h"
#include "core/resource.h"
#include "core/response.h"
#include "pg/log.h"
#include "pg/service.h"
#include "pg/storage.h"

typedef struct ScimAuditExchange
{
	const ScimAuditCall *call;
	ScimArena  *arena;
	const ScimRegistry *registry;
	const ScimProfile *profile;
	ScimAuditContext context;

	/* who and what */
	const char *tenant;			/* NULL when it could not be decided */
	const char *base_url;
	bool		hash_passwords;
	bool		reactivate;
	bool		soft_delete;
	ScimRequest request;
	bool		is_me;			/* it was /Me, and is now that of the user's resource */
	bool		in_bulk;		/* an operation of /Bulk, whose answer shows no resource */
	ScimStr		bulk_id;		/* which the client gave that operation */
	ScimProjection *projection;

	/* the body; logged is it with secrets replaced, made before the profile changes it */
	ScimJson   *body;
	ScimStr		logged;
	ScimBuf		tolerances;

	/* the answer */
	ScimError	error;			/* status SCIM_OK: none */
	bool		denied;			/* refused because of who called */
	int			status;			/* HTTP */
	ScimBuf		answer;			/* empty: no body */
	const char *location;
	const char *allow;

	/* the resource it was about, as far as known */
	ScimStr		resource_id;
	ScimStr		resource_name;
	int64_t		version;		/* 0: not known */

	/* of /Bulk itself */
	size_t		operations;		/* done */
	size_t		failed;			/* of these */
} ScimAuditExchange;

#define SCIM_AUDIT_ANSWER_MAX ((size_t) 256 * 1024 * 1024)	/* of a jsonb array */
#define SCIM_AUDIT_TOLERANCES_MAX 4096

/* An arena that goes with the current memory context. */
extern ScimArena *scim_audit_create_arena(void);

/* Raise out of memory when status says so; returns status. */
extern ScimStatus scim_audit_checked(ScimStatus status);

/* A new id for a resource. */
extern ScimStr scim_audit_new_id(ScimArena *arena);

/* The tenant as core takes it. */
static inline ScimStr
scim_audit_tenant_str(const ScimAuditExchange *x)
{
	return (ScimStr) {x->tenant, strlen(x->tenant)};
}

/* Work of a request that writes: SCIM_OK, or why not. */
typedef ScimStatus (*ScimAuditWork) (void *argument);

/*
 * Do work in a subtransaction, which all but SCIM_OK undoes.  What the database refuses
 * (database_error.h) is a status, too, and said in *err; work says the rest itself.
 */
extern ScimStatus scim_audit_guarded(ScimAuditWork work, void *argument, const ScimAuditExchange *x,
									 ScimError *err);

/* Make x->error the answer, in place of one that was begun. */
extern void scim_audit_answer_error(ScimAuditExchange *x);

/* service.c: may the method be used on the endpoint at all?  Of /Me, the user is found. */
extern ScimStatus scim_audit_check_offered(ScimAuditExchange *x);

/* service.c: an id that cannot be one names nothing. */
extern ScimStatus scim_audit_check_id(ScimAuditExchange *x);

/* service.c: forget plans that are too many, if no request around this one may be running any. */
extern void scim_audit_forget_plans(void);

/* serve_read.c: GET of a resource, a list, a discovery document. */
extern ScimStatus scim_audit_serve_resource(ScimAuditExchange *x);
extern ScimStatus scim_audit_serve_list(ScimAuditExchange *x);
extern ScimStatus scim_audit_serve_discovery(ScimAuditExchange *x);

/*
 * Render a resource as the answer with an HTTP status, from its row; with
 * read_links, the links that the projection wants are read.
 */
extern ScimStatus scim_audit_answer_resource(ScimAuditExchange *x, int status, const ScimAuditRow *row,
											 bool read_links);

/* The id of the resource with that userName which satisfies the rest of a filter, too; absent: there is none. */
extern ScimStr scim_audit_id_by_name(ScimAuditExchange *x, const ScimResourceType *type, ScimStr name,
									 const char *and_filter);

/*
 * serve_me.c: make a request of /Me one of the caller's own resource;
 * SCIM_NOT_IMPLEMENTED when the caller is no user of the tenant.
 */
extern ScimStatus scim_audit_resolve_me(ScimAuditExchange *x);

/* serve_write.c: POST, PUT, PATCH, DELETE; inside a subtransaction. */
extern ScimStatus scim_audit_serve_write(ScimAuditExchange *x);

/*
 * serve_write.c: a POST of a resource that refers to others which are not there yet, in two
 * steps.  First it is created with the id given, but without references; x->request.id is its
 * id, which is another where the POST brings an inactive user back.  Later, with x->body anew
 * and the others there, it is completed and answered.  Both inside one subtransaction.
 */
extern ScimStatus scim_audit_create_alone(ScimAuditExchange *x, ScimStr id);
extern ScimStatus scim_audit_complete(ScimAuditExchange *x);

/* serve_bulk.c: POST /Bulk. */
extern ScimStatus scim_audit_serve_bulk(ScimAuditExchange *x);

/* request_event.c: the request in the log, as log_reads says. */
extern bool scim_audit_request_event_due(const ScimAuditExchange *x);
extern void scim_audit_request_event(ScimAuditExchange *x);

/* The name of a resource for people: userName or displayName; absent when it has none. */
extern ScimStr scim_audit_resource_name(ScimAuditExchange *x, const ScimAuditRow *row);

#endif							/* SCIM_AUDIT_PG_EXCHANGE_H */
