/*
 * filter_eval.c
 *		Does a resource in memory satisfy a filter?  The meaning is that of
 *		filter.h, and the same as of the SQL that sql_filter.c makes.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE				/* memmem, which is linear */
#endif
#include "core/filter.h"

#include <json-c/json.h>
#include <string.h>

#include "core/text.h"

/* Longer than any value that fits a request. */
#define FOLDED_MAX ((size_t) 256 << 20)

typedef struct Evaluation
{
	ScimJson   *resource;
	ScimBuf		folded;			/* reused for each comparison */
	ScimStatus	status;
} Evaluation;

/* ---- numbers ---- */

/* A decimal number taken apart: its digits without leading zeros, and the
 * power of ten of the first. */
typedef struct Decimal
{
	bool		negative;
	char		digits[400];
	size_t		n;				/* 0: the number is zero */
	long		power;
} Decimal;

/* The exponent at the cursor, cut to a range that no sum here can leave. */
static long
exponent(ScimCursor *cursor)
{
	bool		negative = scim_cursor_byte(cursor, '-');
	long		value = 0;
	int			c;

	if (!negative)
		(void) scim_cursor_byte(cursor, '+');
	for (; (c = scim_cursor_peek(cursor)) >= '0' && c <= '9'; cursor->ptr++)
	{
		if (value < 1000000)
			value = value * 10 + (c - '0');
	}
	return negative ? -value : value;
}

/* false when it has more digits than a Decimal can hold. */
static bool
decimal(ScimStr text, Decimal *out)
{
	ScimCursor	cursor = scim_cursor(text);
	bool		fraction = false;
	int			c;

	*out = (Decimal) {.negative = scim_cursor_byte(&cursor, '-'), .power = -1};
	for (; (c = scim_cursor_peek(&cursor)) == '.' || (c >= '0' && c <= '9'); cursor.ptr++)
	{
		if (c == '.')
		{
			fraction = true;
			continue;
		}
		if (out->n > 0 || c != '0')
		{
			if (out->n == sizeof(out->digits))
				return false;
			out->digits[out->n++] = (char) c;
			if (!fraction)
				out->power++;
		}
		else if (fraction)
			out->power--;
	}
	if (scim_cursor_byte(&cursor, 'e') || scim_cursor_byte(&cursor, 'E'))
		out->power += exponent(&cursor);
	while (out->n > 0 && out->digits[out->n - 1] == '0')
		out->n--;
	return true;
}

static int
sign(const Decimal *number)
{
	return number->n == 0 ? 0 : number->negative ? -1 : 1;
}

/* <0, 0 or >0, exactly, as PostgreSQL's numeric. */
static int
compare_decimals(const Decimal *a, const Decimal *b)
{
	size_t		n = a->n < b->n ? a->n : b->n;
	int			order;

	if (sign(a) != sign(b) || sign(a) == 0)
		return sign(a) - sign(b);
	if (a->power != b->power)
		order = a->power < b->power ? -1 : 1;
	else if ((order = memcmp(a->digits, b->digits, n)) == 0)
		order = (a->n > b->n) - (a->n < b->n);
	return order * sign(a);
}

/* ---- one value ---- */

static bool
holds(ScimOperator op, int order)
{
	switch (op)
	{
		case SCIM_OP_EQ:
			return order == 0;
		case SCIM_OP_NE:
			return order != 0;
		case SCIM_OP_GT:
			return order > 0;
		case SCIM_OP_GE:
			return order >= 0;
		case SCIM_OP_LT:
			return order < 0;
		case SCIM_OP_LE:
			return order <= 0;
		default:
			return false;
	}
}

static bool
contains(ScimStr text, ScimStr part)
{
	return part.len == 0 || (text.len >= part.len && memmem(text.ptr, text.len, part.ptr, part.len) != NULL);
}

