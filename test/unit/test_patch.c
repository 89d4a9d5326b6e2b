/*
 * test_patch.c
 *		PATCH on canonical resources: results, link operations, secrets and
 *		refusals.  Each case states the stored resource, the operations and
 *		what comes of them.
 */
#include "core/json.h"
#include "core/patch.h"
#include "core/strbuf.h"
#include "tap.h"

#include <stdlib.h>
#include <time.h>

static ScimArena *arena;

#define E "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
#define ID1 "2819c223-7f76-453a-919d-413861904646"
#define ID2 "3819c223-7f76-453a-919d-413861904646"

static const ScimPatchOptions lenient = {.create_on_unmatched = true,.allow_no_path = true,.max_operations = 1000};
static const ScimPatchOptions rfc = {.allow_no_path = true,.max_operations = 1000};
static const ScimPatchOptions interop = {.strict = true,.replace_whole = true,.single_match = true,.max_operations = 1000};

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

static ScimResource
resource(const char *type, const char *stored)
{
	return (ScimResource) {.type = scim_registry_type_by_name(scim_registry_builtin(), type),.json = json(quoted(stored))};
}

static ScimJson *
message(const char *operations)
{
	return json(scim_sprintf(arena, "{\"schemas\":[\"" SCIM_URN_PATCH_OP "\"],\"Operations\":%s}", quoted(operations)));
}

/* Link operations in words: "add 2819 3819; remove-matching". */
static const char *
show_links(const ScimLinkOp *op)
{
	static const char *const verbs[] = {"add", "remove", "remove-matching", "replace"};
	ScimBuf		buf;

	scim_buf_init(&buf, arena, 65536);
	for (; op != NULL; op = op->next)
	{
		scim_buf_printf(&buf, "%s%s", buf.len > 0 ? "; " : "", verbs[op->verb]);
		for (size_t i = 0; i < op->n; i++)
			scim_buf_printf(&buf, " %.4s", op->ids[i].ptr);
	}
	return buf.data != NULL ? buf.data : "";
}

