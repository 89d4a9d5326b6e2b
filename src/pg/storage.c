/*
 * storage.c
 *		Resources in their tables: statements of core/sql.h run through SPI.
 *
 * Parameters arrive as text and leave as typed values; columns come back in
 * a text form that no setting of the session influences (DateStyle,
 * TimeZone, extra_float_digits).  A statement always takes a new snapshot,
 * so that a request sees what the command that called it has just written.
 */
#include "pg/compat.h"

#include <inttypes.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "datatype/timestamp.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "core/text.h"
#include "pg/owner.h"
#include "pg/plan_cache.h"
#include "pg/storage.h"

#define FEW_KEYS 20				/* PostgreSQL takes an array it cannot see for one of 10 */

/* Microseconds from the Unix epoch to PostgreSQL's. */
#define EPOCH_SHIFT ((int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY)

static void *
storage_alloc(ScimArena *arena, size_t size)
{
	void	   *memory = scim_alloc(arena, size);

	if (memory == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory")));
	return memory;
}

/* A copy of len bytes in the arena, NUL-terminated. */
static ScimStr
storage_copy(ScimArena *arena, const char *ptr, size_t len)
{
	char	   *copy = storage_alloc(arena, len + 1);

	memcpy(copy, ptr, len);
	copy[len] = '\0';
	return (ScimStr) {copy, len};
}

static Oid
parameter_type(ScimSqlType type)
{
	switch (type)
	{
		case SCIM_SQL_TEXT:
			return TEXTOID;
		case SCIM_SQL_BOOL:
			return BOOLOID;
		case SCIM_SQL_INT8:
			return INT8OID;
		case SCIM_SQL_NUMERIC:
			return NUMERICOID;
		case SCIM_SQL_TIMESTAMPTZ:
			return TIMESTAMPTZOID;
		case SCIM_SQL_UUID:
			return UUIDOID;
		case SCIM_SQL_JSONB:
			return JSONBOID;
		case SCIM_SQL_TEXT_ARRAY:
			return TEXTARRAYOID;
		case SCIM_SQL_UUID_ARRAY:
			return UUIDARRAYOID;
	}
	elog(ERROR, "there is no SQL type %d", (int) type);
}

static Datum
timestamp_parameter(ScimStr text)
{
	int64_t		micros;

	if (!scim_time_parse(text, &micros))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_DATETIME_FORMAT),
				 errmsg("a time is not in the form of RFC 3339")));
	return TimestampTzGetDatum(micros - EPOCH_SHIFT);
}

