/*
 * verify_dir.h
 *		scim-audit verify DIR: what its parts share.  verify_dir.c walks,
 *		verify_bundle.c reads a bundle of entries and its lines.
 */
#ifndef SCIM_CLI_VERIFY_DIR_H
#define SCIM_CLI_VERIFY_DIR_H

#include <stdlib.h>

#include "cli/chain_read.h"
#include "cli/cli.h"
#include "cli/crypto.h"
#include "cli/export_read.h"
#include "cli/file.h"
#include "cli/tree_check.h"
#include "cli/verify.h"

/* Of one bundle, or of one line: what its texts need that are escaped. */
#define CLI_ARENA_MAX ((size_t) 1 << 32)

typedef struct CliDir
{
	CliVerify  *verify;
	CliExport	export;
	ScimVerify *walk;
	CliChain   *chains;
	int			n_chains;

	/* the transaction at hand */
	bool		in_transaction;
	uint8_t		tx_id[16];
	int32_t		chain;
	int64_t		seq;
	bool		has_seal;
	int32_t		events;			/* how many its seal counts; 0: not known */
	int32_t		last_n;

	/* what core looks at */
	const char *file;			/* where the line of the event stands */
	bool		silent;			/* the event, or the seal, is known to be damaged */
	bool		no_detail;		/* the line could not be read: the detail is not gone */

	/* tail.ndjson */
	bool		in_tail;		/* the transaction at hand is one of its */
	bool		tail_damaged;	/* that was told */
	bool		tail_gone;

	/* checkpoints.ndjson */
	FILE	   *records;
	char	   *line;
	size_t		line_size;
	ScimArena  *record_arena;

	/* a bundle */
	ScimBuf		entries;
	ScimBuf		details;
	CliLeaves	leaves;
	ScimStr		entry[SCIM_TILE_WIDTH];
	bool		readable[SCIM_TILE_WIDTH];
	ScimEntry	parsed[SCIM_TILE_WIDTH];
	CliLine		lines[SCIM_TILE_WIDTH + 1];
	bool		line_good[SCIM_TILE_WIDTH + 1];
	int			n_lines;
	bool		lines_damaged;	/* that was told */
} CliDir;

/* Fails when out of memory. */
extern void cli_went(bool went_on);

/* A file of the export; false, and told, when it is not there. */
extern bool cli_dir_file(CliDir *dir, char *path, ScimBuf *buf);

/* The next event, in the order of the tree, and its line (NULL: it cannot be read), which has a number in a file. */
extern void cli_dir_feed(CliDir *dir, const ScimVerifyEvent *event, bool silent, const CliLine *line, const char *file, int number);

/* A bundle: its leaves go to the tree, its events are fed. */
extern void cli_dir_bundle(CliDir *dir, CliTree *tree, uint64_t index);

#endif							/* SCIM_CLI_VERIFY_DIR_H */
