/*
 * guard.h
 *		What keeps the log from being changed or dropped by accident.
 *
 * Evidence, not prevention, binds a superuser: the guards can be switched
 * off, but the next seal's config_hash says so.  And what keeps others than
 * track() from making triggers that write the log.
 */
#ifndef SCIM_AUDIT_PG_GUARD_H
#define SCIM_AUDIT_PG_GUARD_H

/* Called from _PG_init. */
extern void scim_audit_guard_init(void);

#endif							/* SCIM_AUDIT_PG_GUARD_H */
