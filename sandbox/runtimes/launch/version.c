#include "sandbox/runtimes/launch/version.h"

#include <ctype.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#define OUTPUT_BYTES 4096
#define OUTPUT_MS    20000 /* node on a loaded machine takes one second */

static char *const environment[] = {(char[]){"PATH=/usr/local/bin:/usr/bin:/bin"},
				    (char[]){"LC_ALL=C.UTF-8"}, NULL};

static _Noreturn void become(const struct plan_command *command, int output_fd)
{
	/* Some print it to one stream, some to the other. */
	if (dup2(output_fd, STDOUT_FILENO) >= 0 && dup2(output_fd, STDERR_FILENO) >= 0)
		(void)execve(command->words[0], (char *const *)(uintptr_t)command->words,
			     environment);
	_exit(127);
}

/* Until the end of the output, a full buffer or the time. */
static void read_output(int fd, char *ret, size_t size)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	size_t length = 0;

	while (length + 1 < size && poll(&wait, 1, OUTPUT_MS) == 1) {
		ssize_t got = read(fd, ret + length, size - 1 - length);

		if (got <= 0)
			break;
		length += (size_t)got;
	}
	ret[length] = '\0';
}

int version_find(const char *text, char *ret, size_t size, struct err *err)
{
	for (const char *at = text; *at != '\0'; at++) {
		size_t length = strspn(at, "0123456789.");

		if (!isdigit((unsigned char)*at))
			continue;
		if (memchr(at, '.', length) != NULL) {
			while (at[length - 1] == '.')
				length--;
			(void)snprintf(ret, size, "%.*s", (int)length, at);
			return 0;
		}
		at += length - 1;
	}
	return err_set(err, EPROTO, "no version in \"%.100s\"", text);
}

int version_ask(const struct plan *plan, char *ret, size_t size, struct err *err)
{
	char text[OUTPUT_BYTES];
	own_fd output = -1;
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return err_errno(err, errno, "pipe for the version");
	output = ends[0];
	pid = fork();
	if (pid == 0)
		become(&plan->version, ends[1]);
	fd_drop(&ends[1]);
	if (pid < 0)
		return err_errno(err, errno, "fork for the version");
	read_output(output, text, sizeof(text));
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	if (version_find(text, ret, size, err) < 0)
		return err_prefix(err, "ask %s for its version", plan->version.words[0]);
	return 0;
}
