/*
 * owner.c
 *		Doing something as the owner of a table (see owner.h).
 */
#include "pg/compat.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "utils/builtins.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

#include "pg/owner.h"

Oid
scim_audit_table_owner(const char *table)
{
	List	   *names = textToQualifiedNameList(cstring_to_text(table));
	Oid			relid = RangeVarGetRelid(makeRangeVarFromNameList(names), NoLock, false);
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", relid);
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}
