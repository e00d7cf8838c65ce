#include "validator/policy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "validator/policy_names.h"

struct policy {
	const char *name; /* borrowed */
	json_t *document; /* referenced; names and severities point into it */
	const struct policy *narrows;
	struct name_list names[CODE_LANGUAGES][POLICY_TOPICS];
	char *hints[CODE_LANGUAGES][POLICY_TOPICS]; /* what is allowed; NULL: the rest */
	struct policy_size size;
	enum policy_severity threshold;
	bool refuses_unparseable;
	bool is_copy; /* its lists belong to the policy it is a copy of */
};

struct policy_set {
	json_t *documents; /* referenced */
	size_t count;
	struct policy *policies;
};

static const char *const language_names[] = {
#define X(symbol, name) name,
	CODE_LANGUAGE_LIST(X)
#undef X
};

static const char *const topic_names[] = {
#define X(symbol, name, one) name,
	POLICY_TOPIC_LIST(X)
#undef X
};

static const char *const severity_names[] = {
	[POLICY_OFF] = "off",	    [POLICY_INFO] = "info", [POLICY_LOW] = "low",
	[POLICY_MEDIUM] = "medium", [POLICY_HIGH] = "high", [POLICY_NEVER] = "none",
};

/* --- documents --------------------------------------------------------------------------- */

static enum policy_severity severity_of(const json_t *value, enum policy_severity otherwise)
{
	const char *name = json_string_value(value);

	for (unsigned i = 0; name != NULL && i <= POLICY_NEVER; i++) {
		if (strcmp(name, severity_names[i]) == 0)
			return (enum policy_severity)i;
	}
	return otherwise;
}

static uint32_t size_of(const json_t *sizes, const char *member)
{
	const json_t *value = json_object_get(sizes, member);

	return json_is_number(value) ? (uint32_t)json_number_value(value) : POLICY_NO_LIMIT;
}

static int load_names(struct policy *policy)
{
	for (unsigned language = 0; language < CODE_LANGUAGES; language++) {
		const json_t *lists =
			json_object_get(policy->document, language_names[language]);

		for (unsigned topic = 0; topic < POLICY_TOPICS; topic++) {
			int status =
				policy_names_load(json_object_get(lists, topic_names[topic]),
						  &policy->names[language][topic]);

			if (status == 0)
				status = policy_names_hint(&policy->names[language][topic],
							   topic_names[topic],
							   &policy->hints[language][topic]);
			if (status < 0)
				return status;
		}
	}
	return 0;
}

/* `policy` is zeroed. After a failure it is still to be given to done(). */
static int load(struct policy *policy, const char *name, json_t *document)
{
	const json_t *sizes = json_object_get(document, "size");
	const json_t *reject = json_object_get(document, "reject");
	const char *unparseable = json_string_value(json_object_get(document, "unparseable"));

	policy->name = name;
	policy->document = json_incref(document);
	policy->size = (struct policy_size){.bytes = size_of(sizes, "bytes"),
					    .lines = size_of(sizes, "lines"),
					    .line_bytes = size_of(sizes, "line_bytes"),
					    .nesting = size_of(sizes, "nesting")};
	policy->threshold = severity_of(json_object_get(reject, "severity"), POLICY_NEVER);
	policy->refuses_unparseable = unparseable != NULL && strcmp(unparseable, "refuse") == 0;
	return load_names(policy);
}

static void done(struct policy *policy)
{
	if (policy->is_copy)
		return;
	for (unsigned language = 0; language < CODE_LANGUAGES; language++) {
		for (unsigned topic = 0; topic < POLICY_TOPICS; topic++) {
			policy_names_done(&policy->names[language][topic]);
			free(policy->hints[language][topic]);
		}
	}
	json_decref(policy->document);
}

static int load_all(struct policy_set *set)
{
	const char *name;
	json_t *document;

	json_object_foreach(set->documents, name, document)
	{
		int status = load(&set->policies[set->count++], name, document);

		if (status < 0)
			return status;
	}
	return 0;
}

