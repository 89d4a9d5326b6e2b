/*
 * test_path.c
 *		Attribute paths against the built-in resource types.
 */
#include "core/filter.h"
#include "tap.h"

#include <stdlib.h>

static ScimArena *arena;

static ScimStr
str(const char *text)
{
	return (ScimStr) {text, strlen(text)};
}

static const ScimResourceType *
type_named(const char *name)
{
	return scim_registry_type_by_name(scim_registry_builtin(), name);
}

#define E "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

static void
test_valid(void)
{
	static const struct
	{
		const char *type;
		const char *text;
		const char *canonical;
		bool		filtered;
	}			cases[] = {
		{"User", "userName", "userName", false},
		{"User", "USERNAME", "userName", false},
		{"User", "name.FamilyName", "name.familyName", false},
		{"User", "id", "id", false},
		{"User", "externalid", "externalId", false},
		{"User", "meta.lastmodified", "meta.lastModified", false},
		{"User", "groups.$ref", "groups.$ref", false},
		{"User", "urn:ietf:params:scim:schemas:core:2.0:User:userName", "userName", false},
		{"User", "urn:ietf:params:scim:schemas:core:2.0:User:name.givenName", "name.givenName", false},
		{"User", "URN:IETF:params:scim:schemas:core:2.0:user:externalId", "externalId", false},
		{"User", E, E, false},
		{"User", E ":department", E ":department", false},
		{"User", E ":manager.value", E ":manager.value", false},
		{"User", "urn:ietf:params:scim:schemas:extension:Enterprise:2.0:user:Manager.displayname", E ":manager.displayName", false},
		{"User", "emails[type eq \"work\"]", "emails", true},
		{"User", "emails[type eq \"work\"].value", "emails.value", true},
		{"User", "emails[type eq \"wo]rk\" and (primary eq true)].value", "emails.value", true},
		{"User", "emails[ type eq \"work\" ].value", "emails.value", true},
		{"User", "name[familyName sw \"A\"].givenName", "name.givenName", true},
		{"Group", "members[value eq \"2819c223-7f76-453a-919d-413861904646\"]", "members", true},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		ScimPath	path;
		ScimError	err = {SCIM_OK, ""};
		ScimStatus	status = scim_path_parse(arena, type_named(cases[i].type), str(cases[i].text), &path, &err);

		if (!is_int(status, SCIM_OK, "path %s", cases[i].text))
		{
			printf("#   %s\n", err.detail);
			continue;
		}
		is_str(scim_path_text(arena, &path), cases[i].canonical, "spelling of %s", cases[i].text);
		ok((path.value_filter != NULL) == cases[i].filtered, "value filter of %s", cases[i].text);
	}
}

static void
test_invalid(void)
{
	static const struct
	{
		const char *type;
		const char *text;
		ScimStatus	status;
		const char *says;
	}			cases[] = {
		{"User", "", SCIM_INVALID_PATH, "offset 0"},
		{"User", "favouriteFish", SCIM_INVALID_PATH, "\"favouriteFish\""},
		{"User", "name.", SCIM_INVALID_PATH, "offset 5"},
		{"User", "name.nose", SCIM_INVALID_PATH, "\"nose\""},
		{"User", "userName.value", SCIM_INVALID_PATH, "offset 9"},
		{"User", "userName ", SCIM_INVALID_PATH, "offset 8"},
		{"User", " userName", SCIM_INVALID_PATH, "offset 0"},
		{"User", "userName[value eq \"x\"]", SCIM_INVALID_FILTER, "filter cannot stand here"},
		{"User", "name.givenName[value eq \"x\"]", SCIM_INVALID_PATH, "filter cannot stand here"},
		{"User", "emails[type eq \"work\"", SCIM_INVALID_PATH, "\"]\""},
		{"User", "emails[]", SCIM_INVALID_FILTER, "offset 0"},
		{"User", "emails[type eq work]", SCIM_INVALID_FILTER, "a value is expected"},
		{"User", "emails[colour eq \"x\"]", SCIM_INVALID_FILTER, "\"emails\" has no such"},
		{"User", "emails[type eq \"work\"].", SCIM_INVALID_PATH, "no such sub-attribute"},
		{"User", "emails[type eq \"work\"].x", SCIM_INVALID_PATH, "no such sub-attribute"},
		{"User", "emails[type eq \"work\"]value", SCIM_INVALID_PATH, "should end here"},
		{"User", "urn:ietf:params:scim:schemas:core:2.0:User", SCIM_INVALID_PATH, "names no attribute"},
		{"User", E ":", SCIM_INVALID_PATH, "attribute name is expected"},
		{"User", E ":userName", SCIM_INVALID_PATH, "\"userName\""},
		{"User", E ".manager", SCIM_INVALID_PATH, "\"urn\""},
		{"User", E "x", SCIM_INVALID_PATH, "\"urn\""},
		{"User", E "[type eq 1]", SCIM_INVALID_PATH, "filter cannot stand here"},
		{"User", "urn:example:unknown:a", SCIM_INVALID_PATH, "\"urn\""},
		{"Group", E ":department", SCIM_INVALID_PATH, "\"urn\""},
		{"Group", "userName", SCIM_INVALID_PATH, "Group has no attribute"},
		{"User", "user\xff", SCIM_INVALID_PATH, "UTF-8"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		ScimPath	path;
		ScimError	err = {SCIM_OK, ""};

		is_int(scim_path_parse(arena, type_named(cases[i].type), str(cases[i].text), &path, &err),
			   cases[i].status, "refused: %s", cases[i].text);
		is_int(err.status, cases[i].status, "status in the error: %s", cases[i].text);
		if (!ok(strstr(err.detail, cases[i].says) != NULL, "what is said of %s", cases[i].text))
			printf("#   %s\n", err.detail);
	}
}

/* A long name is repeated only in part. */
static void
test_long_name(void)
{
	char		text[2000];
	ScimPath	path;
	ScimError	err;

	memset(text, 'a', sizeof(text));
	scim_path_parse(arena, type_named("User"), (ScimStr) {text, sizeof(text)}, &path, &err);
	ok(strlen(err.detail) < 200, "a long name is cut in the error");
}

static void
test_out_of_memory(void)
{
	ScimStatus	status = SCIM_NO_MEMORY;
	size_t		max;

	for (max = 0; status == SCIM_NO_MEMORY && max < 65536; max += 16)
	{
		ScimArena  *small = scim_arena_create(max);
		ScimPath	path;

		status = scim_path_parse(small, type_named("User"), SCIM_STR("emails[type eq \"W\\u00e4\" and not (value pr)].value"), &path, NULL);
		if (status == SCIM_OK && scim_path_text(small, &path) == NULL)
			status = SCIM_NO_MEMORY;
		scim_arena_free(small);
	}
	is_int(status, SCIM_OK, "succeeds once there is memory");
	ok(max > 64, "and failed before");
}

int
main(void)
{
	arena = scim_arena_create((size_t) 1 << 20);
	test_valid();
	test_invalid();
	test_long_name();
	test_out_of_memory();
	scim_arena_free(arena);
	return done_testing();
}
