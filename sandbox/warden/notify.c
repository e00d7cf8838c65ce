#include "sandbox/warden/notify.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "base/clock.h"
#include "base/log.h"
#include "sandbox/layers/seccomp_rules.h"
#include "sandbox/warden/making.h"
#include "sandbox/warden/run.h"
#include "sandbox/warden/warden.h"

/* Calls answered in one go, so that other jobs and the ledger get their turn: at about five
 * microseconds each, less than two milliseconds. */
#define SLICE 256
/* Calls of one job that are answered as they come: more than any program makes in earnest. */
#define UNHURRIED 4096
/* What a job waits after each slice from then on: most of the warden's time stays for others.
 */
#define PAUSE_US 2000

/* One exists and has not been taken, so RECV will not wait: nobody else takes any. */
static bool is_there(int fd)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};

	return poll(&wait, 1, 0) == 1 && (wait.revents & POLLIN) != 0;
}

static const struct seccomp_rule *rule_of(const struct slot *slot,
					  const struct seccomp_data *data)
{
	const struct seccomp_rules *rules = &slot->runtime->rules;
	uint64_t args[6];

	memcpy(args, data->args, sizeof(args));
	for (size_t i = 0; i < rules->count; i++) {
		const struct seccomp_rule *rule = rules->list[i];

		if (rule->number == data->nr &&
		    (rule->verdict == SECCOMP_DENY || rule->verdict == SECCOMP_OBSERVE) &&
		    seccomp_rule_holds(rule, args))
			return rule;
	}
	return NULL;
}

static struct event_entry entry_of(const struct slot *slot, const struct seccomp_rule *rule,
				   const struct seccomp_notif *call)
{
	struct event_entry entry = {
		.event = {.kind = rule->kind,
			  .severity =
				  (uint8_t)(rule->is_mild ? SEVERITY_INFO
							  : event_kind_severity(rule->kind)),
			  .count = 1,
			  .first_us = clock_mono_us() - slot->job->sent_us},
		.number = call->data.nr,
	};

	(void)snprintf(entry.event.call, sizeof(entry.event.call), "%s", rule->name);
	decode_used_arguments(&call->data, entry.args);
	return entry;
}

static void read_aside(void *context)
{
	struct slot *slot = context;

	decode_read(&slot->notify.reading);
}

static void has_read(void *context);

/* True: has_read() answers the call. Until then no other of the job is taken. False: it is
 * counted and not looked at. */
static bool begin_reading(struct slot *slot, const struct seccomp_notif *call, bool is_program,
			  const struct event_entry *entry)
{
	/* Busy: still with a call of the job before. */
	if (slot->notify.is_settling || aside_is_busy(slot->aside) ||
	    !events_may_decode(&slot->events, entry)) {
		events_count(&slot->events, &entry->event);
		return false;
	}
	slot->notify.entry = *entry;
	slot->notify.reading = (struct reading){
		.call = *call, .is_program = is_program, .event = entry->event};
	slot->notify.is_reading = true;
	loop_unwatch(&slot->warden->loop, &slot->notify.watch);
	aside_begin(slot->aside, read_aside, has_read, slot);
	return true;
}

/* True: is to be answered now. */
static bool note_denied(struct slot *slot, const struct seccomp_rule *rule,
			const struct seccomp_notif *call)
{
	struct event_entry entry = entry_of(slot, rule, call);

	return events_repeat(&slot->events, &entry.event, entry.number, entry.args) ||
	       !begin_reading(slot, call, false, &entry);
}

/* What is started to run a job is not the job's doing: the process that makes the last of those
 * starts becomes the job by it. */
static bool is_runtimes_own(struct slot *slot, const struct seccomp_notif *call)
{
	bool is_own = slot->state == SLOT_LOCKING || slot->notify.own_starts > 0;

	if (slot->notify.own_starts > 0 && (pid_t)call->pid == slot_job_pid(slot) &&
	    --slot->notify.own_starts == 0)
		run_begins(slot);
	return is_own;
}

