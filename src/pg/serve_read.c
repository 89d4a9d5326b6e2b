/*
 * serve_read.c
 *		Reading: one resource (RFC 7644 section 3.4.1), lists (3.4.2),
 *		discovery (section 4).
 *
 * No subtransaction and no transaction id.  A list is one statement for the
 * page, one for each linked attribute that is wanted, and one to count, which
 * is left out where the page itself shows the total.
 */
#include "pg/compat.h"

#include <string.h>

#include "miscadmin.h"

#include "core/text.h"
#include "pg/exchange.h"
#include "pg/guc.h"
#include "pg/page_cursor.h"
#include "pg/resource_count.h"

#define PAGE_BYTES_MAX ((size_t) 4 * 1024 * 1024) /* answering takes some eight times that */

/* Resources of a page, as far as links are concerned. */
typedef struct Page
{
	size_t		n;
	ScimStr    *ids;
	ScimJson  **resources;
} Page;

/* What a list has of one resource type. */
typedef struct Listing
{
	const ScimResourceType *type;
	ScimFilter *filter;			/* NULL: all */
	ScimProjection *projection;
	ScimAuditRow *rows;
	size_t		n;
	int64		total;
} Listing;

static bool
same_id(ScimStr a, ScimStr b)
{
	return a.len == b.len && memcmp(a.ptr, b.ptr, a.len) == 0;
}

/* Add what a statement finds linked to the resources of a page; does any of it lead on? */
static bool
attach_found(ScimAuditExchange *x, const ScimLink *link, bool indirect, const ScimSql *sql, Page *page)
{
	ScimStr    *cells;
	size_t		n = scim_audit_storage_cells(x->arena, link->table, sql, SCIM_SQL_LINK_COLUMNS, &cells);
	size_t		i;
	size_t		at = 0;
	bool		leads_on = false;

	for (i = 0; i < n; i++)
	{
		const ScimStr *row = &cells[i * SCIM_SQL_LINK_COLUMNS];
		size_t		tries;

		/* Rows come by owner, so the next owner is seldom far. */
		for (tries = 0; tries < page->n && !same_id(page->ids[at], row[0]); tries++)
			at = (at + 1) % page->n;
		if (tries == page->n)
			elog(ERROR, "members of a resource that was not asked for");
		scim_audit_checked(scim_resource_add_link(x->arena, x->registry, page->resources[at], link, indirect,
												  row[1], row[2], row[3], x->base_url));
		leads_on = leads_on || scim_str_equal(row[4], SCIM_STR("true"));
	}
	return leads_on;
}

/* Read one linked attribute of all resources of a page. */
static void
attach_link(ScimAuditExchange *x, const ScimLink *link, Page *page)
{
	ScimStr		tenant = scim_audit_tenant_str(x);
	ScimSql		sql;

	scim_audit_checked(scim_sql_link_read(x->arena, x->registry, link, tenant, page->ids, page->n, &sql));
	if (!attach_found(x, link, false, &sql, page))
		return;
	scim_audit_checked(scim_sql_link_read_indirect(x->arena, x->registry, link, tenant, page->ids, page->n, &sql));
	attach_found(x, link, true, &sql, page);
}

static void
attach_links(ScimAuditExchange *x, const ScimResourceType *type, const ScimProjection *projection, Page *page)
{
	size_t		i;

	for (i = 0; i < type->n_links && page->n > 0; i++)
		if (scim_projection_wants(projection, type->links[i].attr))
			attach_link(x, &type->links[i], page);
}

ScimStatus
scim_audit_answer_resource(ScimAuditExchange *x, int http_status, const ScimAuditRow *row, bool read_links)
{
	const ScimResourceType *type = x->request.type;
	ScimStr		id = row->meta.id;
	ScimJson   *json;
	Page		page = {1, &id, &json};
	ScimStatus	status = scim_audit_checked(scim_resource_rest_from_row(x->arena, type, row->values, &json, &x->error));

	if (status != SCIM_OK)
		return status;
	if (read_links)
		attach_links(x, type, x->projection, &page);
	scim_response_resource(&x->answer, type, row->values, json, &row->meta, x->projection, x->base_url);
	x->location = scim_location(x->arena, type, id, x->base_url);
	x->resource_id = id;
	x->version = row->meta.version;
	x->status = http_status;
	return SCIM_OK;
}

