/*
 * validator/events.h - the events of an execution as JSON, with the hint of their kind.
 *
 * The warden made them, but their texts are arguments that a job chose: they are written as
 * strings and nothing else.
 */
#ifndef VALIDATOR_EVENTS_H
#define VALIDATOR_EVENTS_H

#include "base/jsonw.h"
#include "schema/bundle.h"
#include "schema/events.h"
#include "validator/report.h"

/* Entries of an outcome: as many as are described one by one, and one more of each kind. */
#define EVENTS_TOLD_MAX (LIMIT_EVENTS + EVENT_KINDS)
/* And what the worker's report tells, with one for the rest of it. */
#define EVENTS_MAX (EVENTS_TOLD_MAX + LIMIT_DENIALS + 1)

struct event_list {
	struct event list[EVENTS_MAX];
	size_t count;
};

/* -EBADMSG when it is no event or one too many. */
nodiscard int events_take(struct event_list *events, const struct bundle_entry *entry);

/* Adds the refusals of a report that was checked by its schema. Returns how many there were in
 * all. */
uint64_t events_take_denials(struct event_list *events, const struct report *report);

/* The members "events" and "events_dropped". */
void events_write(struct jsonw *json, const struct event_list *events);

#endif
