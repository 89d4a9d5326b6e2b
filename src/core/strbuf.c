/*
 * strbuf.c
 *		A growable byte buffer with a mandatory maximum (see strbuf.h).
 */
#include "core/strbuf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
scim_buf_init(ScimBuf *buf, ScimArena *arena, size_t max)
{
	*buf = (ScimBuf) {.max = max, .arena = arena};
}

void
scim_buf_free(ScimBuf *buf)
{
	if (buf->arena == NULL)
		free(buf->data);
	buf->data = NULL;
	buf->len = buf->cap = 0;
}

void
scim_buf_reset(ScimBuf *buf)
{
	buf->len = 0;
	buf->failed = false;
	if (buf->data != NULL)
		buf->data[0] = '\0';
}

void
scim_buf_truncate(ScimBuf *buf, size_t len)
{
	if (buf->failed || buf->data == NULL || len > buf->len)
		return;
	buf->len = len;
	buf->data[len] = '\0';
}

/* For reserve, where there is not room enough yet. */
static bool
grow(ScimBuf *buf, size_t more)
{
	size_t		cap;
	char	   *data;

	if (buf->failed || more > buf->max - buf->len)
	{
		buf->failed = true;
		return false;
	}
	cap = buf->cap > 0 ? buf->cap : 128;
	while (cap <= buf->len + more)
		cap *= 2;
	if (buf->arena == NULL)
		data = realloc(buf->data, cap);
	else if ((data = scim_alloc(buf->arena, cap)) != NULL && buf->len > 0)
		memcpy(data, buf->data, buf->len);
	if (data == NULL)
	{
		buf->failed = true;
		return false;
	}
	buf->data = data;
	buf->cap = cap;
	return true;
}

/* Make room for `more` bytes and a NUL; false, and failed, past the maximum. */
static inline bool
reserve(ScimBuf *buf, size_t more)
{
	return (!buf->failed && more < buf->cap - buf->len && more <= buf->max - buf->len) || grow(buf, more);
}

void
scim_buf_bytes(ScimBuf *buf, const char *ptr, size_t len)
{
	if (!reserve(buf, len))
		return;
	if (len > 0)
		memcpy(buf->data + buf->len, ptr, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
}

void
scim_buf_str(ScimBuf *buf, const char *text)
{
	scim_buf_bytes(buf, text, strlen(text));
}

void
scim_buf_char(ScimBuf *buf, char c)
{
	if (!reserve(buf, 1))
		return;
	buf->data[buf->len++] = c;
	buf->data[buf->len] = '\0';
}

/* Into the room there is; a second time, with enough of it, where that was too little. */
void
scim_buf_vprintf(ScimBuf *buf, const char *fmt, va_list args)
{
	size_t		room = buf->failed ? 0 : buf->cap - buf->len;
	va_list		again;
	int			len;

	va_copy(again, args);
	len = vsnprintf(room > 0 ? buf->data + buf->len : NULL, room, fmt, again);
	va_end(again);
	if (len < 0 || !reserve(buf, (size_t) len))
	{
		if (room > 0)
			buf->data[buf->len] = '\0';
		return;
	}
	if ((size_t) len >= room)
		vsnprintf(buf->data + buf->len, (size_t) len + 1, fmt, args);
	buf->len += (size_t) len;
}

void
scim_buf_printf(ScimBuf *buf, const char *fmt, ...)
{
	va_list		args;

	va_start(args, fmt);
	scim_buf_vprintf(buf, fmt, args);
	va_end(args);
}

void
scim_buf_integer(ScimBuf *buf, int64_t value)
{
	char		text[20];
	char	   *first = text + sizeof(text);
	uint64_t	rest = value < 0 ? 0 - (uint64_t) value : (uint64_t) value;

	do
		*--first = (char) ('0' + rest % 10);
	while ((rest /= 10) > 0);
	if (value < 0)
		*--first = '-';
	scim_buf_bytes(buf, first, (size_t) (text + sizeof(text) - first));
}

void
scim_buf_hex(ScimBuf *buf, const uint8_t *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";

	char	   *out;

	if (!reserve(buf, len * 2))
		return;
	out = buf->data + buf->len;
	for (size_t i = 0; i < len; i++)
	{
		*out++ = digits[bytes[i] >> 4];
		*out++ = digits[bytes[i] & 15];
	}
	*out = '\0';
	buf->len += len * 2;
}

void
scim_buf_base64(ScimBuf *buf, const uint8_t *bytes, size_t len)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	if (!reserve(buf, (len + 2) / 3 * 4))
		return;
	for (size_t i = 0; i < len; i += 3)
	{
		uint32_t	group = (uint32_t) bytes[i] << 16 |
			(i + 1 < len ? (uint32_t) bytes[i + 1] << 8 : 0) |
			(i + 2 < len ? (uint32_t) bytes[i + 2] : 0);

		buf->data[buf->len++] = digits[group >> 18];
		buf->data[buf->len++] = digits[group >> 12 & 63];
		buf->data[buf->len++] = i + 1 < len ? digits[group >> 6 & 63] : '=';
		buf->data[buf->len++] = i + 2 < len ? digits[group & 63] : '=';
	}
	buf->data[buf->len] = '\0';
}

/* How many of the first bytes stand in a JSON string as they are. */
static size_t
verbatim(const char *ptr, size_t len)
{
	size_t		i = 0;

	while (i < len && (unsigned char) ptr[i] >= 0x20 && ptr[i] != 0x7F && ptr[i] != '"' && ptr[i] != '\\')
		i++;
	return i;
}

static void
put_escape(ScimBuf *buf, unsigned char c)
{
	static const char short_escapes[] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n',
	['\f'] = 'f', ['\r'] = 'r', ['"'] = '"', ['\\'] = '\\'};

	if (c < sizeof(short_escapes) && short_escapes[c] != 0)
	{
		scim_buf_char(buf, '\\');
		scim_buf_char(buf, short_escapes[c]);
	}
	else
		scim_buf_printf(buf, "\\u%04x", c);
}

void
scim_buf_json_string(ScimBuf *buf, const char *ptr, size_t len)
{
	scim_buf_char(buf, '"');
	for (;;)
	{
		size_t		n = verbatim(ptr, len);

		scim_buf_bytes(buf, ptr, n);
		if (n == len)
			break;
		put_escape(buf, (unsigned char) ptr[n]);
		ptr += n + 1;
		len -= n + 1;
	}
	scim_buf_char(buf, '"');
}