ScimStr
scim_audit_resource_name(ScimAuditExchange *x, const ScimAuditRow *row)
{
	const ScimResourceType *type = x->request.type;
	const char *paths[] = {"userName", "displayName"};
	size_t		i;
	size_t		p;

	for (p = 0; p < lengthof(paths); p++)
		for (i = 0; i < type->n_columns; i++)
			if (strcmp(type->columns[i].path, paths[p]) == 0)
				return row->values[i];
	return SCIM_STR_NONE;
}

ScimStr
scim_audit_id_by_name(ScimAuditExchange *x, const ScimResourceType *type, ScimStr name, const char *and_filter)
{
	ScimFilterLimits limits = {scim_audit_max_filter_terms};
	ScimFilter *filter;
	ScimBuf		text;
	ScimSql		sql;
	ScimSort	sort = {0};
	ScimAuditRow row = {{{0}}};

	scim_buf_init(&text, x->arena, SCIM_AUDIT_URI_MAX);
	scim_buf_str(&text, "userName eq ");
	scim_buf_json_string(&text, name.ptr, name.len);
	scim_buf_str(&text, and_filter);
	if (text.failed)
		return SCIM_STR_NONE;	/* longer than any name that is stored */
	if (scim_audit_checked(scim_filter_parse(x->arena, type, (ScimStr) {text.data, text.len}, &limits, &filter, &x->error)) != SCIM_OK ||
		scim_audit_checked(scim_sql_list(x->arena, type, scim_audit_tenant_str(x), filter, &sort, 0, 1, &sql, &x->error)) != SCIM_OK)
		elog(ERROR, "could not look for a user by name");
	return scim_audit_storage_row(x->arena, type, &sql, &row) ? row.meta.id : SCIM_STR_NONE;
}

ScimStatus
scim_audit_serve_resource(ScimAuditExchange *x)
{
	ScimSql		sql;
	ScimAuditRow row = {{{0}}};

	scim_audit_checked(scim_sql_select(x->arena, x->request.type, scim_audit_tenant_str(x),
									   x->request.id, false, &sql));
	if (!scim_audit_storage_row(x->arena, x->request.type, &sql, &row))
		return scim_error(&x->error, SCIM_NOT_FOUND, "there is no such %s", x->request.type->name);
	x->resource_id = row.meta.id;
	x->resource_name = scim_audit_resource_name(x, &row);
	if (x->request.if_none_match.ptr != NULL && scim_etag_matches(x->request.if_none_match, row.meta.version))
	{
		x->version = row.meta.version;
		x->status = 304;
		return SCIM_OK;
	}
	return scim_audit_answer_resource(x, 200, &row, true);
}

/* How many resources there are that satisfy the filter. */
static ScimStatus
count_resources(ScimAuditExchange *x, Listing *listing)
{
	const char *table = listing->type->table;
	bool		all = listing->filter == NULL;
	ScimSql		sql;
	ScimStatus	status;

	if (all && scim_audit_count_begin(table, x->tenant, &listing->total))
		return SCIM_OK;
	status = scim_audit_checked(scim_sql_count(x->arena, listing->type, scim_audit_tenant_str(x),
											   listing->filter, &sql, &x->error));
	if (status != SCIM_OK)
		return status;
	listing->total = scim_audit_storage_count(table, &sql);
	if (all)
		scim_audit_count_end(table, x->tenant, listing->total);
	return SCIM_OK;
}

/*
 * One page of rows, with the total where it shows.  A page may have fewer
 * resources than asked for (RFC 7644 section 3.4.2.4): it ends with the one
 * that makes it larger than PAGE_BYTES_MAX.
 */
static ScimStatus
read_page(ScimAuditExchange *x, Listing *listing, int64 offset, int64 limit)
{
	ScimSort	sort;
	ScimSql		sql;
	ScimStatus	status;
	bool		cut;

	if (limit > 0)
	{
		status = scim_audit_checked(scim_sort_parse(x->arena, listing->type, x->request.list.sort_by,
													x->request.list.sort_order, &sort, &x->error));
		if (status == SCIM_OK)
			status = scim_audit_checked(scim_sql_list(x->arena, listing->type, scim_audit_tenant_str(x),
													  listing->filter, &sort, offset, limit, &sql, &x->error));
		if (status != SCIM_OK)
			return status;
		listing->n = scim_audit_storage_rows(x->arena, listing->type, &sql, PAGE_BYTES_MAX, &listing->rows, &cut);
		listing->total = offset + listing->n;
		if (!cut && listing->n < limit && (listing->n > 0 || offset == 0))
			return SCIM_OK;
	}
	return count_resources(x, listing);
}

