#include "sandbox/warden/pool.h"

#include "base/clock.h"
#include "sandbox/warden/ending.h"
#include "sandbox/warden/ledger.h"
#include "sandbox/warden/making.h"
#include "sandbox/warden/run.h"
#include "sandbox/warden/warden.h"

/* Workers in the making at a time. Making one is about two milliseconds of CPU in four
 * processes: two fill the development machine's cores when callers wait anyway; one leaves room
 * for the jobs that run when nobody does. */
#define MAKING_URGENT_MAX     2
#define MAKING_BACKGROUND_MAX 1

#define RETRY_AFTER_MAX_S 60

struct slot *pool_ready(struct warden *warden, const struct runtime *runtime)
{
	if (runtime->in_state[SLOT_READY] == 0)
		return NULL;
	for (unsigned i = 0; i < warden->slot_count; i++)
		if (warden->slots[i].state == SLOT_READY && warden->slots[i].runtime == runtime)
			return &warden->slots[i];
	return NULL;
}

unsigned pool_wanted(const struct pool_view *view)
{
	unsigned target = view->high + view->waiting;
	unsigned have = view->ready + view->making;
	bool is_urgent = view->waiting > 0 || view->ready < view->low;
	unsigned limit = is_urgent ? MAKING_URGENT_MAX : MAKING_BACKGROUND_MAX;
	unsigned wanted = have < target ? target - have : 0;
	unsigned room = view->making < limit ? limit - view->making : 0;

	if (view->is_restful && !is_urgent)
		return 0;
	return wanted < room ? wanted : room;
}

/* A worker that died in its idleness costs a try, not the job. 1: runs; 0: no worker; negative:
 * the fault is in what the job asks for, and other workers are spared it. */
static int run_somewhere(struct warden *warden, struct job *job)
{
	struct slot *slot;
	struct err err = {0};

	while ((slot = pool_ready(warden, job->runtime)) != NULL) {
		int status = run_job(slot, job, &err);

		if (status == 0)
			return 1;
		if (status != -EPIPE && status != -ECONNRESET && status != -ESRCH)
			return status;
	}
	return 0;
}

int pool_run(struct warden *warden, struct job *job)
{
	if (warden->state != WARDEN_SERVING ||
	    job_queue_first_for(&warden->queue, job->runtime) != NULL)
		return 0;
	return run_somewhere(warden, job);
}

static void give_out(struct warden *warden)
{
	struct job *job = warden->queue.first;

	while (job != NULL) {
		struct job *next = job->next;
		int status = run_somewhere(warden, job);

		/* Out of the queue only now: without a worker it keeps its place and deadline.
		 */
		if (status != 0) {
			loop_timer_stop(&warden->loop, &job->queue_timer);
			job_queue_remove(&warden->queue, job);
		}
		if (status < 0) {
			/* The answer may fail, and losing the ledger empties the queue. */
			ledger_refuse_job(job);
			next = warden->queue.first;
		}
		job = next;
	}
}

static struct slot *find_empty(struct warden *warden)
{
	for (unsigned i = 0; i < warden->slot_count; i++)
		if (warden->slots[i].state == SLOT_EMPTY)
			return &warden->slots[i];
	return NULL;
}

static unsigned count_waiting(const struct warden *warden, const struct runtime *runtime)
{
	unsigned count = 0;

	for (const struct job *job = warden->queue.first; job != NULL; job = job->next)
		count += job->runtime == runtime;
	return count;
}

/* Ready workers that a runtime can do without: all of them where a caller waits for another
 * language, otherwise what it has above its low water. */
static unsigned spare_workers(const struct runtime *runtime, bool is_waited_for)
{
	unsigned ready = runtime->in_state[SLOT_READY];
	unsigned kept = is_waited_for ? 0 : runtime->setup.pool_low;

	return ready > kept ? ready - kept : 0;
}

/* All slots are taken, and some by idle workers of a language that nobody waits for. */
static void make_room(struct warden *warden, const struct runtime *hungry, bool is_waited_for)
{
	unsigned most = 0;
	struct runtime *richest = NULL;
	struct slot *slot;

	for (unsigned i = 0; i < warden->runtime_count; i++) {
		struct runtime *runtime = &warden->runtimes[i];

		if (runtime->in_state[SLOT_ENDING] > 0)
			return;
		if (runtime != hungry && spare_workers(runtime, is_waited_for) > most) {
			richest = runtime;
			most = spare_workers(runtime, is_waited_for);
		}
	}
	slot = richest != NULL ? pool_ready(warden, richest) : NULL;
	if (slot != NULL)
		ending_begin(slot);
}

