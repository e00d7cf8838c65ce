#include "validator/code/enforce.h"

#include <limits.h>
#include <string.h>

#include "validator/code/fold.h"
#include "validator/code/names.h"
#include "validator/code/syntax.h"

#define CWE_PROHIBITED "CWE-1177" /* use of prohibited code */

struct enforcing {
	const struct policy *policy;
	struct code *code;
	struct code_findings *findings;
};

/* --- one denial -------------------------------------------------------------------------- */

static void deny_with(const struct enforcing *work, enum policy_topic topic, const char *name,
		      uint32_t node, const char *advice)
{
	static const char *const rules[] = {
#define X(symbol, names, one) "policy-" one,
		POLICY_TOPIC_LIST(X)
#undef X
	};
	static const char *const words[] = {
#define X(symbol, names, one) one,
		POLICY_TOPIC_LIST(X)
#undef X
	};
	const struct code_node *place = &work->code->nodes[node];
	struct policy_denial denial;
	struct code_finding *finding;

	if (!policy_denies(work->policy, work->code->language, topic, name, &denial))
		return;
	finding = code_findings_add(work->findings, rules[topic], SEVERITY_HIGH, CWE_PROHIBITED,
				    denial.hint != NULL ? denial.hint : advice, place->start,
				    place->end);
	if (finding == NULL)
		return;
	finding->family = "policy";
	finding->is_rejecting = true;
	code_finding_say(finding, "the policy %s does not allow the %s `%.*s`",
			 policy_name(denial.policy), words[topic], RULE_TEXT_SHOWN, name);
}

static void deny(const struct enforcing *work, enum policy_topic topic, const char *name,
		 uint32_t node)
{
	deny_with(work, topic, name, node,
		  "Do it without this; what the policy does not name is allowed.");
}

static void deny_names(const struct enforcing *work, enum policy_topic topic,
		       const struct code_names *names, uint32_t node)
{
	for (uint32_t i = 0; i < names->count; i++) {
		const char *name = code_string(work->code, names->ids[i]);

		if (name[0] != '?' && strncmp(name, "local.", 6) != 0)
			deny(work, topic, name, node);
	}
}

static void deny_text(const struct enforcing *work, enum policy_topic topic, const char *text,
		      size_t length, uint32_t node)
{
	if (length > 0 && length <= NAME_BYTES_MAX)
		deny(work, topic,
		     code_string(work->code, code_intern(work->code, text, length)), node);
}

static void deny_value(const struct enforcing *work, enum policy_topic topic,
		       const struct code_value *value, uint32_t node)
{
	if (code_is_text(value))
		deny_text(work, topic, value->text, value->length, node);
}

static void deny_syntax(const struct enforcing *work, enum policy_syntax kind, uint32_t node)
{
	static const char *const names[] = {
#define X(symbol, name) name,
		POLICY_SYNTAX_LIST(X)
#undef X
	};
	static const char *const advice[] = {
		[POLICY_BACKGROUND] = "Run it in the foreground: leave the & out.",
		[POLICY_CODE_EVALUATION] =
			"Write the code itself instead of a text that is run.",
		[POLICY_DYNAMIC_IMPORT] = "Import the module by its name at the top.",
		[POLICY_ENDLESS_LOOP] = "Give the loop a condition, or a break of its own.",
		[POLICY_STAR_IMPORT] = "Name what you import.",
		[POLICY_WITH] = "Name the object before each of its members.",
	};

	deny_with(work, POLICY_SYNTAX, names[kind], node, advice[kind]);
}

/* --- modules ----------------------------------------------------------------------------- */

static void check_module(const struct enforcing *work, const struct code_value *value,
			 uint32_t node)
{
	struct code_names names = {.count = 0};

	names_add_module(work->code, &names, value);
	/* The first is the module itself; a package above it is imported by it. */
	names.count = names.count > 1 ? 1 : names.count;
	deny_names(work, POLICY_MODULES, &names, node);
}

/* import a.b as c, d */
static void check_import(const struct enforcing *work, uint32_t node)
{
	struct code *code = work->code;

	if (code->language == CODE_JAVASCRIPT) {
		check_module(work, code_fold(code, code_field(code, node, FIELD_SOURCE)), node);
		return;
	}
	for (uint32_t child = code_named(code, node); child != CODE_NONE;
	     child = code_next_named(code, child)) {
		uint32_t path = code_kind(code, child) == KIND_ALIASED_IMPORT
					? code_field(code, child, FIELD_NAME)
					: child;

		deny_text(work, POLICY_MODULES, code_text(code, path), code_length(code, path),
			  child);
	}
}

