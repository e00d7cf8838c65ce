#include "validator/code/fold.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#include "validator/code/names.h"

static const struct code_value unknown = {.kind = VALUE_NONE};

/* Of a node whose value is being found out: to who asks meanwhile it has none. */
static const struct code_value asked = {.kind = VALUE_NONE};

/* Copying so much takes about as long as a step of resolving. */
#define BYTES_PER_STEP 128

/* --- values ------------------------------------------------------------------------------ */

static const struct code_value *keep(struct code *code, struct code_value value)
{
	struct code_value *kept =
		value.kind != VALUE_NONE ? code_alloc(code, sizeof(*kept)) : NULL;

	if (kept == NULL)
		return &unknown;
	*kept = value;
	return kept;
}

struct code_value fold_text(struct code *code, enum code_value_kind kind, const char *text,
			    size_t length)
{
	char *copy = length > FOLD_TEXT_MAX || !code_spend(code, length / BYTES_PER_STEP)
			     ? NULL
			     : code_alloc(code, length + 1);

	if (copy == NULL)
		return (struct code_value){.kind = VALUE_NONE};
	if (length > 0)
		memcpy(copy, text, length);
	copy[length] = '\0';
	return (struct code_value){.kind = kind, .text = copy, .length = length};
}

struct code_value fold_take(struct code *code, enum code_value_kind kind, struct buf *buf)
{
	struct code_value value = {.kind = VALUE_NONE};

	if (!buf->has_failed)
		value = fold_text(code, kind, buf->data, buf->length);
	return value;
}

struct code_value fold_number(double number)
{
	return (struct code_value){.kind = VALUE_NUMBER, .number = number};
}

bool code_is_text(const struct code_value *value)
{
	return value->kind == VALUE_TEXT || value->kind == VALUE_BYTES;
}

bool fold_write(const struct code_value *value, struct buf *buf)
{
	if (code_is_text(value))
		buf_add(buf, value->text, value->length);
	else if (value->kind == VALUE_NUMBER && floor(value->number) == value->number &&
		 fabs(value->number) < 1e15)
		buf_printf(buf, "%.0f", value->number);
	else if (value->kind == VALUE_NUMBER)
		buf_printf(buf, "%g", value->number);
	else
		return false;
	return true;
}

/* --- literals ---------------------------------------------------------------------------- */

static struct code_value fold_integer(struct code *code, uint32_t node)
{
	char digits[64];
	size_t length = 0;
	const char *text = code_text(code, node);
	char *end = NULL;
	int base = 10;

	for (size_t i = 0; i < code_length(code, node) && length < sizeof(digits) - 1; i++)
		if (text[i] != '_' && text[i] != 'n' && text[i] != 'l' && text[i] != 'L')
			digits[length++] = (char)tolower((unsigned char)text[i]);
	digits[length] = '\0';
	if (code->language == CODE_BASH)
		return fold_text(code, VALUE_TEXT, text, code_length(code, node));
	if (strncmp(digits, "0x", 2) == 0)
		base = 16;
	else if (strncmp(digits, "0o", 2) == 0)
		base = 8;
	else if (strncmp(digits, "0b", 2) == 0)
		base = 2;
	if (base != 10)
		return fold_number((double)strtoull(digits + 2, NULL, base));
	return fold_number(strtod(digits, &end));
}

static struct code_value fold_bool(struct code *code, uint32_t node)
{
	return (struct code_value){.kind = VALUE_BOOL,
				   .number = code_kind(code, node) == KIND_TRUE};
}

static struct code_value fold_joined(struct code *code, uint32_t node)
{
	enum code_value_kind kind = VALUE_TEXT;
	own_buf buf = {.data = NULL};

	if (code->language == CODE_BASH)
		return fold_shell_joined(code, node);
	buf_init(&buf, FOLD_TEXT_MAX);
	for (uint32_t part = code_named(code, node); part != CODE_NONE;
	     part = code_next_named(code, part)) {
		const struct code_value *value = code_fold(code, part);

		if (!code_is_text(value))
			return (struct code_value){.kind = VALUE_NONE};
		kind = value->kind;
		buf_add(&buf, value->text, value->length);
	}
	return fold_take(code, kind, &buf);
}

