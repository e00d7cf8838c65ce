/*
 * validator/faults.h - what is wrong with a document, said so that a person or a language model
 * can repair it: where (RFC 6901 pointer), which rule, one sentence, what to do.
 *
 * The texts quote untrusted bytes; everything quoted passes text_show(), so a fault is always
 * valid UTF-8 without control characters.
 */
#ifndef VALIDATOR_FAULTS_H
#define VALIDATOR_FAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/jsonw.h"
#include "schema/limits.h"

#define FAULT_POINTER_BYTES 512 /* our own pointers have under 100; a longer one is cut */
#define FAULT_TEXT_BYTES    320 /* one or two sentences */

struct fault {
	const char *rule; /* static: the schema keyword, or one of ours such as "json-syntax" */
	size_t line;	  /* 1 up; 0: not a fault of the text */
	size_t column;	  /* in characters, 1 up */
	size_t offset;	  /* in bytes, 0 up */
	char pointer[FAULT_POINTER_BYTES];
	char detail[FAULT_TEXT_BYTES];
	char hint[FAULT_TEXT_BYTES];
};

/* Only `count` entries are set: clearing 32 of them for each good request would be waste. */
struct faults {
	size_t count;
	bool has_more; /* LIMIT_FAULTS was reached */
	struct fault list[LIMIT_FAULTS];
};

/* A position in a document: a chain from a member to the root on the checker's own stack.
 * NULL is the root. */
struct place {
	const struct place *parent;
	const char *key; /* NULL: an array element */
	size_t length;
	size_t index;
};

/* The member `key` (terminated) of `parent`; NULL: of the document itself. */
static inline struct place at_member(const struct place *parent, const char *key)
{
	return (struct place){.parent = parent, .key = key, .length = strlen(key)};
}

void faults_init(struct faults *faults);

/* Adds one fault, or sets has_more. Returns it for further members; NULL when it was not kept.
 */
struct fault *faults_add(struct faults *faults, const struct place *place, const char *rule,
			 const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Sets the hint; `fault` may be NULL. */
void fault_hint(struct fault *fault, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The JSON array of a problem document: [{pointer, rule, detail, hint, line...}]. */
void faults_write(const struct faults *faults, struct jsonw *json);

/* Pointer of `place`, at most size - 1 bytes, cut between characters. */
void place_write(const struct place *place, char *ret, size_t size);

/* Copies text for people: control characters and bytes that are not UTF-8 become '?', and what
 * does not fit `size` is replaced by "..." between characters. Returns `ret`. */
const char *text_show(char *ret, size_t size, const char *data, size_t length);

#endif
