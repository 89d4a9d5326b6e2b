/*
 * test_needles.c
 *		Many texts looked for at once: the same answers as one by one.
 */
#include <stdlib.h>

#include "core/needles.h"
#include "tap.h"

#define MAX 8

static ScimNeedles *
make(const ScimStr *needles, size_t n)
{
	size_t		total = 0;

	for (size_t i = 0; i < n; i++)
		total += needles[i].len;
	return scim_needles_init(calloc(1, scim_needles_size(n, total)), needles, n);
}

static bool
holds(ScimStr text, ScimStr part)
{
	for (size_t i = 0; i + part.len <= text.len; i++)
	{
		if (memcmp(text.ptr + i, part.ptr, part.len) == 0)
			return true;
	}
	return false;
}

/* The numbers found, as text. */
static const char *
found_in(const char *text, ScimNeedles *needles, size_t n)
{
	static char answer[MAX + 1];
	bool		found[MAX];

	scim_needles_find(needles, (ScimStr) {text, strlen(text)}, found);
	for (size_t i = 0; i < n; i++)
		answer[i] = found[i] ? '1' : '0';
	answer[n] = '\0';
	return answer;
}

static void
test_cases(void)
{
	ScimStr		needles[] = {SCIM_STR("he"), SCIM_STR("she"), SCIM_STR("hers"), SCIM_STR(""), SCIM_STR("he"), SCIM_STR("\xff"), SCIM_STR("ershe")};
	ScimNeedles *made = make(needles, 7);

	is_str(found_in("", made, 7), "0001000", "nothing but the empty text in the empty text");
	is_str(found_in("ushers", made, 7), "1111100", "one within another, one twice");
	is_str(found_in("hershe", made, 7), "1111101", "one that begins within another");
	is_str(found_in("sh e", made, 7), "0001000", "beginnings are no find");
	is_str(found_in("\xff", made, 7), "0001010", "any byte");
	is_str(found_in("hehehe", made, 7), "1001100", "a search leaves nothing for the next one");
	free(made);
	made = make(NULL, 0);
	is_str(found_in("x", made, 0), "", "no needle");
	free(made);
	ok(scim_needles_size(1, (size_t) 1 << 24) == 0 && scim_needles_size((size_t) 1 << 24, 1) == 0, "too many bytes, too many needles");
}

/* Short texts over two letters, in which all is within all. */
static void
test_random(void)
{
	char		letters[MAX + 1][24];
	unsigned	random = 1;
	int			wrong = 0;

	for (int round = 0; round < 20000; round++)
	{
		ScimStr		texts[MAX + 1];
		bool		found[MAX];
		ScimNeedles *made;

		for (int i = 0; i <= MAX; i++)
		{
			size_t		len;

			random = random * 1103515245u + 12345u;
			len = random >> 16 & (i == MAX ? 15 : 3);
			for (size_t j = 0; j < len; j++)
			{
				random = random * 1103515245u + 12345u;
				letters[i][j] = random >> 20 & 1 ? 'a' : 'b';
			}
			texts[i] = (ScimStr) {letters[i], len};
		}
		made = make(texts, MAX);
		scim_needles_find(made, texts[MAX], found);
		for (int i = 0; i < MAX; i++)
			wrong += found[i] != holds(texts[MAX], texts[i]);
		free(made);
	}
	is_int(wrong, 0, "as one by one");
}

int
main(void)
{
	test_cases();
	test_random();
	return done_testing();
}
