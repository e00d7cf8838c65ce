#define PCRE2_CODE_UNIT_WIDTH 8
#include "validator/code/predicates.h"

#include <math.h>
#include <pcre2.h>
#include <string.h>

#include "validator/code/fold.h"
#include "validator/code/names.h"

struct predicate {
	struct predicate *next;
	const struct predicate_kind *kind;
	bool is_negated;
	uint32_t capture, other;
	pcre2_code *pattern; /* of the last argument, where the kind has one */
	uint32_t shortest;   /* bytes of the shortest text that it could match */
	struct needs *needs; /* owned: what such a text has; NULL: nothing special */
	double number;
	uint32_t asker; /* of the index of names, where the kind asks for them */
	/* Last: what decides most often lies together. */
	size_t argument_count;
	char *arguments[PREDICATE_ARGUMENTS_MAX]; /* owned */
};

struct predicate_kind {
	const char *name;
	bool (*holds)(const struct predicate *predicate, struct captured *captured,
		      uint32_t node);
	size_t least, most; /* arguments */
	bool has_pattern;
};

/* --- regular expressions ----------------------------------------------------------------- */

/* A match over so many bytes takes about as long as a step of resolving. */
#define TEXT_BYTES_PER_STEP 64

/* A longer text has nearly every sign. */
#define SIGNS_BYTES_MAX 4096

/* Kept for the process: one thread matches, one at a time. */
static pcre2_match_data *match_data;
static pcre2_match_context *match_context;

static bool has_matcher(void)
{
	if (match_data == NULL)
		match_data = pcre2_match_data_create(1, NULL);
	if (match_context == NULL)
		match_context = pcre2_match_context_create(NULL);
	if (match_data == NULL || match_context == NULL)
		return false;
	pcre2_set_match_limit(match_context, PREDICATE_MATCH_STEPS);
	return true;
}

/* A text is asked about by one pattern after the other, so the signs of the last are kept.
 * Where it lies says which text it is: neither the source nor the arena changes or goes before
 * the analysis ends. */
static bool has_needed(const struct predicate *predicate, struct code *code, const char *text,
		       size_t length)
{
	if (predicate->needs == NULL || length > SIGNS_BYTES_MAX)
		return true;
	if (code->signs_text != text || code->signs_length != length) {
		code->signs_text = text;
		code->signs_length = length;
		signs_of(text, length, &code->signs);
	}
	return needs_met(predicate->needs, &code->signs);
}

/* What cannot be decided within the steps is no match: the source's own time limit is what
 * reports a source that is made to cost. A match takes much longer than a step, so the clock is
 * looked at behind one that was given up. */
static bool matches(const struct predicate *predicate, struct code *code, const char *text,
		    size_t length)
{
	int found;

	if (text == NULL || length < predicate->shortest ||
	    !has_needed(predicate, code, text, length))
		return false;
	if (!has_matcher() || !code_spend(code, 1 + length / TEXT_BYTES_PER_STEP))
		return false;
	found = pcre2_match(predicate->pattern, (PCRE2_SPTR)text, length, 0, 0, match_data,
			    match_context);
	if (found == PCRE2_ERROR_MATCHLIMIT)
		(void)code_is_late(code);
	return found >= 0;
}

static int find_needs(struct predicate *predicate, const char *pattern, struct err *err)
{
	struct needs needs;
	size_t bytes;

	(void)pcre2_pattern_info(predicate->pattern, PCRE2_INFO_MINLENGTH,
				 &predicate->shortest);
	needs_read(pattern, &needs);
	if (needs.count == 0)
		return 0;
	bytes = offsetof(struct needs, list) + needs.count * sizeof(needs.list[0]);
	predicate->needs = malloc(bytes);
	if (predicate->needs == NULL)
		return err_set(err, ENOMEM, "memory for a predicate");
	memcpy(predicate->needs, &needs, bytes);
	return 0;
}

static int ask_for_names(struct predicate *predicate, struct name_index **names,
			 struct err *err)
{
	int status = name_index_ask(names, &predicate->asker, err);

	for (size_t i = 0; i < predicate->argument_count && status == 0; i++)
		status = name_index_add(*names, predicate->asker, predicate->arguments[i], err);
	return status;
}

static int compile(struct predicate *predicate, struct err *err)
{
	const char *text = predicate->arguments[predicate->argument_count - 1];
	int code;
	PCRE2_SIZE at;

	/* Bytes, not characters: what a program holds need not be valid UTF-8. */
	predicate->pattern = pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED,
					   PCRE2_DOTALL, &code, &at, NULL);
	if (predicate->pattern == NULL) {
		PCRE2_UCHAR what[120] = "";

		(void)pcre2_get_error_message(code, what, sizeof(what));
		return err_set(err, EINVAL, "the pattern '%.80s' is wrong: %s", text,
			       (const char *)what);
	}
	return find_needs(predicate, text, err);
}

