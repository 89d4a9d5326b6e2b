/*
 * response.c
 *		Resources, lists and errors as they are sent (see response.h).
 *
 * A resource is written by walking its schema, not the stored value: so what
 * the schema does not know or marks as never returned cannot get out, and
 * equal resources give equal bytes.
 */
#include "core/response.h"

#include "core/json.h"
#include "core/members.h"
#include "core/resource_part.h"
#include "core/text.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

typedef struct Writer
{
	ScimBuf    *buf;
	const ScimResourceType *type;
	const ScimStr *values;		/* of the row, or NULL */
	const ScimProjection *projection;
	const char *base_url;
} Writer;

static void
write_text(ScimBuf *buf, const char *text)
{
	scim_buf_json_string(buf, text, strlen(text));
}

/* "name": with a comma before it, unless it is the first member. */
static void
begin_member(ScimBuf *buf, const char *name, bool *first)
{
	if (!*first)
		scim_buf_char(buf, ',');
	*first = false;
	write_text(buf, name);
	scim_buf_char(buf, ':');
}

/* The URI of a resource as a JSON string; endpoints and ids have nothing to be escaped. */
static void
write_location(ScimBuf *buf, const ScimResourceType *type, ScimStr id, const char *base_url)
{
	write_text(buf, base_url);
	scim_buf_truncate(buf, buf->len - 1);
	scim_buf_str(buf, type->endpoint);
	scim_buf_char(buf, '/');
	scim_buf_bytes(buf, id.ptr, id.len);
	scim_buf_char(buf, '"');
}

/* What the row has of an attribute, or of a part, that is shown from there; absent: nothing. */
static ScimStr
row_value(const Writer *w, const ScimAttribute *attr)
{
	int			column = w->values != NULL ? scim_type_shown_column(w->type, attr) : -1;

	return column >= 0 ? w->values[column] : SCIM_STR_NONE;
}

/* A JSON value of PostgreSQL's as scim_json_write writes it: without blanks, and with DEL escaped. */
static void
write_jsonb(ScimBuf *buf, ScimStr text)
{
	size_t		done = 0;
	bool		quoted = false;

	for (size_t i = 0; i < text.len; i++)
	{
		char		c = text.ptr[i];

		if (c == '"')
			quoted = !quoted;
		else if (c == '\\')
			i++;
		else if (c == 0x7F || (c == ' ' && !quoted))
		{
			scim_buf_bytes(buf, text.ptr + done, i - done);
			scim_buf_str(buf, c == ' ' ? "" : "\\u007f");
			done = i + 1;
		}
	}
	scim_buf_bytes(buf, text.ptr + done, text.len - done);
}

/* The member of that name, in any case, of an object in jsonb; absent when there is none, or null. */
static ScimStr
jsonb_member(ScimStr object, const char *name)
{
	size_t		len = strlen(name);
	ScimMembers members;
	ScimMember	member;

	scim_members_begin(&members, object);
	while (scim_members_next(&members, &member))
	{
		/* Names of attributes have nothing that is escaped. */
		if (member.name.len == len + 2 && scim_name_equal((ScimStr) {member.name.ptr + 1, len}, (ScimStr) {name, len}))
			return member.value.ptr[0] == 'n' ? SCIM_STR_NONE : member.value;
	}
	return SCIM_STR_NONE;
}

/* One value of jsonb that is no array; false, and nothing written, when there is nothing to show. */
static bool
write_jsonb_element(const Writer *w, const ScimAttribute *attr, ScimStr value)
{
	size_t		start = w->buf->len;
	bool		first = true;

	if (attr->type != SCIM_TYPE_COMPLEX)
	{
		if (value.ptr[0] != 'n')
			write_jsonb(w->buf, value);
		return value.ptr[0] != 'n';
	}
	scim_buf_char(w->buf, '{');
	for (size_t i = 0; i < attr->n_sub; i++)
	{
		ScimStr		member = scim_projection_wants_sub(w->projection, attr, &attr->sub[i]) ?
			jsonb_member(value, attr->sub[i].name) : SCIM_STR_NONE;

		if (member.ptr == NULL)
			continue;
		begin_member(w->buf, attr->sub[i].name, &first);
		write_jsonb(w->buf, member);
	}
	if (first)
		scim_buf_truncate(w->buf, start);
	else
		scim_buf_char(w->buf, '}');
	return !first;
}

