/*
 * db.c
 *		The database, by libpq (see db.h).
 */
#include "cli/db.h"

#include <stdarg.h>
#include <stdlib.h>

#include "cli/cli.h"

#define FETCH_ROWS 500
#define PARAMETERS_MAX 4

/* Seconds from 1970 to 2000, where PostgreSQL's times begin; times that an entry can hold. */
#define EPOCH INT64_C(946684800)
#define TIME_MIN INT64_C(-62135596800000000)
#define TIME_MAX INT64_C(253402300799999999)

#define TEXT_OID 25


/* The first line of a message. */
static int
line_length(const char *message)
{
	return (int) strcspn(message, "\n");
}

void
cli_server_error(PGconn *conn, const PGresult *result)
{
	const char *message = result != NULL ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
	const char *hint = result != NULL ? PQresultErrorField(result, PG_DIAG_MESSAGE_HINT) : NULL;
	const char *detail = result != NULL ? PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL) : NULL;
	const char *state = result != NULL ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;

	if (message == NULL)
		message = PQerrorMessage(conn);
	if (hint == NULL && state != NULL && (strcmp(state, "3F000") == 0 || strcmp(state, "42P01") == 0 || strcmp(state, "42883") == 0))
		hint = "CREATE EXTENSION scim_audit, or ALTER EXTENSION scim_audit UPDATE";
	if (hint == NULL && state != NULL && strcmp(state, "42501") == 0)
		hint = "SELECT scim.grant_duty(ROLE, 'auditor') makes a role one that may; 'audit_admin' for sign --make and --publish";
	cli_fail(hint != NULL ? hint : detail, "%.*s", line_length(message), message);
}

PGconn *
cli_connect(const char *conninfo)
{
	const char *keywords[] = {"dbname", "fallback_application_name", "client_encoding", NULL};
	const char *values[] = {conninfo, "scim-audit", "UTF8", NULL};
	PGconn	   *conn = PQconnectdbParams(keywords, values, 1);

	if (conn == NULL)
		cli_out_of_memory();
	if (PQstatus(conn) != CONNECTION_OK)
		cli_fail("-d CONNINFO or PGHOST, PGDATABASE, ... say which database", "%.*s", line_length(PQerrorMessage(conn)), PQerrorMessage(conn));
	PQsetNoticeProcessor(conn, NULL, NULL);
	PQclear(cli_query(conn, "SELECT pg_catalog.set_config('search_path', '', false)", 0));
	return conn;
}

static PGresult *
run(PGconn *conn, const char *query, int n, va_list args)
{
	const char *values[PARAMETERS_MAX];
	PGresult   *result;

	for (int i = 0; i < n; i++)
		values[i] = va_arg(args, const char *);
	result = PQexecParams(conn, query, n, NULL, values, NULL, NULL, 0);
	if (PQresultStatus(result) != PGRES_TUPLES_OK && PQresultStatus(result) != PGRES_COMMAND_OK)
		cli_server_error(conn, result);
	return result;
}

PGresult *
cli_query(PGconn *conn, const char *query, int n,...)
{
	va_list		args;
	PGresult   *result;

	va_start(args, n);
	result = run(conn, query, n, args);
	va_end(args);
	return result;
}

char *
cli_value(PGconn *conn, const char *query, int n,...)
{
	va_list		args;
	PGresult   *result;
	char	   *value = NULL;

	va_start(args, n);
	result = run(conn, query, n, args);
	va_end(args);
	if (PQntuples(result) > 0 && !PQgetisnull(result, 0, 0))
		value = cli_printf("%s", PQgetvalue(result, 0, 0));
	PQclear(result);
	return value;
}

