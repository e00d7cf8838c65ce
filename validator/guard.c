#include "validator/guard.h"

#include <string.h>

#include "schema/bundle.h"
#include "schema/guard.h"

_Static_assert(LIMIT_GUARD_POLICIES == 2 * POLICY_CHAIN_MAX + 1,
	       "the principal's chain, one that the request names, and the request's own");

static const enum policy_topic topics[GUARD_TOPICS] = {
	[GUARD_MODULES] = POLICY_MODULES,
	[GUARD_FUNCTIONS] = POLICY_FUNCTIONS,
};

bool guard_is_needed(const struct policy *policy, const char *language)
{
	if (strcmp(language, "python") != 0)
		return false;
	for (unsigned topic = 0; topic < GUARD_TOPICS; topic++)
		if (policy_has(policy, CODE_PYTHON, topics[topic]))
			return true;
	return false;
}

static bool has_lists(const struct policy *policy)
{
	for (unsigned topic = 0; topic < GUARD_TOPICS; topic++)
		if (name_list_denies_any(policy_list(policy, CODE_PYTHON, topics[topic])))
			return true;
	return false;
}

/* Of the chain, those that list anything. False: there are too many. */
static bool collect(const struct policy *policy, struct guard *guard)
{
	guard->count = 0;
	for (; policy != NULL; policy = policy_narrows(policy)) {
		struct guard_policy *one = &guard->policies[guard->count];

		if (!has_lists(policy))
			continue;
		if (guard->count == LIMIT_GUARD_POLICIES)
			return false;
		one->name = policy_name(policy);
		one->name_length = strnlen(one->name, LIMIT_NAME_BYTES);
		for (unsigned topic = 0; topic < GUARD_TOPICS; topic++)
			one->names[topic] = *policy_list(policy, CODE_PYTHON, topics[topic]);
		guard->count++;
	}
	return true;
}

int guard_add(const struct policy *policy, struct buf *payload, struct err *err)
{
	struct guard guard;
	own_buf lists;

	buf_init(&lists, LIMIT_GUARD_BYTES);
	if (!collect(policy, &guard))
		return err_set(err, E2BIG, "the policy %s narrows more than %d others",
			       policy_name(policy), LIMIT_GUARD_POLICIES - 1);
	guard_encode(&guard, &lists);
	if (buf_check(&lists, NULL) < 0)
		return err_set(err, E2BIG,
			       "the Python lists of the policy %s and those that it narrows "
			       "have more than %u bytes",
			       policy_name(policy), LIMIT_GUARD_BYTES);
	bundle_add(payload, BUNDLE_GUARD, NULL, 0, lists.data, lists.length);
	return 0;
}
