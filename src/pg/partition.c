/*
 * partition.c
 *		Monthly partitions of scim_audit.events (see partition.h).
 *
 * A new partition is made beside its parent and attached: CREATE TABLE …
 * PARTITION OF would lock the parent against readers and writers, ATTACH
 * lets both go on.  The parent's row guards are cloned by ATTACH; the guard
 * against TRUNCATE, the key, the index and the privileges are made here.
 *
 * The first transactions of a month make the one that is then three months
 * ahead.  That is never needed at once, so nobody waits for it, and whoever
 * fails to make it goes on; only where a month itself is missing does the
 * writer need to make it.
 *
 * Indexes of a partition: the key (tx_id, n) is the order of the log, of its
 * paging and of verification; (resource_id) answers "what happened to this
 * user".  Equal resource ids share one index entry, so the second costs a
 * few bytes per event.  By tenant there is none: one tenant's newest events
 * are found by walking the key backwards.
 */
#include "pg/compat.h"

#include "access/relation.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "commands/tablespace.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "partitioning/partbounds.h"
#include "partitioning/partdesc.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/partcache.h"
#include "utils/rel.h"
#include "utils/resowner.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "pg/event_store.h"
#include "pg/owner.h"
#include "pg/partition.h"

#define MONTHS_AHEAD 3
#define MONTHS_AHEAD_MAX 120
#define MS_PER_DAY INT64CONST(86400000)

PG_FUNCTION_INFO_V1(scim_audit_ensure_partitions);

/* A partition: lower <= tx_id < upper. */
typedef struct Place
{
	Oid			oid;			/* InvalidOid: unknown */
	Oid			parent;
	pg_uuid_t	lower;
	pg_uuid_t	upper;
} Place;

/* The one last used. */
static Place current;

/* Months are counted as 12 * year + month - 1. */

static int
month_of(const uint8_t tx_id[16])
{
	int64		ms = 0;
	int			year,
				month,
				day;

	for (int i = 0; i < 6; i++)
		ms = ms << 8 | tx_id[i];
	j2date((int) (ms / MS_PER_DAY) + UNIX_EPOCH_JDATE, &year, &month, &day);
	return year * 12 + month - 1;
}

/* The smallest version 7 UUID of a month, and of none before it. */
static void
month_start(int month, uint8_t out[16])
{
	int64		ms = (int64) (date2j(month / 12, month % 12 + 1, 1) - UNIX_EPOCH_JDATE) * MS_PER_DAY;

	memset(out, 0, 16);
	for (int i = 5; i >= 0; i--, ms >>= 8)
		out[i] = (uint8) ms;
}

static char *
month_start_text(int month)
{
	uint8_t		start[16];

	month_start(month, start);
	return psprintf("%02x%02x%02x%02x-%02x%02x-0000-0000-000000000000",
					start[0], start[1], start[2], start[3], start[4], start[5]);
}

static void
forget_partition(Datum arg, Oid relid)
{
	if (relid == InvalidOid || relid == current.oid || relid == current.parent)
		current.oid = InvalidOid;
}

void
scim_audit_partition_init(void)
{
	CacheRegisterRelcacheCallback(forget_partition, (Datum) 0);
}

static bool
in_current(const uint8_t tx_id[16])
{
	return OidIsValid(current.oid) &&
		memcmp(tx_id, current.lower.data, 16) >= 0 &&
		memcmp(tx_id, current.upper.data, 16) < 0;
}

/* One end of a range; an open end is the lowest or the highest UUID. */
static pg_uuid_t
bound(PartitionBoundInfo bounds, int i)
{
	pg_uuid_t	uuid;

	if (bounds->kind[i][0] == PARTITION_RANGE_DATUM_VALUE)
		return *DatumGetUUIDP(bounds->datums[i][0]);
	memset(uuid.data, bounds->kind[i][0] == PARTITION_RANGE_DATUM_MINVALUE ? 0 : 0xFF, 16);
	return uuid;
}