static void
test_results(void)
{
	static const struct
	{
		const char *what;
		const ScimPatchOptions *options;
		const char *stored;
		const char *operations;
		const char *result;
	}			cases[] = {
		/* single-valued (RFC 7644 sections 3.5.2.1 to 3.5.2.3) */
		{"replace", &rfc, "{'userName':'u','active':true}", "[{'op':'replace','path':'active','value':false}]", "{'userName':'u','active':false}"},
		{"op in any case", &rfc, "{'userName':'u'}", "[{'op':'Replace','path':'displayName','value':'A'},{'OP':'ADD','Path':'title','VALUE':'B'},{'op':'Remove','path':'nickName'}]",
		"{'userName':'u','displayName':'A','title':'B'}"},
		{"names in any case keep their spelling", &rfc, "{'userName':'u','displayName':'x'}", "[{'op':'replace','path':'DISPLAYNAME','value':'y'},{'op':'add','path':'Name.FamilyName','value':'z'}]",
		"{'userName':'u','displayName':'y','name':{'familyName':'z'}}"},
		{"remove", &rfc, "{'userName':'u','title':'t'}", "[{'op':'remove','path':'title'}]", "{'userName':'u'}"},
		{"remove what is not there", &rfc, "{'userName':'u'}", "[{'op':'remove','path':'title'}]", "{'userName':'u'}"},
		{"null unassigns", &rfc, "{'userName':'u','title':'t'}", "[{'op':'replace','path':'title','value':null}]", "{'userName':'u'}"},
		{"add of null unassigns", &rfc, "{'userName':'u','title':'t'}", "[{'op':'add','path':'title','value':null}]", "{'userName':'u'}"},
		{"core URN in a path", &rfc, "{'userName':'u'}", "[{'op':'add','path':'urn:ietf:params:scim:schemas:core:2.0:User:title','value':'t'}]", "{'userName':'u','title':'t'}"},
		{"unknown members of an operation", &rfc, "{'userName':'u'}", "[{'op':'add','path':'title','value':'t','name':'addTitle'}]", "{'userName':'u','title':'t'}"},

		/* complex */
		{"sub-attribute", &rfc, "{'userName':'u','name':{'familyName':'a'}}", "[{'op':'add','path':'name.givenName','value':'b'}]", "{'userName':'u','name':{'familyName':'a','givenName':'b'}}"},
		{"replace merges, null clears", &rfc, "{'userName':'u','name':{'familyName':'a','middleName':'m'}}", "[{'op':'replace','path':'name','value':{'familyName':null,'givenName':'b'}}]",
		"{'userName':'u','name':{'middleName':'m','givenName':'b'}}"},
		{"replace is whole where asked for", &interop, "{'userName':'u','name':{'familyName':'a','givenName':'g'}}", "[{'op':'replace','path':'name','value':{'givenName':'b'}}]", "{'userName':'u','name':{'givenName':'b'}}"},
		{"add merges there too", &interop, "{'userName':'u','name':{'familyName':'a'}}", "[{'op':'add','path':'name','value':{'givenName':'b'}}]", "{'userName':'u','name':{'familyName':'a','givenName':'b'}}"},
		{"the last sub-attribute takes the attribute with it", &rfc, "{'userName':'u','name':{'familyName':'a'}}", "[{'op':'remove','path':'name.familyName'}]", "{'userName':'u'}"},
		{"an empty object adds nothing", &rfc, "{'userName':'u'}", "[{'op':'add','path':'name','value':{}}]", "{'userName':'u'}"},
		{"remove complex", &rfc, "{'userName':'u','name':{'familyName':'a'}}", "[{'op':'remove','path':'name'}]", "{'userName':'u'}"},
		{"filter on a single complex value", &rfc, "{'userName':'u','name':{'familyName':'a'}}", "[{'op':'replace','path':'name[familyName eq \\'A\\'].givenName','value':'b'}]", "{'userName':'u','name':{'familyName':'a','givenName':'b'}}"},
		{"unknown sub-attributes are ignored", &rfc, "{'userName':'u'}", "[{'op':'add','path':'name','value':{'nose':'long','givenName':'b'}}]", "{'userName':'u','name':{'givenName':'b'}}"},

		/* without path */
		{"value without path", &rfc, "{'userName':'u','active':true}", "[{'op':'replace','value':{'active':false,'displayName':'d'}}]", "{'userName':'u','active':false,'displayName':'d'}"},
		{"null path", &rfc, "{'userName':'u'}", "[{'op':'add','path':null,'value':{'displayName':'d'}}]", "{'userName':'u','displayName':'d'}"},
		{"read-only and unknown ones are ignored", &rfc, "{'userName':'u'}", "[{'op':'replace','value':{'id':'x','meta':{'version':'1'},'schemas':['x'],'groups':[{'value':'g'}],'fish':'cod','title':'t'}}]", "{'userName':'u','title':'t'}"},
		{"core URN as a container", &rfc, "{'userName':'u'}", "[{'op':'add','value':{'urn:ietf:params:scim:schemas:core:2.0:User':{'title':'t'}}}]", "{'userName':'u','title':'t'}"},
		{"add without path adds to multi-valued", &rfc, "{'userName':'u','emails':[{'value':'a'}]}", "[{'op':'add','value':{'emails':[{'value':'b'}],'title':'t'}}]", "{'userName':'u','emails':[{'value':'a'},{'value':'b'}],'title':'t'}"},
		{"replace without path replaces multi-valued", &rfc, "{'userName':'u','emails':[{'value':'a'}]}", "[{'op':'replace','value':{'emails':[{'value':'b'}]}}]", "{'userName':'u','emails':[{'value':'b'}]}"},

		/* extensions */
		{"first attribute of an extension", &rfc, "{'userName':'u'}", "[{'op':'add','path':'" E ":department','value':'d'}]", "{'userName':'u','" E "':{'department':'d'}}"},
		{"extension object merges", &rfc, "{'userName':'u','" E "':{'costCenter':'c'}}", "[{'op':'replace','value':{'" E "':{'department':'d'}}}]", "{'userName':'u','" E "':{'costCenter':'c','department':'d'}}"},
		{"extension as a path", &rfc, "{'userName':'u'}", "[{'op':'add','path':'" E "','value':{'department':'d','division':'v'}}]", "{'userName':'u','" E "':{'department':'d','division':'v'}}"},
		{"remove an extension", &rfc, "{'userName':'u','" E "':{'department':'d','manager':{'value':'" ID1 "'}}}", "[{'op':'remove','path':'" E "'}]", "{'userName':'u'}"},
		{"extension set to null", &rfc, "{'userName':'u','" E "':{'department':'d'}}", "[{'op':'replace','value':{'" E "':null}}]", "{'userName':'u'}"},
		{"the last attribute takes the extension with it", &rfc, "{'userName':'u','" E "':{'department':'d'}}", "[{'op':'remove','path':'" E ":department'}]", "{'userName':'u'}"},
		{"manager", &rfc, "{'userName':'u'}", "[{'op':'add','path':'" E ":manager','value':{'value':'" ID1 "','displayName':'ignored'}}]", "{'userName':'u','" E "':{'manager':{'value':'" ID1 "'}}}"},
		{"manager by sub-attribute", &rfc, "{'userName':'u'}", "[{'op':'add','path':'" E ":manager.value','value':'" ID1 "'}]", "{'userName':'u','" E "':{'manager':{'value':'" ID1 "'}}}"},
		{"manager removed", &rfc, "{'userName':'u','" E "':{'manager':{'value':'" ID1 "'}}}", "[{'op':'remove','path':'" E ":manager'}]", "{'userName':'u'}"},
		{"empty reference unassigns", &rfc, "{'userName':'u','" E "':{'manager':{'value':'" ID1 "'}}}", "[{'op':'add','path':'" E ":manager','value':{'value':''}}]", "{'userName':'u'}"},
		{"empty string for a reference unassigns", &rfc, "{'userName':'u','" E "':{'manager':{'value':'" ID1 "'}}}", "[{'op':'replace','path':'" E ":manager','value':''}]", "{'userName':'u'}"},

		/* multi-valued as a whole */
		{"add an object", &rfc, "{'userName':'u'}", "[{'op':'add','path':'emails','value':{'value':'a'}}]", "{'userName':'u','emails':[{'value':'a'}]}"},
		{"add an array", &rfc, "{'userName':'u','emails':[{'value':'a'}]}", "[{'op':'add','path':'emails','value':[{'value':'b'},{'value':'c'}]}]", "{'userName':'u','emails':[{'value':'a'},{'value':'b'},{'value':'c'}]}"},
		{"add what is there", &rfc, "{'userName':'u','emails':[{'value':'a','type':'work'}]}", "[{'op':'add','path':'emails','value':[{'value':'A','type':'WORK'}]}]", "{'userName':'u','emails':[{'value':'A','type':'work'}]}"},
		{"add what is there, type not said", &rfc, "{'userName':'u','emails':[{'value':'a','type':'work'}]}", "[{'op':'add','path':'emails','value':[{'value':'a'}]}]", "{'userName':'u','emails':[{'value':'a','type':'work'}]}"},
		{"another type is another element", &rfc, "{'userName':'u','emails':[{'value':'a','type':'work'}]}", "[{'op':'add','path':'emails','value':[{'value':'a','type':'home'}]}]", "{'userName':'u','emails':[{'value':'a','type':'work'},{'value':'a','type':'home'}]}"},
		{"add twice in one operation", &rfc, "{'userName':'u'}", "[{'op':'add','path':'emails','value':[{'value':'a'},{'value':'a'}]}]", "{'userName':'u','emails':[{'value':'a'}]}"},
		{"the rest of an element that is there is merged", &rfc, "{'userName':'u','emails':[{'value':'a'}]}", "[{'op':'add','path':'emails','value':[{'value':'a','display':'d'}]}]", "{'userName':'u','emails':[{'value':'a','display':'d'}]}"},
		{"elements without value are compared whole", &rfc, "{'userName':'u','addresses':[{'locality':'x','type':'work'}]}", "[{'op':'add','path':'addresses','value':[{'type':'work','locality':'x'},{'locality':'y'}]}]", "{'userName':'u','addresses':[{'locality':'x','type':'work'},{'locality':'y'}]}"},
		{"a new primary demotes the old", &rfc, "{'userName':'u','emails':[{'value':'a','primary':true}]}", "[{'op':'add','path':'emails','value':[{'value':'b','primary':true}]}]", "{'userName':'u','emails':[{'value':'a','primary':false},{'value':'b','primary':true}]}"},
		{"an element that is there becomes primary", &rfc, "{'userName':'u','emails':[{'value':'a','primary':true},{'value':'b'}]}", "[{'op':'add','path':'emails','value':[{'value':'b','primary':true}]}]", "{'userName':'u','emails':[{'value':'a','primary':false},{'value':'b','primary':true}]}"},
		{"add null adds nothing", &rfc, "{'userName':'u','emails':[{'value':'a'}]}", "[{'op':'add','path':'emails','value':null}]", "{'userName':'u','emails':[{'value':'a'}]}"},
		{"replace all", &rfc, "{'userName':'u','roles':[{'value':'a'},{'value':'b'}]}", "[{'op':'replace','path':'roles','value':[{'value':'c','display':'C'}]}]", "{'userName':'u','roles':[{'value':'c','display':'C'}]}"},
		{"replace by none", &rfc, "{'userName':'u','roles':[{'value':'a'}]}", "[{'op':'replace','path':'roles','value':[]}]", "{'userName':'u'}"},
		{"replace by null", &rfc, "{'userName':'u','roles':[{'value':'a'}]}", "[{'op':'replace','path':'roles','value':null}]", "{'userName':'u'}"},
		{"remove all", &rfc, "{'userName':'u','roles':[{'value':'a'}]}", "[{'op':'remove','path':'roles'}]", "{'userName':'u'}"},

		/* value paths */
		{"sub-attribute of the selected", &rfc, "{'userName':'u','emails':[{'value':'a','type':'work'},{'value':'b','type':'home'}]}", "[{'op':'replace','path':'emails[type eq \\'WORK\\'].value','value':'c'}]", "{'userName':'u','emails':[{'value':'c','type':'work'},{'value':'b','type':'home'}]}"},
		{"of several", &rfc, "{'userName':'u','emails':[{'value':'a','type':'work'},{'value':'b','type':'work'}]}", "[{'op':'replace','path':'emails[type eq \\'work\\'].display','value':'c'}]", "{'userName':'u','emails':[{'value':'a','type':'work','display':'c'},{'value':'b','type':'work','display':'c'}]}"},
		{"replace the selected", &rfc, "{'userName':'u','emails':[{'value':'a','type':'work','display':'d'},{'value':'b'}]}", "[{'op':'replace','path':'emails[type eq \\'work\\']','value':{'value':'c','type':'home'}}]", "{'userName':'u','emails':[{'value':'c','type':'home'},{'value':'b'}]}"},
		{"to the letter", &rfc, "{'userName':'u','emails':[{'value':'a','type':'work'}]}", "[{'op':'replace','path':'emails[type eq \\'work\\']','value':{'value':'c'}}]", "{'userName':'u','emails':[{'value':'c'}]}"},
		{"the filter stays true where clients are lenient", &lenient, "{'userName':'u','emails':[{'value':'a','type':'work','display':'d'}]}", "[{'op':'replace','path':'emails[type eq \\'work\\']','value':{'value':'c'}}]", "{'userName':'u','emails':[{'type':'work','value':'c'}]}"},
		{"add to the selected merges", &rfc, "{'userName':'u','emails':[{'value':'a','type':'work'}]}", "[{'op':'add','path':'emails[type eq \\'work\\']','value':{'display':'d'}}]", "{'userName':'u','emails':[{'value':'a','type':'work','display':'d'}]}"},
		{"remove the selected", &rfc, "{'userName':'u','emails':[{'value':'a','type':'work'},{'value':'b'}]}", "[{'op':'remove','path':'emails[type eq \\'work\\']'}]", "{'userName':'u','emails':[{'value':'b'}]}"},
		{"remove the last", &rfc, "{'userName':'u','emails':[{'value':'a','type':'work'}]}", "[{'op':'remove','path':'emails[type eq \\'work\\']'}]", "{'userName':'u'}"},
		{"remove none", &rfc, "{'userName':'u','emails':[{'value':'a'}]}", "[{'op':'remove','path':'emails[type eq \\'work\\']'}]", "{'userName':'u','emails':[{'value':'a'}]}"},
		{"remove a sub-attribute of the selected", &rfc, "{'userName':'u','emails':[{'value':'a','type':'work'},{'value':'b','type':'home'}]}", "[{'op':'remove','path':'emails[type eq \\'work\\'].value'}]", "{'userName':'u','emails':[{'type':'work'},{'value':'b','type':'home'}]}"},
		{"a value in remove is never written", &rfc, "{'userName':'u','emails':[{'value':'a','type':'work'}]}", "[{'op':'remove','path':'emails[type eq \\'work\\'].value','value':'b'}]", "{'userName':'u','emails':[{'type':'work'}]}"},
		{"null clears in the selected", &rfc, "{'userName':'u','emails':[{'value':'a','type':'work'}]}", "[{'op':'replace','path':'emails[type eq \\'work\\'].value','value':null}]", "{'userName':'u','emails':[{'type':'work'}]}"},
		{"an emptied element goes", &rfc, "{'userName':'u','emails':[{'value':'a'},{'value':'b'}]}", "[{'op':'remove','path':'emails[value eq \\'a\\'].value'}]", "{'userName':'u','emails':[{'value':'b'}]}"},
		{"primary moves", &rfc, "{'userName':'u','emails':[{'value':'a','type':'work','primary':true},{'value':'b','type':'home'}]}", "[{'op':'replace','path':'emails[type eq \\'home\\'].primary','value':true}]", "{'userName':'u','emails':[{'value':'a','type':'work','primary':false},{'value':'b','type':'home','primary':true}]}"},
		{"sub-attribute of all", &rfc, "{'userName':'u','emails':[{'value':'a'},{'value':'b'}]}", "[{'op':'add','path':'emails.type','value':'work'}]", "{'userName':'u','emails':[{'value':'a','type':'work'},{'value':'b','type':'work'}]}"},
		{"remove a sub-attribute of all", &rfc, "{'userName':'u','emails':[{'value':'a','type':'x'},{'type':'y'}]}", "[{'op':'remove','path':'emails.type'}]", "{'userName':'u','emails':[{'value':'a'}]}"},
		{"sub-attribute of none makes one", &rfc, "{'userName':'u'}", "[{'op':'replace','path':'emails.value','value':'a'}]", "{'userName':'u','emails':[{'value':'a'}]}"},

		/* creation, where RFC 7644 section 3.5.2.3 says noTarget */
		{"add creates what the filter describes", &rfc, "{'userName':'u'}", "[{'op':'add','path':'emails[type eq \\'work\\'].value','value':'a'}]", "{'userName':'u','emails':[{'type':'work','value':'a'}]}"},
		{"replace creates where clients are lenient", &lenient, "{'userName':'u','emails':[{'value':'h','type':'home'}]}", "[{'op':'replace','path':'emails[type eq \\'Work\\'].value','value':'a'}]", "{'userName':'u','emails':[{'value':'h','type':'home'},{'type':'work','value':'a'}]}"},
		{"by a boolean", &lenient, "{'userName':'u'}", "[{'op':'replace','path':'roles[primary eq true].value','value':'r'}]", "{'userName':'u','roles':[{'primary':true,'value':'r'}]}"},
		{"by several equalities", &lenient, "{'userName':'u'}", "[{'op':'replace','path':'emails[type eq \\'work\\' and primary eq true]','value':{'value':'a'}}]", "{'userName':'u','emails':[{'type':'work','primary':true,'value':'a'}]}"},
		{"several operations make one element", &lenient, "{'userName':'u'}", "[{'op':'add','path':'addresses[type eq \\'work\\'].locality','value':'l'},{'op':'add','path':'addresses[type eq \\'work\\'].country','value':'c'}]", "{'userName':'u','addresses':[{'type':'work','locality':'l','country':'c'}]}"},
		{"a created primary demotes", &lenient, "{'userName':'u','emails':[{'value':'a','primary':true,'type':'home'}]}", "[{'op':'add','path':'emails[type eq \\'work\\' and primary eq true].value','value':'b'}]", "{'userName':'u','emails':[{'value':'a','primary':false,'type':'home'},{'type':'work','primary':true,'value':'b'}]}"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		ScimResource r = resource("User", cases[i].stored);
		ScimJson   *body = message(cases[i].operations);
		ScimStr		before = scim_json_text(arena, body);
		ScimError	err = {SCIM_OK, ""};
		ScimStatus	status = scim_patch_apply(arena, &r, body, cases[i].options, &err);

		if (!is_int(status, SCIM_OK, "%s", cases[i].what))
		{
			printf("#   %s\n", err.detail);
			continue;
		}
		if (!ok(scim_json_equal(r.json, json(quoted(cases[i].result))), "result: %s", cases[i].what))
			printf("#   got  %s\n#   want %s\n", scim_json_text(arena, r.json).ptr, quoted(cases[i].result));
		is_str(scim_json_text(arena, body).ptr, before.ptr, "the body is not changed: %s", cases[i].what);
		ok(r.links == NULL && r.secrets.password.ptr == NULL, "nothing else: %s", cases[i].what);
	}
}

static void
test_refusals(void)
{
	static const struct
	{
		const char *what;
		const ScimPatchOptions *options;
		const char *stored;
		const char *operations;
		ScimStatus	status;
		const char *says;
	}			cases[] = {
		{"no operations", &rfc, "{'userName':'u'}", "[]", SCIM_INVALID_SYNTAX, "Operations"},
		{"operations no array", &rfc, "{'userName':'u'}", "{}", SCIM_INVALID_SYNTAX, "Operations"},
		{"an operation that is no object", &rfc, "{'userName':'u'}", "['x']", SCIM_INVALID_SYNTAX, "operation 1"},
		{"null operation", &rfc, "{'userName':'u'}", "[null]", SCIM_INVALID_SYNTAX, "operation 1"},
		{"no op", &rfc, "{'userName':'u'}", "[{'path':'title','value':'x'}]", SCIM_INVALID_SYNTAX, "op"},
		{"unknown op", &rfc, "{'userName':'u'}", "[{'op':'move','path':'title','value':'x'}]", SCIM_INVALID_SYNTAX, "op"},
		{"op no string", &rfc, "{'userName':'u'}", "[{'op':1,'path':'title','value':'x'}]", SCIM_INVALID_SYNTAX, "op"},
		{"no value", &rfc, "{'userName':'u'}", "[{'op':'add','path':'title'}]", SCIM_INVALID_VALUE, "value"},
		{"path no string", &rfc, "{'userName':'u'}", "[{'op':'add','path':1,'value':'x'}]", SCIM_INVALID_PATH, "path"},
		{"unknown path", &rfc, "{'userName':'u'}", "[{'op':'add','path':'title','value':'x'},{'op':'add','path':'fish','value':'x'}]", SCIM_INVALID_PATH, "operation 2"},
		{"empty path", &rfc, "{'userName':'u'}", "[{'op':'add','path':'','value':'x'}]", SCIM_INVALID_PATH, "operation 1"},
		{"bad filter", &rfc, "{'userName':'u'}", "[{'op':'add','path':'emails[type eq].value','value':'x'}]", SCIM_INVALID_FILTER, "operation 1"},
		{"remove without path", &rfc, "{'userName':'u'}", "[{'op':'remove'}]", SCIM_NO_TARGET, "path"},
		{"without path where that is refused", &interop, "{'userName':'u'}", "[{'op':'replace','value':{'title':'x'}}]", SCIM_INVALID_SYNTAX, "path"},
		{"value without path no object", &rfc, "{'userName':'u'}", "[{'op':'replace','value':'x'}]", SCIM_INVALID_VALUE, "object"},
		{"null without path", &rfc, "{'userName':'u'}", "[{'op':'replace','value':null}]", SCIM_INVALID_VALUE, "object"},
		{"extension no object", &rfc, "{'userName':'u'}", "[{'op':'replace','value':{'" E "':'x'}}]", SCIM_INVALID_VALUE, "object"},
		{"unknown attribute, strict", &interop, "{'userName':'u'}", "[{'op':'add','path':'name','value':{'nose':'x'}}]", SCIM_INVALID_SYNTAX, "name"},

		{"read-only path", &rfc, "{'userName':'u'}", "[{'op':'replace','path':'id','value':'x'}]", SCIM_MUTABILITY, "id"},
		{"read-only attribute", &rfc, "{'userName':'u'}", "[{'op':'add','path':'groups','value':[{'value':'x'}]}]", SCIM_MUTABILITY, "groups"},
		{"read-only sub-attribute", &rfc, "{'userName':'u'}", "[{'op':'add','path':'" E ":manager.displayName','value':'x'}]", SCIM_MUTABILITY, "displayName"},
		{"meta", &rfc, "{'userName':'u'}", "[{'op':'remove','path':'meta.created'}]", SCIM_MUTABILITY, "created"},
		{"remove a required attribute", &rfc, "{'userName':'u'}", "[{'op':'remove','path':'userName'}]", SCIM_MUTABILITY, "userName"},
		{"null for a required attribute", &rfc, "{'userName':'u'}", "[{'op':'replace','path':'userName','value':null}]", SCIM_INVALID_VALUE, "userName"},
		{"null for it without path", &rfc, "{'userName':'u'}", "[{'op':'replace','value':{'userName':null}}]", SCIM_INVALID_VALUE, "userName"},

		{"wrong type", &rfc, "{'userName':'u'}", "[{'op':'replace','path':'active','value':'False'}]", SCIM_INVALID_VALUE, "active"},
		{"number for a string", &rfc, "{'userName':'u'}", "[{'op':'replace','path':'title','value':5}]", SCIM_INVALID_VALUE, "title"},
		{"object for a string", &rfc, "{'userName':'u'}", "[{'op':'replace','path':'title','value':{'a':1}}]", SCIM_INVALID_VALUE, "title"},
		{"string for a complex", &rfc, "{'userName':'u'}", "[{'op':'replace','path':'name','value':'x'}]", SCIM_INVALID_VALUE, "name"},
		{"array for a complex", &rfc, "{'userName':'u'}", "[{'op':'replace','path':'name','value':[]}]", SCIM_INVALID_VALUE, "name"},
		{"string element", &rfc, "{'userName':'u'}", "[{'op':'add','path':'emails','value':['x']}]", SCIM_INVALID_VALUE, "emails"},
		{"null element", &rfc, "{'userName':'u','emails':[{'value':'a'}]}", "[{'op':'add','path':'emails','value':[null]}]", SCIM_INVALID_VALUE, "emails"},
		{"object where replace wants an array", &rfc, "{'userName':'u'}", "[{'op':'replace','path':'emails','value':{'value':'a'}}]", SCIM_INVALID_VALUE, "emails"},
		{"two primaries", &rfc, "{'userName':'u'}", "[{'op':'add','path':'emails','value':[{'value':'a','primary':true},{'value':'b','primary':true}]}]", SCIM_INVALID_VALUE, "primary"},
		{"primary of two selected", &rfc, "{'userName':'u','emails':[{'value':'a'},{'value':'b'}]}", "[{'op':'replace','path':'emails.primary','value':true}]", SCIM_INVALID_VALUE, "primary"},
		{"manager that is no id", &rfc, "{'userName':'u'}", "[{'op':'add','path':'" E ":manager.value','value':'bob'}]", SCIM_INVALID_VALUE, "value"},
		{"remove a list of values", &rfc, "{'userName':'u','roles':[{'value':'a'},{'value':'b'}]}", "[{'op':'remove','path':'roles','value':[{'value':'a'}]}]", SCIM_INVALID_SYNTAX, "filter"},

		{"replace of none", &rfc, "{'userName':'u'}", "[{'op':'replace','path':'emails[type eq \\'work\\'].value','value':'x'}]", SCIM_NO_TARGET, "emails"},
		{"replace of none that cannot be created", &lenient, "{'userName':'u'}", "[{'op':'replace','path':'emails[type eq \\'nonexistent\\'].value','value':'x'}]", SCIM_NO_TARGET, "emails"},
		{"by value", &lenient, "{'userName':'u'}", "[{'op':'replace','path':'emails[value eq \\'x\\'].value','value':'x'}]", SCIM_NO_TARGET, "emails"},
		{"by or", &lenient, "{'userName':'u'}", "[{'op':'replace','path':'emails[type eq \\'work\\' or type eq \\'home\\'].value','value':'x'}]", SCIM_NO_TARGET, "emails"},
		{"by not", &lenient, "{'userName':'u'}", "[{'op':'add','path':'emails[not (type eq \\'work\\')].value','value':'x'}]", SCIM_NO_TARGET, "emails"},
		{"filter on a single value that differs", &rfc, "{'userName':'u','name':{'familyName':'a'}}", "[{'op':'replace','path':'name[familyName eq \\'b\\'].givenName','value':'x'}]", SCIM_NO_TARGET, "name"},
		{"several selected where one is wanted", &interop, "{'userName':'u','emails':[{'value':'a','type':'work'},{'value':'b','type':'work'}]}", "[{'op':'replace','path':'emails[type eq \\'work\\'].display','value':'x'}]", SCIM_INVALID_FILTER, "2 elements"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		ScimResource r = resource("User", cases[i].stored);
		ScimError	err = {SCIM_OK, ""};

		is_int(scim_patch_apply(arena, &r, message(cases[i].operations), cases[i].options, &err), cases[i].status, "refused: %s", cases[i].what);
		is_int(err.status, cases[i].status, "status in the error: %s", cases[i].what);
		if (!ok(strstr(err.detail, cases[i].says) != NULL, "what is said: %s", cases[i].what))
			printf("#   %s\n", err.detail);
	}
}

static void
test_messages(void)
{
	static const char *const bodies[] = {"[]", "'x'", "{}", "{'schemas':[],'Operations':[{'op':'add','path':'title','value':'x'}]}",
		"{'schemas':'" SCIM_URN_PATCH_OP "','Operations':[{'op':'add','path':'title','value':'x'}]}",
	"{'schemas':['" SCIM_URN_USER "'],'Operations':[{'op':'add','path':'title','value':'x'}]}", "{'schemas':['" SCIM_URN_PATCH_OP "']}"};
	ScimPatchOptions few = rfc;
	ScimError	err;

	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
	{
		ScimResource r = resource("User", "{'userName':'u'}");

		is_int(scim_patch_apply(arena, &r, json(quoted(bodies[i])), &rfc, &err), SCIM_INVALID_SYNTAX, "refused: %s", bodies[i]);
	}
	few.max_operations = 1;
	ScimResource r = resource("User", "{'userName':'u'}");
	is_int(scim_patch_apply(arena, &r, message("[{'op':'remove','path':'title'},{'op':'remove','path':'title'}]"), &few, &err),
		   SCIM_PAYLOAD_TOO_LARGE, "too many operations");
	ok(strstr(err.detail, "more than 1 ") != NULL, "names the limit: %s", err.detail);
}

static void
test_members(void)
{
	static const struct
	{
		const char *operations;
		ScimStatus	status;
		const char *links;
	}			cases[] = {
		{"[{'op':'add','path':'members','value':[{'value':'" ID1 "'}]}]", SCIM_OK, "add 2819"},
		{"[{'op':'add','path':'members','value':{'value':'" ID1 "','display':'x','type':'User'}}]", SCIM_OK, "add 2819"},
		{"[{'op':'add','path':'members','value':[{'$ref':null,'value':'" ID2 "'},{'value':'" ID1 "'},{'value':'3819C223-7F76-453A-919D-413861904646'}]}]", SCIM_OK, "add 2819 3819"},
		{"[{'op':'add','path':'members','value':[]}]", SCIM_OK, ""},
		{"[{'op':'add','value':{'members':[{'value':'" ID1 "'}]}}]", SCIM_OK, "add 2819"},
		{"[{'op':'replace','path':'members','value':[{'value':'" ID1 "'}]}]", SCIM_OK, "replace 2819"},
		{"[{'op':'replace','value':{'members':[{'value':'" ID1 "'}]}}]", SCIM_OK, "replace 2819"},
		{"[{'op':'replace','path':'members','value':[]}]", SCIM_OK, "replace"},
		{"[{'op':'replace','path':'members','value':null}]", SCIM_OK, "replace"},
		{"[{'op':'remove','path':'members'}]", SCIM_OK, "replace"},
		{"[{'op':'remove','path':'members','value':[]}]", SCIM_OK, "replace"},
		{"[{'op':'remove','path':'members[value eq \\'" ID1 "\\']'}]", SCIM_OK, "remove 2819"},
		{"[{'op':'remove','path':'members[value eq \\'" ID2 "\\' or value eq \\'" ID1 "\\' or value eq \\'" ID2 "\\']'}]", SCIM_OK, "remove 2819 3819"},
		{"[{'op':'remove','path':'members[value eq \\'bob\\']'}]", SCIM_OK, "remove"},
		{"[{'op':'remove','path':'members[type eq \\'Group\\']'}]", SCIM_OK, "remove-matching"},
		{"[{'op':'remove','path':'members[value eq \\'" ID1 "\\' and type eq \\'User\\']'}]", SCIM_OK, "remove-matching"},
		{"[{'op':'remove','path':'members[value eq \\'" ID1 "\\']'},{'op':'add','path':'members','value':[{'value':'" ID2 "'}]}]", SCIM_OK, "remove 2819; add 3819"},
		/* what each id ends as (patch_join.c) */
		{"[{'op':'add','path':'members','value':[{'value':'" ID2 "'}]},{'op':'add','path':'members','value':[{'value':'" ID1 "'}]},{'op':'add','path':'members','value':[{'value':'" ID2 "'}]}]", SCIM_OK, "add 2819 3819"},
		{"[{'op':'add','path':'members','value':[{'value':'" ID2 "'}]},{'op':'remove','path':'members[value eq \\'" ID1 "\\']'}]", SCIM_OK, "remove 2819; add 3819"},
		{"[{'op':'add','path':'members','value':[{'value':'" ID1 "'},{'value':'" ID2 "'}]},{'op':'remove','path':'members[value eq \\'" ID1 "\\']'}]", SCIM_OK, "add 2819 3819; remove 2819"},
		{"[{'op':'remove','path':'members[value eq \\'" ID1 "\\']'},{'op':'add','path':'members','value':[{'value':'" ID1 "'}]}]", SCIM_OK, "add 2819"},
		{"[{'op':'remove','path':'members[value eq \\'" ID1 "\\']'},{'op':'remove','path':'members[value eq \\'" ID2 "\\']'}]", SCIM_OK, "remove 2819 3819"},
		{"[{'op':'remove','path':'members[value eq \\'bob\\']'},{'op':'remove','path':'members[value eq \\'eve\\']'}]", SCIM_OK, ""},
		{"[{'op':'add','path':'members','value':[{'value':'" ID1 "'}]},{'op':'remove','path':'members'},{'op':'add','path':'members','value':[{'value':'" ID2 "'}]},{'op':'add','path':'members','value':[{'value':'" ID1 "'}]}]", SCIM_OK,
		"add 2819; replace; add 2819 3819"},
		{"[{'op':'remove','path':'members[value eq \\'" ID1 "\\']'},{'op':'remove','path':'members[type eq \\'Group\\']'},{'op':'add','path':'members','value':[{'value':'" ID1 "'}]}]", SCIM_OK, "remove 2819; remove-matching; add 2819"},
		{"[{'op':'remove','path':'members','value':[{'value':'" ID1 "'}]}]", SCIM_INVALID_SYNTAX, NULL},
		{"[{'op':'remove','path':'members','value':'" ID1 "'}]", SCIM_INVALID_SYNTAX, NULL},
		{"[{'op':'add','path':'members','value':[{'value':'bob'}]}]", SCIM_INVALID_VALUE, NULL},
		{"[{'op':'add','path':'members','value':[{'display':'bob'}]}]", SCIM_INVALID_VALUE, NULL},
		{"[{'op':'add','path':'members','value':[null]}]", SCIM_INVALID_VALUE, NULL},
		{"[{'op':'add','path':'members','value':['" ID1 "']}]", SCIM_INVALID_VALUE, NULL},
		{"[{'op':'replace','path':'members','value':{'value':'" ID1 "'}}]", SCIM_INVALID_VALUE, NULL},
		{"[{'op':'replace','path':'members[value eq \\'" ID1 "\\']','value':{'value':'" ID2 "'}}]", SCIM_MUTABILITY, NULL},
		{"[{'op':'replace','path':'members.value','value':'" ID2 "'}]", SCIM_MUTABILITY, NULL},
		{"[{'op':'remove','path':'members[value eq \\'" ID1 "\\'].value'}]", SCIM_MUTABILITY, NULL},
		{"[{'op':'replace','path':'members.display','value':'x'}]", SCIM_MUTABILITY, NULL},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		ScimResource r = resource("Group", "{'displayName':'g'}");
		ScimError	err = {SCIM_OK, ""};

		if (!is_int(scim_patch_apply(arena, &r, message(cases[i].operations), &lenient, &err), cases[i].status, "members: %s", cases[i].operations))
			printf("#   %s\n", err.detail);
		else if (cases[i].status == SCIM_OK)
		{
			is_str(show_links(r.links), cases[i].links, "links of %s", cases[i].operations);
			is_str(scim_json_text(arena, r.json).ptr, "{\"displayName\":\"g\"}", "the resource keeps to itself");
		}
	}
}

/* Each goes through all members: a few are served, more would take too long. */
static void
test_sweeps(void)
{
	static const char *const sweeps[] = {
		"{'op':'remove','path':'members'}",
		"{'op':'replace','path':'members','value':[{'value':'" ID1 "'}]}",
		"{'op':'remove','path':'members[type eq \\'Group\\']'}"
	};

	for (int n = 10; n <= 11; n++)
	{
		ScimResource r = resource("Group", "{'displayName':'g'}");
		ScimError	err = {SCIM_OK, ""};
		ScimBuf		buf;

		scim_buf_init(&buf, arena, 65536);
		for (int i = 0; i < n; i++)
			scim_buf_printf(&buf, "%s%s", i > 0 ? "," : "[", sweeps[i % 3]);
		scim_buf_char(&buf, ']');
		is_int(scim_patch_apply(arena, &r, message(buf.data), &lenient, &err), n > 10 ? SCIM_PAYLOAD_TOO_LARGE : SCIM_OK, "%d sweeps", n);
	}
}

static void
test_password(void)
{
	static const struct
	{
		const char *operations;
		ScimStatus	status;
		const char *password;
		bool		removed;
	}			cases[] = {
		{"[{'op':'replace','path':'password','value':'s3cret'}]", SCIM_OK, "s3cret", false},
		{"[{'op':'add','value':{'PASSWORD':'s3cret'}}]", SCIM_OK, "s3cret", false},
		{"[{'op':'remove','path':'password'}]", SCIM_OK, NULL, true},
		{"[{'op':'replace','path':'password','value':null}]", SCIM_OK, NULL, true},
		{"[{'op':'remove','path':'password'},{'op':'add','path':'password','value':'x'}]", SCIM_OK, "x", false},
		{"[{'op':'add','path':'password','value':'x'},{'op':'remove','path':'password'}]", SCIM_OK, NULL, true},
		{"[{'op':'replace','path':'password','value':5}]", SCIM_INVALID_VALUE, NULL, false},
		{"[{'op':'remove','path':'title'}]", SCIM_OK, NULL, false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		ScimResource r = resource("User", "{'userName':'u'}");
		ScimError	err = {SCIM_OK, ""};

		is_int(scim_patch_apply(arena, &r, message(cases[i].operations), &rfc, &err), cases[i].status, "password: %s", cases[i].operations);
		is_str(r.secrets.password.ptr != NULL ? scim_strdup(arena, r.secrets.password) : NULL, cases[i].password, "password given");
		ok(r.secrets.password_removed == cases[i].removed, "password removed");
		ok(strstr(scim_json_text(arena, r.json).ptr, "assword") == NULL && strstr(err.detail, "s3cret") == NULL, "and nowhere else");
	}
}

/* Many elements: linear, or refused before it takes long. */
static void
test_large(void)
{
	ScimBuf		buf;
	ScimResource r = resource("User", "{'userName':'u'}");
	ScimError	err = {SCIM_OK, ""};
	clock_t		start = clock();
	ScimPatchOptions many = rfc;
	ScimArena  *large = scim_arena_create((size_t) 256 << 20);
	ScimJson   *body;

	many.max_operations = 10000;
	scim_buf_init(&buf, large, (size_t) 4 << 20);
	scim_buf_str(&buf, "{\"schemas\":[\"" SCIM_URN_PATCH_OP "\"],\"Operations\":[{\"op\":\"add\",\"path\":\"roles\",\"value\":[");
	for (int i = 0; i < 20000; i++)
		scim_buf_printf(&buf, "%s{\"value\":\"%d\"}", i > 0 ? "," : "", i % 15000);
	scim_buf_str(&buf, "]}");
	for (int i = 0; i < 2000; i++)
		scim_buf_printf(&buf, ",{\"op\":\"replace\",\"path\":\"roles[value eq \\\"%d\\\" or type eq \\\"x\\\"].display\",\"value\":\"x\"}", i);
	scim_buf_str(&buf, "]}");
	is_int(scim_json_parse(large, (ScimStr) {buf.data, buf.len}, &body, &err), SCIM_OK, "a large message");
	is_int(scim_patch_apply(large, &r, body, &many, &err), SCIM_PAYLOAD_TOO_LARGE, "too much work is refused: %s", err.detail);
	ok((clock() - start) / CLOCKS_PER_SEC < 20, "in reasonable time, under sanitizers");
	scim_arena_free(large);
}

static void
test_out_of_memory(void)
{
	static const char operations[] = "[{'op':'add','path':'emails','value':[{'value':'a','primary':true},{'value':'b'}]},"
	"{'op':'replace','path':'emails[type eq \\'work\\'].value','value':'c'},{'op':'remove','path':'name'},"
	"{'op':'add','value':{'" E "':{'manager':{'value':'" ID1 "'}},'password':'x'}},{'op':'remove','path':'emails[value eq \\'b\\']'}]";
	ScimStatus	status = SCIM_NO_MEMORY;
	size_t		max;

	for (max = 0; status == SCIM_NO_MEMORY && max < (1 << 20); max += 64)
	{
		ScimArena  *small = scim_arena_create(max);
		ScimResource r = resource("User", "{'userName':'u','name':{'familyName':'f'}}");

		status = scim_patch_apply(small, &r, message(operations), &lenient, NULL);
		scim_arena_free(small);
	}
	is_int(status, SCIM_OK, "succeeds once there is memory");
	ok(max > 512, "and failed before");
}

int
main(void)
{
	arena = scim_arena_create((size_t) 64 << 20);
	test_results();
	test_refusals();
	test_messages();
	test_members();
	test_sweeps();
	test_password();
	test_large();
	test_out_of_memory();
	scim_arena_free(arena);
	return done_testing();
}
