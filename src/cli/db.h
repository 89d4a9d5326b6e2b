/*
 * db.h
 *		The database, by libpq: as libpq is told, by a connection string or by
 *		PGHOST and its like.
 */
#ifndef SCIM_CLI_DB_H
#define SCIM_CLI_DB_H

#include <libpq-fe.h>

#include "core/verify.h"

/* Fails when there is no connection, or no extension in it. */
extern PGconn *cli_connect(const char *conninfo);

/* Run one statement with up to 4 text parameters; fails with the server's message. */
extern PGresult *cli_query(PGconn *conn, const char *query, int n, ...);

/* The first value of the first row, malloc'd; NULL where it is null or there is no row. */
extern char *cli_value(PGconn *conn, const char *query, int n, ...);

/* Fails with what the server said, and its hint. */
extern void cli_server_error(PGconn *conn, const PGresult *result) __attribute__((noreturn));

/* The transaction in which all of the log is read: one snapshot, nothing written. */
extern void cli_begin_snapshot(PGconn *conn);

/* Bytes of bytea in text format. */
extern bool cli_bytea(const char *text, uint8_t *out, size_t len);

/*
 * Rows in binary format, one at a time, of a statement with up to 4 integer
 * or text parameters: nothing else can run on the connection until the last
 * one was read.
 */
typedef struct CliRows
{
	PGconn	   *conn;
	PGresult   *result;			/* holds the row; NULL at the end */
} CliRows;

extern void cli_rows_open(CliRows *rows, PGconn *conn, const char *query, int n, ...);
extern bool cli_rows_next(CliRows *rows);

/* Rows of a cursor, in binary format, fetched by the hundred; several may be open side by side. */
typedef struct CliCursor
{
	PGconn	   *conn;
	PGresult   *result;
	int			row;
	char		fetch[64];
} CliCursor;

extern void cli_cursor_open(CliCursor *cursor, PGconn *conn, const char *name, const char *query);
extern bool cli_cursor_next(CliCursor *cursor);

/* Values of a row in binary format. */
extern ScimStr cli_text(const PGresult *result, int row, int column);	/* absent: null */
extern int32_t cli_int(const PGresult *result, int row, int column);	/* 0: null */
extern int64_t cli_bigint(const PGresult *result, int row, int column);

/* Columns of an event and of a seal, as the functions below read them. */
#define CLI_EVENT_COLUMNS \
	"e.tx_id, e.n, e.at, e.tenant, e.category, e.action, e.event_type, e.outcome, e.status, e.scim_type," \
	" e.actor, e.actor_type, e.credential, e.session_role, e.effective_role, e.origin, e.resource_type," \
	" e.resource_id, e.changed, e.request_id, e.method, e.detail_hash, e.prev_hash, e.leaf_hash, e.detail_salt, e.detail"

/*
 * The leaves of a tree, by spans p, seals s and events e.  OFFSET 0 keeps the
 * planner from joining all seals with all events first: of each span its seals
 * are looked up, and of each seal its events.
 */
#define CLI_EVENTS_OF_SEAL \
	"(SELECT * FROM scim_audit.events v WHERE v.tx_id = s.tx_id AND v.n >= 0 AND v.n < s.events OFFSET 0) e"
#define CLI_LEAVES \
	"scim_audit.checkpoint_spans p CROSS JOIN LATERAL (" \
	"SELECT * FROM scim_audit.seals t WHERE t.chain = p.chain AND t.seq >= p.from_seq AND t.seq <= p.to_seq OFFSET 0) s" \
	" LEFT JOIN LATERAL " CLI_EVENTS_OF_SEAL " ON true"

#define CLI_SEAL_COLUMNS "s.chain, s.seq, s.tx_id, s.at, s.events, s.last_leaf, s.config_hash, s.prev_hash, s.hash"

/*
 * An event, or a seal, from these columns, the first of which is given.  What
 * has no place in an entry makes it damaged, as scim_audit.verify() has it.
 * Texts live as long as the row, changed as long as the array of the caller,
 * who gives back the same one each time.
 */
typedef struct CliTexts
{
	ScimStr    *text;
	int			size;
} CliTexts;

extern void cli_event(const PGresult *result, int row, int first, CliTexts *texts, ScimVerifyEvent *event);
extern void cli_seal(const PGresult *result, int row, int first, ScimVerifySeal *seal);

#endif							/* SCIM_CLI_DB_H */
