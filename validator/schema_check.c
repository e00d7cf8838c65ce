#include "validator/schema_check.h"

#include <string.h>

/* Nesting of evaluate(): of the instance times that of the schema around one value. Each level
 * takes about 600 bytes of stack, 3 KiB under a sanitizer. */
#define CHECK_DEPTH_MAX 2048

bool checker_stop(struct checker *checker, const char *reason)
{
	if (checker->reason == NULL)
		checker->reason = reason;
	checker->work = 0;
	return false;
}

/* With the wrong type or a value outside the list, further faults only distract. */
static bool check_parts(struct checker *checker, const struct schema_node *node, json_t *value,
			const struct place *place, struct marks *marks)
{
	unsigned parts = node->parts;
	bool is_good = true;

	if ((parts & PART_GENERAL) != 0 && !check_general(checker, node, value, place))
		return false;
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		if ((parts & PART_OBJECT) != 0)
			is_good = check_object(checker, node, value, place, marks);
		break;
	case JSON_ARRAY:
		if ((parts & PART_ARRAY) != 0)
			is_good = check_array(checker, node, value, place, marks);
		break;
	case JSON_STRING:
		if ((parts & PART_STRING) != 0)
			is_good = check_string(checker, node, value, place);
		break;
	case JSON_INTEGER:
	case JSON_REAL:
		if ((parts & PART_NUMBER) != 0)
			is_good = check_number(checker, node, value, place);
		break;
	default:
		break;
	}
	if (node->format != NULL && (is_good || checker->report != NULL))
		is_good &= check_format(checker, node, value, place);
	if ((parts & PART_COMBINED) != 0 && (is_good || checker->report != NULL))
		is_good &= check_combined(checker, node, value, place, marks);
	return is_good;
}

/* A schema that asks for what is unevaluated keeps marks of its own: it sees what its own
 * subschemas looked at, not what its siblings did. */
static bool check_tracked(struct checker *checker, const struct schema_node *node,
			  json_t *value, const struct place *place, struct marks *marks)
{
	own_marks own = {.bits = NULL};
	bool is_good;

	if (!marks_new(checker, value, &own))
		return false;
	is_good = check_parts(checker, node, value, place, &own);
	/* After a failure nobody knows what was evaluated. */
	if (is_good)
		is_good = check_unevaluated(checker, node, value, place, &own);
	if (is_good && marks != NULL)
		marks_merge(marks, &own);
	return is_good;
}

static bool check_node(struct checker *checker, const struct schema_node *node, json_t *value,
		       const struct place *place, struct marks *marks)
{
	size_t notes = checker->wants_notes ? checker->report->note_count : 0;
	bool is_container = json_is_object(value) || json_is_array(value);
	bool is_good;

	if (node->is_never) {
		error_hint(error_add(checker, node, "false", place, "nothing is allowed here"),
			   "Remove it.");
		return false;
	}
	if (!is_container)
		marks = NULL;
	if (is_container && (node->parts & PART_UNEVALUATED) != 0)
		is_good = check_tracked(checker, node, value, place, marks);
	else
		is_good = check_parts(checker, node, value, place, marks);
	if (!checker->wants_notes)
		return is_good;
	if (is_good)
		notes_add(checker, node, place);
	else
		notes_cut(checker, notes);
	return is_good;
}

/* Enters the node's resource, unless it is already on the way: only the first entry counts. */
static bool enter(struct checker *checker, const struct schema_node *node, json_t *value,
		  const struct place *place, struct marks *marks)
{
	const struct scope *outer = checker->scope;
	struct scope scope = {.outer = outer, .resource = node->resource};
	bool is_good;

	if (!checker->store->has_dynamic ||
	    (outer != NULL && outer->resource == node->resource))
		return check_node(checker, node, value, place, marks);
	for (const struct scope *at = outer; at != NULL; at = at->outer) {
		if (!charge(checker, 1))
			return false;
		if (at->resource == node->resource)
			return check_node(checker, node, value, place, marks);
	}
	checker->scope = &scope;
	is_good = check_node(checker, node, value, place, marks);
	checker->scope = outer;
	return is_good;
}

