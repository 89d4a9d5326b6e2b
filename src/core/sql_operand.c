/*
 * sql_operand.c
 *		Attribute values as SQL expressions, compared with literals (see
 *		sql_operand.h).
 *
 * An index can serve what is made here: equality has the bare column or
 * scim.fold(column); ranges and "starts with" have the same under collation
 * "C", whose order is that of the code points, as in memory.
 */
#include "core/resource.h"
#include "core/sql_operand.h"

#include <string.h>

#include "core/text.h"

#define LIKE_MAX 64

/* ---- where values stand ---- */

/* The URI of a resource of the tenant, which is $1, as meta.location and $ref have it; endpoint is SQL. */
static const char *
location(ScimSqlBuild *build, const char *endpoint, const char *row, const char *id)
{
	return scim_sql_text(build, "(scim.base_url($1) OPERATOR(pg_catalog.||) %s OPERATOR(pg_catalog.||) '/' "
						 "OPERATOR(pg_catalog.||) CAST(%s%s AS pg_catalog.text))", endpoint, row, id);
}

/* id and the members of meta, which have no ScimColumn. */
static bool
common_operand(ScimSqlBuild *build, const ScimResourceType *type, const ScimPath *path, ScimOperand *out)
{
	const char *name = scim_path_leaf(path)->name;

	if (path->attr->schema != NULL)
		return false;
	if (path->sub == NULL && strcmp(name, "id") == 0)
	{
		out->sql = scim_sql_text(build, "%s%s", build->row, type->id_column);
		out->type = SCIM_SQL_UUID;
		return true;
	}
	if (path->sub == NULL || strcmp(path->attr->name, "meta") != 0)
		return false;
	if (strcmp(name, "created") == 0 || strcmp(name, "lastModified") == 0)
	{
		out->sql = scim_sql_text(build, "%s%s", build->row,
								 strcmp(name, "created") == 0 ? type->created_column : type->last_modified_column);
		out->type = SCIM_SQL_TIMESTAMPTZ;
		return true;
	}
	out->type = SCIM_SQL_TEXT;
	if (strcmp(name, "resourceType") == 0)
		out->sql = scim_sql_text(build, "CAST(%s AS pg_catalog.text)", scim_sql_quote(build, type->name));
	else if (strcmp(name, "location") == 0)
		out->sql = location(build, scim_sql_quote(build, type->endpoint), build->row, type->id_column);
	else if (strcmp(name, "version") == 0)
		out->sql = scim_sql_text(build, "('W/\"' OPERATOR(pg_catalog.||) CAST(%s%s AS pg_catalog.text) "
								 "OPERATOR(pg_catalog.||) '\"')", build->row, type->version_column);
	return out->sql != NULL;
}

bool
scim_operand_is_schemas(const ScimAttribute *attr)
{
	return attr->schema == NULL && strcmp(attr->name, "schemas") == 0;
}

/* The column that keeps exactly attr, or its sub-attribute sub. */
static const ScimColumn *
exact_column(const ScimResourceType *type, const ScimAttribute *attr, const ScimAttribute *sub)
{
	for (size_t i = 0; i < type->n_columns; i++)
	{
		const ScimColumn *column = &type->columns[i];

		if (column->attr != NULL && column->attr == attr && column->sub == sub)
			return column;
	}
	return NULL;
}

/* A multi-valued attribute whose only value is in a text column. */
static const char *
one_element(ScimSqlBuild *build, const ScimColumn *column)
{
	return scim_sql_text(build, "CASE WHEN %s%s OPERATOR(pg_catalog.<>) '' THEN pg_catalog.jsonb_build_array("
						 "pg_catalog.jsonb_build_object('value', CAST(%s%s AS pg_catalog.text)) OPERATOR(pg_catalog.||) "
						 "CAST(%s AS pg_catalog.jsonb)) END", build->row, column->name, build->row, column->name,
						 scim_sql_quote(build, column->element));
}

/* Where a single $ref leads: the resource whose id the value beside it is; NULL when it is another's to keep. */
static const char *
reference(ScimSqlBuild *build, const ScimResourceType *type, const ScimPath *path)
{
	const ScimColumn *column = path->sub == NULL || strcmp(path->sub->name, "$ref") != 0 ? NULL
		: exact_column(type, path->attr, scim_sub_attribute(path->attr, SCIM_STR("value")));
	const ScimResourceType *other = column == NULL || column->references == NULL ? NULL
		: scim_registry_type_by_name(type->registry, column->references);

	if (other == NULL)
		return NULL;
	return location(build, scim_sql_quote(build, other->endpoint), build->row, column->name);
}

