#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

TestSuite(log, .timeout = 10);

static char line[2 * LOG_LINE_MAX];

/* Standard error goes into a pipe for one call. */
static void capture(enum log_level level, const char *key, const char *value)
{
	int fds[2];
	int saved = dup(STDERR_FILENO);
	ssize_t length;

	cr_assert(eq(int, pipe2(fds, O_NONBLOCK), 0));
	(void)dup2(fds[1], STDERR_FILENO);
	log_event(level, "test", LOG_STR(key, value), LOG_INT("n", -5));
	(void)dup2(saved, STDERR_FILENO);
	length = read(fds[0], line, sizeof(line) - 1);
	line[length < 0 ? 0 : length] = '\0';
	close(fds[0]);
	close(fds[1]);
	close(saved);
}

Test(log, a_line_is_logfmt)
{
	log_init("unit", LOG_INFO);
	capture(LOG_INFO, "key", "plain");

	cr_assert(eq(int, strncmp(line, "ts=20", 5), 0));
	cr_assert(ne(ptr, strstr(line, "Z level=info proc=unit event=test key=plain n=-5\n"),
		     NULL));
}

Test(log, a_value_can_neither_forge_a_line_nor_reach_the_terminal)
{
	log_init("unit", LOG_INFO);
	capture(LOG_WARN, "key", "x\nts=2020 level=error\x1B[2J\" \\");

	cr_assert(ne(ptr, strstr(line, "key=\"x\\x0ats=2020 level=error\\x1b[2J\\\" \\\\\""),
		     NULL));
	cr_assert(eq(ptr, strchr(line, '\n'), line + strlen(line) - 1));
}

Test(log, lower_levels_are_silent)
{
	log_init("unit", LOG_WARN);
	capture(LOG_INFO, "key", "plain");

	cr_assert(eq(str, line, ""));
}

Test(log, a_long_value_is_cut_and_the_line_still_ends)
{
	static char big[2 * LOG_LINE_MAX];

	memset(big, 'a', sizeof(big) - 1);
	log_init("unit", LOG_INFO);
	capture(LOG_INFO, "key", big);

	cr_assert(le(sz, strlen(line), LOG_LINE_MAX));
	cr_assert(eq(chr, line[strlen(line) - 1], '\n'));
}
