/*
 * json_scan.h
 *		The validating scan before json-c; for json.c and resource_row.c.
 */
#ifndef SCIM_CORE_JSON_SCAN_H
#define SCIM_CORE_JSON_SCAN_H

#include "core/arena.h"

/*
 * Is text one JSON value that scim_json_parse accepts?  *value is then the
 * value without the byte-order mark and white space around it.
 * SCIM_INVALID_SYNTAX, SCIM_PAYLOAD_TOO_LARGE, SCIM_NO_MEMORY.
 */
extern ScimStatus scim_json_scan(ScimArena *arena, ScimStr text, ScimStr *value, ScimError *err);

/* Is text a JSON number (RFC 8259 section 6)? */
extern bool scim_json_is_number(ScimStr text);

#endif							/* SCIM_CORE_JSON_SCAN_H */
