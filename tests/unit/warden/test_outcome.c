#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <signal.h>

#include "sandbox/warden/outcome.h"

TestSuite(outcome, .timeout = 10);

static struct job_done judge(struct ending ending)
{
	struct job_done done = {0};

	if (ending.cpu_limit_us == 0)
		ending.cpu_limit_us = 1000000;
	outcome_judge(&ending, &done);
	return done;
}

Test(outcome, exit_0_is_success)
{
	struct job_done done = judge((struct ending){.exit_how = CLD_EXITED});

	cr_assert(eq(int, done.status, STATUS_SUCCEEDED));
	cr_assert(eq(long, done.exit_code, 0));
	cr_assert(eq(int, done.signal, 0));
}

Test(outcome, any_other_exit_is_failure)
{
	struct job_done done =
		judge((struct ending){.exit_how = CLD_EXITED, .exit_value = 255});

	cr_assert(eq(int, done.status, STATUS_FAILED));
	cr_assert(eq(long, done.exit_code, 255));
}

Test(outcome, a_signal_is_a_kill_without_exit_code)
{
	struct job_done done =
		judge((struct ending){.exit_how = CLD_DUMPED, .exit_value = SIGSEGV});

	cr_assert(eq(int, done.status, STATUS_KILLED));
	cr_assert(eq(long, done.exit_code, -1));
	cr_assert(eq(int, done.signal, SIGSEGV));
}

Test(outcome, the_wardens_reason_comes_first)
{
	struct job_done done = judge((struct ending){.exit_how = CLD_KILLED,
						     .exit_value = SIGKILL,
						     .verdict = STATUS_TIMED_OUT,
						     .limit_hit = LIMIT_HIT_WALL,
						     .oom_kills = 1});

	cr_assert(eq(int, done.status, STATUS_TIMED_OUT));
	cr_assert(eq(int, done.limit_hit, LIMIT_HIT_WALL));
}

Test(outcome, output_over_the_limit_is_a_kill_even_after_a_clean_exit)
{
	struct job_done done = judge((struct ending){.exit_how = CLD_EXITED,
						     .verdict = STATUS_OUTPUT_EXCEEDED,
						     .limit_hit = LIMIT_HIT_STDERR});

	cr_assert(eq(int, done.status, STATUS_OUTPUT_EXCEEDED));
	cr_assert(eq(long, done.exit_code, -1));
	cr_assert(eq(int, done.signal, SIGKILL));
}

Test(outcome, kill_by_the_memory_group_is_memory)
{
	struct job_done done = judge(
		(struct ending){.exit_how = CLD_KILLED, .exit_value = SIGKILL, .oom_kills = 1});

	cr_assert(eq(int, done.status, STATUS_MEMORY_EXCEEDED));
	cr_assert(eq(int, done.limit_hit, LIMIT_HIT_MEMORY));
}

Test(outcome, memory_error_needs_an_exit_of_its_own)
{
	struct job_done exited = judge((struct ending){
		.exit_how = CLD_EXITED, .exit_value = 1, .is_memory_error = true});
	struct job_done killed = judge((struct ending){
		.exit_how = CLD_KILLED, .exit_value = SIGKILL, .is_memory_error = true});

	cr_assert(eq(int, exited.status, STATUS_MEMORY_EXCEEDED));
	cr_assert(eq(int, killed.status, STATUS_KILLED));
}

Test(outcome, memory_error_that_was_caught_is_success)
{
	struct job_done done =
		judge((struct ending){.exit_how = CLD_EXITED, .is_memory_error = true});

	cr_assert(eq(int, done.status, STATUS_SUCCEEDED));
}

Test(outcome, the_kernels_cpu_limit_is_a_timeout)
{
	struct job_done soft =
		judge((struct ending){.exit_how = CLD_KILLED, .exit_value = SIGXCPU});
	struct job_done hard = judge((struct ending){
		.exit_how = CLD_KILLED, .exit_value = SIGKILL, .cpu_us = 1000000});
	struct job_done other = judge((struct ending){
		.exit_how = CLD_KILLED, .exit_value = SIGKILL, .cpu_us = 999999});

	cr_assert(eq(int, soft.status, STATUS_TIMED_OUT));
	cr_assert(eq(int, soft.limit_hit, LIMIT_HIT_CPU));
	cr_assert(eq(int, hard.status, STATUS_TIMED_OUT));
	cr_assert(eq(int, other.status, STATUS_KILLED));
}
