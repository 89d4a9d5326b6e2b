/*
 * registry.h
 *		Schemas and resource types: the one description that drives
 *		validation, projection, filters, PATCH, storage, /Schemas and
 *		/ResourceTypes.
 *
 * A registry is filled from JSON documents: schemas in the form of RFC 7643
 * section 7, resource types in the form of section 6 with one more member,
 * "storage", which says where each attribute is kept.  The documents of
 * User, Group and the enterprise extension stand in src/core/schemas and
 * are compiled in (tools/embed_json); nothing else names an attribute.
 *
 * Storage of a resource type:
 *	"storage": {
 *	  "table": "scim.users",		qualified, used verbatim in SQL
 *	  "id": "id", "tenant": "tenant", "version": "version",
 *	  "created": "created", "lastModified": "last_modified",
 *	  "extensions": "extensions",	jsonb column for attributes that have no
 *									column, by their schema's URN; may be left out
 *	  "secrets": "secrets",			the same for those that are returned never
 *	  "deleted": "gone",			boolean column, true in rows that are no resource (any more), or
 *	  "deletedAt": "gone_at",		timestamptz column, not null in them; may be left out: a DELETE
 *									deletes the row
 *	  "bound": true,				the table is an application's (scim.bind_table)
 *	  "attributes": {
 *		"userName": "user_name",			a column
 *		"name.givenName": "name_given_name",
 *		"phoneNumbers": "phone_numbers",	multi-valued: jsonb array
 *		"emails": {"column": "emails", "indexed": true},	with a GIN index on scim.folded_values of it
 *		"emails": {"column": "email", "element": {"type": "work", "primary": true}},
 *											or text, the value of its one element
 *		"displayName": {"column": "full_name", "computed": true},	a generated column: what is written is ignored
 *		"urn:…:User:manager.value": {"column": "manager_id", "references": "User"},
 *		"urn:…:User:manager.displayName": {"expression": "(SELECT …)"},	read only; t is the row
 *		"members": {"link": "scim.group_members", "owner": "group_id", "value": "member_id",
 *					"type": "member_type", "bound": "bound"},
 *		"groups": {"link": "scim.group_members", "owner": "member_id", "value": "group_id",
 *					"target": "Group", "nested": "nested_group_id"}
 *	  }}
 * "tenant" of a link is its tenant column where that is not called like the type's.
 * "bound" is a boolean column: the other is in a table of an application.
 * "nested" is for a readOnly link with a target: the column that holds the owner's id
 * where the owner is of that type itself, else null.  Such a link leads also to what
 * the others lead to, indirectly; they may go round in circles.
 * A column's SQL type follows from the attribute's: string, reference and
 * binary are text, boolean is boolean, integer is bigint, decimal is
 * numeric, dateTime is timestamptz, a multi-valued or unbound complex one
 * jsonb, one that "references" a resource type uuid.  What has no binding is
 * kept in the column of extensions, or of secrets; a secret can have no column
 * of its own.  Names of tables and columns are SQL identifiers in lower case or
 * in quotes.
 *
 * A registry lives as long as the backend; it is read-only once filled.
 */
#ifndef SCIM_CORE_REGISTRY_H
#define SCIM_CORE_REGISTRY_H

#include "core/scim.h"

#define SCIM_URN_USER "urn:ietf:params:scim:schemas:core:2.0:User"
#define SCIM_URN_GROUP "urn:ietf:params:scim:schemas:core:2.0:Group"
#define SCIM_URN_ENTERPRISE "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
#define SCIM_URN_PATCH_OP "urn:ietf:params:scim:api:messages:2.0:PatchOp"
#define SCIM_URN_LIST_RESPONSE "urn:ietf:params:scim:api:messages:2.0:ListResponse"
#define SCIM_URN_ERROR "urn:ietf:params:scim:api:messages:2.0:Error"

typedef enum ScimType
{
	SCIM_TYPE_STRING,
	SCIM_TYPE_BOOLEAN,
	SCIM_TYPE_DECIMAL,
	SCIM_TYPE_INTEGER,
	SCIM_TYPE_DATETIME,
	SCIM_TYPE_BINARY,
	SCIM_TYPE_REFERENCE,
	SCIM_TYPE_COMPLEX
} ScimType;

typedef enum ScimMutability
{
	SCIM_READ_WRITE, SCIM_READ_ONLY, SCIM_IMMUTABLE, SCIM_WRITE_ONLY
} ScimMutability;

typedef enum ScimReturned
{
	SCIM_RETURNED_DEFAULT, SCIM_RETURNED_ALWAYS, SCIM_RETURNED_NEVER, SCIM_RETURNED_REQUEST
} ScimReturned;

typedef enum ScimUniqueness
{
	SCIM_UNIQUE_NONE, SCIM_UNIQUE_SERVER, SCIM_UNIQUE_GLOBAL
} ScimUniqueness;

