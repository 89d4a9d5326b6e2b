/*
 * test_filter_eval.c
 *		Filters on resources in memory: what each operator means for values
 *		that are there, empty and absent.
 */
#include "core/filter.h"
#include "core/json.h"
#include "tap.h"

#include <stdlib.h>

static ScimArena *arena;
static const ScimFilterLimits limits = {.max_terms = 200};

static ScimStr
str(const char *text)
{
	return (ScimStr) {text, strlen(text)};
}

static ScimJson *
json(const char *text)
{
	ScimJson   *result = NULL;
	ScimError	err;

	if (scim_json_parse(arena, str(text), &result, &err) != SCIM_OK)
	{
		printf("Bail out! %s: %s\n", err.detail, text);
		exit(1);
	}
	return result;
}

static bool
matches(const ScimResourceType *type, const char *text, ScimJson *resource)
{
	ScimFilter *filter;
	ScimError	err;
	ScimStatus	status = scim_filter_parse(arena, type, str(text), &limits, &filter, &err);
	bool		result;

	if (!is_int(status, SCIM_OK, "filter %s", text))
		printf("#   %s\n", err.detail);
	if (status != SCIM_OK)
		return false;
	result = scim_filter_matches(filter, resource, &status);
	is_int(status, SCIM_OK, "evaluated: %s", text);
	return result;
}

#define E "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

static const char user[] =
"{\"id\":\"2819c223-7f76-453a-919d-413861904646\",\"externalId\":\"Ab\",\"userName\":\"Bj\xc3\x84rn\",\"title\":\"\",\"active\":true,"
"\"name\":{\"familyName\":\"O'Malley\",\"givenName\":\"\"},"
"\"emails\":[{\"value\":\"A@work\",\"type\":\"work\",\"primary\":true},{\"value\":\"b@home\",\"type\":\"home\"}],"
"\"roles\":[{\"display\":\"x\"}],"
"\"meta\":{\"created\":\"2026-01-02T03:04:05.5Z\",\"version\":\"W/\\\"3\\\"\"},"
"\"schemas\":[\"urn:ietf:params:scim:schemas:core:2.0:User\"],"
"\"" E "\":{\"department\":\"D\",\"manager\":{\"value\":\"3819c223-7f76-453a-919d-413861904646\"}}}";

