#include "validator/config.h"

#include <stdio.h>
#include <string.h>

#include "schema/status.h"
#include "validator/json_guard.h"
#include "validator/policies.h"
#include "validator/rule_ids.h"
#include "validator/schema_faults.h"

/* --- principals -------------------------------------------------------------------------- */

/* `installed` has names that need not be in the list; NULL: there are none. */
static void check_name_known(const json_t *config, const json_t *installed,
			     const json_t *principal, const char *member, const char *list,
			     const struct place *place, struct faults *faults)
{
	const char *name = json_string_value(json_object_get(principal, member));
	struct place here = at_member(place, member);
	char shown[80];

	if (name == NULL || json_object_get(installed, name) != NULL ||
	    json_object_get(json_object_get(config, list), name) != NULL)
		return;
	text_show(shown, sizeof(shown), name, strlen(name));
	fault_hint(faults_add(faults, &here, "reference", "\"%s\" is not in /%s", shown, list),
		   "Add \"%s\" to \"%s\", or name another %s.", shown, list, member);
}

/* A wildcard is one whole label: "*.example.org", never "a*.example.org". */
static bool is_pattern_good(const char *pattern, char separator)
{
	size_t stars = 0;
	size_t length = strlen(pattern);

	for (size_t i = 0; i < length; i++) {
		if (pattern[i] != '*')
			continue;
		stars++;
		if ((i > 0 && pattern[i - 1] != separator) ||
		    (i + 1 < length && pattern[i + 1] != separator))
			return false;
	}
	return stars <= 1;
}

static void check_pattern(const json_t *principal, const char *member, char separator,
			  const struct place *place, struct faults *faults)
{
	const char *pattern = json_string_value(json_object_get(principal, member));
	struct place here = at_member(place, member);

	if (pattern == NULL || is_pattern_good(pattern, separator))
		return;
	fault_hint(faults_add(faults, &here, "wildcard",
			      "a wildcard stands for exactly one whole %s, once",
			      separator == '/' ? "path segment" : "label"),
		   "Write for example %s.",
		   separator == '/' ? "spiffe://example.org/agents/*" : "*.agents.example.org");
}

static void check_principals(const json_t *config, const json_t *policies,
			     struct faults *faults)
{
	struct place list = at_member(NULL, "principals");
	struct place place = {.parent = &list};
	json_t *principal;

	json_array_foreach(json_object_get(config, "principals"), place.index, principal)
	{
		check_name_known(config, NULL, principal, "tenant", "tenants", &place, faults);
		check_name_known(config, policies, principal, "policy", "policies", &place,
				 faults);
		check_pattern(principal, "spiffe", '/', &place, faults);
		check_pattern(principal, "dns", '.', &place, faults);
		check_pattern(principal, "cn", '.', &place, faults);
	}
}

/* --- policies ---------------------------------------------------------------------------- */

static void check_tenants(const json_t *config, const json_t *policies, struct faults *faults)
{
	struct place list = at_member(NULL, "tenants");
	const char *name;
	json_t *tenant;

	json_object_foreach(json_object_get(config, "tenants"), name, tenant)
	{
		struct place place = at_member(&list, name);

		check_name_known(config, policies, tenant, "policy", "policies", &place,
				 faults);
	}
}

/* A principal without a policy of its own has its tenant's. One whose tenant is missing is a
 * fault of its own. */
static int inherit_policies(const json_t *config)
{
	const json_t *tenants = json_object_get(config, "tenants");
	size_t index;
	json_t *principal;

	json_array_foreach(json_object_get(config, "principals"), index, principal)
	{
		const char *name = json_string_value(json_object_get(principal, "tenant"));
		json_t *policy = json_object_get(json_object_get(tenants, name), "policy");

		if (json_object_get(principal, "policy") == NULL && policy != NULL &&
		    json_object_set(principal, "policy", policy) < 0)
			return -ENOMEM;
	}
	return 0;
}

static void move_below(const struct faults *from, const char *prefix, struct faults *ret)
{
	for (size_t i = 0; i < from->count; i++) {
		const struct fault *fault = &from->list[i];
		struct fault *copy = faults_add(ret, NULL, fault->rule, "%s", fault->detail);

		fault_hint(copy, "%s", fault->hint);
		if (copy != NULL)
			(void)snprintf(copy->pointer, sizeof(copy->pointer), "%s%s", prefix,
				       fault->pointer);
	}
}

static void check_rules(const json_t *config, json_t *rule_ids, struct faults *faults)
{
	struct place list = at_member(NULL, "policies");
	const char *name;
	json_t *policy;

	if (rule_ids == NULL)
		return;
	json_object_foreach(json_object_get(config, "policies"), name, policy)
	{
		struct place place = at_member(&list, name);

		rule_ids_check(rule_ids, policy, &place, faults);
	}
}

/* Compiled only to see that they can be. */
static int check_policies(const json_t *config, json_t *policies, struct faults *faults)
{
	own_mem struct faults *found = malloc(sizeof(*found));
	own_policy_set *set = NULL;
	int status;

	if (found == NULL)
		return -ENOMEM;
	status = policies_compile(policies, json_object_get(config, "policies"), &set, found);
	if (status != -EBADMSG)
		return status;
	move_below(found, "/policies", faults);
	return 0;
}

/* --- pools and layers -------------------------------------------------------------------- */

