/*
 * serve_links.c
 *		Linked attributes (Group.members, User.groups) of resources that are
 *		answered with.
 *
 * One statement for who is linked to whom, and where anybody is, one for what
 * the others are called: they are often the same.  Where one of them leads on
 * (a group in a group), two more for what is reached through them.
 */
#include "pg/compat.h"

#include <string.h>

#include "core/text.h"
#include "pg/exchange.h"

/* Who is linked to the resources of a page. */
typedef struct Found
{
	size_t		n;
	ScimStr    *cells;			/* SCIM_SQL_LINK_COLUMNS each */

	/* the others, each once, in the order of their ids */
	size_t		n_others;
	ScimStr    *others;
	ScimStr    *names;
	bool		lead_on;
} Found;

static int
compare_ids(const void *a, const void *b)
{
	return strcmp(((const ScimStr *) a)->ptr, ((const ScimStr *) b)->ptr);
}

/* List the others once each.  Those of one owner come in order. */
static void
list_others(Found *found)
{
	bool		sorted = true;
	size_t		i;

	found->others = palloc(found->n * sizeof(ScimStr));
	for (i = 0; i < found->n; i++)
	{
		found->others[i] = found->cells[i * SCIM_SQL_LINK_COLUMNS + 1];
		sorted = sorted && (i == 0 || compare_ids(&found->others[i - 1], &found->others[i]) <= 0);
	}
	if (!sorted)
		qsort(found->others, found->n, sizeof(ScimStr), compare_ids);
	found->n_others = 0;
	for (i = 0; i < found->n; i++)
		if (i == 0 || !scim_str_equal(found->others[found->n_others - 1], found->others[i]))
			found->others[found->n_others++] = found->others[i];
}

static size_t
place_of(const Found *found, ScimStr id)
{
	const ScimStr *place = bsearch(&id, found->others, found->n_others, sizeof(ScimStr), compare_ids);

	if (place == NULL)
		elog(ERROR, "the name of a resource that was not asked for");
	return place - found->others;
}

/* What the others are called, and whether any of them leads on. */
static void
read_names(ScimAuditExchange *x, const ScimLink *link, Found *found)
{
	ScimStr    *numbers;
	ScimStr    *cells;
	ScimSql		sql;
	bool		any;
	size_t		n;
	size_t		i;

	list_others(found);
	found->names = palloc0(found->n_others * sizeof(ScimStr));
	numbers = palloc0(found->n_others * sizeof(ScimStr));
	scim_audit_checked(scim_sql_link_names(x->arena, x->registry, link, scim_audit_tenant_str(x), found->others,
										   found->n_others, &any, &sql));
	if (!any)
		return;
	n = scim_audit_storage_cells(x->arena, link->table, &sql, SCIM_SQL_NAME_COLUMNS, &cells);
	for (i = 0; i < n; i++)
	{
		const ScimStr *row = &cells[i * SCIM_SQL_NAME_COLUMNS];
		size_t		place;

		if (row[0].ptr == NULL)
		{
			found->lead_on = true;
			continue;
		}
		place = place_of(found, row[0]);
		if (row[1].ptr == NULL ||
			(numbers[place].ptr != NULL && atoi(numbers[place].ptr) <= atoi(row[2].ptr)))
			continue;
		numbers[place] = row[2];
		found->names[place] = row[1];
	}
}

/* Add what a statement finds linked to the resources of a page; does any of it lead on? */
static bool
attach_found(ScimAuditExchange *x, const ScimLink *link, bool indirect, const ScimSql *sql, ScimAuditPage *page)
{
	Found		found = {0};
	size_t		i;
	size_t		at = 0;

	found.n = scim_audit_storage_cells(x->arena, link->table, sql, SCIM_SQL_LINK_COLUMNS, &found.cells);
	if (found.n == 0)
		return false;
	read_names(x, link, &found);
	for (i = 0; i < found.n; i++)
	{
		const ScimStr *row = &found.cells[i * SCIM_SQL_LINK_COLUMNS];
		size_t		tries;

		/* Rows come by owner, so the next owner is seldom far. */
		for (tries = 0; tries < page->n && !scim_str_equal(page->ids[at], row[0]); tries++)
			at = (at + 1) % page->n;
		if (tries == page->n)
			elog(ERROR, "members of a resource that was not asked for");
		scim_audit_checked(scim_resource_add_link(x->arena, x->registry, page->resources[at], link, indirect,
												  row[1], row[2], found.names[place_of(&found, row[1])], x->base_url));
	}
	return found.lead_on;
}

/* Read one linked attribute of all resources of a page. */
static void
attach_link(ScimAuditExchange *x, const ScimLink *link, ScimAuditPage *page)
{
	ScimStr		tenant = scim_audit_tenant_str(x);
	ScimSql		sql;

	scim_audit_checked(scim_sql_link_read(x->arena, link, tenant, page->ids, page->n, &sql));
	if (!attach_found(x, link, false, &sql, page))
		return;
	scim_audit_checked(scim_sql_link_read_indirect(x->arena, link, tenant, page->ids, page->n, &sql));
	attach_found(x, link, true, &sql, page);
}

void
scim_audit_attach_links(ScimAuditExchange *x, const ScimResourceType *type, const ScimProjection *projection,
						ScimAuditPage *page)
{
	size_t		i;

	for (i = 0; i < type->n_links && page->n > 0; i++)
		if (scim_projection_wants(projection, type->links[i].attr))
			attach_link(x, &type->links[i], page);
}
