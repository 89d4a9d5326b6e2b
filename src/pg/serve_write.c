/*
 * serve_write.c
 *		Writing: POST (RFC 7644 section 3.3), PUT (3.5.1), PATCH (3.5.2),
 *		DELETE (3.6).
 *
 * Everything here runs inside one subtransaction, so that a refusal leaves
 * nothing behind.  The resource's row is locked before anything is compared
 * with it: preconditions (section 3.14), what a PATCH starts from, members.
 * A request gives a resource one new version at most, and none when it
 * changes nothing; but one that is created before what it refers to gets
 * another when it is completed.
 */
#include "pg/compat.h"

#include <string.h>

#include "pg/deleted_users.h"
#include "pg/exchange.h"
#include "pg/guc.h"
#include "pg/password.h"
#include "pg/resource_triggers.h"
#include "pg/text_functions.h"

/* The stored resource a request is about. */
typedef struct Stored
{
	ScimAuditRow row;
	ScimJson   *json;			/* canonical form */
	ScimStr    *values;			/* the columns made from json again, to compare with */
} Stored;

static ScimStr *
new_values(ScimAuditExchange *x)
{
	ScimStr    *values = scim_alloc(x->arena, (x->request.type->n_columns + 1) * sizeof(ScimStr));

	if (values == NULL)
		scim_audit_checked(SCIM_NO_MEMORY);
	return values;
}

/* Compare the preconditions of a write with the version that is there. */
static ScimStatus
check_preconditions(ScimAuditExchange *x, int64 version)
{
	const ScimRequest *request = &x->request;

	if (request->if_match.ptr != NULL && !scim_etag_matches(request->if_match, version))
		return scim_error(&x->error, SCIM_PRECONDITION_FAILED,
						  "If-Match names another version: the resource has changed");
	if (request->if_none_match.ptr != NULL && scim_etag_matches(request->if_none_match, version))
		return scim_error(&x->error, SCIM_PRECONDITION_FAILED,
						  "If-None-Match names the version that is there");
	return SCIM_OK;
}

/* Lock the resource and check the preconditions; its canonical form where wanted. */
static ScimStatus
lock_stored(ScimAuditExchange *x, bool want_json, Stored *stored)
{
	const ScimResourceType *type = x->request.type;
	ScimSql		sql;
	ScimStatus	status;

	scim_audit_checked(scim_sql_select(x->arena, type, scim_audit_tenant_str(x), x->request.id, true, &sql));
	if (!scim_audit_storage_row(x->arena, type, &sql, &stored->row))
		return scim_error(&x->error, SCIM_NOT_FOUND, "there is no such %s", type->name);
	x->resource_id = stored->row.meta.id;
	x->resource_name = scim_audit_resource_name(x, &stored->row);
	x->version = stored->row.meta.version;

	status = check_preconditions(x, stored->row.meta.version);
	if (status == SCIM_OK && want_json)
		status = scim_audit_checked(scim_resource_from_row(x->arena, type, stored->row.values,
														   &stored->json, &x->error));
	if (status == SCIM_OK && want_json)
	{
		stored->values = new_values(x);
		status = scim_audit_checked(scim_resource_to_row(x->arena, type, stored->json,
														 stored->values, &x->error));
	}
	return status;
}

/* Are two values of a column the same?  Equal resources give equal texts (resource.h). */
static bool
same_value(ScimStr a, ScimStr b)
{
	if (a.ptr == NULL || b.ptr == NULL)
		return a.ptr == b.ptr;
	return a.len == b.len && memcmp(a.ptr, b.ptr, a.len) == 0;
}

/* Write the columns that differ from what is stored; *changed says whether any did. */
static void
update_columns(ScimAuditExchange *x, Stored *stored, const ScimStr *values, bool *changed)
{
	const ScimResourceType *type = x->request.type;
	bool	   *differs = palloc0((type->n_columns + 1) * sizeof(bool));
	ScimSql		sql;
	size_t		i;

	*changed = false;
	for (i = 0; i < type->n_columns; i++)
	{
		if (type->columns[i].store == SCIM_STORE_EXPRESSION)
			continue;
		differs[i] = !same_value(stored->values[i], values[i]);
		*changed = *changed || differs[i];
	}
	if (!*changed)
		return;
	scim_audit_checked(scim_sql_update(x->arena, type, scim_audit_tenant_str(x), stored->row.meta.id,
									   values, differs, &sql));
	if (!scim_audit_storage_row(x->arena, type, &sql, &stored->row))
		elog(ERROR, "a locked resource is gone");
}

/* Run a link statement; how many rows it touched. */
static uint64
run_link(const ScimLinkOp *op, const ScimSql *sql)
{
	return scim_audit_storage_execute(op->link->table, sql);
}

