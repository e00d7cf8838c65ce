#include "tests/unit/layers/child.h"

#include <stdio.h>
#include <sys/wait.h>

#include "sandbox/layers/root.h"
#include "sandbox/layers/userns.h"

int child_run(int (*act)(const void *data), const void *data)
{
	pid_t pid;
	int how;

	(void)fflush(NULL);
	pid = fork();
	if (pid == 0)
		_exit(act(data));
	if (pid < 0 || waitpid(pid, &how, 0) != pid)
		return -1;
	return WIFSIGNALED(how) ? 1000 + WTERMSIG(how) : WEXITSTATUS(how);
}

int child_is_root(void)
{
	return geteuid() == 0;
}

int child_fail(int code, const struct err *err)
{
	(void)fprintf(stderr, "child: %s\n", err->text);
	return code;
}

int child_enter_userns(void)
{
	struct err err = {0};
	int status = child_is_root() ? userns_enter(TEST_UID_FIRST, TEST_UID_COUNT, &err)
				     : userns_enter(0, 0, &err);

	return status < 0 ? child_fail(status, &err) : 0;
}

int child_enter_root(void)
{
	struct err err = {0};
	int status = child_enter_userns();

	if (status == 0)
		status = root_enter(TEST_ROOT_PATHS, 0, &err);
	return status < 0 ? child_fail(status, &err) : 0;
}
