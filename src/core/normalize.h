/*
 * normalize.h
 *		Unicode normalization: strings that look the same are the same.
 */
#ifndef SCIM_CORE_NORMALIZE_H
#define SCIM_CORE_NORMALIZE_H

#include "core/strbuf.h"

/*
 * Can normalization change the text?  Nearly never: it holds a combining
 * mark, half of a composition, or a character that has another form.  false
 * also of what is not well-formed UTF-8, which stays as it is.
 */
extern bool scim_normalize_needed(const char *ptr, size_t len);

/*
 * Append a well-formed text in normalization form C (UAX #15).  With width,
 * fullwidth and halfwidth characters become their plain forms before that, as
 * RFC 8265 section 3.3 wants it of user names.
 */
extern void scim_normalize(ScimBuf *buf, const char *ptr, size_t len, bool width);

/*
 * Append a password as it is hashed and compared: the profile OpaqueString
 * of RFC 8265 section 4.2, which makes every space an ASCII one and
 * normalizes, but forbids nothing here.
 */
extern void scim_opaque_string(ScimBuf *buf, const char *ptr, size_t len);

#endif							/* SCIM_CORE_NORMALIZE_H */
