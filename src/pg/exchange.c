/*
 * exchange.c
 *		What all parts of a request's service use (see exchange.h).
 */
#include "pg/compat.h"

#include "pg/exchange.h"

ScimStatus
scim_audit_checked(ScimStatus status)
{
	if (status == SCIM_NO_MEMORY)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory while serving a SCIM request")));
	return status;
}
