#include <ctype.h>
#include <string.h>

#include "validator/code/fold.h"
#include "validator/code/names.h"

/* x=rm; alias x=rm. Assignments in front of a command are of that command alone, which makes no
 * difference here. */
static void bind_assignment(struct code *code, uint32_t node)
{
	uint32_t name = code_field(code, node, FIELD_NAME);
	uint32_t value = code_field(code, node, FIELD_VALUE);
	bool is_plain = code->nodes[node].end > code->nodes[name].end &&
			code->text[code->nodes[name].end] == '=';
	struct code_binding *binding;

	if (code_kind(code, name) != KIND_IDENTIFIER)
		return;
	binding = code_bind(code, 0, code_identifier(code, name),
			    is_plain && value != CODE_NONE ? BIND_VALUE : BIND_UNKNOWN, node);
	if (binding != NULL)
		binding->node = value;
}

static void bind_for(struct code *code, uint32_t node)
{
	uint32_t value = code_field(code, node, FIELD_VALUE);
	uint32_t name = code_identifier(code, code_field(code, node, FIELD_VARIABLE));

	for (; value != CODE_NONE; value = code_next(code, value)) {
		struct code_binding *binding;

		if (code->nodes[value].field != FIELD_VALUE)
			continue;
		binding = code_bind(code, 0, name, BIND_VALUE, node);
		if (binding != NULL)
			binding->node = value;
	}
}

static uint32_t alias_key(struct code *code, const char *text, size_t length)
{
	char key[NAME_BYTES_MAX + 8];

	if (length > NAME_BYTES_MAX)
		return 0;
	(void)snprintf(key, sizeof(key), "alias %.*s", (int)length, text);
	return code_intern_text(code, key);
}

/* alias ll='rm -rf': the first word of it. */
static void bind_alias(struct code *code, uint32_t node)
{
	if (!code_is(code, code_field(code, node, FIELD_NAME), "alias"))
		return;
	for (uint32_t word = code_named(code, node); word != CODE_NONE;
	     word = code_next_named(code, word)) {
		const struct code_value *value = code_fold(code, word);
		const char *equals =
			code_is_text(value) ? memchr(value->text, '=', value->length) : NULL;
		struct code_binding *binding;

		if (equals == NULL)
			continue;
		binding = code_bind(
			code, 0, alias_key(code, value->text, (size_t)(equals - value->text)),
			BIND_NAME, word);
		if (binding != NULL)
			binding->id =
				code_intern(code, equals + 1,
					    value->length - (size_t)(equals + 1 - value->text));
	}
}

static void bind_function(struct code *code, uint32_t node)
{
	uint32_t name = code_field(code, node, FIELD_NAME);

	if (name != CODE_NONE)
		(void)code_bind(code, 0,
				alias_key(code, code_text(code, name), code_length(code, name)),
				BIND_DEFINED, node);
}

void shell_bind(struct code *code, uint32_t node)
{
	switch (code_kind(code, node)) {
	case KIND_ASSIGNMENT:
		bind_assignment(code, node);
		break;
	case KIND_FOR:
		bind_for(code, node);
		break;
	case KIND_COMMAND:
		bind_alias(code, node);
		break;
	case KIND_FUNCTION:
		bind_function(code, node);
		break;
	default:
		break;
	}
}

/* --- commands ---------------------------------------------------------------------------- */

/* The command's own name: the first word, without its folder; {cat,/etc/passwd} is two words.
 */
static uint32_t plain_name(struct code *code, const char *text, size_t length)
{
	size_t at = 0;
	size_t end;
	bool is_braces = length > 0 && text[0] == '{';

	while (at < length && (isspace((unsigned char)text[at]) || text[at] == '{'))
		at++;
	/* The grammar takes the brace for a block and leaves "cat,/etc/passwd}". */
	is_braces |= length > 0 && text[length - 1] == '}';
	for (end = at; end < length && !isspace((unsigned char)text[end]); end++)
		if (text[end] == ',' && is_braces)
			break;
	for (size_t i = at; i < end; i++)
		if (text[i] == '/' && i + 1 < end)
			at = i + 1;
	return end - at > NAME_BYTES_MAX ? 0 : code_intern(code, text + at, end - at);
}