/* from a import b: a, and a.b, which may be a module or a function. */
static void check_import_from(const struct enforcing *work, uint32_t node)
{
	struct code *code = work->code;
	uint32_t module = code_field(code, node, FIELD_MODULE_NAME);

	if (module == CODE_NONE)
		return;
	deny_text(work, POLICY_MODULES, code_text(code, module), code_length(code, module),
		  module);
	for (uint32_t child = code_next_named(code, module); child != CODE_NONE;
	     child = code_next_named(code, child)) {
		uint32_t path = code_kind(code, child) == KIND_ALIASED_IMPORT
					? code_field(code, child, FIELD_NAME)
					: child;
		struct code_names joined = {.count = 0};

		if (code_kind(code, child) == KIND_WILDCARD) {
			deny_syntax(work, POLICY_STAR_IMPORT, node);
			continue;
		}
		names_join(code, &joined, code_identifier(code, module), code_text(code, path),
			   code_length(code, path));
		deny_names(work, POLICY_MODULES, &joined, child);
		deny_names(work, POLICY_FUNCTIONS, &joined, child);
	}
}

/* --- calls ------------------------------------------------------------------------------- */

static bool is_any(struct code *code, const struct code_names *names,
		   const char *const *patterns, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (code_names_match(code, names, patterns[i]))
			return true;
	return false;
}

static void check_call(const struct enforcing *work, uint32_t node)
{
	static const char *const importers[] = {"builtins.__import__",
						"importlib.import_module",
						"importlib.__import__",
						"require",
						"*.require",
						"import",
						"*.getBuiltinModule",
						"pydoc.locate"};
	static const char *const evaluators[] = {
		"builtins.eval", "builtins.exec", "builtins.compile",
		"eval",		 "Function",	  "*.constructor.constructor"};
	struct code *code = work->code;
	uint32_t function = code_field(code, node, FIELD_FUNCTION);
	const struct code_names *names = code_names_of(code, function);
	const struct code_value *first;

	deny_names(work, POLICY_FUNCTIONS, names, function == CODE_NONE ? node : function);
	if (is_any(code, names, evaluators, ARRAY_COUNT(evaluators)))
		deny_syntax(work, POLICY_CODE_EVALUATION, node);
	if (code_names_match(code, names, "builtins.getattr"))
		deny_value(work, POLICY_ATTRIBUTES,
			   code_fold(code, code_argument(code, node, 1)), node);
	if (!is_any(code, names, importers, ARRAY_COUNT(importers)))
		return;
	first = code_fold(code, code_argument(code, node, 0));
	check_module(work, first, node);
	/* require("x") is how modules are named; a name made at run time is not. */
	if (!code_is_text(first) || !code_names_match(code, names, "require"))
		deny_syntax(work, POLICY_DYNAMIC_IMPORT, node);
}

/* --- names ------------------------------------------------------------------------------- */

/* Where an identifier only names an argument, or what is defined, nothing is used. */
static bool is_used(const struct code *code, uint32_t node)
{
	uint32_t parent = code->nodes[node].parent;
	enum code_kind kind = code_kind(code, parent);
	uint8_t field = code->nodes[node].field;

	return !(kind == KIND_KEYWORD_ARGUMENT && field == FIELD_NAME) &&
	       !(kind == KIND_ATTRIBUTE && field == FIELD_MEMBER) &&
	       !(kind == KIND_ASSIGNMENT && field == FIELD_LEFT) && kind != KIND_DOTTED_NAME &&
	       kind != KIND_ALIASED_IMPORT && kind != KIND_IMPORT_SPECIFIER;
}

static void check_attribute(const struct enforcing *work, uint32_t node)
{
	struct code *code = work->code;
	uint32_t member = code_field(code, node, FIELD_MEMBER);
	uint32_t name = code_identifier(code, member);

	if (name != 0)
		deny(work, POLICY_ATTRIBUTES, code_string(code, name), member);
	deny_names(work, POLICY_FUNCTIONS, code_names_of(code, node), node);
}

static void check_subscript(const struct enforcing *work, uint32_t node)
{
	struct code *code = work->code;
	const struct code_value *key = code_fold(code, code_field(code, node, FIELD_INDEX));
	const struct code_names *owners =
		code_names_of(code, code_field(code, node, FIELD_VALUE));

	if (code->language == CODE_JAVASCRIPT)
		deny_value(work, POLICY_ATTRIBUTES, key, node);
	else if (code_names_match(code, owners, "sys.modules"))
		check_module(work, key, node);
	deny_names(work, POLICY_FUNCTIONS, code_names_of(code, node), node);
}

/* --- syntax ------------------------------------------------------------------------------ */

