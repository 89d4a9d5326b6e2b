/*
 * verify.c
 *		The walk that checks an audit log (see verify.h): what both walks
 *		need, and the first, over events.
 */
#include "core/verify_internal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

ScimVerify *
scim_verify_create(ScimSha256 sha256, const ScimVerifyCalls *calls, bool whole)
{
	ScimVerify *verify = calloc(1, sizeof(ScimVerify));

	if (verify == NULL)
		return NULL;
	verify->spells = malloc(CONFIG_SPELLS_MAX * sizeof(Spell));
	if (verify->spells == NULL)
	{
		free(verify);
		return NULL;
	}
	verify->sha256 = sha256;
	verify->calls = *calls;
	verify->whole = whole;
	scim_buf_init(&verify->entry, NULL, SCIM_ENTRY_MAX);
	return verify;
}

void
scim_verify_free(ScimVerify *verify)
{
	if (verify == NULL)
		return;
	scim_buf_free(&verify->entry);
	free(verify->tx.links.hash);
	free(verify->links.hash);
	free(verify->explained);
	free(verify->spells);
	free(verify);
}

void
scim_links_clear(Links *links)
{
	links->n = 0;
	links->unknown = false;
}

void
scim_links_add(ScimVerify *verify, Links *links, const uint8_t hash[SCIM_HASH_SIZE], bool sound)
{
	if (!sound)
	{
		links->unknown = true;
		return;
	}
	if (links->n == links->size)
	{
		size_t		size = links->size == 0 ? 4 : 2 * links->size;
		void	   *grown = realloc(links->hash, size * SCIM_HASH_SIZE);

		if (grown == NULL)
		{
			verify->failed = true;
			return;
		}
		links->hash = grown;
		links->size = size;
	}
	memcpy(links->hash[links->n++], hash, SCIM_HASH_SIZE);
}

void
scim_links_zero(ScimVerify *verify, Links *links)
{
	static const uint8_t zeros[SCIM_HASH_SIZE];

	scim_links_clear(links);
	scim_links_add(verify, links, zeros, true);
}

bool
scim_links_exclude(const Links *links, const uint8_t hash[SCIM_HASH_SIZE])
{
	if (links->unknown)
		return false;
	for (size_t i = 0; i < links->n; i++)
		if (scim_same_hash(links->hash[i], hash))
			return false;
	return true;
}

void
scim_verify_report(ScimVerify *verify, ScimFinding *finding, const char *fmt,...)
{
	va_list		args;

	va_start(args, fmt);
	vsnprintf(finding->message, sizeof finding->message, fmt, args);
	va_end(args);
	verify->calls.report(verify->calls.arg, finding);
}

/* A finding about one event of the transaction at hand, reported at its seal's place. */
static ScimFinding
of_event(const Transaction *tx, const char *rule, int64_t n)
{
	ScimFinding finding = {.rule = rule, .has_tx = true, .has_n = true, .n = (int32_t) n,
		.has_seal = tx->has_place, .chain = tx->chain, .seq = tx->seq};

	memcpy(finding.tx_id, tx->tx_id, sizeof finding.tx_id);
	return finding;
}

ScimFinding
scim_verify_of_seal(const ScimSeal *seal, const char *rule)
{
	ScimFinding finding = {.rule = rule, .has_seal = true, .has_tx = true,
		.chain = seal->chain, .seq = seal->seq};

	memcpy(finding.tx_id, seal->tx_id, sizeof finding.tx_id);
	return finding;
}

bool
scim_verify_seal_sound(ScimVerify *verify, const ScimVerifySeal *seal)
{
	uint8_t		hash[SCIM_HASH_SIZE];

	if (seal->damaged)
		return false;
	scim_buf_reset(&verify->entry);
	if (!scim_seal_render(&verify->entry, &seal->seal) ||
		!scim_seal_hash(verify->sha256, (ScimStr) {verify->entry.data, verify->entry.len}, hash))
	{
		verify->failed = true;
		return false;
	}
	return scim_same_hash(hash, seal->hash);
}

/* Does the event hash to its leaf_hash?  One that is too long to render does not. */
static bool
event_sound(ScimVerify *verify, const ScimVerifyEvent *event)
{
	uint8_t		leaf[SCIM_HASH_SIZE];
	ScimStr		bytes = event->bytes;

	if (event->damaged)
		return false;
	if (bytes.ptr == NULL)
	{
		scim_buf_reset(&verify->entry);
		if (!scim_entry_render(&verify->entry, &event->entry))
			return false;
		bytes = (ScimStr) {verify->entry.data, verify->entry.len};
	}
	if (!scim_leaf_hash(verify->sha256, bytes, leaf))
	{
		verify->failed = true;
		return false;
	}
	return scim_same_hash(leaf, event->leaf_hash);
}

