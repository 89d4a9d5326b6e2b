/*
 * test_cursor.c
 *		The parsing primitives: what each consumes, and that a refusal
 *		leaves the cursor where it was.
 */
#include "core/cursor.h"
#include "tap.h"

#include <stdlib.h>

/* A heap copy without a terminating NUL, so that ASan sees a read past the end. */
static ScimStr
exact(const char *text)
{
	size_t		len = strlen(text);
	char	   *copy = malloc(len > 0 ? len : 1);

	memcpy(copy, text, len);
	return (ScimStr) {copy, len};
}

static void
test_numbers(void)
{
	static const struct
	{
		const char *text;
		int			used;		/* -1: refused */
	}			cases[] = {
		{"0", 1}, {"-0", 2}, {"12", 2}, {"12 ", 2}, {"1.5", 3}, {"1e5", 3}, {"1E+5", 4}, {"-1.25e-3x", 8},
		{"01", 1}, {"", -1}, {"-", -1}, {"1.", -1}, {"1e", -1}, {"1e+", -1}, {".5", -1}, {"+1", -1}, {"x", -1},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		ScimStr		text = exact(cases[i].text);
		ScimCursor	cursor = scim_cursor(text);
		ScimStr		number = scim_cursor_number(&cursor);

		is_int(number.ptr != NULL ? (int) number.len : -1, cases[i].used, "number \"%s\"", cases[i].text);
		is_int((long long) scim_cursor_offset(&cursor), cases[i].used > 0 ? cases[i].used : 0,
			   "cursor behind number \"%s\"", cases[i].text);
		free((void *) text.ptr);
	}
}

static void
test_names(void)
{
	static const struct
	{
		const char *text;
		const char *name;		/* NULL: refused */
	}			cases[] = {
		{"userName eq", "userName"}, {"x509Certificates", "x509Certificates"}, {"a-b_c1.d", "a-b_c1"},
		{"$ref", "$ref"}, {"$", NULL}, {"1a", NULL}, {"-a", NULL}, {"", NULL}, {"\xc3\xa4", NULL},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		ScimStr		text = exact(cases[i].text);
		ScimCursor	cursor = scim_cursor(text);
		ScimStr		name = scim_cursor_name(&cursor);
		char		got[64] = "";

		if (name.ptr != NULL)
			snprintf(got, sizeof(got), "%.*s", (int) name.len, name.ptr);
		is_str(name.ptr != NULL ? got : NULL, cases[i].name, "name \"%s\"", cases[i].text);
		if (cases[i].name == NULL)
			is_int((long long) scim_cursor_offset(&cursor), 0, "cursor stays before \"%s\"", cases[i].text);
		free((void *) text.ptr);
	}
}

static void
test_strings(void)
{
	static const struct
	{
		const char *text;
		const char *value;		/* NULL: refused */
		int			used;
	}			cases[] = {
		{"\"\"", "", 2},
		{"\"a b\" x", "a b", 5},
		{"\"a\\\"b\\\\c\\/\"", "a\"b\\c/", 11},
		{"\"\\b\\f\\n\\r\\t\"", "\b\f\n\r\t", 12},
		{"\"\\u0041\\u00e4\\u20ac\"", "A\xc3\xa4\xe2\x82\xac", 20},
		{"\"\\ud83d\\ude00\"", "\xf0\x9f\x98\x80", 14},
		{"\"\xc3\xa4\"", "\xc3\xa4", 4},
		{"\"\\u0000\"", NULL, 0},
		{"\"\\ud83d\"", NULL, 0},
		{"\"\\ud83dx\"", NULL, 0},
		{"\"\\ud83d\\u0041\"", NULL, 0},
		{"\"\\ude00\"", NULL, 0},
		{"\"\\u12\"", NULL, 0},
		{"\"\\u12g4\"", NULL, 0},
		{"\"\\x\"", NULL, 0},
		{"\"\\\"", NULL, 0},
		{"\"\\", NULL, 0},
		{"\"abc", NULL, 0},
		{"\"", NULL, 0},
		{"\"a\nb\"", NULL, 0},
		{"'a'", NULL, 0},
		{"", NULL, 0},
	};
	ScimArena  *arena = scim_arena_create(65536);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		ScimStr		text = exact(cases[i].text);
		ScimCursor	cursor = scim_cursor(text);
		ScimStr		value = SCIM_STR_NONE;
		ScimStatus	status = scim_cursor_string(&cursor, arena, &value);

		is_int(status, cases[i].value != NULL ? SCIM_OK : SCIM_INVALID_SYNTAX, "string %s", cases[i].text);
		if (cases[i].value != NULL)
			is_str(scim_strdup(arena, value), cases[i].value, "value of %s", cases[i].text);
		is_int((long long) scim_cursor_offset(&cursor), cases[i].used, "cursor behind %s", cases[i].text);
		free((void *) text.ptr);
	}
	scim_arena_free(arena);
}

static void
test_out_of_memory(void)
{
	ScimArena  *arena = scim_arena_create(2);
	ScimCursor	cursor = scim_cursor(SCIM_STR("\"a\\nb\""));
	ScimStr		value;

	is_int(scim_cursor_string(&cursor, arena, &value), SCIM_NO_MEMORY, "a string past the arena's maximum");
	scim_arena_free(arena);
}

int
main(void)
{
	ScimCursor	none = scim_cursor(SCIM_STR_NONE);

	ok(scim_cursor_at_end(&none) && scim_cursor_peek(&none) == -1, "an absent text is empty");
	test_numbers();
	test_names();
	test_strings();
	test_out_of_memory();
	return done_testing();
}
