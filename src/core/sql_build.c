/*
 * sql_build.c
 *		Text and parameters of one statement (see sql_build.h).
 */
#include "core/sql_build.h"

#include <inttypes.h>
#include <string.h>

#include "core/text.h"

/* More than any statement from a filter of the allowed size. */
#define SQL_MAX ((size_t) 16 << 20)

static void
add_param(ScimSqlBuild *build, ScimParam param)
{
	if (build->n_params == build->max_params)
	{
		int			max = build->max_params > 0 ? build->max_params * 2 : 8;
		ScimParam  *params = scim_alloc(build->arena, (size_t) max * sizeof(ScimParam));

		if (params == NULL)
		{
			build->failed = true;
			return;
		}
		if (build->n_params > 0)
			memcpy(params, build->params, (size_t) build->n_params * sizeof(ScimParam));
		build->params = params;
		build->max_params = max;
	}
	build->params[build->n_params++] = param;
}

void
scim_sql_begin(ScimSqlBuild *build, ScimArena *arena, ScimStr tenant)
{
	*build = (ScimSqlBuild) {.arena = arena, .row = "t."};
	scim_buf_init(&build->text, arena, SQL_MAX);
	add_param(build, (ScimParam) {.type = SCIM_SQL_TEXT, .value = tenant});
}

/* printf for %s alone: a statement is put together of some hundred pieces, for each request. */
static void
put_pieces(ScimBuf *buf, const char *fmt, va_list args)
{
	const char *hole;

	for (; (hole = strchr(fmt, '%')) != NULL; fmt = hole + 2)
	{
		scim_buf_bytes(buf, fmt, (size_t) (hole - fmt));
		scim_buf_str(buf, va_arg(args, const char *));
	}
	scim_buf_str(buf, fmt);
}

void
scim_sql_put(ScimSqlBuild *build, const char *fmt, ...)
{
	va_list		args;

	va_start(args, fmt);
	put_pieces(&build->text, fmt, args);
	va_end(args);
}

static void
put_number(ScimSqlBuild *build, ScimParam param)
{
	add_param(build, param);
	scim_buf_char(&build->text, '$');
	scim_buf_integer(&build->text, build->n_params);
}

void
scim_sql_put_param(ScimSqlBuild *build, ScimSqlType type, ScimStr value)
{
	put_number(build, (ScimParam) {.type = type, .value = value});
}

void
scim_sql_put_uuid(ScimSqlBuild *build, ScimStr id)
{
	bool		valid = id.ptr != NULL && scim_uuid_parse(id, NULL);

	scim_sql_put_param(build, SCIM_SQL_UUID, valid ? id : SCIM_STR_NONE);
}

void
scim_sql_put_uuids(ScimSqlBuild *build, const ScimStr *ids, size_t n)
{
	ScimStr    *valid = scim_alloc(build->arena, n * sizeof(ScimStr));
	size_t		n_valid = 0;

	if (valid == NULL)
	{
		build->failed = true;
		return;
	}
	for (size_t i = 0; i < n; i++)
	{
		if (scim_uuid_parse(ids[i], NULL))
			valid[n_valid++] = ids[i];
	}
	put_number(build, (ScimParam) {.type = SCIM_SQL_UUID_ARRAY, .values = valid, .n_values = n_valid});
}

void
scim_sql_put_int8(ScimSqlBuild *build, int64_t value)
{
	char	   *text = scim_sprintf(build->arena, "%" PRId64, value);

	if (text == NULL)
		build->failed = true;
	else
		scim_sql_put_param(build, SCIM_SQL_INT8, (ScimStr) {text, strlen(text)});
}

const char *
scim_sql_quote(ScimSqlBuild *build, const char *text)
{
	ScimBuf		quoted;

	/* E'…' reads backslashes alike whatever standard_conforming_strings says. */
	scim_buf_init(&quoted, build->arena, SQL_MAX);
	scim_buf_str(&quoted, strchr(text, '\\') != NULL ? "E'" : "'");
	for (; *text != '\0'; text++)
	{
		if (*text == '\'' || *text == '\\')
			scim_buf_char(&quoted, *text);
		scim_buf_char(&quoted, *text);
	}
	scim_buf_char(&quoted, '\'');
	if (!quoted.failed)
		return quoted.data;
	build->failed = true;
	return "";
}

const char *
scim_sql_text(ScimSqlBuild *build, const char *fmt, ...)
{
	ScimBuf		text;
	va_list		args;

	scim_buf_init(&text, build->arena, SQL_MAX);
	va_start(args, fmt);
	put_pieces(&text, fmt, args);
	va_end(args);
	if (!text.failed)
		return text.data;
	build->failed = true;
	return "";
}

void
scim_sql_put_tenant(ScimSqlBuild *build, const char *alias, const char *column)
{
	scim_sql_put(build, "%s.%s" SCIM_SQL_EQUALS "$1", alias, column);
}

void
scim_sql_put_scope(ScimSqlBuild *build, const char *alias, const ScimResourceType *type)
{
	scim_sql_put_tenant(build, alias, type->tenant_column);
	if (type->deleted_column != NULL)
		scim_sql_put(build, type->deleted_by_time ? " AND %s.%s IS NULL" : " AND %s.%s IS NOT TRUE", alias, type->deleted_column);
}

ScimStatus
scim_sql_finish(ScimSqlBuild *build, ScimSql *out)
{
	if (build->failed || build->text.failed)
		return SCIM_NO_MEMORY;
	*out = (ScimSql) {.text = build->text.data, .params = build->params, .n_params = build->n_params};
	return SCIM_OK;
}