void
cli_begin_snapshot(PGconn *conn)
{
	PQclear(cli_query(conn, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", 0));
}

bool
cli_bytea(const char *text, uint8_t *out, size_t len)
{
	if (text == NULL || strncmp(text, "\\x", 2) != 0 || strlen(text) != 2 + 2 * len)
		return false;
	for (size_t i = 0; i < len; i++)
	{
		char		pair[3] = {text[2 + 2 * i], text[3 + 2 * i], '\0'};

		out[i] = (uint8_t) strtoul(pair, NULL, 16);
	}
	return true;
}

/* Rows. */

void
cli_rows_open(CliRows *rows, PGconn *conn, const char *query, int n,...)
{
	const char *values[PARAMETERS_MAX];
	va_list		args;

	va_start(args, n);
	for (int i = 0; i < n; i++)
		values[i] = va_arg(args, const char *);
	va_end(args);
	*rows = (CliRows) {.conn = conn};
	if (!PQsendQueryParams(conn, query, n, NULL, values, NULL, NULL, 1) || !PQsetSingleRowMode(conn))
		cli_server_error(conn, NULL);
}

bool
cli_rows_next(CliRows *rows)
{
	PQclear(rows->result);
	rows->result = PQgetResult(rows->conn);
	if (PQresultStatus(rows->result) == PGRES_SINGLE_TUPLE)
		return true;
	if (rows->result != NULL && PQresultStatus(rows->result) != PGRES_TUPLES_OK)
		cli_server_error(rows->conn, rows->result);
	while (rows->result != NULL)
	{
		PQclear(rows->result);
		rows->result = PQgetResult(rows->conn);
	}
	return false;
}

void
cli_cursor_open(CliCursor *cursor, PGconn *conn, const char *name, const char *query)
{
	char	   *declare = cli_printf("DECLARE %s NO SCROLL CURSOR FOR %s", name, query);

	*cursor = (CliCursor) {.conn = conn};
	snprintf(cursor->fetch, sizeof cursor->fetch, "FETCH %d FROM %s", FETCH_ROWS, name);
	PQclear(cli_query(conn, declare, 0));
	free(declare);
}

bool
cli_cursor_next(CliCursor *cursor)
{
	cursor->row++;
	if (cursor->result == NULL || cursor->row >= PQntuples(cursor->result))
	{
		PQclear(cursor->result);
		cursor->result = PQexecParams(cursor->conn, cursor->fetch, 0, NULL, NULL, NULL, NULL, 1);
		if (PQresultStatus(cursor->result) != PGRES_TUPLES_OK)
			cli_server_error(cursor->conn, cursor->result);
		cursor->row = 0;
	}
	return cursor->row < PQntuples(cursor->result);
}

/* Values. */

ScimStr
cli_text(const PGresult *result, int row, int column)
{
	if (PQgetisnull(result, row, column))
		return SCIM_STR_NONE;
	return (ScimStr) {PQgetvalue(result, row, column), (size_t) PQgetlength(result, row, column)};
}

/* A big-endian number of that many bytes. */
static uint64_t
get_number(const char *bytes, int len)
{
	uint64_t	number = 0;

	for (int i = 0; i < len; i++)
		number = number << 8 | (uint8_t) bytes[i];
	return number;
}

int32_t
cli_int(const PGresult *result, int row, int column)
{
	return PQgetisnull(result, row, column) ? 0 : (int32_t) get_number(PQgetvalue(result, row, column), 4);
}

int64_t
cli_bigint(const PGresult *result, int row, int column)
{
	return PQgetisnull(result, row, column) ? 0 : (int64_t) get_number(PQgetvalue(result, row, column), 8);
}

/* Exactly so many bytes; false, and zeros, when it is null or of another length. */
static bool
get_bytes(const PGresult *result, int row, int column, uint8_t *out, size_t len)
{
	ScimStr		bytes = cli_text(result, row, column);

	if (bytes.ptr == NULL || bytes.len != len)
	{
		memset(out, 0, len);
		return false;
	}
	memcpy(out, bytes.ptr, len);
	return true;
}

/* Microseconds since 1970; false, and 0, when an entry cannot hold the time. */
static bool
get_time(const PGresult *result, int row, int column, int64_t *out)
{
	int64_t		time = PQgetisnull(result, row, column) ? INT64_MIN : cli_bigint(result, row, column);

	*out = 0;
	/* -infinity and infinity are the ends of the range. */
	if (time < TIME_MIN - EPOCH * 1000000 || time > TIME_MAX - EPOCH * 1000000)
		return false;
	*out = time + EPOCH * 1000000;
	return true;
}

/* A text[] on the wire: dimensions, flags, type, each dimension's length and bound, each element after its length. */
static bool
get_changed(const PGresult *result, int row, int column, CliTexts *texts, ScimEntry *entry)
{
	ScimStr		array = cli_text(result, row, column);
	const char *next = array.ptr;
	const char *end = array.ptr + array.len;
	int32_t		dimensions;
	int32_t		n;

	if (array.ptr == NULL)
		return true;
	dimensions = array.len >= 12 ? (int32_t) get_number(next, 4) : -1;
	if (dimensions < 0 || dimensions > 1 || (uint32_t) get_number(next + 8, 4) != TEXT_OID || (dimensions == 1 && array.len < 20))
		return false;
	n = dimensions == 0 ? 0 : (int32_t) get_number(next + 12, 4);
	if (n < 0 || (size_t) n > array.len)
		return false;
	next += dimensions == 0 ? 12 : 20;
	if (n >= texts->size)
	{
		texts->size = n + 16;
		texts->text = realloc(texts->text, (size_t) texts->size * sizeof(ScimStr));
		if (texts->text == NULL)
			cli_out_of_memory();
	}
	for (int32_t i = 0; i < n; i++)
	{
		int32_t		len = end - next >= 4 ? (int32_t) get_number(next, 4) : -1;

		/* -1 is null. */
		if (len < 0 || len > end - next - 4)
			return false;
		texts->text[i] = (ScimStr) {next + 4, (size_t) len};
		next += 4 + len;
	}
	entry->changed = texts->text;
	entry->n_changed = n;
	return true;
}

/* Places of CLI_EVENT_COLUMNS. */
enum
{
	TX_ID, N, AT, TENANT, CATEGORY, ACTION, EVENT_TYPE, OUTCOME, STATUS, SCIM_TYPE, ACTOR, ACTOR_TYPE,
	CREDENTIAL, SESSION_ROLE, EFFECTIVE_ROLE, ORIGIN, RESOURCE_TYPE, RESOURCE_ID, CHANGED, REQUEST_ID,
	METHOD, DETAIL_HASH, PREV_HASH, LEAF_HASH, DETAIL_SALT, DETAIL
};

void
cli_event(const PGresult *result, int row, int first, CliTexts *texts, ScimVerifyEvent *event)
{
	ScimEntry  *entry = &event->entry;
	bool		whole = true;

	memset(event, 0, sizeof *event);
	get_bytes(result, row, first + TX_ID, entry->tx_id, sizeof entry->tx_id);
	entry->n = cli_int(result, row, first + N);
	whole &= get_time(result, row, first + AT, &entry->at);
	entry->tenant = cli_text(result, row, first + TENANT);
	entry->category = cli_text(result, row, first + CATEGORY);
	entry->action = cli_text(result, row, first + ACTION);
	entry->event_type = cli_text(result, row, first + EVENT_TYPE);
	entry->outcome = cli_text(result, row, first + OUTCOME);
	entry->status = cli_int(result, row, first + STATUS);
	entry->status_zero = entry->status == 0 && !PQgetisnull(result, row, first + STATUS);
	entry->scim_type = cli_text(result, row, first + SCIM_TYPE);
	entry->actor = cli_text(result, row, first + ACTOR);
	entry->actor_type = cli_text(result, row, first + ACTOR_TYPE);
	entry->credential = cli_text(result, row, first + CREDENTIAL);
	entry->session_role = cli_text(result, row, first + SESSION_ROLE);
	entry->effective_role = cli_text(result, row, first + EFFECTIVE_ROLE);
	entry->origin = cli_text(result, row, first + ORIGIN);
	entry->resource_type = cli_text(result, row, first + RESOURCE_TYPE);
	entry->resource_id = cli_text(result, row, first + RESOURCE_ID);
	whole &= get_changed(result, row, first + CHANGED, texts, entry);
	entry->has_request_id = get_bytes(result, row, first + REQUEST_ID, entry->request_id, sizeof entry->request_id);
	entry->method = cli_text(result, row, first + METHOD);
	entry->has_detail = !PQgetisnull(result, row, first + DETAIL_HASH);
	whole &= get_bytes(result, row, first + DETAIL_HASH, entry->detail_hash, SCIM_HASH_SIZE) || !entry->has_detail;
	whole &= get_bytes(result, row, first + PREV_HASH, entry->prev_hash, SCIM_HASH_SIZE);
	whole &= get_bytes(result, row, first + LEAF_HASH, event->leaf_hash, SCIM_HASH_SIZE);
	event->damaged = !whole;
	event->detail = cli_text(result, row, first + DETAIL);
	event->salt = cli_text(result, row, first + DETAIL_SALT);
}

void
cli_seal(const PGresult *result, int row, int first, ScimVerifySeal *seal)
{
	bool		whole = !PQgetisnull(result, row, first + 4);

	memset(seal, 0, sizeof *seal);
	seal->seal.chain = cli_int(result, row, first);
	seal->seal.seq = cli_bigint(result, row, first + 1);
	whole &= get_bytes(result, row, first + 2, seal->seal.tx_id, sizeof seal->seal.tx_id);
	whole &= get_time(result, row, first + 3, &seal->seal.at);
	seal->seal.events = cli_int(result, row, first + 4);
	whole &= get_bytes(result, row, first + 5, seal->seal.last_leaf, SCIM_HASH_SIZE);
	whole &= get_bytes(result, row, first + 6, seal->seal.config_hash, SCIM_HASH_SIZE);
	whole &= get_bytes(result, row, first + 7, seal->seal.prev_hash, SCIM_HASH_SIZE);
	whole &= get_bytes(result, row, first + 8, seal->hash, SCIM_HASH_SIZE);
	seal->damaged = !whole;
}
