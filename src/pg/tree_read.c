/*
 * tree_read.c
 *		The Merkle tree, read: tiles, roots, proofs (see tree.h).
 *
 * A proof is checked before it is given away: one that does not lead from the
 * event to the signed root helps nobody, and says that the log was altered.
 */
#include "pg/compat.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/uuid.h"

#include "core/note.h"
#include "pg/duty.h"
#include "pg/hash.h"
#include "pg/log.h"
#include "pg/tree.h"

#define PROOF_TEXT_MAX (1024 * 1024)

/*
 * Where an event stands in the tree of an origin.  A span holds few seals, so
 * the sum over those before the event's is a short one.
 */
#define PLACE_QUERY \
	"SELECT e.tenant, e.leaf_hash, p.first + $2 + coalesce((SELECT pg_catalog.sum(GREATEST(b.events, 0))" \
	" FROM scim_audit.seals b WHERE b.chain = s.chain AND b.seq >= p.from_seq AND b.seq < s.seq), 0)::bigint" \
	" FROM scim_audit.events e" \
	" LEFT JOIN LATERAL (SELECT t.chain, t.seq FROM scim_audit.seals t WHERE t.tx_id = e.tx_id ORDER BY t.chain, t.seq LIMIT 1) s ON true" \
	" LEFT JOIN LATERAL (SELECT q.first, q.from_seq FROM scim_audit.checkpoint_spans q WHERE q.origin = $3" \
	" AND q.chain = s.chain AND q.from_seq <= s.seq AND q.to_seq >= s.seq ORDER BY q.from_seq DESC LIMIT 1) p ON true" \
	" WHERE e.tx_id = $1 AND e.n = $2"

#define NOTE_QUERY \
	"SELECT n.note FROM scim_audit.checkpoint_notes n WHERE n.origin = $1 AND n.size > $2 ORDER BY n.size DESC, n.number DESC LIMIT 1"

#define SIZE_QUERY \
	"SELECT c.size FROM scim_audit.checkpoints c WHERE c.origin = $1 ORDER BY c.size DESC LIMIT 1"

PG_FUNCTION_INFO_V1(scim_audit_tree_root);
PG_FUNCTION_INFO_V1(scim_audit_prove);
PG_FUNCTION_INFO_V1(scim_audit_prove_consistency);

/* A statement that is planned once a session. */
typedef struct Statement
{
	const char *query;
	int			n;
	Oid			types[3];
	SPIPlanPtr	plan;
} Statement;

static Statement tile_statement = {"SELECT hashes FROM scim_audit.tiles WHERE origin = $1 AND level = $2 AND index = $3", 3, {TEXTOID, INT4OID, INT8OID}};
static Statement place_statement = {PLACE_QUERY, 3, {UUIDOID, INT4OID, TEXTOID}};
static Statement note_statement = {NOTE_QUERY, 2, {TEXTOID, INT8OID}};
static Statement size_statement = {SIZE_QUERY, 1, {TEXTOID}};
static Statement origin_statement = {"SELECT o.origin FROM scim_audit.log_origins o ORDER BY o.number DESC LIMIT 1", 0, {InvalidOid}};


/* Run it; true when it gives a row, which SPI_tuptable has. */
static bool
run(Statement *statement, Datum *values)
{
	if (statement->plan == NULL)
	{
		/* By key, whatever the parameters are: planning anew would cost more than it runs. */
		statement->plan = SPI_prepare_cursor(statement->query, statement->n, statement->types, CURSOR_OPT_GENERIC_PLAN);
		if (statement->plan == NULL || SPI_keepplan(statement->plan) != 0)
			elog(ERROR, "could not prepare %s", statement->query);
	}
	if (SPI_execute_plan(statement->plan, values, NULL, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not run %s", statement->query);
	return SPI_processed == 1;
}

static Datum
get_value(int column, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column, isnull);
}

bool
scim_audit_tile_read(const char *origin, const ScimTile *tile, uint8_t *hashes)
{
	Datum		values[3] = {CStringGetTextDatum(origin), Int32GetDatum(tile->level), Int64GetDatum((int64) tile->index)};
	bool		isnull;
	bool		found = run(&tile_statement, values);

	if (found)
	{
		bytea	   *stored = DatumGetByteaPP(get_value(1, &isnull));

		found = VARSIZE_ANY_EXHDR(stored) >= tile->width * SCIM_HASH_SIZE;
		if (found)
			memcpy(hashes, VARDATA_ANY(stored), tile->width * SCIM_HASH_SIZE);
	}
	SPI_freetuptable(SPI_tuptable);
	return found;
}

/* A ScimTileRead; arg is the origin. */
static bool
read_tile(void *arg, const ScimTile *tile, uint8_t *hashes)
{
	return scim_audit_tile_read(arg, tile, hashes);
}

char *
scim_audit_origin(void)
{
	bool		isnull = true;
	Datum		origin = run(&origin_statement, NULL) ? get_value(1, &isnull) : (Datum) 0;

	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the log has no checkpoint yet"),
				 errhint("An audit_admin makes one: SELECT scim_audit.maintain().")));
	return TextDatumGetCString(origin);
}

