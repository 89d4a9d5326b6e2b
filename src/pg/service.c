/*
 * service.c
 *		SCIM requests served (see service.h).
 *
 * Order of refusal: what cannot be read at all (400), who calls (403), the
 * path (404), what is not offered (501, 405), the body's size, type and
 * syntax (413, 415, 400), then what the method finds.
 *
 * One arena holds everything the core makes for a request.  It is freed by a
 * reset callback of the request's memory context, registered before the
 * arena exists, so that it goes whatever is raised.
 */
#include "pg/compat.h"

#include <string.h>

#include "access/xlog.h"
#include "executor/spi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/inval.h"
#include "utils/memutils.h"

#include "core/json.h"
#include "core/redact.h"
#include "core/search.h"
#include "core/text.h"
#include "pg/duty.h"
#include "pg/exchange.h"
#include "pg/guc.h"
#include "pg/plan_cache.h"
#include "pg/resource_triggers.h"
#include "pg/schema_registry.h"
#include "pg/tenant.h"
#include "pg/text_functions.h"

/* scim_apply may be called by a trigger that our own statement fires. */
static int	depth = 0;

void
scim_audit_forget_plans(void)
{
	if (depth == 1)
		scim_audit_plan_cache_trim();
}

/* Which duties may do this: whoever may read SQL rows may read them as SCIM too. */
static int
needed_duties(const ScimAuditExchange *x)
{
	return scim_request_reads(&x->request) ? SCIM_DUTY_PROVISIONING_ADMIN | SCIM_DUTY_READER :
		SCIM_DUTY_PROVISIONING_ADMIN;
}

/* Decide the tenant; refuse who has no duty that allows the method. */
static ScimStatus
decide_tenant(ScimAuditExchange *x)
{
	Oid			role = GetOuterUserId();
	const ScimAuditCaller *caller = x->call->caller;
	const ScimAuditTenant *settings;

	switch (scim_audit_session_tenant(role, needed_duties(x), caller != NULL ? caller->tenant : NULL, &x->tenant))
	{
		case SCIM_TENANT_OK:
			settings = scim_audit_tenant_settings(x->tenant);
			if (settings == NULL)
				break;
			x->base_url = scim_strdup(x->arena, (ScimStr) {settings->base_url, strlen(settings->base_url)});
			if (x->base_url == NULL)
				scim_audit_checked(SCIM_NO_MEMORY);
			x->hash_passwords = settings->password == SCIM_PASSWORD_HASH;
			x->reactivate = settings->reactivate;
			x->soft_delete = settings->soft_delete;
			if (!settings->enabled)
			{
				x->denied = true;
				return scim_error(&x->error, SCIM_FORBIDDEN, "the tenant is disabled");
			}
			return SCIM_OK;
		case SCIM_TENANT_CHOOSE:
			return scim_error(&x->error, SCIM_BAD_REQUEST,
							  "the role serves several tenants: choose one with the setting scim_audit.tenant");
		default:
			break;
	}

	/* The log of the tenant it does belong to, if there is just one. */
	x->tenant = caller != NULL ? caller->tenant : NULL;
	if (caller == NULL && scim_audit_session_tenant(role, SCIM_DUTY_ANY, "", &x->tenant) != SCIM_TENANT_OK)
		x->tenant = NULL;
	x->denied = true;
	return scim_error(&x->error, SCIM_FORBIDDEN, "the role has no duty that allows this for the tenant");
}

ScimStatus
scim_audit_check_offered(ScimAuditExchange *x)
{
	const ScimRequest *request = &x->request;
	bool		offered = false;

	switch (request->endpoint)
	{
		case SCIM_ENDPOINT_COLLECTION:
			offered = request->method == SCIM_GET || request->method == SCIM_POST;
			break;
		case SCIM_ENDPOINT_RESOURCE:
		case SCIM_ENDPOINT_ME:
			offered = request->method != SCIM_POST && request->method != SCIM_METHOD_OTHER;
			break;
		case SCIM_ENDPOINT_SERVICE_PROVIDER_CONFIG:
		case SCIM_ENDPOINT_RESOURCE_TYPES:
		case SCIM_ENDPOINT_SCHEMAS:
			offered = request->method == SCIM_GET;
			break;
		case SCIM_ENDPOINT_SEARCH:
		case SCIM_ENDPOINT_BULK:
			offered = request->method == SCIM_POST;
			break;
		case SCIM_ENDPOINT_ROOT:
			offered = request->method == SCIM_GET;
			break;
		case SCIM_ENDPOINT_UNKNOWN:
			return scim_error(&x->error, SCIM_NOT_FOUND, "there is nothing at this path");
	}
	if (offered)
		return request->endpoint == SCIM_ENDPOINT_ME ? scim_audit_resolve_me(x) : SCIM_OK;
	x->allow = scim_request_allow(request);
	return scim_error(&x->error, SCIM_METHOD_NOT_ALLOWED, "this method cannot be used here");
}

