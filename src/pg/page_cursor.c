/*
 * page_cursor.c
 *		Cursors of lists (see page_cursor.h).
 */
#include "pg/compat.h"

#include <string.h>

#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "core/entry.h"
#include "pg/guc.h"
#include "pg/key_digest.h"
#include "pg/page_cursor.h"

/* kind, expiry in seconds since PostgreSQL's epoch, then the id or the offset */
#define PAYLOAD_SIZE (1 + 8 + 16)
#define MAC_SIZE 16
#define CURSOR_SIZE (PAYLOAD_SIZE + MAC_SIZE)

enum
{
	KIND_AFTER = 1, KIND_OFFSET
};

static void
put_int64(uint8 *to, int64 value)
{
	int			i;

	for (i = 0; i < 8; i++)
		to[i] = (uint8) ((uint64) value >> (56 - 8 * i));
}

static int64
get_int64(const uint8 *from)
{
	uint64		value = 0;
	int			i;

	for (i = 0; i < 8; i++)
		value = value << 8 | from[i];
	return (int64) value;
}

/* One more part of what is authenticated, with its length before it. */
static void
add_part(ScimBuf *buf, ScimStr part)
{
	uint8		length[8];

	put_int64(length, part.ptr == NULL ? -1 : (int64) part.len);
	scim_buf_bytes(buf, (const char *) length, sizeof(length));
	if (part.ptr != NULL)
		scim_buf_bytes(buf, part.ptr, part.len);
}

static void
authenticate(ScimAuditExchange *x, const uint8 *payload, uint8 hash[SCIM_HASH_SIZE])
{
	const ScimQuery *list = &x->request.list;
	const char *type = x->request.type != NULL ? x->request.type->name : "";
	ScimBuf		buf;

	scim_buf_init(&buf, x->arena, MaxAllocSize);
	add_part(&buf, (ScimStr) {(const char *) payload, PAYLOAD_SIZE});
	add_part(&buf, scim_audit_tenant_str(x));
	add_part(&buf, (ScimStr) {x->context.actor_type, strlen(x->context.actor_type)});
	add_part(&buf, (ScimStr) {x->context.actor, strlen(x->context.actor)});
	add_part(&buf, (ScimStr) {type, strlen(type)});
	add_part(&buf, list->filter);
	add_part(&buf, list->sort_by);
	add_part(&buf, list->sort_order);
	if (buf.failed)
		scim_audit_checked(SCIM_NO_MEMORY);
	if (!scim_audit_hmac("cursor", (ScimStr) {buf.data, buf.len}, hash))
		elog(ERROR, "the secret of cursors is gone");
}

static int64
now_in_seconds(void)
{
	return GetCurrentTimestamp() / USECS_PER_SEC;
}

const char *
scim_audit_cursor_make(ScimAuditExchange *x, const ScimAuditPosition *position)
{
	uint8		cursor[CURSOR_SIZE] = {0};
	uint8		hash[SCIM_HASH_SIZE];
	char	   *text = scim_alloc(x->arena, CURSOR_SIZE * 2 + 1);

	if (text == NULL)
		scim_audit_checked(SCIM_NO_MEMORY);
	cursor[0] = position->after.ptr != NULL ? KIND_AFTER : KIND_OFFSET;
	put_int64(cursor + 1, now_in_seconds() + scim_audit_cursor_timeout);
	if (position->after.ptr != NULL)
	{
		pg_uuid_t  *id = DatumGetUUIDP(DirectFunctionCall1(uuid_in, CStringGetDatum(pnstrdup(position->after.ptr, position->after.len))));

		memcpy(cursor + 9, id->data, UUID_LEN);
	}
	else
		put_int64(cursor + 9, position->offset);
	authenticate(x, cursor, hash);
	memcpy(cursor + PAYLOAD_SIZE, hash, MAC_SIZE);
	hex_encode((const char *) cursor, CURSOR_SIZE, text);
	text[CURSOR_SIZE * 2] = '\0';
	return text;
}

/* The bytes of a cursor; false for any other text. */
static bool
decode(ScimStr text, uint8 cursor[CURSOR_SIZE])
{
	size_t		i;

	if (text.len != CURSOR_SIZE * 2)
		return false;
	for (i = 0; i < text.len; i++)
		if (strchr("0123456789abcdef", text.ptr[i]) == NULL)
			return false;
	hex_decode(text.ptr, text.len, (char *) cursor);
	return true;
}

/* In a time that does not depend on where they differ. */
static bool
same_mac(const uint8 *a, const uint8 *b)
{
	uint8		differences = 0;
	int			i;

	for (i = 0; i < MAC_SIZE; i++)
		differences |= a[i] ^ b[i];
	return differences == 0;
}

ScimStatus
scim_audit_cursor_read(ScimAuditExchange *x, ScimAuditPosition *position)
{
	ScimStr		text = x->request.list.cursor;
	uint8		cursor[CURSOR_SIZE];
	uint8		hash[SCIM_HASH_SIZE];
	char	   *id;

	*position = (ScimAuditPosition) {SCIM_STR_NONE, 0};
	if (text.len == 0)
		return SCIM_OK;
	if (!decode(text, cursor))
		return scim_error(&x->error, SCIM_INVALID_CURSOR, "the cursor is not one of this list");
	authenticate(x, cursor, hash);
	if (!same_mac(hash, cursor + PAYLOAD_SIZE))
		return scim_error(&x->error, SCIM_INVALID_CURSOR, "the cursor is not one of this list");
	if (get_int64(cursor + 1) < now_in_seconds())
		return scim_error(&x->error, SCIM_EXPIRED_CURSOR, "the cursor has expired: begin with an empty one");
	if (cursor[0] == KIND_OFFSET)
	{
		position->offset = get_int64(cursor + 9);
		return SCIM_OK;
	}
	id = DatumGetCString(DirectFunctionCall1(uuid_out, PointerGetDatum(cursor + 9)));
	position->after = (ScimStr) {id, strlen(id)};
	return SCIM_OK;
}
