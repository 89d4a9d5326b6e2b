/*
 * row.c
 *		Values as JSON: one rendering of each type, whatever the session's
 *		settings (see row.h).
 */
#include "pg/compat.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "utils/array.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/guc.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#include "pg/hash.h"
#include "pg/json_text.h"
#include "pg/row.h"

#define JSON_DEPTH_MAX 200		/* deeper json is kept as a string */
#define JSON_NUMBER_MAX 1000	/* digits */
#define JSON_EXPONENT_MAX 4		/* digits */

typedef enum Rendering
{
	RENDER_BOOL, RENDER_INT2, RENDER_INT4, RENDER_INT8, RENDER_FLOAT4, RENDER_FLOAT8,
	RENDER_NUMERIC, RENDER_TEXT, RENDER_JSON, RENDER_JSONB, RENDER_TIMESTAMPTZ,
	RENDER_TIMESTAMP, RENDER_DATE, RENDER_BYTEA, RENDER_ARRAY, RENDER_OUTPUT
} Rendering;

struct ScimAuditType
{
	Rendering	rendering;
	bool		pinned;			/* output depends on settings */
	int16		len;
	bool		by_value;
	char		align;
	FmgrInfo	output;			/* RENDER_NUMERIC, RENDER_ARRAY, RENDER_OUTPUT */
	ScimAuditType *element;		/* RENDER_ARRAY */
};

/* A value in text, and whether that is a JSON value already. */
typedef struct Rendered
{
	ScimStr		text;
	bool		is_json;
} Rendered;

bool
scim_audit_type_pinned(const ScimAuditType *type)
{
	return type->pinned;
}

/* Types whose output no setting changes. */
static bool
stable_output(Oid type)
{
	switch (type)
	{
		case UUIDOID:
		case NAMEOID:
		case CHAROID:
		case OIDOID:
		case XIDOID:
		case XID8OID:
		case TIMEOID:
		case INETOID:
		case CIDROID:
		case MACADDROID:
		case MACADDR8OID:
		case BITOID:
		case VARBITOID:
			return true;
		default:
			return get_typtype(type) == TYPTYPE_ENUM;
	}
}

static Rendering
rendering_of(Oid type)
{
	switch (type)
	{
		case BOOLOID:
			return RENDER_BOOL;
		case INT2OID:
			return RENDER_INT2;
		case INT4OID:
			return RENDER_INT4;
		case INT8OID:
			return RENDER_INT8;
		case FLOAT4OID:
			return RENDER_FLOAT4;
		case FLOAT8OID:
			return RENDER_FLOAT8;
		case NUMERICOID:
			return RENDER_NUMERIC;
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
			return RENDER_TEXT;
		case JSONOID:
			return RENDER_JSON;
		case JSONBOID:
			return RENDER_JSONB;
		case TIMESTAMPTZOID:
			return RENDER_TIMESTAMPTZ;
		case TIMESTAMPOID:
			return RENDER_TIMESTAMP;
		case DATEOID:
			return RENDER_DATE;
		case BYTEAOID:
			return RENDER_BYTEA;
		default:
			return type_is_array(type) ? RENDER_ARRAY : RENDER_OUTPUT;
	}
}

ScimAuditType *
scim_audit_type_make(Oid oid, MemoryContext context)
{
	ScimAuditType *type = MemoryContextAllocZero(context, sizeof(ScimAuditType));
	Oid			base = getBaseType(oid);
	Oid			output;
	bool		is_varlena;

	type->rendering = rendering_of(base);
	get_typlenbyvalalign(base, &type->len, &type->by_value, &type->align);
	getTypeOutputInfo(base, &output, &is_varlena);
	fmgr_info_cxt(output, &type->output, context);
	if (type->rendering == RENDER_ARRAY)
	{
		type->element = scim_audit_type_make(get_base_element_type(base), context);
		type->pinned = type->element->pinned;
	}
	else
		type->pinned = type->rendering == RENDER_OUTPUT && !stable_output(base);
	return type;
}

static Rendered
json_value(char *text)
{
	return (Rendered) {{text, strlen(text)}, true};
}

static Rendered
string_value(const char *text, size_t len)
{
	return (Rendered) {{text, len}, false};
}

/* JSON has no NaN and no infinities. */
static Rendered
number_value(char *text)
{
	char		first = text[0] == '-' ? text[1] : text[0];

	return (Rendered) {{text, strlen(text)}, first >= '0' && first <= '9'};
}

static Rendered
integer_value(int64 number)
{
	char	   *text = palloc(MAXINT8LEN + 1);

	pg_lltoa(number, text);
	return json_value(text);
}

