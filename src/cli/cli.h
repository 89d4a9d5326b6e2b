/*
 * cli.h
 *		scim-audit, the command-line program: what its files share.
 *
 * The program stands on src/core, libpq and OpenSSL's libcrypto, and on no
 * header of the server.  It trusts nothing that it can check: what it needs of
 * the log it renders and hashes itself.  Unlike core it may print and exit.
 */
#ifndef SCIM_CLI_CLI_H
#define SCIM_CLI_CLI_H

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/entry.h"

/* What the program exits with. */
#define CLI_FINE 0
#define CLI_FOUND 1				/* findings; what was to be shown does not hold */
#define CLI_TROUBLE 2			/* wrong usage, no connection, no such file */

typedef struct CliCommand
{
	const char *name;
	const char *arguments;
	const char *summary;
	const char *help;			/* all of it, behind the line with the arguments */
	int			(*run) (int argc, char **argv);
} CliCommand;

extern const CliCommand cli_keygen_command;
extern const CliCommand cli_sign_command;
extern const CliCommand cli_export_command;
extern const CliCommand cli_verify_command;
extern const CliCommand cli_prove_command;
extern const CliCommand cli_check_command;
extern const CliCommand cli_watch_command;

/* One line on standard error, with the hint (may be NULL) behind it; the program ends with CLI_TROUBLE. */
extern void cli_fail(const char *hint, const char *fmt,...)
			__attribute__((noreturn, format(printf, 2, 3)));
extern void cli_out_of_memory(void) __attribute__((noreturn));

/* One line on standard error; the program goes on. */
extern void cli_warn(const char *fmt,...)
			__attribute__((format(printf, 1, 2)));

/*
 * The next option, as getopt_long has it; -1 at the end.  Says the help on -h
 * and --help, and fails for what is no option of the command.
 */
extern int	cli_option(int argc, char **argv, const char *letters, const struct option *options);

/* Behind the options there must be from min to max words. */
extern void cli_words(int argc, int min, int max);

/* A decimal number from 1 to max; fails with the name of what it is. */
extern uint64_t cli_number(const char *text, uint64_t max, const char *what);

extern void *cli_alloc(size_t size);	/* zeroed; fails when out of memory */
extern char *cli_printf(const char *fmt,...)
			__attribute__((format(printf, 1, 2)));	/* malloc'd */

/* Fails when a buffer had no room, or out of memory. */
extern void cli_check_buffer(const ScimBuf *buf);

static inline ScimStr
cli_str(const char *text)
{
	return (ScimStr) {text, text != NULL ? strlen(text) : 0};
}

static inline ScimStr
cli_buf_str(const ScimBuf *buf)
{
	return (ScimStr) {buf->data != NULL ? buf->data : "", buf->len};
}

/* Lower-case hexadecimal; "tx_id:n" of an event. */
extern void cli_uuid_format(const uint8_t uuid[16], char out[37]);
#define CLI_EVENT_ID_SIZE 49
extern void cli_event_id(const uint8_t tx_id[16], int32_t n, char out[CLI_EVENT_ID_SIZE]);

/* The other way round; false for what is no event_id. */
extern bool cli_event_id_parse(ScimStr text, uint8_t tx_id[16], int32_t *n);

/* How far it is, on standard error, where that is a terminal; at most a few times a second. */
extern void cli_progress(const char *what, uint64_t done, uint64_t all);
extern void cli_progress_end(void);

#endif							/* SCIM_CLI_CLI_H */
