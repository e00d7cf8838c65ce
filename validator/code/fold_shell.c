/* Words of the shell: quoting, escapes, parameters with one known value, simple substitutions.
 */
#include <ctype.h>
#include <string.h>

#include "validator/code/fold.h"
#include "validator/code/names.h"

static struct code_value none(void)
{
	return (struct code_value){.kind = VALUE_NONE};
}

static void add_unquoted(const char *text, size_t length, struct buf *buf)
{
	for (size_t i = 0; i < length; i++) {
		if (text[i] == '\\' && i + 1 < length) {
			i++;
			if (text[i] == '\n')
				continue;
		}
		buf_add_char(buf, text[i]);
	}
}

struct code_value fold_shell_word(struct code *code, uint32_t node)
{
	const char *text = code_text(code, node);
	size_t length = code_length(code, node);
	own_buf buf = {.data = NULL};

	buf_init(&buf, FOLD_TEXT_MAX);
	if (code_kind(code, node) == KIND_RAW_STRING) {
		if (length >= 2)
			buf_add(&buf, text + 1, length - 2);
	} else if (code_kind(code, node) == KIND_ANSI_STRING) {
		if (length >= 3)
			fold_escapes(text + 2, length - 3, true, &buf);
	} else
		add_unquoted(text, length, &buf);
	return fold_take(code, VALUE_TEXT, &buf);
}

/* In double quotes a backslash is one, but before these. */
static void add_quoted(const char *text, size_t length, struct buf *buf)
{
	for (size_t i = 0; i < length; i++) {
		if (text[i] == '\\' && i + 1 < length &&
		    strchr("$`\"\\\n", text[i + 1]) != NULL) {
			i++;
			if (text[i] == '\n')
				continue;
		}
		buf_add_char(buf, text[i]);
	}
}

/* The grammar leaves blanks between parts out of its nodes, so the text between them counts. */
struct code_value fold_shell_string(struct code *code, uint32_t node)
{
	uint32_t at = code->nodes[node].start + (code_text(code, node)[0] == '$' ? 2 : 1);
	uint32_t end = code->nodes[node].end > at ? code->nodes[node].end - 1 : at;
	own_buf buf = {.data = NULL};

	buf_init(&buf, FOLD_TEXT_MAX);
	for (uint32_t part = code_named(code, node); part != CODE_NONE;
	     part = code_next_named(code, part)) {
		const struct code_node *flat = &code->nodes[part];

		if (flat->kind == KIND_STRING_CONTENT)
			continue;
		if (flat->start < at)
			return none();
		add_quoted(code->text + at, flat->start - at, &buf);
		if (!fold_write(code_fold(code, part), &buf))
			return none();
		at = flat->end;
	}
	if (end > at)
		add_quoted(code->text + at, end - at, &buf);
	return fold_take(code, VALUE_TEXT, &buf);
}

struct code_value fold_shell_joined(struct code *code, uint32_t node)
{
	uint32_t at = code->nodes[node].start;
	own_buf buf = {.data = NULL};

	buf_init(&buf, FOLD_TEXT_MAX);
	for (uint32_t part = code_child(code, node); part != CODE_NONE;
	     part = code_next(code, part)) {
		const struct code_node *flat = &code->nodes[part];

		if (flat->start > at)
			add_unquoted(code->text + at, flat->start - at, &buf);
		at = flat->end;
		if (!flat->is_named)
			add_unquoted(code_text(code, part), code_length(code, part), &buf);
		else if (!fold_write(code_fold(code, part), &buf))
			return none();
	}
	return fold_take(code, VALUE_TEXT, &buf);
}

/* ${x:2:3} of a known text. */
static struct code_value cut(struct code *code, struct code_value value, const char *text,
			     size_t length)
{
	size_t first = 0;
	size_t count = value.length;
	size_t i = 1;

	while (i < length && isdigit((unsigned char)text[i]) && first < FOLD_TEXT_MAX)
		first = first * 10 + (size_t)(text[i++] - '0');
	if (i == 1)
		return none();
	if (i < length && text[i] == ':') {
		count = 0;
		for (i++;
		     i < length && isdigit((unsigned char)text[i]) && count < FOLD_TEXT_MAX;
		     i++)
			count = count * 10 + (size_t)(text[i] - '0');
	}
	if (i != length)
		return none();
	first = first < value.length ? first : value.length;
	count = count < value.length - first ? count : value.length - first;
	return fold_text(code, VALUE_TEXT, value.text + first, count);
}

/* Parameters that are unset in a script without arguments, and the blank of $IFS. */
static struct code_value special(struct code *code, const char *text, size_t length)
{
	if (length == 3 && memcmp(text, "IFS", 3) == 0)
		return fold_text(code, VALUE_TEXT, " ", 1);
	if (length == 1 &&
	    (text[0] == '@' || text[0] == '*' || isdigit((unsigned char)text[0])) &&
	    text[0] != '0')
		return fold_text(code, VALUE_TEXT, "", 0);
	return none();
}

