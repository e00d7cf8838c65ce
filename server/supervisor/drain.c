#include "server/supervisor/drain.h"

#include "base/log.h"
#include "server/supervisor/notify.h"

/*
 * Order, and why: the gate stops taking requests and waits for its answers, so by its end
 * nothing runs any more, or the deadline has passed and the warden ends what still runs. The
 * ledger comes after the warden because it records those ends, the validators after the ledger
 * because it asks them; the front last, because it carries the last answers out.
 *
 * A ledger that dies before its turn is started again, because only it can settle what was
 * under way; its step waits until it is there and has done so. Validators are, too, because it
 * asks them.
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

static size_t step_of(const struct child *child)
{
	size_t step = 0;

	while (step < ARRAY_COUNT(steps) && steps[step].role != child->role)
		step++;
	return step;
}

/* It has died, and will be back. */
static bool is_awaited(const struct child *child)
{
	return child->role == SETUP_ROLE_LEDGER &&
	       (child->state == CHILD_STARTING ||
		(child->state == CHILD_DOWN && child->restart.is_armed));
}

static bool is_step_over(const struct supervisor *supervisor)
{
	for (size_t i = 0; i < supervisor->child_count; i++) {
		const struct child *child = &supervisor->children[i];

		if (child->role == steps[supervisor->drain.step].role &&
		    (child->pid > 0 || is_awaited(child)))
			return false;
	}
	return true;
}

static void tell_step(struct supervisor *supervisor, enum child_event event, uint32_t drain_ms)
{
	for (size_t i = 0; i < supervisor->child_count; i++) {
		struct child *child = &supervisor->children[i];

		if (child->role != steps[supervisor->drain.step].role ||
		    (event == CHILD_DRAIN && is_awaited(child)))
			continue;
		child->drain_ms = drain_ms;
		child_event(child, event);
	}
}

static void begin_step(struct supervisor *supervisor)
{
	size_t step = supervisor->drain.step;
	uint32_t drain_ms = 0;

	supervisor->drain.is_late = false;
	if (steps[step].has_deadline)
		drain_ms = (uint32_t)config_number(&supervisor->config, "drain_timeout_ms");
	loop_timer_start(&supervisor->loop, &supervisor->drain.deadline,
			 1000ull * (drain_ms + steps[step].grace_ms));
	tell_step(supervisor, CHILD_DRAIN, drain_ms);
}

static void drain_advance(struct supervisor *supervisor)
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

static bool is_needed(const struct child *child)
{
	const struct drain *drain = &child->supervisor->drain;
	size_t step = step_of(child);

	if (child->state != CHILD_DOWN)
		return false; /* it was told to end */
	if (child->role == SETUP_ROLE_VALIDATOR)
		return step > drain->step;
	return child->role == SETUP_ROLE_LEDGER &&
	       (step > drain->step || (step == drain->step && !drain->is_late));
}

void drain_child_ended(struct child *child)
{
	if (is_needed(child))
		child_schedule(child);
	drain_advance(child->supervisor);
}

void drain_child_ready(struct child *child)
{
	if (step_of(child) != child->supervisor->drain.step)
		return;
	child->drain_ms = 0;
	child_event(child, CHILD_DRAIN);
}

static void deadline_fire(struct loop *loop, struct timer *timer)
{
	struct supervisor *supervisor = timer->owner;

	(void)loop;
	log_event(LOG_WARN, "drain_deadline", LOG_INT("step", supervisor->drain.step));
	supervisor->drain.is_late = true;
	tell_step(supervisor, CHILD_KILL, 0);
	drain_advance(supervisor); /* one that was only awaited reports no end */
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
