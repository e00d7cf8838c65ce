/*
 * tests/bench/code.c - examines sources by the installed rules and the built-in policies, again
 * and again. Prints a JSON object: "load" -> nanoseconds until all rules can be asked, then
 * file -> nanoseconds of one examination, both of processor time and in the best round: on a
 * shared machine the rest is noise. "parse:" before a file is the bare parser in the same
 * rounds, "woken:" its median when it sleeps in between, as what waits for requests does. The
 * language is by the end of the name.
 *
 *   code SHARE FILE...       SHARE is a build's share/casemate
 *   code --findings SHARE    examines each file named on stdin, once and without a limit of
 *                            time, and prints what is found, so that two builds can be compared
 */
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/bench/sort_us.h"
#include "validator/catalog.h"
#include "validator/code/policy_files.h"
#include "validator/code/rules.h"
#include "validator/json_guard.h"
#include "validator/policy.h"

#define ROUNDS	   31
#define ROUND_NS   5000000.0 /* one round takes about 5 ms */
#define LOAD_TURNS 5

#define WOKEN_TURNS    201
#define WOKEN_PAUSE_NS 1000000

static struct catalog catalog;
static struct code_findings findings;

static double now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void give_up(const char *what, const char *why)
{
	(void)fprintf(stderr, "code: %s: %s\n", what, why);
	exit(2);
}

static int open_below(int folder, const char *name)
{
	int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		give_up(name, "no such folder");
	return fd;
}

/* --- what the service loads -------------------------------------------------------------- */

static void load_rules(int share, struct code_rules *rules)
{
	own_fd folder = open_below(share, "rules");
	struct err err = {0};
	int status = code_rules_load(rules, catalog.schemas[CATALOG_RULES], folder, &err);

	for (unsigned i = 0; i < CODE_LANGUAGES && status == 0; i++)
		status = code_rules_finish(rules, (enum code_language)i, &err);
	if (status < 0)
		give_up("rules", err.text);
}

static const struct policy *load_policy(int share)
{
	static struct policy_set *policies;
	static struct faults faults;
	own_fd folder = open_below(share, "policies");
	own_json *documents = json_object();
	struct err err = {0};

	if (policy_files_load(folder, catalog.schemas[CATALOG_POLICY], documents, &err) < 0)
		give_up("policies", err.text);
	if (policy_set_new(documents, &policies, &faults) < 0)
		give_up("policies", faults.list[0].detail);
	return policy_find(policies, "standard");
}

static double load_ns(int share)
{
	static struct code_rules rules;
	double best = 0;

	for (int i = 0; i < LOAD_TURNS; i++) {
		double start = now_ns();
		double took;

		load_rules(share, &rules);
		took = now_ns() - start;
		best = i == 0 || took < best ? took : best;
		code_rules_done(&rules);
	}
	return best;
}

/* --- sources ----------------------------------------------------------------------------- */

struct source {
	enum code_language language;
	struct buf text;
};

static bool read_source(const char *path, struct source *source)
{
	own_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	const char *end = strrchr(path, '.');

	source->language = CODE_PYTHON;
	if (end != NULL &&
	    (strcmp(end, ".js") == 0 || strcmp(end, ".mjs") == 0 || strcmp(end, ".cjs") == 0))
		source->language = CODE_JAVASCRIPT;
	else if (end != NULL && (strcmp(end, ".sh") == 0 || strcmp(end, ".bash") == 0))
		source->language = CODE_BASH;
	buf_init(&source->text, 64u << 20);
	return fd >= 0 && buf_read(&source->text, fd) == 0;
}

static void examine(const struct code_rules *rules, const struct policy *policy,
		    const struct source *source)
{
	struct err err = {0};

	if (code_examine(rules, policy, source->language,
			 source->text.data != NULL ? source->text.data : "",
			 source->text.length, UINT32_MAX, &findings, &err) < 0)
		give_up("code_examine", err.text);
}

/* What one turn does. `parser` has the language: the floor is a parser that is kept. */
struct work {
	const struct code_rules *rules;
	const struct policy *policy;
	const struct source *source;
	TSParser *parser;
};

static void turn_examine(const struct work *work)
{
	examine(work->rules, work->policy, work->source);
	code_findings_done(&findings);
}

