/*
 * request_event.c
 *		The request in the log: one event for each write call, successful or
 *		refused; for reads as scim_audit.log_reads says.
 *
 * detail: endpoint, query (secrets replaced), user_agent, idp_ref, request
 * (the body, secrets replaced; request_base64 when it does not parse and can
 * hold no secret), response (an error whole; on success id and version),
 * tolerances (what the profile changed), resource_name.
 *
 * Each operation of /Bulk has an event like that, with its bulk_id; the event
 * of /Bulk itself has, as its request, what is not in theirs, and as its
 * response how many were done and how many of them failed.
 */
#include "pg/compat.h"

#include <string.h>

#include "core/json.h"
#include "core/redact.h"
#include "pg/exchange.h"
#include "pg/guc.h"

#define DETAIL_MAX ((size_t) 128 * 1024 * 1024)
#define HEADER_MAX 512			/* bytes kept of a header */
#define URI_MAX 8192			/* bytes kept of a path or query */

bool
scim_audit_request_event_due(const ScimAuditExchange *x)
{
	if (!scim_request_reads(&x->request) || scim_audit_log_reads == SCIM_LOG_READS_ALL)
		return true;
	return scim_audit_log_reads == SCIM_LOG_READS_FAILURES && x->error.status != SCIM_OK;
}

static const char *
action(const ScimAuditExchange *x)
{
	if (x->request.endpoint == SCIM_ENDPOINT_BULK)
		return "bulk";
	if (x->request.endpoint == SCIM_ENDPOINT_SEARCH)
		return "list";
	switch (x->request.method)
	{
		case SCIM_POST:
			return "create";
		case SCIM_PUT:
			return "replace";
		case SCIM_PATCH:
			return "patch";
		case SCIM_DELETE:
			return "delete";
		default:
			return x->request.endpoint == SCIM_ENDPOINT_COLLECTION || x->request.endpoint == SCIM_ENDPOINT_ROOT ?
				"list" : "read";
	}
}

/* What the request means: user.create, group.update, discovery.read; scim.* where no type is named. */
static char *
event_type(const ScimAuditExchange *x)
{
	const ScimRequest *request = &x->request;
	const char *verb = action(x);
	char	   *text;

	if (strcmp(verb, "replace") == 0 || strcmp(verb, "patch") == 0)
		verb = "update";
	if (request->type == NULL)
		return psprintf("%s.%s",
						request->endpoint == SCIM_ENDPOINT_SERVICE_PROVIDER_CONFIG ||
						request->endpoint == SCIM_ENDPOINT_SCHEMAS ||
						request->endpoint == SCIM_ENDPOINT_RESOURCE_TYPES ? "discovery" : "scim", verb);
	text = psprintf("%s.%s", request->type->name, verb);
	text[0] = pg_ascii_tolower((unsigned char) text[0]);
	return text;
}

/* The first max bytes, cut at a character's end. */
static ScimStr
cut(ScimStr text, size_t max)
{
	if (text.len <= max)
		return text;
	while (max > 0 && ((unsigned char) text.ptr[max] & 0xC0) == 0x80)
		max--;
	return (ScimStr) {text.ptr, max};
}

/* The name of the next member and its colon. */
static void
add_name(ScimBuf *buf, const char *name)
{
	if (buf->len > 1)
		scim_buf_char(buf, ',');
	scim_buf_json_string(buf, name, strlen(name));
	scim_buf_char(buf, ':');
}

static void
add_string(ScimBuf *buf, const char *name, ScimStr text, size_t max)
{
	ScimStr		kept = cut(text, max);

	if (text.ptr == NULL || text.len == 0)
		return;
	add_name(buf, name);
	scim_buf_json_string(buf, kept.ptr, kept.len);
}