static bool
has_body(const ScimAuditExchange *x)
{
	return x->request.method == SCIM_POST || x->request.method == SCIM_PUT || x->request.method == SCIM_PATCH;
}

/* Read the body, and keep what the log may have of it; that of a bulk request is for its operations to log. */
static ScimStatus
parse_body(ScimAuditExchange *x)
{
	bool		bulk = x->request.endpoint == SCIM_ENDPOINT_BULK;
	ScimStr		body = x->call->body;
	ScimStr		type = x->request.content_type;
	ScimStatus	status;

	if (!has_body(x))
		return SCIM_OK;
	if (body.len > (size_t) scim_audit_max_body)
		return scim_error(&x->error, SCIM_PAYLOAD_TOO_LARGE,
						  bulk ? "The size of the bulk operation exceeds the maxPayloadSize (%d)." : "the body is longer than %d bytes",
						  scim_audit_max_body);
	if (type.ptr != NULL && type.len > 0 && !scim_media_type_known(type))
		return scim_error(&x->error, SCIM_UNSUPPORTED_MEDIA_TYPE,
						  "Content-Type must be application/scim+json or application/json, in UTF-8");
	if (body.ptr == NULL || body.len == 0)
		return scim_error(&x->error, SCIM_INVALID_SYNTAX, "the request has no body");
	status = scim_audit_checked(scim_json_parse(x->arena, body, &x->body, &x->error));
	if (status == SCIM_OK && !bulk)
		scim_audit_checked(scim_redact_body(x->arena, x->registry, x->body, &x->logged));
	return status;
}

/* The URI without what is too much of it: enough for the log. */
static ScimStr
readable_uri(ScimStr uri)
{
	if (uri.len > SCIM_AUDIT_URI_MAX)
		uri.len = pg_mbcliplen(uri.ptr, uri.len, SCIM_AUDIT_URI_MAX);
	return uri;
}

static bool
has_lower_case(ScimStr text)
{
	size_t		i;

	for (i = 0; i < text.len; i++)
		if (text.ptr[i] >= 'a' && text.ptr[i] <= 'z')
			return true;
	return false;
}

/* Take the request apart; x->request is filled as far as possible. */
static ScimStatus
parse_request(ScimAuditExchange *x)
{
	const ScimAuditCall *call = x->call;
	ScimStr		uri;
	ScimHeaders parsed;
	const ScimHeaders *headers = NULL;
	ScimStatus	status = SCIM_OK;
	bool		headers_readable = call->headers.len <= SCIM_AUDIT_HEADERS_MAX;

	if (call->method.ptr == NULL || call->uri.ptr == NULL)
		return scim_error(&x->error, SCIM_BAD_REQUEST, "%s must not be null",
						  call->method.ptr == NULL ? "method" : "uri");
	uri = readable_uri(call->uri);
	if (call->caller != NULL)
		headers = call->caller->headers;
	else if (call->headers.ptr != NULL && headers_readable)
	{
		status = scim_audit_checked(scim_headers_parse(x->arena, call->headers, &parsed, &x->error));
		headers = &parsed;
	}
	if (status != SCIM_OK)
		return status;
	status = scim_audit_checked(scim_request_parse(x->arena, x->registry, call->method, uri,
												   headers, &x->request, &x->error));

	/* RFC 9110 section 9.1: methods are case-sensitive. */
	if (call->caller != NULL && has_lower_case(call->method))
		x->request.method = SCIM_METHOD_OTHER;
	if (uri.len < call->uri.len)
		return scim_error(&x->error, SCIM_BAD_REQUEST, "the URI is longer than %d bytes", SCIM_AUDIT_URI_MAX);
	if (!headers_readable)
		return scim_error(&x->error, SCIM_PAYLOAD_TOO_LARGE, "the headers are longer than %d bytes", SCIM_AUDIT_HEADERS_MAX);
	return status;
}

