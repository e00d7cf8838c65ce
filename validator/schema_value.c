#include "validator/schema_value.h"

#include <math.h>
#include <string.h>

#include "base/own.h"

__extension__ typedef unsigned __int128 wide;

bool schema_is_integral(const json_t *value)
{
	double real;

	if (json_is_integer(value))
		return true;
	if (!json_is_real(value))
		return false;
	real = json_real_value(value);
	if (!isfinite(real))
		return false;
	/* From 2^53 on a double has no fraction left; below, a 64-bit integer holds it. */
	return fabs(real) >= 9007199254740992.0 || real == (double)(int64_t)real;
}

bool value_count(const json_t *value, size_t *ret)
{
	if (!schema_is_integral(value) || json_number_value(value) < 0)
		return false;
	if (json_is_integer(value))
		*ret = (size_t)json_integer_value(value);
	else
		*ret = json_real_value(value) < 9e18 ? (size_t)json_real_value(value)
						     : SIZE_MAX;
	return true;
}

/* x86-64 and aarch64 long doubles hold every int64 exactly. */
static long double number_of(const json_t *value)
{
	return json_is_integer(value) ? (long double)json_integer_value(value)
				      : (long double)json_real_value(value);
}

int value_compare(const json_t *a, const json_t *b)
{
	long double x = number_of(a);
	long double y = number_of(b);

	return x < y ? -1 : x > y;
}

size_t value_characters(const char *text, size_t length)
{
	size_t count = 0;

	for (size_t i = 0; i < length; i++)
		count += ((unsigned char)text[i] & 0xC0) != 0x80;
	return count;
}

/* --- decimals ---------------------------------------------------------------------------- */

/* "d.ddde[+-]xx" without its sign and point. */
static struct decimal decimal_of(const char *text)
{
	struct decimal decimal = {.digits = 0};
	bool is_fraction = false;

	for (; *text != '\0' && *text != 'e'; text++) {
		if (*text == '.')
			is_fraction = true;
		if (*text < '0' || *text > '9')
			continue;
		decimal.digits = decimal.digits * 10 + (uint64_t)(*text - '0');
		decimal.exponent -= is_fraction;
	}
	if (*text == 'e')
		decimal.exponent += (int)strtol(text + 1, NULL, 10);
	while (decimal.digits != 0 && decimal.digits % 10 == 0) {
		decimal.digits /= 10;
		decimal.exponent++;
	}
	return decimal;
}

struct decimal value_decimal(const json_t *number)
{
	char text[40];
	double real = json_real_value(number);
	json_int_t integer = json_integer_value(number);

	if (json_is_integer(number))
		return (struct decimal){.digits = integer < 0 ? 0 - (uint64_t)integer
							      : (uint64_t)integer};
	/* The shortest text that reads back as the same double is what its author wrote. */
	for (int digits = 15; digits <= 17; digits++) {
		(void)snprintf(text, sizeof(text), "%.*e", digits - 1, real);
		if (strtod(text, NULL) == real)
			break;
	}
	return decimal_of(text);
}

static uint64_t power_modulo(uint64_t base, unsigned exponent, uint64_t modulus)
{
	wide result = 1 % modulus;
	wide factor = base % modulus;

	for (; exponent > 0; exponent >>= 1) {
		if ((exponent & 1) != 0)
			result = result * factor % modulus;
		factor = factor * factor % modulus;
	}
	return (uint64_t)result;
}

bool value_is_multiple(const json_t *number, const struct decimal *divisor)
{
	struct decimal value = value_decimal(number);
	int exponent = value.exponent - divisor->exponent;
	wide scaled = divisor->digits;

	if (value.digits == 0 || divisor->digits == 0)
		return value.digits == 0;
	if (exponent >= 0)
		return (wide)(value.digits % divisor->digits) *
			       power_modulo(10, (unsigned)exponent, divisor->digits) %
			       divisor->digits ==
		       0;
	for (; exponent < 0; exponent++) {
		scaled *= 10;
		if (scaled > value.digits)
			return false;
	}
	return value.digits % (uint64_t)scaled == 0;
}

/* --- equality ---------------------------------------------------------------------------- */

static bool same_members(json_t *a, json_t *b, uint64_t *work)
{
	const char *key;
	size_t length;
	json_t *value;

	if (json_object_size(a) != json_object_size(b))
		return false;
	json_object_keylen_foreach(a, key, length, value)
	{
		json_t *other = json_object_getn(b, key, length);

		if (other == NULL || !value_same(value, other, work))
			return false;
	}
	return true;
}

