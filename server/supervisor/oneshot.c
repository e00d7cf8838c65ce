#include "server/supervisor/oneshot.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "base/self.h"
#include "server/supervisor/spawn.h"

/* A migration of a large database is the longest of them. */
#define ONESHOT_DEADLINE_US (120ull * 1000000)

static void deadline_fire(struct loop *loop, struct timer *timer)
{
	struct oneshot *oneshot = timer->owner;

	(void)loop;
	oneshot->is_late = true;
	oneshot_kill(oneshot);
}

int oneshot_start(struct oneshot *oneshot, struct loop *loop, const char *program,
		  const char *first, const char *second, struct err *err)
{
	char path[PATH_MAX];
	const char *argv[ONESHOT_ARGUMENTS_MAX] = {program, first, second, NULL};
	struct spawn spawn = {.path = path, .argv = argv, .channel_fd = -1};
	own_fd output = -1;
	own_fd error = -1;
	int status = self_path(program, path, sizeof(path), err);

	if (status == 0)
		status = memfd_new("output", &output, err);
	if (status == 0)
		status = memfd_new("error", &error, err);
	if (status < 0)
		return status;
	spawn.stdout_fd = output;
	spawn.stderr_fd = error;
	status = spawn_start(&spawn, &oneshot->pid, err);
	if (status < 0)
		return status;
	oneshot->loop = loop;
	oneshot->name = program;
	oneshot->is_late = false;
	oneshot->output_fd = fd_take(&output);
	oneshot->error_fd = fd_take(&error);
	oneshot->deadline.fire = deadline_fire;
	oneshot->deadline.owner = oneshot;
	loop_timer_start(loop, &oneshot->deadline, ONESHOT_DEADLINE_US);
	return 0;
}

#define FAILURE_BYTES 8192 /* a screen full of faults */

/* What the program said on standard error, without the last newline; else how it ended. */
static void failure_text(const struct oneshot *oneshot, int wait_status, char *ret)
{
	ssize_t length = pread(oneshot->error_fd, ret, FAILURE_BYTES - 1, 0);

	ret[length < 0 ? 0 : length] = '\0';
	while (length > 0 && ret[length - 1] == '\n')
		ret[--length] = '\0';
	if (oneshot->is_late)
		(void)snprintf(ret, FAILURE_BYTES, "%s did not finish in time", oneshot->name);
	else if (length > 0)
		return;
	else if (WIFSIGNALED(wait_status))
		(void)snprintf(ret, FAILURE_BYTES, "%s was killed by signal %d", oneshot->name,
			       WTERMSIG(wait_status));
	else if (WEXITSTATUS(wait_status) == 127)
		(void)snprintf(ret, FAILURE_BYTES,
			       "%s cannot be executed: is the installation complete?",
			       oneshot->name);
	else
		(void)snprintf(ret, FAILURE_BYTES, "%s exited with %d", oneshot->name,
			       WEXITSTATUS(wait_status));
}

void oneshot_exited(struct oneshot *oneshot, int wait_status)
{
	bool is_good = WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0;
	own_fd output = fd_take(&oneshot->output_fd);
	char failure[FAILURE_BYTES] = "its output cannot be sealed";

	loop_timer_stop(oneshot->loop, &oneshot->deadline);
	oneshot->pid = 0;
	if (!is_good)
		failure_text(oneshot, wait_status, failure);
	else if (memfd_seal(output, NULL) < 0)
		is_good = false;
	fd_drop(&oneshot->error_fd);
	oneshot->done(oneshot, &output, is_good ? NULL : failure);
}

void oneshot_kill(struct oneshot *oneshot)
{
	if (oneshot->pid > 0)
		(void)kill(oneshot->pid, SIGKILL);
}
