/*
 * layout.c
 *		An exported log: names of files, and their lines (see layout.h).
 */
#include "cli/layout.h"

#include <stdlib.h>
#include <time.h>

#include "cli/cli.h"
#include "cli/crypto.h"
#include "cli/file.h"
#include "core/text.h"

#define PATH_MAX_BYTES 4096


/* dir/prefix, then what a tile's name has behind its first `skip` bytes, then suffix. */
static char *
tile_name(const char *dir, const char *prefix, const ScimTile *tile, size_t skip, const char *suffix)
{
	ScimBuf		name;
	char	   *result;

	scim_buf_init(&name, NULL, PATH_MAX_BYTES);
	scim_tile_path(&name, tile);
	cli_check_buffer(&name);
	result = cli_printf("%s/%s%s%s", dir, prefix, name.data + skip, suffix);
	scim_buf_free(&name);
	return result;
}

char *
cli_tile_path(const char *dir, const ScimTile *tile)
{
	return tile_name(dir, "", tile, 0, "");
}

char *
cli_details_path(const char *dir, const ScimTile *entries)
{
	return tile_name(dir, "details/", entries, strlen("tile/entries/"), ".ndjson");
}

char *
cli_seals_path(const char *dir, int32_t chain, int64_t segment, int64_t last_seq)
{
	int64_t		width = last_seq - segment * CLI_SEALS_WIDTH;
	ScimTile	tile = {SCIM_TILE_ENTRIES, (uint64_t) segment, width < CLI_SEALS_WIDTH ? (int) width : CLI_SEALS_WIDTH};
	char	   *prefix = cli_printf("seals/%d/", chain);
	char	   *path = tile_name(dir, prefix, &tile, strlen("tile/entries/"), ".ndjson");

	free(prefix);
	return path;
}

char *
cli_path(const char *dir, const char *name)
{
	return cli_printf("%s/%s", dir, name);
}

int64_t
cli_seals_segment(int64_t seq)
{
	return seq < 1 ? 0 : (seq - 1) / CLI_SEALS_WIDTH;
}

/* Reading. */

/* The bytes up to one that is none of a number. */
static ScimStr
digits(ScimCursor *cursor)
{
	const char *from = cursor->ptr;

	while (cursor->ptr < cursor->end && (*cursor->ptr == '-' || (*cursor->ptr >= '0' && *cursor->ptr <= '9')))
		cursor->ptr++;
	return (ScimStr) {from, (size_t) (cursor->ptr - from)};
}

static bool
number(ScimCursor *cursor, uint64_t max, uint64_t *out)
{
	return scim_decimal_parse(digits(cursor), max, out);
}

/* Where somebody has written to the tables, chain and seq may be below zero. */
static bool
signed_number(ScimCursor *cursor, int64_t *out)
{
	ScimStr		text = digits(cursor);
	bool		negative = text.len > 1 && text.ptr[0] == '-';
	uint64_t	value;

	if (!scim_decimal_parse((ScimStr) {text.ptr + negative, text.len - negative}, INT64_MAX, &value) || (negative && value == 0))
		return false;
	*out = negative ? -(int64_t) value : (int64_t) value;
	return true;
}

/* A string of lower-case hexadecimal digits. */
static bool
hex(ScimCursor *cursor, uint8_t *out, size_t len)
{
	if ((size_t) (cursor->end - cursor->ptr) < 2 * len + 2 || cursor->ptr[0] != '"' || cursor->ptr[2 * len + 1] != '"' ||
		!scim_hex_exactly((ScimStr) {cursor->ptr + 1, 2 * len}, out, len))
		return false;
	cursor->ptr += 2 * len + 2;
	return true;
}

/* A string in the one spelling that scim_buf_json_string has for it. */
static bool
string(ScimCursor *cursor, ScimArena *arena, ScimStr *out)
{
	const char *from = cursor->ptr;
	ScimBuf		again;
	bool		same;

	if (scim_cursor_string(cursor, arena, out) != SCIM_OK)
		return false;
	if (out->ptr == from + 1)
		return true;
	scim_buf_init(&again, NULL, CLI_FILE_MAX);
	scim_buf_json_string(&again, out->ptr, out->len);
	same = scim_str_equal(cli_buf_str(&again), (ScimStr) {from, (size_t) (cursor->ptr - from)});
	scim_buf_free(&again);
	return same;
}

/* Lines of events. */

