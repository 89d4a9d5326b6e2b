/*
 * entry_read.c
 *		Entries read back from their bytes (see entry.h).
 */
#include "core/entry.h"

#include <string.h>

#include "core/cursor.h"
#include "core/text.h"

/* A number from min to max, without leading zeros. */
static bool
number(ScimCursor *cursor, int64_t min, int64_t max, int64_t *out)
{
	bool		negative = scim_cursor_byte(cursor, '-');
	const char *from = cursor->ptr;
	uint64_t	value;

	while (cursor->ptr < cursor->end && *cursor->ptr >= '0' && *cursor->ptr <= '9')
		cursor->ptr++;
	if (!scim_decimal_parse((ScimStr) {from, (size_t) (cursor->ptr - from)}, (uint64_t) INT64_MAX, &value))
		return false;
	*out = negative ? -(int64_t) value : (int64_t) value;
	return *out >= min && *out <= max && !(negative && value == 0);
}

static bool
number32(ScimCursor *cursor, int32_t *out)
{
	int64_t		value;

	if (!number(cursor, INT32_MIN, INT32_MAX, &value))
		return false;
	*out = (int32_t) value;
	return true;
}

/* The next bytes, between quotes; absent when there are none. */
static ScimStr
quoted(ScimCursor *cursor, size_t len)
{
	ScimStr		inside = {cursor->ptr + 1, len};

	if ((size_t) (cursor->end - cursor->ptr) < len + 2 || cursor->ptr[0] != '"' || cursor->ptr[len + 1] != '"')
		return SCIM_STR_NONE;
	cursor->ptr += len + 2;
	return inside;
}

static bool
hash(ScimCursor *cursor, uint8_t out[SCIM_HASH_SIZE])
{
	return scim_hex_exactly(quoted(cursor, 2 * SCIM_HASH_SIZE), out, SCIM_HASH_SIZE);
}

static bool
uuid(ScimCursor *cursor, uint8_t out[16])
{
	return scim_uuid_exactly(quoted(cursor, 36), out);
}

static bool
time_member(ScimCursor *cursor, int64_t *out)
{
	return scim_time_parse(quoted(cursor, SCIM_TIME_SIZE - 1), out);
}

/* A text that may be left out. */
static ScimStatus
text_member(ScimCursor *cursor, ScimArena *arena, const char *key, ScimStr *out)
{
	return scim_cursor_literal(cursor, key) ? scim_cursor_string(cursor, arena, out) : SCIM_OK;
}

static ScimStatus
changed_member(ScimCursor *cursor, ScimArena *arena, ScimEntry *entry)
{
	ScimCursor	count;
	ScimStr    *texts;
	int32_t		n = 1;

	if (!scim_cursor_literal(cursor, ",\"changed\":"))
		return SCIM_OK;
	if (!scim_cursor_byte(cursor, '['))
		return SCIM_INVALID_SYNTAX;
	/* No more elements than there are commas. */
	count = *cursor;
	while (count.ptr < count.end && *count.ptr != ']')
		n += *count.ptr++ == ',';
	while (count.ptr < count.end)
		n += *count.ptr++ == ',';
	texts = scim_alloc(arena, (size_t) n * sizeof(ScimStr));
	if (texts == NULL)
		return SCIM_NO_MEMORY;
	entry->changed = texts;
	if (scim_cursor_byte(cursor, ']'))
		return SCIM_OK;
	do
	{
		ScimStatus	status = scim_cursor_string(cursor, arena, &texts[entry->n_changed++]);

		if (status != SCIM_OK)
			return status;
	} while (scim_cursor_byte(cursor, ','));
	return scim_cursor_byte(cursor, ']') ? SCIM_OK : SCIM_INVALID_SYNTAX;
}

/* The texts up to changed, in their order. */
static ScimStatus
text_members(ScimCursor *cursor, ScimArena *arena, ScimEntry *entry)
{
	struct
	{
		const char *key;
		ScimStr    *text;
	}			members[] = {
		{",\"scim_type\":", &entry->scim_type},
		{",\"actor\":", &entry->actor},
		{",\"actor_type\":", &entry->actor_type},
		{",\"credential\":", &entry->credential},
		{",\"session_role\":", &entry->session_role},
		{",\"effective_role\":", &entry->effective_role},
		{",\"origin\":", &entry->origin},
		{",\"resource_type\":", &entry->resource_type},
		{",\"resource_id\":", &entry->resource_id},
	};

	for (size_t i = 0; i < sizeof members / sizeof *members; i++)
	{
		ScimStatus	status = text_member(cursor, arena, members[i].key, members[i].text);

		if (status != SCIM_OK)
			return status;
	}
	return SCIM_OK;
}

