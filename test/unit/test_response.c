/*
 * test_response.c: projections, resources, lists, errors, discovery.
 */
#include "core/json.h"
#include "core/resource.h"
#include "core/response.h"
#include "scarce.h"
#include "fixture.h"

#include <json-c/json.h>

#define ID "2819c223-7f76-453a-919d-413861904646"
#define MANAGER "26118915-6090-4610-87e4-49d8ca9f808d"
#define BASE "https://example.com/v2"

static ScimStr
str(const char *text)
{
	return (ScimStr) {text, text != NULL ? strlen(text) : 0};
}

static const ScimResourceType *
type_named(const char *name)
{
	return scim_registry_type_by_name(scim_registry_builtin(), name);
}

static const ScimMeta meta = {{ID, 36}, 7, INT64_C(1264222582000000), INT64_C(1305261754250000)};

#define HEAD "{\"schemas\":[\"" SCIM_URN_USER "\"],\"id\":\"" ID "\""
#define HEAD_E "{\"schemas\":[\"" SCIM_URN_USER "\",\"" SCIM_URN_ENTERPRISE "\"],\"id\":\"" ID "\""
#define META ",\"meta\":{\"resourceType\":\"User\",\"created\":\"2010-01-23T04:56:22Z\"," \
	"\"lastModified\":\"2011-05-13T04:42:34.250000Z\",\"location\":\"" BASE "/Users/" ID "\",\"version\":\"W/\\\"7\\\"\"}}"

/* A canonical user with a bit of everything, and what does not belong there. */
static const char stored[] = "{\"password\":\"secret\",\"externalId\":\"x\",\"userName\":\"u\",\"unknown\":1,\"title\":\"t\","
"\"name\":{\"givenName\":\"g\",\"familyName\":\"f\",\"password\":\"secret\"},\"active\":false,"
"\"emails\":[{\"type\":\"work\",\"value\":\"a\",\"primary\":true,\"x\":1},{\"value\":\"b\"}],"
"\"urn:gone\":{\"a\":1},\"" SCIM_URN_ENTERPRISE "\":{\"manager\":{\"displayName\":\"m\",\"value\":\"" MANAGER "\"},\"department\":\"d\"}}";

#define MANAGER_OUT "\"manager\":{\"value\":\"" MANAGER "\",\"$ref\":\"" BASE "/Users/" MANAGER "\",\"displayName\":\"m\"}"