void
cli_line_put(ScimBuf *buf, const CliLine *line)
{
	char		event_id[CLI_EVENT_ID_SIZE];

	if (!line->known)
	{
		scim_buf_str(buf, "{}\n");
		return;
	}
	cli_event_id(line->tx_id, line->n, event_id);
	scim_buf_str(buf, "{\"event\":\"");
	scim_buf_str(buf, event_id);
	scim_buf_str(buf, "\",\"chain\":");
	scim_buf_integer(buf, line->chain);
	scim_buf_str(buf, ",\"seq\":");
	scim_buf_integer(buf, line->seq);
	if (line->has_leaf)
	{
		scim_buf_str(buf, ",\"leaf_hash\":\"");
		scim_buf_hex(buf, line->leaf_hash, SCIM_HASH_SIZE);
		scim_buf_str(buf, "\",\"entry\":");
		scim_buf_bytes(buf, line->entry.ptr, line->entry.len);
	}
	if (line->salt.ptr != NULL)
	{
		scim_buf_str(buf, ",\"salt\":\"");
		scim_buf_hex(buf, (const uint8_t *) line->salt.ptr, line->salt.len);
		scim_buf_char(buf, '"');
	}
	if (line->detail.ptr != NULL && memchr(line->detail.ptr, '\n', line->detail.len) != NULL)
	{
		scim_buf_str(buf, ",\"detail_text\":");
		scim_buf_json_string(buf, line->detail.ptr, line->detail.len);
	}
	else if (line->detail.ptr != NULL)
	{
		scim_buf_str(buf, ",\"detail\":");
		scim_buf_bytes(buf, line->detail.ptr, line->detail.len);
	}
	scim_buf_str(buf, "}\n");
}

/* An entry: an object that holds no other, so up to its closing brace outside of strings. */
static bool
entry_member(ScimCursor *cursor, ScimStr *out)
{
	bool		in_string = false;
	const char *from = cursor->ptr;

	if (!scim_cursor_byte(cursor, '{'))
		return false;
	for (; cursor->ptr < cursor->end; cursor->ptr++)
	{
		if (in_string && *cursor->ptr == '\\')
			cursor->ptr++;
		else if (*cursor->ptr == '"')
			in_string = !in_string;
		else if (*cursor->ptr == '}' && !in_string)
		{
			cursor->ptr++;
			*out = (ScimStr) {from, (size_t) (cursor->ptr - from)};
			return true;
		}
	}
	cursor->ptr = cursor->end;
	return false;
}

static bool
salt_member(ScimCursor *cursor, ScimArena *arena, ScimStr *out)
{
	const char *end = memchr(cursor->ptr + 1, '"', (size_t) (cursor->end - cursor->ptr) - 1);
	size_t		len = end != NULL ? (size_t) (end - cursor->ptr - 1) : 1;
	uint8_t    *bytes;

	if (len % 2 != 0)
		return false;
	bytes = scim_alloc(arena, len / 2);
	if (bytes == NULL)
		cli_out_of_memory();
	*out = (ScimStr) {(const char *) bytes, len / 2};
	return hex(cursor, bytes, len / 2);
}

/* The event_id, in lower case. */
static bool
event_member(ScimCursor *cursor, CliLine *line)
{
	const char *end = memchr(cursor->ptr, '"', (size_t) (cursor->end - cursor->ptr));
	ScimStr		text = {cursor->ptr, end != NULL ? (size_t) (end - cursor->ptr) : 0};

	if (!cli_event_id_parse(text, line->tx_id, &line->n))
		return false;
	cursor->ptr = end + 1;
	return true;
}

bool
cli_line_read(CliLine *line, ScimStr text, ScimArena *arena)
{
	ScimCursor	cursor = scim_cursor(text);
	int64_t		chain;

	memset(line, 0, sizeof *line);
	if (scim_str_equal(text, SCIM_STR("{}")))
		return true;
	line->known = true;
	if (!scim_cursor_literal(&cursor, "{\"event\":\"") || !event_member(&cursor, line) ||
		!scim_cursor_literal(&cursor, ",\"chain\":") || !signed_number(&cursor, &chain) || chain < INT32_MIN || chain > INT32_MAX ||
		!scim_cursor_literal(&cursor, ",\"seq\":") || !signed_number(&cursor, &line->seq))
		return false;
	line->chain = (int32_t) chain;
	line->has_leaf = scim_cursor_literal(&cursor, ",\"leaf_hash\":");
	if (line->has_leaf && (!hex(&cursor, line->leaf_hash, SCIM_HASH_SIZE) || !scim_cursor_literal(&cursor, ",\"entry\":") ||
						   !entry_member(&cursor, &line->entry)))
		return false;
	if (scim_cursor_literal(&cursor, ",\"salt\":") && (cursor.ptr == cursor.end || !salt_member(&cursor, arena, &line->salt)))
		return false;
	if (scim_cursor_literal(&cursor, ",\"detail\":"))
	{
		if (cursor.end - cursor.ptr < 2 || cursor.end[-1] != '}')
			return false;
		line->detail = (ScimStr) {cursor.ptr, (size_t) (cursor.end - cursor.ptr) - 1};
		return true;
	}
	if (scim_cursor_literal(&cursor, ",\"detail_text\":") &&
		(!string(&cursor, arena, &line->detail) || memchr(line->detail.ptr, '\n', line->detail.len) == NULL))
		return false;
	return scim_cursor_literal(&cursor, "}") && scim_cursor_at_end(&cursor);
}

