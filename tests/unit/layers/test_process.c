/* The layers of one process: uid, privileges, rlimits, Landlock. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "sandbox/layers/landlock.h"
#include "sandbox/layers/lockdown.h"
#include "sandbox/layers/privileges.h"
#include "sandbox/layers/rlimits.h"
#include "sandbox/layers/root.h"
#include "sandbox/layers/seccomp.h"
#include "sandbox/layers/userns.h"
#include "sandbox/layers/workspace.h"
#include "schema/status.h"
#include "tests/unit/layers/child.h"

TestSuite(process, .timeout = 30);

/* A cell without its init: a user namespace below the warden's, with CELL_UID in it. The maps
 * are written by the parent, who waits for the end. */
static int in_cell_user(int (*act)(void))
{
	own_fd proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	uint32_t uid = child_is_root() ? 17 : 0;
	struct err err = {0};
	int entered[2], mapped[2];
	char byte;
	pid_t pid;
	int how;

	if (child_enter_root() < 0 || pipe(entered) != 0 || pipe(mapped) != 0)
		return 101;
	pid = fork();
	if (pid == 0) {
		int folder;

		/* A fork of a process of another user namespace: its /proc files are out of
		 * reach unless it is dumpable. The real maker was started inside. */
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || prctl(PR_SET_DUMPABLE, 1) != 0)
			_exit(106);
		if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0 ||
		    write(entered[1], "", 1) != 1 || read(mapped[0], &byte, 1) != 1)
			_exit(102);
		if (privileges_become_cell_uid(&err) < 0 ||
		    workspace_mount(CELL_UID, 1u << 20, 64, &folder, &err) < 0)
			_exit(child_fail(103, &err));
		_exit(act());
	}
	if (read(entered[0], &byte, 1) != 1 || userns_write_maps(proc, pid, uid, &err) < 0)
		return child_fail(104, &err);
	if (write(mapped[1], "", 1) != 1 || waitpid(pid, &how, 0) != pid)
		return 105;
	return WIFEXITED(how) ? WEXITSTATUS(how) : 200 + WTERMSIG(how);
}

static int run_in_cell(const void *data)
{
	return in_cell_user(*(int (*const *)(void))data);
}

static int run_cell(int (*act)(void))
{
	return child_run(run_in_cell, &act);
}

static int drop(void)
{
	struct err err = {0};

	if (getuid() != CELL_UID || privileges_drop(0, &err) < 0)
		return child_fail(1, &err);
	/* Gone, and gone for good. */
	if (prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN, 0, 0, 0) != 0 ||
	    prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return 2;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0) == 0)
		return 3;
	if (prctl(PR_SET_SECUREBITS, 0) == 0 || setresuid(0, 0, 0) == 0)
		return 4;
	if (mount("tmpfs", "/tmp", "tmpfs", 0, NULL) == 0 || sethostname("x", 1) == 0)
		return 5;
	return prctl(PR_GET_DUMPABLE) == 0 ? 0 : 6;
}

Test(process, dropped_privileges_do_not_come_back)
{
	cr_assert(eq(int, run_cell(drop), 0));
}

static int drop_twice(void)
{
	struct err err = {0};

	if (privileges_drop(0, &err) < 0)
		return 1;
	/* Without CAP_SETPCAP the securebits cannot be set: an error, not a shrug. */
	return privileges_drop(0, &err) < 0 ? 0 : 2;
}

Test(process, a_drop_without_the_right_to_drop_is_an_error)
{
	cr_assert(eq(int, run_cell(drop_twice), 0));
}

static int limit(void)
{
	const struct rlimits limits = {
		.address_space_bytes = 1u << 30,
		.processes = 3,
		.open_files = 10,
		.cpu_s = 2,
		.file_bytes = 4096,
	};
	struct err err = {0};
	struct rlimit core;
	int count = 0;

	if (rlimits_apply(&limits, &err) < 0 || privileges_drop(0, &err) < 0)
		return child_fail(1, &err);
	for (pid_t pid; count < 10 && (pid = fork()) >= 0; count++)
		if (pid == 0)
			for (;;)
				(void)pause();
	while (open("/dev/null", O_RDONLY) >= 0)
		continue;
	if (errno != EMFILE || dup2(0, 10) >= 0)
		return 3;
	if (getrlimit(RLIMIT_CORE, &core) != 0 || core.rlim_max != 1)
		return 4;
	return count < 3 ? 0 : 2;
}

