/*
 * exchange.c
 *		What all parts of a request's service use (see exchange.h).
 */
#include "pg/compat.h"

#include <string.h>

#include "access/xact.h"
#include "commands/trigger.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

#include "core/text.h"
#include "pg/database_error.h"
#include "pg/exchange.h"
#include "pg/resource_triggers.h"
#include "pg/text_functions.h"

#define ARENA_MAX ((size_t) 1024 * 1024 * 1024)

static void
free_arena(void *arena)
{
	scim_arena_free(*(ScimArena **) arena);
}

ScimArena *
scim_audit_create_arena(void)
{
	MemoryContextCallback *callback = palloc0(sizeof(MemoryContextCallback));
	ScimArena **arena = palloc0(sizeof(ScimArena *));

	callback->func = free_arena;
	callback->arg = arena;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);
	*arena = scim_arena_create(ARENA_MAX);
	if (*arena == NULL)
		scim_audit_checked(SCIM_NO_MEMORY);
	return *arena;
}

ScimStatus
scim_audit_checked(ScimStatus status)
{
	if (status == SCIM_NO_MEMORY)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory while serving a SCIM request")));
	return status;
}

ScimStr
scim_audit_new_id(ScimArena *arena)
{
	uint8_t		uuid[16];
	char	   *text = scim_alloc(arena, SCIM_UUID_SIZE);

	if (text == NULL)
		scim_audit_checked(SCIM_NO_MEMORY);
	scim_audit_new_uuid(uuid);
	scim_uuid_format(uuid, text);
	return (ScimStr) {text, SCIM_UUID_SIZE - 1};
}

/* Fire what is deferred to the end of the transaction, while a refusal can still be undone. */
static void
check_deferred(void)
{
	ConstraintsSetStmt *stmt = makeNode(ConstraintsSetStmt);

	AfterTriggerSetState(stmt);
}

/* The error is judged after the rollback, for that needs the catalogs. */
ScimStatus
scim_audit_guarded(ScimAuditWork work, void *argument, const ScimAuditExchange *x, ScimError *err)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *volatile error = NULL;
	volatile	ScimStatus status = SCIM_OK;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		status = work(argument);
		if (status == SCIM_OK && x->call->caller != NULL)
			check_deferred();
		if (status == SCIM_OK)
			ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
	}
	PG_END_TRY();
	if (error != NULL || status != SCIM_OK)
		RollbackAndReleaseCurrentSubTransaction();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	scim_audit_members_quiet = false;

	if (error != NULL)
	{
		status = scim_audit_database_error(error, x->registry, err);
		if (status == SCIM_OK && x->call->caller != NULL)
			status = scim_audit_final_error(error, err);
		if (status == SCIM_OK)
			ReThrowError(error);
		FreeErrorData(error);
	}
	return status;
}

void
scim_audit_answer_error(ScimAuditExchange *x)
{
	scim_buf_reset(&x->answer);
	if (!x->is_me)
		x->location = NULL;
	scim_response_error(&x->answer, &x->error);
	x->status = scim_status_http(x->error.status);
}
