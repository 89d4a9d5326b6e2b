/*
 * request.c
 *		Method, URI and headers taken apart (see request.h).
 */
#include "core/request.h"

#include <string.h>

#include "core/cursor.h"
#include "core/text.h"

/* ---- path ---- */

static ScimMethod
method_by_name(ScimStr text)
{
	static const char *const names[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
	{
		if (scim_name_is(text, names[i]))
			return (ScimMethod) i;
	}
	if (scim_name_is(text, "HEAD"))
		return SCIM_GET;
	return SCIM_METHOD_OTHER;
}

/* Split text at the first separator; *rest is absent where there is none. */
static ScimStr
split(ScimStr text, char separator, ScimStr *rest)
{
	const char *found = text.len > 0 ? memchr(text.ptr, separator, text.len) : NULL;

	*rest = SCIM_STR_NONE;
	if (found == NULL)
		return text;
	*rest = (ScimStr) {found + 1, (size_t) (text.ptr + text.len - found - 1)};
	return (ScimStr) {text.ptr, (size_t) (found - text.ptr)};
}

/* Percent-decode into the arena.  SCIM_BAD_REQUEST names the part. */
static ScimStatus
decode(ScimArena *arena, ScimStr text, bool plus, const char *part, ScimStr *out, ScimError *err)
{
	ScimBuf		buf;

	scim_buf_init(&buf, arena, text.len + 1);
	if (!scim_percent_decode(&buf, text, plus) && !buf.failed)
		return scim_error(err, SCIM_BAD_REQUEST, "the %s is not valid percent-encoded UTF-8", part);
	if (buf.failed)
		return SCIM_NO_MEMORY;
	*out = (ScimStr) {buf.data != NULL ? buf.data : "", buf.len};
	return SCIM_OK;
}

static ScimEndpoint
endpoint_by_name(ScimStr segment)
{
	static const struct
	{
		const char *name;
		ScimEndpoint endpoint;
	}			names[] = {
		{"ServiceProviderConfig", SCIM_ENDPOINT_SERVICE_PROVIDER_CONFIG},
		{"ResourceTypes", SCIM_ENDPOINT_RESOURCE_TYPES},
		{"Schemas", SCIM_ENDPOINT_SCHEMAS},
		{"Bulk", SCIM_ENDPOINT_BULK},
		{".search", SCIM_ENDPOINT_SEARCH},
		{"Me", SCIM_ENDPOINT_ME},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
	{
		if (scim_str_equal(segment, (ScimStr) {names[i].name, strlen(names[i].name)}))
			return names[i].endpoint;
	}
	return SCIM_ENDPOINT_UNKNOWN;
}

/* Which endpoint one or two decoded segments name; second is absent where there is none. */
static void
resolve_endpoint(const ScimRegistry *registry, ScimStr first, ScimStr second, ScimRequest *out)
{
	out->type = scim_registry_type_by_endpoint(registry, first);
	if (out->type != NULL)
	{
		out->endpoint = SCIM_ENDPOINT_COLLECTION;
		if (second.ptr != NULL && endpoint_by_name(second) == SCIM_ENDPOINT_SEARCH)
			out->endpoint = SCIM_ENDPOINT_SEARCH;
		else if (second.ptr != NULL)
		{
			out->endpoint = SCIM_ENDPOINT_RESOURCE;
			out->id = second;
		}
		return;
	}
	out->endpoint = endpoint_by_name(first);
	if (second.ptr == NULL)
		return;
	if (out->endpoint == SCIM_ENDPOINT_RESOURCE_TYPES || out->endpoint == SCIM_ENDPOINT_SCHEMAS)
		out->id = second;
	else
		out->endpoint = SCIM_ENDPOINT_UNKNOWN;
}

/*
 * RFC 7644 section 3.13: the version of the protocol before the endpoint, as
 * in /v2/Users.  There is one; another is refused.
 */
static ScimStatus
strip_version(ScimStr *path, ScimError *err)
{
	size_t		len = 0;

	if (path->len < 3 || path->ptr[0] != '/' || scim_ascii_lower(path->ptr[1]) != 'v')
		return SCIM_OK;
	while (2 + len < path->len && path->ptr[2 + len] >= '0' && path->ptr[2 + len] <= '9')
		len++;
	if (len == 0 || (2 + len < path->len && path->ptr[2 + len] != '/'))
		return SCIM_OK;
	if (len != 1 || path->ptr[2] != '2')
		return scim_error(err, SCIM_INVALID_VERS, "the version of the protocol is v2");
	*path = (ScimStr) {path->ptr + 3, path->len - 3};
	return SCIM_OK;
}

static ScimStatus
parse_path(ScimArena *arena, const ScimRegistry *registry, ScimRequest *out, ScimError *err)
{
	ScimStr		path = out->path;
	ScimStr		first;
	ScimStr		second;
	ScimStatus	status = strip_version(&path, err);

	if (status != SCIM_OK)
	{
		out->endpoint = SCIM_ENDPOINT_UNKNOWN;
		return status;
	}
	if (path.len > 0 && path.ptr[path.len - 1] == '/')
		path.len--;
	if (path.len == 0)
	{
		out->endpoint = SCIM_ENDPOINT_ROOT;
		return SCIM_OK;
	}
	out->endpoint = SCIM_ENDPOINT_UNKNOWN;
	if (path.ptr[0] != '/')
		return scim_error(err, SCIM_NOT_FOUND, "the URI must start with a slash");
	path.ptr++;
	path.len--;
	first = split(path, '/', &second);
	status = decode(arena, first, false, "path", &first, err);
	if (status == SCIM_OK && second.ptr != NULL && memchr(second.ptr, '/', second.len) == NULL)
		status = decode(arena, second, false, "path", &second, err);
	else if (second.ptr != NULL)
		first = SCIM_STR("");
	if (status != SCIM_OK)
		return status;
	resolve_endpoint(registry, first, second, out);
	if (out->endpoint == SCIM_ENDPOINT_UNKNOWN || (second.ptr != NULL && second.len == 0))
		return scim_error(err, SCIM_NOT_FOUND, "there is no such endpoint");
	return SCIM_OK;
}

/* ---- query ---- */

/* A decimal integer; out of range becomes the nearest in range.  false for any other text. */
static bool
parse_integer(ScimStr text, int64_t *out)
{
	ScimCursor	cursor = scim_cursor(text);
	bool		negative = scim_cursor_byte(&cursor, '-');
	int64_t		value = 0;
	int			c;

	if (!negative)
		(void) scim_cursor_byte(&cursor, '+');
	if (scim_cursor_at_end(&cursor))
		return false;
	for (; (c = scim_cursor_peek(&cursor)) != -1; cursor.ptr++)
	{
		if (c < '0' || c > '9')
			return false;
		value = value > (INT64_MAX - 9) / 10 ? INT64_MAX : value * 10 + (c - '0');
	}
	*out = negative ? -value : value;
	return true;
}

/* The text parameter of that name; NULL when there is none. */
static ScimStr *
text_parameter(ScimQuery *query, ScimStr name)
{
	if (scim_name_is(name, "filter"))
		return &query->filter;
	if (scim_name_is(name, "sortBy"))
		return &query->sort_by;
	if (scim_name_is(name, "sortOrder"))
		return &query->sort_order;
	if (scim_name_is(name, "attributes"))
		return &query->attributes;
	if (scim_name_is(name, "excludedAttributes"))
		return &query->excluded_attributes;
	if (scim_name_is(name, "cursor"))
		return &query->cursor;
	return NULL;
}

static ScimStatus
set_parameter(ScimQuery *query, ScimStr name, ScimStr value, ScimError *err)
{
	ScimStr    *text = text_parameter(query, name);
	bool		start_index = scim_name_is(name, "startIndex");
	bool		count = scim_name_is(name, "count");

	if ((text != NULL && text->ptr != NULL) || (start_index && query->has_start_index) ||
		(count && query->has_count))
		return scim_error(err, SCIM_BAD_REQUEST, "the parameter %.*s is given twice", (int) name.len, name.ptr);
	if (text != NULL)
		*text = value;
	else if (start_index)
	{
		query->has_start_index = true;
		if (!parse_integer(value, &query->start_index))
			return scim_error(err, SCIM_INVALID_VALUE, "startIndex must be an integer");
	}
	else if (count)
	{
		query->has_count = true;
		if (!parse_integer(value, &query->count))
			return scim_error(err, SCIM_INVALID_COUNT, "count must be an integer");
	}
	return SCIM_OK;
}

ScimStatus
scim_query_check(ScimQuery *query, ScimError *err)
{
	bool		invalid_count = query->cursor.ptr != NULL && query->has_count && query->count < 1;

	if (!query->has_start_index || query->start_index < 1)
		query->start_index = 1;
	if (!query->has_count || query->count < 0)
		query->count = 0;
	if (invalid_count)
		return scim_error(err, SCIM_INVALID_COUNT, "with a cursor, count must be at least 1");
	if (query->cursor.ptr != NULL && query->has_start_index)
		return scim_error(err, SCIM_INVALID_VALUE, "cursor and startIndex cannot be used together");
	return SCIM_OK;
}

static ScimStatus
parse_query(ScimArena *arena, ScimRequest *out, ScimError *err)
{
	ScimStr		rest = out->query;

	while (rest.ptr != NULL)
	{
		ScimStr		pair = split(rest, '&', &rest);
		ScimStr		value;
		ScimStr		name = split(pair, '=', &value);
		ScimStatus	status;

		if (pair.len == 0)
			continue;
		status = decode(arena, name, true, "query", &name, err);
		if (status == SCIM_OK)
			status = decode(arena, value, true, "query", &value, err);
		if (status == SCIM_OK)
			status = set_parameter(&out->list, name, value, err);
		if (status != SCIM_OK)
		{
			(void) scim_query_check(&out->list, NULL);
			return status;
		}
	}
	return scim_query_check(&out->list, err);
}

/* ---- headers ---- */

/* The header of that name, absent when not given. */
static ScimStatus
get_header(const ScimHeaders *headers, const char *name, ScimStr *out, ScimError *err)
{
	const ScimHeader *header = scim_header_named(headers, name);

	if (header == NULL)
		return SCIM_OK;
	if (!header->is_string)
		return scim_error(err, SCIM_BAD_REQUEST, "the header %s must be a string", name);
	*out = header->value;
	return SCIM_OK;
}

static ScimStatus
parse_headers(const ScimHeaders *headers, ScimRequest *out, ScimError *err)
{
	static const char *const references[] = {"client-request-id", "x-ms-client-request-id",
	"x-okta-request-id", "x-request-id"};
	const struct
	{
		const char *name;
		ScimStr    *value;
	}			wanted[] = {
		{"If-Match", &out->if_match},
		{"If-None-Match", &out->if_none_match},
		{"Content-Type", &out->content_type},
		{"Accept", &out->accept},
		{"User-Agent", &out->user_agent},
	};
	ScimStatus	status = SCIM_OK;

	if (headers == NULL)
		return SCIM_OK;
	if (!headers->is_object)
		return scim_error(err, SCIM_BAD_REQUEST, "the headers must be a JSON object");
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]) && status == SCIM_OK; i++)
		status = get_header(headers, wanted[i].name, wanted[i].value, err);
	for (size_t i = 0; i < sizeof(references) / sizeof(references[0]) && status == SCIM_OK && out->idp_ref.ptr == NULL; i++)
		status = get_header(headers, references[i], &out->idp_ref, err);
	return status;
}

