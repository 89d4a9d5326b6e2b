/*
 * test_profile.c
 *		The passes of the profiles: what each rewrites, and that it is
 *		recorded by its name.
 */
#include "core/json.h"
#include "core/profile.h"
#include "tap.h"

#include <stdlib.h>

static ScimArena *arena;

#define E "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
#define OLD "urn:scim:schemas:extension:enterprise:1.0"
#define ID1 "2819c223-7f76-453a-919d-413861904646"
#define ID2 "3819c223-7f76-453a-919d-413861904646"

static ScimStr
str(const char *text)
{
	return (ScimStr) {text, strlen(text)};
}

/* Single quotes stand for double ones, so that the tables can be read. */
static char *
quoted(const char *text)
{
	char	   *copy = scim_strdup(arena, str(text));

	for (char *p = copy; *p != '\0'; p++)
	{
		if (*p == '\'')
			*p = '"';
	}
	return copy;
}

static ScimJson *
json(const char *text)
{
	ScimJson   *result = NULL;
	ScimError	err;

	if (scim_json_parse(arena, str(quoted(text)), &result, &err) != SCIM_OK)
	{
		printf("Bail out! %s: %s\n", err.detail, text);
		exit(1);
	}
	return result;
}

static const ScimResourceType *
type_named(const char *name)
{
	return scim_registry_type_by_name(scim_registry_builtin(), name);
}

/* Apply a profile; returns the tolerances. */
static const char *
apply(const char *profile, const char *type, bool is_patch, ScimJson **body)
{
	ScimBuf		tolerances;
	ScimError	err;

	scim_buf_init(&tolerances, arena, 4096);
	is_int(scim_profile_apply(arena, scim_profile(profile), type_named(type), is_patch, body, &tolerances, &err), SCIM_OK, "applied");
	return tolerances.data != NULL ? tolerances.data : "";
}

