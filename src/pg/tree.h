/*
 * tree.h
 *		The Merkle tree over the log's events, in the database.
 *
 * checkpoint.c makes it grow: the events of seals that are not in it yet
 * become its leaves, by chain, seq and n, and what it is then is a checkpoint.
 * tree_read.c reads it: tiles, proofs, where an event stands in it.
 * docs/audit-log.md, section 7, is the format.
 */
#ifndef SCIM_AUDIT_PG_TREE_H
#define SCIM_AUDIT_PG_TREE_H

#include "core/checkpoint.h"
#include "core/tile.h"
#include "pg/owner.h"

/*
 * May the caller make checkpoints (audit_admin of all tenants), and can it be
 * done here?  Raises an ERROR if not; else waits for our turn and becomes the
 * owner of the log.  Returns who we were.
 */
extern ScimAuditUser scim_audit_tree_administration(const char *function);

/*
 * Read a tile of a log's tree, as wide as *tile says, with SPI connected and
 * the rights of the log's owner; false when there is none so wide.
 */
extern bool scim_audit_tile_read(const char *origin, const ScimTile *tile, uint8_t *hashes);

/* The origin in use, and how large its tree is; SPI is connected.  Raises an ERROR when there is none. */
extern char *scim_audit_origin(void);
extern int64 scim_audit_tree_size(const char *origin);

#endif							/* SCIM_AUDIT_PG_TREE_H */
