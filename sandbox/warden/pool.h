/*
 * sandbox/warden/pool.h - which job gets which worker, and how many workers are kept ready.
 */
#ifndef SANDBOX_WARDEN_POOL_H
#define SANDBOX_WARDEN_POOL_H

#include "sandbox/warden/job.h"
#include "sandbox/warden/slot.h"

/* A ready worker of the runtime, or NULL. */
struct slot *pool_ready(struct warden *warden, const struct runtime *runtime);

/* Gives the job to a ready worker. 1: it runs; 0: it stays the caller's, because there is none,
 * or because jobs wait that came before; negative: it stays the caller's and cannot be run. */
nodiscard int pool_run(struct warden *warden, struct job *job);

/* Gives waiting jobs to ready workers, then begins new workers. Once per round of the loop. */
void pool_tend(struct warden *warden);

/* How many more workers of the runtime to begin now. Pure, for the tests. */
struct pool_view {
	unsigned ready;
	unsigned making;
	unsigned waiting; /* jobs in the queue for this runtime */
	bool is_restful;  /* a job runs or has just run: no time for work that can wait */
	unsigned low;
	unsigned high;
};
unsigned pool_wanted(const struct pool_view *view);

/* True while nothing waits for the runtime and enough of its workers are ready. */
bool pool_has_plenty(const struct warden *warden, const struct runtime *runtime);

/* Seconds after which a refused caller may find a place. */
uint32_t pool_retry_after_s(const struct warden *warden, const struct runtime *runtime);

#endif
