/*
 * storage.h
 *		Resources in their tables: the only code that reads and writes them.
 *
 * Statements come from core/sql.h, with every value a parameter.  They run as
 * the owner of the table, with the tenant as a parameter, so that row-level
 * security costs nothing here.  All need an SPI connection.  Errors of the
 * database are raised; out of memory too.  Everything returned belongs to the
 * arena.
 */
#ifndef SCIM_AUDIT_PG_STORAGE_H
#define SCIM_AUDIT_PG_STORAGE_H

#include "core/response.h"
#include "core/sql.h"

typedef struct ScimAuditRow
{
	ScimMeta	meta;
	ScimStr    *values;			/* of type->columns, as scim_resource_from_row takes them */
	ScimStr		sort_key;		/* where the statement returns it (ScimSort) */
} ScimAuditRow;

/*
 * The rows of a list: the fixed columns and those of type; their number.
 * *cut: there were more, but those read have max_bytes already.
 */
extern size_t scim_audit_storage_rows(ScimArena *arena, const ScimResourceType *type,
									  const ScimSql *sql, size_t max_bytes, ScimAuditRow **rows,
									  bool *cut);

/* The same where there is one row or none: was there one?  A statement that
 * returns the fixed columns only (scim_sql_touch) leaves row->values alone. */
extern bool scim_audit_storage_row(ScimArena *arena, const ScimResourceType *type,
								   const ScimSql *sql, ScimAuditRow *row);

/* Any other statement on a table: n_columns cells for each row, in text form; the number of rows. */
extern size_t scim_audit_storage_cells(ScimArena *arena, const char *table, const ScimSql *sql,
									   int n_columns, ScimStr **cells);

/* The one number that a count returns. */
extern int64 scim_audit_storage_count(const char *table, const ScimSql *sql);

/* A statement that returns nothing, or whose rows do not matter: how many rows it touched. */
extern uint64 scim_audit_storage_execute(const char *table, const ScimSql *sql);

#endif							/* SCIM_AUDIT_PG_STORAGE_H */
