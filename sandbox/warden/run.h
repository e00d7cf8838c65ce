/*
 * sandbox/warden/run.h - a job in a ready worker, until the worker ends or is ended.
 */
#ifndef SANDBOX_WARDEN_RUN_H
#define SANDBOX_WARDEN_RUN_H

#include "sandbox/warden/job.h"
#include "sandbox/warden/slot.h"

/* Processes that are not the job's but count as its user's: the cell's init, and what
 * run_processes_of_worker() counts. */
unsigned run_processes_of_cell(const struct slot *slot);

/* Where the worker is not the job, but has started it ahead: the worker itself, and the threads
 * that the program had before there was a job. */
unsigned run_processes_of_worker(const struct slot *slot);

/* False where the kernel would count the service's own processes, and other workers', too. */
bool run_limits_processes(const struct slot *slot);

/*
 * Who refuses a fork? RLIMIT_NPROC does it before the kernel has copied anything (10 us), the
 * pids group after it has copied and thrown away all of the caller's memory (900 us for
 * Python), with locks that all forks of one zygote have in common. But only the group counts
 * refusals. So few processes, which cannot do much of it, meet the group first: the rlimit
 * stands this far behind. With more of them the rlimit is first, and a peak as high as the
 * limit tells of it.
 */
#define RUN_PROCESSES_SPARE   1
#define RUN_PROCESSES_COUNTED 8

/* True when refused forks of the job are counted by the pids group. */
bool run_counts_refusals(const struct slot *slot, uint64_t processes);

/* A killed process that is still in the kernel after this is stuck. */
#define RUN_KILL_WAIT_US 5000000

/* Applies the job's limits and hands it over: the slot owns it then. On failure the job stays
 * the caller's, the worker never saw it and is thrown away. */
nodiscard int run_job(struct slot *slot, struct job *job, struct err *err);

/* The worker becomes the job's program: what a compiler took before that is not the job's. */
void run_begins(struct slot *slot);

/* Ends the job for a reason; the first reason stays. */
void run_stop(struct slot *slot, uint8_t verdict, uint8_t limit_hit);

/* CPU time the worker's group (without one: the worker itself) has used since the slot began.
 */
uint64_t run_cpu_us(const struct slot *slot);

/* slot->step_timer fires while BUSY: the wall time is over. */
void run_wall_time_is_over(struct slot *slot);

#endif
