/*
 * http.c
 *		SCIM requests that came by HTTP (see http.h).
 *
 * Any SQL user can set request.headers, so they count only for a session of a
 * trusted authenticator.  The transaction must be READ COMMITTED: then no
 * error is left for COMMIT but the log's own.  What follows runs in a
 * subtransaction, because no conflict with another transaction may leave the
 * function as an error: PostgREST before 16 would call again for as long as it
 * lasts.
 *
 * While the service works, the client's role is the outer user, as after SET
 * ROLE but without its check: the authenticator need not be, and should not
 * be, a member of it.  Whoever has only the authenticator's password can thus
 * do nothing without a token.
 */
#include "pg/compat.h"

#include <string.h>

#include "access/htup_details.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/varlena.h"

#include "core/redact.h"
#include "core/text.h"
#include "pg/client.h"
#include "pg/database_error.h"
#include "pg/exchange.h"
#include "pg/guc.h"
#include "pg/http.h"
#include "pg/json_text.h"
#include "pg/schema_registry.h"
#include "pg/tenant.h"
#include "pg/text_functions.h"

#define ERROR_MAX 4096			/* bytes of an error document */
#define DETAIL_MAX 65536
#define HEADER_MAX 512			/* bytes kept of a header, and of an address */
#define URI_MAX 8192			/* bytes kept of a path or query */
#define DOCUMENT_HEADER "{\"Content-Type\":\"application/scim+json\"}"

PG_FUNCTION_INFO_V1(scim_audit_http);
PG_FUNCTION_INFO_V1(scim_audit_probe_client);

/* One request. */
typedef struct Http
{
	ScimArena  *arena;
	ScimHeaders headers;
	ScimStr		method;
	ScimStr		tenant;
	ScimStr		uri;
	ScimStr		authorization;
	ScimStr		address;
	ScimStr		body;
	bool		has_request_id;
	uint8_t		request_id[16];
	char	   *claims;			/* "client_addr":"…", or "" */
	ScimAuditReply reply;
} Http;

bool
scim_audit_session_is_trusted(void)
{
	char	   *session = GetUserNameFromId(GetSessionUserId(), false);
	List	   *names;
	ListCell   *cell;

	if (!SplitIdentifierString(pstrdup(scim_audit_trusted_authenticators), ',', &names))
		return false;
	foreach(cell, names)
		if (strcmp((char *) lfirst(cell), session) == 0)
			return true;
	return false;
}

/* ---- answers without the service ---- */

/* Make an error the reply; more is headers behind the first, each {…} with a comma before it. */
static void
reply_error(Http *http, const ScimError *error, const char *more)
{
	ScimBuf		body;

	scim_buf_init(&body, http->arena, ERROR_MAX);
	scim_response_error(&body, error);
	if (body.failed)
		scim_audit_checked(SCIM_NO_MEMORY);
	http->reply.status = scim_status_http(error->status);
	http->reply.body = pnstrdup(body.data, body.len);
	http->reply.headers = psprintf("[" DOCUMENT_HEADER "%s]",
								   error->status == SCIM_UNAVAILABLE ? ",{\"Retry-After\":\"1\"}" : more);
}

static void
append_member(ScimBuf *buf, const char *name, ScimStr value, size_t max)
{
	value = scim_utf8_cut(value, max);
	if (value.ptr == NULL || value.len == 0)
		return;
	if (buf->len > 1)
		scim_buf_char(buf, ',');
	scim_buf_json_string(buf, name, strlen(name));
	scim_buf_char(buf, ':');
	scim_buf_json_string(buf, value.ptr, value.len);
}

/* What the log is told of a refused token: where it was tried, by what, and why it is not good. */
static ScimStr
refusal_detail(Http *http, const ScimRequest *request, ScimAuditTokenAnswer answer)
{
	const ScimRegistry *registry = scim_audit_registry();
	const char *reason = scim_audit_token_answer_name(answer);
	ScimBuf		buf;

	scim_buf_init(&buf, http->arena, DETAIL_MAX);
	scim_buf_char(&buf, '{');
	append_member(&buf, "endpoint", request->path, URI_MAX);
	if (request->query.ptr != NULL)
		append_member(&buf, "query", scim_redact_query(http->arena, registry, request->query), URI_MAX);
	append_member(&buf, "user_agent", request->user_agent, HEADER_MAX);
	append_member(&buf, "idp_ref", request->idp_ref, HEADER_MAX);
	append_member(&buf, "refused", (ScimStr) {reason, strlen(reason)}, HEADER_MAX);
	scim_buf_char(&buf, '}');
	if (buf.failed)
		scim_audit_checked(SCIM_NO_MEMORY);
	return (ScimStr) {buf.data, buf.len};
}

