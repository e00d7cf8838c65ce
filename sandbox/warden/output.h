/*
 * sandbox/warden/output.h - when what a worker prints is read.
 *
 * Not when it comes. Most jobs soon end, and then all of it is read at once (ending.c). To read
 * each line would wake the warden in the middle of the job, on the job's processor, and beside
 * jobs that give way the job gets that back a tick of the clock (4 ms) later. After a first
 * look a job that has printed much is listened to, after a second look every one.
 */
#ifndef SANDBOX_WARDEN_OUTPUT_H
#define SANDBOX_WARDEN_OUTPUT_H

#include "sandbox/warden/slot.h"

/* Fails if the worker, which has no job yet, has printed something: it would pass for the
 * job's. */
nodiscard int output_expect_silence(const struct slot *slot, struct err *err);

/* The job has begun. */
void output_begin(struct slot *slot);

/* One of the slot's streams has passed its limit. */
void output_is_over(struct stream *stream);

#endif