/* The endpoint of the resource that a link leads to. */
static const char *
link_endpoint(ScimSqlBuild *build, const ScimRegistry *registry, const ScimLink *link)
{
	const char *cases = "";

	for (size_t i = 0; i < scim_registry_type_count(registry); i++)
	{
		const ScimResourceType *type = scim_registry_type(registry, i);

		if (link->type == NULL && link->target != NULL && strcmp(type->name, link->target) == 0)
			return scim_sql_quote(build, type->endpoint);
		if (link->type != NULL)
			cases = scim_sql_text(build, "%s WHEN l.%s OPERATOR(pg_catalog.=) %s THEN %s", cases, link->type,
								  scim_sql_quote(build, type->name), scim_sql_quote(build, type->endpoint));
	}
	return link->type != NULL ? scim_sql_text(build, "CASE%s END", cases) : NULL;
}

/* The jsonb expression that holds the whole attribute; NULL when none does. */
static const char *
json_attribute(ScimSqlBuild *build, const ScimResourceType *type, const ScimPath *path)
{
	const ScimColumn *column = exact_column(type, path->attr, NULL);

	if (column != NULL && column->store == SCIM_STORE_ELEMENT)
		return one_element(build, column);
	if (column != NULL)
		return column->store == SCIM_STORE_JSON ? scim_sql_text(build, "%s%s", build->row, column->name) : NULL;
	if (path->attr->schema == NULL || type->extensions_column == NULL)
		return NULL;
	return scim_sql_text(build, "(%s%s OPERATOR(pg_catalog.->) %s OPERATOR(pg_catalog.->) %s)",
						 build->row, type->extensions_column, scim_sql_quote(build, path->attr->schema->id),
						 scim_sql_quote(build, path->attr->name));
}

bool
scim_operand_row(ScimSqlBuild *build, const ScimResourceType *type, const ScimPath *path, ScimOperand *out)
{
	const ScimColumn *column = exact_column(type, path->attr, path->sub);

	*out = (ScimOperand) {.leaf = scim_path_leaf(path)};
	if (path->attr->multi_valued)
		return false;
	if (common_operand(build, type, path, out))
		return true;
	out->sql = reference(build, type, path);
	if (out->sql != NULL)
	{
		out->type = SCIM_SQL_TEXT;
		return true;
	}
	if (column != NULL && column->store != SCIM_STORE_JSON)
	{
		build->subqueries += column->store == SCIM_STORE_EXPRESSION;
		out->sql = scim_sql_text(build, "%s%s", column->store == SCIM_STORE_EXPRESSION ? "" : build->row, column->name);
		out->type = column->type;
		return true;
	}
	out->json = true;
	out->of_row = true;
	out->sql = json_attribute(build, type, path);
	out->key = path->sub != NULL ? path->sub->name : NULL;
	return out->sql != NULL;
}

const char *
scim_operand_array(ScimSqlBuild *build, const ScimResourceType *type, const ScimPath *path)
{
	return path->attr->multi_valued ? json_attribute(build, type, path) : NULL;
}

const char *
scim_operand_only_value(ScimSqlBuild *build, const ScimResourceType *type, const ScimPath *path)
{
	const ScimColumn *column = exact_column(type, path->attr, NULL);

	return column != NULL && column->store == SCIM_STORE_ELEMENT ? scim_sql_text(build, "%s%s", build->row, column->name) : NULL;
}

ScimOperand
scim_operand_element(const ScimPath *path)
{
	return (ScimOperand) {.leaf = scim_path_leaf(path), .sql = "e.v", .json = true,
	.key = path->sub != NULL ? path->sub->name : NULL};
}

bool
scim_operand_link(ScimSqlBuild *build, const ScimRegistry *registry, const ScimLink *link, bool indirect,
				  const ScimPath *path, ScimOperand *out)
{
	const char *name = path->sub != NULL ? path->sub->name : "";
	ScimBuf		statement = build->text;

	*out = (ScimOperand) {.leaf = scim_path_leaf(path), .type = SCIM_SQL_TEXT};
	if (strcmp(name, "value") == 0)
	{
		out->type = SCIM_SQL_UUID;
		out->sql = scim_sql_text(build, "l.%s", link->value);
	}
	else if (strcmp(name, "type") == 0)
		out->sql = link->type != NULL ? scim_sql_text(build, "l.%s", link->type)
			: scim_sql_text(build, "CAST('%s' AS pg_catalog.text)", scim_link_kind(indirect).ptr);
	else if (strcmp(name, "$ref") == 0)
	{
		const char *endpoint = link_endpoint(build, registry, link);

		if (endpoint != NULL)
			out->sql = location(build, endpoint, "l.", link->value);
	}
	else if (strcmp(name, "display") == 0)
	{
		build->subqueries++;
		scim_buf_init(&build->text, build->arena, statement.max);
		scim_sql_put_link_display(build, registry, link);
		out->sql = build->text.failed ? "" : build->text.data;
		build->failed = build->failed || build->text.failed;
		build->text = statement;
	}
	return out->sql != NULL;
}

