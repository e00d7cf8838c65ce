#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/loop.h"

TestSuite(loop, .timeout = 10);

struct seen {
	char order[8];
	int count;
};

static struct seen seen;

static void fire(struct loop *loop, struct timer *timer)
{
	(void)loop;
	seen.order[seen.count++] = *(const char *)timer->owner;
}

static void fire_and_stop(struct loop *loop, struct timer *timer)
{
	fire(loop, timer);
	loop_stop(loop);
}

Test(loop, timers_fire_in_the_order_they_are_due)
{
	struct loop loop;
	struct timer a = {.fire = fire, .owner = "a"};
	struct timer b = {.fire = fire, .owner = "b"};
	struct timer never = {.fire = fire, .owner = "n"};
	struct timer last = {.fire = fire_and_stop, .owner = "z"};

	cr_assert(eq(int, loop_init(&loop, NULL), 0));
	loop_timer_start(&loop, &last, 30000);
	loop_timer_start(&loop, &b, 20000);
	loop_timer_start(&loop, &never, 15000);
	loop_timer_start(&loop, &a, 1000);
	loop_timer_stop(&loop, &never);
	cr_assert(eq(int, loop_run(&loop, NULL), 0));
	loop_done(&loop);

	cr_assert(eq(str, seen.order, "abz"));
}

Test(loop, a_timer_is_never_early_and_can_be_moved)
{
	struct loop loop;
	struct timer timer = {.fire = fire_and_stop, .owner = "t"};
	uint64_t start = clock_mono_us();

	cr_assert(eq(int, loop_init(&loop, NULL), 0));
	loop_timer_start(&loop, &timer, 1000);
	loop_timer_start(&loop, &timer, 25000);
	cr_assert(eq(int, loop_run(&loop, NULL), 0));
	loop_done(&loop);

	cr_assert(ge(u64, clock_mono_us() - start, 25000));
	cr_assert(eq(int, seen.count, 1));
}

struct pair {
	struct watch watches[2];
	int served;
};

/* Whoever is served first takes the other one away. */
static void take_the_other(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct pair *pair = watch->owner;

	(void)events;
	pair->served++;
	loop_unwatch(loop, &pair->watches[0]);
	loop_unwatch(loop, &pair->watches[1]);
	loop_stop(loop);
}

Test(loop, an_unwatched_descriptor_is_not_served_in_the_same_round)
{
	struct loop loop;
	struct pair pair = {.served = 0};
	int pipes[2][2];

	cr_assert(eq(int, loop_init(&loop, NULL), 0));
	for (int i = 0; i < 2; i++) {
		cr_assert(eq(int, pipe(pipes[i]), 0));
		cr_assert(eq(int, (int)write(pipes[i][1], "x", 1), 1));
		pair.watches[i] =
			(struct watch){.fd = -1, .ready = take_the_other, .owner = &pair};
		cr_assert(eq(int,
			     loop_watch(&loop, &pair.watches[i], pipes[i][0], EPOLLIN, NULL),
			     0));
	}
	cr_assert(eq(int, loop_run(&loop, NULL), 0));
	loop_done(&loop);

	cr_assert(eq(int, pair.served, 1));
}