static bool
compare_strings(ScimOperator op, ScimStr text, ScimStr literal)
{
	size_t		shorter = text.len < literal.len ? text.len : literal.len;
	int			order;

	switch (op)
	{
		case SCIM_OP_CO:
			return contains(text, literal);
		case SCIM_OP_SW:
			return text.len >= literal.len && memcmp(text.ptr, literal.ptr, literal.len) == 0;
		case SCIM_OP_EW:
			return text.len >= literal.len &&
				memcmp(text.ptr + (text.len - literal.len), literal.ptr, literal.len) == 0;
		default:
			order = memcmp(text.ptr, literal.ptr, shorter);
			return holds(op, order != 0 ? order : (text.len > literal.len) - (text.len < literal.len));
	}
}

static ScimStr
json_string(ScimJson *json)
{
	return (ScimStr) {json_object_get_string(json), (size_t) json_object_get_string_len(json)};
}

static bool
compare_string_value(Evaluation *evaluation, const ScimFilter *filter, ScimJson *value)
{
	const ScimAttribute *leaf = scim_filter_leaf(filter);
	ScimStr		text;

	if (!json_object_is_type(value, json_type_string))
		return filter->op == SCIM_OP_NE;
	text = json_string(value);
	if (!leaf->case_exact && leaf->type != SCIM_TYPE_BINARY)
	{
		scim_buf_reset(&evaluation->folded);
		scim_fold(&evaluation->folded, text.ptr, text.len);
		if (evaluation->folded.failed)
		{
			evaluation->status = SCIM_NO_MEMORY;
			return false;
		}
		text = (ScimStr) {evaluation->folded.len > 0 ? evaluation->folded.data : "", evaluation->folded.len};
	}
	return compare_strings(filter->op, text, filter->value.text);
}

static bool
compare_number_value(const ScimFilter *filter, ScimJson *value)
{
	const char *text;
	Decimal		a;
	Decimal		b;

	if (!json_object_is_type(value, json_type_int) && !json_object_is_type(value, json_type_double))
		return filter->op == SCIM_OP_NE;
	text = json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN);
	if (!decimal((ScimStr) {text, strlen(text)}, &a) || !decimal(filter->value.text, &b))
		return filter->op == SCIM_OP_NE;
	return holds(filter->op, compare_decimals(&a, &b));
}

static bool
compare_boolean_value(const ScimFilter *filter, ScimJson *value)
{
	bool		is_boolean = json_object_is_type(value, json_type_boolean);
	bool		equal = is_boolean && json_object_get_boolean(value) == filter->value.boolean;

	return equal == (filter->op == SCIM_OP_EQ);
}

static bool
compare_time_value(const ScimFilter *filter, ScimJson *value)
{
	int64_t		micros;

	if (!json_object_is_type(value, json_type_string) || !scim_time_parse(json_string(value), &micros))
		return filter->op == SCIM_OP_NE;
	return holds(filter->op, (micros > filter->value.micros) - (micros < filter->value.micros));
}

/* value NULL: absent. */
static bool
compare_value(Evaluation *evaluation, const ScimFilter *filter, ScimJson *value)
{
	if (value == NULL)
	{
		if (scim_absent_is_false(scim_filter_leaf(filter)))
			return filter->value.boolean == (filter->op == SCIM_OP_NE);
		return filter->op == SCIM_OP_NE;
	}
	switch (filter->value.kind)
	{
		case SCIM_LITERAL_STRING:
			return compare_string_value(evaluation, filter, value);
		case SCIM_LITERAL_NUMBER:
			return compare_number_value(filter, value);
		case SCIM_LITERAL_BOOLEAN:
			return compare_boolean_value(filter, value);
		case SCIM_LITERAL_TIME:
			return compare_time_value(filter, value);
	}
	return false;
}

static bool
is_present(ScimJson *value)
{
	struct json_object_iter member;

	switch (json_object_get_type(value))
	{
		case json_type_null:
			return false;
		case json_type_string:
			return json_object_get_string_len(value) > 0;
		case json_type_array:
			return json_object_array_length(value) > 0;
		case json_type_object:
			json_object_object_foreachC(value, member)
			{
				if (is_present(member.val))
					return true;
			}
			return false;
		default:
			return true;
	}
}