bool evaluate_by(struct checker *checker, const char *by, const struct schema_node *node,
		 json_t *value, const struct place *place, struct marks *marks)
{
	const struct frame frame = {.outer = checker->frame, .node = node, .by = by};
	bool is_good;

	if (!charge(checker, 4))
		return false;
	if (node->parts == 0 && !node->is_never && node->format == NULL &&
	    !checker->wants_notes)
		return true; /* {} or true, or nothing but annotations */
	if (checker->depth >= CHECK_DEPTH_MAX) {
		error_hint(error_add(checker, node, "depth", place,
				     "nested too deeply, or the schema refers to itself "
				     "endlessly"),
			   "Nest less deeply.");
		return checker_stop(checker, "nested too deeply, or the schema refers to "
					     "itself endlessly");
	}
	checker->depth++;
	checker->frame = &frame;
	is_good = enter(checker, node, value, place, marks);
	checker->frame = frame.outer;
	checker->depth--;
	return is_good;
}

/* Most values are strings and numbers below schemas that only look at the value itself: when
 * nobody wants to hear about them, they need no frame. */
static bool check_leaf(struct checker *checker, const struct schema_node *node, json_t *value,
		       const struct place *place)
{
	bool is_string = json_is_string(value);
	/* Nearly all of them: a string where a string belongs. */
	bool is_fine = is_string && (node->types & SCHEMA_STRING) != 0 &&
		       node->constant == NULL && node->enumeration == NULL;

	if (!charge(checker, 4) || (!is_fine && (node->parts & PART_GENERAL) != 0 &&
				    !check_general(checker, node, value, place)))
		return false;
	if (is_string)
		return (node->parts & PART_STRING) == 0 ||
		       check_string(checker, node, value, place);
	return !json_is_number(value) || (node->parts & PART_NUMBER) == 0 ||
	       check_number(checker, node, value, place);
}

bool evaluate(struct checker *checker, const struct schema_node *node, json_t *value,
	      const struct place *place, struct marks *marks)
{
	const unsigned deeper = PART_ARRAY | PART_OBJECT | PART_COMBINED | PART_UNEVALUATED;

	if (checker->report == NULL && (node->parts & deeper) == 0 && !node->is_never &&
	    node->format == NULL)
		return check_leaf(checker, node, value, place);
	return evaluate_by(checker, NULL, node, value, place, marks);
}

bool holds(struct checker *checker, const struct schema_node *node, json_t *value,
	   const struct place *place, struct marks *marks)
{
	struct schema_report *report = checker->report;
	bool is_good;

	/* Annotations need the report, and nothing else is written to it then. */
	if (!checker->wants_notes)
		checker->report = NULL;
	is_good = evaluate(checker, node, value, place, marks);
	checker->report = report;
	return is_good;
}

/* --- one judgement ----------------------------------------------------------------------- */

static const char no_work[] = "takes more work than is allowed for one instance";

static enum schema_verdict judge(const struct schema *schema, json_t *instance,
				 struct schema_report *report, uint64_t work, bool wants_notes,
				 const char **ret_reason)
{
	struct checker checker = {.store = schema->store,
				  .report = report,
				  .parent = SCHEMA_NO_PARENT,
				  .wants_notes = wants_notes,
				  .work = work};
	bool is_good;

	checker.run.work = &checker.work;
	is_good = evaluate(&checker, schema->root, instance, NULL, NULL);
	pattern_run_done(&checker.run);
	if (checker.work > 0)
		return is_good ? SCHEMA_VALID : SCHEMA_INVALID;
	*ret_reason = checker.reason != NULL ? checker.reason : no_work;
	return SCHEMA_UNDECIDED;
}

/* Work runs out anywhere; a pattern or a nesting that is too much is somewhere. */
static bool reason_has_place(const char *reason)
{
	return reason != NULL && reason != no_work;
}

/* The verdict comes from the quick way. Only when there is something to tell, a second pass
 * tells it; running out of work there cuts the tale and changes no verdict. */
enum schema_verdict schema_judge(const struct schema *schema, json_t *instance,
				 struct schema_report *report)
{
	uint64_t work = report != NULL ? report->work_max : SCHEMA_WORK_DEFAULT;
	const char *reason = NULL;
	const char *ignored = NULL;
	enum schema_verdict verdict = judge(schema, instance, NULL, work, false, &reason);

	if (report == NULL)
		return verdict;
	report->reason = reason;
	if (verdict == SCHEMA_VALID && report->wants_notes) {
		if (judge(schema, instance, report, work, true, &ignored) != SCHEMA_VALID)
			report->has_more = true;
	} else if (verdict == SCHEMA_INVALID || reason_has_place(reason)) {
		if (judge(schema, instance, report, work, false, &ignored) != verdict)
			report->has_more = true;
	}
	return verdict;
}
