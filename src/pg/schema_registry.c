/*
 * schema_registry.c
 *		Schemas and resource types that a database registers (see
 *		schema_registry.h), and the functions that registering is made of
 *		(extension/53_registry.sql).
 *
 * Each backend keeps a registry that was read from scim.schemas,
 * scim.resource_types and scim.schema_extensions; where they are empty, it is
 * the built-in one.  A statement trigger on the three sends a relation-cache
 * invalidation with the commit, which has it read again, with a fresh snapshot
 * as tenants are (tenant.c).  What has been read is not freed while a request is
 * served: another one may be read in the middle of it.
 */
#include "pg/compat.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "lib/ilist.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "core/arena.h"
#include "core/json.h"
#include "core/sql_table.h"
#include "pg/exchange.h"
#include "pg/schema_registry.h"

PG_FUNCTION_INFO_V1(scim_audit_registry_changed);
PG_FUNCTION_INFO_V1(scim_audit_check_document);
PG_FUNCTION_INFO_V1(scim_audit_check_registry);
PG_FUNCTION_INFO_V1(scim_audit_table_storage);
PG_FUNCTION_INFO_V1(scim_audit_table_definition);
PG_FUNCTION_INFO_V1(scim_audit_index_definition);
PG_FUNCTION_INFO_V1(scim_audit_unique_paths);
PG_FUNCTION_INFO_V1(scim_audit_column_paths);
PG_FUNCTION_INFO_V1(scim_audit_core_schema);
PG_FUNCTION_INFO_V1(scim_audit_required_paths);
PG_FUNCTION_INFO_V1(scim_audit_check_table_owner);

/* Registries that were replaced while one was held. */
typedef struct Retired
{
	slist_node	node;
	ScimRegistry *registry;
} Retired;

enum
{
	SCHEMAS, RESOURCE_TYPES, SCHEMA_EXTENSIONS, N_TABLES
};

static const char *const table_names[N_TABLES] = {"schemas", "resource_types", "schema_extensions"};

/* What is read is whole when `loaded` is the number of changes seen; NULL: nothing is registered. */
static ScimRegistry *own = NULL;
static Oid	relids[N_TABLES];
static bool watching = false;
static uint64 changes = 1;
static uint64 loaded = 0;
static int	holders = 0;
static slist_head retired = SLIST_STATIC_INIT(retired);

static void
relation_changed(Datum arg, Oid relid)
{
	int			i;

	for (i = 0; i < N_TABLES; i++)
		if (relid == InvalidOid || relid == relids[i])
			changes++;
}

/* A registry being read, freed with its memory context should that fail. */
typedef struct Loading
{
	ScimRegistry *registry;
	bool		any;			/* is something registered? */
} Loading;

static void
free_loading(void *loading)
{
	scim_registry_free(((Loading *) loading)->registry);
}

static void
refused(const ScimError *err, const char *hint)
{
	if (err->status == SCIM_NO_MEMORY)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory")));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s", err->detail),
			 hint != NULL ? errhint("%s", hint) : 0));
}

/* A column as text; NULL for SQL null. */
static char *
text_column(HeapTuple tuple, TupleDesc desc, const char *name)
{
	return SPI_getvalue(tuple, desc, SPI_fnumber(desc, name));
}

static ScimStr
str(const char *text)
{
	return (ScimStr) {text, strlen(text)};
}

/* Take what a row says into the registry. */
static void
load_row(Loading *loading, int which, HeapTuple tuple, TupleDesc desc, bool storage)
{
	ScimError	err = {SCIM_OK};
	ScimStatus	status = SCIM_OK;
	char	   *text;

	loading->any = true;
	if (which == SCHEMA_EXTENSIONS)
		status = scim_registry_extend(loading->registry, text_column(tuple, desc, "resource_type"),
									  str(text_column(tuple, desc, "schema")),
									  strcmp(text_column(tuple, desc, "required"), "t") == 0, &err);
	else if (storage)
	{
		text = text_column(tuple, desc, "storage");
		if (text != NULL)
			status = scim_registry_store(loading->registry, text_column(tuple, desc, "name"), str(text), &err);
	}
	else
	{
		text = text_column(tuple, desc, "document");
		if (text != NULL)
			status = scim_registry_add(loading->registry, str(text), &err);
	}
	if (status != SCIM_OK)
		refused(&err, NULL);
}