bool
scim_operand_in_folded(const ScimPath *path)
{
	const ScimAttribute *leaf = scim_path_leaf(path);

	return (path->sub != NULL ? strcmp(leaf->name, "value") == 0 : leaf->multi_valued) && !leaf->case_exact &&
		(leaf->type == SCIM_TYPE_STRING || leaf->type == SCIM_TYPE_REFERENCE);
}

/* ---- expressions ---- */

/* The value as jsonb. */
static const char *
json_expression(ScimSqlBuild *build, const ScimOperand *operand)
{
	if (operand->key == NULL)
		return operand->sql;
	return scim_sql_text(build, "(%s OPERATOR(pg_catalog.->) %s)", operand->sql,
						 scim_sql_quote(build, operand->key));
}

/* The value as text. */
static const char *
text_expression(ScimSqlBuild *build, const ScimOperand *operand)
{
	if (!operand->json)
		return operand->type == SCIM_SQL_UUID ? scim_sql_text(build, "CAST(%s AS pg_catalog.text)", operand->sql)
			: operand->sql;
	if (operand->key == NULL)
		return scim_sql_text(build, "(%s OPERATOR(pg_catalog.#>>) '{}')", operand->sql);
	return scim_sql_text(build, "(%s OPERATOR(pg_catalog.->>) %s)", operand->sql,
						 scim_sql_quote(build, operand->key));
}

static bool
is_text(const ScimAttribute *leaf)
{
	return leaf->type == SCIM_TYPE_STRING || leaf->type == SCIM_TYPE_REFERENCE || leaf->type == SCIM_TYPE_BINARY;
}

const char *
scim_operand_text(ScimSqlBuild *build, const ScimOperand *operand)
{
	const char *text;

	if (operand->shared != NULL)
		return operand->shared;
	text = text_expression(build, operand);
	if (operand->leaf->case_exact || operand->leaf->type == SCIM_TYPE_BINARY)
		return text;
	return scim_sql_text(build, "scim.fold(%s)", text);
}

static const char *
time_expression(ScimSqlBuild *build, const ScimOperand *operand)
{
	if (!operand->json)
		return operand->sql;
	return scim_sql_text(build, "scim.parse_time(%s)", text_expression(build, operand));
}

/* ---- comparisons ---- */

static const char *
sql_operator(ScimOperator op)
{
	switch (op)
	{
		case SCIM_OP_GT:
			return "OPERATOR(pg_catalog.>)";
		case SCIM_OP_GE:
			return "OPERATOR(pg_catalog.>=)";
		case SCIM_OP_LT:
			return "OPERATOR(pg_catalog.<)";
		case SCIM_OP_LE:
			return "OPERATOR(pg_catalog.<=)";
		default:
			return "OPERATOR(pg_catalog.=)";
	}
}

/* A uuid column equals only what is a UUID as the database would write it. */
static void
compare_uuid(ScimSqlBuild *build, const ScimOperand *operand, ScimStr text)
{
	char		lower[37];

	if (!scim_uuid_parse(text, lower) || memcmp(lower, text.ptr, 36) != 0)
	{
		scim_sql_put(build, "false");
		return;
	}
	scim_sql_put(build, "%s" SCIM_SQL_EQUALS, operand->sql);
	scim_sql_put_uuid(build, text);
}

/*
 * Append that the text contains the literal.  LIKE says the same again of a column, for a
 * trigram index (pg_trgm) can serve that.  Its time is the product of the two lengths, so
 * the literal must be short; a trigram takes three characters.
 */
