/*
 * replay.c
 *		Runs one fuzz target over its corpus without a fuzzer.
 *
 * Each file named on the command line is an input.  So that a parser meets
 * damaged input in every test run too, each is given whole, cut short at
 * every length, and with single bytes changed; what is changed follows from
 * a fixed seed.  The sanitizers end the program at the first fault; the last
 * line printed names the input at fault.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_INPUT ((size_t) 1 << 20)
#define MAX_CUTS 2048
#define CHANGES 512

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A copy of exactly size bytes, so that one read past the end is seen. */
static void
run(const uint8_t *data, size_t size)
{
	uint8_t    *copy = malloc(size > 0 ? size : 1);

	if (copy == NULL)
		abort();
	memcpy(copy, data, size);
	(void) LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static uint32_t
next_random(uint32_t *state)
{
	*state = *state * UINT32_C(1664525) + UINT32_C(1013904223);
	return *state >> 8;
}

static void
run_damaged(uint8_t *data, size_t size)
{
	static const uint8_t telling[] = {0x00, 0x22, 0x5b, 0x5c, 0x7b, 0x7f, 0x80, 0xc0, 0xed, 0xff};
	uint32_t	state = 7643;

	for (size_t cut = 0; cut < size && cut < MAX_CUTS; cut++)
		run(data, cut);
	for (int i = 0; i < CHANGES && size > 0; i++)
	{
		size_t		at = next_random(&state) % size;
		uint8_t		was = data[at];
		uint32_t	r = next_random(&state);

		data[at] = (r & 1) != 0 ? telling[(r >> 1) % sizeof(telling)] : (uint8_t) (was ^ (1u << (r >> 1) % 8));
		run(data, size);
		data[at] = was;
	}
}

int
main(int argc, char **argv)
{
	uint8_t    *data = malloc(MAX_INPUT);

	if (data == NULL)
		return 1;
	for (int i = 1; i < argc; i++)
	{
		FILE	   *file = fopen(argv[i], "rb");
		size_t		size;

		printf("%s\n", argv[i]);
		fflush(stdout);
		if (file == NULL)
		{
			free(data);
			return 1;
		}
		size = fread(data, 1, MAX_INPUT, file);
		fclose(file);
		run(data, size);
		run_damaged(data, size);
	}
	free(data);
	return argc > 1 ? 0 : 1;
}
