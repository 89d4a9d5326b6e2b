/*
 * strbuf.h
 *		A growable byte buffer with a mandatory maximum.
 *
 * Appending past the maximum, or out of memory, sets `failed` and leaves the
 * buffer unchanged from then on, so that a writer checks once at the end.
 * The memory is malloc'd, or the arena's when one is given.
 */
#ifndef SCIM_CORE_STRBUF_H
#define SCIM_CORE_STRBUF_H

#include "core/arena.h"

typedef struct ScimBuf
{
	char	   *data;			/* always NUL-terminated once anything was appended */
	size_t		len;
	size_t		cap;
	size_t		max;
	bool		failed;
	ScimArena  *arena;			/* NULL: malloc'd, freed by scim_buf_free */
} ScimBuf;

extern void scim_buf_init(ScimBuf *buf, ScimArena *arena, size_t max);
extern void scim_buf_free(ScimBuf *buf);	/* no-op for an arena's buffer */
extern void scim_buf_reset(ScimBuf *buf);	/* empty, keep the memory, clear failed */
extern void scim_buf_truncate(ScimBuf *buf, size_t len);	/* back to an earlier length */
extern void scim_buf_bytes(ScimBuf *buf, const char *ptr, size_t len);
extern void scim_buf_str(ScimBuf *buf, const char *text);
extern void scim_buf_char(ScimBuf *buf, char c);
extern void scim_buf_printf(ScimBuf *buf, const char *fmt, ...)
			__attribute__((format(printf, 2, 3)));
extern void scim_buf_vprintf(ScimBuf *buf, const char *fmt, va_list args)
			__attribute__((format(printf, 2, 0)));
extern void scim_buf_integer(ScimBuf *buf, int64_t value);	/* decimal */
extern void scim_buf_hex(ScimBuf *buf, const uint8_t *bytes, size_t len);	/* lowercase */
extern void scim_buf_base64(ScimBuf *buf, const uint8_t *bytes, size_t len);	/* padded */

/*
 * A JSON string literal with its quotes.  Escapes exactly: " \ as \" \\ ;
 * U+0008 U+0009 U+000A U+000C U+000D as \b \t \n \f \r ; other bytes below
 * 0x20 and 0x7F as \u00XX (lowercase hex); everything else verbatim.  This is
 * the escaping of the audit entry format: never change it.
 */
extern void scim_buf_json_string(ScimBuf *buf, const char *ptr, size_t len);

#endif							/* SCIM_CORE_STRBUF_H */
