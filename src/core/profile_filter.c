/*
 * profile_filter.c
 *		Literals of filters that are not as RFC 7644 figure 1 has them (see
 *		profile.h: string-boolean, unquoted-literal).
 *
 * The text is followed as far as it looks like a filter; from there on it is
 * copied as it is, and the core says what is wrong with it.
 */
#include <string.h>

#include "core/filter.h"
#include "core/profile_pass.h"
#include "core/text.h"

typedef struct Rewrite
{
	ScimNormal *normal;
	ScimCursor	cursor;
	const char *copied;			/* the input up to here is in out */
	ScimBuf		out;
	ScimPath	owner;			/* inside brackets, and just behind them */
	bool		inside;
} Rewrite;

/* Copy the input up to `from` and put text in the place of what follows up to the cursor. */
static void
replace_literal(Rewrite *rewrite, const char *from, const char *text, size_t len, bool quote)
{
	scim_buf_bytes(&rewrite->out, rewrite->copied, (size_t) (from - rewrite->copied));
	if (quote)
		scim_buf_json_string(&rewrite->out, text, len);
	else
		scim_buf_bytes(&rewrite->out, text, len);
	rewrite->copied = rewrite->cursor.ptr;
}

/* "True" in quotes, for a boolean. */
static bool
rewrite_string(Rewrite *rewrite, const ScimAttribute *leaf)
{
	const char *from = rewrite->cursor.ptr;
	ScimStr		text;
	ScimStatus	status = scim_cursor_string(&rewrite->cursor, rewrite->normal->arena, &text);
	bool		yes;

	rewrite->normal->failed = rewrite->normal->failed || status == SCIM_NO_MEMORY;
	if (status != SCIM_OK)
		return false;
	yes = scim_name_is(text, "true");
	if (leaf->type == SCIM_TYPE_BOOLEAN && (yes || scim_name_is(text, "false")) &&
		scim_normal_use(rewrite->normal, SCIM_PASS_BOOLEAN))
		replace_literal(rewrite, from, yes ? "true" : "false", yes ? 4 : 5, false);
	return true;
}

/* A literal without double quotes: up to a space or a closing bracket, or in single quotes. */
static bool
rewrite_word(Rewrite *rewrite, const ScimAttribute *leaf)
{
	ScimCursor *cursor = &rewrite->cursor;
	const char *from = cursor->ptr;
	bool		single = scim_cursor_byte(cursor, '\'');
	const char *end;
	int			c;

	while ((c = scim_cursor_peek(cursor)) != -1 && (single ? c != '\'' : strchr(" )]", c) == NULL))
		cursor->ptr++;
	end = cursor->ptr;
	if ((single && !scim_cursor_byte(cursor, '\'')) || end == from)
		return false;
	if (leaf->type != SCIM_TYPE_STRING && leaf->type != SCIM_TYPE_REFERENCE && leaf->type != SCIM_TYPE_BINARY &&
		leaf->type != SCIM_TYPE_DATETIME)
		return true;
	if (!single && scim_name_is((ScimStr) {from, (size_t) (end - from)}, "null"))
		return true;
	if (scim_normal_use(rewrite->normal, SCIM_PASS_LITERAL))
		replace_literal(rewrite, from, from + single, (size_t) (end - from) - single, true);
	return true;
}

/* Operator and literal behind a path; false when there is none. */
static bool
rewrite_operation(Rewrite *rewrite, const ScimPath *path)
{
	ScimCursor *cursor = &rewrite->cursor;
	const ScimAttribute *leaf = scim_path_leaf(path);
	ScimStr		op;

	(void) scim_cursor_spaces(cursor);
	op = scim_cursor_word(cursor);
	if (op.len == 0 || leaf == NULL)
		return false;
	if (scim_name_is(op, "pr"))
		return true;
	(void) scim_cursor_spaces(cursor);
	if (leaf->type == SCIM_TYPE_COMPLEX)
		leaf = scim_sub_attribute(leaf, SCIM_STR("value"));
	if (leaf == NULL)
		return false;
	return scim_cursor_peek(cursor) == '"' ? rewrite_string(rewrite, leaf) : rewrite_word(rewrite, leaf);
}

/* A sub-attribute of the owner; an element of a simple attribute is itself. */
static bool
parse_sub(Rewrite *rewrite, ScimPath *out)
{
	ScimStr		name = scim_cursor_name(&rewrite->cursor);

	*out = (ScimPath) {.extension = rewrite->owner.extension, .attr = rewrite->owner.attr};
	if (name.ptr == NULL)
		return false;
	out->sub = scim_sub_attribute(out->attr, name);
	return out->sub != NULL || out->attr->type != SCIM_TYPE_COMPLEX;
}

/* An attribute with what follows it. */
static bool
rewrite_term(Rewrite *rewrite)
{
	ScimPath	path;

	if (rewrite->inside)
		return parse_sub(rewrite, &path) && rewrite_operation(rewrite, &path);
	if (scim_path_parse_attribute(rewrite->normal->type, &rewrite->cursor, &path, NULL) != SCIM_OK || path.attr == NULL)
		return false;
	if (!scim_cursor_byte(&rewrite->cursor, '['))
		return rewrite_operation(rewrite, &path);
	rewrite->owner = path;
	rewrite->inside = true;
	return true;
}

/* Step over "not", "and" or "or" where a term or a parenthesis follows. */
static bool
accept_keyword(ScimCursor *cursor)
{
	ScimCursor	ahead = *cursor;
	ScimStr		word = scim_cursor_word(&ahead);
	int			c = scim_cursor_peek(&ahead);

	if ((c != ' ' && c != '(') || (!scim_name_is(word, "and") && !scim_name_is(word, "or") && !scim_name_is(word, "not")))
		return false;
	*cursor = ahead;
	return true;
}

static bool
rewrite_next(Rewrite *rewrite)
{
	ScimCursor *cursor = &rewrite->cursor;
	ScimPath	path;

	if (scim_cursor_spaces(cursor) > 0 || scim_cursor_byte(cursor, '(') || scim_cursor_byte(cursor, ')') ||
		accept_keyword(cursor))
		return true;
	if (!rewrite->inside || !scim_cursor_byte(cursor, ']'))
		return rewrite_term(rewrite);
	rewrite->inside = false;
	if (!scim_cursor_byte(cursor, '.'))
		return true;
	return parse_sub(rewrite, &path) && rewrite_operation(rewrite, &path);
}

void
scim_normal_filter(ScimNormal *normal, ScimStr *text)
{
	Rewrite		rewrite = {.normal = normal, .cursor = scim_cursor(*text)};
	unsigned	before = normal->changed;

	rewrite.copied = rewrite.cursor.ptr;

	/* Each byte of a literal becomes at most six, and two quotes. */
	scim_buf_init(&rewrite.out, normal->arena, text->len * 8 + 16);
	while (!scim_cursor_at_end(&rewrite.cursor) && rewrite_next(&rewrite))
		;
	if (normal->changed == before)
		return;
	scim_buf_bytes(&rewrite.out, rewrite.copied, (size_t) (rewrite.cursor.end - rewrite.copied));
	if (rewrite.out.failed)
		normal->failed = true;
	else
		*text = (ScimStr) {rewrite.out.data, rewrite.out.len};
}
