#include "validator/code/shape.h"

#include <ctype.h>
#include <string.h>

#include "base/own.h"

/* --- reading ----------------------------------------------------------------------------- */

struct reader {
	const TSLanguage *grammar;
	const char *at;
	unsigned depth;
	struct err *err;
};

static int refuse(struct reader *reader, const char *what)
{
	return err_set(reader->err, EINVAL, "the query is wrong (%s) at '%.60s'", what,
		       reader->at);
}

static void skip_blank(struct reader *reader)
{
	while (isspace((unsigned char)*reader->at))
		reader->at++;
}

static size_t word_length(const char *at)
{
	size_t length = 0;

	while (isalnum((unsigned char)at[length]) || at[length] == '_')
		length++;
	return length;
}

/* --- putting forms together -------------------------------------------------------------- */

static struct shape_forms *forms_new(struct reader *reader)
{
	struct shape_forms *forms = calloc(1, sizeof(*forms));

	if (forms == NULL)
		err_ignore(err_set(reader->err, ENOMEM, "memory for rules"),
			   "the caller says so");
	return forms;
}

/* Every form of `forms` goes on with every one of `more`, which stands `deeper` below. */
static int multiply(struct reader *reader, struct shape_forms *forms,
		    const struct shape_forms *more, unsigned deeper)
{
	own_mem struct shape_forms *all = forms_new(reader);

	if (all == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < forms->count; i++)
		for (size_t k = 0; k < more->count; k++) {
			struct shape_form *form = &all->list[all->count];

			if (all->count == SHAPE_FORMS_MAX ||
			    forms->list[i].count + more->list[k].count > SHAPE_STEPS_MAX)
				return refuse(reader, "too many forms or nodes");
			*form = forms->list[i];
			for (uint32_t j = 0; j < more->list[k].count; j++) {
				form->steps[form->count] = more->list[k].steps[j];
				form->steps[form->count++].depth += (uint8_t)deeper;
			}
			all->count++;
		}
	*forms = *all;
	return 0;
}

static int add_choice(struct reader *reader, struct shape_forms *forms,
		      const struct shape_forms *more)
{
	if (forms->count + more->count > SHAPE_FORMS_MAX)
		return refuse(reader, "too many forms");
	memcpy(&forms->list[forms->count], more->list, more->count * sizeof(more->list[0]));
	forms->count += more->count;
	return 0;
}

/* --- one item ---------------------------------------------------------------------------- */

static int read_item(struct reader *reader, struct shape_forms *ret);

/* No named node behind the last of those that are `depth` deep. */
static void end_with_last(struct shape_form *form, unsigned depth)
{
	uint32_t last = form->count - 1;

	while (form->steps[last].depth != depth)
		last--;
	form->steps[last].is_last = true;
}

/* Items up to `end`, one behind the other, each `deeper` below what `forms` has. */
static int read_items(struct reader *reader, char end, unsigned deeper,
		      struct shape_forms *forms)
{
	own_mem struct shape_forms *item = forms_new(reader);
	bool is_next = false;
	bool has_items = false;

	if (item == NULL)
		return -ENOMEM;
	for (skip_blank(reader); *reader->at != end; skip_blank(reader)) {
		int status;

		if (*reader->at == '.') {
			reader->at++;
			is_next = true;
			continue;
		}
		status = read_item(reader, item);
		if (status < 0)
			return status;
		for (size_t i = 0; i < item->count; i++)
			item->list[i].steps[0].is_next |= is_next;
		status = multiply(reader, forms, item, deeper);
		if (status < 0)
			return status;
		is_next = false;
		has_items = true;
	}
	reader->at++;
	if (is_next && !has_items)
		return refuse(reader, "a dot without a node");
	for (size_t i = 0; is_next && i < forms->count; i++)
		end_with_last(&forms->list[i], deeper);
	return 0;
}

