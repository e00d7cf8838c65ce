/* What a pattern needs: never more than a text that matches has. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <criterion/criterion.h>
#include <glob.h>
#include <jansson.h>
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/validator/support.h"
#include "validator/code/needs.h"
#include "validator/code/pattern.h"
#include "validator/code/rules.h"

TestSuite(needs, .timeout = 60);

static bool might_match(const char *pattern, const char *text)
{
	struct needs needs;
	struct signs signs;

	needs_read(pattern, &needs);
	signs_of(text, strlen(text), &signs);
	return needs_met(&needs, &signs);
}

static bool does_match(const char *pattern, const char *text)
{
	int code;
	PCRE2_SIZE at;
	pcre2_code *compiled = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
					     PCRE2_DOTALL, &code, &at, NULL);
	pcre2_match_data *data = pcre2_match_data_create(1, NULL);
	int found;

	cr_assert(compiled != NULL && data != NULL, "%s", pattern);
	found = pcre2_match(compiled, (PCRE2_SPTR)text, strlen(text), 0, 0, data, NULL);
	pcre2_match_data_free(data);
	pcre2_code_free(compiled);
	return found >= 0;
}

struct pair {
	const char *pattern, *text;
};

/* Each is a way to think that something is needed which is not. */
static const struct pair matching[] = {
	{"abc", "xabcx"},
	{"ABC", "ABC"},
	{"(?i)abc", "ABC"},
	{"ab?c", "ac"},
	{"ab*c", "ac"},
	{"ab{0,3}c", "ac"},
	{"ab{0}c", "ac"},
	{"ab+?c", "abbc"},
	{"a{1|b}", "a{1"},
	{"a{1|b}", "b}"},
	{"x{,3}", "x{,3}"},
	{"(abc)?d", "d"},
	{"(abc|def)*d", "d"},
	{"(abc|)d", "d"},
	{"(abc|def)(ghi|jkl)", "defjkl"},
	{"((abc|x)y|z)w", "zw"},
	{"(?:abc|def)+g", "defg"},
	{"^abc|def$", "def"},
	{"[]abc]x", "]x"},
	{"[^]abc]x", "dx"},
	{"[a|b(]x", "(x"},
	{"[\\]a]x", "ax"},
	{"[\\c]]abc", "\x1d"
		      "abc"},
	{"[[:alpha:]]]x", "a]x"},
	{"a\\x62c", "abc"},
	{"\\Qa?b\\Ec", "a?bc"},
	{"(a)\\1", "aa"},
	{"(?x)a b c", "abc"},
	{"(?=abc)a", "abc"},
	{"a(?!bc)", "ad"},
	{"a(?#bc)d", "ad"},
	{"(?<n>abc)?d", "d"},
	{"a\\.b", "a.b"},
	{"a\\bb|c", "c"},
	{"a\\Kb", "ab"},
	{"\xc3\xa9t", "\xc3\xa9t"},
	{"", ""},
	{"a|", "x"},
	{"a\\db", "a1b"},
};

Test(needs, a_text_that_matches_meets_them)
{
	for (size_t i = 0; i < ARRAY_COUNT(matching); i++) {
		const struct pair *one = &matching[i];

		cr_expect(does_match(one->pattern, one->text), "%s: the test is wrong",
			  one->pattern);
		cr_expect(might_match(one->pattern, one->text), "%s %s", one->pattern,
			  one->text);
	}
}

static const struct pair different[] = {
	{"abc", "acb"},
	{"abc", "ab bc"}, /* has all the pairs: the one of which PCRE2 is asked */
	{"(?i)(^|[^a-z])(xmrig|minerd)", "training rate"},
	{"(^|/)\\.ssh(/|$)", "data/rows.csv"},
	{"^/etc/(cron|at)", "/var/tmp/etc"},
	{"\\w\\$\\{?IFS", "if x"},
	{"(abc)+d", "d"},
};

Test(needs, most_texts_that_do_not_match_do_not_meet_them)
{
	size_t told = 0;

	for (size_t i = 0; i < ARRAY_COUNT(different); i++)
		told += !might_match(different[i].pattern, different[i].text);
	cr_expect(told == ARRAY_COUNT(different) - 1, "%zu", told);
}

Test(needs, too_many_alternatives_need_nothing)
{
	char pattern[NEEDS_MAX * 8] = "";
	struct needs needs;

	for (size_t i = 0; i <= NEEDS_MAX; i++)
		(void)snprintf(pattern + strlen(pattern), sizeof(pattern) - strlen(pattern),
			       "%sx%zuy", i == 0 ? "" : "|", i);
	needs_read(pattern, &needs);
	cr_expect(needs.count == 0);
	*strrchr(pattern, '|') = '\0';
	needs_read(pattern, &needs);
	cr_expect(needs.count == NEEDS_MAX);
}

/* --- the rules that are installed -------------------------------------------------------- */

static size_t compare_examples(const char *pattern, json_t *examples)
{
	size_t matches = 0;
	size_t i;
	json_t *example;

	json_array_foreach(examples, i, example)
	{
		own_mem char *text = strdup(json_string_value(example));

		for (char *rest = text, *word = strsep(&rest, " \n'\",()"); word != NULL;
		     word = strsep(&rest, " \n'\",()")) {
			if (!does_match(pattern, word))
				continue;
			matches++;
			cr_expect(might_match(pattern, word), "%s %s", pattern, word);
		}
	}
	return matches;
}

static bool has_pattern(const struct predicate_text *predicate)
{
	static const char *const names[] = {"value", "argument", "has-word", "match"};

	for (size_t i = 0; i < ARRAY_COUNT(names); i++)
		if (strlen(names[i]) == predicate->name_length &&
		    memcmp(names[i], predicate->name, predicate->name_length) == 0)
			return true;
	return false;
}

static size_t compare_rule(json_t *entry)
{
	json_t *lines = json_object_get(entry, "query");
	own_buf text = {.data = NULL};
	struct pattern pattern;
	struct err err = {0};
	size_t matches = 0;
	size_t i;
	json_t *line;
	const char *at;

	buf_init(&text, RULE_FILE_BYTES_MAX);
	if (json_is_string(lines))
		buf_add_str(&text, json_string_value(lines));
	json_array_foreach(lines, i, line)
	{
		buf_add_str(&text, json_string_value(line));
		buf_add_char(&text, '\n');
	}
	for (at = text.data; pattern_read(&at, &pattern, &err) > 0; pattern_done(&pattern))
		for (size_t k = 0; k < pattern.predicate_count; k++) {
			const struct predicate_text *one = &pattern.predicates[k];

			if (has_pattern(one))
				matches += compare_examples(
					one->arguments[one->argument_count - 1],
					json_object_get(entry, "match"));
		}
	return matches;
}

Test(needs, words_of_the_rules_own_examples_meet_them)
{
	glob_t files;
	size_t matches = 0;

	cr_assert(glob("validator/code/rules/*/*.json", 0, NULL, &files) == 0);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		json_t *document = json_load_file(files.gl_pathv[i], 0, NULL);
		json_t *entry;
		size_t k;

		cr_assert(document != NULL, "%s", files.gl_pathv[i]);
		json_array_foreach(json_object_get(document, "rules"), k, entry) matches +=
			compare_rule(entry);
		json_decref(document);
	}
	globfree(&files);
	cr_expect(matches > 100, "%zu", matches);
}