/* Lines of seals. */

void
cli_seal_put(ScimBuf *buf, const ScimVerifySeal *seal)
{
	scim_seal_render(buf, &seal->seal);
	/* The closing brace comes later. */
	scim_buf_truncate(buf, buf->len - 1);
	scim_buf_str(buf, ",\"hash\":\"");
	scim_buf_hex(buf, seal->hash, SCIM_HASH_SIZE);
	scim_buf_str(buf, seal->damaged ? "\",\"damaged\":true}\n" : "\"}\n");
}

/* Is the seal rendered to these bytes? */
static bool
is_rendered(const ScimSeal *seal, ScimStr bytes)
{
	ScimBuf		again;
	bool		same;

	scim_buf_init(&again, NULL, SCIM_ENTRY_MAX);
	same = scim_seal_render(&again, seal) && scim_str_equal(cli_buf_str(&again), bytes);
	scim_buf_free(&again);
	return same;
}

bool
cli_seal_read(ScimVerifySeal *seal, bool *sound, ScimStr text)
{
	static const char damaged[] = ",\"damaged\":true";
	const size_t behind = strlen(",\"hash\":\"\"}") + 2 * SCIM_HASH_SIZE;
	char		entry[1024];
	uint8_t		hash[SCIM_HASH_SIZE];
	ScimStr		bytes;
	ScimCursor	cursor;

	memset(seal, 0, sizeof *seal);
	if (text.len > strlen(damaged) && memcmp(text.ptr + text.len - strlen(damaged) - 1, damaged, strlen(damaged)) == 0)
	{
		seal->damaged = true;
		text.len -= strlen(damaged);
	}
	if (text.len <= behind || text.len - behind >= sizeof entry)
		return false;
	/* The brace that the entry has at its end stands behind the hash here. */
	memcpy(entry, text.ptr, text.len - behind);
	entry[text.len - behind] = '}';
	bytes = (ScimStr) {entry, text.len - behind + 1};
	cursor = scim_cursor((ScimStr) {text.ptr + text.len - behind, behind});
	if (!scim_seal_read(&seal->seal, bytes) || !scim_cursor_literal(&cursor, ",\"hash\":") ||
		!hex(&cursor, seal->hash, SCIM_HASH_SIZE) || !(seal->damaged || scim_cursor_literal(&cursor, "}")))
		return false;
	*sound = !seal->damaged && scim_seal_hash(cli_sha256, bytes, hash) && memcmp(hash, seal->hash, SCIM_HASH_SIZE) == 0;
	return *sound || is_rendered(&seal->seal, bytes);
}

/* The manifest. */

void
cli_manifest_put(ScimBuf *buf, const CliManifest *manifest)
{
	char		at[SCIM_TIME_SIZE];
	uint8_t		hash[SCIM_HASH_SIZE];

	scim_time_format((int64_t) time(NULL) * 1000000, false, at);
	scim_buf_reset(buf);
	scim_buf_str(buf, "{\"format\":\"" CLI_FORMAT "\",\"exported_at\":\"");
	scim_buf_str(buf, at);
	scim_buf_char(buf, '"');
	if (manifest->has_origin)
	{
		scim_buf_str(buf, ",\"origin\":");
		scim_buf_json_string(buf, manifest->origin.ptr, manifest->origin.len);
	}
	scim_buf_printf(buf, ",\"size\":%" PRIu64 ",\"written\":%" PRIu64 ",\"tail\":%" PRIu64 ",\"chains\":[",
					manifest->size, manifest->written, manifest->tail);
	for (int i = 0; i < manifest->n_chains; i++)
		scim_buf_printf(buf, "%s{\"chain\":%" PRId32 ",\"last_seq\":%" PRId64 "}", i > 0 ? "," : "",
						manifest->chains[i].chain, manifest->chains[i].last_seq);
	scim_buf_str(buf, "],\"checkpoints\":\"");
	scim_buf_hex(buf, manifest->checkpoints, SCIM_HASH_SIZE);
	scim_buf_char(buf, '"');
	cli_check_buffer(buf);
	cli_hash(cli_buf_str(buf), hash);
	scim_buf_str(buf, ",\"sha256\":\"");
	scim_buf_hex(buf, hash, SCIM_HASH_SIZE);
	scim_buf_str(buf, "\"}\n");
	cli_check_buffer(buf);
}

