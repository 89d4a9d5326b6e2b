/*
 * client.c
 *		Identity-provider clients and their bearer tokens (see client.h).
 *
 * A token is looked up by its digest in scim.client_tokens, its client by the
 * key of scim.clients: two index scans with a snapshot of the moment.  Nothing
 * is kept between requests that a revocation would have to reach.
 */
#include "pg/compat.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/namespace.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "core/text.h"
#include "pg/client.h"
#include "pg/duty.h"
#include "pg/hash.h"
#include "pg/json_text.h"
#include "pg/log.h"
#include "pg/owner.h"
#include "pg/plan_cache.h"

#define TOKEN_BYTES 32
#define USE_INTERVAL_MS 60000	/* between two notes of one token's use */
#define USES_MAX 1024			/* tokens whose last note a backend remembers */

/* Columns, from 0, in the order of 51_clients.sql. */
enum
{
	CLIENT_TENANT, CLIENT_NAME, CLIENT_ROLE_NAME, CLIENT_ROLE_OID, CLIENT_PROFILE, CLIENT_ENABLED
};

enum
{
	TOKEN_TENANT, TOKEN_CLIENT, TOKEN_LAST_FOUR, TOKEN_DIGEST, TOKEN_EXPIRES_AT, TOKEN_REVOKED_AT,
	TOKEN_ISSUER_NAME, TOKEN_ISSUER_OID
};

PG_FUNCTION_INFO_V1(scim_audit_draw_token);
PG_FUNCTION_INFO_V1(scim_audit_client_role_problem);
PG_FUNCTION_INFO_V1(scim_audit_acting_role);
PG_FUNCTION_INFO_V1(scim_audit_manages_clients);
PG_FUNCTION_INFO_V1(scim_audit_log_client);

const char *
scim_audit_token_answer_name(ScimAuditTokenAnswer answer)
{
	static const char *const names[] = {
		[SCIM_TOKEN_GOOD] = "good",
		[SCIM_TOKEN_MISSING] = "missing",
		[SCIM_TOKEN_NOT_BEARER] = "not_bearer",
		[SCIM_TOKEN_UNKNOWN] = "unknown",
		[SCIM_TOKEN_WRONG_TENANT] = "wrong_tenant",
		[SCIM_TOKEN_REVOKED] = "revoked",
		[SCIM_TOKEN_EXPIRED] = "expired",
		[SCIM_TOKEN_DISABLED] = "disabled",
		[SCIM_TOKEN_ROLE] = "role"
	};

	return names[answer];
}

/* ---- a token judged ---- */

/* What comes after "Bearer" and spaces; absent where the scheme is another. */
static ScimStr
bearer(ScimStr authorization)
{
	ScimStr		rest = authorization;

	if (rest.len < 7 || !scim_name_is((ScimStr) {rest.ptr, 6}, "Bearer") || rest.ptr[6] != ' ')
		return SCIM_STR_NONE;
	rest = (ScimStr) {rest.ptr + 6, rest.len - 6};
	while (rest.len > 0 && rest.ptr[0] == ' ')
		rest = (ScimStr) {rest.ptr + 1, rest.len - 1};
	while (rest.len > 0 && rest.ptr[rest.len - 1] == ' ')
		rest.len--;
	return rest.len > 0 ? rest : SCIM_STR_NONE;
}

/* A row of one of the two tables, as a copy in the current context. */
typedef struct Row
{
	Datum	   *values;
	bool	   *nulls;
} Row;

