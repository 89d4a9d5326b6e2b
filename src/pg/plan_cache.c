/*
 * plan_cache.c
 *		Prepared plans of our own statements, by their text.
 *
 * The shape of a filter is the text of its statement, so the number of texts
 * has no bound, nor has its length: between requests, the plans used longest
 * ago go until PLANS_MAX are left whose texts have TEXTS_MAX bytes together,
 * and those of a text longer than TEXT_MAX go at once.  Never within one, for a trigger of an application may
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
#define TEXT_MAX 8192			/* a plan takes some 20 times the bytes of its text */
#define TEXTS_MAX (256 * 1024)

typedef struct PlanKey
{
	const char *text;			/* the string counts, not the pointer */
	bool		generic;
} PlanKey;

typedef struct PlanEntry
{
	PlanKey		key;			/* hash key */
	SPIPlanPtr	plan;
	size_t		length;			/* of the text */
	dlist_node	use;			/* in `uses`, latest first */
} PlanEntry;

static HTAB *plans = NULL;
static dlist_head uses = DLIST_STATIC_INIT(uses);
static Oid	schema_oid = InvalidOid;
static size_t texts_length = 0;
static int	n_long = 0;			/* plans of texts longer than TEXT_MAX */

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
drop(PlanEntry *entry)
{
	PlanKey		key = entry->key;

	dlist_delete(&entry->use);
	texts_length -= entry->length;
	n_long -= entry->length > TEXT_MAX;
	SPI_freeplan(entry->plan);
	hash_search(plans, &key, HASH_REMOVE, NULL);
	pfree((char *) key.text);
}

void
scim_audit_plan_cache_trim(void)
{
	Oid			schema = get_namespace_oid("scim", false);
	dlist_mutable_iter iter;

	while (!dlist_is_empty(&uses) &&
		   (schema != schema_oid || hash_get_num_entries(plans) > PLANS_MAX || texts_length > TEXTS_MAX))
		drop(dlist_tail_element(PlanEntry, use, &uses));
	if (n_long > 0)
		dlist_foreach_modify(iter, &uses)
	{
		PlanEntry  *entry = dlist_container(PlanEntry, use, iter.cur);

		if (entry->length > TEXT_MAX)
			drop(entry);
	}
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
	entry->length = strlen(text);
	texts_length += entry->length;
	n_long += entry->length > TEXT_MAX;
	if (SPI_keepplan(plan) != 0)
		elog(ERROR, "could not keep a plan");
	return plan;
}