static void
compare_part(ScimSqlBuild *build, const ScimOperand *operand, const char *text, ScimStr literal)
{
	bool		indexable = !operand->json && strncmp(operand->sql, "t.", 2) == 0 &&
		literal.len >= 3 && literal.len <= LIKE_MAX;
	ScimBuf		pattern;

	scim_sql_put(build, "%sscim.contains(%s, ", indexable ? "(" : "", text);
	scim_sql_put_param(build, SCIM_SQL_TEXT, literal);
	scim_sql_put(build, ")");
	if (!indexable)
		return;
	scim_buf_init(&pattern, build->arena, 2 * LIKE_MAX + 2);
	scim_buf_char(&pattern, '%');
	for (size_t i = 0; i < literal.len; i++)
	{
		if (strchr("%_\\", literal.ptr[i]) != NULL)
			scim_buf_char(&pattern, '\\');
		scim_buf_char(&pattern, literal.ptr[i]);
	}
	scim_buf_char(&pattern, '%');
	scim_sql_put(build, " AND %s OPERATOR(pg_catalog.~~) ", text);
	scim_sql_put_param(build, SCIM_SQL_TEXT, (ScimStr) {pattern.data, pattern.len});
	scim_sql_put(build, ")");
	build->failed = build->failed || pattern.failed;
}

static void
compare_text(ScimSqlBuild *build, const ScimOperand *operand, ScimOperator op, ScimStr literal)
{
	const char *text;

	if (op == SCIM_OP_EQ && !operand->json && operand->type == SCIM_SQL_UUID)
	{
		compare_uuid(build, operand, literal);
		return;
	}
	text = scim_operand_text(build, operand);
	switch (op)
	{
		case SCIM_OP_CO:
			compare_part(build, operand, text, literal);
			break;
		case SCIM_OP_EW:
			scim_sql_put(build, "scim.ends_with(%s, ", text);
			scim_sql_put_param(build, SCIM_SQL_TEXT, literal);
			scim_sql_put(build, ")");
			break;
		case SCIM_OP_SW:
			/* For a pattern that the planner sees, this is a range of an index. */
			scim_sql_put(build, "%s COLLATE pg_catalog.\"C\" OPERATOR(pg_catalog.^@) ", text);
			scim_sql_put_param(build, SCIM_SQL_TEXT, literal);
			break;
		case SCIM_OP_EQ:
			/* The index of a value inside a jsonb column is under collation "C". */
			scim_sql_put(build, operand->json && operand->of_row ? "%s COLLATE pg_catalog.\"C\"" SCIM_SQL_EQUALS : "%s" SCIM_SQL_EQUALS,
						 text);
			scim_sql_put_param(build, SCIM_SQL_TEXT, literal);
			break;
		default:
			scim_sql_put(build, "%s COLLATE pg_catalog.\"C\" %s ", text, sql_operator(op));
			scim_sql_put_param(build, SCIM_SQL_TEXT, literal);
	}
}

/* Does the number's spelling fit a bigint as it stands? */
static bool
is_bigint(ScimStr text)
{
	if (text.len > 18)
		return false;
	for (size_t i = text.ptr[0] == '-' ? 1 : 0; i < text.len; i++)
	{
		if (text.ptr[i] < '0' || text.ptr[i] > '9')
			return false;
	}
	return true;
}

/* jsonb compares numbers by value, and never raises on what is no number. */
static void
compare_number(ScimSqlBuild *build, const ScimOperand *operand, ScimOperator op, ScimStr literal)
{
	if (operand->json)
	{
		const char *json = json_expression(build, operand);

		scim_sql_put(build, "(pg_catalog.jsonb_typeof(%s) OPERATOR(pg_catalog.=) 'number' AND %s %s ",
					 json, json, sql_operator(op));
		scim_sql_put_param(build, SCIM_SQL_JSONB, literal);
		scim_sql_put(build, ")");
	}
	else if (operand->type == SCIM_SQL_INT8 && is_bigint(literal))
	{
		scim_sql_put(build, "%s %s ", operand->sql, sql_operator(op));
		scim_sql_put_param(build, SCIM_SQL_INT8, literal);
	}
	else
	{
		scim_sql_put(build, operand->type == SCIM_SQL_NUMERIC ? "%s %s " : "CAST(%s AS pg_catalog.numeric) %s ",
					 operand->sql, sql_operator(op));
		scim_sql_put_param(build, SCIM_SQL_NUMERIC, literal);
	}
}