/* --- names and values -------------------------------------------------------------------- */

static bool holds_name(const struct predicate *predicate, struct captured *captured,
		       uint32_t node)
{
	const struct code_names *names = code_names_of(captured->code, node);

	for (uint32_t i = 0; i < names->count; i++)
		if (name_index_asks(captured->names, captured->code, names->ids[i],
				    predicate->asker)) {
			captured->of[predicate->capture].name = names->ids[i];
			return true;
		}
	return false;
}

static bool holds_value(const struct predicate *predicate, struct captured *captured,
			uint32_t node)
{
	const struct code_value *value = code_fold(captured->code, node);

	return code_is_text(value) &&
	       matches(predicate, captured->code, value->text, value->length);
}

static bool holds_constant(const struct predicate *predicate, struct captured *captured,
			   uint32_t node)
{
	(void)predicate;
	return code_fold(captured->code, node)->kind != VALUE_NONE;
}

static bool holds_number_above(const struct predicate *predicate, struct captured *captured,
			       uint32_t node)
{
	const struct code_value *value = code_fold(captured->code, node);
	char digits[32];

	if (value->kind == VALUE_NUMBER)
		return value->number > predicate->number;
	if (captured->code->language != CODE_BASH || !code_is_text(value) ||
	    value->length == 0 || value->length >= sizeof(digits))
		return false;
	memcpy(digits, value->text, value->length);
	digits[value->length] = '\0';
	return strtod(digits, NULL) > predicate->number;
}

/* --- arguments --------------------------------------------------------------------------- */

/* A call's argument list, also where the call itself is the capture. */
static uint32_t argument_list(struct code *code, uint32_t node)
{
	enum code_kind kind = code_kind(code, node);

	return kind == KIND_CALL || kind == KIND_NEW ? code_field(code, node, FIELD_ARGUMENTS)
						     : node;
}

static bool has_value(struct code *code, uint32_t node, const char *wanted)
{
	const struct code_value *value = code_fold(code, node);

	if (value->kind == VALUE_BOOL)
		return strcmp(wanted, value->number != 0 ? "True" : "False") == 0 ||
		       strcmp(wanted, value->number != 0 ? "true" : "false") == 0;
	if (code_is_text(value))
		return strlen(wanted) == value->length &&
		       memcmp(wanted, value->text, value->length) == 0;
	if (value->kind == VALUE_NUMBER)
		return strtod(wanted, NULL) == value->number;
	return code_is(code, node, wanted);
}

/* Python's name=value, or a member of an object literal among the arguments. */
static bool is_argument_named(struct code *code, uint32_t argument, const char *name,
			      uint32_t *value)
{
	enum code_kind kind = code_kind(code, argument);
	uint32_t key = code_field(code, argument, kind == KIND_PAIR ? FIELD_KEY : FIELD_NAME);
	const struct code_value *text;

	if (kind != KIND_KEYWORD_ARGUMENT && kind != KIND_PAIR)
		return false;
	*value = code_field(code, argument, FIELD_VALUE);
	text = code_fold(code, key);
	return code_is(code, key, name) ||
	       (kind == KIND_PAIR && code_is_text(text) && text->length == strlen(name) &&
		memcmp(text->text, name, text->length) == 0);
}

static bool holds_has_argument(const struct predicate *predicate, struct captured *captured,
			       uint32_t node)
{
	struct code *code = captured->code;
	uint32_t list = argument_list(code, node);
	uint32_t value = CODE_NONE;

	for (uint32_t child = code_named(code, list); child != CODE_NONE;
	     child = code_next_named(code, child)) {
		bool is_found = is_argument_named(code, child, predicate->arguments[0], &value);
		uint32_t literal = code_literal(code, child);

		for (uint32_t pair = code_kind(code, literal) == KIND_DICTIONARY
					     ? code_named(code, literal)
					     : CODE_NONE;
		     pair != CODE_NONE && !is_found; pair = code_next_named(code, pair))
			is_found =
				is_argument_named(code, pair, predicate->arguments[0], &value);
		if (is_found)
			return predicate->argument_count == 1 ||
			       has_value(code, value, predicate->arguments[1]);
	}
	return false;
}

static bool holds_argument(const struct predicate *predicate, struct captured *captured,
			   uint32_t node)
{
	struct code *code = captured->code;
	long nth = strtol(predicate->arguments[0], NULL, 10);
	const struct code_value *value;

	for (uint32_t child = code_named(code, argument_list(code, node)); child != CODE_NONE;
	     child = code_next_named(code, child)) {
		if (code_kind(code, child) == KIND_KEYWORD_ARGUMENT || nth-- > 0)
			continue;
		value = code_fold(code, child);
		return code_is_text(value) &&
		       matches(predicate, code, value->text, value->length);
	}
	return false;
}

