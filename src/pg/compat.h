/*
 * compat.h
 *		Differences between the supported PostgreSQL versions, each with its
 *		version and reason.  Included first, in place of postgres.h.
 *		Written for the newest, shimmed for the old.
 */
#ifndef SCIM_AUDIT_PG_COMPAT_H
#define SCIM_AUDIT_PG_COMPAT_H

/*
 * Before 16, PGDLLEXPORT is empty outside Windows, and a module built with
 * -fvisibility=hidden would export nothing (16: 089480c077).
 */
#if !defined(PGDLLEXPORT)
#define PGDLLEXPORT __attribute__((visibility("default")))
#endif

#include "postgres.h"

#if PG_VERSION_NUM < 150000
#error "scim_audit needs PostgreSQL 15 or later"
#endif

/* 16 moved the varlena macros out of postgres.h. */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#endif							/* SCIM_AUDIT_PG_COMPAT_H */