static void
compare_boolean(ScimSqlBuild *build, const ScimOperand *operand, bool literal)
{
	ScimStr		text = literal ? SCIM_STR("true") : SCIM_STR("false");

	if (!operand->json)
		scim_sql_put(build, "%s" SCIM_SQL_EQUALS, operand->sql);
	else if (scim_absent_is_false(operand->leaf))
		scim_sql_put(build, "COALESCE(%s, CAST('false' AS pg_catalog.jsonb))" SCIM_SQL_EQUALS,
					 json_expression(build, operand));
	else
		scim_sql_put(build, "%s" SCIM_SQL_EQUALS, json_expression(build, operand));
	scim_sql_put_param(build, operand->json ? SCIM_SQL_JSONB : SCIM_SQL_BOOL, text);
}

static void
compare_time(ScimSqlBuild *build, const ScimOperand *operand, ScimOperator op, int64_t micros)
{
	char	   *text = scim_alloc(build->arena, SCIM_TIME_SIZE);

	if (text == NULL)
	{
		build->failed = true;
		return;
	}
	scim_time_format(micros, true, text);
	scim_sql_put(build, "%s %s ", time_expression(build, operand), sql_operator(op));
	scim_sql_put_param(build, SCIM_SQL_TIMESTAMPTZ, (ScimStr) {text, strlen(text)});
}

void
scim_operand_compare(ScimSqlBuild *build, const ScimOperand *operand, ScimOperator op,
					 const ScimLiteral *literal)
{
	bool		not_equal = op == SCIM_OP_NE;

	/* ne is true also of what is absent: whatever is not equal. */
	if (not_equal)
	{
		op = SCIM_OP_EQ;
		scim_sql_put(build, "((");
	}
	switch (literal->kind)
	{
		case SCIM_LITERAL_STRING:
			compare_text(build, operand, op, literal->text);
			break;
		case SCIM_LITERAL_NUMBER:
			compare_number(build, operand, op, literal->text);
			break;
		case SCIM_LITERAL_BOOLEAN:
			compare_boolean(build, operand, literal->boolean);
			break;
		case SCIM_LITERAL_TIME:
			compare_time(build, operand, op, literal->micros);
			break;
	}
	if (not_equal)
		scim_sql_put(build, ") IS NOT TRUE)");
}

void
scim_operand_present(ScimSqlBuild *build, const ScimOperand *operand)
{
	if (is_text(operand->leaf) && (operand->json || operand->type == SCIM_SQL_TEXT))
		scim_sql_put(build, "%s OPERATOR(pg_catalog.<>) ''", text_expression(build, operand));
	else if (!operand->json)
		scim_sql_put(build, "%s IS NOT NULL", operand->sql);
	else
		scim_sql_put(build, "%s OPERATOR(pg_catalog.<>) '%s'", json_expression(build, operand),
					 operand->leaf->type != SCIM_TYPE_COMPLEX ? "null" : operand->leaf->multi_valued ? "[]" : "{}");
}

void
scim_operand_put_any_member(ScimSqlBuild *build, const char *json)
{
	build->subqueries++;
	scim_sql_put(build, "EXISTS (SELECT 1 FROM pg_catalog.jsonb_each_text(%s) m(k, v) "
				 "WHERE m.v OPERATOR(pg_catalog.<>) '')", json);
}

void
scim_operand_put_column(ScimSqlBuild *build, const ScimColumn *column)
{
	if (column->type == SCIM_SQL_TEXT)
		scim_sql_put(build, "t.%s OPERATOR(pg_catalog.<>) ''", column->name);
	else if (column->type != SCIM_SQL_JSONB)
		scim_sql_put(build, "t.%s IS NOT NULL", column->name);
	else if (column->attr->multi_valued)
		scim_sql_put(build, "t.%s OPERATOR(pg_catalog.<>) '[]'", column->name);
	else
		scim_operand_put_any_member(build, scim_sql_text(build, "t.%s", column->name));
}

ScimSqlType
scim_operand_sort_key(ScimSqlBuild *build, const ScimOperand *operand)
{
	if (!operand->json && operand->type == SCIM_SQL_UUID)
	{
		scim_sql_put(build, "%s", operand->sql);
		return SCIM_SQL_UUID;
	}
	if (is_text(operand->leaf))
	{
		scim_sql_put(build, "%s COLLATE pg_catalog.\"C\"", scim_operand_text(build, operand));
		return SCIM_SQL_TEXT;
	}
	if (operand->leaf->type == SCIM_TYPE_DATETIME)
	{
		scim_sql_put(build, "%s", time_expression(build, operand));
		return SCIM_SQL_TIMESTAMPTZ;
	}
	scim_sql_put(build, "%s", operand->json ? json_expression(build, operand) : operand->sql);
	return operand->json ? SCIM_SQL_JSONB : operand->type;
}