static const struct
{
	const char *attributes;
	const char *excluded;
	const char *expected;		/* NULL: refused with the status */
	ScimStatus	status;
}			projections[] = {
	{NULL, NULL, HEAD_E ",\"externalId\":\"x\",\"userName\":\"u\",\"name\":{\"familyName\":\"f\",\"givenName\":\"g\"},\"title\":\"t\","
		"\"active\":false,\"emails\":[{\"value\":\"a\",\"type\":\"work\",\"primary\":true},{\"value\":\"b\"}],"
	"\"" SCIM_URN_ENTERPRISE "\":{\"department\":\"d\"," MANAGER_OUT "}" META, 0},
	{"userName", NULL, HEAD ",\"userName\":\"u\"}", 0},
	{"USERNAME, Title", NULL, HEAD ",\"userName\":\"u\",\"title\":\"t\"}", 0},
	{SCIM_URN_USER ":userName", NULL, HEAD ",\"userName\":\"u\"}", 0},
	{"name.familyName", NULL, HEAD ",\"name\":{\"familyName\":\"f\"}}", 0},
	{"name,name.familyName", NULL, HEAD ",\"name\":{\"familyName\":\"f\",\"givenName\":\"g\"}}", 0},
	{"name.middleName", NULL, HEAD "}", 0},
	{"emails.value", NULL, HEAD ",\"emails\":[{\"value\":\"a\"},{\"value\":\"b\"}]}", 0},
	{"emails.primary", NULL, HEAD ",\"emails\":[{\"primary\":true}]}", 0},
	{"emails[type eq \"a,]b\"].value,active", NULL, HEAD ",\"active\":false,\"emails\":[{\"value\":\"a\"},{\"value\":\"b\"}]}", 0},
	{"emails[type eq \"work\"]", NULL, HEAD ",\"emails\":[{\"value\":\"a\",\"type\":\"work\",\"primary\":true},{\"value\":\"b\"}]}", 0},
	{"emails[type", NULL, HEAD ",\"emails\":[{\"value\":\"a\",\"type\":\"work\",\"primary\":true},{\"value\":\"b\"}]}", 0},
	{SCIM_URN_ENTERPRISE, NULL, HEAD_E ",\"" SCIM_URN_ENTERPRISE "\":{\"department\":\"d\"," MANAGER_OUT "}}", 0},
	{SCIM_URN_ENTERPRISE ":department", NULL, HEAD_E ",\"" SCIM_URN_ENTERPRISE "\":{\"department\":\"d\"}}", 0},
	{SCIM_URN_ENTERPRISE ":manager.$ref", NULL, HEAD_E ",\"" SCIM_URN_ENTERPRISE "\":{\"manager\":{\"$ref\":\"" BASE "/Users/" MANAGER "\"}}}", 0},
	{"meta", NULL, HEAD META, 0},
	{"meta.version", NULL, HEAD ",\"meta\":{\"version\":\"W/\\\"7\\\"\"}}", 0},
	{"id", NULL, HEAD "}", 0},
	{"nothing", NULL, HEAD "}", 0},
	{"", NULL, NULL, SCIM_OK},
	{" , ", NULL, NULL, SCIM_OK},
	{"password", NULL, NULL, SCIM_SENSITIVE},
	{"userName," SCIM_URN_USER ":PassWord", NULL, NULL, SCIM_SENSITIVE},
	{SCIM_URN_USER, NULL, HEAD ",\"userName\":\"u\",\"name\":{\"familyName\":\"f\",\"givenName\":\"g\"},\"title\":\"t\","
	"\"active\":false,\"emails\":[{\"value\":\"a\",\"type\":\"work\",\"primary\":true},{\"value\":\"b\"}]}", 0},
	{NULL, "meta,emails,externalid,name," SCIM_URN_ENTERPRISE, HEAD ",\"userName\":\"u\",\"title\":\"t\",\"active\":false}", 0},
	{NULL, "meta,emails.type,externalId,name.givenName,title,active,password," SCIM_URN_ENTERPRISE ":manager",
		HEAD_E ",\"userName\":\"u\",\"name\":{\"familyName\":\"f\"},\"emails\":[{\"value\":\"a\",\"primary\":true},{\"value\":\"b\"}],"
	"\"" SCIM_URN_ENTERPRISE "\":{\"department\":\"d\"}}", 0},
	{NULL, "id,schemas,meta,name,emails,externalId,title,active,userName," SCIM_URN_ENTERPRISE, HEAD "}", 0},
	{"userName", "title", NULL, SCIM_BAD_REQUEST},
	{"userName", "", HEAD ",\"userName\":\"u\"}", 0},
};

static void
test_projections(void)
{
	for (size_t i = 0; i < sizeof(projections) / sizeof(projections[0]); i++)
	{
		ScimArena  *arena = scim_arena_create(1 << 20);
		ScimProjection *projection;
		ScimError	err = {0};
		ScimJson   *resource;
		ScimBuf		buf;
		ScimStatus	status;

		scim_buf_init(&buf, arena, 1 << 18);
		scim_json_parse(arena, str(stored), &resource, &err);
		status = scim_projection_parse(arena, type_named("User"), str(projections[i].attributes), str(projections[i].excluded),
									   &projection, &err);
		is_int(status, projections[i].status, "projection %zu: status", i);
		if (status == SCIM_OK)
		{
			scim_response_resource(&buf, type_named("User"), NULL, resource, &meta, projection, BASE);
			is_str(buf.data, projections[i].expected != NULL ? projections[i].expected : projections[0].expected,
				   "attributes=%s excludedAttributes=%s", projections[i].attributes, projections[i].excluded);
			ok(strstr(buf.data, "secret") == NULL, "no secret");
		}
		scim_arena_free(arena);
	}
}

