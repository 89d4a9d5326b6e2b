/* test_strbuf.c: the bounded buffer and its JSON escaping. */
#include "core/strbuf.h"
#include "tap.h"

static void
test_append(void)
{
	ScimBuf		buf;

	scim_buf_init(&buf, NULL, 10000);
	scim_buf_str(&buf, "ab");
	scim_buf_char(&buf, 'c');
	scim_buf_bytes(&buf, "defg", 2);
	scim_buf_printf(&buf, "<%d>", 42);
	is_str(buf.data, "abcde<42>", "pieces in order");
	scim_buf_hex(&buf, (const uint8_t *) "\x00\xAF\x10", 3);
	is_str(buf.data, "abcde<42>00af10", "hexadecimal in lower case");
	scim_buf_reset(&buf);
	is_str(buf.data, "", "reset empties");
	scim_buf_integer(&buf, 0);
	scim_buf_integer(&buf, -70);
	scim_buf_integer(&buf, INT64_MAX);
	scim_buf_integer(&buf, INT64_MIN);
	is_str(buf.data, "0-709223372036854775807-9223372036854775808", "integers from the least to the greatest");
	scim_buf_reset(&buf);
	for (int i = 0; i < 5000; i++)
		scim_buf_char(&buf, 'x');
	ok(buf.len == 5000 && strlen(buf.data) == 5000 && !buf.failed, "it grows");
	scim_buf_free(&buf);
}

static void
test_maximum(void)
{
	ScimArena  *arena = scim_arena_create(300);
	ScimBuf		buf;

	scim_buf_init(&buf, NULL, 5);
	scim_buf_str(&buf, "abcde");
	ok(!buf.failed, "up to the maximum");
	scim_buf_char(&buf, 'f');
	ok(buf.failed && buf.len == 5, "not past it");
	scim_buf_str(&buf, "");
	is_str(buf.data, "abcde", "what was there stays");
	scim_buf_reset(&buf);
	scim_buf_printf(&buf, "%s", "too long");
	ok(buf.failed && buf.len == 0, "printf is bounded");
	scim_buf_free(&buf);

	scim_buf_init(&buf, arena, 10000);
	for (int i = 0; i < 200; i++)
		scim_buf_char(&buf, 'x');
	ok(buf.failed && buf.len < 200, "an arena's bound is the buffer's too");
	scim_arena_free(arena);
}

static void
test_base64(void)
{
	/* RFC 4648 section 10 */
	static const char *const cases[][2] = {
		{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="},
		{"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"},
	};
	ScimBuf		buf;

	scim_buf_init(&buf, NULL, 100);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		scim_buf_reset(&buf);
		scim_buf_base64(&buf, (const uint8_t *) cases[i][0], strlen(cases[i][0]));
		is_str(buf.data, cases[i][1], "base64 of \"%s\"", cases[i][0]);
	}
	scim_buf_free(&buf);
}

static void
test_json_string(void)
{
	ScimBuf		buf;

	scim_buf_init(&buf, NULL, 1000);
	scim_buf_json_string(&buf, "a\"b\\c/d", 7);
	is_str(buf.data, "\"a\\\"b\\\\c/d\"", "quotes and backslashes, not slashes");
	scim_buf_reset(&buf);
	scim_buf_json_string(&buf, "\b\t\n\f\r\x01\x1F\x7F", 8);
	is_str(buf.data, "\"\\b\\t\\n\\f\\r\\u0001\\u001f\\u007f\"", "control characters");
	scim_buf_reset(&buf);
	scim_buf_json_string(&buf, "a\0b", 3);
	is_str(buf.data, "\"a\\u0000b\"", "NUL");
	scim_buf_reset(&buf);
	scim_buf_json_string(&buf, "\xC3\xA9\xE2\x80\xA8\xF0\x9F\x99\x82", 9);
	is_str(buf.data, "\"\xC3\xA9\xE2\x80\xA8\xF0\x9F\x99\x82\"", "everything else as it is");
	scim_buf_reset(&buf);
	scim_buf_json_string(&buf, "", 0);
	is_str(buf.data, "\"\"", "empty");
	scim_buf_free(&buf);
}

int
main(void)
{
	test_append();
	test_maximum();
	test_base64();
	test_json_string();
	return done_testing();
}
