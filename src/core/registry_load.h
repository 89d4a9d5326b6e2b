/*
 * registry_load.h
 *		What the files of the registry share; for registry*.c alone.
 */
#ifndef SCIM_CORE_REGISTRY_LOAD_H
#define SCIM_CORE_REGISTRY_LOAD_H

#include "core/json.h"
#include "core/registry.h"

struct ScimRegistry
{
	ScimArena  *arena;			/* all that the registry points to */
	const ScimSchema **schemas;
	size_t		n_schemas;
	const ScimResourceType **types;
	size_t		n_types;
	const char **secrets;		/* names of attributes never returned, NULL-terminated; or NULL for none */
	size_t		n_secrets;
	int			next_index;		/* of the next attribute */
};

/*
 * A document while it is read.  The first error sticks in status; what reads
 * a member returns something harmless after it.
 */
typedef struct ScimLoad
{
	ScimRegistry *registry;
	const char *where;			/* the document, attribute or binding being read */
	ScimStatus	status;
	ScimError  *err;
} ScimLoad;

extern void scim_load_error(ScimLoad *load, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
extern void *scim_load_alloc(ScimLoad *load, size_t size);	/* from the registry; NULL is an error */

/* Are all members of json named in the NULL-terminated list? */
extern bool scim_load_known_members(ScimLoad *load, ScimJson *json, const char *const *names);

/* A member as a copy in the registry; NULL when absent, which is an error when required. */
extern const char *scim_load_text(ScimLoad *load, ScimJson *json, const char *name, bool required);
extern bool scim_load_boolean(ScimLoad *load, ScimJson *json, const char *name, bool otherwise);

/* Position of a member's value in a NULL-terminated list; `otherwise` when absent. */
extern int	scim_load_choice(ScimLoad *load, ScimJson *json, const char *name, const char *const *choices,
							 int otherwise);

/* A NULL-terminated list of strings; NULL when absent or empty. */
extern const char *const *scim_load_texts(ScimLoad *load, ScimJson *json, const char *name);

/* Read a document; NULL with load->status set when it is refused.  The registry does not list it yet. */
extern const ScimSchema *scim_load_schema(ScimLoad *load, ScimJson *document);
extern const ScimResourceType *scim_load_resource_type(ScimLoad *load, ScimJson *document);

/* registry_storage.c: fill type's columns and links from its storage description. */
extern void scim_load_storage(ScimLoad *load, ScimResourceType *type, ScimJson *storage);

/* The same file: a type that is stored has a place for its secrets; but a User's password, which may be dropped. */
extern void scim_load_check_secrets(ScimLoad *load, const ScimResourceType *type);

#endif							/* SCIM_CORE_REGISTRY_LOAD_H */
