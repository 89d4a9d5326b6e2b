/*
 * client.h
 *		Identity-provider clients and their bearer tokens.
 *
 * A token is "scim_" and 43 characters of base64url: 256 random bits.  The
 * database keeps its SHA-256, by which it is found, and its last four
 * characters, by which people and the log name it.  scim.create_client() and
 * its like (extension/51_clients.sql) write the tables; this is how a token
 * that came in is judged.
 */
#ifndef SCIM_AUDIT_PG_CLIENT_H
#define SCIM_AUDIT_PG_CLIENT_H

#include "core/entry.h"

#define SCIM_TOKEN_PREFIX "scim_"
#define SCIM_TOKEN_LENGTH 48	/* prefix and 32 bytes in base64url */

/* How a token was found.  To the client all but the first are one answer. */
typedef enum ScimAuditTokenAnswer
{
	SCIM_TOKEN_GOOD,
	SCIM_TOKEN_MISSING,			/* no Authorization header */
	SCIM_TOKEN_NOT_BEARER,		/* another scheme, or no token after it */
	SCIM_TOKEN_UNKNOWN,
	SCIM_TOKEN_WRONG_TENANT,
	SCIM_TOKEN_REVOKED,
	SCIM_TOKEN_EXPIRED,
	SCIM_TOKEN_DISABLED,		/* the client is */
	SCIM_TOKEN_ROLE				/* the client's role may not serve, or whoever issued the token may not use it */
} ScimAuditTokenAnswer;

/* The word for it in the log: "expired". */
extern const char *scim_audit_token_answer_name(ScimAuditTokenAnswer answer);

typedef struct ScimAuditClient
{
	const char *tenant;			/* NULL where no token was found */
	const char *name;
	const char *profile;
	Oid			role;
	char		last_four[5];	/* of what came in; empty where that is no token of ours */
	uint8_t		digest[SCIM_HASH_SIZE]; /* of what came in */
} ScimAuditClient;

/*
 * Judge an Authorization header (absent: ptr NULL) that came for a tenant.
 * What it found is in *client, in the current memory context, for the log
 * also where the token is not good; only of SCIM_TOKEN_WRONG_TENANT must the
 * log tell nothing.  The tables are read as they stand now, so that a
 * revocation counts for the next call.
 */
extern ScimAuditTokenAnswer scim_audit_client_find(ScimStr authorization, ScimStr tenant,
												   ScimAuditClient *client);

/* The client of that name, to try what it may do (scim.doctor): false when there is none whose role may serve. */
extern bool scim_audit_client_by_name(const char *tenant, const char *name, ScimAuditClient *client);

/* May the outer user manage the clients of a tenant?  Its provisioning administrators, and the extension's owner. */
extern bool scim_audit_client_manager(const char *tenant);

/*
 * Note when, from where and with what HTTP status the client's token was used
 * last: at most once a minute for each token, and never waiting for another
 * transaction that does.  Nothing on a standby and in a read-only transaction.
 */
extern void scim_audit_client_used(const ScimAuditClient *client, ScimStr address, int status);

#endif							/* SCIM_AUDIT_PG_CLIENT_H */