/* In a process group of its own, which ends with the processes that it filled up. */
static int limit_in_group(void)
{
	pid_t pid = fork();
	siginfo_t how = {0};

	if (pid == 0) {
		(void)setpgid(0, 0);
		_exit(limit());
	}
	if (waitid(P_PID, (id_t)pid, &how, WEXITED | WNOWAIT) != 0)
		return 99;
	(void)kill(-pid, SIGKILL);
	return how.si_code == CLD_EXITED ? how.si_status : 98;
}

Test(process, limits_hold)
{
	cr_assert(eq(int, run_cell(limit_in_group), 0));
}

static int raise_limit(void)
{
	const struct rlimits limits = {.processes = 5, .open_files = 10, .cpu_s = 1};
	const struct rlimit more = {.rlim_cur = 11, .rlim_max = 11};
	struct err err = {0};

	if (rlimits_apply(&limits, &err) < 0 || privileges_drop(0, &err) < 0)
		return child_fail(1, &err);
	if (setrlimit(RLIMIT_NOFILE, &more) == 0)
		return 2;
	(void)signal(SIGXCPU, SIG_IGN);
	for (volatile unsigned long spin = 0;; spin++)
		continue;
}

Test(process, limits_are_hard_and_cpu_time_kills)
{
	cr_assert(eq(int, run_cell(raise_limit), 200 + SIGKILL));
}

static int landlocked(void)
{
	struct err err = {0};
	unsigned abi = 0;

	if (privileges_drop(0, &err) < 0 || landlock_worker(1, &abi, &err) < 0 || abi < 1)
		return child_fail(1, &err);
	if (open("/usr/bin/env", O_RDONLY) < 0 || open("/etc/passwd", O_RDONLY) < 0 ||
	    open("/", O_RDONLY | O_DIRECTORY) < 0 || open("/dev/urandom", O_RDONLY) < 0)
		return 2;
	if (open("/dev/null", O_RDWR) < 0 || open("/dev/zero", O_RDWR) >= 0)
		return 3;
	if (open("/workspace/a", O_RDWR | O_CREAT, 0700) < 0 || mkdir("/tmp/b", 0700) != 0 ||
	    rename("/workspace/a", "/workspace/c") != 0 ||
	    open("/workspace/c", O_RDWR | O_TRUNC) < 0 || unlink("/workspace/c") != 0)
		return 4;
	if (mkfifo("/workspace/p", 0600) != 0 || symlink("x", "/workspace/l") != 0)
		return 5;
	if (open("/workspace/d", O_RDWR | O_CREAT, 0700) < 0)
		return 6;
	(void)execl("/workspace/d", "d", (char *)NULL);
	if (errno != EACCES || socket(AF_UNIX, SOCK_STREAM, 0) < 0)
		return 7;
	(void)execl("/bin/sh", "sh", "-c", "exit 0", (char *)NULL);
	return 8;
}

Test(process, landlock_grants_the_system_and_the_workspace)
{
	cr_assert(eq(int, run_cell(landlocked), 0));
}

/* Landlock alone: on a root that is writable, it must be what stops the write. */
static int landlocked_writable(void)
{
	struct err err = {0};
	unsigned abi = 0;

	if (mount("tmpfs", "/etc", "tmpfs", 0, NULL) != 0 || open("/etc/x", O_CREAT, 0600) < 0)
		return 1;
	if (privileges_drop(0, &err) < 0 || landlock_worker(1, &abi, &err) < 0)
		return child_fail(2, &err);
	if (open("/etc/y", O_WRONLY | O_CREAT, 0600) >= 0 || errno != EACCES)
		return 3;
	return open("/etc/x", O_WRONLY) < 0 && open("/etc/x", O_RDONLY) >= 0 ? 0 : 4;
}

