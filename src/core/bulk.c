/*
 * bulk.c
 *		The body of POST /Bulk and of its answer (see bulk.h).
 */
#include "core/bulk.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"

#define PREFIX "bulkId:"
#define QUOTED_PREFIX "\"" PREFIX

/* ---- references ---- */

/* Goes through the references of an operation: to list them, or to put ids in their place. */
typedef struct Walk
{
	ScimArena  *arena;
	const ScimBulk *bulk;
	bool		replace;
	bool		failed;			/* out of memory */

	ScimBulkOperation *from;	/* when listing */
	size_t		room;			/* of its needs */
} Walk;

/* The bulkId that a whole string refers to; absent when it is no reference. */
static ScimStr
reference(ScimStr text)
{
	size_t		len = strlen(PREFIX);

	if (text.len <= len || memcmp(text.ptr, PREFIX, len) != 0)
		return SCIM_STR_NONE;
	return (ScimStr) {text.ptr + len, text.len - len};
}

static int
compare_text(ScimStr a, ScimStr b)
{
	int			order = memcmp(a.ptr, b.ptr, a.len < b.len ? a.len : b.len);

	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* The first operation with that bulkId; NULL when there is none. */
static ScimBulkOperation *
find_operation(const ScimBulk *bulk, ScimStr id)
{
	size_t		low = 0;
	size_t		high = bulk->n_by_id;

	while (low < high)
	{
		size_t		middle = low + (high - low) / 2;

		if (compare_text(bulk->operations[bulk->by_id[middle]].bulk_id, id) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == bulk->n_by_id || compare_text(bulk->operations[bulk->by_id[low]].bulk_id, id) != 0)
		return NULL;
	return &bulk->operations[bulk->by_id[low]];
}

/* List what a reference names as a need. */
static void
add_need(Walk *walk, ScimStr id)
{
	ScimBulkOperation *from = walk->from;
	const ScimBulkOperation *target = find_operation(walk->bulk, id);

	if (target == NULL || target->method != SCIM_POST)
	{
		if (from->error.status == SCIM_OK)
			scim_error(&from->error, SCIM_CONFLICT, "no operation creates a resource with the bulkId \"%.*s\"",
					   (int) scim_utf8_cut(id, 100).len, id.ptr);
		return;
	}
	if (from->n_needs == walk->room)
	{
		size_t		room = walk->room > 0 ? walk->room * 2 : 8;
		size_t	   *needs = scim_alloc(walk->arena, room * sizeof(size_t));

		if (needs == NULL)
		{
			walk->failed = true;
			return;
		}
		if (from->n_needs > 0)
			memcpy(needs, from->needs, from->n_needs * sizeof(size_t));
		from->needs = needs;
		walk->room = room;
	}
	from->needs[from->n_needs++] = (size_t) (target - walk->bulk->operations);
}

/* The id in the place of a reference. */
static ScimStr
replacement(const Walk *walk, ScimStr id)
{
	return find_operation(walk->bulk, id)->id;
}

static void
set_string(Walk *walk, ScimJson *string, ScimStr text)
{
	if (json_object_set_string_len(string, text.ptr, (int) text.len) != 1)
		walk->failed = true;
}

/* The next reference in quotes, from *at on, and where the text behind it goes on; absent when there is none. */
static ScimStr
next_quoted(ScimStr text, size_t *at, size_t *behind)
{
	size_t		len = strlen(QUOTED_PREFIX);

	for (; *at + len < text.len; ++*at)
	{
		const char *from = text.ptr + *at + len;
		const char *quote;

		if (memcmp(text.ptr + *at, QUOTED_PREFIX, len) != 0)
			continue;
		quote = memchr(from, '"', text.len - *at - len);
		if (quote == NULL || quote == from)
			continue;
		*behind = (size_t) (quote - text.ptr);
		return (ScimStr) {from, (size_t) (quote - from)};
	}
	return SCIM_STR_NONE;
}

/* The references in the path of a PATCH operation. */
static void
walk_patch_path(Walk *walk, ScimJson *string)
{
	ScimStr		text = scim_json_str(string);
	size_t		done = 0;
	size_t		at = 0;
	size_t		behind;
	ScimStr		id;
	ScimBuf		buf;

	scim_buf_init(&buf, walk->arena, SIZE_MAX / 4);
	while ((id = next_quoted(text, &at, &behind)).ptr != NULL)
	{
		if (walk->replace)
		{
			ScimStr		put = replacement(walk, id);

			scim_buf_bytes(&buf, text.ptr + done, at + 1 - done);
			scim_buf_bytes(&buf, put.ptr, put.len);
		}
		else
			add_need(walk, id);
		done = at = behind;
	}
	if (!walk->replace || done == 0)
		return;
	scim_buf_bytes(&buf, text.ptr + done, text.len - done);
	if (buf.failed)
		walk->failed = true;
	else
		set_string(walk, string, (ScimStr) {buf.data, buf.len});
}

static void
walk_value(Walk *walk, ScimJson *value, bool is_path)
{
	ScimStr		id = reference(scim_json_str(value));
	struct json_object_iter member;

	if (id.ptr != NULL && walk->replace)
		set_string(walk, value, replacement(walk, id));
	else if (id.ptr != NULL)
		add_need(walk, id);
	else if (is_path && json_object_is_type(value, json_type_string))
		walk_patch_path(walk, value);
	else if (json_object_is_type(value, json_type_array))
	{
		for (size_t i = 0; i < json_object_array_length(value); i++)
			walk_value(walk, json_object_array_get_idx(value, i), false);
	}
	else if (json_object_is_type(value, json_type_object))
	{
		json_object_object_foreachC(value, member)
			walk_value(walk, member.val, scim_name_is((ScimStr) {member.key, strlen(member.key)}, "path"));
	}
}

/* Where the last segment of an operation's path stands in it. */
static ScimStr
last_segment(ScimStr path)
{
	size_t		end = path.len;
	size_t		start;

	if (end > 0 && path.ptr[end - 1] == '/')
		end--;
	for (start = end; start > 0 && path.ptr[start - 1] != '/';)
		start--;
	return (ScimStr) {path.ptr + start, end - start};
}

/* The bulkId that a segment of a path refers to, decoded; absent when it is no reference. */
static ScimStr
segment_reference(Walk *walk, ScimStr segment)
{
	ScimBuf		buf;

	scim_buf_init(&buf, walk->arena, segment.len + 1);
	if (segment.len == 0 || !scim_percent_decode(&buf, segment, false))
		return SCIM_STR_NONE;
	walk->failed = walk->failed || buf.failed;
	return buf.failed ? SCIM_STR_NONE : reference((ScimStr) {buf.data, buf.len});
}

/* List what an operation needs. */
static ScimStatus
find_needs(ScimArena *arena, const ScimBulk *bulk, ScimBulkOperation *operation)
{
	Walk		walk = {.arena = arena, .bulk = bulk, .from = operation};
	ScimStr		id = segment_reference(&walk, last_segment(operation->path));

	if (id.ptr != NULL)
		add_need(&walk, id);
	walk_value(&walk, operation->data, false);
	if (walk.failed)
		return SCIM_NO_MEMORY;
	if (operation->error.status != SCIM_OK)
		operation->n_needs = 0;
	return SCIM_OK;
}

/* ---- the request ---- */

static void
read_method(ScimBulkOperation *operation, ScimStr text)
{
	static const struct
	{
		const char *name;
		ScimMethod	method;
	}			methods[] = {
		{"POST", SCIM_POST},
		{"PUT", SCIM_PUT},
		{"PATCH", SCIM_PATCH},
		{"DELETE", SCIM_DELETE},
	};

	operation->method = SCIM_METHOD_OTHER;
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
	{
		if (scim_name_is(text, methods[i].name))
		{
			operation->method = methods[i].method;
			operation->method_name = methods[i].name;
		}
	}
}

/* A string member; what is no string is an error of the operation. */
static ScimStr
get_text(ScimBulkOperation *operation, const char *name)
{
	ScimJson   *value = scim_json_get(operation->json, name, NULL);

	if (value != NULL && !json_object_is_type(value, json_type_string) && operation->error.status == SCIM_OK)
		scim_error(&operation->error, SCIM_INVALID_SYNTAX, "%s must be a string", name);
	return scim_json_str(value);
}

/* What is wrong with an operation, in words; NULL when it has all it must have. */
static const char *
flaw(const ScimBulkOperation *operation)
{
	if (operation->method == SCIM_METHOD_OTHER)
		return "method must be POST, PUT, PATCH or DELETE";
	if (operation->path.ptr == NULL)
		return "the operation has no path";
	if (operation->path.len > 0 && memchr(operation->path.ptr, '?', operation->path.len) != NULL)
		return "the path of an operation has no query";
	if (operation->method == SCIM_POST && operation->bulk_id.len == 0)
		return "an operation with the method POST must have a bulkId";
	if (operation->method != SCIM_DELETE && operation->data == NULL)
		return "the operation has no data";
	return NULL;
}

static void
read_operation(ScimBulkOperation *operation, ScimJson *json)
{
	const char *wrong;

	operation->json = json;
	read_method(operation, get_text(operation, "method"));
	operation->bulk_id = get_text(operation, "bulkId");
	operation->path = get_text(operation, "path");
	operation->version = get_text(operation, "version");
	operation->data = scim_json_get(json, "data", NULL);
	wrong = flaw(operation);
	if (wrong != NULL && operation->error.status == SCIM_OK)
		scim_error(&operation->error, SCIM_INVALID_SYNTAX, "%s", wrong);
}

/* An operation's bulkId with its place. */
typedef struct Named
{
	ScimStr		bulk_id;
	size_t		place;
} Named;

static int
compare_named(const void *a, const void *b)
{
	const Named *x = a;
	const Named *y = b;
	int			order = compare_text(x->bulk_id, y->bulk_id);

	return order != 0 ? order : (x->place > y->place) - (x->place < y->place);
}

/* Sort the bulkIds.  Of several operations with the same, none could be meant. */
static ScimStatus
index_ids(ScimArena *arena, ScimBulk *bulk, ScimError *err)
{
	Named	   *named = scim_alloc(arena, bulk->n * sizeof(Named));

	bulk->by_id = scim_alloc(arena, bulk->n * sizeof(size_t));
	if (named == NULL || bulk->by_id == NULL)
		return SCIM_NO_MEMORY;
	for (size_t i = 0; i < bulk->n; i++)
	{
		if (bulk->operations[i].bulk_id.len > 0)
			named[bulk->n_by_id++] = (Named) {bulk->operations[i].bulk_id, i};
	}
	qsort(named, bulk->n_by_id, sizeof(Named), compare_named);
	for (size_t i = 0; i < bulk->n_by_id; i++)
	{
		bulk->by_id[i] = named[i].place;
		if (i > 0 && compare_text(named[i - 1].bulk_id, named[i].bulk_id) == 0)
			return scim_error(err, SCIM_INVALID_VALUE, "several operations have the bulkId \"%.*s\"",
							  (int) scim_utf8_cut(named[i].bulk_id, 100).len, named[i].bulk_id.ptr);
	}
	return SCIM_OK;
}

/* The message itself: schemas, failOnErrors, and the array of operations. */
static ScimStatus
read_message(ScimJson *body, int max_operations, ScimBulk *out, ScimJson **operations, ScimError *err)
{
	ScimJson   *limit = scim_json_get(body, "failOnErrors", NULL);

	if (!scim_json_has_schema(body, SCIM_URN_BULK_REQUEST))
		return scim_error(err, SCIM_INVALID_SYNTAX, "the body must be an object whose schemas are [\"%s\"]", SCIM_URN_BULK_REQUEST);
	*operations = scim_json_get(body, "Operations", NULL);
	if (!json_object_is_type(*operations, json_type_array) || json_object_array_length(*operations) == 0)
		return scim_error(err, SCIM_INVALID_SYNTAX, "Operations must be an array of at least one operation");
	out->n = json_object_array_length(*operations);
	if (out->n > (size_t) max_operations)
		return scim_error(err, SCIM_PAYLOAD_TOO_LARGE, "The number of operations (%zu) exceeds the maxOperations (%d).",
						  out->n, max_operations);
	out->fail_on_errors = INT64_MAX;
	if (limit == NULL)
		return SCIM_OK;
	if (!json_object_is_type(limit, json_type_int) || json_object_get_int64(limit) < 1)
		return scim_error(err, SCIM_INVALID_VALUE, "failOnErrors must be a positive integer");
	out->fail_on_errors = json_object_get_int64(limit);
	return SCIM_OK;
}

ScimStatus
scim_bulk_parse(ScimArena *arena, ScimJson *body, int max_operations, ScimBulk *out, ScimError *err)
{
	ScimJson   *operations = NULL;
	ScimStatus	status;

	*out = (ScimBulk) {0};
	status = read_message(body, max_operations, out, &operations, err);
	if (status != SCIM_OK)
		return status;
	out->operations = scim_alloc(arena, out->n * sizeof(ScimBulkOperation));
	if (out->operations == NULL)
		return SCIM_NO_MEMORY;
	for (size_t i = 0; i < out->n; i++)
	{
		ScimJson   *json = json_object_array_get_idx(operations, i);

		if (!json_object_is_type(json, json_type_object))
			return scim_error(err, SCIM_INVALID_SYNTAX, "an operation must be an object");
		read_operation(&out->operations[i], json);
	}
	status = index_ids(arena, out, err);
	for (size_t i = 0; i < out->n && status == SCIM_OK; i++)
	{
		if (out->operations[i].error.status == SCIM_OK)
			status = find_needs(arena, out, &out->operations[i]);
	}
	return status == SCIM_OK ? scim_bulk_find_order(arena, out) : status;
}

/* ---- one operation ---- */

bool
scim_bulk_ready(const ScimBulk *bulk, ScimBulkOperation *operation)
{
	for (size_t i = 0; i < operation->n_needs && operation->error.status == SCIM_OK; i++)
	{
		const ScimBulkOperation *need = &bulk->operations[operation->needs[i]];

		if (need->failed)
			scim_error(&operation->error, SCIM_CONFLICT, "the operation with the bulkId \"%.*s\", which this one refers to, failed",
					   (int) scim_utf8_cut(need->bulk_id, 100).len, need->bulk_id.ptr);
	}
	return operation->error.status == SCIM_OK;
}

/* The bare operations of a PATCH as the message they belong in. */
static ScimJson *
patch_message(ScimArena *arena, ScimJson *operations)
{
	ScimJson   *message = scim_json_object(arena);
	ScimJson   *schemas = scim_json_array(arena);
	ScimJson   *urn = scim_json_string(arena, SCIM_STR(SCIM_URN_PATCH_OP));

	if (message == NULL || schemas == NULL || urn == NULL || !scim_json_append(schemas, urn) ||
		!scim_json_set(message, "schemas", schemas) || !scim_json_set(message, "Operations", operations))
		return NULL;
	return message;
}

ScimStatus
scim_bulk_take_data(ScimArena *arena, ScimBulkOperation *operation, ScimJson **data)
{
	struct json_object_iter member;

	*data = operation->data;
	if (*data == NULL)
		return SCIM_OK;
	*data = scim_own(arena, json_object_get(*data));
	if (*data == NULL)
		return SCIM_NO_MEMORY;
	operation->data = NULL;
	json_object_object_foreachC(operation->json, member)
	{
		if (member.val == *data)
		{
			json_object_object_del(operation->json, member.key);
			break;
		}
	}
	if (operation->method == SCIM_PATCH && json_object_is_type(*data, json_type_array))
		*data = patch_message(arena, *data);
	return *data != NULL ? SCIM_OK : SCIM_NO_MEMORY;
}

ScimStatus
scim_bulk_resolve(ScimArena *arena, const ScimBulk *bulk, const ScimBulkOperation *operation, ScimJson *data,
				  ScimStr *path)
{
	Walk		walk = {.arena = arena, .bulk = bulk, .replace = true};
	ScimStr		segment = last_segment(operation->path);
	ScimStr		id;
	ScimBuf		buf;

	*path = operation->path;
	if (operation->n_needs == 0)
		return SCIM_OK;
	walk_value(&walk, data, false);
	id = segment_reference(&walk, segment);
	if (walk.failed)
		return SCIM_NO_MEMORY;
	if (id.ptr == NULL)
		return SCIM_OK;
	id = replacement(&walk, id);
	scim_buf_init(&buf, arena, SIZE_MAX / 4);
	scim_buf_bytes(&buf, path->ptr, (size_t) (segment.ptr - path->ptr));
	scim_buf_bytes(&buf, id.ptr, id.len);
	scim_buf_bytes(&buf, segment.ptr + segment.len, (size_t) (path->ptr + path->len - segment.ptr - segment.len));
	*path = (ScimStr) {buf.data, buf.len};
	return buf.failed ? SCIM_NO_MEMORY : SCIM_OK;
}

/* ---- the response ---- */

static void
write_member(ScimBuf *buf, const char *name, ScimStr text)
{
	if (text.ptr == NULL)
		return;
	scim_buf_char(buf, ',');
	scim_buf_json_string(buf, name, strlen(name));
	scim_buf_char(buf, ':');
	scim_buf_json_string(buf, text.ptr, text.len);
}

void
scim_bulk_write_result(ScimBuf *buf, const ScimBulkOperation *operation, const char *location, int64_t version,
					   int http_status, ScimStr response)
{
	ScimStr		method = scim_json_str(scim_json_get(operation->json, "method", NULL));
	char		etag[SCIM_ETAG_SIZE];

	scim_buf_printf(buf, "{\"status\":\"%d\"", http_status);
	if (operation->method_name != NULL)
		method = (ScimStr) {operation->method_name, strlen(operation->method_name)};
	write_member(buf, "method", method);
	write_member(buf, "bulkId", operation->bulk_id);
	if (location != NULL)
		write_member(buf, "location", (ScimStr) {location, strlen(location)});
	if (version > 0)
	{
		scim_etag(version, etag);
		write_member(buf, "version", (ScimStr) {etag, strlen(etag)});
	}
	if (response.ptr != NULL)
	{
		scim_buf_str(buf, ",\"response\":");
		scim_buf_bytes(buf, response.ptr, response.len);
	}
	scim_buf_char(buf, '}');
}

void
scim_bulk_write_response(ScimBuf *buf, const ScimBulk *bulk)
{
	bool		first = true;

	scim_buf_str(buf, "{\"schemas\":[\"" SCIM_URN_BULK_RESPONSE "\"],\"Operations\":[");
	for (size_t i = 0; i < bulk->n; i++)
	{
		ScimStr		result = bulk->operations[i].result;

		if (result.ptr == NULL)
			continue;
		if (!first)
			scim_buf_char(buf, ',');
		first = false;
		scim_buf_bytes(buf, result.ptr, result.len);
	}
	scim_buf_str(buf, "]}");
}
