/*
 * plan_cache.c
 *		Prepared plans of our own statements, by their text.
 *
 * The shape of a filter is the text of its statement, so the number of texts
 * has no bound: between requests, the plans used longest ago go until
 * PLANS_MAX are left.  Never within one, for a trigger of an application may
 * call scim_apply while one of our plans is running.
 * PostgreSQL plans a kept statement again by itself when a table, the user or
 * the search path changed.  What it cannot follow is the extension dropped
 * and created anew; the schema then has another oid, and all plans go.
 */
#include "pg/compat.h"

#include "catalog/namespace.h"
#include "common/hashfn.h"
#include "lib/ilist.h"
#include "nodes/parsenodes.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "pg/plan_cache.h"

#define PLANS_MAX 128

typedef struct PlanKey
{
	const char *text;			/* the string counts, not the pointer */
	bool		generic;
} PlanKey;

typedef struct PlanEntry
{
	PlanKey		key;			/* hash key */
	SPIPlanPtr	plan;
	dlist_node	use;			/* in `uses`, latest first */
} PlanEntry;

static HTAB *plans = NULL;
static dlist_head uses = DLIST_STATIC_INIT(uses);
static Oid	schema_oid = InvalidOid;

static uint32
hash_key(const void *key, Size size)
{
	const char *text = ((const PlanKey *) key)->text;

	return hash_bytes((const unsigned char *) text, strlen(text));
}

static int
compare_keys(const void *a, const void *b, Size size)
{
	const PlanKey *x = a;
	const PlanKey *y = b;

	return x->generic != y->generic ? 1 : strcmp(x->text, y->text);
}

static void
create_table(void)
{
	HASHCTL		control = {0};

	control.keysize = sizeof(PlanKey);
	control.entrysize = sizeof(PlanEntry);
	control.hash = hash_key;
	control.match = compare_keys;
	control.hcxt = CacheMemoryContext;
	plans = hash_create("scim_audit plans", PLANS_MAX, &control,
						HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
}

static void
drop_oldest(void)
{
	PlanEntry  *entry = dlist_tail_element(PlanEntry, use, &uses);
	PlanKey		key = entry->key;

	dlist_delete(&entry->use);
	SPI_freeplan(entry->plan);
	hash_search(plans, &key, HASH_REMOVE, NULL);
	pfree((char *) key.text);
}

void
scim_audit_plan_cache_trim(void)
{
	Oid			schema = get_namespace_oid("scim", false);

	while (!dlist_is_empty(&uses) &&
		   (schema != schema_oid || hash_get_num_entries(plans) > PLANS_MAX))
		drop_oldest();
	schema_oid = schema;
}

SPIPlanPtr
scim_audit_plan(const char *text, int n_types, const Oid *types, bool generic)
{
	PlanKey		key = {text, generic};
	PlanEntry  *entry;
	SPIPlanPtr	plan;

	if (plans == NULL)
		create_table();
	entry = hash_search(plans, &key, HASH_FIND, NULL);
	if (entry != NULL)
	{
		dlist_move_head(&uses, &entry->use);
		return entry->plan;
	}

	plan = SPI_prepare_cursor(text, n_types, (Oid *) types, generic ? CURSOR_OPT_GENERIC_PLAN : 0);
	if (plan == NULL)
		elog(ERROR, "could not prepare a statement: %s", SPI_result_code_string(SPI_result));
	key.text = MemoryContextStrdup(CacheMemoryContext, text);
	entry = hash_search(plans, &key, HASH_ENTER, NULL);
	dlist_push_head(&uses, &entry->use);
	entry->plan = plan;
	if (SPI_keepplan(plan) != 0)
		elog(ERROR, "could not keep a plan");
	return plan;
}
