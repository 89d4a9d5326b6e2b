/*
 * tracked.c
 *		How a table is audited: the arguments of its trigger, resolved (see
 *		tracked.h).
 *
 * Resolved configurations are kept by trigger, each in a memory context of
 * its own.  A change of the relation only marks them, for one may be in use;
 * they are freed when the next is made.
 */
#include "pg/compat.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/partition.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/formatting.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#include "core/registry.h"
#include "pg/json_text.h"
#include "pg/key_digest.h"
#include "pg/schema_registry.h"
#include "pg/tracked.h"

PG_FUNCTION_INFO_V1(scim_audit_row_values);

typedef struct CacheEntry
{
	Oid			trigger;		/* hash key */
	ScimAuditTable *table;
} CacheEntry;

static HTAB *cache;

static void
forget_relation(Datum arg, Oid relid)
{
	HASH_SEQ_STATUS scan;
	CacheEntry *entry;

	hash_seq_init(&scan, cache);
	while ((entry = hash_seq_search(&scan)) != NULL)
	{
		if (relid == InvalidOid || relid == entry->table->relation)
			entry->table->valid = false;
	}
}

/* A schema may have a new name, and resource types are schema.table. */
static void
forget_schemas(Datum arg, int cacheid, uint32 hashvalue)
{
	forget_relation(arg, InvalidOid);
}

/* Free what was forgotten: tables altered or dropped. */
static void
sweep(void)
{
	HASH_SEQ_STATUS scan;
	CacheEntry *entry;

	hash_seq_init(&scan, cache);
	while ((entry = hash_seq_search(&scan)) != NULL)
	{
		if (entry->table->valid)
			continue;
		MemoryContextDelete(entry->table->context);
		hash_search(cache, &entry->trigger, HASH_REMOVE, NULL);
	}
}

void
scim_audit_tracked_init(void)
{
	HASHCTL		control = {.keysize = sizeof(Oid), .entrysize = sizeof(CacheEntry)};

	cache = hash_create("audited tables", 32, &control, HASH_ELEM | HASH_BLOBS);
	CacheRegisterRelcacheCallback(forget_relation, (Datum) 0);
	CacheRegisterSyscacheCallback(NAMESPACEOID, forget_schemas, (Datum) 0);
}

static ScimStr
str(const char *text)
{
	return (ScimStr) {text, strlen(text)};
}

static bool
is_name(ScimStr a, const char *b)
{
	return a.len == strlen(b) && memcmp(a.ptr, b, a.len) == 0;
}

/* Value of an argument name=value; NULL when it is another. */
static const char *
argument(const char *arg, const char *name)
{
	size_t		len = strlen(name);

	return strncmp(arg, name, len) == 0 && arg[len] == '=' ? arg + len + 1 : NULL;
}

static const char *
find_argument(const Trigger *trigger, const char *name)
{
	for (int i = 0; i < trigger->tgnargs; i++)
	{
		const char *value = argument(trigger->tgargs[i], name);

		if (value != NULL)
			return value;
	}
	return NULL;
}

/* Index of a column by name, -1 when there is none. */
static int
find_column(Relation relation, const char *name)
{
	TupleDesc	desc = RelationGetDescr(relation);

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attr = TupleDescAttr(desc, i);

		if (!attr->attisdropped && strcmp(NameStr(attr->attname), name) == 0)
			return i;
	}
	return -1;
}

static int
require_column(Relation relation, const Trigger *trigger, const char *name)
{
	int			column = find_column(relation, name);

	if (column < 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" of relation \"%s\" does not exist",
						name, RelationGetRelationName(relation)),
				 errdetail("Trigger \"%s\" names it.", trigger->tgname),
				 errhint("scim_audit.track() puts the table as it is now under audit, scim_audit.untrack() takes it out.")));
	return column;
}

static const ScimResourceType *
resource_type(const Trigger *trigger)
{
	const char *name = find_argument(trigger, "resource");
	const ScimResourceType *type;

	if (name == NULL)
		return NULL;
	type = scim_registry_type_by_name(scim_audit_registry(), name);
	if (type == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("SCIM resource type \"%s\" does not exist", name),
				 errdetail("Trigger \"%s\" names it.", trigger->tgname)));
	return type;
}

static const ScimLink *
resource_link(const ScimResourceType *type, const Trigger *trigger)
{
	const char *name = find_argument(trigger, "link");

	if (name == NULL)
		return NULL;
	for (size_t i = 0; type != NULL && i < type->n_links; i++)
	{
		if (strcmp(type->links[i].attr->name, name) == 0)
			return &type->links[i];
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("\"%s\" is not an attribute kept as rows of a table", name),
			 errdetail("Trigger \"%s\" names it.", trigger->tgname)));
}