/* A loop of C's kind without a condition has none, or only its semicolon. */
static bool is_always(struct code *code, uint32_t loop)
{
	uint32_t condition = code_field(code, loop, FIELD_CONDITION);
	const struct code_value *value;

	if (condition == CODE_NONE || code_is(code, condition, ";"))
		return true;
	if (code->language == CODE_BASH)
		return code_is(code, code_child(code, loop), "until")
			       ? code_is(code, condition, "false")
			       : code_is(code, condition, "true") ||
					 code_is(code, condition, ":") ||
					 code_is(code, condition, "((1))");
	value = code_fold(code, condition);
	if (code_is_text(value))
		return value->length > 0;
	return (value->kind == VALUE_BOOL || value->kind == VALUE_NUMBER) && value->number != 0;
}

/* Whether it leaves `loop` and not one in it. A label or a number names an outer one. */
static bool breaks(struct code *code, uint32_t node, uint32_t loop)
{
	uint32_t at = node;

	if (code->language == CODE_BASH)
		at = code->nodes[node].parent;
	if (code_next_named(code, at) != CODE_NONE)
		return true;
	while (at != loop && at != CODE_NONE && code_go(code)) {
		at = code->nodes[at].parent;
		if (code_kind(code, at) == KIND_WHILE || code_kind(code, at) == KIND_FOR)
			return at == loop;
	}
	return false;
}

/* A word of the language, or in the shell a command: a text of the same letters is none. */
static bool is_word(const struct code *code, uint32_t node)
{
	if (code->nodes[node].after != node + 1)
		return false;
	if (code->language == CODE_BASH)
		return code_kind(code, code->nodes[node].parent) == KIND_COMMAND_NAME;
	return !code->nodes[node].is_named;
}

/* break, and what leaves the function that the loop is in; exit ends the program. */
static bool ends_loop(struct code *code, uint32_t node, uint32_t loop)
{
	static const char *const ends[] = {"return", "raise", "throw", "yield"};

	if (code_kind(code, node) == KIND_IDENTIFIER ||
	    code_kind(code, node) == KIND_MEMBER_NAME)
		return code_is(code, node, "exit");
	if (!is_word(code, node) || code->nodes[node].scope != code->nodes[loop].scope)
		return false;
	if (code_is(code, node, "break"))
		return breaks(code, node, loop);
	for (size_t i = 0; i < ARRAY_COUNT(ends); i++)
		if (code_is(code, node, ends[i]))
			return true;
	return code->language == CODE_BASH && code_is(code, node, "exit");
}

static void check_while(const struct enforcing *work, uint32_t node)
{
	struct code *code = work->code;

	if (!is_always(code, node))
		return;
	for (uint32_t inner = node + 1; inner < code->nodes[node].after && code_go(code);
	     inner++)
		if (ends_loop(code, inner, node))
			return;
	deny_syntax(work, POLICY_ENDLESS_LOOP, node);
}

static void check_with(const struct enforcing *work, uint32_t node)
{
	deny_syntax(work, POLICY_WITH, node);
}

/* A & that joins no two values puts what is before it into the background. */
static void check_token(const struct enforcing *work, uint32_t node)
{
	const struct code_node *token = &work->code->nodes[node];

	if (work->code->language == CODE_BASH && !token->is_named &&
	    token->field != FIELD_OPERATOR && code_is(work->code, node, "&"))
		deny_syntax(work, POLICY_BACKGROUND, node);
}

static void check_command(const struct enforcing *work, uint32_t node)
{
	const struct code_names *names = code_names_of(work->code, node);

	deny_names(work, POLICY_COMMANDS, names, node);
	if (code_names_match(work->code, names, "eval"))
		deny_syntax(work, POLICY_CODE_EVALUATION, node);
}

static void check_identifier(const struct enforcing *work, uint32_t node)
{
	if (work->code->language != CODE_BASH && is_used(work->code, node))
		deny_names(work, POLICY_FUNCTIONS, code_names_of(work->code, node), node);
}

static void (*const checks[KIND_MAX])(const struct enforcing *work, uint32_t node) = {
	[KIND_ATTRIBUTE] = check_attribute,
	[KIND_CALL] = check_call,
	[KIND_COMMAND] = check_command,
	[KIND_IDENTIFIER] = check_identifier,
	[KIND_IMPORT] = check_import,
	[KIND_IMPORT_FROM] = check_import_from,
	[KIND_NEW] = check_call,
	[KIND_OTHER] = check_token,
	[KIND_SUBSCRIPT] = check_subscript,
	[KIND_WHILE] = check_while,
	[KIND_WITH] = check_with,
};