static void
test_operations(void)
{
	static const struct
	{
		const char *type;
		const char *operations;
		const char *result;		/* NULL: unchanged */
		const char *passes;
	}			cases[] = {
		{"User", "[{'op':'replace','path':'active','value':false}]", NULL, ""},
		{"User", "[{'op':'Replace','path':'active','value':false}]", "[{'op':'replace','path':'active','value':false}]", "'capitalised-op'"},
		{"User", "[{'OP':'ADD','path':'title','value':'x'}]", "[{'OP':'add','path':'title','value':'x'}]", "'capitalised-op'"},
		{"User", "[{'op':'replace','path':'active','value':'False'}]", "[{'op':'replace','path':'active','value':false}]", "'string-boolean'"},
		{"User", "[{'op':'replace','value':{'active':'True','title':'True'}}]", "[{'op':'replace','value':{'active':true,'title':'True'}}]", "'string-boolean'"},
		{"User", "[{'op':'add','path':'emails','value':[{'value':'a','PRIMARY':'true'}]}]", "[{'op':'add','path':'emails','value':[{'value':'a','PRIMARY':true}]}]", "'string-boolean'"},
		{"User", "[{'op':'replace','path':'roles[primary eq \\'True\\'].value','value':'e'}]", "[{'op':'replace','path':'roles[primary eq true].value','value':'e'}]", "'string-boolean'"},
		{"User", "[{'op':'replace','path':'emails[type eq work].value','value':'e'}]", "[{'op':'replace','path':'emails[type eq \\'work\\'].value','value':'e'}]", "'unquoted-literal'"},

		{"User", "[{'op':'replace','value':{'displayName':'d','name.familyName':'f'}}]", "[{'op':'replace','value':{'displayName':'d'}},{'op':'replace','path':'name.familyName','value':'f'}]", "'path-as-key'"},
		{"User", "[{'op':'Replace','value':{'" E ":employeeNumber':'1','" E ".manager':'" ID1 "'}}]", "[{'op':'replace','path':'" E ":employeeNumber','value':'1'},{'op':'replace','path':'" E ":manager','value':{'value':'" ID1 "'}}]", "'capitalised-op','path-as-key','bare-string-value','dotted-urn'"},
		{"User", "[{'op':'add','value':{'emails[type eq \\'work\\'].value':'a','active':'False'}}]", "[{'op':'add','value':{'active':false}},{'op':'add','path':'emails[type eq \\'work\\'].value','value':'a'}]", "'string-boolean','path-as-key'"},
		{"User", "[{'op':'replace','value':{'" E "':{'manager':'" ID1 "','department':'d'}}}]", "[{'op':'replace','value':{'" E "':{'manager':{'value':'" ID1 "'},'department':'d'}}}]", "'bare-string-value'"},
		{"User", "[{'op':'replace','value':{'" E "':{'manager.value':'" ID1 "','department':'d'}}}]", "[{'op':'replace','value':{'" E "':{'department':'d'}}},{'op':'replace','path':'" E ":manager.value','value':'" ID1 "'}]", "'path-as-key'"},
		{"User", "[{'op':'replace','value':{'fish.fin':'x'}}]", NULL, ""},

		{"User", "[{'op':'add','path':'" E ":manager','value':'" ID1 "'}]", "[{'op':'add','path':'" E ":manager','value':{'value':'" ID1 "'}}]", "'bare-string-value'"},
		{"User", "[{'op':'add','path':'" E ":manager','value':''}]", NULL, ""},
		{"User", "[{'op':'replace','path':'" E ".manager','value':{'value':'" ID1 "'}}]", "[{'op':'replace','path':'" E ":manager','value':{'value':'" ID1 "'}}]", "'dotted-urn'"},
		{"User", "[{'op':'add','path':'roles','value':['admin']}]", "[{'op':'add','path':'roles','value':[{'value':'admin'}]}]", "'bare-string-value'"},
		{"User", "[{'op':'add','path':'roles','value':'admin'}]", "[{'op':'add','path':'roles','value':{'value':'admin'}}]", "'bare-string-value'"},
		{"User", "[{'op':'replace','path':'roles','value':{'value':'admin'}}]", "[{'op':'replace','path':'roles','value':[{'value':'admin'}]}]", "'object-for-array'"},
		{"User", "[{'op':'add','path':'roles','value':{'value':'admin'}}]", NULL, ""},
		{"User", "[{'op':'replace','path':'emails[type eq \\'work\\']','value':[{'value':'a'}]}]", "[{'op':'replace','path':'emails[type eq \\'work\\']','value':{'value':'a'}}]", "'object-for-array'"},
		{"User", "[{'op':'add','path':'roles','value':[{'value':'{\\\"id\\\":1}'}]}]", NULL, ""},

		{"Group", "[{'op':'Remove','path':'members','value':[{'$ref':null,'value':'" ID1 "'},{'value':'" ID2 "','type':'User'}]}]", "[{'op':'remove','path':'members[value eq \\'" ID1 "\\' or value eq \\'" ID2 "\\']'}]", "'capitalised-op','remove-with-value'"},
		{"Group", "[{'op':'remove','path':'members','value':'" ID1 "'}]", "[{'op':'remove','path':'members[value eq \\'" ID1 "\\']'}]", "'bare-string-value','remove-with-value'"},
		{"Group", "[{'op':'remove','path':'members','value':{'value':'" ID1 "'}}]", "[{'op':'remove','path':'members[value eq \\'" ID1 "\\']'}]", "'remove-with-value'"},
		{"Group", "[{'op':'remove','path':'members','value':[{'display':'x'}]}]", NULL, ""},
		{"Group", "[{'op':'remove','path':'members','value':[]}]", NULL, ""},
		{"Group", "[{'op':'remove','path':'members'}]", NULL, ""},
		{"User", "[{'op':'remove','path':'emails','value':[{'value':'a\\\\b','type':'work'},{'value':'c'}]}]", "[{'op':'remove','path':'emails[(value eq \\'a\\\\\\\\b\\' and type eq \\'work\\') or (value eq \\'c\\')]'}]", "'remove-with-value'"},
		{"User", "[{'op':'remove','path':'addresses','value':[{'type':'work','primary':true}]}]", "[{'op':'remove','path':'addresses[(type eq \\'work\\' and primary eq true)]'}]", "'remove-with-value'"},

		{"Group", "[{'op':'add','path':'members[value eq \\'" ID1 "\\']','value':{'value':'" ID1 "'}}]", "[{'op':'add','path':'members','value':{'value':'" ID1 "'}}]", "'add-with-filter'"},
		{"Group", "[{'op':'add','path':'members[value eq \\'" ID1 "\\']','value':{'display':'x'}}]", "[{'op':'add','path':'members','value':{'display':'x','value':'" ID1 "'}}]", "'add-with-filter'"},
		{"Group", "[{'op':'add','path':'members[type eq \\'User\\']','value':{'value':'" ID1 "'}}]", NULL, ""},

		/* what is malformed is left */
		{"User", "['x',null,{},{'op':5},{'op':'add','path':5},{'op':'add','path':'fish','value':1},{'op':'remove'},{'op':'add','value':'x'}]", NULL, ""},
		{"User", "{}", NULL, ""},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		const char *wanted = cases[i].result != NULL ? cases[i].result : cases[i].operations;
		ScimJson   *body = json(scim_sprintf(arena, "{'Operations':%s}", cases[i].operations));
		const char *passes = apply("default", cases[i].type, true, &body);

		is_str(passes, quoted(cases[i].passes), "passes: %s", cases[i].operations);
		is_str(scim_json_text(arena, body).ptr, scim_json_text(arena, json(scim_sprintf(arena, "{'Operations':%s}", wanted))).ptr,
			   "operations: %s", cases[i].operations);

		body = json(scim_sprintf(arena, "{'Operations':%s}", cases[i].operations));
		is_str(apply("rfc", cases[i].type, true, &body), "", "the profile rfc forgives nothing");
	}
}