/* What a resource's column keeps; NULL for one the registry does not know. */
static const ScimColumn *
registry_column(const ScimResourceType *type, const char *name)
{
	for (size_t i = 0; i < type->n_columns; i++)
	{
		const ScimColumn *column = &type->columns[i];

		if (column->store != SCIM_STORE_EXPRESSION && scim_sql_name_is(column->name, name))
			return column;
	}
	return NULL;
}

static char *
lower_case(const char *text)
{
	return asc_tolower(text, strlen(text));
}

/* One value of a multi-valued attribute: members, member. */
static char *
singular(const char *plural)
{
	size_t		len = strlen(plural);

	return pnstrdup(plural, len > 1 && plural[len - 1] == 's' ? len - 1 : len);
}

/* The column's name in the log. */
static const char *
log_name(const ScimResourceType *type, const ScimLink *link, const char *column)
{
	const ScimColumn *known;

	if (link != NULL)
	{
		if (strcmp(column, link->owner) == 0)
			return lower_case(type->name);
		if (strcmp(column, link->value) == 0)
			return singular(link->attr->name);
		if (link->type != NULL && strcmp(column, link->type) == 0)
			return "type";
		return column;
	}
	known = type != NULL ? registry_column(type, column) : NULL;
	return known != NULL && known->path != NULL ? known->path : column;
}

static bool
is_secret(const ScimResourceType *type, const char *column)
{
	const ScimColumn *known = type != NULL ? registry_column(type, column) : NULL;

	return known != NULL &&
		(known->store == SCIM_STORE_SECRETS || (known->attr != NULL && scim_attribute_secret(known->attr)) ||
		 (known->sub != NULL && scim_attribute_secret(known->sub)));
}

static void
resolve_column(ScimAuditTable *table, ScimAuditColumn *column, Form_pg_attribute attr,
			   const ScimResourceType *type, const ScimLink *link)
{
	StringInfoData member;

	if (attr->attisdropped)
	{
		column->excluded = true;
		return;
	}
#ifdef ATTRIBUTE_GENERATED_VIRTUAL
	if (attr->attgenerated == ATTRIBUTE_GENERATED_VIRTUAL)
	{
		column->excluded = true;
		return;
	}
#endif
	column->name = str(pstrdup(log_name(type, link, NameStr(attr->attname))));
	initStringInfo(&member);
	scim_audit_json_string(&member, column->name.ptr, column->name.len);
	appendStringInfoChar(&member, ':');
	column->member = (ScimStr) {member.data, member.len};
	column->redacted = link == NULL && is_secret(type, NameStr(attr->attname));
	column->len = attr->attlen;
	column->by_value = attr->attbyval;
	column->type = scim_audit_type_make(attr->atttypid, table->context);
}

/* Columns of the primary key, in its order. */
static void
primary_key(ScimAuditTable *table, Relation relation)
{
	HeapTuple	tuple;
	Form_pg_index index;

	list_free(RelationGetIndexList(relation));
	if (!OidIsValid(relation->rd_pkindex))
		return;
	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(relation->rd_pkindex));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for index %u", relation->rd_pkindex);
	index = (Form_pg_index) GETSTRUCT(tuple);
	for (int i = 0; i < index->indnkeyatts; i++)
		table->keys[table->n_keys++] = index->indkey.values[i] - 1;
	ReleaseSysCache(tuple);
}

static void
resolve_arguments(ScimAuditTable *table, Relation relation, const Trigger *trigger)
{
	for (int i = 0; i < trigger->tgnargs; i++)
	{
		const char *arg = trigger->tgargs[i];
		const char *value;

		if ((value = argument(arg, "tenant")) != NULL)
			table->tenant = require_column(relation, trigger, value);
		else if ((value = argument(arg, "key")) != NULL)
			table->keys[table->n_keys++] = require_column(relation, trigger, value);
		else if ((value = argument(arg, "exclude")) != NULL)
			table->columns[require_column(relation, trigger, value)].excluded = true;
		else if ((value = argument(arg, "redact")) != NULL)
			table->columns[require_column(relation, trigger, value)].redacted = true;
		else if (argument(arg, "personal") != NULL)
			table->personal = true;
		else if (argument(arg, "resource") == NULL && argument(arg, "link") == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("argument \"%s\" of trigger \"%s\" is not known", arg, trigger->tgname),
					 errhint("Arguments are resource=, link=, tenant=, key=, exclude=, redact= and personal=.")));
	}
	if (table->n_keys == 0)
		primary_key(table, relation);
}

