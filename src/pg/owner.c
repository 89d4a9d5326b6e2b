/*
 * owner.c
 *		Doing something as the owner of a table (see owner.h).
 */
#include "pg/compat.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "nodes/value.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

#include "pg/owner.h"

Oid
scim_audit_table_oid(const char *table)
{
	List	   *names = textToQualifiedNameList(cstring_to_text(table));
	Oid			schema = list_length(names) == 2 ? get_namespace_oid(strVal(linitial(names)), true) : InvalidOid;

	return OidIsValid(schema) ? get_relname_relid(strVal(lsecond(names)), schema) : InvalidOid;
}

Oid
scim_audit_table_owner(const char *table)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(scim_audit_table_oid(table)));
	Oid			owner;

	/* No right to look the name up is needed, as little as for a foreign key. */
	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("there is no table \"%s\"", table)));
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}
