/* test_json.c: what is refused, what is read, what is written. */
#include "core/json.h"
#include "scarce.h"

#include <json-c/json.h>
#include <math.h>
#include <time.h>

static ScimStr
str(const char *text)
{
	return (ScimStr) {text, strlen(text)};
}

static const char long_number[] = "[0.11111111111111111111111111111111111111111111111111111111111111111111111111]";

/* Text in, text out; NULL: refused with this detail. */
static const struct
{
	const char *in;
	const char *out;
	const char *detail;
}			cases[] = {
	{"{}", "{}", NULL},
	{" [ 1 , -0.5e3 , \"x\" , true , false , null ] ", "[1,-0.5e3,\"x\",true,false,null]", NULL},
	{"\xEF\xBB\xBF{\"a\":1}\n", "{\"a\":1}", NULL},
	{"7", "7", NULL},
	{"-1.50", "-1.50", NULL},
	{"\"x\"", "\"x\"", NULL},
	{"null", "null", NULL},
	{"true", "true", NULL},
	{"[9223372036854775807,-9223372036854775808,0,-7]", "[9223372036854775807,-9223372036854775808,0,-7]", NULL},
	{"[1.10,1E5,1e-3,0.1,123456789012345678901234567890.5]", "[1.10,1E5,1e-3,0.1,123456789012345678901234567890.5]", NULL},
	{"\"\\u0041\\n\\/\\ud83d\\ude42\\u00e9\"", "\"A\\n/\xF0\x9F\x99\x82\xC3\xA9\"", NULL},
	{"{\"a\":{\"a\":1},\"b\":[{\"a\":2},{\"a\":3}]}", "{\"a\":{\"a\":1},\"b\":[{\"a\":2},{\"a\":3}]}", NULL},
	{"{\"$ref\":null,\"value\":\"x\"}", "{\"$ref\":null,\"value\":\"x\"}", NULL},
	{"[[],{},[[]]]", "[[],{},[[]]]", NULL},

	{"", NULL, "invalid JSON at byte 0: unexpected end"},
	{"\xEF\xBB\xBF", NULL, "invalid JSON at byte 3: unexpected end"},
	{"\xEF\xBB\xBF\xEF\xBB\xBF{}", NULL, "invalid JSON at byte 3: expected a value"},
	{"{", NULL, "invalid JSON at byte 1: unexpected end"},
	{"{\"a\"", NULL, "invalid JSON at byte 4: unexpected end"},
	{"{\"a\":", NULL, "invalid JSON at byte 5: unexpected end"},
	{"{\"a\" 1}", NULL, "invalid JSON at byte 5: expected :"},
	{"{\"a\":1,}", NULL, "invalid JSON at byte 7: expected a member name"},
	{"{a:1}", NULL, "invalid JSON at byte 1: expected a member name"},
	{"{'a':1}", NULL, "invalid JSON at byte 1: expected a member name"},
	{"{\"a\":1 \"b\":2}", NULL, "invalid JSON at byte 7: expected , or }"},
	{"[1,]", NULL, "invalid JSON at byte 3: expected a value"},
	{"[1 2]", NULL, "invalid JSON at byte 3: expected , or ]"},
	{"[1", NULL, "invalid JSON at byte 2: unexpected end"},
	{"]", NULL, "invalid JSON at byte 0: expected a value"},
	{"['x']", NULL, "invalid JSON at byte 1: expected a value"},
	{"[NaN]", NULL, "invalid JSON at byte 1: expected a value"},
	{"[-Infinity]", NULL, "invalid JSON at byte 2: malformed number"},
	{"[TRUE]", NULL, "invalid JSON at byte 1: expected a value"},
	{"[tru]", NULL, "invalid JSON at byte 1: expected a value"},
	{"{} {}", NULL, "invalid JSON at byte 3: something follows the value"},
	{"{}x", NULL, "invalid JSON at byte 2: something follows the value"},
	{"// c\n{}", NULL, "invalid JSON at byte 0: expected a value"},
	{"[01]", NULL, "invalid JSON at byte 3: malformed number"},
	{"[1.]", NULL, "invalid JSON at byte 3: malformed number"},
	{"[.5]", NULL, "invalid JSON at byte 1: expected a value"},
	{"[+1]", NULL, "invalid JSON at byte 1: expected a value"},
	{"[1e]", NULL, "invalid JSON at byte 3: malformed number"},
	{"[1e+]", NULL, "invalid JSON at byte 4: malformed number"},
	{"[9223372036854775808]", NULL, "invalid JSON at byte 1: integer past 64 bits"},
	{"[-9223372036854775809]", NULL, "invalid JSON at byte 1: integer past 64 bits"},
	{"[100000000000000000000]", NULL, "invalid JSON at byte 1: integer past 64 bits"},
	{"[1e400]", NULL, "invalid JSON at byte 1: number out of range"},
	{"[1e-400]", NULL, "invalid JSON at byte 1: number out of range"},
	{"[1e999999999999999999]", NULL, "invalid JSON at byte 1: number out of range"},
	{"[0e99999]", NULL, "invalid JSON at byte 1: number out of range"},
	{long_number, NULL, "invalid JSON at byte 1: number out of range"},
	{"\"a\tb\"", NULL, "invalid JSON at byte 2: control character in a string"},
	{"\"a", NULL, "invalid JSON at byte 2: unexpected end"},
	{"\"\\", NULL, "invalid JSON at byte 2: unexpected end"},
	{"\"\\x\"", NULL, "invalid JSON at byte 1: unknown escape"},
	{"\"\\u12\"", NULL, "invalid JSON at byte 1: \\u needs four hexadecimal digits"},
	{"\"\\u0000\"", NULL, "invalid JSON at byte 1: \\u0000 is not allowed"},
	{"\"\\ud800\"", NULL, "invalid JSON at byte 1: lone surrogate"},
	{"\"\\ude42\\ud83d\"", NULL, "invalid JSON at byte 1: lone surrogate"},
	{"\"\\ud83d\\u0041\"", NULL, "invalid JSON at byte 1: lone surrogate"},
	{"\"\xC3(\"", NULL, "invalid JSON at byte 1: invalid UTF-8"},
	{"\"\xED\xA0\x80\"", NULL, "invalid JSON at byte 1: invalid UTF-8"},
	{"{\"a\":1,\"a\":2}", NULL, "invalid JSON at byte 7: a member of this name (in any case) was there before"},
	{"{\"userName\":1,\"USERNAME\":2}", NULL, "invalid JSON at byte 14: a member of this name (in any case) was there before"},
	{"{\"userName\":1,\"user\\u004eame\":2}", NULL, "invalid JSON at byte 14: a member of this name (in any case) was there before"},
	{"{\"a\":{\"x\":1,\"X\":2}}", NULL, "invalid JSON at byte 12: a member of this name (in any case) was there before"},
	{"{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1,\"C\":2}", NULL,
	"invalid JSON at byte 55: a member of this name (in any case) was there before"},
};