/* Refuse ids that name no resource of this tenant. */
static ScimStatus
check_link_ids(ScimAuditExchange *x, const ScimLinkOp *op)
{
	ScimSql		sql;
	ScimStr    *missing;

	scim_audit_checked(scim_sql_link_missing(x->arena, x->registry, op->link, scim_audit_tenant_str(x),
											 op->ids, op->n, &sql));
	if (scim_audit_storage_cells(x->arena, op->link->table, &sql, 1, &missing) == 0)
		return SCIM_OK;
	return scim_error(&x->error, SCIM_INVALID_VALUE, "%s: there is no resource with the id \"%.*s\"",
					  op->link->attr->name, (int) missing[0].len, missing[0].ptr);
}

/* Carry out one change of a linked attribute; adds to *touched the rows that changed. */
static ScimStatus
apply_link(ScimAuditExchange *x, const ScimLinkOp *op, ScimStr owner, uint64 *touched)
{
	ScimStr		tenant = scim_audit_tenant_str(x);
	ScimSql		sql;
	ScimStatus	status;

	if (op->verb == SCIM_LINK_REMOVE_MATCHING)
	{
		status = scim_audit_checked(scim_sql_link_remove_matching(x->arena, x->registry, op->link, tenant,
																  owner, op->filter, &sql, &x->error));
		if (status == SCIM_OK)
			*touched += run_link(op, &sql);
		return status;
	}
	if (op->verb == SCIM_LINK_REMOVE)
	{
		scim_audit_checked(scim_sql_link_remove(x->arena, op->link, tenant, owner, op->ids, op->n, &sql));
		*touched += run_link(op, &sql);
		return SCIM_OK;
	}

	if (op->verb == SCIM_LINK_REPLACE)
	{
		scim_audit_checked(scim_sql_link_keep(x->arena, op->link, tenant, owner, op->ids, op->n, &sql));
		*touched += run_link(op, &sql);
	}
	if (op->n == 0)
		return SCIM_OK;
	status = check_link_ids(x, op);
	if (status != SCIM_OK)
		return status;
	scim_audit_checked(scim_sql_link_add(x->arena, x->registry, op->link, tenant, owner, op->ids, op->n, &sql));
	*touched += run_link(op, &sql);
	return SCIM_OK;
}

/* All of them, in order.  The new version is ours to give (resource_triggers.h). */
static ScimStatus
apply_links(ScimAuditExchange *x, const ScimLinkOp *ops, ScimStr owner, bool *changed)
{
	const ScimLinkOp *op;
	uint64		touched = 0;
	ScimStatus	status = SCIM_OK;

	scim_audit_members_quiet = true;
	for (op = ops; op != NULL && status == SCIM_OK; op = op->next)
		status = apply_link(x, op, owner, &touched);
	scim_audit_members_quiet = false;
	*changed = touched > 0;
	return status;
}

/* A password that came with the resource: does anything change? */
static bool
apply_password(ScimAuditExchange *x, const ScimSecrets *secrets, ScimStr id)
{
	/* Users in a table of an application have their passwords there, or nowhere. */
	if (!x->hash_passwords || x->request.type->bound || (secrets->password.ptr == NULL && !secrets->password_removed))
		return false;
	return scim_audit_password_store(scim_audit_tenant_str(x), id, secrets->password);
}

static void
touch(ScimAuditExchange *x, ScimAuditRow *row)
{
	ScimSql		sql;

	scim_audit_checked(scim_sql_touch(x->arena, x->request.type, scim_audit_tenant_str(x), row->meta.id, &sql));
	if (!scim_audit_storage_row(x->arena, x->request.type, &sql, row))
		elog(ERROR, "a locked resource is gone");
}

/* The answer without the resource. */
static void
answer_bare(ScimAuditExchange *x, int http_status, const ScimMeta *meta)
{
	x->resource_id = meta->id;
	x->version = meta->version;
	x->location = scim_location(x->arena, x->request.type, meta->id, x->base_url);
	if (x->location == NULL)
		scim_audit_checked(SCIM_NO_MEMORY);
	x->status = http_status;
}

/* The row as the answer, with its links where it can have any. */
static ScimStatus
answer_row(ScimAuditExchange *x, int http_status, const ScimAuditRow *row, bool read_links)
{
	x->resource_name = scim_audit_resource_name(x, row);
	if (x->in_bulk)
	{
		answer_bare(x, http_status, &row->meta);
		return SCIM_OK;
	}
	return scim_audit_answer_resource(x, http_status, row, read_links);
}