ScimStatus
scim_entry_read(ScimEntry *entry, ScimStr text, ScimArena *arena)
{
	ScimCursor	cursor = scim_cursor(text);
	ScimStatus	status = SCIM_OK;

	memset(entry, 0, sizeof *entry);
	if (!scim_cursor_literal(&cursor, "{\"v\":1,\"tx_id\":") || !uuid(&cursor, entry->tx_id) ||
		!scim_cursor_literal(&cursor, ",\"n\":") || !number32(&cursor, &entry->n) ||
		!scim_cursor_literal(&cursor, ",\"at\":") || !time_member(&cursor, &entry->at))
		return SCIM_INVALID_SYNTAX;
	if ((status = text_member(&cursor, arena, ",\"tenant\":", &entry->tenant)) != SCIM_OK ||
		(status = text_member(&cursor, arena, ",\"category\":", &entry->category)) != SCIM_OK ||
		(status = text_member(&cursor, arena, ",\"action\":", &entry->action)) != SCIM_OK ||
		(status = text_member(&cursor, arena, ",\"event_type\":", &entry->event_type)) != SCIM_OK ||
		(status = text_member(&cursor, arena, ",\"outcome\":", &entry->outcome)) != SCIM_OK)
		return status;
	if (scim_cursor_literal(&cursor, ",\"status\":"))
	{
		if (!number32(&cursor, &entry->status))
			return SCIM_INVALID_SYNTAX;
		entry->status_zero = entry->status == 0;
	}
	if ((status = text_members(&cursor, arena, entry)) != SCIM_OK ||
		(status = changed_member(&cursor, arena, entry)) != SCIM_OK)
		return status;
	if (scim_cursor_literal(&cursor, ",\"request_id\":"))
	{
		if (!uuid(&cursor, entry->request_id))
			return SCIM_INVALID_SYNTAX;
		entry->has_request_id = true;
	}
	if ((status = text_member(&cursor, arena, ",\"method\":", &entry->method)) != SCIM_OK)
		return status;
	if (scim_cursor_literal(&cursor, ",\"detail_hash\":"))
	{
		if (!hash(&cursor, entry->detail_hash))
			return SCIM_INVALID_SYNTAX;
		entry->has_detail = true;
	}
	if (!scim_cursor_literal(&cursor, ",\"prev_hash\":") || !hash(&cursor, entry->prev_hash) ||
		!scim_cursor_literal(&cursor, "}") || !scim_cursor_at_end(&cursor))
		return SCIM_INVALID_SYNTAX;
	return SCIM_OK;
}

bool
scim_seal_read(ScimSeal *seal, ScimStr text)
{
	ScimCursor	cursor = scim_cursor(text);

	memset(seal, 0, sizeof *seal);
	return scim_cursor_literal(&cursor, "{\"v\":1,\"chain\":") && number32(&cursor, &seal->chain) &&
		scim_cursor_literal(&cursor, ",\"seq\":") && number(&cursor, INT64_MIN + 1, INT64_MAX, &seal->seq) &&
		scim_cursor_literal(&cursor, ",\"tx_id\":") && uuid(&cursor, seal->tx_id) &&
		scim_cursor_literal(&cursor, ",\"at\":") && time_member(&cursor, &seal->at) &&
		scim_cursor_literal(&cursor, ",\"events\":") && number32(&cursor, &seal->events) &&
		scim_cursor_literal(&cursor, ",\"last_leaf\":") && hash(&cursor, seal->last_leaf) &&
		scim_cursor_literal(&cursor, ",\"config_hash\":") && hash(&cursor, seal->config_hash) &&
		scim_cursor_literal(&cursor, ",\"prev_hash\":") && hash(&cursor, seal->prev_hash) &&
		scim_cursor_literal(&cursor, "}") && scim_cursor_at_end(&cursor);
}
