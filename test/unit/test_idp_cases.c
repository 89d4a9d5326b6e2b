/*
 * test_idp_cases.c
 *		The recorded PATCH requests of identity providers (test/idp/cases.json),
 *		played in memory: profile, PATCH, and what each case expects.
 *
 * Each case is played under every profile that it must pass in.  Setup
 * requests become canonical resources; memberships are a list of ids, to
 * which link operations are applied as the database would.
 */
#include "core/json.h"
#include "core/profile.h"
#include "core/strbuf.h"
#include "core/text.h"
#include "tap.h"

#include <ctype.h>
#include <json-c/json.h>
#include <stdlib.h>

#define CASES "test/idp/cases.json"

typedef struct Play
{
	ScimArena  *arena;
	const ScimProfile *profile;
	ScimResource target;		/* what the request patches */
	ScimJson   *members;		/* its members, as rendered */
	ScimError	err;
} Play;

/* ---- the file, its placeholders ---- */

static char *
read_file(ScimArena *arena, const char *name)
{
	FILE	   *file = fopen(name, "rb");
	char	   *text = scim_alloc(arena, 4 << 20);
	size_t		len;

	if (file == NULL || text == NULL)
	{
		printf("Bail out! cannot read %s\n", name);
		exit(1);
	}
	len = fread(text, 1, (4 << 20) - 1, file);
	fclose(file);
	text[len] = '\0';
	return text;
}

/* What stands for a placeholder: {{run}}, {{uuid}}, {{u1.id}}. */
static const char *
placeholder(ScimArena *arena, const char *name, size_t len)
{
	char	   *text = scim_strdup(arena, (ScimStr) {name, len});

	if (strcmp(text, "run") == 0)
		return "r7";
	if (strcmp(text, "uuid") == 0)
		return "ffffffff-0000-4000-8000-000000000000";
	if (len > 3 && strcmp(text + len - 3, ".id") == 0)
		return scim_sprintf(arena, "%08x-0000-4000-8000-%012d", (unsigned) text[0], atoi(text + 1));
	printf("Bail out! unknown placeholder %s\n", text);
	exit(1);
}

static ScimJson *
filled_in(ScimArena *arena, ScimJson *json)
{
	ScimStr		text = scim_json_text(arena, json);
	ScimJson   *result = NULL;
	ScimBuf		buf;
	const char *p = text.ptr;

	scim_buf_init(&buf, arena, 4 << 20);
	for (const char *open = strstr(p, "{{"); open != NULL; open = strstr(p, "{{"))
	{
		const char *close;

		/* "{{" is also the beginning of an object in an object's string. */
		if (!islower((unsigned char) open[2]) || (close = strstr(open, "}}")) == NULL)
		{
			scim_buf_bytes(&buf, p, (size_t) (open + 2 - p));
			p = open + 2;
			continue;
		}
		scim_buf_bytes(&buf, p, (size_t) (open - p));
		scim_buf_str(&buf, placeholder(arena, open + 2, (size_t) (close - open - 2)));
		p = close + 2;
	}
	scim_buf_str(&buf, p);
	if (scim_json_parse(arena, (ScimStr) {buf.data, buf.len}, &result, NULL) != SCIM_OK)
	{
		printf("Bail out! %s\n", buf.data);
		exit(1);
	}
	return result;
}

static const char *
text_of(ScimJson *object, const char *name)
{
	ScimJson   *value = scim_json_get(object, name, NULL);

	return value != NULL ? json_object_get_string(value) : "";
}

/* ---- memberships ---- */

static bool
is_named(const ScimLinkOp *op, ScimJson *member)
{
	for (size_t i = 0; i < op->n; i++)
	{
		if (scim_str_equal(op->ids[i], scim_json_str(scim_json_get(member, "value", NULL))))
			return true;
	}
	return false;
}

static bool
has_member(ScimJson *members, ScimStr id)
{
	for (size_t i = 0; i < json_object_array_length(members); i++)
	{
		if (scim_str_equal(id, scim_json_str(scim_json_get(json_object_array_get_idx(members, i), "value", NULL))))
			return true;
	}
	return false;
}

static bool
stays(const ScimLinkOp *op, ScimJson *member)
{
	ScimStatus	status;

	switch (op->verb)
	{
		case SCIM_LINK_ADD:
			return true;
		case SCIM_LINK_REMOVE:
			return !is_named(op, member);
		case SCIM_LINK_REPLACE:
			return is_named(op, member);
		case SCIM_LINK_REMOVE_MATCHING:
			return !scim_filter_matches_element(op->filter, member, &status);
	}
	return false;
}

