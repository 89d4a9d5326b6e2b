/*
 * signed.h
 *		Checkpoints as files have them, signed or not, and the keys that verify
 *		their signatures.
 */
#ifndef SCIM_CLI_SIGNED_H
#define SCIM_CLI_SIGNED_H

#include "core/checkpoint.h"
#include "core/note.h"

/* A checkpoint and the bytes that it was read from. */
typedef struct CliCheckpoint
{
	ScimStr		bytes;			/* malloc'd */
	ScimNote	note;			/* n 0: it has no signatures */
	ScimCheckpoint checkpoint;
} CliCheckpoint;

/* False, and why, when these bytes are none; a copy of them is kept. */
extern bool cli_checkpoint_read(CliCheckpoint *out, ScimStr bytes, ScimError *err);
extern void cli_checkpoint_free(CliCheckpoint *checkpoint);

/* The one in a file; fails when there is none in it. */
extern void cli_checkpoint_need(CliCheckpoint *out, const char *path);

/* Keys, as --key gives them: a vkey, or a file whose first line is one. */
typedef struct CliKeys
{
	ScimNoteKey *key;
	size_t		n;
} CliKeys;

extern void cli_keys_add(CliKeys *keys, const char *argument);

/* Is it signed by one of these keys, and does each signature by one of them hold? */
extern bool cli_checkpoint_signed(const CliCheckpoint *checkpoint, const CliKeys *keys, ScimError *err);

/* Is a signature by one of these keys wrong?  Signatures by others, or none at all, are not. */
extern bool cli_note_forged(const ScimNote *note, const CliKeys *keys);

/* Two checkpoints that contradict each other, one under the other, on standard output. */
extern void cli_show_both(const char *first, const CliCheckpoint *a, const char *second, const CliCheckpoint *b);

#endif							/* SCIM_CLI_SIGNED_H */
