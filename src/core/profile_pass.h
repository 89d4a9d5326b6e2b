/*
 * profile_pass.h
 *		What the files of the profile passes share.
 *
 * Internal to profile*.c.  A pass never refuses: it rewrites what it
 * recognises and leaves the rest for the core.  Running out of memory sets
 * `failed`, and the request ends.
 */
#ifndef SCIM_CORE_PROFILE_PASS_H
#define SCIM_CORE_PROFILE_PASS_H

#include "core/profile.h"

typedef enum ScimPass
{
	SCIM_PASS_OP = 1 << 0,
	SCIM_PASS_BOOLEAN = 1 << 1,
	SCIM_PASS_PATH_KEY = 1 << 2,
	SCIM_PASS_JSON_STRING = 1 << 3,
	SCIM_PASS_OBJECT = 1 << 4,
	SCIM_PASS_BARE_STRING = 1 << 5,
	SCIM_PASS_REMOVE_VALUE = 1 << 6,
	SCIM_PASS_ADD_FILTER = 1 << 7,
	SCIM_PASS_LITERAL = 1 << 8,
	SCIM_PASS_DOTTED_URN = 1 << 9,
	SCIM_PASS_FOREIGN_SCHEMA = 1 << 10,
	SCIM_PASS_SCIM_1 = 1 << 11
} ScimPass;

typedef struct ScimNormal
{
	ScimArena  *arena;
	const ScimResourceType *type;
	unsigned	passes;			/* allowed */
	unsigned	changed;		/* those that changed something */
	bool		failed;			/* out of memory */
} ScimNormal;

/* Is the pass allowed?  Then it is taken to change something. */
extern bool scim_normal_use(ScimNormal *normal, ScimPass pass);

/* A string value; NULL, and failed, when out of memory. */
extern ScimJson *scim_normal_string(ScimNormal *normal, const char *text, size_t len);

/* Set a member; out of memory is failed. */
extern void scim_normal_set(ScimNormal *normal, ScimJson *object, const char *name, ScimJson *value);

/* ---- profile_value.c ---- */

/*
 * A value for attr, or for one element of it: string booleans, bare strings
 * and single objects made right, at every depth.  Containers are changed in
 * place; the result is value itself or what stands for it.
 */
extern ScimJson *scim_normal_value(ScimNormal *normal, const ScimAttribute *attr, ScimJson *value,
								   bool element);

/* The same for the members of an object of attributes: the resource's, or an extension's. */
extern void scim_normal_attributes(ScimNormal *normal, const ScimSchema *extension, ScimJson *object);

/* ---- profile_filter.c ---- */

/* A filter, or a path with one, with its literals made right; *text may be replaced. */
extern void scim_normal_filter(ScimNormal *normal, ScimStr *text);

/* ---- profile_patch.c ---- */

/* Normalise a PatchOp message. */
extern void scim_normal_patch(ScimNormal *normal, ScimJson *body);

/* ---- profile.c ---- */

/* A URN of SCIM 1.1 at the beginning of text, as the 2.0 one of the type; NULL when there is
 * none.  *len is its length. */
extern const char *scim_normal_urn(ScimNormal *normal, ScimStr text, size_t *len);

#endif							/* SCIM_CORE_PROFILE_PASS_H */