/* Does the client ask for the body of an answer that would be without? */
static bool
wants_body(const ScimAuditExchange *x)
{
	return x->request.list.attributes.ptr != NULL || x->request.list.excluded_attributes.ptr != NULL;
}

/* Write what a PUT or PATCH made of the stored resource. */
static ScimStatus
write_changes(ScimAuditExchange *x, Stored *stored, const ScimResource *resource, bool body_wanted)
{
	ScimStr    *values = new_values(x);
	bool		row_changed;
	bool		links_changed;
	bool		password_changed;
	ScimStatus	status;

	status = scim_audit_checked(scim_resource_to_row(x->arena, x->request.type, resource->json, values, &x->error));
	if (status != SCIM_OK)
		return status;
	update_columns(x, stored, values, &row_changed);
	status = apply_links(x, resource->links, stored->row.meta.id, &links_changed);
	if (status != SCIM_OK)
		return status;
	password_changed = apply_password(x, &resource->secrets, stored->row.meta.id);
	if (!row_changed && (links_changed || password_changed))
		touch(x, &stored->row);

	if (body_wanted)
		return answer_row(x, 200, &stored->row, true);
	answer_bare(x, 204, &stored->row.meta);
	return SCIM_OK;
}

static ScimStatus
serve_put(ScimAuditExchange *x)
{
	Stored		stored = {{{{0}}}};
	ScimResource resource = {0};
	ScimStatus	status = lock_stored(x, true, &stored);

	if (status == SCIM_OK)
		status = scim_audit_checked(scim_resource_from_body(x->arena, x->request.type, x->body, stored.json,
															x->profile->strict_attributes, &resource,
															&x->error));
	if (status == SCIM_OK)
		status = write_changes(x, &stored, &resource, true);
	return status;
}

/* A POST of a resource that is there, brought back or not complete: what a PUT does, answered as a creation. */
static ScimStatus
reactivate(ScimAuditExchange *x)
{
	ScimStatus	status = serve_put(x);

	if (status == SCIM_OK)
		x->status = 201;
	return status;
}

/* The userName that a POST wants, of a type that has users who can be inactive; else absent. */
static ScimStr
wanted_name(ScimAuditExchange *x, const ScimStr *values)
{
	const ScimResourceType *type = x->request.type;
	size_t		i;

	for (i = 0; i < type->n_columns; i++)
		if (strcmp(type->columns[i].path, "userName") == 0 && scim_type_attribute(type, SCIM_STR("active")) != NULL)
			return values[i];
	return SCIM_STR_NONE;
}

/*
 * The user that a POST brings back, where the tenant has it so: an inactive one with
 * the userName that it wants, locked, else a deleted one that is kept; absent: there is
 * none.
 */
static ScimStr
bring_back(ScimAuditExchange *x, const ScimStr *values)
{
	const ScimResourceType *type = x->request.type;
	ScimStr		name = x->reactivate ? wanted_name(x, values) : SCIM_STR_NONE;
	ScimAuditRow row = {{{0}}};
	ScimSql		sql;
	ScimStr		id;

	if (name.ptr == NULL)
		return SCIM_STR_NONE;
	id = scim_audit_id_by_name(x, type, name, " and active eq false");
	if (id.ptr != NULL)
	{
		/* It may be active, or gone, once the lock is ours. */
		scim_audit_checked(scim_sql_select(x->arena, type, scim_audit_tenant_str(x), id, true, &sql));
		scim_audit_storage_row(x->arena, type, &sql, &row);
		id = scim_audit_id_by_name(x, type, name, " and active eq false");
	}
	if (id.ptr != NULL || !x->soft_delete || scim_audit_id_by_name(x, type, name, "").ptr != NULL)
		return id;
	id = scim_audit_bring_back_named(scim_audit_tenant_str(x), name);
	if (id.ptr != NULL)
		id.ptr = scim_strdup(x->arena, id);
	return id;
}

/* Read a POST: the resource, its row, and in x->request.id the user that it brings back. */
static ScimStatus
read_new(ScimAuditExchange *x, ScimResource *resource, ScimStr *values)
{
	ScimStatus	status;

	status = scim_audit_checked(scim_resource_from_body(x->arena, x->request.type, x->body, NULL,
														x->profile->strict_attributes, resource, &x->error));
	if (status == SCIM_OK)
		status = scim_audit_checked(scim_resource_to_row(x->arena, x->request.type, resource->json, values, &x->error));
	if (status == SCIM_OK)
		x->request.id = bring_back(x, values);
	return status;
}

