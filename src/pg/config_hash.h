/*
 * config_hash.h
 *		A digest of what is audited, for the seals.
 *
 * SHA-256 over a text of lines, each ended by a newline, sorted by byte:
 *
 *	function NAME ["LANGUAGE","probin","prosrc","SETTING",…]
 *		One for each trigger function of ours (record_change,
 *		record_truncate, guard) as the catalog has it.
 *	trigger ["SCHEMA","TABLE","TRIGGER","FUNCTION","STATE",TYPE,"ARGUMENT",…,COLUMN,…,WHEN "CONDITION"]
 *		One for each trigger that calls one of them: tgenabled and tgtype of
 *		pg_trigger, then its arguments, and where it has them the columns of
 *		UPDATE OF and the condition (tgqual).  Left out: a trigger on a partition
 *		that was cloned from its parent's and has the same state, and a
 *		partition's own TRUNCATE trigger in state A whose table at the top has
 *		one that calls the same function - so that next month's partition
 *		changes nothing.
 *	unguarded ["SCHEMA","TABLE"]
 *		A partition of such a table without a TRUNCATE trigger of its own.
 *	event_trigger NAME "STATE"
 *		evtenabled of each event trigger of ours; absent when it is.
 *
 * The version of the extension is not in it: an upgrade that changes nothing
 * of the above changes nothing.
 *
 * The text is only ever compared for change: between seals, and with the
 * events that say why it changed (config_change.c).
 */
#ifndef SCIM_AUDIT_PG_CONFIG_HASH_H
#define SCIM_AUDIT_PG_CONFIG_HASH_H

#include "nodes/pg_list.h"

#include "core/entry.h"

/*
 * The digest as committed transactions and this one have left the catalogs.
 * Kept until a relation, function or event trigger changes anywhere; returns
 * a number that is another one when it was made anew.
 */
extern uint64 scim_audit_config_hash(uint8_t out[SCIM_HASH_SIZE]);

/* The text itself, as a C string in the current memory context. */
extern char *scim_audit_config_text(void);

/* Those lines of it that are about one table, in no order. */
extern List *scim_audit_config_table_lines(Oid table);

/* Called from _PG_init. */
extern void scim_audit_config_hash_init(void);

#endif							/* SCIM_AUDIT_PG_CONFIG_HASH_H */