/* The text, NUL-terminated, in the arena; NULL when absent or empty. */
static char *
arena_string(Http *http, ScimStr text)
{
	char	   *copy;

	if (text.ptr == NULL || text.len == 0)
		return NULL;
	copy = scim_strdup(http->arena, text);
	if (copy == NULL)
		scim_audit_checked(SCIM_NO_MEMORY);
	return copy;
}

/*
 * Write the event token.refuse, in the log of the tenant that the URL names.
 * It names the client only where that is the tenant's own.
 */
static void
log_refusal(Http *http, const ScimAuditClient *client, ScimAuditTokenAnswer answer)
{
	const ScimRegistry *registry = scim_audit_registry();
	bool		named = client->name != NULL && answer != SCIM_TOKEN_WRONG_TENANT;
	char	   *tenant = arena_string(http, http->tenant);
	ScimEntry	entry = {{0}};
	ScimAuditContext context = {.origin = "scim", .has_request_id = true};
	ScimRequest request;
	const ScimAuditContext *outer;

	scim_audit_checked(scim_request_parse(http->arena, registry, http->method,
										  scim_utf8_cut(http->uri, SCIM_AUDIT_URI_MAX), &http->headers, &request, NULL));
	context.actor = named ? client->name : NULL;
	context.actor_type = named ? "client" : "role";
	context.credential = client->last_four[0] != '\0' ? client->last_four : NULL;
	context.method = arena_string(http, http->method);
	context.claims = (ScimStr) {http->claims, strlen(http->claims)};
	if (http->has_request_id)
		memcpy(context.request_id, http->request_id, sizeof(context.request_id));
	else
		scim_audit_new_uuid(context.request_id);

	if (tenant != NULL && scim_audit_tenant_settings(tenant) != NULL)
		entry.tenant = http->tenant;
	entry.category = SCIM_STR("security");
	entry.action = SCIM_STR("refuse");
	entry.event_type = SCIM_STR("token.refuse");
	entry.outcome = SCIM_STR("denied");
	entry.status = 401;
	if (named)
	{
		entry.resource_type = SCIM_STR("Client");
		entry.resource_id = (ScimStr) {client->name, strlen(client->name)};
	}
	outer = scim_audit_context_set(&context);
	PG_TRY();
	{
		scim_audit_log_write(&entry, refusal_detail(http, &request, answer));
	}
	PG_FINALLY();
	{
		scim_audit_context_set(outer);
	}
	PG_END_TRY();
}

/*
 * The one answer to every token that is not good.  A server that takes no
 * writes refuses all the same and tells its own log.
 */
static void
refuse_token(Http *http, const ScimAuditClient *client, ScimAuditTokenAnswer answer)
{
	ScimError	error;

	if (RecoveryInProgress() || XactReadOnly)
		ereport(LOG,
				(errmsg("a SCIM token was refused: %s", scim_audit_token_answer_name(answer)),
				 errdetail("It ends in \"%s\".", client->last_four)));
	else
		log_refusal(http, client, answer);
	scim_error(&error, SCIM_UNAUTHORIZED, "a valid bearer token is needed");
	reply_error(http, &error, ",{\"WWW-Authenticate\":\"Bearer realm=\\\"SCIM\\\"\"}");
}

/* ---- the service ---- */

/* Serve the request as the client. */
static void
serve_client(Http *http, const ScimAuditClient *client)
{
	ScimAuditCaller caller = {
		.tenant = client->tenant,
		.client = client->name,
		.credential = client->last_four,
		.profile = client->profile,
		.claims = {http->claims, strlen(http->claims)},
		.headers = &http->headers,
		.has_request_id = http->has_request_id
	};
	ScimAuditCall call = {
		.method = http->method,
		.uri = http->uri,
		.body = http->body,
		.caller = &caller
	};
	Oid			role = GetCurrentRoleId();
	bool		is_superuser = OidIsValid(role) && superuser_arg(role);

	memcpy(caller.request_id, http->request_id, sizeof(caller.request_id));
	SetCurrentRoleId(client->role, false);
	PG_TRY();
	{
		http->reply = scim_audit_serve(&call);
	}
	PG_FINALLY();
	{
		SetCurrentRoleId(role, is_superuser);
	}
	PG_END_TRY();
}

