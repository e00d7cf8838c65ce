/*
 * validator/code/needs.h - what a text must have for a regular expression to match it.
 *
 * Most texts of a program have nothing of what a rule looks for, and to let PCRE2 find that out
 * was measured at an eighth of all that examining a source cost. So the letters and the pairs
 * of letters that a pattern cannot do without are read from it once, and compared by a few
 * words of bits. It may only ever say "perhaps" too often: what it does not understand of a
 * pattern needs nothing.
 */
#ifndef VALIDATOR_CODE_NEEDS_H
#define VALIDATOR_CODE_NEEDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Alternatives of one pattern; one with more needs nothing. Ours have up to 30. */
#define NEEDS_MAX 40

/* Pairs by a hash, then single bytes; letters in either case are the same. */
#define SIGN_PAIR_WORDS 4
#define SIGN_WORDS	6

struct signs {
	uint64_t words[SIGN_WORDS];
};

/* A text that matches has all signs of one of the list; an empty list: any text might. */
struct needs {
	size_t count;
	struct signs list[NEEDS_MAX];
};

/* `pattern` is one that PCRE2 takes without options, or with DOTALL. */
void needs_read(const char *pattern, struct needs *ret);

void signs_of(const char *text, size_t length, struct signs *ret);

/* False: no text with these signs matches the pattern. */
bool needs_met(const struct needs *needs, const struct signs *signs);

#endif