/* ---- the whole ---- */

static bool
is_discovery(ScimEndpoint endpoint)
{
	return endpoint == SCIM_ENDPOINT_SERVICE_PROVIDER_CONFIG || endpoint == SCIM_ENDPOINT_RESOURCE_TYPES ||
		endpoint == SCIM_ENDPOINT_SCHEMAS;
}

ScimStatus
scim_request_parse(ScimArena *arena, const ScimRegistry *registry, ScimStr method, ScimStr uri,
				   const ScimHeaders *headers, ScimRequest *out, ScimError *err)
{
	ScimStatus	path_status;
	ScimStatus	query_status;
	ScimStatus	header_status;
	ScimError	ignored;
	ScimError  *next = err;

	*out = (ScimRequest) {.method = method_by_name(method), .method_text = method};
	out->path = split(uri, '?', &out->query);

	/* All parts are read, so that the audit event has them; the first error counts. */
	path_status = parse_path(arena, registry, out, next);
	if (path_status != SCIM_OK)
		next = &ignored;
	query_status = parse_query(arena, out, next);
	if (query_status != SCIM_OK)
		next = &ignored;
	header_status = parse_headers(headers, out, next);

	if (path_status != SCIM_OK)
		return path_status;
	if (query_status != SCIM_OK)
		return query_status;
	if (header_status != SCIM_OK)
		return header_status;
	if (is_discovery(out->endpoint) && out->list.filter.ptr != NULL)
		return scim_error(err, SCIM_FORBIDDEN, "discovery documents cannot be filtered");
	return SCIM_OK;
}

