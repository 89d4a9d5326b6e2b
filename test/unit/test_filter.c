/*
 * test_filter.c
 *		Filter text to a tree: grammar, precedence, literals, limits, and what
 *		is refused.  A tree is compared as a Lisp-like text.
 */
#include "core/filter.h"
#include "core/strbuf.h"
#include "tap.h"

#include <inttypes.h>
#include <stdlib.h>

static ScimArena *arena;
static const ScimFilterLimits limits = {.max_terms = 200};

static ScimStr
str(const char *text)
{
	return (ScimStr) {text, strlen(text)};
}

static const ScimResourceType *
type_named(const char *name)
{
	return scim_registry_type_by_name(scim_registry_builtin(), name);
}

static void
show_literal(ScimBuf *buf, const ScimLiteral *literal)
{
	switch (literal->kind)
	{
		case SCIM_LITERAL_STRING:
			scim_buf_printf(buf, "'%.*s'", (int) literal->text.len, literal->text.ptr);
			break;
		case SCIM_LITERAL_NUMBER:
			scim_buf_bytes(buf, literal->text.ptr, literal->text.len);
			break;
		case SCIM_LITERAL_BOOLEAN:
			scim_buf_str(buf, literal->boolean ? "true" : "false");
			break;
		case SCIM_LITERAL_TIME:
			scim_buf_printf(buf, "@%" PRId64, literal->micros);
			break;
	}
}

static void
show(ScimBuf *buf, const ScimFilter *filter)
{
	static const char *const operators[] = {"eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"};
	static const char *const kinds[] = {"and", "or", "not", "", "pr", "in"};

	scim_buf_char(buf, '(');
	if (filter->kind == SCIM_FILTER_COMPARE)
		scim_buf_str(buf, operators[filter->op]);
	else
		scim_buf_str(buf, kinds[filter->kind]);
	if (filter->path.attr != NULL)
		scim_buf_printf(buf, " %s", scim_path_text(arena, &filter->path));
	if (filter->kind == SCIM_FILTER_COMPARE)
	{
		scim_buf_char(buf, ' ');
		show_literal(buf, &filter->value);
	}
	for (int i = 0; i < 2; i++)
	{
		const ScimFilter *operand = i == 0 ? filter->left : filter->right;

		if (operand == NULL)
			continue;
		scim_buf_char(buf, ' ');
		show(buf, operand);
	}
	scim_buf_char(buf, ')');
}

#define E "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
#define A "userName eq \"a\""
#define B "userName eq \"b\""
#define C "userName eq \"c\""
#define TREE_A "(eq userName 'a')"
#define TREE_B "(eq userName 'b')"
#define TREE_C "(eq userName 'c')"

