/*
 * resource_row.c
 *		A canonical resource from and to the columns of its row (see
 *		resource.h).
 *
 * Equal resources give equal texts: what goes into a jsonb column is written
 * in schema order, however jsonb had ordered it when it was read.
 */
#include "core/json.h"
#include "core/json_scan.h"
#include "core/resource.h"
#include "core/resource_part.h"
#include "core/text.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

typedef struct Row
{
	ScimArena  *arena;
	const ScimResourceType *type;
	ScimJson   *json;
	ScimError  *err;
} Row;

static ScimStatus
no_memory(const Row *row)
{
	return scim_error(row->err, SCIM_NO_MEMORY, "out of memory");
}

/* The stored value is not what the registry says: somebody wrote it past us. */
static ScimStatus
unreadable(const Row *row, const ScimColumn *column)
{
	return scim_error(row->err, SCIM_INVALID_VALUE, "the stored value of %s is not of its type", column->path);
}

/* A numeric: an integer where it is one of 64 bits, else a number in its own spelling. */
static ScimStatus
number_from_text(const Row *row, const ScimColumn *column, ScimStr text, ScimJson **out)
{
	char	   *copy;

	if (scim_json_parse(row->arena, text, out, NULL) == SCIM_OK &&
		(json_object_is_type(*out, json_type_int) || json_object_is_type(*out, json_type_double)))
		return SCIM_OK;
	if (!scim_json_is_number(text))
		return unreadable(row, column);
	copy = scim_strdup(row->arena, text);
	*out = copy == NULL ? NULL : scim_own(row->arena, json_object_new_double_s(strtod(copy, NULL), copy));
	return *out != NULL ? SCIM_OK : no_memory(row);
}

static ScimStatus
time_from_text(const Row *row, const ScimColumn *column, ScimStr text, ScimJson **out)
{
	char		canonical[SCIM_TIME_SIZE];
	int64_t		micros;

	if (!scim_time_parse(text, &micros))
		return unreadable(row, column);
	scim_time_format(micros, false, canonical);
	*out = scim_json_string(row->arena, (ScimStr) {canonical, strlen(canonical)});
	return *out != NULL ? SCIM_OK : no_memory(row);
}

/* A jsonb column: an array for a multi-valued attribute, an object for a complex one. */
static ScimStatus
json_from_text(const Row *row, const ScimColumn *column, ScimStr text, ScimJson **out)
{
	bool		array = column->attr != NULL && column->attr->multi_valued;
	ScimStatus	status = scim_json_parse(row->arena, text, out, NULL);

	if (status == SCIM_NO_MEMORY)
		return no_memory(row);
	if (status != SCIM_OK || (*out != NULL && !json_object_is_type(*out, array ? json_type_array : json_type_object)))
		return unreadable(row, column);
	if (*out != NULL && (array ? json_object_array_length(*out) == 0 : json_object_object_length(*out) == 0))
		*out = NULL;
	return SCIM_OK;
}

/* The same of a jsonb column that is not made a tree of. */
static ScimStatus
check_json(const Row *row, const ScimColumn *column, ScimStr text)
{
	ScimStr		value;
	ScimStatus	status = scim_json_scan(row->arena, text, &value, NULL);

	if (status == SCIM_NO_MEMORY)
		return no_memory(row);
	if (status != SCIM_OK || (value.ptr[0] != (column->attr->multi_valued ? '[' : '{') && value.ptr[0] != 'n'))
		return unreadable(row, column);
	return SCIM_OK;
}

/* True, false, or -1: neither. */
static int
truth_of(ScimStr text)
{
	if (scim_str_equal(text, SCIM_STR("true")) || scim_str_equal(text, SCIM_STR("t")))
		return true;
	return scim_str_equal(text, SCIM_STR("false")) || scim_str_equal(text, SCIM_STR("f")) ? false : -1;
}

