/*
 * main.c
 *		scim-audit: which command it is, its options, and what all say alike
 *		(see cli.h).
 */
#include "cli/cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "core/text.h"

static const CliCommand *const commands[] = {
	&cli_export_command, &cli_verify_command, &cli_keygen_command, &cli_sign_command,
	&cli_prove_command, &cli_check_command, &cli_watch_command
};

static const CliCommand *command;	/* the one that runs */
static bool progress_shown;

static void say(const char *hint, const char *fmt, va_list args) __attribute__((format(printf, 2, 0)));


static void
say(const char *hint, const char *fmt, va_list args)
{
	cli_progress_end();
	fprintf(stderr, "scim-audit%s%s: ", command != NULL ? " " : "", command != NULL ? command->name : "");
	vfprintf(stderr, fmt, args);
	if (hint != NULL)
		fprintf(stderr, " (%s)", hint);
	fputc('\n', stderr);
}

void
cli_fail(const char *hint, const char *fmt,...)
{
	va_list		args;

	fflush(stdout);
	va_start(args, fmt);
	say(hint, fmt, args);
	va_end(args);
	exit(CLI_TROUBLE);
}

void
cli_warn(const char *fmt,...)
{
	va_list		args;

	va_start(args, fmt);
	say(NULL, fmt, args);
	va_end(args);
}

void
cli_out_of_memory(void)
{
	cli_fail(NULL, "out of memory");
}

void *
cli_alloc(size_t size)
{
	void	   *result = calloc(1, size > 0 ? size : 1);

	if (result == NULL)
		cli_out_of_memory();
	return result;
}

char *
cli_printf(const char *fmt,...)
{
	va_list		args;
	int			len;
	char	   *result;

	va_start(args, fmt);
	len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (len < 0)
		cli_out_of_memory();
	result = cli_alloc((size_t) len + 1);
	va_start(args, fmt);
	vsnprintf(result, (size_t) len + 1, fmt, args);
	va_end(args);
	return result;
}

void
cli_check_buffer(const ScimBuf *buf)
{
	if (buf->failed)
		cli_out_of_memory();
}

/* Options. */

static void
show_help(void)
{
	printf("Usage: scim-audit %s %s\n\n%s", command->name, command->arguments, command->help);
	exit(CLI_FINE);
}

int
cli_option(int argc, char **argv, const char *letters, const struct option *options)
{
	int			option;

	opterr = 0;
	option = getopt_long(argc, argv, letters, options, NULL);
	if (option == 'h')
		show_help();
	if (option == ':')
		cli_fail(NULL, "the option %s wants a value", argv[optind - 1]);
	if (option == '?')
		cli_fail(cli_printf("scim-audit %s --help lists them", command->name), "there is no option %s", argv[optind - 1]);
	return option;
}

void
cli_words(int argc, int min, int max)
{
	int			words = argc - optind;

	if (words < min || words > max)
		cli_fail(cli_printf("scim-audit %s --help shows an example", command->name), "%s: scim-audit %s %s",
				 words < min ? "something is missing" : "there is a word too many", command->name, command->arguments);
}

uint64_t
cli_number(const char *text, uint64_t max, const char *what)
{
	uint64_t	number;

	if (!scim_decimal_parse(cli_str(text), max, &number) || number == 0)
		cli_fail(NULL, "%s is a number from 1 to %" PRIu64 ", not \"%s\"", what, max, text);
	return number;
}

/* Identifiers of events. */

void
cli_uuid_format(const uint8_t uuid[16], char out[37])
{
	static const char digits[] = "0123456789abcdef";

	for (int i = 0; i < 16; i++)
	{
		*out++ = digits[uuid[i] >> 4];
		*out++ = digits[uuid[i] & 0x0F];
		if (i == 3 || i == 5 || i == 7 || i == 9)
			*out++ = '-';
	}
	*out = '\0';
}

void
cli_event_id(const uint8_t tx_id[16], int32_t n, char out[CLI_EVENT_ID_SIZE])
{
	cli_uuid_format(tx_id, out);
	snprintf(out + 36, CLI_EVENT_ID_SIZE - 36, ":%" PRId32, n);
}

bool
cli_event_id_parse(ScimStr text, uint8_t tx_id[16], int32_t *n)
{
	uint64_t	number;

	if (text.len < 38 || text.ptr[36] != ':' || !scim_uuid_exactly((ScimStr) {text.ptr, 36}, tx_id) ||
		!scim_decimal_parse((ScimStr) {text.ptr + 37, text.len - 37}, INT32_MAX, &number))
		return false;
	*n = (int32_t) number;
	return true;
}

/* Progress. */

void
cli_progress(const char *what, uint64_t done, uint64_t all)
{
	static struct timespec last;
	struct timespec now;

	if (!isatty(STDERR_FILENO))
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if ((now.tv_sec - last.tv_sec) * 10 + (now.tv_nsec - last.tv_nsec) / 100000000 < 2)
		return;
	last = now;
	if (all > 0)
		fprintf(stderr, "\r%s: %" PRIu64 " of %" PRIu64 " (%d %%)\033[K", what, done, all, (int) (done * 100 / all));
	else
		fprintf(stderr, "\r%s: %" PRIu64 "\033[K", what, done);
	fflush(stderr);
	progress_shown = true;
}

void
cli_progress_end(void)
{
	if (progress_shown)
		fputs("\r\033[K", stderr);
	progress_shown = false;
}

/* The program. */

static void
show_usage(FILE *out)
{
	fputs("scim-audit makes the audit log of the PostgreSQL extension scim_audit provable to others.\n\n"
		  "Usage: scim-audit COMMAND [OPTION]...\n\n", out);
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		fprintf(out, "  %-8s %s\n", commands[i]->name, commands[i]->summary);
	fputs("\nscim-audit COMMAND --help explains one, with an example.\n"
		  "The database is the one that -d CONNINFO or PGHOST, PGDATABASE, ... name, as for psql.\n"
		  "The exit status is 0 when all is well, 1 when something was found, 2 for trouble.\n", out);
}

int
main(int argc, char **argv)
{
	int			status;

	if (argc < 2)
	{
		show_usage(stderr);
		return CLI_TROUBLE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0)
	{
		show_usage(stdout);
		return CLI_FINE;
	}
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)
	{
		puts("scim-audit " SCIM_AUDIT_VERSION);
		return CLI_FINE;
	}
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		if (strcmp(argv[1], commands[i]->name) == 0)
			command = commands[i];
	if (command == NULL)
		cli_fail("scim-audit --help lists them", "there is no command \"%s\"", argv[1]);
	status = command->run(argc - 1, argv + 1);
	cli_progress_end();
	if (fflush(stdout) != 0 || ferror(stdout))
		cli_fail(NULL, "could not write to standard output: %s", strerror(errno));
	return status;
}
