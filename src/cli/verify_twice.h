/*
 * verify_twice.h
 *		Transactions that are sealed in two places, found in bounded memory: the
 *		seals are gone through as often as it takes, each time for a part of
 *		them.
 */
#ifndef SCIM_CLI_VERIFY_TWICE_H
#define SCIM_CLI_VERIFY_TWICE_H

#include "cli/findings.h"

typedef struct CliTwice CliTwice;

/* seals: how many there are, at most */
extern CliTwice *cli_twice_begin(CliFindings *findings, uint64_t seals);

/* Is it the first time that the seals are gone through? */
extern bool cli_twice_is_first(const CliTwice *twice);

/* A sound seal, by chain and seq. */
extern void cli_twice_add(CliTwice *twice, const ScimSeal *seal);

/* All were gone through: true when they must be once more, else it is over. */
extern bool cli_twice_again(CliTwice *twice);

#endif							/* SCIM_CLI_VERIFY_TWICE_H */
