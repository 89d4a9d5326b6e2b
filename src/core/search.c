/*
 * search.c
 *		The body of POST .search (see search.h).
 */
#include "core/search.h"
#include "core/text.h"

#include <json-c/json.h>
#include <string.h>

#define LIST_MAX ((size_t) 1024 * 1024)

static ScimStatus
get_text(ScimJson *body, const char *name, ScimStr *out, ScimError *err)
{
	ScimJson   *value = scim_json_get(body, name, NULL);

	if (value == NULL)
		return SCIM_OK;
	if (!json_object_is_type(value, json_type_string))
		return scim_error(err, SCIM_INVALID_VALUE, "%s must be a string", name);
	*out = scim_json_str(value);
	return SCIM_OK;
}

/* A list of attributes, as a query string has it. */
static ScimStatus
get_names(ScimArena *arena, ScimJson *body, const char *name, ScimStr *out, ScimError *err)
{
	ScimJson   *list = scim_json_get(body, name, NULL);
	ScimBuf		buf;

	if (!json_object_is_type(list, json_type_array))
		return get_text(body, name, out, err);
	scim_buf_init(&buf, arena, LIST_MAX);
	for (size_t i = 0; i < json_object_array_length(list); i++)
	{
		ScimJson   *item = json_object_array_get_idx(list, i);

		if (!json_object_is_type(item, json_type_string))
			return scim_error(err, SCIM_INVALID_VALUE, "%s must be an array of strings", name);
		if (i > 0)
			scim_buf_char(&buf, ',');
		scim_buf_bytes(&buf, json_object_get_string(item), (size_t) json_object_get_string_len(item));
	}
	if (buf.failed)
		return scim_error(err, SCIM_INVALID_VALUE, "%s is too long", name);
	if (buf.len > 0)
		*out = (ScimStr) {buf.data, buf.len};
	return SCIM_OK;
}

static ScimStatus
get_integer(ScimJson *body, const char *name, ScimStatus otherwise, bool *given, int64_t *out, ScimError *err)
{
	ScimJson   *value = scim_json_get(body, name, NULL);

	if (value == NULL)
		return SCIM_OK;
	*given = true;
	if (!json_object_is_type(value, json_type_int))
		return scim_error(err, otherwise, "%s must be an integer", name);
	*out = json_object_get_int64(value);
	return SCIM_OK;
}

ScimStatus
scim_search_parse(ScimArena *arena, ScimJson *body, ScimQuery *out, ScimError *err)
{
	const struct
	{
		const char *name;
		ScimStr    *value;
	}			texts[] = {
		{"filter", &out->filter},
		{"sortBy", &out->sort_by},
		{"sortOrder", &out->sort_order},
		{"cursor", &out->cursor},
	};
	ScimStatus	status = SCIM_OK;

	*out = (ScimQuery) {.start_index = 1};
	if (!scim_json_has_schema(body, SCIM_URN_SEARCH_REQUEST))
		return scim_error(err, SCIM_INVALID_SYNTAX, "the body must be an object whose schemas are [\"%s\"]", SCIM_URN_SEARCH_REQUEST);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]) && status == SCIM_OK; i++)
		status = get_text(body, texts[i].name, texts[i].value, err);
	if (status == SCIM_OK)
		status = get_names(arena, body, "attributes", &out->attributes, err);
	if (status == SCIM_OK)
		status = get_names(arena, body, "excludedAttributes", &out->excluded_attributes, err);
	if (status == SCIM_OK)
		status = get_integer(body, "startIndex", SCIM_INVALID_VALUE, &out->has_start_index, &out->start_index, err);
	if (status == SCIM_OK)
		status = get_integer(body, "count", SCIM_INVALID_COUNT, &out->has_count, &out->count, err);
	return status == SCIM_OK ? scim_query_check(out, err) : status;
}