static bool
chains_member(ScimCursor *cursor, CliManifest *manifest)
{
	if (scim_cursor_literal(cursor, "]"))
		return true;
	do
	{
		struct CliHead *chains = realloc(manifest->chains, (size_t) (manifest->n_chains + 1) * sizeof *chains);
		int64_t		chain;

		if (chains == NULL)
			cli_out_of_memory();
		manifest->chains = chains;
		if (!scim_cursor_literal(cursor, "{\"chain\":") || !signed_number(cursor, &chain) ||
			!scim_cursor_literal(cursor, ",\"last_seq\":") || !signed_number(cursor, &chains[manifest->n_chains].last_seq) || !scim_cursor_literal(cursor, "}"))
			return false;
		chains[manifest->n_chains++].chain = (int32_t) chain;
	} while (scim_cursor_literal(cursor, ","));
	return scim_cursor_literal(cursor, "]");
}

bool
cli_manifest_read(CliManifest *manifest, ScimStr text, ScimError *err)
{
	static const char member[] = ",\"sha256\":\"";
	const size_t behind = strlen(member) + 2 * SCIM_HASH_SIZE + strlen("\"}\n");
	ScimArena  *arena = scim_arena_create(1024 * 1024);
	ScimStr		covered = {text.ptr, text.len > behind ? text.len - behind : 0};
	ScimCursor	cursor = scim_cursor(text);
	ScimBuf		end;
	uint8_t		hash[SCIM_HASH_SIZE];
	ScimStr		ignored;
	bool		good;

	memset(manifest, 0, sizeof *manifest);
	if (arena == NULL)
		cli_out_of_memory();
	cli_hash(covered, hash);
	scim_buf_init(&end, NULL, 256);
	scim_buf_str(&end, member);
	scim_buf_hex(&end, hash, SCIM_HASH_SIZE);
	scim_buf_str(&end, "\"}\n");
	good = covered.len > 0 && scim_str_equal(cli_buf_str(&end), (ScimStr) {text.ptr + covered.len, behind});
	scim_buf_free(&end);
	if (!good)
	{
		scim_arena_free(arena);
		scim_error(err, SCIM_INVALID_SYNTAX, "its SHA-256 is another one");
		return false;
	}
	good = scim_cursor_literal(&cursor, "{\"format\":\"" CLI_FORMAT "\",\"exported_at\":") && string(&cursor, arena, &ignored);
	if (good && scim_cursor_literal(&cursor, ",\"origin\":"))
	{
		manifest->has_origin = string(&cursor, arena, &manifest->origin);
		good = manifest->has_origin;
		manifest->origin = cli_str(cli_printf("%.*s", (int) manifest->origin.len, manifest->origin.ptr));
	}
	scim_arena_free(arena);
	good = good && scim_cursor_literal(&cursor, ",\"size\":") && number(&cursor, SCIM_TREE_MAX, &manifest->size) &&
		scim_cursor_literal(&cursor, ",\"written\":") && number(&cursor, SCIM_TREE_MAX, &manifest->written) &&
		scim_cursor_literal(&cursor, ",\"tail\":") && number(&cursor, SCIM_TREE_MAX, &manifest->tail) &&
		scim_cursor_literal(&cursor, ",\"chains\":[") && chains_member(&cursor, manifest) &&
		scim_cursor_literal(&cursor, ",\"checkpoints\":") && hex(&cursor, manifest->checkpoints, SCIM_HASH_SIZE);
	if (!good)
		scim_error(err, SCIM_INVALID_SYNTAX, "it is not of the format \"%s\"", CLI_FORMAT);
	return good;
}

/* Lines of checkpoints. */

bool
cli_record_read(CliRecord *record, ScimStr text, ScimArena *arena)
{
	ScimCursor	cursor = scim_cursor(text);
	ScimStr		ignored;

	memset(record, 0, sizeof *record);
	if (!scim_cursor_literal(&cursor, "{\"origin\":") || !string(&cursor, arena, &record->origin) ||
		!scim_cursor_literal(&cursor, ",\"size\":") || !number(&cursor, SCIM_TREE_MAX, &record->size) ||
		!scim_cursor_literal(&cursor, ",\"root\":") || !hex(&cursor, record->root, SCIM_HASH_SIZE) ||
		!scim_cursor_literal(&cursor, ",\"at\":") || !string(&cursor, arena, &ignored) || !scim_cursor_literal(&cursor, ",\"notes\":["))
		return false;
	record->notes = cursor;
	return text.len > 2 && memcmp(text.ptr + text.len - 2, "]}", 2) == 0;
}

bool
cli_record_next(CliRecord *record, ScimArena *arena, ScimStr *note)
{
	scim_cursor_literal(&record->notes, ",");
	return scim_cursor_string(&record->notes, arena, note) == SCIM_OK;
}
