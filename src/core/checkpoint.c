/*
 * checkpoint.c
 *		Checkpoints and proofs of inclusion as text (see checkpoint.h).
 */
#include "core/checkpoint.h"

#include <string.h>

#include "core/cursor.h"
#include "core/text.h"

#define PROOF_HEADER "c2sp.org/tlog-proof@v1"

/* Append a number that may need all of its 63 bits. */
static void
put_number(ScimBuf *buf, uint64_t number)
{
	scim_buf_integer(buf, (int64_t) number);
}

/* Append a hash, as a line. */
static void
put_hash(ScimBuf *buf, const uint8_t hash[SCIM_HASH_SIZE])
{
	scim_buf_base64(buf, hash, SCIM_HASH_SIZE);
	scim_buf_char(buf, '\n');
}

bool
scim_checkpoint_format(ScimBuf *buf, const ScimCheckpoint *checkpoint)
{
	scim_buf_bytes(buf, checkpoint->origin.ptr, checkpoint->origin.len);
	scim_buf_char(buf, '\n');
	put_number(buf, checkpoint->size);
	scim_buf_char(buf, '\n');
	put_hash(buf, checkpoint->root);
	return !buf->failed;
}

ScimStatus
scim_checkpoint_parse(ScimStr text, ScimCheckpoint *checkpoint, ScimError *err)
{
	ScimCursor	cursor = scim_cursor(text);
	ScimStr		origin = scim_cursor_line(&cursor);
	ScimStr		size = scim_cursor_line(&cursor);
	ScimStr		root = scim_cursor_line(&cursor);

	if (root.ptr == NULL || origin.len == 0)
		return scim_error(err, SCIM_INVALID_SYNTAX, "a checkpoint is an origin, a size and a root, a line each");
	if (!scim_decimal_parse(size, SCIM_TREE_MAX, &checkpoint->size))
		return scim_error(err, SCIM_INVALID_SYNTAX, "the second line of the checkpoint is no size of a tree");
	if (!scim_base64_exactly(root, checkpoint->root, SCIM_HASH_SIZE))
		return scim_error(err, SCIM_INVALID_SYNTAX, "the third line of the checkpoint is no hash in base64");
	checkpoint->origin = origin;
	return SCIM_OK;
}

bool
scim_inclusion_format(ScimBuf *buf, const ScimInclusion *inclusion)
{
	scim_buf_str(buf, PROOF_HEADER "\nindex ");
	put_number(buf, inclusion->index);
	scim_buf_char(buf, '\n');
	for (int i = 0; i < inclusion->proof.n; i++)
		put_hash(buf, inclusion->proof.hash[i]);
	scim_buf_char(buf, '\n');
	scim_buf_bytes(buf, inclusion->note.ptr, inclusion->note.len);
	return !buf->failed;
}

/* What follows a word and a space at the beginning of a line; absent when it begins otherwise. */
static ScimStr
behind_word(ScimStr line, ScimStr word)
{
	if (line.len <= word.len || memcmp(line.ptr, word.ptr, word.len) != 0 || line.ptr[word.len] != ' ')
		return SCIM_STR_NONE;
	return (ScimStr) {line.ptr + word.len + 1, line.len - word.len - 1};
}

/* Extra data is not vouched for by anything: it is only checked to be base64. */
static ScimStatus
check_extra(ScimStr base64)
{
	ScimBuf		buf;
	ScimStatus	status = SCIM_OK;

	scim_buf_init(&buf, NULL, base64.len);
	if (!scim_base64_decode(&buf, base64))
		status = buf.failed ? SCIM_NO_MEMORY : SCIM_INVALID_SYNTAX;
	scim_buf_free(&buf);
	return status;
}

/* The lines up to the empty one, which is stepped over. */
static ScimStatus
parse_hashes(ScimCursor *cursor, ScimProof *proof, ScimError *err)
{
	ScimStr		line;

	proof->n = 0;
	while ((line = scim_cursor_line(cursor)).ptr != NULL && line.len > 0)
	{
		if (proof->n == SCIM_PROOF_MAX)
			return scim_error(err, SCIM_INVALID_SYNTAX, "the proof has more than %d hashes", SCIM_PROOF_MAX);
		if (!scim_base64_exactly(line, proof->hash[proof->n], SCIM_HASH_SIZE))
			return scim_error(err, SCIM_INVALID_SYNTAX, "hash %d of the proof is no hash in base64", proof->n + 1);
		proof->n++;
	}
	if (line.ptr == NULL)
		return scim_error(err, SCIM_INVALID_SYNTAX, "the proof ends before its checkpoint");
	return SCIM_OK;
}

ScimStatus
scim_inclusion_parse(ScimStr text, ScimInclusion *inclusion, ScimError *err)
{
	ScimCursor	cursor = scim_cursor(text);
	ScimStr		line = scim_cursor_line(&cursor);
	ScimStr		extra;
	ScimStatus	status;

	if (line.ptr == NULL || !scim_str_equal(line, SCIM_STR(PROOF_HEADER)))
		return scim_error(err, SCIM_INVALID_SYNTAX, "this is no proof: its first line is not " PROOF_HEADER);
	line = scim_cursor_line(&cursor);
	extra = behind_word(line, SCIM_STR("extra"));
	if (extra.ptr != NULL)
	{
		status = check_extra(extra);
		if (status != SCIM_OK)
			return scim_error(err, status, "the extra data of the proof is not base64");
		line = scim_cursor_line(&cursor);
	}
	if (!scim_decimal_parse(behind_word(line, SCIM_STR("index")), SCIM_TREE_MAX, &inclusion->index))
		return scim_error(err, SCIM_INVALID_SYNTAX, "the proof names no index");
	status = parse_hashes(&cursor, &inclusion->proof, err);
	inclusion->note = (ScimStr) {cursor.ptr, (size_t) (cursor.end - cursor.ptr)};
	return status;
}
