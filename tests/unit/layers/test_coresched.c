#include "sandbox/layers/coresched.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/wait.h>

TestSuite(coresched, .timeout = 30);

/* A kernel that answers PR_SCHED_CORE_CREATE so; 0: it says yes, and reading gives no cookie.
 */
static int kernel_of(int error)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int status = filter == NULL ? -1 : 0;

	for (unsigned long what = PR_SCHED_CORE_GET; what <= PR_SCHED_CORE_CREATE; what++) {
		int answer = what == PR_SCHED_CORE_CREATE ? error : 0;

		if (status == 0)
			status = seccomp_rule_add(filter, SCMP_ACT_ERRNO((unsigned)answer),
						  SCMP_SYS(prctl), 2,
						  SCMP_A0(SCMP_CMP_EQ, PR_SCHED_CORE),
						  SCMP_A1(SCMP_CMP_EQ, what));
	}
	return status == 0 ? seccomp_load(filter) : status;
}

/* 0: it holds, 1: there is none to have, 2: an error, 3: the test itself failed. */
static int outcome_of(int error)
{
	int how = 0;
	pid_t child = fork();

	if (child == 0) {
		struct err err = {0};
		bool holds = false;

		if (error >= 0 && kernel_of(error) < 0)
			_exit(3);
		if (coresched_apply(&holds, &err) < 0)
			_exit(2);
		_exit(holds ? 0 : 1);
	}
	(void)waitpid(child, &how, 0);
	return WIFEXITED(how) ? WEXITSTATUS(how) : 3;
}

Test(coresched, a_machine_or_kernel_without_it_is_no_error)
{
	cr_assert(eq(int, outcome_of(ENODEV), 1));
	cr_assert(eq(int, outcome_of(EINVAL), 1));
}

Test(coresched, a_cookie_that_is_refused_or_not_there_is_one)
{
	cr_assert(eq(int, outcome_of(EPERM), 2));
	cr_assert(eq(int, outcome_of(ENOMEM), 2));
	cr_assert(eq(int, outcome_of(0), 2));
}

Test(coresched, it_says_what_this_kernel_says)
{
	unsigned long cookie = 0;
	bool has_it = prctl(PR_SCHED_CORE, PR_SCHED_CORE_GET, 0, PR_SCHED_CORE_SCOPE_THREAD,
			    &cookie) == 0;

	cr_assert(eq(int, outcome_of(-1), has_it ? 0 : 1));
}
