/*
 * test_request.c
 *		Requests taken apart: endpoints, queries, headers, entity tags.
 */
#include "core/json.h"
#include "core/request.h"
#include "tap.h"

static ScimArena *arena;

static ScimStr
str(const char *text)
{
	return text != NULL ? (ScimStr) {text, strlen(text)} : SCIM_STR_NONE;
}

static const char *
text(ScimStr s)
{
	return s.ptr != NULL ? scim_strdup(arena, s) : NULL;
}

static ScimStatus
parse(const char *method, const char *uri, const char *headers, ScimRequest *out, ScimError *err)
{
	ScimHeaders parsed;

	*err = (ScimError) {SCIM_OK, ""};
	if (headers != NULL)
		is_int(scim_headers_parse(arena, str(headers), &parsed, err), SCIM_OK, "headers %s", headers);
	return scim_request_parse(arena, scim_registry_builtin(), str(method), str(uri), headers != NULL ? &parsed : NULL, out, err);
}

static void
test_endpoints(void)
{
	static const struct
	{
		const char *uri;
		ScimStatus	status;
		ScimEndpoint endpoint;
		const char *type;
		const char *id;
	}			cases[] = {
		{"/Users", SCIM_OK, SCIM_ENDPOINT_COLLECTION, "User", NULL},
		{"/Users/", SCIM_OK, SCIM_ENDPOINT_COLLECTION, "User", NULL},
		{"/Users?", SCIM_OK, SCIM_ENDPOINT_COLLECTION, "User", NULL},
		{"/Users/?count=1", SCIM_OK, SCIM_ENDPOINT_COLLECTION, "User", NULL},
		{"/Groups", SCIM_OK, SCIM_ENDPOINT_COLLECTION, "Group", NULL},
		{"/Users/2819c223-7f76-453a-919d-413861904646", SCIM_OK, SCIM_ENDPOINT_RESOURCE, "User", "2819c223-7f76-453a-919d-413861904646"},
		{"/Users/00919288221112222", SCIM_OK, SCIM_ENDPOINT_RESOURCE, "User", "00919288221112222"},
		{"/Users/a%20b%2Fc", SCIM_OK, SCIM_ENDPOINT_RESOURCE, "User", "a b/c"},
		{"/Users/a+b", SCIM_OK, SCIM_ENDPOINT_RESOURCE, "User", "a+b"},
		{"/Users/%C3%A4/", SCIM_OK, SCIM_ENDPOINT_RESOURCE, "User", "\xc3\xa4"},
		{"/Users/x?aadOptscim062020", SCIM_OK, SCIM_ENDPOINT_RESOURCE, "User", "x"},
		{"/Users/.search", SCIM_OK, SCIM_ENDPOINT_SEARCH, "User", NULL},
		{"/v2/Users", SCIM_OK, SCIM_ENDPOINT_COLLECTION, "User", NULL},
		{"/V2/Users/x", SCIM_OK, SCIM_ENDPOINT_RESOURCE, "User", "x"},
		{"/v2", SCIM_OK, SCIM_ENDPOINT_ROOT, NULL, NULL},
		{"/v1/Users", SCIM_INVALID_VERS, SCIM_ENDPOINT_UNKNOWN, NULL, NULL},
		{"/v22", SCIM_INVALID_VERS, SCIM_ENDPOINT_UNKNOWN, NULL, NULL},
		{"/v2Users", SCIM_NOT_FOUND, SCIM_ENDPOINT_UNKNOWN, NULL, NULL},
		{"/v", SCIM_NOT_FOUND, SCIM_ENDPOINT_UNKNOWN, NULL, NULL},
		{"/.search", SCIM_OK, SCIM_ENDPOINT_SEARCH, NULL, NULL},
		{"/ServiceProviderConfig", SCIM_OK, SCIM_ENDPOINT_SERVICE_PROVIDER_CONFIG, NULL, NULL},
		{"/ResourceTypes", SCIM_OK, SCIM_ENDPOINT_RESOURCE_TYPES, NULL, NULL},
		{"/ResourceTypes/User", SCIM_OK, SCIM_ENDPOINT_RESOURCE_TYPES, NULL, "User"},
		{"/Schemas/", SCIM_OK, SCIM_ENDPOINT_SCHEMAS, NULL, NULL},
		{"/Schemas/urn:ietf:params:scim:schemas:core:2.0:User", SCIM_OK, SCIM_ENDPOINT_SCHEMAS, NULL, "urn:ietf:params:scim:schemas:core:2.0:User"},
		{"/Bulk", SCIM_OK, SCIM_ENDPOINT_BULK, NULL, NULL},
		{"/Me", SCIM_OK, SCIM_ENDPOINT_ME, NULL, NULL},
		{"/", SCIM_OK, SCIM_ENDPOINT_ROOT, NULL, NULL},
		{"", SCIM_OK, SCIM_ENDPOINT_ROOT, NULL, NULL},
		{"?filter=x", SCIM_OK, SCIM_ENDPOINT_ROOT, NULL, NULL},
		{"/Fish", SCIM_NOT_FOUND, SCIM_ENDPOINT_UNKNOWN, NULL, NULL},
		{"Users", SCIM_NOT_FOUND, SCIM_ENDPOINT_UNKNOWN, NULL, NULL},
		{"/Users/x/y", SCIM_NOT_FOUND, SCIM_ENDPOINT_UNKNOWN, NULL, NULL},
		{"//Users", SCIM_NOT_FOUND, SCIM_ENDPOINT_UNKNOWN, NULL, NULL},
		{"/Bulk/x", SCIM_NOT_FOUND, SCIM_ENDPOINT_UNKNOWN, NULL, NULL},
		{"/ServiceProviderConfig/x", SCIM_NOT_FOUND, SCIM_ENDPOINT_UNKNOWN, NULL, NULL},
		{"/Users/%", SCIM_BAD_REQUEST, SCIM_ENDPOINT_UNKNOWN, NULL, NULL},
		{"/Users/%00", SCIM_BAD_REQUEST, SCIM_ENDPOINT_UNKNOWN, NULL, NULL},
		{"/Users/%ff", SCIM_BAD_REQUEST, SCIM_ENDPOINT_UNKNOWN, NULL, NULL},
		{"/Users/%zz", SCIM_BAD_REQUEST, SCIM_ENDPOINT_UNKNOWN, NULL, NULL},
		{"/Schemas?filter=name%20eq%20%22User%22", SCIM_FORBIDDEN, SCIM_ENDPOINT_SCHEMAS, NULL, NULL},
		{"/ServiceProviderConfig?filter=x", SCIM_FORBIDDEN, SCIM_ENDPOINT_SERVICE_PROVIDER_CONFIG, NULL, NULL},
		{"/Schemas?count=1&sortBy=id", SCIM_OK, SCIM_ENDPOINT_SCHEMAS, NULL, NULL},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		ScimRequest request;
		ScimError	err;

		is_int(parse("GET", cases[i].uri, NULL, &request, &err), cases[i].status, "status of %s", cases[i].uri);
		is_int(err.status, cases[i].status, "status in the error of %s", cases[i].uri);
		is_int(request.endpoint, cases[i].endpoint, "endpoint of %s", cases[i].uri);
		is_str(request.type != NULL ? request.type->name : NULL, cases[i].type, "type of %s", cases[i].uri);
		is_str(text(request.id), cases[i].id, "id of %s", cases[i].uri);
	}
}

