/*
 * trigger.c
 *		The row trigger: one event per changed row (truncate.c has the other).
 *
 *	CREATE TRIGGER scim_audit_row AFTER INSERT OR UPDATE OR DELETE ON public.invoice
 *		FOR EACH ROW EXECUTE FUNCTION scim_audit.record_change(
 *			'tenant=customer', 'key=id', 'exclude=search_cache', 'redact=iban');
 *	CREATE TRIGGER scim_audit_truncate BEFORE TRUNCATE ON public.invoice
 *		FOR EACH STATEMENT EXECUTE FUNCTION scim_audit.record_truncate(
 *			'tenant=customer', 'key=id', 'exclude=search_cache', 'redact=iban');
 *	ALTER TABLE public.invoice ENABLE ALWAYS TRIGGER scim_audit_row;
 *	ALTER TABLE public.invoice ENABLE ALWAYS TRIGGER scim_audit_truncate;
 *
 * tracked.h says what the arguments mean.  An event's detail has `new` (the
 * whole row) after an INSERT, `old` (the whole row) after a DELETE, and after
 * an UPDATE both, with the columns that changed; null columns are left out.
 * Where the key is personal, and so stands as a digest in resource_id, `key`
 * and, when it changed, `key_before` are the plain ones.
 * Columns are compared byte by byte, not by an operator that may call two
 * different values equal.  An UPDATE that changed none but excluded columns
 * is no event.  `changed` is filled for updates only: for the others it is
 * all there is in detail.
 *
 * event_type of a resource's update:
 *	user.activate, user.deactivate			`active` changed, to true or to another
 *	user.role.add, user.role.remove			only `roles` changed, and has more or
 *	user.entitlement.add, ….remove			fewer values than before; as many:
 *	user.update								this, and all else
 */
#include "pg/compat.h"

#include "access/tableam.h"
#include "commands/trigger.h"
#include "executor/tuptable.h"
#include "fmgr.h"
#include "utils/datum.h"
#include "utils/jsonb.h"
#include "utils/rel.h"

#include "pg/guc.h"
#include "pg/json_text.h"
#include "pg/log.h"
#include "pg/tracked.h"
#include "pg/trigger.h"

PG_FUNCTION_INFO_V1(scim_audit_record_change);

/* The row before and after; absent ones are NULL. */
typedef struct Change
{
	const ScimAuditTable *table;
	TupleTableSlot *old;
	TupleTableSlot *new;
	bool	   *changed;		/* per column, for an update */
	int			n_changed;
} Change;

static void
check_call(FunctionCallInfo fcinfo)
{
	TriggerEvent event = CALLED_AS_TRIGGER(fcinfo) ? ((TriggerData *) fcinfo->context)->tg_event : 0;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(event) || !TRIGGER_FIRED_FOR_ROW(event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("scim_audit.record_change() must be called as a trigger, after each row")));
}

/* The same bytes?  A value that was not touched is often the same pointer to its TOAST table. */
static bool
same_value(const ScimAuditColumn *column, Datum a, Datum b)
{
	if (column->len == -1)
	{
		struct varlena *x = (struct varlena *) DatumGetPointer(a);
		struct varlena *y = (struct varlena *) DatumGetPointer(b);

		if (VARATT_IS_EXTERNAL_ONDISK(x) && VARATT_IS_EXTERNAL_ONDISK(y) &&
			memcmp(x, y, VARSIZE_EXTERNAL(x)) == 0)
			return true;
	}
	return datum_image_eq(a, b, column->by_value, column->len);
}

static void
find_changed(Change *change)
{
	const ScimAuditTable *table = change->table;

	change->changed = palloc0(table->n_columns * sizeof(bool));
	for (int i = 0; i < table->n_columns; i++)
	{
		bool		was_null = change->old->tts_isnull[i];
		bool		is_null = change->new->tts_isnull[i];

		if (table->columns[i].excluded || (was_null && is_null))
			continue;
		if (was_null == is_null &&
			same_value(&table->columns[i], change->old->tts_values[i], change->new->tts_values[i]))
			continue;
		change->changed[i] = true;
		change->n_changed++;
	}
}

/* Writing an event may run DDL, and that free the table's configuration. */
static ScimStr
copied(ScimStr name)
{
	return (ScimStr) {pnstrdup(name.ptr, name.len), name.len};
}

static ScimStr *
changed_names(const Change *change)
{
	ScimStr    *names = palloc(change->n_changed * sizeof(ScimStr));
	int			n = 0;

	for (int i = 0; i < change->table->n_columns; i++)
	{
		if (change->changed[i])
			names[n++] = copied(change->table->columns[i].name);
	}
	return names;
}

/* How many values a jsonb array has; none when the column is null. */
static int
array_length(TupleTableSlot *slot, int column)
{
	Jsonb	   *jsonb;

	if (slot->tts_isnull[column])
		return 0;
	jsonb = DatumGetJsonbP(slot->tts_values[column]);
	return JB_ROOT_IS_ARRAY(jsonb) && !JB_ROOT_IS_SCALAR(jsonb) ? JB_ROOT_COUNT(jsonb) : 0;
}

/* "add" or "remove" when column alone changed and its number of values with it, else NULL. */
static const char *
growth(const Change *change, int column)
{
	int			before,
				after;

	if (column < 0 || change->n_changed != 1 || !change->changed[column])
		return NULL;
	before = array_length(change->old, column);
	after = array_length(change->new, column);
	return after > before ? "add" : after < before ? "remove" : NULL;
}

