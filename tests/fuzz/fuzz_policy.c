/*
 * tests/fuzz/fuzz_policy.c - a set of policies {name: document}, as a configuration has them.
 * What is refused says where. What is not can be asked, and narrowing one by another of the set
 * never allows what it denied.
 */
#include <assert.h>
#include <stdint.h>

#include "tests/fuzz/schemas.h"
#include "validator/json_guard.h"
#include "validator/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = {"os", "os.path.join", "builtins.eval", "rm", "",
				    ".",  "a..b"};

static bool is_complete(json_t *documents)
{
	const struct schema *schema = fuzz_schema(CATALOG_POLICY);
	const char *name;
	json_t *document;

	json_object_foreach(documents, name, document)
	{
		if (schema_judge(schema, document, NULL) != SCHEMA_VALID ||
		    schema_fill(schema, document) < 0)
			return false;
	}
	return json_is_object(documents);
}

static void compare(const struct policy *base, const struct policy *narrow)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		for (unsigned topic = 0; topic < POLICY_TOPICS; topic++)
			for (unsigned in = 0; in < CODE_LANGUAGES; in++)
				assert(!policy_denies(base, (enum code_language)in,
						      (enum policy_topic)topic, names[i],
						      NULL) ||
				       policy_denies(narrow, (enum code_language)in,
						     (enum policy_topic)topic, names[i], NULL));
	assert(policy_sizes(narrow).bytes <= policy_sizes(base).bytes);
	assert(!policy_rejects(base, "py-a", POLICY_LOW) ||
	       policy_rejects(narrow, "py-a", POLICY_LOW));
	assert(policy_severity(narrow, "py-a", POLICY_LOW) >=
	       policy_severity(base, "py-a", POLICY_LOW));
}

static void ask(const struct policy_set *set, json_t *documents)
{
	const char *name;
	const char *other;
	json_t *document;

	json_object_foreach(documents, name, document)
	{
		const struct policy *base = policy_find(set, name);
		json_t *wanted;

		assert(base != NULL);
		json_object_foreach(documents, other, wanted)
		{
			struct policy *narrow = NULL;

			assert(policy_narrow(base, other, wanted, &narrow) == 0);
			compare(base, narrow);
			policy_free(narrow);
			assert(policy_join(base, policy_find(set, other), &narrow) == 0);
			if (narrow != NULL) {
				compare(base, narrow);
				compare(policy_find(set, other), narrow);
			}
			policy_free(narrow);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct faults faults;
	json_t *documents = NULL;
	struct policy_set *set = NULL;
	int status;

	if (json_guard_parse((const char *)data, size, &documents, &faults) != 0)
		return 0;
	if (is_complete(documents) && json_object_size(documents) <= 16) {
		status = policy_set_new(documents, &set, &faults);
		assert(status == 0 || (status == -EBADMSG && faults.count > 0));
		if (status == 0)
			ask(set, documents);
		policy_set_free(set);
	}
	json_decref(documents);
	return 0;
}
