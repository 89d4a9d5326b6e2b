/*
 * verify_seals.c
 *		The second walk of verify.h: seals in their chains.
 */
#include "core/verify_internal.h"

#include <inttypes.h>

static void
report_seal(ScimVerify *verify, const ScimSeal *seal, const char *rule, const char *message)
{
	ScimFinding finding = scim_verify_of_seal(seal, rule);

	scim_verify_report(verify, &finding, "%s", message);
}

static void
report_gap(ScimVerify *verify, int32_t chain, int64_t from, int64_t to)
{
	ScimFinding finding = {.rule = "seal_gap", .has_seal = true, .chain = chain, .seq = from};

	if (from == to)
		scim_verify_report(verify, &finding, "Seal %" PRId64 " of this chain is missing.", from);
	else
		scim_verify_report(verify, &finding, "Seals %" PRId64 " to %" PRId64 " of this chain are missing.", from, to);
}

/* The first row of its place: what it follows. */
static void
check_follows(ScimVerify *verify, const ScimVerifySeal *seal, bool sound)
{
	if (sound)
	{
		verify->has_time = true;
		verify->time = seal->seal.at;
	}
	if (seal->seal.seq > verify->last_seq + 1)
		report_gap(verify, seal->seal.chain, verify->last_seq + 1, seal->seal.seq - 1);
	else if (sound && scim_links_exclude(&verify->links, seal->seal.prev_hash))
		report_seal(verify, &seal->seal, "seal_mismatch", "The seal before this one is not the one it was linked to.");
}

/* The seal in its place: seq runs from 1 without gap, each points to the one before. */
static void
check_place(ScimVerify *verify, const ScimVerifySeal *seal, bool sound)
{
	if (seal->seal.seq > verify->last_seq)
	{
		check_follows(verify, seal, sound);
		verify->last_seq = seal->seal.seq;
		scim_links_clear(&verify->links);
	}
	else if (sound && seal->seal.seq < 1)
		report_seal(verify, &seal->seal, "seal_mismatch", "A chain begins with seal 1.");
	else if (sound && verify->links.n > 0)
		report_seal(verify, &seal->seal, "seal_fork", "This place in the chain is taken by another seal.");
	if (seal->seal.seq == verify->last_seq && verify->last_seq > 0)
		scim_links_add(verify, &verify->links, seal->hash, sound);
}

static void
begin_chain(ScimVerify *verify, int32_t chain)
{
	verify->in_chain = true;
	verify->chain = chain;
	verify->last_seq = 0;
	verify->has_time = false;
	scim_links_zero(verify, &verify->links);
}

/* What is linked to this seal is all that it is there for. */
static void
take_anchor(ScimVerify *verify, const ScimVerifySeal *seal, bool sound)
{
	verify->last_seq = seal->seal.seq;
	verify->has_time = sound;
	verify->time = seal->seal.at;
	scim_links_clear(&verify->links);
	scim_links_add(verify, &verify->links, seal->hash, sound);
}

bool
scim_verify_seal(ScimVerify *verify, const ScimVerifySeal *seal, bool anchor)
{
	bool		sound = scim_verify_seal_sound(verify, seal);

	if (verify->failed)
		return false;
	if (!verify->in_seals)
		scim_verify_config_begin(verify);
	verify->in_seals = true;
	if (!verify->in_chain || verify->chain != seal->seal.chain)
		begin_chain(verify, seal->seal.chain);
	if (anchor)
	{
		take_anchor(verify, seal, sound);
		return !verify->failed;
	}
	if (!sound)
		report_seal(verify, &seal->seal, "seal_mismatch",
					"This seal is not the one that was written: its entry does not hash to its hash.");
	else if (seal->seal.seq > verify->last_seq && verify->has_time && seal->seal.at < verify->time)
		report_seal(verify, &seal->seal, "seal_time", "The time of this seal is before that of the seal before it.");
	else
		scim_verify_config(verify, &seal->seal);
	check_place(verify, seal, sound);
	return !verify->failed;
}

bool
scim_verify_seals_end(ScimVerify *verify)
{
	scim_verify_config_end(verify);
	return !verify->failed;
}