/* The depth is that of a document that was parsed, so recursion is bounded. */
bool value_same(json_t *a, json_t *b, uint64_t *work)
{
	if (!work_take(work, 1))
		return false;
	if (json_is_number(a) && json_is_number(b))
		return value_compare(a, b) == 0;
	if (json_typeof(a) != json_typeof(b))
		return false;
	if (json_is_object(a))
		return same_members(a, b, work);
	if (json_is_string(a))
		return json_string_length(a) == json_string_length(b) &&
		       work_take(work, json_string_length(a) / 64) &&
		       memcmp(json_string_value(a), json_string_value(b),
			      json_string_length(a)) == 0;
	if (!json_is_array(a))
		return true; /* null, true, false: the type is the value */
	if (json_array_size(a) != json_array_size(b))
		return false;
	for (size_t i = 0; i < json_array_size(a); i++)
		if (!value_same(json_array_get(a, i), json_array_get(b, i), work))
			return false;
	return true;
}

/* --- uniqueness -------------------------------------------------------------------------- */

static uint64_t mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
	return hash ^ hash >> 29;
}

static uint64_t hash_bytes(uint64_t hash, const char *data, size_t length)
{
	uint64_t word;

	for (; length >= sizeof(word); data += sizeof(word), length -= sizeof(word)) {
		memcpy(&word, data, sizeof(word));
		hash = mix(hash, word);
	}
	word = 0;
	memcpy(&word, data, length);
	return mix(mix(hash, word), length);
}

/* Equal values have equal hashes, whatever the order of members or the form of numbers. */
static uint64_t hash_value(json_t *value, uint64_t seed, uint64_t *work)
{
	uint64_t sum = 0;
	const char *key;
	size_t length;
	size_t index;
	json_t *inner;
	double number;

	if (!work_take(work, 2))
		return 0;
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		json_object_keylen_foreach(value, key, length, inner) sum +=
			mix(hash_bytes(seed, key, length), hash_value(inner, seed, work));
		return mix(seed + 1, sum);
	case JSON_ARRAY:
		sum = seed + 2;
		json_array_foreach(value, index, inner) sum =
			mix(sum, hash_value(inner, seed, work));
		return sum;
	case JSON_STRING:
		(void)work_take(work, json_string_length(value) / 64);
		return hash_bytes(seed + 3, json_string_value(value),
				  json_string_length(value));
	case JSON_INTEGER:
	case JSON_REAL:
		number = json_number_value(value) + 0.0; /* -0 becomes 0 */
		return hash_bytes(seed + 4, (const char *)&number, sizeof(number));
	default:
		return mix(seed + 5, (uint64_t)json_typeof(value));
	}
}

#define PAIRWISE_MAX 6 /* elements: for so few, a table costs more than it saves */

static bool unique_pairwise(const json_t *array, uint64_t *work, size_t ret_pair[2])
{
	for (size_t i = 1; i < json_array_size(array); i++)
		for (size_t k = 0; k < i; k++)
			if (value_same(json_array_get(array, i), json_array_get(array, k),
				       work)) {
				ret_pair[0] = k;
				ret_pair[1] = i;
				return false;
			}
	return true;
}

struct slot {
	uint64_t hash;
	size_t index; /* + 1; 0: empty */
};

bool value_is_unique(const json_t *array, uint64_t *work, size_t ret_pair[2])
{
	size_t count = json_array_size(array);
	size_t size = 16;
	own_mem struct slot *slots = NULL;
	/* The address is random per process: chosen elements do not collide. */
	uint64_t seed = mix((uint64_t)(uintptr_t)array, (uint64_t)(uintptr_t)&mix);

	if (count <= PAIRWISE_MAX)
		return unique_pairwise(array, work, ret_pair);
	while (size < 2 * count)
		size *= 2;
	slots = work_take(work, size / 4) ? calloc(size, sizeof(*slots)) : NULL;
	if (slots == NULL)
		*work = 0;
	for (size_t i = 0; i<count && * work> 0; i++) {
		uint64_t hash = hash_value(json_array_get(array, i), seed, work);
		size_t at = hash & (size - 1);

		for (; slots[at].index != 0; at = (at + 1) & (size - 1)) {
			if (!work_take(work, 1) || slots[at].hash != hash ||
			    !value_same(json_array_get(array, i),
					json_array_get(array, slots[at].index - 1), work))
				continue;
			ret_pair[0] = slots[at].index - 1;
			ret_pair[1] = i;
			return false;
		}
		slots[at] = (struct slot){hash, i + 1};
	}
	return true;
}
