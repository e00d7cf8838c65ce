#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

#include "sandbox/warden/decode.h"
#include "sandbox/warden/events.h"
#include "schema/bundle.h"

TestSuite(events, .timeout = 10);

#define CALLS (LIMIT_EVENTS - EVENTS_AT_THE_END)

static struct event_entry entry(enum event_kind kind, int number)
{
	struct event_entry made = {.event = {.kind = (uint8_t)kind,
					     .severity = (uint8_t)event_kind_severity(kind),
					     .count = 1},
				   .number = number,
				   .args = {(uint64_t)number},
				   .is_by_value = true};

	(void)snprintf(made.event.detail, sizeof(made.event.detail), "number %d", number);
	return made;
}

Test(events, equal_ones_are_one_and_what_does_not_fit_is_counted)
{
	struct events events = {.list = NULL};
	struct job_done done = {0};
	struct bundle_reader reader;
	struct bundle_entry found;
	struct event event;
	struct event_entry mild = entry(EVENT_KERNEL, 7);
	uint64_t sum = 0;
	own_buf outcome;
	struct span span;

	mild.event.severity = SEVERITY_INFO;
	for (int round = 0; round < 3; round++) {
		for (int number = 0; number < CALLS + 5; number++) {
			struct event_entry one = entry(EVENT_MOUNT, number);

			events_add(&events, &one);
		}
	}
	events_count(&events, &mild.event);
	cr_expect(eq(uint, events.count, CALLS));
	cr_expect(eq(u64, events.dropped[EVENT_MOUNT], 3 * 5));

	buf_init(&outcome, 1 << 20);
	events_write(&events, &outcome, &done);
	cr_expect(eq(u64, done.event_counts[EVENT_MOUNT], 3 * (CALLS + 5)));
	cr_expect(eq(u64, done.event_counts[EVENT_KERNEL], 1));
	cr_expect(eq(u64, done.events_dropped, 3 * 5 + 1));
	span = (struct span){.data = outcome.data, .length = outcome.length};
	bundle_reader_init(&reader, &span);
	while (bundle_next(&reader, &found, NULL) > 0) {
		cr_assert(eq(int, found.kind, BUNDLE_EVENT));
		cr_assert(eq(int, event_decode(found.data, found.length, &event, NULL), 0));
		sum += event.count;
		/* What is not listed is as severe as it was, not as its kind usually is. */
		if (event.kind == EVENT_KERNEL)
			cr_expect(eq(int, event.severity, SEVERITY_INFO));
	}
	cr_expect(eq(u64, sum, 3 * (CALLS + 5) + 1));
	events_done(&events);
}

static unsigned listed(const struct events *events, enum event_kind kind)
{
	unsigned count = 0;

	for (unsigned i = 0; i < events->count; i++)
		count += events->list[i].event.kind == kind;
	return count;
}

/* One kind of each severity, from the mildest. */
static const enum event_kind by_severity[] = {EVENT_PROGRAM, EVENT_NETWORK, EVENT_FILE,
					      EVENT_NAMESPACE};
#define SEVERER (EVENTS_FOR_SEVERER * SEVERITY_MAX)

Test(events, each_severity_leaves_room_for_those_above_and_all_calls_for_the_end)
{
	struct events events = {.list = NULL};

	for (unsigned severity = 0; severity <= SEVERITY_MAX; severity++) {
		cr_assert(eq(uint, (unsigned)event_kind_severity(by_severity[severity]),
			     severity));
		for (int number = 0; number < 2 * LIMIT_EVENTS; number++) {
			struct event_entry one = entry(by_severity[severity], number);

			events_add(&events, &one);
		}
		cr_expect(eq(uint, listed(&events, by_severity[severity]),
			     severity == 0 ? CALLS - SEVERER : EVENTS_FOR_SEVERER));
	}
	events_tell(&events, EVENT_LIMIT, 1, 0, "wall_ms", "");
	events_tell(&events, EVENT_LIMIT, 1, 0, "processes", "");
	events_tell(&events, EVENT_LIMIT, 1, 0, "workspace_bytes", "");
	events_tell(&events, EVENT_PROCESSES, 1, 0, "", "");
	events_tell(&events, EVENT_FILES, 1, 0, "", "");
	cr_expect(eq(uint, listed(&events, EVENT_LIMIT), 3));
	cr_expect(eq(uint, listed(&events, EVENT_PROCESSES), 1));
	cr_expect(eq(uint, listed(&events, EVENT_FILES), 1));
	cr_expect(eq(uint, events.count, LIMIT_EVENTS));
	events_done(&events);
}

Test(events, reading_ordinary_ones_leaves_some_for_others)
{
	struct events events = {.list = NULL};
	struct event_entry started = entry(EVENT_PROGRAM, 59);
	struct event_entry severe = entry(EVENT_NAMESPACE, 272);
	unsigned count = 0;

	while (events_may_decode(&events, &started))
		count++;
	cr_expect(eq(uint, count, EVENTS_DECODED_MAX - SEVERER));
	for (count = 0; events_may_decode(&events, &severe);)
		count++;
	cr_expect(eq(uint, count, SEVERER));
}

Test(events, a_call_with_the_same_arguments_is_known_without_a_look)
{
	struct events events = {.list = NULL};
	struct event_entry one = entry(EVENT_NETWORK, 41);
	struct event_entry pointed = entry(EVENT_NETWORK, 42);

	pointed.is_by_value = false;
	events_add(&events, &one);
	events_add(&events, &pointed);
	cr_expect(events_repeat(&events, &one.event, one.number, one.args));
	cr_expect(eq(u64, events.list[0].event.count, 2));
	/* What an address points at may be another text the next time. */
	cr_expect(not(events_repeat(&events, &pointed.event, pointed.number, pointed.args)));
	one.args[0]++;
	cr_expect(not(events_repeat(&events, &one.event, one.number, one.args)));
	events_done(&events);
}

Test(events, registers_that_the_text_does_not_show_do_not_count)
{
	struct seccomp_data data = {.nr = 41 /* socket */, .args = {2, 1, 0, 77, 78, 79}};
	uint64_t used[6];

	decode_used_arguments(&data, used);
	cr_expect(eq(u64, used[0], 2));
	cr_expect(eq(u64, used[1], 1));
	cr_expect(eq(u64, used[3] | used[4] | used[5], 0));
}