static json_int_t number_at(const json_t *object, const char *name)
{
	/* The schema lets 16.0 pass for 16. */
	return (json_int_t)json_number_value(json_object_get(object, name));
}

static void check_runtimes(const json_t *config, struct faults *faults)
{
	struct place runtimes = at_member(NULL, "runtimes");
	json_int_t workers = number_at(json_object_get(config, "pool"), "workers_max");
	const char *name;
	json_t *runtime;

	json_object_foreach(json_object_get(config, "runtimes"), name, runtime)
	{
		struct place here = at_member(&runtimes, name);
		struct place low = at_member(&here, "pool_low");
		struct place high = at_member(&here, "pool_high");
		json_int_t low_water = number_at(runtime, "pool_low");
		json_int_t high_water = number_at(runtime, "pool_high");

		if (json_is_number(json_object_get(runtime, "pool_low")) &&
		    json_is_number(json_object_get(runtime, "pool_high")) &&
		    low_water > high_water)
			fault_hint(faults_add(faults, &low, "order",
					      "%lld is above pool_high, which is %lld",
					      (long long)low_water, (long long)high_water),
				   "Lower pool_low or raise pool_high.");
		if (low_water > workers)
			fault_hint(faults_add(faults, &low, "order",
					      "%lld is above /pool/workers_max, which is %lld",
					      (long long)low_water, (long long)workers),
				   "Lower pool_low or raise pool.workers_max.");
		if (high_water > workers)
			fault_hint(faults_add(faults, &high, "order",
					      "%lld is above /pool/workers_max, which is %lld",
					      (long long)high_water, (long long)workers),
				   "Lower pool_high or raise pool.workers_max.");
	}
}

static unsigned level_at(const json_t *isolation)
{
	return level_number(json_string_value(json_object_get(isolation, "level")));
}

/* A layer that the level does not have could never hold, and every worker would be refused. */
static void check_required(const json_t *isolation, const struct place *here,
			   struct faults *faults)
{
	const json_t *required = json_object_get(isolation, "layers_required");
	unsigned level = level_at(isolation);
	struct place list = at_member(here, "layers_required");
	size_t index;
	json_t *name;

	json_array_foreach(required, index, name)
	{
		struct place place = {.parent = &list, .index = index};
		unsigned layer = 0;

		while (layer < LAYER_COUNT &&
		       strcmp(layer_name(layer), json_string_value(name)) != 0)
			layer++;
		if ((level_layers(level) & 1u << layer) == 0)
			fault_hint(faults_add(faults, &place, "level", "level %s has no %s",
					      level_name(level), layer_name(layer)),
				   "Take it off the list, or use isolation.level full.");
	}
}

/* The default depends on the level, which a schema cannot say. */
static int complete_required(json_t *config)
{
	json_t *isolation = json_object_get(config, "isolation");
	uint32_t layers = level_layers(level_at(isolation)) & ~LAYERS_ON_DEMAND;
	json_t *names;
	int status = 0;

	if (json_object_get(isolation, "layers_required") != NULL)
		return 0;
	names = json_array();
	for (unsigned layer = 0; layer < LAYER_COUNT && status == 0; layer++)
		if ((layers & 1u << layer) != 0)
			status = json_array_append_new(names, json_string(layer_name(layer)));
	if (json_object_set_new(isolation, "layers_required", names) != 0)
		status = -1;
	return status;
}

static void check_layers(const json_t *config, struct faults *faults)
{
	const json_t *isolation = json_object_get(config, "isolation");
	struct place here = at_member(NULL, "isolation");
	struct place place = at_member(&here, "layers_disabled");

	check_required(isolation, &here, faults);
#ifndef CASEMATE_TEST_BUILD
	if (json_array_size(json_object_get(isolation, "layers_disabled")) > 0)
		fault_hint(faults_add(faults, &place, "test-build",
				      "layers can be disabled in test builds only"),
			   "Remove it; this is a production build.");
#else
	(void)place;
#endif
}

/* A whole number written 16.0 becomes 16, so that readers need not know both. */
static void normalise_numbers(json_t *value)
{
	const char *key;
	size_t index;
	json_t *inner;
	void *next;

	if (json_is_array(value)) {
		json_array_foreach(value, index, inner) normalise_numbers(inner);
		return;
	}
	json_object_foreach_safe(value, next, key, inner)
	{
		if (json_is_real(inner))
			(void)json_object_set_new(
				value, key, json_integer((json_int_t)json_real_value(inner)));
		else
			normalise_numbers(inner);
	}
}

int config_check(const struct schema *schema, json_t *policies, json_t *rule_ids,
		 const char *text, size_t length, json_t **ret, struct faults *faults)
{
	own_json *config = NULL;
	int status = json_guard_parse(text, length, &config, faults);

	if (status < 0)
		return status;
	if (!schema_check(schema, config, faults))
		return -EBADMSG;
	status = schema_fill(schema, config);
	if (status == 0)
		status = complete_required(config) == 0 ? 0 : -ENOMEM;
	if (status == 0)
		status = inherit_policies(config);
	if (status < 0)
		return status;
	normalise_numbers(config);
	status = check_policies(config, policies, faults);
	if (status < 0)
		return status;
	check_rules(config, rule_ids, faults);
	check_tenants(config, policies, faults);
	check_principals(config, policies, faults);
	check_runtimes(config, faults);
	check_layers(config, faults);
	if (faults->count > 0)
		return -EBADMSG;
	*ret = mem_take(&config);
	return 0;
}
