/*
 * sandbox/layers/seccomp_rules.h - the lists of sandbox/seccomp as tables, for the compiler and
 * for the tests that try each rule.
 *
 * Vocabulary of a .def file; a misspelt name does not compile:
 *   ALLOW(name, why)                     passes
 *   ALLOW_IF(name, why, cond...)         passes when all conditions hold; several lines: "or"
 *   DENY(name, KIND, why)                EPERM and an event: known to be dangerous
 *   DENY_IF(name, KIND, why, cond...)    the same, with these arguments
 *   DENY_MILD(...), DENY_MILD_IF(...)    the same, but ordinary programs try it: severity info
 *   OBSERVE(name, KIND, why)             passes; the warden is told before
 *   PRETEND(name, why)                   0 without a call: there is nothing to do
 *   ABSENT(name, why)                    ENOSYS like every call not listed; named because a
 *                                        library's fallback depends on it
 * KIND: of schema/events.h. A runtime's own lines come on top of base.def; where they name a
 * call that base.def denies whatever its arguments, they replace that line.
 * Conditions; arguments count from 0:
 *   INT_IS(n, value)          the 32 bits the kernel reads of an int argument
 *   INT_BITS(n, mask, value)  those of them under `mask` are `value`
 *   LONG_IS(n, value)         all 64 bits
 *   LONG_BITS(n, mask, value)
 *   LONG_NOT(n, value)        any other 64 bits
 * Of several lines of one call the first that holds decides.
 */
#ifndef SANDBOX_LAYERS_SECCOMP_RULES_H
#define SANDBOX_LAYERS_SECCOMP_RULES_H

#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sandbox/layers/seccomp.h"

#define SECCOMP_CONDS_MAX 3

enum seccomp_verdict {
	SECCOMP_PASS,
	SECCOMP_DENY,
	SECCOMP_OBSERVE,
	SECCOMP_PRETEND,
	SECCOMP_ABSENT
};

struct seccomp_rule {
	int number; /* libseccomp's; negative: not on this architecture */
	enum seccomp_verdict verdict;
	unsigned cond_count;
	struct scmp_arg_cmp conds[SECCOMP_CONDS_MAX];
	const char *name;
	const char *why;
	const char *conds_text; /* as in the file; empty: none */
	uint8_t kind;		/* enum event_kind: of DENY and OBSERVE */
	bool is_mild;
};

/* More rules than all lists have together. */
#define SECCOMP_RULES_MAX 512

struct seccomp_rules {
	const struct seccomp_rule *list[SECCOMP_RULES_MAX];
	size_t count;
};

/* The list's rules in the order of the files, base first. */
void seccomp_rules(enum seccomp_list list, struct seccomp_rules *ret);
void seccomp_rules_covered(enum seccomp_list list, uint32_t covers, struct seccomp_rules *ret);

/* True when every condition holds. */
bool seccomp_rule_holds(const struct seccomp_rule *rule, const uint64_t args[6]);

const char *seccomp_list_name(enum seccomp_list list);
const char *seccomp_list_purpose(enum seccomp_list list);

/* -ENOENT with the names there are. */
nodiscard int seccomp_list_find(const char *name, enum seccomp_list *ret, struct err *err);

#endif
