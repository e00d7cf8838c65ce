/*
 * sandbox/runtimes/python/interp.h - the embedded interpreter: one per process, one thread.
 *
 * Zygote:  interp_start, interp_preload, interp_settle, then interp_fork_* around each fork.
 * Worker:  interp_enter, interp_rehearse, then one job: interp_add_*, interp_run, interp_stop.
 */
#ifndef SANDBOX_RUNTIMES_PYTHON_INTERP_H
#define SANDBOX_RUNTIMES_PYTHON_INTERP_H

#include <stdbool.h>
#include <stddef.h>

#include "sandbox/zygote/ops.h"

/* Starts the interpreter, isolated: no environment, no user site, no bytecode files. */
nodiscard int interp_start(struct err *err);

/* Imports the comma-separated modules. One that is not installed is no error. */
nodiscard int interp_preload(const char *list, struct zygote_modules *ret, struct err *err);

/* Warms what jobs use, collects garbage, freezes what is left and practises a worker's way. */
nodiscard int interp_settle(struct err *err);

void interp_fork_before(void);
void interp_fork_parent(void);
void interp_fork_child(void);

/* In the worker: randomness and sys.path of its own. */
nodiscard int interp_enter(struct err *err);

/* Walks the way of a job with an empty one, so that its page faults are paid before the real
 * one comes. Leaves nothing behind. */
nodiscard int interp_rehearse(struct err *err);

/* The job's arguments and environment, in order. */
nodiscard int interp_add_argument(const char *data, size_t length, struct err *err);
nodiscard int interp_add_variable(const char *name, size_t name_length, const char *data,
				  size_t length, struct err *err);

/* Runs the source as __main__ of main.py. Never fails: whatever goes wrong is the job's end. */
void interp_run(const char *code, size_t length, struct job_end *ret);

/* What the interpreter does at exit, but for taking itself apart: threads, atexit, finalizers,
 * buffered output. Returns the exit status. */
int interp_stop(int status);

#endif