/* The one row an index finds by its keys; false: there is none. */
static bool
find_row(const char *table, const char *index, ScanKey keys, int n_keys, Row *row)
{
	Oid			schema = get_namespace_oid("scim", false);
	Relation	rel = table_open(get_relname_relid(table, schema), AccessShareLock);
	SysScanDesc scan = systable_beginscan(rel, get_relname_relid(index, schema), true, NULL, n_keys, keys);
	HeapTuple	tuple = systable_getnext(scan);
	TupleDesc	desc = RelationGetDescr(rel);
	bool		found = HeapTupleIsValid(tuple);

	if (found)
	{
		row->values = palloc(desc->natts * sizeof(Datum));
		row->nulls = palloc(desc->natts * sizeof(bool));
		heap_deform_tuple(heap_copytuple(tuple), desc, row->values, row->nulls);
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return found;
}

static char *
text_column(const Row *row, int number)
{
	return TextDatumGetCString(row->values[number]);
}

/* Has the time of a column come?  Null never does. */
static bool
time_passed(const Row *row, int number)
{
	return !row->nulls[number] && DatumGetTimestampTz(row->values[number]) <= GetCurrentTimestamp();
}

/* In a time that does not depend on where they differ. */
static bool
same_digest(const uint8_t *a, const uint8_t *b)
{
	volatile uint8_t difference = 0;
	int			i;

	for (i = 0; i < SCIM_HASH_SIZE; i++)
		difference |= a[i] ^ b[i];
	return difference == 0;
}

static bool
find_token(const uint8_t *digest, Row *row)
{
	bytea	   *key = palloc(VARHDRSZ + SCIM_HASH_SIZE);
	ScanKeyData scan_key;

	SET_VARSIZE(key, VARHDRSZ + SCIM_HASH_SIZE);
	memcpy(VARDATA(key), digest, SCIM_HASH_SIZE);
	ScanKeyInit(&scan_key, TOKEN_DIGEST + 1, BTEqualStrategyNumber, F_BYTEAEQ, PointerGetDatum(key));
	return find_row("client_tokens", "client_tokens_digest_key", &scan_key, 1, row) &&
		same_digest(digest, (uint8_t *) VARDATA_ANY(DatumGetByteaPP(row->values[TOKEN_DIGEST])));
}

static bool
find_client(const char *tenant, const char *name, Row *row)
{
	ScanKeyData keys[2];

	ScanKeyInit(&keys[0], CLIENT_TENANT + 1, BTEqualStrategyNumber, F_TEXTEQ, CStringGetTextDatum(tenant));
	ScanKeyInit(&keys[1], CLIENT_NAME + 1, BTEqualStrategyNumber, F_TEXTEQ, CStringGetTextDatum(name));
	return find_row("clients", "clients_pkey", keys, 2, row);
}

/* Does a role still have the oid and the name that are stored? */
static bool
role_is_same(const Row *row, int name_column, int oid_column, Oid *role)
{
	Name		name = DatumGetName(row->values[name_column]);
	char	   *now;

	*role = DatumGetObjectId(row->values[oid_column]);
	now = GetUserNameFromId(*role, true);
	return now != NULL && strcmp(now, NameStr(*name)) == 0;
}

/*
 * Why a role may not serve a client whose token issuer gave out; NULL: it may.
 * A client never has what no duty gives, and never more than who let it in.
 */
static const char *
role_problem(Oid role, Oid issuer)
{
	HeapTuple	tuple = SearchSysCache1(AUTHOID, ObjectIdGetDatum(role));
	Form_pg_authid form;
	const char *problem = NULL;

	if (!HeapTupleIsValid(tuple))
		return "it does not exist";
	form = (Form_pg_authid) GETSTRUCT(tuple);
	if (form->rolsuper)
		problem = "it is a superuser";
	else if (form->rolbypassrls)
		problem = "it bypasses row-level security";
	else if (is_member_of_role_nosuper(role, scim_audit_table_owner("scim.clients")))
		problem = "it is, or is a member of, the owner of the extension";
	else if (!is_member_of_role(issuer, role))
		problem = "who issues the token is not a member of it";
	ReleaseSysCache(tuple);
	return problem;
}

/* The client of a token: is it enabled, and its role fit? */
static ScimAuditTokenAnswer
judge_client(const Row *token, ScimAuditClient *client)
{
	Row			row;
	Oid			issuer;

	if (!find_client(client->tenant, client->name, &row))
		return SCIM_TOKEN_UNKNOWN;
	client->profile = text_column(&row, CLIENT_PROFILE);
	if (!DatumGetBool(row.values[CLIENT_ENABLED]))
		return SCIM_TOKEN_DISABLED;
	if (!role_is_same(&row, CLIENT_ROLE_NAME, CLIENT_ROLE_OID, &client->role) ||
		!role_is_same(token, TOKEN_ISSUER_NAME, TOKEN_ISSUER_OID, &issuer) ||
		role_problem(client->role, issuer) != NULL)
		return SCIM_TOKEN_ROLE;
	return SCIM_TOKEN_GOOD;
}

static bool
looks_like_token(ScimStr text)
{
	return text.len == SCIM_TOKEN_LENGTH &&
		strncmp(text.ptr, SCIM_TOKEN_PREFIX, strlen(SCIM_TOKEN_PREFIX)) == 0 &&
		scim_utf8_valid(text.ptr + SCIM_TOKEN_LENGTH - 4, 4);
}

ScimAuditTokenAnswer
scim_audit_client_find(ScimStr authorization, ScimStr tenant, ScimAuditClient *client)
{
	ScimStr		token = bearer(authorization);
	Row			row;

	memset(client, 0, sizeof(*client));
	if (authorization.ptr == NULL || authorization.len == 0)
		return SCIM_TOKEN_MISSING;
	if (token.ptr == NULL)
		return SCIM_TOKEN_NOT_BEARER;

	/* Any other text is not repeated: it may be a secret of another kind. */
	if (looks_like_token(token))
		memcpy(client->last_four, token.ptr + token.len - 4, 4);
	scim_audit_sha256(&token, 1, client->digest);
	if (!find_token(client->digest, &row))
		return SCIM_TOKEN_UNKNOWN;
	client->tenant = text_column(&row, TOKEN_TENANT);
	client->name = text_column(&row, TOKEN_CLIENT);
	if (!scim_str_equal(tenant, (ScimStr) {client->tenant, strlen(client->tenant)}))
		return SCIM_TOKEN_WRONG_TENANT;
	if (time_passed(&row, TOKEN_REVOKED_AT))
		return SCIM_TOKEN_REVOKED;
	if (time_passed(&row, TOKEN_EXPIRES_AT))
		return SCIM_TOKEN_EXPIRED;
	return judge_client(&row, client);
}

bool
scim_audit_client_by_name(const char *tenant, const char *name, ScimAuditClient *client)
{
	Row			row;

	memset(client, 0, sizeof(*client));
	if (!find_client(tenant, name, &row))
		return false;
	client->tenant = tenant;
	client->name = name;
	client->profile = text_column(&row, CLIENT_PROFILE);
	return role_is_same(&row, CLIENT_ROLE_NAME, CLIENT_ROLE_OID, &client->role) &&
		role_problem(client->role, client->role) == NULL;
}

bool
scim_audit_client_manager(const char *tenant)
{
	ScimAuditTenants tenants = scim_audit_duty_tenants(GetOuterUserId(), SCIM_DUTY_PROVISIONING_ADMIN);

	return scim_audit_tenants_have(&tenants, tenant) ||
		has_privs_of_role(GetOuterUserId(), scim_audit_table_owner("scim.clients"));
}

/* ---- its use noted ---- */

/*
 * Is a note due, as far as this backend knows?  Other backends note as well,
 * so the statement below asks again; this spares it most of the time.
 */
static bool
use_is_due(const ScimAuditClient *client)
{
	static HTAB *noted = NULL;
	struct
	{
		uint8_t		key[SCIM_HASH_SIZE];
		TimestampTz at;
	}		   *entry;
	TimestampTz now = GetCurrentTimestamp();
	bool		found;

	if (noted != NULL && hash_get_num_entries(noted) >= USES_MAX)
	{
		hash_destroy(noted);
		noted = NULL;
	}
	if (noted == NULL)
	{
		HASHCTL		control = {.keysize = SCIM_HASH_SIZE, .entrysize = sizeof(*entry)};

		noted = hash_create("scim_audit token uses", 16, &control, HASH_ELEM | HASH_BLOBS);
	}
	entry = hash_search(noted, client->digest, HASH_ENTER, &found);
	if (found && !TimestampDifferenceExceeds(entry->at, now, USE_INTERVAL_MS))
		return false;
	entry->at = now;
	return true;
}

void
scim_audit_client_used(const ScimAuditClient *client, ScimStr address, int status)
{
	static const char *const note =
		"UPDATE scim.client_uses SET last_used = pg_catalog.clock_timestamp(), address = $4, status = $5"
		" WHERE ctid OPERATOR(pg_catalog.=) (SELECT u.ctid FROM scim.client_uses u"
		" WHERE u.tenant OPERATOR(pg_catalog.=) $1 AND u.client OPERATOR(pg_catalog.=) $2"
		" AND u.last_four OPERATOR(pg_catalog.=) $3 AND (u.last_used IS NULL OR u.last_used OPERATOR(pg_catalog.<)"
		" (pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) '1 minute'::pg_catalog.interval))"
		" FOR UPDATE SKIP LOCKED)";
	static const Oid types[5] = {TEXTOID, TEXTOID, TEXTOID, TEXTOID, INT4OID};
	bool		has_address = address.ptr != NULL && address.len > 0;
	char		nulls[5] = {' ', ' ', ' ', has_address ? ' ' : 'n', ' '};
	Datum		values[5];
	ScimAuditUser user;

	if (RecoveryInProgress() || XactReadOnly || !use_is_due(client))
		return;
	values[0] = CStringGetTextDatum(client->tenant);
	values[1] = CStringGetTextDatum(client->name);
	values[2] = CStringGetTextDatum(client->last_four);
	values[3] = has_address ? PointerGetDatum(cstring_to_text_with_len(address.ptr, address.len)) : (Datum) 0;
	values[4] = Int32GetDatum(status);

	SPI_connect();
	user = scim_audit_become(scim_audit_table_owner("scim.client_uses"));
	if (SPI_execute_plan(scim_audit_plan(note, 5, types, true), values, nulls, false, 0) != SPI_OK_UPDATE)
		elog(ERROR, "could not note the use of a token");
	scim_audit_become_again(user);
	SPI_finish();
}

/* ---- for the SQL functions of 51_clients.sql ---- */

/* Base64url without padding (RFC 4648 section 5). */
static void
append_base64url(StringInfo out, const uint8_t *bytes, int len)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	uint32		bits = 0;
	int			n_bits = 0;
	int			i;

	for (i = 0; i < len; i++)
	{
		bits = bits << 8 | bytes[i];
		for (n_bits += 8; n_bits >= 6; n_bits -= 6)
			appendStringInfoChar(out, digits[bits >> (n_bits - 6) & 63]);
	}
	if (n_bits > 0)
		appendStringInfoChar(out, digits[bits << (6 - n_bits) & 63]);
}

