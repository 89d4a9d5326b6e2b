/*
 * test_bulk.c
 *		The body of POST /Bulk: what is read of it, in which order it is done,
 *		and what stands in the place of references.
 */
#include "core/bulk.h"
#include "scarce.h"
#include "tap.h"

#define BODY(members) "{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:BulkRequest\"]," members "}"
#define OPERATIONS(list) BODY("\"Operations\":[" list "]")
#define POST(id, data) "{\"method\":\"POST\",\"path\":\"/Users\",\"bulkId\":\"" id "\",\"data\":" data "}"

#define MAX 8

static ScimArena *arena;

static ScimStatus
parse(const char *body, ScimBulk *bulk, ScimError *err)
{
	ScimJson   *json = NULL;

	*err = (ScimError) {SCIM_OK, ""};
	*bulk = (ScimBulk) {0};
	is_int(scim_json_parse(arena, (ScimStr) {body, strlen(body)}, &json, err), SCIM_OK, "JSON %s", body);
	return scim_bulk_parse(arena, json, MAX, bulk, err);
}

static const char *
text(ScimStr s)
{
	return s.ptr != NULL ? scim_strdup(arena, s) : NULL;
}

/* "1 0 | 2": the order, with a bar between groups and a * at circles. */
static const char *
order(const ScimBulk *bulk)
{
	ScimBuf		buf;
	size_t		from = 0;

	scim_buf_init(&buf, arena, 1000);
	for (size_t i = 0; i < bulk->n_groups; from = bulk->ends[i++])
	{
		if (i > 0)
			scim_buf_str(&buf, " | ");
		for (size_t k = from; k < bulk->ends[i]; k++)
			scim_buf_printf(&buf, "%s%zu", k > from ? " " : "", bulk->order[k]);
		if (scim_bulk_circular(bulk, i))
			scim_buf_char(&buf, '*');
	}
	return buf.data;
}

static void
test_members(void)
{
	ScimBulk	bulk;
	ScimError	err;

	is_int(parse(OPERATIONS("{\"METHOD\":\"post\",\"PATH\":\"/Users\",\"BulkID\":\"q\",\"Data\":{},\"version\":null,\"x\":1},"
							"{\"method\":\"Put\",\"path\":\"/Users/1\",\"data\":{},\"version\":\"W/\\\"1\\\"\"},"
							"{\"method\":\"PATCH\",\"path\":\"/Users/1\",\"data\":[]},{\"method\":\"DELETE\",\"path\":\"/Users/1\"}"),
				 &bulk, &err), SCIM_OK, "a request");
	is_int((long long) bulk.n, 4, "of four operations");
	ok(bulk.fail_on_errors == INT64_MAX, "no failOnErrors is no limit");
	for (size_t i = 0; i < bulk.n; i++)
		is_int(bulk.operations[i].error.status, SCIM_OK, "operation %zu is good: %s", i, bulk.operations[i].error.detail);
	is_int(bulk.operations[0].method, SCIM_POST, "names and methods in any case");
	is_str(bulk.operations[1].method_name, "PUT", "are told in capitals");
	is_str(text(bulk.operations[0].bulk_id), "q", "bulkId");
	ok(bulk.operations[0].version.ptr == NULL, "a null is absent");
	is_str(text(bulk.operations[1].version), "W/\"1\"", "version");
	is_str(text(bulk.operations[3].path), "/Users/1", "path");
	ok(bulk.operations[3].data == NULL, "a DELETE needs no data");
	is_str(order(&bulk), "0 | 1 | 2 | 3", "done in the order of the request");

	is_int(parse(BODY("\"failOnErrors\":3,\"Operations\":[{}]"), &bulk, &err), SCIM_OK, "failOnErrors");
	is_int(bulk.fail_on_errors, 3, "is kept");
}