static void
test_json_string(void)
{
	ScimJson   *body = NULL;

	scim_json_parse(arena, SCIM_STR("{\"Operations\":[{\"op\":\"replace\",\"value\":\"{\\\"displayName\\\":\\\"d\\\",\\\"active\\\":\\\"False\\\"}\"}]}"), &body, NULL);
	is_str(apply("default", "User", true, &body), "\"string-boolean\",\"json-string-value\"", "JSON in a string");
	is_str(scim_json_text(arena, body).ptr, "{\"Operations\":[{\"op\":\"replace\",\"value\":{\"displayName\":\"d\",\"active\":false}}]}", "is taken out of it");
	scim_json_parse(arena, SCIM_STR("{\"Operations\":[{\"op\":\"replace\",\"value\":\"[1\"}]}"), &body, NULL);
	is_str(apply("default", "User", true, &body), "", "what is no JSON stays");
}

static void
test_bodies(void)
{
	static const struct
	{
		const char *profile;
		const char *type;
		const char *body;
		const char *result;		/* NULL: unchanged */
		const char *passes;
	}			cases[] = {
		{"default", "User", "{'userName':'u','active':'True','name':{'givenName':'True'}}", "{'userName':'u','active':true,'name':{'givenName':'True'}}", "'string-boolean'"},
		{"default", "User", "{'Active':'false'}", "{'Active':false}", "'string-boolean'"},
		{"default", "User", "{'active':'yes'}", NULL, ""},
		{"default", "User", "{'emails':{'value':'a','primary':'True'}}", "{'emails':[{'value':'a','primary':true}]}", "'string-boolean','object-for-array'"},
		{"default", "User", "{'emails':'a'}", "{'emails':[{'value':'a'}]}", "'object-for-array','bare-string-value'"},
		{"default", "User", "{'emails':null,'roles':[],'title':null}", NULL, ""},
		{"default", "User", "{'" E "':{'manager':'" ID1 "'}}", "{'" E "':{'manager':{'value':'" ID1 "'}}}", "'bare-string-value'"},
		{"default", "Group", "{'schemas':['" SCIM_URN_GROUP "','http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group']}", "{'schemas':['" SCIM_URN_GROUP "']}", "'foreign-schema'"},
		{"default", "User", "{'schemas':['" SCIM_URN_USER "','urn:example:x']}", NULL, ""},
		{"default", "User", "{'schemas':['urn:scim:schemas:core:2.0']}", NULL, ""},
		{"onelogin", "User", "{'schemas':['urn:scim:schemas:core:2.0','urn:scim:schemas:extension:enterprise:2.0'],'urn:scim:schemas:extension:enterprise:2.0':{'department':'d'}}", "{'schemas':['" SCIM_URN_USER "','" E "'],'" E "':{'department':'d'}}", "'scim-1-urn'"},
		{"rfc", "User", "{'active':'True'}", NULL, ""},
		{"interop-strict", "User", "{'active':'True','emails':{}}", NULL, ""},
		{"default", "User", "[]", NULL, ""},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		ScimJson   *body = json(cases[i].body);
		ScimJson   *wanted = json(cases[i].result != NULL ? cases[i].result : cases[i].body);

		is_str(apply(cases[i].profile, cases[i].type, false, &body), quoted(cases[i].passes), "passes: %s", cases[i].body);
		if (!ok(scim_json_equal(body, wanted), "body: %s", cases[i].body))
			printf("#   %s\n", scim_json_text(arena, body).ptr);
	}
}

static void
test_old_urns_in_patch(void)
{
	ScimJson   *body = json("{'Operations':[{'op':'add','path':'" OLD ":department','value':'d'},{'op':'replace','value':{'" OLD "':{'division':'v'}}}]}");

	is_str(apply("onelogin", "User", true, &body), "\"scim-1-urn\"", "URNs of SCIM 1.1");
	ok(scim_json_equal(body, json("{'Operations':[{'op':'add','path':'" E ":department','value':'d'},{'op':'replace','value':{'" E "':{'division':'v'}}}]}")),
	   "become those of 2.0");
}

