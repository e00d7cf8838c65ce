#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

/* One row of RFC 3629 section 4: first byte range, second byte range, length. */
struct utf8_row {
	uint8_t first_low, first_high;
	uint8_t second_low, second_high;
	uint8_t length;
};

static const struct utf8_row utf8_rows[] = {
	{0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3}, {0xE1, 0xEC, 0x80, 0xBF, 3},
	{0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3}, {0xF0, 0xF0, 0x90, 0xBF, 4},
	{0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
};

size_t utf8_sequence(const void *data, size_t length)
{
	const uint8_t *bytes = data;

	if (length == 0)
		return 0;
	if (bytes[0] < 0x80)
		return 1;
	for (size_t i = 0; i < sizeof(utf8_rows) / sizeof(utf8_rows[0]); i++) {
		const struct utf8_row *row = &utf8_rows[i];

		if (bytes[0] < row->first_low || bytes[0] > row->first_high)
			continue;
		if (length < row->length || bytes[1] < row->second_low ||
		    bytes[1] > row->second_high)
			return 0;
		for (size_t k = 2; k < row->length; k++)
			if ((bytes[k] & 0xC0) != 0x80)
				return 0;
		return row->length;
	}
	return 0;
}

size_t utf8_encode(uint32_t value, char ret[4])
{
	size_t length = value < 0x80 ? 1 : value < 0x800 ? 2 : value < 0x10000 ? 3 : 4;
	/* Marker bits of the first byte, by length. */
	static const uint8_t first[] = {0, 0x00, 0xC0, 0xE0, 0xF0};

	for (size_t i = length; i-- > 1; value >>= 6)
		ret[i] = (char)(0x80 | (value & 0x3F));
	ret[0] = (char)(first[length] | value);
	return length;
}

bool utf8_is_valid(const void *data, size_t length)
{
	const uint8_t *bytes = data;
	size_t at = 0;

	while (at < length) {
		uint64_t word;
		size_t step;

		/* Output is nearly always ASCII: take eight bytes at a time while it is. */
		if (length - at >= sizeof(word)) {
			memcpy(&word, bytes + at, sizeof(word));
			if ((word & 0x8080808080808080u) == 0) {
				at += sizeof(word);
				continue;
			}
		}
		step = utf8_sequence(bytes + at, length - at);
		if (step == 0)
			return false;
		at += step;
	}
	return true;
}

bool utf8_turns_text(const void *data, size_t length)
{
	const unsigned char *c = data;

	if (length < 3 || c[0] != 0xE2)
		return false;
	return (c[1] == 0x80 && c[2] >= 0xAA && c[2] <= 0xAE) ||
	       (c[1] == 0x81 && c[2] >= 0xA6 && c[2] <= 0xA9);
}

bool utf8_is_control(unsigned char c)
{
	return (c < 0x20 && c != '\n' && c != '\r' && c != '\t' && c != '\f') || c == 0x7F;
}
