#include "validator/code/nested.h"

#include <string.h>

#include "validator/code/fold.h"
#include "validator/code/names.h"

/* --- functions --------------------------------------------------------------------------- */

#define LAST_ARGUMENT UINT32_MAX

static const struct runner {
	enum code_language language;
	const char *name;
	uint32_t argument;
	enum code_language runs;
} runners[] = {
	/* calls in        of                                  argument       run as */
	{CODE_PYTHON, "builtins.eval", 0, CODE_PYTHON},
	{CODE_PYTHON, "builtins.exec", 0, CODE_PYTHON},
	{CODE_PYTHON, "builtins.compile", 0, CODE_PYTHON},
	{CODE_PYTHON, "os.system", 0, CODE_BASH},
	{CODE_PYTHON, "os.popen", 0, CODE_BASH},
	{CODE_PYTHON, "posix.system", 0, CODE_BASH},
	{CODE_PYTHON, "subprocess.getoutput", 0, CODE_BASH},
	{CODE_PYTHON, "subprocess.getstatusoutput", 0, CODE_BASH},
	{CODE_PYTHON, "subprocess.run", 0, CODE_BASH},
	{CODE_PYTHON, "subprocess.call", 0, CODE_BASH},
	{CODE_PYTHON, "subprocess.check_call", 0, CODE_BASH},
	{CODE_PYTHON, "subprocess.check_output", 0, CODE_BASH},
	{CODE_PYTHON, "subprocess.Popen", 0, CODE_BASH},
	{CODE_PYTHON, "asyncio.create_subprocess_shell", 0, CODE_BASH},
	{CODE_JAVASCRIPT, "eval", 0, CODE_JAVASCRIPT},
	{CODE_JAVASCRIPT, "Function", LAST_ARGUMENT, CODE_JAVASCRIPT},
	{CODE_JAVASCRIPT, "setTimeout", 0, CODE_JAVASCRIPT},
	{CODE_JAVASCRIPT, "setInterval", 0, CODE_JAVASCRIPT},
	{CODE_JAVASCRIPT, "vm.runInContext", 0, CODE_JAVASCRIPT},
	{CODE_JAVASCRIPT, "vm.runInNewContext", 0, CODE_JAVASCRIPT},
	{CODE_JAVASCRIPT, "vm.runInThisContext", 0, CODE_JAVASCRIPT},
	{CODE_JAVASCRIPT, "vm.Script", 0, CODE_JAVASCRIPT},
	{CODE_JAVASCRIPT, "child_process.exec", 0, CODE_BASH},
	{CODE_JAVASCRIPT, "child_process.execSync", 0, CODE_BASH},
};

/* --- command lines ----------------------------------------------------------------------- */

/* Programs that take source as the word behind an option. */
static const struct interpreter {
	const char *name; /* what a version may follow: python3.11 */
	const char *options[3];
	enum code_language runs;
} interpreters[] = {
	{"bash", {"-c"}, CODE_BASH},
	{"sh", {"-c"}, CODE_BASH},
	{"dash", {"-c"}, CODE_BASH},
	{"zsh", {"-c"}, CODE_BASH},
	{"ksh", {"-c"}, CODE_BASH},
	{"ash", {"-c"}, CODE_BASH},
	{"python", {"-c"}, CODE_PYTHON},
	{"node", {"-e", "--eval", "-p"}, CODE_JAVASCRIPT},
	{"nodejs", {"-e", "--eval", "-p"}, CODE_JAVASCRIPT},
};

static const struct interpreter *find_interpreter(const char *text, size_t length)
{
	const char *slash = memrchr(text, '/', length);
	const char *name = slash != NULL ? slash + 1 : text;
	size_t left = length - (size_t)(name - text);

	while (left > 0 && strchr("0123456789.", name[left - 1]) != NULL)
		left--;
	for (size_t i = 0; i < ARRAY_COUNT(interpreters); i++)
		if (strlen(interpreters[i].name) == left &&
		    memcmp(interpreters[i].name, name, left) == 0)
			return &interpreters[i];
	return NULL;
}

/* -c, and letters together that end with it: -xc. */
static bool is_option(const struct interpreter *interpreter, const struct code_value *word)
{
	for (size_t i = 0; i < ARRAY_COUNT(interpreter->options); i++) {
		const char *option = interpreter->options[i];

		if (option == NULL)
			break;
		if (word->length == strlen(option) &&
		    memcmp(word->text, option, word->length) == 0)
			return true;
		if (strlen(option) == 2 && word->length > 2 && word->text[0] == '-' &&
		    word->text[1] != '-' && word->text[word->length - 1] == option[1])
			return true;
	}
	return false;
}

/* Words from `node` on: an interpreter, its option, and the text. */
static bool runs_words(struct code *code, uint32_t node, const struct interpreter *interpreter,
		       enum code_language *ret_language, struct code_value *ret)
{
	bool is_next = false;

	for (; node != CODE_NONE && code_go(code); node = code_next_named(code, node)) {
		const struct code_value *word = code_fold(code, node);

		if (!code_is_text(word))
			continue;
		if (is_next) {
			*ret_language = interpreter->runs;
			*ret = *word;
			return true;
		}
		if (interpreter == NULL)
			interpreter = find_interpreter(word->text, word->length);
		else
			is_next = is_option(interpreter, word);
	}
	return false;
}

/* --- calls and commands
 * ------------------------------------------------------------------------
 */

