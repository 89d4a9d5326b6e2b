/*
 * json_text.h
 *		JSON strings into a StringInfo.
 */
#ifndef SCIM_AUDIT_PG_JSON_TEXT_H
#define SCIM_AUDIT_PG_JSON_TEXT_H

#include "lib/stringinfo.h"

/*
 * Append len bytes of UTF-8 without NUL as a JSON string with its quotes,
 * escaped as scim_buf_json_string does.
 */
extern void scim_audit_json_string(StringInfo out, const char *text, size_t len);

#endif							/* SCIM_AUDIT_PG_JSON_TEXT_H */