static int find_symbol(struct reader *reader, const char *name, size_t length, bool is_named,
		       uint16_t *ret)
{
	TSSymbol symbol;

	if (is_named && length == 5 && memcmp(name, "ERROR", 5) == 0) {
		*ret = CODE_SYMBOL_ERROR;
		reader->at += length;
		return 0;
	}
	symbol = ts_language_symbol_for_name(reader->grammar, name, (uint32_t)length, is_named);
	reader->at = name;
	if (symbol == 0)
		return refuse(reader, "a node type");
	if (ts_language_symbol_type(reader->grammar, symbol) == TSSymbolTypeAuxiliary)
		return refuse(reader, "a supertype");
	reader->at += length;
	*ret = symbol;
	return 0;
}

/* Behind "(": a node with what is in it, or a group. */
static int read_parenthesis(struct reader *reader, struct shape_forms *ret)
{
	size_t length;
	struct shape_step *step = &ret->list[0].steps[0];
	int status = 0;

	skip_blank(reader);
	length = word_length(reader->at);
	ret->count = 1;
	if (length == 0) {
		status = read_items(reader, ')', 0, ret);
		return status == 0 && ret->list[0].count == 0 ? refuse(reader, "an empty group")
							      : status;
	}
	ret->list[0].count = 1;
	step->is_named = true;
	if (length == 1 && *reader->at == '_')
		reader->at++;
	else
		status = find_symbol(reader, reader->at, length, true, &step->symbol);
	return status < 0 ? status : read_items(reader, ')', 1, ret);
}

/* Behind "[". */
static int read_choices(struct reader *reader, struct shape_forms *ret)
{
	own_mem struct shape_forms *item = forms_new(reader);
	int status = item == NULL ? -ENOMEM : 0;

	for (skip_blank(reader); status == 0 && *reader->at != ']'; skip_blank(reader)) {
		status = read_item(reader, item);
		if (status == 0)
			status = add_choice(reader, ret, item);
	}
	reader->at++;
	return status == 0 && ret->count == 0 ? refuse(reader, "an empty choice") : status;
}

static int read_literal(struct reader *reader, struct shape_forms *ret)
{
	size_t length = strcspn(reader->at + 1, "\"\\");
	int status;

	if (reader->at[length + 1] != '"')
		return refuse(reader, "a literal");
	status = find_symbol(reader, reader->at + 1, length, false,
			     &ret->list[0].steps[0].symbol);
	reader->at++;
	ret->count = 1;
	ret->list[0].count = 1;
	return status;
}

static int read_field(struct reader *reader, size_t length, struct shape_forms *ret)
{
	TSFieldId field =
		ts_language_field_id_for_name(reader->grammar, reader->at, (uint32_t)length);
	int status;

	if (field == 0)
		return refuse(reader, "a field");
	reader->at += length;
	skip_blank(reader);
	reader->at++; /* the colon */
	status = read_item(reader, ret);
	for (size_t i = 0; status == 0 && i < ret->count; i++)
		ret->list[i].steps[0].field = field;
	return status;
}

static int read_plain(struct reader *reader, struct shape_forms *ret)
{
	size_t length = word_length(reader->at);
	const char *behind = reader->at + length + strspn(reader->at + length, " ");

	if (length > 0 && *behind == ':')
		return read_field(reader, length, ret);
	if (length != 1 || *reader->at != '_')
		return refuse(reader, length > 0 ? "a word" : "its syntax");
	reader->at++;
	ret->count = 1;
	ret->list[0].count = 1;
	return 0;
}

/* Behind an item: its captures. */
static int read_captures(struct reader *reader, struct shape_forms *ret)
{
	for (skip_blank(reader); *reader->at == '@'; skip_blank(reader)) {
		unsigned long number = strtoul(reader->at + 2, NULL, 10);

		if (number >= RULE_CAPTURES_MAX)
			return refuse(reader, "a capture");
		for (size_t i = 0; i < ret->count; i++)
			ret->list[i].steps[0].captures |= (uint16_t)(1u << number);
		reader->at += 1 + word_length(reader->at + 1);
	}
	if (*reader->at != '\0' && strchr("*+?", *reader->at) != NULL)
		return refuse(reader, "a repetition");
	return 0;
}

