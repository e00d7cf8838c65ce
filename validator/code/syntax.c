/* What the grammar says of a source that does not fit it. */
#include "validator/code/syntax.h"

#include <string.h>

#define HINT_SYNTAX                                                                 \
	"Look for an open bracket, quote or block at or before this place. If the " \
	"interpreter takes it, it runs all the same."

/* Deeper than anybody nests brackets by hand; what is deeper has no special message. */
#define BRACKETS_MAX 64

/* The root is wrong as a whole when nothing fits; a node in it says more. */
static uint32_t first_wrong(const struct code *code)
{
	for (uint32_t i = 1; i < code->count; i++)
		if (code->nodes[i].is_wrong)
			return i;
	return code->nodes[0].is_wrong ? 0 : CODE_NONE;
}

/* A token of one character of `set`. */
static bool is_one_of(const struct code *code, uint32_t node, const char *set)
{
	return code->nodes[node].after == node + 1 && code_length(code, node) == 1 &&
	       strchr(set, code_text(code, node)[0]) != NULL;
}

/* A quote that belongs to a text has that text above it. */
static bool begins_text(const struct code *code, uint32_t node)
{
	uint32_t parent = code->nodes[node].parent;

	if (parent == CODE_NONE || code->nodes[parent].symbol != CODE_SYMBOL_ERROR)
		return false;
	return code_kind(code, node) == KIND_STRING_START || is_one_of(code, node, "\"'`");
}

/* What is open at the end of a stretch that does not fit: the first text without an end, else
 * the last bracket that nothing closes. */
static uint32_t find_open(const struct code *code, uint32_t wrong)
{
	uint32_t open[BRACKETS_MAX];
	uint32_t depth = 0;

	for (uint32_t i = wrong + 1; i < code->nodes[wrong].after; i++) {
		if (begins_text(code, i))
			return i;
		/* A shell's case has brackets that nothing opens. */
		if (code->language == CODE_BASH || code->nodes[i].is_named)
			continue;
		if (is_one_of(code, i, "([{")) {
			if (depth == BRACKETS_MAX)
				return CODE_NONE;
			open[depth++] = i;
		} else if (is_one_of(code, i, ")]}") && depth > 0)
			depth--;
	}
	return depth > 0 ? open[depth - 1] : CODE_NONE;
}

static struct code_finding *add(struct code_findings *findings, const struct code *code,
				uint32_t node)
{
	return code_findings_add(findings, "syntax-error", SEVERITY_LOW, "CWE-1286",
				 HINT_SYNTAX, code->nodes[node].start, code->nodes[node].end);
}

/* The grammar went on as if this token were there. */
static void tell_missing(const struct code *code, uint32_t node, struct code_findings *findings)
{
	const char *name =
		ts_language_symbol_name(code_grammar(code->language), code->nodes[node].symbol);
	struct code_finding *finding = add(findings, code, node);

	/* Names with an underscore are the grammar's own, such as the end of a line. */
	if (name == NULL || name[0] == '_')
		code_finding_say(finding, "something is missing here");
	else if (code->nodes[node].is_named)
		code_finding_say(finding, "a part is missing here (%s)", name);
	else
		code_finding_say(finding, "`%s` is missing here", name);
}

static void tell_open(const struct code *code, uint32_t node, struct code_findings *findings)
{
	struct code_finding *finding = add(findings, code, node);

	if (begins_text(code, node))
		code_finding_say(finding, "the text that begins here has no end");
	else
		code_finding_say(finding, "the `%c` here is never closed",
				 code_text(code, node)[0]);
}

void code_examine_syntax(const struct code *code, struct code_findings *findings)
{
	uint32_t wrong = first_wrong(code);
	uint32_t open;

	if (wrong == CODE_NONE)
		return;
	if (code->nodes[wrong].symbol != CODE_SYMBOL_ERROR) {
		tell_missing(code, wrong, findings);
		return;
	}
	open = find_open(code, wrong);
	if (open != CODE_NONE)
		tell_open(code, open, findings);
	else
		code_finding_say(add(findings, code, wrong),
				 "this does not fit the language's syntax");
}
