/*
 * signed.c
 *		Checkpoints as files have them, and the keys that verify their
 *		signatures (see signed.h).
 */
#include "cli/signed.h"

#include <stdlib.h>

#include "cli/cli.h"
#include "cli/crypto.h"
#include "cli/file.h"

bool
cli_checkpoint_read(CliCheckpoint *out, ScimStr bytes, ScimError *err)
{
	char	   *copy = cli_alloc(bytes.len + 1);
	ScimStatus	status;

	memset(out, 0, sizeof *out);
	memcpy(copy, bytes.ptr, bytes.len);
	out->bytes = (ScimStr) {copy, bytes.len};
	out->note.text = out->bytes;
	if (strstr(copy, "\n\n") != NULL)
		status = scim_note_parse(out->bytes, &out->note, err);
	else if (!scim_note_text_valid(out->bytes))
		status = scim_error(err, SCIM_INVALID_SYNTAX, "a checkpoint is UTF-8 without control characters, and its last line ends with a newline");
	else
		status = SCIM_OK;
	if (status == SCIM_OK)
		status = scim_checkpoint_parse(out->note.text, &out->checkpoint, err);
	if (status != SCIM_OK)
		cli_checkpoint_free(out);
	return status == SCIM_OK;
}

void
cli_checkpoint_free(CliCheckpoint *checkpoint)
{
	free((char *) checkpoint->bytes.ptr);
	memset(checkpoint, 0, sizeof *checkpoint);
}

void
cli_checkpoint_need(CliCheckpoint *out, const char *path)
{
	ScimBuf		buf;
	ScimError	err;

	scim_buf_init(&buf, NULL, CLI_FILE_MAX);
	cli_file_need(path, &buf);
	if (!cli_checkpoint_read(out, cli_buf_str(&buf), &err))
		cli_fail(NULL, "%s is no checkpoint: %s", path, err.detail);
	scim_buf_free(&buf);
}

void
cli_keys_add(CliKeys *keys, const char *argument)
{
	ScimBuf		buf;
	ScimStr		vkey = cli_str(argument);
	ScimError	err;
	char	   *copy;

	scim_buf_init(&buf, NULL, CLI_FILE_MAX);
	if (strchr(argument, '+') == NULL)
	{
		cli_file_need(argument, &buf);
		vkey = cli_buf_str(&buf);
		vkey.len = strcspn(vkey.ptr, "\r\n");
	}
	/* The key points into its text. */
	copy = cli_printf("%.*s", (int) vkey.len, vkey.ptr);
	keys->key = realloc(keys->key, (keys->n + 1) * sizeof(ScimNoteKey));
	if (keys->key == NULL)
		cli_out_of_memory();
	if (scim_note_key_parse(&keys->key[keys->n], cli_sha256, cli_str(copy), &err) != SCIM_OK)
		cli_fail("a key is what scim-audit keygen prints: NAME+ID+BASE64", "--key: %s", err.detail);
	keys->n++;
	scim_buf_free(&buf);
}

bool
cli_checkpoint_signed(const CliCheckpoint *checkpoint, const CliKeys *keys, ScimError *err)
{
	if (checkpoint->note.n == 0)
	{
		scim_error(err, SCIM_INVALID_VALUE, "the checkpoint is not signed");
		return false;
	}
	return scim_note_verify(&checkpoint->note, keys->key, keys->n, cli_ed25519_verify, NULL, err) == SCIM_OK;
}

bool
cli_note_forged(const ScimNote *note, const CliKeys *keys)
{
	for (int i = 0; i < note->n; i++)
		for (size_t k = 0; k < keys->n; k++)
		{
			ScimNote	one = {.text = note->text, .n = 1, .signatures = {note->signatures[i]}};

			if (scim_note_signed_by(&note->signatures[i], &keys->key[k]) &&
				scim_note_verify(&one, &keys->key[k], 1, cli_ed25519_verify, NULL, NULL) != SCIM_OK)
				return true;
		}
	return false;
}

void
cli_show_both(const char *first, const CliCheckpoint *a, const char *second, const CliCheckpoint *b)
{
	printf("%s:\n%.*s\n%s:\n%.*s", first, (int) a->bytes.len, a->bytes.ptr, second, (int) b->bytes.len, b->bytes.ptr);
}
