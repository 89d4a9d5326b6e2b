/*
 * normalize.c
 *		Normalization form C, from tables of our own (see normalize.h).
 *
 * A character that is not in unstable_runs begins a piece: nothing before it
 * changes it, or is changed by it.  Pieces are taken one by one, so that the
 * room that is needed is that of the longest.
 */
#include "core/normalize.h"

#include <stdlib.h>

#include "core/norm_table.h"
#include "core/text.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* No character below it is unstable. */
#define FIRST_UNSTABLE 0x0300

/* The longest full decomposition of one character. */
#define DECOMPOSED_MAX 4

/* Hangul syllables are computed (The Unicode Standard, section 3.12). */
enum
{
	HANGUL_S = 0xAC00, HANGUL_L = 0x1100, HANGUL_V = 0x1161, HANGUL_T = 0x11A7,
	HANGUL_L_COUNT = 19, HANGUL_V_COUNT = 21, HANGUL_T_COUNT = 28,
	HANGUL_S_COUNT = HANGUL_L_COUNT * HANGUL_V_COUNT * HANGUL_T_COUNT
};

/* A character of a piece. */
typedef struct Mark
{
	uint32_t	code;
	uint32_t	combining;
	size_t		position;
} Mark;

typedef struct Piece
{
	Mark	   *marks;
	size_t		n;
	size_t		room;
	bool		width;
	bool		failed;
} Piece;

/* ---- the tables ---- */

static const UnstableRun *
unstable(uint32_t code)
{
	size_t		low = 0;
	size_t		high = LENGTH(unstable_runs);

	if (code < FIRST_UNSTABLE)
		return NULL;
	while (low < high)
	{
		size_t		middle = (low + high) / 2;

		if (code < unstable_runs[middle].first)
			high = middle;
		else if (code > unstable_runs[middle].last)
			low = middle + 1;
		else
			return &unstable_runs[middle];
	}
	return NULL;
}

