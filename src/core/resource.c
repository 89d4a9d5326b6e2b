/*
 * resource.c
 *		Request bodies of POST and PUT to a canonical resource, and the last
 *		check of every write (see resource.h).
 */
#include "core/resource.h"

#include "core/json.h"
#include "core/resource_part.h"
#include "core/text.h"

#include <json-c/json.h>
#include <string.h>

/* A body being read. */
typedef struct Reading
{
	ScimArena  *arena;
	const ScimResourceType *type;
	ScimJson   *body;
	ScimJson   *stored;			/* NULL: POST */
	bool		strict;
	ScimResource *out;
	ScimError  *err;
} Reading;

static ScimStatus
no_memory(ScimError *err)
{
	return scim_error(err, SCIM_NO_MEMORY, "out of memory");
}

ScimJson *
scim_resource_part(const ScimResourceType *type, ScimJson *json, const ScimAttribute *attr)
{
	ScimJson   *part = NULL;

	if (attr->schema == NULL || attr->schema == type->schema)
		return json;
	json_object_object_get_ex(json, attr->schema->id, &part);
	return json_object_is_type(part, json_type_object) ? part : NULL;
}

/* Is a schema URN one of the type's? */
static bool
known_schema(const ScimResourceType *type, ScimStr urn)
{
	return scim_name_is(urn, type->schema->id) || scim_type_extension(type, urn) != NULL;
}

/*
 * RFC 7643 section 3: schemas is required and names the resource's schemas,
 * in any order.  An extension whose attributes are there although it is not
 * named is taken as named.
 */
static ScimStatus
check_schemas(const Reading *r)
{
	ScimJson   *list = scim_json_get(r->body, "schemas", NULL);
	size_t		n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
	bool		named = false;

	for (size_t i = 0; i < n; i++)
	{
		ScimStr		urn = scim_json_str(json_object_array_get_idx(list, i));

		if (urn.ptr == NULL)
			return scim_error(r->err, SCIM_INVALID_SYNTAX, "schemas must be an array of URIs");
		named = named || scim_name_is(urn, r->type->schema->id);
		if (r->strict && !known_schema(r->type, urn))
		{
			urn = scim_utf8_cut(urn, 200);
			return scim_error(r->err, SCIM_INVALID_SYNTAX, "%s has no schema \"%.*s\"", r->type->name,
							  (int) urn.len, urn.ptr);
		}
	}
	if (!named)
		return scim_error(r->err, SCIM_INVALID_SYNTAX, "schemas must be an array that contains \"%s\"", r->type->schema->id);
	return SCIM_OK;
}

/* The interoperability profile: an unknown attribute is an error; RFC 7644 section 3.3 lets us ignore it. */
static ScimStatus
refuse_unknown(const Reading *r, const ScimSchema *extension, ScimJson *object)
{
	struct json_object_iter member;

	json_object_object_foreachC(object, member)
	{
		ScimStr		name = {member.key, strlen(member.key)};

		if (extension != NULL ? scim_schema_attribute(extension, name) != NULL
			: scim_type_attribute(r->type, name) != NULL || scim_type_extension(r->type, name) != NULL)
			continue;
		name = scim_utf8_cut(name, 100);
		return scim_error(r->err, SCIM_INVALID_SYNTAX, "%s has no attribute \"%.*s\"",
						  extension != NULL ? extension->name : r->type->name, (int) name.len, name.ptr);
	}
	return SCIM_OK;
}

/* A link attribute: its changes are carried out on rows, not on the resource. */
static ScimStatus
read_link(const Reading *r, const ScimLink *link, ScimJson *value)
{
	ScimLinkOp **end = &r->out->links;
	ScimLinkOp *op = scim_alloc(r->arena, sizeof(ScimLinkOp));
	ScimStatus	status;

	if (op == NULL)
		return no_memory(r->err);
	op->link = link;
	op->verb = r->stored != NULL ? SCIM_LINK_REPLACE : SCIM_LINK_ADD;
	status = scim_link_ids(r->arena, link, value, &op->ids, &op->n, r->err);
	if (status != SCIM_OK || (op->verb == SCIM_LINK_ADD && op->n == 0))
		return status;
	while (*end != NULL)
		end = &(*end)->next;
	*end = op;
	return SCIM_OK;
}

/* A secret that no column keeps: the password.  The empty string is none. */
static ScimStatus
read_secret(const Reading *r, const ScimAttribute *attr, ScimJson *value, bool given)
{
	ScimStr		text = scim_json_str(value);

	if (value != NULL && text.ptr == NULL)
		return scim_error(r->err, SCIM_INVALID_VALUE, "%s must be a string", attr->name);
	if (text.len > 0)
		r->out->secrets.password = text;
	else if (given && value == NULL)
		r->out->secrets.password_removed = true;
	return SCIM_OK;
}

