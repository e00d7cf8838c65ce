#include "sandbox/warden/brake.h"

#include "base/clock.h"
#include "base/log.h"
#include "sandbox/warden/runtime.h"
#include "sandbox/warden/warden.h"

#define LOOK_US	   5000	  /* how often, while there is a crowd */
#define STALLED_US 20000  /* a worker is made in 3 ms, on a busy machine in 10 */
#define HALT_US	   200000 /* the longest halt; what waits for a lock has it after a few ms */
#define CROWD	   16	  /* processes and threads: node alone has a dozen */

bool brake_is_crowd(const struct slot *slot)
{
	return cgroup_group_tasks(&slot->group) > CROWD;
}

static bool can_be_halted(const struct slot *slot)
{
	return slot->state == SLOT_BUSY && !slot->is_worker_gone && brake_is_crowd(slot);
}

/* A program that is started ahead gets ready in its own time, which is no stall. */
static bool is_stalled(const struct slot *slot, uint64_t now_us)
{
	bool is_made = slot->state == SLOT_CELL_MAKING || slot->state == SLOT_FORKING ||
		       (slot->state == SLOT_LOCKING && !runtime_starts_ahead(slot->runtime));

	return is_made && now_us > slot->began_us + STALLED_US;
}

/* A group that cannot be halted costs others time, which is no reason to end its job. */
static void set_halted(struct slot *slot, bool is_halted)
{
	struct err err = {0};

	if (cgroup_group_freeze(&slot->warden->cgroups, &slot->group, is_halted, &err) < 0)
		log_event(LOG_ERROR, "brake_failed", LOG_INT("slot", slot->index),
			  LOG_STR("why", err.text));
}

static void halt_crowds(struct warden *warden, uint64_t now_us)
{
	for (unsigned i = 0; i < warden->slot_count; i++)
		if (can_be_halted(&warden->slots[i])) {
			set_halted(&warden->slots[i], true);
			warden->halted_us = now_us;
		}
}

/* They get as much time afterwards as they lost. */
static void let_go(struct warden *warden, uint64_t now_us)
{
	for (unsigned i = 0; i < warden->slot_count; i++)
		brake_release(&warden->slots[i]);
	warden->halt_again_us = now_us + (now_us - warden->halted_us);
	warden->halted_us = 0;
}

static void look(struct loop *loop, struct timer *timer)
{
	struct warden *warden = timer->owner;
	uint64_t now_us = clock_mono_us();
	bool is_someone_stalled = false;
	bool is_someone_watched = false;

	for (unsigned i = 0; i < warden->slot_count; i++) {
		is_someone_stalled |= is_stalled(&warden->slots[i], now_us);
		is_someone_watched |= can_be_halted(&warden->slots[i]);
	}
	if (warden->halted_us != 0) {
		if (!is_someone_stalled || now_us > warden->halted_us + HALT_US)
			let_go(warden, now_us);
	} else if (is_someone_stalled && now_us >= warden->halt_again_us) {
		halt_crowds(warden, now_us);
	}
	if (is_someone_watched || warden->halted_us != 0)
		loop_timer_start(loop, timer, LOOK_US);
}

void brake_watch(struct slot *slot)
{
	struct warden *warden = slot->warden;

	if (!cgroup_can_freeze(&warden->cgroups) || warden->brake_timer.is_armed)
		return;
	warden->brake_timer.fire = look;
	warden->brake_timer.owner = warden;
	loop_timer_start(&warden->loop, &warden->brake_timer, LOOK_US);
}

void brake_release(struct slot *slot)
{
	if (slot->group.is_frozen)
		set_halted(slot, false);
}