/* --- operators --------------------------------------------------------------------------- */

static struct code_value repeat(struct code *code, const struct code_value *text, double times)
{
	own_buf buf = {.data = NULL};

	if (!(times * (double)text->length <= FOLD_TEXT_MAX) || times > FOLD_TEXT_MAX)
		return (struct code_value){.kind = VALUE_NONE};
	buf_init(&buf, FOLD_TEXT_MAX);
	for (size_t i = 0, count = times > 0 ? (size_t)times : 0; i < count; i++)
		buf_add(&buf, text->text, text->length);
	return fold_take(code, text->kind, &buf);
}

static struct code_value add(struct code *code, const struct code_value *left,
			     const struct code_value *right)
{
	own_buf buf = {.data = NULL};

	if (left->kind == VALUE_NUMBER && right->kind == VALUE_NUMBER)
		return fold_number(left->number + right->number);
	buf_init(&buf, FOLD_TEXT_MAX);
	if (!fold_write(left, &buf) || !fold_write(right, &buf))
		return (struct code_value){.kind = VALUE_NONE};
	return fold_take(code, code_is_text(left) ? left->kind : right->kind, &buf);
}

static double to_bits(double number)
{
	return fabs(number) < 9e15 ? number : 0;
}

static struct code_value calculate(const char *operator, size_t length, double left,
				   double right)
{
	int64_t a = (int64_t)to_bits(left);
	int64_t b = (int64_t)to_bits(right);

	if (length == 2 && memcmp(operator, "**", 2) == 0)
		return fold_number(pow(left, right));
	if (length == 2 && memcmp(operator, "//", 2) == 0)
		return fold_number(floor(left / right));
	if (length == 2 && memcmp(operator, "<<", 2) == 0)
		return fold_number(left * pow(2, right));
	if (length == 2 && memcmp(operator, ">>", 2) == 0)
		return fold_number(floor(left / pow(2, right)));
	if (length != 1)
		return (struct code_value){.kind = VALUE_NONE};
	switch (operator[0]) {
	case '-':
		return fold_number(left - right);
	case '*':
		return fold_number(left * right);
	case '/':
		return fold_number(left / right);
	case '%':
		return fold_number(fmod(left, right));
	case '^':
		return fold_number((double)(a ^ b));
	case '&':
		return fold_number((double)(a & b));
	case '|':
		return fold_number((double)(a | b));
	default:
		return (struct code_value){.kind = VALUE_NONE};
	}
}

/* Python's "%s-%s" % (a, b). */
static struct code_value format_percent(struct code *code, const struct code_value *format,
					uint32_t arguments)
{
	enum code_kind kind = code_kind(code, arguments);
	uint32_t next = kind == KIND_TUPLE ? code_named(code, arguments) : arguments;
	own_buf buf = {.data = NULL};

	buf_init(&buf, FOLD_TEXT_MAX);
	for (size_t i = 0; i < format->length; i++) {
		char c = format->text[i];
		char conversion = i + 1 < format->length ? format->text[i + 1] : '\0';

		if (c != '%') {
			buf_add_char(&buf, c);
			continue;
		}
		i++;
		if (conversion == '%')
			buf_add_char(&buf, '%');
		else if ((conversion != 's' && conversion != 'd') || next == CODE_NONE ||
			 !fold_write(code_fold(code, next), &buf))
			return (struct code_value){.kind = VALUE_NONE};
		else
			next = kind == KIND_TUPLE ? code_next_named(code, next) : CODE_NONE;
	}
	return fold_take(code, format->kind, &buf);
}

static struct code_value combine(struct code *code, uint32_t node)
{
	uint32_t operator= code_field(code, node, FIELD_OPERATOR);
	uint32_t right_node = code_field(code, node, FIELD_RIGHT);
	const struct code_value *left = code_fold(code, code_field(code, node, FIELD_LEFT));
	const struct code_value *right = NULL;