/* Is the detail the one that was written, or gone as an erasure leaves it? */
static bool
detail_right(ScimVerify *verify, const ScimVerifyEvent *event)
{
	uint8_t		hash[SCIM_HASH_SIZE];

	if (event->detail.ptr == NULL)
		return event->salt.ptr == NULL;
	if (!event->entry.has_detail || event->salt.ptr == NULL || event->salt.len != SCIM_SALT_SIZE)
		return false;
	if (!scim_detail_hash(verify->sha256, (const uint8_t *) event->salt.ptr, event->detail, hash))
		verify->failed = true;
	return scim_same_hash(hash, event->entry.detail_hash);
}

ScimVerifyState
scim_verify_alone(ScimVerify *verify, const ScimVerifyEvent *event)
{
	if (!event_sound(verify, event) || !detail_right(verify, event) || verify->failed)
		return SCIM_VERIFY_ALTERED;
	return event->entry.has_detail && event->detail.ptr == NULL ? SCIM_VERIFY_ERASED : SCIM_VERIFY_SOUND;
}

const char *const scim_verify_witnesses[] = {"log.erase", SCIM_CONFIG_CHANGES, NULL};

bool
scim_verify_is_witness(const ScimVerifyEvent *event)
{
	for (int i = 0; scim_verify_witnesses[i] != NULL; i++)
	{
		if (scim_verify_is_type(event, scim_verify_witnesses[i]))
			return true;
	}
	return false;
}

void
scim_verify_begins_with(ScimVerify *verify, const ScimVerifySeal *seal)
{
	scim_verify_note_seal(verify, &seal->seal);
}

/* Transactions. */

/* The seals of a transaction: the first sound one is the seal, others in other places fork it. */
static void
take_seals(ScimVerify *verify, const ScimVerifySeal *seals, int n)
{
	Transaction *tx = &verify->tx;

	for (int i = 0; i < n && !verify->failed; i++)
	{
		if (!scim_verify_seal_sound(verify, &seals[i]))
			continue;
		scim_verify_note_seal(verify, &seals[i].seal);
		if (!tx->sealed)
		{
			tx->sealed = true;
			tx->seal = seals[i].seal;
		}
		else if (seals[i].seal.chain != tx->seal.chain || seals[i].seal.seq != tx->seal.seq)
		{
			ScimFinding finding = scim_verify_of_seal(&seals[i].seal, "seal_fork");

			scim_verify_report(verify, &finding, "This transaction is sealed already, in chain %d at %" PRId64 ".",
				   tx->seal.chain, tx->seal.seq);
		}
	}
	tx->has_place = n > 0;
	if (n > 0)
	{
		tx->chain = tx->sealed ? tx->seal.chain : seals[0].seal.chain;
		tx->seq = tx->sealed ? tx->seal.seq : seals[0].seal.seq;
	}
	if (tx->sealed && tx->seal.events < 1)
	{
		ScimFinding finding = scim_verify_of_seal(&tx->seal, "seal_mismatch");

		scim_verify_report(verify, &finding, "This seal counts no event.");
	}
}

/* Events from the one after the last seen up to `to` are gone. */
static void
report_missing(ScimVerify *verify, int64_t to)
{
	int64_t		from = verify->tx.last + 1;
	ScimFinding finding = of_event(&verify->tx, "event_missing", from);

	if (from == to)
		scim_verify_report(verify, &finding, "Event %" PRId64 " of this transaction is missing.", from);
	else
		scim_verify_report(verify, &finding, "Events %" PRId64 " to %" PRId64 " of this transaction are missing.", from, to);
}

static void
close_transaction(ScimVerify *verify)
{
	Transaction *tx = &verify->tx;

	if (!tx->open)
		return;
	tx->open = false;
	if (!tx->sealed)
	{
		ScimFinding finding = of_event(tx, "event_unsealed", tx->first_sound);

		if (!tx->has_place && tx->has_sound)
			scim_verify_report(verify, &finding, "No seal covers this transaction, which has %" PRId64 " event%s.",
				   tx->sound, tx->sound == 1 ? "" : "s");
		return;
	}
	if (tx->last + 1 < tx->seal.events)
		report_missing(verify, (int64_t) tx->seal.events - 1);
	else if (tx->seal.events > 0 && scim_links_exclude(&tx->links, tx->seal.last_leaf))
	{
		ScimFinding finding = of_event(tx, "seal_mismatch", (int64_t) tx->seal.events - 1);

		scim_verify_report(verify, &finding, "The last event of this transaction is not the one that was sealed.");
	}
	scim_verify_explain(verify, &tx->seal, &tx->changes);
}

