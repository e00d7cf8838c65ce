#include "validator/schema_faults.h"

#include <string.h>

/* A branch of a combination says most when the value has the right type for it: with "x or
 * null" the caller who sent a broken x wants to hear about x. */
static bool is_misfit(const struct schema_report *report, size_t parent, size_t at)
{
	const struct schema_error *error = &report->errors[at];

	return (strcmp(error->keyword, "type") == 0 || strcmp(error->keyword, "const") == 0 ||
		strcmp(error->keyword, "false") == 0) &&
	       strcmp(error->instance, report->errors[parent].instance) == 0;
}

#define NO_BRANCH SIZE_MAX

/* The only branch that has no misfit, NO_BRANCH when there are none or several. */
static size_t fitting_branch(const struct schema_report *report, size_t parent)
{
	size_t fitting = NO_BRANCH;
	size_t misfit = NO_BRANCH;

	/* The errors of one branch stand together. */
	for (size_t i = report->error_count; i-- > parent + 1;) {
		size_t branch = report->errors[i].branch;

		if (report->errors[i].parent != parent || branch == misfit)
			continue;
		if (is_misfit(report, parent, i)) {
			misfit = branch;
			fitting = fitting == branch ? NO_BRANCH : fitting;
		} else if (fitting == NO_BRANCH)
			fitting = branch;
		else if (fitting != branch)
			return NO_BRANCH;
	}
	return fitting;
}

static void add(struct faults *faults, const struct schema_error *error)
{
	struct fault *fault = faults_add(faults, NULL, error->keyword, "%s",
					 error->text != NULL ? error->text : "");
	size_t length;

	if (fault == NULL)
		return;
	fault_hint(fault, "%s", error->hint != NULL ? error->hint : "");
	(void)snprintf(fault->pointer, sizeof(fault->pointer), "%s", error->instance);
	if (error->member == NULL)
		return;
	/* The caller is pointed at what he must add. */
	length = strlen(fault->pointer);
	if (length < sizeof(fault->pointer)) {
		struct place place = {.key = error->member, .length = strlen(error->member)};

		place_write(&place, fault->pointer + length, sizeof(fault->pointer) - length);
	}
}

static void add_tree(struct faults *faults, const struct schema_report *report, size_t parent,
		     size_t branch)
{
	/* Children come after their parents, so this recursion is as deep as combinations nest,
	 * at most the number of errors. */
	for (size_t i = parent == SCHEMA_NO_PARENT ? 0 : parent + 1; i < report->error_count;
	     i++) {
		size_t fitting;

		if (report->errors[i].parent != parent ||
		    (branch != NO_BRANCH && report->errors[i].branch != branch))
			continue;
		fitting = report->errors[i].is_hinted ? NO_BRANCH : fitting_branch(report, i);
		if (fitting != NO_BRANCH)
			add_tree(faults, report, i, fitting);
		else
			add(faults, &report->errors[i]);
	}
}

bool schema_check(const struct schema *schema, json_t *instance, struct faults *faults)
{
	enum schema_verdict verdict = schema_judge(schema, instance, NULL);
	own_schema_report report = {.errors = NULL};
	size_t before;

	if (verdict == SCHEMA_VALID || faults == NULL)
		return verdict == SCHEMA_VALID;
	schema_report_init(&report);
	before = faults->count;
	verdict = schema_judge(schema, instance, &report);
	add_tree(faults, &report, SCHEMA_NO_PARENT, NO_BRANCH);
	if (report.has_more && faults->count == LIMIT_FAULTS)
		faults->has_more = true;
	if (faults->count == before)
		(void)faults_add(faults, NULL, "work", "%s",
				 report.reason != NULL ? report.reason
						       : "cannot be judged: out of memory");
	return false;
}
