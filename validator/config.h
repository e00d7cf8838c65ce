/*
 * validator/config.h - the operator's configuration file: checked against its schema, then for
 * what a schema cannot say, then completed with the defaults. Runs once, unconfined, before the
 * service starts; its input is the operator's, and its care is for good messages.
 */
#ifndef VALIDATOR_CONFIG_H
#define VALIDATOR_CONFIG_H

#include "validator/faults.h"
#include "validator/schema.h"

#define CONFIG_BYTES_MAX (4u << 20) /* 10,000 principals have about 2 MiB */

/* `policies` are those that are installed (validator/policies.h), `rule_ids` the rules that one
 * may name (validator/rule_ids.h; NULL: any). 0: `*ret` is the complete configuration;
 * -EBADMSG: `faults` says why; -ENOMEM. */
nodiscard int config_check(const struct schema *schema, json_t *policies, json_t *rule_ids,
			   const char *text, size_t length, json_t **ret,
			   struct faults *faults);

#endif
