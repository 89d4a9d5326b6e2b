/*
 * test_resource.c: request bodies to canonical resources, and the last check.
 */
#include "core/json.h"
#include "core/resource.h"
#include "fixture.h"
#include "thing.h"

#include <json-c/json.h>
#include <time.h>

#define CORE "\"schemas\":[\"" SCIM_URN_USER "\"],\"userName\":\"u\""
#define U "{" CORE
#define G "{\"schemas\":[\"" SCIM_URN_GROUP "\"],\"displayName\":\"g\""
#define E_URN "\"" SCIM_URN_ENTERPRISE "\""
#define ID_A "2819c223-7f76-453a-919d-413861904646"
#define ID_B "902c246b-6245-4190-8e05-00816be7344a"

static ScimStr
str(const char *text)
{
	return (ScimStr) {text, strlen(text)};
}

static const ScimResourceType *
type_named(const char *name)
{
	return scim_registry_type_by_name(scim_registry_builtin(), name);
}

/* What came of a body, in one line; or the error. */
static char *
outcome(ScimArena *arena, const ScimResource *resource)
{
	static const char *const verbs[] = {"add", "remove", "remove matching", "replace"};
	ScimBuf		buf;

	scim_buf_init(&buf, arena, 1 << 20);
	scim_json_write(&buf, resource->json);
	for (const ScimLinkOp *op = resource->links; op != NULL; op = op->next)
	{
		scim_buf_printf(&buf, " %s %s", verbs[op->verb], op->link->attr->name);
		for (size_t i = 0; i < op->n; i++)
			scim_buf_printf(&buf, " %.*s", 4, op->ids[i].ptr);
	}
	if (resource->secrets.password.ptr != NULL)
		scim_buf_printf(&buf, " password %.*s", (int) resource->secrets.password.len, resource->secrets.password.ptr);
	if (resource->secrets.password_removed)
		scim_buf_str(&buf, " password removed");
	return buf.data;
}

typedef struct Case
{
	const char *what;
	const char *type;
	const char *body;
	const char *stored;			/* NULL: POST */
	bool		strict;
	ScimStatus	status;
	const char *expected;		/* outcome or detail */
} Case;

