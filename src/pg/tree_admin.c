/*
 * tree_admin.c
 *		What is done around checkpoints: names and keys of the log, signed
 *		notes, and what has to be done from time to time.
 *
 * Who may do it is decided here; the work is SQL of the log's owner
 * (extension/47_checkpoint.sql), whose rows are written by store().
 */
#include "pg/compat.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/typcache.h"

#include "core/note.h"
#include "pg/event_store.h"
#include "pg/guc.h"
#include "pg/hash.h"
#include "pg/tree.h"

PG_FUNCTION_INFO_V1(scim_audit_store);
PG_FUNCTION_INFO_V1(scim_audit_read_note);
PG_FUNCTION_INFO_V1(scim_audit_set_log_origin);
PG_FUNCTION_INFO_V1(scim_audit_publish_checkpoint);
PG_FUNCTION_INFO_V1(scim_audit_maintain);


/*
 * scim_audit.store(r record) RETURNS void: insert a row of one of the tables that only
 * the extension writes, going past its guard
 */
Datum
scim_audit_store(PG_FUNCTION_ARGS)
{
	static const char *const tables[] = {"log_origins", "log_keys", "checkpoint_notes"};
	HeapTupleHeader header = PG_GETARG_HEAPTUPLEHEADER(0);
	Oid			relid = get_typ_typrelid(HeapTupleHeaderGetTypeId(header));
	bool		known = false;
	Relation	table;
	HeapTupleData tuple;
	Datum	   *values;
	bool	   *nulls;

	for (int i = 0; i < lengthof(tables); i++)
		known |= OidIsValid(relid) && relid == scim_audit_log_table(tables[i]);
	if (!known)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("scim_audit.store() takes rows of log_origins, log_keys and checkpoint_notes only")));
	table = table_open(relid, RowExclusiveLock);
	values = palloc(RelationGetDescr(table)->natts * sizeof(Datum));
	nulls = palloc(RelationGetDescr(table)->natts * sizeof(bool));
	tuple.t_len = HeapTupleHeaderGetDatumLength(header);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = InvalidOid;
	tuple.t_data = header;
	heap_deform_tuple(&tuple, RelationGetDescr(table), values, nulls);
	scim_audit_store_row(table, values, nulls);
	table_close(table, NoLock);
	PG_RETURN_VOID();
}

static ScimStr
text_bytes(text *value)
{
	return (ScimStr) {VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value)};
}

static void
refuse(ScimStatus status, const ScimError *error)
{
	if (status == SCIM_NO_MEMORY)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	if (status != SCIM_OK)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s", error->detail)));
}

/* The beginning of a vkey that a signature names: "name+id". */
static Datum
signer(const ScimNoteSignature *signature)
{
	return PointerGetDatum(cstring_to_text(psprintf("%.*s+%02x%02x%02x%02x", (int) signature->name.len, signature->name.ptr,
													signature->id[0], signature->id[1], signature->id[2], signature->id[3])));
}

/*
 * scim_audit.read_note(note text) RETURNS record (body text, origin text, size bigint,
 *		root bytea, signers text[]): a signed checkpoint, or the text of one without
 *		signatures
 */
Datum
scim_audit_read_note(PG_FUNCTION_ARGS)
{
	ScimStr		bytes = text_bytes(PG_GETARG_TEXT_PP(0));
	ScimNote   *note = palloc0(sizeof(ScimNote));
	ScimCheckpoint checkpoint;
	ScimError	error;
	ScimStatus	status;
	TupleDesc	desc;
	Datum		values[5];
	bool		nulls[5] = {false};
	Datum	   *signers;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "scim_audit.read_note() must return a row");
	note->text = bytes;
	if (memmem(bytes.ptr, bytes.len, "\n\n", 2) != NULL)
		refuse(scim_note_parse(bytes, note, &error), &error);
	else if (!scim_note_text_valid(bytes))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("this is no checkpoint: it does not end with a newline")));
	status = scim_checkpoint_parse(note->text, &checkpoint, &error);
	refuse(status, &error);
	signers = palloc(Max(note->n, 1) * sizeof(Datum));
	for (int i = 0; i < note->n; i++)
		signers[i] = signer(&note->signatures[i]);
	values[0] = PointerGetDatum(cstring_to_text_with_len(note->text.ptr, (int) note->text.len));
	values[1] = PointerGetDatum(cstring_to_text_with_len(checkpoint.origin.ptr, (int) checkpoint.origin.len));
	values[2] = Int64GetDatum((int64) checkpoint.size);
	values[3] = PointerGetDatum(cstring_to_text_with_len((const char *) checkpoint.root, SCIM_HASH_SIZE));
	values[4] = PointerGetDatum(construct_array(signers, note->n, TEXTOID, -1, false, TYPALIGN_INT));
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