/* Column that keeps a top-level attribute of the resource, -1 when none does. */
static int
attribute_column(const ScimAuditTable *table, const char *path)
{
	for (int i = 0; i < table->n_columns; i++)
	{
		if (table->columns[i].type != NULL && is_name(table->columns[i].name, path))
			return i;
	}
	return -1;
}

static void
resolve_resource(ScimAuditTable *table, const ScimResourceType *type, const ScimLink *link)
{
	bool		plain = type != NULL && link == NULL;

	table->is_resource = type != NULL;
	table->is_link = link != NULL;
	table->active = plain ? attribute_column(table, "active") : -1;
	table->roles = plain ? attribute_column(table, "roles") : -1;
	table->entitlements = plain ? attribute_column(table, "entitlements") : -1;
	table->names[0] = plain ? attribute_column(table, "displayName") : -1;
	table->names[1] = plain ? attribute_column(table, "userName") : -1;
	if (type == NULL)
		table->event_prefix = SCIM_STR("table.");
	else if (link == NULL)
		table->event_prefix = str(psprintf("%s.", lower_case(type->name)));
	else
		table->event_prefix = str(psprintf("%s.%s.", lower_case(type->name), singular(link->attr->name)));
}

/* The key of a link's event is the resource, not the membership. */
static void
key_is_owner(ScimAuditTable *table, Relation relation, const Trigger *trigger, const ScimLink *link)
{
	table->n_keys = 0;
	table->keys[table->n_keys++] = require_column(relation, trigger, link->owner);
}

/* schema.table; a partition's rows are those of the table at the top. */
static ScimStr
table_name(Relation relation, const Trigger *trigger)
{
	Oid			oid = RelationGetRelid(relation);

	if (trigger->tgisclone)
		oid = llast_oid(get_partition_ancestors(oid));
	return str(psprintf("%s.%s", get_namespace_name(get_rel_namespace(oid)), get_rel_name(oid)));
}

static ScimAuditTable *
resolve(Relation relation, const Trigger *trigger)
{
	TupleDesc	desc = RelationGetDescr(relation);
	const ScimResourceType *type = resource_type(trigger);
	const ScimLink *link = resource_link(type, trigger);
	ScimAuditTable *table = palloc0(sizeof(ScimAuditTable));

	table->trigger = trigger->tgoid;
	table->relation = RelationGetRelid(relation);
	table->context = CurrentMemoryContext;
	table->tenant = -1;
	table->keys = palloc((trigger->tgnargs + desc->natts) * sizeof(int));
	table->n_columns = desc->natts;
	table->columns = palloc0(desc->natts * sizeof(ScimAuditColumn));
	for (int i = 0; i < desc->natts; i++)
		resolve_column(table, &table->columns[i], TupleDescAttr(desc, i), type, link);
	resolve_arguments(table, relation, trigger);
	if (link != NULL)
		key_is_owner(table, relation, trigger, link);
	resolve_resource(table, type, link);
	table->resource_type = type != NULL ? str(pstrdup(type->name)) :
		table_name(relation, trigger);
	for (int i = 0; i < table->n_columns; i++)
		table->pinned |= !table->columns[i].excluded &&
			scim_audit_type_pinned(table->columns[i].type);
	return table;
}

const ScimAuditTable *
scim_audit_tracked(Relation relation, const Trigger *trigger)
{
	CacheEntry *entry = hash_search(cache, &trigger->tgoid, HASH_FIND, NULL);
	MemoryContext caller;
	MemoryContext context;
	ScimAuditTable *table;

	if (entry != NULL && entry->table->valid)
		return entry->table;

	/* Under the caller's context, so that an error frees it, until it is complete. */
	context = AllocSetContextCreate(CurrentMemoryContext, "audited table", ALLOCSET_SMALL_SIZES);
	caller = MemoryContextSwitchTo(context);
	table = resolve(relation, trigger);
	MemoryContextSwitchTo(caller);

	sweep();
	entry = hash_search(cache, &trigger->tgoid, HASH_ENTER, NULL);
	entry->table = table;
	table->valid = true;
	MemoryContextSetParent(context, CacheMemoryContext);
	return table;
}

const Trigger *
scim_audit_row_trigger(Relation relation)
{
	Oid			schema = get_namespace_oid("scim_audit", true);

	for (int i = 0; relation->trigdesc != NULL && i < relation->trigdesc->numtriggers; i++)
	{
		const Trigger *trigger = &relation->trigdesc->triggers[i];

		if (TRIGGER_FOR_ROW(trigger->tgtype) &&
			get_func_namespace(trigger->tgfoid) == schema &&
			strcmp(get_func_name(trigger->tgfoid), "record_change") == 0)
			return trigger;
	}
	return NULL;
}

