/*
 * headers.c
 *		The headers of a request (see headers.h).
 */
#include "core/headers.h"

#include <string.h>

#include "core/json.h"
#include "core/json_scan.h"
#include "core/members.h"
#include "core/text.h"

/* What a string literal stands for.  Few have an escape, and those are left to json-c. */
static ScimStatus
string_value(ScimArena *arena, ScimStr literal, ScimStr *out, ScimError *err)
{
	ScimJson   *json;
	ScimStatus	status = SCIM_OK;

	*out = (ScimStr) {literal.ptr + 1, literal.len - 2};
	if (memchr(literal.ptr, '\\', literal.len) != NULL)
	{
		status = scim_json_parse(arena, literal, &json, err);
		if (status == SCIM_OK)
			*out = scim_json_str(json);
	}
	return status;
}

/* Room for one more header; false when out of memory. */
static bool
grow(ScimArena *arena, ScimHeaders *headers, size_t *size)
{
	ScimHeader *list = headers->list;

	if (headers->n < *size)
		return true;
	*size = *size > 0 ? 2 * *size : 24;
	headers->list = scim_alloc(arena, *size * sizeof(ScimHeader));
	if (headers->list != NULL && headers->n > 0)
		memcpy(headers->list, list, headers->n * sizeof(ScimHeader));
	return headers->list != NULL;
}

static ScimStatus
read_header(ScimArena *arena, const ScimMember *member, ScimHeader *header, ScimError *err)
{
	ScimStatus	status = string_value(arena, member->name, &header->name, err);

	header->is_string = member->value.ptr[0] == '"' || member->value.ptr[0] == 'n';
	if (status == SCIM_OK && member->value.ptr[0] == '"')
		status = string_value(arena, member->value, &header->value, err);
	return status;
}

ScimStatus
scim_headers_parse(ScimArena *arena, ScimStr text, ScimHeaders *out, ScimError *err)
{
	ScimMembers members;
	ScimMember	member;
	ScimStr		value;
	size_t		size = 0;
	ScimStatus	status = scim_json_scan(arena, text, &value, err);

	*out = (ScimHeaders) {NULL};
	if (status != SCIM_OK)
		return status;
	out->is_object = value.ptr[0] == '{' || value.ptr[0] == 'n';
	scim_members_begin(&members, value);
	while (status == SCIM_OK && scim_members_next(&members, &member))
	{
		if (!grow(arena, out, &size))
			return scim_error(err, SCIM_NO_MEMORY, "out of memory");
		status = read_header(arena, &member, &out->list[out->n++], err);
	}
	return status;
}

ScimHeader *
scim_header_named(const ScimHeaders *headers, const char *name)
{
	for (size_t i = 0; i < headers->n; i++)
	{
		if (scim_name_is(headers->list[i].name, name))
			return &headers->list[i];
	}
	return NULL;
}

ScimStr
scim_header_value(const ScimHeaders *headers, const char *name)
{
	const ScimHeader *header = scim_header_named(headers, name);

	return header != NULL ? header->value : SCIM_STR_NONE;
}

void
scim_header_replace(ScimHeaders *headers, const char *name, const char *by)
{
	ScimHeader *old = scim_header_named(headers, name);
	ScimHeader *header = scim_header_named(headers, by);

	if (old != NULL)
		old->name = SCIM_STR("");
	if (header != NULL)
		header->name = (ScimStr) {name, strlen(name)};
}
