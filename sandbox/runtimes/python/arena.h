/*
 * sandbox/runtimes/python/arena.h - where Python's objects live.
 *
 * What the zygote allocates lies in one region of 2 MiB pages: a fork then copies, and an exit
 * then walks, one page-table entry where there would be 512, which halves the cost of both.
 * Workers get their own new arenas in ordinary pages, so that a small job is charged for what
 * it touches and not for 2 MiB at a time.
 */
#ifndef SANDBOX_RUNTIMES_PYTHON_ARENA_H
#define SANDBOX_RUNTIMES_PYTHON_ARENA_H

#include <stdbool.h>

/* Before Py_Initialize. Where the region or large pages cannot be had, arenas are ordinary
 * memory: slower, not wrong. */
void arena_install(void);

/* From now on new arenas are ordinary memory. */
void arena_close_region(void);

/* In the zygote, once everything is loaded: makes large pages of what malloc has filled with
 * small ones. Without effect where the kernel cannot (before Linux 6.1). */
void arena_collapse(void);

/* Fills the gaps that garbage has left all over the zygote's memory, Python's and malloc's, so
 * that what workers allocate lies together: each gap that one of them fills costs it a page of
 * its own. Called once. */
void arena_prime(void);

/* After arena_prime(): whether what was there before it stays taken when it is freed. A gap it
 * leaves would be filled with the next object of its size, which may be one that each worker
 * writes to. */
void arena_keep_old(bool keep);

#endif