static void
test_valid(void)
{
	static const struct
	{
		const char *text;
		const char *tree;
	}			cases[] = {
		/* operators and names in any case */
		{"userName eq \"bjensen\"", "(eq userName 'bjensen')"},
		{"USERNAME Eq \"BJensen\"", "(eq userName 'bjensen')"},
		{"userName ne \"x\"", "(ne userName 'x')"},
		{"userName co \"x\"", "(co userName 'x')"},
		{"userName sw \"J\"", "(sw userName 'j')"},
		{"userName ew \"x\"", "(ew userName 'x')"},
		{"userName gt \"x\"", "(gt userName 'x')"},
		{"userName ge \"x\"", "(ge userName 'x')"},
		{"userName lt \"x\"", "(lt userName 'x')"},
		{"userName le \"x\"", "(le userName 'x')"},
		{"title pr", "(pr title)"},
		{"title PR", "(pr title)"},

		/* literals */
		{"userName eq \"\"", "(eq userName '')"},
		{"userName eq \"\\u00C4\\\"\\/\"", "(eq userName '\xc3\xa4\"/')"},
		{"externalId eq \"Ab\"", "(eq externalId 'Ab')"},
		{"active eq true", "(eq active true)"},
		{"active eq False", "(eq active false)"},
		{"meta.lastModified gt \"1970-01-01T00:00:01Z\"", "(gt meta.lastModified @1000000)"},
		{"meta.lastModified ge \"0001-01-03T00:00:00.0000000Z\"", "(ge meta.lastModified @-62135424000000000)"},
		{"meta.lastModified le \"9999-12-30T00:00:00.0000000Z\"", "(le meta.lastModified @253402128000000000)"},
		{"title eq null", "(not (pr title))"},
		{"title ne NULL", "(pr title)"},
		{"not (title eq null)", "(not (not (pr title)))"},

		/* precedence and grouping */
		{A " and " B, "(and " TREE_A " " TREE_B ")"},
		{A " or " B, "(or " TREE_A " " TREE_B ")"},
		{A " or " B " and " C, "(or " TREE_A " (and " TREE_B " " TREE_C "))"},
		{A " and " B " or " C, "(or (and " TREE_A " " TREE_B ") " TREE_C ")"},
		{"(" A " or " B ") and " C, "(and (or " TREE_A " " TREE_B ") " TREE_C ")"},
		{A " and " B " and " C, "(and (and " TREE_A " " TREE_B ") " TREE_C ")"},
		{"not (" A ") and " B, "(and (not " TREE_A ") " TREE_B ")"},
		{"not (" A " or " B ")", "(not (or " TREE_A " " TREE_B "))"},
		{"NOT(" A ")", "(not " TREE_A ")"},
		{"((" A "))", TREE_A},
		{"  " A "   AND   ( " B " )  ", "(and " TREE_A " " TREE_B ")"},

		/* paths */
		{"name.familyName co \"O'Malley\"", "(co name.familyName 'o'malley')"},
		{"urn:ietf:params:scim:schemas:core:2.0:User:userName sw \"J\"", "(sw userName 'j')"},
		{E ":department eq \"X\"", "(eq " E ":department 'x')"},
		{E ":manager.value eq \"X\"", "(eq " E ":manager.value 'x')"},
		{E ":manager eq \"X\"", "(eq " E ":manager.value 'x')"},
		{"emails eq \"X\"", "(eq emails.value 'x')"},
		{"emails.type eq \"work\"", "(eq emails.type 'work')"},
		{"emails pr", "(pr emails)"},
		{"emails.value pr", "(pr emails.value)"},
		{"emails eq null", "(not (pr emails.value))"},
		{"schemas eq \"" E "\"", NULL},
		{"name pr", "(pr name)"},

		/* value paths */
		{"emails[type eq \"work\" and value co \"@example.com\"]", "(in emails (and (eq emails.type 'work') (co emails.value '@example.com')))"},
		{"emails[type eq \"work\"] or ims[type eq \"xmpp\"]", "(or (in emails (eq emails.type 'work')) (in ims (eq ims.type 'xmpp')))"},
		{"emails[not (type eq \"work\")]", "(in emails (not (eq emails.type 'work')))"},
		{"emails[(type eq \"work\" or type eq \"home\") and primary eq true]", "(in emails (and (or (eq emails.type 'work') (eq emails.type 'home')) (eq emails.primary true)))"},
		{"emails[type eq \"work\"].value eq \"X\"", "(in emails (and (eq emails.type 'work') (eq emails.value 'x')))"},
		{"emails[type eq \"work\"].value pr", "(in emails (and (eq emails.type 'work') (pr emails.value)))"},
		{"name[familyName eq \"x\"]", "(in name (eq name.familyName 'x'))"},
		{"schemas[value eq \"x\"]", NULL},
		{"userType eq \"Employee\" and (emails co \"example.com\" or emails.value co \"example.org\")", "(and (eq userType 'employee') (or (co emails.value 'example.com') (co emails.value 'example.org')))"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		ScimFilter *filter;
		ScimError	err = {SCIM_OK, ""};
		ScimBuf		buf;
		ScimStatus	status = scim_filter_parse(arena, type_named("User"), str(cases[i].text), &limits, &filter, &err);

		if (!is_int(status, SCIM_OK, "filter %s", cases[i].text))
		{
			printf("#   %s\n", err.detail);
			continue;
		}
		if (cases[i].tree == NULL)
			continue;
		scim_buf_init(&buf, arena, 65536);
		show(&buf, filter);
		is_str(buf.data, cases[i].tree, "tree of %s", cases[i].text);
	}
}


static void
test_invalid(void)
{
	static const struct
	{
		const char *text;
		ScimStatus	status;
		const char *says;
	}			cases[] = {
		{"", SCIM_INVALID_FILTER, "offset 0"},
		{"   ", SCIM_INVALID_FILTER, "offset 3"},
		{"userName", SCIM_INVALID_FILTER, "offset 8"},
		{"userName ", SCIM_INVALID_FILTER, "operator is expected"},
		{"userName eq", SCIM_INVALID_FILTER, "offset 11"},
		{"userName eq ", SCIM_INVALID_FILTER, "a value is expected"},
		{"userName eq bjensen", SCIM_INVALID_FILTER, "offset 12"},
		{"userName eq 'x'", SCIM_INVALID_FILTER, "a value is expected"},
		{"userName eq \"x", SCIM_INVALID_FILTER, "malformed string"},
		{"userName eq \"\\u0000\"", SCIM_INVALID_FILTER, "malformed string"},
		{"userName eq\"x\"", SCIM_INVALID_FILTER, "a space and a value"},
		{"userName eqq \"x\"", SCIM_INVALID_FILTER, "operator is expected"},
		{"userName = \"x\"", SCIM_INVALID_FILTER, "operator is expected"},
		{A " and", SCIM_INVALID_FILTER, "offset 16"},
		{A " and ", SCIM_INVALID_FILTER, "attribute name is expected"},
		{A " xor " B, SCIM_INVALID_FILTER, "the end is expected"},
		{A "and " B, SCIM_INVALID_FILTER, "the end is expected"},
		{A " " B, SCIM_INVALID_FILTER, "the end is expected"},
		{"(" A, SCIM_INVALID_FILTER, "\")\" is expected"},
		{A ")", SCIM_INVALID_FILTER, "the end is expected"},
		{"()", SCIM_INVALID_FILTER, "attribute name is expected"},
		{"not " A, SCIM_INVALID_FILTER, "\"not\""},
		{"\t" A, SCIM_INVALID_FILTER, "offset 0"},

		/* attributes */
		{"favouriteFish eq \"x\"", SCIM_INVALID_FILTER, "favouriteFish"},
		{"name.nose eq \"x\"", SCIM_INVALID_FILTER, "nose"},
		{"name eq \"x\"", SCIM_INVALID_FILTER, "sub-attribute must be named"},
		{"meta eq \"x\"", SCIM_INVALID_FILTER, "sub-attribute must be named"},
		{E " pr", SCIM_INVALID_FILTER, "not a schema"},
		{"password eq \"x\"", SCIM_SENSITIVE, "password"},
		{"password pr", SCIM_SENSITIVE, "password"},
		{"not (PASSWORD sw \"a\")", SCIM_SENSITIVE, "password"},
		{"password[value eq \"x\"]", SCIM_SENSITIVE, "password"},

		/* types */
		{"active eq \"true\"", SCIM_INVALID_FILTER, "true or false is expected"},
		{"active gt true", SCIM_INVALID_FILTER, "not supported"},
		{"active co true", SCIM_INVALID_FILTER, "not supported"},
		{"userName eq 5", SCIM_INVALID_FILTER, "a string in double quotes"},
		{"userName eq true", SCIM_INVALID_FILTER, "a string in double quotes"},
		{"x509Certificates.value gt \"x\"", SCIM_INVALID_FILTER, "not supported"},
		{"x509Certificates.value sw \"x\"", SCIM_INVALID_FILTER, "not supported"},
		{"meta.created eq \"yesterday\"", SCIM_INVALID_FILTER, "a time"},
		{"meta.created co \"2026\"", SCIM_INVALID_FILTER, "not supported"},
		{"title gt null", SCIM_INVALID_FILTER, "null can only"},

		/* value paths */
		{"emails[type eq \"work\"", SCIM_INVALID_FILTER, "\"]\" is expected"},
		{"emails[]", SCIM_INVALID_FILTER, "name of a sub-attribute"},
		{"emails[colour eq \"x\"]", SCIM_INVALID_FILTER, "no such sub-attribute"},
		{"emails[emails.type eq \"x\"]", SCIM_INVALID_FILTER, "no such sub-attribute"},
		{"emails[type eq \"x\"][type eq \"x\"]", SCIM_INVALID_FILTER, "the end is expected"},
		{"emails[type eq \"x\"].", SCIM_INVALID_FILTER, "name of a sub-attribute"},
		{"emails[type eq \"x\"].value", SCIM_INVALID_FILTER, "a space and an operator"},
		{"userName[value eq \"x\"]", SCIM_INVALID_FILTER, "cannot stand here"},
		{"name.givenName[value eq \"x\"]", SCIM_INVALID_FILTER, "cannot stand here"},
		{"emails.value[type eq \"x\"]", SCIM_INVALID_FILTER, "cannot stand here"},
		{"userName eq \"\xff\"", SCIM_INVALID_FILTER, "UTF-8"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		ScimFilter *filter;
		ScimError	err = {SCIM_OK, ""};

		is_int(scim_filter_parse(arena, type_named("User"), str(cases[i].text), &limits, &filter, &err),
			   cases[i].status, "refused: %s", cases[i].text);
		is_int(err.status, cases[i].status, "status in the error: %s", cases[i].text);
		if (!ok(strstr(err.detail, cases[i].says) != NULL, "what is said of %s", cases[i].text))
			printf("#   %s\n", err.detail);
	}
}

/* n comparisons joined by or. */
static char *
chain(int n)
{
	ScimBuf		buf;

	scim_buf_init(&buf, arena, (size_t) 1 << 20);
	for (int i = 0; i < n; i++)
		scim_buf_printf(&buf, "%stitle eq \"%d\"", i > 0 ? " or " : "", i);
	return buf.data;
}

static int
depth(const ScimFilter *filter)
{
	int			left = filter->left != NULL ? depth(filter->left) : 0;
	int			right = filter->right != NULL ? depth(filter->right) : 0;

	return 1 + (left > right ? left : right);
}

/* The literals of a chain, left to right, are 0, 1, 2, … */
static void
count_up(void *context, ScimStr literal)
{
	int		   *next = context;
	char		expected[16];

	snprintf(expected, sizeof(expected), "%d", *next);
	if (literal.len == strlen(expected) && memcmp(literal.ptr, expected, literal.len) == 0)
		(*next)++;
}

static void
test_limits(void)
{
	static const int counts[] = {1, 2, 3, 7, 8, 100, 200};
	char		nested[200];
	ScimFilter *filter;
	ScimError	err;

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
	{
		int			next = 0;

		is_int(scim_filter_parse(arena, type_named("User"), str(chain(counts[i])), &limits, &filter, &err),
			   SCIM_OK, "%d terms", counts[i]);
		is_int((long long) scim_filter_terms(filter), counts[i], "terms counted");
		ok(scim_filter_is_choice(filter, NULL, count_up, &next), "a choice");
		is_int(next, counts[i], "in their order");
	}
	ok(depth(filter) <= 10, "200 terms are a shallow tree (%d)", depth(filter));
	is_int(scim_filter_parse(arena, type_named("User"), str(chain(201)), &limits, &filter, &err),
		   SCIM_INVALID_FILTER, "201 terms");
	ok(strstr(err.detail, "200 terms") != NULL, "names the limit: %s", err.detail);

	snprintf(nested, sizeof(nested), "%.*stitle pr%.*s", 32, "((((((((((((((((((((((((((((((((", 32, "))))))))))))))))))))))))))))))))");
	is_int(scim_filter_parse(arena, type_named("User"), str(nested), &limits, &filter, &err), SCIM_OK, "32 levels");
	snprintf(nested, sizeof(nested), "%.*stitle pr%.*s", 33, "(((((((((((((((((((((((((((((((((", 33, ")))))))))))))))))))))))))))))))))");
	is_int(scim_filter_parse(arena, type_named("User"), str(nested), &limits, &filter, &err), SCIM_INVALID_FILTER, "33 levels");
}

static void
test_choice(void)
{
	static const struct
	{
		const char *text;
		bool		choice;
	}			cases[] = {
		{"emails[value eq \"a\"]", true},
		{"emails[value eq \"a\" or value eq \"b\" or (value eq \"c\" or value eq \"d\")]", true},
		{"emails[value eq \"a\" or type eq \"b\"]", false},
		{"emails[value eq \"a\" and value eq \"b\"]", false},
		{"emails[value ne \"a\"]", false},
		{"emails[not (value eq \"a\")]", false},
		{"emails[value pr]", false},
		{"emails[value eq null]", false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		ScimFilter *filter = NULL;
		const ScimAttribute *emails = scim_type_attribute(type_named("User"), SCIM_STR("emails"));

		is_int(scim_filter_parse(arena, type_named("User"), str(cases[i].text), &limits, &filter, NULL), SCIM_OK,
			   "filter %s", cases[i].text);
		ok(scim_filter_is_choice(filter->left, scim_sub_attribute(emails, SCIM_STR("value")), NULL, NULL) == cases[i].choice,
		   "a choice of values: %s", cases[i].text);
	}
}

static void
test_out_of_memory(void)
{
	ScimStatus	status = SCIM_NO_MEMORY;
	size_t		max;

	for (max = 0; status == SCIM_NO_MEMORY && max < 65536; max += 16)
	{
		ScimArena  *small = scim_arena_create(max);
		ScimFilter *filter;

		status = scim_filter_parse(small, type_named("User"),
								   SCIM_STR("title eq \"\\u0041\" and (active eq null or emails[type eq \"x\"].value pr) and not (name pr)"),
								   &limits, &filter, NULL);
		scim_arena_free(small);
	}
	is_int(status, SCIM_OK, "succeeds once there is memory");
	ok(max > 1000, "and failed before");
}

/* A query of all types: what only another type has is absent (RFC 7644 section 3.4.2.1). */
static void
test_all_types(void)
{
	static const ScimFilterLimits all = {.max_terms = 4,.all_types = true};
	static const struct
	{
		const char *type;
		const char *text;
		ScimStatus	status;
		bool		never;
	}			cases[] = {
		{"Group", "userName eq \"x\"", SCIM_OK, true},
		{"User", "userName eq \"x\"", SCIM_OK, false},
		{"Group", "userName ne \"x\"", SCIM_OK, false},
		{"Group", "userName eq null", SCIM_OK, false},
		{"Group", "not (userName pr)", SCIM_OK, false},
		{"Group", "userName pr or displayName pr", SCIM_OK, false},
		{"Group", "userName pr and displayName pr", SCIM_OK, true},
		{"Group", "userName pr or active eq true", SCIM_OK, true},
		{"Group", "emails[type eq \"work\"].value pr", SCIM_OK, true},
		{"User", "members[value eq \"x\"]", SCIM_OK, true},
		{"User", "nothing pr", SCIM_INVALID_FILTER, false},
		{"Group", "active eq \"x\"", SCIM_INVALID_FILTER, false},
		{"Group", "password pr", SCIM_INVALID_FILTER, false},
		{"User", "password pr", SCIM_SENSITIVE, false},
		{"Group", "userName pr or title pr or nickName pr or active pr", SCIM_OK, true},
		{"Group", "userName pr or title pr or nickName pr or active pr or displayName pr", SCIM_INVALID_FILTER, false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		ScimFilter *filter;
		ScimError	err = {SCIM_OK, ""};
		ScimStatus	status = scim_filter_parse(arena, type_named(cases[i].type), (ScimStr) {cases[i].text, strlen(cases[i].text)},
											   &all, &filter, &err);

		is_int(status, cases[i].status, "%s: %s", cases[i].type, cases[i].text);
		is_int(err.status, cases[i].status, "and the error says the same");
		if (status == SCIM_OK)
			ok(scim_filter_never(filter) == cases[i].never, "%s satisfied", cases[i].never ? "is never" : "can be");
	}
}

int
main(void)
{
	arena = scim_arena_create((size_t) 8 << 20);
	test_valid();
	test_invalid();
	test_limits();
	test_all_types();
	test_choice();
	test_out_of_memory();
	scim_arena_free(arena);
	return done_testing();
}
