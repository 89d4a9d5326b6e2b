/*
 * test_sql_list.c
 *		Statements of lists: pages and orders, their text and parameters; each statement made here is also
 *		checked against the rules of sql_rules.h.
 */
#include "sql_list.h"

/* ---- pages ---- */

/* A first page needs no offset, and its size no parameter. */
static void
test_first_page(void)
{
	ScimError	err;
	ScimSql		sql;

	is_int(scim_sql_list(arena, type_named("User"), TENANT, NULL, NULL, 0, 10, &sql, &err), SCIM_OK, "list from the start");
	check(&sql, "list from the start");
	is_int(sql.n_params, 1, "tenant");
	ok(strstr(sql.text, " OFFSET ") == NULL, "no offset");
}

/* A page behind an id is a range of the index, whatever is before it. */
static void
test_page_behind(void)
{
	ScimSort	sort = {.after = str("01900000-0000-7000-8000-000000000001")};
	ScimError	err;
	ScimSql		sql;

	is_int(scim_sql_list(arena, type_named("User"), TENANT, NULL, &sort, 0, 10, &sql, &err), SCIM_OK, "list behind an id");
	check(&sql, "list behind an id");
	is_int(sql.n_params, 2, "tenant, id");
	ok(strstr(sql.text, " AND t.id OPERATOR(pg_catalog.>) $2 ORDER BY t.id LIMIT 10") != NULL, "by id");
}

/* What at most one resource satisfies has no order, and no size. */
static void
test_page_of_one(void)
{
	static const struct
	{
		const char *filter;
		bool		one;
	}			cases[] = {
		{"userName eq \"u\"", true}, {"id eq \"" ID "\"", true}, {"active eq true and userName eq \"u\"", true},
		{"userName ne \"u\"", false}, {"userName sw \"u\"", false}, {"not (userName eq \"u\")", false}, {"externalId eq \"u\"", false},
		{"userName eq \"u\" or userName eq \"v\"", false}, {"userName pr", false}, {"emails eq \"u\"", false}
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		ScimSort	sort = {0};
		ScimFilter *filter;
		ScimError	err;
		ScimSql		sql;

		scim_filter_parse(arena, type_named("User"), str(cases[i].filter), &limits, &filter, NULL);
		is_int(scim_sql_list(arena, type_named("User"), TENANT, filter, &sort, 0, 3, &sql, &err), SCIM_OK, "list: %s", cases[i].filter);
		check(&sql, "list of one");
		ok((strstr(sql.text, " ORDER BY ") == NULL) == cases[i].one && (strstr(sql.text, " LIMIT ") == NULL) == cases[i].one, "%s", sql.text);
		is_int(sql.max_rows, cases[i].one ? 3 : 0, "rows to be read");
		is_int(scim_sql_list(arena, type_named("User"), TENANT, filter, &sort, 1, 3, &sql, &err), SCIM_OK, "from the second on: %s", cases[i].filter);
		ok(strstr(sql.text, " ORDER BY ") != NULL && strstr(sql.text, " OFFSET ") != NULL, "with an order");
	}
}

/* A planner that plans once sees how large a page is, roughly; a page of other kinds it sees itself. */
static void
test_page_size(void)
{
	static const struct
	{
		int64_t		offset;
		int64_t		limit;
		const char *size;		/* NULL: a parameter */
	}			cases[] = {{0, 1, "10"}, {0, 10, "10"}, {0, 11, "100"}, {0, 101, "1000"}, {0, 10000, "10000"}, {0, 10001, NULL}, {1, 10, NULL}};
	ScimSort	sort = {0};
	ScimError	err;
	ScimSql		sql;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		const char *limit;

		is_int(scim_sql_list(arena, type_named("User"), TENANT, NULL, &sort, cases[i].offset, cases[i].limit, &sql, &err), SCIM_OK, "page %zu", i);
		check(&sql, "page");
		limit = strstr(sql.text, " LIMIT ") + strlen(" LIMIT ");
		ok(cases[i].size != NULL ? strcmp(limit, cases[i].size) == 0 : *limit == '$', "%s", sql.text);
		is_int(sql.max_rows, cases[i].size != NULL ? cases[i].limit : 0, "of which so many are read");
		is_int(sql.one_plan, cases[i].size != NULL, "by one plan");
	}
}