static const Case cases[] = {
	{"the least", "User", U "}", NULL, true, SCIM_OK, "{\"userName\":\"u\"}"},
	{"null, [] and {} are unassigned", "User",
		U ",\"title\":null,\"phoneNumbers\":null,\"roles\":[],\"name\":{\"givenName\":\"N\",\"middleName\":null},"
		"\"addresses\":[{}],\"emails\":[{\"value\":null}]," E_URN ":{\"department\":null}}", NULL, true, SCIM_OK,
	"{\"userName\":\"u\",\"name\":{\"givenName\":\"N\"}}"},
	{"names in any case, canonical order", "User",
		"{\"SCHEMAS\":[\"URN:ietf:params:scim:schemas:core:2.0:USER\"],\"TITLE\":\"t\",\"username\":\"u\",\"EXTERNALID\":\"x\","
		"\"Name\":{\"GIVENNAME\":\"g\",\"familyname\":\"f\"},"
		"\"urn:IETF:params:scim:schemas:extension:ENTERPRISE:2.0:User\":{\"DEPARTMENT\":\"d\"}}", NULL, true, SCIM_OK,
		"{\"externalId\":\"x\",\"userName\":\"u\",\"name\":{\"familyName\":\"f\",\"givenName\":\"g\"},\"title\":\"t\","
	E_URN ":{\"department\":\"d\"}}"},
	{"readOnly attributes are ignored, whatever they are", "User",
		U ",\"id\":\"x\",\"meta\":{\"resourceType\":7},\"groups\":\"nonsense\"," E_URN ":{\"manager\":{\"displayName\":7,\"$ref\":7}}}",
	NULL, true, SCIM_OK, "{\"userName\":\"u\"}"},
	{"unknown attributes are ignored", "User", U ",\"favouriteFish\":\"cod\",\"emails\":[{\"value\":\"a\",\"verified\":true}]}",
	NULL, false, SCIM_OK, "{\"userName\":\"u\",\"emails\":[{\"value\":\"a\"}]}"},
	{"or refused, when strict", "User", U ",\"favouriteFish\":\"cod\"}", NULL, true, SCIM_INVALID_SYNTAX,
	"User has no attribute \"favouriteFish\""},
	{"in a complex attribute too", "User", U ",\"name\":{\"nick\":\"x\"}}", NULL, true, SCIM_INVALID_SYNTAX,
	"name has no sub-attribute \"nick\""},
	{"in an extension too", "User", U "," E_URN ":{\"desk\":\"x\"}}", NULL, true, SCIM_INVALID_SYNTAX,
	"EnterpriseUser has no attribute \"desk\""},
	{"an unknown schema", "User", "{\"schemas\":[\"urn:x\",\"" SCIM_URN_USER "\"],\"userName\":\"u\"}", NULL, false, SCIM_OK,
	"{\"userName\":\"u\"}"},
	{"an unknown schema, when strict", "User", "{\"schemas\":[\"urn:x\",\"" SCIM_URN_USER "\"],\"userName\":\"u\"}", NULL, true,
	SCIM_INVALID_SYNTAX, "User has no schema \"urn:x\""},
	{"an extension that schemas does not name", "User", U "," E_URN ":{\"department\":\"Reef\"}}", NULL, false, SCIM_OK,
	"{\"userName\":\"u\"," E_URN ":{\"department\":\"Reef\"}}"},
	{"the extension named first", "User", "{\"schemas\":[" E_URN ",\"" SCIM_URN_USER "\"],\"userName\":\"u\"}", NULL, true,
	SCIM_OK, "{\"userName\":\"u\"}"},

	{"not an object", "User", "[]", NULL, false, SCIM_INVALID_SYNTAX, "the body must be a JSON object"},
	{"null", "User", "null", NULL, false, SCIM_INVALID_SYNTAX, "the body must be a JSON object"},
	{"no schemas", "User", "{\"userName\":\"u\"}", NULL, false, SCIM_INVALID_SYNTAX,
	"schemas must be an array that contains \"" SCIM_URN_USER "\""},
	{"schemas as a string", "User", "{\"schemas\":\"" SCIM_URN_USER "\"}", NULL, false, SCIM_INVALID_SYNTAX,
	"schemas must be an array that contains \"" SCIM_URN_USER "\""},
	{"schemas of something else", "User", "{\"schemas\":[7]}", NULL, false, SCIM_INVALID_SYNTAX,
	"schemas must be an array of URIs"},
	{"another type's schema", "Group", "{\"schemas\":[\"" SCIM_URN_USER "\"],\"displayName\":\"g\"}", NULL, false,
	SCIM_INVALID_SYNTAX, "schemas must be an array that contains \"" SCIM_URN_GROUP "\""},
	{"required and absent", "User", "{\"schemas\":[\"" SCIM_URN_USER "\"]}", NULL, false, SCIM_INVALID_VALUE, "userName is required"},
	{"required and null", "User", "{\"schemas\":[\"" SCIM_URN_USER "\"],\"userName\":null}", NULL, false, SCIM_INVALID_VALUE,
	"userName is required"},
	{"required and empty", "User", "{\"schemas\":[\"" SCIM_URN_USER "\"],\"userName\":\"\"}", NULL, false, SCIM_INVALID_VALUE,
	"userName is required"},

	{"a number for a string", "User", U ",\"title\":7}", NULL, false, SCIM_INVALID_VALUE, "title must be a string"},
	{"a string for a boolean", "User", U ",\"active\":\"true\"}", NULL, false, SCIM_INVALID_VALUE, "active must be true or false"},
	{"an object for a string", "User", U ",\"title\":{}}", NULL, false, SCIM_INVALID_VALUE, "title must be a string"},
	{"a string for a complex value", "User", U ",\"name\":\"x\"}", NULL, false, SCIM_INVALID_VALUE, "name must be an object"},
	{"in a sub-attribute", "User", U ",\"name\":{\"givenName\":[\"x\"]}}", NULL, false, SCIM_INVALID_VALUE,
	"name.givenName must be a string"},
	{"an object for an array", "User", U ",\"emails\":{\"value\":\"a\"}}", NULL, false, SCIM_INVALID_VALUE, "emails must be an array"},
	{"strings for elements", "User", U ",\"emails\":[\"a@b\"]}", NULL, false, SCIM_INVALID_VALUE, "emails must be an object"},
	{"null for an element", "User", U ",\"emails\":[null]}", NULL, false, SCIM_INVALID_VALUE, "emails must not contain null"},
	{"an extension that is no object", "User", U "," E_URN ":\"x\"}", NULL, false, SCIM_INVALID_VALUE,
	SCIM_URN_ENTERPRISE " must be an object"},
	{"false is a value", "User", U ",\"active\":false,\"emails\":[{\"value\":\"a\",\"primary\":false}]}", NULL, false, SCIM_OK,
	"{\"userName\":\"u\",\"active\":false,\"emails\":[{\"value\":\"a\",\"primary\":false}]}"},
	{"empty strings are values, but of no reference", "User",
		U ",\"title\":\"\",\"profileUrl\":\"\",\"photos\":[{\"value\":\"\",\"type\":\"photo\"}],\"x509Certificates\":[{\"value\":\"\"}]}",
	NULL, false, SCIM_OK, "{\"userName\":\"u\",\"title\":\"\",\"photos\":[{\"type\":\"photo\"}]}"},
	{"canonical values in canonical case, others as they are", "User",
		U ",\"emails\":[{\"value\":\"a\",\"type\":\"Work\"},{\"value\":\"b\",\"type\":\"Boat\"}]}", NULL, false, SCIM_OK,
	"{\"userName\":\"u\",\"emails\":[{\"value\":\"a\",\"type\":\"work\"},{\"value\":\"b\",\"type\":\"Boat\"}]}"},
	{"a certificate", "User", U ",\"x509Certificates\":[{\"value\":\"MIID_-8\"},{\"value\":\"AA+/\"},{\"value\":\"AA==\"}]}", NULL, false,
	SCIM_OK, "{\"userName\":\"u\",\"x509Certificates\":[{\"value\":\"MIID_-8\"},{\"value\":\"AA+/\"},{\"value\":\"AA==\"}]}"},
	{"a reference is a string", "User", U ",\"profileUrl\":[\"x\"]}", NULL, false, SCIM_INVALID_VALUE, "profileUrl must be a URI"},
	{"an absolute URI, a relative one, an IRI", "User", U ",\"profileUrl\":\"../b?c=%20#d\",\"photos\":[{\"value\":\"data:image/png;base64,AA==\"},{\"value\":\"https://\xC3\xA9.example\"}]}", NULL, false, SCIM_OK,
	"{\"userName\":\"u\",\"profileUrl\":\"../b?c=%20#d\",\"photos\":[{\"value\":\"data:image/png;base64,AA==\"},{\"value\":\"https://\xC3\xA9.example\"}]}"},
	{"no URI: a blank", "User", U ",\"profileUrl\":\"a b\"}", NULL, false, SCIM_INVALID_VALUE, "profileUrl must be a URI"},
	{"no URI: a control character", "User", U ",\"photos\":[{\"value\":\"a\\u007f\"}]}", NULL, false, SCIM_INVALID_VALUE, "photos.value must be a URI"},
	{"no URI: a quote", "User", U ",\"profileUrl\":\"a\\\"\"}", NULL, false, SCIM_INVALID_VALUE, "profileUrl must be a URI"},
	{"no base64", "User", U ",\"x509Certificates\":[{\"value\":\"M*\"}]}", NULL, false, SCIM_INVALID_VALUE,
	"x509Certificates.value must be a string in base64"},
	{"base64 of a wrong length", "User", U ",\"x509Certificates\":[{\"value\":\"AAAAA\"}]}", NULL, false, SCIM_INVALID_VALUE,
	"x509Certificates.value must be a string in base64"},
	{"both base64 alphabets", "User", U ",\"x509Certificates\":[{\"value\":\"A+_A\"}]}", NULL, false, SCIM_INVALID_VALUE,
	"x509Certificates.value must be a string in base64"},

	{"two primaries", "User", U ",\"emails\":[{\"value\":\"a\",\"primary\":true},{\"value\":\"b\",\"primary\":true}]}", NULL, false,
	SCIM_INVALID_VALUE, "emails has more than one primary value"},
	{"the same value and type once", "User",
		U ",\"emails\":[{\"value\":\"A\",\"type\":\"work\"},{\"value\":\"a\",\"type\":\"home\"},"
		"{\"value\":\"a\",\"type\":\"Work\",\"primary\":true,\"display\":\"x\"}]}", NULL, false, SCIM_OK,
		"{\"userName\":\"u\",\"emails\":[{\"value\":\"A\",\"type\":\"work\",\"primary\":true},"
	"{\"value\":\"a\",\"type\":\"home\"}]}"},
	{"the same address once", "User", U ",\"addresses\":[{\"country\":\"DE\"},{\"country\":\"FR\"},{\"country\":\"DE\"}]}", NULL, false,
	SCIM_OK, "{\"userName\":\"u\",\"addresses\":[{\"country\":\"DE\"},{\"country\":\"FR\"}]}"},

	{"a password", "User", U ",\"password\":\"t1me\"}", NULL, true, SCIM_OK, "{\"userName\":\"u\"} password t1me"},
	{"an empty password is none", "User", U ",\"password\":\"\"}", NULL, true, SCIM_OK, "{\"userName\":\"u\"}"},
	{"a password removed", "User", U ",\"password\":null}", "{}", true, SCIM_OK, "{\"userName\":\"u\"} password removed"},
	{"a password of the wrong type", "User", U ",\"password\":[\"t1me\"]}", NULL, true, SCIM_INVALID_VALUE, "password must be a string"},

	{"a manager, in lower case", "User", U "," E_URN ":{\"manager\":{\"value\":\"2819C223-7F76-453A-919D-413861904646\"}}}", NULL, true,
	SCIM_OK, "{\"userName\":\"u\"," E_URN ":{\"manager\":{\"value\":\"" ID_A "\"}}}"},
	{"no manager: \"\"", "User", U "," E_URN ":{\"manager\":\"\"}}", NULL, true, SCIM_OK, "{\"userName\":\"u\"}"},
	{"no manager: value \"\"", "User", U "," E_URN ":{\"manager\":{\"value\":\"\"}}}", NULL, true, SCIM_OK, "{\"userName\":\"u\"}"},
	{"no manager: value null", "User", U "," E_URN ":{\"manager\":{\"value\":null}}}", NULL, true, SCIM_OK, "{\"userName\":\"u\"}"},
	{"a manager that cannot exist", "User", U "," E_URN ":{\"manager\":{\"value\":\"boss\"}}}", NULL, true, SCIM_INVALID_VALUE,
	"manager.value must be the id of a resource that exists"},

	{"members of a new group", "Group", G ",\"members\":[{\"value\":\"" ID_B "\",\"$ref\":null,\"display\":\"x\"},"
		"{\"value\":\"2819C223-7F76-453A-919D-413861904646\"},{\"value\":\"" ID_B "\"}]}", NULL, true, SCIM_OK,
	"{\"displayName\":\"g\"} add members 2819 902c"},
	{"no members", "Group", G ",\"members\":[]}", NULL, true, SCIM_OK, "{\"displayName\":\"g\"}"},
	{"PUT replaces the members", "Group", G ",\"members\":[{\"value\":\"" ID_A "\"}]}", "{\"displayName\":\"h\"}", true, SCIM_OK,
	"{\"displayName\":\"g\"} replace members 2819"},
	{"PUT without members empties the group", "Group", G "}", "{\"displayName\":\"h\"}", true, SCIM_OK,
	"{\"displayName\":\"g\"} replace members"},
	{"a member that cannot exist", "Group", G ",\"members\":[{\"value\":\"me\"}]}", NULL, true, SCIM_INVALID_VALUE,
	"members.value must be the id of a resource that exists"},
	{"members as strings", "Group", G ",\"members\":[\"" ID_A "\"]}", NULL, true, SCIM_INVALID_VALUE,
	"members must be an array of objects with a \"value\""},
	{"members as an object", "Group", G ",\"members\":{\"value\":\"" ID_A "\"}}", NULL, true, SCIM_INVALID_VALUE, "members must be an array"},
	{"groups on a user are ignored", "User", U ",\"groups\":[{\"value\":\"" ID_A "\"}]}", NULL, true, SCIM_OK, "{\"userName\":\"u\"}"},

	{"PUT clears what it does not name", "User", U ",\"displayName\":\"P\"}", "{\"userName\":\"u\",\"title\":\"Pilot\"}", false, SCIM_OK,
	"{\"userName\":\"u\",\"displayName\":\"P\"}"},
	{"PUT keeps what nobody knows any more", "User", U "}", "{\"userName\":\"u\",\"urn:gone\":{\"x\":1}}", false, SCIM_OK,
	"{\"userName\":\"u\",\"urn:gone\":{\"x\":1}}"},
};