int64
scim_audit_tree_size(const char *origin)
{
	Datum		values[1] = {CStringGetTextDatum(origin)};
	bool		isnull;

	return run(&size_statement, values) ? DatumGetInt64(get_value(1, &isnull)) : 0;
}

/* A proof that cannot be had, though what it is about is in the tree. */
static void
refuse_damaged(const char *origin)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("the tree of \"%s\" does not lead to its root", origin),
			 errdetail("The log, or what is stored of its tree, was altered."),
			 errhint("SELECT * FROM scim_audit.verify() says where.")));
}

/* scim_audit.tree_root(origin text, size bigint) RETURNS bytea: null when the tree is not so large, or tiles are gone */
Datum
scim_audit_tree_root(PG_FUNCTION_ARGS)
{
	char	   *origin = text_to_cstring(PG_GETARG_TEXT_PP(0));
	int64		size = PG_GETARG_INT64(1);
	ScimTree   *tree = palloc(sizeof(ScimTree));
	bytea	   *root = palloc(VARHDRSZ + SCIM_HASH_SIZE);
	bool		found;

	SET_VARSIZE(root, VARHDRSZ + SCIM_HASH_SIZE);
	if (size < 0)
		PG_RETURN_NULL();
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	found = scim_tree_init(tree, size, scim_audit_sha256, read_tile, origin) &&
		scim_tree_root(tree, size, (uint8_t *) VARDATA(root));
	SPI_finish();
	if (!found)
		PG_RETURN_NULL();
	PG_RETURN_BYTEA_P(root);
}

static ScimAuditTenants
auditor_tenants(void)
{
	ScimAuditTenants tenants = scim_audit_duty_tenants(GetUserId(), SCIM_DUTY_AUDITOR);

	if (!tenants.all && tenants.n == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("role \"%s\" is no auditor", GetUserNameFromId(GetUserId(), false))));
	return tenants;
}

/* An event of a proof; none where nothing can be written. */
static void
record(const char *tenant, StringInfo detail)
{
	if (XactReadOnly)
		return;
	scim_audit_log_simple("admin", "prove", "log.prove", tenant, NULL, NULL, (ScimStr) {detail->data, detail->len});
}

/* An event whose place is wanted. */
typedef struct Place
{
	char	   *tenant;			/* NULL: none */
	uint8_t		leaf[SCIM_HASH_SIZE];
	bool		in_tree;
	int64		index;
} Place;

/* Find an event that the caller may see, and its place in the tree. */
static void
find_place(const char *origin, const ScimAuditTenants *tenants, pg_uuid_t *tx_id, int32 n, Place *place)
{
	Datum		values[3] = {UUIDPGetDatum(tx_id), Int32GetDatum(n), CStringGetTextDatum(origin)};
	bool		found = run(&place_statement, values);
	bool		isnull;
	Datum		value;
	bytea	   *leaf;

	memset(place, 0, sizeof *place);
	if (found)
	{
		value = get_value(1, &isnull);
		place->tenant = isnull ? NULL : TextDatumGetCString(value);
		found = tenants->all || (place->tenant != NULL && scim_audit_tenants_have(tenants, place->tenant));
	}
	if (!found)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("there is no such event, or it is not of your tenants")));
	leaf = DatumGetByteaPP(get_value(2, &isnull));
	if (VARSIZE_ANY_EXHDR(leaf) != SCIM_HASH_SIZE)
		refuse_damaged(origin);
	memcpy(place->leaf, VARDATA_ANY(leaf), SCIM_HASH_SIZE);
	place->index = DatumGetInt64(get_value(3, &isnull));
	place->in_tree = !isnull;
}

/* The newest signed checkpoint that covers the place. */
static ScimStr
find_note(const char *origin, const Place *place)
{
	Datum		values[2] = {CStringGetTextDatum(origin), Int64GetDatum(place->index)};
	bool		isnull;
	text	   *note;

	if (!place->in_tree)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("no checkpoint covers this event yet"),
				 errhint("An audit_admin makes one: SELECT scim_audit.maintain().")));
	if (!run(&note_statement, values))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("no signed checkpoint covers this event yet"),
				 errhint("scim-audit sign signs the newest one and publishes it.")));
	note = DatumGetTextPP(get_value(1, &isnull));
	return (ScimStr) {VARDATA_ANY(note), VARSIZE_ANY_EXHDR(note)};
}