static void
apply_links(Play *play, const ScimLinkOp *op)
{
	for (; op != NULL; op = op->next)
	{
		ScimJson   *members = scim_json_array(play->arena);

		for (size_t i = 0; i < json_object_array_length(play->members); i++)
		{
			if (stays(op, json_object_array_get_idx(play->members, i)))
				scim_json_append(members, json_object_array_get_idx(play->members, i));
		}
		for (size_t i = 0; i < op->n && (op->verb == SCIM_LINK_ADD || op->verb == SCIM_LINK_REPLACE); i++)
		{
			ScimJson   *member = scim_json_object(play->arena);

			if (has_member(members, op->ids[i]))
				continue;
			scim_json_set(member, "value", scim_json_string(play->arena, op->ids[i]));
			scim_json_append(members, member);
		}
		play->members = members;
	}
}

/* ---- requests ---- */

static ScimStatus
create(Play *play, const ScimResourceType *type, ScimJson *body)
{
	ScimBuf		tolerances;
	ScimStatus	status;

	scim_buf_init(&tolerances, play->arena, 4096);
	status = scim_profile_apply(play->arena, play->profile, type, false, &body, &tolerances, &play->err);
	if (status == SCIM_OK)
		status = scim_resource_from_body(play->arena, type, body, NULL, play->profile->strict_attributes, &play->target, &play->err);
	play->members = scim_json_array(play->arena);
	if (status == SCIM_OK)
		apply_links(play, play->target.links);
	return status;
}

static ScimStatus
patch(Play *play, ScimJson *body)
{
	const ScimProfile *profile = play->profile;
	ScimPatchOptions options = {.strict = profile->strict_attributes, .create_on_unmatched = profile->create_on_unmatched,
	.replace_whole = profile->replace_whole, .allow_no_path = profile->allow_no_path, .single_match = profile->single_match,
	.max_operations = 1000};
	ScimResource changed = {.type = play->target.type, .json = scim_json_copy(play->arena, play->target.json)};
	ScimBuf		tolerances;
	ScimStatus	status;

	scim_buf_init(&tolerances, play->arena, 4096);
	status = scim_profile_apply(play->arena, profile, play->target.type, true, &body, &tolerances, &play->err);
	if (status == SCIM_OK)
		status = scim_patch_apply(play->arena, &changed, body, &options, &play->err);
	if (status != SCIM_OK)
		return status;
	play->target = changed;
	apply_links(play, changed.links);
	return SCIM_OK;
}

/* ---- expectations ---- */

/* The value at a pointer whose segments hold no slash. */
static ScimJson *
value_at(ScimArena *arena, ScimJson *json, const char *at)
{
	while (*at == '/' && json != NULL)
	{
		size_t		len = strcspn(at + 1, "/");
		char	   *name = scim_strdup(arena, (ScimStr) {at + 1, len});

		if (json_object_is_type(json, json_type_array))
			json = json_object_array_get_idx(json, (size_t) atoi(name));
		else
		{
			ScimJson   *member = NULL;

			(void) json_object_object_get_ex(json, name, &member);
			json = member;
		}
		at += len + 1;
	}
	return json;
}

/* Does the element contain all members of wanted? */
static bool
contains(ScimJson *element, ScimJson *wanted)
{
	struct json_object_iter member;

	if (!json_object_is_type(wanted, json_type_object))
		return scim_json_equal(element, wanted);
	json_object_object_foreachC(wanted, member)
	{
		if (!scim_json_equal(scim_json_get(element, member.key, NULL), member.val))
			return false;
	}
	return true;
}

static bool
holds(ScimJson *value, const char *op, ScimJson *wanted)
{
	size_t		n = json_object_is_type(value, json_type_array) ? json_object_array_length(value) : 0;
	bool		has = false;

	for (size_t i = 0; i < n; i++)
		has = has || contains(json_object_array_get_idx(value, i), wanted);
	if (strcmp(op, "eq") == 0)
		return scim_json_equal(value, wanted);
	if (strcmp(op, "has") == 0)
		return has;
	if (strcmp(op, "lacks") == 0)
		return !has;
	if (strcmp(op, "len") == 0)
		return (int) n == json_object_get_int(wanted);
	if (strcmp(op, "absent") == 0)
		return value == NULL;
	if (strcmp(op, "empty") == 0)
		return value == NULL || (json_object_is_type(value, json_type_array) && n == 0);
	printf("Bail out! unknown check %s\n", op);
	exit(1);
}

/* The resource as it would be read: with id, schemas and members. */
static ScimJson *
rendered(Play *play, const char *id)
{
	const ScimResourceType *type = play->target.type;
	ScimJson   *json = scim_json_copy(play->arena, play->target.json);
	ScimJson   *schemas = scim_json_array(play->arena);

	scim_json_append(schemas, scim_json_string(play->arena, (ScimStr) {type->schema->id, strlen(type->schema->id)}));
	for (size_t i = 0; i < type->n_extensions; i++)
	{
		const char *urn = type->extensions[i]->id;

		if (scim_json_get(json, urn, NULL) != NULL)
			scim_json_append(schemas, scim_json_string(play->arena, (ScimStr) {urn, strlen(urn)}));
	}
	scim_json_set(json, "schemas", schemas);
	scim_json_set(json, "id", scim_json_string(play->arena, (ScimStr) {id, strlen(id)}));
	if (json_object_array_length(play->members) > 0)
		scim_json_set(json, "members", play->members);
	return json;
}

