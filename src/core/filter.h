/*
 * filter.h
 *		Filters (RFC 7644 section 3.4.2.2): parsed to a tree, evaluated on a
 *		resource in memory, or compiled to SQL (sql.h).
 *
 * Precedence: not, and, or; grouping by parentheses; valuePath with its own
 * filter.  A literal is checked against the attribute's type when parsed
 * (SCIM_INVALID_FILTER): gt/ge/lt/le on boolean and binary, sw/co/ew on
 * anything but strings and references, a number for a string, and so on.  A
 * literal compared with an attribute of caseExact false is folded
 * (scim_fold); one compared with a dateTime is read as a time.  A complex
 * attribute without sub-attribute compares its "value" (members eq "id").
 * attr[filter].sub op literal, which is outside the grammar but sent
 * by Entra, is accepted and correlated: one element must satisfy both.  A
 * filter on a secret attribute is SCIM_SENSITIVE.  More than max_terms terms
 * or too deep a nesting is SCIM_INVALID_FILTER.
 *
 * What the RFC leaves open is decided so, in memory and in SQL alike:
 *	- A filter is true or false, never unknown: not (X) is true whenever X is
 *	  not.
 *	- An absent attribute satisfies no comparison but ne, which it always
 *	  satisfies.  "eq null" means not present, "ne null" present.
 *	- A multi-valued attribute satisfies a comparison if one of its elements
 *	  does; if it has none it is absent.  attr[…] needs an element.
 *	- An element without "primary" has primary false (RFC 7643 section 2.4).
 *	- pr is false for an empty string or array, and for a complex value all
 *	  of whose parts are empty.
 *	- Strings are ordered by code points, after folding where caseExact is
 *	  false; numbers by value.
 */
#ifndef SCIM_CORE_FILTER_H
#define SCIM_CORE_FILTER_H

#include "core/path.h"

#define SCIM_FILTER_MAX_DEPTH 32

/* Terms in the value filter of a path.  It is large, because a client may
 * name every member to be removed in one filter. */
#define SCIM_VALUE_FILTER_MAX_TERMS 20000

typedef enum ScimFilterKind
{
	SCIM_FILTER_AND, SCIM_FILTER_OR, SCIM_FILTER_NOT,
	SCIM_FILTER_COMPARE,		/* path op value */
	SCIM_FILTER_PRESENT,		/* path pr */
	SCIM_FILTER_VALUE_PATH		/* path.attr[left] */
} ScimFilterKind;

typedef enum ScimOperator
{
	SCIM_OP_EQ, SCIM_OP_NE, SCIM_OP_CO, SCIM_OP_SW, SCIM_OP_EW, SCIM_OP_GT, SCIM_OP_GE,
	SCIM_OP_LT, SCIM_OP_LE
} ScimOperator;

typedef enum ScimLiteralKind
{
	SCIM_LITERAL_STRING, SCIM_LITERAL_NUMBER, SCIM_LITERAL_TIME, SCIM_LITERAL_BOOLEAN
} ScimLiteralKind;

typedef struct ScimLiteral
{
	ScimLiteralKind kind;
	ScimStr		text;			/* string (folded where caseExact is false), or the number's spelling */
	bool		boolean;
	int64_t		micros;			/* of a time */
} ScimLiteral;

/* A chain of ands or of ors is a balanced tree, so that its depth is the
 * logarithm of its length. */
struct ScimFilter
{
	ScimFilterKind kind;
	ScimFilter *left;			/* operand of and, or, not; the inner filter of a value path */
	ScimFilter *right;			/* second operand of and, or */
	ScimPath	path;			/* inside a value path: attr is the multi-valued one, sub what is
								 * compared (NULL where its elements are simple values) */
	ScimOperator op;
	ScimLiteral value;
};

typedef struct ScimFilterLimits
{
	int			max_terms;
	int			max_depth;		/* of parentheses and brackets; 0, or more than it: SCIM_FILTER_MAX_DEPTH */
	bool		all_types;		/* the query is of all resource types: an attribute that only another
								 * type has is absent (RFC 7644 section 3.4.2.1) */
} ScimFilterLimits;

/* Is it plain that no resource satisfies the filter, for want of attributes? */
extern bool scim_filter_never(const ScimFilter *filter);

/* Parse a whole filter for a resource type; the text must outlive the result. */
extern ScimStatus scim_filter_parse(ScimArena *arena, const ScimResourceType *type, ScimStr text,
									const ScimFilterLimits *limits, ScimFilter **out, ScimError *err);

/*
 * Parse the inside of attr[…] up to its closing bracket; *used is the number
 * of bytes before it.  For path.c.  Offsets in errors count from text.
 */
extern ScimStatus scim_filter_parse_value(ScimArena *arena, const ScimResourceType *type,
										  const ScimPath *owner, ScimStr text, ScimFilter **out,
										  size_t *used, ScimError *err);

/* The attribute a comparison compares, or a presence test looks at. */
extern const ScimAttribute *scim_filter_leaf(const ScimFilter *filter);

/* Is an absent value of attr to be read as false?  Only "primary" is. */
extern bool scim_absent_is_false(const ScimAttribute *attr);

/*
 * Is the filter nothing but "sub eq literal", or several of them joined by
 * or, all on one sub-attribute?  Then calls visit for each literal, left to
 * right; visit may be NULL.  So a filter that names members is told from one
 * that describes them.
 */
extern bool scim_filter_is_choice(const ScimFilter *filter, const ScimAttribute *sub,
								  void (*visit) (void *context, ScimStr literal), void *context);

/* Number of comparisons and presence tests in it. */
extern size_t scim_filter_terms(const ScimFilter *filter);

/*
 * Does the resource (canonical form, resource.h) satisfy the filter?  id,
 * meta and schemas are read like other attributes, if the caller put them in.
 * SCIM_NO_MEMORY in *status.
 */
extern bool scim_filter_matches(const ScimFilter *filter, ScimJson *resource, ScimStatus *status);

/* Does one element of path.attr satisfy a value path's inner filter? */
extern bool scim_filter_matches_element(const ScimFilter *filter, ScimJson *element, ScimStatus *status);

#endif							/* SCIM_CORE_FILTER_H */
