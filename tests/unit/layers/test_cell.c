#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "base/chan.h"
#include "sandbox/layers/lockdown.h"
#include "sandbox/layers/netns.h"
#include "sandbox/layers/privileges.h"
#include "sandbox/layers/root.h"
#include "sandbox/layers/seccomp.h"
#include "sandbox/layers/userns.h"
#include "sandbox/layers/workspace.h"
#include "schema/status.h"
#include "tests/unit/layers/child.h"
#include "tests/unit/layers/maker.h"

TestSuite(cell, .timeout = 60);

#define WORKSPACE_BYTES (1u << 20)
#define NAMESPACES                                                             \
	(LAYER_USER_NAMESPACE | LAYER_MOUNT_NAMESPACE | LAYER_MINIMAL_ROOT |   \
	 LAYER_PID_NAMESPACE | LAYER_NETWORK_NAMESPACE | LAYER_IPC_NAMESPACE | \
	 LAYER_UTS_NAMESPACE | LAYER_CGROUP_NAMESPACE | LAYER_TIME_NAMESPACE)

static uint32_t worker_uid(void)
{
	/* Asked inside the user namespace: its size tells how the tests were started. */
	struct err err = {0};

	return userns_check(TEST_UID_COUNT, &err) == 0 ? 17 : 0;
}

/* The warden's part up to a cell. */
static int prepare(struct maker *maker, struct made *made)
{
	struct err err = {0};

	if (child_enter_userns() < 0)
		return 101;
	if (maker_start(maker, TEST_ROOT_PATHS, 0, &err) < 0)
		return child_fail(102, &err);
	if (maker_make(maker, worker_uid(), WORKSPACE_BYTES, made, &err) < 0)
		return child_fail(103, &err);
	return 0;
}

/* The zygote's part: a process born in the cell's pid namespace that joins the rest. Runs `act`
 * in it and returns its exit code. */
static int run_inside(const struct made *made, int is_locked, int (*act)(const void *data),
		      const void *data)
{
	struct lockdown lockdown = {
		.limits = {.processes = 20,
			   .open_files = 32,
			   .cpu_s = 5,
			   .file_bytes = 1u << 30},
		.landlock_abi_min = 1,
		.seccomp_memfd = is_locked ? *(const int *)data : -1,
	};
	struct err err = {0};
	uint32_t layers = 0;
	unsigned abi;
	pid_t pid;
	int how;

	if (setns(made->init_pidfd, CLONE_NEWPID) != 0)
		return 111;
	pid = fork();
	if (pid == 0) {
		if (lockdown_join(made->init_pidfd, 0, &layers, &err) < 0 ||
		    layers != NAMESPACES)
			_exit(child_fail(112, &err));
		if (is_locked && lockdown_finish(&lockdown, &layers, &abi, &err) < 0)
			_exit(child_fail(113, &err));
		_exit(act(data));
	}
	if (waitpid(pid, &how, 0) != pid)
		return 114;
	return WIFEXITED(how) ? WEXITSTATUS(how) : 200;
}

static int look_around(const void *data)
{
	struct err err = {0};
	struct utsname names;
	struct statfs space;
	struct stat info;

	(void)data;
	if (getpid() != 2 || getppid() != 0)
		return 1;
	if (uname(&names) != 0 || strcmp(names.nodename, "casemate") != 0 ||
	    names.domainname[0] != '\0')
		return 2;
	if (netns_check(&err) < 0)
		return child_fail(3, &err);
	if (stat(ROOT_WORKSPACE, &info) != 0 || info.st_uid != CELL_UID ||
	    info.st_gid != CELL_UID || (info.st_mode & 07777) != 0700)
		return 4;
	if (statfs(ROOT_WORKSPACE, &space) != 0 ||
	    (uint64_t)space.f_blocks * (uint64_t)space.f_bsize != WORKSPACE_BYTES ||
	    (space.f_flags & (ST_NOSUID | ST_NODEV)) != (ST_NOSUID | ST_NODEV))
		return 5;
	if (statfs(ROOT_TMP, &space) != 0 ||
	    (uint64_t)space.f_blocks * (uint64_t)space.f_bsize != WORKSPACE_BYTES)
		return 6;
	/* The tmpfs's own root must not be reachable through its folder. */
	return access(ROOT_WORKSPACE "/../files", F_OK) == 0 ||
	       access("../tmp/../files", F_OK) == 0;
}

