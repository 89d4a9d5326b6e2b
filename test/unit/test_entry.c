/*
 * test_entry.c
 *		Golden entries: the bytes and hashes of the audit log, version 1.
 *
 * golden_entries.json holds columns, entries and hashes that were made by
 * another program, from docs/audit-log.md.  Never change one of them: a log
 * that somebody keeps has entries just like it.  The tests run from the root
 * of the tree.
 */
#include "core/entry.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/text.h"
#include "sha256.h"
#include "tap.h"

#define GOLDEN "test/unit/golden_entries.json"
#define CHANGED_MAX 8

static void
hex(const uint8_t *bytes, size_t len, char *out)
{
	for (size_t i = 0; i < len; i++)
		sprintf(out + 2 * i, "%02x", bytes[i]);
}

/* Hexadecimal digits, hyphens skipped, into bytes. */
static void
unhex(const char *text, uint8_t *out)
{
	for (; *text != '\0'; text++)
	{
		unsigned	byte;

		if (*text == '-')
			continue;
		sscanf(text++, "%2x", &byte);
		*out++ = (uint8_t) byte;
	}
}

static const char *
text(json_object *object, const char *name)
{
	json_object *value = json_object_object_get(object, name);

	return value != NULL ? json_object_get_string(value) : NULL;
}

static ScimStr
str(json_object *object, const char *name)
{
	json_object *value = json_object_object_get(object, name);

	if (value == NULL)
		return SCIM_STR_NONE;
	return (ScimStr) {json_object_get_string(value), (size_t) json_object_get_string_len(value)};
}

static int64_t
integer(json_object *object, const char *name)
{
	return json_object_get_int64(json_object_object_get(object, name));
}

static int64_t
micros(json_object *object)
{
	int64_t		result = 0;

	ok(scim_time_parse(str(object, "at"), &result), "time %s", text(object, "at"));
	return result;
}

static void
read_changed(json_object *columns, ScimStr *changed, ScimEntry *entry)
{
	json_object *array = json_object_object_get(columns, "changed");

	if (array == NULL)
		return;
	entry->changed = changed;
	entry->n_changed = (int32_t) json_object_array_length(array);
	for (int i = 0; i < entry->n_changed && i < CHANGED_MAX; i++)
	{
		json_object *path = json_object_array_get_idx(array, (size_t) i);

		changed[i] = (ScimStr) {json_object_get_string(path),
		(size_t) json_object_get_string_len(path)};
	}
}

static ScimEntry
read_entry(json_object *columns, ScimStr *changed)
{
	ScimEntry	entry = {
		.n = (int32_t) integer(columns, "n"),
		.at = micros(columns),
		.tenant = str(columns, "tenant"),
		.category = str(columns, "category"),
		.action = str(columns, "action"),
		.event_type = str(columns, "event_type"),
		.outcome = str(columns, "outcome"),
		.status = (int32_t) integer(columns, "status"),
		.scim_type = str(columns, "scim_type"),
		.actor = str(columns, "actor"),
		.actor_type = str(columns, "actor_type"),
		.credential = str(columns, "credential"),
		.session_role = str(columns, "session_role"),
		.effective_role = str(columns, "effective_role"),
		.origin = str(columns, "origin"),
		.resource_type = str(columns, "resource_type"),
		.resource_id = str(columns, "resource_id"),
		.method = str(columns, "method"),
		.has_request_id = text(columns, "request_id") != NULL,
		.has_detail = text(columns, "detail_hash") != NULL
	};

	unhex(text(columns, "tx_id"), entry.tx_id);
	unhex(text(columns, "prev_hash"), entry.prev_hash);
	if (entry.has_request_id)
		unhex(text(columns, "request_id"), entry.request_id);
	if (entry.has_detail)
		unhex(text(columns, "detail_hash"), entry.detail_hash);
	read_changed(columns, changed, &entry);
	return entry;
}

/* The bytes rendered, and the hash over them, must be those of the file. */
static void
check_bytes(ScimBuf *buf, bool rendered, json_object *golden, const char *hash_name, int i)
{
	uint8_t		hash[SCIM_HASH_SIZE];
	char		hash_text[2 * SCIM_HASH_SIZE + 1] = "";
	ScimStr		entry = {buf->data, buf->len};
	bool		is_leaf = strcmp(hash_name, "leaf_hash") == 0;

	ok(rendered, "%s %d is rendered", hash_name, i);
	is_str(buf->data, text(golden, "entry"), "%s %d: its bytes", hash_name, i);
	ok((is_leaf ? scim_leaf_hash : scim_seal_hash) (sha256, entry, hash), "%s %d is hashed", hash_name, i);
	hex(hash, sizeof(hash), hash_text);
	is_str(hash_text, text(golden, hash_name), "%s %d: its value", hash_name, i);
	scim_buf_reset(buf);
}

