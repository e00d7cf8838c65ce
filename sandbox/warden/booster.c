#include "sandbox/warden/booster.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <linux/sched/types.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox/warden/helper.h"

#define NS_PER_US UINT64_C(1000)

static const struct confine_syscall allowed[] = {
#define ALLOW(name, why) CONFINE_ALLOW(name, why)
#include "sandbox/warden/booster.seccomp.def"
#undef ALLOW
};

static int change(pid_t pid, const struct sched_attr *attr)
{
	return syscall(SYS_sched_setattr, pid, attr, 0) == 0 ? 0 : errno;
}

static int promote(pid_t pid)
{
	const struct sched_attr attr = {
		.size = sizeof(attr),
		.sched_policy = SCHED_DEADLINE,
		.sched_flags = SCHED_FLAG_RESET_ON_FORK,
		.sched_runtime = BOOST_US * NS_PER_US,
		.sched_deadline = BOOST_PERIOD_US * NS_PER_US,
		.sched_period = BOOST_PERIOD_US * NS_PER_US,
	};

	return change(pid, &attr);
}

static int demote(pid_t pid)
{
	const struct sched_attr attr = {.size = sizeof(attr), .sched_policy = SCHED_NORMAL};

	return change(pid, &attr);
}

/* Who is to be put back holds a processor meanwhile. A kernel or a group may have no real time
 * for us (CONFIG_RT_GROUP_SCHED): then it happens a little later. */
static void come_first(void)
{
	const struct sched_attr attr = {
		.size = sizeof(attr), .sched_policy = SCHED_FIFO, .sched_priority = 1};

	(void)change(0, &attr);
}

static bool is_promoted(const struct sched_attr *attr)
{
	return attr->sched_policy == SCHED_DEADLINE &&
	       attr->sched_runtime == BOOST_US * NS_PER_US &&
	       attr->sched_period == BOOST_PERIOD_US * NS_PER_US;
}

/* A process's folder has its effective uid, also where it cannot be dumped (proc(5)). */
static bool is_of_sandbox(pid_t pid, uint32_t uid_first, uint32_t uid_count)
{
	char path[32];
	struct stat folder;

	(void)snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	/* A uid below the first wraps around to far above the last. */
	return pid > 0 && stat(path, &folder) == 0 && folder.st_uid - uid_first < uid_count;
}

/* Fails without a word: the process may have ended, and no room is a slower answer. */
static void serve(const struct boost_order *order, uint32_t uid_first, uint32_t uid_count)
{
	struct sched_attr attr = {.size = sizeof(attr)};

	if (!is_of_sandbox(order->pid, uid_first, uid_count) ||
	    syscall(SYS_sched_getattr, order->pid, &attr, sizeof(attr), 0) != 0)
		return;
	if (order->is_raised != 0 && attr.sched_policy == SCHED_NORMAL)
		(void)promote(order->pid);
	if (order->is_raised == 0 && is_promoted(&attr))
		(void)demote(order->pid);
}

static int keep_one_capability(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {
		{.effective = 1u << CAP_SYS_NICE, .permitted = 1u << CAP_SYS_NICE}};

	return syscall(SYS_capset, &header, data) == 0 ? 0 : errno;
}

/* Tried on itself, and with what jobs get, because more than a right is needed: room in the
 * admission, and all processors of the machine in the set of those that it may use. */
static int may_boost(void)
{
	int refusal = keep_one_capability();

	if (refusal == 0)
		refusal = promote(0);
	return refusal == 0 ? demote(0) : refusal;
}

_Noreturn void booster_run(int fd, uint32_t uid_first, uint32_t uid_count)
{
	struct boost_order order;
	int refusal;
	ssize_t got;

	helper_begin("warden-booster");
	if (dup2(fd, STDIN_FILENO) < 0 || syscall(SYS_close_range, 1, ~0u, 0) != 0)
		_exit(1);
	refusal = may_boost();
	come_first();
	if (write(STDIN_FILENO, &refusal, sizeof(refusal)) != sizeof(refusal) || refusal != 0)
		_exit(1);
	helper_confine(allowed, ARRAY_COUNT(allowed));
	do {
		got = read(STDIN_FILENO, &order, sizeof(order));
		if (got == sizeof(order))
			serve(&order, uid_first, uid_count);
	} while (got > 0 || (got < 0 && errno == EINTR));
	_exit(0);
}
