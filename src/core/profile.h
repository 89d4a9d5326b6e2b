/*
 * profile.h
 *		What a client is forgiven: a normalising pass over the request before
 *		the strict core.
 *
 * A profile is a set of passes, each of which rewrites one shape that some
 * identity provider sends into the RFC's and records its name when it
 * changed something, for the audit event.  The core knows no profile; it
 * knows the few options in ScimProfileOptions, which are the profile's too.
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
} ScimProfile;

/* By name; NULL when there is none. */
extern const ScimProfile *scim_profile(const char *name);

/*
 * Normalise a body in place (method decides: PATCH, or POST and PUT).
 * Appends the names of the passes that changed something to tolerances, as
 * the inside of a JSON array ("capitalised-op","string-boolean").
 */
extern ScimStatus scim_profile_apply(ScimArena *arena, const ScimProfile *profile,
									 const ScimResourceType *type, bool is_patch, ScimJson **body,
									 ScimBuf *tolerances, ScimError *err);

/* The same for a filter's text (unquoted literals, "True" for a boolean); *filter may be replaced. */
extern ScimStatus scim_profile_apply_filter(ScimArena *arena, const ScimProfile *profile,
											const ScimResourceType *type, ScimStr *filter,
											ScimBuf *tolerances, ScimError *err);

#endif							/* SCIM_CORE_PROFILE_H */
