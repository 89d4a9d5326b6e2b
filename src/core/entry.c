/*
 * entry.c
 *		The bytes of the audit log: entries, leaves, seals (see entry.h).
 *
 * This is the format's only renderer.  Version 1 is frozen: the golden
 * entries of test/unit/test_entry.c must never need a change.  A column
 * added later gets a key of its own, left out where the value is absent, so
 * that the entries written before keep their bytes.
 */
#include "core/entry.h"

#include <string.h>

#include "core/text.h"

/* What stands before a value. */
#define KEY(name) ",\"" name "\":"

static void
put_text(ScimBuf *buf, const char *key, ScimStr value)
{
	if (value.ptr == NULL)
		return;
	scim_buf_str(buf, key);
	scim_buf_json_string(buf, value.ptr, value.len);
}

static void
put_integer(ScimBuf *buf, const char *key, int64_t value)
{
	scim_buf_str(buf, key);
	scim_buf_integer(buf, value);
}

static void
put_time(ScimBuf *buf, const char *key, int64_t micros)
{
	char		text[SCIM_TIME_SIZE];

	scim_time_format(micros, true, text);
	put_text(buf, key, (ScimStr) {text, strlen(text)});
}

static void
put_uuid(ScimBuf *buf, const char *key, const uint8_t uuid[16])
{
	/* Bytes between the hyphens of 8-4-4-4-12. */
	static const int group[] = {4, 2, 2, 2, 6};
	int			done = 0;

	scim_buf_str(buf, key);
	for (int i = 0; i < 5; i++)
	{
		scim_buf_char(buf, i == 0 ? '"' : '-');
		scim_buf_hex(buf, uuid + done, (size_t) group[i]);
		done += group[i];
	}
	scim_buf_char(buf, '"');
}

static void
put_hash(ScimBuf *buf, const char *key, const uint8_t hash[SCIM_HASH_SIZE])
{
	scim_buf_str(buf, key);
	scim_buf_char(buf, '"');
	scim_buf_hex(buf, hash, SCIM_HASH_SIZE);
	scim_buf_char(buf, '"');
}

static void
put_changed(ScimBuf *buf, const ScimStr *changed, int n)
{
	if (changed == NULL)
		return;
	scim_buf_str(buf, KEY("changed"));
	for (int i = 0; i < n; i++)
	{
		scim_buf_char(buf, i == 0 ? '[' : ',');
		scim_buf_json_string(buf, changed[i].ptr, changed[i].len);
	}
	scim_buf_str(buf, n > 0 ? "]" : "[]");
}

/* Close the object; was it small enough and was there memory? */
static bool
finish(ScimBuf *buf, size_t start)
{
	scim_buf_char(buf, '}');
	return !buf->failed && buf->len - start <= SCIM_ENTRY_MAX;
}

bool
scim_entry_render(ScimBuf *buf, const ScimEntry *entry)
{
	size_t		start = buf->len;

	scim_buf_str(buf, "{\"v\":1");
	put_uuid(buf, KEY("tx_id"), entry->tx_id);
	put_integer(buf, KEY("n"), entry->n);
	put_time(buf, KEY("at"), entry->at);
	put_text(buf, KEY("tenant"), entry->tenant);
	put_text(buf, KEY("category"), entry->category);
	put_text(buf, KEY("action"), entry->action);
	put_text(buf, KEY("event_type"), entry->event_type);
	put_text(buf, KEY("outcome"), entry->outcome);
	if (entry->status != 0 || entry->status_zero)
		put_integer(buf, KEY("status"), entry->status);
	put_text(buf, KEY("scim_type"), entry->scim_type);
	put_text(buf, KEY("actor"), entry->actor);
	put_text(buf, KEY("actor_type"), entry->actor_type);
	put_text(buf, KEY("credential"), entry->credential);
	put_text(buf, KEY("session_role"), entry->session_role);
	put_text(buf, KEY("effective_role"), entry->effective_role);
	put_text(buf, KEY("origin"), entry->origin);
	put_text(buf, KEY("resource_type"), entry->resource_type);
	put_text(buf, KEY("resource_id"), entry->resource_id);
	put_changed(buf, entry->changed, entry->n_changed);
	if (entry->has_request_id)
		put_uuid(buf, KEY("request_id"), entry->request_id);
	put_text(buf, KEY("method"), entry->method);
	if (entry->has_detail)
		put_hash(buf, KEY("detail_hash"), entry->detail_hash);
	put_hash(buf, KEY("prev_hash"), entry->prev_hash);
	return finish(buf, start);
}

bool
scim_seal_render(ScimBuf *buf, const ScimSeal *seal)
{
	size_t		start = buf->len;

	scim_buf_str(buf, "{\"v\":1");
	put_integer(buf, KEY("chain"), seal->chain);
	put_integer(buf, KEY("seq"), seal->seq);
	put_uuid(buf, KEY("tx_id"), seal->tx_id);
	put_time(buf, KEY("at"), seal->at);
	put_integer(buf, KEY("events"), seal->events);
	put_hash(buf, KEY("last_leaf"), seal->last_leaf);
	put_hash(buf, KEY("config_hash"), seal->config_hash);
	put_hash(buf, KEY("prev_hash"), seal->prev_hash);
	return finish(buf, start);
}

bool
scim_leaf_hash(ScimSha256 sha256, ScimStr entry, uint8_t out[SCIM_HASH_SIZE])
{
	ScimStr		pieces[] = {{"\x00", 1}, entry};

	return sha256(pieces, 2, out);
}

bool
scim_seal_hash(ScimSha256 sha256, ScimStr seal, uint8_t out[SCIM_HASH_SIZE])
{
	ScimStr		pieces[] = {{"\x02", 1}, seal};

	return sha256(pieces, 2, out);
}

bool
scim_detail_hash(ScimSha256 sha256, const uint8_t salt[16], ScimStr detail,
				 uint8_t out[SCIM_HASH_SIZE])
{
	ScimStr		pieces[] = {{(const char *) salt, 16}, detail};

	return sha256(pieces, 2, out);
}
