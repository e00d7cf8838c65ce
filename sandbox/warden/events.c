#include "sandbox/warden/events.h"

#include <stdio.h>
#include <string.h>

#include "schema/bundle.h"

void events_done(struct events *events)
{
	free(events->list);
	*events = (struct events){.list = NULL};
}

bool events_repeat(struct events *events, const struct event *event, int number,
		   const uint64_t args[6])
{
	for (unsigned i = 0; i < events->count; i++) {
		struct event_entry *entry = &events->list[i];

		if (!entry->is_by_value || entry->number != number ||
		    entry->event.kind != event->kind ||
		    memcmp(entry->args, args, sizeof(entry->args)) != 0)
			continue;
		entry->event.count++;
		events->totals[event->kind]++;
		return true;
	}
	return false;
}

static bool is_equal(const struct event *a, const struct event *b)
{
	return a->kind == b->kind && a->severity == b->severity &&
	       strcmp(a->call, b->call) == 0 && strcmp(a->detail, b->detail) == 0 &&
	       strcmp(a->target, b->target) == 0;
}

static void drop(struct events *events, const struct event *event)
{
	events->dropped[event->kind] += event->count;
	if (event->severity > events->dropped_severity[event->kind])
		events->dropped_severity[event->kind] = event->severity;
}

static unsigned spared(const struct event_entry *entry)
{
	return ((unsigned)SEVERITY_MAX - entry->event.severity) * EVENTS_FOR_SEVERER;
}

static bool has_room(const struct events *events, const struct event_entry *entry)
{
	unsigned places = LIMIT_EVENTS;

	if (entry->number >= 0)
		places -= EVENTS_AT_THE_END + spared(entry);
	return events->count < places;
}

bool events_may_decode(struct events *events, const struct event_entry *entry)
{
	if (events->decoded >= EVENTS_DECODED_MAX - spared(entry) || !has_room(events, entry))
		return false;
	events->decoded++;
	return true;
}

void events_add(struct events *events, const struct event_entry *entry)
{
	const struct event *event = &entry->event;

	events->totals[event->kind] += event->count;
	if (events->list == NULL)
		events->list = calloc(LIMIT_EVENTS, sizeof(*events->list));
	for (unsigned i = 0; i < events->count; i++) {
		if (!is_equal(&events->list[i].event, event))
			continue;
		events->list[i].event.count += event->count;
		/* The arguments of the last one: a flood is more of the same. */
		memcpy(events->list[i].args, entry->args, sizeof(entry->args));
		return;
	}
	if (events->list != NULL && has_room(events, entry))
		events->list[events->count++] = *entry;
	else
		drop(events, event);
}

void events_count(struct events *events, const struct event *event)
{
	events->totals[event->kind] += event->count;
	drop(events, event);
}

void events_tell(struct events *events, enum event_kind kind, uint64_t count, uint64_t first_us,
		 const char *target, const char *detail)
{
	struct event_entry entry = {
		.event = {.kind = (uint8_t)kind,
			  .severity = (uint8_t)event_kind_severity(kind),
			  .count = count,
			  .first_us = first_us},
		.number = -1,
	};

	(void)snprintf(entry.event.target, sizeof(entry.event.target), "%s", target);
	(void)snprintf(entry.event.detail, sizeof(entry.event.detail), "%s", detail);
	events_add(events, &entry);
}

static void write_one(const struct event *event, struct buf *outcome)
{
	uint8_t body[sizeof(*event) + 16];
	struct wr wr;

	wr_init(&wr, body, sizeof(body));
	event_encode(&wr, event);
	bundle_add(outcome, BUNDLE_EVENT, NULL, 0, body, wr.length);
}

/* One entry for all of a kind that no other entry tells of. */
static void write_dropped(const struct events *events, unsigned kind, struct buf *outcome)
{
	struct event rest = {.kind = (uint8_t)kind,
			     .severity = events->dropped_severity[kind],
			     .is_rest = 1,
			     .count = events->dropped[kind],
			     .detail = "more than are listed; counted, not looked at"};

	write_one(&rest, outcome);
}

void events_write(const struct events *events, struct buf *outcome, struct job_done *done)
{
	for (unsigned i = 0; i < events->count; i++)
		write_one(&events->list[i].event, outcome);
	for (unsigned kind = 0; kind < EVENT_KINDS; kind++) {
		done->event_counts[kind] = events->totals[kind];
		done->events_dropped += events->dropped[kind];
		if (events->dropped[kind] > 0)
			write_dropped(events, kind, outcome);
	}
}
