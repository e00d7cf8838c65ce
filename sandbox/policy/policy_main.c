/*
 * sandbox/policy/policy_main.c - casemate-policy: prints what a job may ask of the kernel, from
 * the very tables that the warden compiles, or an installed policy for code.
 *
 * Reads no input. `--markdown` is docs/SECCOMP.md; `make check` compares the two.
 */
#include <stdio.h>
#include <string.h>

#include "base/jsonw.h"
#include "sandbox/layers/seccomp_rules.h"
#include "sandbox/policy/conditions.h"
#include "sandbox/policy/installed.h"
#include "schema/events.h"

#define TABLE_BYTES_MAX (1024 * 1024)
#define EXIT_USAGE	2

struct options {
	bool has_list;
	enum seccomp_list list;
	const char *policy; /* a policy for code; NULL: the system calls */
	bool is_json;
	bool is_markdown;
};

static const char *const actions[] = {
	[SECCOMP_PASS] = "allow",	   [SECCOMP_DENY] = "EPERM, told",
	[SECCOMP_OBSERVE] = "allow, told", [SECCOMP_PRETEND] = "0, no call",
	[SECCOMP_ABSENT] = "ENOSYS",
};

static void put_conditions(struct buf *out, const struct seccomp_rule *rule)
{
	char text[256];

	conditions_text(rule->conds_text, text, sizeof(text));
	buf_add_str(out, text);
}

static const char *severity(const struct seccomp_rule *rule)
{
	return event_severity_name(rule->is_mild ? SEVERITY_INFO
						 : event_kind_severity(rule->kind));
}

static bool is_told(const struct seccomp_rule *rule)
{
	return rule->verdict == SECCOMP_DENY || rule->verdict == SECCOMP_OBSERVE;
}

static bool is_of_base(const struct seccomp_rules *base, const struct seccomp_rule *rule)
{
	for (size_t i = 0; i < base->count; i++)
		if (base->list[i] == rule)
			return true;
	return false;
}

/* What a list builds on; nothing for base itself and for the init's. */
static void base_of(enum seccomp_list list, struct seccomp_rules *ret)
{
	ret->count = 0;
	if (list != SECCOMP_LIST_WORKER && list != SECCOMP_LIST_INIT)
		seccomp_rules(SECCOMP_LIST_WORKER, ret);
}

/* --- for people -------------------------------------------------------------------------- */

static void table_list(struct buf *out, enum seccomp_list list, bool is_whole)
{
	struct seccomp_rules rules, base;

	seccomp_rules(list, &rules);
	base_of(list, &base);
	buf_printf(out, "list %s: %s\n\n%-24s %-12s %-52s %s\n", seccomp_list_name(list),
		   seccomp_list_purpose(list), "CALL", "ACTION", "CONDITION", "REASON");
	for (size_t i = 0; i < rules.count; i++) {
		const struct seccomp_rule *rule = rules.list[i];
		char text[256];

		if (!is_whole && is_of_base(&base, rule))
			continue;
		conditions_text(rule->conds_text, text, sizeof(text));
		buf_printf(out, "%-24s %-12s %-52s %s\n", rule->name, actions[rule->verdict],
			   text, rule->why);
	}
	buf_printf(out, "%-24s %-12s %-52s %s\n\n", "every other number",
		   list == SECCOMP_LIST_INIT ? "kill" : "ENOSYS", "",
		   list == SECCOMP_LIST_INIT ? "the init makes no other call"
					     : "libraries take their fallback");
}

/* --- for machines ------------------------------------------------------------------------ */

