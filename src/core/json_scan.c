/*
 * json_scan.c
 *		One pass over a JSON text that refuses what json-c would let through,
 *		change or be slow on (see json.h).
 *
 * RFC 8259's grammar, and beyond it: no duplicate member in any case, no
 * U+0000 (PostgreSQL's text and jsonb cannot hold it), no lone surrogate, no
 * integer past 64 bits and no number past a double (json-c would clamp the
 * one, jsonb refuse the other), a bounded depth, and a bounded number of
 * objects and arrays, because json-c spends some 800 bytes on an empty one.
 *
 * Takes time n log n in the length of the text: the names of an object are
 * sorted to find a duplicate.
 */
#include "core/json_scan.h"

#include "core/json.h"
#include "core/text.h"

#include <stdlib.h>
#include <string.h>

#define NUMBER_MAX_LENGTH 64
#define EXPONENT_MAX 307		/* of the first significant digit; DBL_MAX is 1.8e308 */

/* Objects and arrays allowed in a text: a member object with its UUID takes more than 32 bytes. */
#define CONTAINERS_BASE 10000
#define BYTES_PER_CONTAINER 32

/* Up to this many names are compared pairwise. */
#define FEW_NAMES 8

typedef struct Name
{
	ScimStr		text;			/* without escapes */
	size_t		offset;			/* in the whole text */
} Name;

typedef struct Scan
{
	const char *start;
	const char *p;
	const char *end;
	ScimArena  *arena;
	Name	   *names;			/* of all objects that are open, inner ones last */
	size_t		n_names;
	size_t		names_size;
	size_t		containers_left;
	int			depth;
	ScimStatus	status;			/* SCIM_OK until something was wrong */
	ScimError  *err;
} Scan;

static bool scan_value(Scan *s);

static bool
fail_at(Scan *s, size_t offset, const char *what)
{
	s->status = scim_error(s->err, SCIM_INVALID_SYNTAX, "invalid JSON at byte %zu: %s", offset, what);
	return false;
}

static bool
fail(Scan *s, const char *what)
{
	return fail_at(s, (size_t) (s->p - s->start), s->p < s->end ? what : "unexpected end");
}

static bool
out_of_memory(Scan *s)
{
	s->status = scim_error(s->err, SCIM_NO_MEMORY, "out of memory");
	return false;
}

static void
skip_space(Scan *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r'))
		s->p++;
}

static bool
is_digit(const Scan *s)
{
	return s->p < s->end && *s->p >= '0' && *s->p <= '9';
}

/* Four hexadecimal digits after \u; -1 when they are not there. */
static int
hex4(const char *p, const char *end)
{
	int			code = 0;

	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++)
	{
		unsigned char c = scim_ascii_lower(p[i]);

		if (c >= '0' && c <= '9')
			code = code * 16 + (c - '0');
		else if (c >= 'a' && c <= 'f')
			code = code * 16 + (c - 'a' + 10);
		else
			return -1;
	}
	return code;
}

/* At a backslash: step over the escape and give its character. */
static bool
scan_escape(Scan *s, uint32_t *code)
{
	static const char letters[] = "\"\\/bfnrt";
	static const char meanings[] = "\"\\/\b\f\n\r\t";
	const char *letter;
	int			high;
	int			low;

	if (s->end - s->p < 2)
		return fail_at(s, (size_t) (s->end - s->start), "unexpected end");
	if (s->p[1] != 'u')
	{
		letter = s->p[1] != '\0' ? strchr(letters, s->p[1]) : NULL;
		if (letter == NULL)
			return fail(s, "unknown escape");
		*code = (uint32_t) meanings[letter - letters];
		s->p += 2;
		return true;
	}
	high = hex4(s->p + 2, s->end);
	if (high < 0)
		return fail(s, "\\u needs four hexadecimal digits");
	if (high == 0)
		return fail(s, "\\u0000 is not allowed");
	*code = (uint32_t) high;
	if (high >= 0xD800 && high <= 0xDFFF)
	{
		bool		pair = high < 0xDC00 && s->end - s->p >= 12 && s->p[6] == '\\' && s->p[7] == 'u';

		low = pair ? hex4(s->p + 8, s->end) : -1;
		if (low < 0xDC00 || low > 0xDFFF)
			return fail(s, "lone surrogate");
		*code = 0x10000 + ((uint32_t) (high - 0xD800) << 10) + (uint32_t) (low - 0xDC00);
		s->p += 6;
	}
	s->p += 6;
	return true;
}

