/*
 * schema_registry.h
 *		The registry of schemas and resource types: what is built in, and what
 *		this database registers beside it.
 */
#ifndef SCIM_AUDIT_PG_SCHEMA_REGISTRY_H
#define SCIM_AUDIT_PG_SCHEMA_REGISTRY_H

#include "core/registry.h"

/*
 * The registry as of now.  It stays as it is while it is held; without that,
 * until the next call.  Raises an ERROR when what is registered cannot be read.
 */
extern const ScimRegistry *scim_audit_registry(void);

/* Between the two, which nest, every registry that is handed out stays. */
extern void scim_audit_registry_hold(void);
extern void scim_audit_registry_release(void);

#endif							/* SCIM_AUDIT_PG_SCHEMA_REGISTRY_H */