/* Write the rows of a listing into the ListResponse. */
static ScimStatus
answer_rows(ScimAuditExchange *x, Listing *listing, bool *first)
{
	size_t		n = listing->n;
	Page		page = {n, NULL, NULL};
	size_t		i;

	page.ids = palloc(Max(n, 1) * sizeof(ScimStr));
	page.resources = palloc(Max(n, 1) * sizeof(ScimJson *));
	for (i = 0; i < n; i++)
	{
		ScimStatus	status = scim_audit_checked(scim_resource_rest_from_row(x->arena, listing->type, listing->rows[i].values,
																			&page.resources[i], &x->error));

		if (status != SCIM_OK)
			return status;
		page.ids[i] = listing->rows[i].meta.id;
	}
	attach_links(x, listing->type, listing->projection, &page);

	for (i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!*first)
			scim_buf_char(&x->answer, ',');
		*first = false;
		scim_response_resource(&x->answer, listing->type, listing->rows[i].values, page.resources[i],
							   &listing->rows[i].meta, listing->projection, x->base_url);
	}
	return SCIM_OK;
}

/* The request's filter and projection for a type. */
static ScimStatus
open_listing(ScimAuditExchange *x, const ScimResourceType *type, Listing *listing)
{
	ScimFilterLimits limits = {scim_audit_max_filter_terms, scim_audit_max_filter_depth,
	.all_types = x->request.type == NULL};
	ScimStr		text = x->request.list.filter;
	ScimStatus	status = SCIM_OK;

	listing->type = type;
	listing->projection = x->projection;
	if (x->request.type == NULL)
		status = scim_audit_checked(scim_projection_parse(x->arena, type, x->request.list.attributes,
														  x->request.list.excluded_attributes,
														  &listing->projection, &x->error));
	if (status != SCIM_OK || text.ptr == NULL)
		return status;
	status = scim_audit_checked(scim_profile_apply_filter(x->arena, x->profile, type, &text,
														  &x->tolerances, &x->error));
	if (status == SCIM_OK)
		status = scim_audit_checked(scim_filter_parse(x->arena, type, text, &limits,
													  &listing->filter, &x->error));
	return status;
}

/*
 * The listings of the types that are asked for.  A type that the filter cannot be read for, not even
 * with the attributes of the others, has nothing that satisfies it; one that suits no type is refused.
 */
static ScimStatus
open_listings(ScimAuditExchange *x, Listing *listings, size_t *n)
{
	ScimError	refusal = {SCIM_OK};
	size_t		i;

	*n = 0;
	if (x->request.type != NULL)
		return open_listing(x, x->request.type, &listings[(*n)++]);
	for (i = 0; i < scim_registry_type_count(x->registry); i++)
	{
		ScimStatus	status = open_listing(x, scim_registry_type(x->registry, i), &listings[*n]);

		if (status == SCIM_OK)
			(*n)++;
		else if (status != SCIM_INVALID_FILTER)
			return status;
		else if (refusal.status == SCIM_OK)
			refusal = x->error;
	}
	x->error = *n > 0 ? (ScimError) {SCIM_OK} : refusal;
	return x->error.status;
}

/* What is on a page, of each listing, from an offset on; *total over all of them. */
static ScimStatus
read_pages(ScimAuditExchange *x, Listing *listings, size_t n, int64 offset, int64 limit, int64 *total)
{
	ScimStatus	status = SCIM_OK;
	size_t		i;

	*total = 0;
	for (i = 0; i < n && status == SCIM_OK; i++)
	{
		if (listings[i].filter != NULL && scim_filter_never(listings[i].filter))
			continue;
		status = read_page(x, &listings[i], Max(offset - *total, 0), limit);
		limit -= listings[i].n;
		*total += listings[i].total;
	}
	return status;
}

