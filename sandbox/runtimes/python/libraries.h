/*
 * sandbox/runtimes/python/libraries.h - the zygote's shared libraries, made cheaper to fork.
 *
 * Runs in the zygote when everything is loaded, before the first worker.
 */
#ifndef SANDBOX_RUNTIMES_PYTHON_LIBRARIES_H
#define SANDBOX_RUNTIMES_PYTHON_LIBRARIES_H

#include <stdint.h>

/* Fewer and larger mappings; large pages for the library that holds `address`. Fails nowhere:
 * what cannot be changed stays as it is. */
void libraries_merge(uintptr_t address);

#endif
