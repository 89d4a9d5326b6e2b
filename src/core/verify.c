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
scim_verify_create(ScimSha256 sha256, void (*report) (void *arg, const ScimFinding *finding), void *arg)
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
	verify->report = report;
	verify->arg = arg;
	scim_buf_init(&verify->entry, NULL, SCIM_ENTRY_MAX);
	return verify;
}

void
scim_verify_free(ScimVerify *verify)
{
	if (verify == NULL)
		return;
	scim_buf_free(&verify->entry);
	free(verify->explained);
	free(verify->spells);
	free(verify);
}

bool
scim_verify_saw_erased(const ScimVerify *verify)
{
	return verify->saw_erased;
}

void
scim_verify_report(ScimVerify *verify, ScimFinding *finding, const char *fmt,...)
{
	va_list		args;

	va_start(args, fmt);
	vsnprintf(finding->message, sizeof finding->message, fmt, args);
	va_end(args);
	verify->report(verify->arg, finding);
}

/* A finding about the transaction at hand. */
static ScimFinding
of_transaction(const Transaction *tx, const char *rule)
{
	ScimFinding finding = {.rule = rule, .has_tx = true, .has_seal = tx->has_seal};

	memcpy(finding.tx_id, tx->tx_id, sizeof finding.tx_id);
	if (tx->has_seal)
	{
		finding.chain = tx->seal.seal.chain;
		finding.seq = tx->seal.seal.seq;
	}
	return finding;
}

