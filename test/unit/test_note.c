/*
 * test_note.c
 *		Signed notes, keys, checkpoints and proofs as text (C2SP signed-note,
 *		tlog-checkpoint, tlog-proof), with the specification's own example.
 */
#include "core/note.h"

#include <stdlib.h>

#include "core/checkpoint.h"
#include "core/text.h"
#include "sha256.h"
#include "tap.h"

#define VKEY "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
#define TEXT "This is an example message.\n"
#define SIGNATURE "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM="
#define DASH "\xE2\x80\x94 "
#define NOTE TEXT "\n" DASH "example.com/foo " SIGNATURE "\n"

static ScimStr
str(const char *text)
{
	return (ScimStr) {text, strlen(text)};
}

/* A heap copy without a terminating NUL, so that ASan sees a read past the end. */
static ScimStr
exact(ScimStr text)
{
	char	   *copy = malloc(text.len > 0 ? text.len : 1);

	memcpy(copy, text.ptr, text.len);
	return (ScimStr) {copy, text.len};
}

/* In place of Ed25519: half the hash of key and text, half zeros. */
static bool
sign(void *arg, ScimStr text, uint8_t signature[SCIM_NOTE_SIGNATURE_SIZE])
{
	ScimStr		pieces[] = {{arg, SCIM_NOTE_KEY_SIZE}, text};

	memset(signature, 0, SCIM_NOTE_SIGNATURE_SIZE);
	return sha256(pieces, 2, signature);
}

static bool
verify(void *arg, const uint8_t public[SCIM_NOTE_KEY_SIZE], ScimStr text,
	   const uint8_t signature[SCIM_NOTE_SIGNATURE_SIZE])
{
	uint8_t		want[SCIM_NOTE_SIGNATURE_SIZE];
	uint8_t		key[SCIM_NOTE_KEY_SIZE];

	(void) arg;
	memcpy(key, public, sizeof(key));
	return sign(key, text, want) && memcmp(signature, want, sizeof(want)) == 0;
}

/* What the specification's example must be verified with. */
static bool
expect_example(void *arg, const uint8_t public[SCIM_NOTE_KEY_SIZE], ScimStr text,
			   const uint8_t signature[SCIM_NOTE_SIGNATURE_SIZE])
{
	uint8_t		key[1 + SCIM_NOTE_KEY_SIZE];
	uint8_t		signed_id[4 + SCIM_NOTE_SIGNATURE_SIZE];

	(*(int *) arg)++;
	return scim_base64_exactly(SCIM_STR("AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"), key, sizeof(key)) &&
		memcmp(public, key + 1, SCIM_NOTE_KEY_SIZE) == 0 &&
		scim_str_equal(text, SCIM_STR(TEXT)) &&
		scim_base64_exactly(SCIM_STR(SIGNATURE), signed_id, sizeof(signed_id)) &&
		memcmp(signature, signed_id + 4, SCIM_NOTE_SIGNATURE_SIZE) == 0;
}

static void
test_keys(void)
{
	static const char *const bad[] = {
		"", "a", "a+b", "example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
		"example.com/fo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
		"example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
		"example.com/foo+530d903a+BekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
		"example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U",
		"+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", VKEY "=", VKEY "\n", "exam ple.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
	};
	static const char *const bad_names[] = {"", "a b", "a+b", "a\nb", "a\xC2\xA0" "b", "a\xE2\x80\x83", "\xFF", "a\x7F\xC2"};
	ScimNoteKey key;
	ScimError	err;
	ScimBuf		buf;

	scim_buf_init(&buf, NULL, 200);
	is_int(scim_note_key_parse(&key, sha256, SCIM_STR(VKEY), &err), SCIM_OK, "the example's key is read");
	ok(scim_note_key_format(&buf, &key), "and written");
	is_str(buf.data, VKEY, "the same");
	scim_buf_free(&buf);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
	{
		ScimStr		text = exact(str(bad[i]));

		is_int(scim_note_key_parse(&key, sha256, text, &err), SCIM_INVALID_SYNTAX, "\"%s\" is no key", bad[i]);
		free((void *) text.ptr);
	}
	for (size_t i = 0; i < sizeof(bad_names) / sizeof(bad_names[0]); i++)
		ok(!scim_note_name_valid(str(bad_names[i])), "bad name %zu", i);
	ok(scim_note_name_valid(SCIM_STR("log.example/\xC3\xA4")), "a name may have any letter");
}

