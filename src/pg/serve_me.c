/*
 * serve_me.c
 *		/Me, another name of the user who calls: RFC 7644 section 3.11.
 *
 * A caller is the user of the tenant whose userName it has as its own name: behind
 * a trusted authenticator that of the token which PostgREST has checked (the claim
 * "sub"), else that of its role.  A client with a SCIM token is a machine and no
 * user.  Being one gives no right: what may be done at /Me is what the caller's
 * duty allows at /Users/<id>.
 */
#include "pg/compat.h"

#include <string.h>

#include "utils/guc.h"

#include "core/json.h"
#include "pg/exchange.h"
#include "pg/http.h"

/* The subject of the token that PostgREST has checked; absent when there is none. */
static ScimStr
token_subject(ScimAuditExchange *x)
{
	const char *text = GetConfigOption("request.jwt.claims", true, false);
	ScimJson   *claims;

	if (text == NULL || text[0] == '\0' || strlen(text) > SCIM_AUDIT_HEADERS_MAX)
		return SCIM_STR_NONE;
	if (scim_audit_checked(scim_json_parse(x->arena, (ScimStr) {text, strlen(text)}, &claims, NULL)) != SCIM_OK)
		return SCIM_STR_NONE;
	return scim_json_str(scim_json_get(claims, "sub", NULL));
}

/* The caller's own name; absent when it is nobody. */
static ScimStr
caller_name(ScimAuditExchange *x)
{
	if (x->call->caller != NULL)
		return SCIM_STR_NONE;
	if (scim_audit_session_is_trusted())
		return token_subject(x);
	return (ScimStr) {x->context.actor, strlen(x->context.actor)};
}

ScimStatus
scim_audit_resolve_me(ScimAuditExchange *x)
{
	const ScimResourceType *type = scim_registry_type_by_name(x->registry, "User");
	ScimStr		name = caller_name(x);
	ScimStr		id = SCIM_STR_NONE;

	if (name.ptr != NULL && type != NULL)
		id = scim_audit_id_by_name(x, type, name, "");
	if (id.ptr == NULL)
		return scim_error(&x->error, SCIM_NOT_IMPLEMENTED, "the caller is no user of the tenant");
	x->request.endpoint = SCIM_ENDPOINT_RESOURCE;
	x->request.type = type;
	x->request.id = id;
	x->is_me = true;
	x->location = scim_location(x->arena, type, id, x->base_url);
	if (x->location == NULL)
		scim_audit_checked(SCIM_NO_MEMORY);
	return SCIM_OK;
}
