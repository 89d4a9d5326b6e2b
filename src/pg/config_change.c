/*
 * config_change.c
 *		Events that explain why what is audited has changed
 *		(docs/audit-log.md, section 5).
 *
 *	SELECT scim_audit.change_config();
 *	-- make, alter or drop triggers
 *	SELECT scim_audit.config_changed('untrack', 'table.untrack', 'public.invoice', NULL);
 *
 * The event's detail has the digests before and after (config_before,
 * config_after), by which a check can tell that nothing else changed with
 * what is explained, and for a reader the lines of the configuration that
 * went and came (config_removed, config_added; config_hash.h).
 *
 * One transaction at a time, until it has committed: each change then begins
 * where the one before it ended.
 */
#include "pg/compat.h"

#include "access/xact.h"
#include "catalog/pg_class.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/memutils.h"

#include "pg/config_hash.h"
#include "pg/event_store.h"
#include "pg/hash.h"
#include "pg/json_text.h"
#include "pg/log.h"

PG_FUNCTION_INFO_V1(scim_audit_change_config);
PG_FUNCTION_INFO_V1(scim_audit_config_changed);

/* The configuration when change_config was called, and in which transaction. */
static char *text_before;
static TransactionId changing;

/* scim_audit.change_config() RETURNS void */
Datum
scim_audit_change_config(PG_FUNCTION_ARGS)
{
	LOCKTAG		tag;

	SET_LOCKTAG_OBJECT(tag, MyDatabaseId, RelationRelationId, scim_audit_seals_oid(), 0);
	(void) LockAcquire(&tag, ExclusiveLock, false, false);
	AcceptInvalidationMessages();
	if (text_before != NULL)
		pfree(text_before);
	text_before = NULL;
	text_before = MemoryContextStrdup(TopMemoryContext, scim_audit_config_text());
	changing = GetTopTransactionId();
	PG_RETURN_VOID();
}

/* "name":"digest of text" */
static void
append_digest(StringInfo detail, const char *name, const char *text)
{
	ScimStr		piece = {text, strlen(text)};
	uint8_t		digest[SCIM_HASH_SIZE];

	scim_audit_sha256(&piece, 1, digest);
	appendStringInfo(detail, "\"%s\":\"", name);
	for (int i = 0; i < SCIM_HASH_SIZE; i++)
		appendStringInfo(detail, "%02x", digest[i]);
	appendStringInfoChar(detail, '"');
}

static int
compare_lines(const char *a, size_t a_len, const char *b, size_t b_len)
{
	int			order = memcmp(a, b, Min(a_len, b_len));

	return order != 0 ? order : (a_len > b_len) - (a_len < b_len);
}

/* ,"name":[the lines of text that other has not]; both are sorted. */
static void
append_lines(StringInfo detail, const char *name, const char *text, const char *other)
{
	bool		first = true;

	appendStringInfo(detail, ",\"%s\":[", name);
	while (*text != '\0')
	{
		size_t		len = strcspn(text, "\n");
		size_t		other_len = strcspn(other, "\n");
		int			order = *other == '\0' ? -1 : compare_lines(text, len, other, other_len);

		if (order < 0)
		{
			appendStringInfoString(detail, first ? "" : ",");
			scim_audit_json_string(detail, text, len);
			first = false;
		}
		if (order <= 0)
			text += len + 1;
		if (order >= 0)
			other += other_len + 1;
	}
	appendStringInfoChar(detail, ']');
}

static const char *
text_argument(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(n));
}

/*
 * scim_audit.config_changed(action text, event_type text, resource_type text, detail json)
 *		RETURNS void: an event of category admin; detail is null, or an object with members
 *		and no space around it
 */
Datum
scim_audit_config_changed(PG_FUNCTION_ARGS)
{
	const char *given = text_argument(fcinfo, 3);
	StringInfoData detail;
	char	   *text_after;

	if (text_before == NULL || changing != GetTopTransactionId())
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("scim_audit.change_config() must be called first")));
	text_after = scim_audit_config_text();
	initStringInfo(&detail);
	appendStringInfoChar(&detail, '{');
	if (given != NULL)
		appendStringInfo(&detail, "%.*s,", (int) strlen(given) - 2, given + 1);
	append_digest(&detail, "config_before", text_before);
	appendStringInfoChar(&detail, ',');
	append_digest(&detail, "config_after", text_after);
	append_lines(&detail, "config_removed", text_before, text_after);
	append_lines(&detail, "config_added", text_after, text_before);
	appendStringInfoChar(&detail, '}');
	pfree(text_before);
	text_before = NULL;
	scim_audit_log_simple("admin", text_argument(fcinfo, 0), text_argument(fcinfo, 1), NULL,
						  text_argument(fcinfo, 2), NULL, (ScimStr) {detail.data, detail.len});
	PG_RETURN_VOID();
}
