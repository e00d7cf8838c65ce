/*
 * validator/rulebook.h - what code is judged by: the rules, loaded once, and the policies in
 * force.
 *
 * A reload brings new policies. Those before stay beside them until the next one: the ledger
 * learns of a reload later than we do, and what it still asks for by a name that is gone must
 * be judged as it was.
 */
#ifndef VALIDATOR_RULEBOOK_H
#define VALIDATOR_RULEBOOK_H

#include "validator/catalog.h"
#include "validator/code/rules.h"
#include "validator/policy.h"

/* The policies of a configuration as JSON, complete, bytes: what the supervisor takes. */
#define RULEBOOK_POLICIES_BYTES_MAX (64u << 20)

struct rulebook {
	const struct schema *policy_schema; /* borrowed */
	struct code_rules rules;
	json_t *rule_ids;  /* that a policy may name */
	json_t *installed; /* policies that every configuration has */
	struct policy_set *policies, *previous;
};

/* Reads rules and policies beside the folder of schemas and compiles them; the catalog outlives
 * it. An error names the file, the rule and the reason. After a failure it is still to be given
 * to done(). */
nodiscard int rulebook_load(struct rulebook *rulebook, const struct catalog *catalog,
			    int schema_folder, struct err *err);
void rulebook_done(struct rulebook *rulebook);

/* Puts the policies of a configuration into force, {name: complete document} as JSON text. On
 * failure those in force stay. */
nodiscard int rulebook_adopt(struct rulebook *rulebook, const char *text, size_t length,
			     struct err *err);

/* NULL: there is none of that name, and was none. */
const struct policy *rulebook_policy(const struct rulebook *rulebook, const char *name);

#endif
