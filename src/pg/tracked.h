/*
 * tracked.h
 *		How a table is audited: the arguments of its trigger, resolved.
 *
 * All configuration is in the arguments of the trigger, name=value each:
 *
 *	resource=User		the table keeps resources of this SCIM type: attribute
 *						paths and event types come from the registry
 *	link=members		with resource: the table keeps this attribute of it, a
 *						row per value (a membership)
 *	tenant=COLUMN		the row's tenant; without it, events have none
 *	key=COLUMN			part of the row's key, repeatable; default the primary key
 *	exclude=COLUMN		not in the log; a change of it alone is no event; repeatable
 *	redact=COLUMN		the log says that it has a value or that it changed, never
 *						which; repeatable
 *	personal=key		the key identifies a person: its events' resource_id is a
 *						keyed digest of it
 *
 * A column's name in the log is its attribute path where the registry knows
 * it, else its own.  A column of an attribute that is never returned (a
 * secret) is redacted without being told.  For a link, the column that
 * names the resource is called like its type ("group"), the one that names
 * the other like one value of the attribute ("member"), the one that holds
 * the other's type "type".
 */
#ifndef SCIM_AUDIT_PG_TRACKED_H
#define SCIM_AUDIT_PG_TRACKED_H

#include "lib/stringinfo.h"
#include "utils/rel.h"
#include "utils/reltrigger.h"

#include "core/scim.h"
#include "pg/row.h"

typedef struct ScimAuditColumn
{
	bool		excluded;		/* also dropped and virtual columns: type is NULL then */
	bool		redacted;
	ScimStr		name;			/* in old, new and changed */
	ScimStr		member;			/* "name": with quotes, escapes and colon */
	int16		len;
	bool		by_value;
	ScimAuditType *type;
} ScimAuditColumn;

typedef struct ScimAuditTable
{
	Oid			trigger;
	Oid			relation;
	bool		valid;
	MemoryContext context;		/* holds all of this */

	ScimStr		resource_type;	/* User, or schema.table */
	bool		is_resource;	/* resource= given */
	bool		is_link;		/* link= given */
	ScimStr		event_prefix;	/* "user.", "group.member.", "table." */
	int			tenant;			/* indexes into columns; -1: none */
	int			n_keys;
	int		   *keys;
	bool		personal;		/* the key is written as a digest */
	bool		pinned;			/* rendering a row needs scim_audit_pin_settings */
	int			n_columns;
	ScimAuditColumn *columns;	/* by attribute number - 1 */

	/* Of resources: -1 where the type has no such column. */
	int			active;
	int			roles;
	int			entitlements;
	int			names[2];		/* displayName, userName: the first that is not null names the resource */
} ScimAuditTable;

/*
 * Configuration of a trigger (its function is record_change or
 * record_truncate) on relation.  Kept per trigger until the relation
 * changes; valid until SQL is run or the next call.  Raises an ERROR for an argument that
 * is unknown or names no column.
 */
extern const ScimAuditTable *scim_audit_tracked(Relation relation, const Trigger *trigger);

/* The trigger of relation that calls record_change for rows; NULL when there is none. */
extern const Trigger *scim_audit_row_trigger(Relation relation);

/* Append "name":value, of a column that is not excluded and a value that is not null. */
extern void scim_audit_column_json(StringInfo out, const ScimAuditColumn *column, Datum value);

/*
 * Append the row as a JSON object: columns that are not null and not
 * excluded, and of these, when only is given, those it marks.
 */
extern void scim_audit_row_json(StringInfo out, const ScimAuditTable *table, const Datum *values,
								const bool *nulls, const bool *only);

/*
 * The row's key: text of one column, JSON array of several, of a personal
 * key its digest; NONE when there is no key.
 */
extern ScimStr scim_audit_row_key(const ScimAuditTable *table, const Datum *values,
								  const bool *nulls);

/*
 * Of a personal key, append "key": and the plain key with a comma behind, under
 * the given name; nothing for other tables.
 */
extern void scim_audit_append_plain_key(StringInfo out, const char *name, const ScimAuditTable *table,
										const Datum *values, const bool *nulls);

/* Called from _PG_init. */
extern void scim_audit_tracked_init(void);

#endif							/* SCIM_AUDIT_PG_TRACKED_H */
