/*
 * filter_parse.c
 *		Filter text to a tree (see filter.h).
 *
 * Recursive descent over RFC 7644 figure 1:
 *
 *	or      = and *(SP "or" SP and)
 *	and     = factor *(SP "and" SP factor)
 *	factor  = ["not" *SP] "(" or ")" / term
 *	term    = attrPath SP ("pr" / op SP literal)
 *			/ attrPath "[" or "]" ["." subAttr SP ("pr" / op SP literal)]
 *
 * Inside brackets an attrPath is a sub-attribute's name alone.  Only
 * parentheses and brackets recurse, and they are counted.
 */
#include "core/filter.h"

#include <stdlib.h>
#include <string.h>

#include "core/text.h"

/* Larger numbers could not be compared as numeric, and are no use. */
#define NUMBER_MAX_LENGTH 64
#define NUMBER_MAX_EXPONENT 300

typedef struct Parser
{
	ScimArena  *arena;
	const ScimResourceType *type;
	ScimCursor	cursor;
	const ScimPath *owner;		/* inside attr[…]: attr; else NULL */
	int			depth;
	int			terms;
	int			max_terms;
	int			max_depth;
	bool		all_types;
	ScimError  *err;
} Parser;

typedef enum LiteralToken
{
	TOKEN_STRING, TOKEN_NUMBER, TOKEN_TRUE, TOKEN_FALSE, TOKEN_NULL
} LiteralToken;

static ScimStatus parse_chain(Parser *parser, ScimFilterKind kind, ScimFilter **out);

static ScimStatus
refuse(Parser *parser, size_t offset, const char *what)
{
	return scim_error(parser->err, SCIM_INVALID_FILTER, "offset %zu: %s", offset, what);
}

/* A new node; NULL when out of memory. */
static ScimFilter *
node(Parser *parser, ScimFilterKind kind, ScimFilter *left, ScimFilter *right)
{
	ScimFilter *filter = scim_alloc(parser->arena, sizeof(ScimFilter));

	if (filter != NULL)
	{
		filter->kind = kind;
		filter->left = left;
		filter->right = right;
	}
	return filter;
}

/* ---- literals ---- */

/* Read the literal's token; a string is decoded, a number is its spelling. */
static ScimStatus
parse_token(Parser *parser, LiteralToken *token, ScimStr *text)
{
	ScimCursor *cursor = &parser->cursor;
	size_t		offset = scim_cursor_offset(cursor);
	int			c = scim_cursor_peek(cursor);
	ScimStatus	status;

	if (c == '"')
	{
		*token = TOKEN_STRING;
		status = scim_cursor_string(cursor, parser->arena, text);
		return status == SCIM_INVALID_SYNTAX ? refuse(parser, offset, "malformed string") : status;
	}
	*token = TOKEN_NUMBER;
	*text = scim_cursor_number(cursor);
	if (text->ptr != NULL)
		return SCIM_OK;
	*text = scim_cursor_word(cursor);
	if (scim_name_is(*text, "true"))
		*token = TOKEN_TRUE;
	else if (scim_name_is(*text, "false"))
		*token = TOKEN_FALSE;
	else if (scim_name_is(*text, "null"))
		*token = TOKEN_NULL;
	else
		return refuse(parser, offset, "a value is expected: a string in double quotes, a number, true, false or null");
	return SCIM_OK;
}

/* Is the number short enough to be compared exactly everywhere? */
static bool
number_in_range(ScimStr text)
{
	const char *exponent;
	long		power = 0;

	if (text.len > NUMBER_MAX_LENGTH)
		return false;
	exponent = memchr(text.ptr, 'e', text.len);
	if (exponent == NULL)
		exponent = memchr(text.ptr, 'E', text.len);
	if (exponent != NULL)
	{
		for (const char *p = exponent + 1; p < text.ptr + text.len; p++)
		{
			if (*p >= '0' && *p <= '9' && power <= NUMBER_MAX_EXPONENT)
				power = power * 10 + (*p - '0');
		}
	}
	return power <= NUMBER_MAX_EXPONENT;
}

static ScimStatus
string_literal(Parser *parser, const ScimAttribute *leaf, ScimStr text, ScimLiteral *out)
{
	ScimBuf		folded;

	out->kind = SCIM_LITERAL_STRING;
	out->text = text;
	if (leaf->case_exact || leaf->type == SCIM_TYPE_BINARY)
		return SCIM_OK;
	scim_buf_init(&folded, parser->arena, text.len * 4 + 1);
	scim_fold(&folded, text.ptr, text.len);
	if (folded.failed)
		return SCIM_NO_MEMORY;
	out->text = (ScimStr) {folded.data != NULL ? folded.data : "", folded.len};
	return SCIM_OK;
}