static void
test_wants(void)
{
	ScimArena  *arena = scim_arena_create(1 << 20);
	const ScimResourceType *group = type_named("Group");
	const ScimAttribute *members = scim_type_attribute(group, SCIM_STR("members"));
	ScimProjection *projection;

	scim_projection_parse(arena, group, SCIM_STR_NONE, SCIM_STR("members"), &projection, NULL);
	ok(!scim_projection_wants(projection, members), "members excluded need not be read");
	scim_projection_parse(arena, group, SCIM_STR("displayName"), SCIM_STR_NONE, &projection, NULL);
	ok(!scim_projection_wants(projection, members), "nor when others are asked for");
	scim_projection_parse(arena, group, SCIM_STR("members.value"), SCIM_STR_NONE, &projection, NULL);
	ok(scim_projection_wants(projection, members), "members.value needs them");
	ok(scim_projection_wants(NULL, members), "no projection wants what is returned by default");
	ok(!scim_projection_wants(NULL, scim_type_attribute(type_named("User"), SCIM_STR("password"))), "but no secret");
	scim_arena_free(arena);
}

/* returned: always, request and never below the top level. */
static void
test_returned(void)
{
	static const char schema[] = "{\"id\":\"urn:x:T\",\"name\":\"T\",\"attributes\":[{\"name\":\"a\",\"returned\":\"always\"},"
	"{\"name\":\"r\",\"returned\":\"request\"},{\"name\":\"c\",\"type\":\"complex\",\"subAttributes\":["
	"{\"name\":\"always\",\"returned\":\"always\"},{\"name\":\"asked\",\"returned\":\"request\"},"
	"{\"name\":\"secret\",\"returned\":\"never\"},{\"name\":\"plain\"}]}]}";
	static const char type[] = "{\"name\":\"T\",\"endpoint\":\"/Ts\",\"schema\":\"urn:x:T\",\"storage\":{\"table\":\"a.t\",\"id\":\"id\","
	"\"tenant\":\"t\",\"version\":\"v\",\"created\":\"c\",\"lastModified\":\"m\",\"extensions\":\"x\",\"attributes\":{}}}";
	static const char resource[] = "{\"a\":\"1\",\"r\":\"2\",\"c\":{\"always\":\"3\",\"asked\":\"4\",\"secret\":\"5\",\"plain\":\"6\"}}";
	static const char *const cases[][2] = {
		{NULL, "\"a\":\"1\",\"c\":{\"always\":\"3\",\"plain\":\"6\"},\"meta\""},
		{"r", "\"a\":\"1\",\"r\":\"2\"}"},
		{"c", "\"a\":\"1\",\"c\":{\"always\":\"3\",\"plain\":\"6\"}}"},
		{"c.asked", "\"a\":\"1\",\"c\":{\"always\":\"3\",\"asked\":\"4\"}}"},
		{"c,c.asked", "\"a\":\"1\",\"c\":{\"always\":\"3\",\"asked\":\"4\",\"plain\":\"6\"}}"},
		{"urn:x:T", "\"a\":\"1\",\"c\":{\"always\":\"3\",\"plain\":\"6\"}}"},
	};
	ScimRegistry *registry = scim_registry_create();
	ScimArena  *arena = scim_arena_create(1 << 20);
	const ScimResourceType *t;
	ScimProjection *projection;
	ScimError	err = {0};
	ScimJson   *json;

	if (!ok(scim_registry_add(registry, str(schema), &err) == SCIM_OK && scim_registry_add(registry, str(type), &err) == SCIM_OK,
			"a type with every kind of returned (%s)", err.detail))
		return;
	t = scim_registry_type_by_name(registry, "T");
	scim_json_parse(arena, str(resource), &json, &err);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		ScimBuf		buf;

		scim_buf_init(&buf, arena, 1 << 16);
		scim_projection_parse(arena, t, str(cases[i][0]), SCIM_STR_NONE, &projection, &err);
		scim_response_resource(&buf, t, NULL, json, &meta, projection, "");
		ok(strstr(buf.data, cases[i][1]) != NULL, "attributes=%s: %s", cases[i][0], buf.data);
	}
	is_int(scim_projection_parse(arena, t, SCIM_STR("c.secret"), SCIM_STR_NONE, &projection, &err), SCIM_SENSITIVE,
		   "a secret sub-attribute cannot be asked for");
	scim_projection_parse(arena, t, SCIM_STR_NONE, SCIM_STR("a,c.always"), &projection, &err);
	ok(scim_projection_wants(projection, scim_type_attribute(t, SCIM_STR("a"))), "always cannot be excluded");
	scim_arena_free(arena);
	scim_registry_free(registry);
}

