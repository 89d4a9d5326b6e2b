/*
 * chain_read.c
 *		The seals of an exported chain (see chain_read.h).
 *
 * A line that cannot be read fills a place of its chain, so that nothing else
 * is said of that; it is told once, with its file and number.
 */
#include "cli/chain_read.h"

#include <errno.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/file.h"

void
cli_chain_open(CliChain *chain, const char *dir, const struct CliHead *head, CliFindings *findings)
{
	*chain = (CliChain) {.dir = dir, .findings = findings, .chain = head->chain, .last_seq = head->last_seq};
}

void
cli_chain_close(CliChain *chain)
{
	free(chain->rows);
	chain->rows = NULL;
}

static CliSealRow *
add_row(CliChain *chain)
{
	if (chain->n == chain->size)
	{
		chain->size = chain->size == 0 ? CLI_SEALS_WIDTH : 2 * chain->size;
		chain->rows = realloc(chain->rows, (size_t) chain->size * sizeof(CliSealRow));
		if (chain->rows == NULL)
			cli_out_of_memory();
	}
	memset(&chain->rows[chain->n], 0, sizeof(CliSealRow));
	return &chain->rows[chain->n++];
}

/* Places from one seq up to before another that no line can be read for. */
static void
fill(CliChain *chain, int64_t from, int64_t to)
{
	for (int64_t seq = from; seq < to; seq++)
	{
		CliSealRow *row = add_row(chain);

		row->unreadable = true;
		row->seal.damaged = true;
		row->seal.seal.chain = chain->chain;
		row->seal.seal.seq = seq;
	}
}

static void
tell(CliChain *chain, const char *path, const char *rule, int line, const char *message)
{
	if (chain->findings == NULL)
		return;
	if (line > 0)
		cli_findings_add(chain->findings, path, rule, "Line %d %s.", line, message);
	else
		cli_findings_add(chain->findings, path, rule, "%s.", message);
}

/* The rows of a file, whose places run from first to last. */
static void
parse(CliChain *chain, const char *path, ScimStr bytes, int64_t first, int64_t last)
{
	ScimCursor	cursor = scim_cursor(bytes);
	int64_t		expected = first;
	bool		broken = false;
	int			broken_line = 0;
	ScimStr		line;

	for (int number = 1; (line = scim_cursor_line(&cursor)).ptr != NULL; number++)
	{
		ScimVerifySeal seal;
		CliSealRow *row;
		bool		sound = false;
		bool		readable = cli_seal_read(&seal, &sound, line);

		/* A line that is not sound, and not in its place either, is none. */
		if (!readable || (!sound && !seal.damaged && (seal.seal.seq != expected || seal.seal.chain != chain->chain)))
		{
			broken_line = broken ? broken_line : number;
			broken = true;
			continue;
		}
		if (broken)
			fill(chain, expected, seal.seal.seq);
		if (broken)
			tell(chain, path, "file_damaged", broken_line, "is not one that was written");
		broken = false;
		row = add_row(chain);
		row->seal = seal;
		row->sound = sound;
		expected = seal.seal.seq + 1;
	}
	if (!scim_cursor_at_end(&cursor) || broken || (last == chain->last_seq && expected <= last))
	{
		tell(chain, path, "file_damaged", broken ? broken_line : 0, broken ? "is not one that was written" : "Its last line is cut short");
		fill(chain, expected, last + 1);
	}
}

static void
load(CliChain *chain)
{
	int64_t		first = chain->segment * CLI_SEALS_WIDTH + 1;
	int64_t		last = first + CLI_SEALS_WIDTH - 1 < chain->last_seq ? first + CLI_SEALS_WIDTH - 1 : chain->last_seq;
	char	   *path = cli_seals_path(chain->dir, chain->chain, chain->segment, chain->last_seq);
	ScimBuf		buf;

	chain->n = chain->next = 0;
	scim_buf_init(&buf, NULL, CLI_FILE_MAX);
	if (cli_file_read(path, &buf))
		parse(chain, path + strlen(chain->dir) + 1, cli_buf_str(&buf), first, last);
	else
	{
		tell(chain, path + strlen(chain->dir) + 1, "file_missing", 0, strerror(errno));
		fill(chain, first, last + 1);
	}
	scim_buf_free(&buf);
	free(path);
}

CliSealRow *
cli_chain_peek(CliChain *chain)
{
	while (!chain->loaded || chain->next == chain->n)
	{
		if (chain->loaded)
			chain->segment++;
		if (chain->segment > cli_seals_segment(chain->last_seq))
			return NULL;
		load(chain);
		chain->loaded = true;
	}
	return &chain->rows[chain->next];
}

void
cli_chain_take(CliChain *chain)
{
	chain->next++;
}

int
cli_chain_look(const CliChain *chain, const uint8_t tx_id[16])
{
	for (int i = chain->next; i < chain->n; i++)
		if (memcmp(chain->rows[i].seal.seal.tx_id, tx_id, 16) == 0)
			return i - chain->next;
	return -1;
}
