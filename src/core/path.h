/*
 * path.h
 *		Attribute paths (RFC 7644 figures 1 and 7), shared by filters, PATCH,
 *		sort, and attribute lists.
 *
 *	attrPath  = [URI ":"] ATTRNAME *1subAttr
 *	PATH      = attrPath / valuePath [subAttr]
 *	valuePath = attrPath "[" valFilter "]"
 *
 * A path is resolved against a resource type while it is parsed: what does
 * not name an attribute of the type is SCIM_INVALID_PATH, which the filter
 * parser turns into SCIM_INVALID_FILTER.  Names, URNs and operators are
 * case-insensitive.  A URN is matched against the type's schemas, longest
 * first, so that dots and colons inside it cause no ambiguity.
 */
#ifndef SCIM_CORE_PATH_H
#define SCIM_CORE_PATH_H

#include "core/cursor.h"
#include "core/registry.h"

typedef struct ScimPath
{
	const ScimSchema *extension;	/* the extension attr is in, or which is named as a whole
									 * (attr NULL); NULL: core schema or common attribute */
	const ScimAttribute *attr;
	const ScimAttribute *sub;	/* sub-attribute, or NULL */
	ScimFilter *value_filter;	/* attr[filter], or NULL */
} ScimPath;

/*
 * Parse a whole text as a PATH.  SCIM_INVALID_PATH names the offset;
 * SCIM_INVALID_FILTER for a bad value filter.
 */
extern ScimStatus scim_path_parse(ScimArena *arena, const ScimResourceType *type, ScimStr text,
								  ScimPath *out, ScimError *err);

/*
 * Parse an attrPath at the cursor, which is left behind it.  An extension's
 * URN alone is accepted (out->attr NULL).  SCIM_INVALID_PATH.
 */
extern ScimStatus scim_path_parse_attribute(const ScimResourceType *type, ScimCursor *cursor,
											ScimPath *out, ScimError *err);

/* The attribute a path ends at: its sub-attribute, or else its attribute; NULL
 * for an extension as a whole. */
extern const ScimAttribute *scim_path_leaf(const ScimPath *path);

/* The canonical spelling: name.givenName, urn:…:User:department.  Value
 * filters are left out.  NULL when out of memory. */
extern char *scim_path_text(ScimArena *arena, const ScimPath *path);

#endif							/* SCIM_CORE_PATH_H */