static void
run_cases(const Case *list, size_t n, const ScimRegistry *registry)
{
	for (size_t i = 0; i < n; i++)
	{
		const Case *c = &list[i];
		ScimArena  *arena = scim_arena_create(1 << 20);
		ScimResource resource = {0};
		ScimError	err = {0};
		ScimJson   *body = NULL;
		ScimJson   *stored = NULL;
		ScimStatus	status;

		if (scim_json_parse(arena, str(c->body), &body, &err) != SCIM_OK ||
			(c->stored != NULL && scim_json_parse(arena, str(c->stored), &stored, &err) != SCIM_OK))
			ok(false, "%s: the case itself: %s", c->what, err.detail);
		status = scim_resource_from_body(arena, scim_registry_type_by_name(registry, c->type), body, stored, c->strict,
										 &resource, &err);
		is_int(status, c->status, "%s: status", c->what);
		is_str(status == SCIM_OK ? outcome(arena, &resource) : err.detail, c->expected, "%s", c->what);
		scim_arena_free(arena);
	}
}

#define T "{\"schemas\":[\"urn:x:Thing\"],\"label\":\"l\""
static const Case thing_cases[] = {
	{"numbers", "Thing", T ",\"size\":7,\"weight\":1.50}", NULL, true, SCIM_OK, "{\"label\":\"l\",\"size\":7,\"weight\":1.50}"},
	{"an integer is a decimal", "Thing", T ",\"weight\":2}", NULL, true, SCIM_OK, "{\"label\":\"l\",\"weight\":2}"},
	{"a decimal is no integer", "Thing", T ",\"size\":7.0}", NULL, true, SCIM_INVALID_VALUE, "size must be an integer"},
	{"a string is no number", "Thing", T ",\"weight\":\"7\"}", NULL, true, SCIM_INVALID_VALUE, "weight must be a number"},
	{"a time becomes canonical", "Thing", T ",\"made\":\"2011-05-13T06:42:34.5+02:00\"}", NULL, true, SCIM_OK,
	"{\"label\":\"l\",\"made\":\"2011-05-13T04:42:34.500000Z\"}"},
	{"no time", "Thing", T ",\"made\":\"yesterday\"}", NULL, true, SCIM_INVALID_VALUE,
	"made must be a dateTime such as \"2008-01-23T04:56:22Z\""},
	{"an empty time is none", "Thing", T ",\"made\":\"\"}", NULL, true, SCIM_OK, "{\"label\":\"l\"}"},
	{"simple values once, in any case or not", "Thing", T ",\"tags\":[\"a\",\"A\",\"b\",\"a\"],\"codes\":[\"a\",\"A\",\"a\"]}", NULL, true, SCIM_OK,
	"{\"label\":\"l\",\"tags\":[\"a\",\"b\"],\"codes\":[\"a\",\"A\"]}"},
	{"immutable, first given", "Thing", T ",\"serial\":\"1\"}", "{\"label\":\"l\"}", true, SCIM_OK, "{\"label\":\"l\",\"serial\":\"1\"}"},
	{"immutable, the same", "Thing", T ",\"serial\":\"1\"}", "{\"serial\":\"1\"}", true, SCIM_OK, "{\"label\":\"l\",\"serial\":\"1\"}"},
	{"immutable, not given", "Thing", T "}", "{\"serial\":\"1\"}", true, SCIM_OK, "{\"label\":\"l\",\"serial\":\"1\"}"},
	{"immutable, changed", "Thing", T ",\"serial\":\"2\"}", "{\"serial\":\"1\"}", true, SCIM_MUTABILITY, "serial cannot be changed"},
	{"immutable sub-attribute, changed", "Thing", T ",\"box\":{\"kind\":\"k\",\"code\":\"2\"}}", "{\"box\":{\"kind\":\"k\",\"code\":\"1\"}}",
	true, SCIM_MUTABILITY, "box.code cannot be changed"},
	{"readOnly stays as stored", "Thing", T ",\"state\":\"mine\"}", "{\"state\":\"theirs\"}", true, SCIM_OK,
	"{\"label\":\"l\",\"state\":\"theirs\"}"},
	{"readOnly sub-attribute too", "Thing", T ",\"box\":{\"kind\":\"k\",\"seen\":\"no\"}}", "{\"box\":{\"kind\":\"j\",\"seen\":\"yes\"}}", true, SCIM_OK,
	"{\"label\":\"l\",\"box\":{\"kind\":\"k\",\"seen\":\"yes\"}}"},
	{"a required sub-attribute", "Thing", T ",\"box\":{\"on\":true}}", NULL, true, SCIM_INVALID_VALUE, "box.kind is required"},
	{"in an element", "Thing", T ",\"points\":[{\"x\":0},{\"x\":null}]}", NULL, true, SCIM_OK, "{\"label\":\"l\",\"points\":[{\"x\":0}]}"},
	{"an extension's required attribute, extension not used", "Thing", T ",\"urn:x:More\":{}}", NULL, true, SCIM_OK, "{\"label\":\"l\"}"},
	{"an extension's required attribute, extension used", "Thing", T ",\"urn:x:More\":{\"seal\":\"s\"}}", NULL, true, SCIM_INVALID_VALUE,
	"why is required"},
	{"an extension's immutable attribute", "Thing", T ",\"urn:x:More\":{\"why\":\"w\",\"seal\":\"s\"}}", "{\"urn:x:More\":{\"why\":\"w\",\"seal\":\"r\"}}",
	true, SCIM_MUTABILITY, "seal cannot be changed"},
	{"an immutable attribute keeps its extension", "Thing", T ",\"urn:x:More\":null}", "{\"urn:x:More\":{\"seal\":\"r\"}}", true,
	SCIM_INVALID_VALUE, "why is required"},
	{"a required extension", "Strict", T "}", NULL, true, SCIM_INVALID_VALUE, "urn:x:More is required"},
	{"a required extension's required attribute", "Strict", T ",\"urn:x:More\":{}}", NULL, true, SCIM_INVALID_VALUE, "why is required"},
	{"two links", "Strict", T ",\"left\":[{\"value\":\"" ID_A "\"}],\"right\":[{\"value\":\"" ID_B "\"}],\"urn:x:More\":{\"why\":\"w\"}}", NULL,
	true, SCIM_OK, "{\"label\":\"l\",\"urn:x:More\":{\"why\":\"w\"}} add left 2819 add right 902c"},
};

