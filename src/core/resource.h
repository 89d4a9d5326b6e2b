/*
 * resource.h
 *		A resource in canonical form, from and to request bodies and rows.
 *
 * Canonical form: a JSON object with attributes in their canonical spelling,
 * extension attributes inside an object under the extension's URN; null,
 * empty arrays and empty complex values absent (RFC 7643 section 2.5);
 * booleans, numbers and times of the right JSON type; at most one element of
 * a multi-valued attribute primary, each (value, type) once (section 2.4).
 * The empty string is a value, but not of a reference, a dateTime, a binary,
 * a required attribute, or a complex attribute that references a resource:
 * there it is unassigned.  It holds the values that are stored,
 * and, when read, those computed (groups, manager.displayName); `schemas`,
 * `id` and `meta` are added when it is rendered (response.h).
 */
#ifndef SCIM_CORE_RESOURCE_H
#define SCIM_CORE_RESOURCE_H

#include "core/registry.h"

typedef enum ScimLinkVerb
{
	SCIM_LINK_ADD,				/* add the named; those already there stay as they are */
	SCIM_LINK_REMOVE,			/* remove the named; those not there are no error */
	SCIM_LINK_REMOVE_MATCHING,	/* remove what satisfies filter */
	SCIM_LINK_REPLACE			/* exactly the named, as a set difference; none: remove all */
} ScimLinkVerb;

/* One change to a multi-valued attribute that is kept as rows (Group.members),
 * to be carried out in order. */
typedef struct ScimLinkOp
{
	struct ScimLinkOp *next;
	const ScimLink *link;
	ScimLinkVerb verb;
	size_t		n;
	ScimStr    *ids;			/* n distinct ids in lower case */
	ScimFilter *filter;
} ScimLinkOp;

/* Attributes whose value was given in the request but is not in the canonical
 * form: a password. */
typedef struct ScimSecrets
{
	ScimStr		password;		/* absent: not given */
	bool		password_removed;	/* given as null, or removed */
} ScimSecrets;

typedef struct ScimResource
{
	const ScimResourceType *type;
	ScimJson   *json;			/* canonical form */
	ScimLinkOp *links;			/* changes to link attributes, first to last */
	ScimSecrets secrets;
} ScimResource;

/*
 * A request body of POST (stored NULL) or PUT (stored: the canonical form of
 * what is there) to a canonical resource.  Read-only attributes are ignored;
 * an immutable one that differs from a stored value is SCIM_MUTABILITY;
 * `schemas` must name the type's schema and any extension used, unknown URNs
 * and unknown attributes are ignored unless strict (then SCIM_INVALID_SYNTAX);
 * wrong types and missing required attributes are SCIM_INVALID_VALUE naming
 * the attribute; canonicalValues are matched in any case where caseExact is
 * false and kept in canonical case (others are kept: RFC 7643 section 7 lets
 * a server restrict, we do not).  A link attribute becomes one SCIM_LINK_REPLACE
 * (PUT, also when absent) or SCIM_LINK_ADD (POST).
 */
extern ScimStatus scim_resource_from_body(ScimArena *arena, const ScimResourceType *type,
										  ScimJson *body, ScimJson *stored, bool strict,
										  ScimResource *out, ScimError *err);

/*
 * Check one value for attr (or its sub-attribute when attr->parent) and
 * return its canonical form, as PATCH needs it: a single value, or an array
 * for a multi-valued attribute, each (value, type) once.  *out NULL:
 * unassigned.  Read-only sub-attributes are left out.  The form may share
 * strings with value, but no object or array.
 */
extern ScimStatus scim_value_canonical(ScimArena *arena, const ScimAttribute *attr, ScimJson *value,
									   bool strict, ScimJson **out, ScimError *err);

/* The same for one element of a multi-valued attribute. */
extern ScimStatus scim_element_canonical(ScimArena *arena, const ScimAttribute *attr,
										 ScimJson *element, bool strict, ScimJson **out,
										 ScimError *err);

/*
 * The ids in the value of a link attribute (an array of objects with a
 * `value`, or null): sorted, distinct, in lower case.  SCIM_INVALID_VALUE when
 * one is no UUID, and so cannot exist.
 */
extern ScimStatus scim_link_ids(ScimArena *arena, const ScimLink *link, ScimJson *value,
								ScimStr **ids, size_t *n, ScimError *err);

/*
 * The last check of a PUT or PATCH, and of a POST (stored NULL): required
 * attributes present (RFC 7643 section 7) and not empty, immutable ones as
 * stored (SCIM_MUTABILITY), at most one primary, references to resources
 * UUIDs.  Takes nulls, empty arrays and empty complex values out of json, and
 * puts references in lower case.
 */
extern ScimStatus scim_resource_check(ScimArena *arena, const ScimResourceType *type,
									  ScimJson *json, ScimJson *stored, ScimError *err);

/*
 * A row to a canonical resource: values[i] is the text of type->columns[i]
 * (jsonb as JSON text, boolean as true or false, times as scim_time_format),
 * absent for SQL null.
 */
extern ScimStatus scim_resource_from_row(ScimArena *arena, const ScimResourceType *type,
										 const ScimStr *values, ScimJson **out, ScimError *err);

/*
 * The same without what scim_response_resource shows from values.  jsonb must be
 * as PostgreSQL writes it.
 */
extern ScimStatus scim_resource_rest_from_row(ScimArena *arena, const ScimResourceType *type,
											  const ScimStr *values, ScimJson **out, ScimError *err);

/* The other way: values[i] for every column (absent: null; expressions are left absent). */
extern ScimStatus scim_resource_to_row(ScimArena *arena, const ScimResourceType *type,
									   ScimJson *json, ScimStr *values, ScimError *err);

/* The canonical values of groups.type, RFC 7643 section 4.1.2: "direct" or "indirect". */
extern ScimStr scim_link_kind(bool indirect);

/*
 * Put one linked resource, as scim_sql_link_read found it, at the end of the
 * attribute that link keeps: value, $ref, display and type as far as the
 * attribute has them.  type names the other's resource type; display may be
 * absent.  Where the registry keeps no type of the other, the attribute's type says
 * whether the link is indirect.  base_url may be "".  Only SCIM_NO_MEMORY.
 */
extern ScimStatus scim_resource_add_link(ScimArena *arena, const ScimRegistry *registry,
										 ScimJson *resource, const ScimLink *link, bool indirect,
										 ScimStr value, ScimStr type, ScimStr display,
										 const char *base_url);

#endif							/* SCIM_CORE_RESOURCE_H */
