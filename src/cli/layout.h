/*
 * layout.h
 *		An exported log: which files its directory has, and what their lines
 *		look like.
 *
 *		checkpoint				the newest signed checkpoint; its text alone, when none is signed
 *		tile/<L>/<N>			hashes of the tree, as C2SP tlog-tiles has them
 *		tile/entries/<N>		the events' entries, in the order of the tree
 *		details/<N>.ndjson		a line for each of these entries: what stands beside it
 *		seals/<chain>/<N>.ndjson	256 places of a chain
 *		tail.ndjson				events that the checkpoint does not cover yet, by chain, seq, n
 *		checkpoints.ndjson		all checkpoints of the log up to that one, with their notes
 *		export.json				what all of these belong to
 *
 * checkpoint and tile/... are what a reader of transparency logs wants, and
 * can be served as they are.  N is written as in the names of tiles, with .p/
 * and a number behind it while there is less than 256 in the file.  The lines are JSON in one spelling only: no space, members in one order, so that
 * no byte of them can be another one unnoticed.
 */
#ifndef SCIM_CLI_LAYOUT_H
#define SCIM_CLI_LAYOUT_H

#include "core/cursor.h"
#include "core/tile.h"
#include "core/verify.h"

#define CLI_FORMAT "scim-audit export 1"
#define CLI_SEALS_WIDTH 256

/* Paths below the directory, malloc'd. */
extern char *cli_tile_path(const char *dir, const ScimTile *tile);
extern char *cli_details_path(const char *dir, const ScimTile *entries);
extern char *cli_seals_path(const char *dir, int32_t chain, int64_t segment, int64_t last_seq);
extern char *cli_path(const char *dir, const char *name);

/* The segment of a seal, from 0; what has no place in its chain stands in the first. */
extern int64_t cli_seals_segment(int64_t seq);

/*
 * A line of details/ or tail.ndjson:
 *		{"event":"<tx_id>:<n>","chain":0,"seq":1,"leaf_hash":"…","entry":{…},"salt":"…","detail":{…}}
 * Members that are not there are left out; leaf_hash and entry stand in the
 * tail only.  detail is the stored bytes, or, where these hold a newline, the
 * member is called detail_text and is a string.  {} is an event of which
 * nothing is known but that it was there.
 */
typedef struct CliLine
{
	bool		known;			/* not {} */
	uint8_t		tx_id[16];
	int32_t		n;
	int32_t		chain;
	int64_t		seq;
	bool		has_leaf;
	uint8_t		leaf_hash[SCIM_HASH_SIZE];
	ScimStr		entry;
	ScimStr		salt;
	ScimStr		detail;
} CliLine;

extern void cli_line_put(ScimBuf *buf, const CliLine *line);

/* False when the text is none; salt and an escaped detail go to the arena. */
extern bool cli_line_read(CliLine *line, ScimStr text, ScimArena *arena);

/* A line of seals/: the entry of the seal with one more member, "hash", at its end.  sound: it hashes to that. */
extern void cli_seal_put(ScimBuf *buf, const ScimVerifySeal *seal);
extern bool cli_seal_read(ScimVerifySeal *seal, bool *sound, ScimStr text);

/* export.json. */
typedef struct CliManifest
{
	bool		has_origin;		/* the log has a checkpoint */
	ScimStr		origin;			/* malloc'd */
	uint64_t	size;			/* of the checkpoint */
	uint64_t	written;		/* entries and details are on the disk up to here, at least */
	uint64_t	tail;			/* lines of tail.ndjson */
	uint8_t		checkpoints[SCIM_HASH_SIZE];	/* SHA-256 of checkpoints.ndjson */
	int			n_chains;
	struct CliHead
	{
		int32_t		chain;
		int64_t		last_seq;
	}		   *chains;
} CliManifest;

extern void cli_manifest_put(ScimBuf *buf, const CliManifest *manifest);

/* False, and why, when it is not what was written. */
extern bool cli_manifest_read(CliManifest *manifest, ScimStr text, ScimError *err);

/* A line of checkpoints.ndjson: {"origin":"…","size":1,"root":"…","at":"…","notes":["…"]}; notes are read one by one. */
typedef struct CliRecord
{
	ScimStr		origin;
	uint64_t	size;
	uint8_t		root[SCIM_HASH_SIZE];
	ScimCursor	notes;
} CliRecord;

extern bool cli_record_read(CliRecord *record, ScimStr text, ScimArena *arena);
extern bool cli_record_next(CliRecord *record, ScimArena *arena, ScimStr *note);

#endif							/* SCIM_CLI_LAYOUT_H */
