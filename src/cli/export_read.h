/*
 * export_read.h
 *		An exported log, read: its files one after another, each once.
 */
#ifndef SCIM_CLI_EXPORT_READ_H
#define SCIM_CLI_EXPORT_READ_H

#include "cli/findings.h"
#include "cli/layout.h"

typedef struct CliExport
{
	const char *dir;
	CliManifest manifest;
	ScimBuf		file;			/* the tile that was read last */
} CliExport;

/*
 * Fails when this is no export.  When what it says of itself is damaged, that
 * is a finding, and false, or fails when findings is NULL.
 */
extern bool cli_export_open(CliExport *export, const char *dir, CliFindings *findings);

/* A ScimTileRead: the tile as its file has it; arg is the CliExport. */
extern bool cli_export_tile(void *arg, const ScimTile *tile, uint8_t *hashes);

/* Where an event stands, and its entry; false when it is not there. */
extern bool cli_export_find(CliExport *export, const uint8_t tx_id[16], int32_t n, uint64_t *index, ScimBuf *entry);

#endif							/* SCIM_CLI_EXPORT_READ_H */
