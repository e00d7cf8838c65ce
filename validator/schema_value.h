/*
 * validator/schema_value.h - JSON values as JSON Schema sees them: equality (1 and 1.0 are the
 * same number, order of members does not count), order and divisibility of numbers, sets.
 *
 * Everything that looks at a whole value is paid for with work, so that no instance costs more
 * than its checker was given.
 */
#ifndef VALIDATOR_SCHEMA_VALUE_H
#define VALIDATOR_SCHEMA_VALUE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* digits * 10^exponent, exactly what the shortest text of the number says. */
struct decimal {
	uint64_t digits;
	int exponent;
};

/* Takes `units` off; false (and 0 left) when there are not as many. */
static inline bool work_take(uint64_t *work, uint64_t units)
{
	if (*work < units) {
		*work = 0;
		return false;
	}
	*work -= units;
	return true;
}

/* True when the value is a number without a fraction, such as 3 or 3.0. */
bool schema_is_integral(const json_t *value);

/* A count of the specification: an integral number not below 0. False: it is none. Counts above
 * SIZE_MAX are SIZE_MAX. */
bool value_count(const json_t *value, size_t *ret);

/* Below 0, 0, above 0. */
int value_compare(const json_t *a, const json_t *b);

struct decimal value_decimal(const json_t *number);
bool value_is_multiple(const json_t *number, const struct decimal *divisor);

/* False also when the work ran out, which the caller sees by `*work` being 0. */
bool value_same(json_t *a, json_t *b, uint64_t *work);

/* True when no two elements are the same; otherwise their indices. -ENOMEM counts as no work
 * left. */
bool value_is_unique(const json_t *array, uint64_t *work, size_t ret_pair[2]);

/* Characters (code points) of UTF-8 text. */
size_t value_characters(const char *text, size_t length);

#endif