static void
test_user(void)
{
	static const struct
	{
		const char *filter;
		bool		result;
	}			cases[] = {
		/* strings; caseExact */
		{"userName eq \"bJ\xc3\xa4RN\"", true}, {"userName eq \"bjarn\"", false}, {"userName ne \"x\"", true}, {"userName ne \"bj\xc3\xa4rn\"", false},
		{"userName sw \"BJ\"", true}, {"userName sw \"bx\"", false}, {"userName ew \"RN\"", true}, {"userName co \"\xc3\x84R\"", true}, {"userName co \"%\"", false},
		{"userName sw \"\"", true}, {"userName co \"\"", true}, {"userName ew \"\"", true}, {"userName eq \"\"", false}, {"userName sw \"bj\xc3\xa4rnx\"", false},
		{"externalId eq \"Ab\"", true}, {"externalId eq \"ab\"", false}, {"externalId sw \"A\"", true}, {"externalId sw \"a\"", false},
		{"userName gt \"bj\"", true}, {"userName gt \"BJ\xc3\x84RN\"", false}, {"userName ge \"bj\xc3\xa4rn\"", true}, {"userName lt \"c\"", true}, {"userName le \"bj\xc3\xa4\"", false},

		/* empty and absent */
		{"title eq \"\"", true}, {"title pr", false}, {"title ne \"x\"", true}, {"title eq null", true}, {"title ne null", false}, {"title co \"\"", true},
		{"nickName eq \"x\"", false}, {"nickName eq \"\"", false}, {"nickName ne \"x\"", true}, {"nickName co \"\"", false}, {"nickName lt \"x\"", false}, {"nickName ge \"\"", false},
		{"nickName pr", false}, {"nickName eq null", true}, {"not (nickName eq \"x\")", true}, {"not (nickName lt \"x\")", true}, {"not (nickName ne \"x\")", false},

		/* booleans */
		{"active eq true", true}, {"active eq false", false}, {"active ne true", false}, {"active ne false", true}, {"active pr", true},

		/* complex */
		{"name pr", true}, {"name.familyName pr", true}, {"name.givenName pr", false}, {"name.familyName co \"'m\"", true}, {"name.middleName ne \"x\"", true},
		{"name[familyName sw \"o\"]", true}, {"name[familyName sw \"x\"]", false}, {"name[middleName ne \"x\"]", true},
		{E ":department eq \"d\"", true}, {E ":manager eq \"3819C223-7F76-453A-919D-413861904646\"", true}, {E ":manager pr", true}, {E ":division pr", false}, {E ":manager[value pr]", true},

		/* common */
		{"id eq \"2819c223-7f76-453a-919d-413861904646\"", true}, {"id eq \"2819C223-7f76-453a-919d-413861904646\"", false}, {"id sw \"2819\"", true},
		{"meta.created eq \"2026-01-02T04:04:05.500000+01:00\"", true}, {"meta.created gt \"2026-01-02T03:04:05Z\"", true}, {"meta.created lt \"2026-01-02T03:04:05.4999999Z\"", false},
		{"meta.created le \"9999-12-31T00:00:00Z\"", true}, {"meta.lastModified ne \"2026-01-02T03:04:05Z\"", true}, {"meta.lastModified gt \"0001-01-01T00:00:00Z\"", false},
		{"meta.version eq \"W/\\\"3\\\"\"", true}, {"schemas eq \"URN:ietf:params:scim:schemas:core:2.0:User\"", true}, {"schemas eq \"x\"", false}, {"schemas[value sw \"urn\"]", true},

		/* multi-valued: any element */
		{"emails eq \"a@WORK\"", true}, {"emails.value eq \"b@home\"", true}, {"emails.value eq \"c\"", false}, {"emails.value ne \"a@work\"", true}, {"emails.type ne \"x\"", true},
		{"emails pr", true}, {"ims pr", false}, {"ims.value ne \"x\"", true}, {"ims.value eq \"x\"", false}, {"not (ims.value eq \"x\")", true}, {"emails.display pr", false},
		{"roles.value ne \"x\"", true}, {"roles.value eq null", true}, {"roles pr", true}, {"emails.display eq null", true},
		{"emails.primary eq true", true}, {"emails.primary eq false", true}, {"roles.primary eq false", true}, {"roles.primary eq true", false}, {"roles.primary ne false", false}, {"roles.primary ne true", true},
		{"ims.primary eq false", false},

		/* one element satisfies all of a value path */
		{"emails[type eq \"work\" and value co \"a\"]", true}, {"emails[type eq \"work\" and value co \"home\"]", false}, {"emails.type eq \"work\" and emails.value co \"home\"", true},
		{"emails[type eq \"work\"].value eq \"a@work\"", true}, {"emails[type eq \"home\"].value eq \"a@work\"", false}, {"emails[type eq \"home\"].value pr", true},
		{"emails[not (type eq \"work\")]", true}, {"emails[not (type pr)]", false}, {"ims[not (type eq \"x\")]", false}, {"ims[value ne \"x\"]", false}, {"not (ims[value pr])", true},
		{"emails[primary eq true]", true}, {"emails[primary eq false and type eq \"home\"]", true},

		/* and, or, not */
		{"active eq true and userName pr", true}, {"active eq false or userName pr", true}, {"active eq false and userName pr or active eq true", true},
		{"active eq false and (userName pr or active eq true)", false}, {"not (active eq true and userName pr)", false}, {"not (active eq false)", true},
	};
	const ScimResourceType *type = scim_registry_type_by_name(scim_registry_builtin(), "User");
	ScimJson   *resource = json(user);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ok(matches(type, cases[i].filter, resource) == cases[i].result, "%s is %s", cases[i].filter, cases[i].result ? "true" : "false");
}

