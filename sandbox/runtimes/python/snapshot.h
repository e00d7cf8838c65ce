/*
 * sandbox/runtimes/python/snapshot.h - memory of the zygote that it has no more part in.
 *
 * A page that the zygote has written belongs to a reverse map that all its forks and theirs have
 * in common, and every fork and every end of one of them waits for the locks of those maps: with
 * processes among them that yield to all others, for a second. So what the zygote has loaded
 * goes into sealed files in memory of which each process has a private view. A fork copies none
 * of their pages, and what a worker writes belongs to it and its children alone.
 */
#ifndef SANDBOX_RUNTIMES_PYTHON_SNAPSHOT_H
#define SANDBOX_RUNTIMES_PYTHON_SNAPSHOT_H

#include <stdint.h>

/* The pages from `start` to `end`, both of which may lie inside one, become such a view, with
 * `rights` (PROT_*); in large pages where the kernel can (Linux 6.1). Nothing may write to them
 * meanwhile, and whoever does later gets a reverse map of his own again. Fails nowhere: where it
 * cannot be done the memory stays as it is, slower, not wrong. */
void snapshot_take(uintptr_t start, uintptr_t end, int rights);

#endif
