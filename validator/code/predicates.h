/*
 * validator/code/predicates.h - the conditions of a rule, as a table.
 */
#ifndef VALIDATOR_CODE_PREDICATES_H
#define VALIDATOR_CODE_PREDICATES_H

#include "validator/code/name_index.h"
#include "validator/code/pattern.h"

/* Steps of one match of a regular expression; an honest one needs a few per byte. */
#define PREDICATE_MATCH_STEPS 100000

/* What one match of a pattern captured; a capture may be several nodes or none. */
struct captured {
	struct code *code;
	const struct name_index *names; /* of the language's rules */
	struct {
		uint32_t count;
		uint32_t nodes[8];
		uint32_t name; /* which of its names a predicate asked for; 0: none did */
	} of[RULE_CAPTURES_MAX];
};

/* Compiles one; takes the arguments out of `text`, and puts names into `names`, which must not
 * outlive it. -EINVAL says what is wrong. */
nodiscard int predicate_new(struct predicate_text *text, struct name_index **names,
			    struct predicate **ret, struct err *err);
void predicates_free(struct predicate *list);

/* Puts `predicate` at the end of the list. */
void predicates_append(struct predicate **list, struct predicate *predicate);

/* True if one of the list can only hold where `capture` has a name that its `ret_asker` asks
 * for. */
bool predicates_need_name(const struct predicate *list, uint32_t capture, uint32_t *ret_asker);

/* All of them hold. A predicate holds if it does for any node of its capture. */
bool predicates_hold(const struct predicate *list, struct captured *captured);

#endif
