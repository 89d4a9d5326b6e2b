/*
 * text_functions.c
 *		Case folding, searching and identifiers as SQL functions.
 *
 * scim.fold and scim.folded_values stand in indexes: what they return for a
 * value must never change.
 */
#include "pg/compat.h"

#include "access/detoast.h"
#include "catalog/pg_type.h"
#include "datatype/timestamp.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "core/needles.h"
#include "core/text.h"
#include "pg/log.h"
#include "pg/text_functions.h"

PG_FUNCTION_INFO_V1(scim_audit_fold);
PG_FUNCTION_INFO_V1(scim_audit_contains);
PG_FUNCTION_INFO_V1(scim_audit_contains_each);
PG_FUNCTION_INFO_V1(scim_audit_ends_with);
PG_FUNCTION_INFO_V1(scim_audit_folded_values);
PG_FUNCTION_INFO_V1(scim_audit_parse_time);
PG_FUNCTION_INFO_V1(scim_audit_uuid7_sql);

/* Normalization can make three characters of one (U+1D160), folding one byte longer (U+023A). */
#define FOLD_GROWTH 4

static void
out_of_memory(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_OUT_OF_MEMORY),
			 errmsg("out of memory")));
}

/*
 * The folded form of a text, by the fold of src/core.  Nearly all text is
 * ASCII, which needs no table and no buffer.
 */
static text *
fold(const char *ptr, size_t len)
{
	text	   *result;
	size_t		i;
	ScimBuf		buf;

	for (i = 0; i < len && !IS_HIGHBIT_SET(ptr[i]); i++)
		;
	if (i == len)
	{
		result = (text *) palloc(VARHDRSZ + len);
		SET_VARSIZE(result, VARHDRSZ + len);
		for (i = 0; i < len; i++)
			VARDATA(result)[i] = pg_ascii_tolower((unsigned char) ptr[i]);
		return result;
	}

	scim_buf_init(&buf, NULL, FOLD_GROWTH * len + 1);
	scim_fold(&buf, ptr, len);
	result = buf.failed ? NULL :
		(text *) palloc_extended(VARHDRSZ + buf.len, MCXT_ALLOC_NO_OOM);
	if (result != NULL)
	{
		SET_VARSIZE(result, VARHDRSZ + buf.len);
		memcpy(VARDATA(result), buf.data, buf.len);
	}
	scim_buf_free(&buf);
	if (result == NULL)
		out_of_memory();
	return result;
}

/*
 * Folds of long values, kept until the transaction ends.  A filter folds the
 * same value again for each of its terms, of which there may be hundreds; it
 * is recognised by the bytes of its datum, which for a value stored out of
 * line are its address, so that it is not even fetched again.  (TOAST gives an
 * address to another value only after four thousand million others.)
 */
#define KEPT_FOLDS 16
#define KEPT_FROM 128			/* shorter values are folded faster than found */
#define KEPT_UP_TO (256 * 1024)

typedef struct KeptFold
{
	struct varlena *datum;		/* as the function was given it */
	text	   *folded;
	text	   *lent;			/* a copy in lent_in, until that is reset */
	MemoryContext lent_in;
} KeptFold;

static KeptFold kept_folds[KEPT_FOLDS];
static int	next_kept_fold;
static MemoryContext kept_context;

static void
forget_folds(void *arg)
{
	memset(kept_folds, 0, sizeof(kept_folds));
	next_kept_fold = 0;
	kept_context = NULL;
}

static void
take_back(void *arg)
{
	((KeptFold *) arg)->lent = NULL;
}

/*
 * The fold for the caller: one copy for all calls about one row.  Hundreds of
 * copies of a long value would cost more than to compare with them.
 */
static text *
lend_fold(KeptFold *kept)
{
	MemoryContextCallback *callback;

	if (kept->lent != NULL && kept->lent_in == CurrentMemoryContext)
		return kept->lent;
	callback = palloc(sizeof(MemoryContextCallback));
	callback->func = take_back;
	callback->arg = kept;
	kept->lent = memcpy(palloc(VARSIZE(kept->folded)), kept->folded, VARSIZE(kept->folded));
	kept->lent_in = CurrentMemoryContext;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);
	return kept->lent;
}

static KeptFold *
find_fold(const struct varlena *datum)
{
	Size		size = VARSIZE_ANY(datum);
	int			i;

	for (i = 0; i < KEPT_FOLDS && kept_folds[i].datum != NULL; i++)
	{
		if (VARSIZE_ANY(kept_folds[i].datum) == size && memcmp(kept_folds[i].datum, datum, size) == 0)
			return &kept_folds[i];
	}
	return NULL;
}

