/*
 * registry_load.c
 *		Schemas (RFC 7643 section 7) and resource types (section 6) from JSON.
 *
 * One loader for the built-in documents and for those registered later.  A
 * document is read into the registry's memory and listed only when all of it
 * was right.
 */
#include "core/registry_load.h"
#include "core/text.h"

#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define NAME_MAX_BYTES 100
#define URI_MAX_BYTES 255

void
scim_load_error(ScimLoad *load, const char *fmt, ...)
{
	char		what[SCIM_DETAIL_MAX];
	va_list		args;

	if (load->status != SCIM_OK)
		return;
	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	load->status = scim_error(load->err, SCIM_INVALID_VALUE, "%s: %s", load->where, what);
}

void *
scim_load_alloc(ScimLoad *load, size_t size)
{
	void	   *memory = scim_alloc(load->registry->arena, size);

	if (memory == NULL && load->status == SCIM_OK)
		load->status = scim_error(load->err, SCIM_NO_MEMORY, "out of memory");
	return memory;
}

bool
scim_load_known_members(ScimLoad *load, ScimJson *json, const char *const *names)
{
	struct json_object_iter member;

	if (!json_object_is_type(json, json_type_object))
	{
		scim_load_error(load, "must be an object");
		return false;
	}
	json_object_object_foreachC(json, member)
	{
		size_t		i = 0;

		while (names[i] != NULL && !scim_name_is((ScimStr) {member.key, strlen(member.key)}, names[i]))
			i++;
		if (names[i] == NULL)
		{
			scim_load_error(load, "unknown member \"%s\"", member.key);
			return false;
		}
	}
	return true;
}

static const char *
copied(ScimLoad *load, json_object *text)
{
	size_t		len = (size_t) json_object_get_string_len(text);
	char	   *copy = scim_load_alloc(load, len + 1);

	if (copy != NULL)
		memcpy(copy, json_object_get_string(text), len);
	return copy;
}

const char *
scim_load_text(ScimLoad *load, ScimJson *json, const char *name, bool required)
{
	ScimJson   *value = scim_json_get(json, name, NULL);

	if (value != NULL && json_object_is_type(value, json_type_string) && json_object_get_string_len(value) > 0)
		return copied(load, value);
	if (value != NULL || required)
		scim_load_error(load, "\"%s\" must be a string that is not empty", name);
	return NULL;
}

bool
scim_load_boolean(ScimLoad *load, ScimJson *json, const char *name, bool otherwise)
{
	ScimJson   *value = scim_json_get(json, name, NULL);

	if (value == NULL)
		return otherwise;
	if (!json_object_is_type(value, json_type_boolean))
		scim_load_error(load, "\"%s\" must be true or false", name);
	return json_object_get_boolean(value);
}

int
scim_load_choice(ScimLoad *load, ScimJson *json, const char *name, const char *const *choices, int otherwise)
{
	ScimJson   *value = scim_json_get(json, name, NULL);

	if (value == NULL)
		return otherwise;
	for (int i = 0; choices[i] != NULL && json_object_is_type(value, json_type_string); i++)
	{
		if (scim_name_is((ScimStr) {json_object_get_string(value), (size_t) json_object_get_string_len(value)}, choices[i]))
			return i;
	}
	if (json_object_is_type(value, json_type_string))
		scim_load_error(load, "\"%s\" cannot be \"%.100s\"", name, json_object_get_string(value));
	else
		scim_load_error(load, "\"%s\" must be a string", name);
	return otherwise;
}

const char *const *
scim_load_texts(ScimLoad *load, ScimJson *json, const char *name)
{
	ScimJson   *value = scim_json_get(json, name, NULL);
	const char **list;
	size_t		n;

	if (value != NULL && !json_object_is_type(value, json_type_array))
		scim_load_error(load, "\"%s\" must be an array of strings", name);
	if (!json_object_is_type(value, json_type_array) || (n = json_object_array_length(value)) == 0)
		return NULL;
	list = scim_load_alloc(load, (n + 1) * sizeof(char *));
	for (size_t i = 0; i < n && list != NULL; i++)
	{
		json_object *item = json_object_array_get_idx(value, i);

		if (!json_object_is_type(item, json_type_string))
		{
			scim_load_error(load, "\"%s\" must be an array of strings", name);
			return NULL;
		}
		if ((list[i] = copied(load, item)) == NULL)
			return NULL;
	}
	return list;
}