/* In the order of the primary key, so that lists of schemas and resource types have one order. */
static void
load_table(Loading *loading, int which, bool storage)
{
	Relation	rel = table_open(relids[which], AccessShareLock);
	Oid			primary_key;
	Relation	index;
	SysScanDesc scan;
	HeapTuple	tuple;

	list_free(RelationGetIndexList(rel));
	primary_key = rel->rd_pkindex;
	index = index_open(primary_key, AccessShareLock);
	scan = systable_beginscan_ordered(rel, index, NULL, 0, NULL);
	while (HeapTupleIsValid(tuple = systable_getnext_ordered(scan, ForwardScanDirection)))
		load_row(loading, which, tuple, RelationGetDescr(rel), storage);
	systable_endscan_ordered(scan);
	index_close(index, AccessShareLock);
	table_close(rel, AccessShareLock);
}

/* Put another registry in the place of the one that is there. */
static void
replace_own(ScimRegistry *registry)
{
	Retired    *entry = NULL;

	if (own != NULL && holders > 0)
	{
		entry = malloc(sizeof(Retired));
		if (entry == NULL)
		{
			scim_registry_free(registry);
			ereport(ERROR,
					(errcode(ERRCODE_OUT_OF_MEMORY),
					 errmsg("out of memory")));
		}
		entry->registry = own;
		slist_push_head(&retired, &entry->node);
	}
	else
		scim_registry_free(own);
	own = registry;
}

/* Read all that is registered into a registry that goes with the current memory context. */
static Loading *
read_registry(void)
{
	Loading    *loading = palloc0(sizeof(Loading));
	MemoryContextCallback *callback = palloc0(sizeof(MemoryContextCallback));
	Oid			schema = get_namespace_oid("scim", false);
	int			i;

	for (i = 0; i < N_TABLES; i++)
		relids[i] = get_relname_relid(table_names[i], schema);
	callback->func = free_loading;
	callback->arg = loading;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);
	loading->registry = scim_registry_begin();
	if (loading->registry == NULL)
		scim_audit_checked(SCIM_NO_MEMORY);
	load_table(loading, SCHEMAS, false);
	load_table(loading, RESOURCE_TYPES, false);
	load_table(loading, SCHEMA_EXTENSIONS, false);
	load_table(loading, RESOURCE_TYPES, true);
	return loading;
}

/* An invalidation that arrives while we read counts as not seen. */
static void
refresh(void)
{
	MemoryContext context;
	MemoryContext old;
	Loading    *loading;
	ScimRegistry *registry = NULL;
	uint64		seen;

	if (!watching)
	{
		CacheRegisterRelcacheCallback(relation_changed, (Datum) 0);
		watching = true;
	}
	seen = changes;
	context = AllocSetContextCreate(CurrentMemoryContext, "scim_audit registry", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	loading = read_registry();
	MemoryContextSwitchTo(old);
	if (loading->any)
	{
		registry = loading->registry;
		loading->registry = NULL;
	}
	replace_own(registry);
	MemoryContextDelete(context);
	loaded = seen;
}

const ScimRegistry *
scim_audit_registry(void)
{
	const ScimRegistry *registry;

	if (loaded != changes)
		refresh();
	registry = own != NULL ? own : scim_registry_builtin();
	if (registry == NULL)
		scim_audit_checked(SCIM_NO_MEMORY);
	return registry;
}

void
scim_audit_registry_hold(void)
{
	holders++;
}

void
scim_audit_registry_release(void)
{
	if (--holders > 0)
		return;
	while (!slist_is_empty(&retired))
	{
		Retired    *entry = slist_container(Retired, node, slist_pop_head_node(&retired));

		scim_registry_free(entry->registry);
		free(entry);
	}
}

static ScimStr
text_argument(FunctionCallInfo fcinfo, int n)
{
	struct varlena *value = PG_GETARG_VARLENA_PP(n);

	return (ScimStr) {VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value)};
}

