/*
 * text_functions.h
 *		What the rest of src/pg uses of the SQL functions on text and ids.
 */
#ifndef SCIM_AUDIT_PG_TEXT_FUNCTIONS_H
#define SCIM_AUDIT_PG_TEXT_FUNCTIONS_H

#include <stdint.h>

/* A new version 7 UUID of now: scim.uuid7(). */
extern void scim_audit_new_uuid(uint8_t out[16]);

#endif							/* SCIM_AUDIT_PG_TEXT_FUNCTIONS_H */