static void
test_query(void)
{
	ScimRequest request;
	ScimError	err;

	is_int(parse("GET", "/Users/?filter=userName+eq+%22a%2Bb%40x%22&SORTBY=name.familyName&sortOrder=descending"
				 "&attributes=userName,emails&startindex=0&count=5&aadOptscim062020&=&&", NULL, &request, &err),
		   SCIM_OK, "a query of all kinds");
	is_str(text(request.list.filter), "userName eq \"a+b@x\"", "filter");
	is_str(text(request.list.sort_by), "name.familyName", "sortBy");
	is_str(text(request.list.sort_order), "descending", "sortOrder");
	is_str(text(request.list.attributes), "userName,emails", "attributes");
	ok(request.list.excluded_attributes.ptr == NULL, "no excludedAttributes");
	ok(request.list.has_start_index && request.list.start_index == 1, "startIndex 0 is 1");
	ok(request.list.has_count && request.list.count == 5, "count");
	is_str(text(request.path), "/Users/", "raw path");
	ok(request.query.len > 100, "raw query");

	parse("GET", "/Users", NULL, &request, &err);
	ok(!request.list.has_count && !request.list.has_start_index && request.list.start_index == 1, "defaults");
	ok(request.query.ptr == NULL && request.list.filter.ptr == NULL, "no query");
	parse("GET", "/Users?filter=&attributes", NULL, &request, &err);
	ok(request.list.filter.ptr != NULL && request.list.filter.len == 0, "an empty filter is one");
	ok(request.list.attributes.ptr != NULL && request.list.attributes.len == 0, "attributes without =");
}

