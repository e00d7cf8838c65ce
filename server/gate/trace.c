#include "server/gate/trace.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

bool trace_id_is_good(struct text id)
{
	if (id.length == 0 || id.length > LIMIT_REQUEST_ID_BYTES)
		return false;
	for (size_t i = 0; i < id.length; i++)
		if (!char_is_alnum(id.data[i]) && strchr("._-", id.data[i]) == NULL)
			return false;
	return true;
}

/* `count` lower-case hex digits, not all of them zero unless zero has a meaning. */
static bool is_hex_id(const char *data, size_t count, bool may_be_zero)
{
	bool is_zero = true;

	for (size_t i = 0; i < count; i++) {
		if (!char_is_digit(data[i]) && !(data[i] >= 'a' && data[i] <= 'f'))
			return false;
		is_zero = is_zero && data[i] == '0';
	}
	return may_be_zero || !is_zero;
}

bool trace_parent_is_good(struct text parent)
{
	const char *p = parent.data;

	return parent.length == LIMIT_TRACEPARENT_BYTES && memcmp(p, "00-", 3) == 0 &&
	       is_hex_id(p + 3, 32, false) && p[35] == '-' && is_hex_id(p + 36, 16, false) &&
	       p[52] == '-' && is_hex_id(p + 53, 2, true);
}

static void random_hex(char *ret, size_t digits)
{
	static const char alphabet[] = "0123456789abcdef";
	uint8_t bytes[32];

	/* Under 256 bytes the kernel neither fails nor gives less once it has been seeded. */
	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		abort();
	for (size_t i = 0; i < digits; i++)
		ret[i] = alphabet[bytes[i / 2] >> (i % 2 * 4) & 15];
}

void trace_take_id(struct text id, char ret[LIMIT_REQUEST_ID_BYTES + 1])
{
	if (trace_id_is_good(id)) {
		text_copy(id, ret, LIMIT_REQUEST_ID_BYTES + 1);
		return;
	}
	random_hex(ret, 32);
	ret[32] = '\0';
}

void trace_take_parent(struct text parent, char ret[LIMIT_TRACEPARENT_BYTES + 1])
{
	char digits[48];

	if (trace_parent_is_good(parent)) {
		text_copy(parent, ret, LIMIT_TRACEPARENT_BYTES + 1);
		return;
	}
	random_hex(digits, sizeof(digits));
	memcpy(ret, "00-", 3);
	memcpy(ret + 3, digits, 32);
	ret[35] = '-';
	memcpy(ret + 36, digits + 32, 16);
	/* Flags 01: an execution is always recorded, so it is always sampled. */
	memcpy(ret + 52, "-01", 3);
	ret[LIMIT_TRACEPARENT_BYTES] = '\0';
}