/* A caller who sends one request after the other would otherwise pay, in each, for the worker
 * that replaces the one before: the making would run beside his job and his answer. */
#define REST_US 3000

/* A job that has run for so long is not about to be answered and yields by now (ageing.c). Its
 * end may be minutes away, and a pool that waited for it would stay at its low water. */
#define LONG_JOB_US 50000

uint64_t pool_rest_us(uint64_t youngest_us, uint64_t busy_us, uint64_t now_us)
{
	uint64_t until_us = busy_us + REST_US;

	if (youngest_us != 0 && youngest_us + LONG_JOB_US > until_us)
		until_us = youngest_us + LONG_JOB_US;
	return until_us > now_us ? until_us - now_us : 0;
}

static void rest_is_over(struct loop *loop, struct timer *timer)
{
	(void)loop;
	pool_tend(timer->owner);
}

static bool is_restful(struct warden *warden)
{
	uint64_t youngest_us = 0;
	uint64_t rest_us;

	for (unsigned i = 0; i < warden->slot_count; i++) {
		const struct slot *slot = &warden->slots[i];

		if (slot->state == SLOT_BUSY && slot->job->sent_us > youngest_us)
			youngest_us = slot->job->sent_us;
	}
	rest_us = pool_rest_us(youngest_us, warden->busy_us, clock_mono_us());
	if (rest_us == 0)
		return false;
	warden->rest_timer.fire = rest_is_over;
	warden->rest_timer.owner = warden;
	if (!warden->rest_timer.is_armed)
		loop_timer_start(&warden->loop, &warden->rest_timer, rest_us);
	return true;
}

bool pool_has_plenty(const struct warden *warden, const struct runtime *runtime)
{
	return warden->queue.length == 0 &&
	       runtime->in_state[SLOT_READY] >= runtime->setup.pool_low &&
	       runtime->in_state[SLOT_READY] > 0;
}

/* Empty slots go to whoever needs one most. */
enum need { NEED_CALLERS, NEED_LOW_WATER, NEED_HIGH_WATER, NEEDS };

static enum need need_of(const struct pool_view *view)
{
	if (view->waiting > 0)
		return NEED_CALLERS;
	return view->ready < view->low ? NEED_LOW_WATER : NEED_HIGH_WATER;
}

static void refill(struct warden *warden, struct runtime *runtime, enum need need)
{
	struct pool_view view = {
		.ready = runtime->in_state[SLOT_READY],
		.making = runtime_making(runtime),
		.waiting = count_waiting(warden, runtime),
		.low = runtime->setup.pool_low,
		.high = runtime->setup.pool_high,
		.is_restful = is_restful(warden),
	};

	if (need_of(&view) != need || !runtime_can_make(runtime))
		return;
	for (unsigned wanted = pool_wanted(&view); wanted > 0; wanted--) {
		struct slot *slot = find_empty(warden);

		if (slot == NULL) {
			if (view.waiting > 0 && view.ready + view.making == 0)
				make_room(warden, runtime, true);
			else if (view.ready + view.making < view.low)
				make_room(warden, runtime, false);
			return;
		}
		making_begin(slot, runtime);
		if (runtime->retry.is_armed)
			return;
	}
}

/* One worker of each runtime shows that it works; the pools are filled after that. There may be
 * more runtimes than slots. */
static void start_first(struct warden *warden, struct runtime *runtime)
{
	struct slot *slot = find_empty(warden);

	if (runtime->workers_made > 0 || runtime_making(runtime) > 0 ||
	    !runtime_can_make(runtime))
		return;
	if (slot != NULL)
		making_begin(slot, runtime);
	else
		make_room(warden, runtime, true);
}

void pool_tend(struct warden *warden)
{
	if (warden->state == WARDEN_SERVING)
		give_out(warden);
	for (unsigned i = 0; i < warden->runtime_count && warden->state == WARDEN_STARTING; i++)
		start_first(warden, &warden->runtimes[i]);
	for (unsigned need = 0; need < NEEDS && warden->state == WARDEN_SERVING; need++)
		for (unsigned i = 0; i < warden->runtime_count; i++)
			refill(warden, &warden->runtimes[i], (enum need)need);
}

uint32_t pool_retry_after_s(const struct warden *warden, const struct runtime *runtime)
{
	uint64_t wait_us = runtime->run_us_average * (warden->queue.length + 1) /
			   (warden->slot_count != 0 ? warden->slot_count : 1);
	uint64_t wait_s = wait_us / 1000000 + 1;

	return wait_s < RETRY_AFTER_MAX_S ? (uint32_t)wait_s : RETRY_AFTER_MAX_S;
}
