/*
 * path.c
 *		Attribute paths resolved against a resource type (see path.h).
 */
#include "core/path.h"

#include <string.h>

#include "core/filter.h"
#include "core/text.h"

/* How much of a client's text an error repeats. */
#define SHOWN_MAX 64

static int
shown(ScimStr text)
{
	return text.len < SHOWN_MAX ? (int) text.len : SHOWN_MAX;
}

/*
 * Does the text at the cursor start with the URN, as a whole: the end, or a
 * byte that cannot continue it, must follow?
 */
static bool
urn_follows(const ScimCursor *cursor, const char *urn)
{
	size_t		len = strlen(urn);
	const char *next = cursor->ptr + len;

	if ((size_t) (cursor->end - cursor->ptr) < len || !scim_name_is((ScimStr) {cursor->ptr, len}, urn))
		return false;
	return next == cursor->end || strchr(": ()[]", *next) != NULL;
}

/* The schema of the type whose URN stands at the cursor; of several, the longest. */
static const ScimSchema *
schema_at(const ScimResourceType *type, const ScimCursor *cursor)
{
	const ScimSchema *found = NULL;

	if (urn_follows(cursor, type->schema->id))
		found = type->schema;
	for (size_t i = 0; i < type->n_extensions; i++)
	{
		const ScimSchema *extension = type->extensions[i];

		if (urn_follows(cursor, extension->id) &&
			(found == NULL || strlen(extension->id) > strlen(found->id)))
			found = extension;
	}
	return found;
}

ScimStatus
scim_path_parse_attribute(const ScimResourceType *type, ScimCursor *cursor, ScimPath *out,
						  ScimError *err)
{
	size_t		offset = scim_cursor_offset(cursor);
	const ScimSchema *schema = schema_at(type, cursor);
	ScimStr		name;

	*out = (ScimPath) {0};
	if (schema != NULL)
	{
		cursor->ptr += strlen(schema->id);
		out->extension = schema != type->schema ? schema : NULL;
		if (!scim_cursor_byte(cursor, ':'))
		{
			if (out->extension != NULL)
				return SCIM_OK;
			return scim_error(err, SCIM_INVALID_PATH, "offset %zu: the schema names no attribute", offset);
		}
		offset = scim_cursor_offset(cursor);
	}

	name = scim_cursor_name(cursor);
	if (name.ptr == NULL)
		return scim_error(err, SCIM_INVALID_PATH, "offset %zu: an attribute name is expected", offset);
	out->attr = out->extension != NULL ? scim_schema_attribute(out->extension, name) : scim_type_attribute(type, name);
	if (out->attr == NULL)
		return scim_error(err, SCIM_INVALID_PATH, "offset %zu: %s has no attribute \"%.*s\"", offset,
						  schema != NULL ? schema->id : type->name, shown(name), name.ptr);
	if (!scim_cursor_byte(cursor, '.'))
		return SCIM_OK;

	offset = scim_cursor_offset(cursor);
	name = scim_cursor_name(cursor);
	if (name.ptr != NULL)
		out->sub = scim_sub_attribute(out->attr, name);
	if (out->sub == NULL)
		return scim_error(err, SCIM_INVALID_PATH, "offset %zu: \"%s\" has no sub-attribute \"%.*s\"",
						  offset, out->attr->name, shown(name), name.ptr != NULL ? name.ptr : "");
	return SCIM_OK;
}

/* The [valFilter] and optional .subAttr behind an attrPath. */
static ScimStatus
parse_value_filter(ScimArena *arena, const ScimResourceType *type, ScimCursor *cursor, ScimPath *out,
				   ScimError *err)
{
	size_t		offset = scim_cursor_offset(cursor);
	ScimStr		rest = {cursor->ptr, (size_t) (cursor->end - cursor->ptr)};
	ScimStatus	status;
	ScimStr		name;
	size_t		used;

	if (out->attr == NULL || out->sub != NULL)
		return scim_error(err, SCIM_INVALID_PATH, "offset %zu: a filter cannot stand here", offset - 1);
	status = scim_filter_parse_value(arena, type, out, rest, &out->value_filter, &used, err);
	if (status != SCIM_OK)
		return status;
	cursor->ptr += used;
	if (!scim_cursor_byte(cursor, ']'))
		return scim_error(err, SCIM_INVALID_PATH, "offset %zu: \"]\" is expected", offset + used);
	if (!scim_cursor_byte(cursor, '.'))
		return SCIM_OK;

	offset = scim_cursor_offset(cursor);
	name = scim_cursor_name(cursor);
	if (name.ptr != NULL)
		out->sub = scim_sub_attribute(out->attr, name);
	if (out->sub == NULL)
		return scim_error(err, SCIM_INVALID_PATH, "offset %zu: \"%s\" has no such sub-attribute",
						  offset, out->attr->name);
	return SCIM_OK;
}

ScimStatus
scim_path_parse(ScimArena *arena, const ScimResourceType *type, ScimStr text, ScimPath *out,
				ScimError *err)
{
	ScimCursor	cursor = scim_cursor(text);
	ScimStatus	status;

	*out = (ScimPath) {0};
	if (!scim_utf8_valid(cursor.start, (size_t) (cursor.end - cursor.start)))
		return scim_error(err, SCIM_INVALID_PATH, "the path is not valid UTF-8");
	status = scim_path_parse_attribute(type, &cursor, out, err);
	if (status == SCIM_OK && scim_cursor_byte(&cursor, '['))
		status = parse_value_filter(arena, type, &cursor, out, err);
	if (status == SCIM_OK && !scim_cursor_at_end(&cursor))
		return scim_error(err, SCIM_INVALID_PATH, "offset %zu: the path should end here",
						  scim_cursor_offset(&cursor));
	return status;
}

const ScimAttribute *
scim_path_leaf(const ScimPath *path)
{
	return path->sub != NULL ? path->sub : path->attr;
}

char *
scim_path_text(ScimArena *arena, const ScimPath *path)
{
	const char *urn = path->extension != NULL ? path->extension->id : "";

	if (path->attr == NULL)
		return scim_sprintf(arena, "%s", urn);
	return scim_sprintf(arena, "%s%s%s%s%s", urn, path->extension != NULL ? ":" : "", path->attr->name,
						path->sub != NULL ? "." : "", path->sub != NULL ? path->sub->name : "");
}
