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
	bool is_restful;  /* see pool_rest_us() */
	unsigned low;
	unsigned high;
};
unsigned pool_wanted(const struct pool_view *view);

/* Microseconds for which work that can wait stays undone, because an answer is on its way; 0:
 * none is. `youngest_us` is when the job that runs since the shortest time began (0: none
 * runs), `busy_us` when a job last began or ended. Pure, likewise. */
uint64_t pool_rest_us(uint64_t youngest_us, uint64_t busy_us, uint64_t now_us);

/* True while nothing waits for the runtime and enough of its workers are ready. */
bool pool_has_plenty(const struct warden *warden, const struct runtime *runtime);

/* Seconds after which a refused caller may find a place. */
uint32_t pool_retry_after_s(const struct warden *warden, const struct runtime *runtime);

#endif