/* scim.draw_token(OUT token text, OUT digest bytea, OUT last_four text): a new one. */
Datum
scim_audit_draw_token(PG_FUNCTION_ARGS)
{
	uint8_t		random[TOKEN_BYTES];
	StringInfoData token;
	ScimStr		text;
	bytea	   *digest = palloc(VARHDRSZ + SCIM_HASH_SIZE);
	TupleDesc	desc;
	Datum		values[3];
	bool		nulls[3] = {false, false, false};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "draw_token must return a row");
	scim_audit_random(random, sizeof(random));
	initStringInfo(&token);
	appendStringInfoString(&token, SCIM_TOKEN_PREFIX);
	append_base64url(&token, random, sizeof(random));
	explicit_bzero(random, sizeof(random));
	text = (ScimStr) {token.data, token.len};
	SET_VARSIZE(digest, VARHDRSZ + SCIM_HASH_SIZE);
	scim_audit_sha256(&text, 1, (uint8_t *) VARDATA(digest));

	values[0] = CStringGetTextDatum(token.data);
	values[1] = PointerGetDatum(digest);
	values[2] = CStringGetTextDatum(token.data + token.len - 4);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls));
}

/*
 * scim.client_role_problem(role regrole, issuer regrole, tenant text) RETURNS
 *		text: why the role cannot be a client's; null: it can.
 */