static void turn_parse(const struct work *work)
{
	TSTree *tree = ts_parser_parse_string(work->parser, NULL, work->source->text.data,
					      (uint32_t)work->source->text.length);

	if (tree == NULL)
		give_up("ts_parser_parse_string", "no tree");
	ts_tree_delete(tree);
}

static double round_ns(void (*turn)(const struct work *), const struct work *work,
		       unsigned long turns)
{
	double start = now_ns();

	for (unsigned long i = 0; i < turns; i++)
		turn(work);
	return (now_ns() - start) / (double)turns;
}

/* The best round of each of the two, which take turns. */
static void best_ns(const struct work *work, double *ret_examine, double *ret_parse)
{
	double once = round_ns(turn_examine, work, 3);
	unsigned long turns = once < ROUND_NS ? (unsigned long)(ROUND_NS / once) + 1 : 1;

	*ret_examine = *ret_parse = 0;
	for (size_t i = 0; i < ROUNDS; i++) {
		double examined = round_ns(turn_examine, work, turns);
		double parsed = round_ns(turn_parse, work, turns);

		*ret_examine = i == 0 || examined < *ret_examine ? examined : *ret_examine;
		*ret_parse = i == 0 || parsed < *ret_parse ? parsed : *ret_parse;
	}
}

/* The caches, and on a shared machine the clock, are others' meanwhile. */
static double woken_ns(const struct work *work)
{
	static uint64_t took[WOKEN_TURNS];
	struct timespec pause = {.tv_nsec = WOKEN_PAUSE_NS};

	for (size_t i = 0; i < WOKEN_TURNS; i++) {
		(void)nanosleep(&pause, NULL);
		took[i] = (uint64_t)round_ns(turn_parse, work, 1);
	}
	sort_us(took, WOKEN_TURNS);
	return (double)took[WOKEN_TURNS / 2];
}

static void print_findings(const char *path)
{
	for (size_t i = 0; i < findings.count; i++) {
		const struct code_finding *one = &findings.list[i];

		(void)printf("%s:%u:%u-%u:%u %d %d %s %s\n", path, one->line, one->column,
			     one->end_line, one->end_column, one->severity, one->is_rejecting,
			     one->rule, one->message);
	}
	if (findings.has_more)
		(void)printf("%s: more\n", path);
}

static void tell_all(const struct code_rules *rules, const struct policy *policy)
{
	char path[4096];

	while (fgets(path, sizeof(path), stdin) != NULL) {
		struct source source = {.language = CODE_PYTHON};

		path[strcspn(path, "\n")] = '\0';
		if (read_source(path, &source)) {
			examine(rules, policy, &source);
			print_findings(path);
			code_findings_done(&findings);
		}
		buf_done(&source.text);
	}
}

static void measure(const char *path, const struct code_rules *rules,
		    const struct policy *policy)
{
	struct source source = {.language = CODE_PYTHON};
	struct work work = {rules, policy, &source, ts_parser_new()};
	double examined;
	double parsed;

	if (!read_source(path, &source) || source.text.data == NULL)
		give_up(path, "cannot be read");
	if (!ts_parser_set_language(work.parser, code_grammar(source.language)))
		give_up(path, "no grammar");
	best_ns(&work, &examined, &parsed);
	(void)printf(", \"%s\": %.0f, \"parse:%s\": %.0f, \"woken:%s\": %.0f", path, examined,
		     path, parsed, path, woken_ns(&work));
	ts_parser_delete(work.parser);
	buf_done(&source.text);
}

int main(int argc, char **argv)
{
	static struct code_rules rules;
	bool wants_findings = argc == 3 && strcmp(argv[1], "--findings") == 0;
	const struct policy *policy;
	struct err err = {0};
	int share;
	own_fd schemas = -1;

	if (argc < 3)
		give_up("usage", "code [--findings] SHARE FILE...");
	share = open_below(AT_FDCWD, argv[wants_findings ? 2 : 1]);
	schemas = open_below(share, "schema");
	if (catalog_load(&catalog, schemas, &err) < 0)
		give_up("schemas", err.text);
	load_rules(share, &rules);
	policy = load_policy(share);
	if (wants_findings) {
		tell_all(&rules, policy);
		return 0;
	}
	(void)printf("{\"load\": %.0f", load_ns(share));
	for (int i = 2; i < argc; i++)
		measure(argv[i], &rules, policy);
	(void)printf("}\n");
	return 0;
}