/* What scim_resource_check does to a resource that PATCH has changed. */
static void
test_check(void)
{
	static const struct
	{
		const char *json;
		const char *stored;
		ScimStatus	status;
		const char *expected;
	}			checks[] = {
		{"{\"userName\":\"u\",\"name\":{},\"emails\":[{\"value\":null},{\"value\":\"a\"}],\"roles\":[],\"title\":null," E_URN ":{\"manager\":{}}}",
			"{\"userName\":\"u\"}", SCIM_OK, "{\"userName\":\"u\",\"emails\":[{\"value\":\"a\"}]}"},
		{"{\"userName\":\"u\",\"ims\":[null,{}]}", "{}", SCIM_OK, "{\"userName\":\"u\"}"},
		{"{\"title\":\"t\"}", "{\"userName\":\"u\"}", SCIM_INVALID_VALUE, "userName is required"},
		{"{\"userName\":\"u\"," E_URN ":{\"manager\":{\"value\":\"x\"}}}", "{}", SCIM_INVALID_VALUE,
		"manager.value must be the id of a resource that exists"},
		{"{\"userName\":\"u\",\"emails\":[{\"value\":\"a\",\"primary\":true},{\"value\":\"b\",\"primary\":true}]}", "{}", SCIM_INVALID_VALUE,
		"emails has more than one primary value"},
	};

	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
	{
		ScimArena  *arena = scim_arena_create(1 << 20);
		ScimError	err = {0};
		ScimJson   *json;
		ScimJson   *stored;
		ScimStatus	status;

		scim_json_parse(arena, str(checks[i].json), &json, &err);
		scim_json_parse(arena, str(checks[i].stored), &stored, &err);
		status = scim_resource_check(arena, type_named("User"), json, stored, &err);
		is_int(status, checks[i].status, "check %zu: status", i);
		is_str(status == SCIM_OK ? scim_json_text(arena, json).ptr : err.detail, checks[i].expected, "check %zu", i);
		scim_arena_free(arena);
	}
}

