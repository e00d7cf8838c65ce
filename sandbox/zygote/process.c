#include "sandbox/zygote/process.h"

#include <dirent.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* "." and ".." and one thread: three names. */
static bool has_one_task(void)
{
	DIR *tasks = opendir("/proc/self/task");
	unsigned count = 0;

	while (tasks != NULL && readdir(tasks) != NULL)
		count++;
	if (tasks != NULL)
		(void)closedir(tasks);
	return count == 3;
}

int process_is_single_threaded(struct err *err)
{
	/* Where the container's own filter refuses every unshare(2) there are no cells, so
	 * /proc can be read. */
	/* unshare(2) accepts CLONE_THREAD, and then does nothing, only for a single thread. */
	if (syscall(SYS_unshare, CLONE_THREAD) != 0 && (errno != EPERM || !has_one_task()))
		return err_errno(
			err, errno == EINVAL ? EBUSY : errno,
			"a preloaded module has started threads; take it off the list");
	return 0;
}

static int fits(uint64_t limit, rlim_t hard)
{
	struct rlimit limits = {.rlim_cur = limit, .rlim_max = hard};
	struct rlimit before;
	void *page;

	if (getrlimit(RLIMIT_AS, &before) != 0 || setrlimit(RLIMIT_AS, &limits) != 0)
		return 0;
	page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page != MAP_FAILED)
		(void)munmap(page, 4096);
	(void)setrlimit(RLIMIT_AS, &before);
	return page != MAP_FAILED;
}

uint64_t process_address_space_bytes(void)
{
	struct rlimit before;
	uint64_t low = 0;
	uint64_t high =
		1ull << 47; /* user addresses of x86-64; more than aarch64 programs use */

	if (getrlimit(RLIMIT_AS, &before) != 0)
		return 0;
	while (high - low > 4096) {
		uint64_t middle = low + (high - low) / 2;

		if (fits(middle, before.rlim_max))
			high = middle;
		else
			low = middle;
	}
	return high;
}

/* struct pthread is under 2.5 KiB in every glibc; its thread number lies in the first third. */
#define SLOT_WORDS 256

/* A child made by libc's own fork() differs from its parent in exactly that word: there it was
 * the parent's number and is the child's now. */
static int compare_with_fork(const int *words, size_t *ret_index)
{
	static int before[SLOT_WORDS];
	int parent = (int)syscall(SYS_gettid);
	int status;
	pid_t pid;

	memcpy(before, words, sizeof(before));
	pid = fork();
	if (pid == 0) {
		int child = (int)syscall(SYS_gettid);
		int found = 0;
		int index = 0;

		for (int i = 0; i < SLOT_WORDS; i++) {
			if (before[i] != parent || words[i] != child)
				continue;
			found++;
			index = i;
		}
		_exit(found == 1 && index > 0 ? index : 0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -errno;
	if (!WIFEXITED(status) || WEXITSTATUS(status) == 0)
		return -ENOTSUP;
	*ret_index = (size_t)WEXITSTATUS(status);
	return 0;
}

int process_find_tid_slot(int **ret_slot, struct err *err)
{
	/* The thread's descriptor; pthread_t is its address in glibc. */
	int *words = (int *)(uintptr_t)pthread_self(); // NOLINT(performance-no-int-to-ptr)
	size_t index = 0;
	int status = compare_with_fork(words, &index);

	if (status < 0)
		return err_errno(err, -status,
				 "find libc's thread number: this libc is unknown");
	*ret_slot = &words[index];
	return 0;
}

/* clone(2) takes the pidfd's place where clone3(2) has a field of its own for it. */
static long clone_older(const struct clone_args *args)
{
#if defined(__x86_64__)
	return syscall(SYS_clone, args->flags, 0, args->pidfd, args->child_tid, 0);
#else
	return syscall(SYS_clone, args->flags, 0, args->pidfd, 0, args->child_tid);
#endif
}

/*
 * What libc's fork() does beyond the system call, and what becomes of it here:
 * - the child's cached thread number: the kernel writes it (CLONE_CHILD_SETTID). With the stale
 *   one, a new thread of the job could get the same number, and recursive locks would take the
 *   two for one;
 * - robust mutexes: the list's head is registered again, as the kernel forgets it on clone;
 * - locks of malloc and stdio: free, as there is one thread and it is here;
 * - pthread_atfork() handlers: not run. Python's own are PyOS_BeforeFork and its siblings,
 * called by our caller; those of OpenBLAS stop threads, of which there are none; those of
 * OpenSSL are replaced by its own check of the process number, and no generator of it is used
 * before.
 */
int process_fork_for_parent(int *tid_slot, pid_t *ret_pid, int *ret_pidfd, struct err *err)
{
	int pidfd = -1;
	void *robust_head = NULL;
	size_t robust_length = 0;
	struct clone_args args = {
		.flags = CLONE_PARENT | CLONE_PIDFD | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID,
		.pidfd = (uint64_t)(uintptr_t)&pidfd,
		.child_tid = (uint64_t)(uintptr_t)tid_slot,
		/* Must be 0 with CLONE_PARENT: the kernel copies ours. */
		.exit_signal = 0,
	};
	long pid;

	(void)syscall(SYS_get_robust_list, 0, &robust_head, &robust_length);
	pid = syscall(SYS_clone3, &args, sizeof(args));
	/* The filters of containers refuse it so, because they cannot read its flags. */
	if (pid < 0 && errno == ENOSYS)
		pid = clone_older(&args);
	if (pid < 0)
		return err_errno(err, errno, "fork a worker");
	if (pid == 0 && robust_head != NULL)
		(void)syscall(SYS_set_robust_list, robust_head, robust_length);
	*ret_pid = (pid_t)pid;
	*ret_pidfd = pidfd;
	return 0;
}