static const Decomposition *
decomposition(uint32_t code)
{
	size_t		low = 0;
	size_t		high = LENGTH(decompositions);

	while (low < high)
	{
		size_t		middle = (low + high) / 2;

		if (decompositions[middle].code == code)
			return &decompositions[middle];
		if (code < decompositions[middle].code)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

/* The character that two make, or 0. */
static uint32_t
composition(uint32_t first, uint32_t second)
{
	size_t		low = 0;
	size_t		high = LENGTH(compositions);

	if (first - HANGUL_L < HANGUL_L_COUNT && second - HANGUL_V < HANGUL_V_COUNT)
		return HANGUL_S + ((first - HANGUL_L) * HANGUL_V_COUNT + (second - HANGUL_V)) * HANGUL_T_COUNT;
	if (first - HANGUL_S < HANGUL_S_COUNT && (first - HANGUL_S) % HANGUL_T_COUNT == 0 &&
		second - HANGUL_T - 1 < HANGUL_T_COUNT - 1)
		return first + (second - HANGUL_T);
	while (low < high)
	{
		size_t		middle = (low + high) / 2;
		const Composition *found = &compositions[middle];

		if (found->first == first && found->second == second)
			return found->code;
		if (first < found->first || (first == found->first && second < found->second))
			high = middle;
		else
			low = middle + 1;
	}
	return 0;
}

static bool
is_width_form(uint32_t code)
{
	return code == 0x3000 || (code >= 0xFF01 && code <= 0xFFEE);
}

/* ---- a piece ---- */

static void
put(Piece *piece, uint32_t code)
{
	const UnstableRun *run = unstable(code);

	piece->marks[piece->n] = (Mark) {code, run != NULL ? run->combining : 0, piece->n};
	piece->n++;
}

/* Add a character, decomposed as far as it goes; there is room for it. */
static void
put_decomposed(Piece *piece, uint32_t code)
{
	const Decomposition *parts = is_width_form(code) && !piece->width ? NULL : decomposition(code);

	if (code - HANGUL_S < HANGUL_S_COUNT)
	{
		uint32_t	index = code - HANGUL_S;

		put(piece, HANGUL_L + index / (HANGUL_V_COUNT * HANGUL_T_COUNT));
		put(piece, HANGUL_V + index / HANGUL_T_COUNT % HANGUL_V_COUNT);
		if (index % HANGUL_T_COUNT != 0)
			put(piece, HANGUL_T + index % HANGUL_T_COUNT);
	}
	else if (parts == NULL)
		put(piece, code);
	else
	{
		put_decomposed(piece, parts->first);
		if (parts->second != 0)
			put_decomposed(piece, parts->second);
	}
}

static void
add(Piece *piece, uint32_t code)
{
	if (piece->n + DECOMPOSED_MAX > piece->room)
	{
		size_t		room = piece->room * 2 + 16;
		Mark	   *marks = realloc(piece->marks, room * sizeof(Mark));

		if (marks == NULL)
		{
			piece->failed = true;
			return;
		}
		piece->marks = marks;
		piece->room = room;
	}
	put_decomposed(piece, code);
}

static int
compare_marks(const void *a, const void *b)
{
	const Mark *x = a;
	const Mark *y = b;

	if (x->combining != y->combining)
		return x->combining < y->combining ? -1 : 1;
	return (x->position > y->position) - (x->position < y->position);
}

/* Bring marks that follow one another into the order of their classes. */
static void
order_marks(Piece *piece)
{
	for (size_t i = 0; i < piece->n;)
	{
		size_t		end = i;

		while (end < piece->n && piece->marks[end].combining != 0)
			end++;
		if (end - i > 1)
			qsort(&piece->marks[i], end - i, sizeof(Mark), compare_marks);
		i = end + 1;
	}
}

/* Put together what has a character of its own; a mark is not reached over one of its class. */
static void
compose(Piece *piece)
{
	size_t		starter = SIZE_MAX;
	size_t		kept = 0;

	for (size_t i = 0; i < piece->n; i++)
	{
		Mark		mark = piece->marks[i];
		uint32_t	last = kept > 0 ? piece->marks[kept - 1].combining : 0;
		bool		reached = starter != SIZE_MAX && (kept == starter + 1 || last < mark.combining) &&
			(kept == starter + 1 || last != 0);
		uint32_t	whole = reached ? composition(piece->marks[starter].code, mark.code) : 0;

		if (whole != 0)
		{
			piece->marks[starter].code = whole;
			continue;
		}
		if (mark.combining == 0)
			starter = kept;
		piece->marks[kept++] = mark;
	}
	piece->n = kept;
}

/* Append the piece and forget it. */
static void
flush(Piece *piece, ScimBuf *buf)
{
	order_marks(piece);
	compose(piece);
	for (size_t i = 0; i < piece->n; i++)
	{
		char		character[4];

		scim_buf_bytes(buf, character, scim_utf8_encode(piece->marks[i].code, character));
	}
	piece->n = 0;
}

/* ---- texts ---- */

bool
scim_normalize_needed(const char *ptr, size_t len)
{
	bool		needed = false;

	for (size_t i = 0; i < len;)
	{
		uint32_t	code = 0;
		size_t		step = scim_utf8_decode(ptr + i, len - i, &code);

		if (step == 0)
			return false;
		needed = needed || unstable(code) != NULL;
		i += step;
	}
	return needed;
}

void
scim_normalize(ScimBuf *buf, const char *ptr, size_t len, bool width)
{
	Piece		piece = {.width = width};

	for (size_t i = 0; i < len && !piece.failed;)
	{
		uint32_t	code = 0;
		size_t		step = scim_utf8_decode(ptr + i, len - i, &code);

		if (step == 0)
			break;
		if (unstable(code) == NULL)
			flush(&piece, buf);
		add(&piece, code);
		i += step;
	}
	flush(&piece, buf);
	free(piece.marks);
	buf->failed = buf->failed || piece.failed;
}

/* Unicode category Zs. */
static bool
is_space(uint32_t code)
{
	return code == ' ' || code == 0xA0 || code == 0x1680 || (code >= 0x2000 && code <= 0x200A) || code == 0x202F ||
		code == 0x205F || code == 0x3000;
}

void
scim_opaque_string(ScimBuf *buf, const char *ptr, size_t len)
{
	ScimBuf		spaced;

	if (!scim_utf8_valid(ptr, len))
	{
		scim_buf_bytes(buf, ptr, len);
		return;
	}
	scim_buf_init(&spaced, NULL, len + 1);
	for (size_t i = 0; i < len;)
	{
		uint32_t	code = 0;
		size_t		step = scim_utf8_decode(ptr + i, len - i, &code);

		scim_buf_bytes(&spaced, is_space(code) ? " " : ptr + i, is_space(code) ? 1 : step);
		i += step;
	}
	if (!spaced.failed)
		scim_normalize(buf, spaced.data, spaced.len, false);
	buf->failed = buf->failed || spaced.failed;
	scim_buf_free(&spaced);
}
