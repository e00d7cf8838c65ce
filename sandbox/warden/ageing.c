#include "sandbox/warden/ageing.h"

#include "base/log.h"
#include "sandbox/warden/boost.h"
#include "sandbox/warden/brake.h"
#include "sandbox/warden/run.h"
#include "sandbox/warden/warden.h"

/* Processor time of a fresh job. print(1) needs 2 ms, console.log(1) 8. With 50 ms the p99 of a
 * job beside nine hostile ones was 8.8 to 10.8 ms for 6.2 to 8.5. */
#define FRESH_CPU_US 10000

/* When a fresh job is first looked at, and how often at the least: each time after twice as
 * long, because most of those that last wait for something. It may pass the above by that, on
 * each core. */
#define FRESH_LOOK_US	  5000
#define FRESH_LOOK_US_MAX 40000

/* An aged job gets a twentieth of a processor, at least. */
#define AGED_PERIOD_US 500000
#define AGED_SHARE_US  (AGED_PERIOD_US / 20)

/* Failing costs others time, which is no reason to end the job; it can only fail when the whole
 * group is out of our hands, and then the limits fail as well. */
static void stand(struct slot *slot, enum cgroup_standing standing)
{
	struct err err = {0};

	if (cgroup_group_stand(&slot->warden->cgroups, &slot->group, standing, &err) < 0)
		log_event(LOG_ERROR, "ageing_failed", LOG_INT("slot", slot->index),
			  LOG_STR("why", err.text));
}

static void look(struct loop *loop, struct timer *timer)
{
	struct slot *slot = timer->owner;
	uint64_t used = run_cpu_us(slot);
	uint64_t got = used - slot->aged_at_us;
	bool is_aged = slot->group.standing == CGROUP_YIELDING;

	if (is_aged ? got < AGED_SHARE_US : got >= slot->fresh_us) {
		is_aged = !is_aged;
		stand(slot, is_aged ? CGROUP_YIELDING : CGROUP_USUAL);
		slot->fresh_us = AGED_SHARE_US;
		slot->aged_at_us = used;
		if (is_aged)
			boost_give_all(slot->warden);
	} else if (is_aged) {
		slot->aged_at_us = used;
	}
	if (brake_is_crowd(slot))
		brake_watch(slot);
	if (slot->look_us < FRESH_LOOK_US_MAX)
		slot->look_us *= 2;
	loop_timer_start(loop, timer, is_aged ? AGED_PERIOD_US : slot->look_us);
}

bool ageing_is_aged(const struct slot *slot)
{
	return slot->state == SLOT_BUSY && slot->group.standing == CGROUP_YIELDING;
}

void ageing_begin(struct slot *slot)
{
	if ((slot->warden->cgroups.layers & LAYER_CGROUP_CPU) == 0)
		return;
	slot->aged_at_us = slot->cpu_before_us;
	slot->fresh_us = FRESH_CPU_US;
	slot->look_us = FRESH_LOOK_US;
	slot->age_timer.fire = look;
	loop_timer_start(&slot->warden->loop, &slot->age_timer, FRESH_LOOK_US);
}

void ageing_end(struct slot *slot)
{
	if (!slot->age_timer.is_armed)
		return;
	loop_timer_stop(&slot->warden->loop, &slot->age_timer);
	brake_release(slot);
	if (brake_is_crowd(slot))
		stand(slot, CGROUP_FIRST);
	else
		stand(slot, CGROUP_USUAL);
}
