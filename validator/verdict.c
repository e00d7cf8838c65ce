#include "validator/verdict.h"

#include <string.h>

#include "validator/code/enforce.h"
#include "validator/code/report.h"
#include "validator/rule_ids.h"

/* What a request's own document is called in findings. */
#define OWN_NAME "request"

/* --- the effective policy ---------------------------------------------------------------- */

static int narrow_by_name(struct verdict *verdict, const struct rulebook *rulebook,
			  const char *name, const struct place *place, struct faults *faults)
{
	const struct policy *extra = rulebook_policy(rulebook, name);
	int status;

	if (extra == NULL) {
		char shown[80];

		text_show(shown, sizeof(shown), name, strlen(name));
		fault_hint(
			faults_add(faults, place, "reference", "there is no policy \"%s\"",
				   shown),
			"Name open, standard, strict or a policy of the service's operator, or "
			"send a policy document.");
		return -EBADMSG;
	}
	status = policy_join(verdict->policy, extra, &verdict->joined);
	if (status < 0)
		return status;
	if (verdict->joined != NULL)
		verdict->policy = verdict->joined;
	else if (policy_includes(extra, verdict->policy))
		verdict->policy = extra;
	return 0;
}

static int narrow_by_document(struct verdict *verdict, const struct rulebook *rulebook,
			      json_t *document, const struct place *place,
			      struct faults *faults)
{
	const char *narrows = json_string_value(json_object_get(document, "narrows"));
	struct place here = at_member(place, "narrows");
	int status = schema_fill(rulebook->policy_schema, document);

	if (status == 0) {
		rule_ids_check(rulebook->rule_ids, document, place, faults);
		status = faults->count > 0 ? -EBADMSG : 0;
	}
	if (status == 0 && narrows != NULL)
		status = narrow_by_name(verdict, rulebook, narrows, &here, faults);
	if (status == 0)
		status = policy_narrow(verdict->policy, OWN_NAME, document, &verdict->own);
	if (status == 0)
		verdict->policy = verdict->own;
	return status;
}

int verdict_begin(struct verdict *verdict, const struct rulebook *rulebook, const char *name,
		  json_t *document, struct faults *faults, struct err *err)
{
	json_t *wanted = json_object_get(document, "policy");
	struct place place = at_member(NULL, "policy");
	int status = 0;

	verdict->joined = verdict->own = NULL;
	verdict->findings.count = 0;
	verdict->findings.has_more = false;
	verdict->is_rejected = false;
	verdict->policy = rulebook_policy(rulebook, name);
	if (verdict->policy == NULL)
		return err_set(err, ENOENT, "there is no policy %s", name);
	faults_init(faults);
	if (json_is_string(wanted))
		status = narrow_by_name(verdict, rulebook, json_string_value(wanted), &place,
					faults);
	else if (json_is_object(wanted))
		status = narrow_by_document(verdict, rulebook, wanted, &place, faults);
	return status == -ENOMEM ? err_errno(err, ENOMEM, "narrow a policy") : status;
}

/* --- the verdict ------------------------------------------------------------------------- */

/* Nothing is known of the language. */
static void judge_unread(struct verdict *verdict, const char *language, const char *code,
			 size_t length)
{
	struct code_finding *finding;

	code_enforce_size(verdict->policy, code, length, &verdict->findings);
	if (policy_refuses_unparseable(verdict->policy)) {
		finding =
			code_findings_add(&verdict->findings, "source-language", SEVERITY_HIGH,
					  "CWE-1286", "Use python, javascript or bash.", 0, 0);
		if (finding != NULL)
			finding->is_rejecting = true;
		code_finding_say(finding,
				 "the policy refuses what cannot be read, and nothing here "
				 "reads %s",
				 language);
	}
	code_findings_place(&verdict->findings, code, length);
}

int verdict_reach(struct verdict *verdict, const struct rulebook *rulebook,
		  const json_t *document, struct err *err)
{
	const char *name = json_string_value(json_object_get(document, "language"));
	const json_t *code = json_object_get(document, "code");
	enum code_language language = code_language_find(name);
	int status = 0;

	if (language == CODE_LANGUAGES)
		judge_unread(verdict, name, json_string_value(code), json_string_length(code));
	else
		status = code_examine(&rulebook->rules, verdict->policy, language,
				      json_string_value(code), json_string_length(code),
				      LIMIT_CODE_TIME_MS * 1000u, &verdict->findings, err);
	verdict->is_rejected = code_is_rejected(&verdict->findings);
	return status;
}

void verdict_count(const struct verdict *verdict, uint64_t *ret)
{
	for (unsigned i = 0; i <= SEVERITY_MAX; i++)
		ret[i] = 0;
	for (size_t i = 0; i < verdict->findings.count; i++)
		ret[verdict->findings.list[i].severity]++;
}

void verdict_done(struct verdict *verdict)
{
	code_findings_done(&verdict->findings);
	policy_free(verdict->own);
	policy_free(verdict->joined);
	verdict->own = verdict->joined = NULL;
}