static void
test_refused(void)
{
	static const struct
	{
		const char *body;
		ScimStatus	status;
	}			cases[] = {
		{"[]", SCIM_INVALID_SYNTAX},
		{"null", SCIM_INVALID_SYNTAX},
		{"{\"Operations\":[{}]}", SCIM_INVALID_SYNTAX},
		{"{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:BulkResponse\"],\"Operations\":[{}]}", SCIM_INVALID_SYNTAX},
		{BODY("\"x\":1"), SCIM_INVALID_SYNTAX},
		{OPERATIONS(""), SCIM_INVALID_SYNTAX},
		{BODY("\"Operations\":{}"), SCIM_INVALID_SYNTAX},
		{OPERATIONS("{},1"), SCIM_INVALID_SYNTAX},
		{OPERATIONS("null"), SCIM_INVALID_SYNTAX},
		{BODY("\"failOnErrors\":0,\"Operations\":[{}]"), SCIM_INVALID_VALUE},
		{BODY("\"failOnErrors\":-1,\"Operations\":[{}]"), SCIM_INVALID_VALUE},
		{BODY("\"failOnErrors\":1.0,\"Operations\":[{}]"), SCIM_INVALID_VALUE},
		{BODY("\"failOnErrors\":\"1\",\"Operations\":[{}]"), SCIM_INVALID_VALUE},
		{OPERATIONS(POST("a", "{}") "," POST("b", "{}") "," POST("a", "{}")), SCIM_INVALID_VALUE},
		{OPERATIONS("{},{},{},{},{},{},{},{},{}"), SCIM_PAYLOAD_TOO_LARGE},
	};
	ScimBulk	bulk;
	ScimError	err;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		is_int(parse(cases[i].body, &bulk, &err), cases[i].status, "refused: %s", cases[i].body);
		ok(err.status == cases[i].status && err.detail[0] != '\0', "and said why");
	}
	is_str(err.detail, "The number of operations (9) exceeds the maxOperations (8).", "the limit is named");
}

static void
test_flaws(void)
{
	static const char *const cases[][2] = {
		{"{}", "method must be POST, PUT, PATCH or DELETE"},
		{"{\"method\":1}", "method must be a string"},
		{"{\"method\":\"GET\",\"path\":\"/Users\"}", "method must be POST, PUT, PATCH or DELETE"},
		{"{\"method\":\"DELETE\"}", "the operation has no path"},
		{"{\"method\":\"DELETE\",\"path\":[]}", "path must be a string"},
		{"{\"method\":\"DELETE\",\"path\":\"/Users/1?x\"}", "the path of an operation has no query"},
		{"{\"method\":\"DELETE\",\"path\":\"/Users/1\",\"version\":1}", "version must be a string"},
		{"{\"method\":\"POST\",\"path\":\"/Users\",\"data\":{}}", "an operation with the method POST must have a bulkId"},
		{"{\"method\":\"POST\",\"path\":\"/Users\",\"bulkId\":\"\",\"data\":{}}", "an operation with the method POST must have a bulkId"},
		{"{\"method\":\"POST\",\"path\":\"/Users\",\"bulkId\":\"1\"}", "the operation has no data"},
		{"{\"method\":\"PATCH\",\"path\":\"/Users/1\",\"data\":null}", "the operation has no data"},
		{"{\"method\":\"DELETE\",\"path\":\"/Users/bulkId:x\"}", "no operation creates a resource with the bulkId \"x\""},
		{POST("1", "{\"a\":[{\"b\":\"bulkId:2\"}]}"), "no operation creates a resource with the bulkId \"2\""},
		{"{\"method\":\"PUT\",\"path\":\"/Users/1\",\"bulkId\":\"p\",\"data\":{\"a\":\"bulkId:p\"}}", "no operation creates a resource with the bulkId \"p\""},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		ScimBulk	bulk;
		ScimError	err;
		char	   *body = scim_sprintf(arena, OPERATIONS("%s,{\"method\":\"DELETE\",\"path\":\"/Users/1\"}"), cases[i][0]);

		is_int(parse(body, &bulk, &err), SCIM_OK, "the request is good");
		is_str(bulk.operations[0].error.detail, cases[i][1], "the operation is not: %s", cases[i][0]);
		ok(!scim_bulk_ready(&bulk, &bulk.operations[0]), "and is not to be done");
		ok(scim_bulk_ready(&bulk, &bulk.operations[1]), "but the other is");
	}
}