/* RFC 7643 section 2.1: ATTRNAME = ALPHA *(nameChar); "$ref" is the one exception. */
static bool
is_attribute_name(const char *name)
{
	if (strcmp(name, "$ref") == 0)
		return true;
	for (const char *p = name; *p != '\0'; p++)
	{
		unsigned char c = scim_ascii_lower(*p);
		bool		letter = c >= 'a' && c <= 'z';

		if (!letter && (p == name || ((c < '0' || c > '9') && c != '_' && c != '-')))
			return false;
	}
	return name[0] != '\0' && strlen(name) <= NAME_MAX_BYTES;
}

/* RFC 3986, of its characters those that end no attribute path, filter or list. */
static bool
is_schema_uri(const char *uri)
{
	for (const char *p = uri; *p != '\0'; p++)
	{
		unsigned char c = scim_ascii_lower(*p);

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || strchr(":.-_/~+%@'", c) != NULL))
			return false;
	}
	return strchr(uri, ':') != NULL && strlen(uri) <= URI_MAX_BYTES && uri[strlen(uri) - 1] != ':';
}

/* What SCIM itself means by a URN: the messages of RFC 7644 and the documents of RFC 7643. */
static bool
is_reserved_uri(const char *uri)
{
	static const char *const reserved[] = {"Schema", "ResourceType", "ServiceProviderConfig", NULL};
	static const char messages[] = "urn:ietf:params:scim:api:";
	static const char core[] = "urn:ietf:params:scim:schemas:core:2.0:";

	if (strlen(uri) >= sizeof(messages) - 1 && scim_name_is((ScimStr) {uri, sizeof(messages) - 1}, messages))
		return true;
	if (strlen(uri) < sizeof(core) - 1 || !scim_name_is((ScimStr) {uri, sizeof(core) - 1}, core))
		return false;
	for (size_t i = 0; reserved[i] != NULL; i++)
	{
		if (scim_name_is((ScimStr) {uri + sizeof(core) - 1, strlen(uri) - (sizeof(core) - 1)}, reserved[i]))
			return true;
	}
	return false;
}

/* What two characteristics cannot be together, or we cannot keep. */
static void
check_characteristics(ScimLoad *load, const ScimAttribute *attr)
{
	bool		many = attr->multi_valued || (attr->parent != NULL && attr->parent->multi_valued);

	if (attr->canonical_values != NULL && attr->type != SCIM_TYPE_STRING && attr->type != SCIM_TYPE_REFERENCE)
		scim_load_error(load, "only a string or a reference has \"canonicalValues\"");
	if (attr->reference_types != NULL && attr->type != SCIM_TYPE_REFERENCE)
		scim_load_error(load, "only a reference has \"referenceTypes\"");
	if (attr->parent != NULL && attr->multi_valued)
		scim_load_error(load, "a sub-attribute cannot be multi-valued: no filter could name its values");
	if (attr->mutability == SCIM_WRITE_ONLY && attr->returned != SCIM_RETURNED_NEVER)
		scim_load_error(load, "a writeOnly attribute is returned \"never\"");
	if (attr->uniqueness != SCIM_UNIQUE_NONE && (many || attr->type == SCIM_TYPE_COMPLEX || scim_attribute_secret(attr)))
		scim_load_error(load, "\"uniqueness\" can be kept of a single simple value that is no secret, and of no other");
}

static const ScimAttribute *read_attributes(ScimLoad *load, const ScimSchema *schema, const ScimAttribute *parent,
											ScimJson *list, size_t *n);

/* The characteristics of RFC 7643 section 7, with the defaults of section 2.2. */
static void
read_attribute(ScimLoad *load, ScimAttribute *attr, ScimJson *json)
{
	static const char *const members[] = {"name", "type", "multiValued", "description", "required",
		"canonicalValues", "caseExact", "mutability", "returned", "uniqueness", "referenceTypes", "subAttributes", NULL};
	static const char *const types[] = {"string", "boolean", "decimal", "integer", "dateTime", "binary",
		"reference", "complex", NULL};
	static const char *const mutabilities[] = {"readWrite", "readOnly", "immutable", "writeOnly", NULL};
	static const char *const returns[] = {"default", "always", "never", "request", NULL};
	static const char *const uniquenesses[] = {"none", "server", "global", NULL};
	ScimJson   *sub = scim_json_get(json, "subAttributes", NULL);

	if (!scim_load_known_members(load, json, members))
		return;
	attr->type = (ScimType) scim_load_choice(load, json, "type", types, SCIM_TYPE_STRING);
	attr->multi_valued = scim_load_boolean(load, json, "multiValued", false);
	attr->description = scim_load_text(load, json, "description", false);
	attr->required = scim_load_boolean(load, json, "required", false);
	attr->canonical_values = scim_load_texts(load, json, "canonicalValues");
	attr->reference_types = scim_load_texts(load, json, "referenceTypes");
	attr->mutability = (ScimMutability) scim_load_choice(load, json, "mutability", mutabilities, SCIM_READ_WRITE);
	attr->returned = (ScimReturned) scim_load_choice(load, json, "returned", returns, SCIM_RETURNED_DEFAULT);
	attr->uniqueness = (ScimUniqueness) scim_load_choice(load, json, "uniqueness", uniquenesses, SCIM_UNIQUE_NONE);

	/* RFC 7643 sections 2.3.6 and 2.3.7: binary and reference are case exact. */
	attr->case_exact = scim_load_boolean(load, json, "caseExact", false) ||
		attr->type == SCIM_TYPE_BINARY || attr->type == SCIM_TYPE_REFERENCE;

	/* RFC 7643 section 2.3.8: sub-attributes are simple. */
	if ((sub != NULL) != (attr->type == SCIM_TYPE_COMPLEX))
		scim_load_error(load, "a complex attribute, and no other, has \"subAttributes\"");
	else if (attr->type == SCIM_TYPE_COMPLEX && attr->parent != NULL)
		scim_load_error(load, "a sub-attribute cannot be complex");
	else if (sub != NULL)
		attr->sub = read_attributes(load, attr->schema, attr, sub, &attr->n_sub);
	check_characteristics(load, attr);
}

