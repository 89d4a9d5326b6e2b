/*
 * verify_seals.c
 *		The second walk of verify.h: seals, their chains, and the
 *		configurations they were made under.
 */
#include "core/verify_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Second walk: configurations. */

static int
compare_explained(const void *a, const void *b)
{
	int64_t		x = ((const Explained *) a)->at;
	int64_t		y = ((const Explained *) b)->at;

	return (x > y) - (x < y);
}

/* How many explanations were made at or before this time. */
static size_t
explained_before(const ScimVerify *verify, int64_t at)
{
	size_t		low = 0;
	size_t		high = verify->n_explained;

	while (low < high)
	{
		size_t		middle = (low + high) / 2;

		if (verify->explained[middle].at <= at)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Note a seal whose configuration is not the explained one of its time. */
static void
note_spell(ScimVerify *verify, const ScimSeal *seal, size_t after)
{
	Spell	   *spell = NULL;

	for (size_t i = verify->n_spells; i > 0 && spell == NULL; i--)
		if (verify->spells[i - 1].after == after &&
			scim_same_hash(verify->spells[i - 1].config_hash, seal->config_hash))
			spell = &verify->spells[i - 1];
	if (spell == NULL && verify->n_spells == CONFIG_SPELLS_MAX)
		spell = &verify->spells[CONFIG_SPELLS_MAX - 1];
	if (spell == NULL)
	{
		spell = &verify->spells[verify->n_spells++];
		spell->after = after;
		memcpy(spell->config_hash, seal->config_hash, SCIM_HASH_SIZE);
		spell->first = *seal;
		spell->seals = 0;
	}
	else if (seal->at < spell->first.at)
		spell->first = *seal;
	spell->seals++;
}

static void
check_config(ScimVerify *verify, const ScimSeal *seal)
{
	size_t		now = explained_before(verify, seal->at);
	size_t		from = explained_before(verify, seal->at - CONFIG_GRACE);
	size_t		to = explained_before(verify, seal->at + CONFIG_GRACE);

	if (!verify->has_earliest || seal->at < verify->earliest.at)
	{
		verify->has_earliest = true;
		verify->earliest = *seal;
	}
	for (size_t i = from > 0 ? from - 1 : 0; i < to; i++)
		if (scim_same_hash(verify->explained[i].config_hash, seal->config_hash))
			return;
	/* Whether the first configuration explains it is known at the end. */
	note_spell(verify, seal, from == 0 ? 0 : now);
}

/* Second walk: seals. */

static void
report_gap(ScimVerify *verify, int32_t chain, int64_t from, int64_t to)
{
	ScimFinding finding = {.rule = "seal_gap", .has_seal = true, .chain = chain, .seq = from};

	if (from == to)
		scim_verify_report(verify, &finding, "Seal %" PRId64 " of this chain is missing.", from);
	else
		scim_verify_report(verify, &finding, "Seals %" PRId64 " to %" PRId64 " of this chain are missing.", from, to);
}

/* Check an intact seal against the one before it in its chain. */
static void
check_link(ScimVerify *verify, const ScimVerifySeal *seal)
{
	const ScimVerifySeal *previous = &verify->previous;

	if (seal->seal.seq == previous->seal.seq + 1 &&
		!scim_same_hash(seal->seal.prev_hash, previous->hash) &&
		!scim_same_hash(seal->seal.prev_hash, verify->previous_hash))
	{
		ScimFinding finding = scim_verify_of_seal(&seal->seal, "seal_mismatch");

		scim_verify_report(verify, &finding, "The seal before this one is not the one it was linked to.");
	}
	if (verify->previous_intact && seal->seal.at < previous->seal.at)
	{
		ScimFinding finding = scim_verify_of_seal(&seal->seal, "seal_time");

		scim_verify_report(verify, &finding, "The time of this seal is before that of the seal before it.");
	}
}

/* Check the place of a seal in its chain. */
static void
check_place(ScimVerify *verify, const ScimVerifySeal *seal, bool intact)
{
	bool		chained = verify->has_previous && verify->previous.seal.chain == seal->seal.chain;
	int64_t		expected = chained ? verify->previous.seal.seq + 1 : 1;

	if (chained && seal->seal.seq < expected)
	{
		ScimFinding finding = scim_verify_of_seal(&seal->seal, "seal_fork");

		scim_verify_report(verify, &finding, "This place in the chain is taken by another seal.");
		return;
	}
	if (seal->seal.seq > expected)
		report_gap(verify, seal->seal.chain, expected, seal->seal.seq - 1);
	if (!intact)
		return;
	if (chained)
		check_link(verify, seal);
	else if (seal->seal.seq < 1 || (seal->seal.seq == 1 && !scim_zero_hash(seal->seal.prev_hash)))
	{
		ScimFinding finding = scim_verify_of_seal(&seal->seal, "seal_mismatch");

		scim_verify_report(verify, &finding, "This seal is not the first of its chain.");
	}
}

bool
scim_verify_seal(ScimVerify *verify, const ScimVerifySeal *seal, bool anchor)
{
	uint8_t		hash[SCIM_HASH_SIZE];
	bool		intact;

	if (!verify->has_previous && verify->n_explained > 1)
		qsort(verify->explained, verify->n_explained, sizeof(Explained), compare_explained);
	scim_verify_seal_hash(verify, seal, hash);
	if (verify->failed)
		return false;
	intact = scim_same_hash(hash, seal->hash);
	if (!anchor)
	{
		check_place(verify, seal, intact);
		if (intact)
			check_config(verify, &seal->seal);
		else
		{
			ScimFinding finding = scim_verify_of_seal(&seal->seal, "seal_mismatch");

			scim_verify_report(verify, &finding, "This seal is not the one that was written: its entry does not hash to its hash.");
		}
	}
	verify->has_previous = true;
	verify->previous = *seal;
	verify->previous_intact = intact;
	memcpy(verify->previous_hash, hash, SCIM_HASH_SIZE);
	return true;
}

void
scim_verify_seals_end(ScimVerify *verify)
{
	for (size_t i = 0; i < verify->n_spells; i++)
	{
		const Spell *spell = &verify->spells[i];
		ScimFinding finding = scim_verify_of_seal(&spell->first, "config_changed");

		if (spell->after == 0 && scim_same_hash(spell->config_hash, verify->earliest.config_hash))
			continue;
		scim_verify_report(verify, &finding,
			   "What is audited was changed before this seal, and no event says so; %" PRId64
			   " seal%s made under that configuration.", spell->seals, spell->seals == 1 ? " was" : "s were");
	}
}

