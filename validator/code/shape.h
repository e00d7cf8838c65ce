/*
 * validator/code/shape.h - the part of a rule's query that is about the tree, compiled and
 * followed.
 *
 * tree-sitter has an engine for queries. It was measured at two thirds of all time that a
 * source took, its compiler at 0.3 s for each start, and it cannot be stopped in between. This
 * one knows less: node types, "literal" tokens, _ and (_), fields, [choices], groups, the
 * anchor dot and captures; no repetition, no !field, no supertypes. What it does not know
 * refuses to load.
 *
 * A choice is multiplied out: a shape becomes a list of forms, each one line of steps without
 * choices. Every step is a node, said by what it is and where it stands relative to steps
 * before it.
 */
#ifndef VALIDATOR_CODE_SHAPE_H
#define VALIDATOR_CODE_SHAPE_H

#include "validator/code/code.h"

/* Captures of one pattern; ours have under 6. */
#define RULE_CAPTURES_MAX 16

/* Nodes of one form; our longest has 11. */
#define SHAPE_STEPS_MAX 16

/* Forms of one shape; ours that has most has 8. */
#define SHAPE_FORMS_MAX 32

/* Parentheses in one another; ours go 8 deep. */
#define SHAPE_DEPTH_MAX 24

/* Of `parent` and `before`: there is none. */
#define STEP_NONE UINT8_MAX

struct shape_step {
	uint16_t symbol;   /* a public one of the grammar; 0: any but an error */
	uint16_t field;	   /* 0: any */
	uint16_t captures; /* bit n: capture n is this node */
	uint8_t depth;	   /* below the first step */
	uint8_t parent;	   /* step whose child this is; of the first: STEP_NONE */
	uint8_t before;	   /* last step that is a sibling in front; STEP_NONE */
	bool is_named;	   /* where any symbol will do: (_) and not _ */
	bool is_next;	   /* no named node between it and what is before */
	bool is_last;	   /* no named node behind it */
};

struct shape_form {
	struct shape_step steps[SHAPE_STEPS_MAX];
	uint32_t count;
	uint16_t captures; /* of all steps */
};

struct shape_forms {
	struct shape_form list[SHAPE_FORMS_MAX];
	size_t count;
};

/* Compiles `text`, whose captures are @c0 to @c15. -EINVAL says what is wrong and where. */
nodiscard int shape_compile(enum code_language language, const char *text,
			    struct shape_forms *ret, struct err *err);

/* Who wants to know where a form fits. */
struct shape_seeker {
	/* nodes[i] is that of step i. */
	void (*found)(void *context, const uint32_t *nodes);
	/* Is `node` worth going on with for step `gate`? Asked as soon as the step stands,
	 * before what is behind it is tried. */
	bool (*is_wanted)(void *context, uint32_t node);
	uint32_t gate; /* SHAPE_STEPS_MAX: of no step */
	void *context;
};

/* Finds every way in which `form` fits the tree below and at `root`. Ends early when the
 * source's time is over. */
void shape_follow(const struct shape_form *form, struct code *code, uint32_t root,
		  const struct shape_seeker *seeker);

#endif