/* Everything before the work itself. */
static ScimStatus
prepare(ScimAuditExchange *x)
{
	ScimError	request_error = {SCIM_OK};
	ScimStatus	parsed = parse_request(x);
	ScimStatus	status;

	x->context.method = x->request.method_text.ptr == NULL ? NULL :
		scim_strdup(x->arena, x->request.method_text);
	if (parsed != SCIM_OK)
		request_error = x->error;
	status = decide_tenant(x);
	if (status != SCIM_OK)
		return status;
	if (parsed != SCIM_OK)
	{
		x->error = request_error;
		return parsed;
	}
	status = scim_audit_check_offered(x);
	if (status == SCIM_OK)
		status = parse_body(x);
	if (status == SCIM_OK && x->request.endpoint == SCIM_ENDPOINT_SEARCH)
		status = scim_audit_checked(scim_search_parse(x->arena, x->body, &x->request.list, &x->error));
	if (status == SCIM_OK && x->request.type != NULL)
		status = scim_audit_checked(scim_projection_parse(x->arena, x->request.type, x->request.list.attributes,
														  x->request.list.excluded_attributes,
														  &x->projection, &x->error));
	return status;
}

ScimStatus
scim_audit_check_id(ScimAuditExchange *x)
{
	char	   *id = scim_alloc(x->arena, 37);

	if (id == NULL)
		scim_audit_checked(SCIM_NO_MEMORY);
	if (x->request.endpoint != SCIM_ENDPOINT_RESOURCE)
		return SCIM_OK;
	if (!scim_uuid_parse(x->request.id, id))
		return scim_error(&x->error, SCIM_NOT_FOUND, "there is no such %s", x->request.type->name);
	x->request.id = (ScimStr) {id, strlen(id)};
	return SCIM_OK;
}

static ScimStatus
serve_read(ScimAuditExchange *x)
{
	if (x->request.endpoint == SCIM_ENDPOINT_COLLECTION || x->request.endpoint == SCIM_ENDPOINT_SEARCH ||
		x->request.endpoint == SCIM_ENDPOINT_ROOT)
		return scim_audit_serve_list(x);
	if (x->request.endpoint == SCIM_ENDPOINT_RESOURCE)
		return scim_audit_serve_resource(x);
	return scim_audit_serve_discovery(x);
}

static ScimStatus
write_one(void *x)
{
	return scim_audit_serve_write(x);
}

static ScimStatus
work(ScimAuditExchange *x)
{
	ScimStatus	status = prepare(x);

	if (status == SCIM_OK)
		status = scim_audit_check_id(x);
	if (status != SCIM_OK)
		return status;
	if (scim_request_reads(&x->request))
		return serve_read(x);
	if (RecoveryInProgress())
		return scim_error(&x->error, SCIM_UNAVAILABLE, "this server is a standby: it takes no writes");
	PreventCommandIfReadOnly("scim_apply()");
	if (x->request.endpoint == SCIM_ENDPOINT_BULK)
		return scim_audit_serve_bulk(x);
	return scim_audit_guarded(write_one, x, x, &x->error);
}

/* Serve the request and log it. */
static void
serve(ScimAuditExchange *x)
{
	scim_audit_forget_plans();
	if (work(x) != SCIM_OK)
		scim_audit_answer_error(x);
	if (x->answer.failed)
		scim_audit_checked(SCIM_NO_MEMORY);

	if (!scim_audit_request_event_due(x))
		return;
	if (!RecoveryInProgress() && !XactReadOnly)
		scim_audit_request_event(x);
	else if (x->error.status != SCIM_UNAVAILABLE)
	{
		scim_error(&x->error, SCIM_UNAVAILABLE,
				   "this request is to be recorded, and nothing can be recorded here");
		scim_audit_answer_error(x);
	}
}

/* One more header of a JSON object, or array of objects. */
static void
append_header(ScimBuf *buf, bool array, const char *name, const char *value)
{
	scim_buf_str(buf, buf->len == 0 ? array ? "[{" : "{" : array ? "},{" : ",");
	scim_buf_json_string(buf, name, strlen(name));
	scim_buf_char(buf, ':');
	scim_buf_json_string(buf, value, strlen(value));
}

