/*
 * verify_tree.c
 *		The log against its Merkle trees (see verify.h; docs/audit-log.md,
 *		section 7).
 *
 * A leaf is told twice: by the event, and by its tile.  Where the two agree,
 * or only one is there, nothing is to be decided; an event that is gone is a
 * finding of the walk already.  Where they differ, a tree is grown from each,
 * until the next checkpoint says which of the two had its root.
 */
#include "pg/compat.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/uuid.h"

#include "pg/hash.h"
#include "pg/tree.h"
#include "pg/verify.h"
#include "pg/verify_tally.h"

#define LEVELS (SCIM_TREE_DEPTH / SCIM_TILE_HEIGHT + 1)
#define PENDING_MAX 10000		/* differences that are kept until a checkpoint decides */

/* Those that are known, and those that the log speaks of: each is checked for itself. */
#define KNOWN_ORIGINS_QUERY \
	"SELECT origin FROM scim_audit.log_origins UNION SELECT origin FROM scim_audit.checkpoints"
#define ORIGINS_QUERY \
	KNOWN_ORIGINS_QUERY " UNION SELECT detail ->> 'origin' FROM scim_audit.events WHERE event_type IN ('log.checkpoint', 'log.origin')" \
	" AND detail ->> 'origin' IS NOT NULL ORDER BY 1"

#define CHECKPOINTS_QUERY \
	"SELECT size, root FROM scim_audit.checkpoints WHERE origin = $1 ORDER BY size"

/* OFFSET 0: else all seals may be joined with all events first, or with all spans of their chain. */
#define LEAVES_QUERY \
	"SELECT p.first, s.chain, s.seq, s.tx_id, s.events, e.n, e.leaf_hash, e.tenant FROM scim_audit.checkpoint_spans p" \
	" CROSS JOIN LATERAL (SELECT t.chain, t.seq, t.tx_id, t.events FROM scim_audit.seals t" \
	" WHERE t.chain = p.chain AND t.seq >= p.from_seq AND t.seq <= p.to_seq OFFSET 0) s" \
	" LEFT JOIN LATERAL (SELECT v.n, v.leaf_hash, v.tenant FROM scim_audit.events v" \
	" WHERE v.tx_id = s.tx_id AND v.n >= 0 AND v.n < s.events OFFSET 0) e ON true" \
	" WHERE p.origin = $1 ORDER BY p.first, s.seq, s.tx_id, e.n"

/* Seals that another stands in place of. */
#define HEADS_QUERY \
	"SELECT " SCIM_AUDIT_SEAL_COLUMNS ", p.first FROM scim_audit.checkpoint_spans p" \
	" JOIN scim_audit.seals s ON s.chain = p.chain AND s.seq = p.to_seq" \
	" WHERE p.origin = $1 AND s.hash <> p.head ORDER BY s.chain, s.seq"

/* Chains that end before the tree does. */
#define CUT_QUERY \
	"SELECT c.chain, c.last + 1, c.covered FROM (SELECT p.chain, pg_catalog.max(p.to_seq) AS covered," \
	" coalesce((SELECT s.seq FROM scim_audit.seals s WHERE s.chain = p.chain ORDER BY s.seq DESC LIMIT 1), 0) AS last" \
	" FROM scim_audit.checkpoint_spans p WHERE p.origin = $1 GROUP BY p.chain) c WHERE c.last < c.covered ORDER BY 1"

/* Spans that overlap, or whose seals have not as many events as there are leaves up to the next. */
#define SPANS_QUERY \
	"SELECT p.chain, p.from_seq, p.first FROM (SELECT p.*, t.seals, t.leaves," \
	" coalesce(pg_catalog.lag(p.to_seq) OVER (PARTITION BY p.chain ORDER BY p.from_seq), 0) AS before," \
	" coalesce(pg_catalog.lead(p.first) OVER (ORDER BY p.first), $2) AS next" \
	" FROM scim_audit.checkpoint_spans p, LATERAL (SELECT pg_catalog.count(*) AS seals, pg_catalog.sum(GREATEST(s.events, 0)) AS leaves" \
	" FROM scim_audit.seals s WHERE s.chain = p.chain AND s.seq >= p.from_seq AND s.seq <= p.to_seq) t WHERE p.origin = $1) p" \
	" WHERE p.from_seq <= p.before OR p.to_seq < p.from_seq OR (p.seals = p.to_seq - p.from_seq + 1 AND p.next > p.first AND p.next - p.first <> p.leaves)" \
	" ORDER BY p.first"

