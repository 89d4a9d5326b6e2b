/*
 * checkpoint.h
 *		What is said about a Merkle tree to those outside: checkpoints (C2SP
 *		tlog-checkpoint) and proofs of inclusion (C2SP tlog-proof), as text.
 *
 * A checkpoint is the text of a signed note (note.h):
 *
 *		origin
 *		size, in decimal
 *		base64(root)
 *
 * A proof carries the signed note that it leads to:
 *
 *		c2sp.org/tlog-proof@v1
 *		extra base64(anything)		(may be missing)
 *		index 7
 *		base64(hash)				(each hash, the leaf's sibling first)
 *									(an empty line)
 *		the signed checkpoint
 *
 * Nothing is copied: what is read points into the text that was given.  What
 * is none is SCIM_INVALID_SYNTAX.
 */
#ifndef SCIM_CORE_CHECKPOINT_H
#define SCIM_CORE_CHECKPOINT_H

#include "core/merkle.h"

typedef struct ScimCheckpoint
{
	ScimStr		origin;			/* name of the log, and of its key */
	uint64_t	size;
	uint8_t		root[SCIM_HASH_SIZE];
} ScimCheckpoint;

/* Append the text, with its last newline. */
extern bool scim_checkpoint_format(ScimBuf *buf, const ScimCheckpoint *checkpoint);

/* Read the text.  Lines behind the root are read over, as the format wants. */
extern ScimStatus scim_checkpoint_parse(ScimStr text, ScimCheckpoint *checkpoint, ScimError *err);

/* A proof that the leaf at index is in the tree of the checkpoint in the note. */
typedef struct ScimInclusion
{
	uint64_t	index;
	ScimProof	proof;
	ScimStr		note;
} ScimInclusion;

extern bool scim_inclusion_format(ScimBuf *buf, const ScimInclusion *inclusion);
extern ScimStatus scim_inclusion_parse(ScimStr text, ScimInclusion *inclusion, ScimError *err);

#endif							/* SCIM_CORE_CHECKPOINT_H */
