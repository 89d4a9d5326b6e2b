/*
 * findings.c
 *		What scim-audit verify has found (see findings.h).
 */
#include "cli/findings.h"

#include <stdarg.h>
#include <stdlib.h>

#include "cli/cli.h"

#define LINE_MAX_BYTES 65536


static void
report_json(CliFindings *findings, const ScimFinding *finding)
{
	char		uuid[37];
	ScimBuf		line;

	scim_buf_init(&line, NULL, LINE_MAX_BYTES);
	scim_buf_printf(&line, "{\"rule\":\"%s\"", finding->rule);
	if (finding->has_seal)
		scim_buf_printf(&line, ",\"chain\":%" PRId32 ",\"seq\":%" PRId64, finding->chain, finding->seq);
	cli_uuid_format(finding->tx_id, uuid);
	if (finding->has_tx)
		scim_buf_printf(&line, ",\"tx_id\":\"%s\"", uuid);
	if (finding->has_n)
		scim_buf_printf(&line, ",\"n\":%" PRId32, finding->n);
	if (findings->file != NULL)
	{
		scim_buf_str(&line, ",\"file\":");
		scim_buf_json_string(&line, findings->file, strlen(findings->file));
	}
	scim_buf_str(&line, ",\"message\":");
	scim_buf_json_string(&line, finding->message, strlen(finding->message));
	scim_buf_char(&line, '}');
	cli_check_buffer(&line);
	puts(line.data);
	scim_buf_free(&line);
}

static void
report_text(CliFindings *findings, const ScimFinding *finding)
{
	char		uuid[37];

	printf("%s:", finding->rule);
	cli_uuid_format(finding->tx_id, uuid);
	if (findings->file != NULL)
		printf(" %s:", findings->file);
	if (finding->has_tx && finding->has_n)
		printf(" event %s:%" PRId32, uuid, finding->n);
	else if (finding->has_tx)
		printf(" transaction %s", uuid);
	if (finding->has_seal)
		printf("%s chain %" PRId32 ", seal %" PRId64, finding->has_tx ? "," : "", finding->chain, finding->seq);
	printf("%s %s\n", finding->has_tx || finding->has_seal ? ":" : "", finding->message);
}

void
cli_findings_report(CliFindings *findings, const ScimFinding *finding)
{
	findings->n++;
	cli_progress_end();
	if (findings->json)
		report_json(findings, finding);
	else
		report_text(findings, finding);
}

void
cli_findings_add(CliFindings *findings, const char *file, const char *rule, const char *fmt,...)
{
	ScimFinding finding = {.rule = rule};
	const char *before = findings->file;
	va_list		args;

	va_start(args, fmt);
	vsnprintf(finding.message, sizeof finding.message, fmt, args);
	va_end(args);
	findings->file = file;
	cli_findings_report(findings, &finding);
	findings->file = before;
}

/* Room for one more: the arrays double. */
static void *
grow(void *array, size_t n, size_t size)
{
	if (n != 0 && (n & (n - 1)) != 0)
		return array;
	array = realloc(array, (n == 0 ? 1 : 2 * n) * size);
	if (array == NULL)
		cli_out_of_memory();
	return array;
}

void
cli_findings_gone(void *arg, const ScimFinding *finding)
{
	CliFindings *findings = arg;
	struct CliGone *gone;

	findings->gone = grow(findings->gone, findings->n_gone, sizeof *findings->gone);
	gone = &findings->gone[findings->n_gone++];
	memset(gone, 0, sizeof *gone);
	memcpy(gone->tx_id, finding->tx_id, sizeof gone->tx_id);
	gone->n = finding->n;
	gone->has_seal = finding->has_seal;
	gone->chain = finding->chain;
	gone->seq = finding->seq;
}

void
cli_findings_erased(void *arg, ScimStr event_id)
{
	CliFindings *findings = arg;
	struct CliErased erased = {0};

	if (!cli_event_id_parse(event_id, erased.tx_id, &erased.n))
		return;
	findings->erased = grow(findings->erased, findings->n_erased, sizeof *findings->erased);
	findings->erased[findings->n_erased++] = erased;
}

static int
compare(const void *a, const void *b)
{
	const struct CliErased *left = a;
	const struct CliErased *right = b;
	int			order = memcmp(left->tx_id, right->tx_id, sizeof left->tx_id);

	return order != 0 ? order : (left->n > right->n) - (left->n < right->n);
}

void
cli_findings_end(CliFindings *findings)
{
	if (findings->n_erased > 0)
		qsort(findings->erased, findings->n_erased, sizeof *findings->erased, compare);
	for (size_t i = 0; i < findings->n_gone; i++)
	{
		const struct CliGone *gone = &findings->gone[i];
		struct CliErased event = {.n = gone->n};
		ScimFinding finding = {.rule = "erased_unrecorded", .has_tx = true, .has_n = true, .n = gone->n,
			.has_seal = gone->has_seal, .chain = gone->chain, .seq = gone->seq};

		memcpy(event.tx_id, gone->tx_id, sizeof event.tx_id);
		if (findings->n_erased > 0 && bsearch(&event, findings->erased, findings->n_erased, sizeof event, compare) != NULL)
			continue;
		memcpy(finding.tx_id, gone->tx_id, sizeof finding.tx_id);
		snprintf(finding.message, sizeof finding.message, "The detail of this event is gone, and no erasure says so.");
		cli_findings_report(findings, &finding);
	}
	free(findings->gone);
	free(findings->erased);
	findings->gone = NULL;
	findings->erased = NULL;
	findings->n_gone = findings->n_erased = 0;
}
