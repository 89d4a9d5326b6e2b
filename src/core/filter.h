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
 * (scim_fold); one compared with a dateTime is read as a time.  A multi-valued
 * complex attribute without sub-attribute compares its "value" (members eq
 * "id").  attr[filter].sub op literal, which is outside the grammar but sent
 * by Entra, is accepted and correlated: one element must satisfy both.  A
 * filter on a secret attribute is SCIM_SENSITIVE.  More than max_terms terms
 * or too deep a nesting is SCIM_INVALID_FILTER.
 */
#ifndef SCIM_CORE_FILTER_H
#define SCIM_CORE_FILTER_H

#include "core/path.h"

#define SCIM_FILTER_MAX_DEPTH 32

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
	SCIM_LITERAL_STRING, SCIM_LITERAL_NUMBER, SCIM_LITERAL_TIME, SCIM_LITERAL_BOOLEAN, SCIM_LITERAL_NULL
} ScimLiteralKind;

typedef struct ScimLiteral
{
	ScimLiteralKind kind;
	ScimStr		text;			/* string (folded where caseExact is false), or the number's spelling */
	bool		boolean;
	int64_t		micros;			/* of a time */
} ScimLiteral;

struct ScimFilter
{
	ScimFilterKind kind;
	ScimFilter *left;			/* operand of and, or, not; the inner filter of a value path */
	ScimFilter *right;			/* second operand of and, or */
	ScimPath	path;			/* inside a value path: attr is the multi-valued one, sub what is compared */
	ScimOperator op;
	ScimLiteral value;
};

typedef struct ScimFilterLimits
{
	int			max_terms;
} ScimFilterLimits;

/* Parse a whole filter for a resource type. */
extern ScimStatus scim_filter_parse(ScimArena *arena, const ScimResourceType *type, ScimStr text,
									const ScimFilterLimits *limits, ScimFilter **out, ScimError *err);

/*
 * Parse the inside of attr[…] up to its closing bracket; *used is the number
 * of bytes before it.  For path.c.
 */
extern ScimStatus scim_filter_parse_value(ScimArena *arena, const ScimResourceType *type,
										  const ScimPath *owner, ScimStr text, ScimFilter **out,
										  size_t *used, ScimError *err);

/* Does the resource (canonical form, resource.h) satisfy the filter?  SCIM_NO_MEMORY in *status. */
extern bool scim_filter_matches(ScimArena *arena, const ScimFilter *filter, ScimJson *resource,
								ScimStatus *status);

/* Does one element of path.attr satisfy a value path's inner filter? */
extern bool scim_filter_matches_element(ScimArena *arena, const ScimFilter *filter, ScimJson *element,
										ScimStatus *status);

#endif							/* SCIM_CORE_FILTER_H */
