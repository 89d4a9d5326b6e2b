/*
 * response.h
 *		Documents sent back: resources with their projection, ListResponse,
 *		Error, and the discovery documents generated from the registry.
 */
#ifndef SCIM_CORE_RESPONSE_H
#define SCIM_CORE_RESPONSE_H

#include "core/registry.h"
#include "core/strbuf.h"

/* Which attributes to return: RFC 7644 section 3.9 with `returned` of RFC 7643 section 7. */
typedef struct ScimProjection ScimProjection;

/*
 * From the texts of attributes and excludedAttributes (comma-separated
 * paths; both given is SCIM_BAD_REQUEST; unknown names are ignored; a value
 * filter in a path is allowed and narrows nothing; a schema's URN stands for
 * its attributes; asking for a secret is SCIM_SENSITIVE, excluding one is
 * harmless).  A text without any name is as good as absent.  type NULL is not
 * allowed.
 */
extern ScimStatus scim_projection_parse(ScimArena *arena, const ScimResourceType *type,
										ScimStr attributes, ScimStr excluded,
										ScimProjection **out, ScimError *err);

/* Would attr (a link attribute, say) be returned?  So that what is not need not be read.
 * A projection of NULL is that without either parameter, here and below. */
extern bool scim_projection_wants(const ScimProjection *projection, const ScimAttribute *attr);

/* The same for a sub-attribute of attr, when attr is returned. */
extern bool scim_projection_wants_sub(const ScimProjection *projection, const ScimAttribute *attr,
									  const ScimAttribute *sub);

typedef struct ScimMeta
{
	ScimStr		id;
	int64_t		version;
	int64_t		created;		/* microseconds since 1970-01-01 UTC */
	int64_t		last_modified;
} ScimMeta;

/*
 * Append the rendered resource: schemas (the core schema, and each extension
 * that has something to show), id, externalId, attributes in schema order,
 * extensions, meta.  values is a row, and resource the rest of it
 * (scim_resource_rest_from_row); or values is NULL, and resource has all.  Only what the schema knows is written, and never a
 * secret; the $ref of a column that references a resource is computed.
 * base_url may be "" (meta.location is then /Users/<id>).
 */
extern void scim_response_resource(ScimBuf *buf, const ScimResourceType *type, const ScimStr *values,
								   ScimJson *resource, const ScimMeta *meta,
								   const ScimProjection *projection, const char *base_url);

/* ListResponse: begin, then resources separated by commas, then end. */
extern void scim_response_list_begin(ScimBuf *buf, int64_t total, int64_t start_index,
									 int64_t items_per_page);

/*
 * The same for a page by cursor (RFC 9865 section 2): total -1 is not known and left
 * out, next NULL where this is the last page.
 */
extern void scim_response_cursor_begin(ScimBuf *buf, int64_t total, int64_t items_per_page, const char *next);
extern void scim_response_list_end(ScimBuf *buf);

extern void scim_response_error(ScimBuf *buf, const ScimError *err);

extern char *scim_location(ScimArena *arena, const ScimResourceType *type, ScimStr id,
						   const char *base_url);
#define SCIM_ETAG_SIZE 32
extern void scim_etag(int64_t version, char out[SCIM_ETAG_SIZE]);	/* W/"7" */

/* What /ServiceProviderConfig states. */
typedef struct ScimCapabilities
{
	int			max_results;
	int			max_operations;
	int			max_payload;
	int			default_page_size, cursor_timeout;	/* seconds */
	bool		change_password;
} ScimCapabilities;

extern void scim_response_service_provider_config(ScimBuf *buf, const ScimCapabilities *can,
												  const char *base_url);

/* /Schemas and /ResourceTypes: all as a ListResponse when id is absent, else
 * the one; false when there is none. */
extern bool scim_response_schemas(ScimBuf *buf, const ScimRegistry *registry, ScimStr id,
								  const char *base_url);
extern bool scim_response_resource_types(ScimBuf *buf, const ScimRegistry *registry, ScimStr id,
										 const char *base_url);

#endif							/* SCIM_CORE_RESPONSE_H */