static void
test_order(void)
{
	static const char *const cases[][2] = {
		{POST("a", "{}") "," POST("b", "{}"), "0 | 1"},
		{POST("a", "{\"x\":\"bulkId:b\"}") "," POST("b", "{}"), "1 | 0"},
		{POST("a", "{\"x\":[\"bulkId:b\",\"bulkId:c\",\"bulkId:b\"]}") "," POST("b", "{\"x\":\"bulkId:c\"}") "," POST("c", "{}"), "2 | 1 | 0"},
		{POST("z", "{}") "," POST("a", "{\"x\":\"bulkId:b\"}") "," POST("b", "{\"x\":\"bulkId:a\"}"), "0 | 1 2*"},
		{POST("a", "{\"x\":\"bulkId:a\"}"), "0*"},
		{POST("a", "{\"x\":\"bulkId:c\"}") "," POST("b", "{\"x\":\"bulkId:a\"}") "," POST("c", "{\"x\":\"bulkId:b\"}") "," POST("d", "{\"x\":\"bulkId:a\"}"), "0 1 2* | 3"},
		{POST("d", "{\"x\":\"bulkId:a\"}") "," POST("a", "{\"x\":\"bulkId:b\"}") "," POST("b", "{\"x\":[\"bulkId:a\",\"bulkId:e\"]}") "," POST("e", "{}"), "3 | 1 2* | 0"},
		{"{\"method\":\"DELETE\",\"path\":\"/Users/bulkId:a\"},{\"method\":\"DELETE\",\"path\":\"/Users/bulk%49d%3aa/\"}," POST("a", "{}"), "2 | 0 | 1"},
		{"{\"method\":\"PATCH\",\"path\":\"/Groups/1\",\"data\":[{\"op\":\"remove\",\"path\":\"members[value eq \\\"bulkId:a\\\"]\"}]}," POST("a", "{}"), "1 | 0"},
		/* no references: part of a text, another case, nothing behind the colon */
		{POST("a", "{\"x\":\"see bulkId:b\",\"y\":\"bulkid:b\",\"z\":\"bulkId:\",\"bulkId:b\":1,\"v\":\"\\\"bulkId:b\\\"\"}") "," POST("b", "{}"), "0 | 1"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		ScimBulk	bulk;
		ScimError	err;

		is_int(parse(scim_sprintf(arena, OPERATIONS("%s"), cases[i][0]), &bulk, &err), SCIM_OK, "the request is good");
		is_str(order(&bulk), cases[i][1], "order of %s", cases[i][0]);
	}
}

static void
test_resolve(void)
{
	ScimBulk	bulk;
	ScimError	err;
	ScimJson   *data;
	ScimStr		path;

	is_int(parse(OPERATIONS(POST("a\\\"b", "{}") "," POST("c", "{}") ","
							"{\"method\":\"PATCH\",\"path\":\"/Users/bulkId:c/\",\"data\":[{\"op\":\"add\",\"path\":\"m[value eq \\\"bulkId:c\\\" or value eq \\\"bulkId:c\\\"].x\","
							"\"value\":[{\"value\":\"bulkId:a\\\"b\"},\"bulkId:c\",\"my bulkId:c\"]}]}"), &bulk, &err), SCIM_OK, "references");
	bulk.operations[0].id = SCIM_STR("id-0");
	bulk.operations[1].id = SCIM_STR("id-1");
	is_int(scim_bulk_take_data(arena, &bulk.operations[2], &data), SCIM_OK, "the data is taken");
	ok(scim_json_get(bulk.operations[2].json, "data", NULL) == NULL, "and is no longer in the request");
	is_int(scim_bulk_resolve(arena, &bulk, &bulk.operations[2], data, &path), SCIM_OK, "ids are put in");
	is_str(text(scim_json_text(arena, data)),
		   "{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:PatchOp\"],\"Operations\":[{\"op\":\"add\","
		   "\"path\":\"m[value eq \\\"id-1\\\" or value eq \\\"id-1\\\"].x\",\"value\":[{\"value\":\"id-0\"},\"id-1\",\"my bulkId:c\"]}]}",
		   "in values and paths, and a bare array of operations is a PatchOp");
	is_str(text(path), "/Users/id-1/", "and in the operation's own path");

	bulk.operations[1].failed = true;
	ok(!scim_bulk_ready(&bulk, &bulk.operations[2]), "it is not done when what it refers to failed");
	is_int(bulk.operations[2].error.status, SCIM_CONFLICT, "which is a conflict");
}

static void
test_response(void)
{
	ScimBulk	bulk;
	ScimError	err;
	ScimBuf		buf;

	is_int(parse(OPERATIONS(POST("a", "{}") ",{\"method\":\"Brew\"},{\"method\":\"DELETE\",\"path\":\"/Users/1\"},{}"), &bulk, &err), SCIM_OK, "four operations");
	for (size_t i = 0; i < 3; i++)
	{
		scim_buf_init(&buf, arena, 10000);
		scim_bulk_write_result(&buf, &bulk.operations[i], i == 0 ? "/Users/\"" : NULL, i == 0 ? 7 : 0, 201 + (int) i,
							   i == 1 ? SCIM_STR("{}") : SCIM_STR_NONE);
		bulk.operations[i].result = i == 2 ? SCIM_STR_NONE : (ScimStr) {buf.data, buf.len};
	}
	scim_buf_init(&buf, arena, 10000);
	scim_bulk_write_response(&buf, &bulk);
	is_str(buf.data, "{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:BulkResponse\"],\"Operations\":["
		   "{\"status\":\"201\",\"method\":\"POST\",\"bulkId\":\"a\",\"location\":\"/Users/\\\"\",\"version\":\"W/\\\"7\\\"\"},"
		   "{\"status\":\"202\",\"method\":\"Brew\",\"response\":{}}]}", "results of those that were done");
}

/* All of it, with so much memory as there is. */
static ScimStatus
everything(ScimArena *little, void *argument)
{
	ScimStr		body = {argument, strlen(argument)};
	ScimJson   *json;
	ScimJson   *data;
	ScimBulk	bulk;
	ScimStr		path;
	ScimStatus	status = scim_json_parse(little, body, &json, NULL);

	if (status == SCIM_OK)
		status = scim_bulk_parse(little, json, MAX, &bulk, NULL);
	for (size_t i = 0; status == SCIM_OK && i < bulk.n; i++)
	{
		bulk.operations[i].id = SCIM_STR("019b76da-a800-7000-8000-000000000001");
		status = scim_bulk_take_data(little, &bulk.operations[i], &data);
		if (status == SCIM_OK)
			status = scim_bulk_resolve(little, &bulk, &bulk.operations[i], data, &path);
	}
	return status;
}

int
main(void)
{
	arena = scim_arena_create((size_t) 16 << 20);
	test_members();
	test_refused();
	test_flaws();
	test_order();
	test_resolve();
	test_response();
	scarce("a bulk request", everything,
		   OPERATIONS(POST("a", "{\"x\":\"bulkId:b\"}") "," POST("b", "{\"x\":[\"bulkId:a\",\"bulkId:a\"]}") ","
					  "{\"method\":\"PATCH\",\"path\":\"/Users/bulkId:a\",\"data\":[{\"path\":\"m[value eq \\\"bulkId:b\\\"]\"}]}"));
	scim_arena_free(arena);
	return done_testing();
}
