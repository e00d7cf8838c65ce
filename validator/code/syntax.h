/*
 * validator/code/syntax.h - where a source does not parse, and what is missing there.
 *
 * It reads the tree that the grammar made of it, so it says no more than the grammar knows: the
 * token that was expected, or the bracket or text that is still open.
 */
#ifndef VALIDATOR_CODE_SYNTAX_H
#define VALIDATOR_CODE_SYNTAX_H

#include "validator/code/code.h"
#include "validator/code/rules.h"

/* The finding "syntax-error" at the first place that does not fit; none where all does. */
void code_examine_syntax(const struct code *code, struct code_findings *findings);

/* What it advises where a policy refuses such code; otherwise the interpreter decides. */
#define HINT_SYNTAX_REFUSED                                                                  \
	"Close what is open at or before this place; the policy refuses code that does not " \
	"parse."

#endif
