#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "sandbox/runtimes/launch/version.h"
#include "sandbox/runtimes/launch/words.h"

TestSuite(words, .timeout = 10);

static const struct words_paths paths = {
	.code = "/tmp/main.a", .workspace = "/workspace", .tmp = "/tmp"};

static char *word(char **argv, size_t index)
{
	return argv[index];
}

Test(words, paths_and_arguments_take_their_places)
{
	const struct plan_command command = {
		.words = {"/bin/a", "-x{code}:{workspace}", "{args}", "{tmp}/b", "{none}", "{"},
		.count = 6};
	/* As in the launcher they live as long as the process, and are found there. */
	static struct words words;
	static char **argv;

	cr_assert(eq(int, words_add_argument(&words, "one|", 3, NULL), 0));
	cr_assert(eq(int, words_add_argument(&words, "{code}", 6, NULL), 0));
	cr_assert(eq(int, words_command(&command, &words, &paths, &argv, NULL), 0));

	cr_assert(eq(str, word(argv, 1), "-x/tmp/main.a:/workspace"));
	cr_assert(eq(str, word(argv, 2), "one"));
	/* A caller's text is no template. */
	cr_assert(eq(str, word(argv, 3), "{code}"));
	cr_assert(eq(str, word(argv, 4), "/tmp/b"));
	cr_assert(eq(str, word(argv, 5), "{none}"));
	cr_assert(eq(str, word(argv, 6), "{"));
	cr_assert(eq(ptr, word(argv, 7), NULL));
}

Test(words, the_last_value_of_a_variable_counts)
{
	static struct words words;

	cr_assert(eq(int, words_add_variable(&words, "AB", 2, "1", 1, NULL), 0));
	cr_assert(eq(int, words_add_variable(&words, "A", 1, "2", 1, NULL), 0));
	cr_assert(eq(int, words_add_variable(&words, "AB", 2, "34|", 2, NULL), 0));

	cr_assert(eq(sz, words.variable_count, 2));
	cr_assert(eq(str, words.variables[0], "AB=34"));
	cr_assert(eq(str, (char *)(uintptr_t)words_variable(&words, "A"), "2"));
	cr_assert(eq(ptr, (void *)(uintptr_t)words_variable(&words, "B"), NULL));
}

Test(words, too_many_are_refused)
{
	static struct words words;
	char name[16];

	for (int i = 0; i < WORDS_VARIABLES_MAX; i++) {
		int length = snprintf(name, sizeof(name), "N%d", i);

		cr_assert(eq(int, words_add_variable(&words, name, (size_t)length, "", 0, NULL),
			     0));
	}
	for (int i = 0; i < LIMIT_ARGS; i++)
		cr_assert(eq(int, words_add_argument(&words, "", 0, NULL), 0));

	cr_assert(lt(int, words_add_variable(&words, "X", 1, "", 0, NULL), 0));
	cr_assert(eq(int, words_add_variable(&words, "N1", 2, "b", 1, NULL), 0));
	cr_assert(lt(int, words_add_argument(&words, "", 0, NULL), 0));
}

static const struct {
	const char *text, *version;
} said[] = {
	{"GNU bash, version 5.2.15(1)-release (x86_64-pc-linux-gnu)", "5.2.15"},
	{"v20.20.2\n", "20.20.2"},
	{"gcc (Debian 12.2.0-14) 12.2.0", "12.2.0"},
	{"built 2024 as 1.2.", "1.2"},
	{"mawk 1.3.4 20200120", "1.3.4"},
};

Test(words, a_version_is_the_first_number_with_dots)
{
	char version[64];

	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
		cr_assert(
			eq(int, version_find(said[i].text, version, sizeof(version), NULL), 0));
		cr_assert(eq(str, version, (char *)(uintptr_t)said[i].version));
	}
	cr_assert(lt(int, version_find("", version, sizeof(version), NULL), 0));
	cr_assert(lt(int, version_find("release 7", version, sizeof(version), NULL), 0));
}