static void
test_example(void)
{
	ScimStr		bytes = exact(SCIM_STR(NOTE));
	ScimNote	note;
	ScimNoteKey key;
	ScimError	err;
	int			calls = 0;

	is_int(scim_note_parse(bytes, &note, &err), SCIM_OK, "the example is a note");
	ok(scim_str_equal(note.text, SCIM_STR(TEXT)) && note.n == 1 &&
	   scim_str_equal(note.signatures[0].name, SCIM_STR("example.com/foo")), "with its text and one signature");
	scim_note_key_parse(&key, sha256, SCIM_STR(VKEY), &err);
	ok(scim_note_signed_by(&note.signatures[0], &key), "by that key");
	is_int(scim_note_verify(&note, &key, 1, expect_example, &calls, &err), SCIM_OK, "which verifies");
	is_int(calls, 1, "once");
	key.id[0] ^= 1;
	is_int(scim_note_verify(&note, &key, 1, expect_example, &calls, &err), SCIM_INVALID_VALUE, "another key says nothing");
	is_str(err.detail, "the note has no signature by a known key", "and then nobody has signed");
	free((void *) bytes.ptr);
}

static void
test_bad_notes(void)
{
	static const char *const bad[] = {
		"", "\n", "\n\n", "text\n", "text\n\n", TEXT DASH "example.com/foo " SIGNATURE "\n",
		TEXT "\n" DASH "example.com/foo " SIGNATURE, TEXT "\n- example.com/foo " SIGNATURE "\n",
		TEXT "\n" DASH "example.com/foo\n", TEXT "\n" DASH " " SIGNATURE "\n", TEXT "\n" DASH "example.com/foo AAAAAA==\n",
		TEXT "\n" DASH "example.com/foo  " SIGNATURE "\n", TEXT "\n" DASH "example.com/foo " SIGNATURE " \n",
		TEXT "\n" DASH "example.com/foo not/base64\n", TEXT "\n" DASH "a+b " SIGNATURE "\n",
		"tab\t\n\n" DASH "example.com/foo " SIGNATURE "\n", "\xFF\n\n" DASH "example.com/foo " SIGNATURE "\n",
		NOTE "\n", NOTE "more\n",
	};
	ScimNote	note;
	ScimError	err;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
	{
		ScimStr		bytes = exact(str(bad[i]));

		is_int(scim_note_parse(bytes, &note, &err), SCIM_INVALID_SYNTAX, "no note: case %zu", i);
		free((void *) bytes.ptr);
	}
}

static void
test_signing(void)
{
	uint8_t		secret[2][SCIM_NOTE_KEY_SIZE] = {{1}, {2}};
	ScimNoteKey keys[2];
	ScimNote	note;
	ScimError	err;
	ScimBuf		buf;
	uint8_t		signature[SCIM_NOTE_SIGNATURE_SIZE];

	scim_note_key_make(&keys[0], sha256, SCIM_STR("log.example/audit"), secret[0], &err);
	scim_note_key_make(&keys[1], sha256, SCIM_STR("witness.example"), secret[1], &err);
	is_int(scim_note_key_make(&keys[1], sha256, SCIM_STR("witness example"), secret[1], &err), SCIM_INVALID_SYNTAX, "no key with a space");
	scim_buf_init(&buf, NULL, 10000);
	is_int(scim_note_sign(&buf, SCIM_STR("a\n\nb\n"), &keys[0], sign, secret[0], &err), SCIM_OK, "signed");
	sign(secret[1], SCIM_STR("a\n\nb\n"), signature);
	ok(scim_note_put_signature(&buf, &keys[1], signature), "signed once more");
	is_int(scim_note_parse((ScimStr) {buf.data, buf.len}, &note, &err), SCIM_OK, "a note");
	ok(note.n == 2 && scim_str_equal(note.text, SCIM_STR("a\n\nb\n")), "of two signatures, whose text has an empty line");
	is_int(scim_note_verify(&note, keys, 2, verify, NULL, &err), SCIM_OK, "both hold");
	is_int(scim_note_verify(&note, keys, 1, verify, NULL, &err), SCIM_OK, "one does, too");
	is_int(scim_note_verify(&note, keys, 0, verify, NULL, &err), SCIM_INVALID_VALUE, "somebody must be known");
	keys[1].public[0] = 9;
	is_int(scim_note_verify(&note, keys, 2, verify, NULL, &err), SCIM_INVALID_VALUE, "a known one that does not hold refuses all");
	is_str(err.detail, "the signature by witness.example does not verify", "and is named");
	is_int(scim_note_sign(&buf, SCIM_STR("no newline"), &keys[0], sign, secret[0], &err), SCIM_INVALID_SYNTAX, "no text without newline");
	scim_buf_free(&buf);
}