static int read_item(struct reader *reader, struct shape_forms *ret)
{
	int status;

	*ret = (struct shape_forms){.count = 0};
	if (++reader->depth > SHAPE_DEPTH_MAX)
		return refuse(reader, "nested too deep");
	skip_blank(reader);
	switch (*reader->at) {
	case '(':
		reader->at++;
		status = read_parenthesis(reader, ret);
		break;
	case '[':
		reader->at++;
		status = read_choices(reader, ret);
		break;
	case '"':
		status = read_literal(reader, ret);
		break;
	default:
		status = read_plain(reader, ret);
	}
	reader->depth--;
	return status < 0 ? status : read_captures(reader, ret);
}

/* --- where each step stands -------------------------------------------------------------- */

/* False: it does not begin with one node that has all others below it. */
static bool place(struct shape_form *form)
{
	for (uint32_t i = 0; i < form->count; i++) {
		struct shape_step *step = &form->steps[i];

		step->parent = step->before = STEP_NONE;
		form->captures |= step->captures;
		for (uint32_t k = i; k-- > 0 && step->parent == STEP_NONE;)
			if (form->steps[k].depth == step->depth && step->before == STEP_NONE)
				step->before = (uint8_t)k;
			else if (form->steps[k].depth < step->depth)
				step->parent = (uint8_t)k;
		if (i > 0 && step->parent == STEP_NONE)
			return false;
	}
	return true;
}

int shape_compile(enum code_language language, const char *text, struct shape_forms *ret,
		  struct err *err)
{
	struct reader reader = {.grammar = code_grammar(language), .at = text, .err = err};
	int status = read_item(&reader, ret);

	if (status == 0 && *reader.at != '\0')
		status = refuse(&reader, "more behind it");
	if (status < 0)
		return status;
	for (size_t i = 0; i < ret->count; i++)
		if (!place(&ret->list[i])) {
			reader.at = text;
			return refuse(&reader, "more than one node at its top");
		}
	return 0;
}

/* --- following --------------------------------------------------------------------------- */

struct walk {
	const struct shape_form *form;
	struct code *code;
	const struct shape_seeker *seeker;
	uint32_t nodes[SHAPE_STEPS_MAX];
};

static bool has_named_behind(const struct code *code, uint32_t node)
{
	return code_next_named(code, node) != CODE_NONE;
}

static bool fits(const struct code *code, const struct shape_step *step, uint32_t node)
{
	const struct code_node *one = &code->nodes[node];

	if (step->symbol != 0
		    ? one->symbol != step->symbol
		    : one->symbol == CODE_SYMBOL_ERROR || (step->is_named && !one->is_named))
		return false;
	if (step->field != 0 && one->field_id != step->field)
		return false;
	return !step->is_last || !has_named_behind(code, node);
}

static bool goes_on(const struct walk *walk, uint32_t at, uint32_t node)
{
	return at != walk->seeker->gate || walk->seeker->is_wanted(walk->seeker->context, node);
}

/* Tries every node that step `at` can be. Recurses no deeper than there are steps. */
static void follow(struct walk *walk, uint32_t at)
{
	const struct shape_step *step;
	struct code *code = walk->code;
	uint32_t node;

	if (at == walk->form->count) {
		walk->seeker->found(walk->seeker->context, walk->nodes);
		return;
	}
	step = &walk->form->steps[at];
	node = step->before != STEP_NONE ? code_next(code, walk->nodes[step->before])
					 : code_child(code, walk->nodes[step->parent]);
	for (; node != CODE_NONE && code_go(code); node = code_next(code, node)) {
		/* f(  # here
		 *   x): a comment is no argument. */
		if (code_kind(code, node) == KIND_COMMENT)
			continue;
		if (fits(code, step, node) && goes_on(walk, at, node)) {
			walk->nodes[at] = node;
			follow(walk, at + 1);
		}
		if (step->is_next && code->nodes[node].is_named)
			break;
	}
}

void shape_follow(const struct shape_form *form, struct code *code, uint32_t root,
		  const struct shape_seeker *seeker)
{
	struct walk walk = {.form = form, .code = code, .seeker = seeker};

	if (!fits(code, &form->steps[0], root) || !goes_on(&walk, 0, root))
		return;
	walk.nodes[0] = root;
	follow(&walk, 1);
}
