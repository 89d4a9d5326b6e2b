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

int
main(void)
{
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
	return done_testing();
}