/* Trigger of the three tables. */
Datum
scim_audit_registry_changed(PG_FUNCTION_ARGS)
{
	TriggerData *data = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("scim.registry_changed() is a trigger function")));
	CacheInvalidateRelcache(data->tg_relation);
	PG_RETURN_POINTER(NULL);
}

/*
 * scim.check_document(document json, kind text) RETURNS text: the id of a schema, the name of a
 * resource type, which could be registered; an ERROR that says why it cannot.
 */
Datum
scim_audit_check_document(PG_FUNCTION_ARGS)
{
	ScimStr		document = text_argument(fcinfo, 0);
	char	   *kind = text_to_cstring(PG_GETARG_TEXT_PP(1));
	bool		is_schema = strcmp(kind, "schema") == 0;
	ScimArena  *arena = scim_audit_create_arena();
	ScimError	err = {SCIM_OK};
	ScimJson   *json;
	ScimStr		name;
	bool		has_attributes;
	bool		has_storage;

	if (scim_audit_checked(scim_json_parse(arena, document, &json, &err)) != SCIM_OK)
		refused(&err, NULL);
	scim_json_get(json, "attributes", &has_attributes);
	scim_json_get(json, "storage", &has_storage);
	if (has_attributes != is_schema)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg(is_schema ? "the document is no schema: it has no \"attributes\""
						: "the document is no resource type: it has \"attributes\""),
				 errhint("Schemas are described in RFC 7643 section 7, resource types in section 6.")));
	if (has_storage)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the document: unknown member \"storage\""),
				 errhint("scim.bind_table() says which table keeps a resource type.")));
	name = scim_json_str(scim_json_get(json, is_schema ? "id" : "name", NULL));

	if (scim_audit_checked(scim_registry_add(read_registry()->registry, document, &err)) != SCIM_OK)
		refused(&err, NULL);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(name.ptr, name.len));
}

/* scim.check_registry() RETURNS void: an ERROR when what is registered makes no sense together. */
Datum
scim_audit_check_registry(PG_FUNCTION_ARGS)
{
	scim_audit_registry();
	PG_RETURN_VOID();
}

static const ScimResourceType *
named_type(FunctionCallInfo fcinfo)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	const ScimResourceType *type = scim_registry_type_by_name(scim_audit_registry(), name);

	if (type == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("there is no resource type \"%s\"", name)));
	return type;
}

static Datum
text_datum(ScimStr value)
{
	return PointerGetDatum(cstring_to_text_with_len(value.ptr, value.len));
}

/* scim.table_storage(resource_type text) RETURNS text: the storage description of a table made for it */
Datum
scim_audit_table_storage(PG_FUNCTION_ARGS)
{
	ScimStr		storage;

	scim_audit_checked(scim_table_storage(scim_audit_create_arena(), named_type(fcinfo), &storage));
	PG_RETURN_DATUM(text_datum(storage));
}

/* scim.table_definition(resource_type text) RETURNS text: CREATE TABLE */
Datum
scim_audit_table_definition(PG_FUNCTION_ARGS)
{
	ScimStr		command;

	scim_audit_checked(scim_table_create(scim_audit_create_arena(), named_type(fcinfo), &command));
	PG_RETURN_DATUM(text_datum(command));
}