/* Rows behind those that a listing has already. */
static void
append_rows(Listing *listing, ScimAuditRow *rows, size_t n)
{
	ScimAuditRow *all;

	if (listing->n == 0)
		listing->rows = rows;
	else if (n > 0)
	{
		all = palloc((listing->n + n) * sizeof(ScimAuditRow));
		memcpy(all, listing->rows, listing->n * sizeof(ScimAuditRow));
		memcpy(all + listing->n, rows, n * sizeof(ScimAuditRow));
		listing->rows = all;
	}
	listing->n += n;
}

/* The sort key of the resource of a cursor that had no room for it. */
static ScimStatus
reread_key(ScimAuditExchange *x, const ScimResourceType *type, const ScimSort *sort, ScimAuditPosition *position)
{
	ScimSql		sql;
	ScimStr    *key;

	scim_audit_checked(scim_sql_sort_key(x->arena, type, scim_audit_tenant_str(x), sort, position->id, &sql));
	if (scim_audit_storage_cells(x->arena, type->table, &sql, 1, &key) == 0 || key[0].ptr == NULL)
		return scim_audit_cursor_invalid(x);
	position->key = key[0];
	return SCIM_OK;
}

/*
 * A page behind a resource, or from the beginning where position has none: it costs the
 * same wherever it is, if an index has the order, and nothing is counted.  *more says
 * whether there is a next one.
 */
static ScimStatus
read_behind(ScimAuditExchange *x, Listing *listing, ScimAuditPosition position, int64 limit, bool *more)
{
	ScimSortKeys in_order[] = {SCIM_KEYS_PRESENT, SCIM_KEYS_MISSING};
	bool		anywhere = position.id.ptr == NULL;
	bool		sorted = x->request.list.sort_by.ptr != NULL;
	ScimSort	sort;
	ScimSql		sql;
	ScimStatus	status;
	ScimAuditRow *rows;
	size_t		n;
	size_t		i;

	status = scim_audit_checked(scim_sort_parse(x->arena, listing->type, x->request.list.sort_by,
												x->request.list.sort_order, &sort, &x->error));
	if (status == SCIM_OK && position.has_key && position.key.ptr == NULL)
		status = reread_key(x, listing->type, &sort, &position);
	if (sort.descending)
	{
		in_order[0] = SCIM_KEYS_MISSING;
		in_order[1] = SCIM_KEYS_PRESENT;
	}
	sort.return_key = sorted;
	for (i = 0; i < (sorted ? 2 : 1) && status == SCIM_OK && !*more; i++)
	{
		bool		here = sorted ? in_order[i] == (position.has_key ? SCIM_KEYS_PRESENT : SCIM_KEYS_MISSING) : true;

		if (!anywhere && !here)
			continue;			/* shown before */
		sort.keys = sorted ? in_order[i] : SCIM_KEYS_ALL;
		sort.after = anywhere ? SCIM_STR_NONE : position.id;
		sort.after_key = position.key;
		anywhere = true;
		status = scim_audit_checked(scim_sql_list(x->arena, listing->type, scim_audit_tenant_str(x), listing->filter,
												  &sort, 0, limit + 1 - listing->n, &sql, &x->error));
		if (status != SCIM_OK)
			break;
		n = scim_audit_storage_rows(x->arena, listing->type, &sql, PAGE_BYTES_MAX, &rows, more);
		append_rows(listing, rows, n);
	}
	if (listing->n > limit)
	{
		listing->n = limit;
		*more = true;
	}
	return status;
}

/* The listing that a position is in: of n the first for the beginning; n when it is in none. */
static size_t
listing_of(const Listing *listings, size_t n, const ScimAuditPosition *position)
{
	size_t		i;

	if (position->type.ptr == NULL)
		return 0;
	for (i = 0; i < n; i++)
		if (scim_str_equal(position->type, (ScimStr) {listings[i].type->name, strlen(listings[i].type->name)}))
			break;
	return i;
}

/* The place behind the last row of a listing. */
static ScimAuditPosition
end_of(const Listing *listing)
{
	const ScimAuditRow *last = &listing->rows[listing->n - 1];

	return (ScimAuditPosition)
	{
		.type = {listing->type->name, strlen(listing->type->name)},
		.id = last->meta.id,
		.key = last->sort_key,
		.has_key = last->sort_key.ptr != NULL
	};
}

