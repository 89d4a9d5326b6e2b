/*
 * guc.c
 *		The settings of the extension (see guc.h).
 */
#include "pg/compat.h"

#include <limits.h>

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/memutils.h"

#include "core/filter.h"
#include "pg/guc.h"

#define CLAIM_MAX 1024			/* bytes of one string setting */

int			scim_audit_profile;
char	   *scim_audit_tenant;
char	   *scim_audit_actor;
char	   *scim_audit_on_behalf_of;
char	   *scim_audit_reason;
char	   *scim_audit_ticket;
char	   *scim_audit_trusted_authenticators;
int			scim_audit_log_reads = SCIM_LOG_READS_FAILURES;
int			scim_audit_chains;
bool		scim_audit_allow_prepare;
bool		scim_audit_allow_drop;
bool		scim_audit_restore;
int			scim_audit_max_body;
int			scim_audit_max_bulk_operations;
int			scim_audit_max_results;
int			scim_audit_default_page_size;
int			scim_audit_max_filter_terms;
int			scim_audit_max_filter_depth;
int			scim_audit_max_patch_operations;
int			scim_audit_cursor_timeout;
int			scim_audit_heartbeat;

static const struct config_enum_entry profiles[] = {
	{"default", 0, false},
	{"rfc", 1, false},
	{"entra", 2, false},
	{"okta", 3, false},
	{"onelogin", 4, false},
	{"interop-strict", 5, false},
	{NULL, 0, false}
};

static const struct config_enum_entry log_reads[] = {
	{"none", SCIM_LOG_READS_NONE, false},
	{"failures", SCIM_LOG_READS_FAILURES, false},
	{"all", SCIM_LOG_READS_ALL, false},
	{NULL, 0, false}
};

const char *
scim_audit_profile_name(void)
{
	return profiles[scim_audit_profile].name;
}

bool
scim_audit_restoring(void)
{
	return scim_audit_restore && superuser_arg(GetOuterUserId());
}

/*
 * These strings end in the log, which is hashed and cast to jsonb: a
 * configuration file could bring in bytes that are not UTF-8.
 */
static bool
check_string(char **newval, void **extra, GucSource source)
{
	int			len = strlen(*newval);

	if (len > CLAIM_MAX)
	{
		GUC_check_errdetail("The value is longer than %d bytes.", CLAIM_MAX);
		return false;
	}
	if (!pg_verifymbstr(*newval, len, true))
	{
		GUC_check_errdetail("The value is not valid in the database's encoding.");
		return false;
	}
	return true;
}

static void
define_string(const char *name, const char *description, char **value, GucContext context, int flags)
{
	DefineCustomStringVariable(name, description, NULL, value, "", context, flags,
							   check_string, NULL, NULL);
}

static void
define_int(const char *name, const char *description, int *value, int initial, int max,
		   GucContext context, int flags)
{
	DefineCustomIntVariable(name, description, NULL, value, initial, 1, max, context, flags,
							NULL, NULL, NULL);
}

static void
define_switch(const char *name, const char *description, bool *value)
{
	DefineCustomBoolVariable(name, description, NULL, value, false, PGC_SUSET, 0,
							 NULL, NULL, NULL);
}

void
scim_audit_guc_init(void)
{
	define_string("scim_audit.tenant",
				  "Tenant the session works for, among those its role is granted.",
				  &scim_audit_tenant, PGC_USERSET, 0);
	DefineCustomEnumVariable("scim_audit.profile",
							 "What a SCIM client is forgiven.",
							 NULL, &scim_audit_profile, 0, profiles, PGC_USERSET, 0,
							 NULL, NULL, NULL);
	define_string("scim_audit.actor",
				  "Who the session says is acting; recorded as claimed.",
				  &scim_audit_actor, PGC_USERSET, 0);
	define_string("scim_audit.on_behalf_of",
				  "For whom the session says it acts; recorded as claimed.",
				  &scim_audit_on_behalf_of, PGC_USERSET, 0);
	define_string("scim_audit.reason",
				  "Why the session changes something; recorded as claimed.",
				  &scim_audit_reason, PGC_USERSET, 0);
	define_string("scim_audit.ticket",
				  "Ticket the session works on; recorded as claimed.",
				  &scim_audit_ticket, PGC_USERSET, 0);
	define_string("scim_audit.trusted_authenticators",
				  "Session roles whose request headers and token claims are believed.",
				  &scim_audit_trusted_authenticators, PGC_SUSET, GUC_LIST_INPUT);

	DefineCustomEnumVariable("scim_audit.log_reads",
							 "Which SCIM reads are written to the log.",
							 NULL, &scim_audit_log_reads, SCIM_LOG_READS_FAILURES, log_reads,
							 PGC_SUSET, 0, NULL, NULL, NULL);
	define_int("scim_audit.chains",
			   "Number of chains that committing transactions are sealed in.",
			   &scim_audit_chains, 32, SCIM_AUDIT_CHAINS_MAX, PGC_SIGHUP, 0);

	define_switch("scim_audit.allow_prepare",
				  "Allows PREPARE TRANSACTION after audit events were written.",
				  &scim_audit_allow_prepare);
	define_switch("scim_audit.allow_drop",
				  "Allows dropping the audit log, or detaching a partition of it, while it holds events.",
				  &scim_audit_allow_drop);
	define_switch("scim_audit.restore",
				  "Admits the rows of a dump into the audit log and keeps change triggers silent.",
				  &scim_audit_restore);

	define_int("scim_audit.max_body", "Longest SCIM request body.",
			   &scim_audit_max_body, 1024 * 1024, 64 * 1024 * 1024, PGC_SUSET, GUC_UNIT_BYTE);
	define_int("scim_audit.max_bulk_operations", "Most operations in one SCIM bulk request.",
			   &scim_audit_max_bulk_operations, 1000, 1000000, PGC_SUSET, 0);
	define_int("scim_audit.max_results", "Most resources in one SCIM list.",
			   &scim_audit_max_results, 1000, INT_MAX, PGC_SUSET, 0);
	define_int("scim_audit.default_page_size", "Resources in a SCIM list that asks for no count.",
			   &scim_audit_default_page_size, 100, INT_MAX, PGC_SUSET, 0);
	define_int("scim_audit.max_filter_terms", "Most comparisons in one SCIM filter.",
			   &scim_audit_max_filter_terms, 200, 100000, PGC_SUSET, 0);
	define_int("scim_audit.max_filter_depth", "Most levels of parentheses and brackets in one SCIM filter.",
			   &scim_audit_max_filter_depth, SCIM_FILTER_MAX_DEPTH, SCIM_FILTER_MAX_DEPTH, PGC_SUSET, 0);
	define_int("scim_audit.max_patch_operations", "Most operations in one SCIM PATCH.",
			   &scim_audit_max_patch_operations, 10000, 100000, PGC_SUSET, 0);
	define_int("scim_audit.cursor_timeout", "How long the cursor of a SCIM list is good.",
			   &scim_audit_cursor_timeout, 3600, INT_MAX, PGC_SUSET, GUC_UNIT_S);
	DefineCustomIntVariable("scim_audit.heartbeat",
							"After how long a silence scim_audit.maintain() writes an event; 0: never.",
							NULL, &scim_audit_heartbeat, 3600, 0, INT_MAX, PGC_SUSET, GUC_UNIT_S,
							NULL, NULL, NULL);

	MarkGUCPrefixReserved("scim_audit");
}
