#include "server/supervisor/drain.h"

#include "base/log.h"
#include "server/supervisor/notify.h"

/*
 * Order, and why: the gate stops taking requests and waits for its answers, so by its end
 * nothing runs any more, or the deadline has passed and the warden ends what still runs. The
 * ledger comes after the warden because it records those ends, the validators after the ledger
 * because it asks them; the front last, because it carries the last answers out.
 *
 * `grace_ms` is what a process may need beyond the deadline it is told.
 */
static const struct {
	enum setup_role role;
	bool has_deadline; /* the configured one; the others are told 0: now */
	uint32_t grace_ms;
} steps[] = {
	{SETUP_ROLE_GATE, true, 1000},	  /* write the last answers */
	{SETUP_ROLE_WARDEN, false, 3000}, /* kill what runs, remove its groups and mounts */
	{SETUP_ROLE_LEDGER, false,
	 3000}, /* record those ends, fold the WAL into the database */
	{SETUP_ROLE_VALIDATOR, false, 500},
	{SETUP_ROLE_FRONT, false, 1000}, /* close_notify to every caller */
};

static bool is_step_over(const struct supervisor *supervisor)
{
	for (size_t i = 0; i < supervisor->child_count; i++) {
		const struct child *child = &supervisor->children[i];

		if (child->role == steps[supervisor->drain.step].role && child->pid > 0)
			return false;
	}
	return true;
}

static void tell_step(struct supervisor *supervisor, enum child_event event, uint32_t drain_ms)
{
	for (size_t i = 0; i < supervisor->child_count; i++) {
		struct child *child = &supervisor->children[i];

		if (child->role != steps[supervisor->drain.step].role)
			continue;
		child->drain_ms = drain_ms;
		child_event(child, event);
	}
}

static void begin_step(struct supervisor *supervisor)
{
	size_t step = supervisor->drain.step;
	uint32_t drain_ms = 0;

	if (steps[step].has_deadline)
		drain_ms = (uint32_t)config_number(&supervisor->config, "drain_timeout_ms");
	loop_timer_start(&supervisor->loop, &supervisor->drain.deadline,
			 1000ull * (drain_ms + steps[step].grace_ms));
	tell_step(supervisor, CHILD_DRAIN, drain_ms);
}

void drain_advance(struct supervisor *supervisor)
{
	while (is_step_over(supervisor)) {
		supervisor->drain.step++;
		if (supervisor->drain.step == ARRAY_COUNT(steps)) {
			loop_timer_stop(&supervisor->loop, &supervisor->drain.deadline);
			supervisor_kill(supervisor);
			return;
		}
		begin_step(supervisor);
	}
}

static void deadline_fire(struct loop *loop, struct timer *timer)
{
	struct supervisor *supervisor = timer->owner;

	(void)loop;
	log_event(LOG_WARN, "drain_deadline", LOG_INT("step", supervisor->drain.step));
	tell_step(supervisor, CHILD_KILL, 0);
}

void drain_init(struct supervisor *supervisor)
{
	supervisor->drain.deadline.fire = deadline_fire;
	supervisor->drain.deadline.owner = supervisor;
}

void drain_start(struct supervisor *supervisor)
{
	log_event(
		LOG_INFO, "draining",
		LOG_INT("deadline_ms", config_number(&supervisor->config, "drain_timeout_ms")));
	notify_send("STOPPING=1");
	supervisor->phase = PHASE_DRAINING;
	oneshot_kill(&supervisor->oneshot);
	supervisor->drain.step = 0;
	begin_step(supervisor);
	drain_advance(supervisor);
}
