/*
 * test_verify.c
 *		The walk that checks a log: the untouched one of verify_log.h has no
 *		finding; each way of tampering has exactly the findings written beside it.
 */
#include "verify_log.h"

/* Tamperings: of the event (or seal) that the case names by its place. */

static void
none(Log *log, int i)
{
	(void) log;
	(void) i;
}

static void
alter_event(Log *log, int i)
{
	log->event[i].entry.tenant = SCIM_STR("evil");
}

static void
alter_event_and_leaf(Log *log, int i)
{
	alter_event(log, i);
	leaf_hash(&log->event[i]);
}

static void
alter_leaf(Log *log, int i)
{
	log->event[i].leaf_hash[0] ^= 1;
}

static void
alter_prev(Log *log, int i)
{
	log->event[i].entry.prev_hash[0] ^= 1;
}

static void
alter_prev_and_leaf(Log *log, int i)
{
	alter_prev(log, i);
	leaf_hash(&log->event[i]);
}

static void
alter_detail(Log *log, int i)
{
	log->event[i].detail = SCIM_STR("{}");
}

static void
alter_detail_hash(Log *log, int i)
{
	log->event[i].entry.detail_hash[0] ^= 1;
}

static void
drop_salt(Log *log, int i)
{
	log->event[i].salt = SCIM_STR_NONE;
}

static void
erase(Log *log, int i)
{
	log->event[i].salt = SCIM_STR_NONE;
	log->event[i].detail = SCIM_STR_NONE;
}

static void
drop_detail(Log *log, int i)
{
	log->event[i].detail = SCIM_STR_NONE;
}

static void
shorten_salt(Log *log, int i)
{
	log->event[i].salt.len = 15;
}

static void
damage_event(Log *log, int i)
{
	log->event[i].damaged = true;
}

static void
damage_seal(Log *log, int i)
{
	log->seal[i].damaged = true;
}

/* Copies: of what is there, of it altered with its hash, of it altered. */
static void
copy_event(Log *log, int i)
{
	log->event[log->events++] = log->event[i];
}

static void
copy_event_forged(Log *log, int i)
{
	copy_event(log, i);
	alter_event_and_leaf(log, log->events - 1);
}

static void
copy_event_altered(Log *log, int i)
{
	copy_event(log, i);
	alter_event(log, log->events - 1);
}

static void
copy_seal(Log *log, int i)
{
	log->seal[log->seals++] = log->seal[i];
}

static void
copy_seal_altered(Log *log, int i)
{
	copy_seal(log, i);
	log->seal[log->seals - 1].seal.events++;
	log->seal[log->seals - 1].seal.tx_id[15] = 9;
}

/* A sound seal in the place before the first. */
static void
seal_zero(Log *log, int i)
{
	copy_seal(log, i);
	log->seal[log->seals - 1].seal.seq = 0;
	log->seal[log->seals - 1].seal.tx_id[15] = 9;
	seal_hash(&log->seal[log->seals - 1]);
}

static void
seal_nothing(Log *log, int i)
{
	log->seal[i].seal.events = 0;
	seal_hash(&log->seal[i]);
}

static void
remove_event(Log *log, int i)
{
	log->event[i] = log->event[--log->events];
}

static void
remove_transaction_3(Log *log, int i)
{
	(void) i;
	remove_event(log, 5);
}

/* Append an event to the transaction of the one named, linked as it should be. */
static void
append_event(Log *log, int i)
{
	ScimVerifyEvent *event = &log->event[log->events];

	*event = log->event[i];
	event->entry.n++;
	memcpy(event->entry.prev_hash, log->event[i].leaf_hash, SCIM_HASH_SIZE);
	leaf_hash(event);
	log->events++;
}

static void
negative_event(Log *log, int i)
{
	log->event[log->events] = log->event[i];
	log->event[log->events].entry.n = -1;
	leaf_hash(&log->event[log->events++]);
}

static void
add_unsealed(Log *log, int i)
{
	(void) i;
	add_event(log, 9, 0, "user.create");
}

static void
swap_n(Log *log, int i)
{
	log->event[i].entry.n = i + 1;
	log->event[i + 1].entry.n = i;
}

static void
move_event(Log *log, int i)
{
	log->event[i].entry.tx_id[15] = 2;
}