/* Checkpoints that the log says were made, and has not, or has another root for. */
#define RECORDED_QUERY \
	"SELECT e.tx_id, e.n, c.size FROM scim_audit.events e" \
	" LEFT JOIN scim_audit.checkpoints c ON c.origin = e.detail ->> 'origin' AND c.size::text = e.detail ->> 'size'" \
	" WHERE e.event_type = 'log.checkpoint' AND e.action = 'checkpoint' AND e.detail ->> 'origin' = $1" \
	" AND pg_catalog.sha256(e.detail_salt || pg_catalog.convert_to(e.detail::text, 'UTF8')) = e.detail_hash" \
	" AND pg_catalog.encode(c.root, 'hex') IS DISTINCT FROM e.detail ->> 'root' ORDER BY 1, 2"

/* Notes that are of no checkpoint. */
#define NOTES_QUERY \
	"SELECT n.size FROM scim_audit.checkpoint_notes n WHERE n.origin = $1 AND NOT EXISTS (SELECT FROM scim_audit.checkpoints c" \
	" WHERE c.origin = n.origin AND c.size = n.size AND pg_catalog.starts_with(n.note, scim_audit.checkpoint_text(c.origin, c.size, c.root) || E'\\n'))" \
	" GROUP BY n.size ORDER BY 1"

/* An event that is not what its tile says, or a tile that is not what the tree has. */
typedef struct Pending
{
	bool		of_tile;
	ScimTile	tile;			/* of_tile, or the event's tile */
	ScimFinding finding;		/* of an event */
} Pending;

/* The stored tile of a level that was read last. */
typedef struct Stored
{
	bool		known;			/* it has been looked for */
	bool		found;
	uint64		index;
	uint8_t		hashes[SCIM_TILE_WIDTH * SCIM_HASH_SIZE];
} Stored;

typedef struct TreeCheck
{
	ScimAuditCheck *check;
	char	   *origin;
	ScimAuditRows checkpoints;
	bool		has_checkpoint; /* checkpoints is at the next one */
	uint64		last_size;		/* of the newest */
	bool		was_bad;		/* the checkpoint before did not hold */
	List	   *bad;			/* sizes (int64 *) that did not */
	List	   *misplaced;		/* spans (int64 *: their first leaf) that cannot be relied on */
	ScimMerkle	tree;			/* of what tiles say */
	ScimMerkle	events;			/* of what events say, while diverged */
	bool		diverged;
	List	   *pending;
	List	   *told;			/* tiles (ScimTile *) that were reported */
	Stored		stored[LEVELS];
} TreeCheck;


static void
open_rows(ScimAuditRows *rows, TreeCheck *tc, const char *query)
{
	ScimAuditArgs args = {2, {TEXTOID, INT8OID}, {CStringGetTextDatum(tc->origin), Int64GetDatum((int64) tc->last_size)}};

	scim_audit_rows_open(rows, query, args);
}

static bool
is_hash(Datum value, bool isnull, const uint8_t hash[SCIM_HASH_SIZE])
{
	bytea	   *bytes = isnull ? NULL : DatumGetByteaPP(value);

	return bytes != NULL && VARSIZE_ANY_EXHDR(bytes) == SCIM_HASH_SIZE && memcmp(VARDATA_ANY(bytes), hash, SCIM_HASH_SIZE) == 0;
}