/* The proof as text, in the memory of SPI's caller: reading tiles leaves SPI's own as the current context. */
static text *
prove(const char *origin, const Place *place, ScimStr note_text, int64 *size)
{
	ScimTree   *tree = palloc(sizeof(ScimTree));
	ScimNote   *note = palloc(sizeof(ScimNote));
	ScimInclusion *inclusion = palloc(sizeof(ScimInclusion));
	ScimCheckpoint checkpoint;
	ScimBuf		buf;
	text	   *result;

	if (scim_note_parse(note_text, note, NULL) != SCIM_OK || scim_checkpoint_parse(note->text, &checkpoint, NULL) != SCIM_OK)
		refuse_damaged(origin);
	inclusion->index = place->index;
	inclusion->note = note_text;
	if (!scim_tree_init(tree, checkpoint.size, scim_audit_sha256, read_tile, unconstify(char *, origin)) ||
		!scim_tree_inclusion(tree, place->index, checkpoint.size, &inclusion->proof) ||
		!scim_merkle_included(scim_audit_sha256, place->leaf, place->index, checkpoint.size, &inclusion->proof, checkpoint.root))
		refuse_damaged(origin);
	*size = checkpoint.size;
	scim_buf_init(&buf, NULL, PROOF_TEXT_MAX);
	if (!scim_inclusion_format(&buf, inclusion))
	{
		scim_buf_free(&buf);
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	}
	result = SPI_palloc(VARHDRSZ + buf.len);
	SET_VARSIZE(result, VARHDRSZ + buf.len);
	memcpy(VARDATA(result), buf.data, buf.len);
	scim_buf_free(&buf);
	return result;
}

/* scim_audit.prove(tx_id uuid, n int) RETURNS text */
Datum
scim_audit_prove(PG_FUNCTION_ARGS)
{
	pg_uuid_t  *tx_id = PG_GETARG_UUID_P(0);
	int32		n = PG_GETARG_INT32(1);
	ScimAuditTenants tenants = auditor_tenants();
	ScimAuditUser user = scim_audit_become(scim_audit_table_owner("scim_audit.checkpoints"));
	StringInfoData detail;
	char	   *origin;
	Place		place;
	ScimStr		note;
	int64		size;
	text	   *result;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	origin = scim_audit_origin();
	find_place(origin, &tenants, tx_id, n, &place);
	note = find_note(origin, &place);
	result = prove(origin, &place, note, &size);
	initStringInfo(&detail);
	appendStringInfo(&detail, "{\"event\":\"%s:%d\",\"index\":" INT64_FORMAT ",\"size\":" INT64_FORMAT "}",
					 DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(tx_id))), n, place.index, size);
	record(place.tenant, &detail);
	SPI_finish();
	scim_audit_become_again(user);
	PG_RETURN_TEXT_P(result);
}

/* scim_audit.prove_consistency(old_size bigint, new_size bigint) RETURNS bytea[] */
Datum
scim_audit_prove_consistency(PG_FUNCTION_ARGS)
{
	int64		from = PG_GETARG_INT64(0);
	int64		to = PG_GETARG_INT64(1);
	ScimAuditTenants tenants = auditor_tenants();
	ScimAuditUser user = scim_audit_become(scim_audit_table_owner("scim_audit.checkpoints"));
	ScimTree   *tree = palloc(sizeof(ScimTree));
	ScimProof  *proof = palloc(sizeof(ScimProof));
	Datum		hashes[SCIM_PROOF_MAX];
	StringInfoData detail;
	char	   *origin;
	int64		size;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	origin = scim_audit_origin();
	size = scim_audit_tree_size(origin);
	if (from < 0 || from > to || to > size)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a proof of consistency is between sizes that the tree has had"),
				 errdetail("Its size is " INT64_FORMAT ".", size)));
	if (!scim_tree_init(tree, to, scim_audit_sha256, read_tile, origin) || !scim_tree_consistency(tree, from, to, proof))
		refuse_damaged(origin);
	initStringInfo(&detail);
	appendStringInfo(&detail, "{\"from\":" INT64_FORMAT ",\"to\":" INT64_FORMAT "}", from, to);
	record(!tenants.all && tenants.n == 1 ? tenants.tenant[0] : NULL, &detail);
	SPI_finish();
	scim_audit_become_again(user);
	for (int i = 0; i < proof->n; i++)
		hashes[i] = PointerGetDatum(cstring_to_text_with_len((const char *) proof->hash[i], SCIM_HASH_SIZE));
	PG_RETURN_ARRAYTYPE_P(construct_array(hashes, proof->n, BYTEAOID, -1, false, TYPALIGN_INT));
}
