/*
 * test_resource.c: request bodies to canonical resources, the last check, and
 * rows.
 */
#include "core/json.h"
#include "core/resource.h"
#include "scarce.h"
#include "fixture.h"

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

/* A made-up type: every attribute type, immutable and read-only ones, no columns but two. */
static const char thing_schema[] = "{\"id\":\"urn:x:Thing\",\"name\":\"Thing\",\"attributes\":["
"{\"name\":\"label\",\"required\":true},{\"name\":\"size\",\"type\":\"integer\"},{\"name\":\"weight\",\"type\":\"decimal\"},"
"{\"name\":\"made\",\"type\":\"dateTime\"},{\"name\":\"tags\",\"multiValued\":true},{\"name\":\"codes\",\"multiValued\":true,\"caseExact\":true},"
"{\"name\":\"serial\",\"mutability\":\"immutable\"},{\"name\":\"state\",\"mutability\":\"readOnly\"},"
"{\"name\":\"box\",\"type\":\"complex\",\"subAttributes\":[{\"name\":\"kind\",\"required\":true},{\"name\":\"code\",\"mutability\":\"immutable\"},"
"{\"name\":\"seen\",\"mutability\":\"readOnly\"},{\"name\":\"on\",\"type\":\"boolean\"}]},"
"{\"name\":\"points\",\"type\":\"complex\",\"multiValued\":true,\"subAttributes\":[{\"name\":\"x\",\"type\":\"decimal\",\"required\":true}]}]}";
static const char more_schema[] = "{\"id\":\"urn:x:More\",\"name\":\"More\",\"attributes\":["
"{\"name\":\"why\",\"required\":true},{\"name\":\"seal\",\"mutability\":\"immutable\"}]}";
static const char thing_type[] = "{\"name\":\"Thing\",\"endpoint\":\"/Things\",\"schema\":\"urn:x:Thing\","
"\"schemaExtensions\":[{\"schema\":\"urn:x:More\"}],\"storage\":"
"{\"table\":\"app.things\",\"id\":\"id\",\"tenant\":\"tenant\",\"version\":\"version\",\"created\":\"created\",\"lastModified\":\"changed\","
"\"extensions\":\"rest\",\"attributes\":{\"label\":\"label\",\"weight\":\"weight\",\"made\":\"made\",\"size\":\"size\",\"state\":\"state\"}}}";

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
};

static ScimRegistry *
thing_registry(void)
{
	ScimRegistry *registry = scim_registry_create();
	ScimError	err = {0};

	if (scim_registry_add(registry, str(thing_schema), &err) != SCIM_OK ||
		scim_registry_add(registry, str(more_schema), &err) != SCIM_OK ||
		scim_registry_add(registry, str(thing_type), &err) != SCIM_OK)
		ok(false, "the made-up type: %s", err.detail);
	return registry;
}

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

/* The columns of a resource as one line: name=text, in order. */
static char *
columns_text(ScimArena *arena, const ScimResourceType *type, const ScimStr *values)
{
	ScimBuf		buf;

	scim_buf_init(&buf, arena, 1 << 20);
	scim_buf_str(&buf, "");
	for (size_t i = 0; i < type->n_columns; i++)
	{
		if (values[i].ptr != NULL)
			scim_buf_printf(&buf, "%s=%.*s ", type->columns[i].store == SCIM_STORE_EXPRESSION ? "expression" : type->columns[i].name,
							(int) values[i].len, values[i].ptr);
	}
	return buf.data;
}