/* RFC 7643 sections 8.1 to 8.4: created and rendered again, the documents say the same. */
static void
test_fixtures(void)
{
	static const struct
	{
		const char *file;
		const char *type;
		const char *id;
	}			files[] = {
		{"rfc7643_8_1_minimal_user.json", "User", ID},
		{"rfc7643_8_2_full_user.json", "User", ID},
		{"rfc7643_8_3_enterprise_user.json", "User", ID},
		{"rfc7643_8_4_group.json", "Group", "e9e30dba-f08f-4109-8486-d5c6a331660a"},
	};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
	{
		ScimArena  *arena = scim_arena_create(1 << 22);
		const ScimResourceType *type = type_named(files[i].type);
		ScimMeta	its_meta = {str(files[i].id), 3, INT64_C(1264222582000000), INT64_C(1305261754000000)};
		ScimStr		text = fixture(files[i].file);
		ScimResource resource;
		ScimError	err = {0};
		ScimJson   *document;
		ScimJson   *rendered;
		ScimJson   *manager;
		ScimBuf		buf;

		scim_buf_init(&buf, arena, 1 << 18);
		scim_json_parse(arena, text, &document, &err);
		scim_resource_from_body(arena, type, document, NULL, true, &resource, &err);

		/* What the server keeps elsewhere or computes. */
		for (size_t j = 0; j < type->n_links; j++)
			scim_json_set(resource.json, type->links[j].attr->name, scim_json_get(document, type->links[j].attr->name, NULL));
		manager = scim_json_get(scim_json_get(document, SCIM_URN_ENTERPRISE, NULL), "manager", NULL);
		if (manager != NULL)
		{
			scim_json_set(scim_json_get(scim_json_get(resource.json, SCIM_URN_ENTERPRISE, NULL), "manager", NULL), "displayName",
						  scim_json_get(manager, "displayName", NULL));
			scim_json_set(manager, "$ref", scim_json_string(arena, SCIM_STR(BASE "/Users/" MANAGER)));
		}
		scim_json_set(scim_json_get(document, "meta", NULL), "version", scim_json_string(arena, SCIM_STR("W/\"3\"")));
		json_object_object_del(document, "password");

		scim_response_resource(&buf, type, NULL, resource.json, &its_meta, NULL, BASE);
		scim_json_parse(arena, (ScimStr) {buf.data, buf.len}, &rendered, &err);
		if (!ok(scim_json_equal(document, rendered), "%s is rendered as it came", files[i].file))
			printf("# %s\n# %s\n", buf.data, scim_json_text(arena, document).ptr);
		free((char *) text.ptr);
		scim_arena_free(arena);
	}
}

/* What a DBA can have written into a jsonb column. */
static void
test_odd_values(void)
{
	ScimArena  *arena = scim_arena_create(1 << 20);
	ScimJson   *json;
	ScimBuf		buf;

	scim_buf_init(&buf, arena, 1 << 18);
	scim_json_parse(arena, SCIM_STR("{\"userName\":\"u\",\"emails\":[\"a\",null,{},{\"x\":1},{\"value\":\"\\u0001\"}],\"ims\":[null],\"roles\":{\"value\":1},"
		"\"name\":\"n\",\"phoneNumbers\":[]}"), &json, NULL);
	scim_response_resource(&buf, type_named("User"), NULL, json, &meta, NULL, BASE);
	is_str(buf.data, HEAD ",\"userName\":\"u\",\"emails\":[{\"value\":\"\\u0001\"}]" META, "what does not fit the schema is not shown");
	scim_arena_free(arena);
}

