#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <getopt.h>
#include <string.h>

#include "server/exec/options.h"

static void surroundings(void)
{
	(void)unsetenv("CASEMATE_URL");
	(void)unsetenv("CASEMATE_PKI");
	(void)setenv("VAR", "/nonexistent", 1);
	optind = 1;
}

TestSuite(options, .timeout = 10, .init = surroundings);

static struct options options;

static int parse(char **argv)
{
	int argc = 0;

	while (argv[argc] != NULL)
		argc++;
	return options_parse(&options, argc, argv, NULL);
}

Test(options, defaults_come_from_the_surroundings)
{
	char *argv[] = {"exec", "a.py", NULL};

	cr_assert(eq(int, parse(argv), 0));

	cr_assert(eq(str, options.place.url, "https://localhost:8443"));
	cr_assert(eq(str, options.place.certificate, "/nonexistent/pki/client.crt"));
	cr_assert(eq(str, options.place.authority, "/nonexistent/pki/ca.crt"));
}

Test(options, the_command_line_wins_over_the_environment)
{
	char *argv[] = {"exec",	  "--url",     "https://a:1/", "--pki", "/p", "--key", "/k",
			"--json", "--timeout", "250",	       "--arg", "x",  "--arg", "-y",
			"-",	  NULL};

	(void)setenv("CASEMATE_URL", "https://b:2", 1);
	(void)setenv("CASEMATE_PKI", "/q", 1);
	cr_assert(eq(int, parse(argv), 0));

	cr_assert(eq(str, options.place.url, "https://a:1"));
	cr_assert(eq(str, options.place.certificate, "/p/client.crt"));
	cr_assert(eq(str, options.place.key, "/k"));
	cr_assert(eq(u64, options.timeout_ms, 250));
	cr_assert(eq(int, options.arg_count, 2));
	cr_assert(eq(int, options.is_json, 1));
}

Test(options, what_makes_no_sense_is_refused)
{
	static char *lines[][6] = {
		{"exec", NULL},
		{"exec", "a", "b", NULL},
		{"exec", "--timeout", "-5", "a", NULL},
		{"exec", "--timeout", "5s", "a", NULL},
		{"exec", "--timeout", "0", "a", NULL},
		{"exec", "--url", "http://plain", "a", NULL},
		{"exec", "--stdin", "-", "-", NULL},
	};

	for (size_t i = 0; i < ARRAY_COUNT(lines); i++) {
		optind = 1;
		cr_assert(lt(int, parse(lines[i]), 0), "line %zu", i);
	}
}
