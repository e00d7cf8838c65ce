/*
 * tests/unit/layers/child.h - layers are irreversible, so each is tried in a forked child that
 * reports by its exit code; asserts stay in the parent.
 */
#ifndef TESTS_UNIT_LAYERS_CHILD_H
#define TESTS_UNIT_LAYERS_CHILD_H

#include "base/err.h"

/* Host uids for the tests that run as root; apart from those of a running service. */
#define TEST_UID_FIRST 1950000000u
#define TEST_UID_COUNT 2048u

#define TEST_ROOT_PATHS "/usr,/etc/ld.so.cache,/etc/alternatives"

/* Runs `act` in a child. Exit code, or 1000 + the signal that ended it. */
int child_run(int (*act)(const void *data), const void *data);

/* The user namespace that the warden would enter: a range as root, a single mapping otherwise.
 * 0 or -errno, printed to stderr. */
int child_enter_userns(void);

/* Like the warden: user namespace and empty network; and the worker's root. */
int child_enter_root(void);

/* Prints why to stderr (Criterion shows it) and returns `code`. */
int child_fail(int code, const struct err *err);

/* 1 for root, 0 for an ordinary user. */
int child_is_root(void);

#endif
