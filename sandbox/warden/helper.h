/*
 * sandbox/warden/helper.h - what the warden's helpers have in common: processes that are forked
 * before it gives up its rights, keep what one task needs, and end after the warden.
 */
#ifndef SANDBOX_WARDEN_HELPER_H
#define SANDBOX_WARDEN_HELPER_H

#include <stddef.h>

#include "base/confine.h"

/* First in the child. `name` is what ps(1) shows, at most 15 bytes. */
void helper_begin(const char *name);

/* The end of its set-up: no new rights, and no system call but these. Where that fails the
 * helper ends. */
void helper_confine(const struct confine_syscall *allowed, size_t count);

#endif