struct ScimAttribute
{
	const char *name;			/* canonical spelling */
	const char *description;
	const ScimSchema *schema;	/* NULL for the common attributes id, externalId, meta, schemas */
	const ScimAttribute *parent;	/* of a sub-attribute */
	ScimType	type;
	bool		multi_valued;
	bool		required;
	bool		case_exact;
	ScimMutability mutability;
	ScimReturned returned;
	ScimUniqueness uniqueness;
	const char *const *canonical_values;	/* NULL-terminated, or NULL */
	const char *const *reference_types; /* NULL-terminated, or NULL */
	const ScimAttribute *sub;	/* n_sub sub-attributes of a complex one */
	size_t		n_sub;
	int			index;			/* unique within the registry; set by it */
};

struct ScimSchema
{
	const char *id;				/* URN */
	const char *name;
	const char *description;
	const ScimAttribute *attributes;
	size_t		n_attributes;
};

/* Where a value is kept. */
typedef enum ScimStore
{
	SCIM_STORE_COLUMN,			/* one typed column */
	SCIM_STORE_EXPRESSION,		/* read-only SQL expression over the row, alias t */
	SCIM_STORE_JSON,			/* a jsonb column: a multi-valued attribute as an array */
	SCIM_STORE_ELEMENT,			/* a text column: the value of the one element of a multi-valued attribute */
	SCIM_STORE_EXTENSIONS,		/* the jsonb column of extension objects by URN */
	SCIM_STORE_SECRETS			/* the same for what is returned never */
} ScimStore;

typedef enum ScimSqlType
{
	SCIM_SQL_TEXT, SCIM_SQL_BOOL, SCIM_SQL_INT8, SCIM_SQL_NUMERIC, SCIM_SQL_TIMESTAMPTZ,
	SCIM_SQL_UUID, SCIM_SQL_JSONB, SCIM_SQL_TEXT_ARRAY, SCIM_SQL_UUID_ARRAY
} ScimSqlType;

typedef struct ScimColumn
{
	const char *name;			/* column name, or SQL text of an expression */
	ScimStore	store;
	ScimSqlType type;
	const ScimAttribute *attr;	/* NULL for SCIM_STORE_EXTENSIONS and SCIM_STORE_SECRETS */
	const ScimAttribute *sub;	/* when the column keeps one sub-attribute of attr */
	const char *references;		/* resource type name whose id the column holds, or NULL */
	const char *element;		/* of SCIM_STORE_ELEMENT: the other members of the element, a JSON object */
	bool		indexed;		/* there is an index on scim.folded_values of it */
	const char *path;			/* the SCIM path of what it keeps: name.givenName, urn:…:User:department */
	bool		shown;			/* its text can be shown as it is: one string, reference or boolean, or jsonb */
} ScimColumn;

/* A multi-valued attribute kept as rows of another table. */
typedef struct ScimLink
{
	const ScimAttribute *attr;
	const char *table;
	const char *tenant;			/* its tenant column */
	const char *owner;			/* column that holds this resource's id */
	const char *value;			/* column that holds the other's id */
	const char *type;			/* column that names the other's resource type, or NULL */
	const char *bound;			/* boolean column: the other is in an application's table; or NULL */
	const char *target;			/* the other's resource type where it is always the same, or NULL */
	const char *nested;			/* column that holds the owner's id where the owner is a target itself, or NULL */
	bool		writable;		/* attr is not readOnly */
} ScimLink;

struct ScimResourceType
{
	const ScimRegistry *registry;	/* the one it is in */
	const char *name;
	const char *endpoint;		/* "/Users" */
	const char *description;
	const ScimSchema *schema;
	const ScimSchema *const *extensions;	/* n_extensions of them */
	const bool *extension_required;
	size_t		n_extensions;

	int			index_limit;	/* more than the index of any of its attributes */

	/* storage */
	const char *table;			/* NULL: not stored yet */
	const char *id_column, *tenant_column, *version_column, *created_column,
			   *last_modified_column, *extensions_column, *secrets_column;
	const char *deleted_column; /* set in rows that are no resource; NULL: there are none */
	bool		deleted_by_time;	/* it is a timestamptz, else a boolean */
	bool		bound;			/* the table is an application's */
	const ScimColumn *columns;	/* every stored column but id, tenant, version and the times */
	size_t		n_columns;
	const ScimLink *links;
	size_t		n_links;
	const short *shown;			/* of n_shown, by the index of what it keeps: the number from 1 of a shown column; 0: none */
	int			n_shown;
};

typedef struct ScimBuiltin
{
	const char *name;
	const char *text;
} ScimBuiltin;

extern const ScimBuiltin scim_builtins[];
extern const size_t scim_builtin_count;

/* An empty registry; NULL when out of memory. */
extern ScimRegistry *scim_registry_create(void);
extern void scim_registry_free(ScimRegistry *registry);