static void json_rule(struct jsonw *json, const struct seccomp_rule *rule)
{
	char text[256];

	conditions_text(rule->conds_text, text, sizeof(text));
	jsonw_object_open(json);
	jsonw_key_str(json, "syscall", rule->name);
	jsonw_key_u64(json, "number", (uint64_t)rule->number);
	jsonw_key_str(json, "action",
		      rule->verdict == SECCOMP_DENY	 ? "deny"
		      : rule->verdict == SECCOMP_ABSENT	 ? "absent"
		      : rule->verdict == SECCOMP_PRETEND ? "pretend"
							 : "allow");
	jsonw_key(json, "errno");
	if (rule->verdict == SECCOMP_DENY)
		jsonw_str(json, "EPERM");
	else if (rule->verdict == SECCOMP_ABSENT)
		jsonw_str(json, "ENOSYS");
	else
		jsonw_null(json);
	jsonw_key(json, "event");
	if (is_told(rule))
		jsonw_str(json, event_kind_name(rule->kind));
	else
		jsonw_null(json);
	jsonw_key(json, "severity");
	if (is_told(rule))
		jsonw_str(json, severity(rule));
	else
		jsonw_null(json);
	jsonw_key_str(json, "condition", text);
	jsonw_key_str(json, "reason", rule->why);
	jsonw_object_close(json);
}

static void json_list(struct jsonw *json, enum seccomp_list list)
{
	struct seccomp_rules rules;

	seccomp_rules(list, &rules);
	jsonw_object_open(json);
	jsonw_key_str(json, "name", seccomp_list_name(list));
	jsonw_key_str(json, "purpose", seccomp_list_purpose(list));
	jsonw_key_str(json, "default", list == SECCOMP_LIST_INIT ? "kill" : "ENOSYS");
	jsonw_key_str(json, "foreign_architectures", "kill");
	jsonw_key(json, "rules");
	jsonw_array_open(json);
	for (size_t i = 0; i < rules.count; i++)
		json_rule(json, rules.list[i]);
	jsonw_array_close(json);
	jsonw_object_close(json);
}

/* --- for docs/SECCOMP.md ----------------------------------------------------------------- */

static void markdown_rule(struct buf *out, const struct seccomp_rule *rule)
{
	buf_printf(out, "| `%s` | ", rule->name);
	if (rule->cond_count > 0) {
		buf_add_char(out, '`');
		put_conditions(out, rule);
		buf_add_char(out, '`');
	}
	buf_printf(out, " | %s | %s |", rule->why, actions[rule->verdict]);
	if (is_told(rule))
		buf_printf(out, " `%s`, %s", event_kind_name(rule->kind), severity(rule));
	buf_add_str(out, " |\n");
}

static void markdown_list(struct buf *out, enum seccomp_list list)
{
	struct seccomp_rules rules, base;
	size_t own = 0;

	seccomp_rules(list, &rules);
	base_of(list, &base);
	buf_printf(out, "\n## %s\n\nFor %s.\n\n", seccomp_list_name(list),
		   seccomp_list_purpose(list));
	for (size_t i = 0; i < rules.count; i++)
		own += !is_of_base(&base, rules.list[i]);
	if (own == 0) {
		buf_add_str(out, "Nothing beyond base.\n");
		return;
	}
	buf_add_str(out, "| call | condition | reason | action | event |\n"
			 "|---|---|---|---|---|\n");
	for (size_t i = 0; i < rules.count; i++)
		if (!is_of_base(&base, rules.list[i]))
			markdown_rule(out, rules.list[i]);
}

static const char markdown_head[] =
	"# What a job may ask of the kernel\n\n"
	"Made by `casemate policy show --seccomp --markdown` from the tables that the warden\n"
	"compiles (`sandbox/seccomp/*.def`); `make check` fails when this page differs from "
	"them.\n"
	"`casemate policy show --seccomp` prints the same on a terminal, `--json` for "
	"programs.\n\n"
	"A call is judged by the first of these that fits:\n\n"
	"- made by another architecture's convention (i386, x32): the process dies;\n"
	"- a line below: *allow*; *EPERM, told*: refused, and the answer of the execution has "
	"an\n"
	"  event of the kind and severity named; *allow, told*: passes as without the line, "
	"after\n"
	"  the warden has noted it; *ENOSYS*: as if the kernel did not have it;\n"
	"- anything else, arguments that no line names and numbers newer than this list: "
	"ENOSYS.\n\n"
	"Two numbers are beyond any filter on newer kernels: 335 (uretprobe) and 336 (uprobe), "
	"the\n"
	"trampolines of probes. Outside of a probe, which only the host's root can set, they "
	"do\n"
	"nothing but fail or end the caller.\n\n"
	"`arg0` is the first argument. Conditions on one line must all hold; several lines of "
	"one\n"
	"call mean \"or\".\n";

