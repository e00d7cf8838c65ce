#include "sandbox/layers/seccomp.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/memfd.h"

/* WAIT_KILLABLE_RECV (Linux 5.19): a call under judgement is not interrupted and made again by
 * each signal, or a job could have itself asked about one call for ever. */
#define TELLING_FLAGS		(SECCOMP_FILTER_FLAG_NEW_LISTENER | FLAG_WAIT_KILLABLE_RECV)
#define FLAG_WAIT_KILLABLE_RECV (1u << 5)

/* What seccomp(2) returns, or -errno. */
static int load(int memfd, unsigned flags, struct err *err)
{
	own_span program = {.data = ""};
	struct sock_fprog load;
	long got;
	int status = memfd_map(memfd, SECCOMP_PROGRAM_BYTES_MAX, &program, err);

	if (status < 0)
		return err_prefix(err, "seccomp program");
	if (program.length == 0 || program.length % sizeof(struct sock_filter) != 0)
		return err_set(err, EINVAL, "seccomp program of %zu bytes", program.length);
	load = (struct sock_fprog){
		.len = (unsigned short)(program.length / sizeof(struct sock_filter)),
		.filter = (struct sock_filter *)(uintptr_t)program.data,
	};
	/* The mapping can go only after the kernel has copied it: every list allows munmap(2).
	 */
	got = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &load);
	return got < 0 ? err_errno(err, errno, "load the seccomp program") : (int)got;
}

int seccomp_program_load(int memfd, struct err *err)
{
	return load(memfd, 0, err);
}

int seccomp_program_load_telling(int memfd, int *ret_listener, struct err *err)
{
	int got = load(memfd, TELLING_FLAGS, err);

	if (got < 0)
		return got;
	*ret_listener = got;
	return 0;
}

/* A call that is told of would wait for ever, because nobody answers this child. */
#define TRIAL_S 10

/* The child's exit code is the errno. */
static _Noreturn void try_in_child(int memfd)
{
	int listener = -1;
	struct err err = {0};

	(void)alarm(TRIAL_S);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		_exit(errno);
	_exit(seccomp_program_load_telling(memfd, &listener, &err) < 0 ? err.code : 0);
}

int seccomp_try_telling(int memfd, struct err *err)
{
	int how = 0;
	pid_t pid = fork();

	if (pid == 0)
		try_in_child(memfd);
	if (pid < 0)
		return err_errno(err, errno, "fork to try a seccomp listener");
	while (waitpid(pid, &how, 0) < 0)
		if (errno != EINTR)
			return err_errno(err, errno, "wait for the trial of a listener");
	if (WIFEXITED(how) && WEXITSTATUS(how) == 0)
		return 0;
	return err_errno(err, WIFEXITED(how) ? WEXITSTATUS(how) : EIO, "a seccomp listener");
}
