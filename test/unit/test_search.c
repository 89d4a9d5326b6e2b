/*
 * test_search.c
 *		The body of POST .search: read as a query string's parameters are.
 */
#include "core/search.h"
#include "tap.h"

#define BODY(members) "{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:SearchRequest\"]" members "}"

static ScimArena *arena;

static ScimStatus
parse(const char *body, ScimQuery *query, ScimError *err)
{
	ScimJson   *json = NULL;

	*err = (ScimError) {SCIM_OK, ""};
	is_int(scim_json_parse(arena, (ScimStr) {body, strlen(body)}, &json, err), SCIM_OK, "JSON %s", body);
	return scim_search_parse(arena, json, query, err);
}

static const char *
text(ScimStr s)
{
	return s.ptr != NULL ? scim_strdup(arena, s) : NULL;
}

static void
test_members(void)
{
	ScimQuery	query;
	ScimError	err;

	is_int(parse(BODY(",\"filter\":\"a eq 1\",\"SORTBY\":\"id\",\"sortOrder\":\"descending\",\"attributes\":[\"a\",\"b.c\"],"
					  "\"excludedAttributes\":\"d\",\"startIndex\":3,\"count\":7,\"other\":{}"), &query, &err), SCIM_OK, "all members");
	is_str(text(query.filter), "a eq 1", "filter");
	is_str(text(query.sort_by), "id", "sortBy, whatever its case");
	is_str(text(query.sort_order), "descending", "sortOrder");
	is_str(text(query.attributes), "a,b.c", "attributes as a list");
	is_str(text(query.excluded_attributes), "d", "excludedAttributes as a text");
	ok(query.has_start_index && query.start_index == 3 && query.has_count && query.count == 7, "numbers");
	ok(query.cursor.ptr == NULL, "no cursor");

	is_int(parse(BODY(""), &query, &err), SCIM_OK, "no member");
	ok(query.filter.ptr == NULL && query.attributes.ptr == NULL && !query.has_count && !query.has_start_index && query.start_index == 1, "nothing given");
	is_int(parse(BODY(",\"filter\":null,\"attributes\":[],\"count\":null,\"startIndex\":-5"), &query, &err), SCIM_OK, "null and empty");
	ok(query.filter.ptr == NULL && query.attributes.ptr == NULL && !query.has_count, "are as good as absent");
	is_int((int) query.start_index, 1, "a startIndex below 1 is 1");
	is_int(parse(BODY(",\"cursor\":\"\",\"count\":5"), &query, &err), SCIM_OK, "an empty cursor");
	ok(query.cursor.ptr != NULL && query.cursor.len == 0, "is there");
	is_int(parse("{\"schemas\":[\"x\",\"URN:IETF:PARAMS:SCIM:API:MESSAGES:2.0:SEARCHREQUEST\"]}", &query, &err), SCIM_OK, "the URN in any case, among others");
}

static void
test_refused(void)
{
	static const struct
	{
		const char *body;
		ScimStatus	status;
	}			cases[] = {
		{"[]", SCIM_INVALID_SYNTAX},
		{"\"x\"", SCIM_INVALID_SYNTAX},
		{"{}", SCIM_INVALID_SYNTAX},
		{"{\"schemas\":\"urn:ietf:params:scim:api:messages:2.0:SearchRequest\"}", SCIM_INVALID_SYNTAX},
		{"{\"schemas\":[1]}", SCIM_INVALID_SYNTAX},
		{"{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:PatchOp\"]}", SCIM_INVALID_SYNTAX},
		{BODY(",\"filter\":1"), SCIM_INVALID_VALUE},
		{BODY(",\"sortBy\":[\"id\"]"), SCIM_INVALID_VALUE},
		{BODY(",\"attributes\":[\"a\",1]"), SCIM_INVALID_VALUE},
		{BODY(",\"attributes\":{}"), SCIM_INVALID_VALUE},
		{BODY(",\"count\":\"7\""), SCIM_INVALID_COUNT},
		{BODY(",\"count\":1.5"), SCIM_INVALID_COUNT},
		{BODY(",\"startIndex\":true"), SCIM_INVALID_VALUE},
		{BODY(",\"cursor\":\"\",\"count\":0"), SCIM_INVALID_COUNT},
		{BODY(",\"cursor\":\"x\",\"startIndex\":1"), SCIM_INVALID_VALUE},
	};
	ScimQuery	query;
	ScimError	err;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		is_int(parse(cases[i].body, &query, &err), cases[i].status, "refused: %s", cases[i].body);
		ok(err.detail[0] != '\0', "and said why");
	}
}

int
main(void)
{
	arena = scim_arena_create((size_t) 1 << 20);
	test_members();
	test_refused();
	scim_arena_free(arena);
	return done_testing();
}
