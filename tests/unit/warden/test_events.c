#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

#include "sandbox/warden/decode.h"
#include "sandbox/warden/events.h"
#include "schema/bundle.h"

TestSuite(events, .timeout = 10);

static struct event_entry entry(enum event_kind kind, int number)
{
	struct event_entry made = {.event = {.kind = (uint8_t)kind, .count = 1},
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
		for (int number = 0; number < LIMIT_EVENTS + 5; number++) {
			struct event_entry one = entry(EVENT_MOUNT, number);

			events_add(&events, &one);
		}
	}
	events_count(&events, &mild.event);
	cr_expect(eq(uint, events.count, LIMIT_EVENTS));
	cr_expect(eq(u64, events.dropped[EVENT_MOUNT], 3 * 5));

	buf_init(&outcome, 1 << 20);
	events_write(&events, &outcome, &done);
	cr_expect(eq(u64, done.event_counts[EVENT_MOUNT], 3 * (LIMIT_EVENTS + 5)));
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
	cr_expect(eq(u64, sum, 3 * (LIMIT_EVENTS + 5) + 1));
	events_done(&events);
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
