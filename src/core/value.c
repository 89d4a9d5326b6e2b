/*
 * value.c
 *		One attribute's value: checked against its schema and brought into
 *		canonical form (see resource.h).
 *
 * Every container made here belongs to the arena and is shared by reference
 * with the one it is put into, so that nothing is to be freed on an error.
 */
#include "core/json.h"
#include "core/resource.h"
#include "core/text.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

typedef struct Check
{
	ScimArena  *arena;
	bool		strict;
	ScimError  *err;
} Check;

static ScimStatus
no_memory(const Check *check)
{
	return scim_error(check->err, SCIM_NO_MEMORY, "out of memory");
}

/* SCIM_INVALID_VALUE: "name.familyName must be a string". */
static ScimStatus
wrong(const Check *check, const ScimAttribute *attr, const char *what)
{
	return scim_error(check->err, SCIM_INVALID_VALUE, "%s%s%s %s", attr->parent != NULL ? attr->parent->name : "",
					  attr->parent != NULL ? "." : "", attr->name, what);
}

/* A value in the spelling of canonicalValues where that differs in case only. */
static ScimStatus
canonical_string(const Check *check, const ScimAttribute *attr, ScimJson *value, ScimJson **out)
{
	ScimStr		text = scim_json_str(value);

	if (text.ptr == NULL)
		return wrong(check, attr, "must be a string");
	*out = value;
	for (size_t i = 0; attr->canonical_values != NULL && !attr->case_exact && attr->canonical_values[i] != NULL; i++)
	{
		const char *canonical = attr->canonical_values[i];

		if (scim_name_is(text, canonical) && memcmp(text.ptr, canonical, text.len) != 0)
		{
			*out = scim_json_string(check->arena, (ScimStr) {canonical, text.len});
			return *out != NULL ? SCIM_OK : no_memory(check);
		}
	}
	return SCIM_OK;
}

/* RFC 7643 section 2.3.5: an xsd:dateTime; kept in UTC with microseconds. */
static ScimStatus
canonical_time(const Check *check, const ScimAttribute *attr, ScimJson *value, ScimJson **out)
{
	char		text[SCIM_TIME_SIZE];
	int64_t		micros;

	if (!scim_time_parse(scim_json_str(value), &micros))
		return wrong(check, attr, "must be a dateTime such as \"2008-01-23T04:56:22Z\"");
	scim_time_format(micros, false, text);
	*out = scim_json_string(check->arena, (ScimStr) {text, strlen(text)});
	return *out != NULL ? SCIM_OK : no_memory(check);
}

/* RFC 7643 section 2.3.6: base64 or base64url (RFC 4648 sections 4 and 5), padding optional. */
static bool
is_base64(ScimStr text)
{
	size_t		len = text.len;
	bool		standard = false;
	bool		url = false;

	if (len % 4 == 0)
	{
		for (int i = 0; i < 2 && len > 0 && text.ptr[len - 1] == '='; i++)
			len--;
	}
	for (size_t i = 0; i < len; i++)
	{
		unsigned char c = scim_ascii_lower(text.ptr[i]);

		standard = standard || c == '+' || c == '/';
		url = url || c == '-' || c == '_';
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/' || c == '-' || c == '_'))
			return false;
	}
	return len % 4 != 1 && !(standard && url);
}

/*
 * RFC 7643 section 2.3.7: a URI, absolute or relative.  Only characters that
 * no URI and no IRI has (RFC 3986 section 2, RFC 3987 section 2.2) are refused.
 */
static bool
is_uri(ScimStr text)
{
	for (size_t i = 0; i < text.len; i++)
	{
		if ((unsigned char) text.ptr[i] <= ' ' || text.ptr[i] == 0x7F || strchr("<>\"{}|\\^`", text.ptr[i]) != NULL)
			return false;
	}
	return true;
}