/* The name first, for it is in the text of every error. */
static const char *
read_name(ScimLoad *load, const ScimSchema *schema, const ScimAttribute *parent, ScimJson *json)
{
	const char *name;

	load->where = parent != NULL ? parent->name : schema->id;
	name = json_object_is_type(json, json_type_object) ? scim_load_text(load, json, "name", true) : NULL;
	if (name == NULL)
	{
		scim_load_error(load, "every attribute must be an object with a name");
		return NULL;
	}
	if (!is_attribute_name(name))
		scim_load_error(load, "\"%s\" is no attribute name", name);
	for (size_t i = 0; parent == NULL && i < scim_common_attribute_count; i++)
	{
		if (scim_name_is((ScimStr) {name, strlen(name)}, scim_common_attributes[i].name))
			scim_load_error(load, "\"%s\" is part of every resource", name);
	}
	load->where = scim_sprintf(load->registry->arena, "%s:%s%s%s", schema->id, parent != NULL ? parent->name : "",
							   parent != NULL ? "." : "", name);
	if (load->where == NULL)
		load->where = name;
	return name;
}

static const ScimAttribute *
read_attributes(ScimLoad *load, const ScimSchema *schema, const ScimAttribute *parent, ScimJson *list, size_t *n)
{
	ScimAttribute *attributes;
	size_t		count = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

	if (count == 0)
	{
		scim_load_error(load, "\"%s\" must be an array that is not empty", parent != NULL ? "subAttributes" : "attributes");
		return NULL;
	}
	attributes = scim_load_alloc(load, count * sizeof(ScimAttribute));
	for (size_t i = 0; i < count && load->status == SCIM_OK; i++)
	{
		ScimJson   *json = json_object_array_get_idx(list, i);
		ScimAttribute *attr = &attributes[i];

		attr->name = read_name(load, schema, parent, json);
		attr->schema = schema;
		attr->parent = parent;
		attr->index = load->registry->next_index++;
		for (size_t j = 0; j < i && attr->name != NULL; j++)
		{
			if (scim_name_is((ScimStr) {attr->name, strlen(attr->name)}, attributes[j].name))
				scim_load_error(load, "is there twice");
		}
		if (load->status == SCIM_OK)
			read_attribute(load, attr, json);
	}
	*n = count;
	return attributes;
}

const ScimSchema *
scim_load_schema(ScimLoad *load, ScimJson *document)
{
	static const char *const members[] = {"schemas", "id", "name", "description", "attributes", "meta", NULL};
	ScimSchema *schema = scim_load_alloc(load, sizeof(ScimSchema));

	if (schema == NULL || !scim_load_known_members(load, document, members))
		return NULL;
	schema->id = scim_load_text(load, document, "id", true);
	if (schema->id == NULL)
		return NULL;
	load->where = schema->id;
	if (!is_schema_uri(schema->id))
		scim_load_error(load, "\"id\" must be a URI");
	if (is_reserved_uri(schema->id))
		scim_load_error(load, "\"id\" is one that SCIM itself gives a meaning");
	if (scim_registry_schema_by_id(load->registry, (ScimStr) {schema->id, strlen(schema->id)}) != NULL)
		scim_load_error(load, "this schema is registered already");
	schema->name = scim_load_text(load, document, "name", true);
	schema->description = scim_load_text(load, document, "description", false);
	if (load->status != SCIM_OK)
		return NULL;
	schema->attributes = read_attributes(load, schema, NULL, scim_json_get(document, "attributes", NULL),
										 &schema->n_attributes);
	return schema;
}