/* RFC 7643 section 8's own documents can be created as they are. */
static void
test_fixtures(void)
{
	static const char *const users[] = {"rfc7643_8_1_minimal_user.json", "rfc7643_8_2_full_user.json",
	"rfc7643_8_3_enterprise_user.json"};
	ScimArena  *arena = scim_arena_create(1 << 22);

	for (size_t i = 0; i < 4; i++)
	{
		const char *name = i < 3 ? users[i] : "rfc7643_8_4_group.json";
		ScimStr		text = fixture(name);
		ScimError	err = {0};
		ScimResource resource;
		ScimJson   *body;

		scim_json_parse(arena, text, &body, &err);
		is_int(scim_resource_from_body(arena, type_named(i < 3 ? "User" : "Group"), body, NULL, true, &resource, &err), SCIM_OK,
			   "%s is accepted (%s)", name, err.detail);
		if (i == 1)
			is_str(json_object_get_string(scim_json_get(scim_json_get(resource.json, "name", NULL), "honorificSuffix", NULL)), "III",
				   "and says the same");
		if (i == 2)
			ok(resource.secrets.password.len == 11 && scim_json_get(resource.json, "password", NULL) == NULL,
			   "its password is apart");
		if (i == 3)
			is_int((long long) resource.links->n, 2, "the group has two members");
		free((char *) text.ptr);
	}
	scim_arena_free(arena);
}

