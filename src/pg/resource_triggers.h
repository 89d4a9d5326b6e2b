/*
 * resource_triggers.h
 *		What the triggers of the SCIM tables must know of the service.
 */
#ifndef SCIM_AUDIT_PG_RESOURCE_TRIGGERS_H
#define SCIM_AUDIT_PG_RESOURCE_TRIGGERS_H

/*
 * Set while the service changes the members of the group it serves: it gives
 * the group its new version itself, one for the whole request.  Put back
 * also on error.
 */
extern bool scim_audit_members_quiet;

#endif							/* SCIM_AUDIT_PG_RESOURCE_TRIGGERS_H */
