/* test_text.c: UTF-8, names, folding, times, UUIDs, percent-decoding. */
#include "core/normalize.h"
#include "core/text.h"
#include "tap.h"

#include <stdlib.h>

static ScimStr
str(const char *text)
{
	return (ScimStr) {text, strlen(text)};
}

static void
test_utf8(void)
{
	static const struct
	{
		const char *bytes;
		bool		valid;
		const char *what;
	}			cases[] = {
		{"", true, "empty"},
		{"plain", true, "ASCII"},
		{"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x99\x82", true, "two, three and four bytes"},
		{"\xC2\x80", true, "first of two bytes"},
		{"\xC1\xBF", false, "overlong, two bytes"},
		{"\xC0\xAF", false, "overlong slash"},
		{"\xE0\x9F\xBF", false, "overlong, three bytes"},
		{"\xF0\x8F\xBF\xBF", false, "overlong, four bytes"},
		{"\xED\xA0\x80", false, "surrogate"},
		{"\xED\x9F\xBF", true, "before the surrogates"},
		{"\xEE\x80\x80", true, "after the surrogates"},
		{"\xF4\x8F\xBF\xBF", true, "U+10FFFF"},
		{"\xF4\x90\x80\x80", false, "past U+10FFFF"},
		{"\xF5\x80\x80\x80", false, "lead byte F5"},
		{"\x80", false, "lone continuation"},
		{"a\xE2\x82", false, "cut short"},
		{"\xE2\x28\xA1", false, "bad continuation"},
		{"\xFF", false, "FF"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		is_int(scim_utf8_valid(cases[i].bytes, strlen(cases[i].bytes)), cases[i].valid, "utf8: %s", cases[i].what);
	ok(scim_utf8_valid("a\0b", 3), "utf8: NUL is a character");
}

static void
test_names(void)
{
	ok(scim_name_is(SCIM_STR("UserName"), "userNAME"), "names: any case");
	ok(!scim_name_is(SCIM_STR("userName"), "userNam"), "names: length counts");
	ok(!scim_name_is(SCIM_STR("user@ame"), "user`ame"), "names: only letters have case");
	ok(!scim_name_is(SCIM_STR("\xC3\x89"), "\xC3\xA9"), "names: only ASCII letters have case");
	ok(scim_str_equal(SCIM_STR("a"), SCIM_STR("a")), "strings: equal");
	ok(!scim_str_equal(SCIM_STR("a"), SCIM_STR("A")), "strings: case counts");
	ok(scim_str_equal(SCIM_STR(""), SCIM_STR_NONE), "strings: no bytes are no bytes");
}

static void
test_cut(void)
{
	is_int((long long) scim_utf8_cut(SCIM_STR("abc"), 3).len, 3, "cut: short enough");
	is_int((long long) scim_utf8_cut(SCIM_STR("abcd"), 3).len, 3, "cut: between characters");
	is_int((long long) scim_utf8_cut(SCIM_STR("a\xE2\x82\xAC"), 3).len, 1, "cut: not within one");
	is_int((long long) scim_utf8_cut(SCIM_STR("\xE2\x82\xAC"), 2).len, 0, "cut: to nothing");
}

static void
test_fold(void)
{
	static const char *const cases[][2] = {
		{"", ""},
		{"Bjensen@Example.COM", "bjensen@example.com"},
		{"\xC3\x84rger", "\xC3\xA4rger"},	/* Ärger */
		{"\xE1\xBA\x9E", "\xC3\x9F"},	/* capital sharp s: status S, not "ss" */
		{"\xC3\x9F", "\xC3\x9F"},	/* sharp s itself stays */
		{"I\xC4\xB0\xC4\xB1", "i\xC4\xB0\xC4\xB1"}, /* Turkish dotted and dotless i stay */
		{"\xE2\x84\xAA", "k"},	/* KELVIN SIGN, three bytes to one */
		{"\xC5\xBF", "s"},		/* long s */
		{"\xCE\xA3\xCF\x82", "\xCF\x83\xCF\x83"},	/* capital and final sigma */
		{"\xC8\xBA", "\xE2\xB1\xA5"},	/* U+023A, two bytes to three */
		{"\xE1\xBE\x88", "\xE1\xBE\x80"},	/* U+1F88: status S */
		{"\xC4\x80\xC4\x81", "\xC4\x81\xC4\x81"},	/* every second one folds */
		{"\xF0\x90\x90\x80", "\xF0\x90\x90\xA8"},	/* Deseret, four bytes */
		{"\xEA\xAD\xB0", "\xE1\x8E\xA0"},	/* small Cherokee folds to capital */
		{"\xE6\xBC\xA2", "\xE6\xBC\xA2"},
		{"A\xFF\xC3Z", "a\xFF\xC3z"},	/* invalid bytes are copied */
		{"E\xCC\x81va", "\xC3\xA9va"},	/* E and an acute: one letter */
		{"\xE1\xBA\xA4", "\xE1\xBA\xA5"},	/* U+1EA4 */
		{"A\xCC\x81\xCC\x82", "\xC3\xA1\xCC\x82"},	/* marks of one class stay in order */
		{"a\xCC\x82\xCC\xA3", "\xE1\xBA\xAD"},	/* of different ones do not */
		{"\xE2\x84\xAB", "\xC3\xA5"},	/* ANGSTROM SIGN */
		{"\xE1\x84\x92\xE1\x85\xA1\xE1\x86\xAB", "\xED\x95\x9C"},	/* Hangul */
		{"\xED\x95\x98\xE1\x86\xAB", "\xED\x95\x9C"},
		{"\xEF\xBC\xA1\xEF\xBC\xA2", "ab"},	/* fullwidth */
		{"\xEF\xBD\xB6\xEF\xBE\x9E", "\xE3\x82\xAC"},	/* halfwidth */
		{"\xE0\xA5\x98", "\xE0\xA4\x95\xE0\xA4\xBC"},	/* a composition that is excluded */
		{"\xCC\x81", "\xCC\x81"},	/* a mark on nothing */
	};
	ScimBuf		buf;

	scim_buf_init(&buf, NULL, 1000);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		scim_buf_reset(&buf);
		scim_buf_str(&buf, "");
		scim_fold(&buf, cases[i][0], strlen(cases[i][0]));
		is_str(buf.data, cases[i][1], "fold %zu", i);
	}
	scim_buf_free(&buf);
}

/* Passwords: spaces and forms are one, width and case are not. */
static void
test_opaque_string(void)
{
	static const char *const cases[][2] = {
		{"", ""}, {"Secret 1", "Secret 1"}, {"a\xC2\xA0" "b\xE3\x80\x80" "c", "a b c"}, {"e\xCC\x81", "\xC3\xA9"},
		{"\xEF\xBC\xA1", "\xEF\xBC\xA1"}, {"\xE2\x84\xAB", "\xC3\x85"}, {"a\xFF", "a\xFF"},
	};
	ScimBuf		buf;

	scim_buf_init(&buf, NULL, 1000);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		scim_buf_reset(&buf);
		scim_buf_str(&buf, "");
		scim_opaque_string(&buf, cases[i][0], strlen(cases[i][0]));
		is_str(buf.data, cases[i][1], "password %zu", i);
	}
	scim_buf_free(&buf);
}

