/*
 * sandbox/runtimes/python/libraries.h - the zygote's shared libraries, made cheaper to fork.
 *
 * Runs in the zygote when everything is loaded and nothing will run that writes to them.
 */
#ifndef SANDBOX_RUNTIMES_PYTHON_LIBRARIES_H
#define SANDBOX_RUNTIMES_PYTHON_LIBRARIES_H

#include <stdint.h>

/* Fewer mappings; their variables become snapshots, and so does the code of the library that
 * holds `address`, in large pages. Fails nowhere: what cannot be changed stays as it is. */
void libraries_merge(uintptr_t address);

#endif