/* A copy of text in which every {{placeholder}} is a UUID. */
static char *
without_placeholders(ScimArena *arena, ScimStr text)
{
	ScimBuf		buf;

	scim_buf_init(&buf, arena, 4 << 20);
	for (size_t i = 0; i < text.len; i++)
	{
		const char *end = text.len - i > 2 && memcmp(text.ptr + i, "{{", 2) == 0 ? strstr(text.ptr + i, "}}") : NULL;

		if (end == NULL || end - (text.ptr + i) > 40)
		{
			scim_buf_char(&buf, text.ptr[i]);
			continue;
		}
		scim_buf_str(&buf, ID_A);
		i = (size_t) (end + 1 - text.ptr);
	}
	return buf.data;
}

/* Each body of a POST or PUT in the recorded requests of identity providers, but those of another shape. */
static void
test_clients(void)
{
	ScimArena  *arena = scim_arena_create(64 << 20);
	ScimStr		file = fixture("../../idp/cases.json");
	ScimError	err = {0};
	ScimJson   *list;
	int			bodies = 0;

	if (!ok(scim_json_parse(arena, str(without_placeholders(arena, file)), &list, &err) == SCIM_OK, "test/idp/cases.json %s", err.detail))
		return;
	for (size_t i = 0; i < json_object_array_length(list); i++)
	{
		ScimJson   *c = json_object_array_get_idx(list, i);
		ScimJson   *setup = scim_json_get(c, "setup", NULL);
		const char *profile = json_object_get_string(scim_json_get(c, "profile", NULL));
		size_t		steps = json_object_array_length(setup);

		/* What a profile's pass turns into the RFC's shape is tested with the profiles. */
		if (strcmp(profile, "all") != 0)
			continue;
		for (size_t j = 0; j <= steps; j++)
		{
			ScimJson   *request = j < steps ? json_object_array_get_idx(setup, j) : scim_json_get(c, "request", NULL);
			const char *method = json_object_get_string(scim_json_get(request, "method", NULL));
			const char *path = json_object_get_string(scim_json_get(request, "path", NULL));
			bool		user = strncmp(path, "/Users", 6) == 0;
			ScimResource resource;

			if ((strcmp(method, "POST") != 0 && strcmp(method, "PUT") != 0) || (!user && strncmp(path, "/Groups", 7) != 0))
				continue;
			bodies++;
			if (scim_resource_from_body(arena, type_named(user ? "User" : "Group"), scim_json_get(request, "body", NULL), NULL, false,
										&resource, &err) != SCIM_OK)
				ok(false, "%s: %s", json_object_get_string(scim_json_get(c, "name", NULL)), err.detail);
		}
	}
	ok(bodies > 50, "%d recorded bodies are accepted", bodies);
	free((char *) file.ptr);
	scim_arena_free(arena);
}