/* Many marks take no more than n log n. */
static void
test_many_marks(void)
{
	size_t		n = 200000;
	ScimBuf		marks;
	ScimBuf		folded;

	scim_buf_init(&marks, NULL, 4 * n);
	scim_buf_init(&folded, NULL, 8 * n);
	scim_buf_char(&marks, 'a');
	for (size_t i = 0; i < n; i++)
		scim_buf_str(&marks, i % 2 ? "\xCC\xA3" : "\xCC\x82");
	scim_fold(&folded, marks.data, marks.len);
	ok(!folded.failed && folded.len == marks.len - 2, "a letter with 200,000 marks: two become part of it");
	scim_buf_free(&marks);
	scim_buf_free(&folded);
}

/* Folding is idempotent for every character: else two equal names could differ in an index. */
static void
test_fold_idempotent(void)
{
	size_t		wrong = 0;
	size_t		folded = 0;
	ScimBuf		once;
	ScimBuf		twice;

	scim_buf_init(&once, NULL, 100);
	scim_buf_init(&twice, NULL, 100);
	for (uint32_t code = 0x80; code < 0x110000; code++)
	{
		char		text[4];
		size_t		len;

		if (code >= 0xD800 && code <= 0xDFFF)
			continue;
		len = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
		for (size_t i = len - 1; i > 0; i--)
			text[i] = (char) (0x80 | (code >> 6 * (len - 1 - i) & 0x3F));
		text[0] = (char) ((len == 2 ? 0xC0 : len == 3 ? 0xE0 : 0xF0) | code >> 6 * (len - 1));
		scim_buf_reset(&once);
		scim_buf_reset(&twice);
		scim_fold(&once, text, len);
		scim_fold(&twice, once.data, once.len);
		folded += once.len != len || memcmp(once.data, text, len) != 0;
		wrong += once.len != twice.len || memcmp(once.data, twice.data, once.len) != 0;
	}
	is_int((long long) wrong, 0, "folding what is folded changes nothing");
	is_int((long long) folded, 2737, "as many characters fold as Unicode 14 has simple foldings, other widths and forms, A to Z aside");
	scim_buf_free(&once);
	scim_buf_free(&twice);
}