static ScimStatus
value_from_text(const Row *row, const ScimColumn *column, ScimStr text, ScimJson **out)
{
	int			truth;

	switch (column->type)
	{
		case SCIM_SQL_BOOL:
			truth = truth_of(text);
			if (truth < 0)
				return unreadable(row, column);
			*out = scim_own(row->arena, json_object_new_boolean(truth));
			break;
		case SCIM_SQL_INT8:
		case SCIM_SQL_NUMERIC:
			return number_from_text(row, column, text, out);
		case SCIM_SQL_TIMESTAMPTZ:
			return time_from_text(row, column, text, out);
		case SCIM_SQL_JSONB:
			return json_from_text(row, column, text, out);
		default:
			*out = scim_json_string(row->arena, text);
			break;
	}
	return *out != NULL ? SCIM_OK : no_memory(row);
}

/* The object that holds attr, made when it is not there; NULL when out of memory. */
static ScimJson *
made_part(const Row *row, const ScimAttribute *attr)
{
	ScimJson   *part = scim_resource_part(row->type, row->json, attr);

	if (part != NULL)
		return part;
	part = scim_json_object(row->arena);
	return part != NULL && scim_json_set(row->json, attr->schema->id, part) ? part : NULL;
}

/* Put a column's value where it belongs. */
static ScimStatus
place_value(const Row *row, const ScimColumn *column, ScimJson *value)
{
	ScimJson   *part = made_part(row, column->attr);
	json_object *complex = NULL;

	if (part == NULL)
		return no_memory(row);
	if (column->sub == NULL)
		return scim_json_set(part, column->attr->name, value) ? SCIM_OK : no_memory(row);
	if (!json_object_object_get_ex(part, column->attr->name, &complex))
	{
		complex = scim_json_object(row->arena);
		if (complex == NULL || !scim_json_set(part, column->attr->name, complex))
			return no_memory(row);
	}
	return scim_json_set(complex, column->sub->name, value) ? SCIM_OK : no_memory(row);
}

/* The array of the one element whose value is in a column; NULL for none. */
static ScimStatus
element_from_text(const Row *row, const ScimColumn *column, ScimStr text, ScimJson **out)
{
	ScimJson   *array = scim_json_array(row->arena);
	ScimJson   *element = NULL;
	ScimJson   *value = scim_json_string(row->arena, text);

	*out = NULL;
	if (text.len == 0)
		return SCIM_OK;
	if (scim_json_parse(row->arena, (ScimStr) {column->element, strlen(column->element)}, &element, NULL) != SCIM_OK ||
		array == NULL || value == NULL || !scim_json_set(element, "value", value) || !scim_json_append(array, element))
		return no_memory(row);
	*out = array;
	return SCIM_OK;
}

/* The attributes of one schema in the column of extensions, or of secrets. */
static ScimStatus
place_unbound(const Row *row, const ScimSchema *schema, ScimStore store, ScimJson *values)
{
	for (size_t i = 0; i < schema->n_attributes; i++)
	{
		const ScimAttribute *attr = &schema->attributes[i];
		const ScimColumn *column = scim_type_column(row->type, attr, NULL);
		ScimJson   *value = scim_json_get(values, attr->name, NULL);
		ScimJson   *part;

		if (value == NULL || column == NULL || column->store != store)
			continue;
		part = made_part(row, attr);
		if (part == NULL || !scim_json_set(part, attr->name, value))
			return no_memory(row);
	}
	return SCIM_OK;
}

/* The column of extensions: {URN: {attribute: value}}.  What nobody knows (any more) is kept as it is. */
static ScimStatus
place_by_schema(const Row *row, ScimStore store, ScimJson *values)
{
	struct json_object_iter member;

	json_object_object_foreachC(values, member)
	{
		ScimStr		urn = {member.key, strlen(member.key)};
		const ScimSchema *schema = scim_name_is(urn, row->type->schema->id) ? row->type->schema
		: scim_type_extension(row->type, urn);
		ScimStatus	status = SCIM_OK;

		if (schema != NULL)
			status = place_unbound(row, schema, store, member.val);
		else if (store == SCIM_STORE_EXTENSIONS && memchr(urn.ptr, ':', urn.len) != NULL && !scim_json_set(row->json, member.key, member.val))
			status = no_memory(row);
		if (status != SCIM_OK)
			return status;
	}
	return SCIM_OK;
}