/* Check the literal against the type of the attribute it is compared with. */
static ScimStatus
typed_literal(Parser *parser, const ScimAttribute *leaf, LiteralToken token, ScimStr text,
			  size_t offset, ScimLiteral *out)
{
	switch (leaf->type)
	{
		case SCIM_TYPE_STRING:
		case SCIM_TYPE_REFERENCE:
		case SCIM_TYPE_BINARY:
			if (token == TOKEN_STRING)
				return string_literal(parser, leaf, text, out);
			return refuse(parser, offset, "a string in double quotes is expected");
		case SCIM_TYPE_BOOLEAN:
			out->kind = SCIM_LITERAL_BOOLEAN;
			out->boolean = token == TOKEN_TRUE;
			if (token == TOKEN_TRUE || token == TOKEN_FALSE)
				return SCIM_OK;
			return refuse(parser, offset, "true or false is expected");
		case SCIM_TYPE_DECIMAL:
		case SCIM_TYPE_INTEGER:
			out->kind = SCIM_LITERAL_NUMBER;
			out->text = text;
			if (token == TOKEN_NUMBER && number_in_range(text))
				return SCIM_OK;
			return refuse(parser, offset, token == TOKEN_NUMBER ? "the number is too large" : "a number is expected");
		case SCIM_TYPE_DATETIME:
			out->kind = SCIM_LITERAL_TIME;
			if (token == TOKEN_STRING && scim_time_parse(text, &out->micros))
				return SCIM_OK;
			return refuse(parser, offset, "a time in double quotes is expected, as \"2026-01-02T03:04:05Z\"");
		case SCIM_TYPE_COMPLEX:
			break;
	}
	return refuse(parser, offset, "a complex attribute cannot be compared");
}

/* ---- comparisons ---- */