static size_t chain_length(const struct policy *policy)
{
	size_t length = 0;

	/* A circle is a chain that never ends, so it is enough to count. */
	while (policy != NULL && length <= POLICY_CHAIN_MAX) {
		policy = policy->narrows;
		length++;
	}
	return length;
}

static void link_all(struct policy_set *set, struct faults *faults)
{
	for (size_t i = 0; i < set->count; i++) {
		struct policy *policy = &set->policies[i];
		const char *base =
			json_string_value(json_object_get(policy->document, "narrows"));
		struct place at = {.key = policy->name, .length = strlen(policy->name)};
		struct place here = {.parent = &at, .key = "narrows", .length = 7};
		char shown[80];

		if (base == NULL)
			continue;
		policy->narrows = policy_find(set, base);
		if (policy->narrows == NULL) {
			text_show(shown, sizeof(shown), base, strlen(base));
			fault_hint(faults_add(faults, &here, "reference",
					      "there is no policy \"%s\"", shown),
				   "Name a policy of the configuration, or open, standard or "
				   "strict.");
		}
	}
}

static void check_chains(const struct policy_set *set, struct faults *faults)
{
	for (size_t i = 0; i < set->count; i++) {
		const struct policy *policy = &set->policies[i];
		struct place at = {.key = policy->name, .length = strlen(policy->name)};
		struct place here = {.parent = &at, .key = "narrows", .length = 7};

		if (chain_length(policy) > POLICY_CHAIN_MAX)
			fault_hint(
				faults_add(faults, &here, "chain",
					   "policies narrow one another in a circle, or more "
					   "than %d deep",
					   POLICY_CHAIN_MAX),
				"Let the chain end in a policy without \"narrows\".");
	}
}

int policy_set_new(json_t *documents, struct policy_set **ret, struct faults *faults)
{
	struct policy_set *set = calloc(1, sizeof(*set));
	int status;

	faults_init(faults);
	if (set == NULL)
		return -ENOMEM;
	set->documents = json_incref(documents);
	set->policies = calloc(json_object_size(documents) + 1, sizeof(*set->policies));
	status = set->policies == NULL ? -ENOMEM : load_all(set);
	if (status == 0) {
		link_all(set, faults);
		check_chains(set, faults);
		status = faults->count > 0 ? -EBADMSG : 0;
	}
	if (status < 0) {
		policy_set_free(set);
		return status;
	}
	*ret = set;
	return 0;
}

void policy_set_free(struct policy_set *set)
{
	if (set == NULL)
		return;
	for (size_t i = 0; i < set->count; i++)
		done(&set->policies[i]);
	free(set->policies);
	json_decref(set->documents);
	free(set);
}

void policy_set_drop(struct policy_set **set)
{
	policy_set_free(*set);
}

const struct policy *policy_find(const struct policy_set *set, const char *name)
{
	for (size_t i = 0; i < set->count; i++) {
		if (strcmp(set->policies[i].name, name) == 0)
			return &set->policies[i];
	}
	return NULL;
}

const char *policy_name(const struct policy *policy)
{
	return policy->name;
}

const struct policy *policy_narrows(const struct policy *policy)
{
	return policy->narrows;
}

int policy_narrow(const struct policy *base, const char *name, json_t *document,
		  struct policy **ret)
{
	struct policy *policy = calloc(1, sizeof(*policy));
	int status = policy == NULL ? -ENOMEM : load(policy, name, document);

	if (status < 0) {
		policy_free(policy);
		return status;
	}
	policy->narrows = base;
	*ret = policy;
	return 0;
}

bool policy_includes(const struct policy *policy, const struct policy *inner)
{
	while (policy != NULL && policy != inner)
		policy = policy->narrows;
	return policy != NULL;
}

