/*
 * key.h
 *		The private key of a log: a file outside of the database.
 *
 * One line, PRIVATE+KEY+name+id+base64(0x01 || seed), as the tools of other
 * transparency logs have it.
 */
#ifndef SCIM_CLI_KEY_H
#define SCIM_CLI_KEY_H

#include "core/note.h"

typedef struct CliPrivateKey
{
	ScimNoteKey key;
	uint8_t		seed[SCIM_NOTE_KEY_SIZE];
	int			fd;				/* of the file, locked: one signs at a time */
} CliPrivateKey;

/* Fails when there is no key in the file, or others may read it. */
extern void cli_key_need(CliPrivateKey *key, const char *path);
extern void cli_key_forget(CliPrivateKey *key);

#endif							/* SCIM_CLI_KEY_H */