static void
test_filters(void)
{
	static const struct
	{
		const char *filter;
		const char *result;		/* NULL: unchanged */
		const char *passes;
	}			cases[] = {
		{"userName eq \"x\"", NULL, ""},
		{"externalId eq tkline", "externalId eq \"tkline\"", "\"unquoted-literal\""},
		{"externalId eq 'tk line'", "externalId eq \"tk line\"", "\"unquoted-literal\""},
		{"externalId eq 123 and active eq true", "externalId eq \"123\" and active eq true", "\"unquoted-literal\""},
		{"(userName eq a@b.c) or not (title pr)", "(userName eq \"a@b.c\") or not (title pr)", "\"unquoted-literal\""},
		{"active eq \"True\"", "active eq true", "\"string-boolean\""},
		{"active eq \"False\" and userName eq \"False\"", "active eq false and userName eq \"False\"", "\"string-boolean\""},
		{"emails[type eq work and primary eq \"true\"].value eq x", "emails[type eq \"work\" and primary eq true].value eq \"x\"", "\"string-boolean\",\"unquoted-literal\""},
		{"roles[primary eq \"True\"]", "roles[primary eq true]", "\"string-boolean\""},
		{"members eq " ID1, NULL, ""},
		{E ":department eq x", E ":department eq \"x\"", "\"unquoted-literal\""},
		{"meta.created gt 2026-01-01T00:00:00Z", "meta.created gt \"2026-01-01T00:00:00Z\"", "\"unquoted-literal\""},
		{"title eq null", NULL, ""},
		{"title eq x)", "title eq \"x\")", "\"unquoted-literal\""},
		{"fish eq x", NULL, ""},
		{"title eq 'x", NULL, ""},
		{"title eq", NULL, ""},
		{"", NULL, ""},
		{"title eq \"x", NULL, ""},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		ScimStr		filter = str(cases[i].filter);
		ScimBuf		tolerances;

		scim_buf_init(&tolerances, arena, 4096);
		is_int(scim_profile_apply_filter(arena, scim_profile("default"), type_named("User"), &filter, &tolerances, NULL), SCIM_OK, "applied");
		is_str(scim_strdup(arena, filter), cases[i].result != NULL ? cases[i].result : cases[i].filter, "filter %s", cases[i].filter);
		is_str(tolerances.data != NULL ? tolerances.data : "", cases[i].passes, "passes");
		filter = str(cases[i].filter);
		scim_profile_apply_filter(arena, scim_profile("rfc"), type_named("User"), &filter, &tolerances, NULL);
		is_str(filter.ptr, cases[i].filter, "the profile rfc forgives nothing");
	}
}

static void
test_profiles(void)
{
	static const char *const names[] = {"default", "rfc", "entra", "okta", "onelogin", "interop-strict"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
	{
		const ScimProfile *profile = scim_profile(names[i]);

		is_str(profile != NULL ? profile->name : NULL, names[i], "profile %s", names[i]);
	}
	ok(scim_profile("Default") == NULL && scim_profile("") == NULL, "no other");
}

static void
test_out_of_memory(void)
{
	static const char operations[] = "{'Operations':[{'op':'Replace','value':{'name.givenName':'g','active':'True','" E ".manager':'" ID1 "'}},"
	"{'op':'remove','path':'emails','value':[{'value':'a','type':'work'}]},{'op':'add','path':'roles[primary eq \\'True\\'].value','value':'x'}]}";
	ScimStatus	status = SCIM_NO_MEMORY;
	size_t		max;

	for (max = 0; status == SCIM_NO_MEMORY && max < (1 << 20); max += 64)
	{
		ScimArena  *small = scim_arena_create(max);
		ScimJson   *body = json(operations);
		ScimBuf		tolerances;

		scim_buf_init(&tolerances, arena, 4096);
		status = scim_profile_apply(small, scim_profile("default"), type_named("User"), true, &body, &tolerances, NULL);
		scim_arena_free(small);
	}
	is_int(status, SCIM_OK, "succeeds once there is memory");
	ok(max > 512, "and failed before");
}

int
main(void)
{
	arena = scim_arena_create((size_t) 64 << 20);
	test_operations();
	test_json_string();
	test_bodies();
	test_old_urns_in_patch();
	test_filters();
	test_profiles();
	test_out_of_memory();
	scim_arena_free(arena);
	return done_testing();
}