/* The answer's headers as JSON. */
static char *
reply_headers(ScimAuditExchange *x, MemoryContext context)
{
	char		etag[SCIM_ETAG_SIZE];
	bool		array = x->call->caller != NULL;
	ScimBuf		buf;

	scim_buf_init(&buf, x->arena, SCIM_AUDIT_ANSWER_MAX);
	/* RFC 7644 section 3.11: of /Me, in any response. */
	if ((x->error.status == SCIM_OK || x->is_me) && x->location != NULL)
		append_header(&buf, array, "Location", x->location);
	if (x->error.status == SCIM_OK && x->version > 0 && x->request.method != SCIM_DELETE)
	{
		scim_etag(x->version, etag);
		append_header(&buf, array, "ETag", etag);
	}
	/* Over HTTP, PostgREST would name another one. */
	if (x->answer.len > 0 || array)
		append_header(&buf, array, "Content-Type", scim_request_answer_type(&x->request));
	if (x->allow != NULL)
		append_header(&buf, array, "Allow", x->allow);
	if (x->error.status == SCIM_UNAVAILABLE)
		append_header(&buf, array, "Retry-After", "1");
	scim_buf_str(&buf, buf.len == 0 ? "{}" : array ? "}]" : "}");
	if (buf.failed)
		scim_audit_checked(SCIM_NO_MEMORY);
	return MemoryContextStrdup(context, buf.data);
}

/* What an HTTP client is in the log, and what it is forgiven. */
static void
init_caller(ScimAuditExchange *x, const ScimAuditCaller *caller)
{
	const ScimProfile *profile = scim_profile(caller->profile);

	if (profile != NULL)
		x->profile = profile;
	x->context.actor = caller->client;
	x->context.actor_type = "client";
	x->context.credential = caller->credential;
	x->context.claims = caller->claims;
	if (caller->has_request_id)
		memcpy(x->context.request_id, caller->request_id, sizeof(x->context.request_id));
}

static void
init_exchange(ScimAuditExchange *x, const ScimAuditCall *call)
{
	x->call = call;
	x->request.method = SCIM_METHOD_OTHER;
	x->request.endpoint = SCIM_ENDPOINT_UNKNOWN;
	x->arena = scim_audit_create_arena();
	x->profile = scim_profile(scim_audit_profile_name());
	scim_buf_init(&x->tolerances, x->arena, SCIM_AUDIT_TOLERANCES_MAX);
	scim_buf_init(&x->answer, x->arena, SCIM_AUDIT_ANSWER_MAX);

	x->context.origin = "scim";
	x->context.actor = scim_audit_role_name(GetOuterUserId());
	x->context.actor_type = "role";
	if (call->caller == NULL || !call->caller->has_request_id)
		scim_audit_new_uuid(x->context.request_id);
	x->context.has_request_id = true;
	if (call->caller != NULL)
		init_caller(x, call->caller);
}

ScimAuditReply
scim_audit_serve(const ScimAuditCall *call)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context = AllocSetContextCreate(caller, "scim request", ALLOCSET_DEFAULT_SIZES);
	ScimAuditExchange *x;
	ScimAuditReply reply = {0};
	const ScimAuditContext *outer;
	bool		outer_quiet = scim_audit_members_quiet;

	MemoryContextSwitchTo(context);
	x = palloc0(sizeof(ScimAuditExchange));
	init_exchange(x, call);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
	MemoryContextSwitchTo(context);

	outer = scim_audit_context_set(&x->context);
	scim_audit_members_quiet = false;
	depth++;
	scim_audit_registry_hold();
	PG_TRY();
	{
		/* What was registered meanwhile counts, also in the middle of a transaction. */
		AcceptInvalidationMessages();
		x->registry = scim_audit_registry();
		serve(x);
	}
	PG_FINALLY();
	{
		scim_audit_registry_release();
		depth--;
		scim_audit_members_quiet = outer_quiet;
		scim_audit_context_set(outer);
	}
	PG_END_TRY();

	SPI_finish();
	reply.status = x->status;
	reply.headers = reply_headers(x, caller);
	if (x->answer.len > 0 && !scim_name_is(x->request.method_text, "HEAD"))
	{
		reply.body = MemoryContextAllocHuge(caller, x->answer.len + 1);
		memcpy(reply.body, x->answer.data, x->answer.len + 1);
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
	return reply;
}