/* The copies lie in one piece, the narrowest first, so that one call frees them. */
int policy_join(const struct policy *base, const struct policy *extra, struct policy **ret)
{
	struct policy *copies;
	size_t count = 1;

	*ret = NULL;
	if (policy_includes(base, extra) || policy_includes(extra, base))
		return 0;
	for (const struct policy *policy = extra->narrows; policy != NULL;
	     policy = policy->narrows)
		count++;
	copies = calloc(count, sizeof(*copies));
	if (copies == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		copies[i] = *extra;
		copies[i].is_copy = true;
		copies[i].narrows = i + 1 < count ? &copies[i + 1] : base;
		extra = extra->narrows;
	}
	*ret = copies;
	return 0;
}

void policy_free(struct policy *policy)
{
	if (policy != NULL)
		done(policy);
	free(policy);
}

/* --- questions --------------------------------------------------------------------------- */

bool policy_denies(const struct policy *policy, enum code_language language,
		   enum policy_topic topic, const char *name, struct policy_denial *ret)
{
	for (; policy != NULL; policy = policy->narrows) {
		const struct name_list *names = &policy->names[language][topic];
		const struct name_entry *entry = name_list_find(names, name, strlen(name));

		if (entry != NULL ? !entry->is_denied : !names->is_denied)
			continue;
		if (ret != NULL)
			*ret = (struct policy_denial){.policy = policy,
						      .hint = policy->hints[language][topic],
						      .entry = entry ? entry->name : NULL,
						      .length = entry ? entry->length : 0};
		return true;
	}
	return false;
}

const struct name_list *policy_list(const struct policy *policy, enum code_language language,
				    enum policy_topic topic)
{
	return &policy->names[language][topic];
}

bool policy_has(const struct policy *policy, enum code_language language,
		enum policy_topic topic)
{
	for (; policy != NULL; policy = policy->narrows) {
		const struct name_list *names = &policy->names[language][topic];

		if (name_list_denies_any(names))
			return true;
	}
	return false;
}

static void lower(uint32_t *limit, uint32_t other)
{
	if (other < *limit)
		*limit = other;
}

struct policy_size policy_sizes(const struct policy *policy)
{
	struct policy_size size = {POLICY_NO_LIMIT, POLICY_NO_LIMIT, POLICY_NO_LIMIT,
				   POLICY_NO_LIMIT};

	for (; policy != NULL; policy = policy->narrows) {
		lower(&size.bytes, policy->size.bytes);
		lower(&size.lines, policy->size.lines);
		lower(&size.line_bytes, policy->size.line_bytes);
		lower(&size.nesting, policy->size.nesting);
	}
	return size;
}

static enum policy_severity severity_in(const struct policy *policy, const char *rule,
					enum policy_severity own)
{
	return severity_of(
		json_object_get(json_object_get(policy->document, "severities"), rule), own);
}

enum policy_severity policy_severity(const struct policy *policy, const char *rule,
				     enum policy_severity own)
{
	enum policy_severity highest = POLICY_OFF;

	for (; policy != NULL; policy = policy->narrows) {
		enum policy_severity here = severity_in(policy, rule, own);

		if (here > highest)
			highest = here;
	}
	return highest;
}

static bool is_listed(const struct policy *policy, const char *rule)
{
	size_t index;
	json_t *name;

	json_array_foreach(
		json_object_get(json_object_get(policy->document, "reject"), "rules"), index,
		name)
	{
		if (strcmp(json_string_value(name), rule) == 0)
			return true;
	}
	return false;
}

bool policy_rejects(const struct policy *policy, const char *rule, enum policy_severity own)
{
	for (; policy != NULL; policy = policy->narrows) {
		enum policy_severity here = severity_in(policy, rule, own);

		if (here != POLICY_OFF &&
		    (here >= policy->threshold || is_listed(policy, rule)))
			return true;
	}
	return false;
}

bool policy_refuses_unparseable(const struct policy *policy)
{
	for (; policy != NULL; policy = policy->narrows) {
		if (policy->refuses_unparseable)
			return true;
	}
	return false;
}