/* A value that is neither complex nor an array. */
static ScimStatus
canonical_simple(const Check *check, const ScimAttribute *attr, ScimJson *value, ScimJson **out)
{
	bool		empty_string = json_object_is_type(value, json_type_string) && json_object_get_string_len(value) == 0;

	switch (attr->type)
	{
		case SCIM_TYPE_STRING:
			return canonical_string(check, attr, value, out);
		case SCIM_TYPE_BOOLEAN:
			if (!json_object_is_type(value, json_type_boolean))
				return wrong(check, attr, "must be true or false");
			break;
		case SCIM_TYPE_INTEGER:
			if (!json_object_is_type(value, json_type_int))
				return wrong(check, attr, "must be an integer");
			break;
		case SCIM_TYPE_DECIMAL:
			if (!json_object_is_type(value, json_type_int) && !json_object_is_type(value, json_type_double))
				return wrong(check, attr, "must be a number");
			break;
		case SCIM_TYPE_DATETIME:
			if (!empty_string)
				return canonical_time(check, attr, value, out);
			break;
		case SCIM_TYPE_BINARY:
			if (!json_object_is_type(value, json_type_string) || !is_base64(scim_json_str(value)))
				return wrong(check, attr, "must be a string in base64");
			break;
		case SCIM_TYPE_REFERENCE:
			if (!json_object_is_type(value, json_type_string) || !is_uri(scim_json_str(value)))
				return wrong(check, attr, "must be a URI");
			break;
		case SCIM_TYPE_COMPLEX:
			return wrong(check, attr, "must be an object");
	}
	*out = empty_string ? NULL : value;
	return SCIM_OK;
}

/* Does a complex attribute stand for another resource (RFC 7643 section 2.4: value and $ref)? */
static bool
references_resource(const ScimAttribute *attr)
{
	return scim_sub_attribute(attr, SCIM_STR("$ref")) != NULL && scim_sub_attribute(attr, SCIM_STR("value")) != NULL;
}

static ScimStatus
refuse_unknown(const Check *check, const ScimAttribute *attr, ScimJson *value)
{
	struct json_object_iter member;

	json_object_object_foreachC(value, member)
	{
		ScimStr		name = {member.key, strlen(member.key)};

		if (scim_sub_attribute(attr, name) == NULL)
		{
			name = scim_utf8_cut(name, 100);
			return scim_error(check->err, SCIM_INVALID_SYNTAX, "%s has no sub-attribute \"%.*s\"", attr->name,
							  (int) name.len, name.ptr);
		}
	}
	return SCIM_OK;
}

/* Sub-attributes in schema order; NULL when none has a value. */
static ScimStatus
canonical_complex(const Check *check, const ScimAttribute *attr, ScimJson *value, ScimJson **out)
{
	bool		reference = references_resource(attr);
	ScimJson   *object;

	*out = NULL;
	if (reference && json_object_is_type(value, json_type_string) && json_object_get_string_len(value) == 0)
		return SCIM_OK;
	if (!json_object_is_type(value, json_type_object))
		return wrong(check, attr, "must be an object");
	if (check->strict && refuse_unknown(check, attr, value) != SCIM_OK)
		return SCIM_INVALID_SYNTAX;
	object = scim_json_object(check->arena);
	if (object == NULL)
		return no_memory(check);
	for (size_t i = 0; i < attr->n_sub; i++)
	{
		const ScimAttribute *sub = &attr->sub[i];
		ScimJson   *member = scim_json_get(value, sub->name, NULL);
		ScimStatus	status;

		if (member == NULL || sub->mutability == SCIM_READ_ONLY)
			continue;
		status = scim_value_canonical(check->arena, sub, member, check->strict, &member, check->err);
		if (status != SCIM_OK)
			return status;
		if (reference && strcmp(sub->name, "value") == 0 && scim_json_str(member).len == 0)
			continue;
		if (member != NULL && !scim_json_set(object, sub->name, member))
			return no_memory(check);
	}
	if (json_object_object_length(object) > 0)
		*out = object;
	return SCIM_OK;
}

