/*
 * plan_cache.h
 *		Prepared plans of our own statements, by their text.
 */
#ifndef SCIM_AUDIT_PG_PLAN_CACHE_H
#define SCIM_AUDIT_PG_PLAN_CACHE_H

#include "executor/spi.h"

/*
 * A plan for text with n_types parameters.  Needs an SPI connection and the
 * user it will run as.  Equal texts must come with equal types.  With
 * `generic`, it is planned once and for all values; else PostgreSQL weighs
 * planning anew for the values of each call.  The plan stays good until
 * scim_audit_plan_cache_trim.
 */
extern SPIPlanPtr scim_audit_plan(const char *text, int n_types, const Oid *types, bool generic);

/* Forget plans that are too many or too old.  Not while one of them may be running. */
extern void scim_audit_plan_cache_trim(void);

#endif							/* SCIM_AUDIT_PG_PLAN_CACHE_H */
