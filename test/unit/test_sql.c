/*
 * test_sql.c
 *		Statements: their text and parameters; each statement made here is also
 *		checked against the rules of sql_rules.h.
 */
#include "sql_list.h"

static const ScimLink *
link_named(const char *type, const char *attr)
{
	return scim_type_link(type_named(type), scim_type_attribute(type_named(type), str(attr)));
}

/* ---- statements on one row ---- */

static void
test_rows(void)
{
	const char *const types[] = {"User", "Group"};

	for (size_t i = 0; i < 2; i++)
	{
		const ScimResourceType *type = type_named(types[i]);
		ScimStr    *values = scim_alloc(arena, type->n_columns * sizeof(ScimStr));
		bool	   *changed = scim_alloc(arena, type->n_columns * sizeof(bool));
		ScimSql		sql;

		for (size_t c = 0; c < type->n_columns; c++)
			values[c] = SCIM_STR(MARK);
		is_int(scim_sql_select(arena, type, TENANT, SCIM_STR(ID), false, &sql), SCIM_OK, "select");
		check(&sql, "select");
		ok(strstr(sql.text, "FOR NO KEY UPDATE") == NULL, "without lock");
		scim_sql_select(arena, type, TENANT, SCIM_STR(ID), true, &sql);
		check(&sql, "select for update");
		ok(strstr(sql.text, " FOR NO KEY UPDATE OF t") != NULL, "with lock");
		scim_sql_insert(arena, type, TENANT, SCIM_STR(ID), values, &sql);
		check(&sql, "insert");
		changed[0] = changed[1] = true;
		scim_sql_update(arena, type, TENANT, SCIM_STR(ID), values, changed, &sql);
		check(&sql, "update");
		is_int(sql.n_params, 4, "tenant, two columns, id");
		scim_sql_delete(arena, type, TENANT, SCIM_STR(ID), &sql);
		check(&sql, "delete");
		scim_sql_touch(arena, type, TENANT, SCIM_STR(ID), &sql);
		check(&sql, "touch");
	}
}

static void
test_row_texts(void)
{
	const ScimResourceType *type = type_named("Group");
	ScimStr		values[3] = {SCIM_STR("a"), SCIM_STR_NONE, SCIM_STR("c")};
	bool		changed[3] = {false, true, false};
	ScimSql		sql;
	ScimSql		again;

	is_int((long long) type->n_columns, 3, "externalId, displayName, extensions");
	scim_sql_select(arena, type, TENANT, SCIM_STR(ID), false, &sql);
	ok(strncmp(sql.text, "SELECT t.id, t.version, t.created, t.last_modified, t.", 54) == 0, "fixed columns first: %s", sql.text);
	ok(strstr(sql.text, " FROM scim.groups t WHERE t.tenant OPERATOR(pg_catalog.=) $1 AND t.id OPERATOR(pg_catalog.=) $2") != NULL, "by key");
	is_int(sql.params[1].type, SCIM_SQL_UUID, "the id is a uuid");
	is_str(sql.params[1].value.ptr, ID, "and given");
	scim_sql_select(arena, type, TENANT, SCIM_STR("00919288221112222"), false, &sql);
	ok(sql.params[1].value.ptr == NULL, "an id that is no UUID is null");

	scim_sql_insert(arena, type, TENANT, SCIM_STR(ID), values, &sql);
	values[1] = SCIM_STR("b");
	scim_sql_insert(arena, type, TENANT, SCIM_STR(ID), values, &again);
	is_str(again.text, sql.text, "one text for all inserts");
	is_int(sql.n_params, 5, "all columns are listed");
	scim_sql_update(arena, type, TENANT, SCIM_STR(ID), values, changed, &sql);
	ok(strstr(sql.text, type->columns[1].name) != NULL, "the changed column");
	is_int(sql.n_params, 3, "tenant, column, id");
}

/* ---- lists ---- */

#define EQ " OPERATOR(pg_catalog.=) "
#define NEQ " OPERATOR(pg_catalog.<>) "
#define GET " OPERATOR(pg_catalog.->) "
#define GETT " OPERATOR(pg_catalog.->>) "
#define EACH(x) "EXISTS (SELECT 1 FROM pg_catalog.jsonb_array_elements(t." x ") e(v) WHERE "
#define MEMBERS "EXISTS (SELECT 1 FROM scim.group_members l WHERE l.tenant" EQ "$1 AND l.group_id" EQ "t.id"