static void
test_numbers(void)
{
	static const struct
	{
		const char *value;
		ScimStatus	status;
		int64_t		count;
		int64_t		start_index;
	}			cases[] = {
		{"0", SCIM_OK, 0, 1},
		{"1", SCIM_OK, 1, 1},
		{"-5", SCIM_OK, 0, 1},
		{"%2B7", SCIM_OK, 7, 7},
		{"007", SCIM_OK, 7, 7},
		{"9223372036854775807", SCIM_OK, INT64_MAX, INT64_MAX},
		{"99999999999999999999999999", SCIM_OK, INT64_MAX, INT64_MAX},
		{"-99999999999999999999999999", SCIM_OK, 0, 1},
		{"", SCIM_INVALID_VALUE, 0, 0},
		{"-", SCIM_INVALID_VALUE, 0, 0},
		{"1.5", SCIM_INVALID_VALUE, 0, 0},
		{"ten", SCIM_INVALID_VALUE, 0, 0},
		{"1%20", SCIM_INVALID_VALUE, 0, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		ScimRequest request;
		ScimError	err;

		is_int(parse("GET", scim_sprintf(arena, "/Users?count=%s", cases[i].value), NULL, &request, &err),
			   cases[i].status == SCIM_OK ? SCIM_OK : SCIM_INVALID_COUNT, "count=%s", cases[i].value);
		if (cases[i].status == SCIM_OK)
			is_int(request.list.count, cases[i].count, "value of count=%s", cases[i].value);
		is_int(parse("GET", scim_sprintf(arena, "/Users?startIndex=%s", cases[i].value), NULL, &request, &err),
			   cases[i].status, "startIndex=%s", cases[i].value);
		if (cases[i].status == SCIM_OK)
			is_int(request.list.start_index, cases[i].start_index, "value of startIndex=%s", cases[i].value);
	}
}

/* RFC 9865 section 2. */
static void
test_cursor_parameter(void)
{
	static const struct
	{
		const char *uri;
		ScimStatus	status;
		const char *cursor;
	}			cases[] = {
		{"/Users?cursor", SCIM_OK, ""},
		{"/Users?cursor=", SCIM_OK, ""},
		{"/Users?CURSOR=aZ09-._~&count=1", SCIM_OK, "aZ09-._~"},
		{"/Users?count=0&cursor=x", SCIM_INVALID_COUNT, "x"},
		{"/Users?cursor=x&count=-1", SCIM_INVALID_COUNT, "x"},
		{"/Users?cursor&count=ten", SCIM_INVALID_COUNT, ""},
		{"/Users?cursor&startIndex=1", SCIM_INVALID_VALUE, ""},
		{"/Users?cursor=a&cursor=b", SCIM_BAD_REQUEST, "a"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		ScimRequest request;
		ScimError	err;

		is_int(parse("GET", cases[i].uri, NULL, &request, &err), cases[i].status, "%s", cases[i].uri);
		is_str(text(request.list.cursor), cases[i].cursor, "cursor of %s", cases[i].uri);
		ok(request.list.count >= 0 && request.list.start_index >= 1, "numbers in range of %s", cases[i].uri);
	}
}

static void
test_refused_queries(void)
{
	static const char *const cases[] = {"/Users?filter=a&filter=b", "/Users?count=1&COUNT=1", "/Users?startIndex=1&startIndex=1",
	"/Users?filter=%", "/Users?%ff=1", "/Users?filter=a%00"};
	ScimRequest request;
	ScimError	err;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		is_int(parse("GET", cases[i], NULL, &request, &err), SCIM_BAD_REQUEST, "refused: %s", cases[i]);
	is_int(parse("GET", "/Users?x=1&x=2", NULL, &request, &err), SCIM_OK, "an unknown parameter may be repeated");

	is_int(parse("DELETE", "/Fish?count=x", "{\"user-agent\":\"u\"}", &request, &err), SCIM_NOT_FOUND, "the first error counts");
	is_str(text(request.user_agent), "u", "and the rest is read");
	is_int(request.method, SCIM_DELETE, "the method too");
}

/* Headers that are read, and taken for one another. */
static void
test_header_list(void)
{
	ScimHeaders headers;
	ScimError	err;

	is_int(scim_headers_parse(arena, str("{\"accept\":\"*/*\",\"X-Accept\":\"a\",\"host\":\"h\",\"x\":1}"), &headers, &err), SCIM_OK, "some headers");
	is_str(text(scim_header_value(&headers, "Accept")), "*/*", "one of them");
	is_str(text(scim_header_value(&headers, "x")), NULL, "a number is no value");
	scim_header_replace(&headers, "Accept", "x-accept");
	is_str(text(scim_header_value(&headers, "accept")), "a", "another in its place");
	scim_header_replace(&headers, "host", "x-host");
	ok(scim_header_named(&headers, "host") == NULL, "none in its place");
	is_int(scim_headers_parse(arena, str("{\"a\":\"1\",\"A\":\"2\"}"), &headers, &err), SCIM_INVALID_SYNTAX, "a name twice");
	is_int(scim_headers_parse(arena, str("{"), &headers, &err), SCIM_INVALID_SYNTAX, "no JSON");
}

static void
test_headers(void)
{
	ScimRequest request;
	ScimError	err;

	is_int(parse("patch", "/Users/x", "{\"IF-MATCH\":\"W/\\\"3\\\"\",\"if-none-match\":\"*\",\"Content-type\":\"application/scim+json\","
				 "\"User-Agent\":null,\"X-Request-Id\":\"r\",\"x-okta-request-id\":\"o\",\"other\":5}", &request, &err), SCIM_OK, "headers");
	is_int(request.method, SCIM_PATCH, "a method in lower case");
	is_str(text(request.method_text), "patch", "as it was sent");
	is_str(text(request.if_match), "W/\"3\"", "If-Match");
	is_str(text(request.if_none_match), "*", "If-None-Match");
	is_str(text(request.content_type), "application/scim+json", "Content-Type");
	is_str(text(request.user_agent), NULL, "a null header is absent");
	is_str(text(request.idp_ref), "o", "the provider's own id comes before X-Request-Id");
	is_int(parse("GET", "/Users", "{\"If-Match\":7}", &request, &err), SCIM_BAD_REQUEST, "a header that is no string");
	is_int(parse("GET", "/Users", "[]", &request, &err), SCIM_BAD_REQUEST, "headers that are no object");
	is_int(parse("GET", "/Users", " null ", &request, &err), SCIM_OK, "headers that are null");
	is_int(parse("GET", "/Users", "{\"\\u0049f-Match\":\"\\\"\\u00e4\\ud83d\\ude00\"}", &request, &err), SCIM_OK, "escapes");
	is_str(text(request.if_match), "\"\xc3\xa4\xf0\x9f\x98\x80", "stand for characters");
	test_header_list();
	is_int(parse("OPTIONS", "/Users", NULL, &request, &err), SCIM_OK, "another method");
	is_int(request.method, SCIM_METHOD_OTHER, "is other");
	is_str(scim_request_allow(&request), "GET, POST", "Allow of a collection");
	parse("GET", "/Users/x", NULL, &request, &err);
	is_str(scim_request_allow(&request), "GET, PUT, PATCH, DELETE", "Allow of a resource");
	parse("GET", "/Schemas", NULL, &request, &err);
	is_str(scim_request_allow(&request), "GET", "Allow of a discovery document");
	parse("GET", "/Users/.search", NULL, &request, &err);
	is_str(scim_request_allow(&request), "POST", "Allow of .search");
}

/* RFC 7644 sections 3.1 and 3.8. */
static void
test_media_types(void)
{
	static const struct
	{
		const char *type;
		bool		known;
	}			types[] = {
		{"application/scim+json", true}, {"application/json", true}, {" Application/SCIM+JSON ", true},
		{"application/json;charset=utf-8", true}, {"application/json ; a=b ; CharSet = \"UTF-8\"", true},
		{"application/json; charset=us-ascii", true}, {"application/json;", true},
		{"application/json; charset=iso-8859-1", false}, {"application/json; a; charset=utf-16", false},
		{"application/json; charset=\"", false}, {"application/jsonx", false}, {"application/json, text/html", false},
		{"text/html", false}, {"", false}, {";charset=utf-8", false},
	};
	static const char *const accepts[][2] = {
		{"application/json", "application/json"}, {"text/html, application/JSON;q=0.5", "application/json"},
		{"application/json, application/scim+json", "application/scim+json"}, {"application/json, */*", "application/scim+json"},
		{"application/json,application/*;q=0.1", "application/scim+json"}, {"text/html", "application/scim+json"},
		{"", "application/scim+json"}, {",", "application/scim+json"},
	};
	ScimRequest request = {.accept = SCIM_STR_NONE};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		ok(scim_media_type_known(str(types[i].type)) == types[i].known, "Content-Type: %s", types[i].type);
	is_str(scim_request_answer_type(&request), "application/scim+json", "no Accept");
	for (size_t i = 0; i < sizeof(accepts) / sizeof(accepts[0]); i++)
	{
		request.accept = str(accepts[i][0]);
		is_str(scim_request_answer_type(&request), accepts[i][1], "Accept: %s", accepts[i][0]);
	}
}

static void
test_etags(void)
{
	static const struct
	{
		const char *header;
		bool		matches;	/* version 7 */
	}			cases[] = {
		{"W/\"7\"", true}, {"\"7\"", true}, {"*", true}, {" * ", true}, {"W/\"6\", W/\"7\"", true},
		{"\"6\",\"7\"", true}, {" ,W/\"7\" ", true}, {"\"a,\\\", \"7\"", true}, {"W/\"8\"", false}, {"W/\"70\"", false},
		{"W/\"07\"", false}, {"\"+7\"", false}, {"7", false}, {"W/7", false}, {"w/\"7\"", false}, {"\"7", false},
		{"", false}, {"\"\"", false}, {"**", false}, {"*, \"7\"", false}, {"\"99999999999999999999\"", false},
		{"junk, \"7\"", false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ok(scim_etag_matches(str(cases[i].header), 7) == cases[i].matches, "entity tag %s", cases[i].header);
	ok(scim_etag_matches(str("\"9223372036854775807\""), INT64_MAX), "the largest version");
}

static void
test_out_of_memory(void)
{
	ScimStatus	status = SCIM_NO_MEMORY;
	size_t		max;

	for (max = 0; status == SCIM_NO_MEMORY && max < 65536; max += 64)
	{
		ScimArena  *small = scim_arena_create(max);
		ScimRequest request;

		status = scim_request_parse(small, scim_registry_builtin(), SCIM_STR("GET"), SCIM_STR("/Users/x?filter=a&sortBy=b"),
									NULL, &request, NULL);
		scim_arena_free(small);
	}
	is_int(status, SCIM_OK, "succeeds once there is memory");
	ok(max > 256, "and failed before");
}

int
main(void)
{
	arena = scim_arena_create((size_t) 1 << 20);
	test_endpoints();
	test_query();
	test_numbers();
	test_cursor_parameter();
	test_refused_queries();
	test_headers();
	test_media_types();
	test_etags();
	test_out_of_memory();
	scim_arena_free(arena);
	return done_testing();
}
