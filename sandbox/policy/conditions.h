/*
 * sandbox/policy/conditions.h - a rule's conditions as a person writes them.
 */
#ifndef SANDBOX_POLICY_CONDITIONS_H
#define SANDBOX_POLICY_CONDITIONS_H

#include <stddef.h>

/* "INT_IS(1, F_DUPFD), LONG_BITS(0, A | B, 0)" becomes "arg1 == F_DUPFD, arg0 & (A | B) == 0".
 */
void conditions_text(const char *source, char *ret, size_t size);

#endif