static Rendered
float8_value(double number)
{
	char	   *text = palloc(DOUBLE_SHORTEST_DECIMAL_LEN);

	double_to_shortest_decimal_buf(number, text);
	return number_value(text);
}

static Rendered
float4_value(float number)
{
	char	   *text = palloc(FLOAT_SHORTEST_DECIMAL_LEN);

	float_to_shortest_decimal_buf(number, text);
	return number_value(text);
}

/* Broken-down time as ISO 8601 text with T; zone is put before the era. */
static Rendered
time_value(struct pg_tm *tm, fsec_t fraction, const char *zone)
{
	char	   *text = palloc(MAXDATELEN + 1 + strlen(zone));
	bool		bc = tm->tm_year <= 0;
	size_t		len;

	EncodeDateTime(tm, fraction, false, 0, NULL, USE_XSD_DATES, text);
	len = strlen(text) - (bc ? strlen(" BC") : 0);
	strcpy(text + len, zone);
	if (bc)
		strcat(text, " BC");
	return string_value(text, strlen(text));
}

static Rendered
timestamp_value(Timestamp timestamp, const char *zone)
{
	struct pg_tm tm;
	fsec_t		fraction;

	if (TIMESTAMP_IS_NOBEGIN(timestamp))
		return string_value("-infinity", 9);
	if (TIMESTAMP_IS_NOEND(timestamp))
		return string_value("infinity", 8);
	if (timestamp2tm(timestamp, NULL, &tm, &fraction, NULL, NULL) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	return time_value(&tm, fraction, zone);
}

static Rendered
date_value(DateADT date)
{
	struct pg_tm tm = {0};
	char	   *text;

	if (DATE_IS_NOBEGIN(date))
		return string_value("-infinity", 9);
	if (DATE_IS_NOEND(date))
		return string_value("infinity", 8);
	j2date(date + POSTGRES_EPOCH_JDATE, &tm.tm_year, &tm.tm_mon, &tm.tm_mday);
	text = palloc(MAXDATELEN + 1);
	EncodeDateOnly(&tm, USE_ISO_DATES, text);
	return string_value(text, strlen(text));
}

/*
 * Would this valid json cast to jsonb?  jsonb refuses \u0000, broken
 * surrogates and numbers out of numeric's range; rather than tell the good
 * escapes and numbers from the bad, all that are unusual are refused here.
 */
static bool
casts_to_jsonb(const char *text, size_t len)
{
	bool		in_string = false;
	int			depth = 0;
	int			digits = 0;
	bool		exponent = false;

	for (size_t i = 0; i < len; i++)
	{
		char		c = text[i];

		if (in_string)
		{
			if (c == '\\' && text[++i] == 'u')
				return false;
			in_string = c != '"';
			continue;
		}
		if (c >= '0' && c <= '9')
		{
			if (++digits > (exponent ? JSON_EXPONENT_MAX : JSON_NUMBER_MAX))
				return false;
			continue;
		}
		exponent = (c == 'e' || c == 'E') ? digits > 0 : exponent && (c == '+' || c == '-');
		if (c != '.')
			digits = 0;
		if ((c == '{' || c == '[') && ++depth > JSON_DEPTH_MAX)
			return false;
		if (c == '}' || c == ']')
			depth--;
		in_string = c == '"';
	}
	return true;
}

static Rendered
text_value(Datum value)
{
	text	   *t = DatumGetTextPP(value);

	return string_value(VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t));
}

static Rendered
json_text_value(Datum value)
{
	Rendered	result = text_value(value);

	result.is_json = casts_to_jsonb(result.text.ptr, result.text.len);
	return result;
}

static Rendered
jsonb_value(Datum value)
{
	Jsonb	   *jsonb = DatumGetJsonbP(value);

	return json_value(JsonbToCString(NULL, &jsonb->root, VARSIZE(jsonb)));
}

/* \x and hexadecimal digits. */
static Rendered
bytea_value(Datum value)
{
	bytea	   *bytes = DatumGetByteaPP(value);
	size_t		len = VARSIZE_ANY_EXHDR(bytes);
	char	   *text = palloc_extended(2 + 2 * len, MCXT_ALLOC_HUGE);

	text[0] = '\\';
	text[1] = 'x';
	hex_encode(VARDATA_ANY(bytes), len, text + 2);
	return string_value(text, 2 + 2 * len);
}