static void
test_time_parse(void)
{
	static const struct
	{
		const char *text;
		int64_t		micros;
	}			good[] = {
		{"1970-01-01T00:00:00Z", 0},
		{"1970-01-01T00:00:00", 0},
		{"1969-12-31T23:59:59.999999Z", -1},
		{"2008-01-23T04:56:22Z", INT64_C(1201064182000000)},
		{"2011-05-13T04:42:34Z", INT64_C(1305261754000000)},
		{"2011-05-13T06:42:34.5+02:00", INT64_C(1305261754500000)},
		{"2011-05-12t20:42:34-08:00", INT64_C(1305261754000000)},
		{"2011-05-13T04:42:34.1234567z", INT64_C(1305261754123456)},
		{"2000-02-29T00:00:00Z", INT64_C(951782400000000)},
		{"2016-12-31T23:59:60Z", INT64_C(1483228800000000)},
		{"2016-12-31T24:00:00Z", INT64_C(1483228800000000)},
		{"0001-01-01T00:00:00Z", INT64_C(-62135596800000000)},
		{"0001-01-03T00:00:00.0000000Z", INT64_C(-62135424000000000)},
		{"9999-12-31T23:59:59.999999Z", INT64_C(253402300799999999)},
	};
	static const char *const bad[] = {
		"", "2011", "2011-05-13", "2011-05-13 04:42:34Z", "2011-05-13T04:42Z", "2011-13-01T00:00:00Z",
		"2011-00-01T00:00:00Z", "2011-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2011-04-31T00:00:00Z",
		"2011-05-00T00:00:00Z", "2011-05-13T25:00:00Z", "2011-05-13T24:00:01Z", "2011-05-13T24:00:00.1Z",
		"2011-05-13T04:60:00Z", "2011-05-13T04:42:61Z", "2011-05-13T04:42:34.Z", "2011-05-13T04:42:34,5Z",
		"2011-05-13T04:42:34+0200", "2011-05-13T04:42:34+24:00", "2011-05-13T04:42:34Zx",
		"2011-05-13T04:42:34+02:00Z", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+00:01",
		"9999-12-31T23:59:59-00:01", "12011-05-13T04:42:34Z", "-011-05-13T04:42:34Z",
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
	{
		int64_t		micros = 42;

		ok(scim_time_parse(str(good[i].text), &micros) && micros == good[i].micros, "time %s", good[i].text);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
	{
		int64_t		micros = 42;

		ok(!scim_time_parse(str(bad[i]), &micros) && micros == 42, "no time: \"%s\"", bad[i]);
	}
	ok(!scim_time_parse(SCIM_STR_NONE, &(int64_t) {0}), "no time: absent");
}

static void
test_time_format(void)
{
	char		text[SCIM_TIME_SIZE];
	bool		same = true;

	scim_time_format(0, false, text);
	is_str(text, "1970-01-01T00:00:00Z", "format: the epoch");
	scim_time_format(0, true, text);
	is_str(text, "1970-01-01T00:00:00.000000Z", "format: always a fraction");
	scim_time_format(-1, false, text);
	is_str(text, "1969-12-31T23:59:59.999999Z", "format: before the epoch");
	scim_time_format(1500000, false, text);
	is_str(text, "1970-01-01T00:00:01.500000Z", "format: six digits");
	scim_time_format(INT64_MAX, true, text);
	is_str(text, "9999-12-31T23:59:59.999999Z", "format: the last time");
	scim_time_format(INT64_MIN, true, text);
	is_str(text, "0001-01-01T00:00:00.000000Z", "format: the first time");
	for (int64_t t = INT64_C(-62135596800000000); t <= INT64_C(253402300799999999); t += INT64_C(7777777777777))
	{
		int64_t		back = t + 1;

		scim_time_format(t, false, text);
		same = same && scim_time_parse(str(text), &back) && back == t;
	}
	ok(same, "format and parse are inverse over all years");
}

static void
test_uuid(void)
{
	char		out[37];

	ok(scim_uuid_parse(SCIM_STR("2819C223-7f76-453a-919D-413861904646"), out), "uuid: either case");
	is_str(out, "2819c223-7f76-453a-919d-413861904646", "uuid: lower case");
	ok(scim_uuid_parse(SCIM_STR("2819c223-7f76-453a-919d-413861904646"), NULL), "uuid: no copy wanted");
	ok(!scim_uuid_parse(SCIM_STR("2819c223-7f76-453a-919d-41386190464"), NULL), "uuid: short");
	ok(!scim_uuid_parse(SCIM_STR("{2819c223-7f76-453a-919d-41386190464}"), NULL), "uuid: braces");
	ok(!scim_uuid_parse(SCIM_STR("2819c2237f76-453a-919d-4138619046461"), NULL), "uuid: hyphen missing");
	ok(!scim_uuid_parse(SCIM_STR("2819c223-7f76-453a-919d-41386190464g"), NULL), "uuid: no digit");
	ok(!scim_uuid_parse(SCIM_STR_NONE, NULL), "uuid: absent");
}

static void
test_percent(void)
{
	static const struct
	{
		const char *in;
		bool		plus;
		const char *out;		/* NULL: refused */
	}			cases[] = {
		{"", true, ""},
		{"userName%20eq%20%22x%22", false, "userName eq \"x\""},
		{"userName+eq+%22x%22", true, "userName eq \"x\""},
		{"a+b", false, "a+b"},
		{"%c3%A9", false, "\xC3\xA9"},
		{"%", false, NULL}, {"%2", false, NULL}, {"a%2", false, NULL}, {"%2x", false, NULL}, {"%%20", false, NULL},
		{"%00", false, NULL}, {"%ff", false, NULL}, {"%C3", false, NULL}, {"\xC3", false, NULL},
		{"%41", false, "A"}, {"x%41", false, "xA"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		ScimBuf		buf;
		bool		decoded;

		scim_buf_init(&buf, NULL, 100);
		scim_buf_str(&buf, "=");
		decoded = scim_percent_decode(&buf, str(cases[i].in), cases[i].plus);
		if (cases[i].out == NULL)
			ok(!decoded, "percent: \"%s\" is refused", cases[i].in);
		else if (ok(decoded, "percent: \"%s\"", cases[i].in))
			is_str(buf.data + 1, cases[i].out, "percent: what it says");
		scim_buf_free(&buf);
	}
}

int
main(void)
{
	test_utf8();
	test_names();
	test_cut();
	test_fold();
	test_fold_idempotent();
	test_opaque_string();
	test_many_marks();
	test_time_parse();
	test_time_format();
	test_uuid();
	test_percent();
	return done_testing();
}
