/*
 * members.h
 *		The members of a JSON object, as they stand in its text.
 *
 * For texts that are known to be JSON: nothing is checked, nothing is
 * unescaped, nothing is allocated.  A text that is not JSON yields some
 * members or none, and is never read past its end.
 */
#ifndef SCIM_CORE_MEMBERS_H
#define SCIM_CORE_MEMBERS_H

#include "core/scim.h"

typedef struct ScimMembers
{
	const char *pos;
	const char *end;
} ScimMembers;

/* Parts of the text: "name" with its quotes, the value, and both with what is between. */
typedef struct ScimMember
{
	ScimStr		name;
	ScimStr		value;
	ScimStr		whole;
} ScimMember;

/* Start with an object's text; anything else has no members. */
extern void scim_members_begin(ScimMembers *members, ScimStr object);

/* The next member; false when there is none. */
extern bool scim_members_next(ScimMembers *members, ScimMember *member);

/*
 * The same in two steps: a name, false when there is none, and its value.  Or,
 * in place of the value, into the object that it is, and past it when its
 * members have been read; what is no object has none, and nothing comes after.
 */
extern bool scim_members_name(ScimMembers *members, ScimStr *name);
extern ScimStr scim_members_value(ScimMembers *members);
extern void scim_members_enter(const ScimMembers *members, ScimMembers *inner);
extern void scim_members_leave(ScimMembers *members, const ScimMembers *inner);

/* Value of the member whose name, in quotes and escaped, is name; absent when there is none. */
extern ScimStr scim_member_value(ScimStr object, ScimStr name);

/* The same for arrays: begin, then each element's value. */
extern void scim_elements_begin(ScimMembers *elements, ScimStr array);
extern bool scim_elements_next(ScimMembers *elements, ScimStr *value);

/*
 * What a string literal (with its quotes) stands for, of those escapes that
 * scim_buf_json_string uses; other escapes are taken for the character behind
 * the backslash.  out has room for string.len bytes; returns how many it got.
 */
extern size_t scim_member_unescape(ScimStr string, char *out);

#endif							/* SCIM_CORE_MEMBERS_H */