Test(process, landlock_holds_where_the_mount_does_not)
{
	cr_assert(eq(int, run_cell(landlocked_writable), 0));
}

static int landlock_too_old(void)
{
	struct err err = {0};
	unsigned abi = 0;

	if (privileges_drop(0, &err) < 0)
		return 1;
	return landlock_worker(99, &abi, &err) == -ENOTSUP && abi == 0 ? 0 : 2;
}

Test(process, landlock_below_the_minimum_is_refused)
{
	cr_assert(eq(int, run_cell(landlock_too_old), 0));
}

static int lock_down(void)
{
	struct lockdown lockdown = {
		.limits = {.processes = 5, .open_files = 10, .cpu_s = 1},
		.landlock_abi_min = 1,
	};
	struct err err = {0};
	uint32_t layers = 0;
	unsigned abi;

	if (seccomp_program_compile(SECCOMP_LIST_WORKER, SECCOMP_QUIET, &lockdown.seccomp_memfd,
				    &err) < 0 ||
	    lockdown_finish(&lockdown, &layers, &abi, &err) < 0)
		return child_fail(1, &err);
	return layers == (LAYER_OWN_UID | LAYER_RLIMITS | LAYER_NO_CAPABILITIES |
			  LAYER_NO_NEW_PRIVILEGES | LAYER_LANDLOCK | LAYER_SECCOMP)
		       ? 0
		       : 2;
}

Test(process, the_lockdown_claims_what_it_applied)
{
	cr_assert(eq(int, run_cell(lock_down), 0));
}

static int lock_down_halfway(void)
{
	struct lockdown lockdown = {
		.limits = {.processes = 5, .open_files = 10, .cpu_s = 1},
		.landlock_abi_min = 1,
		.seccomp_memfd = -1,
	};
	struct err err = {0};
	uint32_t layers = 0;
	unsigned abi;

	return lockdown_finish(&lockdown, &layers, &abi, &err) < 0 && layers == 0 ? 0 : 1;
}

Test(process, a_lockdown_that_misses_a_layer_fails)
{
	cr_assert(eq(int, run_cell(lock_down_halfway), 0));
}

#ifdef CASEMATE_TEST_BUILD
static int lock_down_without(void)
{
	static const uint32_t each[] = {
		LAYER_RLIMITS, LAYER_NO_CAPABILITIES, LAYER_LANDLOCK, LAYER_SECCOMP,
		LAYER_NO_NEW_PRIVILEGES | LAYER_LANDLOCK | LAYER_SECCOMP};
	struct err err = {0};

	for (size_t i = 0; i < ARRAY_COUNT(each); i++) {
		pid_t pid = fork();
		int how;

		if (pid == 0) {
			struct lockdown lockdown = {
				.limits = {.processes = 50, .open_files = 20, .cpu_s = 1},
				.landlock_abi_min = 1,
				.layers_disabled = each[i],
			};
			uint32_t layers = 0;
			unsigned abi;

			if (seccomp_program_compile(SECCOMP_LIST_WORKER, SECCOMP_QUIET,
						    &lockdown.seccomp_memfd, &err) < 0 ||
			    lockdown_finish(&lockdown, &layers, &abi, &err) < 0)
				_exit(child_fail(1, &err));
			_exit((layers & each[i]) == 0 ? 0 : 2);
		}
		if (waitpid(pid, &how, 0) != pid || WEXITSTATUS(how) != 0)
			return 10 + (int)i;
	}
	return 0;
}

Test(process, a_layer_that_is_off_is_not_claimed)
{
	cr_assert(eq(int, run_cell(lock_down_without), 0));
}
#else
static int lock_down_without(void)
{
	struct lockdown lockdown = {.layers_disabled = LAYER_RLIMITS};
	struct err err = {0};
	uint32_t layers;
	unsigned abi;

	return lockdown_finish(&lockdown, &layers, &abi, &err) == -EPERM ? 0 : 1;
}

Test(process, a_release_build_switches_no_layer_off)
{
	cr_assert(eq(int, run_cell(lock_down_without), 0));
}
#endif