/* The command around a command's name, or the command itself. */
static bool holds_has_word(const struct predicate *predicate, struct captured *captured,
			   uint32_t node)
{
	struct code *code = captured->code;

	if (code_kind(code, node) == KIND_COMMAND_NAME)
		node = code->nodes[node].parent;
	for (uint32_t child = code_named(code, node); child != CODE_NONE;
	     child = code_next_named(code, child)) {
		const struct code_value *value = code_fold(code, child);

		if (code_kind(code, child) == KIND_COMMAND_NAME)
			continue;
		if (code_is_text(value) ? matches(predicate, code, value->text, value->length)
					: matches(predicate, code, code_text(code, child),
						  code_length(code, child)))
			return true;
	}
	return false;
}

/* --- where it stands --------------------------------------------------------------------- */

static bool is_loop(const struct code *code, uint32_t up, uint32_t child)
{
	enum code_kind kind = code_kind(code, up);

	if (kind == KIND_FOR) /* not what is looped over */
		return code->nodes[child].field == FIELD_BODY;
	return kind == KIND_WHILE || kind == KIND_COMPREHENSION;
}

static bool holds_in_loop(const struct predicate *predicate, struct captured *captured,
			  uint32_t node)
{
	const struct code *code = captured->code;

	(void)predicate;
	for (uint32_t up = code->nodes[node].parent; up != CODE_NONE;
	     node = up, up = code->nodes[up].parent) {
		if (is_loop(code, up, node))
			return true;
		if (code_kind(code, up) == KIND_FUNCTION || code_kind(code, up) == KIND_CLASS)
			return false;
	}
	return false;
}

static bool holds_in_function(const struct predicate *predicate, struct captured *captured,
			      uint32_t node)
{
	const struct code *code = captured->code;

	(void)predicate;
	for (uint32_t up = code->nodes[node].parent; up != CODE_NONE;
	     up = code->nodes[up].parent)
		if (code_kind(code, up) == KIND_FUNCTION || code_kind(code, up) == KIND_LAMBDA)
			return true;
	return false;
}

static uint32_t called_node(struct code *code, uint32_t node)
{
	uint32_t function = CODE_NONE;

	if (code_kind(code, node) == KIND_COMMAND)
		function = code_field(code, node, FIELD_NAME);
	else if (code_kind(code, node) == KIND_CALL)
		function = code_field(code, node, FIELD_FUNCTION);
	return code_kind(code, function) == KIND_ATTRIBUTE
		       ? code_field(code, function, FIELD_MEMBER)
		       : function;
}

static bool holds_calls_itself(const struct predicate *predicate, struct captured *captured,
			       uint32_t node)
{
	struct code *code = captured->code;
	uint32_t name = code_field(code, node, FIELD_NAME);
	uint32_t body = code_field(code, node, FIELD_BODY);

	(void)predicate;
	if (name == CODE_NONE || body == CODE_NONE)
		return false;
	for (uint32_t inner = body; inner < code->nodes[body].after && code_go(code); inner++) {
		uint32_t called = called_node(code, inner);

		if (called != CODE_NONE &&
		    code_length(code, called) == code_length(code, name) &&
		    memcmp(code_text(code, called), code_text(code, name),
			   code_length(code, name)) == 0)
			return true;
	}
	return false;
}

/* --- text -------------------------------------------------------------------------------- */

static bool holds_long(const struct predicate *predicate, struct captured *captured,
		       uint32_t node)
{
	return (double)code_length(captured->code, node) > predicate->number;
}

static bool holds_entropy_above(const struct predicate *predicate, struct captured *captured,
				uint32_t node)
{
	const struct code_value *value = code_fold(captured->code, node);
	uint32_t counts[256] = {0};
	double bits = 0;

	if (!code_is_text(value) || value->length == 0)
		return false;
	for (size_t i = 0; i < value->length; i++)
		counts[(unsigned char)value->text[i]]++;
	for (size_t i = 0; i < ARRAY_COUNT(counts); i++) {
		double share = (double)counts[i] / (double)value->length;

		if (counts[i] > 0)
			bits -= share * log2(share);
	}
	return bits > predicate->number;
}

static bool holds_tainted(const struct predicate *predicate, struct captured *captured,
			  uint32_t node)
{
	(void)predicate;
	return code_is_assembled(captured->code, node);
}

static bool is_same_text(struct code *code, uint32_t a, uint32_t b)
{
	return code_length(code, a) == code_length(code, b) &&
	       memcmp(code_text(code, a), code_text(code, b), code_length(code, a)) == 0;
}

