/*
 * cursor.h
 *		A position in a text, and the bounded steps that parsers take in it.
 *
 * A cursor never reads at or past its end and never needs a terminating NUL.
 * Each step either consumes what it names or leaves the cursor where it was.
 * The results point into the text, but for a decoded string.
 */
#ifndef SCIM_CORE_CURSOR_H
#define SCIM_CORE_CURSOR_H

#include "core/arena.h"

typedef struct ScimCursor
{
	const char *start;
	const char *ptr;			/* the next byte */
	const char *end;
} ScimCursor;

extern ScimCursor scim_cursor(ScimStr text);

extern bool scim_cursor_at_end(const ScimCursor *cursor);

/* Bytes before the cursor. */
extern size_t scim_cursor_offset(const ScimCursor *cursor);

/* The next byte (0 to 255), or -1 at the end. */
extern int	scim_cursor_peek(const ScimCursor *cursor);

/* Step over one byte if it is the one expected. */
extern bool scim_cursor_byte(ScimCursor *cursor, char expected);

/* Step over these bytes if they are the next ones. */
extern bool scim_cursor_literal(ScimCursor *cursor, const char *expected);

/* Step over spaces (U+0020 only, as RFC 7644 figure 1 has it); returns how many. */
extern size_t scim_cursor_spaces(ScimCursor *cursor);

/* Step over a line and its newline, which is not in it; absent at the end and
 * where the last line has no newline. */
extern ScimStr scim_cursor_line(ScimCursor *cursor);

/* Step over ASCII letters; empty when there is none. */
extern ScimStr scim_cursor_word(ScimCursor *cursor);

/* Step over an attribute name: ALPHA *("-" / "_" / DIGIT / ALPHA) (RFC 7643
 * section 2.1), or "$ref"; absent when there is none. */
extern ScimStr scim_cursor_name(ScimCursor *cursor);

/* Step over a JSON number (RFC 8259 section 6); absent when there is none. */
extern ScimStr scim_cursor_number(ScimCursor *cursor);

/*
 * Step over a JSON string with its quotes and decode it.  *out is in the
 * arena, or points into the text where nothing is escaped.
 * SCIM_INVALID_SYNTAX for what is no JSON string, an unpaired surrogate,
 * U+0000 or a raw control character; SCIM_NO_MEMORY.
 */
extern ScimStatus scim_cursor_string(ScimCursor *cursor, ScimArena *arena, ScimStr *out);

#endif							/* SCIM_CORE_CURSOR_H */