static void
test_cases(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		ScimArena  *arena = scim_arena_create(1 << 20);
		ScimError	err = {0};
		ScimJson   *json;
		ScimStatus	status = scim_json_parse(arena, str(cases[i].in), &json, &err);

		if (cases[i].out != NULL)
			is_str(status == SCIM_OK ? scim_json_text(arena, json).ptr : err.detail, cases[i].out, "read %s", cases[i].in);
		else
			is_str(status == SCIM_INVALID_SYNTAX ? err.detail : "accepted", cases[i].detail, "refuse case %zu", i);
		scim_arena_free(arena);
	}
}

static void
test_raw_nul(void)
{
	ScimArena  *arena = scim_arena_create(1 << 20);
	ScimJson   *json;

	is_int(scim_json_parse(arena, (ScimStr) {"\"a\0b\"", 5}, &json, NULL), SCIM_INVALID_SYNTAX, "NUL in a string");
	is_int(scim_json_parse(arena, (ScimStr) {"{}\0", 3}, &json, NULL), SCIM_INVALID_SYNTAX, "NUL after the value");
	is_int(scim_json_parse(arena, SCIM_STR_NONE, &json, NULL), SCIM_INVALID_SYNTAX, "no text");
	scim_arena_free(arena);
}

static void
test_depth(void)
{
	for (int depth = SCIM_JSON_MAX_DEPTH; depth <= SCIM_JSON_MAX_DEPTH + 1; depth++)
	{
		ScimArena  *arena = scim_arena_create(1 << 20);
		ScimJson   *json;
		char		text[200] = "";

		memset(text, '[', (size_t) depth);
		memset(text + depth, ']', (size_t) depth);
		is_int(scim_json_parse(arena, str(text), &json, NULL),
			   depth <= SCIM_JSON_MAX_DEPTH ? SCIM_OK : SCIM_INVALID_SYNTAX, "depth %d", depth);
		scim_arena_free(arena);
	}
}

