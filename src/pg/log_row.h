/*
 * log_row.h
 *		A row of a table of the log, put together and inserted without SQL:
 *		heap, then each index.
 *
 * It goes past triggers, privileges, constraints and row-level security on
 * purpose: there is no SQL statement that can write the log.  Who fills a row
 * fills every column that is NOT NULL.
 *
 * Columns are found by name, once per table: a partition may number them
 * differently after an upgrade dropped one from its parent.
 */
#ifndef SCIM_AUDIT_PG_LOG_ROW_H
#define SCIM_AUDIT_PG_LOG_ROW_H

#include "access/htup.h"
#include "utils/relcache.h"

#include "core/entry.h"

#define SCIM_AUDIT_LOG_COLUMNS_MAX 26

/* How a table's indexes are written; opaque. */
typedef struct ScimAuditIndexes ScimAuditIndexes;

/*
 * What is known of a table: where it has its columns, and its indexes.  All
 * zero to begin with; one that outlives a transaction must be forgotten
 * (scim_audit_log_table_forget) when the table changes.
 */
typedef struct ScimAuditLogTable
{
	Oid			oid;			/* InvalidOid: nothing is known */
	AttrNumber	attno[SCIM_AUDIT_LOG_COLUMNS_MAX];
	ScimAuditIndexes *indexes;	/* NULL: not looked at yet */
} ScimAuditLogTable;

/* Know a table (open): the n names are those of its columns that will be filled or read. */
extern void scim_audit_log_table_know(ScimAuditLogTable *known, Relation table,
									  const char *const *names, int n);

/*
 * Forget it when relid is its oid or InvalidOid.  Allocates and frees nothing,
 * so that it may be called by an invalidation, also while a row is inserted.
 */
extern void scim_audit_log_table_forget(ScimAuditLogTable *known, Oid relid);

/* A row being put together. */
typedef struct ScimAuditLogRow
{
	Relation	table;
	ScimAuditLogTable *known;	/* NULL: filled by column number */
	Datum	   *values;			/* one for each of the table's columns */
	bool	   *nulls;
	size_t		used;			/* of space */
	char		space[512];		/* for short texts: most of a row's */
} ScimAuditLogRow;

/* All columns are null at first.  What is given is not copied but for texts and bytes. */
extern void scim_audit_log_row_begin(ScimAuditLogRow *row, Relation table, ScimAuditLogTable *known);

/* Fill one: column is the place of its name in what the table is known by. */
extern void scim_audit_log_row_datum(ScimAuditLogRow *row, int column, Datum value);
extern void scim_audit_log_row_text(ScimAuditLogRow *row, int column, ScimStr value);	/* NONE: null */
extern void scim_audit_log_row_bytes(ScimAuditLogRow *row, int column, const uint8_t *bytes, size_t len);
extern void scim_audit_log_row_uuid(ScimAuditLogRow *row, int column, const uint8_t uuid[16]);

/* Insert it into its table (RowExclusiveLock); raises an ERROR where a unique index has it. */
extern void scim_audit_log_row_insert(ScimAuditLogRow *row);

/*
 * The same, but false, and nothing was inserted, where a unique index has it
 * already, or the table is not such that this can be told.  For a row of which
 * nobody else can be inserting another with the same key.
 */
extern bool scim_audit_log_row_insert_new(ScimAuditLogRow *row);

#endif							/* SCIM_AUDIT_PG_LOG_ROW_H */
