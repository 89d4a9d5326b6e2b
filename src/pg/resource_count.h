/*
 * resource_count.h
 *		How many resources a tenant has, without counting them each time.
 */
#ifndef SCIM_AUDIT_PG_RESOURCE_COUNT_H
#define SCIM_AUDIT_PG_RESOURCE_COUNT_H

#include "core/scim.h"

/*
 * Begin a count of all rows of a table that a tenant has.  True: *total is it, from an
 * earlier count, and nothing was written since.  False: count, and then tell
 * scim_audit_count_end.  Needs an SPI connection.
 */
extern bool scim_audit_count_begin(const char *table, const char *tenant, int64 *total);
extern void scim_audit_count_end(const char *table, const char *tenant, int64 total);

/* Called from _PG_init. */
extern void scim_audit_count_init(void);

#endif							/* SCIM_AUDIT_PG_RESOURCE_COUNT_H */
