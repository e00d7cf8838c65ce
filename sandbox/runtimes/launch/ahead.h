/*
 * sandbox/runtimes/launch/ahead.h - an interpreter that is started before its job comes.
 *
 * It gets: descriptor 0, a memory file that will hold the job's standard input; 1 and 2, the
 * job's output; 3, one end of a stream socket pair. On 3 it writes one byte 'R' when it can
 * take a job, and then reads it: u32 number of arguments, each u32 bytes and the bytes; u32
 * number of variables, each u32 bytes and "NAME=value"; u32 bytes of code and the code. All
 * numbers are little-endian. At its end it writes u32 bytes and the report's JSON, and exits;
 * one whose exit takes long writes its exit status, u8, behind the report, and is killed. From
 * the first byte of the job on whatever comes from there is hostile.
 */
#ifndef SANDBOX_RUNTIMES_LAUNCH_AHEAD_H
#define SANDBOX_RUNTIMES_LAUNCH_AHEAD_H

#include "sandbox/runtimes/launch/words.h"
#include "sandbox/zygote/ops.h"

/* Behind the wall: starts the program and waits until it says that it is ready. */
nodiscard int ahead_start(char *const *argv, char *const *variables, struct err *err);

/* Gives it the job and waits for its end, or its word that this is it. */
void ahead_run(const struct words *words, const char *code, size_t length, struct job_end *ret);

#endif
