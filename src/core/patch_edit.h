/*
 * patch_edit.h
 *		What the files of PATCH share: the state of one PATCH, and changes to
 *		a JSON tree that keep it canonical.
 *
 * Internal to patch*.c.  Values that are put into the tree are borrowed: the
 * tree takes a reference of its own.  An object or array put into it must be
 * nowhere else, because a later operation may change it in place.
 */
#ifndef SCIM_CORE_PATCH_EDIT_H
#define SCIM_CORE_PATCH_EDIT_H

#include "core/patch.h"

typedef enum ScimPatchVerb
{
	SCIM_PATCH_ADD, SCIM_PATCH_REMOVE, SCIM_PATCH_REPLACE
} ScimPatchVerb;

typedef struct ScimPatch
{
	ScimArena  *arena;
	ScimResource *resource;
	const ScimPatchOptions *options;
	ScimLinkOp **next_link;		/* where the next link operation is hung in */
	size_t		work;			/* element visits so far */
	int			sweeps;			/* operations that go through all values of a link attribute */
	ScimError  *err;
} ScimPatch;

/* One operation on one attribute. */
typedef struct ScimPatchTarget
{
	ScimPatchVerb verb;
	const ScimPath *path;
	ScimJson   *value;			/* NULL: null, or none given */
} ScimPatchTarget;

/* Member by its canonical name; NULL when absent. */
extern ScimJson *scim_edit_get(ScimJson *object, const char *name);

/* Set a member, or delete it when value is NULL. */
extern ScimStatus scim_edit_set(ScimJson *object, const char *name, ScimJson *value);

/*
 * Set one sub-attribute of a complex value to what value is in canonical
 * form; NULL unassigns it.  SCIM_INVALID_VALUE; SCIM_MUTABILITY when it is
 * immutable and has another value.
 */
extern ScimStatus scim_edit_sub(ScimPatch *patch, ScimJson *object, const ScimAttribute *sub,
								ScimJson *value);

/*
 * Set the sub-attributes that value, an object, has.  Read-only ones are
 * ignored, and unknown ones unless strict.
 */
extern ScimStatus scim_edit_merge(ScimPatch *patch, ScimJson *object, const ScimAttribute *attr,
								  ScimJson *value);

/* A value of attr in canonical form; NULL: unassigned. */
extern ScimStatus scim_edit_canonical(ScimPatch *patch, const ScimAttribute *attr, ScimJson *value,
									  ScimJson **out);

/* The same for one element of a multi-valued attribute. */
extern ScimStatus scim_edit_element(ScimPatch *patch, const ScimAttribute *attr, ScimJson *value,
									ScimJson **out);

/* The refusal to remove a required attribute (RFC 7644 section 3.5.2.2); SCIM_OK when it is not. */
extern ScimStatus scim_edit_removable(ScimPatch *patch, const ScimAttribute *attr);

/* May a whole multi-valued attribute be removed: is it not required, and is no
 * value given that would name some of its elements? */
extern ScimStatus scim_edit_remove_all(ScimPatch *patch, const ScimPatchTarget *target);

/* Count visits to elements; SCIM_PAYLOAD_TOO_LARGE past the limit. */
extern ScimStatus scim_patch_work(ScimPatch *patch, size_t visits);

/* ---- patch_multi.c, patch_link.c ---- */

/* Carry out an operation on a multi-valued attribute, a member of container. */
extern ScimStatus scim_patch_multi(ScimPatch *patch, const ScimPatchTarget *target, ScimJson *container);

/* ---- patch_elements.c ---- */

/*
 * Put the elements of added, an array in canonical form, into array.  One that
 * is there already (by value and type) is merged into it.  touched[i] is set
 * for each element of array that is new or was merged into; it has room for all.
 */
extern ScimStatus scim_patch_add_elements(ScimPatch *patch, const ScimAttribute *attr, ScimJson *array,
										  ScimJson *added, bool *touched);

/* If an element that is touched is primary, the others are so no longer
 * (RFC 7643 section 2.4). */
extern ScimStatus scim_patch_demote(ScimJson *array, const bool *touched);

/*
 * Can an element be made from the filter: is it one equality with a boolean or
 * canonical value, or an `and` of them?  Then sets these in element (which may
 * be NULL: only ask).
 */
extern ScimStatus scim_patch_seed(ScimPatch *patch, const ScimFilter *filter, ScimJson *element,
								  bool *possible);

/* Record an operation on a link attribute. */
extern ScimStatus scim_patch_link(ScimPatch *patch, const ScimPatchTarget *target, const ScimLink *link);

/* ---- patch_join.c ---- */

/* Join the link operations recorded, without changing what they end in. */
extern ScimStatus scim_patch_join_links(ScimPatch *patch);

#endif							/* SCIM_CORE_PATCH_EDIT_H */