static void
alter_seal_events(Log *log, int i)
{
	log->seal[i].seal.events++;
}

static void
alter_seal_and_hash(Log *log, int i)
{
	log->seal[i].seal.at++;
	seal_hash(&log->seal[i]);
}

static void
recount_seal(Log *log, int i)
{
	log->seal[i].seal.events++;
	seal_hash(&log->seal[i]);
}

static void
alter_seal_hash(Log *log, int i)
{
	log->seal[i].hash[0] ^= 1;
}

static void
alter_seal_prev(Log *log, int i)
{
	log->seal[i].seal.prev_hash[0] ^= 1;
}

static void
alter_seal_tx(Log *log, int i)
{
	log->seal[i].seal.tx_id[15] = 8;
}

static void
remove_seal(Log *log, int i)
{
	log->seal[i] = log->seal[--log->seals];
}

static void
seal_again(Log *log, int i)
{
	ScimVerifySeal *seal = &log->seal[log->seals++];

	*seal = log->seal[i];
	seal->seal.seq = 3;
	memcpy(seal->seal.prev_hash, log->seal[2].hash, SCIM_HASH_SIZE);
	seal->seal.at = log->seal[2].seal.at;
	seal_hash(seal);
}

static void
take_place_again(Log *log, int i)
{
	add_event(log, 9, 0, "user.create");
	add_seal(log, log->seal[i].seal.chain, (int) log->seal[i].seal.seq, 1, 1);
}

static void
back_in_time(Log *log, int i)
{
	log->seal[i].seal.at = 5;
	seal_hash(&log->seal[i]);
}

static void
other_config(Log *log, int i)
{
	log->seal[i].seal.config_hash[0] = 2;
	seal_hash(&log->seal[i]);
}

#define HASH(digit) digit "00000000000000000000000000000000000000000000000000000000000000"
#define CHANGE(before, after) "{\"config_before\":\"0" HASH(before) "\", \"config_\\u0061fter\" : \"0" HASH(after) "\"}"

/* In transaction 3 the configuration changes to 2, which an event explains with this detail. */
static void
changed_config(Log *log, const char *event_type, const char *detail)
{
	log->events--;
	add_event(log, 3, 0, event_type);
	set_detail(&log->event[log->events - 1], (ScimStr) {detail, strlen(detail)});
	leaf_hash(&log->event[log->events - 1]);
	log->seals--;
	add_seal(log, 0, 2, 1, 2);
}

static void
explained_config(Log *log, int i)
{
	changed_config(log, "table.track", CHANGE("1", "2"));
	(void) i;
}

static void
unexplained_config(Log *log, int i)
{
	static const char *const details[] = {
		"{}", "{\"config_after\":\"0" HASH("2") "\"}", CHANGE("1", "3"), CHANGE("3", "2"),
		"{\"config_before\":\"0" HASH("1") "\",\"config_after\":\"0" HASH("2") "\",\"config_after\":\"x\"}"};

	changed_config(log, "log.upgrade", details[i]);
}

static void
restored_config(Log *log, int i)
{
	changed_config(log, "log.restore", CHANGE("3", "2"));
	(void) i;
}

static void
erased_explanation(Log *log, int i)
{
	explained_config(log, i);
	erase(log, 5);
}

/* Long after, a seal under the configuration that was replaced. */
static void
old_config(Log *log, int i)
{
	explained_config(log, i);
	add_event(log, 60, 0, "user.create");
	add_seal(log, 0, 3, 1, 1);
}

/* Just after: somebody was about to commit. */
static void
late_config(Log *log, int i)
{
	explained_config(log, i);
	add_event(log, 4, 0, "user.create");
	add_seal(log, 0, 3, 1, 1);
}

typedef struct Case
{
	const char *name;
	void		(*tamper) (Log *log, int i);
	int			i;
	const char *expected;
} Case;

