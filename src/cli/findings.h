/*
 * findings.h
 *		What scim-audit verify has found, as lines of text or of JSON.
 */
#ifndef SCIM_CLI_FINDINGS_H
#define SCIM_CLI_FINDINGS_H

#include "core/verify.h"

typedef struct CliFindings
{
	bool		json;			/* an object a line */
	uint64_t	n;
	const char *file;			/* of an export: where the finding is; NULL: in a database */

	/* events whose detail is gone, and event_ids that erasures name */
	struct CliGone
	{
		uint8_t		tx_id[16];
		int32_t		n;
		bool		has_seal;
		int32_t		chain;
		int64_t		seq;
	}		   *gone;
	size_t		n_gone;
	struct CliErased
	{
		uint8_t		tx_id[16];
		int32_t		n;
	}		   *erased;
	size_t		n_erased;
} CliFindings;

extern void cli_findings_report(CliFindings *findings, const ScimFinding *finding);

/* A finding that is about no seal and no event. */
extern void cli_findings_add(CliFindings *findings, const char *file, const char *rule, const char *fmt,...)
			__attribute__((format(printf, 4, 5)));

/* What a walk tells (ScimVerifyCalls), arg being the CliFindings. */
extern void cli_findings_gone(void *arg, const ScimFinding *finding);
extern void cli_findings_erased(void *arg, ScimStr event_id);

/* Behind the walk: details that are gone, and that no erasure names. */
extern void cli_findings_end(CliFindings *findings);

#endif							/* SCIM_CLI_FINDINGS_H */