static void
report(TreeCheck *tc, ScimFinding *finding, const char *rule, const char *message)
{
	finding->rule = rule;
	strlcpy(finding->message, message, pg_mbcliplen(message, (int) strlen(message), sizeof finding->message - 1) + 1);
	scim_audit_verify_report(tc->check, finding);
}

/* A node as its tile has it; NULL when that is gone or too short. */
static const uint8_t *
stored_node(TreeCheck *tc, int level, uint64 index)
{
	Stored	   *stored = &tc->stored[level];
	ScimTile	tile = {level, index / SCIM_TILE_WIDTH, 0};

	if (!stored->known || stored->index != tile.index)
	{
		tile.width = scim_tile_width(tc->last_size, level, tile.index);
		stored->known = true;
		stored->index = tile.index;
		stored->found = tile.width > 0 && scim_audit_tile_read(tc->origin, &tile, stored->hashes);
	}
	return stored->found ? stored->hashes + index % SCIM_TILE_WIDTH * SCIM_HASH_SIZE : NULL;
}

static void
add_pending(TreeCheck *tc, const Pending *pending)
{
	MemoryContext caller = MemoryContextSwitchTo(tc->check->context);
	Pending    *copy = palloc(sizeof(Pending));
	char	   *tenant;

	*copy = *pending;
	if (pending->finding.tenant.ptr != NULL)
	{
		tenant = pnstrdup(pending->finding.tenant.ptr, pending->finding.tenant.len);
		copy->finding.tenant = (ScimStr) {tenant, pending->finding.tenant.len};
	}
	if (list_length(tc->pending) < PENDING_MAX)
		tc->pending = lappend(tc->pending, copy);
	MemoryContextSwitchTo(caller);
}

static void
add_tile(TreeCheck *tc, int level, uint64 index)
{
	Pending		pending = {.of_tile = true, .tile = {level, index, 0}};
	const Pending *last = tc->pending != NIL ? llast(tc->pending) : NULL;

	/* Its hashes come one after another. */
	if (last == NULL || !last->of_tile || last->tile.level != level || last->tile.index != index)
		add_pending(tc, &pending);
}

/* A ScimMerkleStore: a node of the tree against its tile. */
static bool
check_node(void *arg, int level, uint64_t index, const uint8_t hash[SCIM_HASH_SIZE])
{
	TreeCheck  *tc = arg;
	const uint8_t *stored = stored_node(tc, level, index);

	if (stored == NULL || (level > 0 && memcmp(stored, hash, SCIM_HASH_SIZE) != 0))
		add_tile(tc, level, index / SCIM_TILE_WIDTH);
	return true;
}

/* A tile once, however many of its hashes are wrong. */
static void
report_tile(TreeCheck *tc, const ScimTile *tile)
{
	ScimFinding finding = {0};
	MemoryContext caller;
	ScimTile   *copy;
	ListCell   *cell;

	foreach(cell, tc->told)
	{
		const ScimTile *other = lfirst(cell);

		if (other->level == tile->level && other->index == tile->index)
			return;
	}
	caller = MemoryContextSwitchTo(tc->check->context);
	copy = palloc(sizeof(ScimTile));
	*copy = *tile;
	tc->told = lappend(tc->told, copy);
	MemoryContextSwitchTo(caller);
	report(tc, &finding, "checkpoint_tile",
		   psprintf("Tile %d/" UINT64_FORMAT " of \"%s\" is gone or was altered: the log has another one.", tile->level, (uint64) tile->index, tc->origin));
}

/* The root is decided: by_tiles, or else by events.  What was pending is told, but what rests on the wrong side. */
static void
settle(TreeCheck *tc, bool by_tiles)
{
	ListCell   *cell;

	foreach(cell, tc->pending)
	{
		Pending    *pending = lfirst(cell);

		if (!pending->of_tile && by_tiles)
			report(tc, &pending->finding, "checkpoint_mismatch", "This event is not the one that a checkpoint covers at its place: it was replaced.");
		/* Nodes above were made of the wrong leaves. */
		else if (!pending->of_tile || by_tiles || pending->tile.level == 0)
			report_tile(tc, &pending->tile);
	}
	list_free_deep(tc->pending);
	tc->pending = NIL;
}

