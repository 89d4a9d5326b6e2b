/*
 * proof.h
 *		Proofs from a database.
 */
#ifndef SCIM_CLI_PROOF_H
#define SCIM_CLI_PROOF_H

#include <libpq-fe.h>

#include "core/merkle.h"

/* That the tree of size `to` of the log in use begins with that of size `from`; not checked.  Empty when the database has none. */
extern void cli_consistency_proof(PGconn *conn, uint64_t from, uint64_t to, ScimProof *proof);

#endif							/* SCIM_CLI_PROOF_H */