static int joined(const void *data)
{
	struct maker maker;
	struct made made;
	int status = prepare(&maker, &made);

	(void)data;
	if (status != 0)
		return status;
	if (made.layers != NAMESPACES)
		return 104;
	return run_inside(&made, 0, look_around, NULL);
}

Test(cell, a_worker_finds_itself_in_empty_namespaces_and_a_private_workspace)
{
	cr_assert(eq(int, child_run(joined, NULL), 0));
}

static int fill(const void *data)
{
	static char block[64 * 1024];
	size_t total = 0;
	int fd;
	int files = 0;

	(void)data;
	if (privileges_become_cell_uid(NULL) < 0)
		return 9;
	fd = open("big", O_WRONLY | O_CREAT, 0600);
	if (fd < 0)
		return 1;
	for (ssize_t wrote; (wrote = write(fd, block, sizeof(block))) > 0;)
		total += (size_t)wrote;
	if (errno != ENOSPC || total == 0 || total > WORKSPACE_BYTES)
		return 2;
	if (open("/tmp/more", O_WRONLY | O_CREAT, 0600) >= 0 &&
	    write(open("/tmp/more", O_WRONLY), block, sizeof(block)) > 0)
		return 3;
	for (char name[16]; files < 1000; files++) {
		(void)snprintf(name, sizeof(name), "f%d", files);
		if (mkdir(name, 0700) != 0)
			break;
	}
	return errno == ENOSPC && files < 64 ? 0 : 4;
}

static int flood(const void *data)
{
	struct maker maker;
	struct made made;
	struct stat info;
	int status = prepare(&maker, &made);

	(void)data;
	if (status != 0)
		return status;
	status = run_inside(&made, 0, fill, NULL);
	if (status != 0)
		return status;
	/* The warden sees the job's files, and not its temporary ones. */
	if (fstatat(made.folder_fd, "big", &info, 0) != 0 ||
	    fstatat(made.folder_fd, "more", &info, 0) == 0)
		return 105;
	return openat(made.folder_fd, "big", O_RDONLY | O_NOFOLLOW) < 0 ? 106 : 0;
}

Test(cell, the_workspace_ends_at_its_size_and_inodes)
{
	cr_assert(eq(int, child_run(flood, NULL), 0));
}

static int measure(const void *data)
{
	struct statfs space;

	return statfs(ROOT_WORKSPACE, &space) == 0 &&
			       (uint64_t)space.f_blocks * (uint64_t)space.f_bsize ==
				       *(const uint64_t *)data &&
			       space.f_files == 99
		       ? 0
		       : 1;
}

static int resize(const void *data)
{
	const uint64_t bytes = 5u << 20;
	struct err err = {0};
	struct maker maker;
	struct made made;
	int status = prepare(&maker, &made);

	(void)data;
	if (status != 0)
		return status;
	if (unshare(CLONE_NEWNS) != 0 || workspace_resize(made.folder_fd, bytes, 99, &err) < 0)
		return child_fail(105, &err);
	return run_inside(&made, 0, measure, &bytes);
}

Test(cell, the_warden_resizes_a_workspace)
{
	cr_assert(eq(int, child_run(resize, NULL), 0));
}

