/*
 * serve_bulk.c
 *		POST /Bulk: RFC 7644 section 3.7.
 *
 * Each operation is an exchange of its own, served as the request that it
 * stands for, in a subtransaction of its own and with an event of its own;
 * client, tenant and request_id are those of the whole.  Its answer goes into
 * the response of the whole, its memory goes with it.
 *
 * Operations that refer to each other in a circle are one subtransaction:
 * each resource is created without references, then each is completed.  So
 * all of them succeed or none does, as the references demand.
 */
#include "pg/compat.h"

#include <string.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "core/bulk.h"
#include "core/json.h"
#include "core/redact.h"
#include "core/text.h"
#include "pg/exchange.h"
#include "pg/guc.h"

/* One operation, while it is served. */
typedef struct Operation
{
	ScimBulkOperation *asked;
	ScimJson   *data;
	ScimAuditCall call;
	ScimAuditExchange x;
} Operation;

/* Those that are served together: one, or a circle. */
typedef struct Group
{
	ScimAuditExchange *whole;
	const ScimBulk *bulk;
	ScimArena  *arena;
	bool		circular;
	Operation  *operations;
	size_t		n;
	size_t		at;				/* the one that is being worked on */
} Group;

/* A text in the arena of the whole request, for the operations to come. */
static ScimStr
keep(const Group *group, ScimStr text)
{
	char	   *copy;

	if (text.ptr == NULL)
		return text;
	copy = scim_strdup(group->whole->arena, text);
	if (copy == NULL)
		scim_audit_checked(SCIM_NO_MEMORY);
	return (ScimStr) {copy, text.len};
}

static void
begin_operation(Group *group, Operation *operation, ScimBulkOperation *asked)
{
	const ScimAuditExchange *whole = group->whole;
	ScimAuditExchange *x = &operation->x;

	operation->asked = asked;
	operation->call = (ScimAuditCall) {.method = scim_json_str(scim_json_get(asked->json, "method", NULL)),
	.uri = asked->path, .caller = whole->call->caller};
	if (asked->method_name != NULL)
		operation->call.method = (ScimStr) {asked->method_name, strlen(asked->method_name)};
	*x = (ScimAuditExchange) {.call = &operation->call, .arena = group->arena, .registry = whole->registry,
	.profile = whole->profile, .context = whole->context, .tenant = whole->tenant, .base_url = whole->base_url,
	.hash_passwords = whole->hash_passwords, .reactivate = whole->reactivate, .soft_delete = whole->soft_delete, .in_bulk = true,
	.bulk_id = asked->bulk_id};
	scim_buf_init(&x->tolerances, x->arena, SCIM_AUDIT_TOLERANCES_MAX);
	scim_buf_init(&x->answer, x->arena, SCIM_AUDIT_ANSWER_MAX);
	x->context.method = NULL;
	if (operation->call.method.ptr != NULL)
	{
		x->context.method = scim_strdup(x->arena, operation->call.method);
		if (x->context.method == NULL)
			scim_audit_checked(SCIM_NO_MEMORY);
	}
}

/* The data, and what of it may stand in the log. */
static void
take_data(Operation *operation)
{
	ScimAuditExchange *x = &operation->x;

	scim_audit_checked(scim_bulk_take_data(x->arena, operation->asked, &operation->data));
	if (operation->data != NULL)
		scim_audit_checked(scim_redact_body(x->arena, x->registry, operation->data, &x->logged));
}

/* Put ids in the place of references, in the body (which may be NULL) and in the path. */
static void
resolve(const Group *group, Operation *operation, ScimJson *body)
{
	operation->x.body = body;
	scim_audit_checked(scim_bulk_resolve(group->arena, group->bulk, operation->asked, body, &operation->call.uri));
}

