/*
 * sandbox/warden/outcome.h - what the end of a worker means, and the bundle that says so.
 *
 * The status follows from what the kernel and the warden saw. The only word of the worker that
 * counts is whether an uncaught MemoryError ended it, and that changes nothing but its own
 * status.
 */
#ifndef SANDBOX_WARDEN_OUTCOME_H
#define SANDBOX_WARDEN_OUTCOME_H

#include "schema/wire/ledger_warden.h"

struct ending {
	int exit_how;	 /* CLD_EXITED, CLD_KILLED or CLD_DUMPED */
	int exit_value;	 /* exit code or signal */
	uint8_t verdict; /* enum execution_status: why the warden ended it, or STATUS_NONE */
	uint8_t limit_hit;
	bool is_memory_error;
	uint64_t oom_kills;
	uint64_t cpu_us;
	uint64_t cpu_limit_us;
};

/* Fills status, limit_hit, exit_code and signal. */
void outcome_judge(const struct ending *ending, struct job_done *ret);

#endif
