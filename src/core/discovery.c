/*
 * discovery.c
 *		/ServiceProviderConfig, /Schemas and /ResourceTypes (RFC 7644 section
 *		4, RFC 7643 sections 5 to 7), generated from the registry that
 *		enforces them (see response.h).
 *
 * Where things are stored is nobody's business and never written; a member
 * without value is left out.
 */
#include "core/response.h"
#include "core/text.h"

#include <string.h>

#define URN_SCHEMA "urn:ietf:params:scim:schemas:core:2.0:Schema"
#define URN_RESOURCE_TYPE "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
#define URN_SERVICE_PROVIDER_CONFIG "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"

static void
write_text(ScimBuf *buf, const char *text)
{
	scim_buf_json_string(buf, text, strlen(text));
}

/* ,"name":"text" unless there is no text */
static void
write_member(ScimBuf *buf, const char *name, const char *text)
{
	if (text == NULL)
		return;
	scim_buf_printf(buf, ",\"%s\":", name);
	write_text(buf, text);
}

static void
write_boolean(ScimBuf *buf, const char *name, bool value)
{
	scim_buf_printf(buf, ",\"%s\":%s", name, value ? "true" : "false");
}

/* ,"name":[…] unless the list is empty */
static void
write_texts(ScimBuf *buf, const char *name, const char *const *list)
{
	if (list == NULL)
		return;
	scim_buf_printf(buf, ",\"%s\":[", name);
	for (size_t i = 0; list[i] != NULL; i++)
	{
		if (i > 0)
			scim_buf_char(buf, ',');
		write_text(buf, list[i]);
	}
	scim_buf_char(buf, ']');
}

/* ,"meta":{…} and the end of a document; id may be NULL. */
static void
write_meta(ScimBuf *buf, const char *resource_type, const char *endpoint, const char *id, const char *base_url)
{
	ScimBuf		location;

	scim_buf_init(&location, NULL, SIZE_MAX / 4);
	scim_buf_str(&location, base_url);
	scim_buf_str(&location, endpoint);
	if (id != NULL)
	{
		scim_buf_char(&location, '/');
		scim_buf_str(&location, id);
	}
	scim_buf_printf(buf, ",\"meta\":{\"resourceType\":\"%s\",\"location\":", resource_type);
	if (location.failed)
		buf->failed = true;
	else
		scim_buf_json_string(buf, location.data, location.len);
	scim_buf_str(buf, "}}");
	scim_buf_free(&location);
}

/* RFC 7643 section 5. */
void
scim_response_service_provider_config(ScimBuf *buf, const ScimCapabilities *can, const char *base_url)
{
	scim_buf_str(buf, "{\"schemas\":[\"" URN_SERVICE_PROVIDER_CONFIG "\"]"
				 ",\"patch\":{\"supported\":true}");
	scim_buf_printf(buf, ",\"bulk\":{\"supported\":true,\"maxOperations\":%d,\"maxPayloadSize\":%d}",
					can->max_operations, can->max_payload);
	scim_buf_printf(buf, ",\"filter\":{\"supported\":true,\"maxResults\":%d}", can->max_results);
	scim_buf_printf(buf, ",\"changePassword\":{\"supported\":%s}", can->change_password ? "true" : "false");
	scim_buf_printf(buf, ",\"pagination\":{\"cursor\":true,\"index\":true,\"defaultPaginationMethod\":\"index\""
					",\"defaultPageSize\":%d,\"maxPageSize\":%d,\"cursorTimeout\":%d}",
					can->default_page_size, can->max_results, can->cursor_timeout);
	scim_buf_str(buf, ",\"sort\":{\"supported\":true},\"etag\":{\"supported\":true}"
				 ",\"authenticationSchemes\":[{\"type\":\"oauthbearertoken\",\"name\":\"OAuth Bearer Token\""
				 ",\"description\":\"The HTTP header Authorization with a bearer token that the service issued\""
				 ",\"specUri\":\"https://www.rfc-editor.org/info/rfc6750\",\"primary\":true}]");
	write_meta(buf, "ServiceProviderConfig", "/ServiceProviderConfig", NULL, base_url);
}

static void write_attributes(ScimBuf *buf, const char *name, const ScimAttribute *attributes, size_t n);