/* One value of a type that is no array. */
static Datum
scalar_parameter(ScimSqlType type, ScimStr value)
{
	char	   *text;

	if (type == SCIM_SQL_TEXT || type == SCIM_SQL_TEXT_ARRAY)
		return PointerGetDatum(cstring_to_text_with_len(value.ptr, value.len));
	if (type == SCIM_SQL_TIMESTAMPTZ)
		return timestamp_parameter(value);

	text = pnstrdup(value.ptr, value.len);
	switch (type)
	{
		case SCIM_SQL_BOOL:
			return BoolGetDatum(strcmp(text, "true") == 0);
		case SCIM_SQL_INT8:
			return DirectFunctionCall1(int8in, CStringGetDatum(text));
		case SCIM_SQL_NUMERIC:
			return DirectFunctionCall3(numeric_in, CStringGetDatum(text),
									   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
		case SCIM_SQL_JSONB:
			return DirectFunctionCall1(jsonb_in, CStringGetDatum(text));
		default:
			return DirectFunctionCall1(uuid_in, CStringGetDatum(text));
	}
}

static Datum
array_parameter(const ScimParam *param)
{
	Datum	   *elements = palloc(Max(param->n_values, 1) * sizeof(Datum));
	size_t		i;

	for (i = 0; i < param->n_values; i++)
		elements[i] = scalar_parameter(param->type, param->values[i]);
	if (param->type == SCIM_SQL_TEXT_ARRAY)
		return PointerGetDatum(construct_array(elements, param->n_values, TEXTOID,
											   -1, false, TYPALIGN_INT));
	return PointerGetDatum(construct_array(elements, param->n_values, UUIDOID,
										   UUID_LEN, false, TYPALIGN_CHAR));
}

/*
 * Is one plan good for all values?  A search by key, or by a few keys, has but
 * one sensible plan.  For many keys, PostgreSQL must see how many they are.
 */
static bool
one_plan_for_all(const ScimSql *sql)
{
	int			i;

	for (i = 0; i < sql->n_params; i++)
		if (sql->params[i].n_values > FEW_KEYS)
			return false;
	return true;
}

/* Run a statement as the owner of table; the rows are in SPI_tuptable. */
static void
run(const char *table, const ScimSql *sql, bool generic)
{
	Oid		   *types = palloc(Max(sql->n_params, 1) * sizeof(Oid));
	Datum	   *values = palloc(Max(sql->n_params, 1) * sizeof(Datum));
	char	   *nulls = palloc(sql->n_params + 1);
	ScimAuditUser user;
	int			i;
	int			result;

	for (i = 0; i < sql->n_params; i++)
	{
		const ScimParam *param = &sql->params[i];
		bool		is_array = param->type == SCIM_SQL_TEXT_ARRAY || param->type == SCIM_SQL_UUID_ARRAY;
		bool		is_null = !is_array && param->value.ptr == NULL;

		types[i] = parameter_type(param->type);
		nulls[i] = is_null ? 'n' : ' ';
		values[i] = is_null ? (Datum) 0 :
			is_array ? array_parameter(param) : scalar_parameter(param->type, param->value);
	}
	nulls[i] = '\0';

	user = scim_audit_become(scim_audit_table_owner(table));
	result = SPI_execute_plan(scim_audit_plan(sql->text, sql->n_params, types, generic), values, nulls, false, 0);
	scim_audit_become_again(user);
	if (result < 0)
		elog(ERROR, "could not run a statement: %s", SPI_result_code_string(result));
}

/* A time that ScimStr can hold; infinity cannot be said in SCIM. */
static ScimStr
timestamp_cell(ScimArena *arena, TimestampTz value)
{
	char		text[SCIM_TIME_SIZE];

	if (TIMESTAMP_NOT_FINITE(value))
		return SCIM_STR_NONE;
	scim_time_format(value + EPOCH_SHIFT, false, text);
	return storage_copy(arena, text, strlen(text));
}

/* One value in its text form. */
static ScimStr
cell(ScimArena *arena, Datum value, Oid type)
{
	char	   *text;
	Oid			output;
	bool		is_varlena;

	type = getBaseType(type);
	switch (type)
	{
		case TEXTOID:
		case VARCHAROID:
			{
				struct varlena *string = PG_DETOAST_DATUM_PACKED(value);

				return storage_copy(arena, VARDATA_ANY(string), VARSIZE_ANY_EXHDR(string));
			}
		case BOOLOID:
			return DatumGetBool(value) ? SCIM_STR("true") : SCIM_STR("false");
		case TIMESTAMPTZOID:
			return timestamp_cell(arena, DatumGetTimestampTz(value));
		case UUIDOID:
			text = DatumGetCString(DirectFunctionCall1(uuid_out, value));
			break;
		default:
			getTypeOutputInfo(type, &output, &is_varlena);
			text = OidOutputFunctionCall(output, value);
			break;
	}
	return storage_copy(arena, text, strlen(text));
}

static ScimStr
tuple_cell(ScimArena *arena, HeapTuple tuple, TupleDesc desc, int number)
{
	bool		isnull;
	Datum		value = heap_getattr(tuple, number, desc, &isnull);

	return isnull ? SCIM_STR_NONE : cell(arena, value, TupleDescAttr(desc, number - 1)->atttypid);
}

static int64
tuple_int64(HeapTuple tuple, TupleDesc desc, int number)
{
	bool		isnull;
	Datum		value = heap_getattr(tuple, number, desc, &isnull);

	if (isnull)
		return 0;
	return TupleDescAttr(desc, number - 1)->atttypid == INT4OID ? DatumGetInt32(value) : DatumGetInt64(value);
}

/* A time in microseconds since the Unix epoch; 0 for null. */
static int64
tuple_time(HeapTuple tuple, TupleDesc desc, int number)
{
	bool		isnull;
	Datum		value = heap_getattr(tuple, number, desc, &isnull);

	return isnull || TIMESTAMP_NOT_FINITE(DatumGetTimestampTz(value)) ? 0 :
		DatumGetTimestampTz(value) + EPOCH_SHIFT;
}

/* The fixed columns, then those of the type where the statement returns them. */
static void
read_row(ScimArena *arena, const ScimResourceType *type, HeapTuple tuple, TupleDesc desc, ScimAuditRow *row)
{
	size_t		i;

	row->meta.id = tuple_cell(arena, tuple, desc, 1);
	row->meta.version = tuple_int64(tuple, desc, 2);
	row->meta.created = tuple_time(tuple, desc, 3);
	row->meta.last_modified = tuple_time(tuple, desc, 4);
	if (desc->natts == SCIM_SQL_FIXED_COLUMNS)
		return;
	row->values = storage_alloc(arena, Max(type->n_columns, 1) * sizeof(ScimStr));
	for (i = 0; i < type->n_columns; i++)
		row->values[i] = tuple_cell(arena, tuple, desc, SCIM_SQL_FIXED_COLUMNS + 1 + (int) i);
	row->sort_key = SCIM_STR_NONE;
	if (desc->natts > SCIM_SQL_FIXED_COLUMNS + (int) type->n_columns)
		row->sort_key = tuple_cell(arena, tuple, desc, desc->natts);
}

/* Bytes of a row's values. */
static size_t
row_bytes(const ScimResourceType *type, const ScimAuditRow *row)
{
	size_t		bytes = 0;
	size_t		i;

	for (i = 0; i < type->n_columns; i++)
		bytes += row->values[i].len;
	return bytes;
}

size_t
scim_audit_storage_rows(ScimArena *arena, const ScimResourceType *type, const ScimSql *sql,
						size_t max_bytes, ScimAuditRow **rows, bool *cut)
{
	SPITupleTable *table;
	size_t		n;
	size_t		i;
	size_t		bytes = 0;

	run(type->table, sql, false);
	table = SPI_tuptable;
	n = SPI_processed;
	*rows = storage_alloc(arena, Max(n, 1) * sizeof(ScimAuditRow));
	for (i = 0; i < n && bytes < max_bytes; i++)
	{
		read_row(arena, type, table->vals[i], table->tupdesc, &(*rows)[i]);
		bytes += row_bytes(type, &(*rows)[i]);
	}
	*cut = i < n;
	SPI_freetuptable(table);
	return i;
}

bool
scim_audit_storage_row(ScimArena *arena, const ScimResourceType *type, const ScimSql *sql,
					   ScimAuditRow *row)
{
	SPITupleTable *table;
	bool		found;

	run(type->table, sql, true);
	table = SPI_tuptable;
	found = SPI_processed > 0;
	if (found)
		read_row(arena, type, table->vals[0], table->tupdesc, row);
	SPI_freetuptable(table);
	return found;
}

size_t
scim_audit_storage_cells(ScimArena *arena, const char *table_name, const ScimSql *sql, int n_columns,
						 ScimStr **cells)
{
	SPITupleTable *table;
	size_t		n;
	size_t		i;
	int			column;

	run(table_name, sql, one_plan_for_all(sql));
	table = SPI_tuptable;
	n = SPI_processed;
	*cells = storage_alloc(arena, Max(n, 1) * n_columns * sizeof(ScimStr));
	for (i = 0; i < n; i++)
		for (column = 0; column < n_columns; column++)
			(*cells)[i * n_columns + column] = tuple_cell(arena, table->vals[i], table->tupdesc, column + 1);
	SPI_freetuptable(table);
	return n;
}

uint64
scim_audit_storage_execute(const char *table, const ScimSql *sql)
{
	run(table, sql, one_plan_for_all(sql));
	SPI_freetuptable(SPI_tuptable);
	return SPI_processed;
}

int64
scim_audit_storage_count(const char *table_name, const ScimSql *sql)
{
	int64		count;

	run(table_name, sql, false);
	count = tuple_int64(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
	SPI_freetuptable(SPI_tuptable);
	return count;
}
