#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "sandbox/runtimes/launch/plan.h"

TestSuite(plan, .timeout = 10);

#define END  "\x1e"
#define RUN  "argv /bin/a" END "argv {code}" END
#define ASK  "version /bin/a" END
#define GOOD RUN ASK "code main.a" END

static struct plan plan;
static struct err err;

static int parse(const char *text)
{
	static char copy[4096];

	(void)snprintf(copy, sizeof(copy), "%s", text);
	err = (struct err){0};
	return plan_parse(copy, &plan, &err);
}

Test(plan, records_become_words)
{
	cr_assert(eq(int, parse(GOOD "env A=b c=d" END "argv two words\nand lines" END), 0));

	cr_assert(eq(sz, plan.run.count, 3));
	cr_assert(eq(str, (char *)(uintptr_t)plan.run.words[2], "two words\nand lines"));
	cr_assert(eq(ptr, (void *)(uintptr_t)plan.run.words[3], NULL));
	cr_assert(eq(str, (char *)(uintptr_t)plan.variables[0], "A=b c=d"));
	cr_assert(eq(str, (char *)(uintptr_t)plan.code, "main.a"));
	cr_assert_not(plan.is_ahead);
}

Test(plan, what_is_incomplete_or_unknown_is_refused)
{
	static const char *const bad[] = {
		"",
		GOOD "env A",
		GOOD "argv",
		GOOD "wish 1" END,
		GOOD "env =b" END,
		GOOD "env A" END,
		GOOD "ahead 1" END,
		GOOD "startup " END,
		GOOD "startup A=b" END,
		RUN ASK "startup BASH_ENV" END,
		GOOD "startup BASH_ENV" END "compile /bin/c" END "compile_wall_ms 1" END
		     "compile_cpu_ms 1" END,
		RUN ASK,
		RUN "code main.a" END,
		ASK "code main.a" END,
		RUN ASK "code a/b" END,
		RUN ASK "code .." END,
		RUN "version a" END "code main.a" END,
		GOOD "compile /bin/c" END,
		GOOD "compile c" END "compile_wall_ms 1" END "compile_cpu_ms 1" END,
		GOOD "compile_wall_ms 0" END,
		GOOD "compile_wall_ms 1x" END,
		GOOD "compile_wall_ms 99999999999999999999" END,
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		cr_assert(lt(int, parse(bad[i]), 0), "%s", bad[i]);
		cr_assert(ne(int, err.text[0], 0), "%s", bad[i]);
	}
}

Test(plan, too_many_words_are_refused)
{
	char text[4096] = ASK "code a" END;

	for (int i = 0; i <= PLAN_WORDS_MAX; i++)
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "argv /a" END);

	cr_assert(lt(int, parse(text), 0));
}

Test(plan, a_shell_ahead_has_a_file_and_a_variable)
{
	cr_assert(eq(int, parse(GOOD "startup BASH_ENV" END), 0));
	cr_assert_not(plan.is_ahead);
	cr_assert(eq(str, (char *)(uintptr_t)plan.startup, "BASH_ENV"));
	cr_assert(eq(str, (char *)(uintptr_t)plan.code, "main.a"));
}

Test(plan, a_program_ahead_has_no_file)
{
	cr_assert(eq(int, parse(RUN ASK "ahead 1" END), 0));
	cr_assert(plan.is_ahead);
	cr_assert(eq(ptr, (void *)(uintptr_t)plan.code, NULL));
}