/* Is a value that is shown as it is of its type? */
static ScimStatus
check_shown(const Row *row, const ScimColumn *column, ScimStr text)
{
	if (column->type == SCIM_SQL_JSONB)
		return check_json(row, column, text);
	return column->type == SCIM_SQL_BOOL && truth_of(text) < 0 ? unreadable(row, column) : SCIM_OK;
}

/* What is shown as it is in its column is left out of a rest. */
static ScimStatus
from_row(ScimArena *arena, const ScimResourceType *type, const ScimStr *values, bool rest, ScimJson **out, ScimError *err)
{
	Row			row = {arena, type, scim_json_object(arena), err};

	*out = row.json;
	if (row.json == NULL)
		return no_memory(&row);
	for (size_t i = 0; i < type->n_columns; i++)
	{
		const ScimColumn *column = &type->columns[i];
		ScimJson   *value = NULL;
		ScimStatus	status;

		if (values[i].ptr == NULL)
			continue;
		if (rest && column->shown)
		{
			status = check_shown(&row, column, values[i]);
			if (status != SCIM_OK)
				return status;
			continue;
		}
		status = column->store == SCIM_STORE_ELEMENT ? element_from_text(&row, column, values[i], &value)
			: value_from_text(&row, column, values[i], &value);
		if (status == SCIM_OK && value != NULL)
			status = column->attr == NULL ? place_by_schema(&row, column->store, value) : place_value(&row, column, value);
		if (status != SCIM_OK)
			return status;
	}
	return SCIM_OK;
}

ScimStatus
scim_resource_from_row(ScimArena *arena, const ScimResourceType *type, const ScimStr *values, ScimJson **out,
					   ScimError *err)
{
	return from_row(arena, type, values, false, out, err);
}

ScimStatus
scim_resource_rest_from_row(ScimArena *arena, const ScimResourceType *type, const ScimStr *values, ScimJson **out,
							ScimError *err)
{
	return from_row(arena, type, values, true, out, err);
}

static void write_ordered(ScimBuf *buf, const ScimAttribute *attr, ScimJson *value);

/* ,"name":value unless it is null */
static void
write_member(ScimBuf *buf, const char *name, const ScimAttribute *attr, ScimJson *value, bool *first)
{
	if (value == NULL)
		return;
	if (!*first)
		scim_buf_char(buf, ',');
	*first = false;
	scim_buf_json_string(buf, name, strlen(name));
	scim_buf_char(buf, ':');
	if (attr != NULL)
		write_ordered(buf, attr, value);
	else
		scim_json_write(buf, value);
}

/* A complex value: sub-attributes in schema order, then what the schema does not know. */
static void
write_ordered_object(ScimBuf *buf, const ScimAttribute *attr, ScimJson *value)
{
	struct json_object_iter member;
	bool		first = true;

	scim_buf_char(buf, '{');
	for (size_t i = 0; i < attr->n_sub; i++)
		write_member(buf, attr->sub[i].name, NULL, scim_json_get(value, attr->sub[i].name, NULL), &first);
	json_object_object_foreachC(value, member)
	{
		if (scim_sub_attribute(attr, (ScimStr) {member.key, strlen(member.key)}) == NULL)
			write_member(buf, member.key, NULL, member.val, &first);
	}
	scim_buf_char(buf, '}');
}

static void
write_ordered(ScimBuf *buf, const ScimAttribute *attr, ScimJson *value)
{
	size_t		n;

	if (json_object_is_type(value, json_type_object))
		write_ordered_object(buf, attr, value);
	else if (json_object_is_type(value, json_type_array))
	{
		n = json_object_array_length(value);
		scim_buf_char(buf, '[');
		for (size_t i = 0; i < n; i++)
		{
			ScimJson   *element = json_object_array_get_idx(value, i);

			if (i > 0)
				scim_buf_char(buf, ',');
			if (json_object_is_type(element, json_type_object))
				write_ordered_object(buf, attr, element);
			else
				scim_json_write(buf, element);
		}
		scim_buf_char(buf, ']');
	}
	else
		scim_json_write(buf, value);
}

