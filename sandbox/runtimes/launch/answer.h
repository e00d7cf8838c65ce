/*
 * sandbox/runtimes/launch/answer.h - what a program that was started ahead says at its end: u32
 * bytes of the report, little-endian, the report's JSON, and perhaps its exit status, u8. All
 * of it is hostile, comes in pieces, and may never be whole.
 */
#ifndef SANDBOX_RUNTIMES_LAUNCH_ANSWER_H
#define SANDBOX_RUNTIMES_LAUNCH_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#include "schema/limits.h"

#define ANSWER_HEAD_BYTES 4

/* All zero at first. Pieces are received at bytes + length, of at most answer_room() bytes. */
struct answer {
	char bytes[ANSWER_HEAD_BYTES + LIMIT_REPORT_BYTES + 1];
	size_t length;
	bool is_over; /* nothing more comes, or nothing more is wanted */
};

/* 0 as soon as the answer is over, and never then. */
size_t answer_room(const struct answer *answer);

/* `got` bytes, at most answer_room(), were put behind the others; 0: no more will come. */
void answer_took(struct answer *answer, size_t got);

/* The whole report, not terminated, in the answer's own memory; NULL: there is none (yet). */
const char *answer_report(const struct answer *answer, size_t *ret_length);

/* The exit status behind the whole report, 0 to 255; -1: there is none (yet). */
int answer_status(const struct answer *answer);

#endif
