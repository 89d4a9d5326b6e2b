/*
 * patch.h
 *		PATCH (RFC 7644 section 3.5.2) on a canonical resource.
 *
 * All operations or none: the resource given is changed in place, and is of
 * no use after a failure.  Operations on link attributes (Group.members) are
 * not carried out here but returned as ScimLinkOps, so that a PATCH of one
 * membership never reads the others.
 *
 * Rules where the RFC and identity providers differ (each has a test that
 * names it):
 *	- replace on a value path that matches nothing: noTarget, unless
 *	  create_on_unmatched and the filter is one equality, or an `and` of
 *	  them, whose literals are canonical values or booleans: then the element
 *	  is created (RFC 7644 section 3.5.2.3; Entra).  add on such a path
 *	  always creates under the same condition.
 *	- remove with a non-empty value list removes the listed values only; this
 *	  is done by the profile pass (profile.h), which turns it into a filter.
 *	- remove on a value path that matches nothing is no error.
 *	- add of what is already there changes nothing.
 *	- replace of a complex attribute merges sub-attributes (null clears one);
 *	  with replace_whole it replaces the whole value.
 *	- setting primary on one element demotes the others.
 */
#ifndef SCIM_CORE_PATCH_H
#define SCIM_CORE_PATCH_H

#include "core/filter.h"
#include "core/resource.h"

typedef struct ScimPatchOptions
{
	bool		strict;			/* unknown attributes are errors */
	bool		create_on_unmatched;
	bool		replace_whole;
	bool		allow_no_path;	/* false: an operation without path is SCIM_INVALID_SYNTAX (interop-strict) */
	int			max_operations;
} ScimPatchOptions;

/*
 * Apply body (a PatchOp message) to *resource, whose json is the canonical
 * form of what is stored.  Errors as RFC 7644 section 3.5.2: invalidSyntax,
 * invalidPath, noTarget, invalidValue, mutability, invalidFilter; the detail
 * names the operation by its position, counted from 1.
 */
extern ScimStatus scim_patch_apply(ScimArena *arena, ScimResource *resource, ScimJson *body,
								   const ScimPatchOptions *options, ScimError *err);

#endif							/* SCIM_CORE_PATCH_H */
