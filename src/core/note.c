/*
 * note.c
 *		Signed notes and their keys (see note.h).
 */
#include "core/note.h"

#include <string.h>

#include "core/cursor.h"
#include "core/text.h"

#define ED25519 0x01

/* An em dash and a space, before each signature. */
#define LEAD SCIM_STR("\xE2\x80\x94 ")

/* Unicode's property White_Space. */
static bool
is_space(uint32_t code)
{
	return (code >= 0x09 && code <= 0x0D) || code == 0x20 || code == 0x85 || code == 0xA0 || code == 0x1680 ||
		(code >= 0x2000 && code <= 0x200A) || code == 0x2028 || code == 0x2029 || code == 0x202F ||
		code == 0x205F || code == 0x3000;
}

bool
scim_note_name_valid(ScimStr name)
{
	size_t		step;

	for (size_t i = 0; i < name.len; i += step)
	{
		uint32_t	code = 0;

		step = scim_utf8_decode(name.ptr + i, name.len - i, &code);
		if (step == 0 || code < 0x20 || code == '+' || is_space(code))
			return false;
	}
	return name.len > 0;
}

static bool
is_plain(ScimStr text)
{
	for (size_t i = 0; i < text.len; i++)
	{
		if ((unsigned char) text.ptr[i] < 0x20 && text.ptr[i] != '\n')
			return false;
	}
	return scim_utf8_valid(text.ptr, text.len);
}

bool
scim_note_text_valid(ScimStr text)
{
	return text.len > 0 && text.ptr[text.len - 1] == '\n' && is_plain(text);
}

ScimStatus
scim_note_key_make(ScimNoteKey *key, ScimSha256 sha256, ScimStr name,
				   const uint8_t public[SCIM_NOTE_KEY_SIZE], ScimError *err)
{
	uint8_t		hash[SCIM_HASH_SIZE];
	ScimStr		pieces[] = {name, {"\n\x01", 2}, {(const char *) public, SCIM_NOTE_KEY_SIZE}};

	if (!scim_note_name_valid(name))
		return scim_error(err, SCIM_INVALID_SYNTAX, "a key's name must be UTF-8, not empty, without spaces and plus signs");
	if (!sha256(pieces, 3, hash))
		return scim_error(err, SCIM_NO_MEMORY, "the key could not be hashed");
	key->name = name;
	memcpy(key->id, hash, sizeof(key->id));
	memcpy(key->public, public, SCIM_NOTE_KEY_SIZE);
	return SCIM_OK;
}

/* The bytes up to the next plus sign, which is stepped over; absent where there is none. */
static ScimStr
up_to_plus(ScimCursor *cursor)
{
	const char *from = cursor->ptr;
	const char *plus = from < cursor->end ? memchr(from, '+', (size_t) (cursor->end - from)) : NULL;

	if (plus == NULL)
		return SCIM_STR_NONE;
	cursor->ptr = plus + 1;
	return (ScimStr) {from, (size_t) (plus - from)};
}

/* A key's ID, as it stands in a vkey. */
static void
id_hex(const uint8_t id[4], char hex[9])
{
	static const char digits[] = "0123456789abcdef";

	for (int i = 0; i < 4; i++)
	{
		hex[2 * i] = digits[id[i] >> 4];
		hex[2 * i + 1] = digits[id[i] & 0x0F];
	}
	hex[8] = '\0';
}

ScimStatus
scim_note_key_parse(ScimNoteKey *key, ScimSha256 sha256, ScimStr vkey, ScimError *err)
{
	ScimCursor	cursor = scim_cursor(vkey);
	ScimStr		name = up_to_plus(&cursor);
	ScimStr		id = up_to_plus(&cursor);
	ScimStr		base64 = {cursor.ptr, (size_t) (cursor.end - cursor.ptr)};
	uint8_t		typed[1 + SCIM_NOTE_KEY_SIZE];
	char		hex[2 * sizeof(key->id) + 1];
	ScimStatus	status;

	if (name.ptr == NULL || id.ptr == NULL)
		return scim_error(err, SCIM_INVALID_SYNTAX, "a verifier key is a name, an ID and a key, joined by plus signs");
	if (!scim_base64_exactly(base64, typed, sizeof(typed)) || typed[0] != ED25519)
		return scim_error(err, SCIM_INVALID_SYNTAX, "the verifier key is not an Ed25519 key in base64, after the byte 1");
	status = scim_note_key_make(key, sha256, name, typed + 1, err);
	if (status != SCIM_OK)
		return status;
	id_hex(key->id, hex);
	if (!scim_str_equal(id, (ScimStr) {hex, sizeof(hex) - 1}))
		return scim_error(err, SCIM_INVALID_SYNTAX, "the verifier key's ID is not that of its name and key, which is %s", hex);
	return SCIM_OK;
}

bool
scim_note_key_format(ScimBuf *buf, const ScimNoteKey *key)
{
	uint8_t		typed[1 + SCIM_NOTE_KEY_SIZE] = {ED25519};

	memcpy(typed + 1, key->public, SCIM_NOTE_KEY_SIZE);
	scim_buf_bytes(buf, key->name.ptr, key->name.len);
	scim_buf_char(buf, '+');
	scim_buf_hex(buf, key->id, sizeof(key->id));
	scim_buf_char(buf, '+');
	scim_buf_base64(buf, typed, sizeof(typed));
	return !buf->failed;
}

/* Is it base64 of an ID and at least one byte more? */
static ScimStatus
check_signature(ScimNoteSignature *signature)
{
	ScimBuf		buf;
	ScimStatus	status = SCIM_OK;

	scim_buf_init(&buf, NULL, signature->base64.len);
	if (!scim_base64_decode(&buf, signature->base64))
		status = buf.failed ? SCIM_NO_MEMORY : SCIM_INVALID_SYNTAX;
	else if (buf.len <= sizeof(signature->id))
		status = SCIM_INVALID_SYNTAX;
	else
		memcpy(signature->id, buf.data, sizeof(signature->id));
	scim_buf_free(&buf);
	return status;
}