/* "/Users": one segment, and none that means something else (RFC 7644 section 3.2). */
static bool
is_endpoint(const char *endpoint)
{
	static const char *const taken[] = {"Schemas", "ResourceTypes", "ServiceProviderConfig", "Bulk", "Me", NULL};

	if (endpoint[0] != '/' || !is_attribute_name(endpoint + 1) || endpoint[1] == '$')
		return false;
	for (size_t i = 0; taken[i] != NULL; i++)
	{
		if (scim_name_is((ScimStr) {endpoint + 1, strlen(endpoint + 1)}, taken[i]))
			return false;
	}
	return true;
}

static const ScimSchema *
named_schema(ScimLoad *load, ScimJson *json)
{
	const char *urn = scim_load_text(load, json, "schema", true);
	const ScimSchema *schema = NULL;

	if (urn == NULL)
		return NULL;
	schema = scim_registry_schema_by_id(load->registry, (ScimStr) {urn, strlen(urn)});
	if (schema == NULL)
		scim_load_error(load, "there is no schema \"%s\"", urn);
	return schema;
}

static void
read_extensions(ScimLoad *load, ScimResourceType *type, ScimJson *list)
{
	static const char *const members[] = {"schema", "required", NULL};
	const ScimSchema **schemas;
	bool	   *required;
	size_t		n;

	if (list != NULL && !json_object_is_type(list, json_type_array))
		scim_load_error(load, "\"schemaExtensions\" must be an array");
	if (!json_object_is_type(list, json_type_array) || (n = json_object_array_length(list)) == 0)
		return;
	schemas = scim_load_alloc(load, n * sizeof(ScimSchema *));
	required = scim_load_alloc(load, n * sizeof(bool));
	if (schemas == NULL || required == NULL)
		return;
	for (size_t i = 0; i < n; i++)
	{
		ScimJson   *json = json_object_array_get_idx(list, i);

		if (!scim_load_known_members(load, json, members) || (schemas[i] = named_schema(load, json)) == NULL)
			return;
		required[i] = scim_load_boolean(load, json, "required", false);
		for (size_t j = 0; j < i; j++)
		{
			if (schemas[i] == schemas[j])
				scim_load_error(load, "\"%s\" is there twice", schemas[i]->id);
		}
		if (schemas[i] == type->schema)
			scim_load_error(load, "\"%s\" is the type's own schema", schemas[i]->id);
	}
	type->extensions = schemas;
	type->extension_required = required;
	type->n_extensions = n;
}

const ScimResourceType *
scim_load_resource_type(ScimLoad *load, ScimJson *document)
{
	static const char *const members[] = {"schemas", "id", "name", "endpoint", "description", "schema",
		"schemaExtensions", "storage", "meta", NULL};
	ScimResourceType *type = scim_load_alloc(load, sizeof(ScimResourceType));
	const char *id;

	if (type == NULL || !scim_load_known_members(load, document, members))
		return NULL;
	type->registry = load->registry;
	type->name = scim_load_text(load, document, "name", true);
	if (type->name == NULL)
		return NULL;
	load->where = type->name;
	id = scim_load_text(load, document, "id", false);
	if (!is_attribute_name(type->name) || type->name[0] == '$' || (id != NULL && strcmp(id, type->name) != 0))
		scim_load_error(load, "\"name\" must be a word, and \"id\" the same");
	if (scim_registry_type_by_name(load->registry, type->name) != NULL)
		scim_load_error(load, "this resource type is registered already");
	type->endpoint = scim_load_text(load, document, "endpoint", true);
	if (type->endpoint != NULL && !is_endpoint(type->endpoint))
		scim_load_error(load, "\"endpoint\" must be / and one free word");
	if (type->endpoint != NULL && scim_registry_type_by_endpoint(load->registry,
		(ScimStr) {type->endpoint + 1, strlen(type->endpoint + 1)}) != NULL)
		scim_load_error(load, "\"endpoint\" is another resource type's");
	type->description = scim_load_text(load, document, "description", false);
	type->schema = named_schema(load, document);
	if (load->status == SCIM_OK)
		read_extensions(load, type, scim_json_get(document, "schemaExtensions", NULL));
	type->index_limit = load->registry->next_index;
	if (load->status == SCIM_OK && scim_json_get(document, "storage", NULL) != NULL)
		scim_load_storage(load, type, scim_json_get(document, "storage", NULL));
	return type;
}
