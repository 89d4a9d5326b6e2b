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

/* The URI of a resource as a JSON string. */
static void
write_location(ScimBuf *buf, const ScimResourceType *type, ScimStr id, const char *base_url)
{
	ScimBuf		location;

	scim_buf_init(&location, NULL, SIZE_MAX / 4);
	scim_buf_str(&location, base_url);
	scim_buf_str(&location, type->endpoint);
	scim_buf_char(&location, '/');
	scim_buf_bytes(&location, id.ptr, id.len);
	if (location.failed)
		buf->failed = true;
	else
		scim_buf_json_string(buf, location.data, location.len);
	scim_buf_free(&location);
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
		ScimJson   *member;
		ScimStr		id;

		if (!scim_projection_wants_sub(w->projection, attr, sub))
			continue;
		member = scim_json_get(value, sub->name, NULL);
		if (member != NULL)
		{
			begin_member(w->buf, sub->name, &first);
			scim_json_write(w->buf, member);
			continue;
		}
		id = scim_json_str(scim_json_get(value, "value", NULL));
		if (id.ptr != NULL && referenced_type(w, attr, sub) != NULL)
		{
			begin_member(w->buf, sub->name, &first);
			write_location(w->buf, referenced_type(w, attr, sub), id, w->base_url);
		}
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
		return json_object_is_type(value, json_type_object) && write_complex(w, attr, value);
	if (value == NULL)
		return false;
	scim_json_write(w->buf, value);
	return true;
}

static bool
write_array(const Writer *w, const ScimAttribute *attr, ScimJson *value)
{
	size_t		n = json_object_is_type(value, json_type_array) ? json_object_array_length(value) : 0;
	size_t		start = w->buf->len;
	bool		first = true;

	scim_buf_char(w->buf, '[');
	for (size_t i = 0; i < n; i++)
	{
		size_t		before = w->buf->len;

		if (!first)
			scim_buf_char(w->buf, ',');
		if (write_element(w, attr, json_object_array_get_idx(value, i)))
			first = false;
		else
			scim_buf_truncate(w->buf, before);
	}
	if (first)
		scim_buf_truncate(w->buf, start);
	else
		scim_buf_char(w->buf, ']');
	return !first;
}

/* A member of part, if it is to be shown and there is something to show. */
static void
write_attribute(const Writer *w, const ScimAttribute *attr, ScimJson *part, bool *first)
{
	ScimJson   *value = scim_json_get(part, attr->name, NULL);
	size_t		start = w->buf->len;
	bool		was_first = *first;

	if (value == NULL || !scim_projection_wants(w->projection, attr))
		return;
	begin_member(w->buf, attr->name, first);
	if (attr->multi_valued ? write_array(w, attr, value) : write_element(w, attr, value))
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

static const ScimAttribute *
common_attribute(const char *name)
{
	for (size_t i = 0; i < scim_common_attribute_count; i++)
	{
		if (strcmp(scim_common_attributes[i].name, name) == 0)
			return &scim_common_attributes[i];
	}
	return NULL;
}

/* A member of meta, if it is to be shown. */
static bool
begin_meta(const Writer *w, const char *name, bool *first)
{
	const ScimAttribute *meta = common_attribute("meta");

	if (!scim_projection_wants_sub(w->projection, meta, scim_sub_attribute(meta, (ScimStr) {name, strlen(name)})))
		return false;
	begin_member(w->buf, name, first);
	return true;
}

static void
write_time(ScimBuf *buf, int64_t micros)
{
	char		text[SCIM_TIME_SIZE];

	scim_time_format(micros, false, text);
	write_text(buf, text);
}

/* RFC 7643 section 3.1. */
static void
write_meta(const Writer *w, const ScimMeta *meta)
{
	char		etag[SCIM_ETAG_SIZE];
	bool		first = true;

	if (!scim_projection_wants(w->projection, common_attribute("meta")))
		return;
	scim_buf_str(w->buf, ",\"meta\":{");
	if (begin_meta(w, "resourceType", &first))
		write_text(w->buf, w->type->name);
	if (begin_meta(w, "created", &first))
		write_time(w->buf, meta->created);
	if (begin_meta(w, "lastModified", &first))
		write_time(w->buf, meta->last_modified);
	if (begin_meta(w, "location", &first))
		write_location(w->buf, w->type, meta->id, w->base_url);
	if (begin_meta(w, "version", &first))
	{
		scim_etag(meta->version, etag);
		write_text(w->buf, etag);
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

		if (!json_object_object_get_ex(resource, schema->id, &part))
			continue;
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
scim_response_resource(ScimBuf *buf, const ScimResourceType *type, ScimJson *resource, const ScimMeta *meta,
					   const ScimProjection *projection, const char *base_url)
{
	Writer		w = {buf, type, projection, base_url};
	ScimBuf		extensions;
	bool		first = false;

	scim_buf_init(&extensions, NULL, SIZE_MAX / 4);
	scim_buf_str(buf, "{\"schemas\":[");
	write_text(buf, type->schema->id);
	write_extensions(&w, resource, buf, &extensions);
	scim_buf_str(buf, "],\"id\":");
	scim_buf_json_string(buf, meta->id.ptr, meta->id.len);
	write_attribute(&w, common_attribute("externalId"), resource, &first);
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
