/*
 * verify_config.c
 *		Which configuration seals may show (see verify.h; docs/audit-log.md,
 *		section 5).
 *
 * An event of one of four types says from which configuration to which it
 * changed what is audited.  A transaction explains its seal's configuration
 * when its events of these types, one after the other, lead to it.  Such a
 * change must begin at the configuration in force, or something else was
 * changed before it; only after a restore anything may come.
 *
 * Sessions commit side by side, so that for some seconds after an explanation
 * the old configuration is good, too.  This lets a change that is explained
 * come some seconds late, and no other.
 */
#include "core/verify_internal.h"

#include <inttypes.h>
#include <stdlib.h>

/* How long commits that were under way may go on sealing under a configuration just replaced. */
#define GRACE ((int64_t) 10 * 1000000)

/* First walk. */

static bool
is_config_change(const ScimVerifyEvent *event)
{
	static const char *const types[] = {SCIM_CONFIG_CHANGES};

	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
	{
		if (scim_verify_is_type(event, types[i]))
			return true;
	}
	return false;
}

void
scim_verify_note_change(Changes *changes, const ScimVerifyEvent *event)
{
	bool		restore = scim_verify_is_type(event, "log.restore");
	uint8_t		before[SCIM_HASH_SIZE];
	uint8_t		after[SCIM_HASH_SIZE];

	if (!is_config_change(event))
		return;
	if (!scim_verify_hash_member(event->detail, "config_before", before) ||
		!scim_verify_hash_member(event->detail, "config_after", after))
		return;
	if (restore)
	{
		changes->anew = true;
		changes->broken = false;
	}
	else if (!changes->any)
		memcpy(changes->before, before, SCIM_HASH_SIZE);
	else if (!scim_same_hash(before, changes->after))
		changes->broken = true;
	changes->any = true;
	memcpy(changes->after, after, SCIM_HASH_SIZE);
}

/* The order of explanations, and what makes a seal the earliest. */
static int
compare_seals(const ScimSeal *a, const ScimSeal *b)
{
	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	if (a->chain != b->chain)
		return a->chain < b->chain ? -1 : 1;
	return (a->seq > b->seq) - (a->seq < b->seq);
}

/*
 * Of the whole log the earliest seal begins its chain; one that does not and
 * has an earlier time counts only when there is no such.
 */
static bool
is_earlier(const ScimVerify *verify, const ScimSeal *seal)
{
	bool		first = verify->whole && seal->seq == 1;
	bool		known_first = verify->whole && verify->earliest.seq == 1;

	return first != known_first ? first : compare_seals(seal, &verify->earliest) < 0;
}

void
scim_verify_note_seal(ScimVerify *verify, const ScimSeal *seal)
{
	if (verify->has_base && !is_earlier(verify, seal))
		return;
	verify->has_base = true;
	verify->earliest = *seal;
}

void
scim_verify_explain(ScimVerify *verify, const ScimSeal *seal, const Changes *changes)
{
	Explained  *explained;

	if (!changes->any || changes->broken || !scim_same_hash(changes->after, seal->config_hash))
		return;
	if (verify->n_explained == verify->explained_size)
	{
		size_t		size = verify->explained_size == 0 ? 16 : 2 * verify->explained_size;
		Explained  *grown = realloc(verify->explained, size * sizeof(Explained));

		if (grown == NULL)
		{
			verify->failed = true;
			return;
		}
		verify->explained = grown;
		verify->explained_size = size;
	}
	explained = &verify->explained[verify->n_explained++];
	explained->seal = *seal;
	explained->anew = changes->anew;
	memcpy(explained->before, changes->before, SCIM_HASH_SIZE);
}

/* Second walk. */

static int
compare_explained(const void *a, const void *b)
{
	return compare_seals(&((const Explained *) a)->seal, &((const Explained *) b)->seal);
}

/* How many explanations were sealed at or before this time. */
static size_t
explained_before(const ScimVerify *verify, int64_t at)
{
	size_t		low = 0;
	size_t		high = verify->n_explained;

	while (low < high)
	{
		size_t		middle = (low + high) / 2;

		if (verify->explained[middle].seal.at <= at)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Is the configuration good at this time, by the first `to` explanations, none of which is later? */
static bool
is_good(const ScimVerify *verify, const uint8_t config_hash[SCIM_HASH_SIZE], int64_t at, size_t to)
{
	size_t		from = explained_before(verify, at - GRACE);

	if (from == 0 && scim_same_hash(config_hash, verify->base))
		return true;
	for (size_t i = from > 0 ? from - 1 : 0; i < to; i++)
		if (scim_same_hash(verify->explained[i].seal.config_hash, config_hash))
			return true;
	return false;
}

/* Note a seal of a configuration that is not good, after so many explanations. */
static Spell *
note_spell(ScimVerify *verify, const ScimSeal *seal, const uint8_t config_hash[SCIM_HASH_SIZE], size_t after)
{
	Spell	   *spell = NULL;

	for (size_t i = verify->n_spells; i > 0 && spell == NULL; i--)
		if (verify->spells[i - 1].after == after &&
			scim_same_hash(verify->spells[i - 1].config_hash, config_hash))
			spell = &verify->spells[i - 1];
	if (spell == NULL && verify->n_spells == CONFIG_SPELLS_MAX)
		spell = &verify->spells[CONFIG_SPELLS_MAX - 1];
	if (spell == NULL)
	{
		spell = &verify->spells[verify->n_spells++];
		spell->after = after;
		memcpy(spell->config_hash, config_hash, SCIM_HASH_SIZE);
		spell->first = *seal;
		spell->seals = 0;
	}
	else if (compare_seals(seal, &spell->first) < 0)
		spell->first = *seal;
	return spell;
}

void
scim_verify_config_begin(ScimVerify *verify)
{
	if (verify->n_explained > 1)
		qsort(verify->explained, verify->n_explained, sizeof(Explained), compare_explained);
	memcpy(verify->base, verify->earliest.config_hash, SCIM_HASH_SIZE);
	if (verify->n_explained > 0 && !verify->explained[0].anew &&
		compare_seals(&verify->explained[0].seal, &verify->earliest) == 0)
		memcpy(verify->base, verify->explained[0].before, SCIM_HASH_SIZE);
	for (size_t i = 0; i < verify->n_explained; i++)
	{
		const Explained *explained = &verify->explained[i];

		if (!explained->anew && !is_good(verify, explained->before, explained->seal.at, i))
			note_spell(verify, &explained->seal, explained->before, i);
	}
}

void
scim_verify_config(ScimVerify *verify, const ScimSeal *seal)
{
	size_t		after = explained_before(verify, seal->at);

	if (!is_good(verify, seal->config_hash, seal->at, after))
		note_spell(verify, seal, seal->config_hash, after)->seals++;
}

void
scim_verify_config_end(ScimVerify *verify)
{
	for (size_t i = 0; i < verify->n_spells; i++)
	{
		const Spell *spell = &verify->spells[i];
		ScimFinding finding = scim_verify_of_seal(&spell->first, "config_changed");

		scim_verify_report(verify, &finding,
			   "What is audited was changed before this seal, and no event says so; %" PRId64
			   " seal%s made under that configuration.", spell->seals, spell->seals == 1 ? " was" : "s were");
	}
}
