/*
 * validator/guard.h - a policy's lists for the worker's second lock (schema/guard.h): of a name
 * that comes to be only at run time, the reading of the source could not decide.
 */
#ifndef VALIDATOR_GUARD_H
#define VALIDATOR_GUARD_H

#include "base/buf.h"
#include "validator/policy.h"

/* Whether code in that language, under that policy (NULL: none), is held to lists while it
 * runs. Only Python has such a lock. */
bool guard_is_needed(const struct policy *policy, const char *language);

/* Appends the BUNDLE_GUARD entry: the lists of every policy of the chain. -E2BIG: they are more
 * than the limits of schema/guard.h allow, and nothing was appended. */
nodiscard int guard_add(const struct policy *policy, struct buf *payload, struct err *err);

#endif