/* ${x:-rm} of what nothing sets is the plain word behind the sign. */
static struct code_value otherwise(struct code *code, const char *text, size_t length)
{
	size_t sign = length > 0 && text[0] == ':' ? 1 : 0;

	if (length < sign + 2 || (text[sign] != '-' && text[sign] != '='))
		return none();
	text += sign + 1;
	length -= sign + 1;
	for (size_t i = 0; i < length; i++)
		if (strchr("$`\"'\\{}", text[i]) != NULL)
			return none();
	return fold_text(code, VALUE_TEXT, text, length);
}

struct code_value fold_shell_expansion(struct code *code, uint32_t node)
{
	const char *text = code_text(code, node);
	size_t length = code_length(code, node);
	size_t name_length = 0;
	const struct code_binding *binding;
	struct code_value value;

	if (length < 2)
		return none();
	text++;
	length--;
	if (text[0] == '{') {
		text++;
		length -= length >= 2 ? 2 : 1;
	}
	while (name_length < length &&
	       (isalnum((unsigned char)text[name_length]) || text[name_length] == '_' ||
		(name_length == 0 && strchr("@*", text[0]) != NULL)))
		name_length++;
	if (name_length == 0)
		return none();
	binding = code_lookup(code, 0, code_intern(code, text, name_length));
	if (binding == NULL)
		return name_length == length
			       ? special(code, text, length)
			       : otherwise(code, text + name_length, length - name_length);
	if (binding->next != NULL || binding->kind != BIND_VALUE)
		return none();
	value = *code_fold(code, binding->node);
	if (name_length == length || value.kind == VALUE_NONE)
		return value;
	return text[name_length] == ':'
		       ? cut(code, value, text + name_length, length - name_length)
		       : none();
}

/* --- $(echo rm), $(printf '\x72m'), $(echo cm0= | base64 -d) ----------------------------- */

static bool echo_arguments(struct code *code, uint32_t command, struct buf *buf)
{
	bool is_first = true;
	bool has_escapes = false;

	for (uint32_t part = code_named(code, command); part != CODE_NONE;
	     part = code_next_named(code, part)) {
		const struct code_value *value = code_fold(code, part);

		if (code_kind(code, part) == KIND_COMMAND_NAME) {
			has_escapes = code_is(code, part, "printf");
			continue;
		}
		if (!code_is_text(value))
			return false;
		if (is_first && value->length == 2 && value->text[0] == '-') {
			has_escapes |= value->text[1] == 'e';
			continue;
		}
		if (!is_first)
			buf_add_char(buf, ' ');
		is_first = false;
		if (has_escapes)
			fold_escapes(value->text, value->length, true, buf);
		else
			buf_add(buf, value->text, value->length);
	}
	return true;
}

static bool is_named(struct code *code, uint32_t command, const char *name)
{
	const struct code_value *value = code_fold(code, code_field(code, command, FIELD_NAME));

	return code_is_text(value) && value->length == strlen(name) &&
	       memcmp(value->text, name, value->length) == 0;
}

static struct code_value run_filter(struct code *code, uint32_t filter, const struct buf *input)
{
	own_buf buf = {.data = NULL};
	const char *data = input->data != NULL ? input->data : "";

	buf_init(&buf, FOLD_TEXT_MAX);
	if (is_named(code, filter, "rev")) {
		for (size_t i = input->length; i > 0; i--)
			buf_add_char(&buf, data[i - 1]);
		return fold_take(code, VALUE_TEXT, &buf);
	}
	if (is_named(code, filter, "base64") && fold_base64(data, input->length, &buf)) {
		while (buf.length > 0 && buf.data[buf.length - 1] == '\n')
			buf.length--;
		return fold_take(code, VALUE_TEXT, &buf);
	}
	return none();
}

struct code_value fold_shell_substitution(struct code *code, uint32_t node)
{
	uint32_t inner = code_named(code, node);
	uint32_t command = inner;
	uint32_t filter = CODE_NONE;
	own_buf buf = {.data = NULL};

	if (inner == CODE_NONE || code_next_named(code, inner) != CODE_NONE)
		return none();
	if (code_kind(code, inner) == KIND_PIPELINE) {
		command = code_named(code, inner);
		filter = code_next_named(code, command);
		if (filter == CODE_NONE || code_next_named(code, filter) != CODE_NONE)
			return none();
	}
	if (code_kind(code, command) != KIND_COMMAND ||
	    (!is_named(code, command, "echo") && !is_named(code, command, "printf")))
		return none();
	buf_init(&buf, FOLD_TEXT_MAX);
	if (!echo_arguments(code, command, &buf))
		return none();
	return filter == CODE_NONE ? fold_take(code, VALUE_TEXT, &buf)
				   : run_filter(code, filter, &buf);
}