	if (operator== CODE_NONE || left->kind == VALUE_NONE)
		return (struct code_value){.kind = VALUE_NONE};
	if (code_is(code, operator, "%") && code_is_text(left))
		return format_percent(code, left, right_node);
	right = code_fold(code, right_node);
	if (right->kind == VALUE_NONE)
		return (struct code_value){.kind = VALUE_NONE};
	if (code_is(code, operator, "+"))
		return add(code, left, right);
	if (code_is(code, operator, "*") && code_is_text(left) && right->kind == VALUE_NUMBER)
		return repeat(code, left, right->number);
	if (code_is(code, operator, "*") && code_is_text(right) && left->kind == VALUE_NUMBER)
		return repeat(code, right, left->number);
	if (left->kind != VALUE_NUMBER || right->kind != VALUE_NUMBER)
		return (struct code_value){.kind = VALUE_NONE};
	return calculate(code_text(code, operator), code_length(code, operator), left->number,
			 right->number);
}

/* a + b + c is nested to the left, as deep as it is long: from the innermost outwards. */
static struct code_value fold_binary(struct code *code, uint32_t node)
{
	uint32_t inner = node;

	for (;;) {
		uint32_t left = code_field(code, inner, FIELD_LEFT);

		if (code_kind(code, left) != KIND_BINARY || code->memo_values[left] != NULL)
			break;
		inner = left;
	}
	while (inner != node && code_go(code)) {
		if (code->loop_name == 0)
			code->memo_values[inner] = keep(code, combine(code, inner));
		inner = code->nodes[inner].parent;
	}
	return combine(code, node);
}

static struct code_value fold_unary(struct code *code, uint32_t node)
{
	uint32_t operator= code_field(code, node, FIELD_OPERATOR);
	const struct code_value *value =
		code_fold(code, code_field(code, node, FIELD_ARGUMENT));

	if (value->kind == VALUE_NUMBER && code_is(code, operator, "-"))
		return fold_number(-value->number);
	if (value->kind == VALUE_NUMBER && code_is(code, operator, "~"))
		return fold_number(-value->number - 1);
	return value->kind == VALUE_NUMBER && code_is(code, operator, "+")
		       ? *value
		       : (struct code_value){.kind = VALUE_NONE};
}

/* --- parts of a text --------------------------------------------------------------------- */

/* An end of a slice: false when it is there and not known. */
static bool slice_end(struct code *code, uint32_t node, double *value)
{
	const struct code_value *folded = code_fold(code, node);

	if (folded->kind != VALUE_NUMBER)
		return false;
	*value = folded->number;
	return true;
}

static double clamp(double at, double length)
{
	if (at < 0)
		at += length;
	return at < 0 ? 0 : at > length ? length : at;
}

/* [first:last:step] of Python; what is left out has its default. */
static bool read_slice(struct code *code, uint32_t node, double parts[3], bool is_given[3])
{
	size_t part = 0;

	for (uint32_t child = code_child(code, node); child != CODE_NONE;
	     child = code_next(code, child)) {
		if (code_is(code, child, ":")) {
			if (++part > 2)
				return false;
		} else {
			if (!slice_end(code, child, &parts[part]))
				return false;
			is_given[part] = true;
		}
	}
	return true;
}

static struct code_value fold_slice(struct code *code, const struct code_value *text,
				    uint32_t slice)
{
	double parts[3] = {0, 0, 1};
	bool is_given[3] = {false};
	double length = (double)text->length;
	long step;
	long at;
	long end;
	own_buf buf = {.data = NULL};

	if (!read_slice(code, slice, parts, is_given) || fabs(parts[2]) < 1 ||
	    fabs(parts[2]) > FOLD_TEXT_MAX)
		return (struct code_value){.kind = VALUE_NONE};
	buf_init(&buf, FOLD_TEXT_MAX);
	step = (long)parts[2];
	if (step > 0) {
		at = is_given[0] ? (long)clamp(parts[0], length) : 0;
		end = (long)(is_given[1] ? clamp(parts[1], length) : length);
	} else {
		at = (long)(is_given[0] ? fmin(clamp(parts[0], length), length - 1)
					: length - 1);
		end = is_given[1] ? (long)clamp(parts[1], length) : -1;
	}
	for (; step > 0 ? at < end : at > end; at += step)
		buf_add_char(&buf, text->text[at]);
	return fold_take(code, text->kind, &buf);
}