bool
scim_request_reads(const ScimRequest *request)
{
	return request->method == SCIM_GET ||
		(request->method == SCIM_POST && request->endpoint == SCIM_ENDPOINT_SEARCH);
}

const char *
scim_request_allow(const ScimRequest *request)
{
	switch (request->endpoint)
	{
		case SCIM_ENDPOINT_COLLECTION:
			return "GET, POST";
		case SCIM_ENDPOINT_RESOURCE:
		case SCIM_ENDPOINT_ME:
			return "GET, PUT, PATCH, DELETE";
		case SCIM_ENDPOINT_BULK:
		case SCIM_ENDPOINT_SEARCH:
			return "POST";
		case SCIM_ENDPOINT_SERVICE_PROVIDER_CONFIG:
		case SCIM_ENDPOINT_RESOURCE_TYPES:
		case SCIM_ENDPOINT_SCHEMAS:
		case SCIM_ENDPOINT_ROOT:
			return "GET";
		case SCIM_ENDPOINT_UNKNOWN:
			break;
	}
	return "";
}

/* ---- media types ---- */

static ScimStr
trimmed(ScimStr text)
{
	while (text.len > 0 && (text.ptr[text.len - 1] == ' ' || text.ptr[text.len - 1] == '\t'))
		text.len--;
	while (text.len > 0 && (text.ptr[0] == ' ' || text.ptr[0] == '\t'))
		text = (ScimStr) {text.ptr + 1, text.len - 1};
	return text;
}

