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
 *
 * DDL that the audit follows (schema_change.c) is known to have changed
 * something only when it is done.  change_config_from() begins then, and says
 * which lines of the configuration were others before.
 */
#include "pg/compat.h"

#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/memutils.h"

#include "pg/config_hash.h"
#include "pg/event_store.h"
#include "pg/hash.h"
#include "pg/json_text.h"
#include "pg/log.h"

PG_FUNCTION_INFO_V1(scim_audit_change_config);
PG_FUNCTION_INFO_V1(scim_audit_change_config_from);
PG_FUNCTION_INFO_V1(scim_audit_config_changed);
PG_FUNCTION_INFO_V1(scim_audit_config_lines);

/* The configuration when change_config was called, and in which transaction. */
static char *text_before;
static TransactionId changing;

static void
lock_config(void)
{
	LOCKTAG		tag;

	SET_LOCKTAG_OBJECT(tag, MyDatabaseId, RelationRelationId, scim_audit_seals_oid(), 0);
	(void) LockAcquire(&tag, ExclusiveLock, false, false);
	AcceptInvalidationMessages();
}

static void
remember_before(const char *text)
{
	if (text_before != NULL)
		pfree(text_before);
	text_before = NULL;
	text_before = MemoryContextStrdup(TopMemoryContext, text);
	changing = GetTopTransactionId();
}

/* scim_audit.change_config() RETURNS void */
Datum
scim_audit_change_config(PG_FUNCTION_ARGS)
{
	lock_config();
	remember_before(scim_audit_config_text());
	PG_RETURN_VOID();
}

/* The strings of a text array. */
static List *
array_strings(ArrayType *array)
{
	List	   *strings = NIL;
	Datum	   *values;
	int			n;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &values, NULL, &n);
	for (int i = 0; i < n; i++)
		strings = lappend(strings, TextDatumGetCString(values[i]));
	return strings;
}

/* Remove one that equals the string; false when there is none. */
static bool
remove_string(List **strings, const char *string)
{
	ListCell   *cell;

	foreach(cell, *strings)
	{
		if (strcmp(lfirst(cell), string) != 0)
			continue;
		*strings = foreach_delete_current(*strings, cell);
		return true;
	}
	return false;
}

static int
compare_strings(const ListCell *a, const ListCell *b)
{
	return strcmp(lfirst(a), lfirst(b));
}

/*
 * scim_audit.change_config_from(before text[], after text[]) RETURNS void: as change_config()
 * would have begun when there were the lines of before in place of those of after
 */
Datum
scim_audit_change_config_from(PG_FUNCTION_ARGS)
{
	List	   *lines = array_strings(PG_GETARG_ARRAYTYPE_P(0));
	List	   *after = array_strings(PG_GETARG_ARRAYTYPE_P(1));
	StringInfoData text;
	ListCell   *cell;
	char	   *now;

	lock_config();
	now = scim_audit_config_text();
	while (*now != '\0')
	{
		size_t		len = strcspn(now, "\n");
		char	   *line = pnstrdup(now, len);

		if (!remove_string(&after, line))
			lines = lappend(lines, line);
		now += len + 1;
	}
	list_sort(lines, compare_strings);
	initStringInfo(&text);
	foreach(cell, lines)
		appendStringInfo(&text, "%s\n", (char *) lfirst(cell));
	remember_before(text.data);
	PG_RETURN_VOID();
}

/* scim_audit.config_lines(tbl oid) RETURNS text[]: the lines of the configuration about a table */
Datum
scim_audit_config_lines(PG_FUNCTION_ARGS)
{
	List	   *lines = scim_audit_config_table_lines(PG_GETARG_OID(0));
	Datum	   *values = palloc(Max(list_length(lines), 1) * sizeof(Datum));
	int			n = 0;
	ListCell   *cell;

	foreach(cell, lines)
		values[n++] = CStringGetTextDatum(lfirst(cell));
	PG_RETURN_ARRAYTYPE_P(construct_array(values, n, TEXTOID, -1, false, TYPALIGN_INT));
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