static bool holds_eq(const struct predicate *predicate, struct captured *captured,
		     uint32_t node)
{
	if (predicate->other != UINT32_MAX)
		return captured->of[predicate->other].count > 0 &&
		       is_same_text(captured->code, node,
				    captured->of[predicate->other].nodes[0]);
	for (size_t i = 0; i < predicate->argument_count; i++)
		if (code_is(captured->code, node, predicate->arguments[i]))
			return true;
	return false;
}

static bool holds_match(const struct predicate *predicate, struct captured *captured,
			uint32_t node)
{
	return matches(predicate, captured->code, code_text(captured->code, node),
		       code_length(captured->code, node));
}

/* --- the table --------------------------------------------------------------------------- */

static const struct predicate_kind kinds[] = {
	/* name            what it asks          arguments                   a pattern */
	{"name", holds_name, 1, PREDICATE_ARGUMENTS_MAX, false},
	{"value", holds_value, 1, 1, true},
	{"constant", holds_constant, 0, 0, false},
	{"number-above", holds_number_above, 1, 1, false},
	{"has-argument", holds_has_argument, 1, 2, false},
	{"argument", holds_argument, 2, 2, true},
	{"has-word", holds_has_word, 1, 1, true},
	{"in-loop", holds_in_loop, 0, 0, false},
	{"in-function", holds_in_function, 0, 0, false},
	{"calls-itself", holds_calls_itself, 0, 0, false},
	{"long", holds_long, 1, 1, false},
	{"entropy-above", holds_entropy_above, 1, 1, false},
	{"tainted", holds_tainted, 0, 0, false},
	{"eq", holds_eq, 0, 1, false},
	{"any-of", holds_eq, 1, PREDICATE_ARGUMENTS_MAX, false},
	{"match", holds_match, 1, 1, true},
};

static const struct predicate_kind *find_kind(const struct predicate_text *text)
{
	for (size_t i = 0; i < ARRAY_COUNT(kinds); i++)
		if (strlen(kinds[i].name) == text->name_length &&
		    memcmp(kinds[i].name, text->name, text->name_length) == 0)
			return &kinds[i];
	return NULL;
}

int predicate_new(struct predicate_text *text, struct name_index **names,
		  struct predicate **ret, struct err *err)
{
	const struct predicate_kind *kind = find_kind(text);
	struct predicate *predicate;
	int status = 0;

	if (kind == NULL)
		return err_set(err, EINVAL, "there is no predicate #%s%.*s?",
			       text->is_negated ? "not-" : "", (int)text->name_length,
			       text->name);
	if (text->argument_count < kind->least || text->argument_count > kind->most)
		return err_set(err, EINVAL, "#%s? has %zu arguments", kind->name,
			       text->argument_count);
	predicate = calloc(1, sizeof(*predicate));
	if (predicate == NULL)
		return err_set(err, ENOMEM, "memory for a predicate");
	predicate->kind = kind;
	predicate->is_negated = text->is_negated;
	predicate->capture = text->capture;
	predicate->other = text->other;
	memcpy(predicate->arguments, text->arguments, sizeof(predicate->arguments));
	predicate->argument_count = text->argument_count;
	text->argument_count = 0;
	if (predicate->argument_count == 1 && !kind->has_pattern)
		predicate->number = strtod(predicate->arguments[0], NULL);
	if (kind->has_pattern)
		status = compile(predicate, err);
	else if (kind->holds == holds_name)
		status = ask_for_names(predicate, names, err);
	if (status < 0) {
		predicates_free(predicate);
		return status;
	}
	*ret = predicate;
	return 0;
}

void predicates_free(struct predicate *list)
{
	while (list != NULL) {
		struct predicate *next = list->next;

		for (size_t i = 0; i < list->argument_count; i++)
			free(list->arguments[i]);
		pcre2_code_free(list->pattern);
		free(list->needs);
		free(list);
		list = next;
	}
}

void predicates_append(struct predicate **list, struct predicate *predicate)
{
	while (*list != NULL)
		list = &(*list)->next;
	*list = predicate;
}

static bool holds(const struct predicate *predicate, struct captured *captured)
{
	for (uint32_t i = 0; i < captured->of[predicate->capture].count; i++)
		if (predicate->kind->holds(predicate, captured,
					   captured->of[predicate->capture].nodes[i]))
			return true;
	return false;
}

bool predicates_need_name(const struct predicate *list, uint32_t capture, uint32_t *ret_asker)
{
	for (; list != NULL; list = list->next)
		if (list->kind->holds == holds_name && !list->is_negated &&
		    list->capture == capture) {
			*ret_asker = list->asker;
			return true;
		}
	return false;
}

bool predicates_hold(const struct predicate *list, struct captured *captured)
{
	for (; list != NULL; list = list->next)
		if (holds(list, captured) == list->is_negated)
			return false;
	return true;
}
