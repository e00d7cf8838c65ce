#include "sandbox/warden/janitor.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <time.h>

#include "sandbox/warden/helper.h"

/* After the warden the ledger and the validators end, in milliseconds. Less than the two
 * seconds that the supervisor then gives the janitor. */
#define RESTORE_WAIT_MS 1500u
#define RESTORE_LOOK_MS 10u

/* What removing a few folders takes; everything else ends the janitor. */
static const struct confine_syscall allowed[] = {
#define ALLOW(name, why) CONFINE_ALLOW(name, why)
#include "sandbox/warden/janitor.seccomp.def"
#undef ALLOW
};

/* Keeps the pipe and the folders, which have the lowest numbers after being moved. */
static int keep_descriptors(int *pipe_fd, struct cgroup_instance *instance,
			    struct workspaces *workspaces)
{
	int next = 3;
	int *kept[4 + 2 * CGROUP_PLACES] = {pipe_fd, &instance->home, &workspaces->parent_fd,
					    &workspaces->folder_fd};

	for (int place = 0; place < CGROUP_PLACES; place++) {
		kept[4 + 2 * place] = &instance->parents[place];
		kept[5 + 2 * place] = &instance->folders[place];
	}
	/* Above everything first, so that no move closes one that is still wanted. */
	for (size_t i = 0; i < ARRAY_COUNT(kept); i++)
		if (*kept[i] >= 0)
			*kept[i] = fcntl(*kept[i], F_DUPFD_CLOEXEC, 64);
	for (size_t i = 0; i < ARRAY_COUNT(kept); i++)
		if (*kept[i] >= 0)
			*kept[i] = dup2(*kept[i], next++);
	return (int)syscall(SYS_close_range, (unsigned)next, ~0u, 0);
}

/* The others end after the warden, or go on with another one. */
static void restore(const struct cgroup_instance *instance)
{
	const struct timespec pause = {.tv_nsec = RESTORE_LOOK_MS * 1000000};

	for (unsigned waited = 0;
	     !cgroup_instance_restore(instance) && waited < RESTORE_WAIT_MS;
	     waited += RESTORE_LOOK_MS)
		(void)nanosleep(&pause, NULL);
}

static _Noreturn void janitor_run(int pipe_fd, struct cgroup_instance *instance,
				  struct workspaces *workspaces)
{
	char byte;

	helper_begin("warden-janitor");
	if (keep_descriptors(&pipe_fd, instance, workspaces) != 0)
		_exit(1);
	/* Kept: uid and capabilities, because the groups' owner and foreign processes are their
	 * object. Given up: every other call. */
	helper_confine(allowed, ARRAY_COUNT(allowed));
	while (read(pipe_fd, &byte, 1) < 0 && errno == EINTR)
		continue;
	cgroup_instance_empty(instance);
	workspaces_remove(workspaces);
	restore(instance);
	_exit(0);
}

int janitor_start(struct cgroup_instance *instance, struct workspaces *workspaces,
		  struct err *err)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return err_errno(err, errno, "pipe to the janitor");
	pid = fork();
	if (pid == 0) {
		(void)close(ends[1]);
		janitor_run(ends[0], instance, workspaces);
	}
	(void)close(ends[0]);
	if (pid < 0) {
		(void)close(ends[1]);
		return err_errno(err, errno, "fork the janitor");
	}
	/* The write end stays open, unnamed, as long as the warden lives: its hang-up is the
	 * call. */
	cgroup_instance_close_parents(instance);
	fd_drop(&workspaces->parent_fd);
	return 0;
}
