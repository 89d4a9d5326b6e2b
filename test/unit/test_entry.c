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
#include <string.h>

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
/* An entry, or a seal, is read back from its bytes, and from nothing that is cut short. */
static void
check_read(const char *bytes, bool is_seal, int i)
{
	ScimStr		given = {bytes, strlen(bytes)};
	ScimArena  *arena = scim_arena_create(1024 * 1024);
	ScimEntry	entry;
	ScimSeal	seal;
	ScimBuf		again;
	int			refused = 0;

	scim_buf_init(&again, NULL, SCIM_ENTRY_MAX);
	if (is_seal)
		ok(scim_seal_read(&seal, given) && scim_seal_render(&again, &seal), "seal %d is read", i);
	else
		ok(scim_entry_read(&entry, given, arena) == SCIM_OK && scim_entry_render(&again, &entry), "entry %d is read", i);
	is_str(again.data, bytes, "%s %d: read, and the same again", is_seal ? "seal" : "entry", i);
	for (given.len = 0; given.len < strlen(bytes); given.len++)
	{
		char	   *cut = malloc(given.len + 1);

		/* Where it ends, the sanitizers see. */
		memcpy(cut, bytes, given.len);
		cut = realloc(cut, given.len > 0 ? given.len : 1);
		refused += is_seal ? !scim_seal_read(&seal, (ScimStr) {cut, given.len}) :
			scim_entry_read(&entry, (ScimStr) {cut, given.len}, arena) == SCIM_INVALID_SYNTAX;
		free(cut);
	}
	is_int(refused, (long long) strlen(bytes), "%s %d: not when it is cut short", is_seal ? "seal" : "entry", i);
	scim_buf_free(&again);
	scim_arena_free(arena);
}

/* What is no entry, though nearly one. */
static void
check_read_refused(const char *bytes)
{
	static const char *const changes[][2] = {
		{"\"v\":1", "\"v\":2"}, {"\"n\":0", "\"n\":00"}, {"\"n\":0", "\"n\":-0"}, {"\"n\":0", "\"n\":2147483648"}, {"\"n\":0", "\"n\":"},
		{"\"n\":0,", "\"n\":0, "}, {"\"at\":\"2026", "\"at\":\"202x"}, {"019b", "019B"}, {"\"category\":\"", "\"categorx\":\""},
		{"\"category\":\"", "\"category\":["}, {"\"prev_hash\":\"", "\"prev_hash\":\"0"}, {"\"prev_hash\":\"0", "\"prev_hash\":\"g"},
	};
	ScimArena  *arena = scim_arena_create(1024 * 1024);
	ScimEntry	entry;
	char		changed[4096];

	for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
	{
		const char *at = strstr(bytes, changes[i][0]);

		snprintf(changed, sizeof changed, "%.*s%s%s", (int) (at - bytes), bytes, changes[i][1], at + strlen(changes[i][0]));
		is_int(scim_entry_read(&entry, (ScimStr) {changed, strlen(changed)}, arena), SCIM_INVALID_SYNTAX, "%s is refused", changes[i][1]);
	}
	snprintf(changed, sizeof changed, "%s ", bytes);
	is_int(scim_entry_read(&entry, (ScimStr) {changed, strlen(changed)}, arena), SCIM_INVALID_SYNTAX, "something behind it is refused");
	scim_arena_free(arena);
}

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
		check_read(text(golden, "entry"), false, i);
		if (i == 0)
			check_read_refused(text(golden, "entry"));
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
		check_read(text(golden, "entry"), true, i);
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