/*
 * The one call that is let go on. Whether a program may run is not decided here: the filter
 * passes execve(2) whatever its arguments, and the read-only root and Landlock say which files
 * can be executed. So it opens nothing that the caller's other threads may change path and
 * arguments after they were read; at worst the note tells of another program than the one that
 * was started. A file of the job's own is refused already here, as Landlock would, because then
 * the note can say so; and so is one that is not there, because a path that is changed after
 * the look would start a program of which no note tells.
 */
static void let_go(struct seccomp_notif_resp *answer)
{
	answer->error = 0;
	answer->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
}

/* True: is to be answered now. */
static bool note_program(struct slot *slot, const struct seccomp_rule *rule,
			 const struct seccomp_notif *call, struct seccomp_notif_resp *answer)
{
	struct event_entry entry;

	let_go(answer);
	if (is_runtimes_own(slot, call))
		return true;
	entry = entry_of(slot, rule, call);
	return !begin_reading(slot, call, true, &entry);
}

static void answer_program(struct slot *slot, const struct reading *reading,
			   struct event_entry *entry, struct seccomp_notif_resp *answer)
{
	switch (reading->program) {
	case PROGRAM_INSTALLED:
		let_go(answer);
		events_add(&slot->events, entry);
		break;
	case PROGRAM_OWN:
		entry->event.kind = EVENT_PROGRAM_DENIED;
		entry->event.severity = (uint8_t)event_kind_severity(EVENT_PROGRAM_DENIED);
		answer->error = -EACCES;
		events_add(&slot->events, entry);
		break;
	case PROGRAM_MISSING:
		answer->error = -reading->error;
		break;
	}
}