/* So is one in another order: of those that have the attribute, and of those that have not. */
static void
test_page_behind_key(void)
{
#define FOLDED "scim.fold(t.user_name)" CC
	static const struct
	{
		const char *sort_by;
		const char *order;
		ScimSortKeys keys;
		bool		after;
		const char *condition;
		ScimSqlType type;		/* of the key */
	}			cases[] = {
		{"userName", NULL, SCIM_KEYS_PRESENT, true, FOLDED "OPERATOR(pg_catalog.>=) $2 AND NOT (" FOLDED "OPERATOR(pg_catalog.=) $3 AND t.id OPERATOR(pg_catalog.<=) $4)", SCIM_SQL_TEXT},
		{"userName", "descending", SCIM_KEYS_PRESENT, true, FOLDED "OPERATOR(pg_catalog.<=) $2 AND NOT (" FOLDED "OPERATOR(pg_catalog.=) $3 AND t.id OPERATOR(pg_catalog.>=) $4)", SCIM_SQL_TEXT},
		{"active", NULL, SCIM_KEYS_PRESENT, false, "(t.active) IS NOT NULL", SCIM_SQL_BOOL},
		{"active", NULL, SCIM_KEYS_PRESENT, true, "t.active OPERATOR(pg_catalog.>=) $2 AND NOT (t.active OPERATOR(pg_catalog.=) $3 AND t.id OPERATOR(pg_catalog.<=) $4)", SCIM_SQL_BOOL},
		{"active", NULL, SCIM_KEYS_MISSING, false, "(t.active) IS NULL", SCIM_SQL_BOOL},
		{"active", "descending", SCIM_KEYS_MISSING, true, "(t.active) IS NULL AND t.id OPERATOR(pg_catalog.<) $2", SCIM_SQL_BOOL},
		{"meta.created", NULL, SCIM_KEYS_PRESENT, true, NULL, SCIM_SQL_TIMESTAMPTZ},
		{"id", NULL, SCIM_KEYS_PRESENT, true, NULL, SCIM_SQL_UUID},
		{"emails", NULL, SCIM_KEYS_PRESENT, true, NULL, SCIM_SQL_TEXT},
		{"emails.primary", NULL, SCIM_KEYS_PRESENT, true, NULL, SCIM_SQL_JSONB},
		{E ":manager.displayName", "descending", SCIM_KEYS_PRESENT, true, NULL, SCIM_SQL_TEXT},
	};
#undef FOLDED

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		const char *tenant = "t.tenant OPERATOR(pg_catalog.=) $1 AND ";
		ScimSort	sort;
		ScimError	err;
		ScimSql		sql;
		char	   *condition;

		is_int(scim_sort_parse(arena, type_named("User"), str(cases[i].sort_by), cases[i].order != NULL ? str(cases[i].order) : SCIM_STR_NONE,
							   &sort, &err), SCIM_OK, "sort by %s", cases[i].sort_by);
		sort.return_key = true;
		sort.keys = cases[i].keys;
		sort.after = cases[i].after ? str(ID) : SCIM_STR_NONE;
		sort.after_key = SCIM_STR(MARK);
		is_int(scim_sql_list(arena, type_named("User"), TENANT, NULL, &sort, 0, 10, &sql, &err), SCIM_OK, "list behind a key");
		check(&sql, cases[i].sort_by);
		condition = strstr(scim_strdup(arena, str(sql.text)), tenant);
		*strstr(condition, " ORDER BY ") = '\0';
		if (cases[i].condition != NULL)
			is_str(condition + strlen(tenant), cases[i].condition, "behind by %s", cases[i].sort_by);
		if (cases[i].after && cases[i].keys == SCIM_KEYS_PRESENT)
			is_int(sql.params[1].type, cases[i].type, "type of the key by %s", cases[i].sort_by);
		scim_sql_sort_key(arena, type_named("User"), TENANT, &sort, SCIM_STR(ID), &sql);
		check(&sql, "one sort key");
	}
}