Datum
scim_audit_client_role_problem(PG_FUNCTION_ARGS)
{
	Oid			role = PG_GETARG_OID(0);
	const char *problem = role_problem(role, PG_GETARG_OID(1));
	ScimAuditTenants tenants;

	if (problem == NULL)
	{
		tenants = scim_audit_duty_tenants(role, SCIM_DUTY_PROVISIONING_ADMIN | SCIM_DUTY_READER);
		if (!scim_audit_tenants_have(&tenants, text_to_cstring(PG_GETARG_TEXT_PP(2))))
			problem = "it has neither the duty provisioning_admin nor reader for the tenant";
	}
	if (problem == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(problem));
}

/* scim.acting_role() RETURNS regrole: who calls, outside any SECURITY DEFINER function. */
Datum
scim_audit_acting_role(PG_FUNCTION_ARGS)
{
	PG_RETURN_OID(GetOuterUserId());
}

/* scim.manages_clients(tenant text) RETURNS boolean */
Datum
scim_audit_manages_clients(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(scim_audit_client_manager(text_to_cstring(PG_GETARG_TEXT_PP(0))));
}

/* scim.log_client(event_type text, action text, tenant text, client text, detail jsonb) RETURNS void */
Datum
scim_audit_log_client(PG_FUNCTION_ARGS)
{
	char	   *detail = OidOutputFunctionCall(F_JSONB_OUT, PG_GETARG_DATUM(4));

	scim_audit_log_simple("security", text_to_cstring(PG_GETARG_TEXT_PP(1)), text_to_cstring(PG_GETARG_TEXT_PP(0)),
						  text_to_cstring(PG_GETARG_TEXT_PP(2)), "Client", text_to_cstring(PG_GETARG_TEXT_PP(3)),
						  (ScimStr) {detail, strlen(detail)});
	PG_RETURN_VOID();
}