/* Parses and says how long it took, in CPU seconds. */
static ScimStatus
timed_parse(const ScimBuf *text, ScimError *err, double *seconds)
{
	ScimArena  *arena = scim_arena_create(256 << 20);
	clock_t		start = clock();
	ScimJson   *json;
	ScimStatus	status = scim_json_parse(arena, (ScimStr) {text->data, text->len}, &json, err);

	*seconds = (double) (clock() - start) / CLOCKS_PER_SEC;
	scim_arena_free(arena);
	return status;
}

static void
test_large(void)
{
	ScimError	err = {0};
	ScimBuf		text;
	double		seconds;

	scim_buf_init(&text, NULL, 64 << 20);
	scim_buf_char(&text, '{');
	for (int i = 0; i < 100000; i++)
		scim_buf_printf(&text, "\"member%06d\":%d,", i, i);
	scim_buf_str(&text, "\"MEMBER000000\":0}");
	is_int(timed_parse(&text, &err, &seconds), SCIM_INVALID_SYNTAX, "a duplicate among 100,001 names");
	ok(seconds < 1, "is found in %.2f s", seconds);

	scim_buf_reset(&text);
	scim_buf_char(&text, '[');
	for (int i = 0; i < 350000; i++)
		scim_buf_str(&text, "{},");
	scim_buf_str(&text, "{}]");
	is_int(timed_parse(&text, &err, &seconds), SCIM_PAYLOAD_TOO_LARGE, "a megabyte of empty objects");
	is_str(err.detail, "too many JSON objects and arrays for a text of 1050004 bytes", "is named so");

	scim_buf_reset(&text);
	scim_buf_str(&text, "{\"members\":[");
	for (int i = 0; i < 100000; i++)
		scim_buf_printf(&text, "%s{\"value\":\"2819c223-7f76-453a-919d-%012d\"}", i > 0 ? "," : "", i);
	scim_buf_str(&text, "]}");
	is_int(timed_parse(&text, &err, &seconds), SCIM_OK, "a group of 100,000 members");
	scim_buf_free(&text);
}

static ScimStatus
parse_and_copy(ScimArena *arena, void *argument)
{
	ScimJson   *json;
	ScimStatus	status = scim_json_parse(arena, str(argument), &json, NULL);

	if (status != SCIM_OK)
		return status;
	json = scim_json_copy(arena, json);
	if (json == NULL || scim_json_text(arena, json).ptr == NULL)
		return SCIM_NO_MEMORY;
	return SCIM_OK;
}

