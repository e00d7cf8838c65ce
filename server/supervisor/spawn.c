#include "server/supervisor/spawn.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <linux/sched/types.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "schema/wire/setup.h"

#define ENVIRONMENT_MAX 16

/* The shortest turn at a processor the kernel takes (sched_setattr(2), Linux 6.12; before, it
 * is ignored). */
#define TURN_NS 100000

/* Sanitizer and coverage builds take their options from the environment; a real one takes
 * nothing from whoever started the service. */
static const char *const passed_on[] = {
#ifdef CASEMATE_TEST_BUILD
	"ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS",
	"LSAN_OPTIONS", "GCOV_PREFIX",	 "GCOV_PREFIX_STRIP",
#endif
	NULL,
};

/* execve(2) takes char *const[], but writes nothing. */
static char *mutable(const char *text)
{
	return (char *)(uintptr_t)text;
}

static void environment_fill(char *ret[ENVIRONMENT_MAX])
{
	size_t count = 0;

	ret[count++] = mutable("PATH=/usr/sbin:/usr/bin:/sbin:/bin");
	ret[count++] = mutable("LANG=C.UTF-8");
	for (size_t i = 0; passed_on[i] != NULL && count < ENVIRONMENT_MAX - 1; i++) {
		const char *value = getenv(passed_on[i]);

		/* The environment block holds "NAME=value"; step back over the name. */
		if (value != NULL)
			ret[count++] = mutable(value - strlen(passed_on[i]) - 1);
	}
	ret[count] = NULL;
}

/* Puts the descriptors in their places. The sources are above 2, and 0 to 2 are done first. */
static int descriptors_place(const struct spawn *spawn)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	unsigned first_closed = SETUP_FD;

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(spawn->stdout_fd, STDOUT_FILENO) < 0 ||
	    dup2(spawn->stderr_fd, STDERR_FILENO) < 0)
		return -errno;
	if (spawn->channel_fd == SETUP_FD && fcntl(SETUP_FD, F_SETFD, 0) < 0)
		return -errno;
	if (spawn->channel_fd >= 0 && spawn->channel_fd != SETUP_FD &&
	    dup2(spawn->channel_fd, SETUP_FD) < 0)
		return -errno;
	if (spawn->channel_fd >= 0)
		first_closed++;
	return syscall(SYS_close_range, first_closed, ~0u, 0) == 0 ? 0 : -errno;
}

/* Who asks for a short turn gets it at once when it wakes; with a usual one it waits until the
 * turn of a job is over, 4 ms where the clock ticks at 250 Hz, and a request wakes a dozen
 * processes. What the warden starts has usual turns again. Where it is refused, answers beside
 * busy jobs are slower and nothing else. */
static void take_short_turns(void)
{
	struct sched_attr attr = {.size = sizeof(attr)};

	if (syscall(SYS_sched_getattr, 0, &attr, sizeof(attr), 0) != 0 ||
	    attr.sched_policy != SCHED_NORMAL)
		return;
	attr.sched_runtime = TURN_NS;
	attr.sched_flags = SCHED_FLAG_RESET_ON_FORK;
	(void)syscall(SYS_sched_setattr, 0, &attr, 0);
}

/* Runs in the child only and never returns. */
static _Noreturn void become(const struct spawn *spawn, pid_t parent)
{
	char *environment[ENVIRONMENT_MAX];
	sigset_t none;

	/* The second question closes the race: we may have been orphaned before prctl(2). */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 || getppid() != parent)
		_exit(127);
	(void)setsid();
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	take_short_turns();
	environment_fill(environment);
	if (descriptors_place(spawn) == 0)
		(void)execve(spawn->path, (char *const *)(uintptr_t)spawn->argv, environment);
	_exit(127);
}

int spawn_start(const struct spawn *spawn, pid_t *ret_pid, struct err *err)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	if (pid < 0)
		return err_errno(err, errno, "fork for %s", spawn->argv[0]);
	if (pid == 0)
		become(spawn, parent);
	*ret_pid = pid;
	return 0;
}