static bool
has_root(const ScimMerkle *tree, const ScimAuditRows *rows)
{
	uint8_t		root[SCIM_HASH_SIZE];

	return scim_merkle_root(tree, scim_audit_sha256, root) && is_hash(rows->fields.values[1], rows->fields.nulls[1], root);
}

static void
note_number(TreeCheck *tc, List **list, int64 number)
{
	MemoryContext caller = MemoryContextSwitchTo(tc->check->context);
	int64	   *copy = palloc(sizeof(int64));

	*copy = number;
	*list = lappend(*list, copy);
	MemoryContextSwitchTo(caller);
}

static bool
has_number(const List *list, int64 number)
{
	ListCell   *cell;

	foreach(cell, list)
	{
		if (*(int64 *) lfirst(cell) == number)
			return true;
	}
	return false;
}

/* The tree has the size of the next checkpoint. */
static void
check_root(TreeCheck *tc)
{
	ScimFinding finding = {0};
	int64		size = DatumGetInt64(tc->checkpoints.fields.values[0]);
	bool		holds = has_root(&tc->tree, &tc->checkpoints);

	if (holds)
		settle(tc, true);
	else if (tc->diverged && has_root(&tc->events, &tc->checkpoints))
	{
		settle(tc, false);
		tc->tree = tc->events;
		holds = true;
	}
	else
	{
		list_free_deep(tc->pending);
		tc->pending = NIL;
		note_number(tc, &tc->bad, size);
		if (!tc->was_bad)
			report(tc, &finding, "checkpoint_mismatch",
				   psprintf("The events of the log have not the root of the checkpoint of size " INT64_FORMAT " of \"%s\".", size, tc->origin));
	}
	tc->was_bad = !holds;
	tc->diverged = false;
	tc->has_checkpoint = scim_audit_rows_next(&tc->checkpoints);
}

/* The next leaf: event is NULL where there is none, finding tells of it. */
static void
add_leaf(TreeCheck *tc, const uint8_t *event, const ScimFinding *finding)
{
	uint64		index = tc->tree.size;
	const uint8_t *tile = stored_node(tc, 0, index);
	uint8_t		hole[SCIM_HASH_SIZE];

	while (tc->has_checkpoint && (uint64) DatumGetInt64(tc->checkpoints.fields.values[0]) <= index)
		check_root(tc);
	if (event == NULL && tile == NULL)
	{
		scim_leaf_hash(scim_audit_sha256, SCIM_STR(""), hole);
		event = hole;
	}
	if (event != NULL && tile != NULL && memcmp(event, tile, SCIM_HASH_SIZE) != 0)
	{
		Pending		pending = {.tile = {0, index / SCIM_TILE_WIDTH, 0}, .finding = *finding};

		if (!tc->diverged)
			tc->events = tc->tree;
		tc->diverged = true;
		add_pending(tc, &pending);
	}
	if (tc->diverged)
		scim_audit_walk_went(scim_merkle_append(&tc->events, scim_audit_sha256, event != NULL ? event : tile, NULL, NULL));
	scim_audit_walk_went(scim_merkle_append(&tc->tree, scim_audit_sha256, tile != NULL ? tile : event, check_node, tc));
}

/* Leaves up to index that no event is there for. */
static void
add_missing(TreeCheck *tc, uint64 index)
{
	while (tc->tree.size < Min(index, tc->last_size))
		add_leaf(tc, NULL, NULL);
}