/* Make *place the partition for tx_id; false when the parent has none. */
static bool
find_partition(const uint8_t tx_id[16], Place *place)
{
	Relation	parent = table_open(scim_audit_events_oid(), AccessShareLock);
	PartitionKey key = RelationGetPartitionKey(parent);
	PartitionDesc desc = RelationGetPartitionDesc(parent, true);
	bool		found = false;

	if (desc->nparts > 0)
	{
		PartitionBoundInfo bounds = desc->boundinfo;
		Datum		value = PointerGetDatum(tx_id);
		bool		is_equal;
		int			lower = partition_range_datum_bsearch(key->partsupfunc, key->partcollation,
														  bounds, 1, &value, &is_equal);
		int			i = bounds->indexes[lower + 1];

		found = lower >= 0 && i >= 0;
		if (found)
		{
			place->oid = desc->oids[i];
			place->parent = RelationGetRelid(parent);
			place->lower = bound(bounds, lower);
			place->upper = bound(bounds, lower + 1);
		}
	}
	table_close(parent, AccessShareLock);
	return found;
}

static bool
has_partition(int month)
{
	uint8_t		start[16];
	Place		place;

	month_start(month, start);
	return find_partition(start, &place);
}

static void
run(const char *sql, int expected)
{
	int			result = SPI_execute(sql, false, 0);

	if (result != expected)
		elog(ERROR, "could not make a partition of the audit log: %s: %s",
			 SPI_result_code_string(result), sql);
}

/* A name that nothing in the schema has: a detached partition keeps its own. */
static char *
free_name(int month)
{
	char	   *base = psprintf("events_%04d_%02d", month / 12, month % 12 + 1);
	char	   *name = base;

	for (int i = 2; OidIsValid(scim_audit_log_table(name)); i++)
		name = psprintf("%s_%d", base, i);
	return name;
}

/* Take back what ALTER DEFAULT PRIVILEGES gave away; the owner may read and maintain. */
static void
revoke_privileges(const char *name)
{
	char	   *grantees;

	run(psprintf("SELECT string_agg(DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC'"
				 " ELSE quote_ident(pg_get_userbyid(a.grantee)) END, ', ')"
				 " FROM pg_class c, aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) a"
				 " WHERE c.oid = 'scim_audit.%s'::regclass", name), SPI_OK_SELECT);
	grantees = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
	run(psprintf("REVOKE ALL ON scim_audit.%s FROM %s CASCADE",
				 name, grantees != NULL ? grantees : "PUBLIC"), SPI_OK_UTILITY);
	run(psprintf("GRANT " SCIM_AUDIT_LOG_OWNER_PRIVILEGES " ON scim_audit.%s TO CURRENT_USER", name),
		SPI_OK_UTILITY);
}

static void
make_partition(int month)
{
	char	   *name = free_name(month);

	/* PostgreSQL names the indexes: a renamed partition keeps the names of its own. */
	run(psprintf("CREATE TABLE scim_audit.%s (LIKE scim_audit.events INCLUDING STORAGE INCLUDING COMPRESSION,"
				 " PRIMARY KEY (tx_id, n))", name), SPI_OK_UTILITY);
	run(psprintf("COMMENT ON TABLE scim_audit.%s IS 'Audit events of %04d-%02d (UTC)'",
				 name, month / 12, month % 12 + 1), SPI_OK_UTILITY);
	run(psprintf("CREATE INDEX ON scim_audit.%s (resource_id)", name), SPI_OK_UTILITY);
	run(psprintf("ALTER TABLE scim_audit.%s ENABLE ROW LEVEL SECURITY", name), SPI_OK_UTILITY);
	run(psprintf("CREATE TRIGGER guard_truncate BEFORE TRUNCATE ON scim_audit.%s"
				 " FOR EACH STATEMENT EXECUTE FUNCTION scim_audit.guard()", name), SPI_OK_UTILITY);
	run(psprintf("ALTER TABLE scim_audit.%s ENABLE ALWAYS TRIGGER guard_truncate", name),
		SPI_OK_UTILITY);
	run(psprintf("ALTER TABLE scim_audit.events ATTACH PARTITION scim_audit.%s"
				 " FOR VALUES FROM ('%s') TO ('%s')",
				 name, month_start_text(month), month_start_text(month + 1)), SPI_OK_UTILITY);
	/* Last: making triggers, and having them cloned, is a privilege, also of an owner who is no superuser. */
	revoke_privileges(name);
}

static void
set_option(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0,
							 false);
}

