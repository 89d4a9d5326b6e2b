/*
 * track.h
 *		What track.c shares with schema_change.c.
 */
#ifndef SCIM_AUDIT_PG_TRACK_H
#define SCIM_AUDIT_PG_TRACK_H

/*
 * Run a statement that returns rows, as the owner of the log: nargs
 * parameters with types and values, nulls as for SPI_execute_with_args.
 */
extern void scim_audit_run_as_log_owner(const char *query, int nargs, Oid *types, Datum *values,
										const char *nulls);

/* Are track() or untrack() changing triggers?  Then that is no DDL to follow. */
extern bool scim_audit_tracking;

#endif							/* SCIM_AUDIT_PG_TRACK_H */
