/*
 * verify.h
 *		scim-audit verify: what its parts share.
 */
#ifndef SCIM_CLI_VERIFY_H
#define SCIM_CLI_VERIFY_H

#include "cli/findings.h"
#include "cli/signed.h"

typedef struct CliVerify
{
	CliFindings findings;
	CliKeys		keys;
	CliCheckpoint *outside;		/* those that were kept elsewhere, by size */
	int			n_outside;
	uint64_t	events;			/* how many were checked */
	uint64_t	size;			/* of the tree, and its log */
	char	   *origin;			/* NULL: none */
	bool		rows;			/* the database is asked for row_mismatch as well */
} CliVerify;

extern void cli_verify_directory(CliVerify *verify, const char *dir);
extern void cli_verify_database(CliVerify *verify, const char *conninfo);

/* The signatures of the newest checkpoint (NULL: there is none), which must be by one of the keys, where some are given. */
extern void cli_verify_signature(CliVerify *verify, const char *file, const CliCheckpoint *checkpoint);

/* A note of any checkpoint, whose signatures by these keys must hold. */
extern void cli_verify_note(CliVerify *verify, const char *file, ScimStr bytes, uint64_t size, ScimStr text);

/* Checkpoints that are of none of these logs. */
extern void cli_verify_strangers(CliVerify *verify, const ScimStr *origins, int n);

#endif							/* SCIM_CLI_VERIFY_H */
