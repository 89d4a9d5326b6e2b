/*
 * export_write.h
 *		The files of an export, from the database.
 */
#ifndef SCIM_CLI_EXPORT_WRITE_H
#define SCIM_CLI_EXPORT_WRITE_H

#include "cli/crypto.h"
#include "cli/db.h"
#include "cli/layout.h"
#include "cli/signed.h"

typedef struct CliExporter
{
	const char *dir;
	PGconn	   *conn;
	char	   *origin;			/* NULL: the log has no checkpoint yet */
	CliCheckpoint checkpoint;	/* the one of the export */
	CliManifest old;			/* what the directory held */
	CliManifest new;
} CliExporter;

/* Each writes what is new since exporter->old, under names that exporter->old does not use. */
extern void cli_write_entries(CliExporter *exporter);	/* tile/entries, details */
extern void cli_write_tiles(CliExporter *exporter);
extern void cli_write_seals(CliExporter *exporter);
extern void cli_write_tail(CliExporter *exporter);	/* tail.ndjson.tmp */
extern void cli_write_checkpoints(CliExporter *exporter);	/* checkpoints.ndjson.tmp */

/* name.tmp becomes name. */
extern void cli_put_in_place(CliExporter *exporter, const char *name);

/* Files of exporter->old that exporter->new has others for. */
extern void cli_remove_old(CliExporter *exporter);

extern bool cli_directory_is_empty(const char *dir);

/* Of a chain; 0 when it has no seal. */
extern int64_t cli_last_seq(const CliManifest *manifest, int32_t chain);

#endif							/* SCIM_CLI_EXPORT_WRITE_H */
