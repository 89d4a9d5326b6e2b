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
#define SECRET_COLUMN 2

/* NULL when there is none. */
static bytea *
read_secret(void)
{
	Relation	secrets = table_open(scim_audit_log_table("secrets"), AccessShareLock);
	SysScanDesc scan = systable_beginscan(secrets, InvalidOid, false, NULL, 0, NULL);
	HeapTuple	tuple = systable_getnext(scan);
	bytea	   *secret = NULL;
	bool		isnull;

	if (HeapTupleIsValid(tuple))
		secret = DatumGetByteaPCopy(heap_getattr(tuple, SECRET_COLUMN, RelationGetDescr(secrets), &isnull));
	systable_endscan(scan);
	table_close(secrets, AccessShareLock);
	return secret;
}

ScimStr
scim_audit_key_digest(ScimStr key)
{
	bytea	   *secret = read_secret();
	uint8_t		hash[SCIM_HASH_SIZE];
	pg_hmac_ctx *hmac;
	bool		done;
	StringInfoData text;

	if (secret == NULL)
		return SCIM_STR_NONE;
	hmac = pg_hmac_create(PG_SHA256);
	done = hmac != NULL &&
		pg_hmac_init(hmac, (const uint8 *) VARDATA(secret), VARSIZE(secret) - VARHDRSZ) >= 0 &&
		pg_hmac_update(hmac, (const uint8 *) key.ptr, key.len) >= 0 &&
		pg_hmac_final(hmac, hash, sizeof hash) >= 0;
	pg_hmac_free(hmac);
	if (!done)
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not compute HMAC-SHA-256")));
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
