/*
 * event_store.h
 *		Rows into the tables of the log, and the heads of the chains out of
 *		them, without SQL.
 *
 * log_row.c inserts what is put together here.
 */
#ifndef SCIM_AUDIT_PG_EVENT_STORE_H
#define SCIM_AUDIT_PG_EVENT_STORE_H

#include "utils/relcache.h"

#include "core/entry.h"

/* Oids of scim_audit.events and scim_audit.seals; raises an ERROR when the
 * extension's tables are not there. */
extern Oid	scim_audit_events_oid(void);
extern Oid	scim_audit_seals_oid(void);

/* The same, InvalidOid when they are not there. */
extern Oid	scim_audit_log_table(const char *name);

/*
 * Insert an event into its partition (open, RowExclusiveLock), where
 * detail (a JSON object's text) and its 16-byte salt go with it when
 * entry->has_detail.
 */
extern void scim_audit_store_event(Relation partition, const ScimEntry *entry,
								   const uint8_t leaf_hash[SCIM_HASH_SIZE],
								   ScimStr detail, const uint8_t salt[16]);

/*
 * The last seal of a chain, whichever snapshot the transaction has: the
 * caller holds the chain's lock, so nobody is adding to it.  Fills seq and
 * at (microseconds since 1970) of *head and its hash; false for an empty
 * chain.
 */
extern bool scim_audit_store_head(Relation seals, int chain, ScimSeal *head,
								  uint8_t hash[SCIM_HASH_SIZE]);

/* Another number whenever scim_audit.seals was altered, emptied or made anew; never 0. */
extern uint64 scim_audit_store_seals_version(void);

/*
 * The latest time (microseconds since 1970) of the last seals of all chains,
 * as they are committed now; 0 when there is none.
 */
extern int64_t scim_audit_store_latest(Relation seals);

/*
 * Insert a seal into scim_audit.seals (open, RowExclusiveLock); the caller
 * holds its chain's lock.  False, and nothing was inserted, where may_be_taken
 * and there is one already in its place; without may_be_taken that is an ERROR.
 */
extern bool scim_audit_store_seal(Relation seals, const ScimSeal *seal, const uint8_t hash[SCIM_HASH_SIZE],
								  bool may_be_taken);

/*
 * Insert a row, its values in the order of the table's columns, into one of
 * the log's other tables (open, RowExclusiveLock).
 */
extern void scim_audit_store_row(Relation table, const Datum *values, const bool *nulls);

/*
 * Make hashes (32 bytes each) the tile at that place in scim_audit.tiles
 * (open, RowExclusiveLock), whether there is one already or not.  The caller
 * is the only one who writes tiles.
 */
extern void scim_audit_store_tile(Relation tiles, const char *origin, int32 level, int64 tile_index,
								  const uint8_t *hashes, int n);

/* Has the table, or for a partitioned one any partition, a row that is not deleted? */
extern bool scim_audit_store_has_rows(Oid table);

/* Microseconds since 1970 of a timestamp, and back. */
extern int64_t scim_audit_unix_micros(int64 timestamp);
extern int64 scim_audit_timestamp(int64_t micros);

/* Called from _PG_init. */
extern void scim_audit_event_store_init(void);

#endif							/* SCIM_AUDIT_PG_EVENT_STORE_H */