/* A page by cursor (RFC 9865), begun. */
static ScimStatus
begin_cursor_page(ScimAuditExchange *x, Listing *listings, size_t n, int64 limit)
{
	const ScimAuditPosition beginning = {SCIM_STR_NONE};
	ScimAuditPosition position;
	ScimAuditPosition end = beginning;
	const char *next = NULL;
	int64		returned = 0;
	bool		first;
	bool		more = false;
	size_t		i;
	ScimStatus	status = scim_audit_cursor_read(x, &position);

	if (status != SCIM_OK)
		return status;
	first = position.type.ptr == NULL;
	i = listing_of(listings, n, &position);
	if (i == n)
		return scim_audit_cursor_invalid(x);
	for (; i < n && status == SCIM_OK && !more; i++)
	{
		if (listings[i].filter == NULL || !scim_filter_never(listings[i].filter))
			status = read_behind(x, &listings[i], position, limit - returned, &more);
		position = beginning;
		returned += listings[i].n;
		if (listings[i].n > 0)
			end = end_of(&listings[i]);
	}
	if (status != SCIM_OK)
		return status;
	if (more && returned > 0)
		next = scim_audit_cursor_make(x, &end);
	scim_response_cursor_begin(&x->answer, first && next == NULL ? returned : -1, returned, next);
	return SCIM_OK;
}

/* A page by index (RFC 7644 section 3.4.2.4), begun. */
static ScimStatus
begin_index_page(ScimAuditExchange *x, Listing *listings, size_t n, int64 limit)
{
	int64		start = x->request.list.has_start_index ? x->request.list.start_index : 1;
	int64		returned = 0;
	int64		total;
	size_t		i;
	ScimStatus	status = read_pages(x, listings, n, start - 1, limit, &total);

	for (i = 0; i < n; i++)
		returned += listings[i].n;
	if (status == SCIM_OK)
		scim_response_list_begin(&x->answer, total, start, returned);
	return status;
}

/*
 * The resources of one type, or of all: type by type, each sorted.  startIndex
 * and count go through them as through one list.
 */
ScimStatus
scim_audit_serve_list(ScimAuditExchange *x)
{
	Listing    *listings = palloc0((scim_registry_type_count(x->registry) + 1) * sizeof(Listing));
	int64		limit = Min(x->request.list.has_count ? x->request.list.count : scim_audit_default_page_size,
							scim_audit_max_results);
	bool		first = true;
	size_t		n;
	size_t		i;
	ScimStatus	status = open_listings(x, listings, &n);

	if (status == SCIM_OK)
		status = x->request.list.cursor.ptr != NULL ? begin_cursor_page(x, listings, n, limit)
			: begin_index_page(x, listings, n, limit);
	for (i = 0; i < n && status == SCIM_OK; i++)
		status = answer_rows(x, &listings[i], &first);
	scim_response_list_end(&x->answer);
	x->status = 200;
	return status;
}

ScimStatus
scim_audit_serve_discovery(ScimAuditExchange *x)
{
	ScimCapabilities can = {
		.max_results = scim_audit_max_results,
		.max_operations = scim_audit_max_bulk_operations,
		.max_payload = scim_audit_max_body,
		.default_page_size = Min(scim_audit_default_page_size, scim_audit_max_results),
		.cursor_timeout = scim_audit_cursor_timeout,
		.change_password = x->hash_passwords
	};
	bool		found = true;

	if (x->request.list.filter.ptr != NULL)
		return scim_error(&x->error, SCIM_FORBIDDEN, "discovery documents cannot be filtered");
	if (x->request.endpoint == SCIM_ENDPOINT_SERVICE_PROVIDER_CONFIG)
		scim_response_service_provider_config(&x->answer, &can, x->base_url);
	else if (x->request.endpoint == SCIM_ENDPOINT_SCHEMAS)
		found = scim_response_schemas(&x->answer, x->registry, x->request.id, x->base_url);
	else
		found = scim_response_resource_types(&x->answer, x->registry, x->request.id, x->base_url);
	if (!found)
		return scim_error(&x->error, SCIM_NOT_FOUND, "there is no such document");
	x->status = 200;
	return SCIM_OK;
}
