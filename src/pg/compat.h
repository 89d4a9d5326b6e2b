/*
 * compat.h
 *		Differences between the supported PostgreSQL versions, each with its
 *		version and reason.  Included first, in place of postgres.h.
 *		Written for the newest, shimmed for the old.
 */
#ifndef SCIM_AUDIT_PG_COMPAT_H
#define SCIM_AUDIT_PG_COMPAT_H

/*
 * Before 16, PGDLLEXPORT is empty outside Windows, and a module built with
 * -fvisibility=hidden would export nothing (16: 089480c077).
 */
#if !defined(PGDLLEXPORT)
#define PGDLLEXPORT __attribute__((visibility("default")))
#endif

#include "postgres.h"

#if PG_VERSION_NUM < 150000
#error "scim_audit needs PostgreSQL 15 or later"
#endif

/*
 * 16 exports a function with its info function (089480c077); before, only the
 * latter was declared with PGDLLEXPORT.
 */
#if PG_VERSION_NUM < 160000
#include "fmgr.h"
#undef PG_FUNCTION_INFO_V1
#define PG_FUNCTION_INFO_V1(funcname) \
extern PGDLLEXPORT Datum funcname(PG_FUNCTION_ARGS); \
extern PGDLLEXPORT const Pg_finfo_record *CppConcat(pg_finfo_, funcname) (void); \
const Pg_finfo_record * \
CppConcat(pg_finfo_, funcname) (void) \
{ \
	static const Pg_finfo_record my_finfo = {1}; \
	return &my_finfo; \
} \
extern int	no_such_variable
#endif

/* 16 moved the varlena macros out of postgres.h. */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* A small number that no two backends share: 17 replaced backend ids (ab355e3a88). */
#if PG_VERSION_NUM >= 170000
#define SCIM_AUDIT_BACKEND_NUMBER MyProcNumber
#else
#define SCIM_AUDIT_BACKEND_NUMBER MyBackendId
#endif

/*
 * 16 added onlySummarizing to ExecInsertIndexTuples (19d8e2308b); 19 made its
 * switches flags and put them before the slot.
 */
#if PG_VERSION_NUM >= 190000
#define scim_audit_insert_index_tuples(relation, slot, estate) \
	list_free(ExecInsertIndexTuples(relation, estate, 0, slot, NIL, NULL))
#elif PG_VERSION_NUM >= 160000
#define scim_audit_insert_index_tuples(relation, slot, estate) \
	list_free(ExecInsertIndexTuples(relation, slot, estate, false, false, NULL, NIL, false))
#else
#define scim_audit_insert_index_tuples(relation, slot, estate) \
	list_free(ExecInsertIndexTuples(relation, slot, estate, false, false, NULL, NIL))
#endif

/* 16 put one function in place of one for each catalog (c727f511bd). */
#if PG_VERSION_NUM >= 160000
#define scim_audit_owns_table(table) object_ownercheck(RelationRelationId, table, GetUserId())
#define scim_audit_owns_function(function) object_ownercheck(ProcedureRelationId, function, GetUserId())
#else
#define scim_audit_owns_table(table) pg_class_ownercheck(table, GetUserId())
#define scim_audit_owns_function(function) pg_proc_ownercheck(function, GetUserId())
#endif

/* 17 gave LockHeldByMe a switch for stronger locks. */
#if PG_VERSION_NUM >= 170000
#define scim_audit_lock_held(tag, mode) LockHeldByMe(tag, mode, false)
#else
#define scim_audit_lock_held(tag, mode) LockHeldByMe(tag, mode)
#endif

/* 19 wants a row type made by hand to be finished before rows of it are read. */
#if PG_VERSION_NUM < 190000
#define TupleDescFinalize(desc) ((void) 0)
#endif

/* 19 gave table_beginscan flags. */
#if PG_VERSION_NUM >= 190000
#define scim_audit_table_beginscan(relation, snapshot) \
	table_beginscan(relation, snapshot, 0, NULL, SO_NONE)
#else
#define scim_audit_table_beginscan(relation, snapshot) \
	table_beginscan(relation, snapshot, 0, NULL)
#endif

/* 17 made VACUUM, ANALYZE, REINDEX and the like a privilege (ecb0fd3372). */
#if PG_VERSION_NUM >= 170000
#define SCIM_AUDIT_LOG_OWNER_PRIVILEGES "SELECT, MAINTAIN"
#else
#define SCIM_AUDIT_LOG_OWNER_PRIVILEGES "SELECT"
#endif

#endif							/* SCIM_AUDIT_PG_COMPAT_H */
