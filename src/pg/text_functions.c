/*
 * text_functions.c
 *		Case folding, searching and identifiers as SQL functions.
 *
 * scim.fold and scim.folded_values stand in indexes: what they return for a
 * value must never change.
 */
#include "pg/compat.h"

#include "catalog/pg_type.h"
#include "datatype/timestamp.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "core/text.h"
#include "pg/log.h"
#include "pg/text_functions.h"

PG_FUNCTION_INFO_V1(scim_audit_fold);
PG_FUNCTION_INFO_V1(scim_audit_contains);
PG_FUNCTION_INFO_V1(scim_audit_ends_with);
PG_FUNCTION_INFO_V1(scim_audit_folded_values);
PG_FUNCTION_INFO_V1(scim_audit_parse_time);
PG_FUNCTION_INFO_V1(scim_audit_uuid7_sql);

/* Simple folding can lengthen a character by one byte (U+023A: two to three). */
#define FOLD_GROWTH 2

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

/* scim.fold(text) */
Datum
scim_audit_fold(PG_FUNCTION_ARGS)
{
	text	   *value = PG_GETARG_TEXT_PP(0);

	PG_RETURN_TEXT_P(fold(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value)));
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
