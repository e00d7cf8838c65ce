/*
 * sandbox/runtimes/launch/version.h - asks an installed program what version it is. In the
 * zygote, when it starts; no byte of a job is there.
 */
#ifndef SANDBOX_RUNTIMES_LAUNCH_VERSION_H
#define SANDBOX_RUNTIMES_LAUNCH_VERSION_H

#include <stddef.h>

#include "base/err.h"
#include "sandbox/runtimes/launch/plan.h"

/* Runs the plan's command and takes the first number with dots out of what it prints. */
nodiscard int version_ask(const struct plan *plan, char *ret, size_t size, struct err *err);

/* The first number with dots in `text`, "5.2.15" of "GNU bash, version 5.2.15(1)-release". */
nodiscard int version_find(const char *text, char *ret, size_t size, struct err *err);

#endif
