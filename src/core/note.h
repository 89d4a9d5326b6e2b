/*
 * note.h
 *		Signed notes (C2SP signed-note): a text and the signatures under it,
 *		and the keys that verify them.
 *
 *		text, any lines
 *							(an empty line)
 *		— key.name base64(key ID || signature)
 *
 * Only Ed25519 signatures (type 0x01) are made and checked here; others in a
 * note are read over, as the format wants.  Core signs and verifies nothing
 * itself: it is given functions that do (RFC 8032, over the text with its
 * last newline).
 *
 * Nothing is copied: what is read points into the text that was given.  What
 * is no note or no key is SCIM_INVALID_SYNTAX, a signature that does not hold
 * SCIM_INVALID_VALUE.
 */
#ifndef SCIM_CORE_NOTE_H
#define SCIM_CORE_NOTE_H

#include "core/entry.h"

#define SCIM_NOTE_KEY_SIZE 32
#define SCIM_NOTE_SIGNATURE_SIZE 64

/* Signatures of one note; a reader must take 16 at least. */
#define SCIM_NOTE_SIGNATURES_MAX 64

/* A public key: who signs.  Its vkey is "name+hex(id)+base64(0x01 || public)". */
typedef struct ScimNoteKey
{
	ScimStr		name;
	uint8_t		id[4];
	uint8_t		public[SCIM_NOTE_KEY_SIZE];
} ScimNoteKey;

/* May a key be called so: UTF-8, not empty, no Unicode space, no '+', no control character? */
extern bool scim_note_name_valid(ScimStr name);

/* Is it UTF-8 without control characters but newline, and does it end with one? */
extern bool scim_note_text_valid(ScimStr text);

/* The key of that name, with its ID: SHA-256(name || 0x0A || 0x01 || public), four bytes of it. */
extern ScimStatus scim_note_key_make(ScimNoteKey *key, ScimSha256 sha256, ScimStr name,
									 const uint8_t public[SCIM_NOTE_KEY_SIZE], ScimError *err);

/* A vkey, read (the ID in it must be the key's own) and written. */
extern ScimStatus scim_note_key_parse(ScimNoteKey *key, ScimSha256 sha256, ScimStr vkey, ScimError *err);
extern bool scim_note_key_format(ScimBuf *buf, const ScimNoteKey *key);

typedef struct ScimNoteSignature
{
	ScimStr		name;
	uint8_t		id[4];
	ScimStr		base64;			/* of the ID and the signature */
} ScimNoteSignature;

typedef struct ScimNote
{
	ScimStr		text;			/* ends with a newline */
	int			n;				/* at least 1 */
	ScimNoteSignature signatures[SCIM_NOTE_SIGNATURES_MAX];
} ScimNote;

extern ScimStatus scim_note_parse(ScimStr bytes, ScimNote *note, ScimError *err);

/* Ed25519: sign text; does this signature of text verify with that public key? */
typedef bool (*ScimNoteSign) (void *arg, ScimStr text, uint8_t signature[SCIM_NOTE_SIGNATURE_SIZE]);
typedef bool (*ScimNoteVerify) (void *arg, const uint8_t public[SCIM_NOTE_KEY_SIZE], ScimStr text,
								const uint8_t signature[SCIM_NOTE_SIGNATURE_SIZE]);

/* Append the note: text, the empty line, the signature by key. */
extern ScimStatus scim_note_sign(ScimBuf *buf, ScimStr text, const ScimNoteKey *key, ScimNoteSign sign,
								 void *arg, ScimError *err);

/* Append a line to a note that is signed already: one more signature of its text. */
extern bool scim_note_put_signature(ScimBuf *buf, const ScimNoteKey *key,
									const uint8_t signature[SCIM_NOTE_SIGNATURE_SIZE]);

/* Does this line say that it is by that key?  (Only scim_note_verify tells whether it is.) */
extern bool scim_note_signed_by(const ScimNoteSignature *signature, const ScimNoteKey *key);

/*
 * Is the note signed by one of these keys, at least, and does each signature
 * of one of them hold?  Signatures by other keys say nothing.
 */
extern ScimStatus scim_note_verify(const ScimNote *note, const ScimNoteKey *keys, size_t n,
								   ScimNoteVerify verify, void *arg, ScimError *err);

#endif							/* SCIM_CORE_NOTE_H */