static void
test_filters(void)
{
	static const struct
	{
		const char *type;
		const char *filter;
		const char *where;		/* behind the tenant's condition; NULL: only the rules are checked */
	}			cases[] = {
		/* columns */
		{"User", "userName eq \"zqx\"", "scim.fold(t.user_name)" EQ "$2"},
		{"User", "externalId eq \"zqx\"", "t.external_id" EQ "$2"},
		{"User", "userName ne \"zqx\"", "((scim.fold(t.user_name)" EQ "$2) IS NOT TRUE)"},
		{"User", "userName co \"zqx\"", "(scim.contains(scim.fold(t.user_name), $2) AND scim.fold(t.user_name) OPERATOR(pg_catalog.~~) $3)"},
		{"User", "userName co \"zq\"", "scim.contains(scim.fold(t.user_name), $2)"},
		/* many comparisons with one value: one subquery, beside which stays what an index may serve */
		{"User", "title co \"zqx\" or title co \"zqx\" or title co \"zqx\" or title co \"zqx\" or title co \"zqx\"", "(SELECT (f.c1[1] OR f.c1[2] OR f.c1[3] OR f.c1[4] OR f.c1[5]) FROM (SELECT scim.contains_each(scim.fold(t.title), ARRAY[$2, $3, $4, $5, $6]) AS c1 OFFSET 0) f)"},
		{"User", "userName eq \"zqx\" and (title co \"zqx\" or title co \"zqx\" or title co \"zqx\" or title co \"zqx\" or title co \"zqx\")", "scim.fold(t.user_name)" EQ "$2 AND (SELECT (f.c1[1] OR f.c1[2] OR f.c1[3] OR f.c1[4] OR f.c1[5]) FROM (SELECT scim.contains_each(scim.fold(t.title), ARRAY[$3, $4, $5, $6, $7]) AS c1 OFFSET 0) f)"},
		{"User", "title co \"zqx\" or userName co \"zqx\"", "((scim.contains(scim.fold(t.title), $2) AND scim.fold(t.title) OPERATOR(pg_catalog.~~) $3) OR (scim.contains(scim.fold(t.user_name), $4) AND scim.fold(t.user_name) OPERATOR(pg_catalog.~~) $5))"},
		{"User", "title ew \"zqx\" or title co \"zqx\" or not (title ew \"zqx\") or title ne \"zqx\" or title sw \"zqx\" or title ew \"zqx\"",
		"(SELECT (scim.ends_with(f.t1, $2) OR f.c1[1] OR ((scim.ends_with(f.t1, $3)) IS NOT TRUE) OR ((f.t1" EQ "$4) IS NOT TRUE) OR scim.fold(t.title)" CC "OPERATOR(pg_catalog.^@) $5 OR scim.ends_with(f.t1, $6)) FROM (SELECT scim.fold(t.title) AS t1, scim.contains_each(scim.fold(t.title), ARRAY[$7]) AS c1 OFFSET 0) f)"},
		{"User", "emails[value co \"zqx\" and not (value co \"azqx\") and type eq \"zqx\"]",
		EACH("emails") "scim.fold((e.v" GETT "'type'))" EQ "$2 AND (SELECT f.c1[1] AND ((f.c1[2]) IS NOT TRUE) FROM (SELECT scim.contains_each(scim.fold((e.v" GETT "'value')), ARRAY[$3, $4]) AS c1 OFFSET 0) f))"},
		{"User", "title co \"zqx\" or title co \"zqx\" or emails[value co \"zqx\" or value co \"zqx\"] or groups[display co \"zqx\" or display co \"zqx\"]", NULL},
		{"User", "profileUrl ew \"zqx\" or profileUrl ew \"zqx\" or profileUrl ew \"zqx\" or profileUrl ew \"zqx\" or profileUrl ew \"zqx\"",
		"(SELECT (scim.ends_with(f.t1, $2) OR scim.ends_with(f.t1, $3) OR scim.ends_with(f.t1, $4) OR scim.ends_with(f.t1, $5) OR scim.ends_with(f.t1, $6)) FROM (SELECT (t.profile_url OPERATOR(pg_catalog.||) '') AS t1 OFFSET 0) f)"},
		{"User", "emails[value sw \"zqx\" or value eq \"zqx\"]",
		EACH("emails") "(SELECT (f.t1" CC "OPERATOR(pg_catalog.^@) $2 OR f.t1" EQ "$3) FROM (SELECT scim.fold((e.v" GETT "'value')) AS t1 OFFSET 0) f))"},
		{"User", "userName ew \"zqx\"", "scim.ends_with(scim.fold(t.user_name), $2)"},
		{"User", "userName sw \"zqx\"", "scim.fold(t.user_name)" CC "OPERATOR(pg_catalog.^@) $2"},
		{"User", "userName gt \"zqx\"", "scim.fold(t.user_name)" CC "OPERATOR(pg_catalog.>) $2"},
		{"User", "userName le \"zqx\"", "scim.fold(t.user_name)" CC "OPERATOR(pg_catalog.<=) $2"},
		{"User", "title pr", "t.title" NEQ "''"},
		{"User", "title eq null", "((t.title" NEQ "'') IS NOT TRUE)"},
		{"User", "active eq true", "t.active" EQ "$2"},
		{"User", "active ne true", "((t.active" EQ "$2) IS NOT TRUE)"},
		{"User", "active pr", "t.active IS NOT NULL"},
		{"User", "name.familyName co \"zqx\"", "(scim.contains(scim.fold(t.name_family_name), $2) AND scim.fold(t.name_family_name) OPERATOR(pg_catalog.~~) $3)"},
		{"User", "profileUrl sw \"zqx\"", "t.profile_url" CC "OPERATOR(pg_catalog.^@) $2"},
		{"User", "name[familyName eq \"zqx\"]", NULL},
		{"User", "name pr", NULL},

		/* the common attributes */
		{"User", "id eq \"" ID "\"", "t.id" EQ "$2"},
		{"User", "id eq \"2819C223-7f76-453a-919d-413861904646\"", "false"},
		{"User", "id eq \"zqx\"", "false"},
		{"User", "id ne \"zqx\"", "((false) IS NOT TRUE)"},
		{"User", "id sw \"zqx\"", "CAST(t.id AS pg_catalog.text)" CC "OPERATOR(pg_catalog.^@) $2"},
		{"User", "meta.lastModified ge \"2026-01-02T03:04:05.1234567Z\"", "t.last_modified OPERATOR(pg_catalog.>=) $2"},
		{"User", "meta.created pr", "t.created IS NOT NULL"},
		{"User", "meta.resourceType eq \"zqx\"", "CAST('User' AS pg_catalog.text)" EQ "$2"},
		{"User", "meta.version eq \"zqx\"", NULL},
		{"User", "schemas eq \"urn:ietf:params:scim:schemas:core:2.0:User\"", "(true)"},
		{"User", "schemas eq \"zqx\"", "(false)"},
		{"User", "schemas eq \"" E "\"", NULL},
		{"User", "schemas[value eq \"" E "\"]", NULL},
		{"User", "schemas pr", NULL},

		/* extensions */
		{"User", E ":department eq \"zqx\"", "scim.fold(t.department)" EQ "$2"},
		{"User", E ":manager.value eq \"" ID "\"", "t.manager_id" EQ "$2"},
		{"User", E ":manager.value eq \"2819C223-7F76-453A-919D-413861904646\"", "t.manager_id" EQ "$2"},
		{"User", E ":manager eq \"zqx\"", "false"},
		{"User", E ":manager pr", NULL},
		{"User", E ":manager.displayName sw \"zqx\"", NULL},
		{"User", E ":manager[value eq \"" ID "\"]", NULL},

		/* multi-valued */
		{"User", "emails.type eq \"zqx\"", EACH("emails") "scim.fold((e.v" GETT "'type'))" EQ "$2)"},
		{"User", "emails.value eq \"zqx\"", "(scim.folded_values(t.emails) OPERATOR(pg_catalog.@>) ARRAY[$3] AND " EACH("emails") "scim.fold((e.v" GETT "'value'))" EQ "$4))"},
		{"User", "emails co \"zqx\"", EACH("emails") "scim.contains(scim.fold((e.v" GETT "'value')), $2))"},
		{"User", "emails.value ne \"zqx\"", "((t.emails" NEQ "'[]') IS NOT TRUE OR " EACH("emails") "((scim.fold((e.v" GETT "'value'))" EQ "$2) IS NOT TRUE)))"},
		{"User", "meta.location eq \"zqx\"", "(scim.base_url($1) OPERATOR(pg_catalog.||) '/Users' OPERATOR(pg_catalog.||) '/' OPERATOR(pg_catalog.||) CAST(t.id AS pg_catalog.text))" EQ "$2"},
		{"User", "meta pr", "(true)"},
		{"User", "emails.primary eq true", EACH("emails") "COALESCE((e.v" GET "'primary'), CAST('false' AS pg_catalog.jsonb))" EQ "$2)"},
		{"User", "emails pr", "t.emails" NEQ "'[]'"},
		{"User", "emails.display pr", EACH("emails") "(e.v" GETT "'display')" NEQ "'')"},
		{"User", "emails[type eq \"zqx\" and value eq \"zqy\"]", "(scim.folded_values(t.emails) OPERATOR(pg_catalog.@>) ARRAY[$3] AND " EACH("emails") "(scim.fold((e.v" GETT "'type'))" EQ "$4 AND scim.fold((e.v" GETT "'value'))" EQ "$5)))"},
		{"User", "emails[type eq \"zqx\"].value eq \"zqy\"", "(scim.folded_values(t.emails) OPERATOR(pg_catalog.@>) ARRAY[$3] AND " EACH("emails") "(scim.fold((e.v" GETT "'type'))" EQ "$4 AND scim.fold((e.v" GETT "'value'))" EQ "$5)))"},
		{"User", "emails[type eq \"zqx\" or value eq \"zqy\"]", EACH("emails") "(scim.fold((e.v" GETT "'type'))" EQ "$2 OR scim.fold((e.v" GETT "'value'))" EQ "$3))"},
		/* several tests of its elements: one look at them, beside which stays what the index of its values serves, and what is no such test */
		{"User", "emails.type eq \"zqx\" or title pr or emails[type eq \"zqx\" and primary eq true] or photos.type eq \"zqx\"",
		"(" EACH("emails") "(SELECT (f.t1" EQ "$2 OR (f.t1" EQ "$3 AND COALESCE((e.v" GET "'primary'), CAST('false' AS pg_catalog.jsonb))" EQ "$4)) FROM (SELECT scim.fold((e.v" GETT "'type')) AS t1 OFFSET 0) f)) OR t.title" NEQ "'' OR " EACH("photos") "scim.fold((e.v" GETT "'type'))" EQ "$5))"},
		{"User", "not (emails.type eq \"zqx\") and title pr and not (emails.type sw \"zqx\") and emails.type ew \"zqx\"",
		"(((" EACH("emails") "(SELECT (f.t1" EQ "$2 OR f.t1" CC "OPERATOR(pg_catalog.^@) $3) FROM (SELECT scim.fold((e.v" GETT "'type')) AS t1 OFFSET 0) f))) IS NOT TRUE) AND t.title" NEQ "'' AND " EACH("emails") "scim.ends_with(scim.fold((e.v" GETT "'type')), $4)))"},
		{"User", "emails.value eq \"zqx\" or emails.type ne \"zqx\" or emails.type eq \"zqx\"",
		"((scim.folded_values(t.emails) OPERATOR(pg_catalog.@>) ARRAY[$2] AND " EACH("emails") "scim.fold((e.v" GETT "'value'))" EQ "$3)) OR ((t.emails" NEQ "'[]') IS NOT TRUE OR " EACH("emails") "((scim.fold((e.v" GETT "'type'))" EQ "$4) IS NOT TRUE))) OR " EACH("emails") "scim.fold((e.v" GETT "'type'))" EQ "$5))"},
		{"User", "not (emails.type eq \"zqx\" or (emails.value co \"zqx\" or emails.value co \"zqx\"))",
		"((" EACH("emails") "(SELECT (scim.fold((e.v" GETT "'type'))" EQ "$2 OR f.c2[1] OR f.c2[2]) FROM (SELECT scim.contains_each(scim.fold((e.v" GETT "'value')), ARRAY[$3, $4]) AS c2 OFFSET 0) f))) IS NOT TRUE)"},
		{"User", "emails[not (value eq \"zqx\")]", EACH("emails") "((scim.fold((e.v" GETT "'value'))" EQ "$2) IS NOT TRUE))"},
		{"User", "photos.value eq \"zqx\"", EACH("photos") "(e.v" GETT "'value')" EQ "$2)"},

		/* links */
		{"Group", "members eq \"" ID "\"", MEMBERS " AND l.member_id" EQ "$2)"},
		{"Group", "members.value eq \"2819C223-7F76-453A-919D-413861904646\"", MEMBERS " AND l.member_id" EQ "$2)"},
		{"Group", "members eq \"zqx\"", MEMBERS " AND false)"},
		{"Group", "members[value eq \"" ID "\" and type eq \"zqx\"]", MEMBERS " AND (l.member_id" EQ "$2 AND scim.fold(l.member_type)" EQ "$3))"},
		{"Group", "members ne \"" ID "\"", "(NOT " MEMBERS ") OR " MEMBERS " AND ((l.member_id" EQ "$2) IS NOT TRUE)))"},
		{"Group", "members pr", MEMBERS ")"},
		{"Group", "members.display co \"zqx\"", NULL},
		{"Group", "members.type pr", NULL},
		{"Group", "members.$ref eq \"zqx\"", MEMBERS " AND (scim.base_url($1) OPERATOR(pg_catalog.||) CASE WHEN l.member_type" EQ "'User' THEN '/Users' WHEN l.member_type" EQ
		"'Group' THEN '/Groups' END OPERATOR(pg_catalog.||) '/' OPERATOR(pg_catalog.||) CAST(l.member_id AS pg_catalog.text))" EQ "$2)"},
		{"Group", "not (members[$ref pr])", NULL},
		{"User", "groups.$ref ew \"zqx\"", NULL},
		{"User", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.$ref eq \"zqx\"",
		"(scim.base_url($1) OPERATOR(pg_catalog.||) '/Users' OPERATOR(pg_catalog.||) '/' OPERATOR(pg_catalog.||) CAST(t.manager_id AS pg_catalog.text))" EQ "$2"},
		{"User", "groups.value eq \"" ID "\"", NULL},
		{"User", "groups.display eq \"zqx\"", NULL},
		{"User", "groups[display eq \"zqx\" and value eq \"" ID "\"]", NULL},
		{"User", "groups.type eq \"direct\"", NULL},
		{"User", "not (groups[type eq \"indirect\" and display co \"zqx\"])", NULL},

		/* and, or, not */
		{"User", "userName eq \"zqx\" and active eq true", "(scim.fold(t.user_name)" EQ "$2 AND t.active" EQ "$3)"},
		{"User", "userName eq \"zqx\" or active eq true", "(scim.fold(t.user_name)" EQ "$2 OR t.active" EQ "$3)"},
		{"User", "title pr and (title pr or active pr) and active pr", "(t.title" NEQ "'' AND (t.title" NEQ "'' OR t.active IS NOT NULL) AND t.active IS NOT NULL)"},
		{"User", "not (title pr and active pr)", "(((t.title" NEQ "'' AND t.active IS NOT NULL)) IS NOT TRUE)"},
		{"Group", "id eq \"" ID "\" and members eq \"" ID "\"", "(t.id" EQ "$2 AND " MEMBERS " AND l.member_id" EQ "$3))"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		static const char tenant[] = " WHERE t.tenant OPERATOR(pg_catalog.=) $1 AND ";
		ScimError	err;
		ScimSql		sql;
		ScimFilter *filter;
		char	   *where;
		char	   *end;

		if (!is_int(list(cases[i].type, cases[i].filter, NULL, NULL, &sql, &err), SCIM_OK, "list: %s", cases[i].filter))
		{
			printf("#   %s\n", err.detail);
			continue;
		}
		check(&sql, cases[i].filter);
		where = strstr(scim_strdup(arena, str(sql.text)), tenant);
		end = where != NULL ? strstr(where, " ORDER BY ") : NULL;
		if (end != NULL)
			*end = '\0';
		if (cases[i].where != NULL)
			is_str(where != NULL ? where + strlen(tenant) : NULL, cases[i].where, "condition of %s", cases[i].filter);
		scim_filter_parse(arena, type_named(cases[i].type), str(cases[i].filter), &limits, &filter, NULL);
		is_int(scim_sql_count(arena, type_named(cases[i].type), TENANT, filter, &sql, &err), SCIM_OK, "count: %s", cases[i].filter);
		check(&sql, "the count of it");
	}
}

static void
test_params(void)
{
	static const struct
	{
		const char *filter;
		ScimSqlType type;
		const char *first;
	}			cases[] = {
		{"userName eq \"ZQX\xc3\x84\"", SCIM_SQL_TEXT, "zqx\xc3\xa4"},
		{"externalId eq \"ZQX\"", SCIM_SQL_TEXT, "ZQX"},
		{"emails.value co \"5%_\\\\a\"", SCIM_SQL_TEXT, "5%_\\a"},
		{"userName ew \"a%\"", SCIM_SQL_TEXT, "a%"},
		{"userName co \"\"", SCIM_SQL_TEXT, ""},
		{"userName sw \"ab\"", SCIM_SQL_TEXT, "ab"},
		{"externalId sw \"a\x7f\"", SCIM_SQL_TEXT, "a\x7f"},
		{"externalId sw \"a\xdf\xbf\"", SCIM_SQL_TEXT, "a\xdf\xbf"},
		{"externalId sw \"a\xed\x9f\xbf\"", SCIM_SQL_TEXT, "a\xed\x9f\xbf"},
		{"externalId sw \"a\xef\xbf\xbf\"", SCIM_SQL_TEXT, "a\xef\xbf\xbf"},
		{"externalId sw \"a\xf4\x8f\xbf\xbf\"", SCIM_SQL_TEXT, "a\xf4\x8f\xbf\xbf"},
		{"externalId sw \"\xf4\x8f\xbf\xbf\"", SCIM_SQL_TEXT, "\xf4\x8f\xbf\xbf"},
		{"externalId sw \"\"", SCIM_SQL_TEXT, ""},
		{"active eq false", SCIM_SQL_BOOL, "false"},
		{"meta.created gt \"2026-01-02T03:04:05.1234567+01:00\"", SCIM_SQL_TIMESTAMPTZ, "2026-01-02T02:04:05.123456Z"},
		{"meta.created gt \"0001-01-03T00:00:00.0000000Z\"", SCIM_SQL_TIMESTAMPTZ, "0001-01-03T00:00:00.000000Z"},
		{"id eq \"" ID "\"", SCIM_SQL_UUID, ID},
		{"emails.primary eq true", SCIM_SQL_JSONB, "true"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		ScimError	err;
		ScimSql		sql;

		if (!is_int(list("User", cases[i].filter, NULL, NULL, &sql, &err), SCIM_OK, "list: %s", cases[i].filter))
			continue;
		is_int(sql.params[1].type, cases[i].type, "type of the parameter");
		is_str(scim_strdup(arena, sql.params[1].value), cases[i].first, "parameter of %s", cases[i].filter);
		is_int(sql.n_params, 4, "tenant, literal, offset, limit");
	}
}

/* ---- links ---- */

static void
test_links(void)
{
	const ScimRegistry *registry = scim_registry_builtin();
	const ScimLink *links[] = {link_named("Group", "members"), link_named("User", "groups")};
	const ScimStr ids[] = {SCIM_STR(ID), SCIM_STR("no uuid"), SCIM_STR("3819c223-7f76-453a-919d-413861904646")};
	ScimError	err;
	ScimSql		sql;
	ScimFilter *filter;
	bool		any;

	for (size_t i = 0; i < 2; i++)
	{
		is_int(scim_sql_link_read(arena, links[i], TENANT, ids, 3, &sql), SCIM_OK, "read a link");
		check(&sql, "read a link");
		is_int((long long) sql.params[1].n_values, 2, "what is no UUID is left out");
		is_int(scim_sql_link_names(arena, registry, links[i], TENANT, ids, 3, &any, &sql), SCIM_OK, "names of a link");
		check(&sql, "names of a link");
		ok(any && sql.n_params == 2, "tenant, ids");
		ok((strstr(sql.text, " FROM scim.users d ") != NULL) == (i == 0) && strstr(sql.text, " FROM scim.groups d ") != NULL, "of users and groups, or of groups");
		ok((strstr(sql.text, "n.nested_group_id" EQ "ANY ($2)") != NULL) == (i == 1), "do groups lead on?");
		if (links[i]->nested != NULL)
		{
			is_int(scim_sql_link_read_indirect(arena, links[i], TENANT, ids, 3, &sql), SCIM_OK, "read an indirect link");
			check(&sql, "read an indirect link");
		}
		scim_sql_link_missing(arena, registry, links[i], TENANT, ids, 3, &sql);
		check(&sql, "missing");
		scim_sql_link_add(arena, registry, links[i], TENANT, ids[0], ids, 3, &sql);
		check(&sql, "add");
		is_int(sql.n_params, 3, "tenant, owner, ids");
		scim_sql_link_remove(arena, links[i], TENANT, ids[0], ids, 3, &sql);
		check(&sql, "remove");
		scim_sql_link_keep(arena, links[i], TENANT, ids[0], ids, 3, &sql);
		check(&sql, "keep");
	}
	scim_sql_link_add(arena, registry, links[0], TENANT, ids[0], ids, 3, &sql);
	ok(strstr(sql.text, "'User'") != NULL && strstr(sql.text, "'Group'") != NULL, "members are users or groups: %s", sql.text);

	scim_filter_parse(arena, type_named("Group"), SCIM_STR("members[type eq \"User\" and not (value eq \"" ID "\")]"), &limits, &filter, NULL);
	is_int(scim_sql_link_remove_matching(arena, registry, links[0], TENANT, ids[0], filter->left, &sql, &err), SCIM_OK, "remove matching");
	check(&sql, "remove matching");
	is_str(sql.text, "DELETE FROM scim.group_members AS l WHERE l.tenant" EQ "$1 AND l.group_id" EQ "$2 AND (scim.fold(l.member_type)" EQ
		   "$3 AND ((l.member_id" EQ "$4) IS NOT TRUE))", "text of remove matching");
	scim_filter_parse(arena, type_named("Group"), SCIM_STR("members[$ref pr]"), &limits, &filter, NULL);
	is_int(scim_sql_link_remove_matching(arena, registry, links[0], TENANT, ids[0], filter->left, &sql, &err), SCIM_OK,
		   "remove matching what a reference leads to");
	check(&sql, "remove matching what a reference leads to");
}

/* ---- a schema of one's own ---- */

#define ATTRIBUTE(name, type, multi, more) "{\"name\":\"" name "\",\"type\":\"" type "\",\"multiValued\":" multi ",\"description\":\"x\"," \
	"\"required\":false,\"mutability\":\"readWrite\",\"returned\":\"default\",\"uniqueness\":\"none\"" more "}"
#define SCHEMA(id, attributes) "{\"schemas\":[\"urn:ietf:params:scim:schemas:core:2.0:Schema\"],\"id\":\"" id "\",\"name\":\"x\"," \
	"\"description\":\"x\",\"attributes\":[" attributes "]}"

static const char *const own_documents[] = {
	SCHEMA("urn:example:Thing", ATTRIBUTE("count", "integer", "false", "") "," ATTRIBUTE("weight", "decimal", "false", "") ","
		   ATTRIBUTE("tags", "string", "true", ",\"caseExact\":false")),
	SCHEMA("urn:example:O'Thing", ATTRIBUTE("size", "integer", "false", "") "," ATTRIBUTE("made", "dateTime", "false", "") ","
		   ATTRIBUTE("parts", "complex", "true", ",\"subAttributes\":[" ATTRIBUTE("value", "string", "false", ",\"caseExact\":true") ","
					 ATTRIBUTE("weight", "decimal", "false", "") "]") ","
		   ATTRIBUTE("maker", "complex", "false", ",\"subAttributes\":[" ATTRIBUTE("name", "string", "false", ",\"caseExact\":false") "]")),
	"{\"schemas\":[\"urn:ietf:params:scim:schemas:core:2.0:ResourceType\"],\"id\":\"Thing\",\"name\":\"Thing\",\"endpoint\":\"/Things\",\"description\":\"x\","
	"\"schema\":\"urn:example:Thing\",\"schemaExtensions\":[{\"schema\":\"urn:example:O'Thing\",\"required\":false}],"
	"\"storage\":{\"table\":\"app.things\",\"id\":\"key\",\"tenant\":\"customer\",\"version\":\"v\",\"created\":\"c\",\"lastModified\":\"m\",\"extensions\":\"more\","
	"\"attributes\":{\"externalId\":\"x\",\"count\":\"n\",\"weight\":\"w\",\"tags\":\"tags\"}}}"
};

#define OWN "(t.more" GET "'urn:example:O\'\'Thing'" GET

static void
test_own_schema(void)
{
	static const char tenant[] = " WHERE t.customer OPERATOR(pg_catalog.=) $1 AND ";
	static const struct
	{
		const char *filter;
		const char *where;
		ScimSqlType type;		/* of $2 */
	}			cases[] = {
		{"count eq 5", "t.n" EQ "$2", SCIM_SQL_INT8},
		{"count eq 5.5", "CAST(t.n AS pg_catalog.numeric)" EQ "$2", SCIM_SQL_NUMERIC},
		{"count gt 99999999999999999999", "CAST(t.n AS pg_catalog.numeric) OPERATOR(pg_catalog.>) $2", SCIM_SQL_NUMERIC},
		{"weight le -1.5e3", "t.w OPERATOR(pg_catalog.<=) $2", SCIM_SQL_NUMERIC},
		{"tags eq \"A\"", "(scim.folded_values(t.tags) OPERATOR(pg_catalog.@>) ARRAY[$2] AND "
		EACH("tags") "scim.fold((e.v OPERATOR(pg_catalog.#>>) '{}'))" EQ "$3))", SCIM_SQL_TEXT},
		{"tags[value sw \"a\"]", NULL, SCIM_SQL_TEXT},
		{"urn:example:O'Thing:size ge 5", "(pg_catalog.jsonb_typeof(" OWN "'size'))" EQ "'number' AND " OWN "'size') OPERATOR(pg_catalog.>=) $2)", SCIM_SQL_JSONB},
		{"urn:example:O'Thing:made lt \"2026-01-02T03:04:05Z\"", "scim.parse_time((" OWN "'made') OPERATOR(pg_catalog.#>>) '{}')) OPERATOR(pg_catalog.<) $2", SCIM_SQL_TIMESTAMPTZ},
		{"urn:example:O'Thing:maker.name eq \"A\"", "scim.fold((" OWN "'maker')" GETT "'name')) COLLATE pg_catalog.\"C\"" EQ "$2", SCIM_SQL_TEXT},
		{"urn:example:O'Thing:parts[weight gt 1 and value eq \"A\"]", NULL, SCIM_SQL_JSONB},
		{"urn:example:O'Thing:parts.value ne \"A\"", NULL, SCIM_SQL_TEXT},
		{"urn:example:O'Thing:maker pr and schemas eq \"urn:example:O'Thing\" and count pr", NULL, SCIM_SQL_TEXT},
	};
	ScimRegistry *registry = scim_registry_create();
	const ScimResourceType *type;
	ScimError	err = {SCIM_OK, ""};

	for (size_t i = 0; i < sizeof(own_documents) / sizeof(own_documents[0]); i++)
		is_int(scim_registry_add(registry, str(own_documents[i]), &err), SCIM_OK, "a document of one's own: %s", err.detail);
	type = scim_registry_type_by_name(registry, "Thing");
	for (size_t i = 0; type != NULL && i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		ScimFilter *filter = NULL;
		ScimSql		sql;
		const char *where;

		is_int(scim_filter_parse(arena, type, str(cases[i].filter), &limits, &filter, &err), SCIM_OK, "filter %s", cases[i].filter);
		is_int(scim_sql_count(arena, type, TENANT, filter, &sql, &err), SCIM_OK, "count");
		where = strstr(sql.text, tenant);
		if (cases[i].where != NULL)
			is_str(where != NULL ? where + strlen(tenant) : sql.text, cases[i].where, "condition of %s", cases[i].filter);
		if (sql.n_params > 1)
			is_int(sql.params[1].type, cases[i].type, "type of the parameter of %s", cases[i].filter);
		if (getenv("SHOW_SQL") != NULL)
			printf("# %s\n", sql.text);
	}
	scim_registry_free(registry);
}

/* Users in a table of an application: what is deleted is none, defaults count, one column is the only mail address. */
static void
test_bound(void)
{
	static const char storage[] = "{\"table\":\"\\\"My App\\\".\\\"User\\\"\",\"bound\":true,\"id\":\"\\\"uid\\\"\",\"tenant\":\"\\\"org\\\"\","
		"\"version\":\"v\",\"created\":\"c\",\"lastModified\":\"m\",\"deletedAt\":\"gone\",\"attributes\":{\"userName\":\"\\\"order\\\"\",\"active\":\"on_\","
		"\"displayName\":{\"column\":\"full_name\",\"computed\":true},\"emails\":{\"column\":\"mail\",\"element\":{\"type\":\"work\",\"primary\":true}},"
		"\"groups\":{\"link\":\"scim.group_members\",\"tenant\":\"tenant\",\"owner\":\"member_id\",\"value\":\"group_id\",\"target\":\"Group\"}}}";
	static const char table[] = "\"My App\".\"User\"";
	static const char scope[] = "t.\"org\" OPERATOR(pg_catalog.=) $1 AND t.gone IS NULL";
	const ScimStr values[] = {SCIM_STR("ann"), SCIM_STR_NONE, SCIM_STR_NONE, SCIM_STR("a@" MARK)};
	const bool	changed[] = {true, true, true, true};
	ScimRegistry *registry = scim_registry_begin();
	ScimError	err = {SCIM_OK, ""};
	const ScimResourceType *type;
	ScimFilter *filter = NULL;
	ScimSort	sort;
	ScimSql		sql;

	is_int(scim_registry_store(registry, "User", str(storage), &err), SCIM_OK, "a binding (%s)", err.detail);
	type = scim_registry_type_by_name(registry, "User");
	ok(type->bound && strcmp(type->table, table) == 0 && type->n_columns == 4, "takes the place of the built-in storage");
	scim_sql_select(arena, type, TENANT, SCIM_STR(ID), false, &sql);
	ok(strstr(sql.text, scope) != NULL && strstr(sql.text, ", t.full_name, t.mail FROM \"My App\".\"User\" t") != NULL, "%s", sql.text);
	scim_sql_insert(arena, type, TENANT, SCIM_STR(ID), values, &sql);
	ok(strstr(sql.text, "(\"org\", \"uid\", \"order\", mail) VALUES ($1, $2, $3, $4)") != NULL, "%s", sql.text);
	scim_sql_update(arena, type, TENANT, SCIM_STR(ID), values, changed, &sql);
	ok(strstr(sql.text, "SET \"order\" = $2, on_ = DEFAULT, mail = $3 WHERE") != NULL && strstr(sql.text, scope) != NULL, "%s", sql.text);
	scim_sql_delete(arena, type, TENANT, SCIM_STR(ID), &sql);
	ok(strstr(sql.text, "UPDATE \"My App\".\"User\" AS t SET gone = pg_catalog.clock_timestamp() WHERE") == sql.text && strstr(sql.text, scope) != NULL,
	   "%s", sql.text);
	is_int(scim_filter_parse(arena, type, SCIM_STR("emails[type eq \"work\" and value eq \"A\"] or displayName pr"), &limits, &filter, &err), SCIM_OK, "a filter");
	scim_sort_parse(arena, type, SCIM_STR("emails.value"), SCIM_STR_NONE, &sort, &err);
	is_int(scim_sql_list(arena, type, TENANT, filter, &sort, 0, 10, &sql, &err), SCIM_OK, "a list");
	ok(strstr(sql.text, "(scim.fold(t.mail) OPERATOR(pg_catalog.=) $2 AND EXISTS (SELECT 1 FROM pg_catalog.jsonb_array_elements(CASE WHEN t.mail") != NULL &&
	   strstr(sql.text, " OR t.full_name OPERATOR(pg_catalog.<>) ''") != NULL && strstr(sql.text, scope) != NULL &&
	   strstr(sql.text, " ORDER BY scim.fold(t.mail) COLLATE pg_catalog.\"C\", t.\"uid\"") != NULL, "%s", sql.text);
	is_int(scim_sql_link_missing(arena, registry, &scim_registry_type_by_name(registry, "Group")->links[0], TENANT, &(ScimStr) {ID, 36}, 1, &sql), SCIM_OK, "members");
	ok(strstr(sql.text, "\"My App\".\"User\" r WHERE r.\"org\" OPERATOR(pg_catalog.=) $1 AND r.gone IS NULL") != NULL, "%s", sql.text);
	is_int(scim_sql_link_add(arena, registry, &scim_registry_type_by_name(registry, "Group")->links[0], TENANT, SCIM_STR(ID), &(ScimStr) {ID, 36}, 1, &sql), SCIM_OK, "added");
	ok(strstr(sql.text, "member_type, bound)") != NULL && strstr(sql.text, "'User', true FROM \"My App\".\"User\" r") != NULL &&
	   strstr(sql.text, "'Group', false FROM scim.groups r") != NULL, "%s", sql.text);
	scim_registry_free(registry);
}

static void
test_out_of_memory(void)
{
	ScimStatus	status = SCIM_NO_MEMORY;
	size_t		max;

	for (max = 0; status == SCIM_NO_MEMORY && max < 65536; max += 128)
	{
		ScimArena  *small = scim_arena_create(max);
		ScimFilter *filter;
		ScimSort	sort;
		ScimSql		sql;

		status = scim_filter_parse(small, type_named("User"),
								   SCIM_STR("emails[type eq \"w\"].value eq \"x\" or userName sw \"a\" or groups.display co \"x\" or schemas pr or meta.created pr"),
								   &limits, &filter, NULL);
		if (status == SCIM_OK)
			status = scim_sort_parse(small, type_named("User"), SCIM_STR("emails"), SCIM_STR_NONE, &sort, NULL);
		if (status == SCIM_OK)
			status = scim_sql_list(small, type_named("User"), TENANT, filter, &sort, 0, 1, &sql, NULL);
		scim_arena_free(small);
	}
	is_int(status, SCIM_OK, "succeeds once there is memory");
	ok(max > 4096, "and failed before");
}

int
main(void)
{
	arena = scim_arena_create((size_t) 16 << 20);
	test_rows();
	test_row_texts();
	test_filters();
	test_params();
	test_links();
	test_own_schema();
	test_bound();
	test_out_of_memory();
	scim_arena_free(arena);
	return done_testing();
}
