/*
 * verify_log.h
 *		A small log to be checked, and the walk over it: chain 0 seals transactions
 *		1 (three events) and 3 (one event), chain 1 seals transaction 2 (two
 *		events).  A finding is written "rule chain/seq tx:n", with - for what it
 *		does not give.
 */
#ifndef SCIM_TEST_VERIFY_LOG_H
#define SCIM_TEST_VERIFY_LOG_H

#include <stdlib.h>

#include "core/verify.h"
#include "sha256.h"
#include "tap.h"

#define EVENTS 6
#define SEALS 3

typedef struct Log
{
	ScimVerifyEvent event[EVENTS + 1];
	int			events;
	ScimVerifySeal seal[SEALS + 1];
	int			seals;
} Log;

static const char salt[] = "0123456789abcde";
static char found[2048];
static char gone[256];
static char erased[256];
static int	reports;

static void
seal_hash(ScimVerifySeal *seal)
{
	ScimBuf		buf;

	scim_buf_init(&buf, NULL, SCIM_ENTRY_MAX);
	scim_seal_render(&buf, &seal->seal);
	scim_seal_hash(sha256, (ScimStr) {buf.data, buf.len}, seal->hash);
	scim_buf_free(&buf);
}

static void
leaf_hash(ScimVerifyEvent *event)
{
	ScimBuf		buf;

	scim_buf_init(&buf, NULL, SCIM_ENTRY_MAX);
	scim_entry_render(&buf, &event->entry);
	scim_leaf_hash(sha256, (ScimStr) {buf.data, buf.len}, event->leaf_hash);
	scim_buf_free(&buf);
}

/* Give an event a detail, with its hash. */
static void
set_detail(ScimVerifyEvent *event, ScimStr detail)
{
	event->detail = detail;
	event->entry.has_detail = true;
	scim_detail_hash(sha256, (const uint8_t *) salt, detail, event->entry.detail_hash);
}

static void
add_event(Log *log, int tx, int n, const char *event_type)
{
	ScimVerifyEvent *event = &log->event[log->events];

	memset(event, 0, sizeof *event);
	event->entry.tx_id[15] = (uint8_t) tx;
	event->entry.n = n;
	event->entry.at = tx * 1000000;
	event->entry.tenant = SCIM_STR("acme");
	event->entry.category = SCIM_STR("change");
	event->entry.event_type = (ScimStr) {event_type, strlen(event_type)};
	event->salt = (ScimStr) {salt, 16};
	set_detail(event, SCIM_STR("{\"new\":{}}"));
	if (n > 0)
		memcpy(event->entry.prev_hash, log->event[log->events - 1].leaf_hash, SCIM_HASH_SIZE);
	leaf_hash(event);
	log->events++;
}

/* Seal the transaction whose events were added last. */
static void
add_seal(Log *log, int chain, int seq, int events, int config)
{
	ScimVerifySeal *seal = &log->seal[log->seals];
	ScimVerifyEvent *last = &log->event[log->events - 1];

	memset(seal, 0, sizeof *seal);
	seal->seal.chain = chain;
	seal->seal.seq = seq;
	memcpy(seal->seal.tx_id, last->entry.tx_id, 16);
	seal->seal.at = last->entry.at + 1;
	seal->seal.events = events;
	memcpy(seal->seal.last_leaf, last->leaf_hash, SCIM_HASH_SIZE);
	seal->seal.config_hash[0] = (uint8_t) config;
	for (int i = 0; i < log->seals; i++)
		if (log->seal[i].seal.chain == chain && log->seal[i].seal.seq == seq - 1)
			memcpy(seal->seal.prev_hash, log->seal[i].hash, SCIM_HASH_SIZE);
	seal_hash(seal);
	log->seals++;
}

static Log
make_log(void)
{
	Log			log = {.events = 0};

	add_event(&log, 1, 0, "user.create");
	add_event(&log, 1, 1, "user.update");
	add_event(&log, 1, 2, "user.delete");
	add_seal(&log, 0, 1, 3, 1);
	add_event(&log, 2, 0, "user.create");
	add_event(&log, 2, 1, "user.update");
	add_seal(&log, 1, 1, 2, 1);
	add_event(&log, 3, 0, "user.create");
	add_seal(&log, 0, 2, 1, 1);
	return log;
}

