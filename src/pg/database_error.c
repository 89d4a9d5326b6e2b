/*
 * database_error.c
 *		What a client is told of an error that the database raised.
 *
 * A constraint or unique index is traced to its columns, and these by the
 * registry to attributes, so that the sentence speaks of userName and not of
 * users_user_name_key.  Values are never repeated: they may be another's.
 */
#include "pg/compat.h"

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_index.h"
#include "catalog/pg_type.h"
#include "commands/comment.h"
#include "nodes/nodes.h"
#include "optimizer/optimizer.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "pg/database_error.h"

/* The attribute that a column of a table keeps; NULL when none does. */
static const char *
attribute_of_column(const ScimRegistry *registry, const char *schema, const char *table, const char *column)
{
	size_t		t;
	size_t		i;

	for (t = 0; t < scim_registry_type_count(registry); t++)
	{
		const ScimResourceType *type = scim_registry_type(registry, t);

		if (scim_sql_table_is(type->table, schema, table))
			for (i = 0; i < type->n_columns; i++)
				if (type->columns[i].store != SCIM_STORE_EXPRESSION &&
					scim_sql_name_is(type->columns[i].name, column))
					return type->columns[i].path;
		for (i = 0; i < type->n_links; i++)
			if (type->links[i].writable && scim_sql_table_is(type->links[i].table, schema, table))
				return type->links[i].attr->name;
	}
	return NULL;
}

/* The first of the columns that keeps an attribute.  Numbers count from 1; 0 is passed over. */
static const char *
attribute_of_columns(const ScimRegistry *registry, const ErrorData *error, Oid relid, const Bitmapset *columns)
{
	int			number = -1;

	while ((number = bms_next_member(columns, number)) >= 0)
	{
		char	   *name = number == 0 ? NULL : get_attname(relid, number, true);
		const char *path = name == NULL ? NULL : attribute_of_column(registry, error->schema_name, error->table_name, name);

		if (path != NULL)
			return path;
	}
	return NULL;
}

/* Columns that the expressions of an index use. */
static Bitmapset *
expression_columns(HeapTuple index)
{
	Bitmapset  *offsets = NULL;
	Bitmapset  *columns = NULL;
	bool		isnull;
	Datum		expressions = SysCacheGetAttr(INDEXRELID, index, Anum_pg_index_indexprs, &isnull);
	int			offset = -1;

	if (isnull)
		return NULL;
	pull_varattnos(stringToNode(TextDatumGetCString(expressions)), 1, &offsets);
	while ((offset = bms_next_member(offsets, offset)) >= 0)
		if (offset + FirstLowInvalidHeapAttributeNumber > 0)
			columns = bms_add_member(columns, offset + FirstLowInvalidHeapAttributeNumber);
	return columns;
}

static Bitmapset *
index_columns(Oid index_oid)
{
	HeapTuple	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index_oid));
	Bitmapset  *columns;
	Form_pg_index index;
	int			i;

	if (!HeapTupleIsValid(tuple))
		return NULL;
	columns = expression_columns(tuple);
	index = (Form_pg_index) GETSTRUCT(tuple);
	for (i = 0; i < index->indnkeyatts; i++)
		if (index->indkey.values[i] > 0)
			columns = bms_add_member(columns, index->indkey.values[i]);
	ReleaseSysCache(tuple);
	return columns;
}

static Bitmapset *
constraint_columns(Oid relid, const char *name)
{
	Oid			oid = get_relation_constraint_oid(relid, name, true);
	HeapTuple	tuple = OidIsValid(oid) ? SearchSysCache1(CONSTROID, ObjectIdGetDatum(oid)) : NULL;
	Bitmapset  *columns = NULL;
	bool		isnull;
	Datum		key;

	if (!HeapTupleIsValid(tuple))
		return NULL;
	key = SysCacheGetAttr(CONSTROID, tuple, Anum_pg_constraint_conkey, &isnull);
	if (!isnull)
	{
		ArrayType  *array = DatumGetArrayTypeP(key);
		int16	   *numbers = (int16 *) ARR_DATA_PTR(array);
		int			i;

		for (i = 0; i < ARR_DIMS(array)[0]; i++)
			if (numbers[i] > 0)
				columns = bms_add_member(columns, numbers[i]);
	}
	ReleaseSysCache(tuple);
	return columns;
}

/*
 * The attribute that the comment of an index names, where it is one of the table's: those
 * that scim.register_schema() makes do, for a column of many attributes does not tell.
 */
