#include "sandbox/warden/warden.h"

#include <string.h>

#include "base/log.h"
#include "sandbox/warden/ending.h"
#include "sandbox/warden/ledger.h"
#include "sandbox/warden/making.h"
#include "sandbox/warden/pool.h"
#include "sandbox/warden/run.h"
#include "sandbox/warden/setup.h"

#define POOL_NEWS_US 100000 /* WARDEN_POOL: ten a second are enough for metrics */

struct cgroup_limits warden_limits(const struct warden *warden, uint64_t memory_bytes,
				   uint64_t processes)
{
	return (struct cgroup_limits){.memory_bytes = memory_bytes,
				      .processes = processes,
				      .cpu_percent = warden->config.job_cpu_percent};
}

struct runtime *warden_runtime(struct warden *warden, const char *name)
{
	for (unsigned i = 0; i < warden->runtime_count; i++)
		if (strcmp(warden->runtimes[i].setup.name, name) == 0)
			return &warden->runtimes[i];
	return NULL;
}

static void pool_news(struct loop *loop, struct timer *timer)
{
	struct warden *warden = timer->owner;

	(void)loop;
	ledger_tell_pools(warden);
}

void warden_pool_changed(struct warden *warden)
{
	warden->has_pool_news = true;
	warden->pool_timer.fire = pool_news;
	warden->pool_timer.owner = warden;
	if (!warden->pool_timer.is_armed)
		loop_timer_start(&warden->loop, &warden->pool_timer, POOL_NEWS_US);
}

void warden_after_round(struct loop *loop)
{
	struct warden *warden = loop->owner;

	if (!warden->has_pool_news)
		return;
	warden->has_pool_news = false;
	pool_tend(warden);
}

static void step_timer_fired(struct loop *loop, struct timer *timer)
{
	struct slot *slot = timer->owner;
	struct err err = {0};

	(void)loop;
	if (slot->state == SLOT_BUSY) {
		run_wall_time_is_over(slot);
	} else if (slot->state == SLOT_ENDING) {
		ending_tick(slot);
	} else {
		err_ignore(
			err_set(&err, ETIMEDOUT, "%s took too long", slot_doing(slot->state)),
			"the text is wanted");
		making_failed(slot, &err);
	}
}

void warden_slot_timers(struct slot *slot)
{
	slot->step_timer.fire = step_timer_fired;
}

void warden_progress(struct warden *warden)
{
	if (warden->state == WARDEN_DRAINING) {
		setup_check_drained(warden);
		return;
	}
	if (warden->state != WARDEN_STARTING)
		return;
	for (unsigned i = 0; i < warden->runtime_count; i++)
		if (warden->runtimes[i].workers_made == 0 &&
		    !runtime_is_missing(&warden->runtimes[i]))
			return;
	warden->state = WARDEN_SERVING;
	log_event(LOG_INFO, "ready", LOG_INT("workers_max", warden->slot_count),
		  LOG_INT("cgroup_version", warden->cgroups.version),
		  LOG_INT("landlock_abi", warden->landlock_abi));
	setup_say_ready(warden);
}

void warden_end(struct warden *warden)
{
	for (unsigned i = 0; i < warden->slot_count; i++)
		slot_kill(&warden->slots[i]);
	for (unsigned i = 0; i < warden->runtime_count; i++)
		runtime_stop(&warden->runtimes[i]);
}

void warden_die(struct warden *warden, const struct err *why)
{
	log_event(LOG_ERROR, "stopped", LOG_STR("why", why->text));
	setup_say_failed(warden, why->text);
	warden_end(warden);
	/* Everything below dies with this process: lifelines and death signals. */
	_exit(1);
}