/* scim.index_definition(resource_type text, path text, is_unique boolean, name text) RETURNS text: CREATE INDEX */
Datum
scim_audit_index_definition(PG_FUNCTION_ARGS)
{
	ScimError	err = {SCIM_OK};
	ScimStr		command;

	if (scim_audit_checked(scim_table_index(scim_audit_create_arena(), named_type(fcinfo), text_argument(fcinfo, 1),
											PG_GETARG_BOOL(2), quote_identifier(text_to_cstring(PG_GETARG_TEXT_PP(3))),
											&command, &err)) != SCIM_OK)
		refused(&err, NULL);
	PG_RETURN_DATUM(text_datum(command));
}

/* scim.unique_paths(resource_type text, schema text) RETURNS text[] */
Datum
scim_audit_unique_paths(PG_FUNCTION_ARGS)
{
	const ScimResourceType *type = named_type(fcinfo);
	const ScimSchema *schema = scim_registry_schema_by_id(type->registry, text_argument(fcinfo, 1));
	const char **paths = NULL;
	Datum	   *values;
	size_t		n = 0;
	size_t		i;

	if (schema != NULL)
		scim_audit_checked(scim_table_unique(scim_audit_create_arena(), type, schema, &paths, &n));
	values = palloc(Max(n, 1) * sizeof(Datum));
	for (i = 0; i < n; i++)
		values[i] = CStringGetTextDatum(paths[i]);
	PG_RETURN_ARRAYTYPE_P(construct_array(values, (int) n, TEXTOID, -1, false, TYPALIGN_INT));
}

/* scim.core_schema(resource_type text) RETURNS text */
Datum
scim_audit_core_schema(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(named_type(fcinfo)->schema->id));
}

/* scim.required_paths(resource_type text) RETURNS text[] */
Datum
scim_audit_required_paths(PG_FUNCTION_ARGS)
{
	const ScimSchema *schema = named_type(fcinfo)->schema;
	Datum	   *values = palloc(schema->n_attributes * sizeof(Datum));
	int			n = 0;
	size_t		i;

	for (i = 0; i < schema->n_attributes; i++)
		if (schema->attributes[i].required && schema->attributes[i].mutability != SCIM_READ_ONLY)
			values[n++] = CStringGetTextDatum(schema->attributes[i].name);
	PG_RETURN_ARRAYTYPE_P(construct_array(values, n, TEXTOID, -1, false, TYPALIGN_INT));
}

/* scim.column_paths(resource_type text) RETURNS text[]: of each column its name in SQL, what it keeps, and its type */
Datum
scim_audit_column_paths(PG_FUNCTION_ARGS)
{
	const ScimResourceType *type = named_type(fcinfo);
	Datum	   *values = palloc((3 * type->n_columns + 1) * sizeof(Datum));
	int			n = 0;
	size_t		i;

	for (i = 0; i < type->n_columns; i++)
	{
		if (type->columns[i].store == SCIM_STORE_EXPRESSION)
			continue;
		values[n++] = CStringGetTextDatum(type->columns[i].name);
		values[n++] = CStringGetTextDatum(type->columns[i].path);
		values[n++] = CStringGetTextDatum(scim_sql_type_name(type->columns[i].type));
	}
	PG_RETURN_ARRAYTYPE_P(construct_array(values, n, TEXTOID, -1, false, TYPALIGN_INT));
}

/*
 * scim.check_table_owner(tbl regclass) RETURNS void: who called the function that runs as its owner must own the
 * table, for statements on it will run as its owner.
 */
Datum
scim_audit_check_table_owner(PG_FUNCTION_ARGS)
{
	Oid			table = PG_GETARG_OID(0);
	Oid			caller = GetOuterUserId();
#if PG_VERSION_NUM >= 160000
	bool		owner = object_ownercheck(RelationRelationId, table, caller);
#else
	bool		owner = pg_class_ownercheck(table, caller);
#endif

	if (!owner)
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE, get_rel_name(table));
	PG_RETURN_VOID();
}
