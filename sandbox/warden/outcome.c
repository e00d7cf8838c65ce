#include "sandbox/warden/outcome.h"

#include <signal.h>

static void set(struct job_done *done, uint8_t status, uint8_t limit_hit)
{
	done->status = status;
	done->limit_hit = limit_hit;
}

void outcome_judge(const struct ending *ending, struct job_done *ret)
{
	/* Whether we read the byte too much before the job's own end or after it is chance: who
	 * sends the same job again gets the same answer. */
	bool is_killed = ending->verdict == STATUS_OUTPUT_EXCEEDED;
	bool has_exited = ending->exit_how == CLD_EXITED && !is_killed;
	bool is_clean = has_exited && ending->exit_value == 0;
	int signal = is_killed ? SIGKILL : ending->exit_value & 0x7f;

	ret->exit_code = has_exited ? (uint8_t)ending->exit_value : -1;
	ret->signal = has_exited ? 0 : (uint8_t)signal;
	if (ending->verdict != STATUS_NONE)
		set(ret, ending->verdict, ending->limit_hit);
	else if (is_clean)
		set(ret, STATUS_SUCCEEDED, LIMIT_HIT_NONE);
	else if (ending->oom_kills > 0 || (has_exited && ending->is_memory_error))
		set(ret, STATUS_MEMORY_EXCEEDED, LIMIT_HIT_MEMORY);
	else if (has_exited)
		set(ret, STATUS_FAILED, LIMIT_HIT_NONE);
	else if (ending->exit_value == SIGXCPU ||
		 (ending->exit_value == SIGKILL && ending->cpu_us >= ending->cpu_limit_us))
		set(ret, STATUS_TIMED_OUT, LIMIT_HIT_CPU);
	else
		set(ret, STATUS_KILLED, LIMIT_HIT_NONE);
}
