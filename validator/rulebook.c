#include "validator/rulebook.h"

#include "validator/json_guard.h"
#include "validator/policies.h"
#include "validator/rule_ids.h"

static int load_rules(struct rulebook *rulebook, const struct schema *schema, int schema_folder,
		      struct err *err)
{
	int status = rules_read(schema_folder, schema, &rulebook->rules, err);

	for (unsigned i = 0; status == 0 && i < CODE_LANGUAGES; i++) {
		enum code_language language = (enum code_language)i;

		/* Without any, everything would pass unseen. */
		if (rulebook->rules.sets[i].shape_count == 0)
			return err_set(err, ENOENT,
				       "there are no rules for %s: is the installation "
				       "complete?",
				       code_language_name(language));
		status = code_rules_finish(&rulebook->rules, language, err);
	}
	if (status < 0)
		return err_prefix(err, "rules");
	rulebook->rule_ids = rule_ids_of(&rulebook->rules);
	return rulebook->rule_ids != NULL ? 0 : err_set(err, ENOMEM, "memory for rules");
}

int rulebook_load(struct rulebook *rulebook, const struct catalog *catalog, int schema_folder,
		  struct err *err)
{
	int status;

	rulebook->policy_schema = catalog->schemas[CATALOG_POLICY];
	status = policies_read(schema_folder, rulebook->policy_schema, &rulebook->installed,
			       err);
	return status < 0 ? status
			  : load_rules(rulebook, catalog->schemas[CATALOG_RULES], schema_folder,
				       err);
}

void rulebook_done(struct rulebook *rulebook)
{
	code_rules_done(&rulebook->rules);
	policy_set_free(rulebook->policies);
	policy_set_free(rulebook->previous);
	json_decref(rulebook->rule_ids);
	json_decref(rulebook->installed);
	rulebook->policies = rulebook->previous = NULL;
	rulebook->installed = rulebook->rule_ids = NULL;
}

/* They were checked where the configuration was; here what a policy set takes for granted is
 * made sure of. */
static int check_all(const struct rulebook *rulebook, json_t *policies, struct err *err)
{
	const char *name;
	json_t *document;

	if (!json_is_object(policies))
		return err_set(err, EINVAL, "the policies are no JSON object");
	json_object_foreach(policies, name, document)
	{
		if (schema_judge(rulebook->policy_schema, document, NULL) != SCHEMA_VALID)
			return err_set(err, EINVAL, "policy %.80s is not valid", name);
		if (schema_fill(rulebook->policy_schema, document) < 0)
			return err_set(err, ENOMEM, "memory for policies");
	}
	return 0;
}

int rulebook_adopt(struct rulebook *rulebook, const char *text, size_t length, struct err *err)
{
	own_mem struct faults *faults = malloc(sizeof(*faults));
	own_json *policies = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
	struct policy_set *set = NULL;
	int status;

	if (faults == NULL)
		return err_set(err, ENOMEM, "memory for policies");
	status = check_all(rulebook, policies, err);
	if (status < 0)
		return status;
	status = policies_compile(rulebook->installed, policies, &set, faults);
	if (status == -EBADMSG)
		return err_set(err, EINVAL, "policies: %.60s: %.200s", faults->list[0].pointer,
			       faults->list[0].detail);
	if (status < 0)
		return err_set(err, ENOMEM, "memory for policies");
	policy_set_free(rulebook->previous);
	rulebook->previous = rulebook->policies;
	rulebook->policies = set;
	return 0;
}

const struct policy *rulebook_policy(const struct rulebook *rulebook, const char *name)
{
	const struct policy *policy = policy_find(rulebook->policies, name);

	if (policy == NULL && rulebook->previous != NULL)
		policy = policy_find(rulebook->previous, name);
	return policy;
}
