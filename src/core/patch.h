/*
 * patch.h
 *		PATCH (RFC 7644 section 3.5.2) on a canonical resource.
 *
 * All operations or none: the resource given is changed in place, and is of
 * no use after a failure.  Operations on link attributes (Group.members) are
 * not carried out here but returned as ScimLinkOps, so that a PATCH of one
 * membership never reads the others.  Runs of them are joined: what counts is
 * what each id ends as (patch_join.c).
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
 *	- replace of the elements that a filter selects replaces them whole; what
 *	  the filter says of them stays true where the new value is silent, under
 *	  the condition above.
 *	- setting primary on one element demotes the others.
 *	- an added element that has value and type (if it has one) of an existing
 *	  element is that element: its other sub-attributes are merged into it.
 *	- a null value unassigns: the operation is a remove, but that an add of
 *	  null to a multi-valued attribute adds nothing, and that a required
 *	  attribute set to null is invalidValue (removed, it is mutability).
 *	- remove of a whole multi-valued attribute with a value is refused as
 *	  invalidSyntax: the client means the listed values (profile.h), and must
 *	  not lose all of them.
 *	- read-only attributes are ignored in a value without path, which clients
 *	  copy from a response, and mutability as a path.
 *	- members of an operation other than op, path and value are ignored, and
 *	  op is read in any case.
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
	bool		single_match;	/* a filter that selects several elements to add to or replace is
								 * SCIM_INVALID_FILTER (interop-strict) */
	int			max_operations; /* more are SCIM_PAYLOAD_TOO_LARGE */
} ScimPatchOptions;

/*
 * Apply body (a PatchOp message) to *resource, whose json is the canonical
 * form of what is stored.  Errors as RFC 7644 section 3.5.2: invalidSyntax,
 * invalidPath, noTarget, invalidValue, mutability, invalidFilter; the detail
 * names the operation by its position, counted from 1.  SCIM_PAYLOAD_TOO_LARGE
 * for too many operations, for filters over so many elements that the request
 * would take seconds, or for more than a few operations that each go through
 * all values of a link attribute.  body is not changed.
 */
extern ScimStatus scim_patch_apply(ScimArena *arena, ScimResource *resource, ScimJson *body,
								   const ScimPatchOptions *options, ScimError *err);

#endif							/* SCIM_CORE_PATCH_H */
