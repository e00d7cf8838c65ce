/*
 * sandbox/runtimes/launch/compile.h - the step before the run, for languages that have one.
 *
 * Behind the wall like the run, and with limits of its own; the compiler reads no standard
 * input and writes nowhere but into the job's folders. What it says goes to the job's standard
 * error, and, where it fails, into the report, so that callers find it beside other errors.
 */
#ifndef SANDBOX_RUNTIMES_LAUNCH_COMPILE_H
#define SANDBOX_RUNTIMES_LAUNCH_COMPILE_H

#include <stdbool.h>

#include "sandbox/runtimes/launch/plan.h"
#include "sandbox/zygote/ops.h"

/* Runs the command in `folder`. True: there is something to run. False: `ret` is the job's end.
 */
bool compile_run(char *const *argv, char *const *variables, const char *folder,
		 const struct plan *plan, struct job_end *ret);

#endif
