/* test_resource_row.c: canonical resources to and from their rows. */
#include "core/json.h"
#include "core/resource.h"
#include "core/response.h"
#include "scarce.h"
#include "thing.h"

#include <json-c/json.h>

#define CORE "\"schemas\":[\"" SCIM_URN_USER "\"],\"userName\":\"u\""
#define U "{" CORE
#define G "{\"schemas\":[\"" SCIM_URN_GROUP "\"],\"displayName\":\"g\""
#define E_URN "\"" SCIM_URN_ENTERPRISE "\""
#define ID_A "2819c223-7f76-453a-919d-413861904646"
#define ID_B "902c246b-6245-4190-8e05-00816be7344a"

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

/* The columns of a resource as one line: name=text, in order. */
static char *
columns_text(ScimArena *arena, const ScimResourceType *type, const ScimStr *values)
{
	ScimBuf		buf;

	scim_buf_init(&buf, arena, 1 << 20);
	scim_buf_str(&buf, "");
	for (size_t i = 0; i < type->n_columns; i++)
	{
		if (values[i].ptr != NULL)
			scim_buf_printf(&buf, "%s=%.*s ", type->columns[i].store == SCIM_STORE_EXPRESSION ? "expression" : type->columns[i].name,
							(int) values[i].len, values[i].ptr);
	}
	return buf.data;
}

/* Is a row shown like the resource that it holds? */
static bool
same_response(ScimArena *arena, const ScimResourceType *type, const ScimStr *values, ScimJson *json)
{
	static const ScimMeta meta = {{ID_A, 36}, 7, 0, 1};
	ScimBuf		whole;
	ScimBuf		from_row;
	ScimJson   *rest;

	scim_buf_init(&whole, arena, 1 << 20);
	scim_buf_init(&from_row, arena, 1 << 20);
	if (scim_resource_rest_from_row(arena, type, values, &rest, NULL) != SCIM_OK)
		return false;
	scim_response_resource(&whole, type, NULL, json, &meta, NULL, "https://example.com/\"v2");
	scim_response_resource(&from_row, type, values, rest, &meta, NULL, "https://example.com/\"v2");
	return !whole.failed && !from_row.failed && strcmp(whole.data, from_row.data) == 0;
}

