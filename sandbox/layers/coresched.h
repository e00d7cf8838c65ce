/*
 * sandbox/layers/coresched.h - layer: no other job on the same core at the same time.
 *
 * Two threads of a core share its caches, predictors and ports, by which a job could watch
 * another. The kernel runs only tasks of one cookie on a core at a time; each worker gets a
 * cookie of its own, which what it forks inherits. The filter keeps a job from changing it.
 *
 * Hardware without such threads, and a kernel without CONFIG_SCHED_CORE, have none to give: the
 * layer is then not there, which is said and not an error. (On a virtual machine the first says
 * nothing of the host's threads.)
 */
#ifndef SANDBOX_LAYERS_CORESCHED_H
#define SANDBOX_LAYERS_CORESCHED_H

#include <stdbool.h>

#include "base/err.h"

/* Gives the calling process a cookie and reads it back. 0 and false: there are none to have. */
nodiscard int coresched_apply(bool *ret_holds, struct err *err);

#endif
