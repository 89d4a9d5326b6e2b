/*
 * key_digest.c
 *		Keys that identify a person, as a keyed digest (see key_digest.h).
 *
 * The secret is the row "personal_key" of scim_audit.secrets, which track()
 * makes when it first needs it.  Nobody has a privilege on that table, so it
 * is read here without SQL.
 */
#include "pg/compat.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "common/hmac.h"
#include "common/sha2.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/rel.h"

#include "core/entry.h"
#include "pg/event_store.h"
#include "pg/key_digest.h"

PG_FUNCTION_INFO_V1(scim_audit_key_digest_sql);

/* Columns of scim_audit.secrets. */
#define NAME_COLUMN 1
#define SECRET_COLUMN 2

/* NULL when there is none of that name. */
static bytea *
read_secret(const char *name)
{
	Relation	secrets = table_open(scim_audit_log_table("secrets"), AccessShareLock);
	SysScanDesc scan = systable_beginscan(secrets, InvalidOid, false, NULL, 0, NULL);
	HeapTuple	tuple;
	bytea	   *secret = NULL;
	bool		isnull;

	while (secret == NULL && HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Datum		found = heap_getattr(tuple, NAME_COLUMN, RelationGetDescr(secrets), &isnull);

		if (strcmp(TextDatumGetCString(found), name) == 0)
			secret = DatumGetByteaPCopy(heap_getattr(tuple, SECRET_COLUMN, RelationGetDescr(secrets), &isnull));
	}
	systable_endscan(scan);
	table_close(secrets, AccessShareLock);
	return secret;
}

bool
scim_audit_hmac(const char *name, ScimStr data, uint8_t hash[SCIM_HASH_SIZE])
{
	bytea	   *secret = read_secret(name);
	pg_hmac_ctx *hmac;
	bool		done;

	if (secret == NULL)
		return false;
	hmac = pg_hmac_create(PG_SHA256);
	done = hmac != NULL &&
		pg_hmac_init(hmac, (const uint8 *) VARDATA(secret), VARSIZE(secret) - VARHDRSZ) >= 0 &&
		pg_hmac_update(hmac, (const uint8 *) data.ptr, data.len) >= 0 &&
		pg_hmac_final(hmac, hash, SCIM_HASH_SIZE) >= 0;
	pg_hmac_free(hmac);
	if (!done)
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not compute HMAC-SHA-256")));
	return true;
}

ScimStr
scim_audit_key_digest(ScimStr key)
{
	uint8_t		hash[SCIM_HASH_SIZE];
	StringInfoData text;

	if (!scim_audit_hmac("personal_key", key, hash))
		return SCIM_STR_NONE;
	initStringInfo(&text);
	appendStringInfoString(&text, "hmac:");
	for (int i = 0; i < SCIM_HASH_SIZE; i++)
		appendStringInfo(&text, "%02x", hash[i]);
	return (ScimStr) {text.data, text.len};
}

/* scim_audit.key_digest(key text) RETURNS text */
Datum
scim_audit_key_digest_sql(PG_FUNCTION_ARGS)
{
	text	   *key = PG_GETARG_TEXT_PP(0);
	ScimStr		digest = scim_audit_key_digest((ScimStr) {VARDATA_ANY(key), VARSIZE_ANY_EXHDR(key)});

	if (digest.ptr == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text_with_len(digest.ptr, (int) digest.len));
}
