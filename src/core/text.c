/*
 * text.c
 *		Characters, case folding, times and identifiers (see text.h).
 */
#include "core/text.h"

#include "core/fold_table.h"
#include "core/normalize.h"

#include <stdio.h>
#include <string.h>

size_t
scim_utf8_decode(const char *ptr, size_t len, uint32_t *code)
{
	unsigned char lead = (unsigned char) ptr[0];
	size_t		need = lead < 0x80 ? 1 : lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;

	if (need == 0 || need > len)
		return 0;
	if (need == 1)
	{
		*code = lead;
		return 1;
	}
	*code = lead & (0xFFu >> (need + 1));
	for (size_t i = 1; i < need; i++)
	{
		if (((unsigned char) ptr[i] & 0xC0) != 0x80)
			return 0;
		*code = *code << 6 | ((unsigned char) ptr[i] & 0x3F);
	}
	if ((need == 3 && (*code < 0x800 || (*code >= 0xD800 && *code <= 0xDFFF))) ||
		(need == 4 && (*code < 0x10000 || *code > 0x10FFFF)))
		return 0;
	return need;
}

bool
scim_utf8_valid(const char *ptr, size_t len)
{
	uint32_t	code;

	for (size_t i = 0; i < len;)
	{
		size_t		step;

		if ((unsigned char) ptr[i] < 0x80)
		{
			i++;
			continue;
		}
		step = scim_utf8_decode(ptr + i, len - i, &code);
		if (step == 0)
			return false;
		i += step;
	}
	return true;
}

ScimStr
scim_utf8_cut(ScimStr s, size_t max)
{
	if (s.len <= max)
		return s;
	while (max > 0 && ((unsigned char) s.ptr[max] & 0xC0) == 0x80)
		max--;
	return (ScimStr) {s.ptr, max};
}

bool
scim_name_equal(ScimStr a, ScimStr b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
	{
		if (scim_ascii_lower(a.ptr[i]) != scim_ascii_lower(b.ptr[i]))
			return false;
	}
	return true;
}

bool
scim_name_is(ScimStr a, const char *b)
{
	return scim_name_equal(a, (ScimStr) {b, strlen(b)});
}

bool
scim_str_equal(ScimStr a, ScimStr b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* Simple folding of one character, by binary search over the runs. */
static uint32_t
fold_character(uint32_t code)
{
	size_t		low = 0;
	size_t		high = sizeof(fold_runs) / sizeof(fold_runs[0]);

	while (low < high)
	{
		size_t		middle = (low + high) / 2;
		const FoldRun *run = &fold_runs[middle];

		if (code < run->first)
			high = middle;
		else if (code > run->last)
			low = middle + 1;
		else if ((code - run->first) % (uint32_t) run->step == 0)
			return (uint32_t) ((int64_t) code + run->delta);
		else
			return code;
	}
	return code;
}

size_t
scim_utf8_encode(uint32_t code, char out[4])
{
	if (code < 0x80)
	{
		out[0] = (char) code;
		return 1;
	}
	if (code < 0x800)
	{
		out[0] = (char) (0xC0 | code >> 6);
		out[1] = (char) (0x80 | (code & 0x3F));
		return 2;
	}
	if (code < 0x10000)
	{
		out[0] = (char) (0xE0 | code >> 12);
		out[1] = (char) (0x80 | (code >> 6 & 0x3F));
		out[2] = (char) (0x80 | (code & 0x3F));
		return 3;
	}
	out[0] = (char) (0xF0 | code >> 18);
	out[1] = (char) (0x80 | (code >> 12 & 0x3F));
	out[2] = (char) (0x80 | (code >> 6 & 0x3F));
	out[3] = (char) (0x80 | (code & 0x3F));
	return 4;
}

/* Each character by itself; bytes that are none are copied. */
static void
fold_characters(ScimBuf *buf, const char *ptr, size_t len)
{
	size_t		done = 0;		/* bytes before it are in buf */

	for (size_t i = 0; i < len;)
	{
		uint32_t	code = 0;
		uint32_t	folded;
		size_t		step = scim_utf8_decode(ptr + i, len - i, &code);
		char		character[4];

		if (step == 0 || (folded = fold_character(code)) == code)
		{
			i += step > 0 ? step : 1;
			continue;
		}
		scim_buf_bytes(buf, ptr + done, i - done);
		scim_buf_bytes(buf, character, scim_utf8_encode(folded, character));
		i += step;
		done = i;
	}
	if (done < len)
		scim_buf_bytes(buf, ptr + done, len - done);
}

void
scim_fold(ScimBuf *buf, const char *ptr, size_t len)
{
	ScimBuf		normal;
	ScimBuf		folded;

	if (!scim_normalize_needed(ptr, len))
	{
		fold_characters(buf, ptr, len);
		return;
	}
	scim_buf_init(&normal, NULL, SIZE_MAX / 4);
	scim_buf_init(&folded, NULL, SIZE_MAX / 4);
	scim_normalize(&normal, ptr, len, true);
	fold_characters(&folded, normal.data, normal.len);
	scim_normalize(buf, folded.data, folded.len, false);
	buf->failed = buf->failed || normal.failed || folded.failed;
	scim_buf_free(&normal);
	scim_buf_free(&folded);
}

/* Values of lower-case hexadecimal digits, one more than they are; 0 for every other byte. */
static const uint8_t hex_values[256] = {
	['0'] = 1, ['1'] = 2, ['2'] = 3, ['3'] = 4, ['4'] = 5, ['5'] = 6, ['6'] = 7, ['7'] = 8, ['8'] = 9, ['9'] = 10,
	['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16
};

bool
scim_uuid_parse(ScimStr s, char out[SCIM_UUID_SIZE])
{
	const uint64_t hyphens = 1 << 8 | 1 << 13 | 1 << 18 | 1 << 23;

	if (s.len != 36)
		return false;
	for (size_t i = 0; i < 36; i++)
	{
		unsigned char c = scim_ascii_lower(s.ptr[i]);

		if ((hyphens >> i & 1) != 0 ? c != '-' : hex_values[c] == 0)
			return false;
		if (out != NULL)
			out[i] = (char) c;
	}
	if (out != NULL)
		out[36] = '\0';
	return true;
}

void
scim_uuid_format(const uint8_t uuid[16], char out[SCIM_UUID_SIZE])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < 16; i++)
	{
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*out++ = '-';
		*out++ = digits[uuid[i] >> 4];
		*out++ = digits[uuid[i] & 15];
	}
	*out = '\0';
}

