#include "sandbox/warden/oom.h"

#include <fcntl.h>
#include <string.h>

#define FIRST_VICTIM "1000\n" /* OOM_SCORE_ADJ_MAX of proc(5) */

static int own_fd_of_score = -1;
static char own_score[16]; /* as it was found, with its newline */

int oom_open(struct err *err)
{
	own_fd fd = open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);
	ssize_t length = fd < 0 ? -1 : pread(fd, own_score, sizeof(own_score) - 1, 0);

	if (length <= 0)
		return err_errno(err, errno, "read /proc/self/oom_score_adj");
	own_score[length] = '\0';
	fd_drop(&own_fd_of_score);
	own_fd_of_score = fd_take(&fd);
	return 0;
}

static int set_own(const char *score)
{
	size_t length = strlen(score);

	return pwrite(own_fd_of_score, score, length, 0) == (ssize_t)length ? 0 : -1;
}

pid_t oom_fork_first_victim(void)
{
	pid_t pid;

	if (set_own(FIRST_VICTIM) != 0)
		return -1;
	pid = fork();
	/* The child keeps it. If ours cannot be restored, we are the victim together with what
	 * we started, which the supervisor repairs. */
	if (pid != 0)
		(void)set_own(own_score);
	return pid;
}
