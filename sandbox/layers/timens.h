/*
 * sandbox/layers/timens.h - layer: a time namespace of its own for each cell.
 *
 * Before the cell's first process is cloned: the offsets of a time namespace can be set only
 * while nobody is in it. Its maker needs CAP_SYS_TIME in the user namespace that owns it.
 *
 * Guarantees: the monotonic clock, the boot-time clock and sysinfo(2)'s uptime say nothing
 * about when the host was started. The time of day is the host's; no namespace hides it.
 */
#ifndef SANDBOX_LAYERS_TIMENS_H
#define SANDBOX_LAYERS_TIMENS_H

#include "base/err.h"

/* The next process that the caller clones is born in a fresh time namespace, and so is every
 * later one until the next call. `proc_fd`: a /proc that counts pids as the caller does. */
nodiscard int timens_next(int proc_fd, struct err *err);

#endif
