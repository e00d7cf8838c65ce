/*
 * sandbox/runtimes/python/second_lock.h - a policy's module and function lists, held to while
 * the code runs: names that come to be only then, which no reading of the source can decide.
 *
 * Two things look: an audit hook of the interpreter (PEP 578), which Python code cannot take
 * away, and a gate in the two functions through which modules are imported by name, because a
 * module that is loaded already raises no event. It is a filter, not a wall.
 *
 * A job whose policy lists nothing has no hook, and its gates stand open.
 */
#ifndef SANDBOX_RUNTIMES_PYTHON_SECOND_LOCK_H
#define SANDBOX_RUNTIMES_PYTHON_SECOND_LOCK_H

#include <stddef.h>

#include "sandbox/zygote/ops.h"

/* In the zygote, while sys.path names libraries only: makes what all workers have alike. -1: a
 * Python exception is pending. */
int second_lock_make(void);

/* Keeps a copy of the lists (schema/guard.h); nothing is enforced yet. */
nodiscard int second_lock_take(const char *data, size_t length, struct err *err);

/* From now on. -1: a Python exception is pending, and the job must not run. */
int second_lock_close(void);

/* Adds to the job's report what was refused. The text lives as long as the process. */
void second_lock_report(struct job_end *end);

#endif