static struct code_value fold_subscript(struct code *code, uint32_t node)
{
	uint32_t index = code_field(code, node, FIELD_INDEX);
	uint32_t object = code_field(
		code, node, code->language == CODE_PYTHON ? FIELD_VALUE : FIELD_OBJECT);
	const struct code_value *text = code_fold(code, object);
	const struct code_value *place = NULL;
	double at;

	if (!code_is_text(text) || index == CODE_NONE)
		return *code_fold(code, code_element(code, node));
	if (code_kind(code, index) == KIND_SLICE)
		return fold_slice(code, text, index);
	place = code_fold(code, index);
	if (place->kind != VALUE_NUMBER)
		return (struct code_value){.kind = VALUE_NONE};
	at = place->number < 0 ? place->number + (double)text->length : place->number;
	if (!(at >= 0 && at < (double)text->length))
		return (struct code_value){.kind = VALUE_NONE};
	return fold_text(code, text->kind, text->text + (size_t)at, 1);
}

/* --- names ------------------------------------------------------------------------------- */

static struct code_value fold_identifier(struct code *code, uint32_t node)
{
	uint32_t name = code_identifier(code, node);
	const struct code_binding *binding;

	if (name != 0 && name == code->loop_name)
		return code->loop_value;
	binding = code_lookup(code, code->nodes[node].scope, name);
	/* More than one meaning is none. */
	if (binding == NULL || binding->next != NULL)
		return (struct code_value){.kind = VALUE_NONE};
	if (binding->kind == BIND_VALUE)
		return *code_fold(code, binding->node);
	return (struct code_value){.kind = VALUE_NONE};
}

static struct code_value fold_last(struct code *code, uint32_t node)
{
	uint32_t last = CODE_NONE;

	for (uint32_t child = code_named(code, node); child != CODE_NONE;
	     child = code_next_named(code, child))
		last = child;
	return *code_fold(code, last);
}

static struct code_value fold_value_field(struct code *code, uint32_t node)
{
	uint32_t value = code_field(code, node, FIELD_VALUE);

	if (value == CODE_NONE)
		value = code_field(code, node, FIELD_RIGHT);
	return *code_fold(code, value);
}

static struct code_value fold_command_name(struct code *code, uint32_t node)
{
	return *code_fold(code, code_child(code, node));
}

static struct code_value (*const folders[KIND_MAX])(struct code *code, uint32_t node) = {
	[KIND_ANSI_STRING] = fold_shell_word,
	[KIND_ASSIGNMENT] = fold_value_field,
	[KIND_AWAIT] = fold_last,
	[KIND_BINARY] = fold_binary,
	[KIND_CALL] = fold_call,
	[KIND_COMMAND_NAME] = fold_command_name,
	[KIND_CONCATENATION] = fold_joined,
	[KIND_EXPANSION] = fold_shell_expansion,
	[KIND_FALSE] = fold_bool,
	[KIND_FLOAT] = fold_integer,
	[KIND_IDENTIFIER] = fold_identifier,
	[KIND_INTEGER] = fold_integer,
	[KIND_NAMED_EXPRESSION] = fold_value_field,
	[KIND_PARENTHESES] = fold_last,
	[KIND_RAW_STRING] = fold_shell_word,
	[KIND_SEQUENCE] = fold_last,
	[KIND_STRING] = fold_string,
	[KIND_SUBSCRIPT] = fold_subscript,
	[KIND_SUBSTITUTION] = fold_shell_substitution,
	[KIND_TEMPLATE] = fold_template,
	[KIND_TRUE] = fold_bool,
	[KIND_UNARY] = fold_unary,
	[KIND_WORD] = fold_shell_word,
};