static void
check_detail(json_object *golden, int i)
{
	uint8_t		salt[16];
	uint8_t		hash[SCIM_HASH_SIZE];
	char		hash_text[2 * SCIM_HASH_SIZE + 1] = "";

	if (text(golden, "detail") == NULL)
		return;
	unhex(text(golden, "detail_salt"), salt);
	ok(scim_detail_hash(sha256, salt, str(golden, "detail"), hash), "detail %d is hashed", i);
	hex(hash, sizeof(hash), hash_text);
	is_str(hash_text, text(json_object_object_get(golden, "columns"), "detail_hash"),
		   "detail %d: its hash", i);
}

static void
check_events(json_object *events)
{
	ScimBuf		buf;

	scim_buf_init(&buf, NULL, SCIM_ENTRY_MAX);
	is_int((long long) json_object_array_length(events), 10, "ten golden events");
	for (int i = 0; i < (int) json_object_array_length(events); i++)
	{
		json_object *golden = json_object_array_get_idx(events, (size_t) i);
		ScimStr		changed[CHANGED_MAX];
		ScimEntry	entry = read_entry(json_object_object_get(golden, "columns"), changed);

		check_bytes(&buf, scim_entry_render(&buf, &entry), golden, "leaf_hash", i);
		check_detail(golden, i);
	}
	scim_buf_free(&buf);
}

static void
check_seals(json_object *seals)
{
	ScimBuf		buf;

	scim_buf_init(&buf, NULL, SCIM_ENTRY_MAX);
	is_int((long long) json_object_array_length(seals), 4, "four golden seals");
	for (int i = 0; i < (int) json_object_array_length(seals); i++)
	{
		json_object *golden = json_object_array_get_idx(seals, (size_t) i);
		json_object *columns = json_object_object_get(golden, "columns");
		ScimSeal	seal = {
			.chain = (int32_t) integer(columns, "chain"),
			.seq = integer(columns, "seq"),
			.at = micros(columns),
			.events = (int32_t) integer(columns, "events")
		};

		unhex(text(columns, "tx_id"), seal.tx_id);
		unhex(text(columns, "last_leaf"), seal.last_leaf);
		unhex(text(columns, "config_hash"), seal.config_hash);
		unhex(text(columns, "prev_hash"), seal.prev_hash);
		check_bytes(&buf, scim_seal_render(&buf, &seal), golden, "hash", i);
	}
	scim_buf_free(&buf);
}

/* The smallest entry and a known hash, spelled out so that no file can be at fault. */
static void
check_literal(void)
{
	static const ScimStr abc = SCIM_STR("abc");
	ScimEntry	entry = {0};
	ScimBuf		buf;
	uint8_t		hash[SCIM_HASH_SIZE];
	char		hash_text[2 * SCIM_HASH_SIZE + 1] = "";

	sha256(&abc, 1, hash);
	hex(hash, sizeof(hash), hash_text);
	is_str(hash_text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
		   "SHA-256 of abc (FIPS 180-4)");
	scim_leaf_hash(sha256, (ScimStr) {"", 0}, hash);
	hex(hash, sizeof(hash), hash_text);
	is_str(hash_text, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
		   "leaf of the empty entry (RFC 6962)");
	scim_buf_init(&buf, NULL, SCIM_ENTRY_MAX);
	ok(scim_entry_render(&buf, &entry), "an entry of nothing");
	is_str(buf.data,
		   "{\"v\":1,\"tx_id\":\"00000000-0000-0000-0000-000000000000\",\"n\":0,"
		   "\"at\":\"1970-01-01T00:00:00.000000Z\",\"prev_hash\":"
		   "\"0000000000000000000000000000000000000000000000000000000000000000\"}",
		   "what cannot be absent");
	scim_buf_free(&buf);
}

/* An entry may fill its 16-bit length and no more. */
static void
check_limit(void)
{
	static char filler[SCIM_ENTRY_MAX];
	ScimEntry	entry = {.tenant = {filler, 0}};
	ScimBuf		buf;

	memset(filler, 'x', sizeof(filler));
	scim_buf_init(&buf, NULL, 4 * SCIM_ENTRY_MAX);
	scim_buf_str(&buf, "before");
	ok(scim_entry_render(&buf, &entry), "without filler");
	entry.tenant.len = SCIM_ENTRY_MAX - (buf.len - strlen("before"));
	scim_buf_reset(&buf);
	ok(scim_entry_render(&buf, &entry), "65535 bytes");
	is_int((long long) buf.len, SCIM_ENTRY_MAX, "are 65535 bytes");
	scim_buf_reset(&buf);
	entry.tenant.len++;
	ok(!scim_entry_render(&buf, &entry), "65536 bytes are too many");
	scim_buf_free(&buf);

	scim_buf_init(&buf, NULL, 10);
	ok(!scim_entry_render(&buf, &entry), "a buffer that is too small is not overrun");
	scim_buf_free(&buf);
}

int
main(void)
{
	json_object *golden = json_object_from_file(GOLDEN);

	if (!ok(golden != NULL, "%s is read", GOLDEN))
		return done_testing();
	check_events(json_object_object_get(golden, "events"));
	check_seals(json_object_object_get(golden, "seals"));
	json_object_put(golden);
	check_literal();
	check_limit();
	return done_testing();
}