/* --- options ----------------------------------------------------------------------------- */

static int usage(FILE *stream, int code)
{
	(void)fprintf(stream,
		      "usage: casemate policy show NAME\n"
		      "       casemate policy show --seccomp [--list NAME] "
		      "[--json | --markdown]\n\n"
		      "Prints an installed policy for code (open, standard, strict): for whom "
		      "it is\nand what it denies. With --seccomp the system calls a job may "
		      "make, each with\nits condition, reason and what happens.\n\n"
		      "  --list NAME  one list instead of all:");
	for (unsigned i = 0; i < SECCOMP_LISTS; i++)
		(void)fprintf(stream, " %s", seccomp_list_name((enum seccomp_list)i));
	(void)fprintf(stream, "\n  --json       one JSON object\n"
			      "  --markdown   the page docs/SECCOMP.md\n"
			      "  --help       this text\n"
			      "  --version    the version\n");
	return code;
}

static bool take_list(struct options *options, const char *name)
{
	for (unsigned i = 0; i < SECCOMP_LISTS; i++)
		if (strcmp(name, seccomp_list_name((enum seccomp_list)i)) == 0) {
			options->list = (enum seccomp_list)i;
			options->has_list = true;
			return true;
		}
	(void)fprintf(stderr, "casemate-policy: no list is called '%s'\n", name);
	return false;
}

static bool take_options(int argc, char **argv, struct options *ret)
{
	bool is_seccomp = false;

	if (argc < 2 || strcmp(argv[1], "show") != 0)
		return false;
	if (argc == 3 && argv[2][0] != '-') {
		ret->policy = argv[2];
		return true;
	}
	for (int i = 2; i < argc; i++) {
		if (strcmp(argv[i], "--seccomp") == 0)
			is_seccomp = true;
		else if (strcmp(argv[i], "--json") == 0)
			ret->is_json = true;
		else if (strcmp(argv[i], "--markdown") == 0)
			ret->is_markdown = true;
		else if (strcmp(argv[i], "--list") != 0 || ++i == argc ||
			 !take_list(ret, argv[i]))
			return false;
	}
	return is_seccomp && !(ret->is_json && ret->is_markdown);
}

static void write_lists(const struct options *options, struct buf *out)
{
	struct jsonw json;

	jsonw_init(&json, out);
	if (options->is_json) {
		jsonw_object_open(&json);
		jsonw_key_str(&json, "version", CASEMATE_VERSION);
		jsonw_key(&json, "lists");
		jsonw_array_open(&json);
	} else if (options->is_markdown) {
		buf_add_str(out, markdown_head);
	}
	for (unsigned i = 0; i < SECCOMP_LISTS; i++) {
		if (options->has_list && options->list != (enum seccomp_list)i)
			continue;
		if (options->is_json)
			json_list(&json, (enum seccomp_list)i);
		else if (options->is_markdown)
			markdown_list(out, (enum seccomp_list)i);
		else
			table_list(out, (enum seccomp_list)i, options->has_list);
	}
	if (options->is_json) {
		jsonw_array_close(&json);
		jsonw_object_close(&json);
		buf_add_char(out, '\n');
	}
}

int main(int argc, char **argv)
{
	struct options options = {.is_json = false};
	struct err err = {0};
	own_buf out;

	buf_init(&out, TABLE_BYTES_MAX);
	if (argc == 2 && strcmp(argv[1], "--help") == 0)
		return usage(stdout, 0);
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		(void)printf("casemate-policy %s\n", CASEMATE_VERSION);
		return 0;
	}
	if (!take_options(argc, argv, &options))
		return usage(stderr, EXIT_USAGE);
	if (options.policy == NULL)
		write_lists(&options, &out);
	else if (installed_policy(options.policy, &out, &err) < 0) {
		(void)fprintf(stderr, "casemate: %s\n", err.text);
		return EXIT_USAGE;
	}
	if (buf_check(&out, NULL) < 0 ||
	    fwrite(out.data, 1, out.length, stdout) != out.length || fflush(stdout) != 0)
		return 1;
	return 0;
}
