/*
 * verify_schema.h
 *		What an audited table was called, and its columns, when its events were
 *		written.
 */
#ifndef SCIM_AUDIT_PG_VERIFY_SCHEMA_H
#define SCIM_AUDIT_PG_VERIFY_SCHEMA_H

#include "lib/stringinfo.h"
#include "nodes/pg_list.h"
#include "utils/rel.h"

#include "pg/tracked.h"

/*
 * Append a row of VALUES for each time between changes of the table's
 * name or columns, newest first:
 *	(resource_type, is_link, prefix, keys, alias, since_at, since_tx, since_n,
 *	until_at, until_tx, until_n, alterations)
 * keys: the key columns as they were called; alias: the resource_type that
 * its events have; bounds are those of events table.alter, null where open;
 * alterations: what has changed since, oldest first.  With SPI connected.  Of
 * table, columns are read before any SQL is run, the rest after it.
 */
extern void scim_audit_append_epochs(StringInfo out, Relation relation, const ScimAuditTable *table);

/* Does the log know of a change of the table's name or columns?  With SPI connected. */
extern bool scim_audit_was_altered(Oid relation);

/* Condition that event e falls into the time k that such a row tells of. */
#define SCIM_AUDIT_IN_EPOCH \
	" (k.since_tx IS NULL OR (e.tx_id = k.since_tx AND e.n > k.since_n) OR (e.tx_id <> k.since_tx AND e.at >= k.since_at))" \
	" AND (k.until_tx IS NULL OR (e.tx_id = k.until_tx AND e.n <= k.until_n) OR (e.tx_id <> k.until_tx AND e.at < k.until_at))"

#endif							/* SCIM_AUDIT_PG_VERIFY_SCHEMA_H */