/* ---- orders ---- */

static void
test_sorting(void)
{
	static const struct
	{
		const char *type;
		const char *sort_by;
		const char *order;
		ScimStatus	status;
		const char *order_by;	/* NULL: only the rules are checked */
	}			cases[] = {
		{"User", NULL, NULL, SCIM_OK, "t.id"},
		{"User", NULL, "descending", SCIM_OK, "t.id"},
		{"User", "userName", NULL, SCIM_OK, "scim.fold(t.user_name) COLLATE pg_catalog.\"C\", t.id"},
		{"User", "userName", "DESCENDING", SCIM_OK, "scim.fold(t.user_name) COLLATE pg_catalog.\"C\" DESC, t.id DESC"},
		{"User", "externalId", "ascending", SCIM_OK, "t.external_id COLLATE pg_catalog.\"C\", t.id"},
		{"User", "meta.lastModified", NULL, SCIM_OK, "t.last_modified, t.id"},
		{"User", "id", NULL, SCIM_OK, "t.id, t.id"},
		{"User", "active", NULL, SCIM_OK, "t.active, t.id"},
		{"User", "name.familyName", NULL, SCIM_OK, "scim.fold(t.name_family_name) COLLATE pg_catalog.\"C\", t.id"},
		{"User", E ":department", NULL, SCIM_OK, NULL},
		{"User", E ":manager", NULL, SCIM_OK, "t.manager_id, t.id"},
		{"User", E ":manager.displayName", NULL, SCIM_OK, NULL},
		{"User", "emails", NULL, SCIM_OK, NULL},
		{"User", "emails.type", "descending", SCIM_OK, NULL},
		{"User", "addresses.locality", NULL, SCIM_OK, NULL},
		{"Group", "displayName", NULL, SCIM_OK, NULL},
		{"User", "favouriteFish", NULL, SCIM_INVALID_PATH, NULL},
		{"User", "", NULL, SCIM_INVALID_PATH, NULL},
		{"User", "name", NULL, SCIM_INVALID_PATH, NULL},
		{"User", "addresses", NULL, SCIM_INVALID_PATH, NULL},
		{"User", E, NULL, SCIM_INVALID_PATH, NULL},
		{"User", "schemas", NULL, SCIM_INVALID_PATH, NULL},
		{"User", "groups", NULL, SCIM_INVALID_PATH, NULL},
		{"User", "meta", NULL, SCIM_INVALID_PATH, NULL},
		{"User", "emails[type eq \"work\"].value", NULL, SCIM_INVALID_PATH, NULL},
		{"Group", "members.value", NULL, SCIM_INVALID_PATH, NULL},
		{"User", "password", NULL, SCIM_SENSITIVE, NULL},
		{"User", "userName", "upwards", SCIM_INVALID_VALUE, NULL},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		const char *what = cases[i].sort_by != NULL ? cases[i].sort_by : "nothing";
		ScimError	err;
		ScimSql		sql;
		char	   *order;

		is_int(list(cases[i].type, "externalId co \"zqx\"", cases[i].sort_by, cases[i].order, &sql, &err), cases[i].status, "sort by %s", what);
		is_int(err.status, cases[i].status, "and the error says so");
		if (cases[i].status != SCIM_OK)
			continue;
		check(&sql, what);
		order = strstr(scim_strdup(arena, str(sql.text)), " ORDER BY ");
		*strstr(order, " OFFSET ") = '\0';
		if (cases[i].order_by != NULL)
			is_str(order + 10, cases[i].order_by, "order by %s", what);
	}
}

int
main(void)
{
	arena = scim_arena_create((size_t) 16 << 20);
	test_first_page();
	test_page_behind();
	test_page_size();
	test_page_of_one();
	test_page_behind_key();
	test_sorting();
	scim_arena_free(arena);
	return done_testing();
}