/* At an opening quote: step over the string.  *escaped tells whether it holds an escape. */
static bool
scan_string(Scan *s, ScimStr *inside, bool *escaped)
{
	const char *first = ++s->p;
	uint32_t	code;

	*escaped = false;
	for (;;)
	{
		unsigned char c;
		size_t		step;

		if (s->p >= s->end)
			return fail(s, "unexpected end");
		c = (unsigned char) *s->p;
		if (c == '"')
			break;
		if (c == '\\')
		{
			*escaped = true;
			if (!scan_escape(s, &code))
				return false;
			continue;
		}
		if (c < 0x20)
			return fail(s, "control character in a string");
		step = c < 0x80 ? 1 : scim_utf8_decode(s->p, (size_t) (s->end - s->p), &code);
		if (step == 0)
			return fail(s, "invalid UTF-8");
		s->p += step;
	}
	*inside = (ScimStr) {first, (size_t) (s->p - first)};
	s->p++;
	return true;
}

/* A name without its escapes, which are known to be right. */
static bool
unescape(Scan *s, ScimStr *name)
{
	char	   *copy = scim_alloc(s->arena, name->len);
	size_t		len = 0;
	Scan		inner = {.start = name->ptr, .p = name->ptr, .end = name->ptr + name->len};

	if (copy == NULL)
		return out_of_memory(s);
	while (inner.p < inner.end)
	{
		uint32_t	code = 0;

		if (*inner.p != '\\')
			copy[len++] = *inner.p++;
		else if (scan_escape(&inner, &code))
			len += scim_utf8_encode(code, copy + len);
	}
	*name = (ScimStr) {copy, len};
	return true;
}

static bool
remember_name(Scan *s, ScimStr text, size_t offset)
{
	if (s->n_names == s->names_size)
	{
		size_t		size = s->names_size > 0 ? s->names_size * 2 : 64;
		Name	   *names = realloc(s->names, size * sizeof(Name));

		if (names == NULL)
			return out_of_memory(s);
		s->names = names;
		s->names_size = size;
	}
	s->names[s->n_names++] = (Name) {text, offset};
	return true;
}

/* Order of names in any case, equal ones by their place. */
static int
compare_names(const void *a, const void *b)
{
	const Name *left = a;
	const Name *right = b;

	if (left->text.len != right->text.len)
		return left->text.len < right->text.len ? -1 : 1;
	for (size_t i = 0; i < left->text.len; i++)
	{
		int			difference = scim_ascii_lower(left->text.ptr[i]) - scim_ascii_lower(right->text.ptr[i]);

		if (difference != 0)
			return difference;
	}
	return left->offset < right->offset ? -1 : 1;
}

/* RFC 7643 section 2.1: attribute names are case-insensitive, so these names must differ in any case. */
static bool
check_names(Scan *s, size_t first)
{
	static const char duplicate[] = "a member of this name (in any case) was there before";
	size_t		n = s->n_names - first;
	Name	   *names;

	if (n < 2)
		return true;
	names = s->names + first;
	if (n <= FEW_NAMES)
	{
		for (size_t i = 1; i < n; i++)
		{
			for (size_t j = 0; j < i; j++)
			{
				if (scim_name_equal(names[i].text, names[j].text))
					return fail_at(s, names[i].offset, duplicate);
			}
		}
		return true;
	}
	qsort(names, n, sizeof(Name), compare_names);
	for (size_t i = 1; i < n; i++)
	{
		if (scim_name_equal(names[i - 1].text, names[i].text))
			return fail_at(s, names[i].offset, duplicate);
	}
	return true;
}

/* "name" : value */
static bool
scan_member(Scan *s)
{
	size_t		offset = (size_t) (s->p - s->start);
	ScimStr		name;
	bool		escaped;

	if (s->p >= s->end || *s->p != '"')
		return fail(s, "expected a member name");
	if (!scan_string(s, &name, &escaped) || (escaped && !unescape(s, &name)) ||
		!remember_name(s, name, offset))
		return false;
	skip_space(s);
	if (s->p >= s->end || *s->p != ':')
		return fail(s, "expected :");
	s->p++;
	skip_space(s);
	return scan_value(s);
}

/* At an opening brace or bracket: step over the object or array. */
static bool
scan_container(Scan *s, bool object)
{
	char		close = object ? '}' : ']';
	size_t		first_name = s->n_names;

	if (++s->depth > SCIM_JSON_MAX_DEPTH)
		return fail(s, "nested too deeply");
	if (s->containers_left-- == 0)
	{
		s->status = scim_error(s->err, SCIM_PAYLOAD_TOO_LARGE,
							   "too many JSON objects and arrays for a text of %zu bytes", (size_t) (s->end - s->start));
		return false;
	}
	s->p++;
	skip_space(s);
	if (s->p < s->end && *s->p == close)
		s->p++;
	else
	{
		for (;;)
		{
			if (!(object ? scan_member(s) : scan_value(s)))
				return false;
			skip_space(s);
			if (s->p < s->end && *s->p == close)
				break;
			if (s->p >= s->end || *s->p != ',')
				return fail(s, object ? "expected , or }" : "expected , or ]");
			s->p++;
			skip_space(s);
		}
		s->p++;
	}
	if (object && !check_names(s, first_name))
		return false;
	s->n_names = first_name;
	s->depth--;
	return true;
}

