/*
 * validator/policies.h - all policies of a service: those that are installed with it, which
 * every service has, and those of its configuration.
 */
#ifndef VALIDATOR_POLICIES_H
#define VALIDATOR_POLICIES_H

#include <jansson.h>

#include "base/err.h"
#include "validator/policy.h"

/* Reads the folder "policies" beside the folder of schemas (borrowed). `*ret` becomes {name:
 * document}, the caller's. */
nodiscard int policies_read(int schema_folder, const struct schema *schema, json_t **ret,
			    struct err *err);

/* Compiles the installed and the configured ones together; each document is valid and complete.
 * 0; -EBADMSG: `faults` says what is wrong with the configured ones, at /NAME...; -ENOMEM. */
nodiscard int policies_compile(json_t *installed, json_t *configured, struct policy_set **ret,
			       struct faults *faults);

#endif