static void enforce_nesting(const struct enforcing *work)
{
	const struct code *code = work->code;
	uint32_t most = policy_sizes(work->policy).nesting;
	uint32_t depth = 0;
	uint32_t at = 0;
	struct code_finding *finding;

	/* Depth changes by the parent only: up from the last node to the new one's parent. */
	for (uint32_t i = 1; i < code->count && depth <= most; i++) {
		while (at != code->nodes[i].parent && depth > 0) {
			at = code->nodes[at].parent;
			depth--;
		}
		at = i;
		depth++;
	}
	if (depth <= most)
		return;
	finding =
		code_findings_add(work->findings, "policy-size", SEVERITY_HIGH, CWE_PROHIBITED,
				  "Split it into steps with names of their own.",
				  code->nodes[at].start, code->nodes[at].end);
	if (finding != NULL) {
		finding->family = "policy";
		finding->is_rejecting = true;
	}
	code_finding_say(finding, "the policy does not allow nesting deeper than %u", most);
}

void code_enforce(const struct policy *policy, struct code *code,
		  struct code_findings *findings)
{
	const struct enforcing work = {policy, code, findings};

	enforce_nesting(&work);
	for (uint32_t i = 0; i < code->count && code_go(code); i++)
		if (checks[code_kind(code, i)] != NULL)
			checks[code_kind(code, i)](&work, i);
}

/* --- sizes ------------------------------------------------------------------------------- */

static void too_large(struct code_findings *findings, uint32_t at, const char *what,
		      uint32_t most)
{
	struct code_finding *finding =
		code_findings_add(findings, "policy-size", SEVERITY_HIGH, CWE_PROHIBITED,
				  "Split it, or move data into an input file.", at, at);

	if (finding != NULL) {
		finding->family = "policy";
		finding->is_rejecting = true;
	}
	code_finding_say(finding, "the policy does not allow more than %u %s", most, what);
}

void code_enforce_size(const struct policy *policy, const char *text, size_t length,
		       struct code_findings *findings)
{
	const struct policy_size sizes = policy_sizes(policy);
	uint32_t lines = 0;
	size_t start = 0;

	if (length > sizes.bytes)
		too_large(findings, 0, "bytes", sizes.bytes);
	while (start < length) {
		const char *end = memchr(text + start, '\n', length - start);
		size_t line = end != NULL ? (size_t)(end - text) - start : length - start;

		if (line > sizes.line_bytes)
			too_large(findings, (uint32_t)start, "bytes in a line",
				  sizes.line_bytes);
		if (++lines == sizes.lines && end != NULL && start + line + 1 < length)
			too_large(findings, (uint32_t)(start + line + 1), "lines", sizes.lines);
		start += line + 1;
	}
}

/* --- the verdict ------------------------------------------------------------------------- */

/* A policy has one severity below and one above those of findings. */
_Static_assert(SEVERITY_INFO + (int)POLICY_INFO == (int)POLICY_INFO, "severities");
_Static_assert(SEVERITY_HIGH + (int)POLICY_INFO == (int)POLICY_HIGH, "severities");

static enum policy_severity own_severity(const struct code_finding *finding)
{
	return (enum policy_severity)(finding->severity + POLICY_INFO);
}

static bool is_unparseable(const struct policy *policy, const struct code_finding *finding)
{
	return strcmp(finding->rule, "syntax-error") == 0 && policy_refuses_unparseable(policy);
}

static bool rejects(const struct policy *policy, const struct code_finding *finding)
{
	return finding->is_rejecting ||
	       policy_rejects(policy, finding->rule, own_severity(finding)) ||
	       is_unparseable(policy, finding);
}

unsigned code_weight(const struct policy *policy, const struct code_finding *finding)
{
	if (policy == NULL)
		return finding->severity;
	if (rejects(policy, finding))
		return UINT_MAX;
	return policy_severity(policy, finding->rule, own_severity(finding));
}

/* False: the policy does not want to hear of it. */
static bool decide(const struct policy *policy, struct code_finding *finding)
{
	enum policy_severity severity;

	if (finding->is_rejecting)
		return true;
	severity = policy_severity(policy, finding->rule, own_severity(finding));
	finding->is_rejecting = rejects(policy, finding);
	if (is_unparseable(policy, finding))
		finding->hint = HINT_SYNTAX_REFUSED;
	if (severity == POLICY_OFF)
		return finding->is_rejecting;
	finding->severity = (enum event_severity)(severity - POLICY_INFO);
	return true;
}

void code_decide(const struct policy *policy, struct code_findings *findings)
{
	size_t kept = 0;

	for (size_t i = 0; i < findings->count; i++) {
		struct code_finding *finding = &findings->list[i];

		if (decide(policy, finding))
			findings->list[kept++] = *finding;
		else
			free(finding->message);
	}
	findings->count = kept;
}