/* An array being written, of which elements that show nothing are left out. */
typedef struct Array
{
	ScimBuf    *buf;
	size_t		start;			/* where it begins */
	size_t		element;		/* where the element at hand begins, with its comma */
	bool		first;			/* no element is there yet */
} Array;

static Array
begin_array(ScimBuf *buf)
{
	Array		array = {buf, buf->len, 0, true};

	scim_buf_char(buf, '[');
	return array;
}

static void
begin_element(Array *array)
{
	array->element = array->buf->len;
	if (!array->first)
		scim_buf_char(array->buf, ',');
}

static void
end_element(Array *array, bool shown)
{
	if (shown)
		array->first = false;
	else
		scim_buf_truncate(array->buf, array->element);
}

/* False, and nothing written, when no element is there. */
static bool
end_array(Array *array)
{
	if (array->first)
		scim_buf_truncate(array->buf, array->start);
	else
		scim_buf_char(array->buf, ']');
	return !array->first;
}

static bool
write_jsonb_array(const Writer *w, const ScimAttribute *attr, ScimStr value)
{
	Array		array = begin_array(w->buf);
	ScimMembers elements;
	ScimStr		element;

	scim_elements_begin(&elements, value);
	while (scim_elements_next(&elements, &element))
	{
		begin_element(&array);
		end_element(&array, write_jsonb_element(w, attr, element));
	}
	return end_array(&array);
}

/* A value from the row; false, and nothing written, when there is nothing to show. */
static bool
write_row_value(const Writer *w, const ScimAttribute *attr, ScimStr text)
{
	if (attr->multi_valued)
		return write_jsonb_array(w, attr, text);
	if (attr->type == SCIM_TYPE_COMPLEX)
		return write_jsonb_element(w, attr, text);
	if (attr->type == SCIM_TYPE_BOOLEAN)
		scim_buf_str(w->buf, text.ptr[0] == 't' ? "true" : "false");
	else
		scim_buf_json_string(w->buf, text.ptr, text.len);
	return true;
}

/* The resource type whose id a complex attribute's `value` holds, or NULL. */
static const ScimResourceType *
referenced_type(const Writer *w, const ScimAttribute *attr, const ScimAttribute *sub)
{
	const ScimAttribute *value;
	const ScimColumn *column;

	if (attr->multi_valued || strcmp(sub->name, "$ref") != 0)
		return NULL;
	value = scim_sub_attribute(attr, SCIM_STR("value"));
	column = value != NULL ? scim_type_column(w->type, attr, value) : NULL;
	return column != NULL && column->references != NULL
		? scim_registry_type_by_name(w->type->registry, column->references) : NULL;
}

/* The id in the `value` of a complex one; absent when there is none. */
static ScimStr
referenced_id(const Writer *w, const ScimAttribute *attr, ScimJson *value)
{
	const ScimAttribute *sub = scim_sub_attribute(attr, SCIM_STR("value"));
	ScimStr		id = sub != NULL ? row_value(w, sub) : SCIM_STR_NONE;

	return id.ptr != NULL ? id : scim_json_str(scim_json_get(value, "value", NULL));
}

/* One complex value as an object; false, and nothing written, when it shows nothing. */
static bool
write_complex(const Writer *w, const ScimAttribute *attr, ScimJson *value)
{
	size_t		start = w->buf->len;
	bool		first = true;

	scim_buf_char(w->buf, '{');
	for (size_t i = 0; i < attr->n_sub; i++)
	{
		const ScimAttribute *sub = &attr->sub[i];
		const ScimResourceType *referenced;
		ScimStr		text = row_value(w, sub);
		ScimJson   *member = text.ptr == NULL ? scim_json_get(value, sub->name, NULL) : NULL;

		if (!scim_projection_wants_sub(w->projection, attr, sub))
			continue;
		referenced = text.ptr == NULL && member == NULL ? referenced_type(w, attr, sub) : NULL;
		if (referenced != NULL)
			text = referenced_id(w, attr, value);
		if (text.ptr == NULL && member == NULL)
			continue;
		begin_member(w->buf, sub->name, &first);
		if (member != NULL)
			scim_json_write(w->buf, member);
		else if (referenced != NULL)
			write_location(w->buf, referenced, text, w->base_url);
		else
			(void) write_row_value(w, sub, text);
	}
	if (first)
		scim_buf_truncate(w->buf, start);
	else
		scim_buf_char(w->buf, '}');
	return !first;
}