static void
check(Play *play, ScimJson *expect, ScimStatus status, const char *id, const char *what)
{
	ScimJson   *statuses = scim_json_get(expect, "status", NULL);
	ScimJson   *checks = scim_json_get(scim_json_get(expect, "verify", NULL), "checks", NULL);
	ScimJson   *json = rendered(play, id);
	bool		expected = false;

	for (size_t i = 0; i < json_object_array_length(statuses); i++)
	{
		int			code = json_object_get_int(json_object_array_get_idx(statuses, i));

		expected = expected || code == scim_status_http(status) || (status == SCIM_OK && code == 204);
	}
	if (!ok(expected, "status of %s", what))
		printf("#   %d %s\n", scim_status_http(status), play->err.detail);
	for (size_t i = 0; checks != NULL && i < json_object_array_length(checks); i++)
	{
		ScimJson   *one = json_object_array_get_idx(checks, i);

		if (!ok(holds(value_at(play->arena, json, text_of(one, "at")), text_of(one, "op"), scim_json_get(one, "value", NULL)),
				"%s %s of %s", text_of(one, "at"), text_of(one, "op"), what))
			printf("#   %s\n", scim_json_text(play->arena, json).ptr);
	}
}

/* ---- the cases ---- */

static void
play_case(ScimJson *one, const ScimProfile *profile)
{
	Play		play = {.arena = scim_arena_create((size_t) 64 << 20), .profile = profile};
	ScimJson   *filled = filled_in(play.arena, one);
	ScimJson   *request = scim_json_get(filled, "request", NULL);
	ScimJson   *setup = scim_json_get(filled, "setup", NULL);
	ScimJson   *parallel = scim_json_get(request, "parallel", NULL);
	const char *path = text_of(request, "path");
	const char *what = scim_sprintf(play.arena, "%s, profile %s", text_of(filled, "name"), profile->name);
	char	   *id = scim_strdup(play.arena, (ScimStr) {strchr(path + 1, '/') + 1, 36});
	ScimStatus	status;

	for (size_t i = 0; i < json_object_array_length(setup); i++)
	{
		ScimJson   *step = json_object_array_get_idx(setup, i);
		const char *name = scim_sprintf(play.arena, "%s.id", text_of(step, "as"));
		ScimStr		segment = {text_of(step, "path") + 1, strlen(text_of(step, "path")) - 1};

		if (strcmp(placeholder(play.arena, name, strlen(name)), id) == 0)
			is_int(create(&play, scim_registry_type_by_endpoint(scim_registry_builtin(), segment), scim_json_get(step, "body", NULL)),
				   SCIM_OK, "setup of %s", what);
	}
	status = patch(&play, scim_json_get(request, "body", NULL));
	for (size_t i = 0; parallel != NULL && i < json_object_array_length(parallel); i++)
		is_int(patch(&play, json_object_array_get_idx(parallel, i)), SCIM_OK, "at the same time: %s", what);
	check(&play, scim_json_get(filled, "expect", NULL), status, id, what);
	scim_arena_free(play.arena);
}

/* Must a case pass in the profile (test/idp/replay.py)? */
static bool
is_due(const char *wanted, const char *profile)
{
	bool		strict = strcmp(profile, "interop-strict") == 0;

	if (strcmp(wanted, "all") == 0)
		return !strict;
	if (strcmp(wanted, "lenient") == 0)
		return !strict && strcmp(profile, "rfc") != 0;
	return strcmp(wanted, profile) == 0;
}

int
main(void)
{
	static const char *const profiles[] = {"default", "rfc", "entra", "okta", "onelogin", "interop-strict"};
	ScimArena  *arena = scim_arena_create((size_t) 64 << 20);
	char	   *text = read_file(arena, CASES);
	ScimJson   *cases = NULL;
	int			played = 0;

	is_int(scim_json_parse(arena, (ScimStr) {text, strlen(text)}, &cases, NULL), SCIM_OK, "the cases");
	for (size_t i = 0; cases != NULL && i < json_object_array_length(cases); i++)
	{
		ScimJson   *one = json_object_array_get_idx(cases, i);

		if (strcmp(text_of(scim_json_get(one, "request", NULL), "method"), "PATCH") != 0)
			continue;
		for (size_t p = 0; p < sizeof(profiles) / sizeof(profiles[0]); p++)
		{
			if (!is_due(text_of(one, "profile"), profiles[p]))
				continue;
			play_case(one, scim_profile(profiles[p]));
			played++;
		}
	}
	ok(played > 200, "%d cases played", played);
	scim_arena_free(arena);
	return done_testing();
}