/* A finding about one event of it. */
static ScimFinding
of_event(const Transaction *tx, const char *rule, int32_t n)
{
	ScimFinding finding = of_transaction(tx, rule);

	finding.has_n = true;
	finding.n = n;
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

void
scim_verify_seal_hash(ScimVerify *verify, const ScimVerifySeal *seal, uint8_t out[SCIM_HASH_SIZE])
{
	scim_buf_reset(&verify->entry);
	if (!scim_seal_render(&verify->entry, &seal->seal) ||
		!scim_seal_hash(verify->sha256, (ScimStr) {verify->entry.data, verify->entry.len}, out))
		verify->failed = true;
}

/* The leaf an event should have; zeros when it is too long to render. */
static void
true_leaf_hash(ScimVerify *verify, const ScimEntry *entry, uint8_t out[SCIM_HASH_SIZE])
{
	memset(out, 0, SCIM_HASH_SIZE);
	scim_buf_reset(&verify->entry);
	if (scim_entry_render(&verify->entry, entry) &&
		!scim_leaf_hash(verify->sha256, (ScimStr) {verify->entry.data, verify->entry.len}, out))
		verify->failed = true;
}

/* Does the seal of the transaction at hand hash to its hash? */
static bool
seal_intact(ScimVerify *verify)
{
	Transaction *tx = &verify->tx;

	if (!tx->seal_hashed)
		scim_verify_seal_hash(verify, &tx->seal, tx->true_seal);
	tx->seal_hashed = true;
	return scim_same_hash(tx->true_seal, tx->seal.hash);
}

/* Does this event say that the audit configuration changed? */
static bool
explains_config(const ScimEntry *entry)
{
	static const char *const types[] = {"table.track", "table.untrack", "log.restore", "log.upgrade"};

	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
		if (entry->event_type.ptr != NULL && entry->event_type.len == strlen(types[i]) &&
			memcmp(entry->event_type.ptr, types[i], entry->event_type.len) == 0)
			return true;
	return false;
}

static void
add_explained(ScimVerify *verify, const ScimSeal *seal)
{
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
	verify->explained[verify->n_explained].at = seal->at;
	memcpy(verify->explained[verify->n_explained].config_hash, seal->config_hash, SCIM_HASH_SIZE);
	verify->n_explained++;
}

/* First walk: transactions. */

static void
open_transaction(ScimVerify *verify, const uint8_t tx_id[16], const ScimVerifySeal *seal)
{
	Transaction *tx = &verify->tx;

	memset(tx, 0, sizeof *tx);
	tx->open = true;
	memcpy(tx->tx_id, tx_id, sizeof tx->tx_id);
	if (seal != NULL)
	{
		tx->has_seal = true;
		tx->seal = *seal;
	}
}

static void
report_missing(ScimVerify *verify, int32_t from, int32_t to)
{
	ScimFinding finding = of_event(&verify->tx, "event_missing", from);

	if (from == to)
		scim_verify_report(verify, &finding, "Event %d of this transaction is missing.", from);
	else
		scim_verify_report(verify, &finding, "Events %d to %d of this transaction are missing.", from, to);
}

static void
close_transaction(ScimVerify *verify)
{
	Transaction *tx = &verify->tx;
	int32_t		sealed = tx->seal.seal.events;

	if (!tx->open)
		return;
	tx->open = false;
	if (!tx->has_seal)
	{
		ScimFinding finding = of_event(tx, "event_unsealed", tx->first);

		scim_verify_report(verify, &finding, "No seal covers this transaction, which has %d event%s.",
			   tx->events, tx->events == 1 ? "" : "s");
	}
	else if (tx->next < sealed && seal_intact(verify))
		report_missing(verify, tx->next, sealed - 1);
	else if (tx->last_wrong && seal_intact(verify))
	{
		ScimFinding finding = of_event(tx, "seal_mismatch", sealed - 1);

		scim_verify_report(verify, &finding, "The last event of this transaction is not the one that was sealed.");
	}
	if (tx->explains)
		add_explained(verify, &tx->seal.seal);
}

/* Is the detail the one that was written, or gone as an erasure leaves it? */
static bool
detail_is_right(ScimVerify *verify, const ScimVerifyEvent *event)
{
	uint8_t		hash[SCIM_HASH_SIZE];

	if (event->detail.ptr == NULL && event->salt == NULL)
	{
		verify->saw_erased |= event->entry.has_detail;
		return true;
	}
	if (!event->entry.has_detail || event->detail.ptr == NULL || event->salt == NULL)
		return false;
	if (!scim_detail_hash(verify->sha256, event->salt, event->detail, hash))
		verify->failed = true;
	return scim_same_hash(hash, event->entry.detail_hash);
}

/* Does prev_hash name the event before, unless that is gone or altered? */
static bool
is_linked(const Transaction *tx, const ScimEntry *entry)
{
	if (entry->n == 0)
		return scim_zero_hash(entry->prev_hash);
	return !tx->linked || scim_same_hash(entry->prev_hash, tx->leaf);
}

/* Is n none of those that the seal counts? */
static bool
is_extra(ScimVerify *verify, int32_t n)
{
	return n < 0 || (n >= verify->tx.seal.seal.events && seal_intact(verify));
}

/* The one thing that is wrong with an event, or NULL; *message says it. */
static const char *
find_fault(ScimVerify *verify, const ScimVerifyEvent *event, const uint8_t leaf[SCIM_HASH_SIZE],
		   const char **message)
{
	bool		detail_right = detail_is_right(verify, event);

	*message = NULL;
	if (is_extra(verify, event->entry.n))
	{
		*message = "This event is not one of those that were sealed.";
		return "event_extra";
	}
	if (!scim_same_hash(leaf, event->leaf_hash))
	{
		*message = "This event is not the one that was written: its entry does not hash to its leaf_hash.";
		return "entry_mismatch";
	}
	if (!detail_right)
	{
		*message = "The detail of this event is not the one that was written.";
		return "detail_mismatch";
	}
	if (!is_linked(&verify->tx, &event->entry))
	{
		*message = "The event before this one is not the one it was linked to.";
		return "prev_mismatch";
	}
	return NULL;
}

/* Events between the last one seen and n are gone; those past the seal's count never were. */
static void
check_gap(ScimVerify *verify, int32_t n)
{
	Transaction *tx = &verify->tx;
	int32_t		to = n - 1;

	if (n <= tx->next)
		return;
	tx->linked = false;
	if (is_extra(verify, n))
		to = tx->seal.seal.events - 1;
	if (to >= tx->next)
		report_missing(verify, tx->next, to);
}

static void
check_event(ScimVerify *verify, const ScimVerifyEvent *event)
{
	Transaction *tx = &verify->tx;
	int32_t		n = event->entry.n;
	uint8_t		leaf[SCIM_HASH_SIZE];
	const char *rule;
	const char *message;

	check_gap(verify, n);
	true_leaf_hash(verify, &event->entry, leaf);
	rule = find_fault(verify, event, leaf, &message);
	if (verify->failed)
		return;
	if (rule != NULL)
	{
		ScimFinding finding = of_event(tx, rule, n);

		finding.of_event = true;
		finding.tenant = event->entry.tenant;
		scim_verify_report(verify, &finding, "%s", message);
	}
	tx->explains |= explains_config(&event->entry);
	tx->linked = scim_same_hash(leaf, event->leaf_hash);
	memcpy(tx->leaf, leaf, SCIM_HASH_SIZE);
	if (n == tx->seal.seal.events - 1)
		tx->last_wrong = rule == NULL && !scim_same_hash(leaf, tx->seal.seal.last_leaf);
	if (n >= 0)
		tx->next = n + 1;
}

bool
scim_verify_event(ScimVerify *verify, const ScimVerifyEvent *event, const ScimVerifySeal *seal)
{
	Transaction *tx = &verify->tx;
	const uint8_t *tx_id = event != NULL ? event->entry.tx_id : seal->seal.tx_id;

	if (!tx->open || memcmp(tx->tx_id, tx_id, sizeof tx->tx_id) != 0)
	{
		close_transaction(verify);
		open_transaction(verify, tx_id, seal);
	}
	else if (seal != NULL && (seal->seal.chain != tx->seal.seal.chain || seal->seal.seq != tx->seal.seal.seq))
	{
		/* The first event that comes again, or the seal alone, tells it once. */
		if (event == NULL || event->entry.n == tx->first)
		{
			ScimFinding finding = scim_verify_of_seal(&seal->seal, "seal_fork");

			scim_verify_report(verify, &finding, "This transaction is sealed already, in chain %d at %" PRId64 ".",
				   tx->seal.seal.chain, tx->seal.seal.seq);
		}
		return !verify->failed;
	}
	if (event == NULL)
		return !verify->failed;
	if (tx->events++ == 0)
		tx->first = event->entry.n;
	if (tx->has_seal)
		check_event(verify, event);
	return !verify->failed;
}

bool
scim_verify_events_end(ScimVerify *verify)
{
	close_transaction(verify);
	return !verify->failed;
}