/* Value of a hexadecimal digit, or -1. */
static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool
scim_percent_decode(ScimBuf *buf, ScimStr s, bool plus)
{
	size_t		start = buf->len;

	for (size_t i = 0; i < s.len; i++)
	{
		char		c = s.ptr[i];

		if (c == '%')
		{
			int			high = i + 2 < s.len ? hex_value(s.ptr[i + 1]) : -1;
			int			low = i + 2 < s.len ? hex_value(s.ptr[i + 2]) : -1;

			if (high < 0 || low < 0)
				return false;
			c = (char) (high * 16 + low);
			i += 2;
		}
		else if (c == '+' && plus)
			c = ' ';
		if (c == '\0')
			return false;
		scim_buf_char(buf, c);
	}
	return !buf->failed && (buf->len == start || scim_utf8_valid(buf->data + start, buf->len - start));
}

/* Value of a base64 digit, or -1. */
static int
base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

/* How many bytes base64 of this length and padding stands for; its length is a multiple of four. */
static size_t
base64_bytes(ScimStr s)
{
	size_t		len = s.len / 4 * 3;

	if (len > 0 && s.ptr[s.len - 1] == '=')
		len -= s.ptr[s.len - 2] == '=' ? 2 : 1;
	return len;
}

bool
scim_base64_exactly(ScimStr s, uint8_t *out, size_t len)
{
	uint32_t	bits = 0;
	int			n = 0;

	if (s.len % 4 != 0 || base64_bytes(s) != len)
		return false;
	for (size_t i = 0; i < (len * 8 + 5) / 6; i++)
	{
		int			value = base64_value(s.ptr[i]);

		if (value < 0)
			return false;
		bits = bits << 6 | (uint32_t) value;
		n += 6;
		if (n < 8)
			continue;
		n -= 8;
		*out++ = (uint8_t) (bits >> n);
		bits &= (UINT32_C(1) << n) - 1;
	}
	return bits == 0;
}

bool
scim_base64_decode(ScimBuf *buf, ScimStr s)
{
	size_t		start = buf->len;

	if (s.len % 4 != 0)
		return false;
	for (size_t i = 0; i < s.len; i += 4)
	{
		ScimStr		group = {s.ptr + i, 4};
		uint8_t		bytes[3];
		size_t		len = i + 4 < s.len ? 3 : base64_bytes(group);

		if (!scim_base64_exactly(group, bytes, len))
		{
			scim_buf_truncate(buf, start);
			return false;
		}
		scim_buf_bytes(buf, (const char *) bytes, len);
	}
	return !buf->failed;
}

bool
scim_decimal_parse(ScimStr s, uint64_t max, uint64_t *number)
{
	uint64_t	result = 0;

	if (s.len == 0 || (s.len > 1 && s.ptr[0] == '0'))
		return false;
	for (size_t i = 0; i < s.len; i++)
	{
		uint64_t	digit = (uint64_t) (unsigned char) s.ptr[i] - '0';

		if (digit > 9 || result > max / 10 || digit > max - result * 10)
			return false;
		result = result * 10 + digit;
	}
	*number = result;
	return true;
}

bool
scim_hex_exactly(ScimStr s, uint8_t *out, size_t len)
{
	if (s.len != 2 * len)
		return false;
	for (size_t i = 0; i < len; i++)
	{
		int			high = hex_values[(uint8_t) s.ptr[2 * i]] - 1;
		int			low = hex_values[(uint8_t) s.ptr[2 * i + 1]] - 1;

		if (high < 0 || low < 0)
			return false;
		out[i] = (uint8_t) (high << 4 | low);
	}
	return true;
}

bool
scim_uuid_exactly(ScimStr s, uint8_t out[16])
{
	static const uint8_t groups[] = {4, 2, 2, 2, 6};	/* bytes */

	if (s.len != 36)
		return false;
	for (size_t i = 0; i < sizeof groups; i++)
	{
		if (!scim_hex_exactly((ScimStr) {s.ptr, 2 * (size_t) groups[i]}, out, groups[i]) || (i < 4 && s.ptr[2 * groups[i]] != '-'))
			return false;
		s.ptr += 2 * groups[i] + 1;
		out += groups[i];
	}
	return true;
}