static void
answer(Http *http)
{
	ScimAuditClient client;
	ScimAuditTokenAnswer found = scim_audit_client_find(http->authorization, http->tenant, &client);

	if (found != SCIM_TOKEN_GOOD)
	{
		refuse_token(http, &client, found);
		return;
	}
	serve_client(http, &client);
	scim_audit_client_used(&client, http->address, http->reply.status);
}

/* Answer in a subtransaction; what is raised all the same becomes an answer where it can. */
static void
answer_guarded(Http *http)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *volatile error = NULL;
	ScimError	told;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		answer(http);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
	}
	PG_END_TRY();
	if (error != NULL)
		RollbackAndReleaseCurrentSubTransaction();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	if (error == NULL)
		return;
	if (scim_audit_final_error(error, &told) == SCIM_OK)
		ReThrowError(error);
	reply_error(http, &told, "");
}

/* ---- in and out ---- */

static int
hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* nginx's id of the request becomes ours, so that one can be found by the other. */
static void
read_request_id(Http *http)
{
	ScimStr		text = scim_header_value(&http->headers, "x-scim-request-id");
	size_t		i;

	http->has_request_id = false;
	if (text.len != 2 * sizeof(http->request_id))
		return;
	for (i = 0; i < sizeof(http->request_id); i++)
	{
		int			high = hex_digit(text.ptr[2 * i]);
		int			low = hex_digit(text.ptr[2 * i + 1]);

		if (high < 0 || low < 0)
			return;
		http->request_id[i] = high << 4 | low;
	}
	http->has_request_id = true;
}

/* Read request.headers; false when they are not what PostgREST writes. */
static bool
read_headers(Http *http, ScimError *error)
{
	const char *setting = GetConfigOption("request.headers", true, false);
	ScimStr		text = SCIM_STR("{}");
	ScimBuf		claims;

	/* What runs within the request may change the setting. */
	if (setting != NULL && setting[0] != '\0')
	{
		text.len = strlen(setting);
		text.ptr = pnstrdup(setting, text.len);
	}
	if (text.len > SCIM_AUDIT_HEADERS_MAX)
	{
		scim_error(error, SCIM_PAYLOAD_TOO_LARGE, "the headers are longer than %d bytes", SCIM_AUDIT_HEADERS_MAX);
		return false;
	}
	if (scim_audit_checked(scim_headers_parse(http->arena, text, &http->headers, error)) != SCIM_OK)
		return false;
	if (!http->headers.is_object)
	{
		scim_error(error, SCIM_BAD_REQUEST, "the headers must be a JSON object");
		return false;
	}
	http->method = scim_header_value(&http->headers, "x-scim-method");
	http->tenant = scim_header_value(&http->headers, "x-scim-tenant");
	http->uri = scim_header_value(&http->headers, "x-scim-uri");
	http->authorization = scim_header_value(&http->headers, "x-scim-authorization");
	http->address = scim_utf8_cut(scim_header_value(&http->headers, "x-scim-client-addr"), HEADER_MAX);
	read_request_id(http);

	/* What the client said of bodies; to PostgREST they are octets. */
	scim_header_replace(&http->headers, "content-type", "x-scim-content-type");
	scim_header_replace(&http->headers, "accept", "x-scim-accept");

	scim_buf_init(&claims, http->arena, DETAIL_MAX);
	scim_buf_str(&claims, "");
	append_member(&claims, "client_addr", http->address, HEADER_MAX);
	if (claims.failed)
		scim_audit_checked(SCIM_NO_MEMORY);
	http->claims = claims.data;
	return true;
}

static void
serve(Http *http)
{
	ScimError	error;

	if (!scim_audit_session_is_trusted())
	{
		ereport(WARNING,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("role \"%s\" may not speak for HTTP clients", GetUserNameFromId(GetSessionUserId(), false)),
				 errhint("A superuser can add it to scim_audit.trusted_authenticators.")));
		scim_error(&error, SCIM_FORBIDDEN, "the database does not take HTTP requests from here (scim_audit.trusted_authenticators)");
	}
	else if (XactIsoLevel != XACT_READ_COMMITTED)
		scim_error(&error, SCIM_INTERNAL, "HTTP requests are served in READ COMMITTED transactions only");
	else if (read_headers(http, &error))
	{
		answer_guarded(http);
		return;
	}
	reply_error(http, &error, "");
}