static void
test_many_members(void)
{
	ScimArena  *arena = scim_arena_create(256 << 20);
	ScimResource resource;
	ScimBuf		body;
	ScimJson   *json;
	clock_t		start;

	scim_buf_init(&body, NULL, 64 << 20);
	scim_buf_str(&body, G ",\"members\":[");
	for (int i = 0; i < 100000; i++)
		scim_buf_printf(&body, "%s{\"value\":\"2819c223-7f76-453a-919d-%012d\"}", i > 0 ? "," : "", i * 7919 % 50000);
	scim_buf_str(&body, "]}");
	scim_json_parse(arena, (ScimStr) {body.data, body.len}, &json, NULL);
	start = clock();
	is_int(scim_resource_from_body(arena, type_named("Group"), json, NULL, false, &resource, NULL), SCIM_OK, "100,000 members");
	ok((double) (clock() - start) / CLOCKS_PER_SEC < 1, "in less than a second");
	is_int((long long) resource.links->n, 50000, "each once");
	scim_buf_free(&body);
	scim_arena_free(arena);
}

static void
test_many_elements(void)
{
	ScimArena  *arena = scim_arena_create(256 << 20);
	ScimResource resource;
	ScimBuf		body;
	ScimJson   *json;
	clock_t		start;

	scim_buf_init(&body, NULL, 64 << 20);
	scim_buf_str(&body, U ",\"roles\":[");
	for (int i = 0; i < 40000; i++)
		scim_buf_printf(&body, "%s{\"value\":\"r%d\",\"display\":\"a role like any other\"}", i > 0 ? "," : "", i % 20000);
	scim_buf_str(&body, "]}");
	scim_json_parse(arena, (ScimStr) {body.data, body.len}, &json, NULL);
	start = clock();
	is_int(scim_resource_from_body(arena, type_named("User"), json, NULL, false, &resource, NULL), SCIM_OK, "40,000 roles");
	ok((double) (clock() - start) / CLOCKS_PER_SEC < 1, "in less than a second");
	is_int((long long) json_object_array_length(scim_json_get(resource.json, "roles", NULL)), 20000, "each once");
	scim_buf_free(&body);
	scim_arena_free(arena);
}

int
main(void)
{
	ScimRegistry *things = thing_registry();

	run_cases(cases, sizeof(cases) / sizeof(cases[0]), scim_registry_builtin());
	run_cases(thing_cases, sizeof(thing_cases) / sizeof(thing_cases[0]), things);
	test_check();
	test_fixtures();
	test_clients();
	test_many_members();
	test_many_elements();
	scim_registry_free(things);
	return done_testing();
}
