/*
 * json_tree.h
 *		json-c's tree of a JSON text; for json.c.
 */
#ifndef SCIM_CORE_JSON_TREE_H
#define SCIM_CORE_JSON_TREE_H

#include "core/arena.h"

/*
 * The tree of a text that scim_json_scan accepted (its *value); NULL also for
 * null.  The caller owns it.  SCIM_NO_MEMORY; nothing else can be wrong.
 */
extern ScimStatus scim_json_tree(ScimStr value, ScimJson **json, ScimError *err);

#endif							/* SCIM_CORE_JSON_TREE_H */