static const char *
attribute_of_comment(const ScimRegistry *registry, const ErrorData *error, Oid index)
{
	const char *comment = OidIsValid(index) ? GetComment(index, RelationRelationId, 0) : NULL;
	size_t		t;

	for (t = 0; comment != NULL && t < scim_registry_type_count(registry); t++)
	{
		const ScimResourceType *type = scim_registry_type(registry, t);
		const ScimSchema *extension;
		const ScimAttribute *attr;
		const ScimAttribute *sub;

		if (scim_sql_table_is(type->table, error->schema_name, error->table_name) &&
			scim_type_resolve(type, (ScimStr) {comment, strlen(comment)}, &extension, &attr, &sub) && attr != NULL)
			return comment;
	}
	return NULL;
}

/* The attribute that an error is about, by the constraint, index or column it names; NULL: not known. */
static const char *
attribute_of_error(const ErrorData *error, const ScimRegistry *registry)
{
	Oid			schema;
	Oid			relid;
	Oid			index;
	const char *path = NULL;

	if (error->schema_name == NULL || error->table_name == NULL)
		return NULL;
	schema = get_namespace_oid(error->schema_name, true);
	relid = get_relname_relid(error->table_name, schema);
	if (!OidIsValid(relid))
		return NULL;
	if (error->column_name != NULL)
		return attribute_of_column(registry, error->schema_name, error->table_name, error->column_name);
	if (error->constraint_name == NULL)
		return NULL;
	index = get_relname_relid(error->constraint_name, schema);
	path = attribute_of_comment(registry, error, index);
	if (path == NULL)
		path = attribute_of_columns(registry, error, relid, constraint_columns(relid, error->constraint_name));
	if (path == NULL && OidIsValid(index))
		path = attribute_of_columns(registry, error, relid, index_columns(index));
	return path;
}

ScimStatus
scim_audit_database_error(const ErrorData *error, const ScimRegistry *registry, ScimError *err)
{
	const char *path;

	if (error->sqlerrcode == ERRCODE_UNIQUE_VIOLATION || error->sqlerrcode == ERRCODE_EXCLUSION_VIOLATION)
	{
		path = attribute_of_error(error, registry);
		if (path == NULL)
			return scim_error(err, SCIM_UNIQUENESS, "there is such a resource already");
		return scim_error(err, SCIM_UNIQUENESS, "%s: another resource has this value already", path);
	}
	if (error->sqlerrcode == ERRCODE_FOREIGN_KEY_VIOLATION)
	{
		path = attribute_of_error(error, registry);
		if (path == NULL)
			return scim_error(err, SCIM_INVALID_VALUE, "a resource that is referred to is not there");
		return scim_error(err, SCIM_INVALID_VALUE, "%s: there is no resource with this id", path);
	}
	if (error->sqlerrcode == ERRCODE_CHECK_VIOLATION || error->sqlerrcode == ERRCODE_NOT_NULL_VIOLATION ||
		ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_DATA_EXCEPTION)
	{
		path = attribute_of_error(error, registry);
		if (path == NULL)
			return scim_error(err, SCIM_INVALID_VALUE, "the database does not take one of the values");
		return scim_error(err, SCIM_INVALID_VALUE, "%s: the database does not take this value", path);
	}
	/* An index takes values of up to some 2,700 bytes, compressed. */
	if (error->sqlerrcode == ERRCODE_PROGRAM_LIMIT_EXCEEDED)
	{
		path = attribute_of_error(error, registry);
		return scim_error(err, SCIM_INVALID_VALUE, "%s is too long", path != NULL ? path : "one of the values");
	}
	return SCIM_OK;
}

ScimStatus
scim_audit_final_error(const ErrorData *error, ScimError *err)
{
	int			category = ERRCODE_TO_CATEGORY(error->sqlerrcode);

	if (error->sqlerrcode == ERRCODE_T_R_SERIALIZATION_FAILURE ||
		error->sqlerrcode == ERRCODE_T_R_DEADLOCK_DETECTED ||
		error->sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE)
		return scim_error(err, SCIM_UNAVAILABLE, "another change of the same data was in the way: try again");
	if (error->sqlerrcode == ERRCODE_READ_ONLY_SQL_TRANSACTION)
		return scim_error(err, SCIM_UNAVAILABLE, "this server takes no writes at present");
	if (category == ERRCODE_OPERATOR_INTERVENTION || category == ERRCODE_INSUFFICIENT_RESOURCES ||
		category == ERRCODE_SYSTEM_ERROR || category == ERRCODE_INTERNAL_ERROR)
		return SCIM_OK;

	/* Whoever catches an error keeps it from the server's log. */
	ereport(LOG,
			(errcode(error->sqlerrcode),
			 errmsg("a SCIM request failed: %s", error->message)));
	if (error->sqlerrcode == ERRCODE_RAISE_EXCEPTION)
		return scim_error(err, SCIM_INVALID_VALUE, "a rule of the database refuses this");
	return scim_error(err, SCIM_INTERNAL, "the database failed to serve the request");
}
