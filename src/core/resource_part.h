/*
 * resource_part.h
 *		Where an attribute stands in a canonical resource; for the files of
 *		resource.h and response.h.
 */
#ifndef SCIM_CORE_RESOURCE_PART_H
#define SCIM_CORE_RESOURCE_PART_H

#include "core/registry.h"

/* The object that holds attr: json itself, or the object under its extension's URN; NULL when that is not there. */
extern ScimJson *scim_resource_part(const ScimResourceType *type, ScimJson *json, const ScimAttribute *attr);

#endif							/* SCIM_CORE_RESOURCE_PART_H */
