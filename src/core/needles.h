/*
 * needles.h
 *		Which of many texts does a text contain?  All are looked for in one
 *		pass over it (Aho and Corasick, 1975), whose time does not depend on
 *		how many there are or on what they look like.
 */
#ifndef SCIM_CORE_NEEDLES_H
#define SCIM_CORE_NEEDLES_H

#include "core/scim.h"

typedef struct ScimNeedles ScimNeedles;

/* Bytes that n needles of so many bytes together need; 0 when they are too long, at 16 MB. */
extern size_t scim_needles_size(size_t n, size_t total);

/*
 * Make them in memory, which the caller has zeroed, aligned for any type and
 * of scim_needles_size bytes.  The texts are copied.
 */
extern ScimNeedles *scim_needles_init(void *memory, const ScimStr *needles, size_t n);

/* Set found[i] for each needle: is it in the text?  An empty one is in every text. */
extern void scim_needles_find(ScimNeedles *needles, ScimStr text, bool *found);

#endif							/* SCIM_CORE_NEEDLES_H */
