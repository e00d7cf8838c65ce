#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/confine.h"

TestSuite(confine, .timeout = 20);

/* A confinement cannot be undone, so each runs in a child of its own, which says by its exit
 * code what it saw; assertions stay in the parent. */
static int in_child(int (*body)(void))
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(body());
	cr_assert(eq(int, waitpid(pid, &status, 0), pid));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int drops_privileges(void)
{
	struct err err = {0};

	if (confine_privileges(&err) < 0)
		return 1;
	/* Nothing is left that could mount, and a second call is legal. */
	if (mount("none", "/", NULL, MS_REMOUNT | MS_BIND, NULL) == 0)
		return 2;
	return confine_privileges(&err) < 0 ? 3 : 0;
}

Test(confine, privileges_are_gone)
{
	cr_assert(eq(int, in_child(drops_privileges), 0));
}

static int drops_privileges_with(rlim_t core_max)
{
	struct rlimit core = {.rlim_cur = core_max, .rlim_max = core_max};
	struct err err = {0};

	/* As somebody who could not raise a limit. */
	if (setrlimit(RLIMIT_CORE, &core) != 0 ||
	    (geteuid() == 0 && confine_uid(64124, NULL) < 0))
		return 1;
	if (confine_privileges(&err) < 0 || getrlimit(RLIMIT_CORE, &core) != 0)
		return 2;
	return core.rlim_max == (core_max > 1 ? 1 : core_max) && core.rlim_cur == core.rlim_max
		       ? 0
		       : 3;
}

static int drops_privileges_without_core(void)
{
	return drops_privileges_with(0);
}

static int drops_privileges_with_core(void)
{
	return drops_privileges_with(4096);
}

Test(confine, a_limit_of_core_files_is_lowered_and_never_raised)
{
	cr_assert(eq(int, in_child(drops_privileges_without_core), 0));
	cr_assert(eq(int, in_child(drops_privileges_with_core), 0));
}

static int becomes_somebody(void)
{
	if (geteuid() != 0)
		return confine_uid(0, NULL) == 0 ? 0 : 1;
	if (confine_uid(64124, NULL) < 0)
		return 2;
	return getuid() == 64124 && getegid() == 64124 && setresuid(0, 0, 0) != 0 ? 0 : 3;
}

Test(confine, a_uid_sticks)
{
	cr_assert(eq(int, in_child(becomes_somebody), 0));
}

static int files_are_denied(void)
{
	unsigned abi = 0;

	if (confine_privileges(NULL) < 0 || confine_landlock(1, NULL, 0, &abi, NULL) < 0)
		return 1;
	if (abi == 0)
		return 2;
	return open("/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0 ? 3 : 0;
}

Test(confine, landlock_denies_files)
{
	if (confine_landlock_abi() == 0)
		cr_skip_test("this kernel has no Landlock");
	cr_assert(eq(int, in_child(files_are_denied), 0));
}

static int one_folder_stays(void)
{
	struct confine_folder folder = {
		.fd = open("/etc", O_PATH | O_CLOEXEC),
		.access = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
	};
	unsigned abi;

	if (confine_privileges(NULL) < 0 || confine_landlock(1, &folder, 1, &abi, NULL) < 0)
		return 1;
	if (open("/etc/passwd", O_RDONLY | O_CLOEXEC) < 0)
		return 2;
	return open("/proc/self/status", O_RDONLY | O_CLOEXEC) >= 0 ? 3 : 0;
}

Test(confine, landlock_keeps_the_named_folder)
{
	if (confine_landlock_abi() == 0)
		cr_skip_test("this kernel has no Landlock");
	cr_assert(eq(int, in_child(one_folder_stays), 0));
}

Test(confine, an_older_landlock_than_required_is_an_error)
{
	struct err err = {0};
	unsigned abi = 77;

	cr_assert(lt(int, confine_landlock(64, NULL, 0, &abi, &err), 0));

	cr_assert(eq(uint, abi, 77));
	cr_assert(gt(sz, strlen(err.text), 0));
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
static const struct confine_syscall allowed[] = {
#define ALLOW(name, why) CONFINE_ALLOW(name, why)
#include "base/common.seccomp.def"
#undef ALLOW
};

static int filtered(void)
{
	if (confine_privileges(NULL) < 0 ||
	    confine_seccomp(allowed, sizeof(allowed) / sizeof(allowed[0]), NULL) < 0)
		return 1;
	/* Not in the list, not dangerous: it looks as if the kernel did not have it. */
	if (syscall(SYS_getppid) != -1 || errno != ENOSYS)
		return 2;
	return syscall(SYS_socket, AF_INET, SOCK_STREAM, 0) == -1 ? 0 : 3;
}

Test(confine, seccomp_hides_what_is_not_listed)
{
	cr_assert(eq(int, in_child(filtered), 0));
}

static int deadly(void)
{
	if (confine_privileges(NULL) < 0 ||
	    confine_seccomp(allowed, sizeof(allowed) / sizeof(allowed[0]), NULL) < 0)
		return 1;
	(void)unshare(CLONE_NEWUSER);
	return 2;
}

Test(confine, seccomp_kills_who_tries_to_break_out)
{
	cr_assert(eq(int, in_child(deadly), 128 + SIGSYS));
}

static int proven(void)
{
	unsigned abi;

	if (geteuid() == 0 && confine_uid(64124, NULL) < 0)
		return 1;
	if (confine_privileges(NULL) < 0 || confine_prove(0, NULL) == 0)
		return 2; /* nothing is confined yet: the proof must fail */
	if (confine_landlock(1, NULL, 0, &abi, NULL) < 0 ||
	    confine_seccomp(allowed, sizeof(allowed) / sizeof(allowed[0]), NULL) < 0)
		return 3;
	return confine_prove(0, NULL) == 0 ? 0 : 4;
}

Test(confine, the_proof_fails_before_and_holds_after)
{
	if (confine_landlock_abi() == 0)
		cr_skip_test("this kernel has no Landlock");
	cr_assert(eq(int, in_child(proven), 0));
}
#endif
