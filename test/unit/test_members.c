/*
 * test_members.c
 *		The members of a JSON object as they stand in its text.
 */
#include <stdlib.h>

#include "core/members.h"
#include "tap.h"

typedef struct Case
{
	const char *text;
	const char *expected;		/* name=value; for each */
} Case;

static const Case cases[] = {
	{"{}", ""},
	{" { } ", ""},
	{"{\"a\":1}", "\"a\"=1;"},
	{"{\"a\":1,\"b\":\"x\"}", "\"a\"=1;\"b\"=\"x\";"},
	{" {\n\t\"a\" : 1 ,\r\"b\" :true } ", "\"a\"=1;\"b\"=true;"},
	{"{\"a\":{\"b\":[1,{\"c\":2}]},\"d\":null}", "\"a\"={\"b\":[1,{\"c\":2}]};\"d\"=null;"},
	{"{\"a\":\"}\\\"]{\",\"b\":[\"]\"]}", "\"a\"=\"}\\\"]{\";\"b\"=[\"]\"];"},
	{"{\"a\\\"b\":\"\\\\\",\"c\":-1.5e+3}", "\"a\\\"b\"=\"\\\\\";\"c\"=-1.5e+3;"},
	{"{\"\":\"\"}", "\"\"=\"\";"},
	{"{\"\xC3\xA9\":\"\xE2\x82\xAC\"}", "\"\xC3\xA9\"=\"\xE2\x82\xAC\";"},
	/* Not objects, not JSON. */
	{"", ""},
	{"[1]", ""},
	{"null", ""},
	{"{\"a\"", ""},
	{"{\"a\":", "\"a\"=;"},
	{"{\"a\":\"x", "\"a\"=\"x;"},
	{"{\"a\":{\"b\":1", "\"a\"={\"b\":1;"},
	{"{\"a", ""},
	{"{\"a\\", ""},
	{"{a:1}", ""}
};

static const Case arrays[] = {
	{"[]", ""},
	{"[1,\"a,]\",[2,3],{\"b\":4},null]", "1;\"a,]\";[2,3];{\"b\":4};null;"},
	{" [ 1 , 2 ] ", "1;2;"},
	/* Not arrays, not JSON. */
	{"", ""},
	{"{}", ""},
	{"[", ""},
	{"[1", "1;"},
	{"[,]", ""},
	{"[:", ":;"}
};

static const Case strings[] = {
	{"\"\"", ""},
	{"\"a\"", "a"},
	{"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t"},
	{"\"\\u0001\\u007f\\u001b\"", "\x01\x7f\x1b"},
	{"\"\xC3\xA9\"", "\xC3\xA9"},
	/* Not strings. */
	{"", ""},
	{"\"", ""},
	{"\"\\\"", "\\"},
	{"\"\\u00\"", "u00"}
};

int
main(void)
{
	ScimStr		value;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
	{
		/* A copy of the exact size, so that the sanitizer sees a read past its end. */
		size_t		len = strlen(cases[i].text);
		char	   *text = malloc(len > 0 ? len : 1);
		char		got[256] = "";
		ScimMembers members;
		ScimMember	member;

		memcpy(text, cases[i].text, len);
		scim_members_begin(&members, (ScimStr) {text, len});
		while (scim_members_next(&members, &member))
			snprintf(got + strlen(got), sizeof got - strlen(got), "%.*s=%.*s;",
					 (int) member.name.len, member.name.ptr, (int) member.value.len, member.value.ptr);
		is_str(got, cases[i].expected, "members of %s", cases[i].text);
		free(text);
	}
	for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++)
	{
		char		got[256] = "";
		ScimMembers elements;
		ScimStr		value;

		scim_elements_begin(&elements, (ScimStr) {arrays[i].text, strlen(arrays[i].text)});
		while (scim_elements_next(&elements, &value))
			snprintf(got + strlen(got), sizeof got - strlen(got), "%.*s;", (int) value.len, value.ptr);
		is_str(got, arrays[i].expected, "elements of %s", arrays[i].text);
	}
	for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++)
	{
		char		got[64];
		size_t		len = scim_member_unescape((ScimStr) {strings[i].text, strlen(strings[i].text)}, got);

		got[len] = '\0';
		is_str(got, strings[i].expected, "%s unescaped", strings[i].text);
	}
	value = scim_member_value(SCIM_STR("{\"a\":1,\"b\":{\"c\":2}}"), SCIM_STR("\"b\""));
	ok(value.len == 7 && memcmp(value.ptr, "{\"c\":2}", 7) == 0, "the value of a member");
	ok(scim_member_value(SCIM_STR("{\"a\":{\"c\":2}}"), SCIM_STR("\"c\"")).ptr == NULL, "a member of a member is none");
	ok(scim_member_value(SCIM_STR_NONE, SCIM_STR("\"c\"")).ptr == NULL, "nothing has no member");
	return done_testing();
}