static bool
test_value(Evaluation *evaluation, const ScimFilter *filter, ScimJson *value)
{
	return filter->kind == SCIM_FILTER_PRESENT ? is_present(value) : compare_value(evaluation, filter, value);
}

/* ---- where values stand ---- */

/* A member by its canonical name; NULL when absent, or when json is no object. */
static ScimJson *
member(ScimJson *json, const char *name)
{
	ScimJson   *value = NULL;

	if (json_object_is_type(json, json_type_object))
		(void) json_object_object_get_ex(json, name, &value);
	return value;
}

static ScimJson *
attribute_value(const Evaluation *evaluation, const ScimPath *path)
{
	ScimJson   *container = evaluation->resource;

	if (path->extension != NULL)
		container = member(container, path->extension->id);
	return member(container, path->attr->name);
}

static ScimJson *
sub_value(ScimJson *value, const ScimPath *path)
{
	return path->sub != NULL ? member(value, path->sub->name) : value;
}

static size_t
element_count(ScimJson *value)
{
	return json_object_is_type(value, json_type_array) ? json_object_array_length(value) : 0;
}

/* A comparison or presence test outside brackets. */
static bool
test_resource(Evaluation *evaluation, const ScimFilter *filter)
{
	const ScimPath *path = &filter->path;
	ScimJson   *value = attribute_value(evaluation, path);
	size_t		n;

	if (!path->attr->multi_valued || (filter->kind == SCIM_FILTER_PRESENT && path->sub == NULL))
		return test_value(evaluation, filter, sub_value(value, path));
	n = element_count(value);
	for (size_t i = 0; i < n; i++)
	{
		if (test_value(evaluation, filter, sub_value(json_object_array_get_idx(value, i), path)))
			return true;
	}
	return n == 0 && filter->kind == SCIM_FILTER_COMPARE && filter->op == SCIM_OP_NE;
}

/* element is NULL outside brackets. */
static bool evaluate(Evaluation *evaluation, const ScimFilter *filter, ScimJson *element);

static bool
any_element(Evaluation *evaluation, const ScimFilter *filter)
{
	ScimJson   *value = attribute_value(evaluation, &filter->path);
	size_t		n = element_count(value);

	if (!filter->path.attr->multi_valued)
		return is_present(value) && evaluate(evaluation, filter->left, value);
	for (size_t i = 0; i < n; i++)
	{
		ScimJson   *element = json_object_array_get_idx(value, i);

		if (element != NULL && evaluate(evaluation, filter->left, element))
			return true;
	}
	return false;
}

static bool
evaluate(Evaluation *evaluation, const ScimFilter *filter, ScimJson *element)
{
	switch (filter->kind)
	{
		case SCIM_FILTER_AND:
			return evaluate(evaluation, filter->left, element) && evaluate(evaluation, filter->right, element);
		case SCIM_FILTER_OR:
			return evaluate(evaluation, filter->left, element) || evaluate(evaluation, filter->right, element);
		case SCIM_FILTER_NOT:
			return !evaluate(evaluation, filter->left, element);
		case SCIM_FILTER_VALUE_PATH:
			return any_element(evaluation, filter);
		case SCIM_FILTER_COMPARE:
		case SCIM_FILTER_PRESENT:
			break;
	}
	return element != NULL ? test_value(evaluation, filter, sub_value(element, &filter->path))
		: test_resource(evaluation, filter);
}

static bool
run(const ScimFilter *filter, ScimJson *resource, ScimJson *element, ScimStatus *status)
{
	Evaluation	evaluation = {.resource = resource, .status = SCIM_OK};
	bool		result;

	scim_buf_init(&evaluation.folded, NULL, FOLDED_MAX);
	result = evaluate(&evaluation, filter, element);
	scim_buf_free(&evaluation.folded);
	*status = evaluation.status;
	return evaluation.status == SCIM_OK && result;
}

bool
scim_filter_matches(const ScimFilter *filter, ScimJson *resource, ScimStatus *status)
{
	return run(filter, resource, NULL, status);
}

bool
scim_filter_matches_element(const ScimFilter *filter, ScimJson *element, ScimStatus *status)
{
	return run(filter, NULL, element, status);
}
