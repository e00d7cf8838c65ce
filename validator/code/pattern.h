/*
 * validator/code/pattern.h - the text of a rule's query, taken apart.
 *
 * Splits it into patterns, takes the predicates out, and numbers the captures: two rules that
 * differ in nothing else then have the same text and share one compiled pattern.
 */
#ifndef VALIDATOR_CODE_PATTERN_H
#define VALIDATOR_CODE_PATTERN_H

#include "validator/code/rules.h"

#define PREDICATE_ARGUMENTS_MAX 96

/* One (#name? @capture "a" "b") as written. */
struct predicate_text {
	const char *name; /* without # and ?; not terminated */
	size_t name_length;
	bool is_negated; /* began with "not-" */
	uint32_t capture;
	uint32_t other;				  /* a second capture; UINT32_MAX: none */
	char *arguments[PREDICATE_ARGUMENTS_MAX]; /* owned */
	size_t argument_count;
};

struct pattern {
	struct buf shape;
	char *captures[RULE_CAPTURES_MAX]; /* owned */
	uint32_t capture_count;
	struct predicate_text predicates[16];
	size_t predicate_count;
};

/* Reads one pattern from `*text` and moves it behind; 1: read, 0: there is none left. */
nodiscard int pattern_read(const char **text, struct pattern *ret, struct err *err);
void pattern_done(struct pattern *pattern);

#endif
