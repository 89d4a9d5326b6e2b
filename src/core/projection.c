/*
 * projection.c
 *		Which attributes a response shows: RFC 7644 section 3.9 and the
 *		`returned` characteristic of RFC 7643 section 7 (see response.h).
 */
#include "core/response.h"
#include "core/text.h"

#include <string.h>

/* What the request says of an attribute or sub-attribute, by its index. */
enum
{
	NAMED = 1,					/* in attributes */
	PART_NAMED = 2,				/* one of its sub-attributes is */
	EXCLUDED = 4				/* in excludedAttributes */
};

struct ScimProjection
{
	bool		restricted;		/* attributes was given */
	unsigned char *said;
};

/*
 * A path without its value filter: emails[type eq "work"].value is
 * emails.value.  Returns false when out of memory.
 */
static bool
without_filter(ScimArena *arena, ScimStr *path)
{
	const char *open = path->len > 0 ? memchr(path->ptr, '[', path->len) : NULL;
	const char *end = path->ptr + path->len;
	const char *close = end;
	char	   *copy;
	size_t		before;

	if (open == NULL)
		return true;
	while (close > open && close[-1] != ']')
		close--;
	if (close == open)
		close = end;
	before = (size_t) (open - path->ptr);
	copy = scim_alloc(arena, path->len);
	if (copy == NULL)
		return false;
	memcpy(copy, path->ptr, before);
	memcpy(copy + before, close, (size_t) (end - close));
	*path = (ScimStr) {copy, before + (size_t) (end - close)};
	return true;
}

/* Say something of each attribute of a schema that is returned by default. */
static void
say_of_schema(ScimProjection *projection, const ScimSchema *schema, int what)
{
	for (size_t i = 0; i < schema->n_attributes; i++)
	{
		if (schema->attributes[i].returned == SCIM_RETURNED_DEFAULT)
			projection->said[schema->attributes[i].index] |= (unsigned char) what;
	}
}

/* Say something of what one path names; a name that is unknown names nothing. */
static ScimStatus
say_of_path(ScimProjection *projection, const ScimResourceType *type, ScimStr path, int what, ScimError *err)
{
	const ScimSchema *extension;
	const ScimAttribute *attr;
	const ScimAttribute *sub;

	if (scim_name_is(path, type->schema->id))
	{
		say_of_schema(projection, type->schema, what);
		return SCIM_OK;
	}
	if (!scim_type_resolve(type, path, &extension, &attr, &sub))
		return SCIM_OK;
	if (attr == NULL)
	{
		say_of_schema(projection, extension, what);
		return SCIM_OK;
	}

	/* RFC 7644 section 7.5.2: what is sensitive is not asked for in a URI. */
	if (what == NAMED && (scim_attribute_secret(attr) || (sub != NULL && scim_attribute_secret(sub))))
		return scim_error(err, SCIM_SENSITIVE, "%s is never returned", attr->name);
	projection->said[sub != NULL ? sub->index : attr->index] |= (unsigned char) what;
	if (sub != NULL && what == NAMED)
		projection->said[attr->index] |= PART_NAMED;
	return SCIM_OK;
}

/* The next path of a comma-separated list, without blanks around it; commas in a value filter belong to it. */
static ScimStr
next_path(ScimStr *rest)
{
	ScimStr		path;
	size_t		end = 0;
	int			depth = 0;
	bool		quoted = false;

	for (; end < rest->len && (depth > 0 || quoted || rest->ptr[end] != ','); end++)
	{
		char		c = rest->ptr[end];

		if (quoted && c == '\\' && end + 1 < rest->len)
			end++;
		else if (c == '"')
			quoted = !quoted && depth > 0;
		else if (!quoted && c == '[')
			depth++;
		else if (!quoted && c == ']' && depth > 0)
			depth--;
	}
	path = (ScimStr) {rest->ptr, end};
	*rest = end < rest->len ? (ScimStr) {rest->ptr + end + 1, rest->len - end - 1} : SCIM_STR_NONE;
	while (path.len > 0 && path.ptr[path.len - 1] == ' ')
		path.len--;
	while (path.len > 0 && path.ptr[0] == ' ')
		path = (ScimStr) {path.ptr + 1, path.len - 1};
	return path;
}

/* Say something of a whole list; *any tells whether it held a name at all. */
static ScimStatus
say_of_list(ScimArena *arena, ScimProjection *projection, const ScimResourceType *type, ScimStr list, int what,
			bool *any, ScimError *err)
{
	*any = false;
	while (list.len > 0)
	{
		ScimStr		path = next_path(&list);
		ScimStatus	status;

		if (path.len == 0)
			continue;
		*any = true;
		if (!without_filter(arena, &path))
			return scim_error(err, SCIM_NO_MEMORY, "out of memory");
		status = say_of_path(projection, type, path, what, err);
		if (status != SCIM_OK)
			return status;
	}
	return SCIM_OK;
}

ScimStatus
scim_projection_parse(ScimArena *arena, const ScimResourceType *type, ScimStr attributes, ScimStr excluded,
					  ScimProjection **out, ScimError *err)
{
	ScimProjection *projection = scim_alloc(arena, sizeof(ScimProjection));
	bool		any_excluded = false;
	ScimStatus	status;

	*out = projection;
	if (projection != NULL)
		projection->said = scim_alloc(arena, (size_t) type->index_limit);
	if (projection == NULL || projection->said == NULL)
		return scim_error(err, SCIM_NO_MEMORY, "out of memory");
	status = say_of_list(arena, projection, type, attributes, NAMED, &projection->restricted, err);
	if (status == SCIM_OK)
		status = say_of_list(arena, projection, type, excluded, EXCLUDED, &any_excluded, err);
	if (status == SCIM_OK && projection->restricted && any_excluded)
		status = scim_error(err, SCIM_BAD_REQUEST, "attributes and excludedAttributes exclude each other");
	return status;
}

bool
scim_projection_wants(const ScimProjection *projection, const ScimAttribute *attr)
{
	unsigned	said = projection != NULL ? projection->said[attr->index] : 0;

	if (attr->returned == SCIM_RETURNED_NEVER || attr->returned == SCIM_RETURNED_ALWAYS)
		return attr->returned == SCIM_RETURNED_ALWAYS;
	if (projection != NULL && projection->restricted)
		return (said & (NAMED | PART_NAMED)) != 0;
	return attr->returned == SCIM_RETURNED_DEFAULT && (said & EXCLUDED) == 0;
}

bool
scim_projection_wants_sub(const ScimProjection *projection, const ScimAttribute *attr, const ScimAttribute *sub)
{
	unsigned	whole = projection != NULL ? projection->said[attr->index] : 0;
	unsigned	said = projection != NULL ? projection->said[sub->index] : 0;

	if (sub->returned == SCIM_RETURNED_NEVER || sub->returned == SCIM_RETURNED_ALWAYS)
		return sub->returned == SCIM_RETURNED_ALWAYS;
	if ((said & NAMED) != 0)
		return true;

	/* Only parts of it are asked for, and this is none of them. */
	if ((whole & PART_NAMED) != 0 && (whole & NAMED) == 0)
		return false;
	return sub->returned == SCIM_RETURNED_DEFAULT && (said & EXCLUDED) == 0;
}
