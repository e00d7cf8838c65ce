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
static size_t full_distance(const char *name, size_t name_length, const char *key,
			    size_t length)
{
	const char *unit = memrchr(name, '_', name_length);
	size_t best = name_distance(key, length, name, name_length);
	size_t without;

	if (unit == NULL)
		return best;
	without = name_distance(key, length, name, (size_t)(unit - name));
	return without + 1 < best ? without + 1 : best;
}

/* True when one name begins with the other: "timeout" for "timeout_ms". */
static bool is_prefix(const char *a, size_t a_length, const char *b, size_t b_length)
{
	size_t length = a_length < b_length ? a_length : b_length;

	return length >= 3 && strncasecmp(a, b, length) == 0;
}

/* SIZE_MAX: not near. */
static size_t nearness(const char *name, size_t name_length, const char *key, size_t length)
{
	size_t most = 2 + length / 8;
	size_t distance;

	if (length > NAME_COMPARED_MAX || name_length > NAME_COMPARED_MAX || length < 2)
		return SIZE_MAX;
	distance = full_distance(name, name_length, key, length);
	if (distance <= most && distance < name_length)
		return distance;
	return is_prefix(key, length, name, name_length) ? most : SIZE_MAX;
}

bool schema_is_name_near(const char *name, const char *key, size_t length)
{
	return nearness(name, strlen(name), key, length) != SIZE_MAX;
}

const char *schema_nearest_name(const struct schema_node *node, const char *key, size_t length)
{
	const char *nearest = NULL;
	size_t best = SIZE_MAX;

	for (size_t i = 0; i < node->properties.count; i++) {
		const struct schema_property *property = &node->properties.list[i];
		size_t distance = nearness(property->name, property->length, key, length);

		if (distance < best) {
			best = distance;
			nearest = property->name;
		}
	}
	return nearest;
}

const char *schema_nearest_text(const json_t *list, const char *text, size_t length)
{
	const char *nearest = NULL;
	size_t best = SIZE_MAX;
	size_t index;
	json_t *item;

	json_array_foreach(list, index, item)
	{
		size_t distance = json_is_string(item)
					  ? nearness(json_string_value(item),
						     json_string_length(item), text, length)
					  : SIZE_MAX;

		if (distance < best) {
			best = distance;
			nearest = json_string_value(item);
		}
	}
	return nearest;
}
