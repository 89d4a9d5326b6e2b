/*
 * tap.h
 *		A unit test's voice: plan-less TAP, version 12.
 *
 * A test program calls ok, is_str and is_int as often as it likes and ends
 * with `return done_testing();` from main, which prints the plan.  A program
 * that dies before it prints none, and the runner counts that as a failure.
 * Header-only; each test is one program.
 */
#ifndef SCIM_TEST_TAP_H
#define SCIM_TEST_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int	tap_tests;
static int	tap_failures;

/* The result line; a newline or # in the name would break TAP, so both become a blank. */
static inline void
tap_line(bool passed, const char *fmt, va_list args)
{
	char		name[512];
	char	   *p;

	vsnprintf(name, sizeof(name), fmt, args);
	for (p = name; *p != '\0'; p++)
	{
		if (*p == '\n' || *p == '\r' || *p == '#')
			*p = ' ';
	}
	tap_tests++;
	if (!passed)
		tap_failures++;
	printf("%sok %d - %s\n", passed ? "" : "not ", tap_tests, name);
	fflush(stdout);
}

/* A value in a diagnostic, every line of it a TAP comment. */
static inline void
tap_value(const char *label, const char *value)
{
	printf("#   %s: ", label);
	if (value == NULL)
		printf("(null)");
	else
	{
		putchar('"');
		for (; *value != '\0'; value++)
		{
			putchar(*value);
			if (*value == '\n')
				printf("#     ");
		}
		putchar('"');
	}
	putchar('\n');
	fflush(stdout);
}

static inline bool __attribute__((format(printf, 2, 3), unused))
ok(bool cond, const char *fmt, ...)
{
	va_list		args;

	va_start(args, fmt);
	tap_line(cond, fmt, args);
	va_end(args);
	return cond;
}

/* Are two strings equal?  NULL equals only NULL. */
static inline bool __attribute__((format(printf, 3, 4), unused))
is_str(const char *got, const char *want, const char *fmt, ...)
{
	bool		same = (got == NULL || want == NULL) ? got == want : strcmp(got, want) == 0;
	va_list		args;

	va_start(args, fmt);
	tap_line(same, fmt, args);
	va_end(args);
	if (!same)
	{
		tap_value("got ", got);
		tap_value("want", want);
	}
	return same;
}

static inline bool __attribute__((format(printf, 3, 4), unused))
is_int(long long got, long long want, const char *fmt, ...)
{
	va_list		args;

	va_start(args, fmt);
	tap_line(got == want, fmt, args);
	va_end(args);
	if (got != want)
		printf("#   got : %lld\n#   want: %lld\n", got, want);
	return got == want;
}

/* Print the plan; main's return value: 0 when every test passed and there was one. */
static inline int __attribute__((unused))
done_testing(void)
{
	printf("1..%d\n", tap_tests);
	fflush(stdout);
	return tap_tests > 0 && tap_failures == 0 ? 0 : 1;
}

#endif							/* SCIM_TEST_TAP_H */
