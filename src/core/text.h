/*
 * text.h
 *		Characters, case folding, times and identifiers.
 */
#ifndef SCIM_CORE_TEXT_H
#define SCIM_CORE_TEXT_H

#include "core/strbuf.h"

/* Is s well-formed UTF-8 (RFC 3629: no overlong form, no surrogate)? */
extern bool scim_utf8_valid(const char *ptr, size_t len);

/* The character at ptr, len > 0: its bytes and its code; 0 when it is not well-formed. */
extern size_t scim_utf8_decode(const char *ptr, size_t len, uint32_t *code);

/* UTF-8 of a code point that is no surrogate; returns its length. */
extern size_t scim_utf8_encode(uint32_t code, char out[4]);

/* The beginning of s that is at most max bytes long and ends with a whole character: to quote a client. */
extern ScimStr scim_utf8_cut(ScimStr s, size_t max);

/* An ASCII letter in lower case, any other byte as it is. */
static inline unsigned char
scim_ascii_lower(char c)
{
	return (unsigned char) (c >= 'A' && c <= 'Z' ? c + 32 : c);
}

/* ASCII case-insensitive equality: attribute names, operators, methods, URNs. */
extern bool scim_name_equal(ScimStr a, ScimStr b);
extern bool scim_name_is(ScimStr a, const char *b);
extern bool scim_str_equal(ScimStr a, ScimStr b);

/*
 * Case folding for values of attributes with caseExact false: Unicode simple
 * case folding (CaseFolding.txt statuses C and S) from a table of our own, so
 * that no locale and no library version decides which two names are one.
 * Before and after it the text is normalized, fullwidth and halfwidth
 * characters become their plain forms: what RFC 7644 sections 5 and 7.8 ask
 * for (RFC 8265 section 3.3), save that no character is forbidden.  Appends
 * the folded text to buf.  Invalid UTF-8 bytes are copied.  The same function
 * is SQL's scim.fold(text).
 */
extern void scim_fold(ScimBuf *buf, const char *ptr, size_t len);

/*
 * RFC 3339 / xsd:dateTime to microseconds since 1970-01-01 UTC and back
 * (time.c).  Any number of fraction digits is read and cut to six; a missing
 * zone is UTC; years 0001 to 9999, after the zone is applied; second 60 and
 * 24:00:00 are the instant after.  Format is "2026-01-02T03:04:05.678901Z",
 * with all six digits always when always_fraction, else without fraction
 * when it is zero; a time outside the years is written as the nearest inside.
 */
extern bool scim_time_parse(ScimStr text, int64_t *micros);
#define SCIM_TIME_SIZE 28		/* with the terminating NUL */
extern void scim_time_format(int64_t micros, bool always_fraction, char out[SCIM_TIME_SIZE]);

/* Is s a UUID in the 8-4-4-4-12 form (either case)?  Writes it in lower case when out is given. */
#define SCIM_UUID_SIZE 37		/* with the terminating NUL */
extern bool scim_uuid_parse(ScimStr s, char out[SCIM_UUID_SIZE]);

/* The text of a UUID, in lower case. */
extern void scim_uuid_format(const uint8_t uuid[16], char out[SCIM_UUID_SIZE]);

/* The bytes that exactly 2 * len lower-case hexadecimal digits stand for; of a UUID in lower case. */
extern bool scim_hex_exactly(ScimStr s, uint8_t *out, size_t len);
extern bool scim_uuid_exactly(ScimStr s, uint8_t out[16]);

/* Percent-decoding (RFC 3986), '+' as space when plus is set; false on a bad
 * escape, NUL, or invalid UTF-8. */
extern bool scim_percent_decode(ScimBuf *buf, ScimStr s, bool plus);

/*
 * Base64 (RFC 4648 section 4) in the one spelling that scim_buf_base64
 * writes: padded, no other character, unused bits zero.  Appends what it
 * stands for; false, and nothing appended, for any other text; false, and
 * buf failed, when there is no room.
 */
extern bool scim_base64_decode(ScimBuf *buf, ScimStr s);

/* The same of exactly len bytes, into out. */
extern bool scim_base64_exactly(ScimStr s, uint8_t *out, size_t len);

/* A number in decimal digits, no sign, no leading zero, not above max. */
extern bool scim_decimal_parse(ScimStr s, uint64_t max, uint64_t *number);

#endif							/* SCIM_CORE_TEXT_H */