/* What came in the body, also where the request was refused before it was read. */
static void
add_request(ScimBuf *buf, ScimAuditExchange *x)
{
	ScimStr		body = x->call->body;

	if (x->logged.ptr == NULL && (body.ptr == NULL || body.len == 0 || body.len > (size_t) scim_audit_max_body))
		return;
	if (x->logged.ptr == NULL &&
		scim_audit_checked(scim_json_parse(x->arena, body, &x->body, NULL)) == SCIM_OK)
		scim_audit_checked(scim_redact_body(x->arena, x->registry, x->body, &x->logged));
	if (x->logged.ptr != NULL)
	{
		add_name(buf, "request");
		scim_buf_bytes(buf, x->logged.ptr, x->logged.len);
	}
	else if (scim_raw_body_storable(x->registry, body))
	{
		add_name(buf, "request_base64");
		scim_buf_char(buf, '"');
		scim_buf_base64(buf, (const uint8_t *) body.ptr, body.len);
		scim_buf_char(buf, '"');
	}
}

static void
add_response(ScimBuf *buf, const ScimAuditExchange *x)
{
	if (x->error.status != SCIM_OK)
	{
		add_name(buf, "response");
		scim_buf_bytes(buf, x->answer.data, x->answer.len);
		return;
	}
	if (x->request.endpoint == SCIM_ENDPOINT_BULK)
	{
		add_name(buf, "response");
		scim_buf_printf(buf, "{\"operations\":%zu,\"failed\":%zu}", x->operations, x->failed);
		return;
	}
	if (x->resource_id.ptr == NULL)
		return;
	add_name(buf, "response");
	scim_buf_str(buf, "{\"id\":");
	scim_buf_json_string(buf, x->resource_id.ptr, x->resource_id.len);
	if (x->version > 0)
		scim_buf_printf(buf, ",\"version\":%lld", (long long) x->version);
	scim_buf_char(buf, '}');
}

static ScimStr
detail(ScimAuditExchange *x)
{
	ScimBuf		buf;

	scim_buf_init(&buf, x->arena, DETAIL_MAX);
	scim_buf_char(&buf, '{');
	add_string(&buf, "resource_name", x->resource_name, HEADER_MAX);
	add_string(&buf, "endpoint", x->request.path, URI_MAX);
	add_string(&buf, "bulk_id", x->bulk_id, HEADER_MAX);
	if (x->request.query.ptr != NULL)
		add_string(&buf, "query", scim_redact_query(x->arena, x->registry, x->request.query), URI_MAX);
	add_string(&buf, "user_agent", x->request.user_agent, HEADER_MAX);
	add_string(&buf, "idp_ref", x->request.idp_ref, HEADER_MAX);
	add_request(&buf, x);
	add_response(&buf, x);
	if (x->tolerances.len > 0)
	{
		add_name(&buf, "tolerances");
		scim_buf_char(&buf, '[');
		scim_buf_bytes(&buf, x->tolerances.data, x->tolerances.len);
		scim_buf_char(&buf, ']');
	}
	scim_buf_char(&buf, '}');
	if (buf.failed)
		scim_audit_checked(SCIM_NO_MEMORY);
	return (ScimStr) {buf.data, buf.len};
}

static ScimStr
str(const char *text)
{
	return text == NULL ? SCIM_STR_NONE : (ScimStr) {text, strlen(text)};
}

void
scim_audit_request_event(ScimAuditExchange *x)
{
	ScimEntry	entry = {{0}};

	entry.tenant = str(x->tenant);
	entry.category = SCIM_STR("request");
	entry.action = str(action(x));
	entry.event_type = str(event_type(x));
	entry.outcome = x->denied ? SCIM_STR("denied") :
		x->error.status == SCIM_OK ? SCIM_STR("success") : SCIM_STR("failure");
	entry.status = x->status;
	entry.scim_type = x->error.status == SCIM_OK ? SCIM_STR_NONE : str(scim_status_type(x->error.status));
	if (x->request.type != NULL)
		entry.resource_type = str(x->request.type->name);
	entry.resource_id = x->resource_id.ptr != NULL ? x->resource_id :
		x->request.endpoint == SCIM_ENDPOINT_RESOURCE ? x->request.id : SCIM_STR_NONE;
	scim_audit_log_write(&entry, detail(x));
}
