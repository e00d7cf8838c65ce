#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "sandbox/zygote/process.h"

TestSuite(process, .timeout = 20);

Test(process, address_space_is_at_least_what_was_mapped)
{
	uint64_t before = process_address_space_bytes();
	size_t more = 64u << 20;
	void *block = malloc(more);

	cr_assert_not_null(block);
	cr_assert(ge(u64, process_address_space_bytes(), before + more));
	free(block);
}

static void *sleep_forever(void *argument)
{
	(void)argument;
	for (;;)
		(void)pause();
	return NULL;
}

/* In a fork, because the test framework has threads of its own. */
static int count_threads(void)
{
	struct err err = {0};
	pthread_t thread;

	if (process_is_single_threaded(&err) != 0)
		return 1;
	if (pthread_create(&thread, NULL, sleep_forever, NULL) != 0)
		return 2;
	return process_is_single_threaded(&err) == -EBUSY ? 0 : 3;
}

Test(process, a_second_thread_is_noticed)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(count_threads());
	cr_assert(eq(int, waitpid(pid, &status, 0), pid));
	cr_assert(eq(int, status, 0));
}

/* In the child: 0 when libc has taken over the new thread number. A robust or recursive lock
 * and raise() read the cached one. */
static int child_is_whole(const int *slot)
{
	return *slot == (int)syscall(SYS_gettid) ? 0 : 1;
}

/* The forking process is a grandchild of the test, so that CLONE_PARENT makes the fork a child
 * of the process in between, which waits for both. */
static int fork_for_parent(void)
{
	struct err err = {0};
	int *slot;
	pid_t pid;
	int pidfd;

	if (process_find_tid_slot(&slot, &err) < 0 || *slot != (int)syscall(SYS_gettid) ||
	    process_fork_for_parent(slot, &pid, &pidfd, &err) < 0)
		return 2;
	if (pid == 0)
		_exit(child_is_whole(slot));
	/* Not our child: we cannot wait for it. */
	return waitpid(pid, NULL, 0) < 0 && errno == ECHILD ? 0 : 3;
}

Test(process, a_fork_belongs_to_the_parent_and_knows_its_number)
{
	pid_t zygote = fork();
	int ended = 0;
	int status;

	if (zygote == 0)
		_exit(fork_for_parent());
	while (waitpid(-1, &status, 0) > 0) {
		ended++;
		cr_assert(eq(int, status, 0));
	}
	cr_assert(eq(int, ended, 2));
}