static void
test_small_documents(void)
{
	ScimArena  *arena = scim_arena_create(1 << 20);
	ScimError	err = {SCIM_INVALID_VALUE, "userName \"x\" is required"};
	char		etag[SCIM_ETAG_SIZE];
	ScimBuf		buf;

	scim_buf_init(&buf, arena, 1 << 18);
	scim_response_error(&buf, &err);
	is_str(buf.data, "{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:Error\"],\"status\":\"400\",\"scimType\":\"invalidValue\","
		   "\"detail\":\"userName \\\"x\\\" is required\"}", "an error");
	scim_buf_reset(&buf);
	scim_response_error(&buf, &(ScimError) {SCIM_NOT_FOUND, ""});
	is_str(buf.data, "{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:Error\"],\"status\":\"404\"}", "without scimType and detail");
	scim_buf_reset(&buf);
	scim_response_list_begin(&buf, 100000000000, 1, 0);
	scim_response_list_end(&buf);
	is_str(buf.data, "{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:ListResponse\"],\"totalResults\":100000000000,"
		   "\"startIndex\":1,\"itemsPerPage\":0,\"Resources\":[]}", "an empty list");
	scim_buf_reset(&buf);
	scim_response_cursor_begin(&buf, -1, 2, "0a1b");
	scim_response_list_end(&buf);
	is_str(buf.data, "{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:ListResponse\"],\"nextCursor\":\"0a1b\","
		   "\"itemsPerPage\":2,\"Resources\":[]}", "a page by cursor");
	scim_buf_reset(&buf);
	scim_response_cursor_begin(&buf, 7, 7, NULL);
	scim_response_list_end(&buf);
	is_str(buf.data, "{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:ListResponse\"],\"totalResults\":7,"
		   "\"itemsPerPage\":7,\"Resources\":[]}", "one that is all");
	is_str(scim_location(arena, type_named("Group"), str(ID), ""), "/Groups/" ID, "a location without base");
	is_str(scim_location(arena, type_named("Group"), str(ID), BASE), BASE "/Groups/" ID, "and with one");
	scim_etag(INT64_MAX, etag);
	is_str(etag, "W/\"9223372036854775807\"", "the longest tag");
	scim_arena_free(arena);
}

/* The text of a discovery document, and whether it is JSON without null. */
static ScimJson *
parsed(ScimArena *arena, const ScimBuf *buf, const char *what)
{
	ScimJson   *json = NULL;
	ScimError	err = {0};

	ok(scim_json_parse(arena, (ScimStr) {buf->data, buf->len}, &json, &err) == SCIM_OK, "%s: JSON %s", what, err.detail);
	ok(strstr(buf->data, "null") == NULL, "%s: no null", what);
	ok(strstr(buf->data, "storage") == NULL && strstr(buf->data, "scim.users") == NULL, "%s: nothing of the storage", what);
	return json;
}