static void *
keep(const void *ptr, Size size)
{
	return memcpy(MemoryContextAlloc(kept_context, size), ptr, size);
}

static void
keep_fold(const struct varlena *datum, const text *folded)
{
	KeptFold   *place = &kept_folds[next_kept_fold];
	KeptFold	made;

	if (kept_context == NULL)
	{
		MemoryContextCallback *callback;

		kept_context = AllocSetContextCreate(TopTransactionContext, "scim_audit folds", ALLOCSET_DEFAULT_SIZES);
		callback = MemoryContextAlloc(kept_context, sizeof(MemoryContextCallback));
		callback->func = forget_folds;
		callback->arg = NULL;
		MemoryContextRegisterResetCallback(kept_context, callback);
	}
	made.datum = keep(datum, VARSIZE_ANY(datum));
	made.folded = keep(folded, VARSIZE(folded));
	made.lent = NULL;
	made.lent_in = NULL;
	if (place->datum != NULL)
	{
		pfree(place->datum);
		pfree(place->folded);
	}
	*place = made;
	next_kept_fold = (next_kept_fold + 1) % KEPT_FOLDS;
}

/* Values of which the fold is kept: long ones, and those that are stored out of line or packed. */
static bool
worth_keeping(const struct varlena *datum)
{
	if (VARATT_IS_EXTERNAL_ONDISK(datum) || VARATT_IS_4B_C(datum))
		return toast_raw_datum_size(PointerGetDatum(datum)) <= KEPT_UP_TO;
	return !VARATT_IS_EXTERNAL(datum) && VARSIZE_ANY(datum) >= KEPT_FROM && VARSIZE_ANY(datum) <= KEPT_UP_TO;
}

/* scim.fold(text) */
Datum
scim_audit_fold(PG_FUNCTION_ARGS)
{
	struct varlena *datum = (struct varlena *) PG_GETARG_POINTER(0);
	bool		keeping = worth_keeping(datum);
	KeptFold   *kept = keeping ? find_fold(datum) : NULL;
	text	   *value;
	text	   *folded;

	if (kept != NULL)
		PG_RETURN_TEXT_P(lend_fold(kept));
	value = PG_GETARG_TEXT_PP(0);
	folded = fold(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
	if (keeping)
		keep_fold(datum, folded);
	PG_RETURN_TEXT_P(folded);
}

/*
 * scim.contains(text, text).  In UTF-8 a character's bytes are found nowhere
 * but where the character is.  glibc's memmem takes linear time.
 */
Datum
scim_audit_contains(PG_FUNCTION_ARGS)
{
	text	   *value = PG_GETARG_TEXT_PP(0);
	text	   *part = PG_GETARG_TEXT_PP(1);

	PG_RETURN_BOOL(memmem(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value),
						  VARDATA_ANY(part), VARSIZE_ANY_EXHDR(part)) != NULL);
}

/* The parts of the last call, for the next one. */
typedef struct Parts
{
	ArrayType  *array;
	ScimNeedles *needles;
	int			n;
	bool	   *found;
	Datum	   *answers;
	bool	   *nulls;
} Parts;

static Parts *
prepare_parts(ArrayType *array, MemoryContext context)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	Parts	   *parts = palloc0(sizeof(Parts));
	Datum	   *elements;
	ScimStr    *texts;
	Size		total = 0;
	Size		size;
	int			i;

	parts->array = (ArrayType *) memcpy(palloc(VARSIZE(array)), array, VARSIZE(array));
	deconstruct_array(parts->array, TEXTOID, -1, false, TYPALIGN_INT, &elements, &parts->nulls, &parts->n);
	texts = palloc0(sizeof(ScimStr) * Max(parts->n, 1));
	for (i = 0; i < parts->n; i++)
	{
		text	   *element = (text *) DatumGetPointer(elements[i]);

		texts[i] = parts->nulls[i] ? SCIM_STR("") : (ScimStr) {VARDATA_ANY(element), VARSIZE_ANY_EXHDR(element)};
		total += texts[i].len;
	}
	size = scim_needles_size(parts->n, total);
	if (size == 0)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the texts to look for are too long")));
	parts->needles = scim_needles_init(MemoryContextAllocExtended(context, size, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO), texts, parts->n);
	parts->found = palloc(sizeof(bool) * Max(parts->n, 1));
	parts->answers = palloc(sizeof(Datum) * Max(parts->n, 1));
	MemoryContextSwitchTo(old);
	return parts;
}

