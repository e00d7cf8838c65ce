/* The booster touches processes of the sandbox only, and undoes only what it did. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <linux/sched.h>
#include <linux/sched/types.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/warden/boost.h"
#include "sandbox/warden/booster.h"

#define UID_FIRST 64000
#define UID_COUNT 3
#define MS	  1000000

/* A process of that uid that sleeps, scheduled as told. */
static pid_t sleeper(uid_t uid, const struct sched_attr *attr)
{
	int ready[2];
	char byte;
	pid_t pid;

	cr_assert(eq(int, pipe(ready), 0));
	pid = fork();
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		if (syscall(SYS_sched_setattr, 0, attr, 0) != 0 ||
		    setresuid(uid, uid, uid) != 0)
			_exit(1);
		(void)!write(ready[1], "r", 1);
		for (;;)
			(void)pause();
	}
	(void)close(ready[1]);
	cr_assert(eq(int, (int)read(ready[0], &byte, 1), 1));
	(void)close(ready[0]);
	return pid;
}

static struct sched_attr attr_of(pid_t pid)
{
	struct sched_attr attr = {.size = sizeof(attr)};

	cr_assert(eq(int, (int)syscall(SYS_sched_getattr, pid, &attr, sizeof(attr), 0), 0));
	return attr;
}

/* Orders are served one after the other, so who ends the booster has waited for all. */
static void give_orders(const struct boost_order *orders, size_t count)
{
	struct err err = {0};
	int fd = -1;

	cr_assert(eq(int, boost_open(UID_FIRST, UID_COUNT, &fd, &err), 0), "%s", err.text);
	cr_assert(ge(int, fd, 0));
	for (size_t i = 0; i < count; i++)
		cr_assert(eq(int, (int)send(fd, &orders[i], sizeof(orders[i]), 0),
			     (int)sizeof(orders[i])));
	(void)close(fd);
	cr_assert(gt(int, wait(NULL), 0));
}

static uint32_t class_after(uid_t uid, const struct sched_attr *before, uint32_t is_raised)
{
	pid_t pid = sleeper(uid, before);
	struct sched_attr after;

	give_orders(&(struct boost_order){pid, is_raised}, 1);
	after = attr_of(pid);
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	return after.sched_policy;
}

static const struct sched_attr usual = {.size = sizeof(usual), .sched_policy = SCHED_NORMAL};
static const struct sched_attr idle = {.size = sizeof(idle), .sched_policy = SCHED_IDLE};
static const struct sched_attr another_deadline = {
	.size = sizeof(another_deadline),
	.sched_policy = SCHED_DEADLINE,
	.sched_runtime = 1 * MS,
	.sched_deadline = 400 * MS,
	.sched_period = 400 * MS,
};

Test(boost, raises_and_puts_back_a_process_of_the_sandbox)
{
	struct sched_attr attr;
	pid_t pid;

	if (geteuid() != 0)
		return; /* the other test */
	pid = sleeper(UID_FIRST + UID_COUNT - 1, &usual);

	give_orders(&(struct boost_order){pid, 1}, 1);
	attr = attr_of(pid);
	cr_expect(eq(u32, attr.sched_policy, SCHED_DEADLINE));
	cr_expect(
		eq(u64, attr.sched_flags & SCHED_FLAG_RESET_ON_FORK, SCHED_FLAG_RESET_ON_FORK));
	cr_expect(eq(u64, attr.sched_runtime, 2 * MS));
	cr_expect(eq(u64, attr.sched_period, 400 * MS));

	give_orders(&(struct boost_order){pid, 0}, 1);
	cr_expect(eq(u32, attr_of(pid).sched_policy, SCHED_NORMAL));
	(void)kill(pid, SIGKILL);
}

Test(boost, leaves_processes_of_others_alone)
{
	if (geteuid() != 0)
		return;
	cr_expect(eq(u32, class_after(0, &usual, 1), SCHED_NORMAL));
	cr_expect(eq(u32, class_after(UID_FIRST - 1, &usual, 1), SCHED_NORMAL));
	cr_expect(eq(u32, class_after(UID_FIRST + UID_COUNT, &usual, 1), SCHED_NORMAL));
}

Test(boost, leaves_what_is_not_usual_and_not_its_own_alone)
{
	if (geteuid() != 0)
		return;
	cr_expect(eq(u32, class_after(UID_FIRST, &idle, 1), SCHED_IDLE));
	cr_expect(eq(u32, class_after(UID_FIRST, &idle, 0), SCHED_IDLE));
	cr_expect(eq(u32, class_after(UID_FIRST, &another_deadline, 0), SCHED_DEADLINE));
}

Test(boost, survives_orders_about_nobody)
{
	const struct boost_order orders[] = {{0, 1}, {-1, 1}, {0x7fffffff, 1}, {0x7fffffff, 0}};

	if (geteuid() == 0)
		give_orders(orders, sizeof(orders) / sizeof(orders[0]));
}

Test(boost, is_no_error_where_it_is_refused)
{
	struct err err = {0};
	int fd = 0;

	if (geteuid() == 0)
		cr_assert(eq(int, setresuid(UID_FIRST, UID_FIRST, UID_FIRST), 0));
	cr_expect(eq(int, boost_open(UID_FIRST, UID_COUNT, &fd, &err), 0), "%s", err.text);
	cr_expect(eq(int, fd, -1));
	/* Nobody is left behind. */
	cr_expect(eq(int, wait(NULL), -1));
}
