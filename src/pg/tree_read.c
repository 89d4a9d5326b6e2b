/*
 * tree_read.c
 *		The Merkle tree, read: tiles, proofs, what a checkpoint from outside
 *		says of it (see tree.h).
 */
#include "pg/compat.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "utils/builtins.h"

#include "pg/tree.h"

bool
scim_audit_tile_read(const char *origin, const ScimTile *tile, uint8_t *hashes)
{
	static SPIPlanPtr plan;
	Oid			types[3] = {TEXTOID, INT4OID, INT8OID};
	Datum		values[3] = {CStringGetTextDatum(origin), Int32GetDatum(tile->level), Int64GetDatum((int64) tile->index)};
	bool		isnull;
	bool		found = false;

	if (plan == NULL)
	{
		plan = SPI_prepare("SELECT hashes FROM scim_audit.tiles WHERE origin = $1 AND level = $2 AND index = $3", 3, types);
		if (plan == NULL || SPI_keepplan(plan) != 0)
			elog(ERROR, "could not prepare the reading of tiles");
	}
	if (SPI_execute_plan(plan, values, NULL, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not read scim_audit.tiles");
	if (SPI_processed == 1)
	{
		bytea	   *stored = DatumGetByteaPP(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));

		found = VARSIZE_ANY_EXHDR(stored) >= tile->width * SCIM_HASH_SIZE;
		if (found)
			memcpy(hashes, VARDATA_ANY(stored), tile->width * SCIM_HASH_SIZE);
	}
	SPI_freetuptable(SPI_tuptable);
	return found;
}