/* Make those of n months from first on that are not there; how many were made. */
static int
make_missing(int first, int n)
{
	int			made = 0;

	for (int month = first; month < first + n; month++)
	{
		if (has_partition(month))
			continue;
		make_partition(month);
		made++;
	}
	return made;
}

/*
 * As the owner of the log, whoever writes, with no setting of the session's
 * in the way; partitions go to the tablespace of their parent.
 */
static int
ensure_months(int first, int n)
{
	Oid			parent = scim_audit_events_oid();
	Oid			tablespace = get_rel_tablespace(parent);
	HeapTuple	tuple;
	Oid			owner;
	ScimAuditUser caller;
	int			nest;
	int			made;

	/* One session at a time; does not conflict with readers and writers. */
	LockRelationOid(parent, ShareUpdateExclusiveLock);
	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(parent));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", parent);
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);

	caller = scim_audit_become(owner);
	nest = NewGUCNestLevel();
	set_option("search_path", "pg_catalog, pg_temp");
	set_option("default_tablespace", OidIsValid(tablespace) ? get_tablespace_name(tablespace) : "");
	set_option("default_table_access_method", "heap");
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
	made = make_missing(first, n);
	SPI_finish();
	AtEOXact_GUC(false, nest);
	scim_audit_become_again(caller);
	return made;
}

/*
 * Is somebody else making partitions, or is this session reading the log?
 * Neither can be made then, at least not without waiting.  Takes the lock
 * that making them needs.
 */
static bool
parent_is_free(void)
{
	Relation	parent = table_open(scim_audit_events_oid(), AccessShareLock);
	bool		is_free = parent->rd_refcnt == 1;

	is_free = is_free && ConditionalLockRelation(parent, ShareUpdateExclusiveLock);
	table_close(parent, AccessShareLock);
	return is_free;
}

/*
 * Make the month that is MONTHS_AHEAD of tx_id's, if it is not there and can
 * be made now.  In a subtransaction: what this fails of (an event trigger that
 * forbids DDL, a full disk) is no reason to fail the writer.
 */
static void
look_ahead(const uint8_t tx_id[16])
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *volatile error = NULL;

	if (has_partition(month_of(tx_id) + MONTHS_AHEAD))
		return;
	BeginInternalSubTransaction(NULL);
	PG_TRY();
	{
		if (parent_is_free())
			ensure_months(month_of(tx_id), 1 + MONTHS_AHEAD);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
	}
	PG_END_TRY();
	if (error != NULL)
		RollbackAndReleaseCurrentSubTransaction();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	if (error == NULL)
		return;
	if (error->sqlerrcode == ERRCODE_QUERY_CANCELED)
		ReThrowError(error);
	ereport(LOG,
			(errmsg("could not make a partition of the audit log ahead of its time: %s", error->message)));
	FreeErrorData(error);
}

Relation
scim_audit_partition_open(const uint8_t tx_id[16])
{
	for (;;)
	{
		Relation	partition;
		Oid			oid;

		if (!in_current(tx_id))
		{
			if (!find_partition(tx_id, &current))
				ensure_months(month_of(tx_id), 1 + MONTHS_AHEAD);
			else
				look_ahead(tx_id);
			if (!find_partition(tx_id, &current))
				elog(ERROR, "a partition of the audit log just made is not there");
		}
		oid = current.oid;
		partition = try_relation_open(oid, RowExclusiveLock);

		/* The lock may have brought news of a detached or dropped partition. */
		if (partition != NULL && current.oid == oid)
			return partition;
		if (partition != NULL)
			relation_close(partition, RowExclusiveLock);
		current.oid = InvalidOid;
	}
}

/* scim_audit.ensure_partitions(months_ahead int) returns int */
Datum
scim_audit_ensure_partitions(PG_FUNCTION_ARGS)
{
	int			ahead = PG_GETARG_INT32(0);
	int			year,
				month,
				day;

	if (ahead < 0 || ahead > MONTHS_AHEAD_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("months_ahead must be between 0 and %d", MONTHS_AHEAD_MAX)));
	j2date((int) (GetCurrentTimestamp() / USECS_PER_DAY) + POSTGRES_EPOCH_JDATE, &year, &month, &day);
	PG_RETURN_INT32(ensure_months(year * 12 + month - 1, 1 + ahead));
}