void
scim_audit_column_json(StringInfo out, const ScimAuditColumn *column, Datum value)
{
	appendBinaryStringInfo(out, column->member.ptr, (int) column->member.len);
	if (column->redacted)
		appendStringInfoString(out, "\"[redacted]\"");
	else
		scim_audit_value_json(out, column->type, value);
}

void
scim_audit_row_json(StringInfo out, const ScimAuditTable *table, const Datum *values,
					const bool *nulls, const bool *only)
{
	bool		first = true;

	appendStringInfoChar(out, '{');
	for (int i = 0; i < table->n_columns; i++)
	{
		const ScimAuditColumn *column = &table->columns[i];

		if (column->excluded || nulls[i] || (only != NULL && !only[i]))
			continue;
		if (!first)
			appendStringInfoChar(out, ',');
		first = false;
		scim_audit_column_json(out, column, values[i]);
	}
	appendStringInfoChar(out, '}');
}

static ScimStr
plain_key(const ScimAuditTable *table, const Datum *values, const bool *nulls)
{
	StringInfoData text;

	if (table->n_keys == 0)
		return SCIM_STR_NONE;
	if (table->n_keys == 1)
		return nulls[table->keys[0]] ? SCIM_STR_NONE :
			scim_audit_value_text(table->columns[table->keys[0]].type, values[table->keys[0]]);
	initStringInfo(&text);
	for (int i = 0; i < table->n_keys; i++)
	{
		int			column = table->keys[i];

		appendStringInfoChar(&text, i == 0 ? '[' : ',');
		if (nulls[column])
			appendStringInfoString(&text, "null");
		else
			scim_audit_value_json(&text, table->columns[column].type, values[column]);
	}
	appendStringInfoChar(&text, ']');
	return (ScimStr) {text.data, text.len};
}

ScimStr
scim_audit_row_key(const ScimAuditTable *table, const Datum *values, const bool *nulls)
{
	ScimStr		key = plain_key(table, values, nulls);

	if (!table->personal || key.ptr == NULL)
		return key;
	key = scim_audit_key_digest(key);
	if (key.ptr == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("there is no secret for the digests of personal keys"),
				 errdetail("Table scim_audit.secrets is empty."),
				 errhint("Restore its row from a dump, or call scim_audit.track() again to make a new one.")));
	return key;
}

void
scim_audit_append_plain_key(StringInfo out, const char *name, const ScimAuditTable *table,
							const Datum *values, const bool *nulls)
{
	ScimStr		key = table->personal ? plain_key(table, values, nulls) : SCIM_STR_NONE;

	if (key.ptr == NULL)
		return;
	appendStringInfo(out, "\"%s\":", name);
	scim_audit_json_string(out, key.ptr, key.len);
	appendStringInfoChar(out, ',');
}

/* The composite value as columns of the relation; an ERROR when it is of another type. */
static void
deform_record(HeapTupleHeader record, Relation relation, Datum *values, bool *nulls)
{
	HeapTupleData tuple = {
		.t_len = HeapTupleHeaderGetDatumLength(record),
		.t_data = record
	};

	if (HeapTupleHeaderGetTypeId(record) != RelationGetForm(relation)->reltype)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("the record is not a row of \"%s\"", RelationGetRelationName(relation))));
	ItemPointerSetInvalid(&tuple.t_self);
	heap_deform_tuple(&tuple, RelationGetDescr(relation), values, nulls);
}

/* scim_audit.row_values(tbl regclass, r record) returns json */
Datum
scim_audit_row_values(PG_FUNCTION_ARGS)
{
	Relation	relation = table_open(PG_GETARG_OID(0), AccessShareLock);
	int			natts = RelationGetDescr(relation)->natts;
	Datum	   *values = palloc(natts * sizeof(Datum));
	bool	   *nulls = palloc(natts * sizeof(bool));
	const Trigger *trigger = scim_audit_row_trigger(relation);
	const ScimAuditTable *table;
	StringInfoData out;
	int			nest_level = 0;

	if (trigger == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("\"%s\" is not an audited table", RelationGetRelationName(relation))));
	table = scim_audit_tracked(relation, trigger);
	deform_record(PG_GETARG_HEAPTUPLEHEADER(1), relation, values, nulls);
	initStringInfo(&out);
	if (table->pinned)
		nest_level = scim_audit_pin_settings();
	scim_audit_row_json(&out, table, values, nulls, NULL);
	if (table->pinned)
		scim_audit_unpin_settings(nest_level);
	table_close(relation, AccessShareLock);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}
