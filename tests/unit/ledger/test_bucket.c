#include "server/ledger/bucket.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#define SECOND 1000000u

TestSuite(bucket, .timeout = 10);

static uint32_t take_all(struct bucket *bucket, uint64_t now_us)
{
	uint32_t taken = 0;
	uint32_t wait_s = 0;

	while (bucket_take(bucket, now_us, &wait_s))
		taken++;
	return taken;
}

Test(bucket, gives_a_minutes_worth_at_once_and_then_the_rate)
{
	struct bucket bucket;

	bucket_init(&bucket, 60, 5);

	cr_assert(eq(u32, take_all(&bucket, 5), 60));
	cr_assert(eq(u32, take_all(&bucket, 5 + SECOND - 1), 0));
	cr_assert(eq(u32, take_all(&bucket, 5 + SECOND), 1));
	cr_assert(eq(u32, take_all(&bucket, 5 + 11 * SECOND), 10));
	cr_assert(eq(u32, take_all(&bucket, 5 + 1000ull * SECOND), 60));
}

Test(bucket, says_when_to_come_again)
{
	struct bucket bucket;
	uint32_t wait_s = 0;

	bucket_init(&bucket, 3, 0);
	cr_assert(eq(u32, take_all(&bucket, 0), 3));

	cr_assert(not(bucket_take(&bucket, 0, &wait_s)));
	cr_assert(eq(u32, wait_s, 21));
	cr_assert(bucket_take(&bucket, (uint64_t)wait_s * SECOND, &wait_s));
}

Test(bucket, loses_nothing_to_rounding)
{
	struct bucket bucket;
	uint64_t now_us = 0;
	uint32_t taken = 0;

	bucket_init(&bucket, 7, 0);
	(void)take_all(&bucket, 0);
	for (; now_us < 600ull * SECOND; now_us += 37)
		taken += take_all(&bucket, now_us);

	cr_assert(ge(u32, taken, 69));
	cr_assert(le(u32, taken, 70));
}

Test(bucket, without_a_rate_there_is_no_limit)
{
	struct bucket bucket;
	uint32_t wait_s = 0;

	bucket_init(&bucket, 0, 0);
	for (int i = 0; i < 1000; i++)
		cr_assert(bucket_take(&bucket, 0, &wait_s));
}

Test(bucket, a_new_rate_keeps_what_was_used)
{
	struct bucket bucket;

	bucket_init(&bucket, 10, 0);
	cr_assert(eq(u32, take_all(&bucket, 0), 10));
	bucket_set_rate(&bucket, 100, 0);
	cr_assert(eq(u32, take_all(&bucket, 0), 0));
	bucket_set_rate(&bucket, 0, 0);
	bucket_set_rate(&bucket, 5, 0);
	cr_assert(eq(u32, take_all(&bucket, 0), 5));
}

Test(bucket, a_clock_that_stands_still_gives_nothing)
{
	struct bucket bucket;

	bucket_init(&bucket, 10000000, 1000);
	(void)take_all(&bucket, 1000);
	cr_assert(eq(u32, take_all(&bucket, 1000), 0));
	cr_assert(eq(u32, take_all(&bucket, 0), 0));
}
