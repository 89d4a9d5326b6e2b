/*
 * verify_twice.c
 *		Transactions that are sealed in two places (see verify_twice.h).
 *
 * A table of identifiers, of which four million have room; with more, each
 * goes to one of as many parts as it takes.
 */
#include "cli/verify_twice.h"

#include <stdlib.h>

#include "cli/cli.h"

#define PART ((uint64_t) 1 << 22)

struct CliTwice
{
	CliFindings *findings;
	uint8_t	  (*slot)[16];		/* zeros: free */
	uint64_t	slots;			/* a power of two, above those that are held */
	uint64_t	held;
	uint64_t	part;			/* which comes now, from 0 */
	uint64_t	parts;
};


CliTwice *
cli_twice_begin(CliFindings *findings, uint64_t seals)
{
	CliTwice   *twice = cli_alloc(sizeof(CliTwice));

	twice->findings = findings;
	/* Parts are not quite equal. */
	twice->parts = seals <= PART ? 1 : seals / (PART / 2) + 1;
	twice->slots = 1024;
	while (twice->slots < 2 * (seals < PART ? seals : PART))
		twice->slots *= 2;
	twice->slot = cli_alloc((size_t) twice->slots * sizeof *twice->slot);
	return twice;
}

bool
cli_twice_is_first(const CliTwice *twice)
{
	return twice->part == 0;
}

static void
report(CliTwice *twice, const ScimSeal *seal)
{
	ScimFinding finding = {.rule = "seal_fork", .has_seal = true, .chain = seal->chain, .seq = seal->seq, .has_tx = true,
		.message = "This transaction is sealed already, in another place."};

	memcpy(finding.tx_id, seal->tx_id, 16);
	cli_findings_report(twice->findings, &finding);
}

void
cli_twice_add(CliTwice *twice, const ScimSeal *seal)
{
	static const uint8_t none[16];
	uint64_t	random;
	uint64_t	slot;

	/* The end of a version 7 UUID is random. */
	memcpy(&random, seal->tx_id + 8, sizeof random);
	random *= UINT64_C(0x9E3779B97F4A7C15);
	if ((random >> 32) % twice->parts != twice->part || twice->held >= twice->slots - 1)
		return;
	for (slot = random & (twice->slots - 1); memcmp(twice->slot[slot], none, 16) != 0; slot = (slot + 1) & (twice->slots - 1))
		if (memcmp(twice->slot[slot], seal->tx_id, 16) == 0)
		{
			report(twice, seal);
			return;
		}
	memcpy(twice->slot[slot], seal->tx_id, 16);
	twice->held++;
}

bool
cli_twice_again(CliTwice *twice)
{
	if (++twice->part < twice->parts)
	{
		memset(twice->slot, 0, (size_t) twice->slots * sizeof *twice->slot);
		twice->held = 0;
		return true;
	}
	free(twice->slot);
	free(twice);
	return false;
}