/* "URN":{…} of the attributes of one schema that have no column. */
static void
write_unbound(ScimBuf *buf, const Row *row, const ScimSchema *schema, ScimStore store, bool *first)
{
	bool		first_attribute = true;

	for (size_t i = 0; i < schema->n_attributes; i++)
	{
		const ScimAttribute *attr = &schema->attributes[i];
		const ScimColumn *column = scim_type_column(row->type, attr, NULL);
		ScimJson   *value = scim_json_get(scim_resource_part(row->type, row->json, attr), attr->name, NULL);

		if (value == NULL || column == NULL || column->store != store)
			continue;
		if (first_attribute)
		{
			scim_buf_str(buf, *first ? "" : ",");
			scim_buf_json_string(buf, schema->id, strlen(schema->id));
			scim_buf_str(buf, ":{");
			*first = false;
		}
		write_member(buf, attr->name, attr, value, &first_attribute);
	}
	if (!first_attribute)
		scim_buf_char(buf, '}');
}

/* The column of extensions, or of secrets; absent when there is nothing for it.  False when out of memory. */
static bool
text_by_schema(const Row *row, ScimStore store, ScimStr *text)
{
	struct json_object_iter member;
	ScimBuf		buf;
	bool		first = true;

	scim_buf_init(&buf, row->arena, SIZE_MAX / 4);
	scim_buf_char(&buf, '{');
	write_unbound(&buf, row, row->type->schema, store, &first);
	for (size_t i = 0; i < row->type->n_extensions; i++)
		write_unbound(&buf, row, row->type->extensions[i], store, &first);
	json_object_object_foreachC(row->json, member)
	{
		ScimStr		urn = {member.key, strlen(member.key)};

		if (store == SCIM_STORE_EXTENSIONS && memchr(urn.ptr, ':', urn.len) != NULL && !scim_name_is(urn, row->type->schema->id) &&
			scim_type_extension(row->type, urn) == NULL)
			write_member(&buf, member.key, NULL, member.val, &first);
	}
	scim_buf_char(&buf, '}');
	*text = first ? SCIM_STR_NONE : (ScimStr) {buf.data, buf.len};
	return !buf.failed;
}

/* Text of a value for its column; ptr NULL when out of memory. */
static ScimStr
text_of(const Row *row, const ScimColumn *column, ScimJson *value)
{
	ScimBuf		buf;

	if (json_object_is_type(value, json_type_string) && column->type != SCIM_SQL_JSONB)
		return scim_json_str(value);
	scim_buf_init(&buf, row->arena, SIZE_MAX / 4);
	write_ordered(&buf, column->sub != NULL ? column->sub : column->attr, value);
	return buf.failed ? SCIM_STR_NONE : (ScimStr) {buf.data, buf.len};
}

ScimStatus
scim_resource_to_row(ScimArena *arena, const ScimResourceType *type, ScimJson *json, ScimStr *values, ScimError *err)
{
	Row			row = {arena, type, json, err};

	for (size_t i = 0; i < type->n_columns; i++)
	{
		const ScimColumn *column = &type->columns[i];
		ScimJson   *value;

		values[i] = SCIM_STR_NONE;
		if (column->store == SCIM_STORE_EXPRESSION)
			continue;
		if (column->attr == NULL)
		{
			if (!text_by_schema(&row, column->store, &values[i]))
				return no_memory(&row);
			continue;
		}
		value = scim_json_get(scim_resource_part(type, json, column->attr), column->attr->name, NULL);
		if (column->sub != NULL)
			value = scim_json_get(value, column->sub->name, NULL);
		if (column->store == SCIM_STORE_ELEMENT)
			value = value != NULL ? scim_json_get(json_object_array_get_idx(value, 0), "value", NULL) : NULL;
		if (value == NULL)
			continue;
		values[i] = text_of(&row, column, value);
		if (values[i].ptr == NULL)
			return no_memory(&row);
	}
	return SCIM_OK;
}