/*
 * The headers for PostgREST.  An error document goes in a header as well:
 * nginx, which must not let an answer of PostgREST's own pass for one of ours,
 * can only tell them apart by a header, and has dropped the body by then.
 */
static const char *
response_headers(Http *http)
{
	const char *document = http->reply.body != NULL ? http->reply.body : "{}";	/* none to HEAD */
	size_t		len = strlen(http->reply.headers);
	ScimBuf		buf;

	if (http->reply.status < 400)
		return http->reply.headers;
	scim_buf_init(&buf, http->arena, DETAIL_MAX);
	scim_buf_bytes(&buf, http->reply.headers, len - 1);
	scim_buf_str(&buf, ",{\"X-Scim-Error\":");
	scim_buf_json_string(&buf, document, strlen(document));
	scim_buf_str(&buf, "}]");
	if (buf.failed)
		scim_audit_checked(SCIM_NO_MEMORY);
	return buf.data;
}

/* Set a setting for the rest of the transaction. */
static void
set_local(const char *name, const char *value)
{
	set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false);
}

/* scim_api.scim_http(bytea) RETURNS "*" "/" "*": a request's body in, the answer's out. */
Datum
scim_audit_http(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context = AllocSetContextCreate(caller, "scim over http", ALLOCSET_DEFAULT_SIZES);
	Http		http = {0};
	bytea	   *answer_body;
	size_t		len;

	MemoryContextSwitchTo(context);
	http.arena = scim_audit_create_arena();
	if (!PG_ARGISNULL(0))
	{
		bytea	   *body = PG_GETARG_BYTEA_PP(0);

		http.body = (ScimStr) {VARDATA_ANY(body), VARSIZE_ANY_EXHDR(body)};
	}
	serve(&http);
	set_local("response.status", psprintf("%d", http.reply.status));
	set_local("response.headers", response_headers(&http));

	MemoryContextSwitchTo(caller);
	len = http.reply.body != NULL ? strlen(http.reply.body) : 0;
	answer_body = palloc(VARHDRSZ + len);
	SET_VARSIZE(answer_body, VARHDRSZ + len);
	if (len > 0)
		memcpy(VARDATA(answer_body), http.reply.body, len);
	MemoryContextDelete(context);
	PG_RETURN_BYTEA_P(answer_body);
}

/*
 * scim.probe_client(tenant text, client text, method text, uri text, body text,
 *		OUT status integer, OUT body jsonb): the answer to a request that the
 *		client would send, for who manages clients (scim.doctor).
 */
Datum
scim_audit_probe_client(PG_FUNCTION_ARGS)
{
	char	   *tenant;
	char	   *name;
	Http		http = {.claims = ""};
	ScimAuditClient client;
	Oid			user;
	int			security;
	TupleDesc	desc;
	Datum		values[2];
	bool		nulls[2] = {false, false};
	ScimStr    *texts[] = {&http.method, &http.uri, &http.body};
	int			i;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "probe_client must return a row");
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("tenant and client must not be null")));
	tenant = text_to_cstring(PG_GETARG_TEXT_PP(0));
	name = text_to_cstring(PG_GETARG_TEXT_PP(1));
	GetUserIdAndSecContext(&user, &security);
	if (security != 0 || !scim_audit_client_manager(tenant))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to act as a client of tenant \"%s\"", tenant)));
	if (!scim_audit_client_by_name(tenant, name, &client))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("tenant \"%s\" has no client \"%s\" whose role may serve", tenant, name)));
	for (i = 0; i < lengthof(texts); i++)
		if (!PG_ARGISNULL(2 + i))
		{
			char	   *value = text_to_cstring(PG_GETARG_TEXT_PP(2 + i));

			*texts[i] = (ScimStr) {value, strlen(value)};
		}
	http.arena = scim_audit_create_arena();
	http.headers.is_object = true;
	serve_client(&http, &client);

	values[0] = Int32GetDatum(http.reply.status);
	nulls[1] = http.reply.body == NULL;
	values[1] = nulls[1] ? (Datum) 0 : DirectFunctionCall1(jsonb_in, CStringGetDatum(http.reply.body));
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls));
}