/* Everything a locked-down worker must not be able to do, tried from the inside. */
static int misbehave(const void *data)
{
	(void)data;
	if (setresuid(0, 0, 0) == 0 || syscall(SYS_unshare, CLONE_NEWUSER) == 0)
		return 1;
	if (open("/usr/bin/x", O_WRONLY | O_CREAT, 0600) >= 0 || open("/x", O_CREAT, 0600) >= 0)
		return 2;
	if (syscall(SYS_socket, 2, 1, 0) >= 0 || errno != EPERM)
		return 3;
	if (kill(1, SIGKILL) != 0 && errno != EPERM)
		return 4;
	if (syscall(SYS_mount, "x", "/workspace", "tmpfs", 0, NULL) == 0)
		return 5;
	if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0)
		return 6;
	if (open("/workspace/script", O_WRONLY | O_CREAT, 0700) < 0)
		return 7;
	(void)execl("/workspace/script", "script", (char *)NULL);
	return errno == EACCES ? 0 : 8;
}

static int locked(const void *data)
{
	struct err err = {0};
	struct maker maker;
	struct made made;
	int program = -1;
	int status = prepare(&maker, &made);

	(void)data;
	if (status != 0)
		return status;
	if (seccomp_program_compile(SECCOMP_LIST_WORKER, SECCOMP_QUIET, &program, &err) < 0)
		return child_fail(105, &err);
	return run_inside(&made, 1, misbehave, &program);
}

Test(cell, a_locked_down_worker_can_do_no_harm)
{
	cr_assert(eq(int, child_run(locked, NULL), 0));
}

static _Noreturn void spin(void)
{
	for (;;)
		(void)pause();
}

/* A process inside, for those tests that end the cell under it. */
static int run_in_background(const struct made *made, int *ret_pidfd)
{
	struct err err = {0};
	uint32_t layers;
	int joined[2];
	char byte;
	pid_t pid;

	if (setns(made->init_pidfd, CLONE_NEWPID) != 0 || pipe(joined) != 0)
		return 111;
	pid = fork();
	if (pid == 0) {
		/* Held in here, it would never hang up; the warden's is close-on-exec. */
		(void)close(made->lifeline_fd);
		if (lockdown_join(made->init_pidfd, 0, &layers, &err) < 0 ||
		    write(joined[1], "", 1) != 1)
			_exit(child_fail(112, &err));
		spin();
	}
	(void)close(joined[1]);
	*ret_pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	return *ret_pidfd < 0 || read(joined[0], &byte, 1) != 1 ? 113 : 0;
}

static int hang_up(const void *data)
{
	struct err err = {0};
	struct maker maker;
	struct made made;
	int inside = -1;
	int status = prepare(&maker, &made);

	(void)data;
	if (status == 0)
		status = run_in_background(&made, &inside);
	if (status != 0)
		return status;
	fd_drop(&made.lifeline_fd);
	/* The worker is a child of ours: the pid namespace ends once we have reaped it. */
	if (pidfd_wait(inside, &err) < 0 || waitpid(-1, NULL, __WALL) < 0)
		return child_fail(105, &err);
	return pidfd_wait(made.init_pidfd, &err) < 0 ? child_fail(106, &err) : 0;
}

Test(cell, the_end_of_the_lifeline_ends_everything_inside)
{
	cr_assert(eq(int, child_run(hang_up, NULL), 0));
}

static int kill_maker(const void *data)
{
	struct err err = {0};
	struct maker maker;
	struct made made;
	int status = prepare(&maker, &made);

	(void)data;
	if (status != 0)
		return status;
	if (syscall(SYS_pidfd_send_signal, maker.pid_fd, SIGKILL, NULL, 0) != 0)
		return 105;
	return pidfd_wait(made.init_pidfd, &err) < 0 ? child_fail(106, &err) : 0;
}

Test(cell, the_death_of_the_maker_ends_its_cells)
{
	cr_assert(eq(int, child_run(kill_maker, NULL), 0));
}

static int close_channel(const void *data)
{
	struct err err = {0};
	struct maker maker;
	struct made made;
	int status = prepare(&maker, &made);

	(void)data;
	if (status != 0)
		return status;
	(void)close(maker.channel_fd);
	if (pidfd_wait(maker.pid_fd, &err) < 0)
		return child_fail(105, &err);
	return pidfd_wait(made.init_pidfd, &err) < 0 ? child_fail(106, &err) : 0;
}