static void
finding_event(ScimFinding *finding, const ScimAuditRows *rows)
{
	memset(finding, 0, sizeof *finding);
	finding->has_seal = finding->has_tx = finding->has_n = finding->of_event = true;
	finding->chain = DatumGetInt32(rows->fields.values[1]);
	finding->seq = DatumGetInt64(rows->fields.values[2]);
	memcpy(finding->tx_id, DatumGetUUIDP(rows->fields.values[3])->data, UUID_LEN);
	finding->n = DatumGetInt32(rows->fields.values[5]);
	if (!rows->fields.nulls[7])
	{
		text	   *tenant = DatumGetTextPP(rows->fields.values[7]);

		finding->tenant = (ScimStr) {VARDATA_ANY(tenant), VARSIZE_ANY_EXHDR(tenant)};
	}
}

/* All leaves, in their order. */
static void
walk_leaves(TreeCheck *tc)
{
	ScimAuditRows rows;
	int64		span = -1;
	int64		seq = 0;
	int64		base = 0;		/* index of the first leaf of the seal at hand */
	int64		events = 0;		/* how many that has */

	open_rows(&rows, tc, LEAVES_QUERY);
	while (scim_audit_rows_next(&rows))
	{
		ScimFinding finding;
		bytea	   *leaf;
		uint64		index;

		MemoryContextReset(tc->check->row_context);
		if (DatumGetInt64(rows.fields.values[0]) != span)
		{
			span = base = DatumGetInt64(rows.fields.values[0]);
			events = 0;
			seq = -1;
		}
		if (DatumGetInt64(rows.fields.values[2]) != seq)
		{
			seq = DatumGetInt64(rows.fields.values[2]);
			base += events;
			events = Max(DatumGetInt32(rows.fields.values[4]), 0);
		}
		if (rows.fields.nulls[5] || has_number(tc->misplaced, span))
			continue;
		index = base + DatumGetInt32(rows.fields.values[5]);
		leaf = rows.fields.nulls[6] ? NULL : DatumGetByteaPP(rows.fields.values[6]);
		if (index < tc->tree.size || index >= tc->last_size || leaf == NULL || VARSIZE_ANY_EXHDR(leaf) != SCIM_HASH_SIZE)
			continue;
		add_missing(tc, index);
		finding_event(&finding, &rows);
		add_leaf(tc, (const uint8_t *) VARDATA_ANY(leaf), &finding);
	}
	add_missing(tc, tc->last_size);
}

/* Where the leaves of the tree come from. */
static void
check_spans(TreeCheck *tc)
{
	ScimAuditRows rows;

	open_rows(&rows, tc, SPANS_QUERY);
	while (scim_audit_rows_next(&rows))
	{
		ScimFinding finding = {.has_seal = true};

		finding.chain = DatumGetInt32(rows.fields.values[0]);
		finding.seq = DatumGetInt64(rows.fields.values[1]);
		note_number(tc, &tc->misplaced, DatumGetInt64(rows.fields.values[2]));
		report(tc, &finding, "checkpoint_place", "Of the leaves from this seal on it is not known any more where they come from: scim_audit.checkpoint_spans was altered.");
	}
}

/* Chains that end too early. */
static void
check_ends(TreeCheck *tc)
{
	ScimAuditRows rows;

	open_rows(&rows, tc, CUT_QUERY);
	while (scim_audit_rows_next(&rows))
	{
		ScimFinding finding = {.has_seal = true};

		finding.chain = DatumGetInt32(rows.fields.values[0]);
		finding.seq = DatumGetInt64(rows.fields.values[1]);
		report(tc, &finding, "checkpoint_rewound",
			   psprintf("The chain ends before this seal; a checkpoint covers it up to seal " INT64_FORMAT ": the newest were cut off.", DatumGetInt64(rows.fields.values[2])));
	}
}

