/*
 * trigger.h
 *		Events of changed rows, for those who change rows without firing the
 *		row trigger.
 */
#ifndef SCIM_AUDIT_PG_TRIGGER_H
#define SCIM_AUDIT_PG_TRIGGER_H

#include "executor/tuptable.h"

#include "pg/tracked.h"

/* Write the event of a row's deletion. */
extern void scim_audit_write_delete(const ScimAuditTable *table, TupleTableSlot *row);

#endif							/* SCIM_AUDIT_PG_TRIGGER_H */
