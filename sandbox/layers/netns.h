/*
 * sandbox/layers/netns.h - layer: an empty network namespace for each slot of the pool.
 *
 * Made ahead by the warden inside U0 and used again from job to job (1 ms to make, and nothing
 * can stay behind in it: a job holds no socket and has no capability over it, because it
 * belongs to U0 and not to the cell's user namespace).
 *
 * Guarantees: no interface is up, not even lo, and no address is configured.
 */
#ifndef SANDBOX_LAYERS_NETNS_H
#define SANDBOX_LAYERS_NETNS_H

#include "base/err.h"

/* A new, empty network namespace owned by the caller's user namespace; setns(2) accepts the
 * descriptor. Works without /proc. Side effect of the first call: the caller itself leaves the
 * host's network for an empty namespace of its own, for good. */
nodiscard int netns_new(int *ret_fd, struct err *err);

/* -EPERM if any interface of the caller's network namespace is up. */
nodiscard int netns_check(struct err *err);

#endif