static void
test_checkpoints(void)
{
	static const char *const bad[] = {
		"", "log.example\n", "log.example\n5\n", "log.example\n05\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
		"log.example\n-1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n", "\n5\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
		"log.example\n9223372036854775808\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
		"log.example\n5\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU\n", "log.example\n5\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=\n",
		"log.example\n5\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
	};
	ScimCheckpoint checkpoint = {SCIM_STR("log.example/audit"), 0, {0}};
	ScimCheckpoint read;
	ScimError	err;
	ScimBuf		buf;

	memcpy(checkpoint.root, scim_merkle_empty, SCIM_HASH_SIZE);
	scim_buf_init(&buf, NULL, 1000);
	ok(scim_checkpoint_format(&buf, &checkpoint), "a checkpoint");
	is_str(buf.data, "log.example/audit\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n", "of the empty tree");
	scim_buf_str(&buf, "an extension\n");
	is_int(scim_checkpoint_parse((ScimStr) {buf.data, buf.len}, &read, &err), SCIM_OK, "is read, extension or not");
	ok(scim_str_equal(read.origin, checkpoint.origin) && read.size == 0 &&
	   memcmp(read.root, checkpoint.root, SCIM_HASH_SIZE) == 0, "as it was");
	scim_buf_free(&buf);
	checkpoint.size = SCIM_TREE_MAX;
	scim_buf_init(&buf, NULL, 1000);
	scim_checkpoint_format(&buf, &checkpoint);
	ok(scim_checkpoint_parse((ScimStr) {buf.data, buf.len}, &read, &err) == SCIM_OK && read.size == SCIM_TREE_MAX, "of the largest, too");
	scim_buf_free(&buf);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
	{
		ScimStr		text = exact(str(bad[i]));

		is_int(scim_checkpoint_parse(text, &read, &err), SCIM_INVALID_SYNTAX, "no checkpoint: case %zu", i);
		free((void *) text.ptr);
	}
}

static void
test_inclusions(void)
{
	static const char *const bad[] = {
		"", "c2sp.org/tlog-proof@v2\nindex 1\n\nnote\n", "c2sp.org/tlog-proof@v1\n\nnote\n", "c2sp.org/tlog-proof@v1\nindex x\n\nnote\n",
		"c2sp.org/tlog-proof@v1\nindex 1\nhash\n\nnote\n", "c2sp.org/tlog-proof@v1\nindex 1\n", "c2sp.org/tlog-proof@v1\nextra ?\nindex 1\n\nnote\n",
	};
	ScimInclusion inclusion = {.index = 7, .note = SCIM_STR(NOTE)};
	ScimInclusion read;
	ScimError	err;
	ScimBuf		buf;

	inclusion.proof.n = 2;
	memset(inclusion.proof.hash[0], 0, SCIM_HASH_SIZE);
	memset(inclusion.proof.hash[1], 0xFF, SCIM_HASH_SIZE);
	scim_buf_init(&buf, NULL, 10000);
	ok(scim_inclusion_format(&buf, &inclusion), "a proof");
	is_str(buf.data, "c2sp.org/tlog-proof@v1\nindex 7\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
		   "//////////////////////////////////////////8=\n\n" NOTE, "as text");
	is_int(scim_inclusion_parse((ScimStr) {buf.data, buf.len}, &read, &err), SCIM_OK, "is read");
	ok(read.index == 7 && read.proof.n == 2 && read.proof.hash[1][31] == 0xFF && scim_str_equal(read.note, SCIM_STR(NOTE)), "as it was");
	scim_buf_free(&buf);
	is_int(scim_inclusion_parse(SCIM_STR("c2sp.org/tlog-proof@v1\nextra aGk=\nindex 0\n\nnote\n"), &read, &err), SCIM_OK, "extra data is passed over");
	ok(read.index == 0 && read.proof.n == 0, "the only leaf needs no hash");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
	{
		ScimStr		text = exact(str(bad[i]));

		is_int(scim_inclusion_parse(text, &read, &err), SCIM_INVALID_SYNTAX, "no proof: case %zu", i);
		free((void *) text.ptr);
	}
}

int
main(void)
{
	test_keys();
	test_example();
	test_bad_notes();
	test_signing();
	test_checkpoints();
	test_inclusions();
	return done_testing();
}
