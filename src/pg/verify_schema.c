/*
 * verify_schema.c
 *		What an audited table was called, and its columns, when its events were
 *		written (see verify_schema.h).
 *
 * Events table.alter say how DDL changed a table: in detail, `was` is its
 * name before, `renamed` maps columns' names to new ones, `dropped` lists
 * columns that are gone, `added` has what older rows have in new columns.
 * They are followed back from the name that the table has now; resource_id,
 * which is indexed, is the name that the table had after.
 *
 * as_now() reads an older change as if the table had always been as it is:
 * what is gone is left out, what was renamed has its new name, and a row that
 * came (or went) before a column was there came (or went) with the value that
 * such rows have.
 */
#include "pg/compat.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "core/members.h"
#include "pg/json_text.h"
#include "pg/verify_schema.h"

PG_FUNCTION_INFO_V1(scim_audit_as_now);

/* An event table.alter. */
typedef struct Alteration
{
	bool		found;
	Datum		at;
	Datum		tx_id;
	int32		n;
	char	   *detail;
} Alteration;

static ScimStr
str(const char *text)
{
	return (ScimStr) {text, strlen(text)};
}

/* A JSON string as text; empty when it is something else. */
static char *
unescaped(ScimStr literal)
{
	char	   *text = palloc0(literal.len + 1);

	if (literal.len > 0 && literal.ptr[0] == '"')
		text[scim_member_unescape(literal, text)] = '\0';
	return text;
}