static void
test_get(void)
{
	ScimArena  *arena = scim_arena_create(1 << 20);
	ScimJson   *json;
	bool		found = false;

	scim_json_parse(arena, SCIM_STR("{\"userName\":\"x\",\"title\":null}"), &json, NULL);
	is_str(json_object_get_string(scim_json_get(json, "USERname", NULL)), "x", "a member by name in any case");
	ok(scim_json_get(json, "Title", &found) == NULL && found, "null is there");
	ok(scim_json_get(json, "name", &found) == NULL && !found, "absent is not");
	ok(scim_json_get(json, "titl", &found) == NULL && !found, "nor is the beginning of a name");
	ok(scim_json_get(json, "title2", &found) == NULL && !found, "nor one that begins so");
	scim_json_set(json, "TITLE", scim_json_string(arena, SCIM_STR("y")));
	is_str(json_object_get_string(scim_json_get(json, "TITLE", NULL)), "y", "the name as written goes before");
	is_str(json_object_get_string(scim_json_get(json, "tItLe", NULL)), NULL, "of others, the first");
	for (int i = 0; i < 20; i++)
		scim_json_set(json, scim_sprintf(arena, "n%d", i), scim_json_string(arena, SCIM_STR("z")));
	is_str(json_object_get_string(scim_json_get(json, "TITLE", NULL)), "y", "among many, too");
	is_str(json_object_get_string(scim_json_get(json, "N19", NULL)), "z", "in any case");
	ok(scim_json_get(NULL, "name", &found) == NULL && !found, "nothing has no members");
	ok(scim_json_get(scim_json_get(json, "userName", NULL), "name", &found) == NULL && !found, "a string has none");
	scim_arena_free(arena);
}

static void
test_equal(void)
{
	static const struct
	{
		const char *a;
		const char *b;
		bool		equal;
	}			pairs[] = {
		{"{\"a\":1,\"b\":[true,null]}", "{\"b\":[true,null],\"a\":1}", true},
		{"{\"a\":1}", "{\"A\":1}", false},
		{"{\"a\":null}", "{}", false},
		{"{\"a\":null}", "{\"b\":null}", false},
		{"[1,2]", "[2,1]", false}, {"[1]", "[1,1]", false},
		{"1", "1.0", true}, {"1.10", "1.1", true}, {"1", "1.5", false}, {"1.5", "1", false},
		{"9007199254740993", "9007199254740992.0", false}, {"9223372036854775807", "9223372036854775807.0", false},
		{"1e300", "1", false},
		{"\"1\"", "1", false}, {"\"a\"", "\"A\"", false}, {"\"a\"", "\"a\"", true}, {"\"a\"", "\"ab\"", false},
		{"true", "false", false}, {"null", "false", false}, {"null", "null", true}, {"[]", "{}", false},
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
	{
		ScimArena  *arena = scim_arena_create(1 << 20);
		ScimJson   *a;
		ScimJson   *b;

		scim_json_parse(arena, str(pairs[i].a), &a, NULL);
		scim_json_parse(arena, str(pairs[i].b), &b, NULL);
		is_int(scim_json_equal(a, b), pairs[i].equal, "%s and %s", pairs[i].a, pairs[i].b);
		is_int(scim_json_equal(b, a), pairs[i].equal, "the other way round");
		scim_arena_free(arena);
	}
}

static void
test_write_doubles(void)
{
	static const struct
	{
		double		value;
		const char *text;
	}			doubles[] = {
		{0.1, "0.1"}, {1.0, "1.0"}, {-0.0, "-0.0"}, {1e300, "1e+300"}, {0.1 + 0.2, "0.30000000000000004"},
		{1.0 / 3.0, "0.3333333333333333"}, {HUGE_VAL, "null"},
	};
	ScimArena  *arena = scim_arena_create(1 << 20);

	for (size_t i = 0; i < sizeof(doubles) / sizeof(doubles[0]); i++)
		is_str(scim_json_text(arena, scim_own(arena, json_object_new_double(doubles[i].value))).ptr, doubles[i].text,
			   "a computed double: %s", doubles[i].text);
	scim_arena_free(arena);
}

int
main(void)
{
	test_cases();
	test_raw_nul();
	test_depth();
	test_large();
	test_get();
	test_equal();
	test_write_doubles();
	scarce("parse, copy, write", parse_and_copy, "{\"a\\u0042\":[1,2.50,\"x\",{\"b\":null}],\"c\":{\"d\":true}}");
	return done_testing();
}
