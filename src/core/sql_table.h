/*
 * sql_table.h
 *		Tables and indexes for what is registered: DDL from the registry.
 *
 * A resource type of its own gets a table with a column for each attribute,
 * named in snake_case after its path, beside the columns that scim.users has:
 * what an application reads is columns, and filters, sorting and uniqueness
 * are what they are for users.  Names are made here of letters, digits and
 * underscores; every other name is one of the registry's own.
 */
#ifndef SCIM_CORE_SQL_TABLE_H
#define SCIM_CORE_SQL_TABLE_H

#include "core/registry.h"

/* The name of the table for a type that is to have one: scim.resource_devices. */
extern ScimStatus scim_table_name(ScimArena *arena, const ScimResourceType *type, ScimStr *out);

/*
 * The storage description (registry.h) of a type in the table made for it, as
 * JSON.  A name that is taken already, by a fixed column or another attribute,
 * gets a number behind.
 */
extern ScimStatus scim_table_storage(ScimArena *arena, const ScimResourceType *type, ScimStr *out);

/* CREATE TABLE for a type that is stored as scim_table_storage says. */
extern ScimStatus scim_table_create(ScimArena *arena, const ScimResourceType *type, ScimStr *out);

/*
 * CREATE INDEX name for the attribute at a path, so that filters and sorting on
 * it have one; unique in its tenant where wanted.  SCIM_INVALID_PATH for what
 * is no attribute or has no index: a complex one, a link, a secret, values of a
 * multi-valued one that are no strings in any case.
 */
extern ScimStatus scim_table_index(ScimArena *arena, const ScimResourceType *type, ScimStr path, bool unique,
								   const char *name, ScimStr *out, ScimError *err);

/*
 * The paths of the attributes of a schema whose values are to be unique, as they
 * are named in filters: n of them.
 */
extern ScimStatus scim_table_unique(ScimArena *arena, const ScimResourceType *type, const ScimSchema *schema,
									const char ***paths, size_t *n);

/* The name of a column's type; text for the arrays, which no column has. */
extern const char *scim_sql_type_name(ScimSqlType type);

#endif							/* SCIM_CORE_SQL_TABLE_H */
