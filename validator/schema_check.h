/*
 * validator/schema_check.h - the checker: how the vocabularies evaluate an instance together.
 *
 * One recursive function, evaluate(), judges one value by one node. With a report it also says
 * why; without, it stops at the first fault. Whatever costs more than a step is charged; when
 * the work is used up everything returns false at once, and the verdict is undecided.
 */
#ifndef VALIDATOR_SCHEMA_CHECK_H
#define VALIDATOR_SCHEMA_CHECK_H

#include "validator/faults.h"
#include "validator/schema_node.h"

/* Which members or elements of one value were evaluated (section 11). */
struct marks {
	size_t count;
	bool has_all;
	uint64_t *bits; /* one a member, in the order of iteration */
};

/* The way of evaluation, from a node to the root: only reports and $dynamicRef look at it. */
struct frame {
	const struct frame *outer;
	const struct schema_node *node;
	const char *by; /* the reference that led here; NULL: it is the outer node's child */
};

/* Resources on the way, each once, innermost first. */
struct scope {
	const struct scope *outer;
	const struct schema_resource *resource;
};

struct checker {
	const struct schema_store *store;
	struct schema_report *report; /* NULL: only the verdict counts */
	size_t parent;		      /* error that new ones explain */
	size_t branch;
	bool wants_notes;
	uint64_t work;
	unsigned depth;
	const char *reason; /* why it cannot be decided */
	const struct frame *frame;
	const struct scope *scope;
	struct pattern_run run;
};

/* False: the work is used up. */
static inline bool charge(struct checker *checker, uint64_t units)
{
	return work_take(&checker->work, units);
}

/* Gives up: the verdict is undecided. Returns false. */
bool checker_stop(struct checker *checker, const char *reason);

/* Judges `value` by a child of the current node, or by what a reference of it leads to. */
bool evaluate(struct checker *checker, const struct schema_node *node, json_t *value,
	      const struct place *place, struct marks *marks);
bool evaluate_by(struct checker *checker, const char *by, const struct schema_node *node,
		 json_t *value, const struct place *place, struct marks *marks);

/* The same without a report. */
bool holds(struct checker *checker, const struct schema_node *node, json_t *value,
	   const struct place *place, struct marks *marks);

/* --- marks (schema_unevaluated.c) -------------------------------------------------------- */

void marks_set(struct marks *marks, size_t index);
bool marks_has(const struct marks *marks, size_t index);
void marks_merge(struct marks *marks, const struct marks *from);

/* An empty set for the value; 0 bits for what has no members. False: no memory or work. */
bool marks_new(struct checker *checker, const json_t *value, struct marks *ret);
void marks_done(struct marks *marks);

#define own_marks __attribute__((cleanup(marks_done))) struct marks

/* Whether a branch holds; what it evaluated counts only then. */
bool holds_marked(struct checker *checker, const struct schema_node *node, json_t *value,
		  const struct place *place, struct marks *marks);

/* --- vocabularies ------------------------------------------------------------------------ */

bool check_core(struct checker *checker, const struct schema_node *node, json_t *value,
		const struct place *place, struct marks *marks);
bool check_general(struct checker *checker, const struct schema_node *node, json_t *value,
		   const struct place *place);
bool check_number(struct checker *checker, const struct schema_node *node, json_t *value,
		  const struct place *place);
bool check_string(struct checker *checker, const struct schema_node *node, json_t *value,
		  const struct place *place);
/* The same for a text that is no value, such as a member's name. */
bool check_text(struct checker *checker, const struct schema_node *node, const char *text,
		size_t length, const struct place *place);
bool check_array_size(struct checker *checker, const struct schema_node *node, json_t *value,
		      const struct place *place);
/* Without `required` when the caller sees to that. */
bool check_object_size(struct checker *checker, const struct schema_node *node, json_t *value,
		       const struct place *place, bool has_required);
bool check_array(struct checker *checker, const struct schema_node *node, json_t *value,
		 const struct place *place, struct marks *marks);
bool check_object(struct checker *checker, const struct schema_node *node, json_t *value,
		  const struct place *place, struct marks *marks);
bool check_combined(struct checker *checker, const struct schema_node *node, json_t *value,
		    const struct place *place, struct marks *marks);
bool check_unevaluated(struct checker *checker, const struct schema_node *node, json_t *value,
		       const struct place *place, struct marks *marks);

/* --- errors (schema_report.c) ------------------------------------------------------------ */

struct schema_error *error_add(struct checker *checker, const struct schema_node *node,
			       const char *keyword, const struct place *place,
			       const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Sets the hint unless the node has its own; `error` may be NULL. */
void error_hint(struct schema_error *error, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The error is about a member that is missing. */
void error_member(struct schema_error *error, const char *name);

/* Annotations of a node that held. */
void notes_add(struct checker *checker, const struct schema_node *node,
	       const struct place *place);
/* Forgets the notes after the first `count`: their schema did not hold. */
void notes_cut(struct checker *checker, size_t count);

bool check_format(struct checker *checker, const struct schema_node *node, json_t *value,
		  const struct place *place);

bool type_is(const json_t *value, unsigned types);

/* One value as JSON, short and safe to show. */
const char *value_show(const json_t *value, char *ret, size_t size);

#endif