static void
note(void *arg, const ScimFinding *finding)
{
	char		chain[32] = "-";
	char		n[16] = "-";
	char		tx[16] = "-";

	(void) arg;
	reports++;
	if (finding->has_seal)
		snprintf(chain, sizeof chain, "%d/%lld", finding->chain, (long long) finding->seq);
	if (finding->has_tx)
		snprintf(tx, sizeof tx, "%d", finding->tx_id[15]);
	if (finding->has_n)
		snprintf(n, sizeof n, "%d", finding->n);
	snprintf(found + strlen(found), sizeof found - strlen(found), "%s%s %s %s:%s",
			 found[0] == '\0' ? "" : ", ", finding->rule, chain, tx, n);
	if (finding->message[0] == '\0' || finding->message[strlen(finding->message) - 1] != '.')
		snprintf(found + strlen(found), sizeof found - strlen(found), " (no sentence)");
}

static void
note_gone(void *arg, const ScimFinding *finding)
{
	(void) arg;
	snprintf(gone + strlen(gone), sizeof gone - strlen(gone), "%d:%d ", finding->tx_id[15], finding->n);
}

static void
note_erased(void *arg, ScimStr event_id)
{
	(void) arg;
	snprintf(erased + strlen(erased), sizeof erased - strlen(erased), "<%.*s>", (int) event_id.len, event_id.ptr);
}

static const ScimVerifyCalls calls = {note, note_gone, note_erased, NULL};

static int
compare_events(const void *a, const void *b)
{
	const ScimEntry *x = &((const ScimVerifyEvent *) a)->entry;
	const ScimEntry *y = &((const ScimVerifyEvent *) b)->entry;
	int			order = memcmp(x->tx_id, y->tx_id, 16);

	return order != 0 ? order : x->n - y->n;
}

static int
compare_seals(const void *a, const void *b)
{
	const ScimSeal *x = &((const ScimVerifySeal *) a)->seal;
	const ScimSeal *y = &((const ScimVerifySeal *) b)->seal;

	if (x->chain != y->chain)
		return x->chain - y->chain;
	return x->seq != y->seq ? (int) (x->seq - y->seq) : memcmp(x->tx_id, y->tx_id, 16);
}

/* One transaction with its seals and events. */
static bool
walk_transaction(ScimVerify *verify, const Log *log, int tx)
{
	uint8_t		tx_id[16] = {0};
	ScimVerifySeal seals[SEALS + 1];
	int			n = 0;
	bool		any = false;

	tx_id[15] = (uint8_t) tx;
	for (int s = 0; s < log->seals; s++)
		if (log->seal[s].seal.tx_id[15] == tx)
			seals[n++] = log->seal[s];
	for (int i = 0; i < log->events; i++)
		any |= log->event[i].entry.tx_id[15] == tx;
	if (n == 0 && !any)
		return true;
	if (!scim_verify_transaction(verify, tx_id, seals, n))
		return false;
	for (int i = 0; i < log->events; i++)
		if (log->event[i].entry.tx_id[15] == tx && !scim_verify_event(verify, &log->event[i]))
			return false;
	return true;
}

/* Feed the log as a database would: sorted, each transaction with its seals. */
static bool
walk(ScimVerify *verify, Log *log)
{
	qsort(log->event, (size_t) log->events, sizeof log->event[0], compare_events);
	qsort(log->seal, (size_t) log->seals, sizeof log->seal[0], compare_seals);
	for (int tx = 0; tx < 100; tx++)
		if (!walk_transaction(verify, log, tx))
			return false;
	if (!scim_verify_events_end(verify))
		return false;
	for (int s = 0; s < log->seals; s++)
		if (!scim_verify_seal(verify, &log->seal[s], false))
			return false;
	return scim_verify_seals_end(verify);
}

static const char *
findings(Log *log)
{
	ScimVerify *verify = scim_verify_create(sha256, &calls, true);

	found[0] = gone[0] = erased[0] = '\0';
	if (!walk(verify, log))
		snprintf(found, sizeof found, "failed");
	scim_verify_free(verify);
	return found;
}

#endif							/* SCIM_TEST_VERIFY_LOG_H */
