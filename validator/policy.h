/*
 * validator/policy.h - a policy document (schema/v1/policy.schema.json), ready to be asked.
 *
 * A policy may narrow another: code must then satisfy both, each with lists, sizes and
 * severities of its own. So what a request brings along can take away but never give, by
 * construction and not by comparing documents.
 *
 * Names are dotted and already resolved (os.system, whatever the code calls it). An entry names
 * a thing and everything below it; the entry with most labels decides, of two equal ones deny
 * does.
 *
 * A policy is read-only once compiled and lives as long as its set.
 */
#ifndef VALIDATOR_POLICY_H
#define VALIDATOR_POLICY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/name_list.h"
#include "validator/code/language.h"
#include "validator/faults.h"
#include "validator/schema.h"

#define POLICY_TOPIC_LIST(X)                     \
	X(MODULES, "modules", "module")          \
	X(FUNCTIONS, "functions", "function")    \
	X(ATTRIBUTES, "attributes", "attribute") \
	X(COMMANDS, "commands", "command")       \
	X(SYNTAX, "syntax", "syntax")

enum policy_topic {
#define X(symbol, name, one) POLICY_##symbol,
	POLICY_TOPIC_LIST(X)
#undef X
		POLICY_TOPICS
};

/* Kinds of syntax that code_enforce() knows; the schema has the same list. */
#define POLICY_SYNTAX_LIST(X)                 \
	X(BACKGROUND, "background")           \
	X(CODE_EVALUATION, "code-evaluation") \
	X(DYNAMIC_IMPORT, "dynamic-import")   \
	X(ENDLESS_LOOP, "endless-loop")       \
	X(STAR_IMPORT, "star-import")         \
	X(WITH, "with")

enum policy_syntax {
#define X(symbol, name) POLICY_##symbol,
	POLICY_SYNTAX_LIST(X)
#undef X
};

enum policy_severity {
	POLICY_OFF,
	POLICY_INFO,
	POLICY_LOW,
	POLICY_MEDIUM,
	POLICY_HIGH,
	POLICY_NEVER /* as a threshold: above all severities */
};

/* Longest chain of policies that narrow one another; a request's own is one more. */
#define POLICY_CHAIN_MAX 8

/* No limit of its own; the service's limits hold anyway. */
#define POLICY_NO_LIMIT UINT32_MAX

struct policy_size {
	uint32_t bytes, lines, line_bytes, nesting;
};

struct policy;
struct policy_set;

/* --- documents --------------------------------------------------------------------------- */

/* Compiles {name: document}, in which each document is valid and complete (schema_fill). The
 * documents stay referenced. 0; -EBADMSG: `faults` names an unknown or circular "narrows", at
 * /NAME/narrows; -ENOMEM. */
nodiscard int policy_set_new(json_t *documents, struct policy_set **ret, struct faults *faults);

/* NULL is legal. */
void policy_set_free(struct policy_set *set);
void policy_set_drop(struct policy_set **set);

#define own_policy_set __attribute__((cleanup(policy_set_drop))) struct policy_set

/* NULL: there is none of that name. */
const struct policy *policy_find(const struct policy_set *set, const char *name);

const char *policy_name(const struct policy *policy);

/* The policy whose verdict comes first, or NULL. */
const struct policy *policy_narrows(const struct policy *policy);

/* A request's own document, valid and complete, on top of its principal's policy. `base` is
 * borrowed and must outlive it; whatever the document's "narrows" says is not looked at. 0 or
 * -ENOMEM. */
nodiscard int policy_narrow(const struct policy *base, const char *name, json_t *document,
			    struct policy **ret);

/* A policy of a set, with all that it narrows, on top of another: code must satisfy both. They
 * are borrowed and must outlive it. `*ret` is NULL where one of the two is the other's, or the
 * same: then the narrower one says it all. 0 or -ENOMEM. */
nodiscard int policy_join(const struct policy *base, const struct policy *extra,
			  struct policy **ret);

/* One that was narrowed or joined; NULL is legal. */
void policy_free(struct policy *policy);

/* Whether `inner` is `policy` or one that it narrows. */
bool policy_includes(const struct policy *policy, const struct policy *inner);

/* --- questions: each asks the whole chain ------------------------------------------------ */

/* Which policy of the chain denies a name, and by what. */
struct policy_denial {
	const struct policy *policy;
	const char *hint;  /* the policy's; NULL: what it does not name is allowed */
	const char *entry; /* of the deny list; NULL: it is not in the allow list */
	size_t length;
};

/* Whether some policy of the chain denies `name`. `ret` may be NULL. */
bool policy_denies(const struct policy *policy, enum code_language language,
		   enum policy_topic topic, const char *name, struct policy_denial *ret);

/* Whether any name of that topic could be denied; false: there is nothing to ask. */
bool policy_has(const struct policy *policy, enum code_language language,
		enum policy_topic topic);

/* The policy's own list, without those of the chain; it lives as long as the policy. */
const struct name_list *policy_list(const struct policy *policy, enum code_language language,
				    enum policy_topic topic);

/* The smallest of the chain. */
struct policy_size policy_sizes(const struct policy *policy);

/* A rule's severity: the strictest of what the chain says, so that nothing that narrows can
 * silence a rule. `own` is the rule's. */
enum policy_severity policy_severity(const struct policy *policy, const char *rule,
				     enum policy_severity own);

/* Whether a finding of that rule refuses the code. */
bool policy_rejects(const struct policy *policy, const char *rule, enum policy_severity own);

/* Whether code that cannot be parsed is refused. */
bool policy_refuses_unparseable(const struct policy *policy);

#endif
