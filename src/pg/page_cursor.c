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

/* kind, expiry in seconds since PostgreSQL's epoch, id, length of the type's name; then that name and the sort key */
#define EXPIRY_AT 1
#define ID_AT (EXPIRY_AT + 8)
#define TYPE_AT (ID_AT + UUID_LEN + 1)
#define KEY_MAX 1024			/* so that a cursor fits into a URI */
#define MAC_SIZE 16
#define CURSOR_MAX (TYPE_AT + 255 + KEY_MAX + MAC_SIZE)

/* Of the sort key: it is there, there is none, it is too long to be there. */
enum
{
	KIND_KEY = 1, KIND_NO_KEY, KIND_LONG_KEY
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
authenticate(ScimAuditExchange *x, const uint8 *payload, size_t size, uint8 hash[SCIM_HASH_SIZE])
{
	const ScimQuery *list = &x->request.list;
	const char *type = x->request.type != NULL ? x->request.type->name : "";
	ScimBuf		buf;

	scim_buf_init(&buf, x->arena, MaxAllocSize);
	add_part(&buf, (ScimStr) {(const char *) payload, size});
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
	bool		carried = position->has_key && position->key.len <= KEY_MAX;
	char	   *id = pnstrdup(position->id.ptr, position->id.len);
	size_t		size = TYPE_AT + position->type.len;
	uint8		cursor[CURSOR_MAX];
	uint8		hash[SCIM_HASH_SIZE];
	char	   *text;

	if (position->type.len > 255)
		elog(ERROR, "the name of a resource type is too long");
	cursor[0] = carried ? KIND_KEY : position->has_key ? KIND_LONG_KEY : KIND_NO_KEY;
	put_int64(cursor + EXPIRY_AT, now_in_seconds() + scim_audit_cursor_timeout);
	memcpy(cursor + ID_AT, DatumGetUUIDP(DirectFunctionCall1(uuid_in, CStringGetDatum(id)))->data, UUID_LEN);
	cursor[TYPE_AT - 1] = (uint8) position->type.len;
	memcpy(cursor + TYPE_AT, position->type.ptr, position->type.len);
	if (carried)
	{
		memcpy(cursor + size, position->key.ptr, position->key.len);
		size += position->key.len;
	}
	authenticate(x, cursor, size, hash);
	memcpy(cursor + size, hash, MAC_SIZE);
	size += MAC_SIZE;

	text = scim_alloc(x->arena, size * 2 + 1);
	if (text == NULL)
		scim_audit_checked(SCIM_NO_MEMORY);
	hex_encode((const char *) cursor, size, text);
	text[size * 2] = '\0';
	return text;
}

/* The bytes of a cursor, how many; 0 for any other text. */
static size_t
decode(ScimStr text, uint8 cursor[CURSOR_MAX])
{
	size_t		size = text.len / 2;
	size_t		i;

	if (text.len % 2 != 0 || size < TYPE_AT + MAC_SIZE || size > CURSOR_MAX)
		return 0;
	for (i = 0; i < text.len; i++)
		if (!((text.ptr[i] >= '0' && text.ptr[i] <= '9') || (text.ptr[i] >= 'a' && text.ptr[i] <= 'f')))
			return 0;
	hex_decode(text.ptr, text.len, (char *) cursor);
	return size;
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
scim_audit_cursor_invalid(ScimAuditExchange *x)
{
	return scim_error(&x->error, SCIM_INVALID_CURSOR, "the cursor is not one of this list");
}

/* A copy in the request's arena. */
static ScimStr
copy(ScimAuditExchange *x, const void *bytes, size_t len)
{
	char	   *text = scim_strdup(x->arena, (ScimStr) {bytes, len});

	if (text == NULL)
		scim_audit_checked(SCIM_NO_MEMORY);
	return (ScimStr) {text, len};
}

ScimStatus
scim_audit_cursor_read(ScimAuditExchange *x, ScimAuditPosition *position)
{
	ScimStr		text = x->request.list.cursor;
	uint8		cursor[CURSOR_MAX];
	uint8		hash[SCIM_HASH_SIZE];
	size_t		size;
	size_t		key_at;
	char	   *id;

	*position = (ScimAuditPosition) {SCIM_STR_NONE};
	if (text.len == 0)
		return SCIM_OK;
	size = decode(text, cursor);
	if (size == 0)
		return scim_audit_cursor_invalid(x);
	size -= MAC_SIZE;
	authenticate(x, cursor, size, hash);
	if (!same_mac(hash, cursor + size))
		return scim_audit_cursor_invalid(x);

	/* From here on it is one that was made above. */
	if (get_int64(cursor + EXPIRY_AT) < now_in_seconds())
		return scim_error(&x->error, SCIM_EXPIRED_CURSOR, "the cursor has expired: begin with an empty one");
	key_at = TYPE_AT + cursor[TYPE_AT - 1];
	id = DatumGetCString(DirectFunctionCall1(uuid_out, PointerGetDatum(cursor + ID_AT)));
	position->id = (ScimStr) {id, strlen(id)};
	position->type = copy(x, cursor + TYPE_AT, cursor[TYPE_AT - 1]);
	position->has_key = cursor[0] != KIND_NO_KEY;
	if (cursor[0] == KIND_KEY)
		position->key = copy(x, cursor + key_at, size - key_at);
	return SCIM_OK;
}
