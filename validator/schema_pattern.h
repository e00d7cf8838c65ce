/*
 * validator/schema_pattern.h - patterns: ECMA-262 in Unicode mode, translated for PCRE2.
 *
 * A match has an effort that is counted, without the just-in-time compiler (no writable code,
 * no stack of its own). What cannot be judged within it is PATTERN_UNDECIDED, never a match
 * and never a miss.
 */
#ifndef VALIDATOR_SCHEMA_PATTERN_H
#define VALIDATOR_SCHEMA_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* Text of a pattern, bytes; the longest in the wild (a full IRI) has about 5,000. */
#define PATTERN_BYTES_MAX 32768

/* Steps of one match beside 8 per byte, about a twentieth of a second. An honest pattern needs
 * a few per byte. */
#define PATTERN_STEPS_MAX 1000000

/* Memory of one match, KiB: a repeated group keeps about 150 bytes per turn. */
#define PATTERN_HEAP_KIB (32 * 1024)

struct schema_pattern;

/* The members are pcre2's; made on first use, kept for one judgement. */
struct pattern_run {
	void *match;
	void *context;
	uint64_t *work;
	uint64_t steps_left;
	size_t last_position;
};

enum pattern_result { PATTERN_MISS, PATTERN_MATCH, PATTERN_UNDECIDED };

/* -EINVAL says what is wrong with the pattern. */
nodiscard int schema_pattern_new(const char *text, size_t length, struct schema_pattern **ret,
				 struct err *err);
void schema_pattern_free(struct schema_pattern *pattern);

/* The text it was made of. */
const char *schema_pattern_text(const struct schema_pattern *pattern);

/* `data` is valid UTF-8. */
enum pattern_result schema_pattern_match(const struct schema_pattern *pattern, const char *data,
					 size_t length, struct pattern_run *run);
void pattern_run_done(struct pattern_run *run);

/* Writes the same pattern in PCRE2's language. NULL: good; otherwise what is wrong. */
const char *schema_pattern_translate(const char *text, size_t length, struct buf *ret);

/* --- patterns without backtracking (schema_pattern_quick.c) ------------------------------ */

#define QUICK_ITEMS_MAX 8 /* longer lines go the general way */

struct quick_item {
	uint64_t set[2]; /* ASCII characters */
	size_t least, most;
};

struct quick_pattern {
	size_t count;
	struct quick_item items[QUICK_ITEMS_MAX];
};

/* False: it is not of this kind. The pattern was translated before, so it is well-formed. */
bool quick_pattern_make(const char *text, size_t length, struct quick_pattern *ret);
bool quick_pattern_match(const struct quick_pattern *pattern, const char *data, size_t length);

#endif
