#include "sandbox/layers/null_lock.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <sys/wait.h>

TestSuite(null_lock, .timeout = 30);

/* What a job may do with /dev/null: 1 for a lock of that kind granted to another process. */
static int is_granted(short kind)
{
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		struct flock all = {.l_type = kind, .l_whence = SEEK_SET};
		int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

		_exit(fcntl(fd, F_SETLK, &all) == 0 ? 1 : 0);
	}
	(void)waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

Test(null_lock, no_write_lock_is_granted_and_every_read_lock_is)
{
	own_fd held = -1;
	struct err err = {0};

	cr_assert(eq(int, null_lock_hold(&held, &err), 0), "%s", err.text);

	cr_assert(eq(int, is_granted(F_WRLCK), 0));
	cr_assert(eq(int, is_granted(F_RDLCK), 1));
}

Test(null_lock, opening_and_closing_dev_null_elsewhere_does_not_end_it)
{
	own_fd held = -1;
	own_fd other = -1;
	struct err err = {0};

	cr_assert(eq(int, null_lock_hold(&held, &err), 0), "%s", err.text);
	other = open("/dev/null", O_RDWR | O_CLOEXEC);
	fd_drop(&other);

	cr_assert(eq(int, is_granted(F_WRLCK), 0));
}