/* What an operation is about, once all that it refers to is there, or has an id at least. */
static ScimStatus
prepare(Group *group, Operation *operation)
{
	ScimAuditExchange *x = &operation->x;
	ScimRequest *request = &x->request;
	bool		ready = scim_bulk_ready(group->bulk, operation->asked);
	ScimStatus	status;

	take_data(operation);
	if (ready)
		resolve(group, operation, group->circular ? NULL : operation->data);
	status = scim_audit_checked(scim_request_parse(x->arena, x->registry, operation->call.method,
												   operation->call.uri, NULL, request, &x->error));
	request->user_agent = group->whole->request.user_agent;
	request->idp_ref = group->whole->request.idp_ref;
	request->if_match = operation->asked->version;
	if (!ready)
	{
		x->error = operation->asked->error;
		return x->error.status;
	}
	if (status != SCIM_OK)
		return status;
	if (request->endpoint != SCIM_ENDPOINT_COLLECTION && request->endpoint != SCIM_ENDPOINT_RESOURCE &&
		request->endpoint != SCIM_ENDPOINT_ME)
		return scim_error(&x->error, SCIM_INVALID_SYNTAX, "the path of an operation must name a resource, or a type of resources");
	status = scim_audit_check_offered(x);
	return status == SCIM_OK ? scim_audit_check_id(x) : status;
}

static ScimStatus
write_one(void *group)
{
	return scim_audit_serve_write(&((Group *) group)->operations[0].x);
}

/* Turn to an operation: what is logged from now on is its own. */
static ScimAuditExchange *
turn_to(Group *group, size_t at)
{
	group->at = at;
	scim_audit_context_set(&group->operations[at].x.context);
	return &group->operations[at].x;
}

/* The first step, on a copy: ids may turn out to be others. */
static ScimStatus
create_step(Group *group, Operation *operation)
{
	ScimAuditExchange *x = &operation->x;
	ScimJson   *copy = scim_json_copy(x->arena, operation->data);
	ScimStatus	status;

	if (copy == NULL)
		scim_audit_checked(SCIM_NO_MEMORY);
	resolve(group, operation, copy);
	status = scim_audit_create_alone(x, operation->asked->id);
	if (status == SCIM_OK)
		operation->asked->id = x->request.id = keep(group, x->request.id);
	return status;
}

static ScimStatus
complete_step(Group *group, Operation *operation)
{
	ScimAuditExchange *x = &operation->x;
	ScimStatus	status;

	resolve(group, operation, operation->data);
	status = scim_audit_complete(x);
	if (status != SCIM_OK)
		return status;
	x->resource_id = operation->asked->id;
	x->resource_name = keep(group, x->resource_name);
	x->location = keep(group, (ScimStr) {x->location, strlen(x->location)}).ptr;
	return SCIM_OK;
}

/*
 * One step of each of a circle.  What a step needs goes with it, for a circle may have as many
 * operations as a request; of one that fails it stays, for its answer.
 */
static ScimStatus
step_through(Group *group, ScimStatus (*step) (Group *group, Operation *operation))
{
	MemoryContext outer = CurrentMemoryContext;
	MemoryContext context = AllocSetContextCreate(outer, "scim bulk step", ALLOCSET_DEFAULT_SIZES);
	ScimStatus	status = SCIM_OK;
	size_t		i;

	for (i = 0; i < group->n && status == SCIM_OK; i++)
	{
		ScimAuditExchange *x = turn_to(group, i);

		MemoryContextSwitchTo(context);
		x->arena = scim_audit_create_arena();
		status = step(group, &group->operations[i]);
		MemoryContextSwitchTo(outer);
		if (status == SCIM_OK)
		{
			x->arena = group->arena;
			x->body = NULL;
			MemoryContextReset(context);
		}
	}
	return status;
}

static ScimStatus
write_circle(void *group)
{
	ScimStatus	status = step_through(group, create_step);

	return status == SCIM_OK ? step_through(group, complete_step) : status;
}

/* Do the work of a group whose operations are all prepared. */
static ScimStatus
work(Group *group)
{
	ScimError	error = {SCIM_OK};
	ScimStatus	status = scim_audit_guarded(group->circular ? write_circle : write_one, group, group->whole, &error);

	if (error.status != SCIM_OK)
		group->operations[group->at].x.error = error;
	return status;
}

/* An operation of a circle that failed because of another one. */
static void
fail_with_circle(ScimAuditExchange *x)
{
	if (x->error.status == SCIM_OK)
		scim_error(&x->error, SCIM_CONFLICT, "another operation failed, to which this one refers in a circle");
	x->resource_id = SCIM_STR_NONE;
	x->version = 0;
}

