/*
 * server/ledger/bucket.h - a token bucket: so many requests a minute, and a whole minute's
 * worth at once when nothing was asked before.
 *
 * The level is kept in microseconds times rate, so refilling needs no division and loses
 * nothing to rounding.
 */
#ifndef SERVER_LEDGER_BUCKET_H
#define SERVER_LEDGER_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

struct bucket {
	uint32_t rate_per_minute; /* 0: no limit */
	uint64_t level;
	uint64_t filled_us; /* monotonic, when `level` was last brought up to date */
};

/* A full bucket. */
void bucket_init(struct bucket *bucket, uint32_t rate_per_minute, uint64_t now_us);

/* A new rate after a reload; what was used stays used. */
void bucket_set_rate(struct bucket *bucket, uint32_t rate_per_minute, uint64_t now_us);

/* True: one token was taken. False: none is left, and the next comes in *ret_wait_s (1 or
 * more). */
bool bucket_take(struct bucket *bucket, uint64_t now_us, uint32_t *ret_wait_s);

#endif
