/*
 * row.h
 *		Values as JSON: one rendering of each type, whatever the session's
 *		settings.
 *
 *	boolean, smallint, integer, bigint		true, 42
 *	real, double precision					shortest decimal that reads back the same
 *	numeric									as it is
 *	NaN and the infinities					strings
 *	json, jsonb								embedded; a json value that would not cast to
 *											jsonb is a string of its text
 *	timestamptz								"2026-01-02T03:04:05.6789Z", UTC
 *	timestamp, date							"2026-01-02T03:04:05", "2026-01-02"
 *											(fractions of a second without trailing zeros)
 *	bytea									"\x00ff"
 *	one-dimensional array from 1			array of these, null for null
 *	all others								string of the type's output, with DateStyle ISO,
 *											UTC, extra_float_digits 1, IntervalStyle
 *											iso_8601, bytea_output hex, lc_monetary C,
 *											search_path pg_catalog, xmlbinary base64,
 *											quote_all_identifiers off
 * A value whose rendering is longer than SCIM_AUDIT_VALUE_MAX bytes is
 * replaced by the string "[sha256 DIGEST, N bytes]" of that rendering.
 */
#ifndef SCIM_AUDIT_PG_ROW_H
#define SCIM_AUDIT_PG_ROW_H

#include "fmgr.h"
#include "lib/stringinfo.h"

#include "core/scim.h"

#define SCIM_AUDIT_VALUE_MAX (1024 * 1024)

typedef struct ScimAuditType ScimAuditType;

/* Does rendering the type need the settings pinned (scim_audit_pin_settings)? */
extern bool scim_audit_type_pinned(const ScimAuditType *type);

/* How to render a type (element types included), allocated in context. */
extern ScimAuditType *scim_audit_type_make(Oid type, MemoryContext context);

/* Append a value that is not null, as JSON. */
extern void scim_audit_value_json(StringInfo out, const ScimAuditType *type, Datum value);

/* The same as plain text: a JSON string's without quotes and escapes.  Part of the value, or palloc'd. */
extern ScimStr scim_audit_value_text(const ScimAuditType *type, Datum value);

/* Set the settings above; the result goes to scim_audit_unpin_settings.  An
 * error in between ends with the (sub)transaction, which resets them. */
extern int	scim_audit_pin_settings(void);
extern void scim_audit_unpin_settings(int nest_level);

#endif							/* SCIM_AUDIT_PG_ROW_H */