/* What an update of a resource means, after its prefix. */
static const char *
update_meaning(const Change *change)
{
	const ScimAuditTable *table = change->table;
	const char *verb;

	if (table->active >= 0 && change->changed[table->active])
		return !change->new->tts_isnull[table->active] &&
			DatumGetBool(change->new->tts_values[table->active]) ? "activate" : "deactivate";
	if ((verb = growth(change, table->roles)) != NULL)
		return psprintf("role.%s", verb);
	if ((verb = growth(change, table->entitlements)) != NULL)
		return psprintf("entitlement.%s", verb);
	return "update";
}

static const char *
meaning(const Change *change)
{
	const ScimAuditTable *table = change->table;

	if (change->old == NULL)
		return !table->is_resource ? "insert" : table->is_link ? "add" : "create";
	if (change->new == NULL)
		return table->is_link ? "remove" : "delete";
	return table->is_resource && !table->is_link ? update_meaning(change) : "update";
}

/* displayName, or userName where there is none. */
static void
append_resource_name(StringInfo detail, const ScimAuditTable *table, TupleTableSlot *row)
{
	for (int i = 0; i < lengthof(table->names); i++)
	{
		int			column = table->names[i];

		if (column < 0 || row->tts_isnull[column] || table->columns[column].excluded ||
			table->columns[column].redacted)
			continue;
		appendStringInfoString(detail, "\"resource_name\":");
		scim_audit_value_json(detail, table->columns[column].type, row->tts_values[column]);
		appendStringInfoChar(detail, ',');
		return;
	}
}

/* The plain key, and where an update changed it the one before. */
static void
append_keys(StringInfo detail, const Change *change, TupleTableSlot *row)
{
	const ScimAuditTable *table = change->table;
	bool		changed = false;

	scim_audit_append_plain_key(detail, "key", table, row->tts_values, row->tts_isnull);
	for (int i = 0; change->changed != NULL && i < table->n_keys; i++)
		changed |= change->changed[table->keys[i]];
	if (changed)
		scim_audit_append_plain_key(detail, "key_before", table, change->old->tts_values,
									change->old->tts_isnull);
}

static ScimStr
change_detail(const Change *change, TupleTableSlot *row)
{
	StringInfoData detail;

	initStringInfo(&detail);
	appendStringInfoChar(&detail, '{');
	append_resource_name(&detail, change->table, row);
	append_keys(&detail, change, row);
	if (change->old != NULL)
	{
		appendStringInfoString(&detail, "\"old\":");
		scim_audit_row_json(&detail, change->table, change->old->tts_values,
							change->old->tts_isnull, change->changed);
	}
	if (change->new != NULL)
	{
		appendStringInfoString(&detail, change->old != NULL ? ",\"new\":" : "\"new\":");
		scim_audit_row_json(&detail, change->table, change->new->tts_values,
							change->new->tts_isnull, change->changed);
	}
	appendStringInfoChar(&detail, '}');
	return (ScimStr) {detail.data, detail.len};
}

static ScimStr
joined(ScimStr prefix, const char *text)
{
	size_t		len = strlen(text);
	char	   *result = palloc(prefix.len + len);

	memcpy(result, prefix.ptr, prefix.len);
	memcpy(result + prefix.len, text, len);
	return (ScimStr) {result, prefix.len + len};
}

static void
write_change(const Change *change)
{
	const ScimAuditTable *table = change->table;
	TupleTableSlot *row = change->new != NULL ? change->new : change->old;
	const char *action = change->old == NULL ? "insert" : change->new == NULL ? "delete" : "update";
	ScimEntry	entry = {
		.category = SCIM_STR("change"),
		.action = {action, strlen(action)},
		.event_type = joined(table->event_prefix, meaning(change)),
		.outcome = SCIM_STR("success"),
		.resource_type = copied(table->resource_type)
	};
	ScimStr		detail;
	int			nest_level = 0;

	if (change->changed != NULL)
	{
		entry.changed = changed_names(change);
		entry.n_changed = change->n_changed;
	}
	if (table->pinned)
		nest_level = scim_audit_pin_settings();
	if (table->tenant >= 0 && !row->tts_isnull[table->tenant])
		entry.tenant = scim_audit_value_text(table->columns[table->tenant].type,
											 row->tts_values[table->tenant]);
	entry.resource_id = scim_audit_row_key(table, row->tts_values, row->tts_isnull);
	detail = change_detail(change, row);
	if (table->pinned)
		scim_audit_unpin_settings(nest_level);
	scim_audit_log_write(&entry, detail);
}

void
scim_audit_write_delete(const ScimAuditTable *table, TupleTableSlot *row)
{
	Change		change = {.table = table, .old = row};

	slot_getallattrs(row);
	write_change(&change);
}

/* scim_audit.record_change() returns trigger */
Datum
scim_audit_record_change(PG_FUNCTION_ARGS)
{
	TriggerData *data = (TriggerData *) fcinfo->context;
	Change		change = {0};

	check_call(fcinfo);
	if (scim_audit_restoring())
		return PointerGetDatum(NULL);
	change.table = scim_audit_tracked(data->tg_relation, data->tg_trigger);
	if (TRIGGER_FIRED_BY_INSERT(data->tg_event))
		change.new = data->tg_trigslot;
	else
		change.old = data->tg_trigslot;
	if (TRIGGER_FIRED_BY_UPDATE(data->tg_event))
		change.new = data->tg_newslot;
	if (change.old != NULL)
		slot_getallattrs(change.old);
	if (change.new != NULL)
		slot_getallattrs(change.new);
	if (TRIGGER_FIRED_BY_UPDATE(data->tg_event))
	{
		find_changed(&change);
		if (change.n_changed == 0)
			return PointerGetDatum(NULL);
	}
	write_change(&change);
	return PointerGetDatum(NULL);
}
