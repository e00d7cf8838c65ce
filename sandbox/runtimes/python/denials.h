/*
 * sandbox/runtimes/python/denials.h - what the second lock refused, for the worker's report.
 * Bounded: equal ones are one with a count, and what does not fit is counted.
 */
#ifndef SANDBOX_RUNTIMES_PYTHON_DENIALS_H
#define SANDBOX_RUNTIMES_PYTHON_DENIALS_H

#include <stddef.h>

#include "sandbox/zygote/ops.h"
#include "schema/guard.h"

#define DENIALS_NAME_BYTES 120 /* of a name that is shown; longer ones are cut */

/* Cuts to whole characters; `ret` holds DENIALS_NAME_BYTES + 1. */
void denials_cut(char *ret, const char *name, size_t length);

/* The code begins now. */
void denials_start(void);

void denials_add(enum guard_topic topic, const char *name, size_t length,
		 const struct guard_denial *denial);

/* Puts the members "denials" and "denials_dropped" into the report of `end`, or makes one. The
 * text lives as long as the process. Without a denial nothing changes. */
void denials_report(struct job_end *end);

#endif
