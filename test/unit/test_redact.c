/* test_redact.c: no secret reaches the log, whatever shape the request has. */
#include "core/json.h"
#include "core/redact.h"
#include "scarce.h"
#include "fixture.h"

static ScimStr
str(const char *text)
{
	return (ScimStr) {text, strlen(text)};
}

/* hunter2 is the secret; NULL: the body stays as it is. */
static const char *const bodies[][2] = {
	{"{\"userName\":\"u\",\"title\":\"t\",\"emails\":[{\"value\":\"a:b\",\"primary\":true}],\"n\":[1,2.50,null]}", NULL},
	{"{\"userName\":\"u\",\"password\":\"hunter2\",\"title\":\"t\"}", "{\"userName\":\"u\",\"password\":\"[redacted]\",\"title\":\"t\"}"},
	{"{\"PassWord\":{\"a\":\"hunter2\"}}", "{\"PassWord\":\"[redacted]\"}"},
	{"{\"password\":null}", NULL},
	{"{\"pass\\u0077ord\":\"hunter2\"}", "{\"password\":\"[redacted]\"}"},
	{"{\"newPassword\":\"hunter2\"}", "{\"newPassword\":\"[redacted]\"}"},
	{"{\"urn:ietf:params:scim:schemas:core:2.0:User:password\":\"hunter2\"}",
	"{\"urn:ietf:params:scim:schemas:core:2.0:User:password\":\"[redacted]\"}"},
	{"{\"urn:ietf:params:scim:schemas:core:2.0:User\":{\"password\":[\"hunter2\"]}}",
	"{\"urn:ietf:params:scim:schemas:core:2.0:User\":{\"password\":\"[redacted]\"}}"},
	{"{\"a\":[[{\"b\":{\"password\":7}}]]}", "{\"a\":[[{\"b\":{\"password\":\"[redacted]\"}}]]}"},

	{"{\"Operations\":[{\"op\":\"replace\",\"path\":\"password\",\"value\":\"hunter2\"}]}",
	"{\"Operations\":[{\"op\":\"replace\",\"path\":\"password\",\"value\":\"[redacted]\"}]}"},
	{"{\"OPERATIONS\":[{\"OP\":\"Replace\",\"PATH\":\"urn:ietf:params:scim:schemas:core:2.0:User:PASSWORD\",\"VALUE\":{\"x\":\"hunter2\"}}]}",
	"{\"OPERATIONS\":[{\"OP\":\"Replace\",\"PATH\":\"urn:ietf:params:scim:schemas:core:2.0:User:PASSWORD\",\"VALUE\":\"[redacted]\"}]}"},
	{"{\"Operations\":[{\"value\":\"hunter2\",\"op\":\"add\",\"path\":\"password\"}]}",
	"{\"Operations\":[{\"value\":\"[redacted]\",\"op\":\"add\",\"path\":\"password\"}]}"},
	{"{\"Operations\":[{\"op\":\"replace\",\"value\":{\"active\":true,\"password\":\"hunter2\"}}]}",
	"{\"Operations\":[{\"op\":\"replace\",\"value\":{\"active\":true,\"password\":\"[redacted]\"}}]}"},
	{"{\"Operations\":[{\"op\":\"replace\",\"value\":\"{\\\"password\\\":\\\"hunter2\\\"}\"}]}",
	"{\"Operations\":[{\"op\":\"replace\",\"value\":\"[redacted]\"}]}"},
	{"{\"Operations\":[{\"op\":\"replace\",\"value\":\"{\\\"\\\\u0070assword\\\":\\\"hunter2\\\"}\"}]}",
	"{\"Operations\":[{\"op\":\"replace\",\"value\":\"[redacted]\"}]}"},
	{"{\"Operations\":[{\"op\":\"remove\",\"path\":\"emails[password eq \\\"hunter2\\\"]\"}]}",
	"{\"Operations\":[{\"op\":\"remove\",\"path\":\"[redacted]\"}]}"},
	{"{\"Operations\":[{\"op\":\"replace\",\"name\":\"password\",\"value\":\"hunter2\"}]}",
	"{\"Operations\":[{\"op\":\"replace\",\"name\":\"[redacted]\",\"value\":\"[redacted]\"}]}"},
	{"{\"op\":\"replace\",\"path\":{\"password\":\"hunter2\"}}", "{\"op\":\"replace\",\"path\":{\"password\":\"[redacted]\"}}"},
	{"{\"op\":\"replace\",\"path\":\"displayName\",\"value\":\"Password Admins\"}", NULL},
	{"{\"op\":\"replace\",\"path\":\"urn:ietf:params:scim:schemas:core:2.0:User:title\",\"value\":\"t\"}", NULL},

	{"{\"Operations\":[{\"method\":\"POST\",\"path\":\"/Users\",\"bulkId\":\"q\",\"data\":{\"password\":\"hunter2\"}}]}",
	"{\"Operations\":[{\"method\":\"POST\",\"path\":\"/Users\",\"bulkId\":\"q\",\"data\":{\"password\":\"[redacted]\"}}]}"},
	{"{\"filter\":\"password eq \\\"hunter2\\\"\",\"attributes\":[\"password\"]}", "{\"filter\":\"[redacted]\",\"attributes\":[\"password\"]}"},
	{"{\"sortBy\":\"password\"}", "{\"sortBy\":\"[redacted]\"}"},
	{"{\"displayName\":\"Password Admins\"}", NULL},
	{"\"password=hunter2\"", "\"[redacted]\""},
	{"7", NULL},
	{"null", NULL},
};