/* One value that is no array; false, and nothing written, when there is nothing to show. */
static bool
write_element(const Writer *w, const ScimAttribute *attr, ScimJson *value)
{
	if (attr->type == SCIM_TYPE_COMPLEX)
		return (value == NULL || json_object_is_type(value, json_type_object)) && write_complex(w, attr, value);
	if (value == NULL)
		return false;
	scim_json_write(w->buf, value);
	return true;
}

static bool
write_array(const Writer *w, const ScimAttribute *attr, ScimJson *value)
{
	size_t		n = json_object_is_type(value, json_type_array) ? json_object_array_length(value) : 0;
	Array		array = begin_array(w->buf);

	for (size_t i = 0; i < n; i++)
	{
		begin_element(&array);
		end_element(&array, write_element(w, attr, json_object_array_get_idx(value, i)));
	}
	return end_array(&array);
}

/* A member of part, if it is to be shown and there is something to show. */
static void
write_attribute(const Writer *w, const ScimAttribute *attr, ScimJson *part, bool *first)
{
	ScimStr		text = row_value(w, attr);
	ScimJson   *value = text.ptr == NULL ? scim_json_get(part, attr->name, NULL) : NULL;
	size_t		start = w->buf->len;
	bool		was_first = *first;

	/* Of a complex one, the parts may be in the row. */
	if ((value == NULL && text.ptr == NULL && (attr->type != SCIM_TYPE_COMPLEX || attr->multi_valued)) ||
		!scim_projection_wants(w->projection, attr))
		return;
	begin_member(w->buf, attr->name, first);
	if (text.ptr != NULL ? write_row_value(w, attr, text) :
		attr->multi_valued ? write_array(w, attr, value) : write_element(w, attr, value))
		return;
	scim_buf_truncate(w->buf, start);
	*first = was_first;
}

static void
write_attributes(const Writer *w, const ScimAttribute *attributes, size_t n, ScimJson *part, bool *first)
{
	for (size_t i = 0; i < n; i++)
		write_attribute(w, &attributes[i], part, first);
}

static void
write_time(ScimBuf *buf, int64_t micros)
{
	char		text[SCIM_TIME_SIZE];

	scim_time_format(micros, false, text);
	write_text(buf, text);
}

static void
write_meta_part(const Writer *w, size_t part, const ScimMeta *meta)
{
	char		etag[SCIM_ETAG_SIZE];

	switch (part)
	{
		case SCIM_META_RESOURCE_TYPE:
			write_text(w->buf, w->type->name);
			break;
		case SCIM_META_CREATED:
			write_time(w->buf, meta->created);
			break;
		case SCIM_META_LAST_MODIFIED:
			write_time(w->buf, meta->last_modified);
			break;
		case SCIM_META_LOCATION:
			write_location(w->buf, w->type, meta->id, w->base_url);
			break;
		case SCIM_META_VERSION:
			scim_etag(meta->version, etag);
			write_text(w->buf, etag);
			break;
	}
}

/* RFC 7643 section 3.1. */
static void
write_meta(const Writer *w, const ScimMeta *meta)
{
	const ScimAttribute *attr = &scim_common_attributes[SCIM_COMMON_META];
	bool		first = true;

	if (!scim_projection_wants(w->projection, attr))
		return;
	scim_buf_str(w->buf, ",\"meta\":{");
	for (size_t i = 0; i < attr->n_sub; i++)
	{
		if (!scim_projection_wants_sub(w->projection, attr, &attr->sub[i]))
			continue;
		begin_member(w->buf, attr->sub[i].name, &first);
		write_meta_part(w, i, meta);
	}
	scim_buf_char(w->buf, '}');
}

