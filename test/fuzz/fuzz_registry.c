/*
 * fuzz_registry.c
 *		Any text as a schema, and as a storage description.  What is read as a
 *		schema gets a resource type and a table, whose storage can be read, and
 *		an index for each attribute that is to be unique.
 */
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "core/registry.h"
#include "core/response.h"
#include "core/sql_table.h"

static void
check(bool holds)
{
	if (!holds)
		abort();
}

/* A resource type of the schema that was read. */
static void
use(ScimRegistry *registry, ScimArena *arena, const ScimSchema *schema)
{
	char	   *document = scim_sprintf(arena, "{\"name\":\"Fuzz\",\"endpoint\":\"/Fuzz\",\"schema\":\"%s\"}", schema->id);
	const ScimResourceType *type;
	const char **paths;
	ScimStr		text;
	ScimError	err = {SCIM_OK, ""};
	ScimBuf		buf;
	size_t		n;

	check(scim_registry_add(registry, (ScimStr) {document, strlen(document)}, &err) == SCIM_OK);
	type = scim_registry_type_by_name(registry, "Fuzz");
	check(scim_table_storage(arena, type, &text) == SCIM_OK);
	if (scim_registry_store(registry, "Fuzz", text, &err) != SCIM_OK)
	{
		/* A secret inside of what is none. */
		check(strstr(err.detail, "\"never\"") != NULL);
		return;
	}
	type = scim_registry_type_by_name(registry, "Fuzz");
	check(scim_table_create(arena, type, &text) == SCIM_OK);
	check(scim_table_unique(arena, type, schema, &paths, &n) == SCIM_OK);
	for (size_t i = 0; i < n; i++)
		check(scim_table_index(arena, type, (ScimStr) {paths[i], strlen(paths[i])}, true, "i", &text, &err) == SCIM_OK);
	scim_buf_init(&buf, arena, (size_t) 4 << 20);
	scim_response_schemas(&buf, registry, (ScimStr) {schema->id, strlen(schema->id)}, "");
}

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ScimStr		text = {(const char *) data, size};
	ScimRegistry *registry = scim_registry_begin();
	ScimArena  *arena = scim_arena_create((size_t) 32 << 20);
	ScimError	err = {SCIM_OK, ""};

	check(registry != NULL && arena != NULL);
	(void) scim_registry_store(registry, "User", text, &err);
	if (scim_registry_add(registry, text, &err) == SCIM_OK && scim_registry_schema_count(registry) > 3)
		use(registry, arena, scim_registry_schema(registry, 3));
	scim_arena_free(arena);
	scim_registry_free(registry);
	return 0;
}
