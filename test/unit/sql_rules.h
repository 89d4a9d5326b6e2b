/*
 * sql_rules.h
 *		What every statement must keep to, checked mechanically:
 *
 *	- every table that FROM, JOIN, INTO or UPDATE names is one of the
 *	  registry's and is restricted to the tenant, or is a function of
 *	  pg_catalog or what WITH names;
 *	- every operator is qualified, and none hides in IN (…);
 *	- no literal of a filter and no value of a row stands in the text;
 *	- $1 is the tenant, and the parameters used are those given.
 */
#ifndef SCIM_TEST_SQL_RULES_H
#define SCIM_TEST_SQL_RULES_H

#include <ctype.h>
#include <stdlib.h>

#include "core/sql.h"
#include "tap.h"

/* What every literal and value here contains. */
#define MARK "zqx"
#define TENANT SCIM_STR("acme-" MARK)
#define ID "2819c223-7f76-453a-919d-413861904646"

static const char *
word_at(const char *p, char *out, size_t size)
{
	size_t		n = 0;

	while (*p == ' ')
		p++;
	while (*p != '\0' && strchr(" (),", *p) == NULL)
	{
		if (n + 1 < size)
			out[n++] = *p;
		p++;
	}
	out[n] = '\0';
	return p;
}

static bool
is_registry_table(const char *name)
{
	const ScimRegistry *registry = scim_registry_builtin();

	for (size_t i = 0; i < scim_registry_type_count(registry); i++)
	{
		const ScimResourceType *type = scim_registry_type(registry, i);

		if (strcmp(type->table, name) == 0)
			return true;
		for (size_t j = 0; j < type->n_links; j++)
		{
			if (strcmp(type->links[j].table, name) == 0)
				return true;
		}
	}
	return false;
}

/* Does the statement's WITH name it? */
static bool
is_with_name(const char *sql, const char *name)
{
	char		first[160];
	char		later[160];

	snprintf(first, sizeof(first), "WITH RECURSIVE %s(", name);
	snprintf(later, sizeof(later), "), %s(", name);
	return strstr(sql, first) != NULL || (strstr(sql, "WITH RECURSIVE ") != NULL && strstr(sql, later) != NULL);
}

/* Is the table reference whose alias begins at p restricted to the tenant? */
static bool
is_restricted(const char *sql, const char *p, bool insert)
{
	char		alias[64];
	char		condition[160];

	p = word_at(p, alias, sizeof(alias));
	if (strcmp(alias, "AS") == 0)
		p = word_at(p, alias, sizeof(alias));
	if (insert)
		return strstr(p, "tenant, ") != NULL && (strstr(p, "VALUES ($1, ") != NULL || strstr(p, ") SELECT $1, ") != NULL);
	snprintf(condition, sizeof(condition), "WHERE %s.tenant OPERATOR(pg_catalog.=) ", alias);
	p = strstr(p, condition);
	(void) sql;
	return p != NULL && (strncmp(p + strlen(condition), "$1", 2) == 0 || strncmp(p + strlen(condition), "t.tenant", 8) == 0);
}

static int
check_tables(const char *sql)
{
	static const char *const keywords[] = {"FROM ", "JOIN ", "INTO ", "UPDATE "};
	int			wrong = 0;

	for (size_t k = 0; k < sizeof(keywords) / sizeof(keywords[0]); k++)
	{
		for (const char *p = strstr(sql, keywords[k]); p != NULL; p = strstr(p + 1, keywords[k]))
		{
			char		table[128];
			const char *rest = word_at(p + strlen(keywords[k]), table, sizeof(table));

			if (strncmp(p, "UPDATE OF ", 10) == 0 || strncmp(table, "pg_catalog.", 11) == 0)
				continue;
			if (is_with_name(sql, table))
				continue;
			/* A subquery; the tables that it names come up by themselves. */
			if (strncmp(p, "FROM (SELECT ", 13) == 0)
				continue;
			if (!is_registry_table(table) || !is_restricted(sql, rest, strcmp(keywords[k], "INTO ") == 0))
			{
				printf("#   %s%s is not restricted\n", keywords[k], table);
				wrong++;
			}
		}
	}
	return wrong;
}

/* Copy sql without quoted text and OPERATOR(…). */
static void
strip(const char *sql, char *out)
{
	while (*sql != '\0')
	{
		if (strncmp(sql, "OPERATOR(", 9) == 0)
			sql = strchr(sql, ')') + 1;
		else if (*sql == '\'' || *sql == '"')
		{
			char		quote = *sql++;

			while (*sql != quote)
				sql++;
			sql++;
		}
		else
			*out++ = *sql++;
	}
	*out = '\0';
}

static int
check_operators(const char *sql)
{
	char	   *bare = malloc(strlen(sql) + 1);
	int			wrong = 0;

	strip(sql, bare);
	for (char *p = bare; *p != '\0'; p++)
	{
		/* SET column = $n is no operator; count(*) and t.* neither. */
		if (strncmp(p, "=", 1) == 0 && strncmp(sql, "UPDATE ", 7) == 0 && (size_t) (p - bare) < (size_t) (strstr(bare, " WHERE ") - bare))
			continue;
		if (strncmp(p, "(*)", 3) == 0 || strncmp(p, "t.*", 3) == 0)
			p += 2;
		else if (strchr("=<>~|@#!?&+/*^", *p) != NULL)
		{
			printf("#   bare operator at: %s\n", p);
			wrong++;
		}
	}
	free(bare);
	return wrong;
}

/* The highest $n in the text; each up to it must occur. */
static int
check_params(const ScimSql *sql)
{
	int			wrong = 0;

	for (int i = 1; i <= sql->n_params + 1; i++)
	{
		char		name[16];
		const char *p = sql->text;
		bool		found = false;

		snprintf(name, sizeof(name), "$%d", i);
		while (!found && (p = strstr(p, name)) != NULL)
		{
			p += strlen(name);
			found = !isdigit((unsigned char) *p);
		}
		if (found != (i <= sql->n_params))
			wrong++;
	}
	return wrong + (sql->params[0].value.ptr != TENANT.ptr && memcmp(sql->params[0].value.ptr, TENANT.ptr, TENANT.len) != 0);
}

/* One test result: does the statement keep to all of them? */
static void
check(const ScimSql *sql, const char *what)
{
	bool		good = true;

	good &= check_tables(sql->text) == 0;
	good &= check_operators(sql->text) == 0;
	good &= strstr(sql->text, " IN (") == NULL;
	good &= strstr(sql->text, MARK) == NULL && strstr(sql->text, ID) == NULL;
	good &= check_params(sql) == 0;
	if (!ok(good, "rules kept: %s", what))
		printf("#   %s\n", sql->text);
}

#endif							/* SCIM_TEST_SQL_RULES_H */