static void
test_row(const ScimRegistry *things)
{
	static const struct
	{
		const char *type;
		const char *json;
		const char *columns;
	}			rows[] = {
		{"User", "{\"userName\":\"u\",\"externalId\":\"x\",\"title\":\"\",\"active\":false,\"name\":{\"givenName\":\"g\"},"
			"\"emails\":[{\"primary\":true,\"extra\":1,\"value\":\"a\"}]," E_URN ":{\"department\":\"d\",\"manager\":{\"value\":\"" ID_A "\"}}}",
			"external_id=x user_name=u active=false title= name_given_name=g "
		"emails=[{\"value\":\"a\",\"primary\":true,\"extra\":1}] department=d manager_id=" ID_A " "},
		{"User", "{\"userName\":\"u\",\"urn:gone\":{\"a\":[1,null]}}", "user_name=u extensions={\"urn:gone\":{\"a\":[1,null]}} "},
		{"Group", "{\"displayName\":\"g\"}", "display_name=g "},
		{"Thing", "{\"label\":\"l\",\"size\":-3,\"weight\":1.50,\"made\":\"2011-05-13T04:42:34Z\",\"tags\":[\"b\",\"a\"],"
			"\"box\":{\"on\":true,\"kind\":\"k\"},\"urn:x:More\":{\"why\":\"w\"}}",
			"label=l weight=1.50 made=2011-05-13T04:42:34Z size=-3 "
		"rest={\"urn:x:Thing\":{\"tags\":[\"b\",\"a\"],\"box\":{\"kind\":\"k\",\"on\":true}},\"urn:x:More\":{\"why\":\"w\"}} "},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
	{
		ScimArena  *arena = scim_arena_create(1 << 20);
		const ScimResourceType *type = scim_registry_type_by_name(strcmp(rows[i].type, "Thing") == 0 ? things : scim_registry_builtin(),
																  rows[i].type);
		ScimStr    *values = scim_alloc(arena, type->n_columns * sizeof(ScimStr));
		ScimError	err = {0};
		ScimJson   *json;
		ScimJson   *back;

		scim_json_parse(arena, str(rows[i].json), &json, &err);
		is_int(scim_resource_to_row(arena, type, json, values, &err), SCIM_OK, "to row %zu", i);
		is_str(columns_text(arena, type, values), rows[i].columns, "row %zu", i);
		is_int(scim_resource_from_row(arena, type, values, &back, &err), SCIM_OK, "from row %zu (%s)", i, err.detail);
		ok(scim_json_equal(json, back), "and back: %s", scim_json_text(arena, back).ptr);
		ok(same_response(arena, type, values, json), "shown from row %zu", i);
		scim_arena_free(arena);
	}
}

/* What a column can hold that we did not put there. */
static void
test_row_of_others(const ScimRegistry *things)
{
	static const struct
	{
		const char *type;
		const char *column;
		const char *value;
		const char *expected;	/* canonical form, or the error */
	}			rows[] = {
		{"User", "active", "t", "{\"active\":true}"},
		{"User", "active", "yes", "the stored value of active is not of its type"},
		{"User", "emails", "[]", "{}"},
		{"User", "emails", "null", "{}"},
		{"User", "emails", "{\"value\":\"a\"}", "the stored value of emails is not of its type"},
		{"User", "emails", "[", "the stored value of emails is not of its type"},
		{"User", "extensions", "{}", "{}"},
		{"User", "extensions", "[]", "the stored value of extensions is not of its type"},
		{"User", "extensions", "{\"" SCIM_URN_USER "\":{\"password\":\"p\",\"userName\":\"u\",\"x\":1}}", "{}"},
		{"User", "extensions", "{" E_URN ":{\"department\":\"d\"},\"plain\":1}", "{}"},
		{"User", "extensions", "{" E_URN ":7}", "{}"},
		{"Thing", "weight", "123456789012345678901234567890", "{\"weight\":123456789012345678901234567890}"},
		{"Thing", "weight", "0.00000000000000000000000000000000000000000000000000000000000000000000000000000000001",
			"{\"weight\":0.00000000000000000000000000000000000000000000000000000000000000000000000000000000001}"},
		{"Thing", "weight", "NaN", "the stored value of weight is not of its type"},
		{"Thing", "made", "2011-05-13T04:42:34.000000Z", "{\"made\":\"2011-05-13T04:42:34Z\"}"},
		{"Thing", "made", "infinity", "the stored value of made is not of its type"},
		{"Thing", "rest", "{\"URN:X:THING\":{\"TAGS\":[\"a\"],\"label\":\"no\"}}", "{\"tags\":[\"a\"]}"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
	{
		ScimArena  *arena = scim_arena_create(1 << 20);
		const ScimResourceType *type = scim_registry_type_by_name(strcmp(rows[i].type, "Thing") == 0 ? things : scim_registry_builtin(),
																  rows[i].type);
		ScimStr    *values = scim_alloc(arena, type->n_columns * sizeof(ScimStr));
		ScimError	err = {0};
		ScimJson   *json;
		ScimStatus	status;

		for (size_t j = 0; j < type->n_columns; j++)
		{
			if (strcmp(type->columns[j].name, rows[i].column) == 0)
				values[j] = str(rows[i].value);
		}
		status = scim_resource_from_row(arena, type, values, &json, &err);
		is_str(status == SCIM_OK ? scim_json_text(arena, json).ptr : err.detail, rows[i].expected, "%s: %s", rows[i].column, rows[i].value);
		ok(status != SCIM_OK || same_response(arena, type, values, json), "%s: %s, shown from the row", rows[i].column, rows[i].value);
		is_int(scim_resource_rest_from_row(arena, type, values, &json, &err), status, "%s: %s, without what is plain", rows[i].column, rows[i].value);
		scim_arena_free(arena);
	}
}

/* A pseudo-random value that fits an attribute, as JSON text. */
static void
random_value(ScimBuf *buf, const ScimAttribute *attr, bool element, unsigned *seed)
{
	static const char *const strings[] = {"", "a", "A b", "\xC3\xA9\xE2\x82\xAC", "quote\" back\\ line\n", "2819C223-7f76-453a-919d-413861904646"};
	static const char *const uris[] = {"", "Users/1", "https://example.com/?a=b#c", "\xC3\xA9\xE2\x82\xAC"};
	static const char *const numbers[] = {"0", "-7", "1.50", "1e3", "9223372036854775807", "0.1"};
	unsigned	r = *seed = *seed * 1103515245u + 12345u;
	const char *s = strings[(r >> 16) % 6];
	bool		reference = attr->parent != NULL && scim_sub_attribute(attr->parent, SCIM_STR("$ref")) != NULL;

	if (attr->multi_valued && !element)
	{
		scim_buf_char(buf, '[');
		for (unsigned i = 0; i < (r >> 16) % 4; i++)
		{
			scim_buf_str(buf, i > 0 ? "," : "");
			random_value(buf, attr, true, seed);
		}
		scim_buf_char(buf, ']');
		return;
	}
	switch (attr->type)
	{
		case SCIM_TYPE_BOOLEAN:
			/* More than one primary would be refused. */
			scim_buf_str(buf, strcmp(attr->name, "primary") != 0 && (r >> 16) % 2 ? "true" : "false");
			break;
		case SCIM_TYPE_INTEGER:
			scim_buf_str(buf, (r >> 16) % 2 ? "12" : "-9");
			break;
		case SCIM_TYPE_DECIMAL:
			scim_buf_str(buf, numbers[(r >> 16) % 6]);
			break;
		case SCIM_TYPE_DATETIME:
			scim_buf_printf(buf, "\"20%02u-05-13T04:42:34%sZ\"", (r >> 16) % 100, (r >> 18) % 2 ? ".25" : "");
			break;
		case SCIM_TYPE_BINARY:
			scim_buf_str(buf, "\"AAEC\"");
			break;
		case SCIM_TYPE_COMPLEX:
			scim_buf_char(buf, '{');
			for (size_t i = 0; i < attr->n_sub; i++)
			{
				scim_buf_str(buf, i > 0 ? "," : "");
				scim_buf_printf(buf, "\"%s\":", attr->sub[i].name);
				if (!attr->sub[i].required && (*seed >> 20) % 3 == 0)
					scim_buf_str(buf, "null");
				else
					random_value(buf, &attr->sub[i], false, seed);
				*seed = *seed * 1103515245u + 12345u;
			}
			scim_buf_char(buf, '}');
			break;
		default:
			if (reference)
				s = strings[5];
			else if (attr->type == SCIM_TYPE_REFERENCE)
				s = uris[(r >> 16) % 4];
			if (attr->required && s[0] == '\0')
				s = "required";
			scim_buf_json_string(buf, s, strlen(s));
	}
}

/* Random resources survive their row: body, canonical, row, canonical, row. */
static void
test_round_trips(const ScimRegistry *things)
{
	size_t		wrong = 0;
	unsigned	seed = 7643;

	for (int round = 0; round < 600; round++)
	{
		const ScimResourceType *type = round % 3 == 0 ? scim_registry_type_by_name(things, "Thing") : type_named(round % 3 == 1 ? "User" : "Group");
		ScimArena  *arena = scim_arena_create(1 << 20);
		ScimStr    *values = scim_alloc(arena, type->n_columns * sizeof(ScimStr));
		ScimStr    *again = scim_alloc(arena, type->n_columns * sizeof(ScimStr));
		ScimResource resource = {0};
		ScimError	err = {0};
		ScimJson   *json;
		ScimBuf		body;
		bool		same;

		scim_buf_init(&body, arena, 1 << 18);
		scim_buf_printf(&body, "{\"schemas\":[\"%s\"]", type->schema->id);
		for (size_t i = 0; i < type->schema->n_attributes; i++)
		{
			const ScimAttribute *attr = &type->schema->attributes[i];

			if (scim_type_link(type, attr) != NULL || (!attr->required && (seed >> 20) % 3 == 0))
			{
				seed = seed * 1103515245u + 12345u;
				continue;
			}
			scim_buf_printf(&body, ",\"%s\":", attr->name);
			random_value(&body, attr, false, &seed);
		}
		for (size_t i = 0; i < type->n_extensions; i++)
		{
			scim_buf_printf(&body, ",\"%s\":{", type->extensions[i]->id);
			for (size_t j = 0; j < type->extensions[i]->n_attributes; j++)
			{
				scim_buf_printf(&body, "%s\"%s\":", j > 0 ? "," : "", type->extensions[i]->attributes[j].name);
				random_value(&body, &type->extensions[i]->attributes[j], false, &seed);
			}
			scim_buf_char(&body, '}');
		}
		scim_buf_char(&body, '}');
		same = scim_json_parse(arena, (ScimStr) {body.data, body.len}, &json, &err) == SCIM_OK &&
			scim_resource_from_body(arena, type, json, NULL, true, &resource, &err) == SCIM_OK &&
			scim_resource_to_row(arena, type, resource.json, values, &err) == SCIM_OK &&
			scim_resource_from_row(arena, type, values, &json, &err) == SCIM_OK &&
			scim_json_equal(json, resource.json) && same_response(arena, type, values, json) &&
			scim_resource_to_row(arena, type, json, again, &err) == SCIM_OK;
		same = same && strcmp(columns_text(arena, type, values), columns_text(arena, type, again)) == 0;
		if (!same && wrong++ == 0)
			printf("# %s\n# %s\n", err.detail, body.data);
		scim_arena_free(arena);
	}
	is_int((long long) wrong, 0, "600 random resources survive their row");
}

/* Body to canonical to row and back. */
static ScimStatus
whole_way(ScimArena *arena, void *argument)
{
	const char *const *type_and_body = argument;
	const ScimResourceType *type = type_named(type_and_body[0]);
	ScimStr		values[64];
	ScimResource resource;
	ScimJson   *json;
	ScimStatus	status = scim_json_parse(arena, str(type_and_body[1]), &json, NULL);

	if (status == SCIM_OK)
		status = scim_resource_from_body(arena, type, json, NULL, true, &resource, NULL);
	if (status == SCIM_OK)
		status = scim_resource_to_row(arena, type, resource.json, values, NULL);
	if (status == SCIM_OK)
		status = scim_resource_from_row(arena, type, values, &json, NULL);
	return status;
}

int
main(void)
{
	const char *user[] = {"User", U ",\"name\":{\"givenName\":\"g\"},\"emails\":[{\"value\":\"a\",\"type\":\"WORK\"},{\"value\":\"a\",\"type\":\"work\"}],"
	E_URN ":{\"manager\":{\"value\":\"2819C223-7F76-453A-919D-413861904646\"}}}"};
	const char *group[] = {"Group", G ",\"members\":[{\"value\":\"" ID_A "\"},{\"value\":\"" ID_B "\"}]}"};
	ScimRegistry *things = thing_registry();

	test_row(things);
	test_row_of_others(things);
	test_round_trips(things);
	scarce("a user, to its row and back", whole_way, user);
	scarce("a group with members", whole_way, group);
	scim_registry_free(things);
	return done_testing();
}