/*
 * scim.contains_each(text, text[]): for each part, whether the value contains
 * it, in one pass over the value.  Its caller gives the same parts for row
 * after row, so what is made of them is kept for the statement.
 */
Datum
scim_audit_contains_each(PG_FUNCTION_ARGS)
{
	text	   *value = PG_GETARG_TEXT_PP(0);
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(1);
	Parts	   *parts = fcinfo->flinfo->fn_extra;
	int			lower = 1;
	int			i;

	if (parts == NULL || VARSIZE(parts->array) != VARSIZE(array) || memcmp(parts->array, array, VARSIZE(array)) != 0)
	{
		MemoryContext context = AllocSetContextCreate(fcinfo->flinfo->fn_mcxt, "scim_audit parts", ALLOCSET_DEFAULT_SIZES);

		if (parts != NULL)
			MemoryContextDelete(GetMemoryChunkContext(parts));
		fcinfo->flinfo->fn_extra = NULL;
		parts = prepare_parts(array, context);
		fcinfo->flinfo->fn_extra = parts;
	}
	scim_needles_find(parts->needles, (ScimStr) {VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value)}, parts->found);
	for (i = 0; i < parts->n; i++)
		parts->answers[i] = BoolGetDatum(parts->found[i]);
	PG_RETURN_ARRAYTYPE_P(construct_md_array(parts->answers, parts->nulls, 1, &parts->n, &lower, BOOLOID, 1, true, TYPALIGN_CHAR));
}

/* scim.ends_with(text, text) */
Datum
scim_audit_ends_with(PG_FUNCTION_ARGS)
{
	text	   *value = PG_GETARG_TEXT_PP(0);
	text	   *part = PG_GETARG_TEXT_PP(1);
	size_t		value_len = VARSIZE_ANY_EXHDR(value);
	size_t		part_len = VARSIZE_ANY_EXHDR(part);

	PG_RETURN_BOOL(part_len <= value_len &&
				   memcmp(VARDATA_ANY(value) + value_len - part_len, VARDATA_ANY(part), part_len) == 0);
}

/*
 * scim.folded_values(jsonb): the members "value" of the objects in an array,
 * and its strings, folded, in order.
 */
Datum
scim_audit_folded_values(PG_FUNCTION_ARGS)
{
	Jsonb	   *attribute = PG_GETARG_JSONB_P(0);
	Datum	   *values;
	int			n = 0;
	uint32		i;

	if (!JB_ROOT_IS_ARRAY(attribute) || JB_ROOT_IS_SCALAR(attribute))
		PG_RETURN_ARRAYTYPE_P(construct_empty_array(TEXTOID));

	values = (Datum *) palloc(sizeof(Datum) * Max(JB_ROOT_COUNT(attribute), 1));
	for (i = 0; i < JB_ROOT_COUNT(attribute); i++)
	{
		JsonbValue *element = getIthJsonbValueFromContainer(&attribute->root, i);

		if (element->type == jbvBinary && JsonContainerIsObject(element->val.binary.data))
		{
			JsonbValue	key;

			key.type = jbvString;
			key.val.string.val = "value";
			key.val.string.len = strlen("value");
			element = findJsonbValueFromContainer(element->val.binary.data, JB_FOBJECT, &key);
		}
		if (element != NULL && element->type == jbvString)
			values[n++] = PointerGetDatum(fold(element->val.string.val, element->val.string.len));
	}
	PG_RETURN_ARRAYTYPE_P(construct_array(values, n, TEXTOID, -1, false, TYPALIGN_INT));
}

/* scim.parse_time(text) RETURNS timestamptz: null for what is no dateTime */
Datum
scim_audit_parse_time(PG_FUNCTION_ARGS)
{
	text	   *value = PG_GETARG_TEXT_PP(0);
	int64_t		micros;

	if (!scim_time_parse((ScimStr) {VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value)}, &micros))
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(micros - (int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY);
}

void
scim_audit_new_uuid(uint8_t out[16])
{
	int64		unix_epoch = (int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;

	scim_audit_uuid7(GetCurrentTimestamp() + unix_epoch, out);
}

/* scim.uuid7() */
Datum
scim_audit_uuid7_sql(PG_FUNCTION_ARGS)
{
	pg_uuid_t  *uuid = (pg_uuid_t *) palloc(sizeof(pg_uuid_t));

	scim_audit_new_uuid(uuid->data);
	PG_RETURN_UUID_P(uuid);
}
