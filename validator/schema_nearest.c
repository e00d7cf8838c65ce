/* Which name a caller meant: a guess for the hint, never for the check. */
#include <string.h>

#include "validator/schema_node.h"

#define NAME_COMPARED_MAX 48 /* characters; longer keys are no misspelling of ours */

/* Damerau-Levenshtein distance, restricted: insert, remove, replace, swap neighbours. */
static size_t name_distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
	size_t rows[3][NAME_COMPARED_MAX + 1];
	size_t *before = rows[0];
	size_t *last = rows[1];
	size_t *now = rows[2];

	for (size_t k = 0; k <= b_length; k++)
		last[k] = k;
	for (size_t i = 1; i <= a_length; i++) {
		size_t *spare = before;

		now[0] = i;
		for (size_t k = 1; k <= b_length; k++) {
			size_t best = last[k - 1] + ((a[i - 1] | 0x20) != (b[k - 1] | 0x20));

			if (last[k] + 1 < best)
				best = last[k] + 1;
			if (now[k - 1] + 1 < best)
				best = now[k - 1] + 1;
			if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1] &&
			    before[k - 2] + 1 < best)
				best = before[k - 2] + 1;
			now[k] = best;
		}
		before = last;
		last = now;
		now = spare;
	}
	return last[b_length];
}

/* The unit at a name's end is what callers leave out: "timout" is near "timeout_ms". */
static size_t property_distance(const struct schema_property *property, const char *key,
				size_t length)
{
	const char *unit = strrchr(property->name, '_');
	size_t best = name_distance(key, length, property->name, property->length);
	size_t without;

	if (unit == NULL)
		return best;
	without = name_distance(key, length, property->name, (size_t)(unit - property->name));
	return without + 1 < best ? without + 1 : best;
}

/* True when one name begins with the other: "timeout" for "timeout_ms". */
static bool is_prefix(const char *a, size_t a_length, const char *b, size_t b_length)
{
	size_t length = a_length < b_length ? a_length : b_length;

	return length >= 3 && strncasecmp(a, b, length) == 0;
}

const char *schema_nearest_name(const struct schema_node *node, const char *key, size_t length)
{
	const char *nearest = NULL;
	size_t nearest_distance = SIZE_MAX;

	if (length > NAME_COMPARED_MAX)
		return NULL;
	for (size_t i = 0; i < node->property_count; i++) {
		const struct schema_property *property = &node->properties[i];
		size_t distance;

		if (property->length > NAME_COMPARED_MAX)
			continue;
		distance = property_distance(property, key, length);
		if (distance > 2 + length / 8) {
			if (!is_prefix(key, length, property->name, property->length))
				continue;
			distance = 2 + length / 8;
		}
		if (distance < nearest_distance) {
			nearest_distance = distance;
			nearest = property->name;
		}
	}
	return nearest;
}