const struct code_value *code_fold(struct code *code, uint32_t node)
{
	struct code_value (*fold)(struct code * code, uint32_t node) =
		node == CODE_NONE ? NULL : folders[code_kind(code, node)];
	const struct code_value *value;
	bool is_loop;

	if (fold == NULL ||
	    (code->language == CODE_BASH && code_kind(code, node) == KIND_BINARY))
		return &unknown;
	/* In a comprehension the same node has a value for each turn. */
	is_loop = code->loop_name != 0 && node >= code->loop_body &&
		  node < code->nodes[code->loop_body].after;
	if (code->memo_values[node] != NULL && (!is_loop || code->memo_values[node] == &asked))
		return code->memo_values[node];
	if (code->depth >= CODE_DEPTH_MAX || !code_go(code))
		return &unknown;
	code->memo_values[node] = &asked;
	code->depth++;
	value = keep(code, fold(code, node));
	code->depth--;
	code->memo_values[node] = is_loop ? NULL : value;
	return value;
}

/* --- texts put together ------------------------------------------------------------------ */

/* A text with holes: f"..{x}..", `..${x}..`, "..$x..". */
static bool has_holes(struct code *code, uint32_t node)
{
	for (uint32_t child = code_named(code, node); child != CODE_NONE;
	     child = code_next_named(code, child)) {
		enum code_kind kind = code_kind(code, child);

		if ((kind == KIND_INTERPOLATION || kind == KIND_EXPANSION ||
		     kind == KIND_SUBSTITUTION) &&
		    code_fold(code, child)->kind == VALUE_NONE)
			return true;
	}
	return false;
}

static bool is_textual(struct code *code, uint32_t node)
{
	enum code_kind kind = code_kind(code, node);

	return kind == KIND_STRING || kind == KIND_TEMPLATE || kind == KIND_CONCATENATION ||
	       code_is_text(code_fold(code, node));
}

/* Any operand of a chain of + (or the left one of %) is a text. */
static bool is_text_chain(struct code *code, uint32_t node)
{
	while (code_kind(code, node) == KIND_BINARY && code_go(code)) {
		uint32_t operator= code_field(code, node, FIELD_OPERATOR);

		if (!code_is(code, operator, "+") && !code_is(code, operator, "%"))
			return false;
		if (code_is(code, operator, "+") &&
		    is_textual(code, code_field(code, node, FIELD_RIGHT)))
			return true;
		node = code_field(code, node, FIELD_LEFT);
	}
	return is_textual(code, node);
}

static bool is_format_call(struct code *code, uint32_t node)
{
	uint32_t function = code_field(code, node, FIELD_FUNCTION);
	uint32_t member = code_kind(code, function) == KIND_ATTRIBUTE
				  ? code_field(code, function, FIELD_MEMBER)
				  : CODE_NONE;

	return member != CODE_NONE &&
	       (code_is(code, member, "format") || code_is(code, member, "concat")) &&
	       is_textual(code, code_field(code, function, FIELD_OBJECT));
}

static bool is_assembled(struct code *code, uint32_t node)
{
	switch (code_kind(code, node)) {
	case KIND_STRING:
	case KIND_TEMPLATE:
	case KIND_CONCATENATION:
		return has_holes(code, node);
	case KIND_BINARY:
		return is_text_chain(code, node);
	case KIND_CALL:
		return is_format_call(code, node);
	default:
		return false;
	}
}

bool code_is_assembled(struct code *code, uint32_t node)
{
	/* Through names and parentheses; a loop of names ends with the count. */
	for (int i = 0; i < 16 && node != CODE_NONE; i++) {
		enum code_kind kind = code_kind(code, node);
		const struct code_binding *binding;

		if (code_fold(code, node)->kind != VALUE_NONE)
			return false;
		if (kind == KIND_PARENTHESES || kind == KIND_AWAIT) {
			node = code_named(code, node);
			continue;
		}
		if (kind != KIND_IDENTIFIER)
			return is_assembled(code, node);
		binding =
			code_lookup(code, code->nodes[node].scope, code_identifier(code, node));
		node = CODE_NONE;
		for (; binding != NULL; binding = binding->next) {
			/* text += name */
			if (binding->kind == BIND_UNKNOWN && binding->node != CODE_NONE)
				return true;
			if (binding->kind == BIND_VALUE && node == CODE_NONE)
				node = binding->node;
		}
	}
	return false;
}
