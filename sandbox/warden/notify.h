/*
 * sandbox/warden/notify.h - answers the calls of a job that its filter refuses or tells of.
 *
 * The caller waits until the warden answers, so the warden never waits here itself: it takes
 * what is there, a slice at a time, and lets a job that asks without end wait between slices.
 * What the arguments point at the slot's thread reads (aside.h); until then the other calls of
 * the job wait too.
 */
#ifndef SANDBOX_WARDEN_NOTIFY_H
#define SANDBOX_WARDEN_NOTIFY_H

#include "base/loop.h"
#include "sandbox/warden/decode.h"
#include "sandbox/warden/events.h"

struct slot;

struct notify {
	int fd; /* owned; the listener, or -1 */
	struct watch watch;
	struct timer pause;
	unsigned served; /* of the present job */
	unsigned in_slice;
	unsigned own_starts;	  /* of programs, until what runs is the job */
	bool is_settling;	  /* nothing is read any more */
	bool is_reading;	  /* for a call of this job */
	struct reading reading;	  /* the thread's while the slot's aside is busy */
	struct event_entry entry; /* of that call, as far as it was known before */
};

void notify_init(struct slot *slot);

/* Takes a copy of the worker's `listener_fd` and begins to answer. */
nodiscard int notify_open(struct slot *slot, int listener_fd, struct err *err);

/* Calls that still wait then fail with ENOSYS; legal when not open. */
void notify_close(struct slot *slot);

/* What waits now is answered and noted, the rest of what is being killed is not; for the end of
 * a job. */
void notify_settle(struct slot *slot);

#endif
