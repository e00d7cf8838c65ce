#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <string.h>

#include "sandbox/warden/child.h"
#include "sandbox/warden/making.h"
#include "sandbox/warden/pool.h"
#include "sandbox/warden/slot.h"
#include "schema/status.h"

TestSuite(slot, .timeout = 10);

Test(slot, the_way_of_a_worker_is_allowed)
{
	static const enum slot_state way[] = {SLOT_EMPTY,   SLOT_CELL_MAKING, SLOT_FORKING,
					      SLOT_LOCKING, SLOT_READY,	      SLOT_BUSY,
					      SLOT_ENDING,  SLOT_EMPTY};

	for (size_t i = 1; i < ARRAY_COUNT(way); i++)
		cr_assert(slot_may_enter(way[i - 1], way[i]));
}

Test(slot, every_living_state_can_end)
{
	for (int state = SLOT_CELL_MAKING; state < SLOT_ENDING; state++)
		cr_assert(slot_may_enter((enum slot_state)state, SLOT_ENDING));
}

Test(slot, no_job_without_lockdown_and_no_second_job)
{
	for (int state = 0; state < SLOT_STATES; state++)
		cr_assert(eq(int, slot_may_enter((enum slot_state)state, SLOT_BUSY),
			     state == SLOT_READY));
	for (int state = 0; state < SLOT_STATES; state++)
		cr_assert(eq(int, slot_may_enter((enum slot_state)state, SLOT_READY),
			     state == SLOT_LOCKING));
}

TestSuite(pool, .timeout = 10);

Test(pool, one_at_a_time_in_the_background)
{
	struct pool_view view = {.ready = 4, .low = 2, .high = 8};

	cr_assert(eq(uint, pool_wanted(&view), 1));
	view.making = 1;
	cr_assert(eq(uint, pool_wanted(&view), 0));
}

Test(pool, two_at_a_time_when_it_runs_low)
{
	struct pool_view view = {.ready = 1, .low = 2, .high = 8};

	cr_assert(eq(uint, pool_wanted(&view), 2));
}

Test(pool, full_is_full)
{
	struct pool_view view = {.ready = 7, .making = 1, .low = 2, .high = 8};

	cr_assert(eq(uint, pool_wanted(&view), 0));
	view.ready = 8;
	view.making = 0;
	cr_assert(eq(uint, pool_wanted(&view), 0));
}

Test(pool, jobs_that_wait_raise_the_target)
{
	struct pool_view view = {.ready = 0, .waiting = 5, .low = 0, .high = 1};

	cr_assert(eq(uint, pool_wanted(&view), 2));
}

Test(pool, what_can_wait_waits_in_the_background_only)
{
	struct pool_view view = {.ready = 4, .low = 4, .high = 8, .is_restful = true};

	cr_assert(eq(uint, pool_wanted(&view), 0));
	view.ready = 3;
	cr_assert(eq(uint, pool_wanted(&view), 2));
}

Test(pool, rests_until_an_answer_is_out)
{
	uint64_t now = 1000000;

	cr_assert(eq(u64, pool_rest_us(0, now - 1000, now), 2000));
	cr_assert(eq(u64, pool_rest_us(0, now - 3000, now), 0));
	cr_assert(eq(u64, pool_rest_us(now, now, now), 50000));
	cr_assert(eq(u64, pool_rest_us(now - 49999, now - 49999, now), 1));
}

Test(pool, does_not_rest_for_a_job_that_runs_long)
{
	uint64_t now = 1000000;

	cr_assert(eq(u64, pool_rest_us(now - 50000, now - 50000, now), 0));
	cr_assert(eq(u64, pool_rest_us(now - 900000, now - 1000, now), 2000));
}

TestSuite(backoff, .timeout = 10);

Test(backoff, doubles_up_to_its_end)
{
	cr_assert(eq(u64, backoff_us(0), 0));
	cr_assert(eq(u64, backoff_us(1), 100000));
	cr_assert(eq(u64, backoff_us(2), 200000));
	cr_assert(eq(u64, backoff_us(4), 800000));
	cr_assert(eq(u64, backoff_us(1000000), 30000000));
}

TestSuite(layers, .timeout = 10);

Test(layers, the_missing_ones_are_named)
{
	struct err err = {0};

	cr_assert(eq(int, making_check_layers(LAYER_SECCOMP, LAYER_SECCOMP, &err), 0));
	cr_assert(eq(int, making_check_layers(LAYER_ALL, LAYER_ALL & ~LAYER_LANDLOCK, &err),
		     -ENOTSUP));
	cr_assert(ne(ptr, strstr(err.text, "landlock"), NULL));
	cr_assert(eq(ptr, strstr(err.text, "user_namespace"), NULL));
	cr_assert(eq(int, making_check_layers(LAYER_ALL, 0, &err), -ENOTSUP));
}
