#include "server/ledger/bucket.h"

#define MINUTE_US 60000000ull

static uint64_t bucket_capacity(const struct bucket *bucket)
{
	return bucket->rate_per_minute * MINUTE_US;
}

static void bucket_fill(struct bucket *bucket, uint64_t now_us)
{
	uint64_t passed_us = now_us > bucket->filled_us ? now_us - bucket->filled_us : 0;

	/* After a minute it is full whatever it held; this also bounds the product. */
	if (passed_us > MINUTE_US)
		passed_us = MINUTE_US;
	bucket->level += passed_us * bucket->rate_per_minute;
	if (bucket->level > bucket_capacity(bucket))
		bucket->level = bucket_capacity(bucket);
	bucket->filled_us = now_us;
}

void bucket_init(struct bucket *bucket, uint32_t rate_per_minute, uint64_t now_us)
{
	*bucket = (struct bucket){.rate_per_minute = rate_per_minute, .filled_us = now_us};
	bucket->level = bucket_capacity(bucket);
}

void bucket_set_rate(struct bucket *bucket, uint32_t rate_per_minute, uint64_t now_us)
{
	if (bucket->rate_per_minute == rate_per_minute)
		return;
	if (bucket->rate_per_minute == 0) {
		bucket_init(bucket, rate_per_minute, now_us);
		return;
	}
	bucket_fill(bucket, now_us);
	bucket->rate_per_minute = rate_per_minute;
	if (bucket->level > bucket_capacity(bucket))
		bucket->level = bucket_capacity(bucket);
}

bool bucket_take(struct bucket *bucket, uint64_t now_us, uint32_t *ret_wait_s)
{
	uint64_t missing;

	if (bucket->rate_per_minute == 0)
		return true;
	bucket_fill(bucket, now_us);
	if (bucket->level >= MINUTE_US) {
		bucket->level -= MINUTE_US;
		return true;
	}
	missing = MINUTE_US - bucket->level;
	*ret_wait_s = (uint32_t)(missing / bucket->rate_per_minute / 1000000u) + 1;
	return false;
}