Test(cell, the_end_of_the_warden_ends_maker_and_cells)
{
	cr_assert(eq(int, child_run(close_channel, NULL), 0));
}

static int fail_then_go_on(const void *data)
{
	struct err err = {0};
	struct maker maker;
	struct made made;

	(void)data;
	if (child_enter_userns() < 0 || maker_start(&maker, TEST_ROOT_PATHS, 0, &err) < 0)
		return child_fail(101, &err);
	/* A uid that nobody has: the maps cannot be written. */
	if (maker_make(&maker, 4000000000u, WORKSPACE_BYTES, &made, &err) != -EPROTO)
		return 102;
	if (strstr(err.text, "uid_map") == NULL)
		return child_fail(103, &err);
	if (maker_make(&maker, worker_uid(), WORKSPACE_BYTES, &made, &err) < 0)
		return child_fail(104, &err);
	return 0;
}

Test(cell, a_failure_names_its_step_and_the_next_cell_is_made)
{
	cr_assert(eq(int, child_run(fail_then_go_on, NULL), 0));
}

static int refuse_disabled(const void *data)
{
	struct err err = {0};
	struct maker maker;
	int status;

	(void)data;
	if (child_enter_userns() < 0 || maker_spawn(&maker, &err) < 0)
		return child_fail(101, &err);
	status = maker_set_up(&maker, TEST_ROOT_PATHS, LAYER_TIME_NAMESPACE, &err);
#ifdef CASEMATE_TEST_BUILD
	return status == 0 ? 0 : child_fail(102, &err);
#else
	return status < 0 ? 0 : 103;
#endif
}

Test(cell, layers_are_switched_off_in_test_builds_only)
{
	cr_assert(eq(int, child_run(refuse_disabled, NULL), 0));
}

static int out_of_turn(const void *data)
{
	struct err err = {0};
	struct maker maker;
	struct made made;

	(void)data;
	if (child_enter_userns() < 0 || maker_spawn(&maker, &err) < 0)
		return child_fail(101, &err);
	if (maker_make(&maker, 0, WORKSPACE_BYTES, &made, &err) == 0)
		return 102;
	return pidfd_wait(maker.pid_fd, &err) < 0 ? child_fail(103, &err) : 0;
}

Test(cell, a_maker_without_set_up_makes_nothing)
{
	cr_assert(eq(int, child_run(out_of_turn, NULL), 0));
}

#ifdef CASEMATE_TEST_BUILD
static int make_without(const void *data)
{
	uint32_t off = *(const uint32_t *)data;
	struct err err = {0};
	struct maker maker;
	struct made made;

	if (child_enter_userns() < 0 || maker_start(&maker, TEST_ROOT_PATHS, off, &err) < 0)
		return child_fail(101, &err);
	if (maker_make(&maker, worker_uid(), WORKSPACE_BYTES, &made, &err) < 0)
		return child_fail(102, &err);
	return (made.layers & off) == 0 ? 0 : 103;
}

Test(cell, each_layer_can_be_missing_and_is_then_not_claimed)
{
	static const uint32_t layers[] = {
		LAYER_USER_NAMESPACE,  LAYER_OWN_UID,		LAYER_MINIMAL_ROOT,
		LAYER_PID_NAMESPACE,   LAYER_NETWORK_NAMESPACE, LAYER_IPC_NAMESPACE,
		LAYER_UTS_NAMESPACE,   LAYER_CGROUP_NAMESPACE,	LAYER_TIME_NAMESPACE,
		LAYER_NO_CAPABILITIES, LAYER_NO_NEW_PRIVILEGES, LAYER_SECCOMP,
	};

	for (size_t i = 0; i < ARRAY_COUNT(layers); i++)
		cr_assert(eq(int, child_run(make_without, &layers[i]), 0), "layer %#x",
			  layers[i]);
}
#endif
