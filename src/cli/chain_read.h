/*
 * chain_read.h
 *		The seals of an exported chain, in their order.
 */
#ifndef SCIM_CLI_CHAIN_READ_H
#define SCIM_CLI_CHAIN_READ_H

#include "cli/findings.h"
#include "cli/layout.h"

typedef struct CliSealRow
{
	ScimVerifySeal seal;
	bool		sound;			/* it hashes to its hash */
	bool		unreadable;		/* only chain and seq are known */
} CliSealRow;

typedef struct CliChain
{
	const char *dir;
	CliFindings *findings;		/* what is damaged is told; NULL: it is not */
	int32_t		chain;
	int64_t		last_seq;
	int64_t		segment;		/* the one that is loaded */
	bool		loaded;
	CliSealRow *rows;
	int			n;
	int			size;
	int			next;
} CliChain;

extern void cli_chain_open(CliChain *chain, const char *dir, const struct CliHead *head, CliFindings *findings);
extern void cli_chain_close(CliChain *chain);

/* The next seal, NULL at the end; it stays the next one until it is taken. */
extern CliSealRow *cli_chain_peek(CliChain *chain);
extern void cli_chain_take(CliChain *chain);

/* How many come before the one of that transaction in what is loaded; -1: it is not there. */
extern int	cli_chain_look(const CliChain *chain, const uint8_t tx_id[16]);

#endif							/* SCIM_CLI_CHAIN_READ_H */
