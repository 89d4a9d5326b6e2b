/*
 * schema_change.h
 *		The audit follows DDL on audited tables.
 */
#ifndef SCIM_AUDIT_PG_SCHEMA_CHANGE_H
#define SCIM_AUDIT_PG_SCHEMA_CHANGE_H

/* Called from _PG_init. */
extern void scim_audit_schema_change_init(void);

#endif							/* SCIM_AUDIT_PG_SCHEMA_CHANGE_H */