/* True while the caller is alive and waits for this answer. */
static bool is_waiting(const struct slot *slot, uint64_t id)
{
	return ioctl(slot->notify.fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

/* The caller is gone, or nobody waits for the note any more. */
static void forget_reading(struct slot *slot)
{
	struct notify *notify = &slot->notify;

	/* A program that has not been let go has not started. */
	if (notify->is_reading && !notify->reading.is_program)
		events_count(&slot->events, &notify->entry.event);
	notify->is_reading = false;
}

static void answer_reading(struct slot *slot)
{
	const struct reading *reading = &slot->notify.reading;
	struct seccomp_notif_resp answer = {.id = reading->call.id, .error = -EPERM};
	struct event_entry *entry = &slot->notify.entry;

	if (!is_waiting(slot, reading->call.id)) {
		forget_reading(slot);
		return;
	}
	slot->notify.is_reading = false;
	entry->event = reading->event;
	entry->is_by_value = reading->is_by_value;
	if (reading->is_program)
		answer_program(slot, reading, entry, &answer);
	else
		events_add(&slot->events, entry);
	/* ENOENT: the caller is gone. */
	(void)ioctl(slot->notify.fd, SECCOMP_IOCTL_NOTIF_SEND, &answer);
}

static void listen_on(struct slot *slot)
{
	struct err err = {0};

	if (slot->notify.fd >= 0 && loop_watch(&slot->warden->loop, &slot->notify.watch,
					       slot->notify.fd, EPOLLIN, &err) < 0)
		log_event(LOG_ERROR, "listener_lost", LOG_INT("slot", slot->index),
			  LOG_STR("why", err.text));
}

static void has_read(void *context)
{
	struct slot *slot = context;

	/* Else for a job that has ended meanwhile. */
	if (!slot->notify.is_reading)
		return;
	answer_reading(slot);
	listen_on(slot);
}

/* True: is to be answered now. */
static bool note(struct slot *slot, const struct seccomp_notif *call,
		 struct seccomp_notif_resp *answer)
{
	const struct seccomp_rule *rule = rule_of(slot, &call->data);

	if (rule == NULL)
		return true;
	return rule->verdict == SECCOMP_OBSERVE ? note_program(slot, rule, call, answer)
						: note_denied(slot, rule, call);
}

/* Before the worker is ready the call that proves is its own. What it starts ahead of the job
 * may try what it likes, as later. */
static bool is_proof(const struct slot *slot, const struct seccomp_notif *call)
{
	return slot->state == SLOT_LOCKING && (pid_t)call->pid == slot->worker_pid;
}

static bool is_start_ahead(const struct slot *slot, const struct seccomp_notif *call)
{
	return slot->state == SLOT_LOCKING && runtime_starts_ahead(slot->runtime) &&
	       !is_proof(slot, call);
}

static void note_start(struct slot *slot, const struct seccomp_notif *call,
		       struct seccomp_notif_resp *answer)
{
	const struct seccomp_rule *rule = rule_of(slot, &call->data);

	/* The runtime's own, so it is never read. */
	if (rule != NULL && rule->verdict == SECCOMP_OBSERVE)
		(void)note_program(slot, rule, call, answer);
}

/* False: nothing was there, or nothing more is to be taken now. */
static bool serve_one(struct slot *slot)
{
	struct seccomp_notif call;
	struct seccomp_notif_resp answer = {.error = -EPERM};
	bool proves;

	/* Some kernels refuse a structure that is not zero, and leave the caller waiting. */
	memset(&call, 0, sizeof(call));
	if (!is_there(slot->notify.fd) ||
	    ioctl(slot->notify.fd, SECCOMP_IOCTL_NOTIF_RECV, &call) != 0)
		return false;
	proves = is_proof(slot, &call);
	answer.id = call.id;
	slot->notify.served++;
	if (slot->state == SLOT_BUSY && slot->job != NULL && !note(slot, &call, &answer))
		return false;
	if (is_start_ahead(slot, &call))
		note_start(slot, &call, &answer);
	/* ENOENT: the caller is gone. */
	(void)ioctl(slot->notify.fd, SECCOMP_IOCTL_NOTIF_SEND, &answer);
	if (proves)
		making_proved(slot, call.data.nr == SYS_socket);
	return slot->notify.fd >= 0;
}

static void pause_over(struct loop *loop, struct timer *timer)
{
	(void)loop;
	listen_on(timer->owner);
}

static void call_waits(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct slot *slot = watch->owner;

	/* Hung up: no process with the filter is left. */
	if ((events & EPOLLIN) == 0) {
		loop_unwatch(loop, watch);
		return;
	}
	for (unsigned i = 0; i < SLICE && serve_one(slot); i++)
		slot->notify.in_slice++;
	if (slot->notify.fd < 0 || slot->notify.is_reading || slot->notify.in_slice < SLICE)
		return;
	slot->notify.in_slice = 0;
	if (slot->notify.served < UNHURRIED)
		return;
	loop_unwatch(loop, watch);
	loop_timer_start(loop, &slot->notify.pause, PAUSE_US);
}

void notify_init(struct slot *slot)
{
	slot->notify = (struct notify){
		.fd = -1,
		.watch = {.fd = -1, .owner = slot, .ready = call_waits},
		.pause = {.owner = slot, .fire = pause_over},
	};
}

int notify_open(struct slot *slot, int listener_fd, struct err *err)
{
	slot->notify.served = 0;
	slot->notify.in_slice = 0;
	slot->notify.own_starts = 0;
	slot->notify.is_settling = false;
	slot->notify.fd = (int)syscall(SYS_pidfd_getfd, slot->worker_pidfd, listener_fd, 0);
	if (slot->notify.fd < 0)
		return err_errno(err, errno, "take the listener of the worker's filter");
	return loop_watch(&slot->warden->loop, &slot->notify.watch, slot->notify.fd, EPOLLIN,
			  err);
}

void notify_close(struct slot *slot)
{
	struct loop *loop = &slot->warden->loop;

	slot->notify.is_reading = false;
	loop_timer_stop(loop, &slot->notify.pause);
	loop_unwatch(loop, &slot->notify.watch);
	fd_drop(&slot->notify.fd);
}

void notify_settle(struct slot *slot)
{
	forget_reading(slot);
	slot->notify.is_settling = true;
	for (unsigned i = 0; i < SLICE && slot->notify.fd >= 0 && serve_one(slot); i++)
		;
	/* The job's processes are killed. Were it still open, the last of them to go would wake
	 * us for it. */
	notify_close(slot);
}
