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

#include "catalog/pg_type.h"
#include "datatype/timestamp.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "nodes/params.h"
#include "tcop/dest.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "core/text.h"
#include "pg/owner.h"
#include "pg/plan_cache.h"
#include "pg/storage.h"

#define FEW_KEYS 100				/* PostgreSQL takes an array it cannot see for one of 10 */

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

static Datum
uuid_parameter(ScimStr text)
{
	pg_uuid_t  *uuid = palloc(sizeof(pg_uuid_t));
	char		lower[SCIM_UUID_SIZE];

	if (!scim_uuid_exactly(text, uuid->data) &&
		!(scim_uuid_parse(text, lower) && scim_uuid_exactly((ScimStr) {lower, SCIM_UUID_SIZE - 1}, uuid->data)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("an id is not in the form of RFC 4122")));
	return UUIDPGetDatum(uuid);
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
	if (type == SCIM_SQL_UUID || type == SCIM_SQL_UUID_ARRAY)
		return uuid_parameter(value);

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
			elog(ERROR, "there is no SQL type %d", (int) type);
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

/* What takes the rows of a statement, one by one as they are found; false: no more of them. */
typedef struct Reader
{
	DestReceiver receiver;
	bool		(*read) (struct Reader *reader, TupleTableSlot *slot);
	ScimArena  *arena;
	size_t		n;				/* rows read */
	size_t		size;			/* and those there is room for */
	Size		row_size;
	void	   *rows;

	const ScimResourceType *type;	/* of resources */
	size_t		bytes_left;
	bool		cut;
	int64		number;			/* of a count */
} Reader;

static bool
receive(TupleTableSlot *slot, DestReceiver *self)
{
	return ((Reader *) self)->read((Reader *) self, slot);
}

static void
start_reading(DestReceiver *self, int operation, TupleDesc desc)
{
}

static void
end_reading(DestReceiver *self)
{
}

/* Run a statement as the owner of table, and have its rows read; how many they were, or it touched. */
static uint64
run(const char *table, const ScimSql *sql, bool generic, Reader *reader)
{
	Oid		   *types = palloc(Max(sql->n_params, 1) * sizeof(Oid));
	ParamListInfo params = makeParamList(sql->n_params);
	SPIExecuteOptions options = {.params = params, .tcount = sql->max_rows, .dest = &reader->receiver};
	ScimAuditUser user;
	int			i;
	int			result;

	for (i = 0; i < sql->n_params; i++)
	{
		const ScimParam *param = &sql->params[i];
		bool		is_array = param->type == SCIM_SQL_TEXT_ARRAY || param->type == SCIM_SQL_UUID_ARRAY;
		ParamExternData *value = &params->params[i];

		types[i] = parameter_type(param->type);
		value->ptype = types[i];
		value->pflags = PARAM_FLAG_CONST;
		value->isnull = !is_array && param->value.ptr == NULL;
		value->value = value->isnull ? (Datum) 0 :
			is_array ? array_parameter(param) : scalar_parameter(param->type, param->value);
	}

	/* No kind of its own is meant for what is not PostgreSQL's. */
	reader->receiver = (DestReceiver)
	{
		receive, start_reading, end_reading, end_reading, DestTuplestore
	};
	user = scim_audit_become(scim_audit_table_owner(table));
	result = SPI_execute_plan_extended(scim_audit_plan(sql->text, sql->n_params, types, generic), &options);
	scim_audit_become_again(user);
	if (result < 0)
		elog(ERROR, "could not run a statement: %s", SPI_result_code_string(result));
	return SPI_processed;
}

/* Room for one more row. */
static void *
next_row(Reader *reader)
{
	if (reader->n == reader->size)
	{
		size_t		size = Max(2 * reader->size, 1);
		void	   *rows = storage_alloc(reader->arena, size * reader->row_size);

		if (reader->n > 0)
			memcpy(rows, reader->rows, reader->n * reader->row_size);
		reader->rows = rows;
		reader->size = size;
	}
	return (char *) reader->rows + reader->n++ * reader->row_size;
}

/* ---- what they hold ---- */

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

static ScimStr
uuid_cell(ScimArena *arena, const pg_uuid_t *uuid)
{
	char	   *text = storage_alloc(arena, SCIM_UUID_SIZE);

	scim_uuid_format(uuid->data, text);
	return (ScimStr) {text, SCIM_UUID_SIZE - 1};
}

static ScimStr
jsonb_cell(ScimArena *arena, Jsonb *value)
{
	StringInfoData text;

	initStringInfo(&text);
	JsonbToCString(&text, &value->root, VARSIZE(value));
	return storage_copy(arena, text.data, text.len);
}

/* One value in its text form. */
static ScimStr
cell(ScimArena *arena, Datum value, Oid type)
{
	char	   *text;
	Oid			output;
	bool		is_varlena;

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
			return uuid_cell(arena, DatumGetUUIDP(value));
		case JSONBOID:
			return jsonb_cell(arena, DatumGetJsonbP(value));
		default:
			output = getBaseType(type);
			if (output != type)
				return cell(arena, value, output);
			getTypeOutputInfo(type, &output, &is_varlena);
			text = OidOutputFunctionCall(output, value);
			return storage_copy(arena, text, strlen(text));
	}
}

