/*
 * sandbox/warden/slot.c - the states of a slot as a table, and what every state shares.
 */
#include "sandbox/warden/slot.h"

#include <signal.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/log.h"
#include "sandbox/warden/ageing.h"
#include "sandbox/warden/bare.h"
#include "sandbox/warden/boost.h"
#include "sandbox/warden/runtime.h"
#include "sandbox/warden/warden.h"

static const struct {
	uint32_t stay_ms;
	const char *doing;
	uint32_t next;
} states[SLOT_STATES] = {
#define X(symbol, stay_ms, doing, next) [SLOT_##symbol] = {(stay_ms), (doing), (next)},
	SLOT_STATE_LIST(X)
#undef X
};

const char *slot_doing(enum slot_state state)
{
	return states[state].doing;
}

bool slot_may_enter(enum slot_state from, enum slot_state to)
{
	return (states[from].next & (1u << to)) != 0;
}

void slot_init(struct slot *slot, struct warden *warden, unsigned index)
{
	*slot = (struct slot){
		.warden = warden,
		.index = index,
		.netns_fd = -1,
		.lifeline_fd = -1,
		.init_pidfd = -1,
		.worker_pidfd = -1,
		.channel_fd = -1,
		.workspace_fd = -1,
		.place_fd = -1,
		.init_watch = {.fd = -1, .owner = slot},
		.worker_watch = {.fd = -1, .owner = slot},
		.channel_watch = {.fd = -1, .owner = slot},
		.step_timer = {.owner = slot},
		.cpu_timer = {.owner = slot},
		.output_timer = {.owner = slot},
		.boost_timer = {.owner = slot},
		.age_timer = {.owner = slot},
		.bare_timer = {.owner = slot},
	};
	stream_init(&slot->out, slot);
	stream_init(&slot->errors, slot);
	notify_init(slot);
	cgroup_group_init(&slot->group);
}

void slot_enter(struct slot *slot, enum slot_state state)
{
	struct loop *loop = &slot->warden->loop;

	if (!slot_may_enter(slot->state, state)) {
		log_event(LOG_ERROR, "impossible_step", LOG_INT("slot", slot->index),
			  LOG_STR("from", slot_doing(slot->state)),
			  LOG_STR("to", slot_doing(state)));
		abort();
	}
	if (slot->state != SLOT_EMPTY)
		slot->runtime->in_state[slot->state]--;
	slot->state = state;
	if (state != SLOT_EMPTY)
		slot->runtime->in_state[state]++;
	else
		slot->runtime = NULL;
	loop_timer_stop(loop, &slot->step_timer);
	if (states[state].stay_ms > 0)
		loop_timer_start(loop, &slot->step_timer,
				 states[state].stay_ms * UINT64_C(1000));
	warden_pool_changed(slot->warden);
}

pid_t slot_job_pid(const struct slot *slot)
{
	return slot->program_pid != 0 ? slot->program_pid : slot->worker_pid;
}

uint64_t slot_message_id(const struct slot *slot)
{
	return (uint64_t)slot->generation << 32 | slot->index;
}

struct slot *slot_of_message(struct warden *warden, uint64_t id)
{
	uint32_t index = (uint32_t)id;
	struct slot *slot;

	if (index >= warden->slot_count)
		return NULL;
	slot = &warden->slots[index];
	return slot_message_id(slot) == id ? slot : NULL;
}

void slot_clear(struct slot *slot)
{
	struct loop *loop = &slot->warden->loop;

	notify_close(slot);
	events_done(&slot->events);
	loop_unwatch(loop, &slot->init_watch);
	loop_unwatch(loop, &slot->worker_watch);
	loop_unwatch(loop, &slot->channel_watch);
	loop_timer_stop(loop, &slot->cpu_timer);
	loop_timer_stop(loop, &slot->output_timer);
	loop_timer_stop(loop, &slot->boost_timer);
	loop_timer_stop(loop, &slot->age_timer);
	loop_timer_stop(loop, &slot->bare_timer);
	stream_close(&slot->out, loop);
	stream_close(&slot->errors, loop);
	fd_drop(&slot->lifeline_fd);
	fd_drop(&slot->init_pidfd);
	fd_drop(&slot->worker_pidfd);
	fd_drop(&slot->channel_fd);
	fd_drop(&slot->workspace_fd);
	fd_drop(&slot->place_fd);
	slot->worker_pid = 0;
	slot->program_pid = 0;
	slot->program_tasks = 0;
	slot->layers = 0;
	slot->is_boosted = false;
	slot->has_said_done = false;
	slot->is_worker_gone = false;
	slot->is_cell_gone = false;
	slot->is_cleared = false;
	slot->worker_cpu_us = 0;
	slot->worker_peak_bytes = 0;
}

void slot_kill(struct slot *slot)
{
	boost_begin(slot);
	ageing_end(slot);
	/* Pid 1 of the cell: the kernel kills every process of the pid namespace with it, and
	 * none can be born meanwhile. The lifeline ends a cell that is still being made. */
	fd_drop(&slot->lifeline_fd);
	if (slot->init_pidfd >= 0)
		(void)syscall(SYS_pidfd_send_signal, slot->init_pidfd, SIGKILL, NULL, 0);
	if (slot->worker_pidfd >= 0)
		(void)syscall(SYS_pidfd_send_signal, slot->worker_pidfd, SIGKILL, NULL, 0);
	if (!warden_has_cells(slot->warden))
		bare_kill(slot);
}
