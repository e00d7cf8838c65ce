#include "sandbox/warden/child.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "sandbox/layers/seccomp.h"
#include "sandbox/warden/oom.h"
#include "schema/wire/setup.h"

#define BACKOFF_FIRST_US 100000	  /* a crash by chance costs a tenth of a second */
#define BACKOFF_LAST_US	 30000000 /* a broken installation is tried twice a minute */

/*
 * The whole environment of a runtime. hugetlb=1 (madvise) makes the fork of a large interpreter
 * twice as fast; one arena, because nothing in a zygote is threaded; one thread for the linear
 * algebra libraries, because threads do not survive a fork; functions of libraries are looked
 * up at the start, not by each worker that calls one first.
 */
static char *const environment[] = {
	(char[]){"GLIBC_TUNABLES=glibc.malloc.hugetlb=1:glibc.malloc.arena_max=1"},
	(char[]){"LD_BIND_NOW=1"},
	(char[]){"OPENBLAS_NUM_THREADS=1"},
	(char[]){"OMP_NUM_THREADS=1"},
	(char[]){"MKL_NUM_THREADS=1"},
	(char[]){"LANG=C.UTF-8"},
	(char[]){"LC_ALL=C.UTF-8"},
	(char[]){"PATH=/usr/local/bin:/usr/bin:/bin"},
	(char[]){"HOME=/workspace"},
	(char[]){"TMPDIR=/tmp"},
	(char[]){"MPLBACKEND=Agg"},
	(char[]){"MPLCONFIGDIR=/tmp"},
	(char[]){"PYTHONHASHSEED=random"},
	NULL,
};

uint64_t backoff_us(unsigned failures)
{
	uint64_t wait = BACKOFF_FIRST_US;

	if (failures == 0)
		return 0;
	while (--failures > 0 && wait < BACKOFF_LAST_US)
		wait *= 2;
	return wait < BACKOFF_LAST_US ? wait : BACKOFF_LAST_US;
}

void child_init(struct child *child, const char *name, void *owner)
{
	*child = (struct child){
		.name = name,
		.binary_fd = -1,
		.join_mount_fd = -1,
		.pidfd = -1,
		.chan = {.fd = -1, .watch = {.fd = -1}, .owner = child},
		.exit_watch = {.fd = -1, .owner = child},
		.restart = {.owner = child},
		.deadline = {.owner = child},
		.owner = owner,
	};
}

/* Runs between fork and exec: system calls only. Exit codes are for the log of the lost child.
 */
static _Noreturn void child_exec(const struct child *child, int channel_fd, pid_t warden)
{
	char *const arguments[] = {(char *)(uintptr_t)child->name, NULL};
	struct err err = {0};
	sigset_t none;
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGPIPE, SIG_DFL);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 || getppid() != warden)
		_exit(120);
	if (null_fd < 0 || dup2(null_fd, 0) < 0 || dup2(null_fd, 1) < 0)
		_exit(121);
	if (channel_fd == SETUP_FD ? fcntl(channel_fd, F_SETFD, 0) != 0
				   : dup2(channel_fd, SETUP_FD) < 0)
		_exit(122);
	if (child->join_mount_fd >= 0 && setns(child->join_mount_fd, CLONE_NEWNS) != 0)
		_exit(123);
	/* What the warden may do and nothing below it. */
	if (*child->deny_filter_fd >= 0 &&
	    seccomp_program_load(*child->deny_filter_fd, &err) < 0)
		_exit(126);
	/* The binary itself is above 3 and must live until the exec. */
	if (syscall(SYS_close_range, SETUP_FD + 1, ~0u, CLOSE_RANGE_CLOEXEC) != 0)
		_exit(124);
	(void)syscall(SYS_execveat, child->binary_fd, "", arguments, environment,
		      AT_EMPTY_PATH);
	_exit(125);
}

static void child_release(struct child *child)
{
	struct loop *loop = child->chan.loop;

	chan_close(&child->chan);
	if (child->pid == 0)
		return;
	loop_timer_stop(loop, &child->deadline);
	loop_unwatch(loop, &child->exit_watch);
	fd_drop(&child->pidfd);
	child->pid = 0;
	child->is_ready = false;
}

/* Kills and reaps. A killed process goes within microseconds unless the kernel is stuck in it;
 * then it stays a zombie until the warden ends, and the wait does not hang here. */
static void child_kill(struct child *child)
{
	siginfo_t info;

	if (child->pid == 0)
		return;
	(void)kill(child->pid, SIGKILL);
	for (int i = 0; i < 100; i++) {
		info.si_pid = 0;
		if (waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG) != 0 ||
		    info.si_pid != 0)
			return;
		(void)usleep(1000);
	}
}

bool child_is_alive(const struct child *child)
{
	siginfo_t info = {0};

	return child->pid != 0 &&
	       waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid == 0;
}

void child_stop(struct child *child)
{
	child_kill(child);
	child_release(child);
}

void child_fail(struct child *child, const struct err *why)
{
	struct err copy = *why;

	child_stop(child);
	child->failures++;
	child->lost(child, &copy);
}

static void child_exited(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct child *child = watch->owner;
	siginfo_t info = {0};
	struct err err = {0};

	(void)loop;
	(void)events;
	(void)waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG);
	err_ignore(err_set(&err, ECHILD, "%s %d",
			   info.si_code == CLD_EXITED ? "exit code" : "signal", info.si_status),
		   "the text is what is wanted");
	child_release(child);
	child->failures++;
	child->lost(child, &err);
}

static void child_channel_lost(struct chan *chan, const struct err *why)
{
	struct child *child = chan->owner;

	/* Its exit says more than the hang-up; if it does not follow at once, it is stuck. */
	(void)why;
	(void)kill(child->pid, SIGKILL);
}

int child_start(struct child *child, struct loop *loop, struct err *err)
{
	int ends[2];
	own_fd theirs = -1;
	pid_t warden = getpid();
	pid_t pid;
	int status = chan_pair(ends, err);

	if (status < 0)
		return status;
	theirs = ends[1];
	child->chan.lost = child_channel_lost;
	status = chan_open(&child->chan, loop, ends[0], err);
	if (status < 0)
		return status;
	pid = oom_fork_first_victim();
	if (pid == 0)
		child_exec(child, theirs, warden);
	if (pid < 0) {
		chan_close(&child->chan);
		return err_errno(err, errno, "fork %s", child->name);
	}
	child->pid = pid;
	child->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	child->exit_watch.ready = child_exited;
	if (child->pidfd < 0)
		status = err_errno(err, errno, "pidfd of %s", child->name);
	else
		status = loop_watch(loop, &child->exit_watch, child->pidfd, EPOLLIN, err);
	if (status < 0)
		child_stop(child);
	return status;
}