static void
test_discovery(void)
{
	const ScimRegistry *registry = scim_registry_builtin();
	ScimArena  *arena = scim_arena_create(1 << 22);
	ScimRegistry *copy = scim_registry_create();
	ScimError	err = {0};
	ScimJson   *json;
	ScimJson   *one;
	ScimBuf		buf;

	scim_buf_init(&buf, arena, 1 << 20);
	ok(scim_response_schemas(&buf, registry, SCIM_STR_NONE, BASE), "all schemas");
	json = parsed(arena, &buf, "/Schemas");
	is_int(json_object_get_int(scim_json_get(json, "totalResults", NULL)), 3, "three of them");
	json = scim_json_get(json, "Resources", NULL);
	is_int((long long) json_object_array_length(json), 3, "are listed");

	/* The document, loaded, makes the same document again: nothing is lost or invented. */
	for (size_t i = 0; i < 3; i++)
	{
		ScimStr		text = scim_json_text(arena, json_object_array_get_idx(json, i));
		const ScimSchema *schema;

		is_int(scim_registry_add(copy, text, &err), SCIM_OK, "a schema as sent can be loaded (%s)", err.detail);
		schema = scim_registry_schema(copy, i);
		scim_buf_reset(&buf);
		scim_response_schemas(&buf, copy, str(schema->id), BASE);
		scim_json_parse(arena, (ScimStr) {buf.data, buf.len}, &one, &err);
		ok(scim_json_equal(one, json_object_array_get_idx(json, i)), "and says the same: %s", schema->id);
	}
	is_str(json_object_get_string(scim_json_get(scim_json_get(one, "meta", NULL), "location", NULL)),
		   BASE "/Schemas/" SCIM_URN_ENTERPRISE, "its location");
	scim_buf_reset(&buf);
	ok(!scim_response_schemas(&buf, registry, SCIM_STR("urn:x"), BASE) && buf.len == 0, "no such schema");

	ok(scim_response_resource_types(&buf, registry, SCIM_STR_NONE, BASE), "all resource types");
	json = parsed(arena, &buf, "/ResourceTypes");
	is_int((long long) json_object_array_length(scim_json_get(json, "Resources", NULL)), 2, "two of them");
	scim_buf_reset(&buf);
	ok(scim_response_resource_types(&buf, registry, SCIM_STR("User"), BASE), "one of them");
	is_str(buf.data, "{\"schemas\":[\"urn:ietf:params:scim:schemas:core:2.0:ResourceType\"],\"id\":\"User\",\"name\":\"User\","
		   "\"endpoint\":\"/Users\",\"description\":\"User Account\",\"schema\":\"" SCIM_URN_USER "\","
		   "\"schemaExtensions\":[{\"schema\":\"" SCIM_URN_ENTERPRISE "\",\"required\":false}],"
		   "\"meta\":{\"resourceType\":\"ResourceType\",\"location\":\"" BASE "/ResourceTypes/User\"}}", "as RFC 7643 section 8.6");
	scim_buf_reset(&buf);
	ok(!scim_response_resource_types(&buf, registry, SCIM_STR("Device"), BASE) && buf.len == 0, "no such type");

	scim_response_service_provider_config(&buf, &(ScimCapabilities) {200, 1000, 1048576, 100, 3600, true}, BASE);
	json = parsed(arena, &buf, "/ServiceProviderConfig");
	ok(json_object_get_boolean(scim_json_get(scim_json_get(json, "patch", NULL), "supported", NULL)), "PATCH is supported");
	ok(json_object_get_boolean(scim_json_get(scim_json_get(json, "bulk", NULL), "supported", NULL)), "so is Bulk");
	is_int(json_object_get_int(scim_json_get(scim_json_get(json, "bulk", NULL), "maxOperations", NULL)), 1000, "maxOperations");
	ok(json_object_get_boolean(scim_json_get(scim_json_get(json, "changePassword", NULL), "supported", NULL)), "passwords are");
	is_int(json_object_get_int(scim_json_get(scim_json_get(json, "filter", NULL), "maxResults", NULL)), 200, "maxResults");
	is_int((long long) json_object_array_length(scim_json_get(json, "authenticationSchemes", NULL)), 1, "one way to authenticate");
	scim_registry_free(copy);
	scim_arena_free(arena);
}

static ScimStatus
render(ScimArena *arena, void *argument)
{
	ScimProjection *projection;
	ScimJson   *json;
	ScimBuf		buf;
	ScimStatus	status = scim_projection_parse(arena, type_named("User"), str(argument), SCIM_STR_NONE, &projection, NULL);

	scim_buf_init(&buf, arena, 1 << 20);
	if (status == SCIM_OK)
		status = scim_json_parse(arena, str(stored), &json, NULL);
	if (status != SCIM_OK)
		return status;
	scim_response_resource(&buf, type_named("User"), NULL, json, &meta, projection, BASE);
	return buf.failed ? SCIM_NO_MEMORY : SCIM_OK;
}

int
main(void)
{
	test_projections();
	test_wants();
	test_returned();
	test_fixtures();
	test_odd_values();
	test_small_documents();
	test_discovery();
	scarce("a projection and a user", render, "emails[type eq \"x\"].value," SCIM_URN_ENTERPRISE);
	return done_testing();
}