ScimStatus
scim_element_canonical(ScimArena *arena, const ScimAttribute *attr, ScimJson *element, bool strict, ScimJson **out,
					   ScimError *err)
{
	Check		check = {arena, strict, err};

	*out = NULL;
	if (element == NULL)
		return SCIM_OK;
	if (attr->type == SCIM_TYPE_COMPLEX)
		return canonical_complex(&check, attr, element, out);
	return canonical_simple(&check, attr, element, out);
}

/* What makes two elements of a multi-valued attribute the same. */
typedef struct ElementKey
{
	ScimStr		text;
	size_t		position;
} ElementKey;

static int
compare_keys(const void *a, const void *b)
{
	const ElementKey *left = a;
	const ElementKey *right = b;
	size_t		common = left->text.len < right->text.len ? left->text.len : right->text.len;
	int			order = memcmp(left->text.ptr, right->text.ptr, common);

	if (order == 0 && left->text.len != right->text.len)
		order = left->text.len < right->text.len ? -1 : 1;
	if (order == 0)
		order = left->position < right->position ? -1 : 1;
	return order;
}

/* A part of a key: JSON, folded where case does not count. */
static void
append_key_part(ScimBuf *keys, ScimBuf *scratch, const ScimAttribute *attr, ScimJson *value)
{
	scim_buf_reset(scratch);
	scim_json_write(scratch, value);
	if (attr->case_exact || attr->type == SCIM_TYPE_COMPLEX)
		scim_buf_bytes(keys, scratch->data, scratch->len);
	else
		scim_fold(keys, scratch->data, scratch->len);
	keys->failed = keys->failed || scratch->failed;
}

/* RFC 7643 section 2.4: of elements with the same value and type only one is to be returned. */
static void
append_key(ScimBuf *keys, ScimBuf *scratch, const ScimAttribute *attr, ScimJson *element)
{
	const ScimAttribute *value = scim_sub_attribute(attr, SCIM_STR("value"));
	const ScimAttribute *type = scim_sub_attribute(attr, SCIM_STR("type"));
	ScimJson   *member = value != NULL ? scim_json_get(element, value->name, NULL) : NULL;

	if (member == NULL)
	{
		append_key_part(keys, scratch, attr, element);
		return;
	}
	append_key_part(keys, scratch, value, member);
	if (type != NULL)
		append_key_part(keys, scratch, type, scim_json_get(element, type->name, NULL));
}

/* The keys of all elements, sorted; NULL when out of memory. */
static ElementKey *
sorted_keys(const ScimAttribute *attr, ScimJson *array, ScimBuf *texts)
{
	size_t		n = json_object_array_length(array);
	ElementKey *keys = malloc(n * sizeof(ElementKey));
	ScimBuf		scratch;

	scim_buf_init(&scratch, NULL, SIZE_MAX / 4);
	for (size_t i = 0; i < n && keys != NULL; i++)
	{
		size_t		start = texts->len;

		append_key(texts, &scratch, attr, json_object_array_get_idx(array, i));
		keys[i] = (ElementKey) {{NULL, texts->len - start}, i};
	}
	scim_buf_free(&scratch);
	if (keys == NULL || texts->failed)
	{
		free(keys);
		return NULL;
	}

	/* The buffer has moved while it grew: point into it only now. */
	for (size_t i = 0, start = 0; i < n; start += keys[i].text.len, i++)
		keys[i].text.ptr = texts->data + start;
	qsort(keys, n, sizeof(ElementKey), compare_keys);
	return keys;
}

/* The first of each set of same elements; it is primary if one of them is. */
static ScimStatus
without_duplicates(const Check *check, const ScimAttribute *attr, ScimJson *array, ScimJson **out)
{
	size_t		n = json_object_array_length(array);
	bool	   *dropped = scim_alloc(check->arena, n);
	ScimJson   *result = scim_json_array(check->arena);
	ElementKey *keys = NULL;
	ScimBuf		texts;
	bool		done = false;

	scim_buf_init(&texts, NULL, SIZE_MAX / 4);
	if (dropped != NULL && result != NULL)
		keys = sorted_keys(attr, array, &texts);
	if (keys != NULL)
	{
		done = true;
		for (size_t i = 1, first = 0; i < n && done; i++)
		{
			ScimJson   *element = json_object_array_get_idx(array, keys[i].position);
			ScimJson   *primary = scim_json_get(element, "primary", NULL);

			if (!scim_str_equal(keys[first].text, keys[i].text))
			{
				first = i;
				continue;
			}
			dropped[keys[i].position] = true;
			if (json_object_get_boolean(primary))
				done = scim_json_set(json_object_array_get_idx(array, keys[first].position), "primary", primary);
		}
		for (size_t i = 0; i < n && done; i++)
			done = dropped[i] || scim_json_append(result, json_object_array_get_idx(array, i));
	}
	free(keys);
	scim_buf_free(&texts);
	*out = result;
	return done ? SCIM_OK : no_memory(check);
}