/* One that a JSON array cannot stand for (dimensions, bounds) is its output text. */
static Rendered
array_value(const ScimAuditType *type, Datum value)
{
	ArrayType  *array = DatumGetArrayTypeP(value);
	const ScimAuditType *element = type->element;
	StringInfoData out;
	Datum	   *values;
	bool	   *nulls;
	int			n;

	if (ARR_NDIM(array) > 1 || (ARR_NDIM(array) == 1 && ARR_LBOUND(array)[0] != 1))
	{
		/* Of elements that are rendered here without settings, but not by their output. */
		int			nest_level = scim_audit_pin_settings();
		char	   *text = OutputFunctionCall((FmgrInfo *) &type->output, PointerGetDatum(array));

		scim_audit_unpin_settings(nest_level);
		return string_value(text, strlen(text));
	}
	deconstruct_array(array, ARR_ELEMTYPE(array), element->len, element->by_value, element->align,
					  &values, &nulls, &n);
	initStringInfo(&out);
	appendStringInfoChar(&out, '[');
	for (int i = 0; i < n; i++)
	{
		if (i > 0)
			appendStringInfoChar(&out, ',');
		if (nulls[i])
			appendStringInfoString(&out, "null");
		else
			scim_audit_value_json(&out, element, values[i]);
	}
	appendStringInfoChar(&out, ']');
	return (Rendered) {{out.data, out.len}, true};
}

static Rendered
output_value(const ScimAuditType *type, Datum value)
{
	char	   *text = OutputFunctionCall((FmgrInfo *) &type->output, value);

	return string_value(text, strlen(text));
}

static Rendered
render(const ScimAuditType *type, Datum value)
{
	switch (type->rendering)
	{
		case RENDER_BOOL:
			return json_value(DatumGetBool(value) ? "true" : "false");
		case RENDER_INT2:
			return integer_value(DatumGetInt16(value));
		case RENDER_INT4:
			return integer_value(DatumGetInt32(value));
		case RENDER_INT8:
			return integer_value(DatumGetInt64(value));
		case RENDER_FLOAT4:
			return float4_value(DatumGetFloat4(value));
		case RENDER_FLOAT8:
			return float8_value(DatumGetFloat8(value));
		case RENDER_NUMERIC:
			return number_value(OutputFunctionCall((FmgrInfo *) &type->output, value));
		case RENDER_TEXT:
			return text_value(value);
		case RENDER_JSON:
			return json_text_value(value);
		case RENDER_JSONB:
			return jsonb_value(value);
		case RENDER_TIMESTAMPTZ:
			return timestamp_value(DatumGetTimestampTz(value), "Z");
		case RENDER_TIMESTAMP:
			return timestamp_value(DatumGetTimestamp(value), "");
		case RENDER_DATE:
			return date_value(DatumGetDateADT(value));
		case RENDER_BYTEA:
			return bytea_value(value);
		case RENDER_ARRAY:
			return array_value(type, value);
		case RENDER_OUTPUT:
			break;
	}
	return output_value(type, value);
}

static void
replace_by_digest(Rendered *value)
{
	uint8_t		hash[SCIM_HASH_SIZE];
	StringInfoData text;

	scim_audit_sha256(&value->text, 1, hash);
	initStringInfo(&text);
	appendStringInfoString(&text, "[sha256 ");
	for (int i = 0; i < SCIM_HASH_SIZE; i++)
		appendStringInfo(&text, "%02x", hash[i]);
	appendStringInfo(&text, ", %zu bytes]", value->text.len);
	*value = string_value(text.data, text.len);
}

void
scim_audit_value_json(StringInfo out, const ScimAuditType *type, Datum value)
{
	Rendered	rendered = render(type, value);

	if (rendered.text.len > SCIM_AUDIT_VALUE_MAX)
		replace_by_digest(&rendered);
	if (rendered.is_json)
		appendBinaryStringInfo(out, rendered.text.ptr, (int) rendered.text.len);
	else
		scim_audit_json_string(out, rendered.text.ptr, rendered.text.len);
}

ScimStr
scim_audit_value_text(const ScimAuditType *type, Datum value)
{
	return render(type, value).text;
}

int
scim_audit_pin_settings(void)
{
	static const char *const settings[][2] = {
		{"search_path", "pg_catalog"},
		{"datestyle", "ISO, YMD"},
		{"timezone", "UTC"},
		{"intervalstyle", "iso_8601"},
		{"extra_float_digits", "1"},
		{"bytea_output", "hex"},
		{"lc_monetary", "C"},
		{"quote_all_identifiers", "off"},
		{"xmlbinary", "base64"}
	};
	int			nest_level = NewGUCNestLevel();

	for (int i = 0; i < lengthof(settings); i++)
		(void) set_config_option(settings[i][0], settings[i][1], PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_SAVE, true, 0, false);
	return nest_level;
}

void
scim_audit_unpin_settings(int nest_level)
{
	AtEOXact_GUC(false, nest_level);
}