/* Read-only sub-attributes stay as they are stored; those computed follow by themselves. */
static ScimStatus
keep_read_only_parts(const Reading *r, const ScimAttribute *attr, ScimJson *value, ScimJson *stored)
{
	for (size_t i = 0; i < attr->n_sub && !attr->multi_valued; i++)
	{
		const ScimAttribute *sub = &attr->sub[i];
		const ScimColumn *column = scim_type_column(r->type, attr, sub);
		ScimJson   *kept = scim_json_get(stored, sub->name, NULL);

		if (sub->mutability == SCIM_READ_ONLY && kept != NULL && column != NULL &&
			column->store != SCIM_STORE_EXPRESSION && !scim_json_set(value, sub->name, kept))
			return no_memory(r->err);
	}
	return SCIM_OK;
}

/* One attribute of the core schema or an extension, from `from` to `to`. */
static ScimStatus
read_attribute(const Reading *r, const ScimAttribute *attr, ScimJson *from, ScimJson *to)
{
	const ScimLink *link = scim_type_link(r->type, attr);
	ScimJson   *stored = r->stored == NULL ? NULL :
	scim_json_get(scim_resource_part(r->type, r->stored, attr), attr->name, NULL);
	bool		given;
	ScimJson   *value = scim_json_get(from, attr->name, &given);
	ScimStatus	status = SCIM_OK;

	if (link != NULL)
		return link->writable ? read_link(r, link, value) : SCIM_OK;
	if (scim_attribute_secret(attr) && scim_type_column(r->type, attr, NULL) == NULL)
		return read_secret(r, attr, value, given);
	if (attr->mutability == SCIM_READ_ONLY)
		value = stored;
	else
		status = scim_value_canonical(r->arena, attr, value, r->strict, &value, r->err);
	if (status != SCIM_OK)
		return status;

	/* RFC 7644 section 3.5.1: an immutable value that is not given stays; so does one that no client can read. */
	if (value == NULL && (attr->mutability == SCIM_IMMUTABLE || (scim_attribute_secret(attr) && !given)))
		value = stored;
	if (value == NULL)
		return SCIM_OK;
	if (value != stored && stored != NULL)
		status = keep_read_only_parts(r, attr, value, stored);
	if (status == SCIM_OK && !scim_json_set(to, attr->name, value))
		status = no_memory(r->err);
	return status;
}

static ScimStatus
read_extension(const Reading *r, const ScimSchema *extension, bool required)
{
	ScimJson   *from = scim_json_get(r->body, extension->id, NULL);
	ScimJson   *to = scim_json_object(r->arena);
	ScimStatus	status = to != NULL ? SCIM_OK : no_memory(r->err);

	if (from == NULL && required)
		return scim_error(r->err, SCIM_INVALID_VALUE, "%s is required", extension->id);
	if (from != NULL && !json_object_is_type(from, json_type_object))
		return scim_error(r->err, SCIM_INVALID_VALUE, "%s must be an object", extension->id);
	if (status == SCIM_OK && r->strict && from != NULL)
		status = refuse_unknown(r, extension, from);
	for (size_t i = 0; i < extension->n_attributes && status == SCIM_OK; i++)
		status = read_attribute(r, &extension->attributes[i], from, to);
	if (status == SCIM_OK && json_object_object_length(to) > 0 && !scim_json_set(r->out->json, extension->id, to))
		status = no_memory(r->err);
	return status;
}

/* What stands under URNs that are registered no longer is kept through a PUT. */
static ScimStatus
keep_unregistered(const Reading *r)
{
	struct json_object_iter member;

	if (r->stored == NULL)
		return SCIM_OK;
	json_object_object_foreachC(r->stored, member)
	{
		ScimStr		name = {member.key, strlen(member.key)};

		if (memchr(name.ptr, ':', name.len) != NULL && !known_schema(r->type, name) &&
			!scim_json_set(r->out->json, member.key, member.val))
			return no_memory(r->err);
	}
	return SCIM_OK;
}

ScimStatus
scim_resource_from_body(ScimArena *arena, const ScimResourceType *type, ScimJson *body, ScimJson *stored, bool strict,
						ScimResource *out, ScimError *err)
{
	Reading		r = {arena, type, body, stored, strict, out, err};
	ScimStatus	status;

	*out = (ScimResource) {.type = type,.json = scim_json_object(arena)};
	if (out->json == NULL)
		return no_memory(err);
	if (!json_object_is_type(body, json_type_object))
		return scim_error(err, SCIM_INVALID_SYNTAX, "the body must be a JSON object");
	status = check_schemas(&r);
	if (status == SCIM_OK && strict)
		status = refuse_unknown(&r, NULL, body);
	for (size_t i = 0; i < scim_common_attribute_count && status == SCIM_OK; i++)
	{
		if (scim_common_attributes[i].mutability != SCIM_READ_ONLY)
			status = read_attribute(&r, &scim_common_attributes[i], body, out->json);
	}
	for (size_t i = 0; i < type->schema->n_attributes && status == SCIM_OK; i++)
		status = read_attribute(&r, &type->schema->attributes[i], body, out->json);
	for (size_t i = 0; i < type->n_extensions && status == SCIM_OK; i++)
		status = read_extension(&r, type->extensions[i], type->extension_required[i]);
	if (status == SCIM_OK)
		status = keep_unregistered(&r);
	if (status == SCIM_OK)
		status = scim_resource_check(arena, type, out->json, stored, err);
	return status;
}
