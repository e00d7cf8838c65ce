/*
 * sandbox/layers/seccomp_rules.h - the lists of sandbox/seccomp as tables, for the compiler and
 * for the tests that try each rule.
 *
 * Vocabulary of a .def file; a misspelt name does not compile:
 *   ALLOW(name, why)               passes
 *   ALLOW_IF(name, why, cond...)   passes when all conditions hold; several lines mean "or"
 *   DENY(name, why)                EPERM: known to be dangerous
 *   DENY_IF(name, why, cond...)    EPERM with these arguments
 *   ABSENT(name, why)              ENOSYS like every call not listed; named because a library's
 *                                  fallback depends on it
 * Conditions; arguments count from 0:
 *   INT_IS(n, value)          the 32 bits the kernel reads of an int argument
 *   INT_BITS(n, mask, value)  those of them under `mask` are `value`
 *   LONG_IS(n, value)         all 64 bits
 *   LONG_BITS(n, mask, value)
 */
#ifndef SANDBOX_LAYERS_SECCOMP_RULES_H
#define SANDBOX_LAYERS_SECCOMP_RULES_H

#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>

#include "sandbox/layers/seccomp.h"

#define SECCOMP_CONDS_MAX 3

enum seccomp_verdict { SECCOMP_PASS, SECCOMP_DENY, SECCOMP_ABSENT };

struct seccomp_rule {
	int number; /* libseccomp's; negative: not on this architecture */
	enum seccomp_verdict verdict;
	unsigned cond_count;
	struct scmp_arg_cmp conds[SECCOMP_CONDS_MAX];
	const char *name;
	const char *why;
};

/* The list's rules in the order of the file. */
const struct seccomp_rule *seccomp_rules(enum seccomp_list list, size_t *ret_count);

#endif