/* Run a statement that returns one row, as the owner we have become; its first value, by reference or not. */
static Datum
run(const char *query, int n, Oid *types, Datum *values, bool by_value, int16 length)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext spi;
	Datum		result;
	bool		isnull;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (SPI_execute_with_args(query, n, types, values, NULL, false, 0) != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "could not run %s", query);
	result = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	spi = MemoryContextSwitchTo(caller);
	result = datumCopy(result, by_value, length);
	MemoryContextSwitchTo(spi);
	SPI_finish();
	return result;
}

static void
check_keys(ArrayType *vkeys)
{
	Datum	   *elements;
	int			n;

	if (array_contains_nulls(vkeys))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("a key must not be null")));
	deconstruct_array(vkeys, TEXTOID, -1, false, TYPALIGN_INT, &elements, NULL, &n);
	for (int i = 0; i < n; i++)
	{
		ScimNoteKey key;
		ScimError	error;
		ScimStr		vkey = text_bytes(DatumGetTextPP(elements[i]));

		refuse(scim_note_key_parse(&key, scim_audit_sha256, vkey, &error), &error);
	}
}

/* scim_audit.set_log_origin(origin text, vkeys text[]) RETURNS text: the origin now in use */
Datum
scim_audit_set_log_origin(PG_FUNCTION_ARGS)
{
	Oid			types[2] = {TEXTOID, TEXTARRAYOID};
	Datum		values[2] = {PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)};
	ScimStr		origin = text_bytes(PG_GETARG_TEXT_PP(0));
	ScimAuditUser user;
	Datum		result;

	if (!scim_note_name_valid(origin) || origin.len > 200)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("an origin has 1 to 200 bytes, without spaces and plus signs"),
				 errhint("A URL without its scheme, like audit.example.com/scim.")));
	check_keys(PG_GETARG_ARRAYTYPE_P(1));
	user = scim_audit_tree_administration("scim_audit.set_log_origin()");
	result = run("SELECT scim_audit.name_log($1, $2)", 2, types, values, false, -1);
	scim_audit_become_again(user);
	PG_RETURN_DATUM(result);
}

/* scim_audit.publish_checkpoint(note text) RETURNS boolean: is it news? */
Datum
scim_audit_publish_checkpoint(PG_FUNCTION_ARGS)
{
	Oid			types[1] = {TEXTOID};
	Datum		values[1] = {PG_GETARG_DATUM(0)};
	ScimAuditUser user = scim_audit_tree_administration("scim_audit.publish_checkpoint()");
	Datum		result = run("SELECT scim_audit.store_note($1)", 1, types, values, true, 1);

	scim_audit_become_again(user);
	PG_RETURN_DATUM(result);
}

/* scim_audit.maintain() RETURNS record (partitions int, heartbeat boolean, origin text, size bigint) */
Datum
scim_audit_maintain(PG_FUNCTION_ARGS)
{
	Oid			types[1] = {INT4OID};
	Datum		values[1] = {Int32GetDatum(scim_audit_heartbeat)};
	ScimAuditUser user = scim_audit_tree_administration("scim_audit.maintain()");
	Datum		result = run("SELECT scim_audit.maintain_log($1)", 1, types, values, false, -1);

	scim_audit_become_again(user);
	PG_RETURN_DATUM(result);
}
