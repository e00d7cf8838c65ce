#include "validator/rule_ids.h"

#include <fcntl.h>
#include <string.h>

#include "base/own.h"
#include "validator/json_guard.h"
#include "validator/policy.h"
#include "validator/schema_node.h"

/* What judge.c, syntax.c, enforce.c and verdict.c find. */
static const char *const without_rule[] = {
	"source-bidi",	     "source-control", "source-encoding", "source-language",
	"source-limit",	     "source-nested",  "syntax-error",	  "policy-size",
#define X(symbol, names, one) "policy-" one,
	POLICY_TOPIC_LIST(X)
#undef X
};

int rules_read(int schema_folder, const struct schema *schema, struct code_rules *ret,
	       struct err *err)
{
	own_fd folder = openat(schema_folder, "../rules", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (folder < 0)
		return err_errno(err, errno,
				 "folder of rules beside the schemas: is the installation "
				 "complete?");
	return code_rules_load(ret, schema, folder, err);
}

json_t *rule_ids_of(const struct code_rules *rules)
{
	json_t *ids = json_object();
	int status = ids == NULL ? -1 : 0;

	for (size_t i = 0; i < ARRAY_COUNT(without_rule) && status == 0; i++)
		status = json_object_set_new(ids, without_rule[i], json_true());
	for (size_t i = 0; i < rules->rule_count && status == 0; i++)
		status = json_object_set_new(ids, rules->rules[i].id, json_true());
	if (status == 0)
		return ids;
	json_decref(ids);
	return NULL;
}

int rule_ids_read(int schema_folder, const struct schema *schema, json_t **ret, struct err *err)
{
	struct code_rules *rules = calloc(1, sizeof(*rules));
	int status;

	if (rules == NULL)
		return err_set(err, ENOMEM, "memory for rules");
	status = rules_read(schema_folder, schema, rules, err);
	if (status == 0) {
		*ret = rule_ids_of(rules);
		status = *ret != NULL ? 0 : err_set(err, ENOMEM, "memory for rules");
	}
	code_rules_done(rules);
	free(rules);
	return status;
}

static void tell_unknown(json_t *ids, const char *id, const struct place *here,
			 struct faults *faults)
{
	struct fault *fault =
		faults_add(faults, here, "reference", "there is no rule \"%s\"", id);
	own_json *list = json_array();
	const char *name;
	const char *nearest;
	json_t *value;

	/* Of a thousand unknown ones few are kept, and a guess takes a millisecond. */
	if (fault == NULL)
		return;
	json_object_foreach(ids, name, value)
	{
		if (json_array_append_new(list, json_string(name)) != 0)
			break;
	}
	nearest = schema_nearest_text(list, id, strlen(id));
	if (nearest != NULL)
		fault_hint(fault, "Did you mean \"%s\"?", nearest);
	else
		fault_hint(fault, "Name a rule as findings name it, or remove it.");
}

void rule_ids_check(json_t *ids, const json_t *policy, const struct place *place,
		    struct faults *faults)
{
	const struct place severities = at_member(place, "severities");
	const struct place reject = at_member(place, "reject");
	const struct place rules = at_member(&reject, "rules");
	struct place here = {.parent = &rules};
	const char *id;
	json_t *value;

	json_object_foreach(json_object_get(policy, "severities"), id, value)
	{
		const struct place member = at_member(&severities, id);

		if (json_object_get(ids, id) == NULL)
			tell_unknown(ids, id, &member, faults);
	}
	json_array_foreach(json_object_get(json_object_get(policy, "reject"), "rules"),
			   here.index, value)
	{
		if (json_object_get(ids, json_string_value(value)) == NULL)
			tell_unknown(ids, json_string_value(value), &here, faults);
	}
}