static void
test_row(const ScimRegistry *things)
{
	static const struct
	{
		const char *type;
		const char *json;
		const char *columns;
	}			rows[] = {
		{"User", "{\"userName\":\"u\",\"externalId\":\"x\",\"title\":\"\",\"active\":false,\"name\":{\"givenName\":\"g\"},"
			"\"emails\":[{\"primary\":true,\"extra\":1,\"value\":\"a\"}]," E_URN ":{\"department\":\"d\",\"manager\":{\"value\":\"" ID_A "\"}}}",
			"external_id=x user_name=u active=false title= name_given_name=g "
		"emails=[{\"value\":\"a\",\"primary\":true,\"extra\":1}] department=d manager_id=" ID_A " "},
		{"User", "{\"userName\":\"u\",\"urn:gone\":{\"a\":[1,null]}}", "user_name=u extensions={\"urn:gone\":{\"a\":[1,null]}} "},
		{"Group", "{\"displayName\":\"g\"}", "display_name=g "},
		{"Thing", "{\"label\":\"l\",\"size\":-3,\"weight\":1.50,\"made\":\"2011-05-13T04:42:34Z\",\"tags\":[\"b\",\"a\"],"
			"\"box\":{\"on\":true,\"kind\":\"k\"},\"urn:x:More\":{\"why\":\"w\"}}",
			"label=l weight=1.50 made=2011-05-13T04:42:34Z size=-3 "
		"rest={\"urn:x:Thing\":{\"tags\":[\"b\",\"a\"],\"box\":{\"kind\":\"k\",\"on\":true}},\"urn:x:More\":{\"why\":\"w\"}} "},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
	{
		ScimArena  *arena = scim_arena_create(1 << 20);
		const ScimResourceType *type = scim_registry_type_by_name(strcmp(rows[i].type, "Thing") == 0 ? things : scim_registry_builtin(),
																  rows[i].type);
		ScimStr    *values = scim_alloc(arena, type->n_columns * sizeof(ScimStr));
		ScimError	err = {0};
		ScimJson   *json;
		ScimJson   *back;

		scim_json_parse(arena, str(rows[i].json), &json, &err);
		is_int(scim_resource_to_row(arena, type, json, values, &err), SCIM_OK, "to row %zu", i);
		is_str(columns_text(arena, type, values), rows[i].columns, "row %zu", i);
		is_int(scim_resource_from_row(arena, type, values, &back, &err), SCIM_OK, "from row %zu (%s)", i, err.detail);
		ok(scim_json_equal(json, back), "and back: %s", scim_json_text(arena, back).ptr);
		scim_arena_free(arena);
	}
}

/* What a column can hold that we did not put there. */
static void
test_row_of_others(const ScimRegistry *things)
{
	static const struct
	{
		const char *type;
		const char *column;
		const char *value;
		const char *expected;	/* canonical form, or the error */
	}			rows[] = {
		{"User", "active", "t", "{\"active\":true}"},
		{"User", "active", "yes", "the stored value of active is not of its type"},
		{"User", "emails", "[]", "{}"},
		{"User", "emails", "null", "{}"},
		{"User", "emails", "{\"value\":\"a\"}", "the stored value of emails is not of its type"},
		{"User", "emails", "[", "the stored value of emails is not of its type"},
		{"User", "extensions", "{}", "{}"},
		{"User", "extensions", "[]", "the stored value of extensions is not of its type"},
		{"User", "extensions", "{\"" SCIM_URN_USER "\":{\"password\":\"p\",\"userName\":\"u\",\"x\":1}}", "{}"},
		{"User", "extensions", "{" E_URN ":{\"department\":\"d\"},\"plain\":1}", "{}"},
		{"User", "extensions", "{" E_URN ":7}", "{}"},
		{"Thing", "weight", "123456789012345678901234567890", "{\"weight\":123456789012345678901234567890}"},
		{"Thing", "weight", "0.00000000000000000000000000000000000000000000000000000000000000000000000000000000001",
			"{\"weight\":0.00000000000000000000000000000000000000000000000000000000000000000000000000000000001}"},
		{"Thing", "weight", "NaN", "the stored value of weight is not of its type"},
		{"Thing", "made", "2011-05-13T04:42:34.000000Z", "{\"made\":\"2011-05-13T04:42:34Z\"}"},
		{"Thing", "made", "infinity", "the stored value of made is not of its type"},
		{"Thing", "rest", "{\"URN:X:THING\":{\"TAGS\":[\"a\"],\"label\":\"no\"}}", "{\"tags\":[\"a\"]}"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
	{
		ScimArena  *arena = scim_arena_create(1 << 20);
		const ScimResourceType *type = scim_registry_type_by_name(strcmp(rows[i].type, "Thing") == 0 ? things : scim_registry_builtin(),
																  rows[i].type);
		ScimStr    *values = scim_alloc(arena, type->n_columns * sizeof(ScimStr));
		ScimError	err = {0};
		ScimJson   *json;
		ScimStatus	status;

		for (size_t j = 0; j < type->n_columns; j++)
		{
			if (strcmp(type->columns[j].name, rows[i].column) == 0)
				values[j] = str(rows[i].value);
		}
		status = scim_resource_from_row(arena, type, values, &json, &err);
		is_str(status == SCIM_OK ? scim_json_text(arena, json).ptr : err.detail, rows[i].expected, "%s: %s", rows[i].column, rows[i].value);
		scim_arena_free(arena);
	}
}

/* A pseudo-random value that fits an attribute, as JSON text. */
static void
random_value(ScimBuf *buf, const ScimAttribute *attr, bool element, unsigned *seed)
{
	static const char *const strings[] = {"", "a", "A b", "\xC3\xA9\xE2\x82\xAC", "quote\" back\\ line\n", "2819C223-7f76-453a-919d-413861904646"};
	static const char *const numbers[] = {"0", "-7", "1.50", "1e3", "9223372036854775807", "0.1"};
	unsigned	r = *seed = *seed * 1103515245u + 12345u;
	const char *s = strings[(r >> 16) % 6];
	bool		reference = attr->parent != NULL && scim_sub_attribute(attr->parent, SCIM_STR("$ref")) != NULL;

	if (attr->multi_valued && !element)
	{
		scim_buf_char(buf, '[');
		for (unsigned i = 0; i < (r >> 16) % 4; i++)
		{
			scim_buf_str(buf, i > 0 ? "," : "");
			random_value(buf, attr, true, seed);
		}
		scim_buf_char(buf, ']');
		return;
	}
	switch (attr->type)
	{
		case SCIM_TYPE_BOOLEAN:
			/* More than one primary would be refused. */
			scim_buf_str(buf, strcmp(attr->name, "primary") != 0 && (r >> 16) % 2 ? "true" : "false");
			break;
		case SCIM_TYPE_INTEGER:
			scim_buf_str(buf, (r >> 16) % 2 ? "12" : "-9");
			break;
		case SCIM_TYPE_DECIMAL:
			scim_buf_str(buf, numbers[(r >> 16) % 6]);
			break;
		case SCIM_TYPE_DATETIME:
			scim_buf_printf(buf, "\"20%02u-05-13T04:42:34%sZ\"", (r >> 16) % 100, (r >> 18) % 2 ? ".25" : "");
			break;
		case SCIM_TYPE_BINARY:
			scim_buf_str(buf, "\"AAEC\"");
			break;
		case SCIM_TYPE_COMPLEX:
			scim_buf_char(buf, '{');
			for (size_t i = 0; i < attr->n_sub; i++)
			{
				scim_buf_str(buf, i > 0 ? "," : "");
				scim_buf_printf(buf, "\"%s\":", attr->sub[i].name);
				if (!attr->sub[i].required && (*seed >> 20) % 3 == 0)
					scim_buf_str(buf, "null");
				else
					random_value(buf, &attr->sub[i], false, seed);
				*seed = *seed * 1103515245u + 12345u;
			}
			scim_buf_char(buf, '}');
			break;
		default:
			if (reference)
				s = strings[5];
			if (attr->required && s[0] == '\0')
				s = "required";
			scim_buf_json_string(buf, s, strlen(s));
	}
}

/* Random resources survive their row: body, canonical, row, canonical, row. */
static void
test_round_trips(const ScimRegistry *things)
{
	size_t		wrong = 0;
	unsigned	seed = 7643;

	for (int round = 0; round < 600; round++)
	{
		const ScimResourceType *type = round % 3 == 0 ? scim_registry_type_by_name(things, "Thing") : type_named(round % 3 == 1 ? "User" : "Group");
		ScimArena  *arena = scim_arena_create(1 << 20);
		ScimStr    *values = scim_alloc(arena, type->n_columns * sizeof(ScimStr));
		ScimStr    *again = scim_alloc(arena, type->n_columns * sizeof(ScimStr));
		ScimResource resource = {0};
		ScimError	err = {0};
		ScimJson   *json;
		ScimBuf		body;
		bool		same;

		scim_buf_init(&body, arena, 1 << 18);
		scim_buf_printf(&body, "{\"schemas\":[\"%s\"]", type->schema->id);
		for (size_t i = 0; i < type->schema->n_attributes; i++)
		{
			const ScimAttribute *attr = &type->schema->attributes[i];

			if (scim_type_link(type, attr) != NULL || (!attr->required && (seed >> 20) % 3 == 0))
			{
				seed = seed * 1103515245u + 12345u;
				continue;
			}
			scim_buf_printf(&body, ",\"%s\":", attr->name);
			random_value(&body, attr, false, &seed);
		}
		for (size_t i = 0; i < type->n_extensions; i++)
		{
			scim_buf_printf(&body, ",\"%s\":{", type->extensions[i]->id);
			for (size_t j = 0; j < type->extensions[i]->n_attributes; j++)
			{
				scim_buf_printf(&body, "%s\"%s\":", j > 0 ? "," : "", type->extensions[i]->attributes[j].name);
				random_value(&body, &type->extensions[i]->attributes[j], false, &seed);
			}
			scim_buf_char(&body, '}');
		}
		scim_buf_char(&body, '}');
		same = scim_json_parse(arena, (ScimStr) {body.data, body.len}, &json, &err) == SCIM_OK &&
			scim_resource_from_body(arena, type, json, NULL, true, &resource, &err) == SCIM_OK &&
			scim_resource_to_row(arena, type, resource.json, values, &err) == SCIM_OK &&
			scim_resource_from_row(arena, type, values, &json, &err) == SCIM_OK &&
			scim_json_equal(json, resource.json) &&
			scim_resource_to_row(arena, type, json, again, &err) == SCIM_OK;
		same = same && strcmp(columns_text(arena, type, values), columns_text(arena, type, again)) == 0;
		if (!same && wrong++ == 0)
			printf("# %s\n# %s\n", err.detail, body.data);
		scim_arena_free(arena);
	}
	is_int((long long) wrong, 0, "600 random resources survive their row");
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

/* Body to canonical to row and back. */
static ScimStatus
whole_way(ScimArena *arena, void *argument)
{
	const char *const *type_and_body = argument;
	const ScimResourceType *type = type_named(type_and_body[0]);
	ScimStr		values[64];
	ScimResource resource;
	ScimJson   *json;
	ScimStatus	status = scim_json_parse(arena, str(type_and_body[1]), &json, NULL);

	if (status == SCIM_OK)
		status = scim_resource_from_body(arena, type, json, NULL, true, &resource, NULL);
	if (status == SCIM_OK)
		status = scim_resource_to_row(arena, type, resource.json, values, NULL);
	if (status == SCIM_OK)
		status = scim_resource_from_row(arena, type, values, &json, NULL);
	return status;
}

int
main(void)
{
	const char *user[] = {"User", U ",\"name\":{\"givenName\":\"g\"},\"emails\":[{\"value\":\"a\",\"type\":\"WORK\"},{\"value\":\"a\",\"type\":\"work\"}],"
	E_URN ":{\"manager\":{\"value\":\"2819C223-7F76-453A-919D-413861904646\"}}}"};
	const char *group[] = {"Group", G ",\"members\":[{\"value\":\"" ID_A "\"},{\"value\":\"" ID_B "\"}]}"};
	ScimRegistry *things = thing_registry();

	run_cases(cases, sizeof(cases) / sizeof(cases[0]), scim_registry_builtin());
	run_cases(thing_cases, sizeof(thing_cases) / sizeof(thing_cases[0]), things);
	test_check();
	test_fixtures();
	test_row(things);
	test_row_of_others(things);
	test_round_trips(things);
	test_many_members();
	test_many_elements();
	scarce("a user, to its row and back", whole_way, user);
	scarce("a group with members", whole_way, group);
	scim_registry_free(things);
	return done_testing();
}
