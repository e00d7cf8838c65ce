/*
 * validator/rule_ids.h - which rules a policy may name. One that nobody has would never reject
 * anything, and its policy would look as if it did.
 */
#ifndef VALIDATOR_RULE_IDS_H
#define VALIDATOR_RULE_IDS_H

#include <jansson.h>

#include "validator/code/rules.h"
#include "validator/faults.h"

/* Loads the rules of the folder "rules" beside the folder of schemas (borrowed); no example is
 * run. */
nodiscard int rules_read(int schema_folder, const struct schema *schema, struct code_rules *ret,
			 struct err *err);

/* The ids that a finding may have: of all rules, and of what is found without one. An object
 * with a member for each, the caller's; NULL: no memory. */
json_t *rule_ids_of(const struct code_rules *rules);

/* The same of the rules that rules_read() loads. */
nodiscard int rule_ids_read(int schema_folder, const struct schema *schema, json_t **ret,
			    struct err *err);

/* Faults for the ids in a valid policy's "severities" and "reject" that are not in `ids`. */
void rule_ids_check(json_t *ids, const json_t *policy, const struct place *place,
		    struct faults *faults);

#endif