static void
test_bodies(void)
{
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
	{
		ScimArena  *arena = scim_arena_create(1 << 20);
		ScimError	err = {0};
		ScimJson   *body;
		ScimStr		before;
		ScimStr		text;

		if (scim_json_parse(arena, str(bodies[i][0]), &body, &err) != SCIM_OK)
			ok(false, "body %zu: %s", i, err.detail);
		before = scim_json_text(arena, body);
		is_int(scim_redact_body(arena, scim_registry_builtin(), body, &text), SCIM_OK, "body %zu", i);
		is_str(text.ptr, bodies[i][1] != NULL ? bodies[i][1] : bodies[i][0], "%s", bodies[i][0]);
		is_str(scim_json_text(arena, body).ptr, before.ptr, "the body itself is not changed");
		scim_arena_free(arena);
	}
}

static void
test_fixture(void)
{
	ScimArena  *arena = scim_arena_create(1 << 20);
	ScimStr		file = fixture("rfc7643_8_2_full_user.json");
	ScimJson   *body;
	ScimStr		text;

	scim_json_parse(arena, file, &body, NULL);
	scim_redact_body(arena, scim_registry_builtin(), body, &text);
	ok(strstr(text.ptr, "t1meMa$heen") == NULL && strstr(text.ptr, "\"password\":\"[redacted]\"") != NULL, "RFC 7643 section 8.2");
	ok(strstr(text.ptr, "100 Universal City Plaza") != NULL, "the rest is there");
	free((char *) file.ptr);
	scim_arena_free(arena);
}

static void
test_raw(void)
{
	const ScimRegistry *registry = scim_registry_builtin();

	ok(scim_raw_body_storable(registry, SCIM_STR("{\"userName\": \"u\"")), "a body cut short");
	ok(scim_raw_body_storable(registry, SCIM_STR("\xFF\xFE")), "bytes");
	ok(scim_raw_body_storable(registry, SCIM_STR_NONE), "nothing");
	ok(!scim_raw_body_storable(registry, SCIM_STR("{\"PASSWORD\": \"u\"")), "not one that names a secret");
	ok(!scim_raw_body_storable(registry, SCIM_STR("{\"pass\\U0077ord\": \"u\"")), "nor one with an escape");
	ok(!scim_raw_body_storable(registry, (ScimStr) {"p\0a\0s\0s\0w\0o\0r\0d\0", 16}), "nor UTF-16");
}

static const char *const queries[][2] = {
	{"", NULL},
	{"filter=userName%20eq%20%22u%22&count=10&&x", NULL},
	{"filter=password%20eq%20%22hunter2%22&count=10", "filter=[redacted]&count=10"},
	{"FILTER=PassWord+sw+%22h%22", "FILTER=[redacted]"},
	{"count=1&filter=%70%61%73%73word%20eq%20%22hunter2%22", "count=1&filter=[redacted]"},
	{"filter=%2570assword%20eq%20%22hunter2%22", "filter=[redacted]"},
	{"filter%3Dpassword%20eq%20%22hunter2%22", "[redacted]"},
	{"filter=%25252525252525252525252570", "filter=[redacted]"},
	{"filter=a%20eq%20%22100%%22", NULL},
	{"sortBy=password&sortOrder=ascending", "sortBy=[redacted]&sortOrder=ascending"},
	{"attributes=userName,password", NULL},
	{"excludedAttributes=password", NULL},
	{"attributes=emails[password%20eq%20%22hunter2%22]", "attributes=[redacted]"},
	{"password=hunter2", "password=[redacted]"},
	{"%", NULL},
};

static void
test_queries(void)
{
	for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++)
	{
		ScimArena  *arena = scim_arena_create(1 << 20);
		ScimStr		text = scim_redact_query(arena, scim_registry_builtin(), str(queries[i][0]));

		is_str(text.ptr, queries[i][1] != NULL ? queries[i][1] : queries[i][0], "?%s", queries[i][0]);
		is_int((long long) text.len, (long long) strlen(text.ptr), "its length");
		scim_arena_free(arena);
	}
	ok(scim_redact_query(NULL, scim_registry_builtin(), SCIM_STR_NONE).ptr == NULL, "no query");
}

static ScimStatus
redact(ScimArena *arena, void *argument)
{
	ScimJson   *body;
	ScimStr		text;
	ScimStatus	status = scim_json_parse(arena, str(argument), &body, NULL);

	if (status == SCIM_OK)
		status = scim_redact_body(arena, scim_registry_builtin(), body, &text);
	if (status == SCIM_OK && scim_redact_query(arena, scim_registry_builtin(), SCIM_STR("a=b&filter=password%20pr")).ptr == NULL)
		status = SCIM_NO_MEMORY;
	return status;
}

int
main(void)
{
	test_bodies();
	test_fixture();
	test_raw();
	test_queries();
	scarce("a body and a query", redact, "{\"password\":\"hunter2\",\"Operations\":[{\"op\":\"add\",\"path\":\"title\",\"value\":\"t\"}]}");
	return done_testing();
}