/* Numbers are compared by value, exactly: no built-in attribute is one, so a schema of our own has them. */
static void
test_numbers(void)
{
	static const char schema[] =
	"{\"schemas\":[\"urn:ietf:params:scim:schemas:core:2.0:Schema\"],\"id\":\"urn:example:Thing\",\"name\":\"Thing\",\"description\":\"A thing\",\"attributes\":["
	"{\"name\":\"count\",\"type\":\"integer\",\"multiValued\":false,\"description\":\"x\",\"required\":false,\"mutability\":\"readWrite\",\"returned\":\"default\",\"uniqueness\":\"none\"},"
	"{\"name\":\"weight\",\"type\":\"decimal\",\"multiValued\":false,\"description\":\"x\",\"required\":false,\"mutability\":\"readWrite\",\"returned\":\"default\",\"uniqueness\":\"none\"},"
	"{\"name\":\"tags\",\"type\":\"string\",\"multiValued\":true,\"description\":\"x\",\"required\":false,\"caseExact\":false,\"mutability\":\"readWrite\",\"returned\":\"default\",\"uniqueness\":\"none\"}]}";
	static const char type_document[] =
	"{\"schemas\":[\"urn:ietf:params:scim:schemas:core:2.0:ResourceType\"],\"id\":\"Thing\",\"name\":\"Thing\",\"endpoint\":\"/Things\",\"description\":\"x\",\"schema\":\"urn:example:Thing\","
	"\"storage\":{\"table\":\"public.things\",\"id\":\"id\",\"tenant\":\"tenant\",\"version\":\"version\",\"created\":\"created\",\"lastModified\":\"last_modified\",\"extensions\":\"extensions\","
	"\"attributes\":{\"externalId\":\"external_id\",\"count\":\"count\",\"weight\":\"weight\",\"tags\":\"tags\"}}}";
	static const struct
	{
		const char *count;
		const char *filter;
		bool		result;
	}			cases[] = {
		{"5", "count eq 5", true}, {"5", "count eq 5.0", true}, {"5", "count eq 50e-1", true}, {"5", "count eq 0.5E1", true}, {"5", "count gt 4.999", true},
		{"5", "count lt 5.0000001", true}, {"-5", "count lt -4", true}, {"-5", "count gt -5.5", true}, {"0", "count eq -0.0", true}, {"0", "count lt 1e-300", true},
		{"9007199254740993", "count eq 9007199254740992", false}, {"9007199254740993", "count gt 9007199254740992", true}, {"10", "count gt 9", true}, {"100", "count ge 1e2", true},
		{"1", "count lt 1e300", true}, {"1", "count ne 1", false}, {"1", "count ne 2", true}, {"1", "count pr", true}, {"1", "weight ne 2", true}, {"1", "weight gt 0", false},
		{"0", "count gt -1e-5", true}, {"1", "count le 0.99", false}, {"1", "tags eq \"RED\"", true}, {"1", "tags co \"lu\"", true}, {"1", "tags eq \"x\"", false}, {"1", "tags[value eq \"blue\"]", true},
		{"1", "tags ne \"red\"", true}, {"1", "not (tags pr)", false},
	};
	ScimRegistry *registry = scim_registry_create();
	const ScimResourceType *type;
	ScimError	err = {SCIM_OK, ""};

	is_int(scim_registry_add(registry, str(schema), &err), SCIM_OK, "a schema with numbers: %s", err.detail);
	is_int(scim_registry_add(registry, str(type_document), &err), SCIM_OK, "its resource type: %s", err.detail);
	type = scim_registry_type_by_name(registry, "Thing");
	for (size_t i = 0; type != NULL && i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		ScimJson   *resource = json(scim_sprintf(arena, "{\"count\":%s,\"tags\":[\"red\",\"Blue\"]}", cases[i].count));

		ok(matches(type, cases[i].filter, resource) == cases[i].result, "count %s: %s", cases[i].count, cases[i].filter);
	}
	if (type != NULL)
	{
		ScimFilter *filter;

		is_int(scim_filter_parse(arena, type, SCIM_STR("count eq 1e301"), &limits, &filter, &err), SCIM_INVALID_FILTER, "an exponent out of range");
		is_int(scim_filter_parse(arena, type, SCIM_STR("count eq \"1\""), &limits, &filter, &err), SCIM_INVALID_FILTER, "a string for a number");
		is_int(scim_filter_parse(arena, type, SCIM_STR("count co 1"), &limits, &filter, &err), SCIM_INVALID_FILTER, "co on a number");
	}
	scim_registry_free(registry);
}

int
main(void)
{
	arena = scim_arena_create((size_t) 16 << 20);
	test_user();
	test_numbers();
	scim_arena_free(arena);
	return done_testing();
}