static const Case cases[] = {
	{"an untouched log", none, 0, ""},
	{"first event altered", alter_event, 0, "entry_mismatch 0/1 1:0"},
	{"middle event altered", alter_event, 1, "entry_mismatch 0/1 1:1"},
	{"last event altered", alter_event, 2, "entry_mismatch 0/1 1:2"},
	{"only event altered", alter_event, 5, "entry_mismatch 0/2 3:0"},
	{"event and its leaf altered", alter_event_and_leaf, 0, "prev_mismatch 0/1 1:1"},
	{"last event and its leaf altered", alter_event_and_leaf, 2, "seal_mismatch 0/1 1:2"},
	{"leaf altered", alter_leaf, 1, "entry_mismatch 0/1 1:1"},
	{"last leaf altered", alter_leaf, 2, "entry_mismatch 0/1 1:2"},
	{"prev_hash altered", alter_prev, 1, "entry_mismatch 0/1 1:1"},
	{"prev_hash of a last event altered with its leaf", alter_prev_and_leaf, 4, "prev_mismatch 1/1 2:1, seal_mismatch 1/1 2:1"},
	{"prev_hash of a first event altered with its leaf", alter_prev_and_leaf, 0, "prev_mismatch 0/1 1:0, prev_mismatch 0/1 1:1"},
	{"a column that no entry can hold", damage_event, 1, "entry_mismatch 0/1 1:1"},
	{"detail altered", alter_detail, 3, "detail_mismatch 1/1 2:0"},
	{"detail_hash altered", alter_detail_hash, 3, "entry_mismatch 1/1 2:0"},
	{"salt gone", drop_salt, 3, "detail_mismatch 1/1 2:0"},
	{"detail gone", drop_detail, 3, "detail_mismatch 1/1 2:0"},
	{"salt of another length", shorten_salt, 3, "detail_mismatch 1/1 2:0"},
	{"detail and salt gone: somebody else's finding", erase, 3, ""},
	{"first event removed", remove_event, 0, "event_missing 0/1 1:0"},
	{"middle event removed", remove_event, 1, "event_missing 0/1 1:1"},
	{"last event removed", remove_event, 2, "event_missing 0/1 1:2"},
	{"all events of a transaction removed", remove_transaction_3, 0, "event_missing 0/2 3:0"},
	{"event appended", append_event, 2, "event_extra 0/1 1:3"},
	{"event put before", negative_event, 0, "event_extra 0/1 1:-1"},
	{"transaction invented", add_unsealed, 0, "event_unsealed - 9:0"},
	{"first event twice", copy_event, 0, "event_extra 0/1 1:0"},
	{"middle event twice", copy_event, 1, "event_extra 0/1 1:1"},
	{"only event twice", copy_event, 5, "event_extra 0/2 3:0"},
	{"first event twice, once forged", copy_event_forged, 0, "event_extra 0/1 1:0"},
	{"last event twice, once forged", copy_event_forged, 2, "event_extra 0/1 1:2"},
	{"event twice, once altered", copy_event_altered, 1, "entry_mismatch 0/1 1:1"},
	{"two events change places", swap_n, 0, "entry_mismatch 0/1 1:0, entry_mismatch 0/1 1:1"},
	{"event moved behind another transaction's", move_event, 2, "event_missing 0/1 1:2, event_extra 1/1 2:2"},
	{"seal's count altered", alter_seal_events, 0, "seal_mismatch 0/1 1:-"},
	{"seal altered with its hash", alter_seal_and_hash, 0, "seal_mismatch 0/2 3:-"},
	{"seal's count altered with its hash", recount_seal, 0, "event_missing 0/1 1:3, seal_mismatch 0/2 3:-"},
	{"seal's hash altered", alter_seal_hash, 0, "seal_mismatch 0/1 1:-"},
	{"seal's prev_hash altered", alter_seal_prev, 2, "seal_mismatch 0/2 3:-"},
	{"seal's transaction altered", alter_seal_tx, 1, "event_unsealed - 2:0, seal_mismatch 1/1 8:-"},
	{"first seal removed", remove_seal, 0, "event_unsealed - 1:0, seal_gap 0/1 -:-"},
	{"last seal removed", remove_seal, 2, "event_unsealed - 3:0"},
	{"seal of no event", seal_nothing, 2, "seal_mismatch 0/2 3:-, event_extra 0/2 3:0"},
	{"a seal's column that no entry can hold", damage_seal, 2, "seal_mismatch 0/2 3:-"},
	{"seal before the first", seal_zero, 0, "event_missing 0/0 9:0, seal_mismatch 0/0 9:-"},
	{"seal twice", copy_seal, 0, "seal_fork 0/1 1:-"},
	{"seal twice, once altered", copy_seal_altered, 0, "seal_mismatch 0/1 9:-"},
	{"transaction sealed twice", seal_again, 0, "seal_fork 0/3 1:-"},
	{"place in a chain taken twice", take_place_again, 2, "seal_fork 0/2 9:-"},
	{"time runs backwards", back_in_time, 2, "seal_time 0/2 3:-"},
	{"configuration changed without an event", other_config, 2, "config_changed 0/2 3:-"},
	{"configuration changed with an event", explained_config, 0, ""},
	{"its event says nothing of it", unexplained_config, 0, "config_changed 0/2 3:-"},
	{"its event says half", unexplained_config, 1, "config_changed 0/2 3:-"},
	{"its event led elsewhere", unexplained_config, 2, "config_changed 0/2 3:-"},
	{"its event began elsewhere", unexplained_config, 3, "config_changed 0/2 3:-"},
	{"its event says two things", unexplained_config, 4, "config_changed 0/2 3:-"},
	{"its event is erased", erased_explanation, 0, "config_changed 0/2 3:-"},
	{"after a restore anything may come", restored_config, 0, ""},
	{"configuration changed back without an event", old_config, 0, "config_changed 0/3 60:-"},
	{"commit under the old configuration just after", late_config, 0, ""}
};