/* Is a parameter the name of another encoding than UTF-8, which has ASCII in it? */
static bool
is_other_charset(ScimStr parameter)
{
	ScimStr		value;
	ScimStr		name = split(parameter, '=', &value);

	if (!scim_name_is(trimmed(name), "charset"))
		return false;
	value = trimmed(value);
	if (value.len >= 2 && value.ptr[0] == '"' && value.ptr[value.len - 1] == '"')
		value = (ScimStr) {value.ptr + 1, value.len - 2};
	return !scim_name_is(value, "utf-8") && !scim_name_is(value, "utf8") && !scim_name_is(value, "us-ascii");
}

bool
scim_media_type_known(ScimStr content_type)
{
	ScimStr		rest;
	ScimStr		type = trimmed(split(content_type, ';', &rest));

	if (!scim_name_is(type, "application/scim+json") && !scim_name_is(type, "application/json"))
		return false;
	while (rest.ptr != NULL)
	{
		ScimStr		parameter = split(rest, ';', &rest);

		if (is_other_charset(parameter))
			return false;
	}
	return true;
}

const char *
scim_request_answer_type(const ScimRequest *request)
{
	ScimStr		rest = request->accept;
	bool		json = false;

	while (rest.ptr != NULL)
	{
		ScimStr		ignored;
		ScimStr		range = trimmed(split(split(rest, ',', &rest), ';', &ignored));

		if (scim_name_is(range, "application/scim+json") || scim_name_is(range, "application/*") || scim_name_is(range, "*/*"))
			return "application/scim+json";
		json = json || scim_name_is(range, "application/json");
	}
	return json ? "application/json" : "application/scim+json";
}

/* ---- entity tags ---- */

/* Step over one entity tag; false when there is none.  *opaque is what stands in the quotes. */
static bool
parse_etag(ScimCursor *cursor, ScimStr *opaque)
{
	const char *from;

	if (scim_cursor_byte(cursor, 'W') && !scim_cursor_byte(cursor, '/'))
		return false;
	if (!scim_cursor_byte(cursor, '"'))
		return false;
	from = cursor->ptr;
	while (scim_cursor_peek(cursor) != '"')
	{
		if (scim_cursor_at_end(cursor))
			return false;
		cursor->ptr++;
	}
	*opaque = (ScimStr) {from, (size_t) (cursor->ptr - from)};
	cursor->ptr++;
	return true;
}

static void
skip_list_space(ScimCursor *cursor)
{
	int			c;

	while ((c = scim_cursor_peek(cursor)) == ' ' || c == '\t' || c == ',')
		cursor->ptr++;
}

/* The digits of a version, without sign or leading zeros. */
static bool
opaque_is(ScimStr opaque, int64_t version)
{
	int64_t		value;

	return opaque.len > 0 && opaque.ptr[0] >= '1' && opaque.ptr[0] <= '9' && opaque.len <= 19 &&
		parse_integer(opaque, &value) && value == version;
}

bool
scim_etag_matches(ScimStr header, int64_t version)
{
	ScimCursor	cursor = scim_cursor(header);
	ScimStr		opaque;

	skip_list_space(&cursor);
	if (scim_cursor_byte(&cursor, '*'))
	{
		skip_list_space(&cursor);
		return scim_cursor_at_end(&cursor);
	}
	while (parse_etag(&cursor, &opaque))
	{
		if (opaque_is(opaque, version))
			return true;
		skip_list_space(&cursor);
	}
	return false;
}
