/*
 * core_answers.c
 *		What src/core answers in memory, for test/differential/driver.py.
 *
 * Reads lines, tab-separated, and answers each with one line:
 *	R type resource		remember a resource (canonical form, with id, meta and
 *						schemas) of the type; answers its number
 *	F type filter		the numbers of the resources that satisfy the filter
 *	P type resource body	the resource after a PATCH under the profile "rfc", a
 *						tab, and what becomes of its members: verb id id …; …
 * or "error", a tab and the scimType (or HTTP status, where it has none).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "core/profile.h"
#include "core/status.h"

#define LINE_MAX_LENGTH ((size_t) 4 * 1024 * 1024)
#define ARENA_SIZE ((size_t) 1024 * 1024 * 1024)

typedef struct Known
{
	const ScimResourceType *type;
	ScimJson   *json;
} Known;

static ScimArena *kept;			/* of the resources remembered */
static Known known[10000];
static int	n_known = 0;

static void
fail(const char *what)
{
	fprintf(stderr, "core_answers: %s\n", what);
	exit(1);
}

static ScimArena *
new_arena(void)
{
	ScimArena  *arena = scim_arena_create(ARENA_SIZE);

	if (arena == NULL)
		fail("out of memory");
	return arena;
}

static void
print_error(const ScimError *err)
{
	const char *type = scim_status_type(err->status);

	if (type != NULL)
		printf("error\t%s\n", type);
	else
		printf("error\t%d\n", scim_status_http(err->status));
}

static ScimJson *
parse(ScimArena *arena, const char *text)
{
	ScimJson   *json;
	ScimError	err = {SCIM_OK, ""};

	if (scim_json_parse(arena, (ScimStr) {text, strlen(text)}, &json, &err) != SCIM_OK)
		fail(err.detail);
	return json;
}

static void
answer_filter(const ScimResourceType *type, const char *text)
{
	ScimArena  *arena = new_arena();
	ScimFilterLimits limits = {200};
	ScimFilter *filter;
	ScimError	err = {SCIM_OK, ""};
	ScimStatus	status = SCIM_OK;

	if (scim_filter_parse(arena, type, (ScimStr) {text, strlen(text)}, &limits, &filter, &err) != SCIM_OK)
		print_error(&err);
	else
	{
		printf("ok");
		for (int i = 0; i < n_known; i++)
			if (known[i].type == type && scim_filter_matches(filter, known[i].json, &status))
				printf(" %d", i);
		printf("\n");
	}
	if (status != SCIM_OK)
		fail("out of memory");
	scim_arena_free(arena);
}

static void
print_links(const ScimLinkOp *op)
{
	static const char *const verbs[] = {"add", "remove", "remove-matching", "replace"};

	for (; op != NULL; op = op->next)
	{
		printf("%s", verbs[op->verb]);
		for (size_t i = 0; i < op->n; i++)
			printf(" %.36s", op->ids[i].ptr);
		printf(";");
	}
}

static void
answer_patch(const ScimResourceType *type, const char *stored, const char *body_text)
{
	ScimArena  *arena = new_arena();
	const ScimProfile *profile = scim_profile("rfc");
	ScimPatchOptions options = {
		.strict = profile->strict_attributes,
		.create_on_unmatched = profile->create_on_unmatched,
		.replace_whole = profile->replace_whole,
		.allow_no_path = profile->allow_no_path,
		.single_match = profile->single_match,
		.max_operations = 1000
	};
	ScimResource resource = {.type = type,.json = parse(arena, stored)};
	ScimJson   *body = parse(arena, body_text);
	ScimBuf		tolerances;
	ScimError	err = {SCIM_OK, ""};

	scim_buf_init(&tolerances, arena, 4096);
	if (scim_profile_apply(arena, profile, type, true, &body, &tolerances, &err) != SCIM_OK ||
		scim_patch_apply(arena, &resource, body, &options, &err) != SCIM_OK)
		print_error(&err);
	else
	{
		printf("ok\t%s\t", scim_json_text(arena, resource.json).ptr);
		print_links(resource.links);
		printf("\n");
	}
	scim_arena_free(arena);
}

static void
answer(char *line)
{
	char	   *type_name = strchr(line, '\t');
	char	   *first = type_name == NULL ? NULL : strchr(type_name + 1, '\t');
	char	   *second;
	const ScimResourceType *type;

	if (first == NULL)
		fail("a line is too short");
	*first++ = '\0';
	type = scim_registry_type_by_name(scim_registry_builtin(), type_name + 1);
	if (type == NULL)
		fail("unknown resource type");
	second = strchr(first, '\t');
	if (second != NULL)
		*second++ = '\0';
	if (line[0] == 'R')
	{
		if (n_known == (int) (sizeof(known) / sizeof(known[0])))
			fail("too many resources");
		known[n_known] = (Known) {type, parse(kept, first)};
		printf("%d\n", n_known++);
	}
	else if (line[0] == 'F')
		answer_filter(type, first);
	else if (second != NULL)
		answer_patch(type, first, second);
	else
		fail("a PATCH needs a body");
}

int
main(void)
{
	char	   *line = malloc(LINE_MAX_LENGTH);

	/* Who asks waits for the answer. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	kept = new_arena();
	if (line == NULL)
		fail("out of memory");
	while (fgets(line, LINE_MAX_LENGTH, stdin) != NULL)
	{
		line[strcspn(line, "\n")] = '\0';
		answer(line);
	}
	scim_arena_free(kept);
	free(line);
	return 0;
}