/* A column of a slot whose values are all there. */
static ScimStr
slot_cell(ScimArena *arena, const TupleTableSlot *slot, int column)
{
	return slot->tts_isnull[column] ? SCIM_STR_NONE :
		cell(arena, slot->tts_values[column], TupleDescAttr(slot->tts_tupleDescriptor, column)->atttypid);
}

static int64
slot_int64(const TupleTableSlot *slot, int column)
{
	if (slot->tts_isnull[column])
		return 0;
	return TupleDescAttr(slot->tts_tupleDescriptor, column)->atttypid == INT4OID ?
		DatumGetInt32(slot->tts_values[column]) : DatumGetInt64(slot->tts_values[column]);
}

/* A time in microseconds since the Unix epoch; 0 for null. */
static int64
slot_time(const TupleTableSlot *slot, int column)
{
	TimestampTz time = DatumGetTimestampTz(slot->tts_values[column]);

	return slot->tts_isnull[column] || TIMESTAMP_NOT_FINITE(time) ? 0 : time + EPOCH_SHIFT;
}

/* ---- resources ---- */

/* The fixed columns, then those of the type where the statement returns them. */
static void
fill_row(Reader *reader, const TupleTableSlot *slot, ScimAuditRow *row)
{
	const ScimResourceType *type = reader->type;
	int			natts = slot->tts_tupleDescriptor->natts;
	size_t		i;

	row->meta.id = slot_cell(reader->arena, slot, 0);
	row->meta.version = slot_int64(slot, 1);
	row->meta.created = slot_time(slot, 2);
	row->meta.last_modified = slot_time(slot, 3);
	if (natts == SCIM_SQL_FIXED_COLUMNS)
		return;
	row->values = storage_alloc(reader->arena, Max(type->n_columns, 1) * sizeof(ScimStr));
	for (i = 0; i < type->n_columns; i++)
		row->values[i] = slot_cell(reader->arena, slot, SCIM_SQL_FIXED_COLUMNS + (int) i);
	row->sort_key = SCIM_STR_NONE;
	if (natts > SCIM_SQL_FIXED_COLUMNS + (int) type->n_columns)
		row->sort_key = slot_cell(reader->arena, slot, natts - 1);
}

static bool
read_resource(Reader *reader, TupleTableSlot *slot)
{
	ScimAuditRow *row;
	size_t		bytes = 0;
	size_t		i;

	if (reader->bytes_left == 0)
	{
		reader->cut = true;
		return false;
	}
	slot_getallattrs(slot);
	row = next_row(reader);
	fill_row(reader, slot, row);
	for (i = 0; i < reader->type->n_columns; i++)
		bytes += row->values[i].len;
	reader->bytes_left -= Min(bytes, reader->bytes_left);
	return true;
}

size_t
scim_audit_storage_rows(ScimArena *arena, const ScimResourceType *type, const ScimSql *sql,
						size_t max_bytes, ScimAuditRow **rows, bool *cut)
{
	Reader		reader = {.read = read_resource, .arena = arena, .row_size = sizeof(ScimAuditRow), .type = type,
	.bytes_left = max_bytes};

	run(type->table, sql, sql->one_plan, &reader);
	*rows = reader.rows;
	*cut = reader.cut;
	return reader.n;
}

/* The first row; an UPDATE has to go on, should there be more. */
static bool
read_first(Reader *reader, TupleTableSlot *slot)
{
	if (reader->n++ > 0)
		return true;
	slot_getallattrs(slot);
	fill_row(reader, slot, reader->rows);
	return true;
}

bool
scim_audit_storage_row(ScimArena *arena, const ScimResourceType *type, const ScimSql *sql,
					   ScimAuditRow *row)
{
	Reader		reader = {.read = read_first, .arena = arena, .type = type, .rows = row};

	run(type->table, sql, true, &reader);
	return reader.n > 0;
}

/* ---- other rows ---- */

static bool
read_cells(Reader *reader, TupleTableSlot *slot)
{
	int			n = (int) (reader->row_size / sizeof(ScimStr));
	ScimStr    *cells = next_row(reader);
	int			i;

	slot_getallattrs(slot);
	for (i = 0; i < n; i++)
		cells[i] = slot_cell(reader->arena, slot, i);
	return true;
}

size_t
scim_audit_storage_cells(ScimArena *arena, const char *table_name, const ScimSql *sql, int n_columns,
						 ScimStr **cells)
{
	Reader		reader = {.read = read_cells, .arena = arena, .row_size = n_columns * sizeof(ScimStr)};

	run(table_name, sql, one_plan_for_all(sql), &reader);
	*cells = reader.rows;
	return reader.n;
}

static bool
read_nothing(Reader *reader, TupleTableSlot *slot)
{
	return true;
}

uint64
scim_audit_storage_execute(const char *table, const ScimSql *sql)
{
	Reader		reader = {.read = read_nothing};

	return run(table, sql, one_plan_for_all(sql), &reader);
}

static bool
read_number(Reader *reader, TupleTableSlot *slot)
{
	slot_getallattrs(slot);
	reader->number = slot_int64(slot, 0);
	return true;
}

int64
scim_audit_storage_count(const char *table_name, const ScimSql *sql)
{
	Reader		reader = {.read = read_number};

	run(table_name, sql, false, &reader);
	return reader.number;
}