/* Each extension that shows something: its URN to schemas, its object to objects, a comma before both. */
static void
write_extensions(const Writer *w, ScimJson *resource, ScimBuf *schemas, ScimBuf *objects)
{
	Writer		into = *w;

	into.buf = objects;
	for (size_t i = 0; i < w->type->n_extensions; i++)
	{
		const ScimSchema *schema = w->type->extensions[i];
		ScimJson   *part = NULL;
		size_t		start = objects->len;
		bool		first = true;

		(void) json_object_object_get_ex(resource, schema->id, &part);
		scim_buf_char(objects, ',');
		write_text(objects, schema->id);
		scim_buf_str(objects, ":{");
		write_attributes(&into, schema->attributes, schema->n_attributes, part, &first);
		if (first)
		{
			scim_buf_truncate(objects, start);
			continue;
		}
		scim_buf_char(objects, '}');
		scim_buf_char(schemas, ',');
		write_text(schemas, schema->id);
	}
}

void
scim_response_resource(ScimBuf *buf, const ScimResourceType *type, const ScimStr *values, ScimJson *resource,
					   const ScimMeta *meta, const ScimProjection *projection, const char *base_url)
{
	Writer		w = {buf, type, values, projection, base_url};
	ScimBuf		extensions;
	bool		first = false;

	scim_buf_init(&extensions, buf->arena, SIZE_MAX / 4);
	scim_buf_str(buf, "{\"schemas\":[");
	write_text(buf, type->schema->id);
	write_extensions(&w, resource, buf, &extensions);
	scim_buf_str(buf, "],\"id\":");
	scim_buf_json_string(buf, meta->id.ptr, meta->id.len);
	write_attribute(&w, &scim_common_attributes[SCIM_COMMON_EXTERNAL_ID], resource, &first);
	write_attributes(&w, type->schema->attributes, type->schema->n_attributes, resource, &first);
	if (extensions.len > 0)
		scim_buf_bytes(buf, extensions.data, extensions.len);
	write_meta(&w, meta);
	scim_buf_char(buf, '}');
	buf->failed = buf->failed || extensions.failed;
	scim_buf_free(&extensions);
}

/* RFC 7644 section 3.4.2. */
void
scim_response_list_begin(ScimBuf *buf, int64_t total, int64_t start_index, int64_t items_per_page)
{
	scim_buf_printf(buf, "{\"schemas\":[\"" SCIM_URN_LIST_RESPONSE "\"],\"totalResults\":%" PRId64
					",\"startIndex\":%" PRId64 ",\"itemsPerPage\":%" PRId64 ",\"Resources\":[",
					total, start_index, items_per_page);
}

void
scim_response_cursor_begin(ScimBuf *buf, int64_t total, int64_t items_per_page, const char *next)
{
	scim_buf_str(buf, "{\"schemas\":[\"" SCIM_URN_LIST_RESPONSE "\"]");
	if (total >= 0)
		scim_buf_printf(buf, ",\"totalResults\":%" PRId64, total);
	if (next != NULL)
		scim_buf_printf(buf, ",\"nextCursor\":\"%s\"", next);
	scim_buf_printf(buf, ",\"itemsPerPage\":%" PRId64 ",\"Resources\":[", items_per_page);
}

void
scim_response_list_end(ScimBuf *buf)
{
	scim_buf_str(buf, "]}");
}

/* RFC 7644 section 3.12; status is a string. */
void
scim_response_error(ScimBuf *buf, const ScimError *err)
{
	const char *type = scim_status_type(err->status);

	scim_buf_printf(buf, "{\"schemas\":[\"" SCIM_URN_ERROR "\"],\"status\":\"%d\"", scim_status_http(err->status));
	if (type != NULL)
		scim_buf_printf(buf, ",\"scimType\":\"%s\"", type);
	if (err->detail[0] != '\0')
	{
		scim_buf_str(buf, ",\"detail\":");
		write_text(buf, err->detail);
	}
	scim_buf_char(buf, '}');
}

char *
scim_location(ScimArena *arena, const ScimResourceType *type, ScimStr id, const char *base_url)
{
	return scim_sprintf(arena, "%s%s/%.*s", base_url, type->endpoint, (int) id.len, id.ptr);
}

/* RFC 7644 section 3.14: a weak entity tag. */
void
scim_etag(int64_t version, char out[SCIM_ETAG_SIZE])
{
	snprintf(out, SCIM_ETAG_SIZE, "W/\"%" PRId64 "\"", version);
}