static uint32_t argument_of(struct code *code, uint32_t call, uint32_t nth)
{
	uint32_t argument = code_argument(code, call, nth == LAST_ARGUMENT ? 0 : nth);

	while (nth == LAST_ARGUMENT && argument != CODE_NONE &&
	       code_next_named(code, argument) != CODE_NONE)
		argument = code_next_named(code, argument);
	return argument;
}

/* ["bash", "-c", "..."], and in JavaScript spawn("bash", ["-c", "..."]). */
static bool runs_list(struct code *code, uint32_t call, enum code_language *ret_language,
		      struct code_value *ret)
{
	uint32_t first = code_argument(code, call, 0);
	uint32_t list = code_literal(code, first);
	const struct code_value *program = code_fold(code, first);
	const struct interpreter *interpreter = NULL;

	if (code_is_text(program)) {
		interpreter = find_interpreter(program->text, program->length);
		list = code_literal(code, code_argument(code, call, 1));
		if (interpreter == NULL)
			return false;
	}
	if (code_kind(code, list) != KIND_LIST && code_kind(code, list) != KIND_TUPLE)
		return false;
	return runs_words(code, code_named(code, list), interpreter, ret_language, ret);
}

static bool call_runs(struct code *code, uint32_t node, enum code_language *ret_language,
		      struct code_value *ret)
{
	const struct code_names *names =
		code_names_of(code, code_field(code, node, FIELD_FUNCTION));

	for (size_t i = 0; names->count > 0 && i < ARRAY_COUNT(runners); i++) {
		const struct code_value *text;

		if (runners[i].language != code->language ||
		    !code_names_match(code, names, runners[i].name))
			continue;
		text = code_fold(code, argument_of(code, node, runners[i].argument));
		if (code_is_text(text)) {
			*ret_language = runners[i].runs;
			*ret = *text;
			return true;
		}
	}
	/* os.spawnlp(os.P_WAIT, "sh", "sh", "-c", "...") */
	if (code_names_match(code, names, "os.*"))
		return runs_words(code, code_argument(code, node, 0), NULL, ret_language, ret);
	return names->count > 0 && runs_list(code, node, ret_language, ret);
}

/* eval runs its words together. */
static bool eval_runs(struct code *code, uint32_t node, struct code_value *ret)
{
	own_buf all = {.data = NULL};

	buf_init(&all, FOLD_TEXT_MAX);
	for (uint32_t word = code_named(code, node); word != CODE_NONE;
	     word = code_next_named(code, word)) {
		const struct code_value *value = code_fold(code, word);

		if (code->nodes[word].field != FIELD_ARGUMENT)
			continue;
		if (!code_is_text(value))
			return false;
		buf_add(&all, value->text, value->length);
		buf_add_char(&all, ' ');
	}
	*ret = fold_take(code, VALUE_TEXT, &all);
	return code_is_text(ret) && ret->length > 0;
}

/* What a redirection gives to standard input: <<EOF as it is written, <<< when it is known. */
static bool is_input(struct code *code, uint32_t redirect, struct code_value *ret)
{
	for (uint32_t child = code_named(code, redirect); child != CODE_NONE;
	     child = code_next_named(code, child)) {
		const struct code_value *value = code_fold(code, child);

		if (code_kind(code, child) == KIND_HEREDOC_BODY)
			*ret = (struct code_value){.kind = VALUE_TEXT,
						   .text = code_text(code, child),
						   .length = code_length(code, child)};
		else if (code_is_text(value) && code_length(code, redirect) > 3 &&
			 memcmp(code_text(code, redirect), "<<<", 3) == 0)
			*ret = *value;
		if (code_is_text(ret))
			return true;
	}
	return false;
}

/* Redirections stand in the command or beside it. */
static bool reads_text(struct code *code, uint32_t command, struct code_value *ret)
{
	uint32_t places[] = {command, code->nodes[command].parent};

	*ret = (struct code_value){.kind = VALUE_NONE};
	for (size_t i = 0; i < ARRAY_COUNT(places); i++)
		for (uint32_t child = code_named(code, places[i]); child != CODE_NONE;
		     child = code_next_named(code, child))
			if (code_kind(code, child) == KIND_REDIRECT &&
			    is_input(code, child, ret))
				return true;
	return false;
}

/* trap runs its first word. */
static bool trap_runs(struct code *code, uint32_t node, struct code_value *ret)
{
	uint32_t word = code_field(code, node, FIELD_ARGUMENT);

	*ret = *code_fold(code, word);
	return code_is_text(ret);
}

static bool command_runs(struct code *code, uint32_t node, enum code_language *ret_language,
			 struct code_value *ret)
{
	const struct code_names *names = code_names_of(code, node);

	if (code_names_match(code, names, "eval")) {
		*ret_language = CODE_BASH;
		return eval_runs(code, node, ret);
	}
	if (code_names_match(code, names, "trap")) {
		*ret_language = CODE_BASH;
		return trap_runs(code, node, ret);
	}
	for (uint32_t i = 0; i < names->count; i++) {
		const char *name = code_string(code, names->ids[i]);
		const struct interpreter *interpreter = find_interpreter(name, strlen(name));

		if (interpreter == NULL)
			continue;
		*ret_language = interpreter->runs;
		return runs_words(code, code_named(code, node), interpreter, ret_language,
				  ret) ||
		       reads_text(code, node, ret);
	}
	return false;
}

bool code_runs_text(struct code *code, uint32_t node, enum code_language *ret_language,
		    struct code_value *ret)
{
	enum code_kind kind = code_kind(code, node);

	if (kind == KIND_COMMAND)
		return command_runs(code, node, ret_language, ret);
	if (kind == KIND_CALL || kind == KIND_NEW)
		return call_runs(code, node, ret_language, ret);
	return false;
}