static bool
operator_by_name(ScimStr word, ScimOperator *op)
{
	static const char *const names[] = {"eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
	{
		if (scim_name_is(word, names[i]))
		{
			*op = (ScimOperator) i;
			return true;
		}
	}
	return false;
}

/* May values of this type be compared so (RFC 7644 section 3.4.2.2, table 3)? */
static bool
operator_allowed(ScimOperator op, ScimType type)
{
	switch (op)
	{
		case SCIM_OP_EQ:
		case SCIM_OP_NE:
			return true;
		case SCIM_OP_CO:
		case SCIM_OP_SW:
		case SCIM_OP_EW:
			return type == SCIM_TYPE_STRING || type == SCIM_TYPE_REFERENCE;
		default:
			return type != SCIM_TYPE_BOOLEAN && type != SCIM_TYPE_BINARY;
	}
}

/* The comparison, after the path and the operator have been read. */
static ScimStatus
parse_comparison(Parser *parser, ScimPath path, ScimOperator op, size_t op_offset, ScimFilter **out)
{
	size_t		offset = scim_cursor_offset(&parser->cursor);
	const ScimAttribute *leaf = scim_path_leaf(&path);
	LiteralToken token;
	ScimStr		text;
	ScimStatus	status = parse_token(parser, &token, &text);

	if (status != SCIM_OK)
		return status;
	if (leaf->type == SCIM_TYPE_COMPLEX && path.sub == NULL)
	{
		path.sub = scim_sub_attribute(path.attr, SCIM_STR("value"));
		leaf = path.sub;
		if (leaf == NULL)
			return refuse(parser, op_offset, "a sub-attribute must be named to compare a complex attribute");
	}
	if (!operator_allowed(op, leaf->type))
		return refuse(parser, op_offset, "the operator is not supported for the attribute's type");
	if (token == TOKEN_NULL && op != SCIM_OP_EQ && op != SCIM_OP_NE)
		return refuse(parser, op_offset, "null can only be compared with eq and ne");

	*out = node(parser, token == TOKEN_NULL ? SCIM_FILTER_PRESENT : SCIM_FILTER_COMPARE, NULL, NULL);
	if (*out == NULL)
		return SCIM_NO_MEMORY;
	(*out)->path = path;
	(*out)->op = op;
	if (token != TOKEN_NULL)
		return typed_literal(parser, leaf, token, text, offset, &(*out)->value);
	if (op == SCIM_OP_EQ)
		*out = node(parser, SCIM_FILTER_NOT, *out, NULL);
	return *out != NULL ? SCIM_OK : SCIM_NO_MEMORY;
}

/* What follows the path of a term: SP ("pr" / op SP literal). */
static ScimStatus
parse_operation(Parser *parser, const ScimPath *path, ScimFilter **out)
{
	ScimCursor *cursor = &parser->cursor;
	const ScimAttribute *leaf = scim_path_leaf(path);
	size_t		offset;
	ScimStr		word;
	ScimOperator op;

	if (scim_attribute_secret(path->attr) || scim_attribute_secret(leaf))
		return scim_error(parser->err, SCIM_SENSITIVE, "\"%s\" cannot be used in a filter", path->attr->name);
	if (++parser->terms > parser->max_terms)
		return scim_error(parser->err, SCIM_INVALID_FILTER, "the filter has more than %d terms", parser->max_terms);
	if (scim_cursor_spaces(cursor) == 0)
		return refuse(parser, scim_cursor_offset(cursor), "a space and an operator are expected");
	offset = scim_cursor_offset(cursor);
	word = scim_cursor_word(cursor);
	if (scim_name_is(word, "pr"))
	{
		if ((*out = node(parser, SCIM_FILTER_PRESENT, NULL, NULL)) == NULL)
			return SCIM_NO_MEMORY;
		(*out)->path = *path;
		return SCIM_OK;
	}
	if (!operator_by_name(word, &op))
		return refuse(parser, offset, "an operator is expected: eq, ne, co, sw, ew, gt, ge, lt, le or pr");
	if (scim_cursor_spaces(cursor) == 0)
		return refuse(parser, scim_cursor_offset(cursor), "a space and a value are expected");
	return parse_comparison(parser, *path, op, offset, out);
}

/* ---- terms ---- */

/* A sub-attribute's name, inside brackets or behind them. */
static ScimStatus
parse_sub_attribute(Parser *parser, const ScimPath *owner, ScimPath *out)
{
	size_t		offset = scim_cursor_offset(&parser->cursor);
	ScimStr		name = scim_cursor_name(&parser->cursor);

	*out = (ScimPath) {.extension = owner->extension, .attr = owner->attr};
	if (name.ptr == NULL)
		return refuse(parser, offset, "the name of a sub-attribute is expected");

	/* The elements of a simple multi-valued attribute are called "value" (RFC 7643 section 2.4). */
	if (owner->attr->type != SCIM_TYPE_COMPLEX && scim_name_is(name, "value"))
		return SCIM_OK;
	out->sub = scim_sub_attribute(owner->attr, name);
	if (out->sub == NULL)
		return scim_error(parser->err, SCIM_INVALID_FILTER, "offset %zu: \"%s\" has no such sub-attribute",
						  offset, owner->attr->name);
	return SCIM_OK;
}

/* attr[filter], and what may follow; the cursor is behind the opening bracket. */
static ScimStatus
parse_value_path(Parser *parser, const ScimPath *owner, ScimFilter **out)
{
	size_t		offset = scim_cursor_offset(&parser->cursor);
	ScimFilter *inner;
	ScimFilter *more;
	ScimPath	sub;
	ScimStatus	status;

	if (owner->sub != NULL || (!owner->attr->multi_valued && owner->attr->type != SCIM_TYPE_COMPLEX))
		return refuse(parser, offset - 1, "a filter cannot stand here");
	if (++parser->depth > parser->max_depth)
		return refuse(parser, offset - 1, "the filter is nested too deeply");
	parser->owner = owner;
	status = parse_chain(parser, SCIM_FILTER_OR, &inner);
	parser->owner = NULL;
	parser->depth--;
	if (status != SCIM_OK)
		return status;
	if (!scim_cursor_byte(&parser->cursor, ']'))
		return refuse(parser, scim_cursor_offset(&parser->cursor), "\"]\" is expected");

	if (scim_cursor_byte(&parser->cursor, '.'))
	{
		status = parse_sub_attribute(parser, owner, &sub);
		if (status == SCIM_OK)
			status = parse_operation(parser, &sub, &more);
		if (status != SCIM_OK)
			return status;
		if ((inner = node(parser, SCIM_FILTER_AND, inner, more)) == NULL)
			return SCIM_NO_MEMORY;
	}
	if ((*out = node(parser, SCIM_FILTER_VALUE_PATH, inner, NULL)) == NULL)
		return SCIM_NO_MEMORY;
	(*out)->path = *owner;
	return SCIM_OK;
}

static ScimStatus
parse_term(Parser *parser, ScimFilter **out)
{
	size_t		offset = scim_cursor_offset(&parser->cursor);
	ScimPath	path;
	ScimStatus	status;

	if (parser->owner != NULL)
		status = parse_sub_attribute(parser, parser->owner, &path);
	else
	{
		status = scim_path_parse_attribute(parser->type, &parser->cursor, &path, parser->err);
		if (status == SCIM_INVALID_PATH)
		{
			if (parser->err != NULL)
				parser->err->status = SCIM_INVALID_FILTER;
			return SCIM_INVALID_FILTER;
		}
		if (status == SCIM_OK && path.attr == NULL)
			return refuse(parser, offset, "an attribute is expected, not a schema");
		if (status == SCIM_OK && scim_cursor_byte(&parser->cursor, '['))
		{
			if (scim_attribute_secret(path.attr))
				return scim_error(parser->err, SCIM_SENSITIVE, "\"%s\" cannot be used in a filter", path.attr->name);
			return parse_value_path(parser, &path, out);
		}
	}
	return status == SCIM_OK ? parse_operation(parser, &path, out) : status;
}

/* What a term is when its attribute is absent: every resource has an id. */
static ScimStatus
make_absent(Parser *parser, ScimFilter **term)
{
	bool		satisfied = (*term)->kind == SCIM_FILTER_NOT ||
		((*term)->kind == SCIM_FILTER_COMPARE && (*term)->op == SCIM_OP_NE);

	*term = node(parser, SCIM_FILTER_PRESENT, NULL, NULL);
	if (*term == NULL)
		return SCIM_NO_MEMORY;
	(*term)->path.attr = scim_type_attribute(parser->type, SCIM_STR("id"));
	if (!satisfied)
		*term = node(parser, SCIM_FILTER_NOT, *term, NULL);
	return *term != NULL ? SCIM_OK : SCIM_NO_MEMORY;
}

/* A term that the type cannot have, if another type can: it is checked there and is absent here. */
static ScimStatus
parse_foreign_term(Parser *parser, ScimFilter **out)
{
	const ScimResourceType *type = parser->type;
	ScimError  *err = parser->err;
	ScimCursor	start = parser->cursor;
	int			terms = parser->terms;
	ScimStatus	status = SCIM_INVALID_FILTER;

	parser->err = NULL;
	for (size_t i = 0; i < scim_registry_type_count(type->registry) && status == SCIM_INVALID_FILTER; i++)
	{
		parser->cursor = start;
		parser->terms = terms;
		parser->type = scim_registry_type(type->registry, i);
		if (parser->type != type)
			status = parse_term(parser, out);
	}
	parser->type = type;
	parser->err = err;
	return status == SCIM_OK ? make_absent(parser, out) : status;
}

/* A term; the error is that of the type itself. */
static ScimStatus
parse_any_term(Parser *parser, ScimFilter **out)
{
	ScimCursor	start = parser->cursor;
	ScimCursor	stopped;
	int			terms = parser->terms;
	ScimStatus	status = parse_term(parser, out);

	if (status != SCIM_INVALID_FILTER || !parser->all_types || parser->owner != NULL)
		return status;
	stopped = parser->cursor;
	parser->cursor = start;
	parser->terms = terms;
	status = parse_foreign_term(parser, out);
	if (status == SCIM_NO_MEMORY)
		return status;
	if (status != SCIM_OK)
	{
		parser->cursor = stopped;
		return SCIM_INVALID_FILTER;
	}
	if (parser->err != NULL)
		*parser->err = (ScimError) {SCIM_OK};
	return SCIM_OK;
}

/* Is "not" followed by a parenthesis at the cursor?  Then step over the word. */
static bool
accept_not(ScimCursor *cursor)
{
	ScimCursor	ahead = *cursor;

	if (!scim_name_is(scim_cursor_word(&ahead), "not"))
		return false;
	(void) scim_cursor_spaces(&ahead);
	if (scim_cursor_peek(&ahead) != '(')
		return false;
	*cursor = ahead;
	return true;
}

static ScimStatus
parse_factor(Parser *parser, ScimFilter **out)
{
	ScimCursor *cursor = &parser->cursor;
	bool		negated;
	ScimStatus	status;

	(void) scim_cursor_spaces(cursor);
	negated = accept_not(cursor);
	if (!scim_cursor_byte(cursor, '('))
		return parse_any_term(parser, out);
	if (++parser->depth > parser->max_depth)
		return refuse(parser, scim_cursor_offset(cursor), "the filter is nested too deeply");
	status = parse_chain(parser, SCIM_FILTER_OR, out);
	parser->depth--;
	if (status != SCIM_OK)
		return status;
	(void) scim_cursor_spaces(cursor);
	if (!scim_cursor_byte(cursor, ')'))
		return refuse(parser, scim_cursor_offset(cursor), "\")\" is expected");
	if (negated && (*out = node(parser, SCIM_FILTER_NOT, *out, NULL)) == NULL)
		return SCIM_NO_MEMORY;
	return SCIM_OK;
}

/* ---- chains ---- */

/* Step over SP keyword SP, or stay. */
static bool
accept_keyword(ScimCursor *cursor, const char *keyword)
{
	ScimCursor	ahead = *cursor;

	if (scim_cursor_spaces(&ahead) == 0 || !scim_name_is(scim_cursor_word(&ahead), keyword) ||
		scim_cursor_spaces(&ahead) == 0)
		return false;
	*cursor = ahead;
	return true;
}

/*
 * Operands joined by one keyword, as a balanced tree: like the digits of a
 * binary counter, slots[i] holds a tree of 2^i operands or nothing.
 */
static ScimStatus
parse_chain(Parser *parser, ScimFilterKind kind, ScimFilter **out)
{
	ScimFilter *slots[32] = {NULL};
	ScimFilter *tree;
	ScimStatus	status;
	size_t		i;

	do
	{
		status = kind == SCIM_FILTER_OR ? parse_chain(parser, SCIM_FILTER_AND, &tree) : parse_factor(parser, &tree);
		if (status != SCIM_OK)
			return status;
		for (i = 0; slots[i] != NULL; i++)
		{
			if ((tree = node(parser, kind, slots[i], tree)) == NULL)
				return SCIM_NO_MEMORY;
			slots[i] = NULL;
		}
		slots[i] = tree;
	} while (accept_keyword(&parser->cursor, kind == SCIM_FILTER_OR ? "or" : "and"));

	for (i = 0, tree = NULL; i < sizeof(slots) / sizeof(slots[0]); i++)
	{
		if (slots[i] == NULL)
			continue;
		tree = tree == NULL ? slots[i] : node(parser, kind, slots[i], tree);
		if (tree == NULL)
			return SCIM_NO_MEMORY;
	}
	*out = tree;
	return SCIM_OK;
}

ScimStatus
scim_filter_parse(ScimArena *arena, const ScimResourceType *type, ScimStr text,
				  const ScimFilterLimits *limits, ScimFilter **out, ScimError *err)
{
	Parser		parser = {.arena = arena, .type = type, .cursor = scim_cursor(text),
	.max_terms = limits->max_terms, .max_depth = SCIM_FILTER_MAX_DEPTH, .all_types = limits->all_types, .err = err};
	ScimStatus	status;

	if (limits->max_depth > 0 && limits->max_depth < SCIM_FILTER_MAX_DEPTH)
		parser.max_depth = limits->max_depth;
	*out = NULL;
	if (!scim_utf8_valid(parser.cursor.start, (size_t) (parser.cursor.end - parser.cursor.start)))
		return scim_error(err, SCIM_INVALID_FILTER, "the filter is not valid UTF-8");
	status = parse_chain(&parser, SCIM_FILTER_OR, out);
	if (status != SCIM_OK)
		return status;
	(void) scim_cursor_spaces(&parser.cursor);
	if (!scim_cursor_at_end(&parser.cursor))
		return refuse(&parser, scim_cursor_offset(&parser.cursor), "\"and\", \"or\" or the end is expected");
	return SCIM_OK;
}

ScimStatus
scim_filter_parse_value(ScimArena *arena, const ScimResourceType *type, const ScimPath *owner,
						ScimStr text, ScimFilter **out, size_t *used, ScimError *err)
{
	Parser		parser = {.arena = arena, .type = type, .cursor = scim_cursor(text), .owner = owner,
	.depth = 1, .max_terms = SCIM_VALUE_FILTER_MAX_TERMS, .max_depth = SCIM_FILTER_MAX_DEPTH, .err = err};
	ScimStatus	status;

	*out = NULL;
	*used = 0;
	if (!owner->attr->multi_valued && owner->attr->type != SCIM_TYPE_COMPLEX)
		return refuse(&parser, 0, "a filter cannot stand here");
	status = parse_chain(&parser, SCIM_FILTER_OR, out);
	(void) scim_cursor_spaces(&parser.cursor);
	*used = scim_cursor_offset(&parser.cursor);
	return status;
}