static void
insert(ScimAuditExchange *x, ScimStr id, const ScimStr *values, ScimAuditRow *row)
{
	ScimSql		sql;

	scim_audit_checked(scim_sql_insert(x->arena, x->request.type, scim_audit_tenant_str(x), id, values, &sql));
	if (!scim_audit_storage_row(x->arena, x->request.type, &sql, row))
		elog(ERROR, "an inserted resource is not there");
}

static ScimStatus
serve_post(ScimAuditExchange *x)
{
	ScimResource resource = {0};
	ScimAuditRow row = {{{0}}};
	ScimStr    *values = new_values(x);
	bool		changed;
	ScimStatus	status = read_new(x, &resource, values);

	if (status != SCIM_OK)
		return status;
	if (x->request.id.ptr != NULL)
		return reactivate(x);

	insert(x, scim_audit_new_id(x->arena), values, &row);
	status = apply_links(x, resource.links, row.meta.id, &changed);
	if (status != SCIM_OK)
		return status;
	apply_password(x, &resource.secrets, row.meta.id);
	/* A new resource has no links but those that the request gave it. */
	return answer_row(x, 201, &row, changed);
}

/* A resource with links is answered without body, for it may have very many of them. */
static bool
patch_answers_body(const ScimAuditExchange *x)
{
	const ScimResourceType *type = x->request.type;
	size_t		i;

	for (i = 0; i < type->n_links; i++)
		if (type->links[i].writable)
			return wants_body(x);
	return true;
}

static ScimStatus
serve_patch(ScimAuditExchange *x)
{
	ScimPatchOptions options = {
		.strict = x->profile->strict_attributes,
		.create_on_unmatched = x->profile->create_on_unmatched,
		.replace_whole = x->profile->replace_whole,
		.allow_no_path = x->profile->allow_no_path,
		.single_match = x->profile->single_match,
		.max_operations = scim_audit_max_patch_operations
	};
	Stored		stored = {{{{0}}}};
	ScimResource resource = {0};
	ScimStatus	status = lock_stored(x, true, &stored);

	if (status != SCIM_OK)
		return status;
	resource.type = x->request.type;
	resource.json = stored.json;
	status = scim_audit_checked(scim_patch_apply(x->arena, &resource, x->body, &options, &x->error));
	if (status == SCIM_OK)
		status = write_changes(x, &stored, &resource, patch_answers_body(x));
	return status;
}

static ScimStatus
serve_delete(ScimAuditExchange *x)
{
	Stored		stored = {{{{0}}}};
	ScimSql		sql;
	ScimStatus	status = lock_stored(x, false, &stored);

	if (status != SCIM_OK)
		return status;
	scim_audit_checked(scim_sql_delete(x->arena, x->request.type, scim_audit_tenant_str(x),
									   stored.row.meta.id, &sql));
	if (scim_audit_storage_execute(x->request.type->table, &sql) == 0)
		return scim_error(&x->error, SCIM_NOT_FOUND, "there is no such %s", x->request.type->name);
	x->status = 204;
	return SCIM_OK;
}

/* Make the body what the core takes, as far as the profile forgives. */
static ScimStatus
normalise(ScimAuditExchange *x)
{
	return scim_audit_checked(scim_profile_apply(x->arena, x->profile, x->request.type,
												 x->request.method == SCIM_PATCH, &x->body,
												 &x->tolerances, &x->error));
}

ScimStatus
scim_audit_create_alone(ScimAuditExchange *x, ScimStr id)
{
	const ScimResourceType *type = x->request.type;
	ScimResource resource = {0};
	ScimAuditRow row = {{{0}}};
	ScimStr    *values = new_values(x);
	size_t		i;
	ScimStatus	status = normalise(x);

	if (status == SCIM_OK)
		status = read_new(x, &resource, values);
	if (status != SCIM_OK || x->request.id.ptr != NULL)
		return status;
	for (i = 0; i < type->n_columns; i++)
		if (type->columns[i].references != NULL)
			values[i] = SCIM_STR_NONE;
	insert(x, id, values, &row);
	x->request.id = id;
	return SCIM_OK;
}

ScimStatus
scim_audit_complete(ScimAuditExchange *x)
{
	ScimStatus	status;

	scim_buf_reset(&x->tolerances);
	status = normalise(x);
	return status == SCIM_OK ? reactivate(x) : status;
}

ScimStatus
scim_audit_serve_write(ScimAuditExchange *x)
{
	ScimStatus	status;

	if (x->request.method == SCIM_DELETE)
		return serve_delete(x);

	status = normalise(x);
	if (status != SCIM_OK)
		return status;
	switch (x->request.method)
	{
		case SCIM_POST:
			return serve_post(x);
		case SCIM_PUT:
			return serve_put(x);
		default:
			return serve_patch(x);
	}
}