/* RFC 7643 section 7, in its order. */
static void
write_attribute(ScimBuf *buf, const ScimAttribute *attr)
{
	static const char *const types[] = {"string", "boolean", "decimal", "integer", "dateTime", "binary",
	"reference", "complex"};
	static const char *const mutabilities[] = {"readWrite", "readOnly", "immutable", "writeOnly"};
	static const char *const returns[] = {"default", "always", "never", "request"};
	static const char *const uniquenesses[] = {"none", "server", "global"};

	scim_buf_printf(buf, "{\"name\":\"%s\",\"type\":\"%s\"", attr->name, types[attr->type]);
	write_boolean(buf, "multiValued", attr->multi_valued);
	write_member(buf, "description", attr->description);
	write_boolean(buf, "required", attr->required);
	write_texts(buf, "canonicalValues", attr->canonical_values);
	if (attr->type == SCIM_TYPE_STRING || attr->type == SCIM_TYPE_REFERENCE || attr->type == SCIM_TYPE_BINARY)
		write_boolean(buf, "caseExact", attr->case_exact);
	write_member(buf, "mutability", mutabilities[attr->mutability]);
	write_member(buf, "returned", returns[attr->returned]);
	write_member(buf, "uniqueness", uniquenesses[attr->uniqueness]);
	write_texts(buf, "referenceTypes", attr->reference_types);
	if (attr->n_sub > 0)
		write_attributes(buf, "subAttributes", attr->sub, attr->n_sub);
	scim_buf_char(buf, '}');
}

static void
write_attributes(ScimBuf *buf, const char *name, const ScimAttribute *attributes, size_t n)
{
	scim_buf_printf(buf, ",\"%s\":[", name);
	for (size_t i = 0; i < n; i++)
	{
		if (i > 0)
			scim_buf_char(buf, ',');
		write_attribute(buf, &attributes[i]);
	}
	scim_buf_char(buf, ']');
}

static void
write_schema(ScimBuf *buf, const ScimSchema *schema, const char *base_url)
{
	scim_buf_str(buf, "{\"schemas\":[\"" URN_SCHEMA "\"]");
	write_member(buf, "id", schema->id);
	write_member(buf, "name", schema->name);
	write_member(buf, "description", schema->description);
	write_attributes(buf, "attributes", schema->attributes, schema->n_attributes);
	write_meta(buf, "Schema", "/Schemas", schema->id, base_url);
}

/* RFC 7643 section 6. */
static void
write_resource_type(ScimBuf *buf, const ScimResourceType *type, const char *base_url)
{
	scim_buf_str(buf, "{\"schemas\":[\"" URN_RESOURCE_TYPE "\"]");
	write_member(buf, "id", type->name);
	write_member(buf, "name", type->name);
	write_member(buf, "endpoint", type->endpoint);
	write_member(buf, "description", type->description);
	write_member(buf, "schema", type->schema->id);
	for (size_t i = 0; i < type->n_extensions; i++)
	{
		scim_buf_str(buf, i == 0 ? ",\"schemaExtensions\":[{\"schema\":" : ",{\"schema\":");
		write_text(buf, type->extensions[i]->id);
		write_boolean(buf, "required", type->extension_required[i]);
		scim_buf_str(buf, i + 1 < type->n_extensions ? "}" : "}]");
	}
	write_meta(buf, "ResourceType", "/ResourceTypes", type->name, base_url);
}

bool
scim_response_schemas(ScimBuf *buf, const ScimRegistry *registry, ScimStr id, const char *base_url)
{
	size_t		n = scim_registry_schema_count(registry);
	const ScimSchema *schema;

	if (id.ptr != NULL)
	{
		schema = scim_registry_schema_by_id(registry, id);
		if (schema != NULL)
			write_schema(buf, schema, base_url);
		return schema != NULL;
	}
	scim_response_list_begin(buf, (int64_t) n, 1, (int64_t) n);
	for (size_t i = 0; i < n; i++)
	{
		if (i > 0)
			scim_buf_char(buf, ',');
		write_schema(buf, scim_registry_schema(registry, i), base_url);
	}
	scim_response_list_end(buf);
	return true;
}

bool
scim_response_resource_types(ScimBuf *buf, const ScimRegistry *registry, ScimStr id, const char *base_url)
{
	size_t		n = scim_registry_type_count(registry);
	bool		found = id.ptr == NULL;

	if (id.ptr == NULL)
		scim_response_list_begin(buf, (int64_t) n, 1, (int64_t) n);
	for (size_t i = 0; i < n; i++)
	{
		const ScimResourceType *type = scim_registry_type(registry, i);

		if (id.ptr == NULL && i > 0)
			scim_buf_char(buf, ',');
		if (id.ptr == NULL || scim_str_equal(id, (ScimStr) {type->name, strlen(type->name)}))
		{
			write_resource_type(buf, type, base_url);
			found = true;
		}
	}
	if (id.ptr == NULL)
		scim_response_list_end(buf);
	return found;
}