/* The last alteration of the table of that name before another one. */
static Alteration
alteration_before(const char *name, const Alteration *later)
{
	Oid			types[4] = {TEXTOID, TIMESTAMPTZOID, UUIDOID, INT4OID};
	Datum		values[4] = {CStringGetTextDatum(name), later->at, later->tx_id, Int32GetDatum(later->n)};
	const char *nulls = later->found ? "    " : " nnn";
	Alteration	alteration = {0};
	bool		isnull;

	if (SPI_execute_with_args("SELECT at, tx_id, n, detail FROM scim_audit.events"
							  " WHERE resource_id = $1 AND category = 'schema' AND event_type = 'table.alter' AND detail IS NOT NULL"
							  " AND ($2 IS NULL OR (at, tx_id, n) < ($2, $3, $4))"
							  " ORDER BY at DESC, tx_id DESC, n DESC LIMIT 1",
							  4, types, values, nulls, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not read scim_audit.events");
	if (SPI_processed == 1)
	{
		HeapTuple	row = SPI_tuptable->vals[0];
		TupleDesc	desc = SPI_tuptable->tupdesc;

		alteration.found = true;
		alteration.at = SPI_getbinval(row, desc, 1, &isnull);
		alteration.tx_id = datumCopy(SPI_getbinval(row, desc, 2, &isnull), false, UUID_LEN);
		alteration.n = DatumGetInt32(SPI_getbinval(row, desc, 3, &isnull));
		alteration.detail = TextDatumGetCString(SPI_getbinval(row, desc, 4, &isnull));
	}
	SPI_freetuptable(SPI_tuptable);
	return alteration;
}

/* What a column was called before an alteration. */
static char *
name_before(const char *column, const Alteration *alteration)
{
	ScimMembers members;
	ScimMember	member;

	scim_members_begin(&members, scim_member_value(str(alteration->detail), SCIM_STR("\"renamed\"")));
	while (scim_members_next(&members, &member))
	{
		if (strcmp(unescaped(member.value), column) == 0)
			return unescaped(member.name);
	}
	return pstrdup(column);
}

static void
append_bound(StringInfo out, const Alteration *alteration)
{
	if (!alteration->found)
		appendStringInfoString(out, ", NULL::timestamptz, NULL::uuid, NULL::integer");
	else
		/* As microseconds, for no setting shall read it otherwise. */
		appendStringInfo(out, ", '2000-01-01 00:00:00+00'::timestamptz + " INT64_FORMAT " * interval '1 microsecond', '%s'::uuid, %d",
						 DatumGetTimestampTz(alteration->at),
						 DatumGetCString(DirectFunctionCall1(uuid_out, alteration->tx_id)), alteration->n);
}

static void
append_epoch(StringInfo out, const ScimAuditTable *table, const char *alias, char **keys,
			 const Alteration *since, const Alteration *until, const char *alterations)
{
	const char *type = pnstrdup(table->resource_type.ptr, table->resource_type.len);
	const char *prefix = pnstrdup(table->event_prefix.ptr, table->event_prefix.len);

	appendStringInfo(out, "%s(%s, %s, %s, ARRAY[", out->len > 0 ? ", " : "", quote_literal_cstr(type),
					 table->is_link ? "true" : "false", quote_literal_cstr(prefix));
	for (int i = 0; i < table->n_keys; i++)
		appendStringInfo(out, "%s%s", i > 0 ? ", " : "", quote_literal_cstr(keys[i]));
	appendStringInfo(out, "]::text[], %s", quote_literal_cstr(table->is_resource ? type : alias));
	append_bound(out, since);
	append_bound(out, until);
	if (alterations[0] == '\0')
		appendStringInfoString(out, ", NULL::json[])");
	else
		appendStringInfo(out, ", ARRAY[%s]::json[])", alterations);
}

bool
scim_audit_was_altered(Oid relation)
{
	const Alteration none = {0};

	return alteration_before(psprintf("%s.%s", get_namespace_name(get_rel_namespace(relation)), get_rel_name(relation)), &none).found;
}

void
scim_audit_append_epochs(StringInfo out, Relation relation, const ScimAuditTable *table)
{
	char	   *name = psprintf("%s.%s", get_namespace_name(RelationGetNamespace(relation)),
								RelationGetRelationName(relation));
	char	  **keys = palloc(Max(table->n_keys, 1) * sizeof(char *));
	char	   *alterations = pstrdup("");
	Alteration	until = {0};

	for (int i = 0; i < table->n_keys; i++)
	{
		ScimStr		key = table->columns[table->keys[i]].name;

		keys[i] = pnstrdup(key.ptr, key.len);
	}
	for (;;)
	{
		Alteration	since = alteration_before(name, &until);
		ScimStr		was;

		append_epoch(out, table, name, keys, &since, &until, alterations);
		if (!since.found)
			return;
		alterations = psprintf("%s%s%s", quote_literal_cstr(since.detail), alterations[0] != '\0' ? ", " : "", alterations);
		for (int i = 0; i < table->n_keys; i++)
			keys[i] = name_before(keys[i], &since);
		was = scim_member_value(str(since.detail), SCIM_STR("\"was\""));
		if (was.ptr != NULL)
			name = unescaped(was);
		until = since;
	}
}

/* Does the array of strings have one that stands for this name? */
static bool
has_name(ScimStr array, const char *name)
{
	ScimMembers elements;
	ScimStr		value;

	scim_elements_begin(&elements, array);
	while (scim_elements_next(&elements, &value))
	{
		if (strcmp(unescaped(value), name) == 0)
			return true;
	}
	return false;
}

/* The column's name after an alteration; NULL when it is gone. */
static const char *
name_after(ScimStr alteration, const char *name)
{
	ScimMembers members;
	ScimMember	member;

	if (has_name(scim_member_value(alteration, SCIM_STR("\"dropped\"")), name))
		return NULL;
	scim_members_begin(&members, scim_member_value(alteration, SCIM_STR("\"renamed\"")));
	while (scim_members_next(&members, &member))
	{
		if (strcmp(unescaped(member.name), name) == 0)
			return unescaped(member.value);
	}
	return name;
}

/* Append a member of old or new as the alterations from the given one on have it. */
static void
append_member(StringInfo out, const ScimMember *member, const ScimStr *alterations, int from, int n)
{
	const char *name = unescaped(member->name);

	for (int i = from; i < n && name != NULL; i++)
		name = name_after(alterations[i], name);
	if (name == NULL)
		return;
	if (out->data[out->len - 1] != '{')
		appendStringInfoChar(out, ',');
	scim_audit_json_string(out, name, strlen(name));
	appendStringInfoChar(out, ':');
	appendBinaryStringInfo(out, member->value.ptr, (int) member->value.len);
}

/* Append an object, and if it is a whole row what it has in columns added later. */
static void
append_object(StringInfo out, ScimStr object, bool whole, const ScimStr *alterations, int n)
{
	ScimMembers members;
	ScimMember	member;

	appendStringInfoChar(out, '{');
	scim_members_begin(&members, object);
	while (scim_members_next(&members, &member))
		append_member(out, &member, alterations, 0, n);
	for (int i = 0; whole && i < n; i++)
	{
		scim_members_begin(&members, scim_member_value(alterations[i], SCIM_STR("\"added\"")));
		while (scim_members_next(&members, &member))
			append_member(out, &member, alterations, i + 1, n);
	}
	appendStringInfoChar(out, '}');
}

/* scim_audit.as_now(detail json, action text, alterations json[]) RETURNS json */
Datum
scim_audit_as_now(PG_FUNCTION_ARGS)
{
	struct varlena *json = PG_GETARG_VARLENA_PP(0);
	ScimStr		detail = {VARDATA_ANY(json), VARSIZE_ANY_EXHDR(json)};
	char	   *action = text_to_cstring(PG_GETARG_TEXT_PP(1));
	bool		whole = strcmp(action, "update") != 0;
	ScimStr		old = scim_member_value(detail, SCIM_STR("\"old\""));
	ScimStr		new = scim_member_value(detail, SCIM_STR("\"new\""));
	Datum	   *values;
	ScimStr    *alterations;
	int			n;
	StringInfoData out;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(2), JSONOID, -1, false, TYPALIGN_INT, &values, NULL, &n);
	alterations = palloc(Max(n, 1) * sizeof(ScimStr));
	for (int i = 0; i < n; i++)
		alterations[i] = (ScimStr) {VARDATA_ANY(DatumGetPointer(values[i])), VARSIZE_ANY_EXHDR(DatumGetPointer(values[i]))};
	initStringInfo(&out);
	appendStringInfoChar(&out, '{');
	if (old.ptr != NULL)
	{
		appendStringInfoString(&out, "\"old\":");
		append_object(&out, old, whole, alterations, n);
	}
	if (new.ptr != NULL)
	{
		appendStringInfoString(&out, old.ptr != NULL ? ",\"new\":" : "\"new\":");
		append_object(&out, new, whole, alterations, n);
	}
	appendStringInfoChar(&out, '}');
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}
