/*
 * profile.h
 *		What a client is forgiven: a normalising pass over the request before
 *		the strict core.
 *
 * A profile is a set of passes, each of which rewrites one shape that some
 * identity provider sends into the RFC's and records its name when it
 * changed something, for the audit event.  The core knows no profile; it
 * knows a few options (ScimPatchOptions, strict), which are the profile's too.
 *
 * The passes, by the names that are recorded:
 *	capitalised-op			"Replace" becomes "replace"
 *	string-boolean			"True" for true, in values and in filters
 *	path-as-key				in a value without path: "name.givenName",
 *							"urn:…:User:department", "emails[type eq \"work\"].value"
 *							become operations with that path
 *	json-string-value		a value without path that is JSON in a string
 *	object-for-array		one object where an array is expected, and an array
 *							of one where a filter selects one
 *	bare-string-value		"x" for {"value": "x"}: a manager, a role, a member
 *	remove-with-value		remove of a multi-valued attribute with a list of
 *							values removes these: the path gets a filter
 *	add-with-filter			add at members[value eq "x"] adds x
 *	unquoted-literal		filter literals without double quotes
 *	dotted-urn				"urn:…:User.manager" for "urn:…:User:manager"
 *	foreign-schema			schema URNs of Microsoft's own are dropped
 *	scim-1-urn				URNs of SCIM 1.1 and its drafts for those of 2.0
 */
#ifndef SCIM_CORE_PROFILE_H
#define SCIM_CORE_PROFILE_H

#include "core/patch.h"
#include "core/strbuf.h"

typedef struct ScimProfile
{
	const char *name;			/* default, rfc, entra, okta, onelogin, interop-strict */
	unsigned	passes;			/* profile.c's bits */
	bool		strict_attributes;	/* unknown attributes and schemas are refused */
	bool		create_on_unmatched;
	bool		replace_whole;
	bool		allow_no_path;
	bool		single_match;
} ScimProfile;

/* By name; NULL when there is none. */
extern const ScimProfile *scim_profile(const char *name);

/*
 * Normalise a body: *body is changed in place, or replaced.  What is malformed
 * is left for the core to refuse.  Fails only with SCIM_NO_MEMORY.  Appends
 * the names of the passes that changed something to tolerances, as the inside
 * of a JSON array ("capitalised-op","string-boolean").
 */
extern ScimStatus scim_profile_apply(ScimArena *arena, const ScimProfile *profile,
									 const ScimResourceType *type, bool is_patch, ScimJson **body,
									 ScimBuf *tolerances, ScimError *err);

/* The same for the text of a filter, or of a path with one; *filter may be replaced. */
extern ScimStatus scim_profile_apply_filter(ScimArena *arena, const ScimProfile *profile,
											const ScimResourceType *type, ScimStr *filter,
											ScimBuf *tolerances, ScimError *err);

#endif							/* SCIM_CORE_PROFILE_H */
