#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/redirect.h>
#include <stdio.h>

#include "base/own.h"
#include "server/exec/answer.h"

TestSuite(answer, .timeout = 10);

static const struct {
	const char *document;
	int exit_code;
} ends[] = {
	{"{\"status\":\"succeeded\",\"exit_code\":0,\"signal\":null}", 0},
	{"{\"status\":\"failed\",\"exit_code\":3,\"signal\":null}", 3},
	{"{\"status\":\"killed\",\"exit_code\":null,\"signal\":9}", 137},
	{"{\"status\":\"timed_out\",\"exit_code\":null,\"signal\":9}", EXIT_TIMED_OUT},
	{"{\"status\":\"memory_exceeded\",\"exit_code\":null,\"signal\":9}", 137},
	{"{\"status\":\"internal_error\",\"exit_code\":null,\"signal\":null}", EXIT_SERVICE},
	{"{\"status\":\"cancelled\"}", EXIT_SERVICE},
	{"{\"status\":\"rejected\",\"exit_code\":null}", EXIT_REJECTED},
	{"{}", EXIT_SERVICE},
	{"[]", EXIT_SERVICE},
};

Test(answer, exit_codes)
{
	for (size_t i = 0; i < ARRAY_COUNT(ends); i++) {
		json_t *document = json_loads(ends[i].document, 0, NULL);

		cr_assert(eq(int, answer_exit_code(document), ends[i].exit_code), "end %zu", i);
		json_decref(document);
	}
	cr_assert(eq(int, answer_exit_code(NULL), EXIT_SERVICE));
}

static void redirect(void)
{
	cr_redirect_stdout();
	cr_redirect_stderr();
}

/* Under the program's own output: what it tried and may not do, and what to do instead. */
Test(answer, denials_are_explained_and_ordinary_events_are_not, .init = redirect)
{
	json_t *document = json_loads(
		"{\"status\":\"succeeded\",\"exit_code\":0,\"stdout\":\"\",\"stderr\":\"\","
		"\"events\":[{\"kind\":\"program_started\",\"severity\":\"info\","
		"\"detail\":\"ls\",\"count\":1,\"hint\":null},"
		"{\"kind\":\"network_denied\",\"severity\":\"low\",\"count\":3,"
		"\"detail\":\"connect: fd 3 to 192.0.2.1:80\",\"hint\":\"Work offline.\"}]}",
		0, NULL);

	cr_assert(eq(int, answer_print(document), 0));
	(void)fflush(stderr);
	cr_assert_stderr_eq_str("casemate exec: network_denied (low): connect: fd 3 to "
				"192.0.2.1:80, 3 times\n  hint: Work offline.\n");
	json_decref(document);
}

Test(answer, a_refusal_is_explained_by_the_findings_that_refuse, .init = redirect)
{
	json_t *document = json_loads(
		"{\"status\":\"rejected\",\"id\":\"X\",\"stdout\":\"\",\"stderr\":\"\","
		"\"events\":[],"
		"\"findings\":[{\"rule\":\"py-a\",\"severity\":\"low\",\"rejects\":false},"
		"{\"rule\":\"py-b\",\"severity\":\"high\",\"rejects\":true,\"cwe\":\"CWE-1\","
		"\"line\":3,\"column\":7,\"message\":\"it is bad\",\"source\":\"x = bad()\","
		"\"hint\":\"Be good.\"}]}",
		0, NULL);

	cr_assert(eq(int, answer_print(document), EXIT_REJECTED));
	(void)fflush(stderr);
	cr_assert_stderr_eq_str("line 3, column 7: high: it is bad [py-b, CWE-1]\n"
				"  x = bad()\n  hint: Be good.\n"
				"casemate exec: rejected (execution X)\n");
	json_decref(document);
}
