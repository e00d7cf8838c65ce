/*
 * validator/sanitise.h - the step between what a caller sent, of the right shape, and what is
 * judged and run: spellings of one thing become one, and what a reader could be deceived by is
 * told. Every change is listed for the answer; what is not listed is byte for byte as sent.
 *
 * Changed is only what would not work otherwise, and only where there is one thing it can mean:
 * - byte order marks at the beginning of code: no interpreter takes one in a text;
 * - line ends CR LF of a bash script that has no others: bash reads the CR as part of a word;
 * - segments "." in the path of a file, if the path is good without them.
 * Told, and left as they are:
 * - control characters, and those that change the direction of text, in paths, arguments and
 *   variables, and in code that no rules read (in other code they are a finding, source-bidi);
 * - variables that tell a loader or an interpreter what to run before the code.
 * Names are not brought to a normal form of Unicode: two names that look alike are two files.
 *
 * Doing it twice changes nothing the second time.
 */
#ifndef VALIDATOR_SANITISE_H
#define VALIDATOR_SANITISE_H

#include <jansson.h>

#include "base/jsonw.h"

struct sanitised {
	struct buf list; /* entries of the array, with commas */
	unsigned count;
	unsigned more; /* told of no further */
};

/* `document` is a request that its schema has passed, of an execution or of a validation.
 * `is_read`: rules read code in its language. -ENOMEM. To be given to done() in any case. */
nodiscard int sanitise(json_t *document, bool is_read, struct sanitised *ret, struct err *err);

/* The member "sanitised": [{pointer, change, detail}]. */
void sanitised_write(struct jsonw *json, const struct sanitised *sanitised);

void sanitised_done(struct sanitised *sanitised);

#define own_sanitised __attribute__((cleanup(sanitised_done))) struct sanitised

#endif
