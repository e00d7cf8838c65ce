/*
 * sandbox/warden/events.h - what happened in one job, bounded: equal events are one with a
 * count, and what does not fit is still counted by kind.
 */
#ifndef SANDBOX_WARDEN_EVENTS_H
#define SANDBOX_WARDEN_EVENTS_H

#include <stdbool.h>

#include "base/buf.h"
#include "schema/events.h"
#include "schema/wire/ledger_warden.h"

/* Calls whose arguments are looked at, per job. Each costs tens of microseconds of the warden's
 * time; a job that is refused more often than this is not understood better by its next call.
 */
#define EVENTS_DECODED_MAX 128

/* Of the LIMIT_EVENTS places: those for what the end shows (limits, processes, files), which no
 * call takes. And those that each severity leaves for every one above it, of the decoded as
 * well: a script that starts fifty programs, or asks for fifty sockets, hides nothing by it. */
#define EVENTS_AT_THE_END  5
#define EVENTS_FOR_SEVERER 4

struct event_entry {
	struct event event;
	int number; /* of the call; -1: no call */
	uint64_t args[6];
	bool is_by_value; /* its text follows from number and arguments alone */
};

struct events {
	struct event_entry *list; /* owned; NULL until the first event */
	unsigned count;
	unsigned decoded;
	uint64_t totals[EVENT_KINDS];
	uint64_t dropped[EVENT_KINDS];	       /* of the totals: those that no entry tells of */
	uint8_t dropped_severity[EVENT_KINDS]; /* the highest of those */
};

void events_done(struct events *events);

/* True and counted when a call with these very arguments is there already. */
bool events_repeat(struct events *events, const struct event *event, int number,
		   const uint64_t args[6]);

/* False: one of these is counted only, so it need not be read. Also counts what is read. */
bool events_may_decode(struct events *events, const struct event_entry *entry);

/* Counts it, and keeps it or adds it to an equal one if there is room. */
void events_add(struct events *events, const struct event_entry *entry);

/* Counts one of which nothing is known but kind and severity. */
void events_count(struct events *events, const struct event *event);

/* An event that is no call. */
void events_tell(struct events *events, enum event_kind kind, uint64_t count, uint64_t first_us,
		 const char *target, const char *detail);

/* Appends the outcome's BUNDLE_EVENT entries, and fills the counts of JOB_DONE. */
void events_write(const struct events *events, struct buf *outcome, struct job_done *done);

#endif