/* Where the resource is: of a success, and of a failure that was no POST. */
static const char *
location(ScimAuditExchange *x)
{
	char		id[37];
	const char *found = x->location;

	if (found != NULL || x->request.endpoint != SCIM_ENDPOINT_RESOURCE || !scim_uuid_parse(x->request.id, id))
		return found;
	found = scim_location(x->arena, x->request.type, (ScimStr) {id, strlen(id)}, x->base_url);
	if (found == NULL)
		scim_audit_checked(SCIM_NO_MEMORY);
	return found;
}

/* The event of an operation, and its part of the response. */
static void
finish_operation(Group *group, Operation *operation)
{
	ScimAuditExchange *x = &operation->x;
	ScimBulkOperation *asked = operation->asked;
	bool		shows_version = x->error.status == SCIM_OK && asked->method != SCIM_DELETE;
	ScimBuf		result;

	group->whole->operations++;
	if (x->error.status != SCIM_OK)
	{
		scim_audit_answer_error(x);
		asked->failed = true;
		group->whole->failed++;
	}
	else if (asked->method == SCIM_POST)
		asked->id = keep(group, x->resource_id);
	scim_audit_context_set(&x->context);
	scim_audit_request_event(x);

	scim_buf_init(&result, group->whole->arena, SCIM_AUDIT_ANSWER_MAX);
	scim_bulk_write_result(&result, asked, location(x), shows_version ? x->version : 0, x->status,
						   asked->failed ? (ScimStr) {x->answer.data, x->answer.len} : SCIM_STR_NONE);
	if (x->answer.failed || result.failed)
		scim_audit_checked(SCIM_NO_MEMORY);
	asked->result = (ScimStr) {result.data, result.len};
}

/* Serve the operations from one place in the order to before another. */
static void
serve_group(Group *group, size_t from)
{
	ScimStatus	status = SCIM_OK;
	size_t		i;

	group->operations = palloc0(group->n * sizeof(Operation));
	for (i = 0; i < group->n; i++)
	{
		begin_operation(group, &group->operations[i], &group->bulk->operations[group->bulk->order[from + i]]);
		if (group->circular)
			group->operations[i].asked->id = scim_audit_new_id(group->whole->arena);
	}
	for (i = 0; i < group->n; i++)
	{
		ScimStatus	prepared;

		turn_to(group, i);
		prepared = prepare(group, &group->operations[i]);
		if (prepared != SCIM_OK)
			status = prepared;
	}
	turn_to(group, 0);
	if (status == SCIM_OK)
		status = work(group);
	for (i = 0; i < group->n; i++)
	{
		if (status != SCIM_OK && group->circular)
			fail_with_circle(&group->operations[i].x);
		finish_operation(group, &group->operations[i]);
	}
}

ScimStatus
scim_audit_serve_bulk(ScimAuditExchange *x)
{
	MemoryContext outer = CurrentMemoryContext;
	MemoryContext context = AllocSetContextCreate(outer, "scim bulk operation", ALLOCSET_DEFAULT_SIZES);
	ScimBulk	bulk;
	size_t		from = 0;
	size_t		i;
	ScimStatus	status;

	status = scim_audit_checked(scim_bulk_parse(x->arena, x->body, scim_audit_max_bulk_operations, &bulk, &x->error));
	if (status != SCIM_OK)
		return status;
	for (i = 0; i < bulk.n_groups && (int64) x->failed < bulk.fail_on_errors; i++)
	{
		Group		group = {.whole = x, .bulk = &bulk, .n = bulk.ends[i] - from};

		CHECK_FOR_INTERRUPTS();
		scim_audit_forget_plans();
		MemoryContextSwitchTo(context);
		group.arena = scim_audit_create_arena();
		group.circular = scim_bulk_circular(&bulk, i);
		serve_group(&group, from);
		MemoryContextSwitchTo(outer);
		scim_audit_context_set(&x->context);
		MemoryContextReset(context);
		from = bulk.ends[i];
	}

	/* The data of operations that were done is in their own events. */
	scim_audit_checked(scim_redact_body(x->arena, x->registry, x->body, &x->logged));
	scim_bulk_write_response(&x->answer, &bulk);
	x->status = 200;
	return SCIM_OK;
}
