/*
 * module.c
 *		The library's magic block and its initialisation.
 */
#include "pg/compat.h"

#include "fmgr.h"

#include "pg/config_hash.h"
#include "pg/event_store.h"
#include "pg/guard.h"
#include "pg/guc.h"
#include "pg/log.h"
#include "pg/partition.h"
#include "pg/resource_count.h"
#include "pg/schema_change.h"
#include "pg/tracked.h"

/* 18 added the module's name and version (9324c8c580). */
#if PG_VERSION_NUM >= 180000
PG_MODULE_MAGIC_EXT(.name = "scim_audit", .version = SCIM_AUDIT_VERSION);
#else
PG_MODULE_MAGIC;
#endif

PGDLLEXPORT void _PG_init(void);

void
_PG_init(void)
{
	scim_audit_guc_init();
	scim_audit_event_store_init();
	scim_audit_partition_init();
	scim_audit_config_hash_init();
	scim_audit_tracked_init();
	scim_audit_schema_change_init();
	scim_audit_guard_init();
	scim_audit_log_init();
	scim_audit_count_init();
}