/* What scan_digits and its callers learn of a number. */
typedef struct Number
{
	bool		negative;
	bool		integer;		/* neither fraction nor exponent */
	int			magnitude;		/* exponent of the first significant digit */
	bool		zero;
	int			exponent;		/* as written */
} Number;

/* -? int frac? exp?, RFC 8259 section 6; false where it ends wrongly. */
static bool
scan_number_text(Scan *s, Number *n)
{
	const char *point;
	const char *first;
	const char *significant = NULL;
	bool		negative_exponent;

	*n = (Number) {.integer = true};
	if (s->p < s->end && *s->p == '-')
	{
		n->negative = true;
		s->p++;
	}
	if (!is_digit(s))
		return false;
	first = s->p;
	for (; is_digit(s); s->p++)
	{
		if (significant == NULL && *s->p != '0')
			significant = s->p;
	}
	if (*first == '0' && s->p - first > 1)
		return false;
	point = s->p;
	if (s->p < s->end && *s->p == '.')
	{
		n->integer = false;
		s->p++;
		if (!is_digit(s))
			return false;
		for (; is_digit(s); s->p++)
		{
			if (significant == NULL && *s->p != '0')
				significant = s->p;
		}
	}
	n->zero = significant == NULL;
	if (!n->zero)
		n->magnitude = (int) (significant < point ? point - significant - 1 : point - significant);
	if (s->p < s->end && (*s->p == 'e' || *s->p == 'E'))
	{
		n->integer = false;
		s->p++;
		negative_exponent = s->p < s->end && *s->p == '-';
		if (s->p < s->end && (*s->p == '-' || *s->p == '+'))
			s->p++;
		if (!is_digit(s))
			return false;
		for (; is_digit(s); s->p++)
			n->exponent = n->exponent > 99999 ? n->exponent : n->exponent * 10 + (*s->p - '0');
		if (negative_exponent)
			n->exponent = -n->exponent;
	}
	return true;
}

static bool
fits_int64(ScimStr digits, bool negative)
{
	const char *limit = negative ? "9223372036854775808" : "9223372036854775807";

	return digits.len < 19 || (digits.len == 19 && memcmp(digits.ptr, limit, 19) <= 0);
}

static bool
scan_number(Scan *s)
{
	const char *first = s->p;
	size_t		offset = (size_t) (first - s->start);
	Number		n;
	size_t		len;

	if (!scan_number_text(s, &n))
		return fail(s, "malformed number");
	len = (size_t) (s->p - first);
	if (n.integer && !fits_int64((ScimStr) {first + n.negative, len - n.negative}, n.negative))
		return fail_at(s, offset, "integer past 64 bits");
	if (len > NUMBER_MAX_LENGTH || n.exponent > EXPONENT_MAX + NUMBER_MAX_LENGTH ||
		n.exponent < -EXPONENT_MAX - NUMBER_MAX_LENGTH ||
		(!n.zero && (n.magnitude + n.exponent > EXPONENT_MAX || n.magnitude + n.exponent < -EXPONENT_MAX)))
		return fail_at(s, offset, "number out of range");
	return true;
}

bool
scim_json_is_number(ScimStr text)
{
	Scan		s = {.start = text.ptr, .p = text.ptr, .end = text.ptr + text.len};
	Number		n;

	return scan_number_text(&s, &n) && s.p == s.end;
}

static bool
scan_word(Scan *s, const char *word)
{
	size_t		len = strlen(word);

	if ((size_t) (s->end - s->p) < len || memcmp(s->p, word, len) != 0)
		return fail(s, "expected a value");
	s->p += len;
	return true;
}

static bool
scan_value(Scan *s)
{
	ScimStr		inside;
	bool		escaped;

	if (s->p >= s->end)
		return fail(s, "unexpected end");
	switch (*s->p)
	{
		case '{':
			return scan_container(s, true);
		case '[':
			return scan_container(s, false);
		case '"':
			return scan_string(s, &inside, &escaped);
		case 't':
			return scan_word(s, "true");
		case 'f':
			return scan_word(s, "false");
		case 'n':
			return scan_word(s, "null");
		default:
			if (*s->p == '-' || is_digit(s))
				return scan_number(s);
			return fail(s, "expected a value");
	}
}

ScimStatus
scim_json_scan(ScimArena *arena, ScimStr text, ScimStr *value, ScimError *err)
{
	const char *start = text.len > 0 ? text.ptr : "";
	Scan		s = {.start = start, .p = start, .end = start + text.len, .arena = arena, .err = err};

	s.containers_left = CONTAINERS_BASE + text.len / BYTES_PER_CONTAINER;
	if (text.len >= 3 && memcmp(s.p, "\xEF\xBB\xBF", 3) == 0)
		s.p += 3;
	skip_space(&s);
	value->ptr = s.p;
	if (scan_value(&s))
	{
		value->len = (size_t) (s.p - value->ptr);
		skip_space(&s);
		if (s.p < s.end)
			fail(&s, "something follows the value");
	}
	free(s.names);
	return s.status;
}
