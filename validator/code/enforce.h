/*
 * validator/code/enforce.h - what a policy says of one source.
 */
#ifndef VALIDATOR_CODE_ENFORCE_H
#define VALIDATOR_CODE_ENFORCE_H

#include "validator/code/rules.h"
#include "validator/policy.h"

/* Adds what the policy's lists deny, by resolved names; `code` has its bindings. */
void code_enforce(const struct policy *policy, struct code *code,
		  struct code_findings *findings);

/* Adds what its sizes do not allow. */
void code_enforce_size(const struct policy *policy, const char *text, size_t length,
		       struct code_findings *findings);

/* How much a finding matters to the policy, NULL: by its severity alone. */
unsigned code_weight(const struct policy *policy, const struct code_finding *finding);

/* Gives each finding the severity that the policy has for it, takes out those that it silences,
 * and marks those that reject. */
void code_decide(const struct policy *policy, struct code_findings *findings);

#endif