/* "— name base64", without its newline. */
static ScimStatus
parse_signature(ScimStr line, ScimNoteSignature *signature)
{
	const char *from = line.ptr + LEAD.len;
	const char *end = line.ptr + line.len;
	const char *space;

	if (line.len < LEAD.len || memcmp(line.ptr, LEAD.ptr, LEAD.len) != 0)
		return SCIM_INVALID_SYNTAX;
	space = memchr(from, ' ', (size_t) (end - from));
	if (space == NULL)
		return SCIM_INVALID_SYNTAX;
	signature->name = (ScimStr) {from, (size_t) (space - from)};
	signature->base64 = (ScimStr) {space + 1, (size_t) (end - space - 1)};
	return scim_note_name_valid(signature->name) ? check_signature(signature) : SCIM_INVALID_SYNTAX;
}

/* Behind the last empty line, where the signatures begin; 0 when there is none. */
static size_t
behind_text(ScimStr bytes)
{
	for (size_t i = bytes.len; i >= 2; i--)
	{
		if (bytes.ptr[i - 1] == '\n' && bytes.ptr[i - 2] == '\n')
			return i;
	}
	return 0;
}

ScimStatus
scim_note_parse(ScimStr bytes, ScimNote *note, ScimError *err)
{
	size_t		signatures = behind_text(bytes);
	ScimCursor	cursor;
	ScimStr		line;

	if (signatures < 2 || !scim_note_text_valid(bytes))
		return scim_error(err, SCIM_INVALID_SYNTAX, "this is no signed note: a text, an empty line, signatures");
	note->text = (ScimStr) {bytes.ptr, signatures - 1};
	note->n = 0;
	cursor = scim_cursor((ScimStr) {bytes.ptr + signatures, bytes.len - signatures});
	while ((line = scim_cursor_line(&cursor)).ptr != NULL)
	{
		ScimStatus	status;

		if (note->n == SCIM_NOTE_SIGNATURES_MAX)
			return scim_error(err, SCIM_INVALID_SYNTAX, "the note has more than %d signatures", SCIM_NOTE_SIGNATURES_MAX);
		status = parse_signature(line, &note->signatures[note->n]);
		if (status != SCIM_OK)
			return scim_error(err, status, "line %d behind the note's text is no signature", note->n + 1);
		note->n++;
	}
	if (note->n == 0)
		return scim_error(err, SCIM_INVALID_SYNTAX, "the note has no signature");
	return SCIM_OK;
}

bool
scim_note_put_signature(ScimBuf *buf, const ScimNoteKey *key, const uint8_t signature[SCIM_NOTE_SIGNATURE_SIZE])
{
	uint8_t		bytes[sizeof(key->id) + SCIM_NOTE_SIGNATURE_SIZE];

	memcpy(bytes, key->id, sizeof(key->id));
	memcpy(bytes + sizeof(key->id), signature, SCIM_NOTE_SIGNATURE_SIZE);
	scim_buf_bytes(buf, LEAD.ptr, LEAD.len);
	scim_buf_bytes(buf, key->name.ptr, key->name.len);
	scim_buf_char(buf, ' ');
	scim_buf_base64(buf, bytes, sizeof(bytes));
	scim_buf_char(buf, '\n');
	return !buf->failed;
}

ScimStatus
scim_note_sign(ScimBuf *buf, ScimStr text, const ScimNoteKey *key, ScimNoteSign sign, void *arg, ScimError *err)
{
	uint8_t		signature[SCIM_NOTE_SIGNATURE_SIZE];

	if (!scim_note_text_valid(text))
		return scim_error(err, SCIM_INVALID_SYNTAX, "a note's text is UTF-8 without control characters and ends with a newline");
	if (!sign(arg, text, signature))
		return scim_error(err, SCIM_INTERNAL, "the note could not be signed");
	scim_buf_bytes(buf, text.ptr, text.len);
	scim_buf_char(buf, '\n');
	if (!scim_note_put_signature(buf, key, signature))
		return scim_error(err, SCIM_NO_MEMORY, "out of memory");
	return SCIM_OK;
}

bool
scim_note_signed_by(const ScimNoteSignature *signature, const ScimNoteKey *key)
{
	return scim_str_equal(signature->name, key->name) && memcmp(signature->id, key->id, sizeof(key->id)) == 0;
}

ScimStatus
scim_note_verify(const ScimNote *note, const ScimNoteKey *keys, size_t n, ScimNoteVerify verify, void *arg,
				 ScimError *err)
{
	bool		known = false;

	for (int i = 0; i < note->n; i++)
	{
		const ScimNoteSignature *signature = &note->signatures[i];

		for (size_t k = 0; k < n; k++)
		{
			uint8_t		bytes[sizeof(keys[k].id) + SCIM_NOTE_SIGNATURE_SIZE];

			if (!scim_note_signed_by(signature, &keys[k]))
				continue;
			if (!scim_base64_exactly(signature->base64, bytes, sizeof(bytes)) ||
				!verify(arg, keys[k].public, note->text, bytes + sizeof(keys[k].id)))
				return scim_error(err, SCIM_INVALID_VALUE, "the signature by %.*s does not verify",
								  (int) keys[k].name.len, keys[k].name.ptr);
			known = true;
		}
	}
	if (!known)
		return scim_error(err, SCIM_INVALID_VALUE, "the note has no signature by a known key");
	return SCIM_OK;
}
