/*
 * tree_serve.c
 *		scim_audit.tile(): the resources of C2SP tlog-tiles, tiles and bundles
 *		of entries.
 *
 * A tile's hashes say nothing of what they are made of, so every auditor may
 * have them.  A bundle holds the entries of all tenants.
 */
#include "pg/compat.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "pg/duty.h"
#include "pg/tree.h"
#include "pg/verify.h"

#define BUNDLE_MAX (SCIM_TILE_WIDTH * (2 + SCIM_ENTRY_MAX))

/* The events that are leaves from $2 to before $3, each with its index. */
#define ENTRIES_QUERY \
	"SELECT " SCIM_AUDIT_EVENT_COLUMNS ", l.first + e.n FROM (" \
	" SELECT s.tx_id AS seal_tx_id, s.events, p.first + pg_catalog.sum(s.events) OVER (PARTITION BY p.first ORDER BY s.seq) - s.events AS first" \
	" FROM scim_audit.checkpoint_spans p" \
	" JOIN scim_audit.seals s ON s.chain = p.chain AND s.seq >= p.from_seq AND s.seq <= p.to_seq" \
	" WHERE p.origin = $1 AND p.first < $3 AND p.first >= (" \
	"  SELECT f.first FROM scim_audit.checkpoint_spans f WHERE f.origin = $1 AND f.first <= $2 ORDER BY f.first DESC LIMIT 1)) l" \
	" JOIN scim_audit.events e ON e.tx_id = l.seal_tx_id AND e.n >= 0 AND e.n < l.events AND e.n >= $2 - l.first AND e.n < $3 - l.first" \
	" ORDER BY l.first + e.n"

PG_FUNCTION_INFO_V1(scim_audit_tile);


/* The tile's hashes as bytea; NULL when there is none so wide. */
static bytea *
get_hashes(const char *origin, const ScimTile *tile)
{
	int			len = tile->width * SCIM_HASH_SIZE;
	bytea	   *result = palloc(VARHDRSZ + len);

	SET_VARSIZE(result, VARHDRSZ + len);
	return scim_audit_tile_read(origin, tile, (uint8_t *) VARDATA(result)) ? result : NULL;
}

/* Append the entry of the row at hand. */
static void
put_event(ScimBuf *bundle, ScimBuf *entry, const ScimAuditRows *rows)
{
	ScimVerifyEvent event;

	scim_audit_rows_event(rows, &event);
	scim_buf_reset(entry);
	/* What has no entry is no leaf that anybody could check. */
	if (event.damaged || !scim_entry_render(entry, &event.entry))
		scim_buf_reset(entry);
	scim_tile_put_entry(bundle, (ScimStr) {entry->data, entry->len});
}

/* A bundle of entries; an empty one stands for an event that is gone. */
static bytea *
get_entries(const char *origin, const ScimTile *tile, MemoryContext context)
{
	Oid			types[3] = {TEXTOID, INT8OID, INT8OID};
	int64		first = (int64) tile->index * SCIM_TILE_WIDTH;
	Datum		values[3] = {CStringGetTextDatum(origin), Int64GetDatum(first), Int64GetDatum(first + tile->width)};
	ScimAuditRows rows = {.portal = SPI_cursor_open_with_args(NULL, ENTRIES_QUERY, 3, types, values, NULL, true, 0)};
	ScimArena  *arena = scim_arena_create(2 * BUNDLE_MAX);
	int64		next = first;
	ScimBuf		bundle;
	ScimBuf		entry;
	bytea	   *result = NULL;

	if (arena == NULL)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	scim_buf_init(&bundle, arena, BUNDLE_MAX);
	scim_buf_init(&entry, arena, SCIM_ENTRY_MAX);
	PG_TRY();
	{
		while (scim_audit_rows_next(&rows))
		{
			for (int64 index = DatumGetInt64(rows.fields.values[SCIM_AUDIT_EVENT_N_COLUMNS]); next < index; next++)
				scim_tile_put_entry(&bundle, SCIM_STR(""));
			put_event(&bundle, &entry, &rows);
			next++;
		}
		for (; next < first + tile->width; next++)
			scim_tile_put_entry(&bundle, SCIM_STR(""));
		if (bundle.failed)
			ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
		result = MemoryContextAlloc(context, VARHDRSZ + bundle.len);
		SET_VARSIZE(result, VARHDRSZ + bundle.len);
		memcpy(VARDATA(result), bundle.data, bundle.len);
	}
	PG_FINALLY();
	{
		scim_arena_free(arena);
	}
	PG_END_TRY();
	return result;
}

/*
 * scim_audit.tile(path text) RETURNS bytea: "tile/0/x001/067.p/5" or "tile/entries/067"; null
 * when there is no such resource
 */
Datum
scim_audit_tile(PG_FUNCTION_ARGS)
{
	text	   *path = PG_GETARG_TEXT_PP(0);
	ScimAuditTenants tenants = scim_audit_duty_tenants(GetUserId(), SCIM_DUTY_AUDITOR);
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext spi;
	ScimAuditUser user;
	ScimTile	tile;
	bytea	   *result = NULL;
	char	   *origin;

	if (!tenants.all && tenants.n == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("role \"%s\" is no auditor", GetUserNameFromId(GetUserId(), false))));
	if (!scim_tile_parse((ScimStr) {VARDATA_ANY(path), VARSIZE_ANY_EXHDR(path)}, &tile))
		PG_RETURN_NULL();
	if (tile.level == SCIM_TILE_ENTRIES && !tenants.all)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("entries are for auditors of all tenants")));
	user = scim_audit_become(scim_audit_table_owner("scim_audit.checkpoints"));
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	spi = CurrentMemoryContext;
	origin = scim_audit_origin();
	if (scim_tile_width(scim_audit_tree_size(origin), tile.level, tile.index) >= tile.width)
	{
		if (tile.level == SCIM_TILE_ENTRIES)
			result = get_entries(origin, &tile, caller);
		else
		{
			MemoryContextSwitchTo(caller);
			result = get_hashes(origin, &tile);
			MemoryContextSwitchTo(spi);
		}
	}
	SPI_finish();
	scim_audit_become_again(user);
	if (result == NULL)
		PG_RETURN_NULL();
	PG_RETURN_BYTEA_P(result);
}