static ScimStatus
canonical_array(const Check *check, const ScimAttribute *attr, ScimJson *value, ScimJson **out)
{
	ScimJson   *array;
	size_t		n;

	if (!json_object_is_type(value, json_type_array))
		return wrong(check, attr, "must be an array");
	n = json_object_array_length(value);
	array = scim_json_array(check->arena);
	if (array == NULL)
		return no_memory(check);
	for (size_t i = 0; i < n; i++)
	{
		ScimJson   *element = json_object_array_get_idx(value, i);
		ScimStatus	status;

		if (element == NULL)
			return wrong(check, attr, "must not contain null");
		status = scim_element_canonical(check->arena, attr, element, check->strict, &element, check->err);
		if (status != SCIM_OK)
			return status;
		if (element != NULL && !scim_json_append(array, element))
			return no_memory(check);
	}
	if (json_object_array_length(array) > 1)
		return without_duplicates(check, attr, array, out);
	*out = json_object_array_length(array) > 0 ? array : NULL;
	return SCIM_OK;
}

ScimStatus
scim_value_canonical(ScimArena *arena, const ScimAttribute *attr, ScimJson *value, bool strict, ScimJson **out,
					 ScimError *err)
{
	Check		check = {arena, strict, err};

	*out = NULL;
	if (value == NULL)
		return SCIM_OK;
	if (attr->multi_valued)
		return canonical_array(&check, attr, value, out);
	return scim_element_canonical(arena, attr, value, strict, out, err);
}

static int
compare_ids(const void *a, const void *b)
{
	return memcmp(((const ScimStr *) a)->ptr, ((const ScimStr *) b)->ptr, 36);
}

ScimStatus
scim_link_ids(ScimArena *arena, const ScimLink *link, ScimJson *value, ScimStr **ids, size_t *n, ScimError *err)
{
	Check		check = {arena, false, err};
	const ScimAttribute *id = scim_sub_attribute(link->attr, SCIM_STR("value"));
	size_t		count;
	size_t		distinct = 0;
	char	   *texts;

	*ids = NULL;
	*n = 0;
	if (value == NULL)
		return SCIM_OK;
	if (!json_object_is_type(value, json_type_array))
		return wrong(&check, link->attr, "must be an array");
	count = json_object_array_length(value);
	*ids = scim_alloc(arena, count * sizeof(ScimStr));
	texts = scim_alloc(arena, count * 37);
	if (*ids == NULL || texts == NULL)
		return no_memory(&check);
	for (size_t i = 0; i < count; i++, texts += 37)
	{
		ScimJson   *element = json_object_array_get_idx(value, i);

		if (!json_object_is_type(element, json_type_object))
			return wrong(&check, link->attr, "must be an array of objects with a \"value\"");
		if (!scim_uuid_parse(scim_json_str(scim_json_get(element, id->name, NULL)), texts))
			return wrong(&check, id, "must be the id of a resource that exists");
		(*ids)[i] = (ScimStr) {texts, 36};
	}
	qsort(*ids, count, sizeof(ScimStr), compare_ids);
	for (size_t i = 0; i < count; i++)
	{
		if (distinct == 0 || compare_ids(&(*ids)[distinct - 1], &(*ids)[i]) != 0)
			(*ids)[distinct++] = (*ids)[i];
	}
	*n = distinct;
	return SCIM_OK;
}