static bool is_wrapper(const char *name)
{
	static const char *const wrappers[] = {
		"builtin", "busybox", "chroot", "chronic", "command", "doas",
		"env",	   "exec",    "ionice", "nice",	   "nohup",   "parallel",
		"runuser", "setsid",  "stdbuf", "sudo",	   "time",    "timeout",
		"toybox",  "unshare", "watch",	"xargs",
	};

	for (size_t i = 0; i < ARRAY_COUNT(wrappers); i++)
		if (strcmp(wrappers[i], name) == 0)
			return true;
	return false;
}

static void add_command(struct code *code, const struct code_value *value,
			struct code_names *names)
{
	const struct code_binding *binding;
	const char *text;
	uint32_t name;

	if (!code_is_text(value) || value->length == 0)
		return;
	name = plain_name(code, value->text, value->length);
	text = code_string(code, name);
	binding = code_lookup(code, 0, alias_key(code, text, strlen(text)));
	if (binding == NULL) {
		names_add(names, name);
		return;
	}
	for (; binding != NULL; binding = binding->next) {
		char local[NAME_BYTES_MAX + 8];

		(void)snprintf(local, sizeof(local), "local.%s", text);
		if (binding->kind == BIND_NAME) {
			const char *alias = code_string(code, binding->id);

			names_add(names, plain_name(code, alias, strlen(alias)));
		} else
			names_add_text(code, names, local);
	}
}

/* Every value that a variable may hold: `for c in rm ls; do $c x; done`. */
static void add_values(struct code *code, uint32_t node, struct code_names *names)
{
	const char *text = code_text(code, node);
	size_t length = code_length(code, node);
	size_t skip = length > 3 && text[1] == '{' ? 2 : 1;
	const struct code_binding *binding;

	if (length <= skip)
		return;
	binding = code_lookup(code, 0,
			      code_intern(code, text + skip, length - skip - (skip == 2)));
	for (; binding != NULL; binding = binding->next)
		if (binding->kind == BIND_VALUE)
			add_command(code, code_fold(code, binding->node), names);
}

/* What sudo, env and the like run: their first word that is no option, assignment or number. */
static void add_wrapped(struct code *code, uint32_t command, struct code_names *names)
{
	for (uint32_t word = code_named(code, command); word != CODE_NONE;
	     word = code_next_named(code, word)) {
		const struct code_value *value = code_fold(code, word);

		if (code->nodes[word].field != FIELD_ARGUMENT || !code_is_text(value) ||
		    value->length == 0 || value->text[0] == '-' ||
		    isdigit((unsigned char)value->text[0]) ||
		    memchr(value->text, '=', value->length) != NULL)
			continue;
		add_command(code, value, names);
		if (!is_wrapper(code_string(code, names->ids[names->count - 1])))
			return;
	}
}

/* find . -exec rm {} + */
static void add_found(struct code *code, uint32_t command, struct code_names *names)
{
	static const char *const runners[] = {"-exec", "-execdir", "-ok", "-okdir"};
	bool is_next = false;

	for (uint32_t word = code_named(code, command); word != CODE_NONE;
	     word = code_next_named(code, word)) {
		const struct code_value *value = code_fold(code, word);

		if (is_next)
			add_command(code, value, names);
		is_next = false;
		for (size_t i = 0; i < ARRAY_COUNT(runners) && code_is_text(value); i++)
			is_next |= value->length == strlen(runners[i]) &&
				   memcmp(value->text, runners[i], value->length) == 0;
	}
}

void shell_command(struct code *code, uint32_t node, struct code_names *names)
{
	uint32_t command = node;
	uint32_t name = node;
	uint32_t inner;

	if (code_kind(code, node) == KIND_COMMAND)
		name = code_field(code, node, FIELD_NAME);
	else
		command = code->nodes[node].parent;
	if (name == CODE_NONE)
		return;
	add_command(code, code_fold(code, name), names);
	inner = code_named(code, name);
	if (names->count == 0 && code_kind(code, inner) == KIND_STRING)
		inner = code_named(code, inner);
	if (names->count == 0 && code_kind(code, inner) == KIND_EXPANSION)
		add_values(code, inner, names);
	if (names->count > 0 && is_wrapper(code_string(code, names->ids[0])))
		add_wrapped(code, command, names);
	if (names->count > 0 && strcmp(code_string(code, names->ids[0]), "find") == 0)
		add_found(code, command, names);
}