/* Checkpoints that events and notes tell of. */
static void
check_records(TreeCheck *tc)
{
	ScimAuditRows rows;

	open_rows(&rows, tc, RECORDED_QUERY);
	while (scim_audit_rows_next(&rows))
	{
		ScimFinding finding = {.has_tx = true, .has_n = true};

		if (!rows.fields.nulls[2] && has_number(tc->bad, DatumGetInt64(rows.fields.values[2])))
			continue;
		memcpy(finding.tx_id, DatumGetUUIDP(rows.fields.values[0])->data, UUID_LEN);
		finding.n = DatumGetInt32(rows.fields.values[1]);
		report(tc, &finding, "checkpoint_missing", "The checkpoint that this event records is not there, or not with this root.");
	}
	open_rows(&rows, tc, NOTES_QUERY);
	while (scim_audit_rows_next(&rows))
	{
		ScimFinding finding = {0};
		int64		size = DatumGetInt64(rows.fields.values[0]);

		if (has_number(tc->bad, size))
			continue;
		report(tc, &finding, "checkpoint_missing",
			   psprintf("There is a signed checkpoint of size " INT64_FORMAT " of \"%s\", but no such checkpoint.", size, tc->origin));
	}
}

/* Is the seal what its hash says?  If not, that is told already. */
static bool
is_sound(const ScimVerifySeal *seal)
{
	ScimBuf		buf;
	uint8_t		hash[SCIM_HASH_SIZE];
	bool		rendered;

	scim_buf_init(&buf, NULL, SCIM_ENTRY_MAX);
	rendered = scim_seal_render(&buf, &seal->seal);
	if (rendered)
		scim_seal_hash(scim_audit_sha256, (ScimStr) {buf.data, buf.len}, hash);
	scim_buf_free(&buf);
	return rendered && !seal->damaged && memcmp(hash, seal->hash, SCIM_HASH_SIZE) == 0;
}

/* The first seal of each chain that is another one than a checkpoint was made over; all that follow are, too. */
static void
check_heads(TreeCheck *tc)
{
	ScimAuditRows rows;
	int64		told = -1;

	open_rows(&rows, tc, HEADS_QUERY);
	while (scim_audit_rows_next(&rows))
	{
		ScimFinding finding = {.has_seal = true, .has_tx = true};
		ScimVerifySeal seal;

		scim_audit_rows_seal(&rows, &seal);
		if (seal.seal.chain == told || has_number(tc->misplaced, DatumGetInt64(rows.fields.values[9])) || !is_sound(&seal))
			continue;
		told = finding.chain = seal.seal.chain;
		finding.seq = seal.seal.seq;
		memcpy(finding.tx_id, seal.seal.tx_id, UUID_LEN);
		report(tc, &finding, "checkpoint_seal", "A checkpoint was made over another seal at this place: the chain was rewritten.");
	}
}

static void
check_tree(ScimAuditCheck *check, char *origin)
{
	MemoryContext caller = MemoryContextSwitchTo(check->context);
	TreeCheck  *tc = palloc0(sizeof(TreeCheck));

	MemoryContextSwitchTo(caller);
	tc->check = check;
	tc->origin = origin;
	tc->last_size = scim_audit_tree_size(origin);
	open_rows(&tc->checkpoints, tc, CHECKPOINTS_QUERY);
	tc->has_checkpoint = scim_audit_rows_next(&tc->checkpoints);
	check_spans(tc);
	if (tc->misplaced == NIL && scim_audit_leaves_even(check, origin, tc->last_size))
		add_missing(tc, tc->last_size);
	else
		walk_leaves(tc);
	while (tc->has_checkpoint)
		check_root(tc);
	check_ends(tc);
	check_heads(tc);
	check_records(tc);
}

void
scim_audit_verify_trees(ScimAuditCheck *check)
{
	List	   *origins = NIL;
	ListCell   *cell;

	/* Where no event is about a tree, none need be read. */
	if (SPI_execute(check->balance != NULL && check->balance->total.trees == 0 ? KNOWN_ORIGINS_QUERY " ORDER BY 1" : ORIGINS_QUERY,
					true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read scim_audit.log_origins");
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		MemoryContext caller = MemoryContextSwitchTo(check->context);

		origins = lappend(origins, SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1));
		MemoryContextSwitchTo(caller);
	}
	SPI_freetuptable(SPI_tuptable);
	foreach(cell, origins)
		check_tree(check, lfirst(cell));
}