static const struct
{
	const char *detail;
	const char *expected;
}			erasures[] = {
	{"{\"events\":[\"a:1\", \"b:2\"]}", "<a:1><b:2>"},
	{"{\"x\":{\"events\":[\"a\"]}}", ""},
	{"{\"events\":\"a\"}", ""},
	{"{\"events\":{\"a\":1}}", ""},
	{"{\"events\":[[\"a\"],1,null,true,{\"b\":\"c\"},\"d\"]}", "<d>"},
	{"{\"events\":[\"a\"],\"events\":[]}", ""},
	{"{\"events\":[],\"\\u0065vents\":[\"\\u0061\\u003A\\u003a\\/\"]}", "<a::/>"},
	{"{\"events\":[\"\\u0100\",\"\\n\",\"\303\251\",\"\"]}", ""},
	{"{\"events\":[\"1234567890123456789012345678901234567890123456789\"]}", ""},
	{"[\"events\",[\"a\"]]", ""},
	{"{\"events\":[\"\\u00", ""},
	{"", ""}
};

static bool
broken_sha256(const ScimStr *pieces, int n, uint8_t out[32])
{
	(void) pieces;
	(void) n;
	memset(out, 0, 32);
	return false;
}

int
main(void)
{
	Log			log;
	ScimVerify *verify;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
	{
		log = make_log();
		cases[i].tamper(&log, cases[i].i);
		is_str(findings(&log), cases[i].expected, "%s", cases[i].name);
	}

	log = make_log();
	findings(&log);
	is_str(gone, "", "no detail is gone");
	is_str(erased, "", "no erasure");
	log = make_log();
	erase(&log, 3);
	alter_event(&log, 5);
	erase(&log, 5);
	findings(&log);
	is_str(gone, "2:0 ", "a detail is gone; of an event that was altered nothing is said");

	for (size_t i = 0; i < sizeof erasures / sizeof erasures[0]; i++)
	{
		log = make_log();
		log.event[5].entry.event_type = SCIM_STR("log.erase");
		set_detail(&log.event[5], (ScimStr) {erasures[i].detail, strlen(erasures[i].detail)});
		leaf_hash(&log.event[5]);
		findings(&log);
		is_str(erased, erasures[i].expected, "erasure %s", erasures[i].detail);
		alter_leaf(&log, 5);
		findings(&log);
		is_str(erased, "", "not when it was altered");
	}

	verify = scim_verify_create(broken_sha256, &calls, true);
	reports = 0;
	ok(!walk(verify, &log) && reports == 0, "a hash that fails is no finding");
	scim_verify_free(verify);
	scim_verify_free(NULL);

	log = make_log();
	verify = scim_verify_create(sha256, &calls, true);
	found[0] = '\0';
	ok(scim_verify_seal(verify, &log.seal[2], true), "an anchor is taken as it is");
	scim_verify_seals_end(verify);
	is_str(found, "", "an anchor is not checked itself");
	scim_verify_free(verify);
	return done_testing();
}