bool
scim_verify_transaction(ScimVerify *verify, const uint8_t tx_id[16], const ScimVerifySeal *seals, int n)
{
	Transaction *tx = &verify->tx;
	Links		links;

	close_transaction(verify);
	links = tx->links;
	memset(tx, 0, sizeof *tx);
	tx->links = links;
	scim_links_zero(verify, &tx->links);
	tx->open = true;
	tx->last = -1;
	memcpy(tx->tx_id, tx_id, sizeof tx->tx_id);
	take_seals(verify, seals, n);
	return !verify->failed;
}

/* Events. */

static void
report_event(ScimVerify *verify, const ScimVerifyEvent *event, const char *rule, const char *message)
{
	ScimFinding finding = of_event(&verify->tx, rule, event->entry.n);

	finding.of_event = true;
	finding.tenant = event->entry.tenant;
	scim_verify_report(verify, &finding, "%s", message);
}

/* A sound event: its detail, and what that says of other rows. */
static void
check_detail(ScimVerify *verify, const ScimVerifyEvent *event)
{
	Transaction *tx = &verify->tx;
	bool		right = detail_right(verify, event);

	if (verify->failed)
		return;
	if (!right)
		report_event(verify, event, "detail_mismatch", "The detail of this event is not the one that was written.");
	else if (event->entry.has_detail && event->detail.ptr == NULL)
	{
		ScimFinding finding = of_event(tx, "erased_unrecorded", event->entry.n);

		finding.of_event = true;
		finding.tenant = event->entry.tenant;
		snprintf(finding.message, sizeof finding.message, "The detail of this event is gone, and no erasure says so.");
		verify->calls.gone(verify->calls.arg, &finding);
	}
	else
	{
		scim_verify_note_erasure(verify, event);
		scim_verify_note_change(&tx->changes, event);
	}
}

/* The event in its place: n runs from 0 without gap, and each points to the one before. */
static void
check_place(ScimVerify *verify, const ScimVerifyEvent *event, bool sound)
{
	Transaction *tx = &verify->tx;
	int64_t		n = event->entry.n;

	if (n == tx->last)
	{
		if (sound && tx->links.n > 0)
			report_event(verify, event, "event_extra", "This event is there twice, and was written once.");
		scim_links_add(verify, &tx->links, event->leaf_hash, sound);
		return;
	}
	if (n > tx->last + 1)
	{
		/* Where neither a seal nor a sound event says that there were more, there were none. */
		if (tx->sealed || sound)
			report_missing(verify, n - 1);
	}
	else if (sound && scim_links_exclude(&tx->links, event->entry.prev_hash))
		report_event(verify, event, "prev_mismatch", "The event before this one is not the one it was linked to.");
	tx->last = n;
	scim_links_clear(&tx->links);
	scim_links_add(verify, &tx->links, event->leaf_hash, sound);
}

bool
scim_verify_event(ScimVerify *verify, const ScimVerifyEvent *event)
{
	Transaction *tx = &verify->tx;
	bool		sound;

	if (event->entry.n < 0 || (tx->sealed && event->entry.n >= tx->seal.events))
	{
		report_event(verify, event, "event_extra", "This event is not one of those that were sealed.");
		return !verify->failed;
	}
	sound = event_sound(verify, event);
	if (verify->failed)
		return false;
	if (!sound)
		report_event(verify, event, "entry_mismatch",
					 "This event is not the one that was written: its entry does not hash to its leaf_hash.");
	else
	{
		check_detail(verify, event);
		if (!tx->has_sound)
			tx->first_sound = event->entry.n;
		tx->has_sound = true;
		tx->sound++;
	}
	if (!verify->failed)
		check_place(verify, event, sound);
	return !verify->failed;
}

bool
scim_verify_events_end(ScimVerify *verify)
{
	close_transaction(verify);
	return !verify->failed;
}

bool
scim_verify_erasure(ScimVerify *verify, const ScimVerifyEvent *event)
{
	if (event_sound(verify, event) && detail_right(verify, event) && !verify->failed)
		scim_verify_note_erasure(verify, event);
	return !verify->failed;
}