/*
 * Add a document (one with "attributes" is a schema, one with "endpoint" a
 * resource type); a resource type's schemas must be there before it.
 * SCIM_INVALID_SYNTAX or SCIM_INVALID_VALUE names the member at fault, and the
 * registry is as before.  Strict: unknown members, unknown type names,
 * duplicates, and bindings that name no attribute are refused.  A resource type
 * without "storage" is not stored until scim_registry_store.
 */
extern ScimStatus scim_registry_add(ScimRegistry *registry, ScimStr document, ScimError *err);

/* Make a listed schema an extension of a listed resource type (RFC 7643 section 6). */
extern ScimStatus scim_registry_extend(ScimRegistry *registry, const char *type_name, ScimStr urn,
									   bool required, ScimError *err);

/* Say where a listed resource type is stored, in place of what was said before. */
extern ScimStatus scim_registry_store(ScimRegistry *registry, const char *type_name, ScimStr storage,
									  ScimError *err);

/* A registry that begins with the built-in documents; NULL when out of memory. */
extern ScimRegistry *scim_registry_begin(void);

/* The registry of the built-in documents, made at first call; NULL when out of memory. */
extern const ScimRegistry *scim_registry_builtin(void);

extern size_t scim_registry_type_count(const ScimRegistry *registry);
extern const ScimResourceType *scim_registry_type(const ScimRegistry *registry, size_t i);
extern const ScimResourceType *scim_registry_type_by_name(const ScimRegistry *registry, const char *name);
extern const ScimResourceType *scim_registry_type_by_endpoint(const ScimRegistry *registry, ScimStr segment);	/* "Users" */
extern size_t scim_registry_schema_count(const ScimRegistry *registry);
extern const ScimSchema *scim_registry_schema(const ScimRegistry *registry, size_t i);
extern const ScimSchema *scim_registry_schema_by_id(const ScimRegistry *registry, ScimStr urn);

/* id, externalId, schemas, meta: RFC 7643 section 3.1, part of every resource; and the parts of meta. */
enum
{
	SCIM_COMMON_SCHEMAS, SCIM_COMMON_ID, SCIM_COMMON_EXTERNAL_ID, SCIM_COMMON_META, SCIM_COMMON_ATTRIBUTES
};

enum
{
	SCIM_META_RESOURCE_TYPE, SCIM_META_CREATED, SCIM_META_LAST_MODIFIED, SCIM_META_LOCATION, SCIM_META_VERSION,
	SCIM_META_PARTS
};

extern const ScimAttribute scim_common_attributes[];
extern const size_t scim_common_attribute_count;

/* Lookups by name in any case; NULL when there is none. */
extern const ScimAttribute *scim_schema_attribute(const ScimSchema *schema, ScimStr name);
extern const ScimAttribute *scim_sub_attribute(const ScimAttribute *attr, ScimStr name);

/* Attribute of the type's core schema or a common one. */
extern const ScimAttribute *scim_type_attribute(const ScimResourceType *type, ScimStr name);

/* Extension of the type by URN in any case. */
extern const ScimSchema *scim_type_extension(const ScimResourceType *type, ScimStr urn);

/*
 * Resolve an attribute path without value filter: name, name.givenName,
 * urn:…:User:manager.displayName, the core schema's URN as a prefix, or an
 * extension's URN alone (attr is then NULL).  Any case.  False when it names
 * nothing; *extension is NULL for the core schema and common attributes.
 */
extern bool scim_type_resolve(const ScimResourceType *type, ScimStr path,
							  const ScimSchema **extension, const ScimAttribute **attr,
							  const ScimAttribute **sub);

/*
 * The column that keeps attr (or its sub-attribute sub, may be NULL).  An
 * attribute bound to nothing of its own is kept in the column of
 * extensions, as {schema's URN: {attribute: value}}, where there is one.
 * NULL when no column keeps it as a whole: links, secrets, id, meta, a complex
 * attribute whose sub-attributes have columns.  A secret is kept in the column of
 * secrets alone.
 */
extern const ScimColumn *scim_type_column(const ScimResourceType *type, const ScimAttribute *attr,
										  const ScimAttribute *sub);

/* The number of the column that keeps an attribute, or a part, in a text that can be shown; -1: there is none. */
static inline int
scim_type_shown_column(const ScimResourceType *type, const ScimAttribute *attr)
{
	return attr->index < type->n_shown ? type->shown[attr->index] - 1 : -1;
}

extern const ScimLink *scim_type_link(const ScimResourceType *type, const ScimAttribute *attr);

/* Is an identifier of the storage description, in quotes or not, that name?  The same for schema.table. */
extern bool scim_sql_name_is(const char *identifier, const char *name);
extern bool scim_sql_table_is(const char *table, const char *schema, const char *name);

/* Is attr a secret (returned never)?  Its values are in no response, event, error or log line. */
extern bool scim_attribute_secret(const ScimAttribute *attr);

/* The names of all secrets of all schemas; NULL-terminated. */
extern const char *const *scim_registry_secrets(const ScimRegistry *registry);

#endif							/* SCIM_CORE_REGISTRY_H */
